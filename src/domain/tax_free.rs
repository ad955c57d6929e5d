//! Purchase records of a tax-free shop: goods sold with their tax, and the tax that goes back once
//! customs have seen them leave.
//!
//! Room: domain. May touch: std. Source: `japan.md` 1.9, the refund method from 2026-11-01. The record
//! reaches customs by the shop's approved provider; the register keeps what became of it.
//! Invariant: the records of one receipt never give back more tax than its paper shows.

use serde::{Deserialize, Serialize};

use super::money::Money;
use super::number::DocNo;
use super::quantity::Rounding;
use super::sale::{Sale, SaleLine};
use super::tax::{TaxClass, TaxGroup, TaxMode, tax_in, tax_on};

/// The first civil day of the method, days from the common era: 2026-11-01.
pub const FIRST_DAY: i32 = 739_921;
/// What a customer must buy in one shop on one day, before tax.
pub const LEAST: Money = Money::new(5_000);
/// Days in which customs must have seen the goods leave.
pub const DAYS_TO_LEAVE: i32 = 90;

/// What has become of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    Sold,
    Sent,
    Confirmed,
    /// Customs did not see all of its goods: none of them is free of tax.
    NotConfirmed,
    Refunded,
}

impl Status {
    pub const ALL: [Self; 5] =
        [Self::Sold, Self::Sent, Self::Confirmed, Self::NotConfirmed, Self::Refunded];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Sold => "sold",
            Self::Sent => "sent",
            Self::Confirmed => "confirmed",
            Self::NotConfirmed => "not_confirmed",
            Self::Refunded => "refunded",
        }
    }

    /// Reads what staff may say; sold and refunded come of acts of their own.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Sent, Self::Confirmed, Self::NotConfirmed].into_iter().find(|s| s.word() == word)
    }

    /// Whether customs may still, or did, see the goods leave.
    pub const fn holds_goods(self) -> bool {
        !matches!(self, Self::NotConfirmed)
    }

    /// Whether somebody still has something to do.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Sold | Self::Sent | Self::Confirmed)
    }

    /// Whether `next` may follow.
    pub const fn leads_to(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Sold, Self::Sent | Self::NotConfirmed)
                | (Self::Sent, Self::Confirmed | Self::NotConfirmed)
                | (Self::Confirmed, Self::Refunded)
        )
    }
}

/// How the tax goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefundBy {
    Cash,
    /// To an account or a card, outside the register.
    Transfer,
}

impl RefundBy {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Transfer => "transfer",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Cash, Self::Transfer].into_iter().find(|by| by.word() == word)
    }
}

/// A purchase record as it was made: lines of one receipt, with the tax in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub number: DocNo,
    pub receipt: DocNo,
    /// Civil day of the sale, days from the common era.
    pub sold_on: i32,
    /// Lines of the receipt, from 1.
    pub lines: Vec<u32>,
    /// Other receipts of the customer and day, which count for the least amount.
    pub with: Vec<DocNo>,
    pub taxes: Vec<TaxGroup>,
}

impl Record {
    /// What goes back.
    pub fn refund(&self) -> Money {
        self.taxes.iter().map(|group| group.tax).sum()
    }

    /// The last civil day on which the goods may leave.
    pub fn leaves_by(&self) -> i32 {
        self.sold_on.saturating_add(DAYS_TO_LEAVE)
    }
}

/// A record with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub record: Record,
    pub status: Status,
}

/// Whether a line may be in a record: the item is marked for it, was taken along, and has tax in it.
pub fn is_eligible(line: &SaleLine) -> bool {
    let taxed = line.rate.is_some_and(|rate| rate > 0.into());
    line.item.flags.tax_free_ok && !line.item.is_return() && taxed
}

/// Returns the tax in these lines, once per rate. What the paper shows of a rate is shared out over
/// the records: whoever takes the last goods of a rate takes what is left of its tax.
pub fn taxes_of(
    sale: &Sale,
    lines: &[u32],
    before: &[Record],
    rounding: Rounding,
) -> Vec<TaxGroup> {
    let printed = sale.totals.taxes.iter();
    let groups = printed.filter_map(|group| {
        let base = base_of(sale, lines, group);
        if base.is_zero() {
            return None;
        }
        let held = before.iter().flat_map(|record| &record.taxes);
        let held: Vec<_> = held.filter(|held| is_same(held, group)).collect();
        let base_before: Money = held.iter().map(|held| held.base).sum();
        let tax_before: Money = held.iter().map(|held| held.tax).sum();
        let left = group.tax - tax_before;
        let tax = match base + base_before == group.base {
            true => left,
            false => tax_on_its_own(base, group, rounding)?.min(left),
        };
        Some(TaxGroup { base, tax, ..group.clone() })
    });
    groups.collect()
}

fn is_same(a: &TaxGroup, b: &TaxGroup) -> bool {
    (&a.class, a.rate, a.mode) == (&b.class, b.rate, b.mode)
}

fn base_of(sale: &Sale, lines: &[u32], group: &TaxGroup) -> Money {
    let of_record = (1..).zip(&sale.lines).filter(|(number, _)| lines.contains(number));
    let of_group = of_record.filter(|(_, line)| {
        (line.item.class.as_str(), line.rate, line.mode)
            == (group.class.name(), group.rate, group.mode)
    });
    of_group.map(|(_, line)| line.net()).sum()
}

fn tax_on_its_own(base: Money, group: &TaxGroup, rounding: Rounding) -> Option<Money> {
    match group.mode {
        TaxMode::Included => tax_in(base, group.rate?, rounding),
        TaxMode::Excluded => tax_on(base, group.rate?, rounding),
    }
}

/// What the goods of these groups cost without their tax.
pub fn before_tax(taxes: &[TaxGroup]) -> Money {
    taxes.iter().filter_map(TaxGroup::net).sum()
}

/// What becomes of the goods once their tax has gone back: a sale free of tax.
pub fn as_tax_free(group: &TaxGroup) -> TaxGroup {
    let base = group.net().unwrap_or(group.base);
    let (rate, tax) = (None, Money::ZERO);
    TaxGroup { class: TaxClass::TaxFree, rate, mode: TaxMode::Included, base, tax }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn the_method_begins_in_november_2026() {
        let first = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
        assert_eq!(FIRST_DAY, first.num_days_from_ce());
    }

    #[test]
    fn a_record_goes_one_way() {
        let leads = |from: Status| -> Vec<&str> {
            Status::ALL.into_iter().filter(|to| from.leads_to(*to)).map(Status::word).collect()
        };
        assert_eq!(leads(Status::Sold), ["sent", "not_confirmed"]);
        assert_eq!(leads(Status::Sent), ["confirmed", "not_confirmed"]);
        assert_eq!(leads(Status::Confirmed), ["refunded"]);
        assert!(leads(Status::NotConfirmed).is_empty() && leads(Status::Refunded).is_empty());
    }
}
