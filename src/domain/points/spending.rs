//! Using points, and taking them back.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: no point vanishes unsaid: what is taken, charged and let go sums to what was asked.

use super::{PointRules, Returns};
use crate::domain::money::Money;

/// Why points may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UseRefusal {
    #[error("no points")]
    None,
    #[error("only {balance} points")]
    Balance { balance: i64 },
    #[error("at least {minimum} points")]
    Minimum { minimum: u32 },
    #[error("in steps of {step} points")]
    Step { step: u32 },
    #[error("more than the {} yen to pay", limit.minor())]
    Over { limit: Money },
}

/// Checks a wish to use points, a yen each, against the balance and what may be paid with them.
pub fn check_use(
    points: i64,
    balance: i64,
    limit: Money,
    rules: &PointRules,
) -> Result<(), UseRefusal> {
    if balance <= 0 {
        return Err(UseRefusal::None);
    }
    if points > balance {
        return Err(UseRefusal::Balance { balance });
    }
    if points < i64::from(rules.minimum.max(1)) {
        return Err(UseRefusal::Minimum { minimum: rules.minimum.max(1) });
    }
    if points % step(rules) != 0 {
        return Err(UseRefusal::Step { step: rules.use_step });
    }
    if points > limit.minor() {
        return Err(UseRefusal::Over { limit });
    }
    Ok(())
}

/// Returns the most points that `check_use` lets through: what `use_points all` uses; zero when
/// none may be used.
pub fn most_usable(balance: i64, limit: Money, rules: &PointRules) -> i64 {
    let most = balance.min(limit.minor()).max(0);
    let stepped = most - most % step(rules);
    if stepped < i64::from(rules.minimum) { 0 } else { stepped }
}

fn step(rules: &PointRules) -> i64 {
    i64::from(rules.use_step.max(1))
}

/// What taking points back comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakeBack {
    /// Taken from the balance.
    pub points: i64,
    /// Taken off the refund, a yen a point.
    pub deducted: Money,
    /// Let go.
    pub forgiven: i64,
}

/// Returns how `points` (not below zero) are taken back from a balance that may hold fewer
/// (`japan.md` PT-08).
pub fn take_back(points: i64, balance: i64, returns: Returns) -> TakeBack {
    let held = points.min(balance.max(0));
    let missing = points - held;
    match returns {
        Returns::Negative => TakeBack { points, deducted: Money::ZERO, forgiven: 0 },
        Returns::Deduct => TakeBack { points: held, deducted: Money::new(missing), forgiven: 0 },
        Returns::Keep => TakeBack { points: held, deducted: Money::ZERO, forgiven: missing },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;

    #[test]
    fn points_are_used_within_balance_minimum_step_and_sum() {
        let rules = PointRules { minimum: 100, use_step: 50, ..PointRules::default() };
        for (points, want) in [
            (150, Ok(())),
            (100, Ok(())),
            (300, Err(UseRefusal::Balance { balance: 260 })),
            (50, Err(UseRefusal::Minimum { minimum: 100 })),
            (-100, Err(UseRefusal::Minimum { minimum: 100 })),
            (120, Err(UseRefusal::Step { step: 50 })),
            (250, Err(UseRefusal::Over { limit: yen(240) })),
        ] {
            assert_eq!(check_use(points, 260, yen(240), &rules), want, "{points}");
        }
    }

    #[test]
    fn the_most_usable_is_always_allowed() {
        for (balance, limit, minimum, use_step, want) in [
            (260, 240, 100, 50, 200),
            (99, 500, 100, 1, 0),
            (120, 500, 1, 0, 120),
            (-5, 500, 1, 1, 0),
            (500, -300, 1, 1, 0),
        ] {
            let rules = PointRules { minimum, use_step, ..PointRules::default() };
            let most = most_usable(balance, yen(limit), &rules);
            assert_eq!(most, want);
            let allowed = check_use(most, balance, yen(limit), &rules);
            assert_eq!(allowed.is_ok(), most > 0);
        }
    }

    #[test]
    fn points_already_spent_are_charged_or_let_go_but_never_forgotten() {
        for (balance, returns, points, deducted, forgiven) in [
            (3, Returns::Negative, 6, 0, 0), // PT-08
            (3, Returns::Deduct, 3, 3, 0),
            (3, Returns::Keep, 3, 0, 3),
            (10, Returns::Deduct, 6, 0, 0),
            (-4, Returns::Deduct, 0, 6, 0),
        ] {
            let taken = take_back(6, balance, returns);
            assert_eq!(taken, TakeBack { points, deducted: yen(deducted), forgiven });
            assert_eq!(taken.points + taken.deducted.minor() + taken.forgiven, 6);
        }
    }
}
