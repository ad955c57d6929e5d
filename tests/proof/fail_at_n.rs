//! The disk fails its n-th call, for every n, once or until it is mended.
//!
//! Room: tests. May touch: the library over a disk in memory.
//! Invariant: a step is answered and true, or refused in words and not there; once the cause is gone the
//! same register goes on, without a restart by hand.

use std::time::{Duration, Instant};

use regi::domain::refusal::{Refusal, RefusalCode};
use regi::store::files::faulty::{FaultKind, Lasting};

use crate::run::{Figures, Run, Tally};
use crate::shop::books::Books;
use crate::shop::desk::{Copying, Desk};
use crate::shop::lived::Start;
use crate::shop::seen;
use crate::shop::step::Step;

/// How often a step is tried again once the cause is gone, and how long in between: a store is made
/// anew meanwhile.
const TRIES: u32 = 200;
const BETWEEN: Duration = Duration::from_millis(5);

fn scan(code: &str) -> Step {
    Step::Scan(code.to_owned())
}

/// A day with a little of everything.
fn day(books: &Books) -> Vec<Step> {
    let (next, slip) = (books.sales.len(), books.slips + 1);
    let code = |code: &str| code.to_owned();
    vec![
        scan("101"),
        Step::Enrol { phone: code("09055556666") },
        scan("106"),
        Step::SyncCart,
        Step::Cash,
        scan("102"),
        Step::Park,
        Step::Price { code: code("103"), yen: 480 },
        scan("103"),
        Step::Credit,
        Step::VoidReceipt(next + 1),
        Step::TakeBack(slip),
        Step::Cash,
        Step::Return { sale: next + 2, line: 0, quantity: 1 },
        Step::Cash,
        Step::BringIn(vec![(code("201"), 700)]),
        Step::EndImport,
        Step::CountStock { code: code("104"), pieces: 9 },
        Step::Idle,
        Step::Look,
        Step::Close,
        Step::Restart,
        scan("104"),
        Step::Cash,
    ]
}

/// Fails every call of a day.
pub fn calls(run: &Run) -> Figures {
    let (desk, books) = Desk::found(Copying::On, run.seed);
    let start = Start::of(desk, books);
    let calls = calls_of_a_day(&start);
    // Once and for good, four kinds; fewer of the calls where seconds must do.
    let stride = run.of(calls / 2, 3, 1);
    let cases = calls.div_ceil(stride) * 8;
    let tally = run.in_parallel(cases, |case, tally| {
        let kind = FaultKind::ALL[(case % 4) as usize];
        let lasting = [Lasting::Once, Lasting::Sticky][(case / 4 % 2) as usize];
        fail(&start, case / 8 * stride + 1, kind, lasting, tally);
    });
    tally.figures(&["days", "refused", "ms the slowest refusal took", "lost", "doubled"])
}

fn calls_of_a_day(start: &Start) -> u64 {
    let disk = start.fork();
    disk.reset_counts();
    let mut desk = Desk::open_at(&disk, &disk, start).expect("an honest disk");
    let mut books = start.books.clone();
    for step in day(&books) {
        let made = desk.give(&step, &books).unwrap_or_else(|refusal| panic!("{step:?}: {refusal}"));
        books.note(&step, made.as_deref());
        desk.quiet();
    }
    disk.counts().calls
}

fn fail(start: &Start, n: u64, kind: FaultKind, lasting: Lasting, tally: &Tally) {
    let case = || format!("{kind:?} {lasting:?} at call {n}");
    let disk = start.fork();
    disk.fail_at(n, kind, lasting);
    let opened = Desk::open_at(&disk, &disk, start);
    let mut desk = opened.unwrap_or_else(|said| {
        assert!(!said.to_string().is_empty(), "{}", case());
        tally.add("refused", 1);
        disk.heal();
        let again = Desk::open_at(&disk, &disk, start);
        again.unwrap_or_else(|fault| panic!("{}: does not open afterwards: {fault}", case()))
    });
    let mut books = start.books.clone();
    for step in day(&books) {
        let made = give(&mut desk, &step, &books, tally);
        let made = made.unwrap_or_else(|why| panic!("{}: {step:?}: {why}", case()));
        books.note(&step, made.as_deref());
    }
    disk.heal();
    same(&desk, &books).unwrap_or_else(|why| panic!("{}: {why}", case()));
    desk.engine.shop.close();
    let again = Desk::open_at(&disk, &disk, start);
    let again = again.unwrap_or_else(|fault| panic!("{}: {fault}", case()));
    same(&again, &books).unwrap_or_else(|why| panic!("{} and a restart: {why}", case()));
    tally.add("days", 1);
}

/// Gives a step until it is answered: a refusal has words, and the cause then goes away.
fn give(
    desk: &mut Desk,
    step: &Step,
    books: &Books,
    tally: &Tally,
) -> Result<Option<String>, Refusal> {
    let begun = Instant::now();
    let refusal = match desk.give(step, books) {
        Ok(made) => return Ok(made),
        Err(refusal) => refusal,
    };
    tally.most("ms the slowest refusal took", begun.elapsed().as_millis() as u64);
    tally.add("refused", 1);
    assert!(
        matches!(refusal.code, RefusalCode::Damaged | RefusalCode::Full),
        "{step:?} is refused for another reason than the disk: {refusal}"
    );
    desk.files.heal();
    let mut last = refusal;
    for _ in 0..TRIES {
        match desk.give(step, books) {
            Ok(made) => return Ok(made),
            Err(refusal) => last = refusal,
        }
        std::thread::sleep(BETWEEN);
    }
    Err(last)
}

fn same(desk: &Desk, books: &Books) -> Result<(), String> {
    let mut shown = seen::books(&desk.engine, books);
    for _ in 0..TRIES {
        if shown.is_ok() {
            break;
        }
        std::thread::sleep(BETWEEN);
        shown = seen::books(&desk.engine, books);
    }
    let shown = shown.map_err(|unfit| unfit.to_string())?;
    if shown.on_record() == books.on_record() && shown.cart == books.cart {
        return Ok(());
    }
    Err(format!("shown: {shown:#?}\nacknowledged: {books:#?}"))
}
