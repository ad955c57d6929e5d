//! Star's own language: the commands of one paper, and the drawer's pulse (japan.md 4.3).
//!
//! Room: devices. May touch: the profile, memory. May not: lay anything out (`render` does), or a printer.
//! Invariant: every byte below 0x20 in the stream belongs to a command written in this file.
//! Source: Star's StarPRNT and Star Line mode command specifications, which differ here in pictures only.

use super::cp932::{self, Encoded};
use super::profile::{Drawer, Kanji, Pin, Profile, Raster};
use super::raster::Bitmap;
use super::render::{Commands, QR_CELL, WholeOrPartial};
use crate::domain::document::{Align, Style};

/// Rows of one `ESC k` band; as high as the lower of the two line feeds, 3 mm.
const LINE_MODE_ROWS: usize = 24;
/// Height of a bar code, in dots.
const BAR_DOTS: u8 = 80;
/// Lines a feed takes in one command.
const MOST_LINES: u8 = 127;

/// Returns the pulse that opens the drawer (japan.md EP-07): its length is set, then it is given.
/// Device 2 has one length, 200 ms.
pub(super) fn drawer_pulse(drawer: &Drawer) -> Vec<u8> {
    let tens = |ms: u16| ms.div_ceil(10).clamp(1, 127) as u8;
    match drawer.pin {
        Pin::Two => vec![0x1b, 0x07, tens(drawer.on_ms.get()), tens(drawer.off_ms.get()), 0x07],
        Pin::Five => vec![0x1a],
    }
}

/// Writes StarPRNT, or Star Line mode, for one profile.
pub(super) struct Star<'a> {
    bytes: Vec<u8>,
    profile: &'a Profile,
}

impl<'a> Star<'a> {
    pub(super) fn new(profile: &'a Profile) -> Self {
        Self { bytes: Vec::new(), profile }
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// `ESC b`: text underneath and a line feed after it ('2'), two dots a bar ('1').
    fn bars(&mut self, kind: u8, data: &[u8]) {
        self.raw(&[0x1b, b'b', kind, b'2', b'1', BAR_DOTS]);
        self.raw(data);
        self.raw(&[0x1e]);
    }

    /// Prints the rows as one block of dots, with the command of `head` before them.
    fn dots<'r>(&mut self, head: &[u8], rows: impl Iterator<Item = &'r Vec<u8>>) {
        self.raw(head);
        let begin = self.bytes.len();
        self.bytes.extend(rows.flatten());
        thicken_questions(&mut self.bytes[begin..]);
    }

    fn star_prnt_picture(&mut self, picture: &Bitmap) {
        let [wide_low, wide_high] = (picture.bytes_per_row() as u16).to_le_bytes();
        for rows in picture.rows().chunks(usize::from(self.profile.max_raster_rows.get())) {
            let [tall_low, tall_high] = (rows.len() as u16).to_le_bytes();
            let head = [0x1b, 0x1d, b'S', 1, wide_low, wide_high, tall_low, tall_high, 0];
            self.dots(&head, rows.iter());
        }
    }

    fn line_mode_picture(&mut self, picture: &Bitmap) {
        let [wide_low, wide_high] = (picture.bytes_per_row() as u16).to_le_bytes();
        let white = vec![0; picture.bytes_per_row()];
        self.raw(&[0x1b, b'0']); // A feed as high as a band.
        for rows in picture.rows().chunks(LINE_MODE_ROWS) {
            let missing = LINE_MODE_ROWS - rows.len();
            let rows = rows.iter().chain(std::iter::repeat_n(&white, missing));
            self.dots(&[0x1b, b'k', wide_low, wide_high], rows);
            self.raw(b"\n");
        }
        self.raw(&[0x1b, b'z', b'1']);
    }
}

impl Commands for Star<'_> {
    /// After the reset: the state is told when it is asked for, font A without spaces, feeds of 4 mm, Japan's
    /// characters (`¥` at 5C), and Shift_JIS or the katakana page.
    fn prepare(&mut self) {
        self.raw(&[0x1b, b'@', 0x1b, 0x1e, b'a', 0, 0x1b, 0x1e, b'F', 0, 0x1b, b' ', b'0']);
        self.raw(&[0x1b, b'z', b'1']);
        match self.profile.kanji {
            Kanji::None => self.raw(&[0x1b, 0x1d, b't', 2]),
            // Kanji are two columns wide: no dots beside them.
            _ => self.raw(&[0x1b, b's', b'0', b'0', 0x1b, b'$', b'1']),
        }
        self.raw(&[0x1b, b'R', b'8']);
    }

    fn turn(&mut self, from: Style, to: Style) {
        if (from.wide, from.tall) != (to.wide, to.tall) {
            self.raw(&[0x1b, b'i', u8::from(to.tall), u8::from(to.wide)]);
        }
        if from.bold != to.bold {
            self.raw(&[0x1b, if to.bold { b'E' } else { b'F' }]);
        }
        if from.underline != to.underline {
            self.raw(&[0x1b, b'-', b'0' + u8::from(to.underline)]);
        }
        if from.reverse != to.reverse {
            self.raw(&[0x1b, if to.reverse { b'4' } else { b'5' }]);
        }
    }

    /// Kanji need no command around them: the printer goes by their first byte.
    fn text(&mut self, text: &str) {
        let Encoded { bytes, .. } = cp932::encode(text, self.profile.repertoire());
        self.raw(&bytes);
    }

    fn end_line(&mut self) {
        self.raw(b"\n");
    }

    fn feed(&mut self, lines: u8) {
        let mut left = lines;
        while left > 0 {
            let some = left.min(MOST_LINES);
            self.raw(&[0x1b, b'a', some]);
            left -= some;
        }
    }

    fn cut(&mut self, cut: WholeOrPartial) {
        let how = match cut {
            WholeOrPartial::Whole => 2,
            WholeOrPartial::Partial => 3,
        };
        self.raw(&[0x1b, b'd', how]);
    }

    fn place(&mut self, align: Align) {
        let place = match align {
            Align::Left => 0,
            Align::Center => 1,
            Align::Right => 2,
        };
        self.raw(&[0x1b, 0x1d, b'a', place]);
    }

    fn picture(&mut self, picture: &Bitmap) {
        match self.profile.raster {
            Raster::Starline => self.line_mode_picture(picture),
            _ => self.star_prnt_picture(picture),
        }
    }

    /// Model 2, level M.
    fn qr(&mut self, text: &str) {
        let [low, high] = (text.len() as u16).to_le_bytes();
        let command = [0x1b, 0x1d, b'y'];
        for setting in [&[b'S', b'0', 2][..], &[b'S', b'1', 1], &[b'S', b'2', QR_CELL]] {
            self.raw(&command);
            self.raw(setting);
        }
        self.raw(&command);
        self.raw(&[b'D', b'1', 0, low, high]);
        self.raw(text.as_bytes());
        self.raw(&command);
        self.raw(b"P");
    }

    fn jan(&mut self, digits: &str) {
        let kind = if digits.len() == 13 { b'3' } else { b'2' };
        self.bars(kind, digits.as_bytes());
    }

    /// `%` begins an escape of Star's, `%0` is one of its own.
    fn code128(&mut self, text: &str) {
        self.bars(b'6', text.replace('%', "%0").as_bytes());
    }

    fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Adds a dot where dots read as `ESC ACK SOH`: a printer answers it wherever it stands, and the picture would be
/// three bytes short. One dot more is not seen on paper.
fn thicken_questions(dots: &mut [u8]) {
    for at in 2..dots.len() {
        if dots[at - 2..=at] == [0x1b, 6, 1] {
            dots[at] |= 0b10;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::profile::{Cut, Profiles};
    use crate::devices::render::{drawer_pulse, render};
    use crate::domain::document::{Block, Document};

    fn profile(name: &str) -> Profile {
        let profiles = Profiles::load(&[]).expect("shipped profiles are right");
        profiles.get(name).expect("it is shipped").clone()
    }

    fn bytes(document: &Document, profile: &Profile) -> Vec<u8> {
        render(document, profile, None).bytes
    }

    fn holds(stream: &[u8], part: &[u8]) -> bool {
        stream.windows(part.len()).any(|window| window == part)
    }

    fn one(block: Block) -> Document {
        Document { blocks: vec![block] }
    }

    #[test]
    fn a_cut_and_a_pulse_go_out_as_the_acceptance_table_says() {
        let star = profile("star-mc-print3");
        assert!(bytes(&one(Block::Cut), &star).ends_with(&[0x1b, 0x64, 0x03])); // EP-07
        let pulse = drawer_pulse(&star).expect("it has one");
        assert_eq!(pulse.bytes, [0x1b, 0x07, 0x14, 0x14, 0x07]); // EP-07
        assert_eq!(pulse.real_time, None);
    }

    #[test]
    fn each_profile_cuts_as_it_can() {
        for (cut, want) in [
            (Cut::Partial, [0x1b, 0x64, 0x03]),
            (Cut::Full, [0x1b, 0x64, 0x02]),
            (Cut::None, [0x1b, 0x61, 0x04]),
        ] {
            let profile = Profile { cut, ..profile("generic-star") };
            assert!(bytes(&one(Block::Cut), &profile).ends_with(&want), "{cut:?}");
        }
    }

    #[test]
    fn a_pulse_is_as_long_as_the_profile_says_within_what_star_can() {
        let mut drawer = profile("star-mc-print3").drawer.expect("it has one");
        for (on, off, want) in [
            (2, 2, [0x1b, 7, 1, 1, 7]),
            (50, 501, [0x1b, 7, 5, 51, 7]),
            (510, 510, [0x1b, 7, 51, 51, 7]),
        ] {
            drawer.on_ms = on.try_into().expect("it is allowed");
            drawer.off_ms = off.try_into().expect("it is allowed");
            assert_eq!(super::drawer_pulse(&drawer), want, "{on} {off}");
        }
        drawer.pin = Pin::Five;
        assert_eq!(super::drawer_pulse(&drawer), [0x1a]);
    }

    #[test]
    fn kanji_and_kana_stand_side_by_side_without_a_command() {
        let mut document = Document::default();
        document.text("領収書ｱ¥1");
        let stream = bytes(&document, &profile("star-mc-print3"));
        let want = [0x97, 0xcc, 0x8e, 0xfb, 0x8f, 0x91, 0xb1, 0x5c, b'1', b'\n'];
        assert!(stream.ends_with(&want), "{stream:02x?}");
        assert!(holds(&stream, &[0x1b, 0x24, 0x31]) && holds(&stream, &[0x1b, 0x52, 0x38]));
    }

    #[test]
    fn a_style_is_sent_once_and_taken_back() {
        let mut document = Document::default();
        let wide = Style { wide: true, ..Style::BOLD };
        document.styled("ab", Align::Left, wide).styled("cd", Align::Left, wide).text("ef");
        let stream = bytes(&document, &profile("generic-star"));
        assert!(stream.ends_with(b"\x1bi\x00\x01\x1bEab\ncd\n\x1bi\x00\x00\x1bFef\n"));
        let marked = Style { underline: true, reverse: true, ..Style::PLAIN };
        let mut document = Document::default();
        document.styled("ab", Align::Left, marked).text("c");
        let stream = bytes(&document, &profile("generic-star"));
        assert!(stream.ends_with(b"\x1b-1\x1b4ab\n\x1b-0\x1b5c\n"));
    }

    #[test]
    fn codes_are_drawn_by_the_printer() {
        let star = profile("generic-star");
        let stream = bytes(&one(Block::Qr("https://example.jp/r/1".into())), &star);
        let want = [
            &b"\x1b\x1dyS0\x02\x1b\x1dyS1\x01\x1b\x1dyS2\x04\x1b\x1dyD1\x00\x16\x00"[..],
            b"https://example.jp/r/1\x1b\x1dyP",
        ];
        assert!(holds(&stream, &want.concat()), "{stream:02x?}");
        let code = |text: &str| bytes(&one(Block::Barcode(text.into())), &star);
        assert!(holds(&code("4901234567894"), b"\x1bb321P4901234567894\x1e"));
        assert!(holds(&code("49968712"), b"\x1bb221P49968712\x1e"));
        assert!(holds(&code("01-000123"), b"\x1bb621P01-000123\x1e"));
        assert!(holds(&code("5%"), b"\x1bb621P5%0\x1e"));
    }

    #[test]
    fn a_picture_goes_in_blocks_that_the_printer_takes() {
        let logo = Bitmap::from_dots(16, 50, |_, _| true);
        let document = one(Block::Logo);
        let star =
            Profile { max_raster_rows: 40.try_into().expect("40"), ..profile("generic-star") };
        let stream = render(&document, &star, Some(&logo)).bytes;
        let block = |rows: u8| {
            let black = vec![0xff; 2 * usize::from(rows)];
            [&[0x1b, 0x1d, b'S', 1, 2, 0, rows, 0, 0][..], &black].concat()
        };
        assert!(holds(&stream, &[block(40), block(10)].concat()));
        let line = render(&document, &profile("star-tsp650ii"), Some(&logo)).bytes;
        let band = |black: usize| {
            let (black, white) = (vec![0xff; 2 * black], vec![0; 2 * (24 - black)]);
            [&[0x1b, b'k', 2, 0][..], &black, &white, b"\n"].concat()
        };
        let want = [vec![0x1b, b'0'], band(24), band(24), band(2), b"\x1bz1".to_vec()];
        assert!(holds(&line, &want.concat()), "{line:02x?}");
    }

    #[test]
    fn dots_never_ask_for_the_state() {
        let question = [0x1b_u8, 0x06, 0x01];
        let dot = |x: usize, _| question[x / 8] & (0x80 >> (x % 8)) != 0;
        let logo = Bitmap::from_dots(24, 30, dot);
        for name in ["star-mc-print3", "star-tsp650ii"] {
            let stream = render(&one(Block::Logo), &profile(name), Some(&logo)).bytes;
            assert!(holds(&stream, &[0x1b, 0x06, 0x03]) && !holds(&stream, &question), "{name}");
        }
    }
}
