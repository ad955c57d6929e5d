//! What a printer answers, byte by byte, and what it means for the next receipt.
//!
//! Room: devices. May touch: std. May not: transports, clocks.
//! Invariant: any bytes may come in any order; garbage is dropped, and never reads as "printed".

use super::star::StarStatus;
use crate::devices::profile::Level;

/// Asks for the drawer and offline bits, the cause of being offline, and the paper
/// (`DLE EOT 1`, `2`, `4`). Real time: answered even while the printer waits for paper.
pub const ASK: [u8; 9] = [0x10, 4, 1, 0x10, 4, 2, 0x10, 4, 4];
/// Turns on status by itself for every kind of change (`GS a`).
pub const TELL_BY_ITSELF: [u8; 3] = [0x1d, b'a', 0xff];
/// Asks for one answer after everything before it was processed (`GS r 1`).
pub const ANSWER_WHEN_DONE: [u8; 3] = [0x1d, b'r', 1];

/// The numbers `ASK` asks for, in its order; an answer does not say which it answers.
pub const ASKED: [u8; 3] = [1, 2, 4];

/// Four printable bytes that a printer sends back when the printing before them is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessId([u8; 4]);

impl ProcessId {
    /// Returns the id of a job. Ids come round after 78 million jobs.
    pub fn of(job: u64) -> Self {
        let digits = u64::from(b'~' - b' ' + 1);
        let digit = |power: u32| b' ' + (job / digits.pow(power) % digits) as u8;
        Self([digit(3), digit(2), digit(1), digit(0)])
    }

    /// Returns the id that these bytes are; `None`: one is not printable.
    pub(super) fn read(signs: [u8; 4]) -> Option<Self> {
        signs.iter().all(|sign| (b' '..=b'~').contains(sign)).then_some(Self(signs))
    }

    pub(super) fn signs(self) -> [u8; 4] {
        self.0
    }

    /// Returns the command that asks for this id (`GS ( H`, function 48).
    pub fn request(self) -> Vec<u8> {
        let mut command = vec![0x1d, b'(', b'H', 6, 0, 0x30, 0x30];
        command.extend(self.0);
        command
    }
}

/// One complete answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// To `DLE EOT n`.
    RealTime(u8),
    /// Automatic status, four bytes.
    Automatic([u8; 4]),
    /// To `GS r`.
    Done(u8),
    /// To `GS ( H`, or to Star's `ESC GS ETX`.
    Process(ProcessId),
    /// To `ESC ACK SOH`, or told by itself.
    Star(StarStatus),
    /// A whole state of an SII printer, asked for or told by itself.
    State(PrinterState),
    /// To `DC2 q`: the mark of a paper.
    Mark(u8),
}

/// Finds answers in a stream of bytes (masks of japan.md 4.4).
#[derive(Debug, Default)]
pub struct AnswerParser {
    /// An answer begun: its first byte, then the rest. At most `LONGEST_BLOCK`.
    begun: Vec<u8>,
}

const BLOCK: u8 = 0x37;
const PROCESS_BLOCK: u8 = 0x22;
const MODEL_BLOCK: u8 = 0x5f;
const LONGEST_BLOCK: usize = 80;

impl AnswerParser {
    /// Takes the next byte; returns the answer it completes.
    pub fn push(&mut self, byte: u8) -> Option<Answer> {
        match self.begun.first() {
            None => self.begin(byte),
            Some(&(BLOCK | MODEL_BLOCK)) => self.block(byte),
            Some(_) => self.automatic(byte),
        }
    }

    /// Forgets an answer half heard: the link it came over is gone.
    pub fn reset(&mut self) {
        self.begun.clear();
    }

    fn begin(&mut self, byte: u8) -> Option<Answer> {
        match byte {
            BLOCK | MODEL_BLOCK => self.begun.push(byte),
            _ if byte & 0x93 == 0x12 => return Some(Answer::RealTime(byte)),
            _ if byte & 0x93 == 0x10 => self.begun.push(byte),
            _ if byte & 0x90 == 0 => return Some(Answer::Done(byte)),
            _ => {} // XON, XOFF, noise.
        }
        None
    }

    fn automatic(&mut self, byte: u8) -> Option<Answer> {
        if byte & 0x90 != 0 {
            self.begun.clear(); // Its other three bytes never came: this begins something else.
            return self.begin(byte);
        }
        self.begun.push(byte);
        let whole = <[u8; 4]>::try_from(self.begun.as_slice()).ok()?;
        self.begun.clear();
        Some(Answer::Automatic(whole))
    }

    fn block(&mut self, byte: u8) -> Option<Answer> {
        if byte != 0 {
            self.begun.push(byte);
            if self.begun.len() > LONGEST_BLOCK {
                self.begun.clear();
            }
            return None;
        }
        let block = std::mem::take(&mut self.begun);
        match block.as_slice() {
            &[BLOCK, PROCESS_BLOCK, a, b, c, d] => Some(Answer::Process(ProcessId([a, b, c, d]))),
            _ => None,
        }
    }
}

/// Why a printer cannot print now; each has a different next step for the cashier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    PaperOut,
    CoverOpen,
    /// Cutter or head: switched off and on, or a service call.
    Fault,
    /// Offline without saying why (its feed key is pressed, it is switched to offline).
    Offline,
    /// Takes no more bytes.
    Stalled,
    /// Connected, but answers nothing.
    NoAnswer,
    /// No such device: unplugged or switched off.
    Absent,
    /// The host is not reached or refuses.
    Unreachable,
    /// The device is used by another program.
    Busy,
    /// The operating system refuses access.
    Denied,
    /// The folder of a `file:` printer cannot be written.
    Folder,
}

/// What is known of the printer's state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrinterState {
    pub offline: bool,
    pub cover_open: bool,
    pub paper_out: bool,
    pub near_end: bool,
    pub fault: bool,
    /// Level of the drawer's sensor pin; `None` until the printer has said.
    pub drawer_high: Option<bool>,
}

impl PrinterState {
    /// Takes the answer to `DLE EOT n` (japan.md EP-04, EP-05).
    pub fn real_time(&mut self, asked: u8, answer: u8) {
        let bit = |at: u8| answer & (1 << at) != 0;
        match asked {
            1 => {
                self.drawer_high = Some(bit(2));
                self.offline = bit(3);
            }
            2 => {
                self.cover_open = bit(2);
                self.paper_out = bit(5);
                self.fault = bit(6);
            }
            4 => {
                self.near_end = answer & 0x0c != 0;
                self.paper_out |= answer & 0x60 != 0;
            }
            _ => {}
        }
    }

    /// Takes an automatic status.
    pub fn automatic(&mut self, bytes: [u8; 4]) {
        let [first, errors, paper, _] = bytes;
        *self = Self {
            drawer_high: Some(first & 0x04 != 0),
            offline: first & 0x08 != 0,
            cover_open: first & 0x20 != 0,
            fault: errors & 0x2c != 0,
            paper_out: paper & 0x0c != 0,
            near_end: paper & 0x03 != 0,
        };
    }

    /// Returns what stops printing, the cause before its consequence.
    pub fn trouble(&self) -> Option<Trouble> {
        [
            (self.cover_open, Trouble::CoverOpen),
            (self.paper_out, Trouble::PaperOut),
            (self.fault, Trouble::Fault),
            (self.offline, Trouble::Offline),
        ]
        .into_iter()
        .find_map(|(is, trouble)| is.then_some(trouble))
    }

    /// Returns whether the drawer stands open, where the printer has said.
    pub fn drawer_open(&self, open_level: Level) -> Option<bool> {
        self.drawer_high.map(|high| high == (open_level == Level::High))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(bytes: &[u8]) -> Vec<Answer> {
        let mut parser = AnswerParser::default();
        bytes.iter().filter_map(|&byte| parser.push(byte)).collect()
    }

    #[test]
    fn real_time_answers_mean_what_the_acceptance_table_says() {
        for (asked, answer, want) in [
            (1, 0x12, None),
            (1, 0x1a, Some(Trouble::Offline)),
            (2, 0x12, None),
            (2, 0x16, Some(Trouble::CoverOpen)), // EP-04
            (2, 0x32, Some(Trouble::PaperOut)),
            (2, 0x52, Some(Trouble::Fault)),
            (4, 0x12, None), // EP-05
            (4, 0x1e, None),
            (4, 0x7e, Some(Trouble::PaperOut)),
        ] {
            let mut state = PrinterState::default();
            state.real_time(asked, answer);
            assert_eq!(state.trouble(), want, "{asked} {answer:02x}");
            assert_eq!(state.near_end, asked == 4 && answer != 0x12);
        }
    }

    #[test]
    fn automatic_status_is_read_from_its_four_bytes() {
        for (bytes, want) in [
            ([0x14, 0, 0, 0], None),
            ([0x18, 0, 0, 0], Some(Trouble::Offline)),
            ([0x38, 0, 0, 0], Some(Trouble::CoverOpen)),
            ([0x18, 0x08, 0, 0], Some(Trouble::Fault)),
            ([0x18, 0, 0x0c, 0], Some(Trouble::PaperOut)),
            ([0x10, 0, 0x03, 0], None),
        ] {
            let mut state = PrinterState::default();
            state.automatic(bytes);
            assert_eq!(state.trouble(), want, "{bytes:02x?}");
        }
    }

    #[test]
    fn answers_are_told_apart_in_one_stream() {
        let id = ProcessId::of(7);
        let block = [&[0x37, 0x22][..], &id.0, &[0]].concat();
        let stream =
            [&[0x12, 0x11, 0x13][..], &[0x14, 0, 0, 0], &block, &[0x00], b"_EPSON\0", &[0x16]];
        assert_eq!(
            answers(&stream.concat()),
            [
                Answer::RealTime(0x12),
                Answer::Automatic([0x14, 0, 0, 0]),
                Answer::Process(id),
                Answer::Done(0),
                Answer::RealTime(0x16),
            ]
        );
    }

    #[test]
    fn garbage_and_torn_answers_are_dropped() {
        assert_eq!(answers(&[0x14, 0, 0x12]), [Answer::RealTime(0x12)]);
        assert_eq!(answers(&[0x37, 0x22, b'a', b'b', 0]), []);
        assert_eq!(answers(&[0xff, 0x91, 0x80]), []);
        let endless = [&[0x37][..], &[b'x'; 200], &[0x12]].concat();
        assert!(!answers(&endless).iter().any(|answer| matches!(answer, Answer::Process(_))));
    }

    #[test]
    fn process_ids_are_printable_and_differ() {
        let ids: Vec<ProcessId> =
            [0, 1, 94, 95, 94 * 94, 94_u64.pow(4) - 1].map(ProcessId::of).into();
        for (at, id) in ids.iter().enumerate() {
            assert!(id.0.iter().all(|byte| (b' '..=b'~').contains(byte)), "{id:?}");
            assert!(!ids[..at].contains(id), "{id:?}");
        }
        assert_eq!(
            ProcessId::of(1).request(),
            [0x1d, 0x28, 0x48, 6, 0, 0x30, 0x30, 0x20, 0x20, 0x20, 0x21]
        );
    }
}
