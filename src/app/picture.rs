//! What the screens are shown: the register's views, worded and kept between two frames.
//!
//! Room: app. May touch: engine (read only), words. May not: terminal.

use std::collections::{BTreeSet, HashMap};

use super::books::Placed;
use super::clock::Jump;
use super::disk_room::DiskRoom;
use super::engine::{Engine, Outcome};
use super::kitchen::KitchenNews;
use super::spool::Spool;
use crate::devices::printer::Trouble;
use crate::devices::scanner::{Identity, Layout, Reject, ScannerEvent, TestVerdict};
use crate::domain::entry::Kind;
use crate::domain::kana;
use crate::domain::member::Sealed;
use crate::domain::number::DocNo;
use crate::domain::quantity::Quantity;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::register::{DayView, SaleView, StaffView, StoredSale, SuspendedView};
use crate::domain::text;
use crate::domain::words::Words;
use crate::screens::{Choice, Choices, Health, LastSale, Message, Model};

/// Faces of the notes and coins in use, largest first (`japan.md` 1.10).
const DENOMINATIONS: [i64; 10] = [10_000, 5_000, 2_000, 1_000, 500, 100, 50, 10, 5, 1];

/// The three numbers that are said aloud.
fn last_sale(receipt: Option<DocNo>, closed: &SaleView) -> LastSale {
    LastSale {
        receipt: receipt.map(|number| number.to_string()).unwrap_or_default(),
        total: closed.total,
        received: closed.tenders.iter().map(|tender| tender.amount).sum(),
        change: closed.change,
    }
}

/// A copy of what may be drawn.
#[derive(Default)]
pub struct Picture {
    choices: Choices,
    shop: String,
    lane: u8,
    clock: String,
    /// The minute the clock shows, in minutes of UTC.
    minute: i64,
    staff: Option<StaffView>,
    locked: bool,
    training: bool,
    open_return: bool,
    sale: Option<SaleView>,
    selected: Option<u32>,
    pending: Option<Quantity>,
    needs: Vec<&'static str>,
    price_of: String,
    member_name: String,
    named_member: String,
    last: Option<LastSale>,
    suspended: Vec<SuspendedView>,
    day: Option<DayView>,
    printer: Health,
    scanner: Health,
    /// Scanners that were there and are gone.
    lost_scanners: BTreeSet<String>,
    copy: Health,
    disk: Health,
    message: Option<Message>,
    paper: Vec<String>,
    /// How many papers had been shown on the pane.
    papers: u64,
    /// How goods are read, by their code, where the terminal draws no kanji.
    readings: Option<HashMap<String, String>>,
}

impl Picture {
    /// Before there is a shop: the lane it will have.
    pub fn of_no_shop(lane: u8) -> Self {
        Self { lane, ..Self::default() }
    }

    /// Takes over what goes on beside the register: clock, printer, copy.
    pub fn look_around(&mut self, engine: &Engine) {
        let minute = engine.time.utc_ms().div_euclid(60_000);
        if self.minute != minute {
            self.minute = minute;
            let now = engine.now();
            let (hour, minute) = now.clock_time();
            self.clock = format!("{} {hour:02}:{minute:02}", now.day().format("%m-%d"));
            self.look_at_disk(engine);
        }
        self.look_at_printer(&engine.spool);
        self.copy = engine.shop.copy_lag().map_or_else(Health::default, |lag| Health {
            word: if lag.broken { "state.lost" } else { "state.ready" },
            behind: lag.entries,
            alert: lag.broken,
        });
    }

    /// A disk that fills up is on the screen while there is room to be made, and said when it begins.
    fn look_at_disk(&mut self, engine: &Engine) {
        let low = DiskRoom::of(&engine.dir).ok().filter(|room| room.is_low());
        let was_low = self.disk.alert;
        self.disk = low.map_or_else(Health::default, |_| Health {
            word: "state.low",
            behind: 0,
            alert: true,
        });
        if let Some(room) = low.filter(|_| !was_low) {
            self.said_aside(engine.words.fill("notice.disk_low", &[("free", &room.free_mib())]));
        }
    }

    /// Takes over everything that an act may have changed. No key changes it, so a scan of fourteen
    /// keys costs one look.
    pub fn look_at(&mut self, engine: &Engine) {
        let register = &engine.register;
        let now = engine.now();
        self.shop.clone_from(&register.settings.shop.name);
        self.lane = register.lane.lane;
        self.staff = register.staff_view();
        self.locked = register.is_locked();
        self.training = register.lane.training;
        self.open_return = register.cart.open_return;
        self.sale = register.sale_view(now.civil_date());
        self.look_at_readings(engine);
        self.selected = register.cart.selected.map(|place| place + 1);
        self.pending = register.cart.pending.map(|pending| pending.quantity);
        self.needs.clear();
        if register.cart.needs_age_check() {
            self.needs.push("age_check");
        }
        register.price_asked().unwrap_or_default().clone_into(&mut self.price_of);
        if !self.price_of.is_empty() {
            self.needs.push("price");
        }
        self.suspended = if register.lane.suspended.is_empty() {
            Vec::new()
        } else {
            register.suspended_views(now.civil_date())
        };
        self.day = register.day_view();
        self.look_at_member(engine);
        self.look_at_choices(engine);
    }

    fn look_at_member(&mut self, engine: &Engine) {
        use crate::domain::register::Lookup;
        let Some(member) = &engine.register.cart.member else {
            self.member_name.clear();
            self.named_member.clear();
            return;
        };
        if self.named_member != member.code {
            self.named_member.clone_from(&member.code);
            let found = engine.shop.reader().member(&member.code).ok().flatten();
            self.member_name = found.map(|member| member.personal.name).unwrap_or_default();
        }
    }

    /// From here on goods are shown as they are read.
    pub fn read_names(&mut self) {
        self.readings = Some(HashMap::new());
        self.choices = Choices::default(); // They were worded in kanji.
    }

    fn look_at_readings(&mut self, engine: &Engine) {
        use crate::domain::register::Lookup;
        let (Some(readings), Some(sale)) = (&mut self.readings, &mut self.sale) else { return };
        for line in sale.lines.iter_mut().filter(|line| !line.name.is_ascii()) {
            let reading = readings.entry(line.code.clone()).or_insert_with(|| {
                let found = engine.shop.reader().item(&line.code).ok().flatten();
                let kana = found.map(|found| found.item.kana).filter(|kana| !kana.is_empty());
                kana.map_or_else(|| line.name.clone(), |kana| kana::romaji(&kana))
            });
            line.name.clone_from(reading);
        }
    }

    fn look_at_choices(&mut self, engine: &Engine) {
        let settings = &engine.register.settings;
        let words = &engine.words;
        if !self.choices.denominations.is_empty()
            && self.choices.staff.len() == settings.staff.len()
        {
            return;
        }
        let choice = |value: String, label: String| Choice { value, label };
        self.choices = Choices {
            departments: settings
                .departments
                .iter()
                .map(|row| choice(row.number.to_string(), row.name.clone()))
                .collect(),
            reasons: listed(words.get("reasons")),
            void_reasons: listed(words.get("void_reasons")),
            tax_classes: settings
                .tax_classes
                .rows()
                .map(|(class, _)| class.name().to_owned())
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .map(|name| {
                    let key = format!("tax_class.{name}");
                    let label =
                        if words.has(&key) { words.get(&key).to_owned() } else { name.clone() };
                    choice(name, label)
                })
                .collect(),
            customer_kinds: listed(words.get("customer_kinds")),
            ranks: settings
                .ranks
                .iter()
                .map(|rank| choice(rank.name.clone(), rank.name.clone()))
                .collect(),
            staff: settings
                .staff
                .iter()
                .map(|staff| choice(staff.number.to_string(), staff.name.clone()))
                .collect(),
            denominations: DENOMINATIONS.to_vec(),
        };
    }

    fn look_at_printer(&mut self, spool: &Spool) {
        let trouble = spool.trouble();
        self.printer = Health {
            word: trouble.map_or("state.ready", trouble_word),
            behind: spool.waiting() as u64,
            alert: trouble.is_some() || spool.uncertain().next().is_some(),
        };
        if self.papers != spool.pane_papers() {
            self.papers = spool.pane_papers();
            self.paper = spool.pane();
        }
    }

    /// Borrows everything for one frame.
    pub fn model<'a>(&'a self, words: &'a Words) -> Model<'a> {
        Model {
            words,
            choices: &self.choices,
            shop: &self.shop,
            lane: self.lane,
            clock: &self.clock,
            staff: self.staff.as_ref(),
            locked: self.locked,
            training: self.training,
            open_return: self.open_return,
            sale: self.sale.as_ref(),
            selected: self.selected,
            pending: self.pending,
            needs: &self.needs,
            price_of: &self.price_of,
            member_name: &self.member_name,
            last: self.last.as_ref(),
            suspended: &self.suspended,
            day: self.day.as_ref(),
            printer: &self.printer,
            scanner: &self.scanner,
            copy: &self.copy,
            disk: &self.disk,
            message: self.message.as_ref(),
            paper: &self.paper,
        }
    }

    /// The sale just closed, until the next begins.
    pub fn last(&self) -> Option<&LastSale> {
        self.last.as_ref()
    }

    pub fn kitchen(&mut self, news: &KitchenNews, words: &Words) {
        let text = match news {
            KitchenNews::Trouble { place, trouble } => {
                let state = words.get(trouble_word(trouble));
                words.fill("kitchen.trouble", &[("place", place), ("state", &state)])
            }
            KitchenNews::Idle { place, trouble } => {
                let state = words.get(trouble_word(trouble));
                words.fill("kitchen.idle", &[("place", place), ("state", &state)])
            }
            KitchenNews::Again { place, receipt } => {
                words.fill("kitchen.twice", &[("place", place), ("receipt", receipt)])
            }
            KitchenNews::Untold { place, receipt } => {
                words.fill("kitchen.untold", &[("place", place), ("receipt", receipt)])
            }
        };
        self.message = Some(Message { refusal: true, text });
    }

    /// The second printer could not print, should it have to.
    pub fn second_printer(&mut self, trouble: &Trouble, words: &Words) {
        let state = words.get(trouble_word(trouble));
        let text = words.fill("printer_second", &[("state", &state)]);
        self.message = Some(Message { refusal: true, text });
    }

    /// Clears the message before the next act.
    pub fn quiet(&mut self) {
        self.message = None;
    }

    pub fn say(&mut self, key: &str, words: &Words) {
        self.said(words.get(key).to_owned());
    }

    pub fn said(&mut self, text: String) {
        self.message = Some(Message { refusal: false, text });
    }

    /// Says what can be missed: what stands there already stays.
    pub fn said_aside(&mut self, text: String) {
        self.message.get_or_insert(Message { refusal: false, text });
    }

    pub fn clock_jumped(&mut self, jump: Jump, engine: &Engine) {
        let text = jump.told(&engine.words, engine.now());
        self.message = Some(Message { refusal: true, text });
    }

    pub fn say_refusal(&mut self, key: &str, words: &Words) {
        self.message = Some(Message { refusal: true, text: words.get(key).to_owned() });
    }

    pub fn refuse(&mut self, refusal: &Refusal, words: &Words) {
        self.message = Some(Message { refusal: true, text: words.refusal(refusal) });
    }

    /// Whether nothing is being said.
    pub const fn is_quiet(&self) -> bool {
        self.message.is_none()
    }

    /// What the customer at the counter must hear after a run that was cut off: the open sale is not paid,
    /// or the one before it is, with the change that may not have been given.
    pub fn cut_off(&mut self, engine: &Engine) {
        use crate::domain::register::Lookup;
        let words = &engine.words;
        if engine.register.cart.has_sale() {
            return self.say("notice.check_last_line", words);
        }
        let lane = &engine.register.lane;
        let newest = lane.newest_receipt().filter(|_| lane.day.is_some());
        let sale = newest.and_then(|number| engine.shop.reader().sale(number).ok().flatten());
        if let Some(StoredSale { sale, .. }) = sale {
            self.last = Some(last_sale(Some(sale.number), &SaleView::closed(&sale)));
            self.said_aside(words.fill("notice.last_is_paid", &[("receipt", &sale.number)]));
        }
    }

    /// A line was carried out: keep the three numbers, say what it needs. What leaves no trace on the
    /// screen (`done.paid_in`) is said in words.
    pub fn done(&mut self, line: &str, outcome: &Outcome, engine: &Engine) {
        self.message = None;
        let name = line.split_whitespace().next().unwrap_or_default();
        let own = format!("done.{name}");
        let said = outcome.answer.said.unwrap_or(&own);
        if engine.words.has(said) {
            self.say(said, &engine.words);
        }
        self.say_erased(outcome, &engine.words);
        if let Some(closed) = &outcome.answer.closed {
            self.last = Some(last_sale(outcome.answer.receipt, closed));
        }
        if let Some(need) = outcome.answer.needs.first() {
            let refusal = match *need {
                "age_check" => Refusal::new(RefusalCode::AgeCheck),
                "coupon_minimum" => Refusal::new(RefusalCode::Coupon).saying("coupon_waits"),
                "price" => Refusal::new(RefusalCode::PriceNeeded)
                    .with("name", engine.register.price_asked().unwrap_or_default()),
                "best_before" => Refusal::new(RefusalCode::Expired).saying("best_before_passed"),
                "price_dropped" => Refusal::new(RefusalCode::PriceNeeded).saying("price_dropped"),
                "book_price" => Refusal::new(RefusalCode::PriceNeeded).saying("book_price_differs"),
                _ => Refusal::new(RefusalCode::PriceNeeded).saying("book_row_wanted"),
            };
            self.refuse(&refusal, &engine.words);
        }
    }

    /// A member was erased, perhaps after a yes: said in words, with how many backups still show them.
    fn say_erased(&mut self, outcome: &Outcome, words: &Words) {
        let erased = |placed: &Placed| match &placed.entry.kind {
            Kind::MemberSet(card) => card.personal == Sealed::Erased,
            _ => false,
        };
        match outcome.holding.len() {
            _ if !outcome.placed.iter().any(erased) => {}
            0 => self.say("done.erase_member", words),
            backups => {
                self.said(words.fill("erased.backups", &[("backups", &backups)]));
            }
        }
    }

    pub fn scanner(&mut self, event: &ScannerEvent, words: &Words) {
        match event {
            ScannerEvent::Plugged(device) => {
                self.lost_scanners.remove(&named(device));
                if self.lost_scanners.is_empty() {
                    self.scanner = Health { word: "state.ready", behind: 0, alert: false };
                }
            }
            ScannerEvent::Unplugged(device) | ScannerEvent::Busy(device) => {
                self.lost_scanners.insert(named(device));
                self.scanner = Health { word: "state.lost", behind: 0, alert: true };
                self.say_refusal("scanner_lost", words);
            }
            ScannerEvent::Nodes { readable: 0, nodes } if *nodes > 0 => {
                self.scanner = Health { word: "state.denied", behind: 0, alert: true };
            }
            _ => {}
        }
    }

    pub fn rejected_scan(&mut self, why: Reject, words: &Words) {
        let key = match why {
            Reject::NoEnd => "scan_no_end",
            Reject::Dropped => "scan_dropped",
            Reject::TooLong => "scan_too_long",
            Reject::Key | Reject::Gap => "scan_rejected",
        };
        self.say_refusal(key, words);
    }

    /// The start-of-day label was scanned: the scanner is as it was, or what to set.
    pub fn scanner_tested(&mut self, verdict: &TestVerdict, words: &Words) {
        self.message = Some(Message {
            refusal: *verdict != TestVerdict::Right,
            text: test_words(verdict, words),
        });
    }

    pub fn uncertain_print(&mut self, job: &str, words: &Words) {
        let text = words.fill("print_uncertain", &[("job", &job)]);
        self.message = Some(Message { refusal: true, text });
    }

    pub fn worker_died(&mut self, what: &str, words: &Words) {
        let text = words.fill("worker_died", &[("what", &text::cleaned(what))]);
        self.message = Some(Message { refusal: true, text });
    }
}

fn named(device: &Identity) -> String {
    let Identity { vendor, product, uniq, phys, .. } = device;
    // One that has a serial number is the same in every port.
    let place = if uniq.is_empty() { phys } else { uniq };
    format!("{vendor:04x}:{product:04x} {place}")
}

/// What a scanned test label says, in words.
pub fn test_words(verdict: &TestVerdict, words: &Words) -> String {
    match verdict {
        TestVerdict::Right => words.get("scanner_test.right").to_owned(),
        TestVerdict::Case => words.get("scanner_test.case").to_owned(),
        TestVerdict::Signs => words.get("scanner_test.signs").to_owned(),
        TestVerdict::Layout(layout) => {
            let layout = match layout {
                Layout::Us => "us",
                Layout::Jis => "jis",
            };
            words.fill("scanner_test.layout", &[("layout", &layout)])
        }
        TestVerdict::Prefix(text) => words.fill("scanner_test.prefix", &[("text", text)]),
        TestVerdict::Suffix(text) => words.fill("scanner_test.suffix", &[("text", text)]),
    }
}

/// Choices that stand for themselves, from a text of words.
fn listed(text: &str) -> Vec<Choice> {
    let choice = |word: &str| Choice { value: word.to_owned(), label: word.to_owned() };
    text.split_whitespace().map(choice).collect()
}

/// A trouble's word in the language files.
pub fn trouble_word(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::PaperOut => "state.no_paper",
        Trouble::CoverOpen => "state.cover",
        Trouble::Stalled => "state.stalled",
        _ => "state.lost",
    }
}
