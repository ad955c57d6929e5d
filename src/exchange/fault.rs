//! What is wrong with a file: where, and which sentence says so.
//!
//! Room: exchange. May touch: std.
//! Invariant: a report stays small however bad the file is.

use crate::domain::refusal::{Refusal, RefusalCode};

/// Faults and notices a report keeps; the rest are counted.
pub const MOST_KEPT: usize = 100;

/// A fault in one place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line of the file on which the row begins, from 1 (the header); 0 for the file as a whole.
    pub row: u64,
    /// Name of the column, or empty.
    pub column: String,
    pub refusal: Refusal,
}

impl Fault {
    pub fn new(row: u64, column: impl Into<String>, refusal: Refusal) -> Self {
        Self { row, column: column.into(), refusal }
    }

    /// A fault whose sentence is one of this room's own.
    pub fn saying(row: u64, column: impl Into<String>, sentence: &'static str) -> Self {
        Self::new(row, column, Refusal::new(RefusalCode::BadArgument).saying(sentence))
    }
}

/// What a dry run found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows read, good or not, without the header and blank lines.
    pub rows: u64,
    pub good: u64,
    /// The first of the faults, in the order of the file.
    pub faults: Vec<Fault>,
    pub fault_count: u64,
    /// What was read all the same but should be looked at: signs that could not be decoded.
    pub notices: Vec<Fault>,
    pub notice_count: u64,
    /// Headers that no column of regi answers to.
    pub unknown_columns: Vec<String>,
    /// Whether reading ended before the file did.
    pub stopped: bool,
}

impl Report {
    /// A fault of the header that every row meets is one.
    pub fn fault(&mut self, fault: Fault) {
        if fault.row == 1 && self.faults.contains(&fault) {
            return;
        }
        self.fault_count += 1;
        if self.faults.len() < MOST_KEPT {
            self.faults.push(fault);
        }
    }

    pub fn notice(&mut self, notice: Fault) {
        self.notice_count += 1;
        if self.notices.len() < MOST_KEPT {
            self.notices.push(notice);
        }
    }

    /// Returns whether every row may go in.
    pub fn is_clean(&self) -> bool {
        self.fault_count == 0 && !self.stopped
    }
}
