//! A menu: the keys of a screen's own table, as a list to choose from.
//!
//! Room: screens. May touch: its own state, the keymap.
//! Cash, close, reports and the general menu are the same screen with another table: what stands in them is
//! the keymap's to say, and beside them stands the day.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::Action;
use super::canvas::Canvas;
use super::frame;
use super::keymap::{Binding, Deed, Keymap};
use super::model::Model;
use super::screen::{Look, Screen, Turn};
use crate::domain::register::DayView;

/// Cells of the list; the day stands beside it.
const LIST: u16 = 46;
/// Cells of a column, where one does not hold all.
const COLUMN: u16 = 39;

/// Which of the entries is chosen.
pub struct Menu {
    screen: ScreenName,
    entries: Vec<Binding>,
    chosen: usize,
}

impl Menu {
    pub fn new(screen: ScreenName, keymap: &Keymap) -> Self {
        let labelled = |binding: &&Binding| binding.label.is_some();
        let entries = keymap.of(screen).iter().filter(labelled).cloned().collect();
        Self { screen, entries, chosen: 0 }
    }

    fn enter(&self) -> Turn {
        let Some(entry) = self.entries.get(self.chosen) else { return Turn::Back };
        match &entry.deeds[0] {
            Deed::Act(Act::Quit) => Turn::Give(Action::Quit),
            Deed::Act(act) => act
                .opens()
                .map_or(Turn::say("hint.use_key"), |screen| Turn::Open(screen, String::new())),
            Deed::Command(_) => {
                let command = |deed: &Deed| match deed {
                    Deed::Command(template) => Some(template.clone()),
                    Deed::Act(_) => None,
                };
                Turn::Run(entry.deeds.iter().filter_map(command).collect())
            }
        }
    }

    fn step(&mut self, by: isize) -> Turn {
        let last = self.entries.len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(by).min(last);
        Turn::Stay
    }

    const fn title(&self) -> &'static str {
        match self.screen {
            ScreenName::Cash => "menu.cash",
            ScreenName::Close => "menu.close",
            ScreenName::Reports => "menu.reports",
            _ => "menu.all",
        }
    }
}

impl Screen for Menu {
    fn name(&self) -> ScreenName {
        self.screen
    }

    fn act(&mut self, act: Act, _model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => self.enter(),
            Act::Up => self.step(-1),
            Act::Down => self.step(1),
            Act::PageUp => self.step(-10),
            Act::PageDown => self.step(10),
            _ => Turn::Ignored,
        }
    }

    fn done(&mut self, command: &str) -> bool {
        // After a count the difference is looked at, and then the day is closed from here; after one
        // report comes the next.
        !matches!(command, "count" | "x_report" | "report" | "approve")
    }

    fn yields_to_scan(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        frame::title(canvas, look, look.word(self.title()));
        let (width, height) = (canvas.width(), canvas.height() - 2);
        let rows = usize::from(height).max(1);
        if self.entries.len() > rows {
            // Two columns: what a menu can do is seen at once. The day is on the shorter menus.
            let page = self.chosen / (2 * rows) * (2 * rows);
            for (x, first) in [(0, page), (COLUMN + 1, page + rows)] {
                self.draw_entries(&mut canvas.part(x, 2, COLUMN, height), look, first);
            }
            return None;
        }
        self.draw_entries(&mut canvas.part(0, 2, LIST, height), look, 0);
        if let Some(day) = look.model.day {
            let height = canvas.height();
            draw_day(&mut canvas.part(LIST + 3, 2, width - LIST - 5, height - 2), look, day);
        } else {
            canvas.text(LIST + 3, 2, width - LIST - 4, look.word("day.none"), look.theme.dim);
        }
        None
    }
}

impl Menu {
    /// Draws as many entries as there are rows, from `first`.
    fn draw_entries(&self, canvas: &mut Canvas<'_>, look: &Look<'_>, first: usize) {
        let entries = self.entries.iter().enumerate().skip(first);
        for (y, (at, entry)) in (0..canvas.height()).zip(entries) {
            let chosen = at == self.chosen;
            let style = if chosen { look.theme.selected } else { look.theme.text };
            let mark = if chosen { ">" } else { " " };
            let label = look.word(entry.label.as_deref().unwrap_or_default());
            let row = format!("{mark} {:<5} {label}", entry.key.shown());
            canvas.text(1, y, canvas.width() - 1, &row, style);
        }
    }
}

/// The day as this person may see it: expected cash only once counted, or from level 7.
fn draw_day(canvas: &mut Canvas<'_>, look: &Look<'_>, day: &DayView) {
    canvas.text(0, 0, canvas.width(), look.word("day.title"), look.theme.title);
    let mut rows = vec![
        ("day.date", day.business_date.clone()),
        ("day.customers", day.customers.to_string()),
        ("day.net", day.net.grouped()),
    ];
    let amounts = [
        ("day.expected", day.expected_cash),
        ("day.counted", day.counted),
        ("day.difference", day.difference),
    ];
    rows.extend(amounts.into_iter().filter_map(|(key, amount)| Some((key, amount?.grouped()))));
    for (y, (key, value)) in (2u16..).zip(&rows) {
        canvas.pair(y, look.word(key), value, look.theme.text);
    }
}
