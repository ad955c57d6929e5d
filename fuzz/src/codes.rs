//! Any bytes a scanner or a hand gives: an answer, always the same, and nothing unprintable in it.

use regi::domain::code::explain::explain;
use regi::domain::code::in_store::{InStoreRule, Layout};
use regi::domain::code::recognise::recognise;
use regi::domain::code::{CodeRules, Scanned, item_code};
use regi::domain::text::{holds_card_number, is_card_number};

use crate::is_clean;

pub fn hold(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = recognise(&text, &rules());
    assert_eq!(read, recognise(&text, &rules()), "the same code twice");
    if let Ok(scanned) = &read {
        shows_clean(scanned);
        is_no_payment_card(scanned);
    }
    if let Ok(code) = item_code(&text) {
        is_clean(&code);
        // What is kept is found again by what was kept.
        assert_eq!(item_code(&code).as_deref(), Ok(code.as_str()));
    }
}

fn rules() -> CodeRules {
    let rule = |prefix: &str, layout| InStoreRule {
        prefix: prefix.to_owned(),
        layout,
        price_mode: None,
        verify_pcd: true,
    };
    let in_store = vec![rule("02", Layout::A), rule("20", Layout::D), rule("29", Layout::E)];
    CodeRules { in_store, ..CodeRules::default() }
}

fn shows_clean(scanned: &Scanned) {
    for (name, value) in explain(scanned) {
        is_clean(&name);
        is_clean(&value);
    }
    scanned.lookups().iter().for_each(|code| is_clean(code));
}

/// A number that only a payment card has is never looked up, shown or kept as goods.
fn is_no_payment_card(scanned: &Scanned) {
    let (Scanned::Sku { code } | Scanned::Member { code } | Scanned::Plu { typed: code }) = scanned
    else {
        return;
    };
    assert!(!is_card_number(code) || code.len() < 13, "{code}");
    let own = matches!(scanned, Scanned::Member { .. });
    assert!(own || !holds_card_number(code), "{code}");
}
