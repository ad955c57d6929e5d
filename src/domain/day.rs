//! The open day: everything X and Z print, folded from the entries of one business day.
//!
//! Room: domain. May touch: std.
//! Invariant: net = gross − discounts − returns; tenders, by what they settled, sum to net. Training
//! entries count in nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::apportion::apportion;
use super::command::Discount;
use super::entry::{Entry, Header, Kind};
use super::money::Money;
use super::number::{DocKind, DocNo};
use super::quantity::{Quantity, Rate, Rounding};
use super::sale::{OnTheWay, Sale, SaleLine, TenderKind};
use super::tax::{self, TaxGroup, TaxMode};
use super::tax_free::{self, RefundBy};

/// A blind count: face value to pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub pieces: BTreeMap<Money, u32>,
}

impl Count {
    /// Returns `None` when the sum does not fit.
    pub fn total(&self) -> Option<Money> {
        self.pieces.iter().try_fold(Money::ZERO, |sum, (face, pieces)| {
            let amount = face.minor().checked_mul(i64::from(*pieces))?;
            sum.checked_add(Money::new(amount))
        })
    }
}

/// How often, and how much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub count: i64,
    pub amount: Money,
}

impl Tally {
    fn add(&mut self, amount: Money) {
        self.count += 1;
        self.amount += amount;
    }
}

/// Key of a tax block: class, rate as printed, basis.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaxKey {
    pub class: String,
    pub rate: String,
    pub included: bool,
}

impl TaxKey {
    fn of(group: &TaxGroup) -> Self {
        Self {
            class: group.class.to_string(),
            rate: group.rate.map(|rate| rate.to_string()).unwrap_or_default(),
            included: group.mode == TaxMode::Included,
        }
    }
}

/// Tax that was added to prices without it, and to how much in each department.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    pub tax: Money,
    pub bases: BTreeMap<u16, Money>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxSum {
    /// As printed: with tax for included prices, without for excluded ones.
    pub base: Money,
    /// Σ of the printed taxes, never recomputed (`japan.md` 1.3).
    pub tax: Money,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartmentSum {
    pub quantity: Quantity,
    pub amount: Money,
}

/// Totals of one business day of one lane.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTotals {
    /// Days from the common era.
    pub business_date: i32,
    pub opened_ms: i64,
    /// Epoch and place of the entry that opened it: what stands before is of a closed day, even when
    /// a Z at noon left two days of one date.
    pub opened_at: (u16, u64),
    pub first: Option<DocNo>,
    pub last: Option<DocNo>,
    pub receipts: u32,
    pub pieces: Quantity,
    /// Sales with tax, before discounts and returns.
    pub gross: Money,
    /// Amounts off (値引), percentages off (割引), points used as discount, all with the tax that went with
    /// them where prices are without.
    pub amounts_off: Tally,
    pub percents_off: Tally,
    pub points_off: Tally,
    /// Goods that came back, with tax; positive.
    pub returns: Tally,
    pub net: Money,
    pub customers: i64,
    pub taxes: BTreeMap<TaxKey, TaxSum>,
    pub tenders: BTreeMap<TenderKind, Tally>,
    pub float: Money,
    pub paid_in: Tally,
    pub paid_out: Tally,
    pub loans: Tally,
    pub pickups: Tally,
    pub paid_in_by_reason: BTreeMap<String, Money>,
    pub paid_out_by_reason: BTreeMap<String, Money>,
    pub voided_lines: Tally,
    pub voided_sales: Tally,
    pub voided_receipts: Tally,
    pub overrides: u32,
    pub no_sales: u32,
    pub formal_receipts: u32,
    pub reprints: u32,
    pub age_checks: u32,
    pub tender_corrections: u32,
    pub approvals: u32,
    pub refusals: u32,
    pub x_reports: u32,
    /// Amounts as the lines print them; `departments_with_tax` come to the net.
    pub departments: BTreeMap<u16, DepartmentSum>,
    /// Customers and net sales by local hour 0…23 of the sale or return; they sum to the net.
    pub hours: BTreeMap<u8, Tally>,
    /// The same by who sold, or took the goods back.
    pub staff: BTreeMap<u32, Tally>,
    /// Tax of records that customs confirmed, given back.
    pub tax_refunds_cash: Tally,
    pub tax_refunds_transfer: Tally,
    pub points_given: i64,
    pub points_used: i64,
    pub points_taken_back: i64,
    pub count: Option<Count>,
    /// What should have been in the drawer when it was counted.
    pub expected_at_count: Money,
    pub training_sales: u32,
    /// Slips of goods that came back, among the receipts.
    pub return_slips: u32,
    /// Sales that stayed parked when the day closed.
    pub parked: Tally,
    /// Formal receipts printed once more.
    pub formal_copies: u32,
    pub added: BTreeMap<TaxKey, Added>,
    /// Points that had paid for goods and are the member's again since those came back.
    pub points_given_back: i64,
}

/// Which way a closed sale is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Closed,
    Voided,
}

impl Direction {
    fn of(self, amount: Money) -> Money {
        match self {
            Self::Closed => amount,
            Self::Voided => -amount,
        }
    }

    const fn one(self) -> i64 {
        match self {
            Self::Closed => 1,
            Self::Voided => -1,
        }
    }
}

impl DayTotals {
    /// Begins with the entry that opens the day.
    pub fn open(opening: &Header, float: Money) -> Self {
        Self::default().opened(opening, float)
    }

    /// Begins the day with what was counted before the entry that opens it.
    pub fn opened(self, opening: &Header, float: Money) -> Self {
        let opened_at = (opening.epoch, opening.seq);
        let (business_date, opened_ms) = (opening.business_date, opening.at_ms);
        Self { business_date, opened_ms, opened_at, float, ..self }
    }

    /// Whether an entry counts on the day that comes, when none is open: goods that were taken off, or given
    /// up, before the first sale.
    pub const fn is_early(kind: &Kind) -> bool {
        matches!(kind, Kind::SaleVoided { .. } | Kind::NoSaleCame { .. })
    }

    /// Whether an entry of this lane stands in this day.
    pub fn holds(&self, epoch: u16, seq: u64) -> bool {
        self.opened_at <= (epoch, seq)
    }

    /// Cash that must be in the drawer: float, cash sales net of change and refunds, what was paid in
    /// and out, loans and pickups (`japan.md` 7.5), tax given back in cash.
    pub fn expected_cash(&self) -> Money {
        let sales = self.tenders.get(&TenderKind::Cash).map_or(Money::ZERO, |tally| tally.amount);
        self.float + sales + self.paid_in.amount - self.paid_out.amount + self.loans.amount
            - self.pickups.amount
            - self.tax_refunds_cash.amount
    }

    /// Cash that has come in since the drawer was counted, or gone out when below zero.
    pub fn moved_since_count(&self) -> Money {
        match self.count {
            Some(_) => self.expected_cash() - self.expected_at_count,
            None => Money::ZERO,
        }
    }

    /// Departments with the tax that was added to their goods, each rate's shared by what they sold at it:
    /// together they come to the net.
    pub fn departments_with_tax(&self) -> BTreeMap<u16, DepartmentSum> {
        let mut departments = self.departments.clone();
        for Added { tax, bases } in self.added.values() {
            let weights: Vec<Money> = bases.values().copied().collect();
            let shares = apportion(*tax, &weights);
            // Goods that came back for as much as was sold leave nothing to share by.
            let rest = *tax - shares.iter().copied().sum::<Money>();
            let shares = shares.into_iter().chain([rest]);
            let numbers = bases.keys().chain(bases.keys().take(1));
            for (number, share) in numbers.zip(shares) {
                departments.entry(*number).or_default().amount += share;
            }
        }
        departments
    }

    /// Tax given back, in cash or by transfer.
    pub fn tax_refunded(&self) -> Money {
        self.tax_refunds_cash.amount + self.tax_refunds_transfer.amount
    }

    /// Folds one entry of this day. Entries of other kinds change nothing here.
    pub fn fold(&mut self, entry: &Entry) {
        if entry.header.training {
            if matches!(entry.kind, Kind::SaleClosed(_)) {
                self.training_sales += 1;
            }
            return;
        }
        match &entry.kind {
            Kind::SaleClosed(sale) => {
                let hour = local_hour(entry.header.at_ms, entry.header.offset_minutes);
                self.sale(sale, entry.header.staff, hour, Direction::Closed);
            }
            Kind::ReceiptVoided { sale, sold_by, sold_hour, .. } => {
                self.sale(sale, *sold_by, *sold_hour, Direction::Voided);
                self.voided_receipts.add(sale.totals.total);
            }
            Kind::SaleVoided { amount, .. } => self.voided_sales.add(*amount),
            Kind::NoSaleCame { done, .. } => self.on_the_way(done),
            Kind::TenderCorrected { from, to, amount, .. } => {
                self.tender_corrections += 1;
                let old = self.tenders.entry(*from).or_default();
                old.count -= 1;
                old.amount -= *amount;
                self.tenders.entry(*to).or_default().add(*amount);
            }
            Kind::Reprinted { receipt, .. } if receipt.kind == DocKind::Formal => {
                self.formal_copies += 1;
            }
            Kind::Reprinted { .. } => self.reprints += 1,
            Kind::FormalReceiptIssued { .. } | Kind::FormalReceiptIssuedFor { .. } => {
                self.formal_receipts += 1;
            }
            Kind::LatePoints { earned, .. } => self.points_given += earned,
            Kind::DrawerOpened { .. } => self.no_sales += 1,
            Kind::PaidIn { amount, reason } => {
                self.paid_in.add(*amount);
                *self.paid_in_by_reason.entry(reason.clone()).or_default() += *amount;
            }
            Kind::PaidOut { amount, reason } => {
                self.paid_out.add(*amount);
                *self.paid_out_by_reason.entry(reason.clone()).or_default() += *amount;
            }
            Kind::Loaned { amount } => self.loans.add(*amount),
            Kind::PickedUp { amount } => self.pickups.add(*amount),
            Kind::TaxFreeRefunded { by, taxes, .. } => self.tax_given_back(*by, taxes),
            Kind::XReported { .. } => self.x_reports += 1,
            Kind::SalesLeftParked(parked) => self.parked = *parked,
            Kind::CashCounted(count) => {
                self.count = Some(count.clone());
                self.expected_at_count = self.expected_cash();
            }
            Kind::Approved { .. } => self.approvals += 1,
            Kind::Refused { .. } | Kind::PinRefused { .. } => self.refusals += 1,
            _ => {}
        }
    }

    fn sale(&mut self, sale: &Sale, staff: u32, hour: u8, direction: Direction) {
        let one = direction.one();
        if direction == Direction::Closed {
            self.receipts += 1;
            if sale.number.kind == DocKind::Receipt {
                self.first.get_or_insert(sale.number);
                self.last = Some(sale.number);
            } else {
                self.return_slips += 1;
            }
            self.on_the_way(&sale.on_the_way);
        }
        self.net += direction.of(sale.totals.total);
        self.gross_and_discounts(sale, direction);
        self.taxes(sale, direction);
        for tender in &sale.tenders {
            let tally = self.tenders.entry(tender.kind).or_default();
            tally.count += one;
            tally.amount += direction.of(tender.applied);
        }
        self.change_for_others(sale, direction);
        let customers = if sale.lines.iter().any(|line| !line.item.is_return()) { one } else { 0 };
        self.customers += customers;
        let amount = direction.of(sale.totals.total);
        for tally in [self.staff.entry(staff).or_default(), self.hours.entry(hour).or_default()] {
            tally.count += customers;
            tally.amount += amount;
        }
        self.points_given += one * sale.points_earned;
        self.points_used += one * sale.points_used;
        if let Some(back) = &sale.return_of {
            self.points_taken_back += one * (back.points_taken_back - back.points_deducted);
            self.points_given_back += one * back.points_given_back;
        }
    }

    /// A voucher that gives change is in the drawer with its whole face, and the change is not.
    fn change_for_others(&mut self, sale: &Sale, direction: Direction) {
        let change = direction.of(sale.change_for_others());
        let Some(last) = sale.tenders.last().filter(|_| !change.is_zero()) else { return };
        self.tenders.entry(last.kind).or_default().amount += change;
        self.tenders.entry(TenderKind::Cash).or_default().amount += -change;
    }

    fn on_the_way(&mut self, done: &OnTheWay) {
        for voided in &done.voided {
            self.voided_lines.add(voided.amount);
        }
        self.overrides += done.overrides;
        self.age_checks += done.age_checks;
    }

    fn gross_and_discounts(&mut self, sale: &Sale, direction: Direction) {
        let one = direction.one();
        let mut off = Money::ZERO;
        let mut take = |tally: &mut Tally, amount: Money| {
            tally.count += one;
            tally.amount += direction.of(amount);
            off += amount;
        };
        for line in sale.lines.iter().filter(|line| !line.item.is_return()) {
            let amount = line.discount + tax_of([(line, line.discount)]);
            match line.item.discount {
                Some(Discount::Amount(_)) => take(&mut self.amounts_off, amount),
                Some(Discount::Percent(_) | Discount::NearDate(_)) => {
                    take(&mut self.percents_off, amount)
                }
                None => {}
            }
        }
        let sold = || sale.lines.iter().filter(|line| !line.item.is_return());
        let given: Vec<Money> = sale.discounts.iter().map(|discount| discount.amount).collect();
        let taxes = apportion(tax_of(sold().map(|line| (line, line.sale_discount))), &given);
        for (discount, tax) in sale.discounts.iter().zip(taxes) {
            let amount = discount.amount + tax;
            match discount.given {
                Discount::Amount(_) => take(&mut self.amounts_off, amount),
                Discount::Percent(_) | Discount::NearDate(_) => {
                    take(&mut self.percents_off, amount)
                }
            }
        }
        let points: Money = sold().map(|line| line.points_share).sum();
        if !points.is_zero() {
            let tax = tax_of(sold().map(|line| (line, line.points_share)));
            take(&mut self.points_off, points + tax);
        }
        if !sale.returned.is_zero() {
            self.returns.count += one;
            self.returns.amount += direction.of(sale.returned);
        }
        self.gross += direction.of(sale.totals.total + sale.returned + off);
        self.departments(sale, direction);
    }

    fn departments(&mut self, sale: &Sale, direction: Direction) {
        for line in &sale.lines {
            let sum = self.departments.entry(line.item.department).or_default();
            let pieces = line.item.pieces();
            let signed = if direction == Direction::Closed { pieces } else { -pieces };
            sum.quantity = sum.quantity + signed;
            sum.amount += direction.of(line.net());
            if !line.item.is_return() {
                self.pieces = self.pieces + signed;
            }
        }
    }

    fn taxes(&mut self, sale: &Sale, direction: Direction) {
        for group in &sale.totals.taxes {
            self.tax_group(group, direction);
            if group.mode == TaxMode::Excluded {
                self.tax_by_department(sale, group, direction);
            }
        }
    }

    fn tax_by_department(&mut self, sale: &Sale, group: &TaxGroup, direction: Direction) {
        let added = self.added.entry(TaxKey::of(group)).or_default();
        added.tax += direction.of(group.tax);
        let class = group.class.to_string();
        for line in &sale.lines {
            if line.rate == group.rate && line.item.class == class {
                let base = added.bases.entry(line.item.department).or_default();
                *base += direction.of(line.net());
            }
        }
    }

    fn tax_group(&mut self, group: &TaxGroup, direction: Direction) {
        let sum = self.taxes.entry(TaxKey::of(group)).or_default();
        sum.base += direction.of(group.base);
        sum.tax += direction.of(group.tax);
    }

    /// The goods were sold with their tax; now they are sold without any, and the tax is paid out.
    fn tax_given_back(&mut self, by: RefundBy, taxes: &[TaxGroup]) {
        for group in taxes {
            self.tax_group(group, Direction::Voided);
            self.tax_group(&tax_free::as_tax_free(group), Direction::Closed);
        }
        let refund = taxes.iter().map(|group| group.tax).sum();
        match by {
            RefundBy::Cash => self.tax_refunds_cash.add(refund),
            RefundBy::Transfer => self.tax_refunds_transfer.add(refund),
        }
    }
}

/// Returns the tax that would have been added to what came off lines whose prices are without it, rounded
/// down once per rate.
fn tax_of<'a>(off: impl IntoIterator<Item = (&'a SaleLine, Money)>) -> Money {
    let mut rates: BTreeMap<Rate, Money> = BTreeMap::new();
    for (line, amount) in off {
        if let (TaxMode::Excluded, Some(rate)) = (line.mode, line.rate) {
            *rates.entry(rate).or_default() += amount;
        }
    }
    let tax = |(rate, amount)| tax::tax_on(amount, rate, Rounding::Floor).unwrap_or(Money::ZERO);
    rates.into_iter().map(tax).sum()
}

/// Returns the hour of the day, 0…23, at an offset from UTC.
pub fn local_hour(at_ms: i64, offset_minutes: i16) -> u8 {
    let local_ms = at_ms + i64::from(offset_minutes) * 60_000;
    (local_ms.rem_euclid(86_400_000) / 3_600_000) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;
    use crate::domain::register::test_shop::Shop;

    /// `japan.md` 7.5: the gross is with tax, before discounts and returns; where prices are without tax,
    /// what comes off takes its tax along.
    #[test]
    fn a_day_of_prices_without_tax_adds_up_with_it() {
        let mut shop = Shop::staffless();
        shop.change(|settings| settings.tax.price_mode = TaxMode::Excluded);
        let day = |shop: &Shop| shop.register.lane.day.clone().unwrap();
        shop.sell(&["department 2 1000", "line_discount 100"]);
        let first = day(&shop);
        assert_eq!(
            (first.gross, first.amounts_off.amount, first.net),
            (yen(1100), yen(110), yen(990))
        );
        assert_eq!(
            first.departments_with_tax()[&2].amount,
            yen(990),
            "departments are with tax, as the net is"
        );
        shop.sell(&["department 2 1000", "department 1 500", "sale_discount 10%"]);
        let second = day(&shop);
        assert_eq!(second.gross - first.gross, yen(1100 + 540));
        assert_eq!(second.percents_off.amount, yen(100 + 10 + 50 + 4));
        assert_eq!(second.net - first.net, yen(990 + 486));
        assert_eq!(second.departments_with_tax()[&1].amount, yen(486));
        shop.give("return 1");
        shop.give("tender_cash");
        let third = day(&shop);
        assert_eq!((third.gross, third.returns.amount), (second.gross, yen(990)));
        assert_eq!(third.departments_with_tax()[&2].amount, yen(990));
    }
}
