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

use crossterm::event::{
    Event as TerminalEvent, KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind,
};

use self::lines::{From, InFlight, Line, PinState};
use self::weighing::Weighing;
use super::answers;
use super::cart_sync::CartSync;
use super::clock::uptime_ms;
use super::engine::{Engine, Outcome};
use super::event::{Ended, Ending, Event};
use super::inbox::{EventSender, Inbox};
use super::learned::Scanners;
use super::opening;
use super::picture::Picture;
use super::scan_sound::ScanSound;
use super::showcase::Showcase;
use super::unprinted::{self, Unprinted};
use super::upkeep::StartCheck;
use crate::devices::line_display::DisplayHandle;
use crate::devices::scanner::WedgeReader;
use crate::domain::refusal::Refusal;
use crate::domain::text;
use crate::screens::terminal::Display;
use crate::screens::{Action, CustomerView, Question, Screens};
use crate::store::fault::StoreError;

/// After this long without an answer from the disk the screen says that it is still writing.
const SLOW_DISK: Duration = Duration::from_secs(1);
/// A disk that answers within this time is not worth a frame of its own.
const SOON: Duration = Duration::from_millis(25);
/// A quick disk answers within this time: the loop does not go to sleep over it.
const AT_ONCE: Duration = Duration::from_millis(1);
/// Bytes of a paste that are looked at, more than any field takes: what is refused is not copied about.
const MOST_PASTED: usize = 8192;
/// The open cart is synced this long after its last change, off the key path.
const CART_SYNC: Duration = Duration::from_millis(80);
/// How often a Z's backup is looked after until it is written.
const BACKUP: Duration = Duration::from_millis(200);
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
    /// Acts whose answer is about to be shown: drawer and paper follow.
    answered: Vec<Outcome>,
    /// The PIN of the first line, while it is compared and until that line takes it.
    pin: Option<PinState>,
    events: EventSender,
    ending: Option<Ending>,
    cart_changed: Option<Instant>,
    cart_sync: CartSync,
    last_act: Instant,
    /// An act was carried out since the picture was last taken.
    acted: bool,
    settled: bool,
    /// The last run was cut off: said once somebody is there to read how its sale ended.
    cut_off: bool,
    /// The last Z has no backup: said once somebody is there to read it, and no other news is.
    no_backup: bool,
    /// What is to be said when the screen has gone.
    unsaid: Option<String>,
    scanners: Scanners,
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
    /// When the cart's thread cannot be started.
    pub fn new(
        engine: Engine,
        screens: Screens,
        picture: Picture,
        display: Display<W>,
        showcase: Arc<Showcase>,
        events: EventSender,
    ) -> io::Result<Self> {
        let cart_sync = CartSync::start(engine.shop.cart_log().clone())?;
        let line_display = devices::line_display(&engine.config.display, &events);
        let weighing = Weighing::start(engine.config.scale.as_ref(), &events);
        let scanners = Scanners::new(events.clone());
        let sound = ScanSound::start(&engine.config.sound, &events);
        let cut_off = engine.unclean;
        let lane = &engine.register.lane;
        let no_backup = lane.last_z.is_some() && !lane.backed_up;
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
            answered: Vec::new(),
            pin: None,
            events,
            ending: None,
            cart_changed: None,
            cart_sync,
            last_act: Instant::now(),
            acted: true,
            settled: true,
            cut_off,
            no_backup,
            unsaid: None,
            scanners,
            sound,
            weighing,
            showcase,
            line_display,
            customer: CustomerView::default(),
        })
    }

    /// Runs, behind its first frame, until staff leave or the system ends it.
    ///
    /// # Errors
    /// A terminal that cannot be written to any more.
    pub fn run(mut self, inbox: &mut Inbox) -> io::Result<Ended> {
        self.begin_beside();
        while self.ending.is_none() {
            let written = self.at_once().and_then(|left| inbox.heard_within(left));
            match written.or_else(|| inbox.next(self.next_wake())) {
                Some(event) => {
                    self.happened(event);
                    // All that waits is taken before anything is drawn: a scan costs one frame.
                    while let Some(event) = inbox.try_next() {
                        self.happened(event);
                    }
                }
                None => self.woke(),
            }
            if self.is_soon_written() {
                continue; // One frame for the key and its answer; the disk is quicker than both.
            }
            self.draw()?;
            self.ring();
            self.carry_out(); // The cashier has the answer; now drawer and paper.
        }
        self.finish(inbox);
        let ending = self.ending.unwrap_or(Ending::Asked);
        let damaged = ending == Ending::Asked && self.engine.damage.is_some();
        let ending = if damaged { Ending::Damaged } else { ending };
        Ok(Ended { ending, unsaid: self.unsaid })
    }

    /// Begins what runs beside the first keys: the note that a register works here, room for its sales,
    /// the check of the chain, the search for papers that the last run left.
    fn begin_beside(&mut self) {
        self.scanners.follow(&self.engine.config.scanner);
        self.cart_sync.ask();
        self.engine.shop.keep_room();
        self.engine.spool.watch();
        self.engine.kitchen.watch();
        let (events, copy) = (self.events.clone(), opening::copy_place(&self.engine.config));
        self.engine.check = Some(StartCheck::begin(&self.engine.shop, copy, move || {
            let _ = events.send(Event::Checked); // The register has ended meanwhile.
        }));
        let last = self.engine.last_run();
        let events = self.events.clone();
        let found = move |left| drop(events.send(Event::Unprinted(left)));
        if let Err(error) = unprinted::find_beside(&self.engine.shop, last, found) {
            self.unprinted(Err(StoreError::from(error).into()));
        }
    }

    fn unprinted(&mut self, left: Result<Vec<Unprinted>, Refusal>) {
        match left {
            Ok(left) => {
                self.engine.print_left(left);
                self.printer();
            }
            Err(refusal) => self.picture.refuse(&refusal, &self.engine.words),
        }
        self.settled = false;
    }

    /// What is being written is waited for: its answer may already be on paper.
    fn finish(&mut self, inbox: &mut Inbox) {
        while self.in_flight.is_some() {
            match inbox.next(Duration::from_secs(5)) {
                Some(Event::Written(written)) => self.written(written),
                Some(_) => {}
                None => return,
            }
        }
        self.carry_out();
        self.engine.spool.drain(Duration::from_millis(300));
        self.engine.kitchen.drain(Duration::from_millis(300));
        self.engine.stamp_spool();
        self.end_backup(true);
        self.engine.settle();
        self.engine.shop.sync_cart();
    }

    /// Takes the end of a Z's backup when it is there; `wait` waits for it.
    fn end_backup(&mut self, wait: bool) {
        if let Err(refusal) = self.engine.end_backup(wait) {
            self.picture.refuse(&refusal, &self.engine.words);
            self.unsaid = Some(self.engine.words.refusal(&refusal)); // Once more on the way out.
        }
        self.settled &= self.engine.backup.is_some();
    }

    /// Says how the trial of the last backup came out, unless something else is being read.
    fn end_trial(&mut self) {
        match self.engine.end_trial(false) {
            Ok(None) => {}
            Ok(Some(name)) => {
                let told = self.engine.words.fill("notice.backup_tried", &[("name", &name)]);
                self.picture.said_aside(told);
            }
            Err(refusal) => self.picture.refuse(&refusal, &self.engine.words),
        }
    }

    /// Whether an act was handed to the disk so short a time ago that its answer will be next.
    fn is_soon_written(&self) -> bool {
        let since = self.in_flight.as_ref().map(|act| act.since.elapsed());
        since.is_some_and(|since| since < SOON) && self.ending.is_none()
    }

    /// How long the answer of a quick disk may still take.
    fn at_once(&self) -> Option<Duration> {
        self.in_flight.as_ref().and_then(|act| AT_ONCE.checked_sub(act.since.elapsed()))
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Idle wakes for nothing but the minute on the clock.
    fn next_wake(&self) -> Duration {
        let to_minute = 60_000 - self.engine.time.utc_ms().rem_euclid(60_000);
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
        if self.engine.backup.is_some() {
            wake = wake.min(BACKUP);
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
            self.acted = true;
            self.picture.clock_jumped(jump, &self.engine);
        }
    }

    fn woke(&mut self) {
        self.acted = true; // What hangs on the hour: a rate, an approval, training.
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
            self.cart_sync.ask();
        }
        self.end_trial();
        let may_settle = self.in_flight.is_none() && !self.engine.shop.reader().is_sorting_in();
        if self.engine.backup.is_some() && may_settle {
            self.end_backup(false);
        }
        if !self.settled && self.last_act.elapsed() >= IDLE && may_settle {
            self.settled = true;
            self.engine.stamp_spool();
            self.engine.settle();
        }
    }

    fn happened(&mut self, event: Event) {
        self.acted |= !matches!(event, Event::Terminal(_));
        self.watch_clock();
        match event {
            Event::Terminal(events) => self.typed(events),
            Event::NoKanji => self.no_kanji(),
            Event::Scanner(event) => self.scanner(event),
            Event::Printer => self.printer(),
            Event::LineDisplay(state) => self.line_display_state(state),
            Event::Weighed(op, weight) => self.weighed(op, weight),
            Event::Mute(signal) => self.sound.mute(signal),
            Event::Written(written) => self.written(written),
            Event::PinCompared(compared) => self.pin_compared(compared),
            Event::Unprinted(left) => self.unprinted(left),
            Event::Checked => self.checked(),
            Event::Control(asked) => self.asked(asked),
            Event::End(ending) => self.ending = Some(ending),
            Event::WorkerDied(words) => self.picture.worker_died(&words, &self.engine.words),
        }
    }

    /// The screen goes on in romaji and English; papers stay as they are.
    fn no_kanji(&mut self) {
        self.engine.speak_plainly();
        self.picture.read_names();
        self.display.draw_plainly();
        self.picture.say("notice.bare_console", &self.engine.words);
    }

    fn terminal(&mut self, event: TerminalEvent) {
        match event {
            TerminalEvent::Key(key) if key.kind != KeyEventKind::Release => self.key(key),
            TerminalEvent::Resize(width, height) => self.display.resize(width, height),
            TerminalEvent::Paste(text) => {
                let text = text::beginning(&text, MOST_PASTED);
                let action = self.with_model(|screens, model| screens.on_paste(text, model));
                self.act(action);
            }
            TerminalEvent::Mouse(MouseEvent {
                kind: MouseEventKind::Down(MouseButton::Left),
                column,
                row,
                ..
            }) => self.touched(column, row),
            _ => {}
        }
    }

    /// A touch of the key line is the key it names.
    fn touched(&mut self, column: u16, row: u16) {
        let area = self.display.area();
        let key = self.with_model(|screens, model| screens.key_at((column, row), area, model));
        if let Some(key) = key {
            self.key(key);
        }
    }

    /// Takes over what the acts since the last look may have changed.
    fn look(&mut self) {
        if std::mem::take(&mut self.acted) {
            self.picture.look_at(&self.engine);
        }
    }

    fn with_model<T>(
        &mut self,
        see: impl FnOnce(&mut Screens, &crate::screens::Model<'_>) -> T,
    ) -> T {
        self.look();
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
                self.acted = true;
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

    /// Draws one frame.
    ///
    /// # Errors
    /// A terminal that cannot be written to any more.
    pub fn draw(&mut self) -> io::Result<()> {
        self.look();
        self.picture.look_around(&self.engine);
        if self.cut_off && !self.engine.register.is_locked() {
            self.cut_off = false;
            self.picture.cut_off(&self.engine);
        }
        if self.no_backup && !self.engine.register.is_locked() && self.picture.is_quiet() {
            self.no_backup = false;
            self.picture.say("notice.z_without_backup", &self.engine.words);
        }
        let model = self.picture.model(&self.engine.words);
        self.screens.settle(&model);
        let screens = &self.screens;
        self.display.offer_input_method(screens.takes_words());
        self.display.draw(|cells| screens.draw(cells, &model))?;
        self.show_customer();
        Ok(())
    }
}
