//! GS1 element strings: a GTIN with dates, lot, weight or price behind it.
//!
//! Room: domain. May touch: std, rust_decimal. May not: clock, file, terminal, float.
//! Invariant: all of the string is read or none of it; a half-read label sells nothing.

use rust_decimal::Decimal;

use super::CodeFault;
use super::gs1_ai::{Ai, ai_at};
use super::gs1_date::AiDate;
use super::gtin::Gtin;
use crate::domain::quantity::{Quantity, UnitPrice};

/// The separator a scanner sends for FNC1.
pub const GROUP_SEPARATOR: char = '\u{1D}';

/// One identifier and its value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    pub ai: String,
    pub value: String,
}

/// What a GS1 label says; `elements` has everything, the fields what a register uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gs1Scan {
    pub elements: Vec<Element>,
    pub gtin: Option<Gtin>,
    /// GTIN of what a logistic unit holds (02), beside `count`.
    pub content: Option<Gtin>,
    pub expires: Option<AiDate>,
    pub best_before: Option<AiDate>,
    pub sell_by: Option<AiDate>,
    pub packed: Option<AiDate>,
    pub produced: Option<AiDate>,
    pub lot: Option<String>,
    pub serial: Option<String>,
    /// Pieces (30 or 37).
    pub count: Option<u32>,
    /// Net weight in kilograms (310n).
    pub weight_kg: Option<Quantity>,
    /// Price of this piece in the shop's currency (392n).
    pub price: Option<UnitPrice>,
    /// Price of the unit of measure (8005); information, not what is sold.
    pub unit_price: Option<UnitPrice>,
    pub additional: Option<String>,
    pub coupon: Option<String>,
}

impl Gs1Scan {
    /// Returns the date after which this piece is not sold: expiry, else sell-by.
    pub fn last_day_of_sale(&self) -> Option<AiDate> {
        self.expires.or(self.sell_by)
    }

    /// Returns the item codes to look up. The piece within a case is no answer for the case; the
    /// piece under a variable measure (9) is.
    pub fn lookups(&self) -> Vec<String> {
        let Some(gtin) = self.gtin else { return Vec::new() };
        let mut codes = vec![gtin.to_string()];
        if gtin.indicator() == 9 {
            codes.push(gtin.inner().to_string());
        }
        codes
    }

    /// Reads elements that were already told apart.
    pub fn from_elements(elements: Vec<Element>) -> Result<Self, CodeFault> {
        let mut scan = Self::default();
        for element in &elements {
            scan.take(&element.ai, &element.value)?;
        }
        scan.elements = elements;
        Ok(scan)
    }

    /// Identifiers without a field of their own are kept in `elements` only.
    fn take(&mut self, ai: &str, value: &str) -> Result<(), CodeFault> {
        match ai {
            "01" => once(&mut self.gtin, Gtin::parse(value)?),
            "02" => once(&mut self.content, Gtin::parse(value)?),
            "11" => once(&mut self.produced, date(value)?),
            "13" => once(&mut self.packed, date(value)?),
            "15" => once(&mut self.best_before, date(value)?),
            "16" => once(&mut self.sell_by, date(value)?),
            "17" => once(&mut self.expires, date(value)?),
            "10" => once(&mut self.lot, value.to_owned()),
            "21" => once(&mut self.serial, value.to_owned()),
            "30" | "37" => once(&mut self.count, value.parse().map_err(|_| CodeFault::Shape)?),
            "240" => once(&mut self.additional, value.to_owned()),
            "255" => once(&mut self.coupon, value.to_owned()),
            "8005" => once(&mut self.unit_price, UnitPrice::new(scaled(value, "0")?)),
            _ => match ai.split_at_checked(3) {
                Some(("310", n)) => once(&mut self.weight_kg, Quantity::new(scaled(value, n)?)),
                Some(("392", n)) => once(&mut self.price, UnitPrice::new(scaled(value, n)?)),
                _ => Ok(()),
            },
        }
    }
}

/// The same identifier twice may only repeat itself: two prices on one label are no price.
fn once<T: PartialEq>(field: &mut Option<T>, value: T) -> Result<(), CodeFault> {
    match field {
        Some(known) if *known != value => Err(CodeFault::Shape),
        _ => {
            *field = Some(value);
            Ok(())
        }
    }
}

fn date(value: &str) -> Result<AiDate, CodeFault> {
    AiDate::parse(value).ok_or(CodeFault::Shape)
}

/// Returns digits with the decimal point `places` from the right.
fn scaled(digits: &str, places: &str) -> Result<Decimal, CodeFault> {
    let number: i64 = digits.parse().map_err(|_| CodeFault::Shape)?;
    let places: u32 = places.parse().map_err(|_| CodeFault::Shape)?;
    Decimal::try_new(number, places).map_err(|_| CodeFault::Shape)
}

/// Reads an element string: identifiers and values in a row, FNC1 as the group separator.
pub fn parse_elements(text: &str) -> Result<Vec<Element>, CodeFault> {
    let mut rest = text.strip_prefix(GROUP_SEPARATOR).unwrap_or(text);
    let mut elements = Vec::new();
    while !rest.is_empty() {
        let ai = ai_at(rest).ok_or(CodeFault::Shape)?;
        let (name, after) = rest.split_at(ai.len);
        let end =
            if ai.predefined { ai.max } else { after.find(GROUP_SEPARATOR).unwrap_or(after.len()) };
        let value = after.get(..end).ok_or(CodeFault::Shape)?;
        elements.push(element(ai, name, value)?);
        rest = &after[end..];
        rest = rest.strip_prefix(GROUP_SEPARATOR).unwrap_or(rest);
    }
    if elements.is_empty() { Err(CodeFault::Shape) } else { Ok(elements) }
}

/// Reads the form printed for people: `(01)04912345678904(17)261231`.
pub fn parse_bracketed(text: &str) -> Result<Vec<Element>, CodeFault> {
    let body = text.strip_prefix('(').ok_or(CodeFault::Shape)?;
    body.split('(')
        .map(|part| {
            let (name, value) = part.split_once(')').ok_or(CodeFault::Shape)?;
            named_element(name, value)
        })
        .collect()
}

/// Returns one element whose identifier is known to end where `name` ends.
pub fn named_element(name: &str, value: &str) -> Result<Element, CodeFault> {
    let ai = ai_at(name).filter(|ai| ai.len == name.len()).ok_or(CodeFault::Shape)?;
    element(ai, name, value)
}

fn element(ai: Ai, name: &str, value: &str) -> Result<Element, CodeFault> {
    let long_enough = (ai.min..=ai.max).contains(&value.len());
    let printable = value.bytes().all(|byte| byte.is_ascii_graphic());
    if !long_enough || !printable || (ai.numeric && !super::check::all_digits(value)) {
        return Err(CodeFault::Shape);
    }
    Ok(Element { ai: name.to_owned(), value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> Result<Gs1Scan, CodeFault> {
        Gs1Scan::from_elements(parse_elements(text)?)
    }

    #[test]
    fn a_label_is_read_with_date_and_lot() {
        let read = scan("01149123456789011726123110ABC").unwrap();
        assert_eq!(read.gtin.unwrap().to_string(), "14912345678901");
        assert_eq!(read.expires, AiDate::parse("261231"));
        assert_eq!(read.lot.as_deref(), Some("ABC"));
        assert_eq!(read.last_day_of_sale(), read.expires);
    }

    #[test]
    fn a_variable_value_ends_at_the_separator() {
        let read = scan("\u{1D}10AB12\u{1D}21S1\u{1D}3012\u{1D}0104912345678904").unwrap();
        assert_eq!((read.lot.as_deref(), read.serial.as_deref()), (Some("AB12"), Some("S1")));
        assert_eq!((read.count, read.gtin.is_some()), (Some(12), true));
    }

    #[test]
    fn weight_and_price_have_their_decimals() {
        for (text, weight, price) in [
            ("0194912345678907310300125039201980", Some("1.25"), Some("1980")),
            ("01949123456789073101000012", Some("1.2"), None),
            ("019491234567890739221980", None, Some("19.8")),
        ] {
            let read = scan(text).unwrap();
            assert_eq!(read.weight_kg.map(|kg| kg.to_string()).as_deref(), weight);
            assert_eq!(read.price.map(|price| price.to_string()).as_deref(), price);
            assert_eq!(read.lookups(), ["94912345678907", "4912345678904"]);
        }
    }

    #[test]
    fn all_is_read_or_nothing() {
        for (text, fault) in [
            ("0104912345678900", CodeFault::CheckDigit { expected: '4' }),
            ("010491234567", CodeFault::Shape),
            ("010491234567890417261331", CodeFault::Shape),
            ("010491234567890405", CodeFault::Shape),
            ("10", CodeFault::Shape),
            ("10123456789012345678901", CodeFault::Shape),
            ("392012345\u{1D}392099999", CodeFault::Shape),
            ("", CodeFault::Shape),
        ] {
            assert_eq!(scan(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn the_printed_form_reads_as_the_scanned_one() {
        let printed = parse_bracketed("(01)14912345678901(17)261231(10)ABC");
        assert_eq!(printed, parse_elements("01149123456789011726123110ABC"));
        assert_eq!(parse_bracketed("(1)4912345678904"), Err(CodeFault::Shape));
    }
}
