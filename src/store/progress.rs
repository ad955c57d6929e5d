//! How far the fold has come, for those who must see what they have just done.
//!
//! Room: store. May touch: std's locks. May not: clock.
//! Invariant: nobody waits for ever: a fold that failed answers, too.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::fault::StoreError;
use crate::domain::entry::Kind;

/// What a cashier waits behind an import before being told so.
const MOMENT: Duration = Duration::from_millis(80);

/// What a reader asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Items,
    /// Members, their points, sales, jobs.
    Sales,
    /// What nobody waits for: settings, closed days.
    AsItIs,
}

impl Subject {
    /// Returns what an entry changes. The end of an import is no reason to keep a cashier waiting:
    /// who imports waits by `wait_for`.
    fn of(kind: &Kind) -> Option<Self> {
        match kind {
            Kind::ItemSet(_) => Some(Self::Items),
            Kind::SaleClosed(_)
            | Kind::ReceiptVoided { .. }
            | Kind::TenderCorrected { .. }
            | Kind::Reprinted { .. }
            | Kind::FormalReceiptIssued { .. }
            | Kind::FormalReceiptIssuedFor { .. }
            | Kind::LatePoints { .. }
            | Kind::TaxFreeRecorded(_)
            | Kind::TaxFreeToldOf { .. }
            | Kind::TaxFreeRefunded { .. }
            | Kind::Stamped { .. }
            | Kind::PrintEnded { .. }
            | Kind::SlipOrdered { .. }
            | Kind::MemberSet(_) => Some(Self::Sales),
            _ => None,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    folded: u64,
    /// The last entry that changed items, and the last that changed sales.
    changed: [u64; 3],
    /// Rows of imports that were sorted in.
    sorted_in: u64,
    /// An import is being sorted in: what was appended since waits for it.
    is_sorting: bool,
    failed: Option<String>,
    /// How often the store was made anew.
    mends: u64,
}

/// Shared between who appends, who folds and who reads. Counts the own lane's current epoch.
#[derive(Debug, Default)]
pub struct Progress {
    state: Mutex<State>,
    moved: Condvar,
}

impl Progress {
    pub fn new(folded: u64) -> Self {
        let state = State { folded, ..State::default() };
        Self { state: Mutex::new(state), moved: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an entry is in the journal.
    pub fn appended(&self, seq: u64, kind: &Kind) {
        if let Some(subject) = Subject::of(kind) {
            self.state().changed[subject as usize] = seq;
        }
    }

    pub fn folded(&self, seq: u64) {
        let mut state = self.state();
        state.folded = state.folded.max(seq);
        self.moved.notify_all();
    }

    /// Notes that so many rows of an import were sorted in.
    pub fn sorted_in(&self, rows: u64) {
        self.state().sorted_in += rows;
        self.moved.notify_all();
    }

    /// Notes that an import begins to be sorted in, or that it is.
    pub fn sorting(&self, is_sorting: bool) {
        self.state().is_sorting = is_sorting;
        self.moved.notify_all();
    }

    /// How many rows of imports were sorted in since the start.
    pub fn rows_sorted_in(&self) -> u64 {
        self.state().sorted_in
    }

    pub fn is_sorting(&self) -> bool {
        self.state().is_sorting
    }

    pub fn failed(&self, why: &StoreError) {
        self.state().failed = Some(why.to_string());
        self.moved.notify_all();
    }

    /// Notes that the store was made anew and stands at an entry.
    pub fn mended(&self, seq: u64) {
        let mut state = self.state();
        state.failed = None;
        state.mends += 1;
        state.folded = state.folded.max(seq);
        self.moved.notify_all();
    }

    /// How often the store was made anew.
    pub fn mends(&self) -> u64 {
        self.state().mends
    }

    /// Returns once the entry is folded.
    ///
    /// # Errors
    /// `Folding` with the reason when the fold has failed: it is to be mended.
    pub fn wait_for(&self, seq: u64) -> Result<(), StoreError> {
        self.wait_watching(seq, &mut |_| {})
    }

    /// The same; `watch` hears how many rows of imports have been sorted in since the start.
    pub fn wait_watching(&self, seq: u64, watch: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        let mut state = self.state();
        while state.folded < seq {
            if let Some(why) = &state.failed {
                return Err(StoreError::Folding(why.clone()));
            }
            watch(state.sorted_in);
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// The same for a cashier: behind an import nobody waits longer than a moment.
    ///
    /// # Errors
    /// `SortingIn`, or those of `wait`.
    pub fn wait_a_moment(&self, subject: Subject) -> Result<(), StoreError> {
        let mut state = self.state();
        let seq = state.changed[subject as usize];
        let waits = |state: &mut State| state.folded < seq && state.failed.is_none();
        while waits(&mut state) {
            if state.is_sorting {
                let waited = self.moved.wait_timeout_while(state, MOMENT, waits);
                let (left, end) = waited.unwrap_or_else(PoisonError::into_inner);
                if end.timed_out() {
                    return Err(StoreError::SortingIn);
                }
                state = left;
            } else {
                let begins = |state: &mut State| waits(state) && !state.is_sorting;
                let waited = self.moved.wait_while(state, begins);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            }
        }
        match &state.failed {
            Some(why) if state.folded < seq => Err(StoreError::Folding(why.clone())),
            _ => Ok(()),
        }
    }

    /// Returns once everything that changed `subject` is folded.
    pub fn wait(&self, subject: Subject) -> Result<(), StoreError> {
        let seq = self.state().changed[subject as usize];
        self.wait_for(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_an_import_a_cashier_is_told_and_whoever_has_time_waits() {
        let progress = Progress::new(4);
        progress.appended(5, &Kind::Reprinted { receipt: "01-000001".parse().unwrap(), copy: 1 });
        progress.sorting(true);
        let told = progress.wait_a_moment(Subject::Sales);
        assert!(matches!(told, Err(StoreError::SortingIn)), "{told:?}");
        assert!(progress.wait_a_moment(Subject::Items).is_ok(), "of these nothing is behind");
        std::thread::scope(|scope| {
            let patient = scope.spawn(|| progress.wait(Subject::Sales));
            progress.folded(5);
            progress.sorting(false);
            assert!(patient.join().unwrap().is_ok());
        });
        assert!(progress.wait_a_moment(Subject::Sales).is_ok());
    }
}
