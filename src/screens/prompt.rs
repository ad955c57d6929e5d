//! A window that fills the gaps of a command, or asks for a yes.
//!
//! Room: screens. May touch: its own state.
//! Invariant: nothing is given before the last gap is filled; Esc gives nothing.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::Action;
use super::canvas::Canvas;
use super::digits::may_be_number;
use super::frame;
use super::kana_line::{KanaLine, KanaMode};
use super::model::{Choice, Model};
use super::screen::{Look, Screen, Turn};
use super::template::{Slot, SlotKind, Template};
use crate::domain::code::document_number::is_surely_code;
use crate::domain::sale::TenderKind;

/// Cells and rows of the window.
const SIZE: (u16, u16) = (53, 15);
/// Rows of choices in sight.
const ROWS: usize = 9;

/// The commands in the making.
pub struct Prompt {
    templates: Vec<Template>,
    /// Key of the heading; `None`: the help text of the command.
    heading: Option<&'static str>,
    /// Why it is asked, in words; empty: the heading says all.
    why: String,
    line: KanaLine,
    chosen: usize,
    /// Choices of the gap in hand.
    choices: Vec<Choice>,
    /// The goods whose price this asks; empty: it asks something else.
    price_of: String,
}

impl Prompt {
    /// Asks for each gap in turn.
    pub fn gaps(templates: Vec<Template>, model: &Model<'_>) -> Self {
        let mut prompt = Self::with(templates, None);
        prompt.begin(model);
        prompt
    }

    /// Asks for the price of goods whose code has none; over as soon as the register asks no more.
    pub fn price(model: &Model<'_>) -> Self {
        let template = Template::read("price_override {amount}").expect("a template of our own");
        let mut prompt = Self::gaps(vec![template], model);
        model.price_of.clone_into(&mut prompt.price_of);
        prompt.because(model.words.fill("ask.price_of", &[("name", &model.price_of)]))
    }

    /// Asks somebody else to allow `line`, and gives it again.
    pub fn approval(line: &str) -> Self {
        Self::with(vec![Self::approve(), Template::fixed(line)], Some("ask.approve"))
    }

    /// Somebody else's approval, with its gaps.
    pub fn approve() -> Template {
        Template::read("approve {staff} {pin}").expect("a template of our own")
    }

    /// Asks for a yes; then gives `lines`.
    pub fn question(heading: &'static str, lines: &[&str]) -> Self {
        let templates = lines.iter().map(|line| Template::fixed(*line)).collect();
        Self::with(templates, Some(heading))
    }

    /// Says in the window why it is asked, instead of the heading.
    pub fn because(mut self, why: String) -> Self {
        self.why = why;
        self
    }

    fn with(templates: Vec<Template>, heading: Option<&'static str>) -> Self {
        let line = KanaLine::new(200, KanaMode::Direct);
        let (why, price_of) = (String::new(), String::new());
        Self { templates, heading, why, line, chosen: 0, choices: Vec::new(), price_of }
    }

    /// The gap in hand; `None` when all are filled or there were none.
    fn slot(&self) -> Option<Slot> {
        self.templates.iter().find_map(|template| template.gaps().next())
    }

    fn begin(&mut self, model: &Model<'_>) {
        self.line.clear();
        self.chosen = 0;
        let voids = self.templates.iter().any(|template| template.name() == "void_receipt");
        self.choices = match self.slot() {
            Some(Slot::Reason) if voids => model.choices.void_reasons.clone(),
            Some(slot) => choices(slot, model),
            None => Vec::new(),
        };
    }

    /// What was typed or chosen for the gap; `None` while that is nothing.
    fn value(&mut self, slot: Slot) -> Option<String> {
        let typed = self.line.take().trim().to_owned();
        let by_number = typed.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let listed = match (by_number, typed.is_empty()) {
            _ if slot.kind() != SlotKind::Choice => None,
            (Some(at), _) => self.choices.get(at),
            (None, true) => self.choices.get(self.chosen),
            (None, false) => None,
        };
        // A PIN may be empty: staff without one approve without one, and the register says no.
        let value = listed.map_or(typed, |choice| choice.value.clone());
        (!value.is_empty()).then_some(value)
    }

    fn enter(&mut self, model: &Model<'_>) -> Turn {
        if let Some(slot) = self.slot() {
            let Some(value) = self.value(slot) else { return Turn::say("hint.fill_first") };
            let holds = |template: &&mut Template| template.gaps().next().is_some();
            if let Some(template) = self.templates.iter_mut().find(holds) {
                *template = template.clone().with(slot, &value);
            }
            self.begin(model);
        }
        if self.slot().is_some() {
            return Turn::Stay;
        }
        Turn::Leave(Action::Do(self.templates.iter().filter_map(Template::line).collect()))
    }

    fn step(&mut self, by: isize) -> Turn {
        let last = self.choices.len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(by).min(last);
        Turn::Stay
    }
}

/// Whether a gap is answered by scanning what it asks for.
fn takes_scans(slot: Slot) -> bool {
    matches!(slot, Slot::Code | Slot::Receipt | Slot::Slip)
}

/// The list a gap is answered from.
fn choices(slot: Slot, model: &Model<'_>) -> Vec<Choice> {
    match slot {
        Slot::Reason => model.choices.reasons.clone(),
        Slot::Department => model.choices.departments.clone(),
        Slot::Class => model.choices.tax_classes.clone(),
        Slot::Customer => model.choices.customer_kinds.clone(),
        Slot::Kind => tender_kinds(model),
        _ => Vec::new(),
    }
}

fn tender_kinds(model: &Model<'_>) -> Vec<Choice> {
    let named = |kind: &&TenderKind| TenderKind::from_word(kind.word()).is_some();
    let choice = |kind: &TenderKind| Choice {
        value: kind.word().to_owned(),
        label: model.words.get(&format!("tender.{}", kind.word())).to_owned(),
    };
    TenderKind::ALL.iter().filter(named).map(choice).collect()
}

impl Screen for Prompt {
    fn name(&self) -> ScreenName {
        ScreenName::Prompt
    }

    fn takes_words(&self) -> bool {
        matches!(self.slot(), Some(Slot::Text | Slot::Name | Slot::Reason))
    }

    fn act(&mut self, act: Act, model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => return self.enter(model),
            Act::Up => return self.step(-1),
            Act::Down => return self.step(1),
            Act::PageUp => return self.step(-(ROWS as isize)),
            Act::PageDown => return self.step(ROWS as isize),
            Act::Erase => self.line.erase(),
            Act::Delete => self.line.delete(),
            Act::Left => self.line.left(),
            Act::Right => self.line.right(),
            Act::Home => self.line.home(),
            Act::End => self.line.end(),
            Act::Kana => self.line.switch_mode(),
            Act::Back if !self.line.is_empty() => self.line.clear(),
            // One question at a time: what else a key opens waits until this one is answered.
            Act::Approve => {}
            act if act.opens().is_some() => {}
            _ => return Turn::Ignored,
        }
        Turn::Stay
    }

    fn letter(&mut self, letter: char, _model: &Model<'_>) -> Turn {
        let digits = self
            .slot()
            .is_some_and(|slot| matches!(slot.kind(), SlotKind::Digits | SlotKind::Secret));
        let fits = letter.is_ascii_digit() || (letter == '.' && digits);
        if self.slot().is_none() || (digits && !fits && self.slot() != Some(Slot::Points)) {
            return Turn::Ignored;
        }
        self.line.push(letter);
        Turn::Stay
    }

    fn paste(&mut self, text: &str, _model: &Model<'_>) -> Turn {
        if self.slot().is_some() {
            self.line.paste(text.trim());
        }
        Turn::Stay
    }

    /// A gap that wants a code takes the scan and goes on.
    fn scan(&mut self, code: &str, model: &Model<'_>) -> Turn {
        match self.slot() {
            Some(slot) if takes_scans(slot) => {
                self.line.set(code.trim());
                self.enter(model)
            }
            _ => Turn::Ignored,
        }
    }

    fn is_typing(&self, burst: &str) -> bool {
        self.slot().is_some_and(|slot| match slot.kind() {
            SlotKind::Digits | SlotKind::Secret => may_be_number(burst),
            SlotKind::Text if takes_scans(slot) => false,
            SlotKind::Text | SlotKind::Choice => !is_surely_code(burst),
        })
    }

    /// Goods that come while a question stands are no answer to it: it is asked again when it is meant.
    /// Goods whose price is asked wait for it.
    fn yields_to_scan(&self) -> bool {
        self.price_of.is_empty() && !self.slot().is_some_and(takes_scans)
    }

    fn is_window(&self) -> bool {
        true
    }

    fn is_over(&self, model: &Model<'_>) -> bool {
        !self.price_of.is_empty() && self.price_of != model.price_of
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        let mut window = frame::window(canvas, look, SIZE.0, SIZE.1);
        let name = self.templates.first().map_or("", Template::name);
        let help = format!("help.{name}");
        let heading = self.heading.unwrap_or(&help);
        let heading =
            if self.why.is_empty() { look.model.words.get(heading) } else { self.why.as_str() };
        let style = look.theme.popup;
        let width = window.width();
        let slot = self.slot();
        // A yes is given to the whole question; before a gap two rows have room.
        let most = if slot.is_none() { window.height().saturating_sub(2) } else { 2 };
        let mut below = 0;
        for (y, row) in (0..most).zip(super::canvas::wrap(heading, width)) {
            window.text(0, y, width, &row, style);
            below = y + 1;
        }
        let Some(slot) = slot else {
            window.text(0, below.max(2) + 1, width, look.word("ask.yes_no"), style);
            return None;
        };
        let label = format!("{}: ", look.word(slot.label()));
        let used = window.text(0, 2, width, &label, style);
        let cursor = self.draw_typed(&mut window, look, slot, used);
        let first = self.chosen / ROWS * ROWS;
        let in_sight = self.choices.iter().enumerate().skip(first).take(ROWS);
        for (y, (at, choice)) in (4u16..).zip(in_sight) {
            let here = at == self.chosen;
            let mark = if here { ">" } else { " " };
            let row = format!("{mark}{:>3} {}", at + 1, choice.label);
            window.text(0, y, width, &row, if here { look.theme.selected } else { style });
        }
        Some(cursor)
    }
}

impl Prompt {
    fn draw_typed(&self, window: &mut Canvas<'_>, look: &Look<'_>, slot: Slot, x: u16) -> Position {
        let room = window.width().saturating_sub(x + 8);
        if slot.kind() == SlotKind::Secret {
            let stars = "*".repeat(self.line.text().len());
            window.text(x, 2, room, &stars, look.theme.popup);
            return window.at(x + u16::try_from(stars.len()).unwrap_or(0), 2);
        }
        if matches!(slot.kind(), SlotKind::Text | SlotKind::Choice) {
            let mode = format!("[{}]", look.word(self.line.mode.label()));
            window.text(window.width() - 7, 2, 7, &mode, look.theme.popup);
        }
        self.line.draw(window, x, 2, room, look.theme.popup)
    }
}
