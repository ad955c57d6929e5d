//! The journal: appending what happened, one write and one sync an act.
//!
//! Room: store. May touch: one lane's segments and the reserve. May not: clock, chance, retry a
//! sync, write past what was synced after a fault.
//! Invariant: an answer means the record is on disk; after an error the disk is as if never asked,
//! or a new segment says which bytes are void.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::catalog::{Damage, Mark, Segment};
use super::chain::{Head, JournalId};
use super::files::{DiskFile, Files, is_full, read_full, read_whole, replace_file, write_once};
use super::opening::{Checkpoint, Found, Known, OpenReport, TailFound, look};
use super::reader::Reader;
use super::record::{FRAME, MAX_BODY, MAX_WRITE, Rest, Writing, put};
use super::reserve::Reserve;
use super::room::{Made, Room};
use super::segment::{Begun, Former, HEADER_LEN, Header, Month, Place};

/// The file in the journal's folder that keeps disk space back.
pub const RESERVE_NAME: &str = "reserve";

/// What the disk did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiskFault {
    Full,
    /// Any other error, by its number where it has one.
    Failed(Option<i32>),
}

impl From<&io::Error> for DiskFault {
    fn from(error: &io::Error) -> Self {
        if is_full(error) { Self::Full } else { Self::Failed(error.raw_os_error()) }
    }
}

/// Why an entry was not taken. The screen words it, by variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Our own mistake: no body, or one too long for a record.
    #[error("a write of {len} bytes is out of bounds")]
    Size { len: usize },
    /// Our own mistake: the entry was made for another place in the journal.
    #[error("entry {given} given where {next} is next")]
    OutOfOrder { given: u64, next: u64 },
    /// The journal must be repaired first (from the copy, or by a new epoch).
    #[error("the journal is damaged: {0}")]
    Damaged(Damage),
    /// The disk failed twice. Whether the entry is on disk is not known; it does not count. After
    /// the cause is gone, [`Journal::retry_open`].
    #[error("the disk takes no more: {0:?}")]
    Stopped(DiskFault),
}

/// An entry that is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    pub head: Head,
    pub place: Place,
    /// Where the record begins and ends in its segment, in bytes.
    pub offset: u64,
    pub end: u64,
    /// What the disk did before a new segment took the entry: tell the owner.
    pub fault: Option<DiskFault>,
}

impl Appended {
    /// Returns the place for the store to remember.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { place: self.place, offset: self.end, head: self.head }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    /// The current segment saw a failure: the next append begins another.
    Suspect,
    Stopped(DiskFault),
    Damaged(Damage),
}

/// One lane's journal, open for appending. One owner: the journal thread.
#[derive(Debug)]
pub struct Journal {
    reader: Reader,
    dir: PathBuf,
    file: Option<Arc<dyn DiskFile>>,
    head: Head,
    /// Offset behind the last synced record of the current segment.
    end: u64,
    state: State,
    /// The highest name ever tried: none is tried twice.
    last_place: Option<Place>,
    reserve: Reserve,
    room: Room,
    buffer: Vec<u8>,
}

impl Journal {
    /// Opens the journal of `id` in `dir`, empty when there is none. A torn tail is cut away; the
    /// records found are synced before this returns, so that nobody folds what a cut could still
    /// take. A head that was witnessed is synced already: then nothing is written. A damaged one opens too: it can be read, and says so at every append.
    ///
    /// `reserve_bytes` of disk space are kept back, [`super::reserve::DEFAULT_RESERVE`] in a shop.
    pub fn open(
        files: Arc<dyn Files>,
        dir: &Path,
        id: &JournalId,
        known: Known,
        reserve_bytes: u64,
    ) -> io::Result<(Self, OpenReport)> {
        files.make_dir(dir)?;
        let found = look(&*files, dir, id, known)?;
        let Found { catalog, report, last_place, last_write, room, is_durable } = found;
        let mut journal = Self {
            head: catalog.head,
            end: catalog.segments.last().map_or(0, |segment| segment.end),
            reader: Reader::over(files.clone(), dir, id, catalog),
            dir: dir.into(),
            file: None,
            state: State::Ready,
            last_place,
            reserve: Reserve::new(&dir.join(RESERVE_NAME), reserve_bytes),
            room: Room::new(room),
            buffer: Vec::new(),
        };
        match report.tail {
            TailFound::Damaged(damage) => journal.state = State::Damaged(damage),
            TailFound::Nothing if is_durable => journal.continue_as_found()?,
            TailFound::Nothing | TailFound::Torn(_) => journal.settle(&report, last_write)?,
        }
        // Without a reserve the shop sells all the same; `reserve_held` tells.
        let _ = journal.reserve.take(&*files);
        Ok((journal, report))
    }

    fn continue_as_found(&mut self) -> io::Result<()> {
        let last = self.reader.catalog().segments.last().map(Segment::name);
        if let Some(name) = last {
            self.file = Some(self.reader.files().open(&self.reader.path(name))?);
        }
        Ok(())
    }

    /// Makes what was found durable, and nothing else stand behind it.
    ///
    /// The last write is written once more, byte for byte: if the process before this one died of
    /// a failed sync, the kernel shows those bytes but would not bring them to disk by a sync.
    fn settle(&mut self, report: &OpenReport, last_write: Option<u64>) -> io::Result<()> {
        let Some(name) = self.reader.catalog().segments.last().map(Segment::name) else {
            return Ok(());
        };
        let path = self.reader.path(name);
        let file = self.reader.files().open(&path)?;
        let cut = match report.tail {
            TailFound::Torn(_) => file.set_len(self.end),
            _ => Ok(()),
        };
        let from = last_write.unwrap_or(self.end);
        let settled =
            cut.and_then(|()| write_again(&*file, from, self.end)).and_then(|()| file.sync_data());
        self.file = Some(match settled {
            Ok(()) => file,
            Err(_) => {
                self.room.moved(self.end);
                self.rewrite(&path)? // These pages are not to be trusted: take new ones.
            }
        });
        Ok(())
    }

    fn rewrite(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut bytes = read_whole(&**self.reader.files(), path)?;
        bytes.truncate(usize::try_from(self.end).unwrap_or(usize::MAX));
        replace_file(&**self.reader.files(), path, &bytes)
    }

    /// Returns the last entry on disk.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Returns a view for other threads.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Returns what keeps entries from being taken, if anything does.
    pub fn refusal(&self) -> Option<AppendError> {
        match self.state {
            State::Ready | State::Suspect => None,
            State::Stopped(fault) => Some(AppendError::Stopped(fault)),
            State::Damaged(damage) => Some(AppendError::Damaged(damage)),
        }
    }

    /// Returns whether disk space is still kept back; if not, only the open sale and Z may go on.
    pub fn reserve_held(&self) -> bool {
        self.reserve.is_held()
    }

    /// Takes the reserve again, once there is room.
    pub fn restore_reserve(&mut self) -> io::Result<()> {
        self.reserve.take(&**self.reader.files())
    }

    /// Appends one entry: one write, one sync. `month` is that of its business date.
    pub fn append(&mut self, month: Month, body: &[u8]) -> Result<Appended, AppendError> {
        let appended = self.append_all(month, &[body])?;
        Ok(appended[0])
    }

    /// Appends entries that share one write and one sync: all are taken, or none counts.
    pub fn append_all(
        &mut self,
        month: Month,
        bodies: &[&[u8]],
    ) -> Result<Vec<Appended>, AppendError> {
        if let Some(refusal) = self.refusal() {
            return Err(refusal);
        }
        check_sizes(bodies)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let heads = assemble(&mut buffer, self.head, bodies);
        let written = self.write_somewhere(month, &buffer);
        self.buffer = buffer;
        let fault = written?;
        Ok(self.acknowledge(&heads, bodies, fault))
    }

    /// Writes and syncs the buffer: here, or after a failure in a new segment.
    fn write_somewhere(
        &mut self,
        month: Month,
        bytes: &[u8],
    ) -> Result<Option<DiskFault>, AppendError> {
        let mut first = None;
        // At most three: as it is, in a new segment, in a new segment with the reserve given back.
        for _ in 0..3 {
            let Err(error) = self.write_here(month, bytes) else { return Ok(first) };
            let fault = DiskFault::from(&error);
            self.state = State::Suspect;
            let gave_room = fault == DiskFault::Full && self.release_reserve();
            if first.is_some() && !gave_room {
                self.state = State::Stopped(fault);
                return Err(AppendError::Stopped(fault));
            }
            first = Some(fault);
        }
        let fault = first.unwrap_or(DiskFault::Full);
        self.state = State::Stopped(fault);
        Err(AppendError::Stopped(fault))
    }

    /// Gives the reserve for what must be written now; returns whether there was any to give.
    pub fn release_reserve(&mut self) -> bool {
        self.reserve.release(&**self.reader.files())
    }

    /// Keeps room for the entries to come: they are written over zeros, which spares the disk a new
    /// length with each. For who appends all day.
    pub fn keep_room(&mut self) {
        self.room.keep();
        self.refill_room();
    }

    /// Makes room where half of it is used; call it when nobody is at the counter.
    pub fn refill_room(&mut self) {
        self.room.ask_again();
        if self.room.is_half_used(self.end) {
            self.make_room();
        }
    }

    /// Makes room where little is left; call it when nobody waits.
    pub fn spare_room(&mut self) {
        if self.room.is_low(self.end) {
            self.make_room();
        }
    }

    fn make_room(&mut self) {
        let Some(file) = self.file.clone().filter(|_| self.state == State::Ready) else { return };
        // Where the reserve had to be given the disk is full: what is left is for entries.
        if !self.reserve.is_lacking() && self.room.make(&*file, self.end) == Made::Failed {
            self.state = State::Suspect;
        }
    }

    /// Ends the segment with its last record, when nothing will be appended to it. One that has failed
    /// is left as it is.
    pub fn cut_room(&mut self) {
        if let Some(file) = self.file.clone().filter(|_| self.state == State::Ready) {
            self.room.give_back(&*file, self.end);
        }
    }

    fn write_here(&mut self, month: Month, bytes: &[u8]) -> io::Result<()> {
        let current = self.reader.catalog().segments.last().map(|s| s.header.place.month);
        match current {
            Some(_) if self.state == State::Suspect => self.begin(month, Begun::AfterFault)?,
            // A clock set back does not reopen a month.
            Some(current) if month <= current && self.file.is_some() => {}
            _ => self.begin(month, Begun::InOrder)?,
        }
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        write_once(&**file, self.end, bytes)?;
        file.sync_data()
    }

    /// Begins a segment after the head: its name first, then its header, each synced, so that a
    /// file without a whole header never held a record.
    fn begin(&mut self, month: Month, begun: Begun) -> io::Result<()> {
        let place = self.next_place(month)?;
        self.last_place = Some(place);
        let former = self
            .reader
            .catalog()
            .segments
            .last()
            .map(|segment| Former { place: segment.header.place, end: segment.end });
        let id = self.reader.id().clone();
        let header = Header { id, place, begun, after: self.head, former };
        let path = self.reader.path(header.name());
        let file = self.reader.files().create(&path)?;
        if let Err(e) = self.put_header(&*file, &header) {
            let _ = self.reader.files().remove(&path); // It holds nothing; tidy if we can.
            return Err(e);
        }
        self.cut_room(); // Of the segment before.
        self.end = HEADER_LEN as u64;
        self.room.moved(self.end);
        self.file = Some(file);
        self.state = State::Ready;
        self.reader.catalog_mut().segments.push(Segment::new(header, self.end, Some(self.head)));
        Ok(())
    }

    fn put_header(&self, file: &dyn DiskFile, header: &Header) -> io::Result<()> {
        self.reader.files().sync_dir(&self.dir)?;
        write_once(file, 0, &header.encode())?;
        file.sync_data()
    }

    fn next_place(&self, month: Month) -> io::Result<Place> {
        match self.last_place {
            Some(last) if month <= last.month => {
                let part = last.part.checked_add(1).ok_or(io::ErrorKind::QuotaExceeded)?;
                Ok(Place { month: last.month, part })
            }
            _ => Ok(Place { month, part: 1 }),
        }
    }

    /// Makes synced records visible and describes them.
    fn acknowledge(
        &mut self,
        heads: &[Head],
        bodies: &[&[u8]],
        fault: Option<DiskFault>,
    ) -> Vec<Appended> {
        let mut catalog = self.reader.catalog_mut();
        let segment = catalog.segments.last_mut().expect("something was written to it");
        let place = segment.header.place;
        let mut appended = Vec::with_capacity(heads.len());
        for (head, body) in heads.iter().zip(bodies) {
            let offset = self.end;
            self.end += (FRAME + body.len()) as u64;
            if head.seq.is_multiple_of(super::catalog::MARK_EVERY) {
                segment.mark(Mark { offset: self.end, head: *head });
            }
            appended.push(Appended { head: *head, place, offset, end: self.end, fault });
            self.head = *head;
        }
        segment.end = self.end;
        segment.last = Some(self.head);
        catalog.head = self.head;
        appended
    }

    /// Tries to go on after [`AppendError::Stopped`]: proves that the head can still be read and
    /// begins a new segment after it. Without effect when nothing had stopped.
    pub fn retry_open(&mut self) -> Result<(), AppendError> {
        let State::Stopped(_) = self.state else {
            return self.refusal().map_or(Ok(()), Err);
        };
        let last = self.reader.catalog().segments.last().map(|segment| segment.header.place.month);
        let Some(month) = last else {
            self.state = State::Ready; // Nothing is on disk yet: the next append begins it all.
            return Ok(());
        };
        self.prove_head().and_then(|()| self.begin(month, Begun::AfterFault)).map_err(|error| {
            let fault = DiskFault::from(&error);
            self.state = State::Stopped(fault);
            AppendError::Stopped(fault)
        })
    }

    /// Reads the head's hash from disk again.
    fn prove_head(&self) -> io::Result<()> {
        let Some(name) = self.reader.catalog().segments.last().map(Segment::name) else {
            return Ok(());
        };
        if self.end == HEADER_LEN as u64 {
            return Ok(()); // The head is in an earlier segment, untouched by the fault.
        }
        let file = self.reader.files().open(&self.reader.path(name))?;
        let mut hash = [0; super::chain::Hash::LEN];
        read_full(&*file, self.end - hash.len() as u64, &mut hash)?;
        if &hash == self.head.hash.as_bytes() {
            Ok(())
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }
}

/// Writes the bytes between two offsets over themselves.
fn write_again(file: &dyn DiskFile, from: u64, to: u64) -> io::Result<()> {
    if from == to {
        return Ok(());
    }
    let mut bytes = vec![0; usize::try_from(to - from).map_err(|_| io::ErrorKind::FileTooLarge)?];
    read_full(file, from, &mut bytes)?;
    write_once(file, from, &bytes)
}

fn check_sizes(bodies: &[&[u8]]) -> Result<(), AppendError> {
    let total: usize = bodies.iter().map(|body| FRAME + body.len()).sum();
    let fit = |body: &&[u8]| (1..=MAX_BODY).contains(&body.len());
    match bodies.iter().find(|body| !fit(body)) {
        Some(body) => Err(AppendError::Size { len: body.len() }),
        None if total == 0 || total > MAX_WRITE => Err(AppendError::Size { len: total }),
        None => Ok(()),
    }
}

fn assemble(buffer: &mut Vec<u8>, mut head: Head, bodies: &[&[u8]]) -> Vec<Head> {
    buffer.clear();
    let mut writing = Writing::First;
    let mut heads = Vec::with_capacity(bodies.len());
    for (place, body) in bodies.iter().enumerate() {
        let rest = if place + 1 < bodies.len() { Rest::Follows } else { Rest::Nothing };
        head = put(buffer, head, writing, rest, body);
        writing = Writing::Joined;
        heads.push(head);
    }
    heads
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
