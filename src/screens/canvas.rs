//! Text on cells: fitted, aligned, and never of a doubtful width.
//!
//! Room: screens. May touch: the cell buffer. May not: terminal.
//! Invariant: every text that reaches a cell passes `shown`, so a row is as wide as it was laid out.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::text::{cleaned, screen_text};

/// Signs that terminals draw in one cell or in two, as they please, and what stands for them.
const DOUBTFUL: &[(char, &str)] = &[
    ('※', "*"),
    ('★', "*"),
    ('☆', "*"),
    ('●', "*"),
    ('○', "o"),
    ('◎', "o"),
    ('×', "x"),
    ('÷', "/"),
    ('±', "+-"),
    ('°', "deg"),
    ('℃', "C"),
    ('→', "->"),
    ('←', "<-"),
    ('…', "..."),
    ('‥', ".."),
    ('─', "-"),
    ('━', "="),
    ('│', "|"),
    ('’', "'"),
    ('‘', "'"),
    ('“', "\""),
    ('”', "\""),
    ('■', "#"),
    ('□', "#"),
    ('▲', "^"),
    ('▼', "v"),
    ('№', "No."),
];

/// Whether a sign is shown as it is, alone in its cell or two: by far the most are.
fn is_plain_wide(sign: char) -> bool {
    matches!(sign,
        '\u{3001}'..='\u{3002}' | '\u{300C}'..='\u{300D}'
        | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FE}'
        | '\u{4E00}'..='\u{9FFF}')
}

/// Returns the cells of a text that is shown as it is; `None` when it has to be looked at.
fn plain_cells(text: &str) -> Option<u16> {
    text.chars().try_fold(0_u16, |cells, sign| match sign {
        ' '..='~' => cells.checked_add(1),
        sign if is_plain_wide(sign) => cells.checked_add(2),
        _ => None,
    })
}

/// Returns the cells a text takes once it is `shown`.
fn shown_width(text: &str) -> u16 {
    plain_cells(text).unwrap_or_else(|| width(&shown(text)))
}

/// Returns the text as a screen may show it: cleaned, half-width kana joined and widened, and signs
/// of doubtful width replaced.
pub fn shown(text: &str) -> String {
    if plain_cells(text).is_some() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for sign in screen_text(&cleaned(text)).chars() {
        match plain(sign) {
            Some(instead) => out.push_str(&instead),
            None => out.push(sign),
        }
    }
    out
}

fn plain(sign: char) -> Option<String> {
    if sign.is_ascii() || sign.width() == sign.width_cjk() {
        return None;
    }
    if let Some((_, instead)) = DOUBTFUL.iter().find(|(known, _)| *known == sign) {
        return Some((*instead).to_owned());
    }
    Some(circled(sign).unwrap_or_else(|| "?".to_owned()))
}

/// ① … ⑳ as their number.
fn circled(sign: char) -> Option<String> {
    let number = (sign as u32).checked_sub('①' as u32)? + 1;
    (number <= 20).then(|| format!("({number})"))
}

/// Returns the cells a shown text takes.
pub fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// Returns as much of a shown text as fits; what was cut off is marked by `..`.
pub fn fit(text: &str, cells: u16) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let room = cells.saturating_sub(2);
    let mut out = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        used += width(cluster);
        if used > room {
            break;
        }
        out.push_str(cluster);
    }
    out.push_str(&".."[..usize::from(cells.min(2))]);
    out
}

/// Returns a text broken into rows of `cells`; words stay whole when they can.
pub fn wrap(text: &str, cells: u16) -> Vec<String> {
    let mut rows = vec![String::new()];
    for piece in text.split_word_bounds() {
        let row = rows.last_mut().expect("there is always a row");
        if width(row) + width(piece) <= cells {
            row.push_str(piece);
        } else if width(piece) <= cells {
            let kept_with = if ends_a_phrase(piece) || row.ends_with(['(', '（', '「']) {
                take_last_word(row, cells - width(piece))
            } else {
                String::new()
            };
            rows.push((kept_with + piece).trim_start().to_owned());
        } else {
            wrap_long(&mut rows, piece, cells);
        }
    }
    rows
}

/// Signs that never begin a row, as an opening bracket never ends one.
fn ends_a_phrase(piece: &str) -> bool {
    piece.starts_with([',', '.', ':', ';', ')', '?', '!', '、', '。', '」', '）', 'ー'])
}

/// Takes the last word off a row of several, unless it is wider than `most`.
fn take_last_word(row: &mut String, most: u16) -> String {
    match row.split_word_bound_indices().next_back() {
        Some((at, word)) if at > 0 && width(word) <= most => {
            let word = row.split_off(at);
            row.truncate(row.trim_end().len());
            word
        }
        _ => String::new(),
    }
}

fn wrap_long(rows: &mut Vec<String>, piece: &str, cells: u16) {
    for cluster in piece.graphemes(true) {
        let row = rows.last_mut().expect("there is always a row");
        if width(row) + width(cluster) <= cells {
            row.push_str(cluster);
        } else {
            rows.push(cluster.to_owned());
        }
    }
}

/// A rectangle of cells to write on. Places count from its own upper left corner; what falls
/// outside is left out.
pub struct Canvas<'a> {
    cells: &'a mut Buffer,
    area: Rect,
}

impl<'a> Canvas<'a> {
    pub fn new(cells: &'a mut Buffer, area: Rect) -> Self {
        let area = area.intersection(cells.area);
        Self { cells, area }
    }

    pub fn width(&self) -> u16 {
        self.area.width
    }

    pub fn height(&self) -> u16 {
        self.area.height
    }

    /// Returns a part of this canvas as one of its own.
    pub fn part(&mut self, x: u16, y: u16, width: u16, height: u16) -> Canvas<'_> {
        let x = self.area.x.saturating_add(x);
        let y = self.area.y.saturating_add(y);
        let area = Rect { x, y, width, height }.intersection(self.area);
        Canvas { cells: self.cells, area }
    }

    /// Returns where a cell stands on the screen, for the cursor.
    pub fn at(&self, x: u16, y: u16) -> ratatui::layout::Position {
        let x = x.min(self.area.width.saturating_sub(1));
        (self.area.x + x, self.area.y + y.min(self.area.height.saturating_sub(1))).into()
    }

    /// Writes a text at a place, cut to `cells`. Returns the cells used.
    pub fn text(&mut self, x: u16, y: u16, cells: u16, text: &str, style: Style) -> u16 {
        if y >= self.area.height || x >= self.area.width {
            return 0;
        }
        let room = cells.min(self.area.width - x);
        if let Some(used) = plain_cells(text).filter(|used| *used <= room) {
            self.put_plain(x, y, text, style);
            return used;
        }
        let text = fit(&shown(text), room);
        self.cells.set_stringn(self.area.x + x, self.area.y + y, &text, usize::from(room), style);
        width(&text)
    }

    /// Writes plain signs that fit: what the cells would make of them anyway, in a fraction of the
    /// time, for a screen is full of them at every key.
    fn put_plain(&mut self, x: u16, y: u16, text: &str, style: Style) {
        let (mut x, y) = (self.area.x + x, self.area.y + y);
        for sign in text.chars() {
            self.cells[(x, y)].set_char(sign).set_style(style);
            x += 1;
            if !sign.is_ascii() {
                self.cells[(x, y)].reset();
                x += 1;
            }
        }
    }

    /// Writes a text so that it ends where `x + cells` begins.
    pub fn right(&mut self, x: u16, y: u16, cells: u16, text: &str, style: Style) {
        if let Some(used) = plain_cells(text).filter(|used| *used <= cells) {
            self.text(x + cells - used, y, used, text, style);
            return;
        }
        let text = fit(&shown(text), cells);
        let indent = cells.saturating_sub(width(&text));
        self.text(x + indent, y, cells - indent, &text, style);
    }

    pub fn center(&mut self, y: u16, text: &str, style: Style) {
        let text = fit(&shown(text), self.area.width);
        let indent = (self.area.width - width(&text)) / 2;
        self.text(indent, y, self.area.width - indent, &text, style);
    }

    /// Gives a whole row a style.
    pub fn bar(&mut self, y: u16, style: Style) {
        if y < self.area.height {
            let row = Rect { y: self.area.y + y, height: 1, ..self.area };
            self.cells.set_style(row, style);
        }
    }

    /// Gives cells that have none yet a style; the terminal's own needs no telling.
    pub fn ground(&mut self, style: Style) {
        let is_own = |colour: Option<Color>| colour.is_none_or(|colour| colour == Color::Reset);
        let is_bare = is_own(style.fg) && is_own(style.bg) && style.add_modifier.is_empty();
        if !is_bare {
            self.cells.set_style(self.area, style);
        }
    }

    /// Empties the canvas and gives it a style.
    pub fn clear(&mut self, style: Style) {
        for y in self.area.top()..self.area.bottom() {
            for x in self.area.left()..self.area.right() {
                self.cells[(x, y)].reset();
            }
        }
        self.cells.set_style(self.area, style);
    }

    /// Empties the wide signs that begin in a column: something is about to cover their right half,
    /// and a terminal would draw the whole sign over its edge.
    pub fn clear_wide(&mut self, x: u16) {
        for y in 0..self.area.height {
            let cell = &mut self.cells[(self.area.x + x, self.area.y + y)];
            if cell.symbol().width() > 1 {
                cell.set_symbol(" ");
            }
        }
    }

    /// Label left, value right, on one row.
    pub fn pair(&mut self, y: u16, label: &str, value: &str, style: Style) {
        let cells = self.width();
        let taken = shown_width(value);
        self.text(0, y, cells.saturating_sub(taken + 1), label, style);
        self.right(0, y, cells, value, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sign_of_doubtful_width_is_shown() {
        for (text, want) in [
            ("牛乳※", "牛乳*"),
            ("5×3", "5x3"),
            ("①番", "(1)番"),
            ("ﾎﾟﾃﾄﾁｯﾌﾟｽ", "ポテトチップス"),
            ("夏の♪", "夏の?"),
            ("a\u{1b}[2J", "a[2J"),
        ] {
            assert_eq!(shown(text), want);
            let certain = shown(text).chars().all(|sign| sign.width() == sign.width_cjk());
            assert!(certain, "{text}");
        }
    }

    #[test]
    fn a_plain_text_fills_the_cells_that_the_library_fills() {
        for text in ["", "total 1,980", "牛乳 1L", "ポテト「塩」、ー", "a牛b乳"] {
            let area = Rect::new(0, 0, 24, 1);
            let style = Style::new().bold();
            let (mut ours, mut theirs) = (Buffer::empty(area), Buffer::empty(area));
            for cells in [&mut ours, &mut theirs] {
                cells.set_string(0, 0, "北海道産特選北海道産特選", Style::new());
            }
            let used = Canvas::new(&mut ours, area).text(1, 0, 20, text, style);
            theirs.set_stringn(1, 0, text, 20, style);
            assert_eq!((ours, used), (theirs, width(text)), "{text}");
        }
        for sign in ('\u{1}'..='\u{FFFF}').filter(|sign| plain_cells(&sign.to_string()).is_some()) {
            let text = sign.to_string();
            assert_eq!(screen_text(&cleaned(&text)), text);
            assert_eq!(plain(sign), None);
            assert_eq!(plain_cells(&text), Some(width(&text)), "{sign}");
        }
    }

    #[test]
    fn a_cut_text_says_so_and_never_splits_a_wide_sign() {
        for (text, cells, want) in [
            ("牛乳 1L", 7, "牛乳 1L"),
            ("北海道牛乳", 7, "北海.."),
            ("北海道牛乳", 8, "北海道.."),
            ("abc", 2, ".."),
            ("abc", 0, ""),
        ] {
            assert_eq!(fit(text, cells), want);
        }
    }

    #[test]
    fn what_covers_half_a_wide_sign_takes_the_whole_sign_away() {
        let mut cells = Buffer::empty(Rect::new(0, 0, 6, 1));
        let mut canvas = Canvas::new(&mut cells, Rect::new(0, 0, 6, 1));
        canvas.text(0, 0, 6, "牛乳", Style::new());
        canvas.clear_wide(2);
        canvas.part(3, 0, 1, 1).text(0, 0, 1, "|", Style::new());
        let row: String = (0..6).map(|x| cells[(x, 0)].symbol()).collect();
        assert_eq!(row, "牛  |  ");
    }

    #[test]
    fn no_row_begins_where_a_phrase_ends_or_ends_where_one_begins() {
        for (text, want) in [
            ("the way sold, sent", vec!["the way", "sold, sent"]),
            ("順序は未送信、送信済", vec!["順序は未送", "信、送信済"]),
            ("twelveletter, so", vec!["twelveletter", ", so"]),
            ("消去します(残高116)", vec!["消去します", "(残高116)"]),
        ] {
            assert_eq!(wrap(text, 12), want, "{text}");
        }
    }

    #[test]
    fn wrapped_rows_hold_the_whole_text() {
        let rows = wrap("Count the drawer, then close the day", 12);
        assert!(rows.iter().all(|row| width(row) <= 12), "{rows:?}");
        let joined: String = rows.concat().split_whitespace().collect();
        assert_eq!(joined, "Countthedrawer,thenclosetheday");
        assert!(wrap("点検と精算をしてください", 10).iter().all(|row| width(row) <= 10));
    }
}
