//! Ids of 128 bits as other programs read them: JSON has no number that holds one.
//!
//! Room: domain. May touch: serde.
//! Invariant: the journal's own form is the number itself; only text forms show 32 hex digits.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

pub fn serialize<S: Serializer>(id: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.collect_str(&format_args!("{id:032x}"))
    } else {
        serializer.serialize_u128(*id)
    }
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
    if !deserializer.is_human_readable() {
        return u128::deserialize(deserializer);
    }
    let text = String::deserialize(deserializer)?;
    u128::from_str_radix(&text, 16).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use crate::domain::sale::SaleId;

    #[test]
    fn an_id_reads_back_from_its_text() {
        for id in [0, 7, u128::from(u64::MAX) + 1, u128::MAX] {
            let text = serde_json::to_string(&SaleId(id)).unwrap();
            assert_eq!(text.len(), 34, "{text}");
            assert_eq!(serde_json::from_str::<SaleId>(&text).unwrap(), SaleId(id));
            assert!(serde_json::to_value(SaleId(id)).is_ok());
        }
    }
}
