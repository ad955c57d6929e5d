//! The `:` line: any command, with completion, its usage, and the lines given before.
//!
//! Room: screens. May touch: its own state, the command table.
//! Invariant: a PIN given here is not kept; the line keeps what was refused.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::canvas::Canvas;
use super::frame;
use super::help::explained;
use super::kana_line::{KanaLine, KanaMode};
use super::model::Model;
use super::screen::{Look, Screen, Turn};
use crate::domain::command::{COMMANDS, CommandSpec};

/// The longest line.
const LONGEST: usize = 1000;

/// The line being typed.
pub struct CommandLine {
    line: KanaLine,
    /// Which of the completions was shown last.
    turn: usize,
    /// What was typed before the first completion.
    stem: Option<String>,
    /// Lines given before, newest first.
    given: Vec<String>,
    /// Place in `given`, once the arrows went there.
    recalled: Option<usize>,
}

impl Default for CommandLine {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

/// Whether a line may be kept: one with a PIN may not.
pub fn may_be_kept(line: &str) -> bool {
    !["sign_in", "approve", "set_pin"].iter().any(|name| line.trim_start().starts_with(name))
}

/// Returns the commands whose name begins with `stem`, or failing that holds it.
fn matching(stem: &str) -> Vec<&'static CommandSpec> {
    let named = |fits: &dyn Fn(&str) -> bool| -> Vec<&'static CommandSpec> {
        COMMANDS.iter().filter(|spec| fits(spec.name)).collect()
    };
    match named(&|name| name.starts_with(stem)) {
        none if none.is_empty() => named(&|name| name.contains(stem)),
        some => some,
    }
}

impl CommandLine {
    /// `given` are the lines given before, newest first.
    pub fn new(given: Vec<String>) -> Self {
        let line = KanaLine::new(LONGEST, KanaMode::Direct);
        Self { line, turn: 0, stem: None, given, recalled: None }
    }

    fn recall(&mut self, older: bool) -> Turn {
        let place = match (self.recalled, older) {
            (None, true) => Some(0),
            (Some(at), true) => Some((at + 1).min(self.given.len().saturating_sub(1))),
            (at, false) => at.and_then(|at| at.checked_sub(1)),
        };
        self.recalled = place.filter(|at| *at < self.given.len());
        let text = self.recalled.map(|at| self.given[at].clone()).unwrap_or_default();
        self.line.set(&text);
        self.typed()
    }

    /// The name typed so far; `None` once arguments follow.
    fn stem(&self) -> Option<String> {
        let text = self.line.text();
        (!text.contains(' ')).then_some(text)
    }

    fn complete(&mut self) {
        let stem = match (&self.stem, self.stem()) {
            (Some(stem), _) => stem.clone(),
            (None, Some(stem)) => stem,
            (None, None) => return,
        };
        let matches = matching(&stem);
        if let Some(spec) = matches.get(self.turn % matches.len().max(1)) {
            let space = if spec.arguments.is_empty() { "" } else { " " };
            self.line.set(&format!("{}{space}", spec.name));
            self.turn += 1;
            self.stem = Some(stem);
        }
    }

    fn typed(&mut self) -> Turn {
        self.stem = None;
        self.turn = 0;
        Turn::Stay
    }

    fn enter(&mut self) -> Turn {
        let mut line = self.line.clone();
        match line.take().trim() {
            "" => Turn::Back,
            line => Turn::line(line),
        }
    }
}

impl Screen for CommandLine {
    fn name(&self) -> ScreenName {
        ScreenName::CommandLine
    }

    fn act(&mut self, act: Act, _model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => return self.enter(),
            Act::NextField => {
                self.complete();
                return Turn::Stay;
            }
            Act::Up => return self.recall(true),
            Act::Down => return self.recall(false),
            Act::Erase => self.line.erase(),
            Act::Delete => self.line.delete(),
            Act::Left => self.line.left(),
            Act::Right => self.line.right(),
            Act::Home => self.line.home(),
            Act::End => self.line.end(),
            Act::Kana => self.line.switch_mode(),
            Act::Back if !self.line.is_empty() => self.line.clear(),
            _ => return Turn::Ignored,
        }
        self.typed()
    }

    fn letter(&mut self, letter: char, _model: &Model<'_>) -> Turn {
        self.line.push(letter);
        self.typed()
    }

    fn paste(&mut self, text: &str, _model: &Model<'_>) -> Turn {
        self.line.paste(text.trim_end());
        self.typed()
    }

    fn done(&mut self, command: &str) -> bool {
        self.line.text().starts_with(command)
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        frame::title(canvas, look, look.word("command_line.title"));
        canvas.text(1, 1, 2, ":", look.theme.title);
        let width = canvas.width();
        let cursor = self.line.draw(canvas, 3, 1, width - 4, look.theme.field);
        let text = self.stem.clone().unwrap_or_else(|| self.line.text());
        let name = text.split(' ').next().unwrap_or_default();
        let mut y = 3;
        for spec in matching(name) {
            if y >= canvas.height() {
                break;
            }
            let usage = format!("{} {}", spec.name, spec.arguments);
            let help = format!("help.{}", spec.name);
            y += explained(canvas, look, y, (usage.trim_end(), look.model.words.get(&help)));
        }
        Some(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completion_turns_through_what_fits() {
        let mut line = CommandLine::default();
        "tender_c".chars().for_each(|letter| line.line.push(letter));
        for want in ["tender_cash ", "tender_credit ", "tender_code ", "tender_cash "] {
            line.complete();
            assert_eq!(line.line.text(), want);
        }
    }

    #[test]
    fn lines_given_before_come_back_and_a_pin_is_never_among_them() {
        let mut line = CommandLine::new(vec!["subtotal".into(), "scan 1".into()]);
        for (older, want) in [
            (true, "subtotal"),
            (true, "scan 1"),
            (true, "scan 1"),
            (false, "subtotal"),
            (false, ""),
        ] {
            line.recall(older);
            assert_eq!(line.line.text(), want);
        }
        assert!(!may_be_kept("sign_in 1 111111") && may_be_kept("scan 1"));
    }

    #[test]
    fn part_of_a_name_is_enough() {
        let names: Vec<_> = matching("receipt").iter().map(|spec| spec.name).collect();
        assert_eq!(names, ["formal_receipt", "void_receipt"]);
    }
}
