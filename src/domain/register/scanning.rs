//! What a code means here: goods, a member, a coupon, a slip, a receipt; and looking goods up.
//!
//! Room: domain. May touch: std.
//! Invariant: goods are rung only by a code that holds, on a day they may be sold, at a price they have.

use super::ringing::{Rung, line_quantity};
use super::{Answer, Applied, Context, ItemFound, Now, Refused, Register};
use crate::domain::code::in_store::quantity_of;
use crate::domain::code::pairing::{BookPairing, Paired};
use crate::domain::code::{
    CodeFault, Gs1Scan, Gtin, InStoreScan, InStoreValue, Scanned, explain, recognise,
};
use crate::domain::command::{Command, Discount};
use crate::domain::item::Item;
use crate::domain::money::Money;
use crate::domain::number::{DocKind, DocNo};
use crate::domain::quantity::{Quantity, UnitPrice};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::settings::{Department, Settings, near_date_percent};
use crate::domain::tax::{TaxMode, convert};
use crate::domain::text;

/// How many rows a search answers at once; screens ask for more by offset.
const FOUND_AT_ONCE: usize = 50;
/// Goods whose price is only on their labels never cost less.
const LEAST_LABEL: Money = Money::new(10);

impl Register {
    pub(super) fn scan(&self, raw: &str, context: &mut Context<'_>) -> Result<Applied, Refused> {
        let scanned = recognise(raw, &self.codes).map_err(|fault| code_refusal(fault, raw))?;
        if !matches!(scanned, Scanned::InStore(_) | Scanned::Gs1(_)) {
            return Ok(self.scan_known(&scanned, raw, context)?);
        }
        let rung = self.goods(&scanned, raw, context)?;
        let passed = match rung.is_priced_by_its_code() {
            true => self.price_on_label(&rung, raw, context.now)?,
            false => PricePassed::Expected,
        };
        let mut applied = self.ring(rung, context)?;
        if passed == PricePassed::Approved {
            self.note_approval(&mut applied);
        }
        Ok(applied)
    }

    fn scan_known(
        &self,
        scanned: &Scanned,
        raw: &str,
        context: &mut Context<'_>,
    ) -> Result<Applied, Refusal> {
        match scanned {
            Scanned::Member { code } => match goods_before_members(code, raw, context)? {
                Some(found) => self.ring(self.rung(found, code)?, context),
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
            _ => match self.goods(scanned, raw, context) {
                Ok(rung) => self.ring(rung, context),
                Err(refusal) if refusal.code == RefusalCode::UnknownCode => {
                    match member_of(scanned, raw, context)? {
                        Some(member) => self.member(&member, context),
                        None => Err(refusal),
                    }
                }
                Err(refusal) => Err(refusal),
            },
        }
    }

    /// Holds the price on a label against what the goods may cost (`reliability.md` 8.28).
    ///
    /// # Errors
    /// `limit` for a cashier, `confirm` for who may decide: nobody sells for one yen without seeing it.
    fn price_on_label(&self, rung: &Rung, raw: &str, now: Now) -> Result<PricePassed, Refused> {
        let expected = Expected::of(&rung.item, &self.settings);
        if expected.holds(rung.price) {
            return Ok(PricePassed::Expected);
        }
        if self.session.approval.is_some_and(|approval| {
            approval.until_ms >= now.utc_ms && approval.level >= self.settings.limits.level
        }) {
            return Ok(PricePassed::Approved);
        }
        if self.session.confirmed {
            return Ok(PricePassed::Expected);
        }
        let refusal = |code: RefusalCode, sentence| {
            Refusal::new(code)
                .saying(sentence)
                .with("name", &rung.item.name)
                .with("price", rung.price)
                .with("lowest", expected.lowest.grouped())
                .with("highest", expected.highest.grouped())
                .with("level", self.settings.limits.level)
        };
        if self.own_level() < self.settings.limits.level {
            return Err(refusal(RefusalCode::Limit, "limit_label").into());
        }
        let command = Command::Scan { code: raw.to_owned() };
        Err(self.asking_again(refusal(RefusalCode::Confirm, "confirm_label"), command))
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
            let price = magazine.price.unwrap_or(Money::ZERO); // Without the add-on it is asked.
            let name = format!("MAG {}-{}", magazine.series, magazine.issue);
            return Ok(self.priced_by_code(&magazine.code, &name, price));
        }
        let found = find(scanned, context)?.ok_or_else(|| unknown(raw))?;
        let mut rung = self.rung(found, raw)?;
        match scanned {
            Scanned::InStore(label) => read_label(label, &mut rung),
            Scanned::Magazine(magazine) => {
                if let Some(price) = magazine.price {
                    rung.price = price.into();
                    rung.price_mode = TaxMode::Excluded;
                }
            }
            Scanned::Case { gtin, .. } if rung.quantity.is_none() => {
                return Err(case_unknown(gtin, &rung.item));
            }
            Scanned::Gs1(scan) => {
                if let (Some(kilograms), Some(unit)) = (scan.weight_kg, rung.item.unit.grams()) {
                    let grams = kilograms.decimal() * rust_decimal::Decimal::ONE_THOUSAND;
                    rung.quantity = Some(Quantity::new(grams / rust_decimal::Decimal::from(unit)));
                }
                let by_weight = rung.item.unit.grams().is_some();
                if scan.weight_kg.is_some() && !by_weight && scan.price.is_none() {
                    return Err(Refusal::new(RefusalCode::BadArgument)
                        .saying("weight_of_pieces")
                        .with("name", &rung.item.name));
                }
                if let Some(count) = scan.count.filter(|count| *count > 0 && !by_weight) {
                    let counted = Some(Quantity::from(i64::from(count)));
                    rung.quantity = Some(line_quantity(counted, rung.quantity, rung.item.unit)?);
                }
                if let Some(price) = scan.price {
                    rung.price = price;
                    rung.quantity = None;
                    rung.joins = false;
                } else if let Some(gtin) = scan.gtin.filter(|gtin| gtin.indicator() == 9)
                    && rung.quantity.is_none()
                {
                    return Err(case_unknown(&gtin, &rung.item)); // How much is in it, nobody says.
                }
                let today = context.now.day();
                rung.past_best = scan.best_before.is_some_and(|date| date.resolve(today) < today);
                rung.near_date = self.near_date(scan, &rung.item, context.now);
            }
            _ => {}
        }
        Ok(rung)
    }

    /// What the shop takes off goods near the date on their label. A best-before date stops no sale,
    /// and past it no rule holds.
    fn near_date(&self, scan: &Gs1Scan, item: &Item, now: Now) -> Option<Discount> {
        if !item.flags.takes_discounts() {
            return None;
        }
        let last = scan.last_day_of_sale().or(scan.best_before)?.resolve(now.day());
        let days_left = (last - now.day()).num_days();
        near_date_percent(&self.settings.near_dates, days_left).map(Discount::NearDate)
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
            near_date: None,
            past_best: false,
            item,
        })
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
            near_date: None,
            past_best: false,
        }
    }

    fn book(
        &self,
        paired: Paired,
        books: BookPairing,
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
                let sold = self.cart.lines.last().is_some_and(|line| line.code == code);
                let on_file = context.shop.item(&code)?;
                let differs = on_file
                    .as_ref()
                    .zip(row.price)
                    .is_some_and(|(found, price)| self.differs(&found.item, price, context.now));
                // A row of noughts names no price: sold from the file it stays, else it is asked.
                let price = row.price.unwrap_or(Money::ZERO);
                let mut applied = if isbn_was_first && sold {
                    row.price.map_or_else(|| self.unchanged(), |price| self.reprice_last(price))
                } else {
                    let rung = match on_file {
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
                };
                if differs {
                    applied.answer.needs.push("book_price");
                }
                applied
            }
        };
        applied.session.books = books;
        Ok(applied)
    }

    /// Whether a book's printed price, without tax, is another than the one on file.
    fn differs(&self, item: &Item, price: Money, now: Now) -> bool {
        let class = self.class_of(item).parse().unwrap_or_default();
        let rate = self.settings.tax_classes.on(&class, now.day()).and_then(|row| row.rate);
        let mode = item.price_mode.unwrap_or(self.settings.tax.price_mode);
        let rounding = self.settings.tax.rounding;
        let on_file = rate.and_then(|rate| convert(price, rate, TaxMode::Excluded, mode, rounding));
        item.price != on_file.unwrap_or(price).into()
    }

    fn waiting_for_book_row(&self) -> Applied {
        let mut applied = self.unchanged();
        applied.answer.needs.push("book_row");
        applied
    }

    /// The price row came after the book was sold from the item file: the code's price wins.
    fn reprice_last(&self, price: Money) -> Applied {
        let mut applied = self.unchanged();
        if let Some(line) = applied.cart.lines.last_mut() {
            line.unit_price = price.into();
            line.price_mode = TaxMode::Excluded;
        }
        applied
    }

    pub(super) fn inquire(&self, code: &str, context: &Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        let scanned = recognise(code, &self.codes).map_err(|fault| code_refusal(fault, code))?;
        let explained = explain::explain(&scanned);
        applied.answer.explained =
            explained.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let found = match &scanned {
            Scanned::Member { code: card } => goods_before_members(card, code, context)?,
            _ => find(&scanned, context)?,
        };
        let member = match &scanned {
            _ if found.is_some() => None,
            Scanned::Member { code } => Some(code.clone()),
            _ => member_of(&scanned, code, context)?,
        };
        if let Some(member) = member {
            applied.answer.member = self.member_view(&member, context)?;
        }
        if let Some(found) = found {
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
}

/// What a label may say the goods cost, in yen.
struct Expected {
    lowest: Money,
    highest: Money,
}

impl Expected {
    /// The department's own bounds; else so many times the item's price, up or down.
    fn of(item: &Item, settings: &Settings) -> Self {
        let all = Self { lowest: Money::ZERO, highest: Money::MAX_KEYED };
        let department = settings.department(item.department);
        if let Some(Department { lowest, highest, .. }) =
            department.filter(|department| department.has_bounds())
        {
            let lowest = lowest.unwrap_or(all.lowest);
            return Self { lowest, highest: highest.unwrap_or(all.highest) };
        }
        let times = rust_decimal::Decimal::from(settings.limits.label_times);
        if times.is_zero() {
            return all;
        }
        let price = item.price.decimal();
        if price.is_zero() {
            return Self { lowest: LEAST_LABEL, ..all };
        }
        let yen = |price: rust_decimal::Decimal| UnitPrice::new(price).whole().map(Money::new);
        Self {
            lowest: yen((price / times).ceil()).unwrap_or(all.lowest),
            highest: yen((price * times).floor()).unwrap_or(all.highest),
        }
    }

    fn holds(&self, price: UnitPrice) -> bool {
        price >= self.lowest.into() && price <= self.highest.into()
    }
}

/// How a label's price got through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PricePassed {
    Expected,
    Approved,
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

/// A code that looks like a member card may still be goods of the shop; the item file decides. Where
/// the card's pattern takes signs off, what is left is a member's number and no code of goods.
fn goods_before_members(
    code: &str,
    raw: &str,
    context: &Context<'_>,
) -> Result<Option<ItemFound>, Refusal> {
    let scanned = text::halfwidth_digits(raw.trim()).to_ascii_uppercase();
    match scanned.ends_with(code) || code.ends_with(&scanned) {
        true => context.shop.item(code),
        false => Ok(None),
    }
}

/// The member whose card has this very code: a shop keeps the cards it had, whatever their symbol
/// (`japan.md` 3.6), and goods of that code go before.
fn member_of(
    scanned: &Scanned,
    raw: &str,
    context: &Context<'_>,
) -> Result<Option<String>, Refusal> {
    if !matches!(scanned, Scanned::Item { .. } | Scanned::Sku { .. }) {
        return Ok(None);
    }
    let code = text::halfwidth_digits(raw.trim());
    for code in [&code.to_ascii_uppercase(), &*code] {
        if let Some(member) = context.shop.member(code)? {
            return Ok(Some(member.code));
        }
    }
    Ok(None)
}

/// Takes price or weight from an in-store label.
fn read_label(label: &InStoreScan, rung: &mut Rung) {
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
        InStoreValue::Blank { mode } => {
            rung.price = Money::ZERO.into(); // It is asked.
            rung.price_mode = mode.unwrap_or(rung.price_mode);
            rung.joins = false;
        }
    }
}

fn case_unknown(gtin: &Gtin, item: &Item) -> Refusal {
    Refusal::new(RefusalCode::UnknownCode)
        .saying("case_unknown")
        .with("code", gtin)
        .with("name", &item.name)
}

fn unknown(code: &str) -> Refusal {
    Refusal::new(RefusalCode::UnknownCode).with("code", text::cleaned(code))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::CardPattern;
    use crate::domain::code::card::{CardCheck, Charset, Strip};
    use crate::domain::register::test_shop::{CARD, Shop};
    use crate::domain::settings::{CodesPatch, NearDate, SettingsChange};

    fn set(shop: &mut Shop, codes: CodesPatch) {
        let change = SettingsChange { codes, ..SettingsChange::default() };
        let applied = shop.register.settings_changed(change, shop.now).unwrap();
        shop.accept(applied);
    }

    #[test]
    fn cards_are_what_the_shop_says_from_the_next_scan_on() {
        let mut shop = Shop::staffless();
        shop.member("37859+", 7);
        shop.member(CARD, 5);
        assert_eq!(shop.refuse("scan A37859+B").code, RefusalCode::UnknownCode);
        let card = CardPattern {
            prefix: String::new(),
            length: 8,
            charset: Charset::Nw7,
            check: CardCheck::Mod16,
            strip: Strip::StartStop,
        };
        set(&mut shop, CodesPatch { card: Some(vec![card]), near_date: None });
        for _ in 0..2 {
            let asked = shop.give("inquire a37859+b").answer;
            assert_eq!(asked.explained[0].1, "member");
            assert_eq!(asked.member.unwrap().code, "37859+");
            assert_eq!(shop.refuse("scan A37858+B").code, RefusalCode::CheckDigit);
            shop.give("scan A37859+B");
            assert_eq!(shop.register.cart.member.as_ref().unwrap().points, 7);
            shop.give(&format!("scan {CARD}")); // A card of before is known by its code.
            assert_eq!(shop.register.cart.member.as_ref().unwrap().points, 5);
            shop.restart();
        }
    }

    #[test]
    fn the_number_on_a_card_is_no_code_of_goods() {
        let mut shop = Shop::staffless();
        let card = CardPattern {
            prefix: String::new(),
            length: 4,
            charset: Charset::Nw7,
            check: CardCheck::None,
            strip: Strip::StartStop,
        };
        shop.member("15", 0);
        shop.give("edit_item 15 name=鮮魚 price=500 department=1");
        set(&mut shop, CodesPatch { card: Some(vec![card]), near_date: None });
        assert!(shop.give("inquire A15B").answer.item.is_none());
        shop.give("scan A15B");
        let cart = &shop.register.cart;
        assert_eq!((cart.lines.len(), cart.member.as_ref().unwrap().code.as_str()), (0, "15"));
        shop.give("scan 15");
        assert_eq!(shop.register.cart.lines.len(), 1);
    }

    #[test]
    fn goods_on_file_go_before_cards_whether_sold_or_asked_for() {
        let mut shop = Shop::staffless();
        shop.give(&format!("edit_item {CARD} name=花 price=300 department=1"));
        assert_eq!(shop.give(&format!("inquire {CARD}")).answer.item.unwrap().name, "花");
        shop.give(&format!("scan {CARD}"));
        assert_eq!(shop.register.cart.lines.len(), 1);
    }

    #[test]
    fn a_variable_measure_is_never_sold_as_one_piece() {
        let mut shop = Shop::staffless();
        shop.give("edit_item 4912345678904 name=チーズ price=100 department=1");
        for code in [
            "94912345678907",
            "01949123456789071726123110ABC",
            "https://id.gs1.org/01/94912345678907/10/ABC",
        ] {
            let refusal = shop.refuse(&format!("scan {code}"));
            assert_eq!(refusal.code, RefusalCode::UnknownCode, "{code}");
            let said = refusal.args.iter().find(|(name, _)| *name == "code").unwrap();
            assert_eq!(said.1, "94912345678907", "{code}");
        }
        for (code, amount) in [("01949123456789073920000250", 250), ("0194912345678907303", 300)] {
            shop.give(&format!("scan {code}"));
            let line = shop.view().unwrap().lines.pop().unwrap();
            assert_eq!(line.amount, Money::new(amount), "{code}");
        }
    }

    fn near_dates(rules: &[(u16, i64)]) -> CodesPatch {
        let rule =
            |(days, percent): &(u16, i64)| NearDate { days: *days, percent: (*percent).into() };
        CodesPatch { card: None, near_date: Some(rules.iter().map(rule).collect()) }
    }

    /// Milk for 248 yen; today is 2026-11-22.
    #[test]
    fn goods_near_their_date_cost_less_by_the_tightest_rule() {
        const MILK: &str = "0104901234567894";
        for (rules, tail, want) in [
            (&[][..], "17261123", 0),
            (&[(1, 30)], "17261124", 0),
            (&[(1, 30)], "17261123", 75), // 173.6 is left, rounded down.
            (&[(1, 30)], "17261122", 75),
            (&[(1, 30), (0, 50)], "17261122", 124),
            (&[(1, 30), (0, 50)], "17261123", 75),
            (&[(30, 10)], "17261100", 25),
            (&[(1, 30)], "16261123", 75),
            (&[(1, 30)], "15261123", 75),
            (&[(1, 30)], "15261121", 0), // Past it the shop decides.
            (&[(1, 30)], "1526112317261231", 0),
            (&[(1, 30)], "11261122", 0),
            (&[(0, 100)], "17261122", 248),
        ] {
            let mut shop = Shop::staffless();
            set(&mut shop, near_dates(rules));
            shop.give(&format!("scan {MILK}{tail}"));
            let line = shop.view().unwrap().lines.remove(0);
            let reason = if want == 0 { "" } else { "near_date" };
            assert_eq!((line.discount, line.discount_reason), (Money::new(want), reason), "{tail}");
            assert_eq!(line.amount, Money::new(248 - want));
        }
        let mut shop = Shop::staffless();
        set(&mut shop, near_dates(&[(1, 30)]));
        assert_eq!(shop.refuse(&format!("scan {MILK}17261121")).code, RefusalCode::Expired);
        shop.give("scan https://id.gs1.org/01/04901234567894?17=261123");
        shop.give("scan (01)04901234567894(17)261123");
        let discounts: Vec<_> =
            shop.view().unwrap().lines.iter().map(|line| line.discount.minor()).collect();
        assert_eq!(discounts, [75, 75]);
    }

    #[test]
    fn a_near_date_discount_keeps_the_rules_of_line_discounts() {
        let milk = "scan 010490123456789417261123";
        let mut shop = Shop::staffless();
        set(&mut shop, near_dates(&[(1, 30)]));
        shop.give(milk);
        shop.give(milk); // The same label again is one more of it.
        shop.give("repeat");
        let line = shop.view().unwrap().lines.remove(0);
        assert_eq!((line.quantity, line.discount), (3.into(), Money::new(224)));
        shop.give("scan 4901234567894");
        assert_eq!(shop.view().unwrap().lines[1].discount, Money::ZERO);
        shop.give("void_sale");
        shop.give(milk);
        shop.give("line_discount 10"); // Takes its place.
        let line = shop.view().unwrap().lines.remove(0);
        assert_eq!((line.discount, line.discount_reason), (Money::new(10), ""));
        shop.give(milk);
        assert_eq!(shop.view().unwrap().lines.len(), 2, "a discount by hand is not joined");
        shop.give("void_sale");
        for flag in ["fixed_price", "no_discount"] {
            shop.give(&format!("edit_item 4901234567894 flags={flag}"));
            shop.give(milk);
            let line = shop.view().unwrap().lines.remove(0);
            assert_eq!((line.discount, line.discount_reason), (Money::ZERO, ""), "{flag}");
            shop.give("void_sale");
        }
    }

    #[test]
    fn goods_sold_near_their_date_come_back_for_what_was_paid() {
        let mut shop = Shop::staffless();
        set(&mut shop, near_dates(&[(1, 33)]));
        let lines = ["scan 010490123456789417261123", "quantity 3", "department 2 333"];
        let receipt = shop.sell(&[&lines[..], &["sale_discount 50"]].concat());
        let sold = shop.last_sale().clone();
        assert_eq!(sold.lines[0].item.discount, Some(Discount::NearDate(33.into())));
        assert_eq!(shop.register.lane.day.as_ref().unwrap().percents_off.count, 1);
        set(&mut shop, near_dates(&[])); // What was sold keeps what it had.
        let mut back = Money::ZERO;
        for line in ["1:1", "1:1", "2", "1:1"] {
            shop.give(&format!("return {receipt} {line}"));
            shop.give("tender_cash");
            back += shop.last_sale().totals.total;
        }
        assert_eq!(back, -sold.totals.total);
    }
}
