//! Bytes into records, each bounded: a field, a line, a file can only be so long.
//!
//! Room: exchange. May touch: the reader it is handed.
//! Invariant: never more than one record in memory; a file that breaks a bound is left at once.
//!
//! Works on bytes in both encodings: no trail byte of CP932 is a quote, a comma or a line end.

use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2, memchr3};

/// Bounds of an import (`reliability.md` C21). The file and its rows are as many as a large shop
/// brings from its old register, a million members; one row at a time is in memory.
pub const MOST_FILE_BYTES: u64 = 512 * 1024 * 1024;
pub const MOST_LINE_BYTES: usize = 64 * 1024;
pub const MOST_FIELD_BYTES: usize = 4 * 1024;
pub const MOST_COLUMNS: usize = 200;
pub const MOST_ROWS: u64 = 2_000_000;

/// One row of a file, still in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Line on which it begins, from 1.
    pub row: u64,
    /// The fields, one behind the other, and where each begins and ends.
    bytes: Vec<u8>,
    places: Vec<(usize, usize)>,
    /// A field (its place from 0) that was longer than a field may be, and so was cut off.
    pub too_long: Option<usize>,
    pub too_many: bool,
}

impl Record {
    pub fn fields(&self) -> impl Iterator<Item = &[u8]> {
        self.places().map(|place| &self.bytes[place])
    }

    /// Where each field lies in `bytes`.
    pub fn places(&self) -> impl Iterator<Item = Range<usize>> {
        self.places.iter().map(|(begin, end)| *begin..*end)
    }

    /// The fields, one behind the other; between them may be commas.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of the fields and what may be between them.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn is_blank(&self) -> bool {
        self.fields().flatten().all(u8::is_ascii_whitespace)
    }
}

/// Why reading ends before the file does.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("line {row} has no end within {MOST_LINE_BYTES} bytes")]
    Line { row: u64 },
    #[error("the quote opened in line {row} is never closed")]
    Quote { row: u64 },
    #[error("more than {MOST_FILE_BYTES} bytes")]
    File,
    #[error("more than {MOST_ROWS} rows")]
    Rows,
    #[error("reading failed in line {row}: {source}")]
    Read { row: u64, source: io::Error },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    FieldStart,
    Plain,
    Quoted,
    /// Behind a quote inside a quoted field: its end, or the first half of `""`.
    QuoteInQuoted,
}

/// Cuts a reader into records.
pub struct Records<R> {
    reader: BufReader<R>,
    /// Line the next byte stands on.
    line: u64,
    read: u64,
    /// Bytes after which a file is too long.
    most_bytes: u64,
    most_rows: u64,
    records: u64,
    /// Bytes and fields of a record, going by the last.
    usual: (usize, usize),
    /// The last byte was CR: a LF behind it belongs to the same line end.
    after_cr: bool,
}

impl<R: Read> Records<R> {
    pub fn new(reader: R) -> Self {
        let reader = BufReader::with_capacity(32 * 1024, reader);
        Self {
            reader,
            line: 1,
            read: 0,
            most_bytes: MOST_FILE_BYTES,
            most_rows: MOST_ROWS,
            records: 0,
            usual: (0, 0),
            after_cr: false,
        }
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Returns the next record that is not blank, or `None` at the end.
    ///
    /// # Errors
    /// `Broken`; there is nothing to read behind it.
    pub fn next_record(&mut self) -> Result<Option<Record>, Broken> {
        self.next_record_in(Record::default())
    }

    /// The same in the memory of a record that is no longer needed.
    ///
    /// # Errors
    /// As those of `next_record`.
    pub fn next_record_in(&mut self, mut used: Record) -> Result<Option<Record>, Broken> {
        loop {
            let Some(record) = self.one(used)? else { return Ok(None) };
            self.usual = (record.bytes.len() + record.bytes.len() / 4, record.places.len());
            if !record.is_blank() {
                self.records += 1;
                // The header is a record, too.
                return if self.records > self.most_rows + 1 {
                    Err(Broken::Rows)
                } else {
                    Ok(Some(record))
                };
            }
            used = record;
        }
    }

    fn one(&mut self, used: Record) -> Result<Option<Record>, Broken> {
        let row = self.line;
        // As long as the one before it, so that it seldom grows.
        let Record { mut bytes, mut places, .. } = used;
        bytes.clear();
        places.clear();
        bytes.reserve(self.usual.0);
        places.reserve(self.usual.1);
        let mut record = Record { row, bytes, places, ..Record::default() };
        if self.plain_line(&mut record)? {
            return Ok(Some(record));
        }
        let mut cut = Cut { record, at: At::FieldStart, length: 0, field: 0 };
        loop {
            self.run(&mut cut)?;
            let Some(byte) = self.byte()? else {
                if cut.at == At::Quoted {
                    return Err(Broken::Quote { row });
                }
                return Ok((cut.length > 0).then(|| cut.end()));
            };
            let ends = cut.take(byte);
            if cut.length > MOST_LINE_BYTES {
                return Err(Broken::Line { row });
            }
            if ends {
                return Ok(Some(cut.end()));
            }
        }
    }

    /// Takes a line that is at hand as a whole, without quotes and so short that it breaks no bound: most
    /// lines of most files, cut at their commas. Returns whether there was one.
    fn plain_line(&mut self, record: &mut Record) -> Result<bool, Broken> {
        let row = self.line;
        let buffer = self.reader.fill_buf().map_err(|source| Broken::Read { row, source })?;
        let room = (self.most_bytes - self.read).min(MOST_FIELD_BYTES as u64);
        let buffer = &buffer[..buffer.len().min(room as usize)];
        let Some(end) = memchr(b'\n', buffer) else { return Ok(false) };
        let line = buffer[..end].strip_suffix(b"\r").unwrap_or(&buffer[..end]);
        if line.is_empty() || memchr2(b'"', b'\r', line).is_some() {
            return Ok(false);
        }
        let mut begin = 0;
        for comma in memchr_iter(b',', line) {
            record.places.push((begin, comma));
            begin = comma + 1;
        }
        record.places.push((begin, line.len()));
        if record.places.len() > MOST_COLUMNS {
            record.places.clear();
            return Ok(false);
        }
        record.bytes.extend_from_slice(line);
        self.after_cr = false;
        self.line += 1;
        self.read += end as u64 + 1;
        self.reader.consume(end + 1);
        Ok(true)
    }

    /// Takes bytes that mean nothing but themselves, as far as they are at hand.
    fn run(&mut self, cut: &mut Cut) -> Result<(), Broken> {
        let row = self.line;
        let buffer = self.reader.fill_buf().map_err(|source| Broken::Read { row, source })?;
        let room = (self.most_bytes - self.read).min((MOST_LINE_BYTES - cut.length) as u64);
        let buffer = &buffer[..buffer.len().min(room as usize)];
        let run = cut.run(buffer);
        if run > 0 {
            cut.put(&buffer[..run]);
            cut.length += run;
            self.after_cr = false;
            self.read += run as u64;
            self.reader.consume(run);
        }
        Ok(())
    }

    /// The next byte, each line end as one LF.
    fn byte(&mut self) -> Result<Option<u8>, Broken> {
        loop {
            let row = self.line;
            let buffer = self.reader.fill_buf().map_err(|source| Broken::Read { row, source })?;
            let Some(&byte) = buffer.first() else { return Ok(None) };
            self.reader.consume(1);
            self.read += 1;
            if self.read > self.most_bytes {
                return Err(Broken::File);
            }
            let second_half = byte == b'\n' && std::mem::take(&mut self.after_cr);
            self.after_cr = byte == b'\r';
            if second_half {
                continue;
            }
            let byte = if byte == b'\r' { b'\n' } else { byte };
            self.line += u64::from(byte == b'\n');
            return Ok(Some(byte));
        }
    }
}

/// The record being cut.
struct Cut {
    record: Record,
    at: At,
    /// Bytes of the record so far.
    length: usize,
    /// Where the field begins in the record's bytes.
    field: usize,
}

impl Cut {
    /// Returns how many bytes from here on are a field's own.
    fn run(&mut self, bytes: &[u8]) -> usize {
        let special = match self.at {
            At::Plain => memchr3(b',', b'\r', b'\n', bytes),
            At::Quoted => memchr3(b'"', b'\r', b'\n', bytes),
            At::FieldStart | At::QuoteInQuoted => Some(0),
        };
        special.unwrap_or(bytes.len())
    }

    /// Takes a byte; returns whether it ended the record.
    fn take(&mut self, byte: u8) -> bool {
        self.length += 1;
        match (self.at, byte) {
            (At::Quoted, b'"') => self.at = At::QuoteInQuoted,
            (At::Quoted, _) => self.put(&[byte]),
            (At::QuoteInQuoted, b'"') => {
                self.put(b"\"");
                self.at = At::Quoted;
            }
            (At::FieldStart, b'"') => self.at = At::Quoted,
            (_, b',') => self.next_field(),
            (_, b'\n') => return true,
            (_, _) => {
                self.put(&[byte]);
                self.at = At::Plain;
            }
        }
        false
    }

    fn next_field(&mut self) {
        self.at = At::FieldStart;
        if self.record.places.len() + 1 < MOST_COLUMNS {
            self.record.places.push((self.field, self.record.bytes.len()));
            self.field = self.record.bytes.len();
        } else {
            self.record.too_many = true;
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        let room = MOST_FIELD_BYTES - (self.record.bytes.len() - self.field);
        let taken = bytes.len().min(room);
        self.record.bytes.extend_from_slice(&bytes[..taken]);
        if taken < bytes.len() && !self.record.too_many {
            self.record.too_long.get_or_insert(self.record.places.len());
        }
    }

    fn end(mut self) -> Record {
        self.record.places.push((self.field, self.record.bytes.len()));
        self.record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<(u64, Vec<String>)> {
        let mut records = Records::new(bytes);
        let mut all = Vec::new();
        while let Some(record) = records.next_record().unwrap() {
            let text = |field: &[u8]| String::from_utf8(field.to_vec()).unwrap();
            all.push((record.row, record.fields().map(text).collect()));
        }
        all
    }

    fn row(row: u64, fields: &[&str]) -> (u64, Vec<String>) {
        (row, fields.iter().map(|field| (*field).to_owned()).collect())
    }

    #[test]
    fn quotes_line_ends_and_blank_lines_are_read_as_every_spreadsheet_writes_them() {
        let file = b"a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\r\n , \n2,\r3,\"\"";
        let want = vec![
            row(1, &["a", "b"]),
            row(2, &["1", "x, \"y\"\nz"]),
            row(6, &["2", ""]),
            row(7, &["3", ""]),
        ];
        assert_eq!(texts(file), want);
    }

    #[test]
    fn a_line_is_cut_alike_whether_it_is_at_hand_or_comes_byte_by_byte() {
        let long = "長".repeat(MOST_FIELD_BYTES / 3 + 1);
        let commas = ",".repeat(MOST_COLUMNS - 1);
        for line in [
            "a,b,c",
            ",,",
            "a,,",
            " a , b ",
            "\"a,b\",c",
            "a\"b,c",
            &long,
            &format!("{long},x"),
            &commas,
            &format!("x{commas}"),
            &format!("x{commas},"),
            &format!("x{commas},y,z"),
        ] {
            for end in ["\n", "\r\n", "\r", ""] {
                let file = format!("h{end}{line}{end}{line}\n{end}\n,y{end}");
                let reader = BufReader::with_capacity(1, file.as_bytes());
                let mut bytes = Records { reader, ..Records::new(file.as_bytes()) };
                let mut whole = Records::new(file.as_bytes());
                loop {
                    let (one, other) = (whole.next_record().unwrap(), bytes.next_record().unwrap());
                    let told = |record: &Record| {
                        let fields: Vec<Vec<u8>> = record.fields().map(<[u8]>::to_vec).collect();
                        (record.row, fields, record.too_long, record.too_many)
                    };
                    assert_eq!(
                        one.as_ref().map(told),
                        other.as_ref().map(told),
                        "{line:.9} {end:?}"
                    );
                    if one.is_none() {
                        break;
                    }
                }
                assert_eq!(whole.bytes_read(), bytes.bytes_read());
            }
        }
    }

    #[test]
    fn a_quote_inside_a_plain_field_is_a_quote() {
        assert_eq!(texts(b"5\" pan,\"a\"b\n"), [row(1, &["5\" pan", "ab"])]);
    }

    #[test]
    fn a_field_too_long_and_columns_too_many_spoil_their_row_only() {
        let file =
            [vec![b'x'; 5000], b",b\n".to_vec(), vec![b','; 300], b"\nc\n".to_vec()].concat();
        let mut records = Records::new(file.as_slice());
        let first = records.next_record().unwrap().unwrap();
        assert_eq!(first.too_long, Some(0));
        assert_eq!(first.fields().map(<[u8]>::len).collect::<Vec<_>>(), [MOST_FIELD_BYTES, 1]);
        let last = records.next_record().unwrap().unwrap();
        assert_eq!((last.row, last.fields().next()), (3, Some(b"c".as_slice())), "blank rows pass");
    }

    /// Yields bytes without an end and counts them.
    struct Flood(u64);

    impl Read for Flood {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let byte = if self.0 == 0 { b'"' } else { b'A' };
            buffer.fill(b'A');
            buffer[0] = byte;
            self.0 += buffer.len() as u64;
            Ok(buffer.len())
        }
    }

    #[test]
    fn a_line_without_end_is_left_within_a_megabyte() {
        let mut records = Records::new(Flood(0));
        assert!(matches!(records.next_record(), Err(Broken::Line { row: 1 })));
        assert!(records.reader.get_ref().0 <= 1024 * 1024);
    }

    #[test]
    fn a_file_has_an_end() {
        let mut records = Records { most_bytes: 5000, ..Records::new(io::repeat(b'\n')) };
        assert!(matches!(records.next_record(), Err(Broken::File)));
        let rows = "1\n".repeat(502);
        let mut records = Records { most_rows: 500, ..Records::new(rows.as_bytes()) };
        let read = std::iter::from_fn(|| records.next_record().ok().flatten()).count();
        assert_eq!(read, 501, "the header and as many rows as a file may have");
        let mut open = Records::new(b"a\n\"b".as_slice());
        open.next_record().unwrap();
        assert!(matches!(open.next_record(), Err(Broken::Quote { row: 2 })));
    }
}
