//! Telephone numbers of Japan: one spelling in the books, a grouped one on the screen.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: a `Phone` is 10 or 11 ASCII digits that begin with 0.

use std::fmt;
use std::str::FromStr;

use super::text::halfwidth_digits;

/// A telephone number as digits only: `09012345678`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

/// Why a telephone number is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneFault {
    #[error("letters or signs that no telephone number has")]
    Shape,
    #[error("too many or too few digits")]
    Length,
    #[error("not a number of Japan")]
    Foreign,
}

impl FromStr for Phone {
    type Err = PhoneFault;

    /// Reads full-width digits, hyphens, brackets, spaces and +81 (`japan.md` 6.5).
    fn from_str(text: &str) -> Result<Self, PhoneFault> {
        if text.len() > 120 {
            return Err(PhoneFault::Length);
        }
        // Most numbers of a file are digits alone.
        let national = if text.bytes().all(|byte| byte.is_ascii_digit()) {
            text.to_owned()
        } else {
            let folded = halfwidth_digits(text);
            let bare: String = folded.chars().filter(|sign| !" -().".contains(*sign)).collect();
            national(&bare)?
        };
        if !national.bytes().all(|byte| byte.is_ascii_digit()) || national.is_empty() {
            return Err(PhoneFault::Shape);
        }
        if !national.starts_with('0') || national.starts_with("00") {
            return Err(PhoneFault::Foreign);
        }
        if national.len() != expected_len(&national) {
            return Err(PhoneFault::Length);
        }
        Ok(Self(national))
    }
}

/// Turns the country code into the leading zero; `+81 (0)90…` is a common slip.
fn national(bare: &str) -> Result<String, PhoneFault> {
    match bare.strip_prefix('+') {
        None => Ok(bare.to_owned()),
        Some(world) => match world.strip_prefix("81") {
            Some(rest) => Ok(format!("0{}", rest.strip_prefix('0').unwrap_or(rest))),
            None => Err(PhoneFault::Foreign),
        },
    }
}

/// Mobile, IP and 0800 numbers have 11 digits, fixed lines and 0120 have 10.
fn expected_len(national: &str) -> usize {
    const ELEVEN: [&str; 7] = ["020", "050", "060", "070", "080", "090", "0800"];
    if ELEVEN.iter().any(|prefix| national.starts_with(prefix)) { 11 } else { 10 }
}

impl Phone {
    /// Returns the digits, to be kept.
    pub fn into_digits(self) -> String {
        self.0
    }

    /// Returns the digits.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Returns the last four digits: what a customer says at the counter.
    pub fn last_four(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }

    /// Returns the number as read aloud: `090-1234-5678`; area codes other than 03 and 06 have no
    /// fixed length, so those stay ungrouped.
    pub fn grouped(&self) -> String {
        match self.parts() {
            Some((head, middle, tail)) => format!("{head}-{middle}-{tail}"),
            None => self.0.clone(),
        }
    }

    /// Returns the number with its middle hidden, for a screen that customers see.
    pub fn masked(&self) -> String {
        match self.parts() {
            Some((head, middle, tail)) => format!("{head}-{}-{tail}", "*".repeat(middle.len())),
            None => format!("{}{}", "*".repeat(self.0.len() - 4), self.last_four()),
        }
    }

    fn parts(&self) -> Option<(&str, &str, &str)> {
        let digits = self.0.as_str();
        let (head, middle) = if digits.starts_with("0800") || digits.starts_with("0120") {
            (4, 3)
        } else if digits.len() == 11 {
            (3, 4)
        } else if digits.starts_with("03") || digits.starts_with("06") {
            (2, 4)
        } else {
            return None;
        };
        Some((&digits[..head], &digits[head..head + middle], &digits[head + middle..]))
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_written_many_ways_is_one_number() {
        for text in [
            "０９０－１２３４－５６７８",
            "090 1234 5678",
            "+81-90-1234-5678",
            "+81 (0)90-1234-5678",
            "(090)1234.5678",
            "０９０ー１２３４ー５６７８",
        ] {
            let phone: Phone = text.parse().unwrap();
            assert_eq!(phone.digits(), "09012345678", "{text}");
            assert_eq!(phone.last_four(), "5678");
        }
    }

    #[test]
    fn numbers_are_grouped_and_masked_as_they_are_read_aloud() {
        for (text, grouped, masked) in [
            ("09012345678", "090-1234-5678", "090-****-5678"),
            ("0312345678", "03-1234-5678", "03-****-5678"),
            ("0120123456", "0120-123-456", "0120-***-456"),
            ("08001234567", "0800-123-4567", "0800-***-4567"),
            ("0451234567", "0451234567", "******4567"),
        ] {
            let phone: Phone = text.parse().unwrap();
            assert_eq!((phone.grouped(), phone.masked()), (grouped.into(), masked.into()));
        }
    }

    #[test]
    fn what_is_no_number_of_japan_is_refused() {
        for (text, fault) in [
            ("", PhoneFault::Shape),
            ("abc", PhoneFault::Shape),
            ("+1 212 555 0100", PhoneFault::Foreign),
            ("12345678", PhoneFault::Foreign),
            ("0901234567", PhoneFault::Length),
            ("031234567", PhoneFault::Length),
            ("01201234567", PhoneFault::Length),
        ] {
            assert_eq!(text.parse::<Phone>(), Err(fault), "{text}");
        }
    }
}
