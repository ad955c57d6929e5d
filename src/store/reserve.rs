//! Disk space kept back, so that a full disk still lets the open sale and the Z finish.
//!
//! Room: store. May touch: its one file. May not: hold data.
//! Invariant: given back whole, in one step, and taken again only when asked.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::files::{Files, beside, parent};

/// The reserve a shop starts with, in bytes.
pub const DEFAULT_RESERVE: u64 = 64 * 1024 * 1024;

/// A file that holds nothing but its place on the disk.
#[derive(Debug)]
pub struct Reserve {
    path: PathBuf,
    bytes: u64,
    held: bool,
}

impl Reserve {
    /// Describes a reserve that is not taken yet; of 0 bytes there is never one.
    pub fn new(path: &Path, bytes: u64) -> Self {
        Self { path: path.into(), bytes, held: false }
    }

    /// Returns whether the space is kept back now.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Returns whether space should be kept back and is not: the disk is full.
    pub fn is_lacking(&self) -> bool {
        self.bytes > 0 && !self.held
    }

    /// Takes the space, unless it is held already.
    pub fn take(&mut self, files: &dyn Files) -> io::Result<()> {
        if self.bytes == 0 || self.held {
            return Ok(());
        }
        if files.open(&self.path).and_then(|file| file.len()).is_ok_and(|len| len >= self.bytes) {
            self.held = true;
            return Ok(());
        }
        let scratch = beside(&self.path, ".new");
        let taken = self.fill(files, &scratch);
        if taken.is_err() {
            let _ = files.remove(&scratch); // Half a reserve only makes the disk fuller.
        }
        self.held = taken.is_ok();
        taken
    }

    fn fill(&self, files: &dyn Files, scratch: &Path) -> io::Result<()> {
        match files.remove(scratch) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let file = files.create(scratch)?;
        file.allocate(self.bytes)?;
        file.sync_data()?;
        files.rename(scratch, &self.path)?;
        files.sync_dir(parent(&self.path))
    }

    /// Gives the space back; returns whether there was any to give.
    pub fn release(&mut self, files: &dyn Files) -> bool {
        std::mem::take(&mut self.held) && give_back(files, &self.path)
    }
}

/// Gives the space of a reserve's file back, whoever took it; returns whether there was any to give.
pub fn give_back(files: &dyn Files, path: &Path) -> bool {
    let given = files.remove(path).is_ok();
    if given {
        // Only the space matters, not when the name goes: no harm if this one fails.
        let _ = files.sync_dir(parent(path));
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::files::faulty::FaultyFiles;

    #[test]
    fn a_reserve_takes_its_space_once_and_gives_it_back_whole() {
        let disk = FaultyFiles::new();
        let path = Path::new("/journal/reserve");
        let mut reserve = Reserve::new(path, 8192);
        reserve.take(&disk).unwrap();
        reserve.take(&disk).unwrap();
        assert_eq!((disk.used(), reserve.is_held()), (8192, true));
        let mut again = Reserve::new(path, 8192);
        again.take(&disk).unwrap();
        assert_eq!(disk.used(), 8192, "a restart finds the one that is there");
        assert!(again.release(&disk));
        assert!(!again.release(&disk));
        assert_eq!(disk.used(), 0);
    }

    #[test]
    fn a_disk_too_full_for_the_reserve_is_left_as_it_was() {
        let disk = FaultyFiles::new();
        disk.set_capacity(500);
        let mut reserve = Reserve::new(Path::new("/journal/reserve"), 8192);
        assert!(reserve.take(&disk).is_err());
        assert_eq!((disk.used(), reserve.is_held()), (0, false));
    }
}
