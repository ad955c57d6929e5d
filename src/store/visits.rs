//! When a member came, and what it did to the points.
//!
//! Room: store. May touch: the visit tables and a member's facts.
//! Invariant: a visit is a closed sale of a member that was not voided; goods that only came back are told
//! among the visits and counted as none. The newest is found without looking at the others.

use redb::{AccessGuard, Range, ReadOnlyTable, ReadTransaction, ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::codec::{guard, guarded, pack, unguarded, unpack};
use super::fault::StoreError;
use super::members::{self, Facts};
use super::postings;
use super::sales;
use super::tables::{Blob, MEMBER_CODES, MEMBER_DAYS, SaleKey, VISITS};
use crate::domain::entry::{Entry, Kind};
use crate::domain::money::Money;
use crate::domain::number::{DocKind, DocNo};
use crate::domain::sale::Sale;

/// Members in one row of last visits.
const PER_ROW: u32 = 512;
const DAY_BYTES: usize = size_of::<i32>();
/// Members of whom so many rows are asked for that all of them are read in one go.
const MANY: usize = 20_000;

/// One visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    pub receipt: DocNo,
    pub at_ms: i64,
    pub offset_minutes: i16,
    /// Days from the common era.
    pub business_date: i32,
    pub total: Money,
    /// What the visit did to the balance.
    pub points: i64,
}

impl Visit {
    /// Whether the member came to buy: a return slip is the end of an earlier visit.
    fn counts(&self) -> bool {
        self.receipt.kind != DocKind::Return
    }
}

/// Folds what an entry says of members' points and visits.
pub fn fold(txn: &WriteTransaction, entry: &Entry) -> Result<(), StoreError> {
    let day = entry.header.business_date;
    match &entry.kind {
        Kind::SaleClosed(sale) => closed(txn, entry, sale),
        Kind::ReceiptVoided { receipt, sale, .. } => voided(txn, *receipt, day, sale),
        Kind::LatePoints { receipt, member, earned, .. } if *earned < 0 => {
            late_taken_back(txn, *receipt, member, *earned, day)
        }
        Kind::LatePoints { receipt, member, earned, .. } => {
            came_late(txn, *receipt, member, *earned, day)
        }
        Kind::Stamped { member, count } => {
            members::change_facts(txn, member, |facts| facts.stamps += count).map(|_| ())
        }
        _ => Ok(()),
    }
}

/// What a sale did to the balance: what it earned, and everything else (used, taken or given back).
fn moves(sale: &Sale) -> (i64, i64) {
    let Some(member) = &sale.member else { return (0, 0) };
    let all = member.points_after - member.points_before;
    (sale.points_earned, all - sale.points_earned)
}

fn closed(txn: &WriteTransaction, entry: &Entry, sale: &Sale) -> Result<(), StoreError> {
    let Some(member) = &sale.member else { return Ok(()) };
    let header = &entry.header;
    let (earned, rest) = moves(sale);
    let visit = Visit {
        receipt: sale.number,
        at_ms: header.at_ms,
        offset_minutes: header.offset_minutes,
        business_date: header.business_date,
        total: sale.totals.total,
        points: earned + rest,
    };
    let id = members::change_facts(txn, &member.code, |facts| {
        facts.ledger.add(header.business_date, earned);
        facts.ledger.add(header.business_date, rest);
        facts.spent += sale.totals.total;
        if visit.counts() {
            visited(facts, header.business_date);
        }
    })?;
    id.map_or(Ok(()), |id| note(txn, id, sales::key_of(header), &visit))
}

fn visited(facts: &mut Facts, day: i32) {
    facts.visits += 1;
    facts.last_visit = facts.last_visit.max(Some(day));
}

fn note(txn: &WriteTransaction, id: u32, key: SaleKey, visit: &Visit) -> Result<(), StoreError> {
    txn.open_table(VISITS)?.insert((id, key), pack(visit)?.as_slice())?;
    if visit.counts() { set_last_day(txn, id, visit.business_date) } else { Ok(()) }
}

fn voided(txn: &WriteTransaction, receipt: DocNo, day: i32, sale: &Sale) -> Result<(), StoreError> {
    let Some((key, row)) = sales::row_of(txn, receipt)? else { return Ok(()) };
    let Some(code) = row.points_member() else { return Ok(()) };
    let Some(id) = members::id_of(txn, code)? else { return Ok(()) };
    // A late member's points are on the visit; those of a member at the sale are in the sale.
    let visit = txn.open_table(VISITS)?.remove((id, key))?.map(|row| unpack(row.value()));
    let Some(visit): Option<Visit> = visit.transpose()? else { return Ok(()) };
    let (earned, rest) = if sale.member.is_some() { moves(sale) } else { (visit.points, 0) };
    members::change_facts(txn, code, |facts| {
        facts.ledger.add(day, -earned);
        facts.ledger.add(day, -rest);
        facts.spent -= visit.total;
        facts.visits = facts.visits.saturating_sub(visit.counts().into());
    })?;
    Ok(())
}

fn came_late(
    txn: &WriteTransaction,
    receipt: DocNo,
    code: &str,
    earned: i64,
    day: i32,
) -> Result<(), StoreError> {
    let Some((key, row)) = sales::row_of(txn, receipt)? else { return Ok(()) };
    let visit = Visit {
        receipt,
        at_ms: row.at_ms,
        offset_minutes: row.offset_minutes,
        business_date: row.business_date,
        total: row.total,
        points: earned,
    };
    let id = members::change_facts(txn, code, |facts| {
        facts.ledger.add(day, earned);
        facts.spent += row.total;
        visited(facts, row.business_date);
    })?;
    id.map_or(Ok(()), |id| note(txn, id, key, &visit))
}

/// Takes back what came late, ahead of the void of its receipt: the void then takes the visit.
fn late_taken_back(
    txn: &WriteTransaction,
    receipt: DocNo,
    code: &str,
    earned: i64,
    day: i32,
) -> Result<(), StoreError> {
    let Some((key, _)) = sales::row_of(txn, receipt)? else { return Ok(()) };
    let id = members::change_facts(txn, code, |facts| facts.ledger.add(day, earned))?;
    let Some(id) = id else { return Ok(()) };
    let mut table = txn.open_table(VISITS)?;
    let visit = table.get((id, key))?.map(|row| unpack::<Visit>(row.value())).transpose()?;
    let Some(visit) = visit else { return Ok(()) };
    let visit = Visit { points: visit.points + earned, ..visit };
    table.insert((id, key), pack(&visit)?.as_slice())?;
    Ok(())
}

fn set_last_day(txn: &WriteTransaction, id: u32, day: i32) -> Result<(), StoreError> {
    let mut table = txn.open_table(MEMBER_DAYS)?;
    let (row, slot) = (id / PER_ROW, (id % PER_ROW) as usize);
    let stored = table.get(row)?;
    let mut days = match &stored {
        Some(days) => guarded(days.value())?.to_vec(),
        None => Vec::new(),
    };
    drop(stored);
    let at = slot * DAY_BYTES;
    if days.len() < at + DAY_BYTES {
        days.resize(at + DAY_BYTES, 0);
    }
    let newest = day_at(&days, slot).max(day);
    days[at..at + DAY_BYTES].copy_from_slice(&newest.to_le_bytes());
    table.insert(row, guard(days).as_slice())?;
    Ok(())
}

/// Reads the day of a slot; 0 behind the end.
fn day_at(days: &[u8], slot: usize) -> i32 {
    let day = days.get(slot * DAY_BYTES..).and_then(|days| days.first_chunk());
    day.map_or(0, |day| i32::from_le_bytes(*day))
}

/// Last visits, read row by row as they are asked for, and never decoded as a whole: a name that ten
/// thousand bear asks for all rows.
pub struct LastVisits {
    table: ReadOnlyTable<u32, Blob>,
    /// By number of the row; the outer `None` was not yet asked for.
    rows: Vec<Option<Days>>,
    /// For many ids in rising order: each row is let go before the next.
    walk: Option<Walk>,
}

type Days = Option<AccessGuard<'static, Blob>>;

impl LastVisits {
    /// For about `wanted` members, who are asked for in rising order or not.
    pub fn new(txn: &ReadTransaction, wanted: usize, rising: bool) -> Result<Self, StoreError> {
        let table = txn.open_table(MEMBER_DAYS)?;
        let mut last = Self { table, rows: Vec::new(), walk: None };
        match (wanted >= MANY, rising) {
            (true, true) => last.walk = Some(Walk::new(&last.table)?),
            (true, false) => last.read_all()?,
            (false, _) => {}
        }
        Ok(last)
    }

    /// Reads every row, one behind the other.
    fn read_all(&mut self) -> Result<(), StoreError> {
        for row in self.table.range::<u32>(..)? {
            let (number, days) = row?;
            guarded(days.value())?;
            self.rows.resize_with(number.value() as usize, || Some(None));
            self.rows.push(Some(Some(days)));
        }
        Ok(())
    }

    /// Returns the day of the last visit, 0 before the first; days from the common era.
    pub fn of(&mut self, id: u32) -> Result<i32, StoreError> {
        if let Some(walk) = &mut self.walk {
            return walk.of(id);
        }
        let (row, slot) = ((id / PER_ROW) as usize, (id % PER_ROW) as usize);
        if self.rows.len() <= row {
            self.rows.resize_with(row + 1, || None);
        }
        if self.rows[row].is_none() {
            let days = self.table.get(row as u32)?;
            if let Some(days) = &days {
                guarded(days.value())?; // Once a row.
            }
            self.rows[row] = Some(days);
        }
        let days = self.rows[row].as_ref().and_then(Option::as_ref);
        Ok(days.map_or(0, |days| day_at(unguarded(days.value()), slot)))
    }
}

/// All rows in their order, of which one is held: a common name asks for four megabytes of them.
struct Walk {
    left: Range<'static, u32, Blob>,
    number: u32,
    days: Days,
}

impl Walk {
    fn new(table: &ReadOnlyTable<u32, Blob>) -> Result<Self, StoreError> {
        Ok(Self { left: table.range::<u32>(..)?, number: 0, days: None })
    }

    fn of(&mut self, id: u32) -> Result<i32, StoreError> {
        let row = id / PER_ROW;
        while self.days.is_none() || self.number < row {
            let Some(next) = self.left.next() else { break };
            let (number, days) = next?;
            guarded(days.value())?;
            (self.number, self.days) = (number.value(), Some(days));
        }
        let days = self.days.as_ref().filter(|_| self.number == row);
        Ok(days.map_or(0, |days| day_at(unguarded(days.value()), (id % PER_ROW) as usize)))
    }
}

/// Returns the newest visits of a member, newest first.
pub fn newest(txn: &ReadTransaction, code: &str, limit: usize) -> Result<Vec<Visit>, StoreError> {
    let Some(id) = postings::one(&txn.open_table(MEMBER_CODES)?, code)? else {
        return Ok(Vec::new());
    };
    let (first, past) = ((id, sales::day_start(i32::MIN)), (id + 1, sales::day_start(i32::MIN)));
    let table = txn.open_table(VISITS)?;
    table.range(first..past)?.rev().take(limit).map(|row| Ok(unpack(row?.1.value())?)).collect()
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;
    use redb::{Builder, ReadableDatabase};

    use super::*;

    #[test]
    fn walking_in_order_tells_the_same_days_as_asking_for_each() {
        let db = Builder::new().create_with_backend(InMemoryBackend::new()).unwrap();
        let txn = db.begin_write().unwrap();
        // Rows 0, 3 and 4; nobody of the rows between came, and nobody behind them.
        for (id, day) in [(5, 700_000), (511, 700_001), (3 * PER_ROW, 700_002), (2_100, 700_003)] {
            set_last_day(&txn, id, day).unwrap();
        }
        txn.commit().unwrap();
        let txn = db.begin_read().unwrap();
        let days_of = |wanted, rising, step| {
            let mut last = LastVisits::new(&txn, wanted, rising).unwrap();
            (0..4_000).step_by(step).map(|id| last.of(id).unwrap()).collect::<Vec<_>>()
        };
        for step in [1, 5, 511, 1_024] {
            let each = days_of(1, true, step);
            assert_eq!(each, days_of(MANY, true, step), "a step of {step}");
            assert_eq!(each, days_of(MANY, false, step), "a step of {step}");
        }
        let came = days_of(MANY, true, 1).into_iter().filter(|day| *day > 0);
        assert_eq!(came.collect::<Vec<_>>(), [700_000, 700_001, 700_002, 700_003]);
    }
}
