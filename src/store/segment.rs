//! A segment: one append-only file of a lane's journal, its name and its header.
//!
//! Room: store. May touch: bytes it is handed. May not: file, clock.
//! Invariant: a header says where the segment before it truly ends; what stands beyond is void.
//!
//! ```text
//!   0   8 bytes  "regi-jnl"          28  32 bytes  hash before the first record
//!   8   u16      format              60  u64       where the segment before ends (bytes)
//!  10   u8       lane                68  u32       its month, 0 for none
//!  11   u8       epoch               72  u16       its part
//!  12   u32      month, yyyymm       74  u8        length of the shop's identity
//!  16   u16      part                75  64 bytes  the shop's identity
//!  18   u8       1: after a fault   252  u32       CRC32C of the 252 bytes before
//!  20   u64      first seq          256  records
//! ```

use std::fmt;

use super::chain::{Epoch, Hash, Head, JournalId};
use super::sums;

/// Length of a header in bytes.
pub const HEADER_LEN: usize = 256;

const MAGIC: &[u8; 8] = b"regi-jnl";
const FORMAT: u16 = 1;
const CRC_AT: usize = HEADER_LEN - 4;

/// A month of a business date, `yyyymm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(u32);

impl Month {
    /// The earliest there is.
    pub const FIRST: Self = Self(200_001);

    /// Returns `None` for what is no month from 2000-01 to 9999-12.
    pub fn new(year: u16, month: u8) -> Option<Self> {
        let fits = (2000..=9999).contains(&year) && (1..=12).contains(&month);
        fits.then(|| Self(u32::from(year) * 100 + u32::from(month)))
    }

    /// Returns the month of a number `yyyymm`.
    pub fn from_number(yyyymm: u32) -> Option<Self> {
        Self::new(u16::try_from(yyyymm / 100).ok()?, u8::try_from(yyyymm % 100).ok()?)
    }

    pub fn year(self) -> u16 {
        u16::try_from(self.0 / 100).expect("a year of four digits")
    }

    /// Returns `yyyymm`.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// A segment's place in its journal: the month it began in, and its part from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub month: Month,
    pub part: u16,
}

/// A segment's file name, `LL-YYYYMM.log`; `LLb-…` in later epochs, `…-2.log` for later parts.
/// Sorts as the journal grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentName {
    pub lane: u8,
    pub epoch: Epoch,
    pub place: Place,
}

impl SegmentName {
    /// Reads a file name; `None` when it is no segment's.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".log")?.split('-');
        let lane = parts.next()?;
        let (lane, epoch) = match lane.chars().last()? {
            letter if letter.is_ascii_lowercase() => {
                (lane.strip_suffix(letter)?, Epoch::from_letter(letter)?)
            }
            _ => (lane, Epoch::FIRST),
        };
        let lane = lane.parse().ok()?;
        let month = Month::from_number(parts.next()?.parse().ok()?)?;
        let part = parts.next().map_or(Some(1), |part| part.parse().ok())?;
        let found = Self { lane, epoch, place: Place { month, part } };
        // One spelling only: a second file for the same place would be a second truth.
        (found.to_string() == name).then_some(found)
    }

    /// Returns whether the segment is of that journal, by its name.
    pub fn is_of(&self, id: &JournalId) -> bool {
        (self.lane, self.epoch) == (id.lane(), id.epoch())
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.lane)?;
        if let Some(letter) = self.epoch.letter() {
            write!(f, "{letter}")?;
        }
        write!(f, "-{}", self.place.month.number())?;
        if self.place.part != 1 {
            write!(f, "-{}", self.place.part)?;
        }
        f.write_str(".log")
    }
}

/// Why a segment was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Begun {
    /// A new month, or a new journal: the segment before ends with its last record.
    InOrder,
    /// A write or sync had failed: what stands beyond the end of the segment before is void.
    AfterFault,
}

/// Where the segment before ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Former {
    pub place: Place,
    /// Offset behind its last true record, in bytes.
    pub end: u64,
}

/// What a segment says of itself. "Continues after" is `after`: the last seq and hash before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub id: JournalId,
    pub place: Place,
    pub begun: Begun,
    pub after: Head,
    pub former: Option<Former>,
}

impl Header {
    pub fn name(&self) -> SegmentName {
        SegmentName { lane: self.id.lane(), epoch: self.id.epoch(), place: self.place }
    }

    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, MAGIC);
        put(8, &FORMAT.to_le_bytes());
        put(10, &[self.id.lane(), self.id.epoch().place()]);
        put(12, &self.place.month.number().to_le_bytes());
        put(16, &self.place.part.to_le_bytes());
        put(18, &[u8::from(self.begun == Begun::AfterFault)]);
        put(20, &(self.after.seq + 1).to_le_bytes());
        put(28, self.after.hash.as_bytes());
        if let Some(former) = self.former {
            put(60, &former.end.to_le_bytes());
            put(68, &former.place.month.number().to_le_bytes());
            put(72, &former.place.part.to_le_bytes());
        }
        let shop = self.id.shop().as_bytes();
        put(74, &[u8::try_from(shop.len()).expect("bounded by JournalId")]);
        put(75, shop);
        let crc = sums::crc(&out[..CRC_AT]);
        out[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a header; `None` when a byte of it is not what was written.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        let whole = u32_at(bytes, CRC_AT)? == sums::crc(&bytes[..CRC_AT]);
        if !whole || !bytes.starts_with(MAGIC) || u16_at(bytes, 8)? != FORMAT {
            return None;
        }
        let shop = bytes.get(75..75 + usize::from(bytes[74]))?;
        let id =
            JournalId::new(std::str::from_utf8(shop).ok()?, bytes[10], Epoch::new(bytes[11])?)?;
        let place = Place { month: month_at(bytes, 12)?, part: u16_at(bytes, 16)? };
        let begun = if bytes[18] == 0 { Begun::InOrder } else { Begun::AfterFault };
        let after =
            Head { seq: u64_at(bytes, 20)?.checked_sub(1)?, hash: Hash::read(&bytes[28..60])? };
        let former = match u32_at(bytes, 68)? {
            0 => None,
            _ => Some(Former {
                place: Place { month: month_at(bytes, 68)?, part: u16_at(bytes, 72)? },
                end: u64_at(bytes, 60)?,
            }),
        };
        Some(Self { id, place, begun, after, former })
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}

fn month_at(bytes: &[u8], at: usize) -> Option<Month> {
    Month::from_number(u32_at(bytes, at)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(month: u32, part: u16) -> Place {
        Place { month: Month::from_number(month).unwrap(), part }
    }

    #[test]
    fn names_have_one_spelling() {
        for (text, want) in [
            ("01-202611.log", Some((1, 0, 202_611, 1))),
            ("01-202611-2.log", Some((1, 0, 202_611, 2))),
            ("12b-202612-10.log", Some((12, 1, 202_612, 10))),
            ("01-202611-1.log", None),
            ("1-202611.log", None),
            ("01a-202611.log", None),
            ("01-202613.log", None),
            ("01-202611-2-3.log", None),
            ("01-202611.log.new", None),
            ("lock", None),
        ] {
            let want = want.map(|(lane, epoch, month, part)| SegmentName {
                lane,
                epoch: Epoch::new(epoch).unwrap(),
                place: place(month, part),
            });
            assert_eq!(SegmentName::parse(text), want, "{text}");
            if let Some(name) = want {
                assert_eq!(name.to_string(), text);
            }
        }
    }

    #[test]
    fn names_sort_as_the_journal_grows_past_nine_parts_and_a_year() {
        let names = ["01-202611.log", "01-202611-2.log", "01-202611-10.log", "01-202701.log"];
        assert!(names.map(|name| SegmentName::parse(name).unwrap()).is_sorted());
    }

    #[test]
    fn a_header_reads_back_and_notices_every_flipped_bit() {
        let id = JournalId::new("みどり商店", 3, Epoch::new(1).unwrap()).unwrap();
        let after = Head { seq: 41, hash: id.genesis().hash };
        let former = Some(Former { place: place(202_611, 2), end: 77_000 });
        for (begun, former) in [(Begun::InOrder, None), (Begun::AfterFault, former)] {
            let header = Header { id: id.clone(), place: place(202_612, 1), begun, after, former };
            let mut bytes = header.encode();
            assert_eq!(Header::decode(&bytes), Some(header));
            for bit in 0..HEADER_LEN * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Header::decode(&bytes), None, "bit {bit}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }
}
