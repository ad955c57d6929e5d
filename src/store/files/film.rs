//! Pictures of a faulty disk, one after every change: each is a moment at which power can fail.
//!
//! Room: store. May touch: its own memory. May not: disk, clock.
//! Invariant: a picture shares what did not change with its neighbours, and is never changed itself.

use super::faulty::FaultyFiles;
use super::faulty_disk::Disk;

/// The disk just after one change.
#[derive(Debug, Clone)]
pub struct Frame {
    disk: Disk,
    mark: u64,
    /// Syncs asked for before this moment.
    syncs: u64,
}

impl Frame {
    pub(super) fn new(disk: Disk, mark: u64, syncs: u64) -> Self {
        Self { disk, mark, syncs }
    }

    /// What had been acknowledged, as [`FaultyFiles::mark`] was told.
    pub fn mark(&self) -> u64 {
        self.mark
    }

    /// Whether a cut could take something; if not, every cut leaves the same.
    pub fn is_unsynced(&self) -> bool {
        self.disk.is_unsynced()
    }

    /// Returns a disk as it was at this moment, before the power fails.
    pub fn disk(&self) -> FaultyFiles {
        FaultyFiles::over(self.disk.clone())
    }
}

/// Of what a disk only pretended that it was durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lied {
    Bytes,
    /// Files that were made, renamed or removed since, too; of these changes the first few survive.
    BytesAndNames,
}

/// A stretch of a disk's life.
#[derive(Debug, Clone, Default)]
pub struct Film(Vec<Frame>);

impl Film {
    pub(super) fn of(frames: Vec<Frame>) -> Self {
        Self(frames)
    }

    pub fn frames(&self) -> &[Frame] {
        &self.0
    }

    /// Returns a disk as it was at frame `at`, had it only pretended its last `flushes` syncs: what was
    /// written since is still in its cache, to survive or not in any order.
    pub fn lied(&self, at: usize, flushes: u64, of: Lied) -> FaultyFiles {
        let frame = &self.0[at];
        let first = frame.syncs.saturating_sub(flushes);
        let before = self.0[..=at].iter().rev().find(|earlier| earlier.syncs <= first);
        let before = &before.unwrap_or(&self.0[0]).disk;
        let mut disk = frame.disk.clone();
        disk.forget_syncs_since(before);
        if of == Lied::BytesAndNames {
            disk.forget_name_syncs_since(before);
        }
        FaultyFiles::over(disk)
    }
}
