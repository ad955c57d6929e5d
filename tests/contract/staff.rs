//! Who may do what: sign-in, PIN locks, levels, approvals by a second person.

use crate::support::{Shop, holds, text};

const STAFF: &str = r#"
[[staff]]
number = 1
name = "店長"
level = 9
pin = "482913"
[[staff]]
number = 2
name = "副店長"
level = 7
pin = "573024"
[[staff]]
number = 3
name = "主任"
level = 3
pin = "684135"
[[staff]]
number = 4
name = "新人"
level = 1
pin = "795246"
"#;

/// Seconds after the time of the tests.
fn at(seconds: u32) -> String {
    format!("2026-11-22T10:{:02}:{:02}+09:00", 23 + seconds / 60, seconds % 60)
}

#[test]
fn nothing_is_sold_before_someone_signs_in() {
    let shop = Shop::new(STAFF);
    for command in ["department 1 100", "tender_cash", "z_report", "find_member a"] {
        assert_eq!(shop.refuse(command), "locked", "{command}");
    }
    let answer = shop.sell("sign_in 4 795246\ndepartment 1 100");
    assert_eq!(answer["staff"]["number"], 4);
    assert_eq!(shop.refuse("tender_cash"), "locked", "sign-in does not outlive the process");
    let sold = shop.sell("sign_in 3 684135\ntender_cash");
    assert_eq!(sold["sale"]["total"], 100, "the open sale does");
    assert_eq!(shop.refuse("sign_in 3 684135\nlock\ndepartment 1 100"), "locked");
    assert_eq!(shop.refuse("sign_in 3 684135\nsign_out\ndepartment 1 100"), "locked");
    shop.verify();
}

#[test]
fn five_wrong_pins_lock_the_number_and_a_restart_does_not_help() {
    let shop = Shop::new(STAFF);
    for _ in 0..5 {
        assert_eq!(shop.refuse("sign_in 4 111112"), "pin");
    }
    let right = "sign_in 4 795246";
    assert_eq!(shop.refuse(right), "locked");
    assert_eq!(shop.refuse_at(&at(59), right), "locked");
    assert_eq!(
        shop.refuse("sign_in 3 684135\napprove 4 795246"),
        "level",
        "never by a lower level"
    );
    shop.sell("sign_in 3 684135");
    shop.sell_at(&at(61), right);
    shop.verify();
}

#[test]
fn guesses_at_approvals_lock_like_guesses_at_sign_in() {
    let shop = Shop::new(STAFF);
    let guesses = "approve 2 000001\n".repeat(5);
    let played = shop.play(&format!("sign_in 4 795246\n{guesses}approve 2 573024"));
    assert_eq!(played.codes(), ["", "pin", "pin", "pin", "pin", "pin", "locked"]);
}

#[test]
fn a_level_is_lifted_once_by_a_second_person() {
    let shop = Shop::new(STAFF);
    let script = "sign_in 4 795246\ndepartment 1 1000\n";
    assert_eq!(shop.refuse(&format!("{script}line_discount 10%")), "level");
    let played = shop.play(
        "sign_in 4 795246\napprove 3 684135\nline_discount 10%\nsale_discount 10\n\
         approve 4 795246\napprove 9 1\napprove 3 999999",
    );
    let want = ["", "", "", "level", "level", "pin", "pin"];
    assert_eq!(played.codes(), want, "{}", played.stdout);
    assert_eq!(played.answers[2]["sale"]["total"], 900);
    shop.verify();
}

#[test]
fn an_approval_lifts_no_other_refusal() {
    let shop = Shop::new(STAFF);
    let played = shop.play(
        "sign_in 4 795246\napprove 1 482913\nscan 999\n\
         department 1 1000\napprove 1 482913\ntender_cash 900\napprove 1 482913\ntender_credit 2000",
    );
    assert_eq!(played.codes(), ["", "", "unknown_code", "", "", "short", "", "over"]);
}

#[test]
fn what_goes_past_the_shops_limits_needs_more_than_the_level() {
    let shop = Shop::new(&format!(
        "{STAFF}[limits]\ndiscount = 500\ndiscount_percent = \"20\"\noverride_percent = \"20\"\n"
    ))
    .with_items("code,name,price,tax_class,flags\n1,食品,1000,reduced,\n2,たばこ,600,standard,fixed_price no_discount\n");
    let played = shop.play(
        "sign_in 3 684135\nscan 1\nline_discount 30%\nprice_override 700\nsale_discount 501\n\
         approve 2 573024\nprice_override 700\nscan 2\nprice_override 500\n\
         approve 1 482913\nprice_override 500\nline_discount 10",
    );
    let want = ["", "", "limit", "limit", "limit", "", "", "", "fixed_price", "", "", "excluded"];
    assert_eq!(played.codes(), want, "{}", played.stdout);
}

/// Half off, and half off again, is three quarters: what is given by hand comes together.
#[test]
fn discounts_on_the_sale_are_held_against_the_limits_together() {
    let shop = Shop::new(&format!("{STAFF}[limits]\ndiscount = 500\ndiscount_percent = \"20\"\n"));
    let played = shop.play(
        "sign_in 3 684135\ndepartment 1 9000\nsale_discount 10%\nsale_discount 11%\n\
         sale_discount 12%\nsale_discount 300\nsale_discount 201\nsale_discount 200\n\
         approve 2 573024\nsale_discount 201\nsale_discount 1",
    );
    let want = ["", "", "", "", "limit", "", "limit", "", "", "", "limit"];
    assert_eq!(played.codes(), want, "{}", played.stdout);
}

#[test]
fn another_tax_class_than_foods_needs_level_3_and_moves_no_fixed_price() {
    let shop = Shop::new(&format!("{STAFF}[tax]\nprice_mode = \"excluded\"\n")).with_items(
        "code,name,price,tax_class,flags\n1,食品,1000,reduced,\n2,本,600,standard,fixed_price\n",
    );
    let played = shop.play(
        "sign_in 4 795246\nscan 1\nline_tax standard\nline_tax reduced\nline_tax exempt\n\
         approve 3 684135\nline_tax exempt\nline_tax untaxed\nline_tax reduced\n\
         sign_in 3 684135\nscan 2\nline_tax exempt\nline_tax reduced\napprove 2 573024\nline_tax exempt",
    );
    let want = [
        "",
        "",
        "",
        "",
        "level",
        "",
        "",
        "level",
        "",
        "",
        "",
        "fixed_price",
        "fixed_price",
        "",
        "",
    ];
    assert_eq!(played.codes(), want, "{}", played.stdout);
}

#[test]
fn levels_as_shipped_guard_the_till() {
    let shop = Shop::new(STAFF);
    shop.sell("sign_in 1 482913\ndepartment 1 100\ntender_cash");
    for (level, sign_in) in [(1, "4 795246"), (3, "3 684135"), (7, "2 573024")] {
        for (needed, command) in [
            (3, "sale_discount 10"),
            (5, "return_open"),
            (5, "void_receipt 01-000001 x"),
            (5, "no_sale x"),
            (5, "paid_in 100 x"),
            (5, "paid_out 100 x"),
            (7, "z_report"),
            (7, "training_on"),
            (7, "set_price 1 100"),
        ] {
            let played = shop.play(&format!("sign_in {sign_in}\n{command}"));
            let by_level = played.codes()[1] == "level";
            assert_eq!(by_level, level < needed, "{command} at level {level}: {}", played.stdout);
            shop.play("sign_in 1 482913\ntraining_off");
        }
    }
}

#[test]
fn a_pin_is_three_stars_everywhere() {
    let shop = Shop::new(STAFF);
    let played = shop.play(
        "sign_in 4 795246\napprove 3 684135\nsign_in 1 482913\nset_pin 4 864209\nsign_in 4 864209\nsign_in 4 86420975",
    );
    assert_eq!(played.answers[0]["command"], "sign_in 4 ***");
    assert_eq!(played.answers[1]["command"], "approve 3 ***");
    let exported = shop.told(&["export", "journal"]) + &shop.told(&["export", "shop"]);
    let said = format!("{}{}{exported}", played.stdout, played.stderr);
    for pin in ["795246", "684135", "482913", "864209", "86420975"] {
        assert!(!said.contains(pin), "{pin}");
        for segment in shop.segments() {
            let bytes = std::fs::read(&segment).expect("a segment");
            assert!(!holds(&bytes, pin.as_bytes()), "{pin} in {}", segment.display());
        }
    }
    assert!(exported.contains("店長"), "the export has the staff, without PINs");
}

#[test]
fn a_pin_goes_only_by_a_word_and_a_yes() {
    let shop = Shop::new(STAFF);
    let boss = "sign_in 1 482913\n";
    assert_eq!(shop.refuse(&format!("{boss}set_pin 4")), "bad_argument");
    assert_eq!(shop.refuse("sign_in 4 000001"), "pin", "it is still set");
    assert_eq!(shop.refuse(&format!("{boss}set_pin 4 remove")), "confirm");
    assert_eq!(shop.refuse("sign_in 4"), "pin", "nobody said yes");
    let played = shop.play(&format!("{boss}set_pin 4 remove\nconfirm\nsign_in 4"));
    assert_eq!(played.codes(), ["", "confirm", "", ""]);
    let said = played.answers[1]["error"]["message"].as_str().expect("a sentence");
    assert!(said.contains("no PIN"), "{said}");
    shop.sell(&format!("{boss}set_pin 4 864209"));
    assert_eq!(shop.refuse("sign_in 4 795246"), "pin");
    shop.verify();
}

#[test]
fn the_worst_pins_are_refused_in_a_real_shop() {
    let shop = Shop::new(STAFF);
    for pin in ["111111", "123456", "0000"] {
        let played = shop.play(&format!("sign_in 1 482913\nset_pin 4 {pin}"));
        assert_eq!(played.answers[1]["ok"], false, "{pin}: {}", played.stdout);
        shop.sell("sign_in 4 795246");
    }
    let file = "[[staff]]\nnumber = 5\nlevel = 1\npin = \"123456\"\n";
    let refused = shop.import("shop", file.as_bytes(), &["--apply"]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stderr));
}

#[test]
fn the_sample_shops_staff_have_their_number_six_times() {
    let shop = Shop::demo();
    for (staff, level) in [(1, 9), (2, 7), (3, 3), (4, 1)] {
        let pin = staff.to_string().repeat(6);
        let answer = shop.sell(&format!("sign_in {staff} {pin}"));
        assert_eq!(answer["staff"]["level"], level);
    }
    shop.verify();
}

#[test]
fn what_staff_did_is_read_by_those_who_may_ask_for_it() {
    let shop = Shop::new(STAFF);
    shop.sell("sign_in 2 573024\nno_sale 両替");
    for of_people in ["report acts", "report members"] {
        assert_eq!(shop.refuse(&format!("sign_in 3 684135\n{of_people}")), "level");
    }
    let told = shop.sell("sign_in 2 573024\nreport acts");
    let rows = told["report"]["rows"].as_array().expect("rows");
    let of = |act: &str| rows.iter().filter(|row| row["act"] == act).count();
    assert_eq!([of("no sale"), of("refused"), of("signed in")], [1, 2, 4], "{rows:#?}");
    let of_a_day = shop.sell("sign_in 1 482913\nreport acts date=2026-11-21");
    assert_eq!(of_a_day["report"]["rows"], serde_json::json!([]));
}
