//! Scanners: key positions, bytes or typed bursts in, codes out.
//!
//! Room: devices. May touch: input devices it is told to match, one serial line. May not: know
//! what a code means, or pass on anything that is not one.
//! Invariant: a scan is at most `LONGEST_SCAN` allowed characters, whole, or it is dropped in
//! words.

pub mod access;
pub mod decoder;
mod finder;
pub mod keys;
pub mod learn;
pub mod matching;
pub mod serial_source;
pub mod source;
pub mod test_label;
pub mod wedge;

pub use decoder::{Reject, ScanDecoder, Signs};
pub use keys::Layout;
pub use learn::{Learned, Places, learn};
pub use matching::{Identity, ScannerMatch};
pub use serial_source::listen_serial;
pub use source::{ScannerEvent, ScannerHandle, connected, listen, unreadable};
pub use test_label::TestVerdict;
pub use wedge::{Wedge, WedgeKey, WedgeReader};

/// Longest scan taken; real codes are shorter (reliability.md 8, row 25).
pub const LONGEST_SCAN: usize = 80;
