//! Everything that can happen to a running register, on one page.
//!
//! Room: app. May touch: the threads that send.

use std::thread;
use std::time::Duration;

use super::books::Booked;
use super::control::Asked;
use super::inbox::EventSender;
use super::pin_check::Compared;
use super::unprinted::Unprinted;
use crate::devices::printer::Trouble;
use crate::devices::scale::{Milligrams, ScaleFault};
use crate::devices::scanner::ScannerEvent;
use crate::devices::sound::Signal;
use crate::domain::refusal::Refusal;

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

/// How a register ended.
#[derive(Debug)]
pub struct Ended {
    pub ending: Ending,
    /// What is to be said when the screen has gone.
    pub unsaid: Option<String>,
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

/// Starts the thread that hears signals: the loop is asked to end, and when it does not, the terminal
/// is given back and the process ends.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn hear_signals(events: EventSender) -> std::io::Result<()> {
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
