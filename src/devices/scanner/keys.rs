//! Key positions and the characters two keyboards give them.
//!
//! Room: devices. May touch: nothing. May not: devices.
//! A scanner types positions (Linux key codes, `input-event-codes.h`); what a position means
//! depends on the keyboard the scanner was set to imitate, US from the factory.

use serde::{Deserialize, Serialize};

pub const ENTER: u16 = 28;
pub const KEYPAD_ENTER: u16 = 96;
pub const TAB: u16 = 15;
pub const LEFT_SHIFT: u16 = 42;
pub const RIGHT_SHIFT: u16 = 54;

/// The keyboard a scanner imitates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    #[default]
    Us,
    Jis,
}

/// A row of keys: its first code, and what the keys give without and with shift. A space in the
/// shifted row is a key that gives nothing.
type Row = (u16, &'static str, &'static str);

/// Rows that are alike on both keyboards.
const LETTERS: [Row; 3] = [
    (16, "qwertyuiop", "QWERTYUIOP"),
    (30, "asdfghjkl", "ASDFGHJKL"),
    (44, "zxcvbnm,./", "ZXCVBNM<>?"),
];
/// The number pad, the same with shift.
const KEYPAD: [Row; 4] =
    [(55, "*", "*"), (71, "789-456+1230.", "789-456+1230."), (98, "/", "/"), (117, "=", "=")];
const US: [Row; 6] = [
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (26, "[]", "{}"),
    (39, ";'`", ":\"~"),
    (43, "\\", "|"),
    (86, "\\", "|"),
    (121, ",", ","),
];
const JIS: [Row; 6] = [
    (2, "1234567890-^", "!\"#$%&'() =~"),
    (26, "@[", "`{"),
    (39, ";:", "+*"),
    (43, "]", "}"),
    (89, "\\", "_"),
    (124, "\\", "|"),
];
const SPACE_BAR: u16 = 57;

/// Returns what the key at `code` types, or `None` for a key that types nothing.
pub fn character(layout: Layout, code: u16, shifted: bool) -> Option<char> {
    if code == SPACE_BAR {
        return Some(' ');
    }
    let signs = match layout {
        Layout::Us => &US,
        Layout::Jis => &JIS,
    };
    let rows = LETTERS.iter().chain(&KEYPAD).chain(signs);
    rows.filter_map(|&(first, plain, with_shift)| {
        let at = usize::from(code.checked_sub(first)?);
        let row = if shifted { with_shift } else { plain };
        row.chars().nth(at)
    })
    .find(|&c| c != ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_give_what_each_keyboard_prints_on_them() {
        for (code, us, us_shift, jis, jis_shift) in [
            (2, '1', Some('!'), '1', Some('!')),
            (3, '2', Some('@'), '2', Some('"')),
            (11, '0', Some(')'), '0', None),
            (12, '-', Some('_'), '-', Some('=')),
            (13, '=', Some('+'), '^', Some('~')),
            (26, '[', Some('{'), '@', Some('`')),
            (39, ';', Some(':'), ';', Some('+')),
            (40, '\'', Some('"'), ':', Some('*')),
            (16, 'q', Some('Q'), 'q', Some('Q')),
            (50, 'm', Some('M'), 'm', Some('M')),
            (53, '/', Some('?'), '/', Some('?')),
            (57, ' ', Some(' '), ' ', Some(' ')),
            (82, '0', Some('0'), '0', Some('0')),
            (75, '4', Some('4'), '4', Some('4')),
        ] {
            assert_eq!(character(Layout::Us, code, false), Some(us), "{code}");
            assert_eq!(character(Layout::Us, code, true), us_shift, "{code}");
            assert_eq!(character(Layout::Jis, code, false), Some(jis), "{code}");
            assert_eq!(character(Layout::Jis, code, true), jis_shift, "{code}");
        }
    }

    #[test]
    fn keys_that_command_type_nothing() {
        for code in [0, 1, 14, ENTER, 29, LEFT_SHIFT, 56, 58, 59, 88, 99, 100, 125, 600] {
            for layout in [Layout::Us, Layout::Jis] {
                assert_eq!(character(layout, code, false), None, "{code}");
            }
        }
    }
}
