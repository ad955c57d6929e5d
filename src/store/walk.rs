//! Walking along the records of one segment, proving each.
//!
//! Room: store. May touch: the one file it is handed. May not: write.
//! Invariant: a step is given only for a record whose checksum and link both hold.

use std::io;
use std::sync::Arc;

use super::chain::Head;
use super::files::{DiskFile, read_full};
use super::record::{self, Frame, Unfit};

/// Bytes read ahead at a time.
const CHUNK: u64 = 256 * 1024;

/// One proved record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Where the record begins, in bytes.
    pub offset: u64,
    pub frame: Frame,
    /// The chain before and after it.
    pub before: Head,
    pub head: Head,
}

impl Step {
    /// Returns the offset behind the record.
    pub fn end(&self) -> u64 {
        self.offset + self.frame.len() as u64
    }
}

/// Why a walk ends early.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    #[error("no record of this chain: {0:?}")]
    Unfit(Unfit),
    #[error("reading a segment: {0}")]
    Io(#[from] io::Error),
}

/// A walk from a known place of the chain to `end`, holding one window of the file.
#[derive(Debug)]
pub struct Walk {
    file: Arc<dyn DiskFile>,
    offset: u64,
    end: u64,
    head: Head,
    window: Vec<u8>,
    window_at: u64,
}

impl Walk {
    /// Begins at `offset`, where the record after `head` stands.
    pub fn new(file: Arc<dyn DiskFile>, offset: u64, head: Head, end: u64) -> Self {
        Self { file, offset, end, head, window: Vec::new(), window_at: offset }
    }

    /// Returns the chain so far.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Returns the offset of the next record.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Steps to the next record, or returns `None` at the end. After an error it stays in place.
    pub fn step(&mut self) -> Result<Option<Step>, WalkError> {
        if self.offset >= self.end {
            return Ok(None);
        }
        let len = record::announced(self.ahead(4)?).map_err(WalkError::Unfit)?;
        let before = self.head;
        let (frame, head) = record::follow(before, self.ahead(len)?).map_err(WalkError::Unfit)?;
        let step = Step { offset: self.offset, frame, before, head };
        self.offset = step.end();
        self.head = head;
        Ok(Some(step))
    }

    /// Forgets what was read ahead: it may be older than what a register has written meanwhile.
    pub fn look_again(&mut self) {
        self.window.clear();
        self.window_at = self.offset;
    }

    /// Returns the body of the last step.
    pub fn body(&self, step: &Step) -> &[u8] {
        step.frame.body(&self.window[window_place(step.offset, self.window_at)..])
    }

    /// Returns the bytes from here on, at least `wanted` of them unless the end comes first.
    fn ahead(&mut self, wanted: usize) -> io::Result<&[u8]> {
        let left = self.end - self.offset;
        let from = window_place(self.offset, self.window_at);
        let held = (self.window.len() - from) as u64;
        if held < left.min(wanted as u64) {
            let len = left.min(CHUNK.max(wanted as u64));
            self.window.resize(usize::try_from(len).expect("a window is small"), 0);
            self.window_at = self.offset;
            if let Err(e) = read_full(&*self.file, self.offset, &mut self.window) {
                self.window.clear(); // What was half read must not pass for the file.
                return Err(e);
            }
        }
        Ok(&self.window[window_place(self.offset, self.window_at)..])
    }
}

fn window_place(offset: u64, window_at: u64) -> usize {
    usize::try_from(offset - window_at).expect("a window is small")
}
