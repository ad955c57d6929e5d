//! What is handed over: several means in one sale, too little, too much, asked again.

use serde_json::Value;

use crate::support::Shop;

fn tendered(answer: &Value) -> Vec<(&str, i64)> {
    let tenders = answer["sale"]["tenders"].as_array().into_iter().flatten();
    tenders
        .map(|tender| (tender["kind"].as_str().unwrap(), tender["amount"].as_i64().unwrap()))
        .collect()
}

#[test]
fn every_means_settles_a_sale() {
    for kind in ["cash", "credit", "debit", "emoney", "code"] {
        let shop = Shop::new("");
        let sold = shop.sell(&format!("department 1 1080\ntender_{kind}"));
        assert_eq!(tendered(&sold), [(kind, 1080)]);
        assert_eq!(sold["receipt"], "01-000001");
    }
}

#[test]
fn several_means_settle_one_sale() {
    let shop = Shop::new("");
    let open = shop.sell("department 1 3000\ntender_voucher 500\ntender_credit 1500");
    assert_eq!(open["sale"]["due"], 1000);
    assert_eq!(open["sale"]["paid"], 2000);
    assert!(open["receipt"].is_null());
    let sold = shop.sell("tender_cash 2000");
    assert_eq!(tendered(&sold), [("voucher", 500), ("credit", 1500), ("cash", 2000)]);
    assert_eq!(sold["sale"]["change"], 1000);
    let row = &shop.export("sales")[0];
    assert_eq!(
        (row["cash"].as_str(), row["credit"].as_str()),
        ("1000", "1500"),
        "cash net of change"
    );
    shop.verify();
}

#[test]
fn too_little_cash_is_asked_again_before_it_is_a_part() {
    let shop = Shop::new("");
    assert_eq!(shop.refuse("department 2 980\ntender_cash 900"), "short");
    let open = shop.sell("subtotal");
    assert_eq!(open["sale"]["due"], 980, "nothing was taken");
    let message = shop.play("tender_cash 900").last()["error"]["message"].clone();
    assert!(message.as_str().unwrap().contains("80"), "{message}");
    let part = shop.play("tender_cash 900\nconfirm");
    assert_eq!(part.codes(), ["short", ""], "{}", part.stdout);
    assert_eq!(part.last()["sale"]["due"], 80);
}

#[test]
fn a_card_above_the_due_is_refused() {
    let shop = Shop::new("");
    for kind in ["credit", "debit", "emoney", "code"] {
        let code = shop.refuse(&format!("department 2 980\ntender_{kind} 1000"));
        assert_eq!(code, "over", "{kind}");
        shop.sell("void_sale");
    }
}

#[test]
fn a_voucher_gives_no_change_unless_the_shop_says_so() {
    let shop = Shop::new("");
    let sold = shop.sell("department 2 300\ntender_voucher 500");
    assert_eq!(sold["sale"]["change"], 0);
    assert_eq!(sold["receipt"], "01-000001");
    let shop = Shop::new("[tender.voucher]\nchange = true\n");
    let sold = shop.sell("department 2 300\ntender_voucher 500");
    assert_eq!(sold["sale"]["change"], 200);
    assert_eq!(shop.refuse("tender_voucher"), "bad_argument");
}

#[test]
fn a_strange_amount_of_cash_is_asked_again() {
    let shop = Shop::new("");
    let refused = shop.play("department 2 1\ntender_cash 200000");
    assert_eq!(refused.answers[1]["ok"], false, "{}", refused.stdout);
    let open = shop.sell("subtotal");
    assert_eq!(open["sale"]["due"], 1);
    let sold = shop.play("tender_cash 200000\nconfirm");
    assert_eq!(sold.last()["ok"], true, "{}", sold.stdout);
    assert_eq!(sold.last()["sale"]["change"], 199_999);
    let plain = shop.sell("department 2 1\ntender_cash 100000");
    assert_eq!(plain["sale"]["change"], 99_999);
}

#[test]
fn confirm_confirms_only_what_was_asked_last() {
    let shop = Shop::new("");
    let played = shop.play("confirm\ndepartment 2 1\ntender_cash 200000\nsubtotal\nconfirm");
    let done: Vec<bool> = played.answers.iter().map(|answer| answer["ok"] == true).collect();
    assert_eq!(done, [false, true, false, true, false], "{}", played.stdout);
}

#[test]
fn a_tender_is_taken_back_before_the_sale_closes() {
    let shop = Shop::new("");
    let open = shop.sell("department 2 1000\ntender_credit 400\nvoid_tender");
    assert_eq!(open["sale"]["due"], 1000);
    assert_eq!(tendered(&open).len(), 0);
    let played = shop.play("void_tender");
    assert_eq!(played.answers[0]["ok"], false);
    assert_eq!(shop.refuse("void_sale\ntender_cash"), "no_sale");
}

#[test]
fn with_a_tender_in_the_goods_stay_as_they_are() {
    let shop = Shop::new("");
    shop.sell("department 2 1000\ntender_credit 400");
    for command in ["department 2 1", "void_line", "line_discount 10", "quantity 2", "suspend"] {
        let played = shop.play(command);
        assert_eq!(played.answers[0]["ok"], false, "{command}");
        assert_eq!(shop.sell("subtotal")["sale"]["due"], 600, "{command}");
    }
}

#[test]
fn the_means_of_a_closed_receipt_can_be_set_right() {
    let shop = Shop::new("");
    shop.sell("department 2 1000\ntender_cash");
    shop.sell("correct_tender 01-000001 credit");
    let day = shop.sell("count 1x0");
    assert_eq!(day["day"]["expected_cash"], 0);
    assert_eq!(shop.refuse("correct_tender 01-000009 credit"), "receipt");
    assert_eq!(shop.refuse("correct_tender 01-000001 gold"), "bad_argument");
    shop.verify();
}
