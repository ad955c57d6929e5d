//! Ringing up: scans, departments, quantities, corrections of a line.
//!
//! Room: domain. May touch: std.
//! Invariant: lines are always 1…n; the same code scanned twice running raises the line.

use super::cart::MOST_LINES;
use super::{Answer, Applied, Cart, Context, ItemFound, ItemView, Pending, Register};
use crate::domain::code::in_store::quantity_of;
use crate::domain::code::pairing::Paired;
use crate::domain::code::{CodeFault, InStoreScan, InStoreValue, Scanned, explain, recognise};
use crate::domain::command::Discount;
use crate::domain::item::{Item, Unit};
use crate::domain::money::Money;
use crate::domain::number::{DocKind, DocNo};
use crate::domain::quantity::{Quantity, Rate, UnitPrice};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::sale::{LineItem, SaleId, VoidedLine};
use crate::domain::tax::TaxMode;
use crate::domain::text;

/// How many rows a search answers at once; screens ask for more by offset.
const FOUND_AT_ONCE: usize = 50;

/// A line about to be rung.
struct Rung {
    item: Item,
    price: UnitPrice,
    price_mode: TaxMode,
    /// What the code itself said about the quantity: a case, a weight.
    quantity: Option<Quantity>,
    /// The code as scanned, so that the same label twice is seen as the same.
    scanned: String,
    /// A label with its own price is a line of its own every time.
    joins: bool,
}

impl Register {
    pub(super) fn scan(&self, raw: &str, context: &mut Context<'_>) -> Result<Applied, Refusal> {
        let scanned = recognise(raw, &self.codes).map_err(|fault| code_refusal(fault, raw))?;
        match &scanned {
            Scanned::Member { code } => match self.goods_before_members(&scanned, code, context)? {
                Some(rung) => self.ring(rung, context),
                None => self.member(code, context),
            },
            Scanned::Coupon { code } => self.coupon(code, context),
            Scanned::Slip { number } => self.resume(Some(number), context),
            Scanned::Receipt { number } => Ok(self.receipt_shown(number)),
            Scanned::Bill(bill) => {
                Err(Refusal::new(RefusalCode::Bill).with("amount", bill.amount.grouped()))
            }
            Scanned::BookRow1 { isbn } => {
                let mut books = self.session.books.clone();
                let paired = books.isbn(*isbn, context.now.utc_ms as u64);
                self.book(paired, books, context)
            }
            Scanned::BookRow2(row) => {
                let mut books = self.session.books.clone();
                let paired = books.price(row.clone(), context.now.utc_ms as u64);
                self.book(paired, books, context)
            }
            _ => {
                let rung = self.goods(&scanned, raw, context)?;
                self.ring(rung, context)
            }
        }
    }

    /// A code that looks like a member card may still be goods of the shop; the item file decides.
    fn goods_before_members(
        &self,
        _scanned: &Scanned,
        code: &str,
        context: &Context<'_>,
    ) -> Result<Option<Rung>, Refusal> {
        match context.shop.item(code)? {
            Some(found) => self.rung(found, code).map(Some),
            None => Ok(None),
        }
    }

    fn receipt_shown(&self, number: &str) -> Applied {
        let mut applied = self.unchanged();
        applied.answer.look = Some(super::Look::Journal(vec![number.to_owned()]));
        applied
    }

    /// Finds the goods of a code and what the code says about price, weight and dates.
    fn goods(&self, scanned: &Scanned, raw: &str, context: &Context<'_>) -> Result<Rung, Refusal> {
        if let Scanned::Gs1(scan) = scanned
            && let Some(last) = scan.last_day_of_sale()
            && last.resolve(context.now.day()) < context.now.day()
        {
            let last = last.resolve(context.now.day());
            return Err(Refusal::new(RefusalCode::Expired).with("date", last));
        }
        if let Scanned::Magazine(magazine) = scanned
            && find(scanned, context)?.is_none()
        {
            let price = magazine.price.ok_or_else(|| price_needed(&magazine.code))?;
            let name = format!("MAG {}-{}", magazine.series, magazine.issue);
            return Ok(self.priced_by_code(&magazine.code, &name, price));
        }
        let found = find(scanned, context)?.ok_or_else(|| unknown(raw))?;
        let mut rung = self.rung(found, raw)?;
        match scanned {
            Scanned::InStore(label) => self.label(label, &mut rung)?,
            Scanned::Magazine(magazine) => {
                if let Some(price) = magazine.price {
                    rung.price = price.into();
                    rung.price_mode = TaxMode::Excluded;
                }
            }
            Scanned::Case { .. } if rung.quantity.is_none() => {
                return Err(Refusal::new(RefusalCode::UnknownCode)
                    .saying("case_unknown")
                    .with("code", raw)
                    .with("name", &rung.item.name));
            }
            Scanned::Gs1(scan) => {
                if let (Some(kilograms), Some(unit)) = (scan.weight_kg, rung.item.unit.grams()) {
                    let grams = kilograms.decimal() * rust_decimal::Decimal::ONE_THOUSAND;
                    rung.quantity = Some(Quantity::new(grams / rust_decimal::Decimal::from(unit)));
                }
                if let Some(price) = scan.price {
                    rung.price = price;
                    rung.quantity = None;
                    rung.joins = false;
                }
            }
            _ => {}
        }
        Ok(rung)
    }

    fn rung(&self, found: ItemFound, scanned: &str) -> Result<Rung, Refusal> {
        let item = found.item;
        if item.flags.not_for_sale {
            return Err(Refusal::new(RefusalCode::NotForSale).with("name", &item.name));
        }
        Ok(Rung {
            price: item.price,
            price_mode: item.price_mode.unwrap_or(self.settings.tax.price_mode),
            quantity: found.pieces.map(|pieces| i64::from(pieces).into()),
            scanned: scanned.to_owned(),
            joins: true,
            item,
        })
    }

    fn label(&self, label: &InStoreScan, rung: &mut Rung) -> Result<(), Refusal> {
        match &label.value {
            InStoreValue::Price { amount, mode } => {
                rung.price = (*amount).into();
                rung.price_mode = mode.unwrap_or(rung.price_mode);
                rung.joins = false;
            }
            InStoreValue::Weight { grams } => {
                let unit = rung.item.unit.grams().unwrap_or(100);
                rung.quantity = quantity_of(*grams, unit);
                rung.joins = false;
            }
            InStoreValue::Blank => return Err(price_needed(&label.master)),
        }
        Ok(())
    }

    /// Goods that are not on file but carry their price (a book, a magazine): price without tax.
    fn priced_by_code(&self, code: &str, name: &str, price: Money) -> Rung {
        let mut item = Item::new(code, name, price.into());
        item.flags.fixed_price = true;
        Rung {
            item,
            price: price.into(),
            price_mode: TaxMode::Excluded,
            quantity: None,
            scanned: code.to_owned(),
            joins: true,
        }
    }

    fn book(
        &self,
        paired: Paired,
        books: crate::domain::code::pairing::BookPairing,
        context: &mut Context<'_>,
    ) -> Result<Applied, Refusal> {
        let mut applied = match paired {
            Paired::Isbn(isbn) => match context.shop.item(&isbn.to_string())? {
                Some(found) => self.ring(self.rung(found, &isbn.to_string())?, context)?,
                None => self.waiting_for_book_row(),
            },
            Paired::PriceWaits(_) => self.waiting_for_book_row(),
            Paired::Both { isbn, row, isbn_was_first } => {
                let code = isbn.to_string();
                let price = row.price.ok_or_else(|| price_needed(&code))?;
                let sold = self.cart.lines.last().is_some_and(|line| line.code == code);
                if isbn_was_first && sold {
                    self.reprice_last_by_code(price)
                } else {
                    let rung = match context.shop.item(&code)? {
                        Some(found) => {
                            let mode = TaxMode::Excluded;
                            Rung {
                                price: price.into(),
                                price_mode: mode,
                                ..self.rung(found, &code)?
                            }
                        }
                        None => self.priced_by_code(&code, &format!("ISBN {code}"), price),
                    };
                    self.ring(rung, context)?
                }
            }
        };
        applied.session.books = books;
        Ok(applied)
    }

    fn waiting_for_book_row(&self) -> Applied {
        let mut applied = self.unchanged();
        applied.answer.needs.push("book_row");
        applied
    }

    /// The price row came after the book was sold from the item file: the code's price wins.
    fn reprice_last_by_code(&self, price: Money) -> Applied {
        let mut applied = self.unchanged();
        if let Some(line) = applied.cart.lines.last_mut() {
            line.unit_price = price.into();
            line.price_mode = TaxMode::Excluded;
        }
        applied
    }

    /// Takes goods as a line, or raises the line of the same code.
    fn ring(&self, rung: Rung, context: &mut Context<'_>) -> Result<Applied, Refusal> {
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
        applied: Applied,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        super::price(&applied.cart, &self.settings, context.now.civil_date())?;
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
            discount: None,
            cost: item.cost,
            origin: None,
        }
    }

    /// The item's tax class, else its department's, else standard.
    pub(super) fn class_of(&self, item: &Item) -> String {
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
    ) -> Result<Applied, Refusal> {
        let department = self.settings.department(number).ok_or_else(|| {
            Refusal::new(RefusalCode::UnknownCode).saying("no_department").with("number", number)
        })?;
        if amount.is_zero() {
            return Err(price_needed(&department.name));
        }
        let mut item = Item::new(format!("D{number:02}"), &department.name, amount.into());
        item.department = number;
        let rung = Rung {
            price: amount.into(),
            price_mode: self.settings.tax.price_mode,
            quantity: None,
            // Pressing the same department with the same price again is one more of it.
            scanned: format!("D{number:02} {amount}", amount = amount.minor()),
            joins: true,
            item,
        };
        self.ring(rung, context)
    }

    pub(super) fn quantity(
        &self,
        quantity: Quantity,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        let cart = &mut applied.cart;
        self.no_tender_in(cart)?;
        let straight_after = cart.just_scanned.is_some() || cart.selected.is_some();
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
        if line.flags.fixed_price && !may_pass {
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
        discount: Discount,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        self.no_tender_in(&applied.cart)?;
        let place = target(&applied.cart)?;
        self.within_discount_limit(discount, context)?;
        let line = &mut applied.cart.lines[place];
        if line.flags.no_discount || line.origin.is_some() {
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

    /// Hand discounts past the shop's limits need its higher level (`reliability.md` L7).
    pub(super) fn within_discount_limit(
        &self,
        discount: Discount,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let limits = &self.settings.limits;
        let within = match discount {
            Discount::Amount(amount) => amount <= limits.discount,
            Discount::Percent(percent) => percent <= limits.discount_percent,
        };
        if within || self.effective_level(context.now) >= limits.level {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::Limit)
            .saying("limit_discount")
            .with("amount", limits.discount.grouped())
            .with("percent", limits.discount_percent)
            .with("level", limits.level))
    }

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
        line.own_class = if own == class { None } else { Some(own) };
        line.class = class.to_owned();
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
        let priced = super::price(&applied.cart, &self.settings, context.now.civil_date())?;
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
            // They were given on these goods; the next customer's are others.
            cart.discounts.clear();
            cart.points_used = 0;
        }
        self.priced(applied, context)
    }

    pub(super) fn select_line(&self, line: u32) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        let place = place_of(&applied.cart, line)?;
        applied.cart.selected = Some(place as u32);
        Ok(applied)
    }

    pub(super) fn inquire(&self, code: &str, context: &Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        let scanned = recognise(code, &self.codes).map_err(|fault| code_refusal(fault, code))?;
        let explained = explain::explain(&scanned);
        applied.answer.explained =
            explained.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if let Scanned::Member { code } = &scanned {
            applied.answer.member = self.member_view(code, context)?;
        }
        if let Some(found) = find(&scanned, context)? {
            applied.answer.item = Some(self.item_view(&found.item));
        }
        Ok(applied)
    }

    pub(super) fn find_item(&self, text: &str, context: &Context<'_>) -> Result<Applied, Refusal> {
        let text = text::cleaned(text);
        let found = context.shop.find_items(&text, FOUND_AT_ONCE)?;
        let items = found.iter().map(|item| self.item_view(item)).collect();
        let answer = Answer { items: Some(items), ..Answer::default() };
        Ok(Applied { answer, ..self.unchanged() })
    }

    pub(super) fn age_checked(&self) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        if !applied.cart.has_sale() {
            return Err(RefusalCode::NoSale.into());
        }
        if applied.cart.needs_age_check() {
            applied.cart.on_the_way.age_checks += 1;
        }
        applied.cart.age_checked = true;
        Ok(applied)
    }
}

/// Looks the code's readings up, the likeliest first.
fn find(scanned: &Scanned, context: &Context<'_>) -> Result<Option<ItemFound>, Refusal> {
    for code in scanned.lookups() {
        if let Some(found) = context.shop.item(&code)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
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

/// Keyed quantity times what the code holds; goods by the piece come in whole pieces.
fn line_quantity(
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
    if quantity > Quantity::from(99_999) {
        return Err(RefusalCode::Over.into());
    }
    Ok(quantity)
}

fn joins(line: &LineItem, rung: &Rung) -> bool {
    line.code == rung.item.code
        && line.unit_price == rung.price
        && line.discount.is_none()
        && line.list_price.is_none()
        && line.origin.is_none()
}

fn lowest_price(list: UnitPrice, percent: Rate) -> i64 {
    let hundred = rust_decimal::Decimal::ONE_HUNDRED;
    let lowest = list.decimal() * (hundred - percent.decimal()) / hundred;
    UnitPrice::new(lowest.ceil()).whole().unwrap_or(0)
}

fn unknown(code: &str) -> Refusal {
    Refusal::new(RefusalCode::UnknownCode).with("code", text::cleaned(code))
}

fn price_needed(what: &str) -> Refusal {
    Refusal::new(RefusalCode::PriceNeeded).with("name", what)
}

/// Words a code that does not hold.
pub(super) fn code_refusal(fault: CodeFault, raw: &str) -> Refusal {
    let shown: String = text::cleaned(raw).chars().take(80).collect();
    match fault {
        CodeFault::CheckDigit { expected } => {
            Refusal::new(RefusalCode::CheckDigit).with("code", shown).with("expected", expected)
        }
        CodeFault::PriceCheckDigit { expected } => Refusal::new(RefusalCode::CheckDigit)
            .saying("price_check_digit")
            .with("code", shown)
            .with("expected", expected),
        CodeFault::Shape => unknown(&shown),
        CodeFault::TooLong => Refusal::new(RefusalCode::BadArgument).saying("scan_too_long"),
        CodeFault::Control => Refusal::new(RefusalCode::BadArgument).saying("scan_control"),
        CodeFault::PaymentCard => Refusal::new(RefusalCode::BadArgument).saying("payment_card"),
    }
}

/// Reads a receipt's number as staff type it: `01-000123`, or a running number of this lane.
pub(super) fn receipt_number(register: &Register, typed: &str) -> Result<DocNo, Refusal> {
    let not_one = || Refusal::new(RefusalCode::Receipt).with("receipt", text::cleaned(typed));
    if let Ok(number) = typed.parse::<u32>() {
        let (lane, epoch) = (register.lane.lane, register.lane.epoch);
        return Ok(DocNo { lane, epoch, kind: DocKind::Receipt, number });
    }
    typed.parse().map_err(|_| not_one())
}
