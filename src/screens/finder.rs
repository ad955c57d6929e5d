//! A search line above a list that follows it: the common part of every finder.
//!
//! Room: screens. May touch: its own state.
//! Invariant: the list shows what the line asks for, or nothing yet; an older answer is dropped.

use ratatui::layout::Position;

use super::act::Act;
use super::action::Page;
use super::canvas::Canvas;
use super::kana_line::{KanaLine, KanaMode};
use super::paged::Paged;
use super::screen::Look;

/// The longest text searched for.
const LONGEST: usize = 80;
/// Rows a list jumps by.
const JUMP: isize = 12;

/// What a key did to a finder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// The text changed: ask from the first row.
    Text,
    /// The list needs the page from this row.
    Page(usize),
    Nothing,
    /// Not a key of a finder.
    Not,
}

/// A search in progress.
#[derive(Debug, Clone)]
pub struct Finder<T> {
    pub line: KanaLine,
    pub list: Paged<T>,
    /// The text that the list answers.
    answered: Option<String>,
}

impl<T> Finder<T> {
    pub fn new(text: &str) -> Self {
        let line = KanaLine::new(LONGEST, KanaMode::Direct).with(text);
        Self { line, list: Paged::default(), answered: None }
    }

    pub fn text(&self) -> String {
        self.line.text().trim().to_owned()
    }

    /// Takes a page that answers `text`; returns whether it still fits.
    pub fn fill(&mut self, text: &str, page: Page<T>) -> bool {
        if text != self.text() {
            return false;
        }
        if self.answered.as_deref() != Some(text) {
            self.list = Paged::default();
        }
        self.answered = Some(text.to_owned());
        self.list.fill(page);
        true
    }

    /// Whether the list shows what the line asks for.
    pub fn is_answered(&self) -> bool {
        self.answered.as_deref() == Some(self.text().as_str())
    }

    pub fn letter(&mut self, letter: char) -> Moved {
        self.line.push(letter);
        Moved::Text
    }

    /// Keys that edit the line or move in the list.
    pub fn act(&mut self, act: Act) -> Moved {
        let before = self.line.text();
        match act {
            Act::Up | Act::Down | Act::PageUp | Act::PageDown => return self.step(act),
            Act::Erase => self.line.erase(),
            Act::Delete => self.line.delete(),
            Act::Left => self.line.left(),
            Act::Right => self.line.right(),
            Act::Home => self.line.home(),
            Act::End => self.line.end(),
            Act::Kana => self.line.switch_mode(),
            Act::Back if !self.line.is_empty() => self.line.clear(),
            _ => return Moved::Not,
        }
        if self.line.text() == before { Moved::Nothing } else { Moved::Text }
    }

    fn step(&mut self, act: Act) -> Moved {
        let by = match act {
            Act::Up => -1,
            Act::Down => 1,
            Act::PageUp => -JUMP,
            _ => JUMP,
        };
        self.list.step(by).map_or(Moved::Nothing, Moved::Page)
    }

    /// Draws the line with its label and mode, and returns where the cursor stands.
    pub fn draw_line(
        &self,
        canvas: &mut Canvas<'_>,
        look: &Look<'_>,
        y: u16,
        label: &str,
    ) -> Position {
        let used = canvas.text(1, y, 24, label, look.theme.dim);
        let mode = format!("[{}]", look.word(self.line.mode.label()));
        canvas.text(3 + used, y, 8, &mode, look.theme.notice);
        let x = 3 + used + 7;
        self.line.draw(canvas, x, y, canvas.width() - x - 1, look.theme.field)
    }

    /// Draws what stands in place of an empty list.
    pub fn draw_empty(&self, canvas: &mut Canvas<'_>, look: &Look<'_>, y: u16, hint: &str) {
        let text = if self.text().is_empty() {
            hint
        } else if self.is_answered() {
            look.word("find.nothing")
        } else {
            look.word("find.searching")
        };
        canvas.text(3, y, canvas.width() - 4, text, look.theme.dim);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_an_older_text_is_dropped() {
        let mut finder: Finder<u8> = Finder::new("gyu");
        finder.letter('u');
        let page = Page { offset: 0, rows: vec![1], more: false };
        assert!(!finder.fill("gyu", page.clone()));
        assert!(finder.list.is_empty());
        assert!(finder.fill("gyuu", page));
        assert_eq!(finder.list.chosen(), Some(&1));
    }
}
