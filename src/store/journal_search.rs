//! The journal browser's question: which sales, newest first, a page at a time.
//!
//! Room: store. May touch: the sales tables, to read.
//! Invariant: reads backwards from the newest and stops when the page is full.

use chrono::{Datelike, NaiveDate};
use memchr::memmem;
use redb::ReadTransaction;

use super::codec::unpack;
use super::fault::StoreError;
use super::items::{folded_name, stored_code};
use super::sales::{self, SaleRow};
use super::tables::{SALE_BODIES, SALES, SaleKey};
use crate::domain::money::Money;
use crate::domain::number::DocNo;
use crate::domain::sale::{LineItem, Sale, TenderKind};

/// What a sale must be to be found; absent means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// First and last business date, days from the common era.
    pub from: Option<i32>,
    pub to: Option<i32>,
    pub receipt: Option<DocNo>,
    /// Least and greatest total.
    pub total: Option<(Money, Money)>,
    pub member: Option<String>,
    pub staff: Option<u32>,
    /// What it was paid with, among others.
    pub tender: Option<TenderKind>,
    /// An item on one of the lines, in any form of its code.
    pub item: Option<String>,
    /// A part of the name of an item on one of the lines, or its code.
    pub item_named: Option<String>,
    /// A part of a line's name or code, of the note or of the receipt's number; or a member's code.
    pub text: Option<String>,
}

/// Why a query is not understood: the word that has no meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAQuery(pub String);

impl NotAQuery {
    /// The sentence that says what the word would have to be.
    pub fn sentence(&self) -> &'static str {
        let value = self.0.split_once('=').map_or(self.0.as_str(), |(_, value)| value);
        match value {
            value if is_range(value) => "bad_range",
            value if is_shaped_like_day(value) => "bad_day",
            _ => "bad_query",
        }
    }
}

impl Query {
    /// Reads the words after `journal`: `2026-11-22`, `11-22` or `11/22` (the last one there was),
    /// `2026-11-01..2026-11-30`, a receipt's number, `1980` or `1000..2000` (amounts), `member=…`
    /// `staff=…` `item=…` `tender=…` `amount=…` `from=…` `to=…`; any other word is text.
    pub fn parse(words: &[String], today: NaiveDate) -> Result<Self, NotAQuery> {
        let day = |text: &str| day(text, today);
        let mut query = Self::default();
        for word in words {
            let wrong = || NotAQuery(word.clone());
            match word.split_once('=') {
                Some(("member", code)) => query.member = Some(code.to_owned()),
                Some(("staff", number)) => query.staff = Some(number.parse().map_err(|_| wrong())?),
                Some(("tender", kind)) => {
                    query.tender = Some(TenderKind::from_word(kind).ok_or_else(wrong)?);
                }
                Some(("item", code)) => query.item = Some(code.to_owned()),
                Some(("text", text)) => query.text = Some(text.to_owned()),
                Some(("amount", amount)) => {
                    query.total = Some(amounts(amount).ok_or_else(wrong)?);
                }
                Some(("from", date)) => query.from = Some(day(date).ok_or_else(wrong)?),
                Some(("to", date)) => query.to = Some(day(date).ok_or_else(wrong)?),
                Some(_) => return Err(wrong()),
                None => query.bare(word, day)?,
            }
        }
        Ok(query)
    }

    fn bare(&mut self, word: &str, day: impl Fn(&str) -> Option<i32>) -> Result<(), NotAQuery> {
        let range = word.split_once("..").and_then(|(from, to)| Some((day(from)?, day(to)?)));
        let range = range.filter(|(from, to)| from <= to);
        if let Some((from, to)) = range {
            (self.from, self.to) = (Some(from), Some(to));
        } else if let Some(date) = day(word) {
            (self.from, self.to) = (Some(date), Some(date));
        } else if let Ok(receipt) = word.parse() {
            self.receipt = Some(receipt);
        } else if let Some(range) = amounts(word) {
            self.total = Some(range);
        } else if is_range(word) || is_shaped_like_day(word) {
            return Err(NotAQuery(word.to_owned()));
        } else {
            let text = self.text.get_or_insert_with(String::new);
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        Ok(())
    }

    fn fits_row(&self, row: &SaleRow) -> bool {
        self.receipt.is_none_or(|number| row.number == number)
            && self.total.is_none_or(|(least, most)| (least..=most).contains(&row.total))
            && self.staff.is_none_or(|staff| row.staff == staff)
            && self.member.as_ref().is_none_or(|code| row.points_member() == Some(code))
    }

    fn looks_into_body(&self) -> bool {
        self.item.is_some()
            || self.item_named.is_some()
            || self.text.is_some()
            || self.tender.is_some()
    }

    fn fits_body(&self, row: &SaleRow, sale: &Sale) -> bool {
        let item = self.item.as_ref().is_none_or(|code| {
            let code = stored_code(code);
            sale.lines.iter().any(|line| stored_code(&line.item.code) == code)
        });
        let named = self.item_named.as_ref().is_none_or(|name| {
            let (part, code) = (folded_name(name), stored_code(name));
            let fits = |item: &LineItem| {
                folded_name(&item.name).contains(&part) || stored_code(&item.code) == code
            };
            sale.lines.iter().any(|line| fits(&line.item))
        });
        let text = self.text.as_ref().is_none_or(|text| {
            let part = folded_name(text);
            let holds = |name: &str| folded_name(name).contains(&part);
            row.number.to_string().contains(text.as_str())
                || row.points_member() == Some(text.as_str())
                || holds(&sale.note)
                || sale.lines.iter().any(|line| holds(&line.item.name) || holds(&line.item.code))
        });
        let tender = self.tender.is_none_or(|kind| sale.tenders.iter().any(|t| t.kind == kind));
        item && named && text && tender
    }
}

/// An amount has at most eight digits; more of them are a code.
fn amount(word: &str) -> Option<i64> {
    (word.len() <= 8).then(|| word.parse().ok()).flatten()
}

/// A date with its year, or the last such month and day there was: two digits each, since half a
/// cabbage is `1/2`.
fn day(text: &str, today: NaiveDate) -> Option<i32> {
    let text = text.replace('/', "-");
    let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().or_else(|| {
        let of_year = |year| NaiveDate::parse_from_str(&format!("{year}-{text}"), "%Y-%m-%d").ok();
        // Eight years reach back over any leap day.
        let mut last = (0..8).filter(|_| text.len() == 5).map(|back| today.year() - back);
        last.find_map(|year| of_year(year).filter(|date| *date <= today))
    });
    date.map(|date| date.num_days_from_ce())
}

/// `1980`, or `1000..2000`: the least and the greatest.
fn amounts(text: &str) -> Option<(Money, Money)> {
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    let (least, most) = (amount(least)?, amount(most)?);
    (least <= most).then_some((Money::new(least), Money::new(most)))
}

/// Whether a word has two ends that begin with digits: what else may it be than days or amounts?
fn is_range(word: &str) -> bool {
    let begins = |end: &str| end.starts_with(|sign: char| sign.is_ascii_digit());
    word.split_once("..").is_some_and(|(from, to)| begins(from) && begins(to))
}

/// Whether a word is written as a day is, `13-45` or `2026-02-30`, whether or not there is such a day.
fn is_shaped_like_day(word: &str) -> bool {
    let parts: Vec<&str> = word.split(['-', '/']).collect();
    let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    parts.iter().all(digits) && matches!(lengths[..], [2, 2] | [4, 1..=2, 1..=2])
}

/// One page of what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub rows: Vec<SaleRow>,
    /// Whether older ones follow.
    pub more: bool,
}

/// Finds sales, newest first: `limit` of them after the first `offset`.
pub fn search(
    txn: &ReadTransaction,
    query: &Query,
    offset: usize,
    limit: usize,
) -> Result<Page, StoreError> {
    let first = sales::day_start(query.from.unwrap_or(i32::MIN));
    let past = sales::day_start(query.to.map_or(i32::MAX, |to| to.saturating_add(1)));
    let bodies = txn.open_table(SALE_BODIES)?;
    // An item's code stands in the body as it was rung: most bodies are passed over unread.
    let code = query.item.as_deref().map(stored_code);
    let finder = code.as_ref().map(|code| memmem::Finder::new(code.as_bytes()));
    let (mut skipped, mut rows) = (0, Vec::new());
    for row in txn.open_table(SALES)?.range(first..past)?.rev() {
        let (key, row) = row?;
        let row: SaleRow = unpack(row.value())?;
        if !query.fits_row(&row) {
            continue;
        }
        if query.looks_into_body() {
            let key: SaleKey = key.value();
            let Some(body) = bodies.get(key)? else { continue };
            let maybe = finder.as_ref().is_none_or(|finder| finder.find(body.value()).is_some());
            if !maybe || !query.fits_body(&row, &unpack(body.value())?) {
                continue;
            }
        }
        if skipped < offset {
            skipped += 1;
        } else if rows.len() == limit {
            return Ok(Page { rows, more: true });
        } else {
            rows.push(row);
        }
    }
    Ok(Page { rows, more: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_they_look_like() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 25).unwrap();
        let of = |text: &str| {
            let words: Vec<_> = text.split(' ').map(str::to_owned).collect();
            Query::parse(&words, today)
        };
        let day = |text: &str| day(text, today);
        let date = day("2026-11-22");
        let any = Query::default;
        for (text, want) in [
            ("2026-11-22", Query { from: date, to: date, ..any() }),
            ("2026-11-22..2026-11-23", Query { from: date, to: day("2026-11-23"), ..any() }),
            ("11-22", Query { from: date, to: date, ..any() }),
            ("11/22..11/23", Query { from: date, to: day("2026-11-23"), ..any() }),
            ("キャベツ 1/2", Query { text: Some("キャベツ 1/2".to_owned()), ..any() }),
            ("12-24", Query { from: day("2025-12-24"), to: day("2025-12-24"), ..any() }),
            ("02-29", Query { from: day("2024-02-29"), to: day("2024-02-29"), ..any() }),
            ("tender=credit", Query { tender: Some(TenderKind::Credit), ..any() }),
            ("01-000123", Query { receipt: "01-000123".parse().ok(), ..any() }),
            ("1980 staff=3", Query { total: amounts("1980"), staff: Some(3), ..any() }),
            (
                "amount=1000..2000",
                Query { total: Some((Money::new(1000), Money::new(2000))), ..any() },
            ),
            ("1000..2000", Query { total: amounts("1000..2000"), ..any() }),
            ("牛乳 1L", Query { text: Some("牛乳 1L".to_owned()), ..any() }),
            (
                "member=29 item=49",
                Query { member: Some("29".to_owned()), item: Some("49".to_owned()), ..any() },
            ),
        ] {
            assert_eq!(of(text), Ok(want), "{text}");
        }
        for bad in [
            "colour=red",
            "staff=x",
            "amount=abc",
            "tender=shells",
            "from=13-01",
            "from=2026-13-01",
        ] {
            assert_eq!(of(bad), Err(NotAQuery(bad.to_owned())));
        }
        for (bad, sentence) in [
            ("13-45", "bad_day"),
            ("02/30", "bad_day"),
            ("2026-02-30", "bad_day"),
            ("from=13-01", "bad_day"),
            ("13-45..14-60", "bad_range"),
            ("11-23..11-22", "bad_range"),
            ("2000..1000", "bad_range"),
            ("10:00..12:00", "bad_range"),
            ("amount=2000..1000", "bad_range"),
            ("colour=red", "bad_query"),
        ] {
            let refused = of(bad).unwrap_err();
            assert_eq!((refused.0.as_str(), refused.sentence()), (bad, sentence));
        }
        for text in ["キャベツ 1/2", "a..b", "4-1", "text=13-45"] {
            assert!(of(text).is_ok_and(|query| query.text.is_some()), "{text}");
        }
    }
}
