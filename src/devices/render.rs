//! A document as bytes for one printer: what is laid out, pressed in the printer's language.
//!
//! Room: devices. May touch: the document, the profile, memory. May not: a printer (the bytes are
//! sent by `printer`, which must know how far it got).
//! Invariant: every byte below 0x20 in the stream belongs to a command that the language's own file writes.

use super::cp932;
use super::escpos_render::{self, EscPos};
use super::layout::{Face, LaidLine, Span, Wide, lay_out};
use super::profile::{Cut, Language, Profile, Raster, Status};
use super::raster::Bitmap;
use super::star_render::{self, Star};
use crate::domain::document::{Align, Document, Style};
use crate::domain::label::LabelCode;

/// Bytes of one paper, and how many characters the printer could not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub bytes: Vec<u8>,
    pub replaced: usize,
}

/// What opens a drawer; to be sent once, never again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulse {
    pub bytes: Vec<u8>,
    /// The form that a printer obeys though it waits for paper; `None`: it has none.
    pub real_time: Option<Vec<u8>>,
}

/// Dots a QR module is drawn with: read by every phone, four characters wide on 58 mm.
pub(super) const QR_CELL: u8 = 4;
/// Longest text of a QR code; a longer one is printed as text. It also keeps `10 04` out of the
/// length bytes of its command.
const LONGEST_QR: usize = 512;
/// Longest text of a bar code that fits 58 mm paper at two dots a bar.
const LONGEST_BARCODE: usize = 12;
/// Lines that bring the last print past the tear bar.
const TEAR_OFF_LINES: u8 = 4;

/// The commands of one language, each written when it is called.
pub(super) trait Commands {
    /// Resets the printer and sets Japan's characters.
    fn prepare(&mut self);
    /// Changes from one style to another; sends only what differs.
    fn turn(&mut self, from: Style, to: Style);
    /// Prints characters that the profile's repertoire holds.
    fn text(&mut self, text: &str);
    fn end_line(&mut self);
    /// Feeds at least one line.
    fn feed(&mut self, lines: u8);
    fn cut(&mut self, cut: WholeOrPartial);
    /// Places the pictures and codes that follow.
    fn place(&mut self, align: Align);
    /// Prints dots that fit the paper.
    fn picture(&mut self, picture: &Bitmap);
    /// Prints a code of 1 to 512 bytes without control characters.
    fn qr(&mut self, text: &str);
    /// Prints 13 or 8 digits, the last being the right check digit.
    fn jan(&mut self, digits: &str);
    /// Prints 1 to 12 characters from space to `~`.
    fn code128(&mut self, text: &str);
    /// Returns everything written.
    fn into_bytes(self) -> Vec<u8>;
}

/// How a printer with a cutter cuts; it feeds to its knife first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WholeOrPartial {
    Whole,
    Partial,
}

/// Returns `document` as bytes for a printer of this `profile`.
pub fn render(document: &Document, profile: &Profile, logo: Option<&Bitmap>) -> Rendered {
    let replaced = std::cell::Cell::new(0);
    let clean = |text: &str| {
        let printable = cp932::printable(text, profile.repertoire());
        replaced.set(replaced.get() + printable.replaced);
        printable.text
    };
    let face = Face {
        columns: usize::from(profile.columns.get()),
        clean: &clean,
        measure: cp932::columns,
        wide: Wide::Shown,
    };
    let lines = lay_out(document, &face);
    let bytes = match profile.language {
        Language::Escpos => Press::new(EscPos::new(profile), profile).print(&lines, logo),
        Language::Star => Press::new(Star::new(profile), profile).print(&lines, logo),
    };
    Rendered { bytes, replaced: replaced.get() }
}

/// Returns what opens the drawer of a printer of this `profile`; `None`: no drawer hangs on it.
pub fn drawer_pulse(profile: &Profile) -> Option<Pulse> {
    let drawer = profile.drawer.as_ref()?;
    Some(match (profile.language, profile.status) {
        // That SII's printers know DLE DC4 stands nowhere.
        (Language::Escpos, Status::Sii) => {
            Pulse { bytes: escpos_render::drawer_pulse(drawer), real_time: None }
        }
        (Language::Escpos, _) => Pulse {
            bytes: escpos_render::drawer_pulse(drawer),
            real_time: Some(escpos_render::drawer_pulse_now(drawer)),
        },
        // Star's FS and EM are real-time commands on its impact printers only.
        (Language::Star, _) => Pulse { bytes: star_render::drawer_pulse(drawer), real_time: None },
    })
}

/// Presses laid lines on paper, and finds another way where the printer lacks one.
struct Press<'a, C> {
    commands: C,
    profile: &'a Profile,
    /// Style the printer stands in.
    style: Style,
}

impl<'a, C: Commands> Press<'a, C> {
    fn new(commands: C, profile: &'a Profile) -> Self {
        Self { commands, profile, style: Style::PLAIN }
    }

    fn print(mut self, lines: &[LaidLine], logo: Option<&Bitmap>) -> Vec<u8> {
        self.commands.prepare();
        for line in lines {
            match line {
                LaidLine::Text(spans) => self.line(spans),
                LaidLine::Feed(0) => {}
                LaidLine::Feed(lines) => self.commands.feed(*lines),
                LaidLine::Logo => {
                    if let Some(logo) = logo {
                        self.picture(logo);
                    }
                }
                LaidLine::Qr(text) => self.qr(text),
                LaidLine::Barcode(text) => self.barcode(text),
                LaidLine::Cut => self.cut(),
            }
        }
        self.commands.into_bytes()
    }

    fn line(&mut self, spans: &[Span]) {
        for span in spans {
            self.turn_to(span.style);
            self.commands.text(&span.text);
        }
        self.commands.end_line();
    }

    fn turn_to(&mut self, style: Style) {
        let before = std::mem::replace(&mut self.style, style);
        self.commands.turn(before, style);
    }

    fn cut(&mut self) {
        self.turn_to(Style::PLAIN);
        match self.profile.cut {
            Cut::Full => self.commands.cut(WholeOrPartial::Whole),
            Cut::Partial => self.commands.cut(WholeOrPartial::Partial),
            Cut::None => self.commands.feed(TEAR_OFF_LINES),
        }
    }

    fn centered(&mut self, print: impl FnOnce(&mut C)) {
        self.commands.place(Align::Center);
        print(&mut self.commands);
        self.commands.place(Align::Left);
    }

    fn fits(&self, picture: &Bitmap) -> bool {
        self.profile.raster != Raster::None
            && picture.width_dots() <= usize::from(self.profile.dots.get())
    }

    fn picture(&mut self, picture: &Bitmap) {
        if self.fits(picture) {
            self.centered(|commands| commands.picture(picture));
        }
    }

    /// The printer's own code, or ours in dots, or at the worst the text.
    fn qr(&mut self, text: &str) {
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        if text.is_empty() || text.len() > LONGEST_QR {
            return self.caption(&text);
        }
        if self.profile.qr {
            return self.centered(|commands| commands.qr(&text));
        }
        let drawn = (self.profile.raster != Raster::None)
            .then(|| (2..=usize::from(QR_CELL)).rev().filter_map(|cell| Bitmap::qr(&text, cell)))
            .and_then(|mut codes| codes.find(|code| self.fits(code)));
        match drawn {
            Some(code) => self.picture(&code),
            None => self.caption(&text),
        }
    }

    /// A JAN as such; anything else as Code 128; two dots a bar, its text underneath.
    fn barcode(&mut self, text: &str) {
        if let (true, LabelCode::Jan(digits)) = (self.profile.barcode, LabelCode::of(text)) {
            return self.centered(|commands| commands.jan(&digits));
        }
        let plain = text.chars().all(|c| (' '..='~').contains(&c));
        if !self.profile.barcode || !plain || text.is_empty() || text.len() > LONGEST_BARCODE {
            return self.caption(text);
        }
        self.centered(|commands| commands.code128(text));
    }

    /// Prints the text of a code that could not be drawn.
    fn caption(&mut self, text: &str) {
        let mut says = Document::default();
        says.center(text);
        let clean = |text: &str| cp932::printable(text, self.profile.repertoire()).text;
        let columns = usize::from(self.profile.columns.get());
        let face = Face { columns, clean: &clean, measure: cp932::columns, wide: Wide::Shown };
        for line in lay_out(&says, &face) {
            if let LaidLine::Text(spans) = line {
                self.line(&spans);
            }
        }
    }
}
