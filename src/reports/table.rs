//! An analysis before anybody writes it: columns with a meaning, rows, and a sum under them.
//!
//! Room: reports. May touch: serde_json, csv, unicode-width. May not: store, files.
//! Invariant: every form shows the same rows; CSV and JSON name columns by key, never by wording.

use serde_json::{Map, Value, json};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::letterhead::grouped;
use crate::domain::money::Money;
use crate::domain::quantity::Quantity;
use crate::domain::spreadsheet::guarded;
use crate::domain::text::cleaned;
use crate::domain::words::Words;

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Words; they wrap where room is short.
    Text,
    /// A code, a date: text that is never broken.
    Code,
    /// Whole minor units.
    Money,
    Count,
    /// May have a fraction.
    Quantity,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Code => "code",
            Self::Money => "money",
            Self::Count => "count",
            Self::Quantity => "quantity",
        }
    }
}

/// One column; texts stand left, numbers right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name in CSV and JSON; other programs depend on it.
    pub key: String,
    /// Heading in the shop's language.
    pub title: String,
    pub kind: Kind,
}

impl Column {
    /// A column under the heading that `words` have for `title`.
    pub fn new(words: &Words, key: &str, title: &str, kind: Kind) -> Self {
        Self { key: key.to_owned(), title: words.get(title).to_owned(), kind }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Empty,
    Text(String),
    /// A word that programs know by `code`, never changing its meaning, and people read as `shown`.
    Word {
        code: String,
        shown: String,
    },
    Money(Money),
    Count(i64),
    Quantity(Quantity),
}

impl Cell {
    /// The cell as people read it: one line, which no text breaks or turns.
    pub fn shown(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) | Self::Word { shown: text, .. } => cleaned(text),
            Self::Money(amount) => amount.grouped(),
            Self::Count(count) => grouped(*count),
            Self::Quantity(quantity) => quantity.to_string(),
        }
    }

    /// Plain digits for programs; only texts can be formulas.
    fn csv(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) | Self::Word { code: text, .. } => guarded(text).into_owned(),
            Self::Money(amount) => amount.minor().to_string(),
            Self::Count(count) => count.to_string(),
            Self::Quantity(quantity) => quantity.to_string(),
        }
    }

    fn json(&self) -> Option<Value> {
        Some(match self {
            Self::Empty => return None,
            Self::Text(text) | Self::Word { code: text, .. } => json!(text),
            Self::Money(amount) => json!(amount.minor()),
            Self::Count(count) => json!(count),
            Self::Quantity(quantity) => json!(quantity.to_string()),
        })
    }
}

/// Rows of one analysis, as many as there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The report's name in the command language.
    pub name: &'static str,
    pub title: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// One cell a column.
    pub totals: Option<Vec<Cell>>,
}

/// Columns between two columns of a text.
const GAP: usize = 2;
/// A text column never gets narrower than this many columns, however narrow the screen.
const NARROWEST_TEXT: usize = 8;

impl Table {
    /// Returns the table as lines of at most `width` columns where its numbers allow; long texts wrap.
    pub fn to_text(&self, width: usize) -> String {
        let widths = self.widths(width);
        let rule = "-".repeat(widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1));
        let heads = self.columns.iter().map(|column| column.title.clone()).collect();
        let mut out = format!("{}\n", self.title);
        self.push_row(heads, &widths, &mut out);
        out.push_str(&rule);
        out.push('\n');
        for row in &self.rows {
            self.push_row(row.iter().map(Cell::shown).collect(), &widths, &mut out);
        }
        if let Some(totals) = &self.totals {
            out.push_str(&rule);
            out.push('\n');
            self.push_row(totals.iter().map(Cell::shown).collect(), &widths, &mut out);
        }
        out
    }

    fn widths(&self, width: usize) -> Vec<usize> {
        let rows = self.rows.iter().chain(&self.totals);
        let mut widths: Vec<usize> =
            self.columns.iter().map(|column| column.title.width()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.shown().width());
            }
        }
        let gaps = GAP * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > width {
            let texts = widths.iter_mut().zip(&self.columns);
            let texts = texts.filter(|(_, column)| column.kind == Kind::Text);
            match texts.map(|(width, _)| width).max() {
                Some(widest) if *widest > NARROWEST_TEXT => *widest -= 1,
                _ => break,
            }
        }
        widths
    }

    fn push_row(&self, cells: Vec<String>, widths: &[usize], out: &mut String) {
        let wrapped: Vec<Vec<String>> =
            cells.iter().zip(widths).map(|(cell, width)| wrap(cell, *width)).collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let cells = wrapped.iter().zip(widths).zip(&self.columns);
            let set: Vec<String> = cells
                .map(|((cell, width), column)| {
                    let text = cell.get(line).map_or("", String::as_str);
                    let room = " ".repeat(width.saturating_sub(text.width()));
                    match column.kind {
                        Kind::Text | Kind::Code => format!("{text}{room}"),
                        _ => format!("{room}{text}"),
                    }
                })
                .collect();
            out.push_str(set.join("  ").trim_end());
            out.push('\n');
        }
    }

    /// Returns the rows as CSV with CRLF, without the sums: a program adds for itself.
    pub fn to_csv(&self) -> String {
        let mut writer =
            csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        let heads = self.columns.iter().map(|column| column.key.clone()).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(Cell::csv).collect());
        for record in std::iter::once::<Vec<String>>(heads).chain(rows) {
            writer.write_record(record).expect("a row as wide as its head, into memory");
        }
        let bytes = writer.into_inner().expect("memory takes all that is written");
        String::from_utf8(bytes).expect("texts are UTF-8")
    }

    /// Returns the table for other programs; an empty cell is absent.
    pub fn to_json(&self) -> Value {
        let columns: Vec<Value> = self
            .columns
            .iter()
            .map(|column| json!({"key": column.key, "title": column.title, "kind": column.kind.word()}))
            .collect();
        let rows: Vec<Value> = self.rows.iter().map(|row| self.object(row)).collect();
        let mut table = json!({"report": self.name, "columns": columns, "rows": rows});
        if let Some(totals) = &self.totals {
            table["totals"] = self.object(totals);
        }
        table
    }

    fn object(&self, row: &[Cell]) -> Value {
        let fields = self.columns.iter().zip(row);
        let fields = fields.filter_map(|(column, cell)| Some((column.key.clone(), cell.json()?)));
        Value::Object(fields.collect::<Map<_, _>>())
    }
}

/// Breaks a text at `width` cells of a terminal, between words where it can; an empty text is one empty line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for sign in text.chars() {
        let last = lines.last_mut().expect("there is always a line");
        if last.width() + sign.width().unwrap_or(0) <= width || last.is_empty() {
            last.push(sign);
            continue;
        }
        let word = match last.rfind([' ', '\u{3000}']).filter(|at| *at > 0 && sign != ' ') {
            Some(at) => last.split_off(at).trim_start().to_owned(),
            None => String::new(),
        };
        lines.push(format!("{word}{sign}").trim_start().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;

    fn table() -> Table {
        let column =
            |key: &str, title: &str, kind| Column { key: key.into(), title: title.into(), kind };
        Table {
            name: "items",
            title: "商品別".into(),
            columns: vec![
                column("name", "商品名", Kind::Text),
                column("quantity", "数量", Kind::Quantity),
                column("amount", "金額", Kind::Money),
            ],
            rows: vec![
                vec![
                    Cell::Text("=牛乳 1L".into()),
                    Cell::Quantity("2.5".parse().unwrap()),
                    Cell::Money(yen(1_240)),
                ],
                vec![
                    Cell::Text("とても長い名前の商品です".into()),
                    Cell::Empty,
                    Cell::Money(yen(-20)),
                ],
            ],
            totals: Some(vec![Cell::Empty, Cell::Empty, Cell::Money(yen(1_220))]),
        }
    }

    #[test]
    fn a_text_lines_up_and_wraps_instead_of_cutting() {
        let want = [
            "商品別",
            "商品名         数量   金額",
            "--------------------------",
            "=牛乳 1L        2.5  1,240",
            "とても長い名           -20",
            "前の商品です",
            "--------------------------",
            "                     1,220",
            "",
        ];
        assert_eq!(table().to_text(26), want.join("\n"));
    }

    #[test]
    fn a_text_breaks_between_words_and_breaks_no_row() {
        for (text, width, want) in [
            ("モリ ダイスケ", 8, vec!["モリ", "ダイスケ"]),
            ("a quite long name", 8, vec!["a quite", "long", "name"]),
            ("とても長い名前", 8, vec!["とても長", "い名前"]),
            ("café", 4, vec!["café"]),
            ("", 4, vec![""]),
        ] {
            assert_eq!(wrap(text, width), want, "{text}");
        }
        let name = Cell::Text("山田\n花子\u{1b}[2J\u{202e}".into());
        let word = Cell::Word { code: "cash".into(), shown: "現金\r\n".into() };
        assert_eq!((name.shown(), word.shown()), ("山田花子[2J".into(), "現金".into()));
        assert_eq!((word.csv(), word.json()), ("cash".into(), Some(json!("cash"))));
    }

    #[test]
    fn csv_has_keys_plain_numbers_and_no_formula() {
        assert_eq!(
            table().to_csv(),
            "name,quantity,amount\r\n'=牛乳 1L,2.5,1240\r\nとても長い名前の商品です,,-20\r\n"
        );
    }

    #[test]
    fn json_carries_integers_and_sums() {
        let json = table().to_json();
        assert_eq!(json["rows"][0]["amount"], 1240);
        assert_eq!(json["rows"][0]["quantity"], "2.5");
        assert!(json["rows"][1].get("quantity").is_none());
        assert_eq!(json["totals"], json!({"amount": 1220}));
    }
}
