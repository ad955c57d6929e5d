//! Telling codes apart: an ordered list of shapes, the shop's own rules before the general ones.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: the answer depends on the characters and the rules only; any bytes get an answer.

use super::bill::Bill;
use super::book::{BookRow2, is_isbn13, isbn13_from_isbn10};
use super::check::all_digits;
use super::digital_link;
use super::document_number::{coupon_code, receipt_number, slip_number};
use super::gs1::{Element, GROUP_SEPARATOR, Gs1Scan, parse_bracketed, parse_elements};
use super::gtin::Gtin;
use super::in_store::{InStoreRule, Layout};
use super::json_card;
use super::magazine::Magazine;
use super::{
    CardPattern, CodeFault, CodeRules, ItemKind, MAX_SCAN_CHARS, Scanned, is_shops_own_eight,
};
use crate::domain::text::{halfwidth_digits, holds_card_number, is_card_number};

/// Returns what a scan or a typed code is, or why it is none.
///
/// Full-width digits are read as ASCII (an input method was on). AIM prefixes (`]C1` …) are used
/// when the scanner sends them and not needed otherwise.
pub fn recognise(raw: &str, rules: &CodeRules) -> Result<Scanned, CodeFault> {
    let text = admitted(raw)?;
    let (symbol, code) = split_aim(&text);
    if let Some(bill) = bill(code) {
        return bill;
    }
    match symbol {
        Symbol::Gs1 => return gs1(parse_elements(code)?, rules),
        Symbol::Jan8 => return by_shop_rules(code, rules).unwrap_or_else(|| jan8(code)),
        Symbol::Other => {}
    }
    if digital_link::is_address(code) {
        return gs1(digital_link::parse(code)?, rules);
    }
    if code.starts_with('(') {
        return gs1(parse_bracketed(code)?, rules);
    }
    if let Some(own) = own_document(code) {
        return Ok(own);
    }
    if let Some(read) = json_card::member_in(code, |value| by_shop_rules(value, rules)) {
        return read;
    }
    if let Some(read) = by_shop_rules(code, rules) {
        return read;
    }
    if let Some(read) = with_add_on(code).or_else(|| isbn(code)) {
        return read;
    }
    if let Some(elements) = unmarked_elements(code) {
        return gs1(elements, rules);
    }
    match all_digits(code) {
        true => by_length(code, rules),
        // A magnetic stripe, or a number keyed with something behind it.
        false if holds_card_number(code) => Err(CodeFault::PaymentCard),
        false => Ok(Scanned::Sku { code: code.into() }),
    }
}

/// Lets in what may be a code: up to 80 printable ASCII characters, and FNC1.
fn admitted(raw: &str) -> Result<String, CodeFault> {
    if raw.chars().nth(MAX_SCAN_CHARS).is_some() {
        return Err(CodeFault::TooLong);
    }
    let folded = halfwidth_digits(raw);
    let text = folded.trim_matches([' ', '\t', '\r', '\n']);
    if text.chars().any(|sign| sign.is_control() && sign != GROUP_SEPARATOR) {
        return Err(CodeFault::Control);
    }
    if text.is_empty() || !text.is_ascii() {
        return Err(CodeFault::Shape);
    }
    Ok(text.to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Gs1,
    Jan8,
    Other,
}

/// Takes off the AIM prefix `]`, letter, modifier; a separator anywhere also says GS1.
fn split_aim(text: &str) -> (Symbol, &str) {
    let is_aim = text.len() > 3 && text.starts_with(']');
    let (aim, code) = if is_aim { text.split_at(3) } else { ("", text) };
    let symbol = match aim {
        "]C1" | "]e0" | "]e1" | "]e2" | "]d2" | "]Q3" | "]J1" => Symbol::Gs1,
        "]E4" => Symbol::Jan8,
        _ if code.contains(GROUP_SEPARATOR) => Symbol::Gs1,
        _ => Symbol::Other,
    };
    (symbol, code)
}

fn bill(code: &str) -> Option<Result<Scanned, CodeFault>> {
    let code = code.strip_prefix(GROUP_SEPARATOR).unwrap_or(code);
    Bill::matches(code).then(|| Bill::parse(code).map(Scanned::Bill))
}

/// A label that says no more than its GTIN is the goods themselves.
fn gs1(elements: Vec<Element>, rules: &CodeRules) -> Result<Scanned, CodeFault> {
    let scan = Gs1Scan::from_elements(elements)?;
    match (scan.gtin, scan.coupon.clone(), scan.elements.len()) {
        (Some(gtin), _, 1) => gtin14(&gtin.padded(), rules),
        (None, Some(code), _) => Ok(Scanned::Coupon { code }),
        _ => Ok(Scanned::Gs1(Box::new(scan))),
    }
}

/// Without a mark from the scanner only a string that begins with a GTIN is taken for GS1.
fn unmarked_elements(code: &str) -> Option<Vec<Element>> {
    if code.len() < 16 || !code.starts_with("01") {
        return None;
    }
    parse_elements(code).ok()
}

fn own_document(code: &str) -> Option<Scanned> {
    let receipt = receipt_number(code).map(|number| Scanned::Receipt { number });
    let slip = || slip_number(code).map(|number| Scanned::Slip { number });
    let coupon = || coupon_code(code).map(|code| Scanned::Coupon { code });
    receipt.or_else(slip).or_else(coupon)
}

/// The shop's labels and cards: of all rules that take the code, the one with the longest prefix;
/// a label before a card. A card of next to no prefix is what nothing else is.
fn by_shop_rules(code: &str, rules: &CodeRules) -> Option<Result<Scanned, CodeFault>> {
    let long = thirteen(code);
    let label = rules.in_store.iter().filter(|rule| rule.reads(&long));
    let label = label.max_by_key(|rule| rule.prefix.len());
    let is_own = |card: &&CardPattern| {
        card.matches(code)
            && !card.yields_to(is_card_number(code), unmarked_elements(code).is_some())
    };
    let card = rules.cards.iter().filter(is_own);
    let card = card.max_by_key(|card| card.prefix.len());
    match (label, card) {
        (Some(label), Some(card)) if card.prefix.len() > label.prefix.len() => {
            Some(read_card(card, code))
        }
        (Some(label), _) => Some(read_label(label, &long)),
        (None, card) => card.map(|card| read_card(card, code)),
    }
}

fn read_label(rule: &InStoreRule, code: &str) -> Result<Scanned, CodeFault> {
    let scan = rule.read(code)?;
    Ok(match rule.layout {
        Layout::F => Scanned::Member { code: scan.code },
        _ => Scanned::InStore(scan),
    })
}

fn read_card(card: &CardPattern, code: &str) -> Result<Scanned, CodeFault> {
    card.read(code).map(|code| Scanned::Member { code })
}

/// Some scanners drop the zero before a UPC-A, others send 14 digits; both are 13.
fn thirteen(code: &str) -> String {
    match code.len() {
        12 if all_digits(code) => format!("0{code}"),
        14 if all_digits(code) => code.strip_prefix('0').unwrap_or(code).to_owned(),
        _ => code.to_owned(),
    }
}

/// A magazine or book with its add-on: 13 and 5 digits, in a row or parted by one sign.
fn with_add_on(code: &str) -> Option<Result<Scanned, CodeFault>> {
    let (main, rest) = code.split_at_checked(13)?;
    let add_on = rest.strip_prefix([' ', '-', '+', ',', '/']).unwrap_or(rest);
    if add_on.len() != 5 || !all_digits(add_on) {
        return None;
    }
    if Magazine::matches(main) {
        return Some(Magazine::parse(main, Some(add_on)).map(Scanned::Magazine));
    }
    is_isbn13(main).then(|| Gtin::parse(main).map(|isbn| Scanned::BookRow1 { isbn }))
}

/// An ISBN keyed from the cover: ten signs, or with hyphens. Ten digits whose check does not hold
/// may be something else, and are left to it.
fn isbn(code: &str) -> Option<Result<Scanned, CodeFault>> {
    let bare: String = code.chars().filter(|&sign| sign != '-').collect();
    match bare.len() {
        10 => {
            let gtin = isbn13_from_isbn10(&bare).ok()?;
            Some(Ok(Scanned::BookRow1 { isbn: gtin }))
        }
        13 if bare.len() < code.len() && all_digits(&bare) && is_isbn13(&bare) => {
            Some(Gtin::parse(&bare).map(|isbn| Scanned::BookRow1 { isbn }))
        }
        _ => None,
    }
}

fn by_length(code: &str, rules: &CodeRules) -> Result<Scanned, CodeFault> {
    match code.len() {
        1..=6 => Ok(Scanned::Plu { typed: code.into() }),
        8 => jan8(code),
        12 | 13 => jan13(&thirteen(code), code.len(), rules),
        14 => gtin14(code, rules),
        _ if is_card_number(code) => Err(CodeFault::PaymentCard),
        _ => Ok(Scanned::Sku { code: code.into() }),
    }
}

/// Eight digits: JAN-8 as read, else UPC-E. One UPC-E in ten also holds as JAN-8; then the second
/// reading is handed on.
fn jan8(code: &str) -> Result<Scanned, CodeFault> {
    let upc_e = Gtin::from_upc_e(code).ok();
    match (Gtin::parse(code), upc_e) {
        (Err(CodeFault::CheckDigit { .. }), Some(gtin)) => {
            Ok(Scanned::Item { gtin, kind: ItemKind::UpcE, or: None })
        }
        (Err(CodeFault::CheckDigit { .. }), None) if is_shops_own_eight(code) => {
            Ok(Scanned::Sku { code: code.into() })
        }
        (gtin, or) => Ok(Scanned::Item { gtin: gtin?, kind: ItemKind::Jan8, or }),
    }
}

fn jan13(code: &str, typed_len: usize, rules: &CodeRules) -> Result<Scanned, CodeFault> {
    if BookRow2::matches(code) {
        return BookRow2::parse(code).map(Scanned::BookRow2);
    }
    if Magazine::matches(code) {
        return Magazine::parse(code, None).map(Scanned::Magazine);
    }
    let gtin = Gtin::parse(code)?;
    if is_isbn13(code) {
        return Ok(Scanned::BookRow1 { isbn: gtin });
    }
    if rules.coupon_prefixes.iter().any(|prefix| !prefix.is_empty() && code.starts_with(prefix)) {
        return Ok(Scanned::Coupon { code: code.into() });
    }
    let kind = match (gtin.to_string().len(), typed_len) {
        (8, _) => ItemKind::Jan8,
        (_, 12) => ItemKind::UpcA,
        (_, 14) => ItemKind::Gtin14,
        _ => ItemKind::Jan13,
    };
    Ok(Scanned::Item { gtin, kind, or: None })
}

/// Fourteen digits: a piece written long goes the way of its 13; the rest are cases.
fn gtin14(code: &str, rules: &CodeRules) -> Result<Scanned, CodeFault> {
    let gtin = Gtin::parse(code)?;
    if gtin.indicator() > 0 {
        let (indicator, inner) = (gtin.indicator(), gtin.inner());
        return Ok(Scanned::Case { gtin, indicator, inner });
    }
    match by_shop_rules(&thirteen(code), rules) {
        Some(read) => read,
        None => jan13(&thirteen(code), 14, rules),
    }
}

#[cfg(test)]
#[path = "recognise_tests.rs"]
mod tests;
