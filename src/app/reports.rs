//! Named reports: which figures of the store they take, and between which days.
//!
//! Room: app. May touch: the store's reader, the reports room.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};

use super::books::Books;
use super::engine::Engine;
use crate::devices::profile::Profile;
use crate::domain::day::{DayTotals, Tally};
use crate::domain::document::{Align, Block, Document, Rule, Style};
use crate::domain::number::{DocKind, DocNo};
use crate::domain::points::{self, Expiry};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::words::Words;
use crate::reports::acts::Acts;
use crate::reports::day_table::day_table;
use crate::reports::items_sold::{SoldItems, items_sold};
use crate::reports::members_list::{MemberRow, MembersList};
use crate::reports::page::{Form, written};
use crate::reports::period::Period;
use crate::reports::sales_by_day::sales_by_day;
use crate::reports::table::Table;
use crate::reports::tax_free::records_list;
use crate::reports::x_z::CashShown;
use crate::store::days::ClosedDay;
use crate::store::segment::Month;

/// A report as asked for. Dates are business dates, days from the common era, inclusive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub name: String,
    pub from: Option<i32>,
    pub to: Option<i32>,
    /// Days by name, reckoned from the day the report is made.
    pub period: Option<Period>,
    pub number: Option<DocNo>,
    pub form: Form,
}

/// The most members or acts listed in a register's own process: some 25 MB, where a million would take all that
/// a small PC has from whoever sells.
const MOST_BESIDE: u64 = 20_000;

/// Every report there is.
pub const NAMES: [&str; 7] = ["x", "z", "sales", "items", "members", "acts", "tax_free"];

impl Wanted {
    /// # Errors
    /// `bad_argument` naming what does not fit.
    pub fn read(name: &str, options: &[(String, String)]) -> Result<Self, Refusal> {
        let bad_day = |what: &str| {
            Refusal::new(RefusalCode::BadArgument).saying("cli.bad_date").with("what", what)
        };
        let bad = |what: &str| {
            Refusal::new(RefusalCode::BadArgument)
                .with("argument", what)
                .with("name", "report")
                .with("usage", NAMES.join("|"))
        };
        if !NAMES.contains(&name) {
            return Err(bad(name).saying("unknown_report"));
        }
        let mut wanted = Self { name: name.to_owned(), ..Self::default() };
        for (key, value) in options {
            let day = || read_day(value).ok_or_else(|| bad_day(value));
            match key.as_str() {
                "from" => wanted.from = Some(day()?),
                "to" => wanted.to = Some(day()?),
                "date" => (wanted.from, wanted.to) = (Some(day()?), Some(day()?)),
                "period" => {
                    wanted.period = Some(Period::from_word(value).ok_or_else(|| bad(value))?);
                }
                "format" => wanted.form = Form::from_word(value).ok_or_else(|| bad(value))?,
                "number" => wanted.number = Some(value.parse().map_err(|_| bad(value))?),
                _ => return Err(bad(key)),
            }
        }
        if wanted.from.zip(wanted.to).is_some_and(|(from, to)| from > to) {
            return Err(Refusal::new(RefusalCode::BadArgument).saying("dates_reversed"));
        }
        Ok(wanted)
    }

    fn names_days(&self) -> bool {
        self.from.is_some() || self.to.is_some() || self.period.is_some()
    }

    /// Returns the first and the last day; a named period narrows what the dates leave open.
    fn days(&self, business_date: i32) -> (i32, i32) {
        let named = self.period.and_then(|period| period.days(business_date));
        let (first, last) = named.unwrap_or((i32::MIN, i32::MAX - 1));
        (self.from.unwrap_or(first), self.to.unwrap_or(last))
    }
}

/// Reads `YYYY-MM-DD` as days from the common era.
pub fn read_day(text: &str) -> Option<i32> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.num_days_from_ce())
}

/// What reports are made from, taken out of the register: any thread may make one.
pub struct Source {
    shop: Arc<Books>,
    pub words: Words,
    lane: u8,
    /// The open day, as it stood.
    open: Option<DayTotals>,
    last_z: Option<DocNo>,
    cash: CashShown,
    /// The most members or acts that are listed.
    most_rows: u64,
    /// What is parked now.
    parked: Tally,
    today: NaiveDate,
    business_date: i32,
    expiry: Expiry,
}

impl Source {
    /// For whoever asks beside the counter, whose memory the answer takes.
    pub fn of(engine: &Engine) -> Self {
        let (register, lane) = (&engine.register, &engine.register.lane);
        let open = lane.day.as_ref().map(|day| day.business_date);
        Self {
            shop: Arc::clone(&engine.shop),
            words: engine.paper_words().clone(),
            lane: lane.lane,
            open: lane.day.clone(),
            last_z: lane.last_z,
            cash: if register.may_see_cash() { CashShown::All } else { CashShown::Hidden },
            most_rows: MOST_BESIDE,
            parked: register.parked(engine.now().civil_date()),
            today: engine.now().day(),
            business_date: open.unwrap_or_else(|| register.business_date(engine.now())),
            expiry: register.settings.points.expiry(),
        }
    }

    /// The same for a program that does nothing else: a list may be as long as it is.
    pub fn alone(engine: &Engine) -> Self {
        Self { most_rows: u64::MAX, ..Self::of(engine) }
    }

    /// Makes a report from the store as it stands.
    ///
    /// # Errors
    /// `damaged` when the store cannot be read; `closed_day` for an X without an open day, `receipt`
    /// for a Z that there is not.
    pub fn make(&self, wanted: &Wanted) -> Result<Table, Refusal> {
        let (words, reader) = (&self.words, self.shop.reader());
        let (from, to) = wanted.days(self.business_date);
        match wanted.name.as_str() {
            "x" => {
                let day = self.open.as_ref().ok_or_else(no_day)?;
                Ok(day_table(words, day, None, self.parked, self.cash))
            }
            "z" => {
                let closed = self.closed_day(wanted)?;
                let ClosedDay { totals: day, closing, .. } = &closed;
                Ok(day_table(words, day, Some(closing), day.parked, CashShown::All))
            }
            "sales" => {
                let closed = reader.days(from, to)?;
                let open = self.open.as_ref();
                let open = open.filter(|day| (from..=to).contains(&day.business_date));
                let days = closed.iter().map(|day| (day.lane, &day.totals));
                Ok(sales_by_day(words, days.chain(open.map(|day| (self.lane, day)))))
            }
            "items" => {
                let mut sold = SoldItems::default();
                reader.each_sale(from, to, |stored| {
                    if !stored.voided {
                        stored.sale.lines.iter().for_each(|line| sold.add(line));
                    }
                    Ok(())
                })?;
                Ok(items_sold(words, sold, |code| reader.stock(code).ok().flatten()))
            }
            "tax_free" => {
                let records = reader.tax_free_records()?.into_iter();
                let all = wanted.names_days();
                let asked = records.filter(|kept| match all {
                    true => (from..=to).contains(&kept.record.sold_on),
                    false => kept.status.is_open(),
                });
                Ok(records_list(words, asked))
            }
            "acts" => self.acts(wanted),
            _ => self.members(),
        }
    }

    /// Makes a report and writes it in the form that was asked for.
    ///
    /// # Errors
    /// As those of `make`.
    pub fn write(&self, wanted: &Wanted) -> Result<(Table, String), Refusal> {
        let table = self.make(wanted)?;
        let text = written(&table, wanted.form, &self.words);
        Ok((table, text))
    }

    /// The Z of a number, of a business date, or the last one.
    fn closed_day(&self, wanted: &Wanted) -> Result<ClosedDay, Refusal> {
        let number = match (wanted.number, wanted.from) {
            (Some(number), _) if number.kind == DocKind::Z => Some(number),
            (Some(number), _) => {
                return Err(Refusal::new(RefusalCode::Receipt).with("receipt", number));
            }
            (None, Some(_)) => None,
            (None, None) => self.last_z,
        };
        let (from, to) = match wanted.from {
            Some(from) => (from, wanted.to.unwrap_or(from)),
            None => (i32::MIN, i32::MAX - 1),
        };
        let days = self.shop.reader().days(from, to)?;
        let fits = |day: &ClosedDay| number.is_none_or(|number| day.closing.number == number);
        days.into_iter()
            .rev()
            .find(fits)
            .ok_or_else(|| Refusal::new(RefusalCode::Receipt).saying("no_z"))
    }

    /// What was done on some days, else on the one that is open; rests on the journal, where all of it is.
    fn acts(&self, wanted: &Wanted) -> Result<Table, Refusal> {
        let (from, to) = match wanted.names_days() {
            true => wanted.days(self.business_date),
            false => (self.business_date, self.business_date),
        };
        let first = NaiveDate::from_num_days_from_ce_opt(from);
        let month =
            first.and_then(|day| Month::new(day.year().try_into().ok()?, day.month() as u8));
        let mut acts = Acts::default();
        for entry in self.shop.entries_from(month.unwrap_or(Month::FIRST))? {
            let entry = entry?;
            if (from..=to).contains(&entry.header.business_date) {
                acts.add(&entry, &self.words);
            }
            if acts.count() > self.most_rows {
                let refusal = Refusal::new(RefusalCode::Over).saying("too_many_acts");
                return Err(refusal.with("most", self.most_rows));
            }
        }
        Ok(acts.table(&self.words))
    }

    fn members(&self) -> Result<Table, Refusal> {
        let count = self.shop.reader().count_members()?;
        if count > self.most_rows {
            return Err(Refusal::new(RefusalCode::Over)
                .saying("too_many_members")
                .with("count", count)
                .with("most", self.most_rows));
        }
        let mut list = MembersList::default();
        self.shop.reader().each_member(|member| {
            list.add(MemberRow {
                points: points::balance(&member.ledger, self.today, self.expiry),
                code: member.code,
                name: member.personal.name,
                kana: member.personal.kana,
                rank: member.rank,
                visits: member.visits,
                spent: member.spent,
                last_visit: member.last_visit,
            });
            Ok(())
        })?;
        Ok(list.table(&self.words))
    }
}

fn no_day() -> Refusal {
    Refusal::new(RefusalCode::ClosedDay).saying("no_open_day")
}

/// A page that shows what a printer can, and says what to set where it does not: a ruler of the
/// profile's columns, the characters that printers get wrong, sizes, codes, the scanner's label.
pub fn test_page(words: &Words, profile: &Profile) -> Document {
    let columns = usize::from(profile.columns.get());
    let mut page = Document::default();
    let ruler: String =
        (1..=columns).map(|column| char::from(b'0' + (column % 10) as u8)).collect();
    page.center(words.get("test_page.title"));
    page.rule(Rule::Double);
    if profile.set_to_escpos {
        page.text(words.get("test_page.set_to_escpos"));
    }
    if profile.set_to_star {
        page.text(words.get("test_page.set_to_star"));
    }
    page.text(ruler);
    page.text(words.fill("test_page.columns", &[("columns", &columns)]));
    page.text(words.get("test_page.kanji"));
    page.text(words.get("test_page.kanji_told"));
    page.text("ｱｲｳｴｵ ｶﾞｷﾞｸﾞ ﾊﾟﾋﾟﾌﾟ ABCabc 0123 \\ ~");
    page.text(words.get("test_page.kana_told"));
    page.pair(words.get("test_page.left"), words.get("test_page.right"));
    page.styled(words.get("test_page.big"), Align::Left, Style::BIG);
    page.rule(Rule::Thin);
    page.push(Block::Barcode("01-000123".to_owned()));
    page.push(Block::Barcode("4901234567894".to_owned()));
    page.push(Block::Qr("regi".to_owned()));
    page.text(words.get("test_page.codes_told"));
    page.rule(Rule::Thin);
    page.text(words.get("test_page.scanner"));
    page.push(Block::Barcode(crate::devices::scanner::test_label::TEXT.to_owned()));
    page.push(Block::Cut);
    page
}
