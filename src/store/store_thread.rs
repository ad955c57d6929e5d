//! The store thread: it owns folding, behind whoever appends.
//!
//! Room: store. May touch: one thread and one bounded channel.
//! Invariant: entries are folded in the order they were appended; at idle everything is made durable;
//! an idle thread sleeps.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::fault::StoreError;
use super::folding::{Folder, Step};
use super::progress::Progress;
use crate::domain::entry::Kind;

/// Entries that may wait to be folded; past it who appends waits a moment.
const MOST_WAITING: usize = 1024;
/// Entries folded in one transaction when many wait.
const MOST_AT_ONCE: usize = 64;
/// Quiet after which what was folded is made durable.
const IDLE: Duration = Duration::from_secs(1);

enum Order {
    Fold(Box<Step>),
    Settle(Sender<Result<(), StoreError>>),
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
}

/// The thread itself; dropping it ends it, settled.
pub struct StoreThread {
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

impl StoreThread {
    pub fn start(folder: Folder, progress: Arc<Progress>) -> Result<Self, StoreError> {
        let (orders, inbox) = bounded(MOST_WAITING);
        let folder = folder.telling(progress.clone());
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || run(folder, &inbox, &progress))?;
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

fn run(mut folder: Folder, inbox: &Receiver<Order>, progress: &Progress) {
    let mut failed = None;
    loop {
        let order = if folder.is_unsettled() && failed.is_none() {
            match inbox.recv_timeout(IDLE) {
                Ok(order) => order,
                Err(RecvTimeoutError::Timeout) => {
                    note(folder.settle(), &mut failed, progress);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        } else {
            let Ok(order) = inbox.recv() else { break };
            order
        };
        match order {
            Order::Fold(_) if failed.is_some() => {}
            Order::Fold(first) => match take(&mut folder, inbox, *first, &mut failed, progress) {
                Some(Order::Settle(reply)) => {
                    answer(&mut folder, reply, &mut failed, progress);
                }
                Some(Order::End) => break,
                Some(Order::Fold(_)) | None => {}
            },
            Order::Settle(reply) => answer(&mut folder, reply, &mut failed, progress),
            Order::End => break,
        }
    }
    if failed.is_none() {
        note(folder.settle(), &mut failed, progress);
    }
}

/// Folds an entry and those that wait behind it; returns the other order that stood behind them.
fn take(
    folder: &mut Folder,
    inbox: &Receiver<Order>,
    first: Step,
    failed: &mut Option<String>,
    progress: &Progress,
) -> Option<Order> {
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
    let mut done = folder.fold(&steps);
    if done.is_ok() && closes {
        done = folder.settle();
    }
    if done.is_ok() {
        progress.folded(last);
    }
    note(done, failed, progress);
    other
}

fn answer(
    folder: &mut Folder,
    reply: Sender<Result<(), StoreError>>,
    failed: &mut Option<String>,
    progress: &Progress,
) {
    let done = match failed {
        Some(why) => Err(StoreError::Journal(why.clone())),
        None => folder.settle(),
    };
    if let Err(error) = &done {
        failed.get_or_insert_with(|| error.to_string());
        progress.failed(error);
    }
    let _ = reply.send(done); // Who asked may have gone.
}

fn note(done: Result<(), StoreError>, failed: &mut Option<String>, progress: &Progress) {
    if let Err(error) = done {
        progress.failed(&error);
        *failed = Some(error.to_string());
    }
}
