//! The journal browser: by date, amount, number, member, staff, item.
//!
//! Room: screens. May touch: its own state.
//! Invariant: pages come from an index; the whole journal is never asked for at once. Nothing is done
//! with a row that the query does not name.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::{Answer, JournalRow, Page, Question};
use super::canvas::Canvas;
use super::finder::{Finder, Moved};
use super::frame;
use super::model::Model;
use super::paged::Paged;
use super::screen::{Look, Screen, Turn};
use super::template::Slot;

/// The query being typed and the rows it found.
pub struct Journal {
    finder: Finder<JournalRow>,
}

impl Journal {
    /// Begins with a query; an empty one is everything, newest first.
    pub fn new(query: &str) -> Self {
        Self { finder: Finder::new(query) }
    }

    fn question(&self, offset: usize) -> Question {
        let query = self.finder.text().split_whitespace().map(str::to_owned).collect();
        Question::Journal { query, offset }
    }

    fn ask(&self, offset: usize) -> Turn {
        Turn::ask(Some(self.question(offset)))
    }

    fn fill(&mut self, query: &[String], page: Page<JournalRow>) -> bool {
        let asked = self.question(0);
        matches!(asked, Question::Journal { query: now, .. } if now == query)
            && self.finder.fill(&self.finder.text(), page)
    }

    /// A finished query is asked; an answered one opens a screen on the receipt that is chosen.
    fn open(&self, screen: ScreenName, without_paper: &'static str) -> Turn {
        if !self.finder.is_answered() {
            return self.ask(0);
        }
        match self.finder.list.chosen() {
            Some(row) if !row.number.is_empty() => Turn::Open(screen, row.number.clone()),
            Some(_) => Turn::say(without_paper),
            None => Turn::say("hint.choose_first"),
        }
    }
}

impl Screen for Journal {
    fn name(&self) -> ScreenName {
        ScreenName::Journal
    }

    fn takes_words(&self) -> bool {
        true
    }

    fn act(&mut self, act: Act, _model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => self.open(ScreenName::Receipt, "journal.no_paper"),
            Act::Refresh => self.ask(0),
            Act::OpenReturnLines => self.open(ScreenName::ReturnLines, "hint.choose_first"),
            // A query waits for Enter: a journal is long, and half a date finds too much of it.
            _ => match self.finder.act(act) {
                Moved::Page(offset) => self.ask(offset),
                Moved::Text | Moved::Nothing => Turn::Stay,
                Moved::Not => Turn::Ignored,
            },
        }
    }

    fn letter(&mut self, letter: char, _model: &Model<'_>) -> Turn {
        self.finder.letter(letter);
        Turn::Stay
    }

    fn paste(&mut self, text: &str, _model: &Model<'_>) -> Turn {
        self.finder.line.paste(text.trim());
        Turn::Stay
    }

    /// A scanned receipt is looked up at once, and so is a scanned item.
    fn scan(&mut self, code: &str, _model: &Model<'_>) -> Turn {
        self.finder.line.clear();
        self.finder.line.paste(code.trim());
        self.ask(0)
    }

    fn given(&self, slot: Slot, _model: &Model<'_>) -> Option<String> {
        let row = self.finder.list.chosen().filter(|row| !row.number.is_empty())?;
        (slot == Slot::Receipt).then(|| row.number.clone())
    }

    fn asks_before(&self, slot: Slot) -> Option<Question> {
        (slot == Slot::Receipt && !self.finder.is_answered()).then(|| self.question(0))
    }

    fn opening(&self) -> Option<Question> {
        Some(self.question(0))
    }

    fn answer(&mut self, answer: &Answer) -> bool {
        match answer {
            Answer::Journal { query, page } => self.fill(query, page.clone()),
            _ => false,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        frame::title(canvas, look, look.word("journal.title"));
        let cursor = self.finder.draw_line(canvas, look, 1, look.word("journal.query"));
        canvas.text(3, 2, canvas.width() - 4, look.word("journal.hint"), look.theme.dim);
        if self.finder.list.is_empty() {
            let key = if self.finder.is_answered() { "find.nothing" } else { "journal.enter" };
            canvas.text(3, 5, canvas.width() - 4, look.word(key), look.theme.dim);
            return Some(cursor);
        }
        let (width, height) = (canvas.width(), canvas.height());
        draw_rows(
            &mut canvas.part(0, 4, width, height - 4),
            look,
            &self.finder.list,
            "find.nothing",
        );
        Some(cursor)
    }
}

/// Draws journal rows under their heading: also the visits of a member. `nothing` is the key of what
/// stands in place of rows.
pub fn draw_rows(
    canvas: &mut Canvas<'_>,
    look: &Look<'_>,
    list: &Paged<JournalRow>,
    nothing: &'static str,
) {
    let width = canvas.width();
    canvas.text(2, 0, 11, look.word("journal.at"), look.theme.dim);
    canvas.text(14, 0, 12, look.word("journal.number"), look.theme.dim);
    canvas.text(27, 0, 16, look.word("journal.kind"), look.theme.dim);
    canvas.right(44, 0, 11, look.word("sale.amount"), look.theme.dim);
    canvas.right(55, 0, 6, look.word("find.staff"), look.theme.dim);
    if list.is_empty() {
        canvas.text(3, 2, width - 4, look.word(nothing), look.theme.dim);
    }
    for (y, (row, chosen)) in (1u16..).zip(list.in_sight(canvas.height() - 1)) {
        let style = if chosen { look.theme.selected } else { look.theme.text };
        if chosen {
            canvas.bar(y, style);
        }
        canvas.text(0, y, 2, if chosen { ">" } else { " " }, style);
        canvas.text(2, y, 11, &row.at, style);
        canvas.text(14, y, 12, &row.number, style);
        canvas.text(27, y, 16, look.word(row.kind), style);
        let amount = row.amount.map(crate::domain::money::Money::grouped).unwrap_or_default();
        canvas.right(44, y, 11, &amount, style);
        canvas.right(55, y, 6, &row.staff.to_string(), style);
        canvas.text(62, y, width.saturating_sub(63), &row.detail, style);
    }
}
