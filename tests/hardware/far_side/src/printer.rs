//! A receipt printer that can run out of paper, open its cover, stall, crawl, and lose its cable.
//!
//! Room: tests, in the guest. May touch: one wire, the paper's file, a control pipe.
//! Invariant: every byte taken is on the paper, in order; `PAPER.log` says when it came.
//!
//! Orders on the control pipe:
//!   paper out|in   cover open|shut   stop|go   mute|speak   rate BYTES_A_SECOND
//!   paper_out_at BYTES   the paper ends when so many bytes are there: what follows waits in memory
//!   cable_out_at BYTES FILE   the cable goes when so many bytes are there: FILE is the host's `authorized`

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::clock::now_us;
use crate::paper::{Reader, Wanted};
use crate::wire::Wire;

struct Printer {
    wire: Wire,
    paper: File,
    log: File,
    printed: u64,
    reader: Reader,
    paper_out: bool,
    cover_open: bool,
    stopped: bool,
    mute: bool,
    tells: bool,
    rate: u64,
    paper_out_at: Option<u64>,
    cable_out_at: Option<(u64, String)>,
    /// Questions about papers that wait for paper, or for a cover.
    unanswered: Vec<Wanted>,
    /// Answers on their way.
    saying: Vec<u8>,
}

/// Prints; while the cable is out it waits.
pub fn serve(place: &str, paper: &str, control: &str) -> io::Result<()> {
    let orders = listen(control)?;
    let append = |path: &str| OpenOptions::new().create(true).append(true).open(path);
    let mut printer = Printer {
        wire: Wire::open(place)?,
        paper: append(paper)?,
        log: append(&format!("{paper}.log"))?,
        printed: std::fs::metadata(paper)?.len(),
        reader: Reader::default(),
        paper_out: false,
        cover_open: false,
        stopped: false,
        mute: false,
        tells: false,
        rate: 0,
        paper_out_at: None,
        cable_out_at: None,
        unanswered: Vec::new(),
        saying: Vec::new(),
    };
    println!("ready");
    loop {
        orders.try_iter().for_each(|order| printer.obey(&order));
        let busy = printer.print()?;
        let said = printer.wire.answer(&printer.saying);
        printer.saying.drain(..said);
        if !busy {
            sleep(Duration::from_millis(5));
        }
        printer.pull_the_cable_when_due()?;
    }
}

/// Orders come line by line through a pipe that anybody may open.
fn listen(control: &str) -> io::Result<Receiver<String>> {
    let _ = std::fs::remove_file(control);
    mknodat(CWD, control, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    let (tell, orders) = channel();
    let control = control.to_owned();
    std::thread::spawn(move || {
        loop {
            let Ok(pipe) = File::open(&control) else { return };
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        }
    });
    Ok(orders)
}

impl Printer {
    fn obey(&mut self, order: &str) {
        match order.split_whitespace().collect::<Vec<_>>()[..] {
            ["paper", state] => self.paper_out = state == "out",
            ["cover", state] => self.cover_open = state == "open",
            ["stop"] => self.stopped = true,
            ["go"] => self.stopped = false,
            ["mute"] => self.mute = true,
            ["speak"] => self.mute = false,
            ["rate", rate] => self.rate = rate.parse().expect("bytes a second"),
            ["paper_out_at", bytes] => self.paper_out_at = Some(bytes.parse().expect("bytes")),
            ["cable_out_at", bytes, file] => {
                self.cable_out_at = Some((bytes.parse().expect("bytes"), file.to_owned()));
            }
            _ => panic!("an order that is none: {order}"),
        }
        let _ = writeln!(self.log, "{} order {order}", now_us());
        self.changed();
    }

    /// Says how it is now, and what it owed while it could not print.
    fn changed(&mut self) {
        self.wire.set_port_status(if self.paper_out { 0x38 } else { 0x18 });
        if self.tells {
            let state = self.automatic();
            self.say(&state);
        }
        if !self.waits() {
            std::mem::take(&mut self.unanswered).into_iter().for_each(|wanted| self.answer(wanted));
        }
    }

    /// Whether what comes stays in memory.
    fn waits(&self) -> bool {
        self.paper_out || self.cover_open
    }

    /// Takes what is there; false when nothing was.
    fn print(&mut self) -> io::Result<bool> {
        if self.stopped {
            return Ok(false);
        }
        let mut buffer = [0; 512];
        let mut most = if self.rate > 0 { 64 } else { buffer.len() };
        let borders = [self.paper_out_at, self.cable_out_at.as_ref().map(|(at, _)| *at)];
        for at in borders.into_iter().flatten() {
            most = most.min(usize::try_from(at.saturating_sub(self.printed)).unwrap_or(most)).max(1);
        }
        let count = self.wire.read(&mut buffer[..most])?;
        if count == 0 {
            return Ok(false);
        }
        let taken = &buffer[..count];
        self.paper.write_all(taken)?;
        self.printed += count as u64;
        writeln!(self.log, "{} {}", now_us(), self.printed)?;
        let wanted: Vec<Wanted> = taken.iter().filter_map(|&byte| self.reader.push(byte)).collect();
        if self.paper_out_at.take_if(|at| *at <= self.printed).is_some() {
            self.paper_out = true;
            self.changed();
        }
        wanted.into_iter().for_each(|wanted| self.answer(wanted));
        let crawl = (count as u64 * 1_000_000).checked_div(self.rate);
        sleep(Duration::from_micros(crawl.unwrap_or(0)));
        Ok(true)
    }

    fn answer(&mut self, wanted: Wanted) {
        match wanted {
            Wanted::RealTime(n) => self.say(&[self.real_time(n)]),
            Wanted::EveryChange => {
                self.tells = true;
                let state = self.automatic();
                self.say(&state);
            }
            // What waits for paper is not printed, and nobody says that it is.
            Wanted::Done | Wanted::ProcessId(_) if self.waits() => self.unanswered.push(wanted),
            Wanted::Done => self.say(&[0]),
            Wanted::ProcessId([a, b, c, d]) => self.say(&[0x37, 0x22, a, b, c, d, 0]),
            Wanted::Pulse => {
                let _ = writeln!(self.log, "{} pulse", now_us());
            }
        }
    }

    fn real_time(&self, n: u8) -> u8 {
        let bit = |on: bool, mask: u8| if on { mask } else { 0 };
        0x12 | match n {
            1 => bit(self.waits(), 0x08),
            2 => bit(self.cover_open, 0x04) | bit(self.paper_out, 0x20),
            4 => bit(self.paper_out, 0x6c),
            _ => 0,
        }
    }

    fn automatic(&self) -> [u8; 4] {
        let bit = |on: bool, mask: u8| if on { mask } else { 0 };
        let offline = bit(self.waits(), 0x08);
        [0x14 | offline | bit(self.cover_open, 0x20), 0, bit(self.paper_out, 0x0c), 0]
    }

    fn say(&mut self, answer: &[u8]) {
        if !self.mute {
            self.saying.extend(answer);
        }
    }

    fn pull_the_cable_when_due(&mut self) -> io::Result<()> {
        let Some((_, authorized)) = self.cable_out_at.take_if(|(at, _)| *at <= self.printed) else {
            return Ok(());
        };
        writeln!(self.log, "{} cable out", now_us())?;
        std::fs::write(authorized, "0")
    }
}
