//! The README's pictures are what the program shows: the sample shop's sale, rung up in a real terminal.
//!
//! Room: tests. May touch: the binary, a pseudo-terminal, the pictures, the README.
//! With `REGI_PICTURES=write` the pictures are made anew; otherwise a picture that lies is a failure.

mod svg;

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Longer than any sound start or answer takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Slower than any scanner, so that digits are a hand's.
const HAND: Duration = Duration::from_millis(60);
/// A screen that did not change for this long is the screen.
const STILL: Duration = Duration::from_millis(400);
const ROWS: u16 = 24;
const COLUMNS: u16 = 80;

/// `regi demo` in a terminal of 80 by 24.
struct Demo {
    screen: vt100::Parser,
    /// The last four bytes it wrote: as long as the one question it may ask.
    recent: [u8; 4],
    bytes: Receiver<Vec<u8>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a size")
}

impl Demo {
    fn open(language: &str) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_regi"));
        command.args(["--lang", language, "--at", "2026-11-22T10:23:00+09:00", "demo"]);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        let child = pair.slave.spawn_command(command).expect("the register starts");
        let keys = pair.master.take_writer().expect("a keyboard");
        let mut reader = pair.master.try_clone_reader().expect("a screen");
        let (sender, bytes) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(cells(ROWS), cells(COLUMNS), 0);
        Self { screen, recent: [0; 4], bytes, keys, child, _master: pair.master }
    }

    /// Takes what the program writes until nothing came for `still`.
    fn look(&mut self, still: Duration) {
        while let Ok(bytes) = self.bytes.recv_timeout(still) {
            for byte in bytes {
                self.screen.process(&[byte]);
                self.answer(byte);
            }
        }
    }

    /// A program may ask where the cursor stands, and waits for the answer.
    fn answer(&mut self, byte: u8) {
        self.recent.rotate_left(1);
        self.recent[3] = byte;
        if self.recent == *b"\x1b[6n" {
            let (row, column) = self.screen.screen().cursor_position();
            let _ = write!(self.keys, "\x1b[{};{}R", row + 1, column + 1);
        }
    }

    fn shows(&mut self, word: &str) {
        let begun = Instant::now();
        while !self.screen.screen().contents().contains(word) {
            let contents = self.screen.screen().contents();
            assert!(begun.elapsed() < PATIENCE, "the screen never showed {word}:\n{contents}");
            self.look(Duration::from_millis(20));
        }
    }

    /// Types like a hand; `\r` is Enter.
    fn types(&mut self, text: &str) {
        for letter in text.chars() {
            write!(self.keys, "{letter}").and_then(|()| self.keys.flush()).expect("a key");
            self.look(HAND);
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // SIGHUP, as a closed window sends it: the sample shop's folder goes with the register.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A sale as the pictures show it: two of one thing, a discount, two tax rates, a member.
fn sale(language: &str) -> Demo {
    let mut demo = Demo::open(language);
    demo.shows("佐藤");
    demo.types("3\r333333\r");
    demo.shows("F11");
    demo.types("4901234567894\r");
    demo.shows("248");
    demo.types("2*");
    demo.shows("496");
    demo.types("4912345678904\r101\r4512345200657\r");
    demo.shows("348");
    demo.types("50-");
    demo.shows("298");
    demo.types("2900000000018\r");
    demo.shows("山田");
    demo.look(STILL);
    demo
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn picture_file(language: &str) -> PathBuf {
    root().join(format!("tests/screens/pictures/sale-{language}.svg"))
}

fn is_writing() -> bool {
    std::env::var("REGI_PICTURES").is_ok_and(|word| word == "write")
}

/// The README cut around the screen between its markers: before, the screen, after.
fn around_the_screen(readme: &str) -> (&str, &str, &str) {
    const OPEN: &str = "<!-- screen -->\n```text\n";
    const CLOSE: &str = "```\n<!-- /screen -->";
    let start = readme.find(OPEN).expect("the screen's opening marker") + OPEN.len();
    let end = readme.find(CLOSE).expect("the screen's closing marker");
    (&readme[..start], &readme[start..end], &readme[end..])
}

fn plain(screen: &vt100::Screen) -> String {
    let rows = screen.rows(0, COLUMNS);
    rows.map(|row| format!("{}\n", row.trim_end())).collect()
}

#[test]
fn the_pictures_are_what_the_sale_screen_shows() {
    for language in ["ja", "en"] {
        let demo = sale(language);
        let shown = svg::picture(demo.screen.screen());
        let file = picture_file(language);
        if is_writing() {
            std::fs::write(&file, &shown).expect("a picture");
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        let contents = demo.screen.screen().contents();
        assert!(
            kept == shown,
            "{} is not what the program shows; REGI_PICTURES=write makes it anew:\n{contents}",
            file.display()
        );
    }
}

#[test]
fn the_screen_in_the_readme_is_what_the_program_shows() {
    let file = root().join("README.md");
    let readme = std::fs::read_to_string(&file).expect("the README");
    let (before, kept, after) = around_the_screen(&readme);
    let shown = plain(sale("en").screen.screen());
    if is_writing() {
        std::fs::write(&file, format!("{before}{shown}{after}")).expect("the README");
    } else {
        assert_eq!(kept, shown, "REGI_PICTURES=write makes it anew");
    }
}
