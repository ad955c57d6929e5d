//! The stack of screens: the sale below, whatever was opened above it.
//!
//! Room: screens. May touch: the screens. May not: register, store, terminal.
//! Invariant: the sale screen is always there; a refused form keeps what was typed.

use crossterm::event::{KeyEvent, KeyEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::act::{Act, ScreenName};
use super::action::{Action, Answer, Question};
use super::canvas::Canvas;
use super::command_line::{CommandLine, may_be_kept};
use super::count::Count;
use super::devices::Devices;
use super::digits::Digits;
use super::first_run::FirstRun;
use super::frame;
use super::help::Help;
use super::item_finder::ItemFinder;
use super::journal::Journal;
use super::keymap::{Binding, Deed, Key, Keymap};
use super::member_card::MemberCard;
use super::member_finder::MemberFinder;
use super::member_form::MemberForm;
use super::menu::Menu;
use super::model::Model;
use super::prompt::Prompt;
use super::receipt::Receipt;
use super::recovery::{Recovery, Trouble};
use super::report_view::ReportView;
use super::return_lines::ReturnLines;
use super::sale::Sale;
use super::screen::{Look, Screen, Turn};
use super::sign_in::SignIn;
use super::suspended::Suspended;
use super::template::Template;
use super::tender::{Tender, same_way};
use super::theme::Theme;
use crate::domain::command::quote;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::register::SaleView;

/// The most screens above one another; the lowest opened ones give way.
const DEEPEST: usize = 12;
/// The most lines of the `:` line kept for the arrows.
const MOST_GIVEN: usize = 50;

macro_rules! states {
    ($($screen:ident,)*) => {
        /// Every screen there is.
        enum State { $($screen(Box<$screen>),)* }

        impl State {
            fn screen(&self) -> &dyn Screen {
                match self { $(Self::$screen(screen) => screen.as_ref(),)* }
            }

            fn screen_mut(&mut self) -> &mut dyn Screen {
                match self { $(Self::$screen(screen) => screen.as_mut(),)* }
            }
        }
    };
}

states! {
    Sale, SignIn, Tender, ItemFinder, MemberFinder, MemberCard, MemberForm, Suspended, Journal,
    Receipt, ReturnLines, Menu, Count, Help, CommandLine, Devices, ReportView, FirstRun, Prompt,
    Recovery,
}

/// Whether a command's outcome is looked at on the sale screen, wherever it was given.
fn belongs_to_sale(command: &str) -> bool {
    matches!(
        command,
        "return"
            | "return_open"
            | "exchange"
            | "resume"
            | "member"
            | "new_member"
            | "edit_member"
            | "clear_member"
    )
}

/// The question asked first, before a key does what cannot be taken back.
fn asked_first(line: &str, model: &Model<'_>) -> Option<&'static str> {
    match line.split_whitespace().next()? {
        "void_sale" if model.has_sale() => Some("ask.void_sale"),
        "z_report" => Some("ask.z_report"),
        "tender_cash" if model.sale.is_some_and(SaleView::refunds_another_tender) => {
            Some("ask.cash_refund")
        }
        _ => None,
    }
}

/// What asks for a PIN that `set_pin STAFF` left out: it is typed unseen, and never taken away by
/// saying too little.
fn pin_of(line: &str) -> Option<Template> {
    let mut words = line.split_whitespace();
    let (name, staff) = (words.next()?, words.next()?);
    let only_staff = name == "set_pin" && staff.parse::<u32>().is_ok() && words.next().is_none();
    only_staff.then(|| Template::read(&format!("set_pin {staff} {{pin}}")).ok())?
}

/// Whether a screen begins with the digits typed before it was opened.
const fn begins_with_digits(screen: ScreenName) -> bool {
    use ScreenName as N;
    matches!(
        screen,
        N::Tender | N::ItemFinder | N::MemberFinder | N::NewMember | N::Journal | N::MemberCard
    )
}

/// All screens of one register, with its keys and its looks.
pub struct Screens {
    /// Never empty: the sale is lowest.
    stack: Vec<State>,
    keymap: Keymap,
    theme: Theme,
    /// The key for the printed pane was pressed: hidden where there is room, over the rest where
    /// there is none.
    pane_turned: bool,
    /// The line that was asked again: a yes carries it out.
    asked_again: String,
    /// Lines given on the `:` line, newest first, at most `MOST_GIVEN`.
    given: Vec<String>,
}

impl Screens {
    pub fn new(keymap: Keymap, theme: Theme) -> Self {
        let sale = State::Sale(Box::default());
        let (asked_again, given) = (String::new(), Vec::new());
        Self { stack: vec![sale], keymap, theme, pane_turned: false, asked_again, given }
    }

    /// Begins with the questions of a new shop.
    pub fn first_run(keymap: Keymap, theme: Theme, language: &str) -> Self {
        let mut screens = Self::new(keymap, theme);
        screens.stack.push(State::FirstRun(Box::new(FirstRun::new(language))));
        screens
    }

    /// Begins with what can be done about a shop that does not open.
    pub fn recovery(keymap: Keymap, theme: Theme, trouble: Trouble) -> Self {
        let mut screens = Self::new(keymap, theme);
        screens.stack.push(State::Recovery(Box::new(Recovery::new(trouble))));
        screens
    }

    /// The screen that takes the keys now.
    pub fn name(&self) -> ScreenName {
        self.top().name()
    }

    /// Whether words are typed there.
    pub fn takes_words(&self) -> bool {
        self.top().takes_words()
    }

    /// Whether a burst of keys was typed there, and is no scan.
    pub fn is_typing(&self, burst: &str) -> bool {
        self.top().is_typing(burst)
    }

    /// Takes a key of the terminal.
    pub fn on_key(&mut self, event: KeyEvent, model: &Model<'_>) -> Action {
        if event.kind == KeyEventKind::Release {
            return Action::Ignored;
        }
        self.settle(model);
        let key = Key::of(event);
        let turn = match self.keymap.meaning(self.name(), key).cloned() {
            Some(binding) => self.press(&binding, model),
            None => match key.letter() {
                Some(letter) => self.top_mut().letter(letter, model),
                None => Turn::Ignored,
            },
        };
        self.turn(turn, model)
    }

    /// Returns the key that is pressed by touching the screen at a place, where one is.
    pub fn key_at(&self, point: (u16, u16), area: Rect, model: &Model<'_>) -> Option<KeyEvent> {
        if area.width < frame::LEAST.0 || area.height < frame::LEAST.1 {
            return None;
        }
        let look = Look { model, theme: &self.theme, keymap: &self.keymap };
        frame::key_at(&look, self.name(), self.parts(area, model), point)
    }

    fn parts(&self, area: Rect, model: &Model<'_>) -> frame::Parts {
        frame::parts(area.width, area.height, !self.pane_turned && !model.paper.is_empty())
    }

    /// Takes a scan: every screen lets it through to the register.
    pub fn on_scan(&mut self, code: &str, model: &Model<'_>) -> Action {
        while self.stack.len() > 1 && self.top().yields_to_scan() {
            self.stack.pop();
        }
        let turn = match self.top_mut().scan(code, model) {
            Turn::Ignored => Turn::line(format!("scan {}", quote(code))),
            turn => turn,
        };
        self.turn(turn, model)
    }

    /// Takes a pasted text, or one composed by an input method.
    pub fn on_paste(&mut self, text: &str, model: &Model<'_>) -> Action {
        let turn = self.top_mut().paste(text, model);
        self.turn(turn, model)
    }

    /// Delivers what was asked for, or what a look found; what fits no open screen opens its own.
    pub fn answer(&mut self, answer: Answer) -> Option<Question> {
        if self.stack.iter_mut().rev().any(|state| state.screen_mut().answer(&answer)) {
            return None;
        }
        match answer {
            Answer::Items { text, page } => {
                self.put(State::ItemFinder(Box::new(ItemFinder::found(text, page))))
            }
            Answer::Members { text, page } => {
                self.put(State::MemberFinder(Box::new(MemberFinder::found(text, page))));
            }
            Answer::Text { title, rows } => {
                self.put(State::ReportView(Box::new(ReportView::text(title, rows))))
            }
            Answer::Explained(rows) => {
                self.put(State::ReportView(Box::new(ReportView::explained(rows))))
            }
            Answer::HelpOn(command) => {
                let help = Help::new(self.name(), &self.keymap).at(&command);
                self.put(State::Help(Box::new(help)));
            }
            Answer::Open(screen, about) => return self.open(screen, about, None),
            // An answer that came too late for its screen.
            Answer::Visits { .. }
            | Answer::Journal { .. }
            | Answer::MemberCard(..)
            | Answer::Receipt(_)
            | Answer::Devices(_) => {}
        }
        None
    }

    /// Returns the line that was carried out by giving `line`: by a yes, what was asked again.
    pub fn carried_out<'l>(&'l self, line: &'l str) -> &'l str {
        let yes = line.trim() == "confirm" && !self.asked_again.is_empty();
        if yes { &self.asked_again } else { line }
    }

    /// Tells that a line was carried out; returns what has to be looked up again to be shown as it
    /// is now.
    pub fn done(&mut self, line: &str, model: &Model<'_>) -> Option<Question> {
        let line = self.carried_out(line).to_owned();
        self.asked_again.clear();
        let command = line.split_whitespace().next().unwrap_or_default();
        let on_card = self.name() == ScreenName::MemberCard;
        if belongs_to_sale(command) || (on_card && matches!(command, "use_points" | "stamp")) {
            self.stack.truncate(1);
        } else if self.top_mut().done(command) && self.stack.len() > 1 {
            self.stack.pop();
        }
        self.settle(model);
        let asks = matches!(command, "scan" | "quantity" | "times") && !model.price_of.is_empty();
        if asks && self.name() != ScreenName::Prompt {
            self.put(State::Prompt(Box::new(Prompt::price(model))));
        }
        let changed = matches!(command, "void_receipt" | "correct_tender" | "late_points");
        let receipt = self.name() == ScreenName::Receipt;
        let journal = self.name() == ScreenName::Journal && changed;
        // A list may still show the member who was erased on the card above it.
        let members = self.name() == ScreenName::MemberFinder
            && matches!(command, "confirm" | "erase_member");
        (receipt || journal || members).then(|| self.top().opening())?
    }

    /// Tells that a line was refused. What somebody else may allow, or what only needs a yes, is
    /// asked for at once.
    pub fn refused(&mut self, line: &str, refusal: &Refusal, model: &Model<'_>) {
        self.settle(model);
        let prompt = match refusal.code {
            RefusalCode::Level | RefusalCode::Limit | RefusalCode::FixedPrice
                if !model.choices.staff.is_empty() && !line.starts_with("approve") =>
            {
                Prompt::approval(line)
            }
            RefusalCode::Confirm | RefusalCode::Short => {
                line.clone_into(&mut self.asked_again);
                Prompt::question("ask.confirm", &["confirm"]).because(model.words.refusal(refusal))
            }
            RefusalCode::BadArgument => match pin_of(line) {
                Some(asks) => Prompt::gaps(vec![asks], model),
                None => return,
            },
            RefusalCode::AgeCheck => Prompt::question("ask.age", &["age_checked", line]),
            _ => return,
        };
        self.put(State::Prompt(Box::new(prompt)));
    }

    /// Draws everything on empty cells, and returns where the cursor stands.
    pub fn draw(&self, cells: &mut Buffer, model: &Model<'_>) -> Option<Position> {
        let area = cells.area;
        let mut canvas = Canvas::new(cells, area);
        canvas.ground(self.theme.text);
        if area.width < frame::LEAST.0 || area.height < frame::LEAST.1 {
            canvas.center(area.height / 2, model.words.get("screen.too_small"), self.theme.refusal);
            return None;
        }
        let look = Look { model, theme: &self.theme, keymap: &self.keymap };
        let parts = self.parts(area, model);
        frame::draw(&mut canvas, &look, self.name(), parts);
        let mut cursor = None;
        for state in &self.stack[self.lowest_in_sight()..] {
            let mut body = canvas.part(0, 1, parts.width, parts.body_height);
            cursor = state.screen().draw(&mut body, &look);
        }
        if self.pane_turned && !frame::has_pane_room(area.width) && !model.paper.is_empty() {
            let width = frame::PAPER.min(parts.width);
            let x = parts.width - width;
            canvas.part(x - 1, 1, 1, parts.body_height).clear_wide(0);
            let mut over = canvas.part(x, 1, width, parts.body_height);
            frame::paper(&mut over, &look);
        }
        cursor
    }

    /// Whether every labelled key fits the key line, screen by screen; the first that does not.
    pub fn key_line_overflow(&self, model: &Model<'_>) -> Option<ScreenName> {
        let look = Look { model, theme: &self.theme, keymap: &self.keymap };
        ScreenName::ALL.iter().copied().find(|screen| !frame::keys_fit(&look, *screen))
    }

    /// Leaves the screens that no longer fit, and asks for a sign-in where one is needed.
    pub fn settle(&mut self, model: &Model<'_>) {
        self.stack.retain(|state| !state.screen().is_over(model));
        let asks = self.stack.iter().any(|state| {
            matches!(state.screen().name(), ScreenName::SignIn | ScreenName::FirstRun)
        });
        if model.locked && !asks {
            self.stack.truncate(1);
            self.put(State::SignIn(Box::default()));
        }
    }

    fn top(&self) -> &dyn Screen {
        self.stack.last().expect("the sale is always there").screen()
    }

    fn top_mut(&mut self) -> &mut dyn Screen {
        self.stack.last_mut().expect("the sale is always there").screen_mut()
    }

    fn lowest_in_sight(&self) -> usize {
        self.stack.iter().rposition(|state| !state.screen().is_window()).unwrap_or(0)
    }

    fn press(&mut self, binding: &Binding, model: &Model<'_>) -> Turn {
        let mut templates = Vec::new();
        for deed in &binding.deeds {
            match deed {
                Deed::Command(template) => templates.push(template.clone()),
                // A keymap allows an act only alone.
                Deed::Act(act) => return self.act(*act, model),
            }
        }
        Turn::Run(templates)
    }

    fn act(&mut self, act: Act, model: &Model<'_>) -> Turn {
        let turn = self.top_mut().act(act, model);
        if turn != Turn::Ignored {
            return turn;
        }
        match act {
            Act::Back => self.back(),
            Act::Pane => {
                self.pane_turned = !self.pane_turned;
                if model.paper.is_empty() { Turn::say("hint.no_paper") } else { Turn::Stay }
            }
            Act::Quit => Turn::Give(Action::Quit),
            Act::Approve => Turn::Run(vec![Prompt::approve()]),
            _ => match act.opens() {
                Some(screen) => Turn::Open(screen, String::new()),
                None => Turn::Ignored,
            },
        }
    }

    /// One level back: the digits typed first, then the screen itself.
    fn back(&mut self) -> Turn {
        if let Some(digits) = self.top_mut().digits().filter(|digits| !digits.is_empty()) {
            digits.clear();
            return Turn::Stay;
        }
        if self.stack.len() > 1 { Turn::Back } else { Turn::Stay }
    }

    fn turn(&mut self, turn: Turn, model: &Model<'_>) -> Action {
        match turn {
            Turn::Stay => Action::Stay,
            Turn::Ignored => Action::Ignored,
            Turn::Give(action) => {
                self.keep(&action);
                action
            }
            Turn::Back => {
                self.leave();
                Action::Stay
            }
            Turn::Leave(action) => {
                self.leave();
                action
            }
            Turn::Open(screen, about) => {
                self.open(screen, about, Some(model)).map_or(Action::Stay, Action::Ask)
            }
            Turn::Run(templates) => self.run(templates, model),
        }
    }

    fn keep(&mut self, action: &Action) {
        if let (ScreenName::CommandLine, Action::Do(lines)) = (self.name(), action) {
            let kept = lines.iter().filter(|line| may_be_kept(line)).cloned();
            self.given.splice(0..0, kept);
            self.given.truncate(MOST_GIVEN);
        }
    }

    fn leave(&mut self) {
        if self.stack.len() > 1 {
            self.stack.pop();
        }
    }

    /// Fills gaps from the digits typed and from what the screen is about; asks for the rest.
    fn run(&mut self, mut templates: Vec<Template>, model: &Model<'_>) -> Action {
        let top = self.top_mut();
        for template in &mut templates {
            for slot in template.gaps().collect::<Vec<_>>() {
                if let Some(question) = top.asks_before(slot) {
                    return Action::Ask(question);
                }
                if let Some(value) = top.given(slot, model) {
                    *template = template.clone().with(slot, &value);
                }
            }
        }
        if let Some(digits) = top.digits() {
            let typed = digits.as_str().to_owned();
            let taken = templates.iter_mut().any(|template| template.take_typed(&typed));
            if !taken {
                return Action::Say("hint.digits_unused");
            }
            digits.clear();
        }
        let lines: Option<Vec<_>> = templates.iter().map(Template::line).collect();
        match lines {
            Some(lines) => {
                let Some(question) = lines.iter().find_map(|line| asked_first(line, model)) else {
                    return Action::Do(lines);
                };
                let lines: Vec<_> = lines.iter().map(String::as_str).collect();
                let mut prompt = Prompt::question(question, &lines);
                if question == "ask.cash_refund"
                    && let Some(or) = same_way(&self.keymap, model, "ask.cash_refund_or")
                {
                    prompt = prompt.because(or);
                }
                self.put(State::Prompt(Box::new(prompt)));
                Action::Stay
            }
            None => {
                self.put(State::Prompt(Box::new(Prompt::gaps(templates, model))));
                Action::Stay
            }
        }
    }

    fn open(
        &mut self,
        screen: ScreenName,
        about: String,
        model: Option<&Model<'_>>,
    ) -> Option<Question> {
        use ScreenName as N;
        let below = self.name();
        let digits = self.top_mut().digits().filter(|_| begins_with_digits(screen));
        let typed = digits.map(Digits::take).unwrap_or_default();
        let member =
            model.and_then(|model| model.sale?.member.as_ref()).map(|member| member.code.clone());
        let about = if about.is_empty() { typed } else { about };
        let state = match screen {
            N::Sale => {
                self.stack.truncate(1);
                return None;
            }
            N::SignIn => State::SignIn(Box::default()),
            N::Tender => State::Tender(Box::new(Tender::keyed_before(&about))),
            N::ItemFinder => State::ItemFinder(Box::new(ItemFinder::new(&about))),
            N::MemberFinder => State::MemberFinder(Box::new(MemberFinder::new(&about))),
            N::MemberCard => {
                let code = if about.is_empty() { member.unwrap_or_default() } else { about };
                match code.is_empty() {
                    // Nobody's card yet: whose?
                    true => State::MemberFinder(Box::new(MemberFinder::new(""))),
                    false => State::MemberCard(Box::new(MemberCard::new(code))),
                }
            }
            N::NewMember => State::MemberForm(Box::new(MemberForm::new(&about))),
            N::EditMember => match member {
                Some(code) => State::MemberForm(Box::new(MemberForm::edit(code))),
                None => State::MemberFinder(Box::new(MemberFinder::new(""))),
            },
            N::Suspended => State::Suspended(Box::default()),
            N::Journal => State::Journal(Box::new(Journal::new(&about))),
            N::Receipt => State::Receipt(Box::new(Receipt::new(about))),
            N::ReturnLines => State::ReturnLines(Box::new(ReturnLines::new(about))),
            N::Menu | N::Cash | N::Close | N::Reports => {
                State::Menu(Box::new(Menu::new(screen, &self.keymap)))
            }
            N::Count => State::Count(Box::default()),
            N::Help => State::Help(Box::new(Help::new(below, &self.keymap))),
            N::CommandLine => State::CommandLine(Box::new(CommandLine::new(self.given.clone()))),
            N::Devices => State::Devices(Box::default()),
            N::Report => State::ReportView(Box::default()),
            N::FirstRun => State::FirstRun(Box::default()),
            N::Recovery => State::Recovery(Box::default()),
            N::Prompt => return None,
        };
        let question = state.screen().opening();
        self.put(state);
        question
    }

    fn put(&mut self, state: State) {
        if self.stack.len() >= DEEPEST {
            self.stack.remove(1);
        }
        self.stack.push(state);
    }
}
