//! The customer's display: two rows of twenty, in half-width katakana (DM-D and its kin).
//!
//! Room: devices. May touch: std. May not: decide what is shown.
//! Invariant: a row is exactly twenty columns, so nothing of the last customer stays behind.

pub mod thread;

pub use thread::{DisplayHandle, start};

use super::cp932::{Repertoire, encode, printable};

/// Columns of a row.
pub const COLUMNS: usize = 20;

/// What stands on the display.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    pub top: Row,
    pub bottom: Row,
}

/// One row: a name on the left, an amount on the right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    pub left: String,
    pub right: String,
}

impl Row {
    pub fn new(left: impl Into<String>, right: impl Into<String>) -> Self {
        Self { left: left.into(), right: right.into() }
    }

    /// Returns the row as twenty columns of half-width kana; the right part is never cut for the
    /// left.
    pub fn text(&self) -> String {
        let right: String = half_width(&self.right).chars().take(COLUMNS).collect();
        let room = COLUMNS - right.chars().count();
        let gap = usize::from(!right.is_empty());
        let left: String = half_width(&self.left).chars().take(room.saturating_sub(gap)).collect();
        format!("{left:<room$}{right}")
    }
}

fn half_width(text: &str) -> String {
    printable(text, Repertoire::Kana).text
}

/// Returns the bytes that wake a display: initialised, katakana page, `¥` at 5C, overwriting, no
/// cursor, empty.
pub fn wake() -> Vec<u8> {
    [&[0x1b, b'@'], &MANNER[..], &[0x0c]].concat()
}

/// What a display must be told again with each picture, for one that was switched off and on has
/// forgotten it: katakana page, `¥` at 5C, overwriting, no cursor.
pub const MANNER: [u8; 11] = [0x1b, b't', 1, 0x1b, b'R', 8, 0x1f, 1, 0x1f, b'C', 0];

/// Returns the bytes that show `rows`, over whatever stands there.
pub fn show(rows: &Rows) -> Vec<u8> {
    [(1, &rows.top), (2, &rows.bottom)]
        .into_iter()
        .flat_map(|(y, row)| {
            let mut bytes = vec![0x1f, b'$', 1, y];
            bytes.extend(encode(&row.text(), Repertoire::Kana).bytes);
            bytes
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_shown_in_katakana_on_the_second_row() {
        let rows = Rows { top: Row::default(), bottom: Row::new("ゴウケイ", "¥1,957") };
        let bytes = show(&rows);
        let second = &bytes[4 + COLUMNS..];
        assert_eq!(second[..9], [0x1f, 0x24, 1, 2, 0xba, 0xde, 0xb3, 0xb9, 0xb2]); // EP-06
        assert_eq!(&second[second.len() - 6..], b"\x5c1,957");
        assert!(wake().windows(3).any(|bytes| bytes == [0x1b, 0x74, 1]));
    }

    #[test]
    fn every_row_fills_twenty_columns_whatever_is_asked() {
        for (left, right, want) in [
            ("", "", "                    "),
            ("ぎゅうにゅう", "¥248", "ｷﾞｭｳﾆｭｳ         ¥248"),
            ("とてもながいしょうひんめいです", "¥12,345", "ﾄﾃﾓﾅｶﾞｲｼｮｳﾋﾝ ¥12,345"),
            ("", "1234567890123456789012345", "12345678901234567890"),
            ("A\u{1b}\u{c}B", "", "A?B                 "),
        ] {
            assert_eq!(Row::new(left, right).text(), want, "{left}");
        }
    }

    #[test]
    fn no_text_can_command_the_display() {
        let nasty: String = (0..0x20).map(char::from).chain("\u{7f}\u{9b}".chars()).collect();
        let bytes = show(&Rows { top: Row::new(&nasty, &nasty), bottom: Row::default() });
        assert_eq!(bytes.iter().filter(|&&byte| byte < 0x20).count(), 2 * 3);
        assert_eq!(bytes.len(), 2 * (4 + COLUMNS));
    }
}
