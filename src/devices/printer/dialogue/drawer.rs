//! The drawer's part of the conversation: one pulse, now or never.
//!
//! Room: devices. May touch: the dialogue it belongs to. May not: hold up a paper.
//! Invariant: a pulse is sent at most once, and not at all once it would surprise.

use super::{Dialogue, LONGEST_ASIDE};
use crate::devices::printer::status::Trouble;
use crate::devices::printer::{JobKind, PrinterEvent, Proof};

impl Dialogue {
    /// Sends the next drawer pulse, if one waits. A printer in trouble, or still printing, obeys
    /// only the real-time form at once: the drawer must open though the paper is out. One that has no such form
    /// opens it behind its paper, and in trouble not at all.
    pub(super) fn pulse(&mut self, now: u64) -> bool {
        let Some((job, since)) = self.drawers.pop_front() else { return false };
        if now >= since + self.patience.drawer {
            self.drawers.push_front((job, since));
            return false; // Too late; `expire_drawers` says so.
        }
        let JobKind::Drawer { real_time } = &job.kind else { return false };
        let real_time = real_time.as_ref().filter(|_| self.answers());
        let in_trouble = self.state.trouble().is_some();
        if in_trouble && self.answers() && real_time.is_none() {
            self.drawers.push_front((job, since));
            return false; // Once it is over, if that is soon: later it would surprise.
        }
        // One that may wait for the rest of a picture takes the ordinary form for a part of it.
        let torn = self.torn > LONGEST_ASIDE;
        let held_up = in_trouble || self.current.is_some() || torn;
        self.aside = match real_time {
            Some(real_time) if held_up => real_time.clone(),
            Some(_) => job.bytes.clone(),
            None => [vec![0; self.torn].as_slice(), &job.bytes].concat(),
        };
        self.aside_sent = 0;
        self.events.push_back(PrinterEvent::FirstByte { job: job.id });
        self.pulsing = Some((job, since));
        true
    }

    pub(super) fn end_pulse(&mut self) {
        if self.aside_left() {
            return;
        }
        if let Some((job, _)) = self.pulsing.take() {
            self.events.push_back(PrinterEvent::Done { job: job.id, proof: Proof::Probably });
        }
    }

    pub(super) fn drop_aside(&mut self) {
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

    pub(super) fn expire_drawers(&mut self, now: u64) {
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

    pub(super) fn tell_drawer(&mut self) {
        let open = self.state.drawer_open(self.manner.drawer_open);
        if let Some(open) = open
            && self.drawer_told.replace(open) != Some(open)
        {
            self.events.push_back(PrinterEvent::DrawerSensor { open });
        }
    }
}
