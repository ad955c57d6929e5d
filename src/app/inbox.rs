//! What the loop waits for: events of other threads, and the terminal, which it reads itself.
//!
//! Room: app. May touch: the terminal's keys. Invariant: a key wakes one thread, the one that answers
//! it; a thread's event wakes the loop, and none is lost.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, SendError, SendTimeoutError, Sender, TrySendError, bounded};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGWINCH};
use signal_hook::low_level;

use super::event::{Ending, Event};
use crate::screens::terminal;

/// The most events that wait; a scanner's thread waits when it is reached, nothing is dropped.
const QUEUE: usize = 256;

/// A terminal that has not said by then where its cursor stands is taken for a fit one.
const ANSWER_TIME: Duration = Duration::from_millis(150);

/// The most keys in one event; what is pasted without a mark comes in several.
const MOST_AT_ONCE: usize = 1024;

/// Hands events to the loop. Clones hand to the same loop, each in the order of its calls.
#[derive(Debug, Clone)]
pub struct EventSender {
    events: Sender<Event>,
    bell: Arc<OwnedFd>,
}

impl EventSender {
    /// Waits while the queue is full.
    ///
    /// # Errors
    /// When the loop has ended.
    pub fn send(&self, event: Event) -> Result<(), SendError<Event>> {
        self.events.send(event)?;
        self.ring();
        Ok(())
    }

    /// # Errors
    /// When the queue is full, or the loop has ended.
    pub fn try_send(&self, event: Event) -> Result<(), TrySendError<Event>> {
        self.events.try_send(event)?;
        self.ring();
        Ok(())
    }

    /// # Errors
    /// When the queue stays full for `patience`, or the loop has ended.
    pub fn send_timeout(
        &self,
        event: Event,
        patience: Duration,
    ) -> Result<(), SendTimeoutError<Event>> {
        self.events.send_timeout(event, patience)?;
        self.ring();
        Ok(())
    }

    fn ring(&self) {
        let _ = rustix::io::write(&self.bell, b"!"); // A full pipe has rung already.
    }
}

/// The loop's own end.
#[derive(Debug)]
pub struct Inbox {
    events: Receiver<Event>,
    bell: Arc<OwnedFd>,
    rung: OwnedFd,
    /// The terminal, once its keys are read here.
    keys: Option<Keys>,
}

/// What is known of the terminal.
#[derive(Debug)]
struct Keys {
    /// Since when its cursor is asked for; it answers among the keys.
    asked: Option<Instant>,
    /// Something came that was not looked at yet.
    waits: bool,
    is_gone: bool,
    new_size: SigId,
}

impl Drop for Keys {
    fn drop(&mut self) {
        low_level::unregister(self.new_size);
    }
}

impl Inbox {
    /// # Errors
    /// When the system has no pipe left.
    pub fn new() -> io::Result<(EventSender, Self)> {
        let (sender, events) = bounded(QUEUE);
        let (rung, bell) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let bell = Arc::new(bell);
        let sender = EventSender { events: sender, bell: Arc::clone(&bell) };
        Ok((sender, Self { events, bell, rung, keys: None }))
    }

    /// Reads the terminal from here on, which was entered and asked for its cursor after a 漢.
    ///
    /// # Errors
    /// When a new size of it cannot be listened for.
    pub fn read_terminal(&mut self) -> io::Result<()> {
        // Heard here behind the reader of keys, which registered when the terminal was entered.
        let new_size = low_level::pipe::register(SIGWINCH, self.bell.try_clone()?)?;
        self.keys =
            Some(Keys { asked: Some(Instant::now()), waits: true, is_gone: false, new_size });
        Ok(())
    }

    /// Returns the next event, waiting for it at most so long.
    pub fn next(&mut self, patience: Duration) -> Option<Event> {
        let until = Instant::now() + patience;
        loop {
            let event = self.try_next();
            if event.is_some() || !self.wait(until.saturating_duration_since(Instant::now())) {
                return event;
            }
        }
    }

    /// Returns what a thread says within `patience`, without sleeping meanwhile: on a machine that has
    /// gone idle, waking takes as long as a quick disk.
    pub fn heard_within(&self, patience: Duration) -> Option<Event> {
        let until = Instant::now() + patience;
        loop {
            match self.events.try_recv() {
                Ok(event) => return Some(event),
                Err(_) if Instant::now() >= until => return None,
                Err(_) => std::thread::yield_now(),
            }
        }
    }

    /// Returns the next event that is there; what threads said comes before keys.
    pub fn try_next(&mut self) -> Option<Event> {
        self.events.try_recv().ok().or_else(|| self.typed())
    }

    /// Waits for anything; returns whether there is.
    fn wait(&mut self, patience: Duration) -> bool {
        let patience =
            self.keys.as_ref().and_then(Keys::answer_due).map_or(patience, |due| due.min(patience));
        let Ok(patience) = Timespec::try_from(patience) else { return false };
        let stdin = io::stdin();
        let mut ways = [PollFd::new(&self.rung, PollFlags::IN), PollFd::new(&stdin, PollFlags::IN)];
        let heard = if self.keys.is_some() { 2 } else { 1 };
        let polled = poll(&mut ways[..heard], Some(&patience));
        let [bell, terminal] = ways.map(|way| way.revents());
        let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        let is_gone = terminal.intersects(gone);
        if bell.intersects(PollFlags::IN) {
            let _ = rustix::io::read(&self.rung, &mut [0; 64]); // Rings that are left wake it again.
        }
        let is_due = self.keys.as_ref().and_then(Keys::answer_due) == Some(Duration::ZERO);
        let stirred = polled.map_or_else(|error| error == Errno::INTR, |count| count > 0) || is_due;
        if let Some(keys) = &mut self.keys {
            keys.waits |= stirred;
            keys.is_gone |= is_gone;
        }
        stirred
    }

    /// All that the terminal sent at once: a scan is one event.
    fn typed(&mut self) -> Option<Event> {
        let keys = self.keys.as_mut().filter(|keys| keys.waits)?;
        if keys.answer_due().is_some_and(|due| !due.is_zero()) && !terminal::has_said_something() {
            keys.waits = false; // Its answer comes before any key.
            return None;
        }
        if keys.denies_kanji() {
            return Some(Event::NoKanji);
        }
        let mut taken = Vec::new();
        match keys.read(&mut taken) {
            Err(_) if taken.is_empty() => {
                self.keys = None;
                Some(Event::End(Ending::Signal(SIGHUP)))
            }
            _ => (!taken.is_empty()).then_some(Event::Terminal(taken)),
        }
    }
}

impl Keys {
    /// How long an answer about the cursor is still waited for; absent once there was one, or a key.
    fn answer_due(&self) -> Option<Duration> {
        self.asked.map(|asked| ANSWER_TIME.saturating_sub(asked.elapsed()))
    }

    /// Whether the terminal cannot draw kanji, by its answer; asked once.
    fn denies_kanji(&mut self) -> bool {
        let due = self.answer_due();
        self.asked = None;
        due.is_some_and(|due| !due.is_zero()) && terminal::denies_kanji()
    }

    /// Takes what is there, and leaves `waits` where there may be more.
    ///
    /// # Errors
    /// A terminal that is gone.
    fn read(&mut self, taken: &mut Vec<crossterm::event::Event>) -> io::Result<()> {
        if self.is_gone {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // An answer about the cursor that comes late is no key, and ends a look with keys behind it.
        let look = || crossterm::event::poll(Duration::ZERO);
        while look()? || look()? || (terminal::tells_again() && look()?) {
            if taken.len() == MOST_AT_ONCE {
                return Ok(());
            }
            taken.push(crossterm::event::read()?);
        }
        self.waits = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thread_says_wakes_the_loop_and_comes_in_order() {
        let (events, mut inbox) = Inbox::new().unwrap();
        let teller = std::thread::spawn(move || {
            for word in ["one", "two", "three"] {
                std::thread::sleep(Duration::from_millis(2));
                events.send(Event::WorkerDied(word.to_owned())).unwrap();
            }
        });
        for word in ["one", "two", "three"] {
            let event = inbox.next(Duration::from_secs(60));
            assert!(matches!(&event, Some(Event::WorkerDied(said)) if said == word), "{event:?}");
        }
        teller.join().unwrap();
    }

    #[test]
    fn rings_for_what_was_taken_already_do_not_end_the_waiting() {
        let (events, mut inbox) = Inbox::new().unwrap();
        for _ in 0..3 {
            events.send(Event::Checked).unwrap();
            assert!(inbox.try_next().is_some());
        }
        let began = Instant::now();
        assert!(inbox.next(Duration::from_millis(30)).is_none());
        assert!(began.elapsed() >= Duration::from_millis(30));
    }

    #[test]
    fn a_full_queue_rings_once_it_is_emptied() {
        let (events, mut inbox) = Inbox::new().unwrap();
        for _ in 0..QUEUE {
            events.try_send(Event::Checked).unwrap();
        }
        assert!(events.try_send(Event::Checked).is_err());
        let late = std::thread::spawn(move || events.send(Event::Checked));
        let taken = (0..=QUEUE).filter(|_| inbox.next(Duration::from_secs(60)).is_some()).count();
        assert_eq!(taken, QUEUE + 1);
        late.join().unwrap().unwrap();
        assert!(inbox.try_next().is_none());
    }
}
