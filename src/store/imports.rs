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
use super::members::{CardOf, Start};
use super::opening::Checkpoint;
use super::progress::Progress;
use super::readied;
use super::sealing::{self, KeyRing};
use super::tables::IMPORTS;
use super::{items, members};
use crate::domain::entry::{Entry, ImportedMember, Kind};
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
    Items(Box<readied::Items>),
    Members(Box<readied::Members>),
    Points(Vec<(String, i64)>),
    Stock(Vec<(String, Quantity)>),
}

impl Ready {
    /// Makes the rows of an entry ready but for a member's, which are to be opened first.
    pub fn of(kind: Kind) -> Result<Option<Self>, StoreError> {
        Ok(match kind {
            Kind::ItemsImported { items, .. } => {
                Some(Self::Items(Box::new(readied::Items::of(&items)?)))
            }
            Kind::PointsImported { points, .. } => Some(Self::Points(points)),
            Kind::StockImported { stock, .. } => Some(Self::Stock(stock)),
            _ => None,
        })
    }

    /// How many there are.
    pub fn rows(&self) -> u64 {
        match self {
            Self::Items(items) => items.count(),
            Self::Members(members) => members.count(),
            Self::Points(points) => points.len() as u64,
            Self::Stock(stock) => stock.len() as u64,
        }
    }
}

impl Reading<'_> {
    /// Sends the rows on, entry by entry, until all are sent or nobody takes them.
    fn send(&self, ready: &Sender<Ready>) -> Result<(), StoreError> {
        let ring = self.sources.keys.ring(self.rows)?;
        self.sources.past.each(&self.span, &mut |entry| match self.ready(entry.kind, &ring)? {
            Some(rows) => ready.send(rows).map_err(|_| StoreError::Journal("import".to_owned())),
            None => Ok(()),
        })
    }

    fn ready(&self, kind: Kind, ring: &KeyRing) -> Result<Option<Ready>, StoreError> {
        if import_of(&kind) != Some(self.import) {
            return Ok(None);
        }
        let Kind::MembersImported { members, .. } = &kind else { return Ready::of(kind) };
        let mut rows = readied::Members::for_as_many(members.len());
        for ImportedMember { card, points } in members {
            let personal = sealing::open(&card.code, &card.personal, || ring.key(&card.code))?;
            rows.push(card_of(card, personal.as_ref()), start(*points, self.day))?;
        }
        Ok(Some(Ready::Members(Box::new(rows))))
    }
}

/// Sorts rows into the tables: one thread brings them by `send`, ready to be written; this one writes.
fn sort_in(
    txn: &WriteTransaction,
    day: i32,
    progress: &Progress,
    send: impl FnOnce(&Sender<Ready>) -> Result<(), StoreError> + Send,
) -> Result<(), StoreError> {
    let mut rows = Rows::open(txn, day)?;
    let (sender, ready) = bounded(READ_AHEAD);
    thread::scope(|scope| {
        let reader = scope.spawn(move || send(&sender));
        let written = ready.iter().try_for_each(|batch| rows.take(batch, progress));
        drop(ready); // Who reads on for nobody then ends.
        let read = reader.join().unwrap_or_else(|_| Err(StoreError::Journal("import".to_owned())));
        written.and(read)
    })?;
    rows.close()
}

/// Everything an import may write to, open at once: a million rows go in sorted and in one go.
pub(super) struct Rows<'txn> {
    txn: &'txn WriteTransaction,
    /// From which balances hold.
    day: i32,
    items: items::Writer<'txn>,
    members: members::Writer<'txn>,
    /// Balances by code, for members that are already there.
    by_code: Vec<(String, i64)>,
}

impl<'txn> Rows<'txn> {
    pub fn open(txn: &'txn WriteTransaction, day: i32) -> Result<Self, StoreError> {
        let (items, members) = (items::Writer::open(txn)?, members::Writer::open(txn)?);
        Ok(Self { txn, day, items, members, by_code: Vec::new() })
    }

    /// The same for the rows of a file, of which no two are about the same item or member.
    pub fn of_different(self) -> Self {
        let (items, members) = (self.items.of_different(), self.members.of_different());
        Self { items, members, ..self }
    }

    pub fn take(&mut self, ready: Ready, progress: &Progress) -> Result<(), StoreError> {
        let count = ready.rows();
        match ready {
            Ready::Items(items) => items.iter().try_for_each(|item| self.items.set(item))?,
            Ready::Members(rows) => rows.iter().try_for_each(|row| self.members.set(row))?,
            Ready::Points(points) => self.by_code.extend(points),
            Ready::Stock(stock) => {
                stock.iter().try_for_each(|(code, count)| self.items.counted(code, *count))?;
            }
        }
        progress.sorted_in(count);
        Ok(())
    }

    pub fn close(self) -> Result<(), StoreError> {
        self.items.close()?;
        self.members.close()?;
        for (code, points) in self.by_code {
            members::change_facts(self.txn, &code, |facts| facts.ledger.reset(self.day, points))?;
        }
        Ok(())
    }
}

/// Makes a card of the journal ready for the tables.
pub fn readied_card(keys: &Keys, card: &MemberCard) -> Result<readied::Members, StoreError> {
    let personal = keys.unseal(&card.code, &card.personal)?;
    let mut row = readied::Members::default();
    row.push(card_of(card, personal.as_ref()), None)?;
    Ok(row)
}

/// Returns a card whose personal data is open as its row is made.
pub(super) fn card_of<'a>(card: &'a MemberCard, personal: Option<&'a Personal>) -> CardOf<'a> {
    CardOf { code: &card.code, rank: &card.rank, joined: card.joined, personal }
}

/// The balance that an import's row brings.
pub(super) fn start(points: Option<i64>, day: i32) -> Option<Start> {
    points.map(|points| Start { day, points })
}
