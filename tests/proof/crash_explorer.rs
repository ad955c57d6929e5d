//! The power fails at every write of random working days, and again while the register stands up.
//!
//! Room: tests. May touch: the library over a disk in memory.
//! Invariant: what was acknowledged is there after every cut, once and whole. A case is one day; its
//! images are every change of the disk, each with what a cut may keep of the unsynced bytes.

use regi::store::files::faulty::{FaultyFiles, Keep};

use crate::run::{Chance, Figures, Run, Tally};
use crate::shop::books::Books;
use crate::shop::desk::{Copying, Desk};
use crate::shop::lived::Lived;
use crate::shop::seen::{self, Unfit};
use crate::shop::step::Step;

/// Steps of a day.
const STEPS: usize = 60;
/// Chances a cut takes with bytes it may keep or not.
const RANDOM_CUTS: [Keep; 8] = [
    Keep::Nothing,
    Keep::Everything,
    Keep::Random,
    Keep::Random,
    Keep::Torn(512),
    Keep::Torn(512),
    Keep::Torn(4096),
    Keep::Torn(4096),
];
/// Changes of the disk within which a second cut strikes a register that stands up.
const SECOND_CUT_WITHIN: u64 = 40;

/// Walks through working days.
pub fn days(run: &Run) -> Figures {
    let days = run.of(1, 8, 520);
    let tally = run.in_parallel(days, |day, tally| explore_day(run, day, tally));
    tally.figures(&["days", "images", "cut again", "cut a third time", "lost", "doubled"])
}

fn explore_day(run: &Run, day: u64, tally: &Tally) {
    let mut chance = run.chance(day);
    let copying = if chance.below(3) == 0 { Copying::On } else { Copying::Off };
    let (seed, mut left) = (chance.next(), if run.is_short() { 12 } else { STEPS });
    let mut drawn = chance.clone();
    let lived = Lived::through(copying, seed, |books| {
        left = left.checked_sub(1)?;
        Some(Step::any(books, &mut drawn))
    });
    tally.add("days", 1);
    explore(run, &lived, &mut chance, tally);
}

/// Cuts the power at every change of the film.
pub fn explore(run: &Run, lived: &Lived, chance: &mut Chance, tally: &Tally) {
    for (place, frame) in lived.film.frames().iter().enumerate() {
        // Where nothing is unsynced every cut leaves the same.
        let cuts = match (frame.is_unsynced(), run.is_short()) {
            (true, false) => &RANDOM_CUTS[..],
            (true, true) => &RANDOM_CUTS[place % RANDOM_CUTS.len()..][..1],
            (false, _) => &RANDOM_CUTS[..1],
        };
        for keep in cuts {
            let seed = chance.next();
            run.tell(format_args!("frame {place} after step {}: {keep:?} {seed}", frame.mark()));
            let disk = frame.disk();
            disk.power_cut(*keep, seed);
            cut_again(&disk, lived, frame.mark(), &mut Chance::new(seed), tally);
            let mark = usize::try_from(frame.mark()).expect("few steps");
            if let Err(why) = stands_up(&disk, lived, mark) {
                panic!("frame {place}, {keep:?} {seed}: {why}");
            }
            tally.add("images", 1);
        }
    }
}

/// A quarter of the cuts is followed by one while the register stands up, a quarter of those twice.
fn cut_again(disk: &FaultyFiles, lived: &Lived, mark: u64, chance: &mut Chance, tally: &Tally) {
    for name in ["cut again", "cut a third time"] {
        if chance.below(4) > 0 {
            return;
        }
        disk.cut_at(1 + chance.below(SECOND_CUT_WITHIN));
        let moment = lived.told[mark as usize].moment;
        drop(Desk::open(disk, lived.copying, moment, lived.seed));
        let keep = RANDOM_CUTS[chance.below(RANDOM_CUTS.len() as u64) as usize];
        disk.power_cut(keep, chance.next());
        tally.add(name, 1);
    }
}

/// Opens what a cut has left, holds it against what was acknowledged, and sells on.
fn stands_up(disk: &FaultyFiles, lived: &Lived, mark: usize) -> Result<(), String> {
    let moment = lived.told[mark].moment;
    let desk = Desk::open(disk, lived.copying, moment, lived.seed ^ 1);
    let mut desk = desk.map_err(|fault| format!("does not open: {fault}"))?;
    let shown =
        seen::books(&desk.engine, &lived.told[mark].books).map_err(|unfit| unfit.to_string())?;
    let at = lived.judge(mark, &shown)?;
    let mut books = Books { cart: shown.cart, ..lived.told[at].books.clone() };
    desk.moment = lived.told[at].moment;
    sells_on(&mut desk, &mut books).map_err(|unfit| unfit.to_string())?;
    desk.engine.shop.close();
    Ok(())
}

/// The customer at the counter is served to the end, and the next one too.
pub fn sells_on(desk: &mut Desk, books: &mut Books) -> Result<(), Unfit> {
    let next = Step::Scan("101".to_owned());
    let fewer = Step::fewer_points(books);
    let is_left = !books.cart.lines.is_empty() && fewer != Some(Step::GiveUp);
    let end = fewer.into_iter().chain(is_left.then_some(Step::Cash));
    for step in end.chain([next, Step::Cash, Step::PaidIn(10)]) {
        let made = desk.give(&step, books)?;
        books.note(&step, made.as_deref());
    }
    let shown = seen::books(&desk.engine, books)?;
    if shown.on_record() == books.on_record() {
        return Ok(());
    }
    let why = format!("selling on came to {:#?}\nnot {:#?}", shown.on_record(), books.on_record());
    Err(Unfit::Shown(why))
}
