//! A CSV file as rows of named cells, one at a time.
//!
//! Room: exchange. May touch: the reader it is handed.
//! Invariant: a fault in a row is reported with row and column and the next row is read; only a
//! broken bound ends the file.

use std::collections::BTreeSet;
use std::io::{Read, Seek};

use super::fault::{Fault, Report};
use super::mapping::{Mapping, OwnFields};
use super::records::{
    Broken, MOST_COLUMNS, MOST_FIELD_BYTES, MOST_FILE_BYTES, MOST_LINE_BYTES, MOST_ROWS, Record,
    Records,
};
use super::text_in::{Decoded, Encoding, Sniffed, decode, sniff};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::spreadsheet::unguarded;
use crate::domain::text;

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
pub struct Row {
    /// Line of the file, from 1.
    pub row: u64,
    pub cells: Vec<(String, String)>,
}

impl Row {
    /// Returns a cell; absent when the file has no such column, or the row ends before it.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.cells.iter().find(|(name, _)| name == column).map(|(_, cell)| cell.as_str())
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

/// What a row becomes, or what is wrong with it.
pub type Made<T> = Result<T, Fault>;
/// An import whose header was read, or what is wrong with the file.
pub type Opened<R, F> = Result<Import<R, F>, Fault>;

/// Reads good rows as `T`; what was wrong is in the report. Running it to its end without keeping the
/// rows is the dry run.
pub struct Import<R, F> {
    records: Records<R>,
    encoding: Encoding,
    /// By place in the file; `None` for a column nobody knows.
    columns: Vec<Option<String>>,
    read: F,
    report: Report,
    ended: bool,
}

impl<R: Read + Seek, T, F: FnMut(&Row) -> Result<T, Fault>> Import<R, F> {
    /// Finds the encoding and reads the header.
    ///
    /// # Errors
    /// A fault of the whole file: not a CSV, no header, a needed column missing, a bound broken.
    pub fn open(
        mut reader: R,
        wanted: Wanted<'_>,
        mapping: &Mapping,
        read: F,
    ) -> Result<Self, Fault> {
        let encoding = match sniff(&mut reader) {
            Ok(Sniffed::Text(encoding)) => encoding,
            Ok(Sniffed::Zip) => return Err(Fault::saying(0, "", "import.zip")),
            Ok(Sniffed::Utf16) => return Err(Fault::saying(0, "", "import.utf16")),
            Err(error) => return Err(unreadable(0, &error)),
        };
        let mut records = Records::new(reader);
        let header = records.next_record().map_err(|broken| end_fault(&broken))?;
        let header = header.ok_or_else(|| Fault::saying(0, "", "import.empty"))?;
        let mut report = Report::default();
        let columns = columns(&header, encoding, wanted, mapping, &mut report)?;
        Ok(Self { records, encoding, columns, read, report, ended: false })
    }

    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Reads on to the end without keeping anything, and returns what there is to say.
    pub fn dry_run(mut self) -> Report {
        while self.next().is_some() {}
        self.report
    }

    fn row(&mut self, record: &Record) -> Result<T, Fault> {
        if let Some(place) = record.too_long {
            let refusal = Refusal::new(RefusalCode::BadArgument).saying("import.field_too_long");
            let column = self.column_name(place);
            return Err(Fault::new(record.row, column, refusal.with("bytes", MOST_FIELD_BYTES)));
        }
        let beyond = record.fields.iter().skip(self.columns.len());
        if record.too_many || beyond.into_iter().any(|field| !field.is_empty()) {
            return Err(Fault::saying(record.row, "", "import.too_many_cells"));
        }
        let row = self.named(record);
        (self.read)(&row)
    }

    fn named(&mut self, record: &Record) -> Row {
        let mut row = Row { row: record.row, cells: Vec::with_capacity(self.columns.len()) };
        for (column, bytes) in self.columns.iter().zip(&record.fields) {
            let Some(column) = column else { continue };
            let Decoded { text, broken } = decode(bytes, self.encoding);
            if broken {
                self.report.notice(Fault::saying(record.row, column, "import.broken_sign"));
            }
            row.cells.push((column.clone(), unguarded(text.trim()).to_owned()));
        }
        row
    }

    fn column_name(&self, place: usize) -> String {
        self.columns.get(place).cloned().flatten().unwrap_or_else(|| (place + 1).to_string())
    }
}

impl<R: Read + Seek, T, F: FnMut(&Row) -> Result<T, Fault>> Iterator for Import<R, F> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        while !self.ended {
            match self.records.next_record() {
                Ok(None) => self.ended = true,
                Err(broken) => {
                    self.ended = true;
                    self.report.stopped = true;
                    self.report.fault(end_fault(&broken));
                }
                Ok(Some(record)) => {
                    self.report.rows += 1;
                    match self.row(&record) {
                        Ok(good) => {
                            self.report.good += 1;
                            return Some(good);
                        }
                        Err(fault) => self.report.fault(fault),
                    }
                }
            }
        }
        None
    }
}

fn columns(
    header: &Record,
    encoding: Encoding,
    wanted: Wanted<'_>,
    mapping: &Mapping,
    report: &mut Report,
) -> Result<Vec<Option<String>>, Fault> {
    if header.too_many {
        let refusal = Refusal::new(RefusalCode::BadArgument).saying("import.too_many_columns");
        return Err(Fault::new(1, "", refusal.with("columns", MOST_COLUMNS)));
    }
    let mut seen = BTreeSet::new();
    let mut columns = Vec::with_capacity(header.fields.len());
    for field in &header.fields {
        let name = decode(field, encoding).text;
        let column = mapping.column(&name, wanted.columns, wanted.own);
        // Of two columns that mean the same the first counts.
        let column = column.filter(|column| seen.insert(column.clone()));
        if column.is_none() && !name.trim().is_empty() {
            report.unknown_columns.push(text::cleaned(&name).chars().take(40).collect());
        }
        columns.push(column);
    }
    match wanted.needed.iter().find(|needed| !seen.contains(**needed)) {
        Some(missing) => {
            let refusal = Refusal::new(RefusalCode::BadArgument).saying("import.column_needed");
            Err(Fault::new(header.row, *missing, refusal.with("column", missing)))
        }
        None => Ok(columns),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    const WANTED: Wanted<'static> =
        Wanted { columns: &["code", "name"], needed: &["code"], own: OwnFields::Unknown };

    fn open(bytes: &[u8]) -> Opened<Cursor<Vec<u8>>, impl FnMut(&Row) -> Made<Row>> {
        Import::open(Cursor::new(bytes.to_vec()), WANTED, &Mapping::usual(), |row: &Row| {
            Ok(row.clone())
        })
    }

    #[test]
    fn columns_are_found_by_name_and_strange_ones_are_listed() {
        let mut import =
            open("名前,税,商品コード,name\r\n牛乳,8,'4901234567894,x\r\n".as_bytes()).unwrap();
        let row = import.next().unwrap();
        assert_eq!(row.get("code"), Some("4901234567894"));
        assert_eq!(row.get("name"), Some("牛乳"));
        assert_eq!(import.report().unknown_columns, ["税", "name"]);
        assert_eq!(import.next(), None);
        assert_eq!((import.report().rows, import.report().good), (1, 1));
    }

    #[test]
    fn a_lone_lead_byte_is_reported_with_row_and_column_and_spoils_no_other_row() {
        let file = b"code,name\n1,\x8B\x8D\x83\n2,\x93\xFB\n\x1Ba\x01,x\n";
        let mut import = open(file).unwrap();
        assert_eq!(import.next().unwrap().get("name"), Some("牛〓"));
        assert_eq!(import.next().unwrap().get("name"), Some("乳"));
        assert_eq!(import.next().unwrap().get("code"), Some("\u{1B}a\u{1}"));
        let report = import.dry_run();
        assert_eq!(report.notices, [Fault::saying(2, "name", "import.broken_sign")]);
    }

    #[test]
    fn files_that_are_no_csv_are_refused_in_words() {
        for (bytes, sentence) in [
            (b"PK\x03\x04".as_slice(), "import.zip"),
            (b"\xFF\xFEc\0".as_slice(), "import.utf16"),
            (b"".as_slice(), "import.empty"),
            (b"\n\n".as_slice(), "import.empty"),
            (b"name\nx".as_slice(), "import.column_needed"),
            (&[b','; 300], "import.empty"),
        ] {
            assert_eq!(open(bytes).err().unwrap().refusal.sentence, sentence);
        }
        let wide = [b"code".as_slice(), &[b','; 300]].concat();
        assert_eq!(open(&wide).err().unwrap().refusal.sentence, "import.too_many_columns");
    }

    #[test]
    fn a_flood_of_faults_is_counted_not_kept() {
        let file = format!("code\n{}", "1,2\n".repeat(5000));
        let report = open(file.as_bytes()).unwrap().dry_run();
        assert_eq!((report.rows, report.good, report.fault_count), (5000, 0, 5000));
        assert_eq!(report.faults.len(), super::super::fault::MOST_KEPT);
        assert_eq!(report.faults[0], Fault::saying(2, "", "import.too_many_cells"));
    }

    #[test]
    fn a_gigabyte_without_a_line_end_stops_at_once() {
        let mut file = b"code\n\"".to_vec();
        file.resize(40 * 1024 * 1024, b'A');
        let report = open(&file).unwrap().dry_run();
        assert!(report.stopped);
        assert_eq!(report.faults[0].refusal.sentence, "import.line_too_long");
        assert_eq!(report.faults[0].row, 2);
    }
}
