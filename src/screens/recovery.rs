//! A shop that does not open: what is wrong, in words, and what can be done about it.
//!
//! Room: screens. May touch: its own state. May not: files; the app does what is chosen.
//! Invariant: nothing is done before it was asked once more; leaving changes nothing.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::Action;
use super::canvas::{Canvas, wrap};
use super::frame;
use super::model::Model;
use super::screen::{Look, Screen, Turn};

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The journal back from the second copy.
    FromCopy,
    /// The whole shop as the newest backup has it.
    FromBackup,
    /// Only the keys, from the newest backup.
    KeysFromBackup,
    /// New keys in the place of those that cannot be read.
    NewKeys,
    /// On from what can be read, in a new series of numbers.
    GoOn,
    /// Everything that is wrong, entry by entry.
    Look,
}

/// A remedy and how it is offered, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub remedy: Remedy,
    pub label: String,
}

/// What is wrong, in words, and what helps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    pub rows: Vec<String>,
    pub offers: Vec<Offer>,
}

/// The list of remedies.
#[derive(Default)]
pub struct Recovery {
    trouble: Trouble,
    chosen: usize,
    /// Asked once more.
    sure: bool,
}

impl Recovery {
    pub fn new(trouble: Trouble) -> Self {
        Self { trouble, chosen: 0, sure: false }
    }

    fn enter(&mut self) -> Turn {
        let Some(offer) = self.trouble.offers.get(self.chosen) else { return Turn::Stay };
        if self.sure || offer.remedy == Remedy::Look {
            self.sure = false;
            return Turn::Give(Action::Recover(offer.remedy));
        }
        self.sure = true;
        Turn::say("recovery.sure")
    }

    fn choose(&mut self, place: usize) -> Turn {
        self.chosen = place.min(self.trouble.offers.len().saturating_sub(1));
        self.sure = false;
        Turn::Stay
    }
}

impl Screen for Recovery {
    fn name(&self) -> ScreenName {
        ScreenName::Recovery
    }

    fn act(&mut self, act: Act, _model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => self.enter(),
            Act::Up => self.choose(self.chosen.saturating_sub(1)),
            Act::Down => self.choose(self.chosen + 1),
            Act::Back if self.sure => self.choose(self.chosen),
            Act::Back | Act::Quit => Turn::Give(Action::Quit),
            // There is no register to open anything else on.
            act if act.opens().is_some() => Turn::Stay,
            _ => Turn::Ignored,
        }
    }

    /// The number of a remedy chooses it.
    fn letter(&mut self, letter: char, _model: &Model<'_>) -> Turn {
        match letter.to_digit(10).and_then(|digit| usize::try_from(digit).ok()) {
            Some(number) if (1..=self.trouble.offers.len()).contains(&number) => {
                self.choose(number - 1)
            }
            _ => Turn::Ignored,
        }
    }

    fn scan(&mut self, _code: &str, _model: &Model<'_>) -> Turn {
        Turn::Stay
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        frame::title(canvas, look, look.word("recovery.title"));
        let (width, height) = (canvas.width() - 2, canvas.height());
        canvas.text(1, 1, width, look.word("recovery.hint"), look.theme.dim);
        let offers = self.trouble.offers.len() as u16;
        let last = height.saturating_sub(offers + 1);
        let rows = self.trouble.rows.iter().flat_map(|row| wrap(row, width));
        for (y, row) in (3..last.saturating_sub(1)).zip(rows) {
            canvas.text(1, y, width, &row, look.theme.refusal);
        }
        for (y, (at, offer)) in (last..).zip(self.trouble.offers.iter().enumerate()) {
            let chosen = at == self.chosen;
            let style = if chosen { look.theme.selected } else { look.theme.text };
            let mark = if chosen { ">" } else { " " };
            canvas.text(1, y, width, &format!("{mark} {}  {}", at + 1, offer.label), style);
        }
        None
    }
}
