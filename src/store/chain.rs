//! The chain: what follows what, and the proof of it.
//!
//! Room: store. May touch: nothing. May not: file, clock, chance.
//! Invariant: a hash stands for everything before it: whoever knows the head knows the journal.

use std::fmt;

use super::sums::sha256;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; Self::LEN]);

impl Hash {
    /// Length in bytes.
    pub const LEN: usize = 32;

    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Takes a hash from the front of `bytes`, or `None` when they are too few.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk().copied().map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A lane's life with one unbroken journal. The first has no letter; the next are b, c, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u8);

impl Epoch {
    pub const FIRST: Self = Self(0);

    /// Returns the epoch with that place from 0 (a), or `None` beyond z.
    pub fn new(place: u8) -> Option<Self> {
        (place < 26).then_some(Self(place))
    }

    /// Returns the epoch of a letter, `b` to `z`; the first one is written without.
    pub fn from_letter(letter: char) -> Option<Self> {
        let place = u8::try_from(letter).ok()?.checked_sub(b'a')?;
        Self::new(place).filter(|epoch| *epoch != Self::FIRST)
    }

    /// Returns the letter as it is printed: none for the first.
    pub fn letter(self) -> Option<char> {
        (self != Self::FIRST).then(|| char::from(b'a' + self.0))
    }

    pub fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }

    /// Returns the place, from 0.
    pub const fn place(self) -> u8 {
        self.0
    }
}

/// Which journal: a shop's, a lane's, an epoch's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JournalId {
    shop: String,
    lane: u8,
    epoch: Epoch,
}

impl JournalId {
    /// Longest name of a shop in a segment's header, in bytes.
    pub const SHOP_LEN: usize = 64;

    /// Returns `None` when the shop's identity is empty or over 64 bytes, or the lane not 1 to 99.
    pub fn new(shop: &str, lane: u8, epoch: Epoch) -> Option<Self> {
        let fits = (1..=Self::SHOP_LEN).contains(&shop.len()) && (1..=99).contains(&lane);
        fits.then(|| Self { shop: shop.to_owned(), lane, epoch })
    }

    pub fn shop(&self) -> &str {
        &self.shop
    }

    pub const fn lane(&self) -> u8 {
        self.lane
    }

    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Returns the head of the journal before its first entry: seq 0 and the hash of
    /// `len(shop) ‖ shop ‖ lane ‖ epoch`, one byte each but the name.
    pub fn genesis(&self) -> Head {
        let length = [u8::try_from(self.shop.len()).expect("checked in new")];
        let place = [self.lane, self.epoch.place()];
        Head { seq: 0, hash: Hash(sha256([&length, self.shop.as_bytes(), &place])) }
    }
}

/// The end of a journal, or any place in it: the last entry's number (from 1) and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head {
    pub seq: u64,
    pub hash: Hash,
}

impl Head {
    /// Returns the head after one more entry: `SHA-256(prev_hash ‖ body)`.
    #[must_use]
    pub fn after(self, body: &[u8]) -> Self {
        Self { seq: self.seq + 1, hash: Hash(sha256([&self.hash.0, body])) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_genesis_differs_by_shop_lane_and_epoch() {
        let id = |shop, lane, epoch| JournalId::new(shop, lane, Epoch(epoch)).unwrap().genesis();
        let first = id("midori", 1, 0);
        for other in [id("midorj", 1, 0), id("midori", 2, 0), id("midori", 1, 1)] {
            assert_ne!(first.hash, other.hash);
        }
        assert_eq!(first.seq, 0);
    }

    #[test]
    fn the_chain_is_sha256_of_previous_hash_and_body() {
        let zero = Head { seq: 0, hash: Hash([0; 32]) };
        // SHA-256 of 32 zero bytes and "abc", from coreutils.
        let want = "365aa7d8f7f9402c4b9434502b4cc89ddb09fe50d7cd95b493b834c62d5a5370";
        let got = zero.after(b"abc");
        assert_eq!(got.seq, 1);
        assert_eq!(got.hash.to_string(), want);
    }

    #[test]
    fn names_out_of_range_make_no_journal() {
        for (shop, lane, ok) in
            [("a", 1, true), ("a", 99, true), ("", 1, false), ("a", 0, false), ("a", 100, false)]
        {
            assert_eq!(JournalId::new(shop, lane, Epoch::FIRST).is_some(), ok, "{shop:?} {lane}");
        }
        assert!(JournalId::new(&"x".repeat(65), 1, Epoch::FIRST).is_none());
    }

    #[test]
    fn epochs_are_lettered_from_the_second_on() {
        assert_eq!(Epoch::FIRST.letter(), None);
        assert_eq!(Epoch::FIRST.next().and_then(Epoch::letter), Some('b'));
        assert_eq!(Epoch::from_letter('a'), None, "the first epoch is written without a letter");
        assert_eq!(Epoch::from_letter('z'), Epoch::new(25));
        assert_eq!(Epoch::new(25).and_then(Epoch::next), None);
    }
}
