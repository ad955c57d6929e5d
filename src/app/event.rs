//! Everything that can happen to a running register, on one page.
//!
//! Room: app. May touch: the threads that send.

use std::thread;
use std::time::Duration;

use crossbeam_channel::Sender;

use super::books::Booked;
use super::control::Asked;
use super::pin_check::Compared;
use super::unprinted::Unprinted;
use crate::devices::printer::Trouble;
use crate::devices::scale::{Milligrams, ScaleFault};
use crate::devices::scanner::ScannerEvent;
use crate::devices::sound::Signal;
use crate::domain::refusal::Refusal;
use crate::screens::terminal;

/// The most events that wait; a scanner's thread waits when it is reached, nothing is dropped.
pub const QUEUE: usize = 256;

#[derive(Debug)]
pub enum Event {
    /// Keys, pastes or a new size: all that the terminal sent at once.
    Terminal(Vec<crossterm::event::Event>),
    /// The terminal cannot draw kanji.
    NoKanji,
    Scanner(ScannerEvent),
    /// The printer has news; the spool holds it.
    Printer,
    /// The line display took what it was given, or is lost.
    LineDisplay(Result<(), Trouble>),
    /// The scale answers the asking of that number.
    Weighed(u64, Result<Milligrams, ScaleFault>),
    /// The sound card does not play; what it was to play was not heard.
    Mute(Signal),
    /// The entries of the command in flight are on the disk, or are not.
    Written(Result<Booked, Refusal>),
    /// The PIN that the first command waits for was compared.
    PinCompared(Result<Compared, Refusal>),
    /// What the last run left unprinted was looked up.
    Unprinted(Result<Vec<Unprinted>, Refusal>),
    /// The chain's check has ended.
    Checked,
    /// Another program asks.
    Control(Asked),
    /// The terminal is gone, or the system wants the program to end.
    End(Ending),
    /// A thread died; its own words.
    WorkerDied(String),
}

/// Why a register ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Asked,
    /// Staff left a register whose journal is damaged.
    Damaged,
    Signal(i32),
}

/// How long the loop may take to end cleanly after a signal before the process ends all the same.
const GRACE: Duration = Duration::from_millis(1500);

/// A terminal that has not said by then where its cursor stands is taken for a fit one.
const ANSWER_TIME: Duration = Duration::from_millis(150);

/// The most keys in one event; what is pasted without a mark comes in several.
const MOST_AT_ONCE: usize = 1024;

/// Starts the thread that reads the terminal. What came at once goes on at once: a scan wakes the
/// loop once. The thread is never joined: when the terminal is gone its reader never returns.
/// It was asked for its cursor after a 漢: the answer is read first.
///
/// # Errors
/// When no thread can be started.
pub fn read_terminal(events: Sender<Event>) -> std::io::Result<()> {
    thread::Builder::new().name("terminal".to_owned()).spawn(move || {
        if terminal::is_bare_console() || terminal::denies_kanji(ANSWER_TIME) {
            let _ = events.send(Event::NoKanji); // The register has ended meanwhile.
        }
        while let Ok(first) = crossterm::event::read() {
            let mut taken = vec![first];
            while taken.len() < MOST_AT_ONCE
                && crossterm::event::poll(Duration::ZERO).is_ok_and(|more| more)
            {
                match crossterm::event::read() {
                    Ok(event) => taken.push(event),
                    Err(_) => break, // The next round meets it again.
                }
            }
            if events.send(Event::Terminal(taken)).is_err() {
                return;
            }
        }
        let _ = events.send(Event::End(Ending::Signal(signal_hook::consts::SIGHUP)));
    })?;
    Ok(())
}

/// Starts the thread that hears signals: the loop is asked to end, and when it does not, the terminal
/// is given back and the process ends.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn hear_signals(events: Sender<Event>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let _ = events.send_timeout(Event::End(Ending::Signal(signal)), GRACE);
            thread::sleep(GRACE);
            crate::screens::terminal::leave();
            std::process::exit(128 + signal);
        }
    })?;
    Ok(())
}
