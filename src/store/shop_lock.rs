//! One register at a time on a shop's folder.
//!
//! Room: store. May touch: the lock file. May not: wait, break a lock.
//! Invariant: whoever holds a [`ShopLock`] is the only one to open journal and store.

use std::io;
use std::path::Path;

use super::files::{Files, LockGuard, read_whole, write_once};

/// The lock file's name in the journal's folder.
pub const LOCK_NAME: &str = "lock";

/// Why the shop is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another register runs here; its process id where it can be read.
    #[error("held by process {pid:?}")]
    Held { pid: Option<u32> },
    #[error("locking the shop: {0}")]
    Io(#[from] io::Error),
}

/// The shop is ours until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct ShopLock(#[expect(dead_code, reason = "held, not used")] Box<dyn LockGuard>);

impl ShopLock {
    /// Takes the shop in `shop_dir`, whose folders are made where they are not there yet.
    pub fn take(files: &dyn Files, shop_dir: &Path, pid: u32) -> Result<Self, LockError> {
        let journal = shop_dir.join("journal");
        files.make_dir(shop_dir)?;
        files.make_dir(&journal)?;
        Self::acquire(files, &journal.join(LOCK_NAME), pid)
    }

    /// Takes the lock at `path` in a folder that exists, at once or not at all, and leaves `pid`
    /// in the file for whoever comes second.
    pub fn acquire(files: &dyn Files, path: &Path, pid: u32) -> Result<Self, LockError> {
        let Some(guard) = files.try_lock(path)? else {
            return Err(LockError::Held { pid: read_pid(files, path) });
        };
        // Ten digits and a line end: a shorter number never leaves the end of a longer one.
        write_once(&*files.open(path)?, 0, format!("{pid:>10}\n").as_bytes())?;
        Ok(Self(guard))
    }
}

/// Returns the process id that the holder of the lock has left, if it can be read.
pub fn read_pid(files: &dyn Files, path: &Path) -> Option<u32> {
    let bytes = read_whole(files, path).ok()?;
    std::str::from_utf8(&bytes).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::files::faulty::FaultyFiles;
    use crate::store::files::plain::PlainFiles;

    fn second_is_refused(files: &dyn Files, path: &Path) {
        let first = ShopLock::acquire(files, path, 4_294_967_295).unwrap();
        let refused = ShopLock::acquire(files, path, 2).unwrap_err();
        assert!(matches!(refused, LockError::Held { pid: Some(4_294_967_295) }), "{refused}");
        drop(first);
        let _second = ShopLock::acquire(files, path, 2).unwrap();
        assert_eq!(read_pid(files, path), Some(2));
    }

    #[test]
    fn a_second_register_is_refused_with_the_first_ones_pid() {
        second_is_refused(&FaultyFiles::new(), Path::new("/lock"));
        let dir = tempfile::tempdir().unwrap();
        second_is_refused(&PlainFiles, &dir.path().join(LOCK_NAME));
    }
}
