//! The customer's card at the counter: attaching, registering, points, coupons, stamps.
//!
//! Room: domain. May touch: std. Rules: `japan.md` 1.7.
//! Invariant: the cart and the sale name a member by code; personal data leaves only in a card entry.

use super::after::goods_came_back;
use super::pricing::{discountable, earned_on};
use super::returns::{receipt_refusal, sold_on};
use super::{Answer, Applied, Cart, CartMember, Context, MemberView, Register, StoredSale, price};
use crate::domain::code::check::mod10w3;
use crate::domain::command::PointsAsked;
use crate::domain::entry::Kind;
use crate::domain::member::{Member, MemberCard, PLAIN_RANK, Sealed};
use crate::domain::member_fields::{bad_field, member_code, set_field};
use crate::domain::money::Money;
use crate::domain::number::DocKind;
use crate::domain::points::{self, UseAs, UseRefusal};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::settings::Coupon;
use crate::domain::text;

/// How many members a search answers at once; screens ask for more by offset.
const FOUND_AT_ONCE: usize = 50;
/// The most stamps given at once.
const MOST_STAMPS: i64 = 100;

impl Register {
    /// A member as a cart keeps it, with the balance of today.
    pub(super) fn cart_member(
        &self,
        code: &str,
        context: &Context<'_>,
    ) -> Result<Option<CartMember>, Refusal> {
        Ok(context.shop.member(code)?.map(|member| self.attached(&member, context)))
    }

    fn attached(&self, member: &Member, context: &Context<'_>) -> CartMember {
        CartMember {
            code: member.code.clone(),
            rank: member.rank.clone(),
            rank_rate: self.settings.rank_rate(&member.rank),
            points: self.balance(member, context),
        }
    }

    fn balance(&self, member: &Member, context: &Context<'_>) -> i64 {
        let months = self.settings.points.expires_months;
        points::balance(&member.ledger, context.now.day(), months)
    }

    pub(super) fn member_view(
        &self,
        code: &str,
        context: &Context<'_>,
    ) -> Result<Option<MemberView>, Refusal> {
        Ok(context.shop.member(code)?.map(|member| self.view_of_member(&member, context)))
    }

    fn view_of_member(&self, member: &Member, context: &Context<'_>) -> MemberView {
        MemberView::of(member, context.now.day(), self.settings.points.expires_months)
    }

    /// Attaches a member to the sale, in the place of any other.
    pub(super) fn member(&self, code: &str, context: &Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        let member = known_member(code.trim(), context)?;
        self.attach(&mut applied.cart, self.attached(&member, context))?;
        applied.answer.member = Some(self.view_of_member(&member, context));
        Ok(applied)
    }

    fn attach(&self, cart: &mut Cart, member: CartMember) -> Result<(), Refusal> {
        self.no_tender_in(cart)?;
        of_the_return(cart, Some(&member.code))?;
        if cart.member.as_ref().is_none_or(|before| before.code != member.code) {
            cart.points_used = 0;
        }
        cart.member = Some(member);
        cart.just_scanned = None;
        Ok(())
    }

    pub(super) fn find_member(
        &self,
        text: &str,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let found = context.shop.find_members(&text::cleaned(text), FOUND_AT_ONCE)?;
        let views = found.iter().map(|member| self.view_of_member(member, context)).collect();
        let answer = Answer { members: Some(views), ..Answer::default() };
        Ok(Applied { answer, ..self.unchanged() })
    }

    /// Registers a member and attaches it to the sale.
    ///
    /// # Errors
    /// `bad_argument` naming the field, `check_digit` or `duplicate` for a code that cannot be.
    pub(super) fn new_member(
        &self,
        fields: &[(String, String)],
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        let mut member = Member {
            rank: PLAIN_RANK.to_owned(),
            joined: Some(context.now.civil_date()),
            ..Member::default()
        };
        for (field, value) in fields {
            match field.as_str() {
                "code" => member.code = member_code(value)?,
                _ => self.set_member_field(&mut member, field, value, context)?,
            }
        }
        if member.code.is_empty() {
            member.code = self.made_code(context)?;
        } else if context.shop.member_code_used(&member.code)? {
            return Err(Refusal::new(RefusalCode::Duplicate)
                .saying("member_code_used")
                .with("code", member.code));
        }
        let mut applied = self.unchanged();
        self.attach(&mut applied.cart, self.attached(&member, context))?;
        self.card_written(&mut applied, member, context);
        Ok(applied)
    }

    /// Changes the card of the attached member; fields not named stay.
    pub(super) fn edit_member(
        &self,
        fields: &[(String, String)],
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        let attached = self.cart.member.as_ref().ok_or(RefusalCode::NoMember)?;
        let mut member = known_member(&attached.code, context)?;
        for (field, value) in fields {
            self.set_member_field(&mut member, field, value, context)?;
        }
        let mut applied = self.unchanged();
        if applied.cart.tenders.is_empty() {
            applied.cart.member = Some(self.attached(&member, context));
        }
        self.card_written(&mut applied, member, context);
        Ok(applied)
    }

    fn card_written(&self, applied: &mut Applied, member: Member, context: &Context<'_>) {
        applied.answer.member = Some(self.view_of_member(&member, context));
        let card = MemberCard {
            code: member.code,
            rank: member.rank,
            joined: member.joined,
            personal: Sealed::Clear(Box::new(member.personal)),
        };
        applied.entries.push(self.draft(context.now, Kind::MemberSet(Box::new(card))));
    }

    fn set_member_field(
        &self,
        member: &mut Member,
        field: &str,
        value: &str,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        if field != "rank" {
            return set_field(&mut member.personal, field, value);
        }
        let known =
            value == PLAIN_RANK || self.settings.ranks.iter().any(|rank| rank.name == value);
        if !known {
            return Err(bad_field(field, value));
        }
        if member.rank != value {
            // A rank is money: nobody raises a friend's alone (`reliability.md` L1).
            self.need_level(self.settings.limits.level, "edit_member", context.now)?;
            value.clone_into(&mut member.rank);
        }
        Ok(())
    }

    /// The next code of this lane's block: 29, lane − 1, a running number, a JAN check digit.
    fn made_code(&self, context: &Context<'_>) -> Result<String, Refusal> {
        let first = context.shop.next_member_number(self.lane.lane)?;
        // An import may have brought codes of this block: step over them.
        for number in first..first.saturating_add(10_000) {
            let code = block_code(self.lane.lane, number).ok_or(RefusalCode::Full)?;
            if !context.shop.member_code_used(&code)? {
                return Ok(code);
            }
        }
        Err(RefusalCode::Full.into())
    }

    pub(super) fn clear_member(&self) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        self.no_tender_in(&applied.cart)?;
        of_the_return(&applied.cart, None)?;
        applied.cart.member.take().ok_or(RefusalCode::NoMember)?;
        applied.cart.points_used = 0;
        Ok(applied)
    }

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
            return Err(coupon_refusal("coupon_used", coupon));
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

fn known_member(code: &str, context: &Context<'_>) -> Result<Member, Refusal> {
    let code = text::cleaned(code.trim());
    let unknown =
        || Refusal::new(RefusalCode::NoMember).saying("unknown_member").with("code", &code);
    context.shop.member(&code)?.ok_or_else(unknown)
}

/// While a member's goods come back, the sale stays theirs: the points must find their way.
fn of_the_return(cart: &Cart, code: Option<&str>) -> Result<(), Refusal> {
    let returning = cart.returning.as_ref().and_then(|returning| returning.member.as_deref());
    match returning {
        Some(theirs) if Some(theirs) != code => {
            Err(Refusal::new(RefusalCode::OpenSale).saying("member_of_return"))
        }
        _ => Ok(()),
    }
}

/// `None` when the lane's block is used up.
fn block_code(lane: u8, number: u32) -> Option<String> {
    let block = lane.checked_sub(1).filter(|block| *block < 100)?;
    let data = format!("29{block:02}{number:08}");
    let digit = mod10w3(&data).filter(|_| data.len() == 12)?;
    Some(format!("{data}{digit}"))
}

fn use_refusal(refusal: UseRefusal) -> Refusal {
    let points = |sentence| Refusal::new(RefusalCode::Points).saying(sentence);
    match refusal {
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
    fn codes_of_a_lane_are_scannable_cards_of_its_block() {
        for (lane, number, want) in [
            (1, 1, Some("2900000000018")),
            (3, 42, Some("2902000000425")),
            (100, 99_999_999, Some("2999999999991")),
            (1, 100_000_000, None),
            (0, 1, None),
            (101, 1, None),
        ] {
            assert_eq!(block_code(lane, number).as_deref(), want, "{lane} {number}");
        }
    }

    #[test]
    fn a_new_member_is_registered_and_attached() {
        let mut shop = Shop::staffless();
        shop.give("scan 1");
        shop.give("new_member \"name=山田 花子\" phone=090-1234-5678 birthday=--05 x_犬=ポチ");
        let code = shop.register.cart.member.as_ref().unwrap().code.clone();
        assert_eq!(code, "2900000000018");
        let member = &shop.memory.members[&code];
        assert_eq!(member.personal.phone, "09012345678");
        assert_eq!(member.personal.own["犬"], "ポチ");
        assert_eq!(member.rank, PLAIN_RANK);
        shop.give("tender_cash");
        shop.give("new_member name=二人目");
        assert_eq!(shop.register.cart.member.as_ref().unwrap().code, "2900000000025");
    }

    #[test]
    fn what_does_not_fit_a_card_is_named() {
        let mut shop = Shop::staffless();
        shop.member(CARD, 0);
        for (line, code, sentence) in [
            ("new_member phone=12", RefusalCode::BadArgument, "bad_field"),
            ("new_member points=100", RefusalCode::BadArgument, "unknown_field"),
            ("new_member rank=platinum", RefusalCode::BadArgument, "bad_field"),
            ("new_member code=2900000000018", RefusalCode::Duplicate, "member_code_used"),
            ("new_member code=2900000000019", RefusalCode::CheckDigit, "check_digit"),
            ("edit_member name=x", RefusalCode::NoMember, "no_member"),
            ("member 999", RefusalCode::NoMember, "unknown_member"),
            ("stamp 1", RefusalCode::NoMember, "no_member"),
        ] {
            let refusal = shop.refuse(line);
            assert_eq!((refusal.code, refusal.sentence), (code, sentence), "{line}");
        }
    }

    #[test]
    fn an_edit_keeps_what_it_does_not_name_and_a_rank_needs_a_manager() {
        let mut shop = Shop::new();
        shop.give("sign_in 4 444444");
        shop.give("new_member name=山田 note=常連");
        shop.give("edit_member note= mail=a@b.jp");
        let code = shop.register.cart.member.as_ref().unwrap().code.clone();
        let personal = &shop.memory.members[&code].personal;
        assert_eq!((personal.name.as_str(), personal.note.as_str()), ("山田", ""));
        assert_eq!(shop.refuse("edit_member rank=gold").code, RefusalCode::Level);
        shop.give("approve 2 222222");
        shop.give("edit_member rank=gold");
        assert_eq!(shop.register.cart.member.as_ref().unwrap().rank_rate, 2.into());
    }

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
    fn another_card_takes_the_points_off_again() {
        let mut shop = Shop::staffless();
        shop.member(CARD, 300);
        shop.member(OTHER_CARD, 0);
        shop.give("scan 1");
        shop.give(&format!("member {CARD}"));
        shop.give("use_points 50");
        shop.give(&format!("member {OTHER_CARD}"));
        assert_eq!(shop.register.cart.points_used, 0);
        shop.give("clear_member");
        assert_eq!(shop.refuse("clear_member").code, RefusalCode::NoMember);
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
    fn the_card_of_a_return_stays_its_card() {
        let mut shop = Shop::staffless();
        shop.member(CARD, 0);
        shop.member(OTHER_CARD, 0);
        shop.give(&format!("member {CARD}"));
        shop.give("scan 1");
        shop.give("tender_cash");
        shop.give("return 1");
        assert_eq!(shop.register.cart.member.as_ref().unwrap().code, CARD);
        let refusal = shop.refuse(&format!("member {OTHER_CARD}"));
        assert_eq!(refusal.sentence, "member_of_return");
        assert_eq!(shop.refuse("clear_member").code, RefusalCode::OpenSale);
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
