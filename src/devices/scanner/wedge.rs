//! A scanner that types into the terminal: bursts of keys that no hand could type.
//!
//! Room: devices. May touch: nothing. May not: clocks (presses carry their time), keymaps.
//! Invariant: every key comes out once and in order, as a key or inside one scan; a digit is
//! never delayed, another character at most `BURST_MS`.

use super::LONGEST_SCAN;
use super::decoder::{Reject, Signs};
use super::test_label;

/// The longest time between two keys of a burst.
pub const BURST_MS: u64 = 50;
/// The shortest code that is told from typing.
const SHORTEST_SCAN: usize = 6;

/// A key as the terminal reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WedgeKey {
    Char(char),
    /// Enter or Tab, which end a scan.
    Enter,
    Tab,
}

/// What a press means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wedge {
    /// An ordinary key, to be handled now.
    Key(WedgeKey),
    /// A scan. The last `take_back` keys given out were digits of it: undo them.
    Scan { text: String, take_back: usize },
    /// A burst that is no code. Undo as above, and say that the scan was bad.
    Rejected { why: Reject, take_back: usize },
}

impl Wedge {
    /// Puts what presses meant behind what waits to be carried out: the digits of a scan that were not
    /// carried out yet need no undoing.
    pub fn queue(waiting: &mut Vec<Self>, meant: Vec<Self>) {
        for mut wedge in meant {
            if let Self::Scan { take_back, .. } | Self::Rejected { take_back, .. } = &mut wedge {
                while *take_back > 0 && matches!(waiting.last(), Some(Self::Key(WedgeKey::Char(_))))
                {
                    waiting.pop();
                    *take_back -= 1;
                }
            }
            waiting.push(wedge);
        }
    }
}

/// Tells bursts from typing.
#[derive(Debug, Default)]
pub struct WedgeReader {
    signs: Signs,
    burst: String,
    /// Characters at the head of the burst that were given out as keys.
    given: usize,
    last_ms: u64,
    /// The burst is longer than any code: swallow it to its end.
    overlong: bool,
}

impl WedgeReader {
    pub fn new(signs: Signs) -> Self {
        Self { signs, ..Self::default() }
    }

    /// Takes a press; returns what it means, in order.
    pub fn press(&mut self, key: WedgeKey, at_ms: u64) -> Vec<Wedge> {
        let mut out = self.tick(at_ms);
        self.last_ms = at_ms;
        match key {
            WedgeKey::Char(c) => out.extend(self.take(half_width_digit(c))),
            end => out.extend(self.end(end)),
        }
        out
    }

    /// Gives out characters that were held for a burst that did not come. Call it at `due`, and
    /// before any key that is not a `WedgeKey`.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Wedge> {
        if now_ms <= self.last_ms + BURST_MS { Vec::new() } else { self.flush() }
    }

    /// Gives out what is held, at once: another key was pressed.
    pub fn flush(&mut self) -> Vec<Wedge> {
        if std::mem::take(&mut self.overlong) {
            let take_back = std::mem::take(&mut self.given);
            self.burst.clear();
            return vec![Wedge::Rejected { why: Reject::TooLong, take_back }];
        }
        let held: Vec<Wedge> = self.burst.chars().skip(self.given).map(key).collect();
        self.burst.clear();
        self.given = 0;
        held
    }

    /// Returns when `tick` must be called, in milliseconds, if nothing else is pressed.
    pub fn due(&self) -> Option<u64> {
        let held = self.overlong || self.burst.chars().count() > self.given;
        held.then_some(self.last_ms + BURST_MS + 1)
    }

    fn take(&mut self, c: char) -> Option<Wedge> {
        if self.burst.chars().count() == LONGEST_SCAN {
            self.overlong = true;
            return None;
        }
        let nothing_held = self.burst.chars().count() == self.given;
        self.burst.push(c);
        if !c.is_ascii_digit() || !nothing_held {
            return None;
        }
        self.given += 1;
        Some(key(c))
    }

    fn end(&mut self, end: WedgeKey) -> Vec<Wedge> {
        if self.overlong {
            return self.flush();
        }
        if self.burst.chars().count() < SHORTEST_SCAN {
            let mut out = self.flush();
            out.push(Wedge::Key(end));
            return out;
        }
        let text = std::mem::take(&mut self.burst);
        let take_back = std::mem::take(&mut self.given);
        if text.chars().all(|c| self.signs.allow(c)) || test_label::holds(&text) {
            vec![Wedge::Scan { text, take_back }]
        } else {
            vec![Wedge::Rejected { why: Reject::Key, take_back }]
        }
    }
}

fn key(c: char) -> Wedge {
    Wedge::Key(WedgeKey::Char(c))
}

/// An input method left on types １２３.
fn half_width_digit(c: char) -> char {
    match c {
        '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types `text` with a key every `step` ms, then Enter, then waits.
    fn typed(text: &str, step: u64) -> Vec<Wedge> {
        let mut reader = WedgeReader::new(Signs::Codes);
        let mut at = 1_000;
        let mut out = Vec::new();
        for c in text.chars() {
            out.extend(reader.press(WedgeKey::Char(c), at));
            at += step;
        }
        out.extend(reader.press(WedgeKey::Enter, at));
        out.extend(reader.tick(at + 1_000));
        out
    }

    fn keys(text: &str) -> Vec<Wedge> {
        text.chars().map(key).chain([Wedge::Key(WedgeKey::Enter)]).collect()
    }

    #[test]
    fn typing_comes_out_as_typed_however_slow_or_short() {
        for (text, step) in
            [("1980", 120), ("4901234567894", 51), ("123", 5), ("abc12", 5), ("", 5)]
        {
            assert_eq!(typed(text, step), keys(text), "{text} every {step} ms");
        }
    }

    #[test]
    fn a_burst_is_a_scan_and_its_digits_are_taken_back() {
        for (text, read, take_back) in [
            ("4901234567894", "4901234567894", 13),
            ("４９０１２３", "490123", 6),
            ("A37859+B", "A37859+B", 0),
            ("01-R000012", "01-R000012", 2),
        ] {
            let out = typed(text, 10);
            let given = out.len() - 1;
            assert_eq!(given, take_back, "{text}");
            assert_eq!(out.last(), Some(&Wedge::Scan { text: read.into(), take_back }));
        }
    }

    #[test]
    fn a_digit_is_given_at_once_and_a_letter_after_a_moment() {
        let mut reader = WedgeReader::default();
        assert_eq!(reader.press(WedgeKey::Char('3'), 100), [key('3')]);
        assert_eq!(reader.due(), None);
        assert_eq!(reader.press(WedgeKey::Char('q'), 300), []);
        assert_eq!(reader.due(), Some(351));
        assert_eq!(reader.tick(350), []);
        assert_eq!(reader.tick(351), [key('q')]);
        assert_eq!(reader.due(), None);
    }

    #[test]
    fn a_hand_before_the_scanner_keeps_its_digits() {
        let mut reader = WedgeReader::default();
        assert_eq!(reader.press(WedgeKey::Char('3'), 0), [key('3')]);
        for at in 0..8 {
            assert_eq!(reader.press(WedgeKey::Char('1'), 500 + at * 10), [key('1')]);
        }
        assert_eq!(
            reader.press(WedgeKey::Tab, 580),
            [Wedge::Scan { text: "11111111".into(), take_back: 8 }]
        );
    }

    #[test]
    fn digits_of_a_scan_that_still_wait_are_never_carried_out() {
        let scan = |take_back| Wedge::Scan { text: "4901234".into(), take_back };
        let enter = Wedge::Key(WedgeKey::Enter);
        for (waiting, take_back, left) in [
            (vec![], 3, vec![scan(3)]),
            (vec![key('4'), key('9')], 3, vec![scan(1)]),
            (vec![enter.clone(), key('4'), key('9'), key('0')], 3, vec![enter.clone(), scan(0)]),
            (vec![key('2'), key('4'), key('9')], 2, vec![key('2'), scan(0)]),
            (vec![enter.clone()], 1, vec![enter, scan(1)]),
        ] {
            let mut given = waiting.clone();
            Wedge::queue(&mut given, vec![scan(take_back)]);
            assert_eq!(given, left, "{waiting:?}");
        }
    }

    #[test]
    fn an_endless_burst_is_swallowed() {
        let out = typed(&"9".repeat(4_096), 1);
        assert_eq!(out.len(), LONGEST_SCAN + 1);
        assert_eq!(
            out.last(),
            Some(&Wedge::Rejected { why: Reject::TooLong, take_back: LONGEST_SCAN })
        );
    }

    #[test]
    fn a_burst_with_a_strange_character_is_no_scan() {
        assert_eq!(typed("abc\"def", 5), [Wedge::Rejected { why: Reject::Key, take_back: 0 }]);
    }
}
