//! A file whose every block is checked whenever it is read: redb verifies nothing of what it reads.
//!
//! Room: store. May touch: the file, and the list of sums beside it. May not: retry a sync.
//! Invariant: what is read is what was written, or an error. After a cut the file is what it was at its
//! last sync, or at the one before: the first block, the only one that redb writes over in place, is
//! kept in the list, and the sums there are of that same moment. A list says nothing of blocks that are
//! not durable. After a change that failed there is no other.
//!
//! ```text
//! file   block 0     "regi-chk" · u64 N · u32 CRC32C            blocks 1…   as redb wrote them
//! STEM-N.sums        records, each from a multiple of 16: the first says all, the others what changed
//! record             u32 length of the body · u32 CRC32C of that · u32 CRC32C of the body · u32 0 · body
//! body               u64 length of the file · u16 length of the front · the front of block 0
//!                    (zeros follow) · (u32 block · u32 CRC32C) …
//! ```

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{
    DiskFile, Files, is_full, parent, read_full, read_whole, replace_file, write_fresh, write_once,
};
use crate::store::sums;

/// Bytes checked together: a page of redb.
pub const BLOCK: usize = 4096;

const MAGIC: &[u8; 8] = b"regi-chk";
const HEADER_LEN: usize = 20;
const PREFIX: usize = 16;
const ALIGN: usize = 16;
/// What a disk writes whole, in bytes.
const SECTOR: usize = 512;
/// A list is written anew at the next opening when it is longer than this and twice what it says.
const LONG_LIST: usize = 1024 * 1024;

/// What the list says, and what has changed since it was written.
#[derive(Debug, Clone, Default)]
struct State {
    len: u64,
    /// Block 0, without the zeros at its end.
    front: Vec<u8>,
    /// Of each block of the file; that of block 0 is not used.
    sums: Vec<u32>,
    changed: BTreeSet<u32>,
    told: bool,
    list_end: u64,
}

/// The file, open.
#[derive(Debug)]
pub struct CheckedFile {
    file: Arc<dyn DiskFile>,
    list: Mutex<List>,
    state: RwLock<State>,
    /// A block was not what was written.
    damaged: AtomicBool,
    /// A change failed: no other is begun.
    failed: AtomicBool,
    /// What failed may have been given up by the disk, while readers still see it.
    given_up: AtomicBool,
}

/// Where changes are told.
#[derive(Debug)]
enum List {
    /// Appended to: what stands before its end is on the platter.
    Durable(Arc<dyn DiskFile>),
    /// Perhaps only readers see its end: whoever wrote it may not have lived to sync it, or the disk
    /// failed that sync. What was appended to it would stand behind a hole after a cut, so it is written
    /// anew before the first change.
    Seen { files: Arc<dyn Files>, path: PathBuf, number: u64 },
    /// The file is only read.
    ReadOnly,
}

impl CheckedFile {
    fn new(file: Arc<dyn DiskFile>, list: List, state: State) -> Arc<Self> {
        Arc::new(Self {
            file,
            list: Mutex::new(list),
            state: RwLock::new(state),
            damaged: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            given_up: AtomicBool::new(false),
        })
    }
}

/// Opens the file at `path`, whose list an earlier process may have appended to in vain: it is made anew
/// when it does not end well. For what can be made again.
///
/// # Errors
/// `NotFound`; `InvalidData` when it, or its list, is not what was written.
pub fn open(files: &dyn Files, path: &Path) -> io::Result<Arc<CheckedFile>> {
    let Found { file, number, mut state, bytes, end } = find(files, path)?;
    let list_path = list_path(path, number);
    let snapshot = record(&state, All);
    let long = bytes > LONG_LIST && bytes > 2 * snapshot.len();
    let list = if end < bytes || long {
        // A torn record must not be continued: what stands behind it might pass for another.
        state.list_end = snapshot.len() as u64;
        replace_file(files, &list_path, &snapshot)?
    } else {
        state.list_end = end as u64;
        files.open(&list_path)?
    };
    state.told = true;
    drop_other_lists(files, path, number);
    Ok(CheckedFile::new(file, List::Durable(list), state))
}

/// Opens the file at `path` for what cannot be made again: before its first change, its list is written
/// anew. Until then nothing is written.
///
/// # Errors
/// As for [`open`].
pub fn open_carefully(files: &Arc<dyn Files>, path: &Path) -> io::Result<Arc<CheckedFile>> {
    let Found { file, number, state, .. } = find(&**files, path)?;
    let list = List::Seen { files: files.clone(), path: path.into(), number };
    Ok(CheckedFile::new(file, list, state))
}

/// Opens the file at `path` to read it; every change is refused.
///
/// # Errors
/// As for [`open`].
pub fn open_to_read(files: &dyn Files, path: &Path) -> io::Result<Arc<CheckedFile>> {
    let Found { file, state, .. } = find(files, path)?;
    Ok(CheckedFile::new(file, List::ReadOnly, state))
}

/// A file and what its list says: of how many bytes, and where the last whole record ends.
struct Found {
    file: Arc<dyn DiskFile>,
    number: u64,
    state: State,
    bytes: usize,
    end: usize,
}

fn find(files: &dyn Files, path: &Path) -> io::Result<Found> {
    let file = files.open(path)?;
    let number = number_of(&*file)?;
    let bytes = match read_whole(files, &list_path(path, number)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(not_what_was_written()),
        bytes => bytes?,
    };
    let (state, end) = replay(&bytes)?;
    Ok(Found { file, number, state, bytes: bytes.len(), end })
}

/// Creates the file, which must not exist yet, empty and durable.
pub fn create(files: &dyn Files, path: &Path) -> io::Result<Arc<CheckedFile>> {
    let number = next_number(files, path)?;
    let state = State::default();
    let snapshot = record(&state, All);
    let list = write_fresh(files, &list_path(path, number), &snapshot)?;
    files.sync_dir(parent(path))?;
    let file = files.create(path)?;
    write_once(&*file, 0, &header(number))?;
    file.sync_data()?;
    files.sync_dir(parent(path))?;
    let state = State { told: true, list_end: snapshot.len() as u64, ..state };
    Ok(CheckedFile::new(file, List::Durable(list), state))
}

/// Opens the file carefully, or makes one where there is none or where a cut came before its first sync.
pub fn open_or_create(files: &Arc<dyn Files>, path: &Path) -> io::Result<Arc<CheckedFile>> {
    match files.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return create(&**files, path),
        Err(error) => return Err(error),
        Ok(file) if never_was(&*file)? => files.remove(path)?,
        Ok(_) => return open_carefully(files, path),
    }
    create(&**files, path)
}

/// Returns whether the file was ever made to the end of its own header.
pub fn was_made(files: &dyn Files, path: &Path) -> io::Result<bool> {
    never_was(&*files.open(path)?).map(|never| !never)
}

/// Removes the file and its lists.
pub fn remove(files: &dyn Files, path: &Path) -> io::Result<()> {
    files.remove(path)?;
    drop_other_lists(files, path, 0);
    Ok(())
}

/// Returns whether the file is one that was written before blocks were checked.
pub fn is_unchecked(files: &dyn Files, path: &Path) -> io::Result<bool> {
    let file = match files.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    let mut front = [0; 4];
    Ok(file.len()? >= 4 && read_full(&*file, 0, &mut front).is_ok() && &front == b"redb")
}

/// The file's own header is synced before anything else is written: without one it held nothing.
fn never_was(file: &dyn DiskFile) -> io::Result<bool> {
    let there = usize::try_from(file.len()?).unwrap_or(HEADER_LEN).min(HEADER_LEN);
    let mut front = [0; HEADER_LEN];
    read_full(file, 0, &mut front[..there])?;
    Ok(there < HEADER_LEN || front == [0; HEADER_LEN])
}

fn header(number: u64) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    let crc = sums::crc(&bytes[..16]);
    bytes[16..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn number_of(file: &dyn DiskFile) -> io::Result<u64> {
    let mut bytes = [0; HEADER_LEN];
    read_full(file, 0, &mut bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => not_what_was_written(),
        _ => error,
    })?;
    let number = u64::from_le_bytes(*bytes[8..].first_chunk().expect("twenty bytes"));
    if header(number) == bytes { Ok(number) } else { Err(not_what_was_written()) }
}

fn not_what_was_written() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "not the bytes that were written")
}

/// `store.redb` has `store-N.sums`; so has what is renamed to it.
fn list_path(path: &Path, number: u64) -> PathBuf {
    parent(path).join(format!("{}-{number}.sums", stem(path)))
}

fn stem(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split('.').next().unwrap_or_default()
}

fn number_in(name: &str, stem: &str) -> Option<u64> {
    name.strip_prefix(stem)?.strip_prefix('-')?.strip_suffix(".sums")?.parse().ok()
}

fn next_number(files: &dyn Files, path: &Path) -> io::Result<u64> {
    let names = files.list(parent(path))?;
    let used = names.iter().filter_map(|name| number_in(name, stem(path))).max();
    Ok(used.unwrap_or(0) + 1)
}

/// Lists of files that were replaced are of no use; one that stays does no harm.
fn drop_other_lists(files: &dyn Files, path: &Path, number: u64) {
    for name in files.list(parent(path)).unwrap_or_default() {
        if number_in(&name, stem(path)).is_some_and(|other| other != number) {
            let _ = files.remove(&parent(path).join(name));
        }
    }
}

/// Which sums a record says.
struct All;
struct Changed;

trait Which {
    fn blocks(&self, state: &State) -> Vec<u32>;
}

impl Which for All {
    fn blocks(&self, state: &State) -> Vec<u32> {
        (1..u32::try_from(state.sums.len()).expect("a store of less than 16 TB")).collect()
    }
}

impl Which for Changed {
    fn blocks(&self, state: &State) -> Vec<u32> {
        state.changed.iter().copied().collect()
    }
}

fn record(state: &State, which: impl Which) -> Vec<u8> {
    let mut bytes = vec![0; PREFIX];
    bytes.extend_from_slice(&state.len.to_le_bytes());
    let front = u16::try_from(state.front.len()).expect("a block is small");
    bytes.extend_from_slice(&front.to_le_bytes());
    bytes.extend_from_slice(&state.front);
    for block in which.blocks(state) {
        bytes.extend_from_slice(&block.to_le_bytes());
        bytes.extend_from_slice(&state.sums[block as usize].to_le_bytes());
    }
    let body_len = u32::try_from(bytes.len() - PREFIX).expect("a list of less than 4 GB");
    let prefix = prefix(body_len, sums::crc(&bytes[PREFIX..]));
    bytes[..PREFIX].copy_from_slice(&prefix);
    bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
    bytes
}

fn prefix(body_len: u32, body_crc: u32) -> [u8; PREFIX] {
    let len = body_len.to_le_bytes();
    let mut prefix = [0; PREFIX];
    prefix[..4].copy_from_slice(&len);
    prefix[4..8].copy_from_slice(&sums::crc(&len).to_le_bytes());
    prefix[8..12].copy_from_slice(&body_crc.to_le_bytes());
    prefix
}

/// What stands at a place of the list.
enum Stands<'a> {
    Record {
        body: &'a [u8],
        end: usize,
    },
    /// The rest of a write that a cut tore; whoever had asked for it was not answered.
    Torn,
    Damaged,
}

fn record_at(bytes: &[u8], at: usize) -> Stands<'_> {
    let Some(front) = bytes.get(at..at + PREFIX) else { return Stands::Torn };
    let len = u32::from_le_bytes(*front.first_chunk().expect("sixteen bytes"));
    if front[4..8] != sums::crc(&len.to_le_bytes()).to_le_bytes() || front[12..] != [0; 4] {
        return if front == [0; PREFIX] { Stands::Torn } else { Stands::Damaged };
    }
    let Some(body_end) = (at + PREFIX).checked_add(len as usize) else { return Stands::Damaged };
    let end = body_end.next_multiple_of(ALIGN);
    let Some(body) = bytes.get(at + PREFIX..body_end).filter(|_| end <= bytes.len()) else {
        return Stands::Torn;
    };
    let padded = bytes[body_end..end].iter().all(|byte| *byte == 0);
    if padded && front[8..12] == sums::crc(body).to_le_bytes() {
        return Stands::Record { body, end };
    }
    if has_blank_sector(&bytes[..end], at) { Stands::Torn } else { Stands::Damaged }
}

/// Returns whether a sector from `at` on was never written.
fn has_blank_sector(bytes: &[u8], at: usize) -> bool {
    let mut from = at;
    while from < bytes.len() {
        let to = ((from / SECTOR + 1) * SECTOR).min(bytes.len());
        if bytes[from..to].iter().all(|byte| *byte == 0) {
            return true;
        }
        from = to;
    }
    false
}

/// Reads a list to its last whole record; returns what it says and where it ends.
fn replay(bytes: &[u8]) -> io::Result<(State, usize)> {
    let (mut state, mut at) = (State::default(), 0);
    while at < bytes.len() {
        match record_at(bytes, at) {
            Stands::Record { body, end } => {
                state.apply(body).ok_or_else(not_what_was_written)?;
                at = end;
            }
            // Only one record is ever under way, so nothing whole stands behind a torn one.
            Stands::Torn if at > 0 && !any_record_behind(bytes, at) => break,
            Stands::Torn | Stands::Damaged => return Err(not_what_was_written()),
        }
    }
    if at == 0 { Err(not_what_was_written()) } else { Ok((state, at)) }
}

fn any_record_behind(bytes: &[u8], at: usize) -> bool {
    let places = (at + ALIGN..bytes.len()).step_by(ALIGN);
    places.into_iter().any(|place| matches!(record_at(bytes, place), Stands::Record { .. }))
}

impl State {
    fn apply(&mut self, body: &[u8]) -> Option<()> {
        self.len = u64::from_le_bytes(*body.first_chunk()?);
        let front_len = usize::from(u16::from_le_bytes(*body.get(8..)?.first_chunk()?));
        self.front = body.get(10..10 + front_len)?.to_vec();
        self.fit();
        let pairs = body.get(10 + front_len..)?;
        for pair in pairs.chunks(8) {
            let block = u32::from_le_bytes(*pair.first_chunk()?) as usize;
            let sum = u32::from_le_bytes(*pair.get(4..)?.first_chunk()?);
            // One that a later record cut away is of no block.
            if let Some(known) = self.sums.get_mut(block) {
                *known = sum;
            }
        }
        Some(())
    }

    /// Returns the record of what changed and where it belongs; `None` when all is told.
    fn untold(&mut self) -> Option<(Vec<u8>, u64)> {
        if self.told {
            return None;
        }
        let (bytes, at) = (record(self, Changed), self.list_end);
        self.changed.clear();
        self.told = true;
        self.list_end += bytes.len() as u64;
        Some((bytes, at))
    }

    /// Returns the list that says all.
    fn retold(&mut self) -> Vec<u8> {
        let bytes = record(self, All);
        self.changed.clear();
        self.told = true;
        self.list_end = bytes.len() as u64;
        bytes
    }

    /// Gives every block of the file a sum: a new one is zeros.
    fn fit(&mut self) {
        let blocks = usize::try_from(self.len).expect("it was in memory").div_ceil(BLOCK);
        self.sums.resize(blocks, zero_sum());
    }
}

fn zero_sum() -> u32 {
    sums::crc(&[0; BLOCK])
}

impl CheckedFile {
    /// Whether a block was found that is not what was written.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Reads every block.
    ///
    /// # Errors
    /// The first that is not what was written.
    pub fn check_all(&self) -> io::Result<()> {
        let len = self.state().len;
        let mut bytes = vec![0; 256 * BLOCK];
        let mut at = BLOCK as u64;
        while at < len {
            let step = usize::try_from((len - at).min(bytes.len() as u64)).expect("bounded");
            read_full(self, at, &mut bytes[..step])?;
            at += step as u64;
        }
        Ok(())
    }

    /// A panic elsewhere leaves the sums as they were: at worst a block is not believed.
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, first: usize, bytes: &[u8]) -> io::Result<()> {
        let state = self.state();
        for (block, bytes) in (first..).zip(bytes.chunks(BLOCK)) {
            if state.sums.get(block) != Some(&sums::crc(bytes)) {
                self.damaged.store(true, Ordering::Relaxed);
                return Err(not_what_was_written());
            }
        }
        Ok(())
    }

    fn read_blocks(&self, first: usize, out: &mut [u8]) -> io::Result<()> {
        let read = read_full(&*self.file, (first * BLOCK) as u64, out);
        match read {
            // A file cut short has lost what was written there.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(not_what_was_written()),
            Err(error) => Err(error),
            Ok(()) => self.check(first, out),
        }
    }

    fn read_front(&self, within: usize, out: &mut [u8]) {
        let state = self.state();
        out.fill(0);
        let known = state.front.get(within..).unwrap_or_default();
        let known = &known[..known.len().min(out.len())];
        out[..known.len()].copy_from_slice(known);
    }

    fn write_front(&self, within: usize, bytes: &[u8]) {
        let mut state = self.state_mut();
        let end = within + bytes.len();
        if state.front.len() < end {
            state.front.resize(end, 0);
        }
        state.front[within..end].copy_from_slice(bytes);
        let used = state.front.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        state.front.truncate(used);
        state.told = false;
    }

    /// Whether the disk may have given up what readers of this file still see: a sync failed, or a
    /// write for another reason than that there is no room.
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }

    /// Makes durable what an earlier process may have left for readers only.
    ///
    /// # Errors
    /// As those of a sync.
    pub fn settle(&self) -> io::Result<()> {
        let is_durable = matches!(*self.list(), List::Durable(_));
        if is_durable { Ok(()) } else { self.sync_data() }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change. After one that failed nobody knows what the next would stand on, and a sync would
    /// answer without having written what the failed one gave up.
    fn change(&self, change: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        if self.failed.load(Ordering::Acquire) {
            return Err(ErrorKind::Other.into());
        }
        change().inspect_err(|_| self.failed.store(true, Ordering::Release))
    }

    /// Writes to the file or its list. What found no room was never taken, and what had found some a
    /// sync still writes; after any other error a page may be gone.
    fn write(&self, write: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        write().inspect_err(|error| {
            self.given_up.fetch_or(!is_full(error), Ordering::AcqRel);
        })
    }

    /// Syncs the file or its list: one that fails, however it is called, gives up what it should have
    /// written.
    fn sync(&self, file: &dyn DiskFile) -> io::Result<()> {
        file.sync_data().inspect_err(|_| self.given_up.store(true, Ordering::Release))
    }

    /// Before a block is changed, what is told of it must not go with a cut.
    fn make_list_durable(&self) -> io::Result<()> {
        let mut list = self.list();
        match &*list {
            List::Durable(_) => Ok(()),
            _ => self.change(|| self.tell(&mut list)),
        }
    }

    /// Says durably what is to be believed of the blocks, which are durable.
    fn tell(&self, list: &mut List) -> io::Result<()> {
        match list {
            List::ReadOnly => Err(ErrorKind::ReadOnlyFilesystem.into()),
            List::Durable(file) => {
                let Some((bytes, at)) = self.state_mut().untold() else { return Ok(()) };
                self.write(|| write_once(&**file, at, &bytes))?;
                self.sync(&**file)
            }
            // Of a new list that fails nothing is missed: the old one stays, or has it all, too.
            List::Seen { files, path, number } => {
                let bytes = self.state_mut().retold();
                let file = replace_file(&**files, &list_path(path, *number), &bytes)?;
                drop_other_lists(&**files, path, *number);
                *list = List::Durable(file);
                Ok(())
            }
        }
    }

    fn write_blocks(&self, first: usize, bytes: &[u8]) -> io::Result<()> {
        self.make_list_durable()?;
        self.change(|| self.write(|| write_once(&*self.file, (first * BLOCK) as u64, bytes)))?;
        let mut state = self.state_mut();
        for (block, bytes) in (first..).zip(bytes.chunks(BLOCK)) {
            let Some(sum) = state.sums.get_mut(block) else {
                return Err(ErrorKind::InvalidInput.into());
            };
            *sum = sums::crc(bytes);
            state.changed.insert(u32::try_from(block).expect("less than 16 TB"));
        }
        state.told = false;
        Ok(())
    }
}

/// One stretch of a read or write: within block 0, whole blocks, or a part of one.
fn stretch(at: usize, left: usize) -> usize {
    let within = at % BLOCK;
    match (at / BLOCK, within) {
        (1.., 0) if left >= BLOCK => left / BLOCK * BLOCK,
        _ => left.min(BLOCK - within),
    }
}

impl DiskFile for CheckedFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().len)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let left = self.state().len.saturating_sub(offset).min(out.len() as u64);
        let wanted = usize::try_from(left).expect("it fits the buffer");
        let mut done = 0;
        while done < wanted {
            let at = usize::try_from(offset).map_err(|_| ErrorKind::FileTooLarge)? + done;
            let step = stretch(at, wanted - done);
            let out = &mut out[done..done + step];
            match (at / BLOCK, at % BLOCK) {
                (0, within) => self.read_front(within, out),
                (first, 0) if step >= BLOCK => self.read_blocks(first, out)?,
                (block, within) => {
                    let mut whole = [0; BLOCK];
                    self.read_blocks(block, &mut whole)?;
                    out.copy_from_slice(&whole[within..within + step]);
                }
            }
            done += step;
        }
        Ok(wanted)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        if offset + bytes.len() as u64 > self.state().len {
            self.set_len(offset + bytes.len() as u64)?;
        }
        let mut done = 0;
        while done < bytes.len() {
            let at = usize::try_from(offset).map_err(|_| ErrorKind::FileTooLarge)? + done;
            let step = stretch(at, bytes.len() - done);
            let bytes = &bytes[done..done + step];
            match (at / BLOCK, at % BLOCK) {
                (0, within) => self.write_front(within, bytes),
                (first, 0) if step >= BLOCK => self.write_blocks(first, bytes)?,
                (block, within) => {
                    let mut whole = [0; BLOCK];
                    self.read_blocks(block, &mut whole)?;
                    whole[within..within + step].copy_from_slice(bytes);
                    self.write_blocks(block, &whole)?;
                }
            }
            done += step;
        }
        Ok(bytes.len())
    }

    /// Before it shrinks, what says that the end is not needed is made durable.
    fn set_len(&self, len: u64) -> io::Result<()> {
        let before = self.state().len;
        if len < before {
            self.sync_data()?;
        }
        if len != before {
            self.make_list_durable()?;
            let len = len.next_multiple_of(BLOCK as u64);
            self.change(|| self.write(|| self.file.set_len(len)))?;
        }
        let mut state = self.state_mut();
        state.len = len;
        state.fit();
        let blocks = u32::try_from(state.sums.len()).expect("less than 16 TB");
        drop(state.changed.split_off(&blocks));
        let grown = u32::try_from(before.div_ceil(BLOCK as u64)).expect("less than 16 TB");
        state.changed.extend(grown..blocks);
        state.told = false;
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.file.allocate(len)
    }

    /// The blocks first, then what is now to be believed of them.
    fn sync_data(&self) -> io::Result<()> {
        let mut list = self.list();
        self.change(|| {
            self.sync(&*self.file)?;
            self.tell(&mut list)
        })
    }
}

#[cfg(test)]
#[path = "checked_tests.rs"]
mod tests;
