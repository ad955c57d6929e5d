//! A CSV file as what its rows become: read by many threads a chunk at a time, or one by one.
//!
//! Room: exchange. May touch: the reader it is handed.
//! Invariant: a fault in a row is reported with row and column and the next row is read; only a
//! broken bound ends the file. No two rows of a file are about the same code.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{Read, Seek};

use super::fault::{Fault, Report};
use super::mapping::Mapping;
use super::records::Record;
use super::sheet::{Layout, Row, Sheet, Wanted};
use crate::domain::hashed::Hashes;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::texts::Texts;

/// What a row becomes, or what is wrong with it.
pub type Made<T> = Result<T, Fault>;

type Reading<'s, T> = Box<dyn Fn(&Row<'_>) -> Made<T> + Send + Sync + 's>;

/// A kind of file: its columns, what a row becomes, and the code it is about.
pub struct Form<'s, T> {
    pub wanted: Wanted<'static>,
    read: Reading<'s, T>,
    code: fn(&T) -> &str,
}

impl<'s, T> Form<'s, T> {
    pub fn new(
        wanted: Wanted<'static>,
        code: fn(&T) -> &str,
        read: impl Fn(&Row<'_>) -> Made<T> + Send + Sync + 's,
    ) -> Self {
        Self { wanted, read: Box::new(read), code }
    }

    /// Reads a chunk of a file, on any thread. Each good row goes through `finish` at once: what it no
    /// longer needs then is given back while it is at hand.
    pub fn read(
        &self,
        layout: &Layout,
        chunk: &[Record],
        mut finish: impl FnMut(&mut T),
    ) -> Chunk<T> {
        let mut read = Chunk { rows: chunk.len() as u64, ..Chunk::default() };
        for record in chunk {
            let made = layout.row(record, &mut read.notices).and_then(|row| (self.read)(&row));
            match made {
                Ok(mut good) => {
                    finish(&mut good);
                    read.lines.push(record.row);
                    read.codes.push((self.code)(&good));
                    read.good.push(good);
                }
                Err(fault) => read.faults.push(fault),
            }
        }
        read
    }
}

/// What a chunk of a file became.
pub struct Chunk<T> {
    rows: u64,
    good: Vec<T>,
    /// Line and code of each good row.
    lines: Vec<u64>,
    codes: Texts,
    faults: Vec<Fault>,
    notices: Vec<Fault>,
}

impl<T> Default for Chunk<T> {
    fn default() -> Self {
        let (good, lines, codes) = (Vec::new(), Vec::new(), Texts::default());
        Self { rows: 0, good, lines, codes, faults: Vec::new(), notices: Vec::new() }
    }
}

impl<T> Chunk<T> {
    /// Takes the rows away, when every one of them was good by itself.
    pub fn take_good(&mut self) -> Option<Vec<T>> {
        self.faults.is_empty().then(|| std::mem::take(&mut self.good))
    }
}

/// What is known of a file as its chunks come in, in order.
#[derive(Default)]
pub struct Tally {
    report: Report,
    seen: Seen,
}

impl Tally {
    pub fn new(unknown_columns: &[String]) -> Self {
        let report = Report { unknown_columns: unknown_columns.to_vec(), ..Report::default() };
        Self { report, seen: Seen::default() }
    }

    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Takes what a chunk says. Rows about a code that came before are taken out of it.
    pub fn take<T>(&mut self, chunk: &mut Chunk<T>) {
        let mut is_new = Vec::with_capacity(chunk.lines.len());
        for (&row, code) in chunk.lines.iter().zip(chunk.codes.iter()) {
            is_new.push(self.seen.is_new(code));
            if is_new.last() == Some(&false) {
                chunk.faults.push(twice(row, code));
            }
        }
        self.report.rows += chunk.rows;
        self.report.good += is_new.iter().filter(|is_new| **is_new).count() as u64;
        let mut is_new = is_new.into_iter();
        chunk.good.retain(|_| is_new.next().unwrap_or(false));
        chunk.faults.sort_by_key(|fault| fault.row);
        chunk.faults.drain(..).for_each(|fault| self.report.fault(fault));
        chunk.notices.drain(..).for_each(|notice| self.report.notice(notice));
    }

    /// Returns the report, of the whole file: what ended it early is a fault of it.
    pub fn end(mut self, broken: Option<&Fault>) -> Report {
        if let Some(fault) = broken {
            self.report.stopped = true;
            self.report.fault(fault.clone());
        }
        self.report
    }
}

/// Codes seen so far: 64 bits of each, by keys of chance, so that a million need 18 MB. Two that differ are
/// taken for one in one of thirty million such files, and not when it is read again.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    seen: Hashes,
}

impl Seen {
    fn is_new(&mut self, code: &str) -> bool {
        self.seen.insert(self.hasher.hash_one(code))
    }
}

fn twice(row: u64, code: &str) -> Fault {
    let refusal = Refusal::new(RefusalCode::Duplicate).saying("import.twice").with("code", code);
    Fault::new(row, "code", refusal)
}

/// Reads good rows one by one; what was wrong is in the report.
pub struct Import<'s, R, T> {
    sheet: Sheet<R>,
    form: Form<'s, T>,
    tally: Tally,
    ready: std::vec::IntoIter<T>,
}

/// An import whose header was read, or what is wrong with the file.
pub type Opened<'s, R, T> = Result<Import<'s, R, T>, Fault>;

impl<'s, R: Read + Seek, T> Import<'s, R, T> {
    /// Finds the encoding and reads the header.
    ///
    /// # Errors
    /// A fault of the whole file.
    pub fn open(reader: R, form: Form<'s, T>, mapping: &Mapping) -> Result<Self, Fault> {
        let sheet = Sheet::open(reader, form.wanted, mapping)?;
        let tally = Tally::new(sheet.unknown_columns());
        Ok(Self { sheet, form, tally, ready: Vec::new().into_iter() })
    }

    /// What there is to say so far.
    pub fn report(&self) -> &Report {
        self.tally.report()
    }

    /// Reads on to the end without keeping anything, and returns what there is to say.
    pub fn dry_run(mut self) -> Report {
        while self.next().is_some() {}
        self.tally.end(self.sheet.broken())
    }
}

impl<R: Read + Seek, T> Iterator for Import<'_, R, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        loop {
            if let Some(good) = self.ready.next() {
                return Some(good);
            }
            let records = self.sheet.next_chunk(Vec::new());
            if records.is_empty() {
                return None;
            }
            let mut chunk = self.form.read(self.sheet.layout(), &records, |_| {});
            self.tally.take(&mut chunk);
            self.ready = chunk.good.into_iter();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mapping::OwnFields;
    use super::*;
    use std::io::Cursor;

    const WANTED: Wanted<'static> =
        Wanted { columns: &["code", "name"], needed: &["code"], own: OwnFields::Unknown };

    /// A row as code and name.
    type Pair = (String, String);

    fn open(bytes: &[u8]) -> Opened<'static, Cursor<Vec<u8>>, Pair> {
        let form = Form::new(
            WANTED,
            |(code, _): &Pair| code,
            |row| {
                let cell = |column| row.get(column).unwrap_or_default().to_owned();
                Ok((cell("code"), cell("name")))
            },
        );
        Import::open(Cursor::new(bytes.to_vec()), form, &Mapping::usual())
    }

    #[test]
    fn columns_are_found_by_name_and_strange_ones_are_listed() {
        let mut import =
            open("名前,税,商品コード,name\r\n牛乳,8,'4901234567894,x\r\n".as_bytes()).unwrap();
        assert_eq!(import.next(), Some(("4901234567894".to_owned(), "牛乳".to_owned())));
        assert_eq!(import.report().unknown_columns, ["税", "name"]);
        assert_eq!(import.next(), None);
        assert_eq!((import.report().rows, import.report().good), (1, 1));
    }

    #[test]
    fn a_lone_lead_byte_is_reported_with_row_and_column_and_spoils_no_other_row() {
        let file = b"code,name\n1,\x8B\x8D\x83\n2,\x93\xFB\n\x1Ba\x01,x\n";
        let mut import = open(file).unwrap();
        assert_eq!(import.next().unwrap().1, "牛〓");
        assert_eq!(import.next().unwrap().1, "乳");
        assert_eq!(import.next().unwrap().0, "\u{1B}a\u{1}");
        let report = import.dry_run();
        assert_eq!(report.notices, [Fault::saying(2, "name", "import.broken_sign")]);
    }

    #[test]
    fn a_line_break_inside_a_cell_is_a_space_and_rows_keep_their_numbers() {
        let file = b"code,name\n1,\"milk\r\n 1L\n\"\n2,\"a\rb\"\n3,x,y\n";
        let mut import = open(file).unwrap();
        assert_eq!(import.next().unwrap().1, "milk 1L");
        assert_eq!(import.next().unwrap().1, "a b");
        let report = import.dry_run();
        assert_eq!(report.faults, [Fault::saying(7, "", "import.too_many_cells")]);
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
    fn a_code_that_comes_again_is_told_in_whichever_order() {
        for (codes, again) in [
            ("1 2 3 4", ""),
            ("1 2 2 3", "4"),
            ("1 3 2 3", "5"),
            ("3 2 1 2 10 3", "5 7"),
            ("1 10 2 20 10", "6"),
        ] {
            let file = format!("code\n{}\n", codes.replace(' ', "\n"));
            let report = open(file.as_bytes()).unwrap().dry_run();
            let rows: Vec<_> = report.faults.iter().map(|fault| fault.row.to_string()).collect();
            assert_eq!(rows.join(" "), again, "{codes}");
            let twice = |fault: &Fault| fault.refusal.sentence == "import.twice";
            assert!(report.faults.iter().all(twice));
        }
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
