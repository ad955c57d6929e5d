//! Cash without a sale, the open day, and its close.
//!
//! Room: domain. May touch: std.
//! Invariant: every opening of the drawer has a cause in the journal; a day is closed by its Z and by
//! nothing else (`japan.md` 7.5).

use std::collections::BTreeMap;

use super::sale::free_text;
use super::{Applied, Context, DrawerCause, Effect, Now, Paper, Refused, Register};
use crate::domain::command::Command;
use crate::domain::day::{Count, DayTotals};
use crate::domain::entry::{Draft, Kind, ZClosing};
use crate::domain::money::Money;
use crate::domain::number::DocKind;
use crate::domain::refusal::{Refusal, RefusalCode};

/// Face values of the yen in use, as a count may name them.
const DENOMINATIONS: [i64; 10] = [10_000, 5_000, 2_000, 1_000, 500, 100, 50, 10, 5, 1];
/// A clock that lost its battery says 1970 or 2000; before this year nobody sold with regi.
const FIRST_YEAR: i32 = 2020;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 60;

impl Register {
    /// Whether a sale may close now, and the entry that opens the day before it, when none is open.
    ///
    /// # Errors
    /// `closed_day` past the hour at which the open day ends, until a Z or `open_day`; also while
    /// the clock stands before the last Z, since no sale is ever dated before it.
    pub(super) fn day_open_for_sale(&self, now: Now) -> Result<Option<Draft>, Refusal> {
        if self.lane.training {
            return Ok(None); // Training counts in no day.
        }
        self.after_last_z(now)?;
        let Some(day) = &self.lane.day else {
            return Ok(Some(self.draft(now, Kind::DayOpened { float: Money::ZERO })));
        };
        if self.is_stale(day, now) {
            return Err(Refusal::new(RefusalCode::ClosedDay)
                .with("date", super::view::ymd(day.business_date)));
        }
        Ok(None)
    }

    /// Whether the hour at which the day ends has passed without a Z or a decision to go on.
    fn is_stale(&self, day: &DayTotals, now: Now) -> bool {
        let until = self.lane.continued_on.unwrap_or(day.business_date);
        self.business_date(now) > until.max(day.business_date)
    }

    pub(super) fn after_last_z(&self, now: Now) -> Result<(), Refusal> {
        if now.month().0 < FIRST_YEAR {
            let date = super::view::ymd(now.civil_date());
            return Err(Refusal::new(RefusalCode::ClosedDay)
                .saying("clock_wrong")
                .with("date", date));
        }
        if now.utc_ms >= self.lane.last_z_ms {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::ClosedDay).saying("clock_before_z"))
    }

    fn open_day_totals(&self) -> Result<&DayTotals, Refusal> {
        let none = || Refusal::new(RefusalCode::ClosedDay).saying("no_open_day");
        self.lane.day.as_ref().ok_or_else(none)
    }

    /// Real money and real records are not for practice.
    pub(super) fn not_in_training(&self) -> Result<(), Refusal> {
        if self.lane.training { Err(RefusalCode::Training.into()) } else { Ok(()) }
    }

    pub(super) fn no_sale(&self, reason: &str, context: &Context<'_>) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        let mut applied = self.unchanged();
        let reason = reason_text(reason)?;
        applied.entries.push(self.draft(context.now, Kind::DrawerOpened { reason }));
        applied.effects.push(Effect::OpenDrawer(DrawerCause::NoSale));
        Ok(applied)
    }

    pub(super) fn paid_in(
        &self,
        amount: Money,
        reason: &str,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        let reason = reason_text(reason)?;
        self.cash_moved(Kind::PaidIn { amount, reason }, DrawerCause::CashIn, context)
    }

    pub(super) fn paid_out(
        &self,
        amount: Money,
        reason: &str,
        context: &Context<'_>,
    ) -> Result<Applied, Refused> {
        let command = Command::PaidOut { amount, reason: reason.to_owned() };
        let reason = reason_text(reason)?;
        self.cash_out(Kind::PaidOut { amount, reason }, amount, command, context)
    }

    /// Asks before more goes out than the drawer should hold.
    fn cash_out(
        &self,
        kind: Kind,
        amount: Money,
        command: Command,
        context: &Context<'_>,
    ) -> Result<Applied, Refused> {
        let applied = self.cash_moved(kind, DrawerCause::CashOut, context)?;
        // Before a day is open nobody has said what is in the drawer.
        let expected = self.lane.day.as_ref().map(DayTotals::expected_cash);
        if expected.is_some_and(|expected| amount > expected) && !self.session.confirmed {
            let refusal = Refusal::new(RefusalCode::Confirm)
                .saying("confirm_paid_out")
                .with("amount", amount.grouped());
            return Err(self.asking_again(refusal, command));
        }
        Ok(applied)
    }

    pub(super) fn loan(&self, amount: Money, context: &Context<'_>) -> Result<Applied, Refusal> {
        self.cash_moved(Kind::Loaned { amount }, DrawerCause::CashIn, context)
    }

    pub(super) fn pickup(&self, amount: Money, context: &Context<'_>) -> Result<Applied, Refused> {
        self.cash_out(Kind::PickedUp { amount }, amount, Command::Pickup(amount), context)
    }

    /// Cash that moves belongs to a day, so it opens one; into a day whose hour has passed it may
    /// still go, or a forgotten Z could never be made right.
    fn cash_moved(
        &self,
        kind: Kind,
        cause: DrawerCause,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        self.after_last_z(context.now)?;
        let mut applied = self.unchanged();
        self.no_tender_in(&applied.cart)?;
        if self.lane.day.is_none() {
            applied.entries.push(self.draft(context.now, Kind::DayOpened { float: Money::ZERO }));
        }
        applied.entries.push(self.draft(context.now, kind));
        applied.effects.push(Effect::OpenDrawer(cause));
        applied.effects.push(Effect::Print(Paper::CashSlip));
        Ok(applied)
    }

    /// Opens the day with its float, or goes on with a day whose hour has passed.
    ///
    /// # Errors
    /// `duplicate` while today is open; `bad_argument` for a float where no day begins, since an
    /// amount that is keyed must never be dropped in silence.
    pub(super) fn open_day(
        &self,
        float: Option<Money>,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        self.after_last_z(context.now)?;
        let mut applied = self.unchanged();
        let kind = match &self.lane.day {
            None => Kind::DayOpened { float: float.unwrap_or(self.lane.float_left) },
            Some(day) if !self.is_stale(day, context.now) => {
                return Err(Refusal::new(RefusalCode::Duplicate).saying("day_is_open"));
            }
            Some(day) if float.is_some_and(|float| !float.is_zero()) => {
                return Err(Refusal::new(RefusalCode::BadArgument)
                    .saying("day_goes_on_without_float")
                    .with("date", super::view::ymd(day.business_date)));
            }
            Some(_) => Kind::DayContinued { civil_date: self.business_date(context.now) },
        };
        applied.entries.push(self.draft(context.now, kind));
        Ok(applied)
    }

    pub(super) fn x_report(&self, context: &Context<'_>) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        let count = self.open_day_totals()?.x_reports + 1;
        let mut applied = self.unchanged();
        applied.entries.push(self.draft(context.now, Kind::XReported { count }));
        applied.effects.push(Effect::Print(Paper::XReport));
        Ok(applied)
    }

    /// Takes a blind count; a later one replaces it (`reliability.md` L5).
    pub(super) fn count(
        &self,
        pieces: &[(Money, u32)],
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        self.open_day_totals()?;
        let count = counted(pieces)?;
        let mut applied = self.unchanged();
        applied.entries.push(self.draft(context.now, Kind::CashCounted(count)));
        Ok(applied)
    }

    /// Closes the day: what was expected, what was counted, what stays for tomorrow.
    ///
    /// # Errors
    /// `confirm` when cash has moved since the count; `open_sale` with a sale unfinished; `over` for a float larger than the cash there is.
    pub(super) fn z_report(
        &self,
        counted: Option<Money>,
        float_left: Option<Money>,
        context: &Context<'_>,
    ) -> Result<Applied, Refused> {
        self.not_in_training()?;
        let mut applied = self.no_open_sale()?;
        self.after_last_z(context.now)?;
        let day = self.open_day_totals()?;
        let moved = day.moved_since_count();
        if counted.is_none() && !moved.is_zero() && !self.session.confirmed {
            let refusal = Refusal::new(RefusalCode::Confirm)
                .saying("confirm_stale_count")
                .with("amount", moved.grouped());
            return Err(self.asking_again(refusal, Command::ZReport { counted, float_left }));
        }
        let closing = self.closing(day, counted, float_left)?;
        let number = closing.number;
        let parked = self.parked(context.now.civil_date());
        if parked.count > 0 {
            applied.entries.push(self.draft(context.now, Kind::SalesLeftParked(parked)));
        }
        applied.entries.push(self.draft(context.now, Kind::ZClosed(Box::new(closing))));
        applied.effects = vec![
            Effect::OpenDrawer(DrawerCause::Count),
            Effect::Print(Paper::ZReport { number }),
            Effect::Backup,
        ];
        applied.answer.receipt = Some(number);
        Ok(applied)
    }

    fn closing(
        &self,
        day: &DayTotals,
        counted: Option<Money>,
        float_left: Option<Money>,
    ) -> Result<ZClosing, Refusal> {
        let by_count = day.count.as_ref().and_then(Count::total);
        let counted = counted.or(by_count);
        // A sum given by hand that differs from the count has no table of coins to print.
        let count = day.count.clone().filter(|_| by_count == counted);
        let expected = day.expected_cash();
        let cash = counted.unwrap_or(expected).max(Money::ZERO);
        let float_left = float_left.unwrap_or_else(|| day.float.min(cash));
        if float_left > cash {
            return Err(Refusal::new(RefusalCode::Over)
                .saying("float_over_cash")
                .with("cash", cash.grouped()));
        }
        Ok(ZClosing {
            number: self.lane.next_number(DocKind::Z),
            counted,
            count,
            expected,
            difference: counted.map_or(Money::ZERO, |counted| counted - expected),
            float_left,
            grand_total_before: self.lane.grand_total,
            grand_total: self.lane.grand_total + day.net,
            seal: None, // The store signs it, knowing what it follows.
        })
    }

    pub(super) fn training_on(&self, context: &Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.no_open_sale()?;
        self.not_in_training()?;
        applied.cart = super::Cart::default(); // A member attached for real is not for practice.
        applied.entries.push(self.draft(context.now, Kind::TrainingBegan));
        Ok(applied)
    }

    pub(super) fn training_off(&self, context: &Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.no_open_sale()?;
        if !self.lane.training {
            return Err(Refusal::new(RefusalCode::Training).saying("not_in_training"));
        }
        applied.cart = super::Cart::default();
        applied.entries.push(self.draft(context.now, Kind::TrainingEnded));
        Ok(applied)
    }
}

/// A reason nobody can leave out.
pub(super) fn reason_text(reason: &str) -> Result<String, Refusal> {
    let reason = free_text(reason, LONGEST_REASON)?;
    if reason.is_empty() { Err(RefusalCode::Reason.into()) } else { Ok(reason) }
}

/// Adds up pieces by face value; the same face twice is one pile.
pub(super) fn counted(pieces: &[(Money, u32)]) -> Result<Count, Refusal> {
    let mut piles = BTreeMap::<Money, u32>::new();
    for (face, more) in pieces {
        if !DENOMINATIONS.contains(&face.minor()) {
            return Err(Refusal::new(RefusalCode::BadArgument)
                .saying("no_denomination")
                .with("face", face.minor()));
        }
        let pile = piles.entry(*face).or_default();
        *pile = pile.checked_add(*more).ok_or(RefusalCode::Over)?;
    }
    let count = Count { pieces: piles };
    match count.total() {
        Some(total) if total <= Money::MAX_KEYED => Ok(count),
        _ => Err(RefusalCode::Over.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::day::Tally;
    use crate::domain::money::yen;
    use crate::domain::register::test_shop::Shop;

    fn closing(shop: &Shop) -> &ZClosing {
        match &shop.journal.last().unwrap().kind {
            Kind::ZClosed(closing) => closing,
            other => panic!("not a Z: {other:?}"),
        }
    }

    #[test]
    fn piles_of_one_face_are_added_and_strange_faces_refused() {
        let count = counted(&[(yen(1000), 2), (yen(1), 5), (yen(1000), 1)]).unwrap();
        assert_eq!(count.total(), Some(yen(3005)));
        assert_eq!(counted(&[(yen(3000), 1)]).unwrap_err().sentence, "no_denomination");
        assert_eq!(counted(&[(yen(10_000), 999_999)]).unwrap_err().code, RefusalCode::Over);
    }

    /// A sale rung after the count is no shortage: whoever closes is asked to count anew.
    #[test]
    fn a_count_that_cash_has_moved_since_is_asked_about() {
        let mut shop = Shop::staffless();
        shop.give("open_day 1000");
        shop.give("count 1000x1");
        shop.sell(&["department 2 178"]);
        let refusal = shop.refuse("z_report");
        assert_eq!((refusal.code, refusal.sentence), (RefusalCode::Confirm, "confirm_stale_count"));
        assert_eq!(refusal.args, [("amount", "178".to_owned())]);
        shop.give("count 1000x1 100x1 50x1 10x2 5x1 1x3");
        shop.give("z_report");
        assert_eq!(closing(&shop).difference, yen(0));
        shop.wait_s(86_400);
        shop.sell(&["department 2 100"]);
        shop.give("count 100x1");
        shop.give("paid_in 50 釣銭");
        shop.refuse("z_report");
        shop.give("confirm");
        assert_eq!(closing(&shop).difference, yen(-50), "who says so closes with the old count");
    }

    #[test]
    fn more_than_the_drawer_holds_is_picked_up_only_when_somebody_says_so() {
        let mut shop = Shop::staffless();
        shop.give("open_day 1000");
        shop.give("pickup 600");
        assert_eq!(shop.refuse("pickup 401").sentence, "confirm_paid_out");
        assert_eq!(shop.register.lane.day.as_ref().unwrap().expected_cash(), yen(400));
        shop.give("confirm");
        assert_eq!(shop.register.lane.day.as_ref().unwrap().expected_cash(), yen(-1));
    }

    /// `japan.md` 9, CS-05.
    #[test]
    fn expected_cash_is_float_sales_refunds_and_what_was_paid_in_and_out() {
        let mut shop = Shop::staffless();
        shop.give("open_day 50000");
        shop.give("department 2 123456");
        shop.give("tender_cash");
        shop.give("department 2 1000");
        shop.give("tender_cash");
        let receipt = shop.last_sale().number.to_string();
        shop.give(&format!("return {receipt}"));
        shop.give("tender_cash");
        shop.give("department 2 1000");
        shop.give("tender_credit");
        shop.give("return_open");
        shop.give("department 2 1000");
        shop.give("tender_cash");
        shop.give("paid_in 5000 両替金");
        shop.give("paid_out 3000 切手代");
        shop.give("count 10000x17 1000x4 100x4");
        shop.give("z_report");
        let closing = closing(&shop);
        assert_eq!(closing.expected, yen(174_456));
        assert_eq!(closing.counted, Some(yen(174_400)));
        assert_eq!(closing.difference, yen(-56));
        assert_eq!(closing.float_left, yen(50_000));
    }

    #[test]
    fn more_than_the_drawer_holds_is_paid_out_only_on_a_yes() {
        let mut shop = Shop::staffless();
        shop.give("open_day 5000");
        shop.give("paid_out 5000 仕入");
        assert_eq!(shop.refuse("paid_out 1 仕入").sentence, "confirm_paid_out");
        assert_eq!(shop.register.lane.day.as_ref().unwrap().expected_cash(), yen(0));
        shop.give("confirm");
        assert_eq!(shop.register.lane.day.as_ref().unwrap().expected_cash(), yen(-1));
    }

    #[test]
    fn sales_that_stay_parked_are_named_by_the_z() {
        let mut shop = Shop::staffless();
        for amount in [300, 500] {
            shop.give(&format!("department 2 {amount}"));
            shop.give("suspend");
        }
        shop.sell(&["department 2 100"]);
        let given = shop.give("z_report");
        let parked = Tally { count: 2, amount: yen(800) };
        assert_eq!(given.entries[0].kind, Kind::SalesLeftParked(parked));
        shop.wait_s(86_400);
        for slip in ["resume 1", "resume 2"] {
            shop.give(slip);
            shop.give("tender_cash");
        }
        assert_eq!(shop.give("z_report").entries.len(), 1, "nothing is parked any more");
    }

    #[test]
    fn a_z_counts_on_and_never_clears_the_grand_total() {
        let mut shop = Shop::staffless();
        for (day, total) in [(1, 248), (2, 496)] {
            shop.give("scan 4901234567894");
            shop.give("tender_cash");
            shop.give("z_report");
            let closing = closing(&shop);
            assert_eq!(closing.number.to_string(), format!("01-Z{day:04}"));
            assert_eq!(closing.grand_total, yen(total));
            assert_eq!((closing.counted, closing.difference), (None, yen(0)));
            shop.wait_s(86_400);
        }
        assert_eq!(shop.refuse("z_report").sentence, "no_open_day");
    }

    #[test]
    fn a_z_waits_for_the_open_sale_and_leaves_no_more_than_was_counted() {
        let mut shop = Shop::staffless();
        shop.give("open_day 30000");
        shop.give("scan 1");
        assert_eq!(shop.refuse("z_report").code, RefusalCode::OpenSale);
        shop.give("void_sale");
        assert_eq!(shop.refuse("z_report 20000 30000").sentence, "float_over_cash");
        shop.give("z_report 20000");
        assert_eq!(closing(&shop).float_left, yen(20_000));
        shop.wait_s(86_400);
        shop.give("open_day");
        assert_eq!(shop.register.lane.day.as_ref().unwrap().float, yen(20_000));
    }

    #[test]
    fn past_the_hour_a_sale_waits_for_z_or_a_decision_to_go_on() {
        let mut shop = Shop::staffless();
        shop.give("scan 1");
        shop.give("tender_cash");
        let opened = shop.register.lane.day.as_ref().unwrap().business_date;
        assert_eq!(shop.refuse("open_day").sentence, "day_is_open");
        shop.wait_s(86_400 - 10 * 3600);
        shop.give("scan 1");
        shop.wait_s(10 * 3600);
        assert_eq!(shop.refuse("tender_cash").code, RefusalCode::ClosedDay);
        shop.give("pickup 100");
        assert_eq!(shop.refuse("open_day 5000").code, RefusalCode::BadArgument);
        shop.give("open_day");
        shop.give("tender_cash");
        assert_eq!(shop.journal.last().unwrap().header.business_date, opened);
        shop.wait_s(86_400);
        for refused in ["scan 1", "department 1 100", "tender_cash"] {
            assert_eq!(shop.refuse(refused).code, RefusalCode::ClosedDay, "{refused}");
        }
    }

    #[test]
    fn the_night_before_the_hour_still_belongs_to_the_evening() {
        let mut shop = Shop::staffless();
        shop.set_clock("2026-11-22T23:50");
        shop.give("scan 1");
        shop.give("tender_cash");
        shop.set_clock("2026-11-23T04:59");
        shop.give("scan 1");
        shop.give("tender_cash");
        shop.set_clock("2026-11-23T05:00");
        assert_eq!(shop.refuse("scan 1").code, RefusalCode::ClosedDay);
    }

    #[test]
    fn no_sale_is_dated_before_the_last_z() {
        let mut shop = Shop::staffless();
        shop.give("scan 1");
        shop.give("tender_cash");
        shop.give("z_report");
        shop.wait_s(-3600);
        assert_eq!(shop.refuse("scan 1").sentence, "clock_before_z");
        assert_eq!(shop.refuse("paid_in 1 x").sentence, "clock_before_z");
    }

    #[test]
    fn every_opening_names_its_cause() {
        let mut shop = Shop::staffless();
        assert_eq!(shop.refuse("no_sale \" \"").code, RefusalCode::Reason);
        for (line, cause) in [
            ("no_sale 両替", DrawerCause::NoSale),
            ("paid_in 100 釣銭", DrawerCause::CashIn),
            ("paid_out 100 切手", DrawerCause::CashOut),
            ("loan 100", DrawerCause::CashIn),
            ("pickup 100", DrawerCause::CashOut),
        ] {
            let given = shop.give(line);
            assert_eq!(given.effects[0], Effect::OpenDrawer(cause), "{line}");
        }
        let day = shop.register.lane.day.as_ref().unwrap();
        assert_eq!(day.expected_cash(), yen(0));
    }

    #[test]
    fn training_touches_no_money() {
        let mut shop = Shop::staffless();
        shop.give("scan 1");
        assert_eq!(shop.refuse("training_on").code, RefusalCode::OpenSale);
        shop.give("suspend");
        shop.give("training_on");
        assert_eq!(shop.refuse("resume").code, RefusalCode::Training);
        for line in ["no_sale x", "paid_in 1 x", "loan 1", "open_day", "count 1x1", "z_report"] {
            assert_eq!(shop.refuse(line).code, RefusalCode::Training, "{line}");
        }
        shop.give("scan 1");
        assert_eq!(shop.refuse("training_off").code, RefusalCode::OpenSale);
        let given = shop.give("tender_cash");
        assert!(!given.effects.iter().any(|effect| matches!(effect, Effect::OpenDrawer(_))));
        shop.give("training_off");
        assert!(shop.register.lane.day.is_none(), "training opens no day");
        assert_eq!(shop.refuse("training_off").sentence, "not_in_training");
    }
}
