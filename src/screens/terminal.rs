//! The terminal itself: entered and left cleanly, and written only where something changed.
//!
//! Room: screens. May touch: the terminal. May not: take keys (the app does), clock.
//! Invariant: whatever ends the process short of SIGKILL, the terminal is left as it was found; an
//! unchanged screen writes nothing.

use std::io::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;
use std::time::Duration;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::{Attribute, Print, SetAttribute};
use crossterm::terminal::{
    Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::paint::paint;

/// Begin and end of what a terminal shows at once.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
/// Bytes of a frame that any terminal takes in one piece.
const IN_ONE_PIECE: usize = 400;

use super::plain_signs;

/// Whether the terminal is ours now; asked by threads that must not wait for each other.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// Once a process: crossterm watches what standard input is when it first looks.
static READ_FREELY: Once = Once::new();

/// Asks for presses and releases with their place, and for no movement in between, which would wake
/// an idle register for every wag of a mouse.
const CLICKS_TOLD: &str = "\x1b[?1000h\x1b[?1006h";
const CLICKS_KEPT: &str = "\x1b[?1006l\x1b[?1000l";

/// Switches the terminal's own input method, where it has one that a program may switch (foot, `japan.md`
/// 8.4): keys in kana would turn a scan into nonsense. Others pass over it.
const INPUT_METHOD_ON: &str = "\x1b[?737769h";
const INPUT_METHOD_OFF: &str = "\x1b[?737769l";

/// Gives the terminal back when it is dropped.
pub struct TerminalGuard(());

impl TerminalGuard {
    /// Takes the terminal: raw, the other screen, pastes marked as such, clicks and touches told.
    ///
    /// # Errors
    /// What the terminal answers; then it is left as it was.
    pub fn enter() -> io::Result<Self> {
        READ_FREELY.call_once(|| drop(read_freely())); // Where it cannot be had, half a key is waited for.
        enable_raw_mode()?;
        ENTERED.store(true, Ordering::SeqCst);
        let guard = Self(());
        execute!(
            io::stdout(),
            EnterAlternateScreen,
            EnableBracketedPaste,
            Print(CLICKS_TOLD),
            Print(INPUT_METHOD_OFF),
            Hide
        )?;
        // From here on a new size is told: a terminal that grows while the register starts, as one in
        // a kiosk does, would otherwise keep the picture of its first moment.
        crossterm::event::poll(Duration::ZERO)?;
        Ok(guard)
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        leave();
    }
}

/// Gives the terminal back, once, whoever calls first: the guard, the panic hook, or the signal
/// thread just before it ends the process.
pub fn leave() {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    // Nobody is left to tell when the terminal is gone, and the other steps may still work.
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        Print(CLICKS_KEPT),
        Print(INPUT_METHOD_ON),
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    );
    let _ = disable_raw_mode();
}

/// Installs a panic hook: a panic of the `ui` thread gives the terminal back and prints itself; one
/// of another thread only tells `worker_died`, and the screen stays as it is.
pub fn on_panic(ui: ThreadId, worker_died: impl Fn(String) + Send + Sync + 'static) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == ui {
            leave();
            before(info);
        } else {
            worker_died(info.to_string());
        }
    }));
}

/// Whether standard input is one of the kernel's own consoles, which hold 512 glyphs and no kanji,
/// whatever their cursor says: it moves two cells for a 漢 that is not drawn.
pub fn is_bare_console() -> bool {
    const VIRTUAL_TERMINALS: u32 = 4;
    let stdin = io::stdin();
    rustix::fs::fstat(&stdin).is_ok_and(|stat| {
        rustix::fs::major(stat.st_rdev) == VIRTUAL_TERMINALS
            && (1..64).contains(&rustix::fs::minor(stat.st_rdev))
    })
}

/// Draws 漢 in the corner and asks where the cursor went. The answer comes in with the keys.
///
/// # Errors
/// A terminal that cannot be written to.
pub fn ask_for_kanji(out: &mut impl Write) -> io::Result<()> {
    queue!(out, MoveTo(0, 0), Print('漢'), Print("\x1b[6n"), MoveTo(0, 0))?;
    queue!(out, Clear(ClearType::CurrentLine))?;
    out.flush()
}

/// Returns whether 漢 took other than two cells, where what has come in is the terminal's answer. Called
/// before any key is read.
pub fn denies_kanji() -> bool {
    // What is no answer is a key already: it is not kept waiting.
    has_an_answer(&io::stdin())
        && crossterm::cursor::position().is_ok_and(|(column, _)| column != 2)
}

/// Returns whether the terminal, asked for kanji, draws none: a bare console, or one that says so within
/// `patience`. Called before any key is read.
pub fn draws_no_kanji(patience: Duration) -> bool {
    if is_bare_console() {
        return true;
    }
    let stdin = io::stdin();
    let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
    let answered = poll(&mut watched, Timespec::try_from(patience).ok().as_ref()) == Ok(1);
    answered && denies_kanji()
}

/// Opens the terminal once more, as a standard input that is read without waiting: crossterm reads until it
/// has a whole key, and Alt with a bracket is the beginning of one. Standard output stays as it is.
fn read_freely() -> io::Result<()> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let input = rustix::fs::open("/proc/self/fd/0", flags, Mode::empty())?;
    Ok(rustix::stdio::dup2_stdin(input)?)
}

/// Has crossterm told once more of what it left unread, and returns whether there was any. It is told of
/// what comes, and reads 1,024 bytes of it; a setting of the terminal made anew counts as coming.
pub fn tells_again() -> bool {
    let stdin = io::stdin();
    let again = || tcsetattr(&stdin, OptionalActions::Now, &tcgetattr(&stdin)?);
    has_said_something() && again().is_ok()
}

/// Returns whether the terminal has sent anything that was not read yet.
pub fn has_said_something() -> bool {
    rustix::io::ioctl_fionread(io::stdin()).is_ok_and(|bytes| bytes > 0)
}

/// Returns whether as much has come in as an answer has. Over a line it may come in parts.
fn has_an_answer(stdin: &io::Stdin) -> bool {
    /// `ESC [ 1 ; column R`
    const ANSWER_BYTES: u64 = 6;
    const LOOKS: u32 = 5;
    const BETWEEN_LOOKS: Duration = Duration::from_millis(4);
    let is_there = || rustix::io::ioctl_fionread(stdin).is_ok_and(|bytes| bytes >= ANSWER_BYTES);
    (0..LOOKS).any(|look| {
        if look > 0 {
            std::thread::sleep(BETWEEN_LOOKS);
        }
        is_there()
    })
}

/// The screen as it was last written, and the one being drawn.
pub struct Display<W: Write> {
    out: W,
    shown: Buffer,
    drawn: Buffer,
    frame: Vec<u8>,
    cursor: Option<Position>,
    /// Whether the terminal's input method is on.
    input_method: bool,
    /// Whether it is to be.
    offered: bool,
    /// Nothing is known of what the terminal shows.
    unknown: bool,
    /// It draws no kanji: everything is put in plain signs.
    plain: bool,
}

impl<W: Write> Display<W> {
    pub fn new(out: W, width: u16, height: u16) -> Self {
        let empty = Buffer::empty(Rect::new(0, 0, width, height));
        let frame = Vec::with_capacity(16 * 1024);
        Self {
            out,
            shown: empty.clone(),
            drawn: empty,
            frame,
            cursor: None,
            input_method: false,
            offered: false,
            unknown: true,
            plain: false,
        }
    }

    /// Lets words be typed by the terminal's input method from the next frame on, or no longer.
    pub fn offer_input_method(&mut self, is_offered: bool) {
        self.offered = is_offered;
    }

    /// Takes the new size; the next frame is written whole.
    pub fn resize(&mut self, width: u16, height: u16) {
        let empty = Buffer::empty(Rect::new(0, 0, width, height));
        self.shown = empty.clone();
        self.drawn = empty;
        self.unknown = true;
    }

    pub fn area(&self) -> Rect {
        self.shown.area
    }

    /// Draws nothing but ASCII from here on.
    pub fn draw_plainly(&mut self) {
        self.plain = true;
        self.unknown = true;
    }

    /// Forgets what the terminal shows, for the key that redraws after somebody else wrote on it.
    pub fn forget(&mut self) {
        self.unknown = true;
    }

    /// Rings the terminal's bell once.
    ///
    /// # Errors
    /// A terminal that cannot be written to any more.
    pub fn ring(&mut self) -> io::Result<()> {
        self.out.write_all(b"\x07")?;
        self.out.flush()
    }

    /// Draws one frame on empty cells and writes what differs from the last one, in one call; returns
    /// the bytes written.
    ///
    /// # Errors
    /// A terminal that cannot be written to any more.
    pub fn draw(
        &mut self,
        draw: impl FnOnce(&mut Buffer) -> Option<Position>,
    ) -> io::Result<usize> {
        self.drawn.reset();
        let cursor = draw(&mut self.drawn);
        if self.plain {
            plain_signs::put(&mut self.drawn);
        }
        self.frame.clear();
        self.frame.extend_from_slice(BEGIN);
        if self.unknown {
            self.shown.reset();
            queue!(self.frame, SetAttribute(Attribute::Reset), Clear(ClearType::All), Hide)?;
            self.cursor = None;
            self.unknown = false;
        }
        if self.input_method != self.offered {
            self.input_method = self.offered;
            let switch = if self.offered { INPUT_METHOD_ON } else { INPUT_METHOD_OFF };
            self.frame.extend_from_slice(switch.as_bytes());
        }
        let cells = paint(&mut self.frame, &self.shown, &self.drawn) > 0;
        self.move_cursor(cursor, cells)?;
        std::mem::swap(&mut self.shown, &mut self.drawn);
        self.write()
    }

    /// A frame of a few cells is in one piece anyway; a larger one is shown when it is whole.
    fn write(&mut self) -> io::Result<usize> {
        let is_large = self.frame.len() - BEGIN.len() > IN_ONE_PIECE;
        if is_large {
            self.frame.extend_from_slice(END);
        }
        let bytes = if is_large { &self.frame[..] } else { &self.frame[BEGIN.len()..] };
        if bytes.is_empty() {
            return Ok(0);
        }
        self.out.write_all(bytes)?;
        self.out.flush()?;
        Ok(bytes.len())
    }

    /// Puts the cursor where the keys go: a terminal's input method opens its window there.
    fn move_cursor(&mut self, cursor: Option<Position>, cells: bool) -> io::Result<()> {
        if cursor == self.cursor && !(cells && cursor.is_some()) {
            return Ok(());
        }
        match cursor {
            Some(place) => {
                queue!(self.frame, MoveTo(place.x, place.y))?;
                if self.cursor.is_none() {
                    queue!(self.frame, Show)?;
                }
            }
            None => queue!(self.frame, Hide)?,
        }
        self.cursor = cursor;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn text(text: &str) -> impl Fn(&mut Buffer) -> Option<Position> {
        move |cells| {
            cells.set_string(1, 1, text, Style::new().bold());
            Some(Position::new(3, 1))
        }
    }

    #[test]
    fn a_frame_writes_what_changed_and_an_unchanged_one_nothing() {
        let mut display = Display::new(Vec::new(), 20, 3);
        assert!(display.draw(text("牛乳 248")).unwrap() > 0);
        assert_eq!(display.draw(text("牛乳 248")).unwrap(), 0);
        let bytes = display.draw(text("牛乳 249")).unwrap();
        assert!((1..60).contains(&bytes), "{bytes} bytes for one digit");
    }

    #[test]
    fn the_input_method_is_switched_where_words_are_typed_and_not_again() {
        let mut display = Display::new(Vec::new(), 20, 3);
        let switched = |display: &mut Display<Vec<u8>>, is_offered| {
            display.offer_input_method(is_offered);
            display.out.clear();
            display.draw(text("牛乳")).unwrap();
            let out = String::from_utf8_lossy(&display.out).into_owned();
            [INPUT_METHOD_OFF, INPUT_METHOD_ON].map(|switch| out.matches(switch).count())
        };
        assert_eq!(switched(&mut display, false), [0, 0], "whoever enters has it off");
        assert_eq!(switched(&mut display, true), [0, 1]);
        assert_eq!(switched(&mut display, true), [0, 0]);
        assert_eq!(switched(&mut display, false), [1, 0]);
    }

    fn cells(count: u16) -> std::num::NonZero<u16> {
        std::num::NonZero::new(count).expect("a terminal has cells")
    }

    #[test]
    fn the_terminal_shows_what_was_drawn() {
        let mut display = Display::new(Vec::new(), 20, 3);
        for frame in ["牛乳 248", "牛1乳", "卵"] {
            display.draw(text(frame)).unwrap();
        }
        let mut parser = vt100::Parser::new(cells(3), cells(20), 0);
        parser.process(&display.out);
        assert_eq!(parser.screen().contents().trim(), "卵");
        assert_eq!(parser.screen().cursor_position(), (1, 3));
    }

    #[test]
    fn a_terminal_without_kanji_is_written_in_ascii() {
        let mut display = Display::new(Vec::new(), 20, 3);
        display.draw_plainly();
        display.draw(text("牛乳 ｱギュウ")).unwrap();
        let written = String::from_utf8(display.out.clone()).expect("UTF-8");
        assert!(written.is_ascii() && written.contains("???? agiyuu"), "{written:?}");
    }

    #[test]
    fn crossterm_here_and_inside_ratatui_are_one() {
        let key: ratatui::crossterm::event::KeyCode = crossterm::event::KeyCode::Enter;
        assert_eq!(key, crossterm::event::KeyCode::Enter);
    }
}
