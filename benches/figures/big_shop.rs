//! The big shop: a hundred thousand goods, a million members, a year of sales, from a seed.
//!
//! Room: benches. May touch: folders under `target/`; it is made once and kept.
//! Goods and members come in by `regi import`; the sales are rung up by the register itself and
//! written by the store, only without waiting for the disk.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::{Days, NaiveDate};
use regi::domain::register::Now;
use regi::store::verify::Watch;

use crate::disk::Syncs;
use crate::lane::{Lane, moment};
use crate::peer::Peer;
use crate::people::{self, Dice};
use crate::place::{Place, Scale, regi, run};
use crate::{Failure, goods};

/// A day of another shape makes another shop: count it up to have the kept one made anew.
const SHAPE: u32 = 3;
const DAYS_OPEN: u64 = 365;
const OPENS_AT_MINUTE: i64 = 9 * 60;
const MINUTES_OPEN: i64 = 11 * 60;

/// What a whole shop has to say about itself: no staff, so that it sells as 0.
const SETTINGS: &str = r#"[shop]
name = "おおきな商店"
address = "東京都千代田区丸の内0-0-0"
phone = "03-0000-0000"
registration_number = "T7123456789012"

[[department]]
number = 1
name = "食品"
tax_class = "reduced"

[[department]]
number = 2
name = "雑貨"
tax_class = "standard"
"#;

/// The files a shop brings along.
pub struct Files {
    pub members: PathBuf,
    pub items: PathBuf,
}

/// First and last business date of a month's report, `YYYY-MM-DD`.
pub struct Month {
    pub first: String,
    pub last: String,
}

/// Returns the files of goods and members, written once.
pub fn files(place: &Place) -> Result<Files, Failure> {
    let files = Files { members: place.kept("members.csv"), items: place.kept("items.csv") };
    if !files.members.exists() || !files.items.exists() {
        people::write_members(&files.members, place.scale.members)?;
        goods::write_items(&files.items, place.scale.items)?;
    }
    Ok(files)
}

/// Makes an empty shop and brings goods and members in, the evening before its first day.
pub fn import(shop: &Path, scratch: &Path, files: &Files, eve: NaiveDate) -> Result<(), Failure> {
    begin(shop, scratch, eve)?;
    bring(shop, "items", &files.items, eve)?;
    bring(shop, "members", &files.members, eve)
}

/// Makes an empty shop.
pub fn begin(shop: &Path, scratch: &Path, eve: NaiveDate) -> Result<(), Failure> {
    let settings = scratch.join("settings.toml");
    std::fs::write(&settings, SETTINGS)?;
    regi(shop, &["init", "--settings", utf8(&settings)?, "--at", &evening(eve)]).map(drop)
}

/// Brings a master in.
pub fn bring(shop: &Path, what: &str, file: &Path, eve: NaiveDate) -> Result<(), Failure> {
    regi(shop, &["import", what, utf8(file)?, "--apply", "--at", &evening(eve)]).map(drop)
}

fn evening(eve: NaiveDate) -> String {
    format!("{eve}T20:00:00+09:00")
}

/// Returns a path as an argument.
pub fn utf8(path: &Path) -> Result<&str, Failure> {
    Ok(path.to_str().ok_or("a folder's name in UTF-8")?)
}

/// Makes the sample shop, with the first goods of the big one on its shelves too.
pub fn make_demo(program: &Path, shop: &Path, scratch: &Path, count: u32) -> Result<(), Failure> {
    run(program, shop, &["init", "--demo"])?;
    let items = scratch.join("items.csv");
    goods::write_items(&items, count)?;
    run(program, shop, &["import", "items", utf8(&items)?, "--apply"]).map(drop)
}

/// Returns the kept shop, made now when it is not there. Copy it before you change it.
pub fn ready(place: &Place) -> Result<PathBuf, Failure> {
    let shop = place.kept("shop");
    if last_day(place).is_some() && shop.is_dir() {
        return Ok(shop);
    }
    remove(&shop)?;
    let making = place.scratch("making")?;
    let began = Instant::now();
    let last = yesterday();
    let eve = last - Days::new(DAYS_OPEN);
    import(&making, &place.scratch("settings")?, &files(place)?, eve)?;
    eprintln!("  goods and members: {:.0} s", began.elapsed().as_secs_f64());
    sell_a_year(&making, place, last)?;
    eprintln!("  with {} sales: {:.0} s", place.scale.sales, began.elapsed().as_secs_f64());
    std::fs::rename(&making, &shop)?;
    std::fs::write(place.kept("made"), format!("{SHAPE} {last}"))?;
    Ok(shop)
}

/// The last thirty days with sales.
pub fn busy_month(place: &Place) -> Result<Month, Failure> {
    let last = last_day(place).ok_or("no big shop")?;
    Ok(Month { first: (last - Days::new(29)).to_string(), last: last.to_string() })
}

/// Returns the peer's database with the same members and goods, made once.
pub fn peer(place: &Place) -> Result<Peer, Failure> {
    let path = place.kept("peer.db");
    if !path.exists() {
        let files = files(place)?;
        let making = place.kept("peer.making");
        Peer::create(&making)?.import(&files.members, &files.items)?;
        std::fs::rename(&making, &path)?;
    }
    Peer::open(&path)
}

/// Recomputes the whole chain of a shop as its start does; returns seconds and entries.
pub fn check_chain(shop: &Path) -> Result<(f64, u64), Failure> {
    let lane = Lane::open(shop, Syncs::Real)?;
    let began = Instant::now();
    let verified = lane.shop.journal().verify(None, 2, &Watch::default());
    let seconds = began.elapsed().as_secs_f64();
    if let Some(damage) = verified.damage.first() {
        return Err(format!("the chain is damaged: {damage:?}").into());
    }
    lane.shop.close()?;
    Ok((seconds, verified.records))
}

fn last_day(place: &Place) -> Option<NaiveDate> {
    let made = std::fs::read_to_string(place.kept("made")).ok()?;
    let (shape, last) = made.split_once(' ')?;
    (shape == SHAPE.to_string()).then(|| last.parse().ok())?
}

/// The register refuses to sell before its last Z, so the year of sales ends before today.
#[allow(clippy::disallowed_methods, reason = "the benches have no app to ask for the date")]
pub fn yesterday() -> NaiveDate {
    chrono::Utc::now().date_naive() - Days::new(1)
}

fn remove(dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What is sold in a row of days, and out of how many goods to how many members.
#[derive(Debug, Clone, Copy)]
pub struct Trade {
    pub days: u64,
    pub sales: u32,
    pub items: u32,
    pub members: u32,
}

fn sell_a_year(shop: &Path, place: &Place, last: NaiveDate) -> Result<(), Failure> {
    let Scale { sales, items, members, .. } = place.scale;
    sell(shop, Trade { days: DAYS_OPEN, sales, items, members }, last)
}

/// Sells day by day up to the `last`, with a Z each evening.
pub fn sell(shop: &Path, trade: Trade, last: NaiveDate) -> Result<(), Failure> {
    let mut lane = Lane::open(shop, Syncs::Skipped)?;
    let mut dice = Dice::new(0x5341_4C45);
    let (mut sold, mut evening) = (0, moment(0));
    for day in 1..=trade.days {
        let date = last - Days::new(trade.days - day);
        let until = u64::from(trade.sales) * day / trade.days;
        let until = u32::try_from(until).expect("a part of all sales");
        evening = sell_a_day(&mut lane, &mut dice, trade, date, until - sold)?;
        sold = until;
    }
    lane.close(evening)
}

/// Sells one day and returns the moment of its Z.
fn sell_a_day(
    lane: &mut Lane,
    dice: &mut Dice,
    trade: Trade,
    date: NaiveDate,
    sales: u32,
) -> Result<Now, Failure> {
    let midnight = date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis();
    let at = |minute: i64| moment(midnight + (minute - 540) * 60_000); // Japan is 540 ahead.
    for sale in 0..sales {
        let now = at(OPENS_AT_MINUTE + MINUTES_OPEN * i64::from(sale) / i64::from(sales));
        for line in basket(dice, trade) {
            lane.give(&line, now)?;
        }
    }
    let evening = at(OPENS_AT_MINUTE + MINUTES_OPEN + 30);
    lane.give("z_report", evening)?;
    lane.shop.idle()?; // As at night: the cart's file is made short again.
    Ok(evening)
}

/// The commands of one customer: a few goods, a card in three of five sales, and the tender.
fn basket(dice: &mut Dice, trade: Trade) -> Vec<String> {
    let goods = 1 + dice.below_skewed(8);
    let scan = |dice: &mut Dice| 1 + dice.below_skewed(trade.items);
    let mut lines: Vec<String> =
        (0..goods).map(|_| format!("scan {}", goods::jan(scan(dice)))).collect();
    if dice.below(5) < 3 {
        lines.push(format!("member {}", people::card(1 + dice.below_skewed(trade.members))));
    }
    let tender = ["tender_cash", "tender_cash", "tender_credit", "tender_code"];
    lines.push((*dice.pick(&tender)).to_owned());
    lines
}
