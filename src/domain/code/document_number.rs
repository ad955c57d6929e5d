//! Numbers that regi prints as bars: receipts, suspended slips, coupons.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Shapes: receipt `01-000123`, in epoch b `01b-000123`; return `01-R000012`; formal `01-F000003`;
//! training `01-T000001`; slip `S01-0001`; coupon `CP…`.

use super::check::all_digits;

/// Returns the receipt number in its printed spelling: epoch small, kind large. Code 39 has
/// capitals only, so `01B-000123` is the same paper.
pub fn receipt_number(text: &str) -> Option<String> {
    let (lane, rest) = lane_and_rest(text)?;
    let (kind, digits) = match rest.chars().next()?.to_ascii_uppercase() {
        letter @ ('R' | 'F' | 'T') => (letter.to_string(), &rest[1..]),
        _ => (String::new(), rest),
    };
    let fits = all_digits(digits) && (6..=9).contains(&digits.len());
    fits.then(|| format!("{lane}-{kind}{digits}"))
}

/// Returns the number of a suspended slip in its printed spelling.
pub fn slip_number(text: &str) -> Option<String> {
    let (lane, digits) = lane_and_rest(text.strip_prefix(['S', 's'])?)?;
    let fits = all_digits(digits) && (4..=9).contains(&digits.len());
    fits.then(|| format!("S{lane}-{digits}"))
}

/// Returns a coupon of this shop's printing: CP, then 4 to 20 letters, digits or hyphens.
pub fn coupon_code(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let rest = upper.strip_prefix("CP")?;
    let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let fits = plain && (4..=20).contains(&rest.len()) && rest.bytes().any(|b| b.is_ascii_digit());
    fits.then_some(upper)
}

/// Splits `01b-…` into the lane with its epoch letter, and what follows the hyphen.
fn lane_and_rest(text: &str) -> Option<(String, &str)> {
    let (head, rest) = text.split_once('-')?;
    let head = head.to_ascii_lowercase();
    let digits = head.strip_suffix(|sign: char| sign.is_ascii_lowercase()).unwrap_or(&head);
    let fits = digits.len() == 2 && all_digits(digits) && digits != "00";
    fits.then_some((head, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_any_case_and_written_in_one() {
        for (text, want) in [
            ("01-000123", Some("01-000123")),
            ("01-R000012", Some("01-R000012")),
            ("01-r000012", Some("01-R000012")),
            ("01b-000123", Some("01b-000123")),
            ("01B-T000001", Some("01b-T000001")),
            ("12-F000003", Some("12-F000003")),
            ("01-Z0412", None),
            ("00-000123", None),
            ("1-000123", None),
            ("01-00123", None),
            ("01bb-000123", None),
            ("01-X000123", None),
            ("01-", None),
            ("01-é00012", None),
        ] {
            assert_eq!(receipt_number(text).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn slips_and_coupons_have_their_own_letters() {
        for (text, want) in
            [("S01-0001", Some("S01-0001")), ("s01B-0012", Some("S01b-0012")), ("S01-1", None)]
        {
            assert_eq!(slip_number(text).as_deref(), want, "{text}");
        }
        for (text, want) in [
            ("CP01-0042", Some("CP01-0042")),
            ("cp2026", Some("CP2026")),
            ("CPU", None),
            ("CPABCD", None),
            ("CP 1234", None),
        ] {
            assert_eq!(coupon_code(text).as_deref(), want, "{text}");
        }
    }
}
