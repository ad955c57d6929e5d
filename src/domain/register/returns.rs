//! Goods that come back: by receipt, without one, or against others.
//!
//! Room: domain. May touch: std. What a returned line is worth is in `kept`, its points in `points_back`.
//! Invariant: no more comes back than was sold; piece by piece in any order sums to the whole.

use std::collections::BTreeMap;

use super::kept::{left_after, left_of};
use super::{Applied, Cart, CartReturn, Context, Now, Refused, Register, StoredSale};
use crate::domain::command::{Command, ReturnLine};
use crate::domain::item::Unit;
use crate::domain::number::DocKind;
use crate::domain::quantity::Quantity;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::sale::{LineItem, Origin};

impl Register {
    /// Begins or widens a return. Without lines everything comes back that is left.
    ///
    /// # Errors
    /// `receipt` for one that is unknown, voided or of no sale; `returned` with what is left;
    /// `open_sale` beside other goods or another receipt's; `confirm`, once a return, while the
    /// customer holds a formal receipt of it.
    pub(super) fn return_goods(
        &self,
        receipt: &str,
        lines: &[ReturnLine],
        context: &mut Context<'_>,
    ) -> Result<Applied, Refused> {
        let stored = self.returnable(receipt, context)?;
        let begun = self.cart.returning.is_some();
        let mut applied = self.unchanged();
        self.take_returning(&mut applied.cart, &stored, context)?;
        let returning = applied.cart.returning.clone().expect("a return has just begun");
        let left = left_after(&applied.cart, &returning);
        let wanted = match lines {
            [] => everything(&left)?,
            lines => wanted(lines, &stored, left)?,
        };
        self.not_held(&stored, wanted.iter().map(|(line, _)| *line), context)?;
        if !begun {
            let (receipt, lines) = (receipt.to_owned(), lines.to_vec());
            self.formals_taken_back(&stored, Command::Return { receipt, lines })?;
        }
        for (line, quantity) in wanted {
            take_back(&mut applied.cart, &stored, line, quantity);
        }
        self.begin_sale(&mut applied.cart, context)?;
        applied.cart.selected = None;
        applied.cart.pending = None;
        applied.cart.just_scanned = None;
        Ok(self.priced(applied, context)?)
    }

    /// Brings one line back, for other goods to be rung in its place.
    pub(super) fn exchange(
        &self,
        receipt: &str,
        line: u32,
        context: &mut Context<'_>,
    ) -> Result<Applied, Refused> {
        self.return_goods(receipt, &[ReturnLine { line, quantity: None }], context)
    }

    /// Goods rung from here come back without a receipt.
    pub(super) fn return_open(&self) -> Result<Applied, Refusal> {
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
        cart.points_used = 0;
        self.bind(cart, self.cart_return(stored, context)?, context)
    }

    /// While a member's goods come back, the sale is theirs.
    fn bind(
        &self,
        cart: &mut Cart,
        returning: CartReturn,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        if let Some(code) = &returning.member {
            let same = cart.member.as_ref().is_some_and(|member| member.code == *code);
            cart.points_used = if same { cart.points_used } else { 0 };
            cart.member = self.cart_member(code, context)?;
        }
        cart.returning = Some(returning);
        Ok(())
    }

    /// Looks at the receipt once more before its goods are paid out: since they were brought, while
    /// this sale was parked or another lane was quicker, it may have been undone, more of it may have
    /// come back, or it may have given points late.
    ///
    /// # Errors
    /// `receipt` when it is undone; `returned` with the line and what is left of it.
    pub(super) fn renew_return(
        &self,
        cart: &mut Cart,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let Some(known) = cart.returning.as_ref().filter(|_| cart.tenders.is_empty()) else {
            return Ok(());
        };
        let stored = self.returnable(&known.sale.number.to_string(), context)?;
        let renewed = self.cart_return(&stored, context)?;
        let short = left_after(cart, &renewed).into_iter().find(|(_, left)| *left < Quantity::ZERO);
        if let Some((line, _)) = short {
            let left = left_of(&renewed.sale, &renewed.returned_before)[&line];
            return Err(Refusal::new(RefusalCode::Returned).with("line", line).with("left", left));
        }
        let coming = cart.lines.iter().filter_map(|line| line.origin.as_ref());
        self.not_held(&stored, coming.map(|origin| origin.line), context)?;
        self.bind(cart, renewed, context)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Money;
    use crate::domain::points::UseAs;
    use crate::domain::register::test_shop::{CARD, Shop};

    #[test]
    fn no_more_comes_back_than_was_sold() {
        let mut shop = Shop::staffless();
        let receipt = shop.sell(&["quantity 3", "scan 4901234567894", "scan 1"]);
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
        let one = shop.sell(&["scan 1"]);
        let other = shop.sell(&["scan 1"]);
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
        let receipt = shop.sell(&["scan 1"]);
        assert_eq!(shop.refuse(&format!("return {receipt}")).code, RefusalCode::Training);
        shop.give("training_off");
        assert_eq!(shop.refuse(&format!("return {receipt}")).sentence, "receipt_not_of_sale");
    }

    #[test]
    fn an_exchange_is_one_sale_that_pays_the_difference() {
        let mut shop = Shop::staffless();
        let receipt = shop.sell(&["scan 4901234567894"]);
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
                    settings.points.use_as = UseAs::Tender;
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
            let mut cash = shop.last_cash();
            let mut taxes = Money::ZERO;
            let mut close = |shop: &mut Shop| {
                shop.give("tender_cash");
                let sale = shop.last_sale();
                refunded += sale.totals.total;
                cash += shop.last_cash();
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
        let receipt = shop.sell(&lines);
        shop.give(&format!("return {receipt} 2"));
        shop.give("tender_cash");
        let sale = shop.last_sale();
        assert_eq!(sale.totals.total, Money::new(-2921));
        assert_eq!(sale.totals.taxes[0].tax, Money::new(-265));
    }

    /// A discount on goods without a receipt lessens what is paid out for them.
    #[test]
    fn an_open_return_pays_out_less_a_discount() {
        for (discount, want) in [("100", -148), ("10%", -223), ("999", 0)] {
            let mut shop = Shop::staffless();
            shop.give("return_open");
            shop.give("scan 4901234567894");
            shop.give(&format!("line_discount {discount}"));
            assert_eq!(shop.view().unwrap().due, Money::new(want), "{discount}");
        }
    }

    #[test]
    fn goods_come_back_once_however_long_the_return_was_parked() {
        let mut shop = Shop::staffless();
        let receipt = shop.sell(&["quantity 2", "scan 1"]);
        shop.give(&format!("return {receipt}"));
        shop.give("suspend");
        shop.give(&format!("return {receipt} 1:1"));
        shop.give("tender_cash");
        shop.give("resume");
        let refusal = shop.refuse("tender_cash");
        assert_eq!(refusal.code, RefusalCode::Returned);
        assert!(refusal.args.contains(&("left", "1".to_owned())), "{refusal}");
        shop.give("void_sale");
    }

    #[test]
    fn nothing_is_paid_out_for_a_receipt_undone_meanwhile() {
        let mut shop = Shop::staffless();
        let receipt = shop.sell(&["scan 1"]);
        shop.give(&format!("return {receipt}"));
        shop.give(&format!("void_receipt {receipt} 打ち間違い"));
        assert_eq!(shop.refuse("tender_cash").sentence, "receipt_voided");
    }

    #[test]
    fn points_given_late_to_a_return_under_way_go_back_with_it() {
        let mut shop = Shop::staffless();
        shop.member(CARD, 0);
        let receipt = shop.sell(&["department 2 500"]);
        shop.give(&format!("return {receipt}"));
        shop.give(&format!("late_points {receipt} {CARD}"));
        assert_eq!(shop.balance(CARD), 5);
        shop.give("tender_cash");
        assert_eq!(shop.balance(CARD), 0);
    }
}
