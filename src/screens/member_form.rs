//! A new member, or a member's changed card.
//!
//! Room: screens. May touch: its own state.
//! Invariant: a refusal leaves every field as it was typed.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::{Answer, Question};
use super::canvas::Canvas;
use super::form::{Form, FormField};
use super::frame;
use super::kana_line::KanaMode;
use super::model::Model;
use super::screen::{Look, Screen, Turn};
use crate::domain::command::quote;
use crate::domain::register::MemberView;

/// Words of the sex field, as the members file has them.
const SEXES: &[&str] = &["unsaid", "female", "male", "other"];

/// The fields, and whose they are.
pub struct MemberForm {
    form: Form,
    /// The member being edited; `None` makes a new one.
    code: Option<String>,
    /// The card as the store had it: only what differs is sent.
    before: Vec<(&'static str, String)>,
}

fn fields() -> Vec<FormField> {
    use KanaMode::{Direct, Hiragana, Katakana};
    vec![
        FormField::text("name", "member.name", Hiragana),
        FormField::text("kana", "member.kana", Katakana),
        FormField::text("phone", "member.phone", Direct),
        FormField::text("birthday", "member.birthday", Direct),
        FormField::text("mail", "member.mail", Direct),
        FormField::text("postcode", "member.postcode", Direct),
        FormField::text("address", "member.address", Hiragana),
        FormField::one_of("sex", "member.sex", SEXES),
        FormField::text("tags", "member.tags", Direct),
        FormField::text("note", "member.note", Hiragana),
    ]
}

impl MemberForm {
    /// A new member; what was searched for becomes the phone or the name.
    pub fn new(searched: &str) -> Self {
        let mut form = Form::new(fields());
        let phone = !searched.is_empty()
            && searched.chars().all(|sign| sign.is_ascii_digit() || sign == '-');
        form.set(if phone { "phone" } else { "name" }, searched);
        Self { before: values(&form), form, code: None }
    }

    pub fn edit(code: String) -> Self {
        let form = Form::new(fields());
        Self { before: values(&form), form, code: Some(code) }
    }

    fn load(&mut self, card: &MemberView) {
        for (name, value) in [
            ("name", &card.name),
            ("kana", &card.kana),
            ("phone", &card.phone),
            ("birthday", &card.birthday),
            ("mail", &card.mail),
            ("note", &card.note),
        ] {
            self.form.set(name, value);
        }
        self.before = values(&self.form);
    }

    /// The command with every field that says something new; `None` when none does.
    fn line(&self) -> Option<String> {
        let mut line = String::from(if self.code.is_some() { "edit_member" } else { "new_member" });
        let mut changed = false;
        for ((name, value), (_, before)) in values(&self.form).iter().zip(&self.before) {
            let is_new = match self.code {
                Some(_) => value != before,
                None => !value.is_empty(),
            };
            if is_new {
                line.push(' ');
                line.push_str(&quote(&format!("{name}={value}")));
                changed = true;
            }
        }
        changed.then_some(line)
    }

    fn enter(&mut self) -> Turn {
        if self.form.next() {
            return Turn::Stay;
        }
        match self.line() {
            Some(line) => Turn::line(line),
            None => Turn::say("hint.nothing_changed"),
        }
    }
}

/// Every field's value; `unsaid` is empty.
fn values(form: &Form) -> Vec<(&'static str, String)> {
    let value = |field: &FormField| match field.value() {
        value if value == SEXES[0] => (field.name, String::new()),
        value => (field.name, value),
    };
    form.fields.iter().map(value).collect()
}

impl Screen for MemberForm {
    fn name(&self) -> ScreenName {
        if self.code.is_some() { ScreenName::EditMember } else { ScreenName::NewMember }
    }

    fn takes_words(&self) -> bool {
        self.form.takes_words()
    }

    fn act(&mut self, act: Act, _model: &Model<'_>) -> Turn {
        match act {
            Act::Enter => self.enter(),
            // Sends the form from any field.
            Act::Mark => self.line().map_or(Turn::say("hint.nothing_changed"), Turn::line),
            act if self.form.act(act) => Turn::Stay,
            _ => Turn::Ignored,
        }
    }

    fn letter(&mut self, letter: char, _model: &Model<'_>) -> Turn {
        self.form.letter(letter);
        Turn::Stay
    }

    fn paste(&mut self, text: &str, _model: &Model<'_>) -> Turn {
        self.form.paste(text);
        Turn::Stay
    }

    fn opening(&self) -> Option<Question> {
        let code = self.code.clone().filter(|code| !code.is_empty())?;
        Some(Question::MemberCard { code })
    }

    fn answer(&mut self, answer: &Answer) -> bool {
        match answer {
            Answer::MemberCard(card, _) if self.code.as_deref() == Some(&card.code) => {
                self.load(card);
                true
            }
            _ => false,
        }
    }

    fn done(&mut self, command: &str) -> bool {
        matches!(command, "new_member" | "edit_member")
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        let title = if self.code.is_some() { "member_form.edit" } else { "member_form.new" };
        frame::title(canvas, look, look.word(title));
        let (width, height) = (canvas.width(), canvas.height());
        let cursor = self.form.draw(&mut canvas.part(0, 2, width, height - 5), look);
        canvas.text(3, height - 2, width - 4, look.word("member_form.hint"), look.theme.dim);
        cursor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screens::action::Page;

    fn card() -> MemberView {
        MemberView { code: "29".into(), name: "田中".into(), ..MemberView::default() }
    }

    #[test]
    fn a_new_member_says_only_what_was_filled_in() {
        let mut form = MemberForm::new("090-1234");
        assert_eq!(form.line().unwrap(), "new_member phone=090-1234");
        form.form.set("name", "田中 花子");
        assert_eq!(form.line().unwrap(), "new_member \"name=田中 花子\" phone=090-1234");
    }

    #[test]
    fn an_edit_says_only_what_changed_and_may_empty_a_field() {
        let mut form = MemberForm::edit("29".into());
        let visits = Page { offset: 0, rows: Vec::new(), more: false };
        assert!(form.answer(&Answer::MemberCard(Box::new(card()), visits)));
        assert_eq!(form.line(), None);
        form.form.set("name", "");
        assert_eq!(form.line().unwrap(), "edit_member name=");
        assert_eq!(form.enter(), Turn::Stay, "the next field first");
    }
}
