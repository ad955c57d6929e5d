//! Work for several tables done side by side.
//!
//! Room: store. May touch: threads.
//! Invariant: every piece is done, or has failed, when `abreast` returns; no two touch one table.

use std::thread;

use super::fault::StoreError;

/// Rows from which a piece of work is worth a thread of its own.
const WORTH_A_THREAD: usize = 1 << 13;

/// Work on one table: about how many rows, and what to do.
pub struct Work<'a> {
    rows: usize,
    act: Box<dyn FnOnce() -> Result<(), StoreError> + Send + 'a>,
}

impl<'a> Work<'a> {
    pub fn new(rows: usize, act: impl FnOnce() -> Result<(), StoreError> + Send + 'a) -> Self {
        Self { rows, act: Box::new(act) }
    }
}

/// Does each piece, the long ones beside each other. The first that failed is told.
pub fn abreast<'a>(work: impl IntoIterator<Item = Work<'a>>) -> Result<(), StoreError> {
    thread::scope(|scope| {
        let mut threads = Vec::new();
        let mut done = Ok(());
        for Work { rows, act } in work {
            match rows < WORTH_A_THREAD {
                true => done = done.and_then(|()| act()),
                false => threads.push(scope.spawn(act)),
            }
        }
        let died = |_| Err(StoreError::Journal("a thread that writes tables".to_owned()));
        threads.into_iter().fold(done, |done, thread| done.and(thread.join().unwrap_or_else(died)))
    })
}
