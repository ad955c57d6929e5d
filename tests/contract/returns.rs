//! Goods that come back: piece by piece or at once, exchanged, or a receipt undone.

use serde_json::Value;

use crate::support::{HANAKO, MEMBERS, Shop};

const GOODS: &str = "\
code,name,price,tax_class
1,食品,333,reduced
2,雑貨,777,standard
3,菓子,101,reduced
";

/// Three lines, seven pieces, a line discount, a sale discount, points used and earned.
fn sold() -> Shop {
    let shop = Shop::new("").with_items(GOODS).with_members(MEMBERS);
    let sale = shop.sell(&format!(
        "member {HANAKO}\nscan 1\nquantity 3\nscan 2\nquantity 2\nline_discount 10%\nscan 3\nquantity 2\n\
         sale_discount 100\nuse_points 57\ntender_cash"
    ));
    assert_eq!(sale["receipt"], "01-000001");
    shop
}

/// Sums a closed return: total, taxes, points.
fn sums(answer: &Value) -> (i64, i64, i64) {
    let sale = &answer["sale"];
    let taxes = sale["taxes"].as_array().into_iter().flatten();
    (
        sale["total"].as_i64().unwrap(),
        taxes.map(|tax| tax["tax"].as_i64().unwrap()).sum(),
        sale["member"]["points"].as_i64().unwrap(),
    )
}

#[test]
fn goods_brought_back_piece_by_piece_give_what_all_at_once_gives() {
    let (total, tax, points) = sums(&sold().sell("return 01-000001\ntender_cash"));
    assert!(total < 0 && tax < 0);
    assert_eq!(points, 120, "the account stands where it stood");
    for parts in [
        vec!["1", "2", "3"],
        vec!["3", "2", "1"],
        vec!["1:1", "2:1", "1:2", "3:1", "2:1", "3:1"],
        vec!["1:1", "1:1", "1:1", "2", "3:2"],
    ] {
        let shop = sold();
        let (mut parts_total, mut parts_tax, mut last_points) = (0, 0, 0);
        for part in &parts {
            let (total, tax, points) =
                sums(&shop.sell(&format!("return 01-000001 {part}\ntender_cash")));
            parts_total += total;
            parts_tax += tax;
            last_points = points;
        }
        assert_eq!((parts_total, parts_tax, last_points), (total, tax, points), "{parts:?}");
        assert_eq!(shop.refuse("return 01-000001"), "returned", "{parts:?}");
        shop.verify();
    }
}

#[test]
fn no_more_comes_back_than_was_sold() {
    let shop = sold();
    for (command, want) in [
        ("return 01-000001 1:4", "returned"),
        ("return 01-000001 9", "line"),
        ("return 01-000099", "receipt"),
        ("return nonsense", "receipt"),
        ("return 01-000001 1:1.5", "bad_argument"),
        ("return 01-000001 1:0", "bad_argument"),
    ] {
        assert_eq!(shop.refuse(command), want, "{command}");
    }
    shop.sell("return 01-000001 1:2\ntender_cash");
    assert_eq!(shop.refuse("return 01-000001 1:2"), "returned");
}

#[test]
fn a_return_says_how_its_receipt_was_paid() {
    let shop = Shop::new("").with_items(GOODS);
    shop.sell("scan 2\ntender_credit 700\ntender_cash 100");
    let back = shop.sell("return 01-000001");
    let was_paid = serde_json::json!([
        {"kind": "credit", "amount": 700},
        {"kind": "cash", "amount": 77},
    ]);
    assert_eq!(back["sale"]["was_paid"], was_paid);
    let closed = shop.sell("tender_credit 700\ntender_cash");
    assert_eq!(closed["sale"]["was_paid"], serde_json::Value::Null);
    assert_eq!(closed["sale"]["total"], -777);
}

#[test]
fn a_return_settles_the_difference_of_an_exchange() {
    let shop = Shop::new("").with_items(GOODS);
    shop.sell("scan 1\nscan 2\ntender_cash");
    let dearer = shop.sell("exchange 01-000001 1\nscan 2\nsubtotal");
    assert_eq!(dearer["sale"]["due"], 444);
    let closed = shop.sell("tender_cash 500");
    assert_eq!(closed["sale"]["change"], 56);
    assert_eq!(closed["receipt"], "01-000002", "money came in: a receipt");
    let cheaper = shop.sell("exchange 01-000001 2\nscan 3\ntender_cash");
    assert_eq!(cheaper["sale"]["total"], 101 - 777);
    assert_eq!(shop.refuse("exchange 01-000001 2"), "returned");
    shop.verify();
}

#[test]
fn a_return_without_a_receipt_takes_goods_at_todays_price() {
    let shop = Shop::new("").with_items(GOODS);
    let back = shop.sell("return_open\nscan 2\ntender_cash");
    assert_eq!(back["sale"]["total"], -777);
    assert_eq!(back["receipt"], "01-R000001");
    let sold = shop.sell("scan 2\ntender_cash");
    assert_eq!(sold["sale"]["total"], 777, "the next customer buys");
}

#[test]
fn a_receipt_is_undone_whole_on_its_own_day_only() {
    let shop = sold();
    let voided = shop.sell("void_receipt 01-000001 打ち間違い");
    assert!(voided["entry"]["seq"].is_u64());
    let found = shop.sell(&format!("find_member {HANAKO}"));
    assert_eq!(found["members"][0]["points"], 120);
    assert_eq!(shop.refuse("void_receipt 01-000001 もう一度"), "receipt");
    assert_eq!(shop.refuse("return 01-000001"), "receipt");
    let day = shop.sell("count 1x0");
    assert_eq!(day["day"]["expected_cash"], 0);

    shop.sell("scan 1\ntender_cash\ncount 1x0\nz_report");
    assert_eq!(shop.refuse("void_receipt 01-000002 昨日の"), "receipt");
    shop.sell("scan 1\ntender_cash\nreturn 01-000003\ntender_cash");
    let code = shop.refuse("void_receipt 01-000003 戻った後");
    assert!(["receipt", "returned"].contains(&code.as_str()), "{code}");
    shop.verify();
}

#[test]
fn a_refund_goes_back_by_the_tender_the_cashier_names() {
    let shop = Shop::new("").with_items(GOODS);
    shop.sell("scan 2\ntender_credit");
    let back = shop.sell("return 01-000001\ntender_credit");
    assert_eq!(back["sale"]["tenders"][0]["kind"], "credit");
    assert_eq!(back["sale"]["tenders"][0]["amount"], -777);
    assert!(back["drawer"].is_null(), "{back}");
    let rows = shop.export("sales");
    assert_eq!(rows.iter().map(|row| row["credit"].as_str()).collect::<Vec<_>>(), ["777", "-777"]);
}
