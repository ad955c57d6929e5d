//! Kitchen printers: a slip at each place that has something to make, when the sale closes.
//!
//! Room: app. May touch: the printers' handles, the notes of what was begun.
//! Invariant: each slip that a sale ordered is printed, or named to staff; of those that come out for
//! one order at most one is not marked as perhaps a second.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};

use super::lane_config::KitchenConfig;
use super::printers::{Named, Printer};
use super::spool::{SpoolError, note_begun};
use crate::devices::printer::dialogue::Patience;
use crate::devices::printer::{PrinterEvent, Trouble};
use crate::devices::profile::Profiles;
use crate::domain::document::Document;
use crate::domain::entry::PrintEnd;
use crate::domain::sale::Sale;
use crate::reports::kitchen_slip::has_work;
use crate::store::cart_log::CartLog;
use crate::store::jobs::slip_of;

/// What staff should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KitchenNews {
    /// Its printer cannot print; slips wait.
    Trouble { place: String, trouble: Trouble },
    /// Its printer could not print; nothing waits.
    Idle { place: String, trouble: Trouble },
    /// The slip is printed a second time, marked: the first may have come out.
    Again { place: String, receipt: String },
    /// Nobody knows whether this slip was printed, or it was not: tell the kitchen.
    Untold { place: String, receipt: String },
}

/// A slip as it is printed first, and as it is printed where the first may be there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    pub first: Document,
    pub again: Document,
}

/// How the slip of the entry `seq` came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipEnd {
    pub seq: u64,
    pub job: String,
    pub end: PrintEnd,
}

/// All kitchen printers of the lane.
#[derive(Default)]
pub struct Kitchen {
    stations: Vec<Station>,
    said: Vec<KitchenNews>,
    ended: Vec<SlipEnd>,
}

struct Station {
    config: KitchenConfig,
    printer: Printer,
    events: Receiver<PrinterEvent>,
    /// Slips on their way.
    waiting: Vec<Waiting>,
}

struct Waiting {
    seq: u64,
    job: String,
    /// What is printed should the first be uncertain; gone once that has happened.
    again: Option<Document>,
}

impl Kitchen {
    /// Starts a thread for each place.
    ///
    /// # Errors
    /// An address or a profile that is none.
    pub fn start(
        configs: &[KitchenConfig],
        profiles: &Profiles,
        shop: &Path,
        notes: &CartLog,
        patience: Patience,
        woken: &Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Self, SpoolError> {
        let start = |config: &KitchenConfig| {
            let named = Named::find(&config.address, &config.profile, profiles, shop)?;
            let (tell, events) = unbounded(); // Bounded by the jobs that cause them.
            let (notes, woken) = (notes.clone(), Arc::clone(woken));
            let on_paper = named.is_on_paper();
            let told = move |event| {
                if let PrinterEvent::FirstByte { job } = &event {
                    note_begun(&notes, *job, on_paper);
                }
                if tell.send(event).is_ok() {
                    woken();
                }
            };
            let printer = named.start(patience, told)?;
            Ok(Station { config: config.clone(), printer, events, waiting: Vec::new() })
        };
        let stations: Result<Vec<_>, SpoolError> = configs.iter().map(start).collect();
        Ok(Self { stations: stations?, ..Self::default() })
    }

    /// Hears how the printers are while nothing is printed.
    pub fn watch(&self) {
        self.stations.iter().for_each(|station| station.printer.watch_calmly());
    }

    /// Returns the places that have something of the sale to make.
    pub fn places(&self, sale: &Sale) -> impl Iterator<Item = &str> {
        let configs = self.stations.iter().map(|station| &station.config);
        let busy = configs.filter(|config| has_work(sale, &config.departments));
        busy.map(|config| config.name.as_str())
    }

    /// The departments whose goods are made at a place; `None` where there is no such place any more.
    pub fn departments(&self, place: &str) -> Option<&[u16]> {
        let station = self.stations.iter().find(|station| station.config.name == place)?;
        Some(&station.config.departments)
    }

    /// Prints the slip that the entry `seq` ordered.
    pub fn print(&mut self, seq: u64, job: &str, slip: Slip) {
        let Slip { first, again } = slip;
        self.send(seq, job, &first, Some(again));
    }

    /// Prints a slip that was begun before the last run was cut off: it may be there already.
    pub fn print_again(&mut self, seq: u64, job: &str, slip: &Slip) {
        if let Some(station) = self.station(job) {
            station.printer.begun_before(slip.first.clone(), None);
        }
        self.send(seq, job, &slip.again, None);
        self.say(job, |place, receipt| KitchenNews::Again { place, receipt });
    }

    /// A slip that will not be printed any more: staff tell the place.
    pub fn lost(&mut self, seq: u64, job: &str) {
        self.say(job, |place, receipt| KitchenNews::Untold { place, receipt });
        self.ended.push(SlipEnd { seq, job: job.to_owned(), end: PrintEnd::Lost });
    }

    fn station(&mut self, job: &str) -> Option<&mut Station> {
        let (place, _) = slip_of(job)?;
        self.stations.iter_mut().find(|station| station.config.name == place)
    }

    fn say(&mut self, job: &str, news: impl FnOnce(String, String) -> KitchenNews) {
        let told = slip_of(job).map(|(place, receipt)| news(place.to_owned(), receipt.to_owned()));
        self.said.extend(told);
    }

    fn send(&mut self, seq: u64, job: &str, document: &Document, again: Option<Document>) {
        let taken = self.station(job).is_some_and(|station| {
            let taken = station.printer.send(job, document, seq, None);
            if station.printer.trouble.take().is_some() {
                station.printer.look(); // Staff hear again that a slip waits.
            }
            if taken {
                station.waiting.push(Waiting { seq, job: job.to_owned(), again });
            }
            taken
        });
        if !taken {
            self.lost(seq, job);
        }
    }

    /// Takes what the printers said.
    pub fn news(&mut self) -> Vec<KitchenNews> {
        self.listen();
        std::mem::take(&mut self.said)
    }

    /// Takes the ends that slips came to since it was last asked.
    pub fn ended(&mut self) -> Vec<SlipEnd> {
        self.listen();
        std::mem::take(&mut self.ended)
    }

    fn listen(&mut self) {
        for at in 0..self.stations.len() {
            let events: Vec<_> = self.stations[at].events.try_iter().collect();
            events.into_iter().for_each(|event| self.heard(at, event));
        }
    }

    /// Slips on their way.
    pub fn waiting(&self) -> usize {
        self.stations.iter().map(|station| station.waiting.len()).sum()
    }

    /// Place, address, profile and trouble of each printer.
    pub fn states(&self) -> impl Iterator<Item = (&KitchenConfig, Option<Trouble>)> {
        self.stations.iter().map(|station| (&station.config, station.printer.trouble))
    }

    /// Waits until no slip waits, or nothing moved for `patience`.
    pub fn drain(&mut self, patience: Duration) {
        for at in 0..self.stations.len() {
            while !self.stations[at].waiting.is_empty() {
                let Ok(event) = self.stations[at].events.recv_timeout(patience) else { break };
                self.heard(at, event);
            }
        }
    }

    /// Ends the threads; what has not begun stays unsent.
    pub fn stop(&mut self) {
        self.stations.drain(..).for_each(|mut station| station.printer.stop());
    }

    fn heard(&mut self, at: usize, event: PrinterEvent) {
        let station = &mut self.stations[at];
        match event {
            PrinterEvent::Ready => station.printer.trouble = None,
            PrinterEvent::Trouble(trouble) => {
                let new = station.printer.trouble.replace(trouble) != Some(trouble);
                let place = station.config.name.clone();
                self.said.extend(new.then_some(match station.waiting.is_empty() {
                    false => KitchenNews::Trouble { place, trouble },
                    true => KitchenNews::Idle { place, trouble },
                }));
            }
            PrinterEvent::Done { job, .. } => {
                if let Some(Waiting { seq, job, .. }) = station.take(job) {
                    self.ended.push(SlipEnd { seq, job, end: PrintEnd::Printed });
                }
            }
            PrinterEvent::NotSent { job, .. } => {
                if let Some(waiting) = station.take(job) {
                    self.lost(waiting.seq, &waiting.job);
                }
            }
            PrinterEvent::Uncertain { job, .. } => match station.take(job) {
                Some(Waiting { seq, job, again: Some(again) }) => {
                    self.say(&job, |place, receipt| KitchenNews::Again { place, receipt });
                    self.send(seq, &job, &again, None);
                }
                Some(Waiting { seq, job, again: None }) => self.lost(seq, &job),
                None => {}
            },
            PrinterEvent::FirstByte { .. }
            | PrinterEvent::Saved { .. }
            | PrinterEvent::DrawerSensor { .. } => {}
        }
    }
}

impl Station {
    fn take(&mut self, seq: u64) -> Option<Waiting> {
        let at = self.waiting.iter().position(|waiting| waiting.seq == seq)?;
        Some(self.waiting.remove(at))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::app::clock::{Chance, Time};
    use crate::app::engine::Engine;
    use crate::app::lane_config::LaneConfig;
    use crate::app::opening::{Options, open_place};
    use crate::app::words::Language;
    use crate::domain::settings::Settings;
    use crate::exchange::shop_file::read_shop;
    use crate::store::files::faulty::{FaultyFiles, Keep};
    use crate::store::test_shop::{now, place};

    const SETTINGS: &str =
        "[shop]\nname = \"Midori\"\n[[department]]\nnumber = 1\nname = \"Food\"\n";
    const NOWHERE: &str = "dev:/proc/regi/no-such-printer";

    struct Shop {
        files: FaultyFiles,
        dir: tempfile::TempDir,
    }

    impl Shop {
        fn found() -> Self {
            let files = FaultyFiles::new();
            let settings = read_shop(SETTINGS, &Settings::default()).unwrap();
            let made = place(&files).create(7, "Midori", settings, now(0), &mut |_, _| {}).unwrap();
            made.shop.close().unwrap();
            Self { files, dir: tempfile::tempdir().unwrap() }
        }

        fn open(&self, kitchen: &str) -> Engine {
            let mut config = LaneConfig::default();
            config.printer.address = "screen:".to_owned();
            config.kitchen.push(KitchenConfig {
                name: "Kitchen".to_owned(),
                address: kitchen.to_owned(),
                profile: "generic-80".to_owned(),
                departments: Vec::new(),
            });
            let options = Options {
                dir: self.dir.path().to_owned(),
                lane: None,
                language: Some(Language::English),
                time: Time::Given(now(60_000)),
                chance: Chance::Seeded(1),
                printer: None,
                patience: Patience::default(),
            };
            open_place(&options, config, &place(&self.files), || {}).unwrap()
        }

        /// Opens it behind a cut, and lets the slips that were left come out; what staff are told.
        fn opened_again(&self) -> Vec<KitchenNews> {
            self.files.power_cut(Keep::Nothing, 1);
            let mut engine = self.open("file:kitchen");
            engine.resume_prints().unwrap();
            engine.kitchen.drain(Duration::from_secs(10));
            let news = engine.kitchen.news();
            engine.stamp_spool();
            engine.settle();
            news
        }

        fn slip(&self) -> PathBuf {
            self.dir.path().join("kitchen/kitchen-Kitchen-01-000001.bin")
        }

        fn says(&self, text: &str) -> bool {
            let bytes = std::fs::read(self.slip()).unwrap();
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        }
    }

    fn sells(engine: &mut Engine) {
        for line in ["department 1 500", "tender_cash"] {
            let refusal = engine.perform(line).unwrap().refusal;
            assert_eq!(refusal, None, "{line}");
        }
    }

    fn again() -> KitchenNews {
        KitchenNews::Again { place: "Kitchen".to_owned(), receipt: "01-000001".to_owned() }
    }

    #[test]
    fn a_slip_that_no_printer_had_begun_comes_out_behind_the_cut_once_and_unmarked() {
        let shop = Shop::found();
        sells(&mut shop.open(NOWHERE));
        assert_eq!(shop.opened_again(), []);
        assert!(shop.says("01-000001") && !shop.says("PERHAPS"));
        std::fs::remove_file(shop.slip()).unwrap();
        assert_eq!(shop.opened_again(), []);
        assert!(!shop.slip().exists(), "its end is in the journal");
    }

    #[test]
    fn a_slip_that_was_begun_comes_again_marked() {
        let shop = Shop::found();
        let mut engine = shop.open(NOWHERE);
        sells(&mut engine);
        let jobs = engine.shop.reader().waiting_jobs().unwrap();
        let slip = jobs.iter().find(|job| slip_of(&job.name).is_some()).unwrap();
        engine.shop.cart_log().print_begun(slip.seq).unwrap();
        engine.shop.cart_log().sync().unwrap();
        drop(engine);
        assert_eq!(shop.opened_again(), [again()]);
        assert!(shop.says("01-000001") && shop.says("PERHAPS A SECOND SLIP"));
    }

    #[test]
    fn a_slip_whose_place_is_there_no_more_is_told_to_staff() {
        let shop = Shop::found();
        sells(&mut shop.open(NOWHERE));
        shop.files.power_cut(Keep::Nothing, 1);
        let mut engine = shop.open("file:kitchen");
        engine.kitchen.stop();
        engine.resume_prints().unwrap();
        let [KitchenNews::Untold { place, receipt }] = &engine.kitchen.news()[..] else {
            panic!("it is told once");
        };
        assert_eq!((place.as_str(), receipt.as_str()), ("Kitchen", "01-000001"));
    }
}
