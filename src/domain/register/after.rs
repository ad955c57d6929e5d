//! What is done with a receipt once it is closed: copies, formal receipts, undoing, correcting.
//!
//! Room: domain. May touch: std. Formal receipts and stamp duty: `japan.md` 1.8.
//! Invariant: a closed sale is never changed; what follows from it is an entry of its own.

use super::drawer::reason_text;
use super::kept::left_of;
use super::returns::receipt_refusal;
use super::sale::free_text;
use super::scanning::receipt_number;
use super::{Applied, Context, DrawerCause, Effect, Paper, Refused, Register, StoredSale};
use crate::domain::command::{Command, FormalAsked};
use crate::domain::day::local_hour;
use crate::domain::entry::Kind;
use crate::domain::money::Money;
use crate::domain::number::{DocKind, DocNo};
use crate::domain::quantity::Quantity;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::sale::{Sale, TenderKind};
use crate::domain::settings::Settings;
use crate::domain::stamp_duty;
use crate::domain::text;

/// The longest name a formal receipt is made out to, in characters.
const LONGEST_NAME: usize = 60;
/// The longest purpose (但し書き) of one, in characters.
const LONGEST_PURPOSE: usize = 40;
/// How many sales are looked back over for one that stands.
const MOST_LOOKED_BACK: usize = 100;
/// The longest name of a print job.
const LONGEST_JOB: usize = 80;

impl Register {
    /// Finds the receipt staff named: `01-000123`, or a running number of this lane.
    pub(super) fn stored_sale(
        &self,
        receipt: &str,
        context: &Context<'_>,
    ) -> Result<StoredSale, Refusal> {
        let number = receipt_number(self, receipt)?;
        let unknown = || receipt_refusal(RefusalCode::Receipt.word(), text::cleaned(receipt));
        context.shop.sale(number)?.ok_or_else(unknown)
    }

    fn last_or_named(
        &self,
        receipt: Option<&str>,
        context: &Context<'_>,
    ) -> Result<StoredSale, Refusal> {
        if let Some(receipt) = receipt {
            return self.stored_sale(receipt, context);
        }
        let none = || Refusal::new(RefusalCode::Receipt).saying("no_receipt_yet");
        let last = self.lane.newest_receipt().ok_or_else(none)?;
        context.shop.sale(last)?.ok_or_else(none)
    }

    /// Prints a receipt again, marked with the number of the copy; never one that was voided, which
    /// would be good for input tax once more (`japan.md` 1.4).
    pub(super) fn reprint(
        &self,
        receipt: Option<&str>,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        if let Some(number) = receipt.and_then(formal_number) {
            return self.reprint_formal(number, context);
        }
        let stored = self.last_or_named(receipt, context)?;
        if stored.voided {
            return Err(receipt_refusal("receipt_voided", stored.sale.number));
        }
        let (number, copy) = (stored.sale.number, stored.copies + 1);
        Ok(self.reprinted(number, copy, Paper::Receipt { number, copy }, context))
    }

    /// Prints a formal receipt again: the same number, marked, so that there is one original.
    ///
    /// # Errors
    /// `receipt` for one that is unknown or whose sale is void, `returned` once goods came back.
    fn reprint_formal(&self, number: DocNo, context: &Context<'_>) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        let unknown = || receipt_refusal(RefusalCode::Receipt.word(), number);
        let stored = context.shop.sale_of_formal(number)?.ok_or_else(unknown)?;
        untouched(&stored)?;
        let copy = stored.formal_kept(number).ok_or_else(unknown)?.copies + 1;
        Ok(self.reprinted(number, copy, Paper::Formal { number, copy }, context))
    }

    fn reprinted(&self, number: DocNo, copy: u32, paper: Paper, context: &Context<'_>) -> Applied {
        let mut applied = self.unchanged();
        applied.entries.push(self.draft(context.now, Kind::Reprinted { receipt: number, copy }));
        applied.effects.push(Effect::Print(paper));
        applied.answer.receipt = Some(number);
        applied
    }

    /// The newest sale of goods that stands; where there is none, the newest there was, whose own
    /// state then says why.
    fn newest_standing(&self, context: &Context<'_>) -> Result<StoredSale, Refusal> {
        let mut newest = None;
        for number in self.lane.sales_newest_first().take(MOST_LOOKED_BACK) {
            let Some(stored) = context.shop.sale(number)? else { continue };
            if stands(&stored).is_ok() && !all_came_back(&stored) {
                return Ok(stored);
            }
            newest.get_or_insert(stored);
        }
        newest.map_or_else(|| self.last_or_named(None, context), Ok)
    }

    /// Makes out a formal receipt (領収書) for a sale, or for a part of it.
    ///
    /// # Errors
    /// `over` when the slips of one sale would exceed it, `returned` once goods came back: the
    /// customer must not hold a paper for money that was paid out again.
    pub(super) fn formal_receipt(
        &self,
        asked: &FormalAsked,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        let name = free_text(&asked.name, LONGEST_NAME)?;
        let purpose = free_text(asked.purpose.as_deref().unwrap_or_default(), LONGEST_PURPOSE)?;
        let stored = match &asked.receipt {
            Some(receipt) => self.stored_sale(receipt, context)?,
            None => self.newest_standing(context)?,
        };
        let receipt = stored.sale.number;
        of_money_taken(&stored)?;
        untouched(&stored)?;
        let left = stored.sale.totals.total - stored.formal;
        let amount = asked.amount.unwrap_or(left);
        if amount > left || amount <= Money::ZERO {
            return Err(Refusal::new(RefusalCode::Over)
                .saying("formal_over")
                .with("left", left.max(Money::ZERO).grouped()));
        }
        let number = self.lane.next_number(DocKind::Formal);
        let stamp_duty = duty_on(&stored.sale, amount, &self.settings);
        let mut applied = self.unchanged();
        let kind = match purpose.is_empty() {
            true => Kind::FormalReceiptIssued { number, receipt, name, amount, stamp_duty },
            false => {
                Kind::FormalReceiptIssuedFor { number, receipt, name, amount, stamp_duty, purpose }
            }
        };
        applied.entries.push(self.draft(context.now, kind));
        applied.effects.push(Effect::Print(Paper::Formal { number, copy: 0 }));
        applied.answer.receipt = Some(number);
        Ok(applied)
    }

    /// Undoes a receipt of the open day. Points that it gave late are taken back with it.
    ///
    /// # Errors
    /// `receipt` when it is of another day or lane, or already undone; `returned` when goods of it
    /// came back; `limit` when more money goes out than this level may pay; `confirm` while the
    /// customer holds a formal receipt of it.
    pub(super) fn void_receipt(
        &self,
        receipt: &str,
        reason: &str,
        context: &Context<'_>,
    ) -> Result<Applied, Refused> {
        self.not_in_training()?;
        self.no_tender_in(&self.cart)?;
        let again = Command::VoidReceipt { receipt: receipt.to_owned(), reason: reason.to_owned() };
        let reason = reason_text(reason)?;
        let stored = self.stored_sale(receipt, context)?;
        let number = stored.sale.number;
        self.of_open_day(&stored)?;
        untouched(&stored)?;
        self.not_held(&stored, 1..=stored.sale.lines.len() as u32, context)?;
        self.within_refund_limit(&stored.sale, context)?;
        self.formals_taken_back(&stored, again)?;
        let mut applied = self.unchanged();
        if let Some(kind) = self.late_points_undone(&stored, context)? {
            applied.entries.push(self.draft(context.now, kind));
        }
        if !stored.sale.cash().is_zero() {
            applied.effects.push(Effect::OpenDrawer(DrawerCause::Refund));
        }
        applied.effects.push(Effect::Print(Paper::VoidSlip { number }));
        applied.answer.receipt = Some(number);
        let (sold_by, sold_hour) = (stored.staff, local_hour(stored.at_ms, stored.offset_minutes));
        let sale = Box::new(stored.sale);
        let kind = Kind::ReceiptVoided { receipt: number, reason, sale, sold_by, sold_hour };
        applied.entries.push(self.draft(context.now, kind));
        Ok(applied)
    }

    /// Asks whether the formal receipts of a sale were taken back, before its money goes out: nobody
    /// keeps a paper for money they have again.
    pub(super) fn formals_taken_back(
        &self,
        stored: &StoredSale,
        command: Command,
    ) -> Result<(), Refused> {
        if stored.formals.is_empty() || self.session.confirmed {
            return Ok(());
        }
        let numbers: Vec<_> =
            stored.formals.iter().map(|formal| formal.number.to_string()).collect();
        let refusal = Refusal::new(RefusalCode::Confirm)
            .saying("confirm_formals")
            .with("numbers", numbers.join(" "));
        Err(self.asking_again(refusal, command))
    }

    pub(super) fn of_open_day(&self, stored: &StoredSale) -> Result<(), Refusal> {
        let number = stored.sale.number;
        let day = self.lane.day.as_ref().filter(|_| number.lane == self.lane.lane);
        if day.is_some_and(|day| day.holds(number.epoch, stored.seq)) {
            return Ok(());
        }
        Err(receipt_refusal("receipt_of_other_day", number))
    }

    fn within_refund_limit(&self, sale: &Sale, context: &Context<'_>) -> Result<(), Refusal> {
        let limits = &self.settings.limits;
        let within = sale.totals.total <= limits.refund;
        if within || self.effective_level(context.now) >= limits.level {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::Limit)
            .saying("limit_refund")
            .with("amount", limits.refund.grouped())
            .with("level", limits.level))
    }

    fn late_points_undone(
        &self,
        stored: &StoredSale,
        context: &Context<'_>,
    ) -> Result<Option<Kind>, Refusal> {
        let Some(code) = stored.late_member.as_deref().filter(|_| stored.late_points != 0) else {
            return Ok(None);
        };
        let Some(member) = self.cart_member(code, context)? else { return Ok(None) };
        Ok(Some(Kind::LatePoints {
            receipt: stored.sale.number,
            member: member.code,
            earned: -stored.late_points,
            points_after: member.points - stored.late_points,
        }))
    }

    /// Says that the customer paid by other means than was keyed. The sum does not move.
    ///
    /// # Errors
    /// `excluded` when several means settled the receipt, change for a voucher among them: then it
    /// must be voided and rung again.
    pub(super) fn correct_tender(
        &self,
        receipt: &str,
        to: TenderKind,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        let stored = self.stored_sale(receipt, context)?;
        let number = stored.sale.number;
        self.of_open_day(&stored)?;
        stands(&stored)?;
        let from = match stored.sale.tenders.as_slice() {
            [one]
                if one.kind != TenderKind::Points && stored.sale.change_for_others().is_zero() =>
            {
                one
            }
            _ => return Err(Refusal::new(RefusalCode::Excluded).saying("tender_mixed")),
        };
        if from.kind == to {
            return Err(Refusal::new(RefusalCode::Duplicate)
                .saying("same_tender")
                .with("kind", to.word()));
        }
        let (from, amount) = (from.kind, from.applied);
        let mut applied = self.unchanged();
        let kind = Kind::TenderCorrected { receipt: number, from, to, amount };
        applied.entries.push(self.draft(context.now, kind));
        applied.answer.receipt = Some(number);
        Ok(applied)
    }

    /// Ends a print job whose fate the printer did not tell.
    pub(super) fn print_outcome(&self, job: &str, printed: bool) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        let job = free_text(job, LONGEST_JOB)?;
        applied.effects.push(Effect::EndJob { job, printed });
        Ok(applied)
    }
}

/// The number of a formal receipt, when that is what staff named.
fn formal_number(typed: &str) -> Option<DocNo> {
    typed.trim().parse().ok().filter(|number: &DocNo| number.kind == DocKind::Formal)
}

/// Whether nothing of a sale is left at the customer's.
fn all_came_back(stored: &StoredSale) -> bool {
    left_of(&stored.sale, &stored.returned).values().all(|left| *left <= Quantity::ZERO)
}

/// A receipt for money taken, not for money paid out.
fn of_money_taken(stored: &StoredSale) -> Result<(), Refusal> {
    let number = stored.sale.number;
    if number.kind == DocKind::Receipt {
        return Ok(());
    }
    Err(receipt_refusal("receipt_not_of_sale", number))
}

/// Practice and what was undone are no receipts any more.
fn stands(stored: &StoredSale) -> Result<(), Refusal> {
    let number = stored.sale.number;
    if stored.training {
        return Err(receipt_refusal("receipt_not_of_sale", number));
    }
    if stored.voided { Err(receipt_refusal("receipt_voided", number)) } else { Ok(()) }
}

/// A receipt that stands, with all of its goods at the customer's.
fn untouched(stored: &StoredSale) -> Result<(), Refusal> {
    stands(stored)?;
    let number = stored.sale.number;
    if stored.returned.is_empty() { Ok(()) } else { Err(goods_came_back(number)) }
}

pub(super) fn goods_came_back(number: DocNo) -> Refusal {
    Refusal::new(RefusalCode::Returned).saying("goods_came_back").with("receipt", number)
}

/// Stamp duty on a slip of `amount`: the liable tenders' part of it, without its tax, which the slip
/// prints as an amount.
fn duty_on(sale: &Sale, amount: Money, settings: &Settings) -> Money {
    let total = sale.totals.total;
    let liable = sale.tenders.iter().filter(|tender| settings.tender(tender.kind).stamp_liable);
    let liable: Money = liable.map(|tender| tender.applied).sum();
    let tax: Money = sale.totals.taxes.iter().map(|group| group.tax).sum();
    // A part of the sale is paid for by its liable tenders first: no stamp is saved by splitting.
    stamp_duty::stamp_duty(stamp_duty::judged_amount(liable.min(amount), total, Some(tax)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;
    use crate::domain::register::test_shop::Shop;

    fn sold(amount: i64, tender: &str) -> Shop {
        let mut shop = Shop::staffless();
        shop.give(&format!("department 2 {amount}"));
        shop.give(tender);
        shop
    }

    #[test]
    fn copies_are_counted_and_the_first_is_unmarked() {
        let mut shop = Shop::staffless();
        assert_eq!(shop.refuse("reprint").sentence, "no_receipt_yet");
        shop.give("scan 1");
        shop.give("tender_cash");
        let number = shop.last_sale().number;
        for copy in [1, 2] {
            let given = shop.give("reprint");
            assert_eq!(given.effects, [Effect::Print(Paper::Receipt { number, copy })]);
        }
        assert_eq!(shop.give("reprint 1").answer.receipt, Some(number));
        assert_eq!(shop.refuse("reprint 2").code, RefusalCode::Receipt);
    }

    #[test]
    fn formal_receipts_never_sum_above_the_sale() {
        let mut shop = sold(10_000, "tender_cash");
        shop.give("formal_receipt 株式会社みどり 6000");
        assert_eq!(shop.refuse("formal_receipt 上様 4001").sentence, "formal_over");
        let given = shop.give("formal_receipt 上様");
        assert_eq!(given.answer.receipt.unwrap().to_string(), "01-F000002");
        assert_eq!(shop.refuse("formal_receipt 上様").code, RefusalCode::Over);
    }

    #[test]
    fn a_formal_receipt_is_of_the_sale_that_is_named_or_the_newest_that_stands() {
        let mut shop = Shop::staffless();
        for amount in [100, 200, 300, 400, 500] {
            shop.sell(&[&format!("department 2 {amount}")]);
        }
        let receipt_of = |shop: &mut Shop, line: &str| {
            shop.give(line);
            match &shop.journal.last().unwrap().kind {
                Kind::FormalReceiptIssued { receipt, amount, .. } => {
                    (receipt.number, amount.minor())
                }
                other => panic!("not a formal receipt: {other:?}"),
            }
        };
        assert_eq!(receipt_of(&mut shop, "formal_receipt 上様 receipt=01-000001"), (1, 100));
        assert_eq!(receipt_of(&mut shop, "formal_receipt 上様 20 receipt=2"), (2, 20));
        shop.give("return 5");
        shop.give("tender_cash");
        assert_eq!(receipt_of(&mut shop, "formal_receipt 上様 40"), (4, 40));
        shop.sell(&["department 2 600"]);
        shop.give("void_receipt 6 打ち間違い");
        assert_eq!(receipt_of(&mut shop, "formal_receipt 上様"), (4, 360));
        assert_eq!(shop.refuse("formal_receipt 上様 receipt=6").sentence, "receipt_voided");
        assert_eq!(shop.refuse("formal_receipt 上様 receipt=9").code, RefusalCode::Receipt);
        let refusal = shop.refuse("formal_receipt 上様 receipt=01-R000001");
        assert_eq!(refusal.sentence, "receipt_not_of_sale");
    }

    #[test]
    fn a_formal_receipt_is_printed_again_under_its_own_number() {
        let mut shop = sold(1000, "tender_cash");
        shop.give("formal_receipt 上様 for=\"お弁当 代\"");
        for copy in [1, 2] {
            let given = shop.give("reprint 01-F000001");
            let number = given.answer.receipt.unwrap();
            assert_eq!(given.effects, [Effect::Print(Paper::Formal { number, copy })]);
        }
        assert_eq!(shop.give("reprint").effects.len(), 1);
        assert_eq!(shop.memory.sales[&shop.last_sale().number].copies, 1, "of the receipt");
        assert_eq!(
            shop.refuse("formal_receipt 上様").code,
            RefusalCode::Over,
            "no second original"
        );
        assert_eq!(shop.refuse("reprint 01-F000002").code, RefusalCode::Receipt);
    }

    #[test]
    fn no_money_goes_back_before_the_formal_receipt_was_asked_for() {
        for back in ["void_receipt 1 打ち間違い", "return 1", "return 1 1:1", "exchange 1 1"] {
            let mut shop = Shop::staffless();
            shop.sell(&["quantity 2", "department 2 500"]);
            shop.give("formal_receipt 山吹 300");
            shop.give("formal_receipt 山吹");
            let asked = shop.refuse(back);
            assert_eq!((asked.code, asked.sentence), (RefusalCode::Confirm, "confirm_formals"));
            assert_eq!(asked.args, [("numbers", "01-F000001 01-F000002".to_owned())], "{back}");
            assert!(shop.register.cart.is_empty(), "{back}");
            shop.give("confirm");
            if back.starts_with("return 1 1") {
                shop.give(back); // The papers of this return were asked for already.
            }
        }
    }

    /// `japan.md` 9, SD-03, SD-06, SD-08.
    #[test]
    fn a_formal_receipt_owes_the_stamp_of_its_cash_without_tax() {
        for (amount, tender, part, want) in [
            (54_000, "tender_cash", "", 0),
            (54_999, "tender_cash", "", 200),
            (80_000, "tender_credit", "", 0),
            (80_000, "tender_cash", "40000", 0),
        ] {
            let mut shop = sold(amount, tender);
            shop.give(&format!("formal_receipt 上様 {part}"));
            match &shop.journal.last().unwrap().kind {
                Kind::FormalReceiptIssued { stamp_duty, .. } => {
                    assert_eq!(*stamp_duty, yen(want), "{amount} {tender}");
                }
                other => panic!("not a formal receipt: {other:?}"),
            }
        }
    }

    #[test]
    fn a_voided_receipt_counts_in_nothing() {
        let mut shop = sold(3000, "tender_cash");
        assert_eq!(shop.refuse("void_receipt 1 \" \"").code, RefusalCode::Reason);
        let given = shop.give("void_receipt 1 打ち間違い");
        assert_eq!(given.effects[0], Effect::OpenDrawer(DrawerCause::Refund));
        assert_eq!(shop.register.lane.day.as_ref().unwrap().expected_cash(), yen(0));
        assert_eq!(shop.refuse("void_receipt 1 again").sentence, "receipt_voided");
        assert_eq!(shop.refuse("formal_receipt 上様").sentence, "receipt_voided");
        assert_eq!(
            shop.refuse("reprint 1").sentence,
            "receipt_voided",
            "it would be good for input tax"
        );
    }

    #[test]
    fn a_receipt_is_voided_on_its_own_day_while_nothing_of_it_came_back() {
        let mut shop = sold(3000, "tender_credit");
        shop.give("return 1");
        shop.give("tender_credit");
        assert_eq!(shop.refuse("void_receipt 1 x").code, RefusalCode::Returned);
        assert_eq!(shop.refuse("formal_receipt 上様").sentence, "goods_came_back");
        shop.give("void_receipt 01-R000001 x"); // The goods went along after all.
        shop.give("void_receipt 1 x");
        shop.give("department 2 3000");
        let number = shop.give("tender_credit").answer.receipt.unwrap();
        shop.give("z_report");
        assert_eq!(
            shop.refuse(&format!("void_receipt {number} x")).sentence,
            "receipt_of_other_day"
        );
    }

    #[test]
    fn a_void_above_the_refund_limit_needs_a_manager() {
        let mut shop = Shop::with_staff_of_every_level();
        shop.give(&format!("sign_in 5 {}", Shop::pin_of(5)));
        shop.give("department 2 5001");
        shop.give("tender_cash");
        assert_eq!(shop.refuse("void_receipt 1 x").code, RefusalCode::Limit);
        shop.give(&format!("approve 7 {}", Shop::pin_of(7)));
        shop.give("void_receipt 1 x");
        assert!(shop.register.cart.is_empty(), "the next sale was approved by nobody");
    }

    #[test]
    fn a_tender_keyed_wrong_moves_between_the_tallies() {
        let mut shop = sold(3000, "tender_cash");
        assert_eq!(shop.refuse("correct_tender 1 cash").sentence, "same_tender");
        shop.give("correct_tender 1 credit");
        let day = shop.register.lane.day.as_ref().unwrap();
        assert_eq!(day.expected_cash(), yen(0));
        shop.give("correct_tender 1 emoney");
        let day = shop.register.lane.day.as_ref().unwrap();
        assert_eq!(day.tenders[&TenderKind::Credit].amount, yen(0));
        assert_eq!(day.tenders[&TenderKind::Emoney].amount, yen(3000));
        shop.give("department 2 100");
        shop.give("tender_credit 40");
        shop.give("tender_cash");
        assert_eq!(shop.refuse("correct_tender 2 code").sentence, "tender_mixed");
    }

    /// 1,000 yen for 300 was keyed as cash and was a card: no note came in and no change went out.
    #[test]
    fn a_corrected_tender_leaves_no_change_behind() {
        let mut shop = Shop::staffless();
        shop.give("open_day 5000");
        shop.give("department 2 300");
        shop.give("tender_cash 1000");
        shop.give("correct_tender 1 credit");
        let number = shop.last_sale().number;
        let stands = &shop.memory.sales[&number].sale;
        assert_eq!((stands.cash(), stands.change), (yen(0), yen(0)));
        shop.give("void_receipt 1 打ち間違い");
        let day = shop.register.lane.day.as_ref().unwrap();
        assert_eq!(day.expected_cash(), yen(5000));
        assert_eq!(day.tenders[&TenderKind::Credit].amount, yen(0));
    }

    /// 1,000 yen of vouchers for 300 of goods, which give no change, were cash of 300 after all.
    #[test]
    fn a_voucher_corrected_to_cash_is_what_it_settled() {
        let mut shop = sold(300, "tender_voucher 1000");
        shop.give("correct_tender 1 cash");
        let number = shop.last_sale().number;
        assert_eq!(shop.memory.sales[&number].sale.cash(), yen(300));
        assert_eq!(shop.register.lane.day.as_ref().unwrap().expected_cash(), yen(300));
        shop.give("void_receipt 1 打ち間違い");
        assert_eq!(shop.register.lane.day.as_ref().unwrap().expected_cash(), yen(0));
    }

    /// A Z at noon and another day of the same date behind it.
    #[test]
    fn what_a_z_has_closed_is_undone_in_no_later_day() {
        let mut shop = sold(3000, "tender_cash");
        shop.give("z_report");
        shop.give("department 2 500");
        shop.give("tender_cash");
        for act in ["void_receipt 1 x", "correct_tender 1 credit"] {
            assert_eq!(shop.refuse(act).sentence, "receipt_of_other_day");
        }
        shop.give("void_receipt 2 x");
        let day = shop.register.lane.day.as_ref().unwrap();
        assert_eq!((day.net, day.customers, day.expected_cash()), (yen(0), 0, yen(0)));
    }

    #[test]
    fn a_print_job_ends_as_staff_say() {
        let mut shop = Shop::staffless();
        let given = shop.give("print_outcome 17 lost");
        assert_eq!(given.effects, [Effect::EndJob { job: "17".into(), printed: false }]);
    }

    #[test]
    fn a_voided_receipt_leaves_the_tallies_of_who_sold_it_and_when() {
        let mut shop = Shop::new();
        shop.give("sign_in 3 333333");
        shop.give("department 2 900");
        shop.give("tender_cash");
        shop.wait_s(3 * 3600);
        shop.give("sign_out");
        shop.give("sign_in 1 111111");
        shop.give("void_receipt 1 打ち間違い");
        let day = shop.register.lane.day.as_ref().unwrap();
        assert!(day.staff.values().all(|tally| tally.count == 0), "{:?}", day.staff);
        assert!(day.hours.values().all(|tally| tally.amount == yen(0)), "{:?}", day.hours);
    }

    /// A voucher of 1,000 for 300 yen of goods, where the shop gives change for vouchers.
    #[test]
    fn change_for_a_voucher_leaves_the_drawer() {
        let mut shop = Shop::staffless();
        shop.change(|settings| {
            settings.tenders.get_mut(&TenderKind::Voucher).unwrap().change = true;
        });
        shop.give("department 2 300");
        let given = shop.give("tender_voucher 1000");
        assert!(given.effects.contains(&Effect::OpenDrawer(DrawerCause::Sale)));
        let day = shop.register.lane.day.as_ref().unwrap();
        assert_eq!(day.expected_cash(), yen(-700));
        assert_eq!(day.tenders[&TenderKind::Voucher].amount, yen(1000));
        assert_eq!(shop.refuse("correct_tender 1 credit").sentence, "tender_mixed");
        let given = shop.give("void_receipt 1 打ち間違い");
        assert!(given.effects.contains(&Effect::OpenDrawer(DrawerCause::Refund)));
        assert_eq!(shop.register.lane.day.as_ref().unwrap().expected_cash(), yen(0));
    }
}
