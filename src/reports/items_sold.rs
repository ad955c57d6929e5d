//! `report items`: what was sold, the best first.
//!
//! Room: reports. May touch: std.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::table::{Cell, Column, Kind, Table};
use crate::domain::money::Money;
use crate::domain::quantity::Quantity;
use crate::domain::sale::SaleLine;
use crate::domain::words::Words;

/// One item over the lines handed in. What came back is taken off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SoldItem {
    pub name: String,
    pub department: u16,
    pub quantity: Quantity,
    /// What customers paid for it on the basis of each receipt, after every discount.
    pub amount: Money,
    pub discount: Money,
}

/// Items by code; those rung on a department's key by its number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SoldItems(BTreeMap<String, SoldItem>);

impl SoldItems {
    pub fn add(&mut self, line: &SaleLine) {
        let key = match line.item.code.as_str() {
            "" => format!("#{}", line.item.department),
            code => code.to_owned(),
        };
        let item = self.0.entry(key).or_default();
        item.name.clone_from(&line.item.name);
        item.department = line.item.department;
        item.quantity = item.quantity + line.item.quantity;
        item.amount += line.net();
        item.discount += line.discount + line.sale_discount + line.points_share;
    }
}

/// Returns what was sold by amount, with each one's share and what is in stock, when `stock` knows it.
pub fn items_sold(
    words: &Words,
    sold: SoldItems,
    stock: impl Fn(&str) -> Option<Quantity>,
) -> Table {
    let mut items: Vec<_> = sold.0.into_iter().collect();
    items.sort_by(|a, b| (b.1.amount, &a.0).cmp(&(a.1.amount, &b.0)));
    let amount: Money = items.iter().map(|(_, item)| item.amount).sum();
    let quantity = items.iter().fold(Quantity::ZERO, |sum, (_, item)| sum + item.quantity);
    let discount = items.iter().map(|(_, item)| item.discount).sum();
    let rows = items.into_iter().map(|(code, item)| row(code, item, amount, &stock)).collect();
    let mut totals = vec![Cell::Empty; 8];
    totals[3] = Cell::Quantity(quantity);
    totals[4] = Cell::Money(amount);
    totals[5] = Cell::Money(discount);
    Table {
        name: "items",
        title: words.get("report.items.title").to_owned(),
        columns: columns(words),
        rows,
        totals: Some(totals),
    }
}

fn columns(words: &Words) -> Vec<Column> {
    let column = |key, title, kind| Column::new(words, key, title, kind);
    vec![
        column("code", "report.column.code", Kind::Code),
        column("name", "report.column.name", Kind::Text),
        column("department", "report.column.department", Kind::Code),
        column("quantity", "report.column.quantity", Kind::Quantity),
        column("amount", "report.column.amount", Kind::Money),
        column("discount", "report.column.discounts", Kind::Money),
        column("share", "report.column.share", Kind::Quantity),
        column("stock", "report.column.stock", Kind::Quantity),
    ]
}

fn row(
    code: String,
    item: SoldItem,
    all: Money,
    stock: &impl Fn(&str) -> Option<Quantity>,
) -> Vec<Cell> {
    let stock = stock(&code).map_or(Cell::Empty, Cell::Quantity);
    vec![
        Cell::Text(code),
        Cell::Text(item.name),
        Cell::Text(format!("{:02}", item.department)),
        Cell::Quantity(item.quantity),
        Cell::Money(item.amount),
        Cell::Money(item.discount),
        Cell::Quantity(percent(item.amount, all)),
        stock,
    ]
}

/// Percent of the whole, to one decimal.
fn percent(part: Money, whole: Money) -> Quantity {
    if whole.is_zero() {
        return Quantity::ZERO;
    }
    let share = Decimal::from(part.minor()) * Decimal::ONE_HUNDRED / Decimal::from(whole.minor());
    Quantity::new(share.round_dp_with_strategy(1, RoundingStrategy::MidpointAwayFromZero))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::test_shop::{line, words};

    #[test]
    fn items_stand_by_amount_and_returns_are_taken_off() {
        let lines = [
            line("4901234567894", "牛乳 1L", "reduced", 2, 248),
            line("4912345678904", "洗剤", "standard", 1, 504),
            line("4901234567894", "牛乳 1L", "reduced", -1, 248),
            line("", "食品", "reduced", 1, 248),
        ];
        let stock = |code: &str| (code == "4901234567894").then(|| Quantity::from(7));
        let mut sold = SoldItems::default();
        lines.iter().for_each(|line| sold.add(line));
        let json = items_sold(&words("ja"), sold, stock).to_json();
        assert_eq!(json["rows"][0]["code"], "4912345678904");
        assert_eq!(json["rows"][0]["share"], "50.4");
        assert_eq!(json["rows"][1]["code"], "#1");
        assert_eq!(json["rows"][2]["quantity"], "1");
        assert_eq!(json["rows"][2]["stock"], "7");
        assert_eq!(json["totals"]["amount"], 1000);
    }
}
