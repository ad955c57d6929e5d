//! The real register over a faulty disk: the engine of the counter, its journal, store, keys, cart
//! and second copy, worked step by step and held against the books.
//!
//! Room: tests. May touch: the library; no disk, no clock.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use regi::app::clock::{Chance as Ids, Time};
use regi::app::engine::{Checked, Engine, Outcome};
use regi::app::lane_config::LaneConfig;
use regi::app::opening::{OpenFault, Options, open_place};
use regi::app::upkeep::StartCheck;
use regi::devices::printer::dialogue::Patience;
use regi::domain::document::Document;
use regi::domain::entry::{Clock, Kind};
use regi::domain::item::Item;
use regi::domain::quantity::{Quantity, UnitPrice};
use regi::domain::refusal::Refusal;
use regi::domain::register::Now;
use regi::domain::settings::Settings;
use regi::exchange::shop_file::read_shop;
use regi::store::backup;
use regi::store::fault::StoreError;
use regi::store::files::Files;
use regi::store::files::faulty::FaultyFiles;
use regi::store::restore::{OverNewer, Restore};
use regi::store::second_copy::CopyPlace;
use regi::store::shop::ShopPlace;

use super::books::Books;
use super::lived::Start;
use super::step::{CODES, Step};

/// A folder that no disk of this machine has: what went past the file layer would not find it.
pub const DIR: &str = "/proc/regi";
pub const COPY: &str = "/proc/regi-copy";
/// Where backups lie, and are restored to.
const ELSEWHERE: &str = "/proc/regi-elsewhere";

/// Five in the afternoon of 2026-11-28 in Tokyo: a month ends while the days go by.
const BEGIN_MS: i64 = 1_795_852_800_000;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

const SETTINGS: &str = r#"
[shop]
name = "みどり商店"
day_ends = "05:00"
[[department]]
number = 1
name = "食品"
tax_class = "reduced"
"#;

/// The time of a step: a minute after the one before it, a day after each Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub minutes: i64,
    pub days: i64,
}

impl Moment {
    pub const FIRST: Self = Self { minutes: 0, days: 0 };

    pub fn now(self) -> Now {
        let utc_ms = BEGIN_MS + self.minutes % 300 * MINUTE_MS + self.days * DAY_MS;
        Now { utc_ms, offset_minutes: 540, clock: Clock::Given }
    }
}

/// Whether the shop has a second copy, and on which disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copying {
    /// On the same disk: one cut takes both.
    On,
    Elsewhere,
    Off,
}

pub fn place(files: &FaultyFiles, copy: &FaultyFiles, copying: Copying, seed: u64) -> ShopPlace {
    let state = AtomicU64::new(seed);
    let copy = CopyPlace { files: Arc::new(copy.clone()), dir: COPY.into() };
    ShopPlace {
        files: Arc::new(files.clone()),
        dir: DIR.into(),
        lane: 1,
        chance: Arc::new(move |bytes| {
            for byte in bytes {
                *byte = state.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed).to_le_bytes()[7];
            }
        }),
        pid: 1,
        copy: (copying != Copying::Off).then_some(copy),
        reserve_bytes: 256 * 1024,
    }
}

fn options(moment: Moment, seed: u64) -> Options {
    Options {
        dir: PathBuf::from(DIR),
        lane: Some(1),
        language: None,
        time: Time::Given(moment.now()),
        chance: Ids::Seeded(seed),
        printer: None,
        patience: Patience::default(),
    }
}

/// The register at work.
pub struct Desk {
    pub files: FaultyFiles,
    /// The disk of the second copy: the same one, unless a test wants two.
    pub copy: FaultyFiles,
    pub engine: Engine,
    pub moment: Moment,
    copying: Copying,
    seed: u64,
    /// Imports that have ended.
    imports: u128,
}

impl Desk {
    /// Makes the shop, with items to sell, and opens it.
    pub fn found(copying: Copying, seed: u64) -> (Self, Books) {
        let files = FaultyFiles::new();
        Self::found_on(&files, &files, copying, seed)
    }

    pub fn found_on(
        files: &FaultyFiles,
        copy: &FaultyFiles,
        copying: Copying,
        seed: u64,
    ) -> (Self, Books) {
        let settings = read_shop(SETTINGS, &Settings::default()).expect("settings");
        let now = Moment::FIRST.now();
        let place = place(files, copy, copying, seed);
        let opened = place.create(7, "みどり商店", settings, now, &mut |_, _| {}).expect("a shop");
        opened.shop.close().expect("an end");
        let desk = Self::open_with(files, copy, copying, Moment::FIRST, seed);
        let mut desk = desk.expect("it opens");
        let mut books = Books::default();
        let items: Vec<Item> = CODES.iter().zip(1..).map(|(code, n)| item(code, n * 150)).collect();
        for item in &items {
            books.prices.insert(item.code.clone(), item.price.whole().expect("yen"));
        }
        desk.record(Kind::ItemsImported { import: 1, items }).expect("items");
        desk.record(Kind::ImportClosed { import: 1, rows: 6 }).expect("items");
        desk.settle();
        (desk, books)
    }

    pub fn open(
        files: &FaultyFiles,
        copying: Copying,
        moment: Moment,
        seed: u64,
    ) -> Result<Self, OpenFault> {
        Self::open_with(files, files, copying, moment, seed)
    }

    /// Opens a shop that stands where `start` does.
    pub fn open_at(
        files: &FaultyFiles,
        copy: &FaultyFiles,
        start: &Start,
    ) -> Result<Self, OpenFault> {
        Self::open_with(files, copy, start.copying, start.moment, start.seed)
    }

    pub fn open_with(
        files: &FaultyFiles,
        copy: &FaultyFiles,
        copying: Copying,
        moment: Moment,
        seed: u64,
    ) -> Result<Self, OpenFault> {
        let mut config = LaneConfig::default();
        config.printer.address = "screen:".to_owned();
        let place = place(files, copy, copying, seed ^ 0x5EED);
        let engine = open_place(&options(moment, seed), config, &place, || {})?;
        engine.shop.keep_room(); // As the counter does; and it waits until there is room.
        engine.shop.settle();
        let (files, copy) = (files.clone(), copy.clone());
        Ok(Self { files, copy, engine, moment, copying, seed, imports: 2 })
    }

    /// Gives a step; `Ok` is acknowledged. The code of a new member is returned.
    pub fn give(&mut self, step: &Step, books: &Books) -> Result<Option<String>, Refusal> {
        self.moment.minutes += 1;
        self.engine.time = Time::Given(self.moment.now());
        self.engine.stamp_spool();
        match step.line(books) {
            Some(lines) => lines.lines().try_for_each(|line| self.line(line).map(drop))?,
            None => self.other(step)?,
        }
        if *step == Step::Close {
            self.moment.days += 1;
            // No real folder bears the name: the backup has words, the Z stands.
            let _ = self.engine.end_backup(true);
        }
        let member = self.engine.register.cart.member.as_ref();
        Ok(member.map(|member| member.code.clone()))
    }

    fn line(&mut self, line: &str) -> Result<Vec<Document>, Refusal> {
        let Outcome { refusal, documents, .. } = self.engine.perform(line).expect("a command");
        refusal.map_or(Ok(documents), Err)
    }

    fn other(&mut self, step: &Step) -> Result<(), Refusal> {
        match step {
            Step::BringIn(rows) => {
                let items = rows.iter().map(|(code, yen)| item(code, *yen)).collect();
                self.record(Kind::ItemsImported { import: self.imports << 64, items })
            }
            Step::EndImport => {
                self.record(Kind::ImportClosed { import: self.imports << 64, rows: 0 })?;
                self.imports += 1;
                self.wait_folded();
                Ok(())
            }
            Step::CountStock { code, pieces } => {
                let import = (1 << 64) + u128::from(self.moment.minutes as u64);
                let stock = vec![(code.clone(), Quantity::from(*pieces))];
                self.record(Kind::StockImported { import, stock })?;
                self.record(Kind::ImportClosed { import, rows: 1 })?;
                self.wait_folded();
                Ok(())
            }
            Step::SyncCart => {
                self.engine.shop.sync_cart();
                Ok(())
            }
            Step::Idle => {
                self.settle();
                Ok(())
            }
            Step::Restart => self.restart(),
            Step::Backup => self.back_up(),
            Step::RestoreDrill => self.restore_elsewhere(),
            Step::Compact => {
                self.engine.shop.cart_log().compact().map_err(|e| StoreError::from(e).into())
            }
            step => unreachable!("{step:?} is a line"),
        }
    }

    fn record(&mut self, kind: Kind) -> Result<(), Refusal> {
        self.engine.record(vec![kind]).map(drop)
    }

    fn restart(&mut self) -> Result<(), Refusal> {
        self.engine.settle();
        self.engine.shop.close();
        let (moment, seed) = (self.moment, self.seed);
        let again = Self::open_with(&self.files, &self.copy, self.copying, moment, seed);
        match again {
            Ok(again) => *self = Self { imports: self.imports, ..again },
            Err(OpenFault::Store(error)) => return Err(error.into()),
            Err(other) => panic!("{other}"),
        }
        Ok(())
    }

    fn back_up(&mut self) -> Result<(), Refusal> {
        let files: Arc<dyn Files> = Arc::new(self.files.clone());
        files.make_dir(Path::new(ELSEWHERE)).map_err(StoreError::from)?;
        let path = Path::new(ELSEWHERE).join("day.regi");
        Ok(backup::write(&files, Path::new(DIR), self.engine.shop.keys(), &path).map(drop)?)
    }

    fn restore_elsewhere(&mut self) -> Result<(), Refusal> {
        let files: Arc<dyn Files> = Arc::new(self.files.clone());
        let (backup, shop_dir) = (Path::new(ELSEWHERE).join("day.regi"), Path::new(ELSEWHERE));
        let chance = place(&self.files, &self.copy, self.copying, 1).chance;
        let over_newer = OverNewer::Replace;
        let restore =
            Restore { files: &files, backup: &backup, shop_dir, chance, over_newer, pid: 1 };
        Ok(restore.run().map(drop)?)
    }

    /// Waits for the check of a start, as the first tender at the counter does; returns what is wrong.
    pub fn check(&mut self) -> Option<String> {
        let copy = CopyPlace { files: Arc::new(self.copy.clone()), dir: COPY.into() };
        let copy = (self.copying != Copying::Off).then_some(copy);
        self.engine.check = Some(StartCheck::begin(&self.engine.shop, copy, || {}));
        while self.engine.checked() == Checked::Running {
            std::thread::yield_now();
        }
        self.engine.damage.as_ref().map(ToString::to_string)
    }

    pub fn copying(&self) -> Copying {
        self.copying
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Everything that could wait is done.
    pub fn settle(&mut self) {
        self.engine.settle();
        let _ = self.engine.end_backup(true);
        self.quiet();
    }

    /// Waits as whoever imports does.
    fn wait_folded(&self) {
        let head = self.engine.shop.journal().head().seq;
        let _ = self.engine.shop.reader().wait_folded(head);
    }

    /// Waits until the threads have done what the steps so far gave them.
    pub fn quiet(&self) {
        self.wait_folded();
        while self.copying != Copying::Off
            && self.engine.shop.copy_lag().is_some_and(|lag| lag.entries > 0 && !lag.broken)
        {
            std::thread::yield_now();
        }
    }
}

fn item(code: &str, yen: i64) -> Item {
    Item { department: 1, ..Item::new(code, format!("品{code}"), UnitPrice::from(yen)) }
}
