//! What a register shows of its shop, read back as books.
//!
//! Room: tests. May touch: the library, to read.

use std::collections::BTreeMap;
use std::fmt;

use regi::app::engine::Engine;
use regi::domain::number::{DocKind, DocNo};
use regi::domain::points::{Expiry, balance};
use regi::domain::quantity::Quantity;
use regi::domain::refusal::{Refusal, RefusalCode as Code};
use regi::domain::register::{Cart, Lookup, StoredSale};
use regi::domain::sale::{LineItem, TenderKind};
use regi::store::chain::Epoch;
use regi::store::fault::StoreError;
use regi::store::verify::Watch;

use super::books::{Basket, Books, Rung, Sold};

/// Why a shop does not show books that can be.
#[derive(Debug)]
pub enum Unfit {
    /// The register says so itself, and shows no figure.
    Told(String),
    /// It shows figures that contradict each other, or that were never acknowledged.
    Shown(String),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Told(why) | Self::Shown(why)) = self;
        f.write_str(why)
    }
}

/// What a refusal makes of the shop: the register speaks of its data, or it should have taken the step.
impl From<Refusal> for Unfit {
    fn from(refusal: Refusal) -> Self {
        match refusal.code {
            Code::Damaged => Self::Told(refusal.to_string()),
            _ => Self::Shown(refusal.to_string()),
        }
    }
}

impl From<StoreError> for Unfit {
    fn from(error: StoreError) -> Self {
        Self::Told(error.to_string())
    }
}

/// Reads the shop, whose chain must hold. `known` only says which items and members to ask for.
pub fn books(engine: &Engine, known: &Books) -> Result<Books, Unfit> {
    let books = shown(engine, known)?;
    chain_holds(engine)?;
    Ok(books)
}

/// Reads what the register shows; whether it may show it is its own affair.
pub fn shown(engine: &Engine, known: &Books) -> Result<Books, Unfit> {
    let reader = engine.shop.reader();
    let lane = &engine.register.lane;
    let (sales, numbers) = sales(engine)?;
    gapless(&numbers)?;
    let whole = |quantity: Quantity| quantity.whole().expect("pieces are whole");
    let mut books = Books { sales, ..Books::default() };
    for code in known.prices.keys().map(String::as_str).chain(["201"]) {
        if let Some(found) = reader.item(code)? {
            books.prices.insert(code.to_owned(), found.item.price.whole().expect("yen"));
        }
        if let Some(pieces) = reader.stock(code)? {
            books.stock.insert(code.to_owned(), whole(pieces));
        }
    }
    let mut members = Vec::new();
    reader.each_member(|member| {
        members.push(member);
        Ok(())
    })?;
    for member in members {
        let points = balance(&member.ledger, engine.now().day(), Expiry::default());
        let visits = reader.visits(&member.code, 10_000)?;
        let ledger: i64 = visits.iter().map(|visit| visit.points).sum();
        if points != ledger {
            let why = format!("{} has {points} points, visits make {ledger}", member.code);
            return Err(Unfit::Shown(why));
        }
        books.members.insert(member.code, (points, member.personal.phone));
    }
    books.cash = lane.day.as_ref().map(|day| day.expected_cash().minor());
    books.net = lane.day.as_ref().map_or(0, |day| day.net.minor());
    books.grand_total = lane.grand_total.minor();
    books.closes = lane.last_z.map_or(0, |z| z.number);
    let counted = lane.last_numbers.get(&DocKind::Slip).copied();
    // A later epoch counts its slips anew; how many there were before is not asked of the register.
    let begun_anew = engine.shop.journal().id().epoch() != Epoch::FIRST;
    books.slips = counted.unwrap_or(if begun_anew { known.slips } else { 0 });
    for (slip, parked) in &lane.suspended {
        books.parked.insert(slip.number, basket(&parked.cart, &numbers));
    }
    books.cart = basket(&engine.register.cart, &numbers);
    Ok(books)
}

fn chain_holds(engine: &Engine) -> Result<(), Unfit> {
    let verified = engine.shop.journal().verify(None, 1, &Watch::default());
    match verified.damage.first() {
        None => Ok(()),
        Some(damage) => Err(Unfit::Told(damage.to_string())),
    }
}

fn sales(engine: &Engine) -> Result<(Vec<Sold>, Vec<DocNo>), Unfit> {
    let mut stored: Vec<StoredSale> = Vec::new();
    let reader = engine.shop.reader();
    reader.each_sale(i32::MIN / 2, i32::MAX / 2, |sale| {
        stored.push(sale);
        Ok(())
    })?;
    let numbers: Vec<DocNo> = stored.iter().map(|sale| sale.sale.number).collect();
    let mut sales = Vec::new();
    for sale in &stored {
        sales.push(sold(sale, &numbers));
        // The number on the paper leads to the same sale.
        let by_number = reader.sale(sale.sale.number)?;
        if by_number.as_ref() != Some(sale) {
            let why = format!("{} is not found by its number", sale.sale.number);
            return Err(Unfit::Shown(why));
        }
    }
    Ok((sales, numbers))
}

fn sold(stored: &StoredSale, numbers: &[DocNo]) -> Sold {
    let sale = &stored.sale;
    let lines: Vec<Rung> = sale.lines.iter().map(|line| rung(&line.item, numbers)).collect();
    let pieces = |line: u32| stored.returned.get(&line).map_or(0, |q| q.whole().expect("pieces"));
    Sold {
        back: (1..=lines.len() as u32).map(pieces).collect(),
        basket: Basket {
            lines,
            times: 0,
            member: sale.member.as_ref().map(|member| member.code.clone()),
            used: sale.points_used,
        },
        total: sale.totals.total.minor(),
        in_cash: sale.tenders.iter().any(|tender| tender.kind == TenderKind::Cash),
        voided: stored.voided,
        copies: stored.copies,
    }
}

fn rung(item: &LineItem, numbers: &[DocNo]) -> Rung {
    let place = |number: DocNo| numbers.iter().position(|known| *known == number);
    Rung {
        code: item.code.clone(),
        quantity: item.quantity.whole().expect("pieces"),
        price: item.unit_price.whole().expect("yen"),
        of: item.origin.as_ref().and_then(|o| Some((place(o.receipt)?, o.line as usize - 1))),
    }
}

pub fn basket(cart: &Cart, numbers: &[DocNo]) -> Basket {
    Basket {
        lines: cart.lines.iter().map(|item| rung(item, numbers)).collect(),
        times: cart.pending.and_then(|pending| pending.quantity.whole()).unwrap_or(0),
        member: cart.member.as_ref().map(|member| member.code.clone()),
        used: cart.points_used,
    }
}

fn gapless(numbers: &[DocNo]) -> Result<(), Unfit> {
    let mut next: BTreeMap<(u16, DocKind), u32> = BTreeMap::new();
    for number in numbers {
        let want = next.entry((number.epoch, number.kind)).or_insert(1);
        if number.number != *want {
            return Err(Unfit::Shown(format!("{number} where {want} is next")));
        }
        *want += 1;
    }
    Ok(())
}
