//! Taking what is handed over, giving change, and closing the sale.
//!
//! Room: domain. May touch: std.
//! Invariant: a sale closes exactly when its tenders settle its total; until its entry is on the disk
//! nothing of that has happened.

use super::drawer::counted;
use super::points_back::{PointsBack, points_back};
use super::{
    Applied, Cart, Context, DrawerCause, Effect, Paper, Priced, Refused, Register, SaleView,
    Waiting, price,
};
use crate::domain::command::{Command, Handed};
use crate::domain::entry::Kind;
use crate::domain::money::Money;
use crate::domain::number::DocKind;
use crate::domain::points;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::sale::{ReturnOf, Sale, SaleMember, Tender, TenderKind};
use crate::domain::stamp_duty;

/// Coins of one face value that must be taken (通貨法 7条).
const MOST_COINS: u32 = 20;
/// From here on it is a note.
const LEAST_NOTE: Money = Money::new(1000);

impl Register {
    pub(super) fn tender(
        &self,
        kind: TenderKind,
        handed: &Handed,
        context: &mut Context<'_>,
    ) -> Result<Applied, Refused> {
        let amount = match handed {
            Handed::Exact => None,
            Handed::Amount(amount) => Some(*amount),
            Handed::Pieces(pieces) => counted(pieces)?.total(),
        };
        let day_opened = self.day_open_for_sale(context.now)?;
        let mut applied = self.open_sale()?;
        if applied.cart.needs_age_check() {
            return Err(Refusal::from(RefusalCode::AgeCheck).into());
        }
        self.renew_return(&mut applied.cart, context)?;
        let priced = price(&applied.cart, &self.settings, context.now.civil_date())?;
        self.settle_points(&mut applied.cart, &priced, context)?;
        let due = priced.totals.total - settled(&applied.cart);
        let tender = if due.is_negative() {
            self.refund(kind, amount, due, &priced, context)?
        } else {
            self.take(kind, amount, due)?
        };
        if let Handed::Pieces(pieces) = handed {
            self.few_coins(pieces)?;
        }
        applied.cart.tenders.extend(tender);
        applied.cart.pending = None;
        applied.cart.selected = None;
        applied.cart.just_scanned = None;
        if settled(&applied.cart) == priced.totals.total {
            applied.entries.extend(day_opened);
            self.close(&mut applied, priced, context)?;
        }
        Ok(applied)
    }

    /// Points that settle like money come first, once, when the first tender is taken.
    fn settle_points(
        &self,
        cart: &mut Cart,
        priced: &Priced,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        if !cart.tenders.is_empty() {
            return Ok(());
        }
        if self.settings.points.use_as == points::UseAs::Tender && priced.points_used > 0 {
            let amount = Money::new(priced.points_used);
            cart.points_used = priced.points_used;
            cart.tenders.push(Tender { kind: TenderKind::Points, amount, applied: amount });
        }
        let moved = self.points_moved(cart, context)?;
        let in_points = moved.deducted + moved.refunded;
        if in_points > 0 {
            // May pass the refund: the customer then pays what is missing.
            let amount = Money::new(-in_points);
            cart.tenders.push(Tender { kind: TenderKind::Points, amount, applied: amount });
        }
        Ok(())
    }

    /// More than twenty of one coin need not be taken (`japan.md` 1.10): the cashier is asked.
    fn few_coins(&self, pieces: &[(Money, u32)]) -> Result<(), Refused> {
        let piles = counted(pieces)?.pieces;
        let many = piles.iter().find(|(face, count)| **face < LEAST_NOTE && **count > MOST_COINS);
        let Some((face, count)) = many.filter(|_| !self.session.confirmed) else { return Ok(()) };
        let refusal = Refusal::new(RefusalCode::Confirm)
            .saying("confirm_coins")
            .with("count", count)
            .with("face", face.minor())
            .with("most", MOST_COINS);
        let handed = Handed::Pieces(pieces.to_vec());
        Err(self.asking_again(refusal, Command::Tender { kind: TenderKind::Cash, handed }))
    }

    fn take(
        &self,
        kind: TenderKind,
        amount: Option<Money>,
        due: Money,
    ) -> Result<Option<Tender>, Refused> {
        if due.is_zero() {
            return match amount {
                None => Ok(None),
                Some(_) => Err(Refusal::new(RefusalCode::Over).saying("nothing_due").into()),
            };
        }
        let amount = amount.unwrap_or(due);
        let rules = self.settings.tender(kind);
        if amount <= due {
            if kind == TenderKind::Cash && amount < due && !self.session.confirmed {
                let short = (due - amount).grouped();
                let refusal = Refusal::new(RefusalCode::Short).with("short", short);
                return Err(self.asking_again(
                    refusal,
                    Command::Tender { kind, handed: Handed::Amount(amount) },
                ));
            }
            return Ok(Some(Tender { kind, amount, applied: amount }));
        }
        if kind == TenderKind::Voucher && !rules.change {
            return Ok(Some(Tender { kind, amount, applied: due }));
        }
        if !rules.change {
            return Err(Refusal::new(RefusalCode::Over)
                .saying("over_due")
                .with("due", due.grouped())
                .into());
        }
        if amount - due > self.settings.limits.cash_over && !self.session.confirmed {
            let refusal = Refusal::new(RefusalCode::Confirm)
                .saying("confirm_cash")
                .with("amount", amount.grouped())
                .with("due", due.grouped());
            return Err(self
                .asking_again(refusal, Command::Tender { kind, handed: Handed::Amount(amount) }));
        }
        Ok(Some(Tender { kind, amount, applied: due }))
    }

    pub(super) fn asking_again(&self, refusal: Refusal, command: Command) -> Refused {
        Refused { refusal, record: None, ask: Some(Box::new(Waiting::Yes(command))) }
    }

    fn refund(
        &self,
        kind: TenderKind,
        amount: Option<Money>,
        due: Money,
        priced: &Priced,
        context: &Context<'_>,
    ) -> Result<Option<Tender>, Refusal> {
        let limits = &self.settings.limits;
        let too_much = priced.totals.total.abs() > limits.refund;
        if too_much && self.effective_level(context.now) < limits.level {
            return Err(Refusal::new(RefusalCode::Limit)
                .saying("limit_refund")
                .with("amount", limits.refund.grouped())
                .with("level", limits.level));
        }
        let amount = amount.unwrap_or(due.abs());
        if amount > due.abs() {
            return Err(Refusal::new(RefusalCode::Over)
                .saying("over_due")
                .with("due", due.abs().grouped()));
        }
        Ok(Some(Tender { kind, amount: -amount, applied: -amount }))
    }

    pub(super) fn void_tender(&self) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        // Points are settled with the first tender and go back with it.
        while let Some(tender) = applied.cart.tenders.pop() {
            if tender.kind != TenderKind::Points {
                break;
            }
        }
        if self.cart.tenders.is_empty() {
            return Err(Refusal::new(RefusalCode::NoSale).saying("no_tender"));
        }
        if applied.cart.tenders.iter().all(|tender| tender.kind == TenderKind::Points) {
            applied.cart.tenders.clear();
        }
        Ok(applied)
    }

    fn close(
        &self,
        applied: &mut Applied,
        priced: Priced,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let cart = std::mem::take(&mut applied.cart);
        let sale = self.closed_sale(cart, priced, context)?;
        let by_cash = sale.tenders.iter().any(|tender| tender.kind == TenderKind::Cash);
        let moved_cash = by_cash || !sale.change.is_zero();
        applied.answer.closed = Some(SaleView::closed(&sale));
        applied.answer.receipt = Some(sale.number);
        if moved_cash && !self.lane.training {
            let refund = sale.totals.total.is_negative();
            let cause = if refund { DrawerCause::Refund } else { DrawerCause::Sale };
            applied.effects.push(Effect::OpenDrawer(cause));
        }
        applied.effects.push(Effect::Print(Paper::Receipt { number: sale.number, copy: 0 }));
        applied.entries.push(self.draft(context.now, Kind::SaleClosed(Box::new(sale))));
        Ok(())
    }

    fn closed_sale(
        &self,
        cart: Cart,
        priced: Priced,
        context: &Context<'_>,
    ) -> Result<Sale, Refusal> {
        let only_returns = priced.lines.iter().all(|line| line.item.is_return());
        let kind = match (self.lane.training, only_returns) {
            (true, _) => DocKind::Training,
            (false, true) => DocKind::Return,
            (false, false) => DocKind::Receipt,
        };
        let moved = self.points_moved(&cart, context)?;
        let member = self.sale_member(&cart, &priced, &moved, context)?;
        let change = cart.tenders.iter().map(|tender| match tender.kind {
            TenderKind::Voucher if !self.settings.tender(tender.kind).change => Money::ZERO,
            _ => tender.amount - tender.applied,
        });
        let return_of = cart.returning.as_ref().map(|returning| ReturnOf {
            receipt: returning.sale.number,
            sold_on: returning.sold_on,
            points_taken_back: moved.taken_back,
            points_deducted: moved.deducted,
            points_given_back: moved.given_back,
        });
        Ok(Sale {
            id: cart.id,
            number: self.lane.next_number(kind),
            stamp_duty: self.stamp_duty(&cart, &priced),
            change: change.sum(),
            lines: priced.lines,
            discounts: priced.discounts,
            totals: priced.totals,
            member,
            points_used: priced.points_used,
            points_earned: if cart.member.is_some() { priced.points_earned } else { 0 },
            tenders: cart.tenders,
            eat_in: cart.eat_in,
            customer_kind: cart.customer_kind,
            note: cart.note,
            return_of,
            returned: priced.returned,
            on_the_way: cart.on_the_way,
        })
    }

    fn sale_member(
        &self,
        cart: &Cart,
        priced: &Priced,
        moved: &PointsBack,
        context: &Context<'_>,
    ) -> Result<Option<SaleMember>, Refusal> {
        let of_return = cart.returning.as_ref().and_then(|returning| returning.member.as_deref());
        let code = cart.member.as_ref().map(|member| member.code.as_str()).or(of_return);
        let Some(code) = code else { return Ok(None) };
        let Some(member) = self.cart_member(code, context)? else { return Ok(None) };
        let earned = if cart.member.is_some() { priced.points_earned } else { 0 };
        // What comes back moves the points of the member who earned them.
        let back =
            if of_return.is_none_or(|of_return| of_return == code) { moved.moved() } else { 0 };
        if priced.points_used > member.points.max(0) {
            return Err(Refusal::new(RefusalCode::Points).with("points", member.points));
        }
        Ok(Some(SaleMember {
            points_before: member.points,
            points_after: member.points - priced.points_used + earned + back,
            code: member.code,
            rank: member.rank,
            rank_rate: member.rank_rate,
        }))
    }

    fn points_moved(&self, cart: &Cart, context: &Context<'_>) -> Result<PointsBack, Refusal> {
        match &cart.returning {
            None => Ok(PointsBack::default()),
            Some(returning) => {
                let balance = match &returning.member {
                    Some(code) => {
                        self.cart_member(code, context)?.map_or(0, |member| member.points)
                    }
                    None => 0,
                };
                Ok(points_back(cart, returning, balance, &self.settings))
            }
        }
    }

    /// Duty on the part of the paper that is paid by liable tenders, without its tax (`japan.md` 1.8).
    fn stamp_duty(&self, cart: &Cart, priced: &Priced) -> Money {
        let liable = cart.tenders.iter().filter(|tender| {
            tender.kind != TenderKind::Points && self.settings.tender(tender.kind).stamp_liable
        });
        let liable: Money = liable.map(|tender| tender.applied).sum();
        let tax: Money = priced.totals.taxes.iter().map(|group| group.tax).sum();
        stamp_duty::stamp_duty(stamp_duty::judged_amount(liable, priced.totals.total, Some(tax)))
    }
}

/// What the tenders taken so far settle.
fn settled(cart: &Cart) -> Money {
    cart.tenders.iter().map(|tender| tender.applied).sum()
}
