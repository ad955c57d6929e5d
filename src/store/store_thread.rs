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
}

/// Sends entries to the store thread; dropping it ends the thread, settled.
pub struct StoreThread {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl StoreThread {
    pub fn start(folder: Folder, progress: Arc<Progress>) -> Result<Self, StoreError> {
        let (orders, inbox) = bounded(MOST_WAITING);
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || run(folder, &inbox, &progress))?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    fn send(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The thread ends only when this sender is gone; after a failed fold it drains.
            let _ = orders.send(order);
        }
    }

    pub fn fold(&self, step: Step) {
        self.send(Order::Fold(Box::new(step)));
    }

    /// Returns once everything sent before is folded and durable.
    pub fn settle(&self) -> Result<(), StoreError> {
        let (answer, answered) = bounded(1);
        self.send(Order::Settle(answer));
        answered.recv().unwrap_or_else(|_| Err(StoreError::Journal("store thread".to_owned())))
    }
}

impl Drop for StoreThread {
    fn drop(&mut self) {
        self.orders = None;
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
            Order::Fold(first) => {
                let settle = take(&mut folder, inbox, *first, &mut failed, progress);
                answer(&mut folder, settle, &mut failed, progress);
            }
            Order::Settle(reply) => answer(&mut folder, Some(reply), &mut failed, progress),
        }
    }
    if failed.is_none() {
        note(folder.settle(), &mut failed, progress);
    }
}

/// Folds an entry and those that wait behind it; returns who asked for a settling meanwhile.
fn take(
    folder: &mut Folder,
    inbox: &Receiver<Order>,
    first: Step,
    failed: &mut Option<String>,
    progress: &Progress,
) -> Option<Sender<Result<(), StoreError>>> {
    let mut steps = vec![first];
    let mut settle = None;
    while steps.len() < MOST_AT_ONCE && settle.is_none() {
        match inbox.try_recv() {
            Ok(Order::Fold(step)) => steps.push(*step),
            Ok(Order::Settle(reply)) => settle = Some(reply),
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
    settle
}

fn answer(
    folder: &mut Folder,
    reply: Option<Sender<Result<(), StoreError>>>,
    failed: &mut Option<String>,
    progress: &Progress,
) {
    let Some(reply) = reply else { return };
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
