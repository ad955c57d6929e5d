//! The thread that owns one scale: asked, it weighs; otherwise it sleeps.
//!
//! Room: devices. May touch: one serial line, a stopwatch. May not: weigh unasked.
//! Invariant: at most one asking waits; each is answered once, within `PATIENCE` and a line's opening.

use std::io;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::protocol::LONGEST_LINE;
use super::{Milligrams, ScaleFault, ScaleLine, ScaleProtocol, ScaleTare, Weight};
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
    /// More than it can bear is a fault of the line.
    pub most: Milligrams,
}

struct Asking {
    op: u64,
    container: Milligrams,
}

/// A running scale thread. Dropping it ends the thread.
pub struct ScaleHandle {
    asked: Sender<Asking>,
    waiting: Receiver<Asking>,
}

impl ScaleHandle {
    /// Asks for the weight of goods in a `container`, which is taken off unless the scale did; the
    /// answer comes back with `op`. An asking that still waits is dropped.
    pub fn ask(&self, op: u64, container: Milligrams) {
        let _ = self.waiting.try_recv();
        let _ = self.asked.try_send(Asking { op, container }); // Full only if another caller was newer still.
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
        for Asking { op, container } in inbox {
            let weight = scale.weigh(container);
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
    fn weigh(&mut self, container: Milligrams) -> Result<Milligrams, ScaleFault> {
        let begun = Instant::now();
        let mut last: Option<Result<Milligrams, ScaleFault>> = None;
        loop {
            let said = self.ask(container)?;
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
    fn ask(&mut self, container: Milligrams) -> Result<Result<Milligrams, ScaleFault>, ScaleFault> {
        let protocol = self.settings.protocol;
        let line = self.exchange(protocol.ask())?;
        let weight = match line.and_then(|line| protocol.read(&line)) {
            None => return Ok(Err(ScaleFault::Garbled)),
            Some(ScaleLine::Moving) => return Ok(Err(ScaleFault::Unstable)),
            Some(ScaleLine::Overload) => return Ok(Err(ScaleFault::Overload)),
            Some(ScaleLine::Underload) => return Ok(Err(ScaleFault::Negative)),
            Some(ScaleLine::Stable(weight)) => weight,
        };
        let weight = match weight {
            Weight::Gross(weight) if container.0 != 0 => self.ask_tare(weight)?,
            weight => Some(weight),
        };
        Ok(weight.map_or(Err(ScaleFault::Garbled), |weight| self.judged(weight, container)))
    }

    /// Asks a scale whose weights do not tell it whether a tare is taken off; `Ok(None)` is garbage.
    fn ask_tare(&mut self, weight: Milligrams) -> Result<Option<Weight>, ScaleFault> {
        let protocol = self.settings.protocol;
        let Some(ask) = protocol.ask_tare() else { return Ok(Some(Weight::Gross(weight))) };
        let tare = match self.exchange(ask) {
            // Silent twice running, for the weight has to be said twice: it has no tare key.
            Err(ScaleFault::NoAnswer) => Some(ScaleTare::Unknown),
            line => line?.and_then(|line| protocol.read_tare(&line)),
        };
        Ok(tare.map(|tare| match tare {
            ScaleTare::Taken(tare) if tare.0 != 0 => Weight::Net(weight),
            ScaleTare::Taken(_) | ScaleTare::Unknown => Weight::Gross(weight),
        }))
    }

    fn judged(&self, weight: Weight, container: Milligrams) -> Result<Milligrams, ScaleFault> {
        let (told, goods) = match weight {
            Weight::Gross(gross) => (gross, Milligrams(gross.0 - container.0)),
            Weight::Net(net) => (net, net),
        };
        match goods.0 {
            _ if told > self.settings.most => Err(ScaleFault::Garbled),
            _ if told.0 == 0 || goods.0 == 0 => Err(ScaleFault::Empty),
            ..0 => Err(ScaleFault::Negative),
            _ => Ok(goods),
        }
    }

    fn exchange(&mut self, ask: &[u8]) -> Result<Option<Vec<u8>>, ScaleFault> {
        if let Some(link) = self.link.take() {
            match exchange(&link, ask) {
                Err(ScaleFault::Line(_)) => {} // It may have been plugged in again.
                line => {
                    self.link = Some(link);
                    return line;
                }
            }
        }
        let link = link::serial(&self.settings.line).map_err(ScaleFault::Line)?;
        let line = exchange(&link, ask);
        self.link = Some(link);
        line
    }
}

/// Sends the asking and reads one line; `Ok(None)` is garbage.
fn exchange(link: &Link, mut rest: &[u8]) -> Result<Option<Vec<u8>>, ScaleFault> {
    drain(link)?;
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
                b'\n' if !line.is_empty() => return Ok(Some(line)),
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
