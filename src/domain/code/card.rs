//! Member cards: patterns, as data, that tell a card from goods.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: a member code is a string; the same card always gives the same one.

use serde::{Deserialize, Serialize};

use super::CodeFault;
use super::check::{mod10w3, nw7_mod16, seven_dr, split_last};

/// The signs a card may hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Charset {
    #[default]
    Digits,
    /// 0–9 and A–F: the number of a contactless card.
    Hex,
    Alphanumeric,
    /// Digits, `-$:/.+`, between start and stop letters A–D.
    Nw7,
}

/// How the last sign of the data follows from the others (`japan.md` 3.6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardCheck {
    #[default]
    None,
    Mod10W3,
    /// NW-7; start and stop letters count, and the check sign stands before the stop.
    Mod16,
    SevenDr,
}

/// What is taken off to get the member code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strip {
    #[default]
    Nothing,
    /// The start and stop letters of NW-7.
    StartStop,
    /// Those, and the check sign.
    StartStopAndCheck,
}

/// One kind of card: prefix, length, signs, check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardPattern {
    #[serde(default)]
    pub prefix: String,
    /// Length of the whole scan in characters.
    pub length: usize,
    #[serde(default)]
    pub charset: Charset,
    #[serde(default)]
    pub check: CardCheck,
    #[serde(default)]
    pub strip: Strip,
}

/// The cards that regi numbers itself: a JAN with prefix 29.
impl Default for CardPattern {
    fn default() -> Self {
        Self {
            prefix: "29".into(),
            length: 13,
            charset: Charset::Digits,
            check: CardCheck::Mod10W3,
            strip: Strip::Nothing,
        }
    }
}

impl CardPattern {
    /// Returns whether a scan looks like this card; the check is not made yet.
    pub fn matches(&self, code: &str) -> bool {
        code.len() == self.length
            && code.starts_with(&self.prefix)
            && match self.charset {
                Charset::Digits => super::check::all_digits(code),
                Charset::Hex => code.bytes().all(|byte| byte.is_ascii_hexdigit()),
                Charset::Alphanumeric => code.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                Charset::Nw7 => nw7_parts(code).is_some(),
            }
    }

    /// Returns whether the pattern would take ordinary goods for cards: no prefix, and digits as
    /// many as a JAN has. Such a setting is refused.
    pub fn swallows_goods(&self) -> bool {
        let as_long_as_goods = matches!(self.length, 8 | 12 | 13 | 14);
        let open = self.prefix.is_empty() || self.prefix == "4" || self.prefix.starts_with("49");
        let reads_digits = !matches!(self.charset, Charset::Nw7);
        as_long_as_goods && open && reads_digits
    }

    /// Returns the member code of a card that matches, its letters large.
    pub fn read(&self, code: &str) -> Result<String, CodeFault> {
        let upper = code.to_ascii_uppercase();
        let (start, body, stop) = match self.charset {
            Charset::Nw7 => nw7_parts(&upper).ok_or(CodeFault::Shape)?,
            _ => ("", upper.as_str(), ""),
        };
        let (data, last) = split_last(body).ok_or(CodeFault::Shape)?;
        let expected = match self.check {
            CardCheck::None => Some(last),
            CardCheck::Mod10W3 => mod10w3(data),
            CardCheck::Mod16 => nw7_mod16(&format!("{start}{data}{stop}")),
            CardCheck::SevenDr => seven_dr(data),
        };
        match expected {
            Some(expected) if expected == last => {}
            Some(expected) => return Err(CodeFault::CheckDigit { expected }),
            None => return Err(CodeFault::Shape),
        }
        Ok(match self.strip {
            Strip::Nothing => upper.clone(),
            Strip::StartStop => body.to_owned(),
            Strip::StartStopAndCheck if self.check == CardCheck::None => body.to_owned(),
            Strip::StartStopAndCheck => data.to_owned(),
        })
    }
}

/// Splits an NW-7 code into start letter, body and stop letter.
fn nw7_parts(code: &str) -> Option<(&str, &str, &str)> {
    let edge = |byte: u8| matches!(byte.to_ascii_uppercase(), b'A'..=b'D');
    let bytes = code.as_bytes();
    if bytes.len() < 4 || !edge(bytes[0]) || !edge(bytes[bytes.len() - 1]) {
        return None;
    }
    let (start, rest) = code.split_at(1);
    let (body, stop) = rest.split_at(rest.len() - 1);
    let plain = body.bytes().all(|byte| byte.is_ascii_digit() || b"-$:/.+".contains(&byte));
    plain.then_some((start, body, stop))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nw7(length: usize, check: CardCheck, strip: Strip) -> CardPattern {
        CardPattern { prefix: String::new(), length, charset: Charset::Nw7, check, strip }
    }

    #[test]
    fn a_card_gives_the_member_code_of_its_pattern() {
        let jan = CardPattern::default();
        assert!(jan.matches("2900000000018") && !jan.matches("2800000000018"));
        assert_eq!(jan.read("2900000000018").as_deref(), Ok("2900000000018"));
        for (code, check, strip, want) in [
            ("A37859+B", CardCheck::Mod16, Strip::Nothing, "A37859+B"),
            ("a37859+b", CardCheck::Mod16, Strip::StartStop, "37859+"),
            ("A37859+B", CardCheck::Mod16, Strip::StartStopAndCheck, "37859"),
            ("A12345675A", CardCheck::SevenDr, Strip::StartStop, "12345675"),
            ("A123456D", CardCheck::None, Strip::StartStopAndCheck, "123456"),
        ] {
            let pattern = nw7(code.len(), check, strip);
            assert!(pattern.matches(code));
            assert_eq!(pattern.read(code).as_deref(), Ok(want), "{code}");
        }
    }

    #[test]
    fn a_misread_card_is_refused_with_the_right_sign() {
        let fault = |expected| Err(CodeFault::CheckDigit { expected });
        assert_eq!(CardPattern::default().read("2900000000010"), fault('8'));
        assert_eq!(nw7(8, CardCheck::Mod16, Strip::Nothing).read("A37858+B"), fault('0'));
    }

    #[test]
    fn a_pattern_as_wide_as_a_jan_needs_a_prefix() {
        let wide = CardPattern { prefix: String::new(), ..CardPattern::default() };
        assert!(wide.swallows_goods());
        assert!(!CardPattern::default().swallows_goods());
        let felica =
            CardPattern { prefix: String::new(), length: 16, charset: Charset::Hex, ..wide };
        assert!(!felica.swallows_goods());
        assert!(felica.matches("0123456789abcdef"));
    }
}
