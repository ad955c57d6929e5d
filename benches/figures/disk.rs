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

/// The plain files of a shop, counted: the journal by itself, and all of them together.
#[derive(Debug, Clone)]
pub struct CountedFiles {
    plain: PlainFiles,
    syncs: Syncs,
    journal: Arc<Counters>,
    all: Arc<Counters>,
}

impl CountedFiles {
    pub fn new(syncs: Syncs) -> Self {
        Self { plain: PlainFiles, syncs, journal: Arc::default(), all: Arc::default() }
    }

    pub fn journal(&self) -> Counts {
        self.journal.now()
    }

    pub fn all(&self) -> Counts {
        self.all.now()
    }

    fn counted(&self, path: &Path, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        let is_segment = path.extension().is_some_and(|extension| extension == "log")
            && path.parent().is_some_and(|dir| dir.ends_with("journal"));
        let own = is_segment.then(|| Arc::clone(&self.journal));
        Arc::new(CountedFile { file, syncs: self.syncs, own, all: Arc::clone(&self.all) })
    }
}

impl Files for CountedFiles {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.counted(path, self.plain.open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.counted(path, self.plain.create(path)?))
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
    /// The counters of the journal, when it is a segment.
    own: Option<Arc<Counters>>,
    all: Arc<Counters>,
}

impl CountedFile {
    fn count(&self, add: impl Fn(&Counters)) {
        self.own.iter().chain([&self.all]).for_each(|counters| add(counters));
    }
}

impl DiskFile for CountedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.count(|counters| {
            counters.writes.fetch_add(1, Ordering::SeqCst);
            counters.bytes.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        });
        self.file.write_at(offset, bytes)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.file.allocate(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.count(|counters| {
            counters.syncs.fetch_add(1, Ordering::SeqCst);
        });
        match self.syncs {
            Syncs::Real => self.file.sync_data(),
            Syncs::Skipped => Ok(()),
        }
    }
}
