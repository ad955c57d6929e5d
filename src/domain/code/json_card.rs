//! A member's card on a telephone: a QR code that holds a JSON object, as members' applications write it.
//!
//! Room: domain. May touch: serde_json. Source: `japan.md` 3.6.
//! Invariant: what a value says counts for more than what its field is called.

use serde_json::{Map, Value};

use super::card::LONGEST_MEMBER_CODE;
use super::{CodeFault, Scanned};
use crate::domain::text::is_card_number;

/// What a member's number is called where no card pattern knows it, the surest name first.
const NAMES: [&str; 8] =
    ["member_code", "member_id", "member", "memberId", "card_number", "card", "code", "id"];

/// Reads a scan that is a JSON object with a member's number in it: the value that `read` takes for a
/// card, else the one that is called so. `None` when it is nothing of the kind.
pub fn member_in(
    code: &str,
    read: impl Fn(&str) -> Option<Result<Scanned, CodeFault>>,
) -> Option<Result<Scanned, CodeFault>> {
    let fields: Map<String, Value> = serde_json::from_str(code).ok()?;
    let cards: Vec<_> =
        fields.values().filter_map(text_of).filter_map(|text| read(&text)).collect();
    let is_card = |read: &&Result<_, _>| matches!(read, Ok(Scanned::Member { .. }));
    if let Some(card) = cards.iter().find(is_card) {
        return Some(card.clone());
    }
    let named = NAMES.iter().find_map(|name| text_of(fields.get(*name)?));
    let is_code = |text: &String| {
        (1..=LONGEST_MEMBER_CODE).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let named = named.filter(is_code).map(|code| match is_card_number(&code) {
        true => Err(CodeFault::PaymentCard),
        false => Ok(Scanned::Member { code }),
    });
    cards.into_iter().find(Result::is_err).or(named)
}

/// A number may be written with its quotes or without.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}
