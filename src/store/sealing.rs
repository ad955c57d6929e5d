//! Closing and opening members' personal data, one or a million.
//!
//! Room: store. May touch: keys and bytes it is handed. May not: file, chance.
//! Invariant: data opens only with the member's own key, under the member's own code, and only as it
//! was closed; keys in memory are wiped when they are let go.

use chacha20poly1305::aead;
use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use chacha20poly1305::{Key as CipherKey, XChaCha20Poly1305, XNonce};
use redb::{ReadOnlyTable, ReadableTable, ReadableTableMetadata};
use zeroize::{Zeroize, Zeroizing};

use super::codec;
use super::fault::StoreError;
use crate::domain::member::{Personal, Sealed};
use crate::domain::texts::Texts;

/// A member's key.
pub type Secret = Zeroizing<[u8; KEY_BYTES]>;
pub const KEY_BYTES: usize = 32;
pub const NONCE_BYTES: usize = 24;

/// Keys are read in one go, 50 bytes each, when at least one in so many is wanted.
const ONE_IN: u64 = 20;

fn cipher(key: &[u8; KEY_BYTES]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&CipherKey::from(*key))
}

/// Closes personal data.
pub fn close(
    key: &[u8; KEY_BYTES],
    nonce: [u8; NONCE_BYTES],
    code: &str,
    personal: &Personal,
) -> Result<Sealed, StoreError> {
    close_packed(key, nonce, code, codec::pack(personal)?)
}

/// Bytes that closing puts behind what it closes.
pub const TAG_BYTES: usize = 16;

/// Closes personal data that is packed already.
pub fn close_packed(
    key: &[u8; KEY_BYTES],
    nonce: [u8; NONCE_BYTES],
    code: &str,
    packed: Vec<u8>,
) -> Result<Sealed, StoreError> {
    let bytes = closed(key, nonce, code.as_bytes(), packed)
        .map_err(|_| StoreError::Unfit { seq: 0, what: "personal data too long".to_owned() })?;
    Ok(Sealed::Closed { nonce, bytes })
}

/// Closes bytes where they stand, so that none of them is left elsewhere in the clear.
fn closed(
    key: &[u8; KEY_BYTES],
    nonce: [u8; NONCE_BYTES],
    whose: &[u8],
    mut bytes: Vec<u8>,
) -> Result<Vec<u8>, aead::Error> {
    let inside = bytes.as_mut_slice().into();
    let tag = cipher(key).encrypt_inout_detached(&XNonce::from(nonce), whose, inside)?;
    bytes.extend_from_slice(&tag);
    Ok(bytes)
}

/// Opens personal data with what `key` gives; `None` when that is nothing: an erased member stays
/// erased.
///
/// # Errors
/// `Unfit` when the data is not what was closed for this member.
pub fn open(
    code: &str,
    sealed: &Sealed,
    key: impl FnOnce() -> Result<Option<Secret>, StoreError>,
) -> Result<Option<Personal>, StoreError> {
    let (nonce, bytes) = match sealed {
        Sealed::Clear(personal) => return Ok(Some((**personal).clone())),
        Sealed::Erased => return Ok(None),
        Sealed::Closed { nonce, bytes } => (nonce, bytes),
    };
    let Some(key) = key()? else { return Ok(None) };
    let opened = cipher(&key)
        .decrypt(&XNonce::from(*nonce), Payload { msg: bytes, aad: code.as_bytes() })
        .map_err(|_| StoreError::Unfit { seq: 0, what: format!("sealed data of {code}") })?;
    Ok(Some(codec::unpack(&Zeroizing::new(opened))?))
}

/// The keys of an import's members.
pub enum KeyRing {
    /// Few are wanted: each is looked up.
    Few(ReadOnlyTable<&'static str, [u8; KEY_BYTES]>),
    /// Most are wanted: a million look-ups in a table cost seconds, reading it costs a tenth of one.
    All(AllKeys),
}

impl KeyRing {
    /// Takes the keys for about `wanted` members.
    pub fn new(
        table: ReadOnlyTable<&'static str, [u8; KEY_BYTES]>,
        wanted: u64,
    ) -> Result<Self, StoreError> {
        if wanted.saturating_mul(ONE_IN) < table.len()? {
            Ok(Self::Few(table))
        } else {
            Ok(Self::All(AllKeys::read(&table)?))
        }
    }

    pub fn key(&self, code: &str) -> Result<Option<Secret>, StoreError> {
        match self {
            Self::Few(table) => Ok(table.get(code)?.map(|key| Zeroizing::new(key.value()))),
            Self::All(all) => Ok(all.key(code)),
        }
    }
}

/// Every key there is, by code, in one piece of memory.
pub struct AllKeys {
    codes: Texts,
    keys: Vec<[u8; KEY_BYTES]>,
}

impl AllKeys {
    fn read(table: &impl ReadableTable<&'static str, [u8; KEY_BYTES]>) -> Result<Self, StoreError> {
        let count = table.len()? as usize;
        // Never grown: a piece of memory given back would keep its keys.
        let keys = Vec::with_capacity(count);
        let mut all = Self { codes: Texts::for_as_many(count), keys };
        for row in table.iter()? {
            let (code, key) = row?;
            all.codes.push(code.value());
            all.keys.push(key.value());
        }
        Ok(all)
    }

    fn key(&self, code: &str) -> Option<Secret> {
        let (mut low, mut high) = (0, self.codes.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.codes.at(middle) < code { low = middle + 1 } else { high = middle }
        }
        let found = low < self.codes.len() && self.codes.at(low) == code;
        found.then(|| Zeroizing::new(self.keys[low]))
    }
}

impl Drop for AllKeys {
    fn drop(&mut self) {
        self.keys.zeroize();
    }
}
