//! The tax block of a receipt: lines brought to one basis, grouped, taxed once per group.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: what is printed here is stored and summed later, never worked out again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{TaxClass, TaxMode, TaxSettings, convert, tax_in, tax_on};
use crate::domain::money::Money;
use crate::domain::quantity::Rate;

/// One line as tax sees it: its amount after every discount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxLine {
    pub class: TaxClass,
    /// Percent on the day of the (original) sale; `None` for a class without tax.
    pub rate: Option<Rate>,
    pub mode: TaxMode,
    pub amount: Money,
}

/// The goods of one class and rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxGroup {
    pub class: TaxClass,
    pub rate: Option<Rate>,
    pub mode: TaxMode,
    /// The target amount as printed: with tax when included, without when excluded.
    pub base: Money,
    pub tax: Money,
}

impl TaxGroup {
    /// Returns what the group costs, tax and all; `None` when it does not fit.
    pub fn total(&self) -> Option<Money> {
        match self.mode {
            TaxMode::Included => Some(self.base),
            TaxMode::Excluded => self.base.checked_add(self.tax),
        }
    }

    /// Returns what the group costs without its tax; `None` when it does not fit.
    pub fn net(&self) -> Option<Money> {
        match self.mode {
            TaxMode::Included => self.base.checked_sub(self.tax),
            TaxMode::Excluded => Some(self.base),
        }
    }
}

/// Returns the one basis of a receipt: that of its taxed lines, or `mixed_to` where they differ
/// (`japan.md` 1.2). Untaxed lines have no say: with and without tax they are the same.
pub fn receipt_mode(lines: &[TaxLine], settings: &TaxSettings) -> TaxMode {
    let mut modes = lines.iter().filter(|line| line.rate.is_some()).map(|line| line.mode);
    match modes.next() {
        None => settings.price_mode,
        Some(first) if modes.all(|mode| mode == first) => first,
        Some(_) => settings.mixed_to,
    }
}

impl TaxLine {
    /// Returns the line's amount on the receipt's basis; `None` when it does not fit.
    pub fn amount_in(&self, mode: TaxMode, settings: &TaxSettings) -> Option<Money> {
        let Some(rate) = self.rate else { return Some(self.amount) };
        convert(self.amount, rate, self.mode, mode, settings.price_rounding)
    }
}

/// Returns the groups of a receipt: standard, reduced, zero, exempt, untaxed, tax-free, the shop's
/// own; within a class the higher rate first. `None` when a sum does not fit.
///
/// Discounts that span lines are taken off before, on the basis of `receipt_mode`.
pub fn tax_groups(lines: &[TaxLine], settings: &TaxSettings) -> Option<Vec<TaxGroup>> {
    let mode = receipt_mode(lines, settings);
    let mut sums: BTreeMap<_, Money> = BTreeMap::new();
    for line in lines {
        let key = (line.class.clone(), std::cmp::Reverse(line.rate));
        let sum = sums.entry(key).or_default();
        *sum = sum.checked_add(line.amount_in(mode, settings)?)?;
    }
    sums.into_iter()
        .map(|((class, rate), base)| group(class, rate.0, mode, base, settings))
        .collect()
}

fn group(
    class: TaxClass,
    rate: Option<Rate>,
    mode: TaxMode,
    base: Money,
    settings: &TaxSettings,
) -> Option<TaxGroup> {
    let tax = match (rate, mode) {
        (None, _) => Money::ZERO,
        (Some(rate), TaxMode::Included) => tax_in(base, rate, settings.rounding)?,
        (Some(rate), TaxMode::Excluded) => tax_on(base, rate, settings.rounding)?,
    };
    Some(TaxGroup { class, rate, mode, base, tax })
}

/// Returns the tax that is added to the subtotal: that of the excluded groups.
pub fn excluded_tax(groups: &[TaxGroup]) -> Option<Money> {
    let added = groups.iter().filter(|group| group.mode == TaxMode::Excluded);
    added.map(|group| group.tax).try_fold(Money::ZERO, Money::checked_add)
}

/// Returns what the customer pays.
pub fn total(groups: &[TaxGroup]) -> Option<Money> {
    groups.iter().try_fold(Money::ZERO, |sum, group| sum.checked_add(group.total()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;
    use TaxMode::{Excluded, Included};

    /// Reads `class amount mode` words: `r108i` is reduced, 108, included.
    fn lines(text: &str) -> Vec<TaxLine> {
        text.split_whitespace()
            .map(|word| {
                let (class, rate) = match &word[..1] {
                    "s" => (TaxClass::Standard, Some(10.into())),
                    "r" => (TaxClass::Reduced, Some(8.into())),
                    "z" => (TaxClass::Zero, Some(0.into())),
                    "o" => (TaxClass::Standard, Some(8.into())),
                    _ => (TaxClass::Exempt, None),
                };
                let mode = if word.ends_with('i') { Included } else { Excluded };
                let amount = yen(word[1..word.len() - 1].parse().unwrap());
                TaxLine { class, rate, mode, amount }
            })
            .collect()
    }

    fn block(text: &str) -> String {
        let groups = tax_groups(&lines(text), &TaxSettings::default()).unwrap();
        let mut words: Vec<String> = groups
            .iter()
            .map(|group| {
                let rate = group.rate.map_or_else(|| "-".into(), |rate| rate.to_string());
                format!("{} {rate}: {} {}", group.class, group.base.minor(), group.tax.minor())
            })
            .collect();
        words.push(total(&groups).unwrap().minor().to_string());
        words.join(", ")
    }

    #[test]
    fn receipts_follow_the_worked_cases() {
        for (text, want) in [
            // TX-01, TX-02, TX-09, TX-11, TX-13, TX-15
            ("r108i r216i s110i s330i", "standard 10: 440 40, reduced 8: 324 24, 764"),
            ("r98e r98e r98e", "reduced 8: 294 23, 317"),
            ("r500e s300e", "standard 10: 300 30, reduced 8: 500 40, 870"),
            ("s600i s200e r150e", "standard 10: 820 74, reduced 8: 162 12, 982"),
            ("r-98e r-98e r-98e", "reduced 8: -294 -23, -317"),
            ("r-108i", "reduced 8: -108 -8, -108"),
            // AP-01, AP-03, AP-04 after the discount
            ("r4779i s2921i", "standard 10: 2921 265, reduced 8: 4779 354, 7700"),
            ("r1080i s1100i", "standard 10: 1100 100, reduced 8: 1080 80, 2180"),
            (
                "r1029i s524i x477i",
                "standard 10: 524 47, reduced 8: 1029 76, exempt -: 477 0, 2030",
            ),
            // an untaxed line does not decide the basis; old 8% is not reduced 8%
            ("x500i r98e", "reduced 8: 98 7, exempt -: 500 0, 605"),
            ("o100e s100e", "standard 10: 100 10, standard 8: 100 8, 218"),
            ("z300i", "zero 0: 300 0, 300"),
            ("", "0"),
        ] {
            assert_eq!(block(text), want, "{text}");
        }
    }

    #[test]
    fn a_mixed_receipt_may_go_to_excluded() {
        let settings = TaxSettings { mixed_to: Excluded, ..TaxSettings::default() };
        let groups = tax_groups(&lines("s110i s100e"), &settings).unwrap();
        assert_eq!((groups[0].base, groups[0].tax), (yen(200), yen(20)));
        assert_eq!(excluded_tax(&groups), Some(yen(20)));
        assert_eq!(groups[0].net(), Some(yen(200)));
    }

    #[test]
    fn a_sum_that_does_not_fit_is_an_answer() {
        let most = TaxLine { amount: yen(i64::MAX), ..lines("s1i").remove(0) };
        assert_eq!(tax_groups(&[most.clone(), most], &TaxSettings::default()), None);
    }
}
