//! What a screen may see: borrowed views of the register, never the register.
//!
//! Room: screens. May touch: domain views. May not: store, register, clock.

use crate::domain::money::Money;
use crate::domain::quantity::Quantity;
use crate::domain::register::{DayView, SaleView, StaffView, SuspendedView};
use crate::domain::words::Words;

/// The three numbers said aloud, kept until the next sale closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSale {
    /// The receipt's number as printed.
    pub receipt: String,
    pub total: Money,
    pub received: Money,
    pub change: Money,
}

/// How something beside the register is doing. The word is a key of the language files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// Key of the word (`state.ready`, `state.no_paper`, …); empty: there is no such thing here.
    pub word: &'static str,
    /// How many jobs, records or seconds it is behind; 0 shows none.
    pub behind: u64,
    pub alert: bool,
}

/// A sentence for the message row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub refusal: bool,
    /// Worded already (`Words::refusal`, `Words::fill`).
    pub text: String,
}

/// Something to choose: what the command wants, and what the cashier reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
}

/// The lists a cashier chooses from, as the shop's settings have them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    pub departments: Vec<Choice>,
    pub reasons: Vec<Choice>,
    /// Why a receipt is voided.
    pub void_reasons: Vec<Choice>,
    pub tax_classes: Vec<Choice>,
    pub customer_kinds: Vec<Choice>,
    pub ranks: Vec<Choice>,
    /// Value: the staff number.
    pub staff: Vec<Choice>,
    /// Notes and coins of the currency in minor units, largest first.
    pub denominations: Vec<i64>,
}

/// All that may be drawn, as it stands now.
#[derive(Clone, Copy)]
pub struct Model<'a> {
    pub words: &'a Words,
    pub choices: &'a Choices,
    pub shop: &'a str,
    pub lane: u8,
    /// Date and time as shown, `11-22 10:23`.
    pub clock: &'a str,
    pub staff: Option<&'a StaffView>,
    /// Nobody is signed in, or the register was locked: nothing sells.
    pub locked: bool,
    pub training: bool,
    /// Goods rung now come back without a receipt.
    pub open_return: bool,
    /// The open sale; `None` between two customers.
    pub sale: Option<&'a SaleView>,
    /// Line number (from 1) that corrections aim at, when it is not the last.
    pub selected: Option<u32>,
    /// A quantity keyed before its item.
    pub pending: Option<Quantity>,
    /// What must be given before the sale can close: `age_check`, `price`, `quantity`.
    pub needs: &'a [&'static str],
    /// Name of the goods whose price is asked; empty: none are.
    pub price_of: &'a str,
    /// Name of the sale's member, which the sale itself does not carry.
    pub member_name: &'a str,
    pub last: Option<&'a LastSale>,
    pub suspended: &'a [SuspendedView],
    pub day: Option<&'a DayView>,
    pub printer: &'a Health,
    pub scanner: &'a Health,
    pub copy: &'a Health,
    /// Room on the disk; shown when there is little.
    pub disk: &'a Health,
    pub message: Option<&'a Message>,
    /// Rows of the paper of a `screen:` printer, oldest first; empty without one.
    pub paper: &'a [String],
}

impl Model<'_> {
    /// Whether goods are on the counter.
    pub fn has_sale(&self) -> bool {
        self.sale.is_some_and(|sale| !sale.lines.is_empty())
    }
}
