//! The register at the counter: one loop, one closed event, one frame for all that waited.
//!
//! Room: app. May touch: every room below it. Decides nothing about selling.
//! Invariant: keys are taken in order; while an act is being written they wait, and none is lost.

mod devices;
mod lines;
mod typing;
mod weighing;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use crossterm::event::{Event as TerminalEvent, KeyEvent, KeyEventKind};

use self::lines::{From, InFlight, Line, WriteJob};
use self::weighing::Weighing;
use super::answers;
use super::clock::uptime_ms;
use super::engine::Engine;
use super::event::{Ending, Event};
use super::picture::Picture;
use super::scan_sound::ScanSound;
use super::showcase::Showcase;
use crate::devices::line_display::DisplayHandle;
use crate::devices::scanner::WedgeReader;
use crate::screens::terminal::Display;
use crate::screens::{Action, CustomerView, Question, Screens};

/// After this long without an answer from the disk the screen says that it is still writing.
const SLOW_DISK: Duration = Duration::from_secs(1);
/// A disk that answers within this time is not worth a frame of its own.
const SOON: Duration = Duration::from_millis(25);
/// The open cart is synced this long after its last change, off the key path.
const CART_SYNC: Duration = Duration::from_millis(80);
/// The store is settled when nothing happened for this long.
const IDLE: Duration = Duration::from_secs(20);

pub struct Counter<W: Write> {
    engine: Engine,
    screens: Screens,
    picture: Picture,
    display: Display<W>,
    wedge: WedgeReader,
    started: Instant,
    /// Keys that came while an act was being written.
    waiting_keys: VecDeque<KeyEvent>,
    lines: VecDeque<Line>,
    in_flight: Option<InFlight>,
    writer: Sender<Box<WriteJob>>,
    ending: Option<Ending>,
    cart_changed: Option<Instant>,
    last_act: Instant,
    settled: bool,
    /// The last run was cut off with a sale open: said once the sale is seen.
    cut_off: bool,
    sound: ScanSound,
    weighing: Weighing,
    showcase: Arc<Showcase>,
    line_display: Option<DisplayHandle>,
    /// What the line display was last given.
    customer: CustomerView,
}

impl<W: Write> Counter<W> {
    /// Takes over an opened lane and a display.
    ///
    /// # Errors
    /// When the writing thread cannot be started.
    pub fn new(
        engine: Engine,
        screens: Screens,
        picture: Picture,
        display: Display<W>,
        showcase: Arc<Showcase>,
        events: &Sender<Event>,
    ) -> io::Result<Self> {
        let (writer, jobs): (_, Receiver<Box<WriteJob>>) = bounded(1);
        let shop = std::sync::Arc::clone(&engine.shop);
        let line_display = devices::line_display(&engine.config.display, events);
        let weighing = Weighing::start(engine.config.scale.as_ref(), events);
        let sound = ScanSound::start(&engine.config.sound, events);
        let events = events.clone();
        std::thread::Builder::new().name("writer".to_owned()).spawn(move || {
            for job in jobs {
                let written = shop.append(&job.drafts, job.now);
                if events.send(Event::Written(written)).is_err() {
                    return;
                }
            }
        })?;
        let cut_off = engine.unclean && engine.register.cart.has_sale();
        Ok(Self {
            engine,
            screens,
            picture,
            display,
            wedge: WedgeReader::default(),
            started: Instant::now(),
            waiting_keys: VecDeque::new(),
            lines: VecDeque::new(),
            in_flight: None,
            writer,
            ending: None,
            cart_changed: None,
            last_act: Instant::now(),
            settled: true,
            cut_off,
            sound,
            weighing,
            showcase,
            line_display,
            customer: CustomerView::default(),
        })
    }

    /// Runs until staff leave or the system ends it.
    ///
    /// # Errors
    /// A terminal that cannot be written to any more.
    pub fn run(mut self, events: &Receiver<Event>) -> io::Result<Ending> {
        self.draw()?;
        while self.ending.is_none() {
            match events.recv_timeout(self.next_wake()) {
                Ok(event) => {
                    self.happened(event);
                    // All that waits is taken before anything is drawn: a scan costs one frame.
                    while let Ok(event) = events.try_recv() {
                        self.happened(event);
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.woke(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.is_soon_written() {
                continue; // One frame for the key and its answer; the disk is quicker than both.
            }
            self.draw()?;
            self.ring();
            // The cashier has the answer; now the paper.
            self.engine.spool.send_queued();
        }
        self.finish(events);
        let ending = self.ending.unwrap_or(Ending::Asked);
        let damaged = ending == Ending::Asked && self.engine.damage.is_some();
        Ok(if damaged { Ending::Damaged } else { ending })
    }

    /// What is being written is waited for: its answer may already be on paper.
    fn finish(&mut self, events: &Receiver<Event>) {
        while self.in_flight.is_some() {
            match events.recv_timeout(Duration::from_secs(5)) {
                Ok(Event::Written(written)) => self.written(written),
                Ok(_) => {}
                Err(_) => return,
            }
        }
        self.engine.spool.drain(Duration::from_millis(300));
        self.engine.kitchen.drain(Duration::from_millis(300));
        self.engine.stamp_spool();
        self.end_backup(true);
        self.engine.settle();
        self.engine.shop.sync_cart();
    }

    fn end_backup(&mut self, wait: bool) {
        if let Err(refusal) = self.engine.end_backup(wait) {
            self.picture.refuse(&refusal, &self.engine.words);
        }
        self.settled &= self.engine.backup.is_none();
    }

    /// Whether an act was handed to the disk so short a time ago that its answer will be next.
    fn is_soon_written(&self) -> bool {
        let since = self.in_flight.as_ref().map(|act| act.since.elapsed());
        since.is_some_and(|since| since < SOON) && self.ending.is_none()
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Idle wakes for nothing but the minute on the clock.
    fn next_wake(&self) -> Duration {
        let now = self.engine.now();
        let to_minute = 60_000 - now.utc_ms.rem_euclid(60_000);
        let mut wake = Duration::from_millis(u64::try_from(to_minute).unwrap_or(60_000));
        if let Some(due) = self.wedge.due() {
            wake = wake.min(Duration::from_millis(due.saturating_sub(self.elapsed_ms())));
        }
        if let Some(in_flight) = &self.in_flight {
            let since = in_flight.since.elapsed();
            let left = match SOON.checked_sub(since) {
                Some(left) => left,
                None => SLOW_DISK.saturating_sub(since).max(Duration::from_millis(200)),
            };
            wake = wake.min(left);
        }
        if let Some(changed) = self.cart_changed {
            wake = wake.min(CART_SYNC.saturating_sub(changed.elapsed()));
        }
        for left in [self.sound.next_ring(), self.engine.spool.next_drawer()].into_iter().flatten()
        {
            wake = wake.min(left);
        }
        if !self.settled {
            wake = wake.min(IDLE.saturating_sub(self.last_act.elapsed()));
        }
        wake
    }

    /// A jump of the clock stands in the journal before whatever is done next, and on the screen.
    fn watch_clock(&mut self) {
        if self.in_flight.is_none()
            && let Some(jump) = self.engine.watch_clock(uptime_ms())
        {
            self.picture.clock_jumped(jump, &self.engine);
        }
    }

    fn woke(&mut self) {
        self.watch_clock();
        self.ring();
        self.drawer_left_open();
        let now_ms = self.elapsed_ms();
        let held = self.wedge.tick(now_ms);
        self.wedged(held);
        if self.in_flight.as_ref().is_some_and(|act| act.since.elapsed() >= SLOW_DISK) {
            self.picture.say("notice.writing", &self.engine.words);
        }
        if self.cart_changed.is_some_and(|changed| changed.elapsed() >= CART_SYNC)
            && self.in_flight.is_none()
        {
            self.cart_changed = None;
            self.engine.shop.sync_cart();
        }
        if !self.settled && self.last_act.elapsed() >= IDLE && self.in_flight.is_none() {
            self.settled = true;
            self.engine.stamp_spool();
            self.end_backup(false);
            self.engine.settle();
        }
    }

    fn happened(&mut self, event: Event) {
        self.watch_clock();
        match event {
            Event::Terminal(TerminalEvent::Key(key)) if key.kind != KeyEventKind::Release => {
                self.key(key);
            }
            Event::Terminal(TerminalEvent::Resize(width, height)) => {
                self.display.resize(width, height);
            }
            Event::Terminal(TerminalEvent::Paste(text)) => {
                let action = self.with_model(|screens, model| screens.on_paste(&text, model));
                self.act(action);
            }
            Event::Terminal(_) => {}
            Event::Scanner(event) => self.scanner(event),
            Event::Printer => self.printer(),
            Event::LineDisplay(state) => self.line_display_state(state),
            Event::Weighed(op, weight) => self.weighed(op, weight),
            Event::Mute(signal) => self.sound.mute(signal),
            Event::Written(written) => self.written(written),
            Event::Checked => self.checked(),
            Event::Control(asked) => self.asked(asked),
            Event::End(ending) => self.ending = Some(ending),
            Event::WorkerDied(words) => self.picture.worker_died(&words, &self.engine.words),
        }
    }

    fn with_model<T>(
        &mut self,
        see: impl FnOnce(&mut Screens, &crate::screens::Model<'_>) -> T,
    ) -> T {
        self.picture.look_at(&self.engine);
        let model = self.picture.model(&self.engine.words);
        see(&mut self.screens, &model)
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Stay | Action::Ignored => {}
            Action::Do(lines) => {
                self.picture.quiet();
                for text in lines {
                    self.lines.push_back(Line { text, from: From::Screens });
                }
                self.work();
            }
            Action::Ask(question) => {
                self.picture.quiet();
                self.ask(question);
            }
            Action::Say(key) => self.picture.say(key, &self.engine.words),
            Action::Device(act) => {
                match answers::device_act(&mut self.engine, act) {
                    Ok(key) => self.picture.say(key, &self.engine.words),
                    Err(refusal) => self.picture.refuse(&refusal, &self.engine.words),
                }
                self.ask(Question::Devices);
            }
            // A shop is founded, and mended, before the counter opens.
            Action::Found(_) | Action::Recover(_) => {}
            Action::Quit => self.ending = Some(Ending::Asked),
        }
    }

    fn ask(&mut self, question: Question) {
        let mut next = Some(question);
        while let Some(question) = next.take() {
            match answers::answer(&self.engine, question) {
                Ok(answer) => next = self.screens.answer(answer),
                Err(refusal) => self.picture.refuse(&refusal, &self.engine.words),
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        self.picture.look_at(&self.engine);
        if self.cut_off && !self.engine.register.is_locked() {
            self.cut_off = false;
            self.picture.say("notice.check_last_line", &self.engine.words);
        }
        let model = self.picture.model(&self.engine.words);
        self.screens.settle(&model);
        let screens = &self.screens;
        self.display.draw(|cells| screens.draw(cells, &model))?;
        self.show_customer();
        Ok(())
    }
}
