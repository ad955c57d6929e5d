//! A member of the shop's point club.
//!
//! Room: domain. May touch: std.
//! Invariant: the journal names a member by code; what is personal travels sealed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::money::Money;
use super::points::PointMove;

/// The rank of who has none; it needs no row in the settings.
pub const PLAIN_RANK: &str = "regular";

/// What the shop knows of a person. Every field may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    pub name: String,
    pub kana: String,
    /// Digits only, with the leading zero.
    pub phone: String,
    pub mail: String,
    pub postcode: String,
    pub address: String,
    /// `female`, `male`, `other` or empty.
    pub sex: String,
    /// `YYYY-MM-DD`, `--MM`, `--MM-DD` or empty.
    pub birthday: String,
    pub note: String,
    pub tags: String,
    /// The shop's own fields, without their `x_`.
    pub own: BTreeMap<String, String>,
}

/// Personal data as an entry carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sealed {
    /// In memory only; the codec refuses to write it.
    Clear(Box<Personal>),
    /// XChaCha20-Poly1305 with the member's own key, the member's code as associated data.
    Closed {
        nonce: [u8; 24],
        #[serde(with = "whole")]
        bytes: Vec<u8>,
    },
    /// The key is gone: the member was erased.
    Erased,
}

/// Bytes written and read in one piece: one by one they take as long as their sealing. What is
/// written is the same.
mod whole {
    use std::fmt;

    use serde::de::{SeqAccess, Visitor};
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        from.deserialize_byte_buf(Bytes)
    }

    struct Bytes;

    impl<'de> Visitor<'de> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
            let mut bytes = Vec::new();
            while let Some(byte) = seq.next_element()? {
                bytes.push(byte);
            }
            Ok(bytes)
        }
    }
}

/// A member as a registration, an import or an edit leaves it. The whole row is carried, so that
/// the last one wins and a fold evaluates nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberCard {
    pub code: String,
    pub rank: String,
    /// `YYYY-MM-DD` as days from the common era.
    pub joined: Option<i32>,
    pub personal: Sealed,
}

/// A member as the store finds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub code: String,
    pub rank: String,
    pub joined: Option<i32>,
    pub personal: Personal,
    /// Every movement that can still matter for the balance, oldest first.
    pub ledger: Vec<PointMove>,
    pub stamps: i64,
    pub visits: u32,
    /// Days from the common era.
    pub last_visit: Option<i32>,
    pub spent: Money,
}
