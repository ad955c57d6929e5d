//! One record on disk, and the judgement of what stands after the last whole one.
//!
//! Room: store. May touch: bytes it is handed. May not: file, clock.
//! Invariant: a record is believed only when its checksum and its link both hold.
//!
//! ```text
//! 0  u32 LE   length of the body; top bit set: written in one call with the record before it,
//!             the bit below it set: with the record behind it, too
//! 4  u32 LE   CRC32C of length, body and hash
//! 8  body     version byte and what the codec makes of it
//!    32 bytes SHA-256(previous hash ‖ body)
//! ```

use super::chain::{Hash, Head};
use super::sums;

/// Longest body in bytes. An import's entry, the longest there is, has 256 KB.
pub const MAX_BODY: usize = 512 * 1024;
/// Most bytes one write may hold, several records together.
pub const MAX_WRITE: usize = 1024 * 1024;
/// What a record adds to its body, in bytes.
pub const FRAME: usize = PREFIX + Hash::LEN;

const PREFIX: usize = 8;
const JOINED: u32 = 1 << 31;
const FOLLOWED: u32 = 1 << 30;
/// What a disk writes whole, in bytes.
const SECTOR: u64 = 512;
/// So many zeros at its end say that the end of a record is missing: a whole one has them once in
/// four billion.
const MISSING_END: [u8; 4] = [0; 4];

/// How a record came to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// It began a write; everything before it was synced.
    First,
    /// It went out in one call with the record before it, to share one sync.
    Joined,
}

/// Whether a record ends its write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    Nothing,
    /// The next record belongs to the same act: without it this one never happened.
    Follows,
}

/// Where the parts of one record lie in the bytes it was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    pub writing: Writing,
    pub rest: Rest,
    pub body_len: usize,
    /// The hash the record claims; not yet compared with its link.
    pub hash: Hash,
}

impl Frame {
    /// Returns the length of the whole record in bytes.
    pub const fn len(&self) -> usize {
        FRAME + self.body_len
    }

    /// Always false: a record holds at least a version byte.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Returns the body within the bytes this frame was read from.
    pub fn body<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[PREFIX..PREFIX + self.body_len]
    }
}

/// Why bytes are no record of this chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unfit {
    /// They end before the record does.
    Short,
    /// No record has this length.
    Length,
    /// Length, body or hash are not what was written.
    Checksum,
    /// Whole, but not what follows here: edited, swapped or from another journal.
    Link,
}

/// Appends the record of `body` after `prev` to `out` and returns the new head.
pub fn put(out: &mut Vec<u8>, prev: Head, writing: Writing, rest: Rest, body: &[u8]) -> Head {
    let head = prev.after(body);
    let bare = u32::try_from(body.len()).expect("bodies are bounded by MAX_BODY");
    let joined = if writing == Writing::Joined { JOINED } else { 0 };
    let followed = if rest == Rest::Follows { FOLLOWED } else { 0 };
    let length = (bare | joined | followed).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&checksum(length, body, &head.hash).to_le_bytes());
    out.extend_from_slice(body);
    out.extend_from_slice(head.hash.as_bytes());
    head
}

fn checksum(length: [u8; 4], body: &[u8], hash: &Hash) -> u32 {
    let crc = sums::crc(&length);
    sums::crc_onto(sums::crc_onto(crc, body), hash.as_bytes())
}

/// Returns the length in bytes that the record at the front of `bytes` announces.
pub fn announced(bytes: &[u8]) -> Result<usize, Unfit> {
    let length = bytes.first_chunk().ok_or(Unfit::Short)?;
    let body_len = (u32::from_le_bytes(*length) & !(JOINED | FOLLOWED)) as usize;
    if (1..=MAX_BODY).contains(&body_len) { Ok(FRAME + body_len) } else { Err(Unfit::Length) }
}

/// Reads the record at the front of `bytes`, proved by its checksum but not by its link.
pub fn frame(bytes: &[u8]) -> Result<Frame, Unfit> {
    let len = announced(bytes)?;
    let record = bytes.get(..len).ok_or(Unfit::Short)?;
    let (prefix, rest) = record.split_at(PREFIX);
    let (body, hash) = rest.split_at(len - FRAME);
    let hash = Hash::read(hash).ok_or(Unfit::Short)?;
    let length: [u8; 4] = *prefix.first_chunk().ok_or(Unfit::Short)?;
    if prefix[4..] != checksum(length, body, &hash).to_le_bytes() {
        return Err(Unfit::Checksum);
    }
    let has = |flag| u32::from_le_bytes(length) & flag != 0;
    let writing = if has(JOINED) { Writing::Joined } else { Writing::First };
    let rest = if has(FOLLOWED) { Rest::Follows } else { Rest::Nothing };
    Ok(Frame { writing, rest, body_len: body.len(), hash })
}

/// Reads the record at the front of `bytes` as the one that follows `prev`.
pub fn follow(prev: Head, bytes: &[u8]) -> Result<(Frame, Head), Unfit> {
    let frame = frame(bytes)?;
    let head = prev.after(frame.body(bytes));
    if head.hash == frame.hash { Ok((frame, head)) } else { Err(Unfit::Link) }
}

/// What the bytes after the last whole record are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Zeros, written ahead for records to come, or nothing.
    Blank,
    /// The record that should stand there: a register wrote it since somebody looked.
    Grown,
    /// The rest of a write that a power cut tore; nobody was told it had happened.
    Torn,
    /// Something that once was whole: records that may have been acknowledged.
    Damaged(Unfit),
}

/// Judges the tail that begins at `offset` of its file, where the record after `prev` should stand
/// and does not.
///
/// Only one write is ever outstanding, so torn bytes are at most one write, hold no record that
/// began a write of its own, and show the tear: they end early, or a sector is still zeros. Zeros
/// behind them were written ahead and mean nothing.
pub fn judge_tail(prev: Head, offset: u64, tail: &[u8]) -> Tail {
    let written = written_len(tail);
    if written == 0 {
        return Tail::Blank;
    }
    // A hash may end in zeros of its own, but is never all zeros.
    let tail = &tail[..tail.len().min(written + Hash::LEN)];
    let why = match follow(prev, tail) {
        Ok(_) => return Tail::Grown,
        Err(Unfit::Link) => return Tail::Damaged(Unfit::Link),
        Err(why) => why,
    };
    if written > MAX_WRITE {
        return Tail::Damaged(why);
    }
    let wholes = whole_records(tail);
    if wholes.iter().any(|(_, writing)| *writing == Writing::First) {
        return Tail::Damaged(why);
    }
    let mut ends = match wholes.first() {
        Some((at, _)) => *at..=*at,
        None => written..=tail.len(),
    };
    if !begins_in_a_blank_sector(offset, tail)
        && ends.any(|end| links_despite_its_prefix(prev, &tail[..end]))
    {
        return Tail::Damaged(why);
    }
    match announced(tail) {
        Ok(len) if len <= tail.len() && is_all_there(offset, &tail[..len]) => Tail::Damaged(why),
        _ => Tail::Torn,
    }
}

/// Returns the length of a tail without the zeros at its end.
pub fn written_len(tail: &[u8]) -> usize {
    const BLANK: [u8; 4096] = [0; 4096];
    let blank = tail.rchunks(BLANK.len()).take_while(|piece| *piece == &BLANK[..piece.len()]);
    let rest = &tail[..tail.len() - blank.map(<[u8]>::len).sum::<usize>()];
    rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// Returns whether bytes behind a segment's end are only zeros that were written ahead.
pub fn is_room(region: &[u8]) -> bool {
    region.len() <= MAX_WRITE && written_len(region) == 0
}

/// Returns whether every sector of a record, and its end, were written.
fn is_all_there(offset: u64, record: &[u8]) -> bool {
    !record.ends_with(&MISSING_END) && !has_blank_sector(offset, record.len(), record)
}

/// Returns whether a void region (behind a fault) is what one failed write can leave.
pub fn is_one_write(region: &[u8]) -> bool {
    region.len() <= MAX_WRITE
        && whole_records(region).iter().filter(|(_, w)| *w == Writing::First).count() <= 1
}

/// Finds the records in `bytes` whose checksum holds, wherever they begin.
fn whole_records(bytes: &[u8]) -> Vec<(usize, Writing)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + FRAME < bytes.len() {
        match frame(&bytes[at..]) {
            Ok(frame) => {
                found.push((at, frame.writing));
                at += frame.len();
            }
            Err(_) => at += 1,
        }
    }
    found
}

/// Returns whether body and hash are intact and only length or checksum are not.
fn links_despite_its_prefix(prev: Head, record: &[u8]) -> bool {
    let Some(body_end) = record.len().checked_sub(Hash::LEN) else { return false };
    let Some(body) = record.get(PREFIX..body_end) else { return false };
    Hash::read(&record[body_end..]) == Some(prev.after(body).hash)
}

/// Returns whether the sector that the tail begins in was never written. A border may lie within the
/// prefix, and then body and hash stand whole in the sectors behind it.
fn begins_in_a_blank_sector(offset: u64, tail: &[u8]) -> bool {
    has_blank_sector(offset, 1, tail)
}

/// Returns whether a sector that the first `len` bytes of the tail lie in was never written.
fn has_blank_sector(offset: u64, len: usize, tail: &[u8]) -> bool {
    let mut at = 0;
    while at < len {
        let left_in_sector = SECTOR - (offset + at as u64) % SECTOR;
        let end = (at + left_in_sector as usize).min(tail.len());
        if tail[at..end].iter().all(|byte| *byte == 0) {
            return true;
        }
        at = end;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: Head = Head { seq: 0, hash: Hash::from_bytes([7; 32]) };

    fn body(seed: u8, len: usize) -> Vec<u8> {
        (0..len).map(|i| (i as u8).wrapping_mul(31).wrapping_add(seed) | 1).collect()
    }

    fn two(len: usize, second: Writing) -> (Vec<u8>, usize) {
        let mut out = Vec::new();
        let head = put(&mut out, ZERO, Writing::First, Rest::Nothing, &body(1, len));
        let border = out.len();
        put(&mut out, head, second, Rest::Nothing, &body(2, len));
        (out, border)
    }

    #[test]
    fn a_record_reads_back_and_follows_only_its_predecessor() {
        let (bytes, border) = two(300, Writing::Joined);
        let (first, head) = follow(ZERO, &bytes).unwrap();
        assert_eq!((first.len(), first.writing), (border, Writing::First));
        assert_eq!(first.body(&bytes), body(1, 300));
        let (second, last) = follow(head, &bytes[border..]).unwrap();
        assert_eq!((second.writing, last.seq), (Writing::Joined, 2));
        assert_eq!(follow(ZERO, &bytes[border..]), Err(Unfit::Link));
    }

    #[test]
    fn every_single_bit_flip_is_noticed() {
        let mut bytes = Vec::new();
        put(&mut bytes, ZERO, Writing::First, Rest::Nothing, &body(1, 60));
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(follow(ZERO, &bytes).is_err(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_flip_in_a_whole_last_record_is_damage_and_never_a_torn_tail() {
        for offset in [256, 300, 511] {
            let mut bytes = Vec::new();
            put(&mut bytes, ZERO, Writing::First, Rest::Nothing, &body(1, 900));
            for bit in 0..bytes.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                let judged = judge_tail(ZERO, offset, &bytes);
                assert!(matches!(judged, Tail::Damaged(_)), "bit {bit} at {offset}: {judged:?}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn a_write_cut_short_is_torn_at_every_length() {
        for second in [Writing::First, Writing::Joined] {
            let (bytes, border) = two(700, second);
            let range = 1..border;
            for len in range {
                assert_eq!(judge_tail(ZERO, 256, &bytes[..len]), Tail::Torn, "{len}");
            }
        }
    }

    #[test]
    fn a_write_with_a_sector_missing_is_torn_joined_records_included() {
        let (bytes, _) = two(1500, Writing::Joined);
        let offset = 256_usize;
        for sector in 0..2 {
            let mut torn = bytes.clone();
            let from = (sector * 512_usize).saturating_sub(offset);
            torn[from..(sector + 1) * 512 - offset].fill(0);
            assert_eq!(judge_tail(ZERO, offset as u64, &torn), Tail::Torn, "sector {sector}");
        }
    }

    #[test]
    fn a_write_is_torn_too_where_only_the_front_of_its_prefix_is_missing() {
        for len in [100, 300, 900] {
            for second in [Writing::First, Writing::Joined] {
                let (bytes, border) = two(len, second);
                let end = if second == Writing::First { border } else { bytes.len() };
                for before_border in 1..=PREFIX {
                    let mut torn = bytes[..end].to_vec();
                    torn[..before_border].fill(0);
                    let offset = 3 * SECTOR - before_border as u64;
                    let judged = judge_tail(ZERO, offset, &torn);
                    assert_eq!(judged, Tail::Torn, "{len} {second:?} {before_border}");
                    // With the border elsewhere a sector cannot have lost those bytes alone.
                    let elsewhere = judge_tail(ZERO, offset - 64, &torn);
                    assert!(matches!(elsewhere, Tail::Damaged(_)), "{len} {before_border}");
                }
            }
        }
    }

    #[test]
    fn a_bad_record_before_an_acknowledged_one_is_damage() {
        let (mut bytes, _) = two(900, Writing::First);
        bytes[100..700].fill(0); // As torn as can be, but another write followed it.
        assert!(matches!(judge_tail(ZERO, 256, &bytes), Tail::Damaged(_)));
        bytes[1] ^= 0x40; // Nor does a length that reaches past the end excuse it.
        assert!(matches!(judge_tail(ZERO, 256, &bytes), Tail::Damaged(_)));
    }

    #[test]
    fn a_void_region_holds_at_most_one_write() {
        let (joined, _) = two(50, Writing::Joined);
        let (apart, border) = two(50, Writing::First);
        for (region, want) in [
            (&joined[..], true),
            (&apart[..], false),
            (&apart[..border + 9], true),
            (&[][..], true),
        ] {
            assert_eq!(is_one_write(region), want);
        }
    }

    /// The tail as it stands in a segment whose room was written ahead.
    fn with_room(tail: &[u8]) -> Vec<u8> {
        [tail, &[0; 5000][..]].concat()
    }

    #[test]
    fn zeros_behind_the_last_record_are_room_and_nothing_else() {
        for len in [0, 1, 7, 8, 39, 40, 41, 5000] {
            assert_eq!(judge_tail(ZERO, 300, &vec![0; len]), Tail::Blank, "{len}");
        }
    }

    #[test]
    fn a_flip_in_the_last_record_is_damage_with_room_behind_it_too() {
        let record = |seed: u16| {
            let mut bytes = Vec::new();
            put(&mut bytes, ZERO, Writing::First, Rest::Nothing, &seed.to_le_bytes().repeat(65));
            bytes
        };
        // One whose hash ends in a zero, too: it could as well be room.
        let by_chance = (1..).find(|seed| record(*seed).ends_with(&[0]));
        for seed in [1, by_chance.unwrap()] {
            let mut bytes = with_room(&record(seed));
            for bit in 0..(FRAME + 130) * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                let judged = judge_tail(ZERO, 300, &bytes);
                assert!(matches!(judged, Tail::Damaged(_)), "bit {bit} of {seed}: {judged:?}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn a_write_into_room_is_torn_wherever_a_sector_or_its_end_is_missing() {
        for second in [Writing::First, Writing::Joined] {
            let (bytes, border) = two(700, second);
            let end = if second == Writing::First { border } else { bytes.len() };
            for offset in [256, 300, 511] {
                for missing in 0..=(offset + end) / 512 {
                    let mut torn = with_room(&bytes[..end]);
                    let from = (missing * 512).saturating_sub(offset);
                    torn[from..((missing + 1) * 512 - offset).min(end)].fill(0);
                    let judged = judge_tail(ZERO, offset as u64, &torn);
                    let blank = torn.iter().all(|byte| *byte == 0);
                    let followed = frame(&torn).is_ok(); // Its first record is whole.
                    assert!(
                        blank || followed || judged == Tail::Torn,
                        "sector {missing} {second:?} {offset}: {judged:?}"
                    );
                }
            }
            for len in 1..border - MISSING_END.len() {
                let judged = judge_tail(ZERO, 256, &with_room(&bytes[..len]));
                assert_eq!(judged, Tail::Torn, "{len}");
            }
        }
    }

    #[test]
    fn a_record_behind_room_is_damage_and_a_stray_bit_in_it_is_not() {
        let mut far = vec![0; 3000];
        put(&mut far, ZERO, Writing::First, Rest::Nothing, &body(1, 200));
        assert!(matches!(judge_tail(ZERO, 300, &with_room(&far)), Tail::Damaged(_)));
        for at in [0, 1, 3, 8, 400, 4999] {
            let mut room = with_room(&[]);
            room[at] ^= 0x10;
            assert_eq!(judge_tail(ZERO, 300, &room), Tail::Torn, "{at}");
        }
    }
}
