//! Meanings to styles: a screen asks for `total`, a theme file says what that looks like.
//!
//! Room: screens. May touch: the text it is handed. May not: files, environment.
//! Invariant: a style only stresses what a sign or a word already says; NO_COLOR loses nothing.

use ratatui::style::{Color, Modifier, Style};

use super::data_file::{DataFault, DataFile, Value};
use crate::domain::misread::misread;
use crate::domain::refusal::Refusal;

macro_rules! meanings {
    ($($(#[$doc:meta])* $field:ident,)*) => {
        /// One style for each meaning.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Theme { $($(#[$doc])* pub $field: Style,)* }

        impl Theme {
            const MEANINGS: &'static [&'static str] = &[$(stringify!($field),)*];

            fn slot(&mut self, meaning: &str) -> Option<&mut Style> {
                match meaning {
                    $(stringify!($field) => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
    };
}

meanings! {
    text,
    /// Headings of columns, hints, what is known anyway.
    dim,
    title,
    /// The first row: shop, lane, staff, clock.
    status,
    /// A device, copy or mode that wants attention.
    alert,
    /// Sold in training: no sale at all.
    training,
    amount,
    total,
    change,
    buffer,
    /// A field that takes keys.
    field,
    selected,
    member,
    /// A refusal: what to do next.
    refusal,
    notice,
    /// The key itself on the key line.
    key,
    /// What it does.
    label,
    /// A window above another screen.
    popup,
    paper,
}

/// The themes that come with regi.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("contrast", include_str!("../../themes/contrast.toml")),
    ("sixteen", include_str!("../../themes/sixteen.toml")),
];

impl Theme {
    /// Reads a theme file: one table `[style]`, `meaning = "bold yellow on #202020"`.
    ///
    /// # Errors
    /// Unknown meanings, colours and words, and meanings left out, with their line.
    pub fn read(file: &str, text: &str) -> Result<Self, DataFault> {
        let data = DataFile::read(file, text)?;
        let mut theme = Self::default();
        let mut missing: Vec<_> = Self::MEANINGS.to_vec();
        for table in data.tables()? {
            if table.name != "style" {
                let fault = misread("theme.unknown_table").with("table", table.name);
                return Err(data.fault(table.line, fault));
            }
            for field in table.fields {
                let fault = |what: Refusal| data.fault(field.line, what);
                let slot = theme
                    .slot(&field.key)
                    .ok_or_else(|| fault(misread("file.unknown_key").with("key", &field.key)))?;
                let Value::Text(words) = &field.value else {
                    return Err(fault(misread("file.one_text").with("key", &field.key)));
                };
                *slot = read_style(words)
                    .map_err(|word| fault(misread("theme.unknown_colour").with("word", word)))?;
                missing.retain(|meaning| *meaning != field.key);
            }
        }
        match missing.first() {
            Some(meaning) => Err(data.fault(1, misread("file.missing_key").with("key", meaning))),
            None => Ok(theme),
        }
    }

    /// Returns a built-in theme by name; `None` when there is none of that name.
    pub fn built_in(name: &str) -> Option<Self> {
        let (file, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        Some(Self::read(file, text).expect("a built-in theme reads; its test says so"))
    }

    /// Returns the theme of whoever chose none.
    pub fn usual() -> Self {
        let (name, _) = BUILT_IN[0];
        Self::built_in(name).expect("it is one of them")
    }

    /// Returns the theme without colours, for NO_COLOR: stress is left to bold and reverse.
    pub fn without_colour(mut self) -> Self {
        for meaning in Self::MEANINGS {
            if let Some(style) = self.slot(meaning) {
                style.fg = None;
                style.bg = None;
            }
        }
        self
    }
}

fn read_style(words: &str) -> Result<Style, String> {
    let mut style = Style::default();
    let mut behind = false;
    for word in words.split_whitespace() {
        if word == "on" {
            behind = true;
        } else if let Some(modifier) = modifier(word) {
            style = style.add_modifier(modifier);
        } else {
            let colour = colour(word).ok_or_else(|| word.to_owned())?;
            style = if behind { style.bg(colour) } else { style.fg(colour) };
            behind = false;
        }
    }
    if behind { Err("on".to_owned()) } else { Ok(style) }
}

fn modifier(word: &str) -> Option<Modifier> {
    Some(match word {
        "bold" => Modifier::BOLD,
        "dim" => Modifier::DIM,
        "underlined" => Modifier::UNDERLINED,
        "reversed" => Modifier::REVERSED,
        _ => return None,
    })
}

/// The 16 colours by name, `default`, or `#rrggbb`.
fn colour(word: &str) -> Option<Color> {
    if word == "default" {
        return Some(Color::Reset);
    }
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_reads_and_names_every_meaning() {
        for (name, text) in BUILT_IN {
            assert!(Theme::read(name, text).is_ok(), "{:?}", Theme::read(name, text));
        }
    }

    #[test]
    fn a_wrong_word_is_refused_with_its_line() {
        let fault =
            Theme::read("x.toml", "[style]\ntext = \"\"\ntotal = \"bold shiny\"\n").unwrap_err();
        assert_eq!(fault.to_string(), "x.toml:3: theme.unknown_colour word=shiny");
        assert!(Theme::read("x.toml", "[style]\ntext = \"\"\n").is_err(), "meanings are missing");
    }

    #[test]
    fn without_colour_the_stress_stays() {
        let plain = Theme::usual().without_colour();
        assert_eq!(plain.refusal.fg, None);
        assert!(!plain.refusal.add_modifier.is_empty(), "a refusal stands out without colour");
        assert!(plain.selected.add_modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn the_sixteen_colour_theme_uses_no_other_colour() {
        let (_, text) = BUILT_IN.iter().find(|(name, _)| *name == "sixteen").unwrap();
        assert!(!text.contains("= \"#") && !text.contains(" #"), "a bare console has 16 colours");
    }
}
