//! `report members`: who has how many points, and what the shop owes in points altogether.
//!
//! Room: reports. May touch: std. Names are personal data: the app asks for the level first.

use super::table::{Cell, Column, Kind, Table};
use crate::domain::money::Money;
use crate::domain::register::ymd;
use crate::domain::words::Words;

/// A member as the list shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberRow {
    pub code: String,
    pub name: String,
    pub kana: String,
    pub rank: String,
    /// Good on the day of the report.
    pub points: i64,
    pub visits: u32,
    pub spent: Money,
    /// Days from the common era.
    pub last_visit: Option<i32>,
}

/// Members in the order they are handed in, and their sums: the count, the points outstanding (a
/// liability of the shop) and what was spent.
#[derive(Debug, Default)]
pub struct MembersList {
    rows: Vec<Vec<Cell>>,
    points: i64,
    visits: i64,
    spent: Money,
}

impl MembersList {
    pub fn add(&mut self, member: MemberRow) {
        self.points = self.points.saturating_add(member.points);
        self.spent += member.spent;
        self.visits += i64::from(member.visits);
        self.rows.push(row(member));
    }

    pub fn table(self, words: &Words) -> Table {
        let count = words.fill("report.members.count", &[("count", &self.rows.len())]);
        let totals = vec![
            Cell::Text(count),
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            Cell::Count(self.points),
            Cell::Count(self.visits),
            Cell::Money(self.spent),
            Cell::Empty,
        ];
        Table {
            name: "members",
            title: words.get("report.members.title").to_owned(),
            columns: columns(words),
            rows: self.rows,
            totals: Some(totals),
        }
    }
}

fn columns(words: &Words) -> Vec<Column> {
    let column = |key, title, kind| Column::new(words, key, title, kind);
    vec![
        column("code", "report.column.code", Kind::Code),
        column("name", "report.column.member_name", Kind::Text),
        column("kana", "report.column.kana", Kind::Text),
        column("rank", "report.column.rank", Kind::Text),
        column("points", "report.column.points", Kind::Count),
        column("visits", "report.column.visits", Kind::Count),
        column("spent", "report.column.spent", Kind::Money),
        column("last_visit", "report.column.last_visit", Kind::Code),
    ]
}

fn row(member: MemberRow) -> Vec<Cell> {
    vec![
        Cell::Text(member.code),
        Cell::Text(member.name),
        Cell::Text(member.kana),
        Cell::Text(member.rank),
        Cell::Count(member.points),
        Cell::Count(member.visits.into()),
        Cell::Money(member.spent),
        Cell::Text(member.last_visit.map(ymd).unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;
    use crate::reports::test_shop::words;

    #[test]
    fn the_points_outstanding_are_summed_with_those_below_zero() {
        let member = |code: &str, points, spent| MemberRow {
            code: code.to_owned(),
            points,
            spent: yen(spent),
            visits: 1,
            ..MemberRow::default()
        };
        let mut list = MembersList::default();
        list.add(member("2900000000018", 120, 980));
        list.add(member("2900000000025", -20, 20));
        let json = list.table(&words("en")).to_json();
        assert_eq!(json["totals"]["points"], 100);
        assert_eq!(json["totals"]["spent"], 1000);
        assert_eq!(json["rows"].as_array().unwrap().len(), 2);
    }
}
