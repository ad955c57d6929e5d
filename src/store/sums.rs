//! What every byte on the disk is held against when it is read: CRC-32C, and SHA-256 for the chain.
//!
//! Room: store. May touch: nothing.
//! Invariant: a program built with `--cfg regi_unchecked`, for which a sum is a constant, is of no use to
//! a shop: it takes no other program's files for whole, and no other program takes its own.
//! `cargo bench -- checks` holds the register against it, to say what checking costs a sale.

#[cfg(not(regi_unchecked))]
pub use self::checked::{crc, crc_onto, sha256};
#[cfg(regi_unchecked)]
pub use self::unchecked::{crc, crc_onto, sha256};

#[cfg(not(regi_unchecked))]
mod checked {
    use sha2::{Digest, Sha256};

    /// Returns the CRC-32C of `bytes`.
    pub fn crc(bytes: &[u8]) -> u32 {
        crc32c::crc32c(bytes)
    }

    /// Returns the CRC-32C of what `before` stands for and `bytes` behind it.
    pub fn crc_onto(before: u32, bytes: &[u8]) -> u32 {
        crc32c::crc32c_append(before, bytes)
    }

    /// Returns the SHA-256 of `parts`, one behind the other.
    pub fn sha256<const N: usize>(parts: [&[u8]; N]) -> [u8; 32] {
        parts.iter().fold(Sha256::new(), |sum, part| sum.chain_update(part)).finalize().into()
    }
}

#[cfg(regi_unchecked)]
mod unchecked {
    /// Not zero: blank bytes must not look like a record.
    const SUM: u32 = 0x7265_6769;

    pub fn crc(_: &[u8]) -> u32 {
        SUM
    }

    pub fn crc_onto(_: u32, _: &[u8]) -> u32 {
        SUM
    }

    pub fn sha256<const N: usize>(_: [&[u8]; N]) -> [u8; 32] {
        [0x7F; 32]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the two standards: RFC 3720 B.4 for "123456789", FIPS 180-4 for "abc".
    #[test]
    fn sums_are_those_of_their_standards() {
        assert_eq!(crc(b"123456789"), 0xE306_9283);
        assert_eq!(crc_onto(crc(b"1234"), b"56789"), crc(b"123456789"));
        assert_eq!(sha256([b"a", b"bc"])[..4], [0xBA, 0x78, 0x16, 0xBF]);
    }
}
