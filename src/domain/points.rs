//! Points: what a sale earns, what may be used, what a return takes back, what has expired.
//!
//! Room: domain. May touch: std, chrono::NaiveDate, rust_decimal. May not: clock, file, float.
//! Invariant: a balance is a function of ledger and date; nothing ever posts an expiry.

mod earning;
mod ledger;
mod spending;

pub use earning::{PointLine, PointReceipt, earned};
pub use ledger::{Expiry, PointLot, PointMove, Purse, balance, purse};
pub use spending::{TakeBack, UseRefusal, check_use, most_usable, take_back};

use serde::{Deserialize, Serialize};

use super::quantity::{Rate, Rounding};
use super::tax::TaxMode;

/// Whether points are counted on the whole receipt or line by line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    #[default]
    Receipt,
    Line,
}

/// What points are when they are used (`japan.md` 1.7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseAs {
    /// A discount, shared over the rates.
    #[default]
    Discount,
    /// A tender: the taxable total stays.
    Tender,
}

/// What happens when a return takes back points that are already spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Returns {
    /// The balance goes below zero.
    #[default]
    Negative,
    /// What is missing is taken off the refund, a yen a point.
    Deduct,
    /// What is missing is let go, and said so.
    Keep,
}

/// The day from which points stay good for their months (`japan.md` 1.7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiresFrom {
    /// Each from the day it was earned on.
    #[default]
    Earned,
    /// All of them from the last day on which the member earned or used any.
    Used,
}

/// What multipliers are taken of (`japan.md` 1.7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Multiply {
    /// Of the whole steps: 199 yen are one step of 100, and twice one is 2 points.
    #[default]
    Steps,
    /// Of the amount: twice 199 yen are three steps of 100.
    Amount,
}

/// The `[points]` table of the shop's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PointRules {
    /// Yen for one step of points; zero earns nothing.
    pub unit_yen: u32,
    /// Points for each step.
    pub points: u32,
    pub basis: TaxMode,
    pub scope: Scope,
    pub rounding: Rounding,
    pub use_as: UseAs,
    /// Whether the part paid with points earns too.
    pub on_used: bool,
    /// Whether what discounts took off earns too.
    pub on_discounts: bool,
    pub multiply: Multiply,
    pub returns: Returns,
    /// Months for which points stay good; absent or zero: for ever.
    pub expires_months: Option<u32>,
    pub expires_from: ExpiresFrom,
    /// The least points that may be used at once.
    pub minimum: u32,
    /// Points are used in multiples of this.
    pub use_step: u32,
    /// `[[points.rule]]`.
    #[serde(rename = "rule")]
    pub rules: Vec<PointRule>,
}

impl Default for PointRules {
    fn default() -> Self {
        Self {
            unit_yen: 100,
            points: 1,
            basis: TaxMode::Included,
            scope: Scope::Receipt,
            rounding: Rounding::Floor,
            use_as: UseAs::Discount,
            on_used: false,
            on_discounts: false,
            multiply: Multiply::Steps,
            returns: Returns::Negative,
            expires_months: None,
            expires_from: ExpiresFrom::Earned,
            minimum: 1,
            use_step: 1,
            rules: Vec::new(),
        }
    }
}

impl PointRules {
    pub fn expiry(&self) -> Expiry {
        Expiry { months: self.expires_months, from: self.expires_from }
    }
}

/// A multiplier and when it holds; every condition that is set must be met. One with an item or a
/// department is for those goods, the others are for the whole receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointRule {
    #[serde(default)]
    pub weekday: Option<Weekday>,
    /// Day of the month, 1–31.
    #[serde(default)]
    pub day: Option<u32>,
    #[serde(default)]
    pub item: Option<String>,
    #[serde(default)]
    pub department: Option<u32>,
    #[serde(default)]
    pub rank: Option<String>,
    pub rate: Rate,
}

/// A day of the week as settings spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    #[serde(alias = "monday")]
    Mon,
    #[serde(alias = "tuesday")]
    Tue,
    #[serde(alias = "wednesday")]
    Wed,
    #[serde(alias = "thursday")]
    Thu,
    #[serde(alias = "friday")]
    Fri,
    #[serde(alias = "saturday")]
    Sat,
    #[serde(alias = "sunday")]
    Sun,
}

impl From<chrono::Weekday> for Weekday {
    fn from(day: chrono::Weekday) -> Self {
        match day {
            chrono::Weekday::Mon => Self::Mon,
            chrono::Weekday::Tue => Self::Tue,
            chrono::Weekday::Wed => Self::Wed,
            chrono::Weekday::Thu => Self::Thu,
            chrono::Weekday::Fri => Self::Fri,
            chrono::Weekday::Sat => Self::Sat,
            chrono::Weekday::Sun => Self::Sun,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_unknown_keys_refused() {
        let text = "unit_yen = 200\nbasis = \"excluded\"\nscope = \"line\"\nreturns = \"deduct\"\n\
            expires_months = 12\n[[rule]]\nweekday = \"sunday\"\nrate = \"2\"\n";
        let rules: PointRules = toml::from_str(text).unwrap();
        assert_eq!((rules.unit_yen, rules.basis), (200, TaxMode::Excluded));
        assert_eq!((rules.scope, rules.returns), (Scope::Line, Returns::Deduct));
        assert_eq!(rules.rules[0].weekday, Some(Weekday::Sun));
        assert_eq!((rules.points, rules.on_used), (1, false));
        for bad in ["unit = 1", "scope = \"item\"", "[[rule]]\nrate = \"x\"", "[[rule]]\nday = 1"] {
            assert!(toml::from_str::<PointRules>(bad).is_err(), "{bad}");
        }
    }
}
