//! A disk in memory that fails on request: power cuts, errors, lies, flipped bits, and counts.
//!
//! Room: store. May touch: its own memory. May not: disk, clock; chance comes as a seed.
//! Invariant: the same calls with the same seeds give the same faults.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

use super::faulty_disk::{Dice, Disk};
use super::film::{Film, Frame};
use super::{DiskFile, Files, LockGuard, parent};

/// What a power cut leaves of the bytes and names that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    Nothing,
    Everything,
    /// Any subset of 512-byte sectors, in any order, with the old length, the new one or between.
    Random,
    /// The front of what was written, torn at a multiple of this many bytes.
    Torn(usize),
}

impl Keep {
    /// Every way to lose power that the suites walk through.
    pub const ALL: [Self; 5] =
        [Self::Nothing, Self::Everything, Self::Random, Self::Torn(512), Self::Torn(4096)];
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The disk failed: half of a write is there, a sync has given its pages up.
    Eio,
    /// The disk is full: half of a write is there. Only calls that need space fail.
    Enospc,
    /// A write takes half of its bytes and says so.
    ShortWrite,
    /// A signal came first: nothing was done.
    Eintr,
    /// The file system was made read-only, as the kernel does after errors of its own: nothing was done.
    Erofs,
}

impl FaultKind {
    pub const ALL: [Self; 5] =
        [Self::Eio, Self::Enospc, Self::ShortWrite, Self::Eintr, Self::Erofs];

    fn can_hit(self, call: Call) -> bool {
        match self {
            Self::Eio => true,
            Self::Enospc => call.needs_space(),
            Self::ShortWrite => call == Call::Write,
            Self::Eintr => matches!(call, Call::Read | Call::Write | Call::Sync),
            Self::Erofs => call.changes() && !matches!(call, Call::Sync | Call::SyncDir),
        }
    }

    fn error(self) -> io::Error {
        match self {
            Self::Enospc => Errno::NOSPC.into(),
            Self::Eintr => Errno::INTR.into(),
            Self::Erofs => Errno::ROFS.into(),
            Self::Eio | Self::ShortWrite => Errno::IO.into(),
        }
    }
}

/// Whether a fault passes or stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    Once,
    /// From that call on, every call the fault can hit, until [`FaultyFiles::heal`].
    Sticky,
}

/// What was asked of the disk since it was made or [`FaultyFiles::reset_counts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Every call, reads included.
    pub calls: u64,
    /// Calls that change something: writes, syncs, names.
    pub changes: u64,
    pub reads: u64,
    pub read_bytes: u64,
    pub writes: u64,
    pub written_bytes: u64,
    pub syncs: u64,
    pub dir_syncs: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Look,
    Read,
    Write,
    SetLen,
    Allocate,
    Sync,
    SyncDir,
    Name,
}

impl Call {
    fn changes(self) -> bool {
        !matches!(self, Self::Look | Self::Read)
    }

    fn needs_space(self) -> bool {
        matches!(self, Self::Write | Self::Allocate | Self::Name | Self::SetLen)
    }
}

#[derive(Debug, Clone, Copy)]
struct Fault {
    at: u64,
    kind: FaultKind,
    lasting: Lasting,
}

#[derive(Debug)]
struct State {
    disk: Disk,
    counts: Counts,
    fault: Option<Fault>,
    /// The power fails in the change with this number (of `counts.changes`).
    cut_at: Option<u64>,
    power: bool,
    /// Rises with every cut: handles and locks of an earlier life are dead.
    life: u32,
    /// The syncs with these numbers (of `counts.syncs`) only pretend.
    lies: std::ops::Range<u64>,
    capacity: Option<u64>,
    locked: BTreeSet<PathBuf>,
    dirs: BTreeSet<PathBuf>,
    /// Pictures taken after every change, when asked for.
    film: Option<Vec<Frame>>,
    mark: u64,
}

/// What the state lets a call do.
enum Verdict {
    Do,
    /// Do this share of it, then answer with the error.
    Fail(FaultKind),
    /// Do it, but the power fails before the answer.
    Die,
}

/// The faulty disk. Clones are the same disk.
#[derive(Debug, Clone)]
pub struct FaultyFiles(Arc<Mutex<State>>);

impl Default for FaultyFiles {
    fn default() -> Self {
        Self::new()
    }
}

impl FaultyFiles {
    /// Returns an empty, honest, powered disk without a limit.
    pub fn new() -> Self {
        Self::over(Disk::default())
    }

    pub(super) fn over(disk: Disk) -> Self {
        Self(Arc::new(Mutex::new(State {
            disk,
            counts: Counts::default(),
            fault: None,
            cut_at: None,
            power: true,
            life: 0,
            lies: 0..0,
            capacity: None,
            locked: BTreeSet::new(),
            dirs: BTreeSet::new(),
            film: None,
            mark: 0,
        })))
    }

    /// Returns another disk with the same content, that goes its own way from here.
    pub fn fork(&self) -> Self {
        Self::over(self.state().disk.clone())
    }

    /// Takes a picture of the disk after every change from now on, until [`Self::film`].
    pub fn roll(&self) {
        self.state().film = Some(Vec::new());
    }

    /// Ends the pictures and returns them.
    pub fn film(&self) -> Film {
        Film::of(self.state().film.take().unwrap_or_default())
    }

    /// Says what the pictures from now on are taken after: how much has been acknowledged.
    pub fn mark(&self, mark: u64) {
        self.state().mark = mark;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the `n`th call from now fail (1 is the next); a call the fault cannot hit lets it wait.
    pub fn fail_at(&self, n: u64, kind: FaultKind, lasting: Lasting) {
        let mut state = self.state();
        state.fault = Some(Fault { at: state.counts.calls + n, kind, lasting });
    }

    /// Lets the power fail in the `n`th change from now: that write is in the cache, not synced;
    /// a sync has not begun. Every later call fails until [`Self::power_cut`].
    pub fn cut_at(&self, n: u64) {
        let mut state = self.state();
        state.cut_at = Some(state.counts.changes + n);
    }

    /// Returns whether the power is on.
    pub fn has_power(&self) -> bool {
        self.state().power
    }

    /// Cuts the power, if it is not out yet, and brings it back with what `keep` left.
    pub fn power_cut(&self, keep: Keep, seed: u64) {
        let mut state = self.state();
        state.disk.cut(keep, &mut Dice(seed));
        state.power = true;
        state.cut_at = None;
        state.life += 1;
        state.locked.clear();
    }

    /// Lets the next `n` syncs answer without having synced.
    pub fn lie_for(&self, n: u64) {
        let mut state = self.state();
        state.lies = state.counts.syncs..state.counts.syncs + n;
    }

    /// Ends a fault and a full disk.
    pub fn heal(&self) {
        let mut state = self.state();
        state.fault = None;
        state.capacity = None;
    }

    /// Limits what all files may take together, in bytes.
    pub fn set_capacity(&self, bytes: u64) {
        self.state().capacity = Some(bytes);
    }

    /// Returns the bytes that all files take.
    pub fn used(&self) -> u64 {
        self.state().disk.used()
    }

    /// Flips a bit of a file, on the platter too.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn flip(&self, path: &Path, offset: u64, bit: u8) {
        let mut state = self.state();
        let file = state.disk.names[path];
        state.disk.files[file].flip(place(offset), bit);
    }

    /// Puts bytes where they do not belong, on the platter too; what does not fit is left out.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn stray(&self, path: &Path, offset: u64, bytes: &[u8]) {
        let mut state = self.state();
        let file = state.disk.names[path];
        state.disk.files[file].stray(place(offset), bytes);
    }

    /// Returns what the disk was asked so far.
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Starts counting at zero; waiting faults and cuts are forgotten.
    pub fn reset_counts(&self) {
        let mut state = self.state();
        state.counts = Counts::default();
        state.fault = None;
        state.cut_at = None;
        state.lies = 0..0;
    }
}

impl State {
    /// Counts a call and decides its fate. `life` is that of the handle that asks.
    fn enter(&mut self, call: Call, life: u32) -> io::Result<Verdict> {
        if !self.power || life != self.life {
            return Err(io::Error::other("no power"));
        }
        self.counts.calls += 1;
        self.counts.changes += u64::from(call.changes());
        if call.changes() && self.cut_at == Some(self.counts.changes) {
            self.power = false;
            return Ok(Verdict::Die);
        }
        let Some(fault) = self.fault else { return Ok(Verdict::Do) };
        if self.counts.calls < fault.at || !fault.kind.can_hit(call) {
            return Ok(Verdict::Do);
        }
        if fault.lasting == Lasting::Once {
            self.fault = None;
        }
        Ok(Verdict::Fail(fault.kind))
    }

    /// As [`Self::enter`], for calls that are done whole or not at all.
    fn enter_whole(&mut self, call: Call) -> io::Result<Verdict> {
        match self.enter(call, self.life)? {
            Verdict::Fail(kind) => Err(kind.error()),
            verdict => Ok(verdict),
        }
    }

    /// Takes the picture of a change that has just been made: written, not synced.
    fn picture(&mut self) {
        if let Some(film) = &mut self.film {
            film.push(Frame::new(self.disk.clone(), self.mark, self.counts.syncs));
        }
    }

    fn room_for(&self, more: u64) -> io::Result<()> {
        match self.capacity {
            Some(capacity) if self.disk.used() + more > capacity => Err(Errno::NOSPC.into()),
            _ => Ok(()),
        }
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.disk.names.get(path).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl Verdict {
    /// Answers `Ok` unless the power has failed meanwhile.
    fn answer(self) -> io::Result<()> {
        match self {
            Self::Do => Ok(()),
            Self::Fail(kind) => Err(kind.error()),
            Self::Die => Err(io::Error::other("no power")),
        }
    }
}

impl Files for FaultyFiles {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.enter_whole(Call::Look)?;
        let file = state.find(path)?;
        Ok(Arc::new(FaultyFile { disk: self.clone(), file, life: state.life }))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        if state.disk.names.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let verdict = state.enter_whole(Call::Name)?;
        let file = state.disk.link(path);
        state.picture();
        verdict.answer()?;
        Ok(Arc::new(FaultyFile { disk: self.clone(), file, life: state.life }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.find(from)?;
        let verdict = state.enter_whole(Call::Name)?;
        state.disk.rename(from, to);
        state.picture();
        verdict.answer()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.find(path)?;
        let verdict = state.enter_whole(Call::Name)?;
        state.disk.unlink(path);
        state.picture();
        verdict.answer()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.enter_whole(Call::Look)?;
        let inside = state.disk.names.keys().filter(|path| parent(path) == dir);
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        if state.dirs.contains(dir) {
            return Ok(());
        }
        state.enter_whole(Call::Name)?.answer()?;
        state.dirs.insert(dir.into());
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.counts.dir_syncs += 1;
        let verdict = state.enter_whole(Call::SyncDir)?;
        if matches!(verdict, Verdict::Do) {
            state.disk.sync_dir(dir);
            state.picture();
        }
        verdict.answer()
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn LockGuard>>> {
        let mut state = self.state();
        state.enter_whole(Call::Name)?.answer()?;
        if !state.disk.names.contains_key(path) {
            state.disk.link(path);
        }
        if !state.locked.insert(path.into()) {
            return Ok(None);
        }
        let life = state.life;
        Ok(Some(Box::new(FaultyLock { disk: self.clone(), path: path.into(), life })))
    }
}

#[derive(Debug)]
struct FaultyLock {
    disk: FaultyFiles,
    path: PathBuf,
    life: u32,
}

impl LockGuard for FaultyLock {}

impl Drop for FaultyLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.life == self.life {
            state.locked.remove(&self.path);
        }
    }
}

#[derive(Debug)]
struct FaultyFile {
    disk: FaultyFiles,
    file: usize,
    life: u32,
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("the faulty disk is small")
}

impl DiskFile for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        let mut state = self.disk.state();
        state.enter(Call::Look, self.life)?.answer()?;
        Ok(state.disk.files[self.file].live.len() as u64)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.counts.reads += 1;
        state.enter(Call::Read, self.life)?.answer()?;
        let live = &state.disk.files[self.file].live;
        let from = place(offset).min(live.len());
        let taken = out.len().min(live.len() - from);
        live.read(from, &mut out[..taken]);
        state.counts.read_bytes += taken as u64;
        Ok(taken)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.counts.writes += 1;
        let verdict = state.enter(Call::Write, self.life)?;
        let span = place(offset)..place(offset) + bytes.len();
        let more = state.disk.files[self.file].live.more_room(span);
        let half = bytes.len() / 2;
        let (taken, answer) = match verdict {
            Verdict::Fail(kind @ (FaultKind::Eintr | FaultKind::Erofs)) => (0, Err(kind.error())),
            Verdict::Fail(FaultKind::ShortWrite) => (half, Ok(half)),
            Verdict::Fail(kind) => (half, Err(kind.error())),
            Verdict::Die => (bytes.len(), Err(io::Error::other("no power"))),
            Verdict::Do => match state.room_for(more) {
                Ok(()) => (bytes.len(), Ok(bytes.len())),
                Err(e) => (0, Err(e)),
            },
        };
        state.disk.files[self.file].write(place(offset), &bytes[..taken]);
        state.counts.written_bytes += taken as u64;
        state.picture();
        answer
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let verdict = state.enter(Call::SetLen, self.life)?;
        if !matches!(verdict, Verdict::Fail(_)) {
            state.disk.files[self.file].set_len(place(len));
            state.picture();
        }
        verdict.answer()
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let verdict = state.enter(Call::Allocate, self.life)?;
        let live = &state.disk.files[self.file].live;
        let (is_longer, more) = (place(len) > live.len(), live.more_room(0..place(len)));
        state.room_for(more)?;
        if !matches!(verdict, Verdict::Fail(_)) {
            if is_longer {
                state.disk.files[self.file].set_len(place(len));
            }
            state.disk.files[self.file].live.fill_holes();
        }
        verdict.answer()
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let lie = state.lies.contains(&state.counts.syncs);
        state.counts.syncs += 1;
        let verdict = state.enter(Call::Sync, self.life)?;
        match verdict {
            Verdict::Do if lie => {}
            Verdict::Do => {
                state.disk.files[self.file].sync();
                state.picture();
            }
            Verdict::Fail(FaultKind::Eintr) | Verdict::Die => {}
            Verdict::Fail(_) => state.disk.files[self.file].fail_sync(),
        }
        verdict.answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::files::read_whole;

    const DIR: &str = "/d";

    fn file(disk: &FaultyFiles) -> (PathBuf, Arc<dyn DiskFile>) {
        let path = Path::new(DIR).join("f");
        let file = disk.create(&path).unwrap();
        disk.sync_dir(Path::new(DIR)).unwrap();
        (path, file)
    }

    #[test]
    fn a_cut_keeps_what_was_synced_and_may_keep_the_rest() {
        for (keep, want) in [(Keep::Nothing, "one"), (Keep::Everything, "onetwo")] {
            let disk = FaultyFiles::new();
            let (path, file) = file(&disk);
            file.write_at(0, b"one").unwrap();
            file.sync_data().unwrap();
            file.write_at(3, b"two").unwrap();
            disk.power_cut(keep, 1);
            assert_eq!(read_whole(&disk, &path).unwrap(), want.as_bytes());
            assert!(file.len().is_err(), "a handle does not outlive the cut");
        }
    }

    #[test]
    fn a_random_cut_tears_at_sectors_and_every_result_occurs() {
        let mut seen = BTreeSet::new();
        for seed in 0..200 {
            let disk = FaultyFiles::new();
            let (path, file) = file(&disk);
            file.write_at(0, &[1; 1024]).unwrap();
            disk.power_cut(Keep::Random, seed);
            let bytes = read_whole(&disk, &path).unwrap();
            let part = |at: usize| bytes.get(at).copied();
            seen.insert((part(0), part(512)));
            for sector in bytes.chunks(512) {
                assert!(sector.iter().all(|b| *b == sector[0]), "a sector is whole or not there");
            }
        }
        for want in [(None, None), (Some(0), Some(1)), (Some(1), Some(0)), (Some(1), Some(1))] {
            assert!(seen.contains(&want), "{want:?} never came up in {seen:?}");
        }
    }

    #[test]
    fn a_failed_sync_gives_its_pages_up_and_a_second_one_lies() {
        let disk = FaultyFiles::new();
        let (path, file) = file(&disk);
        file.write_at(0, b"sale").unwrap();
        disk.fail_at(1, FaultKind::Eio, Lasting::Once);
        assert!(file.sync_data().is_err());
        file.sync_data().unwrap();
        assert_eq!(read_whole(&disk, &path).unwrap(), b"sale", "the cache still shows it");
        disk.power_cut(Keep::Nothing, 1);
        assert_eq!(read_whole(&disk, &path).unwrap(), [0; 4], "the platter never had it");
    }

    #[test]
    fn a_name_is_durable_only_after_its_directory_was_synced() {
        let disk = FaultyFiles::new();
        let (path, _) = file(&disk);
        let second = Path::new(DIR).join("g");
        disk.create(&second).unwrap();
        disk.power_cut(Keep::Nothing, 1);
        assert!(disk.open(&path).is_ok());
        assert_eq!(disk.open(&second).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn faults_hit_the_call_they_are_aimed_at_once_or_for_good() {
        for (kind, lasting, want) in [
            (FaultKind::Eio, Lasting::Once, [true, false, true]),
            (FaultKind::Enospc, Lasting::Sticky, [true, false, false]),
            (FaultKind::ShortWrite, Lasting::Once, [true, false, true]),
            (FaultKind::Eintr, Lasting::Sticky, [true, false, false]),
            (FaultKind::Erofs, Lasting::Sticky, [true, false, false]),
        ] {
            let disk = FaultyFiles::new();
            let (_, file) = file(&disk);
            disk.fail_at(2, kind, lasting);
            let took_all = [0, 1, 2].map(|i| matches!(file.write_at(i * 4, b"sale"), Ok(4)));
            assert_eq!(took_all, want, "{kind:?} {lasting:?}");
        }
    }

    #[test]
    fn a_lock_is_exclusive_until_dropped_or_the_power_fails() {
        let disk = FaultyFiles::new();
        let path = Path::new("/lock");
        let held = disk.try_lock(path).unwrap();
        assert!(held.is_some());
        assert!(disk.try_lock(path).unwrap().is_none());
        drop(held);
        let held = disk.try_lock(path).unwrap();
        assert!(held.is_some());
        disk.power_cut(Keep::Nothing, 0);
        let again = disk.try_lock(path).unwrap();
        assert!(again.is_some());
        drop(held);
        assert!(disk.try_lock(path).unwrap().is_none(), "a dead guard frees nothing");
    }
}
