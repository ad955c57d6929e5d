//! Command lines that wait their turn, and the one whose entries are being written.
//!
//! Room: app. May touch: engine, screens. Decides nothing about selling.
//! Invariant: one act is written at a time; a refusal ends the macro it stands in.

use std::io::Write;
use std::time::Instant;

use super::Counter;
use crate::app::answers;
use crate::app::aside;
use crate::app::books::{Act, Booked};
use crate::app::control::Asked;
use crate::app::engine::{Checked, Outcome, Pending, Step, rests_on_chain};
use crate::app::event::Event;
use crate::app::pin_check::{self, Compared};
use crate::domain::command::{self, Command, Pin};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::store::fault::StoreError;

/// A command line that waits its turn, and who gave it.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) from: From,
}

/// How far the PIN of the line that waits for it is.
pub(super) enum PinState {
    Waits,
    Known(Compared),
    /// It could not be compared.
    Refused(Refusal),
}

pub(super) enum From {
    Screens,
    Control(Box<Asked>),
}

/// The command whose entries are being written.
pub(super) struct InFlight {
    pub(super) pending: Box<Pending>,
    pub(super) line: Line,
    pub(super) since: Instant,
}

impl<W: Write> Counter<W> {
    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.is_some() || !self.lines.is_empty()
    }

    /// Carries out the lines that wait, until one has to be written.
    pub(super) fn work(&mut self) {
        while self.in_flight.is_none() {
            let left = self.lines.len();
            let Some(line) = self.lines.pop_front() else { break };
            self.begin(line);
            if self.lines.len() == left && self.in_flight.is_none() {
                return; // The line waits: for the chain's check, or for its PIN.
            }
        }
        while !self.is_busy() {
            let Some(key) = self.waiting_keys.pop_front() else { break };
            self.pressed(key);
        }
    }

    pub(super) fn checked(&mut self) {
        if self.engine.checked() == Checked::Passed
            && let Some(refusal) = self.engine.damage.clone()
        {
            self.picture.refuse(&refusal, &self.engine.words);
        }
        self.work();
    }

    /// Opens the drawer and prints the papers of the acts that were answered.
    pub(super) fn carry_out(&mut self) {
        for mut answered in std::mem::take(&mut self.answered) {
            self.engine.carry_out(&mut answered);
        }
    }

    pub(super) fn begin(&mut self, line: Line) {
        let command = match command::parse(&line.text) {
            Ok(Some(command)) => command,
            Ok(None) => return,
            Err(refusal) => return self.done(line, Outcome::refused("", refusal)),
        };
        if let From::Control(_) = line.from {
            let outcome = aside::look(&mut self.engine, &command, &line.text);
            return self.done(line, outcome);
        }
        if rests_on_chain(&command) && self.engine.checked() == Checked::Running {
            // The first tender, X or Z waits for the chain, the loop does not.
            self.picture.say("notice.checking", &self.engine.words);
            self.lines.push_front(line);
            return;
        }
        let compared = match pin_check::asked(&command).map(|asked| self.compared(asked)) {
            Some(PinState::Waits) => return self.lines.push_front(line),
            Some(PinState::Refused(refusal)) => {
                return self.done(line, Outcome::refused("", refusal));
            }
            Some(PinState::Known(compared)) => Some(compared),
            None => None,
        };
        self.engine.stamp_spool();
        self.last_act = Instant::now();
        self.acted = true;
        match self.engine.begin(&command, &line.text, compared) {
            Step::Done(outcome) => {
                if changes_cart(&command) {
                    self.cart_changed = Some(Instant::now());
                }
                self.done(line, *outcome);
            }
            Step::Write(act, pending) => self.write(act, pending, line),
        }
    }

    fn write(&mut self, act: Act, pending: Box<Pending>, line: Line) {
        let events = self.events.clone();
        let told = move |written| {
            let _ = events.send(Event::Written(written)); // The register has ended meanwhile.
        };
        match self.engine.shop.begin(act, told) {
            Ok(()) => {
                self.in_flight = Some(InFlight { pending, line, since: Instant::now() });
                self.carry_out(); // Papers show the shop as their own act left it: before this one's end.
            }
            Err(refusal) => {
                let outcome = self.engine.finish(*pending, Err(refusal));
                self.done(line, outcome);
            }
        }
    }

    /// What is known of the PIN of the first line in the queue; unknown, it begins to be compared.
    fn compared(&mut self, asked: (u32, &Pin)) -> PinState {
        match self.pin.take() {
            Some(PinState::Waits) => self.pin = Some(PinState::Waits),
            Some(known) => return known,
            None => {
                let events = self.events.clone();
                let told = move |compared| {
                    let _ = events.send(Event::PinCompared(compared)); // Nobody waits any more.
                };
                if let Err(error) = pin_check::compare(&self.engine.shop, asked, told) {
                    return PinState::Refused(StoreError::from(error).into());
                }
                self.pin = Some(PinState::Waits);
            }
        }
        PinState::Waits
    }

    pub(super) fn pin_compared(&mut self, compared: Result<Compared, Refusal>) {
        self.pin = Some(match compared {
            Ok(compared) => PinState::Known(compared),
            Err(refusal) => PinState::Refused(refusal),
        });
        self.work();
    }

    pub(super) fn written(&mut self, written: Result<Booked, Refusal>) {
        let Some(in_flight) = self.in_flight.take() else { return };
        // No cart is synced once its sale has ended.
        self.cart_changed = None;
        self.settled = false;
        self.acted = true;
        let outcome = self.engine.finish(*in_flight.pending, written);
        self.done(in_flight.line, outcome);
        self.work();
    }

    pub(super) fn done(&mut self, line: Line, outcome: Outcome) {
        match line.from {
            From::Control(asked) => {
                answers::give(&mut self.engine, outcome, asked.answer);
            }
            From::Screens => self.done_here(&line.text, outcome),
        }
    }

    pub(super) fn done_here(&mut self, line: &str, outcome: Outcome) {
        if self.weigh_instead(line, outcome.refusal.as_ref()) {
            return;
        }
        self.answer_scan(line, outcome.refusal.as_ref());
        if let Some(refusal) = &outcome.refusal {
            self.picture.refuse(refusal, &self.engine.words);
            // The rest of a macro is not given: its first refusal stops it.
            self.lines.retain(|line| !matches!(line.from, From::Screens));
            self.waiting_keys.clear();
            let refusal = refusal.clone();
            self.with_model(|screens, model| screens.refused(line, &refusal, model));
            return;
        }
        self.picture.done(self.screens.carried_out(line), &outcome, &self.engine);
        if let Some(question) = self.with_model(|screens, model| screens.done(line, model)) {
            self.ask(question);
        }
        for answer in answers::of_outcome(&mut self.engine, &outcome) {
            match answer {
                Ok(answer) => {
                    if let Some(question) = self.screens.answer(answer) {
                        self.ask(question);
                    }
                }
                Err(refusal) => self.picture.refuse(&refusal, &self.engine.words),
            }
        }
        if !outcome.behind.is_empty() {
            self.answered.push(outcome);
        }
    }

    /// Another program may look; selling is done at the counter.
    pub(super) fn asked(&mut self, asked: Asked) {
        if asked.request.display {
            return; // The frame that follows shows it.
        }
        if let Some(task) = asked.request.task {
            aside::begin(&mut self.engine, task, asked.answer);
            // One may have been learned.
            return self.scanners.follow(&self.engine.config.scanner);
        }
        let text = asked.request.line.clone();
        let looks = match command::parse(&text) {
            Ok(Some(command)) => is_look(&command),
            Ok(None) => false,
            Err(_) => true, // Refused in words like any other.
        };
        if !looks {
            let refusal = Refusal::new(RefusalCode::Busy);
            let reply = answers::reply(&mut self.engine, Outcome::refused(&text, refusal));
            let _ = asked.answer.send(reply); // A client that left wants none.
            return;
        }
        self.lines.push_back(Line { text, from: From::Control(Box::new(asked)) });
        self.work();
    }
}

/// Commands another program may give while staff sell.
fn is_look(command: &Command) -> bool {
    use Command as C;
    matches!(
        command,
        C::Journal { .. }
            | C::Report { .. }
            | C::Help { .. }
            | C::Keys
            | C::Inquire { .. }
            | C::FindItem { .. }
            | C::FindMember { .. }
    )
}

fn changes_cart(command: &Command) -> bool {
    !is_look(command)
}
