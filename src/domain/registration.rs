//! The registration number of an invoice issuer: T and 13 digits.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: the shape is right; the check digit may differ, and then the shop is warned.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::code::check::corporate_check_digit;
use super::text::halfwidth_digits;

/// A number such as `T7123456789012` (`japan.md` 1.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegistrationNumber(String);

/// The text is not T and 13 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not T and 13 digits")]
pub struct NotARegistrationNumber;

/// The check digit does not fit; the number a company would have is told. A warning only: the
/// same digit is not promised for sole traders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckDiffers {
    pub given: String,
    pub expected: String,
}

impl FromStr for RegistrationNumber {
    type Err = NotARegistrationNumber;

    /// Reads full-width and small letters, and hyphens or spaces between the digits.
    fn from_str(text: &str) -> Result<Self, NotARegistrationNumber> {
        let folded = halfwidth_digits(text).to_ascii_uppercase();
        let bare: String = folded.chars().filter(|sign| !" -".contains(*sign)).collect();
        let digits = bare.strip_prefix('T').ok_or(NotARegistrationNumber)?;
        let right = digits.len() == 13 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if right { Ok(Self(bare)) } else { Err(NotARegistrationNumber) }
    }
}

impl RegistrationNumber {
    /// Returns the number as printed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns a warning when the check digit is not that of a corporate number.
    pub fn check(&self) -> Result<(), CheckDiffers> {
        let base = &self.0[2..];
        let expected = corporate_check_digit(base);
        if self.0[1..].starts_with(expected) {
            return Ok(());
        }
        Err(CheckDiffers { given: self.0.clone(), expected: format!("T{expected}{base}") })
    }
}

impl TryFrom<String> for RegistrationNumber {
    type Error = NotARegistrationNumber;
    fn try_from(text: String) -> Result<Self, NotARegistrationNumber> {
        text.parse()
    }
}

impl From<RegistrationNumber> for String {
    fn from(number: RegistrationNumber) -> Self {
        number.0
    }
}

impl fmt::Display for RegistrationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_check_digit_passes_and_a_wrong_one_names_the_right_number() {
        for (text, expected) in [
            ("T7123456789012", None),
            ("T2120901007402", None),
            ("T4011001098993", None),
            ("t7-1234-5678-9012", None),
            ("Ｔ７１２３４５６７８９０１２", None),
            ("T1123456789012", Some("T7123456789012")),
        ] {
            let number: RegistrationNumber = text.parse().unwrap();
            let told = number.check().err().map(|differs| differs.expected);
            assert_eq!(told.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_number_that_samples_use_only_warns() {
        let number: RegistrationNumber = "T1234567890123".parse().unwrap();
        assert!(number.check().is_err());
    }

    #[test]
    fn a_wrong_shape_is_refused() {
        for text in ["", "T", "7123456789012", "T712345678901", "T71234567890123", "TA123456789012"]
        {
            assert_eq!(text.parse::<RegistrationNumber>(), Err(NotARegistrationNumber), "{text}");
        }
    }
}
