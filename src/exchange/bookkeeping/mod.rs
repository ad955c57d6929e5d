//! A closed day as a bookkeeper writes it: one slip a Z, what came in on the left, what it was for on
//! the right (`japan.md` 6.3).
//!
//! Room: exchange. May touch: the totals it is handed.
//! Invariant: both sides of a slip come to the same; no amount on it is below zero; taxes are those
//! printed, never recomputed.

pub mod freee;
pub mod moneyforward;
pub mod yayoi;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::domain::day::{DayTotals, TaxKey};
use crate::domain::entry::ZClosing;
use crate::domain::money::Money;
use crate::domain::number::DocNo;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::register::ymd;
use crate::domain::sale::TenderKind;
use crate::domain::tax::TaxClass;

/// What the tax office is to think of an amount; each program words it its own way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Taxed {
    /// Sold with tax at this rate, in percent.
    At(String),
    /// 輸出売上: sold at 0%, or freed of its tax by customs.
    Export,
    /// 非課税
    Exempt,
    /// 対象外
    Outside,
}

impl Taxed {
    fn of(key: &TaxKey) -> Self {
        match key.class.parse() {
            Ok(TaxClass::Exempt) => Self::Exempt,
            Ok(TaxClass::Zero | TaxClass::TaxFree) => Self::Export,
            Ok(TaxClass::Untaxed) | Err(_) => Self::Outside,
            Ok(_) if key.rate.is_empty() => Self::Outside,
            Ok(_) => Self::At(key.rate.clone()),
        }
    }

    /// Whether it is the reduced rate: the only 8% there has been since October 2019.
    fn is_reduced(rate: &str) -> bool {
        rate == "8"
    }

    /// The label of a program whose only words of its own are those for a rate.
    fn label(&self, of_rate: impl FnOnce(&str) -> String) -> String {
        match self {
            Self::At(rate) => of_rate(rate),
            Self::Export => "輸出売上".to_owned(),
            Self::Exempt => "非課売上".to_owned(),
            Self::Outside => "対象外".to_owned(),
        }
    }
}

/// One side of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// 勘定科目, as a new set of books has it.
    pub account: &'static str,
    /// 補助科目, or empty.
    pub part: &'static str,
    pub taxed: Taxed,
    /// With tax.
    pub amount: Money,
    /// The tax in it.
    pub tax: Money,
}

/// A line of a slip: either side may be missing, never both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    pub debit: Option<&'a Side>,
    pub credit: Option<&'a Side>,
    /// 摘要
    pub about: String,
}

/// The slip of one Z.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    pub z: DocNo,
    /// Days from the common era.
    pub business_date: i32,
    debits: Vec<(Side, String)>,
    credits: Vec<(Side, String)>,
}

impl Slip {
    /// Returns the slip of a closed day; `None` when nothing was taken and nothing moved.
    ///
    /// # Errors
    /// `damaged` when the sides do not come to the same: the totals are not those of a register.
    pub fn of(day: &DayTotals, closing: &ZClosing) -> Result<Option<Self>, Refusal> {
        let mut slip = Self {
            z: closing.number,
            business_date: day.business_date,
            debits: Vec::new(),
            credits: Vec::new(),
        };
        slip.tenders(day);
        slip.sales(day);
        slip.refunds(day);
        slip.cash(day, closing);
        let sum = |sides: &[(Side, String)]| sides.iter().map(|(side, _)| side.amount).sum();
        let (debits, credits): (Money, Money) = (sum(&slip.debits), sum(&slip.credits));
        if debits != credits {
            let refusal = Refusal::new(RefusalCode::Damaged).saying("unbalanced");
            return Err(refusal.with("z", slip.z));
        }
        Ok((!slip.debits.is_empty()).then_some(slip))
    }

    /// Returns the lines, both sides from the top.
    pub fn lines(&self) -> Vec<Line<'_>> {
        let rows = self.debits.len().max(self.credits.len());
        let line = |row: usize| {
            let (debit, credit) = (self.debits.get(row), self.credits.get(row));
            let mut notes: Vec<&str> =
                [debit, credit].into_iter().flatten().map(|(_, note)| note.as_str()).collect();
            notes.dedup(); // Cash for a reason stands beside its own other side.
            let mut about = self.z.to_string();
            for note in notes.into_iter().filter(|note| !note.is_empty()) {
                about.push(' ');
                about.push_str(note);
            }
            Line { debit: debit.map(|(side, _)| side), credit: credit.map(|(side, _)| side), about }
        };
        (0..rows).map(line).collect()
    }

    fn tenders(&mut self, day: &DayTotals) {
        for (kind, tally) in &day.tenders {
            let (account, part) = account_of(*kind);
            self.book(Side::outside(account, part, tally.amount), "");
        }
    }

    /// One line a rate, with tax, whichever class and basis it was sold on.
    fn sales(&mut self, day: &DayTotals) {
        let mut sums: BTreeMap<Taxed, (Money, Money)> = BTreeMap::new();
        for (key, sum) in &day.taxes {
            let with_tax = if key.included { sum.base } else { sum.base + sum.tax };
            let (amount, tax) = sums.entry(Taxed::of(key)).or_default();
            (*amount, *tax) = (*amount + with_tax, *tax + sum.tax);
        }
        for (taxed, (amount, tax)) in sums {
            self.book(Side { account: "売上高", part: "", taxed, amount: -amount, tax: -tax }, "");
        }
    }

    /// Tax that customs gave back to the customer: the sale is booked without it already.
    fn refunds(&mut self, day: &DayTotals) {
        let (cash, transfer) = (day.tax_refunds_cash.amount, day.tax_refunds_transfer.amount);
        self.book(Side::outside("現金", "", -cash), "消費税返金");
        self.book(Side::outside("未払金", "", -transfer), "消費税返金");
    }

    fn cash(&mut self, day: &DayTotals, closing: &ZClosing) {
        for (reason, amount) in &day.paid_in_by_reason {
            self.moved(Side::outside("仮受金", "", -*amount), reason);
        }
        for (reason, amount) in &day.paid_out_by_reason {
            self.moved(Side::outside("仮払金", "", *amount), reason);
        }
        self.moved(Side::outside("現金過不足", "", -closing.difference), "");
    }

    /// Books what came for cash or was paid in it.
    fn moved(&mut self, side: Side, note: &str) {
        self.book(Side::outside("現金", "", -side.amount), note);
        self.book(side, note);
    }

    /// Books an amount: above zero on the left, below on the right.
    fn book(&mut self, side: Side, note: &str) {
        let sides = match side.amount.cmp(&Money::ZERO) {
            Ordering::Greater => &mut self.debits,
            Ordering::Less => &mut self.credits,
            Ordering::Equal => return,
        };
        let tax = if side.amount.is_negative() { -side.tax } else { side.tax };
        sides.push((Side { amount: side.amount.abs(), tax, ..side }, note.to_owned()));
    }
}

impl Side {
    fn outside(account: &'static str, part: &'static str, amount: Money) -> Self {
        Self { account, part, taxed: Taxed::Outside, amount, tax: Money::ZERO }
    }
}

const fn account_of(kind: TenderKind) -> (&'static str, &'static str) {
    match kind {
        TenderKind::Cash => ("現金", ""),
        TenderKind::Credit => ("売掛金", "クレジットカード"),
        TenderKind::Debit => ("売掛金", "デビットカード"),
        TenderKind::Emoney => ("売掛金", "電子マネー"),
        TenderKind::Code => ("売掛金", "コード決済"),
        TenderKind::Voucher => ("商品券", ""),
        TenderKind::Points => ("売上値引", "ポイント"),
    }
}

/// `2026/11/22`
fn slashed(days: i32) -> String {
    ymd(days).replace('-', "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::day::{Tally, TaxSum};
    use crate::domain::money::yen;
    use crate::domain::number::DocKind;

    fn key(class: &str, rate: &str, included: bool) -> TaxKey {
        TaxKey { class: class.to_owned(), rate: rate.to_owned(), included }
    }

    /// A day of 3,010 yen of sales on four tax classes, paid five ways, one way
    /// of them back to a customer; 56 yen short; 800 out for stamps, 5,000 in.
    pub(super) fn worked() -> (DayTotals, ZClosing) {
        let mut day = DayTotals { business_date: 739_942, ..DayTotals::default() };
        let mut tax = |class, rate, included, base, tax| {
            let sum = TaxSum { base: yen(base), tax: yen(tax) };
            day.taxes.insert(key(class, rate, included), sum);
        };
        tax("reduced", "8", true, 1_080, 80);
        tax("standard", "10", true, 1_100, 100);
        tax("standard", "10", false, 500, 50);
        tax("exempt", "", true, 300, 0);
        tax("untaxed", "", true, -20, 0);
        for (kind, amount) in [
            (TenderKind::Cash, 1_510),
            (TenderKind::Credit, 1_200),
            (TenderKind::Code, -100),
            (TenderKind::Voucher, 300),
            (TenderKind::Points, 100),
        ] {
            day.tenders.insert(kind, Tally { count: 1, amount: yen(amount) });
        }
        day.paid_out_by_reason.insert("切手".to_owned(), yen(800));
        day.paid_in_by_reason.insert("両替".to_owned(), yen(5_000));
        let closing = ZClosing {
            number: DocNo { lane: 1, epoch: 0, kind: DocKind::Z, number: 412 },
            counted: Some(yen(0)),
            count: None,
            expected: yen(56),
            difference: yen(-56),
            float_left: yen(0),
            grand_total_before: yen(0),
            grand_total: yen(3_010),
            seal: None,
        };
        (day, closing)
    }

    fn shown(side: &Side) -> String {
        let Side { account, part, amount, tax, .. } = side;
        format!("{account}{part} {amount} {tax}", amount = amount.minor(), tax = tax.minor())
    }

    #[test]
    fn a_day_is_a_slip_whose_sides_come_to_the_same() {
        let (day, closing) = worked();
        let slip = Slip::of(&day, &closing).unwrap().expect("something happened");
        let debits: Vec<_> = slip.debits.iter().map(|(side, _)| shown(side)).collect();
        let credits: Vec<_> = slip.credits.iter().map(|(side, _)| shown(side)).collect();
        assert_eq!(
            debits,
            [
                "現金 1510 0",
                "売掛金クレジットカード 1200 0",
                "商品券 300 0",
                "売上値引ポイント 100 0",
                "売上高 20 0",
                "現金 5000 0",
                "仮払金 800 0",
                "現金過不足 56 0",
            ]
        );
        assert_eq!(
            credits,
            [
                "売掛金コード決済 100 0",
                "売上高 1650 150",
                "売上高 1080 80",
                "売上高 300 0",
                "仮受金 5000 0",
                "現金 800 0",
                "現金 56 0",
            ]
        );
        assert_eq!(slip.lines().len(), 8);
    }

    #[test]
    fn tax_given_back_by_customs_leaves_the_drawer_and_no_gap() {
        let (mut day, closing) = worked();
        // 1,100 yen sold with 100 yen of tax become 1,000 without.
        day.taxes.remove(&key("standard", "10", true));
        let freed = TaxSum { base: yen(1_000), tax: yen(0) };
        day.taxes.insert(key("tax_free", "", true), freed);
        day.tax_refunds_cash = Tally { count: 1, amount: yen(60) };
        day.tax_refunds_transfer = Tally { count: 1, amount: yen(40) };
        let slip = Slip::of(&day, &closing).unwrap().expect("something happened");
        let credits: Vec<_> = slip.credits.iter().map(|(side, _)| shown(side)).collect();
        for side in ["売上高 1000 0", "現金 60 0", "未払金 40 0"] {
            assert!(credits.contains(&side.to_owned()), "{side}: {credits:?}");
        }
    }

    #[test]
    fn the_reason_of_cash_stands_once_on_its_line() {
        let (_, closing) = worked();
        let mut day = DayTotals::default();
        day.paid_out_by_reason.insert("切手".to_owned(), yen(800));
        let quiet = ZClosing { difference: yen(0), ..closing };
        let slip = Slip::of(&day, &quiet).unwrap().expect("something happened");
        let abouts: Vec<_> = slip.lines().into_iter().map(|line| line.about).collect();
        assert_eq!(abouts, ["01-Z0412 切手"]);
    }

    #[test]
    fn a_day_that_does_not_balance_is_no_slip_and_an_empty_one_neither() {
        let (mut day, closing) = worked();
        day.tenders.insert(TenderKind::Debit, Tally { count: 1, amount: yen(1) });
        assert_eq!(Slip::of(&day, &closing).unwrap_err().code, RefusalCode::Damaged);
        let quiet = ZClosing { difference: yen(0), ..closing };
        assert_eq!(Slip::of(&DayTotals::default(), &quiet), Ok(None));
    }
}
