//! `report sales`: one row a business day and lane.
//!
//! Room: reports. May touch: std. Sums are those of the Zs, so the two cannot disagree.

use std::collections::BTreeSet;

use super::table::{Cell, Column, Kind, Table};
use crate::domain::day::DayTotals;
use crate::domain::money::Money;
use crate::domain::quantity::{Quantity, Rate};
use crate::domain::register::ymd;
use crate::domain::sale::TenderKind;
use crate::domain::words::Words;

/// Returns days and lanes in the order handed in, with their sums; a tax column for each rate that
/// occurs, a tender column for each kind.
pub fn sales_by_day<'a>(
    words: &Words,
    days: impl IntoIterator<Item = (u8, &'a DayTotals)>,
) -> Table {
    let days: Vec<_> = days.into_iter().collect();
    let rates = rates(&days);
    let kinds = tender_kinds(&days);
    let refunded = days.iter().any(|(_, day)| !day.tax_refunded().is_zero());
    let rows: Vec<_> = days.iter().map(|day| row(*day, &rates, &kinds, refunded)).collect();
    Table {
        name: "sales",
        title: words.get("report.sales.title").to_owned(),
        totals: Some(totals(&rows)),
        columns: columns(words, &rates, &kinds, refunded),
        rows,
    }
}

/// Every rate under which tax was printed, lowest first.
fn rates(days: &[(u8, &DayTotals)]) -> BTreeSet<Rate> {
    let keys = days.iter().flat_map(|(_, day)| day.taxes.keys());
    keys.filter_map(|key| key.rate.parse().ok()).collect()
}

fn tender_kinds(days: &[(u8, &DayTotals)]) -> Vec<TenderKind> {
    let used = |kind: &TenderKind| days.iter().any(|(_, day)| day.tenders.contains_key(kind));
    TenderKind::ALL.into_iter().filter(used).collect()
}

fn columns(
    words: &Words,
    rates: &BTreeSet<Rate>,
    kinds: &[TenderKind],
    refunded: bool,
) -> Vec<Column> {
    let column = |key, title, kind| Column::new(words, key, title, kind);
    let mut columns = vec![
        column("business_date", "report.column.business_date", Kind::Code),
        column("lane", "report.column.lane", Kind::Code),
        column("receipts", "report.column.receipts", Kind::Count),
        column("customers", "report.column.customers", Kind::Count),
        column("pieces", "report.column.pieces", Kind::Quantity),
        column("gross", "report.column.gross", Kind::Money),
        column("discounts", "report.column.discounts", Kind::Money),
        column("returns", "report.column.returns", Kind::Money),
        column("net", "report.column.net", Kind::Money),
    ];
    columns.extend(rates.iter().map(|rate| Column {
        key: format!("tax_{rate}"),
        title: words.fill("report.column.tax", &[("rate", rate)]),
        kind: Kind::Money,
    }));
    if refunded {
        columns.push(column("tax_refunds", "report.column.tax_refunds", Kind::Money));
    }
    columns.extend(
        kinds
            .iter()
            .map(|kind| column(kind.word(), super::receipt::tender_name(*kind), Kind::Money)),
    );
    columns
}

fn row(
    (lane, day): (u8, &DayTotals),
    rates: &BTreeSet<Rate>,
    kinds: &[TenderKind],
    refunded: bool,
) -> Vec<Cell> {
    let discounts = day.amounts_off.amount + day.percents_off.amount + day.points_off.amount;
    let mut row = vec![
        Cell::Text(ymd(day.business_date)),
        Cell::Text(format!("{lane:02}")),
        Cell::Count(day.receipts.into()),
        Cell::Count(day.customers),
        Cell::Quantity(day.pieces),
        Cell::Money(day.gross),
        Cell::Money(discounts),
        Cell::Money(day.returns.amount),
        Cell::Money(day.net),
    ];
    row.extend(rates.iter().map(|rate| Cell::Money(tax_at(day, *rate))));
    row.extend(refunded.then(|| Cell::Money(day.tax_refunded())));
    row.extend(
        kinds.iter().map(|kind| {
            Cell::Money(day.tenders.get(kind).map_or(Money::ZERO, |tally| tally.amount))
        }),
    );
    row
}

/// Σ of the printed taxes of a rate, whichever class and basis.
fn tax_at(day: &DayTotals, rate: Rate) -> Money {
    let of_rate = day.taxes.iter().filter(|(key, _)| key.rate.parse() == Ok(rate));
    of_rate.map(|(_, sum)| sum.tax).sum()
}

fn totals(rows: &[Vec<Cell>]) -> Vec<Cell> {
    let Some(first) = rows.first() else { return Vec::new() };
    rows[1..].iter().fold(first.iter().map(start).collect(), |sums, row| {
        sums.iter().zip(row).map(|(sum, cell)| added(sum, cell)).collect()
    })
}

/// Texts have no sum.
fn start(cell: &Cell) -> Cell {
    if matches!(cell, Cell::Text(_) | Cell::Word { .. }) { Cell::Empty } else { cell.clone() }
}

fn added(sum: &Cell, cell: &Cell) -> Cell {
    match (sum, cell) {
        (Cell::Money(sum), Cell::Money(amount)) => Cell::Money(*sum + *amount),
        (Cell::Count(sum), Cell::Count(count)) => Cell::Count(sum + count),
        (Cell::Quantity(sum), Cell::Quantity(quantity)) => {
            Cell::Quantity(Quantity::new(sum.decimal() + quantity.decimal()))
        }
        _ => Cell::Empty,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::test_shop::{day_of, sale_of, words};

    #[test]
    fn sums_under_the_days_are_those_of_the_days() {
        let first = day_of(
            "2026-11-21",
            &[sale_of(1, &[("reduced", 1_080)]), sale_of(2, &[("standard", 550)])],
        );
        let second = day_of("2026-11-22", &[sale_of(3, &[("reduced", 324), ("standard", 440)])]);
        let table = sales_by_day(&words("ja"), [(1, &first), (1, &second)]);
        let json = table.to_json();
        assert_eq!(json["rows"][0]["net"], 1630);
        assert_eq!(json["rows"][1]["tax_8"], 24);
        assert_eq!(json["totals"]["net"], 1630 + 764);
        assert_eq!(json["totals"]["tax_8"], 80 + 24);
        assert_eq!(json["totals"]["tax_10"], 50 + 40);
        assert_eq!(json["totals"]["cash"], 1630 + 764);
        assert_eq!(json["totals"].get("business_date"), None);
    }

    #[test]
    fn no_day_is_an_empty_table() {
        let table = sales_by_day(&words("en"), []);
        assert!(table.rows.is_empty() && table.to_csv().starts_with("business_date,lane,"));
    }
}
