//! Numbers that regi prints as bars: receipts, suspended slips, coupons.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Shapes: as `number::DocNo` writes them; coupon `CP…`.

use super::check::all_digits;
use super::gtin::Gtin;
use crate::domain::number::{DocKind, DocNo};

/// Digits of the longest number that anybody keys in one go: a PIN has at most twelve.
const LONGEST_NUMBER: usize = 14;

/// Reads a number in any case: Code 39 has capitals only, so `01B-000123` is the same paper.
fn read(text: &str) -> Option<DocNo> {
    let (head, rest) = text.split_once('-')?;
    let number: DocNo =
        format!("{}-{}", head.to_ascii_lowercase(), rest.to_ascii_uppercase()).parse().ok()?;
    (number.lane > 0).then_some(number)
}

/// Returns the receipt number in its printed spelling: a receipt, a return, a formal or a training
/// receipt.
pub fn receipt_number(text: &str) -> Option<String> {
    let number = read(text)?;
    let kinds = [DocKind::Receipt, DocKind::Return, DocKind::Formal, DocKind::Training];
    kinds.contains(&number.kind).then(|| number.to_string())
}

/// Returns whether keys that came as fast as a scanner's can be nothing but a code, though numbers or
/// words are asked for: a GTIN whose check digit holds, more digits than any number has, a document.
pub fn is_surely_code(burst: &str) -> bool {
    let endless = burst.len() > LONGEST_NUMBER && all_digits(burst);
    endless || Gtin::parse(burst).is_ok() || read(burst).is_some()
}

/// Returns the number of a suspended slip in its printed spelling.
pub fn slip_number(text: &str) -> Option<String> {
    read(text).filter(|number| number.kind == DocKind::Slip).map(|number| number.to_string())
}

/// Returns a coupon of this shop's printing: CP, then 4 to 20 letters, digits or hyphens.
pub fn coupon_code(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let rest = upper.strip_prefix("CP")?;
    let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let fits = plain && (4..=20).contains(&rest.len()) && rest.bytes().any(|b| b.is_ascii_digit());
    fits.then_some(upper)
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
            ("01bb-000123", Some("01bb-000123")),
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
            [("01-S0001", Some("01-S0001")), ("01B-s0012", Some("01b-S0012")), ("01-S1", None)]
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
