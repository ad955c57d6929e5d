//! Keys are data: a keymap file turns a key on a screen into commands or acts of the screen.
//!
//! Room: screens. May touch: the text it is handed. May not: files, register.
//! Invariant: an unknown key, screen, command or gap refuses the file with its line at start, never
//! before the customer. The key line and help print what the file says.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::act::{Act, ScreenName};
use super::data_file::{DataFault, DataFile, Field, Value};
use super::template::Template;
use crate::domain::misread::misread;
use crate::domain::refusal::Refusal;

/// The keymaps that come with regi.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("tenkey", include_str!("../../keymaps/tenkey.toml")),
    ("laptop", include_str!("../../keymaps/laptop.toml")),
    ("function", include_str!("../../keymaps/function.toml")),
];

/// One key with its modifiers, as a file writes it: `f1`, `ctrl-p`, `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Names of keys: as a file writes them, as the key line shows them.
const NAMED: &[(&str, &str, KeyCode)] = &[
    ("enter", "Enter", KeyCode::Enter),
    ("esc", "Esc", KeyCode::Esc),
    ("backspace", "BS", KeyCode::Backspace),
    ("delete", "Del", KeyCode::Delete),
    ("insert", "Ins", KeyCode::Insert),
    ("tab", "Tab", KeyCode::Tab),
    ("backtab", "S-Tab", KeyCode::BackTab),
    ("space", "Space", KeyCode::Char(' ')),
    ("up", "Up", KeyCode::Up),
    ("down", "Down", KeyCode::Down),
    ("left", "Left", KeyCode::Left),
    ("right", "Right", KeyCode::Right),
    ("home", "Home", KeyCode::Home),
    ("end", "End", KeyCode::End),
    ("pageup", "PgUp", KeyCode::PageUp),
    ("pagedown", "PgDn", KeyCode::PageDown),
];

impl Key {
    /// Reads a key's name; `None` for a name nobody knows.
    pub fn read(name: &str) -> Option<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = name;
        for (prefix, modifier) in [
            ("ctrl-", KeyModifiers::CONTROL),
            ("alt-", KeyModifiers::ALT),
            ("shift-", KeyModifiers::SHIFT),
        ] {
            if let Some(stripped) = rest.strip_prefix(prefix) {
                modifiers |= modifier;
                rest = stripped;
            }
        }
        let code = code(rest)?;
        Some(Self { code, modifiers })
    }

    /// Returns the key of a terminal event. Shift is part of a letter, not a modifier of it.
    pub fn of(event: KeyEvent) -> Self {
        let kept = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        let mut modifiers = event.modifiers & kept;
        if matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self { code: event.code, modifiers }
    }

    /// The letter this key types, when it types one.
    pub fn letter(self) -> Option<char> {
        match self.code {
            KeyCode::Char(letter) if self.modifiers.is_empty() => Some(letter),
            _ => None,
        }
    }

    /// The key without capitals.
    const fn small(self) -> Self {
        match self.code {
            KeyCode::Char(letter) => {
                Self { code: KeyCode::Char(letter.to_ascii_lowercase()), ..self }
            }
            _ => self,
        }
    }

    /// The key as a terminal would report it.
    pub fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }

    /// The name on the key line.
    pub fn shown(self) -> String {
        let mut shown = String::new();
        for (modifier, mark) in
            [(KeyModifiers::CONTROL, "^"), (KeyModifiers::ALT, "A-"), (KeyModifiers::SHIFT, "S-")]
        {
            if self.modifiers.contains(modifier) {
                shown.push_str(mark);
            }
        }
        match self.code {
            KeyCode::F(number) => shown.push_str(&format!("F{number}")),
            code => match NAMED.iter().find(|(.., known)| *known == code) {
                Some((_, label, _)) => shown.push_str(label),
                None => shown.extend(match code {
                    KeyCode::Char(letter) => Some(letter.to_ascii_uppercase()),
                    _ => None,
                }),
            },
        }
        shown
    }
}

fn code(name: &str) -> Option<KeyCode> {
    if let Some((.., code)) = NAMED.iter().find(|(known, ..)| *known == name) {
        return Some(*code);
    }
    if let Some(number) = name.strip_prefix('f').and_then(|digits| digits.parse::<u8>().ok()) {
        return (1..=24).contains(&number).then_some(KeyCode::F(number));
    }
    let mut letters = name.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if !letter.is_control() => Some(KeyCode::Char(letter)),
        _ => None,
    }
}

/// One thing a key does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    Act(Act),
    Command(Template),
}

/// A key of a screen and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub key: Key,
    /// More than one is a macro: given in turn, stopping at the first refusal.
    pub deeds: Vec<Deed>,
    /// Key in the language files, or the shop's own text; `None` keeps it off the key line.
    pub label: Option<String>,
}

impl Binding {
    /// What the key does, as the file has it.
    pub fn does(&self) -> String {
        let deed = |deed: &Deed| match deed {
            Deed::Act(act) => format!("@{}", act.word()),
            Deed::Command(template) => template.to_string(),
        };
        self.deeds.iter().map(deed).collect::<Vec<_>>().join("; ")
    }
}

/// Puts bindings in the places of those with the same key, or behind them.
fn overlay(known: &mut Vec<Binding>, own: Vec<Binding>) {
    for binding in own {
        match known.iter_mut().find(|known| known.key == binding.key) {
            Some(place) => *place = binding,
            None => known.push(binding),
        }
    }
}

/// Every key of every screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keymap {
    global: Vec<Binding>,
    screens: Vec<(ScreenName, Vec<Binding>)>,
}

impl Keymap {
    /// Reads a keymap file.
    ///
    /// # Errors
    /// The first thing in it that is not known, with its line.
    pub fn read(file: &str, text: &str) -> Result<Self, DataFault> {
        let data = DataFile::read(file, text)?;
        let mut keymap = Self::default();
        for table in data.tables()? {
            let screen = match table.name {
                "global" => None,
                name => Some(ScreenName::from_word(name).ok_or_else(|| {
                    data.fault(table.line, misread("keymap.unknown_screen").with("screen", name))
                })?),
            };
            let bindings = bindings(&data, screen, table.fields)?;
            match screen {
                None => keymap.global = bindings,
                Some(screen) => keymap.screens.push((screen, bindings)),
            }
        }
        Ok(keymap)
    }

    /// Returns this keymap with `own` over it: a key that is there does what it says, the others stay.
    #[must_use]
    pub fn under(mut self, own: Self) -> Self {
        overlay(&mut self.global, own.global);
        for (screen, bindings) in own.screens {
            match self.screens.iter_mut().find(|(name, _)| *name == screen) {
                Some((_, known)) => overlay(known, bindings),
                None => self.screens.push((screen, bindings)),
            }
        }
        self
    }

    /// Returns a built-in keymap by name; `None` when there is none of that name.
    pub fn built_in(name: &str) -> Option<Self> {
        let (file, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        Some(Self::read(file, text).expect("a built-in keymap reads; its test says so"))
    }

    /// Returns the keymap of whoever chose none.
    pub fn usual() -> Self {
        let (name, _) = BUILT_IN[0];
        Self::built_in(name).expect("it is one of them")
    }

    /// Returns what a key does on a screen: the screen's own table first, then `[global]`. A capital that
    /// means nothing of its own is its small letter: the key line shows capitals, and Caps Lock may be on.
    pub fn meaning(&self, screen: ScreenName, key: Key) -> Option<&Binding> {
        let bound = |key| {
            self.of(screen).iter().chain(&self.global).find(move |binding| binding.key == key)
        };
        bound(key).or_else(|| bound(key.small()))
    }

    /// The labelled keys of a screen, its own first, in the order of the file.
    pub fn shown(&self, screen: ScreenName) -> impl Iterator<Item = (&Binding, &str)> {
        let own = self.of(screen);
        // The entries of a menu stand in its list; the key line says how to get about in it.
        let listed =
            move |binding: &&Binding| !(screen.is_menu() && binding.key.letter().is_some());
        let global = self.global.iter().filter(|binding| own.iter().all(|b| b.key != binding.key));
        own.iter()
            .filter(listed)
            .chain(global)
            .filter_map(|binding| Some((binding, binding.label.as_deref()?)))
    }

    /// The keys of a screen's own table.
    pub fn of(&self, screen: ScreenName) -> &[Binding] {
        let table = self.screens.iter().find(|(name, _)| *name == screen);
        table.map_or(&[], |(_, bindings)| bindings)
    }

    /// Returns the first key of a screen's own table that gives a command.
    pub fn key_of_command(&self, screen: ScreenName, command: &str) -> Option<Key> {
        let gives = |deed: &Deed| matches!(deed, Deed::Command(given) if given.name() == command);
        let binding = self.of(screen).iter().find(|binding| binding.deeds.iter().all(gives))?;
        Some(binding.key)
    }

    /// Returns the first key that gives a command or act anywhere on `screen`, for hints in texts.
    pub fn key_for(&self, screen: ScreenName, act: Act) -> Option<Key> {
        let does = |binding: &&Binding| binding.deeds.contains(&Deed::Act(act));
        self.of(screen).iter().chain(&self.global).find(does).map(|binding| binding.key)
    }
}

fn bindings(
    data: &DataFile,
    screen: Option<ScreenName>,
    fields: &[Field],
) -> Result<Vec<Binding>, DataFault> {
    let mut bindings = Vec::with_capacity(fields.len());
    for field in fields {
        let fault = |what: Refusal| data.fault(field.line, what);
        let about = |sentence| fault(misread(sentence).with("key", &field.key));
        let key = Key::read(&field.key).ok_or_else(|| about("keymap.unknown_key"))?;
        let types = key.letter().is_some() && screen.is_none_or(ScreenName::takes_text);
        if types {
            return Err(about("keymap.letter"));
        }
        if bindings.iter().any(|binding: &Binding| binding.key == key) {
            return Err(about("keymap.twice"));
        }
        let (deeds, label) = deeds(&field.value).map_err(fault)?;
        bindings.push(Binding { key, deeds, label });
    }
    Ok(bindings)
}

fn deeds(value: &Value) -> Result<(Vec<Deed>, Option<String>), Refusal> {
    match value {
        Value::Text(line) => Ok((vec![deed(line)?], None)),
        Value::List(lines) if lines.is_empty() => Err(misread("keymap.empty_list")),
        Value::List(lines) if lines.len() > 1 && lines.iter().any(|line| line.starts_with('@')) => {
            Err(misread("keymap.act_in_list"))
        }
        Value::List(lines) => {
            Ok((lines.iter().map(|line| deed(line)).collect::<Result<_, _>>()?, None))
        }
        Value::Table(fields) => labelled(fields),
    }
}

fn labelled(fields: &[Field]) -> Result<(Vec<Deed>, Option<String>), Refusal> {
    let mut found = None;
    let mut label = None;
    for field in fields {
        match (field.key.as_str(), &field.value) {
            ("do", value @ (Value::Text(_) | Value::List(_))) => found = Some(deeds(value)?.0),
            ("label", Value::Text(text)) => label = Some(text.clone()),
            (other, _) => return Err(misread("keymap.do_or_label").with("key", other)),
        }
    }
    Ok((found.ok_or_else(|| misread("file.missing_key").with("key", "do"))?, label))
}

fn deed(line: &str) -> Result<Deed, Refusal> {
    match line.strip_prefix('@') {
        Some(word) => Act::from_word(word)
            .map(Deed::Act)
            .ok_or_else(|| misread("keymap.unknown_act").with("act", format_args!("@{word}"))),
        None => Template::read(line).map(Deed::Command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_keymap_reads_and_can_leave_every_screen() {
        for (name, text) in BUILT_IN {
            let keymap = Keymap::read(name, text).unwrap_or_else(|fault| panic!("{fault}"));
            for screen in ScreenName::ALL {
                let esc = keymap.meaning(*screen, Key::read("esc").unwrap());
                assert_eq!(esc.map(|b| &b.deeds[..]), Some(&[Deed::Act(Act::Back)][..]), "{name}");
                let enter = keymap.meaning(*screen, Key::read("enter").unwrap());
                assert!(enter.is_some(), "{name} {screen:?}");
            }
        }
    }

    #[test]
    fn every_keymap_reaches_every_screen_and_the_command_line() {
        for (name, text) in BUILT_IN {
            let keymap = Keymap::read(name, text).unwrap();
            let all =
                keymap.screens.iter().flat_map(|(_, bindings)| bindings).chain(&keymap.global);
            let deeds: Vec<_> = all.flat_map(|binding| &binding.deeds).collect();
            for act in Act::ALL.iter().filter(|act| act.opens().is_some()) {
                assert!(deeds.contains(&&Deed::Act(*act)), "{name} never opens {act:?}");
            }
        }
    }

    #[test]
    fn a_fault_in_a_keymap_is_refused_with_its_line() {
        for (text, want) in [
            ("[sale]\nf13x = \"subtotal\"\n", "k.toml:2: keymap.unknown_key key=f13x"),
            (
                "[sale]\nf1 = \"subtotal\"\nf2 = \"sell\"\n",
                "k.toml:3: keymap.unknown_command command=sell",
            ),
            ("[sales]\nf1 = \"subtotal\"\n", "k.toml:1: keymap.unknown_screen screen=sales"),
            ("[sale]\nf1 = \"@fly\"\n", "k.toml:2: keymap.unknown_act act=@fly"),
            ("[sale]\nf1 = \"scan {what}\"\n", "k.toml:2: keymap.unknown_gap gap={what}"),
            ("[sale]\nf1 = { does = \"subtotal\" }\n", "k.toml:2: keymap.do_or_label key=does"),
            ("[prompt]\na = \"@enter\"\n", "k.toml:2: keymap.letter key=a"),
        ] {
            assert_eq!(Keymap::read("k.toml", text).unwrap_err().to_string(), want);
        }
    }

    #[test]
    fn keys_of_the_shops_own_stand_over_the_chosen_ones() {
        let text = "[sale]\nb = { do = \"scan 902\", label = \"袋\" }\nf2 = \"scan 901\"\n\
                    [global]\nf12 = \"lock\"\n";
        let own = Keymap::read("own.toml", text).unwrap();
        for (name, _) in BUILT_IN {
            let chosen = Keymap::built_in(name).unwrap();
            let both = chosen.clone().under(own.clone());
            let does = |map: &Keymap, screen, key| {
                map.meaning(screen, Key::read(key).unwrap()).map(Binding::does)
            };
            for (screen, key, want) in [
                (ScreenName::Sale, "b", "scan 902"),
                (ScreenName::Sale, "B", "scan 902"),
                (ScreenName::Sale, "f2", "scan 901"),
                (ScreenName::Help, "f12", "lock"),
            ] {
                assert_eq!(does(&both, screen, key).as_deref(), Some(want), "{name} {key}");
            }
            for key in ["enter", "esc", "f4", "f7"] {
                assert_eq!(
                    does(&both, ScreenName::Sale, key),
                    does(&chosen, ScreenName::Sale, key)
                );
            }
            let labels: Vec<_> = both.shown(ScreenName::Sale).map(|(_, label)| label).collect();
            assert_eq!(labels.iter().filter(|label| **label == "袋").count(), 1, "{name}");
        }
    }

    #[test]
    fn a_capital_with_a_meaning_of_its_own_keeps_it() {
        let text = "[sale]\nb = \"scan 1\"\nB = \"scan 2\"\n";
        let map = Keymap::read("two.toml", text).unwrap();
        for (key, want) in [("b", "scan 1"), ("B", "scan 2")] {
            let does = map.meaning(ScreenName::Sale, Key::read(key).unwrap()).map(Binding::does);
            assert_eq!(does.as_deref(), Some(want));
        }
    }

    #[test]
    fn a_key_reads_back_from_its_name() {
        for (name, shown) in
            [("f12", "F12"), ("enter", "Enter"), ("ctrl-p", "^P"), ("*", "*"), ("shift-f2", "S-F2")]
        {
            assert_eq!(Key::read(name).unwrap().shown(), shown);
        }
        assert_eq!(Key::read("f0"), None);
        assert_eq!(Key::read("hyper-x"), None);
        let typed = KeyEvent::new(KeyCode::Char('*'), KeyModifiers::SHIFT);
        assert_eq!(Key::of(typed), Key::read("*").unwrap(), "on a JIS board * is shifted");
    }
}
