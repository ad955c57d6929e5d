//! Goods that come back: by receipt, without one, or against others; and the points they take along.
//!
//! Room: domain. May touch: std. What a returned line is worth is in `kept`.
//! Invariant: no more comes back than was sold; piece by piece in any order moves the same points.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::kept::{kept_of, left_after, left_of};
use super::pricing::earned_on;
use super::{Applied, Cart, CartReturn, Context, Now, Priced, Register, StoredSale};
use crate::domain::command::ReturnLine;
use crate::domain::item::Unit;
use crate::domain::money::Money;
use crate::domain::number::DocKind;
use crate::domain::points::{self, Returns};
use crate::domain::quantity::{Quantity, Rate};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::sale::{LineItem, Origin, SaleLine, TenderKind};
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

impl Register {
    /// Begins or widens a return. Without lines everything comes back that is left.
    ///
    /// # Errors
    /// `receipt` for one that is unknown, voided or of no sale; `returned` with what is left;
    /// `open_sale` beside other goods or another receipt's.
    pub(super) fn return_goods(
        &self,
        receipt: &str,
        lines: &[ReturnLine],
        context: &mut Context<'_>,
    ) -> Result<Applied, Refusal> {
        let stored = self.returnable(receipt, context)?;
        let mut applied = self.unchanged();
        self.take_returning(&mut applied.cart, &stored, context)?;
        let returning = applied.cart.returning.clone().expect("a return has just begun");
        let left = left_after(&applied.cart, &returning);
        let wanted = match lines {
            [] => everything(&left)?,
            lines => wanted(lines, &stored, left)?,
        };
        for (line, quantity) in wanted {
            take_back(&mut applied.cart, &stored, line, quantity);
        }
        self.begin_sale(&mut applied.cart, context);
        applied.cart.selected = None;
        applied.cart.pending = None;
        applied.cart.just_scanned = None;
        self.priced(applied, context)
    }

    /// Brings one line back, for other goods to be rung in its place.
    pub(super) fn exchange(
        &self,
        receipt: &str,
        line: u32,
        context: &mut Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.return_goods(receipt, &[ReturnLine { line, quantity: None }], context)
    }

    /// Goods rung from here come back without a receipt.
    pub(super) fn return_open(&self, _context: &Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.no_open_sale()?;
        self.not_in_training()?;
        applied.cart.open_return = true;
        Ok(applied)
    }

    /// A receipt of which goods may come back.
    fn returnable(&self, receipt: &str, context: &Context<'_>) -> Result<StoredSale, Refusal> {
        self.not_in_training()?;
        let stored = self.stored_sale(receipt, context)?;
        let number = stored.sale.number;
        let of_goods = number.kind == DocKind::Receipt && !stored.training;
        if !of_goods {
            return Err(receipt_refusal("receipt_not_of_sale", number));
        }
        if stored.voided {
            return Err(receipt_refusal("receipt_voided", number));
        }
        Ok(stored)
    }

    /// Ties the cart to the receipt, unless it holds anything else.
    fn take_returning(
        &self,
        cart: &mut Cart,
        stored: &StoredSale,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        self.no_tender_in(cart)?;
        let number = stored.sale.number;
        let same = cart.returning.as_ref().is_some_and(|known| known.sale.number == number);
        let others = cart.lines.iter().any(|line| line.origin.is_none());
        if cart.open_return || others || (cart.returning.is_some() && !same) {
            return Err(RefusalCode::OpenSale.into());
        }
        if same {
            return Ok(());
        }
        let returning = self.cart_return(stored, context)?;
        cart.member = match &returning.member {
            Some(code) => self.cart_member(code, context)?,
            None => cart.member.take(),
        };
        cart.points_used = 0;
        cart.returning = Some(returning);
        Ok(())
    }

    fn cart_return(
        &self,
        stored: &StoredSale,
        context: &Context<'_>,
    ) -> Result<CartReturn, Refusal> {
        let of_sale = stored.sale.member.as_ref().map(|member| member.code.clone());
        let member = match of_sale.or_else(|| stored.late_member.clone()) {
            // A member erased since then has no points to move.
            Some(code) => self.cart_member(&code, context)?.map(|member| member.code),
            None => None,
        };
        Ok(CartReturn {
            sold_on: sold_on(stored),
            returned_before: stored.returned.clone(),
            points_taken_back_before: stored.points_taken_back,
            points_given_back_before: stored.points_given_back,
            member,
            earned: stored.sale.points_earned + stored.late_points,
            sale: Box::new(stored.sale.clone()),
        })
    }
}

/// The civil day of a sale where it was sold, in days from the common era.
pub(super) fn sold_on(stored: &StoredSale) -> i32 {
    let now = Now {
        utc_ms: stored.at_ms,
        offset_minutes: stored.offset_minutes,
        clock: crate::domain::entry::Clock::System,
    };
    now.civil_date()
}

pub(super) fn receipt_refusal(sentence: &'static str, number: impl std::fmt::Display) -> Refusal {
    Refusal::new(RefusalCode::Receipt).saying(sentence).with("receipt", number)
}

fn everything(left: &BTreeMap<u32, Quantity>) -> Result<Vec<(u32, Quantity)>, Refusal> {
    let all: Vec<_> = left
        .iter()
        .filter(|(_, left)| **left > Quantity::ZERO)
        .map(|(line, left)| (*line, *left))
        .collect();
    match all.is_empty() {
        true => Err(Refusal::new(RefusalCode::Returned).saying("all_returned")),
        false => Ok(all),
    }
}

/// Checks each line against what is left of it, one after the other.
fn wanted(
    lines: &[ReturnLine],
    stored: &StoredSale,
    mut left: BTreeMap<u32, Quantity>,
) -> Result<Vec<(u32, Quantity)>, Refusal> {
    let mut wanted = Vec::with_capacity(lines.len());
    for asked in lines {
        let of_line = left.get_mut(&asked.line).ok_or_else(|| {
            Refusal::new(RefusalCode::Line)
                .with("line", asked.line)
                .with("lines", stored.sale.lines.len())
        })?;
        let quantity = asked.quantity.unwrap_or(*of_line);
        if quantity > *of_line || quantity <= Quantity::ZERO {
            return Err(Refusal::new(RefusalCode::Returned)
                .with("line", asked.line)
                .with("left", *of_line));
        }
        let sold = &stored.sale.lines[asked.line as usize - 1].item;
        if sold.unit == Unit::Each && quantity.whole().is_none() {
            return Err(Refusal::new(RefusalCode::BadArgument)
                .saying("whole_pieces")
                .with("quantity", quantity));
        }
        *of_line = *of_line - quantity;
        wanted.push((asked.line, quantity));
    }
    Ok(wanted)
}

/// Adds to the line that is coming back already, or begins one.
fn take_back(cart: &mut Cart, stored: &StoredSale, line: u32, quantity: Quantity) {
    let origin = Some(Origin { receipt: stored.sale.number, line });
    match cart.lines.iter_mut().find(|coming| coming.origin == origin) {
        Some(coming) => coming.quantity = coming.quantity - quantity,
        None => {
            let sold = stored.sale.lines[line as usize - 1].item.clone();
            cart.lines.push(LineItem { quantity: -quantity, origin, ..sold });
        }
    }
}

/// Returns the points a priced return moves; `balance` is the member's before it.
pub(super) fn points_back(
    cart: &Cart,
    returning: &CartReturn,
    _priced: &Priced,
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
    let given_back = (used(&before) - used(&after)).max(0);
    let to_take = (earned(&before) - earned(&after)).max(0);
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
fn settled(to_take: i64, given_back: i64, balance: i64, returns: Returns) -> PointsBack {
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

    fn sell(shop: &mut Shop, lines: &[&str]) -> String {
        for line in lines {
            shop.give(line);
        }
        shop.give("tender_cash");
        shop.last_sale().number.to_string()
    }

    #[test]
    fn no_more_comes_back_than_was_sold() {
        let mut shop = Shop::staffless();
        let receipt = sell(&mut shop, &["quantity 3", "scan 4901234567894", "scan 1"]);
        shop.give(&format!("return {receipt} 1:2"));
        let refusal = shop.refuse(&format!("return {receipt} 1:2"));
        assert_eq!(refusal.code, RefusalCode::Returned);
        assert!(refusal.args.contains(&("left", "1".to_owned())), "{refusal}");
        assert_eq!(shop.refuse(&format!("return {receipt} 1:0.5")).sentence, "whole_pieces");
        assert_eq!(shop.refuse(&format!("return {receipt} 3")).code, RefusalCode::Line);
        shop.give("tender_cash");
        shop.give(&format!("return {receipt}"));
        assert_eq!(shop.register.cart.lines.len(), 2);
        shop.give("tender_cash");
        assert_eq!(shop.refuse(&format!("return {receipt}")).sentence, "all_returned");
        assert_eq!(shop.last_sale().number.to_string(), "01-R000002");
    }

    #[test]
    fn a_return_stands_beside_nothing_else() {
        let mut shop = Shop::staffless();
        let one = sell(&mut shop, &["scan 1"]);
        let other = sell(&mut shop, &["scan 1"]);
        shop.give("scan 1");
        assert_eq!(shop.refuse(&format!("return {one}")).code, RefusalCode::OpenSale);
        assert_eq!(shop.refuse("return_open").code, RefusalCode::OpenSale);
        shop.give("void_sale");
        shop.give(&format!("return {one}"));
        assert_eq!(shop.refuse(&format!("return {other}")).code, RefusalCode::OpenSale);
        shop.give("tender_cash");
        let returned = shop.last_sale().number.to_string();
        for (receipt, sentence) in [
            (returned.as_str(), "receipt_not_of_sale"),
            ("01-009999", "receipt"),
            ("milk", "receipt"),
        ] {
            assert_eq!(shop.refuse(&format!("return {receipt}")).sentence, sentence);
        }
        shop.give(&format!("void_receipt {other} 打ち間違い"));
        assert_eq!(shop.refuse(&format!("return {other}")).sentence, "receipt_voided");
    }

    #[test]
    fn training_receipts_never_come_back() {
        let mut shop = Shop::staffless();
        shop.give("training_on");
        let receipt = sell(&mut shop, &["scan 1"]);
        assert_eq!(shop.refuse(&format!("return {receipt}")).code, RefusalCode::Training);
        shop.give("training_off");
        assert_eq!(shop.refuse(&format!("return {receipt}")).sentence, "receipt_not_of_sale");
    }

    #[test]
    fn an_exchange_is_one_sale_that_pays_the_difference() {
        let mut shop = Shop::staffless();
        let receipt = sell(&mut shop, &["scan 4901234567894"]);
        shop.give(&format!("exchange {receipt} 1"));
        shop.give("department 2 300");
        let due = shop.view().unwrap().due;
        assert_eq!(due, Money::new(52));
        shop.give("tender_cash 100");
        assert_eq!(shop.last_sale().change, Money::new(48));
    }

    #[test]
    fn an_open_return_pays_out_what_is_rung() {
        let mut shop = Shop::staffless();
        shop.give("return_open");
        shop.give("scan 4901234567894");
        assert_eq!(shop.view().unwrap().due, Money::new(-248));
        shop.give("tender_cash");
        assert_eq!(shop.last_sale().number.to_string(), "01-R000001");
        assert!(!shop.register.cart.open_return);
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
            let receipt = sell(&mut shop, &lines);
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

    fn cash_of(sale: &crate::domain::sale::Sale) -> Money {
        let cash = sale.tenders.iter().filter(|tender| tender.kind == TenderKind::Cash);
        cash.map(|tender| tender.applied).sum()
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
            let receipt = sell(&mut shop, &[&card, "department 2 600"]);
            sell(&mut shop, &[&card, "department 2 50", "use_points 3"]);
            shop.give(&format!("return {receipt}"));
            shop.give("tender_cash");
            assert_eq!(cash_of(shop.last_sale()), Money::new(cash), "{returns:?}");
            assert_eq!(shop.balance(CARD), balance, "{returns:?}");
        }
    }

    #[test]
    fn what_was_paid_with_points_is_refunded_in_points() {
        let mut shop = Shop::staffless();
        shop.change(|settings| settings.points.use_as = points::UseAs::Tender);
        shop.member(CARD, 500);
        let card = format!("member {CARD}");
        let receipt = sell(&mut shop, &[&card, "department 2 500", "use_points 500"]);
        shop.give(&format!("exchange {receipt} 1"));
        shop.give("department 2 700");
        shop.give("tender_cash");
        assert_eq!(cash_of(shop.last_sale()), Money::new(700), "the points are on the card again");
        assert_eq!(shop.balance(CARD), 507);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]
        /// Whatever was sold, however it comes back: the customer gets what was paid, the books
        /// their taxes, the card its points.
        #[test]
        fn pieces_in_any_order_sum_to_the_whole(
            excluded in proptest::prelude::any::<bool>(),
            as_tender in proptest::prelude::any::<bool>(),
            lines in proptest::collection::vec((1u32..=2, 1i64..5000, 1i64..5), 1..5),
            off in 0i64..500,
            used in 0i64..300,
            order in proptest::collection::vec((0usize..5, 1i64..4), 0..12),
        ) {
            let mut shop = Shop::staffless();
            shop.change(|settings| {
                if excluded {
                    settings.tax.price_mode = crate::domain::tax::TaxMode::Excluded;
                }
                if as_tender {
                    settings.points.use_as = points::UseAs::Tender;
                }
            });
            shop.member(CARD, 300);
            shop.give(&format!("member {CARD}"));
            for (department, price, pieces) in &lines {
                shop.give(&format!("times {pieces}"));
                shop.give(&format!("department {department} {price}"));
            }
            if off > 0 {
                shop.give(&format!("sale_discount {off}"));
            }
            // Too many for the goods is refused, which is as good a sale as any.
            let _ = shop.try_give(&format!("use_points {used}"));
            shop.give("tender_cash");
            let sold = shop.last_sale().clone();
            let points_used = sold.points_used;
            let mut refunded = Money::ZERO;
            let mut cash = cash_of(&sold);
            let mut taxes = Money::ZERO;
            let mut close = |shop: &mut Shop| {
                shop.give("tender_cash");
                let sale = shop.last_sale();
                refunded += sale.totals.total;
                cash += cash_of(sale);
                taxes += sale.totals.taxes.iter().map(|group| group.tax).sum();
            };
            for (line, pieces) in order {
                let line = line % lines.len() + 1;
                if shop.try_give(&format!("return 1 {line}:{pieces}")).is_ok() {
                    close(&mut shop);
                }
            }
            if shop.try_give("return 1").is_ok() {
                close(&mut shop);
            }
            proptest::prop_assert_eq!(refunded, -sold.totals.total);
            proptest::prop_assert_eq!(cash, Money::ZERO, "used {}", points_used);
            let of_sale: Money = sold.totals.taxes.iter().map(|group| group.tax).sum();
            proptest::prop_assert_eq!(taxes, -of_sale);
            proptest::prop_assert_eq!(shop.balance(CARD), 300, "used {}", points_used);
        }
    }

    /// `japan.md` 9, AP-10: the whole 10% group of AP-01 comes back.
    #[test]
    fn a_return_gives_back_what_was_paid_and_not_what_was_marked() {
        let mut shop = Shop::staffless();
        let lines = ["department 1 5400", "department 2 3300", "sale_discount 1000"];
        let receipt = sell(&mut shop, &lines);
        shop.give(&format!("return {receipt} 2"));
        shop.give("tender_cash");
        let sale = shop.last_sale();
        assert_eq!(sale.totals.total, Money::new(-2921));
        assert_eq!(sale.totals.taxes[0].tax, Money::new(-265));
    }
}
