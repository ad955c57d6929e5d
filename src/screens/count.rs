//! The count of the drawer by notes and coins, blind: what is expected stays out of sight.
//!
//! Room: screens. May touch: its own state.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::canvas::Canvas;
use super::digits::Digits;
use super::model::Model;
use super::screen::{Look, Screen, Turn};
use super::{big, frame};
use crate::domain::money::Money;

/// The most pieces of one kind that are keyed.
const MOST_PIECES: u32 = 999_999;

/// Pieces by denomination, and which is being counted.
#[derive(Debug, Clone, Default)]
pub struct Count {
    /// As many as the shop has denominations, once the first key came.
    pieces: Vec<u32>,
    current: usize,
    typed: Digits,
}

impl Count {
    fn faces<'m>(model: &Model<'m>) -> &'m [i64] {
        &model.choices.denominations
    }

    fn keep(&mut self, model: &Model<'_>) {
        self.pieces.resize(Self::faces(model).len(), 0);
        if let (Ok(pieces), Some(slot)) =
            (self.typed.take().parse::<u32>(), self.pieces.get_mut(self.current))
        {
            *slot = pieces.min(MOST_PIECES);
        }
    }

    fn step(&mut self, by: isize, model: &Model<'_>) -> Turn {
        self.keep(model);
        let last = self.pieces.len().saturating_sub(1);
        self.current = self.current.saturating_add_signed(by).min(last);
        Turn::Stay
    }

    /// The next denomination; behind the last one, the count itself.
    fn enter(&mut self, model: &Model<'_>) -> Turn {
        self.keep(model);
        if self.current + 1 < self.pieces.len() {
            self.current += 1;
            return Turn::Stay;
        }
        self.send(model)
    }

    fn send(&mut self, model: &Model<'_>) -> Turn {
        self.keep(model);
        let counted = Self::faces(model).iter().zip(&self.pieces);
        let words: Vec<_> = counted.map(|(face, pieces)| format!("{face}x{pieces}")).collect();
        if words.is_empty() { Turn::Back } else { Turn::line(format!("count {}", words.join(" "))) }
    }

    /// The pieces of one kind as they stand, those being keyed included.
    fn pieces(&self, at: usize) -> i64 {
        let kept = self.pieces.get(at).copied().unwrap_or(0);
        let keyed = self.typed.as_str().parse().ok().filter(|_| at == self.current);
        i64::from(keyed.unwrap_or(kept).min(MOST_PIECES))
    }

    fn sum(&self, faces: &[i64]) -> Money {
        faces.iter().enumerate().map(|(at, face)| Money::new(face * self.pieces(at))).sum()
    }
}

impl Screen for Count {
    fn name(&self) -> ScreenName {
        ScreenName::Count
    }

    fn act(&mut self, act: Act, model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => self.enter(model),
            Act::Up => self.step(-1, model),
            Act::Down | Act::NextField => self.step(1, model),
            Act::PreviousField => self.step(-1, model),
            Act::Mark => self.send(model),
            Act::Erase => {
                self.typed.erase();
                Turn::Stay
            }
            _ => Turn::Ignored,
        }
    }

    fn letter(&mut self, letter: char, _model: &Model<'_>) -> Turn {
        if letter.is_ascii_digit() && self.typed.push(letter) { Turn::Stay } else { Turn::Ignored }
    }

    fn digits(&mut self) -> Option<&mut Digits> {
        Some(&mut self.typed)
    }

    fn done(&mut self, command: &str) -> bool {
        command == "count"
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        frame::title(canvas, look, look.word("count.title"));
        canvas.text(1, 1, canvas.width() - 2, look.word("count.hint"), look.theme.dim);
        canvas.right(4, 3, 12, look.word("count.face"), look.theme.dim);
        canvas.right(18, 3, 10, look.word("count.pieces"), look.theme.dim);
        canvas.right(30, 3, 14, look.word("sale.amount"), look.theme.dim);
        let faces = Self::faces(look.model);
        let mut cursor = None;
        for (y, (at, face)) in (4u16..).zip(faces.iter().enumerate()) {
            let here = at == self.current;
            let pieces = self.pieces(at);
            let style = if here { look.theme.selected } else { look.theme.text };
            canvas.text(2, y, 1, if here { ">" } else { " " }, look.theme.title);
            canvas.right(4, y, 12, &Money::new(*face).grouped(), look.theme.text);
            canvas.text(17, y, 1, "x", look.theme.dim);
            canvas.right(18, y, 10, &pieces.to_string(), style);
            canvas.right(30, y, 14, &Money::new(face * pieces).grouped(), look.theme.text);
            if here {
                cursor = Some(canvas.at(27, y));
            }
        }
        let x = canvas.width() - 28;
        let mut right = canvas.part(x, 3, 26, 5);
        right.text(0, 0, 26, look.word("count.sum"), look.theme.title);
        big::right(&mut right, 1, &self.sum(faces).grouped(), look.theme.total);
        cursor
    }
}
