//! The business day: when it begins, what it hides, how it closes.

use crate::support::Shop;

#[test]
fn the_day_is_that_of_the_shop_not_of_the_calendar() {
    for (at, want) in [
        ("2026-11-22T10:00:00+09:00", "2026-11-22"),
        ("2026-11-22T04:59:00+09:00", "2026-11-21"),
        ("2026-11-22T05:00:00+09:00", "2026-11-22"),
        ("2026-11-23T00:30:00+09:00", "2026-11-22"),
    ] {
        let shop = Shop::new("");
        let sold = shop.sell_at(at, "department 1 108\ntender_cash");
        assert_eq!(sold["day"]["business_date"], want, "{at}");
        assert_eq!(shop.export("sales")[0]["business_date"], want, "{at}");
    }
}

#[test]
fn a_forgotten_z_blocks_the_next_days_first_sale() {
    let shop = Shop::new("");
    shop.sell("department 1 108\ntender_cash");
    let late = "2026-11-23T04:59:00+09:00";
    shop.sell_at(late, "department 1 108\ntender_cash");
    let next = "2026-11-23T09:00:00+09:00";
    let refused = shop.play_at(next, "department 1 108\ntender_cash");
    assert_eq!(refused.codes().last(), Some(&"closed_day"), "{}", refused.stdout);
    let closed = shop.play_at(next, "void_sale\nz_report\ndepartment 1 108\ntender_cash");
    assert_eq!(closed.last()["receipt"], "01-000003", "{}", closed.stdout);
    assert_eq!(closed.last()["day"]["business_date"], "2026-11-23");
    shop.verify();
}

#[test]
fn open_day_goes_on_with_the_day_that_is_open() {
    let shop = Shop::new("");
    shop.sell("open_day 30000\ndepartment 1 108\ntender_cash");
    let next = "2026-11-23T09:00:00+09:00";
    let sold = shop.sell_at(next, "open_day\ndepartment 1 108\ntender_cash");
    assert_eq!(sold["day"]["business_date"], "2026-11-22");
    assert_eq!(sold["day"]["expected_cash"], 30_216);
    assert_eq!(shop.refuse_at("2026-11-24T09:00:00+09:00", "department 1 1"), "closed_day");
}

#[test]
fn the_first_sale_opens_the_day_without_a_float() {
    let shop = Shop::new("");
    let sold = shop.sell("department 2 500\ntender_cash");
    assert_eq!(sold["day"]["expected_cash"], 500);
    assert_eq!(sold["day"]["customers"], 1);
    assert_eq!(sold["day"]["net"], 500);
}

#[test]
fn numbers_run_on_through_every_z() {
    let shop = Shop::new("");
    let mut receipts = Vec::new();
    for day in 22..25 {
        let at = format!("2026-11-{day}T12:00:00+09:00");
        for _ in 0..2 {
            receipts.push(shop.sell_at(&at, "department 1 1000\ntender_cash")["receipt"].clone());
        }
        let z = shop.sell_at(&at, "z_report");
        assert_eq!(z["receipt"], format!("01-Z{:04}", day - 21));
        let report = z["document"].as_str().expect("the Z as text");
        let total = format!("{},000", 2 * (day - 21));
        assert!(report.contains(&total), "grand total {total}: {report}");
        assert!(z["day"].is_null(), "closed: {z}");
    }
    let want: Vec<String> = (1..7).map(|number| format!("01-{number:06}")).collect();
    assert_eq!(receipts, want);
    assert_eq!(shop.refuse_at("2026-11-23T12:00:00+09:00", "department 1 1"), "closed_day");
    shop.verify();
}

#[test]
fn the_float_left_is_tomorrows() {
    let shop = Shop::new("");
    shop.sell("open_day 30000\ndepartment 2 5000\ntender_cash\nz_report 35000 20000");
    let next = shop.sell_at("2026-11-23T09:00:00+09:00", "open_day");
    assert_eq!(next["day"]["expected_cash"], 20_000);
}

#[test]
fn expected_cash_is_hidden_until_it_is_counted() {
    let shop = Shop::new(
        "[[staff]]\nnumber = 1\nname = \"店長\"\nlevel = 9\npin = \"482913\"\n\
         [[staff]]\nnumber = 4\nname = \"新人\"\nlevel = 1\npin = \"795246\"\n",
    );
    shop.sell("sign_in 1 482913\nopen_day 10000");
    let blind = shop.sell("sign_in 4 795246\ndepartment 2 500\ntender_cash");
    assert!(blind["day"]["expected_cash"].is_null(), "{blind}");
    let x = shop.sell("sign_in 4 795246\nx_report");
    let text = x["document"].as_str().unwrap_or("");
    assert!(!text.contains("10,500"), "the X tells it: {text}");
    let counted = shop.sell("sign_in 4 795246\ncount 10000x1 500x1");
    assert_eq!(counted["day"]["expected_cash"], 10_500);
    assert_eq!(counted["day"]["difference"], 0);
    let manager = shop.sell("sign_in 1 482913");
    assert_eq!(manager["day"]["expected_cash"], 10_500);
}

#[test]
fn an_x_reads_and_changes_nothing() {
    let shop = Shop::new("");
    shop.sell("department 1 1080\ndepartment 2 550\ntender_cash");
    let first = shop.sell("x_report");
    let text = first["document"].as_str().expect("the X as text");
    assert!(text.contains("1,630"), "{text}");
    let second = shop.sell("x_report");
    assert_eq!(second["day"]["net"], 1630);
    assert_eq!(shop.sell("z_report")["receipt"], "01-Z0001");
    assert_eq!(shop.refuse("x_report"), "closed_day");
    assert_eq!(shop.refuse("z_report"), "closed_day");
}

#[test]
fn a_z_waits_for_the_open_sale() {
    let shop = Shop::new("");
    shop.sell("department 1 100\ntender_cash\ndepartment 1 50");
    let played = shop.play("z_report");
    assert_eq!(played.answers[0]["ok"], false);
    assert!(played.answers[0]["sale"].is_null());
    assert_eq!(shop.sell("tender_cash")["receipt"], "01-000002");
}

#[test]
fn training_touches_no_figure_of_the_shop() {
    let shop = Shop::new("").with_items("code,name,price,stock\n1,茶,100,10\n");
    shop.sell("scan 1\ntender_cash");
    let trained = shop.sell("training_on\nscan 1\ntender_cash");
    assert_eq!(trained["receipt"], "01-T000001");
    assert!(trained["drawer"].is_null(), "{trained}");
    for command in ["paid_in 100 x", "z_report", "return 01-000001"] {
        assert_eq!(shop.refuse(command), "training", "{command}");
    }
    let after = shop.sell("training_off\nsubtotal".trim_end_matches("\nsubtotal"));
    assert_eq!(after["day"]["net"], 100);
    assert_eq!(after["day"]["expected_cash"], 100);
    let real = shop.sell("scan 1\ntender_cash");
    assert_eq!(real["receipt"], "01-000002");
    let rows = shop.export("sales");
    assert_eq!(rows.len(), 2, "training is no sale");
    shop.verify();
}

#[test]
fn a_copy_without_a_number_is_of_the_last_receipt_that_counts() {
    let shop = Shop::new("").with_items("code,name,price\n1,茶,100\n");
    shop.sell("scan 1\ntender_cash");
    let practised = shop.sell("training_on\nscan 1\ntender_cash\nreprint");
    assert_eq!(practised["receipt"], "01-T000001");
    assert_eq!(shop.sell("training_off\nreprint")["receipt"], "01-000001");
}

#[test]
fn training_ends_by_itself_after_half_an_hour() {
    let shop = Shop::new("");
    shop.sell("training_on\ndepartment 1 100\ntender_cash");
    let still = shop.sell_at("2026-11-22T10:52:00+09:00", "department 1 100\ntender_cash");
    assert_eq!(still["receipt"], "01-T000002");
    let real = shop.sell_at("2026-11-22T10:53:30+09:00", "department 1 100\ntender_cash");
    assert_eq!(real["receipt"], "01-000001");
}

#[test]
fn zr_01_the_net_is_what_was_sold_less_discounts_and_returns() {
    let shop = Shop::new("");
    shop.sell(
        "department 2 1000\nline_discount 50\ndepartment 1 500\nsale_discount 10%\ntender_cash\n\
         department 2 300\ntender_cash\nreturn 01-000002\ntender_cash",
    );
    let day = shop.sell("count 1000x1 100x3 5x1");
    // 950 + 500 = 1,450; less 10 % = 1,305; + 300 − 300.
    assert_eq!(day["day"]["net"], 1305);
    assert_eq!(day["day"]["difference"], 0);
}

#[test]
fn a_report_takes_its_days_by_name_or_by_date() {
    let shop = Shop::new("");
    let closed_day = |date: &str, amount: u32| {
        let script = format!("department 1 {amount}\ntender_cash\nz_report");
        shop.play_at(&format!("{date}T10:00:00+09:00"), &script);
    };
    for (date, amount) in [("2026-09-30", 100), ("2026-10-01", 200), ("2026-10-31", 300)] {
        closed_day(date, amount);
    }
    closed_day("2026-11-02", 400);
    let open = "department 1 500\ntender_cash\n";
    shop.play_at("2026-11-03T10:00:00+09:00", open);
    for (days, want) in [
        ("period=today", vec![500]),
        ("period=week", vec![300, 400, 500]),
        ("period=month", vec![400, 500]),
        ("period=last_month", vec![200, 300]),
        ("from=2026-10-31 to=2026-11-02", vec![300, 400]),
    ] {
        let line = format!("report sales {days}");
        let played = shop.play_at("2026-11-03T11:00:00+09:00", &line);
        let rows = played.last()["report"]["rows"].as_array().expect("rows").clone();
        let net: Vec<i64> = rows.iter().filter_map(|row| row["net"].as_i64()).collect();
        assert_eq!(net, want, "{days}: {rows:?}");
    }
    assert_eq!(shop.refuse("report sales period=year"), "bad_argument");
}

/// `japan.md` 7.4: each block adds up to the net, what came back taken off where it came back.
#[test]
fn the_hours_and_the_staff_of_a_day_add_up_to_its_net() {
    let shop = Shop::new("");
    shop.sell("department 2 1000\ndepartment 2 500\ntender_cash");
    shop.sell_at("2026-11-22T14:05:00+09:00", "return 01-000001 1\ntender_cash");
    shop.sell_at("2026-11-22T14:10:00+09:00", "department 2 300\ntender_cash\nz_report");
    let z = shop.told(&["report", "z", "number=01-Z0001", "--format", "csv"]);
    let amounts = |block: &str| -> Vec<(i64, i64)> {
        let rows = crate::support::rows(&z).into_iter().filter(|row| row["block"] == block);
        let number = |text: &str| text.parse().expect("a number");
        rows.map(|row| (number(&row["count"]), number(&row["amount"]))).collect()
    };
    assert_eq!(amounts("hour"), [(1, 1500), (1, -700)], "{z}");
    assert_eq!(amounts("staff"), [(2, 800)], "{z}");
}

#[test]
fn parked_sales_and_return_slips_are_named_on_x_and_z() {
    let shop = Shop::new("");
    shop.sell(
        "department 2 300\nsuspend\ndepartment 2 500\nsuspend\ndepartment 2 100\ntender_cash",
    );
    let row = |answer: &serde_json::Value, key: &str| -> String {
        let paper = answer["document"].as_str().expect("a paper").to_owned();
        let found = paper.lines().find(|line| line.contains(key)).unwrap_or_default();
        found.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for command in ["x_report", "z_report"] {
        let told = row(&shop.sell(command), "Parked, not paid");
        assert!(told.contains('2') && told.contains("800"), "{command}: {told}");
    }
    // A day on which goods only came back has no receipt of a sale, and one slip.
    let next = "2026-11-23T10:23:00+09:00";
    shop.sell_at(next, "return 1\ntender_cash");
    let z = shop.sell_at(next, "z_report");
    assert_eq!(row(&z, "No receipts"), "No receipts 0");
    assert_eq!(row(&z, "Return slips"), "Return slips 1");
    shop.verify();
}

#[test]
fn more_than_the_drawer_should_hold_is_paid_out_only_on_a_yes() {
    let shop = Shop::new("");
    assert_eq!(shop.refuse("open_day 1000\npaid_out 1000 仕入\npaid_out 1 仕入"), "confirm");
    let played = shop.play("paid_out 1 仕入\nconfirm");
    assert_eq!(played.codes(), ["confirm", ""]);
}
