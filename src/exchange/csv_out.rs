//! CSV on its way to a spreadsheet or another program.
//!
//! Room: exchange. May touch: the writer it is handed.
//! Invariant: no text is a formula (`reliability.md` C22); numbers stay numbers; every line ends CRLF.

use std::fmt::Display;
use std::io::{self, Write};

use encoding_rs::{EncoderResult, SHIFT_JIS};
use serde::{Deserialize, Serialize};

use super::fault::MOST_KEPT;
use crate::domain::spreadsheet::guarded;
use crate::domain::text::{cleaned, is_unprintable};

/// How the file is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutEncoding {
    #[default]
    Utf8,
    /// With a mark in front, for spreadsheets that would else take it for CP932.
    Utf8Bom,
    Cp932,
}

impl OutEncoding {
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "utf8" => Some(Self::Utf8),
            "utf8_bom" => Some(Self::Utf8Bom),
            "cp932" => Some(Self::Cp932),
            _ => None,
        }
    }
}

/// A sign that the encoding lacks, written as 〓.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Row of the file, from 1 (the header).
    pub row: u64,
    /// Place of the column, from 1.
    pub column: usize,
    pub sign: char,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Rows without the header.
    pub rows: u64,
    /// The first of the signs lost.
    pub lost: Vec<Lost>,
    pub lost_count: u64,
}

/// Takes a thing that becomes a row, or several: one at a time is in memory, however many there are.
pub type Row<'a, T> = dyn FnMut(T) -> io::Result<()> + 'a;

/// Writes rows cell by cell.
pub struct CsvOut<W> {
    writer: W,
    encoding: OutEncoding,
    line: String,
    column: usize,
    written: Written,
    row: u64,
}

impl<W: Write> CsvOut<W> {
    /// Begins a file with its header.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn new<'a>(
        writer: W,
        encoding: OutEncoding,
        columns: impl IntoIterator<Item = &'a str>,
    ) -> io::Result<Self> {
        let mut out = Self::bare(writer, encoding)?;
        for column in columns {
            out.text(column);
        }
        out.end_row()?;
        out.written.rows = 0;
        Ok(out)
    }

    /// Begins a file without a header.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn bare(mut writer: W, encoding: OutEncoding) -> io::Result<Self> {
        if encoding == OutEncoding::Utf8Bom {
            writer.write_all(b"\xEF\xBB\xBF")?;
        }
        let written = Written::default();
        Ok(Self { writer, encoding, line: String::new(), column: 0, written, row: 1 })
    }

    /// Writes a cell of words, guarded. What lay in the journal before there was a gate is washed here.
    pub fn text(&mut self, text: &str) -> &mut Self {
        match text.chars().any(is_unprintable) {
            true => self.cell(&guarded(&cleaned(text))),
            false => self.cell(&guarded(text)),
        }
    }

    /// Writes a cell whose type is a number, a date or a word of ours; `-120` stays as it is.
    pub fn plain(&mut self, value: impl Display) -> &mut Self {
        self.cell(&value.to_string())
    }

    pub fn empty(&mut self) -> &mut Self {
        self.cell("")
    }

    fn cell(&mut self, text: &str) -> &mut Self {
        if self.column > 0 {
            self.line.push(',');
        }
        self.column += 1;
        if self.encoding == OutEncoding::Cp932 {
            self.told_what_is_lost(text);
        }
        let quoted =
            text.contains([',', '"', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ');
        if quoted {
            self.line.push('"');
            self.line.push_str(&text.replace('"', "\"\""));
            self.line.push('"');
        } else {
            self.line.push_str(text);
        }
        self
    }

    fn told_what_is_lost(&mut self, text: &str) {
        for sign in text.chars().filter(|sign| !has_cp932(*sign)) {
            self.written.lost_count += 1;
            if self.written.lost.len() < MOST_KEPT {
                self.written.lost.push(Lost { row: self.row, column: self.column, sign });
            }
        }
    }

    /// Ends the row and writes it.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn end_row(&mut self) -> io::Result<()> {
        self.line.push_str("\r\n");
        match self.encoding {
            OutEncoding::Cp932 => self.writer.write_all(&cp932(&self.line))?,
            OutEncoding::Utf8 | OutEncoding::Utf8Bom => {
                self.writer.write_all(self.line.as_bytes())?;
            }
        }
        self.line.clear();
        self.column = 0;
        self.row += 1;
        self.written.rows += 1;
        Ok(())
    }

    /// Flushes, and returns what was written and lost.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(mut self) -> io::Result<Written> {
        self.writer.flush()?;
        Ok(self.written)
    }
}

/// Signs on which Unicode's and Microsoft's tables disagree, and what stands for them.
/// What stands for signs that cp932 lacks (`japan.md` 4.1), one for one.
const STAND_INS: [(char, char); 8] = [
    ('〜', '～'),
    ('−', '－'),
    ('‖', '∥'),
    ('—', '―'),
    ('¢', '￠'),
    ('£', '￡'),
    ('¬', '￢'),
    ('鷗', '鴎'),
];

/// `¥` would become a backslash there: the full-width sign is the same for a reader.
fn stand_in(sign: char) -> char {
    match STAND_INS.iter().find(|(from, _)| *from == sign) {
        Some((_, to)) => *to,
        None if sign == '¥' => '￥',
        None => sign,
    }
}

fn has_cp932(sign: char) -> bool {
    let mut buffer = [0; 4];
    let text = stand_in(sign).encode_utf8(&mut buffer);
    !SHIFT_JIS.encode(text).2
}

fn cp932(text: &str) -> Vec<u8> {
    let text: String = text.chars().map(stand_in).collect();
    let mut encoder = SHIFT_JIS.new_encoder();
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut rest = text.as_str();
    loop {
        out.reserve(rest.len() * 2 + 16);
        let (result, read) =
            encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, true);
        rest = &rest[read..];
        match result {
            EncoderResult::InputEmpty => return out,
            EncoderResult::Unmappable(_) => out.extend(b"\x81\xAC"), // 〓
            EncoderResult::OutputFull => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(encoding: OutEncoding, cells: &[&str]) -> (Vec<u8>, Written) {
        let mut bytes = Vec::new();
        let mut out = CsvOut::new(&mut bytes, encoding, ["name", "note"]).unwrap();
        for cell in cells {
            out.text(cell);
        }
        out.plain(-120).end_row().unwrap();
        let written = out.finish().unwrap();
        (bytes, written)
    }

    #[test]
    fn no_text_is_a_formula_and_a_number_stays_one() {
        let hostile = ["=cmd|' /C calc'!A0", "\t=1", "＝1", "a,b", "say \"hi\"", " x", ""];
        let (bytes, written) = written(OutEncoding::Utf8, &hostile);
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "name,note\r\n'=cmd|' /C calc'!A0,'=1,'＝1,\"a,b\",\"say \"\"hi\"\"\",\" x\",,-120\r\n"
        );
        assert_eq!((written.rows, written.lost_count), (1, 0));
    }

    #[test]
    fn what_cp932_lacks_is_listed_by_row_and_column() {
        let (bytes, written) = written(OutEncoding::Cp932, &["髙﨑①㈱〜−鷗", "𠮷野😀"]);
        let (text, _, broken) = SHIFT_JIS.decode(&bytes);
        assert!(!broken);
        assert_eq!(text, "name,note\r\n髙﨑①㈱～－鴎,〓野〓,-120\r\n");
        let lost = |sign| Lost { row: 2, column: 2, sign };
        assert_eq!(written.lost, [lost('𠮷'), lost('😀')]);
    }

    #[test]
    fn a_mark_is_written_only_where_it_is_asked_for() {
        assert!(written(OutEncoding::Utf8Bom, &[]).0.starts_with(b"\xEF\xBB\xBFname"));
        assert!(written(OutEncoding::Utf8, &[]).0.starts_with(b"name"));
    }
}
