//! The print spool: papers become jobs, jobs come to an end, and every end becomes an entry.
//!
//! Room: app. May touch: the printer's thread handle.
//! Invariant: at most `MOST_WAITING` papers wait; a job is sent once, and ends once.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};

use super::drawer_watch::{DrawerAlarm, DrawerWatch};
use super::lane_config::{LaneConfig, PrinterConfig};
use super::printers::{Named, Place, Printers};
use crate::devices::printer::dialogue::Patience;
use crate::devices::printer::{self, Address, Job, JobKind, PrinterEvent, Trouble};
use crate::devices::profile::{Profile, Profiles};
use crate::devices::raster::{Bitmap, LogoError};
use crate::devices::render::{Pulse, drawer_pulse};
use crate::devices::text_render::render_text;
use crate::domain::document::Document;
use crate::domain::entry::{Draft, Kind, PrintEnd};
use crate::domain::misread::misread;
use crate::domain::refusal::Refusal;
use crate::store::cart_log::CartLog;

/// Papers that may wait for a printer; past it they are refused in words and can be reprinted.
pub const MOST_WAITING: usize = 50;
/// Ends of jobs written with one act: it stays a write of a few KB.
const ENDS_AT_ONCE: usize = 16;
/// Jobs of papers are numbered by their entry; numbers from here on are of no entry.
const FIRST_LOOSE: u64 = 1 << 48;
/// Rows of paper the `screen:` printer keeps.
const PANE_ROWS: usize = 400;

/// A job that was handed to the printer and has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    id: u64,
    name: String,
    /// Something of it may be on paper.
    begun: bool,
    /// Nobody knows whether it was printed: staff must say.
    uncertain: bool,
    place: Place,
    /// Kept until it begins: another printer may have to print it.
    document: Option<Document>,
    /// It was asked back, to be printed elsewhere.
    moving: bool,
}

/// How a job came to its end; it waits to be written with the next act.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ended {
    kind: Kind,
    /// Its note in `cart.log`, which stands until this end is in the journal: a cut in between must
    /// not print the paper a second time.
    noted: Option<u64>,
}

/// What the counter should know of the printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpoolNews {
    Ready,
    Trouble(Trouble),
    /// The second printer could not print, should it have to.
    SecondTrouble(Trouble),
    /// A job whose fate staff must tell with `print_outcome JOB printed|lost`.
    Uncertain {
        job: String,
    },
    Printed {
        job: String,
    },
    NotSent {
        job: String,
    },
    Drawer {
        open: bool,
    },
    Alarm(DrawerAlarm),
    /// Papers come from the second printer now.
    Moved,
    /// They come from the first again.
    Back,
}

pub struct Spool {
    printers: Printers,
    /// Papers come from the second printer.
    moved: bool,
    said: Vec<SpoolNews>,
    events: Receiver<(Place, PrinterEvent)>,
    /// Papers of the act just answered; none outlives the next frame.
    queued: VecDeque<(String, Document, u64)>,
    waiting: VecDeque<Waiting>,
    ended: Vec<Ended>,
    /// Numbers for what follows from no entry: pulses and test pages.
    next_loose: u64,
    pane: Option<VecDeque<String>>,
    pane_papers: u64,
    has_drawer: bool,
    drawer: DrawerWatch,
    /// The pulse that was last ordered.
    pulse: Option<u64>,
    /// Business date and staff that job ends are written under.
    stamp: (i32, u32),
    notes: CartLog,
}

/// A printer that cannot be used as written in `shop.toml`.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("{0}")]
    Address(#[from] printer::AddressError),
    #[error("profile {0}")]
    Profile(String),
    #[error("{0}")]
    Start(#[from] std::io::Error),
    #[error("logo.pbm: {0}")]
    Logo(#[from] LogoError),
}

impl SpoolError {
    /// Whether a setting or a file is at fault, and no device.
    pub const fn is_misread(&self) -> bool {
        !matches!(self, Self::Start(_))
    }

    /// What to say to whoever set the printer up.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Address(error) => error.refusal(),
            Self::Profile(name) => misread("printer.no_profile").with("name", name),
            Self::Start(error) => misread("printer.no_start").with("reason", error),
            Self::Logo(error) => misread(match error {
                LogoError::Format => "printer.logo_format",
                LogoError::Size => "printer.logo_size",
                LogoError::Truncated => "printer.logo_truncated",
            }),
        }
    }
}

/// `logo.pbm` of the shop folder; none without the file.
///
/// # Errors
/// A file that cannot be read, or is no picture for a receipt.
pub fn logo(shop: &Path) -> Result<Option<Bitmap>, SpoolError> {
    match std::fs::read(shop.join("logo.pbm")) {
        Ok(file) => Ok(Some(Bitmap::from_pbm(&file)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Noted before the first byte leaves, so that a cut leaves "not sent" apart from "perhaps"; for what
/// comes out on paper, so that a power cut does, too. A kept file is only written over by its like.
pub(super) fn note_begun(notes: &CartLog, job: u64, on_paper: bool) {
    // A disk that refuses the note holds up no receipt; only a cut right now would print it again.
    if notes.print_begun(job).is_ok() && on_paper {
        let _ = notes.sync();
    }
}

impl Spool {
    /// Starts the printer of a lane. `woken` is called for each event, on the printer's thread.
    ///
    /// # Errors
    /// An address or a profile that is none.
    pub fn start(
        config: &LaneConfig,
        profiles: &Profiles,
        shop: &Path,
        notes: CartLog,
        patience: Patience,
        woken: &Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Self, SpoolError> {
        let PrinterConfig { address, profile, fallback } = &config.printer;
        let main = Named::find(address, profile, profiles, shop)?;
        let pane = matches!(main.address(), Address::Screen).then(VecDeque::new);
        let (tell, events) = unbounded(); // Bounded by the jobs that cause them.
        let ear = |place, named: &Named<'_>| {
            let (noted, tell, woken) = (notes.clone(), tell.clone(), Arc::clone(woken));
            let on_paper = named.is_on_paper();
            move |event| {
                if let PrinterEvent::FirstByte { job } = &event
                    && *job < FIRST_LOOSE
                {
                    note_begun(&noted, *job, on_paper);
                }
                if tell.send((place, event)).is_ok() {
                    woken();
                }
            }
        };
        let told = ear(Place::Main, &main);
        let main = main.start(patience, told)?;
        let second = fallback.as_ref().map(|second| {
            let second = Named::find(&second.address, &second.profile, profiles, shop)?;
            let told = ear(Place::Second, &second);
            second.start(patience, told)
        });
        Ok(Self {
            printers: Printers::new(main, second.transpose()?, logo(shop)?),
            moved: false,
            said: Vec::new(),
            events,
            queued: VecDeque::new(),
            waiting: VecDeque::new(),
            ended: Vec::new(),
            next_loose: FIRST_LOOSE,
            pane,
            pane_papers: 0,
            has_drawer: config.drawer,
            drawer: DrawerWatch::new(config.drawer_sensor, config.drawer_open_seconds),
            pulse: None,
            stamp: (0, 0),
            notes,
        })
    }

    /// Keeps an eye on paper and drawer while nothing is printed, where the printer answers.
    pub fn watch(&self) {
        self.printers.watch();
    }

    /// Returns how long until the drawer has stood open for too long, if it stands open.
    pub fn next_drawer(&self) -> Option<Duration> {
        self.drawer.left(Instant::now())
    }

    /// Returns whether the drawer has stood open for too long: told once an opening.
    pub fn drawer_left_open(&mut self) -> Option<DrawerAlarm> {
        self.drawer.tick(Instant::now())
    }

    /// Whether the drawer's sensor says open; `None` where it is not read.
    pub fn drawer_open(&self) -> Option<bool> {
        self.drawer.is_open()
    }

    /// Ends the printer's thread and waits for it: what has not begun stays unsent, and the shop may be
    /// opened again.
    pub fn stop(&mut self) {
        self.printers.stop();
    }

    /// What ails the printer.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.printers.trouble()
    }

    /// Says under which day and staff the next job ends are written.
    pub fn stamp(&mut self, business_date: i32, staff: u32) {
        self.stamp = (business_date, staff);
    }

    /// The paper as text, as screens and the electronic journal show it.
    pub fn text_of(&self, document: &Document) -> String {
        render_text(document, self.columns())
    }

    /// What the printer can do.
    pub fn profile(&self) -> &Profile {
        self.printers.profile()
    }

    /// Columns of the printer's paper.
    pub fn columns(&self) -> usize {
        usize::from(self.printers.profile().columns.get())
    }

    pub fn pane(&self) -> Vec<String> {
        self.pane.iter().flatten().cloned().collect()
    }

    /// How many papers the pane has been given: it changes with each.
    pub fn pane_papers(&self) -> u64 {
        self.pane_papers
    }

    /// Prints a paper that follows from no entry.
    pub fn print_loose(&mut self, name: &str, document: &Document) {
        let id = self.loose();
        self.print(name, document, id);
    }

    fn loose(&mut self) -> u64 {
        self.next_loose += 1;
        self.next_loose
    }

    /// A paper that was begun before the last run was cut off: staff must look and say.
    pub fn perhaps_printed(&mut self, name: &str, document: Option<&Document>, seq: u64) {
        if let Some(document) = document {
            self.printers.begun_before(document);
        }
        let name = name.to_owned();
        let place = Place::Main;
        self.waiting.push_back(Waiting {
            id: seq,
            name,
            begun: true,
            uncertain: true,
            place,
            document: None,
            moving: false,
        });
    }

    /// A paper that will not be printed by itself any more.
    pub fn lost(&mut self, name: &str) {
        self.ended_as(name.to_owned(), PrintEnd::Lost, None);
    }

    /// Puts the paper of the entry `seq` in line: the answer is on the screen before anything is done
    /// for it.
    pub fn queue(&mut self, name: &str, document: &Document, seq: u64) {
        self.queued.push_back((name.to_owned(), document.clone(), seq));
    }

    /// Prints the papers in line.
    pub fn send_queued(&mut self) {
        while let Some((name, document, seq)) = self.queued.pop_front() {
            self.print(&name, &document, seq);
        }
    }

    /// Prints the paper of the entry `seq`.
    pub fn print(&mut self, name: &str, document: &Document, seq: u64) {
        if self.pane.is_some() {
            let text = self.text_of(document);
            let pane = self.pane.get_or_insert_default();
            pane.extend(text.lines().map(str::to_owned));
            pane.push_back(String::new());
            self.pane_papers += 1;
            while pane.len() > PANE_ROWS {
                pane.pop_front();
            }
        }
        let place = self.place();
        if self.waiting.len() < MOST_WAITING && self.printers.send(place, name, document, seq) {
            self.waiting.push_back(Waiting {
                id: seq,
                name: name.to_owned(),
                begun: false,
                uncertain: false,
                place,
                document: Some(document.clone()),
                moving: false,
            });
        } else if seq < FIRST_LOOSE {
            self.ended_as(name.to_owned(), PrintEnd::Lost, None);
        }
    }

    /// Where the next paper comes from; staff hear when that changes.
    fn place(&mut self) -> Place {
        let place = self.printers.place();
        if self.moved != (place == Place::Second) {
            self.moved = !self.moved;
            self.said.push(if self.moved { SpoolNews::Moved } else { SpoolNews::Back });
        }
        place
    }

    pub fn open_drawer(&mut self) {
        let pulse = drawer_pulse(self.printers.profile()).filter(|_| self.has_drawer);
        let Some(Pulse { bytes, real_time }) = pulse else { return };
        let id = self.loose();
        self.pulse = Some(id);
        // A pulse that cannot be sent is not kept: it would surprise.
        let kind = JobKind::Drawer { real_time };
        let job = Job { id, name: "drawer".to_owned(), bytes, kind };
        let _ = self.printers.handle(Place::Main).map(|handle| handle.submit(job));
    }

    /// Takes the printer's events and says what the counter should know.
    pub fn news(&mut self) -> Vec<SpoolNews> {
        let events: Vec<(Place, PrinterEvent)> = self.events.try_iter().collect();
        let heard = events.into_iter().filter_map(|(place, event)| self.heard(place, event));
        let mut news: Vec<SpoolNews> = heard.collect();
        news.append(&mut self.said);
        news
    }

    fn heard(&mut self, place: Place, event: PrinterEvent) -> Option<SpoolNews> {
        match event {
            PrinterEvent::Ready => {
                self.printers.is(place, None);
                (place == Place::Main).then(|| {
                    self.place();
                    SpoolNews::Ready
                })
            }
            PrinterEvent::Trouble(trouble) => {
                self.printers.is(place, Some(trouble));
                if place == Place::Second {
                    return Some(SpoolNews::SecondTrouble(trouble));
                }
                self.ask_back();
                Some(SpoolNews::Trouble(trouble))
            }
            PrinterEvent::NotSent { job, .. } if self.was_asked_back(job) => {
                self.send_elsewhere(job)
            }
            PrinterEvent::FirstByte { job } if self.pulse == Some(job) => {
                self.drawer.ordered(Instant::now());
                None
            }
            PrinterEvent::FirstByte { job } => {
                self.waiting.iter_mut().filter(|waiting| waiting.id == job).for_each(|waiting| {
                    (waiting.begun, waiting.moving) = (true, false);
                    waiting.document = None;
                });
                None
            }
            PrinterEvent::Done { job, .. } => {
                let job = self.end(job, PrintEnd::Printed)?;
                Some(SpoolNews::Printed { job })
            }
            PrinterEvent::NotSent { job, .. } => {
                let job = self.end(job, PrintEnd::Lost)?;
                Some(SpoolNews::NotSent { job })
            }
            PrinterEvent::Uncertain { job, .. } => {
                let waiting = self.waiting.iter_mut().find(|waiting| waiting.id == job)?;
                waiting.uncertain = true;
                Some(SpoolNews::Uncertain { job: waiting.name.clone() })
            }
            PrinterEvent::Saved { .. } => None,
            PrinterEvent::DrawerSensor { open } => match self.drawer.seen(open, Instant::now()) {
                Some(alarm) => {
                    self.ended.push(Ended { kind: Kind::DrawerOpenedUnasked, noted: None });
                    Some(SpoolNews::Alarm(alarm))
                }
                None => Some(SpoolNews::Drawer { open }),
            },
        }
    }

    /// Papers that wait for a printer in trouble come from the other, where it is well. One that has
    /// begun stays where it is: it may come out yet.
    fn ask_back(&mut self) {
        if self.place() != Place::Second {
            return;
        }
        let Some(handle) = self.printers.handle(Place::Main) else { return };
        let unbegun = |waiting: &&mut Waiting| {
            waiting.place == Place::Main && !waiting.begun && !waiting.moving
        };
        for waiting in self.waiting.iter_mut().filter(unbegun) {
            waiting.moving = true;
            handle.withdraw(waiting.id);
        }
    }

    fn was_asked_back(&self, job: u64) -> bool {
        self.waiting.iter().any(|waiting| waiting.id == job && waiting.moving)
    }

    /// Nothing of the job has left the first printer: the second prints it.
    fn send_elsewhere(&mut self, job: u64) -> Option<SpoolNews> {
        let at = self.waiting.iter().position(|waiting| waiting.id == job)?;
        let (name, document) = (self.waiting[at].name.clone(), self.waiting[at].document.clone()?);
        if !self.printers.send(Place::Second, &name, &document, job) {
            let job = self.end(job, PrintEnd::Lost)?;
            return Some(SpoolNews::NotSent { job });
        }
        (self.waiting[at].place, self.waiting[at].moving) = (Place::Second, false);
        None
    }

    fn end(&mut self, id: u64, end: PrintEnd) -> Option<String> {
        let place = self.waiting.iter().position(|waiting| waiting.id == id)?;
        let job = self.waiting.remove(place)?.name;
        if id >= FIRST_LOOSE {
            return Some(job);
        }
        self.ended_as(job.clone(), end, Some(id));
        Some(job)
    }

    /// Takes the end of a job to be written with the next act; `noted` is its note's number.
    pub(super) fn ended_as(&mut self, job: String, end: PrintEnd, noted: Option<u64>) {
        self.ended.push(Ended { kind: Kind::PrintEnded { job, end }, noted });
    }

    /// Staff said what became of a job.
    pub fn told(&mut self, job: &str, end: PrintEnd) {
        let known = self.waiting.iter().find(|waiting| waiting.name == job);
        match known.map(|job| (job.id, job.place)) {
            Some((id, place)) => {
                if let Some(handle) = self.printers.handle(place) {
                    handle.withdraw(id);
                }
                self.end(id, end);
            }
            None => self.ended_as(job.to_owned(), end, None),
        }
    }

    /// Jobs whose fate staff must tell.
    pub fn uncertain(&self) -> impl Iterator<Item = &str> {
        self.waiting.iter().filter(|waiting| waiting.uncertain).map(|waiting| waiting.name.as_str())
    }

    pub fn waiting(&self) -> usize {
        self.queued.len() + self.waiting.len()
    }

    /// Ends that wait to be written with the next act, some of them when there are many; they wait
    /// until `ends_written`.
    pub fn ends(&self) -> Vec<Draft> {
        let (business_date, staff) = self.stamp;
        let draft = |kind| Draft { business_date, staff, training: false, kind };
        let first = self.ended.iter().take(ENDS_AT_ONCE);
        first.map(|ended| draft(ended.kind.clone())).collect()
    }

    /// The first `count` of `ends` are in the journal: nobody need be asked after the next cut.
    pub fn ends_written(&mut self, count: usize) {
        for ended in self.ended.drain(..count) {
            if let Some(id) = ended.noted {
                // A note that cannot be written costs at most a question.
                let _ = self.notes.print_ended(id);
            }
        }
    }

    /// Waits until no paper waits, or nothing moved for `patience`.
    pub fn drain(&mut self, patience: Duration) {
        self.send_queued();
        while self.waiting.iter().any(|waiting| !waiting.uncertain) {
            match self.events.recv_timeout(patience) {
                Ok((place, event)) => {
                    self.heard(place, event);
                }
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::files::plain::PlainFiles;

    fn notes(shop: &Path) -> (CartLog, BTreeSet<u64>) {
        let (log, found) = CartLog::open(Arc::new(PlainFiles), &shop.join("cart.log")).unwrap();
        (log, found.printing)
    }

    fn quiet() -> Arc<dyn Fn() + Send + Sync> {
        Arc::new(|| {})
    }

    fn spool(shop: &Path) -> Spool {
        let profiles = Profiles::load(&[]).unwrap();
        let (config, patience) = (LaneConfig::default(), Patience::default());
        Spool::start(&config, &profiles, shop, notes(shop).0, patience, &quiet()).unwrap()
    }

    /// Else a kill right after a receipt would print it a second time, without a mark.
    #[test]
    fn a_paper_counts_as_begun_until_its_end_is_in_the_journal() {
        let shop = tempfile::tempdir().unwrap();
        let mut spool = spool(shop.path());
        spool.print("receipt-01-000001", &Document::default(), 7);
        spool.drain(Duration::from_secs(10));
        assert_eq!((spool.waiting(), spool.ends().len()), (0, 1));
        assert_eq!(notes(shop.path()).1, BTreeSet::from([7]));
    }

    #[test]
    fn an_end_waits_until_it_is_written() {
        let shop = tempfile::tempdir().unwrap();
        let mut spool = spool(shop.path());
        spool.print("receipt-01-000001", &Document::default(), 7);
        spool.drain(Duration::from_secs(10));
        let ends = spool.ends();
        assert_eq!(spool.ends(), ends, "the disk refused: they are offered again");
        spool.ends_written(ends.len());
        assert_eq!(spool.ends(), []);
        assert_eq!(notes(shop.path()).1, BTreeSet::new());
    }
}
