//! Opening the register on this terminal: the shop's own, or the sample shop in a temporary folder.
//!
//! Room: cli. May touch: the terminal, app.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use super::exit::Exit;
use super::said::{Said, say};
use crate::app::control::ControlSocket;
use crate::app::counter::Counter;
use crate::app::demo as sample_shop;
use crate::app::engine::Engine;
use crate::app::event::{self, Ending, Event};
use crate::app::first_run;
use crate::app::inbox::{EventSender, Inbox};
use crate::app::lane_config::LaneConfig;
use crate::app::opening::{self, OpenFault, Options};
use crate::app::picture::Picture;
use crate::app::recovery::{self, Left};
use crate::app::showcase::Showcase;
use crate::domain::words::Words;
use crate::screens::{Display, Screens, TerminalGuard, paper_columns, terminal};
use crate::store::catalog::Damage;
use crate::store::fault::StoreError;
use crate::store::repair::Missing;

/// Columns of the paper a sample shop prints on, where the pane has room for it.
const WIDE_PAPER: u16 = 48;
/// The profile of the paper for a narrower pane.
const NARROW_PAPER: &str = "generic-58";

/// Opens the register of the shop folder; a folder without a shop is asked about first.
pub fn open(options: &Options, words: &Words) -> Result<Exit, Said> {
    open_saying(options, words, None)
}

/// `greeting` stands on the screen before the first act.
fn open_saying(options: &Options, words: &Words, greeting: Option<String>) -> Result<Exit, Said> {
    let (events, inbox) = Inbox::new().map_err(|error| Said::file("terminal", &error, words))?;
    let woken = events.clone();
    let wake = move || drop(woken.send(Event::Printer));
    match opening::open(options, wake) {
        Ok(mut engine) if !engine.broken.is_empty() => {
            let found = std::mem::take(&mut engine.broken);
            engine.spool.stop();
            engine.shop.close();
            drop(engine);
            let first = found.iter().min_by_key(|damage| damage.seq).copied();
            let error = first.map_or(StoreError::Journal(String::new()), StoreError::Damaged);
            recover(options, Said::store(error, words), &found)
        }
        Ok(engine) => counter(options, engine, events, inbox, words, greeting),
        Err(OpenFault::NoShop) if io::stdout().is_terminal() => {
            let asked = first_run::ask(options, words)
                .map_err(|error| Said::file("terminal", &error, words))?;
            match asked {
                None => Ok(Exit::Done),
                Some(first) => {
                    let founded = first_run::found(options, &first);
                    let mut engine =
                        founded.map_err(|fault| Said::opening(fault, &options.dir, words))?;
                    engine.spool.stop(); // One thread a printer.
                    engine.kitchen.stop();
                    engine.shop.close();
                    drop(engine);
                    open(options, words)
                }
            }
        }
        Err(fault) => recover(options, Said::opening(fault, &options.dir, words), &[]),
    }
}

/// A shop whose data is damaged leads to the screen that says so; where there is no screen, and for
/// anything else, the sentence is all.
fn recover(options: &Options, said: Said, opening: &[Damage]) -> Result<Exit, Said> {
    let on_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    if said.exit != Exit::Damaged || !on_terminal {
        return Err(said);
    }
    let config = opening::read_config(&options.dir).unwrap_or_default();
    let config = LaneConfig { lane: options.lane.unwrap_or(config.lane), ..config };
    let words = &opening::language(options, &config).words();
    let left = recovery::ask(options, &config, &said.text, opening, words)
        .map_err(|error| Said::file("terminal", &error, words))?;
    match left {
        Left::Mended(None) => self::open(options, words),
        Left::Mended(Some(Missing { first, last })) => {
            let told = words.fill("cli.missing_given_up", &[("first", &first), ("last", &last)]);
            open_saying(options, words, Some(told))
        }
        Left::AsItWas => Err(said),
    }
}

/// Opens the sample shop in a folder that goes with the register.
pub fn demo(options: &Options, words: &Words) -> Result<Exit, Said> {
    let folder =
        tempfile::tempdir().map_err(|error| Said::file("temporary folder", &error, words))?;
    let mut options = options.clone();
    options.dir = folder.path().join("shop");
    options.printer = Some("screen:");
    let config = opening::read_config(&options.dir)
        .map_err(|fault| Said::opening(fault, &options.dir, words))?;
    let mut config = config;
    if let Some(language) = options.language {
        config.language = language.word().to_owned();
    }
    // A receipt of 48 columns would stand cut in the pane of a terminal of usual width.
    let columns = crossterm::terminal::size().ok().and_then(|(width, _)| paper_columns(width));
    if columns.is_some_and(|columns| columns < WIDE_PAPER) {
        config.printer.profile = NARROW_PAPER.to_owned();
    }
    let engine = sample_shop::found(&options, &config)
        .map_err(|fault| Said::opening(fault, &options.dir, words))?;
    engine.shop.close();
    drop(engine);
    open_saying(&options, words, Some(words.get("notice.sample_pins").to_owned()))
}

fn counter(
    options: &Options,
    engine: Engine,
    events: EventSender,
    mut inbox: Inbox,
    words: &Words,
    greeting: Option<String>,
) -> Result<Exit, Said> {
    let at_terminal = |error: &io::Error| Said::file("terminal", error, words);
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Said { text: words.get("cli.no_terminal").to_owned(), exit: Exit::Usage });
    }
    let theme = opening::theme(&engine.dir, &engine.config.theme)
        .map_err(|fault| Said::opening(fault, &engine.dir, words))?;
    let mut picture = Picture::default();
    if let Some(greeting) = greeting {
        picture.said(greeting);
    }
    event::hear_signals(events.clone()).map_err(|error| at_terminal(&error))?;
    let died = events.clone();
    terminal::on_panic(std::thread::current().id(), move |words| {
        let _ = died.try_send(Event::WorkerDied(words)); // A full queue has more pressing news.
    });
    let guard = TerminalGuard::enter().map_err(|error| at_terminal(&error))?;
    terminal::ask_for_kanji(&mut io::stdout()).map_err(|error| at_terminal(&error))?;
    let (width, height) = crossterm::terminal::size().map_err(|error| at_terminal(&error))?;
    inbox.read_terminal().map_err(|error| at_terminal(&error))?;
    if terminal::is_bare_console() {
        let _ = events.try_send(Event::NoKanji); // Nothing else is in the queue.
    }
    let screens = Screens::new(engine.keymap.clone(), theme);
    let display = Display::new(io::stdout(), width, height);
    let shop = Arc::clone(&engine.shop);
    let showcase = Arc::<Showcase>::default();
    let show = Arc::clone(&showcase);
    let mut counter = Counter::new(engine, screens, picture, display, show, events.clone())
        .map_err(|error| at_terminal(&error))?;
    let shown = counter.draw();
    // The cashier sees the register before others can reach it.
    let _control = listen(shop.dir(), &showcase, &events).map_err(|error| at_terminal(&error))?;
    let ended = shown.and_then(|()| counter.run(&mut inbox));
    drop((guard, inbox));
    shop.close();
    if let Some(unsaid) = ended.as_ref().ok().and_then(|ended| ended.unsaid.as_ref()) {
        say(unsaid);
    }
    Ok(match ended.map(|ended| ended.ending) {
        Ok(Ending::Asked) => Exit::Done,
        Ok(Ending::Damaged) => {
            let error = StoreError::Folder("the journal is damaged");
            return recover(options, Said::store(error, words), &[]);
        }
        Ok(Ending::Signal(signal)) => Exit::of_signal(signal),
        // The terminal went away under the frame: the sale is safe, there is nobody to tell.
        Err(_) => Exit::Hangup,
    })
}

fn listen(dir: &Path, showcase: &Arc<Showcase>, events: &EventSender) -> io::Result<ControlSocket> {
    let events = events.clone();
    ControlSocket::listen(dir, Arc::clone(showcase), move |asked| {
        events.send(Event::Control(asked)).is_ok()
    })
}
