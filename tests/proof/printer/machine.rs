//! A receipt printer in software: what it holds, what it does, what it answers, and how it fails.
//!
//! Room: tests. May touch: std. It shares no line with the encoder or the dialogue: commands are told
//! apart by their lengths as the makers' manuals give them.
//! Invariant: bytes are obeyed in order, real-time commands at once wherever they stand, and a fault
//! strikes at one byte.

use crate::run::Chance;

/// What goes wrong, at one byte of what the register sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Printing stops; what was sent stays in the buffer.
    PaperEnds,
    CoverOpens,
    CutterJams,
    /// The line drops; what has come in is printed, what was under way is gone.
    LineDrops,
    /// Switched off: line and buffer are gone.
    PowerCut,
    /// Switched off behind a line that does not show it: bytes vanish until it is on again.
    PowerCutUnseen,
    /// Takes no more bytes.
    Stalls,
    /// Says everything, but only once staff have mended it.
    AnswersLate,
    /// Says that another job is done, and that a closed cover is open.
    AnswersWrong,
    AnswersGarbage,
    /// Says only that the job before is done.
    AnswersForOldJob,
    AnswersTwice,
    GoesMute,
    /// The line drops, nobody is there for a while, then another printer is.
    Reappears,
    CutsEarly,
    PrintsTwice,
}

pub const FAULTS: [Fault; 16] = [
    Fault::PaperEnds,
    Fault::CoverOpens,
    Fault::CutterJams,
    Fault::LineDrops,
    Fault::PowerCut,
    Fault::PowerCutUnseen,
    Fault::Stalls,
    Fault::AnswersLate,
    Fault::AnswersWrong,
    Fault::AnswersGarbage,
    Fault::AnswersForOldJob,
    Fault::AnswersTwice,
    Fault::GoesMute,
    Fault::Reappears,
    Fault::CutsEarly,
    Fault::PrintsTwice,
];

/// What becomes of a byte that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    Taken,
    /// The buffer is full, or the printer stalls: offer it again.
    NotNow,
    /// The line is gone.
    Drops,
}

/// What came out between two starts of a paper (`ESC @`), as the bytes that made it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    pub bytes: Vec<u8>,
    pub cut: bool,
    /// The printer's own doing: it printed this piece a second time by itself.
    pub doubled: bool,
}

/// Bytes the receive buffer holds.
const BUFFER: usize = 4096;

#[derive(Debug)]
pub struct Machine {
    chance: Chance,
    fault: Option<(Fault, usize)>,
    struck: bool,
    /// Bytes taken since it was armed.
    taken: usize,
    received: Vec<u8>,
    /// The last bytes that came in, for real-time commands.
    recent: Vec<u8>,
    piece: Piece,
    pub pieces: Vec<Piece>,
    tells_by_itself: bool,
    said_offline: bool,
    last_id: [u8; 4],
    outbox: Vec<u8>,
    held_back: Vec<u8>,
    pub pulses: usize,
    /// Commands that nobody should send: memory written, sizes unheard of.
    pub unknown: Vec<Vec<u8>>,
}

impl Machine {
    pub fn new(chance: Chance) -> Self {
        Self {
            chance,
            fault: None,
            struck: false,
            taken: 0,
            received: Vec::new(),
            recent: Vec::new(),
            piece: Piece::default(),
            pieces: Vec::new(),
            tells_by_itself: false,
            said_offline: false,
            last_id: *b"    ",
            outbox: Vec::new(),
            held_back: Vec::new(),
            pulses: 0,
            unknown: Vec::new(),
        }
    }

    /// From here on bytes are counted, and the fault strikes before the `at`-th is taken.
    pub fn arm(&mut self, fault: Option<Fault>, at: usize) {
        self.fault = fault.map(|fault| (fault, at));
        self.struck = false;
        self.taken = 0;
        self.pulses = 0;
        self.pieces.clear();
        self.unknown.clear();
    }

    pub fn taken(&self) -> usize {
        self.taken
    }

    pub fn has_struck(&self) -> bool {
        self.struck
    }

    /// Staff have found and mended it.
    pub fn mend(&mut self) {
        let off = [Fault::PowerCutUnseen, Fault::PowerCut, Fault::Reappears];
        let was_off = off.into_iter().any(|fault| self.suffers(fault));
        self.fault = None;
        if was_off {
            self.boot();
        }
        let late = std::mem::take(&mut self.held_back);
        self.outbox.extend(late);
        self.run();
        self.tell_change();
    }

    /// Whether nobody would pick up now.
    pub fn is_away(&self) -> bool {
        self.suffers(Fault::PowerCut) || self.suffers(Fault::Reappears)
    }

    /// Strikes now, whatever was sent; returns whether the line drops with it.
    pub fn strike(&mut self) -> bool {
        let Some((fault, _)) = self.fault.filter(|_| !self.struck) else { return false };
        self.struck = true;
        match fault {
            Fault::PowerCut | Fault::PowerCutUnseen | Fault::Reappears => self.lose_buffers(),
            Fault::CutsEarly => self.end_piece(true),
            _ => {}
        }
        self.tell_change();
        matches!(fault, Fault::LineDrops | Fault::PowerCut | Fault::Reappears)
    }

    /// What it says now.
    pub fn says(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outbox)
    }

    pub fn offer(&mut self, byte: u8) -> Taking {
        if self.fault.is_some_and(|(_, at)| self.taken >= at) && !self.struck && self.strike() {
            return Taking::Drops;
        }
        if self.is_away() {
            return Taking::Drops; // What was on its way when it went reaches nobody.
        }
        if self.suffers(Fault::Stalls) {
            return Taking::NotNow;
        }
        if self.suffers(Fault::PowerCutUnseen) {
            self.taken += 1;
            return Taking::Taken; // It falls into a dead line.
        }
        if self.received.len() >= BUFFER {
            self.run();
            if self.received.len() >= BUFFER {
                return Taking::NotNow;
            }
        }
        self.taken += 1;
        self.received.push(byte);
        self.real_time(byte);
        if !self.is_offline() {
            self.run();
        }
        Taking::Taken
    }

    fn suffers(&self, fault: Fault) -> bool {
        self.struck && self.fault.is_some_and(|(now, _)| now == fault)
    }

    fn is_offline(&self) -> bool {
        self.suffers(Fault::PaperEnds)
            || self.suffers(Fault::CoverOpens)
            || self.suffers(Fault::CutterJams)
    }

    /// What stood in memory is gone; what is on paper stays there, to the last whole line.
    fn lose_buffers(&mut self) {
        self.received.clear();
        self.recent.clear();
        let line_end = self.piece.bytes.iter().rposition(|&byte| byte == b'\n');
        self.piece.bytes.truncate(line_end.map_or(0, |at| at + 1));
    }

    fn boot(&mut self) {
        self.lose_buffers();
        self.end_piece(false);
        self.tells_by_itself = false;
        self.said_offline = false;
        self.held_back.clear();
    }

    fn end_piece(&mut self, cut: bool) {
        let mut piece = std::mem::take(&mut self.piece);
        piece.cut = cut;
        if !piece.bytes.is_empty() {
            self.pieces.push(piece);
        }
    }

    /// Obeys a real-time command whose last byte has just come in, even inside a picture.
    fn real_time(&mut self, byte: u8) {
        self.recent.push(byte);
        match self.recent[..] {
            [0x10, 4, asked @ 1..=4] => self.answer_state(asked),
            [0x10, 5, 2] => self.recover(),
            [0x10, 0x14, 1, 0 | 1, 1..=8] => self.pulses += 1,
            [0x10, 0x14, 8, 1, 3, 20, 1, 6, 2, 8] => self.recover(),
            [0x10]
            | [0x10, 4 | 5 | 0x14]
            | [0x10, 0x14, 1 | 8]
            | [0x10, 0x14, 1, 0 | 1]
            | [0x10, 0x14, 8, ..] => return, // Not whole yet.
            _ => {}
        }
        self.recent.clear();
        if byte == 0x10 {
            self.recent.push(byte);
        }
    }

    /// `DLE ENQ 2`: an error is left behind, with everything that waited in the buffers.
    fn recover(&mut self) {
        if self.suffers(Fault::CutterJams) {
            self.received.clear();
        }
    }

    fn causes(&self) -> u8 {
        let bit = |fault, at: u8| u8::from(self.suffers(fault)) << at;
        bit(Fault::CoverOpens, 2) | bit(Fault::PaperEnds, 5) | bit(Fault::CutterJams, 6)
    }

    fn answer_state(&mut self, asked: u8) {
        let answer = match asked {
            2 if self.suffers(Fault::AnswersWrong) => 0x16,
            1 => 0x12 | u8::from(self.is_offline()) << 3,
            2 => 0x12 | self.causes(),
            4 if self.suffers(Fault::PaperEnds) => 0x72,
            _ => 0x12,
        };
        self.say(&[answer]);
    }

    /// Automatic status, when it was asked for and something has changed.
    fn tell_change(&mut self) {
        if !self.tells_by_itself || self.said_offline == self.is_offline() {
            return;
        }
        self.said_offline = self.is_offline();
        self.say_status();
    }

    fn say_status(&mut self) {
        let bit = |fault, value: u8| if self.suffers(fault) { value } else { 0 };
        let offline = if self.is_offline() { 0x08 } else { 0 };
        let status = [
            0x10 | offline | bit(Fault::CoverOpens, 0x20),
            bit(Fault::CutterJams, 0x08),
            bit(Fault::PaperEnds, 0x0c),
            0,
        ];
        self.say(&status);
    }

    fn say(&mut self, bytes: &[u8]) {
        if self.suffers(Fault::GoesMute) || self.suffers(Fault::PowerCutUnseen) {
            return;
        }
        if self.suffers(Fault::AnswersLate) {
            return self.held_back.extend(bytes);
        }
        if self.suffers(Fault::AnswersGarbage) {
            for _ in 0..self.chance.below(40) {
                let byte = self.chance.below(256) as u8;
                self.outbox.push(byte);
            }
        }
        self.outbox.extend(bytes);
        if self.suffers(Fault::AnswersTwice) {
            self.outbox.extend(bytes);
        }
    }

    /// Prints what is whole, in order, for as long as it can.
    fn run(&mut self) {
        let mut at = 0;
        while !self.is_offline()
            && !self.suffers(Fault::PowerCutUnseen)
            && let Some(length) = command_length(&self.received[at..])
        {
            let command = self.received[at..at + length].to_vec();
            at += length;
            self.obey(&command);
        }
        self.received.drain(..at);
    }

    fn obey(&mut self, command: &[u8]) {
        match command {
            // Nothing, what ends half a command, or what was obeyed when it came in.
            [0] | [0x1b..=0x1d, 0] | [0x10, ..] => {}
            [0x1b, b'p', ..] => self.pulses += 1,
            [0x1d, b'a', n] => {
                self.tells_by_itself = *n != 0;
                if self.tells_by_itself {
                    self.say_status();
                }
            }
            [0x1d, b'r', _] => self.say(&[0]),
            [0x1d, b'(', b'H', 6, 0, 0x30, 0x30, id @ ..] => self.done(id),
            // Torn, and ended by what came next: no function that a printer has.
            [0x1d, b'(', b'H', ..] => {}
            [0x1b, b'@'] => {
                self.end_piece(false);
                self.piece.bytes.extend(command);
            }
            [0x1d, b'V', ..] => {
                self.piece.bytes.extend(command);
                let piece = self.piece.clone();
                self.end_piece(true);
                if self.suffers(Fault::PrintsTwice) {
                    self.pieces.push(Piece { cut: true, doubled: true, ..piece });
                }
            }
            [first, ..] if *first < 0x20 && *first != b'\n' && known(command).is_none() => {
                self.unknown.push(command.to_vec());
            }
            _ => self.piece.bytes.extend(command),
        }
    }

    /// Everything before this id is printed.
    fn done(&mut self, id: &[u8]) {
        let before = self.last_id;
        self.last_id.copy_from_slice(id);
        let mut told = self.last_id;
        if self.suffers(Fault::AnswersForOldJob) {
            told = before;
        }
        if self.suffers(Fault::AnswersWrong) {
            told[3] ^= 1;
        }
        self.say(&[&[0x37, 0x22][..], &told, &[0]].concat());
    }
}

/// How long the command is that a buffer begins with; `None` while it is not whole.
fn command_length(buffer: &[u8]) -> Option<usize> {
    let first = *buffer.first()?;
    if first >= 0x20 || !matches!(first, 0x10 | 0x1b..=0x1d) {
        return Some(1);
    }
    let length = match known(buffer) {
        Some(length) => length?,
        None if buffer.len() < 2 => return None,
        None => 2, // Unknown: told as such.
    };
    (buffer.len() >= length).then_some(length)
}

/// The length of a known command, inner `None` while too little of it is there; outer `None` for one
/// that is not known.
fn known(buffer: &[u8]) -> Option<Option<usize>> {
    let byte = |at: usize| buffer.get(at).copied().map(usize::from);
    let word = |at: usize| Some(byte(at)? + 256 * byte(at + 1)?);
    let second = match buffer.get(1) {
        Some(second) => *second,
        None => return matches!(buffer[0], 0x10 | 0x1b..=0x1d).then_some(None),
    };
    let length = match (buffer[0], second) {
        (b'\n' | 0, _) => Some(1),
        (0x10, 4 | 5) => Some(3),
        (0x10, 0x14) => match byte(2) {
            Some(8) => Some(10),
            Some(_) => Some(5),
            None => None,
        },
        (0x1b, b'@' | b'2') => Some(2),
        (0x1b, b'E' | b'-' | b'R' | b't' | b'a' | b'd' | b'!' | b'M' | b'3') => Some(3),
        (0x1b, b'p') => Some(5),
        (0x1c, b'&' | b'.') => Some(2),
        (0x1c, b'C' | b'-' | b'!') => Some(3),
        (0x1c, b'S') => Some(4),
        (0x1c | 0x1d, b'(') => word(3).map(|rest| 5 + rest),
        (0x1d, b'!' | b'B' | b'w' | b'h' | b'H' | b'a' | b'r') => Some(3),
        (0x1d, b'V') => byte(2).map(|kind| if kind >= 65 { 4 } else { 3 }),
        (0x1d, b'k') => byte(3).map(|rest| 4 + rest),
        (0x1d, b'v') => word(4).zip(word(6)).map(|(across, rows)| 8 + across * rows),
        _ => return None,
    };
    Some(length)
}
