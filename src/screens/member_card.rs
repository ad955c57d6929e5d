//! A member's card: who it is, what the points are, and every visit.
//!
//! Room: screens. May touch: its own state.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::{Action, Answer, JournalRow, Question};
use super::canvas::Canvas;
use super::frame;
use super::journal::draw_rows;
use super::model::Model;
use super::paged::Paged;
use super::screen::{Look, Screen, Turn};
use super::template::Slot;
use crate::domain::command::quote;
use crate::domain::money::Money;
use crate::domain::register::MemberView;

/// One member and a window on the visits.
pub struct MemberCard {
    code: String,
    card: Option<MemberView>,
    visits: Paged<JournalRow>,
}

impl MemberCard {
    pub fn new(code: String) -> Self {
        Self { code, card: None, visits: Paged::default() }
    }

    fn visits(&self, offset: usize) -> Question {
        Question::Visits { code: self.code.clone(), offset }
    }

    fn step(&mut self, by: isize) -> Turn {
        match self.visits.step(by) {
            Some(offset) => Turn::Give(Action::Ask(self.visits(offset))),
            None => Turn::Stay,
        }
    }

    fn is_attached(&self, model: &Model<'_>) -> bool {
        let member = model.sale.and_then(|sale| sale.member.as_ref());
        member.is_some_and(|member| member.code == self.code)
    }
}

impl Screen for MemberCard {
    fn name(&self) -> ScreenName {
        ScreenName::MemberCard
    }

    fn act(&mut self, act: Act, model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => Turn::Leave(Action::Do(vec![format!("member {}", quote(&self.code))])),
            Act::Up => self.step(-1),
            Act::Down => self.step(1),
            Act::PageUp => self.step(-8),
            Act::PageDown => self.step(8),
            Act::Refresh => Turn::Give(Action::Ask(self.visits(0))),
            Act::OpenJournal => Turn::Open(ScreenName::Journal, format!("member={}", self.code)),
            Act::OpenEditMember if !self.is_attached(model) => Turn::say("hint.attach_first"),
            _ => Turn::Ignored,
        }
    }

    fn given(&self, slot: Slot, _model: &Model<'_>) -> Option<String> {
        match slot {
            Slot::Code => Some(self.code.clone()),
            Slot::Receipt => self.visits.chosen().map(|row| row.number.clone()),
            _ => None,
        }
    }

    fn opening(&self) -> Option<Question> {
        Some(Question::MemberCard { code: self.code.clone() })
    }

    fn answer(&mut self, answer: &Answer) -> bool {
        match answer {
            Answer::MemberCard(card, visits) if card.code == self.code => {
                self.card = Some((**card).clone());
                self.visits.fill(visits.clone());
                true
            }
            Answer::Visits { code, page } if *code == self.code => {
                self.visits.fill(page.clone());
                true
            }
            _ => false,
        }
    }

    fn done(&mut self, command: &str) -> bool {
        matches!(command, "confirm" | "erase_member") // All that this card asks twice is whether its member is to be erased.
    }

    fn yields_to_scan(&self) -> bool {
        true
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        frame::title(canvas, look, look.word("member_card.title"));
        let Some(card) = &self.card else {
            canvas.text(3, 3, 60, look.word("find.searching"), look.theme.dim);
            return None;
        };
        draw_card(&mut canvas.part(1, 1, canvas.width() - 2, 7), look, card);
        let height = canvas.height();
        canvas.text(1, 9, 40, look.word("member_card.visits"), look.theme.title);
        let mut rows = canvas.part(0, 10, canvas.width(), height - 10);
        draw_rows(&mut rows, look, &self.visits, "member_card.no_visits");
        None
    }
}

fn draw_card(canvas: &mut Canvas<'_>, look: &Look<'_>, card: &MemberView) {
    let half = canvas.width() / 2;
    let count = |number: Option<i64>| number.map_or(String::new(), |n| n.to_string());
    let cells = [
        (0, 0, "find.code", card.code.clone()),
        (1, 0, "member.rank", card.rank.clone()),
        (0, 1, "member.name", card.name.clone()),
        (1, 1, "sale.balance", Money::new(card.points).grouped()),
        (0, 2, "member.kana", card.kana.clone()),
        (1, 2, "member.stamps", count(card.stamps)),
        (0, 3, "member.phone", card.phone.clone()),
        (1, 3, "member.visits", count(card.visits.map(i64::from))),
        (0, 4, "member.mail", card.mail.clone()),
        (1, 4, "member.last_visit", card.last_visit.clone()),
        (0, 5, "member.birthday", card.birthday.clone()),
        (0, 6, "member.note", card.note.clone()),
    ];
    for (column, y, label, value) in cells {
        let x = column * half;
        canvas.text(x, y, 14, look.word(label), look.theme.dim);
        let room = if column == 0 && y < 5 { half - 16 } else { canvas.width() - x - 15 };
        canvas.text(x + 15, y, room, &value, look.theme.text);
    }
}
