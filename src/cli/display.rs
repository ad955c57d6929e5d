//! `regi display`: a second terminal that shows the customer what the register does.
//!
//! Room: cli. May touch: the terminal, app.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use crossbeam_channel::{Sender, unbounded};
use crossterm::event::{Event as TerminalEvent, KeyCode, KeyModifiers};

use super::exit::Exit;
use super::said::Said;
use crate::app::control::Client;
use crate::app::opening::{self, Options};
use crate::domain::words::Words;
use crate::screens::{CustomerView, Display, TerminalGuard, customer, terminal};

/// Between two attempts to reach a register that is not there.
const RETRY: Duration = Duration::from_secs(1);

/// How long a terminal may take to say whether it draws kanji.
const ANSWER_TIME: Duration = Duration::from_secs(1);

enum Happened {
    View(Box<CustomerView>),
    Gone,
    Terminal(TerminalEvent),
}

pub fn display(options: &Options, words: &Words) -> Result<Exit, Said> {
    let at_terminal = |error: &io::Error| Said::file("terminal", error, words);
    if !io::stdout().is_terminal() {
        return Err(Said { text: words.get("cli.no_terminal").to_owned(), exit: Exit::Usage });
    }
    let opening_fault = |fault| Said::opening(fault, &options.dir, words);
    let config = opening::read_config(&options.dir).map_err(opening_fault)?;
    let theme = opening::theme(&options.dir, &config.theme).map_err(opening_fault)?;
    let (tell, happened) = unbounded(); // Bounded by what the register sends and a hand presses.
    follow(options.dir.clone(), tell.clone());
    let guard = TerminalGuard::enter().map_err(|error| at_terminal(&error))?;
    terminal::ask_for_kanji(&mut io::stdout()).map_err(|error| at_terminal(&error))?;
    let plain = terminal::draws_no_kanji(ANSWER_TIME);
    let plain_words = opening::language(options, &config).plain_words();
    let words = if plain { &plain_words } else { words };
    std::thread::spawn(move || {
        while let Ok(event) = crossterm::event::read() {
            if tell.send(Happened::Terminal(event)).is_err() {
                return;
            }
        }
    });
    let (width, height) = crossterm::terminal::size().map_err(|error| at_terminal(&error))?;
    let mut screen = Display::new(io::stdout(), width, height);
    if plain {
        screen.draw_plainly();
    }
    let mut view = None;
    loop {
        let drawn = screen.draw(|cells| {
            customer::draw(cells, view.as_ref(), words, &theme);
            None
        });
        if drawn.is_err() {
            return Ok(Exit::Hangup); // The terminal went away: nobody looks any more.
        }
        match happened.recv() {
            Ok(Happened::View(new)) if plain => view = Some(new.plainly()),
            Ok(Happened::View(new)) => view = Some(*new),
            Ok(Happened::Gone) => view = None,
            Ok(Happened::Terminal(TerminalEvent::Resize(width, height))) => {
                screen.resize(width, height);
            }
            Ok(Happened::Terminal(TerminalEvent::Key(key))) => {
                let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
                if ctrl && matches!(key.code, KeyCode::Char('q' | 'c')) {
                    break;
                }
            }
            Ok(Happened::Terminal(_)) => {}
            Err(_) => break,
        }
    }
    drop(guard);
    Ok(Exit::Done)
}

/// Follows the register of the shop, and the next one when it has ended.
fn follow(dir: PathBuf, tell: Sender<Happened>) {
    std::thread::spawn(move || {
        let mut there = false;
        loop {
            if let Ok(client) = Client::connect(&dir) {
                let shown = client.follow(|view| {
                    there = true;
                    tell.send(Happened::View(Box::new(view))).is_ok()
                });
                if shown.is_ok() {
                    return; // Nobody shows it any more.
                }
            }
            if std::mem::take(&mut there) && tell.send(Happened::Gone).is_err() {
                return;
            }
            std::thread::sleep(RETRY);
        }
    });
}
