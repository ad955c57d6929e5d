//! An analysis as a page for a browser or a printer, and as a picture: both stand alone, nothing is
//! fetched.
//!
//! Room: reports. May touch: std. May not: store, files, network.
//! Invariant: the same rows and sums as the text; whatever stands in a cell is text and never markup.

use std::fmt::Write;

use super::columns::columns;
use super::table::{Cell, Column, Kind, Table};
use crate::domain::words::Words;

/// How a table is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    #[default]
    Text,
    Csv,
    Json,
    Html,
    Svg,
}

impl Form {
    pub const ALL: [Self; 5] = [Self::Text, Self::Csv, Self::Json, Self::Html, Self::Svg];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Html => "html",
            Self::Svg => "svg",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.word() == word)
    }
}

/// Cells of a line of text.
const TEXT_CELLS: usize = 78;

/// Writes a table; a page says its language in the words of the shop.
pub fn written(table: &Table, form: Form, words: &Words) -> String {
    match form {
        Form::Text => table.to_text(TEXT_CELLS),
        Form::Csv => table.to_csv(),
        Form::Json => format!("{}\n", table.to_json()),
        Form::Html => html(table, words.get("page.language")),
        Form::Svg => svg(table, words.get("page.language")),
    }
}

/// The look of a page, on a screen and on paper.
const STYLE: &str = "body{font-family:sans-serif;margin:2em}\
table{border-collapse:collapse}\
th,td{padding:.2em .6em;text-align:left;vertical-align:top;border-bottom:1px solid #ccc}\
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
thead th,tfoot td{border-bottom:2px solid #333}\
tfoot td{font-weight:bold}";

fn html(table: &Table, language: &str) -> String {
    let title = escaped(&table.title);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         <table>\n<thead>\n<tr>"
    );
    for column in &table.columns {
        push(&mut out, format_args!("<th{}>{}</th>", class(column), escaped(&column.title)));
    }
    out.push_str("</tr>\n</thead>\n<tbody>\n");
    table.rows.iter().for_each(|row| html_row(table, row, &mut out));
    out.push_str("</tbody>\n");
    if let Some(totals) = &table.totals {
        out.push_str("<tfoot>\n");
        html_row(table, totals, &mut out);
        out.push_str("</tfoot>\n");
    }
    out.push_str("</table>\n</body>\n</html>\n");
    out
}

fn html_row(table: &Table, row: &[Cell], out: &mut String) {
    out.push_str("<tr>");
    for (column, cell) in table.columns.iter().zip(row) {
        push(out, format_args!("<td{}>{}</td>", class(column), escaped(&cell.shown())));
    }
    out.push_str("</tr>\n");
}

fn class(column: &Column) -> &'static str {
    if is_number(column) { " class=\"n\"" } else { "" }
}

const fn is_number(column: &Column) -> bool {
    !matches!(column.kind, Kind::Text | Kind::Code)
}

/// Units of one cell, of a line, of the edge, and between two columns.
const CELL: usize = 8;
const LINE: usize = 24;
const EDGE: usize = 16;
const GAP: usize = 16;
/// Reports whose rows are compared, and the column whose amounts are drawn as bars, too.
const BARRED: [(&str, &str); 3] = [("sales", "net"), ("items", "amount"), ("members", "spent")];
/// The longest bar.
const BAR: usize = 240;

/// Each row is a line of text; behind it a bar says how its amount stands to the others.
fn svg(table: &Table, language: &str) -> String {
    let places = places(table);
    let end = places.last().map_or(EDGE, |(from, width)| from + width);
    let barred = barred(table);
    let wide = columns(&table.title) * CELL * 3 / 2 + EDGE;
    let width = (end + barred.map_or(0, |_| GAP + BAR)).max(wide) + EDGE;
    let lines = table.rows.len() + 2 + usize::from(table.totals.is_some());
    let height = lines * LINE + 2 * EDGE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xml:lang=\"{language}\" width=\"{width}\" \
         height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"14\">\n<title>{title}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"{EDGE}\" y=\"{top}\" font-size=\"21\">{title}</text>\n",
        title = escaped(&table.title),
        top = EDGE + LINE - 6,
    );
    let heads = table.columns.iter().map(|column| column.title.clone()).collect();
    svg_row(table, &places, heads, 1, &mut out);
    svg_rule(end, 2, &mut out);
    for (place, row) in table.rows.iter().enumerate() {
        svg_row(table, &places, shown(row), place + 2, &mut out);
        if let Some((column, most)) = barred {
            svg_bar(&row[column], most, (end + GAP, place + 2), &mut out);
        }
    }
    if let Some(totals) = &table.totals {
        svg_rule(end, table.rows.len() + 2, &mut out);
        svg_row(table, &places, shown(totals), table.rows.len() + 2, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

fn shown(row: &[Cell]) -> Vec<String> {
    row.iter().map(Cell::shown).collect()
}

/// Where each column begins, and how wide it is.
fn places(table: &Table) -> Vec<(usize, usize)> {
    let widths = table.columns.iter().enumerate().map(|(place, column)| {
        let rows = table.rows.iter().chain(&table.totals);
        let cells = rows.map(|row| columns(&row[place].shown()));
        cells.chain([columns(&column.title)]).max().unwrap_or(0) * CELL
    });
    let placed = widths.scan(EDGE, |from, width| {
        let place = (*from, width);
        *from += width + GAP;
        Some(place)
    });
    placed.collect()
}

/// The column drawn as bars, and its greatest amount; none where there is nothing to compare.
fn barred(table: &Table) -> Option<(usize, i64)> {
    let (_, key) = BARRED.iter().find(|(report, _)| *report == table.name)?;
    let column = table.columns.iter().position(|column| column.key == *key)?;
    let amounts = table.rows.iter().filter_map(|row| amount(&row[column]));
    let most = amounts.max().filter(|most| *most > 0 && table.rows.len() > 1)?;
    Some((column, most))
}

const fn amount(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Money(amount) => Some(amount.minor()),
        _ => None,
    }
}

fn svg_row(
    table: &Table,
    places: &[(usize, usize)],
    cells: Vec<String>,
    line: usize,
    out: &mut String,
) {
    let y = EDGE + (line + 1) * LINE - 7;
    for ((column, (from, width)), cell) in table.columns.iter().zip(places).zip(cells) {
        if cell.is_empty() {
            continue;
        }
        let (x, anchor) = match is_number(column) {
            true => (from + width, " text-anchor=\"end\""),
            false => (*from, ""),
        };
        let cell = escaped(&cell);
        push(out, format_args!("<text x=\"{x}\" y=\"{y}\"{anchor}>{cell}</text>\n"));
    }
}

/// A rule above a line.
fn svg_rule(end: usize, line: usize, out: &mut String) {
    let y = EDGE + line * LINE;
    push(out, format_args!("<path d=\"M{EDGE} {y}H{end}\" stroke=\"#333\"/>\n"));
}

fn svg_bar(cell: &Cell, most: i64, (x, line): (usize, usize), out: &mut String) {
    let amount = amount(cell).unwrap_or(0).max(0);
    let width = i128::from(amount) * BAR as i128 / i128::from(most);
    let (y, height) = (EDGE + line * LINE + 5, LINE - 10);
    push(
        out,
        format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"#5b84b1\"/>\n"
        ),
    );
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("memory takes all that is written");
}

/// The text as markup shows it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            sign if crate::domain::text::is_unprintable(sign) => {}
            sign => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;
    use crate::reports::test_shop::words;

    fn table() -> Table {
        let column =
            |key: &str, title: &str, kind| Column { key: key.into(), title: title.into(), kind };
        let row = |name: &str, amount| vec![Cell::Text(name.into()), Cell::Money(yen(amount))];
        Table {
            name: "items",
            title: "商品別 <&>".into(),
            columns: vec![
                column("name", "商品名", Kind::Text),
                column("amount", "金額", Kind::Money),
            ],
            rows: vec![
                row("<script>alert(\"1\")</script>", 1_240),
                row("牛乳 & \u{1b}'卵'", -20),
                row("パン", 620),
            ],
            totals: Some(vec![Cell::Empty, Cell::Money(yen(1_840))]),
        }
    }

    #[test]
    fn a_page_has_every_row_as_text_and_fetches_nothing() {
        let page = written(&table(), Form::Html, &words("ja"));
        for part in [
            "<html lang=\"ja\">",
            "<meta charset=\"utf-8\">",
            "<title>商品別 &lt;&amp;&gt;</title>",
            "<th>商品名</th><th class=\"n\">金額</th>",
            "<td>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;</td><td class=\"n\">1,240</td>",
            "<td>牛乳 &amp; &#39;卵&#39;</td><td class=\"n\">-20</td>",
            "<tfoot>\n<tr><td></td><td class=\"n\">1,840</td></tr>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        for part in ["http", "src=", "url(", "@import", "\u{1b}"] {
            assert!(!page.contains(part), "{part}: {page}");
        }
    }

    #[test]
    fn a_picture_has_every_row_a_bar_for_each_and_fetches_nothing() {
        let picture = written(&table(), Form::Svg, &words("en"));
        assert!(picture.contains("xml:lang=\"en\""), "{picture}");
        assert_eq!(picture.matches("http").count(), 1, "the name of the format alone");
        for part in ["href", "url(", "@import", "<script", "\u{1b}"] {
            assert!(!picture.contains(part), "{part}: {picture}");
        }
        // Title, two heads, three rows of two cells, one sum.
        assert_eq!(picture.matches("<text ").count(), 1 + 2 + 6 + 1, "{picture}");
        let widths: Vec<&str> = picture
            .lines()
            .filter_map(|line| line.strip_suffix("fill=\"#5b84b1\"/>"))
            .filter_map(|bar| bar.split("width=\"").nth(1)?.split('"').next())
            .collect();
        assert_eq!(widths, ["240", "0", "120"]);
    }

    #[test]
    fn a_table_without_rows_is_a_page_all_the_same() {
        let empty = Table { rows: Vec::new(), totals: None, ..table() };
        for form in Form::ALL {
            assert!(!written(&empty, form, &words("ja")).is_empty(), "{form:?}");
            assert_eq!(Form::from_word(form.word()), Some(form));
        }
    }
}
