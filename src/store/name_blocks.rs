//! Names packed side by side, so that any part of any name is found by running over bytes.
//!
//! Room: store. May touch: the table it is handed.
//! Invariant: row n holds the names of ids 512n … 512n+511, each followed by a byte that no text
//! contains. Japanese names are looked for by one or two kanji; no index of three letters serves
//! that, and a plain scan is ten times as quick as one that does not (`performance.md` 3.2).

use std::ops::ControlFlow;

use memchr::{memchr_iter, memmem};
use redb::{ReadableTable, Table};

use super::fault::StoreError;
use super::tables::Blob;

/// Names in one row; about 8 KB.
pub const PER_BLOCK: u32 = 512;

/// Ends a name: never a byte of UTF-8.
const END: u8 = 0xff;

/// The blocks, open for writing, and the one that is being filled.
pub struct Filling<'txn> {
    table: Table<'txn, u32, Blob>,
    open: Option<(u32, Vec<Vec<u8>>)>,
}

impl<'txn> Filling<'txn> {
    pub fn new(table: Table<'txn, u32, Blob>) -> Self {
        Self { table, open: None }
    }

    /// Sets the name of an id; empty takes it away. Ids in rising order cost one write a block.
    pub fn set(&mut self, id: u32, name: &str) -> Result<(), StoreError> {
        let (block, slot) = (id / PER_BLOCK, (id % PER_BLOCK) as usize);
        if self.open.as_ref().is_none_or(|(open, _)| *open != block) {
            self.close()?;
            let names = self.table.get(block)?.map(|bytes| unpacked(bytes.value()));
            self.open = Some((block, names.unwrap_or_default()));
        }
        if let Some((_, names)) = &mut self.open {
            if names.len() <= slot {
                names.resize(slot + 1, Vec::new());
            }
            names[slot] = name.as_bytes().to_vec();
        }
        Ok(())
    }

    /// Writes the block that is being filled.
    pub fn close(&mut self) -> Result<(), StoreError> {
        if let Some((block, names)) = self.open.take() {
            self.table.insert(block, packed(&names).as_slice())?;
        }
        Ok(())
    }
}

fn packed(names: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(names.iter().map(|name| name.len() + 1).sum());
    for name in names {
        bytes.extend_from_slice(name);
        bytes.push(END);
    }
    bytes
}

fn unpacked(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut names: Vec<_> = bytes.split(|byte| *byte == END).map(<[u8]>::to_vec).collect();
    names.pop(); // What follows the last end is no name.
    names
}

/// Calls `each` with the id of every name that contains `part`, in rising order, until it breaks.
pub fn scan(
    table: &impl ReadableTable<u32, Blob>,
    part: &str,
    mut each: impl FnMut(u32) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    if part.is_empty() {
        return Ok(());
    }
    let finder = memmem::Finder::new(part);
    for row in table.iter()? {
        let (block, bytes) = row?;
        let first = block.value() * PER_BLOCK;
        for slot in slots(&finder, bytes.value()) {
            if each(first + slot).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Finds the places of the names that contain what `finder` looks for.
fn slots(finder: &memmem::Finder<'_>, bytes: &[u8]) -> Vec<u32> {
    let mut found = Vec::new();
    let (mut at, mut slot) = (0, 0);
    while let Some(hit) = finder.find(&bytes[at..]) {
        slot += memchr_iter(END, &bytes[at..at + hit]).count() as u32;
        found.push(slot);
        // On to the next name: one that holds the part twice is one hit.
        let Some(end) = memchr::memchr(END, &bytes[at + hit..]) else { break };
        at += hit + end + 1;
        slot += 1;
    }
    found
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
        }
    }
}
