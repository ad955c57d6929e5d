//! A printer that fails at any byte: the customer has at most one receipt that is no copy.
//!
//! Room: tests. May touch: the library's register, software printers, temporary folders.
//! Invariant: a case is a register and a printer for which every fault strikes at one byte of a
//! receipt; the register decides what is printed, the paper and the journal are read behind its back.

mod machine;
mod paper;
mod wire;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};
use regi::app::books::ShopKind;
use regi::app::clock::{Chance as Ids, Time};
use regi::app::engine::{Engine, Outcome};
use regi::app::lane_config::{LaneConfig, PrinterConfig};
use regi::app::opening::{self, Options};
use regi::app::spool::SpoolNews;
use regi::app::words::Language;
use regi::devices::printer::dialogue::Patience;
use regi::domain::entry::{Kind, PrintEnd};
use regi::domain::settings::Settings;
use regi::exchange::shop_file::read_shop;
use tempfile::TempDir;

use crate::run::{Chance, Figures, Run};
use crate::support::{AT, SHOP};
use machine::{FAULTS, Fault, Machine};
use paper::Slip;
use wire::Printer;

/// Longer than any answer takes that comes at all, even on a busy machine.
const LONG: Duration = Duration::from_secs(30);
/// Registers at work at once: they mostly wait.
const AT_ONCE: usize = 24;

/// Waits short enough for thousands of faults, long enough for threads that share two cores.
const PATIENCE: Patience = Patience {
    answer: 20,
    stall: 60,
    silence: 80,
    finish: 250,
    slowest: 1000,
    settle: 20,
    drawer: 400,
    retry: 5,
};

/// What the printer proves of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// It names the paper that is done.
    Named,
    /// It says that something is done.
    Unnamed,
    None,
}

#[derive(Debug, Clone, Copy)]
enum Line {
    Network,
    Serial,
}

/// The printers of the proof: a line, and a profile that regi ships.
const PRINTERS: [(Line, &str, Word); 5] = [
    (Line::Network, "epson-tm-t88", Word::Named),
    (Line::Serial, "epson-tm-t20", Word::Named),
    (Line::Network, "citizen-ct-s", Word::Unnamed),
    (Line::Serial, "star-mc", Word::Unnamed),
    (Line::Network, "generic-80", Word::None),
];

/// More bytes than any receipt of the proof has with what is asked around it.
const OFFSETS: u64 = 2_003;

/// Lets every fault strike at every byte.
pub fn print_exactly_once(run: &Run) -> Figures {
    let days = run.of(5, 130, OFFSETS * PRINTERS.len() as u64);
    run.side_by_side(days, AT_ONCE, |case| Day::open(run, case).suffers_all());
    let faults = run.walked(days) * FAULTS.len() as u64;
    Figures::default()
        .and(faults, "faults of a printer")
        .and(0, "second receipts without a mark")
        .and(0, "sales without an outcome")
}

/// One register and its printer.
struct Day<'a> {
    run: &'a Run,
    case: u64,
    chance: Chance,
    word: Word,
    folder: TempDir,
    printer: Printer,
    engine: Option<Engine>,
    woken: Receiver<()>,
    /// The amount of the next sale: each is another, so that papers are told apart.
    amount: i64,
}

/// A sale of the case, and what is known of its papers.
#[derive(Debug)]
struct Sold {
    number: String,
    total: i64,
    /// What staff said of jobs, by the job's name.
    told: BTreeMap<String, PrintEnd>,
    copies: u32,
}

impl<'a> Day<'a> {
    fn open(run: &'a Run, case: u64) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let (line, profile, word) = PRINTERS[(case % PRINTERS.len() as u64) as usize];
        let machine = Machine::new(run.chance(case));
        let printer = match line {
            Line::Network => Printer::on_network(machine),
            Line::Serial => Printer::on_serial_line(machine, folder.path()),
        };
        let printing = PrinterConfig {
            address: printer.address().to_owned(),
            profile: profile.to_owned(),
            fallback: None,
        };
        let config = LaneConfig { printer: printing, ..LaneConfig::default() };
        let settings = read_shop(SHOP, &Settings::default()).expect("the settings fit");
        let options = options(&folder, case);
        let mut founded =
            opening::found(&options, &config, settings, ShopKind::Real).expect("a new shop");
        founded.spool.stop();
        founded.shop.close();
        drop(founded);
        let (chance, amount) = (run.chance(case), 1_000);
        let (_, woken) = unbounded();
        let engine = None;
        let mut day = Self { run, case, chance, word, folder, printer, engine, woken, amount };
        day.start();
        day
    }

    /// Opens the register on the shop as it stands.
    fn start(&mut self) {
        let (wake, woken) = unbounded();
        let options = options(&self.folder, self.case);
        let mut engine = opening::open(&options, move || wake.send(()).unwrap_or_default())
            .expect("the register opens");
        engine.resume_prints().expect("the store tells what waits");
        self.woken = woken;
        self.engine = Some(engine);
    }

    /// The register dies: nothing that waited in memory is written.
    fn dies(&mut self) {
        let mut engine = self.engine.take().expect("a register");
        engine.spool.stop();
        drop(engine);
    }

    fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("a register")
    }

    fn tell(&self, step: impl std::fmt::Display) {
        self.run.tell(step);
    }

    fn suffers_all(mut self) {
        let length = self.clean_sale();
        // A prime step: the first cases are spread over the receipt, all of them cover it.
        let at = (self.case / PRINTERS.len() as u64 * 617 % OFFSETS) as usize % (length + 1);
        self.tell(format_args!("every fault at byte {at} of {length}"));
        let first = self.chance.below(FAULTS.len() as u64) as usize;
        for turn in 0..FAULTS.len() {
            let fault = FAULTS[(first + turn) % FAULTS.len()];
            self.suffers(fault, at);
        }
        self.settle();
        let mut engine = self.engine.take().expect("a register");
        engine.spool.stop();
        engine.shop.close();
    }

    /// Returns how many bytes a sale sends when nothing fails.
    fn clean_sale(&mut self) -> usize {
        self.printer.with(|machine| machine.arm(None, 0));
        let mut sold = self.sell("tender_cash");
        self.all_end(&mut [&mut sold]);
        self.judge(None, &[&sold]);
        let slips = self.slips();
        assert_eq!(slips.len(), 1, "one receipt");
        assert!(slips[0].is_whole_of(&sold.number, sold.total), "{slips:?}");
        self.printer.with(|machine| {
            assert_eq!(machine.pulses, 1, "the drawer of a cash sale opens");
            machine.taken()
        })
    }

    fn suffers(&mut self, fault: Fault, at: usize) {
        self.tell(format_args!("{fault:?}"));
        self.printer.with(|machine| machine.arm(Some(fault), at));
        let mut first = self.sell("tender_cash");
        self.until_struck(&first);
        if self.chance.below(8) == 0 {
            self.tell("the register dies and starts again");
            self.dies();
            self.start();
        }
        // The next customer does not wait for the first one's paper.
        let mut second = self.sell("tender_credit");
        if self.chance.below(4) == 0 {
            self.answer_questions(&mut [&mut first, &mut second]);
        }
        self.tell("mended");
        self.printer.with(Machine::mend);
        self.all_end(&mut [&mut first, &mut second]);
        self.judge(Some(fault), &[&first, &second]);
    }

    /// Sells, and must be answered whatever the printer does.
    fn sell(&mut self, tender: &str) -> Sold {
        self.amount += 1;
        let total = self.amount;
        self.does(&format!("department 2 {total}"));
        let closed = self.does(tender);
        let number = closed.answer.receipt.expect("a receipt").to_string();
        self.tell(format_args!("sold {number} for {total}"));
        Sold { number, total, told: BTreeMap::new(), copies: 0 }
    }

    #[track_caller]
    fn does(&mut self, line: &str) -> Outcome {
        self.engine().stamp_spool();
        let outcome = self.engine().perform(line).expect("a command");
        assert_eq!(outcome.refusal, None, "{line}");
        outcome
    }

    /// Waits for the fault; one that lies behind the last byte strikes while nothing is sent.
    fn until_struck(&mut self, sold: &Sold) {
        let begun = Instant::now();
        while !self.printer.with(|machine| machine.has_struck()) {
            self.hears();
            if self.engine().spool.waiting() == 0 {
                return self.printer.strike();
            }
            assert!(begun.elapsed() < LONG, "{} neither printed nor struck", sold.number);
        }
    }

    /// Takes the printer's news, waiting a moment for the first.
    fn hears(&mut self) {
        let _ = self.woken.recv_timeout(Duration::from_millis(5)); // Silence is told by the clock.
        let news = self.engine().spool.news();
        for one in news {
            if !matches!(one, SpoolNews::Drawer { .. }) {
                self.tell(format_args!("heard {one:?}"));
            }
        }
    }

    /// Waits until every paper has come to an end, asking staff where nobody else knows.
    fn all_end(&mut self, sold: &mut [&mut Sold]) {
        let begun = Instant::now();
        while self.engine().spool.waiting() > 0 {
            self.hears();
            let spool = &self.engine().spool;
            if spool.uncertain().count() == spool.waiting() {
                self.answer_questions(sold);
            }
            if begun.elapsed() > LONG {
                let trouble = self.engine().spool.trouble().copied();
                let machine = self.printer.with(|machine| format!("{machine:?}"));
                panic!("papers wait for ever: {trouble:?} {machine}");
            }
        }
        self.settle();
        if self.word == Word::None {
            self.until_quiet();
        }
    }

    /// A printer that says nothing is done when nothing moves any more.
    fn until_quiet(&self) {
        let mut still = 0;
        while still < 4 {
            let before = self.printer.with(|machine| machine.taken());
            std::thread::sleep(Duration::from_millis(10));
            let same = self.printer.with(|machine| machine.taken()) == before;
            still = if same && self.printer.is_quiet() { still + 1 } else { 0 };
        }
    }

    fn settle(&mut self) {
        self.engine().stamp_spool();
        self.engine().settle();
    }

    /// Staff look at the paper, or take the marked copy without looking.
    fn answer_questions(&mut self, sold: &mut [&mut Sold]) {
        let jobs: Vec<String> = self.engine().spool.uncertain().map(str::to_owned).collect();
        for job in jobs {
            let of = sold.iter_mut().find(|sold| job.contains(&sold.number));
            let of = of.unwrap_or_else(|| panic!("a question of an earlier sale: {job}"));
            let looks = self.chance.below(2) == 0;
            let end = match looks && self.came_out(&job, of) {
                true => PrintEnd::Printed,
                false => PrintEnd::Lost,
            };
            let word = if end == PrintEnd::Printed { "printed" } else { "lost" };
            self.tell(format_args!("staff say: {job} {word}"));
            self.does(&format!("print_outcome {job} {word}"));
            of.told.insert(job, end);
            if end == PrintEnd::Lost {
                of.copies += 1;
                self.does(&format!("reprint {}", of.number));
            }
        }
    }

    /// Whether the job's paper lies there, whole.
    fn came_out(&self, job: &str, sold: &Sold) -> bool {
        let copy = paper::copy_of_job(job);
        self.slips().iter().any(|slip| slip.is(&sold.number, copy) && slip.whole)
    }

    fn slips(&self) -> Vec<Slip> {
        paper::read(&self.printer.with(|machine| machine.pieces.clone()))
    }

    /// Holds paper and journal against what may be.
    fn judge(&mut self, fault: Option<Fault>, sold: &[&Sold]) {
        let slips = self.slips();
        let entries: Result<Vec<_>, _> =
            self.engine().shop.entries().expect("the journal").collect();
        let entries = entries.expect("the journal reads");
        let kinds: Vec<&Kind> = entries.iter().map(|(entry, _)| &entry.kind).collect();
        for sold in sold {
            let context = format!("{fault:?} {:?} {sold:?}: {slips:#?}", self.word);
            self.judge_papers(&slips, sold, &context);
            self.judge_entries(&kinds, &slips, sold, &context);
        }
        let (pulses, unknown) =
            self.printer.with(|machine| (machine.pulses, machine.unknown.clone()));
        assert!(pulses <= 1, "the drawer opened {pulses} times: {fault:?}");
        match fault {
            // Half a command that begins in a dead line is noise to the printer that wakes in it.
            Some(Fault::PowerCutUnseen) => {}
            // A question's first half went into a torn command, and made it one that no printer knows;
            // its end stands alone: printers pass over both.
            Some(Fault::LineDrops) => {
                let passed_over =
                    |command: &Vec<u8>| matches!(command[..], [1 | 2 | 4] | [0x1B..=0x1D, 0x10]);
                assert!(unknown.iter().all(passed_over), "{unknown:02x?}");
            }
            _ => assert!(unknown.is_empty(), "{fault:?}: {unknown:02x?}"),
        }
    }

    fn judge_papers(&self, slips: &[Slip], sold: &Sold, context: &str) {
        // What a printer does by itself is nothing the register sent.
        let of_register = || slips.iter().filter(|slip| !slip.doubled);
        for copy in 0..=sold.copies {
            let count = of_register().filter(|slip| slip.is(&sold.number, copy)).count();
            assert!(count <= 1, "copy {copy} of {} came out {count} times: {context}", sold.number);
        }
        let more = of_register().filter(|slip| slip.number == sold.number);
        let most = more.map(|slip| slip.copy).max().unwrap_or(0);
        assert!(most <= sold.copies, "a copy that nobody asked for: {context}");
        if self.word == Word::Named {
            let whole = slips.iter().any(|slip| slip.is_whole_of(&sold.number, sold.total));
            assert!(whole, "no receipt of {} came out: {context}", sold.number);
        }
    }

    fn judge_entries(&self, kinds: &[&Kind], slips: &[Slip], sold: &Sold, context: &str) {
        let mut copies = 0;
        for kind in kinds {
            if let Kind::Reprinted { receipt, copy } = kind
                && receipt.to_string() == sold.number
            {
                copies += 1;
                assert_eq!(*copy, copies, "copies are counted: {context}");
            }
        }
        assert_eq!(copies, sold.copies, "every copy is an entry: {context}");
        for copy in 0..=sold.copies {
            let name = paper::job_name(&sold.number, copy);
            let ends: Vec<PrintEnd> = kinds
                .iter()
                .filter_map(|kind| match kind {
                    Kind::PrintEnded { job, end } if *job == name => Some(*end),
                    _ => None,
                })
                .collect();
            let [end] = ends[..] else { panic!("{name} ended {ends:?}: {context}") };
            match sold.told.get(&name) {
                Some(told) => assert_eq!(end, *told, "{name}: {context}"),
                None if self.word == Word::Named => {
                    let there = slips.iter().any(|slip| slip.is(&sold.number, copy) && slip.whole);
                    assert_eq!(end == PrintEnd::Printed, there, "{name}: {context}");
                }
                None => {}
            }
        }
    }
}

fn options(folder: &TempDir, seed: u64) -> Options {
    Options {
        dir: folder.path().join("shop"),
        lane: None,
        language: Some(Language::Japanese),
        time: Time::given(AT).expect("a moment"),
        chance: Ids::Seeded(seed),
        printer: None,
        patience: PATIENCE,
    }
}
