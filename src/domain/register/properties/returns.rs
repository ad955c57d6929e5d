//! Goods that come back: money, taxes and points go the way they came.

use std::collections::BTreeMap;

use super::baskets::{Dice, any_basket, any_rules, any_shop, ring, settle};
use super::for_baskets;
use super::sales::{any_sold, sell};
use crate::domain::day::TaxSum;
use crate::domain::item::Unit;
use crate::domain::money::Money;
use crate::domain::register::test_shop::{CARD, OTHER_CARD, Shop};
use crate::domain::sale::Sale;
use crate::domain::tax::TaxClassRow;

/// What moved since the sale began: to the customer when below zero.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Moved {
    net: Money,
    /// Drawer, cards and points: what was really handed over and paid out.
    tenders: Money,
    taxes: BTreeMap<String, TaxSum>,
    departments: BTreeMap<u16, Money>,
    points: [i64; 2],
}

fn moved(shop: &Shop) -> Moved {
    let day = shop.register.lane.day.as_ref().expect("an open day");
    let taxes = day.taxes.iter().filter(|(_, sum)| !(sum.base.is_zero() && sum.tax.is_zero()));
    let departments = day.departments.iter().map(|(number, sum)| (*number, sum.amount));
    Moved {
        net: day.net,
        tenders: day.tenders.values().map(|tally| tally.amount).sum(),
        taxes: taxes.map(|(key, sum)| (format!("{key:?}"), *sum)).collect(),
        departments: departments.filter(|(_, amount)| !amount.is_zero()).collect(),
        points: [CARD, OTHER_CARD].map(|card| shop.balance(card)),
    }
}

/// Nothing has moved.
fn nothing(points: [i64; 2]) -> Moved {
    Moved {
        net: Money::ZERO,
        tenders: Money::ZERO,
        taxes: BTreeMap::new(),
        departments: BTreeMap::new(),
        points,
    }
}

fn points_of(shop: &Shop) -> [i64; 2] {
    [CARD, OTHER_CARD].map(|card| shop.balance(card))
}

/// A random piece of a receipt: `LINE` or `LINE:QUANTITY`; it may be too much, then it is refused.
fn any_piece(sale: &Sale, dice: &mut Dice) -> String {
    let line = dice.between(1, i64::try_from(sale.lines.len()).unwrap());
    let unit = sale.lines[usize::try_from(line).unwrap() - 1].item.unit;
    match (dice.between(0, 3), unit) {
        (0, _) => line.to_string(),
        (_, Unit::Each) => format!("{line}:{}", dice.between(1, 3)),
        _ => format!("{line}:{}.{:02}", dice.between(0, 2), dice.between(1, 99)),
    }
}

/// Brings everything back in random pieces: several at once, in any order, each paid out.
fn return_in_pieces(shop: &mut Shop, sale: &Sale, dice: &mut Dice) {
    for _ in 0..dice.between(1, 8) {
        for _ in 0..dice.between(1, 2) {
            let piece = any_piece(sale, dice);
            let _ = shop.try_give(&format!("return {} {piece}", sale.number));
        }
        if shop.register.cart.has_sale() {
            settle(shop, dice);
            let given = shop.last_sale().totals.total;
            assert!(given <= Money::ZERO, "nobody pays for bringing goods back: {given:?}");
        }
    }
    if shop.try_give(&format!("return {}", sale.number)).is_ok() {
        settle(shop, dice);
    }
    assert_eq!(shop.refuse(&format!("return {}", sale.number)).sentence, "all_returned");
}

#[test]
fn a_full_return_gives_back_exactly_what_was_paid() {
    for_baskets(100, |dice| {
        let mut shop = any_shop(dice);
        let before = points_of(&shop);
        sell(&mut shop, dice);
        let sale = shop.last_sale().clone();
        shop.give(&format!("return {}", sale.number));
        settle(&mut shop, dice);
        assert_eq!(shop.last_sale().totals.total, -sale.totals.total);
        assert_eq!(moved(&shop), nothing(before));
    });
}

#[test]
fn goods_that_come_back_in_pieces_come_back_as_in_one() {
    for_baskets(10, |dice| {
        let mut shop = any_shop(dice);
        let before = points_of(&shop);
        sell(&mut shop, dice);
        let sale = shop.last_sale().clone();
        return_in_pieces(&mut shop, &sale, dice);
        assert_eq!(moved(&shop), nothing(before));
    });
}

/// Rates, roundings, bases, point rules and ranks are those of the sale (`japan.md` 9, TX-15).
#[test]
fn a_return_does_not_mind_what_the_settings_have_become() {
    for_baskets(5, |dice| {
        let mut shop = any_shop(dice);
        let before = points_of(&shop);
        sell(&mut shop, dice);
        let sale = shop.last_sale().clone();
        shop.change(|settings| {
            any_rules(settings, dice);
            settings.tax_classes.put(TaxClassRow {
                name: "reduced".parse().unwrap(),
                rate: Some(0.into()),
                from: "2026-11-01".parse().unwrap(),
                mark: String::new(),
            });
        });
        for member in shop.memory.members.values_mut() {
            member.rank = dice.pick(&["regular", "gold"]).to_owned();
        }
        return_in_pieces(&mut shop, &sale, dice);
        assert_eq!(moved(&shop), nothing(before));
    });
}

/// The same pieces in another order, stopping half-way: what the customer keeps decides, not the
/// way there.
#[test]
fn what_stays_with_the_customer_decides_what_went_back() {
    for_baskets(5, |dice| {
        let shop = any_sold(dice);
        let sale = shop.last_sale().clone();
        let pieces: Vec<_> = (0..dice.between(1, 4)).map(|_| any_piece(&sale, dice)).collect();
        let mut one = shop.clone();
        let mut taken: Vec<String> = Vec::new();
        for piece in &pieces {
            if one.try_give(&format!("return {} {piece}", sale.number)).is_ok() {
                one.give("tender_cash");
                let line = piece.split(':').next().unwrap().to_owned();
                let last = &one.last_sale().lines[0].item;
                taken.push(format!("{line}:{}", -last.quantity));
            }
        }
        let mut other = shop;
        for piece in taken.iter().rev() {
            other.give(&format!("return {} {piece}", sale.number));
        }
        if !taken.is_empty() {
            other.give("tender_cash");
            assert_eq!(moved(&one), moved(&other), "{taken:?}");
        }
    });
}

/// A card shown after the sale: its points are taken back as any others.
#[test]
fn points_given_late_go_back_with_the_goods() {
    for_baskets(5, |dice| {
        let mut shop = any_shop(dice);
        let before = points_of(&shop);
        ring(&mut shop, &any_basket(dice));
        let _ = shop.try_give("clear_member");
        settle(&mut shop, dice);
        let sale = shop.last_sale().clone();
        let _ = shop.try_give(&format!("late_points {} {}", sale.number, dice.card()));
        return_in_pieces(&mut shop, &sale, dice);
        assert_eq!(moved(&shop), nothing(before));
    });
}

/// One line against other goods; then those and the rest come back too.
#[test]
fn an_exchange_that_comes_back_leaves_nothing_behind() {
    for_baskets(5, |dice| {
        let mut shop = any_shop(dice);
        let before = points_of(&shop);
        sell(&mut shop, dice);
        let first = shop.last_sale().clone();
        let line = dice.between(1, i64::try_from(first.lines.len()).unwrap());
        shop.give(&format!("exchange {} {line}", first.number));
        ring(&mut shop, &any_basket(dice));
        settle(&mut shop, dice);
        let second = shop.last_sale().clone();
        return_in_pieces(&mut shop, &second, dice);
        if shop.try_give(&format!("return {}", first.number)).is_ok() {
            settle(&mut shop, dice);
        }
        assert_eq!(moved(&shop), nothing(before));
    });
}
