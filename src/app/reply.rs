//! What one command answers to a script, a socket or a test: the JSON of `regi run --json`.
//!
//! Room: app. May touch: engine (read only), serde_json. Field names are a contract (`DESIGN.md` 5):
//! absent when empty.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::engine::{Engine, Outcome};
use crate::domain::command::{spec, takes_pin};
use crate::domain::register::DrawerCause;
use crate::domain::text;

/// The longest word taken for a number of staff; a longer one may have the PIN glued to it.
const LONGEST_STAFF: usize = 6;

/// A refusal in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReply {
    pub code: String,
    pub message: String,
}

/// Where the act stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryReply {
    pub lane: u8,
    pub seq: u64,
    /// The chain head after it, in hex.
    pub hash: String,
}

/// One line of answer. Parts that only pass through are JSON values, so that the client of a
/// running register prints exactly what it was sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reply {
    pub command: String,
    pub ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sale: Option<Value>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub receipt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<EntryReply>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub printed: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explained: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff: Option<Value>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub drawer: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub document: String,
}

impl Reply {
    pub fn refused(command: &str, code: &str, message: String) -> Self {
        let error = ErrorReply { code: code.to_owned(), message };
        Self { command: shown(command), error: Some(error), ..Self::default() }
    }

    pub fn done(command: &str) -> Self {
        Self { command: shown(command), ok: true, ..Self::default() }
    }

    /// The answer of a command as other programs read it.
    pub fn of(outcome: Outcome, engine: &Engine) -> Self {
        if let Some(refusal) = &outcome.refusal {
            let message = engine.words.refusal(refusal);
            return Self::refused(&outcome.command, refusal.code.word(), message);
        }
        let mut reply = Self::done(&outcome.command);
        let value = |part| serde_json::to_value(part).ok();
        let answer = outcome.answer;
        reply.sale = match &answer.closed {
            Some(closed) => value(closed),
            None => engine
                .register
                .sale_view(engine.now().civil_date())
                .and_then(|sale| serde_json::to_value(sale).ok()),
        };
        reply.receipt = answer.receipt.map(|number| number.to_string()).unwrap_or_default();
        reply.entry = outcome.placed.last().map(|placed| EntryReply {
            lane: placed.entry.header.lane,
            seq: placed.entry.header.seq,
            hash: placed.hash_hex().to_owned(),
        });
        reply.needs = answer.needs.iter().map(|need| (*need).to_owned()).collect();
        reply.item = answer.item.and_then(|item| serde_json::to_value(item).ok());
        reply.items = answer.items.and_then(|items| serde_json::to_value(items).ok());
        reply.member = answer.member.and_then(|member| serde_json::to_value(member).ok());
        reply.members = answer.members.and_then(|members| serde_json::to_value(members).ok());
        reply.suspended = answer.suspended.and_then(|parked| serde_json::to_value(parked).ok());
        if !answer.explained.is_empty() {
            reply.explained = Some(explained(answer.explained));
        }
        reply.drawer = outcome.drawer.map(drawer_word).unwrap_or_default();
        let papers: Vec<String> =
            outcome.documents.iter().map(|document| engine.spool.text_of(document)).collect();
        reply.document = papers.join("\n");
        reply.staff =
            engine.register.staff_view().and_then(|staff| serde_json::to_value(staff).ok());
        reply.day = engine.register.day_view().and_then(|day| serde_json::to_value(day).ok());
        reply
    }

    pub fn json(&self) -> String {
        let json = serde_json::to_string(self).expect("a reply is plain data");
        // A control is written as one of these; a backslash before such a letter costs a second look.
        let escaped = ["\\u", "\\t", "\\r", "\\b", "\\f"].iter().any(|sign| json.contains(sign));
        let harmful = escaped || json.chars().any(text::is_unprintable);
        if harmful { self.washed_json() } else { json }
    }

    /// A text that lay in the journal before there was a gate: what it could do to a terminal is
    /// taken out, its lines stay.
    fn washed_json(&self) -> String {
        let mut value = serde_json::to_value(self).expect("a reply is plain data");
        wash(&mut value);
        value.to_string()
    }
}

/// The parts of a code by name; those of one name stand behind one another.
fn explained(parts: Vec<(String, String)>) -> Value {
    let mut told = BTreeMap::<String, String>::new();
    for (name, part) in parts {
        let known = told.entry(name).or_default();
        if !known.is_empty() {
            known.push(' ');
        }
        known.push_str(&part);
    }
    serde_json::json!(told)
}

fn drawer_word(cause: DrawerCause) -> String {
    serde_json::to_value(cause)
        .ok()
        .and_then(|word| word.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn wash(value: &mut Value) {
    match value {
        Value::String(string) => {
            *string = string.split_inclusive('\n').map(washed_line).collect();
        }
        Value::Array(values) => values.iter_mut().for_each(wash),
        Value::Object(fields) => fields.values_mut().for_each(wash),
        _ => {}
    }
}

/// The line without what it could do; its end, with or without a carriage return, is its own.
fn washed_line(line: &str) -> String {
    let end = ["\r\n", "\n"].into_iter().find(|end| line.ends_with(end)).unwrap_or_default();
    text::cleaned(&line[..line.len() - end.len()]) + end
}

/// The command as it may be shown and logged: a PIN, or what looks like a payment card, is three stars.
/// So is all that follows a word that is no command: it may be one that takes a PIN, with a slip in it.
pub fn shown(line: &str) -> String {
    let line = text::cleaned(line.trim());
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [name, _, ..] if spec(name).is_none() => format!("{name} ***"),
        [name, staff, _, ..] if takes_pin(name) => format!("{name} {staff} ***"),
        [name, glued] if takes_pin(name) && glued.len() > LONGEST_STAFF => format!("{name} ***"),
        [name, ..] if text::holds_card_number(&line) => format!("{name} ***"),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_never_echoed() {
        assert_eq!(shown("sign_in 1 111111"), "sign_in 1 ***");
        assert_eq!(shown(" approve 1  999999"), "approve 1 ***");
        assert_eq!(shown("sign_in 1"), "sign_in 1");
        assert_eq!(shown("sign_in \u{1b}[2J1 1"), "sign_in [2J1 ***");
        assert_eq!(shown("sign_in 4803146"), "sign_in ***", "glued to the number");
    }

    #[test]
    fn what_follows_no_command_is_not_echoed_as_it_may_be_a_pin() {
        assert_eq!(shown("SIGN_IN 4 803146"), "SIGN_IN ***");
        assert_eq!(shown("sign_inn 4 803146"), "sign_inn ***");
        assert_eq!(shown("Approve 1 803146"), "Approve ***");
        assert_eq!(shown("\"sign_in\" 4 803146"), "\"sign_in\" ***");
        assert_eq!(shown("sign_in\t4 803146"), "sign_in4 ***");
        assert_eq!(shown("nonsense"), "nonsense");
    }

    #[test]
    fn a_payment_card_is_never_echoed() {
        assert_eq!(shown("scan 4111111111111111"), "scan ***");
        assert_eq!(shown("note \"card 4111-1111-1111-1111\""), "note ***");
        assert_eq!(shown("scan 4901234567894"), "scan 4901234567894");
    }

    #[test]
    fn what_lay_there_before_the_gate_is_washed_on_the_way_out() {
        let items = Some(serde_json::json!([{"name": "A\u{1b}p\u{202e}B"}]));
        let reply = Reply { items, document: "a\nb\u{9b}".to_owned(), ..Reply::done("x") };
        let read: Value = serde_json::from_str(&reply.json()).unwrap();
        assert_eq!(read["items"][0]["name"], "ApB");
        assert_eq!(read["document"], "a\nb");
        let table = Reply { document: "code\r\n\t1\r2\r\n".to_owned(), ..Reply::done("x") };
        let read: Value = serde_json::from_str(&table.json()).unwrap();
        assert_eq!(read["document"], "code\r\n12\r\n", "a table's lines end as they did");
        let items = Some(serde_json::json!([{"name": "\t=1\r"}]));
        let read: Value =
            serde_json::from_str(&Reply { items, ..Reply::done("x") }.json()).unwrap();
        assert_eq!(read["items"][0]["name"], "=1", "signs with a short escape, too");
    }

    #[test]
    fn empty_parts_are_absent() {
        assert_eq!(Reply::done("subtotal").json(), r#"{"command":"subtotal","ok":true}"#);
    }
}
