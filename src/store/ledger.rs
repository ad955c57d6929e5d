//! A member's points, move by move, kept short.
//!
//! Room: store. May touch: std. May not: evaluate rules: what has expired, the domain says.
//! Invariant: the sum of all moves is never changed by making them fewer.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::domain::points::PointMove;

/// Moves past which the older ones are put together by month.
const MOST_MOVES: usize = 256;
/// The newest moves, which stay as they are.
const KEPT: usize = 64;

/// Points earned (above zero) and used (below) by day, days from the common era, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger(Vec<(i32, i64)>);

impl Ledger {
    /// Adds a move. Moves of one day and one direction are one: gains come before what is spent that
    /// day anyhow, so nothing that expiry looks at is lost.
    pub fn add(&mut self, day: i32, points: i64) {
        if points == 0 {
            return;
        }
        let same = |entry: &&mut (i32, i64)| entry.0 == day && (entry.1 > 0) == (points > 0);
        match self.0.iter_mut().rev().take_while(|entry| entry.0 >= day).find(same) {
            Some(entry) => entry.1 += points,
            None => {
                let at = self.0.partition_point(|entry| entry.0 <= day);
                self.0.insert(at, (day, points));
            }
        }
        if self.0.len() > MOST_MOVES {
            self.shorten();
        }
    }

    /// Forgets the moves: the balance is this, from this day on.
    pub fn reset(&mut self, day: i32, points: i64) {
        self.0.clear();
        self.add(day, points);
    }

    pub fn moves(&self) -> Vec<PointMove> {
        let to_move = |&(day, points): &(i32, i64)| {
            NaiveDate::from_num_days_from_ce_opt(day).map(|date| PointMove { date, points })
        };
        self.0.iter().filter_map(to_move).collect()
    }

    /// Puts the older moves together, month by month, as of the month's last day: a point may live a
    /// few days longer than it should, never shorter.
    fn shorten(&mut self) {
        let newer = self.0.split_off(self.0.len() - KEPT);
        let mut shorter: Vec<(i32, i64)> = Vec::new();
        for (day, points) in std::mem::take(&mut self.0) {
            let day = month_end(day);
            match shorter.iter_mut().rev().take(2).find(|e| e.0 == day && (e.1 > 0) == (points > 0))
            {
                Some(entry) => entry.1 += points,
                None => shorter.push((day, points)),
            }
        }
        shorter.extend(newer);
        shorter.sort_by_key(|entry| entry.0); // Stable: a month's end may pass the first newer day.
        self.0 = shorter;
    }
}

fn month_end(day: i32) -> i32 {
    let last = NaiveDate::from_num_days_from_ce_opt(day).and_then(|date| {
        let next = date.with_day(1)?.checked_add_months(chrono::Months::new(1))?;
        next.pred_opt()
    });
    last.map_or(day, |date| date.num_days_from_ce())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::points::{ExpiresFrom, Expiry, balance};

    fn date(day: i32) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(day).unwrap()
    }

    #[test]
    fn ten_years_of_visits_stay_short_and_keep_their_sum() {
        let mut ledger = Ledger::default();
        let mut sum = 0;
        for day in 0..3650 {
            for points in [7, 3, -4] {
                ledger.add(738_000 + day, points);
                sum += points;
            }
        }
        assert!(ledger.0.len() <= 2 * 120 + MOST_MOVES, "{}", ledger.0.len());
        assert!(ledger.0.is_sorted_by_key(|entry| entry.0));
        assert_eq!(balance(&ledger.moves(), date(742_000), Expiry::default()), sum);
    }

    #[test]
    fn moves_of_one_day_meet_only_in_one_direction_and_a_reset_forgets() {
        let mut ledger = Ledger::default();
        for (day, points) in [(10, 5), (10, -2), (10, 4), (9, 1), (10, -1), (11, 0)] {
            ledger.add(day, points);
        }
        assert_eq!(ledger.0, [(9, 1), (10, 9), (10, -3)]);
        ledger.reset(20, 50);
        assert_eq!(ledger.0, [(20, 50)]);
    }

    #[test]
    fn shortening_never_takes_points_that_are_still_good() {
        let mut ledger = Ledger::default();
        let mut exact = Vec::new();
        for day in (738_000..739_500).step_by(3) {
            for points in [10, -6] {
                ledger.add(day, points);
                exact.push(PointMove { date: date(day), points });
            }
        }
        for on in (739_500..740_000).step_by(17) {
            for from in [ExpiresFrom::Earned, ExpiresFrom::Used] {
                let expiry = Expiry { months: Some(12), from };
                let want = balance(&exact, date(on), expiry);
                assert!(balance(&ledger.moves(), date(on), expiry) >= want, "{on} {from:?}");
            }
        }
    }
}
