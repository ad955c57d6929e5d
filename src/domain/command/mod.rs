//! The command language: everything a register can be told, in one closed list.
//!
//! Room: domain. May touch: std. May not: wording, keys (keymaps translate keys to these lines).
//! Invariant: there is no second way to do anything; screens, scripts and tests all come through here.

mod parse;
mod table;

pub use parse::{MOST_PIECES, parse, quote, takes_pin};
pub use table::{COMMANDS, CommandSpec, Group, spec};

use super::money::Money;
use super::quantity::{Quantity, Rate};
use super::sale::TenderKind;
use super::tax_free::{RefundBy, Status};

/// A PIN on its way to be checked; shown as `***` everywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(String);

impl Pin {
    pub fn new(digits: impl Into<String>) -> Self {
        Self(digits.into())
    }

    /// Returns the digits, for the one place that checks them.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// An amount off or a percentage off. Stands in journals: new ways come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Discount {
    Amount(Money),
    Percent(Rate),
    /// A percentage off goods near the date on their label; by the shop's rule, never by hand.
    NearDate(Rate),
}

/// How many points to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointsAsked {
    All,
    Count(i64),
}

/// What a customer hands over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// As much as is due.
    Exact,
    Amount(Money),
    /// Cash piece by piece: face value and how many.
    Pieces(Vec<(Money, u32)>),
}

/// Which line of a receipt comes back, and how much of it (all that is left when absent).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReturnLine {
    pub line: u32,
    pub quantity: Option<Quantity>,
}

/// A formal receipt to make out: to whom, and where it says otherwise than it would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormalAsked {
    pub name: String,
    /// A part of the sale; absent, all that is not receipted yet.
    pub amount: Option<Money>,
    /// Absent: the newest sale that stands.
    pub receipt: Option<String>,
    /// What it is for (但し書き).
    pub purpose: Option<String>,
}

/// One thing the register is told to do. Amounts are in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    // staff
    SignIn { staff: u32, pin: Option<Pin> },
    SignOut,
    Approve { staff: u32, pin: Pin },
    // items
    Scan { code: String },
    Department { number: u16, amount: Money },
    Quantity(Quantity),
    Times(Quantity),
    Repeat,
    PriceOverride(Money),
    LineDiscount(Option<Discount>), // `None` takes it off.
    LineTax { class: String },
    VoidLine(Option<u32>),
    SelectLine(u32),
    Inquire { code: String },
    FindItem { text: String },
    AgeChecked,
    // sale
    Subtotal,
    SaleDiscount(Option<Discount>), // `None` takes off those given by hand.
    EatIn,
    TakeOut,
    Note { text: String },
    Suspend { name: Option<String> },
    Resume { slip: Option<String> },
    VoidSale,
    CustomerKind { key: String },
    // member
    Member { code: String },
    FindMember { text: String },
    NewMember(Vec<(String, String)>),
    EditMember(Vec<(String, String)>),
    ClearMember,
    EraseMember { code: String },
    UsePoints(PointsAsked),
    Coupon { code: String },
    RemoveCoupon { code: String },
    Stamp(i64),
    LatePoints { receipt: String, code: String },
    // tender
    Tender { kind: TenderKind, handed: Handed },
    VoidTender,
    // after
    Reprint { receipt: Option<String> },
    FormalReceipt(FormalAsked),
    VoidReceipt { receipt: String, reason: String },
    CorrectTender { receipt: String, kind: TenderKind },
    Return { receipt: String, lines: Vec<ReturnLine> },
    ReturnOpen,
    Exchange { receipt: String, line: u32 },
    TaxFree { receipt: String, lines: Vec<u32>, with: Vec<String> },
    TaxFreeStatus { record: String, status: Status },
    TaxFreeRefund { record: String, by: RefundBy },
    PrintOutcome { job: String, printed: bool },
    // drawer
    NoSale { reason: String },
    PaidIn { amount: Money, reason: String },
    PaidOut { amount: Money, reason: String },
    Loan(Money),
    Pickup(Money),
    // close
    OpenDay { float: Option<Money> },
    XReport,
    Count(Vec<(Money, u32)>),
    ZReport { counted: Option<Money>, float_left: Option<Money> },
    TrainingOn,
    TrainingOff,
    // shop
    EditItem { code: String, fields: Vec<(String, String)> },
    SetPrice { code: String, amount: Money },
    SetPin { staff: u32, pin: Option<Pin> },
    Confirm,
    // look
    Journal { query: Vec<String> },
    Report { name: String, options: Vec<(String, String)> },
    Help { name: Option<String> },
    Keys,
    Lock,
}
