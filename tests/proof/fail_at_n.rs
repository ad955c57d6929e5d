//! The disk fails its n-th call, for every n, once or until it is mended.
//!
//! Room: tests. May touch: the library over a disk in memory.
//! Invariant: a step is answered and true, or refused in words and not there; once the cause is gone the
//! same register goes on, without a restart by hand.

use std::fmt;
use std::time::{Duration, Instant};

use regi::domain::refusal::{Refusal, RefusalCode};
use regi::store::files::faulty::{FaultKind, FaultyFiles, Keep, Lasting};

use crate::run::{Figures, Run, Tally};
use crate::shop::books::Books;
use crate::shop::desk::{Copying, Desk};
use crate::shop::lived::Start;
use crate::shop::seen::{self, Unfit};
use crate::shop::step::Step;

/// How often a step is tried again once the cause is gone, and how long in between: a store is made
/// anew meanwhile.
const TRIES: u32 = 200;
const BETWEEN: Duration = Duration::from_millis(5);
/// How often a fault that stays is met before its cause goes away.
const STUBBORN: u32 = 4;
/// Staff are told within this time.
const ANSWERED: Duration = Duration::from_millis(100);

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
    // Once and for good, each kind; fewer of the calls where seconds must do.
    let stride = run.of(calls / 2, 3, 1);
    let ways = FaultKind::ALL.len() as u64 * 2;
    let tally = run.in_parallel(calls.div_ceil(stride) * ways, |case, tally| {
        let fault = Fault {
            n: case / ways * stride + 1,
            kind: FaultKind::ALL[(case % ways / 2) as usize],
            lasting: [Lasting::Once, Lasting::Sticky][(case % 2) as usize],
        };
        let slowest = fail(&start, fault, tally);
        // A machine that is busy elsewhere is slow once, a register that waits is slow each time.
        let quicker = || fail(&start, fault, &Tally::default()).min(slowest);
        let slowest = (0..3).fold(slowest, |slowest, _| match slowest > ANSWERED {
            true => quicker(),
            false => slowest,
        });
        assert!(slowest <= ANSWERED || run.is_short(), "{fault}: said after {slowest:?}");
        tally.most("ms the slowest refusal took", slowest.as_millis() as u64);
    });
    let names = [
        "days",
        "refused",
        "cut right behind it",
        "ms the slowest refusal took",
        "lost",
        "doubled",
    ];
    tally.figures(&names)
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

#[derive(Clone, Copy)]
struct Fault {
    n: u64,
    kind: FaultKind,
    lasting: Lasting,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} at call {}", self.kind, self.lasting, self.n)
    }
}

/// Lives through a day with the fault in it; returns how long the slowest refusal took.
fn fail(start: &Start, fault: Fault, tally: &Tally) -> Duration {
    let disk = start.fork();
    disk.fail_at(fault.n, fault.kind, fault.lasting);
    let opened = Desk::open_at(&disk, &disk, start);
    let mut desk = opened.unwrap_or_else(|said| {
        assert!(!said.to_string().is_empty(), "{fault}");
        tally.add("refused", 1);
        disk.heal();
        let again = Desk::open_at(&disk, &disk, start);
        again.unwrap_or_else(|said| panic!("{fault}: does not open afterwards: {said}"))
    });
    let mut books = start.books.clone();
    let mut slowest = Duration::ZERO;
    let mut was_cut = false;
    for step in day(&books) {
        let given = give(&mut desk, &step, &books, fault.lasting);
        let given = given.unwrap_or_else(|why| panic!("{fault}: {step:?}: {why}"));
        books.note(&step, given.made.as_deref());
        slowest = slowest.max(given.slowest);
        tally.add("refused", given.refused);
        if given.refused > 0 && !was_cut {
            // What is acknowledged after a refusal is on the disk, not only in its cache.
            was_cut = true;
            let cut = disk.fork();
            cut.power_cut(Keep::Nothing, fault.n);
            stands(&cut, start, &books)
                .unwrap_or_else(|why| panic!("{fault}: cut after {step:?}: {why}"));
            tally.add("cut right behind it", 1);
        }
    }
    disk.heal();
    same(&desk, &books).unwrap_or_else(|why| panic!("{fault}: {why}"));
    desk.engine.shop.close();
    let again = Desk::open_at(&disk, &disk, start);
    let again = again.unwrap_or_else(|said| panic!("{fault}: {said}"));
    same(&again, &books).unwrap_or_else(|why| panic!("{fault} and a restart: {why}"));
    tally.add("days", 1);
    slowest
}

/// Opens what a cut has left, which holds everything on record, keys too.
fn stands(disk: &FaultyFiles, start: &Start, books: &Books) -> Result<(), String> {
    let desk = Desk::open_at(disk, disk, start).map_err(|said| said.to_string())?;
    let shown = seen::books(&desk.engine, books).map_err(|unfit| unfit.to_string())?;
    if shown.on_record() == books.on_record() {
        return Ok(());
    }
    Err(format!("shown: {:#?}\nacknowledged: {:#?}", shown.on_record(), books.on_record()))
}

/// How a step was answered in the end.
#[derive(Default)]
struct Given {
    /// The code of a new member.
    made: Option<String>,
    refused: u64,
    slowest: Duration,
}

/// Gives a step until it is answered. A fault that stays is met some times more, in words each time;
/// then the cause goes away.
fn give(desk: &mut Desk, step: &Step, books: &Books, lasting: Lasting) -> Result<Given, Refusal> {
    let mut given = Given::default();
    let stubborn = if lasting == Lasting::Sticky { STUBBORN } else { 0 };
    for left in (0..=stubborn + TRIES).rev() {
        let begun = Instant::now();
        let refusal = match desk.give(step, books) {
            Ok(made) => return Ok(Given { made, ..given }),
            Err(refusal) => refusal,
        };
        if left >= TRIES {
            given.slowest = given.slowest.max(begun.elapsed());
            given.refused += 1;
            assert!(
                matches!(refusal.code, RefusalCode::Damaged | RefusalCode::Full),
                "{step:?} is refused for another reason than the disk: {refusal}"
            );
        }
        if left == 0 {
            return Err(refusal);
        }
        if left == TRIES {
            desk.files.heal();
        } else if left < TRIES {
            std::thread::sleep(BETWEEN);
        }
    }
    unreachable!("the last try returns")
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

/// Fills the disk while the register sells: what does not fit is refused as full, the sale that is open
/// ends and the Z is made on the reserve, and room that comes back is used without a restart.
pub fn full_disk(run: &Run) -> Figures {
    let (desk, books) = Desk::found(Copying::On, run.seed);
    let start = Start::of(desk, books);
    let tally = run.in_parallel(run.of(3, 48, 480), |case, tally| fill(&start, case, tally));
    tally.figures(&[
        "disks filled",
        "sales on the way",
        "refused as full",
        "Zs on the reserve",
        "figures refused meanwhile",
        "lost",
    ])
}

/// Bytes by which the disks of two cases differ: no multiple of a sector, so that each case ends elsewhere.
const FILLED_IN: u64 = 333;

fn fill(start: &Start, case: u64, tally: &Tally) {
    let disk = start.fork();
    let mut desk = Desk::open_at(&disk, &disk, start).expect("an honest disk");
    desk.quiet();
    disk.set_capacity(disk.used() + case * FILLED_IN);
    let mut books = start.books.clone();
    let sell = |desk: &mut Desk, books: &mut Books, step: &Step| -> Result<(), Refusal> {
        let made = desk.give(step, books)?;
        books.note(step, made.as_deref());
        if *step == Step::Close {
            desk.moment.minutes = 0; // However long the day was.
        }
        Ok(())
    };
    // The customer at the counter, and a whole day's end, fit into what was kept back.
    for step in [scan("101"), scan("102"), Step::Cash, Step::Look, Step::Close] {
        let given = sell(&mut desk, &mut books, &step);
        given.unwrap_or_else(|why| panic!("case {case}: {step:?} on the reserve: {why}"));
    }
    tally.add("Zs on the reserve", 1);
    let mut days = vec![[scan("103"), Step::Cash]; 100].concat();
    days.push(Step::Close);
    let refusal = days.iter().cycle().find_map(|step| {
        tally.add("sales on the way", u64::from(*step == Step::Cash));
        sell(&mut desk, &mut books, step).err()
    });
    let refusal = refusal.expect("a disk ends");
    assert_eq!(refusal.code, RefusalCode::Full, "case {case}: {refusal}");
    tally.add("refused as full", 1);
    match seen::shown(&desk.engine, &books) {
        Ok(shown) => {
            assert_eq!(shown.on_record(), books.on_record(), "case {case}: shown when full")
        }
        Err(Unfit::Told(_)) => tally.add("figures refused meanwhile", 1),
        Err(Unfit::Shown(why)) => panic!("case {case}: shown when full: {why}"),
    }
    disk.heal();
    let rest =
        if books.cart.lines.is_empty() { vec![scan("104"), Step::Cash] } else { vec![Step::Cash] };
    for step in rest.into_iter().chain([Step::Idle, scan("105"), Step::Cash]) {
        let given = give(&mut desk, &step, &books, Lasting::Once);
        let given = given.unwrap_or_else(|why| panic!("case {case}: room again: {step:?}: {why}"));
        books.note(&step, given.made.as_deref());
    }
    disk.power_cut(Keep::Nothing, case);
    stands(&disk, start, &books).unwrap_or_else(|why| panic!("case {case}: {why}"));
    tally.add("disks filled", 1);
}
