//! One customer's basket and what it became: lines, taxes, tenders, member, all as printed.
//!
//! Room: domain. May touch: std.
//! Invariant: a closed sale carries results; nothing in it is ever computed again.

use serde::{Deserialize, Serialize};

use super::command::Discount;
use super::item::{ItemFlags, Unit};
use super::money::Money;
use super::number::DocNo;
use super::quantity::{Quantity, Rate, UnitPrice};
use super::tax::{TaxGroup, TaxMode};

/// Names one sale for ever, made once before anything is written: repeating it does nothing.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SaleId(#[serde(with = "super::hex_id")] pub u128);

/// What is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TenderKind {
    Cash,
    Credit,
    Debit,
    Emoney,
    Code,
    Voucher,
    /// Points that settle like money (`[points] use_as = "tender"`).
    Points,
}

impl TenderKind {
    pub const ALL: [Self; 7] = [
        Self::Cash,
        Self::Credit,
        Self::Debit,
        Self::Emoney,
        Self::Code,
        Self::Voucher,
        Self::Points,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Credit => "credit",
            Self::Debit => "debit",
            Self::Emoney => "emoney",
            Self::Code => "code",
            Self::Voucher => "voucher",
            Self::Points => "points",
        }
    }

    /// Reads the kinds a cashier can name; points come by `use_points`.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word && *kind != Self::Points)
    }
}

/// What was rung, before any total: the input of pricing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    pub code: String,
    pub name: String,
    /// The name the receipt prints.
    pub printed: String,
    pub department: u16,
    /// Below zero on a line that comes back.
    pub quantity: Quantity,
    pub unit: Unit,
    pub unit_price: UnitPrice,
    /// The master's price, when the line has another.
    pub list_price: Option<UnitPrice>,
    pub price_mode: TaxMode,
    pub class: String,
    /// The class as the master says, when `line_tax` or `eat_in` changed it.
    pub own_class: Option<String>,
    pub flags: ItemFlags,
    pub discount: Option<Discount>,
    pub cost: Option<UnitPrice>,
    /// Where a returned line was sold.
    pub origin: Option<Origin>,
}

impl LineItem {
    pub fn is_return(&self) -> bool {
        self.quantity < Quantity::ZERO
    }

    /// Pieces the line counts for; below zero when they come back.
    pub fn pieces(&self) -> Quantity {
        self.unit.pieces(self.quantity)
    }
}

/// The line of an earlier receipt that comes back here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub receipt: DocNo,
    pub line: u32,
}

/// A line with its results. Money is on the receipt's basis (`mode`); a returned line has all of
/// them below zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleLine {
    pub item: LineItem,
    /// Basis of `amount`: included or excluded tax, one for the whole receipt.
    pub mode: TaxMode,
    /// Percent; absent for a class without tax.
    pub rate: Option<Rate>,
    /// The mark the receipt prints behind the name (`※`), or empty.
    pub mark: String,
    /// Taken off by the line's own discount.
    pub discount: Money,
    /// round(quantity × unit price) − `discount`.
    pub amount: Money,
    /// Share of the discounts on the whole sale.
    pub sale_discount: Money,
    /// Share of the points used as a discount.
    pub points_share: Money,
}

impl SaleLine {
    /// What the customer pays for the line on its basis, after every share.
    pub fn net(&self) -> Money {
        self.amount - self.sale_discount - self.points_share
    }
}

/// A discount on the whole sale, with its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleDiscount {
    pub given: Discount,
    /// The coupon that gave it, or empty.
    pub coupon: String,
    pub amount: Money,
}

/// Sums of a sale, as shown and printed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Σ `amount` of the lines.
    pub subtotal: Money,
    /// Discounts on the sale and points used as discount; positive.
    pub discount: Money,
    /// subtotal − discount + excluded tax.
    pub total: Money,
    pub taxes: Vec<TaxGroup>,
}

/// One tender as taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tender {
    pub kind: TenderKind,
    /// What was handed over; below zero when it goes back to the customer.
    pub amount: Money,
    /// What it settled: the amount less change, or less what a voucher does not give back.
    pub applied: Money,
}

/// The member of a sale and the points it moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleMember {
    pub code: String,
    pub rank: String,
    /// The rank's multiplier, kept for what a later return takes back.
    pub rank_rate: Rate,
    pub points_before: i64,
    pub points_after: i64,
}

/// A line taken off before the sale closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidedLine {
    pub code: String,
    pub name: String,
    pub quantity: Quantity,
    pub amount: Money,
}

/// What happened on the way to the tender that a manager may ask about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnTheWay {
    pub voided: Vec<VoidedLine>,
    pub overrides: u32,
    pub age_checks: u32,
    /// Staff numbers whose approval lifted a refusal.
    pub approved_by: Vec<u32>,
}

/// Which sale's goods come back in this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnOf {
    pub receipt: DocNo,
    /// Days from the common era.
    pub sold_on: i32,
    /// Points the goods had earned that are settled by this return.
    pub points_taken_back: i64,
    /// The part of them that the member had spent and the refund paid, a yen a point: it does not
    /// leave the balance.
    pub points_deducted: i64,
    /// Points used on them that are given back.
    pub points_given_back: i64,
}

/// A closed sale or return: everything its receipt prints, and what later acts need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    pub id: SaleId,
    pub number: DocNo,
    pub lines: Vec<SaleLine>,
    pub discounts: Vec<SaleDiscount>,
    pub totals: Totals,
    pub member: Option<SaleMember>,
    pub points_used: i64,
    pub points_earned: i64,
    pub tenders: Vec<Tender>,
    pub change: Money,
    pub eat_in: bool,
    pub customer_kind: String,
    pub note: String,
    pub return_of: Option<ReturnOf>,
    /// Goods that came back, with tax, as a positive amount; 0 on a plain sale.
    pub returned: Money,
    pub on_the_way: OnTheWay,
    /// Stamp duty the paper needs, 0 when none (`japan.md` 1.8).
    pub stamp_duty: Money,
}

impl Sale {
    /// Handed over in all.
    pub fn paid(&self) -> Money {
        self.tenders.iter().map(|tender| tender.amount).sum()
    }

    /// Cash that stayed in the drawer: what was handed over in cash, less all change; below zero
    /// when more went out.
    pub fn cash(&self) -> Money {
        let cash = self.tenders.iter().filter(|tender| tender.kind == TenderKind::Cash);
        cash.map(|tender| tender.amount).sum::<Money>() - self.change
    }

    /// Change given in cash for a tender that was none (a voucher that gives change). Such a tender
    /// settles the sale, so it is the last.
    pub fn change_for_others(&self) -> Money {
        let cash = self.tenders.iter().filter(|tender| tender.kind == TenderKind::Cash);
        self.change - cash.map(|tender| tender.amount - tender.applied).sum()
    }

    /// Books what settled the sale under another kind. Paid by other means, nothing was handed over
    /// beyond it, and no change was given.
    pub fn correct_tender(&mut self, from: TenderKind, to: TenderKind, settled: Money) {
        let of_it = |tender: &&mut Tender| tender.kind == from && tender.applied == settled;
        if let Some(tender) = self.tenders.iter_mut().find(of_it) {
            *tender = Tender { kind: to, amount: settled, applied: settled };
            self.change = Money::ZERO;
        }
    }

    /// Goods taken along.
    pub fn pieces(&self) -> Quantity {
        pieces(&self.lines)
    }
}

/// Returns the pieces taken along; those that come back count for nothing.
pub fn pieces(lines: &[SaleLine]) -> Quantity {
    let sold = lines.iter().filter(|line| !line.item.is_return());
    sold.fold(Quantity::ZERO, |sum, line| sum + line.item.pieces())
}
