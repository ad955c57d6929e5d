//! Dates inside GS1 codes: six digits, no century, and day 00 for the end of the month.
//!
//! Room: domain. May touch: chrono::NaiveDate. May not: clock, file, terminal, float.

use std::fmt;

use chrono::{Datelike, Months, NaiveDate};

/// YYMMDD as written. Its century depends on the day it is read, so it is resolved with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AiDate {
    year: i32,
    month: u32,
    /// 0 is the last day of the month.
    day: u32,
}

impl AiDate {
    /// Reads six digits; a month or day that no year has is `None`.
    pub fn parse(digits: &str) -> Option<Self> {
        if digits.len() != 6 || !super::check::all_digits(digits) {
            return None;
        }
        let part = |from: usize| digits[from..from + 2].parse::<u32>().ok();
        let (year, month, day) = (i32::try_from(part(0)?).ok()?, part(2)?, part(4)?);
        // 2000 is a leap year: what it has not, no year has.
        NaiveDate::from_ymd_opt(2000, month, day.max(1))?;
        Some(Self { year, month, day })
    }

    /// Returns the date nearest to `today` by the GS1 rule: a year 51 or more ahead is of the
    /// last century, one 50 or more behind of the next (General Specifications 7.12).
    pub fn resolve(self, today: NaiveDate) -> NaiveDate {
        let century = today.year().div_euclid(100) * 100;
        let ahead = self.year - today.year().rem_euclid(100);
        let year = match ahead {
            51.. => century - 100 + self.year,
            ..=-50 => century + 100 + self.year,
            _ => century + self.year,
        };
        let last = month_end(year, self.month);
        match self.day {
            0 => last,
            day => last.with_day(day).unwrap_or(last), // 29 February of a common year
        }
    }
}

fn month_end(year: i32, month: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, 1)
        .and_then(|first| first.checked_add_months(Months::new(1)))
        .and_then(|next| next.pred_opt())
        .expect("a month of a near year has an end")
}

/// Six digits, as scanned.
impl fmt::Display for AiDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}{:02}{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_resolve_to_the_nearest_century_and_the_end_of_the_month() {
        for (digits, year, want) in [
            ("261231", 2026, "2026-12-31"),
            ("261200", 2026, "2026-12-31"),
            ("280200", 2026, "2028-02-29"),
            ("270229", 2026, "2027-02-28"),
            ("760101", 2026, "2076-01-01"),
            ("770101", 2026, "1977-01-01"),
            ("010101", 2051, "2101-01-01"),
            ("020101", 2051, "2002-01-01"),
        ] {
            let today = NaiveDate::from_ymd_opt(year, 6, 1).unwrap();
            assert_eq!(AiDate::parse(digits).unwrap().resolve(today).to_string(), want);
        }
    }

    #[test]
    fn a_date_that_no_year_has_is_none() {
        for digits in ["261301", "260230", "260431", "260001", "26123", "26123x"] {
            assert_eq!(AiDate::parse(digits), None, "{digits}");
        }
    }
}
