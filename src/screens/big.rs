//! Large digits, three rows high, of plain ASCII: one cell everywhere, and cheap to redraw.
//!
//! Room: screens. May touch: the canvas it is handed.

use ratatui::style::Style;

use super::canvas::Canvas;

/// Rows a large number takes.
pub const ROWS: u16 = 3;

/// Seven segments of each digit, as a register's display has them.
const DIGITS: [[&str; 3]; 10] = [
    [" _ ", "| |", "|_|"],
    ["   ", "  |", "  |"],
    [" _ ", " _|", "|_ "],
    [" _ ", " _|", " _|"],
    ["   ", "|_|", "  |"],
    [" _ ", "|_ ", " _|"],
    [" _ ", "|_ ", "|_|"],
    [" _ ", "  |", "  |"],
    [" _ ", "|_|", "|_|"],
    [" _ ", "|_|", " _|"],
];

fn glyph(sign: char) -> [&'static str; 3] {
    match sign {
        '0'..='9' => DIGITS[sign as usize - '0' as usize],
        '-' => ["  ", "__", "  "],
        ',' => [" ", " ", ","],
        '.' => [" ", " ", "."],
        '%' => [" ", " ", "%"],
        _ => [" ", " ", " "],
    }
}

/// Returns the three rows of a number.
pub fn rows(number: &str) -> [String; 3] {
    let mut rows = [const { String::new() }; 3];
    for sign in number.chars() {
        for (row, part) in rows.iter_mut().zip(glyph(sign)) {
            row.push_str(part);
        }
    }
    rows
}

/// Writes a number large from the left, or on one row when it is too long to be large.
pub fn left(canvas: &mut Canvas<'_>, y: u16, number: &str, style: Style) {
    let width = canvas.width();
    let rows = rows(number);
    if rows[0].len() > usize::from(width) {
        let from = number.len().saturating_sub(usize::from(width));
        canvas.text(0, y + ROWS - 1, width, &number[from..], style);
        return;
    }
    for (place, row) in (0u16..).zip(&rows) {
        canvas.text(0, y + place, width, row, style);
    }
}

/// Writes a number large to the right, or on one row when it is too long to be large.
pub fn right(canvas: &mut Canvas<'_>, y: u16, number: &str, style: Style) {
    let width = canvas.width();
    let rows = rows(number);
    if rows[0].len() > usize::from(width) {
        canvas.right(0, y + ROWS - 1, width, number, style);
        return;
    }
    for (place, row) in (0u16..).zip(&rows) {
        canvas.right(0, y + place, width, row, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_told_apart_and_are_of_one_size() {
        for (digit, rows) in DIGITS.iter().enumerate() {
            assert!(rows.iter().all(|row| row.len() == 3), "{digit}");
            let same = DIGITS.iter().filter(|other| *other == rows).count();
            assert_eq!(same, 1, "{digit}");
        }
    }

    #[test]
    fn a_number_stands_as_on_a_display() {
        assert_eq!(rows("1,234").join("\n"), "     _  _    \n  |  _| _||_|\n  |,|_  _|  |");
    }
}
