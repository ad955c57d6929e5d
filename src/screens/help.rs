//! Help: the keys of the screen it was asked on, then every command, from their own lists.
//!
//! Room: screens. May touch: the keymap, the command table.
//! Invariant: nothing here is written twice, so help never lies.

use ratatui::layout::Position;
use ratatui::style::Style;

use super::act::{Act, ScreenName};
use super::canvas::{Canvas, shown, width as wide, wrap};
use super::frame;
use super::keymap::{Binding, Deed, Keymap};
use super::model::Model;
use super::screen::{Look, Screen, Turn};
use crate::domain::command::{COMMANDS, CommandSpec};
use crate::domain::words::Words;

/// Cells of a command with its arguments, or of a key.
const WIDEST_LEFT: u16 = 34;

/// The screen asked about and the first row in sight.
pub struct Help {
    about: ScreenName,
    keys: Vec<Binding>,
    first: usize,
}

/// One row of help.
struct Row {
    left: String,
    right: String,
    is_heading: bool,
}

impl Help {
    pub fn new(about: ScreenName, keymap: &Keymap) -> Self {
        let keys = keymap.shown(about).map(|(binding, _)| binding.clone()).collect();
        Self { about, keys, first: 0 }
    }

    /// Begins at the row of a command, where there is one of that name.
    pub fn at(mut self, name: &str) -> Self {
        if let Some(place) = COMMANDS.iter().position(|spec| spec.name == name) {
            let begins = |pair: &&[CommandSpec]| pair[0].group != pair[1].group;
            let groups = 1 + COMMANDS[..=place].windows(2).filter(begins).count();
            self.first = 1 + self.keys.len() + groups + place;
        }
        self
    }

    fn rows(&self, words: &Words) -> Vec<Row> {
        let heading =
            |text: &str| Row { left: text.to_owned(), right: String::new(), is_heading: true };
        let about = format!("screen.{}", self.about.word());
        let mut rows =
            vec![heading(&words.fill("help.keys_of", &[("screen", &words.get(&about))]))];
        rows.extend(self.keys.iter().map(|binding| key_row(binding, words)));
        let mut group = None;
        for spec in COMMANDS {
            if group != Some(spec.group) {
                group = Some(spec.group);
                rows.push(heading(words.get(spec.group.key())));
            }
            rows.push(Row {
                left: format!("{} {}", spec.name, spec.arguments),
                right: words.get(&format!("help.{}", spec.name)).to_owned(),
                is_heading: false,
            });
        }
        rows
    }

    fn scroll(&mut self, by: isize, model: &Model<'_>) -> Turn {
        let last = self.rows(model.words).len().saturating_sub(1);
        self.first = self.first.saturating_add_signed(by).min(last);
        Turn::Stay
    }
}

/// Draws what is explained beside its explanation, whole: in as many rows as they need. Returns how many.
pub(super) fn explained(
    canvas: &mut Canvas<'_>,
    look: &Look<'_>,
    y: u16,
    (left, right): (&str, &str),
) -> u16 {
    let width = canvas.width();
    let style: Style = look.theme.text;
    let mut rows = 1;
    let parts = [
        (3, WIDEST_LEFT, whole_words(left, WIDEST_LEFT), style),
        (38, width - 39, wrap(right, width - 39), look.theme.dim),
    ];
    for (x, cells, parts, style) in parts {
        for (y, part) in (y..canvas.height()).zip(&parts) {
            canvas.text(x, y, cells, part, style);
        }
        rows = rows.max(u16::try_from(parts.len()).unwrap_or(u16::MAX));
    }
    rows
}

/// Breaks a command's arguments at spaces alone: each stands whole on its row.
fn whole_words(text: &str, cells: u16) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match rows.last_mut() {
            Some(row) if wide(&shown(row)) + 1 + wide(&shown(word)) <= cells => {
                row.push(' ');
                row.push_str(word);
            }
            _ => rows.push(word.to_owned()),
        }
    }
    rows
}

fn key_row(binding: &Binding, words: &Words) -> Row {
    let label = words.get(binding.label.as_deref().unwrap_or_default()).to_owned();
    let does = match &binding.deeds[0] {
        Deed::Act(act) => words.get(&format!("act.{}", act.word())).to_owned(),
        Deed::Command(template) => words.get(&format!("help.{}", template.name())).to_owned(),
    };
    Row { left: format!("{:<7} {label}", binding.key.shown()), right: does, is_heading: false }
}

impl Screen for Help {
    fn name(&self) -> ScreenName {
        ScreenName::Help
    }

    fn act(&mut self, act: Act, model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => Turn::Back,
            Act::Up => self.scroll(-1, model),
            Act::Down => self.scroll(1, model),
            Act::PageUp => self.scroll(-16, model),
            Act::PageDown => self.scroll(16, model),
            Act::Home => self.scroll(isize::MIN, model),
            Act::End => self.scroll(isize::MAX, model),
            Act::OpenHelp => Turn::Stay,
            _ => Turn::Ignored,
        }
    }

    fn yields_to_scan(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        frame::title(canvas, look, look.word("help.title"));
        let rows = self.rows(look.model.words);
        let width = canvas.width();
        let mut y = 1;
        for row in &rows[self.first.min(rows.len())..] {
            if row.is_heading {
                canvas.text(1, y, width - 2, &row.left, look.theme.title);
                y += 1;
            } else {
                y += explained(canvas, look, y, (&row.left, &row.right));
            }
            if y >= canvas.height() {
                break;
            }
        }
        None
    }
}
