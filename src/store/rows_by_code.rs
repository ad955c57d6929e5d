//! Rows by code that wait in memory until many are written in order.
//!
//! Room: store. May touch: the table it is handed.
//! Invariant: of two rows with one code the later counts; nothing waits once `write` has returned.

use std::ops::Bound;

use redb::{ReadableTable, Table};

use super::abreast::Work;
use super::fault::StoreError;
use super::postings::{Lead, lead};
use super::tables::Blob;

/// Bytes of new rows that wait in memory before they are written.
const MOST_BYTES: usize = 4 << 20;

/// A table, open for writing.
pub struct RowsByCode<'txn> {
    table: Table<'txn, &'static str, Blob>,
    waiting: Waiting,
}

/// Rows in one piece of memory: each code, and its row behind it.
#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    rows: Vec<Place>,
}

/// Where a row waits.
struct Place {
    /// The first bytes of the code as a number: most codes differ here, and nothing else is read.
    lead: Lead,
    code: usize,
    row: usize,
    end: usize,
}

impl Waiting {
    fn code(&self, place: &Place) -> &[u8] {
        &self.bytes[place.code..place.row]
    }

    /// Puts the rows in the order of their codes; of several with one code the last stays.
    fn sort(&mut self) {
        let mut rows = std::mem::take(&mut self.rows);
        let code = |place: &Place| self.code(place);
        rows.sort_unstable_by(|a, b| {
            let by_code = || code(a).cmp(code(b)).then(a.code.cmp(&b.code));
            a.lead.cmp(&b.lead).then_with(by_code)
        });
        rows.dedup_by(|later, earlier| {
            let is_same = later.lead == earlier.lead && code(later) == code(earlier);
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
        self.rows = rows;
    }
}

impl<'txn> RowsByCode<'txn> {
    pub fn new(table: Table<'txn, &'static str, Blob>) -> Self {
        Self { table, waiting: Waiting::default() }
    }

    /// Returns the table as it was before what still waits.
    pub fn table(&self) -> &Table<'txn, &'static str, Blob> {
        &self.table
    }

    /// Sets a row, now or when many wait.
    pub fn set(&mut self, code: &str, row: &[u8]) -> Result<(), StoreError> {
        let Waiting { bytes, rows } = &mut self.waiting;
        let (lead, at) = (lead(code.as_bytes()), bytes.len());
        bytes.extend_from_slice(code.as_bytes());
        bytes.extend_from_slice(row);
        rows.push(Place { lead, code: at, row: at + code.len(), end: bytes.len() });
        if bytes.len() >= MOST_BYTES { self.write() } else { Ok(()) }
    }

    /// The writing of what waits, to be done beside other work.
    pub fn work(&mut self) -> Work<'_> {
        Work::new(self.waiting.rows.len(), || self.write())
    }

    /// Writes what waits. What sorts behind all that is there is appended: twice as quick as inserting it.
    pub fn write(&mut self) -> Result<(), StoreError> {
        if self.waiting.rows.is_empty() {
            return Ok(());
        }
        self.waiting.sort();
        let waiting = &self.waiting;
        let last = self.table.last()?.map(|(code, _)| code.value().to_owned());
        let inside = last.map_or(0, |last| {
            waiting.rows.partition_point(|place| waiting.code(place) <= last.as_bytes())
        });
        let (inside, behind) = waiting.rows.split_at(inside);
        let row = |place: &Place| {
            let code = std::str::from_utf8(waiting.code(place)).expect("put in as a text");
            (code, &waiting.bytes[place.row..place.end])
        };
        for (code, row) in inside.iter().map(row) {
            self.table.insert(code, row)?;
        }
        let mut end = self.table.upper_bound_mut(Bound::<&str>::Unbounded)?;
        for (code, row) in behind.iter().map(row) {
            end.insert_before(code, row)?;
        }
        end.close()?;
        self.waiting.bytes.clear();
        self.waiting.rows.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;
    use redb::{Builder, ReadableTable};

    use super::*;
    use crate::store::tables::STOCK;

    #[test]
    fn rows_stand_by_code_and_the_last_of_one_code_counts() {
        let db = Builder::new().create_with_backend(InMemoryBackend::new()).unwrap();
        let txn = db.begin_write().unwrap();
        let mut rows = RowsByCode::new(txn.open_table(STOCK).unwrap());
        for batch in ["b1 d1 b2", "a1 d2 e1 e2 c1", "", "f1"] {
            for row in batch.split_whitespace() {
                let (code, row) = row.split_at(1);
                rows.set(code, row.as_bytes()).unwrap();
            }
            rows.write().unwrap();
        }
        let found: Vec<String> = rows
            .table()
            .iter()
            .unwrap()
            .map(|row| {
                let (code, row) = row.unwrap();
                format!("{}{}", code.value(), std::str::from_utf8(row.value()).unwrap())
            })
            .collect();
        assert_eq!(found, ["a1", "b2", "c1", "d2", "e2", "f1"]);
    }
}
