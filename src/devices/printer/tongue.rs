//! What a printer is told and asked beside its papers, by its language and the status it keeps.
//!
//! Room: devices. May touch: std. May not: transports, clocks.
//! Invariant: what ends a paper is told apart from what ended an earlier one.

use super::sii::{self, SiiParser};
use super::star::{self, StarParser};
use super::status::{
    ANSWER_WHEN_DONE, ASK, ASKED, Answer, AnswerParser, ProcessId, TELL_BY_ITSELF,
};
use crate::devices::profile::{Language, Level, Profile, Status};

/// How a printer converses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    pub language: Language,
    pub status: Status,
    pub process_id: bool,
    pub drawer_open: Level,
}

impl From<&Profile> for Manner {
    fn from(profile: &Profile) -> Self {
        Self {
            language: profile.language,
            status: profile.status,
            process_id: profile.process_id,
            drawer_open: profile
                .drawer
                .as_ref()
                .map(|drawer| drawer.open_level)
                .unwrap_or_default(),
        }
    }
}

/// How the end of a paper is known: what is sent before and after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nobody says.
    Untold,
    /// The printer sends the name back.
    Named(ProcessId),
    /// The printer answers once, and does not say to which paper.
    Answered,
    /// Star's count of ends stands at this number; SII answers with this mark.
    Signed(u8),
}

impl Ending {
    pub fn before(&self, manner: Manner) -> Vec<u8> {
        match (self, manner.language) {
            (Self::Signed(count), Language::Star) => star::count_from(*count),
            _ => Vec::new(),
        }
    }

    pub fn after(&self, manner: Manner) -> Vec<u8> {
        match (self, manner.language) {
            (Self::Untold, _) => Vec::new(),
            (Self::Named(id), Language::Escpos) => id.request(),
            (Self::Named(id), Language::Star) => star::name_when_done(*id).to_vec(),
            (Self::Answered, _) => ANSWER_WHEN_DONE.to_vec(),
            (Self::Signed(mark), Language::Escpos) => sii::mark_when_done(*mark).to_vec(),
            (Self::Signed(_), Language::Star) => vec![star::COUNT_ONE],
        }
    }
}

impl Manner {
    /// Returns what asks for the state.
    pub(super) fn question(self) -> &'static [u8] {
        match self.status {
            Status::None => &[],
            Status::Dle | Status::Asb => &ASK,
            Status::Star => &star::ASK,
            Status::Sii => &sii::GREET,
        }
    }

    /// Returns whether questions are real time: a printer in trouble, or in mid-paper, answers, too.
    pub(super) fn answers_at_once(self) -> bool {
        self.status != Status::Sii
    }

    /// Returns which answers are due to it, in their order.
    pub(super) fn due(self) -> &'static [u8] {
        match self.status {
            Status::None => &[],
            Status::Dle | Status::Asb => &ASKED,
            Status::Star | Status::Sii => &[1],
        }
    }

    /// Returns what turns on telling by itself.
    pub(super) fn watch_words(self) -> &'static [u8] {
        if self.status == Status::Asb { &TELL_BY_ITSELF } else { &[] }
    }

    /// Returns what follows the zeros that end a torn picture: the printer may stand in an error with a line in its
    /// buffer (`DLE ENQ 2` or `CAN`, then `ESC @`; reliability.md P3).
    pub(super) fn recovery(self) -> &'static [u8] {
        match self.language {
            Language::Escpos => &[0x10, 5, 2, 0x1b, b'@'],
            Language::Star => &[0x18, 0x1b, b'@'],
        }
    }

    /// Returns the bytes of the longest picture in one command: its rows of 1,024 dots, and its head.
    pub(super) fn longest_picture(self) -> usize {
        usize::from(self.language.most_raster_rows()) * 128 + 9
    }

    /// Returns the name by which a paper's end is told.
    pub(super) fn name(self, job: u64) -> ProcessId {
        match self.language {
            Language::Escpos => ProcessId::of(job),
            Language::Star => star::name(job),
        }
    }
}

/// Finds answers in what the printer sends.
#[derive(Debug)]
pub(super) enum Parser {
    EscPos(AnswerParser),
    Star(StarParser),
    Sii(SiiParser),
}

impl Parser {
    pub fn new(status: Status) -> Self {
        match status {
            Status::None | Status::Dle | Status::Asb => Self::EscPos(AnswerParser::default()),
            Status::Star => Self::Star(StarParser::default()),
            Status::Sii => Self::Sii(SiiParser::default()),
        }
    }

    /// Takes the next byte; returns the answer it completes.
    pub fn push(&mut self, byte: u8) -> Option<Answer> {
        match self {
            Self::EscPos(parser) => parser.push(byte),
            Self::Star(parser) => parser.push(byte),
            Self::Sii(parser) => parser.push(byte),
        }
    }

    /// Forgets an answer half heard: the link it came over is gone.
    pub fn reset(&mut self) {
        match self {
            Self::EscPos(parser) => parser.reset(),
            Self::Star(parser) => *parser = StarParser::default(),
            Self::Sii(parser) => *parser = SiiParser::default(),
        }
    }
}
