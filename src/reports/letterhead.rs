//! What every paper shares: the shop's name on top, who and when, and how money and dates are written.
//!
//! Room: reports. May touch: settings and words it is handed. May not: clock.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};

use crate::domain::document::{Align, Block, Document, Style};
use crate::domain::money::Money;
use crate::domain::quantity::UnitPrice;
use crate::domain::settings::Settings;
use crate::domain::words::Words;

/// The shop behind a paper: its settings, and the words of its language.
#[derive(Debug, Clone, Copy)]
pub struct Letterhead<'a> {
    pub settings: &'a Settings,
    pub words: &'a Words,
}

/// The act a paper tells of: when, where, by whom.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// UTC milliseconds.
    pub at_ms: i64,
    pub offset_minutes: i16,
    pub lane: u8,
    pub staff: u32,
    pub training: bool,
    /// The first 16 characters of the entry's hash, against which `regi verify --receipt` holds the
    /// journal; empty when the paper has none.
    pub head: &'a str,
    /// 0 on the first paper; later ones say that they were issued again, and which they are.
    pub copy: u32,
}

impl Act<'_> {
    /// Time at the counter.
    pub fn local(&self) -> NaiveDateTime {
        at_counter(self.at_ms, self.offset_minutes)
    }
}

/// Returns the time that a counter's clock showed, from UTC ms and the minutes it was ahead.
pub fn at_counter(at_ms: i64, offset_minutes: i16) -> NaiveDateTime {
    let ms = at_ms.saturating_add(i64::from(offset_minutes) * 60_000);
    DateTime::from_timestamp_millis(ms).unwrap_or_default().naive_utc()
}

impl Letterhead<'_> {
    /// The date as the shop's language writes it, with its weekday and the time.
    pub fn date_time(&self, at: NaiveDateTime) -> String {
        let time = format!("{:02}:{:02}", at.hour(), at.minute());
        let weekday = self.words.get(WEEKDAYS[at.weekday().num_days_from_monday() as usize]);
        self.words.fill(
            "paper.date_time",
            &[
                ("year", &at.year()),
                ("month", &format_args!("{:02}", at.month())),
                ("day", &format_args!("{:02}", at.day())),
                ("weekday", &weekday),
                ("time", &time),
            ],
        )
    }

    /// The date alone; `days` count from the common era.
    pub fn date(&self, days: i32) -> String {
        let day = NaiveDate::from_num_days_from_ce_opt(days).unwrap_or_default();
        self.words.fill(
            "paper.date",
            &[
                ("year", &day.year()),
                ("month", &format_args!("{:02}", day.month())),
                ("day", &format_args!("{:02}", day.day())),
            ],
        )
    }

    /// `0003 佐藤`, the number alone when the shop no longer knows it, nothing in a shop without staff.
    pub fn staff(&self, number: u32) -> String {
        match self.settings.staff(number) {
            Some(staff) => format!("{number:04} {}", staff.name),
            None if number == 0 => String::new(),
            None => format!("{number:04}"),
        }
    }

    /// Name, address, telephone and, when the shop is registered, its number.
    pub fn shop(&self, document: &mut Document) {
        let shop = &self.settings.shop;
        document.styled(&shop.name, Align::Center, Style::BOLD);
        if !shop.address.is_empty() {
            document.center(&shop.address);
        }
        if !shop.phone.is_empty() {
            document.center(self.words.fill("paper.phone", &[("phone", &shop.phone)]));
        }
        self.registration(document);
    }

    /// The registration number; a shop without one prints no invoice wording at all.
    pub fn registration(&self, document: &mut Document) {
        if let Some(number) = &self.settings.shop.registration_number {
            document.center(self.words.fill("paper.registration", &[("number", number)]));
        }
    }

    /// The title, and under it which copy this is.
    pub fn title(&self, document: &mut Document, key: &str, copy: u32) {
        document.push(Block::Feed(1));
        document.styled(self.words.get(key), Align::Center, Style { tall: true, ..Style::BOLD });
        if copy > 0 {
            let text = self.words.fill("paper.copy", &[("copy", &copy)]);
            document.styled(text, Align::Center, Style::BOLD);
        }
    }

    /// Who served, when the shop has staff.
    pub fn served_by(&self, document: &mut Document, act: &Act<'_>) {
        let staff = self.staff(act.staff);
        if !staff.is_empty() {
            document.text(self.words.fill("paper.staff", &[("staff", &staff)]));
        }
    }

    /// The entry's place in the chain, for a later `verify`.
    pub fn chain_head(&self, document: &mut Document, act: &Act<'_>) {
        if !act.head.is_empty() {
            document.center(self.words.fill("paper.chain", &[("head", &act.head)]));
        }
    }
}

const WEEKDAYS: [&str; 7] = [
    "paper.weekday.mon",
    "paper.weekday.tue",
    "paper.weekday.wed",
    "paper.weekday.thu",
    "paper.weekday.fri",
    "paper.weekday.sat",
    "paper.weekday.sun",
];

/// `¥1,234`, `-¥100`.
pub fn yen(amount: Money) -> String {
    let sign = if amount.is_negative() { "-" } else { "" };
    format!("{sign}¥{}", amount.abs().grouped())
}

/// A count with its thousands apart.
pub fn grouped(count: i64) -> String {
    Money::new(count).grouped()
}

/// A price for one unit: grouped when whole, else with its fraction.
pub fn unit_price(price: UnitPrice) -> String {
    price.whole().map_or_else(|| price.to_string(), grouped)
}

/// Only the last four characters of a member's code, as many stars whatever its length.
pub fn masked(code: &str) -> String {
    let skip = code.chars().count().saturating_sub(4);
    let last: String = code.chars().skip(skip).collect();
    format!("********{last}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::test_shop::{act, settings, words};

    #[test]
    fn the_date_is_the_one_at_the_counter() {
        let (settings, ja, en) = (settings(), words("ja"), words("en"));
        let at = act("2026-11-22 00:30").local();
        let japanese = Letterhead { settings: &settings, words: &ja };
        assert_eq!(japanese.date_time(at), "2026年11月22日(日) 00:30");
        let english = Letterhead { settings: &settings, words: &en };
        assert_eq!(english.date_time(at), "2026-11-22 (Sun) 00:30");
    }

    #[test]
    fn a_member_code_shows_its_last_four() {
        assert_eq!(masked("2900000001234"), "********1234");
        assert_eq!(masked("12"), "********12");
    }

    #[test]
    fn money_is_written_with_its_sign_first() {
        assert_eq!(yen(Money::new(-1_234)), "-¥1,234");
        assert_eq!(unit_price("198.5".parse().unwrap()), "198.5");
    }
}
