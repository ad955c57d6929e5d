//! Reading the projections: what the register looks up, and what screens and reports ask for.
//!
//! Room: store. May touch: the store's database, to read.
//! Invariant: a read transaction lives for one question: take it, copy, drop (an old one pins pages).

use std::sync::Arc;

use redb::{ReadTransaction, ReadableTableMetadata};

use super::days::ClosedDay;
use super::fault::StoreError;
use super::jobs::Job;
use super::keys::Keys;
use super::mending::Trust;
use super::progress::{Progress, Subject};
use super::shelf::Shelf;
use super::store_thread::FoldSender;
use super::tables::{ITEMS, MEMBERS};
use super::visits::Visit;
use super::{
    days, items, jobs, journal_search, lanes, member_find, members, sales, stock, tax_free, visits,
};
use crate::domain::command::Pin;
use crate::domain::item::Item;
use crate::domain::lane::LaneState;
use crate::domain::member::Member;
use crate::domain::number::DocNo;
use crate::domain::quantity::Quantity;
use crate::domain::refusal::Refusal;
use crate::domain::register::{ItemFound, Lookup, PinVerdict, StoredSale};
use crate::domain::settings::Settings;
use crate::domain::tax_free::Kept;

/// A view on the store. Clones see the same one; any thread may hold one.
#[derive(Clone)]
pub struct StoreReader {
    pub(super) db: Arc<Shelf>,
    pub(super) keys: Arc<Keys>,
    pub(super) progress: Arc<Progress>,
    pub(super) store: FoldSender,
}

impl StoreReader {
    /// Begins to read for somebody who has time.
    fn read(&self, subject: Subject) -> Result<ReadTransaction, StoreError> {
        self.progress.wait(subject)?;
        self.db.begin_read()
    }

    /// Begins to read for somebody at the counter.
    fn read_soon(&self, subject: Subject) -> Result<ReadTransaction, StoreError> {
        self.progress.wait_a_moment(subject)?;
        self.db.begin_read()
    }

    /// Whether an import is being sorted in: whoever settles the store now waits for it.
    pub fn is_sorting_in(&self) -> bool {
        self.progress.is_sorting()
    }

    /// Asks a question; when the store is not what was folded, it is made anew and asked again.
    fn ask<T>(
        &self,
        subject: Subject,
        question: impl Fn(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mends = self.progress.mends();
        match self.read_soon(subject).and_then(|txn| question(&txn)) {
            Err(error) if self.is_mended(&error, mends) => question(&self.read_soon(subject)?),
            answer => answer,
        }
    }

    fn is_mended(&self, error: &StoreError, mends: u64) -> bool {
        error.is_of_projections() && self.store.mend(Trust::after(error), mends)
    }

    /// Asks for many rows; when the store is not what was folded, the next one who asks finds it mended.
    fn ask_once<T>(
        &self,
        subject: Subject,
        question: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mends = self.progress.mends();
        let answer = self.read(subject).and_then(|txn| question(&txn));
        if let Err(error) = &answer {
            self.is_mended(error, mends);
        }
        answer
    }

    /// Returns once the own lane's entry is in the projections.
    pub fn wait_folded(&self, seq: u64) -> Result<(), StoreError> {
        self.progress.wait_for(seq)
    }

    /// How many rows of imports have been sorted in since the start.
    pub fn rows_sorted_in(&self) -> u64 {
        self.progress.rows_sorted_in()
    }

    /// The same, for an import: `watch` hears how many rows have been sorted in since the start.
    pub fn wait_sorted_in(&self, seq: u64, watch: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        self.progress.wait_watching(seq, watch)
    }

    pub fn settings(&self) -> Result<Settings, StoreError> {
        self.ask(Subject::AsItIs, lanes::settings)
    }

    pub fn lane(&self, lane: u8) -> Result<Option<LaneState>, StoreError> {
        self.ask(Subject::AsItIs, |txn| Ok(lanes::states(txn)?.remove(&lane)))
    }

    /// Returns how many members a text finds in all, and one page of them, best first.
    pub fn search_members(
        &self,
        text: &str,
        offset: usize,
        limit: usize,
    ) -> Result<(usize, Vec<Member>), StoreError> {
        self.ask(Subject::Sales, |txn| member_find::paged(txn, text, offset, limit))
    }

    /// Returns a member's newest visits, newest first.
    pub fn visits(&self, member: &str, limit: usize) -> Result<Vec<Visit>, StoreError> {
        self.ask(Subject::Sales, |txn| visits::newest(txn, member, limit))
    }

    /// Returns what should be on the shelf; `None` when the item was never counted or sold.
    pub fn stock(&self, code: &str) -> Result<Option<Quantity>, StoreError> {
        self.ask(Subject::Sales, |txn| stock::of(txn, code))
    }

    /// Returns the closed days of the business dates (days from the common era), oldest first.
    pub fn days(&self, from: i32, to: i32) -> Result<Vec<ClosedDay>, StoreError> {
        self.ask(Subject::AsItIs, |txn| days::between(txn, from, to))
    }

    /// Calls `each` with every sale of the business dates, oldest first; training left out.
    pub fn each_sale(
        &self,
        from: i32,
        to: i32,
        each: impl FnMut(StoredSale) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.ask_once(Subject::Sales, |txn| sales::between(txn, from, to, each))
    }

    /// Returns whether there is any item.
    pub fn has_items(&self) -> Result<bool, StoreError> {
        self.ask(Subject::Items, |txn| Ok(!txn.open_table(ITEMS)?.is_empty()?))
    }

    /// Calls `each` with every item, in the order of the codes.
    pub fn each_item(
        &self,
        each: impl FnMut(Item) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.ask_once(Subject::Items, |txn| items::each(txn, each))
    }

    /// Returns how many members there are, or were before they were erased.
    pub fn count_members(&self) -> Result<u64, StoreError> {
        self.ask(Subject::Sales, |txn| Ok(txn.open_table(MEMBERS)?.len()?))
    }

    /// Calls `each` with every member that was not erased.
    pub fn each_member(
        &self,
        each: impl FnMut(Member) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.ask_once(Subject::Sales, |txn| members::each(txn, each))
    }

    /// Returns the papers that no printer has confirmed, in the order they were asked for.
    pub fn waiting_jobs(&self) -> Result<Vec<Job>, StoreError> {
        self.ask(Subject::Sales, jobs::waiting)
    }

    /// Returns the purchase records of tax-free sales, oldest first.
    pub fn tax_free_records(&self) -> Result<Vec<Kept>, StoreError> {
        self.ask(Subject::Sales, tax_free::all)
    }

    /// Returns one page of the sales that a query finds, newest first.
    pub fn search(
        &self,
        query: &journal_search::Query,
        offset: usize,
        limit: usize,
    ) -> Result<journal_search::Page, StoreError> {
        self.ask(Subject::Sales, |txn| journal_search::search(txn, query, offset, limit))
    }
}

impl Lookup for StoreReader {
    fn item(&self, code: &str) -> Result<Option<ItemFound>, Refusal> {
        Ok(self.ask(Subject::Items, |txn| items::by_code(txn, code))?)
    }

    fn find_items(&self, text: &str, limit: usize) -> Result<Vec<Item>, Refusal> {
        Ok(self.ask(Subject::Items, |txn| items::find(txn, text, limit))?)
    }

    fn member(&self, code: &str) -> Result<Option<Member>, Refusal> {
        Ok(self.ask(Subject::Sales, |txn| members::by_code(txn, code))?)
    }

    fn find_members(&self, text: &str, limit: usize) -> Result<Vec<Member>, Refusal> {
        Ok(self.ask(Subject::Sales, |txn| member_find::quick(txn, text, limit))?)
    }

    fn member_code_used(&self, code: &str) -> Result<bool, Refusal> {
        Ok(self.ask(Subject::Sales, |txn| members::code_used(txn, code))?)
    }

    fn next_member_number(&self, lane: u8) -> Result<u32, Refusal> {
        Ok(self.ask(Subject::Sales, |txn| members::next_number(txn, lane))?)
    }

    fn sale(&self, receipt: DocNo) -> Result<Option<StoredSale>, Refusal> {
        Ok(self.ask(Subject::Sales, |txn| sales::by_number(txn, receipt))?)
    }

    fn sale_of_formal(&self, number: DocNo) -> Result<Option<StoredSale>, Refusal> {
        Ok(self.ask(Subject::Sales, |txn| sales::by_formal(txn, number))?)
    }

    fn tax_free_record(&self, number: DocNo) -> Result<Option<Kept>, Refusal> {
        Ok(self.ask(Subject::Sales, |txn| tax_free::by_number(txn, number))?)
    }

    fn tax_free_of(&self, receipt: DocNo) -> Result<Vec<Kept>, Refusal> {
        Ok(self.ask(Subject::Sales, |txn| tax_free::of_receipt(txn, receipt))?)
    }

    fn pin(&self, staff: u32, pin: Option<&Pin>) -> Result<PinVerdict, Refusal> {
        Ok(self.keys.check_pin(staff, pin)?)
    }
}
