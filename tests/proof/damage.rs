//! Disks that lie about their last flushes, flip a bit or write a block where it does not belong.
//!
//! Room: tests. May touch: the library over a disk in memory.
//! Invariant: what is shown is right, or the damage is said before it is; never a panic. What was
//! acknowledged comes back from the second copy.

use std::path::{Path, PathBuf};

use regi::store::files::Files;
use regi::store::files::faulty::{FaultyFiles, Keep};
use regi::store::files::film::Lied;
use regi::store::repair::Source;

use crate::crash_explorer::sells_on;
use crate::run::{Chance, Figures, Run, Tally};
use crate::shop::books::Books;
use crate::shop::desk::{COPY, Copying, DIR, Desk, Moment, place};
use crate::shop::lived::{Lived, Start};
use crate::shop::seen::{self, Unfit};
use crate::shop::step::Step;

/// What a shop on a damaged disk came to.
enum Verdict {
    /// It shows what was acknowledged.
    Right,
    /// It says that something is wrong.
    Said(String),
    Wrong(String),
}

/// Opens the shop as the counter does and looks at everything it shows. Only the register's own words
/// count as said: a refusal to open, the verdict of its check, an act refused because of its data.
fn look(
    disk: &FaultyFiles,
    copy: &FaultyFiles,
    moment: Moment,
    seed: u64,
    fits: impl Fn(&Books) -> Result<Books, String>,
    known: &Books,
) -> Verdict {
    let mut desk = match Desk::open_with(disk, copy, Copying::Elsewhere, moment, seed) {
        Ok(desk) => desk,
        Err(fault) => return Verdict::Said(fault.to_string()),
    };
    desk.quiet();
    if let Some(said) = desk.check() {
        return Verdict::Said(said);
    }
    let looked = seen::shown(&desk.engine, known).and_then(|shown| {
        let mut books = fits(&shown).map_err(Unfit::Shown)?;
        sells_on(&mut desk, &mut books)
    });
    match looked {
        Ok(()) => Verdict::Right,
        Err(Unfit::Told(said)) => Verdict::Said(said),
        Err(Unfit::Shown(why)) => Verdict::Wrong(why),
    }
}

/// Walks through disks that only pretended their last one to six flushes.
pub fn lying_flush(run: &Run) -> Figures {
    let days = run.of(1, 4, 100);
    let tally = run.in_parallel(days, |day, tally| lie(run, day, tally));
    let names = ["images", "right", "said", "rebuilt from the copy", "undetected", "aborts"];
    tally.figures(&names)
}

fn lie(run: &Run, day: u64, tally: &Tally) {
    let mut chance = run.chance(day);
    let (seed, mut left) = (chance.next(), if run.is_short() { 8 } else { 40 });
    let mut drawn = chance.clone();
    let lived = Lived::through(Copying::Elsewhere, seed, |books| {
        left = u32::checked_sub(left, 1)?;
        Some(Step::any(books, &mut drawn))
    });
    let frames = lived.film.frames().len();
    for at in (0..frames).step_by(if run.is_short() { 5 } else { 1 }) {
        let flushes = 1 + chance.below(6);
        let keep = [Keep::Nothing, Keep::Random, Keep::Random, Keep::Torn(4096)];
        let keep = keep[chance.below(4) as usize];
        let cut = chance.next();
        let of = [Lied::Bytes, Lied::BytesAndNames][(cut % 2) as usize];
        let disk = lived.film.lied(at, flushes, of);
        disk.power_cut(keep, cut);
        let what = format!("frame {at}, {flushes} flushes of {of:?}, {keep:?} {cut}");
        run.tell(&what);
        judge_lie(&lived, at, &disk, &what, tally);
    }
}

fn judge_lie(lived: &Lived, at: usize, disk: &FaultyFiles, what: &str, tally: &Tally) {
    let mark = usize::try_from(lived.film.frames()[at].mark()).expect("few steps");
    let (told, copy) = (&lived.told[mark], lived.copies[mark].fork());
    let fits = |shown: &Books| {
        let at = lived.judge_record(mark, shown)?;
        Ok(Books { cart: shown.cart.clone(), ..lived.told[at].books.clone() })
    };
    tally.add("images", 1);
    match look(&disk.fork(), &copy, told.moment, lived.seed, fits, &told.books) {
        Verdict::Right => return tally.add("right", 1),
        Verdict::Wrong(why) => panic!("{what}: not noticed: {why}"),
        Verdict::Said(_) => tally.add("said", 1),
    }
    let copy = lived.copies[mark].fork();
    rebuild(disk, &copy, told.moment, lived.seed)
        .unwrap_or_else(|why| panic!("{what}: rebuilding: {why}"));
    match look(disk, &copy, told.moment, lived.seed, fits, &told.books) {
        Verdict::Right => tally.add("rebuilt from the copy", 1),
        Verdict::Said(why) | Verdict::Wrong(why) => panic!("{what}: rebuilt, and yet: {why}"),
    }
}

/// What `regi rebuild --from-copy` does; where it refuses to forget an end that nobody can read, what staff
/// choose next.
fn rebuild(
    disk: &FaultyFiles,
    copy: &FaultyFiles,
    moment: Moment,
    seed: u64,
) -> Result<(), String> {
    let place = place(disk, copy, Copying::Elsewhere, seed);
    let mut rebuilt = place.rebuild(Source::Copy, moment.now(), &mut |_, _| {});
    if rebuilt.is_err() {
        // Keys that were lost too come back with the rebuild behind it.
        let _ = place.go_on("the end was damaged", moment.now(), &mut |_, _| {});
        rebuilt = place.rebuild(Source::Copy, moment.now(), &mut |_, _| {});
    }
    let (opened, _) = rebuilt.map_err(|error| error.to_string())?;
    opened.shop.close().map_err(|error| error.to_string())
}

/// A shop that was closed in order, and what it holds.
fn closed(run: &Run) -> Start {
    let mut chance = run.chance(0);
    let mut left = if run.is_short() { 30_u32 } else { 120 };
    Lived::through_unfilmed(Copying::On, run.seed, |books| {
        left = left.checked_sub(1)?;
        Some(Step::any(books, &mut chance))
    })
}

/// Every file with something in it: journal, store, keys, sums, cart and copy.
fn all_files(disk: &FaultyFiles) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for dir in [DIR, "/proc/regi/journal", COPY] {
        for name in disk.list(Path::new(dir)).expect("a folder") {
            let path = Path::new(dir).join(name);
            let len = disk.open(&path).and_then(|file| file.len()).expect("a file");
            if len > 0 {
                found.push((path, len));
            }
        }
    }
    found
}

/// Flips single bits of a closed shop, and writes blocks where they do not belong.
pub fn bitflip(run: &Run) -> Figures {
    let start = closed(run);
    let files = all_files(&start.fork());
    let (flips, strays) = (run.of(40, 4000, 40_000), run.of(10, 1000, 10_000));
    let tally = run.in_parallel(flips + strays, |case, tally| {
        let mut chance = run.chance(case);
        let disk = start.fork();
        // Each file as often as the others, whatever its length.
        let (path, len) = &files[chance.below(files.len() as u64) as usize];
        let what = if case < flips {
            let (at, bit) = (chance.next() % len, chance.below(8) as u8);
            disk.flip(path, at, bit);
            tally.add("bits flipped", 1);
            format!("{} byte {at} bit {bit}", path.display())
        } else {
            let what = stray(&disk, path, *len, &files, &mut chance);
            tally.add("blocks astray", 1);
            what
        };
        run.tell(&what);
        judge_damage(&start, &disk, &what, tally);
    });
    tally.figures(&["bits flipped", "blocks astray", "right", "said", "wrong figures shown"])
}

/// Writes a block of some file over a block of this one.
fn stray(
    disk: &FaultyFiles,
    path: &Path,
    len: u64,
    files: &[(PathBuf, u64)],
    chance: &mut Chance,
) -> String {
    const BLOCK: u64 = 4096;
    let (from, from_len) = &files[chance.below(files.len() as u64) as usize];
    let from_at = chance.next() % from_len.div_ceil(BLOCK) * BLOCK;
    let to = chance.next() % len.div_ceil(BLOCK) * BLOCK;
    let mut bytes = vec![0; BLOCK as usize];
    let file = disk.open(from).expect("a file");
    let read = file.read_at(from_at, &mut bytes).expect("a block");
    disk.stray(path, to, &bytes[..read]);
    format!("{} block {from_at} over {} block {to}", from.display(), path.display())
}

fn judge_damage(start: &Start, disk: &FaultyFiles, what: &str, tally: &Tally) {
    let fits = |shown: &Books| {
        if shown.on_record() == start.books.on_record() {
            // A cart that was lost is told with "check the last line".
            return Ok(Books { cart: shown.cart.clone(), ..start.books.clone() });
        }
        Err(format!("shown: {:#?}\nwas: {:#?}", shown.on_record(), start.books.on_record()))
    };
    match look(disk, disk, start.moment, start.seed, fits, &start.books) {
        Verdict::Right => tally.add("right", 1),
        Verdict::Said(_) => tally.add("said", 1),
        Verdict::Wrong(why) => panic!("{what}: a wrong figure: {why}"),
    }
}
