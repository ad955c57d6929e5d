//! Consumption tax on receipts: the cases TX-* and ZR-02 of `japan.md` 9.

use crate::support::{Shop, taxes};

/// A claim about one receipt: settings, what is rung, what must be printed for it.
struct Case {
    id: &'static str,
    settings: &'static str,
    rung: &'static str,
    taxes: &'static [(&'static str, i64, i64)],
    total: i64,
}

const EXCLUDED: &str = "[tax]\nprice_mode = \"excluded\"\n";

#[test]
fn tax_is_rounded_once_per_rate_per_receipt() {
    for Case { id, settings, rung, taxes: want, total } in [
        Case {
            id: "TX-01",
            settings: "",
            rung: "department 1 108\ndepartment 1 216\ndepartment 2 110\ndepartment 2 330",
            taxes: &[("reduced", 324, 24), ("standard", 440, 40)],
            total: 764,
        },
        Case {
            id: "TX-02 and TX-04",
            settings: EXCLUDED,
            rung: "department 1 98\nquantity 3",
            taxes: &[("reduced", 294, 23)],
            total: 317,
        },
        Case {
            id: "TX-04 as three lines",
            settings: EXCLUDED,
            rung: "department 1 98\nvoid_line\ndepartment 1 97\ndepartment 1 98\ndepartment 1 99",
            taxes: &[("reduced", 294, 23)],
            total: 317,
        },
        Case {
            id: "TX-09",
            settings: EXCLUDED,
            rung: "department 1 500\ndepartment 2 300",
            taxes: &[("reduced", 500, 40), ("standard", 300, 30)],
            total: 870,
        },
    ] {
        let shop = Shop::new(settings);
        let answer = shop.sell(&format!("{rung}\ntender_cash"));
        assert_eq!(taxes(&answer), want, "{id}");
        assert_eq!(answer["sale"]["total"], total, "{id}");
        assert_eq!(answer["sale"]["paid"], total, "{id}");
    }
}

#[test]
fn tx_06_and_tx_07_the_rounding_of_the_tax_is_the_shops_choice() {
    for (rounding, of_ten, of_eight) in [("floor", 90, 74), ("half_up", 91, 74), ("ceil", 91, 75)] {
        let shop = Shop::new(&format!("[tax]\nrounding = \"{rounding}\"\n"));
        let answer = shop.sell("department 2 1000\ndepartment 1 1000\ntender_cash");
        assert_eq!(
            taxes(&answer),
            [("reduced", 1000, of_eight), ("standard", 1000, of_ten)],
            "{rounding}"
        );
        assert_eq!(answer["sale"]["total"], 2000, "{rounding}");
    }
}

#[test]
fn tx_11_a_receipt_of_both_price_modes_is_settled_on_one_basis() {
    let shop = Shop::new("").with_items(
        "code,name,price,price_mode,tax_class,flags\n\
         1,たばこ,600,included,standard,fixed_price no_discount no_points\n\
         2,電池,200,excluded,standard,\n\
         3,おにぎり,150,excluded,reduced,\n",
    );
    let answer = shop.sell("scan 1\nscan 2\nscan 3\ntender_cash 1000");
    assert_eq!(taxes(&answer), [("reduced", 162, 12), ("standard", 820, 74)]);
    assert_eq!(answer["sale"]["total"], 982);
    assert_eq!(answer["sale"]["change"], 18);
}

#[test]
fn tx_13_a_full_return_gives_back_exactly_what_was_paid() {
    let shop = Shop::new(EXCLUDED);
    let sold = shop.sell("department 1 98\nquantity 3\ntender_cash");
    assert_eq!(sold["receipt"], "01-000001");
    let back = shop.sell("return 01-000001\ntender_cash");
    assert_eq!(taxes(&back), [("reduced", -294, -23)]);
    assert_eq!(back["sale"]["total"], -317);
    assert_eq!(back["receipt"], "01-R000001");
    shop.verify();
}

#[test]
fn tx_15_a_return_is_taxed_at_the_rate_of_its_sale() {
    let shop = Shop::new(
        "[[tax.class]]\nname = \"reduced\"\nrate = \"8\"\nfrom = \"2019-10-01\"\nmark = \"※\"\n\
         [[tax.class]]\nname = \"reduced\"\nrate = \"0\"\nfrom = \"2027-04-01\"\nmark = \"※\"\n",
    );
    let sold = shop.sell_at("2027-03-31T20:00:00+09:00", "department 1 108\ntender_cash");
    assert_eq!(taxes(&sold), [("reduced", 108, 8)]);
    shop.sell_at("2027-03-31T21:00:00+09:00", "z_report");
    let later = "2027-04-02T10:00:00+09:00";
    let back = shop.sell_at(later, "return 01-000001\ntender_cash");
    assert_eq!(back["sale"]["total"], -108);
    assert_eq!(taxes(&back), [("reduced", -108, -8)]);
    assert_eq!(back["sale"]["taxes"][0]["rate"], "8");
    let new = shop.sell_at(later, "department 1 108\ntender_cash");
    assert_eq!(taxes(&new), [("reduced", 108, 0)]);
    assert_eq!(new["sale"]["taxes"][0]["rate"], "0");
    shop.verify();
}

#[test]
fn tx_17_without_a_number_there_is_no_invoice_wording() {
    let shop = Shop::of(
        "[shop]\nname = \"あおば\"\n[[department]]\nnumber = 2\nname = \"雑貨\"\ntax_class = \"standard\"\n",
    );
    let played = shop.play_with(&["--lang", "ja"], b"department 2 1100\ntender_cash\n");
    let sold = played.last();
    assert_eq!(sold["sale"]["total"], 1100);
    let printed = crate::paper::read(&shop.paper(&sold["printed"][0])).text();
    assert!(printed.contains("あおば"), "{printed}");
    assert!(!printed.contains("適格") && !printed.contains("登録番号"), "{printed}");
    let words = printed.split(|sign: char| !sign.is_ascii_alphanumeric());
    let is_number = |word: &str| word.starts_with('T') && word.len() == 14;
    assert!(!words.into_iter().any(is_number), "{printed}");
}

#[test]
fn eating_in_flips_food_to_the_standard_rate_and_back() {
    let shop = Shop::new("");
    let inside = shop.sell("eat_in\ndepartment 1 1080\nsubtotal");
    assert_eq!(taxes(&inside), [("standard", 1080, 98)]);
    let outside = shop.sell("take_out\nsubtotal");
    assert_eq!(taxes(&outside), [("reduced", 1080, 80)]);
    let one_line = shop.sell("department 1 540\nselect_line 2\neat_in\ntender_cash");
    assert_eq!(taxes(&one_line), [("reduced", 1080, 80), ("standard", 540, 49)]);
}

#[test]
fn zr_02_reported_tax_is_the_sum_of_the_receipts() {
    let shop = Shop::new(EXCLUDED);
    shop.sell("department 1 98\nquantity 3\ntender_cash\ndepartment 1 77\ntender_cash");
    let printed: i64 = shop
        .export("sales")
        .iter()
        .map(|sale| sale["tax_8"].parse::<i64>().expect("a tax column a rate"))
        .sum();
    assert_eq!(printed, 29);
}
