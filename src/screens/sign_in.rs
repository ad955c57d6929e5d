//! Sign-in: staff number, then PIN.
//!
//! Room: screens. May touch: its own state. Invariant: no digit of a PIN is ever drawn.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::Action;
use super::canvas::Canvas;
use super::digits::{Digits, may_be_number};
use super::model::Model;
use super::screen::{Look, Screen, Turn};
use super::{big, frame};

/// Who is coming to the register.
#[derive(Debug, Clone, Default)]
pub struct SignIn {
    /// The number, once it was entered.
    staff: Option<String>,
    typed: Digits,
    /// Place in the list of staff, moved by the arrows.
    chosen: Option<usize>,
}

impl SignIn {
    fn step(&mut self, by: isize, model: &Model<'_>) -> Turn {
        let count = model.choices.staff.len();
        if self.staff.is_none() && count > 0 {
            let now = self.chosen.map_or(if by > 0 { -1 } else { 0 }, |at| at as isize);
            self.chosen = usize::try_from((now + by).rem_euclid(count as isize)).ok();
        }
        Turn::Stay
    }

    fn enter(&mut self, model: &Model<'_>) -> Turn {
        if let Some(staff) = &self.staff {
            let line = format!("sign_in {staff} {}", self.typed.take());
            return Turn::line(line.trim_end());
        }
        let from_list = self.chosen.and_then(|at| model.choices.staff.get(at));
        let number = match (self.typed.is_empty(), from_list) {
            (false, _) => self.typed.take(),
            (true, Some(choice)) => choice.value.clone(),
            (true, None) => return Turn::say("hint.staff_first"),
        };
        let is_known = model.choices.staff.iter().any(|choice| choice.value == number);
        if !is_known && !model.choices.staff.is_empty() {
            return Turn::say("hint.no_such_staff");
        }
        self.staff = Some(number);
        Turn::Stay
    }
}

impl Screen for SignIn {
    fn name(&self) -> ScreenName {
        ScreenName::SignIn
    }

    fn act(&mut self, act: Act, model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => self.enter(model),
            Act::Up => self.step(-1, model),
            Act::Down => self.step(1, model),
            Act::Erase => {
                self.typed.erase();
                Turn::Stay
            }
            Act::Back => {
                if self.typed.is_empty() {
                    self.staff = None;
                }
                self.typed.clear();
                Turn::Stay
            }
            Act::Quit => Turn::Give(Action::Quit),
            // Nothing else opens in front of somebody who is not signed in.
            act if act.opens().is_some() && act != Act::OpenHelp => Turn::say("hint.sign_in_first"),
            _ => Turn::Ignored,
        }
    }

    fn letter(&mut self, letter: char, _model: &Model<'_>) -> Turn {
        if self.typed.push(letter) { Turn::Stay } else { Turn::Ignored }
    }

    fn is_typing(&self, burst: &str) -> bool {
        may_be_number(burst)
    }

    fn is_over(&self, model: &Model<'_>) -> bool {
        !model.locked
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        frame::title(canvas, look, look.word("sign_in.title"));
        canvas.text(3, 2, 40, look.word("sign_in.staff"), look.theme.dim);
        let shown = match &self.staff {
            Some(staff) => staff.clone(),
            None => self.typed.as_str().to_owned(),
        };
        big::left(&mut canvas.part(3, 3, 30, big::ROWS), 0, &shown, look.theme.buffer);
        let mut cursor = canvas.at(3, 6);
        if let Some(staff) = &self.staff {
            let name = look.model.choices.staff.iter().find(|choice| choice.value == *staff);
            canvas.text(3, 6, 30, name.map_or("", |choice| &choice.label), look.theme.text);
            canvas.text(3, 8, 40, look.word("sign_in.pin"), look.theme.dim);
            let stars = "*".repeat(self.typed.as_str().len());
            canvas.text(3, 9, 30, &format!("{stars:<12}"), look.theme.field);
            cursor = canvas.at(3 + u16::try_from(stars.len()).unwrap_or(0), 9);
        }
        staff_list(&mut canvas.part(44, 2, 34, canvas.height() - 2), look, self.chosen);
        if look.model.has_sale() {
            canvas.text(3, 12, 38, look.word("sign_in.sale_waits"), look.theme.notice);
        }
        Some(cursor)
    }
}

fn staff_list(canvas: &mut Canvas<'_>, look: &Look<'_>, chosen: Option<usize>) {
    canvas.text(0, 0, 30, look.word("sign_in.who"), look.theme.dim);
    let rows = usize::from(canvas.height().saturating_sub(1)).max(1);
    let first = chosen.map_or(0, |at| at / rows * rows);
    let staff = look.model.choices.staff.iter().enumerate().skip(first).take(rows);
    for (y, (at, choice)) in (1u16..).zip(staff) {
        let here = chosen == Some(at);
        let mark = if here { ">" } else { " " };
        let style = if here { look.theme.selected } else { look.theme.text };
        canvas.text(0, y, 34, &format!("{mark}{:>4}  {}", choice.value, choice.label), style);
    }
}
