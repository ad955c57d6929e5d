//! Tax-free sales: the slip of a purchase record, the slip of its refund, and the list of records.
//!
//! Room: reports. May touch: std. Source: `japan.md` 1.9.
//! Invariant: the tax shown is that of the entry, never worked out again.

use super::goods;
use super::letterhead::{Act, Letterhead, yen};
use super::table::{Cell, Column, Kind, Table};
use super::taxes;
use crate::domain::document::{Block, Document, Rule, Style};
use crate::domain::money::Money;
use crate::domain::number::DocNo;
use crate::domain::register::ymd;
use crate::domain::sale::Sale;
use crate::domain::tax::TaxGroup;
use crate::domain::tax_free::{Kept, Record, RefundBy, before_tax};
use crate::domain::words::Words;

/// Returns the slip that goes with the customer: the goods, the tax per rate, and until when customs
/// must have seen them.
pub fn record_slip(
    letterhead: &Letterhead<'_>,
    act: &Act<'_>,
    record: &Record,
    sale: &Sale,
) -> Document {
    let words = letterhead.words;
    let mut document = Document::default();
    letterhead.shop(&mut document);
    letterhead.title(&mut document, "paper.tax_free.title", act.copy);
    document.pair(letterhead.date_time(act.local()), format!("No.{}", record.number));
    letterhead.served_by(&mut document, act);
    document.text(words.fill("paper.tax_free.receipt", &[("number", &record.receipt)]));
    for other in &record.with {
        document.text(words.fill("paper.tax_free.with", &[("number", other)]));
    }
    document.rule(Rule::Thin);
    for line in &record.lines {
        if let Some(line) = sale.lines.get(*line as usize - 1) {
            goods::line(letterhead, &mut document, line);
        }
    }
    document.rule(Rule::Thin);
    sums(letterhead, &record.taxes, &mut document);
    let refund = yen(record.refund());
    document.pair_styled(words.get("paper.tax_free.refund_later"), refund, Style::BOLD);
    document.rule(Rule::Thin);
    let by = letterhead.date(record.leaves_by());
    document.text(words.fill("paper.tax_free.leave_by", &[("date", &by)]));
    document.text(words.get("paper.tax_free.whole"));
    letterhead.chain_head(&mut document, act);
    document.push(Block::Barcode(record.number.to_string())).push(Block::Cut);
    document
}

/// Goods and tax of each rate, as the receipt prints them.
fn sums(letterhead: &Letterhead<'_>, groups: &[TaxGroup], document: &mut Document) {
    taxes::excluded(letterhead, document, groups);
    taxes::included(letterhead, document, groups);
    let words = letterhead.words;
    document.pair(words.get("paper.tax_free.before_tax"), yen(before_tax(groups)));
}

/// Tax that goes back, as its entry says.
#[derive(Debug, Clone, Copy)]
pub struct Refund<'a> {
    pub number: DocNo,
    pub receipt: DocNo,
    pub by: RefundBy,
    pub taxes: &'a [TaxGroup],
}

/// Returns the slip to sign when the tax goes back.
pub fn refund_slip(letterhead: &Letterhead<'_>, act: &Act<'_>, refund: &Refund<'_>) -> Document {
    let words = letterhead.words;
    let mut document = Document::default();
    letterhead.shop(&mut document);
    letterhead.title(&mut document, "paper.tax_refund.title", act.copy);
    document.pair(letterhead.date_time(act.local()), format!("No.{}", refund.number));
    letterhead.served_by(&mut document, act);
    document.text(words.fill("paper.tax_free.receipt", &[("number", &refund.receipt)]));
    document.rule(Rule::Thin);
    sums(letterhead, refund.taxes, &mut document);
    let amount: Money = refund.taxes.iter().map(|group| group.tax).sum();
    document.pair_styled(words.get(how(refund.by)), yen(amount), Style::BIG);
    document.push(Block::Feed(1));
    document.text(words.get("paper.signature"));
    letterhead.chain_head(&mut document, act);
    document.push(Block::Cut);
    document
}

const fn how(by: RefundBy) -> &'static str {
    match by {
        RefundBy::Cash => "paper.tax_refund.cash",
        RefundBy::Transfer => "paper.tax_refund.transfer",
    }
}

/// Returns the records handed in, with what each waits for and how much goes back.
pub fn records_list(words: &Words, records: impl IntoIterator<Item = Kept>) -> Table {
    let column = |key, title, kind| Column::new(words, key, title, kind);
    let mut refund = Money::ZERO;
    let rows = records.into_iter().map(|kept| {
        refund += kept.record.refund();
        row(words, &kept)
    });
    let rows: Vec<_> = rows.collect();
    let empty = || Cell::Empty;
    let totals = vec![empty(), empty(), empty(), empty(), empty(), empty(), Cell::Money(refund)];
    Table {
        name: "tax_free",
        title: words.get("report.tax_free.title").to_owned(),
        columns: vec![
            column("record", "report.column.record", Kind::Code),
            column("receipt", "report.column.receipt", Kind::Code),
            column("sold_on", "report.column.sold_on", Kind::Code),
            column("leaves_by", "report.column.leaves_by", Kind::Code),
            column("status", "report.column.status", Kind::Code),
            column("before_tax", "report.column.before_tax", Kind::Money),
            column("refund", "report.column.refund", Kind::Money),
        ],
        rows,
        totals: Some(totals),
    }
}

fn row(words: &Words, kept: &Kept) -> Vec<Cell> {
    let record = &kept.record;
    vec![
        Cell::Text(record.number.to_string()),
        Cell::Text(record.receipt.to_string()),
        Cell::Text(ymd(record.sold_on)),
        Cell::Text(ymd(record.leaves_by())),
        Cell::Text(words.get(&format!("tax_free.{}", kept.status.word())).to_owned()),
        Cell::Money(before_tax(&record.taxes)),
        Cell::Money(record.refund()),
    ]
}
