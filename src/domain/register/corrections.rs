//! Correcting a line: its quantity, price, discount, tax class; taking it off again.
//!
//! Room: domain. May touch: std.
//! Invariant: a line that came from a receipt keeps what that receipt says.

use rust_decimal::Decimal;

use super::ringing::line_quantity;
use super::sale::nothing_to_take_off;
use super::{Applied, Cart, Context, Pending, Register, price};
use crate::domain::command::Discount;
use crate::domain::entry::Kind;
use crate::domain::money::Money;
use crate::domain::quantity::{Quantity, Rate, UnitPrice};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::sale::VoidedLine;

/// The level that may tax a line as no food is taxed, as that of other overrides.
const OTHER_CLASS_LEVEL: u8 = 3;

impl Register {
    pub(super) fn quantity(
        &self,
        quantity: Quantity,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        let cart = &mut applied.cart;
        self.no_tender_in(cart)?;
        let straight_after = cart.just_scanned.is_some() || cart.selected.is_some();
        let straight_after = straight_after && self.session.asking.is_none();
        let target = cart.target().filter(|_| straight_after && cart.pending.is_none());
        match target {
            None => cart.pending = Some(Pending { quantity }),
            Some(place) => {
                let line = &mut cart.lines[place];
                if line.origin.is_some() {
                    return Err(Refusal::new(RefusalCode::Excluded).saying("returned_line_fixed"));
                }
                let quantity = line_quantity(Some(quantity), None, line.unit)?;
                line.quantity = if line.is_return() { -quantity } else { quantity };
                cart.just_scanned = None;
                cart.selected = None;
            }
        }
        cart.subtotalled = false;
        self.priced(applied, context)
    }

    pub(super) fn times(&self, quantity: Quantity) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        self.no_tender_in(&applied.cart)?;
        applied.cart.pending = Some(Pending { quantity });
        Ok(applied)
    }

    pub(super) fn repeat(&self, context: &mut Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        let cart = &mut applied.cart;
        self.no_tender_in(cart)?;
        let more = cart.pending.take().map_or(Quantity::ONE, |pending| pending.quantity);
        let line = cart.lines.last_mut().ok_or(RefusalCode::NoSale)?;
        if line.origin.is_some() {
            return Err(Refusal::new(RefusalCode::Excluded).saying("returned_line_fixed"));
        }
        let more = line_quantity(Some(more), None, line.unit)?;
        line.quantity = if line.is_return() { line.quantity - more } else { line.quantity + more };
        cart.selected = None;
        self.priced(applied, context)
    }

    pub(super) fn price_override(
        &self,
        amount: Money,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        self.no_tender_in(&applied.cart)?;
        let place = target(&applied.cart)?;
        let limits = &self.settings.limits;
        let may_pass = self.effective_level(context.now) >= limits.level;
        let line = &mut applied.cart.lines[place];
        if line.origin.is_some() {
            return Err(Refusal::new(RefusalCode::Excluded).saying("returned_line_fixed"));
        }
        if line.flags.fixed_price && !self.approved_past_limits(context.now) {
            return Err(Refusal::new(RefusalCode::FixedPrice).with("name", &line.name));
        }
        let list = line.list_price.unwrap_or(line.unit_price);
        let lowest = lowest_price(list, limits.override_percent);
        if amount.minor() < lowest && !may_pass {
            return Err(Refusal::new(RefusalCode::Limit)
                .saying("limit_override")
                .with("percent", limits.override_percent)
                .with("lowest", lowest)
                .with("level", limits.level));
        }
        line.list_price = Some(list);
        line.unit_price = amount.into();
        applied.cart.on_the_way.overrides += 1;
        self.note_approval(&mut applied);
        applied.cart.just_scanned = None;
        applied.cart.selected = None;
        self.priced(applied, context)
    }

    pub(super) fn line_discount(
        &self,
        discount: Option<Discount>,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        self.no_tender_in(&applied.cart)?;
        let place = target(&applied.cart)?;
        let Some(discount) = discount else { return self.take_line_discount_off(place, context) };
        self.within_discount_limit([discount], context)?;
        let line = &mut applied.cart.lines[place];
        let no_discount = line.flags.no_discount || line.origin.is_some();
        if line.flags.fixed_price && !no_discount && !self.approved_past_limits(context.now) {
            return Err(Refusal::new(RefusalCode::FixedPrice).with("name", &line.name));
        }
        if no_discount {
            return Err(Refusal::new(RefusalCode::Excluded)
                .saying("no_discount_item")
                .with("name", &line.name));
        }
        line.discount = Some(discount);
        self.note_approval(&mut applied);
        applied.cart.just_scanned = None;
        applied.cart.selected = None;
        self.priced(applied, context)
    }

    fn take_line_discount_off(
        &self,
        place: usize,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        let line = &mut applied.cart.lines[place];
        if line.origin.is_some() || line.discount.take().is_none() {
            return Err(nothing_to_take_off());
        }
        applied.cart.just_scanned = None;
        applied.cart.selected = None;
        applied.answer.said = Some("line_discount_off");
        self.priced(applied, context)
    }

    /// Hand discounts that come together past the shop's limits need its higher level
    /// (`reliability.md` L7): one on a line, or all on the sale.
    pub(super) fn within_discount_limit(
        &self,
        together: impl IntoIterator<Item = Discount>,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let limits = &self.settings.limits;
        let (amount, percent) = come_to(together);
        let within = amount <= limits.discount && percent <= limits.discount_percent.decimal();
        if within || self.effective_level(context.now) >= limits.level {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::Limit)
            .saying("limit_discount")
            .with("amount", limits.discount.grouped())
            .with("percent", limits.discount_percent)
            .with("level", limits.level))
    }

    /// Gives a line another tax class. Food is eaten in or taken out by anyone; another class is a
    /// reprice in all but name, and of goods at a fixed price it moves nothing.
    ///
    /// # Errors
    /// `level` for any class but those of food, `fixed_price` when the customer would pay another sum.
    pub(super) fn line_tax(&self, class: &str, context: &Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        self.no_tender_in(&applied.cart)?;
        let place = target(&applied.cart)?;
        if !self.settings.tax_classes.has(class) {
            return Err(Refusal::new(RefusalCode::BadArgument)
                .saying("no_tax_class")
                .with("class", class));
        }
        let line = &mut applied.cart.lines[place];
        if line.origin.is_some() {
            return Err(Refusal::new(RefusalCode::Excluded).saying("returned_line_fixed"));
        }
        let own = line.own_class.take().unwrap_or_else(|| line.class.clone());
        let of_food = |class: &str| ["standard", "reduced"].contains(&class);
        if own != class && !(of_food(&own) && of_food(class)) {
            self.need_level(OTHER_CLASS_LEVEL, "line_tax", context.now)?;
        }
        line.own_class = if own == class { None } else { Some(own) };
        line.class = class.to_owned();
        let (fixed_price, name) = (line.flags.fixed_price, line.name.clone());
        let pays = |cart| price(cart, &self.settings, context.now.civil_date());
        let moves =
            fixed_price && pays(&applied.cart)?.totals.total != pays(&self.cart)?.totals.total;
        if moves && !self.approved_past_limits(context.now) {
            return Err(Refusal::new(RefusalCode::FixedPrice).with("name", name));
        }
        self.note_approval(&mut applied);
        applied.cart.selected = None;
        self.priced(applied, context)
    }

    pub(super) fn void_line(
        &self,
        line: Option<u32>,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        self.no_tender_in(&applied.cart)?;
        let place = match line {
            None => target(&applied.cart)?,
            Some(number) => place_of(&applied.cart, number)?,
        };
        let priced = price(&applied.cart, &self.settings, context.now.civil_date())?;
        let cart = &mut applied.cart;
        let gone = cart.lines.remove(place);
        cart.on_the_way.voided.push(VoidedLine {
            code: gone.code,
            name: gone.name,
            quantity: gone.quantity,
            amount: priced.lines[place].amount,
        });
        cart.selected = None;
        cart.just_scanned = None;
        cart.subtotalled = false;
        if cart.lines.iter().all(|line| line.origin.is_none()) {
            cart.returning = None;
        }
        if cart.lines.is_empty() {
            // They were given on these goods; the next customer's are others, and so is the customer.
            cart.age_checked = false;
            cart.discounts.clear();
            cart.points_used = 0;
            // What is rung next is another sale, perhaps by somebody else.
            let (id, done) = (std::mem::take(&mut cart.id), std::mem::take(&mut cart.on_the_way));
            let kind = Kind::NoSaleCame { id, done: Box::new(done) };
            applied.entries.push(self.draft(context.now, kind));
        }
        self.priced(applied, context)
    }

    pub(super) fn select_line(&self, line: u32) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        let place = place_of(&applied.cart, line)?;
        applied.cart.selected = Some(place as u32);
        Ok(applied)
    }

    /// Notes that the customer is old enough for the goods rung so far, and so for any of that age.
    ///
    /// # Errors
    /// `excluded` with nothing to check: a check before the goods would let them through unseen.
    pub(super) fn age_checked(&self) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        if !applied.cart.has_sale() {
            return Err(RefusalCode::NoSale.into());
        }
        if !applied.cart.needs_age_check() {
            return Err(Refusal::new(RefusalCode::Excluded).saying("no_age_to_check"));
        }
        applied.cart.on_the_way.age_checks += 1;
        applied.cart.age_checked = true;
        Ok(applied)
    }
}

fn target(cart: &Cart) -> Result<usize, Refusal> {
    cart.target()
        .filter(|place| *place < cart.lines.len())
        .ok_or_else(|| RefusalCode::NoSale.into())
}

fn place_of(cart: &Cart, line: u32) -> Result<usize, Refusal> {
    let place = (line as usize).checked_sub(1).filter(|place| *place < cart.lines.len());
    place.ok_or_else(|| {
        Refusal::new(RefusalCode::Line).with("line", line).with("lines", cart.lines.len())
    })
}

/// What discounts come to: the yen of all amounts, and the percentage of one after the other.
fn come_to(discounts: impl IntoIterator<Item = Discount>) -> (Money, Decimal) {
    let (mut amount, mut left) = (Money::ZERO, Decimal::ONE);
    for discount in discounts {
        match discount {
            Discount::Amount(more) => amount += more,
            Discount::Percent(rate) | Discount::NearDate(rate) => {
                left *= Decimal::ONE - rate.decimal() / Decimal::ONE_HUNDRED;
            }
        }
    }
    (amount, (Decimal::ONE - left) * Decimal::ONE_HUNDRED)
}

fn lowest_price(list: UnitPrice, percent: Rate) -> i64 {
    let hundred = Decimal::ONE_HUNDRED;
    let lowest = list.decimal() * (hundred - percent.decimal()) / hundred;
    UnitPrice::new(lowest.ceil()).whole().unwrap_or(0)
}
