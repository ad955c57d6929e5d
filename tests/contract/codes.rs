//! What a scan says: the cases CD-*, NP-*, BK-*, BL-* and AI-* of `japan.md` 9.

use crate::support::{SHOP, Shop, checked, lines, taxes};

const GOODS: &str = "\
code,name,price,price_mode,tax_class,unit,case_of,case_code
4912345678904,緑茶,120,included,reduced,each,12,14912345678901
4901234567894,牛乳 1L,248,included,reduced,each,,
012345000065,Crackers,300,included,reduced,each,,
49123456,ガム,50,included,reduced,each,,
9784167105716,文庫,726,included,standard,each,,
15,鮮魚,500,included,reduced,each,,
";

fn shop() -> Shop {
    // 4912345 + its own check digit makes the JAN-8 of the chewing gum.
    Shop::new("").with_items(&GOODS.replace("49123456", &checked("4912345")))
}

#[test]
fn a_code_finds_its_item_in_every_form_it_is_read_in() {
    let shop = shop();
    let gum = checked("4912345");
    for (scan, name, quantity) in [
        ("4912345678904", "緑茶", "1"),
        ("4901234567894", "牛乳 1L", "1"),
        ("14912345678901", "緑茶", "12"),
        ("04912345678904", "緑茶", "1"),
        ("012345000065", "Crackers", "1"),
        ("0012345000065", "Crackers", "1"),
        ("01234565", "Crackers", "1"),
        (gum.as_str(), "ガム", "1"),
        ("4167105713", "文庫", "1"),
        ("9784167105716", "文庫", "1"),
        ("15", "鮮魚", "1"),
        ("４９０１２３４５６７８９４", "牛乳 1L", "1"),
        ("]E04901234567894", "牛乳 1L", "1"),
    ] {
        let answer = shop.sell(&format!("scan {scan}"));
        assert_eq!(lines(&answer, "name"), [name], "{scan}");
        assert_eq!(lines(&answer, "quantity"), [quantity], "{scan}");
        let asked = shop.sell(&format!("void_sale\ninquire {scan}"));
        assert_eq!(asked["item"]["name"], name, "inquire {scan}");
        assert!(asked["sale"].is_null(), "an inquiry sells nothing");
    }
}

#[test]
fn a_code_misread_by_one_digit_is_refused_and_the_right_digit_named() {
    let shop = shop();
    for (scan, expected) in [
        ("4912345678901", "4"),
        ("4901234567890", "4"),
        ("012345000064", "5"),
        ("14912345678902", "1"),
        ("9784167105715", "6"),
    ] {
        let played = shop.play(&format!("scan {scan}"));
        assert_eq!(played.codes(), ["check_digit"], "{scan}");
        let message = played.last()["error"]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
        assert!(played.last()["sale"].is_null(), "{scan}");
    }
    assert_eq!(shop.refuse("scan 4987654321000"), "check_digit");
    assert_eq!(shop.refuse(&format!("scan {}", checked("498765432109"))), "unknown_code");
    assert_eq!(shop.refuse("scan 999"), "unknown_code");
}

#[test]
fn cd_14_to_17_a_number_of_the_wrong_shape_is_refused_a_wrong_check_digit_is_not() {
    for (number, exit) in [
        ("T7123456789012", 0),
        ("T2120901007402", 0),
        ("T1123456789012", 0), // A warning: the digit is not promised for sole traders.
        ("T123", 1),
        ("7123456789012", 1),
    ] {
        let nowhere = Shop::nowhere();
        let settings = SHOP.replace("T7123456789012", number);
        let file = nowhere.file("settings.toml", settings.as_bytes());
        let made = nowhere.regi(&["init", "--settings", file.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&made.stderr);
        assert_eq!(made.status.code(), Some(exit), "{number}: {said}");
        let warned = number == "T1123456789012";
        assert_eq!(said.contains("T7123456789012)") && said.contains(number), warned, "{said}");
    }
    let shop = Shop::new("");
    let file = shop.file("number.toml", b"[shop]\nregistration_number = \"T1123456789012\"\n");
    let brought = shop.regi(&["import", "shop", file.to_str().unwrap(), "--apply"]);
    let said = String::from_utf8_lossy(&brought.stderr);
    assert_eq!(brought.status.code(), Some(0), "{said}");
    assert!(said.contains("T7123456789012"), "a later change is warned of, too: {said}");
}

const LABELS: &str = "\
code,name,price,price_mode,tax_class,unit
0237009,さしみ,108,included,reduced,each
0212345,ステーキ,2980,included,reduced,each
2900001,鶏もも,198,excluded,reduced,100g
";

#[test]
fn np_01_to_07_a_label_carries_its_price() {
    for (layout, scan, name, price) in [
        ("A", "0237009401082", "さしみ", 108),
        ("A", "0237009202160", "さしみ", 216),
        ("A", "0212345928752", "ステーキ", 2875),
        ("C", "0212345039809", "ステーキ", 3980),
    ] {
        let rule = format!(
            "[[in_store]]\nprefix = \"02\"\nlayout = \"{layout}\"\nprice_mode = \"included\"\n"
        );
        let shop = Shop::new(&rule).with_items(LABELS);
        let sold = shop.sell(&format!("scan {scan}\ntender_cash"));
        assert_eq!(lines(&sold, "name"), [name], "{scan}");
        assert_eq!(lines(&sold, "unit_price"), [price], "{scan}");
        assert_eq!(sold["sale"]["total"], price, "{scan}");
    }
}

#[test]
fn np_04_a_price_misread_is_refused_though_the_code_holds() {
    let shop = Shop::new("[[in_store]]\nprefix = \"02\"\nlayout = \"A\"\n").with_items(LABELS);
    assert_eq!(shop.refuse("scan 0237009501089"), "check_digit");
}

#[test]
fn np_09_a_label_of_weight_is_priced_from_the_item() {
    let shop = Shop::new("[[in_store]]\nprefix = \"29\"\nlayout = \"E\"\n").with_items(LABELS);
    let open = shop.sell("scan 2900001012508");
    assert_eq!(lines(&open, "quantity"), ["12.5"]);
    assert_eq!(lines(&open, "unit_price"), [198]);
    assert_eq!(lines(&open, "amount"), [2475]);
    assert_eq!(taxes(&open), [("reduced", 2475, 198)]);
}

#[test]
fn bk_01_two_rows_of_a_book_are_one_sale_of_it() {
    for rows in ["scan 9784344405042\nscan 1920193005714", "scan 1920193005714\nscan 9784344405042"]
    {
        let shop = Shop::new("");
        let sold = shop.sell(&format!("{rows}\ntender_cash"));
        assert_eq!(lines(&sold, "code"), ["9784344405042"], "{rows}");
        assert_eq!(lines(&sold, "unit_price"), [571], "{rows}");
        assert_eq!(taxes(&sold), [("standard", 571, 57)], "{rows}");
        assert_eq!(sold["sale"]["total"], 628, "{rows}");
    }
}

/// The ISBN keyed from the cover, its bar code being torn: it pairs like the upper row it stands for.
#[test]
fn an_old_isbn_keyed_by_hand_pairs_with_the_price_below() {
    let shop = Shop::new("");
    let sold = shop.sell("scan 4167105713\nscan 1920193005714\ntender_cash");
    assert_eq!(lines(&sold, "code"), ["9784167105716"]);
    assert_eq!(lines(&sold, "unit_price"), [571]);
}

#[test]
fn bk_04_and_bk_05_a_second_row_alone_sells_nothing() {
    let shop = Shop::new("");
    let waiting = shop.play("scan 1920193005714");
    assert_eq!(lines(waiting.last(), "code").len(), 0, "{}", waiting.stdout);
    // The price 00000 is not in the code: it must be keyed.
    let unpriced = shop.play("scan 9784344405042\nscan 1923055000001");
    assert_eq!(lines(unpriced.last(), "code").len(), 0, "{}", unpriced.stdout);
    let asks = unpriced.last()["error"]["code"] == "price_needed"
        || unpriced.last()["needs"].as_array().is_some_and(|needs| needs.contains(&"price".into()));
    assert!(asks, "{}", unpriced.stdout);
}

/// A magazine without its add-on, a label without its price, a book of 100,000 yen or more, an item
/// of nought yen on file: none of them is free, and none changes the line above it.
#[test]
fn a_code_without_a_price_is_rung_at_the_price_keyed_next() {
    let label = checked("023700900000");
    for (scans, code, total) in [
        ("scan 4910099710741", "4910099710741", 1100),
        (&format!("scan {label}"), "0237009", 1080),
        ("scan 9784344405042\nscan 1923055000001", "9784344405042", 1100),
        ("scan 77", "77", 1000),
    ] {
        let rules = "[[in_store]]\nprefix = \"02\"\nlayout = \"A\"\nprice_mode = \"excluded\"\n";
        let shop = Shop::new(rules).with_items(
            "code,name,price,tax_class\n0237009,鮮魚,100,reduced\n77,かご盛り,0,standard\n\
             1,牛乳,248,reduced\n",
        );
        let asked = shop.sell(scans);
        assert_eq!(asked["needs"], serde_json::json!(["price"]), "{scans}");
        let sold = shop.sell(&format!("{scans}\nprice_override 1000\ntender_cash"));
        assert_eq!(lines(&sold, "code"), [code], "{scans}");
        assert_eq!(sold["sale"]["total"], total, "in the mode its code has: {scans}");
        let three = shop.sell(&format!("scan 1\n{scans}\nquantity 3\nprice_override 1000"));
        assert_eq!(lines(&three, "quantity"), ["1", "3"], "{scans}");
        assert_eq!(lines(&three, "unit_price"), [248, 1000], "{scans}");
        shop.sell("void_sale");
        // Whatever does not answer gives the goods up, and says so.
        for other in ["scan 1", "void_line", "line_discount 10", "repeat", "department 2 300"] {
            let script = format!("scan 1\n{scans}\n{other}\nprice_override 200");
            let played = shop.play(&format!("{script}\nvoid_sale"));
            let [.., dropped, after, _] = played.answers.as_slice() else { panic!("{script}") };
            assert_eq!(dropped["needs"], serde_json::json!(["price_dropped"]), "{script}");
            assert_eq!(lines(dropped, "code")[0], "1");
            assert_eq!(lines(dropped, "discount")[0], 0, "{script}");
            assert!(lines(after, "code").iter().all(|rung| *rung != code), "{script}");
        }
    }
}

#[test]
fn a_cashier_may_key_the_price_that_is_asked_and_no_other() {
    let shop = Shop::demo();
    let magazine = checked("491023456076"); // On no file.
    let script =
        format!("sign_in 4 444444\nscan {magazine}\nprice_override 500\nprice_override 400");
    assert_eq!(shop.play(&script).codes(), ["", "", "", "level"]);
}

#[test]
fn what_a_gs1_label_says_is_sold_refused_or_said_and_never_dropped() {
    let shop = shop();
    let milk = "(01)04901234567894";
    for (label, quantity, needs) in [
        (format!("{milk}(30)6"), "6", ""),
        (format!("{milk}(37)12(10)LOT"), "12", ""),
        ("(01)14912345678901(30)2".to_owned(), "24", ""),
        (format!("{milk}(15)261121"), "1", "best_before"),
        (format!("{milk}(15)261122"), "1", ""),
        (format!("{milk}(240)A1(422)392"), "1", ""),
    ] {
        let rung = shop.sell(&format!("scan {label}"));
        assert_eq!(lines(&rung, "quantity"), [quantity], "{label}");
        assert_eq!(rung["needs"][0].as_str().unwrap_or_default(), needs, "{label}");
        shop.sell("void_sale");
    }
    assert_eq!(shop.refuse(&format!("scan {milk}(3103)001250")), "bad_argument", "not one piece");
    let priced = shop.sell(&format!("scan {milk}(3103)001250(3920)398"));
    assert_eq!(lines(&priced, "amount"), [398]);
    let told = shop.sell(&format!("inquire {milk}(240)A1(422)392"));
    assert_eq!(told["explained"]["element"], "(240) A1 (422) 392");
}

#[test]
fn bk_07_a_magazine_is_priced_by_its_add_on() {
    for scan in ["491009971074100952", "4910099710741 00952"] {
        let shop = Shop::new("");
        let sold = shop.sell(&format!("scan {scan}\ntender_cash"));
        assert_eq!(lines(&sold, "unit_price"), [952], "{scan}");
        assert_eq!(taxes(&sold), [("standard", 952, 95)], "{scan}");
        assert_eq!(sold["sale"]["total"], 1047, "{scan}");
    }
}

#[test]
fn bl_01_and_bl_02_a_public_bill_is_recognised_and_not_taken() {
    let shop = Shop::new("");
    for bill in [
        "91912345123456789012345678900026123100123458",
        "91912345123456789012345678900026123110543215",
    ] {
        let played = shop.play(&format!("scan {bill}"));
        assert_eq!(played.codes(), ["bill"], "{bill}");
        assert!(played.last()["sale"].is_null(), "{bill}");
    }
    let asked = shop.play("inquire 91912345123456789012345678900026123110543215");
    assert!(asked.stdout.contains("54321"), "{}", asked.stdout);
}

#[test]
fn ai_01_and_ai_03_goods_past_their_date_are_stopped() {
    let shop = shop();
    let case = "01149123456789011726123110ABC";
    let month_end = "]C10104912345678904\u{1d}17261200";
    for (at, scan, want) in [
        ("2026-12-31T10:00:00+09:00", case, "12"),
        ("2026-12-31T10:00:00+09:00", "010491234567890417261200", "1"),
        ("2026-12-31T10:00:00+09:00", month_end, "1"),
        ("2026-12-31T10:00:00+09:00", "https://id.gs1.org/01/04912345678904?17=261231", "1"),
    ] {
        let answer = shop.sell_at(at, &format!("scan {scan}"));
        assert_eq!(lines(&answer, "name"), ["緑茶"], "{scan}");
        assert_eq!(lines(&answer, "quantity"), [want], "{scan}");
        shop.sell_at(at, "void_sale");
        let next_day = "2027-01-01T10:00:00+09:00";
        assert_eq!(shop.refuse_at(next_day, &format!("scan {scan}")), "expired", "{scan}");
    }
}

#[test]
fn a_second_scan_of_the_same_code_raises_the_line() {
    let shop = shop();
    let answer = shop.sell("scan 4901234567894\nscan 4901234567894\nscan 15\nscan 4901234567894");
    assert_eq!(lines(&answer, "quantity"), ["2", "1", "1"]);
    assert_eq!(lines(&answer, "line"), [1, 2, 3]);
    assert_eq!(answer["sale"]["total"], 248 * 3 + 500);
    let voided = shop.sell("void_line 2");
    assert_eq!(lines(&voided, "line"), [1, 2], "lines are always 1…n");
}

#[test]
fn goods_of_an_unusable_kind_are_refused() {
    let shop = Shop::new("")
        .with_items("code,name,price,flags\n1,酒,1000,age20\n2,見本,100,not_for_sale\n");
    assert_eq!(shop.refuse("scan 2"), "not_for_sale");
    assert_eq!(shop.refuse("scan 1\ntender_cash"), "age_check");
    let sold = shop.sell("age_checked\ntender_cash");
    assert_eq!(sold["sale"]["total"], 1000);
}

/// `reliability.md` 8.28: a label for one yen is sold only by who may decide about prices.
#[test]
fn a_label_far_from_the_items_price_needs_the_manager() {
    const LABELS: &str = r#"
[[in_store]]
prefix = "02"
layout = "A"
[[staff]]
number = 1
name = "店長"
level = 7
pin = "482913"
[[staff]]
number = 4
name = "新人"
level = 1
pin = "795246"
"#;
    let items = "code,name,price\n0237009,刺身,598\n0237099,鮮魚,0\n";
    let shop = Shop::new(LABELS).with_items(items);
    let (one_yen, usual) = ("scan 0237009500013", "scan 0237009400603");
    assert_eq!(shop.refuse(&format!("sign_in 4 795246\n{usual}\n{one_yen}")), "limit");
    let sold = shop.sell(&format!("sign_in 4 795246\napprove 1 482913\n{one_yen}\nsubtotal"));
    assert_eq!(lines(&sold, "amount"), [60, 1], "an approval lifts it once");
    assert_eq!(shop.refuse(&format!("sign_in 4 795246\n{one_yen}")), "limit");
    assert_eq!(shop.refuse("sign_in 4 795246\nscan 0237099500016"), "limit", "no price on file");
    shop.sell("sign_in 4 795246\nscan 0237099900106\nvoid_sale");

    let asked = format!("sign_in 1 482913\n{one_yen}");
    assert_eq!(shop.refuse(&asked), "confirm", "a manager is asked, too");
    let played = shop.play(&format!("{asked}\nconfirm\ntender_cash"));
    assert_eq!(played.codes(), ["", "confirm", "", ""]);
    assert_eq!(played.last()["sale"]["total"], 1);
    let played = shop.play(&format!("{asked}\nquantity 2\nvoid_sale"));
    assert_eq!(played.codes(), ["", "confirm", "", ""], "a quantity is no answer, and no weight");
    let rows = shop.export("journal");
    let refused = rows.iter().filter(|row| row["kind"].contains("efused"));
    assert_eq!(refused.count(), 3, "the price refusals are in the journal: {rows:?}");
    shop.verify();
}

#[test]
fn a_departments_bounds_hold_its_keyed_prices_and_its_labels() {
    const BOUNDS: &str = r#"
[[department]]
number = 7
name = "鮮魚"
lowest = 100
highest = 5000
[[in_store]]
prefix = "02"
layout = "A"
"#;
    let shop = Shop::new(BOUNDS).with_items("code,name,price,department\n0237009,刺身,598,7\n");
    assert_eq!(shop.refuse("scan 0237009400603"), "confirm", "60 yen");
    for (line, code) in [
        ("department 7 99", "confirm"),
        ("department 7 100", ""),
        ("department 7 5000", ""),
        ("department 7 5001", "confirm"),
        ("department 1 99999", ""),
    ] {
        assert_eq!(shop.play(line).codes(), [code], "{line}");
    }
    let played = shop.play("void_sale\ndepartment 7 50000\nconfirm");
    assert_eq!(played.last()["sale"]["total"], 50_000);
    let written = shop.told(&["export", "shop"]);
    assert!(written.contains("lowest = 100") && written.contains("highest = 5000"), "{written}");
    let bad = shop.import("shop", b"[[department]]\nnumber = 7\nlowest = 6000\n", &["--apply"]);
    assert_eq!(bad.status.code(), Some(1));
}

/// `japan.md` 3.2 D: the prefix and six digits of the item are eight, and no JAN-8.
#[test]
fn an_item_of_layout_d_is_on_file_under_its_eight_digits() {
    let shop = Shop::new("[[in_store]]\nprefix = \"23\"\nlayout = \"D\"\n")
        .with_items("code,name,price\n23123456,惣菜,500\n");
    let label = checked("231234560398");
    let sold = shop.sell(&format!("scan {label}\nscan 23123456\nset_price 23123456 600"));
    assert_eq!(lines(&sold, "amount"), [398, 500]);
    assert_eq!(shop.refuse("scan 23123457"), "unknown_code");
    assert_eq!(shop.export("items")[0]["code"], "23123456");
}

/// `japan.md` 3.3: the code's price wins, and the difference is told.
#[test]
fn a_book_whose_printed_price_is_not_the_one_on_file_says_so() {
    let book = |price: &str| {
        let csv = format!("code,name,price,price_mode\n9784344405042,文庫,{price}\n");
        Shop::new("").with_items(&csv)
    };
    for rows in ["scan 9784344405042\nscan 1920193005714", "scan 1920193005714\nscan 9784344405042"]
    {
        for (on_file, needs) in [
            ("600,included", serde_json::json!(["book_price"])),
            ("600,excluded", serde_json::json!(["book_price"])),
            ("628,included", serde_json::Value::Null),
            ("571,excluded", serde_json::Value::Null),
        ] {
            let rung = book(on_file).sell(rows);
            assert_eq!(lines(&rung, "unit_price"), [571], "{rows} {on_file}");
            assert_eq!(rung["needs"], needs, "{rows} {on_file}");
        }
    }
}
