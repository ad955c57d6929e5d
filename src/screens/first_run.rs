//! The first start: the few questions without which a shop cannot print an honest receipt.
//!
//! Room: screens. May touch: its own state. May not: settings; the app writes them.
//! Invariant: everything asked here can be changed later, and the screen says so.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::Action;
use super::canvas::Canvas;
use super::form::{Form, FormField};
use super::frame;
use super::kana_line::KanaMode;
use super::model::Model;
use super::screen::{Look, Screen, Turn};
use crate::domain::registration::RegistrationNumber;

/// The answers. Texts are as typed; empty means not answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstShop {
    /// `ja` or `en`.
    pub language: String,
    /// A built-in keymap.
    pub keymap: String,
    /// A built-in theme.
    pub theme: String,
    pub name: String,
    pub address: String,
    pub phone: String,
    /// `T` and 13 digits, or empty: no invoice wording.
    pub registration_number: String,
    /// `included` or `excluded`.
    pub price_mode: String,
    /// Name of staff 1, level 9; empty: a shop without staff.
    pub manager: String,
    pub pin: String,
    /// A printer address, or empty: receipts become files.
    pub printer: String,
}

/// The form.
pub struct FirstRun {
    form: Form,
    sent: bool,
    /// A registration number that was asked about once.
    doubted: String,
}

impl Default for FirstRun {
    fn default() -> Self {
        Self::new("ja")
    }
}

impl FirstRun {
    pub fn new(language: &str) -> Self {
        use KanaMode::{Direct, Hiragana};
        let kana = if language == "ja" { Hiragana } else { Direct };
        let mut form = Form::new(vec![
            FormField::one_of("language", "first.language", &["ja", "en"]),
            FormField::text("name", "first.name", kana),
            FormField::text("address", "first.address", kana),
            FormField::text("phone", "first.phone", Direct),
            FormField::text("registration_number", "first.registration_number", Direct),
            FormField::one_of("price_mode", "first.price_mode", &["included", "excluded"]),
            FormField::text("manager", "first.manager", kana),
            FormField::secret("pin", "first.pin"),
            FormField::text("printer", "first.printer", Direct),
            FormField::one_of("keymap", "first.keymap", &["tenkey", "laptop", "function"]),
            FormField::one_of("theme", "first.theme", &["dark", "light", "contrast", "sixteen"]),
        ]);
        form.set("language", language);
        Self { form, sent: false, doubted: String::new() }
    }

    fn shop(&self) -> FirstShop {
        let value = |name: &str| self.form.value(name);
        FirstShop {
            language: value("language"),
            keymap: value("keymap"),
            theme: value("theme"),
            name: value("name"),
            address: value("address"),
            phone: value("phone"),
            registration_number: value("registration_number").to_ascii_uppercase(),
            price_mode: value("price_mode"),
            manager: value("manager"),
            pin: value("pin"),
            printer: value("printer"),
        }
    }

    /// A shop needs its name, and a manager a PIN: a register anyone may open as the manager is
    /// none.
    fn send(&mut self) -> Turn {
        let shop = self.shop();
        if shop.name.is_empty() {
            return Turn::say("first.name_needed");
        }
        if !shop.manager.is_empty() && shop.pin.len() < 4 {
            return Turn::say("first.pin_needed");
        }
        if let Some(doubt) = self.doubt(&shop.registration_number) {
            return Turn::say(doubt);
        }
        self.sent = true;
        Turn::Give(Action::Found(Box::new(shop)))
    }

    /// What is wrong with the number that every invoice will show. One that no company can have is asked
    /// about once: it may be a sole trader's.
    fn doubt(&mut self, number: &str) -> Option<&'static str> {
        if number.is_empty() || self.doubted == number {
            return None;
        }
        let Ok(read) = number.parse::<RegistrationNumber>() else {
            return Some("first.number_wrong");
        };
        read.check().err().map(|_| {
            number.clone_into(&mut self.doubted);
            "first.number_doubtful"
        })
    }
}

impl Screen for FirstRun {
    fn name(&self) -> ScreenName {
        ScreenName::FirstRun
    }

    fn takes_words(&self) -> bool {
        self.form.takes_words()
    }

    fn act(&mut self, act: Act, _model: &Model<'_>) -> Turn {
        match act {
            Act::Enter if self.form.next() => Turn::Stay,
            Act::Enter | Act::Mark => self.send(),
            act if self.form.act(act) => Turn::Stay,
            Act::Back => Turn::say("first.finish_first"),
            act if act.opens().is_some() => Turn::say("first.finish_first"),
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

    /// There is no register yet that a scan could go to.
    fn scan(&mut self, _code: &str, _model: &Model<'_>) -> Turn {
        Turn::Stay
    }

    /// The shop was made: the app says so as if a command were done.
    fn done(&mut self, command: &str) -> bool {
        self.sent && command == "found"
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        frame::title(canvas, look, look.word("first.title"));
        canvas.text(1, 1, canvas.width() - 2, look.word("first.hint"), look.theme.dim);
        let (width, height) = (canvas.width(), canvas.height());
        let cursor = self.form.draw(&mut canvas.part(0, 3, width, height - 5), look);
        canvas.text(1, height - 1, width - 2, look.word("first.later"), look.theme.dim);
        cursor
    }
}
