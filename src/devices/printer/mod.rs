//! The receipt printer: jobs in, their ends out.
//!
//! Room: devices. May touch: one printer, by its address. May not: decide what is printed, or
//! print anything a second time.
//! Invariant: a job ends "printed" only when the printer says so; write-only printers end
//! "probably", and say it.

pub mod address;
pub mod dialogue;
pub mod folder;
pub mod link;
pub mod sii;
pub mod star;
pub mod status;
pub mod thread;
pub mod tongue;
pub mod usb;

#[cfg(test)]
mod faults;
#[cfg(test)]
mod own_peers;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod soft_printer;

use std::path::PathBuf;

pub use address::{Address, AddressError, Flow, SerialLine};
pub use status::Trouble;
pub use thread::{PrinterHandle, Submitted, start};

/// One thing to send to a printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The caller's number; it comes back in every event.
    pub id: u64,
    /// Name of its file on a `file:` printer, such as `receipt-01-000123`.
    pub name: String,
    pub bytes: Vec<u8>,
    pub kind: JobKind,
}

/// What becomes of a job that cannot be sent at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobKind {
    /// Waits for the printer as long as it takes.
    Paper,
    /// A pulse: sent within seconds or not at all. `real_time` opens the drawer of a printer
    /// that waits for paper, where it has such a form (`render::Pulse`).
    Drawer { real_time: Option<Vec<u8>> },
}

/// How a job's end is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The printer named the job as done.
    ProcessId,
    /// The printer answered after the last byte, and its state stayed clean.
    Status,
    /// Everything was sent to a printer that never answers, or to a drawer.
    Probably,
    /// A file was written and synced, or the screen has it.
    Kept,
}

/// What a printer thread tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterEvent {
    /// The printer can print.
    Ready,
    /// It cannot, for this reason; jobs wait.
    Trouble(Trouble),
    /// The next byte is the job's first: from here on it may have been printed.
    FirstByte { job: u64 },
    /// The job is printed; after `Uncertain`, it was printed after all.
    Done { job: u64, proof: Proof },
    /// The link or the printer's memory was lost after this many bytes: nobody knows.
    Uncertain { job: u64, sent: usize },
    /// Nothing of the job was sent, and it will not be.
    NotSent { job: u64, trouble: Trouble },
    /// A `file:` printer keeps the job here.
    Saved { job: u64, path: PathBuf },
    /// The drawer's sensor.
    DrawerSensor { open: bool },
}
