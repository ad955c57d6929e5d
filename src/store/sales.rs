//! Closed sales, each with what happened to it since.
//!
//! Room: store. May touch: the sales tables.
//! Invariant: the body of a sale is written once and never again; a small row beside it carries what
//! later entries say of it.

use std::collections::BTreeMap;

use redb::{ReadTransaction, ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::codec::{pack, unpack};
use super::fault::StoreError;
use super::tables::{PAPERS, PaperKey, SALE_BODIES, SALES, SaleKey};
use crate::domain::entry::{Entry, Header, Kind};
use crate::domain::money::Money;
use crate::domain::number::{DocKind, DocNo};
use crate::domain::quantity::Quantity;
use crate::domain::register::{FormalKept, StoredSale};
use crate::domain::sale::{Sale, TenderKind};

/// Which way a sale counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Closed,
    Voided,
}

/// A tender that was booked under another kind afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Correction {
    from: TenderKind,
    to: TenderKind,
    amount: Money,
}

/// A sale in a list: what is asked for most, and what later entries added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleRow {
    pub number: DocNo,
    pub at_ms: i64,
    pub offset_minutes: i16,
    /// Days from the common era.
    pub business_date: i32,
    pub staff: u32,
    pub training: bool,
    pub seq: u64,
    pub total: Money,
    pub lines: u32,
    pub member: Option<String>,
    pub voided: bool,
    returned: BTreeMap<u32, Quantity>,
    points_taken_back: i64,
    points_given_back: i64,
    copies: u32,
    formal: Money,
    formals: Vec<FormalKept>,
    late_member: Option<String>,
    late_points: i64,
    corrections: Vec<Correction>,
}

impl SaleRow {
    fn of(header: &Header, sale: &Sale) -> Self {
        Self {
            number: sale.number,
            at_ms: header.at_ms,
            offset_minutes: header.offset_minutes,
            business_date: header.business_date,
            staff: header.staff,
            training: header.training,
            seq: header.seq,
            total: sale.totals.total,
            lines: sale.lines.len() as u32,
            member: sale.member.as_ref().map(|member| member.code.clone()),
            voided: false,
            returned: BTreeMap::new(),
            points_taken_back: 0,
            points_given_back: 0,
            copies: 0,
            formal: Money::ZERO,
            formals: Vec::new(),
            late_member: None,
            late_points: 0,
            corrections: Vec::new(),
        }
    }

    /// Whose points the sale moves: its own member, or the one that came late.
    pub fn points_member(&self) -> Option<&str> {
        self.member.as_deref().or(self.late_member.as_deref())
    }

    fn with(self, mut sale: Sale) -> StoredSale {
        for correction in &self.corrections {
            sale.correct_tender(correction.from, correction.to, correction.amount);
        }
        StoredSale {
            sale,
            at_ms: self.at_ms,
            offset_minutes: self.offset_minutes,
            business_date: self.business_date,
            staff: self.staff,
            training: self.training,
            seq: self.seq,
            returned: self.returned,
            points_taken_back: self.points_taken_back,
            points_given_back: self.points_given_back,
            voided: self.voided,
            copies: self.copies,
            formal: self.formal,
            formals: self.formals,
            late_member: self.late_member,
            late_points: self.late_points,
        }
    }
}

/// Returns the place of an entry's sale among all sales.
pub fn key_of(header: &Header) -> SaleKey {
    (header.business_date, header.at_ms, header.lane, header.epoch, header.seq)
}

pub fn paper_key(number: DocNo) -> PaperKey {
    (number.lane, number.epoch, number.kind as u8, number.number)
}

/// Folds what an entry says of sales.
pub fn fold(txn: &WriteTransaction, entry: &Entry) -> Result<(), StoreError> {
    match &entry.kind {
        Kind::SaleClosed(sale) => {
            put(txn, &entry.header, sale)?;
            if entry.header.training { Ok(()) } else { comes_back(txn, sale, Turn::Closed) }
        }
        Kind::ReceiptVoided { receipt, sale, .. } => {
            update(txn, *receipt, |row| row.voided = true)?;
            comes_back(txn, sale, Turn::Voided)
        }
        Kind::Reprinted { receipt, copy } if receipt.kind == DocKind::Formal => {
            update(txn, *receipt, |row| {
                let formal = row.formals.iter_mut().find(|formal| formal.number == *receipt);
                formal.into_iter().for_each(|formal| formal.copies = formal.copies.max(*copy));
            })
        }
        Kind::Reprinted { receipt, copy } => {
            update(txn, *receipt, |row| row.copies = row.copies.max(*copy))
        }
        Kind::FormalReceiptIssued { number, receipt, amount, .. }
        | Kind::FormalReceiptIssuedFor { number, receipt, amount, .. } => {
            made_out(txn, *receipt, *amount, FormalKept::new(*number, entry.header.seq))
        }
        Kind::TenderCorrected { receipt, from, to, amount } => update(txn, *receipt, |row| {
            row.corrections.push(Correction { from: *from, to: *to, amount: *amount });
        }),
        Kind::LatePoints { receipt, member, earned, .. } => update(txn, *receipt, |row| {
            row.late_member = Some(member.clone());
            row.late_points += earned;
        }),
        _ => Ok(()),
    }
}

fn put(txn: &WriteTransaction, header: &Header, sale: &Sale) -> Result<(), StoreError> {
    let key = key_of(header);
    txn.open_table(SALES)?.insert(key, pack(&SaleRow::of(header, sale))?.as_slice())?;
    txn.open_table(SALE_BODIES)?.insert(key, pack(sale)?.as_slice())?;
    txn.open_table(PAPERS)?.insert(paper_key(sale.number), key)?;
    Ok(())
}

/// Notes on a sale that a formal receipt was made out for it, which is found by its own number, too.
fn made_out(
    txn: &WriteTransaction,
    receipt: DocNo,
    amount: Money,
    formal: FormalKept,
) -> Result<(), StoreError> {
    let number = formal.number;
    update(txn, receipt, |row| {
        row.formal += amount;
        row.formals.push(formal);
    })?;
    let mut papers = txn.open_table(PAPERS)?;
    let key = papers.get(paper_key(receipt))?.map(|key| key.value());
    if let Some(key) = key {
        papers.insert(paper_key(number), key)?;
    }
    Ok(())
}

/// Notes on the original receipts which of their lines came back here (or did not, after all).
fn comes_back(txn: &WriteTransaction, sale: &Sale, turn: Turn) -> Result<(), StoreError> {
    for line in &sale.lines {
        let Some(origin) = &line.item.origin else { continue };
        let back = -line.item.quantity;
        update(txn, origin.receipt, |row| {
            let sum = row.returned.entry(origin.line).or_default();
            *sum = if turn == Turn::Closed { *sum + back } else { *sum - back };
            row.returned.retain(|_, quantity| *quantity != Quantity::ZERO);
        })?;
    }
    let Some(of) = &sale.return_of else { return Ok(()) };
    let sign = if turn == Turn::Closed { 1 } else { -1 };
    update(txn, of.receipt, |row| {
        row.points_taken_back += sign * of.points_taken_back;
        row.points_given_back += sign * of.points_given_back;
    })
}

/// Changes the row of a receipt; one that this store never saw (another shop's paper) is left.
fn update(
    txn: &WriteTransaction,
    receipt: DocNo,
    change: impl FnOnce(&mut SaleRow),
) -> Result<(), StoreError> {
    let papers = txn.open_table(PAPERS)?;
    let Some(key) = papers.get(paper_key(receipt))?.map(|key| key.value()) else { return Ok(()) };
    let mut sales = txn.open_table(SALES)?;
    let row = sales.get(key)?.map(|row| unpack::<SaleRow>(row.value())).transpose()?;
    if let Some(mut row) = row {
        change(&mut row);
        sales.insert(key, pack(&row)?.as_slice())?;
    }
    Ok(())
}

/// Returns where a receipt stands and its row, while folding.
pub fn row_of(
    txn: &WriteTransaction,
    receipt: DocNo,
) -> Result<Option<(SaleKey, SaleRow)>, StoreError> {
    let Some(key) = txn.open_table(PAPERS)?.get(paper_key(receipt))?.map(|key| key.value()) else {
        return Ok(None);
    };
    let row = txn.open_table(SALES)?.get(key)?.map(|row| unpack(row.value())).transpose()?;
    Ok(row.map(|row| (key, row)))
}

/// Finds a sale by the number on its paper.
pub fn by_number(txn: &ReadTransaction, receipt: DocNo) -> Result<Option<StoredSale>, StoreError> {
    Ok(by_paper(txn, receipt)?.filter(|stored| stored.sale.number == receipt))
}

/// Finds the sale that a formal receipt was made out for.
pub fn by_formal(txn: &ReadTransaction, number: DocNo) -> Result<Option<StoredSale>, StoreError> {
    Ok(by_paper(txn, number)?.filter(|stored| stored.formal_kept(number).is_some()))
}

fn by_paper(txn: &ReadTransaction, paper: DocNo) -> Result<Option<StoredSale>, StoreError> {
    let key = txn.open_table(PAPERS)?.get(paper_key(paper))?.map(|key| key.value());
    key.map_or(Ok(None), |key| by_key(txn, key))
}

/// Reads the sale at a place.
pub fn by_key(txn: &ReadTransaction, key: SaleKey) -> Result<Option<StoredSale>, StoreError> {
    let Some(row) = txn.open_table(SALES)?.get(key)? else { return Ok(None) };
    let Some(body) = txn.open_table(SALE_BODIES)?.get(key)? else { return Ok(None) };
    let row: SaleRow = unpack(row.value())?;
    Ok(Some(row.with(unpack(body.value())?)))
}

/// Calls `each` with every sale of the business dates, training left out, oldest first.
pub fn between(
    txn: &ReadTransaction,
    from: i32,
    to: i32,
    mut each: impl FnMut(StoredSale) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let bodies = txn.open_table(SALE_BODIES)?;
    for row in txn.open_table(SALES)?.range(day_start(from)..day_start(to.saturating_add(1)))? {
        let (key, row) = row?;
        let row: SaleRow = unpack(row.value())?;
        if row.training {
            continue;
        }
        if let Some(body) = bodies.get(key.value())? {
            each(row.with(unpack(body.value())?))?;
        }
    }
    Ok(())
}

/// Returns the key before every sale of a business date.
pub fn day_start(business_date: i32) -> SaleKey {
    (business_date, i64::MIN, 0, 0, 0)
}
