//! A stretch of a shop's life on film: what was acknowledged when, and what a cut may leave of it.
//!
//! Room: tests. May touch: the library over a disk in memory.
//! Invariant: what was acknowledged comes back whole; the one step in flight has happened or has not;
//! of the open cart only what was not synced yet may be missing.

use regi::store::files::faulty::FaultyFiles;
use regi::store::files::film::Film;

use super::books::Books;
use super::desk::{Copying, Desk, Moment};
use super::seen;
use super::step::Step;

/// The shop after a step was answered.
#[derive(Debug, Clone)]
pub struct Told {
    pub step: Option<Step>,
    pub books: Books,
    pub moment: Moment,
    cart: Cart,
}

/// What the step did for the open cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cart {
    Changed,
    /// It changed with an entry, and never before it.
    Followed,
    /// The sale ended, or came back from its slip: as durable as the entry that says so.
    Moved,
    Synced,
}

pub struct Lived {
    pub film: Film,
    pub told: Vec<Told>,
    /// The disk of the second copy after each step, where it is one of its own.
    pub copies: Vec<FaultyFiles>,
    pub copying: Copying,
    pub seed: u64,
}

/// A shop that was closed in order: where several histories may begin.
pub struct Start {
    disk: FaultyFiles,
    pub books: Books,
    pub moment: Moment,
    pub copying: Copying,
    pub seed: u64,
}

impl Start {
    pub fn of(mut desk: Desk, books: Books) -> Self {
        desk.settle();
        desk.engine.shop.close();
        let disk = desk.files.fork();
        Self { disk, books, moment: desk.moment, copying: desk.copying(), seed: desk.seed() }
    }

    /// Returns a disk of its own with this shop on it.
    pub fn fork(&self) -> FaultyFiles {
        self.disk.fork()
    }
}

impl Lived {
    /// Founds a shop and lives through the steps that `next` draws, until it draws none.
    pub fn through(
        copying: Copying,
        seed: u64,
        mut next: impl FnMut(&Books) -> Option<Step>,
    ) -> Self {
        let copy = FaultyFiles::new();
        let files = FaultyFiles::new();
        let (desk, books) = match copying {
            Copying::Elsewhere => Desk::found_on(&files, &copy, copying, seed),
            Copying::On | Copying::Off => Desk::found_on(&files, &files, copying, seed),
        };
        files.roll();
        Self::of(desk, books, |books, _| next(books))
    }

    /// Lives on from `start`, on a disk of its own; `next` says from when on there are pictures.
    pub fn from(start: &Start, next: impl FnMut(&Books, &FaultyFiles) -> Option<Step>) -> Self {
        let disk = start.fork();
        let desk = Desk::open_at(&disk, &disk, start).expect("it was closed in order");
        Self::of(desk, start.books.clone(), next)
    }

    /// Founds a shop, lives through a day and closes it.
    pub fn through_unfilmed(
        copying: Copying,
        seed: u64,
        mut next: impl FnMut(&Books) -> Option<Step>,
    ) -> Start {
        let (mut desk, mut books) = Desk::found(copying, seed);
        while let Some(step) = next(&books) {
            let made = desk.give(&step, &books);
            let made = made.unwrap_or_else(|refusal| panic!("{step:?}: {refusal}\n{books:#?}"));
            books.note(&step, made.as_deref());
        }
        Start::of(desk, books)
    }

    fn of(
        mut desk: Desk,
        mut books: Books,
        mut next: impl FnMut(&Books, &FaultyFiles) -> Option<Step>,
    ) -> Self {
        let (files, copy) = (desk.files.clone(), desk.copy.clone());
        let (copying, seed) = (desk.copying(), desk.seed());
        desk.quiet();
        let mut copies = vec![copy.fork()];
        let mut told = vec![Told {
            step: None,
            books: books.clone(),
            moment: desk.moment,
            cart: Cart::Synced,
        }];
        files.mark(0);
        while let Some(step) = next(&books, &files) {
            let made = desk.give(&step, &books);
            let made = made.unwrap_or_else(|refusal| panic!("{step:?}: {refusal}\n{books:#?}"));
            books.note(&step, made.as_deref());
            let cart = match &step {
                Step::SyncCart | Step::Restart | Step::Compact => Cart::Synced,
                step if step.moves_the_cart() => Cart::Moved,
                Step::Enrol { .. } => Cart::Followed,
                _ => Cart::Changed,
            };
            told.push(Told { step: Some(step), books: books.clone(), moment: desk.moment, cart });
            files.mark(told.len() as u64 - 1);
            desk.quiet();
            copies.push(copy.fork());
        }
        let shown = seen::books(&desk.engine, &books).expect("an open shop shows its books");
        assert_same(&shown.on_record(), &books.on_record(), &told);
        assert_same(&shown.cart, &books.cart, &told);
        desk.settle();
        let film = files.film();
        desk.engine.shop.close();
        Self { film, told, copies, copying, seed }
    }

    /// As [`Self::judge`], whatever became of the open cart.
    pub fn judge_record(&self, mark: usize, shown: &Books) -> Result<usize, String> {
        let last = (mark + 1).min(self.told.len() - 1);
        let record = shown.on_record();
        let at = (mark..=last).rev().find(|at| self.told[*at].books.on_record() == record);
        at.ok_or_else(|| {
            let was = self.told[mark].books.on_record();
            format!("came back:\n{record:#?}\nwas:\n{was:#?}")
        })
    }

    /// Judges what came back of a shop that was cut after `mark` steps had been answered: returns
    /// the step it stands after.
    pub fn judge(&self, mark: usize, shown: &Books) -> Result<usize, String> {
        let last = (mark + 1).min(self.told.len() - 1);
        let record = shown.on_record();
        let fits = |at: &usize| self.told[*at].books.on_record() == record;
        let mut why = String::new();
        for at in (mark..=last).rev().filter(fits) {
            match self.judge_cart(at, mark, last, shown) {
                Ok(()) => return Ok(at),
                Err(said) => why = said,
            }
        }
        if why.is_empty() {
            why =
                format!("came back:\n{record:#?}\nwas:\n{:#?}", self.told[mark].books.on_record());
        }
        Err(format!("after {:?}, in {:?}: {why}", self.told[mark].step, self.told[last].step))
    }

    fn judge_cart(&self, at: usize, mark: usize, last: usize, shown: &Books) -> Result<(), String> {
        let durable = |place: &usize| match self.told[*place].cart {
            Cart::Changed | Cart::Followed => *place == 0,
            Cart::Moved => *place <= at,
            Cart::Synced => *place <= mark,
        };
        let first = (0..=at).rev().find(durable).unwrap_or(0);
        let recorded =
            |place: &usize| matches!(self.told[*place].cart, Cart::Moved | Cart::Followed);
        let past = (at + 1..=last).find(recorded).unwrap_or(last + 1);
        if self.told[first..past].iter().any(|told| told.books.cart == shown.cart) {
            return Ok(());
        }
        let carts: Vec<_> = self.told[first..past].iter().map(|told| &told.books.cart).collect();
        Err(format!("the cart came back as {:#?}, not as one of {carts:#?}", shown.cart))
    }
}

fn assert_same<T: PartialEq + std::fmt::Debug>(shown: &T, known: &T, told: &[Told]) {
    if shown != known {
        let steps: Vec<_> = told.iter().filter_map(|told| told.step.as_ref()).collect();
        panic!("{steps:#?}\nshown: {shown:#?}\nknown: {known:#?}");
    }
}
