//! Which lines of a receipt come back, and how many of each.
//!
//! Room: screens. May touch: its own state.
//! Invariant: never more than is left; the register decides again.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::{Answer, Question, ReceiptLine, ReceiptView};
use super::canvas::Canvas;
use super::digits::Digits;
use super::frame;
use super::model::Model;
use super::screen::{Look, Screen, Turn};
use crate::domain::command::quote;
use crate::domain::quantity::Quantity;

/// The receipt and what was marked on it.
pub struct ReturnLines {
    number: String,
    view: Option<ReceiptView>,
    /// Quantity coming back, by place.
    marked: Vec<Quantity>,
    chosen: usize,
    typed: Digits,
}

impl ReturnLines {
    pub fn new(number: String) -> Self {
        Self { number, view: None, marked: Vec::new(), chosen: 0, typed: Digits::default() }
    }

    fn lines(&self) -> &[ReceiptLine] {
        self.view.as_ref().map_or(&[], |view| &view.lines)
    }

    fn step(&mut self, by: isize) -> Turn {
        self.set_typed();
        let last = self.lines().len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(by).min(last);
        Turn::Stay
    }

    /// Digits typed are the quantity of the chosen line, at most what is left of it.
    fn set_typed(&mut self) {
        let Ok(quantity) = self.typed.take().parse::<Quantity>() else { return };
        let Some(left) = self.lines().get(self.chosen).map(|line| line.left) else { return };
        self.marked[self.chosen] = quantity.min(left);
    }

    /// All that is left of the line, or nothing of it.
    fn mark(&mut self) -> Turn {
        if !self.typed.is_empty() {
            self.set_typed();
        } else if let Some(left) = self.lines().get(self.chosen).map(|line| line.left) {
            let all = self.marked[self.chosen] == left;
            self.marked[self.chosen] = if all { Quantity::ZERO } else { left };
        }
        Turn::Stay
    }

    fn enter(&mut self) -> Turn {
        self.set_typed();
        let mut line = format!("return {}", quote(&self.number));
        let mut any = false;
        for (marked, of) in self.marked.iter().zip(self.lines()) {
            if *marked > Quantity::ZERO {
                line.push_str(&format!(" {}:{marked}", of.line.line));
                any = true;
            }
        }
        if any { Turn::line(line) } else { Turn::say("return.mark_first") }
    }
}

impl Screen for ReturnLines {
    fn name(&self) -> ScreenName {
        ScreenName::ReturnLines
    }

    fn act(&mut self, act: Act, _model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => self.enter(),
            Act::Mark => self.mark(),
            Act::Up => self.step(-1),
            Act::Down => self.step(1),
            Act::PageUp => self.step(-12),
            Act::PageDown => self.step(12),
            Act::Erase => {
                self.typed.erase();
                Turn::Stay
            }
            Act::Back if !self.typed.is_empty() => {
                self.typed.clear();
                Turn::Stay
            }
            _ => Turn::Ignored,
        }
    }

    fn letter(&mut self, letter: char, _model: &Model<'_>) -> Turn {
        match letter {
            ' ' => self.mark(),
            letter if self.typed.push(letter) => Turn::Stay,
            _ => Turn::Ignored,
        }
    }

    fn opening(&self) -> Option<Question> {
        (!self.number.is_empty()).then(|| Question::Receipt { number: self.number.clone() })
    }

    fn answer(&mut self, answer: &Answer) -> bool {
        match answer {
            Answer::Receipt(view) if view.number == self.number => {
                self.marked = vec![Quantity::ZERO; view.lines.len()];
                self.view = Some((**view).clone());
                true
            }
            _ => false,
        }
    }

    fn done(&mut self, command: &str) -> bool {
        command == "return"
    }

    /// The goods are in the cart: what is below this screen is no longer needed either.
    fn is_over(&self, model: &Model<'_>) -> bool {
        let returns = |line: &crate::domain::register::LineView| line.returns == self.number;
        model.sale.is_some_and(|sale| sale.lines.iter().any(returns))
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        let title = look.model.words.fill("return.title", &[("number", &self.number)]);
        frame::title(canvas, look, &title);
        if self.view.is_none() {
            canvas.text(3, 3, 60, look.word("find.searching"), look.theme.dim);
            return None;
        }
        canvas.text(1, 1, canvas.width() - 2, look.word("return.hint"), look.theme.dim);
        let width = canvas.width();
        canvas.right(width - 34, 2, 10, look.word("return.left"), look.theme.dim);
        canvas.right(width - 23, 2, 10, look.word("return.back"), look.theme.dim);
        canvas.right(width - 12, 2, 11, look.word("sale.amount"), look.theme.dim);
        let rows = usize::from(canvas.height() - 4).max(1);
        let first = self.chosen / rows * rows;
        for (y, at) in (3u16..).zip(first..self.lines().len().min(first + rows)) {
            self.draw_row(canvas, look, y, at);
        }
        let y = canvas.height() - 1;
        canvas.text(1, y, 20, look.word("return.quantity"), look.theme.dim);
        canvas.text(22, y, 10, &format!("{:<8}", self.typed.as_str()), look.theme.field);
        Some(canvas.at(22 + u16::try_from(self.typed.as_str().len()).unwrap_or(0), y))
    }
}

impl ReturnLines {
    fn draw_row(&self, canvas: &mut Canvas<'_>, look: &Look<'_>, y: u16, at: usize) {
        let (line, chosen) = (&self.lines()[at], at == self.chosen);
        let style = if chosen { look.theme.selected } else { look.theme.text };
        let width = canvas.width();
        if chosen {
            canvas.bar(y, style);
        }
        let marked = self.marked[at];
        let sign = if marked > Quantity::ZERO { "*" } else { " " };
        let mark = if chosen { ">" } else { " " };
        canvas.text(0, y, 6, &format!("{mark}{sign}{:>3}", line.line.line), style);
        canvas.text(6, y, width - 41, &line.line.name, style);
        canvas.right(width - 34, y, 10, &line.left.to_string(), style);
        canvas.right(width - 23, y, 10, &marked.to_string(), style);
        canvas.right(width - 12, y, 11, &line.line.amount.grouped(), style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;
    use crate::domain::quantity::UnitPrice;
    use crate::domain::register::{LineView, NumberView};

    fn line(line: u32, left: i64) -> ReceiptLine {
        let view = LineView {
            line,
            code: String::new(),
            name: String::new(),
            quantity: left.into(),
            unit_price: NumberView(UnitPrice::from(100)),
            discount: yen(0),
            discount_reason: "",
            amount: yen(100),
            tax_class: String::new(),
            list_price: None,
            mark: String::new(),
            returns: String::new(),
        };
        ReceiptLine { line: view, left: left.into() }
    }

    #[test]
    fn what_is_marked_comes_back_and_never_more_than_is_left() {
        let mut screen = ReturnLines::new("01-000123".into());
        let lines = vec![line(1, 1), line(2, 3)];
        let view = ReceiptView { number: "01-000123".into(), lines, ..ReceiptView::default() };
        screen.answer(&Answer::Receipt(Box::new(view)));
        assert_eq!(screen.enter(), Turn::say("return.mark_first"));
        screen.mark();
        screen.step(1);
        screen.typed.push('9');
        assert_eq!(screen.enter(), Turn::line("return 01-000123 1:1 2:3"));
    }
}
