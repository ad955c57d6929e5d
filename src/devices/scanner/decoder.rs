//! Key events of one scanner to scans.
//!
//! Room: devices. May touch: key tables. May not: devices, clocks (events carry their time).
//! Invariant: a scan comes out whole or not at all; nothing a barcode holds can act as a key
//! (reliability.md C18).

use serde::{Deserialize, Serialize};

use super::LONGEST_SCAN;
use super::keys::{self, ENTER, KEYPAD_ENTER, LEFT_SHIFT, Layout, RIGHT_SHIFT, TAB, character};
use super::test_label;

/// A key event as the kernel reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// `value`: 0 released, 1 pressed, 2 repeated; `at_ms`: the event's own time.
    Key { code: u16, value: i32, at_ms: u64 },
    /// The kernel's queue ran over: events are missing.
    Dropped,
}

/// Which signs a scan may hold beside digits and letters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signs {
    /// The twelve of Code 39, NW-7 and web addresses.
    #[default]
    Codes,
    /// Every printable ASCII sign: members' QR codes with their own text.
    Any,
}

const CODE_SIGNS: &str = " $%&+-./:=?_";

impl Signs {
    /// Returns whether a scan may hold `c`.
    pub fn allow(self, c: char) -> bool {
        match self {
            Self::Codes => c.is_ascii_alphanumeric() || CODE_SIGNS.contains(c),
            Self::Any => (' '..='~').contains(&c),
        }
    }
}

/// Why a scan was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reject {
    /// A key or character that no code holds (a control key, a sign not allowed).
    Key,
    TooLong,
    /// It stopped in the middle: the scanner was moved or unplugged.
    Gap,
    /// Events were lost; its digits may be wrong.
    Dropped,
    /// Its end (Enter) never came: the scanner was moved, or no longer sends one.
    NoEnd,
}

/// A silence after which keys no longer belong together.
const GAP_MS: u64 = 100;
/// A silence after which what comes is a new scan even though the last one had no end.
pub(super) const NEW_SCAN_MS: u64 = 1_000;

/// Turns one device's key events into scans.
#[derive(Debug)]
pub struct ScanDecoder {
    layout: Layout,
    signs: Signs,
    text: String,
    /// The scan under way is bad; everything up to its end is swallowed.
    rejected: Option<Reject>,
    shifts: [bool; 2],
    last_ms: Option<u64>,
}

impl ScanDecoder {
    pub fn new(layout: Layout, signs: Signs) -> Self {
        Self {
            layout,
            signs,
            text: String::new(),
            rejected: None,
            shifts: [false; 2],
            last_ms: None,
        }
    }

    /// Takes an event; returns the scan it ends, or why that scan is dropped.
    pub fn push(&mut self, input: Input) -> Option<Result<String, Reject>> {
        match input {
            Input::Dropped => {
                self.shifts = [false; 2]; // A release may be among what is missing.
                self.reject(Reject::Dropped);
                None
            }
            Input::Key { code: code @ (LEFT_SHIFT | RIGHT_SHIFT), value, .. } => {
                self.shifts[usize::from(code == RIGHT_SHIFT)] = value != 0;
                None
            }
            Input::Key { code, value: 1, at_ms } => self.press(code, at_ms),
            Input::Key { .. } => None,
        }
    }

    fn press(&mut self, code: u16, at_ms: u64) -> Option<Result<String, Reject>> {
        let silence = self.last_ms.replace(at_ms).map_or(0, |last| at_ms.saturating_sub(last));
        let cut_off = silence > GAP_MS && self.under_way();
        if cut_off && silence > NEW_SCAN_MS {
            self.clear();
        } else if cut_off {
            self.reject(Reject::Gap); // The tail of a code must not pass for a short one.
        }
        if matches!(code, ENTER | KEYPAD_ENTER | TAB) {
            return self.end();
        }
        match character(self.layout, code, self.shifts.contains(&true)) {
            Some(c) => self.append(c),
            None => self.reject(Reject::Key),
        }
        None
    }

    /// Nothing came for `NEW_SCAN_MS`: what was begun is dropped, and said. Where events were lost, the
    /// end was among them: nothing is wrong with the scanner's setting.
    pub fn silence(&mut self) -> Option<Reject> {
        let begun = self.under_way();
        let lost = self.rejected.filter(|why| *why == Reject::Dropped);
        self.clear();
        begun.then_some(lost.unwrap_or(Reject::NoEnd))
    }

    /// Returns whether a scan has begun and not ended.
    pub fn under_way(&self) -> bool {
        self.rejected.is_some() || !self.text.is_empty()
    }

    /// A sign that no code holds drops the scan, but its letters are kept: it may be the test label.
    fn append(&mut self, c: char) {
        if self.rejected.is_some_and(|why| why != Reject::Key || self.text.is_empty()) {
            return;
        }
        if self.text.len() == LONGEST_SCAN {
            return self.reject(Reject::TooLong);
        }
        self.text.push(c);
        if !self.signs.allow(c) {
            self.rejected = Some(Reject::Key);
        }
    }

    /// Keeps the first reason.
    fn reject(&mut self, why: Reject) {
        self.text.clear();
        self.rejected.get_or_insert(why);
    }

    fn clear(&mut self) {
        self.text.clear();
        self.rejected = None;
    }

    fn end(&mut self) -> Option<Result<String, Reject>> {
        let text = std::mem::take(&mut self.text);
        match self.rejected.take() {
            Some(Reject::Key) if test_label::holds(&text) => Some(Ok(text)),
            Some(why) => Some(Err(why)),
            None if text.is_empty() => None,
            None => Some(Ok(text)),
        }
    }
}

/// Reads a scan's characters where a device sends them as bytes (a serial scanner).
#[derive(Debug)]
pub struct ByteDecoder {
    signs: Signs,
    text: String,
    rejected: Option<Reject>,
}

impl ByteDecoder {
    pub fn new(signs: Signs) -> Self {
        Self { signs, text: String::new(), rejected: None }
    }

    /// Takes a byte; CR, LF or Tab ends a scan. STX and ETX, which some scanners wrap around a
    /// code, are passed over.
    pub fn push(&mut self, byte: u8) -> Option<Result<String, Reject>> {
        match byte {
            b'\r' | b'\n' | b'\t' => {
                let text = std::mem::take(&mut self.text);
                match self.rejected.take() {
                    Some(Reject::Key) if test_label::holds(&text) => Some(Ok(text)),
                    Some(why) => Some(Err(why)),
                    None if text.is_empty() => None,
                    None => Some(Ok(text)),
                }
            }
            2 | 3 => None,
            _ if self.rejected.is_some_and(|why| why != Reject::Key || self.text.is_empty()) => {
                None
            }
            _ if !(b' '..=b'~').contains(&byte) => self.reject(Reject::Key),
            _ if self.text.len() == LONGEST_SCAN => self.reject(Reject::TooLong),
            _ => {
                self.text.push(char::from(byte));
                if !self.signs.allow(char::from(byte)) {
                    self.rejected = Some(Reject::Key);
                }
                None
            }
        }
    }

    /// Returns whether a scan has begun and not ended.
    pub fn under_way(&self) -> bool {
        self.rejected.is_some() || !self.text.is_empty()
    }

    /// Nothing came for `NEW_SCAN_MS`: what was begun is dropped, and said.
    pub fn give_up(&mut self) -> Option<Reject> {
        let begun = self.under_way();
        self.text.clear();
        self.rejected = None;
        begun.then_some(Reject::NoEnd)
    }

    /// The line was silent for a moment: half a scan is dropped.
    pub fn silence(&mut self) {
        if self.rejected.is_none() && !self.text.is_empty() {
            self.reject(Reject::Gap);
        }
    }

    fn reject(&mut self, why: Reject) -> Option<Result<String, Reject>> {
        self.text.clear();
        self.rejected = Some(why);
        None
    }
}

/// Returns the key that types `c` on `layout`, with whether shift is held: for tests and for the
/// pairing screen's label.
pub fn key_for(layout: Layout, c: char) -> Option<(u16, bool)> {
    let keys = (0..=127).flat_map(|code| [(code, false), (code, true)]);
    keys.into_iter().find(|&(code, shifted)| keys::character(layout, code, shifted) == Some(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types `text` and Enter, a key every 8 ms, as a USB scanner does.
    fn typed(text: &str, layout: Layout) -> Vec<Input> {
        let mut events = Vec::new();
        let mut at_ms = 1_000;
        for c in text.chars() {
            let (code, shifted) = key_for(layout, c).expect("a key types it");
            let shift = |value| Input::Key { code: LEFT_SHIFT, value, at_ms };
            let keys = [1, 0].map(|value| Input::Key { code, value, at_ms });
            events.extend(shifted.then(|| shift(1)));
            events.extend(keys);
            events.extend(shifted.then(|| shift(0)));
            at_ms += 8;
        }
        events.push(Input::Key { code: ENTER, value: 1, at_ms });
        events
    }

    fn scans(signs: Signs, events: &[Input]) -> Vec<Result<String, Reject>> {
        let mut decoder = ScanDecoder::new(Layout::Us, signs);
        events.iter().filter_map(|&event| decoder.push(event)).collect()
    }

    fn press(code: u16, at_ms: u64) -> Input {
        Input::Key { code, value: 1, at_ms }
    }

    #[test]
    fn a_scan_is_read_as_the_scanner_meant_it() {
        for text in
            ["4901234567894", "01-R000012", "A37859+B", "https://id.gs1.org/01/04912?17=261231"]
        {
            assert_eq!(scans(Signs::Codes, &typed(text, Layout::Us)), [Ok(text.to_owned())]);
            let mut jis = ScanDecoder::new(Layout::Jis, Signs::Any);
            let read: Vec<_> =
                typed(text, Layout::Jis).into_iter().filter_map(|e| jis.push(e)).collect();
            assert_eq!(read, [Ok(text.to_owned())]);
        }
    }

    #[test]
    fn every_end_key_ends_a_scan_and_repeats_do_not_count() {
        for end in [ENTER, KEYPAD_ENTER, TAB] {
            let repeat = Input::Key { code: 2, value: 2, at_ms: 5 };
            let events = [press(2, 0), repeat, press(3, 8), press(end, 16), press(end, 20)];
            assert_eq!(scans(Signs::Codes, &events), [Ok("12".to_owned())]);
        }
    }

    #[test]
    fn a_barcode_cannot_press_keys() {
        let (ctrl, alt, sysrq, meta) = (29, 56, 99, 125);
        for held in [&[ctrl, 46][..], &[ctrl, alt, 60], &[alt, sysrq, 48], &[meta], &[1], &[14]] {
            let mut events = vec![press(2, 0)];
            events.extend(held.iter().map(|&code| press(code, 5)));
            events.extend([press(3, 8), press(ENTER, 10)]);
            events.extend([press(4, 20), press(ENTER, 25)]);
            assert_eq!(
                scans(Signs::Any, &events),
                [Err(Reject::Key), Ok("3".to_owned())],
                "{held:?}"
            );
        }
    }

    #[test]
    fn signs_that_no_code_holds_drop_the_scan_unless_they_are_wanted() {
        let events = typed("{\"m\":1}", Layout::Us);
        assert_eq!(scans(Signs::Codes, &events), [Err(Reject::Key)]);
        assert_eq!(scans(Signs::Any, &events), [Ok("{\"m\":1}".to_owned())]);
    }

    #[test]
    fn a_scan_too_long_is_dropped_whole() {
        assert!(scans(Signs::Codes, &typed(&"9".repeat(80), Layout::Us))[0].is_ok());
        for length in [81, 4_096] {
            let events = typed(&"9".repeat(length), Layout::Us);
            assert_eq!(scans(Signs::Codes, &events), [Err(Reject::TooLong)]);
        }
    }

    #[test]
    fn half_a_scan_is_never_a_scan() {
        let (one, enter) = (2, ENTER);
        for (events, want) in [
            (vec![press(one, 0), press(one, 100), press(enter, 105)], vec![Ok("11".to_owned())]),
            (vec![press(one, 0), press(one, 101), press(enter, 105)], vec![Err(Reject::Gap)]),
            (vec![press(one, 0), press(enter, 300)], vec![Err(Reject::Gap)]),
            (vec![press(one, 0), press(one, 5_000), press(enter, 5_005)], vec![Ok("1".to_owned())]),
            (
                vec![press(one, 0), Input::Dropped, press(one, 9), press(enter, 12)],
                vec![Err(Reject::Dropped)],
            ),
        ] {
            assert_eq!(scans(Signs::Codes, &events), want, "{events:?}");
        }
    }

    #[test]
    fn a_shift_lost_in_an_overrun_does_not_stay_held() {
        let events = [
            press(LEFT_SHIFT, 0),
            press(3, 1),
            Input::Dropped,
            press(ENTER, 5),
            press(3, 50),
            press(ENTER, 55),
        ];
        assert_eq!(scans(Signs::Any, &events), [Err(Reject::Dropped), Ok("2".to_owned())]);
    }

    #[test]
    fn bytes_of_a_serial_scanner_are_read_between_line_ends() {
        let read = |bytes: &[u8]| {
            let mut decoder = ByteDecoder::new(Signs::Codes);
            bytes.iter().filter_map(|&byte| decoder.push(byte)).collect::<Vec<_>>()
        };
        assert_eq!(
            read(b"\x024901234567894\x03\r\n123\n"),
            [Ok("4901234567894".to_owned()), Ok("123".to_owned())]
        );
        assert_eq!(read(b"12\x1b3\r4\r"), [Err(Reject::Key), Ok("4".to_owned())]);
        assert_eq!(read(&[&[b'9'; 81][..], b"\r"].concat()), [Err(Reject::TooLong)]);
        let mut decoder = ByteDecoder::new(Signs::Codes);
        decoder.push(b'1');
        decoder.silence();
        assert_eq!(decoder.push(b'\r'), Some(Err(Reject::Gap)));
    }

    #[test]
    fn an_end_that_was_lost_is_not_blamed_on_the_scanner() {
        let mut keys = ScanDecoder::new(Layout::Us, Signs::Codes);
        keys.push(press(2, 0));
        keys.push(Input::Dropped);
        keys.push(press(3, 10));
        assert_eq!(keys.silence(), Some(Reject::Dropped));
        keys.push(press(2, 2_000));
        assert_eq!(keys.silence(), Some(Reject::NoEnd));
    }

    #[test]
    fn a_scan_whose_end_never_comes_is_told_and_does_not_swallow_the_next() {
        let mut keys = ScanDecoder::new(Layout::Us, Signs::Codes);
        keys.push(press(2, 0));
        assert_eq!(keys.silence(), Some(Reject::NoEnd));
        assert_eq!(keys.silence(), None);
        let next = [press(3, 2_000), press(ENTER, 2_005)].map(|event| keys.push(event));
        assert_eq!(next, [None, Some(Ok("2".to_owned()))]);

        let mut bytes = ByteDecoder::new(Signs::Codes);
        b"490123".iter().for_each(|&byte| drop(bytes.push(byte)));
        bytes.silence();
        assert_eq!(bytes.give_up(), Some(Reject::NoEnd));
        assert_eq!(bytes.give_up(), None);
        let next: Vec<_> = b"12\r".iter().filter_map(|&byte| bytes.push(byte)).collect();
        assert_eq!(next, [Ok("12".to_owned())]);
    }
}
