//! Room in a segment for records to come: zeros, written and synced while nobody waits.
//!
//! Room: store. May touch: the segment it is handed. May not: what stands before its end.
//! Invariant: only zeros stand behind a segment's end, whatever a cut or a full disk leaves of them; so
//! room never has to be there, and what is written into it costs no sync of a new length.

use std::io::{self, ErrorKind};

use super::files::{DiskFile, is_full, write_once};

/// Bytes kept ready: some 300 sales.
pub const AHEAD: u64 = 512 * 1024;
/// With less than this left more is made behind the next act: some 40 sales.
const LOW: u64 = 64 * 1024;
/// File systems give space in pieces of this many bytes.
const BLOCK: u64 = 4096;

/// Whether room is kept at all: a program that appends once and ends has no use for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeping {
    No,
    Yes,
    /// The disk had no space for it; asked again when nobody is at the counter.
    Refused,
}

/// What became of making room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// There is enough, or as much as there was.
    Fine,
    /// The disk failed: nothing more may be written to this segment.
    Failed,
}

/// The room behind the end of the current segment.
#[derive(Debug)]
pub struct Room {
    /// Up to here the segment is known to be written, in bytes.
    until: u64,
    keeping: Keeping,
}

impl Room {
    /// Returns that of a segment that is written up to `until`.
    pub fn new(until: u64) -> Self {
        Self { until, keeping: Keeping::No }
    }

    /// Another segment is written from now on, up to `until`.
    pub fn moved(&mut self, until: u64) {
        self.until = until;
    }

    /// Room is kept from now on.
    pub fn keep(&mut self) {
        self.keeping = Keeping::Yes;
    }

    /// Asks again where the disk had no space.
    pub fn ask_again(&mut self) {
        if self.keeping == Keeping::Refused {
            self.keeping = Keeping::Yes;
        }
    }

    /// Whether room should be made behind this act.
    pub fn is_low(&self, end: u64) -> bool {
        self.is_wanted(end, LOW)
    }

    /// Whether room should be made while nobody is at the counter.
    pub fn is_half_used(&self, end: u64) -> bool {
        self.is_wanted(end, AHEAD / 2)
    }

    fn is_wanted(&self, end: u64, least: u64) -> bool {
        self.keeping == Keeping::Yes && self.until < end + least
    }

    /// Writes zeros behind what is written already, and syncs them. A disk without space for them
    /// gets back what it gave: what is appended takes its own.
    pub fn make(&mut self, file: &dyn DiskFile, end: u64) -> Made {
        let from = self.until.max(end);
        let until = (end + AHEAD) / BLOCK * BLOCK;
        let zeros = vec![0; usize::try_from(until.saturating_sub(from)).unwrap_or(0)];
        match write_once(file, from, &zeros) {
            Ok(()) => {}
            Err(error) if is_refusal(&error) => {
                self.keeping = Keeping::Refused;
                let _ = file.set_len(from); // Zeros that stay do no harm.
                return Made::Fine;
            }
            Err(_) => return Made::Failed,
        }
        if file.sync_data().is_err() {
            return Made::Failed;
        }
        self.until = until;
        Made::Fine
    }

    /// Cuts a segment that nothing is appended to any more. One that stays long is read all the same.
    pub fn give_back(&mut self, file: &dyn DiskFile, end: u64) {
        if self.until > end {
            let _ = file.set_len(end);
        }
        self.until = end;
    }
}

/// Whether a write was not taken, and nothing is wrong with the disk.
fn is_refusal(error: &io::Error) -> bool {
    is_full(error) || matches!(error.kind(), ErrorKind::WriteZero | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::store::chain::{Epoch, JournalId};
    use crate::store::files::faulty::{FaultKind, FaultyFiles, Keep, Lasting};
    use crate::store::files::plain::PlainFiles;
    use crate::store::files::{Files, read_whole};
    use crate::store::journal::Journal;
    use crate::store::opening::{Known, OpenReport, TailFound};
    use crate::store::reader::Reader;
    use crate::store::record::MAX_BODY;
    use crate::store::segment::Month;
    use crate::store::verify::Watch;

    const FIRST: &str = "/journal/01-202611.log";

    fn open_with(disk: &FaultyFiles, reserve: u64) -> (Journal, OpenReport) {
        let id = JournalId::new("midori", 1, Epoch::FIRST).unwrap();
        let (files, dir) = (Arc::new(disk.clone()), Path::new("/journal"));
        Journal::open(files, dir, &id, Known::default(), reserve).unwrap()
    }

    fn open(disk: &FaultyFiles) -> (Journal, OpenReport) {
        open_with(disk, 0)
    }

    fn sell(journal: &mut Journal, yyyymm: u32, len: usize) {
        let body = vec![journal.head().seq as u8 | 1; len];
        journal.append(Month::from_number(yyyymm).unwrap(), &body).unwrap();
    }

    /// A journal with an entry and room for more.
    fn with_room() -> (FaultyFiles, Journal) {
        let disk = FaultyFiles::new();
        let (mut journal, _) = open(&disk);
        sell(&mut journal, 202_611, 1500);
        journal.keep_room();
        (disk, journal)
    }

    fn len(disk: &FaultyFiles, path: &str) -> u64 {
        disk.open(Path::new(path)).unwrap().len().unwrap()
    }

    fn is_whole(journal: &Journal) -> bool {
        journal.reader().verify(None, 1, &Watch::default()).damage.is_empty()
    }

    #[test]
    fn an_append_into_room_is_one_write_and_one_sync_and_leaves_the_length() {
        let (disk, mut journal) = with_room();
        let ready = len(&disk, FIRST);
        assert_eq!(ready, AHEAD);
        disk.reset_counts();
        for _ in 0..200 {
            sell(&mut journal, 202_611, 1500);
            journal.spare_room();
        }
        let counts = disk.counts();
        assert_eq!((counts.calls, counts.writes, counts.syncs), (400, 200, 200));
        assert_eq!(len(&disk, FIRST), ready);
        journal.refill_room();
        assert!(len(&disk, FIRST) > ready, "more than half is used: filled up at idle");
        disk.reset_counts();
        journal.refill_room();
        assert_eq!(disk.counts().calls, 0, "there is enough");
    }

    #[test]
    fn a_burst_finds_room_again_before_it_is_used_up() {
        let (disk, mut journal) = with_room();
        let mut lengths = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            sell(&mut journal, 202_611, 1500);
            journal.spare_room();
            lengths.insert(len(&disk, FIRST));
        }
        assert!(lengths.len() <= 5, "{lengths:?}");
    }

    #[test]
    fn a_register_that_was_killed_finds_its_end_in_room_and_goes_on_there() {
        let (disk, mut journal) = with_room();
        sell(&mut journal, 202_611, 700);
        let (head, ready) = (journal.head(), len(&disk, FIRST));
        drop(journal);
        let (mut journal, report) = open(&disk);
        assert_eq!((report.head, report.tail, report.damage), (head, TailFound::Nothing, vec![]));
        sell(&mut journal, 202_611, 700);
        assert_eq!((len(&disk, FIRST), is_whole(&journal)), (ready, true));
    }

    #[test]
    fn a_journal_closed_in_order_and_a_month_that_is_over_end_with_their_last_entry() {
        let (disk, mut journal) = with_room();
        sell(&mut journal, 202_612, 500);
        assert_eq!(len(&disk, FIRST), 256 + 1540);
        journal.keep_room();
        sell(&mut journal, 202_612, 500);
        journal.cut_room();
        assert_eq!(len(&disk, "/journal/01-202612.log"), 256 + 2 * 540);
        let (journal, report) = open(&disk);
        assert_eq!((report.head.seq, report.damage, is_whole(&journal)), (3, vec![], true));
    }

    #[test]
    fn a_month_whose_room_nobody_cut_is_whole_and_one_with_more_in_it_is_not() {
        let (disk, mut journal) = with_room();
        let room = read_whole(&disk, Path::new(FIRST)).unwrap();
        sell(&mut journal, 202_612, 500);
        let first = disk.open(Path::new(FIRST)).unwrap();
        write_once(&*first, 0, &room).unwrap();
        let (journal, report) = open(&disk);
        assert_eq!((report.damage, is_whole(&journal)), (vec![], true));
        disk.flip(Path::new(FIRST), room.len() as u64 - 9, 1);
        let (journal, report) = open(&disk);
        assert_eq!((report.damage.len(), is_whole(&journal)), (1, false));
    }

    #[test]
    fn what_stands_behind_room_is_damage_and_a_flip_within_it_costs_nothing() {
        let (disk, journal) = with_room();
        drop(journal);
        let whole = read_whole(&disk, Path::new(FIRST)).unwrap();
        disk.flip(Path::new(FIRST), 300_000, 4);
        let (journal, report) = open(&disk);
        assert_eq!((report.head.seq, report.damage, journal.refusal()), (1, vec![], None));
        let astray = disk.open(Path::new(FIRST)).unwrap();
        write_once(&*astray, 0, &whole).unwrap();
        disk.stray(Path::new(FIRST), 100_000, &whole[256..1796]);
        let (journal, report) = open(&disk);
        assert!(matches!(report.tail, TailFound::Damaged(d) if d.seq == 2), "{report:?}");
        assert!(journal.refusal().is_some());
    }

    #[test]
    fn a_disk_without_space_for_room_takes_entries_all_the_same_and_is_asked_again_at_idle() {
        for fault in [FaultKind::Enospc, FaultKind::ShortWrite, FaultKind::Eintr] {
            let disk = FaultyFiles::new();
            let (mut journal, _) = open(&disk);
            sell(&mut journal, 202_611, 300);
            disk.fail_at(1, fault, Lasting::Once);
            journal.keep_room();
            assert_eq!(len(&disk, FIRST), 256 + 340, "{fault:?}: nothing is held");
            disk.reset_counts();
            sell(&mut journal, 202_611, 300);
            journal.spare_room();
            assert_eq!(disk.counts().writes, 1, "{fault:?}: not asked with every act");
            journal.refill_room();
            sell(&mut journal, 202_611, 300);
            assert_eq!(len(&disk, FIRST), AHEAD, "{fault:?}");
            assert_eq!(journal.head().seq, 3);
            assert!(is_whole(&journal));
        }
    }

    #[test]
    fn what_a_full_disk_has_left_is_for_entries() {
        let disk = FaultyFiles::new();
        let (mut journal, _) = open_with(&disk, 10_000);
        sell(&mut journal, 202_611, 300);
        journal.release_reserve();
        disk.reset_counts();
        journal.keep_room();
        assert_eq!(disk.counts().calls, 0);
    }

    #[test]
    fn a_disk_that_fails_as_room_is_made_is_not_written_to_there_again() {
        for call in [1, 2] {
            let disk = FaultyFiles::new();
            let (mut journal, _) = open(&disk);
            sell(&mut journal, 202_611, 300);
            disk.fail_at(call, FaultKind::Eio, Lasting::Once);
            journal.keep_room();
            sell(&mut journal, 202_611, 300);
            assert_eq!(journal.reader().read(2).unwrap().segment.place.part, 2);
            disk.power_cut(Keep::Random, call);
            let (journal, report) = open(&disk);
            assert_eq!((report.head.seq, report.damage, is_whole(&journal)), (2, vec![], true));
        }
    }

    /// Else a backup beside the register would now and then call its journal damaged.
    #[test]
    fn a_journal_that_grows_into_its_room_is_whole_whenever_somebody_looks() {
        let dir = tempfile::tempdir().unwrap();
        let id = JournalId::new("midori", 1, Epoch::FIRST).unwrap();
        let files: Arc<dyn Files> = Arc::new(PlainFiles);
        let (mut journal, _) =
            Journal::open(files.clone(), dir.path(), &id, Known::default(), 0).unwrap();
        sell(&mut journal, 202_611, 100);
        journal.keep_room();
        let sold = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let looking = scope.spawn(|| {
                while !sold.load(Ordering::Acquire) {
                    let open = Reader::open(files.clone(), dir.path(), &id, Known::default());
                    let (_, report) = open.unwrap();
                    assert_eq!(report.damage, [], "{report:?}");
                }
            });
            for _ in 0..400 {
                sell(&mut journal, 202_611, 400);
            }
            sold.store(true, Ordering::Release);
            looking.join().unwrap();
        });
    }

    #[test]
    fn an_act_longer_than_the_room_goes_beyond_it() {
        let (disk, mut journal) = with_room();
        for _ in 0..3 {
            sell(&mut journal, 202_611, MAX_BODY);
        }
        sell(&mut journal, 202_611, 9);
        let (journal, report) = open(&disk);
        assert_eq!((report.head.seq, report.damage, is_whole(&journal)), (5, vec![], true));
    }
}
