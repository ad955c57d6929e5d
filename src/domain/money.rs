//! Money, and the only ways to add it.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: whole minor units (yen, cents); overflow is an answer, never a wrap.

use serde::{Deserialize, Serialize};

/// An amount in minor units of the shop's one currency.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(i64);

impl Money {
    pub const ZERO: Self = Self(0);
    /// The largest single amount a register takes: eight digits, as on the keys of an ECR.
    pub const MAX_KEYED: Self = Self(99_999_999);

    /// Wraps a count of minor units.
    pub const fn new(minor: i64) -> Self {
        Self(minor)
    }

    /// Returns the count of minor units.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Returns `None` on overflow, so a wrong total is never shown.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Returns `None` on overflow, so a wrong total is never shown.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Returns the amount without its sign.
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Formats with thousands separators and no currency sign: `-1,234`.
    pub fn grouped(self) -> String {
        let digits = self.0.unsigned_abs().to_string();
        let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
        if self.0 < 0 {
            out.push('-');
        }
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                out.push(',');
            }
            out.push(digit);
        }
        out
    }
}

/// Sums inside one sale are bounded by `MAX_KEYED` times the line limit; past that only a bug can
/// overflow, so these operators assert, in release too.
impl std::ops::Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.checked_add(other).expect("amount overflow")
    }
}

impl std::ops::Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.checked_sub(other).expect("amount overflow")
    }
}

impl std::ops::Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.checked_neg().expect("amount overflow"))
    }
}

impl std::ops::AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::ops::SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, |sum, amount| sum + amount)
    }
}

/// Shorthand for tests and tables.
pub const fn yen(minor: i64) -> Money {
    Money(minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grouping_puts_a_comma_before_each_three_digits() {
        for (amount, want) in [
            (0, "0"),
            (12, "12"),
            (123, "123"),
            (1234, "1,234"),
            (-123_456, "-123,456"),
            (45_860_540, "45,860,540"),
        ] {
            assert_eq!(yen(amount).grouped(), want);
        }
    }

    #[test]
    fn an_overflow_is_an_answer() {
        assert_eq!(yen(i64::MAX).checked_add(yen(1)), None);
        assert_eq!(yen(i64::MIN).checked_sub(yen(1)), None);
    }
}
