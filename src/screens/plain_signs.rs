//! Text for a terminal that draws no kanji: kana as romaji in the very cells they had.
//!
//! Room: screens. May touch: the cells. May not: move anything.
//! Invariant: every cell is ASCII afterwards, and columns stand where they stood.

use ratatui::buffer::{Buffer, Cell};
use unicode_normalization::UnicodeNormalization;
use unicode_width::UnicodeWidthStr;

/// Katakana from ァ to ヺ in the order of Unicode, in two letters or fewer.
const KANA: &str = "a a i i u u e e o o ka ga ki gi ku gu ke ge ko go sa za si zi su zu se ze so zo ta da \
    ti di ' tu du te de to do na ni nu ne no ha ba pa hi bi pi hu bu pu he be pe ho bo po ma mi mu me mo \
    ya ya yu yu yo yo ra ri ru re ro wa wa wi we wo n vu ka ke va vi ve vo";

/// Puts every cell in plain signs.
pub fn put(cells: &mut Buffer) {
    let width = usize::from(cells.area.width);
    for row in cells.content.chunks_mut(width.max(1)) {
        for x in 0..row.len() {
            if !row[x].symbol().is_ascii() {
                put_cell(&mut row[x..]);
            }
        }
    }
}

/// Whether a text keeps its meaning in plain signs: no question mark stands for a sign of it.
pub fn can_say(text: &str) -> bool {
    text.chars().all(|sign| sign == '?' || !plain(&sign.to_string(), 1).contains('?'))
}

/// Puts the first of these cells, and the second where the sign was wide, in plain signs.
fn put_cell(cells: &mut [Cell]) {
    let taken = cells[0].symbol().width().clamp(1, cells.len());
    let letters = plain(cells[0].symbol(), taken);
    let style = cells[0].style();
    for (cell, letter) in cells.iter_mut().zip(letters.chars()) {
        cell.set_char(letter).set_style(style);
    }
}

/// Returns a sign in as many letters as it had cells; what has no letters is question marks.
fn plain(sign: &str, cells: usize) -> String {
    let first = sign.nfkc().next().unwrap_or('?');
    let letters = match first {
        'ぁ'..='ゖ' => kana(first as usize - 'ぁ' as usize),
        'ァ'..='ヺ' => kana(first as usize - 'ァ' as usize),
        'ー' | '―' | '—' | '−' => Some("-"),
        '、' => Some(","),
        '。' | '・' => Some("."),
        '「' | '『' | '【' => Some("["),
        '」' | '』' | '】' => Some("]"),
        '〜' => Some("~"),
        '※' | '★' => Some("*"),
        '¥' => Some("Y"),
        _ => None,
    };
    let letters = match letters {
        Some(letters) => letters.to_owned(),
        None if first.is_ascii() => first.to_string(),
        None => "?".repeat(cells),
    };
    format!("{letters:cells$}").chars().take(cells).collect()
}

fn kana(place: usize) -> Option<&'static str> {
    KANA.split_ascii_whitespace().nth(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_keeps_its_cells() {
        for (sign, want) in [
            ("か", "ka"),
            ("ン", "n "),
            ("ッ", "' "),
            ("ヴ", "vu"),
            ("ヶ", "ke"),
            ("ぽ", "po"),
            ("ﾊ", "h"),
            ("漢", "??"),
            ("Ａ", "A "),
            ("※", "*"),
            ("―", "-"),
            ("。", ". "),
        ] {
            assert_eq!(plain(sign, sign.width()), want, "{sign}");
        }
    }
}
