//! X and Z row by row, for other programs and for a terminal: every figure of the paper.
//!
//! Room: reports. May touch: std.
//! Invariant: to programs `block` and `item` are words that never change their meaning; people read them in
//! the shop's language.

use super::table::{Cell, Column, Kind, Table};
use super::taxes;
use super::x_z::CashShown;
use crate::domain::day::{Count, DayTotals, Tally};
use crate::domain::entry::ZClosing;
use crate::domain::money::Money;
use crate::domain::register::ymd;
use crate::domain::words::Words;

/// Returns the day's figures; with a closing it is the Z, without one the X so far. `parked` are the sales
/// that are, or stayed, parked.
pub fn day_table(
    words: &Words,
    day: &DayTotals,
    closing: Option<&ZClosing>,
    parked: Tally,
    cash: CashShown,
) -> Table {
    let mut rows = Rows { words, rows: Vec::new() };
    rows.sales(day);
    rows.taxes_and_tenders(day);
    if closing.is_some() || cash == CashShown::All {
        rows.cash(day, closing);
    }
    rows.operations(day);
    rows.tally("operation", "parked", parked);
    rows.groups(day);
    if let Some(closing) = closing {
        rows.amount("grand_total", "before", closing.grand_total_before);
        rows.amount("grand_total", "after", closing.grand_total);
    }
    let key = if closing.is_some() { "report.z.title" } else { "report.x.title" };
    Table {
        name: if closing.is_some() { "z" } else { "x" },
        title: format!("{} {}", words.get(key), ymd(day.business_date)),
        columns: columns(words),
        rows: rows.rows,
        totals: None,
    }
}

fn columns(words: &Words) -> Vec<Column> {
    let column = |key, title, kind| Column::new(words, key, title, kind);
    vec![
        column("block", "report.column.block", Kind::Code),
        column("item", "report.column.item", Kind::Code),
        column("count", "report.column.count", Kind::Quantity),
        column("amount", "report.column.amount", Kind::Money),
        column("tax", "report.column.tax_amount", Kind::Money),
    ]
}

struct Rows<'a> {
    words: &'a Words,
    rows: Vec<Vec<Cell>>,
}

/// A number of the shop's own (department, hour, staff) or an item with a word, `report.row.BLOCK.ITEM`.
struct Item {
    code: String,
    shown: Option<String>,
}

impl From<&str> for Item {
    fn from(code: &str) -> Self {
        Self { code: code.to_owned(), shown: None }
    }
}

impl Rows<'_> {
    fn push(&mut self, block: &str, item: impl Into<Item>, count: Cell, amount: Cell, tax: Cell) {
        let Item { code, shown } = item.into();
        let word = |key: String| self.words.get(&key).to_owned();
        let shown = shown.unwrap_or_else(|| word(format!("report.row.{block}.{code}")));
        let block =
            Cell::Word { code: block.to_owned(), shown: word(format!("report.row.{block}")) };
        self.rows.push(vec![block, Cell::Word { code, shown }, count, amount, tax]);
    }

    fn amount(&mut self, block: &str, item: &str, amount: Money) {
        self.push(block, item, Cell::Empty, Cell::Money(amount), Cell::Empty);
    }

    fn count(&mut self, block: &str, item: &str, count: i64) {
        self.push(block, item, Cell::Quantity(count.into()), Cell::Empty, Cell::Empty);
    }

    fn tally(&mut self, block: &str, item: impl Into<Item>, tally: Tally) {
        let count = Cell::Quantity(tally.count.into());
        self.push(block, item, count, Cell::Money(tally.amount), Cell::Empty);
    }

    fn sales(&mut self, day: &DayTotals) {
        self.count("sales", "receipts", day.receipts.into());
        self.push("sales", "pieces", Cell::Quantity(day.pieces), Cell::Empty, Cell::Empty);
        self.amount("sales", "gross", day.gross);
        self.tally("sales", "amounts_off", day.amounts_off);
        self.tally("sales", "percents_off", day.percents_off);
        self.tally("sales", "points_off", day.points_off);
        self.tally("sales", "returns", day.returns);
        self.tally("sales", "net", Tally { count: day.customers, amount: day.net });
    }

    /// The base as printed: with tax where the price had it, without where it had not.
    fn taxes_and_tenders(&mut self, day: &DayTotals) {
        for (key, sum) in &day.taxes {
            let basis = if key.included { "included" } else { "excluded" };
            let mode = if key.included { "paper.line.with_tax" } else { "paper.line.before_tax" };
            let name = taxes::name(self.words, &key.class, key.rate.parse().ok(), 0);
            let item = Item {
                code: format!("{} {} {basis}", key.class, key.rate),
                shown: Some(format!("{name}{}", self.words.get(mode))),
            };
            self.push("tax", item, Cell::Empty, Cell::Money(sum.base), Cell::Money(sum.tax));
        }
        self.tally("tax_refund", "cash", day.tax_refunds_cash);
        self.tally("tax_refund", "transfer", day.tax_refunds_transfer);
        for (kind, tally) in &day.tenders {
            self.tally("tender", kind.word(), *tally);
        }
    }

    fn cash(&mut self, day: &DayTotals, closing: Option<&ZClosing>) {
        self.amount("cash", "float", day.float);
        self.tally("cash", "paid_in", day.paid_in);
        self.tally("cash", "paid_out", day.paid_out);
        self.tally("cash", "loans", day.loans);
        self.tally("cash", "pickups", day.pickups);
        self.amount(
            "cash",
            "expected",
            closing.map_or_else(|| day.expected_cash(), |z| z.expected),
        );
        let counted = match closing {
            Some(closing) => closing.counted,
            None => day.count.as_ref().and_then(Count::total),
        };
        if let Some(counted) = counted {
            self.amount("cash", "counted", counted);
        }
        if let Some(closing) = closing {
            self.amount("cash", "difference", closing.difference);
            self.amount("cash", "float_left", closing.float_left);
        }
    }

    fn operations(&mut self, day: &DayTotals) {
        self.tally("operation", "voided_lines", day.voided_lines);
        self.tally("operation", "voided_sales", day.voided_sales);
        self.tally("operation", "voided_receipts", day.voided_receipts);
        for (item, count) in [
            ("overrides", day.overrides),
            ("no_sales", day.no_sales),
            ("formal_receipts", day.formal_receipts),
            ("formal_copies", day.formal_copies),
            ("reprints", day.reprints),
            ("age_checks", day.age_checks),
            ("return_slips", day.return_slips),
            ("x_reports", day.x_reports),
            ("tender_corrections", day.tender_corrections),
            ("approvals", day.approvals),
            ("refusals", day.refusals),
            ("training_sales", day.training_sales),
        ] {
            self.count("operation", item, count.into());
        }
    }

    fn groups(&mut self, day: &DayTotals) {
        for (number, sum) in &day.departments_with_tax() {
            let item = plain(format!("{number:02}"));
            let count = Cell::Quantity(sum.quantity);
            self.push("department", item, count, Cell::Money(sum.amount), Cell::Empty);
        }
        for (hour, tally) in &day.hours {
            let code = format!("{hour:02}");
            let shown = Some(self.words.fill("report.hour", &[("hour", &code)]));
            self.tally("hour", Item { code, shown }, *tally);
        }
        for (staff, tally) in &day.staff {
            self.tally("staff", plain(format!("{staff:04}")), *tally);
        }
        self.count("points", "given", day.points_given);
        self.count("points", "used", day.points_used);
        self.count("points", "taken_back", day.points_taken_back);
        self.count("points", "given_back", day.points_given_back);
    }
}

/// A number is its own word.
fn plain(number: String) -> Item {
    Item { shown: Some(number.clone()), code: number }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;
    use crate::domain::number::{DocKind, DocNo};
    use crate::domain::sale::TenderKind;
    use crate::reports::test_shop::{day_of, sale_of, words};

    #[test]
    fn expected_cash_is_not_told_by_another_row() {
        let day = day_of("2026-11-22", &[sale_of(1, &[("reduced", 1_080)])]);
        let parked = Tally { count: 2, amount: yen(3_980) };
        let hidden = day_table(&words("ja"), &day, None, parked, CashShown::Hidden).to_csv();
        assert!(!hidden.contains("\r\ncash,"));
        assert!(hidden.contains("\r\noperation,parked,2,3980,\r\n"), "{hidden}");
        let shown = day_table(&words("ja"), &day, None, parked, CashShown::All).to_csv();
        assert!(shown.contains("\r\ncash,expected,,1080,\r\n"), "{shown}");
        assert!(shown.contains("\r\ntax,reduced 8 included,,1080,80\r\n"), "{shown}");
    }
    /// Every row of a Z that has all of them, in both languages.
    #[test]
    fn people_read_every_row_in_their_language() {
        let mut day = day_of("2026-11-22", &[sale_of(1, &[("reduced", 1_080), ("exempt", 300)])]);
        for kind in TenderKind::ALL {
            day.tenders.entry(kind).or_default();
        }
        let number = DocNo { lane: 1, epoch: 0, kind: DocKind::Z, number: 412 };
        let closing = ZClosing {
            number,
            counted: Some(yen(1_380)),
            count: None,
            expected: yen(1_380),
            difference: yen(0),
            float_left: yen(0),
            grand_total_before: yen(0),
            grand_total: yen(1_380),
            seal: None,
        };
        for language in ["ja", "en"] {
            let words = words(language);
            let table = day_table(&words, &day, Some(&closing), Tally::default(), CashShown::All);
            for row in &table.rows {
                for cell in &row[..2] {
                    let Cell::Word { shown, .. } = cell else { panic!("{cell:?} has no word") };
                    assert!(!shown.contains("report."), "{language}: {shown}");
                    let latin = |sign: char| sign.is_ascii_alphabetic();
                    let known = ["QR・コード決済", "点検(X)"].contains(&shown.as_str());
                    assert!(language == "en" || known || !shown.contains(latin), "{shown}");
                }
            }
        }
        let text =
            day_table(&words("ja"), &day, None, Tally::default(), CashShown::All).to_text(78);
        assert!(text.contains("\n税率別    8%対象(税込)"), "{text}");
    }
}
