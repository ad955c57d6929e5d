//! A screen that panics, in a terminal: what is left of it, and who hears why.
//!
//! Room: tests. May touch: a pseudo-terminal, this very program.
//! Nothing makes the register's own screens panic, so this program is run once more as one that does,
//! behind the same guard and hook.

use std::sync::mpsc;
use std::thread;

use portable_pty::CommandBuilder;
use regi::screens::terminal::{TerminalGuard, on_panic};

use crate::pty::{Kanji, Terminal};

/// What the child is to do; absent when it is not one.
const PLAY: &str = "REGI_TEST_PANICS";
const OF_THE_SCREEN: &str = "screen";
const OF_A_WORKER: &str = "worker";

/// Runs `the_child` of this program in a terminal.
fn played(part: &str) -> Terminal {
    let mut command = CommandBuilder::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "panics::the_child", "--ignored", "--nocapture"]);
    command.env(PLAY, part);
    command.env("RUST_BACKTRACE", "0"); // A long one would push the sentence off the screen.
    Terminal::running(Kanji::Two, command)
}

#[test]
#[ignore = "played by the others, in a terminal"]
fn the_child() {
    let Ok(part) = std::env::var(PLAY) else { return };
    let (told, hears) = mpsc::channel();
    on_panic(thread::current().id(), move |words| told.send(words).expect("the screen listens"));
    let _guard = TerminalGuard::enter().expect("a terminal");
    println!("the picture");
    if part == OF_THE_SCREEN {
        panic!("a screen broke");
    }
    let worker = thread::spawn(|| panic!("a worker broke"));
    assert!(worker.join().is_err());
    let words = hears.recv().expect("the screen hears of it");
    println!("still here: {}", words.contains("a worker broke"));
    thread::park();
}

#[test]
fn a_screen_that_panics_gives_the_terminal_back_and_says_why() {
    let mut terminal = played(OF_THE_SCREEN);
    assert_ne!(terminal.ends(), 0);
    terminal.is_clean();
    terminal.shows(&["a screen broke"]);
}

#[test]
fn a_worker_that_panics_leaves_the_screen_as_it_is() {
    let mut terminal = played(OF_A_WORKER);
    let contents = terminal.shows(&["the picture", "still here: true"]);
    assert!(!contents.contains("panicked"), "nothing is written over the picture:\n{contents}");
    assert!(terminal.is_running());
}
