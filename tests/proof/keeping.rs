//! Restore, backup and a store of another version, cut off at every write.
//!
//! Room: tests. May touch: the library over files in memory; the binary makes the shop once.
//! Invariant: what was cut off leaves the old shop or the new one, whole; a backup that was not
//! finished bears no name. A case is one write and one way to lose power.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use regi::domain::entry::{Clock, Kind};
use regi::domain::number::{DocKind, DocNo};
use regi::domain::register::{Lookup, Now};
use regi::store::audit::{Audit, prove};
use regi::store::backup;
use regi::store::chain::{Epoch, Hash};
use regi::store::codec;
use regi::store::fault::StoreError;
use regi::store::files::faulty::{FaultKind, FaultyFiles, Keep, Lasting};
use regi::store::files::{Files, write_fresh};
use regi::store::files::{checked, redb_file};
use regi::store::history::History;
use regi::store::keys::{Chance as Random, Keys};
use regi::store::record::{Rest, Writing};
use regi::store::restore::{OverNewer, Restore};
use regi::store::shop::{Opened, ShopPlace};
use regi::store::tables::{META, SCHEMA};

use crate::run::{Figures, Run};
use crate::support::{HANAKO, MEMBERS, Shop};

const SHOP: &str = "/shop";
const STICK: &str = "/stick/01-Z0001.regi";

/// A shop's files as they lay on the disk after each of two days, and the backup of the first.
struct Two {
    yesterday: Vec<(PathBuf, Vec<u8>)>,
    today: Vec<(PathBuf, Vec<u8>)>,
    backup: Vec<u8>,
}

impl Two {
    fn new() -> Self {
        let shop = Shop::new("").with_members(MEMBERS);
        let day = |at: &str, end: &str| {
            let lines = format!("department 1 498\nmember {HANAKO}\ntender_cash 1000\n{end}");
            shop.sell_at(at, &lines);
        };
        day("2026-11-29T10:00:00+09:00", "z_report");
        let yesterday = files_of(&shop.dir());
        let backup = std::fs::read(shop.dir().join("backup/01-Z0001.regi")).expect("a backup");
        day("2026-12-01T10:00:00+09:00", "paid_in 500 両替");
        Self { yesterday, today: files_of(&shop.dir()), backup }
    }

    fn disk(files: &[(PathBuf, Vec<u8>)]) -> FaultyFiles {
        let disk = FaultyFiles::new();
        for dir in [SHOP, "/shop/journal", "/stick"] {
            disk.make_dir(Path::new(dir)).expect("a folder");
        }
        for (name, bytes) in files {
            write_fresh(&disk, &Path::new(SHOP).join(name), bytes).expect("a file");
        }
        for dir in [SHOP, "/shop/journal"] {
            disk.sync_dir(Path::new(dir)).expect("durable");
        }
        disk.reset_counts();
        disk
    }

    fn with_stick(&self, files: &[(PathBuf, Vec<u8>)]) -> FaultyFiles {
        let disk = Self::disk(files);
        write_fresh(&disk, Path::new(STICK), &self.backup).expect("the backup");
        disk.sync_dir(Path::new("/stick")).expect("durable");
        disk.reset_counts();
        disk
    }
}

fn files_of(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut names = Vec::new();
    for folder in ["", "journal"] {
        for entry in std::fs::read_dir(dir.join(folder)).expect("a folder") {
            let name = entry.expect("a file").file_name();
            let kept = [".redb", ".sums", ".log", ".toml"];
            if kept.iter().any(|end| name.to_string_lossy().ends_with(end)) {
                names.push(Path::new(folder).join(name));
            }
        }
    }
    let read = |name: &PathBuf| Some((name.clone(), std::fs::read(dir.join(name)).ok()?));
    names.iter().filter_map(read).collect()
}

fn chance() -> Random {
    Arc::new(|bytes: &mut [u8]| bytes.fill(9))
}

fn place(disk: &FaultyFiles) -> ShopPlace {
    ShopPlace {
        files: Arc::new(disk.clone()),
        dir: SHOP.into(),
        lane: 1,
        chance: chance(),
        pid: 7,
        copy: None,
        reserve_bytes: 0,
    }
}

fn now() -> Now {
    Now { utc_ms: 1_796_100_000_000, offset_minutes: 540, clock: Clock::Given }
}

/// Every entry's hash, journal by journal.
fn hashes(disk: &FaultyFiles) -> Vec<(Epoch, Vec<Hash>)> {
    let history = History::new(Arc::new(disk.clone()), Path::new(SHOP));
    let journals = history.journals().expect("a folder");
    let of = |(lane, epoch)| {
        let reader = history.reader(lane, epoch).expect("a journal");
        (epoch, reader.iter_from(1).map(|record| record.expect("whole").hash).collect())
    };
    journals.into_iter().map(of).collect()
}

fn proved(disk: &FaultyFiles, case: &str) -> Audit {
    let audit =
        prove(&place(disk), &mut |_, _| {}).unwrap_or_else(|error| panic!("{case}: {error}"));
    assert_eq!(audit.found, [], "{case}");
    audit
}

/// Opens a shop as the app does.
fn open(disk: &FaultyFiles) -> Result<Opened, StoreError> {
    match place(disk).open(&mut |_, _| {}) {
        Err(StoreError::EpochDue) => place(disk).begin_epoch("restore", now(), &mut |_, _| {}),
        opened => opened,
    }
}

/// Whether the member's data can be read, which takes journal and keys of one shop; returns the next
/// receipt's number.
fn knows_hanako(disk: &FaultyFiles, case: &str) -> DocNo {
    let opened = open(disk).unwrap_or_else(|e| panic!("{case}: {e}"));
    let member = opened.shop.reader().member(HANAKO).expect("read").expect("a member");
    assert_eq!(member.personal.name, "山田 花子", "{case}");
    opened.lane.next_number(DocKind::Receipt)
}

fn unpack(disk: &FaultyFiles, over_newer: OverNewer) -> Result<(), StoreError> {
    let files: Arc<dyn Files> = Arc::new(disk.clone());
    let (backup, shop_dir) = (Path::new(STICK), Path::new(SHOP));
    Restore { files: &files, backup, shop_dir, chance: chance(), over_newer, pid: 1 }
        .run()
        .map(drop)
}

fn restore(disk: &FaultyFiles, over_newer: OverNewer) -> Result<(), StoreError> {
    unpack(disk, over_newer)?;
    place(disk).begin_epoch("restore", now(), &mut |_, _| {})?.shop.close()
}

/// Cuts a restore over a shop that knows more, one that knows as much, and an empty folder, at every
/// write, then once more while it is finished.
pub fn restore_cut(run: &Run) -> Figures {
    let two = Two::new();
    let new = {
        let disk = two.with_stick(&[]);
        unpack(&disk, OverNewer::Refuse).expect("into an empty folder");
        hashes(&disk)
    };
    let mut cuts = 0;
    for (olds, files) in [("more", &two.today), ("as much", &two.yesterday)] {
        let disk = two.with_stick(files);
        let old = hashes(&disk);
        unpack(&disk, OverNewer::Replace).expect("unpacked");
        let unpacking = disk.counts().changes;
        restore(&disk, OverNewer::Replace).expect("restored");
        let writes = disk.counts().changes - unpacking;
        knows_hanako(&disk, "whole");
        let step = run.of(97, 7, 1);
        for case in run.cases(writes * 5 * 2) {
            if case % step != 0 && run.case.is_none() {
                continue;
            }
            let (at, mut keep) = (case / 10 + 1, Keep::ALL[(case / 2 % 5) as usize]);
            if at > unpacking && keep == Keep::Random {
                // The keys are open now, and redb's file does not survive a length between its old and
                // its new one, which no journaling file system gives it.
                keep = Keep::Everything;
            }
            let what = format!("over a shop that knows {olds}, cut at write {at}, {keep:?}");
            let disk = two.with_stick(files);
            disk.cut_at(at);
            let done = restore(&disk, OverNewer::Replace);
            disk.power_cut(keep, run.seed ^ case);
            if case % 2 == 1 {
                disk.cut_at(1 + run.chance(case).below(40));
                let _ = open(&disk); // Cut again while it is finished.
                // A file system gives a file that was cut or grown its old length or its new one.
                let again = if keep == Keep::Random { Keep::Everything } else { keep };
                disk.power_cut(again, run.seed ^ case ^ 1);
            }
            run.tell(&what);
            old_or_new(&disk, &old, &new, done.is_ok(), &what);
            cuts += 1;
        }
    }
    Figures::default().and(cuts, "restores cut off").and(0, "neither old nor new")
}

/// What a restore left is one shop of the two, whole, and the new one when it said that it was done.
fn old_or_new(
    disk: &FaultyFiles,
    old: &[(Epoch, Vec<Hash>)],
    new: &[(Epoch, Vec<Hash>)],
    done: bool,
    what: &str,
) {
    let next = knows_hanako(disk, what);
    let found = hashes(disk);
    let is_new = found[0] == new[0] && found.len() == 2;
    assert!(found == old || is_new, "{what}: neither old nor new");
    assert_eq!(is_new, next.to_string() == "01b-000001", "{what}: {next}");
    assert!(!done || is_new, "{what}: done, and undone");
    proved(disk, what);
}

/// Restores from a stick and to a disk of which any call fails, once or until it is mended: pulled, full,
/// read-only, interrupted. Half of the failures end with the power.
pub fn restore_fault(run: &Run) -> Figures {
    let two = Two::new();
    let disk = two.with_stick(&two.today);
    let old = hashes(&disk);
    disk.reset_counts();
    unpack(&disk, OverNewer::Replace).expect("unpacked");
    let new = hashes(&disk);
    let disk = two.with_stick(&two.today);
    restore(&disk, OverNewer::Replace).expect("restored");
    let calls = disk.counts().calls;
    let kinds = FaultKind::ALL.len() as u64;
    let step = run.of(307, 23, 1);
    let mut refused = 0;
    let mut done = 0;
    for case in run.cases(calls.div_ceil(step) * kinds * 2) {
        let (n, kind) =
            (case / (kinds * 2) * step + 1, FaultKind::ALL[(case / 2 % kinds) as usize]);
        let lasting = [Lasting::Once, Lasting::Sticky][(case % 2) as usize];
        let what = format!("{kind:?} {lasting:?} at call {n}");
        run.tell(&what);
        let disk = two.with_stick(&two.today);
        disk.fail_at(n, kind, lasting);
        let said = restore(&disk, OverNewer::Replace);
        disk.heal();
        if n % 2 == 0 {
            disk.power_cut(Keep::Nothing, run.seed ^ case);
        }
        old_or_new(&disk, &old, &new, said.is_ok(), &what);
        refused += u64::from(said.is_err());
        done += 1;
    }
    Figures::default()
        .and(done, "restores with a fault")
        .and(refused, "refused in words")
        .and(0, "neither old nor new")
}

/// Writes a backup to a stick that is full, failing or pulled at every call: it bears its name only
/// when it can be read back.
pub fn backup_cut(run: &Run) -> Figures {
    let two = Two::new();
    let keys = |disk: &FaultyFiles| {
        Keys::open(Arc::new(disk.clone()), Path::new("/shop/keys.redb"), chance()).expect("keys")
    };
    let write = |disk: &FaultyFiles, keys: &Keys| {
        let files: Arc<dyn Files> = Arc::new(disk.clone());
        backup::write(&files, Path::new(SHOP), keys, Path::new("/stick/new.regi"))
    };
    let disk = Two::disk(&two.today);
    let opened = keys(&disk);
    disk.reset_counts();
    write(&disk, &opened).expect("a backup");
    let (calls, changes) = (disk.counts().calls, disk.counts().changes);
    let faults = FaultKind::ALL.len() as u64;
    let mut done = 0;
    for case in run.cases(calls * faults + changes * 5) {
        let disk = Two::disk(&two.today);
        let opened = keys(&disk);
        disk.reset_counts();
        let written = if case < calls * faults {
            let kind = FaultKind::ALL[(case % faults) as usize];
            disk.fail_at(case / faults + 1, kind, Lasting::Sticky);
            let written = write(&disk, &opened);
            disk.heal();
            written
        } else {
            let cut = case - calls * faults;
            disk.cut_at(cut / 5 + 1);
            let written = write(&disk, &opened);
            disk.power_cut(Keep::ALL[(cut % 5) as usize], run.seed ^ case);
            written
        };
        let listed = disk.list(Path::new("/stick")).expect("the stick");
        let named = listed.iter().any(|name| name == "new.regi");
        let sound = backup::check(&disk, Path::new("/stick/new.regi")).is_ok();
        run.tell(format_args!("written {}, named {named}, sound {sound}", written.is_ok()));
        assert!(!named || sound, "case {case}: a backup that is none bears the name of one");
        assert!(written.is_err() || sound, "case {case}: said to be written");
        done += 1;
    }
    Figures::default().and(done, "backups cut off").and(0, "listed as good and not")
}

/// Gives the store another version and cuts its making anew at every write.
pub fn store_version_cut(run: &Run) -> Figures {
    let two = Two::new();
    let old = || {
        let disk = Two::disk(&two.today);
        let file = checked::open(&disk, Path::new("/shop/store.redb")).expect("the store");
        let db = redb_file::open(file, 1 << 20).expect("a store");
        let txn = db.begin_write().expect("a change");
        let other = codec::pack(&(SCHEMA + 1)).expect("a number");
        txn.open_table(META).expect("meta").insert("schema", other.as_slice()).expect("a row");
        txn.commit().expect("another version");
        drop(db);
        disk.reset_counts();
        disk
    };
    let disk = old();
    let mut told = 0;
    let opened = place(&disk).open(&mut |done, all| {
        assert!(done <= all, "{done} of {all}");
        told += 1;
    });
    let opened = opened.expect("opened");
    assert!(opened.rebuilt && told > 0, "made anew, and says how far it is");
    let want = (opened.lane.grand_total, opened.lane.last_numbers.clone());
    drop(opened);
    let writes = disk.counts().changes;
    let step = run.of(41, 3, 1);
    let mut cuts = 0;
    for case in run.cases(writes * 5) {
        if case % step != 0 && run.case.is_none() {
            continue;
        }
        let disk = old();
        disk.cut_at(case / 5 + 1);
        let _ = place(&disk).open(&mut |_, _| {}); // It dies in here.
        disk.power_cut(Keep::ALL[(case % 5) as usize], run.seed ^ case);
        let what = format!("cut at write {}", case / 5 + 1);
        run.tell(&what);
        let opened = place(&disk).open(&mut |_, _| {}).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!((opened.lane.grand_total, opened.lane.last_numbers.clone()), want, "{what}");
        drop(opened);
        proved(&disk, &what);
        cuts += 1;
    }
    Figures::default().and(cuts, "upgrades cut off").and(0, "figures changed")
}

/// An entry of a later version, in a chain that is whole: said in words, and never sold behind.
pub fn later_version(_: &Run) -> Figures {
    let two = Two::new();
    let disk = Two::disk(&two.today);
    let history = History::new(Arc::new(disk.clone()), Path::new(SHOP));
    let reader = history.reader(1, Epoch::FIRST).expect("a journal");
    let last = reader.read(reader.head().seq).expect("the last entry");
    let entry = codec::decode_entry(&last.body).expect("an entry");
    assert!(matches!(entry.kind, Kind::PaidIn { .. } | Kind::PrintEnded { .. }), "{entry:?}");
    let mut body = last.body.clone();
    body[0] = codec::VERSION + 1;
    let before = regi::store::chain::Head { seq: last.seq - 1, hash: last.prev_hash };
    let mut record = Vec::new();
    let (writing, rest) = (Writing::First, Rest::Nothing);
    regi::store::record::put(&mut record, before, writing, rest, &body);
    let path = Path::new("/shop/journal").join(last.segment.to_string());
    disk.open(&path).expect("a segment").write_at(last.offset, &record).expect("written");
    for name in ["store.redb", "cart.log"] {
        disk.remove(&Path::new(SHOP).join(name)).expect("the witnesses go");
    }
    let refused = place(&disk).open(&mut |_, _| {}).err().expect("not opened").to_string();
    assert!(refused.contains("later version (2)"), "{refused}");
    let audit = prove(&place(&disk), &mut |_, _| {}).expect("proved");
    assert_eq!(audit.found.first().map(|found| found.place()), Some(last.seq), "{:?}", audit.found);
    Figures::default().and(1, "entry of a later version named")
}
