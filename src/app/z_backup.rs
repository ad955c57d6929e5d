//! The backup of a Z: written and read back at once, then brought back on trial beside the counter.
//!
//! Room: app. May touch: `backup/` of the shop's folder; one thread a backup.
//! Invariant: a backup whose trial failed is not left under a name that is offered for a restore.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};

use super::aside::yield_to_the_counter;
use super::books::Books;
use super::disk_room::DiskRoom;
use super::holding::FOLDER;
use super::opening::kernel_chance;
use super::upkeep::back_up;
use crate::domain::lane::LaneState;
use crate::store::backup::Manifest;
use crate::store::chain::Head;
use crate::store::drill::Drill;
use crate::store::fault::StoreError;
use crate::store::files::Files;
use crate::store::files::plain::PlainFiles;

/// Backups kept beside the shop; older ones give way.
const BACKUPS_KEPT: usize = 14;

/// Where backups are brought back on trial, each in a folder of its own. That holds keys: it goes when
/// the trial ends, and at a start when that was cut off.
const TRIALS: &str = "backup/trial";

/// A trial is left out when less than so many times the backup's size would be free: selling needs it.
const ROOM: u64 = 3;

/// The backup of a Z, on its own thread.
pub struct ZBackup {
    written: Receiver<Result<Manifest, StoreError>>,
    trial: Trial,
}

/// What comes of bringing it back.
pub struct Trial {
    /// The name of the backup.
    pub name: String,
    ended: Receiver<Result<u64, StoreError>>,
}

impl ZBackup {
    /// Begins writing `backup/NAME.regi`; `lane` is the register after the Z, whose entry is `at`.
    pub fn begin(books: &Arc<Books>, name: &str, lane: LaneState, at: Head) -> Option<Self> {
        let (tell_written, written) = bounded(1);
        let (tell_ended, ended) = bounded(1);
        let (books, name) = (Arc::clone(books), name.to_owned());
        let trial = Trial { name: name.clone(), ended };
        let work = move || {
            let folder = books.dir().join(FOLDER);
            let path = folder.join(format!("{name}.regi"));
            let made = write(&books, &folder, &path);
            let is_made = made.is_ok();
            let _ = tell_written.send(made); // The register has left.
            let dir = books.dir().to_owned();
            drop(books); // From here on the shop may be closed.
            if is_made {
                yield_to_the_counter();
                let _ = tell_ended.send(tried(&dir, &path, &lane, at)); // As above.
            }
        };
        let thread = std::thread::Builder::new().name("backup".to_owned()).spawn(work);
        thread.ok().map(|_| Self { written, trial })
    }

    pub fn is_written(&self) -> bool {
        !self.written.is_empty()
    }

    /// Waits until it is written; its trial goes on.
    ///
    /// # Errors
    /// Why there is no backup of this Z.
    pub fn end(self) -> Result<(Manifest, Trial), StoreError> {
        let written = self.written.recv();
        let manifest = written.map_err(|_| StoreError::Backup("its thread died"))??;
        Ok((manifest, self.trial))
    }
}

impl Trial {
    pub fn is_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Waits for its end, and returns how many entries came back.
    ///
    /// # Errors
    /// Why it did not come back as the shop that it was made of.
    pub fn end(self) -> Result<u64, StoreError> {
        self.ended.recv().unwrap_or(Err(StoreError::Backup("its thread died")))
    }
}

fn write(books: &Books, folder: &Path, path: &Path) -> Result<Manifest, StoreError> {
    std::fs::create_dir_all(folder)?;
    let manifest = back_up(books, path)?;
    // One too many kept is no harm.
    let _ = drop_oldest(folder);
    Ok(manifest)
}

fn tried(dir: &Path, backup: &Path, lane: &LaneState, at: Head) -> Result<u64, StoreError> {
    if DiskRoom::of(dir)?.free < std::fs::metadata(backup)?.len() * ROOM {
        return Err(StoreError::Backup("too little room on the disk for a trial"));
    }
    let files: Arc<dyn Files> = Arc::new(PlainFiles);
    let scratch = dir.join(TRIALS).join(backup.file_stem().unwrap_or_default());
    std::fs::create_dir_all(&scratch)?;
    let (chance, pid) = (kernel_chance(), std::process::id());
    let drill = Drill { files: &files, backup, scratch: &scratch, chance, pid };
    let came_back = drill.run(lane, at, &mut |_, _| {});
    std::fs::remove_dir_all(&scratch)?;
    // Another trial may be under way there.
    let _ = std::fs::remove_dir(dir.join(TRIALS));
    if came_back.as_ref().is_err_and(|error| !error.is_full()) {
        std::fs::rename(backup, backup.with_extension("failed"))?;
    }
    came_back
}

/// Removes what trials left that were cut off. What cannot be removed is in the way of the next one,
/// which says so.
pub fn clear_trials(dir: &Path) {
    let _ = std::fs::remove_dir_all(dir.join(TRIALS));
}

fn drop_oldest(folder: &Path) -> std::io::Result<()> {
    let mut backups: Vec<(std::time::SystemTime, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|ending| ending == "regi") {
            backups.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    backups.sort();
    let many = backups.len().saturating_sub(BACKUPS_KEPT);
    backups.iter().take(many).try_for_each(|(_, path)| std::fs::remove_file(path))
}
