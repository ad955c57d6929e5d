//! How the main screens look, at the least size and at a larger one, in both languages.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use regi::domain::money::yen;
use regi::domain::register::{DayView, MemberView, SuspendedView, TaxView, TenderView};
use regi::screens::{
    Answer, DeviceRow, JournalRow, LastSale, Message, Page, ReceiptLine, ReceiptView, ScreenName,
    Screens,
};

use crate::shop::{Shop, item, line, press, screens, seen};

/// A screen by name: what leads there.
type Case = (&'static str, fn(&mut Shop, &mut Screens));

const CASES: &[Case] = &[
    ("sale_empty", |_, _| {}),
    ("sale_closed", |shop, _| {
        shop.last = Some(last_sale());
    }),
    ("sale_follows", |shop, _| {
        shop.last = Some(last_sale());
        shop.sale = Shop::with_sale("ja").sale;
    }),
    ("sale", |shop, screens| {
        shop.sale = Shop::with_sale("ja").sale;
        press(screens, shop, "490");
    }),
    ("sale_refused", |shop, _| {
        shop.sale = Shop::with_sale("ja").sale;
        shop.selected = Some(2);
        shop.training = true;
        shop.printer.word = "state.no_paper";
        shop.printer.alert = true;
        let text = shop.words.fill("check_digit", &[("code", &"4901234567895"), ("expected", &4)]);
        shop.message = Some(Message { refusal: true, text });
    }),
    ("tender", |shop, screens| {
        shop.last = Some(last_sale());
        shop.sale = Shop::with_sale("ja").sale;
        press(screens, shop, "<enter>2000");
    }),
    ("sign_in", |shop, screens| {
        shop.staff = None;
        shop.locked = true;
        press(screens, shop, "3<enter>333");
    }),
    ("item_finder", |shop, screens| {
        press(screens, shop, "<f2>gyu");
        let rows = vec![
            item("4901234567894", "北海道産 特選牛乳 1L", 248),
            item("12", "牛肉 切り落とし", 1980),
        ];
        screens.answer(Answer::Items {
            text: "gyu".into(),
            page: Page { offset: 0, rows, more: false },
        });
    }),
    ("member_finder", |shop, screens| {
        press(screens, shop, "<f3>yamada");
        let rows = vec![member()];
        screens.answer(Answer::Members {
            text: "yamada".into(),
            page: Page { offset: 0, rows, more: false },
        });
    }),
    ("member_card", |shop, screens| {
        shop.sale = Shop::with_sale("ja").sale;
        press(screens, shop, "<f11>0");
        let visits = Page { offset: 0, rows: journal_rows(), more: false };
        screens.answer(Answer::MemberCard(Box::new(member()), visits));
    }),
    ("member_form", |shop, screens| {
        press(screens, shop, "<f3>090<f5>");
    }),
    ("suspended", |shop, screens| {
        shop.suspended = vec![SuspendedView {
            slip: "01-S0007".into(),
            name: "赤い傘の方".into(),
            lines: 3,
            total: yen(1032),
            at_ms: 0,
            staff: 3,
        }];
        press(screens, shop, "<f8>");
    }),
    ("journal", |shop, screens| {
        press(screens, shop, "<f9>");
        let page = Page { offset: 0, rows: journal_rows(), more: true };
        screens.answer(Answer::Journal { query: Vec::new(), page });
    }),
    ("receipt", |shop, screens| {
        press(screens, shop, "<f9>");
        let page = Page { offset: 0, rows: journal_rows(), more: false };
        screens.answer(Answer::Journal { query: Vec::new(), page });
        press(screens, shop, "<enter>");
        screens.answer(Answer::Receipt(Box::new(receipt())));
    }),
    ("return_lines", |shop, screens| {
        press(screens, shop, "<f9>");
        let page = Page { offset: 0, rows: journal_rows(), more: false };
        screens.answer(Answer::Journal { query: Vec::new(), page });
        press(screens, shop, "<f7>");
        screens.answer(Answer::Receipt(Box::new(receipt())));
        press(screens, shop, " ");
    }),
    ("menu", |shop, screens| {
        press(screens, shop, "<f11><down>");
    }),
    ("cash", |shop, screens| {
        press(screens, shop, "<f10>");
    }),
    ("reports", |shop, screens| {
        press(screens, shop, "<f11>r");
    }),
    ("close", |shop, screens| {
        shop.day = Some(DayView {
            business_date: "2026-11-22".into(),
            customers: 42,
            net: yen(86_540),
            expected_cash: Some(yen(58_300)),
            counted: Some(yen(58_290)),
            difference: Some(yen(-10)),
        });
        press(screens, shop, "<f11>8");
    }),
    ("reason", |shop, screens| {
        press(screens, shop, "<f10>2500<enter>");
    }),
    ("count", |shop, screens| {
        press(screens, shop, "<f11>833<enter>12");
    }),
    ("help", |shop, screens| {
        press(screens, shop, "<f1>");
    }),
    ("command_line", |shop, screens| {
        press(screens, shop, "<f12>tender");
    }),
    ("devices", |shop, screens| {
        press(screens, shop, "<f11>d");
        screens.answer(Answer::Devices(vec![DeviceRow {
            device: "printer".into(),
            kind: "device.printer",
            address: "tcp:192.0.2.10:9100".into(),
            model: "tm-t88".into(),
            state: "state.cover",
            alert: true,
        }]));
    }),
    ("report", |_, screens| {
        let rows = (1..60).map(|row| format!("row {row}")).collect();
        screens.answer(Answer::Text { title: "2026-11".into(), rows });
    }),
];

fn last_sale() -> LastSale {
    LastSale {
        receipt: "01-000123".into(),
        total: yen(1032),
        received: yen(2000),
        change: yen(968),
    }
}

fn member() -> MemberView {
    MemberView {
        code: "2900000000018".into(),
        rank: "gold".into(),
        points: 1284,
        name: "山田 花子".into(),
        kana: "ヤマダ ハナコ".into(),
        phone: "09012345678".into(),
        birthday: "--04-01".into(),
        visits: Some(12),
        stamps: Some(3),
        last_visit: "2026-11-15".into(),
        ..MemberView::default()
    }
}

fn journal_rows() -> Vec<JournalRow> {
    let row = |seq, at: &str, kind, number: &str, amount: i64, detail: &str| JournalRow {
        lane: 1,
        seq,
        at: at.into(),
        kind,
        number: number.into(),
        amount: Some(yen(amount)),
        staff: 3,
        detail: detail.into(),
    };
    vec![
        row(456, "11-22 10:20", "entry.sale", "01-000123", 1032, "2900000000018"),
        row(455, "11-22 10:11", "entry.return", "01-R000012", -248, ""),
        row(454, "11-22 09:58", "entry.paid_out", "", -500, "切手代"),
    ]
}

fn receipt() -> ReceiptView {
    let rows = [("4901234567894", "特選牛乳 1L", 2, 248, 0, "※"), ("12", "ごみ袋", 1, 398, 0, "")];
    let lines = (1..).zip(rows).map(|(place, row)| {
        let line = line(place, row);
        ReceiptLine { left: line.quantity, line }
    });
    ReceiptView {
        number: "01-000123".into(),
        paper: vec![
            "        みどり商店".into(),
            "特選牛乳 1L※        ¥496".into(),
            "合計  ¥894".into(),
        ],
        lines: lines.collect(),
        voided: false,
        copies: 1,
        formals: vec!["01-F000007".into()],
    }
}

fn drawn(case: &Case, language: &str, width: u16, height: u16) -> String {
    let mut shop = Shop::new(language);
    let mut screens = screens("tenkey");
    (case.1)(&mut shop, &mut screens);
    screens.settle(&shop.model());
    seen(&screens, &shop, width, height)
}

/// A word of the language files that found no text: letters, a point, letters.
fn bare_key(text: &str) -> Option<&str> {
    let is_key = |word: &&str| {
        let mut parts = word.split('.');
        let lower = |part: &str| {
            part.len() > 1 && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        parts.clone().count() > 1 && parts.all(lower)
    };
    text.split_whitespace().find(is_key)
}

#[test]
fn the_screens_look_as_they_were_agreed() {
    for case in CASES {
        for (language, width, height) in [("ja", 80, 24), ("en", 80, 24), ("ja", 100, 30)] {
            let drawn = drawn(case, language, width, height);
            insta::assert_snapshot!(format!("{}_{language}_{width}x{height}", case.0), drawn);
        }
    }
}

#[test]
fn no_screen_shows_a_key_instead_of_its_text() {
    for case in CASES {
        for language in ["ja", "en"] {
            let drawn = drawn(case, language, 80, 24);
            assert_eq!(bare_key(&drawn), None, "{} {language}\n{drawn}", case.0);
        }
    }
    assert_eq!(bare_key("12 key.back F2"), Some("key.back"));
}

#[test]
fn every_keymap_fits_the_key_line_in_every_language() {
    for language in ["ja", "en"] {
        for keymap in ["tenkey", "laptop", "function"] {
            let shop = Shop::new(language);
            let over = screens(keymap).key_line_overflow(&shop.model());
            assert_eq!(over, None, "{keymap} {language}");
        }
    }
}

#[test]
fn a_key_and_an_amount_on_the_key_line_stand_apart() {
    let shop = Shop::with_sale("en");
    let mut screens = screens("function");
    screens.answer(Answer::Open(ScreenName::Tender, String::new()));
    let drawn = seen(&screens, &shop, 80, 24);
    assert!(drawn.contains("F9 1000 F10 5000 F11 10000"), "{drawn}");
}

#[test]
fn a_table_wider_than_the_screen_names_the_keys_that_move_it() {
    let shop = Shop::new("en");
    let mut screens = screens("tenkey");
    screens.answer(Answer::Text { title: "2026-11".into(), rows: vec!["x".repeat(79)] });
    let drawn = seen(&screens, &shop, 80, 24);
    assert!(drawn.contains("Left Right move sideways"), "{drawn}");
    assert!(!seen(&screens, &shop, 100, 24).contains("Left Right"), "all of it is in sight");
}

#[test]
fn a_terminal_too_small_is_told_so_and_nothing_breaks() {
    for (width, height) in [(1, 1), (20, 5), (79, 24), (80, 23)] {
        let shop = Shop::with_sale("ja");
        let drawn = seen(&screens("tenkey"), &shop, width, height);
        assert!(width < 30 || drawn.contains("80x24"), "{drawn}");
    }
}

#[test]
fn more_room_shows_more_and_moves_nothing_at_the_left_and_top() {
    let shop = Shop::with_sale("ja");
    let small = seen(&screens("tenkey"), &shop, 80, 24);
    let tall = seen(&screens("tenkey"), &shop, 80, 40);
    let rows = |text: &str| text.lines().take(7).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&small), rows(&tall));
}

#[test]
fn a_line_says_why_it_costs_less() {
    for (language, by_hand, by_rule) in
        [("ja", "値引", "期限間近"), ("en", "discount", "near its date")]
    {
        let mut shop = Shop::with_sale(language);
        let line = &mut shop.sale.as_mut().expect("a sale").lines[0];
        line.discount = regi::domain::money::yen(75);
        let drawn = seen(&screens("tenkey"), &shop, 80, 24);
        assert!(drawn.contains(by_hand) && !drawn.contains(by_rule), "{drawn}");
        let line = &mut shop.sale.as_mut().expect("a sale").lines[0];
        line.discount_reason = "near_date";
        let drawn = seen(&screens("tenkey"), &shop, 80, 24);
        assert!(drawn.contains(by_rule), "{drawn}");
    }
}

#[test]
fn each_rate_shows_its_own_tax_beside_goods_without_any() {
    let mut shop = Shop::with_sale("ja");
    let sale = shop.sale.as_mut().expect("a sale");
    let taxed = sale.taxes.clone();
    let group = |class: &str, rate: i64, base: i64, tax: i64| TaxView {
        class: class.into(),
        rate: rate.into(),
        mode: "included",
        base: yen(base),
        tax: yen(tax),
    };
    sale.taxes = [vec![group("exempt", 0, 500, 0)], taxed].concat();
    sale.tenders = vec![TenderView { kind: "credit", amount: yen(32) }];
    let drawn = seen(&screens("tenkey"), &shop, 80, 24);
    for want in ["10%  対象398 税        36", "8%* 対象634 税         46", "残り"] {
        assert!(drawn.contains(want), "{want}\n{drawn}");
    }
    assert!(!drawn.contains("対象500") && !drawn.contains("その他の税"), "{drawn}");
    let taxes = &mut shop.sale.as_mut().expect("a sale").taxes;
    taxes.push(group("old", 5, 1_050, 50));
    let drawn = seen(&screens("tenkey"), &shop, 80, 24);
    assert!(drawn.contains("5%  対象1,050 税       50"), "{drawn}");
    let taxes = &mut shop.sale.as_mut().expect("a sale").taxes;
    taxes.push(group("older", 3, 1_030, 30));
    let drawn = seen(&screens("tenkey"), &shop, 80, 24);
    assert!(drawn.contains("その他の税             80"), "the sum of what has no row\n{drawn}");
}

#[test]
fn goods_that_come_back_without_a_receipt_are_told_until_they_are_paid_out() {
    for (language, mark, welcome) in [
        ("ja", "[レシートなし返品中]", "返品する商品をスキャン"),
        ("en", "[RETURN, NO RECEIPT]", "Scan the goods that come back"),
    ] {
        let mut shop = Shop::new(language);
        shop.open_return = true;
        let drawn = seen(&screens("tenkey"), &shop, 80, 24);
        assert!(drawn.contains(mark) && drawn.contains(welcome), "{drawn}");
        shop.sale = Shop::with_sale(language).sale;
        let mut screens = screens("tenkey");
        for keys in ["", "<enter>"] {
            press(&mut screens, &shop, keys);
            let drawn = seen(&screens, &shop, 80, 24);
            assert!(drawn.contains(mark), "{keys}\n{drawn}");
        }
        shop.open_return = false;
        assert!(!seen(&screens, &shop, 80, 24).contains(mark), "{language}");
    }
}

#[test]
fn the_printed_pane_stands_beside_the_sale_where_there_is_room() {
    let mut shop = Shop::with_sale("ja");
    shop.paper = vec!["領 収 書".into(), "合計 ¥1,032".into()];
    let wide = seen(&screens("tenkey"), &shop, 130, 30);
    assert!(wide.contains("領 収 書"), "{wide}");
    let mut screens = screens("tenkey");
    assert!(!seen(&screens, &shop, 100, 30).contains("領 収 書"));
    let key = KeyEvent::new(KeyCode::Char('p'), KeyModifiers::CONTROL);
    screens.on_key(key, &shop.model());
    assert!(seen(&screens, &shop, 80, 24).contains("領 収 書"), "the key shows it over the rest");
}
