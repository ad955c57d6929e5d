//! A second copy of the journal on another disk, following on its own thread.
//!
//! Room: store. May touch: the journal's files to read, the copy's to write. May not: hold up an
//! append; change the journal.
//! Invariant: the copy is a true front part of the journal, byte for byte; where it is not, or
//! knows more, nothing is written and the state says so.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::catalog::{Damage, Mark, Segment, Why};
use super::chain::Head;
use super::fault::StoreError;
use super::files::{DiskFile, Files, read_full, write_once};
use super::keys::Keys;
use super::keys_copy::{self, Brought, Reached};
use super::opening::{Checkpoint, Known, TailFound, look};
use super::reader::{ReadError, Reader, Verdict, ending, stumble};
use super::segment::HEADER_LEN;
use super::walk::Walk;

/// Bytes copied between two looks at what else is to do.
const CHUNK: u64 = 1024 * 1024;

/// How the copy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyState {
    /// Nothing is known yet.
    Starting,
    /// It follows; `Lag` says how far behind.
    Following,
    /// Its disk is away or failing; tried again at the next poke.
    Away,
    /// It knows an entry the journal does not: repair the journal from it.
    Ahead(Head),
    /// It is not of this journal's history, or damaged. Kept as it is.
    Differs,
    /// The journal itself could not be copied from here on.
    SourceDamaged(Damage),
}

/// What is on the journal's disk only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lag {
    pub entries: u64,
    pub bytes: u64,
}

/// Where the copy lies.
#[derive(Debug, Clone)]
pub struct CopyPlace {
    pub files: Arc<dyn Files>,
    pub dir: PathBuf,
}

/// State, durable head, and bytes still to copy.
type Progress = (CopyState, Option<Head>, u64);

#[derive(Debug)]
struct Shared {
    state: Mutex<Progress>,
    ending: AtomicBool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the copying thread that there is something to copy.
#[derive(Debug, Clone)]
pub struct Poker(Sender<()>);

impl Poker {
    /// Never waits: a full channel means that the thread will look anyway.
    pub fn poke(&self) {
        let _ = self.0.try_send(());
    }
}

/// The copying thread. Dropping it ends the thread after the step it is in.
#[derive(Debug)]
pub struct SecondCopy {
    pokes: Option<Sender<()>>,
    shared: Arc<Shared>,
    reader: Reader,
    join: Option<JoinHandle<()>>,
}

impl SecondCopy {
    /// Starts copying what `reader` sees, and the keys that it needs, to `place`, and catches up first.
    /// Without keys only the journal is copied: nobody's data is in it.
    pub fn start(reader: Reader, keys: Option<Arc<Keys>>, place: CopyPlace) -> io::Result<Self> {
        let (pokes, poked) = bounded(1); // One waiting poke says all: look what is new.
        let state = Mutex::new((CopyState::Starting, None, 0));
        let shared = Arc::new(Shared { state, ending: AtomicBool::new(false) });
        let (source, tell) = (reader.clone(), shared.clone());
        let join = thread::Builder::new()
            .name("second copy".into())
            .spawn(move || follow(&source, keys.as_deref(), &place, &tell, &poked))?;
        let copy = Self { pokes: Some(pokes), shared, reader, join: Some(join) };
        copy.poke();
        Ok(copy)
    }

    /// Says that entries were appended, or that the disk may be back. Never waits.
    pub fn poke(&self) {
        if let Some(poker) = self.poker() {
            poker.poke();
        }
    }

    /// Returns what pokes from another thread. Drop it before [`Self::finish`], which waits for it.
    pub fn poker(&self) -> Option<Poker> {
        self.pokes.clone().map(Poker)
    }

    pub fn state(&self) -> CopyState {
        self.shared.lock().0
    }

    /// Returns the last entry that is durable on the copy, once that is known.
    pub fn head(&self) -> Option<Head> {
        self.shared.lock().1
    }

    /// Returns what the copy lacks: entries as of now, bytes as of its last step.
    pub fn lag(&self) -> Lag {
        let (_, head, bytes) = *self.shared.lock();
        let entries = self.reader.head().seq.saturating_sub(head.map_or(0, |head| head.seq));
        Lag { entries, bytes }
    }

    /// Copies what is left and ends the thread.
    pub fn finish(mut self) -> (CopyState, Option<Head>) {
        self.poke();
        self.join_thread();
        let (state, head, _) = *self.shared.lock();
        (state, head)
    }

    fn join_thread(&mut self) {
        self.pokes = None;
        if let Some(join) = self.join.take() {
            let _ = join.join(); // Its panic, if any, is its own; the journal lives on.
        }
    }
}

impl Drop for SecondCopy {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Relaxed);
        self.join_thread();
    }
}

fn follow(
    source: &Reader,
    keys: Option<&Keys>,
    place: &CopyPlace,
    shared: &Shared,
    poked: &Receiver<()>,
) {
    let mut follower = Follower { source, keys, place, shared, proven: None, keys_reached: None };
    for () in poked {
        // Until nothing is new: a poke that came meanwhile may have been the last.
        loop {
            let head = source.head();
            let state = follower.round();
            shared.lock().0 = state;
            let ending = shared.ending.load(Ordering::Relaxed);
            if ending || state != CopyState::Following || source.head() == head {
                break;
            }
        }
    }
}

/// Why a round ends early.
enum Halt {
    Is(CopyState),
    Io,
}

impl From<StoreError> for Halt {
    fn from(_: StoreError) -> Self {
        Self::Io
    }
}

impl From<io::Error> for Halt {
    fn from(_: io::Error) -> Self {
        Self::Io
    }
}

struct Follower<'a> {
    source: &'a Reader,
    keys: Option<&'a Keys>,
    place: &'a CopyPlace,
    shared: &'a Shared,
    /// Up to where both sides were found equal and the copy synced; nothing after an error.
    proven: Option<Checkpoint>,
    keys_reached: Option<Reached>,
}

impl Follower<'_> {
    fn round(&mut self) -> CopyState {
        let halt = match self.bring_up() {
            Ok(()) => return CopyState::Following,
            Err(halt) => halt,
        };
        (self.proven, self.keys_reached) = (None, None);
        match halt {
            Halt::Is(state) => state,
            Halt::Io => CopyState::Away,
        }
    }

    fn bring_up(&mut self) -> Result<(), Halt> {
        if self.proven.is_none() {
            self.proven = self.agree()?;
        }
        // An entry's segment is listed first and its keys are read after: they are never the older.
        let segments = self.source.catalog().segments.clone();
        if let Some(keys) = self.keys {
            self.keys_reached =
                Some(match keys_copy::bring_up(keys, self.place, self.keys_reached)? {
                    Brought::Up(reached) => reached,
                    Brought::Ahead => return Err(Halt::Is(CopyState::Differs)),
                });
        }
        self.report(&segments);
        let done = |segment: &Segment| {
            self.proven.is_some_and(|proven| segment.header.place < proven.place)
        };
        let first = segments.partition_point(done);
        for segment in &segments[first..] {
            if self.shared.ending.load(Ordering::Relaxed) {
                break;
            }
            self.bring_up_segment(segment)?;
            self.report(&segments);
        }
        Ok(())
    }

    /// Finds where the copy ends and proves that this lies on the journal's own chain.
    fn agree(&self) -> Result<Option<Checkpoint>, Halt> {
        let CopyPlace { files, dir } = self.place;
        files.make_dir(dir)?;
        let found = look(&**files, dir, self.source.id(), Known::default())?;
        let head = found.report.head;
        self.agree_on(head)?;
        let torn = found.report.tail != TailFound::Nothing;
        let only_tail = |damage: &Damage| {
            found.report.tail == TailFound::Damaged(*damage) && matches!(damage.why, Why::Record(_))
        };
        // What stands behind the head is a step of ours that a cut tore, if the journal goes on
        // there; otherwise the copy once knew more than the journal does now.
        if !found.report.damage.iter().all(only_tail) || (torn && self.source.head() == head) {
            return Err(Halt::Is(CopyState::Differs));
        }
        let Some(last) = found.catalog.segments.last() else { return Ok(None) };
        let copy = files.open(&dir.join(last.name().to_string()))?;
        if torn {
            copy.set_len(last.end)?;
        }
        let source = self.source.files().open(&self.source.path(last.name()))?;
        if same_front(&*source, &*copy, last.end)? < last.end {
            return Err(Halt::Is(CopyState::Differs));
        }
        Ok(Some(Checkpoint { place: last.header.place, offset: last.end, head }))
    }

    fn agree_on(&self, head: Head) -> Result<(), Halt> {
        Err(Halt::Is(match self.source.check(head) {
            Ok(Verdict::Agrees) => return Ok(()),
            Ok(Verdict::Ahead(_)) | Err(ReadError::Beyond { .. }) => CopyState::Ahead(head),
            Ok(Verdict::Differs) => CopyState::Differs,
            Err(ReadError::Damaged(damage)) => CopyState::SourceDamaged(damage),
        }))
    }

    /// Brings one segment of the copy to the length the journal's has now.
    fn bring_up_segment(&mut self, segment: &Segment) -> Result<(), Halt> {
        let place = segment.header.place;
        let begun = self.proven.filter(|proven| proven.place == place);
        let mut at = begun.map_or(0, |proven| proven.offset);
        if begun.is_some() && at == segment.end {
            return Ok(());
        }
        let source = self.source.files().open(&self.source.path(segment.name()))?;
        let head = prove(segment, source.clone(), begun)?;
        let copy = self.open_or_create(&segment.name().to_string())?;
        while at < segment.end {
            let step = (segment.end - at).min(CHUNK);
            copy_step(&*source, &*copy, at, step)?;
            at += step;
        }
        copy.sync_data()?;
        self.proven = Some(Checkpoint { place, offset: segment.end, head });
        Ok(())
    }

    fn open_or_create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let CopyPlace { files, dir } = self.place;
        let path = dir.join(name);
        match files.open(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let file = files.create(&path)?;
                files.sync_dir(dir)?;
                Ok(file)
            }
            found => found,
        }
    }

    fn report(&self, segments: &[Segment]) {
        let lacks = |segment: &Segment| match self.proven {
            Some(proven) if segment.header.place < proven.place => 0,
            Some(proven) if segment.header.place == proven.place => {
                segment.end.saturating_sub(proven.offset)
            }
            _ => segment.end,
        };
        let mut progress = self.shared.lock();
        progress.1 = Some(self.proven.map_or(self.source.id().genesis(), |proven| proven.head));
        progress.2 = segments.iter().map(lacks).sum();
    }
}

/// Proves the records that the copy does not hold yet; returns the chain at the segment's end.
fn prove(
    segment: &Segment,
    source: Arc<dyn DiskFile>,
    begun: Option<Checkpoint>,
) -> Result<Head, Halt> {
    let start = Mark { offset: HEADER_LEN as u64, head: segment.header.after };
    let start = begun.map_or(start, |proven| Mark { offset: proven.offset, head: proven.head });
    let mut walk = Walk::new(source, start.offset, start.head, segment.end);
    let damaged = |damage| Halt::Is(CopyState::SourceDamaged(damage));
    loop {
        match walk.step() {
            Ok(Some(_)) => {}
            Ok(None) => {
                ending(segment, &walk).map_err(damaged)?;
                return Ok(walk.head());
            }
            Err(e) => return Err(damaged(stumble(segment, &walk, &e))),
        }
    }
}

/// Copies one step and reads it back.
fn copy_step(source: &dyn DiskFile, copy: &dyn DiskFile, at: u64, step: u64) -> io::Result<()> {
    let mut bytes = vec![0; usize::try_from(step).map_err(|_| ErrorKind::FileTooLarge)?];
    read_full(source, at, &mut bytes)?;
    write_once(copy, at, &bytes)?;
    let mut back = vec![0; bytes.len()];
    read_full(copy, at, &mut back)?;
    if back == bytes { Ok(()) } else { Err(ErrorKind::InvalidData.into()) }
}

/// Returns how many of the first `len` bytes are the same in both files.
fn same_front(one: &dyn DiskFile, other: &dyn DiskFile, len: u64) -> io::Result<u64> {
    let mut at = 0;
    while at < len {
        let step = usize::try_from((len - at).min(CHUNK)).map_err(|_| ErrorKind::FileTooLarge)?;
        let (mut left, mut right) = (vec![0; step], vec![0; step]);
        read_full(one, at, &mut left)?;
        read_full(other, at, &mut right)?;
        match left.iter().zip(&right).position(|(l, r)| l != r) {
            Some(differs) => return Ok(at + differs as u64),
            None => at += step as u64,
        }
    }
    Ok(len)
}

/// Returns a reader of the copy, to verify it or to show what it holds.
pub fn open_copy(source: &Reader, place: &CopyPlace) -> io::Result<Reader> {
    let dir: &Path = &place.dir;
    Reader::open(place.files.clone(), dir, source.id(), Known::default()).map(|(reader, _)| reader)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::chain::{Epoch, JournalId};
    use crate::store::files::faulty::{FaultKind, FaultyFiles, Keep, Lasting};
    use crate::store::files::read_whole;
    use crate::store::journal::Journal;
    use crate::store::segment::Month;

    const DIR: &str = "/journal";
    const COPY: &str = "/copy";

    fn open(disk: &FaultyFiles) -> Journal {
        let id = JournalId::new("midori", 1, Epoch::FIRST).unwrap();
        let files = Arc::new(disk.clone());
        Journal::open(files, Path::new(DIR), &id, Known::default(), 0).unwrap().0
    }

    fn sell(journal: &mut Journal, count: u64) {
        for _ in 0..count {
            let seq = journal.head().seq + 1;
            let month = Month::from_number(202_611 + u32::from(seq > 30)).unwrap();
            let body: Vec<u8> = (0..700).map(|i| (seq as u8).wrapping_mul(i as u8) | 1).collect();
            journal.append(month, &body).unwrap();
        }
    }

    fn start(journal: &Journal, disk: &FaultyFiles) -> SecondCopy {
        let place = CopyPlace { files: Arc::new(disk.clone()), dir: COPY.into() };
        SecondCopy::start(journal.reader(), None, place).unwrap()
    }

    fn assert_same(disk: &FaultyFiles, copy: &FaultyFiles) {
        let names = disk.list(Path::new(DIR)).unwrap();
        assert_eq!(copy.list(Path::new(COPY)).unwrap(), names);
        for name in names {
            let read = |disk: &FaultyFiles, dir: &str| {
                read_whole(disk, &Path::new(dir).join(&name)).unwrap()
            };
            assert!(read(disk, DIR) == read(copy, COPY), "{name}");
        }
    }

    #[test]
    fn the_copy_catches_up_and_follows_byte_for_byte_over_a_months_end() {
        let (disk, other) = (FaultyFiles::new(), FaultyFiles::new());
        let mut journal = open(&disk);
        sell(&mut journal, 20);
        let copy = start(&journal, &other);
        for _ in 0..20 {
            sell(&mut journal, 1);
            copy.poke();
        }
        assert_eq!(copy.finish(), (CopyState::Following, Some(journal.head())));
        assert_same(&disk, &other);
        sell(&mut journal, 3);
        assert_eq!(start(&journal, &other).finish().1, Some(journal.head()));
        assert_same(&disk, &other);
    }

    #[test]
    fn a_following_step_reads_and_writes_only_what_is_new() {
        let (disk, other) = (FaultyFiles::new(), FaultyFiles::new());
        let mut journal = open(&disk);
        sell(&mut journal, 25);
        let copy = start(&journal, &other);
        while copy.lag().entries > 0 {
            thread::yield_now();
        }
        let (read, written) = (disk.counts().read_bytes, other.counts().written_bytes);
        sell(&mut journal, 1);
        assert_eq!(copy.finish().1, Some(journal.head()));
        assert_eq!(other.counts().written_bytes - written, 740);
        assert!(disk.counts().read_bytes - read < 3000);
    }

    #[test]
    fn a_cut_or_failure_while_copying_is_mended_at_the_next_start() {
        for n in 1..40 {
            for keep in Keep::ALL {
                let (disk, other) = (FaultyFiles::new(), FaultyFiles::new());
                let mut journal = open(&disk);
                sell(&mut journal, 10);
                start(&journal, &other).finish();
                sell(&mut journal, 25);
                other.reset_counts();
                other.cut_at(n);
                start(&journal, &other).finish();
                other.power_cut(keep, n);
                let end = start(&journal, &other).finish();
                assert_eq!(end, (CopyState::Following, Some(journal.head())), "{n} {keep:?}");
                assert_same(&disk, &other);
            }
        }
        let (disk, other) = (FaultyFiles::new(), FaultyFiles::new());
        let mut journal = open(&disk);
        sell(&mut journal, 10);
        other.fail_at(1, FaultKind::Eio, Lasting::Sticky);
        assert_eq!(start(&journal, &other).finish().0, CopyState::Away);
    }

    #[test]
    fn a_copy_that_knows_more_or_something_else_is_left_alone() {
        let (disk, other) = (FaultyFiles::new(), FaultyFiles::new());
        let mut journal = open(&disk);
        sell(&mut journal, 10);
        disk.lie_for(2);
        sell(&mut journal, 2);
        let head = journal.head();
        start(&journal, &other).finish();
        disk.power_cut(Keep::Nothing, 1);
        let journal = open(&disk);
        let before = other.counts().changes;
        assert_eq!(start(&journal, &other).finish().0, CopyState::Ahead(head));
        let fresh = FaultyFiles::new();
        let mut journal = open(&fresh);
        journal.append(Month::from_number(202_611).unwrap(), b"another shop").unwrap();
        sell(&mut journal, 20);
        assert_eq!(start(&journal, &other).finish().0, CopyState::Differs);
        assert_eq!(other.counts().changes, before);
    }
}
