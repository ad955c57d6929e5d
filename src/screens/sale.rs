//! The sale: lines at the left, figures at the right, the digits typed below them.
//!
//! Room: screens. May touch: its own state. May not: register.
//! Invariant: the newest line is in sight unless another was chosen.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::Action;
use super::canvas::Canvas;
use super::digits::Digits;
use super::model::Model;
use super::screen::{Look, Screen, Turn};
use super::template::Slot;
use super::{big, figures, lines};

/// Cells of the figures at the right.
pub const FIGURES: u16 = 25;

/// The digits typed; everything else is the register's.
#[derive(Debug, Clone, Default)]
pub struct Sale {
    typed: Digits,
}

impl Sale {
    /// Digits are a code; without any the sale goes on to its tender.
    fn enter(&mut self, model: &Model<'_>) -> Turn {
        if !self.typed.is_empty() {
            return Turn::line(format!("scan {}", self.typed.take()));
        }
        if model.has_sale() {
            return Turn::Open(ScreenName::Tender, String::new());
        }
        Turn::say("hint.scan_first")
    }

    fn choose(model: &Model<'_>, by: i64) -> Turn {
        let count = model.sale.map_or(0, |sale| sale.lines.len()) as i64;
        if count == 0 {
            return Turn::Stay;
        }
        let now = model.selected.map_or(count, i64::from);
        Turn::line(format!("select_line {}", (now + by).clamp(1, count)))
    }
}

impl Screen for Sale {
    fn name(&self) -> ScreenName {
        ScreenName::Sale
    }

    fn act(&mut self, act: Act, model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => self.enter(model),
            Act::OpenTender if !model.has_sale() => Turn::say("hint.scan_first"),
            Act::Erase => {
                self.typed.erase();
                Turn::Stay
            }
            Act::DoubleZero => {
                self.typed.push('0');
                self.typed.push('0');
                Turn::Stay
            }
            Act::Up => Self::choose(model, -1),
            Act::Down => Self::choose(model, 1),
            Act::PageUp => Self::choose(model, -15),
            Act::PageDown => Self::choose(model, 15),
            Act::Home => Self::choose(model, i64::from(i32::MIN)),
            Act::End => Self::choose(model, i64::from(i32::MAX)),
            Act::OpenMemberCard | Act::OpenEditMember
                if model.sale.is_none_or(|sale| sale.member.is_none()) =>
            {
                Turn::Open(ScreenName::MemberFinder, String::new())
            }
            _ => Turn::Ignored,
        }
    }

    fn letter(&mut self, letter: char, _model: &Model<'_>) -> Turn {
        if self.typed.push(letter) { Turn::Stay } else { Turn::Ignored }
    }

    fn paste(&mut self, text: &str, _model: &Model<'_>) -> Turn {
        let code = text.trim();
        if code.is_empty() {
            return Turn::Ignored;
        }
        Turn::Give(Action::Do(vec![format!("scan {}", crate::domain::command::quote(code))]))
    }

    fn digits(&mut self) -> Option<&mut Digits> {
        Some(&mut self.typed)
    }

    fn given(&self, slot: Slot, model: &Model<'_>) -> Option<String> {
        match slot {
            Slot::Line => {
                let last = model.sale?.lines.len();
                Some(model.selected.map_or(last.to_string(), |line| line.to_string()))
            }
            Slot::Receipt => model.last.map(|last| last.receipt.clone()),
            _ => None,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        let (width, height) = (canvas.width(), canvas.height());
        let list = width - FIGURES - 2;
        lines::draw(&mut canvas.part(0, 0, list, height), look);
        let mut right = canvas.part(list + 1, 0, FIGURES, height);
        figures::draw(&mut right, look);
        Some(draw_typed(&mut right, look, &self.typed))
    }
}

/// Draws the digits typed at the foot of the figures, and returns where the next one goes.
pub fn draw_typed(right: &mut Canvas<'_>, look: &Look<'_>, typed: &Digits) -> Position {
    let y = right.height() - big::ROWS;
    right.text(0, y - 1, FIGURES, look.word("sale.typed"), look.theme.dim);
    big::left(&mut right.part(0, y, FIGURES, big::ROWS), 0, typed.as_str(), look.theme.buffer);
    let used = big::rows(typed.as_str())[0].len();
    right.at(u16::try_from(used).unwrap_or(0).min(FIGURES - 1), y + big::ROWS - 1)
}
