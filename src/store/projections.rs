//! Opening the store's tables in a guarded step, and making them anew from the journal.
//!
//! Room: store. May touch: `store.redb`. May not: trust what it finds there.
//! Invariant: a damaged, missing or older file costs a rebuild and never a start.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadableDatabase, ReadableTableMetadata};

use super::ahead;
use super::fault::StoreError;
use super::files::checked::{self, CheckedFile};
use super::files::{Files, beside, parent, redb_file};
use super::folding::{Folder, prepare};
use super::history::{History, each_batch};
use super::keys::Keys;
use super::lanes::{self, Folded};
use super::mending::agrees;
use super::opening::Known;
use super::tables::{CACHE_BYTES, ERASED, copy_all};

/// The file's name in the shop folder.
pub const STORE_NAME: &str = "store.redb";

/// Entries folded in one transaction while rebuilding: each commit writes the pages of every index that it
/// touched, so that four times as many entries a commit prove five years in three quarters of the time.
const AT_ONCE: usize = 2048;

/// Opens the store; `None` when it is missing, damaged or of another version. What is damaged deeper
/// down says so when it is read.
pub fn open(files: &dyn Files, path: &Path) -> Option<Database> {
    opened(checked::open(files, path).ok()?)
}

/// Opens the store if every byte of it is what was written.
pub fn open_whole(files: &dyn Files, path: &Path) -> Option<Database> {
    let file = checked::open(files, path).ok()?;
    file.check_all().ok()?;
    opened(file)
}

fn opened(file: Arc<CheckedFile>) -> Option<Database> {
    // redb may panic on a file that is not what it wrote.
    catch_unwind(AssertUnwindSafe(|| {
        let db = redb_file::open(file, CACHE_BYTES).ok()?;
        let txn = db.begin_read().ok()?;
        let current = lanes::is_current(&txn).unwrap_or(false)
            && ahead::is_ahead(&txn).is_ok_and(|is_ahead| !is_ahead)
            && lanes::states(&txn).is_ok()
            && lanes::settings(&txn).is_ok();
        drop(txn);
        current.then_some(db)
    }))
    .ok()
    .flatten()
}

/// Makes an empty store in the place of whatever was there.
pub fn create(files: &dyn Files, path: &Path) -> Result<Database, StoreError> {
    match files.remove(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let file = checked::create(files, path)?;
    let db = redb_file::open(file, CACHE_BYTES)?;
    prepare(&db)?;
    Ok(db)
}

/// Writes the store anew when a member was erased from it: redb leaves removed bytes in free pages.
/// Returns the new store; the old one is no longer in the folder.
pub fn without_erased(
    files: &dyn Files,
    path: &Path,
    db: &Database,
) -> Result<Option<Database>, StoreError> {
    if db.begin_read()?.open_table(ERASED)?.is_empty()? {
        return Ok(None);
    }
    let new_path = beside(path, ".new");
    let fresh = create(files, &new_path)?;
    let mut txn = fresh.begin_write()?;
    txn.set_quick_repair(true);
    copy_all(db, &txn)?;
    txn.commit()?;
    files.rename(&new_path, path)?;
    files.sync_dir(parent(path))?;
    Ok(Some(fresh))
}

/// Says how far a long fold has come: entries done, and in all.
pub type Watch<'a> = &'a mut dyn FnMut(u64, u64);

/// Folds everything that the journals hold and the store does not. What the folder has not made
/// durable yet, it does when it is quiet.
///
/// # Errors
/// The first entry that cannot be read or does not fit; what stands before it is folded.
pub fn catch_up(
    db: &Arc<Database>,
    keys: &Arc<Keys>,
    history: &History,
    watch: Watch<'_>,
) -> Result<Folder, StoreError> {
    fold_until(db, keys, history, None, watch)
}

/// Folds as `catch_up` does, and no further than these places of the lanes, where there are any.
///
/// # Errors
/// As those of `catch_up`.
pub fn fold_until(
    db: &Arc<Database>,
    keys: &Arc<Keys>,
    history: &History,
    until: Option<&BTreeMap<u8, Folded>>,
    watch: Watch<'_>,
) -> Result<Folder, StoreError> {
    let mut folder = Folder::open(db.clone(), keys.clone(), Box::new(history.clone()))?;
    for (lane, epoch) in history.journals()? {
        let last = folder.folded(lane);
        let epoch_place = u16::from(epoch.place());
        if last.is_some_and(|last| last.epoch > epoch_place) {
            continue;
        }
        let last = last.filter(|last| last.epoch == epoch_place);
        let most = until.map_or(u64::MAX, |until| match until.get(&lane) {
            Some(place) if place.epoch > epoch_place => u64::MAX,
            Some(place) if place.epoch == epoch_place => place.seq,
            _ => 0,
        });
        // A start reads what is new, not the month.
        let known = Known { checkpoint: last.and_then(|last| last.checkpoint()), witness: None };
        let (reader, _) = history.open(lane, epoch, known)?;
        if !agrees(&reader, last, epoch_place) {
            continue; // What the store knows otherwise it does not forget: the verifier hears it.
        }
        let from = last.map_or(1, |last| last.seq + 1);
        let total = reader.head().seq.min(most);
        each_batch(&reader, from, AT_ONCE, |steps| {
            let steps = &steps[..steps.partition_point(|step| step.place.seq <= most)];
            if steps.is_empty() {
                return Ok(());
            }
            folder.fold(steps)?;
            watch(steps.last().map_or(0, |step| step.place.seq), total);
            Ok(())
        })?;
    }
    Ok(folder)
}

/// Returns the place of a lane's journal that the store has witnessed.
pub fn witnessed(db: &Database, lane: u8) -> Option<Folded> {
    let txn = db.begin_read().ok()?;
    lanes::folded(&txn).ok()?.remove(&lane)
}
