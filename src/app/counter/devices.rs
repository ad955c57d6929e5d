//! What devices say while staff sell, and what staff hear of it.
//!
//! Room: app. May touch: the screens, the device handles. Decides nothing about selling.
//! Invariant: nothing a device says is carried out but a code it scanned.

use std::io::Write;

use super::Counter;
use crate::app::drawer_watch::DrawerAlarm;
use crate::app::event::Event;
use crate::app::inbox::EventSender;
use crate::app::lane_config::DisplayConfig;
use crate::app::showcase;
use crate::app::spool::SpoolNews;
use crate::devices::line_display::{self, DisplayHandle};
use crate::devices::printer::Trouble;
use crate::devices::scanner::{Reject, ScannerEvent, TestVerdict};
use crate::devices::sound::Signal;
use crate::domain::refusal::{Refusal, RefusalCode};

impl<W: Write> Counter<W> {
    pub(super) fn scanner(&mut self, event: ScannerEvent) {
        match event {
            ScannerEvent::Scan(text) => self.scanned(&text),
            ScannerEvent::Rejected(why) => self.rejected_scan(why),
            other => self.picture.scanner(&other, &self.engine.words),
        }
    }

    pub(super) fn rejected_scan(&mut self, why: Reject) {
        self.picture.rejected_scan(why, &self.engine.words);
        self.sound.reject(why);
    }

    /// The start-of-day label was scanned.
    pub(super) fn scanner_tested(&mut self, verdict: &TestVerdict) {
        self.picture.scanner_tested(verdict, &self.engine.words);
        let right = *verdict == TestVerdict::Right;
        self.sound.play(if right { Signal::Accepted } else { Signal::Refused });
    }

    /// Lets staff hear what became of a code.
    pub(super) fn answer_scan(&mut self, line: &str, refusal: Option<&Refusal>) {
        if line.starts_with("scan ") {
            self.sound.play(match refusal.map(|refusal| refusal.code) {
                None => Signal::Accepted,
                Some(RefusalCode::UnknownCode) => Signal::Unknown,
                Some(_) => Signal::Refused,
            });
        }
    }

    /// Rings the terminal's bell once more, where a signal still has rings to come.
    pub(super) fn ring(&mut self) {
        if self.sound.take_ring() {
            // A terminal that cannot be written to any more is noticed by the next frame.
            let _ = self.display.ring();
        }
    }

    /// Shows the customer what the cashier has just seen.
    pub(super) fn show_customer(&mut self) {
        if self.line_display.is_none() && !self.showcase.is_watched() {
            return;
        }
        let view = showcase::view(&self.engine, self.picture.last());
        self.showcase.show(&view);
        if let Some(display) = self.line_display.as_ref().filter(|_| self.customer != view) {
            display.show(showcase::rows(&view, &self.engine.words));
        }
        self.customer = view;
    }

    pub(super) fn line_display_state(&mut self, state: Result<(), Trouble>) {
        if state.is_err() {
            self.picture.say_refusal("line_display.lost", &self.engine.words);
        }
    }

    pub(super) fn drawer_left_open(&mut self) {
        if let Some(alarm) = self.engine.spool.drawer_left_open() {
            self.drawer_alarm(alarm);
        }
    }

    /// Said and heard at once; an opening nobody ordered is on the disk at once, too.
    fn drawer_alarm(&mut self, alarm: DrawerAlarm) {
        let key = match alarm {
            DrawerAlarm::Unasked => "drawer_unasked",
            DrawerAlarm::LeftOpen => "drawer_left_open",
        };
        self.picture.say_refusal(key, &self.engine.words);
        self.sound.play(Signal::Refused);
        if alarm == DrawerAlarm::Unasked && self.in_flight.is_none() {
            self.engine.stamp_spool();
            self.engine.settle();
        }
    }

    pub(super) fn printer(&mut self) {
        for news in self.engine.spool.news() {
            match &news {
                SpoolNews::Uncertain { job } => {
                    self.picture.uncertain_print(job, &self.engine.words);
                }
                SpoolNews::Alarm(alarm) => self.drawer_alarm(*alarm),
                SpoolNews::SecondTrouble(trouble) => {
                    self.picture.second_printer(trouble, &self.engine.words);
                }
                SpoolNews::Moved => self.picture.say_refusal("printer_moved", &self.engine.words),
                SpoolNews::Back => self.picture.say("notice.printer_back", &self.engine.words),
                _ => {}
            }
        }
        for news in self.engine.kitchen.news() {
            self.picture.kitchen(&news, &self.engine.words);
        }
        // An ended job is written with the next act, or once it is quiet.
        self.settled = false;
    }
}

/// Starts the line display's thread, where the lane has one.
pub(super) fn line_display(config: &DisplayConfig, events: &EventSender) -> Option<DisplayHandle> {
    let address = config.line().ok().flatten()?;
    let events = events.clone();
    let tell = move |state| drop(events.send(Event::LineDisplay(state)));
    line_display::start(address, tell).ok()
}
