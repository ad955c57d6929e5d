//! Tax classes by name, and the rates they have had and will have.
//!
//! Room: domain. May touch: std, chrono::NaiveDate. May not: clock, file, terminal, float.
//! Invariant: a rate is looked up by the civil date of the sale; a return keeps the rate it was
//! sold at.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::quantity::Rate;

/// A class of goods for tax; ordered as receipts list them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TaxClass {
    #[default]
    Standard,
    Reduced,
    /// Taxed at 0%: kept apart from exempt, should food become free of tax.
    Zero,
    /// 非課税: gift cards, stamps, some care goods.
    Exempt,
    /// 不課税, 対象外: deposits, bills paid for others.
    Untaxed,
    /// 免税: confirmed exports of a tax-free shop.
    TaxFree,
    /// A class that the shop has added.
    Other(Box<str>),
}

/// The name is not a word of small letters, digits and underscores, of at most 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a tax class")]
pub struct BadClass;

impl TaxClass {
    /// The classes that need no settings.
    pub const BUILT_IN: [Self; 6] =
        [Self::Standard, Self::Reduced, Self::Zero, Self::Exempt, Self::Untaxed, Self::TaxFree];

    /// Returns the name used in settings, files and entries.
    pub fn name(&self) -> &str {
        match self {
            Self::Standard => "standard",
            Self::Reduced => "reduced",
            Self::Zero => "zero",
            Self::Exempt => "exempt",
            Self::Untaxed => "untaxed",
            Self::TaxFree => "tax_free",
            Self::Other(name) => name,
        }
    }
}

impl FromStr for TaxClass {
    type Err = BadClass;
    fn from_str(name: &str) -> Result<Self, BadClass> {
        if let Some(known) = Self::BUILT_IN.iter().find(|class| class.name() == name) {
            return Ok(known.clone());
        }
        let word = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let right = (1..=20).contains(&name.len()) && name.bytes().all(word);
        if right { Ok(Self::Other(name.into())) } else { Err(BadClass) }
    }
}

impl TryFrom<String> for TaxClass {
    type Error = BadClass;
    fn try_from(name: String) -> Result<Self, BadClass> {
        name.parse()
    }
}

impl From<TaxClass> for String {
    fn from(class: TaxClass) -> Self {
        class.name().to_owned()
    }
}

impl fmt::Display for TaxClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One row of `[[tax.class]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxClassRow {
    pub name: TaxClass,
    /// Percent; absent for a class without tax.
    #[serde(default)]
    pub rate: Option<Rate>,
    /// First civil date of the rate, `2019-10-01` in files.
    #[serde(with = "civil_date")]
    pub from: NaiveDate,
    /// The sign before the goods on the receipt.
    #[serde(default)]
    pub mark: String,
}

/// Dates in settings are text; the calendar library is built without its own reading of them.
mod civil_date {
    use chrono::NaiveDate;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(date: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::custom("not a date like 2019-10-01"))
    }
}

/// What a class is taxed at from a date on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateFrom {
    pub rate: Option<Rate>,
    #[serde(with = "civil_date")]
    pub from: NaiveDate,
    pub mark: String,
}

/// All classes and their rates; the newest row of a class and date stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxTable {
    rows: Vec<(TaxClass, RateFrom)>,
}

/// The rates of Japan (`japan.md` 1.1).
impl Default for TaxTable {
    fn default() -> Self {
        let mut table = Self { rows: Vec::new() };
        for (class, rate, from, mark) in [
            (TaxClass::Standard, Some(8), (2014, 4), ""),
            (TaxClass::Standard, Some(10), (2019, 10), ""),
            (TaxClass::Reduced, Some(8), (2019, 10), "※"),
            (TaxClass::Zero, Some(0), (2014, 4), ""),
            (TaxClass::Exempt, None, (2014, 4), ""),
            (TaxClass::Untaxed, None, (2014, 4), ""),
            (TaxClass::TaxFree, None, (2014, 4), ""),
        ] {
            let from = NaiveDate::from_ymd_opt(from.0, from.1, 1).expect("a first of the month");
            let rate: Option<Rate> = rate.map(|percent: i64| percent.into());
            table.put(TaxClassRow { name: class, rate, from, mark: mark.into() });
        }
        table
    }
}

impl TaxTable {
    /// Adds a row, or replaces the one of the same class and date.
    pub fn put(&mut self, row: TaxClassRow) {
        let TaxClassRow { name, rate, from, mark } = row;
        self.rows.retain(|(class, known)| *class != name || known.from != from);
        self.rows.push((name, RateFrom { rate, from, mark }));
        self.rows.sort_by(|left, right| (&left.0, left.1.from).cmp(&(&right.0, right.1.from)));
    }

    /// Returns what a class is taxed at on a civil date; before its first row, the first row.
    /// `None` when the shop has no such class.
    pub fn on(&self, class: &TaxClass, date: NaiveDate) -> Option<&RateFrom> {
        let mut dated = self.rows.iter().filter(|(name, _)| name == class).map(|(_, row)| row);
        let first = dated.next()?;
        Some(dated.take_while(|row| row.from <= date).last().unwrap_or(first))
    }

    /// Returns whether the shop has such a class.
    pub fn has(&self, class: &str) -> bool {
        self.rows.iter().any(|(known, _)| known.name() == class)
    }

    /// Takes a class away with all its rates; those built in stay.
    pub fn remove(&mut self, class: &TaxClass) {
        self.rows.retain(|(known, _)| known != class || TaxClass::BUILT_IN.contains(known));
    }

    /// Returns all rows by class and date, for settings and their export.
    pub fn rows(&self) -> impl Iterator<Item = (&TaxClass, &RateFrom)> {
        self.rows.iter().map(|(class, row)| (class, row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn percent(table: &TaxTable, class: &str, date: &str) -> Option<String> {
        let row = table.on(&class.parse().unwrap(), day(date))?;
        Some(row.rate.map_or_else(|| "none".into(), |rate| rate.to_string()))
    }

    #[test]
    fn a_rate_holds_from_its_date() {
        let mut table = TaxTable::default();
        table.put(TaxClassRow {
            name: TaxClass::Reduced,
            rate: Some(Rate::ZERO),
            from: day("2027-04-01"),
            mark: "※".into(),
        });
        for (class, date, want) in [
            ("standard", "2019-09-30", Some("8")),
            ("standard", "2019-10-01", Some("10")),
            ("standard", "2001-01-01", Some("8")),
            ("reduced", "2027-03-31", Some("8")), // TX-15
            ("reduced", "2027-04-01", Some("0")),
            ("zero", "2026-11-22", Some("0")),
            ("exempt", "2026-11-22", Some("none")),
            ("deli", "2026-11-22", None),
        ] {
            assert_eq!(percent(&table, class, date).as_deref(), want, "{class} {date}");
        }
    }

    #[test]
    fn a_row_of_the_same_date_replaces_and_others_stay() {
        let mut table = TaxTable::default();
        let rows = table.rows().count();
        let row = TaxClassRow {
            name: "deli".parse().unwrap(),
            rate: Some(8.into()),
            from: day("2026-01-01"),
            mark: "軽".into(),
        };
        table.put(row.clone());
        table.put(TaxClassRow { rate: Some(10.into()), ..row });
        assert_eq!(table.rows().count(), rows + 1);
        assert_eq!(percent(&table, "deli", "2026-11-22").as_deref(), Some("10"));
    }

    #[test]
    fn class_names_are_plain_words() {
        for name in ["", "Standard", "税", "a b", "a_very_long_class_name"] {
            assert_eq!(name.parse::<TaxClass>(), Err(BadClass), "{name}");
        }
        for class in TaxClass::BUILT_IN {
            assert_eq!(class.name().parse(), Ok(class));
        }
    }
}
