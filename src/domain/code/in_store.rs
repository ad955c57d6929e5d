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
    /// As the shop's scale or label printer writes it.
    #[serde(rename = "own")]
    Own(OwnLayout),
}

/// A layout of the shop's own: what stands between the item's digits and the check digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnLayout {
    /// All digits of the label, 8 or 13.
    #[serde(default = "long")]
    pub length: u8,
    /// Digits of the price, or …
    #[serde(default)]
    pub price: u8,
    /// … of the weight.
    #[serde(default)]
    pub grams: u8,
    /// Whether a price verifier stands before the price.
    #[serde(default)]
    pub verifier: bool,
    /// Yen or grams that the last digit counts: 1, 10, 100 or 1000.
    #[serde(default = "one")]
    pub times: u16,
}

fn long() -> u8 {
    LONG as u8
}

fn one() -> u16 {
    1
}

/// Digits of a label, and of a short one.
const LONG: usize = 13;
const SHORT: usize = 8;
/// The most digits of a price or a weight.
const MOST_VALUE: u8 = 6;

/// What stands behind the item's digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Nothing,
    Price,
    Weight,
}

/// How many digits are what.
struct Shape {
    length: usize,
    verifier: usize,
    value: usize,
    holds: Holds,
    times: u16,
}

impl Layout {
    fn shape(self) -> Shape {
        let (verifier, value, holds) = match self {
            Self::A => (1, 4, Holds::Price),
            Self::B => (1, 5, Holds::Price),
            Self::C => (0, 5, Holds::Price),
            Self::D => (0, 4, Holds::Price),
            Self::E => (0, 5, Holds::Weight),
            Self::F => (0, 0, Holds::Nothing),
            Self::Own(own) => return own.shape(),
        };
        Shape { length: LONG, verifier, value, holds, times: 1 }
    }

    pub fn holds(self) -> Holds {
        self.shape().holds
    }
}

impl OwnLayout {
    fn shape(self) -> Shape {
        let holds = if self.grams > 0 { Holds::Weight } else { Holds::Price };
        Shape {
            length: self.length.into(),
            verifier: self.verifier.into(),
            value: usize::from(self.price) + usize::from(self.grams),
            holds,
            times: self.times,
        }
    }

    /// Returns whether there are labels of this layout under a prefix.
    fn is_possible(self, prefix: &str) -> bool {
        let Shape { length, verifier, value, .. } = self.shape();
        let one_value = (self.price == 0) != (self.grams == 0);
        let verified = !self.verifier || matches!(self.price, 4 | 5);
        let holds_item = prefix.len() + verifier + value + 1 < length;
        matches!(length, SHORT | LONG)
            && one_value
            && self.price.max(self.grams) <= MOST_VALUE
            && verified
            && holds_item
            && matches!(self.times, 1 | 10 | 100 | 1_000)
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
    /// All its digits.
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
    /// Returns whether the prefix is one a shop may use: 02, 04, 09, or 20–29; 2 or 0 and what
    /// follows it on a label of eight digits.
    pub fn has_usable_prefix(&self) -> bool {
        let prefix = self.prefix.as_str();
        let is_usable = match (prefix.len(), self.layout.shape().length) {
            (2, LONG) => matches!(prefix, "02" | "04" | "09") || prefix.starts_with('2'),
            (1 | 2, SHORT) => prefix.starts_with(['0', '2']),
            _ => false,
        };
        is_usable && all_digits(prefix)
    }

    /// Returns whether some label follows this rule.
    pub fn is_possible(&self) -> bool {
        match self.layout {
            Layout::Own(own) => own.is_possible(&self.prefix),
            _ => true,
        }
    }

    /// All digits of a label.
    pub fn length(&self) -> usize {
        self.layout.shape().length
    }

    /// Returns whether this rule reads these digits.
    pub fn reads(&self, code: &str) -> bool {
        code.len() == self.length()
            && all_digits(code)
            && self.has_usable_prefix()
            && code.starts_with(&self.prefix)
    }

    /// Reads a label that `reads` has taken. The check digit of the whole comes first: when it is
    /// wrong any digit may be.
    pub fn read(&self, code: &str) -> Result<InStoreScan, CodeFault> {
        Gtin::parse(code)?;
        let Shape { length, verifier, value, .. } = self.layout.shape();
        let (value_at, check_at) = (length - 1 - value, length - 1);
        let master = &code[..value_at - verifier];
        let digits = &code[value_at..check_at];
        if verifier == 1 && self.verify_pcd {
            let expected = price_verifier(digits).ok_or(CodeFault::Shape)?;
            if !code[value_at - 1..].starts_with(expected) {
                return Err(CodeFault::PriceCheckDigit { expected });
            }
        }
        Ok(InStoreScan {
            code: code.to_owned(),
            master: master.to_owned(),
            zeroed: format!("{master:0<length$}"),
            value: self.value(digits)?,
        })
    }

    fn value(&self, digits: &str) -> Result<InStoreValue, CodeFault> {
        let Shape { holds, times, .. } = self.layout.shape();
        let number: u32 = if digits.is_empty() { 0 } else { parsed(digits)? };
        let number = number.checked_mul(times.into()).ok_or(CodeFault::Shape)?;
        Ok(match (holds, number) {
            (Holds::Nothing, _) | (_, 0) => InStoreValue::Blank { mode: self.price_mode },
            (Holds::Weight, grams) => InStoreValue::Weight { grams },
            (Holds::Price, price) => {
                InStoreValue::Price { amount: Money::new(price.into()), mode: self.price_mode }
            }
        })
    }

    /// Returns the digits of a label for an item (its digits without the prefix) and a price in
    /// yen or a weight in grams; `None` when either does not fit the layout.
    pub fn build(&self, item: &str, value: u32) -> Option<String> {
        let Shape { length, verifier, value: width, times, .. } = self.layout.shape();
        let item_len = length.checked_sub(1 + self.prefix.len() + verifier + width)?;
        let times = u32::from(times);
        let digits = match width {
            0 => String::new(),
            _ if !value.is_multiple_of(times) => return None,
            _ => format!("{:0width$}", value / times),
        };
        let fits = all_digits(item) && item.len() == item_len && digits.len() == width;
        if !fits || !self.has_usable_prefix() {
            return None;
        }
        let verifier = match verifier {
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

    #[test]
    fn a_layout_of_the_shop_s_own_is_read_as_its_scale_writes_it() {
        let short = OwnLayout { length: 8, price: 3, grams: 0, verifier: false, times: 10 };
        let grams = OwnLayout { length: 13, price: 0, grams: 4, times: 10, ..short };
        let checked = OwnLayout { length: 13, price: 5, verifier: true, times: 1, ..short };
        let price = |amount| InStoreValue::Price { amount: yen(amount), mode: None };
        for (prefix, own, item, value, code, zeroed) in [
            ("2", short, "123", price(1_280), "21231285", "21230000"),
            ("02", short, "12", price(9_990), "02129990", "02120000"),
            (
                "21",
                grams,
                "123456",
                InStoreValue::Weight { grams: 12_500 },
                "2112345612508",
                "2112345600000",
            ),
            ("21", checked, "1234", price(14_685), "2112346146859", "2112340000000"),
        ] {
            let rule = InStoreRule { price_mode: None, ..rule(prefix, Layout::Own(own)) };
            let number = match value {
                InStoreValue::Price { amount, .. } => amount.minor() as u32,
                InStoreValue::Weight { grams } => grams,
                InStoreValue::Blank { .. } => 0,
            };
            assert!(rule.is_possible(), "{own:?}");
            assert_eq!(rule.build(item, number).as_deref(), Some(code), "{own:?}");
            assert!(rule.reads(code));
            let scan = rule.read(code).unwrap();
            assert_eq!((scan.master, scan.zeroed), (format!("{prefix}{item}"), zeroed.to_owned()));
            assert_eq!(scan.value, value);
            if own.times > 1 {
                assert_eq!(rule.build(item, number + 1), None, "it would lose a yen");
            }
        }
        for (prefix, own) in [
            ("2", OwnLayout { length: 12, ..short }),
            ("2", OwnLayout { price: 0, ..short }),
            ("2", OwnLayout { grams: 2, ..short }),
            ("2", OwnLayout { price: 6, ..short }),
            ("2", OwnLayout { verifier: true, ..short }),
            ("2", OwnLayout { times: 7, ..short }),
            ("21", OwnLayout { price: 7, ..checked }),
        ] {
            assert!(!rule(prefix, Layout::Own(own)).is_possible(), "{prefix} {own:?}");
        }
        for (prefix, own, usable) in
            [("2", short, true), ("0", short, true), ("4", short, false), ("2", checked, false)]
        {
            assert_eq!(rule(prefix, Layout::Own(own)).has_usable_prefix(), usable, "{prefix}");
        }
    }
}
