//! GTIN: the number of a trade item, whichever symbol carried it.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: the check digit holds; JAN-8, UPC-A and their zero-padded forms are one value.

use std::fmt;

use super::CodeFault;
use super::check::{all_digits, mod10w3, split_last};

/// A number of up to 14 digits. Shown, and used as an item's code, with 8, 13 or 14 digits: a
/// UPC-A is its 13-digit form, zeros before a JAN-8 fall away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gtin(u64);

impl Gtin {
    /// Reads 8, 12, 13 or 14 digits; a wrong last digit is told with the right one.
    pub fn parse(digits: &str) -> Result<Self, CodeFault> {
        if !all_digits(digits) || !matches!(digits.len(), 8 | 12 | 13 | 14) {
            return Err(CodeFault::Shape);
        }
        let (data, last) = split_last(digits).ok_or(CodeFault::Shape)?;
        let expected = mod10w3(data).ok_or(CodeFault::Shape)?;
        if last != expected {
            return Err(CodeFault::CheckDigit { expected });
        }
        digits.parse().map(Self).map_err(|_| CodeFault::Shape)
    }

    /// Returns the GTIN of data without its check digit.
    pub fn complete(data: &str) -> Result<Self, CodeFault> {
        let expected = mod10w3(data).ok_or(CodeFault::Shape)?;
        Self::parse(&format!("{data}{expected}"))
    }

    /// Reads the 8 digits of a UPC-E: number system 0 or 1, six digits, the check digit of the
    /// UPC-A it stands for (`japan.md` 3.1).
    pub fn from_upc_e(digits: &str) -> Result<Self, CodeFault> {
        if digits.len() != 8 || !all_digits(digits) || !digits.starts_with(['0', '1']) {
            return Err(CodeFault::Shape);
        }
        let (system, six, check) = (&digits[..1], &digits[1..7], &digits[7..]);
        let body = match six.as_bytes()[5] {
            b'0'..=b'2' => format!("{}{}0000{}", &six[..2], &six[5..], &six[2..5]),
            b'3' => format!("{}00000{}", &six[..3], &six[3..5]),
            b'4' => format!("{}00000{}", &six[..4], &six[4..5]),
            _ => format!("{}0000{}", &six[..5], &six[5..]),
        };
        Self::parse(&format!("{system}{body}{check}"))
    }

    /// Returns the item's code, whose `digits` are this number's, as they may stand already.
    pub(super) fn spelled(self, digits: &str) -> String {
        if digits.len() == self.width() { digits.to_owned() } else { self.to_string() }
    }

    const fn width(self) -> usize {
        match self.0 {
            0..=99_999_999 => 8,
            100_000_000..=9_999_999_999_999 => 13,
            _ => 14,
        }
    }

    /// Returns the packaging indicator: 0 for a piece, 1–8 for a case, 9 for variable measure.
    pub fn indicator(self) -> u8 {
        u8::try_from(self.0 / 10_u64.pow(13)).expect("a GTIN has 14 digits")
    }

    /// Returns the piece inside a case: indicator dropped, check digit made anew.
    pub fn inner(self) -> Self {
        let data = format!("{:012}", self.0 / 10 % 10_u64.pow(12));
        Self::complete(&data).expect("twelve digits have a check digit")
    }

    /// Returns the case code of this piece with an indicator 1–8 (or 9).
    pub fn case(self, indicator: u8) -> Option<Self> {
        if self.indicator() != 0 || !(1..=9).contains(&indicator) {
            return None;
        }
        Self::complete(&format!("{indicator}{:012}", self.0 / 10)).ok()
    }

    /// Returns all 14 digits, as GS1 databases write it.
    pub fn padded(self) -> String {
        format!("{:014}", self.0)
    }
}

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}", self.0, width = self.width())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_one_item_is_one_code() {
        for (digits, want) in [
            ("4912345678904", "4912345678904"),
            ("04912345678904", "4912345678904"),
            ("012345000065", "0012345000065"),
            ("0012345000065", "0012345000065"),
            ("45123450", "45123450"),
            ("0000045123450", "45123450"),
            ("00000045123450", "45123450"),
        ] {
            assert_eq!(Gtin::parse(digits).map(|gtin| gtin.to_string()), Ok(want.into()));
        }
    }

    #[test]
    fn a_wrong_check_digit_is_told_with_the_right_one() {
        for (digits, fault) in [
            ("4901234567890", CodeFault::CheckDigit { expected: '4' }),
            ("45123458", CodeFault::CheckDigit { expected: '0' }),
            ("490123456789X", CodeFault::Shape),
            ("123456789", CodeFault::Shape),
            ("", CodeFault::Shape),
        ] {
            assert_eq!(Gtin::parse(digits), Err(fault), "{digits}");
        }
    }

    #[test]
    fn upc_e_expands_by_its_last_digit() {
        for (short, long) in [
            ("01234565", "012345000065"),
            ("04252614", "042100005264"),
            ("01278907", "012000007897"),
            ("01234531", "012300000451"),
            ("01234543", "012340000053"),
            ("01234572", "012345000072"),
        ] {
            assert_eq!(Gtin::from_upc_e(short), Gtin::parse(long), "{short}");
        }
        assert_eq!(Gtin::from_upc_e("01234560"), Err(CodeFault::CheckDigit { expected: '5' }));
        assert_eq!(Gtin::from_upc_e("21234565"), Err(CodeFault::Shape));
    }

    #[test]
    fn a_case_knows_its_piece_and_a_piece_its_case() {
        let piece = Gtin::parse("4912345678904").unwrap();
        let case = Gtin::parse("14912345678901").unwrap();
        assert_eq!(piece.case(1), Some(case));
        assert_eq!(case.inner(), piece);
        assert_eq!((piece.indicator(), case.indicator()), (0, 1));
        assert_eq!(case.case(1), None);
        assert_eq!(piece.case(0), None);
        assert_eq!(case.to_string(), "14912345678901");
    }
}
