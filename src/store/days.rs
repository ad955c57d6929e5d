//! Closed days: the totals that the Z printed, for reports.
//!
//! Room: store. May touch: the days table.
//! Invariant: written once, at the Z; the open day lives in the lane's memory.

use redb::{ReadTransaction, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::codec::{pack, unpack};
use super::fault::StoreError;
use super::tables::DAYS;
use crate::domain::day::DayTotals;
use crate::domain::entry::{Entry, Kind, ZClosing};

/// One closed day of one lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedDay {
    pub lane: u8,
    /// UTC ms of the Z, and the minutes its clock was ahead of UTC.
    pub closed_ms: i64,
    pub offset_minutes: i16,
    pub staff: u32,
    pub totals: DayTotals,
    pub closing: ZClosing,
}

/// Folds a Z; `open` are the totals of the day that it closes.
pub fn fold(
    txn: &WriteTransaction,
    entry: &Entry,
    open: Option<&DayTotals>,
) -> Result<(), StoreError> {
    let (Kind::ZClosed(closing), Some(totals)) = (&entry.kind, open) else { return Ok(()) };
    let header = &entry.header;
    let day = ClosedDay {
        lane: header.lane,
        closed_ms: header.at_ms,
        offset_minutes: header.offset_minutes,
        staff: header.staff,
        totals: totals.clone(),
        closing: (**closing).clone(),
    };
    let key = (totals.business_date, header.lane, header.epoch, closing.number.number);
    txn.open_table(DAYS)?.insert(key, pack(&day)?.as_slice())?;
    Ok(())
}

/// Returns the closed days of the business dates, all lanes, oldest first.
pub fn between(txn: &ReadTransaction, from: i32, to: i32) -> Result<Vec<ClosedDay>, StoreError> {
    let first = (from, 0, 0, 0);
    let past = (to.saturating_add(1), 0, 0, 0);
    let table = txn.open_table(DAYS)?;
    table.range(first..past)?.map(|row| Ok(unpack(row?.1.value())?)).collect()
}
