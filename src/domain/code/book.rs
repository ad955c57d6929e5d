//! Books of Japan: two rows of bars, one for the ISBN, one for the price.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: the price row alone is never goods.

use super::CodeFault;
use super::check::{all_digits, isbn10, mod10w3, split_last};
use super::gtin::Gtin;
use crate::domain::money::Money;

/// The second row: `192`, C code, price without tax, check digit (`japan.md` 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookRow2 {
    /// All 13 digits.
    pub code: String,
    /// Four digits: readership, form, subject.
    pub c_code: String,
    /// Price without tax; `None` from 100,000 yen or when the publisher set none: ask.
    pub price: Option<Money>,
}

impl BookRow2 {
    /// Returns whether these digits are a price row.
    pub fn matches(code: &str) -> bool {
        code.len() == 13 && all_digits(code) && code.starts_with("192")
    }

    /// Reads the 13 digits of a price row.
    pub fn parse(code: &str) -> Result<Self, CodeFault> {
        if !Self::matches(code) {
            return Err(CodeFault::Shape);
        }
        Gtin::parse(code)?;
        let yen: i64 = code[7..12].parse().map_err(|_| CodeFault::Shape)?;
        Ok(Self {
            code: code.to_owned(),
            c_code: code[3..7].to_owned(),
            price: (yen > 0).then(|| Money::new(yen)),
        })
    }

    /// Returns the 13 digits for a C code of four digits and a price below 100,000 yen.
    pub fn build(c_code: &str, price: u32) -> Option<String> {
        if c_code.len() != 4 || !all_digits(c_code) || price > 99_999 {
            return None;
        }
        let data = format!("192{c_code}{price:05}");
        mod10w3(&data).map(|check| format!("{data}{check}"))
    }
}

/// Returns whether 13 digits are an ISBN.
pub fn is_isbn13(code: &str) -> bool {
    code.len() == 13 && (code.starts_with("978") || code.starts_with("979"))
}

/// Returns the ISBN-13 of an ISBN-10, written with or without hyphens.
pub fn isbn13_from_isbn10(text: &str) -> Result<Gtin, CodeFault> {
    let bare: String = text.chars().filter(|&sign| sign != '-').collect();
    let (data, last) = split_last(&bare).ok_or(CodeFault::Shape)?;
    let expected = isbn10(data).ok_or(CodeFault::Shape)?;
    if last.to_ascii_uppercase() != expected {
        return Err(CodeFault::CheckDigit { expected });
    }
    Gtin::complete(&format!("978{data}"))
}

/// Returns the ISBN-10 of an ISBN-13; those that begin with 979 have none.
pub fn isbn10_from_isbn13(isbn: Gtin) -> Option<String> {
    let code = isbn.to_string();
    let data = code.strip_prefix("978")?.get(..9)?;
    isbn10(data).map(|check| format!("{data}{check}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;

    #[test]
    fn the_price_row_holds_c_code_and_price_without_tax() {
        for (code, c_code, price) in [
            ("1920193005714", "0193", Some(yen(571))),
            ("1920193005905", "0193", Some(yen(590))),
            ("1923055000001", "3055", None),
        ] {
            let row = BookRow2::parse(code).unwrap();
            assert_eq!((row.c_code.as_str(), row.price), (c_code, price), "{code}");
        }
        let fault = CodeFault::CheckDigit { expected: '4' };
        assert_eq!(BookRow2::parse("1920193005710"), Err(fault));
        assert_eq!(BookRow2::build("0193", 590).as_deref(), Some("1920193005905"));
        assert_eq!(BookRow2::build("0193", 100_000), None);
    }

    #[test]
    fn isbn_10_and_13_turn_into_each_other() {
        for (ten, thirteen) in [("4167105713", "9784167105716"), ("080442957X", "9780804429573")] {
            let isbn = Gtin::parse(thirteen).unwrap();
            assert_eq!(isbn13_from_isbn10(ten), Ok(isbn));
            assert_eq!(isbn10_from_isbn13(isbn).as_deref(), Some(ten));
        }
        assert_eq!(isbn13_from_isbn10("4-16-710571-3"), Gtin::parse("9784167105716"));
        let fault = CodeFault::CheckDigit { expected: '3' };
        assert_eq!(isbn13_from_isbn10("4167105710"), Err(fault));
        let newer = Gtin::complete("979100000000").unwrap();
        assert_eq!(isbn10_from_isbn13(newer), None);
    }
}
