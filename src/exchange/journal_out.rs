//! The journal as CSV: every entry, what it says as JSON, and its hash.
//!
//! Room: exchange. May touch: the writer it is handed.
//! Invariant: personal data and secrets never leave this way; members stand by code alone.

use std::io::{self, Write};

use serde_json::json;

use super::csv_out::{CsvOut, OutEncoding, Row, Written};
use super::sales_out::local_time;
use crate::domain::entry::{Clock, Entry, Kind};
use crate::domain::member::Sealed;
use crate::domain::register::ymd;

const COLUMNS: [&str; 11] = [
    "lane",
    "epoch",
    "seq",
    "at",
    "business_date",
    "staff",
    "training",
    "clock",
    "kind",
    "detail",
    "hash",
];

/// Writes entries with their hashes (in hex), in the order handed in.
///
/// # Errors
/// Those of the writer and of `feed`.
pub fn journal_out<E: From<io::Error>>(
    writer: impl Write,
    encoding: OutEncoding,
    feed: impl FnOnce(&mut Row<'_, (Entry, String)>) -> Result<(), E>,
) -> Result<Written, E> {
    let mut out = CsvOut::new(writer, encoding, COLUMNS)?;
    feed(&mut |(entry, hash)| {
        let header = &entry.header;
        out.plain(header.lane).plain(header.epoch).plain(header.seq);
        out.plain(local_time(header.at_ms, header.offset_minutes));
        out.plain(ymd(header.business_date)).plain(header.staff).plain(header.training);
        out.plain(match header.clock {
            Clock::System => "system",
            Clock::Given => "given",
        });
        let (kind, detail) = told(&entry.kind);
        out.plain(kind).text(&detail).plain(hash).end_row()
    })?;
    Ok(out.finish()?)
}

/// The kind's word and what the entry says of it.
fn told(kind: &Kind) -> (String, String) {
    let text = match kind {
        Kind::MemberSet(card) if card.personal == Sealed::Erased => {
            json!({"MemberErased": {"code": card.code}}).to_string()
        }
        Kind::MemberSet(card) => {
            json!({"MemberSet": {"code": card.code, "rank": card.rank}}).to_string()
        }
        Kind::MembersImported { members, .. } => {
            let codes: Vec<&str> = members.iter().map(|member| member.card.code.as_str()).collect();
            json!({"MembersImported": {"codes": codes}}).to_string()
        }
        // Straight to text: ids are wider than the numbers of a JSON value.
        kind => serde_json::to_string(kind).expect("an entry holds what JSON can hold"),
    };
    word_and_detail(&text)
}

/// Takes `{"PaidOut":{…}}`, or `"TrainingBegan"`, apart.
fn word_and_detail(text: &str) -> (String, String) {
    let tagged = text.strip_prefix("{\"").and_then(|rest| rest.strip_suffix('}'));
    match tagged.and_then(|rest| rest.split_once("\":")) {
        Some((name, detail)) => (snake_case(name), detail.to_owned()),
        None => (snake_case(text.trim_matches('"')), String::new()),
    }
}

fn snake_case(name: &str) -> String {
    let mut word = String::with_capacity(name.len() + 4);
    for sign in name.chars() {
        if sign.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(sign.to_ascii_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::Header;
    use crate::domain::member::{MemberCard, Personal};
    use crate::domain::money::yen;

    fn entry(kind: Kind) -> (Entry, String) {
        let header = Header {
            shop: 1,
            lane: 1,
            epoch: 0,
            seq: 7,
            stamp: 0,
            at_ms: 1_795_310_580_000,
            offset_minutes: 540,
            clock: Clock::Given,
            business_date: 739_942,
            staff: 1,
            training: false,
        };
        (Entry { header, kind }, "ab12".to_owned())
    }

    fn row(kind: Kind) -> String {
        let mut bytes = Vec::new();
        journal_out(&mut bytes, OutEncoding::Utf8, |row| row(entry(kind))).unwrap();
        String::from_utf8(bytes).unwrap().lines().nth(1).unwrap().to_owned()
    }

    #[test]
    fn an_entry_is_a_row_with_its_word_and_its_detail() {
        let paid = Kind::PaidOut { amount: yen(800), reason: "切手代".to_owned() };
        assert_eq!(
            row(paid),
            "1,0,7,2026-11-22T10:23:00+09:00,2026-11-22,1,false,given,paid_out,\
             \"{\"\"amount\"\":800,\"\"reason\"\":\"\"切手代\"\"}\",ab12"
        );
        assert!(row(Kind::TrainingBegan).ends_with(",training_began,,ab12"));
        let closed = row(Kind::ImportClosed { import: u128::MAX, rows: 2 });
        assert!(
            closed.contains(&format!("import_closed,\"{{\"\"import\"\":\"\"{}", "f".repeat(32))),
            "{closed}"
        );
    }

    #[test]
    fn an_erasure_is_told_apart_from_a_change() {
        let card = MemberCard {
            code: "2900000000018".to_owned(),
            rank: String::new(),
            joined: None,
            personal: Sealed::Erased,
        };
        let row = row(Kind::MemberSet(Box::new(card)));
        assert!(row.contains(",member_erased,\"{\"\"code\"\":\"\"2900000000018"), "{row}");
    }

    #[test]
    fn a_member_leaves_by_code_alone() {
        let personal = Personal { name: "山田 花子".to_owned(), ..Personal::default() };
        let card = MemberCard {
            code: "2900000000018".to_owned(),
            rank: "gold".to_owned(),
            joined: None,
            personal: Sealed::Clear(Box::new(personal)),
        };
        let row = row(Kind::MemberSet(Box::new(card)));
        assert!(row.contains("2900000000018") && !row.contains("山田"), "{row}");
        assert!(row.contains(",member_set,"), "{row}");
    }
}
