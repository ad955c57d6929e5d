//! What a scan says, part by part, for the key that asks "what is this code?".
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: the first pair is always `kind`; keys are words of the language files, values are
//! digits and signs as they stand in the code.

use super::gs1::Gs1Scan;
use super::in_store::{InStoreScan, InStoreValue};
use super::{BookRow2, ItemKind, Magazine, Scanned};

/// A key of the language files and a value to stand beside it.
pub type Part = (&'static str, String);

/// Returns the kind of a scan and its parts.
pub fn explain(scanned: &Scanned) -> Vec<Part> {
    match scanned {
        Scanned::Item { gtin, kind, or } => {
            let mut parts = vec![kind_part(item_kind(*kind)), ("code", gtin.to_string())];
            parts.extend(or.map(|gtin| ("or_code", gtin.to_string())));
            parts
        }
        Scanned::InStore(scan) => in_store(scan),
        Scanned::BookRow1 { isbn } => vec![kind_part("book"), ("isbn", isbn.to_string())],
        Scanned::BookRow2(row) => book_row2(row),
        Scanned::Magazine(magazine) => magazine_parts(magazine),
        Scanned::Gs1(scan) => gs1(scan),
        Scanned::Case { gtin, indicator, inner } => vec![
            kind_part("case"),
            ("code", gtin.to_string()),
            ("indicator", indicator.to_string()),
            ("inner", inner.to_string()),
        ],
        Scanned::Member { code } => one("member", code),
        Scanned::Coupon { code } => one("coupon", code),
        Scanned::Slip { number } => one("slip", number),
        Scanned::Receipt { number } => one("receipt", number),
        Scanned::Bill(bill) => vec![
            kind_part("bill"),
            ("company", bill.company.clone()),
            ("amount", bill.amount.minor().to_string()),
            ("due", bill.due.map_or_else(String::new, |date| date.to_string())),
            ("stamp", u8::from(bill.stamp).to_string()),
        ],
        Scanned::Plu { typed } => one("plu", typed),
        Scanned::Sku { code } => one("sku", code),
    }
}

fn kind_part(kind: &str) -> Part {
    ("kind", kind.to_owned())
}

fn one(kind: &str, code: &str) -> Vec<Part> {
    vec![kind_part(kind), ("code", code.to_owned())]
}

fn item_kind(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Jan13 => "jan13",
        ItemKind::Jan8 => "jan8",
        ItemKind::UpcA => "upc_a",
        ItemKind::UpcE => "upc_e",
        ItemKind::Gtin14 => "gtin14",
    }
}

fn in_store(scan: &InStoreScan) -> Vec<Part> {
    let mut parts =
        vec![kind_part("in_store"), ("code", scan.code.clone()), ("master", scan.master.clone())];
    match scan.value {
        InStoreValue::Price { amount, .. } => parts.push(("price", amount.minor().to_string())),
        InStoreValue::Weight { grams } => parts.push(("grams", grams.to_string())),
        InStoreValue::Blank { .. } => {}
    }
    parts
}

fn book_row2(row: &BookRow2) -> Vec<Part> {
    let mut parts =
        vec![kind_part("book_price"), ("code", row.code.clone()), ("c_code", row.c_code.clone())];
    parts.extend(row.price.map(|price| ("price", price.minor().to_string())));
    parts
}

fn magazine_parts(magazine: &Magazine) -> Vec<Part> {
    let mut parts = vec![
        kind_part("magazine"),
        ("code", magazine.code.clone()),
        ("series", magazine.series.clone()),
        ("issue", magazine.issue.clone()),
        ("year_digit", magazine.year_digit.to_string()),
    ];
    parts.extend(magazine.price.map(|price| ("price", price.minor().to_string())));
    parts
}

/// Every element under its identifier, in the order of the label; identifiers that a register
/// uses also by name.
fn gs1(scan: &Gs1Scan) -> Vec<Part> {
    let mut parts = vec![kind_part("gs1")];
    for element in &scan.elements {
        parts.push((element_key(&element.ai), format!("({}) {}", element.ai, element.value)));
    }
    parts.extend(scan.weight_kg.map(|kg| ("weight_kg", kg.to_string())));
    parts.extend(scan.price.map(|price| ("price", price.to_string())));
    parts
}

fn element_key(ai: &str) -> &'static str {
    match ai {
        "01" => "gtin",
        "02" => "content",
        "10" => "lot",
        "11" => "produced",
        "13" => "packed",
        "15" => "best_before",
        "16" => "sell_by",
        "17" => "expires",
        "21" => "serial",
        "30" | "37" => "count",
        _ => "element",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::{CodeRules, recognise};

    #[test]
    fn a_label_is_explained_part_by_part() {
        for (raw, want) in [
            ("1920193005714", "kind=book_price code=1920193005714 c_code=0193 price=571"),
            (
                "491009971074100952",
                "kind=magazine code=4910099710741 series=09971 issue=07 year_digit=4 price=952",
            ),
            (
                "01149123456789011726123110ABC",
                "kind=gs1 gtin=(01) 14912345678901 expires=(17) 261231 lot=(10) ABC",
            ),
            (
                "91912345123456789012345678900026123110543215",
                "kind=bill company=912345 amount=54321 due=261231 stamp=1",
            ),
        ] {
            let scanned = recognise(raw, &CodeRules::default()).unwrap();
            let parts = explain(&scanned);
            let told: Vec<String> =
                parts.iter().map(|(key, value)| format!("{key}={value}")).collect();
            assert_eq!(told.join(" "), want);
        }
    }
}
