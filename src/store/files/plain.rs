//! The file layer on a real disk.
//!
//! Room: store. May touch: files under the paths it is given. May not: retry a sync.
//! Invariant: files are private to the shop's user (0600 in 0700): they hold sales and members.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use super::{DiskFile, Files, LockGuard, parent};

/// Files of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainFiles;

#[derive(Debug)]
struct PlainFile(File);

#[derive(Debug)]
struct PlainLock(#[expect(dead_code, reason = "the lock lives as long as the descriptor")] File);

impl LockGuard for PlainLock {}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

impl Files for PlainFiles {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(PlainFile(private().open(path)?)))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(PlainFile(private().create_new(true).open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let found = match fs::read_dir(dir) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            found => found?,
        };
        let mut names = Vec::new();
        for item in found {
            let item = item?;
            if item.file_type()?.is_file() {
                // A name that is no text is none of ours.
                names.extend(item.file_name().into_string());
            }
        }
        names.sort();
        Ok(names)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        if !parent(dir).as_os_str().is_empty() {
            self.make_dir(parent(dir))?;
        }
        match DirBuilder::new().mode(0o700).create(dir) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
        self.sync_dir(parent(dir))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        Ok(rustix::fs::fsync(File::open(dir)?)?)
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn LockGuard>>> {
        let file = private().create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(PlainLock(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }
}

impl DiskFile for PlainFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(out, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        Ok(rustix::fs::fallocate(&self.0, rustix::fs::FallocateFlags::empty(), 0, len)?)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(rustix::fs::fdatasync(&self.0)?) // Not std's: that one tries again after a signal.
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::store::chain::{Epoch, JournalId};
    use crate::store::files::read_whole;
    use crate::store::journal::{Journal, RESERVE_NAME};
    use crate::store::opening::Known;
    use crate::store::segment::Month;

    #[test]
    fn a_journal_on_a_real_disk_is_found_again_with_its_reserve_and_nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let shop = tempfile::tempdir().unwrap();
        let dir: PathBuf = shop.path().join("a/journal");
        let id = JournalId::new("midori", 2, Epoch::FIRST).unwrap();
        let open =
            || Journal::open(Arc::new(PlainFiles), &dir, &id, Known::default(), 100_000).unwrap();
        let month = Month::new(2026, 11).unwrap();
        let (mut journal, _) = open();
        for seq in 1..=20_u8 {
            journal.append(month, &[seq; 1500]).unwrap();
        }
        let head = journal.head();
        drop(journal);
        let (journal, report) = open();
        assert_eq!((report.head, journal.reserve_held()), (head, true));
        assert_eq!(journal.reader().read(20).unwrap().body, [20; 1500]);
        let names = PlainFiles.list(&dir).unwrap();
        assert_eq!(names, ["02-202611.log", RESERVE_NAME]);
        let len = read_whole(&PlainFiles, &dir.join(&names[0])).unwrap().len();
        assert_eq!(len, 256 + 20 * 1540);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&dir.join(&names[0]))), (0o700, 0o600));
    }
}
