//! Sales put aside, and the open sale that outlives the process.

use crate::support::{HANAKO, MEMBERS, Shop, lines};

#[test]
fn the_open_sale_outlives_the_process() {
    let shop = Shop::new("").with_members(MEMBERS);
    shop.sell(&format!("member {HANAKO}\ndepartment 1 1080\nquantity 2\nnote 包装"));
    let back = shop.sell("subtotal");
    assert_eq!(back["sale"]["total"], 2160);
    assert_eq!(back["sale"]["member"]["code"], HANAKO);
    let more = shop.sell("department 2 500\nsale_discount 60");
    assert_eq!(more["sale"]["total"], 2600);
    shop.sell("tender_credit 600");
    let sold = shop.sell("tender_cash");
    assert_eq!(sold["sale"]["total"], 2600);
    assert_eq!(sold["sale"]["points_earned"], 26);
    let next = shop.play("subtotal");
    assert_eq!(next.codes(), ["no_sale"], "a closed sale is never shown again");
    shop.verify();
}

#[test]
fn the_same_seed_loses_no_open_sale() {
    let shop = Shop::new("");
    for number in 1..=3 {
        shop.sell(&format!("department 1 10{number}"));
        let open = shop.sell("subtotal");
        assert_eq!(open["sale"]["total"], 100 + number, "sale {number} is still there");
        shop.sell("tender_cash");
    }
    assert_eq!(shop.export("sales").len(), 3);
}

#[test]
fn a_suspended_sale_is_taken_back_in_another_run() {
    let shop = Shop::new("").with_members(MEMBERS);
    let parked = shop.sell(&format!(
        "member {HANAKO}\ndepartment 1 1080\nline_discount 10%\nsuspend 財布を取りに"
    ));
    assert!(parked["sale"].is_null(), "{parked}");
    let other = shop.sell("department 2 100\ntender_cash");
    assert_eq!(other["receipt"], "01-000001");
    let back = shop.sell("resume");
    assert_eq!(back["sale"]["total"], 972);
    assert_eq!(back["sale"]["member"]["code"], HANAKO);
    assert_eq!(lines(&back, "discount"), [108]);
    let sold = shop.sell("tender_cash");
    assert_eq!(sold["receipt"], "01-000002");
    assert_eq!(shop.play("resume").answers[0]["ok"], false, "none is left");
    shop.verify();
}

#[test]
fn a_slip_leads_to_its_own_sale() {
    let shop = Shop::new("");
    let mut slips = Vec::new();
    for amount in [100, 200, 300] {
        let parked = shop.sell(&format!("department 2 {amount}\nsuspend 客{amount}"));
        slips.push(parked["receipt"].as_str().expect("the slip's number").to_owned());
        assert!(!parked["printed"].is_null(), "a slip is printed: {parked}");
    }
    let list = shop.sell("resume");
    assert!(list["sale"].is_null());
    let parked = list["suspended"].as_array().expect("the list");
    assert_eq!(parked.len(), 3, "{list}");
    let second = shop.sell(&format!("scan {}", slips[1]));
    assert_eq!(second["sale"]["total"], 200);
    let busy = shop.play(&format!("resume {}", slips[0]));
    assert_eq!(busy.answers[0]["ok"], false, "one sale at a time");
    shop.sell("tender_cash");
    assert_eq!(shop.play(&format!("resume {}", slips[1])).answers[0]["ok"], false, "taken already");
    assert_eq!(shop.sell(&format!("resume {}", slips[2]))["sale"]["total"], 300);
    shop.verify();
}

#[test]
fn a_sale_given_up_leaves_no_number() {
    let shop = Shop::new("");
    shop.sell("department 1 100\nvoid_sale");
    assert_eq!(shop.refuse("void_sale"), "no_sale");
    assert_eq!(shop.sell("department 1 100\ntender_cash")["receipt"], "01-000001");
    assert_eq!(shop.sell("department 1 100\ndepartment 1 200\nvoid_line\nvoid_line 1")["ok"], true);
    assert_eq!(shop.refuse("tender_cash"), "no_sale");
}
