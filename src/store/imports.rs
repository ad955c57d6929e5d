//! Imports: rows that mean nothing until the entry that closes them.
//!
//! Room: store. May touch: the imports table, and past entries through `Past`.
//! Invariant: an import is seen whole or not at all; its rows wait in the journal, where they are
//! anyhow, and not in a table.

use redb::{ReadableTable, WriteTransaction};

use super::fault::StoreError;
use super::keys::Keys;
use super::tables::IMPORTS;
use super::{items, members, stock};
use crate::domain::entry::{Entry, ImportedMember, Kind};
use crate::domain::item::Item;
use crate::domain::member::MemberCard;
use crate::domain::quantity::Quantity;

/// Entries that were folded before, read again.
pub trait Past: Send {
    /// Calls `each` with the entries `from ..= to` of a lane's epoch, in order.
    fn each(
        &self,
        lane: u8,
        epoch: u16,
        from: u64,
        to: u64,
        each: &mut dyn FnMut(Entry) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// Returns which import an entry brings rows to.
fn import_of(kind: &Kind) -> Option<u128> {
    match kind {
        Kind::ItemsImported { import, .. }
        | Kind::MembersImported { import, .. }
        | Kind::PointsImported { import, .. }
        | Kind::StockImported { import, .. } => Some(*import),
        _ => None,
    }
}

/// Folds what an entry says of imports.
pub fn fold(
    txn: &WriteTransaction,
    entry: &Entry,
    past: &dyn Past,
    keys: &Keys,
) -> Result<(), StoreError> {
    if let Some(import) = import_of(&entry.kind) {
        let header = &entry.header;
        let mut table = txn.open_table(IMPORTS)?;
        if table.get(import)?.is_none() {
            table.insert(import, (header.lane, header.epoch, header.seq))?;
        }
    }
    match entry.kind {
        Kind::ImportClosed { import, .. } => apply(txn, entry, import, past, keys),
        _ => Ok(()),
    }
}

/// Reads the rows again and lets them count.
fn apply(
    txn: &WriteTransaction,
    closing: &Entry,
    import: u128,
    past: &dyn Past,
    keys: &Keys,
) -> Result<(), StoreError> {
    let first = txn.open_table(IMPORTS)?.remove(import)?.map(|first| first.value());
    let Some((lane, epoch, first)) = first else { return Ok(()) };
    let mut rows = Rows::open(txn, keys)?;
    past.each(lane, epoch, first, closing.header.seq, &mut |entry| match entry.kind {
        Kind::ItemsImported { import: of, items } if of == import => rows.items(&items),
        Kind::MembersImported { import: of, members } if of == import => rows.members(&members),
        Kind::PointsImported { import: of, points } if of == import => rows.points(points),
        Kind::StockImported { import: of, stock } if of == import => rows.stock(&stock),
        _ => Ok(()),
    })?;
    rows.close(closing.header.business_date)
}

/// Everything an import may write to, open at once: a million rows go in sorted and in one go.
struct Rows<'txn> {
    txn: &'txn WriteTransaction,
    keys: &'txn Keys,
    items: items::Writer<'txn>,
    members: members::Writer<'txn>,
    /// Balances by id, at most one a row of the import.
    balances: Vec<(u32, i64)>,
    /// Balances by code, for members that are already there.
    by_code: Vec<(String, i64)>,
}

impl<'txn> Rows<'txn> {
    fn open(txn: &'txn WriteTransaction, keys: &'txn Keys) -> Result<Self, StoreError> {
        Ok(Self {
            txn,
            keys,
            items: items::Writer::open(txn)?,
            members: members::Writer::open(txn)?,
            balances: Vec::new(),
            by_code: Vec::new(),
        })
    }

    fn items(&mut self, items: &[Item]) -> Result<(), StoreError> {
        items.iter().try_for_each(|item| self.items.set(item))
    }

    fn members(&mut self, members: &[ImportedMember]) -> Result<(), StoreError> {
        for member in members {
            let id = self.members.set(&open_card(self.keys, &member.card)?)?;
            self.balances.extend(member.points.map(|points| (id, points)));
        }
        Ok(())
    }

    fn points(&mut self, points: Vec<(String, i64)>) -> Result<(), StoreError> {
        self.by_code.extend(points);
        Ok(())
    }

    fn stock(&mut self, stock: &[(String, Quantity)]) -> Result<(), StoreError> {
        stock.iter().try_for_each(|(code, quantity)| stock::counted(self.txn, code, *quantity))
    }

    fn close(mut self, day: i32) -> Result<(), StoreError> {
        self.items.close()?;
        self.members.close()?;
        for (code, points) in self.by_code {
            let id = members::id_of(self.txn, &code)?;
            self.balances.extend(id.map(|id| (id, points)));
        }
        members::start_balances(self.txn, day, &self.balances)
    }
}

/// Opens a card's personal data.
pub fn open_card(keys: &Keys, card: &MemberCard) -> Result<members::OpenCard, StoreError> {
    Ok(members::OpenCard {
        code: card.code.clone(),
        rank: card.rank.clone(),
        joined: card.joined,
        personal: keys.unseal(&card.code, &card.personal)?,
    })
}
