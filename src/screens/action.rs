//! What a screen asks of the app, and what the app answers.
//!
//! Room: screens. May touch: domain views.
//! Invariant: a screen reaches further only through an `Action`; an answer that no longer fits what
//! the screen shows is dropped.

use super::act::ScreenName;
use super::first_run::FirstShop;
use super::recovery::Remedy;
use crate::domain::money::Money;
use crate::domain::register::{ItemView, LineView, MemberView};

/// What a key comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The screen changed itself, or nothing did: draw.
    Stay,
    /// The key means nothing here.
    Ignored,
    /// Give these lines of the command language in turn, stopping at the first refusal. After each
    /// call `Screens::done` or `Screens::refused`.
    Do(Vec<String>),
    /// Find this; the answer may come later.
    Ask(Question),
    /// Show this sentence (a key of the language files) on the message row.
    Say(&'static str),
    Device(DeviceAct),
    /// The answers of a new shop.
    Found(Box<FirstShop>),
    /// Do this about a shop that does not open.
    Recover(Remedy),
    /// Leave the register; the cart stays in `cart.log`.
    Quit,
}

/// What the devices screen asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceAct {
    /// Print a test page on the device of this name.
    TestPrint(String),
    /// Write this address for this device into `shop.toml`; empty takes it away.
    Address { device: String, address: String },
}

/// Rows a list asks for at once.
pub const PAGE: usize = 50;

/// Data a screen needs. Offsets count rows from 0; a page is `PAGE` rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    FindItems {
        text: String,
        offset: usize,
    },
    FindMembers {
        text: String,
        offset: usize,
    },
    MemberCard {
        code: String,
    },
    /// Receipts of a member, newest first.
    Visits {
        code: String,
        offset: usize,
    },
    /// Journal rows, newest first. The words are those of the `journal` command: `2026-11-22`,
    /// `2026-11-01..2026-11-22`, `amount=1000..2000`, `receipt=…`, `member=…`, `staff=…`,
    /// `item=…`, or a bare text that may be any of them.
    Journal {
        query: Vec<String>,
        offset: usize,
    },
    /// The text of a receipt and what can still be done with it.
    Receipt {
        number: String,
    },
    Devices,
}

/// One row of the journal browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    pub lane: u8,
    pub seq: u64,
    /// As shown, `11-22 10:23`.
    pub at: String,
    /// Key of the kind's name in the language files (`entry.sale`).
    pub kind: &'static str,
    /// Number of the paper, empty without one.
    pub number: String,
    pub amount: Option<Money>,
    pub staff: u32,
    /// Member code, reason or name, already worded.
    pub detail: String,
}

/// A receipt looked up.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReceiptView {
    pub number: String,
    /// The paper as text, row by row.
    pub paper: Vec<String>,
    pub lines: Vec<ReceiptLine>,
    pub voided: bool,
    pub copies: u32,
    /// Numbers of the formal receipts made out for it.
    pub formals: Vec<String>,
}

/// A line of a receipt, and what of it may still come back.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiptLine {
    pub line: LineView,
    pub left: crate::domain::quantity::Quantity,
}

/// One device, as `regi devices` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceRow {
    /// Name in `shop.toml`: `printer`, `drawer`, `display`, `scanner`.
    pub device: String,
    /// Key of the kind's name (`device.printer`).
    pub kind: &'static str,
    pub address: String,
    pub model: String,
    /// Key of the state's word.
    pub state: &'static str,
    pub alert: bool,
}

/// One page of a list; `more` when further rows follow.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    pub offset: usize,
    pub rows: Vec<T>,
    pub more: bool,
}

/// What was found. The first four name the question they answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Items {
        text: String,
        page: Page<ItemView>,
    },
    Members {
        text: String,
        page: Page<MemberView>,
    },
    Visits {
        code: String,
        page: Page<JournalRow>,
    },
    Journal {
        query: Vec<String>,
        page: Page<JournalRow>,
    },
    /// A member with the newest visits.
    MemberCard(Box<MemberView>, Page<JournalRow>),
    Receipt(Box<ReceiptView>),
    Devices(Vec<DeviceRow>),
    /// A report, or anything else that is read page by page.
    Text {
        title: String,
        rows: Vec<String>,
    },
    /// What `inquire` says: label (key of the language files) and value.
    Explained(Vec<(String, String)>),
    /// Go to a screen, and what it is about there: `help`, `keys` and `journal` given as commands end
    /// here, and a receipt that was scanned.
    Open(ScreenName, String),
    /// Help, open at this command.
    HelpOn(String),
}
