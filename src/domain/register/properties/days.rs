//! A day of any acts: its totals, its drawer, its numbers, its Z.

use std::collections::BTreeMap;

use super::baskets::{Dice, any_shop, settle};
use super::for_baskets;
use super::sales::sell;
use crate::domain::day::DayTotals;
use crate::domain::entry::Kind;
use crate::domain::money::Money;
use crate::domain::number::{DocKind, DocNo};
use crate::domain::register::test_shop::{CARD, OTHER_CARD, Shop};
use crate::domain::sale::{Sale, TenderKind};

/// Does something a counter does on a day. What cannot be done now is refused.
pub fn any_act(shop: &mut Shop, dice: &mut Dice) {
    let receipt = any_number(shop, dice);
    match dice.between(0, 13) {
        0..=3 => sell(shop, dice),
        4 | 5 => {
            if shop.try_give(&format!("return {receipt}")).is_ok() {
                settle(shop, dice);
            }
        }
        6 => {
            if shop.try_give(&format!("exchange {receipt} 1")).is_ok() {
                sell(shop, dice);
            }
        }
        7 => {
            shop.give("return_open");
            sell(shop, dice);
        }
        8 => {
            let _ = shop.try_give(&format!("void_receipt {receipt} 打ち間違い"));
        }
        9 => {
            let kind = dice.pick(&["cash", "credit", "emoney", "voucher"]);
            let _ = shop.try_give(&format!("correct_tender {receipt} {kind}"));
        }
        10 => {
            let act = dice.pick(&["paid_in {} 両替", "paid_out {} 切手", "loan {}", "pickup {}"]);
            if shop.try_give(&act.replace("{}", &dice.yen().to_string())).is_err() {
                shop.give("confirm"); // More than the drawer holds.
            }
        }
        11 => {
            let card = dice.card();
            let _ = shop.try_give(&format!("late_points {receipt} {card}"));
        }
        12 => {
            let _ = shop.try_give("formal_receipt 上様");
        }
        _ => {
            shop.give("training_on");
            sell(shop, dice);
            shop.give("training_off");
        }
    }
    shop.wait_s(dice.between(0, 1_200));
}

/// A receipt, return or practice slip of the shop, or one that does not exist.
pub fn any_number(shop: &Shop, dice: &mut Dice) -> String {
    let numbers: Vec<&DocNo> = shop.memory.sales.keys().collect();
    match numbers.is_empty() || dice.once_in(10) {
        true => "01-009999".to_owned(),
        false => dice.pick(&numbers).to_string(),
    }
}

/// Notes and coins that a sale left in the drawer: handed over less change.
fn into_drawer(sale: &Sale) -> Money {
    let cash = sale.tenders.iter().filter(|tender| tender.kind == TenderKind::Cash);
    cash.map(|tender| tender.amount).sum::<Money>() - sale.change
}

/// What must be in the drawer by the acts themselves, without the day's tallies.
fn drawer(shop: &Shop) -> Money {
    let mut cash = Money::ZERO;
    for entry in shop.journal.iter().filter(|entry| !entry.header.training) {
        match &entry.kind {
            Kind::DayOpened { float } => cash = *float,
            Kind::SaleClosed(sale) => cash += into_drawer(sale),
            Kind::ReceiptVoided { sale, .. } => cash -= into_drawer(sale),
            Kind::TenderCorrected { from, to, amount, .. } => {
                let cash_of = |kind| if kind == TenderKind::Cash { *amount } else { Money::ZERO };
                cash = cash - cash_of(*from) + cash_of(*to);
            }
            Kind::PaidIn { amount, .. } | Kind::Loaned { amount } => cash += *amount,
            Kind::PaidOut { amount, .. } | Kind::PickedUp { amount } => cash -= *amount,
            _ => {}
        }
    }
    cash
}

/// Everything that holds of an open day.
pub fn check_day(shop: &Shop) {
    let Some(day) = &shop.register.lane.day else { return };
    let off = day.amounts_off.amount + day.percents_off.amount + day.points_off.amount;
    assert_eq!(day.net, day.gross - off - day.returns.amount, "net = gross - off - returns");
    let tenders: Money = day.tenders.values().map(|tally| tally.amount).sum();
    assert_eq!(tenders, day.net, "tenders settle the net");
    assert_eq!(day.expected_cash(), drawer(shop), "the drawer holds what was left in it");
    let departments = day.departments_with_tax();
    let departments: Money = departments.values().map(|sum| sum.amount).sum();
    assert_eq!(departments, day.net, "departments sum to the net");
    let parked = shop.register.lane.suspended.values().map(|parked| &parked.cart);
    let open = parked.chain([&shop.register.cart]).map(|cart| cart.on_the_way.voided.len() as i64);
    let counted = day.voided_lines.count + open.sum::<i64>();
    assert_eq!(counted, shop.taken_off, "each line that was taken off counts once");
    let by_staff: Money = day.staff.values().map(|tally| tally.amount).sum();
    let by_hour: Money = day.hours.values().map(|tally| tally.amount).sum();
    assert_eq!((by_staff, by_hour), (day.net, day.net), "each sums to the net");
    assert!(day.hours.values().all(|tally| tally.count >= 0), "{:?}", day.hours);
    assert_eq!(day.staff.values().map(|tally| tally.count).sum::<i64>(), day.customers);
}

/// Σ of the taxes printed on what stands is what the day prints.
fn check_taxes(shop: &Shop) {
    let day = shop.register.lane.day.as_ref().expect("an open day");
    let stands = shop.memory.sales.values().filter(|stored| !stored.voided && !stored.training);
    let printed: Money =
        stands.flat_map(|stored| &stored.sale.totals.taxes).map(|group| group.tax).sum();
    assert_eq!(day.taxes.values().map(|sum| sum.tax).sum::<Money>(), printed);
}

/// Numbers of each kind run 1, 2, 3 … in the order of the journal.
pub fn check_numbers(shop: &Shop) {
    let mut last: BTreeMap<DocKind, u32> = BTreeMap::new();
    for entry in &shop.journal {
        let number = match &entry.kind {
            Kind::SaleClosed(sale) => sale.number,
            Kind::FormalReceiptIssued { number, .. }
            | Kind::FormalReceiptIssuedFor { number, .. } => *number,
            Kind::SaleSuspended { slip, .. } => *slip,
            Kind::ZClosed(closing) => closing.number,
            _ => continue,
        };
        let last = last.entry(number.kind).or_default();
        *last += 1;
        assert_eq!(number.number, *last, "{number}");
    }
}

/// No more came back of any line than was sold, and nothing of what was undone.
pub fn check_returned(shop: &Shop) {
    for (number, stored) in &shop.memory.sales {
        for (line, back) in &stored.returned {
            let sold = stored.sale.lines[*line as usize - 1].item.quantity;
            assert!(*back <= sold, "{number} line {line}: {back} of {sold}");
            assert!(!stored.voided, "{number} is undone, and goods of it came back");
        }
    }
}

/// What members have is what the sales and late entries moved.
fn check_points(shop: &Shop, before: i64) {
    let moved: i64 = shop.journal.iter().map(|entry| points_moved(&entry.kind)).sum();
    let training = shop.journal.iter().filter(|entry| entry.header.training);
    let practice: i64 = training.map(|entry| points_moved(&entry.kind)).sum();
    assert_eq!(points_held(shop), before + moved - practice);
}

fn points_held(shop: &Shop) -> i64 {
    [CARD, OTHER_CARD].iter().map(|card| shop.balance(card)).sum()
}

/// Earned and given back less used and taken back, as the papers say.
fn points_moved(kind: &Kind) -> i64 {
    let of_sale = |sale: &Sale| {
        let back = sale.return_of.as_ref().filter(|_| sale.member.is_some());
        let back =
            back.map_or(0, |of| of.points_given_back - of.points_taken_back + of.points_deducted);
        sale.points_earned - sale.points_used + back
    };
    match kind {
        Kind::SaleClosed(sale) => of_sale(sale),
        Kind::ReceiptVoided { sale, .. } => -of_sale(sale),
        Kind::LatePoints { earned, .. } => *earned,
        _ => 0,
    }
}

#[test]
fn a_day_of_any_acts_adds_up_and_folds_again() {
    for_baskets(10, |dice| {
        let mut shop = any_shop(dice);
        let points = points_held(&shop);
        shop.give(&format!("open_day {}", dice.yen()));
        for _ in 0..dice.between(2, 7) {
            any_act(&mut shop, dice);
        }
        check_day(&shop);
        check_taxes(&shop);
        check_numbers(&shop);
        check_returned(&shop);
        check_points(&shop, points);
        shop.restart();
        check_z(&mut shop);
    });
}

/// The grand total grows by the net of the day, and a Z begins nothing anew but the day.
fn check_z(shop: &mut Shop) {
    let (net, cash) = {
        let day = shop.register.lane.day.as_ref().expect("an open day");
        (day.net, day.expected_cash())
    };
    let before = shop.register.lane.grand_total;
    shop.give("z_report");
    match &shop.journal.last().expect("an entry").kind {
        Kind::ZClosed(closing) => {
            assert_eq!(closing.grand_total, before + net);
            assert_eq!((closing.grand_total_before, closing.expected), (before, cash));
        }
        other => panic!("not a Z: {other:?}"),
    }
    assert_eq!(shop.register.lane.grand_total, before + net);
    sell_after_z(shop, net);
}

/// A sale of the next day counts on in numbers and grand total.
fn sell_after_z(shop: &mut Shop, net: Money) {
    shop.wait_s(86_400);
    shop.sell(&["department 2 100"]);
    let next = shop.register.lane.day.as_ref().expect("an open day").net;
    shop.give("z_report");
    assert_eq!(shop.register.lane.grand_total, net + next);
    check_numbers(shop);
    shop.restart();
}

/// The day without what a void is meant to leave: that it happened, and what was done on the way.
fn as_if_never_sold(day: &DayTotals) -> DayTotals {
    let mut day = day.clone();
    day.taxes.retain(|_, sum| !(sum.base.is_zero() && sum.tax.is_zero()));
    day.tenders.retain(|_, tally| tally.count != 0 || !tally.amount.is_zero());
    day.departments.retain(|_, sum| sum.quantity != 0.into() || !sum.amount.is_zero());
    day.added.values_mut().for_each(|added| added.bases.retain(|_, base| !base.is_zero()));
    day.added.retain(|_, added| !(added.tax.is_zero() && added.bases.is_empty()));
    day.hours.retain(|_, tally| tally.count != 0 || !tally.amount.is_zero());
    day.staff.retain(|_, tally| tally.count != 0 || !tally.amount.is_zero());
    day.voided_receipts = crate::domain::day::Tally::default();
    day.voided_lines = crate::domain::day::Tally::default();
    (day.receipts, day.return_slips) = (0, 0);
    (day.overrides, day.age_checks, day.refusals) = (0, 0, 0);
    (day.first, day.last) = (None, None);
    day
}

#[test]
fn a_voided_receipt_leaves_the_day_as_if_never_sold() {
    for_baskets(5, |dice| {
        let mut shop = any_shop(dice);
        shop.give("open_day 1000");
        for _ in 0..dice.between(0, 2) {
            sell(&mut shop, dice);
        }
        let before = shop.clone();
        shop.wait_s(dice.between(0, 7_200));
        match dice.between(0, 2) {
            0 if shop.try_give("return 1").is_ok() => settle(&mut shop, dice),
            1 if shop.try_give("exchange 1 1").is_ok() => sell(&mut shop, dice),
            _ => sell(&mut shop, dice),
        }
        let number = shop.last_sale().number;
        shop.wait_s(dice.between(0, 7_200));
        shop.give(&format!("void_receipt {number} 打ち間違い"));
        let day = |shop: &Shop| as_if_never_sold(shop.register.lane.day.as_ref().unwrap());
        assert_eq!(day(&shop), day(&before));
        for card in [CARD, OTHER_CARD] {
            assert_eq!(shop.balance(card), before.balance(card));
        }
        for (number, stored) in &before.memory.sales {
            assert_eq!(&shop.memory.sales[number], stored, "what had come back is there again");
        }
    });
}
