//! How far the fold has come, for those who must see what they have just done.
//!
//! Room: store. May touch: std's locks. May not: clock.
//! Invariant: nobody waits for ever: a fold that failed answers, too.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::fault::StoreError;
use crate::domain::entry::Kind;

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

    /// Returns once everything that changed `subject` is folded.
    pub fn wait(&self, subject: Subject) -> Result<(), StoreError> {
        let seq = self.state().changed[subject as usize];
        self.wait_for(seq)
    }
}
