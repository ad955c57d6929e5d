//! A backup in one file: the journals as they stand, the keys, `shop.toml`.
//!
//! Room: store. May touch: the shop folder and the backup's file.
//! Invariant: a backup bears its name only once it was written, synced, read back and found right. A
//! restore changes nothing before everything it brings is on the disk.
//!
//! ```text
//! "regi-bak" · parts, one behind the other · manifest · u64 LE its offset · u32 LE its length ·
//! SHA-256 of it · "regi-end"
//! ```

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::codec;
use super::fault::StoreError;
use super::files::{DiskFile, Files, beside, parent, read_full, write_once};
use super::history::History;
use super::keys::{KeyRow, Keys, TakeRow};
use super::opening::Known;

const MAGIC: &[u8; 8] = b"regi-bak";
const END: &[u8; 8] = b"regi-end";
const TRAILER: u64 = 8 + 4 + 32 + 8;
/// Bytes copied at a time.
const CHUNK: usize = 256 * 1024;
/// The part that holds the keys, row by row: u32 LE length, packed row.
pub const KEYS_PART: &str = "keys";
/// The lane's own settings file, where there is one.
pub const SHOP_TOML: &str = "shop.toml";

/// One part of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// A segment's file name, `keys`, or `shop.toml`.
    pub name: String,
    pub offset: u64,
    pub len: u64,
    pub sha256: [u8; 32],
}

/// The last entry of a journal in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedHead {
    pub lane: u8,
    pub epoch: u8,
    pub seq: u64,
    pub hash: [u8; 32],
}

/// What is in a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub parts: Vec<Part>,
    pub heads: Vec<BackedHead>,
}

/// A file that grows at its end.
struct Out {
    file: Arc<dyn DiskFile>,
    at: u64,
    buffer: Vec<u8>,
}

impl Out {
    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if !self.buffer.is_empty() {
            write_once(&*self.file, self.at, &self.buffer)?;
            self.at += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }

    fn offset(&self) -> u64 {
        self.at + self.buffer.len() as u64
    }

    /// Writes one part from what `fill` puts.
    fn part(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), StoreError>) -> Result<(), StoreError>,
    ) -> Result<Part, StoreError> {
        let offset = self.offset();
        let mut hasher = Sha256::new();
        fill(&mut |bytes| {
            hasher.update(bytes);
            self.put(bytes)
        })?;
        let len = self.offset() - offset;
        Ok(Part { name: name.to_owned(), offset, len, sha256: hasher.finalize().into() })
    }
}

/// Writes a backup of the shop in `shop_dir` to `path`, reads it back, and returns what is in it.
pub fn write(
    files: &Arc<dyn Files>,
    shop_dir: &Path,
    keys: &Keys,
    path: &Path,
) -> Result<Manifest, StoreError> {
    let partial = beside(path, ".partial");
    remove_if_there(&**files, &partial)?;
    let mut out = Out { file: files.create(&partial)?, at: 0, buffer: Vec::new() };
    out.put(MAGIC)?;
    let mut manifest = Manifest::default();
    add_journals(files, shop_dir, &mut out, &mut manifest)?;
    manifest.parts.push(out.part(KEYS_PART, |put| {
        keys.rows(|row| {
            let row = codec::pack(&row)?;
            put(&(row.len() as u32).to_le_bytes())?;
            put(&row)
        })
        .map(drop)
    })?);
    if let Ok(file) = files.open(&shop_dir.join(SHOP_TOML)) {
        let len = file.len()?;
        manifest.parts.push(out.part(SHOP_TOML, |put| each_chunk(&*file, 0, len, put))?);
    }
    finish(&mut out, &manifest)?;
    let found = check(&**files, &partial)?;
    if found != manifest {
        return Err(StoreError::Backup("read back otherwise than written"));
    }
    files.rename(&partial, path)?;
    files.sync_dir(parent(path))?;
    Ok(manifest)
}

/// Adds every segment up to its last proved record.
fn add_journals(
    files: &Arc<dyn Files>,
    shop_dir: &Path,
    out: &mut Out,
    manifest: &mut Manifest,
) -> Result<(), StoreError> {
    let history = History::new(files.clone(), shop_dir);
    for (lane, epoch) in history.journals()? {
        let (reader, report) = history.open(lane, epoch, Known::default())?;
        if !report.damage.is_empty() {
            return Err(StoreError::Backup("the journal is damaged: repair it first"));
        }
        let head = reader.head();
        let (seq, hash) = (head.seq, *head.hash.as_bytes());
        manifest.heads.push(BackedHead { lane, epoch: epoch.place(), seq, hash });
        let segments: Vec<_> =
            reader.catalog().segments.iter().map(|segment| (segment.name(), segment.end)).collect();
        for (name, end) in segments {
            let file = files.open(&history.dir.join(name.to_string()))?;
            let part = out.part(&name.to_string(), |put| each_chunk(&*file, 0, end, put))?;
            manifest.parts.push(part);
        }
    }
    Ok(())
}

fn finish(out: &mut Out, manifest: &Manifest) -> Result<(), StoreError> {
    let (offset, bytes) = (out.offset(), codec::pack(manifest)?);
    out.put(&bytes)?;
    out.put(&offset.to_le_bytes())?;
    out.put(&(bytes.len() as u32).to_le_bytes())?;
    out.put(&Sha256::digest(&bytes))?;
    out.put(END)?;
    out.flush()?;
    Ok(out.file.sync_data()?)
}

/// Reads a backup as a whole and returns what is in it.
///
/// # Errors
/// `Backup` when a byte of it is not what was written.
pub fn check(files: &dyn Files, path: &Path) -> Result<Manifest, StoreError> {
    let file = files.open(path)?;
    let manifest = manifest(&*file)?;
    for part in &manifest.parts {
        let mut hasher = Sha256::new();
        each_chunk(&*file, part.offset, part.len, &mut |bytes| {
            hasher.update(bytes);
            Ok(())
        })?;
        if <[u8; 32]>::from(hasher.finalize()) != part.sha256 {
            return Err(StoreError::Backup("a part is damaged"));
        }
    }
    Ok(manifest)
}

fn manifest(file: &dyn DiskFile) -> Result<Manifest, StoreError> {
    const SHORT: StoreError = StoreError::Backup("it ends early");
    let mut magic = [0; 8];
    read_full(file, 0, &mut magic).map_err(|_| SHORT)?;
    let end = file.len()?;
    let mut trailer = [0; TRAILER as usize];
    let at = end.checked_sub(TRAILER).ok_or(SHORT)?;
    read_full(file, at, &mut trailer)?;
    if magic != *MAGIC || trailer[44..] != *END {
        return Err(SHORT);
    }
    let offset = u64::from_le_bytes(*trailer.first_chunk().ok_or(SHORT)?);
    let len = u32::from_le_bytes(*trailer[8..].first_chunk().ok_or(SHORT)?);
    if offset.checked_add(u64::from(len)) != Some(at) {
        return Err(SHORT);
    }
    let mut bytes = vec![0; len as usize];
    read_full(file, offset, &mut bytes)?;
    if trailer[12..44] != Sha256::digest(&bytes)[..] {
        return Err(StoreError::Backup("its table of contents is damaged"));
    }
    let manifest: Manifest = codec::unpack(&bytes)?;
    let inside = |part: &Part| part.offset.checked_add(part.len).is_some_and(|e| e <= offset);
    if manifest.parts.iter().all(inside) { Ok(manifest) } else { Err(SHORT) }
}

fn each_chunk(
    file: &dyn DiskFile,
    offset: u64,
    len: u64,
    each: &mut dyn FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut buffer = vec![0; CHUNK];
    let mut done = 0;
    while done < len {
        let take = usize::try_from(len - done).unwrap_or(CHUNK).min(CHUNK);
        read_full(file, offset + done, &mut buffer[..take])?;
        each(&buffer[..take])?;
        done += take as u64;
    }
    Ok(())
}

/// Copies one part into a new file and syncs it.
pub(super) fn unpack_part(
    files: &dyn Files,
    backup: &dyn DiskFile,
    part: &Part,
    path: &Path,
) -> Result<(), StoreError> {
    remove_if_there(files, path)?;
    let mut out = Out { file: files.create(path)?, at: 0, buffer: Vec::new() };
    each_chunk(backup, part.offset, part.len, &mut |bytes| out.put(bytes))?;
    out.flush()?;
    Ok(out.file.sync_data()?)
}

/// Calls `each` with the keys of a backup, a chunk of them in memory.
pub(super) fn each_key_row(
    backup: &dyn DiskFile,
    part: &Part,
    each: &mut TakeRow<'_>,
) -> Result<(), StoreError> {
    let mut begun = Vec::new();
    each_chunk(backup, part.offset, part.len, &mut |chunk| {
        begun.extend_from_slice(chunk);
        let mut rest = begun.as_slice();
        while let Some((row, after)) = first_row(rest) {
            each(codec::unpack(row)?)?;
            rest = after;
        }
        let left = rest.len();
        begun.drain(..begun.len() - left);
        Ok(())
    })?;
    if begun.is_empty() { Ok(()) } else { Err(StoreError::Backup("its keys end early")) }
}

/// Returns the first row and what follows it, when it is there whole.
fn first_row(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, after) = bytes.split_first_chunk::<4>()?;
    after.split_at_checked(u32::from_le_bytes(*len) as usize)
}

/// Whether a backup holds a member's key: what it has of them can then be read.
///
/// # Errors
/// `Backup` when it is none, or damaged where its keys stand.
pub fn holds_key(files: &dyn Files, path: &Path, member: &str) -> Result<bool, StoreError> {
    let file = files.open(path)?;
    let mut holds = false;
    for part in manifest(&*file)?.parts.iter().filter(|part| part.name == KEYS_PART) {
        each_key_row(&*file, part, &mut |row| {
            holds |= matches!(&row, KeyRow::Member { code, .. } if code == member);
            Ok(())
        })?;
    }
    Ok(holds)
}

pub(super) fn remove_if_there(files: &dyn Files, path: &Path) -> Result<(), StoreError> {
    match files.remove(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
