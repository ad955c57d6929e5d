//! redb over the same file layer as the journal, so that faults and sealing reach both.
//!
//! Room: store. May touch: the one file it is handed. May not: name or lock it.
//! Invariant: one process at a time, by [`crate::store::shop_lock`]: redb's own range locks are
//! not offered here, so nobody may open the store without holding the shop. Writes reach the disk in
//! the order redb asked for.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{Builder, Database, DatabaseError, StorageBackend};

use super::{DiskFile, read_full, write_once};

/// Opens a file as a database, or makes one in an empty file.
///
/// redb marks a file as open, and syncs the mark, before the first row is read. Nothing hangs on it
/// until something is written behind it: that sync is owed until then, so that a start waits for no
/// disk and a look costs none.
pub fn open(file: Arc<dyn DiskFile>, cache_bytes: usize) -> Result<Database, DatabaseError> {
    let state = Arc::new(Mutex::new(State { opening: true, owed: Owed::Nothing }));
    let file = RedbFile { file, state: state.clone() };
    let opened = Builder::new().set_cache_size(cache_bytes).create_with_backend(file);
    lock(&state).opening = false;
    opened
}

/// A file as redb wants it.
#[derive(Debug)]
struct RedbFile {
    file: Arc<dyn DiskFile>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// redb is still opening it.
    opening: bool,
    owed: Owed,
}

/// What stands before the next change of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    Nothing,
    Sync,
    /// That sync failed, and must not be tried again.
    Failed,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RedbFile {
    /// Makes what was owed durable before the file is changed.
    fn pay(&self) -> io::Result<()> {
        let mut state = lock(&self.state);
        match state.owed {
            Owed::Nothing => Ok(()),
            Owed::Failed => Err(ErrorKind::Other.into()),
            Owed::Sync => {
                state.owed = Owed::Failed;
                self.file.sync_data()?;
                state.owed = Owed::Nothing;
                Ok(())
            }
        }
    }
}

impl StorageBackend for RedbFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        read_full(&*self.file, offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.pay()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        {
            let mut state = lock(&self.state);
            if state.opening && state.owed != Owed::Failed {
                state.owed = Owed::Sync;
                return Ok(());
            }
        }
        self.pay()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.pay()?;
        write_once(&*self.file, offset, data)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use redb::{ReadableDatabase, TableDefinition};

    use crate::store::files::Files;
    use crate::store::files::faulty::{FaultKind, FaultyFiles, Keep, Lasting};

    const T: TableDefinition<u64, u64> = TableDefinition::new("t");

    fn commit(db: &redb::Database, key: u64) {
        let txn = db.begin_write().unwrap();
        txn.open_table(T).unwrap().insert(key, key * 2).unwrap();
        txn.commit().unwrap();
    }

    #[test]
    fn a_committed_row_of_redb_survives_a_cut_on_the_faulty_layer() {
        let disk = FaultyFiles::new();
        let path = Path::new("/store.redb");
        let file = disk.create(path).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        let db = super::open(file, 1 << 20).unwrap();
        for key in 0..5 {
            commit(&db, key);
        }
        disk.power_cut(Keep::Random, 7);
        drop(db);
        let file = disk.open(path).unwrap();
        let db = super::open(file, 1 << 20).unwrap();
        let table = db.begin_read().unwrap().open_table(T).unwrap();
        for key in 0..5 {
            assert_eq!(table.get(key).unwrap().unwrap().value(), key * 2);
        }
    }

    fn row(db: &redb::Database, key: u64) -> Option<u64> {
        let table = db.begin_read().unwrap().open_table(T).unwrap();
        table.get(key).unwrap().map(|row| row.value())
    }

    #[test]
    fn a_look_at_a_file_left_in_order_costs_no_sync_and_the_next_write_pays_it() {
        let disk = FaultyFiles::new();
        let path = Path::new("/store.redb");
        let file = disk.create(path).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        let db = super::open(file, 1 << 20).unwrap();
        commit(&db, 1);
        drop(db);
        disk.reset_counts();
        let db = super::open(disk.open(path).unwrap(), 1 << 20).unwrap();
        assert_eq!((row(&db, 1), disk.counts().syncs), (Some(2), 0));
        commit(&db, 2);
        assert_eq!(disk.counts().syncs, 2, "the one owed, and its own");
        commit(&db, 3);
        assert_eq!(disk.counts().syncs, 3);
    }

    #[test]
    fn a_cut_at_any_change_after_a_look_leaves_a_file_that_opens() {
        let path = Path::new("/store.redb");
        for (cut, keep) in (1..12).flat_map(|cut| Keep::ALL.map(|keep| (cut, keep))) {
            let disk = FaultyFiles::new();
            let db = super::open(disk.create(path).unwrap(), 1 << 20).unwrap();
            disk.sync_dir(Path::new("/")).unwrap();
            commit(&db, 1);
            drop(db);
            disk.cut_at(cut);
            if let Ok(db) = super::open(disk.open(path).unwrap(), 1 << 20)
                && let Ok(txn) = db.begin_write()
            {
                txn.open_table(T).unwrap().insert(2, 4).unwrap();
                let _ = txn.commit(); // The power may be gone.
                std::mem::forget(db); // So is the process.
            }
            disk.power_cut(keep, cut);
            let db = super::open(disk.open(path).unwrap(), 1 << 20).unwrap();
            assert_eq!(row(&db, 1), Some(2), "{cut} {keep:?}");
        }
    }

    #[test]
    fn an_owed_sync_that_failed_is_not_tried_again() {
        let disk = FaultyFiles::new();
        let path = Path::new("/store.redb");
        let db = super::open(disk.create(path).unwrap(), 1 << 20).unwrap();
        commit(&db, 1);
        drop(db);
        let db = super::open(disk.open(path).unwrap(), 1 << 20).unwrap();
        disk.fail_at(1, FaultKind::Eio, Lasting::Once);
        let write = |key| -> Result<(), redb::Error> {
            let txn = db.begin_write()?;
            txn.open_table(T)?.insert(key, key * 2)?;
            Ok(txn.commit()?)
        };
        assert!(write(2).is_err());
        assert!(write(3).is_err(), "the disk is well again, and this file is not to be trusted");
        assert_eq!(row(&db, 1), Some(2));
    }
}
