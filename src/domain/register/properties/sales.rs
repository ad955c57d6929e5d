//! A closed sale: its sums, its shares, its taxes, its tenders.

use std::collections::BTreeMap;

use super::baskets::{Dice, any_basket, any_shop, ring, settle};
use super::for_baskets;
use crate::domain::money::Money;
use crate::domain::points::UseAs;
use crate::domain::quantity::{Rate, Rounding, extend_price};
use crate::domain::register::test_shop::Shop;
use crate::domain::sale::{Sale, SaleLine, TenderKind};
use crate::domain::settings::Settings;
use crate::domain::tax::{TaxGroup, TaxMode};

/// Sells one random basket in a random shop.
pub fn any_sold(dice: &mut Dice) -> Shop {
    let mut shop = any_shop(dice);
    sell(&mut shop, dice);
    shop
}

pub fn sell(shop: &mut Shop, dice: &mut Dice) {
    ring(shop, &any_basket(dice));
    settle(shop, dice);
}

fn sold(sale: &Sale) -> impl Iterator<Item = &SaleLine> {
    sale.lines.iter().filter(|line| !line.item.is_return())
}

/// Part of a rounded quotient in whole numbers: the rule of `japan.md` 1.3, written a second time.
fn quotient(numerator: i128, denominator: i128, rounding: Rounding) -> i64 {
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    let up = match rounding {
        Rounding::Floor => false,
        Rounding::HalfUp => rest * 2 >= denominator,
        Rounding::Ceil => rest > 0,
    };
    i64::try_from(whole).unwrap() + i64::from(up)
}

/// A rate in tenths of a percent.
fn tenths(rate: Rate) -> i128 {
    let tenths: Rate = Rate::new(rate.decimal() * rust_decimal::Decimal::TEN);
    tenths.whole().expect("a rate of at most one decimal").into()
}

fn tax_by_rule(group: &TaxGroup, rounding: Rounding) -> i64 {
    let base = i128::from(group.base.minor());
    match (group.rate, group.mode) {
        (None, _) => 0,
        (Some(rate), TaxMode::Included) => {
            quotient(base * tenths(rate), 1_000 + tenths(rate), rounding)
        }
        (Some(rate), TaxMode::Excluded) => quotient(base * tenths(rate), 1_000, rounding),
    }
}

/// Everything that holds of a sale without returned goods.
fn check_sums(sale: &Sale, settings: &Settings) {
    let totals = &sale.totals;
    let sum = |of: fn(&SaleLine) -> Money| -> Money { sale.lines.iter().map(of).sum() };
    assert_eq!(totals.subtotal, sum(|line| line.amount));
    assert_eq!(totals.discount, sum(|line| line.sale_discount + line.points_share));
    let excluded = totals.taxes.iter().filter(|group| group.mode == TaxMode::Excluded);
    let excluded: Money = excluded.map(|group| group.tax).sum();
    assert_eq!(totals.total, totals.subtotal - totals.discount + excluded);
    let given: Money = sale.discounts.iter().map(|discount| discount.amount).sum();
    assert_eq!(given, sum(|line| line.sale_discount), "shares make the discounts");
    let by_points = sum(|line| line.points_share).minor();
    let as_discount = settings.points.use_as == UseAs::Discount;
    assert_eq!(by_points, if as_discount { sale.points_used } else { 0 });
}

fn check_lines(sale: &Sale, settings: &Settings) {
    let basis = sale.lines[0].mode;
    for line in &sale.lines {
        assert_eq!(line.mode, basis, "one basis");
        assert!(!line.net().is_negative(), "no line below nothing: {line:?}");
        for part in [line.discount, line.amount, line.sale_discount, line.points_share] {
            assert!(!part.is_negative(), "{line:?}");
        }
        if line.item.flags.no_discount {
            assert_eq!(line.sale_discount + line.points_share, Money::ZERO, "{line:?}");
        }
        if line.mode == line.item.price_mode {
            let rounding = settings.tax.price_rounding;
            let raw = extend_price(line.item.quantity, line.item.unit_price, rounding);
            assert_eq!(Some(line.amount + line.discount), raw);
        }
    }
}

fn check_taxes(sale: &Sale, settings: &Settings) {
    let mut nets: BTreeMap<(&str, Option<Rate>), Money> = BTreeMap::new();
    for line in sold(sale) {
        *nets.entry((&line.item.class, line.rate)).or_default() += line.net();
    }
    assert_eq!(nets.len(), sale.totals.taxes.len(), "one group a class and rate");
    for group in &sale.totals.taxes {
        assert_eq!(group.base, nets[&(group.class.name(), group.rate)]);
        assert_eq!(group.mode, sale.lines[0].mode);
        assert_eq!(group.tax.minor(), tax_by_rule(group, settings.tax.rounding), "{group:?}");
    }
}

fn check_tenders(sale: &Sale, settings: &Settings) {
    let applied: Money = sale.tenders.iter().map(|tender| tender.applied).sum();
    assert_eq!(applied, sale.totals.total, "tenders settle the total");
    let over = sale.tenders.iter().map(|tender| {
        let kept = !settings.tender(tender.kind).change && tender.kind == TenderKind::Voucher;
        if kept { Money::ZERO } else { tender.amount - tender.applied }
    });
    assert_eq!(sale.change, over.sum());
    let by_points = sale.tenders.iter().filter(|tender| tender.kind == TenderKind::Points);
    let by_points: i64 = by_points.map(|tender| tender.applied.minor()).sum();
    let as_tender = settings.points.use_as == UseAs::Tender;
    assert_eq!(by_points, if as_tender { sale.points_used } else { 0 }, "points are worth a yen");
}

fn check_points(sale: &Sale) {
    assert!(sale.points_earned >= 0 && sale.points_used >= 0);
    match &sale.member {
        None => assert_eq!((sale.points_earned, sale.points_used), (0, 0)),
        Some(member) => {
            let moved = sale.points_earned - sale.points_used;
            assert_eq!(member.points_after, member.points_before + moved);
            assert!(sale.points_used <= member.points_before);
        }
    }
}

#[test]
fn a_closed_sale_adds_up_in_every_part() {
    for_baskets(100, |dice| {
        let shop = any_sold(dice);
        let (sale, settings) = (shop.last_sale(), &*shop.register.settings);
        check_sums(sale, settings);
        check_lines(sale, settings);
        check_taxes(sale, settings);
        check_tenders(sale, settings);
        check_points(sale);
    });
}

/// Each rate bears its part of one discount, to the yen (`japan.md` 1.6).
#[test]
fn a_discount_on_the_sale_is_shared_by_the_prices_of_each_rate() {
    for_baskets(10, |dice| {
        let mut shop = any_shop(dice);
        for _ in 0..dice.between(1, 6) {
            shop.give(&format!("department {} {}", dice.between(1, 5), dice.yen()));
        }
        shop.give(&format!("sale_discount {}", dice.yen()));
        shop.give("tender_cash");
        let sale = shop.last_sale();
        let whole = i128::from(sale.totals.subtotal.minor());
        let discount = i128::from(sale.discounts[0].amount.minor());
        let mut groups: BTreeMap<(&str, Option<Rate>), (i128, i128)> = BTreeMap::new();
        for line in sold(sale) {
            let (goods, share) = groups.entry((&line.item.class, line.rate)).or_default();
            *goods += i128::from(line.amount.minor());
            *share += i128::from(line.sale_discount.minor());
        }
        for (goods, share) in groups.values() {
            let off = share * whole - discount * goods;
            assert!(off.abs() < whole, "within a yen of its part: {groups:?}");
        }
    });
}
