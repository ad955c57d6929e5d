//! Check digits: one small function for each rule that some code at the counter uses.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: data that holds other signs than the rule knows has no check digit (`None`).

/// Returns the modulus 10, weight 3 digit of JAN, UPC, ITF-14, ISBN-13 and in-store codes:
/// weights 3, 1, 3, 1 … from the right end of the data (`japan.md` 3.1).
pub fn mod10w3(data: &str) -> Option<char> {
    let mut sum = 0;
    for (place, byte) in digits(data)?.rev().enumerate() {
        sum += u32::from(byte) * if place % 2 == 0 { 3 } else { 1 };
    }
    Some(digit((10 - sum % 10) % 10))
}

/// Returns whether the last digit is the modulus 10, weight 3 digit of the others.
pub fn mod10w3_holds(code: &str) -> bool {
    split_last(code).is_some_and(|(data, last)| mod10w3(data) == Some(last))
}

/// Returns the modulus 11 sign of an ISBN-10: weights 10 … 2, ten is written X.
pub fn isbn10(data: &str) -> Option<char> {
    if data.len() != 9 {
        return None;
    }
    let sum: u32 = (2..=10).rev().zip(digits(data)?).map(|(w, d)| w * u32::from(d)).sum();
    Some(match (11 - sum % 11) % 11 {
        10 => 'X',
        rest => digit(rest),
    })
}

/// The signs of NW-7 (Codabar) in the order of their modulus 16 values.
const NW7_VALUES: &str = "0123456789-$:/.+ABCD";

/// Returns the modulus 16 sign of an NW-7 code, start and stop letters counted: all sixteen
/// divide the sum (`japan.md` 3.6).
pub fn nw7_mod16(with_start_and_stop: &str) -> Option<char> {
    let mut sum = 0;
    for sign in with_start_and_stop.chars() {
        sum += NW7_VALUES.find(sign.to_ascii_uppercase())?;
    }
    NW7_VALUES.chars().nth((16 - sum % 16) % 16)
}

/// Returns the remainder of the number divided by seven (7DR).
pub fn seven_dr(data: &str) -> Option<char> {
    let rest = digits(data)?.fold(0, |rest, d| (rest * 10 + u32::from(d)) % 7);
    Some(digit(rest))
}

/// Returns the check digit that leads a corporate number of 12 base digits:
/// 9 − (Σ Pₙ·Qₙ mod 9), Q alternating 1 and 2 from the right (`japan.md` 1.5).
///
/// The base is known to be digits: its type has checked them.
pub fn corporate_check_digit(base: &str) -> char {
    let places = base.bytes().rev().enumerate();
    let sum: u32 = places.map(|(n, b)| u32::from(b - b'0') * if n % 2 == 0 { 1 } else { 2 }).sum();
    digit(9 - sum % 9)
}

/// Returns whether the digits satisfy Luhn's rule, as payment card numbers do.
pub fn luhn_holds(code: &str) -> bool {
    let Some(digits) = digits(code) else { return false };
    let doubled = |d: u32| if d > 4 { d * 2 - 9 } else { d * 2 };
    let sum: u32 = digits
        .rev()
        .enumerate()
        .map(|(place, d)| if place % 2 == 1 { doubled(d.into()) } else { d.into() })
        .sum();
    sum.is_multiple_of(10)
}

/// Returns the data and the last sign.
pub fn split_last(code: &str) -> Option<(&str, char)> {
    let last = code.chars().last()?;
    Some((&code[..code.len() - last.len_utf8()], last))
}

/// Returns whether the text is digits and nothing else.
pub fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn digits(text: &str) -> Option<impl DoubleEndedIterator<Item = u8> + ExactSizeIterator> {
    all_digits(text).then(|| text.bytes().map(|byte| byte - b'0'))
}

fn digit(value: u32) -> char {
    char::from_digit(value, 10).expect("a check value is one digit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modulus_10_weight_3_agrees_with_published_codes() {
        for (data, want) in [
            ("491234567890", '4'),
            ("490123456789", '4'),
            ("01234500006", '5'),
            ("1491234567890", '1'),
            ("978434440504", '2'),
            ("192019300571", '4'),
            ("290000000001", '8'),
            ("4512345", '0'),
        ] {
            assert_eq!(mod10w3(data), Some(want), "{data}");
            assert!(mod10w3_holds(&format!("{data}{want}")));
        }
        assert_eq!(mod10w3("49012345678X"), None);
        assert_eq!(mod10w3(""), None);
    }

    #[test]
    fn other_rules_agree_with_published_codes() {
        assert_eq!(isbn10("416710571"), Some('3'));
        assert_eq!(isbn10("080442957"), Some('X'));
        assert_eq!(isbn10("41671057"), None);
        assert_eq!(nw7_mod16("A37859B"), Some('+'));
        assert_eq!(nw7_mod16("A37859+B"), Some('0'));
        assert_eq!(nw7_mod16("A37 59B"), None);
        assert_eq!(seven_dr("1234567"), Some('5'));
        assert_eq!(corporate_check_digit("123456789012"), '7');
        assert!(luhn_holds("4111111111111111"));
        assert!(!luhn_holds("4111111111111112"));
    }
}
