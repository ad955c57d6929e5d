//! A second opinion on Star's own language: it reads a stream command by command, as a printer would, and
//! shares no line with the encoder or the layout.
//!
//! Invariant: a byte that belongs to no known command, and to no character of the mode the
//! printer stands in, is an error with its place.
//! Written from Star's tables of commands (StarPRNT and Line mode), not from what writes them.

use encoding_rs::SHIFT_JIS;

use crate::escpos_decoder::{Letter, Line, Paper, Stream, Unknown};

/// A printer's settings, as `ESC @` leaves them.
#[derive(Debug, Clone, Copy, Default)]
struct Mode {
    shift_jis: bool,
    katakana_page: bool,
    japan: bool,
    tall: u8,
    wide: u8,
    bold: bool,
    underline: bool,
    reverse: bool,
    /// Feeds of 3 mm: a band of `ESC k` is as high.
    narrow_feed: bool,
    align: u8,
}

/// What a QR code is made of so far.
#[derive(Debug, Default)]
struct Qr {
    model: u8,
    level: u8,
    cell: u8,
    text: Option<String>,
}

/// Reads a whole stream.
pub fn decode(stream: &[u8]) -> Result<Paper, Unknown> {
    let mut decoder = Decoder {
        stream: Stream { bytes: stream, at: 0 },
        mode: Mode::default(),
        paper: Paper::default(),
        line: Line::default(),
        qr: Qr::default(),
        pulse_set: None,
        band: false,
    };
    while decoder.stream.at < stream.len() {
        decoder.step()?;
    }
    if !decoder.line.letters.is_empty() {
        decoder.feed(1);
    }
    Ok(decoder.paper)
}

/// Counts what a printer would answer in the middle of other data (`ESC ACK SOH`).
pub fn hits(stream: &[u8]) -> usize {
    stream.windows(3).filter(|bytes| *bytes == [0x1b, 0x06, 0x01]).count()
}

struct Decoder<'a> {
    stream: Stream<'a>,
    mode: Mode,
    paper: Paper,
    line: Line,
    qr: Qr,
    /// Tens of milliseconds on and off.
    pulse_set: Option<(u8, u8)>,
    /// A band of dots waits for its line feed.
    band: bool,
}

impl Decoder<'_> {
    fn feed(&mut self, lines: usize) {
        for _ in 0..lines {
            self.paper.lines.push(std::mem::take(&mut self.line));
        }
    }

    fn step(&mut self) -> Result<(), Unknown> {
        match self.stream.peek(0).unwrap_or_default() {
            b'\n' => {
                self.stream.at += 1;
                if !std::mem::take(&mut self.band) {
                    self.feed(1);
                }
                Ok(())
            }
            _ if self.band
                && self.stream.bytes.get(self.stream.at..self.stream.at + 2) != Some(b"\x1bk") =>
            {
                Err(self.stream.unknown()) // Letters beside dots.
            }
            0x07 => {
                self.pulse_set.ok_or_else(|| self.stream.unknown())?;
                self.paper.pulses += 1;
                self.stream.take(1).map(drop)
            }
            0x1a => {
                self.paper.pulses += 1;
                self.stream.take(1).map(drop)
            }
            0x1b => self.escape(),
            byte if byte >= 0x20 && byte != 0x7f => self.letter(byte),
            _ => Err(self.stream.unknown()),
        }
    }

    fn escape(&mut self) -> Result<(), Unknown> {
        let value = self.stream.peek(2).unwrap_or_default();
        let length = match self.stream.peek(1).unwrap_or_default() {
            b'@' => {
                self.mode = Mode::default();
                2
            }
            0x07 => {
                let (on, off) = (value, self.stream.peek(3).unwrap_or_default());
                if !(1..=127).contains(&on) || !(1..=127).contains(&off) {
                    return Err(self.stream.unknown());
                }
                self.pulse_set = Some((on, off));
                4
            }
            b'E' | b'F' => {
                self.mode.bold = self.stream.peek(1) == Some(b'E');
                2
            }
            b'4' | b'5' => {
                self.mode.reverse = self.stream.peek(1) == Some(b'4');
                2
            }
            b'0' => {
                self.mode.narrow_feed = true;
                2
            }
            b'z' if value == b'1' => {
                self.mode.narrow_feed = false;
                3
            }
            b'-' if matches!(value, b'0' | b'1') => {
                self.mode.underline = value == b'1';
                3
            }
            b'i' if value <= 5 && self.stream.peek(3).is_some_and(|wide| wide <= 5) => {
                (self.mode.tall, self.mode.wide) = (value, self.stream.peek(3).unwrap_or_default());
                4
            }
            b'R' => {
                self.mode.japan = value == b'8';
                3
            }
            b'$' if matches!(value, b'0' | b'1') => {
                self.mode.shift_jis = value == b'1';
                3
            }
            b' ' if value == b'0' => 3,
            b's' if value == b'0' && self.stream.peek(3) == Some(b'0') => 4,
            b'a' if (1..=127).contains(&value) => {
                self.feed(usize::from(value));
                3
            }
            b'd' if value <= 3 => {
                self.paper.cuts.push(self.paper.lines.len());
                3
            }
            0x1e if matches!((value, self.stream.peek(3)), (b'a' | b'F', Some(0))) => 4,
            0x1d => return self.extended(value),
            b'b' => return self.barcode(),
            b'k' => return self.band(),
            _ => return Err(self.stream.unknown()),
        };
        self.stream.take(length).map(drop)
    }

    fn extended(&mut self, command: u8) -> Result<(), Unknown> {
        let value = self.stream.peek(3).unwrap_or_default();
        match command {
            b'a' if value <= 2 => {
                self.mode.align = value;
                self.stream.take(4).map(drop)
            }
            b't' => {
                self.mode.katakana_page = value == 2;
                self.stream.take(4).map(drop)
            }
            b'S' if value == 1 => {
                let (bytes, rows) = (self.stream.word(4)?, self.stream.word(6)?);
                if self.stream.peek(8) != Some(0) || rows == 0 || rows > 2400 {
                    return Err(self.stream.unknown());
                }
                self.stream.take(9)?;
                self.dots(bytes, rows)
            }
            b'y' => self.two_dimensional(value),
            _ => Err(self.stream.unknown()),
        }
    }

    /// Dots are nothing but dots: no question in them, no letters beside them.
    fn dots(&mut self, bytes: usize, rows: usize) -> Result<(), Unknown> {
        let dots = self.stream.take(bytes * rows)?;
        if hits(&dots) > 0 || !self.line.letters.is_empty() {
            return Err(self.stream.unknown());
        }
        self.paper.pictures.push((bytes * 8, rows));
        Ok(())
    }

    fn band(&mut self) -> Result<(), Unknown> {
        let bytes = self.stream.word(2)?;
        if !self.mode.narrow_feed || self.band {
            return Err(self.stream.unknown());
        }
        self.stream.take(4)?;
        self.band = true;
        self.dots(bytes, 24)
    }

    fn two_dimensional(&mut self, function: u8) -> Result<(), Unknown> {
        let (which, value) = (self.stream.peek(4), self.stream.peek(5).unwrap_or_default());
        match (function, which) {
            (b'S', Some(b'0')) if matches!(value, 1 | 2) => self.qr.model = value,
            (b'S', Some(b'1')) if value <= 3 => self.qr.level = value,
            (b'S', Some(b'2')) if (1..=8).contains(&value) => self.qr.cell = value,
            (b'D', Some(b'1')) if value == 0 => {
                let length = self.stream.word(6)?;
                self.stream.take(8)?;
                let data = self.stream.take(length)?;
                let text = String::from_utf8(data).map_err(|_| self.stream.unknown())?;
                if text.chars().any(char::is_control) {
                    return Err(self.stream.unknown());
                }
                self.qr.text = Some(text);
                return Ok(());
            }
            (b'P', _) if self.qr.model == 2 && self.qr.cell > 0 => {
                let text = self.qr.text.clone().ok_or_else(|| self.stream.unknown())?;
                self.paper.qr_codes.push(text);
                return self.stream.take(4).map(drop);
            }
            _ => return Err(self.stream.unknown()),
        }
        self.stream.take(6).map(drop)
    }

    /// `ESC b type text mode height data RS`.
    fn barcode(&mut self) -> Result<(), Unknown> {
        let rest = &self.stream.bytes[self.stream.at..];
        let end =
            rest.iter().position(|&byte| byte == 0x1e).ok_or_else(|| self.stream.unknown())?;
        let &[_, _, kind, b'1'..=b'4', b'1'..=b'3', 1..=255, ref data @ ..] = &rest[..end] else {
            return Err(self.stream.unknown());
        };
        let digits = data.iter().all(u8::is_ascii_digit);
        let text = match (kind, data.len()) {
            (b'3', 13) | (b'2', 8) if digits => data.to_vec(),
            (b'6', 1..) => self.code128(data)?,
            _ => return Err(self.stream.unknown()),
        };
        self.paper.barcodes.push(String::from_utf8_lossy(&text).into_owned());
        self.stream.take(end + 1).map(drop)
    }

    /// A `%` begins a pair; `%0` stands for itself.
    fn code128(&self, data: &[u8]) -> Result<Vec<u8>, Unknown> {
        let mut text = Vec::new();
        let mut bytes = data.iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'%' if bytes.next() == Some(&b'0') => text.push(b'%'),
                b'%' => return Err(self.stream.unknown()),
                0x20..=0x7e => text.push(byte),
                _ => return Err(self.stream.unknown()),
            }
        }
        Ok(text)
    }

    fn letter(&mut self, byte: u8) -> Result<(), Unknown> {
        let mode = self.mode;
        let (c, columns) = match byte {
            0x80..=0x9f | 0xe0..=0xff if mode.shift_jis => (self.kanji()?, 2),
            0x5c if mode.japan => ('¥', 1),
            0x20..=0x7e => (char::from(byte), 1),
            0xa1..=0xdf if mode.shift_jis || mode.katakana_page => {
                let c = char::from_u32(0xff61 + u32::from(byte) - 0xa1);
                (c.ok_or_else(|| self.stream.unknown())?, 1)
            }
            _ => return Err(self.stream.unknown()),
        };
        self.line.letters.push(Letter {
            c,
            columns: columns * usize::from(mode.wide + 1),
            size: (mode.wide + 1, mode.tall + 1),
            bold: mode.bold,
            underline: mode.underline,
            reverse: mode.reverse,
        });
        self.stream.at += columns;
        Ok(())
    }

    fn kanji(&self) -> Result<char, Unknown> {
        let pair = self
            .stream
            .bytes
            .get(self.stream.at..self.stream.at + 2)
            .ok_or_else(|| self.stream.unknown())?;
        let text = SHIFT_JIS
            .decode_without_bom_handling_and_without_replacement(pair)
            .ok_or_else(|| self.stream.unknown())?;
        text.chars().next().ok_or_else(|| self.stream.unknown())
    }
}
