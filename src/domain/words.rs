//! The texts a user sees: a table from key to sentence, one file a language.
//!
//! Room: domain. May touch: std. May not: files (the text of a language file is handed in).
//! A file is TOML: `key = "text with {name}"`. The shop's language comes first, English fills gaps.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;

use super::refusal::Refusal;
use super::text::{cleaned, is_unprintable};

/// The sentences of one language, with a second to fall back on.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// Shared: a clone costs nothing.
    sentences: Arc<HashMap<String, String>>,
    /// What is spoken of: its own words go before the common ones.
    about: &'static str,
}

impl Words {
    /// Builds from `(key, text)` pairs; later pairs win, so hand in the fallback first.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { sentences: Arc::new(pairs.into_iter().collect()), about: "" }
    }

    /// The same words where they speak of one thing: `item.field.name` goes before `field.name`.
    pub fn about(&self, what: &'static str) -> Self {
        Self { about: what, ..self.clone() }
    }

    /// Returns the sentence of `key`; an unknown key shows itself, so that a gap is seen and told.
    pub fn get<'a>(&'a self, key: &'a str) -> &'a str {
        self.sentences.get(key).map_or(key, String::as_str)
    }

    pub fn has(&self, key: &str) -> bool {
        self.sentences.contains_key(key)
    }

    /// Returns the sentence with each `{name}` replaced.
    pub fn fill(&self, key: &str, args: &[(&str, &dyn Display)]) -> String {
        let strings: Vec<_> = args.iter().map(|(name, value)| (*name, value.to_string())).collect();
        fill(self.get(key), strings.iter().map(|(name, value)| (*name, value.as_str())))
    }

    /// Returns the one clear sentence for a refusal. A value with a word of its own (`kind.cash`,
    /// `field.phone`) is said by that word.
    pub fn refusal(&self, refusal: &Refusal) -> String {
        let worded = |name: &str, value: &str| {
            let own = self.sentences.get(&format!("{}.{name}.{value}", self.about));
            let word = own.or_else(|| self.sentences.get(&format!("{name}.{value}")));
            word.map_or(value, String::as_str).to_owned()
        };
        let args: Vec<_> =
            refusal.args.iter().map(|(name, value)| (*name, worded(name, value))).collect();
        fill(self.get(refusal.sentence), args.iter().map(|(name, value)| (*name, value.as_str())))
    }
}

/// What stands in a sentence comes from outside (a key of a file, a name, a printer's answer): it may not
/// speak to the terminal that the sentence is shown on, nor begin a line of its own.
fn printable(value: &str) -> Cow<'_, str> {
    let harmful = value.chars().any(is_unprintable);
    if harmful { Cow::Owned(cleaned(value)) } else { Cow::Borrowed(value) }
}

fn fill<'a>(template: &str, args: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let args: Vec<_> = args.collect();
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, from_brace) = rest.split_at(open);
        out.push_str(before);
        let Some(close) = from_brace.find('}') else {
            out.push_str(from_brace);
            return out;
        };
        let name = &from_brace[1..close];
        match args.iter().find(|(key, _)| *key == name) {
            Some((_, value)) => out.push_str(&printable(value)),
            None => out.push_str(&from_brace[..=close]),
        }
        rest = &from_brace[close + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::refusal::RefusalCode;

    #[test]
    fn braces_are_filled_and_values_are_never_read_as_templates() {
        let words = Words::new([("short".to_owned(), "{short}円 足りません {x}".to_owned())]);
        let refusal = Refusal::new(RefusalCode::Short).with("short", "{x}");
        assert_eq!(words.refusal(&refusal), "{x}円 足りません {x}");
        assert_eq!(words.get("gap"), "gap");
    }

    #[test]
    fn a_value_cannot_speak_to_the_terminal() {
        let words = Words::new([("bad_key".to_owned(), "unknown key {key}.\n".to_owned())]);
        let key = "\u{1b}]0;x\u{7}\u{202e}a\nb\u{9b}2J";
        assert_eq!(words.fill("bad_key", &[("key", &key)]), "unknown key ]0;xab2J.\n");
    }

    #[test]
    fn what_is_spoken_of_has_its_own_words() {
        let pairs =
            [("bad_field", "{field}"), ("field.name", "氏名"), ("item.field.name", "商品名")];
        let words = Words::new(pairs.map(|(key, text)| (key.to_owned(), text.to_owned())));
        let name = Refusal::new(RefusalCode::BadArgument).saying("bad_field").with("field", "name");
        assert_eq!(words.refusal(&name), "氏名");
        assert_eq!(words.about("item").refusal(&name), "商品名");
        assert_eq!(words.about("member").refusal(&name), "氏名");
    }

    #[test]
    fn a_value_with_a_word_of_its_own_is_said_by_it() {
        let pairs = [("same_tender", "すでに {kind} です"), ("kind.cash", "現金")];
        let words = Words::new(pairs.map(|(key, text)| (key.to_owned(), text.to_owned())));
        for (kind, want) in [("cash", "すでに 現金 です"), ("gift", "すでに gift です")]
        {
            let refusal =
                Refusal::new(RefusalCode::Duplicate).saying("same_tender").with("kind", kind);
            assert_eq!(words.refusal(&refusal), want);
        }
    }
}
