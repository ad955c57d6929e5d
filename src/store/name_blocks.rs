//! Names packed side by side, so that any part of any name is found by running over bytes.
//!
//! Room: store. May touch: the table it is handed.
//! Invariant: row n holds the names of ids 512n … 512n+511, each followed by a byte that no text
//! contains. Japanese names are looked for by one or two kanji; no index of three letters serves
//! that, and a plain scan is ten times as quick as one that does not (`performance.md` 3.2).

use std::ops::{Bound, ControlFlow, RangeBounds};
use std::thread;

use memchr::{memchr_iter, memmem};
use redb::{ReadOnlyTable, ReadableTable, Table};

use super::fault::StoreError;
use super::tables::Blob;

/// Names in one row; about 8 KB.
pub const PER_BLOCK: u32 = 512;

/// Rows in each half of the names from which a second thread looks through one of them.
const WORTH_A_THREAD: u32 = 32;

/// Ends a name: never a byte of UTF-8.
const END: u8 = 0xff;

/// The blocks, open for writing, and the one that is being filled.
pub struct Filling<'txn> {
    table: Table<'txn, u32, Blob>,
    open: Option<Block>,
}

/// One row.
struct Block {
    number: u32,
    bytes: Vec<u8>,
    names: usize,
}

impl Block {
    fn set(&mut self, slot: usize, name: &str) {
        if slot < self.names {
            let (begin, end) = self.place(slot);
            self.bytes.splice(begin..end, name.bytes());
            return;
        }
        self.bytes.resize(self.bytes.len() + slot - self.names, END);
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(END);
        self.names = slot + 1;
    }

    /// Returns where a name begins and ends.
    fn place(&self, slot: usize) -> (usize, usize) {
        let mut ends = memchr_iter(END, &self.bytes).skip(slot.saturating_sub(1));
        let begin = if slot == 0 { 0 } else { ends.next().map_or(0, |end| end + 1) };
        (begin, ends.next().unwrap_or(self.bytes.len()))
    }
}

impl<'txn> Filling<'txn> {
    pub fn new(table: Table<'txn, u32, Blob>) -> Self {
        Self { table, open: None }
    }

    /// Sets the name of an id; empty takes it away. Ids in rising order cost one write a block.
    pub fn set(&mut self, id: u32, name: &str) -> Result<(), StoreError> {
        let (number, slot) = (id / PER_BLOCK, (id % PER_BLOCK) as usize);
        if self.open.as_ref().is_none_or(|open| open.number != number) {
            self.close()?;
            let bytes = self.table.get(number)?.map(|bytes| bytes.value().to_vec());
            let bytes = bytes.unwrap_or_default();
            self.open = Some(Block { number, names: memchr_iter(END, &bytes).count(), bytes });
        }
        if let Some(open) = &mut self.open {
            open.set(slot, name);
        }
        Ok(())
    }

    /// Writes the block that is being filled.
    pub fn close(&mut self) -> Result<(), StoreError> {
        if let Some(open) = self.open.take() {
            self.table.insert(open.number, open.bytes.as_slice())?;
        }
        Ok(())
    }
}

/// Calls `each` with the id of every name that contains `part`, in rising order, until it breaks.
pub fn scan(
    table: &impl ReadableTable<u32, Blob>,
    part: &str,
    each: impl FnMut(u32) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    scan_blocks(table, .., part, each)
}

/// Returns the ids of all names that contain `part`, in rising order; many names are looked through
/// by two threads.
pub fn all(table: &ReadOnlyTable<u32, Blob>, part: &str) -> Result<Vec<u32>, StoreError> {
    let find = |blocks: (Bound<u32>, Bound<u32>)| {
        let mut found = Vec::new();
        scan_blocks(table, blocks, part, |id| {
            found.push(id);
            ControlFlow::Continue(())
        })?;
        Ok(found)
    };
    let half = table.last()?.map_or(0, |(block, _)| block.value() / 2);
    if half < WORTH_A_THREAD {
        return find((Bound::Unbounded, Bound::Unbounded));
    }
    thread::scope(|scope| {
        let second = scope.spawn(|| find((Bound::Included(half), Bound::Unbounded)));
        let mut found = find((Bound::Unbounded, Bound::Excluded(half)))?;
        let second = second.join().map_err(|_| StoreError::Journal("names".to_owned()))?;
        found.extend(second?);
        Ok(found)
    })
}

fn scan_blocks(
    table: &impl ReadableTable<u32, Blob>,
    blocks: impl RangeBounds<u32>,
    part: &str,
    mut each: impl FnMut(u32) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    if part.is_empty() {
        return Ok(());
    }
    let finder = memmem::Finder::new(part);
    let mut found = Vec::new();
    for row in table.range(blocks)? {
        let (block, bytes) = row?;
        let first = block.value() * PER_BLOCK;
        slots(&finder, bytes.value(), &mut found);
        for slot in found.drain(..) {
            if each(first + slot).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Finds the places of the names that contain what `finder` looks for.
fn slots(finder: &memmem::Finder<'_>, bytes: &[u8], found: &mut Vec<u32>) {
    let (mut at, mut slot) = (0, 0);
    while let Some(hit) = finder.find(&bytes[at..]) {
        slot += memchr_iter(END, &bytes[at..at + hit]).count() as u32;
        found.push(slot);
        // On to the next name: one that holds the part twice is one hit.
        let Some(end) = memchr::memchr(END, &bytes[at + hit..]) else { break };
        at += hit + end + 1;
        slot += 1;
    }
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;
    use redb::{Builder, ReadableDatabase};

    use super::*;
    use crate::store::tables::MEMBER_NAMES;

    #[test]
    fn any_part_of_any_name_is_found_and_a_changed_name_is_not() {
        let db = Builder::new().create_with_backend(InMemoryBackend::new()).unwrap();
        let txn = db.begin_write().unwrap();
        let mut names = Filling::new(txn.open_table(MEMBER_NAMES).unwrap());
        for (id, name) in [(0, "高橋高子"), (3, "山田"), (511, "高田"), (512, "田高"), (1500, "高")]
        {
            names.set(id, name).unwrap();
        }
        names.set(511, "鈴木").unwrap();
        names.close().unwrap();
        drop(names);
        txn.commit().unwrap();
        let table = db.begin_read().unwrap().open_table(MEMBER_NAMES).unwrap();
        for (part, want) in [
            ("高", vec![0, 512, 1500]),
            ("田", vec![3, 512]),
            ("山田", vec![3]),
            ("橋高", vec![0]),
            ("田鈴", vec![]),
            ("", vec![]),
        ] {
            let mut ids = Vec::new();
            scan(&table, part, |id| {
                ids.push(id);
                ControlFlow::Continue(())
            })
            .unwrap();
            assert_eq!(ids, want, "{part}");
            assert_eq!(all(&table, part).unwrap(), want, "{part}");
        }
    }

    #[test]
    fn two_threads_find_what_one_does() {
        let db = Builder::new().create_with_backend(InMemoryBackend::new()).unwrap();
        let txn = db.begin_write().unwrap();
        let mut names = Filling::new(txn.open_table(MEMBER_NAMES).unwrap());
        let count = 2 * (WORTH_A_THREAD + 3) * PER_BLOCK;
        for id in 0..count {
            names.set(id, if id % 7 == 0 { "高田" } else { "山田" }).unwrap();
        }
        names.close().unwrap();
        drop(names);
        txn.commit().unwrap();
        let table = db.begin_read().unwrap().open_table(MEMBER_NAMES).unwrap();
        let want: Vec<u32> = (0..count).filter(|id| id % 7 == 0).collect();
        assert_eq!(all(&table, "高").unwrap(), want);
        assert_eq!(all(&table, "田").unwrap().len() as u32, count);
        assert!(all(&table, "川").unwrap().is_empty());
    }
}
