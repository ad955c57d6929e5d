//! What a lane remembers between two commands and over a restart: counters, the open day, locks.
//!
//! Room: domain. May touch: std.
//! Invariant: a pure fold of the lane's own entries; throwing it away and folding again gives the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::day::DayTotals;
use super::entry::{Entry, Kind};
use super::money::Money;
use super::number::{DocKind, DocNo};
use super::register::Cart;
use super::sale::SaleId;

/// Wrong PINs of one staff number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinLock {
    pub tries: u32,
    pub until_ms: i64,
}

/// A parked sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspended {
    pub slip: DocNo,
    pub name: String,
    pub at_ms: i64,
    pub staff: u32,
    pub cart: Cart,
}

/// The lane's memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneState {
    pub lane: u8,
    pub epoch: u16,
    /// The last number used of each kind.
    pub last_numbers: BTreeMap<DocKind, u32>,
    /// Absent between a Z and the next sale or `open_day`.
    pub day: Option<DayTotals>,
    /// What counts on the next day already, while none is open.
    pub early: DayTotals,
    /// The business date up to which staff chose to go on without a Z.
    pub continued_on: Option<i32>,
    pub last_z: Option<DocNo>,
    /// Whether a backup has been written since.
    pub backed_up: bool,
    /// The business date of the last Z, days from the common era.
    pub last_z_date: Option<i32>,
    /// UTC ms of the last Z: no sale is ever dated before it.
    pub last_z_ms: i64,
    pub grand_total: Money,
    /// Float left in the drawer at the last Z: what the next day opens with when nothing is said.
    pub float_left: Money,
    pub suspended: BTreeMap<DocNo, Suspended>,
    pub pin_locks: BTreeMap<u32, PinLock>,
    /// The last sale or return that counts.
    pub last_receipt: Option<DocNo>,
    /// The last sale that was closed or given up: a cart of this id is not an open one.
    pub ended: SaleId,
    pub training: bool,
    /// UTC ms when training began.
    pub training_since_ms: i64,
}

impl LaneState {
    pub fn new(lane: u8) -> Self {
        Self { lane, ..Self::default() }
    }

    /// Whether a cart found at start is still open: not closed, not given up, not parked.
    pub fn is_open(&self, cart: &Cart) -> bool {
        let parked = self.suspended.values().any(|parked| parked.cart.id == cart.id);
        let ended = cart.id == self.ended && cart.id != SaleId::default();
        !(ended || parked && cart.has_sale())
    }

    /// Returns the last receipt of what staff do now: in training that of the last sale tried.
    pub fn newest_receipt(&self) -> Option<DocNo> {
        if !self.training {
            return self.last_receipt;
        }
        let last = self.last_number(DocKind::Training);
        (last > 0).then(|| self.number(DocKind::Training, last))
    }

    /// Returns the numbers of sales of goods, newest first; some of them may be void.
    pub fn sales_newest_first(&self) -> impl Iterator<Item = DocNo> + '_ {
        let last = self.last_number(DocKind::Receipt);
        (1..=last).rev().map(|number| self.number(DocKind::Receipt, number))
    }

    /// Returns the next number of a kind. It is used up only by the entry that carries it.
    pub fn next_number(&self, kind: DocKind) -> DocNo {
        self.number(kind, self.last_number(kind) + 1)
    }

    /// 0 before the first.
    fn last_number(&self, kind: DocKind) -> u32 {
        self.last_numbers.get(&kind).copied().unwrap_or(0)
    }

    fn number(&self, kind: DocKind, number: u32) -> DocNo {
        DocNo { lane: self.lane, epoch: self.epoch, kind, number }
    }

    fn used(&mut self, number: DocNo) {
        let last = self.last_numbers.entry(number.kind).or_default();
        *last = (*last).max(number.number);
    }

    /// Folds one entry of this lane.
    pub fn fold(&mut self, entry: &Entry) {
        self.epoch = entry.header.epoch;
        match &entry.kind {
            Kind::EpochBegan { .. } => self.last_numbers.clear(),
            Kind::DayOpened { float } => {
                let early = std::mem::take(&mut self.early);
                self.day = Some(early.opened(&entry.header, *float));
            }
            Kind::DayContinued { civil_date } => self.continued_on = Some(*civil_date),
            Kind::SaleClosed(sale) => {
                self.used(sale.number);
                if !entry.header.training {
                    self.last_receipt = Some(sale.number);
                }
                self.ended = sale.id;
            }
            Kind::SaleVoided { id, .. } | Kind::NoSaleCame { id, .. } => self.ended = *id,
            Kind::FormalReceiptIssued { number, .. }
            | Kind::FormalReceiptIssuedFor { number, .. } => self.used(*number),
            Kind::TaxFreeRecorded(record) => self.used(record.number),
            Kind::SaleSuspended { slip, name, cart } => {
                self.used(*slip);
                let suspended = Suspended {
                    slip: *slip,
                    name: name.clone(),
                    at_ms: entry.header.at_ms,
                    staff: entry.header.staff,
                    cart: (**cart).clone(),
                };
                self.suspended.insert(*slip, suspended);
            }
            Kind::SaleResumed { slip } => {
                self.suspended.remove(slip);
            }
            Kind::PinRefused { staff, tries, locked_until_ms } => {
                let lock = PinLock { tries: *tries, until_ms: *locked_until_ms };
                self.pin_locks.insert(*staff, lock);
            }
            Kind::StaffSignedIn { staff } | Kind::Approved { by: staff } => {
                self.pin_locks.remove(staff);
            }
            Kind::PinChanged { staff } => {
                self.pin_locks.remove(staff);
            }
            Kind::TrainingBegan => {
                self.training = true;
                self.training_since_ms = entry.header.at_ms;
            }
            Kind::TrainingEnded => self.training = false,
            Kind::BackedUp { .. } => self.backed_up = true,
            Kind::ZClosed(closing) => {
                self.used(closing.number);
                self.last_z = Some(closing.number);
                self.backed_up = false;
                self.last_z_date = Some(entry.header.business_date);
                self.last_z_ms = entry.header.at_ms;
                self.grand_total = closing.grand_total;
                self.float_left = closing.float_left;
                self.day = None;
                self.continued_on = None;
            }
            _ => {}
        }
        match &mut self.day {
            Some(day) => day.fold(entry),
            None if DayTotals::is_early(&entry.kind) => self.early.fold(entry),
            None => {}
        }
    }
}
