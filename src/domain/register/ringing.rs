//! Ringing up: goods become a line, or raise the line they were just rung on.
//!
//! Room: domain. May touch: std.
//! Invariant: lines are always 1…n; the same code scanned twice running raises the line.

use super::cart::MOST_LINES;
use super::{Applied, Cart, Context, ItemView, Refused, Register};
use crate::domain::command::{Command, Discount, MOST_PIECES};
use crate::domain::item::{Item, Unit};
use crate::domain::money::Money;
use crate::domain::quantity::{Quantity, UnitPrice};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::sale::{LineItem, SaleId};
use crate::domain::settings::Department;
use crate::domain::tax::TaxMode;

/// A line about to be rung.
#[derive(Debug, Clone, PartialEq)]
pub struct Rung {
    pub item: Item,
    pub price: UnitPrice,
    pub price_mode: TaxMode,
    /// What the code itself said about the quantity: a case, a weight.
    pub quantity: Option<Quantity>,
    /// The code as scanned, so that the same label twice is seen as the same.
    pub scanned: String,
    /// A label with its own price is a line of its own every time.
    pub joins: bool,
    /// What the date on the label takes off by the shop's rules.
    pub near_date: Option<Discount>,
    /// The label's best-before date has passed: sold, and said.
    pub past_best: bool,
}

impl Rung {
    /// Whether the label names the price: it is then neither a weight nor a number of pieces.
    pub fn is_priced_by_its_code(&self) -> bool {
        !self.joins && self.quantity.is_none() && self.has_price()
    }

    /// Nought is no price: neither a label nor a file says so of goods that are given away.
    fn has_price(&self) -> bool {
        self.price != UnitPrice::ZERO
    }
}

impl Register {
    /// Takes goods as a line, or asks for the price that neither code nor file has.
    pub(super) fn ring(&self, rung: Rung, context: &mut Context<'_>) -> Result<Applied, Refusal> {
        if rung.has_price() {
            return self.ring_priced(rung, context);
        }
        self.may_ring(&self.cart)?;
        if !self.cart.has_sale() {
            self.day_open_for_sale(context.now)?;
        }
        let mut applied = self.unchanged();
        applied.cart.selected = None;
        applied.cart.just_scanned = None;
        applied.answer.item = Some(self.item_view(&rung.item));
        applied.answer.needs.push("price");
        applied.session.asking = Some(Box::new(rung));
        Ok(applied)
    }

    /// The goods whose price is asked.
    pub fn price_asked(&self) -> Option<&str> {
        self.session.asking.as_ref().map(|rung| rung.item.name.as_str())
    }

    /// Rings the goods that were asked for at the price keyed, in the mode their code has.
    ///
    /// # Errors
    /// `confirm` for a price that is unusual in their department.
    pub(super) fn price_answered(
        &self,
        rung: &Rung,
        amount: Money,
        context: &mut Context<'_>,
    ) -> Result<Applied, Refused> {
        if let Some(department) = self.settings.department(rung.item.department) {
            let again = Command::PriceOverride(amount);
            self.usual_in(department, &rung.item.name, amount, again)?;
        }
        let rung = Rung { price: amount.into(), ..rung.clone() };
        let mut applied = self.ring_priced(rung, context)?;
        applied.session.asking = None;
        Ok(applied)
    }

    /// A price that was keyed and is unusual in its department is asked once more.
    fn usual_in(
        &self,
        department: &Department,
        name: &str,
        amount: Money,
        again: Command,
    ) -> Result<(), Refused> {
        if department.expects(amount) || self.session.confirmed {
            return Ok(());
        }
        let refusal = Refusal::new(RefusalCode::Confirm)
            .saying("confirm_department")
            .with("name", name)
            .with("amount", amount.grouped());
        Err(self.asking_again(refusal, again))
    }

    /// Takes goods as a line, or raises the line of the same code.
    fn ring_priced(&self, rung: Rung, context: &mut Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        self.may_ring(&applied.cart)?;
        let cart = &mut applied.cart;
        let pending = cart.pending.map(|pending| pending.quantity);
        if rung.item.flags.weighed && pending.is_none() && rung.quantity.is_none() && rung.joins {
            return Err(Refusal::new(RefusalCode::BadArgument)
                .saying("weight_needed")
                .with("name", &rung.item.name)
                .with("unit", rung.item.unit.word()));
        }
        let quantity = line_quantity(pending, rung.quantity, rung.item.unit)?;
        let quantity = if cart.open_return { -quantity } else { quantity };
        let again = pending.is_none()
            && rung.joins
            && cart.just_scanned.as_deref() == Some(rung.scanned.as_str());
        let raised = again && cart.lines.last().is_some_and(|line| joins(line, &rung));
        if raised {
            let line = cart.lines.last_mut().expect("a line to raise");
            line.quantity = line.quantity + quantity;
        } else {
            self.begin_sale(cart, context)?;
            let line = self.line_of(&rung, quantity, cart.eat_in);
            cart.lines.push(line);
        }
        cart.selected = None;
        cart.pending = None;
        cart.just_scanned = if pending.is_none() { Some(rung.scanned.clone()) } else { None };
        cart.subtotalled = false;
        if rung.item.flags.age20 && cart.needs_age_check() {
            applied.answer.needs.push("age_check");
        }
        if rung.past_best {
            applied.answer.needs.push("best_before");
        }
        applied.answer.item = Some(self.item_view(&rung.item));
        self.priced(applied, context)
    }

    fn may_ring(&self, cart: &Cart) -> Result<(), Refusal> {
        self.no_tender_in(cart)?;
        if cart.returning.is_some() && cart.open_return {
            return Err(RefusalCode::OpenSale.into());
        }
        if cart.lines.len() >= MOST_LINES {
            return Err(Refusal::new(RefusalCode::Full)
                .saying("too_many_lines")
                .with("lines", MOST_LINES));
        }
        Ok(())
    }

    pub(super) fn no_tender_in(&self, cart: &Cart) -> Result<(), Refusal> {
        if cart.tenders.is_empty() { Ok(()) } else { Err(RefusalCode::Tendered.into()) }
    }

    /// Gives the sale its id with its first line.
    ///
    /// # Errors
    /// `closed_day`: a day that waits for its Z takes no new sale, and says so before the first item.
    pub(super) fn begin_sale(
        &self,
        cart: &mut Cart,
        context: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        if cart.id == SaleId::default() {
            self.day_open_for_sale(context.now)?;
            cart.id = SaleId((context.new_id)());
        }
        Ok(())
    }

    /// Refuses a change whose amounts would not fit, before it is true.
    pub(super) fn priced(
        &self,
        mut applied: Applied,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let priced = super::price(&applied.cart, &self.settings, context.now.civil_date())?;
        if !priced.waiting.is_empty() {
            applied.answer.needs.push("coupon_minimum");
        }
        Ok(applied)
    }

    fn line_of(&self, rung: &Rung, quantity: Quantity, eat_in: bool) -> LineItem {
        let item = &rung.item;
        let class = self.class_of(item);
        let (class, own_class) = match eat_in && class == "reduced" {
            true => ("standard".to_owned(), Some(class)),
            false => (class, None),
        };
        LineItem {
            code: item.code.clone(),
            name: item.name.clone(),
            printed: item.printed_name().to_owned(),
            department: item.department,
            quantity,
            unit: item.unit,
            unit_price: rung.price,
            list_price: None,
            price_mode: rung.price_mode,
            class,
            own_class,
            flags: item.flags,
            discount: rung.near_date,
            cost: item.cost,
            origin: None,
        }
    }

    /// The item's tax class, else its department's, else standard.
    pub fn class_of(&self, item: &Item) -> String {
        let department = self.settings.department(item.department);
        let by_department = || department.map(|department| department.tax_class.clone());
        item.tax_class.clone().or_else(by_department).unwrap_or_else(|| "standard".to_owned())
    }

    /// The item as lists show it.
    pub fn item_view(&self, item: &Item) -> ItemView {
        ItemView::of(item, &self.class_of(item))
    }

    pub(super) fn department(
        &self,
        number: u16,
        amount: Money,
        context: &mut Context<'_>,
    ) -> Result<Applied, Refused> {
        let department = self.settings.department(number).ok_or_else(|| {
            Refusal::new(RefusalCode::UnknownCode).saying("no_department").with("number", number)
        })?;
        if amount.is_zero() {
            return Err(Refusal::new(RefusalCode::PriceNeeded)
                .saying("price_needed_department")
                .with("name", &department.name)
                .into());
        }
        let again = Command::Department { number, amount };
        self.usual_in(department, &department.name, amount, again)?;
        let mut item = Item::new(format!("D{number:02}"), &department.name, amount.into());
        (item.department, item.flags) = (number, department.flags);
        let rung = Rung {
            price: amount.into(),
            price_mode: self.settings.tax.price_mode,
            quantity: None,
            // Pressing the same department with the same price again is one more of it.
            scanned: format!("D{number:02} {amount}", amount = amount.minor()),
            joins: true,
            near_date: None,
            past_best: false,
            item,
        };
        Ok(self.ring(rung, context)?)
    }
}

/// Keyed quantity times what the code holds; goods by the piece come in whole pieces.
pub(super) fn line_quantity(
    keyed: Option<Quantity>,
    coded: Option<Quantity>,
    unit: Unit,
) -> Result<Quantity, Refusal> {
    let keyed = keyed.unwrap_or(Quantity::ONE);
    let quantity = match coded {
        None => keyed,
        Some(coded) => Quantity::new(keyed.decimal() * coded.decimal()),
    };
    if unit == Unit::Each && quantity.whole().is_none() {
        return Err(Refusal::new(RefusalCode::BadArgument)
            .saying("whole_pieces")
            .with("quantity", quantity));
    }
    if quantity > Quantity::from(MOST_PIECES) {
        let refusal = Refusal::new(RefusalCode::Over).saying("quantity_over");
        return Err(refusal.with("most", Money::new(MOST_PIECES).grouped()));
    }
    Ok(quantity)
}

fn joins(line: &LineItem, rung: &Rung) -> bool {
    line.code == rung.item.code
        && line.unit_price == rung.price
        && line.discount == rung.near_date
        && line.list_price.is_none()
        && line.origin.is_none()
}

#[cfg(test)]
mod tests {
    use crate::domain::item::{Item, ItemFlags, Unit};
    use crate::domain::refusal::RefusalCode;
    use crate::domain::register::test_shop::Shop;

    /// The weight is keyed as every quantity is, and the line before it is another's.
    #[test]
    fn goods_by_weight_wait_for_it_and_leave_the_line_before_alone() {
        let mut shop = Shop::staffless();
        let mut grapes = Item::new("201", "ぶどう", 248.into());
        (grapes.unit, grapes.flags.weighed) = (Unit::Per100g, true);
        let milk = Item::new("101", "牛乳", 258.into());
        for item in [grapes, milk] {
            shop.memory.items.insert(item.code.clone(), item);
        }
        shop.give("scan 101");
        assert_eq!(shop.refuse("scan 201").sentence, "weight_needed");
        shop.give("quantity 3.5");
        let rung = |shop: &Shop| {
            let lines = shop.register.cart.lines.iter();
            lines.map(|line| (line.code.clone(), line.quantity.to_string())).collect::<Vec<_>>()
        };
        let both = [("101".to_owned(), "1".to_owned()), ("201".to_owned(), "3.5".to_owned())];
        assert_eq!(rung(&shop), both);
        shop.refuse("scan 201");
        shop.give("scan 101");
        shop.give("quantity 2");
        assert_eq!(rung(&shop)[2], ("101".to_owned(), "2".to_owned()), "other goods came between");
        shop.refuse("scan 201");
        assert_eq!(shop.refuse("confirm").sentence, "nothing_to_confirm", "a yes is no weight");
        shop.give("times 1.2");
        shop.give("scan 201");
        assert_eq!(rung(&shop)[3], ("201".to_owned(), "1.2".to_owned()));
    }

    /// `japan.md` 1.7, 1.10: tobacco by its key is tobacco.
    #[test]
    fn goods_by_department_have_the_flags_of_their_department() {
        let mut shop = Shop::staffless();
        shop.change(|settings| {
            let tobacco = settings.departments.iter_mut().find(|known| known.number == 2).unwrap();
            tobacco.flags =
                ItemFlags::from_words("age20 fixed_price no_discount no_points").unwrap();
        });
        shop.give("department 2 600");
        assert_eq!(shop.refuse("tender_cash").code, RefusalCode::AgeCheck);
        shop.refuse("line_discount 10%");
        shop.refuse("price_override 500");
        shop.give("age_checked");
        shop.sell(&["department 1 100"]);
        let sold = &shop.last_sale().lines;
        assert!(sold[0].item.flags.no_points && !sold[1].item.flags.no_points);
    }
}
