//! The thread that owns one scale: asked, it weighs; otherwise it sleeps.
//!
//! Room: devices. May touch: one serial line, a stopwatch. May not: weigh unasked.
//! Invariant: at most one asking waits; each is answered once, within `PATIENCE` and a line's opening.

use std::io;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::protocol::LONGEST_LINE;
use super::{Milligrams, ScaleFault, ScaleLine, ScaleProtocol};
use crate::devices::printer::link::{self, Link, Read};
use crate::devices::printer::{SerialLine, Trouble};

/// How long the goods may take to lie still.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long one answer may take.
const ANSWER: Duration = Duration::from_millis(500);
/// Between two askings.
const REST: Duration = Duration::from_millis(60);
/// A line that goes on for so long is not a scale's.
const MOST_BYTES: usize = 4_096;

/// One scale.
#[derive(Debug, Clone)]
pub struct ScaleSettings {
    pub line: SerialLine,
    pub protocol: ScaleProtocol,
    /// Taken off every weight.
    pub tare: Milligrams,
    /// More than it can bear is a fault of the line.
    pub most: Milligrams,
}

/// A running scale thread. Dropping it ends the thread.
pub struct ScaleHandle {
    asked: Sender<u64>,
    waiting: Receiver<u64>,
}

impl ScaleHandle {
    /// Asks for a weight; the answer comes back with `op`. An asking that still waits is dropped.
    pub fn ask(&self, op: u64) {
        let _ = self.waiting.try_recv();
        let _ = self.asked.try_send(op); // Full only if another caller was newer still.
    }
}

/// Starts the thread of one scale.
///
/// # Errors
/// When no thread can be started.
pub fn start(
    settings: ScaleSettings,
    mut tell: impl FnMut(u64, Result<Milligrams, ScaleFault>) + Send + 'static,
) -> io::Result<ScaleHandle> {
    let (asked, inbox) = bounded(1);
    let waiting = inbox.clone();
    std::thread::Builder::new().name("scale".into()).spawn(move || {
        let mut scale = Scale { settings, link: None };
        for op in inbox {
            let weight = scale.weigh();
            if matches!(weight, Err(ScaleFault::Line(_) | ScaleFault::NoAnswer)) {
                scale.link = None; // It may come back as another device.
            }
            tell(op, weight);
        }
    })?;
    Ok(ScaleHandle { asked, waiting })
}

struct Scale {
    settings: ScaleSettings,
    link: Option<Link>,
}

impl Scale {
    fn weigh(&mut self) -> Result<Milligrams, ScaleFault> {
        let begun = Instant::now();
        let mut last: Option<Result<Milligrams, ScaleFault>> = None;
        loop {
            let said = self.ask()?;
            // A late answer of an earlier asking says something else than the next one.
            if let (Ok(weight), Some(Ok(before))) = (said, last)
                && weight == before
            {
                return Ok(weight);
            }
            last = Some(said);
            if begun.elapsed() > PATIENCE {
                return said.and(Err(ScaleFault::Unstable));
            }
            std::thread::sleep(REST);
        }
    }

    /// Asks once. The outer fault ends the weighing, the inner one may pass.
    fn ask(&mut self) -> Result<Result<Milligrams, ScaleFault>, ScaleFault> {
        let link = match self.link.take() {
            Some(link) => link,
            None => link::serial(&self.settings.line).map_err(ScaleFault::Line)?,
        };
        let line = exchange(&link, self.settings.protocol);
        self.link = Some(link);
        Ok(match line? {
            None => Err(ScaleFault::Garbled),
            Some(ScaleLine::Moving) => Err(ScaleFault::Unstable),
            Some(ScaleLine::Overload) => Err(ScaleFault::Overload),
            Some(ScaleLine::Underload) => Err(ScaleFault::Negative),
            Some(ScaleLine::Stable(weight)) => self.judged(weight),
        })
    }

    fn judged(&self, weight: Milligrams) -> Result<Milligrams, ScaleFault> {
        let net = Milligrams(weight.0 - self.settings.tare.0);
        match net.0 {
            _ if weight > self.settings.most => Err(ScaleFault::Garbled),
            _ if weight.0 == 0 || net.0 == 0 => Err(ScaleFault::Empty),
            ..0 => Err(ScaleFault::Negative),
            _ => Ok(net),
        }
    }
}

/// Sends the asking and reads one line; `Ok(None)` is garbage.
fn exchange(link: &Link, protocol: ScaleProtocol) -> Result<Option<ScaleLine>, ScaleFault> {
    drain(link)?;
    let mut rest = protocol.ask();
    while !rest.is_empty() {
        if !ready(link, PollFlags::OUT, ANSWER) {
            return Err(ScaleFault::NoAnswer);
        }
        rest = &rest[link.write(rest).map_err(ScaleFault::Line)?..];
    }
    let asked = Instant::now();
    let (mut line, mut total) = (Vec::new(), 0);
    while let Some(left) = ANSWER.checked_sub(asked.elapsed()) {
        if !ready(link, PollFlags::IN, left) {
            break;
        }
        let mut bytes = [0; 64];
        let count = match link.read(&mut bytes).map_err(ScaleFault::Line)? {
            Read::Bytes(count) => count,
            Read::Nothing | Read::Mute => 0,
            Read::End => return Err(ScaleFault::Line(Trouble::Absent)),
        };
        total += count;
        for &byte in &bytes[..count] {
            match byte {
                b'\n' if !line.is_empty() => return Ok(protocol.read(&line)),
                b'\r' | b'\n' => {}
                byte if line.len() <= LONGEST_LINE => line.push(byte),
                _ => {} // Too long already: it reads as garbage.
            }
        }
        if total > MOST_BYTES {
            return Ok(None);
        }
    }
    if total == 0 { Err(ScaleFault::NoAnswer) } else { Ok(None) }
}

/// Forgets what came unasked: a late answer, a second one, a scale that tells all the time.
fn drain(link: &Link) -> Result<(), ScaleFault> {
    let mut bytes = [0; 512];
    for _ in 0..16 {
        match link.read(&mut bytes).map_err(ScaleFault::Line)? {
            Read::Bytes(_) => {}
            Read::Nothing | Read::Mute => return Ok(()),
            Read::End => return Err(ScaleFault::Line(Trouble::Absent)),
        }
    }
    Ok(())
}

fn ready(link: &Link, what: PollFlags, time: Duration) -> bool {
    let mut watched = [PollFd::new(link, what)];
    let time = Timespec::try_from(time).ok();
    poll(&mut watched, time.as_ref()).is_ok_and(|count| count > 0)
}
