//! One paper's way: asked, sent, finished; and what stops it at each stage.
//!
//! Room: devices. May touch: the dialogue it belongs to. May not: send a paper a second time.
//! Invariant: a paper that has begun ends `Done` or `Uncertain`; one that has not waits.

use super::{Dialogue, Ending, LONGEST_ASIDE, Stage};
use crate::devices::printer::status::Trouble;
use crate::devices::printer::{PrinterEvent, Proof};
use crate::devices::printer::{sii, star};
use crate::devices::profile::Status;

/// Jobs of which a late answer is still understood.
const DOUBTS_KEPT: usize = 8;

impl Dialogue {
    pub(super) fn advance(&mut self, now: u64) {
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
        let wanted = self.looking || self.watch_at.is_some_and(|at| now >= at);
        if self.aside_left() || (self.papers.is_empty() && self.drawers.is_empty() && !wanted) {
            return;
        }
        if self.answers() {
            self.watch_at = self.watch_every.map(|every| now + every);
            self.ask(now, self.manner.watch_words());
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
            if self.papers.is_empty() && self.drawers.is_empty() {
                self.stage = Stage::Idle;
                return;
            }
            if self.state.trouble().is_none() {
                return self.begin(now);
            }
        }
        if self.ask_deadline(asked_at).is_some_and(|at| now >= at) {
            self.ask_again(now);
        }
    }

    fn ask_again(&mut self, now: u64) {
        if !self.unanswered.is_empty() {
            self.tell(Some(Trouble::NoAnswer));
            let only_looked = std::mem::take(&mut self.looking) || self.watching;
            if only_looked && self.papers.is_empty() && self.drawers.is_empty() {
                self.watch_at = self.watching.then_some(now + self.patience.retry);
                self.stage = Stage::Idle;
                return;
            }
        }
        self.ask(now, &[]);
        self.stage = Stage::Asking { asked_at: now };
    }

    fn ask(&mut self, now: u64, more: &[u8]) {
        let end_of_torn = &[0; LONGEST_ASIDE][..self.torn.min(LONGEST_ASIDE)];
        self.aside = [end_of_torn, self.manner.question(), more].concat();
        self.aside_sent = 0;
        self.unanswered = self.manner.due().iter().copied().collect();
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
        self.ending = self.ending_of(job.id);
        self.out = self.end_of_torn_job();
        self.out.extend(self.ending.before(self.manner));
        self.lead = self.out.len();
        self.torn = 0;
        self.out.extend(&job.bytes);
        self.out.extend(self.ending.after(self.manner));
        self.sent = 0;
        self.events.push_back(PrinterEvent::FirstByte { job: job.id });
        self.current = Some(job);
        self.stage = Stage::Sending { progress_at: now };
    }

    fn ending_of(&mut self, job: u64) -> Ending {
        match (self.manner.status, self.manner.process_id) {
            (Status::None, _) => Ending::Untold,
            (Status::Sii, _) => self.signed(sii::next_mark(self.last_sign)),
            (_, true) => Ending::Named(self.manner.name(job)),
            (Status::Star, false) => {
                self.signed(star::next_count(self.last_sign, self.shown_count))
            }
            (Status::Dle | Status::Asb, false) => Ending::Answered,
        }
    }

    fn signed(&mut self, sign: u8) -> Ending {
        self.last_sign = sign;
        Ending::Signed(sign)
    }

    /// Ends whatever half job the printer still holds: it may wait for the rest of a picture, which is
    /// shorter than its job.
    fn end_of_torn_job(&self) -> Vec<u8> {
        match self.torn {
            0 => Vec::new(),
            torn => [vec![0; torn].as_slice(), self.manner.recovery()].concat(),
        }
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
        } else if self.manner.answers_at_once() && now >= self.heard_at + self.patience.silence {
            self.tell(Some(Trouble::NoAnswer));
        } else {
            self.tell(None);
        }
        if now >= since + self.finish_time() && self.state.trouble().is_none() {
            return self.doubt(now);
        }
        let answers_at_once = self.manner.answers_at_once();
        if answers_at_once && now >= asked_at + self.patience.answer && !self.aside_left() {
            self.ask(now, &[]);
        }
    }

    pub(super) fn finish_time(&self) -> u64 {
        self.patience.finish + self.out.len() as u64 / self.patience.slowest.max(1)
    }

    pub(super) fn end(&mut self, proof: Proof, now: u64) {
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
        self.owed += usize::from(self.ending == Ending::Answered);
        self.drop_paper();
        self.stage = Stage::Idle;
        self.advance(now);
    }

    /// Ends the paper under way as uncertain, or puts it back if no byte of it has left.
    pub(super) fn drop_paper(&mut self) {
        let Some(job) = self.current.take() else { return };
        if self.sent <= self.lead {
            self.torn = self.torn.max(self.lead);
            return self.papers.push_front(job);
        }
        let sent = self.sent - self.lead;
        self.events.push_back(PrinterEvent::Uncertain { job: job.id, sent });
        self.doubts.push_back(job.id);
        if self.doubts.len() > DOUBTS_KEPT {
            self.doubts.pop_front();
        }
    }
}
