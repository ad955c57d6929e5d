//! redb over the same file layer as the journal, so that faults and sealing reach both.
//!
//! Room: store. May touch: the one file it is handed. May not: name or lock it.
//! Invariant: one process at a time, by [`crate::store::shop_lock`]: redb's own range locks are
//! not offered here, so nobody may open the store without holding the shop.

use std::io;
use std::sync::Arc;

use redb::StorageBackend;

use super::{DiskFile, read_full, write_once};

/// A file as redb wants it.
#[derive(Debug, Clone)]
pub struct RedbFile(pub Arc<dyn DiskFile>);

impl StorageBackend for RedbFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        read_full(&*self.0, offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        write_once(&*self.0, offset, data)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use redb::{Builder, ReadableDatabase, TableDefinition};

    use super::*;
    use crate::store::files::Files;
    use crate::store::files::faulty::{FaultyFiles, Keep};

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
        let db = Builder::new().create_with_backend(RedbFile(file)).unwrap();
        for key in 0..5 {
            commit(&db, key);
        }
        disk.power_cut(Keep::Random, 7);
        drop(db);
        let file = disk.open(path).unwrap();
        let db = Builder::new().create_with_backend(RedbFile(file)).unwrap();
        let table = db.begin_read().unwrap().open_table(T).unwrap();
        for key in 0..5 {
            assert_eq!(table.get(key).unwrap().unwrap().value(), key * 2);
        }
    }
}
