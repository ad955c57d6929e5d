//! One line of text with a cursor, and kana by romaji without any input method.
//!
//! Room: screens. May touch: its own state. May not: terminal, clipboard.
//! Invariant: the cursor stands between grapheme clusters; a line never outgrows its bound.

use unicode_segmentation::UnicodeSegmentation;

use super::canvas::{Canvas, shown, width};
use crate::domain::kana::romaji_to_hiragana;
use ratatui::layout::Position;
use ratatui::style::Style;

/// What typed letters become.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KanaMode {
    /// Letters as they are; an input method of the terminal may still compose.
    #[default]
    Direct,
    Hiragana,
    Katakana,
}

impl KanaMode {
    /// The next mode of the switch.
    pub const fn next(self) -> Self {
        match self {
            Self::Direct => Self::Hiragana,
            Self::Hiragana => Self::Katakana,
            Self::Katakana => Self::Direct,
        }
    }

    /// Key of the mode's sign in the language files.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Direct => "kana.direct",
            Self::Hiragana => "kana.hiragana",
            Self::Katakana => "kana.katakana",
        }
    }
}

/// A line being typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KanaLine {
    /// Grapheme clusters.
    clusters: Vec<String>,
    /// Between 0 and the number of clusters.
    cursor: usize,
    /// Romaji still waiting for its vowel; stands at the cursor.
    pending: String,
    pub mode: KanaMode,
    /// The most characters taken.
    most: usize,
}

impl KanaLine {
    /// A line that takes up to `most` characters.
    pub fn new(most: usize, mode: KanaMode) -> Self {
        Self { mode, most, ..Self::default() }
    }

    /// The same line with a text in it, the cursor at its end.
    pub fn with(mut self, text: &str) -> Self {
        self.set(text);
        self
    }

    pub fn set(&mut self, text: &str) {
        self.clusters = text.graphemes(true).map(str::to_owned).collect();
        self.cursor = self.clusters.len();
        self.pending.clear();
    }

    /// The text, with what still waits as it stands.
    pub fn text(&self) -> String {
        let (before, after) = self.clusters.split_at(self.cursor);
        [before.concat(), self.pending.clone(), after.concat()].concat()
    }

    pub fn is_empty(&self) -> bool {
        self.clusters.is_empty() && self.pending.is_empty()
    }

    /// Types a letter.
    pub fn push(&mut self, letter: char) {
        if letter.is_control() || self.text().chars().count() >= self.most {
            return;
        }
        if self.mode == KanaMode::Direct || !romaji_letter(letter) {
            self.settle();
            self.insert(&letter.to_string());
            return;
        }
        self.pending.push(letter.to_ascii_lowercase());
        self.convert();
    }

    /// Takes a pasted or composed text; line ends become spaces.
    pub fn paste(&mut self, text: &str) {
        self.settle();
        let room = self.most.saturating_sub(self.text().chars().count());
        let one_line: String =
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(room).collect();
        self.insert(&one_line);
    }

    /// Ends a romaji that still waits: `n` is ん, other letters stay.
    pub fn settle(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        let text = if pending == "n" { self.in_mode("ん") } else { pending };
        self.insert(&text);
    }

    /// Returns the finished text.
    pub fn take(&mut self) -> String {
        self.settle();
        let text = self.text();
        self.clear();
        text
    }

    pub fn clear(&mut self) {
        self.clusters.clear();
        self.pending.clear();
        self.cursor = 0;
    }

    /// Takes away what stands before the cursor.
    pub fn erase(&mut self) {
        if self.pending.pop().is_none() && self.cursor > 0 {
            self.cursor -= 1;
            self.clusters.remove(self.cursor);
        }
    }

    /// Takes away what stands behind the cursor.
    pub fn delete(&mut self) {
        self.settle();
        if self.cursor < self.clusters.len() {
            self.clusters.remove(self.cursor);
        }
    }

    pub fn left(&mut self) {
        self.settle();
        self.cursor = self.cursor.saturating_sub(1);
    }

    pub fn right(&mut self) {
        self.settle();
        self.cursor = (self.cursor + 1).min(self.clusters.len());
    }

    pub fn home(&mut self) {
        self.settle();
        self.cursor = 0;
    }

    pub fn end(&mut self) {
        self.settle();
        self.cursor = self.clusters.len();
    }

    pub fn switch_mode(&mut self) {
        self.settle();
        self.mode = self.mode.next();
    }

    /// Draws the line so that the cursor is always in sight, and returns where it stands.
    pub fn draw(
        &self,
        canvas: &mut Canvas<'_>,
        x: u16,
        y: u16,
        cells: u16,
        style: Style,
    ) -> Position {
        let before = shown(&[self.clusters[..self.cursor].concat(), self.pending.clone()].concat());
        let after = shown(&self.clusters[self.cursor..].concat());
        let mut visible = before.as_str();
        while width(visible) >= cells {
            let Some(first) = visible.graphemes(true).next() else { break };
            visible = &visible[first.len()..];
        }
        let blank = " ".repeat(usize::from(cells));
        canvas.text(x, y, cells, &blank, style);
        let used = canvas.text(x, y, cells, visible, style);
        canvas.text(x + used, y, cells - used, &after, style);
        canvas.at(x + used, y)
    }

    fn insert(&mut self, text: &str) {
        for cluster in text.graphemes(true) {
            self.clusters.insert(self.cursor, cluster.to_owned());
            self.cursor += 1;
        }
    }

    /// Turns as much of the waiting romaji into kana as is certain.
    fn convert(&mut self) {
        if let Some((kana, rest)) = syllable(&self.pending) {
            let kana = self.in_mode(&kana);
            self.pending = rest;
            self.insert(&kana);
        }
    }

    fn in_mode(&self, hiragana: &str) -> String {
        if self.mode != KanaMode::Katakana {
            return hiragana.to_owned();
        }
        hiragana.chars().map(katakana).collect()
    }
}

fn romaji_letter(letter: char) -> bool {
    letter.is_ascii_alphabetic() || matches!(letter, '\'' | '-')
}

/// Returns a hiragana letter as katakana, anything else unchanged.
fn katakana(sign: char) -> char {
    match sign {
        'ぁ'..='ゖ' => char::from_u32(sign as u32 + 0x60).unwrap_or(sign),
        _ => sign,
    }
}

/// Splits what is certain off the front of typed romaji; `None` while it still waits. Works as an
/// input method does: `nn` and `n'` are ん, `n` before another consonant too.
fn syllable(romaji: &str) -> Option<(String, String)> {
    let mut letters = romaji.chars();
    let (first, second) = (letters.next()?, letters.next());
    let rest = |skip: usize| romaji.chars().skip(skip).collect::<String>();
    match (first, second) {
        ('-', None) => return Some(("ー".to_owned(), String::new())),
        ('\'', None) => return Some(("'".to_owned(), String::new())),
        ('n', None) => return None,
        ('n', Some('n' | '\'')) => return Some(("ん".to_owned(), rest(2))),
        ('n', Some(next)) if !"aiueoy".contains(next) => return Some(("ん".to_owned(), rest(1))),
        (first, Some(next)) if first == next && !"aiueo".contains(first) => {
            return Some(("っ".to_owned(), rest(1)));
        }
        _ => {}
    }
    let kana = romaji_to_hiragana(romaji);
    let whole = kana.chars().all(|sign| !sign.is_ascii());
    let hopeless = romaji.chars().count() > 3;
    (whole || hopeless).then_some((kana, String::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(mode: KanaMode, keys: &str) -> String {
        let mut line = KanaLine::new(40, mode);
        keys.chars().for_each(|letter| line.push(letter));
        line.take()
    }

    #[test]
    fn romaji_becomes_kana_as_it_is_typed() {
        for (keys, want) in [
            ("tanaka", "たなか"),
            ("kyouko", "きょうこ"),
            ("shinjuku", "しんじゅく"),
            ("matti", "まっち"),
            ("konnnichiha", "こんにちは"),
            ("kin'en", "きんえん"),
            ("hon", "ほん"),
            ("kantan", "かんたん"),
            ("ko-hi-", "こーひー"),
            ("zyagaimo", "じゃがいも"),
            ("xtu", "っ"),
            ("3kai", "3かい"),
        ] {
            assert_eq!(typed(KanaMode::Hiragana, keys), want, "{keys}");
        }
        assert_eq!(typed(KanaMode::Katakana, "ra-men"), "ラーメン");
        assert_eq!(typed(KanaMode::Direct, "Smith"), "Smith");
    }

    #[test]
    fn a_cluster_is_erased_whole() {
        let mut line = KanaLine::new(40, KanaMode::Direct).with("葛\u{E0100}か\u{3099}");
        line.erase();
        assert_eq!(line.text(), "葛\u{E0100}");
        line.erase();
        assert!(line.is_empty());
    }

    #[test]
    fn keys_work_at_the_cursor() {
        let mut line = KanaLine::new(40, KanaMode::Direct).with("abcd");
        line.left();
        line.left();
        line.push('X');
        line.delete();
        line.erase();
        assert_eq!(line.text(), "abd");
        line.home();
        line.push('Z');
        assert_eq!(line.text(), "Zabd");
    }

    #[test]
    fn a_line_never_outgrows_its_bound() {
        let mut line = KanaLine::new(5, KanaMode::Direct);
        line.paste("abc\r\ndefgh");
        line.push('x');
        assert_eq!(line.text(), "abc  ");
    }
}
