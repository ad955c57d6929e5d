//! What each lane remembers, the shop's settings, and how far the journal has been folded.
//!
//! Room: store. May touch: the lane tables and `meta`.
//! Invariant: written in the transaction of the entry they follow from, so that totals and place
//! never disagree.

use std::collections::BTreeMap;

use redb::{ReadTransaction, ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::chain::{Hash, Head};
use super::codec::{pack, unpack};
use super::fault::StoreError;
use super::opening::Checkpoint;
use super::segment::{Month, Place};
use super::tables::{FOLDED, LANES, META, SCHEMA};
use crate::domain::lane::LaneState;
use crate::domain::settings::Settings;

const SETTINGS: &str = "settings";
const SCHEMA_KEY: &str = "schema";

/// The last entry of a lane that was folded, and where the journal goes on behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    pub epoch: u16,
    pub seq: u64,
    pub hash: [u8; 32],
    /// yyyymm and part of the segment; a month of 0 where the place is not known.
    pub month: u32,
    pub part: u16,
    /// Behind the record, in bytes.
    pub offset: u64,
    /// The two newest marks before it, older first.
    marks: [Option<Mark>; 2],
}

/// Entries between two marks. Whoever opens the journal begins at the older one: the last 64 entries
/// can then be asked for without walking a whole month.
const MARK_EVERY: u64 = 64;

/// A place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    seq: u64,
    hash: [u8; 32],
    month: u32,
    part: u16,
    offset: u64,
}

impl Mark {
    fn checkpoint(&self) -> Option<Checkpoint> {
        let place = Place { month: Month::from_number(self.month)?, part: self.part };
        let head = Head { seq: self.seq, hash: Hash::from_bytes(self.hash) };
        Some(Checkpoint { place, offset: self.offset, head })
    }
}

impl Folded {
    pub fn at(epoch: u16, checkpoint: &Checkpoint) -> Self {
        Self {
            epoch,
            seq: checkpoint.head.seq,
            hash: *checkpoint.head.hash.as_bytes(),
            month: checkpoint.place.month.number(),
            part: checkpoint.place.part,
            offset: checkpoint.offset,
            marks: [None; 2],
        }
    }

    /// Returns this place with its marks, as they follow from the place before it.
    pub fn after(mut self, last: Option<&Self>) -> Self {
        let last = last.filter(|last| last.epoch == self.epoch);
        self.marks = last.map_or([None; 2], |last| last.marks);
        if self.seq.is_multiple_of(MARK_EVERY) {
            let Self { seq, hash, month, part, offset, .. } = self;
            self.marks = [self.marks[1], Some(Mark { seq, hash, month, part, offset })];
        }
        self
    }

    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: Hash::from_bytes(self.hash) }
    }

    /// Where the journal may begin to look for its head.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        self.marks[0].as_ref().and_then(Mark::checkpoint)
    }
}

/// Writes that these tables are of today's schema.
pub fn put_schema(txn: &WriteTransaction) -> Result<(), StoreError> {
    txn.open_table(META)?.insert(SCHEMA_KEY, pack(&SCHEMA)?.as_slice())?;
    Ok(())
}

/// Returns whether the tables are of today's schema.
pub fn is_current(txn: &ReadTransaction) -> Result<bool, StoreError> {
    let table = txn.open_table(META)?;
    let schema: Option<u32> = table.get(SCHEMA_KEY)?.map(|row| unpack(row.value())).transpose()?;
    Ok(schema == Some(SCHEMA))
}

/// Writes what follows an entry of a lane.
pub fn put(txn: &WriteTransaction, lane: &LaneState, folded: &Folded) -> Result<(), StoreError> {
    txn.open_table(LANES)?.insert(lane.lane, pack(lane)?.as_slice())?;
    txn.open_table(FOLDED)?.insert(lane.lane, pack(folded)?.as_slice())?;
    Ok(())
}

pub fn put_settings(txn: &WriteTransaction, settings: &Settings) -> Result<(), StoreError> {
    txn.open_table(META)?.insert(SETTINGS, pack(settings)?.as_slice())?;
    Ok(())
}

/// Returns the shop's settings; those shipped before the first entry changed any.
pub fn settings(txn: &ReadTransaction) -> Result<Settings, StoreError> {
    let row = txn.open_table(META)?.get(SETTINGS)?;
    Ok(row.map(|row| unpack(row.value())).transpose()?.unwrap_or_default())
}

/// Returns every lane's memory.
pub fn states(txn: &ReadTransaction) -> Result<BTreeMap<u8, LaneState>, StoreError> {
    let table = txn.open_table(LANES)?;
    table
        .iter()?
        .map(|row| {
            let (lane, state) = row?;
            Ok((lane.value(), unpack(state.value())?))
        })
        .collect()
}

/// Returns how far each lane's journal was folded.
pub fn folded(txn: &ReadTransaction) -> Result<BTreeMap<u8, Folded>, StoreError> {
    let table = txn.open_table(FOLDED)?;
    table
        .iter()?
        .map(|row| {
            let (lane, folded) = row?;
            Ok((lane.value(), unpack(folded.value())?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u16, seq: u64) -> Folded {
        let place = Place { month: Month::from_number(202_611).unwrap(), part: 0 };
        let head = Head { seq, hash: Hash::from_bytes([7; 32]) };
        Folded::at(epoch, &Checkpoint { place, offset: seq * 1_000, head })
    }

    #[test]
    fn a_start_begins_at_least_64_entries_before_the_last() {
        let mut last: Option<Folded> = None;
        let mut begins = Vec::new();
        for seq in 1..=200 {
            last = Some(at(0, seq).after(last.as_ref()));
            let start = last.and_then(|last| last.checkpoint()).map(|start| start.head.seq);
            begins.push((seq, start));
        }
        for (seq, start) in begins {
            let want = (seq >= 128).then_some(if seq < 192 { 64 } else { 128 });
            assert_eq!(start, want, "{seq}");
        }
        let next_epoch = at(1, 1).after(last.as_ref());
        assert_eq!(next_epoch.checkpoint(), None, "places of an epoch that ended");
    }
}
