//! Signing a Z and checking its signature.
//!
//! Room: store. May touch: bytes and entries it is handed. May not: file.
//! Invariant: the signature covers the hash before the Z and every byte of the Z but itself; a Z in
//! the journal without a right one is damage.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::chain::Hash;
use super::codec;
use super::fault::StoreError;
use super::sums::sha256;
use crate::domain::entry::{Entry, Kind, ZClosing};
use crate::domain::number::DocNo;
use crate::domain::z_seal::{ZSeal, statement};

/// What is wrong with the signature of a Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unsealed {
    /// It has none.
    Missing,
    /// It is not that of this Z behind this entry.
    Broken,
}

/// Zs that one key signed without another between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    pub lane: u8,
    pub key: [u8; 32],
    /// The first of them.
    pub since: DocNo,
    pub count: u64,
}

/// Seals the Z that is to follow `before`.
pub fn sign(entry: &mut Entry, before: Hash, key: &SigningKey) -> Result<(), StoreError> {
    let blank = ZSeal::blank(key.verifying_key().to_bytes());
    let Kind::ZClosed(closing) = &mut entry.kind else { return Ok(()) };
    closing.seal = Some(blank.clone());
    let body = codec::encode_entry(entry)?;
    let Kind::ZClosed(closing) = &mut entry.kind else { return Ok(()) };
    let said = said(closing, entry.header.business_date, before, &body);
    closing.seal = Some(blank.signed(key.sign(said.as_bytes()).to_bytes()));
    Ok(())
}

/// Returns the key that signed the Z in `body`, which stands behind the hash `before`; `None` for any
/// other entry.
pub fn check(
    entry: &Entry,
    before: Hash,
    body: &[u8],
) -> Result<Option<(DocNo, [u8; 32])>, Unsealed> {
    let Kind::ZClosed(closing) = &entry.kind else { return Ok(None) };
    let seal = closing.seal.as_ref().ok_or(Unsealed::Missing)?;
    let said = said(closing, entry.header.business_date, before, body);
    let key = VerifyingKey::from_bytes(&seal.key).map_err(|_| Unsealed::Broken)?;
    let signature = Signature::from_bytes(&seal.signature());
    key.verify_strict(said.as_bytes(), &signature).map_err(|_| Unsealed::Broken)?;
    Ok(Some((closing.number, seal.key)))
}

/// The statement of a Z whose body ends with its signature, blank or not.
fn said(closing: &ZClosing, business_date: i32, before: Hash, body: &[u8]) -> String {
    let covered = &body[..body.len().saturating_sub(ZSeal::LEN)];
    statement(closing, business_date, &sha256([before.as_bytes(), covered]))
}

/// Returns the text of a Z's QR code: the statement and its signature in hexadecimal, all that
/// another PC needs besides the public key.
pub fn code(entry: &Entry, before: Hash) -> Option<String> {
    let Kind::ZClosed(closing) = &entry.kind else { return None };
    let signature = closing.seal.as_ref()?.signature();
    let said = said(closing, entry.header.business_date, before, &codec::encode_entry(entry).ok()?);
    let signature = crate::domain::z_seal::hex(&signature).to_ascii_uppercase();
    Some(format!("{said} {signature}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::money::{Money, yen};
    use crate::domain::number::DocKind;
    use crate::store::test_shop::{DAY, receipt};

    const BEFORE: Hash = Hash::from_bytes([5; 32]);

    pub fn closing() -> ZClosing {
        ZClosing {
            number: DocNo { kind: DocKind::Z, ..receipt(412) },
            counted: Some(yen(30_000)),
            count: None,
            expected: yen(30_000),
            difference: Money::ZERO,
            float_left: yen(20_000),
            grand_total_before: yen(1_000),
            grand_total: yen(11_000),
            seal: None,
        }
    }

    fn entry() -> Entry {
        let header = crate::domain::entry::Header {
            shop: 7,
            lane: 1,
            epoch: 0,
            seq: 90,
            stamp: 9,
            at_ms: 1_795_300_000_000,
            offset_minutes: 540,
            clock: crate::domain::entry::Clock::System,
            business_date: DAY,
            staff: 1,
            training: false,
        };
        Entry { header, kind: Kind::ZClosed(Box::new(closing())) }
    }

    fn signed() -> (Entry, Vec<u8>, SigningKey) {
        let (mut entry, key) = (entry(), SigningKey::from_bytes(&[3; 32]));
        sign(&mut entry, BEFORE, &key).unwrap();
        let body = codec::encode_entry(&entry).unwrap();
        (entry, body, key)
    }

    #[test]
    fn a_signed_z_names_its_key_and_one_without_is_told() {
        let (entry, body, key) = signed();
        let public = key.verifying_key().to_bytes();
        let number = DocNo { kind: DocKind::Z, ..receipt(412) };
        assert_eq!(check(&entry, BEFORE, &body), Ok(Some((number, public))));
        let bare = self::entry();
        let body = codec::encode_entry(&bare).unwrap();
        assert_eq!(check(&bare, BEFORE, &body), Err(Unsealed::Missing));
    }

    #[test]
    fn no_byte_of_a_signed_z_nor_what_it_follows_can_be_another() {
        let (entry, body, _) = signed();
        let other = Hash::from_bytes([6; 32]);
        assert_eq!(check(&entry, other, &body), Err(Unsealed::Broken));
        for place in 0..body.len() {
            let mut forged = body.clone();
            forged[place] ^= 1;
            // What still is an entry is no longer the one that was signed.
            if let Ok(entry) = codec::decode_entry(&forged) {
                assert_ne!(check(&entry, BEFORE, &forged), check(&self::signed().0, BEFORE, &body));
            }
        }
    }

    #[test]
    fn the_code_on_the_paper_is_checked_with_nothing_but_the_public_key() {
        let (entry, _, key) = signed();
        let code = code(&entry, BEFORE).unwrap();
        let (said, signature) = code.rsplit_once(' ').unwrap();
        assert!(said.starts_with("REGI-Z1 01-Z0412 2026-11-22 10000 11000 "), "{said}");
        let hex = |at: usize| u8::from_str_radix(&signature[at * 2..at * 2 + 2], 16).unwrap();
        let signature = Signature::from_bytes(&std::array::from_fn(hex));
        assert!(key.verifying_key().verify_strict(said.as_bytes(), &signature).is_ok());
    }
}
