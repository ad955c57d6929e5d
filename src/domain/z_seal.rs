//! What a Z's signature says, in words that another PC can check without regi.
//!
//! Room: domain. May touch: std. May not: keys; whoever holds the key signs.
//! Invariant: the statement names the Z, its day and its sums, and by its digest the whole Z and
//! everything before it; every character of it fits a QR code's short alphabet.

use serde::{Deserialize, Serialize};

use super::entry::ZClosing;
use super::register::ymd;

/// Characters of a key or a signature that a paper shows.
const SHOWN: usize = 16;

/// Who signed a Z, and with what (Ed25519). Stands last in the entry's body, the signature at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZSeal {
    /// The register's public key.
    pub key: [u8; 32],
    halves: [[u8; 32]; 2],
}

impl ZSeal {
    /// Bytes of a signature.
    pub const LEN: usize = 64;

    /// Returns a seal that has a key and is not signed yet: what the signature covers is made of it.
    pub const fn blank(key: [u8; 32]) -> Self {
        Self { key, halves: [[0; 32]; 2] }
    }

    #[must_use]
    pub fn signed(mut self, signature: [u8; Self::LEN]) -> Self {
        let (front, back) = signature.split_at(32);
        self.halves[0].copy_from_slice(front);
        self.halves[1].copy_from_slice(back);
        self
    }

    pub fn signature(&self) -> [u8; Self::LEN] {
        let mut signature = [0; Self::LEN];
        signature[..32].copy_from_slice(&self.halves[0]);
        signature[32..].copy_from_slice(&self.halves[1]);
        signature
    }

    /// The beginning of the key, as the Z's paper shows it.
    pub fn key_shown(&self) -> String {
        shown(&self.key)
    }

    /// The beginning of the signature, as the Z's paper shows it.
    pub fn signature_shown(&self) -> String {
        shown(&self.signature())
    }
}

/// Returns what is signed: `REGI-Z1 01-Z0412 2026-11-22 NET GRAND-TOTAL DIGEST`. The digest is SHA-256
/// of the hash before the Z and the Z's body up to its signature, in hexadecimal.
pub fn statement(closing: &ZClosing, business_date: i32, digest: &[u8; 32]) -> String {
    let net = closing.grand_total.minor() - closing.grand_total_before.minor();
    let (number, day) = (closing.number, ymd(business_date));
    let (total, digest) = (closing.grand_total.minor(), hex(digest));
    format!("REGI-Z1 {number} {day} {net} {total} {digest}").to_ascii_uppercase()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn shown(bytes: &[u8]) -> String {
    hex(&bytes[..SHOWN / 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::{Money, yen};
    use crate::domain::number::{DocKind, DocNo};

    #[test]
    fn a_statement_names_the_z_and_fits_the_short_alphabet_of_a_qr_code() {
        let number = DocNo { lane: 1, epoch: 1, kind: DocKind::Z, number: 412 };
        let closing = ZClosing {
            number,
            counted: None,
            count: None,
            expected: Money::ZERO,
            difference: Money::ZERO,
            float_left: Money::ZERO,
            grand_total_before: yen(1_000),
            grand_total: yen(-234),
            seal: None,
        };
        let said = statement(&closing, 739_942, &[0xab; 32]);
        let digest = "AB".repeat(32);
        assert_eq!(said, format!("REGI-Z1 01B-Z0412 2026-11-22 -1234 -234 {digest}"));
        let short = |letter: char| {
            letter.is_ascii_digit() || letter.is_ascii_uppercase() || " $%*+-./:".contains(letter)
        };
        assert!(said.chars().all(short));
    }

    #[test]
    fn a_seal_gives_its_signature_back_and_shows_its_beginning() {
        let signature: [u8; 64] = std::array::from_fn(|place| place as u8);
        let seal = ZSeal::blank([7; 32]).signed(signature);
        assert_eq!(seal.signature(), signature);
        assert_eq!(seal.signature_shown(), "0001020304050607");
        assert_eq!(seal.key_shown(), "0707070707070707");
    }
}
