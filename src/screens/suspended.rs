//! The sales put aside, oldest first.
//!
//! Room: screens. May touch: its own state.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::Action;
use super::canvas::Canvas;
use super::frame;
use super::model::Model;
use super::screen::{Look, Screen, Turn};
use super::template::Slot;
use crate::domain::command::quote;
use crate::domain::register::SuspendedView;

/// Which of them is chosen.
#[derive(Debug, Clone, Default)]
pub struct Suspended {
    chosen: usize,
}

impl Suspended {
    fn slip<'m>(&self, model: &Model<'m>) -> Option<&'m SuspendedView> {
        model.suspended.get(self.chosen.min(model.suspended.len().saturating_sub(1)))
    }

    fn step(&mut self, by: isize, model: &Model<'_>) -> Turn {
        let last = model.suspended.len().saturating_sub(1);
        self.chosen = self.chosen.min(last).saturating_add_signed(by).min(last);
        Turn::Stay
    }
}

impl Screen for Suspended {
    fn name(&self) -> ScreenName {
        ScreenName::Suspended
    }

    fn act(&mut self, act: Act, model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => match self.slip(model) {
                Some(slip) => {
                    Turn::Leave(Action::Do(vec![format!("resume {}", quote(&slip.slip))]))
                }
                None => Turn::say("suspended.none"),
            },
            Act::Up => self.step(-1, model),
            Act::Down => self.step(1, model),
            Act::PageUp => self.step(-12, model),
            Act::PageDown => self.step(12, model),
            _ => Turn::Ignored,
        }
    }

    fn given(&self, slot: Slot, model: &Model<'_>) -> Option<String> {
        (slot == Slot::Slip).then(|| self.slip(model).map(|slip| slip.slip.clone()))?
    }

    fn done(&mut self, command: &str) -> bool {
        command == "suspend"
    }

    fn yields_to_scan(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        frame::title(canvas, look, look.word("suspended.title"));
        let slips = look.model.suspended;
        if slips.is_empty() {
            canvas.text(3, 3, canvas.width() - 4, look.word("suspended.none"), look.theme.dim);
            return None;
        }
        let width = canvas.width();
        canvas.text(2, 2, 12, look.word("suspended.slip"), look.theme.dim);
        canvas.text(15, 2, 30, look.word("suspended.name"), look.theme.dim);
        canvas.right(width - 34, 2, 8, look.word("suspended.lines"), look.theme.dim);
        canvas.right(width - 25, 2, 12, look.word("sale.total"), look.theme.dim);
        canvas.right(width - 11, 2, 9, look.word("find.staff"), look.theme.dim);
        let rows = usize::from(canvas.height() - 3).max(1);
        let chosen = self.chosen.min(slips.len() - 1);
        let first = chosen / rows * rows;
        for (y, (at, slip)) in (3u16..).zip(slips.iter().enumerate().skip(first).take(rows)) {
            draw_row(canvas, look, y, slip, at == chosen);
        }
        None
    }
}

fn draw_row(canvas: &mut Canvas<'_>, look: &Look<'_>, y: u16, slip: &SuspendedView, chosen: bool) {
    let style = if chosen { look.theme.selected } else { look.theme.text };
    let width = canvas.width();
    if chosen {
        canvas.bar(y, style);
    }
    canvas.text(0, y, 2, if chosen { ">" } else { " " }, style);
    canvas.text(2, y, 12, &slip.slip, style);
    canvas.text(15, y, width - 50, &slip.name, style);
    canvas.right(width - 34, y, 8, &slip.lines.to_string(), style);
    canvas.right(width - 25, y, 12, &slip.total.grouped(), style);
    canvas.right(width - 11, y, 9, &slip.staff.to_string(), style);
}
