//! Revenue stamps: what a receipt on paper owes, and on which amount it is judged.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Source: 印紙税法 別表第一 17号の1 (`japan.md` 1.8).

use super::money::{Money, yen};

/// One way of paying, as stamp duty sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StampTender {
    pub amount: Money,
    pub kind: StampKind,
}

/// Whether a tender makes the paper a receipt for money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampKind {
    /// Cash, debit, bank transfer, gift vouchers (`stamp_liable`).
    Money,
    /// Credit: no money changes hands, provided that the paper says so.
    Credit,
    /// What the shop has settled never to be liable.
    Free,
}

/// Whether the paper names the credit card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditWording {
    Printed,
    Missing,
}

/// Returns the part of a sale for which the paper is a receipt of money.
pub fn liable_amount(tenders: &[StampTender], wording: CreditWording) -> Money {
    let counts = |tender: &&StampTender| match tender.kind {
        StampKind::Money => true,
        StampKind::Credit => wording == CreditWording::Missing,
        StampKind::Free => false,
    };
    tenders.iter().filter(counts).map(|tender| tender.amount).sum()
}

/// Returns the amount on which the duty is judged: without tax when the paper shows the tax as an
/// amount. Where only part of the total is liable, the tax belongs to it in that proportion,
/// rounded down, so that no stamp is saved by rounding.
pub fn judged_amount(liable: Money, total: Money, tax_shown: Option<Money>) -> Money {
    let Some(tax) = tax_shown else { return liable };
    if total <= Money::ZERO {
        return liable;
    }
    let part = i128::from(tax.minor()) * i128::from(liable.minor()) / i128::from(total.minor());
    let part = i64::try_from(part).expect("a part of the tax is no larger than the tax");
    liable - Money::new(part)
}

/// Returns the duty for a judged amount, in yen; zero under 50,000.
pub fn stamp_duty(judged: Money) -> Money {
    let step = STEPS.iter().find(|(below_or_at, _)| judged.minor() <= *below_or_at);
    yen(step.map_or(ABOVE, |&(_, duty)| duty))
}

/// Highest amount of each step, and its duty.
const STEPS: [(i64, i64); 14] = [
    (49_999, 0),
    (1_000_000, 200),
    (2_000_000, 400),
    (3_000_000, 600),
    (5_000_000, 1_000),
    (10_000_000, 2_000),
    (20_000_000, 4_000),
    (30_000_000, 6_000),
    (50_000_000, 10_000),
    (100_000_000, 20_000),
    (200_000_000, 40_000),
    (300_000_000, 60_000),
    (500_000_000, 100_000),
    (1_000_000_000, 150_000),
];
const ABOVE: i64 = 200_000;

#[cfg(test)]
mod tests {
    use super::*;
    use CreditWording::{Missing, Printed};
    use StampKind::{Credit, Free, Money as Cash};

    #[test]
    fn duty_follows_the_worked_cases() {
        for (kind, amount, tax_shown, wording, want) in [
            (Cash, 49_999, None, Printed, 0),            // SD-01
            (Cash, 54_000, Some(4_909), Printed, 0),     // SD-03
            (Cash, 54_000, None, Printed, 200),          // SD-04
            (Cash, 54_999, Some(4_999), Printed, 200),   // SD-06
            (Credit, 80_000, Some(7_272), Printed, 0),   // SD-08
            (Credit, 80_000, Some(7_272), Missing, 200), // SD-09
            (Cash, 66_000, Some(6_000), Printed, 200),   // SD-11
            (Cash, 55_000, Some(4_545), Printed, 200),   // SD-13
            (Free, 80_000, None, Missing, 0),
        ] {
            let tender = StampTender { amount: yen(amount), kind };
            let liable = liable_amount(&[tender], wording);
            let judged = judged_amount(liable, yen(amount), tax_shown.map(yen));
            assert_eq!(stamp_duty(judged), yen(want), "{kind:?} {amount} {tax_shown:?}");
        }
    }

    #[test]
    fn only_the_liable_part_of_a_split_tender_is_judged() {
        let tenders = [
            StampTender { amount: yen(54_000), kind: Cash },
            StampTender { amount: yen(56_000), kind: Credit },
        ];
        let liable = liable_amount(&tenders, Printed);
        assert_eq!(liable, yen(54_000));
        let judged = judged_amount(liable, yen(110_000), Some(yen(10_000)));
        assert_eq!(judged, yen(49_091));
        assert_eq!(stamp_duty(judged), yen(0));
    }

    #[test]
    fn the_steps_end_where_the_law_says() {
        for (amount, want) in [
            (-80_000, 0),
            (50_000, 200),
            (1_000_000, 200),
            (1_000_001, 400),
            (3_000_000, 600),
            (5_000_001, 2_000),
            (99_999_999, 20_000),
            (1_000_000_001, 200_000),
        ] {
            assert_eq!(stamp_duty(yen(amount)), yen(want), "{amount}");
        }
        assert!(STEPS.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
    }
}
