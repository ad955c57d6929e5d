//! What the journal promises, on an honest disk, a failing one and a lying one.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::store::catalog::Why;
use crate::store::chain::Epoch;
use crate::store::files::faulty::{Counts, FaultKind, FaultyFiles, Keep, Lasting};
use crate::store::record::Unfit;
use crate::store::segment::SegmentName;
use crate::store::verify::{Verified, Watch};

const DIR: &str = "/shop/journal";

fn id() -> JournalId {
    JournalId::new("midori", 1, Epoch::FIRST).unwrap()
}

fn month(yyyymm: u32) -> Month {
    Month::from_number(yyyymm).unwrap()
}

const NOV: u32 = 202_611;

fn path(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}

fn open_knowing(disk: &FaultyFiles, known: Known) -> io::Result<(Journal, OpenReport)> {
    Journal::open(Arc::new(disk.clone()), Path::new(DIR), &id(), known, 0)
}

fn open(disk: &FaultyFiles) -> (Journal, OpenReport) {
    open_knowing(disk, Known::default()).unwrap()
}

/// A body that names its place, of bytes that are never zero.
fn body(seq: u64, len: usize) -> Vec<u8> {
    let seed = seq.wrapping_mul(0x9E37_79B9);
    (0..len.max(1)).map(|i| ((seed.rotate_left(i as u32 % 61) as u8) ^ (i as u8)) | 1).collect()
}

fn filled(count: u64, len: usize) -> (FaultyFiles, Journal) {
    let disk = FaultyFiles::new();
    let (mut journal, _) = open(&disk);
    for seq in 1..=count {
        journal.append(month(NOV), &body(seq, len)).unwrap();
    }
    (disk, journal)
}

fn verify(journal: &Journal) -> Verified {
    journal.reader().verify(None, 2, &Watch::default())
}

fn bodies(journal: &Journal) -> Vec<Vec<u8>> {
    journal.reader().iter_from(1).map(|record| record.unwrap().body).collect()
}

#[test]
fn an_append_is_exactly_one_write_and_one_sync() {
    let (disk, mut journal) = filled(1, 100);
    disk.reset_counts();
    for seq in 2..=1001 {
        journal.append(month(NOV), &body(seq, 1500)).unwrap();
    }
    let written_bytes = 1000 * (1500 + 40);
    let want = Counts {
        calls: 2000,
        changes: 2000,
        writes: 1000,
        syncs: 1000,
        written_bytes,
        ..Counts::default()
    };
    assert_eq!(disk.counts(), want);
}

#[test]
fn entries_appended_together_share_one_write_and_one_sync_or_none_counts() {
    let (disk, mut journal) = filled(1, 100);
    disk.reset_counts();
    let (two, three) = (body(2, 50), body(3, 60));
    let appended = journal.append_all(month(NOV), &[&two, &three]).unwrap();
    assert_eq!((disk.counts().writes, disk.counts().syncs), (1, 1));
    assert_eq!(appended.iter().map(|a| a.head.seq).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(appended[0].end, appended[1].offset);
    let (again, report) = open(&disk);
    assert_eq!((report.head.seq, bodies(&again).len()), (3, 3));
}

#[test]
fn an_act_torn_between_its_entries_did_not_happen() {
    let (disk, mut journal) = filled(2, 60);
    let before = journal.head();
    let name = path("01-202611.log");
    let start = disk.open(&name).unwrap().len().unwrap();
    let bodies = [body(3, 70), body(4, 700), body(5, 90)];
    let act: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
    journal.append_all(month(NOV), &act).unwrap();
    let whole = disk.open(&name).unwrap().len().unwrap();
    for end in start..=whole {
        let cut = disk.fork();
        cut.open(&name).unwrap().set_len(end).unwrap();
        let (mut again, report) = open(&cut);
        let want = if end == whole { journal.head() } else { before };
        assert_eq!((report.head, report.damage.len()), (want, 0), "cut at {end}");
        again.append(month(NOV), b"the next customer").unwrap();
        assert_eq!((verify(&again).damage, again.head().seq), (vec![], want.seq + 1), "{end}");
    }
}

#[test]
fn what_was_appended_is_read_back_by_seq_and_in_order_after_a_restart() {
    let (disk, journal) = filled(700, 90);
    drop(journal);
    let (journal, report) = open(&disk);
    assert_eq!(
        (report.tail, report.head, report.scanned),
        (TailFound::Nothing, journal.head(), 700)
    );
    for seq in [1, 2, 255, 256, 257, 512, 700] {
        assert_eq!(journal.reader().read(seq).unwrap().body, body(seq, 90), "{seq}");
    }
    assert!(journal.reader().read(701).is_err());
    assert!(journal.reader().read(0).is_err());
    let seqs: Vec<u64> = journal.reader().iter_from(690).map(|r| r.unwrap().seq).collect();
    assert_eq!(seqs, (690..=700).collect::<Vec<_>>());
    assert_eq!(verify(&journal).records, 700);
}

#[test]
fn a_new_month_begins_a_segment_and_a_clock_set_back_does_not() {
    let disk = FaultyFiles::new();
    let (mut journal, _) = open(&disk);
    let mut heads = Vec::new();
    for (seq, when) in [(1, 202_611), (2, 202_612), (3, 202_611), (4, 202_701)] {
        heads.push(journal.append(month(when), &body(seq, 40)).unwrap().place);
    }
    let months: Vec<u32> = heads.iter().map(|place| place.month.number()).collect();
    assert_eq!(months, [202_611, 202_612, 202_612, 202_701]);
    let (journal, report) = open(&disk);
    assert_eq!((report.head.seq, report.scanned), (4, 1));
    assert!(verify(&journal).damage.is_empty());
    assert_eq!(bodies(&journal), (1..=4).map(|seq| body(seq, 40)).collect::<Vec<_>>());
}

#[test]
fn a_checkpoint_spares_reading_the_month() {
    let (disk, mut journal) = filled(3000, 1000);
    let point = journal.append(month(NOV), &body(3001, 1000)).unwrap().checkpoint();
    journal.append(month(NOV), &body(3002, 1000)).unwrap();
    disk.reset_counts();
    let known = Known { checkpoint: Some(point), witness: None };
    let (journal, report) = open_knowing(&disk, known).unwrap();
    assert_eq!((report.scanned, report.head.seq), (1, 3002));
    assert!(disk.counts().read_bytes < 4096, "{:?}", disk.counts());
    assert_eq!(journal.reader().read(17).unwrap().body, body(17, 1000));
}

#[test]
fn a_wrong_checkpoint_is_not_believed() {
    let (disk, mut journal) = filled(5, 100);
    let point = journal.append(month(NOV), &body(6, 100)).unwrap().checkpoint();
    for offset in [point.offset - 1, 256, 10, 1 << 40] {
        let known = Known { checkpoint: Some(Checkpoint { offset, ..point }), witness: None };
        let (journal, report) = open_knowing(&disk, known).unwrap();
        assert_eq!((report.scanned, journal.refusal()), (6, None), "{offset}");
    }
}

#[test]
fn a_body_out_of_bounds_is_refused_and_nothing_changes() {
    let (disk, mut journal) = filled(1, 10);
    disk.reset_counts();
    assert_eq!(journal.append(month(NOV), b""), Err(AppendError::Size { len: 0 }));
    let long = vec![1; MAX_BODY + 1];
    assert_eq!(journal.append(month(NOV), &long), Err(AppendError::Size { len: long.len() }));
    assert!(journal.append_all(month(NOV), &[]).is_err());
    assert_eq!(disk.counts().calls, 0);
    assert!(journal.append(month(NOV), &long[1..]).is_ok());
}

#[test]
fn after_a_failed_write_or_sync_a_new_segment_takes_the_entry() {
    for (call, kind) in [
        (1, FaultKind::Eio),
        (1, FaultKind::ShortWrite),
        (1, FaultKind::Eintr),
        (2, FaultKind::Eio),
        (2, FaultKind::Eintr),
    ] {
        let (disk, mut journal) = filled(3, 700);
        disk.fail_at(call, kind, Lasting::Once);
        let appended = journal.append(month(NOV), &body(4, 700)).unwrap();
        assert!(appended.fault.is_some(), "{kind:?} at {call}");
        assert_eq!(appended.place.part, 2);
        assert_eq!(journal.append(month(NOV), &body(5, 700)).unwrap().fault, None);
        disk.power_cut(Keep::Nothing, 1);
        let (journal, report) = open(&disk);
        assert_eq!((report.head.seq, report.damage), (5, vec![]), "{kind:?} at {call}");
        assert_eq!(bodies(&journal), (1..=5).map(|seq| body(seq, 700)).collect::<Vec<_>>());
        assert_eq!(verify(&journal).damage, []);
    }
}

#[test]
fn a_dead_disk_stops_selling_in_words_and_selling_goes_on_when_it_comes_back() {
    let (disk, mut journal) = filled(3, 200);
    disk.fail_at(1, FaultKind::Eio, Lasting::Sticky);
    let stopped = AppendError::Stopped(DiskFault::Failed(Some(5)));
    assert_eq!(journal.append(month(NOV), &body(4, 200)), Err(stopped));
    let calls = disk.counts().calls;
    assert_eq!(journal.append(month(NOV), &body(4, 200)), Err(stopped));
    assert_eq!(disk.counts().calls, calls, "a stopped journal leaves the disk alone");
    assert_eq!(journal.retry_open(), Err(stopped));
    disk.heal();
    assert_eq!(bodies(&journal).len(), 3, "it can be read all the while");
    journal.retry_open().unwrap();
    assert_eq!(journal.append(month(NOV), &body(4, 200)).unwrap().head.seq, 4);
    let (journal, report) = open(&disk);
    assert_eq!((report.head.seq, verify(&journal).damage), (4, vec![]));
}

#[test]
fn an_entry_found_after_a_failed_sync_and_a_restart_is_durable_before_anyone_sees_it() {
    let (disk, mut journal) = filled(3, 2000);
    disk.fail_at(2, FaultKind::Eio, Lasting::Sticky); // The write goes well, its sync does not.
    assert!(journal.append(month(NOV), &body(4, 2000)).is_err());
    drop(journal);
    disk.heal();
    assert_eq!(open(&disk).1.head.seq, 4, "the cache still shows it");
    disk.power_cut(Keep::Nothing, 1);
    assert_eq!(open(&disk).1.head.seq, 4);
}

#[test]
fn a_full_disk_gives_the_reserve_for_the_open_sale_and_recovers_when_space_is_freed() {
    let disk = FaultyFiles::new();
    let files = Arc::new(disk.clone());
    let open = || Journal::open(files.clone(), Path::new(DIR), &id(), Known::default(), 20_000);
    let (mut journal, _) = open().unwrap();
    let mut seq = 1;
    journal.append(month(NOV), &body(seq, 1500)).unwrap();
    disk.set_capacity(disk.used() + 2000);
    while journal.reserve_held() {
        seq += 1;
        let appended = journal.append(month(NOV), &body(seq, 1500)).unwrap();
        assert_eq!(appended.fault.is_some(), !journal.reserve_held());
    }
    let for_the_z =
        (1..100).take_while(|i| journal.append(month(NOV), &body(seq + i, 1500)).is_ok());
    seq += for_the_z.count() as u64;
    assert!(seq >= 10, "20,000 bytes hold a Z: {seq}");
    assert_eq!(journal.refusal(), Some(AppendError::Stopped(DiskFault::Full)));
    disk.heal();
    journal.retry_open().unwrap();
    journal.restore_reserve().unwrap();
    assert!(journal.reserve_held());
    assert_eq!(journal.append(month(NOV), &body(seq + 1, 1500)).unwrap().head.seq, seq + 1);
    assert_eq!(verify(&journal).damage, []);
}

#[test]
fn every_call_may_fail_once_or_for_good_and_no_acknowledged_entry_is_lost() {
    for (kind, ahead) in FaultKind::ALL.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        for lasting in [Lasting::Once, Lasting::Sticky] {
            let mut hit_all = false;
            for n in 1..200 {
                let disk = FaultyFiles::new();
                disk.fail_at(n, kind, lasting);
                let acknowledged = sell_across_months(&disk, 4, ahead);
                hit_all = disk.counts().calls < n;
                disk.heal();
                for cut in [None, Some(Keep::Nothing), Some(Keep::Random)] {
                    if let Some(keep) = cut {
                        disk.power_cut(keep, n);
                    }
                    let (mut journal, report) = open(&disk);
                    let case = format!(
                        "{kind:?} {lasting:?} at call {n}, cut {cut:?}, {ahead}: {report:?}"
                    );
                    assert!(report.head.seq >= acknowledged, "{case}");
                    assert_eq!(
                        (report.damage, verify(&journal).damage),
                        (vec![], vec![]),
                        "{case}"
                    );
                    for (i, found) in bodies(&journal).iter().enumerate() {
                        assert_eq!(*found, body(i as u64 + 1, 600), "{case}");
                    }
                    let next = journal.head().seq + 1;
                    journal.append(month(202_702), &body(next, 600)).unwrap();
                }
                if hit_all {
                    break;
                }
            }
            assert!(hit_all, "200 calls were not enough for {kind:?}");
        }
    }
}

/// Opens, sells some entries in each of two months, opens again, and counts what was acknowledged.
/// Room may be written `ahead`, in each part and again where a segment was begun.
fn sell_across_months(disk: &FaultyFiles, each: u64, ahead: bool) -> u64 {
    let mut acknowledged = 0;
    for when in [202_611, 202_612] {
        let Ok((mut journal, _)) = open_knowing(disk, Known::default()) else { continue };
        if ahead {
            journal.keep_room();
        }
        for _ in 0..each {
            let next = journal.head().seq + 1;
            if journal.append(month(when), &body(next, 600)).is_ok() {
                acknowledged = next;
            }
            journal.spare_room();
        }
        if when == 202_612 {
            journal.cut_room();
        }
    }
    acknowledged
}

#[test]
fn the_first_bad_entry_of_every_flipped_bit_is_named() {
    let (disk, journal) = filled(6, 333);
    let name = SegmentName::parse("01-202611.log").unwrap();
    let record = 333 + 40;
    for offset in (0..256 + 6 * record).step_by(7) {
        disk.flip(&path("01-202611.log"), offset, (offset % 8) as u8);
        let found = verify(&journal).damage;
        let want_seq = offset.checked_sub(256).map_or(1, |at| at / record + 1);
        assert!(!found.is_empty(), "offset {offset} went unnoticed");
        assert_eq!((found[0].segment, found[0].seq), (Some(name), want_seq), "{found:?}");
        disk.flip(&path("01-202611.log"), offset, (offset % 8) as u8);
    }
    assert_eq!(verify(&journal).damage, []);
}

#[test]
fn a_damaged_last_entry_is_never_cut_away_as_torn() {
    let (disk, journal) = filled(6, 900);
    drop(journal);
    let last = 256 + 5 * 940;
    for offset in (last..last + 940).step_by(13) {
        disk.flip(&path("01-202611.log"), offset, 3);
        let (mut journal, report) = open(&disk);
        assert!(matches!(report.tail, TailFound::Damaged(d) if d.seq == 6), "{report:?}");
        let refused = journal.append(month(NOV), &body(6, 900));
        assert!(matches!(refused, Err(AppendError::Damaged(_))));
        assert_eq!(bodies(&journal).len(), 5, "what is whole can be read");
        disk.flip(&path("01-202611.log"), offset, 3);
    }
    assert_eq!(open(&disk).1.head.seq, 6);
}

#[test]
fn a_lost_segment_is_named_by_open_and_by_verify() {
    let disk = FaultyFiles::new();
    sell_across_months(&disk, 3, false);
    let (mut journal, _) = open(&disk);
    journal.append(month(202_701), &body(7, 600)).unwrap();
    disk.remove(&path("01-202612.log")).unwrap();
    let (journal, report) = open(&disk);
    let why = |d: &Damage| (d.segment.map(|s| s.to_string()), d.why);
    let want = (Some("01-202612.log".to_owned()), Why::Missing);
    assert_eq!(report.damage.iter().map(why).collect::<Vec<_>>(), std::slice::from_ref(&want));
    assert!(verify(&journal).damage.iter().map(why).any(|found| found == want));
    assert_eq!(journal.refusal(), None, "the head is known: selling goes on");
    assert!(journal.reader().read(5).is_err());
    assert_eq!(journal.reader().read(7).unwrap().body, body(7, 600));
}

#[test]
fn a_record_put_in_place_of_another_breaks_its_link() {
    let (disk, journal) = filled(3, 100);
    let file = disk.open(&path("01-202611.log")).unwrap();
    let mut forged = Vec::new();
    put(&mut forged, id().genesis(), Writing::First, Rest::Nothing, &body(9, 100));
    write_once(&*file, 256, &forged).unwrap();
    let found = verify(&journal).damage;
    assert_eq!((found[0].seq, found[0].why), (2, Why::Record(Unfit::Link)));
}

#[test]
fn a_lying_flush_is_found_by_any_witness() {
    for lies in 1..=6 {
        let (disk, mut journal) = filled(20, 500);
        disk.lie_for(lies);
        let mut witness = journal.head();
        for seq in 21..21 + lies {
            witness = journal.append(month(NOV), &body(seq, 500)).unwrap().head;
        }
        disk.power_cut(Keep::Nothing, lies);
        let known = Known { witness: Some(witness), checkpoint: None };
        let (mut journal, report) = open_knowing(&disk, known).unwrap();
        assert_eq!(report.head.seq, 20);
        assert!(
            matches!(report.tail, TailFound::Damaged(d) if d.seq == 21 && d.why == Why::Witness)
        );
        assert!(journal.append(month(NOV), &body(21, 500)).is_err(), "not before a repair");
    }
}

#[test]
fn a_witness_of_another_history_is_heard() {
    let (disk, journal) = filled(3, 50);
    let other = Head { seq: 2, hash: id().genesis().hash };
    assert_eq!(journal.reader().check(other).unwrap(), crate::store::reader::Verdict::Differs);
    let known = Known { witness: Some(other), checkpoint: None };
    let (journal, _) = open_knowing(&disk, known).unwrap();
    assert!(matches!(journal.refusal(), Some(AppendError::Damaged(d)) if d.why == Why::Witness));
}

fn keeps() -> impl Strategy<Value = Keep> {
    prop::sample::select(Keep::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Sells until the power fails, cuts again within the recovery, and looks.
    #[test]
    fn no_cut_loses_an_acknowledged_entry_or_leaves_half_a_record(
        sizes in prop::collection::vec(1_usize..3000, 1..12),
        batch in 1_usize..4,
        ahead: bool,
        cut_at in 1_u64..40,
        again_at in 1_u64..6,
        keep in keeps(),
        keep_again in keeps(),
        seed: u64,
    ) {
        let disk = FaultyFiles::new();
        let mut acknowledged = 0_u64;
        disk.cut_at(cut_at);
        if let Ok((mut journal, _)) = open_knowing(&disk, Known::default()) {
            if ahead {
                journal.keep_room();
            }
            for (i, group) in sizes.chunks(batch).enumerate() {
                let first = i * batch;
                let group: Vec<Vec<u8>> =
                    (0..group.len()).map(|j| body((first + j + 1) as u64, group[j])).collect();
                let group: Vec<&[u8]> = group.iter().map(Vec::as_slice).collect();
                let when = month(if i < 3 { 202_611 } else { 202_612 });
                let Ok(appended) = journal.append_all(when, &group) else { break };
                acknowledged = appended.last().unwrap().head.seq;
                journal.spare_room();
            }
        }
        disk.power_cut(keep, seed);
        disk.cut_at(again_at);
        if let Ok((mut journal, _)) = open_knowing(&disk, Known::default()) && ahead {
            journal.keep_room();
        }
        disk.power_cut(keep_again, seed ^ 1);

        let (mut journal, report) = open(&disk);
        prop_assert_eq!(&report.damage, &vec![]);
        let found = bodies(&journal);
        prop_assert!(found.len() as u64 >= acknowledged);
        prop_assert!(found.len() as u64 <= acknowledged + batch as u64, "only one write was out");
        for (i, found) in found.iter().enumerate() {
            prop_assert_eq!(found, &body(i as u64 + 1, sizes[i]));
        }
        prop_assert_eq!(verify(&journal).damage, vec![]);
        let next = journal.head().seq + 1;
        journal.append(month(202_612), &body(next, 10)).unwrap();
        prop_assert_eq!(open(&disk).1.head.seq, next);
    }
}
