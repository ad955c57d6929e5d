//! What a receipt earns.
//!
//! Room: domain. May touch: std, chrono::NaiveDate, rust_decimal. May not: clock, file, float.
//! Invariant: points = round(round(base / unit) × points × multipliers), each rounding on the
//! magnitude, the inner one only where steps are what is multiplied; a return takes back earned(before) − earned(what stays).

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use super::{Multiply, PointRule, PointRules, Scope, UseAs, Weekday};
use crate::domain::apportion::apportion;
use crate::domain::money::Money;
use crate::domain::quantity::Rate;
use crate::domain::tax::{TaxClass, TaxLine, TaxMode, TaxSettings, convert, tax_groups};

/// One line as points see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointLine<'a> {
    pub item: &'a str,
    pub department: u32,
    pub class: &'a TaxClass,
    pub rate: Option<Rate>,
    pub mode: TaxMode,
    /// After every discount, points used as a discount too.
    pub amount: Money,
    /// This line's share of points used as a discount, positive; zero for points as a tender.
    pub points_share: Money,
    /// What the line's own discount and its share of those on the sale took off, positive.
    pub discounts: Money,
    /// False for goods that earn nothing (`no_points`).
    pub earns: bool,
}

/// A receipt about to be closed, or what stays of one after a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointReceipt<'a> {
    pub lines: &'a [PointLine<'a>],
    /// Points used, in yen, as a discount or as a tender.
    pub used: Money,
    pub tax: &'a TaxSettings,
    /// The member's rank, and its multiplier.
    pub rank: Option<&'a str>,
    pub rank_rate: Rate,
    /// The civil date of the sale.
    pub date: NaiveDate,
}

/// Returns the points that a receipt earns; `None` when an amount does not fit.
pub fn earned(receipt: &PointReceipt, rules: &PointRules) -> Option<i64> {
    match rules.scope {
        Scope::Receipt => by_receipt(receipt, rules),
        Scope::Line => by_line(receipt, rules),
    }
}

/// The whole by the receipt's multipliers; goods with a rule of their own add what the rule gives
/// beyond the ordinary.
fn by_receipt(receipt: &PointReceipt, rules: &PointRules) -> Option<i64> {
    let all: Vec<&PointLine> = receipt.lines.iter().filter(|line| line.earns).collect();
    let base = base_of(&all, receipt, rules)?;
    let paid = if pays_with_points(rules) { receipt.used } else { Money::ZERO };
    let base = toward_zero(base, paid);
    let mut points = rounded(steps(base, rules)?, receipt_rate(receipt, rules)?, rules)?;
    for rule in goods_rules(receipt, rules) {
        let of_rule: Vec<&PointLine> =
            all.iter().copied().filter(|line| rule.takes(line)).collect();
        let extra = rule.rate.decimal().checked_sub(Decimal::ONE)?;
        let steps = steps(base_of(&of_rule, receipt, rules)?, rules)?;
        points = points.checked_add(rounded(steps, extra, rules)?)?;
    }
    // Goods that earn less than others take nothing away where points have paid for them.
    Some(if base.is_negative() { points } else { points.max(0) })
}

fn by_line(receipt: &PointReceipt, rules: &PointRules) -> Option<i64> {
    let all: Vec<&PointLine> = receipt.lines.iter().filter(|line| line.earns).collect();
    let amounts: Vec<Money> = all.iter().map(|line| line.amount).collect();
    let paid = if pays_with_points(rules) { receipt.used } else { Money::ZERO };
    let receipt_rate = receipt_rate(receipt, rules)?;
    let mut points: i64 = 0;
    for (line, paid) in all.into_iter().zip(apportion(paid, &amounts)) {
        let base = toward_zero(line_base(line, receipt, rules)?, paid);
        let mut goods_rate = Decimal::ONE;
        for rule in goods_rules(receipt, rules).filter(|rule| rule.takes(line)) {
            goods_rate += rule.rate.decimal().checked_sub(Decimal::ONE)?;
        }
        let rate = receipt_rate.checked_mul(goods_rate.max(Decimal::ZERO))?;
        points = points.checked_add(rounded(steps(base, rules)?, rate, rules)?)?;
    }
    Some(points)
}

/// Points as a tender leave the lines whole; their part comes off the base.
fn pays_with_points(rules: &PointRules) -> bool {
    rules.use_as == UseAs::Tender && !rules.on_used
}

/// Takes the part paid with points off, never past nothing.
fn toward_zero(base: Money, paid: Money) -> Money {
    let left = (base.abs().minor() - paid.abs().minor()).max(0);
    Money::new(if base.is_negative() { -left } else { left })
}

/// Returns the target amount of some lines on the basis of the rules, with the taxes of their
/// groups as a receipt would print them.
fn base_of(lines: &[&PointLine], receipt: &PointReceipt, rules: &PointRules) -> Option<Money> {
    let lines: Option<Vec<TaxLine>> =
        lines.iter().map(|line| Some(tax_line(line, earning_amount(line, rules)?))).collect();
    let groups = tax_groups(&lines?, receipt.tax)?;
    groups.iter().try_fold(Money::ZERO, |sum, group| {
        sum.checked_add(match rules.basis {
            TaxMode::Included => group.total()?,
            TaxMode::Excluded => group.net()?,
        })
    })
}

/// A line alone has no printed tax; its price is worked out as prices are.
fn line_base(line: &PointLine, receipt: &PointReceipt, rules: &PointRules) -> Option<Money> {
    let amount = earning_amount(line, rules)?;
    match line.rate {
        None => Some(amount),
        Some(rate) => convert(amount, rate, line.mode, rules.basis, receipt.tax.price_rounding),
    }
}

fn tax_line(line: &PointLine, amount: Money) -> TaxLine {
    TaxLine { class: line.class.clone(), rate: line.rate, mode: line.mode, amount }
}

fn earning_amount(line: &PointLine, rules: &PointRules) -> Option<Money> {
    let or_none = |counts, part| if counts { part } else { Money::ZERO };
    let amount = line.amount.checked_add(or_none(rules.on_used, line.points_share))?;
    amount.checked_add(or_none(rules.on_discounts, line.discounts))
}

/// Returns round(base / unit) × points, or base / unit × points where the amount is what is multiplied.
fn steps(base: Money, rules: &PointRules) -> Option<Decimal> {
    if rules.unit_yen == 0 {
        return Some(Decimal::ZERO);
    }
    if rules.multiply == Multiply::Amount {
        let amount = Decimal::from(base.minor()).checked_mul(rules.points.into())?;
        return amount.checked_div(rules.unit_yen.into());
    }
    let whole = rules.rounding.divide(base.minor().into(), rules.unit_yen.into())?;
    Decimal::from(whole.minor()).checked_mul(rules.points.into())
}

fn rounded(steps: Decimal, rate: Decimal, rules: &PointRules) -> Option<i64> {
    rules.rounding.to_money(steps.checked_mul(rate)?).map(Money::minor)
}

/// Returns the product of the rank's multiplier and those of the day.
fn receipt_rate(receipt: &PointReceipt, rules: &PointRules) -> Option<Decimal> {
    let today = rules.rules.iter().filter(|rule| !rule.is_for_goods() && rule.holds(receipt));
    today
        .map(|rule| rule.rate.decimal())
        .try_fold(receipt.rank_rate.decimal(), Decimal::checked_mul)
}

fn goods_rules<'a>(
    receipt: &'a PointReceipt,
    rules: &'a PointRules,
) -> impl Iterator<Item = &'a PointRule> {
    rules.rules.iter().filter(|rule| rule.is_for_goods() && rule.holds(receipt))
}

impl PointRule {
    fn is_for_goods(&self) -> bool {
        self.item.is_some() || self.department.is_some()
    }

    /// Whether day and member meet the rule.
    fn holds(&self, receipt: &PointReceipt) -> bool {
        let weekday = Weekday::from(receipt.date.weekday());
        self.weekday.is_none_or(|day| day == weekday)
            && self.day.is_none_or(|day| day == receipt.date.day())
            && self.rank.as_deref().is_none_or(|rank| receipt.rank == Some(rank))
    }

    /// Whether a line is of the goods meant.
    fn takes(&self, line: &PointLine) -> bool {
        self.item.as_deref().is_none_or(|item| item == line.item)
            && self.department.is_none_or(|department| department == line.department)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;
    use crate::domain::quantity::Rounding;
    use TaxMode::{Excluded, Included};

    fn line(item: &'static str, percent: i64, amount: i64) -> PointLine<'static> {
        PointLine {
            item,
            department: 1,
            class: if percent == 8 { &TaxClass::Reduced } else { &TaxClass::Standard },
            rate: Some(percent.into()),
            mode: Included,
            amount: yen(amount),
            points_share: yen(0),
            discounts: yen(0),
            earns: item != "tobacco",
        }
    }

    fn earn(lines: &[PointLine], used: i64, rank_rate: &str, rules: &PointRules) -> i64 {
        let receipt = PointReceipt {
            lines,
            used: yen(used),
            tax: &TaxSettings::default(),
            rank: Some("gold"),
            rank_rate: rank_rate.parse().unwrap(),
            date: NaiveDate::from_ymd_opt(2026, 11, 22).unwrap(), // a Sunday
        };
        earned(&receipt, rules).unwrap()
    }

    fn rule(rate: &str) -> PointRule {
        let rate = rate.parse().unwrap();
        PointRule { weekday: None, day: None, item: None, department: None, rank: None, rate }
    }

    fn per(unit_yen: u32, basis: TaxMode) -> PointRules {
        PointRules { unit_yen, basis, ..PointRules::default() }
    }

    #[test]
    fn points_follow_the_worked_cases() {
        let goods = [line("milk", 8, 1_080), line("soap", 10, 550)];
        let with_tobacco = [goods[0], goods[1], line("tobacco", 10, 600)];
        assert_eq!(earn(&goods, 0, "1", &per(200, Excluded)), 7); // PT-01
        assert_eq!(earn(&goods, 0, "1", &per(100, Included)), 16); // PT-02
        assert_eq!(earn(&with_tobacco, 0, "1", &per(100, Included)), 16); // PT-03
        let shop = [line("a", 10, 1_980), line("b", 10, 200), line("c", 10, 100)];
        let half = PointRules { rules: vec![rule("0.5")], ..per(100, Included) };
        assert_eq!(earn(&shop, 0, "1", &half), 11); // PT-06 by receipt
        assert_eq!(earn(&shop, 0, "1", &PointRules { scope: Scope::Line, ..half }), 10); // PT-06
    }

    #[test]
    fn the_floored_base_is_multiplied_and_rounded_again() {
        let goods = [line("milk", 8, 390)];
        for (rank_rate, want) in [("1", 3), ("2", 6), ("1.5", 4), ("0", 0)] {
            assert_eq!(earn(&goods, 0, rank_rate, &per(100, Included)), want, "{rank_rate}");
        }
        let up = PointRules { rounding: Rounding::HalfUp, points: 2, ..per(100, Included) };
        assert_eq!(earn(&goods, 0, "1.2", &up), 10); // 4 steps × 2 × 1.2 = 9.6
    }

    #[test]
    fn a_sale_never_costs_points() {
        let halved = PointRule { item: Some("milk".to_owned()), ..rule("0.5") };
        for scope in [Scope::Receipt, Scope::Line] {
            let rules = PointRules {
                use_as: UseAs::Tender,
                on_used: false,
                scope,
                rules: vec![halved.clone(), halved.clone(), halved.clone()],
                ..per(100, Included)
            };
            let goods = [line("milk", 8, 1_080)];
            assert_eq!(earn(&goods, 1_080, "1", &rules), 0, "paid with points: {scope:?}");
            assert_eq!(earn(&goods, 0, "1", &rules), 0, "{scope:?}");
        }
    }

    #[test]
    fn points_on_the_part_paid_with_points_are_a_choice() {
        // 1,680 yen left of 2,180 after 500 points; as a discount the lines are already net.
        let net = [
            PointLine { points_share: yen(248), ..line("milk", 8, 832) },
            PointLine { points_share: yen(252), ..line("soap", 10, 848) },
        ];
        let whole = [line("milk", 8, 1_080), line("soap", 10, 1_100)];
        for (use_as, basis, on_used, want) in [
            (UseAs::Discount, Included, false, 16),
            (UseAs::Discount, Included, true, 21),
            (UseAs::Discount, Excluded, false, 15), // 1,680 − 61 − 77 = 1,542
            (UseAs::Discount, Excluded, true, 20),
            (UseAs::Tender, Included, false, 16),
            (UseAs::Tender, Included, true, 21),
            (UseAs::Tender, Excluded, false, 15), // 2,180 − 180 − 500 = 1,500
            (UseAs::Tender, Excluded, true, 20),
        ] {
            let rules = PointRules { use_as, on_used, ..per(100, basis) };
            let lines = if use_as == UseAs::Discount { &net } else { &whole };
            assert_eq!(earn(lines, 500, "1", &rules), want, "{use_as:?} {basis:?} {on_used}");
        }
        let rules = PointRules { use_as: UseAs::Tender, ..per(100, Included) };
        assert_eq!(earn(&whole, 9_999, "1", &rules), 0);
    }

    #[test]
    fn points_on_what_discounts_took_off_are_a_choice() {
        let goods = [PointLine { discounts: yen(280), ..line("milk", 8, 800) }];
        for scope in [Scope::Receipt, Scope::Line] {
            for (on_discounts, want) in [(false, 8), (true, 10)] {
                let rules = PointRules { on_discounts, scope, ..per(100, Included) };
                assert_eq!(earn(&goods, 0, "1", &rules), want, "{scope:?} {on_discounts}");
            }
        }
    }

    #[test]
    fn multipliers_are_of_whole_steps_or_of_the_amount() {
        let goods = [line("milk", 8, 199), line("soap", 10, 150)]; // 349 yen
        let milk = PointRule { item: Some("milk".into()), ..rule("3") };
        for (multiply, scope, want) in [
            (Multiply::Steps, Scope::Receipt, 3 * 2 + 2), // 3 steps twice; 1 step for milk, twice more
            (Multiply::Amount, Scope::Receipt, 6 + 3),    // 6.98; 1.99 × 2 = 3.98
            (Multiply::Steps, Scope::Line, 3 * 2 + 2),    // 1 × 2 × 3; 1 × 2
            (Multiply::Amount, Scope::Line, 11 + 3),      // 1.99 × 6 = 11.94; 1.5 × 2
        ] {
            let rules =
                PointRules { multiply, scope, rules: vec![milk.clone()], ..per(100, Included) };
            assert_eq!(earn(&goods, 0, "2", &rules), want, "{multiply:?} {scope:?}");
        }
    }

    #[test]
    fn a_rule_counts_when_all_its_conditions_hold() {
        let goods = [line("milk", 8, 1_000), line("soap", 10, 550)];
        for (rule, want) in [
            (PointRule { weekday: Some(Weekday::Sun), ..rule("3") }, 45),
            (PointRule { weekday: Some(Weekday::Mon), ..rule("3") }, 15),
            (PointRule { day: Some(22), ..rule("2") }, 30),
            (PointRule { day: Some(20), ..rule("2") }, 15),
            (PointRule { rank: Some("gold".into()), ..rule("2") }, 30),
            (PointRule { rank: Some("regular".into()), ..rule("2") }, 15),
            (PointRule { item: Some("milk".into()), ..rule("3") }, 35),
            (PointRule { department: Some(1), ..rule("2") }, 30),
            (PointRule { department: Some(2), ..rule("2") }, 15),
            (PointRule { item: Some("milk".into()), day: Some(1), ..rule("3") }, 15),
            (PointRule { item: Some("milk".into()), ..rule("0.5") }, 10),
        ] {
            let rules = PointRules { rules: vec![rule.clone()], ..per(100, Included) };
            assert_eq!(earn(&goods, 0, "1", &rules), want, "{rule:?}");
        }
    }

    #[test]
    fn rules_for_goods_work_by_line_too() {
        let goods = [line("milk", 8, 1_050), line("soap", 10, 550)];
        let milk = PointRule { item: Some("milk".into()), ..rule("3") };
        let rules = PointRules { rules: vec![milk], scope: Scope::Line, ..per(100, Included) };
        assert_eq!(earn(&goods, 0, "2", &rules), 10 * 3 * 2 + 5 * 2);
        let by_tender = PointRules { use_as: UseAs::Tender, rules: vec![], ..rules };
        assert_eq!(earn(&goods, 800, "1", &by_tender), 5 + 2); // 525 and 275 left
    }

    #[test]
    fn a_return_gives_back_as_many_as_were_earned() {
        let sold = [line("milk", 8, 1_080)];
        let back = [line("milk", 8, -1_080)];
        let rules = per(200, Excluded);
        assert_eq!(earn(&back, 0, "1", &rules), -earn(&sold, 0, "1", &rules));
    }

    #[test]
    fn excluded_prices_count_with_their_tax_when_the_basis_is_included() {
        let goods = [PointLine { mode: Excluded, ..line("milk", 8, 294) }];
        assert_eq!(earn(&goods, 0, "1", &per(10, Included)), 31); // 317
        assert_eq!(earn(&goods, 0, "1", &per(10, Excluded)), 29);
    }

    #[test]
    fn no_unit_earns_nothing() {
        assert_eq!(earn(&[line("milk", 8, 5_000)], 0, "1", &per(0, Included)), 0);
    }
}
