//! Kana squeezed into half-width katakana, for printers and displays without kanji.
//!
//! Room: devices. May touch: std, unicode tables. May not: bytes, devices.
//! Invariant: what comes out is ASCII, `¥`, or U+FF61..U+FF9F, one column a character.

use unicode_normalization::{
    UnicodeNormalization,
    char::{compose, decompose_canonical, is_combining_mark},
};

/// Full-width forms in the order of U+FF61..U+FF9F (JIS X 0201).
const FULL: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテト\
                    ナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";

/// Signs a shop prints often, in ASCII.
const SIGNS: [(char, &str); 20] = [
    ('※', "*"),
    ('★', "*"),
    ('☆', "*"),
    ('●', "*"),
    ('○', "o"),
    ('×', "x"),
    ('÷', "/"),
    ('→', ">"),
    ('←', "<"),
    ('～', "~"),
    ('〜', "~"),
    ('―', "-"),
    ('—', "-"),
    ('－', "-"),
    ('−', "-"),
    ('─', "-"),
    ('￥', "¥"),
    ('【', "["),
    ('】', "]"),
    ('〒', "T"),
];

/// Text in half width, and how many characters had no half-width form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HalfWidth {
    pub text: String,
    /// Characters (mostly kanji) that became `?`.
    pub replaced: usize,
}

/// Returns `text` in half-width kana and ASCII; what has no such form becomes `?`.
pub fn half_width(text: &str) -> HalfWidth {
    let mut out = HalfWidth::default();
    for c in composed(text) {
        if !push_half(c, &mut out.text) {
            out.text.push('?');
            out.replaced += 1;
        }
    }
    out
}

/// Joins a letter with the marks that follow it, where one character exists for both: file names
/// and names typed elsewhere arrive as カ + ゛.
pub fn composed(text: &str) -> impl Iterator<Item = char> {
    let mut rest = text.chars().peekable();
    std::iter::from_fn(move || {
        let mut c = rest.next()?;
        while let Some(joined) = rest.peek().and_then(|&mark| compose(c, mark)) {
            c = joined;
            rest.next();
        }
        Some(c)
    })
}

fn push_half(c: char, out: &mut String) -> bool {
    match c {
        '\\' => out.push('/'), // 5C prints as the yen sign: a backslash must not become an amount.
        ' '..='~' | '¥' | '\u{ff61}'..='\u{ff9f}' => out.push(c),
        '\u{ff01}'..='\u{ff5e}' if sign(c).is_none() => out.push(shifted(c, -0xfee0)),
        '\u{3041}'..='\u{3096}' => return push_half(shifted(c, 0x60), out),
        _ => match sign(c) {
            Some(sign) => out.push_str(sign),
            None => return push_katakana(c, out) || push_compatible(c, out),
        },
    }
    true
}

fn sign(c: char) -> Option<&'static str> {
    SIGNS.iter().find(|(from, _)| *from == c).map(|(_, to)| *to)
}

fn push_katakana(c: char, out: &mut String) -> bool {
    let plain = match c {
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        'ヰ' => 'イ',
        'ヱ' => 'エ',
        '\u{3099}' => '゛',
        '\u{309a}' => '゜',
        other => other,
    };
    if let Some(at) = FULL.chars().position(|full| full == plain) {
        out.push(shifted('\u{ff61}', at as i32));
        return true;
    }
    if !('ァ'..='ヺ').contains(&c) {
        return false;
    }
    let mut parts = Vec::with_capacity(2);
    decompose_canonical(c, |part| parts.push(part));
    parts.len() == 2 && parts.into_iter().all(|part| push_katakana(part, out))
}

/// Takes apart what Unicode itself calls a compatible form: `①`, `㎏`, `é`.
fn push_compatible(c: char, out: &mut String) -> bool {
    let parts: Vec<char> =
        std::iter::once(c).nfkd().filter(|&part| !is_combining_mark(part)).collect();
    let taken_apart = !parts.is_empty() && parts != [c];
    let plain = parts.iter().all(|part| (' '..='~').contains(part));
    if taken_apart && plain {
        out.extend(parts);
    }
    taken_apart && plain
}

fn shifted(c: char, by: i32) -> char {
    u32::try_from(c as i32 + by).ok().and_then(char::from_u32).unwrap_or('?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kana_become_half_width_and_kanji_become_question_marks() {
        for (text, want, replaced) in [
            ("ゴウケイ", "ｺﾞｳｹｲ", 0),
            ("ごうけい", "ｺﾞｳｹｲ", 0),
            ("カ\u{3099}ム", "ｶﾞﾑ", 0),
            ("パン ヴァ", "ﾊﾟﾝ ｳﾞｧ", 0),
            ("ｶﾞﾑ", "ｶﾞﾑ", 0),
            ("Ａ１２＋", "A12+", 0),
            ("※①é", "*1e", 0),
            ("¥1,957", "¥1,957", 0),
            ("牛乳 1L", "?? 1L", 2),
        ] {
            assert_eq!(half_width(text), HalfWidth { text: want.into(), replaced }, "{text}");
        }
    }

    #[test]
    fn every_kana_has_a_half_width_form() {
        for c in ('ぁ'..='ゖ').chain('ァ'..='ヺ') {
            assert_eq!(half_width(&c.to_string()).replaced, 0, "{c}");
        }
    }
}
