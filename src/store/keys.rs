//! What must not stand in the journal: members' keys, PIN verifiers, the key that signs Zs.
//!
//! Room: store. May touch: `keys.redb`. May not: clock; chance is handed in.
//! Invariant: a key is durable before the entry that needs it; a destroyed key leaves no byte in the
//! file. Every commit here is immediate. What is read is what was written, or an error.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ed25519_dalek::SigningKey;
use redb::{ReadTransaction, ReadableDatabase, ReadableTable, WriteTransaction};
use zeroize::Zeroizing;

use super::fault::StoreError;
use super::files::{Files, checked};
use super::key_file::{CHANGES, FILE_ID, KeyFile, MEMBER_KEYS, PINS, SIGNING, STAND, begin_write};
use super::pins::{self, PinPolicy};
use super::sealing::{self, KeyRing, NONCE_BYTES, Secret};
use crate::domain::command::Pin;
use crate::domain::member::{Personal, Sealed};
use crate::domain::register::PinVerdict;

/// Fills bytes with chance; the operating system's in a shop, a counter in tests.
pub type Chance = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The one row of `SIGNING`.
const Z_KEY: u8 = 0;
/// Changes kept at hand for the second copy; one that lacks more is written anew.
const AT_HAND: usize = 256;

/// Takes a row over.
pub type TakeRow<'a> = dyn FnMut(KeyRow) -> Result<(), StoreError> + 'a;

/// One row of the key file, as backups carry it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum KeyRow {
    Member { code: String, key: [u8; 32] },
    Pin { staff: u32, verifier: String },
    Signing { seed: [u8; 32] },
}

/// Which key file, and how often it was changed: each row put in is one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    pub file: u64,
    pub changes: u64,
}

/// The keys. May be asked from any thread.
pub struct Keys {
    file: KeyFile,
    /// The newest rows with the number of their change, oldest first.
    newest: Mutex<VecDeque<(u64, KeyRow)>>,
    chance: Chance,
    /// Members erased since the file was opened.
    erasures: AtomicU64,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.file.path().display())
    }
}

impl Keys {
    /// Opens the key file, or makes an empty one.
    pub fn open(files: Arc<dyn Files>, path: &Path, chance: Chance) -> Result<Self, StoreError> {
        Ok(Self {
            file: KeyFile::open(files, path, chance.clone())?,
            newest: Mutex::default(),
            chance,
            erasures: AtomicU64::new(0),
        })
    }

    /// How many members have been erased since the file was opened.
    pub(super) fn erasures(&self) -> u64 {
        self.erasures.load(Ordering::Acquire)
    }

    /// Fills bytes with chance.
    pub(super) fn chance(&self, bytes: &mut [u8]) {
        (self.chance)(bytes);
    }

    /// Opens the key file of a shop that has entries already.
    ///
    /// # Errors
    /// `Keys` when it is missing, empty or damaged: an empty one in its place would open every PIN lock
    /// and lose every member without a word.
    pub fn open_existing(
        files: Arc<dyn Files>,
        path: &Path,
        chance: Chance,
    ) -> Result<Self, StoreError> {
        let length = files.open(path).and_then(|file| file.len());
        match length {
            Ok(0) => return Err(StoreError::Keys("the file is empty".to_owned())),
            Ok(_) if !checked::was_made(&*files, path)? => {
                return Err(StoreError::Keys("the file is blank".to_owned()));
            }
            Ok(_) => {}
            // Whoever may not look cannot say that something is wrong with them.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(error.into());
            }
            Err(error) => return Err(StoreError::Keys(error.to_string())),
        }
        // redb may panic on a file that is not what it wrote.
        let opened = catch_unwind(AssertUnwindSafe(|| Self::open(files, path, chance)));
        let keys = opened.map_err(|_| StoreError::Keys("not what was written".to_owned()))?;
        keys.map_err(|error| match error.is_full() {
            true => error, // Nothing is wrong with them.
            false => StoreError::Keys(error.to_string()),
        })
    }

    /// Makes what can be read here durable, where it is not known to be: before an entry relies on a key
    /// that was there already. Usually nothing is left to do.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        self.file.settle()
    }

    /// Ends the hold on the file, for good: whoever is being answered is waited for. Another register
    /// may open it next, and redb writes to it when it is closed.
    ///
    /// # Errors
    /// When the disk failed it, and there was no writing it anew.
    pub fn close(&self) -> Result<(), StoreError> {
        self.file.close()
    }

    /// Makes keys for the members that have none, all in one commit; when all have one, no commit.
    pub fn create_members<'a>(
        &self,
        codes: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), StoreError> {
        let mut codes = codes.into_iter().peekable();
        if codes.peek().is_none() {
            return Ok(());
        }
        let mut missing = self.without_key(codes)?;
        if missing.is_empty() {
            return self.settle();
        }
        missing.sort_unstable();
        missing.dedup();
        self.add_members(missing.into_iter().map(|code| {
            let mut key = Secret::default();
            (self.chance)(&mut *key);
            (code, key)
        }))
    }

    /// Puts new members' keys in, in one commit. Codes in order: appending them is seven times as
    /// quick as inserting them anywhere.
    pub fn add_members<'a>(
        &self,
        keys: impl IntoIterator<Item = (&'a str, Secret)>,
    ) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        let changes = self.file.change(|db| {
            let txn = begin_write(db)?;
            let mut added = 0;
            {
                let mut table = txn.open_table(MEMBER_KEYS)?;
                let last = table.last()?.map(|(code, _)| code.value().to_owned());
                let mut keys = keys.into_iter().peekable();
                let is_inside =
                    |(code, _): &(&str, Secret)| last.as_deref().is_some_and(|l| *code <= l);
                while let Some((code, key)) = keys.next_if(is_inside) {
                    if table.get(code)?.is_none() {
                        table.insert(code, *key)?;
                        note(&mut rows, &mut added, code, &key);
                    }
                }
                let mut end = table.upper_bound_mut(Bound::<&str>::Unbounded)?;
                for (code, key) in keys {
                    end.insert_before(code, *key)?;
                    note(&mut rows, &mut added, code, &key);
                }
                end.close()?;
            }
            commit(txn, added)
        })?;
        // More than are kept at hand: the second copy is written anew.
        if rows.len() < AT_HAND {
            self.remember(changes, rows);
        }
        Ok(())
    }

    fn without_key<'a>(
        &self,
        codes: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<&'a str>, StoreError> {
        self.file.read(|db| {
            let table = db.begin_read()?.open_table(MEMBER_KEYS)?;
            let mut missing = Vec::new();
            for code in codes {
                if table.get(code)?.is_none() {
                    missing.push(code);
                }
            }
            Ok(missing)
        })
    }

    /// Returns the keys of an import's members, to ask for each of about `wanted`.
    pub fn ring(&self, wanted: u64) -> Result<KeyRing, StoreError> {
        KeyRing::new(self.file.read(|db| Ok(db.begin_read()?.open_table(MEMBER_KEYS)?))?, wanted)
    }

    fn member_key(&self, code: &str) -> Result<Option<Secret>, StoreError> {
        self.file.read(|db| {
            let table = db.begin_read()?.open_table(MEMBER_KEYS)?;
            Ok(table.get(code)?.map(|key| Zeroizing::new(key.value())))
        })
    }

    /// Seals personal data with the member's own key, which `create_members` has made.
    ///
    /// # Errors
    /// `Erased` when there is no key: nothing is ever sealed with one that is not on the disk.
    pub fn seal(&self, code: &str, personal: &Personal) -> Result<Sealed, StoreError> {
        let key = self.member_key(code)?;
        let key = key.ok_or_else(|| StoreError::Erased { code: code.to_owned() })?;
        let mut nonce = [0; NONCE_BYTES];
        (self.chance)(&mut nonce);
        sealing::close(&key, nonce, code, personal)
    }

    /// Opens personal data; `None` when the key is gone, so that an erased member stays erased.
    ///
    /// # Errors
    /// `Unfit` when the data is not what was sealed for this member.
    pub fn unseal(&self, code: &str, sealed: &Sealed) -> Result<Option<Personal>, StoreError> {
        sealing::open(code, sealed, || self.member_key(code))
    }

    /// Destroys a member's key. The file is written anew: redb leaves removed bytes in free pages.
    pub fn erase_member(&self, code: &str) -> Result<(), StoreError> {
        self.erasures.fetch_add(1, Ordering::AcqRel);
        self.file.change(|db| {
            let txn = begin_write(db)?;
            txn.open_table(MEMBER_KEYS)?.remove(code)?;
            // No row tells of it: the second copy's keys are written anew, without this one.
            commit(txn, 1)
        })?;
        self.file.rewrite()
    }

    /// Writes a PIN's verifier, or takes it away.
    pub fn set_pin(
        &self,
        staff: u32,
        pin: Option<&Pin>,
        policy: PinPolicy,
    ) -> Result<(), StoreError> {
        let mut salt = [0; 16];
        (self.chance)(&mut salt);
        let verifier = pin.map(|pin| pins::verifier(pin, &salt, policy)).transpose()?;
        let changes = self.file.change(|db| {
            let txn = begin_write(db)?;
            {
                let mut table = txn.open_table(PINS)?;
                match &verifier {
                    Some(verifier) => table.insert(staff, verifier.as_str())?,
                    None => table.remove(staff)?,
                };
            }
            commit(txn, 1)
        })?;
        self.remember(changes, verifier.map(|verifier| KeyRow::Pin { staff, verifier }));
        Ok(())
    }

    /// Compares a PIN with the one on file. Takes about a tenth of a second when there is one.
    pub fn check_pin(&self, staff: u32, pin: Option<&Pin>) -> Result<PinVerdict, StoreError> {
        let verifier = self.file.read(|db| {
            let table = db.begin_read()?.open_table(PINS)?;
            Ok(table.get(staff)?.map(|phc| phc.value().to_owned()))
        })?;
        let Some(verifier) = verifier else { return Ok(PinVerdict::NotSet) };
        let right = pin.is_some_and(|pin| pins::holds(pin, &verifier));
        Ok(if right { PinVerdict::Right } else { PinVerdict::Wrong })
    }

    /// Returns the key that signs Zs, made when first asked for.
    pub fn signing_key(&self) -> Result<SigningKey, StoreError> {
        if let Some(seed) = self.signing_seed()? {
            return match self.settle() {
                // A day may always be closed.
                Err(error) if !error.is_full() => Err(error),
                _ => Ok(SigningKey::from_bytes(&seed)),
            };
        }
        let mut seed = Secret::default();
        (self.chance)(&mut *seed);
        let changes = self.file.change(|db| {
            let txn = begin_write(db)?;
            txn.open_table(SIGNING)?.insert(Z_KEY, *seed)?;
            commit(txn, 1)
        })?;
        self.remember(changes, Some(KeyRow::Signing { seed: *seed }));
        Ok(SigningKey::from_bytes(&seed))
    }

    /// Returns the public key that signs Zs; `None` before the first.
    pub fn public_key(&self) -> Result<Option<[u8; 32]>, StoreError> {
        let seed = self.signing_seed()?;
        Ok(seed.map(|seed| SigningKey::from_bytes(&seed).verifying_key().to_bytes()))
    }

    fn signing_seed(&self) -> Result<Option<Secret>, StoreError> {
        self.file.read(|db| {
            let table = db.begin_read()?.open_table(SIGNING)?;
            Ok(table.get(Z_KEY)?.map(|seed| Zeroizing::new(seed.value())))
        })
    }

    /// Returns which file this is and how far its changes go.
    pub fn stand(&self) -> Result<Stand, StoreError> {
        self.file.read(|db| stand(&db.begin_read()?))
    }

    /// Returns the rows of the changes behind the first `since`, up to `until`; `None` when they are not all at
    /// hand.
    pub fn rows_since(&self, since: u64, until: u64) -> Option<Vec<KeyRow>> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = newest.iter().filter(|(change, _)| (since + 1..=until).contains(change));
        let mut rows: Vec<(u64, KeyRow)> = wanted.cloned().collect();
        rows.sort_unstable_by_key(|(change, _)| *change);
        let is_whole = rows.len() as u64 == until.saturating_sub(since);
        is_whole.then(|| rows.into_iter().map(|(_, row)| row).collect())
    }

    /// Keeps rows at hand whose last one was that change.
    fn remember(&self, last: u64, rows: impl IntoIterator<Item = KeyRow>) {
        let rows: Vec<KeyRow> = rows.into_iter().collect();
        let first = (last + 1).saturating_sub(rows.len() as u64);
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.extend((first..).zip(rows));
        let surplus = newest.len().saturating_sub(AT_HAND);
        newest.drain(..surplus);
    }

    /// Calls `each` with every row, for a backup or the second copy; returns what they are the rows of.
    pub fn rows(
        &self,
        mut each: impl FnMut(KeyRow) -> Result<(), StoreError>,
    ) -> Result<Stand, StoreError> {
        let txn = self.file.read(|db| Ok(db.begin_read()?))?;
        for row in txn.open_table(MEMBER_KEYS)?.iter()? {
            let (code, key) = row?;
            each(KeyRow::Member { code: code.value().to_owned(), key: key.value() })?;
        }
        for row in txn.open_table(PINS)?.iter()? {
            let (staff, verifier) = row?;
            each(KeyRow::Pin { staff: staff.value(), verifier: verifier.value().to_owned() })?;
        }
        for row in txn.open_table(SIGNING)?.iter()? {
            each(KeyRow::Signing { seed: row?.1.value() })?;
        }
        stand(&txn)
    }

    /// Puts the rows in that `bring` hands over, of a backup or of the second copy, in one commit.
    ///
    /// # Errors
    /// Why they could not be brought or written; then none of them is there.
    pub fn restore_rows(
        &self,
        bring: impl FnOnce(&mut TakeRow<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.file.change(|db| {
            let txn = begin_write(db)?;
            let mut added = 0;
            {
                let mut members = txn.open_table(MEMBER_KEYS)?;
                let mut pins = txn.open_table(PINS)?;
                let mut signing = txn.open_table(SIGNING)?;
                bring(&mut |row| {
                    added += 1;
                    match row {
                        KeyRow::Member { code, key } => drop(members.insert(code.as_str(), key)?),
                        KeyRow::Pin { staff, verifier } => {
                            drop(pins.insert(staff, verifier.as_str())?);
                        }
                        KeyRow::Signing { seed } => drop(signing.insert(Z_KEY, seed)?),
                    }
                    Ok(())
                })?;
            }
            commit(txn, added).map(drop)
        })
    }
}

/// Counts a row, and keeps it while there are few.
fn note(rows: &mut Vec<KeyRow>, added: &mut u64, code: &str, key: &Secret) {
    *added += 1;
    if rows.len() < AT_HAND {
        rows.push(KeyRow::Member { code: code.to_owned(), key: **key });
    }
}

fn stand(txn: &ReadTransaction) -> Result<Stand, StoreError> {
    let table = txn.open_table(STAND)?;
    let row = |place: u8| Ok::<_, StoreError>(table.get(place)?.map_or(0, |row| row.value()));
    Ok(Stand { file: row(FILE_ID)?, changes: row(CHANGES)? })
}

/// Commits so many changes, and returns how many that makes in all.
fn commit(txn: WriteTransaction, added: u64) -> Result<u64, StoreError> {
    let changes = {
        let mut table = txn.open_table(STAND)?;
        let changes = table.get(CHANGES)?.map_or(0, |row| row.value()) + added;
        table.insert(CHANGES, changes)?;
        changes
    };
    txn.commit()?;
    Ok(changes)
}

#[cfg(test)]
#[path = "keys_tests.rs"]
pub mod tests;
