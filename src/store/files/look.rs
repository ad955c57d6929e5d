//! A folder that is only looked at: what is written stays in memory, and no disk hears of it.
//!
//! Room: store. May touch: files of another layer, to read and to lock. May not: write one.
//! Invariant: whoever opens a shop through this finds what a register would find, a tail folded
//! included, and leaves the folder as it was. What would take much memory is an error.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{DiskFile, Files, LockGuard, parent};

const BLOCK: usize = 4096;
/// Bytes that may be written; a store made anew takes more, and a register should make it.
const MOST_BYTES: usize = 8 << 20;

/// The folder. By path: what was opened, made, or (`None`) taken away.
#[derive(Debug)]
pub struct LookedAt {
    files: Arc<dyn Files>,
    touched: Mutex<BTreeMap<PathBuf, Option<Arc<Copied>>>>,
    room: Arc<Mutex<usize>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LookedAt {
    pub fn new(files: Arc<dyn Files>) -> Self {
        let room = Arc::new(Mutex::new(MOST_BYTES));
        Self { files, touched: Mutex::default(), room }
    }

    fn find(&self, path: &Path) -> io::Result<Arc<Copied>> {
        let mut touched = lock(&self.touched);
        match touched.get(path) {
            Some(Some(file)) => return Ok(file.clone()),
            Some(None) => return Err(ErrorKind::NotFound.into()),
            None => {}
        }
        let below = self.files.open(path)?;
        let state = State { len: below.len()?, below_len: below.len()?, blocks: BTreeMap::new() };
        let file = Arc::new(Copied::new(Some(below), state, self.room.clone()));
        touched.insert(path.to_owned(), Some(file.clone()));
        Ok(file)
    }
}

impl Files for LookedAt {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.find(path)?)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        if self.find(path).is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let file = Arc::new(Copied::new(None, State::default(), self.room.clone()));
        lock(&self.touched).insert(path.to_owned(), Some(file.clone()));
        Ok(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let file = self.find(from)?;
        let mut touched = lock(&self.touched);
        touched.insert(from.to_owned(), None);
        touched.insert(to.to_owned(), Some(file));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.find(path)?;
        lock(&self.touched).insert(path.to_owned(), None);
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let touched = lock(&self.touched);
        let mut names = self.files.list(dir)?;
        names.retain(|name| touched.get(&dir.join(name)) != Some(&None));
        for (path, _) in touched.iter().filter(|(_, file)| file.is_some()) {
            if parent(path) == dir {
                names.extend(path.file_name().and_then(|name| name.to_str()).map(str::to_owned));
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn make_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.files.try_lock(path)
    }
}

/// A file as it is, and over it what was written since.
#[derive(Debug)]
struct Copied {
    below: Option<Arc<dyn DiskFile>>,
    state: Mutex<State>,
    room: Arc<Mutex<usize>>,
}

#[derive(Debug, Default)]
struct State {
    len: u64,
    /// Bytes of the file below that count still.
    below_len: u64,
    blocks: BTreeMap<u64, Box<[u8; BLOCK]>>,
}

/// Two are the same when they are one.
impl PartialEq for Copied {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Copied {
    fn new(below: Option<Arc<dyn DiskFile>>, state: State, room: Arc<Mutex<usize>>) -> Self {
        Self { below, state: Mutex::new(state), room }
    }

    /// Reads what the file below has of a stretch; zeros where it has none.
    fn read_below(&self, state: &State, offset: u64, out: &mut [u8]) -> io::Result<()> {
        out.fill(0);
        let has = state.below_len.saturating_sub(offset).min(out.len() as u64);
        match &self.below {
            Some(below) => super::read_full(&**below, offset, &mut out[..has as usize]),
            None => Ok(()),
        }
    }
}

impl DiskFile for Copied {
    fn len(&self) -> io::Result<u64> {
        Ok(lock(&self.state).len)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let state = lock(&self.state);
        let wanted = state.len.saturating_sub(offset).min(out.len() as u64) as usize;
        let out = &mut out[..wanted];
        self.read_below(&state, offset, out)?;
        let end = offset + wanted as u64;
        for (number, block) in state.blocks.range(offset / BLOCK as u64..end.div_ceil(BLOCK as u64))
        {
            let at = number * BLOCK as u64;
            let (from, to) = (at.max(offset), (at + BLOCK as u64).min(end));
            let part = &block[(from - at) as usize..(to - at) as usize];
            out[(from - offset) as usize..(to - offset) as usize].copy_from_slice(part);
        }
        Ok(wanted)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut state = lock(&self.state);
        let end = offset + bytes.len() as u64;
        for number in offset / BLOCK as u64..end.div_ceil(BLOCK as u64) {
            let at = number * BLOCK as u64;
            if !state.blocks.contains_key(&number) {
                let mut room = lock(&self.room);
                *room = room.checked_sub(BLOCK).ok_or(ErrorKind::StorageFull)?;
                let mut block = Box::new([0; BLOCK]);
                self.read_below(&state, at, &mut *block)?;
                state.blocks.insert(number, block);
            }
            let (from, to) = (at.max(offset), (at + BLOCK as u64).min(end));
            let part = &bytes[(from - offset) as usize..(to - offset) as usize];
            let block = state.blocks.get_mut(&number).expect("it was just put there");
            block[(from - at) as usize..(to - at) as usize].copy_from_slice(part);
        }
        state.len = state.len.max(end);
        Ok(bytes.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = lock(&self.state);
        state.below_len = state.below_len.min(len);
        drop(state.blocks.split_off(&len.div_ceil(BLOCK as u64)));
        let within = (len % BLOCK as u64) as usize;
        if let Some(block) = state.blocks.get_mut(&(len / BLOCK as u64)) {
            block[within..].fill(0);
        }
        state.len = len;
        Ok(())
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::faulty::FaultyFiles;
    use super::super::{read_whole, write_fresh};
    use super::*;

    fn path() -> &'static Path {
        Path::new("/shop/file")
    }

    #[test]
    fn what_is_made_taken_away_or_renamed_is_so_only_here() {
        let below = FaultyFiles::new();
        let other = Path::new("/shop/other");
        write_fresh(&below, path(), b"below").unwrap();
        let look = LookedAt::new(Arc::new(below.clone()));
        look.rename(path(), other).unwrap();
        assert_eq!(look.open(path()).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(read_whole(&look, other).unwrap(), b"below");
        assert_eq!(look.list(parent(path())).unwrap(), ["other"]);
        look.create(path()).unwrap().write_at(3, b"x").unwrap();
        assert_eq!(look.create(path()).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(read_whole(&look, path()).unwrap(), b"\0\0\0x");
        look.remove(other).unwrap();
        assert_eq!(look.list(parent(path())).unwrap(), ["file"]);
        assert_eq!(below.list(parent(path())).unwrap(), ["file"]);
        assert_eq!(read_whole(&below, path()).unwrap(), b"below");
    }

    #[test]
    fn much_that_is_written_is_an_error() {
        let look = LookedAt::new(Arc::new(FaultyFiles::new()));
        let file = look.create(path()).unwrap();
        file.write_at(0, &vec![1; MOST_BYTES]).unwrap();
        let full = file.write_at(MOST_BYTES as u64, &[1]).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Write(u64, Vec<u8>),
        Cut(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let bytes = proptest::collection::vec(1..=9_u8, 1..9_000);
        prop_oneof![
            (0..20_000_u64, bytes).prop_map(|(at, bytes)| Step::Write(at, bytes)),
            (0..20_000_u64).prop_map(Step::Cut),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_file_reads_as_it_was_written_and_the_one_below_stays(
            steps in proptest::collection::vec(step(), 0..12),
            before in proptest::collection::vec(any::<u8>(), 0..12_000),
        ) {
            let below = FaultyFiles::new();
            write_fresh(&below, path(), &before).unwrap();
            below.reset_counts();
            let look = LookedAt::new(Arc::new(below.clone()));
            let (file, mut want) = (look.open(path()).unwrap(), before.clone());
            for step in steps {
                match step {
                    Step::Write(at, bytes) => {
                        file.write_at(at, &bytes).unwrap();
                        let (at, end) = (at as usize, at as usize + bytes.len());
                        want.resize(want.len().max(end), 0);
                        want[at..end].copy_from_slice(&bytes);
                    }
                    Step::Cut(len) => {
                        file.set_len(len).unwrap();
                        want.resize(len as usize, 0);
                    }
                }
                prop_assert!(read_whole(&look, path()).unwrap() == want);
            }
            prop_assert_eq!((below.counts().writes, below.counts().syncs), (0, 0));
            prop_assert_eq!(read_whole(&below, path()).unwrap(), before);
        }
    }
}
