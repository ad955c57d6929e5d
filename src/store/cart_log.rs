//! The open cart's scratch file: no kill costs a line, a power cut at most the last tenth second.
//!
//! Room: store. May touch: `cart.log`. May not: clock; sync on the key path.
//! Invariant: what replays is what was written, in order, up to the first byte that is not.
//!
//! ```text
//! u32 LE length of kind and payload · u32 LE CRC32C of length, kind and payload · u8 kind · payload
//! ```

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::chain::{Hash, Head};
use super::files::{DiskFile, Files, parent, read_whole, replace_file, write_once};
use super::sums;

/// Longest change of a cart, in bytes.
pub const MAX_CHANGE: usize = 64 * 1024;
/// The file is rewritten at the next quiet moment when it is longer than this, in bytes.
pub const COMPACT_OVER: u64 = 256 * 1024;
/// Print jobs remembered as begun; a printer holds one at a time.
const MAX_JOBS: usize = 64;

const PREFIX: usize = 8;

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    /// A register opened the shop.
    Opened = 1,
    /// The cart changed.
    Change = 2,
    /// The cart is empty; the payload is the journal's head.
    Emptied = 3,
    /// The journal's head, witnessed.
    Witness = 4,
    /// The first byte of a print job was sent.
    PrintBegun = 5,
    /// The job's end is in the journal.
    PrintEnded = 6,
    /// A register left in order.
    Closed = 7,
}

impl Kind {
    fn read(byte: u8) -> Option<Self> {
        let all = [
            Self::Opened,
            Self::Change,
            Self::Emptied,
            Self::Witness,
            Self::PrintBegun,
            Self::PrintEnded,
            Self::Closed,
        ];
        all.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// What the last register left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CartFound {
    /// The changes since the cart was last empty, in order.
    pub changes: Vec<Vec<u8>>,
    /// Half a record stood at the end: a cut came while it was written.
    pub torn: bool,
    /// The register did not leave in order: check the last line.
    pub unclean: bool,
    /// The highest head of the journal it knew.
    pub witness: Option<Head>,
    /// Print jobs begun and not ended: perhaps printed.
    pub printing: BTreeSet<u64>,
}

impl CartFound {
    fn fold(&mut self, kind: Kind, payload: &[u8]) {
        self.unclean = kind != Kind::Closed;
        match kind {
            Kind::Opened | Kind::Closed => {}
            Kind::Change => self.changes.push(payload.to_vec()),
            Kind::Emptied => {
                self.changes.clear();
                self.witness = read_head(payload).or(self.witness);
            }
            Kind::Witness => self.witness = read_head(payload).or(self.witness),
            Kind::PrintBegun => {
                self.printing.extend(read_u64(payload));
                if self.printing.len() > MAX_JOBS {
                    self.printing.pop_first();
                }
            }
            Kind::PrintEnded => {
                read_u64(payload).map(|job| self.printing.remove(&job));
            }
        }
    }
}

#[derive(Debug)]
struct Inner {
    file: Arc<dyn DiskFile>,
    end: u64,
    synced_to: u64,
    /// Everything that would replay now: what a compacted file holds.
    now: CartFound,
    /// A write or sync failed: only a new file is to be trusted.
    suspect: bool,
}

/// The cart's file, open. Clones are the same file: the loop writes, another thread syncs.
#[derive(Debug, Clone)]
pub struct CartLog {
    files: Arc<dyn Files>,
    path: PathBuf,
    inner: Arc<Mutex<Inner>>,
}

impl CartLog {
    /// Opens the file, or makes one, and returns what it held. A whole file is continued and costs
    /// no write. Behind half a record nothing may be written, or it could come back: a new file
    /// takes its place.
    pub fn open(files: Arc<dyn Files>, path: &Path) -> io::Result<(Self, CartFound)> {
        let bytes = match read_whole(&*files, path) {
            Err(e) if e.kind() == ErrorKind::NotFound => Vec::new(),
            bytes => bytes?,
        };
        let (found, end) = replay(&bytes);
        let inner = if found.torn || bytes.is_empty() {
            files.make_dir(parent(path))?;
            let now = CartFound { torn: false, ..found.clone() };
            let (file, end) = fresh(&*files, path, &now)?;
            Inner { file, end, synced_to: end, now, suspect: false }
        } else {
            let (file, end) = (files.open(path)?, end as u64);
            // Whoever was killed may have left unsynced what is here: the next sync makes it anew.
            Inner { file, end, synced_to: end, now: found.clone(), suspect: found.unclean }
        };
        let log = Self { files, path: path.into(), inner: Arc::new(Mutex::new(inner)) };
        Ok((log, found))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes durably that a register works on the shop, so that a cut is seen at the next start. Call
    /// it beside the first keys; without effect when the file says so already.
    pub fn opened(&self) -> io::Result<()> {
        if !self.lock().now.unclean {
            self.put(Kind::Opened, &[])?;
        }
        self.sync()
    }

    /// Writes one change of the cart, before it is shown: one call, no sync.
    pub fn write(&self, change: &[u8]) -> io::Result<()> {
        if change.len() > MAX_CHANGE {
            return Err(ErrorKind::InvalidInput.into());
        }
        self.put(Kind::Change, change)
    }

    /// Notes that the cart is empty, and the journal's head: the sale in it is entry `head`, or
    /// was given up.
    pub fn empty(&self, head: Head) -> io::Result<()> {
        self.put(Kind::Emptied, &head_bytes(head))
    }

    /// Witnesses the journal's head.
    pub fn witness(&self, head: Head) -> io::Result<()> {
        self.put(Kind::Witness, &head_bytes(head))
    }

    /// Notes that the first byte of a print job goes out now.
    pub fn print_begun(&self, job: u64) -> io::Result<()> {
        self.put(Kind::PrintBegun, &job.to_le_bytes())
    }

    /// Notes that the job's end is in the journal.
    pub fn print_ended(&self, job: u64) -> io::Result<()> {
        self.put(Kind::PrintEnded, &job.to_le_bytes())
    }

    /// Notes that the register leaves in order, durably; `head` is the journal's.
    pub fn close(&self, head: Head) -> io::Result<()> {
        {
            let inner = self.lock();
            if !inner.now.unclean && inner.now.witness == Some(head) {
                return Ok(()); // As it was found.
            }
        }
        self.put(Kind::Witness, &head_bytes(head))?;
        self.put(Kind::Closed, &[])?;
        self.sync().or_else(|_| self.compact())
    }

    fn put(&self, kind: Kind, payload: &[u8]) -> io::Result<()> {
        let mut inner = self.lock();
        // Remembered even when the disk refuses: a compacted file then holds it. Not so a change of
        // the cart: whoever asked for it is told that it did not happen.
        if kind != Kind::Change {
            inner.now.fold(kind, payload);
        }
        let record = encode(kind, payload);
        match write_once(&*inner.file, inner.end, &record) {
            Ok(()) => {
                inner.end += record.len() as u64;
                if kind == Kind::Change {
                    inner.now.fold(kind, payload);
                }
                Ok(())
            }
            Err(e) => {
                inner.suspect = true;
                Err(e)
            }
        }
    }

    /// Makes what was written durable. Call it off the key path, not once a tender is in; writes
    /// go on meanwhile. Without effect when nothing is new.
    pub fn sync(&self) -> io::Result<()> {
        let (file, end) = {
            let inner = self.lock();
            if inner.suspect {
                drop(inner);
                return self.compact();
            }
            if inner.synced_to == inner.end {
                return Ok(());
            }
            (inner.file.clone(), inner.end)
        };
        let synced = file.sync_data();
        let mut inner = self.lock();
        if Arc::ptr_eq(&inner.file, &file) {
            match &synced {
                Ok(()) => inner.synced_to = inner.synced_to.max(end),
                Err(_) => inner.suspect = true, // Its pages are given up; never synced again.
            }
        }
        synced
    }

    /// Returns whether the file has grown long. Compact it when no key waits.
    pub fn is_long(&self) -> bool {
        self.lock().end > COMPACT_OVER
    }

    /// Writes what would replay into a new file, durably, in the old one's place.
    pub fn compact(&self) -> io::Result<()> {
        let mut inner = self.lock();
        inner.suspect = true;
        let (file, end) = fresh(&*self.files, &self.path, &inner.now)?;
        let now = std::mem::take(&mut inner.now);
        *inner = Inner { file, end, synced_to: end, now, suspect: false };
        Ok(())
    }
}

/// Writes a durable file that replays as `now`, and returns it with its length.
fn fresh(files: &dyn Files, path: &Path, now: &CartFound) -> io::Result<(Arc<dyn DiskFile>, u64)> {
    let mut bytes = Vec::new();
    let mut put = |kind, payload: &[u8]| bytes.extend(encode(kind, payload));
    if let Some(head) = now.witness {
        put(Kind::Witness, &head_bytes(head));
    }
    now.printing.iter().for_each(|job| put(Kind::PrintBegun, &job.to_le_bytes()));
    now.changes.iter().for_each(|change| put(Kind::Change, change));
    put(if now.unclean { Kind::Opened } else { Kind::Closed }, &[]);
    Ok((replace_file(files, path, &bytes)?, bytes.len() as u64))
}

fn encode(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len() + 1).expect("bounded by MAX_CHANGE").to_le_bytes();
    let mut record = Vec::with_capacity(PREFIX + 1 + payload.len());
    record.extend_from_slice(&len);
    record.extend_from_slice(&[0; 4]);
    record.push(kind as u8);
    record.extend_from_slice(payload);
    let crc = sums::crc_onto(sums::crc(&len), &record[PREFIX..]);
    record[4..PREFIX].copy_from_slice(&crc.to_le_bytes());
    record
}

/// Reads records to the first that is not whole; returns what they make and where they end.
fn replay(bytes: &[u8]) -> (CartFound, usize) {
    let mut found = CartFound::default();
    let mut at = 0;
    while let Some((kind, payload)) = decode(&bytes[at..]) {
        found.fold(kind, payload);
        at += PREFIX + 1 + payload.len();
    }
    found.torn = at < bytes.len();
    found.unclean |= found.torn;
    (found, at)
}

fn decode(bytes: &[u8]) -> Option<(Kind, &[u8])> {
    let len: &[u8; 4] = bytes.first_chunk()?;
    let crc: &[u8; 4] = bytes.get(4..)?.first_chunk()?;
    let end = PREFIX.checked_add(u32::from_le_bytes(*len) as usize)?;
    let content = bytes.get(PREFIX..end)?;
    if sums::crc_onto(sums::crc(len), content) != u32::from_le_bytes(*crc) {
        return None;
    }
    let (kind, payload) = content.split_first()?;
    Some((Kind::read(*kind)?, payload))
}

fn head_bytes(head: Head) -> [u8; 8 + Hash::LEN] {
    let mut bytes = [0; 8 + Hash::LEN];
    bytes[..8].copy_from_slice(&head.seq.to_le_bytes());
    bytes[8..].copy_from_slice(head.hash.as_bytes());
    bytes
}

fn read_head(payload: &[u8]) -> Option<Head> {
    Some(Head { seq: read_u64(payload)?, hash: Hash::read(payload.get(8..)?)? })
}

fn read_u64(payload: &[u8]) -> Option<u64> {
    payload.first_chunk().copied().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::files::faulty::{FaultKind, FaultyFiles, Keep, Lasting};

    const PATH: &str = "/shop/cart.log";

    fn open(disk: &FaultyFiles) -> (CartLog, CartFound) {
        CartLog::open(Arc::new(disk.clone()), Path::new(PATH)).unwrap()
    }

    fn head(seq: u64) -> Head {
        Head { seq, hash: Hash::from_bytes([seq as u8; 32]) }
    }

    #[test]
    fn a_kill_costs_no_line_and_is_told_apart_from_leaving_in_order() {
        let disk = FaultyFiles::new();
        let (log, first) = open(&disk);
        assert_eq!(first, CartFound::default());
        log.write(b"milk").unwrap();
        log.write(b"bread").unwrap();
        drop(log); // As a kill leaves it: written, not synced, not closed.
        let (log, found) = open(&disk);
        assert_eq!(found.changes, [b"milk".to_vec(), b"bread".to_vec()]);
        assert_eq!((found.unclean, found.torn), (true, false));
        log.close(head(3)).unwrap();
        disk.power_cut(Keep::Nothing, 1);
        let (_, found) = open(&disk);
        assert_eq!((found.changes.len(), found.unclean), (2, false));
        assert_eq!(found.witness, Some(head(3)));
    }

    #[test]
    fn a_start_after_leaving_in_order_writes_nothing_and_neither_does_leaving_again() {
        let disk = FaultyFiles::new();
        let (log, _) = open(&disk);
        log.write(b"milk").unwrap();
        log.close(head(7)).unwrap();
        disk.reset_counts();
        let (log, found) = open(&disk);
        log.sync().unwrap();
        log.close(head(7)).unwrap();
        assert_eq!((disk.counts().changes, found.unclean), (0, false));
        log.write(b"bread").unwrap();
        drop(log);
        let (_, found) = open(&disk);
        assert_eq!(found.changes, [b"milk".to_vec(), b"bread".to_vec()]);
        assert!(found.unclean, "something was left behind the note");
    }

    #[test]
    fn what_a_kill_left_unsynced_is_written_anew_by_the_next_sync() {
        let disk = FaultyFiles::new();
        let (log, _) = open(&disk);
        log.write(b"milk").unwrap();
        drop(log);
        let (log, _) = open(&disk);
        log.write(b"bread").unwrap();
        log.sync().unwrap();
        disk.power_cut(Keep::Nothing, 1);
        assert_eq!(open(&disk).1.changes, [b"milk".to_vec(), b"bread".to_vec()]);
    }

    #[test]
    fn an_emptied_cart_stays_empty_and_leaves_its_witness_and_print_jobs() {
        let disk = FaultyFiles::new();
        let (log, _) = open(&disk);
        log.write(b"milk").unwrap();
        log.empty(head(7)).unwrap();
        log.print_begun(7).unwrap();
        log.print_begun(8).unwrap();
        log.print_ended(7).unwrap();
        log.compact().unwrap();
        let (_, found) = open(&disk);
        assert_eq!((found.changes.len(), found.witness), (0, Some(head(7))));
        assert_eq!(found.printing, BTreeSet::from([8]));
    }

    #[test]
    fn a_change_is_one_write_and_no_sync_and_a_sync_without_news_is_free() {
        let disk = FaultyFiles::new();
        let (log, _) = open(&disk);
        disk.reset_counts();
        for _ in 0..10 {
            log.write(&[7; 200]).unwrap();
        }
        assert_eq!((disk.counts().calls, disk.counts().writes), (10, 10));
        log.sync().unwrap();
        log.sync().unwrap();
        assert_eq!((disk.counts().calls, disk.counts().syncs), (11, 1));
    }

    #[test]
    fn after_a_failed_write_or_sync_the_next_sync_makes_a_new_file_with_all_that_was_kept() {
        for call in [1, 2] {
            let disk = FaultyFiles::new();
            let (log, _) = open(&disk);
            disk.fail_at(call, FaultKind::Eio, Lasting::Once);
            let first = log.write(b"milk").and_then(|()| log.sync());
            assert!(first.is_err());
            log.write(b"bread").unwrap();
            log.sync().unwrap();
            disk.power_cut(Keep::Nothing, 1);
            let (_, found) = open(&disk);
            // A change that could not be written was refused at the counter: it is not there later.
            let kept: &[&[u8]] = if call == 1 { &[b"bread"] } else { &[b"milk", b"bread"] };
            assert_eq!(found.changes, kept, "call {call}");
        }
    }

    #[test]
    fn a_long_file_becomes_short_and_says_the_same() {
        let disk = FaultyFiles::new();
        let (log, _) = open(&disk);
        for sale in 0..2000 {
            log.write(&[1; 150]).unwrap();
            log.empty(head(sale)).unwrap();
        }
        log.write(b"milk").unwrap();
        assert!(log.is_long());
        log.compact().unwrap();
        assert!(!log.is_long() && disk.used() <= 4096, "{}", disk.used());
        assert_eq!(open(&disk).1.changes, [b"milk".to_vec()]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_cut_keeps_every_synced_change_and_only_whole_ones(
            sizes in prop::collection::vec(1_usize..900, 1..12),
            sync_after in 0_usize..12,
            cut_at in 1_u64..20,
            keep in prop::sample::select(Keep::ALL.to_vec()),
            seed: u64,
        ) {
            let disk = FaultyFiles::new();
            let (log, _) = open(&disk);
            log.opened().unwrap();
            disk.cut_at(cut_at);
            let change = |i: usize| vec![i as u8 + 1; sizes[i]];
            let mut synced = 0;
            for i in 0..sizes.len() {
                if log.write(&change(i)).is_err() { break; }
                if i == sync_after && log.sync().is_ok() { synced = i + 1; }
            }
            disk.power_cut(keep, seed);
            let (_, found) = open(&disk);
            prop_assert!(found.changes.len() >= synced);
            for (i, kept) in found.changes.iter().enumerate() {
                prop_assert_eq!(kept, &change(i));
            }
            prop_assert!(found.unclean);
        }
    }
}
