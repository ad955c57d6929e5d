//! Reading the projections: what the register looks up, and what screens and reports ask for.
//!
//! Room: store. May touch: the store's database, to read.
//! Invariant: a read transaction lives for one question: take it, copy, drop (an old one pins pages).

use std::sync::Arc;

use redb::{Database, ReadTransaction, ReadableDatabase};

use super::days::ClosedDay;
use super::fault::StoreError;
use super::jobs::Job;
use super::keys::Keys;
use super::progress::{Progress, Subject};
use super::visits::Visit;
use super::{days, items, jobs, journal_search, lanes, member_find, members, sales, stock, visits};
use crate::domain::command::Pin;
use crate::domain::item::Item;
use crate::domain::lane::LaneState;
use crate::domain::member::Member;
use crate::domain::number::DocNo;
use crate::domain::quantity::Quantity;
use crate::domain::refusal::Refusal;
use crate::domain::register::{ItemFound, Lookup, PinVerdict, StoredSale};
use crate::domain::settings::Settings;

/// A view on the store. Clones see the same one; any thread may hold one.
#[derive(Clone)]
pub struct StoreReader {
    pub(super) db: Arc<Database>,
    pub(super) keys: Arc<Keys>,
    pub(super) progress: Arc<Progress>,
}

impl StoreReader {
    fn read(&self, subject: Subject) -> Result<ReadTransaction, StoreError> {
        self.progress.wait(subject)?;
        Ok(self.db.begin_read()?)
    }

    /// Returns once the own lane's entry is in the projections.
    pub fn wait_folded(&self, seq: u64) -> Result<(), StoreError> {
        self.progress.wait_for(seq)
    }

    /// The same, for an import: `watch` hears how many of its rows have been sorted in.
    pub fn wait_sorted_in(&self, seq: u64, watch: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        self.progress.wait_watching(seq, watch)
    }

    pub fn settings(&self) -> Result<Settings, StoreError> {
        lanes::settings(&self.db.begin_read()?)
    }

    pub fn lane(&self, lane: u8) -> Result<Option<LaneState>, StoreError> {
        Ok(lanes::states(&self.db.begin_read()?)?.remove(&lane))
    }

    /// Returns how many members a text finds in all, and one page of them, best first.
    pub fn search_members(
        &self,
        text: &str,
        offset: usize,
        limit: usize,
    ) -> Result<(usize, Vec<Member>), StoreError> {
        member_find::paged(&self.read(Subject::Sales)?, text, offset, limit)
    }

    /// Returns a member's newest visits, newest first.
    pub fn visits(&self, member: &str, limit: usize) -> Result<Vec<Visit>, StoreError> {
        visits::newest(&self.read(Subject::Sales)?, member, limit)
    }

    /// Returns what should be on the shelf; `None` when the item was never counted or sold.
    pub fn stock(&self, code: &str) -> Result<Option<Quantity>, StoreError> {
        stock::of(&self.read(Subject::Sales)?, code)
    }

    /// Returns the closed days of the business dates (days from the common era), oldest first.
    pub fn days(&self, from: i32, to: i32) -> Result<Vec<ClosedDay>, StoreError> {
        days::between(&self.db.begin_read()?, from, to)
    }

    /// Calls `each` with every sale of the business dates, oldest first; training left out.
    pub fn each_sale(
        &self,
        from: i32,
        to: i32,
        each: impl FnMut(StoredSale) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        sales::between(&self.read(Subject::Sales)?, from, to, each)
    }

    /// Calls `each` with every item, in the order of the codes.
    pub fn each_item(
        &self,
        each: impl FnMut(Item) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        items::each(&self.read(Subject::Items)?, each)
    }

    /// Calls `each` with every member that was not erased.
    pub fn each_member(
        &self,
        each: impl FnMut(Member) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        members::each(&self.read(Subject::Sales)?, each)
    }

    /// Returns the papers that no printer has confirmed, in the order they were asked for.
    pub fn waiting_jobs(&self) -> Result<Vec<Job>, StoreError> {
        jobs::waiting(&self.read(Subject::Sales)?)
    }

    /// Returns one page of the sales that a query finds, newest first.
    pub fn search(
        &self,
        query: &journal_search::Query,
        offset: usize,
        limit: usize,
    ) -> Result<journal_search::Page, StoreError> {
        journal_search::search(&self.read(Subject::Sales)?, query, offset, limit)
    }
}

impl Lookup for StoreReader {
    fn item(&self, code: &str) -> Result<Option<ItemFound>, Refusal> {
        Ok(items::by_code(&self.read(Subject::Items)?, code)?)
    }

    fn find_items(&self, text: &str, limit: usize) -> Result<Vec<Item>, Refusal> {
        Ok(items::find(&self.read(Subject::Items)?, text, limit)?)
    }

    fn member(&self, code: &str) -> Result<Option<Member>, Refusal> {
        Ok(members::by_code(&self.read(Subject::Sales)?, code)?)
    }

    fn find_members(&self, text: &str, limit: usize) -> Result<Vec<Member>, Refusal> {
        Ok(member_find::quick(&self.read(Subject::Sales)?, text, limit)?)
    }

    fn member_code_used(&self, code: &str) -> Result<bool, Refusal> {
        Ok(members::code_used(&self.read(Subject::Sales)?, code)?)
    }

    fn next_member_number(&self, lane: u8) -> Result<u32, Refusal> {
        Ok(members::next_number(&self.read(Subject::Sales)?, lane)?)
    }

    fn sale(&self, receipt: DocNo) -> Result<Option<StoredSale>, Refusal> {
        Ok(sales::by_number(&self.read(Subject::Sales)?, receipt)?)
    }

    fn pin(&self, staff: u32, pin: Option<&Pin>) -> Result<PinVerdict, Refusal> {
        Ok(self.keys.check_pin(staff, pin)?)
    }
}
