//! Magazines: the periodical code 491 and its add-on with the price.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: code numbers are used again over the years, so the item is code, issue and year.

use super::CodeFault;
use super::check::all_digits;
use super::gtin::Gtin;
use crate::domain::money::Money;

/// One issue (`japan.md` 3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Magazine {
    /// All 13 digits: the item of this very issue.
    pub code: String,
    /// The five digits of the magazine: the item for every issue.
    pub series: String,
    /// Month of issue as printed (weeklies count differently), two digits.
    pub issue: String,
    /// The last digit of the year.
    pub year_digit: char,
    /// Price without tax; `None` when the scanner sends no add-on: ask.
    pub price: Option<Money>,
}

impl Magazine {
    /// Returns whether 13 digits are a periodical: 491 and the reserved 0. Other 491… numbers are
    /// ordinary goods.
    pub fn matches(code: &str) -> bool {
        code.len() == 13 && all_digits(code) && code.starts_with("4910")
    }

    /// Reads 13 digits and the add-on of five, when there is one.
    pub fn parse(code: &str, add_on: Option<&str>) -> Result<Self, CodeFault> {
        if !Self::matches(code) {
            return Err(CodeFault::Shape);
        }
        Gtin::parse(code)?;
        let price = add_on.map(price_of).transpose()?.flatten();
        Ok(Self {
            code: code.to_owned(),
            series: code[4..9].to_owned(),
            issue: code[9..11].to_owned(),
            year_digit: char::from(code.as_bytes()[11]),
            price,
        })
    }
}

/// Reads the add-on `0` + price 4; another first digit is reserved and says no price.
fn price_of(add_on: &str) -> Result<Option<Money>, CodeFault> {
    if add_on.len() != 5 || !all_digits(add_on) {
        return Err(CodeFault::Shape);
    }
    let yen: i64 = add_on.parse().map_err(|_| CodeFault::Shape)?;
    Ok((1..10_000).contains(&yen).then(|| Money::new(yen)))
}

/// Returns the value by which a scanner knows an add-on of five digits: weights 3 and 9.
pub fn add_on_parity(add_on: &str) -> Option<u32> {
    if add_on.len() != 5 || !all_digits(add_on) {
        return None;
    }
    let places = add_on.bytes().enumerate();
    let sum: u32 = places.map(|(n, b)| u32::from(b - b'0') * if n % 2 == 0 { 3 } else { 9 }).sum();
    Some(sum % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;

    #[test]
    fn an_issue_is_read_with_its_price() {
        let magazine = Magazine::parse("4910099710741", Some("00952")).unwrap();
        assert_eq!((magazine.series.as_str(), magazine.issue.as_str()), ("09971", "07"));
        assert_eq!((magazine.year_digit, magazine.price), ('4', Some(yen(952))));
        assert_eq!(add_on_parity("00952"), Some(8));
    }

    #[test]
    fn no_price_is_not_a_price_of_nothing() {
        for add_on in [None, Some("00000"), Some("12345")] {
            assert_eq!(Magazine::parse("4910099710741", add_on).unwrap().price, None);
        }
        let fault = Magazine::parse("4910099710741", Some("0952"));
        assert_eq!(fault, Err(CodeFault::Shape));
    }

    #[test]
    fn other_codes_with_491_are_goods() {
        assert!(!Magazine::matches("4912345678904"));
        assert!(Magazine::matches("4910099710741"));
    }
}
