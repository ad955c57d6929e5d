//! A proof of the shop's data in words, for whoever asked for it.
//!
//! Room: app. May touch: the language files.

use std::fmt::Display;

use crate::domain::words::Words;
use crate::domain::z_seal::hex;
use crate::store::audit::{Audit, Disagreement, paper_head};
use crate::store::testimony::CopySays;
use crate::store::z_signing::Unsealed;

/// What was proved, line by line: what agrees, or everything that does not.
pub fn proof_lines(proved: &Audit, words: &Words) -> Vec<String> {
    if proved.found.is_empty() {
        return agreed(proved, words);
    }
    let fault = |found| words.fill("cli.verify_fault", &[("what", &told(found, words))]);
    proved.found.iter().map(fault).collect()
}

fn agreed(proved: &Audit, words: &Words) -> Vec<String> {
    let head = proved.heads.last().map(|(_, _, head)| paper_head(head)).unwrap_or_default();
    let parts: [(&str, &dyn Display); 2] = [("entries", &proved.entries), ("head", &head)];
    let mut lines = vec![words.fill("cli.verified", &parts)];
    for signed in &proved.signed {
        let key = hex(&signed.key);
        let parts: [(&str, &dyn Display); 3] =
            [("count", &signed.count), ("since", &signed.since), ("key", &key)];
        lines.push(words.fill("cli.verify_signed", &parts));
    }
    if proved.copy_heard {
        lines.push(words.get("cli.verify_copy_heard").to_owned());
    }
    lines
}

fn told(found: &Disagreement, words: &Words) -> String {
    let entry = |key, lane: &u8, seq: &u64| words.fill(key, &[("lane", lane), ("seq", seq)]);
    match found {
        Disagreement::Record { lane, damage } => {
            let what = words.refusal(&(*damage).into());
            words.fill("cli.verify_record", &[("lane", lane), ("what", &what)])
        }
        Disagreement::Entry { lane, seq, what } => {
            words.fill("cli.verify_entry", &[("lane", lane), ("seq", seq), ("what", what)])
        }
        Disagreement::Seal { lane, seq, why: Unsealed::Missing } => {
            entry("cli.verify_seal_missing", lane, seq)
        }
        Disagreement::Seal { lane, seq, why: Unsealed::Broken } => {
            entry("cli.verify_seal_broken", lane, seq)
        }
        Disagreement::Key { lane, since } => {
            words.fill("cli.verify_key", &[("lane", lane), ("since", since)])
        }
        Disagreement::Copy { lane, says } => told_by_copy(lane, says, words),
        Disagreement::Table { name } => words.fill("cli.verify_table", &[("name", name)]),
    }
}

fn told_by_copy(lane: &u8, says: &CopySays, words: &Words) -> String {
    match says {
        CopySays::Other { seq } => {
            words.fill("cli.verify_copy_other", &[("lane", lane), ("seq", seq)])
        }
        CopySays::More { from, entries } => {
            let parts: [(&str, &dyn Display); 3] =
                [("lane", lane), ("seq", from), ("entries", entries)];
            words.fill("cli.verify_copy_more", &parts)
        }
        CopySays::Damaged(what) => {
            words.fill("cli.verify_copy_damaged", &[("lane", lane), ("what", what)])
        }
        CopySays::Away | CopySays::Agrees => String::new(), // Nothing disagrees.
    }
}
