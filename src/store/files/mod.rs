//! What a disk can do, and nothing more: the seam between regi and its files.
//!
//! Room: store. May touch: the files it is asked for. May not: retry a sync, guess.
//! Invariant: a write is one call; a short one is an error, never silently continued.

use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub mod apart;
pub mod checked;
pub mod faulty;
mod faulty_bytes;
mod faulty_disk;
pub mod film;
pub mod look;
pub mod plain;
pub mod redb_file;

/// A folder's worth of files: [`plain::PlainFiles`] on a disk, [`faulty::FaultyFiles`] in tests.
pub trait Files: Debug + Send + Sync {
    /// Opens an existing file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Creates a file that must not exist yet. Its name is durable only after `sync_dir`.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Renames within one directory, replacing what bore the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file's name.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Lists the names of the files in `dir`, sorted; empty when there is no such directory.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Makes `dir` and its parents durable directories; no error when they exist.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;
    /// Makes names created, renamed or removed in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Takes the exclusive lock of `path` (created when missing), or `None` when it is held.
    /// The lock ends with the guard, and with the process.
    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn LockGuard>>>;
}

/// One open file. Offsets and lengths are bytes.
pub trait DiskFile: Debug + Send + Sync {
    /// Returns the length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Returns whether the file holds no byte.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|len| len == 0)
    }
    /// Reads up to `out.len()` bytes in one call; 0 at the end.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize>;
    /// Writes in one call and returns how many bytes were taken.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize>;
    /// Cuts the file, or grows it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Takes disk space for `len` bytes, so that they can be given back later.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// Makes data and length durable, in exactly one attempt: after a failed sync the kernel has
    /// marked the pages clean, so a second one would succeed without having written them.
    fn sync_data(&self) -> io::Result<()>;
}

/// Holds a lock until dropped.
pub trait LockGuard: Debug + Send + Sync {}

/// How often a read interrupted by a signal is asked again.
const MAX_INTERRUPTS: u32 = 100;

/// Fills `out` from `offset`, or fails with `UnexpectedEof`.
pub fn read_full(file: &dyn DiskFile, offset: u64, out: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    let mut interrupts = 0;
    while done < out.len() {
        match file.read_at(offset + done as u64, &mut out[done..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => done += n,
            // Nothing was read; ask again.
            Err(e) if e.kind() == ErrorKind::Interrupted && interrupts < MAX_INTERRUPTS => {
                interrupts += 1;
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Reads a whole file into memory. For segments (a month each) and scratch files only.
pub fn read_whole(files: &dyn Files, path: &Path) -> io::Result<Vec<u8>> {
    let file = files.open(path)?;
    let len = usize::try_from(file.len()?).map_err(|_| ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; len];
    read_full(&*file, 0, &mut bytes)?;
    Ok(bytes)
}

/// Writes all of `bytes` in exactly one call; a short write is `WriteZero`, not continued.
pub fn write_once(file: &dyn DiskFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let taken = file.write_at(offset, bytes)?;
    if taken == bytes.len() { Ok(()) } else { Err(ErrorKind::WriteZero.into()) }
}

/// Returns a new durable file with `bytes`, replacing `path` in one step: another name, sync,
/// rename, sync of the directory. A cut leaves the old file or the new one, never a mixture.
pub fn replace_file(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
    let new_path = beside(path, ".new");
    let file = write_fresh(files, &new_path, bytes)?;
    files.rename(&new_path, path)?;
    files.sync_dir(parent(path))?;
    Ok(file)
}

/// Writes and syncs `bytes` under a scratch name, dropping what an earlier cut left there.
pub fn write_fresh(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
    match files.remove(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let file = files.create(path)?;
    write_once(&*file, 0, bytes)?;
    file.sync_data()?;
    Ok(file)
}

/// Returns the path of a file beside `path`, its name lengthened by `suffix`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Returns the directory that holds `path`.
pub fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Returns whether the disk, or the share of it this user may fill, is full.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}
