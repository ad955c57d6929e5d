//! A register whose clock jumps, stops at 1970, passes 2038, changes its zone, at midnight and at the
//! year's end.
//!
//! Room: tests. May touch: the library, a shop in a temporary folder.
//! Invariant: no sale is dated before the last Z, no Z is skipped or doubled, and each jump of a minute
//! or more is an entry and is shown. A case is some days of one register, closed and opened between.

use std::path::Path;

use regi::app::books::ShopKind;
use regi::app::clock::{Chance as Ids, ClockWatch, Jump, Time};
use regi::app::engine::Engine;
use regi::app::lane_config::LaneConfig;
use regi::app::opening::{self, Options};
use regi::domain::entry::{Clock, Entry, Kind};
use regi::domain::refusal::RefusalCode;
use regi::domain::register::Now;
use regi::domain::settings::Settings;
use regi::exchange::shop_file::read_shop;
use regi::store::audit::prove;

use crate::run::{Chance, Figures, Run};
use crate::support::SHOP;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 2026-12-31T14:00:00Z: an hour before midnight in Japan, at the end of the year.
const NEW_YEARS_EVE: i64 = 1_798_725_600_000;
/// 2038-01-19T03:14:08Z, where 32 bits end.
const END_OF_32_BITS: i64 = 2_147_483_648_000;

/// What time it is, and what the machine's clock makes of it.
struct Weather {
    true_ms: i64,
    /// What the clock is ahead.
    ahead: i64,
    offset_minutes: i16,
    up_ms: u64,
    /// What it was ahead at the last jump.
    told: i64,
}

impl Weather {
    fn new(chance: &mut Chance) -> Self {
        let starts = [NEW_YEARS_EVE, NEW_YEARS_EVE - 40 * DAY, END_OF_32_BITS - 3 * HOUR];
        let true_ms = starts[chance.below(3) as usize];
        Self { true_ms, ahead: 0, offset_minutes: 540, up_ms: 1_000, told: 0 }
    }

    fn now(&self) -> Now {
        let utc_ms = self.true_ms + self.ahead;
        Now { utc_ms, offset_minutes: self.offset_minutes, clock: Clock::System }
    }

    fn pass(&mut self, chance: &mut Chance) {
        let passed = match chance.below(12) {
            0 => 9 * HOUR,
            1 => (DAY - self.true_ms.rem_euclid(DAY)) + chance.below(3) as i64 * 1_000 - 1_000,
            2 => HOUR,
            _ => 1_000 + chance.below(120_000) as i64,
        };
        self.true_ms += passed;
        self.up_ms += passed.unsigned_abs();
    }

    fn storm(&mut self, chance: &mut Chance) {
        match chance.below(16) {
            0 => self.ahead -= 2 * HOUR,
            1 => self.ahead += DAY,
            2 => self.ahead = -self.true_ms + chance.below(100_000) as i64, // 1970
            3 => self.ahead = END_OF_32_BITS - self.true_ms,
            4 => self.ahead += chance.below(59_000) as i64,
            5 => self.offset_minutes = [480, 540, 600][chance.below(3) as usize],
            6..=9 => self.ahead = 0, // Someone sets it right.
            _ => {}
        }
    }

    /// The jump that the running register must tell now.
    fn jump(&mut self) -> Option<Jump> {
        let moved = self.ahead - self.told;
        if moved.abs() < MINUTE {
            return None;
        }
        let to_ms = self.now().utc_ms;
        self.told = self.ahead;
        Some(Jump { from_ms: to_ms - moved, to_ms })
    }
}

fn options(dir: &Path, now: Now) -> Options {
    Options {
        dir: dir.to_owned(),
        lane: None,
        language: None,
        time: Time::Given(now),
        chance: Ids::Seeded(7),
        patience: regi::devices::printer::dialogue::Patience::default(),
        printer: Some("screen:"),
    }
}

fn found(dir: &Path, now: Now) -> Engine {
    let settings = read_shop(SHOP, &Settings::default()).expect("settings");
    opening::found(&options(dir, now), &LaneConfig::default(), settings, ShopKind::Sample)
        .expect("a shop")
}

fn reopen(dir: &Path, engine: Engine, weather: &mut Weather) -> (Engine, Option<Jump>) {
    let last = engine.shop.journal().head().seq;
    let (entry, _) = engine.shop.entry(last).expect("the last entry");
    engine.shop.close();
    drop(engine);
    let now = weather.now();
    let mut engine = opening::open(&options(dir, now), || {}).expect("opened");
    engine.clock = ClockWatch::begin(now.utc_ms, weather.up_ms);
    weather.told = weather.ahead;
    let back = entry.header.at_ms - now.utc_ms;
    let jump = Jump { from_ms: entry.header.at_ms, to_ms: now.utc_ms };
    (engine, (back >= MINUTE).then_some(jump))
}

/// One act of a day: a sale in two, now and then the day's end.
fn act(chance: &mut Chance) -> Vec<String> {
    let amount = 100 + chance.below(9_000);
    match chance.below(8) {
        0 => vec!["z_report".to_owned()],
        1 => vec!["open_day".to_owned()],
        2 => vec![format!("paid_in {amount} 両替")],
        3 => vec!["no_sale 両替".to_owned()],
        _ => vec![format!("department 1 {amount}"), "tender_cash".to_owned()],
    }
}

/// Lets registers work under every kind of clock.
pub fn days(run: &Run) -> Figures {
    let cases = run.of(1, 20, 1_000);
    let (mut sales, mut closes, mut jumps, mut refused) = (0, 0, 0, 0);
    for case in run.cases(cases) {
        let told = some_days(run, &mut run.chance(case));
        sales += told.sales;
        closes += told.closes;
        jumps += told.jumps;
        refused += told.refused;
    }
    assert!(
        !run.is_whole() || sales > 0 && closes > 0 && jumps > 0 && refused > 0,
        "a day with nothing in it"
    );
    Figures::default()
        .and(run.walked(cases), "registers")
        .and(sales, "sales")
        .and(closes, "Zs")
        .and(jumps, "jumps told")
        .and(refused, "acts refused for the clock's sake")
        .and(0, "sales dated before the last Z")
}

#[derive(Default)]
struct Told {
    sales: u64,
    closes: u64,
    jumps: u64,
    refused: u64,
}

fn some_days(run: &Run, chance: &mut Chance) -> Told {
    let folder = tempfile::TempDir::new().expect("a folder");
    let dir = folder.path().join("shop");
    let mut weather = Weather::new(chance);
    let mut engine = found(&dir, weather.now());
    engine.clock = ClockWatch::begin(weather.now().utc_ms, weather.up_ms);
    let (mut want, mut refused) = (Vec::new(), 0);
    for _ in 0..60 {
        weather.pass(chance);
        weather.storm(chance);
        engine.time = Time::Given(weather.now());
        let mut jump = weather.jump();
        if chance.below(10) == 0 {
            (engine, jump) = reopen(&dir, engine, &mut weather);
        }
        assert_eq!(engine.watch_clock(weather.up_ms), jump, "{:?}", weather.now());
        want.extend(jump);
        for line in act(chance) {
            let outcome = engine.perform(&line).expect("a command");
            run.tell(format_args!("{:?} {line}: {:?}", weather.now(), outcome.refusal));
            if let Some(refusal) = outcome.refusal {
                assert_ne!(refusal.code, RefusalCode::Damaged, "{line}: {refusal:?}");
                refused += u64::from(refusal.code == RefusalCode::ClosedDay);
            }
        }
    }
    engine.end_backup(true).expect("a backup");
    engine.settle();
    let head = engine.shop.journal().head().seq;
    let entries = (1..=head).map(|seq| engine.shop.entry(seq).expect("an entry").0);
    let entries: Vec<Entry> = entries.collect();
    engine.shop.close();
    let told = Told { refused, jumps: want.len() as u64, ..hold(&entries, &want) };
    let place = opening::place(&options(&dir, weather.now()), &LaneConfig::default());
    assert_eq!(prove(&place, &mut |_, _| {}).expect("proved").found, []);
    told
}

/// Holds the journal against what must be.
fn hold(entries: &[Entry], want: &[Jump]) -> Told {
    let (mut told, mut last_z): (Told, Option<(i64, i32)>) = (Told::default(), None);
    let mut jumps = Vec::new();
    for entry in entries {
        let header = &entry.header;
        match &entry.kind {
            Kind::SaleClosed(sale) => {
                let at = (header.at_ms, header.business_date);
                let after = last_z.is_none_or(|z| at.0 >= z.0 && at.1 >= z.1);
                assert!(after, "{} at {at:?}, the last Z at {last_z:?}", sale.number);
                told.sales += 1;
            }
            Kind::ZClosed(closing) => {
                told.closes += 1;
                assert_eq!(
                    u64::from(closing.number.number),
                    told.closes,
                    "no Z skipped or doubled"
                );
                assert!(last_z.is_none_or(|z| header.at_ms >= z.0), "Zs go forward");
                last_z = Some((header.at_ms, header.business_date));
            }
            Kind::ClockJumped { from_ms, to_ms } => {
                jumps.push(Jump { from_ms: *from_ms, to_ms: *to_ms });
            }
            _ => {}
        }
    }
    assert_eq!(jumps, want, "each jump is an entry");
    told
}
