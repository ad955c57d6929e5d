//! Rows by code that wait in memory until many are written in order.
//!
//! Room: store. May touch: the table it is handed.
//! Invariant: of two rows with one code the later counts; nothing waits once `write` has returned.

use std::ops::Bound;

use redb::{ReadableTable, Table};

use super::fault::StoreError;
use super::tables::Blob;

/// Bytes of new rows that wait in memory before they are written, and what each takes beside its own.
const MOST_BYTES: usize = 8 << 20;
const ROW_BYTES: usize = 80;

/// A table, open for writing.
pub struct RowsByCode<'txn> {
    table: Table<'txn, &'static str, Blob>,
    waiting: Vec<(String, Vec<u8>)>,
    bytes: usize,
}

impl<'txn> RowsByCode<'txn> {
    pub fn new(table: Table<'txn, &'static str, Blob>) -> Self {
        Self { table, waiting: Vec::new(), bytes: 0 }
    }

    /// Returns the table as it was before what still waits.
    pub fn table(&self) -> &Table<'txn, &'static str, Blob> {
        &self.table
    }

    /// Sets a row, now or when many wait.
    pub fn set(&mut self, code: String, row: Vec<u8>) -> Result<(), StoreError> {
        self.bytes += ROW_BYTES + code.len() + row.len();
        self.waiting.push((code, row));
        if self.bytes >= MOST_BYTES { self.write() } else { Ok(()) }
    }

    /// Writes what waits. What sorts behind all that is there is appended: twice as quick as inserting it.
    pub fn write(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.waiting.sort_by(|a, b| a.0.cmp(&b.0)); // Rows of one code stay in their order.
        self.waiting.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                std::mem::swap(&mut later.1, &mut earlier.1);
            }
            is_same
        });
        let last = self.table.last()?.map(|(code, _)| code.value().to_owned());
        let inside = match last {
            Some(last) => self.waiting.partition_point(|(code, _)| *code <= last),
            None => 0,
        };
        for (code, row) in self.waiting.drain(..inside) {
            self.table.insert(code.as_str(), row.as_slice())?;
        }
        let mut end = self.table.upper_bound_mut(Bound::<&str>::Unbounded)?;
        for (code, row) in self.waiting.drain(..) {
            end.insert_before(code.as_str(), row.as_slice())?;
        }
        Ok(end.close()?)
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
                rows.set(row[..1].to_owned(), row.as_bytes()[1..].to_vec()).unwrap();
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
