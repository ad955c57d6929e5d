//! Every refusal code of `DESIGN.md` 12 is reached, with one sentence, and nothing changes.

use crate::support::{HANAKO, MEMBERS, Shop};

const SETTINGS: &str = "[limits]\ndiscount = 100\nlevel = 9\n\
[[staff]]\nnumber = 1\nname = \"店長\"\nlevel = 9\npin = \"482913\"\n\
[[staff]]\nnumber = 5\nname = \"副\"\nlevel = 8\npin = \"573024\"\n\
[[staff]]\nnumber = 4\nname = \"新人\"\nlevel = 1\npin = \"795246\"\n";

const GOODS: &str = "\
code,name,price,flags
1,茶,100,
2,酒,1000,age20
3,見本,1,not_for_sale
4,本,700,fixed_price no_discount
4912345678904,緑茶,120,
";

#[test]
fn every_refusal_code_means_what_it_says() {
    let deputy = "sign_in 5 573024\n";
    for (code, script) in [
        ("unknown_command", format!("{deputy}sell")),
        ("bad_argument", format!("{deputy}quantity x")),
        ("unknown_code", format!("{deputy}scan 999")),
        ("check_digit", format!("{deputy}scan 4912345678901")),
        ("expired", format!("{deputy}scan 010491234567890417250101")),
        ("not_for_sale", format!("{deputy}scan 3")),
        ("age_check", format!("{deputy}scan 2\ntender_cash")),
        ("level", "sign_in 4 795246\nz_report".to_owned()),
        ("pin", "sign_in 4 000000".to_owned()),
        ("locked", "scan 1".to_owned()),
        ("short", format!("{deputy}scan 1\ntender_cash 50")),
        ("over", format!("{deputy}scan 1\ntender_credit 101")),
        ("no_sale", format!("{deputy}tender_cash")),
        ("no_member", format!("{deputy}scan 1\nuse_points 1")),
        ("points", format!("{deputy}member {HANAKO}\nscan 2\nuse_points 121")),
        ("excluded", format!("{deputy}scan 4\nline_discount 1")),
        ("fixed_price", format!("{deputy}scan 4\nprice_override 600")),
        ("limit", format!("{deputy}scan 2\nline_discount 101")),
        ("receipt", format!("{deputy}reprint 01-000042")),
        ("returned", format!("{deputy}scan 1\ntender_cash\nreturn 01-000001 1:2")),
        ("closed_day", format!("{deputy}z_report")),
        ("training", format!("{deputy}training_on\nz_report")),
    ] {
        let shop = Shop::new(SETTINGS).with_items(GOODS).with_members(MEMBERS);
        assert_eq!(shop.refuse(&script), code, "{script}");
        shop.verify();
    }
}

#[test]
fn an_age_is_checked_for_goods_that_are_there() {
    let shop = Shop::new("").with_items(GOODS);
    let before = "scan 1\nage_checked";
    assert_eq!(shop.refuse(before), "excluded", "tea needs no check");
    assert_eq!(shop.refuse("scan 2\ntender_cash"), "age_check", "no check was given before");
    let sold = shop.sell("age_checked\nscan 2\ntender_cash");
    assert_eq!(sold["sale"]["total"], 2100, "more of the same age needs no second one");
    assert_eq!(shop.refuse("scan 2\nage_checked\nage_checked"), "excluded", "checked already");
    // The checked goods are taken off again: the next customer is another.
    assert_eq!(shop.refuse("void_line\nscan 2\ntender_cash"), "age_check");
}

/// `japan.md` 1.7: books, magazines and tobacco are sold at their price, whatever is taken off the rest.
#[test]
fn nothing_comes_off_a_fixed_price() {
    let goods =
        "code,name,price,tax_class,flags\n1,本,700,standard,fixed_price\n2,茶,300,standard,\n";
    let coupon = "[[coupon]]\ncode = \"C1\"\nname = \"C1\"\namount = 100\n";
    for (off, left) in [
        ("sale_discount 100", 900),
        ("sale_discount 50%", 850),
        ("sale_discount 500", 700),
        ("coupon C1", 900),
        (&format!("member {HANAKO}\nuse_points 100"), 900),
    ] {
        let shop = Shop::new(coupon).with_items(goods).with_members(MEMBERS);
        let rung = shop.sell(&format!("scan 1\nscan 2\n{off}"));
        assert_eq!(rung["sale"]["total"], left, "{off}");
        let sold = shop.sell("tender_cash");
        let receipt = sold["receipt"].as_str().expect("a number");
        let back = shop.sell(&format!("return {receipt} 1"));
        assert_eq!(back["sale"]["total"], -700, "the book comes back for its price: {off}");
        shop.sell("void_sale");
        let points = format!("member {HANAKO}\nscan 1\n{}", off.rsplit('\n').next().unwrap());
        assert!(["excluded", "points", "coupon"].contains(&shop.refuse(&points).as_str()), "{off}");
    }
    let shop = Shop::new("").with_items(goods);
    assert_eq!(shop.refuse("scan 1\nline_discount 10"), "fixed_price");
    // Somebody above the limits may allow it for one line, as a changed price.
    let played = Shop::demo().play(
        "sign_in 1 111111\nedit_item 1 name=本 price=700 department=2 flags=fixed_price\n\
         scan 1\nline_discount 10%\napprove 4 444444\napprove 2 222222\nline_discount 10%",
    );
    assert_eq!(played.codes()[3..], ["fixed_price", "level", "", ""], "{}", played.stdout);
    assert_eq!(played.last()["sale"]["total"], 630);
}

#[test]
fn a_fixed_price_is_changed_by_nobody_alone() {
    let goods = "code,name,price,tax_class,flags\n1,たばこ,600,standard,fixed_price\n";
    let shop = Shop::new("").with_items(goods);
    assert_eq!(shop.refuse("scan 1\nprice_override 500"), "fixed_price", "a shop without staff");
    let shop = Shop::new(SETTINGS).with_items(goods);
    let played = shop.play("sign_in 5 573024\nscan 1\nprice_override 500\napprove 5 573024");
    assert_eq!(played.codes()[2], "fixed_price", "{}", played.stdout);
    assert_ne!(played.codes()[3], "", "nobody approves themselves: {}", played.stdout);
    let played = Shop::demo().play(
        "sign_in 1 111111\nscan 49002485\nprice_override 500\napprove 4 444444\n\
         approve 2 222222\nprice_override 500",
    );
    assert_eq!(played.codes()[2..], ["fixed_price", "level", "", ""], "{}", played.stdout);
}

#[test]
fn a_refusal_names_what_it_can_and_leaves_no_gap() {
    let goods = "code,name,price,tax_class\n1,金,99999999,standard\n";
    let shop = Shop::new("").with_items(goods);
    let played =
        shop.play_with(&["--lang", "en"], "scan 1\nscan 1\nnote \"open\nreport daily".as_bytes());
    let said = |at: usize| played.answers[at]["error"]["message"].as_str().unwrap_or("").to_owned();
    assert_eq!(played.codes(), ["", "over", "bad_argument", "bad_argument"]);
    assert!(!said(1).contains('{'), "{}", said(1));
    assert!(said(2).contains("quotation mark"), "{}", said(2));
    assert!(said(3).contains("sales"), "the reports there are: {}", said(3));
}

#[test]
fn a_refused_line_leaves_the_sale_as_it_was() {
    let shop = Shop::new(SETTINGS).with_items(GOODS).with_members(MEMBERS);
    let script = format!("sign_in 5 573024\nmember {HANAKO}\nscan 1\nquantity 2\nline_discount 10");
    let before = shop.sell(&format!("{script}\nsubtotal"))["sale"].clone();
    for line in [
        "scan 999",
        "scan 4912345678901",
        "scan 3",
        "line_discount 101",
        "tender_credit 191",
        "tender_cash 50",
        "use_points 121",
        "quantity 0",
        "void_line 9",
        "resume 01-S0042",
        "return 01-000042",
        "coupon NONE",
        "department 8 100",
        "formal_receipt x",
        "z_report",
        "new_member name=x birthday=1990-02-30",
    ] {
        let played = shop.play(&format!("sign_in 5 573024\n{line}\nsubtotal"));
        assert_eq!(played.answers[1]["ok"], false, "{line}");
        assert_eq!(played.last()["sale"], before, "{line}");
    }
}

#[test]
fn refusals_are_worded_in_both_languages() {
    let shop = Shop::new("").with_items(GOODS);
    let script =
        b"scan 999\nscan 4912345678901\ntender_cash\nreprint 01-000042\nsell\nquantity x\n";
    let english = shop.play_with(&["--lang", "en"], script);
    let japanese = shop.play_with(&["--lang", "ja"], script);
    for (en, ja) in english.answers.iter().zip(&japanese.answers) {
        let (en, ja) =
            (en["error"]["message"].as_str().unwrap(), ja["error"]["message"].as_str().unwrap());
        assert!(en.is_ascii(), "{en}");
        assert!(ja.chars().any(|sign| ('ぁ'..='龯').contains(&sign)), "{ja}");
        for said in [en, ja] {
            assert!(!said.contains('{') && !said.contains('}'), "an argument is left out: {said}");
        }
    }
}
