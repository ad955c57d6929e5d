//! Every short history of the shop, cut at every write of its last act.
//!
//! Room: tests. May touch: the library over a disk in memory.
//! Invariant: as in `crash_explorer`. A case is a history; cuts in the acts before its last are those of
//! the shorter history that it begins with.

use crate::crash_explorer::explore;
use crate::run::{Figures, Run, Tally};
use crate::shop::books::Books;
use crate::shop::desk::{Copying, Desk};
use crate::shop::lived::{Lived, Start};
use crate::shop::step::Step;

/// What can happen to a shop (`reliability.md` S2); lanes do not talk yet, so the second copy that
/// catches up stands for their sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Sale,
    Void,
    Return,
    PointUse,
    Cash,
    Z,
    X,
    Price,
    MemberEdit,
    Backup,
    RestoreDrill,
    CopyCatchUp,
    StockCount,
    Compact,
}

const ACTS: [Act; 14] = [
    Act::Sale,
    Act::Void,
    Act::Return,
    Act::PointUse,
    Act::Cash,
    Act::Z,
    Act::X,
    Act::Price,
    Act::MemberEdit,
    Act::Backup,
    Act::RestoreDrill,
    Act::CopyCatchUp,
    Act::StockCount,
    Act::Compact,
];

fn scan(code: &str) -> Step {
    Step::Scan(code.to_owned())
}

impl Act {
    /// The steps of the act, in a shop that stands between two customers.
    fn steps(self, books: &Books) -> Vec<Step> {
        let next = books.sales.len();
        let member = books.members.keys().next().expect("a member").clone();
        match self {
            Self::Sale => vec![scan("101"), scan("104"), Step::Cash],
            Self::Void => vec![scan("103"), Step::Cash, Step::VoidReceipt(next)],
            Self::Return => vec![
                scan("102"),
                Step::Cash,
                Step::Return { sale: next, line: 0, quantity: 1 },
                Step::Cash,
            ],
            Self::PointUse => {
                vec![scan("106"), Step::Member(member), Step::UsePoints(5), Step::Cash]
            }
            Self::Cash => vec![Step::PaidIn(100), Step::PaidOut(70)],
            Self::Z => vec![Step::PaidIn(1), Step::Close],
            Self::X => vec![Step::PaidIn(1), Step::Look],
            Self::Price => vec![Step::Price { code: "102".to_owned(), yen: 333 }],
            Self::MemberEdit => {
                let phone = format!("0901111{:04}", books.sales.len());
                vec![Step::Member(member), Step::Phone(phone), Step::ClearMember]
            }
            Self::Backup => vec![Step::Backup],
            Self::RestoreDrill => vec![Step::Backup, Step::RestoreDrill],
            Self::CopyCatchUp => vec![Step::PaidIn(3), Step::Restart],
            Self::StockCount => vec![Step::CountStock { code: "101".to_owned(), pieces: 40 }],
            Self::Compact => vec![scan("105"), Step::Compact, Step::GiveUp],
        }
    }
}

/// The `place`th history, shorter ones first: up to three acts.
fn history(place: u64) -> Vec<Act> {
    let act = |place: u64| ACTS[(place % 14) as usize];
    match place {
        0..14 => vec![act(place)],
        14..210 => vec![act((place - 14) / 14), act(place)],
        _ => {
            let place = place - 210;
            vec![act(place / 196), act(place / 14), act(place)]
        }
    }
}

const ALL: u64 = 14 + 14 * 14 + 14 * 14 * 14;

/// Walks through the histories.
pub fn histories(run: &Run) -> Figures {
    let start = begin(run.seed);
    // In CI all of two acts and a part of those of three; every one at night.
    let (count, stride) = (run.of(4, 210 + 100, ALL), run.of(1, 27, 1));
    let tally = run.in_parallel(count, |case, tally| {
        let place = if case < 210 { case } else { 210 + (case - 210) * stride };
        relive(run, &start, &history(place), case, tally);
    });
    tally.figures(&["histories", "images", "cut again", "cut a third time", "lost", "doubled"])
}

/// A shop with a member who has points.
fn begin(seed: u64) -> Start {
    let (mut desk, mut books) = Desk::found(Copying::On, seed);
    let phone = "09012345678".to_owned();
    for step in [scan("106"), Step::Times(3), scan("105"), Step::Enrol { phone }, Step::Cash] {
        let made = desk.give(&step, &books).expect("a first customer");
        books.note(&step, made.as_deref());
    }
    Start::of(desk, books)
}

fn relive(run: &Run, start: &Start, acts: &[Act], case: u64, tally: &Tally) {
    run.tell(format_args!("{acts:?}"));
    let mut left = acts.iter();
    let mut steps: std::collections::VecDeque<Step> = [].into();
    let lived = Lived::from(start, |books, film| {
        if steps.is_empty() {
            let act = left.next()?;
            steps.extend(act.steps(books));
            if left.len() == 0 {
                film.roll();
            }
        }
        steps.pop_front()
    });
    explore(run, &lived, &mut run.chance(case), tally);
    tally.add("histories", 1);
}
