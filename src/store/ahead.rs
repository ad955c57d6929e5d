//! An import sorted in while its file is read and its entries are on their way to the journal.
//!
//! Room: store. May touch: the store's database, in memory only.
//! Invariant: the rows are on the disk with the entry that closes them, or never: a file with a fault takes
//! them out again, and so does whatever else comes first, by having the store made anew from the journal.
//! Only who has the shop alone may sort in ahead: between the last row and the entry that closes them a
//! reader would see them. As long as they may not count, the file says that its pages may show somebody
//! who is not in it.

use crossbeam_channel::{Receiver, Sender, bounded};
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTableMetadata, WriteTransaction};

use super::fault::StoreError;
use super::folding::{Step, set_durability};
use super::imports::{Ready, Rows, import_of};
use super::keys::Keys;
use super::progress::Progress;
use super::tables::ERASED;
use crate::domain::entry::{Entry, Kind};

/// Entries' worth of rows that may be under way, while the tables take what waited: about 2 MB.
const UNDER_WAY: usize = 16;

/// What an import's file gives, in order.
enum Sent {
    Rows(Ready),
    /// That was all, and no row had a fault.
    Whole,
}

/// Sends an import's rows to where they are sorted in; dropped, it takes them out again.
pub struct Sending(Sender<Sent>);

impl Sending {
    /// Waits while many are under way. After a failure there nobody takes them: the entries bring them.
    pub(super) fn send(&self, rows: Ready) {
        let _ = self.0.send(Sent::Rows(rows));
    }

    /// Says that those were all, and that they are good.
    pub fn end(self) {
        let _ = self.0.send(Sent::Whole);
    }
}

/// The rows of an import as they come.
pub struct Arriving {
    rows: Receiver<Sent>,
    ticket: Ticket,
}

impl Arriving {
    /// Begins an import whose balances hold from `day`; `erasures` is what the keys say now.
    pub fn new(import: u128, day: i32, erasures: u64) -> (Sending, Self) {
        let (sender, rows) = bounded(UNDER_WAY);
        (Sending(sender), Self { rows, ticket: Ticket { import, day, rows: 0, erasures } })
    }
}

/// Rows that stand in the tables, and the entries that brought them so far.
pub struct Ahead {
    ticket: Ticket,
    /// As many as the import has entries, without their rows.
    steps: Vec<Step>,
}

/// Whose rows these are: only the entry that says the same closes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    pub import: u128,
    /// From which balances hold.
    pub day: i32,
    pub rows: u64,
    /// Members erased before: one erased since must not come back by what was read of a file.
    pub erasures: u64,
}

impl Ticket {
    fn closes(self, entry: &Entry, erasures: u64) -> bool {
        let day = entry.header.business_date;
        match entry.kind {
            Kind::ImportClosed { import, rows } => self == Self { import, day, rows, erasures },
            _ => false,
        }
    }
}

/// What becomes of an import when its own entries come.
pub enum Came {
    /// Its last entry is still to come.
    Waiting(Ahead),
    /// Its last is among them: they count with the rows.
    Whole(u128, Vec<Step>),
}

/// In `ERASED`: rows stand in the tables whose entries are still to come.
const IS_AHEAD: u8 = 1;

/// Returns whether rows stand in the tables that the journal did not bring: they are nobody's.
pub fn is_ahead(txn: &ReadTransaction) -> Result<bool, StoreError> {
    Ok(txn.open_table(ERASED)?.get(IS_AHEAD)?.is_some())
}

/// Lets the rows count, with what else this transaction changes.
pub fn close(txn: &WriteTransaction) -> Result<(), StoreError> {
    txn.open_table(ERASED)?.remove(IS_AHEAD)?;
    Ok(())
}

impl Ahead {
    /// Sorts the rows in as they come; `None` when there are none, or their file is given up.
    pub fn of(
        db: &Database,
        arriving: &Arriving,
        progress: &Progress,
    ) -> Result<Option<Self>, StoreError> {
        let Ok(Sent::Rows(first)) = arriving.rows.recv() else { return Ok(None) };
        let is_new = matches!(first, Ready::Members(_)) && mark(db)?;
        let mut txn = db.begin_write()?;
        if is_new {
            txn.open_table(ERASED)?.remove(0)?;
        }
        let mut ticket = arriving.ticket;
        let mut rows = Rows::open(&txn, ticket.day)?.of_different();
        let mut sent = Ok(Sent::Rows(first));
        while let Ok(Sent::Rows(ready)) = sent {
            ticket.rows += ready.rows();
            rows.take(ready, progress)?;
            sent = arriving.rows.recv();
        }
        if sent.is_err() {
            return Ok(None); // The file is given up.
        }
        rows.close()?;
        // Most of a commit's work is done while the journal is written. A power cut forgets it.
        txn.open_table(ERASED)?.insert(IS_AHEAD, ())?;
        set_durability(&mut txn, false)?;
        txn.commit()?;
        Ok(Some(Self { ticket, steps: Vec::new() }))
    }

    /// Returns whether something else comes before the import's own last entry, or a last entry that does
    /// not close these rows.
    pub fn is_overtaken_by(&self, steps: &[Step], keys: &Keys) -> bool {
        let other = steps.iter().find(|step| !self.is_own(step));
        other.is_some_and(|step| !self.ticket.closes(&step.entry, keys.erasures()))
    }

    fn is_own(&self, step: &Step) -> bool {
        !step.entry.header.training && import_of(&step.entry.kind) == Some(self.ticket.import)
    }

    /// Takes up entries that do not overtake it.
    pub fn take(mut self, steps: &[Step]) -> Came {
        let is_whole = !steps.iter().all(|step| self.is_own(step));
        self.steps.extend_from_slice(steps);
        if is_whole { Came::Whole(self.ticket.import, self.steps) } else { Came::Waiting(self) }
    }
}

/// Has the file made anew at the next start or end, unless this is taken back; returns whether nobody
/// wanted that before.
fn mark(db: &Database) -> Result<bool, StoreError> {
    if !db.begin_read()?.open_table(ERASED)?.is_empty()? {
        return Ok(false);
    }
    let mut txn = db.begin_write()?;
    txn.open_table(ERASED)?.insert(0, ())?;
    set_durability(&mut txn, true)?;
    txn.commit()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::domain::entry::{Clock, Header};
    use crate::store::chain::{Hash, Head};
    use crate::store::codec;
    use crate::store::files::faulty::FaultyFiles;
    use crate::store::folding::Folder;
    use crate::store::imports::{Past, Span};
    use crate::store::keys::tests::keys_on;
    use crate::store::lanes::Folded;
    use crate::store::opening::Checkpoint;
    use crate::store::segment::{Month, Place};
    use crate::store::staging::{self, Coming, Sorting, Stage};
    use crate::store::test_shop::imported;
    use crate::store::{members, projections};

    const DAY: i32 = 739_942;

    /// A journal that nobody may ask: the rows are in already.
    struct Journal;

    impl Past for Journal {
        fn each(
            &self,
            _: &Span,
            _: &mut dyn FnMut(Entry) -> Result<(), StoreError>,
        ) -> Result<(), StoreError> {
            panic!("the rows are in already")
        }
    }

    fn header(seq: u64) -> Header {
        Header {
            shop: 7,
            lane: 1,
            epoch: 0,
            seq,
            stamp: seq,
            at_ms: 1_795_000_000_000,
            offset_minutes: 540,
            clock: Clock::System,
            business_date: DAY,
            staff: 3,
            training: false,
        }
    }

    fn step(entry: &Entry) -> Step {
        let place = Place { month: Month::from_number(202_611).unwrap(), part: 0 };
        let seq = entry.header.seq;
        let head = Head { seq, hash: Hash::from_bytes([7; 32]) };
        let place = Folded::at(0, &Checkpoint { place, offset: seq * 1_000, head });
        Step { entry: entry.clone(), place }
    }

    fn entry(seq: u64, kind: Kind) -> Entry {
        Entry { header: header(seq), kind }
    }

    /// A shop's keys, and two members of a file on their way to its store.
    fn two_members() -> (FaultyFiles, Arc<Keys>, Stage, Arriving) {
        let files = FaultyFiles::new();
        let keys = Arc::new(keys_on(&files));
        let import = Coming { import: 7, day: DAY, wanted: 2, sorting: Sorting::Ahead };
        let (stager, mut stage, arriving) = staging::begin(&keys, Path::new("/"), import).unwrap();
        for code in ["m1", "m2"] {
            let mut member = imported(code, "山田 太郎", "ヤマダタロウ", "0312345678", 50);
            let mut batch = stager.begin(1);
            batch.seal(&mut member).unwrap();
            let kind = Kind::MembersImported { import: 7, members: vec![member] };
            stage.push(batch.end(kind).unwrap()).unwrap();
        }
        (files, keys, stage, arriving.unwrap())
    }

    fn empty_store(files: &FaultyFiles) -> Arc<Database> {
        Arc::new(projections::create(files, Path::new("/store.redb")).unwrap())
    }

    /// A store that two members are on their way to, the entries 1 and 2 that bring them, and theirs
    /// sorted in ahead.
    fn coming() -> (Arc<Database>, Folder, Vec<Entry>) {
        let (files, keys, mut stage, arriving) = two_members();
        stage.end();
        stage.write_keys(&keys).unwrap();
        let entry = |(seq, kind): (u64, std::io::Result<Vec<u8>>)| {
            codec::decode_entry(&codec::body_of(&header(seq), &kind.unwrap()).unwrap()).unwrap()
        };
        let entries: Vec<Entry> = (1..).zip(stage.into_kinds().unwrap()).map(entry).collect();
        let db = empty_store(&files);
        let mut folder = Folder::open(db.clone(), keys, Box::new(Journal)).unwrap();
        folder.sort_in_ahead(&arriving).unwrap();
        (db, folder, entries)
    }

    fn is_marked(db: &Database) -> bool {
        !db.begin_read().unwrap().open_table(ERASED).unwrap().is_empty().unwrap()
    }

    /// Whether rows stand in the tables ahead of their journal.
    fn stands(db: &Database) -> bool {
        is_ahead(&db.begin_read().unwrap()).unwrap()
    }

    fn found(db: &Database) -> usize {
        let txn = db.begin_read().unwrap();
        let find = |code: &&str| members::by_code(&txn, code).unwrap().is_some();
        ["m1", "m2"].iter().filter(|code| find(code)).count()
    }

    #[test]
    fn rows_count_with_the_entry_that_closes_their_import() {
        let (db, mut folder, entries) = coming();
        entries.iter().for_each(|entry| folder.fold(&[step(entry)]).unwrap());
        assert_eq!((stands(&db), is_marked(&db), folder.folded(1)), (true, true, None));
        let close = Kind::ImportClosed { import: 7, rows: 2 };
        folder.fold(&[step(&entry(3, close)), step(&entry(4, Kind::TrainingBegan))]).unwrap();
        assert_eq!((found(&db), stands(&db), is_marked(&db)), (2, false, false));
        assert_eq!(folder.folded(1).unwrap().seq, 4);
    }

    #[test]
    fn rows_of_a_file_that_is_given_up_are_out_again() {
        let (files, keys, stage, arriving) = two_members();
        drop(stage);
        let db = empty_store(&files);
        let mut folder = Folder::open(db.clone(), keys, Box::new(Journal)).unwrap();
        folder.sort_in_ahead(&arriving).unwrap();
        assert_eq!((found(&db), is_marked(&db), folder.is_ahead()), (0, true, false));
        folder.fold(&[step(&entry(1, Kind::TrainingBegan))]).unwrap();
        assert_eq!(folder.folded(1).unwrap().seq, 1);
    }

    #[test]
    fn other_rows_than_were_sorted_in_are_not_taken_for_them() {
        let (_, mut folder, entries) = coming();
        folder.fold(&[step(&entries[0])]).unwrap();
        let training = entry(2, Kind::TrainingBegan);
        let fewer = entry(3, Kind::ImportClosed { import: 7, rows: 3 });
        let next = [step(&entries[1]), step(&fewer)];
        assert!(folder.is_overtaken_by(&[step(&training)]) && folder.is_overtaken_by(&next));
        assert!(!folder.is_overtaken_by(&next[..1]));
    }

    #[test]
    fn what_a_power_cut_or_an_end_leaves_of_it_is_no_store() {
        let (files, keys, mut stage, arriving) = two_members();
        stage.end();
        let db = empty_store(&files);
        let mut folder = Folder::open(db.clone(), keys, Box::new(Journal)).unwrap();
        folder.sort_in_ahead(&arriving).unwrap();
        drop((db, folder)); // What was not made durable is written as the file is closed.
        assert!(projections::open(&files, Path::new("/store.redb")).is_none());
    }
}
