//! Reading a journal, beside the thread that appends to it.
//!
//! Room: store. May touch: the journal's files, to read. May not: write.
//! Invariant: nothing unproved is returned, nor anything that was not synced.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::catalog::{Catalog, Damage, Segment, Why};
use super::chain::{Hash, Head, JournalId};
use super::files::Files;
use super::opening::{Checkpoint, Known, OpenReport, look};
use super::segment::{Month, SegmentName};
use super::walk::{Step, Walk, WalkError};

/// One entry as it lies in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub seq: u64,
    pub prev_hash: Hash,
    pub hash: Hash,
    /// Version byte and what the codec made of the entry.
    pub body: Vec<u8>,
    pub segment: SegmentName,
    /// Where the record begins and ends in its segment, in bytes.
    pub offset: u64,
    pub end: u64,
}

impl Record {
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }
}

/// Why an entry cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{0}")]
    Damaged(Damage),
    #[error("entry {seq} is beyond the head {head}")]
    Beyond { seq: u64, head: u64 },
}

/// What a witness of the head says of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Agrees,
    /// It knows so many entries more.
    Ahead(u64),
    /// It knows another entry under this number: one of the two was changed or rolled back.
    Differs,
}

/// A view on a journal that may be growing. Clones see the same journal.
#[derive(Debug, Clone)]
pub struct Reader {
    files: Arc<dyn Files>,
    dir: PathBuf,
    id: JournalId,
    catalog: Arc<RwLock<Catalog>>,
}

impl Reader {
    /// Opens a journal to read only: a copy, a backup, another lane's.
    pub fn open(
        files: Arc<dyn Files>,
        dir: &Path,
        id: &JournalId,
        known: Known,
    ) -> io::Result<(Self, OpenReport)> {
        let found = look(&*files, dir, id, known)?;
        Ok((Self::over(files, dir, id, found.catalog), found.report))
    }

    pub(super) fn over(
        files: Arc<dyn Files>,
        dir: &Path,
        id: &JournalId,
        catalog: Catalog,
    ) -> Self {
        let catalog = Arc::new(RwLock::new(catalog));
        Self { files, dir: dir.into(), id: id.clone(), catalog }
    }

    pub(super) fn catalog(&self) -> RwLockReadGuard<'_, Catalog> {
        self.catalog.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn catalog_mut(&self) -> RwLockWriteGuard<'_, Catalog> {
        self.catalog.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn path(&self, name: SegmentName) -> PathBuf {
        self.dir.join(name.to_string())
    }

    pub(super) fn files(&self) -> &Arc<dyn Files> {
        &self.files
    }

    pub fn id(&self) -> &JournalId {
        &self.id
    }

    /// Returns the last entry that is synced.
    pub fn head(&self) -> Head {
        self.catalog().head
    }

    /// Returns the month in which the newest segment began.
    pub fn newest_month(&self) -> Option<Month> {
        self.catalog().segments.last().map(|segment| segment.header.place.month)
    }

    /// Returns the newest place in the last segment that is known without reading it.
    pub(super) fn newest_mark(&self) -> Option<Checkpoint> {
        let catalog = self.catalog();
        let segment = catalog.segments.last()?;
        let mark = segment.mark_before(u64::MAX);
        Some(Checkpoint { place: segment.header.place, offset: mark.offset, head: mark.head })
    }

    /// Reads one entry.
    pub fn read(&self, seq: u64) -> Result<Record, ReadError> {
        let beyond = ReadError::Beyond { seq, head: self.head().seq };
        if seq == 0 {
            return Err(beyond);
        }
        self.records(seq, seq).next().unwrap_or(Err(beyond))
    }

    /// Reads the entries from `seq` to what is the head now, in order; ends after an error.
    pub fn iter_from(&self, seq: u64) -> Records {
        self.records(seq.max(1), u64::MAX)
    }

    /// Reads the entries of a month and of those behind it, in order; ends after an error. Months are
    /// those of business dates.
    pub fn iter_from_month(&self, month: Month) -> Records {
        let catalog = self.catalog();
        let segment = catalog.segments.iter().find(|segment| segment.header.place.month >= month);
        let before = segment.map_or(catalog.head.seq, |segment| segment.header.after.seq);
        drop(catalog);
        self.iter_from(before + 1)
    }

    fn records(&self, first: u64, last: u64) -> Records {
        let last = last.min(self.head().seq);
        Records { reader: self.clone(), next: first, last, walk: None }
    }

    /// Holds a witness against the journal.
    pub fn check(&self, witness: Head) -> Result<Verdict, ReadError> {
        let head = self.head();
        if witness.seq > head.seq {
            return Ok(Verdict::Ahead(witness.seq - head.seq));
        }
        let own = match witness.seq {
            0 => self.id.genesis().hash,
            seq => self.read(seq)?.hash,
        };
        Ok(if own == witness.hash { Verdict::Agrees } else { Verdict::Differs })
    }
}

/// Entries in order. See [`Reader::iter_from`].
#[derive(Debug)]
pub struct Records {
    reader: Reader,
    next: u64,
    last: u64,
    walk: Option<(Segment, Walk)>,
}

impl Iterator for Records {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.last {
            return None;
        }
        let read = self.advance();
        self.next = if read.is_ok() { self.next + 1 } else { u64::MAX };
        Some(read.map_err(ReadError::Damaged))
    }
}

impl Records {
    fn advance(&mut self) -> Result<Record, Damage> {
        loop {
            if self.walk.is_none() {
                self.walk = Some(self.enter()?);
            }
            let Some((segment, walk)) = &mut self.walk else { continue };
            match walk.step() {
                Ok(Some(step)) => {
                    self.reader.note(segment.name(), &step);
                    if step.head.seq == self.next {
                        return Ok(record(segment.name(), &step, walk.body(&step)));
                    }
                }
                Ok(None) => {
                    ending(segment, walk)?;
                    if segment.last.is_some_and(|last| last.seq < self.next) {
                        self.walk = None;
                    } else {
                        return Err(segment.damage(self.next, walk.offset(), Why::Missing));
                    }
                }
                Err(e) => return Err(stumble(segment, walk, &e)),
            }
        }
    }

    /// Opens the segment that should hold the next entry, at the nearest mark before it.
    fn enter(&self) -> Result<(Segment, Walk), Damage> {
        let segment = {
            let catalog = self.reader.catalog();
            let place =
                catalog.find(self.next).or_else(|| (!catalog.segments.is_empty()).then_some(0));
            place.map(|place| catalog.segments[place].clone()).expect("a head has a segment")
        };
        let mark = segment.mark_before(self.next);
        if mark.head.seq >= self.next || segment.last.is_some_and(|last| last.seq < self.next) {
            return Err(segment.damage(self.next, segment.end, Why::Missing));
        }
        match self.reader.files.open(&self.reader.path(segment.name())) {
            Ok(file) => {
                let walk = Walk::new(file, mark.offset, mark.head, segment.end);
                Ok((segment, walk))
            }
            Err(_) => Err(segment.damage(self.next, 0, Why::Unreadable)),
        }
    }
}

impl Reader {
    pub(super) fn note(&self, name: SegmentName, step: &Step) {
        if step.head.seq.is_multiple_of(super::catalog::MARK_EVERY)
            && let Some(segment) = self.catalog_mut().segment_mut(name)
        {
            segment.note(step);
        }
    }
}

fn record(segment: SegmentName, step: &Step, body: &[u8]) -> Record {
    Record {
        seq: step.head.seq,
        prev_hash: step.before.hash,
        hash: step.head.hash,
        body: body.to_vec(),
        segment,
        offset: step.offset,
        end: step.end(),
    }
}

/// Proves that a segment walked to its end ends as its successor says.
pub(super) fn ending(segment: &Segment, walk: &Walk) -> Result<(), Damage> {
    match segment.last {
        Some(last) if last != walk.head() => {
            Err(segment.damage(walk.head().seq, walk.offset(), Why::Ending))
        }
        _ => Ok(()),
    }
}

/// Names the place where a walk could not go on.
pub(super) fn stumble(segment: &Segment, walk: &Walk, error: &WalkError) -> Damage {
    let why = match error {
        WalkError::Unfit(why) => Why::Record(*why),
        // Fewer bytes than the header of the next segment, or the head, promises.
        WalkError::Io(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            Why::Record(super::record::Unfit::Short)
        }
        WalkError::Io(_) => Why::Unreadable,
    };
    segment.damage(walk.head().seq + 1, walk.offset(), why)
}
