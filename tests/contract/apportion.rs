//! One discount over several rates: the cases AP-* of `japan.md` 9.

use crate::support::{MEMBERS, Shop, lines, taxes};

#[test]
fn a_discount_is_shared_over_the_rates_by_their_prices() {
    for (id, rung, want, total) in [
        (
            "AP-01",
            "department 1 5400\ndepartment 2 3300\nsale_discount 1000",
            vec![("reduced", 4779, 354), ("standard", 2921, 265)],
            7700,
        ),
        (
            "AP-04",
            "department 1 1080\ndepartment 2 550\ndepartment 3 500\nsale_discount 100",
            vec![("exempt", 477, 0), ("reduced", 1029, 76), ("standard", 524, 47)],
            2030,
        ),
        (
            "AP-07",
            "department 1 300\ndepartment 2 1700\nsale_discount 2000",
            vec![("reduced", 0, 0), ("standard", 0, 0)],
            0,
        ),
        (
            "AP-07, capped",
            "department 1 300\ndepartment 2 1700\nsale_discount 2500",
            vec![("reduced", 0, 0), ("standard", 0, 0)],
            0,
        ),
        (
            "AP-09",
            "department 1 333\ndepartment 2 333\ndepartment 3 334\nsale_discount 1",
            vec![("exempt", 333, 0), ("reduced", 333, 24), ("standard", 333, 30)],
            999,
        ),
    ] {
        let shop = Shop::new("");
        let open = shop.sell(&format!("{rung}\nsubtotal"));
        assert_eq!(taxes(&open), want, "{id}");
        assert_eq!(open["sale"]["total"], total, "{id}");
        let closed = shop.sell("tender_cash");
        assert_eq!(taxes(&closed), want, "{id}, closed");
        assert_eq!(closed["receipt"], "01-000001", "{id}: a sale of nothing closes, too");
    }
}

#[test]
fn ap_03_points_that_settle_like_money_leave_the_tax_alone() {
    let shop = Shop::new("[points]\nuse_as = \"tender\"\n").with_members(MEMBERS);
    let sold = shop.sell(
        "member 2900000000049\ndepartment 1 1080\ndepartment 2 1100\nuse_points 500\ntender_cash",
    );
    assert_eq!(taxes(&sold), [("reduced", 1080, 80), ("standard", 1100, 100)]);
    assert_eq!(sold["sale"]["total"], 2180);
    let tenders: Vec<_> = sold["sale"]["tenders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tender| (tender["kind"].as_str().unwrap(), tender["amount"].as_i64().unwrap()))
        .collect();
    assert_eq!(tenders, [("points", 500), ("cash", 1680)]);
    assert_eq!(sold["sale"]["points_used"], 500);
    shop.verify();
}

#[test]
fn ap_10_a_returned_group_takes_its_share_of_the_discount_along() {
    let shop = Shop::new("");
    shop.sell("department 1 5400\ndepartment 2 3300\nsale_discount 1000\ntender_cash");
    let back = shop.sell("return 01-000001 2\ntender_cash");
    assert_eq!(back["sale"]["total"], -2921);
    assert_eq!(taxes(&back), [("standard", -2921, -265)]);
    let rest = shop.sell("return 01-000001\ntender_cash");
    assert_eq!(rest["sale"]["total"], -4779);
    assert_eq!(taxes(&rest), [("reduced", -4779, -354)]);
    shop.verify();
}

#[test]
fn goods_that_take_no_discount_get_no_share_of_it() {
    let shop = Shop::new("").with_items(
        "code,name,price,tax_class,flags\n1,たばこ,600,standard,no_discount\n2,茶,100,reduced,\n",
    );
    let open = shop.sell("scan 1\nscan 2\nsale_discount 50\nsubtotal");
    assert_eq!(taxes(&open), [("reduced", 50, 3), ("standard", 600, 54)]);
    assert_eq!(open["sale"]["discount"], 50);
    assert_eq!(open["sale"]["total"], 650);
}

#[test]
fn a_percentage_rounds_the_resulting_price() {
    let shop = Shop::new("");
    let half = shop.sell("department 1 99\nline_discount 50%");
    assert_eq!(lines(&half, "amount"), [49]);
    assert_eq!(lines(&half, "discount"), [50]);
    assert_eq!(half["sale"]["subtotal"], 49);
    assert_eq!(half["sale"]["discount"], 0, "a line's discount is in its amount already");
}

#[test]
fn a_coupon_takes_nothing_off_while_the_sale_is_below_its_minimum() {
    const COUPON: &str = r#"
[[coupon]]
code = "CP10"
name = "10% off"
percent = "10"
minimum = 1000
"#;
    let shop = Shop::new(COUPON);
    let given = shop.sell("department 1 600\ndepartment 2 600\ncoupon CP10");
    assert_eq!((&given["sale"]["discount"], &given["sale"]["total"]), (&120.into(), &1080.into()));
    let less = shop.sell("void_line");
    assert_eq!((&less["sale"]["discount"], &less["sale"]["total"]), (&0.into(), &600.into()));
    assert_eq!(less["needs"], serde_json::json!(["coupon_minimum"]), "and the cashier is told");
    let again = shop.sell("department 2 400");
    assert_eq!(again["sale"]["total"], 900, "it comes back with the goods");
    shop.sell("void_line\ntender_cash");
    let sold = &shop.export("sales")[0];
    assert_eq!((sold["discount"].as_str(), sold["total"].as_str()), ("0", "600"));
    let back = shop.sell("return 01-000001\ntender_cash");
    assert_eq!(back["sale"]["total"], -600);
    shop.verify();
}
