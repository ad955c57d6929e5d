//! What a printer of Seiko Instruments is asked and answers (japan.md 4.4).
//!
//! Room: devices. May touch: std. May not: transports, clocks.
//! Invariant: any bytes may come in any order; garbage is dropped, and never reads as "printed".
//! Source: SII's technical references of the RP series, `DC2 q`; receiptio for the bits of the state.

use super::status::{Answer, PrinterState};

/// Greets (`ESC @`, answered with `Bx`), then asks for the state now and at every change (`GS a`).
/// Obeyed in turn, not at once: only to be sent while no paper is under way.
pub const GREET: [u8; 5] = [0x1b, b'@', 0x1d, b'a', 0xff];
/// Marks of papers, in turn; the answer has room for four bits.
const MARKS: u8 = 15;
/// First bytes are told apart by their upper half.
const MARK: u8 = 0x80;
const STATE: u8 = 0xc0;
const STATE_GOES_ON: u8 = 0xd0;
const STATE_BYTES: usize = 8;

/// Returns the mark of the next paper, 1 to 15: not that of the last one.
pub fn next_mark(last: u8) -> u8 {
    last % MARKS + 1
}

/// Returns what makes the printer answer with the mark once everything before it is printed (`DC2 q`).
pub fn mark_when_done(mark: u8) -> [u8; 3] {
    [0x12, b'q', mark & 0x0f]
}

/// Reads a whole state. It names no near end.
fn read(bytes: [u8; STATE_BYTES]) -> PrinterState {
    let [first, sensors, _, drawer, ..] = bytes;
    PrinterState {
        offline: false,
        cover_open: sensors & 0x08 != 0,
        paper_out: sensors & 0x01 != 0,
        near_end: false,
        fault: first & 0x0b != 0,
        drawer_high: Some(drawer & 0x08 != 0),
    }
}

/// Finds answers in a stream of bytes.
#[derive(Debug, Default)]
pub struct SiiParser {
    /// A state begun.
    begun: Vec<u8>,
}

impl SiiParser {
    /// Takes the next byte; returns the answer it completes.
    pub fn push(&mut self, byte: u8) -> Option<Answer> {
        if !self.begun.is_empty() && byte & 0xf0 == STATE_GOES_ON {
            self.begun.push(byte);
            let whole = <[u8; STATE_BYTES]>::try_from(self.begun.as_slice()).ok()?;
            self.begun.clear();
            return Some(Answer::State(read(whole)));
        }
        self.begun.clear(); // The rest never came: this begins something else.
        match byte & 0xf0 {
            STATE => self.begun.push(byte),
            MARK => return Some(Answer::Mark(byte & 0x0f)),
            _ => {} // The answer to the greeting, XON, XOFF, noise.
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::printer::Trouble;

    const WELL: [u8; 8] = [0xc0, 0xd0, 0xd0, 0xd8, 0xd0, 0xd0, 0xd0, 0xd0];

    fn answers(bytes: &[u8]) -> Vec<Answer> {
        let mut parser = SiiParser::default();
        bytes.iter().filter_map(|&byte| parser.push(byte)).collect()
    }

    fn with(at: usize, byte: u8) -> [u8; 8] {
        let mut bytes = WELL;
        bytes[at] = byte;
        bytes
    }

    #[test]
    fn a_state_is_read_from_its_bits() {
        for (bytes, want) in [
            (WELL, None),
            (with(1, 0xd8), Some(Trouble::CoverOpen)),
            (with(1, 0xd1), Some(Trouble::PaperOut)),
            (with(1, 0xd9), Some(Trouble::CoverOpen)),
            (with(0, 0xc1), Some(Trouble::Fault)),
            (with(0, 0xc2), Some(Trouble::Fault)),
            (with(0, 0xc8), Some(Trouble::Fault)),
            (with(0, 0xc4), None),
        ] {
            match answers(&bytes)[..] {
                [Answer::State(state)] => assert_eq!(state.trouble(), want, "{bytes:02x?}"),
                ref other => panic!("{bytes:02x?}: {other:?}"),
            }
        }
        for (byte, high) in [(0xd8, true), (0xd0, false)] {
            let state = answers(&with(3, byte));
            let want = PrinterState { drawer_high: Some(high), ..PrinterState::default() };
            assert_eq!(state, [Answer::State(want)]);
        }
    }

    #[test]
    fn answers_are_told_apart_in_one_stream() {
        let stream = [&[0xb0, 0x11, 0x13][..], &WELL, &[0x87], &WELL[..5], &[0x81], &WELL];
        let got = answers(&stream.concat());
        assert_eq!(got.len(), 4, "{got:?}");
        assert_eq!((got[1], got[2]), (Answer::Mark(7), Answer::Mark(1)));
    }

    #[test]
    fn garbage_and_torn_answers_are_dropped() {
        assert_eq!(answers(&[0xff, 0x00, 0x12, 0xd0, 0xd1, 0xe0]), []);
        assert_eq!(answers(&[&WELL[..7], &[0xb1]].concat()), []);
    }

    #[test]
    fn a_mark_comes_round_after_fifteen_papers() {
        let marks: Vec<u8> =
            std::iter::successors(Some(next_mark(0)), |last| Some(next_mark(*last)))
                .take(16)
                .collect();
        assert_eq!(marks[..15], (1..=15).collect::<Vec<u8>>());
        assert_eq!(marks[15], 1);
        assert_eq!(mark_when_done(15), [0x12, 0x71, 0x0f]);
    }
}
