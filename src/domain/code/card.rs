//! Member cards: patterns, as data, that tell a card from goods.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: a member code is a string; the same card always gives the same one.

use serde::{Deserialize, Serialize};

use super::check::{mod10w3, nw7_mod16, seven_dr, split_last};
use super::{CodeFault, InStoreRule, MAX_SCAN_CHARS};

/// The longest code a member has.
pub const LONGEST_MEMBER_CODE: usize = 20;
/// Shorter numbers are keyed for goods all day.
const SHORTEST: usize = 4;
/// What the digits of a payment card begin with names its issuer: only a prefix as long is a shop's own.
const ISSUER_DIGITS: usize = 6;

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
    #[serde(rename = "mod10w3")]
    Mod10W3,
    /// NW-7; start and stop letters count, and the check sign stands before the stop.
    Mod16,
    SevenDr,
}

impl CardCheck {
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Mod10W3 => "mod10w3",
            Self::Mod16 => "mod16",
            Self::SevenDr => "seven_dr",
        }
    }
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

impl Strip {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::StartStop => "start_stop",
            Self::StartStopAndCheck => "start_stop_and_check",
        }
    }
}

/// The part of a pattern that does not go with the others; its word is the key of the settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardPart {
    Length,
    Prefix,
    Check,
    Strip,
}

/// One kind of card: prefix, length, signs, check. Stands in journals as it is.
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
        let head = code.get(..self.prefix.len());
        code.len() == self.length
            && head.is_some_and(|head| head.eq_ignore_ascii_case(&self.prefix))
            && match self.charset {
                Charset::Digits => super::check::all_digits(code),
                Charset::Hex => code.bytes().all(|byte| byte.is_ascii_hexdigit()),
                Charset::Alphanumeric => code.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                Charset::Nw7 => nw7_parts(code).is_some(),
            }
    }

    /// Returns the part of the pattern that no card can satisfy together with the others.
    pub fn impossible(&self) -> Option<CardPart> {
        let taken_off = match self.strip {
            Strip::Nothing => 0,
            Strip::StartStop => 2,
            Strip::StartStopAndCheck => 3,
        };
        let may_follow = match self.charset {
            Charset::Digits => self.check != CardCheck::Mod16,
            Charset::Hex | Charset::Alphanumeric => self.check == CardCheck::None,
            Charset::Nw7 => true,
        };
        let has_edges = self.charset == Charset::Nw7;
        if !(SHORTEST..=MAX_SCAN_CHARS).contains(&self.length)
            || self.length - taken_off > LONGEST_MEMBER_CODE
        {
            Some(CardPart::Length)
        } else if self.prefix.len() >= self.length || !self.prefix_fits() {
            Some(CardPart::Prefix)
        } else if !may_follow {
            Some(CardPart::Check)
        } else if self.strip != Strip::Nothing && !has_edges {
            Some(CardPart::Strip)
        } else {
            None
        }
    }

    fn prefix_fits(&self) -> bool {
        let prefix = self.prefix.as_str();
        match self.charset {
            Charset::Digits => prefix.bytes().all(|byte| byte.is_ascii_digit()),
            Charset::Hex => prefix.bytes().all(|byte| byte.is_ascii_hexdigit()),
            Charset::Alphanumeric => prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            Charset::Nw7 => prefix.is_empty() || nw7_parts(&format!("{prefix}00A")).is_some(),
        }
    }

    /// Returns whether the pattern would take ordinary goods for cards: as many digits as goods have,
    /// and a prefix that goods of this country, books or coupons have, too. Such a setting is refused.
    pub fn swallows_goods(&self) -> bool {
        let prefix = self.prefix.as_str();
        let shares = |prefix: &str, goods: &[&str]| {
            goods.iter().any(|goods| goods.starts_with(prefix) || prefix.starts_with(goods))
        };
        let is_open = match self.length {
            ..=6 => prefix.is_empty(), // Short numbers are goods unless the shop says otherwise.
            8 | 12 => shares(prefix, &["45", "49"]),
            13 => shares(prefix, &["45", "49", "978", "979", "192", "99"]),
            // Any digit may say how many are in the case.
            14 => {
                shares(prefix, &["45", "49"])
                    || shares(prefix.get(1..).unwrap_or(""), &["45", "49"])
            }
            18 => shares(prefix, &["491", "978", "979"]),
            _ => false,
        };
        is_open && self.charset != Charset::Nw7
    }

    /// Returns whether some scan is this card as well as the other, and nothing says which.
    pub fn collides(&self, other: &Self) -> bool {
        let nw7 = [self.charset, other.charset].map(|charset| charset == Charset::Nw7);
        let digits = [self.charset, other.charset].contains(&Charset::Digits);
        let share_signs = nw7[0] == nw7[1] || !digits; // NW-7 has letters at both ends.
        self.length == other.length
            && self.prefix.eq_ignore_ascii_case(&other.prefix)
            && share_signs
    }

    /// Returns whether every scan of this card is read as a label of the shop instead.
    pub fn is_label(&self, rule: &InStoreRule) -> bool {
        self.length == rule.length() && self.charset != Charset::Nw7 && self.prefix == rule.prefix
    }

    /// Returns whether the prefix is too short to be believed against what a code says by itself: a
    /// payment card, an element string of GS1.
    pub(super) fn yields_to(&self, is_payment_card: bool, is_gs1: bool) -> bool {
        let prefix = self.prefix.len();
        (is_payment_card && prefix < ISSUER_DIGITS) || (is_gs1 && prefix <= "01".len())
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

    fn digits(prefix: &str, length: usize) -> CardPattern {
        CardPattern { prefix: prefix.into(), length, check: CardCheck::None, ..<_>::default() }
    }

    #[test]
    fn a_pattern_that_goods_share_is_known() {
        for (prefix, length, want) in [
            ("", 13, true),
            ("4", 13, true),
            ("45", 13, true),
            ("4901", 13, true),
            ("9", 13, true),
            ("9784", 13, true),
            ("99", 13, true),
            ("1", 13, true),
            ("29", 13, false),
            ("12", 13, false),
            ("", 8, true),
            ("49", 8, true),
            ("9", 8, false),
            ("49", 12, true),
            ("145", 14, true),
            ("1", 14, true),
            ("12", 14, false),
            ("", 6, true),
            ("88", 6, false),
            ("", 10, false),
            ("", 16, false),
            ("", 18, true),
        ] {
            assert_eq!(digits(prefix, length).swallows_goods(), want, "{prefix} {length}");
        }
    }

    #[test]
    fn a_pattern_that_no_card_satisfies_names_its_part() {
        use CardPart::{Check, Length, Prefix};
        let of = |charset, check, strip| CardPattern {
            prefix: String::new(),
            length: 10,
            charset,
            check,
            strip,
        };
        for (pattern, want) in [
            (digits("29", 13), None),
            (digits("", 3), Some(Length)),
            (digits("", 21), Some(Length)),
            (nw7(22, CardCheck::None, Strip::StartStop), None),
            (nw7(23, CardCheck::None, Strip::StartStop), Some(Length)),
            (digits("0123", 4), Some(Prefix)),
            (digits("A1", 8), Some(Prefix)),
            (digits("２９", 13), Some(Prefix)),
            (
                CardPattern { prefix: "a29".into(), ..nw7(10, CardCheck::Mod16, Strip::Nothing) },
                None,
            ),
            (
                CardPattern { prefix: "29".into(), ..nw7(10, CardCheck::Mod16, Strip::Nothing) },
                Some(Prefix),
            ),
            (of(Charset::Digits, CardCheck::Mod16, Strip::Nothing), Some(Check)),
            (of(Charset::Hex, CardCheck::SevenDr, Strip::Nothing), Some(Check)),
            (of(Charset::Digits, CardCheck::SevenDr, Strip::StartStop), Some(CardPart::Strip)),
        ] {
            assert_eq!(pattern.impossible(), want, "{pattern:?}");
        }
    }

    #[test]
    fn patterns_that_share_a_scan_without_a_longer_prefix_collide() {
        let of = |charset, prefix: &str| CardPattern { charset, ..digits(prefix, 8) };
        use Charset::{Alphanumeric, Digits, Hex, Nw7};
        for (one, other, want) in [
            ((Digits, "77"), (Digits, "77"), true),
            ((Digits, "77"), (Hex, "77"), true),
            ((Hex, "a7"), (Alphanumeric, "A7"), true),
            ((Digits, "77"), (Digits, "771"), false),
            ((Digits, ""), (Nw7, ""), false),
            ((Hex, ""), (Nw7, ""), true),
        ] {
            let (one, other) = (of(one.0, one.1), of(other.0, other.1));
            assert_eq!(
                (one.collides(&other), other.collides(&one)),
                (want, want),
                "{one:?} {other:?}"
            );
        }
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
