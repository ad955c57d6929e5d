//! In-store labels: what a shop's own prefix means, as data.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: building a label and reading it give the same item and value.

use serde::{Deserialize, Serialize};

use super::CodeFault;
use super::check::{all_digits, mod10w3};
use super::gtin::Gtin;
use super::price_verifier::price_verifier;
use crate::domain::money::Money;
use crate::domain::quantity::Quantity;
use crate::domain::tax::TaxMode;

/// The layouts in use, each for the 12 digits before the check digit (`japan.md` 3.2); the item
/// takes what the prefix and the value leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Layout {
    /// Item 5, price verifier, price 4: fresh food.
    A,
    /// Item 4, price verifier, price 5.
    B,
    /// Item 5, price 5.
    C,
    /// Item 6, price 4.
    D,
    /// Item 5, grams 5; the unit price is on file.
    E,
    /// Member 10.
    F,
}

/// What the value digits of a layout are, and how many.
struct Shape {
    verifier: usize,
    value: usize,
}

impl Layout {
    fn shape(self) -> Shape {
        let (verifier, value) = match self {
            Self::A => (1, 4),
            Self::B => (1, 5),
            Self::C | Self::E => (0, 5),
            Self::D => (0, 4),
            Self::F => (0, 0),
        };
        Shape { verifier, value }
    }
}

/// One prefix and its meaning: the `[[in_store]]` table of the shop's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InStoreRule {
    pub prefix: String,
    pub layout: Layout,
    /// Whether the price inside contains the tax; absent means as the shop's items do.
    #[serde(default)]
    pub price_mode: Option<TaxMode>,
    /// Some scales fill the verifier with another digit; then it is read past.
    #[serde(default = "yes")]
    pub verify_pcd: bool,
}

fn yes() -> bool {
    true
}

/// A label read by a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InStoreScan {
    /// All 13 digits.
    pub code: String,
    /// Prefix and item digits: the code of the item on file (`0237009`).
    pub master: String,
    /// The form some label tools use for the same item: the rest zeros.
    pub zeroed: String,
    pub value: InStoreValue,
}

/// What a label holds beside the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InStoreValue {
    Price {
        amount: Money,
        mode: Option<TaxMode>,
    },
    Weight {
        grams: u32,
    },
    /// All zeros: a label without its value. Ask; never sell for nothing.
    Blank {
        mode: Option<TaxMode>,
    },
}

/// Returns a weight in an item's unit: 1,250 g of `100g` is 12.5.
pub fn quantity_of(grams: u32, grams_per_unit: u32) -> Option<Quantity> {
    let grams = rust_decimal::Decimal::from(grams);
    grams.checked_div(grams_per_unit.into()).map(Quantity::new)
}

impl InStoreRule {
    /// Returns whether the prefix is one a shop may use: 02, 04, 09, or 20–29.
    pub fn has_usable_prefix(&self) -> bool {
        let two = all_digits(&self.prefix) && self.prefix.len() == 2;
        two && (matches!(self.prefix.as_str(), "02" | "04" | "09") || self.prefix.starts_with('2'))
    }

    /// Returns whether this rule reads these 13 digits.
    pub fn reads(&self, code: &str) -> bool {
        code.len() == 13 && self.has_usable_prefix() && code.starts_with(&self.prefix)
    }

    /// Reads a label that `reads` has taken. The check digit of the whole comes first: when it is
    /// wrong any digit may be.
    pub fn read(&self, code: &str) -> Result<InStoreScan, CodeFault> {
        Gtin::parse(code)?;
        let Shape { verifier, value } = self.layout.shape();
        let value_at = 12 - value;
        let master = &code[..value_at - verifier];
        let digits = &code[value_at..12];
        if verifier == 1 && self.verify_pcd {
            let expected = price_verifier(digits).ok_or(CodeFault::Shape)?;
            if !code[value_at - 1..].starts_with(expected) {
                return Err(CodeFault::PriceCheckDigit { expected });
            }
        }
        Ok(InStoreScan {
            code: code.to_owned(),
            master: master.to_owned(),
            zeroed: format!("{master:0<13}"),
            value: self.value(digits)?,
        })
    }

    fn value(&self, digits: &str) -> Result<InStoreValue, CodeFault> {
        let number: u32 = if digits.is_empty() { 0 } else { parsed(digits)? };
        Ok(match (self.layout, number) {
            (_, 0) => InStoreValue::Blank { mode: self.price_mode },
            (Layout::E, grams) => InStoreValue::Weight { grams },
            (_, price) => {
                InStoreValue::Price { amount: Money::new(price.into()), mode: self.price_mode }
            }
        })
    }

    /// Returns the 13 digits of a label for an item (its digits without the prefix) and a price in
    /// yen or a weight in grams; `None` when either does not fit the layout.
    pub fn build(&self, item: &str, value: u32) -> Option<String> {
        let shape = self.layout.shape();
        let item_len = 12 - self.prefix.len() - shape.verifier - shape.value;
        let digits = match shape.value {
            0 => String::new(),
            width => format!("{value:0width$}"),
        };
        let fits = all_digits(item) && item.len() == item_len && digits.len() == shape.value;
        if !fits || !self.has_usable_prefix() {
            return None;
        }
        let verifier = match shape.verifier {
            0 => String::new(),
            _ => price_verifier(&digits)?.to_string(),
        };
        let data = format!("{}{item}{verifier}{digits}", self.prefix);
        mod10w3(&data).map(|check| format!("{data}{check}"))
    }
}

fn parsed(digits: &str) -> Result<u32, CodeFault> {
    digits.parse().map_err(|_| CodeFault::Shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;

    fn rule(prefix: &str, layout: Layout) -> InStoreRule {
        let price_mode = Some(TaxMode::Included);
        InStoreRule { prefix: prefix.into(), layout, price_mode, verify_pcd: true }
    }

    #[test]
    fn labels_are_read_by_their_layout() {
        for (code, prefix, layout, master, value) in [
            ("0237009401082", "02", Layout::A, "0237009", 108),
            ("0237009202160", "02", Layout::A, "0237009", 216),
            ("0212345928752", "02", Layout::A, "0212345", 2875),
            ("0212345039809", "02", Layout::C, "0212345", 3980),
        ] {
            let scan = rule(prefix, layout).read(code).unwrap();
            let mode = Some(TaxMode::Included);
            assert_eq!(scan.master, master);
            assert_eq!(scan.value, InStoreValue::Price { amount: yen(value), mode }, "{code}");
        }
    }

    #[test]
    fn a_weight_label_holds_grams() {
        let scan = rule("29", Layout::E).read("2900001012508").unwrap();
        assert_eq!(scan.master, "2900001");
        assert_eq!(scan.value, InStoreValue::Weight { grams: 1250 });
        assert_eq!(quantity_of(1250, 100).unwrap().to_string(), "12.5");
        assert_eq!(quantity_of(1250, 1000).unwrap().to_string(), "1.25");
        assert_eq!(quantity_of(1250, 0), None);
    }

    #[test]
    fn a_misread_price_is_refused_unless_the_shop_reads_past_the_verifier() {
        let strict = rule("02", Layout::A);
        let fault = CodeFault::PriceCheckDigit { expected: '4' };
        assert_eq!(strict.read("0237009501089"), Err(fault));
        let lenient = InStoreRule { verify_pcd: false, ..strict };
        assert!(lenient.read("0237009501089").is_ok());
        let fault = CodeFault::CheckDigit { expected: '2' };
        assert_eq!(lenient.read("0237009401080"), Err(fault));
    }

    #[test]
    fn a_label_without_value_is_blank_and_never_free() {
        let rule = rule("02", Layout::A);
        let blank = rule.build("37009", 0).unwrap();
        let mode = rule.price_mode;
        assert_eq!(rule.read(&blank).unwrap().value, InStoreValue::Blank { mode });
    }

    #[test]
    fn what_is_built_is_read_back() {
        for (layout, prefix, item, value) in [
            (Layout::A, "02", "12345", 2875),
            (Layout::B, "21", "1234", 14685),
            (Layout::C, "20", "12345", 3980),
            (Layout::D, "21", "123456", 9999),
            (Layout::E, "29", "00001", 1250),
        ] {
            let rule = rule(prefix, layout);
            let code = rule.build(item, value).unwrap();
            let scan = rule.read(&code).unwrap();
            assert_eq!(scan.master, format!("{prefix}{item}"));
            let read = match scan.value {
                InStoreValue::Price { amount, .. } => amount.minor(),
                InStoreValue::Weight { grams } => grams.into(),
                InStoreValue::Blank { .. } => 0,
            };
            assert_eq!(read, i64::from(value), "{layout:?}");
            assert_eq!(rule.build(item, 100_000), None);
            assert_eq!(rule.build("1", value), None);
        }
        let built = rule("02", Layout::A).build("12345", 2875);
        assert_eq!(built.as_deref(), Some("0212345928752"));
        let built = rule("02", Layout::C).build("12345", 3980);
        assert_eq!(built.as_deref(), Some("0212345039809"));
    }
}
