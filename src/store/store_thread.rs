//! The store thread: it owns folding, behind whoever appends.
//!
//! Room: store. May touch: one thread and one bounded channel.
//! Invariant: entries are folded in the order they were appended; at idle everything is made durable, and
//! after a Z checked; an idle thread sleeps.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::ahead::Arriving;
use super::fault::StoreError;
use super::folding::{Folder, Step};
use super::full_check::{self, Verdict};
use super::mending::{Mending, Trust};
use super::progress::Progress;
use crate::domain::entry::Kind;

/// Entries that may wait to be folded; past it who appends waits a moment.
const MOST_WAITING: usize = 4096;
/// Entries folded in one transaction when many wait.
const MOST_AT_ONCE: usize = 64;
/// Quiet after which what was folded is made durable.
const IDLE: Duration = Duration::from_secs(1);

/// What a reader waits for the store to be made anew; past it the reader says why in words.
const PATIENCE: Duration = Duration::from_millis(80);

enum Order {
    Fold(Box<Step>),
    /// The rows of an import that is being read: its entries come next.
    SortInAhead(Box<Arriving>),
    /// They do not come, or not all.
    LetGo,
    Settle(Sender<Result<(), StoreError>>),
    /// A reader found something wrong after so many mends.
    Mend(Trust, u64, Sender<bool>),
    End,
}

/// Hands entries to the store thread. Clones hand to the same one.
#[derive(Clone)]
pub struct FoldSender(Sender<Order>);

impl std::fmt::Debug for FoldSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FoldSender")
    }
}

impl FoldSender {
    /// Gives an entry to be folded; waits a moment only when very many wait already.
    pub fn fold(&self, step: Step) {
        // After the end of the thread the entry is folded at the next start.
        let _ = self.0.send(Order::Fold(Box::new(step)));
    }

    /// Has the rows of an import sorted in as they arrive.
    pub fn sort_in_ahead(&self, arriving: Arriving) {
        let _ = self.0.send(Order::SortInAhead(Box::new(arriving))); // As above.
    }

    /// Says that not all entries of such an import come.
    pub fn let_go(&self) {
        let _ = self.0.send(Order::LetGo);
    }

    /// Has the store made anew, unless it was since `mends`; returns whether it is by now.
    pub(super) fn mend(&self, trust: Trust, mends: u64) -> bool {
        let (answer, answered) = bounded(1);
        let _ = self.0.send(Order::Mend(trust, mends, answer)); // A gone thread does not answer.
        answered.recv_timeout(PATIENCE).unwrap_or(false)
    }
}

/// The thread itself; dropping it ends it, settled.
pub struct StoreThread {
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

impl StoreThread {
    pub fn start(
        folder: Folder,
        mending: Mending,
        progress: Arc<Progress>,
    ) -> Result<Self, StoreError> {
        let (orders, inbox) = bounded(MOST_WAITING);
        let worker = Worker {
            folder: Some(folder.telling(progress.clone())),
            mending,
            progress,
            trust: Trust::WhatIsWhole,
            check_due: false,
        };
        let thread =
            thread::Builder::new().name("store".to_owned()).spawn(move || worker.run(&inbox))?;
        Ok(Self { orders, thread: Some(thread) })
    }

    pub fn sender(&self) -> FoldSender {
        FoldSender(self.orders.clone())
    }

    /// Returns once everything sent before is folded and durable.
    pub fn settle(&self) -> Result<(), StoreError> {
        let (answer, answered) = bounded(1);
        let _ = self.orders.send(Order::Settle(answer)); // A gone thread does not answer.
        answered.recv().unwrap_or_else(|_| Err(StoreError::Journal("store thread".to_owned())))
    }
}

impl Drop for StoreThread {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::End); // It may have ended by itself.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // A panic there has been told by the panic hook.
        }
    }
}

/// The fold on its thread.
struct Worker {
    /// Absent after a failure, until the store is made anew.
    folder: Option<Folder>,
    mending: Mending,
    progress: Arc<Progress>,
    trust: Trust,
    /// A Z was folded, and the whole file not read since.
    check_due: bool,
}

impl Worker {
    fn run(mut self, inbox: &Receiver<Order>) {
        while let Some(order) = self.next(inbox) {
            let other = match order {
                Order::Fold(first) => self.take(inbox, *first),
                other => Some(other),
            };
            match other {
                Some(Order::Settle(reply)) => {
                    let settled = self.settle();
                    let _ = reply.send(settled); // Who asked may have gone.
                }
                Some(Order::Mend(trust, mends, reply)) => {
                    let _ = reply.send(self.mend(trust, mends));
                }
                Some(Order::SortInAhead(arriving)) => {
                    self.let_go();
                    // After a failure the entries bring the rows.
                    let _ = self.with_folder(|folder| folder.sort_in_ahead(&arriving));
                }
                Some(Order::LetGo) => self.let_go(),
                Some(Order::End) => break,
                Some(Order::Fold(_)) | None => {}
            }
        }
        if self.folder.is_some() {
            let _ = self.settle(); // What fails here is folded again at the next start.
        }
    }

    /// Waits for an order; in a quiet moment everything is made durable, and checked after a Z.
    fn next(&mut self, inbox: &Receiver<Order>) -> Option<Order> {
        while self.check_due || self.folder.as_ref().is_some_and(Folder::is_unsettled) {
            match inbox.recv_timeout(IDLE) {
                Ok(order) => return Some(order),
                Err(RecvTimeoutError::Timeout) => self.use_quiet(inbox),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        inbox.recv().ok()
    }

    fn use_quiet(&mut self, inbox: &Receiver<Order>) {
        if self.settle().is_err() || !self.check_due {
            self.check_due = false; // What failed was told, and is made anew with the next order.
            return;
        }
        let waiting = inbox.clone();
        let Mending { history, path, .. } = &self.mending;
        let verdict = full_check::check(&*history.files, path, move || waiting.is_empty());
        self.check_due = verdict == Verdict::CalledOff;
        if verdict == Verdict::Unsound {
            self.trust = Trust::Nothing;
            self.folder = None;
            let _ = self.make_anew(); // As in `let_go`.
        }
    }

    /// Folds an entry and those that wait behind it; returns the other order that stood behind them.
    fn take(&mut self, inbox: &Receiver<Order>, first: Step) -> Option<Order> {
        let mut steps = vec![first];
        let mut other = None;
        while steps.len() < MOST_AT_ONCE && other.is_none() {
            match inbox.try_recv() {
                Ok(Order::Fold(step)) => steps.push(*step),
                Ok(order) => other = Some(order),
                Err(_) => break,
            }
        }
        let last = steps.last().map_or(0, |step| step.entry.header.seq);
        let closes = steps.iter().any(|step| matches!(step.entry.kind, Kind::ZClosed(_)));
        let sorts_in =
            steps.iter().any(|step| matches!(step.entry.kind, Kind::ImportClosed { .. }));
        if sorts_in {
            self.progress.sorting(true);
        }
        if self.folder.as_ref().is_some_and(|folder| folder.is_overtaken_by(&steps)) {
            self.let_go();
        }
        let folded = self.with_folder(|folder| {
            folder.fold(&steps)?;
            if closes { folder.settle() } else { Ok(()) }
        });
        self.check_due |= closes && folded.is_ok();
        if folded.is_ok() && !self.folder.as_ref().is_some_and(Folder::is_ahead) {
            self.progress.folded(last);
        }
        if sorts_in {
            self.progress.sorting(false);
        }
        other
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        self.let_go();
        self.with_folder(Folder::settle)
    }

    /// Makes the store anew from the journal when rows stand in it that the journal does not bring.
    fn let_go(&mut self) {
        if self.folder.as_ref().is_some_and(Folder::is_ahead) {
            self.trust = Trust::Nothing;
            self.folder = None;
            let _ = self.make_anew(); // What fails here fails again, and is told, with what comes next.
        }
    }

    /// Acts on the folder, made anew first where it had failed: the cause may be gone by now.
    fn with_folder(
        &mut self,
        act: impl FnOnce(&mut Folder) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if self.folder.is_none() {
            self.make_anew()?;
        }
        let done = self.folder.as_mut().map_or(Ok(()), act);
        if let Err(error) = &done {
            self.fail(error);
        }
        done
    }

    fn fail(&mut self, error: &StoreError) {
        self.trust = Trust::after(error);
        self.folder = None;
        self.progress.failed(error);
    }

    /// Makes the store anew for a reader, unless that was done since it looked.
    fn mend(&mut self, trust: Trust, mends: u64) -> bool {
        if self.folder.is_some() {
            if self.progress.mends() > mends {
                return true;
            }
            self.trust = trust;
            self.folder = None;
        }
        self.make_anew().is_ok()
    }

    fn make_anew(&mut self) -> Result<(), StoreError> {
        match self.mending.mend(self.trust) {
            Ok(folder) => {
                let seq = folder.folded(self.mending.lane).map_or(0, |last| last.seq);
                self.folder = Some(folder.telling(self.progress.clone()));
                self.progress.mended(seq);
                Ok(())
            }
            Err(error) => {
                self.progress.failed(&error);
                Err(error)
            }
        }
    }
}
