//! The balance of a member: a fold of moves up to a day, oldest points spent first.
//!
//! Room: domain. May touch: std, chrono::NaiveDate. May not: clock, file, terminal, float.
//! Invariant: spending first uses what expires first; what is overdrawn is filled by what comes.

use std::collections::VecDeque;

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};

use super::ExpiresFrom;

/// How long points stay good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expiry {
    /// Absent or zero: for ever.
    pub months: Option<u32>,
    pub from: ExpiresFrom,
}

impl Expiry {
    /// Returns the last day of points that their months begin on a day for.
    fn last_day(self, begun: NaiveDate) -> Option<NaiveDate> {
        let months = self.months.filter(|&months| months > 0)?;
        begun.checked_add_months(Months::new(months))
    }
}

/// One line of a member's ledger: points earned or given (above zero), used or taken back (below).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointMove {
    #[serde(with = "days")]
    pub date: NaiveDate,
    pub points: i64,
}

/// A civil date as days from the common era.
mod days {
    use chrono::{Datelike, NaiveDate};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub fn serialize<S: Serializer>(date: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
        date.num_days_from_ce().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
        let days = i32::deserialize(deserializer)?;
        NaiveDate::from_num_days_from_ce_opt(days).ok_or_else(|| de::Error::custom("no such day"))
    }
}

/// Points that are still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointLot {
    pub points: i64,
    /// The last day on which they may be used; `None` for ever.
    pub last_day: Option<NaiveDate>,
}

/// What a member has on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purse {
    /// Oldest first.
    pub lots: VecDeque<PointLot>,
    /// Points used or taken back beyond what there was.
    pub overdrawn: i64,
    /// Points that lapsed unused, all told.
    pub expired: i64,
}

impl Purse {
    /// Returns what may be shown as the balance; below zero when overdrawn.
    pub fn balance(&self) -> i64 {
        self.lots.iter().map(|lot| lot.points).sum::<i64>() - self.overdrawn
    }

    /// Returns the points that lapse next and their last day.
    pub fn next_to_expire(&self) -> Option<(i64, NaiveDate)> {
        let day = self.lots.front()?.last_day?;
        let of_day = self.lots.iter().filter(|lot| lot.last_day == Some(day));
        Some((of_day.map(|lot| lot.points).sum(), day))
    }

    fn lapse(&mut self, today: NaiveDate) {
        while self.lots.front().is_some_and(|lot| lot.last_day.is_some_and(|day| day < today)) {
            self.expired += self.lots.pop_front().map_or(0, |lot| lot.points);
        }
    }

    /// Gives all that is left as long to live as a move of this day has.
    fn renew(&mut self, last_day: Option<NaiveDate>) {
        self.lots.iter_mut().for_each(|lot| lot.last_day = last_day);
    }

    fn gain(&mut self, mut points: i64, last_day: Option<NaiveDate>) {
        let filled = points.min(self.overdrawn);
        self.overdrawn -= filled;
        points -= filled;
        if points > 0 {
            self.lots.push_back(PointLot { points, last_day });
        }
    }

    fn spend(&mut self, mut points: i64) {
        while let Some(lot) = self.lots.front_mut().filter(|_| points > 0) {
            let taken = points.min(lot.points);
            lot.points -= taken;
            points -= taken;
            if lot.points == 0 {
                self.lots.pop_front();
            }
        }
        self.overdrawn += points;
    }
}

/// Returns what a member has on a day. Moves may come in any order; of one day the gains are taken
/// first, so that lanes which merged them differently agree.
pub fn purse(ledger: &[PointMove], on: NaiveDate, expiry: Expiry) -> Purse {
    let mut moves: Vec<PointMove> =
        ledger.iter().copied().filter(|entry| entry.date <= on).collect();
    moves.sort_by_key(|entry| (entry.date, entry.points < 0));
    let mut purse = Purse::default();
    for entry in moves {
        purse.lapse(entry.date);
        let last_day = expiry.last_day(entry.date);
        match entry.points {
            points if points >= 0 => purse.gain(points, last_day),
            points => purse.spend(-points),
        }
        if expiry.from == ExpiresFrom::Used {
            purse.renew(last_day);
        }
    }
    purse.lapse(on);
    purse
}

/// Returns the balance on a day; points earned on 22 November last through 22 November with 12
/// months, and are gone on the 23rd.
pub fn balance(ledger: &[PointMove], on: NaiveDate, expiry: Expiry) -> i64 {
    purse(ledger, on, expiry).balance()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn after(months: impl Into<Option<u32>>) -> Expiry {
        Expiry { months: months.into(), from: ExpiresFrom::Earned }
    }

    fn ledger(moves: &[(&str, i64)]) -> Vec<PointMove> {
        moves.iter().map(|&(date, points)| PointMove { date: day(date), points }).collect()
    }

    #[test]
    fn points_lapse_the_day_after_their_last() {
        let earned = ledger(&[("2025-11-22", 100), ("2026-01-31", 50)]);
        for (on, months, want) in [
            ("2025-11-21", Some(12), 0),
            ("2025-11-22", Some(12), 100),
            ("2026-11-22", Some(12), 150),
            ("2026-11-23", Some(12), 50),
            ("2026-02-28", Some(1), 50), // end of January plus a month is the end of February
            ("2026-03-01", Some(1), 0),
            ("2099-01-01", None, 150),
            ("2099-01-01", Some(0), 150),
        ] {
            assert_eq!(balance(&earned, day(on), after(months)), want, "{on} {months:?}");
        }
    }

    #[test]
    fn the_oldest_points_are_spent_first() {
        let moves = ledger(&[("2026-01-10", 100), ("2026-03-10", 50), ("2026-04-01", -120)]);
        let held = purse(&moves, day("2026-04-01"), after(6));
        assert_eq!((held.balance(), held.next_to_expire()), (30, Some((30, day("2026-09-10")))));
        assert_eq!(balance(&moves, day("2026-09-11"), after(6)), 0);
        assert_eq!(purse(&moves, day("2026-09-11"), after(6)).expired, 30);
    }

    #[test]
    fn points_that_lapsed_before_a_spending_do_not_pay_for_it() {
        let moves = ledger(&[("2025-01-10", 100), ("2026-02-01", -40), ("2026-02-02", 100)]);
        assert_eq!(balance(&moves, day("2026-02-01"), after(12)), -40);
        assert_eq!(balance(&moves, day("2026-02-02"), after(12)), 60);
    }

    #[test]
    fn the_order_of_moves_of_one_day_does_not_matter() {
        let one = ledger(&[("2026-02-01", -40), ("2026-02-01", 100), ("2025-12-01", 10)]);
        let other = ledger(&[("2025-12-01", 10), ("2026-02-01", 100), ("2026-02-01", -40)]);
        let on = day("2026-02-01");
        assert_eq!(purse(&one, on, after(12)), purse(&other, on, after(12)));
        assert_eq!(balance(&one, on, after(12)), 70);
    }

    #[test]
    fn points_that_live_from_the_last_use_on_lapse_all_at_once() {
        let moves = ledger(&[("2025-01-10", 100), ("2025-11-01", 50), ("2026-10-31", -30)]);
        let expiry = Expiry { months: Some(12), from: ExpiresFrom::Used };
        for (on, balance, next) in [
            ("2025-01-10", 100, Some((100, day("2026-01-10")))),
            ("2025-11-01", 150, Some((150, day("2026-11-01")))),
            ("2026-10-31", 120, Some((120, day("2027-10-31")))),
            ("2027-10-31", 120, Some((120, day("2027-10-31")))),
            ("2027-11-01", 0, None),
        ] {
            let held = purse(&moves, day(on), expiry);
            assert_eq!((held.balance(), held.next_to_expire()), (balance, next), "{on}");
        }
        let gap = ledger(&[("2025-01-10", 100), ("2026-01-11", 50), ("2026-01-12", -60)]);
        let held = purse(&gap, day("2026-01-12"), expiry);
        assert_eq!((held.balance(), held.expired), (-10, 100), "a day too late they are gone");
        assert_eq!(balance(&gap, day("2099-01-01"), Expiry { months: None, ..expiry }), 90);
    }
}
