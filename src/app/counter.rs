//! The register at the counter: one loop, one closed event, one frame for all that waited.
//!
//! Room: app. May touch: every room below it. Decides nothing about selling.
//! Invariant: keys are taken in order; while an act is being written they wait, and none is lost.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::answers;
use super::books::Placed;
use super::control::Asked;
use super::engine::{Checked, Engine, Outcome, Pending, Step};
use super::event::{Ending, Event};
use super::exports::Source;
use super::picture::Picture;
use super::spool::SpoolNews;
use crate::devices::scanner::{ScannerEvent, Wedge, WedgeKey, WedgeReader};
use crate::domain::command::{self, Command};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::screens::terminal::Display;
use crate::screens::{Action, Question, ScreenName, Screens};

/// After this long without an answer from the disk the screen says that it is still writing.
const SLOW_DISK: Duration = Duration::from_secs(1);
/// A disk that answers within this time is not worth a frame of its own.
const SOON: Duration = Duration::from_millis(25);
/// The open cart is synced this long after its last change, off the key path.
const CART_SYNC: Duration = Duration::from_millis(80);
/// The store is settled when nothing happened for this long.
const IDLE: Duration = Duration::from_secs(20);

/// A command line that waits its turn, and who gave it.
struct Line {
    text: String,
    from: From,
}

enum From {
    Screens,
    Control(Box<Asked>),
}

/// The command whose entries are being written.
struct InFlight {
    pending: Box<Pending>,
    line: Line,
    since: Instant,
}

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
}

struct WriteJob {
    drafts: Vec<crate::domain::entry::Draft>,
    now: crate::domain::register::Now,
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
        events: &Sender<Event>,
    ) -> io::Result<Self> {
        let (writer, jobs): (_, Receiver<Box<WriteJob>>) = bounded(1);
        let shop = std::sync::Arc::clone(&engine.shop);
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
            // The cashier has the answer; now the paper.
            self.engine.spool.send_queued();
        }
        self.finish(events);
        Ok(self.ending.unwrap_or(Ending::Asked))
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
        if !self.settled {
            wake = wake.min(IDLE.saturating_sub(self.last_act.elapsed()));
        }
        wake
    }

    fn woke(&mut self) {
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
            Event::Written(written) => self.written(written),
            Event::Checked => self.checked(),
            Event::Control(asked) => self.asked(asked),
            Event::End(ending) => self.ending = Some(ending),
            Event::WorkerDied(words) => self.picture.worker_died(&words, &self.engine.words),
        }
    }

    /// A key of the terminal: first it may be part of a scan that is typed.
    fn key(&mut self, key: KeyEvent) {
        let now_ms = self.elapsed_ms();
        let plain = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
        let pressed = match key.code {
            KeyCode::Char(letter) if plain => Some(WedgeKey::Char(letter)),
            KeyCode::Enter if plain => Some(WedgeKey::Enter),
            KeyCode::Tab if plain => Some(WedgeKey::Tab),
            _ => None,
        };
        match pressed {
            Some(pressed) => {
                let meant = self.wedge.press(pressed, now_ms);
                self.wedged(meant);
            }
            None => {
                let held = self.wedge.flush();
                self.wedged(held);
                self.pressed(key);
            }
        }
    }

    fn wedged(&mut self, meant: Vec<Wedge>) {
        for wedge in meant {
            match wedge {
                Wedge::Key(key) => self.pressed(KeyEvent::from(code_of(key))),
                Wedge::Scan { text, take_back } if self.wants_typing() => {
                    // A PIN typed by a quick hand, or pasted: no code is looked for here.
                    for letter in text.chars().skip(take_back) {
                        self.pressed(KeyEvent::from(KeyCode::Char(letter)));
                    }
                    self.pressed(KeyEvent::from(KeyCode::Enter));
                }
                Wedge::Scan { text, take_back } => {
                    self.take_back(take_back);
                    self.scanned(&text);
                }
                Wedge::Rejected { take_back, .. } => {
                    self.take_back(take_back);
                    self.picture.say_refusal("scan_rejected", &self.engine.words);
                }
            }
        }
    }

    /// Whether what is typed now is for the screen whatever its speed.
    fn wants_typing(&self) -> bool {
        matches!(self.screens.name(), ScreenName::SignIn | ScreenName::Prompt)
    }

    /// Digits of a scan were shown as typed; they go again.
    fn take_back(&mut self, count: usize) {
        for _ in 0..count {
            match self.waiting_keys.back() {
                Some(_) => drop(self.waiting_keys.pop_back()),
                None => {
                    let back = KeyEvent::from(KeyCode::Backspace);
                    self.with_model(|screens, model| screens.on_key(back, model));
                }
            }
        }
    }

    fn pressed(&mut self, key: KeyEvent) {
        if self.is_busy() {
            self.waiting_keys.push_back(key);
            return;
        }
        let before = self.screens.name();
        let action = self.with_model(|screens, model| screens.on_key(key, model));
        if action == Action::Stay && self.screens.name() != before {
            self.picture.quiet(); // What was said belongs to the screen that was left.
        }
        self.act(action);
    }

    fn scanned(&mut self, text: &str) {
        let action = self.with_model(|screens, model| screens.on_scan(text, model));
        self.act(action);
    }

    fn is_busy(&self) -> bool {
        self.in_flight.is_some() || !self.lines.is_empty()
    }

    fn with_model<T>(
        &mut self,
        see: impl FnOnce(&mut Screens, &crate::screens::Model<'_>) -> T,
    ) -> T {
        self.picture.look_at(&self.engine);
        let model = self.picture.model(&self.engine.words);
        see(&mut self.screens, &model)
    }

    fn scanner(&mut self, event: ScannerEvent) {
        match event {
            ScannerEvent::Scan(text) => self.scanned(&text),
            ScannerEvent::Rejected(_) => {
                self.picture.say_refusal("scan_rejected", &self.engine.words);
            }
            other => self.picture.scanner(&other, &self.engine.words),
        }
    }

    fn printer(&mut self) {
        for news in self.engine.spool.news() {
            if let SpoolNews::Uncertain { job } = &news {
                self.picture.uncertain_print(job, &self.engine.words);
            }
        }
        // An ended job is written with the next act, or once it is quiet.
        self.settled = false;
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
            Action::Found(_) => {} // A shop is founded before the counter opens.
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

    /// Carries out the lines that wait, until one has to be written.
    fn work(&mut self) {
        while self.in_flight.is_none() {
            let left = self.lines.len();
            let Some(line) = self.lines.pop_front() else { break };
            self.begin(line);
            if self.lines.len() == left && self.in_flight.is_none() {
                return; // The line waits for the chain's check.
            }
        }
        while !self.is_busy() {
            let Some(key) = self.waiting_keys.pop_front() else { break };
            self.pressed(key);
        }
    }

    fn checked(&mut self) {
        if self.engine.checked() == Checked::Passed
            && let Some(refusal) = self.engine.damage.clone()
        {
            self.picture.refuse(&refusal, &self.engine.words);
        }
        self.work();
    }

    fn begin(&mut self, line: Line) {
        let command = match command::parse(&line.text) {
            Ok(Some(command)) => command,
            Ok(None) => return,
            Err(refusal) => return self.done(line, Outcome::refused("", refusal)),
        };
        if matches!(command, Command::Tender { .. }) && self.engine.checked() == Checked::Running {
            // The first tender waits for the chain, the loop does not.
            self.picture.say("notice.checking", &self.engine.words);
            self.lines.push_front(line);
            return;
        }
        self.engine.stamp_spool();
        self.last_act = Instant::now();
        match self.engine.begin(&command, &line.text) {
            Step::Done(outcome) => {
                if changes_cart(&command) {
                    self.cart_changed = Some(Instant::now());
                }
                self.done(line, *outcome);
            }
            Step::Write(pending) => {
                let job = WriteJob { drafts: pending.drafts.clone(), now: pending.now };
                if self.writer.send(Box::new(job)).is_err() {
                    let refusal = Refusal::new(RefusalCode::Damaged).saying("writer_died");
                    return self.done(line, Outcome::refused("", refusal));
                }
                self.in_flight = Some(InFlight { pending, line, since: Instant::now() });
            }
        }
    }

    fn written(&mut self, written: Result<Vec<Placed>, Refusal>) {
        let Some(in_flight) = self.in_flight.take() else { return };
        // No cart is synced once its sale has ended.
        self.cart_changed = None;
        self.settled = false;
        let outcome = self.engine.finish(*in_flight.pending, written);
        self.done(in_flight.line, outcome);
        self.work();
    }

    fn done(&mut self, line: Line, outcome: Outcome) {
        match line.from {
            From::Control(asked) => {
                let reply = answers::reply(&mut self.engine, outcome);
                let _ = asked.answer.send(reply); // A client that left wants none.
            }
            From::Screens => self.done_here(&line.text, outcome),
        }
    }

    fn done_here(&mut self, line: &str, outcome: Outcome) {
        if let Some(refusal) = &outcome.refusal {
            self.picture.refuse(refusal, &self.engine.words);
            // The rest of a macro is not given: its first refusal stops it.
            self.lines.retain(|line| !matches!(line.from, From::Screens));
            self.waiting_keys.clear();
            let refusal = refusal.clone();
            self.with_model(|screens, model| screens.refused(line, &refusal, model));
            return;
        }
        self.picture.done(&outcome, &self.engine);
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
    }

    /// Another program may look; selling is done at the counter.
    fn asked(&mut self, asked: Asked) {
        if let Some(order) = asked.request.export {
            let source = Source::of(&self.engine);
            return source.write_aside(order, self.engine.words.clone(), asked.answer);
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
        Ok(())
    }
}

fn code_of(key: WedgeKey) -> KeyCode {
    match key {
        WedgeKey::Char(letter) => KeyCode::Char(letter),
        WedgeKey::Enter => KeyCode::Enter,
        WedgeKey::Tab => KeyCode::Tab,
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
