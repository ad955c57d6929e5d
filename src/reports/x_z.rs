//! X and Z: the day so far, and the day closed.
//!
//! Room: reports. May touch: std. Layout and definitions: `japan.md` 7.4 and 7.5.
//! Invariant: every figure is a sum of entries (`DayTotals`) or stands in the closing entry itself.

use super::letterhead::{Act, Letterhead};
use super::x_z_blocks as blocks;
use crate::domain::day::{DayTotals, Tally};
use crate::domain::document::{Block, Document, Rule};
use crate::domain::entry::ZClosing;
use crate::domain::number::DocNo;
use crate::domain::register::ymd;

/// Whether the cash that must be in the drawer is told before it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CashShown {
    All,
    /// Whoever counts must not know what is expected (`reliability.md` 6).
    Hidden,
}

/// What an X prints.
#[derive(Debug, Clone, Copy)]
pub struct XReport<'a> {
    pub day: &'a DayTotals,
    /// Which X of the day this is, from 1.
    pub count: u32,
    pub cash: CashShown,
    /// Sales that are parked now.
    pub parked: Tally,
}

/// What a Z prints.
#[derive(Debug, Clone, Copy)]
pub struct ZReport<'a> {
    pub day: &'a DayTotals,
    pub closing: &'a ZClosing,
    /// Sales that stay parked over it.
    pub parked: Tally,
    /// What the QR code says, for a check on another PC; empty for none.
    pub code: &'a str,
}

/// Returns the X: it reads and clears nothing.
pub fn x_report(letterhead: &Letterhead<'_>, act: &Act<'_>, report: &XReport<'_>) -> Document {
    let mut document = Document::default();
    let number = letterhead.words.fill("report.x.count", &[("count", &report.count)]);
    head(letterhead, act, "report.x.title", &number, report.day, &mut document);
    sales(letterhead, report.day, &mut document);
    blocks::open_drawer(letterhead, report.day, report.cash, &mut document);
    blocks::parked(letterhead, report.parked, &mut document);
    work(letterhead, report.day, &mut document);
    document.push(Block::Cut);
    document
}

/// Returns the Z, with its place in the chain.
pub fn z_report(letterhead: &Letterhead<'_>, act: &Act<'_>, report: &ZReport<'_>) -> Document {
    let mut document = Document::default();
    let number = letterhead.words.fill("report.z.number", &[("number", &report.closing.number)]);
    head(letterhead, act, "report.z.title", &number, report.day, &mut document);
    sales(letterhead, report.day, &mut document);
    blocks::closed_drawer(letterhead, report.day, report.closing, &mut document);
    blocks::parked(letterhead, report.parked, &mut document);
    work(letterhead, report.day, &mut document);
    blocks::grand_total(letterhead, report.closing, &mut document);
    document.center(letterhead.words.get("report.z.cleared"));
    letterhead.chain_head(&mut document, act);
    blocks::seal(letterhead, report, &mut document);
    document.push(Block::Cut);
    document
}

fn head(
    letterhead: &Letterhead<'_>,
    act: &Act<'_>,
    title: &str,
    number: &str,
    day: &DayTotals,
    document: &mut Document,
) {
    let words = letterhead.words;
    letterhead.title(document, title, act.copy);
    let lane = words.fill("paper.lane", &[("lane", &format_args!("{:02}", act.lane))]);
    document.center(format!("{}  {lane}", letterhead.settings.shop.name));
    let date = words.fill("report.business_date", &[("date", &ymd(day.business_date))]);
    document.pair(date, number);
    let at = act.local().format("%Y-%m-%d %H:%M").to_string();
    let staff = letterhead.staff(act.staff);
    let staff =
        if staff.is_empty() { staff } else { words.fill("report.staff", &[("staff", &staff)]) };
    document.pair(words.fill("report.printed", &[("at", &at)]), staff);
    let sold = day.receipts.saturating_sub(day.return_slips);
    let receipts = words.fill("report.receipts", &[("count", &sold)]);
    let range = match (day.first, day.last) {
        (Some(first), Some(last)) => {
            words.fill("report.range", &[("first", &first), ("last", &last_of(first, last))])
        }
        _ => words.get("report.range.none").to_owned(),
    };
    document.pair(range, receipts);
    if day.return_slips > 0 {
        let slips = words.fill("report.receipts", &[("count", &day.return_slips)]);
        document.pair(words.get("report.return_slips"), slips);
    }
    document.rule(Rule::Double);
}

/// The last number of a range; what it shares with the first is not said twice.
fn last_of(first: DocNo, last: DocNo) -> String {
    let whole = last.to_string();
    match whole.split_once('-') {
        Some((_, digits)) if (first.lane, first.epoch) == (last.lane, last.epoch) => {
            digits.to_owned()
        }
        _ => whole,
    }
}

fn sales(letterhead: &Letterhead<'_>, day: &DayTotals, document: &mut Document) {
    blocks::sales(letterhead, day, document);
    blocks::taxes(letterhead, day, document);
    blocks::tenders(letterhead, day, document);
}

fn work(letterhead: &Letterhead<'_>, day: &DayTotals, document: &mut Document) {
    blocks::operations(letterhead, day, document);
    blocks::departments(letterhead, day, document);
    blocks::hours(letterhead, day, document);
    blocks::staff(letterhead, day, document);
    blocks::points(letterhead, day, document);
}
