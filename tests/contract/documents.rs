//! Papers: the files a `file:` printer gets, copies, formal receipts, what stands on them.

use crate::paper::{prints, read};
use crate::support::{HANAKO, MEMBERS, Shop};

fn in_japanese(shop: &Shop, script: &str) -> serde_json::Value {
    let played = shop.play_with(&["--lang", "ja"], format!("{script}\n").as_bytes());
    let last = played.last();
    assert_eq!(last["ok"], true, "{last}");
    last.clone()
}

#[test]
fn a_receipt_is_an_invoice_of_the_simple_kind() {
    let shop = Shop::new("")
        .with_items("code,name,price,tax_class\n1,牛乳 1L,248,reduced\n2,電池,550,standard\n")
        .with_members(MEMBERS);
    let sold = in_japanese(
        &shop,
        &format!("member {HANAKO}\nscan 1\nquantity 2\nscan 2\ntender_cash 2000"),
    );
    assert_eq!(sold["printed"][0], "file:receipt-01-000001.bin");
    let paper = shop.paper(&sold["printed"][0]);
    prints(
        &paper,
        &[
            "みどり商店",
            "T7123456789012",
            "01-000001",
            "2026",
            "11",
            "22",
            "10:23",
            "牛乳 1L",
            "電池",
            "※",
            "496",
            "550",
            "1,046",
            "2,000",
            "954",
            "10%",
            "8%",
            "36",
            "50",
            "軽減税率",
        ],
    );
    let read = read(&paper);
    assert!(!read.text().contains("山田"), "no member's name on a paper that may be dropped");
    assert_eq!((read.cuts.len(), read.pulses), (1, 0), "cut once; the drawer has its own job");
    let on_screen = sold["document"].as_str().expect("the paper as text");
    assert!(on_screen.contains("1,046") && !on_screen.contains('※'), "{on_screen}");
}

#[test]
fn a_copy_says_that_it_is_one() {
    let shop = Shop::new("");
    in_japanese(&shop, "department 1 1080\ntender_cash");
    for (copy, name) in [(1, "file:receipt-01-000001-r1.bin"), (2, "file:receipt-01-000001-r2.bin")]
    {
        let again = in_japanese(&shop, if copy == 1 { "reprint" } else { "reprint 01-000001" });
        assert_eq!(again["printed"][0], name);
        let paper = shop.paper(&again["printed"][0]);
        prints(&paper, &["再発行", "01-000001", "1,080"]);
    }
    let first = std::fs::read(shop.dir().join("print/receipt-01-000001.bin")).expect("the first");
    assert!(!read(&first).text().contains("再発行"));
    assert_eq!(shop.refuse("reprint 01-000077"), "receipt");
    shop.verify();
}

#[test]
fn a_formal_receipt_has_its_own_number_and_never_exceeds_the_sale() {
    let shop = Shop::new("");
    in_japanese(&shop, "department 2 3000\ntender_cash");
    let formal = in_japanese(&shop, "formal_receipt \"株式会社 山吹\" 2000");
    assert_eq!(formal["receipt"], "01-F000001");
    let paper = shop.paper(&formal["printed"][0]);
    prints(&paper, &["領収", "株式会社 山吹", "2,000", "01-F000001", "T7123456789012"]);
    assert_eq!(shop.refuse("formal_receipt 山吹 1001"), "over");
    let rest = in_japanese(&shop, "formal_receipt 山吹");
    assert_eq!(rest["receipt"], "01-F000002");
    prints(&shop.paper(&rest["printed"][0]), &["1,000"]);
    assert_eq!(shop.refuse("formal_receipt 山吹"), "over");
    shop.verify();
}

#[test]
fn a_formal_receipt_is_of_the_receipt_it_names_and_is_printed_again_as_a_copy() {
    let shop = Shop::new("");
    shop.sell("department 2 60000\ntender_cash\ndepartment 2 500\ntender_cash");
    let formal = in_japanese(&shop, "formal_receipt 山吹商事 receipt=01-000001 for=\"お弁当 代\"");
    assert_eq!(formal["receipt"], "01-F000001");
    let wanted = ["山吹商事", "60,000", "01-000001", "但し お弁当 代として"];
    prints(&shop.paper(&formal["printed"][0]), &wanted);
    let again = in_japanese(&shop, "reprint 01-F000001");
    assert_eq!(again["printed"][0], "file:formal-01-F000001-r1.bin");
    prints(&shop.paper(&again["printed"][0]), &[&wanted[..], &["再発行", "01-F000001"]].concat());
    assert_eq!(shop.refuse("formal_receipt 山吹商事 receipt=1"), "over");
    // The newest sale that stands, whatever was undone since.
    shop.sell("department 2 700\ntender_cash\nvoid_receipt 3 打ち間違い");
    let newest = in_japanese(&shop, "formal_receipt 上様");
    prints(&shop.paper(&newest["printed"][0]), &["上様", "500", "01-000002", "但し お品代として"]);
    shop.verify();
}

#[test]
fn money_goes_back_only_after_the_formal_receipt_was_asked_for() {
    let shop = Shop::new("");
    shop.sell("department 2 3000\ntender_cash\nformal_receipt 山吹 1000\nformal_receipt 山吹");
    for back in ["void_receipt 1 打ち間違い", "return 1", "exchange 1 1"] {
        let played = shop.play(back);
        let error = &played.last()["error"];
        assert_eq!(error["code"], "confirm", "{back}");
        let said = error["message"].as_str().expect("a sentence");
        assert!(said.contains("01-F000001 01-F000002"), "{said}");
    }
    let voided = shop.sell("department 2 500\ntender_cash\nvoid_receipt 2 打ち間違い");
    assert_eq!(voided["receipt"], "01-000002", "nobody asks where no paper was issued");
    let played = shop.play("void_receipt 1 打ち間違い\nconfirm\nvoid_receipt 1 打ち間違い");
    assert_eq!(played.codes(), ["confirm", "", "receipt"]);
    shop.verify();
}

#[test]
fn rf_02_a_return_slip_names_both_dates_and_the_receipt() {
    let shop = Shop::new("");
    in_japanese(&shop, "department 1 10800\ntender_cash\nz_report");
    let next = ["--lang", "ja", "--at", "2026-11-25T12:00:00+09:00"];
    let played = shop.play_with(&next, b"return 01-000001\ntender_cash\n");
    let back = played.last();
    assert_eq!(back["receipt"], "01-R000001", "{}", played.stdout);
    let paper = shop.paper(&back["printed"][0]);
    prints(
        &paper,
        &["01-R000001", "01-000001", "T7123456789012", "10,800", "8%", "800", "22", "25"],
    );
}

/// `japan.md` 1.9: sold with tax, recorded, confirmed by customs, and only then given back.
#[test]
fn a_tax_free_purchase_goes_from_its_slip_to_its_refund() {
    let shop = Shop::new("").with_items(
        "code,name,price,tax_class,flags\n51,抹茶菓子,3240,reduced,tax_free_ok\n\
         52,腕時計,11000,standard,tax_free_ok\n53,牛乳,248,reduced,\n",
    );
    let made = in_japanese(&shop, "scan 51\nscan 52\nscan 53\ntender_cash\ntax_free 01-000001");
    assert_eq!(
        (&made["receipt"], &made["printed"][0]),
        (&"01-P000001".into(), &"file:tax-free-01-P000001.bin".into(),)
    );
    let slip = shop.paper(&made["printed"][0]);
    prints(
        &slip,
        &[
            "01-P000001",
            "01-000001",
            "抹茶菓子",
            "腕時計",
            "3,240",
            "240",
            "11,000",
            "1,240",
            "13,000",
        ],
    );
    prints(&slip, &["2027", "02", "20"]); // Ninety days behind 2026-11-22.
    assert!(!read(&slip).text().contains("牛乳"), "milk is not marked");
    assert_eq!(shop.refuse("tax_free_refund 01-P000001 cash"), "excluded");
    assert_eq!(shop.refuse("return 01-000001 2"), "excluded");
    let open = shop.told(&["report", "tax_free", "--format", "csv"]);
    assert!(open.contains("01-P000001,01-000001,2026-11-22,2027-02-20,"), "{open}");
    shop.sell("z_report");
    let at = "2026-12-20T11:00:00+09:00";
    shop.sell_at(at, "tax_free_status 01-P000001 sent\ntax_free_status 01-P000001 confirmed");
    let back = shop.sell_at(at, "open_day 20000\ntax_free_refund 01-P000001 cash");
    prints(&shop.paper(&back["printed"][0]), &["01-P000001", "13,000", "1,240"]);
    let x = shop.sell_at(at, "report x");
    let rows = x["report"]["rows"].as_array().unwrap_or_else(|| panic!("{x}"));
    let row = |block: &str, item: &str| {
        let fits = |row: &&serde_json::Value| row["block"] == block && row["item"] == item;
        rows.iter().find(fits).unwrap_or_else(|| panic!("{block} {item}: {x}")).clone()
    };
    assert_eq!(row("tax", "standard 10 included")["tax"], -1000);
    assert_eq!(row("tax", "tax_free  included")["amount"], 13_000);
    assert_eq!(row("tax_refund", "cash")["amount"], 1240);
    let z = shop.sell_at(at, "z_report 18760");
    prints(&shop.paper(&z["printed"][0]), &["18,760", "Tax refunds", "1,240", "13,000"]);
    let none = shop.told(&["report", "tax_free", "--format", "csv"]);
    assert_eq!(none.lines().count(), 1, "nothing waits: {none}");
    let sales = shop.told(&["report", "sales", "--from", "2026-12-01", "--format", "csv"]);
    assert!(sales.contains("tax_refunds") && sales.contains(",1240"), "{sales}");
    shop.verify();
}

#[test]
fn training_is_printed_as_training() {
    let shop = Shop::new("");
    let sold = in_japanese(&shop, "training_on\ndepartment 1 100\ntender_cash");
    let paper = shop.paper(&sold["printed"][0]);
    prints(&paper, &["訓 練", "01-T000001"]);
}

#[test]
fn slips_of_cash_voids_and_closes_are_printed_too() {
    let shop = Shop::new("");
    in_japanese(&shop, "department 2 500\ntender_cash");
    for (command, words) in [
        ("paid_in 1000 両替金", vec!["1,000", "両替金"]),
        ("paid_out 200 切手代", vec!["200", "切手代"]),
        ("x_report", vec!["500"]),
        ("void_receipt 01-000001 打ち間違い", vec!["01-000001", "打ち間違い"]),
        ("z_report 800", vec!["01-Z0001"]),
    ] {
        let answer = in_japanese(&shop, command);
        let paper = shop.paper(&answer["printed"][0]);
        prints(&paper, &words);
    }
}

#[test]
fn what_the_shop_writes_stands_on_every_receipt() {
    let shop = Shop::new("[receipt]\nheader = [\"秋の感謝祭\"]\nfooter = [\"返品は七日以内\"]\n");
    let sold = in_japanese(&shop, "department 1 100\ntender_cash");
    prints(&shop.paper(&sold["printed"][0]), &["秋の感謝祭", "返品は七日以内"]);
}

#[test]
fn papers_follow_the_language_of_the_register() {
    let shop = Shop::new("");
    let english = shop.sell("department 1 1080\ntender_cash");
    let paper = shop.paper(&english["printed"][0]);
    let text = read(&paper).text();
    assert!(!text.contains("合計") && text.contains("1,080"), "{text}");
}

/// The lines of a paper, as the customer reads them.
fn printed(shop: &Shop, answer: &serde_json::Value) -> Vec<String> {
    let text = read(&shop.paper(&answer["printed"][0])).text();
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[track_caller]
fn stand_on(lines: &[String], wanted: &[&str]) {
    for want in wanted {
        assert!(lines.iter().any(|line| line == want), "{want} is not among {lines:#?}");
    }
}

/// Three pieces of 248 yen with 20 off: two of them come back as 496, not as two thirds of 744 − 20.
#[test]
fn goods_that_come_back_stand_at_their_price_with_what_had_come_off() {
    let shop = Shop::new("").with_items("code,name,price,tax_class\n1,牛乳,248,reduced\n");
    shop.sell("quantity 3\nscan 1\nline_discount 20\nsale_discount 100\ntender_cash");
    let back = in_japanese(&shop, "return 01-000001 1:2\ntender_cash");
    stand_on(
        &printed(&shop, &back),
        &["牛乳 ※ 返品 2点 -¥496", "値引 ¥13", "値引按分戻し ¥67", "返金合計 -¥416"],
    );
    let rest = in_japanese(&shop, "return 01-000001\ntender_cash");
    let lines = printed(&shop, &rest);
    stand_on(&lines, &["牛乳 ※ 返品 1点 -¥248", "値引 ¥7", "値引按分戻し ¥33", "返金合計 -¥208"]);
    shop.verify();
}

#[test]
fn the_subtotal_of_an_exchange_is_the_sum_of_what_stands_above_it() {
    let shop = Shop::new("");
    shop.sell("department 2 1000\nsale_discount 100\ntender_cash");
    let closed = in_japanese(&shop, "exchange 01-000001 1\ndepartment 2 1500\ntender_cash");
    let lines = printed(&shop, &closed);
    stand_on(&lines, &["雑貨 返品 1点 -¥1,000", "値引按分戻し ¥100", "小計 1点 ¥600", "合計 ¥600"]);
}

#[test]
fn a_name_that_has_its_form_of_address_gets_no_second_one() {
    for (name, want) in [
        ("株式会社みどり", "株式会社みどり 様"),
        ("上様", "上様"),
        ("みどり商事 経理部御中", "みどり商事 経理部御中"),
    ] {
        let shop = Shop::new("");
        shop.sell("department 2 1000\ntender_cash");
        let formal = in_japanese(&shop, &format!("formal_receipt \"{name}\""));
        stand_on(&printed(&shop, &formal), &[want]);
    }
}

#[test]
fn a_unit_price_on_another_basis_than_the_receipt_says_so() {
    let shop = Shop::new("").with_items(
        "code,name,price,price_mode,tax_class\n1,牛乳,248,included,reduced\n\
         2,電池,220,excluded,standard\n",
    );
    let mixed = in_japanese(&shop, "quantity 2\nscan 1\nquantity 2\nscan 2\ntender_cash");
    stand_on(&printed(&shop, &mixed), &["1 2点 × @248", "電池 ¥484", "2 2点 × @220(税抜)"]);
    let alone = in_japanese(&shop, "quantity 2\nscan 2\ntender_cash");
    stand_on(&printed(&shop, &alone), &["電池 ¥440", "2 2点 × @220"]);
}

#[test]
fn a_void_slip_marks_what_was_taxed_at_the_reduced_rate() {
    let shop = Shop::new("").with_items("code,name,price,tax_class\n1,牛乳,248,reduced\n");
    shop.sell("scan 1\ntender_cash");
    let voided = in_japanese(&shop, "void_receipt 01-000001 打ち間違い");
    let lines = printed(&shop, &voided);
    stand_on(&lines, &["牛乳 ※ 1点 -¥248", "※印は軽減税率(8%)対象商品です。"]);
}

#[test]
fn an_amount_on_an_x_touches_nothing_before_it() {
    let shop = Shop::new("");
    shop.sell("department 2 12345678\ntender_cash\ndepartment 2 9000000\ntender_credit");
    let x = in_japanese(&shop, "x_report");
    stand_on(
        &printed(&shop, &x),
        &["現金 1件 ¥12,345,678", "02 雑貨 2点 ¥21,345,678", "10時台 2客 ¥21,345,678"],
    );
}
