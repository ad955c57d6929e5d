//! Finds a member by card, phone or its last digits, kana, romaji, part of a name.
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
use crate::domain::register::MemberView;

/// The search and whom it found.
pub struct MemberFinder {
    finder: Finder<MemberView>,
}

impl MemberFinder {
    pub fn new(text: &str) -> Self {
        Self { finder: Finder::new(text) }
    }

    /// A finder that already has its answer: `find_member` given as a command.
    pub fn found(text: String, page: Page<MemberView>) -> Self {
        let mut finder = Finder::new(&text);
        finder.fill(text.trim(), page);
        Self { finder }
    }

    fn question(&self, offset: usize) -> Option<Question> {
        let text = self.finder.text();
        (!text.is_empty()).then_some(Question::FindMembers { text, offset })
    }

    fn moved(&mut self, moved: Moved) -> Turn {
        match moved {
            Moved::Text => Turn::ask(self.question(0)),
            Moved::Page(offset) => Turn::ask(self.question(offset)),
            Moved::Nothing => Turn::Stay,
            Moved::Not => Turn::Ignored,
        }
    }

    fn chosen(&self) -> Option<&MemberView> {
        self.finder.list.chosen().filter(|_| self.finder.is_answered())
    }
}

impl Screen for MemberFinder {
    fn name(&self) -> ScreenName {
        ScreenName::MemberFinder
    }

    fn takes_words(&self) -> bool {
        true
    }

    fn act(&mut self, act: Act, _model: &Model<'_>) -> Turn {
        match (act, self.chosen()) {
            (Act::Enter, Some(member)) => {
                Turn::Leave(Action::Do(vec![format!("member {}", quote(&member.code))]))
            }
            (Act::Enter, None) => Turn::ask(self.question(0)),
            (Act::OpenMemberCard, Some(member)) => {
                Turn::Open(ScreenName::MemberCard, member.code.clone())
            }
            (Act::OpenMemberCard, None) => Turn::say("hint.choose_first"),
            // What was searched in vain becomes the name or phone of the new one.
            (Act::OpenNewMember, _) => Turn::Open(ScreenName::NewMember, self.finder.text()),
            _ => {
                let moved = self.finder.act(act);
                self.moved(moved)
            }
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
        let member = self.chosen()?;
        (slot == Slot::Code).then(|| member.code.clone())
    }

    fn opening(&self) -> Option<Question> {
        self.question(0)
    }

    fn answer(&mut self, answer: &Answer) -> bool {
        match answer {
            Answer::Members { text, page } => self.finder.fill(text, page.clone()),
            _ => false,
        }
    }

    fn yields_to_scan(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        frame::title(canvas, look, look.word("member_finder.title"));
        let cursor = self.finder.draw_line(canvas, look, 1, look.word("find.text"));
        if self.finder.list.is_empty() {
            self.finder.draw_empty(canvas, look, 4, look.word("member_finder.hint"));
            return Some(cursor);
        }
        let width = canvas.width();
        for (x, cells, key) in [
            (2, 14, "find.code"),
            (17, 18, "member.name"),
            (36, 16, "member.kana"),
            (width - 28, 13, "member.phone"),
        ] {
            canvas.text(x, 3, cells, look.word(key), look.theme.dim);
        }
        canvas.right(width - 13, 3, 12, look.word("sale.balance"), look.theme.dim);
        let height = canvas.height();
        for (y, (member, chosen)) in (4u16..).zip(self.finder.list.in_sight(height - 4)) {
            draw_row(canvas, look, y, member, chosen);
        }
        Some(cursor)
    }
}

fn draw_row(canvas: &mut Canvas<'_>, look: &Look<'_>, y: u16, member: &MemberView, chosen: bool) {
    let style = if chosen { look.theme.selected } else { look.theme.text };
    let width = canvas.width();
    if chosen {
        canvas.bar(y, style);
    }
    canvas.text(0, y, 2, if chosen { ">" } else { " " }, style);
    canvas.text(2, y, 14, &member.code, style);
    canvas.text(17, y, 18, &member.name, style);
    canvas.text(36, y, width - 65, &member.kana, style);
    canvas.text(width - 28, y, 13, &member.phone, style);
    let points = crate::domain::money::Money::new(member.points).grouped();
    canvas.right(width - 13, y, 12, &points, style);
}
