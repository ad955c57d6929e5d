//! Two disks for measuring: one that counts, and one in a hurry.
//!
//! Room: benches. May touch: the files it is asked for, through the store's own plain layer.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use regi::store::files::plain::PlainFiles;
use regi::store::files::{DiskFile, Files, LockGuard};

/// Whether a sync reaches the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syncs {
    Real,
    /// Left out: for making a year of sales that nobody minds losing.
    Skipped,
}

/// What was handed to the disk so far.
#[derive(Debug, Default)]
struct Counters {
    writes: AtomicU64,
    bytes: AtomicU64,
    syncs: AtomicU64,
}

/// Counts at one moment; the difference of two is what lay between them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub writes: u64,
    pub bytes: u64,
    pub syncs: u64,
}

impl Counts {
    pub fn since(self, before: Self) -> Self {
        Self {
            writes: self.writes - before.writes,
            bytes: self.bytes - before.bytes,
            syncs: self.syncs - before.syncs,
        }
    }
}

impl Counters {
    fn now(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        Counts { writes: read(&self.writes), bytes: read(&self.bytes), syncs: read(&self.syncs) }
    }
}

/// The plain files of a shop, counted together.
#[derive(Debug, Clone)]
pub struct CountedFiles {
    plain: PlainFiles,
    syncs: Syncs,
    counters: Arc<Counters>,
}

impl CountedFiles {
    pub fn new(syncs: Syncs) -> Self {
        Self { plain: PlainFiles, syncs, counters: Arc::default() }
    }

    pub fn counts(&self) -> Counts {
        self.counters.now()
    }

    fn counted(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(CountedFile { file, syncs: self.syncs, counters: Arc::clone(&self.counters) })
    }
}

impl Files for CountedFiles {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.counted(self.plain.open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.counted(self.plain.create(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.plain.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.plain.remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.plain.list(dir)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.plain.make_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        match self.syncs {
            Syncs::Real => self.plain.sync_dir(dir),
            Syncs::Skipped => Ok(()),
        }
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.plain.try_lock(path)
    }
}

#[derive(Debug)]
struct CountedFile {
    file: Arc<dyn DiskFile>,
    syncs: Syncs,
    counters: Arc<Counters>,
}

impl DiskFile for CountedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.counters.writes.fetch_add(1, Ordering::SeqCst);
        self.counters.bytes.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        self.file.write_at(offset, bytes)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.file.allocate(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.counters.syncs.fetch_add(1, Ordering::SeqCst);
        match self.syncs {
            Syncs::Real => self.file.sync_data(),
            Syncs::Skipped => Ok(()),
        }
    }
}
