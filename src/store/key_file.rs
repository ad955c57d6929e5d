//! The file the keys lie in: the one handle on it, and the new file in its place when the disk fails it.
//!
//! Room: store. May touch: `keys.redb`, and a new one beside it. May not: clock; chance is handed in.
//! Invariant: a file of which the disk may have given up a page is never changed again: what is read of
//! it, every block checked, goes into a new one, durable before anything relies on it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use redb::{
    Database, ReadableDatabase, ReadableTable, TableDefinition, TableError, WriteTransaction,
};

use super::backup::remove_if_there;
use super::fault::StoreError;
use super::files::apart::Apart;
use super::files::checked::{self, CheckedFile};
use super::files::{DiskFile, Files, beside, parent, redb_file};
use super::keys::Chance;
use super::sealing::KEY_BYTES;

pub(super) const MEMBER_KEYS: TableDefinition<&str, [u8; KEY_BYTES]> =
    TableDefinition::new("member_keys");
pub(super) const PINS: TableDefinition<u32, &str> = TableDefinition::new("pins");
pub(super) const SIGNING: TableDefinition<u8, [u8; 32]> = TableDefinition::new("signing");
pub(super) const STAND: TableDefinition<u8, u64> = TableDefinition::new("stand");

/// The rows of `STAND`: a number by chance that names this file, and how often it was changed.
pub(super) const FILE_ID: u8 = 0;
pub(super) const CHANGES: u8 = 1;

/// How the name of a new file ends until it has its place; one that a cut left there is removed at start.
pub(super) const NEW: &str = ".new";

const CACHE_BYTES: usize = 1 << 20;

/// The file, and the one handle on it: a second beside it would write over what this one wrote.
pub(super) struct KeyFile {
    handle: RwLock<Handle>,
    files: Arc<dyn Files>,
    path: PathBuf,
    chance: Chance,
}

/// What is to be done with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Read,
    /// Change it, or rely on what is in it.
    Change,
}

#[derive(Default)]
pub(super) struct Handle {
    /// `None` after an error: it is opened again before it is asked again.
    open: Option<Open>,
    /// The disk may have given up pages of the file, or nobody knows which file has its name: what
    /// readers see of it may be nowhere else.
    doubted: bool,
    /// The shop is given up, and with it the file.
    closed: bool,
    /// How often it was given up, so that two who saw the same one fail give up no later one.
    pub(super) given_up: u64,
}

struct Open {
    db: Database,
    file: Arc<CheckedFile>,
}

impl Handle {
    fn serves(&self, need: Need) -> bool {
        self.open.is_some() && (need == Need::Read || !self.doubted)
    }

    /// Gives it up. redb writes to the file when a handle that is well is closed, so this one is
    /// closed before the next is opened.
    pub(super) fn give_up(&mut self) {
        self.given_up += 1;
        if let Some(Open { db, file }) = self.open.take() {
            drop(db);
            self.doubted |= file.is_given_up();
        }
    }
}

impl KeyFile {
    /// Opens the file, or makes an empty one.
    pub fn open(files: Arc<dyn Files>, path: &Path, chance: Chance) -> Result<Self, StoreError> {
        if checked::is_unchecked(&*files, path)? {
            // It was kept before blocks were checked: from now on they are.
            drop(put_anew(&open_apart(files.open(path)?)?, &files, path, &chance)?);
        }
        let open = open_or_make(&files, path, &chance)?;
        let handle = RwLock::new(Handle { open: Some(open), ..Handle::default() });
        Ok(Self { handle, files, path: path.into(), chance })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Asks the file.
    pub fn read<T>(
        &self,
        ask: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with(Need::Read, |open| ask(&open.db))
    }

    /// Changes the file; one that the disk failed is first written anew.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with(Need::Change, |open| change(&open.db))
    }

    /// Makes durable what readers see, where that is not known.
    pub fn settle(&self) -> Result<(), StoreError> {
        self.with(Need::Change, |open| Ok(open.file.settle()?))
    }

    /// After the disk has failed redb answers nothing more, so the next one finds the file opened anew.
    fn with<T>(
        &self,
        need: Need,
        act: impl FnOnce(&Open) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let handle = self.opened(need)?;
        let (seen, open) = (handle.given_up, handle.open.as_ref().expect("it was opened"));
        let done = act(open);
        drop(handle);
        if let Err(StoreError::Projections(_) | StoreError::File(_)) = &done {
            let mut handle = self.handle_mut();
            if handle.given_up == seen {
                handle.give_up();
            }
        }
        done
    }

    fn opened(&self, need: Need) -> Result<RwLockReadGuard<'_, Handle>, StoreError> {
        loop {
            let handle = self.handle.read().unwrap_or_else(PoisonError::into_inner);
            if handle.serves(need) {
                return Ok(handle);
            }
            drop(handle);
            let mut handle = self.handle_mut();
            if handle.closed {
                return Err(StoreError::Left);
            }
            match (handle.serves(need), need, handle.doubted) {
                (true, ..) => {} // Somebody was quicker.
                (false, Need::Change, true) => self.write_anew(&mut handle)?,
                (false, ..) => handle.open = Some(self.open_again(&handle)?),
            }
        }
    }

    pub(super) fn handle_mut(&self) -> RwLockWriteGuard<'_, Handle> {
        self.handle.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the file after an error: one that is doubted only to read it, without a byte written.
    fn open_again(&self, handle: &Handle) -> Result<Open, StoreError> {
        if handle.doubted {
            let file = checked::open_to_read(&*self.files, &self.path)?;
            return Ok(Open { db: open_apart(file.clone())?, file });
        }
        let file = checked::open_carefully(&self.files, &self.path)?;
        Ok(Open { db: redb_file::open(file.clone(), CACHE_BYTES)?, file })
    }

    /// Ends the hold on the file, for good. A disk that fails its end is answered with a new file.
    pub fn close(&self) -> Result<(), StoreError> {
        let mut handle = self.handle_mut();
        handle.give_up();
        let ended = match handle.doubted && !handle.closed {
            true => self.write_anew(&mut handle),
            false => Ok(()),
        };
        handle.give_up(); // Whatever the disk fails of the new one now, its rows were synced.
        handle.closed = true;
        ended
    }

    /// Writes the file anew, so that nothing is left of what was removed: redb leaves it in free pages.
    pub fn rewrite(&self) -> Result<(), StoreError> {
        let mut handle = self.handle_mut();
        match handle.closed {
            true => Err(StoreError::Left),
            false => self.write_anew(&mut handle),
        }
    }

    /// Writes the rows into a new file and puts it in the old one's place. When that fails, the next who
    /// needs the file changed tries again.
    fn write_anew(&self, handle: &mut Handle) -> Result<(), StoreError> {
        let old = match handle.open.take() {
            Some(open) => open,
            None => self.open_again(handle)?,
        };
        handle.given_up += 1;
        handle.doubted = true; // Until a synced folder says which of the two has the name.
        handle.open = Some(put_anew(&old.db, &self.files, &self.path, &self.chance)?);
        handle.doubted = false;
        Ok(())
    }
}

/// Writes the rows of a key file into a new one, whose blocks are checked, and gives it the name `path`.
fn put_anew(
    old: &Database,
    files: &Arc<dyn Files>,
    path: &Path,
    chance: &Chance,
) -> Result<Open, StoreError> {
    let fresh_path = beside(path, NEW);
    remove_if_there(&**files, &fresh_path)?;
    let fresh = open_or_make(files, &fresh_path, chance)?;
    copy_rows(old, &fresh.db)?;
    files.rename(&fresh_path, path)?;
    files.sync_dir(parent(path))?;
    Ok(fresh)
}

fn open_apart(file: Arc<dyn DiskFile>) -> Result<Database, StoreError> {
    Ok(redb_file::open(Arc::new(Apart::of(file)?), CACHE_BYTES)?)
}

fn open_or_make(files: &Arc<dyn Files>, path: &Path, chance: &Chance) -> Result<Open, StoreError> {
    let file = checked::open_or_create(files, path)?;
    let db = redb_file::open(file.clone(), CACHE_BYTES)?;
    if !has_tables(&db)? {
        let txn = begin_write(&db)?;
        txn.open_table(MEMBER_KEYS)?;
        txn.open_table(PINS)?;
        txn.open_table(SIGNING)?;
        let mut id = [0; 8];
        chance(&mut id);
        txn.open_table(STAND)?.insert(FILE_ID, u64::from_le_bytes(id))?;
        txn.commit()?;
    }
    Ok(Open { db, file })
}

/// Returns whether the file was made before: then a start writes nothing to it.
fn has_tables(db: &Database) -> Result<bool, StoreError> {
    Ok(db.begin_read()?.list_tables()?.count() >= 4)
}

/// Begins a commit that leaves its allocator behind: a file with a million keys then opens in
/// milliseconds after a cut, too (`stack.md` 3.4).
pub(super) fn begin_write(db: &Database) -> Result<WriteTransaction, StoreError> {
    let mut txn = db.begin_write()?;
    txn.set_quick_repair(true);
    Ok(txn)
}

fn copy_rows(from: &Database, to: &Database) -> Result<(), StoreError> {
    let (read, write) = (from.begin_read()?, begin_write(to)?);
    macro_rules! copy {
        ($($table:ident),*) => {
            $({
                let mut target = write.open_table($table)?;
                for row in read.open_table($table)?.iter()? {
                    let (key, value) = row?;
                    target.insert(key.value(), value.value())?;
                }
            })*
        };
    }
    copy!(MEMBER_KEYS, PINS, SIGNING);
    match read.open_table(STAND) {
        Err(TableError::TableDoesNotExist(_)) => {} // Of a shop that had no second copy of its keys.
        Err(error) => return Err(error.into()),
        Ok(_) => copy!(STAND),
    }
    Ok(write.commit()?)
}
