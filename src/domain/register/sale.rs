//! What is done to the sale as a whole: discounts, eating in, parking, giving up.
//!
//! Room: domain. May touch: std.

use super::points_back::points_back;
use super::pricing::discountable;
use super::{Applied, Cart, CartDiscount, Context, Effect, Paper, Register, SaleView, price};
use crate::domain::command::Discount;
use crate::domain::entry::Kind;
use crate::domain::money::Money;
use crate::domain::number::{DocKind, DocNo};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::sale::{LineItem, OnTheWay};
use crate::domain::text::{self, TextFault};

/// The most sales parked at one lane.
const MOST_SUSPENDED: usize = 50;
/// The longest note, in characters.
const LONGEST_NOTE: usize = 200;

impl Register {
    pub(super) fn open_sale(&self) -> Result<Applied, Refusal> {
        if self.cart.has_sale() { Ok(self.unchanged()) } else { Err(RefusalCode::NoSale.into()) }
    }

    pub(super) fn no_open_sale(&self) -> Result<Applied, Refusal> {
        if self.cart.has_sale() { Err(RefusalCode::OpenSale.into()) } else { Ok(self.unchanged()) }
    }

    pub(super) fn subtotal(&self) -> Result<Applied, Refusal> {
        let mut applied = self.open_sale()?;
        applied.cart.subtotalled = true;
        applied.cart.just_scanned = None;
        applied.cart.selected = None;
        if applied.cart.needs_age_check() {
            applied.answer.needs.push("age_check");
        }
        Ok(applied)
    }

    pub(super) fn sale_discount(
        &self,
        discount: Option<Discount>,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let Some(discount) = discount else {
            return self.take_off(|given| given.coupon.is_empty(), "sale_discount_off", context);
        };
        let given = self.cart.discounts.iter().filter(|given| given.coupon.is_empty());
        let together = given.map(|given| given.given).chain([discount]);
        self.within_discount_limit(together, context)?;
        let mut applied = self.open_sale()?;
        self.no_tender_in(&applied.cart)?;
        self.add_discount(&mut applied, discount, String::new(), context)?;
        self.note_approval(&mut applied);
        Ok(applied)
    }

    /// Takes discounts on the whole sale off again; refuses when there is none such.
    pub(super) fn take_off(
        &self,
        which: impl Fn(&CartDiscount) -> bool,
        said: &'static str,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let mut applied = self.open_sale()?;
        self.no_tender_in(&applied.cart)?;
        let before = applied.cart.discounts.len();
        applied.cart.discounts.retain(|given| !which(given));
        if applied.cart.discounts.len() == before {
            return Err(nothing_to_take_off());
        }
        applied.cart.just_scanned = None;
        applied.answer.said = Some(said);
        self.priced(applied, context)
    }

    /// Adds a discount on the whole sale; refuses one that could take nothing off.
    pub(super) fn add_discount(
        &self,
        applied: &mut Applied,
        given: Discount,
        coupon: String,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let priced = price(&applied.cart, &self.settings, context.now.civil_date())?;
        if discountable(&priced.lines).is_zero() {
            return Err(Refusal::new(RefusalCode::Excluded).saying("nothing_to_discount"));
        }
        applied.cart.discounts.push(CartDiscount { given, coupon });
        applied.cart.just_scanned = None;
        Ok(())
    }

    /// Flips food between 8% and 10%: the chosen line, or the whole sale and what is rung after.
    pub(super) fn eat_in(&self, eat_in: bool, context: &Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        let cart = &mut applied.cart;
        self.no_tender_in(cart)?;
        match cart.selected.take() {
            Some(place) => cart.lines.get_mut(place as usize).into_iter().for_each(|line| {
                flip_food(line, eat_in);
            }),
            None => {
                cart.eat_in = eat_in;
                cart.lines.iter_mut().for_each(|line| flip_food(line, eat_in));
            }
        }
        self.priced(applied, context)
    }

    pub(super) fn note(&self, note: &str) -> Result<Applied, Refusal> {
        let mut applied = self.open_sale()?;
        applied.cart.note = free_text(note, LONGEST_NOTE)?;
        Ok(applied)
    }

    pub(super) fn customer_kind(&self, key: &str) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        applied.cart.customer_kind = free_text(key, 20)?;
        Ok(applied)
    }

    pub(super) fn suspend(
        &self,
        name: Option<&str>,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let mut applied = self.open_sale()?;
        self.no_tender_in(&applied.cart)?;
        if self.lane.suspended.len() >= MOST_SUSPENDED {
            return Err(Refusal::new(RefusalCode::Full)
                .saying("too_many_suspended")
                .with("count", MOST_SUSPENDED));
        }
        if self.lane.training {
            return Err(RefusalCode::Training.into());
        }
        let name = name.map(|name| free_text(name, 40)).transpose()?.unwrap_or_default();
        let slip = self.lane.next_number(DocKind::Slip);
        let mut cart = std::mem::take(&mut applied.cart);
        cart.pending = None;
        cart.selected = None;
        cart.just_scanned = None;
        let kind = Kind::SaleSuspended { slip, name, cart: Box::new(cart) };
        applied.entries.push(self.draft(context.now, kind));
        applied.effects.push(Effect::Print(Paper::SuspendSlip { slip }));
        applied.answer.receipt = Some(slip);
        Ok(applied)
    }

    /// Takes a parked sale back: by its slip, its number, or the only one there is.
    pub(super) fn resume(
        &self,
        slip: Option<&str>,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let mut applied = self.no_open_sale()?;
        self.not_in_training()?; // What is parked was rung for real.
        let slip = match slip {
            Some(typed) => self.slip_number(typed)?,
            None => match self.lane.suspended.len() {
                0 => return Err(Refusal::new(RefusalCode::Slip).saying("none_suspended")),
                1 => *self.lane.suspended.keys().next().expect("one suspended sale"),
                _ => {
                    applied.answer.suspended = Some(self.suspended_views(context.now.civil_date()));
                    return Ok(applied);
                }
            },
        };
        let parked = self.lane.suspended.get(&slip);
        let parked = parked.ok_or_else(|| Refusal::new(RefusalCode::Slip).with("slip", slip))?;
        applied.cart = parked.cart.clone();
        applied.cart.resumed_from = Some(slip);
        self.refresh_member(&mut applied.cart, context)?;
        applied.entries.push(self.draft(context.now, Kind::SaleResumed { slip }));
        Ok(applied)
    }

    fn slip_number(&self, typed: &str) -> Result<DocNo, Refusal> {
        if let Ok(number) = typed.parse::<u32>() {
            let kind = DocKind::Slip;
            return Ok(DocNo { number, ..DocNo { kind, ..self.lane.next_number(kind) } });
        }
        let read = typed.parse::<DocNo>().ok().filter(|number| number.kind == DocKind::Slip);
        read.ok_or_else(|| Refusal::new(RefusalCode::Slip).with("slip", text::cleaned(typed)))
    }

    /// A member's balance may have moved while the sale was parked.
    fn refresh_member(&self, cart: &mut Cart, context: &Context<'_>) -> Result<(), Refusal> {
        let Some(attached) = &cart.member else { return Ok(()) };
        cart.member = self.cart_member(&attached.code.clone(), context)?;
        if cart.member.is_none() {
            cart.points_used = 0;
        }
        Ok(())
    }

    pub(super) fn void_sale(&self, context: &Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        if applied.cart.is_empty() {
            let asking = self.session.asking.is_some(); // The question is given up.
            return if asking { Ok(applied) } else { Err(RefusalCode::NoSale.into()) };
        }
        self.no_tender_in(&applied.cart)?;
        let cart = std::mem::take(&mut applied.cart);
        if cart.has_sale() {
            // A sale parked under other settings may have no total any more; it can be given up.
            let priced = price(&cart, &self.settings, context.now.civil_date());
            let amount = priced.map_or(Money::ZERO, |priced| priced.totals.total);
            let lines = cart.lines.len() as u32;
            let kind = Kind::SaleVoided { id: cart.id, lines, amount };
            applied.entries.push(self.draft(context.now, kind));
            if cart.on_the_way != OnTheWay::default() {
                let kind = Kind::NoSaleCame { id: cart.id, done: Box::new(cart.on_the_way) };
                applied.entries.push(self.draft(context.now, kind));
            }
        }
        Ok(applied)
    }

    /// The open sale as JSON and screens show it, priced now.
    pub fn view_of(&self, cart: &Cart, civil_date: i32) -> Option<SaleView> {
        let priced = price(cart, &self.settings, civil_date).ok()?;
        let owner =
            cart.returning.as_ref().zip(cart.member.as_ref()).filter(|(returning, member)| {
                returning.member.as_deref() == Some(member.code.as_str())
            });
        let back = owner
            .map(|(returning, member)| points_back(cart, returning, member.points, &self.settings));
        Some(SaleView::open(cart, &priced, back.unwrap_or_default()))
    }
}

pub(super) fn nothing_to_take_off() -> Refusal {
    Refusal::new(RefusalCode::Excluded).saying("nothing_to_take_off")
}

/// Food eaten here is taxed at the standard rate; taken along again, at its own.
fn flip_food(line: &mut LineItem, eat_in: bool) {
    if line.origin.is_some() {
        return;
    }
    if eat_in && line.class == "reduced" {
        line.own_class = Some(std::mem::replace(&mut line.class, "standard".to_owned()));
    } else if !eat_in && let Some(own) = line.own_class.take() {
        line.class = own;
    }
}

/// One line of free text: clean, not a payment card's number, not too long.
pub(super) fn free_text(typed: &str, longest: usize) -> Result<String, Refusal> {
    text::clean_free(typed.trim(), longest).map_err(text_refusal)
}

pub(super) fn text_refusal(fault: TextFault) -> Refusal {
    let refusal = Refusal::new(RefusalCode::Text);
    match fault {
        TextFault::Unprintable => refusal,
        TextFault::TooLong { max_chars } => refusal.saying("text_too_long").with("max", max_chars),
        TextFault::CardNumber => refusal.saying("payment_card"),
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::money::Money;
    use crate::domain::refusal::RefusalCode;
    use crate::domain::register::test_shop::Shop;

    #[test]
    fn a_change_that_leaves_no_total_is_refused() {
        let mut shop = Shop::staffless();
        shop.give("department 1 99999999");
        assert_eq!(shop.refuse("quantity 2").code, RefusalCode::Over);
        shop.change(|settings| settings.tax.price_mode = crate::domain::tax::TaxMode::Excluded);
        shop.give("void_sale");
        shop.give("department 2 90000000");
        shop.give("line_tax exempt");
        shop.give("department 2 5000000");
        shop.give("select_line 1");
        assert_eq!(shop.refuse("line_tax standard").code, RefusalCode::Over);
        shop.give("void_sale");
    }

    /// The next customer's goods are others: what was given on these goes with the last of them.
    #[test]
    fn discounts_leave_with_the_last_line() {
        let mut shop = Shop::staffless();
        shop.give("department 2 500");
        shop.give("sale_discount 100");
        shop.give("void_line");
        shop.sell(&["department 2 300"]);
        assert_eq!(shop.last_sale().totals.total, Money::new(300));
    }

    /// Goods that were rung and taken off again are what a manager asks about: they count once, on the day
    /// and for whom they happened, and never on the next customer's sale.
    #[test]
    fn a_line_taken_off_is_counted_once_whatever_becomes_of_its_sale() {
        let mut shop = Shop::staffless();
        let voided = |shop: &Shop| {
            let day = shop.register.lane.day.as_ref().unwrap();
            (day.voided_lines.count, day.voided_lines.amount, day.voided_sales.count)
        };
        shop.give("open_day 1000");
        shop.give("department 2 445");
        shop.give("void_line");
        assert_eq!(voided(&shop), (1, Money::new(445), 0), "the last line of a sale");
        shop.sell(&["department 2 300"]);
        assert!(shop.last_sale().on_the_way.voided.is_empty(), "it was not this customer's");
        shop.give("department 2 100");
        shop.give("department 2 200");
        shop.give("void_line");
        assert_eq!(voided(&shop).0, 1, "its sale is still open");
        shop.give("void_sale");
        assert_eq!(voided(&shop), (2, Money::new(645), 1), "the whole sale was given up");
        shop.give("department 2 100");
        shop.sell(&["department 2 200", "void_line", "department 2 50"]);
        assert_eq!(voided(&shop), (3, Money::new(845), 1), "the sale came");
        assert_eq!(shop.last_sale().on_the_way.voided.len(), 1);
    }
}
