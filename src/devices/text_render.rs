//! A document as plain text: the screen's pane, the electronic journal, and tests.
//!
//! Room: devices. May touch: the document, Unicode's widths. May not: printers, the Frame.
//! Invariant: every character counts the cells a terminal gives it, so columns stand straight.

use unicode_normalization::UnicodeNormalization;
use unicode_width::UnicodeWidthChar;

use super::cp932::{IbmExt, Repertoire, printable};
use super::layout::{Face, LaidLine, Wide, lay_out};
use crate::domain::document::Document;

/// Characters that terminals draw one or two cells wide as they please, and what stands for them
/// in a text whose columns must agree everywhere (japan.md 8.3).
const AMBIGUOUS: [(char, &str); 16] = [
    ('※', "*"),
    ('★', "*"),
    ('☆', "*"),
    ('●', "*"),
    ('○', "o"),
    ('×', "x"),
    ('÷', "/"),
    ('±', "+-"),
    ('→', "->"),
    ('←', "<-"),
    ('─', "-"),
    ('━', "="),
    ('═', "="),
    ('―', "-"),
    ('…', "..."),
    ('〓', "?"),
];

/// Returns `document` as lines of at most `columns` cells, without spaces at their ends.
pub fn render_text(document: &Document, columns: usize) -> String {
    let face = Face { columns, clean: &for_screen, measure: cells, wide: Wide::Flat };
    let mut out = String::new();
    for line in lay_out(document, &face) {
        push_line(&line, columns, &mut out);
    }
    out
}

fn push_line(line: &LaidLine, columns: usize, out: &mut String) {
    match line {
        LaidLine::Text(spans) => {
            let text: String = spans.iter().map(|span| span.text.as_str()).collect();
            out.push_str(text.trim_end());
            out.push('\n');
        }
        LaidLine::Feed(lines) => out.extend(std::iter::repeat_n('\n', usize::from(*lines))),
        LaidLine::Qr(text) | LaidLine::Barcode(text) => push_code(text, columns, out),
        LaidLine::Logo | LaidLine::Cut => {}
    }
}

/// A code is shown as what it says.
fn push_code(text: &str, columns: usize, out: &mut String) {
    let mut says = Document::default();
    says.center(format!("[{text}]"));
    out.push_str(&render_text(&says, columns));
}

/// Returns `text` in characters whose width no terminal doubts.
pub fn for_screen(text: &str) -> String {
    let printable = printable(text, Repertoire::Kanji(IbmExt::Fa)).text;
    let mut out = String::with_capacity(printable.len());
    for c in folded(&printable).chars() {
        match AMBIGUOUS.iter().find(|(from, _)| *from == c) {
            Some((_, to)) => out.push_str(to),
            None => out.extend(certain(c)),
        }
    }
    out
}

/// Half-width kana become full-width: their marks are counted differently from terminal to
/// terminal. Everything else stays.
fn folded(text: &str) -> String {
    let is_half = |c: char| ('\u{ff61}'..='\u{ff9f}').contains(&c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(from) = rest.find(is_half) {
        let (before, half) = rest.split_at(from);
        let to = half.find(|c| !is_half(c)).unwrap_or(half.len());
        out.push_str(before);
        out.extend(half[..to].nfkc());
        rest = &half[to..];
    }
    out + rest
}

fn certain(c: char) -> impl Iterator<Item = char> {
    let doubtful = c.width() != c.width_cjk() && c != '¥';
    let parts: Vec<char> = if doubtful { std::iter::once(c).nfkc().collect() } else { vec![c] };
    parts.into_iter()
}

fn cells(c: char) -> usize {
    c.width().unwrap_or(0).clamp(1, 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::{Block, Rule, Style};

    #[test]
    fn marks_that_terminals_doubt_are_replaced_before_columns_are_counted() {
        let mut document = Document::default();
        document.center("領 収 書").pair("牛乳 1L ※", "¥496").pair("ｺﾞｳｹｲ", "¥496");
        document.rule(Rule::Thin).pair_styled("合計", "¥496", Style::BIG);
        document.push(Block::Cut);
        assert_eq!(
            render_text(&document, 24),
            "        領 収 書\n\
             牛乳 1L *           ¥496\n\
             ゴウケイ            ¥496\n\
             ------------------------\n\
             合計                ¥496\n"
        );
    }

    #[test]
    fn codes_are_shown_as_what_they_say() {
        let mut document = Document::default();
        document.push(Block::Qr("https://e.jp/1".into())).push(Block::Feed(1));
        document.push(Block::Barcode("01-000123".into())).push(Block::Logo);
        assert_eq!(render_text(&document, 24), "    [https://e.jp/1]\n\n      [01-000123]\n");
    }

    #[test]
    fn a_hostile_name_reaches_the_screen_as_text() {
        assert_eq!(for_screen("\u{1b}]52;c;QUF\u{7}\u{202e}①②"), "?]52;c;QUF12");
    }
}
