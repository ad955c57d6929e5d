//! The conversation with one printer: what to send next, what its answers prove.
//!
//! Room: devices. May touch: jobs, answers. May not: a transport or a clock (bytes and
//! milliseconds are handed in), so every fault can be tried at every byte.
//! Invariants: a job's bytes are sent at most once; a drawer is pulsed at most once and never
//! late; every job ends in exactly one of `Done`, `Uncertain` (which a late `Done` may lift) or,
//! for drawers, `NotSent`.

use std::collections::VecDeque;

use super::status::{
    ANSWER_WHEN_DONE, ASK, ASKED, Answer, AnswerParser, PrinterState, ProcessId, TELL_BY_ITSELF,
    Trouble,
};
use super::{Job, JobKind, PrinterEvent, Proof};
use crate::devices::profile::{Level, Profile, Status};

/// How a printer converses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    pub status: Status,
    pub process_id: bool,
    pub drawer_open: Level,
}

impl From<&Profile> for Manner {
    fn from(profile: &Profile) -> Self {
        Self {
            status: profile.status,
            process_id: profile.process_id,
            drawer_open: profile
                .drawer
                .as_ref()
                .map(|drawer| drawer.open_level)
                .unwrap_or_default(),
        }
    }
}

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
            settle: 500,
            drawer: 3_000,
            retry: 1_000,
        }
    }
}

/// The slowest printing worth waiting for: bytes a millisecond, as a divisor.
const SLOWEST_BYTES_PER_MS: u64 = 1;
/// Bytes that end any picture a printer may still be waiting for.
const END_OF_PICTURE: usize = 8_192;
/// Jobs of which a late answer is still understood.
const DOUBTS_KEPT: usize = 8;

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

/// The state of the conversation.
#[derive(Debug)]
pub struct Dialogue {
    manner: Manner,
    patience: Patience,
    linked: bool,
    /// The last link broke in the middle of a job.
    torn: bool,
    looking: bool,
    papers: VecDeque<Job>,
    drawers: VecDeque<(Job, u64)>,
    stage: Stage,
    /// The paper being sent or finished.
    current: Option<Job>,
    /// Its bytes with what proves them, and how many have left.
    out: Vec<u8>,
    sent: usize,
    /// Bytes of `out` before the job's own: they end a torn job.
    lead: usize,
    /// Askings, or one drawer pulse; sent while no paper is.
    aside: Vec<u8>,
    aside_sent: usize,
    pulsing: Option<(Job, u64)>,
    parser: AnswerParser,
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
            torn: false,
            looking: false,
            papers: VecDeque::new(),
            drawers: VecDeque::new(),
            stage: Stage::Idle,
            current: None,
            out: Vec::new(),
            sent: 0,
            lead: 0,
            aside: Vec::new(),
            aside_sent: 0,
            pulsing: None,
            parser: AnswerParser::default(),
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

    /// Takes a job; it waits its turn. The queue is bounded by the channel before it.
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

    /// The link stands.
    pub fn opened(&mut self, now: u64) {
        self.linked = true;
        self.heard_at = now;
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
        self.drop_aside();
        self.drop_paper();
        self.stage = Stage::Idle;
        self.expire_drawers(now);
    }

    /// The link ended while nothing was to be done: network printers hang up on idle callers.
    pub fn hung_up(&mut self, now: u64) {
        if self.is_idle() {
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

    /// Returns whether an open link is needed.
    pub fn wants_link(&self) -> bool {
        self.looking || !self.is_idle()
    }

    /// Returns when `tick` is needed at the latest, in milliseconds; `None`: never.
    pub fn deadline(&self) -> Option<u64> {
        let drawer = self.drawers.front().map(|(_, since)| since + self.patience.drawer);
        let pulse = self.pulsing.as_ref().filter(|_| self.aside_sent == 0);
        let pulse = pulse.map(|(_, since)| since + self.patience.drawer);
        let stage = match self.stage {
            _ if !self.linked => None,
            Stage::Idle => None,
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
            self.stall_deadline(asked_at)
        } else {
            Some(asked_at + self.patience.answer)
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

    fn advance(&mut self, now: u64) {
        if self.linked {
            self.end_pulse();
            match self.stage {
                Stage::Idle => self.advance_idle(now),
                Stage::Asking { asked_at } => self.advance_asking(asked_at, now),
                Stage::Sending { progress_at } => self.advance_sending(progress_at, now),
                Stage::Finishing { since, asked_at, done_at } => {
                    self.advance_finishing(since, asked_at, done_at, now);
                }
            }
        }
        self.expire_drawers(now);
    }

    fn advance_idle(&mut self, now: u64) {
        if self.aside_left() || (self.papers.is_empty() && self.drawers.is_empty() && !self.looking)
        {
            return;
        }
        if self.answers() {
            self.ask(now, if self.manner.status == Status::Asb { &TELL_BY_ITSELF } else { &[] });
            self.stage = Stage::Asking { asked_at: now };
        } else if !self.pulse(now) {
            self.looking = false;
            self.tell(self.state.trouble());
            self.begin(now);
        }
    }

    fn advance_asking(&mut self, asked_at: u64, now: u64) {
        if self.aside_left() {
            if now >= asked_at + self.patience.stall {
                self.tell(Some(Trouble::Stalled));
            }
            return;
        }
        if self.unanswered.is_empty() {
            self.tell(self.state.trouble());
            self.looking = false;
            if self.pulse(now) {
                return;
            }
            if self.papers.is_empty() {
                self.stage = Stage::Idle;
                return;
            }
            if self.state.trouble().is_none() {
                return self.begin(now);
            }
        }
        if now >= asked_at + self.patience.answer {
            self.ask_again(now);
        }
    }

    fn ask_again(&mut self, now: u64) {
        if !self.unanswered.is_empty() {
            self.tell(Some(Trouble::NoAnswer));
            if std::mem::take(&mut self.looking)
                && self.papers.is_empty()
                && self.drawers.is_empty()
            {
                self.stage = Stage::Idle;
                return;
            }
        }
        self.ask(now, &[]);
        self.stage = Stage::Asking { asked_at: now };
    }

    fn ask(&mut self, now: u64, more: &[u8]) {
        self.aside = [&ASK[..], more].concat();
        self.aside_sent = 0;
        self.unanswered = ASKED.into();
        if let Stage::Finishing { asked_at, .. } = &mut self.stage {
            *asked_at = now;
        }
    }

    /// Begins the next paper: from here on it may have been printed.
    fn begin(&mut self, now: u64) {
        let Some(job) = self.papers.pop_front() else {
            self.stage = Stage::Idle;
            return;
        };
        self.out = if std::mem::take(&mut self.torn) { end_of_torn_job() } else { Vec::new() };
        self.lead = self.out.len();
        self.out.extend(&job.bytes);
        match (self.manner.process_id, self.answers()) {
            (true, true) => self.out.extend(ProcessId::of(job.id).request()),
            (false, true) => self.out.extend(ANSWER_WHEN_DONE),
            (_, false) => {}
        }
        self.sent = 0;
        self.events.push_back(PrinterEvent::FirstByte { job: job.id });
        self.current = Some(job);
        self.stage = Stage::Sending { progress_at: now };
    }

    fn advance_sending(&mut self, progress_at: u64, now: u64) {
        if self.sent == self.out.len() {
            if self.answers() {
                self.stage = Stage::Finishing { since: now, asked_at: now, done_at: None };
                self.heard_at = now;
            } else {
                self.end(Proof::Probably, now);
            }
        } else if let Some(trouble) = self.state.trouble() {
            self.tell(Some(trouble));
        } else {
            self.tell_stall(progress_at, now);
        }
    }

    fn tell_stall(&mut self, since: u64, now: u64) {
        let stalled = self.told == Some(Some(Trouble::Stalled));
        if now >= since + self.patience.stall {
            self.tell(Some(Trouble::Stalled));
        } else if !stalled {
            self.tell(self.state.trouble());
        }
    }

    fn advance_finishing(&mut self, since: u64, asked_at: u64, done_at: Option<u64>, now: u64) {
        if !self.aside_left() && self.pulse(now) {
            return;
        }
        if let Some(trouble) = self.state.trouble() {
            // The printer keeps the data and goes on by itself once the cause is gone: the time
            // stands still, and nothing is sent again.
            self.tell(Some(trouble));
            let done_at = done_at.map(|_| now);
            self.stage = Stage::Finishing { since: now, asked_at, done_at };
        } else if done_at.is_some_and(|at| now >= at + self.patience.settle) {
            return self.end(Proof::Status, now);
        } else if self.aside_left() {
            self.tell_stall(asked_at, now);
        } else if now >= self.heard_at + self.patience.silence {
            self.tell(Some(Trouble::NoAnswer));
        } else {
            self.tell(None);
        }
        if now >= since + self.finish_time() && self.state.trouble().is_none() {
            return self.doubt(now);
        }
        if now >= asked_at + self.patience.answer && !self.aside_left() {
            self.ask(now, &[]);
        }
    }

    fn finish_time(&self) -> u64 {
        self.patience.finish + self.out.len() as u64 / SLOWEST_BYTES_PER_MS
    }

    fn take(&mut self, answer: Answer, now: u64) {
        match answer {
            Answer::RealTime(byte) => {
                if let Some(asked) = self.unanswered.pop_front() {
                    self.state.real_time(asked, byte);
                }
            }
            Answer::Automatic(bytes) => self.state.automatic(bytes),
            Answer::Process(id) => self.take_process_id(id, now),
            Answer::Done(_) => self.take_done(now),
        }
        if self.stage == Stage::Idle {
            self.tell(self.state.trouble());
        }
    }

    fn take_process_id(&mut self, id: ProcessId, now: u64) {
        let finishing = matches!(self.stage, Stage::Finishing { .. });
        if finishing && self.current.as_ref().is_some_and(|job| ProcessId::of(job.id) == id) {
            return self.end(Proof::ProcessId, now);
        }
        if let Some(at) = self.doubts.iter().position(|&job| ProcessId::of(job) == id)
            && let Some(job) = self.doubts.remove(at)
        {
            self.events.push_back(PrinterEvent::Done { job, proof: Proof::ProcessId });
        }
    }

    /// The answer to `GS r` names no job: one that an earlier job still owed proves nothing.
    fn take_done(&mut self, now: u64) {
        if self.owed > 0 {
            self.owed -= 1;
        } else if let Stage::Finishing { done_at, .. } = &mut self.stage
            && !self.manner.process_id
        {
            *done_at = done_at.or(Some(now));
        }
    }

    fn end(&mut self, proof: Proof, now: u64) {
        if let Some(job) = self.current.take() {
            self.events.push_back(PrinterEvent::Done { job: job.id, proof });
        }
        // Printing has just worked, so a trouble still on record is either over or new: ask.
        self.looking |= self.state.trouble().is_some() && self.answers();
        if !self.looking {
            self.tell(None);
        }
        self.stage = Stage::Idle;
        self.advance(now);
    }

    /// Everything was sent and nothing came back: the printer may have lost it.
    fn doubt(&mut self, now: u64) {
        self.owed += usize::from(!self.manner.process_id);
        self.drop_paper();
        self.stage = Stage::Idle;
        self.advance(now);
    }

    /// Ends the paper under way as uncertain, or puts it back if no byte of it has left.
    fn drop_paper(&mut self) {
        let Some(job) = self.current.take() else { return };
        if self.sent <= self.lead {
            self.torn = self.lead > 0;
            return self.papers.push_front(job);
        }
        self.torn = self.sent < self.out.len();
        let sent = self.sent - self.lead;
        self.events.push_back(PrinterEvent::Uncertain { job: job.id, sent });
        self.doubts.push_back(job.id);
        if self.doubts.len() > DOUBTS_KEPT {
            self.doubts.pop_front();
        }
    }

    /// Sends the next drawer pulse, if one waits. A printer in trouble, or still printing, obeys
    /// only the real-time form at once: the drawer must open though the paper is out.
    fn pulse(&mut self, now: u64) -> bool {
        let Some((job, since)) = self.drawers.pop_front() else { return false };
        if now >= since + self.patience.drawer {
            self.drawers.push_front((job, since));
            return false; // Too late; `expire_drawers` says so.
        }
        let JobKind::Drawer { real_time } = &job.kind else { return false };
        let held_up = self.state.trouble().is_some() || self.current.is_some();
        self.aside = if held_up && self.answers() { real_time.clone() } else { job.bytes.clone() };
        self.aside_sent = 0;
        self.events.push_back(PrinterEvent::FirstByte { job: job.id });
        self.pulsing = Some((job, since));
        true
    }

    fn end_pulse(&mut self) {
        if self.aside_left() {
            return;
        }
        if let Some((job, _)) = self.pulsing.take() {
            self.events.push_back(PrinterEvent::Done { job: job.id, proof: Proof::Probably });
        }
    }

    fn drop_aside(&mut self) {
        if let Some((job, since)) = self.pulsing.take() {
            if self.aside_sent == 0 {
                self.drawers.push_front((job, since));
            } else {
                let sent = self.aside_sent;
                self.events.push_back(PrinterEvent::Uncertain { job: job.id, sent });
            }
        }
        self.aside.clear();
        self.aside_sent = 0;
    }

    /// Forgets a broken link's answers, and the state they told.
    fn forget_answers(&mut self) {
        self.parser.reset();
        self.unanswered.clear();
        self.state = PrinterState::default();
        self.drawer_told = None;
        self.owed = 0;
    }

    fn expire_drawers(&mut self, now: u64) {
        if let Some((_, since)) = &self.pulsing
            && self.aside_sent == 0
            && now >= since + self.patience.drawer
        {
            self.drop_aside();
        }
        let trouble = self.told.flatten().unwrap_or(Trouble::Stalled);
        while let Some((_, since)) = self.drawers.front()
            && now >= since + self.patience.drawer
            && let Some((job, _)) = self.drawers.pop_front()
        {
            self.events.push_back(PrinterEvent::NotSent { job: job.id, trouble });
        }
    }

    fn tell(&mut self, trouble: Option<Trouble>) {
        if self.told != Some(trouble) {
            self.told = Some(trouble);
            self.events.push_back(trouble.map_or(PrinterEvent::Ready, PrinterEvent::Trouble));
        }
    }

    fn tell_drawer(&mut self) {
        let open = self.state.drawer_open(self.manner.drawer_open);
        if let Some(open) = open
            && self.drawer_told.replace(open) != Some(open)
        {
            self.events.push_back(PrinterEvent::DrawerSensor { open });
        }
    }
}

/// Ends whatever half job the printer still holds: it may wait for the rest of a picture, or
/// stand in an error with a line in its buffer (`DLE ENQ 2`, `ESC @`; reliability.md P3).
fn end_of_torn_job() -> Vec<u8> {
    let mut bytes = vec![0; END_OF_PICTURE];
    bytes.extend([0x10, 5, 2, 0x1b, b'@']);
    bytes
}
