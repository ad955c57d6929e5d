//! The open sale before its tender, and who stands at the register.
//!
//! Room: domain. May touch: std. The cart is kept in `cart.log` and in suspended sales, so it holds no
//! personal data: a member is a code, a rank and a balance.

use serde::{Deserialize, Serialize};

use super::ringing::Rung;
use crate::domain::code::pairing::BookPairing;
use crate::domain::command::{Command, Discount};
use crate::domain::number::DocNo;
use crate::domain::quantity::{Quantity, Rate};
use crate::domain::sale::{LineItem, OnTheWay, Sale, SaleId, Tender};

/// The most lines one sale takes; past it a cashier closes and begins another.
pub const MOST_LINES: usize = 500;

/// A quantity keyed before the item it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub quantity: Quantity,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartMember {
    pub code: String,
    pub rank: String,
    pub rank_rate: Rate,
    pub points: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartDiscount {
    pub given: Discount,
    /// The coupon's code, or empty.
    pub coupon: String,
}

/// The receipt whose goods come back in this cart, as the store knew it when they were brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartReturn {
    pub sale: Box<Sale>,
    pub sold_on: i32,
    /// What had come back before this cart, by line.
    pub returned_before: std::collections::BTreeMap<u32, Quantity>,
    pub points_taken_back_before: i64,
    pub points_given_back_before: i64,
    /// The member whose points move (the sale's own, or the late one).
    pub member: Option<String>,
    /// Points the sale earned, late ones included.
    pub earned: i64,
}

/// The open sale. Empty is the state between two customers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// 0 until the first line.
    pub id: SaleId,
    pub lines: Vec<LineItem>,
    pub member: Option<CartMember>,
    pub discounts: Vec<CartDiscount>,
    /// Points to use; a discount or a tender as the shop says.
    pub points_used: i64,
    pub eat_in: bool,
    pub tenders: Vec<Tender>,
    pub customer_kind: String,
    pub note: String,
    pub age_checked: bool,
    /// Index of the line that corrections aim at; absent: the last one.
    pub selected: Option<u32>,
    pub pending: Option<Pending>,
    /// The last act was a scan of this code without a quantity: the same again raises the line, and
    /// a quantity now is meant for it.
    pub just_scanned: Option<String>,
    /// Staff pressed subtotal.
    pub subtotalled: bool,
    pub on_the_way: OnTheWay,
    pub returning: Option<CartReturn>,
    /// Goods rung now come back without a receipt.
    pub open_return: bool,
    pub resumed_from: Option<DocNo>,
}

impl Cart {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether something was rung that must not be forgotten.
    pub fn has_sale(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Index of the line corrections aim at.
    pub fn target(&self) -> Option<usize> {
        match self.selected {
            Some(index) => Some(index as usize),
            None => self.lines.len().checked_sub(1),
        }
    }

    pub fn needs_age_check(&self) -> bool {
        !self.age_checked && self.lines.iter().any(|line| line.flags.age20 && !line.is_return())
    }
}

/// An approval that waits for the next command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approval {
    pub by: u32,
    pub level: u8,
    pub until_ms: i64,
}

/// A command that was refused, and what would have it done after all.
#[derive(Debug, Clone, PartialEq)]
pub enum Waiting {
    /// `confirm`.
    Yes(Command),
    /// The weight of the goods that were scanned: the next quantity.
    Weight(Command),
}

/// Who stands here. Never outlives the process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Session {
    /// Absent: nobody, when the shop has staff.
    pub staff: Option<u32>,
    pub locked: bool,
    pub approval: Option<Approval>,
    pub asked: Option<Box<Waiting>>,
    /// Set while a confirmed command runs.
    pub confirmed: bool,
    /// A book row that waits for its partner.
    pub books: BookPairing,
    /// Goods whose code has no price: the next price keyed is theirs.
    pub(super) asking: Option<Box<Rung>>,
}
