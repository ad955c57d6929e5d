//! Folding: an entry, and everything that follows from it, into the projections.
//!
//! Room: store. May touch: the store's database. May not: evaluate rules, post entries, read a clock.
//! Invariant: all of an entry or nothing of it; an entry is folded once, in order, and a fold of the
//! whole journal gives the same tables as folding each entry as it came.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{Database, Durability, ReadableDatabase, WriteTransaction};

use super::ahead::{self, Ahead, Arriving, Came};
use super::fault::StoreError;
use super::imports::{Past, readied_card};
use super::keys::Keys;
use super::lanes::Folded;
use super::progress::Progress;
use super::{
    days, imports, items, jobs, lanes, members, readied, sales, stock, tables, tax_free, visits,
};
use crate::domain::entry::{Entry, Kind};
use crate::domain::lane::LaneState;
use crate::domain::settings::{Settings, changes_settings, fold_settings};

/// Entries folded between two durable commits (measured: 20 KB a sale in all).
const DURABLE_EVERY: u32 = 256;

/// An entry and where the journal stands behind it.
#[derive(Debug, Clone)]
pub struct Step {
    pub entry: Entry,
    pub place: Folded,
}

/// The one writer of the projections.
pub struct Folder {
    db: Arc<Database>,
    keys: Arc<Keys>,
    past: Box<dyn Past>,
    memory: Memory,
    since_durable: u32,
    /// Who hears how far an import has come.
    progress: Arc<Progress>,
    /// Holds the one transaction there may be.
    ahead: Option<Ahead>,
}

/// What a fold needs of the folds before it without asking the tables.
#[derive(Clone)]
struct Memory {
    lanes: BTreeMap<u8, LaneState>,
    folded: BTreeMap<u8, Folded>,
    settings: Settings,
}

impl Folder {
    /// Takes up folding where the tables stand.
    pub fn open(
        db: Arc<Database>,
        keys: Arc<Keys>,
        past: Box<dyn Past>,
    ) -> Result<Self, StoreError> {
        let txn = db.begin_read()?;
        let memory = Memory {
            lanes: lanes::states(&txn)?,
            folded: lanes::folded(&txn)?,
            settings: lanes::settings(&txn)?,
        };
        drop(txn);
        let progress = Arc::default();
        Ok(Self { db, keys, past, memory, since_durable: 0, progress, ahead: None })
    }

    /// Lets somebody hear how far an import has come.
    pub fn telling(self, progress: Arc<Progress>) -> Self {
        Self { progress, ..self }
    }

    /// Returns the memory of a lane; a new one when nothing of it was folded.
    pub fn lane(&self, lane: u8) -> LaneState {
        self.memory.lanes.get(&lane).cloned().unwrap_or_else(|| LaneState::new(lane))
    }

    pub fn settings(&self) -> &Settings {
        &self.memory.settings
    }

    pub fn folded(&self, lane: u8) -> Option<Folded> {
        self.memory.folded.get(&lane).copied()
    }

    /// Folds entries in one transaction: all of them or none. One that was folded before is passed
    /// over, so that a tail may be given twice. They may not overtake what was sorted in ahead.
    pub fn fold(&mut self, steps: &[Step]) -> Result<(), StoreError> {
        match self.ahead.take().map(|ahead| ahead.take(steps)) {
            None => self.fold_in(self.db.begin_write()?, None, steps),
            Some(Came::Whole(import, steps)) => {
                let txn = self.db.begin_write()?;
                ahead::close(&txn)?;
                self.fold_in(txn, Some(import), &steps)
            }
            Some(Came::Waiting(ahead)) => {
                self.ahead = Some(ahead);
                Ok(())
            }
        }
    }

    /// Sorts the rows of an import in as its file is read, before its entries come.
    pub fn sort_in_ahead(&mut self, arriving: &Arriving) -> Result<(), StoreError> {
        self.ahead = Ahead::of(&self.db, arriving, &self.progress)?;
        Ok(())
    }

    /// Whether these entries come before those of the rows that were sorted in ahead: then this store is
    /// none any more.
    pub fn is_overtaken_by(&self, steps: &[Step]) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.is_overtaken_by(steps, &self.keys))
    }

    /// Whether rows stand in the tables whose entries are still to come.
    pub fn is_ahead(&self) -> bool {
        self.ahead.is_some()
    }

    /// Folds in this transaction, in which the rows of an import may stand already.
    fn fold_in(
        &mut self,
        mut txn: WriteTransaction,
        sorted_in: Option<u128>,
        steps: &[Step],
    ) -> Result<(), StoreError> {
        let mut memory = self.memory.clone();
        let mut count = 0;
        for step in steps {
            if memory.is_next(step)? {
                self.apply(&txn, &mut memory, step, sorted_in)?;
                count += 1;
            }
        }
        if count == 0 {
            return Ok(txn.abort()?);
        }
        memory.write(&txn, steps)?;
        let durable = self.since_durable + count >= DURABLE_EVERY;
        set_durability(&mut txn, durable)?;
        txn.commit()?;
        self.memory = memory;
        self.since_durable = if durable { 0 } else { self.since_durable + count };
        Ok(())
    }

    /// Makes everything folded so far durable: at idle, at Z, at the end.
    pub fn settle(&mut self) -> Result<(), StoreError> {
        if self.since_durable > 0 {
            let mut txn = self.db.begin_write()?;
            set_durability(&mut txn, true)?;
            txn.commit()?;
            self.since_durable = 0;
        }
        Ok(())
    }

    /// Returns whether something was folded that a power cut would have folded again.
    pub fn is_unsettled(&self) -> bool {
        self.since_durable > 0 && !self.is_ahead()
    }

    fn apply(
        &self,
        txn: &WriteTransaction,
        memory: &mut Memory,
        step: &Step,
        sorted_in: Option<u128>,
    ) -> Result<(), StoreError> {
        let entry = &step.entry;
        if entry.header.training {
            if matches!(entry.kind, Kind::SaleClosed(_)) {
                sales::fold(txn, entry)?;
            }
        } else {
            self.project(txn, memory, entry, sorted_in)?;
        }
        memory.advance(step)
    }

    fn project(
        &self,
        txn: &WriteTransaction,
        memory: &Memory,
        entry: &Entry,
        sorted_in: Option<u128>,
    ) -> Result<(), StoreError> {
        let open_day = memory.lanes.get(&entry.header.lane).and_then(|lane| lane.day.as_ref());
        sales::fold(txn, entry)?;
        visits::fold(txn, entry)?;
        tax_free::fold(txn, entry)?;
        days::fold(txn, entry, open_day)?;
        jobs::fold(txn, entry)?;
        let last = memory.folded.get(&entry.header.lane);
        let (past, keys, progress) = (&*self.past, &*self.keys, &*self.progress);
        let sources = imports::Sources { past, keys, progress, sorted_in };
        imports::fold(txn, entry, last, &sources)?;
        match &entry.kind {
            Kind::SaleClosed(sale) => stock::moved(txn, sale, sales::Turn::Closed),
            Kind::ReceiptVoided { sale, .. } => stock::moved(txn, sale, sales::Turn::Voided),
            Kind::ItemSet(item) => {
                let mut writer = items::Writer::open(txn)?;
                let row = readied::Items::of(std::slice::from_ref(item))?;
                row.iter().try_for_each(|row| writer.set(row))?;
                writer.close()
            }
            Kind::MemberSet(card) => {
                let mut writer = members::Writer::open(txn)?;
                readied_card(&self.keys, card)?.iter().try_for_each(|row| writer.set(row))?;
                writer.close()
            }
            _ => Ok(()),
        }
    }
}

impl Memory {
    /// Returns whether the entry follows the last one folded of its lane.
    fn is_next(&self, step: &Step) -> Result<bool, StoreError> {
        let header = &step.entry.header;
        let (epoch, last) =
            self.folded.get(&header.lane).map_or((header.epoch, 0), |last| (last.epoch, last.seq));
        if (header.epoch, header.seq) <= (epoch, last) {
            return Ok(false);
        }
        let next = if header.epoch == epoch { last + 1 } else { 1 };
        if header.seq != next {
            return Err(StoreError::Gap { lane: header.lane, next, found: header.seq });
        }
        Ok(true)
    }

    fn advance(&mut self, step: &Step) -> Result<(), StoreError> {
        let header = &step.entry.header;
        fold_settings(&mut self.settings, &step.entry.kind)
            .map_err(|refusal| StoreError::Unfit { seq: header.seq, what: refusal.to_string() })?;
        let lane = self.lanes.entry(header.lane).or_insert_with(|| LaneState::new(header.lane));
        lane.fold(&step.entry);
        let place = step.place.after(self.folded.get(&header.lane));
        self.folded.insert(header.lane, place);
        Ok(())
    }

    /// Writes the memory of the lanes that went on, once for all their entries.
    fn write(&self, txn: &WriteTransaction, steps: &[Step]) -> Result<(), StoreError> {
        for (lane, state) in &self.lanes {
            if let Some(folded) = self.folded.get(lane)
                && steps.iter().any(|step| step.entry.header.lane == *lane)
            {
                lanes::put(txn, state, folded)?;
            }
        }
        let changed = |step: &Step| changes_settings(&step.entry.kind);
        if steps.iter().any(changed) { lanes::put_settings(txn, &self.settings) } else { Ok(()) }
    }
}

/// A durable commit always leaves its allocator behind: reopening after a kill then takes
/// milliseconds (`stack.md` 3.4).
pub(super) fn set_durability(txn: &mut WriteTransaction, durable: bool) -> Result<(), StoreError> {
    txn.set_quick_repair(durable);
    txn.set_durability(if durable { Durability::Immediate } else { Durability::None })?;
    Ok(())
}

/// Creates the tables in an empty database.
pub fn prepare(db: &Database) -> Result<(), StoreError> {
    let mut txn = db.begin_write()?;
    tables::create_all(&txn)?;
    lanes::put_schema(&txn)?;
    set_durability(&mut txn, true)?;
    Ok(txn.commit()?)
}
