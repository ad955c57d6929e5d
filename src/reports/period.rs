//! Stretches of days with a name, so that a key can ask for "this month".
//!
//! Room: reports. May touch: std, chrono's calendar. May not: clock; today is handed in.

use chrono::{Datelike, Days, Months, NaiveDate};

/// A named stretch of business days that ends no later than today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Today,
    /// Today and the six days before it.
    Week,
    Month,
    LastMonth,
}

impl Period {
    pub const WORDS: [(&'static str, Self); 4] = [
        ("today", Self::Today),
        ("week", Self::Week),
        ("month", Self::Month),
        ("last_month", Self::LastMonth),
    ];

    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, period)| *period)
    }

    /// Returns the first and the last day, both inclusive, days from the common era. `None` beyond
    /// the calendar's ends.
    pub fn days(self, today: i32) -> Option<(i32, i32)> {
        let today = NaiveDate::from_num_days_from_ce_opt(today)?;
        let first_of_month = today.with_day(1)?;
        let (first, last) = match self {
            Self::Today => (today, today),
            Self::Week => (today.checked_sub_days(Days::new(6))?, today),
            Self::Month => (first_of_month, today),
            Self::LastMonth => {
                (first_of_month.checked_sub_months(Months::new(1))?, first_of_month.pred_opt()?)
            }
        };
        Some((first.num_days_from_ce(), last.num_days_from_ce()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_ends_today_or_with_the_last_month() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap().num_days_from_ce();
        for (word, today, first, last) in [
            ("today", "2026-11-25", "2026-11-25", "2026-11-25"),
            ("week", "2026-11-03", "2026-10-28", "2026-11-03"),
            ("month", "2026-11-25", "2026-11-01", "2026-11-25"),
            ("last_month", "2026-03-31", "2026-02-01", "2026-02-28"),
            ("last_month", "2026-01-01", "2025-12-01", "2025-12-31"),
        ] {
            let period = Period::from_word(word).unwrap();
            assert_eq!(period.days(day(today)), Some((day(first), day(last))), "{word} {today}");
        }
        assert_eq!(Period::from_word("year"), None);
    }
}
