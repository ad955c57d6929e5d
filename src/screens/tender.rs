//! The tender: what is asked, what is handed over, what goes back.
//!
//! Room: screens. May touch: its own state.
//! Invariant: the change shown before the tender is a preview and says so; the register reckons.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::canvas::Canvas;
use super::digits::Digits;
use super::keymap::Keymap;
use super::model::Model;
use super::sale::{FIGURES, draw_typed};
use super::screen::{Look, Screen, Turn};
use super::{big, figures, frame, lines};
use crate::domain::money::Money;

/// The amount being keyed.
#[derive(Debug, Clone, Default)]
pub struct Tender {
    typed: Digits,
}

impl Tender {
    /// Begins with the digits keyed on the sale: they are what the customer handed over.
    pub fn keyed_before(digits: &str) -> Self {
        let mut typed = Digits::default();
        for digit in digits.chars().filter(char::is_ascii_digit) {
            typed.push(digit);
        }
        Self { typed }
    }

    /// The amount keyed, when it is one.
    fn keyed(&self) -> Option<Money> {
        self.typed.as_str().parse().ok().map(Money::new)
    }
}

impl Screen for Tender {
    fn name(&self) -> ScreenName {
        ScreenName::Tender
    }

    fn act(&mut self, act: Act, _model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => Turn::line(format!("tender_cash {}", self.typed.take()).trim_end()),
            Act::Erase => {
                self.typed.erase();
                Turn::Stay
            }
            Act::DoubleZero => {
                self.typed.push('0');
                self.typed.push('0');
                Turn::Stay
            }
            _ => Turn::Ignored,
        }
    }

    fn letter(&mut self, letter: char, _model: &Model<'_>) -> Turn {
        if letter != '.' && self.typed.push(letter) { Turn::Stay } else { Turn::Ignored }
    }

    fn digits(&mut self) -> Option<&mut Digits> {
        Some(&mut self.typed)
    }

    fn is_over(&self, model: &Model<'_>) -> bool {
        !model.has_sale()
    }

    fn yields_to_scan(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        let (width, height) = (canvas.width(), canvas.height());
        let left = width - FIGURES - 2;
        let sale = look.model.sale?;
        let mut big_part = canvas.part(2, 0, left - 4, height);
        let label = if sale.due.is_negative() { "tender.refund" } else { "tender.due" };
        big_part.text(0, 0, 40, look.word(label), look.theme.title);
        big::right(&mut big_part, 1, &sale.due.abs().grouped(), look.theme.total);
        if !sale.due.is_negative() {
            big_part.text(0, 5, 40, look.word("tender.received"), look.theme.title);
        } else if !sale.was_paid.is_empty() {
            big_part.text(0, 11, 40, look.word("tender.was_paid"), look.theme.title);
            // What goes back follows from row 15 on.
            let rows = if sale.tenders.is_empty() { height.saturating_sub(12) } else { 3 };
            lines::tenders(&mut big_part.part(0, 12, left - 4, rows), look, &sale.was_paid);
            if let Some(how) = same_way(look.keymap, look.model, "tender.back_the_same") {
                big_part.text(0, 13, left - 4, &how, look.theme.notice);
            }
        }
        if let Some(keyed) = self.keyed() {
            big::right(&mut big_part, 6, &keyed.grouped(), look.theme.buffer);
            self.preview(&mut big_part, look, sale.due, keyed);
        }
        // While nothing is keyed the room for its large digits holds tenders, where there are many.
        let many = sale.tenders.len() > usize::from(height.saturating_sub(15));
        let is_free = self.typed.is_empty() && !sale.due.is_negative();
        let top = if many && is_free { 6 } else { 15 };
        let rows = height.saturating_sub(top);
        lines::tenders(&mut big_part.part(0, top, left - 4, rows), look, &sale.tenders);
        let mut right = canvas.part(left + 1, 0, FIGURES, height);
        figures::draw(&mut right, look);
        Some(draw_typed(&mut right, look, &self.typed))
    }
}

/// Says by which key money goes back the way it came, where that was one other tender than cash.
pub(super) fn same_way(keymap: &Keymap, model: &Model<'_>, sentence: &str) -> Option<String> {
    let kind = model.sale?.paid_otherwise()?;
    let key = keymap.key_of_command(ScreenName::Tender, &format!("tender_{kind}"))?.shown();
    let tender = model.words.get(&format!("tender.{kind}")).to_owned();
    Some(model.words.fill(sentence, &[("tender", &tender), ("key", &key)]))
}

impl Tender {
    fn preview(&self, canvas: &mut Canvas<'_>, look: &Look<'_>, due: Money, keyed: Money) {
        let Some(over) = keyed.checked_sub(due).filter(|_| !due.is_negative()) else { return };
        let (label, style) = if over.is_negative() {
            ("tender.short", look.theme.refusal)
        } else {
            ("tender.change", look.theme.change)
        };
        canvas.text(0, 10, 40, look.word(label), look.theme.title);
        if over.is_negative() {
            canvas.right(0, 11, canvas.width(), &frame::money(look, over.abs()), style);
        } else {
            big::right(canvas, 11, &over.grouped(), style);
        }
    }
}
