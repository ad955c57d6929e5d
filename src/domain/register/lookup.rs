//! What the register must look up, through a trait it owns and the store implements.
//!
//! Room: domain. May touch: std.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::domain::command::Pin;
use crate::domain::entry::Clock;
use crate::domain::item::Item;
use crate::domain::member::Member;
use crate::domain::money::Money;
use crate::domain::number::DocNo;
use crate::domain::quantity::Quantity;
use crate::domain::refusal::Refusal;
use crate::domain::sale::Sale;
use crate::domain::tax_free;

/// The time a command is given at. Time is an argument everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    pub utc_ms: i64,
    pub offset_minutes: i16,
    pub clock: Clock,
}

impl Now {
    /// The civil date here, in days from the common era.
    pub fn civil_date(self) -> i32 {
        self.civil_date_shifted(0)
    }

    /// The civil date of `minutes_back` ago, in days from the common era.
    pub fn civil_date_shifted(self, minutes_back: u16) -> i32 {
        let shift = i64::from(self.offset_minutes) - i64::from(minutes_back);
        let days = (self.utc_ms + shift * 60_000).div_euclid(86_400_000);
        const EPOCH_FROM_CE: i64 = 719_163; // 1970-01-01
        i32::try_from(days + EPOCH_FROM_CE).unwrap_or(i32::MAX)
    }

    /// The civil date as a calendar day.
    pub fn day(self) -> NaiveDate {
        let day = NaiveDate::from_num_days_from_ce_opt(self.civil_date());
        day.unwrap_or_else(|| NaiveDate::from_num_days_from_ce_opt(1).expect("year 1 is a date"))
    }

    /// Hour and minute here.
    pub fn clock_time(self) -> (u32, u32) {
        let minutes = self.utc_ms.div_euclid(60_000) + i64::from(self.offset_minutes);
        let of_day = minutes.rem_euclid(1440) as u32;
        (of_day / 60, of_day % 60)
    }

    pub fn month(self) -> (i32, u32) {
        let day = self.day();
        (day.year(), day.month())
    }
}

/// How a PIN compares with the one on file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinVerdict {
    Right,
    Wrong,
    /// No PIN was ever set for this number.
    NotSet,
}

/// An item and how its code came to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFound {
    pub item: Item,
    /// Pieces, when the code was that of a case.
    pub pieces: Option<u32>,
}

/// A closed sale with everything that happened to it since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSale {
    pub sale: Sale,
    pub at_ms: i64,
    pub offset_minutes: i16,
    pub business_date: i32,
    pub staff: u32,
    pub training: bool,
    pub seq: u64,
    /// Quantity that came back so far, by line (from 1); positive.
    pub returned: BTreeMap<u32, Quantity>,
    pub points_taken_back: i64,
    pub points_given_back: i64,
    pub voided: bool,
    pub copies: u32,
    /// Sum of the formal receipts issued for it.
    pub formal: Money,
    pub formals: Vec<FormalKept>,
    /// The member that got its points late, and how many.
    pub late_member: Option<String>,
    pub late_points: i64,
}

impl StoredSale {
    pub fn formal_kept(&self, number: DocNo) -> Option<&FormalKept> {
        self.formals.iter().find(|formal| formal.number == number)
    }
}

/// A formal receipt made out for a sale: where its entry stands, and how often it was printed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormalKept {
    pub number: DocNo,
    pub seq: u64,
    pub copies: u32,
}

impl FormalKept {
    pub fn new(number: DocNo, seq: u64) -> Self {
        Self { number, seq, copies: 0 }
    }
}

/// What the store knows. Errors are `damaged` refusals: the store could not be read.
pub trait Lookup {
    /// Finds an item by JAN-13/8 form, PLU, own code, in-store master key or case code.
    fn item(&self, code: &str) -> Result<Option<ItemFound>, Refusal>;
    /// Finds items by part of a name, kana (romaji too) or code; the first `limit`.
    fn find_items(&self, text: &str, limit: usize) -> Result<Vec<Item>, Refusal>;
    fn member(&self, code: &str) -> Result<Option<Member>, Refusal>;
    /// Finds members by card, phone or its last digits, kana, romaji, part of a name, mail.
    fn find_members(&self, text: &str, limit: usize) -> Result<Vec<Member>, Refusal>;
    /// Whether a member code was ever used, a dead one included.
    fn member_code_used(&self, code: &str) -> Result<bool, Refusal>;
    /// The next free running number of member codes made at this lane.
    fn next_member_number(&self, lane: u8) -> Result<u32, Refusal>;
    fn sale(&self, receipt: DocNo) -> Result<Option<StoredSale>, Refusal>;
    /// Finds the sale that a formal receipt was made out for.
    fn sale_of_formal(&self, number: DocNo) -> Result<Option<StoredSale>, Refusal>;
    fn tax_free_record(&self, number: DocNo) -> Result<Option<tax_free::Kept>, Refusal>;
    /// Every purchase record of a receipt, oldest first.
    fn tax_free_of(&self, receipt: DocNo) -> Result<Vec<tax_free::Kept>, Refusal>;
    fn pin(&self, staff: u32, pin: Option<&Pin>) -> Result<PinVerdict, Refusal>;
}

/// Everything a command needs besides the register itself.
pub struct Context<'a> {
    pub now: Now,
    pub shop: &'a dyn Lookup,
    /// Makes ids; chance is an argument.
    pub new_id: &'a mut dyn FnMut() -> u128,
}
