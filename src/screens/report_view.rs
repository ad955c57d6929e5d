//! A report, read page by page.
//!
//! Room: screens. May touch: its own state. May not: reckon; the rows are handed in.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::canvas::{Canvas, shown, width};
use super::frame::{self, LEAST};
use super::keymap::Key;
use super::model::Model;
use super::screen::{Look, Screen, Turn};

/// Cells that one key moves a wide table.
const SIDEWAYS: i16 = 20;

/// What the rows are.
#[derive(Debug, Clone)]
enum Rows {
    Text(Vec<String>),
    /// Label (a key of the language files) and value.
    Pairs(Vec<(String, String)>),
}

/// The rows and the first one in sight.
#[derive(Debug, Clone)]
pub struct ReportView {
    title: String,
    rows: Rows,
    first: usize,
    /// Cells to the left of sight: a table may be wider than the screen.
    left: u16,
}

impl Default for ReportView {
    fn default() -> Self {
        Self::text(String::new(), Vec::new())
    }
}

impl ReportView {
    pub fn text(title: String, rows: Vec<String>) -> Self {
        Self { title, rows: Rows::Text(rows), first: 0, left: 0 }
    }

    /// What a code is, part by part.
    pub fn explained(rows: Vec<(String, String)>) -> Self {
        Self { title: String::new(), rows: Rows::Pairs(rows), first: 0, left: 0 }
    }

    fn len(&self) -> usize {
        match &self.rows {
            Rows::Text(rows) => rows.len(),
            Rows::Pairs(rows) => rows.len(),
        }
    }

    /// Cells of the widest row that moves sideways.
    fn widest(&self) -> u16 {
        let Rows::Text(rows) = &self.rows else { return 0 };
        rows.iter().map(|row| width(&shown(row))).max().unwrap_or(0)
    }

    /// The widest row stays in sight with its end.
    fn shift(&mut self, by: i16) -> Turn {
        let most =
            self.widest().saturating_sub(LEAST.0 - 2).next_multiple_of(SIDEWAYS.unsigned_abs());
        self.left = self.left.saturating_add_signed(by).min(most);
        Turn::Stay
    }

    fn scroll(&mut self, by: isize) -> Turn {
        self.first = self.first.saturating_add_signed(by).min(self.len().saturating_sub(1));
        Turn::Stay
    }
}

impl ReportView {
    /// The keys that move a table wider than the screen, and how many rows are below.
    fn out_of_sight(&self, look: &Look<'_>, cells: u16, height: u16) -> String {
        let mut parts = Vec::new();
        if self.widest() > cells - 2 {
            let keys = [Act::Left, Act::Right];
            let keys = keys.map(|act| look.keymap.key_for(ScreenName::Report, act));
            if let [Some(left), Some(right)] = keys.map(|key| key.map(Key::shown)) {
                let keys = [("left", &left as &dyn std::fmt::Display), ("right", &right)];
                parts.push(look.model.words.fill("report_view.wide", &keys));
            }
        }
        let below = self.len().saturating_sub(self.first + usize::from(height) - 1);
        if below > 0 {
            parts.push(look.model.words.fill("report_view.more", &[("rows", &below)]));
        }
        parts.join("  ")
    }
}

/// Returns a row without its first cells; of a wide sign that is cut in half a space stays.
fn behind(row: &str, cells: u16) -> String {
    let row = shown(row);
    let mut left = cells;
    let mut rest = row.as_str();
    while let Some(sign) = rest.chars().next().filter(|_| left > 0) {
        let (sign, after) = rest.split_at(sign.len_utf8());
        rest = after;
        match left.checked_sub(width(sign)) {
            Some(fewer) => left = fewer,
            None => return format!(" {rest}"),
        }
    }
    rest.to_owned()
}

/// The text of a key when there is one, else the word as it came.
fn either(look: &Look<'_>, key: &str, word: &str) -> String {
    if look.model.words.has(key) { look.model.words.get(key).to_owned() } else { word.to_owned() }
}

impl Screen for ReportView {
    fn name(&self) -> ScreenName {
        ScreenName::Report
    }

    fn act(&mut self, act: Act, _model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => Turn::Back,
            Act::Left => self.shift(-SIDEWAYS),
            Act::Right => self.shift(SIDEWAYS),
            Act::Up => self.scroll(-1),
            Act::Down => self.scroll(1),
            Act::PageUp => self.scroll(-16),
            Act::PageDown => self.scroll(16),
            Act::Home => self.scroll(isize::MIN),
            Act::End => self.scroll(isize::MAX),
            _ => Turn::Ignored,
        }
    }

    fn yields_to_scan(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        let title =
            if self.title.is_empty() { look.word("report_view.title") } else { &self.title };
        frame::title(canvas, look, title);
        let (cells, height) = (canvas.width(), canvas.height());
        let in_sight = 1..height;
        match &self.rows {
            Rows::Text(rows) => {
                for (y, row) in in_sight.zip(&rows[self.first.min(rows.len())..]) {
                    canvas.text(1, y, cells - 2, &behind(row, self.left), look.theme.text);
                }
            }
            Rows::Pairs(rows) => {
                for (y, (label, value)) in in_sight.zip(&rows[self.first.min(rows.len())..]) {
                    let label = either(look, &format!("explain.{label}"), label);
                    let value = either(look, &format!("code.{value}"), value);
                    canvas.text(3, y, 24, &label, look.theme.dim);
                    canvas.text(28, y, cells - 30, &value, look.theme.text);
                }
            }
        }
        canvas.right(0, 0, cells - 1, &self.out_of_sight(look, cells, height), look.theme.dim);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_table_moves_sideways_and_keeps_its_columns() {
        for (row, cells, want) in [
            ("牛乳 248", 0, "牛乳 248"),
            ("牛乳 248", 1, " 乳 248"),
            ("牛乳 248", 4, " 248"),
            ("ab", 9, ""),
        ] {
            assert_eq!(behind(row, cells), want, "{cells}");
        }
        let mut view = ReportView::text(String::new(), vec!["x".repeat(100)]);
        (0..9).for_each(|_| drop(view.shift(SIDEWAYS)));
        assert_eq!(view.left, 40);
        (0..9).for_each(|_| drop(view.shift(-SIDEWAYS)));
        assert_eq!(view.left, 0);
    }
}
