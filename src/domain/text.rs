//! The one gate through which text from outside comes in: a name, a note, a file's cell.
//!
//! Room: domain. May touch: unicode-normalization. May not: clock, file, terminal, float.
//! Invariant: what leaves `clean` or `cleaned` holds no control, no direction mark and no
//! invisible character, and is in NFC. A drawer pulse hidden in a name dies here.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::code::check::luhn_holds;

/// Why a text is refused at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// A control, direction or invisible character: never typed, only smuggled or garbled.
    #[error("a character that cannot be shown")]
    Unprintable,
    #[error("longer than {max_chars} characters")]
    TooLong { max_chars: usize },
    /// Payment card numbers may not rest on a shop's own machine (non-retention rule).
    #[error("looks like a payment card number")]
    CardNumber,
}

/// Returns the text in NFC, trimmed, or why it is refused. Counts characters after cleaning.
///
/// Ideographic variation selectors are dropped in silence: input methods insert them, nobody sees
/// them, no receipt printer has them.
pub fn clean(text: &str, max_chars: usize) -> Result<String, TextFault> {
    // A flood is refused before it is normalised: one character is at most 4 bytes, and 8 of them
    // may still compose to one.
    if text.len() > max_chars.saturating_mul(32) {
        return Err(TextFault::TooLong { max_chars });
    }
    // Nearly every text is made of these, and a million members have many.
    let composed = if text.chars().all(is_plain) {
        Cow::Borrowed(text)
    } else if text.chars().any(is_unprintable) {
        return Err(TextFault::Unprintable);
    } else {
        composed(text)
    };
    let kept = trimmed(&composed);
    if kept.len() > max_chars && kept.chars().nth(max_chars).is_some() {
        return Err(TextFault::TooLong { max_chars });
    }
    Ok(kept.to_owned())
}

/// Returns as much of a text's beginning as `max_bytes` hold, in whole signs.
pub fn beginning(text: &str, max_bytes: usize) -> &str {
    let mut end = text.len().min(max_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Returns what `str::trim` does. The first and the last bytes of most texts say at once that there is
/// nothing to trim: Latin, kana and kanji are three or four comparisons.
pub fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [b'!'..=b'~', ..] | [0xE3, 0x81..=0xBF, ..] | [0xE4..=0xE9, ..] => {}
        _ => return text.trim(),
    }
    match text.as_bytes() {
        [.., b'!'..=b'~'] | [.., 0xE3, 0x81..=0xBF, _] | [.., 0xE4..=0xE9, _, _] => text,
        _ => text.trim(),
    }
}

/// Returns the text of a free field (name, note, reason): `clean`, and no payment card number.
pub fn clean_free(text: &str, max_chars: usize) -> Result<String, TextFault> {
    let kept = clean(text, max_chars)?;
    if holds_card_number(&kept) { Err(TextFault::CardNumber) } else { Ok(kept) }
}

/// Returns what is left when everything unprintable is taken away; for what must be shown anyway
/// (an old record, a printer's answer, a file name).
pub fn cleaned(text: &str) -> String {
    let kept: String = text.chars().filter(|&sign| !is_unprintable(sign)).collect();
    composed(&kept).into_owned()
}

fn composed(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_composed) {
        return text.into();
    }
    text.chars().filter(|&sign| !is_variation_selector(sign)).nfc().collect()
}

/// Returns whether a character can be seen, and composing leaves it and its neighbours alone.
const fn is_plain(sign: char) -> bool {
    matches!(sign, ' '..='~' | '\u{3000}' | 'ぁ'..='ゖ' | 'ァ'..='ヿ' | '一'..='\u{9FFF}')
}

/// Returns whether a character can do harm or cannot be seen: C0, C1, DEL, bidi marks, zero-width
/// characters, line and paragraph separators, tags, noncharacters.
pub fn is_unprintable(sign: char) -> bool {
    matches!(sign,
        '\u{00}'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{AD}'
        | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}' | '\u{FDD0}'..='\u{FDEF}'
        | '\u{E0000}'..='\u{E007F}')
        || (sign as u32) & 0xFFFE == 0xFFFE
}

/// Returns whether composing leaves a character alone, and its neighbours too: Latin, kana, kanji and
/// their signs, wide and half-width ones.
const fn is_composed(sign: char) -> bool {
    matches!(sign,
        '\0'..='\u{2FF}' | '\u{3000}'..='\u{3029}' | 'ぁ'..='ゖ' | 'ァ'..='ヿ' | '一'..='\u{9FFF}'
        | '！'..='～' | '｡'..='ﾟ')
}

fn is_variation_selector(sign: char) -> bool {
    matches!(sign, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Returns the text with half-width katakana made full width, dakuten joined, the rest untouched.
///
/// Terminals and the drawing library disagree about the width of half-width dakuten; full width
/// is two cells everywhere.
pub fn screen_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for sign in text.chars() {
        if is_halfwidth_kana(sign) {
            run.push(sign);
            continue;
        }
        fold_run(&mut run, &mut out);
        out.push(sign);
    }
    fold_run(&mut run, &mut out);
    out
}

fn is_halfwidth_kana(sign: char) -> bool {
    matches!(sign, '\u{FF61}'..='\u{FF9F}')
}

/// A mark with no letter to join stands for itself; a combining one would sit on its neighbour.
fn fold_run(run: &mut String, out: &mut String) {
    out.extend(run.nfkc().map(|sign| match sign {
        '\u{3099}' => '゛',
        '\u{309A}' => '゜',
        _ => sign,
    }));
    run.clear();
}

/// Returns a number field with full-width digits, letters and signs as ASCII; for codes, phones
/// and amounts, not for names (a long-vowel mark becomes a hyphen).
pub fn halfwidth_digits(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { text.into() } else { text.chars().map(halfwidth).collect() }
}

fn halfwidth(sign: char) -> char {
    match sign {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(sign as u32 - 0xFEE0).unwrap_or(sign),
        '\u{3000}' | '\u{A0}' => ' ',
        'ー' | 'ｰ' | '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        _ => sign,
    }
}

/// Returns whether a text holds something that could be a payment card number: 13 to 19 digits,
/// alone or in groups parted by one space or hyphen, with a brand's prefix and a Luhn digit.
pub fn holds_card_number(text: &str) -> bool {
    // A digit in full width begins with this byte.
    let may_be_digit = |byte: &&u8| byte.is_ascii_digit() || **byte == 0xEF;
    if text.len() < 13 || text.as_bytes().iter().filter(may_be_digit).count() < 13 {
        return false;
    }
    let folded = halfwidth_digits(text);
    let mut run: Vec<&str> = Vec::new();
    let mut rest = &*folded;
    while let Some(start) = rest.find(|sign: char| sign.is_ascii_digit()) {
        let joined = run.is_empty() || matches!(&rest[..start], " " | "-");
        if !joined {
            run.clear();
        }
        rest = &rest[start..];
        let end = rest.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(rest.len());
        run.push(&rest[..end]);
        rest = &rest[end..];
        if run_ends_in_card(&run) {
            return true;
        }
    }
    false
}

/// Looks back from the last group; a card number has at most 19 digits, so few groups matter.
fn run_ends_in_card(run: &[&str]) -> bool {
    let mut number = String::new();
    for group in run.iter().rev() {
        number.insert_str(0, group);
        if number.len() > 19 {
            return false;
        }
        if is_card_number(&number) {
            return true;
        }
    }
    false
}

/// Returns whether these digits alone have the length, prefix and Luhn digit of a payment card.
///
/// A JAN or EAN of 13 digits with its own check digit right is goods, not a card: one in ten passes
/// Luhn by chance (40… is Germany, 45… and 49… Japan), and 13-digit cards are long gone.
pub fn is_card_number(digits: &str) -> bool {
    let is_goods = digits.len() == 13 && super::code::check::mod10w3_holds(digits);
    has_brand_prefix(digits) && luhn_holds(digits) && !is_goods
}

fn has_brand_prefix(digits: &str) -> bool {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.len() < 13 {
        return false;
    }
    let lead: u32 = digits[..4].parse().unwrap_or(0);
    match lead {
        4000..=4999 => matches!(digits.len(), 13 | 16 | 19),
        5100..=5599 | 2221..=2720 => digits.len() == 16,
        3400..=3499 | 3700..=3799 => digits.len() == 15,
        3528..=3589 | 6011 | 6200..=6299 | 6440..=6599 | 8100..=8171 => {
            (16..=19).contains(&digits.len())
        }
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => (14..=19).contains(&digits.len()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_beginning_ends_between_two_signs() {
        for (max_bytes, want) in [(0, ""), (1, "a"), (2, "a"), (3, "a"), (4, "a牛"), (99, "a牛乳")]
        {
            assert_eq!(beginning("a牛乳", max_bytes), want);
        }
    }

    #[test]
    fn text_that_is_composed_is_left_as_it_is() {
        use unicode_normalization::{IsNormalized, is_nfc_quick};
        for sign in ('\0'..='\u{FFFF}').filter(|sign| is_composed(*sign)) {
            assert_eq!(is_nfc_quick(std::iter::once(sign)), IsNormalized::Yes, "{sign:?}");
            assert!(!is_variation_selector(sign), "{sign:?}");
        }
        for sign in ('\0'..='\u{FFFF}').filter(|sign| is_plain(*sign)) {
            assert!(is_composed(sign) && !is_unprintable(sign), "{sign:?}");
        }
    }

    #[test]
    fn trimming_by_bytes_is_trimming() {
        for sign in '\0'..=char::MAX {
            for text in
                [format!("{sign}"), format!("あ{sign}"), format!("{sign}漢"), format!("a{sign}")]
            {
                assert_eq!(trimmed(&text), text.trim(), "{text:?}");
            }
        }
        assert_eq!(trimmed(""), "");
    }

    #[test]
    fn hostile_bytes_are_refused_and_stripped() {
        for (text, rest) in [
            ("A\u{1B}p\0\u{19}\u{FA}B", "Ap\u{FA}B"),
            ("\u{9B}2J", "2J"),
            ("¥\u{202E}001", "¥001"),
            ("a\u{2066}b\u{2069}", "ab"),
            ("zero\u{200B}width\u{FEFF}", "zerowidth"),
            ("line\u{2028}two", "linetwo"),
            ("del\u{7F}\u{61C}\u{200F}", "del"),
            ("tab\there", "tabhere"),
        ] {
            assert_eq!(clean(text, 80), Err(TextFault::Unprintable), "{text:?}");
            assert_eq!(cleaned(text), rest, "{text:?}");
        }
    }

    #[test]
    fn good_text_is_composed_trimmed_and_counted_in_characters() {
        for (text, max_chars, want) in [
            (" か\u{3099}き ", 2, Ok("がき")),
            ("髙橋　﨑", 4, Ok("髙橋　﨑")),
            ("葛\u{E0100}城", 2, Ok("葛城")),
            ("牛乳 1L", 4, Err(TextFault::TooLong { max_chars: 4 })),
        ] {
            assert_eq!(clean(text, max_chars).as_deref(), want.as_ref().map(|t| *t), "{text}");
        }
        let flood = "あ".repeat(1_000_000);
        assert_eq!(clean(&flood, 40), Err(TextFault::TooLong { max_chars: 40 }));
    }

    #[test]
    fn half_width_kana_become_full_width_and_nothing_else_changes() {
        for (text, want) in [
            ("ｶﾞﾑ", "ガム"),
            ("ﾎﾟﾃﾄ １２３ ㈱", "ポテト １２３ ㈱"),
            ("｢ｱ･ｲ｣", "「ア・イ」"),
            ("ｺｰﾋｰabc", "コーヒーabc"),
            ("aﾞ", "a゛"),
        ] {
            assert_eq!(screen_text(text), want);
        }
    }

    #[test]
    fn full_width_numbers_become_ascii() {
        for (text, want) in [
            ("０９０－１２３４", "090-1234"),
            ("Ｔ７１２３", "T7123"),
            ("０３ー１２", "03-12"),
            ("＋８１　９０", "+81 90"),
        ] {
            assert_eq!(halfwidth_digits(text), want);
        }
    }

    #[test]
    fn payment_card_numbers_are_found_however_they_are_grouped() {
        for text in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "カード 3530-1113-3330-0000 です",
            "３７８２ ８２２４６３ １０００５",
            "5555555555554444",
            "36227206271667",
            "tel 03 4111 1111 1111 1111",
        ] {
            assert!(holds_card_number(text), "{text}");
            assert_eq!(clean_free(text, 80), Err(TextFault::CardNumber));
        }
    }

    #[test]
    fn other_long_numbers_are_not_card_numbers() {
        for text in [
            "4111111111111112",
            "4901234567894",
            "4901234567900 4901234567917",
            "4001600011096", // an EAN of Germany that passes Luhn, too
            "T7123456789012",
            "090-1234-5678",
            "2900000000018",
            "1111111111111111",
            "41111111111111110000",
            "4111,1111,1111,1111",
        ] {
            assert!(!holds_card_number(text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_was_cleaned_passes_the_gate_and_stays_as_it_is(text in any::<String>()) {
            let kept = cleaned(&text);
            prop_assert_eq!(cleaned(&kept), kept.clone());
            prop_assert!(clean(&kept, 10_000).is_ok());
            let shown = screen_text(&kept);
            let halfwidth = shown.chars().filter(|sign| is_halfwidth_kana(*sign)).count();
            prop_assert_eq!(halfwidth, 0);
        }
    }
}
