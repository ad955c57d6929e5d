//! What the customer keeps of an earlier receipt, and so what a return gives back.
//!
//! Room: domain. May touch: std.
//! Invariant: a line's worth is a function of the quantity still kept, so that returning piece by piece
//! in any order gives back exactly what was paid (`flows.md` 2.9).

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::pricing::{tax_line, too_much};
use super::{Cart, CartReturn};
use crate::domain::money::Money;
use crate::domain::quantity::{Quantity, Rounding};
use crate::domain::refusal::Refusal;
use crate::domain::sale::{Sale, SaleLine};
use crate::domain::settings::Settings;
use crate::domain::tax::{TaxGroup, TaxLine, TaxMode, TaxSettings, tax_groups};

/// The worth of what is kept of one line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    pub discount: Money,
    pub amount: Money,
    pub points_share: Money,
    pub net: Money,
}

/// Returns the worth of `left` of a sold line: each part in proportion, rounded down, so that none
/// of them ever grows while goods come back.
pub fn kept_of(line: &SaleLine, left: Quantity) -> Kept {
    let part = |whole: Money| {
        if left == line.item.quantity {
            return whole;
        }
        let share = Decimal::from(whole.minor()) * left.decimal() / line.item.quantity.decimal();
        Rounding::Floor.to_money(share).unwrap_or(Money::ZERO)
    };
    let amount = part(line.amount);
    Kept {
        // Of the price before it: two pieces come back at twice their price, less their discount.
        discount: part(line.amount + line.discount) - amount,
        amount,
        points_share: part(line.points_share),
        net: part(line.net()),
    }
}

/// Quantities of a sale still with the customer, by line from 1.
pub fn left_of(sale: &Sale, returned: &BTreeMap<u32, Quantity>) -> BTreeMap<u32, Quantity> {
    let sold = (1..).zip(&sale.lines).filter(|(_, line)| !line.item.is_return());
    sold.map(|(place, line)| {
        let back = returned.get(&place).copied().unwrap_or(Quantity::ZERO);
        (place, line.item.quantity - back)
    })
    .collect()
}

/// Quantities left after this cart's returned lines, too.
pub fn left_after(cart: &Cart, returning: &CartReturn) -> BTreeMap<u32, Quantity> {
    let mut left = left_of(&returning.sale, &returning.returned_before);
    for item in &cart.lines {
        if let Some(kept) = item.origin.as_ref().and_then(|origin| left.get_mut(&origin.line)) {
            *kept = *kept + item.quantity; // A returned line's quantity is below zero.
        }
    }
    left
}

/// Gives each returned line of the cart its values, and returns the taxes that go back.
pub(super) fn fill_returned(
    cart: &Cart,
    lines: &mut [SaleLine],
    settings: &Settings,
) -> Result<Vec<TaxGroup>, Refusal> {
    let Some(returning) = &cart.returning else { return Ok(Vec::new()) };
    let sale = &returning.sale;
    let before = left_of(sale, &returning.returned_before);
    let mut left = before.clone();
    for line in lines.iter_mut() {
        let Some(origin) = &line.item.origin else { continue };
        let (Some(sold), Some(now_left)) =
            (sale.lines.get(origin.line as usize - 1), left.get_mut(&origin.line))
        else {
            continue;
        };
        let was = kept_of(sold, *now_left);
        *now_left = *now_left + line.item.quantity;
        let is = kept_of(sold, *now_left);
        line.mode = sold.mode;
        line.rate = sold.rate;
        line.mark = sold.mark.clone();
        line.discount = is.discount - was.discount;
        line.amount = is.amount - was.amount;
        line.points_share = is.points_share - was.points_share;
        line.sale_discount = line.amount - line.points_share - (is.net - was.net);
    }
    let was = taxes_of(sale, &before, settings)?;
    let is = taxes_of(sale, &left, settings)?;
    Ok(difference(&is, &was))
}

/// The printed taxes while everything is kept; the same rule on what is left afterwards, as it was
/// when it was sold, whatever the shop's has become.
fn taxes_of(
    sale: &Sale,
    left: &BTreeMap<u32, Quantity>,
    settings: &Settings,
) -> Result<Vec<TaxGroup>, Refusal> {
    let all_kept = (1..).zip(&sale.lines).all(|(place, line)| {
        !line.item.is_return() && left.get(&place) == Some(&line.item.quantity)
    });
    if all_kept {
        return Ok(sale.totals.taxes.clone());
    }
    let kept = (1u32..).zip(&sale.lines).filter_map(|(place, line)| {
        let left = *left.get(&place)?;
        Some(TaxLine { amount: kept_of(line, left).net, ..tax_line(line) })
    });
    tax_groups(&kept.collect::<Vec<_>>(), &rule_of(sale, settings.tax)).ok_or_else(too_much)
}

/// The rule a receipt was printed by: its basis stands on its lines; its rounding is the one that
/// gives the printed taxes, the shop's own if that does. With another rounding the goods left could
/// bear more tax than was paid, and a customer would owe a yen for bringing goods back.
fn rule_of(sale: &Sale, tax: TaxSettings) -> TaxSettings {
    let sold = sale.lines.iter().filter(|line| !line.item.is_return());
    let sold: Vec<TaxLine> = sold.map(tax_line).collect();
    let price_mode = sold.first().map_or(tax.price_mode, |line| line.mode);
    let rule = |rounding| TaxSettings { rounding, price_mode, ..tax };
    [tax.rounding, Rounding::Floor, Rounding::HalfUp, Rounding::Ceil]
        .into_iter()
        .map(rule)
        .find(|rule| tax_groups(&sold, rule).as_ref() == Some(&sale.totals.taxes))
        .unwrap_or_else(|| rule(tax.rounding)) // An exchange prints the difference of two receipts.
}

/// `is − was`, group by group; groups that did not move are left out.
fn difference(is: &[TaxGroup], was: &[TaxGroup]) -> Vec<TaxGroup> {
    let same =
        |a: &TaxGroup, b: &TaxGroup| a.class == b.class && a.rate == b.rate && a.mode == b.mode;
    was.iter()
        .map(|group| {
            let now = is.iter().find(|now| same(now, group));
            let (base, tax) = now.map_or((Money::ZERO, Money::ZERO), |now| (now.base, now.tax));
            TaxGroup { base: base - group.base, tax: tax - group.tax, ..group.clone() }
        })
        .filter(|group| !(group.base.is_zero() && group.tax.is_zero()))
        .collect()
}

/// Net of the returned lines with their tax; zero or below.
pub(super) fn with_tax(lines: &[SaleLine], taxes: &[TaxGroup]) -> Money {
    let net: Money = lines.iter().filter(|line| line.item.is_return()).map(SaleLine::net).sum();
    let excluded = taxes.iter().filter(|group| group.mode == TaxMode::Excluded);
    net + excluded.map(|group| group.tax).sum()
}
