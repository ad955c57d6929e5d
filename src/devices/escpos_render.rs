//! ESC/POS: the commands of one paper, and the drawer's pulse.
//!
//! Room: devices. May touch: the profile, memory. May not: lay anything out (`render` does), or a printer.
//! Invariant: every byte below 0x20 in the stream belongs to a command written in this file.

use std::cell::RefCell;
use std::rc::Rc;

use escpos::driver::Driver;
use escpos::errors::PrinterError;
use escpos::printer::Printer;
use escpos::utils::{
    CharacterSet, Encoder, JustifyMode, Protocol, QRCodeCorrectionLevel, QRCodeModel, QRCodeOption,
    UnderlineMode,
};

use super::cp932::{self, Encoded};
use super::profile::{Drawer, Kanji, Pin, Profile};
use super::raster::Bitmap;
use super::render::{Commands, QR_CELL, WholeOrPartial};
use crate::domain::document::{Align, Style};

/// Returns the pulse that opens the drawer (japan.md EP-02); to be sent once, never again.
pub fn drawer_pulse(drawer: &Drawer) -> Vec<u8> {
    let units = |ms: u16| u8::try_from(ms / 2).unwrap_or(u8::MAX);
    let on = units(drawer.on_ms.get());
    let off = units(drawer.off_ms.get()).max(on);
    // 10 05 and 10 14 would be read as real-time commands of their own.
    let off = if on == 0x10 && off == 0x14 { 0x15 } else { off };
    vec![0x1b, b'p', pin(drawer), on, off]
}

/// Returns the pulse in its real-time form (`DLE DC4 1`), for a printer that waits for paper and
/// obeys nothing else. It is as long as the ordinary one, in steps of 100 ms.
pub fn drawer_pulse_now(drawer: &Drawer) -> Vec<u8> {
    let steps = drawer.on_ms.get().div_ceil(100).clamp(1, 8);
    vec![0x10, 0x14, 1, pin(drawer), steps as u8]
}

fn pin(drawer: &Drawer) -> u8 {
    match drawer.pin {
        Pin::Two => 0,
        Pin::Five => 1,
    }
}

/// What the commands are written on: memory.
#[derive(Clone, Default)]
struct Tape(Rc<RefCell<Vec<u8>>>);

impl Driver for Tape {
    fn name(&self) -> String {
        "tape".into()
    }

    fn write(&self, data: &[u8]) -> Result<(), PrinterError> {
        self.0.borrow_mut().extend_from_slice(data);
        Ok(())
    }

    fn read(&self, _: &mut [u8]) -> Result<usize, PrinterError> {
        Ok(0)
    }

    fn flush(&self) -> Result<(), PrinterError> {
        Ok(())
    }
}

/// What a command of the crate returns.
type Pressed<'a> = Result<&'a mut Printer<Tape>, PrinterError>;

/// Writes ESC/POS for one profile.
pub(super) struct EscPos<'a> {
    printer: Printer<Tape>,
    tape: Tape,
    profile: &'a Profile,
}

impl<'a> EscPos<'a> {
    pub(super) fn new(profile: &'a Profile) -> Self {
        // The encoder of the crate is never used: text goes through `cp932` and `custom`.
        let protocol = Protocol::new(Encoder::new(encoding_rs::SHIFT_JIS));
        let tape = Tape::default();
        Self { printer: Printer::new(tape.clone(), protocol, None), tape, profile }
    }

    fn press(&mut self, write: impl FnOnce(&mut Printer<Tape>) -> Pressed<'_>) {
        write(&mut self.printer).expect("a tape in memory takes every command this file writes");
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.press(|printer| printer.custom(bytes));
    }

    fn select_shift_jis(&mut self, code: u8) {
        let code = if self.profile.fsc_binary { code } else { b'0' + code };
        self.raw(&[0x1c, b'S', 0, 0]); // No space between kanji: they are two columns wide.
        self.raw(&[0x1c, b'C', code]);
    }

    fn underline(&mut self, on: bool) {
        let mode = if on { UnderlineMode::Single } else { UnderlineMode::None };
        self.press(|printer| printer.underline(mode));
        if self.profile.kanji != Kanji::None {
            self.raw(&[0x1c, b'-', u8::from(on)]); // Kanji have an underline of their own.
        }
    }

    /// Kanji stand between `FS &` and `FS .` (japan.md EP-01); half-width kana must not.
    fn shift_jis(&mut self, text: &str) {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let kanji = cp932::is_kanji(first);
            let end = rest.find(|c| cp932::is_kanji(c) != kanji).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            if kanji {
                self.raw(&[0x1c, b'&']);
                self.encoded(run);
                self.raw(&[0x1c, b'.']);
            } else {
                self.encoded(run);
            }
            rest = after;
        }
    }

    fn encoded(&mut self, text: &str) {
        let Encoded { bytes, .. } = cp932::encode(text, self.profile.repertoire());
        self.raw(&bytes);
    }

    fn bars(&mut self, kind: u8, data: &[u8]) {
        self.raw(&[0x1d, b'w', 2, 0x1d, b'h', 80, 0x1d, b'H', 2]);
        self.raw(&[0x1d, b'k', kind, data.len() as u8]);
        self.raw(data);
    }
}

impl Commands for EscPos<'_> {
    /// Sets what `ESC @` has reset: Japan's characters (`¥` at 5C), the katakana page, kanji.
    fn prepare(&mut self) {
        self.press(|printer| printer.init()?.character_set(CharacterSet::Japan));
        self.raw(&[0x1b, b't', 1]);
        match self.profile.kanji {
            Kanji::None => {}
            Kanji::Sjis => self.select_shift_jis(1),
            Kanji::Sjis2004 => self.select_shift_jis(2),
            Kanji::Utf8 => {
                self.raw(&[0x1c, b'(', b'C', 2, 0, 0x30, 2]);
                self.raw(&[0x1c, b'(', b'C', 3, 0, 0x3c, 0, 0x0b]);
            }
        }
    }

    fn turn(&mut self, from: Style, to: Style) {
        if (from.wide, from.tall) != (to.wide, to.tall) {
            self.press(|printer| printer.size(1 + u8::from(to.wide), 1 + u8::from(to.tall)));
        }
        if from.bold != to.bold {
            self.press(|printer| printer.bold(to.bold));
        }
        if from.underline != to.underline {
            self.underline(to.underline);
        }
        if from.reverse != to.reverse {
            self.press(|printer| printer.reverse(to.reverse));
        }
    }

    fn text(&mut self, text: &str) {
        match self.profile.kanji {
            Kanji::Utf8 => self.raw(text.as_bytes()),
            Kanji::None => self.encoded(text),
            Kanji::Sjis | Kanji::Sjis2004 => self.shift_jis(text),
        }
    }

    fn end_line(&mut self) {
        self.raw(b"\n");
    }

    fn feed(&mut self, lines: u8) {
        self.press(|printer| printer.feeds(lines));
    }

    fn cut(&mut self, cut: WholeOrPartial) {
        match cut {
            WholeOrPartial::Whole => self.press(|printer| printer.cut()),
            WholeOrPartial::Partial => self.raw(&[0x1d, b'V', b'B', 0]),
        }
    }

    fn place(&mut self, align: Align) {
        self.press(|printer| {
            printer.justify(match align {
                Align::Left => JustifyMode::LEFT,
                Align::Center => JustifyMode::CENTER,
                Align::Right => JustifyMode::RIGHT,
            })
        });
    }

    fn picture(&mut self, picture: &Bitmap) {
        for band in picture.bands(self.profile.max_raster_rows.get()) {
            self.raw(&band);
        }
    }

    fn qr(&mut self, text: &str) {
        let option = QRCodeOption::new(QRCodeModel::Model2, QR_CELL, QRCodeCorrectionLevel::M);
        self.press(|printer| printer.qrcode_option(text, option));
    }

    fn jan(&mut self, digits: &str) {
        let kind = if digits.len() == 13 { 67 } else { 68 };
        self.bars(kind, digits.as_bytes());
    }

    /// Set B throughout.
    fn code128(&mut self, text: &str) {
        let data = format!("{{B{}", text.replace('{', "{{"));
        self.bars(73, data.as_bytes());
    }

    fn into_bytes(mut self) -> Vec<u8> {
        self.press(|printer| printer.print());
        self.tape.0.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::profile::{Cut, Profiles, Raster};
    use crate::devices::raster::real_time_commands;
    use crate::devices::render::render;
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
    fn kanji_go_out_as_the_acceptance_table_says() {
        let mut document = Document::default();
        document.text("領収書");
        let want =
            [0x1c, 0x43, 0x01, 0x1c, 0x26, 0x97, 0xcc, 0x8e, 0xfb, 0x8f, 0x91, 0x1c, 0x2e, 0x0a];
        assert!(bytes(&document, &profile("epson-tm-t20")).ends_with(&want)); // EP-01
    }

    #[test]
    fn the_drawer_pulse_is_as_long_as_the_profile_says() {
        let mut drawer = profile("epson-tm-t88").drawer.expect("it has one");
        assert_eq!(drawer_pulse(&drawer), [0x1b, 0x70, 0x00, 0x19, 0xfa]); // EP-02
        (drawer.pin, drawer.on_ms) = (Pin::Five, 32.try_into().expect("32 ms is allowed"));
        drawer.off_ms = 40.try_into().expect("40 ms is allowed");
        assert_eq!(drawer_pulse(&drawer), [0x1b, 0x70, 0x01, 0x10, 0x15]);
        assert_eq!(real_time_commands(&drawer_pulse(&drawer)), 0);
    }

    #[test]
    fn each_profile_cuts_as_it_can() {
        for (cut, want) in [
            (Cut::Partial, &[0x1d, 0x56, 0x42, 0x00][..]), // EP-03
            (Cut::Full, &[0x1d, 0x56, 0x41, 0x00]),
            (Cut::None, &[0x1b, 0x64, 0x04]),
        ] {
            let profile = Profile { cut, ..profile("generic-80") };
            assert!(bytes(&one(Block::Cut), &profile).ends_with(want), "{cut:?}");
        }
    }

    #[test]
    fn a_qr_code_is_drawn_by_the_printer_or_by_us_or_printed_as_text() {
        let document = one(Block::Qr("https://example.jp/r/1".into()));
        let own = bytes(&document, &profile("epson-tm-t20"));
        let mut want = Vec::new(); // EP-08
        want.extend([0x1d, 0x28, 0x6b, 4, 0, 0x31, 0x41, 0x32, 0, 0x1d, 0x28, 0x6b, 3, 0, 0x31]);
        want.extend([0x43, 4, 0x1d, 0x28, 0x6b, 3, 0, 0x31, 0x45, 0x31, 0x1d, 0x28, 0x6b, 0x19, 0]);
        want.extend([0x31, 0x50, 0x30]);
        want.extend(b"https://example.jp/r/1");
        want.extend([0x1d, 0x28, 0x6b, 3, 0, 0x31, 0x51, 0x30]);
        assert!(holds(&own, &want));
        assert!(holds(&bytes(&document, &profile("generic-80")), &[0x1d, b'v', b'0', 0]));
        let plain = Profile { raster: Raster::None, ..profile("generic-80") };
        assert!(holds(&bytes(&document, &plain), b"https://example.jp/r/1"));
    }

    #[test]
    fn a_code_too_long_to_draw_is_printed_as_text() {
        let long = one(Block::Qr("x".repeat(2_000)));
        assert!(!holds(&bytes(&long, &profile("epson-tm-t20")), &[0x1d, 0x28, 0x6b]));
        let slip = one(Block::Barcode("漢字".into()));
        assert!(!holds(&bytes(&slip, &profile("epson-tm-t20")), &[0x1d, b'k']));
    }

    #[test]
    fn a_receipt_number_becomes_a_code_128() {
        let stream = bytes(&one(Block::Barcode("01-000123".into())), &profile("epson-58"));
        assert!(holds(&stream, b"\x1dk\x49\x0b{B01-000123"));
        assert!(holds(
            &bytes(&one(Block::Barcode("01-000123".into())), &profile("generic-58")),
            b"01-000123\n"
        ));
    }

    #[test]
    fn a_style_is_sent_once_and_taken_back() {
        let mut document = Document::default();
        document.styled("ab", Align::Left, Style::BIG).styled("cd", Align::Left, Style::BIG);
        document.text("ef");
        let stream = bytes(&document, &profile("epson-tm-t20"));
        assert!(stream.ends_with(b"\x1d!\x11ab\ncd\n\x1d!\x00ef\n"));
    }

    #[test]
    fn a_printer_without_kanji_gets_katakana_and_no_kanji_command() {
        let kana = Profile { kanji: Kanji::None, ..profile("generic-58") };
        let mut document = Document::default();
        document.pair("ゴウケイ", "¥1,957");
        let rendered = render(&document, &kana, None);
        assert_eq!(rendered.replaced, 0);
        assert!(holds(&rendered.bytes, &[0xba, 0xde, 0xb3, 0xb9, 0xb2]));
        assert!(!rendered.bytes.contains(&0x1c));
    }

    #[test]
    fn a_utf8_printer_gets_utf8_in_the_japanese_font() {
        let utf8 = Profile { kanji: Kanji::Utf8, ..profile("epson-tm-t20") };
        let mut document = Document::default();
        document.text("領収書");
        let stream = bytes(&document, &utf8);
        assert!(holds(&stream, &[0x1c, 0x28, 0x43, 2, 0, 0x30, 2]));
        assert!(holds(&stream, "領収書\n".as_bytes()));
    }

    #[test]
    fn characters_lost_are_counted_once() {
        let mut document = Document::default();
        document.center("🍣🍣").pair("🍣", "¥1");
        assert_eq!(render(&document, &profile("epson-tm-t20"), None).replaced, 3);
    }
}
