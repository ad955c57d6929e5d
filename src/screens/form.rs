//! A form: labelled fields, one of them taking the keys.
//!
//! Room: screens. May touch: its own state.
//! Invariant: leaving a field loses nothing; a secret field is never drawn.

use ratatui::layout::Position;

use super::act::Act;
use super::canvas::Canvas;
use super::kana_line::{KanaLine, KanaMode};
use super::screen::Look;

/// What may be put into a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// One of these words; each is also a key of the language files behind the label's own.
    OneOf(&'static [&'static str]),
    Secret,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormField {
    /// Name in the command or settings.
    pub name: &'static str,
    /// Key of the label in the language files.
    pub label: &'static str,
    pub kind: Kind,
    pub line: KanaLine,
    /// Names and the like, not numbers and addresses of machines.
    words: bool,
}

impl FormField {
    pub fn text(name: &'static str, label: &'static str, mode: KanaMode) -> Self {
        let words = mode != KanaMode::Direct;
        Self { name, label, kind: Kind::Text, line: KanaLine::new(200, mode), words }
    }

    pub fn secret(name: &'static str, label: &'static str) -> Self {
        let line = KanaLine::new(12, KanaMode::Direct);
        Self { name, label, kind: Kind::Secret, line, words: false }
    }

    pub fn one_of(name: &'static str, label: &'static str, words: &'static [&'static str]) -> Self {
        let line = KanaLine::new(40, KanaMode::Direct).with(words[0]);
        Self { name, label, kind: Kind::OneOf(words), line, words: false }
    }

    /// The text as it stands, without spaces around it.
    pub fn value(&self) -> String {
        let mut line = self.line.clone();
        line.take().trim().to_owned()
    }

    fn turn(&mut self, by: isize) {
        if let Kind::OneOf(words) = self.kind {
            let now = words.iter().position(|word| *word == self.line.text()).unwrap_or(0);
            let next = (now as isize + by).rem_euclid(words.len() as isize);
            self.line.set(words[next.unsigned_abs()]);
        }
    }
}

/// The fields and which of them is being filled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    pub fields: Vec<FormField>,
    current: usize,
}

impl Form {
    pub fn new(fields: Vec<FormField>) -> Self {
        Self { fields, current: 0 }
    }

    fn current(&mut self) -> &mut FormField {
        &mut self.fields[self.current]
    }

    /// Whether the field being filled takes words.
    pub fn takes_words(&self) -> bool {
        self.fields.get(self.current).is_some_and(|field| field.words)
    }

    pub fn is_last(&self) -> bool {
        self.current + 1 == self.fields.len()
    }

    pub fn value(&self, name: &str) -> String {
        self.fields
            .iter()
            .find(|field| field.name == name)
            .map(FormField::value)
            .unwrap_or_default()
    }

    pub fn set(&mut self, name: &str, value: &str) {
        if let Some(field) = self.fields.iter_mut().find(|field| field.name == name) {
            field.line.set(value);
        }
    }

    pub fn letter(&mut self, letter: char) {
        let field = self.current();
        match field.kind {
            Kind::OneOf(_) => field.turn(1),
            Kind::Secret if !letter.is_ascii_digit() => {}
            Kind::Secret | Kind::Text => field.line.push(letter),
        }
    }

    pub fn paste(&mut self, text: &str) {
        if self.current().kind == Kind::Text {
            self.current().line.paste(text);
        }
    }

    /// Moves to the next field; at the last one, returns `false`.
    pub fn next(&mut self) -> bool {
        self.current().line.settle();
        let more = !self.is_last();
        self.current += usize::from(more);
        more
    }

    /// Takes a key of a form; returns whether it was one.
    pub fn act(&mut self, act: Act) -> bool {
        let choice = matches!(self.current().kind, Kind::OneOf(_));
        match act {
            Act::NextField | Act::Down => {
                self.next();
            }
            Act::PreviousField | Act::Up => {
                self.current().line.settle();
                self.current = self.current.saturating_sub(1);
            }
            Act::Left if choice => self.current().turn(-1),
            Act::Right if choice => self.current().turn(1),
            Act::Erase | Act::Delete if choice => {}
            Act::Erase => self.current().line.erase(),
            Act::Delete => self.current().line.delete(),
            Act::Left => self.current().line.left(),
            Act::Right => self.current().line.right(),
            Act::Home => self.current().line.home(),
            Act::End => self.current().line.end(),
            Act::Kana => self.current().line.switch_mode(),
            Act::Back if !choice && !self.current().line.is_empty() => self.current().line.clear(),
            _ => return false,
        }
        true
    }

    /// Draws the fields, one a row, and returns where the cursor stands.
    pub fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        let mut cursor = None;
        let rows = usize::from(canvas.height()).max(1);
        let first = (self.current + 1).saturating_sub(rows);
        for (y, (at, field)) in (0u16..).zip(self.fields.iter().enumerate().skip(first).take(rows))
        {
            let here = at == self.current;
            let place = draw_field(canvas, look, y, field, here);
            if here {
                cursor = Some(place);
            }
        }
        cursor
    }
}

fn draw_field(
    canvas: &mut Canvas<'_>,
    look: &Look<'_>,
    y: u16,
    field: &FormField,
    here: bool,
) -> Position {
    let style = if here { look.theme.title } else { look.theme.dim };
    canvas.text(1, y, 2, if here { ">" } else { " " }, style);
    canvas.text(3, y, 20, look.word(field.label), style);
    let room = canvas.width() - 34;
    let field_style = if here { look.theme.field } else { look.theme.text };
    match &field.kind {
        Kind::Text => {
            let mode = if here {
                format!("[{}]", look.word(field.line.mode.label()))
            } else {
                String::new()
            };
            canvas.text(24, y, 6, &mode, look.theme.notice);
            field.line.draw(canvas, 31, y, room, field_style)
        }
        Kind::Secret => {
            let stars = "*".repeat(field.line.text().len());
            canvas.text(31, y, 12, &format!("{stars:<12}"), field_style);
            canvas.at(31 + u16::try_from(stars.len()).unwrap_or(0), y)
        }
        Kind::OneOf(_) => {
            let key = format!("{}.{}", field.label, field.line.text());
            let word = look.model.words.get(&key).to_owned();
            canvas.text(31, y, room, &format!("< {word} >"), field_style);
            canvas.at(33, y)
        }
    }
}
