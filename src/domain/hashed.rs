//! Sets of things that are hashes already.
//!
//! Room: domain. May touch: std.
//! Invariant: what goes in was hashed with keys of chance: hashing it again would cost as much as
//! finding its place.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// A set of hashes.
pub type Hashes = HashSet<u64, BuildHasherDefault<AsItIs>>;

/// Takes a number for the hash that it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
