//! Finds an item by name, kana, romaji or part of a code, and rings it.
//!
//! Room: screens. May touch: its own state.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::{Action, Answer, Page, Question};
use super::canvas::Canvas;
use super::finder::{Finder, Moved};
use super::frame;
use super::model::Model;
use super::screen::{Look, Screen, Turn};
use super::template::Slot;
use crate::domain::command::quote;
use crate::domain::money::Money;
use crate::domain::register::ItemView;

/// The search and what it found.
pub struct ItemFinder {
    finder: Finder<ItemView>,
}

impl ItemFinder {
    pub fn new(text: &str) -> Self {
        Self { finder: Finder::new(text) }
    }

    /// A finder that already has its answer: `find_item` given as a command.
    pub fn found(text: String, page: Page<ItemView>) -> Self {
        let mut finder = Finder::new(&text);
        finder.fill(text.trim(), page);
        Self { finder }
    }

    fn question(&self, offset: usize) -> Option<Question> {
        let text = self.finder.text();
        (!text.is_empty()).then_some(Question::FindItems { text, offset })
    }

    fn moved(&mut self, moved: Moved) -> Turn {
        match moved {
            Moved::Text => Turn::ask(self.question(0)),
            Moved::Page(offset) => Turn::ask(self.question(offset)),
            Moved::Nothing => Turn::Stay,
            Moved::Not => Turn::Ignored,
        }
    }
}

impl Screen for ItemFinder {
    fn name(&self) -> ScreenName {
        ScreenName::ItemFinder
    }

    fn takes_words(&self) -> bool {
        true
    }

    fn act(&mut self, act: Act, _model: &Model<'_>) -> Turn {
        if act != Act::Enter {
            let moved = self.finder.act(act);
            return self.moved(moved);
        }
        match self.finder.list.chosen().filter(|_| self.finder.is_answered()) {
            Some(item) => Turn::Leave(Action::Do(vec![format!("scan {}", quote(&item.code))])),
            None => Turn::ask(self.question(0)),
        }
    }

    fn letter(&mut self, letter: char, _model: &Model<'_>) -> Turn {
        let moved = self.finder.letter(letter);
        self.moved(moved)
    }

    fn paste(&mut self, text: &str, _model: &Model<'_>) -> Turn {
        self.finder.line.paste(text);
        self.moved(Moved::Text)
    }

    fn given(&self, slot: Slot, _model: &Model<'_>) -> Option<String> {
        let item = self.finder.list.chosen()?;
        (slot == Slot::Code).then(|| item.code.clone())
    }

    fn opening(&self) -> Option<Question> {
        self.question(0)
    }

    fn answer(&mut self, answer: &Answer) -> bool {
        match answer {
            Answer::Items { text, page } => self.finder.fill(text, page.clone()),
            _ => false,
        }
    }

    fn yields_to_scan(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        frame::title(canvas, look, look.word("item_finder.title"));
        let cursor = self.finder.draw_line(canvas, look, 1, look.word("find.text"));
        let (width, height) = (canvas.width(), canvas.height());
        if self.finder.list.is_empty() {
            self.finder.draw_empty(canvas, look, 4, look.word("item_finder.hint"));
            return Some(cursor);
        }
        canvas.text(2, 3, 14, look.word("find.code"), look.theme.dim);
        canvas.text(17, 3, 30, look.word("sale.item"), look.theme.dim);
        canvas.right(width - 28, 3, 10, look.word("sale.price"), look.theme.dim);
        canvas.text(width - 16, 3, 15, look.word("find.department"), look.theme.dim);
        for (y, (item, chosen)) in (4u16..).zip(self.finder.list.in_sight(height - 4)) {
            draw_row(canvas, look, y, item, chosen);
        }
        Some(cursor)
    }
}

fn draw_row(canvas: &mut Canvas<'_>, look: &Look<'_>, y: u16, item: &ItemView, chosen: bool) {
    let style = if chosen { look.theme.selected } else { look.theme.text };
    let width = canvas.width();
    if chosen {
        canvas.bar(y, style);
    }
    canvas.text(0, y, 2, if chosen { ">" } else { " " }, style);
    canvas.text(2, y, 14, &item.code, style);
    canvas.text(17, y, width - 46, &item.name, style);
    let price = match item.price.0.whole() {
        Some(whole) => Money::new(whole).grouped(),
        None => item.price.0.to_string(),
    };
    canvas.right(width - 28, y, 10, &price, style);
    let department = item.department.to_string();
    let choices = &look.model.choices.departments;
    let name = choices.iter().find(|choice| choice.value == department);
    canvas.text(width - 16, y, 15, name.map_or(&department, |choice| &choice.label), style);
}
