//! From what was rung to what is owed: line amounts, one basis, discounts and points shared out, one
//! tax per rate.
//!
//! Room: domain. May touch: std. Rules: `japan.md` 1.2 to 1.7, `DESIGN.md` 12 "Money words".
//! Invariant: shares sum to what was shared; total = subtotal − discount + excluded tax.

use chrono::NaiveDate;

use super::kept;
use super::{Cart, CartDiscount};
use crate::domain::apportion::apportion;
use crate::domain::command::Discount;
use crate::domain::money::Money;
use crate::domain::points::{self, PointLine, PointReceipt, UseAs};
use crate::domain::quantity::{Rate, Rounding, extend_price};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::sale::{LineItem, SaleDiscount, SaleLine, Totals};
use crate::domain::settings::Settings;
use crate::domain::tax::{TaxClass, TaxGroup, TaxLine, TaxMode, convert, receipt_mode, tax_groups};

/// A cart with every result its receipt would print now.
#[derive(Debug, Clone, PartialEq)]
pub struct Priced {
    pub lines: Vec<SaleLine>,
    pub discounts: Vec<SaleDiscount>,
    pub totals: Totals,
    /// Points used, never more than the goods, or as a tender the total, that they may pay for.
    pub points_used: i64,
    pub points_earned: i64,
    /// Goods that come back, with tax; positive.
    pub returned: Money,
    /// Codes of coupons that take nothing off while the sale is below their minimum.
    pub waiting: Vec<String>,
}

/// Prices a cart at a civil date (days from the common era), by which tax rates go.
///
/// # Errors
/// `over` when an amount does not fit a register.
pub fn price(cart: &Cart, settings: &Settings, civil_date: i32) -> Result<Priced, Refusal> {
    let date = NaiveDate::from_num_days_from_ce_opt(civil_date).unwrap_or(NaiveDate::MAX);
    let mut lines = cart
        .lines
        .iter()
        .map(|item| own_amount(item, settings, date))
        .collect::<Result<Vec<_>, _>>()?;
    unify_basis(&mut lines, settings)?;
    let returned = kept::fill_returned(cart, &mut lines, settings)?;
    let subtotal = lines.iter().map(|line| line.amount).sum();
    let (given, waiting) = holding(cart, subtotal, settings);
    let discounts = sale_discounts(&given, &mut lines, settings);
    let points_shared = share_points(cart, &mut lines, settings);
    let mut taxes = sold_taxes(&lines, settings)?;
    merge_taxes(&mut taxes, &returned);
    let totals = totals(&lines, taxes)?;
    let points_used = match settings.points.use_as {
        UseAs::Discount => points_shared,
        // Goods may have left the sale since the points were laid on it.
        UseAs::Tender => cart.points_used.min(totals.total.minor()).max(0),
    };
    let points_earned = earned(cart, &lines, points_used, settings, date)?;
    let back = if cart.open_return { -totals.total } else { -kept::with_tax(&lines, &returned) };
    Ok(Priced { lines, discounts, totals, points_used, points_earned, returned: back, waiting })
}

pub(super) fn too_much() -> Refusal {
    RefusalCode::Over.into()
}

/// The line by itself, on its own basis.
fn own_amount(item: &LineItem, settings: &Settings, date: NaiveDate) -> Result<SaleLine, Refusal> {
    let rounding = settings.tax.price_rounding;
    let raw = extend_price(item.quantity, item.unit_price, rounding).ok_or_else(too_much)?;
    if raw.abs() > Money::MAX_KEYED {
        return Err(too_much());
    }
    let discount = match item.discount {
        None => Money::ZERO,
        Some(Discount::Amount(amount)) => off_line(amount, raw),
        Some(Discount::Percent(rate) | Discount::NearDate(rate)) => {
            raw - percent_left(raw, rate, rounding)
        }
    };
    let (rate, mark) = rate_on(&item.class, settings, date);
    Ok(SaleLine {
        item: item.clone(),
        mode: item.price_mode,
        rate,
        mark,
        discount,
        amount: raw - discount,
        sale_discount: Money::ZERO,
        points_share: Money::ZERO,
    })
}

/// Percent and mark of a class on a civil date. A class that was removed while the sale was parked
/// is taxed as standard.
fn rate_on(class: &str, settings: &Settings, date: NaiveDate) -> (Option<Rate>, String) {
    let class = class.parse().unwrap_or_default();
    let row = settings.tax_classes.on(&class, date);
    let row = row.or_else(|| settings.tax_classes.on(&TaxClass::Standard, date));
    row.map_or((None, String::new()), |row| (row.rate, row.mark.clone()))
}

/// As much of a discount as the line is worth. Of goods that come back without a receipt it comes
/// off what is paid out for them.
fn off_line(amount: Money, raw: Money) -> Money {
    let off = amount.min(raw.abs());
    if raw.is_negative() { -off } else { off }
}

/// What a percentage off leaves: the resulting price is rounded, not the discount.
fn percent_left(amount: Money, percent: Rate, rounding: Rounding) -> Money {
    let left = rust_decimal::Decimal::ONE_HUNDRED - percent.decimal();
    let price = rust_decimal::Decimal::from(amount.minor()) * left;
    rounding.to_money(price / rust_decimal::Decimal::ONE_HUNDRED).unwrap_or(Money::ZERO)
}

fn is_sold(line: &SaleLine) -> bool {
    !line.item.is_return()
}

/// Puts every sold line on one basis: a receipt that mixes both converts each line (`japan.md` 1.2).
/// Lines without tax fit any basis.
fn unify_basis(lines: &mut [SaleLine], settings: &Settings) -> Result<(), Refusal> {
    let own: Vec<TaxLine> = lines.iter().filter(|line| is_own(line)).map(tax_line).collect();
    let basis = receipt_mode(&own, &settings.tax);
    let rounding = settings.tax.price_rounding;
    for line in lines.iter_mut().filter(|line| is_own(line) && line.mode != basis) {
        if let Some(rate) = line.rate {
            let from = line.mode;
            let to_basis =
                |amount| convert(amount, rate, from, basis, rounding).ok_or_else(too_much);
            let raw = to_basis(line.amount + line.discount)?;
            line.amount = to_basis(line.amount)?;
            line.discount = raw - line.amount;
        }
        line.mode = basis;
    }
    Ok(())
}

/// A priced line as tax sees it: after every share, on its basis.
pub(super) fn tax_line(line: &SaleLine) -> TaxLine {
    TaxLine {
        class: line.item.class.parse().unwrap_or_default(),
        rate: line.rate,
        mode: line.mode,
        amount: line.net(),
    }
}

/// A line priced here, not one whose values come from an earlier receipt.
fn is_own(line: &SaleLine) -> bool {
    line.item.origin.is_none()
}

/// The discounts that hold, and the coupons that do not: goods may have left the sale since a coupon
/// was laid on it.
fn holding<'a>(
    cart: &'a Cart,
    subtotal: Money,
    settings: &Settings,
) -> (Vec<&'a CartDiscount>, Vec<String>) {
    let holds = |given: &&CartDiscount| {
        settings.coupon(&given.coupon).is_none_or(|coupon| subtotal >= coupon.minimum)
    };
    let (given, short): (Vec<_>, Vec<_>) = cart.discounts.iter().partition(holds);
    (given, short.into_iter().map(|short| short.coupon.clone()).collect())
}

fn sale_discounts(
    given: &[&CartDiscount],
    lines: &mut [SaleLine],
    settings: &Settings,
) -> Vec<SaleDiscount> {
    let mut results = Vec::with_capacity(given.len());
    for discount in given {
        let eligible = discountable(lines);
        let amount = match discount.given {
            Discount::Amount(amount) => amount.min(eligible),
            Discount::Percent(rate) | Discount::NearDate(rate) => {
                eligible - percent_left(eligible, rate, settings.tax.price_rounding)
            }
        };
        share(lines, amount, |line| &mut line.sale_discount);
        let coupon = discount.coupon.clone();
        results.push(SaleDiscount { given: discount.given, coupon, amount });
    }
    results
}

/// What discounts and points may still take off.
pub(super) fn discountable(lines: &[SaleLine]) -> Money {
    lines.iter().filter(|line| takes_share(line)).map(SaleLine::net).sum()
}

fn takes_share(line: &SaleLine) -> bool {
    is_sold(line) && line.item.flags.takes_discounts() && line.net() > Money::ZERO
}

/// Shares an amount over the rates by largest remainder, then over the lines of each rate
/// (`japan.md` 1.6).
fn share(lines: &mut [SaleLine], amount: Money, field: fn(&mut SaleLine) -> &mut Money) {
    if amount.is_zero() {
        return;
    }
    let mut groups: Vec<(Option<Rate>, String, Vec<usize>)> = Vec::new();
    for (place, line) in lines.iter().enumerate().filter(|(_, line)| takes_share(line)) {
        let known = groups
            .iter_mut()
            .find(|(rate, class, _)| *rate == line.rate && *class == line.item.class);
        match known {
            Some((_, _, places)) => places.push(place),
            None => groups.push((line.rate, line.item.class.clone(), vec![place])),
        }
    }
    groups.sort_by_key(|(rate, _, _)| std::cmp::Reverse(*rate)); // A tie of equal groups goes to 10% before 8%.
    let net = |lines: &[SaleLine], places: &[usize]| -> Vec<Money> {
        places.iter().map(|place| lines[*place].net()).collect()
    };
    let weights: Vec<Money> =
        groups.iter().map(|(_, _, places)| net(lines, places).into_iter().sum()).collect();
    for ((_, _, places), part) in groups.iter().zip(apportion(amount, &weights)) {
        let parts = apportion(part, &net(lines, places));
        for (place, part) in places.iter().zip(parts) {
            *field(&mut lines[*place]) += part;
        }
    }
}

/// Shares points used as a discount, and returns how many; as a tender they take no share.
fn share_points(cart: &Cart, lines: &mut [SaleLine], settings: &Settings) -> i64 {
    if settings.points.use_as == UseAs::Tender {
        return 0;
    }
    let capped = Money::new(cart.points_used).min(discountable(lines));
    share(lines, capped, |line| &mut line.points_share);
    capped.minor()
}

fn sold_taxes(lines: &[SaleLine], settings: &Settings) -> Result<Vec<TaxGroup>, Refusal> {
    let own: Vec<TaxLine> = lines.iter().filter(|line| is_own(line)).map(tax_line).collect();
    tax_groups(&own, &settings.tax).ok_or_else(too_much)
}

fn merge_taxes(taxes: &mut Vec<TaxGroup>, more: &[TaxGroup]) {
    for group in more {
        let same = taxes.iter_mut().find(|known| {
            known.class == group.class && known.rate == group.rate && known.mode == group.mode
        });
        match same {
            Some(known) => {
                known.base += group.base;
                known.tax += group.tax;
            }
            None => taxes.push(group.clone()),
        }
    }
}

fn totals(lines: &[SaleLine], taxes: Vec<TaxGroup>) -> Result<Totals, Refusal> {
    let subtotal: Money = lines.iter().map(|line| line.amount).sum();
    let discount: Money = lines.iter().map(|line| line.sale_discount + line.points_share).sum();
    let excluded = taxes.iter().filter(|group| group.mode == TaxMode::Excluded);
    let total = subtotal - discount + excluded.map(|group| group.tax).sum();
    if total.abs() > Money::MAX_KEYED {
        return Err(too_much());
    }
    Ok(Totals { subtotal, discount, total, taxes })
}

/// The points the sold lines earn for the attached member; none without one.
fn earned(
    cart: &Cart,
    lines: &[SaleLine],
    points_used: i64,
    settings: &Settings,
    date: NaiveDate,
) -> Result<i64, Refusal> {
    let Some(member) = &cart.member else { return Ok(0) };
    let sold: Vec<&SaleLine> = lines.iter().filter(|line| is_sold(line)).collect();
    let rank = Some((member.rank.as_str(), member.rank_rate));
    earned_on(&sold, points_used, rank, settings, date).ok_or_else(too_much)
}

/// Points that sold lines earn on a civil date for a member of a rank; `None` when an amount does
/// not fit.
pub(super) fn earned_on(
    lines: &[&SaleLine],
    points_used: i64,
    rank: Option<(&str, Rate)>,
    settings: &Settings,
    date: NaiveDate,
) -> Option<i64> {
    let classes: Vec<TaxClass> =
        lines.iter().map(|line| line.item.class.parse().unwrap_or_default()).collect();
    let earning: Vec<PointLine<'_>> = lines
        .iter()
        .zip(&classes)
        .map(|(line, class)| PointLine {
            item: &line.item.code,
            department: line.item.department.into(),
            class,
            rate: line.rate,
            mode: line.mode,
            amount: line.net(),
            points_share: line.points_share,
            discounts: line.discount + line.sale_discount,
            earns: !line.item.flags.no_points,
        })
        .collect();
    let receipt = PointReceipt {
        lines: &earning,
        used: Money::new(points_used),
        tax: &settings.tax,
        rank: rank.map(|(name, _)| name),
        rank_rate: rank.map_or(Rate::ONE, |(_, rate)| rate),
        date,
    };
    points::earned(&receipt, &settings.points)
}
