//! The points that goods take along when they come back.
//!
//! Room: domain. May touch: std. Rules: `japan.md` 1.7, `DESIGN.md` 12 "Money words".
//! Invariant: what moves is a difference between what was and what is still kept, so that piece by
//! piece in any order moves the same points.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::kept::{kept_of, left_after, left_of};
use super::pricing::earned_on;
use super::{Cart, CartReturn};
use crate::domain::money::Money;
use crate::domain::points::{self, Returns};
use crate::domain::quantity::{Quantity, Rate};
use crate::domain::sale::{SaleLine, TenderKind};
use crate::domain::settings::Settings;

/// What a return moves on the member's account, in points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PointsBack {
    /// What the goods had earned, as far as the shop takes it back.
    pub taken_back: i64,
    /// What had been used to pay for them.
    pub given_back: i64,
    /// Part of `given_back` that had settled the sale like money and so settles the refund.
    pub refunded: i64,
    /// Part of `taken_back` that the member had spent already and the refund pays, a yen a point.
    pub deducted: i64,
}

impl PointsBack {
    /// What happens to the balance.
    pub const fn moved(&self) -> i64 {
        self.given_back - self.taken_back + self.deducted
    }
}

/// Returns the points a priced return moves; `balance` is the member's before it.
pub(super) fn points_back(
    cart: &Cart,
    returning: &CartReturn,
    balance: i64,
    settings: &Settings,
) -> PointsBack {
    if returning.member.is_none() {
        return PointsBack::default();
    }
    let before = left_of(&returning.sale, &returning.returned_before);
    let after = left_after(cart, returning);
    let late = cart.member.as_ref().map(|member| (member.rank.as_str(), member.rank_rate));
    let earned = |left: &_| earned_on_left(returning, left, late, settings);
    let used = |left: &_| used_on_left(returning, left);
    let given_back = used(&before) - used(&after);
    let to_take = earned(&before) - earned(&after);
    let back = settled(to_take, given_back, balance, settings.points.returns);
    let was_tender = returning
        .sale
        .tenders
        .iter()
        .any(|tender| tender.kind == TenderKind::Points && !tender.applied.is_negative());
    PointsBack { refunded: if was_tender { given_back } else { 0 }, ..back }
}

/// What is taken where the member has spent the points already (`japan.md` PT-08). Points given
/// back with the same return are there to be taken.
///
/// Below zero where what stays earns more than before: the goods earned nothing, but bore points
/// that were used. Those points count, or another order of pieces would take back others.
fn settled(to_take: i64, given_back: i64, balance: i64, returns: Returns) -> PointsBack {
    if to_take < 0 {
        return PointsBack { taken_back: to_take, given_back, ..PointsBack::default() };
    }
    let back = points::take_back(to_take, balance + given_back, returns);
    PointsBack {
        taken_back: to_take - back.forgiven,
        given_back,
        refunded: 0,
        deducted: back.deducted.minor(),
    }
}

/// Points of the goods the customer still has: all that the sale earned while nothing is back, none
/// once everything is, and never more than the sale earned, whatever the rules have become.
fn earned_on_left(
    returning: &CartReturn,
    left: &BTreeMap<u32, Quantity>,
    late: Option<(&str, Rate)>,
    settings: &Settings,
) -> i64 {
    let sale = &returning.sale;
    if left == &left_of(sale, &BTreeMap::new()) {
        return returning.earned;
    }
    let own = sale.member.as_ref().map(|member| (member.rank.as_str(), member.rank_rate));
    let date = NaiveDate::from_num_days_from_ce_opt(returning.sold_on).unwrap_or(NaiveDate::MAX);
    let used = used_on_left(returning, left);
    let lines = kept_lines(&sale.lines, left);
    let lines: Vec<&SaleLine> = lines.iter().collect();
    let earned = earned_on(&lines, used, own.or(late), settings, date);
    // What cannot be worked out is not taken back.
    earned.unwrap_or(returning.earned).clamp(0, returning.earned.max(0))
}

/// Points used on the goods the customer still has: their shares where points were a discount, else
/// their part of the whole, rounded down.
fn used_on_left(returning: &CartReturn, left: &BTreeMap<u32, Quantity>) -> i64 {
    let sale = &returning.sale;
    let lines = kept_lines(&sale.lines, left);
    let shares = |lines: &[SaleLine]| -> Money { lines.iter().map(|l| l.points_share).sum() };
    let sold = sold_lines(sale.lines.as_slice());
    if !shares(&sold).is_zero() {
        return shares(&lines).minor();
    }
    let net = |lines: &[SaleLine]| -> i64 { lines.iter().map(|line| line.net().minor()).sum() };
    match net(&sold) {
        all if all > 0 => {
            let part = i128::from(sale.points_used) * i128::from(net(&lines)) / i128::from(all);
            i64::try_from(part).unwrap_or(sale.points_used)
        }
        _ => 0,
    }
}

fn sold_lines(lines: &[SaleLine]) -> Vec<SaleLine> {
    lines.iter().filter(|line| !line.item.is_return()).cloned().collect()
}

/// The lines as if only what is left had been sold.
fn kept_lines(lines: &[SaleLine], left: &BTreeMap<u32, Quantity>) -> Vec<SaleLine> {
    let kept = (1..).zip(lines).filter_map(|(place, line)| {
        let left = *left.get(&place).filter(|left| **left > Quantity::ZERO)?;
        let worth = kept_of(line, left);
        let mut kept = line.clone();
        kept.item.quantity = left;
        kept.discount = worth.discount;
        kept.amount = worth.amount;
        kept.points_share = worth.points_share;
        kept.sale_discount = worth.amount - worth.points_share - worth.net;
        Some(kept)
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::points::UseAs;
    use crate::domain::register::test_shop::{CARD, Shop};

    /// `japan.md` 9, PT-08: the member has 3 points, 6 must come back.
    #[test]
    fn points_already_spent_come_back_as_the_shop_has_settled() {
        for (returns, want, after) in [
            (Returns::Negative, (6, 0), -3),
            (Returns::Deduct, (6, 3), 0),
            (Returns::Keep, (3, 0), 0),
        ] {
            let back = settled(6, 0, 3, returns);
            assert_eq!((back.taken_back, back.deducted), want, "{returns:?}");
            assert_eq!(3 + back.given_back - back.taken_back + back.deducted, after);
        }
    }

    #[test]
    fn points_given_back_pay_for_points_taken_back() {
        let back = settled(6, 10, 0, Returns::Deduct);
        assert_eq!((back.taken_back, back.given_back, back.deducted), (6, 10, 0));
    }

    /// PT-08 at the counter: 6 points were earned, 3 of them are left.
    #[test]
    fn a_refund_pays_for_points_that_are_gone() {
        for (returns, cash, balance) in
            [(Returns::Negative, -600, -3), (Returns::Deduct, -597, 0), (Returns::Keep, -600, 0)]
        {
            let mut shop = Shop::staffless();
            shop.change(|settings| settings.points.returns = returns);
            shop.member(CARD, 0);
            let card = format!("member {CARD}");
            let receipt = shop.sell(&[&card, "department 2 600"]);
            shop.sell(&[&card, "department 2 50", "use_points 3"]);
            shop.give(&format!("return {receipt}"));
            shop.give("tender_cash");
            assert_eq!(shop.last_cash(), Money::new(cash), "{returns:?}");
            assert_eq!(shop.balance(CARD), balance, "{returns:?}");
        }
    }

    #[test]
    fn what_was_paid_with_points_is_refunded_in_points() {
        let mut shop = Shop::staffless();
        shop.change(|settings| settings.points.use_as = UseAs::Tender);
        shop.member(CARD, 500);
        let card = format!("member {CARD}");
        let receipt = shop.sell(&[&card, "department 2 500", "use_points 500"]);
        shop.give(&format!("exchange {receipt} 1"));
        shop.give("department 2 700");
        shop.give("tender_cash");
        assert_eq!(shop.last_cash(), Money::new(700), "the points are on the card again");
        assert_eq!(shop.balance(CARD), 507);
    }

    #[test]
    fn points_come_back_the_same_in_one_go_or_piece_by_piece() {
        let orders: [&[&str]; 3] = [&[""], &["1:1", "1:1", "1:1", "2"], &["2 1:2", "1"]];
        for order in orders {
            let mut shop = Shop::staffless();
            shop.member("2900000000018", 50);
            let lines = [
                "member 2900000000018",
                "quantity 3",
                "scan 4901234567894",
                "department 2 333",
                "use_points 50",
            ];
            let receipt = shop.sell(&lines);
            let earned = shop.last_sale().points_earned;
            assert_eq!(earned, 10);
            assert_eq!(shop.balance("2900000000018"), 10);
            let mut refunded = Money::ZERO;
            for lines in order {
                shop.give(&format!("return {receipt} {lines}"));
                shop.give("tender_cash");
                refunded += shop.last_sale().totals.total;
            }
            assert_eq!(refunded, Money::new(-(744 + 333 - 50)), "{order:?}");
            assert_eq!(shop.balance("2900000000018"), 50, "{order:?}");
        }
    }

    /// Goods that left the sale after the points were laid on it take no points with them.
    #[test]
    fn points_as_a_tender_never_exceed_the_total() {
        let mut shop = Shop::staffless();
        shop.change(|settings| settings.points.use_as = UseAs::Tender);
        shop.member(CARD, 500);
        shop.give(&format!("member {CARD}"));
        shop.give("department 2 300");
        shop.give("department 2 500");
        shop.give("use_points 500");
        shop.give("void_line");
        shop.give("tender_cash");
        assert_eq!(shop.last_sale().points_used, 300);
        assert_eq!(shop.balance(CARD), 200);
    }

    /// Tobacco earns nothing, but bears points that were used as a tender.
    #[test]
    fn goods_that_earn_nothing_move_no_points_by_the_order_they_come_back_in() {
        for order in [["1", "2"], ["2", "1"]] {
            let mut shop = Shop::staffless();
            shop.change(|settings| {
                settings.points.use_as = UseAs::Tender;
                settings.points.unit_yen = 1;
            });
            shop.member(CARD, 500);
            let card = format!("member {CARD}");
            let lines =
                [&card, "scan 4912345678904", "age_checked", "department 2 900", "use_points 500"];
            let receipt = shop.sell(&lines);
            for line in order {
                shop.give(&format!("return {receipt} {line}"));
                shop.give("tender_cash");
            }
            assert_eq!(shop.balance(CARD), 500, "{order:?}");
        }
    }

    #[test]
    fn a_member_below_zero_buys_and_earns_as_anyone() {
        let mut shop = Shop::staffless();
        shop.member(CARD, -120);
        shop.sell(&[&format!("member {CARD}"), "department 2 500"]);
        assert_eq!(shop.balance(CARD), -115);
    }
}
