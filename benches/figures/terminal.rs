//! A program in a pty, timed as its user feels it.
//!
//! Room: benches. May touch: a pty, a child process and its `/proc` page.
//! A chunk gets its time where it arrives, before the emulator reads it: the emulator's own speed is
//! in no figure.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use vt100::{Parser, Screen};

use crate::Failure;

/// The smallest terminal regi promises to fit.
const ROWS: u16 = 24;
const COLS: u16 = 80;

/// A program that says nothing for so long has drawn its frame.
const QUIET: Duration = Duration::from_millis(12);

/// A program that shows nothing for so long is stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a terminal is asked: where its cursor stands, and what it is.
const CURSOR: &[u8] = b"\x1b[6n";
const KIND: &[u8] = b"\x1b[c";

/// Output and the moment it arrived; at most so many chunks wait to be read.
type Chunk = (Instant, Vec<u8>);
const MOST_CHUNKS: usize = 4096;

/// How a program answered a key.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// From the key to the chunk that completed the answer.
    pub took: Duration,
    /// All it wrote until it was quiet again.
    pub bytes: usize,
}

pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    chunks: Receiver<Chunk>,
    parser: Parser,
    /// Kept: dropping it hangs up.
    _master: Box<dyn MasterPty + Send>,
    started: Instant,
}

impl Terminal {
    /// Starts a program on 80×24.
    pub fn start(program: &Path, args: &[&str]) -> Result<Self, Failure> {
        let size = PtySize { rows: ROWS, cols: COLS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size)?;
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        let reader = pair.master.try_clone_reader()?;
        let keys = pair.master.take_writer()?;
        let (tell, chunks) = bounded(MOST_CHUNKS);
        std::thread::Builder::new().name("pty".to_owned()).spawn(move || forward(reader, &tell))?;
        let size = |length| NonZeroU16::new(length).expect("a terminal has rows and columns");
        let parser = Parser::new(size(ROWS), size(COLS), 0);
        let started = Instant::now();
        let child = pair.slave.spawn_command(command)?;
        Ok(Self { child, keys, chunks, parser, _master: pair.master, started })
    }

    pub fn screen(&self) -> &Screen {
        self.parser.screen()
    }

    pub fn text(&self) -> String {
        self.screen().contents()
    }

    /// Waits from the start of the program until the screen is as wanted.
    pub fn ready(&mut self, wanted: impl Fn(&Screen) -> bool) -> Result<Shown, Failure> {
        self.wait(self.started, wanted)
    }

    /// Sends keys and waits until the screen is as wanted and quiet.
    pub fn press(
        &mut self,
        keys: &str,
        wanted: impl Fn(&Screen) -> bool,
    ) -> Result<Shown, Failure> {
        self.drain()?;
        let pressed = self.send(keys)?;
        self.wait(pressed, wanted).map_err(|error| format!("after {keys:?}: {error}").into())
    }

    /// Sends keys and returns the moment just before.
    pub fn send(&mut self, keys: &str) -> Result<Instant, Failure> {
        let pressed = Instant::now();
        self.keys.write_all(keys.as_bytes())?;
        Ok(pressed)
    }

    /// Waits from `since` until the screen is as wanted, then until the program is quiet.
    pub fn wait(
        &mut self,
        since: Instant,
        wanted: impl Fn(&Screen) -> bool,
    ) -> Result<Shown, Failure> {
        let mut took = None;
        let mut bytes = 0;
        loop {
            let patience = if took.is_some() { QUIET } else { PATIENCE };
            match self.chunks.recv_timeout(patience) {
                Ok((arrived, chunk)) => {
                    bytes += chunk.len();
                    self.read(&chunk)?;
                    if took.is_none() && wanted(self.screen()) {
                        took = Some(arrived.duration_since(since));
                    }
                }
                Err(end) => {
                    let why = match end {
                        RecvTimeoutError::Timeout => "not shown",
                        RecvTimeoutError::Disconnected => "the program has ended",
                    };
                    let screen = || format!("{why}; the screen:\n{}", self.text());
                    return took.map(|took| Shown { took, bytes }).ok_or_else(|| screen().into());
                }
            }
        }
    }

    /// Reads for `time` and returns how many bytes came.
    pub fn listen(&mut self, time: Duration) -> Result<usize, Failure> {
        let end = Instant::now() + time;
        let mut bytes = 0;
        while let Ok((_, chunk)) = self.chunks.recv_deadline(end) {
            bytes += chunk.len();
            self.read(&chunk)?;
        }
        Ok(bytes)
    }

    fn drain(&mut self) -> Result<(), Failure> {
        while let Ok((_, chunk)) = self.chunks.try_recv() {
            self.read(&chunk)?;
        }
        Ok(())
    }

    /// Shows a chunk, and answers what a terminal is asked: where the cursor stands at the question, not
    /// behind what came with it.
    fn read(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        let mut rest = chunk;
        while let Some(at) = found(rest, CURSOR) {
            let (asked, behind) = rest.split_at(at + CURSOR.len());
            self.parser.process(asked);
            let (row, col) = self.screen().cursor_position();
            write!(self.keys, "\x1b[{};{}R", row + 1, col + 1)?;
            rest = behind;
        }
        self.parser.process(rest);
        if found(chunk, KIND).is_some() {
            self.keys.write_all(b"\x1b[?62;22c")?;
        }
        Ok(())
    }

    /// The most memory the program ever held, in MB.
    pub fn peak_mb(&self) -> Result<f64, Failure> {
        let pid = self.child.process_id().ok_or("the program has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes =
            line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
        Ok(kilobytes.ok_or("no VmHWM")? / 1024.0)
    }

    /// Ends the program in the middle of whatever it does.
    pub fn kill(mut self) -> Result<(), Failure> {
        self.signal(Signal::KILL)
    }

    /// Asks the program to end, and waits until it has put everything away.
    pub fn end(mut self) -> Result<(), Failure> {
        self.signal(Signal::TERM)
    }

    fn signal(&mut self, signal: Signal) -> Result<(), Failure> {
        let pid = self.child.process_id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        kill_process(pid.ok_or("the program has ended")?, signal)?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.signal(Signal::KILL); // A figure was given up; its program must not stay.
        }
    }
}

/// Returns where a chunk holds a question.
fn found(chunk: &[u8], question: &[u8]) -> Option<usize> {
    chunk.windows(question.len()).position(|window| window == question)
}

fn forward(mut reader: Box<dyn Read + Send>, tell: &crossbeam_channel::Sender<Chunk>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = reader.read(&mut buffer) {
        if tell.send((Instant::now(), buffer[..read].to_vec())).is_err() {
            return;
        }
    }
}
