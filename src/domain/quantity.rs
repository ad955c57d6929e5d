//! Quantities, unit prices with fractions, and rates: decimals that never become floats, and the
//! named places where a decimal becomes money.
//!
//! Room: domain. May touch: rust_decimal. May not: clock, file, terminal, float.
//! Invariant: kept normalised, so that equal values have equal bytes under the chain.

use std::fmt::{self, Write};
use std::str::FromStr;

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::money::Money;

/// How a fraction of a yen is settled; always on the magnitude, the sign is put back afterwards
/// (`japan.md` 1.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    #[default]
    Floor,
    HalfUp,
    Ceil,
}

impl Rounding {
    /// Returns `value` as whole minor units, or `None` when it does not fit.
    pub fn to_money(self, value: Decimal) -> Option<Money> {
        let strategy = match self {
            Self::Floor => RoundingStrategy::ToZero,
            Self::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Self::Ceil => RoundingStrategy::AwayFromZero,
        };
        let rounded = value.round_dp_with_strategy(0, strategy);
        rounded.to_i64().map(Money::new)
    }

    /// Returns `numerator / denominator` as whole minor units; `denominator` is above zero.
    pub fn divide(self, numerator: i128, denominator: i128) -> Option<Money> {
        assert!(denominator > 0, "a divisor above zero");
        let magnitude = numerator.unsigned_abs();
        let divisor = denominator.unsigned_abs();
        let (whole, rest) = (magnitude / divisor, magnitude % divisor);
        let up = match self {
            Self::Floor => false,
            Self::HalfUp => rest * 2 >= divisor,
            Self::Ceil => rest > 0,
        };
        let rounded = i64::try_from(whole + u128::from(up)).ok()?;
        Some(Money::new(if numerator < 0 { -rounded } else { rounded }))
    }
}

/// A number in plain digits: 29 of them at most, a sign and a point.
#[derive(Default)]
struct Plain {
    bytes: [u8; 32],
    len: usize,
}

impl Plain {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).expect("written as a text")
    }
}

impl Write for Plain {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let place = self.bytes.get_mut(self.len..self.len + more.len()).ok_or(fmt::Error)?;
        place.copy_from_slice(more.as_bytes());
        self.len += more.len();
        Ok(())
    }
}

macro_rules! decimal_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(Decimal);

        impl $name {
            pub const ZERO: Self = Self(Decimal::ZERO);
            pub const ONE: Self = Self(Decimal::ONE);

            pub fn new(value: Decimal) -> Self {
                Self(value.normalize())
            }

            pub fn decimal(self) -> Decimal {
                self.0
            }

            /// Returns the value when it is a whole number that fits.
            pub fn whole(self) -> Option<i64> {
                if self.0.scale() == 0 { self.0.to_i64() } else { None }
            }
        }

        impl From<i64> for $name {
            fn from(value: i64) -> Self {
                Self(Decimal::from(value))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotANumber;
            /// Reads plain digits with at most one point and a leading minus; no exponent.
            fn from_str(text: &str) -> Result<Self, NotANumber> {
                let plain = !text.is_empty()
                    && text.len() <= 20
                    && text.bytes().enumerate().all(|(place, byte)| {
                        byte.is_ascii_digit() || byte == b'.' || (byte == b'-' && place == 0)
                    });
                if !plain {
                    return Err(NotANumber);
                }
                if let Ok(whole) = text.parse::<i64>() {
                    return Ok(Self::from(whole)); // Most numbers; a decimal takes longer to read.
                }
                Decimal::from_str_exact(text).map(Self::new).map_err(|_| NotANumber)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut text = Plain::default();
                let written = match self.whole() {
                    Some(whole) => write!(text, "{whole}"), // Most numbers, and quicker.
                    None => write!(text, "{}", self.0),
                };
                written.map_err(ser::Error::custom)?;
                serializer.serialize_str(text.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|_| de::Error::custom("not a decimal number"))
            }
        }
    };
}

/// The text is not a plain decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number")]
pub struct NotANumber;

decimal_newtype!(
    /// A count of the item's unit: pieces, or hundreds of grams, or kilograms.
    Quantity
);
decimal_newtype!(
    /// Yen for one unit; may carry a fraction (198.5 for 100 g).
    UnitPrice
);
decimal_newtype!(
    /// A percentage (`8` is 8%) or a multiplier of points (`2` is double), as its field says.
    Rate
);

impl From<Money> for UnitPrice {
    fn from(amount: Money) -> Self {
        Self(Decimal::from(amount.minor()))
    }
}

impl std::ops::Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.0 + other.0)
    }
}

impl std::ops::Sub for Quantity {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::new(self.0 - other.0)
    }
}

impl std::ops::Neg for Quantity {
    type Output = Self;
    fn neg(self) -> Self {
        Self::new(-self.0)
    }
}

/// Returns round(quantity × unit price), or `None` when it does not fit.
pub fn extend_price(quantity: Quantity, price: UnitPrice, rounding: Rounding) -> Option<Money> {
    rounding.to_money(quantity.0.checked_mul(price.0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;

    #[test]
    fn rounding_works_on_the_magnitude() {
        for (numerator, denominator, floor, half_up, ceil) in [
            (8_000, 108, 74, 74, 75),
            (10_000, 110, 90, 91, 91),
            (-2352, 100, -23, -24, -24),
            (-8, 1, -8, -8, -8),
        ] {
            let of = |rounding: Rounding| rounding.divide(numerator, denominator).unwrap();
            assert_eq!(of(Rounding::Floor), yen(floor));
            assert_eq!(of(Rounding::HalfUp), yen(half_up));
            assert_eq!(of(Rounding::Ceil), yen(ceil));
        }
    }

    #[test]
    fn a_number_is_plain_digits() {
        for bad in ["", "1e3", "1,234", " 12", "１２", "1.2.3", "--1", "1-"] {
            assert_eq!(bad.parse::<Quantity>(), Err(NotANumber), "{bad:?}");
        }
        assert_eq!("12.50".parse::<Quantity>().unwrap().to_string(), "12.5");
    }

    #[test]
    fn weight_times_price_is_rounded_once() {
        let weight: Quantity = "12.5".parse().unwrap();
        let price: UnitPrice = "198".parse().unwrap();
        assert_eq!(extend_price(weight, price, Rounding::Floor), Some(yen(2475)));
    }
}
