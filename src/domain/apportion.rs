//! Splitting an amount so that the parts make the whole: a discount over tax rates and lines.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: parts sum to the whole; each is within one yen of its exact share.

use std::cmp::Reverse;

use super::money::Money;

/// Splits `total` by weight with the largest remainder (`japan.md` 1.6): floors first, then one
/// yen each by largest fraction, then larger weight, then the caller's order (10% before 8%).
///
/// Works on magnitudes: the parts bear the sign of `total`. Weights of the sign opposite to their
/// sum get nothing (a returned line takes no share of a new discount). When no weight counts every
/// part is zero, and the caller still holds the whole.
pub fn apportion(total: Money, weights: &[Money]) -> Vec<Money> {
    let counted = counted(weights);
    let whole: u128 = counted.iter().sum();
    if whole == 0 {
        return vec![Money::ZERO; weights.len()];
    }
    let magnitude = u128::from(total.minor().unsigned_abs());
    let mut parts: Vec<u128> = counted.iter().map(|weight| magnitude * weight / whole).collect();
    let left = magnitude - parts.iter().sum::<u128>();
    let left = usize::try_from(left).expect("fewer yen are left than there are parts");
    for place in by_claim(magnitude, &counted, whole).into_iter().take(left) {
        parts[place] += 1;
    }
    parts.into_iter().map(|part| signed(part, total)).collect()
}

/// Returns as much of a discount as the goods are worth: a 2,500 yen coupon takes 2,000 yen off
/// goods for 2,000. The magnitude is capped, the sign kept.
pub fn capped(discount: Money, weights: &[Money]) -> Money {
    let worth: u128 = counted(weights).iter().sum();
    signed(u128::from(discount.minor().unsigned_abs()).min(worth), discount)
}

/// Splits over groups, then within each group over its lines, so that the parts of a rate are the
/// sum of its lines' and a later return gives back what was paid. `lines` are (group, weight),
/// groups numbered from 0 in the caller's order.
pub fn apportion_grouped(total: Money, lines: &[(usize, Money)]) -> Vec<Money> {
    let groups = lines.iter().map(|(group, _)| group + 1).max().unwrap_or(0);
    let counted = counted(&lines.iter().map(|&(_, weight)| weight).collect::<Vec<_>>());
    let weights: Vec<Money> = counted.iter().map(|&weight| signed(weight, Money::ZERO)).collect();
    let mut sums = vec![Money::ZERO; groups];
    for (&(group, _), &weight) in lines.iter().zip(&weights) {
        sums[group] += weight;
    }
    let mut parts = vec![Money::ZERO; lines.len()];
    for (group, share) in apportion(total, &sums).into_iter().enumerate() {
        let members: Vec<usize> =
            (0..lines.len()).filter(|&place| lines[place].0 == group).collect();
        let inside: Vec<Money> = members.iter().map(|&place| weights[place]).collect();
        for (place, part) in members.into_iter().zip(apportion(share, &inside)) {
            parts[place] = part;
        }
    }
    parts
}

/// Magnitudes of the weights that count; the others become zero.
fn counted(weights: &[Money]) -> Vec<u128> {
    let sum: i128 = weights.iter().map(|weight| i128::from(weight.minor())).sum();
    let counts = |weight: &Money| sum != 0 && weight.is_negative() == (sum < 0);
    weights
        .iter()
        .map(|weight| if counts(weight) { weight.minor().unsigned_abs().into() } else { 0 })
        .collect()
}

/// Places in the order in which they may claim a left-over yen.
fn by_claim(magnitude: u128, counted: &[u128], whole: u128) -> Vec<usize> {
    let mut places: Vec<usize> = (0..counted.len()).collect();
    // A stable sort: the caller's order decides the last tie.
    places.sort_by_key(|&place| Reverse((magnitude * counted[place] % whole, counted[place])));
    places
}

/// A part is never above the whole it came from, which was an `i64`.
fn signed(part: u128, like: Money) -> Money {
    let minor = i64::try_from(part).expect("a part is no larger than its whole");
    if like.is_negative() { Money::new(-minor) } else { Money::new(minor) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::money::yen;

    fn split(total: i64, weights: &[i64]) -> Vec<i64> {
        let weights: Vec<Money> = weights.iter().copied().map(yen).collect();
        apportion(yen(total), &weights).into_iter().map(Money::minor).collect()
    }

    #[test]
    fn shares_follow_the_worked_cases() {
        for (total, weights, want) in [
            (1_000, &[3_300, 5_400][..], &[379, 621][..]), // AP-01
            (100, &[550, 1_080, 500], &[26, 51, 23]),      // AP-04
            (2_000, &[1_700, 300], &[1_700, 300]),         // AP-07
            (1, &[333, 333, 334], &[0, 0, 1]),             // AP-09
            (1, &[500, 500], &[1, 0]),
            (-1_000, &[-3_300, -5_400], &[-379, -621]),
            (-1_000, &[3_300, 5_400], &[-379, -621]),
            (100, &[0, 100, 0], &[0, 100, 0]),
            (100, &[300, -100], &[100, 0]),
            (100, &[0, 0], &[0, 0]),
            (100, &[], &[]),
            (0, &[1, 2], &[0, 0]),
            (i64::MAX, &[i64::MAX, 1], &[i64::MAX - 1, 1]),
        ] {
            assert_eq!(split(total, weights), want, "{total} {weights:?}");
        }
    }

    #[test]
    fn a_discount_is_worth_no_more_than_the_goods() {
        let goods = [yen(1_700), yen(300)];
        for (discount, want) in [(2_500, 2_000), (2_000, 2_000), (500, 500), (-2_500, -2_000)] {
            assert_eq!(capped(yen(discount), &goods), yen(want));
        }
        assert_eq!(capped(yen(10), &[]), Money::ZERO);
    }

    #[test]
    fn the_lines_of_a_rate_bear_the_share_of_that_rate() {
        // AP-01 with the goods on five lines: a return of the 10% group gives back 2,921 (AP-10).
        let lines =
            [(1, yen(2_000)), (0, yen(1_100)), (1, yen(2_000)), (0, yen(2_200)), (1, yen(1_400))];
        let parts = apportion_grouped(yen(1_000), &lines);
        let of = |group| -> Money {
            lines.iter().zip(&parts).filter(|(line, _)| line.0 == group).map(|(_, &p)| p).sum()
        };
        assert_eq!((of(0), of(1)), (yen(379), yen(621)));
        assert_eq!(yen(3_300) - of(0), yen(2_921));
    }

    fn any_split() -> impl Strategy<Value = (i64, Vec<(usize, i64)>)> {
        let lines = proptest::collection::vec((0..4_usize, 0..200_000_i64), 1..30);
        (-1_000_000..1_000_000_i64, lines)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(6_000))]

        #[test]
        fn parts_make_the_whole_and_follow_the_weights((total, lines) in any_split()) {
            let weights: Vec<i64> = lines.iter().map(|line| line.1).collect();
            let parts = split(total, &weights);
            let whole: i64 = weights.iter().sum();
            prop_assume!(whole > 0);
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            for (part, weight) in parts.iter().zip(&weights) {
                let off = i128::from(*part) * i128::from(whole)
                    - i128::from(total) * i128::from(*weight);
                prop_assert!(off.abs() < i128::from(whole), "within one yen");
            }
            for (left, right) in parts.iter().zip(&weights).zip(parts.iter().zip(&weights).skip(1)) {
                if left.1 > right.1 {
                    prop_assert!(left.0.abs() >= right.0.abs(), "more goods, no smaller share");
                }
            }
        }

        #[test]
        fn grouped_parts_sum_by_group_and_stay_within_the_goods((total, lines) in any_split()) {
            let lines: Vec<(usize, Money)> = lines.iter().map(|&(g, w)| (g, yen(w))).collect();
            let weights: Vec<Money> = lines.iter().map(|line| line.1).collect();
            let discount = capped(yen(total.abs()), &weights);
            let parts = apportion_grouped(discount, &lines);
            prop_assert_eq!(parts.iter().copied().sum::<Money>(), discount);
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(!part.is_negative() && part <= weight, "never below nothing");
            }
        }
    }
}
