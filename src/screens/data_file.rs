//! The small TOML dialect of keymaps, themes and languages: tables of texts, each with its line.
//!
//! Room: screens. May touch: the text it is handed. May not: files, terminal.
//! Invariant: whatever is refused is refused with file and line, before any customer stands here.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::misread::{by_reader, misread};
use crate::domain::refusal::Refusal;

/// Why a data file is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {fault}")]
pub struct DataFault {
    pub file: String,
    /// From 1.
    pub line: usize,
    pub fault: Refusal,
}

/// One `key = value` and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub key: String,
    pub value: Value,
    /// From 1.
    pub line: usize,
}

/// What a field may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    List(Vec<String>),
    /// An inline table of texts and lists.
    Table(Vec<Field>),
}

/// One table of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table<'a> {
    pub name: &'a str,
    /// From 1.
    pub line: usize,
    pub fields: &'a [Field],
}

/// A data file: its own fields and its tables, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataFile {
    pub name: String,
    pub fields: Vec<Field>,
}

impl DataFile {
    /// Reads the text of a file; `name` is for refusals only.
    ///
    /// # Errors
    /// What is no TOML, and values other than texts, lists of texts and tables of them.
    pub fn read(name: &str, text: &str) -> Result<Self, DataFault> {
        let lines = Lines::of(text);
        let fault = |at: usize, fault: Refusal| DataFault {
            file: name.to_owned(),
            line: lines.number(at),
            fault,
        };
        let table = DeTable::parse(text).map_err(|error| {
            fault(error.span().map_or(0, |span| span.start), by_reader(error.message()))
        })?;
        let fields =
            fields(table.get_ref(), &lines).map_err(|at| fault(at, misread("file.no_text")))?;
        Ok(Self { name: name.to_owned(), fields })
    }

    /// Returns a refusal at a field of this file.
    pub fn fault(&self, line: usize, fault: Refusal) -> DataFault {
        DataFault { file: self.name.clone(), line, fault }
    }

    /// Returns each table with its fields; a loose field is refused.
    ///
    /// # Errors
    /// A field that stands outside any table.
    pub fn tables(&self) -> Result<Vec<Table<'_>>, DataFault> {
        let table = |field: &'_ Field| match &field.value {
            Value::Table(_) => Ok(()),
            _ => Err(self.fault(field.line, misread("file.outside_table").with("key", &field.key))),
        };
        self.fields.iter().try_for_each(table)?;
        Ok(self
            .fields
            .iter()
            .filter_map(|field| match &field.value {
                Value::Table(fields) => Some(Table { name: &field.key, line: field.line, fields }),
                _ => None,
            })
            .collect())
    }
}

/// Where each line of a text ends, so that a place among thousands is found without counting to it.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(memchr::memchr_iter(b'\n', text.as_bytes()).collect())
    }

    /// The line of a byte, from 1.
    fn number(&self, at: usize) -> usize {
        self.0.partition_point(|end| *end < at) + 1
    }
}

/// The fields in file order; `Err` is the place of a value that is none of ours.
fn fields(table: &DeTable<'_>, lines: &Lines) -> Result<Vec<Field>, usize> {
    let mut found = Vec::with_capacity(table.len());
    for (key, value) in table {
        let at = key.span().start;
        let field = Field {
            key: key.get_ref().to_string(),
            value: read_value(value, lines)?,
            line: lines.number(at),
        };
        found.push((at, field));
    }
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, field)| field).collect())
}

fn read_value(value: &Spanned<DeValue<'_>>, lines: &Lines) -> Result<Value, usize> {
    let at = value.span().start;
    match value.get_ref() {
        DeValue::String(string) => Ok(Value::Text(string.to_string())),
        DeValue::Array(items) => {
            let texts: Option<Vec<_>> =
                items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect();
            texts.map(Value::List).ok_or(at)
        }
        DeValue::Table(table) => Ok(Value::Table(fields(table, lines)?)),
        _ => Err(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_the_order_and_the_lines_of_the_file() {
        let file = DataFile::read("k", "[z]\nb = \"1\"\na = [\"2\"]\n\n[a]\nc = \"3\"\n").unwrap();
        let tables = file.tables().unwrap();
        assert_eq!(tables[0].name, "z");
        let keys: Vec<_> =
            tables[0].fields.iter().map(|field| (field.key.as_str(), field.line)).collect();
        assert_eq!(keys, [("b", 2), ("a", 3)]);
    }

    #[test]
    fn a_fault_names_file_and_line() {
        for (text, line) in
            [("[a]\nb = 3\n", 2), ("[a]\n\nb = \n", 3), ("[a]\nb=\"1\"\nb=\"2\"\n", 3)]
        {
            let fault = DataFile::read("tenkey.toml", text).unwrap_err();
            assert_eq!((fault.file.as_str(), fault.line), ("tenkey.toml", line), "{fault}");
        }
        let loose = DataFile::read("k", "x = \"1\"\n").unwrap();
        assert_eq!(loose.tables().unwrap_err().line, 1);
    }
}
