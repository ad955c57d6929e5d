//! Making a change of the settings true: every value is held against what a register can work with.
//!
//! Room: domain. May touch: std.
//! Invariant: all of a patch or none; what passed once passes again when it is folded.

use super::patch::{CouponPatch, DepartmentPatch, SettingsPatch};
use super::{Coupon, Department, Rank, Settings, Staff};
use crate::domain::code::InStoreRule;
use crate::domain::command::Discount;
use crate::domain::money::Money;
use crate::domain::quantity::Rate;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::sale::TenderKind;
use crate::domain::tax::{TaxClass, TaxClassRow};
use crate::domain::text;

/// Past this a label's price would no longer be held against anything.
const MOST_LABEL_TIMES: u32 = 1000;

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn set_money(place: &mut Money, value: Option<i64>) {
    set(place, value.map(Money::new));
}

pub(super) fn bad(what: &'static str, value: impl std::fmt::Display) -> Refusal {
    Refusal::new(RefusalCode::BadArgument)
        .saying("bad_setting")
        .with("setting", what)
        .with("value", value)
}

fn bad_level(setting: &str, level: u8) -> Refusal {
    let refusal = Refusal::new(RefusalCode::BadArgument).saying("bad_level");
    refusal.with("setting", setting).with("value", level)
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

fn date(text: &str) -> Option<chrono::NaiveDate> {
    chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// Points are never multiplied below nothing, nor beyond what a balance holds.
fn is_multiplier(rate: Rate) -> bool {
    rate >= Rate::ZERO && rate <= 1_000.into()
}

/// Days from the common era of a `YYYY-MM-DD` text; empty is no bound.
fn day_bound(what: &'static str, text: &str) -> Result<Option<i32>, Refusal> {
    use chrono::Datelike;
    if text.is_empty() {
        return Ok(None);
    }
    date(text).map(|day| Some(day.num_days_from_ce())).ok_or_else(|| bad(what, text))
}

/// The prices a department's goods plausibly have; 0 takes a bound away.
fn band(department: &mut Department, patch: &DepartmentPatch) -> Result<(), Refusal> {
    let bound = |value: i64| (value != 0).then_some(Money::new(value));
    set(&mut department.lowest, patch.lowest.map(bound));
    set(&mut department.highest, patch.highest.map(bound));
    let least = department.lowest.unwrap_or(Money::ZERO);
    let most = department.highest.unwrap_or(Money::MAX_KEYED);
    if least.is_negative() || most > Money::MAX_KEYED || least > most {
        return Err(bad("department.lowest", least.grouped()));
    }
    Ok(())
}

impl SettingsPatch {
    /// Applies to `settings`, or names the first value that does not fit and changes nothing.
    ///
    /// # Errors
    /// `bad_argument` with the setting and the value.
    pub fn apply(&self, settings: &mut Settings) -> Result<(), Refusal> {
        let mut next = settings.clone();
        self.shop(&mut next)?;
        self.tax(&mut next)?;
        self.points(&mut next)?;
        self.ranks(&mut next)?;
        self.departments(&mut next)?;
        self.staff(&mut next)?;
        self.in_store(&mut next)?;
        self.tenders(&mut next)?;
        for patch in &self.coupon {
            self.coupon(patch, &mut next)?;
        }
        self.limits(&mut next)?;
        self.levels(&mut next)?;
        self.receipt(&mut next);
        *settings = next;
        Ok(())
    }

    fn shop(&self, next: &mut Settings) -> Result<(), Refusal> {
        let (patch, shop) = (&self.shop, &mut next.shop);
        for (place, value) in [
            (&mut shop.name, &patch.name),
            (&mut shop.address, &patch.address),
            (&mut shop.phone, &patch.phone),
            (&mut shop.currency, &patch.currency),
        ] {
            set(place, value.as_deref().map(text::cleaned));
        }
        if let Some(number) = &patch.registration_number {
            shop.registration_number = if number.is_empty() {
                None
            } else {
                let read = number.parse::<crate::domain::registration::RegistrationNumber>();
                Some(read.map_err(|_| bad("shop.registration_number", number))?.to_string())
            };
        }
        if let Some(day_ends) = &patch.day_ends {
            shop.day_ends_minutes =
                minutes(day_ends).ok_or_else(|| bad("shop.day_ends", day_ends))?;
        }
        Ok(())
    }

    fn tax(&self, next: &mut Settings) -> Result<(), Refusal> {
        let (patch, tax) = (&self.tax, &mut next.tax);
        set(&mut tax.rounding, patch.rounding);
        set(&mut tax.price_mode, patch.price_mode);
        set(&mut tax.price_rounding, patch.price_rounding);
        set(&mut tax.mixed_to, patch.mixed_to);
        for class in &patch.class {
            let name: TaxClass =
                class.name.parse().map_err(|_| bad("tax.class.name", &class.name))?;
            if class.removed {
                next.tax_classes.remove(&name);
                continue;
            }
            let from = class.from.as_deref().unwrap_or("2000-01-01");
            let from = date(from).ok_or_else(|| bad("tax.class.from", from))?;
            if class.rate.is_some_and(|rate| rate < Rate::ZERO || rate > 100.into()) {
                return Err(bad("tax.class.rate", &class.name));
            }
            let mut rows = next.tax_classes.rows();
            let same = rows.find(|(known, row)| **known == name && row.from == from);
            let before = same.map(|(_, row)| row.clone());
            drop(rows);
            // A new row without a rate is one without tax; a row that stands keeps what is not said.
            let rate = class.rate.or(before.as_ref().and_then(|row| row.rate));
            let mark = class.mark.as_deref().map(text::cleaned);
            let mark = mark.or(before.map(|row| row.mark)).unwrap_or_default();
            next.tax_classes.put(TaxClassRow { name, rate, from, mark });
        }
        Ok(())
    }

    fn points(&self, next: &mut Settings) -> Result<(), Refusal> {
        let (patch, points) = (&self.points, &mut next.points);
        for (name, value, least) in [
            ("points.unit_yen", patch.unit_yen, 1),
            ("points.points", patch.points, 0),
            ("points.minimum", patch.minimum, 0),
            ("points.use_step", patch.use_step, 1),
        ] {
            if let Some(value) = value.filter(|value| !(least..=1_000_000).contains(value)) {
                return Err(bad(name, value));
            }
        }
        let rules = patch.rule.iter().flatten();
        if let Some(rule) = rules.into_iter().find(|rule| !is_multiplier(rule.rate)) {
            return Err(bad("points.rule.rate", rule.rate));
        }
        set(&mut points.unit_yen, patch.unit_yen);
        set(&mut points.points, patch.points);
        set(&mut points.basis, patch.basis);
        set(&mut points.scope, patch.scope);
        set(&mut points.rounding, patch.rounding);
        set(&mut points.use_as, patch.use_as);
        set(&mut points.on_used, patch.on_used);
        set(&mut points.returns, patch.returns);
        if let Some(months) = patch.expires_months {
            points.expires_months = (months > 0).then_some(months);
        }
        set(&mut points.minimum, patch.minimum);
        set(&mut points.use_step, patch.use_step);
        set(&mut points.rules, patch.rule.clone());
        Ok(())
    }

    fn ranks(&self, next: &mut Settings) -> Result<(), Refusal> {
        for patch in &self.rank {
            if patch.rate.is_some_and(|rate| !is_multiplier(rate)) {
                return Err(bad("rank.rate", &patch.name));
            }
            next.ranks.retain(|rank| !(patch.removed && rank.name == patch.name));
            if patch.removed {
                continue;
            }
            match next.ranks.iter_mut().find(|rank| rank.name == patch.name) {
                Some(rank) => set(&mut rank.rate, patch.rate),
                None => next.ranks.push(Rank {
                    name: text::cleaned(&patch.name),
                    rate: patch.rate.unwrap_or(Rate::ONE),
                }),
            }
        }
        Ok(())
    }

    fn departments(&self, next: &mut Settings) -> Result<(), Refusal> {
        for patch in &self.department {
            let before = next.department(patch.number).cloned();
            next.departments.retain(|department| department.number != patch.number);
            if patch.removed {
                continue;
            }
            let mut department = before.unwrap_or_else(|| {
                Department::new(patch.number, patch.number.to_string(), "standard")
            });
            band(&mut department, patch)?;
            set(&mut department.name, patch.name.as_deref().map(text::cleaned));
            set(&mut department.tax_class, patch.tax_class.clone());
            if !next.tax_classes.has(&department.tax_class) {
                return Err(bad("department.tax_class", &department.tax_class));
            }
            next.departments.push(department);
            next.departments.sort_by_key(|department| department.number);
        }
        Ok(())
    }

    fn staff(&self, next: &mut Settings) -> Result<(), Refusal> {
        for patch in &self.staff {
            let before = next.staff(patch.number).cloned();
            next.staff.retain(|staff| staff.number != patch.number);
            if patch.removed {
                continue;
            }
            let mut staff = before.unwrap_or_else(|| Staff {
                number: patch.number,
                name: patch.number.to_string(),
                level: 1,
            });
            set(&mut staff.name, patch.name.as_deref().map(text::cleaned));
            set(&mut staff.level, patch.level);
            if staff.number == 0 {
                return Err(bad("staff.number", staff.number));
            }
            if !(1..=9).contains(&staff.level) {
                return Err(bad_level("staff.level", staff.level).with("number", staff.number));
            }
            next.staff.push(staff);
            next.staff.sort_by_key(|staff| staff.number);
        }
        Ok(())
    }

    fn in_store(&self, next: &mut Settings) -> Result<(), Refusal> {
        for patch in &self.in_store {
            let before = next.in_store.iter().find(|rule| rule.prefix == patch.prefix).cloned();
            next.in_store.retain(|rule| rule.prefix != patch.prefix);
            if patch.removed {
                continue;
            }
            let mut rule = match (before, patch.layout) {
                (Some(rule), _) => rule,
                (None, Some(layout)) => InStoreRule {
                    prefix: patch.prefix.clone(),
                    layout,
                    price_mode: None,
                    verify_pcd: true,
                },
                (None, None) => return Err(bad("in_store.layout", &patch.prefix)),
            };
            set(&mut rule.layout, patch.layout);
            rule.price_mode = patch.price_mode.or(rule.price_mode);
            set(&mut rule.verify_pcd, patch.verify_pcd);
            if !rule.has_usable_prefix() {
                return Err(bad("in_store.prefix", &patch.prefix));
            }
            if !rule.is_possible() {
                return Err(bad("in_store.layout", &patch.prefix));
            }
            next.in_store.push(rule);
        }
        Ok(())
    }

    fn tenders(&self, next: &mut Settings) -> Result<(), Refusal> {
        for (word, patch) in &self.tender {
            let kind = TenderKind::ALL.into_iter().find(|kind| kind.word() == word);
            let kind = kind.ok_or_else(|| bad("tender", word))?;
            let mut tender = next.tender(kind);
            set(&mut tender.change, patch.change);
            set(&mut tender.stamp_liable, patch.stamp_liable);
            next.tenders.insert(kind, tender);
        }
        Ok(())
    }

    fn levels(&self, next: &mut Settings) -> Result<(), Refusal> {
        for (command, level) in &self.levels {
            if crate::domain::command::spec(command).is_none() {
                let refusal = Refusal::new(RefusalCode::BadArgument);
                let refusal = refusal.saying("keymap.unknown_command").with("command", command);
                return Err(refusal.with("setting", "levels").with("value", command));
            }
            if !(0..=9).contains(level) {
                return Err(bad_level(&format!("levels.{command}"), *level));
            }
            next.levels.insert(command.clone(), *level);
        }
        Ok(())
    }

    fn receipt(&self, next: &mut Settings) {
        let (patch, receipt) = (&self.receipt, &mut next.receipt);
        let clean_all =
            |lines: &Vec<String>| lines.iter().map(|line| text::cleaned(line)).collect();
        set(&mut receipt.header, patch.header.as_ref().map(clean_all));
        set(&mut receipt.footer, patch.footer.as_ref().map(clean_all));
        set(&mut receipt.logo, patch.logo);
        set(&mut receipt.blocks, patch.blocks.clone());
    }

    fn limits(&self, next: &mut Settings) -> Result<(), Refusal> {
        let (patch, limits) = (&self.limits, &mut next.limits);
        let sums = [patch.discount, patch.refund, patch.cash_over];
        if let Some(sum) = sums.into_iter().flatten().find(|sum| *sum < 0) {
            return Err(bad("limits", sum));
        }
        let parts = [patch.override_percent, patch.discount_percent];
        let out = |part: &Rate| *part < Rate::ZERO || *part > 100.into();
        if let Some(part) = parts.into_iter().flatten().find(out) {
            return Err(bad("limits", part));
        }
        if let Some(level) = patch.level.filter(|level| !(1..=9).contains(level)) {
            return Err(bad("limits.level", level)); // Nobody stands above nine.
        }
        if let Some(times) = patch.label_times.filter(|times| *times > MOST_LABEL_TIMES) {
            return Err(bad("limits.label_times", times));
        }
        set(&mut limits.override_percent, patch.override_percent);
        set_money(&mut limits.discount, patch.discount);
        set(&mut limits.discount_percent, patch.discount_percent);
        set_money(&mut limits.refund, patch.refund);
        set_money(&mut limits.cash_over, patch.cash_over);
        set(&mut limits.label_times, patch.label_times);
        set(&mut limits.level, patch.level);
        Ok(())
    }

    fn coupon(&self, patch: &CouponPatch, next: &mut Settings) -> Result<(), Refusal> {
        let before = next.coupon(&patch.code).cloned();
        next.coupons.retain(|coupon| coupon.code != patch.code);
        if patch.removed {
            return Ok(());
        }
        let off = match (patch.amount, patch.percent) {
            (Some(amount), None) if amount > 0 => Some(Discount::Amount(Money::new(amount))),
            (None, Some(percent)) if percent > Rate::ZERO && percent <= 100.into() => {
                Some(Discount::Percent(percent))
            }
            (None, None) => None,
            _ => return Err(bad("coupon", &patch.code)),
        };
        let mut coupon = match (before, off) {
            (Some(coupon), _) => coupon,
            (None, Some(off)) => Coupon {
                code: text::cleaned(&patch.code),
                name: text::cleaned(&patch.code),
                off,
                minimum: Money::ZERO,
                from: None,
                to: None,
            },
            (None, None) => return Err(bad("coupon", &patch.code)),
        };
        set(&mut coupon.off, off);
        set(&mut coupon.name, patch.name.as_deref().map(text::cleaned));
        set_money(&mut coupon.minimum, patch.minimum);
        if let Some(from) = &patch.from {
            coupon.from = day_bound("coupon.from", from)?;
        }
        if let Some(to) = &patch.to {
            coupon.to = day_bound("coupon.to", to)?;
        }
        next.coupons.push(coupon);
        Ok(())
    }
}
