//! What a card or a coupon brings to a sale: points used, coupons, stamps, points given late.
//!
//! Room: domain. May touch: std. Rules: `japan.md` 1.7.
//! Invariant: points are used within balance and goods; a coupon once; a sale earns once.

use super::after::goods_came_back;
use super::members::known_member;
use super::pricing::{discountable, earned_on};
use super::returns::{receipt_refusal, sold_on};
use super::{Applied, Cart, Context, Register, StoredSale, price};
use crate::domain::command::PointsAsked;
use crate::domain::entry::Kind;
use crate::domain::member::Member;
use crate::domain::member_fields::bad_field;
use crate::domain::money::Money;
use crate::domain::number::DocKind;
use crate::domain::points::{self, UseAs, UseRefusal};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::settings::Coupon;
use crate::domain::text;

/// The most stamps given at once.
const MOST_STAMPS: i64 = 100;

impl Register {
    /// Uses points on the open sale, in the place of any used before. As a discount they come off
    /// now; as a tender they settle with the first other tender.
    ///
    /// # Errors
    /// `points` with what holds them back: balance, minimum, step, or what they may pay for.
    pub(super) fn use_points(
        &self,
        asked: PointsAsked,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let mut applied = self.open_sale()?;
        self.no_tender_in(&applied.cart)?;
        let member = applied.cart.member.as_ref().ok_or(RefusalCode::NoMember)?;
        let member = self.cart_member(&member.code, context)?.ok_or(RefusalCode::NoMember)?;
        let rules = &self.settings.points;
        let limit = self.points_limit(&applied.cart, context)?;
        let wanted = match asked {
            PointsAsked::Count(count) => count,
            PointsAsked::All => points::most_usable(member.points, limit, rules),
        };
        points::check_use(wanted, member.points, limit, rules).map_err(use_refusal)?;
        applied.cart.member = Some(member);
        applied.cart.points_used = wanted;
        applied.cart.just_scanned = None;
        self.priced(applied, context)
    }

    /// What points may pay for: goods that take discounts, or, as a tender, all that is due.
    fn points_limit(&self, cart: &Cart, context: &Context<'_>) -> Result<Money, Refusal> {
        let without = Cart { points_used: 0, ..cart.clone() };
        let priced = price(&without, &self.settings, context.now.civil_date())?;
        let limit = match self.settings.points.use_as {
            UseAs::Discount => discountable(&priced.lines),
            UseAs::Tender => priced.totals.total,
        };
        Ok(limit.max(Money::ZERO))
    }

    /// Takes a coupon of the shop's list off the sale, once.
    pub(super) fn coupon(&self, code: &str, context: &Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.open_sale()?;
        self.no_tender_in(&applied.cart)?;
        let code = text::cleaned(code);
        let unknown = || Refusal::new(RefusalCode::Coupon).with("code", &code);
        let coupon = self.settings.coupon(&code).ok_or_else(unknown)?;
        valid_on(coupon, context.now.civil_date())?;
        if applied.cart.discounts.iter().any(|given| given.coupon == coupon.code) {
            return Err(coupon_refusal("coupon_used", coupon).with("code", &coupon.code));
        }
        let priced = price(&applied.cart, &self.settings, context.now.civil_date())?;
        if priced.totals.subtotal < coupon.minimum {
            return Err(
                coupon_refusal("coupon_minimum", coupon).with("minimum", coupon.minimum.grouped())
            );
        }
        self.add_discount(&mut applied, coupon.off, coupon.code.clone(), context)?;
        self.priced(applied, context)
    }

    /// Takes a coupon off the sale again.
    pub(super) fn remove_coupon(
        &self,
        code: &str,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let code = text::cleaned(code);
        self.take_off(|given| given.coupon == code && !code.is_empty(), "coupon_off", context)
    }

    pub(super) fn stamp(&self, count: i64, context: &Context<'_>) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        let mut applied = self.unchanged();
        let attached = applied.cart.member.as_ref().ok_or(RefusalCode::NoMember)?;
        if !(1..=MOST_STAMPS).contains(&count) {
            return Err(bad_field("stamp", &count.to_string()));
        }
        let member = known_member(&attached.code, context)?;
        let mut view = self.view_of_member(&member, context);
        view.stamps = Some(member.stamps + count);
        applied.answer.member = Some(view);
        let kind = Kind::Stamped { member: member.code, count };
        applied.entries.push(self.draft(context.now, kind));
        Ok(applied)
    }

    /// Gives the points of a sale that was closed without a card.
    ///
    /// # Errors
    /// `receipt` when the sale has a member, is void or none; `returned` once goods came back;
    /// `points` when it earned none.
    pub(super) fn late_points(
        &self,
        receipt: &str,
        code: &str,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        self.no_tender_in(&self.cart)?; // A refund under way has settled its points already.
        let stored = self.stored_sale(receipt, context)?;
        may_earn_late(&stored)?;
        let member = known_member(code, context)?;
        let earned = self.earned_by(&stored, &member);
        if earned <= 0 {
            return Err(Refusal::new(RefusalCode::Points).saying("nothing_earned"));
        }
        let points_after = self.balance(&member, context) + earned;
        let mut view = self.view_of_member(&member, context);
        view.points = points_after;
        let mut applied = self.unchanged();
        let receipt = stored.sale.number;
        let kind = Kind::LatePoints { receipt, member: member.code, earned, points_after };
        applied.entries.push(self.draft(context.now, kind));
        applied.answer.member = Some(view);
        applied.answer.receipt = Some(receipt);
        if let Some(attached) = applied.cart.member.as_mut().filter(|m| m.code == code.trim()) {
            attached.points = points_after;
        }
        Ok(applied)
    }

    /// What the sale would have earned on its own day.
    fn earned_by(&self, stored: &StoredSale, member: &Member) -> i64 {
        let sale = &stored.sale;
        let date = chrono::NaiveDate::from_num_days_from_ce_opt(sold_on(stored));
        let date = date.unwrap_or(chrono::NaiveDate::MAX);
        let rate = self.settings.rank_rate(&member.rank);
        let sold: Vec<_> = sale.lines.iter().filter(|line| !line.item.is_return()).collect();
        let rank = Some((member.rank.as_str(), rate));
        earned_on(&sold, sale.points_used, rank, &self.settings, date).unwrap_or(0)
    }
}

fn use_refusal(refusal: UseRefusal) -> Refusal {
    let points = |sentence| Refusal::new(RefusalCode::Points).saying(sentence);
    match refusal {
        UseRefusal::None => points("points_none"),
        UseRefusal::Balance { balance } => points("points_balance").with("balance", balance),
        UseRefusal::Minimum { minimum } => points("points_minimum").with("minimum", minimum),
        UseRefusal::Step { step } => points("points_step").with("step", step),
        UseRefusal::Over { limit } => points("points_over").with("limit", limit.grouped()),
    }
}

fn valid_on(coupon: &Coupon, civil_date: i32) -> Result<(), Refusal> {
    if coupon.from.is_some_and(|from| civil_date < from) {
        return Err(coupon_refusal("coupon_not_yet", coupon));
    }
    if coupon.to.is_some_and(|to| civil_date > to) {
        return Err(Refusal::new(RefusalCode::Expired)
            .saying("coupon_expired")
            .with("name", &coupon.name));
    }
    Ok(())
}

fn coupon_refusal(sentence: &'static str, coupon: &Coupon) -> Refusal {
    Refusal::new(RefusalCode::Coupon).saying(sentence).with("name", &coupon.name)
}

fn may_earn_late(stored: &StoredSale) -> Result<(), Refusal> {
    let number = stored.sale.number;
    let refuse = |sentence| Err(receipt_refusal(sentence, number));
    if stored.training || number.kind != DocKind::Receipt {
        return refuse("receipt_not_of_sale");
    }
    if stored.voided {
        return refuse("receipt_voided");
    }
    if stored.sale.member.is_some() || stored.late_member.is_some() {
        return refuse("receipt_has_member");
    }
    if !stored.returned.is_empty() {
        return Err(goods_came_back(number));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::register::test_shop::{CARD, OTHER_CARD, Shop};

    #[test]
    fn points_are_used_within_balance_and_goods() {
        let mut shop = Shop::staffless();
        shop.member(CARD, 300);
        assert_eq!(shop.refuse("use_points all").code, RefusalCode::NoSale);
        shop.give("scan 4901234567894");
        assert_eq!(shop.refuse("use_points all").code, RefusalCode::NoMember);
        shop.give(&format!("member {CARD}"));
        for (line, sentence) in
            [("use_points 301", "points_balance"), ("use_points 249", "points_over")]
        {
            assert_eq!(shop.refuse(line).sentence, sentence, "{line}");
        }
        shop.give("use_points 100");
        shop.give("use_points all");
        assert_eq!(shop.view().unwrap().total, Money::ZERO);
        shop.give(&format!("member {CARD}"));
        assert_eq!(shop.register.cart.points_used, 248, "the same card again changes nothing");
        shop.give("tender_cash");
        assert_eq!(shop.balance(CARD), 52);
    }

    #[test]
    fn a_member_without_points_is_told_so() {
        let mut shop = Shop::staffless();
        shop.member(CARD, 0);
        shop.give("scan 4901234567894");
        shop.give(&format!("member {CARD}"));
        for line in ["use_points all", "use_points 5"] {
            assert_eq!(shop.refuse(line).sentence, "points_none", "{line}");
        }
    }

    #[test]
    fn points_never_pay_for_tobacco() {
        let mut shop = Shop::staffless();
        shop.member(CARD, 1000);
        shop.give("scan 4912345678904");
        shop.give("age_checked");
        shop.give(&format!("member {CARD}"));
        assert_eq!(shop.refuse("use_points 10").sentence, "points_over");
        shop.give("scan 1");
        shop.give("use_points all");
        assert_eq!(shop.register.cart.points_used, 100);
    }

    #[test]
    fn a_coupon_holds_on_its_days_above_its_minimum_once() {
        let mut shop = Shop::staffless();
        assert_eq!(shop.refuse("coupon WELCOME").code, RefusalCode::NoSale);
        shop.give("department 2 400");
        for (line, code, sentence) in [
            ("coupon NONE", RefusalCode::Coupon, "coupon"),
            ("coupon OLD", RefusalCode::Expired, "coupon_expired"),
            ("coupon SOON", RefusalCode::Coupon, "coupon_not_yet"),
            ("coupon WELCOME", RefusalCode::Coupon, "coupon_minimum"),
        ] {
            let refusal = shop.refuse(line);
            assert_eq!((refusal.code, refusal.sentence), (code, sentence), "{line}");
        }
        shop.give("department 2 600");
        shop.give("coupon WELCOME");
        assert_eq!(shop.view().unwrap().total, Money::new(900));
        assert_eq!(shop.refuse("coupon WELCOME").sentence, "coupon_used");
        assert_eq!(shop.give("coupon WELCOME remove").answer.said, Some("coupon_off"));
        assert_eq!(shop.view().unwrap().total, Money::new(1000));
        assert_eq!(shop.refuse("coupon WELCOME remove").sentence, "nothing_to_take_off");
        shop.give("coupon WELCOME");
    }

    #[test]
    fn points_come_late_once_and_only_for_a_sale_without_a_card() {
        let mut shop = Shop::staffless();
        shop.member(CARD, 5);
        shop.member(OTHER_CARD, 0);
        shop.give("department 2 1000");
        shop.give("tender_cash");
        let given = shop.give(&format!("late_points 1 {CARD}"));
        assert_eq!(given.answer.member.unwrap().points, 15);
        assert_eq!(shop.balance(CARD), 15);
        let again = shop.refuse(&format!("late_points 1 {OTHER_CARD}"));
        assert_eq!(again.sentence, "receipt_has_member");
        shop.give("return 1");
        shop.give("tender_cash");
        assert_eq!(shop.balance(CARD), 5, "late points go back with the goods");
    }

    #[test]
    fn late_points_go_with_the_voided_receipt() {
        let mut shop = Shop::staffless();
        shop.member(CARD, 5);
        shop.give("department 2 1000");
        shop.give("tender_cash");
        shop.give(&format!("late_points 1 {CARD}"));
        shop.give("void_receipt 1 打ち間違い");
        assert_eq!(shop.balance(CARD), 5);
    }

    #[test]
    fn stamps_are_given_to_the_attached_card() {
        let mut shop = Shop::staffless();
        shop.member(CARD, 0);
        shop.give(&format!("member {CARD}"));
        assert_eq!(shop.refuse("stamp 0").code, RefusalCode::BadArgument);
        shop.give("stamp 2");
        let given = shop.give("stamp 1");
        assert_eq!(given.answer.member.unwrap().stamps, Some(3));
    }
}
