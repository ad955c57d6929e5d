//! The real register in a pseudo-terminal of 80 by 24, read as a person reads it.
//!
//! Room: tests. May touch: the binary, a pseudo-terminal, a shop in a temporary folder.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtyPair, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use unicode_width::UnicodeWidthStr;

use crate::support::Shop;

/// Longer than any sound start or answer takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// Slower than any scanner, so that digits are a hand's.
pub const HAND: Duration = Duration::from_millis(60);

/// How many cells the terminal says a kanji took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kanji {
    Two,
    /// One, as a terminal without its glyphs does.
    One,
    /// Nothing: it does not answer.
    Unsaid,
}

/// A terminal with the register in it.
pub struct Terminal {
    pub pair: PtyPair,
    pub child: Box<dyn Child + Send + Sync>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    pub screen: Arc<Mutex<vt100::Parser>>,
    pub written: Arc<Mutex<usize>>,
    /// How often the bell rang.
    bells: Arc<AtomicUsize>,
    /// Whether its input method is on.
    input_method: Arc<AtomicBool>,
    /// The terminal's settings before the register came.
    before: String,
}

fn settings_of(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal's settings"))
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a size")
}

impl Terminal {
    /// Opens `regi WORDS` on the shop.
    pub fn open(shop: &Shop, words: &[&str]) -> Self {
        Self::drawing(Kanji::Two, shop, words)
    }

    /// The same in a terminal that says so much for each kanji.
    pub fn drawing(kanji: Kanji, shop: &Shop, words: &[&str]) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_regi"));
        command.arg("--shop");
        command.arg(shop.dir());
        command.args(words);
        Self::running(kanji, command)
    }

    /// Runs any program.
    pub fn running(kanji: Kanji, mut command: CommandBuilder) -> Self {
        let pair = native_pty_system().openpty(size(80, 24)).expect("a pseudo-terminal");
        let before = settings_of(&*pair.master);
        for (name, value) in [("TERM", "xterm-256color"), ("TZ", "Asia/Tokyo"), ("LANG", "C.UTF-8")]
        {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("the register starts");
        let keys = Arc::new(Mutex::new(pair.master.take_writer().expect("a keyboard")));
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(24), cells(80), 0)));
        let written = Arc::new(Mutex::new(0));
        let mut reader = pair.master.try_clone_reader().expect("a screen");
        let bells = Arc::new(AtomicUsize::new(0));
        let (shown, counted, answers) = (screen.clone(), written.clone(), keys.clone());
        let rung = bells.clone();
        let input_method = Arc::new(AtomicBool::new(true));
        let switched = input_method.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut parser = shown.lock().unwrap();
                // A program may ask where the cursor stands, and waits for the answer.
                for (at, _) in bytes[..count].iter().enumerate() {
                    parser.process(&bytes[at..=at]);
                    for (switch, is_on) in [(b"\x1b[?737769h", true), (b"\x1b[?737769l", false)] {
                        if bytes[..=at].ends_with(switch) {
                            switched.store(is_on, Ordering::Relaxed);
                        }
                    }
                    if kanji != Kanji::Unsaid && bytes[..=at].ends_with(b"\x1b[6n") {
                        let (row, mut col) = parser.screen().cursor_position();
                        if kanji == Kanji::One {
                            col /= 2; // All that is ever asked about is a row of kanji.
                        }
                        let answer = format!("\x1b[{};{}R", row + 1, col + 1);
                        let _ = answers.lock().unwrap().write_all(answer.as_bytes());
                    }
                }
                let rings = bytes[..count].iter().filter(|&&byte| byte == 7).count();
                rung.fetch_add(rings, Ordering::Relaxed);
                *counted.lock().unwrap() += count;
            }
        });
        Self { pair, child, keys, screen, written, bells, input_method, before }
    }

    pub fn contents(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the screen shows all of these.
    #[track_caller]
    pub fn shows(&self, words: &[&str]) -> String {
        self.becomes(&format!("{words:?}"), |contents| {
            words.iter().all(|word| contents.contains(word))
        })
    }

    #[track_caller]
    pub fn becomes(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let contents = self.contents();
            if is(&contents) {
                return contents;
            }
            assert!(begun.elapsed() < PATIENCE, "the screen never showed {what}:\n{contents}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the terminal's input method is on, or off.
    #[track_caller]
    pub fn has_input_method(&self, is_on: bool) {
        let what = format!("with an input method: {is_on}");
        self.becomes(&what, |_| self.input_method.load(Ordering::Relaxed) == is_on);
    }

    /// Waits until the bell has rung `count` times in all.
    #[track_caller]
    pub fn rings(&self, count: usize) {
        self.becomes(&format!("{count} rings"), |_| self.bells.load(Ordering::Relaxed) == count);
    }

    pub fn send(&self, bytes: &[u8]) {
        let mut keys = self.keys.lock().unwrap();
        keys.write_all(bytes).and_then(|()| keys.flush()).expect("a key");
    }

    /// Types like a hand; `\r` is Enter.
    pub fn types(&self, text: &str) {
        for letter in text.chars() {
            self.send(letter.to_string().as_bytes());
            std::thread::sleep(HAND);
        }
    }

    /// Touches the middle of the lowest place where a word stands, as a terminal tells it.
    #[track_caller]
    pub fn touches(&self, word: &str) {
        let contents = self.contents();
        let found = contents
            .lines()
            .enumerate()
            .filter_map(|(row, line)| line.rfind(word).map(|at| (row, line[..at].width())));
        let (row, column) =
            found.last().unwrap_or_else(|| panic!("no {word} to touch:\n{contents}"));
        let column = column + word.width() / 2 + 1;
        self.send(format!("\x1b[<0;{column};{0}M\x1b[<0;{column};{0}m", row + 1).as_bytes());
    }

    pub fn signal(&self, signal: Signal) {
        let pid = self.child.process_id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        kill_process(pid.expect("a process"), signal).expect("a signal");
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    /// Waits for the end and returns its exit code.
    #[track_caller]
    pub fn ends(&mut self) -> u32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                std::thread::sleep(Duration::from_millis(50)); // Its last bytes are on the way.
                return status.exit_code();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end:\n{}", self.contents());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asserts that the terminal is as it was before.
    #[track_caller]
    pub fn is_clean(&self) {
        assert_eq!(settings_of(&*self.pair.master), self.before, "the terminal's settings");
        let parser = self.screen.lock().unwrap();
        let screen = parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is back");
        assert!(!screen.bracketed_paste(), "pasting is plain again");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(self.input_method.load(Ordering::Relaxed), "the input method is back");
    }

    pub fn resize(&self, cols: u16, rows: u16) {
        self.screen.lock().unwrap().screen_mut().set_size(cells(rows), cells(cols));
        self.pair.master.resize(size(cols, rows)).expect("a resize");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill(); // It may have ended long ago.
        let _ = self.child.wait();
    }
}
