//! Selling to visitors who take the goods abroad: the purchase record, its way, the tax given back.
//!
//! Room: domain. May touch: std. Rules: `japan.md` 1.9.
//! Invariant: goods of a record do not come back while customs may still see them leave; the tax of
//! a record is given back once.

use super::returns::{receipt_refusal, sold_on};
use super::{Applied, Context, DrawerCause, Effect, Paper, Register, StoredSale};
use crate::domain::entry::Kind;
use crate::domain::money::Money;
use crate::domain::number::{DocKind, DocNo};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::tax_free::{
    FIRST_DAY, Kept, LEAST, Record, RefundBy, Status, before_tax, is_eligible, taxes_of,
};
use crate::domain::text;

impl Register {
    /// Makes a purchase record of a receipt of the open day: of the lines named, or of all that may be
    /// in one and are in none. Several records of one receipt stand and fall each for itself.
    ///
    /// # Errors
    /// `excluded` when the goods or their sum do not allow it; `returned`, `duplicate` for a line that
    /// came back or is in another record; `receipt` for one of another day.
    pub(super) fn tax_free(
        &self,
        receipt: &str,
        lines: &[u32],
        with: &[String],
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        let stored = self.of_visitor(receipt, context)?;
        let records = self.holding(&stored, context)?;
        let lines = match lines {
            [] => free_lines(&stored, &records)?,
            lines => chosen(lines, &stored, &records)?,
        };
        let others = with.iter().map(|other| self.of_visitor(other, context));
        let others = others.collect::<Result<Vec<_>, _>>()?;
        self.enough_bought(&stored, &others)?;
        let receipt = stored.sale.number;
        let mut with: Vec<DocNo> = others.iter().map(|other| other.sale.number).collect();
        with.retain(|other| *other != receipt);
        let number = self.lane.next_number(DocKind::TaxFree);
        let rounding = self.settings.tax.rounding;
        let taxes = taxes_of(&stored.sale, &lines, &records, rounding);
        let record = Record { number, receipt, sold_on: sold_on(&stored), lines, with, taxes };
        let mut applied = self.unchanged();
        let kind = Kind::TaxFreeRecorded(Box::new(record));
        applied.entries.push(self.draft(context.now, kind));
        applied.effects.push(Effect::Print(Paper::TaxFreeRecord { number }));
        applied.answer.receipt = Some(number);
        Ok(applied)
    }

    /// A receipt of the open day that stands, from a day on which tax is given back.
    fn of_visitor(&self, receipt: &str, context: &Context<'_>) -> Result<StoredSale, Refusal> {
        let stored = self.stored_sale(receipt, context)?;
        let number = stored.sale.number;
        if number.kind != DocKind::Receipt || stored.training {
            return Err(receipt_refusal("receipt_not_of_sale", number));
        }
        if stored.voided {
            return Err(receipt_refusal("receipt_voided", number));
        }
        self.of_open_day(&stored)?;
        if sold_on(&stored) < FIRST_DAY {
            return Err(Refusal::new(RefusalCode::Excluded).saying("tax_free_begins"));
        }
        Ok(stored)
    }

    /// The records that hold goods of a receipt.
    fn holding(&self, stored: &StoredSale, context: &Context<'_>) -> Result<Vec<Record>, Refusal> {
        let kept = context.shop.tax_free_of(stored.sale.number)?;
        Ok(kept.into_iter().filter(|kept| kept.status.holds_goods()).map(|k| k.record).collect())
    }

    /// The least amount is one for the shop and the day, not for the record.
    fn enough_bought(&self, stored: &StoredSale, others: &[StoredSale]) -> Result<(), Refusal> {
        let mut receipts: Vec<&StoredSale> = std::iter::once(stored).chain(others).collect();
        receipts.sort_by_key(|receipt| receipt.sale.number);
        receipts.dedup_by_key(|receipt| receipt.sale.number);
        let bought = receipts.into_iter().map(|receipt| {
            let lines = eligible(receipt);
            before_tax(&taxes_of(&receipt.sale, &lines, &[], self.settings.tax.rounding))
        });
        let bought: Money = bought.sum();
        if bought >= LEAST {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::Excluded)
            .saying("tax_free_least")
            .with("least", LEAST.grouped())
            .with("amount", bought.grouped()))
    }

    fn record(&self, number: &str, context: &Context<'_>) -> Result<Kept, Refusal> {
        let unknown = || receipt_refusal("unknown_record", text::cleaned(number));
        let read = number.parse::<DocNo>().ok();
        let read = read.filter(|read| read.kind == DocKind::TaxFree);
        let running = || {
            let number = number.parse::<u32>().ok()?;
            Some(DocNo { number, ..self.lane.next_number(DocKind::TaxFree) })
        };
        let number = read.or_else(running).ok_or_else(unknown)?;
        context.shop.tax_free_record(number)?.ok_or_else(unknown)
    }

    /// Notes what the provider or customs say of a record.
    ///
    /// # Errors
    /// `excluded` when that cannot follow on what is known already.
    pub(super) fn tax_free_status(
        &self,
        record: &str,
        status: Status,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        let kept = self.record(record, context)?;
        follows(&kept, status)?;
        let mut applied = self.unchanged();
        let (number, receipt) = (kept.record.number, kept.record.receipt);
        let kind = Kind::TaxFreeToldOf { number, receipt, status };
        applied.entries.push(self.draft(context.now, kind));
        applied.answer.receipt = Some(number);
        Ok(applied)
    }

    /// Gives the tax of a confirmed record back: a movement of its own, by which the goods become
    /// sales free of tax.
    ///
    /// # Errors
    /// `excluded` before customs have confirmed it, or a second time; `limit` above what this level
    /// may pay out.
    pub(super) fn tax_free_refund(
        &self,
        record: &str,
        by: RefundBy,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        self.after_last_z(context.now)?;
        self.no_tender_in(&self.cart)?;
        let kept = self.record(record, context)?;
        follows(&kept, Status::Refunded)?;
        self.within_payout_limit(kept.record.refund(), context)?;
        let mut applied = self.unchanged();
        if self.lane.day.is_none() {
            applied.entries.push(self.draft(context.now, Kind::DayOpened { float: Money::ZERO }));
        }
        let Record { number, receipt, taxes, .. } = kept.record;
        let kind = Kind::TaxFreeRefunded { number, receipt, by, taxes };
        applied.entries.push(self.draft(context.now, kind));
        if by == RefundBy::Cash {
            applied.effects.push(Effect::OpenDrawer(DrawerCause::Refund));
        }
        applied.effects.push(Effect::Print(Paper::TaxFreeRefund { number }));
        applied.answer.receipt = Some(number);
        Ok(applied)
    }

    fn within_payout_limit(&self, amount: Money, context: &Context<'_>) -> Result<(), Refusal> {
        let limits = &self.settings.limits;
        if amount <= limits.refund || self.effective_level(context.now) >= limits.level {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::Limit)
            .saying("limit_refund")
            .with("amount", limits.refund.grouped())
            .with("level", limits.level))
    }

    /// # Errors
    /// `excluded` naming the record that holds one of these lines.
    pub(super) fn not_held(
        &self,
        stored: &StoredSale,
        lines: impl IntoIterator<Item = u32>,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let records = self.holding(stored, context)?;
        let held = lines.into_iter().find_map(|line| holder(&records, line));
        held.map_or(Ok(()), |record| {
            Err(Refusal::new(RefusalCode::Excluded)
                .saying("held_by_record")
                .with("record", record.number))
        })
    }
}

fn holder(records: &[Record], line: u32) -> Option<&Record> {
    records.iter().find(|record| record.lines.contains(&line))
}

/// Lines that may be in a record and did not come back.
fn eligible(stored: &StoredSale) -> Vec<u32> {
    let lines = (1..).zip(&stored.sale.lines).filter(|(_, line)| is_eligible(line));
    lines.map(|(number, _)| number).filter(|line| !stored.returned.contains_key(line)).collect()
}

fn free_lines(stored: &StoredSale, records: &[Record]) -> Result<Vec<u32>, Refusal> {
    let mut lines = eligible(stored);
    lines.retain(|line| holder(records, *line).is_none());
    match lines.is_empty() {
        true => Err(Refusal::new(RefusalCode::Excluded).saying("no_tax_free_goods")),
        false => Ok(lines),
    }
}

fn chosen(lines: &[u32], stored: &StoredSale, records: &[Record]) -> Result<Vec<u32>, Refusal> {
    let mut chosen = lines.to_vec();
    chosen.sort_unstable();
    chosen.dedup();
    for number in &chosen {
        let place = (*number as usize).checked_sub(1);
        let line = place.and_then(|place| stored.sale.lines.get(place)).ok_or_else(|| {
            let lines = stored.sale.lines.len();
            Refusal::new(RefusalCode::Line).with("line", number).with("lines", lines)
        })?;
        if let Some(record) = holder(records, *number) {
            return Err(Refusal::new(RefusalCode::Duplicate)
                .saying("held_by_record")
                .with("record", record.number));
        }
        if stored.returned.contains_key(number) {
            return Err(super::after::goods_came_back(stored.sale.number));
        }
        if !is_eligible(line) {
            return Err(Refusal::new(RefusalCode::Excluded)
                .saying("not_tax_free")
                .with("name", &line.item.name));
        }
    }
    Ok(chosen)
}

fn follows(kept: &Kept, next: Status) -> Result<(), Refusal> {
    if kept.status.leads_to(next) {
        return Ok(());
    }
    Err(Refusal::new(RefusalCode::Excluded)
        .saying("record_step")
        .with("record", kept.record.number)
        .with("tax_free", kept.status.word()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::item::{Item, ItemFlags};
    use crate::domain::money::yen;
    use crate::domain::register::test_shop::Shop;
    use crate::domain::sale::TenderKind;

    /// Sweets at 8% and a watch at 10%, both for visitors, and milk that is not marked.
    fn shop() -> Shop {
        let mut shop = Shop::staffless();
        for (code, price, department) in [("51", 3_240, 1), ("52", 11_000, 2), ("53", 2_160, 1)] {
            let mut item = Item::new(code, format!("品{code}"), price.into());
            item.department = department;
            item.flags = ItemFlags::from_words("tax_free_ok").unwrap();
            shop.memory.items.insert(item.code.clone(), item);
        }
        shop
    }

    fn record(shop: &Shop, number: &str) -> Record {
        shop.memory.tax_free[&number.parse().unwrap()].record.clone()
    }

    fn confirmed(shop: &mut Shop, number: &str) {
        for status in ["sent", "confirmed"] {
            shop.give(&format!("tax_free_status {number} {status}"));
        }
    }

    /// Sold with tax; what goes back is what the paper shows, and the goods become 免税売上.
    #[test]
    fn a_confirmed_record_turns_its_sale_free_of_tax() {
        let mut shop = shop();
        shop.give("open_day 10000");
        shop.sell(&["scan 51", "scan 52", "scan 4901234567894"]);
        let given = shop.give("tax_free 1");
        let number = given.answer.receipt.unwrap();
        assert_eq!(number.to_string(), "01-P000001");
        assert_eq!(given.effects, [Effect::Print(Paper::TaxFreeRecord { number })]);
        let made = record(&shop, "01-P000001");
        assert_eq!(made.lines, [1, 2], "milk is not marked for it");
        assert_eq!((made.refund(), before_tax(&made.taxes)), (yen(240 + 1_000), yen(13_000)));
        assert_eq!(shop.refuse("tax_free_refund 1 cash").sentence, "record_step");
        shop.give("z_report");
        shop.wait_s(30 * 86_400);
        confirmed(&mut shop, "01-P000001");
        let given = shop.give("tax_free_refund 1 cash");
        assert_eq!(given.effects[0], Effect::OpenDrawer(DrawerCause::Refund));
        let day = shop.register.lane.day.as_ref().unwrap();
        assert_eq!(day.expected_cash(), yen(-1_240), "a day opened with float 0");
        let sum = |class: &str| {
            let sums = day.taxes.iter().filter(|(key, _)| key.class == class);
            sums.map(|(_, sum)| (sum.base.minor(), sum.tax.minor())).next()
        };
        assert_eq!(sum("reduced"), Some((-3_240, -240)));
        assert_eq!(sum("standard"), Some((-11_000, -1_000)));
        assert_eq!(sum("tax_free"), Some((13_000, 0)));
        assert_eq!((day.net, day.tax_refunded()), (yen(0), yen(1_240)));
        assert_eq!(shop.refuse("tax_free_refund 1 cash").sentence, "record_step", "once");
        shop.restart();
    }

    fn priced(shop: &mut Shop, code: &str, price: i64, department: u16) {
        let mut item = Item::new(code, "品", price.into());
        item.department = department;
        item.flags = ItemFlags::from_words("tax_free_ok").unwrap();
        shop.memory.items.insert(code.to_owned(), item);
    }

    /// `japan.md` 9, RF-05.
    #[test]
    fn rf_05_sold_at_16400_and_1400_goes_back() {
        let mut shop = shop();
        shop.set_clock("2026-11-20T12:00");
        priced(&mut shop, "61", 5_400, 1);
        priced(&mut shop, "62", 11_000, 2);
        shop.sell(&["scan 61", "scan 62"]);
        assert_eq!(shop.last_cash(), yen(16_400));
        shop.give("tax_free 1");
        let taxes = record(&shop, "01-P000001").taxes;
        assert_eq!(taxes.iter().map(|group| group.tax.minor()).sum::<i64>(), 1_400);
        assert!(taxes.iter().any(|group| group.tax == yen(400)), "{taxes:?}");
        confirmed(&mut shop, "1");
        shop.give("tax_free_refund 1 cash");
        let day = shop.register.lane.day.as_ref().unwrap();
        assert_eq!(day.expected_cash(), yen(15_000));
        assert!(day.taxes.values().all(|sum| sum.tax.is_zero()), "no tax is left: {:?}", day.taxes);
    }

    /// `japan.md` 9, RF-07: 4,990 and 5,000 yen before tax in one shop on one day.
    #[test]
    fn rf_07_five_thousand_before_tax_is_enough_and_less_is_not() {
        for (price, enough) in [(5_489, false), (5_500, true)] {
            let mut shop = shop();
            priced(&mut shop, "61", price, 2);
            shop.sell(&["scan 61"]);
            match shop.try_give("tax_free 1") {
                Ok(_) => assert!(enough, "{price}"),
                Err(refusal) => {
                    assert!(!enough, "{price}: {refusal}");
                    assert_eq!(refusal.sentence, "tax_free_least");
                }
            }
        }
    }

    #[test]
    fn a_transfer_leaves_the_drawer_alone() {
        let mut shop = shop();
        shop.sell(&["scan 52"]);
        shop.give("tax_free 1");
        confirmed(&mut shop, "1");
        let given = shop.give("tax_free_refund 1 transfer");
        assert!(!given.effects.iter().any(|effect| matches!(effect, Effect::OpenDrawer(_))));
        let day = shop.register.lane.day.as_ref().unwrap();
        assert_eq!(day.expected_cash(), yen(11_000));
        assert_eq!(day.tax_refunds_transfer.amount, yen(1_000));
        assert_eq!(day.tenders[&TenderKind::Cash].amount, day.net, "no tender has moved");
    }

    /// 5,000 yen before tax: 5,399 with 8% is 4,999 and something; two receipts of a day count as one.
    #[test]
    fn less_than_five_thousand_a_day_is_not_free_of_tax() {
        let mut shop = shop();
        shop.sell(&["scan 51"]);
        let refusal = shop.refuse("tax_free 1");
        assert_eq!((refusal.code, refusal.sentence), (RefusalCode::Excluded, "tax_free_least"));
        assert_eq!(shop.refuse("tax_free 1 with=1").sentence, "tax_free_least", "it counts once");
        shop.sell(&["scan 53"]);
        shop.give("tax_free 1 with=2"); // 3,000 and 2,000.
        assert_eq!(record(&shop, "01-P000001").with[0].to_string(), "01-000002");
        assert_eq!(record(&shop, "01-P000001").refund(), yen(240));
        shop.give("tax_free 2 with=1");
        assert_eq!(record(&shop, "01-P000002").refund(), yen(160));
        shop.sell(&["scan 4901234567894"]);
        assert_eq!(shop.refuse("tax_free 3 with=1").sentence, "no_tax_free_goods");
    }

    /// 99 and 99 yen of tax apart are 199 together: the parts give back what the paper shows.
    #[test]
    fn records_of_one_receipt_share_its_tax() {
        let mut shop = shop();
        shop.give("times 2");
        shop.give("scan 53");
        shop.give("price_override 1349"); // 1,349 × 2 = 2,698: tax 199; alone 99.9.
        shop.sell(&["scan 53", "price_override 4001", "scan 52"]);
        shop.give("tax_free 1 1");
        shop.give("tax_free 1 2");
        shop.give("tax_free 1");
        let back: Money = (1..=3).map(|n| record(&shop, &format!("01-P00000{n}")).refund()).sum();
        let printed: Money = shop.last_sale().totals.taxes.iter().map(|group| group.tax).sum();
        assert_eq!(back, printed);
        let refusal = shop.refuse("tax_free 1 2");
        assert_eq!((refusal.code, refusal.sentence), (RefusalCode::Duplicate, "held_by_record"));
        assert_eq!(shop.refuse("tax_free 1").sentence, "no_tax_free_goods");
    }

    /// One item that customs did not see, and nothing of its record is free; the others stand.
    #[test]
    fn goods_of_a_record_stay_until_it_is_known_that_they_did_not_leave() {
        let mut shop = shop();
        shop.sell(&["scan 51", "scan 52"]);
        shop.give("tax_free 1 1");
        shop.give("tax_free 1 2");
        for refused in ["return 1", "return 1 2", "exchange 1 1", "void_receipt 1 x"] {
            assert_eq!(shop.refuse(refused).sentence, "held_by_record", "{refused}");
        }
        shop.give("tax_free_status 2 not_confirmed");
        let refusal = shop.refuse("tax_free_status 2 confirmed");
        assert_eq!(refusal.sentence, "record_step");
        assert_eq!(refusal.args[1], ("tax_free", "not_confirmed".to_owned()));
        shop.give("return 1 2");
        shop.give("tender_cash");
        confirmed(&mut shop, "1");
        shop.give("tax_free_refund 1 cash");
        assert_eq!(shop.refuse("return 1 1").sentence, "held_by_record", "they are abroad");
        assert_eq!(shop.refuse("tax_free 1 2").sentence, "goods_came_back");
    }

    #[test]
    fn a_record_made_while_goods_come_back_is_seen_at_the_tender() {
        let mut shop = shop();
        shop.sell(&["scan 52"]);
        shop.give("return 1");
        shop.give("tax_free 1");
        assert_eq!(shop.refuse("tender_cash").sentence, "held_by_record");
        shop.give("void_sale");
    }

    /// `japan.md` 9, RF-09, and the record belongs to the day of the sale.
    #[test]
    fn only_todays_receipts_from_november_2026_make_records() {
        let mut shop = shop();
        shop.set_clock("2026-10-31T12:00");
        shop.sell(&["scan 52"]);
        assert_eq!(shop.refuse("tax_free 1").sentence, "tax_free_begins");
        shop.give("z_report");
        shop.set_clock("2026-11-01T12:00");
        shop.sell(&["scan 52"]);
        assert_eq!(shop.refuse("tax_free 1").sentence, "receipt_of_other_day");
        shop.give("void_receipt 2 x");
        assert_eq!(shop.refuse("tax_free 2").sentence, "receipt_voided");
        assert_eq!(shop.refuse("tax_free_status 9 sent").sentence, "unknown_record");
        for wrong in ["tax_free 2 0", "tax_free 2 x", "tax_free_status 1 sold"] {
            assert_eq!(shop.refuse(wrong).code, RefusalCode::BadArgument, "{wrong}");
        }
    }

    #[test]
    fn a_refund_above_the_limit_needs_a_manager() {
        let mut shop = Shop::with_staff_of_every_level();
        let mut watch = Item::new("52", "時計", 110_000.into());
        watch.department = 2;
        watch.flags = ItemFlags::from_words("tax_free_ok").unwrap();
        shop.memory.items.insert("52".to_owned(), watch);
        shop.give(&format!("sign_in 5 {}", Shop::pin_of(5)));
        shop.sell(&["scan 52"]);
        shop.give("tax_free 1");
        confirmed(&mut shop, "1");
        assert_eq!(shop.refuse("tax_free_refund 1 cash").code, RefusalCode::Limit);
        shop.give(&format!("approve 7 {}", Shop::pin_of(7)));
        shop.give("tax_free_refund 1 cash");
    }
}
