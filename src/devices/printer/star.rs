//! What a printer of Star's is asked and answers (japan.md 4.4).
//!
//! Room: devices. May touch: std. May not: transports, clocks.
//! Invariant: any bytes may come in any order; garbage is dropped, and never reads as "printed".
//! Source: Star's StarPRNT and Line mode command specifications, "Appendix 2: ASB status"; `ETB`, `ESC RS E`,
//! `ESC GS ETX`.

use super::status::{Answer, PrinterState, ProcessId};

/// Asks for the state (`ESC ACK SOH`). Real time: answered even while the printer waits for paper.
pub const ASK: [u8; 3] = [0x1b, 0x06, 0x01];
/// Waits until everything before it is printed, then counts one more end (`ETB`).
pub const COUNT_ONE: u8 = 0x17;
/// Sets the count of ends to 0 (`ESC RS E 0`).
const COUNT_ANEW: [u8; 4] = [0x1b, 0x1e, b'E', 0];
/// Opens the command and its echo that name a paper (`ESC GS ETX 1`).
const NAMED: [u8; 4] = [0x1b, 0x1d, 0x03, 0x01];
/// An echo goes on with the printer's own count and a zero.
const AFTER_NAME: usize = 2;
/// Names of papers: two printable signs.
const NAMES: u64 = 95 * 95;
/// The shortest status: two heads and five bytes of state.
const SHORTEST_STATUS: usize = 7;
/// The count of ends is the eighth byte, where there is one.
const COUNT_AT: usize = 7;
/// The counts that papers end with in turn.
const COUNTS: std::ops::RangeInclusive<u8> = 2..=9;

/// A whole state, and the count of ends where the model has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StarStatus {
    pub state: PrinterState,
    /// 0 to 31.
    pub count: Option<u8>,
}

/// Returns the name by which a paper is told; names come round after 9,025 papers.
pub fn name(job: u64) -> ProcessId {
    ProcessId::of(job % NAMES)
}

/// Returns what makes the printer name the paper once it is printed: the echo of this very command.
pub fn name_when_done(id: ProcessId) -> [u8; 6] {
    let [.., high, low] = id.signs();
    let [a, b, c, d] = NAMED;
    [a, b, c, d, high, low]
}

/// Returns the count that the next paper ends with: neither that of the last one nor the one that the printer
/// shows now.
pub fn next_count(last: u8, shown: Option<u8>) -> u8 {
    let after = |count: u8| if COUNTS.contains(&(count + 1)) { count + 1 } else { *COUNTS.start() };
    let next = after(last);
    if Some(next) == shown { after(next) } else { next }
}

/// Returns what goes before a paper that ends with `count`: all ends but the last one are counted here, so that
/// a printer which lost its memory in between, and counts from 0 again, never comes to it.
pub fn count_from(count: u8) -> Vec<u8> {
    let mut bytes = COUNT_ANEW.to_vec();
    bytes.resize(bytes.len() + usize::from(count.saturating_sub(1)), COUNT_ONE);
    bytes
}

impl StarStatus {
    /// Reads a whole status of at least seven bytes.
    fn read(bytes: &[u8]) -> Self {
        let is = |at: usize, bits: u8| bytes.get(at).is_some_and(|byte| byte & bits != 0);
        let state = PrinterState {
            offline: is(2, 0x08),
            cover_open: is(2, 0x20),
            paper_out: is(5, 0x08),
            near_end: is(5, 0x04),
            fault: is(3, 0x2c) || is(4, 0x0a),
            drawer_high: Some(is(2, 0x04)),
        };
        let count = bytes.get(COUNT_AT).map(|byte| byte >> 2 & 0x18 | byte >> 1 & 0x07);
        Self { state, count }
    }
}

/// Finds answers in a stream of bytes.
#[derive(Debug, Default)]
pub struct StarParser {
    /// An answer begun: at most 33 bytes.
    begun: Vec<u8>,
    /// Bytes that still belong to the last echo.
    to_skip: usize,
}

impl StarParser {
    /// Takes the next byte; returns the answer it completes.
    pub fn push(&mut self, byte: u8) -> Option<Answer> {
        if self.to_skip > 0 {
            self.to_skip -= 1;
            return None;
        }
        match self.begun.first() {
            None => self.begin(byte),
            Some(&first) if first == NAMED[0] => self.echo(byte),
            Some(_) => self.status(byte),
        }
    }

    fn begin(&mut self, byte: u8) -> Option<Answer> {
        if byte == NAMED[0] || is_head(byte) {
            self.begun.push(byte);
        }
        None
    }

    fn echo(&mut self, byte: u8) -> Option<Answer> {
        let at = self.begun.len();
        if NAMED.get(at).is_some_and(|&named| named != byte) {
            self.begun.clear();
            return self.begin(byte);
        }
        self.begun.push(byte);
        let &[_, _, _, _, high, low] = self.begun.as_slice() else { return None };
        self.begun.clear();
        self.to_skip = AFTER_NAME;
        ProcessId::read([b' ', b' ', high, low]).map(Answer::Process)
    }

    fn status(&mut self, byte: u8) -> Option<Answer> {
        if byte & 0x11 != 0 || (byte & 0x80 != 0 && self.begun.len() > 1) {
            self.begun.clear(); // The rest never came: this begins something else.
            return self.begin(byte);
        }
        self.begun.push(byte);
        let length = whole_length(self.begun[0], self.begun[1]);
        if self.begun.len() < length {
            return None;
        }
        let status = std::mem::take(&mut self.begun);
        (length >= SHORTEST_STATUS).then(|| Answer::Star(StarStatus::read(&status)))
    }
}

/// Returns whether a status begins with `byte`: only heads have their lowest bit set.
fn is_head(byte: u8) -> bool {
    byte & 0x91 == 0x01
}

/// Returns how long a status is, by its two heads.
fn whole_length(first: u8, second: u8) -> usize {
    usize::from(first >> 2 & 0x18 | first >> 1 & 0x07) + usize::from(second >> 6 & 0x02)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::printer::Trouble;

    const WELL: [u8; 9] = [0x23, 0x06, 0, 0, 0, 0, 0, 0, 0];

    fn answers(bytes: &[u8]) -> Vec<Answer> {
        let mut parser = StarParser::default();
        bytes.iter().filter_map(|&byte| parser.push(byte)).collect()
    }

    fn status(bytes: &[u8]) -> StarStatus {
        match answers(bytes)[..] {
            [Answer::Star(status)] => status,
            ref other => panic!("{bytes:02x?}: {other:?}"),
        }
    }

    fn with(at: usize, byte: u8) -> [u8; 9] {
        let mut bytes = WELL;
        bytes[at] = byte;
        bytes
    }

    #[test]
    fn a_status_is_read_from_its_bits() {
        for (bytes, want) in [
            (WELL, None),
            (with(2, 0x08), Some(Trouble::Offline)),
            (with(2, 0x28), Some(Trouble::CoverOpen)),
            (with(3, 0x08), Some(Trouble::Fault)),
            (with(3, 0x20), Some(Trouble::Fault)),
            (with(4, 0x02), Some(Trouble::Fault)),
            (with(5, 0x0c), Some(Trouble::PaperOut)),
            (with(5, 0x04), None),
        ] {
            assert_eq!(status(&bytes).state.trouble(), want, "{bytes:02x?}");
        }
        assert!(status(&with(5, 0x04)).state.near_end);
        assert_eq!(status(&with(2, 0x04)).state.drawer_high, Some(true));
        assert_eq!(status(&WELL).state.drawer_high, Some(false));
    }

    #[test]
    fn the_count_of_ends_is_five_bits_in_two_parts() {
        for (byte, count) in [(0x00, 0), (0x02, 1), (0x0e, 7), (0x20, 8), (0x62, 25), (0x6e, 31)] {
            assert_eq!(status(&with(7, byte)).count, Some(count), "{byte:02x}");
        }
        assert_eq!(status(&[0x0f, 0x02, 0, 0, 0, 0, 0]).count, None);
    }

    #[test]
    fn answers_are_told_apart_in_one_stream() {
        let named = [&name_when_done(name(7))[..], &[0x0f, 0]].concat();
        let stream = [&[0x11, 0x13, 0x00][..], &WELL, &named, &with(5, 0x08)].concat();
        let got = answers(&stream);
        assert_eq!(got.len(), 3, "{got:?}");
        assert_eq!(got[1], Answer::Process(name(7)));
    }

    #[test]
    fn garbage_and_torn_answers_are_dropped() {
        let torn = [&WELL[..5], &WELL].concat();
        assert_eq!(answers(&torn).len(), 1);
        let cut = [&name_when_done(name(7))[..4], &WELL].concat();
        assert!(!answers(&cut).iter().any(|answer| matches!(answer, Answer::Process(_))));
        assert_eq!(answers(&[0x1b, 0x1d, 0x03, 0x00, b' ', b' ', 0, 0]), []);
        assert_eq!(answers(&[0x05, 0x00, 0x00]), [], "shorter than any status");
    }

    #[test]
    fn names_are_printable_and_come_round_late() {
        for job in [0, 1, 94, 95, 9_024, 9_025, u64::MAX] {
            let named = name_when_done(name(job));
            assert_eq!(named[..4], [0x1b, 0x1d, 3, 1]);
            assert!(named[4..].iter().all(|byte| (b' '..=b'~').contains(byte)), "{job}");
        }
        assert_ne!(name(0), name(9_024));
        assert_eq!(name(0), name(9_025));
    }

    #[test]
    fn a_count_is_never_one_that_may_stand_there_already() {
        for last in 0..=9 {
            for shown in (0..32).map(Some).chain([None]) {
                let next = next_count(last, shown);
                assert!(COUNTS.contains(&next) && next != last && Some(next) != shown);
                let before = count_from(next);
                assert_eq!(before.len(), COUNT_ANEW.len() + usize::from(next) - 1);
            }
        }
    }
}
