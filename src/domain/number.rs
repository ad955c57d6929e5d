//! Numbers on papers: gap-free per lane, never reset (`DESIGN.md` 3).
//!
//! Room: domain. May touch: std.
//! Invariant: the written form reads back to the same number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DocKind {
    Receipt,
    Return,
    Formal,
    Z,
    Training,
    /// A suspended sale's slip.
    Slip,
    /// A purchase record of a tax-free shop.
    TaxFree,
}

impl DocKind {
    pub const ALL: [Self; 7] = [
        Self::Receipt,
        Self::Return,
        Self::Formal,
        Self::Z,
        Self::Training,
        Self::Slip,
        Self::TaxFree,
    ];

    const fn letter(self) -> &'static str {
        match self {
            Self::Receipt => "",
            Self::Return => "R",
            Self::Formal => "F",
            Self::Z => "Z",
            Self::Training => "T",
            Self::Slip => "S",
            Self::TaxFree => "P",
        }
    }

    const fn digits(self) -> usize {
        match self {
            Self::Z | Self::Slip => 4,
            _ => 6,
        }
    }
}

/// One numbered paper of one lane: `01-000123`, `01-R000012`, `01b-Z0412`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocNo {
    pub lane: u8,
    /// 0 is the first epoch, written without a letter; 1 is `b`.
    pub epoch: u16,
    pub kind: DocKind,
    pub number: u32,
}

/// The letters of an epoch: none, b, c … z, ab ….
pub fn epoch_letters(epoch: u16) -> String {
    let mut rest = u32::from(epoch);
    if rest == 0 {
        return String::new();
    }
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'a' + (rest % 26) as u8));
        rest /= 26;
        if rest == 0 {
            break;
        }
    }
    letters.iter().rev().collect()
}

fn epoch_from_letters(letters: &str) -> Option<u16> {
    let value = letters.bytes().try_fold(0u32, |sum, byte| {
        if byte.is_ascii_lowercase() { Some(sum * 26 + u32::from(byte - b'a')) } else { None }
    })?;
    u16::try_from(value).ok()
}

impl fmt::Display for DocNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epoch = epoch_letters(self.epoch);
        let (letter, width) = (self.kind.letter(), self.kind.digits());
        write!(f, "{:02}{epoch}-{letter}{:0width$}", self.lane, self.number)
    }
}

/// The text is not a document number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a document number")]
pub struct NotADocNo;

impl FromStr for DocNo {
    type Err = NotADocNo;

    fn from_str(text: &str) -> Result<Self, NotADocNo> {
        let (head, tail) = text.split_once('-').ok_or(NotADocNo)?;
        if !head.is_ascii() || head.len() < 2 || head.len() > 5 || tail.len() > 11 {
            return Err(NotADocNo);
        }
        let (lane, letters) = head.split_at(2);
        let kind = DocKind::ALL
            .into_iter()
            .rev()
            .find(|kind| tail.starts_with(kind.letter()))
            .ok_or(NotADocNo)?;
        let digits = &tail[kind.letter().len()..];
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !plain(lane) || !plain(digits) || digits.len() < kind.digits() {
            return Err(NotADocNo);
        }
        let epoch = if letters.is_empty() {
            0
        } else {
            epoch_from_letters(letters).filter(|epoch| *epoch > 0).ok_or(NotADocNo)?
        };
        Ok(Self {
            lane: lane.parse().map_err(|_| NotADocNo)?,
            epoch,
            kind,
            number: digits.parse().map_err(|_| NotADocNo)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back_from_its_paper() {
        for (text, kind, epoch, number) in [
            ("01-000123", DocKind::Receipt, 0, 123),
            ("01-R000012", DocKind::Return, 0, 12),
            ("03-F000003", DocKind::Formal, 0, 3),
            ("01b-Z0412", DocKind::Z, 1, 412),
            ("01-T000001", DocKind::Training, 0, 1),
            ("02-S0007", DocKind::Slip, 0, 7),
            ("01ba-1000000", DocKind::Receipt, 26, 1_000_000),
        ] {
            let number_read: DocNo = text.parse().unwrap();
            assert_eq!(
                (number_read.kind, number_read.epoch, number_read.number),
                (kind, epoch, number)
            );
            assert_eq!(number_read.to_string(), text);
        }
        for bad in ["", "01", "01-", "01-12", "1-000123", "01-X000001", "01a-000001", "01-00012３"]
        {
            assert_eq!(bad.parse::<DocNo>(), Err(NotADocNo), "{bad}");
        }
    }
}
