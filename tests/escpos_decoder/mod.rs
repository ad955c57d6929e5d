//! A second opinion on ESC/POS: it reads a stream command by command, as a printer would, and
//! shares no line with the encoder or the layout.
//!
//! Invariant: a byte that belongs to no known command, and to no character of the mode the
//! printer stands in, is an error with its place.

use encoding_rs::SHIFT_JIS;

/// What came out of the printer.
#[derive(Debug, Default)]
pub struct Paper {
    pub lines: Vec<Line>,
    /// Number of lines printed before each cut.
    pub cuts: Vec<usize>,
    pub pulses: usize,
    pub qr_codes: Vec<String>,
    pub barcodes: Vec<String>,
    /// Width in dots and height in rows of each band of picture.
    pub pictures: Vec<(usize, usize)>,
    pub process_ids: Vec<[u8; 4]>,
}

/// One printed line.
#[derive(Debug, Default, Clone)]
pub struct Line {
    pub letters: Vec<Letter>,
}

/// One printed character and how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    pub c: char,
    /// Columns it takes, with its size.
    pub columns: usize,
    pub size: (u8, u8),
    pub bold: bool,
    pub underline: bool,
    pub reverse: bool,
}

impl Line {
    pub fn text(&self) -> String {
        self.letters.iter().map(|letter| letter.c).collect()
    }

    pub fn columns(&self) -> usize {
        self.letters.iter().map(|letter| letter.columns).sum()
    }
}

impl Paper {
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| line.text() + "\n").collect()
    }
}

/// Where a stream stops making sense.
#[derive(Debug, PartialEq, Eq)]
pub struct Unknown {
    pub at: usize,
    pub bytes: Vec<u8>,
}

/// A stream and how far it was read.
pub struct Stream<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

impl Stream<'_> {
    pub fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    pub fn unknown(&self) -> Unknown {
        let end = (self.at + 8).min(self.bytes.len());
        Unknown { at: self.at, bytes: self.bytes[self.at..end].to_vec() }
    }

    /// Takes `length` bytes as one command.
    pub fn take(&mut self, length: usize) -> Result<Vec<u8>, Unknown> {
        let bytes = self.bytes.get(self.at..self.at + length).ok_or_else(|| self.unknown())?;
        self.at += length;
        Ok(bytes.to_vec())
    }

    /// Two bytes, the low one first.
    pub fn word(&self, ahead: usize) -> Result<usize, Unknown> {
        match (self.peek(ahead), self.peek(ahead + 1)) {
            (Some(low), Some(high)) => Ok(usize::from(low) + 256 * usize::from(high)),
            _ => Err(self.unknown()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Jis,
    ShiftJis,
    Utf8,
}

/// A printer's settings, as `ESC @` leaves them.
#[derive(Debug, Clone, Copy)]
struct Mode {
    kanji: bool,
    code: Code,
    katakana_page: bool,
    japan: bool,
    size: (u8, u8),
    bold: bool,
    underline: bool,
    kanji_underline: bool,
    reverse: bool,
}

const RESET: Mode = Mode {
    kanji: false,
    code: Code::Jis,
    katakana_page: false,
    japan: false,
    size: (1, 1),
    bold: false,
    underline: false,
    kanji_underline: false,
    reverse: false,
};

/// Reads a whole stream.
pub fn decode(stream: &[u8]) -> Result<Paper, Unknown> {
    let mut decoder = Decoder {
        stream: Stream { bytes: stream, at: 0 },
        mode: RESET,
        paper: Paper::default(),
        line: Line::default(),
        qr: None,
    };
    while decoder.stream.at < stream.len() {
        decoder.step()?;
    }
    if !decoder.line.letters.is_empty() {
        decoder.feed(1);
    }
    Ok(decoder.paper)
}

struct Decoder<'a> {
    stream: Stream<'a>,
    mode: Mode,
    paper: Paper,
    line: Line,
    qr: Option<String>,
}

impl Decoder<'_> {
    fn step(&mut self) -> Result<(), Unknown> {
        match self.stream.peek(0).unwrap_or_default() {
            b'\n' => {
                self.stream.at += 1;
                self.feed(1);
                Ok(())
            }
            0x10 => self.real_time(),
            0x1b => self.escape(),
            0x1c => self.field(),
            0x1d => self.group(),
            byte if byte >= 0x20 && byte != 0x7f => self.letter(byte),
            _ => Err(self.stream.unknown()),
        }
    }

    fn feed(&mut self, lines: usize) {
        for _ in 0..lines {
            self.paper.lines.push(std::mem::take(&mut self.line));
        }
    }

    fn real_time(&mut self) -> Result<(), Unknown> {
        match (self.stream.peek(1), self.stream.peek(2)) {
            (Some(4), Some(1..=4)) | (Some(5), Some(1 | 2)) => self.stream.take(3).map(drop),
            (Some(0x14), Some(1)) => {
                self.paper.pulses += 1;
                self.stream.take(5).map(drop)
            }
            _ => Err(self.stream.unknown()),
        }
    }

    fn escape(&mut self) -> Result<(), Unknown> {
        let on = self.stream.peek(2).unwrap_or_default();
        match self.stream.peek(1) {
            Some(b'@') => {
                self.mode = RESET;
                self.stream.take(2).map(drop)
            }
            Some(b'p') => {
                self.paper.pulses += 1;
                self.stream.take(5).map(drop)
            }
            Some(b'E') if on <= 1 => {
                self.mode.bold = on == 1;
                self.stream.take(3).map(drop)
            }
            Some(b'-') if on <= 2 => {
                self.mode.underline = on > 0;
                self.stream.take(3).map(drop)
            }
            Some(b'R') => {
                self.mode.japan = on == 8;
                self.stream.take(3).map(drop)
            }
            Some(b't') => {
                self.mode.katakana_page = on == 1;
                self.stream.take(3).map(drop)
            }
            Some(b'a') if on <= 2 => self.stream.take(3).map(drop),
            Some(b'd') => {
                self.stream.take(3)?;
                self.feed(usize::from(on));
                Ok(())
            }
            _ => Err(self.stream.unknown()),
        }
    }

    fn field(&mut self) -> Result<(), Unknown> {
        let value = self.stream.peek(2).unwrap_or_default();
        match self.stream.peek(1) {
            Some(mode @ (b'&' | b'.')) => {
                self.mode.kanji = mode == b'&';
                self.stream.take(2).map(drop)
            }
            Some(b'C') => {
                self.mode.code = match value {
                    0 | b'0' => Code::Jis,
                    1 | b'1' | 2 | b'2' => Code::ShiftJis,
                    _ => return Err(self.stream.unknown()),
                };
                self.stream.take(3).map(drop)
            }
            Some(b'-') if value <= 2 => {
                self.mode.kanji_underline = value > 0;
                self.stream.take(3).map(drop)
            }
            Some(b'S') => self.stream.take(4).map(drop),
            Some(b'(') if value == b'C' => {
                let length = self.stream.word(3)?;
                let command = self.stream.take(5 + length)?;
                match command[5..] {
                    [0x30, 2] => self.mode.code = Code::Utf8,
                    [0x3c, 0, 0x0b] => {}
                    _ => return Err(self.stream.unknown()),
                }
                Ok(())
            }
            _ => Err(self.stream.unknown()), // FS q and FS g write memory: never expected.
        }
    }

    fn group(&mut self) -> Result<(), Unknown> {
        let value = self.stream.peek(2).unwrap_or_default();
        match self.stream.peek(1) {
            Some(b'!') => {
                self.mode.size = ((value >> 4) + 1, (value & 7) + 1);
                self.stream.take(3).map(drop)
            }
            Some(b'B') if value <= 1 => {
                self.mode.reverse = value == 1;
                self.stream.take(3).map(drop)
            }
            Some(b'V') if matches!(value, 65 | 66) => {
                self.paper.cuts.push(self.paper.lines.len());
                self.stream.take(4).map(drop)
            }
            Some(b'w' | b'h' | b'H' | b'a' | b'r') => self.stream.take(3).map(drop),
            Some(b'k') if value == 73 => self.barcode(),
            Some(b'k') if matches!(value, 67 | 68) => self.jan(value),
            Some(b'v') if value == b'0' => self.picture(),
            Some(b'(') if value == b'k' => self.two_dimensional(),
            Some(b'(') if value == b'H' => self.process_id(),
            _ => Err(self.stream.unknown()),
        }
    }

    fn barcode(&mut self) -> Result<(), Unknown> {
        let length = usize::from(self.stream.peek(3).unwrap_or_default());
        let command = self.stream.take(4 + length)?;
        let data = String::from_utf8_lossy(&command[4..]).into_owned();
        let data = data.strip_prefix("{B").ok_or_else(|| self.stream.unknown())?;
        self.paper.barcodes.push(data.replace("{{", "{"));
        Ok(())
    }

    /// JAN-13 and JAN-8 hold so many digits and nothing else.
    fn jan(&mut self, kind: u8) -> Result<(), Unknown> {
        let digits = if kind == 67 { 13 } else { 8 };
        if self.stream.peek(3) != Some(digits) {
            return Err(self.stream.unknown());
        }
        let command = self.stream.take(4 + usize::from(digits))?;
        if !command[4..].iter().all(u8::is_ascii_digit) {
            return Err(self.stream.unknown());
        }
        self.paper.barcodes.push(String::from_utf8_lossy(&command[4..]).into_owned());
        Ok(())
    }

    fn picture(&mut self) -> Result<(), Unknown> {
        let (bytes, rows) = (self.stream.word(4)?, self.stream.word(6)?);
        let command = self.stream.take(8 + bytes * rows)?;
        if hits(&command) > 0 {
            return Err(self.stream.unknown());
        }
        self.paper.pictures.push((bytes * 8, rows));
        Ok(())
    }

    fn two_dimensional(&mut self) -> Result<(), Unknown> {
        let length = self.stream.word(3)?;
        let command = self.stream.take(5 + length)?;
        match &command[5..] {
            [0x31, 0x41, 0x31 | 0x32, 0] | [0x31, 0x43, 1..=16] | [0x31, 0x45, 0x30..=0x33] => {}
            [0x31, 0x50, 0x30, data @ ..] => {
                let text = std::str::from_utf8(data).map_err(|_| self.stream.unknown())?;
                if text.chars().any(char::is_control) {
                    return Err(self.stream.unknown());
                }
                self.qr = Some(text.to_owned());
            }
            [0x31, 0x51, 0x30] => {
                let stored = self.qr.clone().ok_or_else(|| self.stream.unknown())?;
                self.paper.qr_codes.push(stored);
            }
            _ => return Err(self.stream.unknown()),
        }
        Ok(())
    }

    fn process_id(&mut self) -> Result<(), Unknown> {
        let command = self.stream.take(11)?;
        match command[..] {
            [_, _, _, 6, 0, 0x30, 0x30, a, b, c, d] => self.paper.process_ids.push([a, b, c, d]),
            _ => return Err(self.stream.unknown()),
        }
        Ok(())
    }

    fn letter(&mut self, byte: u8) -> Result<(), Unknown> {
        let (c, length, columns) = match byte {
            _ if self.mode.code == Code::Utf8 => self.utf8()?,
            0x81..=0x9f | 0xe0..=0xfc if self.mode.kanji => (self.kanji()?, 2, 2),
            0x5c if self.mode.japan => ('¥', 1, 1),
            0x20..=0x7e => (char::from(byte), 1, 1),
            0xa1..=0xdf if self.mode.katakana_page && !self.mode.kanji => {
                let c = char::from_u32(0xff61 + u32::from(byte) - 0xa1);
                (c.ok_or_else(|| self.stream.unknown())?, 1, 1)
            }
            _ => return Err(self.stream.unknown()),
        };
        let kanji = columns == 2;
        let mode = self.mode;
        self.line.letters.push(Letter {
            c,
            columns: columns * usize::from(mode.size.0),
            size: mode.size,
            bold: mode.bold,
            underline: if kanji && mode.code != Code::Utf8 {
                mode.kanji_underline
            } else {
                mode.underline
            },
            reverse: mode.reverse,
        });
        self.stream.at += length;
        Ok(())
    }

    fn kanji(&self) -> Result<char, Unknown> {
        let pair = self
            .stream
            .bytes
            .get(self.stream.at..self.stream.at + 2)
            .ok_or_else(|| self.stream.unknown())?;
        if self.mode.code != Code::ShiftJis {
            return Err(self.stream.unknown());
        }
        let text = SHIFT_JIS
            .decode_without_bom_handling_and_without_replacement(pair)
            .ok_or_else(|| self.stream.unknown())?;
        text.chars().next().ok_or_else(|| self.stream.unknown())
    }

    fn utf8(&self) -> Result<(char, usize, usize), Unknown> {
        let end = (self.stream.at + 4).min(self.stream.bytes.len());
        let c = self.stream.bytes[self.stream.at..end]
            .utf8_chunks()
            .next()
            .and_then(|chunk| chunk.valid().chars().next());
        let c = c.filter(|c| !c.is_control()).ok_or_else(|| self.stream.unknown())?;
        let narrow = c.is_ascii() || matches!(c, '¥' | '‾' | '\u{ff61}'..='\u{ff9f}');
        Ok((c, c.len_utf8(), if narrow { 1 } else { 2 }))
    }
}

/// Counts what a printer would obey in the middle of other data.
pub fn hits(stream: &[u8]) -> usize {
    stream.windows(2).filter(|pair| matches!(pair, [0x10, 0x04 | 0x05 | 0x14])).count()
}
