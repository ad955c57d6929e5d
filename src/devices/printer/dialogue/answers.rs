//! What the printer's answers prove.
//!
//! Room: devices. May touch: the dialogue it belongs to. May not: send.
//! Invariant: an answer that may belong to another job proves nothing about this one.

use super::{Dialogue, Ending, Stage};
use crate::devices::printer::star::StarStatus;
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
            Answer::Star(status) => self.take_star(status, now),
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

    /// A whole state answers whatever was asked. The count proves the paper under way when it is the one that
    /// only this paper's last byte makes.
    fn take_star(&mut self, status: StarStatus, now: u64) {
        self.unanswered.clear();
        self.state = status.state;
        self.shown_count = status.count;
        if let (Stage::Finishing { done_at, .. }, Some(count)) = (&mut self.stage, status.count)
            && self.ending == Ending::Counted(count)
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
