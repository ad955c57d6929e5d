//! One receipt as it was printed, and what can still be done with it.
//!
//! Room: screens. May touch: its own state. May not: reckon; the paper's text is handed in.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::{Answer, Question, ReceiptView};
use super::canvas::Canvas;
use super::frame;
use super::model::Model;
use super::screen::{Look, Screen, Turn};
use super::template::Slot;

/// The receipt, and the first row in sight.
pub struct Receipt {
    number: String,
    view: Option<ReceiptView>,
    first: usize,
}

impl Receipt {
    pub fn new(number: String) -> Self {
        Self { number, view: None, first: 0 }
    }

    fn scroll(&mut self, by: isize) -> Turn {
        let last = self.view.as_ref().map_or(0, |view| view.paper.len().saturating_sub(1));
        self.first = self.first.saturating_add_signed(by).min(last);
        Turn::Stay
    }
}

impl Screen for Receipt {
    fn name(&self) -> ScreenName {
        ScreenName::Receipt
    }

    fn act(&mut self, act: Act, _model: &Model<'_>) -> Turn {
        match act {
            Act::Up => self.scroll(-1),
            Act::Down => self.scroll(1),
            Act::PageUp => self.scroll(-14),
            Act::PageDown => self.scroll(14),
            Act::Home => self.scroll(isize::MIN),
            Act::End => self.scroll(isize::MAX),
            Act::Enter | Act::OpenReturnLines => {
                Turn::Open(ScreenName::ReturnLines, self.number.clone())
            }
            Act::Refresh => Turn::ask(self.opening()),
            _ => Turn::Ignored,
        }
    }

    fn given(&self, slot: Slot, _model: &Model<'_>) -> Option<String> {
        (slot == Slot::Receipt).then(|| self.number.clone())
    }

    fn opening(&self) -> Option<Question> {
        Some(Question::Receipt { number: self.number.clone() })
    }

    fn answer(&mut self, answer: &Answer) -> bool {
        match answer {
            Answer::Receipt(view) if view.number == self.number => {
                self.view = Some((**view).clone());
                true
            }
            _ => false,
        }
    }

    fn done(&mut self, command: &str) -> bool {
        matches!(command, "void_receipt" | "exchange" | "return")
    }

    fn yields_to_scan(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        let title = look.model.words.fill("receipt.title", &[("number", &self.number)]);
        frame::title(canvas, look, &title);
        let Some(view) = &self.view else {
            canvas.text(3, 3, 60, look.word("find.searching"), look.theme.dim);
            return None;
        };
        let (width, height) = (canvas.width(), canvas.height());
        let mut paper = canvas.part(1, 1, 50.min(width - 28), height - 1);
        paper.clear(look.theme.paper);
        for (y, row) in (0u16..paper.height()).zip(view.paper.iter().skip(self.first)) {
            paper.text(1, y, paper.width() - 2, row, look.theme.paper);
        }
        let mut state = canvas.part(53, 1, width.saturating_sub(54), height - 1);
        draw_state(&mut state, look, view);
        let below = view.paper.len().saturating_sub(self.first + usize::from(height) - 1);
        if below > 0 {
            let more = look.model.words.fill("report_view.more", &[("rows", &below)]);
            state.text(0, height - 2, state.width(), &more, look.theme.dim);
        }
        None
    }
}

fn draw_state(canvas: &mut Canvas<'_>, look: &Look<'_>, view: &ReceiptView) {
    if view.voided {
        canvas.text(0, 0, canvas.width(), look.word("receipt.voided"), look.theme.refusal);
    }
    let copies = look.model.words.fill("receipt.copies", &[("copies", &view.copies)]);
    canvas.text(0, 2, canvas.width(), &copies, look.theme.text);
    // On a return slip the quantities are negative and nothing is left to return.
    let back = view.lines.iter().filter(|line| line.left < line.line.quantity).count();
    if back > 0 {
        let text = look.model.words.fill("receipt.returned", &[("lines", &back)]);
        canvas.text(0, 3, canvas.width(), &text, look.theme.alert);
    }
    for (y, number) in (4u16..canvas.height().saturating_sub(3)).zip(&view.formals) {
        let text = look.model.words.fill("receipt.formal", &[("number", number)]);
        canvas.text(0, y, canvas.width(), &text, look.theme.text);
    }
}
