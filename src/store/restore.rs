//! Bringing a backup back, all of it or nothing.
//!
//! Room: store. May touch: the shop folder.
//! Invariant: everything is written and synced under other names first; then one marker says "go", and
//! whoever opens the folder next finishes what a cut interrupted. Members erased since the backup stay
//! erased.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backup::{
    BackedHead, KEYS_PART, Manifest, SHOP_TOML, check, each_key_row, remove_if_there, unpack_part,
};
use super::chain::Epoch;
use super::fault::StoreError;
use super::files::{Files, read_whole, replace_file, write_fresh};
use super::history::{History, each_batch};
use super::key_file::NEW;
use super::keys::{Chance, KeyRow, Keys, TakeRow};
use super::projections::STORE_NAME;
use super::segment::SegmentName;
use super::shop::{CART_NAME, KEYS_NAME};
use super::shop_lock::ShopLock;
use crate::domain::entry::Kind;
use crate::domain::member::Sealed;

/// Its presence means: the waiting files are whole and take their places. It lists the parts.
const MARKER: &str = "restore.go";
const WAITING: &str = ".restored";
/// Its presence means: this journal was brought back and may not be the newest, so the next entry
/// begins a new epoch. It lists the journals that were brought (`lane epoch`, and the last entry known
/// of where one is missing), comes with them and goes with that entry.
pub(super) const EPOCH_DUE: &str = "epoch.due";

/// Whether a journal that knows more than the backup may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverNewer {
    Refuse,
    /// Staff was told what is lost, and said yes.
    Replace,
}

/// What a restore has to know.
pub struct Restore<'a> {
    pub files: &'a Arc<dyn Files>,
    pub backup: &'a Path,
    pub shop_dir: &'a Path,
    pub chance: Chance,
    pub over_newer: OverNewer,
    /// Left in the lock for whoever comes second.
    pub pid: u32,
}

impl Restore<'_> {
    /// Restores and returns what was in the backup. The shop must not be open. The journal then
    /// goes on in a new epoch: see `ShopPlace::begin_epoch`.
    ///
    /// # Errors
    /// `Busy` when a register has the folder; `Backup` when it is damaged, or when the folder's journal
    /// knows more than it.
    pub fn run(&self) -> Result<Manifest, StoreError> {
        let manifest = check(&**self.files, self.backup)?;
        let _lock = ShopLock::take(&**self.files, self.shop_dir, self.pid)?;
        finish_interrupted(&**self.files, self.shop_dir)?;
        let history = History::new(self.files.clone(), self.shop_dir);
        let erased = if self.over_newer == OverNewer::Refuse {
            refuse_newer(&history, &manifest.heads)?;
            erased_codes(&history)?
        } else {
            erased_codes(&history).unwrap_or_default() // A damaged journal is why we are here.
        };
        self.lay_out(&history, &manifest, &erased)?;
        let names: Vec<_> = manifest.parts.iter().map(|part| part.name.as_str()).collect();
        // Whole from its first moment: what it does not name is removed.
        replace_file(&**self.files, &self.shop_dir.join(MARKER), names.join("\n").as_bytes())?;
        finish_interrupted(&**self.files, self.shop_dir)?;
        Ok(manifest)
    }

    /// Writes every part under its waiting name.
    fn lay_out(
        &self,
        history: &History,
        manifest: &Manifest,
        erased: &HashSet<String>,
    ) -> Result<(), StoreError> {
        let (files, dir) = (&**self.files, self.shop_dir);
        files.make_dir(dir)?;
        files.make_dir(&history.dir)?;
        let newest: Vec<_> =
            manifest.heads.iter().map(|head| format!("{} {}", head.lane, head.epoch)).collect();
        let due = waiting(&dir.join(EPOCH_DUE));
        write_fresh(files, &due, newest.join("\n").as_bytes())?;
        let backup = files.open(self.backup)?;
        for part in &manifest.parts {
            match part.name.as_str() {
                KEYS_PART => {
                    let path = waiting(&dir.join(KEYS_NAME));
                    lay_out_keys(self.files, &path, erased, self.chance.clone(), |put| {
                        each_key_row(&*backup, part, put)
                    })?;
                }
                SHOP_TOML => unpack_part(files, &*backup, part, &waiting(&dir.join(SHOP_TOML)))?,
                name => {
                    // A name from outside never leaves the folder.
                    let segment = SegmentName::parse(name)
                        .ok_or(StoreError::Backup("a part of an unknown name"))?;
                    let path = waiting(&history.dir.join(segment.to_string()));
                    unpack_part(files, &*backup, part, &path)?;
                }
            }
        }
        files.sync_dir(&history.dir)?;
        Ok(files.sync_dir(dir)?)
    }
}

/// Writes the keys that `bring` hands over into a new file, those of erased members left out.
pub(super) fn lay_out_keys(
    files: &Arc<dyn Files>,
    path: &Path,
    erased: &HashSet<String>,
    chance: Chance,
    bring: impl FnOnce(&mut TakeRow<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    remove_if_there(&**files, path)?;
    let keys = Keys::open(files.clone(), path, chance)?;
    keys.restore_rows(|put| {
        bring(&mut |row| match &row {
            KeyRow::Member { code, .. } if erased.contains(code) => Ok(()),
            _ => put(row),
        })
    })?;
    keys.close()
}

/// Brings only the keys back, in one step; the journal stays as it is. What was keyed since the backup
/// (new members, changed PINs) is not in it.
///
/// # Errors
/// `Backup` when it is damaged or has no keys; then nothing changed.
pub fn keys_from_backup(
    files: &Arc<dyn Files>,
    backup: &Path,
    shop_dir: &Path,
    chance: Chance,
) -> Result<(), StoreError> {
    let manifest = check(&**files, backup)?;
    let part = manifest.parts.iter().find(|part| part.name == KEYS_PART);
    let part = part.ok_or(StoreError::Backup("it has no keys"))?;
    let file = files.open(backup)?;
    let erased = erased_codes(&History::new(files.clone(), shop_dir))?;
    let path = shop_dir.join(KEYS_NAME);
    let bring = |put: &mut TakeRow<'_>| each_key_row(&*file, part, put);
    lay_out_keys(files, &waiting(&path), &erased, chance, bring)?;
    files.rename(&waiting(&path), &path)?;
    Ok(files.sync_dir(shop_dir)?)
}

/// An epoch to be begun: which one it follows, and the last entry known of, when that is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub epoch: Epoch,
    pub last_known: Option<u64>,
}

/// Returns after which epoch `lane` must begin another, if it was brought back or repaired.
pub(super) fn due_of(
    files: &dyn Files,
    shop_dir: &Path,
    lane: u8,
) -> Result<Option<Due>, StoreError> {
    if !files.list(shop_dir)?.iter().any(|name| name == EPOCH_DUE) {
        return Ok(None);
    }
    let brought = read_whole(files, &shop_dir.join(EPOCH_DUE))?;
    let brought = String::from_utf8_lossy(&brought);
    let own = brought.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (of, epoch) = (words.next()?, words.next()?);
        let epoch = Epoch::new(epoch.parse().ok()?)?;
        let last_known = words.next().and_then(|seq| seq.parse().ok());
        (of.parse() == Ok(lane)).then_some(Due { epoch, last_known })
    });
    Ok(own.max_by_key(|due| due.epoch))
}

pub(super) fn waiting(path: &Path) -> PathBuf {
    super::files::beside(path, WAITING)
}

/// Finishes a restore that a cut interrupted; without a marker, clears away what never counted.
/// Every step may be done twice.
pub fn finish_interrupted(files: &dyn Files, shop_dir: &Path) -> Result<(), StoreError> {
    let journal = shop_dir.join("journal");
    let go = files.list(shop_dir)?.iter().any(|name| name == MARKER);
    if go {
        // What the store and the cart knew belongs to the journal that goes.
        remove_if_there(files, &shop_dir.join(STORE_NAME))?;
        remove_if_there(files, &shop_dir.join(CART_NAME))?;
        remove_replaced(files, &journal, &read_whole(files, &shop_dir.join(MARKER))?)?;
    }
    for dir in [journal.as_path(), shop_dir] {
        settle_waiting(files, dir, go)?;
    }
    drop_half_written(files, shop_dir)?;
    if go {
        files.remove(&shop_dir.join(MARKER))?;
        files.sync_dir(shop_dir)?;
    }
    Ok(())
}

fn settle_waiting(files: &dyn Files, dir: &Path, go: bool) -> Result<(), StoreError> {
    let names = files.list(dir)?;
    let mut waiting = names.iter().filter(|name| name.ends_with(WAITING)).peekable();
    if waiting.peek().is_none() {
        return Ok(());
    }
    for name in waiting {
        match name.strip_suffix(WAITING) {
            Some(place) if go => files.rename(&dir.join(name), &dir.join(place))?,
            _ => files.remove(&dir.join(name))?,
        }
    }
    Ok(files.sync_dir(dir)?)
}

/// Removes key files that were being written anew: keys of members who were erased since may be in them.
fn drop_half_written(files: &dyn Files, shop_dir: &Path) -> Result<(), StoreError> {
    let names = files.list(shop_dir)?.into_iter();
    for name in names.filter(|name| name.starts_with(KEYS_NAME) && name.ends_with(NEW)) {
        files.remove(&shop_dir.join(name))?;
    }
    Ok(())
}

/// Removes segments that the backup does not bring: they would continue another history.
fn remove_replaced(files: &dyn Files, journal: &Path, parts: &[u8]) -> Result<(), StoreError> {
    let brought: HashSet<&[u8]> = parts.split(|byte| *byte == b'\n').collect();
    for name in files.list(journal)? {
        if SegmentName::parse(&name).is_some() && !brought.contains(name.as_bytes()) {
            files.remove(&journal.join(name))?;
        }
    }
    Ok(files.sync_dir(journal)?)
}

fn refuse_newer(history: &History, heads: &[BackedHead]) -> Result<(), StoreError> {
    for (lane, epoch) in history.journals()? {
        let own = history.reader(lane, epoch)?.head();
        let backed = heads.iter().find(|head| (head.lane, head.epoch) == (lane, epoch.place()));
        if own.seq > backed.map_or(0, |head| head.seq) {
            return Err(StoreError::Backup("the journal here knows more than the backup"));
        }
    }
    Ok(())
}

/// Returns the codes of members that the journals here have erased.
pub(super) fn erased_codes(history: &History) -> Result<HashSet<String>, StoreError> {
    let mut codes = HashSet::new();
    for (lane, epoch) in history.journals()? {
        each_batch(&history.reader(lane, epoch)?, 1, 256, |steps| {
            for step in steps {
                if let Kind::MemberSet(card) = &step.entry.kind
                    && card.personal == Sealed::Erased
                {
                    codes.insert(card.code.clone());
                }
            }
            Ok(())
        })?;
    }
    Ok(codes)
}
