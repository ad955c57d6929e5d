//! The platter of the faulty layer: what is durable, what only seems to be, and a cut's choice.
//!
//! Room: store. May touch: its own memory. May not: disk, clock; chance comes as a seed.
//! Invariant: after [`Disk::cut`] only bytes that a real disk could have kept are there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::faulty::Keep;
use super::faulty_bytes::Bytes;
use super::parent;

/// The unit a disk writes whole, in bytes.
pub(super) const SECTOR: usize = 512;

/// A seeded die (splitmix64): the same seed throws the same faults.
#[derive(Debug, Clone)]
pub(super) struct Dice(pub u64);

impl Dice {
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns a number in `0..=most`.
    pub fn upto(&mut self, most: usize) -> usize {
        usize::try_from(self.throw() % (most as u64 + 1)).unwrap_or(most)
    }

    pub fn coin(&mut self) -> bool {
        self.throw() & 1 == 1
    }
}

/// One file: what readers see, and what the platter holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Platter {
    pub live: Bytes,
    durable: Bytes,
    /// Sectors written since the last honest sync.
    dirty: BTreeSet<usize>,
    /// Sectors a failed sync gave up: still seen by readers, never written by a later sync.
    lost: BTreeSet<usize>,
}

impl Platter {
    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        let from = offset.min(self.live.len());
        self.live.write(offset, bytes);
        self.soil(from, end);
    }

    pub fn set_len(&mut self, len: usize) {
        let from = len.min(self.live.len());
        let to = len.max(self.live.len());
        self.live.set_len(len);
        self.soil(from, to);
    }

    fn soil(&mut self, from: usize, to: usize) {
        for sector in from / SECTOR..to.div_ceil(SECTOR) {
            self.dirty.insert(sector);
            self.lost.remove(&sector);
        }
    }

    pub fn sync(&mut self) {
        self.dirty.clear();
        if self.lost.is_empty() {
            self.durable = self.live.clone();
            return;
        }
        let mut given_up = std::mem::replace(&mut self.durable, self.live.clone());
        given_up.set_len(self.live.len());
        for sector in &self.lost {
            copy_sector(&given_up, &mut self.durable, *sector);
        }
    }

    pub fn fail_sync(&mut self) {
        self.lost.append(&mut self.dirty);
    }

    /// Whether a cut could take something.
    pub fn is_unsynced(&self) -> bool {
        !self.dirty.is_empty() || !self.lost.is_empty()
    }

    /// Flips one bit on the platter and in every reader's eyes.
    pub fn flip(&mut self, offset: usize, bit: u8) {
        for side in [&mut self.live, &mut self.durable] {
            side.change(offset, |byte| *byte ^= 1 << (bit & 7));
        }
    }

    /// Puts bytes on the platter and in every reader's eyes, as a write that went astray.
    pub fn stray(&mut self, offset: usize, bytes: &[u8]) {
        for side in [&mut self.live, &mut self.durable] {
            let fits = side.len().saturating_sub(offset).min(bytes.len());
            side.write(offset, &bytes[..fits]);
        }
    }

    /// Takes back every sync since `before`: the disk had only pretended.
    pub fn forget_syncs_since(&mut self, before: &Self) {
        let unlike = self.live.differing(&before.durable, SECTOR);
        self.durable = before.durable.clone();
        self.dirty = unlike;
        self.lost.clear();
    }

    fn cut(&mut self, keep: Keep, dice: &mut Dice) {
        let unsynced: Vec<usize> = self.dirty.union(&self.lost).copied().collect();
        let (old, new) = (self.durable.len(), self.live.len());
        let mut kept = self.durable.clone();
        match keep {
            Keep::Nothing => {}
            Keep::Everything => kept = self.live.clone(),
            Keep::Random => {
                let len = match dice.upto(2) {
                    0 => old,
                    1 => new,
                    _ => old.min(new) + dice.upto(old.abs_diff(new)),
                };
                kept.set_len(len);
                for sector in unsynced {
                    if dice.coin() {
                        copy_sector(&self.live, &mut kept, sector);
                    }
                }
            }
            Keep::Torn(block) => {
                let tear = unsynced.first().map_or(new, |first| {
                    let span = new.saturating_sub(first * SECTOR);
                    (first * SECTOR / block + dice.upto(span.div_ceil(block))) * block
                });
                kept.set_len(if dice.coin() { new } else { new.min(tear.max(old)) });
                for sector in unsynced.into_iter().filter(|sector| sector * SECTOR < tear) {
                    copy_sector(&self.live, &mut kept, sector);
                }
            }
        }
        *self = Self { live: kept.clone(), durable: kept, ..Self::default() };
    }
}

fn copy_sector(from: &Bytes, to: &mut Bytes, sector: usize) {
    let start = sector * SECTOR;
    let end = (start + SECTOR).min(from.len()).min(to.len());
    if start < end {
        let mut bytes = [0; SECTOR];
        from.read(start, &mut bytes[..end - start]);
        to.write(start, &bytes[..end - start]);
    }
}

/// A change of names in one directory that no sync has made durable yet.
#[derive(Debug, Clone)]
enum NameChange {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl NameChange {
    fn dir(&self) -> &Path {
        match self {
            Self::Link(path, _) | Self::Unlink(path) | Self::Rename(path, _) => parent(path),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Link(path, file) => {
                names.insert(path.clone(), *file);
            }
            Self::Unlink(path) => {
                names.remove(path);
            }
            Self::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }
}

/// All files, by name; names are durable apart from contents, as on a real file system.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    pub names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    unsynced_names: Vec<NameChange>,
    /// Every change of names there ever was; pictures share it.
    name_changes: Arc<Vec<NameChange>>,
    pub files: Vec<Platter>,
}

impl Disk {
    pub fn link(&mut self, path: &Path) -> usize {
        self.files.push(Platter::default());
        let file = self.files.len() - 1;
        self.change(NameChange::Link(path.into(), file));
        file
    }

    pub fn unlink(&mut self, path: &Path) {
        self.change(NameChange::Unlink(path.into()));
    }

    pub fn rename(&mut self, from: &Path, to: &Path) {
        self.change(NameChange::Rename(from.into(), to.into()));
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        Arc::make_mut(&mut self.name_changes).push(change.clone());
        self.unsynced_names.push(change);
    }

    pub fn sync_dir(&mut self, dir: &Path) {
        let waiting = std::mem::take(&mut self.unsynced_names);
        for change in waiting {
            if change.dir() == dir {
                change.apply(&mut self.durable_names);
            } else {
                self.unsynced_names.push(change);
            }
        }
    }

    /// Whether a cut could take something.
    pub fn is_unsynced(&self) -> bool {
        !self.unsynced_names.is_empty() || self.files.iter().any(Platter::is_unsynced)
    }

    /// Takes back what the syncs of files did since `before`; names stay.
    pub fn forget_syncs_since(&mut self, before: &Self) {
        let none = Platter::default();
        for (at, file) in self.files.iter_mut().enumerate() {
            file.forget_syncs_since(before.files.get(at).unwrap_or(&none));
        }
    }

    /// Takes back what the syncs of folders did since `before`: names are as durable as they were then.
    pub fn forget_name_syncs_since(&mut self, before: &Self) {
        let since = self.name_changes[before.name_changes.len()..].iter();
        self.unsynced_names = before.unsynced_names.iter().chain(since).cloned().collect();
        self.durable_names.clone_from(&before.durable_names);
    }

    /// Returns the bytes that all named files take.
    pub fn used(&self) -> u64 {
        self.names.values().map(|&file| self.files[file].live.room()).sum()
    }

    /// Loses power: contents by `keep`; of the changes of names the first few survive, in order,
    /// as a journaling file system keeps them.
    pub fn cut(&mut self, keep: Keep, dice: &mut Dice) {
        let waiting = std::mem::take(&mut self.unsynced_names);
        let survive = match keep {
            Keep::Nothing => 0,
            Keep::Everything => waiting.len(),
            Keep::Random | Keep::Torn(_) => dice.upto(waiting.len()),
        };
        for change in &waiting[..survive] {
            change.apply(&mut self.durable_names);
        }
        self.names.clone_from(&self.durable_names);
        for file in &mut self.files {
            file.cut(keep, dice);
        }
    }
}
