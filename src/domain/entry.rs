//! What a journal holds: one immutable fact an entry.
//!
//! Room: domain. May touch: std. May not: bytes (the store's codec writes them), keystrokes.
//! Invariant: entries carry results; a fold never evaluates a rule, reads a clock or posts an entry.
//! Append variants at the end only: the codec is positional, and released journals must open for ever.

use serde::{Deserialize, Serialize};

use super::day::{Count, Tally};
use super::item::Item;
use super::member::MemberCard;
use super::money::Money;
use super::number::DocNo;
use super::register::Cart;
use super::sale::{OnTheWay, Sale, SaleId, TenderKind};
use super::settings::{CodesPatch, GoodsPatch, LoyaltyPatch, SettingsPatch};
use super::tax::TaxGroup;
use super::tax_free;
use super::z_seal::ZSeal;

/// Who said what time it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Clock {
    System,
    /// Given on the command line (`--at`).
    Given,
}

/// Where an entry stands: who, when, and after what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The shop's id, made when the shop was made.
    pub shop: u64,
    pub lane: u8,
    pub epoch: u16,
    /// Gapless per lane and epoch, from 1.
    pub seq: u64,
    /// Hybrid logical clock: milliseconds << 16 | counter.
    pub stamp: u64,
    /// UTC milliseconds.
    pub at_ms: i64,
    pub offset_minutes: i16,
    pub clock: Clock,
    /// Days from the common era; the day the act belongs to.
    pub business_date: i32,
    pub staff: u32,
    pub training: bool,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub header: Header,
    pub kind: Kind,
}

/// An entry before the journal gave it its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub business_date: i32,
    pub staff: u32,
    pub training: bool,
    pub kind: Kind,
}

/// How a print job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrintEnd {
    Printed,
    Lost,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The first entry of a journal.
    ShopFounded {
        name: String,
    },
    /// A new epoch: why, and what is unknown of the one before.
    EpochBegan {
        reason: String,
        last_known_seq: u64,
    },
    SettingsChanged(Box<SettingsPatch>),
    StaffSignedIn {
        staff: u32,
    },
    StaffSignedOut {
        staff: u32,
    },
    /// A wrong PIN: how many in a row, and until when (UTC ms) the number is locked.
    PinRefused {
        staff: u32,
        tries: u32,
        locked_until_ms: i64,
    },
    PinChanged {
        staff: u32,
    },
    Approved {
        by: u32,
    },
    /// A refusal that matters: its word and what was asked, without secrets.
    Refused {
        code: String,
        command: String,
    },
    DayOpened {
        float: Money,
    },
    SaleClosed(Box<Sale>),
    /// A whole cart given up before its tender.
    SaleVoided {
        id: SaleId,
        lines: u32,
        amount: Money,
    },
    SaleSuspended {
        slip: DocNo,
        name: String,
        cart: Box<Cart>,
    },
    SaleResumed {
        slip: DocNo,
    },
    /// A closed receipt undone on its own day.
    ReceiptVoided {
        receipt: DocNo,
        reason: String,
        sale: Box<Sale>,
        /// Who sold it, and the local hour 0…23: where it no longer counts.
        sold_by: u32,
        sold_hour: u8,
    },
    TenderCorrected {
        receipt: DocNo,
        from: TenderKind,
        to: TenderKind,
        amount: Money,
    },
    Reprinted {
        receipt: DocNo,
        copy: u32,
    },
    FormalReceiptIssued {
        number: DocNo,
        receipt: DocNo,
        name: String,
        amount: Money,
        stamp_duty: Money,
    },
    LatePoints {
        receipt: DocNo,
        member: String,
        earned: i64,
        points_after: i64,
    },
    Stamped {
        member: String,
        count: i64,
    },
    DrawerOpened {
        reason: String,
    },
    PaidIn {
        amount: Money,
        reason: String,
    },
    PaidOut {
        amount: Money,
        reason: String,
    },
    Loaned {
        amount: Money,
    },
    PickedUp {
        amount: Money,
    },
    XReported {
        count: u32,
    },
    CashCounted(Count),
    ZClosed(Box<ZClosing>),
    TrainingBegan,
    TrainingEnded,
    ItemSet(Box<Item>),
    MemberSet(Box<MemberCard>),
    /// Up to 500 rows of an import; inert until the import is closed.
    ItemsImported {
        #[serde(with = "super::hex_id")]
        import: u128,
        items: Vec<Item>,
    },
    MembersImported {
        #[serde(with = "super::hex_id")]
        import: u128,
        members: Vec<ImportedMember>,
    },
    PointsImported {
        #[serde(with = "super::hex_id")]
        import: u128,
        points: Vec<(String, i64)>,
    },
    StockImported {
        #[serde(with = "super::hex_id")]
        import: u128,
        stock: Vec<(String, super::quantity::Quantity)>,
    },
    ImportClosed {
        #[serde(with = "super::hex_id")]
        import: u128,
        rows: u64,
    },
    PrintEnded {
        job: String,
        end: PrintEnd,
    },
    /// The clock moved by a minute or more against the time that passed.
    ClockJumped {
        from_ms: i64,
        to_ms: i64,
    },
    /// A backup was written and read back; its journal head.
    BackedUp {
        seq: u64,
        hash: [u8; 32],
    },
    /// Past the hour the day ends, staff went on selling into the open day: until this civil date
    /// (days from the common era) ends, too.
    DayContinued {
        civil_date: i32,
    },
    /// The drawer's sensor saw it open, and the register had not ordered it (`reliability.md` P5).
    DrawerOpenedUnasked,
    /// Goods of a receipt went into a purchase record (`japan.md` 1.9).
    TaxFreeRecorded(Box<tax_free::Record>),
    /// What the provider or customs said of a record.
    TaxFreeToldOf {
        number: DocNo,
        receipt: DocNo,
        status: tax_free::Status,
    },
    /// The tax of a record went back, and its goods are sales free of tax.
    TaxFreeRefunded {
        number: DocNo,
        receipt: DocNo,
        by: tax_free::RefundBy,
        taxes: Vec<TaxGroup>,
    },
    /// A place was to be told by a slip what to make of a sale that closes with it: written before
    /// the sale, so that no sale is kept without it.
    SlipOrdered {
        receipt: DocNo,
        place: String,
    },
    /// The part of a change of the settings that says what codes are; in one act with the rest.
    CodesChanged(Box<CodesPatch>),
    /// A formal receipt that says in the shop's own words what it is for.
    FormalReceiptIssuedFor {
        number: DocNo,
        receipt: DocNo,
        name: String,
        amount: Money,
        stamp_duty: Money,
        purpose: String,
    },
    /// Sales that stay parked over a Z, and what they would come to; in one act with it.
    SalesLeftParked(Tally),
    /// The part of a change of the settings that says how points are counted; in one act with the rest.
    LoyaltyChanged(Box<LoyaltyPatch>),
    /// What was done on the way to a sale that did not come: with its `SaleVoided`, or alone when the last of
    /// its lines was taken off.
    NoSaleCame {
        id: SaleId,
        done: Box<OnTheWay>,
    },
    /// The part of a change of the settings that says what may not be done with goods rung by department; in
    /// one act with the rest.
    GoodsChanged(Box<GoodsPatch>),
}

/// A member as an import brings it: the card and the balance it starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedMember {
    pub card: MemberCard,
    pub points: Option<i64>,
}

/// A closed day: everything the Z prints that was not folded from other entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZClosing {
    pub number: DocNo,
    pub counted: Option<Money>,
    pub count: Option<Count>,
    pub expected: Money,
    pub difference: Money,
    pub float_left: Money,
    /// Sum of net sales over all Zs, before and after this one; never cleared.
    pub grand_total_before: Money,
    pub grand_total: Money,
    /// Last, so that the signature ends the body; always there once the Z is in the journal.
    pub seal: Option<ZSeal>,
}
