//! A document set into lines of a width: what stands where, before any byte or colour.
//!
//! Room: devices. May touch: the document. May not: printers, bytes, terminals.
//! Invariant: no line is wider than the paper, and no character is ever cut in two.

use crate::domain::document::{Align, Block, Cell, Document, Rule, Style};

/// What the lines are set for: a printer's font, or the cells of a screen.
pub struct Face<'a> {
    /// Width of the paper in columns, 24 to 64.
    pub columns: usize,
    /// Makes text that the face can show; called before anything is measured.
    pub clean: &'a dyn Fn(&str) -> String,
    /// Columns of one character, 1 or 2.
    pub measure: fn(char) -> usize,
    pub wide: Wide,
}

/// Whether double-wide letters can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wide {
    Shown,
    /// Set as single width: a text has one size.
    Flat,
}

/// One line as it will stand, or one thing that is not a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaidLine {
    Text(Vec<Span>),
    Feed(u8),
    Logo,
    Qr(String),
    Barcode(String),
    Cut,
}

/// A run of one style. Padding is a plain-width run of spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub text: String,
    pub style: Style,
}

/// Fewest columns a cell of a row can have: one kanji.
const NARROWEST_CELL: usize = 2;
/// Width of the stamp box inside its borders, where the caption is not longer.
const BOX_COLUMNS: usize = 16;

/// Returns `document` as lines for `face`.
pub fn lay_out(document: &Document, face: &Face) -> Vec<LaidLine> {
    document.blocks.iter().flat_map(|block| lay_block(block, face)).collect()
}

fn lay_block(block: &Block, face: &Face) -> Vec<LaidLine> {
    match block {
        Block::Text { text, align, style } => lay_text(text, *align, *style, face),
        Block::Pair { left, right, style } => lay_pair(left, right, *style, face),
        Block::Row { cells, style } => lay_row(cells, *style, face),
        Block::Rule(rule) => vec![plain(rule_sign(*rule).repeat(face.columns))],
        Block::Feed(lines) => vec![LaidLine::Feed(*lines)],
        Block::Logo => vec![LaidLine::Logo],
        Block::Qr(text) => vec![LaidLine::Qr(text.clone())],
        Block::Barcode(text) => vec![LaidLine::Barcode(text.clone())],
        Block::Frame { caption, lines } => lay_frame(caption, *lines, face),
        Block::Cut => vec![LaidLine::Cut],
    }
}

fn lay_text(text: &str, align: Align, style: Style, face: &Face) -> Vec<LaidLine> {
    let set = Setter::new(style, face);
    text.split('\n')
        .flat_map(|line| set.wrap(&(face.clean)(line), face.columns))
        .map(|line| set.line(vec![set.aligned(line, align, 0, face.columns)]))
        .collect()
}

fn lay_pair(left: &str, right: &str, style: Style, face: &Face) -> Vec<LaidLine> {
    let set = Setter::new(style, face);
    let lefts = set.wrap(&(face.clean)(left), face.columns);
    let rights = set.wrap(&(face.clean)(right), face.columns);
    let share = lefts.last().zip(rights.first()).is_some_and(|(left, right)| {
        let gap = usize::from(!left.is_empty() && !right.is_empty());
        set.width(left) + gap + set.width(right) <= face.columns
    });
    let mut lines: Vec<Vec<Piece>> =
        lefts.into_iter().map(|text| vec![Piece { at: 0, text }]).collect();
    let mut rights =
        rights.into_iter().map(|text| set.aligned(text, Align::Right, 0, face.columns));
    if share && let (Some(line), Some(right)) = (lines.last_mut(), rights.next()) {
        line.push(right);
    }
    lines.extend(rights.map(|right| vec![right]));
    lines.into_iter().map(|pieces| set.line(pieces)).collect()
}

fn lay_row(cells: &[Cell], style: Style, face: &Face) -> Vec<LaidLine> {
    let set = Setter::new(style, face);
    let most = face.columns / (NARROWEST_CELL * set.scale);
    cells.chunks(most.max(1)).flat_map(|cells| set.row(cells)).collect()
}

fn lay_frame(caption: &str, lines: u8, face: &Face) -> Vec<LaidLine> {
    let set = Setter::new(Style::PLAIN, face);
    let caption = (face.clean)(caption);
    let inner = set.width(&caption).max(BOX_COLUMNS).min(face.columns - 2);
    let left = (face.columns - 2 - inner) / 2;
    let edge = format!("+{}+", "-".repeat(inner));
    let mut body: Vec<String> = set.wrap(&caption, inner);
    body.resize(body.len().max(usize::from(lines)), String::new());
    let row = |text: String| {
        let inside = set.aligned(text, Align::Center, left + 1, inner);
        set.line(vec![bar(left), inside, bar(left + 1 + inner)])
    };
    let border = || set.line(vec![Piece { at: left, text: edge.clone() }]);
    std::iter::once(border()).chain(body.into_iter().map(row)).chain([border()]).collect()
}

fn bar(at: usize) -> Piece {
    Piece { at, text: "|".into() }
}

fn rule_sign(rule: Rule) -> &'static str {
    match rule {
        Rule::Thin => "-",
        Rule::Double => "=",
    }
}

fn plain(text: String) -> LaidLine {
    LaidLine::Text(vec![Span { text, style: Style::PLAIN }])
}

/// A piece of text and the column where it begins.
struct Piece {
    at: usize,
    text: String,
}

/// Sets lines of one style.
struct Setter<'a> {
    style: Style,
    face: &'a Face<'a>,
    /// Columns a one-column letter takes: 2 when double wide.
    scale: usize,
}

impl<'a> Setter<'a> {
    fn new(style: Style, face: &'a Face<'a>) -> Self {
        let wide = style.wide && face.wide == Wide::Shown;
        Self { style: Style { wide, ..style }, face, scale: 1 + usize::from(wide) }
    }

    fn width(&self, text: &str) -> usize {
        text.chars().map(|c| self.char_width(c)).sum()
    }

    fn char_width(&self, c: char) -> usize {
        (self.face.measure)(c) * self.scale
    }

    /// Breaks at `room` columns; an empty text is one empty line. A word or a number of half-width
    /// signs stays whole where a line can hold it, and no line but the first begins with a space.
    fn wrap(&self, text: &str, room: usize) -> Vec<String> {
        let mut lines = vec![String::new()];
        let mut used = 0;
        for word in words(text) {
            let width = self.width(word);
            if used + width > room && width <= room {
                let line = lines.last_mut().expect("there is always a line");
                // An indent alone is no line: the word is broken behind it.
                if !line.trim_end().is_empty() {
                    line.truncate(line.trim_end().len());
                    lines.push(String::new());
                    used = 0;
                }
            }
            if used == 0 && lines.len() > 1 && matches!(word, " " | "\u{3000}") {
                continue;
            }
            for c in word.chars() {
                let width = self.char_width(c);
                if used + width > room && used > 0 {
                    lines.push(String::new());
                    used = 0;
                }
                if let Some(line) = lines.last_mut() {
                    line.push(c);
                }
                used += width;
            }
        }
        lines
    }

    fn aligned(&self, text: String, align: Align, from: usize, room: usize) -> Piece {
        let free = room.saturating_sub(self.width(&text));
        let skip = match align {
            Align::Left => 0,
            Align::Center => free / 2,
            Align::Right => free,
        };
        Piece { at: from + skip, text }
    }

    fn line(&self, pieces: Vec<Piece>) -> LaidLine {
        let mut spans = Vec::with_capacity(pieces.len() * 2);
        let mut column = 0;
        for Piece { at, text } in pieces.into_iter().filter(|piece| !piece.text.is_empty()) {
            if at > column {
                spans.push(Span { text: " ".repeat(at - column), style: self.gap_style(column) });
            }
            column = at.max(column) + self.width(&text);
            spans.push(Span { text, style: self.style });
        }
        LaidLine::Text(spans)
    }

    /// An indent is plain; a gap inside a line keeps its underline and reverse, never its width.
    fn gap_style(&self, column: usize) -> Style {
        if column == 0 { Style::PLAIN } else { Style { wide: false, ..self.style } }
    }

    fn row(&self, cells: &[Cell]) -> Vec<LaidLine> {
        let widths = cell_widths(cells, self.face.columns, NARROWEST_CELL * self.scale);
        let starts = widths.iter().scan(0, |at, width| {
            let start = *at;
            *at += width;
            Some(start)
        });
        let columns: Vec<Vec<Piece>> = cells
            .iter()
            .zip(starts.zip(&widths))
            .enumerate()
            .map(|(at, (cell, (start, &width)))| {
                let gap = usize::from(at + 1 < cells.len() && width > NARROWEST_CELL * self.scale);
                self.cell(cell, start, width - gap)
            })
            .collect();
        side_by_side(columns).into_iter().map(|pieces| self.line(pieces)).collect()
    }

    fn cell(&self, cell: &Cell, start: usize, room: usize) -> Vec<Piece> {
        let lines = self.wrap(&(self.face.clean)(&cell.text), room);
        lines.into_iter().map(|line| self.aligned(line, cell.align, start, room)).collect()
    }
}

/// Cuts a text where a line may end: around each wide letter and each space, and between a wide
/// letter and a word of half-width signs.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = if holds_together(first) {
            rest.find(|c| !holds_together(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

/// Letters, digits and signs of a half-width word or number; half-width kana with its marks.
fn holds_together(c: char) -> bool {
    c.is_ascii_graphic() || matches!(c, '¥' | '\u{ff61}'..='\u{ff9f}')
}

/// Shares `columns` by percent; no cell is narrower than `narrowest`, and their sum never wider
/// than the paper.
fn cell_widths(cells: &[Cell], columns: usize, narrowest: usize) -> Vec<usize> {
    let mut percent = 0;
    let mut edge = 0;
    let mut widths: Vec<usize> = cells
        .iter()
        .map(|cell| {
            percent += usize::from(cell.percent);
            let next = columns * percent.min(100) / 100;
            let width = next - edge;
            edge = next;
            width.max(narrowest)
        })
        .collect();
    while widths.iter().sum::<usize>() > columns
        && let Some(widest) = widths.iter_mut().max()
        && *widest > narrowest
    {
        *widest -= 1;
    }
    widths
}

fn side_by_side(columns: Vec<Vec<Piece>>) -> Vec<Vec<Piece>> {
    let height = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut rows: Vec<Vec<Piece>> = (0..height).map(|_| Vec::new()).collect();
    for column in columns {
        for (row, piece) in rows.iter_mut().zip(column) {
            row.push(piece);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::cp932;

    fn face(columns: usize) -> Face<'static> {
        Face { columns, clean: &str::to_owned, measure: cp932::columns, wide: Wide::Shown }
    }

    fn texts(document: &Document, columns: usize) -> Vec<String> {
        let line = |line: LaidLine| match line {
            LaidLine::Text(spans) => spans.into_iter().map(|span| span.text).collect(),
            other => format!("{other:?}"),
        };
        lay_out(document, &face(columns)).into_iter().map(line).collect()
    }

    fn pair(left: &str, right: &str) -> Document {
        let mut document = Document::default();
        document.pair(left, right);
        document
    }

    #[test]
    fn a_pair_fills_the_line_or_wraps_its_left_part() {
        for (left, right, columns, want) in [
            ("牛乳 1L ※", "¥496", 24, vec!["牛乳 1L ※          ¥496"]),
            ("", "¥1", 24, vec!["                      ¥1"]),
            ("合計", "", 24, vec!["合計"]),
            (
                "abcdefghijklmnopqrst",
                "¥123",
                24,
                vec!["abcdefghijklmnopqrst", "                    ¥123"],
            ),
            (
                "あいうえおかきくけこさしすせそ",
                "¥5",
                24,
                vec!["あいうえおかきくけこさし", "すせそ                ¥5"],
            ),
        ] {
            assert_eq!(texts(&pair(left, right), columns), want, "{left}");
        }
    }

    #[test]
    fn a_wide_character_is_never_cut_at_the_edge() {
        let mut document = Document::default();
        document.text(format!("a{}", "漢".repeat(12)));
        assert_eq!(texts(&document, 24), [format!("a{}", "漢".repeat(11)), "漢".into()]);
    }

    #[test]
    fn a_word_or_a_number_is_not_cut_where_a_line_ends() {
        for (text, want) in [
            ("  (8%対象 -1,946 / 10%対象 -74)", vec!["  (8%対象 -1,946 / 10%対", "象 -74)"]),
            ("  (8%対象 -946 / 10%対象 -1,074)", vec!["  (8%対象 -946 / 10%対象", "-1,074)"]),
            ("creme brulee with facade", vec!["creme brulee with facade"]),
            ("creme brulee with a facade", vec!["creme brulee with a", "facade"]),
            ("creme brulee with the two facades", vec!["creme brulee with the", "two facades"]),
            ("  abcdefghijklmnopqrstuvwx", vec!["  abcdefghijklmnopqrstuv", "wx"]),
            ("ドングリｺﾛｺﾛﾄﾞﾝｸﾞﾘｺﾛｺﾛﾄﾞﾝ", vec!["ドングリ", "ｺﾛｺﾛﾄﾞﾝｸﾞﾘｺﾛｺﾛﾄﾞﾝ"]),
            ("0123456789012345678901234567", vec!["012345678901234567890123", "4567"]),
        ] {
            let mut document = Document::default();
            document.text(text);
            assert_eq!(texts(&document, 24), want, "{text}");
        }
    }

    #[test]
    fn alignment_counts_double_width_twice() {
        let big = |align| {
            let mut document = Document::default();
            document.styled("合計", align, Style::BIG);
            texts(&document, 35)
        };
        assert_eq!(big(Align::Right), [format!("{}合計", " ".repeat(27))]);
        assert_eq!(big(Align::Center), [format!("{}合計", " ".repeat(13))]);
    }

    #[test]
    fn a_row_keeps_its_cells_in_their_columns() {
        let cell = |text: &str, percent, align| Cell { text: text.into(), percent, align };
        let mut document = Document::default();
        document.push(Block::Row {
            cells: vec![
                cell("とても長い商品名", 50, Align::Left),
                cell("2", 20, Align::Right),
                cell("¥496", 30, Align::Right),
            ],
            style: Style::PLAIN,
        });
        assert_eq!(texts(&document, 24), ["とても長い    2     ¥496", "商品名"]);
    }

    #[test]
    fn a_frame_holds_its_caption_and_lines() {
        let mut document = Document::default();
        document.push(Block::Frame { caption: "収入印紙".into(), lines: 2 });
        assert_eq!(
            texts(&document, 24),
            [
                "   +----------------+",
                "   |    収入印紙    |",
                "   |                |",
                "   +----------------+"
            ]
        );
    }

    #[test]
    fn no_line_is_wider_than_the_paper_whatever_is_asked() {
        let cells = |n: u8| {
            (0..n)
                .map(|at| Cell {
                    text: "漢字ab".repeat(usize::from(at % 5)),
                    percent: 97,
                    align: Align::Right,
                })
                .collect::<Vec<_>>()
        };
        for columns in 24..=64 {
            for wide in [false, true] {
                let style = Style { wide, ..Style::PLAIN };
                let mut document = Document::default();
                document.styled("長い文".repeat(30), Align::Center, style);
                document.pair_styled("長い文a".repeat(9), "9".repeat(70), style);
                for n in 0..40 {
                    document.push(Block::Row { cells: cells(n), style });
                }
                document.push(Block::Frame { caption: "長い".repeat(40), lines: 1 });
                for line in lay_out(&document, &face(columns)) {
                    let LaidLine::Text(spans) = line else { panic!("only lines were laid") };
                    let width: usize = spans
                        .iter()
                        .map(|span| {
                            let scale = if span.style.wide { 2 } else { 1 };
                            span.text.chars().map(cp932::columns).sum::<usize>() * scale
                        })
                        .sum();
                    assert!(width <= columns, "{width} > {columns}: {spans:?}");
                }
            }
        }
    }
}
