//! Imports: rows that mean nothing until the entry that closes them.
//!
//! Room: store. May touch: the imports table, and past entries through `Past`.
//! Invariant: an import is seen whole or not at all; its rows wait in the journal, where they are
//! anyhow, and not in a table.

use std::thread;

use crossbeam_channel::{Sender, bounded};
use redb::{ReadableTable, WriteTransaction};

use super::fault::StoreError;
use super::keys::Keys;
use super::lanes::Folded;
use super::members::{CardOf, Prepared, Start};
use super::opening::Checkpoint;
use super::progress::Progress;
use super::readied::Readied;
use super::sealing::{self, KeyRing};
use super::tables::IMPORTS;
use super::{items, members};
use crate::domain::entry::{Entry, ImportedMember, Kind};
use crate::domain::item::Item;
use crate::domain::member::{MemberCard, Personal};
use crate::domain::quantity::Quantity;

/// Entries' worth of rows made ready ahead of their writing: about 1 MB.
const READ_AHEAD: usize = 4;

/// Entries `from ..= to` of a lane's epoch.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub lane: u8,
    pub epoch: u16,
    pub from: u64,
    pub to: u64,
    /// A place that the journal is known to reach: it is not walked to find where it ends.
    pub known: Option<Checkpoint>,
}

/// Entries that were folded before, read again.
pub trait Past: Send + Sync {
    /// Calls `each` with the entries of the span, in order.
    fn each(
        &self,
        span: &Span,
        each: &mut dyn FnMut(Entry) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// Returns which import an entry brings rows to.
pub(super) fn import_of(kind: &Kind) -> Option<u128> {
    match kind {
        Kind::ItemsImported { import, .. }
        | Kind::MembersImported { import, .. }
        | Kind::PointsImported { import, .. }
        | Kind::StockImported { import, .. } => Some(*import),
        _ => None,
    }
}

/// Where an import's rows come from, and who hears of them.
pub struct Sources<'a> {
    pub past: &'a dyn Past,
    pub keys: &'a Keys,
    pub progress: &'a Progress,
    /// The import whose rows are in the tables of this transaction already.
    pub sorted_in: Option<u128>,
}

/// Folds what an entry says of imports; `last` is what was folded of its lane before it.
pub fn fold(
    txn: &WriteTransaction,
    entry: &Entry,
    last: Option<&Folded>,
    sources: &Sources<'_>,
) -> Result<(), StoreError> {
    if let Some(import) = import_of(&entry.kind) {
        let header = &entry.header;
        let mut table = txn.open_table(IMPORTS)?;
        if table.get(import)?.is_none() {
            table.insert(import, (header.lane, header.epoch, header.seq))?;
        }
    }
    match entry.kind {
        Kind::ImportClosed { import, rows } => {
            let first = txn.open_table(IMPORTS)?.remove(import)?.map(|first| first.value());
            let Some((lane, epoch, from)) = first else { return Ok(()) };
            if sources.sorted_in == Some(import) {
                return Ok(());
            }
            if (lane, epoch) != (entry.header.lane, entry.header.epoch) {
                return Ok(()); // No lane closes another's, nor does one after a restore.
            }
            let known = last.and_then(Folded::checkpoint);
            let span = Span { lane, epoch, from, to: entry.header.seq, known };
            let day = entry.header.business_date;
            let reading = Reading { import, span, rows, sources, day };
            sort_in(txn, day, sources.progress, |ready| reading.send(ready))
        }
        _ => Ok(()),
    }
}

/// The rows of one import, to be read again.
struct Reading<'a> {
    import: u128,
    span: Span,
    /// How many, and the business date of the entry that closes them.
    rows: u64,
    day: i32,
    sources: &'a Sources<'a>,
}

/// Rows of one entry, ready to be written.
pub(super) enum Ready {
    Items(Vec<Item>),
    Members(Vec<Prepared>),
    /// Members that were made ready as their file was read.
    Readied(Readied),
    Points(Vec<(String, i64)>),
    Stock(Vec<(String, Quantity)>),
}

impl Ready {
    fn len(&self) -> u64 {
        let len = match self {
            Self::Items(items) => items.len(),
            Self::Members(members) => members.len(),
            Self::Readied(members) => return members.len(),
            Self::Points(points) => points.len(),
            Self::Stock(stock) => stock.len(),
        };
        len as u64
    }
}

impl Reading<'_> {
    /// Sends the rows on, entry by entry, until all are sent or nobody takes them.
    fn send(&self, ready: &Sender<Ready>) -> Result<(), StoreError> {
        let ring = self.sources.keys.ring(self.rows)?;
        self.sources.past.each(&self.span, &mut |entry| match self.ready(entry.kind, &ring)? {
            Some(rows) => sent(ready, rows),
            None => Ok(()),
        })
    }

    fn ready(&self, kind: Kind, ring: &KeyRing) -> Result<Option<Ready>, StoreError> {
        if import_of(&kind) != Some(self.import) {
            return Ok(None);
        }
        Ok(match kind {
            Kind::ItemsImported { items, .. } => Some(Ready::Items(items)),
            Kind::MembersImported { members, .. } => {
                let members: Result<_, StoreError> =
                    members.iter().map(|member| self.member(member, ring)).collect();
                Some(Ready::Members(members?))
            }
            Kind::PointsImported { points, .. } => Some(Ready::Points(points)),
            Kind::StockImported { stock, .. } => Some(Ready::Stock(stock)),
            _ => None,
        })
    }

    fn member(&self, member: &ImportedMember, ring: &KeyRing) -> Result<Prepared, StoreError> {
        let card = &member.card;
        let personal = sealing::open(&card.code, &card.personal, || ring.key(&card.code))?;
        prepared(card, personal.as_ref(), member.points, self.day)
    }
}

/// Hands rows to who writes them.
pub(super) fn sent(ready: &Sender<Ready>, rows: Ready) -> Result<(), StoreError> {
    ready.send(rows).map_err(|_| StoreError::Journal("import".to_owned()))
}

/// Sorts rows into the tables: one thread brings them by `send`, ready to be written; this one writes.
pub(super) fn sort_in(
    txn: &WriteTransaction,
    day: i32,
    progress: &Progress,
    send: impl FnOnce(&Sender<Ready>) -> Result<(), StoreError> + Send,
) -> Result<(), StoreError> {
    let mut rows = Rows::open(txn)?;
    let (sender, ready) = bounded(READ_AHEAD);
    thread::scope(|scope| {
        let reader = scope.spawn(move || send(&sender));
        let written = ready.iter().try_for_each(|batch| {
            let count = batch.len();
            rows.take(batch, day)?;
            progress.sorted_in(count);
            Ok(())
        });
        drop(ready); // Who reads on for nobody then ends.
        let read = reader.join().unwrap_or_else(|_| Err(StoreError::Journal("import".to_owned())));
        written.and(read)
    })?;
    rows.close(day)
}

/// Everything an import may write to, open at once: a million rows go in sorted and in one go.
struct Rows<'txn> {
    txn: &'txn WriteTransaction,
    items: items::Writer<'txn>,
    members: members::Writer<'txn>,
    /// Balances by code, for members that are already there.
    by_code: Vec<(String, i64)>,
}

impl<'txn> Rows<'txn> {
    fn open(txn: &'txn WriteTransaction) -> Result<Self, StoreError> {
        Ok(Self {
            txn,
            items: items::Writer::open(txn)?,
            members: members::Writer::open(txn)?,
            by_code: Vec::new(),
        })
    }

    fn take(&mut self, ready: Ready, day: i32) -> Result<(), StoreError> {
        match ready {
            Ready::Items(items) => items.iter().try_for_each(|item| self.items.set(item)),
            Ready::Members(members) => {
                members.iter().try_for_each(|member| self.members.set(member.lent()))
            }
            Ready::Readied(members) => members.each(day, |member| self.members.set(member)),
            Ready::Points(points) => {
                self.by_code.extend(points);
                Ok(())
            }
            Ready::Stock(stock) => {
                stock.iter().try_for_each(|(code, count)| self.items.counted(code, *count))
            }
        }
    }

    fn close(self, day: i32) -> Result<(), StoreError> {
        self.items.close()?;
        self.members.close()?;
        for (code, points) in self.by_code {
            members::change_facts(self.txn, &code, |facts| facts.ledger.reset(day, points))?;
        }
        Ok(())
    }
}

/// Makes a card of the journal ready for the tables.
pub fn prepared_card(keys: &Keys, card: &MemberCard) -> Result<Prepared, StoreError> {
    let personal = keys.unseal(&card.code, &card.personal)?;
    prepared(card, personal.as_ref(), None, 0)
}

/// Makes a card whose personal data is open ready for the tables.
pub fn prepared(
    card: &MemberCard,
    personal: Option<&Personal>,
    points: Option<i64>,
    day: i32,
) -> Result<Prepared, StoreError> {
    let start = points.map(|points| Start { day, points });
    let (code, rank) = (&card.code, &card.rank);
    Prepared::of(CardOf { code, rank, joined: card.joined, personal }, start)
}
