//! A printer made of a few fields, which fails as told.
//!
//! Room: devices, tests. May touch: nothing.
//! Invariant: it obeys in the order of the bytes, but for what is real time.

use super::dialogue::Manner;
use super::status::{ANSWER_WHEN_DONE, ProcessId};
use super::{sii, star};
use crate::devices::profile::Status;

pub const PAPER: &[u8] = b"\x1b@RECEIPT 1\nTOTAL 1,957\n\x1dVB\0";
pub const STEP_MS: u64 = 50;
pub const PULSE: [u8; 5] = [0x1b, b'p', 0, 25, 250];
pub const PULSE_NOW: [u8; 5] = [0x10, 0x14, 1, 0, 1];
pub const STAR_PULSE: [u8; 5] = [0x1b, 7, 20, 20, 7];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    PaperEnds,
    CoverOpens,
    CableDrops,
    /// What it held is gone, and what reaches it while it starts again; nobody notices over a
    /// serial line.
    PowerCycles,
    Stalls,
    AnswersLate,
    AnswersForOldJob,
    AnswersGarbage,
    GoesMute,
    CutterJams,
    AnswersTwice,
}

pub const FAULTS: [Fault; 12] = [
    Fault::None,
    Fault::PaperEnds,
    Fault::CoverOpens,
    Fault::CableDrops,
    Fault::PowerCycles,
    Fault::Stalls,
    Fault::AnswersLate,
    Fault::AnswersForOldJob,
    Fault::AnswersGarbage,
    Fault::GoesMute,
    Fault::CutterJams,
    Fault::AnswersTwice,
];

/// A printer that obeys the few commands a dialogue sends around its papers.
pub struct SoftPrinter {
    manner: Manner,
    pub buffer: Vec<u8>,
    pub printed: Vec<u8>,
    replies: Vec<(u64, Vec<u8>)>,
    fault: Fault,
    pub at: usize,
    taken: usize,
    struck_at: Option<u64>,
    pub pulses: usize,
    /// Star's count of ends, 0 to 31.
    pub count: u8,
    /// What ailed it when it told its state, once it tells by itself.
    told: Option<u8>,
}

impl SoftPrinter {
    pub fn new(manner: Manner, fault: Fault, at: usize) -> Self {
        Self {
            manner,
            buffer: Vec::new(),
            printed: Vec::new(),
            replies: Vec::new(),
            fault,
            at,
            taken: 0,
            struck_at: None,
            pulses: 0,
            count: 0,
            told: None,
        }
    }

    /// Faults last three seconds, then staff have mended them.
    pub fn suffers(&self, fault: Fault, now: u64) -> bool {
        self.fault == fault && self.struck_at.is_some_and(|at| now < at + 3_000)
    }

    pub fn take(&mut self, bytes: &[u8], now: u64) -> usize {
        let mut count = 0;
        for &byte in bytes {
            if self.taken >= self.at && self.struck_at.is_none() {
                self.struck_at = Some(now);
                if self.fault == Fault::PowerCycles {
                    self.buffer.clear();
                    self.count = 0;
                    self.told = None;
                }
            }
            if self.suffers(Fault::Stalls, now) || self.suffers(Fault::CableDrops, now) {
                break;
            }
            self.taken += 1;
            count += 1;
            if self.suffers(Fault::PowerCycles, now) {
                continue;
            }
            self.buffer.push(byte);
            self.obey_real_time(now);
        }
        self.print(now);
        count
    }

    fn obey_real_time(&mut self, now: u64) {
        let star = self.manner.status == Status::Star;
        if star && self.buffer.ends_with(&star::ASK) {
            self.buffer.truncate(self.buffer.len() - star::ASK.len());
            let status = self.star_status(now);
            self.reply(&status, now);
        } else if self.manner.status == Status::Sii {
            // Nothing is real time.
        } else if let ([.., 0x10, 4, asked], false) = (&self.buffer[..], star) {
            let asked = *asked;
            self.buffer.truncate(self.buffer.len() - 3);
            let reply = match asked {
                1 => 0x12 | u8::from(self.stopped(now)) << 3,
                2 => 0x12 | self.causes(now),
                _ if self.suffers(Fault::PaperEnds, now) => 0x72,
                _ => 0x12,
            };
            self.reply(&[reply], now);
        } else if self.buffer.ends_with(&PULSE_NOW) {
            self.buffer.truncate(self.buffer.len() - PULSE_NOW.len());
            self.pulses += 1;
        }
    }

    /// Nine bytes, as the maker's tables have them.
    fn star_status(&self, now: u64) -> [u8; 9] {
        let bit = |is: bool, at: u8| u8::from(is) << at;
        let cover = bit(self.suffers(Fault::CoverOpens, now), 5);
        let cutter = bit(self.suffers(Fault::CutterJams, now), 3);
        let paper = bit(self.suffers(Fault::PaperEnds, now), 3);
        let count = (self.count & 7) << 1 | (self.count >> 3) << 5;
        [0x23, 0x06, bit(self.stopped(now), 3) | cover, cutter, 0, paper, 0, count, 0]
    }

    /// SII's eight bytes.
    fn tell_state(&mut self, now: u64) {
        let bit = |is: bool, at: u8| u8::from(is) << at;
        let cover = bit(self.suffers(Fault::CoverOpens, now), 3);
        let paper = bit(self.suffers(Fault::PaperEnds, now), 0);
        let first = 0xc0 | bit(self.suffers(Fault::CutterJams, now), 1);
        self.told = Some(self.causes(now));
        self.reply(&[first, 0xd0 | cover | paper, 0xd0, 0xd0, 0xd0, 0xd0, 0xd0, 0xd0], now);
    }

    fn causes(&self, now: u64) -> u8 {
        let bit = |fault, at: u8| u8::from(self.suffers(fault, now)) << at;
        bit(Fault::CoverOpens, 2) | bit(Fault::PaperEnds, 5) | bit(Fault::CutterJams, 6)
    }

    fn stopped(&self, now: u64) -> bool {
        self.causes(now) != 0
    }

    /// Prints what is buffered, and answers what asks to be answered then.
    pub fn print(&mut self, now: u64) {
        if self.manner.status == Status::Sii
            && self.told.is_some_and(|told| told != self.causes(now))
        {
            self.tell_state(now);
        }
        if self.stopped(now) {
            return;
        }
        let commands: &[(&[u8], usize)] = match self.manner.status {
            Status::Sii => {
                &[(&[0x12, b'q'], 3), (&[0x1d, b'a', 0xff], 3), (&[0x1b, b'@'], 2), (&PULSE, 5)]
            }
            Status::Star => &[
                (&[0x1b, 0x1d, 3, 1], 6),
                (&[0x17], 1),
                (&[0x1b, 0x1e, b'E', 0], 4),
                (&[0x18], 1),
                (&STAR_PULSE, 5),
            ],
            _ => {
                &[(&[0x1d, b'(', b'H', 6, 0, 0x30, 0x30], 11), (&ANSWER_WHEN_DONE, 3), (&PULSE, 5)]
            }
        };
        loop {
            let whole = |(begin, length): &(&[u8], usize)| {
                find(&self.buffer, begin).filter(|at| self.buffer.len() >= at + length)
            };
            let next = commands.iter().filter_map(|command| Some((whole(command)?, command.1)));
            let Some((at, length)) = next.min() else { return };
            let command: Vec<u8> = self.buffer[at..at + length].to_vec();
            self.printed.extend(self.buffer.drain(..at + length));
            self.obey(&command, now);
        }
    }

    fn obey(&mut self, command: &[u8], now: u64) {
        match command {
            [0x1d, b'(', ..] => self.reply(&[&[0x37, 0x22], &command[7..], &[0]].concat(), now),
            [0x1b, 0x1d, 3, ..] => self.reply(&[command, &[1, 0]].concat(), now),
            [0x17] => self.count = (self.count + 1) % 32,
            [0x18] | [0x1b, 0x1e, ..] => self.count = 0,
            [0x1d, b'r', _] => self.reply(&[0], now),
            [0x12, b'q', mark] => self.reply(&[0x80 | mark], now),
            [0x1b, b'@'] => self.reply(&[0xb0], now),
            [0x1d, b'a', _] => self.tell_state(now),
            _ => self.pulses += 1,
        }
    }

    fn reply(&mut self, bytes: &[u8], now: u64) {
        if self.suffers(Fault::GoesMute, now) {
            return;
        }
        let (delay, bytes) = match self.fault {
            Fault::AnswersLate => (1_500, bytes.to_vec()),
            Fault::AnswersGarbage => (0, [&[0xff, 0x91, 0x37, 0x22, 0x00], bytes].concat()),
            Fault::AnswersForOldJob => (0, [&self.old_answer(), bytes].concat()),
            Fault::AnswersTwice => (0, [bytes, bytes].concat()),
            _ => (0, bytes.to_vec()),
        };
        self.replies.push((now + delay, bytes));
    }

    fn old_answer(&self) -> Vec<u8> {
        match self.manner.status {
            Status::Sii => vec![0x80 | sii::next_mark(1)],
            Status::Star => [&star::name_when_done(star::name(6))[..], &[1, 0]].concat(),
            _ => [&[0x37, 0x22], &ProcessId::of(6).request()[7..], &[0]].concat(),
        }
    }

    pub fn due_replies(&mut self, now: u64) -> Vec<u8> {
        let (due, later) = self.replies.drain(..).partition(|(at, _)| *at <= now);
        self.replies = later;
        let due: Vec<(u64, Vec<u8>)> = due;
        due.into_iter().flat_map(|(_, bytes)| bytes).collect()
    }
}

pub fn find(stream: &[u8], part: &[u8]) -> Option<usize> {
    stream.windows(part.len()).position(|window| window == part)
}

pub fn count(stream: &[u8], part: &[u8]) -> usize {
    stream.windows(part.len()).filter(|window| *window == part).count()
}
