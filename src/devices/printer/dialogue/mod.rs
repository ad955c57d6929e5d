//! The conversation with one printer: what to send next, what its answers prove.
//!
//! Room: devices. May touch: jobs, answers. May not: a transport or a clock (bytes and
//! milliseconds are handed in), so every fault can be tried at every byte.
//! Invariants: a job's bytes are sent at most once; a drawer is pulsed at most once and never
//! late; every job ends in exactly one of `Done`, `Uncertain` (which a late `Done` may lift) or,
//! for drawers, `NotSent`.

mod answers;
mod drawer;
mod stages;

use std::collections::VecDeque;

use super::status::{PrinterState, Trouble};
pub use super::tongue::Manner;
use super::tongue::{Ending, Parser};
use super::{Job, JobKind, PrinterEvent};
use crate::devices::profile::Status;

/// How long to wait for what, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the state before the first byte, and between two askings.
    pub answer: u64,
    /// For the printer to take another byte.
    pub stall: u64,
    /// For any sign of life while it prints.
    pub silence: u64,
    /// For the end of printing, beside the time the bytes themselves need.
    pub finish: u64,
    /// Bytes a millisecond that the slowest printing worth waiting for takes.
    pub slowest: u64,
    /// For a clean state after `GS r`, before its word is believed.
    pub settle: u64,
    /// For a drawer pulse to leave; afterwards it would surprise.
    pub drawer: u64,
    /// Between two attempts to open the link.
    pub retry: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: 400,
            stall: 2_000,
            silence: 2_000,
            finish: 15_000,
            slowest: 1,
            settle: 500,
            drawer: 3_000,
            retry: 1_000,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Idle,
    /// The printer was asked how it is, before anything is sent.
    Asking {
        asked_at: u64,
    },
    Sending {
        progress_at: u64,
    },
    /// Everything is sent; the printer has to say that it is printed.
    Finishing {
        since: u64,
        asked_at: u64,
        done_at: Option<u64>,
    },
}

/// Bytes of the longest command that is sent beside the papers: a drawer pulse.
const LONGEST_ASIDE: usize = 5;

/// The state of the conversation.
#[derive(Debug)]
pub struct Dialogue {
    manner: Manner,
    patience: Patience,
    linked: bool,
    /// Bytes that end whatever the last link left half sent; 0: nothing.
    torn: usize,
    looking: bool,
    /// The link stands though nothing is printed: paper and drawer are told at once.
    watching: bool,
    /// Milliseconds between two askings of a printer that tells nothing by itself.
    watch_every: Option<u64>,
    watch_at: Option<u64>,
    papers: VecDeque<Job>,
    drawers: VecDeque<(Job, u64)>,
    stage: Stage,
    /// The paper being sent or finished.
    current: Option<Job>,
    /// Its bytes with what proves them, and how many have left.
    out: Vec<u8>,
    sent: usize,
    /// Bytes of `out` before the job's own: they end a torn job, and begin a count.
    lead: usize,
    /// How the end of the paper under way will be known.
    ending: Ending,
    /// The count or mark that the last paper ended with, and the count the printer showed last.
    last_sign: u8,
    shown_count: Option<u8>,
    /// Askings, or one drawer pulse; sent while no paper is.
    aside: Vec<u8>,
    aside_sent: usize,
    pulsing: Option<(Job, u64)>,
    parser: Parser,
    state: PrinterState,
    unanswered: VecDeque<u8>,
    heard_at: u64,
    doubts: VecDeque<u64>,
    /// Answers to `GS r` that belong to earlier jobs, should they still come.
    owed: usize,
    /// What was last told: `None` nothing yet, `Some(None)` ready.
    told: Option<Option<Trouble>>,
    drawer_told: Option<bool>,
    events: VecDeque<PrinterEvent>,
}

impl Dialogue {
    pub fn new(manner: Manner, patience: Patience) -> Self {
        Self {
            manner,
            patience,
            linked: false,
            torn: LONGEST_ASIDE, // Nobody knows what a run before this one left.
            looking: false,
            watching: false,
            watch_every: None,
            watch_at: None,
            papers: VecDeque::new(),
            drawers: VecDeque::new(),
            stage: Stage::Idle,
            current: None,
            out: Vec::new(),
            sent: 0,
            lead: 0,
            ending: Ending::Untold,
            last_sign: 0,
            shown_count: None,
            aside: Vec::new(),
            aside_sent: 0,
            pulsing: None,
            parser: Parser::new(manner.status),
            state: PrinterState::default(),
            unanswered: VecDeque::new(),
            heard_at: 0,
            doubts: VecDeque::new(),
            owed: 0,
            told: None,
            drawer_told: None,
            events: VecDeque::new(),
        }
    }

    /// Takes a job; it waits its turn. The bound is kept by whoever submits, by `waiting`.
    pub fn submit(&mut self, job: Job, now: u64) {
        match job.kind {
            JobKind::Paper => self.papers.push_back(job),
            JobKind::Drawer { .. } => self.drawers.push_back((job, now)),
        }
        self.advance(now);
    }

    /// Asks the printer how it is, though nothing is to be printed: staff look at the devices.
    pub fn look(&mut self, now: u64) {
        self.looking = true;
        self.told = None;
        self.advance(now);
    }

    /// Keeps the link and hears the state while nothing is printed: at once from a printer that tells
    /// by itself, `every` so many milliseconds from one that must be asked.
    pub fn watch(&mut self, every: Option<u64>, now: u64) {
        if self.answers() {
            self.watching = true;
            self.watch_every = every;
            self.watch_at = Some(now);
            self.advance(now);
        }
    }

    /// The link stands.
    pub fn opened(&mut self, now: u64) {
        self.linked = true;
        self.heard_at = now;
        self.watch_at = self.watching.then_some(now);
        if !self.answers() {
            self.tell(None);
        }
        self.advance(now);
    }

    /// The link broke, or could not be opened.
    pub fn lost(&mut self, why: Trouble, now: u64) {
        self.linked = false;
        self.looking = false;
        self.forget_answers();
        self.tell(Some(why));
        self.note_torn();
        self.drop_aside();
        self.drop_paper();
        self.stage = Stage::Idle;
        self.expire_drawers(now);
    }

    /// What the system has taken may be lost on the way, to the last byte; a paper that nobody
    /// confirms may be, though it has ended.
    fn note_torn(&mut self) {
        let unconfirmed = self.current.is_some() || !self.answers();
        let longest = if unconfirmed && self.sent > self.lead { self.out.len() } else { 0 };
        self.torn = self.torn.max(longest.clamp(LONGEST_ASIDE, self.manner.longest_picture()));
    }

    /// A paper of this many bytes was begun in a run that was cut off.
    pub fn begun_before(&mut self, bytes: usize) {
        self.torn = self.torn.max(bytes.min(self.manner.longest_picture()));
    }

    /// The link ended while nothing was to be done: network printers hang up on idle callers.
    pub fn hung_up(&mut self, now: u64) {
        if self.is_idle() {
            self.note_torn();
            self.linked = false;
            self.forget_answers();
        } else {
            self.lost(Trouble::Absent, now);
        }
    }

    /// Takes a paper back that has not begun.
    pub fn withdraw(&mut self, job: u64, now: u64) {
        if let Some(at) = self.papers.iter().position(|paper| paper.id == job) {
            self.papers.remove(at);
            let trouble = self.told.flatten().unwrap_or(Trouble::Offline);
            self.events.push_back(PrinterEvent::NotSent { job, trouble });
        }
        self.advance(now);
    }

    /// Takes bytes that the printer sent.
    pub fn heard(&mut self, bytes: &[u8], now: u64) {
        for &byte in bytes {
            if let Some(answer) = self.parser.push(byte) {
                self.heard_at = now;
                self.take(answer, now);
            }
        }
        self.tell_drawer();
        self.advance(now);
    }

    /// Returns what is to be sent now.
    pub fn to_write(&self) -> &[u8] {
        match self.stage {
            Stage::Sending { .. } => &self.out[self.sent..],
            _ => &self.aside[self.aside_sent..],
        }
    }

    /// The first `count` bytes of `to_write` have left.
    pub fn wrote(&mut self, count: usize, now: u64) {
        match &mut self.stage {
            Stage::Sending { progress_at } => {
                *progress_at = now;
                self.sent += count;
            }
            _ => self.aside_sent += count,
        }
        if self.told == Some(Some(Trouble::Stalled)) {
            self.tell(self.state.trouble());
        }
        self.advance(now);
    }

    /// Time has passed.
    pub fn tick(&mut self, now: u64) {
        self.advance(now);
    }

    /// Returns how many jobs have neither ended nor been given up.
    pub fn waiting(&self) -> usize {
        let under_way = usize::from(self.current.is_some()) + usize::from(self.pulsing.is_some());
        self.papers.len() + self.drawers.len() + under_way
    }

    /// Returns whether an open link is needed.
    pub fn wants_link(&self) -> bool {
        self.looking || self.watching || !self.is_idle()
    }

    /// Returns when `tick` is needed at the latest, in milliseconds; `None`: never.
    pub fn deadline(&self) -> Option<u64> {
        let drawer = self.drawers.front().map(|(_, since)| since + self.patience.drawer);
        let pulse = self.pulsing.as_ref().filter(|_| self.aside_sent == 0);
        let pulse = pulse.map(|(_, since)| since + self.patience.drawer);
        let stage = match self.stage {
            _ if !self.linked => None,
            Stage::Idle => self.watch_at,
            Stage::Asking { asked_at } => self.ask_deadline(asked_at),
            Stage::Sending { progress_at } => self.stall_deadline(progress_at),
            Stage::Finishing { since, asked_at, done_at } => [
                self.ask_deadline(asked_at),
                Some(since + self.finish_time()),
                done_at.map(|at| at + self.patience.settle),
            ]
            .into_iter()
            .flatten()
            .min(),
        };
        [drawer, pulse, stage].into_iter().flatten().min()
    }

    fn ask_deadline(&self, asked_at: u64) -> Option<u64> {
        if self.aside_left() {
            return self.stall_deadline(asked_at);
        }
        match (self.manner.answers_at_once(), self.unanswered.is_empty()) {
            (true, _) => Some(asked_at + self.patience.answer),
            // What it obeys in turn would pile up before it; once it has answered, it tells by itself.
            (false, false) => Some(asked_at + self.patience.silence),
            (false, true) => None,
        }
    }

    /// Once told, a stall needs no further waking: it ends when the printer takes a byte.
    fn stall_deadline(&self, since: u64) -> Option<u64> {
        let told = self.told == Some(Some(Trouble::Stalled));
        (!told).then_some(since + self.patience.stall)
    }

    /// Returns the next thing to tell. Events are told before bytes are written.
    pub fn next_event(&mut self) -> Option<PrinterEvent> {
        self.events.pop_front()
    }

    fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
            && self.papers.is_empty()
            && self.drawers.is_empty()
            && self.pulsing.is_none()
    }

    fn answers(&self) -> bool {
        self.manner.status != Status::None
    }

    fn aside_left(&self) -> bool {
        self.aside_sent < self.aside.len()
    }

    fn tell(&mut self, trouble: Option<Trouble>) {
        if self.told != Some(trouble) {
            self.told = Some(trouble);
            self.events.push_back(trouble.map_or(PrinterEvent::Ready, PrinterEvent::Trouble));
        }
    }
}
