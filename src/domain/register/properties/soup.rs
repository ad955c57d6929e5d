//! Any commands in any order: a refusal changes nothing, and nothing that was taken cannot be undone.

use super::baskets::{Dice, any_basket, any_shop, settle};
use super::days::{any_act, any_number, check_day, check_numbers, check_returned};
use super::for_baskets;
use crate::domain::lane::LaneState;
use crate::domain::refusal::RefusalCode;
use crate::domain::register::test_shop::Shop;

/// One line of a keyboard under a cat.
fn any_line(shop: &Shop, dice: &mut Dice) -> String {
    let receipt = any_number(shop, dice);
    let (line, pieces, yen) = (dice.between(1, 4), dice.between(1, 3), dice.yen());
    let card = dice.card();
    match dice.between(0, 43) {
        0..=11 => {
            let basket = any_basket(dice);
            dice.pick(&basket)
        }
        12 | 13 => "tender_cash".to_owned(),
        14 => format!("tender_cash {yen}"),
        15 => format!("tender_credit {yen}"),
        16 => format!("tender_voucher {yen}"),
        17 => dice.pick(&["void_tender", "confirm", "subtotal", "repeat"]).to_owned(),
        18 => format!("void_line {line}"),
        19 => format!("select_line {line}"),
        20 => format!("quantity {}", dice.pick(&["1", "2", "0.5", "99999", "12"])),
        21 => format!("times {}", dice.pick(&["1", "2.25", "99999"])),
        22 => format!("price_override {}", dice.pick(&[0, 1, 500, 99_999_999])),
        23 => format!("department {line} 99999999"),
        24..=26 => format!("return {receipt} {line}:{pieces}"),
        27 => format!("return {receipt}"),
        28 => format!("exchange {receipt} {line}"),
        29 => "return_open".to_owned(),
        30 | 31 => "suspend".to_owned(),
        32 | 33 => dice.pick(&["resume", "resume 1", "resume 2"]).to_owned(),
        34 | 35 => format!("void_receipt {receipt} x"),
        36 => format!("late_points {receipt} {card}"),
        37 => format!("correct_tender {receipt} {}", dice.pick(&["cash", "credit"])),
        38 => dice.pick(&["training_on", "training_off", "training_off"]).to_owned(),
        39 => dice.pick(&["z_report", "open_day", "open_day 500", "x_report"]).to_owned(),
        40 => format!("member {card}"),
        41 => dice.pick(&["clear_member", "void_sale", "age_checked", "eat_in"]).to_owned(),
        42 => format!("set_price {} {yen}", dice.between(11, 22)),
        _ => "formal_receipt 上様".to_owned(),
    }
}

/// A lane without what a refusal may leave: that it was refused.
fn without_refusals(lane: &LaneState) -> LaneState {
    let mut lane = lane.clone();
    lane.pin_locks.clear();
    if let Some(day) = &mut lane.day {
        day.refusals = 0;
    }
    lane
}

fn check_unchanged(before: &Shop, after: &Shop, line: &str) {
    assert_eq!(before.register.cart, after.register.cart, "{line}");
    assert_eq!(before.register.settings, after.register.settings, "{line}");
    let lanes = (&before.register.lane, &after.register.lane);
    assert_eq!(without_refusals(lanes.0), without_refusals(lanes.1), "{line}");
    let mut session = after.register.session.clone();
    session.asked = before.register.session.asked.clone(); // What waits for `confirm` may change.
    assert_eq!(before.register.session, session, "{line}");
    assert_eq!(before.memory.sales, after.memory.sales, "{line}");
    assert_eq!(before.memory.members, after.memory.members, "{line}");
}

#[test]
fn a_refused_command_changes_nothing() {
    for_baskets(6, |dice| {
        let mut shop = any_shop(dice);
        for _ in 0..dice.between(10, 40) {
            let line = any_line(&shop, dice);
            let before = shop.clone();
            if shop.try_give(&line).is_err() {
                check_unchanged(&before, &shop, &line);
            }
            let open = shop.register.cart.has_sale();
            assert!(!open || shop.view().is_some(), "{line}: a sale that has no total");
        }
        check_day(&shop);
        check_numbers(&shop);
        check_returned(&shop);
        shop.restart();
    });
}

/// However a sale has come to be, it can be given up, and the next one is a new one.
#[test]
fn every_open_sale_can_be_given_up() {
    for_baskets(4, |dice| {
        let mut shop = any_shop(dice);
        for _ in 0..dice.between(5, 25) {
            let line = any_line(&shop, dice);
            let _ = shop.try_give(&line);
        }
        while !shop.register.cart.tenders.is_empty() {
            shop.give("void_tender");
        }
        if !shop.register.cart.is_empty() {
            shop.give("void_sale");
        }
        assert!(shop.register.cart.is_empty());
        if shop.register.lane.training {
            shop.give("training_off");
        }
        shop.sell(&["department 2 100"]);
        assert_eq!(shop.last_sale().lines.len(), 1);
        assert_eq!(shop.last_sale().totals.discount, crate::domain::money::Money::ZERO);
    });
}

/// A person who may do little is refused much; none of it changes a thing.
#[test]
fn who_may_not_does_not() {
    for_baskets(5, |dice| {
        let mut shop = Shop::with_staff_of_every_level();
        let staff = dice.between(1, 9) as u32;
        shop.give(&format!("sign_in {staff} {}", Shop::pin_of(staff)));
        for _ in 0..dice.between(5, 20) {
            let line = any_line(&shop, dice);
            let before = shop.clone();
            let given = shop.try_give(&line);
            if let Err(refusal) = given {
                check_unchanged(&before, &shop, &line);
                let recorded = shop.journal.len() - before.journal.len();
                let matters = matches!(
                    refusal.code,
                    RefusalCode::Level | RefusalCode::Limit | RefusalCode::FixedPrice
                );
                assert_eq!(recorded, usize::from(matters), "{line}: {refusal}");
            }
        }
    });
}

/// Between acts of the counter any nonsense may be typed; the day adds up all the same.
#[test]
fn nonsense_between_the_acts_leaves_the_day_right() {
    for_baskets(5, |dice| {
        let mut shop = any_shop(dice);
        for _ in 0..dice.between(1, 4) {
            let line = any_line(&shop, dice);
            let _ = shop.try_give(&line);
            while !shop.register.cart.tenders.is_empty() {
                shop.give("void_tender");
            }
            let _ = shop.try_give("void_sale");
            let _ = shop.try_give("training_off");
            any_act(&mut shop, dice);
            if shop.register.cart.has_sale() {
                settle(&mut shop, dice);
            }
        }
        check_day(&shop);
        check_numbers(&shop);
        check_returned(&shop);
        shop.restart();
    });
}
