//! Help: the keys of the screen it was asked on, then every command, from their own lists.
//!
//! Room: screens. May touch: the keymap, the command table.
//! Invariant: nothing here is written twice, so help never lies.

use ratatui::layout::Position;
use ratatui::style::Style;

use super::act::{Act, ScreenName};
use super::canvas::Canvas;
use super::frame;
use super::keymap::{Binding, Deed, Keymap};
use super::model::Model;
use super::screen::{Look, Screen, Turn};
use crate::domain::command::{COMMANDS, CommandSpec};
use crate::domain::words::Words;

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
        for (y, row) in (1..canvas.height()).zip(&rows[self.first.min(rows.len())..]) {
            if row.is_heading {
                canvas.text(1, y, width - 2, &row.left, look.theme.title);
                continue;
            }
            let style: Style = look.theme.text;
            canvas.text(3, y, 34, &row.left, style);
            canvas.text(38, y, width - 39, &row.right, look.theme.dim);
        }
        None
    }
}
