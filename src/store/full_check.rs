//! redb's own check of the whole store, beside a register that sells on: after a Z, in a quiet moment.
//!
//! Room: store. May touch: `store.redb`, to read. May not: write it, or hold up who folds.
//! Invariant: says only of a file that was read to its end what it is; what redb would mend stays in
//! memory. The file must be settled, and nothing folded, while the check runs.

use std::fmt;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use redb::{Builder, StorageBackend};

use super::files::apart::Apart;
use super::files::{DiskFile, Files, checked, read_full, write_once};

/// Pages that the check keeps, in bytes: it reads each once.
const CACHE_BYTES: usize = 512 * 1024;

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every page is what was written, and redb finds its trees and its free pages in order.
    Sound,
    /// It is not, or cannot be read: the journal must make the store anew.
    Unsound,
    /// There was something else to do.
    CalledOff,
}

/// Checks the store at `path` as long as `goes_on` says so.
pub fn check(
    files: &dyn Files,
    path: &Path,
    goes_on: impl Fn() -> bool + Clone + Send + Sync + 'static,
) -> Verdict {
    let asked = goes_on.clone();
    // redb may panic on a file that is not what it wrote.
    let is_sound = catch_unwind(AssertUnwindSafe(|| is_sound(files, path, goes_on)));
    match is_sound {
        Ok(Ok(true)) => Verdict::Sound,
        _ if !asked() => Verdict::CalledOff,
        _ => Verdict::Unsound,
    }
}

fn is_sound(
    files: &dyn Files,
    path: &Path,
    goes_on: impl Fn() -> bool + Send + Sync + 'static,
) -> Result<bool, redb::Error> {
    let file = Apart::of(checked::open_to_read(files, path)?)?;
    let read = WhileQuiet { file: Arc::new(file), goes_on };
    let mut db = Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(read)?;
    Ok(db.check_integrity()?)
}

/// A file that cannot be read any more once there is something else to do.
struct WhileQuiet<F> {
    file: Arc<dyn DiskFile>,
    goes_on: F,
}

impl<F> fmt::Debug for WhileQuiet<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WhileQuiet")
    }
}

impl<F: Fn() -> bool + Send + Sync + 'static> StorageBackend for WhileQuiet<F> {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if !(self.goes_on)() {
            return Err(ErrorKind::Interrupted.into());
        }
        read_full(&*self.file, offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(()) // Nothing was written to a disk.
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        write_once(&*self.file, offset, data)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use redb::{Database, TableDefinition};

    use super::*;
    use crate::store::files::faulty::FaultyFiles;
    use crate::store::files::redb_file;

    const T: TableDefinition<u64, &[u8]> = TableDefinition::new("t");
    const PATH: &str = "/store.redb";

    /// A store as the register holds it: open, its last rows made durable with quick repair.
    fn at_work(disk: &FaultyFiles) -> Database {
        let file = checked::create(disk, Path::new(PATH)).unwrap();
        let db = redb_file::open(file, 1 << 20).unwrap();
        for round in 0..4 {
            let mut txn = db.begin_write().unwrap();
            txn.set_quick_repair(true);
            let mut table = txn.open_table(T).unwrap();
            for key in 0..500 {
                table.insert(key * 7 % 501 + round, [round as u8; 90].as_slice()).unwrap();
            }
            drop(table);
            txn.commit().unwrap();
        }
        db
    }

    #[test]
    fn a_store_at_work_is_sound_and_is_not_written() {
        let disk = FaultyFiles::new();
        let db = at_work(&disk);
        let changes = disk.counts().changes;
        assert_eq!(check(&disk, Path::new(PATH), || true), Verdict::Sound);
        assert_eq!(disk.counts().changes, changes);
        drop(db);
    }

    /// redb leaves pages unused; a changed bit there is none of its rows'.
    #[test]
    fn a_bit_changed_in_a_page_of_rows_is_found() {
        let disk = FaultyFiles::new();
        let db = at_work(&disk);
        let len = disk.open(Path::new(PATH)).unwrap().len().unwrap();
        let mut found = 0;
        for offset in (4096 + 64..len).step_by(4096) {
            disk.flip(Path::new(PATH), offset, 1);
            let verdict = check(&disk, Path::new(PATH), || true);
            assert_ne!(verdict, Verdict::CalledOff);
            found += usize::from(verdict == Verdict::Unsound);
            disk.flip(Path::new(PATH), offset, 1);
        }
        assert!(found > 20, "{found} pages of {}", len / 4096);
        assert_eq!(check(&disk, Path::new(PATH), || true), Verdict::Sound);
        drop(db);
    }

    #[test]
    fn what_else_there_is_to_do_ends_it_at_any_read() {
        let disk = FaultyFiles::new();
        let db = at_work(&disk);
        let reads_until = |most: usize| {
            let asked = Arc::new(AtomicUsize::new(0));
            let count = asked.clone();
            let goes_on = move || count.fetch_add(1, Ordering::Relaxed) < most;
            (check(&disk, Path::new(PATH), goes_on), asked.load(Ordering::Relaxed))
        };
        let (verdict, all) = reads_until(usize::MAX);
        assert_eq!(verdict, Verdict::Sound);
        let off = (0..all).filter(|most| match reads_until(*most).0 {
            Verdict::CalledOff => true,
            // Of these reads the last only close what was found sound.
            Verdict::Sound => *most > all - 10,
            Verdict::Unsound => false,
        });
        assert_eq!(off.count(), all);
        drop(db);
    }
}
