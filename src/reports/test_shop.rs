//! A shop for the tests of this room: settings, words, sales with real taxes.
//!
//! Room: reports, tests only. May touch: the language files.

use chrono::{Datelike, NaiveDate, NaiveDateTime};

use super::letterhead::Act;
use crate::domain::day::DayTotals;
use crate::domain::entry::{Clock, Entry, Header, Kind};
use crate::domain::item::{ItemFlags, Unit};
use crate::domain::money::{Money, yen};
use crate::domain::number::{DocKind, DocNo};
use crate::domain::sale::{LineItem, OnTheWay, Sale, SaleId, SaleLine, Tender, TenderKind, Totals};
use crate::domain::settings::{Settings, Staff};
use crate::domain::tax::{TaxLine, TaxMode, TaxSettings, tax_groups};
use crate::domain::words::Words;

pub fn words(language: &str) -> Words {
    let text = match language {
        "ja" => include_str!("../../languages/papers.ja.toml"),
        _ => include_str!("../../languages/papers.en.toml"),
    };
    Words::new(toml::from_str::<std::collections::HashMap<String, String>>(text).unwrap())
}

pub fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.shop.name = "みどり商店 本店".to_owned();
    settings.staff.push(Staff { number: 1, name: "店長".to_owned(), level: 9 });
    settings
}

/// An act at a time of the counter, nine hours before Greenwich.
pub fn act(at: &str) -> Act<'static> {
    let at = NaiveDateTime::parse_from_str(at, "%Y-%m-%d %H:%M").unwrap();
    let at_ms = at.and_utc().timestamp_millis() - 9 * 3_600_000;
    Act { at_ms, offset_minutes: 540, lane: 1, staff: 1, training: false, head: "", copy: 0 }
}

/// A line at today's rates, with tax inside.
pub fn line(code: &str, name: &str, class: &str, quantity: i64, price: i64) -> SaleLine {
    let (rate, mark) = match class {
        "reduced" => (Some(8.into()), "※"),
        "standard" => (Some(10.into()), ""),
        _ => (None, ""),
    };
    SaleLine {
        item: LineItem {
            code: code.to_owned(),
            name: name.to_owned(),
            printed: name.to_owned(),
            department: 1,
            quantity: quantity.into(),
            unit: Unit::Each,
            unit_price: price.into(),
            list_price: None,
            price_mode: TaxMode::Included,
            class: class.to_owned(),
            own_class: None,
            flags: ItemFlags::default(),
            discount: None,
            cost: None,
            origin: None,
        },
        mode: TaxMode::Included,
        rate,
        mark: mark.to_owned(),
        discount: Money::ZERO,
        amount: yen(quantity * price),
        sale_discount: Money::ZERO,
        points_share: Money::ZERO,
    }
}

/// A sale of these lines, paid exactly in cash.
pub fn sale(number: u32, lines: Vec<SaleLine>) -> Sale {
    let goods: Vec<TaxLine> = lines
        .iter()
        .map(|line| TaxLine {
            class: line.item.class.parse().unwrap(),
            rate: line.rate,
            mode: line.mode,
            amount: line.net(),
        })
        .collect();
    let total: Money = lines.iter().map(SaleLine::net).sum();
    let taxes = tax_groups(&goods, &TaxSettings::default()).unwrap();
    Sale {
        id: SaleId(number.into()),
        number: DocNo { lane: 1, epoch: 0, kind: DocKind::Receipt, number },
        lines,
        discounts: Vec::new(),
        totals: Totals { subtotal: total, discount: Money::ZERO, total, taxes },
        member: None,
        points_used: 0,
        points_earned: 0,
        tenders: vec![Tender { kind: TenderKind::Cash, amount: total, applied: total }],
        change: Money::ZERO,
        eat_in: false,
        customer_kind: String::new(),
        note: String::new(),
        return_of: None,
        returned: Money::ZERO,
        on_the_way: OnTheWay::default(),
        stamp_duty: Money::ZERO,
    }
}

/// A sale of one piece for each class and price.
pub fn sale_of(number: u32, goods: &[(&str, i64)]) -> Sale {
    sale(number, goods.iter().map(|(class, price)| line("1", "品", class, 1, *price)).collect())
}

/// The totals of a day on which these sales closed.
pub fn day_of(date: &str, sales: &[Sale]) -> DayTotals {
    let date = date.parse::<NaiveDate>().unwrap();
    let at_ms = date.and_hms_opt(1, 0, 0).unwrap().and_utc().timestamp_millis();
    let header = |seq| Header {
        shop: 1,
        lane: 1,
        epoch: 0,
        seq,
        stamp: seq,
        at_ms,
        offset_minutes: 540,
        clock: Clock::System,
        business_date: date.num_days_from_ce(),
        staff: 1,
        training: false,
    };
    let mut day = DayTotals::open(&header(1), Money::ZERO);
    for (seq, sale) in (2..).zip(sales) {
        let kind = Kind::SaleClosed(Box::new(sale.clone()));
        day.fold(&Entry { header: header(seq), kind });
    }
    day
}
