//! Goods near the date on their label: `[[near_date]]` of the settings file, from the scan to the
//! return (`japan.md` 3.7).

use crate::paper::prints;
use crate::support::{Shop, lines};

const RULES: &str = "
[[near_date]]
days = 2
percent = 10
[[near_date]]
days = 0
percent = \"50\"
[[near_date]]
days = 1
percent = 30
";

const GOODS: &str = "\
code,name,price,tax_class,flags
4901234567894,牛乳 1L,248,reduced,
4912345678904,たばこ,600,standard,fixed_price
";

const MILK: &str = "0104901234567894";

fn shop(rules: &str) -> Shop {
    Shop::new(rules).with_items(GOODS)
}

#[test]
fn a_label_near_its_date_is_sold_for_less() {
    let shop = shop(RULES);
    for (scan, discount) in [
        (format!("{MILK}17261122"), 124),
        (format!("{MILK}17261123"), 75),
        (format!("{MILK}17261124"), 25),
        (format!("{MILK}17261125"), 0),
        (format!("{MILK}17261123\u{1d}10LOT"), 75),
        (format!("]d2{MILK}17261123"), 75),
        (format!("({}){}(17)261123", &MILK[..2], &MILK[2..]), 75),
        ("https://id.gs1.org/01/04901234567894?17=261123".to_owned(), 75),
        (format!("{MILK}15261123"), 75),
        ("4901234567894".to_owned(), 0),
        ("010491234567890417261122".to_owned(), 0), // A price fixed by law.
    ] {
        let answer = shop.sell(&format!("scan {scan}"));
        assert_eq!(lines(&answer, "discount"), [discount], "{scan}");
        let reason = &answer["sale"]["lines"][0]["discount_reason"];
        assert_eq!(*reason == "near_date", discount > 0, "{scan}");
        assert_eq!(reason.is_null(), discount == 0, "{scan}");
        shop.sell("void_sale");
    }
    assert_eq!(shop.refuse(&format!("scan {MILK}17261121")), "expired");
    assert_eq!(shop.refuse(&format!("scan {MILK}17261121\n")), "expired");
}

#[test]
fn without_rules_nothing_changes() {
    let shop = shop("");
    let answer = shop.sell(&format!("scan {MILK}17261122"));
    assert_eq!(lines(&answer, "discount"), [0]);
    assert!(answer["sale"]["lines"][0]["discount_reason"].is_null());
}

#[test]
fn paper_journal_and_day_say_why() {
    let shop = shop(RULES);
    for (language, discount, back) in
        [("ja", "期限間近 30%引", "-¥75"), ("en", "Near its date 30% off", "-¥75")]
    {
        let in_language = |script: &str| {
            let played = shop.play_with(&["--lang", language], script.as_bytes());
            assert!(played.codes().iter().all(|code| code.is_empty()), "{}", played.stdout);
            played.last().clone()
        };
        let sold = in_language(&format!("scan {MILK}17261123\ntender_cash 1000"));
        assert_eq!(sold["sale"]["total"], 173);
        let number = sold["receipt"].as_str().expect("a receipt").to_owned();
        prints(&shop.paper(&sold["printed"][0]), &[discount, back]);
        let returned = in_language(&format!("return {number}\ntender_cash"));
        assert_eq!(returned["sale"]["total"], -173);
        prints(&shop.paper(&returned["printed"][0]), &[discount]);
    }
    let journal = shop.export("journal");
    let sale = journal.iter().find(|row| row["kind"] == "sale_closed").expect("a sale");
    assert!(sale["detail"].contains("NearDate"), "{sale:?}");
    assert_eq!(shop.export("lines")[0]["discount"], "75");
    shop.verify();
    shop.told(&["rebuild"]);
    shop.verify();
}

/// Who may give no discount sells near-date goods all the same; a discount by hand takes its place.
#[test]
fn the_rule_needs_no_level_and_a_hand_does() {
    let staff = "[[staff]]\nnumber = 1\nname = \"x\"\nlevel = 1\npin = \"482913\"\n\
                 [[staff]]\nnumber = 3\nname = \"y\"\nlevel = 3\npin = \"684135\"\n";
    let shop = shop(&format!("{RULES}{staff}"));
    let scan = format!("scan {MILK}17261122");
    let by_one = shop.play(&format!("sign_in 1 482913\n{scan}\nline_discount 10"));
    assert_eq!(by_one.codes(), ["", "", "level"]);
    assert_eq!(lines(&by_one.answers[1], "discount"), [124]);
    let by_three = shop.sell("sign_in 3 684135\nline_discount 10");
    assert_eq!(lines(&by_three, "discount"), [10]);
    assert!(by_three["sale"]["lines"][0]["discount_reason"].is_null());
}

/// Three at once, or one after the other with the rules changed in between: the same money, the same
/// tax.
#[test]
fn a_return_in_parts_is_the_return_at_once() {
    let sell = format!(
        "scan {MILK}17261123\nquantity 3\nscan {MILK}17261122\ndepartment 2 333\nsale_discount 50\ntender_cash"
    );
    let back = |shop: &Shop, scripts: &[&str]| {
        let (mut total, mut tax) = (0, 0);
        for script in scripts {
            let answer = shop.sell(&format!("return 01-000001{script}\ntender_cash"));
            total += answer["sale"]["total"].as_i64().unwrap();
            let taxes = answer["sale"]["taxes"].as_array().unwrap();
            tax += taxes.iter().map(|group| group["tax"].as_i64().unwrap()).sum::<i64>();
            shop.imported("shop", b"near_date = []\n");
        }
        shop.verify();
        (total, tax)
    };
    let whole = shop(RULES);
    let sold = whole.sell(&sell)["sale"]["total"].as_i64().unwrap();
    assert_eq!(sold, 744 - 224 + 248 - 124 + 333 - 50);
    let at_once = back(&whole, &[""]);
    assert_eq!(at_once.0, -sold);
    let parts = shop(RULES);
    parts.sell(&sell);
    assert_eq!(back(&parts, &[" 1:1", " 2", " 1:1", " 3", " 1:1"]), at_once);
}

#[test]
fn what_was_rung_keeps_its_discount_over_a_restart_and_in_a_parked_sale() {
    let shop = shop(RULES);
    shop.sell(&format!("scan {MILK}17261123"));
    let open = shop.sell("subtotal");
    assert_eq!(lines(&open, "discount"), [75]);
    shop.sell("suspend 財布");
    shop.imported("shop", b"near_date = []\n");
    shop.told(&["rebuild"]);
    let resumed = shop.sell("resume\nscan 4901234567894");
    assert_eq!(lines(&resumed, "discount"), [75, 0]);
    assert_eq!(shop.sell("tender_cash")["sale"]["total"], 173 + 248);
    assert_eq!(lines(&shop.sell(&format!("scan {MILK}17261123")), "discount"), [0]);
}
