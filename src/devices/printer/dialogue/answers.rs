//! What the printer's answers prove.
//!
//! Room: devices. May touch: the dialogue it belongs to. May not: send.
//! Invariant: an answer that may belong to another job proves nothing about this one.

use super::{Dialogue, Ending, Stage};
use crate::devices::printer::status::{Answer, PrinterState, ProcessId};
use crate::devices::printer::{PrinterEvent, Proof};

impl Dialogue {
    pub(super) fn take(&mut self, answer: Answer, now: u64) {
        match answer {
            Answer::RealTime(byte) => {
                if let Some(asked) = self.unanswered.pop_front() {
                    self.state.real_time(asked, byte);
                }
            }
            Answer::Automatic(bytes) => self.state.automatic(bytes),
            Answer::Process(id) => self.take_process_id(id, now),
            Answer::Done(_) => self.take_done(now),
            Answer::Star(status) => {
                self.take_state(status.state);
                self.shown_count = status.count;
                if let Some(count) = status.count {
                    self.take_sign(count, now);
                }
            }
            Answer::State(state) => self.take_state(state),
            Answer::Mark(mark) => self.take_sign(mark, now),
        }
        if self.stage == Stage::Idle {
            self.tell(self.state.trouble());
        }
    }

    fn take_process_id(&mut self, id: ProcessId, now: u64) {
        let finishing = matches!(self.stage, Stage::Finishing { .. });
        if finishing && self.current.is_some() && self.ending == Ending::Named(id) {
            return self.end(Proof::ProcessId, now);
        }
        if let Some(at) = self.doubts.iter().position(|&job| self.manner.name(job) == id)
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
            && self.ending == Ending::Answered
        {
            *done_at = done_at.or(Some(now));
        }
    }

    /// A whole state answers whatever was asked.
    fn take_state(&mut self, state: PrinterState) {
        self.unanswered.clear();
        self.state = state;
    }

    /// A count or a mark proves the paper under way when only this paper's last byte makes it.
    fn take_sign(&mut self, sign: u8, now: u64) {
        if let Stage::Finishing { done_at, .. } = &mut self.stage
            && self.ending == Ending::Signed(sign)
        {
            *done_at = done_at.or(Some(now));
        }
    }

    /// Forgets a broken link's answers, and the state they told.
    pub(super) fn forget_answers(&mut self) {
        self.parser.reset();
        self.unanswered.clear();
        self.state = PrinterState::default();
        self.drawer_told = None;
        self.shown_count = None;
        self.owed = 0;
    }
}
