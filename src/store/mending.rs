//! Making the store anew beside a register at work, after its disk had failed or lied.
//!
//! Room: store. May touch: `store.redb`; the journal, to read. May not: fold what is not synced.
//! Invariant: nothing of the old file is believed that was not checked; the journal gives the rest.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use redb::Database;

use super::fault::StoreError;
use super::folding::Folder;
use super::history::History;
use super::journal_thread::JournalHandle;
use super::keys::Keys;
use super::lanes::Folded;
use super::opening::Checkpoint;
use super::projections;
use super::reader::{Reader, Verdict};
use super::segment::{Month, Place};
use super::shelf::Shelf;

/// What of the old file may be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The disk failed a call: what is on it may be whole.
    WhatIsWhole,
    /// A row was not what was folded: begin again.
    Nothing,
}

impl Trust {
    pub fn after(error: &StoreError) -> Self {
        match error {
            StoreError::Projections(_) => Self::WhatIsWhole,
            _ => Self::Nothing,
        }
    }
}

/// What it takes.
pub struct Mending {
    pub history: History,
    pub path: PathBuf,
    pub lane: u8,
    pub epoch: u16,
    pub keys: Arc<Keys>,
    pub journal: JournalHandle,
    pub shelf: Arc<Shelf>,
}

impl Mending {
    /// Opens the old file or makes a new one, folds what it lacks and puts it on the shelf. On a full
    /// disk the reserve is given for it.
    pub fn mend(&self, trust: Trust) -> Result<Folder, StoreError> {
        match self.mend_once(trust) {
            Err(error) if error.is_full() && self.journal.release_reserve() => {
                self.mend_once(trust)
            }
            mended => mended,
        }
    }

    fn mend_once(&self, trust: Trust) -> Result<Folder, StoreError> {
        let files = &*self.history.files;
        let stored = match trust {
            Trust::WhatIsWhole => projections::open_whole(files, &self.path),
            Trust::Nothing => None,
        };
        let follows = |db: &Database| {
            agrees(self.journal.reader(), projections::witnessed(db, self.lane), self.epoch)
        };
        if let Some(db) = stored.filter(follows)
            && let Ok(folder) = self.caught_up(db)
        {
            return Ok(folder);
        }
        self.caught_up(projections::create(files, &self.path)?)
    }

    fn caught_up(&self, db: Database) -> Result<Folder, StoreError> {
        let db = Arc::new(db);
        let until = self.synced()?;
        let (keys, history) = (&self.keys, &self.history);
        let folder = projections::fold_until(&db, keys, history, Some(&until), &mut |_, _| {})?;
        self.shelf.put(db);
        Ok(folder)
    }

    /// Up to where each lane may be folded: the own one to its last synced entry, others to their end.
    fn synced(&self) -> Result<BTreeMap<u8, Folded>, StoreError> {
        let head = self.journal.reader().head();
        let place = Place { month: Month::FIRST, part: 1 };
        let at = |epoch| Folded::at(epoch, &Checkpoint { place, offset: 0, head });
        let lanes = self.history.journals()?.into_iter().map(|(lane, _)| lane);
        let mut until: BTreeMap<u8, Folded> = lanes.map(|lane| (lane, at(u16::MAX))).collect();
        until.insert(self.lane, at(self.epoch));
        Ok(until)
    }
}

/// Returns whether the store was folded from this journal and no other.
pub(super) fn agrees(reader: &Reader, folded: Option<Folded>, epoch: u16) -> bool {
    match folded {
        Some(last) if last.epoch == epoch => {
            matches!(reader.check(last.head()), Ok(Verdict::Agrees))
        }
        Some(last) => last.epoch < epoch,
        None => true,
    }
}
