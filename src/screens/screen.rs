//! What every screen is: a state that takes keys and draws itself.
//!
//! Room: screens. May touch: its own state, the canvas.
//! Invariant: a screen changes only itself; whatever reaches further is in the `Turn` it returns.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::{Action, Answer, Question};
use super::canvas::Canvas;
use super::digits::Digits;
use super::keymap::Keymap;
use super::model::Model;
use super::template::{Slot, Template};
use super::theme::Theme;

/// What a key on a screen leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    Stay,
    /// The key means nothing here.
    Ignored,
    /// Leave this screen.
    Back,
    /// Open another above this one; the text is what it is about (a code, a number).
    Open(ScreenName, String),
    /// Fill the gaps, asking for what is missing, then give the commands.
    Run(Vec<Template>),
    Give(Action),
    /// Leave this screen, then the action.
    Leave(Action),
}

impl Turn {
    /// Gives one finished command line.
    pub fn line(line: impl Into<String>) -> Self {
        Self::Give(Action::Do(vec![line.into()]))
    }

    pub fn ask(question: Option<Question>) -> Self {
        question.map_or(Self::Stay, |question| Self::Give(Action::Ask(question)))
    }

    pub fn say(key: &'static str) -> Self {
        Self::Give(Action::Say(key))
    }
}

/// What drawing may look at.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    pub model: &'a Model<'a>,
    pub theme: &'a Theme,
    pub keymap: &'a Keymap,
}

impl<'a> Look<'a> {
    /// Returns a text of the language in use.
    pub fn word(&self, key: &'a str) -> &'a str {
        self.model.words.get(key)
    }
}

/// One screen. Every default says "not here".
pub trait Screen {
    fn name(&self) -> ScreenName;

    fn act(&mut self, _act: Act, _model: &Model<'_>) -> Turn {
        Turn::Ignored
    }

    fn letter(&mut self, _letter: char, _model: &Model<'_>) -> Turn {
        Turn::Ignored
    }

    fn paste(&mut self, _text: &str, _model: &Model<'_>) -> Turn {
        Turn::Ignored
    }

    /// Takes a scan that belongs to this screen alone; what is ignored goes to the register.
    fn scan(&mut self, _code: &str, _model: &Model<'_>) -> Turn {
        Turn::Ignored
    }

    /// The digits typed here, which the next command takes.
    fn digits(&mut self) -> Option<&mut Digits> {
        None
    }

    /// What this screen is about, for a gap of a command: the receipt, the member, the line.
    fn given(&self, _slot: Slot, _model: &Model<'_>) -> Option<String> {
        None
    }

    /// What must be known before a gap is filled from here: a search that was not answered yet.
    fn asks_before(&self, _slot: Slot) -> Option<Question> {
        None
    }

    /// What the screen must know before it can show anything.
    fn opening(&self) -> Option<Question> {
        None
    }

    /// Takes an answer that fits, and returns whether it did.
    fn answer(&mut self, _answer: &Answer) -> bool {
        false
    }

    /// A command given from here was carried out; returns whether the screen's work is done.
    fn done(&mut self, _command: &str) -> bool {
        false
    }

    /// Whether the screen no longer fits what the register shows.
    fn is_over(&self, _model: &Model<'_>) -> bool {
        false
    }

    /// Whether keys that came as fast as a scanner's were typed here all the same: a PIN by a quick hand,
    /// or pasted.
    fn is_typing(&self, _burst: &str) -> bool {
        false
    }

    /// Whether a scan here goes back to the sale that it belongs to.
    fn yields_to_scan(&self) -> bool {
        false
    }

    /// Whether words are typed here now; codes and numbers would not come through an input method.
    fn takes_words(&self) -> bool {
        false
    }

    /// Whether the screen below stays in sight.
    fn is_window(&self) -> bool {
        false
    }

    /// Draws the state it finds and decides nothing; returns where the cursor stands.
    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position>;
}
