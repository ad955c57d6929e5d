//! What keys come to: the acts of a cashier, key by key.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use regi::domain::command::COMMANDS;
use regi::domain::money::Money;
use regi::domain::refusal::{Refusal, RefusalCode};
use regi::domain::register::TenderView;
use regi::screens::{Action, Answer, JournalRow, Page, Question, ScreenName};

use crate::shop::{Shop, press, screens, seen};

fn does(lines: &[&str]) -> Action {
    Action::Do(lines.iter().map(|line| (*line).to_owned()).collect())
}

#[test]
fn the_commonest_sale_is_scan_scan_enter_1000_enter() {
    let mut screens = screens("tenkey");
    let mut shop = Shop::new("ja");
    assert_eq!(screens.on_scan("4901234567894", &shop.model()), does(&["scan 4901234567894"]));
    assert_eq!(press(&mut screens, &shop, "12<enter>"), does(&["scan 12"]));
    shop.sale = Shop::with_sale("ja").sale;
    assert_eq!(press(&mut screens, &shop, "<enter>"), Action::Stay);
    assert_eq!(screens.name(), ScreenName::Tender);
    assert_eq!(press(&mut screens, &shop, "1000<enter>"), does(&["tender_cash 1000"]));
    shop.sale = None;
    screens.done("tender_cash 1000", &shop.model());
    assert_eq!(screens.name(), ScreenName::Sale);
}

#[test]
fn keys_of_the_ten_key_map_give_the_commands_of_a_register() {
    for (keys, want) in [
        ("3*", vec!["quantity 3"]),
        ("+", vec!["repeat"]),
        ("50-", vec!["line_discount 50"]),
        ("10/", vec!["line_discount 10%"]),
        ("<delete>", vec!["void_line"]),
        ("2<delete>", vec!["void_line 2"]),
        ("198<f5>", vec!["price_override 198"]),
        ("300<f4>1<enter>", vec!["department 1 300"]),
        ("<f4>2<enter>450<enter>", vec!["department 2 450"]),
        ("<f6>5<enter>", vec!["sale_discount 5%"]),
        ("<f7>", vec!["suspend"]),
        ("<up>", vec!["select_line 2"]),
        ("<enter>500<f6>", vec!["tender_voucher 500"]),
        ("<enter><f2>", vec!["tender_credit"]),
        ("<enter><enter>", vec!["tender_cash"]),
        ("<f10>2500<enter>2<enter>", vec!["paid_in 500 切手代"]),
        ("<f10>1忘れ物<enter>", vec!["no_sale 忘れ物"]),
        ("<f11>d<f7>試験<enter>", vec!["no_sale 試験"]),
    ] {
        let shop = Shop::with_sale("ja");
        assert_eq!(press(&mut screens("tenkey"), &shop, keys), does(&want), "{keys}");
    }
}

#[test]
fn the_other_keymaps_reach_the_same_commands() {
    for (keymap, keys, want) in [
        ("laptop", "3x", "quantity 3"),
        ("laptop", "10p", "line_discount 10%"),
        ("laptop", "<enter>c", "tender_credit"),
        ("function", "3<f2>", "times 3"),
        ("function", "1000<f12>", "tender_cash 1000"),
        ("function", "<f1><f12>", "tender_cash"),
    ] {
        let shop = Shop::with_sale("ja");
        assert_eq!(press(&mut screens(keymap), &shop, keys), does(&[want]), "{keymap} {keys}");
    }
}

#[test]
fn digits_that_no_key_takes_are_kept_and_told() {
    let shop = Shop::with_sale("ja");
    let mut screens = screens("tenkey");
    assert_eq!(press(&mut screens, &shop, "12+"), Action::Say("hint.digits_unused"));
    assert_eq!(press(&mut screens, &shop, "<enter>"), does(&["scan 12"]));
}

#[test]
fn esc_clears_first_and_then_leaves() {
    let shop = Shop::with_sale("ja");
    let mut screens = screens("tenkey");
    press(&mut screens, &shop, "<enter>12<esc>");
    assert_eq!(screens.name(), ScreenName::Tender);
    press(&mut screens, &shop, "<esc>");
    assert_eq!(screens.name(), ScreenName::Sale);
    press(&mut screens, &shop, "<esc>");
    assert_eq!(screens.name(), ScreenName::Sale);
}

#[test]
fn a_scan_works_on_every_screen() {
    let shop = Shop::with_sale("ja");
    for keys in
        ["", "<enter>", "<f2>gyu", "<f3>", "<f8>", "<f10>", "<f11>", "<f1>", "<f12>", "<f3><f5>"]
    {
        let mut screens = screens("tenkey");
        press(&mut screens, &shop, keys);
        let action = screens.on_scan("4901234567894", &shop.model());
        assert_eq!(action, does(&["scan 4901234567894"]), "{keys}");
    }
    let mut screens = screens("tenkey");
    press(&mut screens, &shop, "<f9>");
    let asked = Question::Journal { query: vec!["01-000123".into()], offset: 0 };
    assert_eq!(screens.on_scan("01-000123", &shop.model()), Action::Ask(asked));
}

#[test]
fn a_receipt_that_was_scanned_is_the_only_one_in_the_list() {
    let shop = Shop::with_sale("ja");
    let mut screens = screens("tenkey");
    press(&mut screens, &shop, "1");
    let asked = screens.answer(Answer::Open(ScreenName::Journal, "01-000001".into()));
    assert_eq!(asked, Some(Question::Journal { query: vec!["01-000001".into()], offset: 0 }));
}

#[test]
fn every_tender_is_in_sight_and_the_newest_while_an_amount_is_keyed() {
    let mut shop = Shop::with_sale("ja");
    let kinds = ["voucher", "emoney", "code", "debit", "credit", "cash"];
    let tender = |(kind, amount)| TenderView { kind, amount: Money::new(amount) };
    let tenders: Vec<_> = kinds.into_iter().zip(101..).map(tender).collect();
    let sums = ["101", "102", "103", "104", "105", "106"];
    let sale = shop.sale.as_mut().unwrap();
    sale.tenders = tenders.clone();
    let mut screens = screens("tenkey");
    press(&mut screens, &shop, "<enter>");
    let drawn = seen(&screens, &shop, 80, 24);
    assert!(sums.iter().all(|sum| drawn.contains(sum)), "{drawn}");
    press(&mut screens, &shop, "9");
    let drawn = seen(&screens, &shop, 80, 24);
    assert!(drawn.contains("106") && drawn.contains("105"), "{drawn}");
    let sale = shop.sale.as_mut().unwrap();
    sale.tenders.clear();
    sale.due = Money::new(-600);
    sale.was_paid = tenders[..5].to_vec();
    press(&mut screens, &shop, "<esc>");
    let drawn = seen(&screens, &shop, 80, 24);
    assert!(sums[..5].iter().all(|sum| drawn.contains(sum)), "{drawn}");
}

#[test]
fn a_scan_answers_no_question() {
    let shop = Shop::with_sale("ja");
    let code = "4901234567894";
    for line in ["tender_cash", "tender_cash 10", "z_report"] {
        for code_of in [RefusalCode::AgeCheck, RefusalCode::Confirm, RefusalCode::Short] {
            let mut screens = screens("tenkey");
            screens.refused(line, &Refusal::new(code_of), &shop.model());
            assert_eq!(screens.name(), ScreenName::Prompt);
            assert!(!screens.is_typing(code));
            assert_eq!(screens.on_scan(code, &shop.model()), does(&["scan 4901234567894"]));
            assert_eq!(
                screens.name(),
                ScreenName::Sale,
                "the question is asked again when it is meant"
            );
        }
    }
    // An amount, a department's goods, money put in: goods in the middle of it are goods.
    for keys in ["<f5>", "<f4><enter>", "<f10>2", "approval", "approval 1<enter>"] {
        let mut screens = screens("tenkey");
        if let Some(keys) = keys.strip_prefix("approval") {
            screens.refused("price_override 1", &Refusal::new(RefusalCode::Limit), &shop.model());
            press(&mut screens, &shop, keys.trim());
        } else {
            press(&mut screens, &shop, keys);
        }
        assert_eq!(screens.name(), ScreenName::Prompt, "{keys}");
        for (burst, typed) in [
            (code, false),
            ("49013726", false),
            ("01-000123", false),
            ("0104912345678904", false),
            ("111111", true),
            ("49013727", true),
        ] {
            assert_eq!(screens.is_typing(burst), typed, "{keys} {burst}");
        }
        assert_eq!(screens.on_scan(code, &shop.model()), does(&["scan 4901234567894"]));
        assert_ne!(screens.name(), ScreenName::Prompt, "{keys}");
    }
}

#[test]
fn goods_by_weight_are_keyed_on_every_keyboard() {
    for (keymap, times) in
        [("tenkey", "*"), ("laptop", "x"), ("function", "*"), ("function", "<f2>")]
    {
        let shop = Shop::with_sale("ja");
        let mut screens = screens(keymap);
        let action = press(&mut screens, &shop, &format!("3.5{times}"));
        let Action::Do(lines) = action else { panic!("{keymap}: {action:?}") };
        assert!(lines[0].ends_with(" 3.5"), "{keymap}: {lines:?}");
    }
}

#[test]
fn nobody_signed_in_sees_only_the_sign_in() {
    let mut shop = Shop::new("ja");
    shop.locked = true;
    let mut screens = screens("tenkey");
    assert_eq!(press(&mut screens, &shop, "<f12>"), Action::Say("hint.sign_in_first"));
    assert_eq!(screens.name(), ScreenName::SignIn);
    assert_eq!(press(&mut screens, &shop, "3<enter>333333<enter>"), does(&["sign_in 3 333333"]));
    let drawn = seen(&screens, &shop, 80, 24);
    assert!(!drawn.contains("333333"), "{drawn}");
    shop.locked = false;
    screens.done("sign_in 3 333333", &shop.model());
    assert_eq!(screens.name(), ScreenName::Sale);
}

#[test]
fn what_somebody_else_may_allow_is_asked_for_and_given_again() {
    let shop = Shop::with_sale("ja");
    let mut screens = screens("tenkey");
    let refusal = Refusal::new(RefusalCode::Limit);
    screens.refused("price_override 1", &refusal, &shop.model());
    assert_eq!(screens.name(), ScreenName::Prompt);
    let action = press(&mut screens, &shop, "1<enter>111111<enter>");
    assert_eq!(action, does(&["approve 1 111111", "price_override 1"]));
    assert_eq!(screens.name(), ScreenName::Sale);
}

#[test]
fn an_age_check_is_one_key_and_then_the_tender_goes_on() {
    let shop = Shop::with_sale("ja");
    let mut screens = screens("tenkey");
    press(&mut screens, &shop, "<enter>2000<enter>");
    screens.refused("tender_cash 2000", &Refusal::new(RefusalCode::AgeCheck), &shop.model());
    assert_eq!(press(&mut screens, &shop, "<enter>"), does(&["age_checked", "tender_cash 2000"]));
    assert_eq!(screens.name(), ScreenName::Tender);
}

#[test]
fn a_refused_form_keeps_what_was_typed() {
    let shop = Shop::new("ja");
    let mut screens = screens("tenkey");
    let action = press(&mut screens, &shop, "<f3>090123<f5><f10>");
    assert_eq!(action, does(&["new_member phone=090123"]));
    screens.refused(
        "new_member phone=090123",
        &Refusal::new(RefusalCode::BadArgument),
        &shop.model(),
    );
    assert_eq!(screens.name(), ScreenName::NewMember);
    assert!(seen(&screens, &shop, 80, 24).contains("090123"));
    screens.done("new_member phone=090123", &shop.model());
    assert_eq!(screens.name(), ScreenName::Sale);
}

#[test]
fn the_count_gives_every_denomination() {
    let shop = Shop::new("ja");
    let mut screens = screens("tenkey");
    let keys = "<f11>833<enter>1<enter><enter>12<enter><enter><enter><enter><enter><enter>7<enter>";
    let want = "count 10000x3 5000x1 2000x0 1000x12 500x0 100x0 50x0 10x0 5x0 1x7";
    assert_eq!(press(&mut screens, &shop, keys), does(&[want]));
}

#[test]
fn a_code_searched_for_is_rung_up() {
    let shop = Shop::new("ja");
    let mut screens = screens("tenkey");
    let action = press(&mut screens, &shop, "<f2>gyu");
    assert_eq!(action, Action::Ask(Question::FindItems { text: "gyu".into(), offset: 0 }));
    let page = regi::screens::Page {
        offset: 0,
        rows: vec![crate::shop::item("12", "牛乳", 248)],
        more: false,
    };
    screens.answer(Answer::Items { text: "gyu".into(), page });
    assert_eq!(press(&mut screens, &shop, "<enter>"), does(&["scan 12"]));
    assert_eq!(screens.name(), ScreenName::Sale);
}

#[test]
fn a_command_typed_is_given_and_kept_for_the_arrows() {
    let shop = Shop::new("ja");
    let mut screens = screens("tenkey");
    assert_eq!(press(&mut screens, &shop, "<f12>note open<enter>"), does(&["note open"]));
    screens.done("note open", &shop.model());
    assert_eq!(screens.name(), ScreenName::Sale);
    assert_eq!(press(&mut screens, &shop, "<f12><up><enter>"), does(&["note open"]));
}

#[test]
fn a_new_shop_is_asked_for_its_name_first() {
    let shop = Shop::new("ja");
    let mut screens = first_run("ja");
    assert_eq!(press(&mut screens, &shop, "<f10>"), Action::Say("first.name_needed"));
    press(&mut screens, &shop, "<enter>midori");
    let Action::Found(found) = press(&mut screens, &shop, "<f10>") else { panic!("a shop") };
    assert_eq!((found.name.as_str(), found.keymap.as_str()), ("みどり", "tenkey"));
}

/// Every invoice shows the number: a slip of the finger is found before the first customer.
#[test]
fn a_doubtful_registration_number_is_asked_about_once() {
    let shop = Shop::new("ja");
    for (number, said) in [
        ("t123", Some("first.number_wrong")),
        ("t1123456789012", Some("first.number_doubtful")),
        ("t7123456789012", None),
    ] {
        let mut screens = first_run("ja");
        press(&mut screens, &shop, &format!("<enter>midori<enter><enter><enter>{number}"));
        let first = press(&mut screens, &shop, "<f10>");
        assert_eq!(matches!(first, Action::Found(_)), said.is_none(), "{number}");
        if let Some(said) = said {
            assert_eq!(first, Action::Say(said));
            let again = press(&mut screens, &shop, "<f10>");
            let kept = said == "first.number_doubtful";
            assert_eq!(matches!(again, Action::Found(_)), kept, "{number}");
        }
    }
}

fn first_run(language: &str) -> regi::screens::Screens {
    let (keymap, theme) = (regi::screens::Keymap::usual(), regi::screens::Theme::usual());
    regi::screens::Screens::first_run(keymap, theme, language)
}

#[test]
fn what_cannot_be_taken_back_is_asked_first() {
    let shop = Shop::with_sale("ja");
    for (keys, line) in [("<f11>1", "void_sale"), ("<f11>84", "z_report")] {
        let mut screens = screens("tenkey");
        assert_eq!(press(&mut screens, &shop, keys), Action::Stay, "{keys}");
        assert_eq!(screens.name(), ScreenName::Prompt, "{keys}");
        assert_eq!(press(&mut screens, &shop, "<enter>"), does(&[line]), "{keys}");
    }
    let mut screens = screens("tenkey");
    press(&mut screens, &shop, "<f11>1<esc>");
    assert_ne!(screens.name(), ScreenName::Prompt);
}

#[test]
fn digits_keyed_before_the_tender_key_are_what_was_handed_over() {
    let shop = Shop::with_sale("ja");
    let mut screens = screens("tenkey");
    press(&mut screens, &shop, "2000<right>");
    assert_eq!(screens.name(), ScreenName::Tender);
    assert_eq!(press(&mut screens, &shop, "<enter>"), does(&["tender_cash 2000"]));
}

#[test]
fn a_question_says_why_it_is_asked() {
    let shop = Shop::with_sale("ja");
    let mut screens = screens("tenkey");
    let refusal = Refusal::new(RefusalCode::Confirm)
        .saying("confirm_cash")
        .with("amount", "999,999")
        .with("due", "248");
    screens.refused("tender_cash 999999", &refusal, &shop.model());
    assert!(seen(&screens, &shop, 80, 24).contains("お預りが999,999円です"));
}

#[test]
fn the_price_of_goods_without_one_is_asked_as_long_as_the_register_asks() {
    let mut shop = Shop::with_sale("ja");
    shop.price_of = "MAG 09971-07".into();
    let mut screens = screens("tenkey");
    screens.done("scan 4910099710741", &shop.model());
    let asked = seen(&screens, &shop, 80, 24);
    assert!(asked.contains("MAG 09971-07 の価格"), "{asked}");
    assert_eq!(press(&mut screens, &shop, "500<enter>"), does(&["price_override 500"]));
    // Another scan takes its place; what was asked is no longer.
    screens.done("scan 4910099710741", &shop.model());
    assert_eq!(screens.on_scan("1", &shop.model()), does(&["scan 1"]));
    shop.price_of.clear();
    screens.done("scan 1", &shop.model());
    assert_eq!(screens.name(), ScreenName::Sale);
}

#[test]
fn a_pin_that_was_left_out_is_asked_for_unseen() {
    let shop = Shop::new("ja");
    let mut screens = screens("tenkey");
    let refusal = Refusal::new(RefusalCode::BadArgument).saying("missing_argument");
    screens.refused("set_pin 3", &refusal, &shop.model());
    let given = press(&mut screens, &shop, "4829");
    assert_eq!(given, Action::Stay);
    let drawn = seen(&screens, &shop, 80, 24);
    assert!(drawn.contains("****") && !drawn.contains("4829"), "{drawn}");
    assert_eq!(press(&mut screens, &shop, "15<enter>"), does(&["set_pin 3 482915"]));
}

#[test]
fn a_formal_receipt_is_asked_for_of_the_receipt_in_sight() {
    let shop = Shop::new("ja");
    for keymap in ["tenkey", "laptop", "function"] {
        let mut screens = screens(keymap);
        screens.answer(Answer::Open(ScreenName::Journal, String::new()));
        let row = JournalRow {
            lane: 1,
            seq: 456,
            at: "11-22 10:20".into(),
            kind: "entry.sale",
            number: "01-000123".into(),
            amount: None,
            staff: 3,
            detail: String::new(),
        };
        let page = Page { offset: 0, rows: vec![row], more: false };
        screens.answer(Answer::Journal { query: Vec::new(), page });
        press(&mut screens, &shop, "<enter><f6>");
        screens.on_paste("山吹", &shop.model());
        let given = press(&mut screens, &shop, "<enter>");
        assert_eq!(given, does(&["formal_receipt 山吹 receipt=01-000123"]), "{keymap}");
    }
}

#[test]
fn a_yes_leads_where_the_line_it_was_given_to_leads() {
    let shop = Shop::new("ja");
    let mut screens = screens("tenkey");
    screens.answer(Answer::Open(ScreenName::Journal, String::new()));
    let refusal =
        Refusal::new(RefusalCode::Confirm).saying("confirm_formals").with("numbers", "01-F000001");
    screens.refused("return 01-000123", &refusal, &shop.model());
    let asked = seen(&screens, &shop, 80, 24);
    assert!(asked.contains("01-F000001"), "{asked}");
    assert_eq!(press(&mut screens, &shop, "<enter>"), does(&["confirm"]));
    screens.done("confirm", &shop.model());
    assert_eq!(screens.name(), ScreenName::Sale);
}

#[test]
fn goods_that_were_not_paid_in_cash_are_not_paid_back_in_cash_unasked() {
    let mut shop = Shop::with_sale("ja");
    let sale = shop.sale.as_mut().unwrap();
    sale.due = -sale.due;
    sale.was_paid = vec![TenderView { kind: "credit", amount: Money::new(1_032) }];
    let mut by_card = screens("tenkey");
    press(&mut by_card, &shop, "<enter>");
    let screen = seen(&by_card, &shop, 80, 24);
    assert!(screen.contains("お支払いは") && screen.contains("クレジット"), "{screen}");
    assert!(screen.contains("クレジットに返すときは F2"), "{screen}");
    assert_eq!(press(&mut by_card, &shop, "<enter>"), Action::Stay);
    let asked = seen(&by_card, &shop, 80, 24);
    assert!(asked.contains("現金では受け取っていません"), "{asked}");
    assert!(asked.contains("F2 の順"), "{asked}");
    assert_eq!(press(&mut by_card, &shop, "<enter>"), does(&["tender_cash"]));
    assert_eq!(press(&mut screens("tenkey"), &shop, "<enter><f2>"), does(&["tender_credit"]));

    let paid = &mut shop.sale.as_mut().unwrap().was_paid;
    paid.push(TenderView { kind: "cash", amount: Money::new(1) });
    assert_eq!(press(&mut screens("tenkey"), &shop, "<enter><enter>"), does(&["tender_cash"]));
}

#[test]
fn an_approval_that_is_asked_for_is_asked_for_once() {
    let shop = Shop::with_sale("ja");
    let mut screens = screens("tenkey");
    for _ in 0..3 {
        let approve = KeyEvent::new(KeyCode::Char('a'), KeyModifiers::CONTROL);
        screens.on_key(approve, &shop.model());
        assert_eq!(screens.name(), ScreenName::Prompt);
    }
    press(&mut screens, &shop, "<esc>");
    assert_eq!(screens.name(), ScreenName::Sale);
}

#[test]
fn cash_that_is_a_part_is_taken_by_a_yes_where_it_was_keyed() {
    let shop = Shop::with_sale("ja");
    let mut screens = screens("tenkey");
    assert_eq!(press(&mut screens, &shop, "<enter>900<enter>"), does(&["tender_cash 900"]));
    let short = Refusal::new(RefusalCode::Short).with("short", 132);
    screens.refused("tender_cash 900", &short, &shop.model());
    let asked = seen(&screens, &shop, 80, 24);
    assert!(asked.contains("132円 足りません"), "{asked}");
    assert_eq!(press(&mut screens, &shop, "<enter>"), does(&["confirm"]));
    screens.done("confirm", &shop.model());
    assert_eq!(screens.name(), ScreenName::Tender, "the rest is asked for");
}

/// Help and completion of every command, a screenful after the other.
#[test]
fn no_help_is_cut_off() {
    for language in ["ja", "en"] {
        let shop = Shop::new(language);
        let mut help = screens("tenkey");
        press(&mut help, &shop, "<f1>");
        for _ in 0..100 {
            let screen = seen(&help, &shop, 80, 24);
            let body: Vec<_> = screen.lines().skip(1).take(20).collect();
            assert!(body.iter().all(|row| !row.ends_with("..")), "{language}: {screen}");
            press(&mut help, &shop, "<down>");
        }
        for spec in COMMANDS {
            let mut line = screens("tenkey");
            press(&mut line, &shop, "<f12>");
            press(&mut line, &shop, spec.name);
            let screen = seen(&line, &shop, 80, 24);
            assert!(screen.lines().all(|row| !row.ends_with("..")), "{language}: {screen}");
            let arguments = spec.arguments.split(' ').next_back().unwrap_or_default();
            let last = arguments.replace('…', "...");
            assert!(screen.contains(&last), "{language} {}: {screen}", spec.name);
        }
    }
}

#[test]
fn points_that_go_with_returned_goods_are_on_the_screen_before_the_refund() {
    for (language, want) in [("ja", "取消10 返還50"), ("en", "taken 10 given 50")] {
        let mut shop = Shop::with_sale(language);
        let sale = shop.sale.as_mut().unwrap();
        sale.due = -sale.due;
        (sale.points_earned, sale.points_taken_back, sale.points_given_back) = (0, 10, 50);
        let mut screens = screens("tenkey");
        for keys in ["", "<enter>"] {
            press(&mut screens, &shop, keys);
            let screen = seen(&screens, &shop, 80, 24);
            assert!(screen.contains(want), "{screen}");
        }
    }
}

#[test]
fn what_changed_a_receipt_is_looked_up_again_where_it_stands() {
    let shop = Shop::new("ja");
    let mut screens = screens("tenkey");
    press(&mut screens, &shop, "<f9>");
    assert!(screens.done("reprint 01-000001", &shop.model()).is_none());
    let again = screens.done("void_receipt 01-000001 x", &shop.model());
    assert_eq!(again, Some(Question::Journal { query: Vec::new(), offset: 0 }));
}

#[test]
fn the_whole_menu_is_in_sight_at_once() {
    for language in ["ja", "en"] {
        let shop = Shop::new(language);
        let mut screens = screens("tenkey");
        press(&mut screens, &shop, "<f11>");
        let seen = seen(&screens, &shop, 80, 24);
        for last in [crate::shop::words(language).get("menu.quit"), " Q  "] {
            assert!(seen.contains(last), "{language} {last}\n{seen}");
        }
    }
}

#[test]
fn a_number_that_nobody_has_is_told_before_the_pin() {
    let mut shop = Shop::new("ja");
    shop.locked = true;
    shop.staff = None;
    let mut screens = screens("tenkey");
    assert_eq!(press(&mut screens, &shop, "9<enter>"), Action::Say("hint.no_such_staff"));
    assert_eq!(press(&mut screens, &shop, "3<enter>"), Action::Stay);
    assert_eq!(press(&mut screens, &shop, "333333<enter>"), does(&["sign_in 3 333333"]));
}

/// One key shows the member of the sale, points and last visits; without one it finds whose card it is.
#[test]
fn the_member_key_shows_the_card_of_the_sales_member() {
    let mut shop = Shop::new("ja");
    shop.sale = Shop::with_sale("ja").sale;
    for (keymap, key) in [("tenkey", "<f3>"), ("function", "<f7>"), ("laptop", "m")] {
        let mut screens = screens(keymap);
        press(&mut screens, &shop, key);
        assert_eq!(screens.name(), ScreenName::MemberCard, "{keymap}");
        press(&mut screens, &shop, "<f3>");
        assert_eq!(screens.name(), ScreenName::MemberFinder, "{keymap}: another member");
    }
}

/// Without a card there is no card to show: it is asked whose.
#[test]
fn the_card_of_nobody_is_looked_for() {
    for keys in ["<f11>0", "<f11>e", "<f3>"] {
        let shop = Shop::new("ja");
        let mut screens = screens("tenkey");
        press(&mut screens, &shop, keys);
        assert_eq!(screens.name(), ScreenName::MemberFinder, "{keys}");
    }
}

#[test]
fn a_question_is_read_to_its_end_before_it_is_answered() {
    for (language, end) in [("ja", "を押してください"), ("en", "to erase")] {
        let shop = Shop::new(language);
        let mut screens = screens("tenkey");
        let refusal = Refusal::new(RefusalCode::Confirm)
            .saying("confirm_erase")
            .with("code", "2900000000148")
            .with("points", 1_234);
        screens.refused("erase_member 2900000000148", &refusal, &shop.model());
        assert!(seen(&screens, &shop, 80, 24).contains(end), "{language}");
    }
}

#[test]
fn a_list_is_read_again_once_its_member_is_erased() {
    let shop = Shop::new("ja");
    let mut screens = screens("tenkey");
    press(&mut screens, &shop, "<f3>yama");
    let asked = screens.done("confirm", &shop.model());
    assert!(matches!(asked, Some(Question::FindMembers { .. })), "{asked:?}");
}

#[test]
fn a_search_in_the_journal_is_answered_before_a_key_acts_on_its_receipt() {
    let shop = Shop::new("ja");
    for (key, want) in [
        ("<f7>", Action::Ask(Question::Receipt { number: "01-000124".into() })),
        ("<f8>", does(&["reprint 01-000124"])),
    ] {
        let mut screens = screens("tenkey");
        press(&mut screens, &shop, "<f9>");
        screens.answer(found(&[], "01-000123"));
        let query = || vec!["124".to_owned()];
        let asked = Action::Ask(Question::Journal { query: query(), offset: 0 });
        assert_eq!(press(&mut screens, &shop, &format!("124{key}")), asked, "{key}");
        assert_eq!(screens.name(), ScreenName::Journal, "{key}");
        screens.answer(found(&["124"], "01-000124"));
        assert_eq!(press(&mut screens, &shop, key), want);
    }
}

/// A journal's answer of one receipt.
fn found(query: &[&str], number: &str) -> Answer {
    let row = JournalRow {
        lane: 1,
        seq: 1,
        at: "11-22 10:20".into(),
        kind: "entry.sale",
        number: number.into(),
        amount: None,
        staff: 3,
        detail: String::new(),
    };
    let query = query.iter().map(|word| (*word).to_owned()).collect();
    Answer::Journal { query, page: Page { offset: 0, rows: vec![row], more: false } }
}

#[test]
fn help_on_a_command_opens_at_it() {
    let shop = Shop::new("en");
    for (name, arguments) in
        [("void_receipt", "RECEIPT REASON"), ("scan", "CODE"), ("help", "[NAME]")]
    {
        let mut screens = screens("tenkey");
        screens.answer(Answer::HelpOn(name.into()));
        assert_eq!(screens.name(), ScreenName::Help);
        let drawn = seen(&screens, &shop, 80, 24);
        let first = drawn.lines().nth(2).unwrap_or_default();
        assert!(first.trim().starts_with(&format!("{name} {arguments}")), "{first}\n{drawn}");
    }
}
