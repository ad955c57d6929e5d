//! The customer's card at the counter: finding, attaching, registering, editing.
//!
//! Room: domain. May touch: std. What a card brings (points, stamps) is in `loyalty`.
//! Invariant: the cart and the sale name a member by code; personal data leaves only in a card entry.

use super::{Answer, Applied, Cart, CartMember, Context, MemberView, Refused, Register};
use crate::domain::code::check::mod10w3;
use crate::domain::command::Command;
use crate::domain::entry::Kind;
use crate::domain::member::{Member, MemberCard, PLAIN_RANK, Sealed};
use crate::domain::member_fields::{bad_field, member_code, set_field};
use crate::domain::points;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::text;

/// How many members a search answers at once; screens ask for more by offset.
const FOUND_AT_ONCE: usize = 50;

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

    pub(super) fn balance(&self, member: &Member, context: &Context<'_>) -> i64 {
        points::balance(&member.ledger, context.now.day(), self.settings.points.expiry())
    }

    pub(super) fn member_view(
        &self,
        code: &str,
        context: &Context<'_>,
    ) -> Result<Option<MemberView>, Refusal> {
        Ok(context.shop.member(code)?.map(|member| self.view_of_member(&member, context)))
    }

    pub(super) fn view_of_member(&self, member: &Member, context: &Context<'_>) -> MemberView {
        MemberView::of(member, context.now.day(), self.settings.points.expiry())
    }

    /// Attaches a member to the sale, in the place of any other.
    pub(super) fn member(&self, code: &str, context: &Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        let member = known_member(code.trim(), context)?;
        self.attach(&mut applied.cart, self.attached(&member, context))?;
        applied.answer.member = Some(self.view_of_member(&member, context));
        self.priced(applied, context) // Without the last one's points it may be too much for a sale.
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
        let named = fields.iter().any(|(field, _)| field == "name");
        if named && member.personal.name.trim().is_empty() {
            return Err(bad_field("name", ""));
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
        self.priced(applied, context)
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
        self.priced(applied, context)
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

    pub(super) fn clear_member(&self, context: &Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        self.no_tender_in(&applied.cart)?;
        of_the_return(&applied.cart, None)?;
        applied.cart.member.take().ok_or(RefusalCode::NoMember)?;
        applied.cart.points_used = 0;
        self.priced(applied, context)
    }

    /// Erases a member for good: the card's key and data go, the code stays dead, the sales stay.
    ///
    /// # Errors
    /// `confirm` first, naming what is lost; `open_sale` while the member's goods come back or the
    /// tender has begun.
    pub(super) fn erase_member(
        &self,
        code: &str,
        context: &Context<'_>,
    ) -> Result<Applied, Refused> {
        self.not_in_training()?;
        let member = known_member(code, context)?;
        let mut applied = self.unchanged();
        let cart = &mut applied.cart;
        if cart.member.as_ref().is_some_and(|attached| attached.code == member.code) {
            self.no_tender_in(cart)?;
            of_the_return(cart, None)?;
            cart.member = None;
            cart.points_used = 0;
        }
        if !self.session.confirmed {
            let refusal = Refusal::new(RefusalCode::Confirm)
                .saying("confirm_erase")
                .with("code", &member.code)
                .with("points", self.balance(&member, context));
            return Err(self.asking_again(refusal, Command::EraseMember { code: member.code }));
        }
        let rank = PLAIN_RANK.to_owned();
        let card = MemberCard { code: member.code, rank, joined: None, personal: Sealed::Erased };
        applied.entries.push(self.draft(context.now, Kind::MemberSet(Box::new(card))));
        Ok(self.priced(applied, context)?)
    }
}

pub(super) fn known_member(code: &str, context: &Context<'_>) -> Result<Member, Refusal> {
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
    fn a_member_is_erased_once_it_is_confirmed_and_the_sales_stay() {
        let mut shop = Shop::new();
        shop.member(CARD, 300);
        shop.give("sign_in 2 222222");
        let erase = format!("erase_member {CARD}");
        assert_eq!(shop.refuse(&erase).code, RefusalCode::Level);
        shop.give("sign_out");
        shop.give("sign_in 1 111111");
        shop.give(&format!("member {CARD}"));
        shop.sell(&["scan 1"]);
        shop.give("scan 1");
        shop.give(&format!("member {CARD}"));
        shop.give("use_points 50");
        assert_eq!(shop.refuse(&erase).sentence, "confirm_erase");
        assert!(shop.register.cart.member.is_some(), "nothing before it is confirmed");
        shop.give("confirm");
        assert_eq!((shop.register.cart.points_used, &shop.register.cart.member), (0, &None));
        assert_eq!(shop.refuse(&format!("member {CARD}")).sentence, "unknown_member");
        assert_eq!(shop.refuse(&erase).sentence, "unknown_member");
        let again = shop.refuse(&format!("new_member code={CARD}"));
        assert_eq!(again.sentence, "member_code_used", "a dead code is nobody else's");
        assert_eq!(shop.last_sale().member.as_ref().unwrap().code, CARD);
        shop.give("tender_cash");
        shop.give("return 1"); // Goods of whoever is gone come back all the same.
        shop.give("tender_cash");
    }

    /// The points made a sale of the largest amount possible out of one that is larger.
    #[test]
    fn a_sale_that_would_be_too_much_keeps_its_member() {
        let mut shop = Shop::staffless();
        shop.member(CARD, 500);
        shop.member(OTHER_CARD, 0);
        shop.give("department 2 99999999");
        shop.give(&format!("member {CARD}"));
        shop.give("use_points all");
        shop.give("department 2 100");
        for line in
            [format!("member {OTHER_CARD}"), "new_member name=x".into(), "clear_member".into()]
        {
            assert_eq!(shop.refuse(&line).code, RefusalCode::Over, "{line}");
        }
        assert!(shop.view().is_some());
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
}
