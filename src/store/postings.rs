//! An index from a text to the numbers of the rows that bear it.
//!
//! Room: store. May touch: the table it is handed.
//! Invariant: the ids under a key are sorted and stand once. A row holds the low halves of ids that
//! share their high half, so a name that a thousand members bear costs two bytes each.

use std::ops::ControlFlow;

use redb::{ReadableTable, Table};

use super::fault::StoreError;
use super::tables::Blob;

/// An index, open for writing.
pub type Open<'txn> = Table<'txn, (&'static str, u32), Blob>;

const fn split(id: u32) -> (u32, u16) {
    (id >> 16, (id & 0xffff) as u16)
}

fn lows(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
}

fn to_bytes(lows: &[u16]) -> Vec<u8> {
    lows.iter().flat_map(|low| low.to_le_bytes()).collect()
}

/// Takes an id away from a key; nothing happens when it is not there.
pub fn remove(table: &mut Open<'_>, key: &str, id: u32) -> Result<(), StoreError> {
    let (high, low) = split(id);
    let Some(mut kept) = stored(table, key, high)? else { return Ok(()) };
    kept.retain(|other| *other != low);
    if kept.is_empty() {
        table.remove((key, high))?;
    } else {
        table.insert((key, high), to_bytes(&kept).as_slice())?;
    }
    Ok(())
}

fn stored(table: &Open<'_>, key: &str, high: u32) -> Result<Option<Vec<u16>>, StoreError> {
    Ok(table.get((key, high))?.map(|bytes| lows(bytes.value()).collect()))
}

/// Calls `each` with the key and every id under the keys that begin with `prefix`, in the order of
/// the keys, until it breaks.
pub fn scan(
    table: &impl ReadableTable<(&'static str, u32), Blob>,
    prefix: &str,
    mut each: impl FnMut(&str, u32) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    for row in table.range((prefix, 0)..)? {
        let (key, ids) = row?;
        let (key, high) = key.value();
        if !key.starts_with(prefix) {
            break;
        }
        for low in lows(ids.value()) {
            if each(key, (high << 16) | u32::from(low)).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Pairs to be put into one index in one go, kept in one piece of memory.
#[derive(Debug, Default)]
pub struct Batch {
    text: String,
    /// Offset and length of the key in `text`, and the id.
    pairs: Vec<(u32, u16, u32)>,
}

impl Batch {
    /// Remembers a pair; an empty key finds nobody, so it is left out.
    pub fn add(&mut self, key: &str, id: u32) {
        // A key is a name or a number: the gate in `domain::text` keeps both far below this.
        let Ok(len) = u16::try_from(key.len()) else { return };
        if len == 0 {
            return;
        }
        self.pairs.push((self.text.len() as u32, len, id));
        self.text.push_str(key);
    }

    /// Writes everything in the order of the keys: sorted inserts are three times as quick.
    pub fn write(&mut self, table: &mut Open<'_>) -> Result<(), StoreError> {
        let text = std::mem::take(&mut self.text);
        let mut pairs = std::mem::take(&mut self.pairs);
        let key = |&(at, len, _): &(u32, u16, u32)| &text[at as usize..][..usize::from(len)];
        pairs.sort_unstable_by(|a, b| (key(a), a.2).cmp(&(key(b), b.2)));
        let same = |a: &(u32, u16, u32), b: &(u32, u16, u32)| {
            key(a) == key(b) && split(a.2).0 == split(b.2).0
        };
        for group in pairs.chunk_by(same) {
            let (name, high) = (key(&group[0]), split(group[0].2).0);
            let mut ids = stored(table, name, high)?.unwrap_or_default();
            ids.extend(group.iter().map(|pair| split(pair.2).1));
            ids.sort_unstable();
            ids.dedup();
            table.insert((name, high), to_bytes(&ids).as_slice())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;
    use redb::{Builder, Database};

    use super::*;
    use crate::store::tables::MEMBER_KANA;

    fn found(db: &Database, prefix: &str) -> Vec<u32> {
        let txn = db.begin_write().unwrap();
        let table = txn.open_table(MEMBER_KANA).unwrap();
        let mut ids = Vec::new();
        scan(&table, prefix, |_, id| {
            ids.push(id);
            ControlFlow::Continue(())
        })
        .unwrap();
        ids
    }

    #[test]
    fn ids_come_back_by_prefix_in_order_and_leave_without_a_trace() {
        let db = Builder::new().create_with_backend(InMemoryBackend::new()).unwrap();
        let pairs =
            [("たなか", 70_000), ("たなか", 3), ("たに", 5), ("さとう", 9), ("たなか", 1), ("", 4)];
        let txn = db.begin_write().unwrap();
        {
            let mut table = txn.open_table(MEMBER_KANA).unwrap();
            for half in pairs.chunks(3) {
                let mut batch = Batch::default();
                half.iter().for_each(|(key, id)| batch.add(key, *id));
                batch.write(&mut table).unwrap();
            }
        }
        txn.commit().unwrap();
        assert_eq!(found(&db, "た"), [1, 3, 70_000, 5]);
        assert_eq!(found(&db, "たなか"), [1, 3, 70_000]);
        assert!(found(&db, "x").is_empty());
        let txn = db.begin_write().unwrap();
        {
            let mut table = txn.open_table(MEMBER_KANA).unwrap();
            for (key, id) in pairs {
                remove(&mut table, key, id).unwrap();
                remove(&mut table, key, id).unwrap();
            }
            assert!(table.iter().unwrap().next().is_none());
        }
        txn.commit().unwrap();
    }
}
