//! Entry to bytes and back, and the small values that lie in redb.
//!
//! Room: store. May touch: bytes it is handed. May not: file, clock.
//! Invariant: the only module that names bincode. A byte of a version stands first, nothing stands
//! after the value, and personal data in the clear is never written as an entry.
//!
//! ```text
//! entry   version, bincode standard                  (the journal's record adds checksum and chain)
//! value   version, bincode standard, CRC32C          (redb reads verify nothing: `stack.md` 4.2)
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::sums;
use crate::domain::entry::{Entry, Header, Kind};
use crate::domain::member::Sealed;

/// Version of every body and value written today.
pub const VERSION: u8 = 1;
/// The most bytes a decoder believes a value to take.
pub const MOST_BYTES: usize = 4 << 20;

const CRC_LEN: usize = 4;
/// Most values are shorter, so that their bytes are never moved.
const USUAL_BYTES: usize = 320;

type Config = bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<MOST_BYTES>,
>;

const CONFIG: Config = bincode::config::standard().with_limit::<MOST_BYTES>();

/// Why bytes are not a value, or a value may not become bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error("nothing there")]
    Empty,
    #[error("written by a later version ({0})")]
    Version(u8),
    #[error("not the bytes that were written")]
    Checksum,
    #[error("{0} bytes too many")]
    Trailing(usize),
    #[error("{0}")]
    Shape(String),
    /// Our own mistake: personal data must be sealed before it is written.
    #[error("personal data in the clear")]
    Clear,
}

/// Returns the body of an entry.
pub fn encode_entry(entry: &Entry) -> Result<Vec<u8>, CodecError> {
    if holds_clear(&entry.kind) {
        return Err(CodecError::Clear);
    }
    encode(entry)
}

/// What happened, encoded before its entry has a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedKind(Vec<u8>);

impl EncodedKind {
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Encodes what happened, in about `usual` bytes; `body_of` makes the body once the header is known.
pub fn encode_kind(kind: &Kind, usual: usize) -> Result<EncodedKind, CodecError> {
    if holds_clear(kind) {
        return Err(CodecError::Clear);
    }
    let mut bytes = Vec::with_capacity(usual);
    encode_onto(&mut bytes, kind)?;
    Ok(EncodedKind(bytes))
}

/// Encodes an import's items, each of which `encode_onto` put behind the others.
pub fn encode_items(import: u128, items: u64, encoded: &[u8]) -> Result<EncodedKind, CodecError> {
    let mut bytes = Vec::with_capacity(64 + encoded.len());
    encode_onto(&mut bytes, &Kind::ItemsImported { import, items: Vec::new() })?;
    bytes.pop(); // That there are none.
    encode_onto(&mut bytes, &items)?;
    bytes.extend_from_slice(encoded);
    Ok(EncodedKind(bytes))
}

/// Returns the body of an entry whose kind's bytes `encode_kind` made.
pub fn body_of(header: &Header, kind: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(64 + kind.len());
    bytes.push(VERSION);
    encode_onto(&mut bytes, header)?;
    bytes.extend_from_slice(kind);
    Ok(bytes)
}

/// Reads the body of an entry.
pub fn decode_entry(body: &[u8]) -> Result<Entry, CodecError> {
    decode(body)
}

/// Returns the bytes of a value that a checksum is to guard.
pub fn pack<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    Ok(guard(encode(value)?))
}

/// A value encoded once, to stand in several places. Set again it seldom needs memory.
#[derive(Debug, Default)]
pub struct Encoded(Vec<u8>);

impl Encoded {
    pub fn set<T: Serialize>(&mut self, value: &T) -> Result<(), CodecError> {
        self.0.clear();
        encode_onto(&mut self.0, value)
    }

    /// Returns what `pack` makes of the value, with room for `more` bytes behind it.
    pub fn packed(&self, more: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + self.0.len() + CRC_LEN + more);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.0);
        guard(bytes)
    }
}

/// Puts behind other bytes what `pack` makes of `before`, an option and `after` as fields of one value.
pub fn pack_around<B: Serialize, A: Serialize>(
    bytes: &mut Vec<u8>,
    before: &B,
    inside: Option<&Encoded>,
    after: &A,
) -> Result<(), CodecError> {
    let begin = bytes.len();
    bytes.push(VERSION);
    encode_onto(bytes, before)?;
    bytes.push(u8::from(inside.is_some()));
    bytes.extend_from_slice(inside.map_or(&[], |inside| &inside.0));
    encode_onto(bytes, after)?;
    guard_from(bytes, begin);
    Ok(())
}

/// Returns what `pack` makes of `before` and of what `encode_onto` made, as fields of one value.
pub fn pack_with<B: Serialize>(before: &B, encoded: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(16 + encoded.len());
    bytes.push(VERSION);
    encode_onto(&mut bytes, before)?;
    bytes.extend_from_slice(encoded);
    Ok(guard(bytes))
}

/// Reads what `pack` wrote.
pub fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    decode(guarded(bytes)?)
}

/// Puts a checksum behind bytes that are read without decoding.
pub fn guard(mut bytes: Vec<u8>) -> Vec<u8> {
    guard_from(&mut bytes, 0);
    bytes
}

fn guard_from(bytes: &mut Vec<u8>, begin: usize) {
    let crc = sums::crc(&bytes[begin..]);
    bytes.extend_from_slice(&crc.to_le_bytes());
}

/// Returns what `guard` was given.
pub fn guarded(bytes: &[u8]) -> Result<&[u8], CodecError> {
    let at = bytes.len().checked_sub(CRC_LEN).ok_or(CodecError::Empty)?;
    let (value, crc) = bytes.split_at(at);
    if crc == sums::crc(value).to_le_bytes() { Ok(value) } else { Err(CodecError::Checksum) }
}

/// Returns the value of a row that was found right before: `guarded` without reckoning.
pub fn unguarded(bytes: &[u8]) -> &[u8] {
    bytes.split_at(bytes.len().saturating_sub(CRC_LEN)).0
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    bytes.push(VERSION);
    encode_onto(&mut bytes, value)?;
    Ok(bytes)
}

/// Puts a value's bare bytes behind others.
pub fn encode_onto<T: Serialize>(bytes: &mut Vec<u8>, value: &T) -> Result<(), CodecError> {
    bincode::serde::encode_into_std_write(value, bytes, CONFIG)
        .map_err(|error| CodecError::Shape(error.to_string()))?;
    Ok(())
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (version, rest) = bytes.split_first().ok_or(CodecError::Empty)?;
    if *version != VERSION {
        return Err(CodecError::Version(*version));
    }
    let (value, used) = bincode::serde::decode_from_slice(rest, CONFIG)
        .map_err(|error| CodecError::Shape(error.to_string()))?;
    match rest.len() - used {
        0 => Ok(value),
        more => Err(CodecError::Trailing(more)),
    }
}

fn holds_clear(kind: &Kind) -> bool {
    let clear = |sealed: &Sealed| matches!(sealed, Sealed::Clear(_));
    match kind {
        Kind::MemberSet(card) => clear(&card.personal),
        Kind::MembersImported { members, .. } => {
            members.iter().any(|member| clear(&member.card.personal))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::CardPattern;
    use crate::domain::code::card::{CardCheck, Charset, Strip};
    use crate::domain::day::Tally;
    use crate::domain::entry::{Clock, PrintEnd};
    use crate::domain::item::Item;
    use crate::domain::member::MemberCard;
    use crate::domain::money::yen;
    use crate::domain::number::{DocKind, DocNo};
    use crate::domain::points::ExpiresFrom;
    use crate::domain::sale::{OnTheWay, SaleId, VoidedLine};
    use crate::domain::settings::{CodesPatch, GoodsPatch, LoyaltyPatch, NearDate};

    fn entry(kind: Kind) -> Entry {
        let header = Header {
            shop: 7,
            lane: 1,
            epoch: 0,
            seq: 456,
            stamp: 99,
            at_ms: 1_795_000_000_000,
            offset_minutes: 540,
            clock: Clock::System,
            business_date: 739_942,
            staff: 3,
            training: false,
        };
        Entry { header, kind }
    }

    fn card(personal: Sealed) -> Kind {
        let (code, rank) = ("2900000000018".to_owned(), "gold".to_owned());
        Kind::MemberSet(Box::new(MemberCard { code, rank, joined: Some(1), personal }))
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// These bytes are in shops: a change here means that their journals no longer open.
    #[test]
    fn version_1_bodies_are_frozen() {
        const HEADER: &str = "01070100fbc80163fd00bcacdc43030000fb380400fccc9416000300";
        let closed = Sealed::Closed { nonce: [9; 24], bytes: vec![1, 2, 3] };
        for (kind, want) in [
            (
                Kind::PaidIn { amount: yen(5000), reason: "両替".to_owned() },
                "15fb102706e4b8a1e69bbf",
            ),
            (Kind::TrainingBegan, "1c"),
            (Kind::PrintEnded { job: "x".to_owned(), end: PrintEnd::Lost }, "25017801"),
            (
                card(closed),
                "1f0d3239303030303030303030313804676f6c64010201\
                 09090909090909090909090909090909090909090909090903010203",
            ),
            (
                Kind::CodesChanged(Box::new(CodesPatch {
                    card: Some(vec![CardPattern {
                        prefix: "A".to_owned(),
                        length: 8,
                        charset: Charset::Nw7,
                        check: CardCheck::SevenDr,
                        strip: Strip::StartStopAndCheck,
                    }]),
                    near_date: Some(vec![NearDate { days: 1, percent: 30.into() }]),
                })),
                "2e0101014108030302010101023330",
            ),
            (Kind::CodesChanged(Box::default()), "2e0000"),
            (
                Kind::FormalReceiptIssuedFor {
                    number: DocNo { lane: 1, epoch: 0, kind: DocKind::Formal, number: 3 },
                    receipt: DocNo { lane: 1, epoch: 0, kind: DocKind::Receipt, number: 5 },
                    name: "山".to_owned(),
                    amount: yen(5000),
                    stamp_duty: yen(0),
                    purpose: "x".to_owned(),
                },
                "2f010002030100000503e5b1b1fb1027000178",
            ),
            (
                Kind::NoSaleCame {
                    id: SaleId(5),
                    done: Box::new(OnTheWay {
                        voided: vec![VoidedLine {
                            code: "1".to_owned(),
                            name: "x".to_owned(),
                            quantity: 1.into(),
                            amount: yen(5),
                        }],
                        overrides: 2,
                        age_checks: 3,
                        approved_by: vec![4],
                    }),
                },
                "3205010131017801310a02030104",
            ),
            (
                Kind::GoodsChanged(Box::new(GoodsPatch {
                    departments: vec![(5, "age20".to_owned())],
                })),
                "330105056167653230",
            ),
            (Kind::SalesLeftParked(Tally { count: 2, amount: yen(5000) }), "3004fb1027"),
            (
                Kind::LoyaltyChanged(Box::new(LoyaltyPatch {
                    expires_from: Some(ExpiresFrom::Used),
                    on_discounts: Some(true),
                    multiply: None,
                })),
                "310101010100",
            ),
        ] {
            let body = encode_entry(&entry(kind.clone())).unwrap();
            let (head, tail) = body.split_at(HEADER.len() / 2);
            let want = want.replace(' ', "");
            assert_eq!((hex(head), hex(tail)), (HEADER.to_owned(), want), "{kind:?}");
            let made = body_of(&entry(kind.clone()).header, encode_kind(&kind, 0).unwrap().bytes());
            assert_eq!(made.unwrap(), body, "in two steps");
            assert_eq!(decode_entry(&body).unwrap(), entry(kind));
        }
    }

    #[test]
    fn items_encoded_one_by_one_are_an_entry() {
        for count in [0, 1, 300] {
            let item = |n: i64| Item::new(n.to_string(), "牛乳", n.into());
            let items: Vec<Item> = (0..count).map(item).collect();
            let mut bytes = Vec::new();
            items.iter().for_each(|item| encode_onto(&mut bytes, item).unwrap());
            let made = encode_items(7, count as u64, &bytes).unwrap();
            assert_eq!(made, encode_kind(&Kind::ItemsImported { import: 7, items }, 0).unwrap());
        }
    }

    #[test]
    fn the_ways_of_a_discount_are_frozen() {
        use crate::domain::command::Discount;
        for (discount, want) in [
            (Discount::Amount(yen(5)), "01000a"),
            (Discount::Percent(5.into()), "01010135"),
            (Discount::NearDate(30.into()), "0102023330"),
        ] {
            let bytes = encode(&discount).unwrap();
            assert_eq!(hex(&bytes), want, "{discount:?}");
            assert_eq!(decode::<Discount>(&bytes).unwrap(), discount);
        }
    }

    #[test]
    fn personal_data_in_the_clear_is_never_written() {
        let clear = Sealed::Clear(Box::default());
        assert_eq!(encode_kind(&card(clear.clone()), 0), Err(CodecError::Clear));
        assert_eq!(encode_entry(&entry(card(clear))), Err(CodecError::Clear));
        assert!(encode_entry(&entry(card(Sealed::Erased))).is_ok());
    }

    #[test]
    fn a_byte_more_or_less_or_another_version_is_refused() {
        let body = encode_entry(&entry(Kind::TrainingEnded)).unwrap();
        let mut longer = body.clone();
        longer.push(0);
        assert_eq!(decode_entry(&longer), Err(CodecError::Trailing(1)));
        assert!(matches!(decode_entry(&body[..body.len() - 1]), Err(CodecError::Shape(_))));
        let mut later = body;
        later[0] = 2;
        assert_eq!(decode_entry(&later), Err(CodecError::Version(2)));
        assert_eq!(decode_entry(&[]), Err(CodecError::Empty));
    }

    #[test]
    fn a_flipped_bit_of_a_value_is_noticed() {
        let bytes = pack(&("牛乳".to_owned(), 248_i64)).unwrap();
        assert_eq!(unpack::<(String, i64)>(&bytes).unwrap().1, 248);
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unpack::<(String, i64)>(&bad), Err(CodecError::Checksum), "bit {bit}");
        }
    }

    #[test]
    fn an_absurd_length_is_refused_before_it_is_believed() {
        let flood = [VERSION, 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert!(matches!(decode::<String>(&flood), Err(CodecError::Shape(_))));
    }
}
