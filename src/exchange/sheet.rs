//! A CSV file whose header was read: its records in chunks, and each record as named cells.
//!
//! Room: exchange. May touch: the reader it is handed.
//! Invariant: never more than a chunk of the file in memory; what a record means depends on the
//! header and on nothing else, so that any thread may read it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{Read, Seek};

use memchr::memchr2;
use simdutf8::basic::from_utf8;

use super::fault::Fault;
use super::mapping::{Mapping, OwnFields};
use super::records::{
    Broken, MOST_COLUMNS, MOST_FIELD_BYTES, MOST_FILE_BYTES, MOST_LINE_BYTES, MOST_ROWS, Record,
    Records,
};
use super::text_in::{Decoded, Encoding, Sniffed, decode, sniff};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::spreadsheet::unguarded;
use crate::domain::text;

/// Rows of a chunk, and bytes past which it ends with the row that is read: what they become stays
/// within an entry of the journal, whichever encoding they come in.
const CHUNK_ROWS: usize = 500;
const CHUNK_BYTES: usize = 100 * 1024;

/// What an import takes from a file.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub columns: &'a [&'a str],
    /// Columns without which no row could be read.
    pub needed: &'a [&'a str],
    pub own: OwnFields,
}

/// One row: the cells of known columns in the order of the file, guards taken off, trimmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// Line of the file, from 1.
    pub row: u64,
    pub cells: Vec<(&'a str, Cow<'a, str>)>,
}

impl Row<'_> {
    /// Returns a cell; absent when the file has no such column, or the row ends before it.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.cells.iter().find(|(name, _)| *name == column).map(|(_, cell)| cell.as_ref())
    }

    /// Returns a cell that must not be empty.
    ///
    /// # Errors
    /// A fault that names the column.
    pub fn need(&self, column: &'static str) -> Result<&str, Fault> {
        self.get(column).filter(|cell| !cell.is_empty()).ok_or_else(|| {
            let refusal = Refusal::new(RefusalCode::BadArgument).saying("field_needed");
            self.fault(column, refusal.with("field", column))
        })
    }

    pub fn fault(&self, column: &str, refusal: Refusal) -> Fault {
        Fault::new(self.row, column, refusal)
    }

    /// A fault whose column the refusal itself names.
    pub fn refused(&self, refusal: Refusal) -> Fault {
        let field = refusal.args.iter().find(|(name, _)| *name == "field");
        let column = match refusal.code {
            RefusalCode::CheckDigit => "code".to_owned(),
            _ => field.map(|(_, field)| field.clone()).unwrap_or_default(),
        };
        Fault::new(self.row, column, refusal)
    }
}

/// A file, its header read.
pub struct Sheet<R> {
    records: Records<R>,
    layout: Layout,
    unknown_columns: Vec<String>,
    /// What ended the file before its end.
    broken: Option<Fault>,
    ended: bool,
}

impl<R: Read + Seek> Sheet<R> {
    /// Finds the encoding and reads the header.
    ///
    /// # Errors
    /// A fault of the whole file: not a CSV, no header, a needed column missing, a bound broken.
    pub fn open(mut reader: R, wanted: Wanted<'_>, mapping: &Mapping) -> Result<Self, Fault> {
        let encoding = match sniff(&mut reader) {
            Ok(Sniffed::Text(encoding)) => encoding,
            Ok(Sniffed::Zip) => return Err(Fault::saying(0, "", "import.zip")),
            Ok(Sniffed::Utf16) => return Err(Fault::saying(0, "", "import.utf16")),
            Err(error) => return Err(unreadable(0, &error)),
        };
        let mut records = Records::new(reader);
        let header = records.next_record().map_err(|broken| end_fault(&broken))?;
        let header = header.ok_or_else(|| Fault::saying(0, "", "import.empty"))?;
        let (columns, unknown_columns) = columns(&header, encoding, wanted, mapping)?;
        let layout = Layout { encoding, columns };
        Ok(Self { records, layout, unknown_columns, broken: None, ended: false })
    }

    /// Headings that nobody knows.
    pub fn unknown_columns(&self) -> &[String] {
        &self.unknown_columns
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Bytes of the file that were read so far.
    pub fn bytes_read(&self) -> u64 {
        self.records.bytes_read()
    }

    /// Returns what ended the file before its end, once `next_chunk` has no more.
    pub fn broken(&self) -> Option<&Fault> {
        self.broken.as_ref()
    }

    /// Returns the next rows, in the memory of those that are no longer needed; none at the end.
    pub fn next_chunk(&mut self, mut used: Vec<Record>) -> Vec<Record> {
        let (mut chunk, mut bytes) = (Vec::with_capacity(used.len()), 0);
        while !self.ended && chunk.len() < CHUNK_ROWS && bytes < CHUNK_BYTES {
            match self.records.next_record_in(used.pop().unwrap_or_default()) {
                Ok(None) => self.ended = true,
                Err(broken) => {
                    self.ended = true;
                    self.broken = Some(end_fault(&broken));
                }
                Ok(Some(record)) => {
                    bytes += record.len();
                    chunk.push(record);
                }
            }
        }
        chunk
    }
}

/// What the header says of every record.
#[derive(Debug, Clone)]
pub struct Layout {
    encoding: Encoding,
    /// By place in the file; `None` for a column nobody knows.
    columns: Vec<Option<String>>,
}

impl Layout {
    /// Returns a record as a row; what is odd and yet no fault goes to `notices`.
    ///
    /// # Errors
    /// What is wrong with the record as such.
    pub fn row<'a>(
        &'a self,
        record: &'a Record,
        notices: &mut Vec<Fault>,
    ) -> Result<Row<'a>, Fault> {
        if let Some(place) = record.too_long {
            let refusal = Refusal::new(RefusalCode::BadArgument).saying("import.field_too_long");
            let column = self.column_name(place);
            return Err(Fault::new(record.row, column, refusal.with("bytes", MOST_FIELD_BYTES)));
        }
        let mut beyond = record.fields().skip(self.columns.len());
        if record.too_many || beyond.any(|field| !field.is_empty()) {
            return Err(Fault::saying(record.row, "", "import.too_many_cells"));
        }
        let mut row = Row { row: record.row, cells: Vec::with_capacity(self.columns.len()) };
        // Looked at field by field a record takes several times as long.
        let whole = match self.encoding {
            Encoding::Utf8 => from_utf8(record.bytes()).ok(),
            Encoding::Cp932 => None,
        };
        let has_breaks = memchr2(b'\n', b'\r', record.bytes()).is_some();
        for (column, place) in self.columns.iter().zip(record.places()) {
            let Some(column) = column else { continue };
            let text = whole.and_then(|whole| whole.get(place.clone()));
            let Decoded { text, broken } = match text {
                Some(text) => Decoded { text: text.into(), broken: false },
                None => decode(&record.bytes()[place], self.encoding),
            };
            if broken {
                notices.push(Fault::saying(record.row, column, "import.broken_sign"));
            }
            let cell = match text {
                Cow::Borrowed(text) => Cow::Borrowed(unguarded(text::trimmed(text))),
                Cow::Owned(text) => Cow::Owned(unguarded(text::trimmed(&text)).to_owned()),
            };
            row.cells.push((column, if has_breaks { on_one_line(cell) } else { cell }));
        }
        Ok(row)
    }

    fn column_name(&self, place: usize) -> String {
        self.columns.get(place).cloned().flatten().unwrap_or_else(|| (place + 1).to_string())
    }
}

/// A line break that somebody set inside a cell is a space: names stand on one line.
fn on_one_line(cell: Cow<'_, str>) -> Cow<'_, str> {
    if !cell.contains(['\n', '\r']) {
        return cell;
    }
    let lines = cell.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
    Cow::Owned(lines.collect::<Vec<_>>().join(" "))
}

fn columns(
    header: &Record,
    encoding: Encoding,
    wanted: Wanted<'_>,
    mapping: &Mapping,
) -> Result<(Vec<Option<String>>, Vec<String>), Fault> {
    if header.too_many {
        let refusal = Refusal::new(RefusalCode::BadArgument).saying("import.too_many_columns");
        return Err(Fault::new(1, "", refusal.with("columns", MOST_COLUMNS)));
    }
    let mut seen = BTreeSet::new();
    let (mut columns, mut unknown) = (Vec::new(), Vec::new());
    for field in header.fields() {
        let name = decode(field, encoding).text;
        let column = mapping.column(&name, wanted.columns, wanted.own);
        // Of two columns that mean the same the first counts.
        let column = column.filter(|column| seen.insert(column.clone()));
        if column.is_none() && !name.trim().is_empty() {
            unknown.push(text::cleaned(&name).chars().take(40).collect());
        }
        columns.push(column);
    }
    match wanted.needed.iter().find(|needed| !seen.contains(**needed)) {
        Some(missing) => {
            let refusal = Refusal::new(RefusalCode::BadArgument).saying("import.column_needed");
            Err(Fault::new(header.row, *missing, refusal.with("column", missing)))
        }
        None => Ok((columns, unknown)),
    }
}

fn end_fault(broken: &Broken) -> Fault {
    let too_much = |row, sentence, name, most: u64| {
        Fault::new(
            row,
            "",
            Refusal::new(RefusalCode::BadArgument).saying(sentence).with(name, most),
        )
    };
    match broken {
        Broken::Line { row } => {
            too_much(*row, "import.line_too_long", "bytes", MOST_LINE_BYTES as u64)
        }
        Broken::Quote { row } => Fault::saying(*row, "", "import.open_quote"),
        Broken::File => too_much(0, "import.file_too_long", "bytes", MOST_FILE_BYTES),
        Broken::Rows => too_much(0, "import.too_many_rows", "rows", MOST_ROWS),
        Broken::Read { row, source } => unreadable(*row, source),
    }
}

fn unreadable(row: u64, error: &std::io::Error) -> Fault {
    let refusal = Refusal::new(RefusalCode::BadArgument).saying("import.unreadable");
    Fault::new(row, "", refusal.with("reason", error.kind()))
}
