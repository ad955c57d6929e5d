//! Cash in hand: change, counts, and money that moves without a sale (CS-* of `japan.md` 9).

use crate::support::{Shop, lines};

#[test]
fn cs_01_change_is_what_was_handed_over_beyond_the_total() {
    for (total, handed, change) in
        [(1234, 2000, 766), (1234, 1234, 0), (980, 10000, 9020), (1, 100000, 99999)]
    {
        let shop = Shop::new("");
        let sold = shop.sell(&format!("department 2 {total}\ntender_cash {handed}"));
        assert_eq!(sold["sale"]["change"], change);
        assert_eq!(sold["sale"]["due"], 0);
        assert_eq!(sold["sale"]["paid"], handed);
        assert_eq!(sold["sale"]["tenders"][0]["amount"], handed);
        assert!(!sold["drawer"].is_null(), "the drawer opens: {sold}");
    }
}

#[test]
fn without_an_amount_cash_is_the_exact_sum() {
    let shop = Shop::new("");
    let sold = shop.sell("department 2 777\ntender_cash");
    assert_eq!(sold["sale"]["paid"], 777);
    assert_eq!(sold["sale"]["change"], 0);
}

#[test]
fn cs_03_more_than_twenty_of_one_coin_are_asked_about() {
    for (handed, code) in
        [("1x20 10x1", ""), ("1x21", "confirm"), ("10x21 1000x1", "confirm"), ("1000x21", "")]
    {
        let shop = Shop::new("");
        let played = shop.play(&format!("department 2 20\ntender_cash {handed}"));
        assert_eq!(played.codes(), ["", code], "{handed}");
        if code == "confirm" {
            let message = played.last()["error"]["message"].as_str().unwrap();
            assert!(message.contains("21") && message.contains("20"), "{message}");
            let taken = shop.play(&format!("tender_cash {handed}\nconfirm"));
            assert_eq!(taken.last()["ok"], true, "the shop may take them: {:?}", taken.answers);
        }
    }
    let sold = Shop::new("").sell("department 2 1234\ntender_cash 1000x1 100x2 10x3 1x9");
    assert_eq!((&sold["sale"]["paid"], &sold["sale"]["change"]), (&1239.into(), &5.into()));
    for bad in ["tender_cash 300x1", "tender_cash 1x", "tender_cash 1x2 5", "tender_cash 100 1x2"] {
        assert_eq!(
            Shop::new("").refuse(&format!("department 2 1\n{bad}")),
            "bad_argument",
            "{bad}"
        );
    }
}

#[test]
fn cs_04_part_of_a_yen_is_rounded_once_by_the_shops_choice() {
    let items = "code,name,price,tax_class\n1,量り売り,100.49,reduced\n2,量り売り,100.50,reduced\n";
    for (rounding, want) in [("half_up", [100, 101]), ("floor", [100, 100]), ("ceil", [101, 101])] {
        let shop =
            Shop::new(&format!("[tax]\nprice_rounding = \"{rounding}\"\n")).with_items(items);
        let open = shop.sell("scan 1\nscan 2");
        assert_eq!(lines(&open, "amount"), want, "{rounding}");
        assert_eq!(lines(&open, "unit_price")[0], "100.49", "a fraction is a string");
    }
}

#[test]
fn cs_05_the_count_is_held_against_what_should_be_there() {
    let shop = Shop::new("");
    shop.sell(
        "open_day 50000\n\
         department 2 123456\ntender_cash\n\
         return_open\ndepartment 2 1000\ntender_cash\n\
         paid_in 5000 両替\n\
         paid_out 3000 切手代",
    );
    let counted = shop.sell("count 10000x17 1000x4 100x4");
    assert_eq!(counted["day"]["expected_cash"], 174_456);
    assert_eq!(counted["day"]["counted"], 174_400);
    assert_eq!(counted["day"]["difference"], -56);
    let closed = shop.sell("z_report");
    assert_eq!(closed["receipt"], "01-Z0001");
    let report = closed["document"].as_str().expect("the Z as text");
    for figure in ["174,456", "174,400", "56"] {
        assert!(report.contains(figure), "{figure}: {report}");
    }
    shop.verify();
}

#[test]
fn every_opening_of_the_drawer_has_its_cause() {
    let shop = Shop::new("");
    for command in
        ["no_sale 両替", "paid_in 1000 入金", "paid_out 500 出金", "loan 10000", "pickup 5000"]
    {
        let answer = shop.sell(command);
        assert!(answer["drawer"].is_string(), "{answer}");
        assert!(answer["entry"]["seq"].is_u64(), "{answer}");
    }
    let quiet = shop.sell("department 2 100\ntender_credit");
    assert!(quiet["drawer"].is_null(), "a card opens no drawer: {quiet}");
    let day = shop.sell("count 1000x5 500x1");
    assert_eq!(day["day"]["expected_cash"], 1000 - 500 + 10_000 - 5000);
    assert_eq!(day["day"]["difference"], 0);
}

#[test]
fn a_coin_that_does_not_exist_is_not_counted() {
    let shop = Shop::new("");
    shop.sell("open_day 1000");
    for bad in ["count 300x1", "count 1000", "count 1000x-1", "count"] {
        assert_eq!(shop.refuse(bad), "bad_argument", "{bad}");
    }
}
