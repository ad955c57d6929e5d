//! Consumption tax: classes with dated rates, and the tax of a receipt, once for each rate.
//!
//! Room: domain. May touch: std, chrono::NaiveDate, rust_decimal. May not: clock, file, float.
//! Invariant: tax is rounded once per class and rate, on the magnitude; never per line.

mod class;
mod groups;

pub use class::{BadClass, RateFrom, TaxClass, TaxClassRow, TaxTable};
pub use groups::{TaxGroup, TaxLine, excluded_tax, receipt_mode, tax_groups, total};

use serde::{Deserialize, Serialize};

use super::money::Money;
use super::quantity::{Rate, Rounding};

/// Whether a price contains its tax.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxMode {
    #[default]
    Included,
    Excluded,
}

impl TaxMode {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Included => "included",
            Self::Excluded => "excluded",
        }
    }
}

/// The shop's choices: the single keys of its `[tax]` table; the classes are a `TaxTable`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaxSettings {
    /// Once per rate per receipt.
    pub rounding: Rounding,
    /// How items are priced when they do not say.
    pub price_mode: TaxMode,
    /// Prices that are worked out: half price, weight × unit price, from one mode to the other.
    pub price_rounding: Rounding,
    /// The one basis of a receipt that mixes both.
    pub mixed_to: TaxMode,
}

impl Default for TaxSettings {
    fn default() -> Self {
        Self {
            rounding: Rounding::Floor,
            price_mode: TaxMode::Included,
            price_rounding: Rounding::Floor,
            mixed_to: TaxMode::Included,
        }
    }
}

/// A rate as parts of a whole: 8% is 8 of 100, 7.8% is 78 of 1,000.
struct Parts {
    tax: i128,
    base: i128,
}

impl Parts {
    /// `None` for a rate below zero.
    fn of(rate: Rate) -> Option<Self> {
        let decimal = rate.decimal();
        let base = 10_i128.checked_pow(decimal.scale())?.checked_mul(100)?;
        (decimal.mantissa() >= 0).then(|| Self { tax: decimal.mantissa(), base })
    }

    fn with_tax(&self) -> Option<i128> {
        self.base.checked_add(self.tax)
    }
}

/// Returns the tax inside an amount that contains it; `None` when it does not fit.
pub fn tax_in(sum: Money, rate: Rate, rounding: Rounding) -> Option<Money> {
    let parts = Parts::of(rate)?;
    rounding.divide(i128::from(sum.minor()).checked_mul(parts.tax)?, parts.with_tax()?)
}

/// Returns the tax on an amount without it; `None` when it does not fit.
pub fn tax_on(sum: Money, rate: Rate, rounding: Rounding) -> Option<Money> {
    let parts = Parts::of(rate)?;
    rounding.divide(i128::from(sum.minor()).checked_mul(parts.tax)?, parts.base)
}

/// Returns a price in the other mode, rounded as prices are; `None` when it does not fit.
pub fn convert(
    amount: Money,
    rate: Rate,
    from: TaxMode,
    to: TaxMode,
    price_rounding: Rounding,
) -> Option<Money> {
    let parts = Parts::of(rate)?;
    let (times, over) = match (from, to) {
        (TaxMode::Excluded, TaxMode::Included) => (parts.with_tax()?, parts.base),
        (TaxMode::Included, TaxMode::Excluded) => (parts.base, parts.with_tax()?),
        _ => return Some(amount),
    };
    price_rounding.divide(i128::from(amount.minor()).checked_mul(times)?, over)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn tax_inside_and_on_top_follow_the_worked_cases() {
        for (sum, percent, floor, half_up, ceil) in [
            (1_000, "10", 90, 91, 91), // TX-06
            (1_000, "8", 74, 74, 75),  // TX-07
            (54_999, "10", 4_999, 5_000, 5_000),
            (-324, "8", -24, -24, -24),
            (1_000, "0", 0, 0, 0),
            (1_078, "7.8", 78, 78, 78),
        ] {
            let of = |rounding| tax_in(yen(sum), rate(percent), rounding).unwrap().minor();
            let all = (of(Rounding::Floor), of(Rounding::HalfUp), of(Rounding::Ceil));
            assert_eq!(all, (floor, half_up, ceil), "{sum} at {percent}%");
        }
        for (sum, percent, floor, half_up, ceil) in [
            (294, "8", 23, 24, 24),     // TX-02
            (-294, "8", -23, -24, -24), // TX-13
            (500, "8", 40, 40, 40),     // TX-09
            (571, "10", 57, 57, 58),    // BK-01
            (1_000, "7.85", 78, 79, 79),
        ] {
            let of = |rounding| tax_on(yen(sum), rate(percent), rounding).unwrap().minor();
            let all = (of(Rounding::Floor), of(Rounding::HalfUp), of(Rounding::Ceil));
            assert_eq!(all, (floor, half_up, ceil), "{sum} at {percent}%");
        }
    }

    #[test]
    fn what_does_not_fit_is_an_answer() {
        assert_eq!(tax_on(yen(100), rate("-8"), Rounding::Floor), None);
        assert_eq!(tax_on(yen(i64::MAX), rate("1000"), Rounding::Floor), None);
        let fine = rate("0.00000000000000001");
        assert_eq!(tax_in(yen(i64::MAX), fine, Rounding::Floor), Some(yen(0)));
    }

    #[test]
    fn a_price_keeps_its_sign_and_rounding_in_the_other_mode() {
        use TaxMode::{Excluded, Included};
        for (amount, from, to, want) in [
            (200, Excluded, Included, 220),
            (150, Excluded, Included, 162),
            (99, Excluded, Included, 106),
            (108, Included, Excluded, 100),
            (107, Included, Excluded, 99),
            (-99, Excluded, Included, -106),
            (99, Included, Included, 99),
        ] {
            let percent = if amount == 200 { "10" } else { "8" };
            let got = convert(yen(amount), rate(percent), from, to, Rounding::Floor);
            assert_eq!(got, Some(yen(want)), "{amount}");
        }
    }
}
