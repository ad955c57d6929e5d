//! The tax block of a paper: what each rate's goods cost and how much tax is in it.
//!
//! Room: reports. May touch: std. Source: fields 4 and 5 of an invoice (`japan.md` 1.4).

use std::cmp::Ordering;

use super::columns::right;
use super::letterhead::{Letterhead, yen};
use crate::domain::document::Document;
use crate::domain::quantity::Rate;
use crate::domain::tax::{TaxGroup, TaxMode};
use crate::domain::words::Words;

/// Returns the name of a rate's goods: ` 8%対象`, or the class's own name when it has no tax. The
/// rate is set to `width` columns.
pub fn name(words: &Words, class: &str, rate: Option<Rate>, width: usize) -> String {
    match untaxed(class) {
        Some(key) => words.get(key).to_owned(),
        None => {
            let rate = rate.unwrap_or(Rate::ZERO).to_string();
            words.fill("paper.tax.rate", &[("rate", &right(&rate, width))])
        }
    }
}

/// Returns the name of a rate's goods as short as it can be, for a line that lists several.
pub fn short_name(words: &Words, class: &str, rate: Option<Rate>) -> String {
    match untaxed(class) {
        Some(key) => words.get(key).to_owned(),
        None => words.fill("paper.tax.rate_short", &[("rate", &rate.unwrap_or(Rate::ZERO))]),
    }
}

/// Returns the key of a class that has no tax to show.
pub fn untaxed(class: &str) -> Option<&'static str> {
    match class {
        "exempt" => Some("paper.tax.exempt"),
        "untaxed" => Some("paper.tax.untaxed"),
        "tax_free" => Some("paper.tax.tax_free"),
        _ => None,
    }
}

/// Lower rates first, goods without tax last, as shops of Japan print it.
pub fn order(left: (&str, Option<Rate>), right: (&str, Option<Rate>)) -> Ordering {
    (untaxed(left.0), left.1, left.0).cmp(&(untaxed(right.0), right.1, right.0))
}

/// Returns the groups in the order of the paper.
pub fn ordered(taxes: &[TaxGroup]) -> Vec<&TaxGroup> {
    let mut groups: Vec<_> = taxes.iter().collect();
    groups.sort_by(|a, b| order((a.class.name(), a.rate), (b.class.name(), b.rate)));
    groups
}

/// Writes the groups whose tax is added: they stand before the total.
pub fn excluded(letterhead: &Letterhead<'_>, document: &mut Document, taxes: &[TaxGroup]) {
    let words = letterhead.words;
    for group in of_mode(taxes, TaxMode::Excluded) {
        let name = name(words, group.class.name(), group.rate, 2);
        let base = yen(group.base);
        let left = words.fill("paper.tax.excluded", &[("name", &name), ("base", &base)]);
        document.pair(left, words.fill("paper.tax.added", &[("tax", &yen(group.tax))]));
    }
}

/// Writes the groups whose tax is inside, and those without any, in brackets behind the total.
pub fn included(letterhead: &Letterhead<'_>, document: &mut Document, taxes: &[TaxGroup]) {
    let words = letterhead.words;
    for group in of_mode(taxes, TaxMode::Included) {
        let class = group.class.name();
        let name = name(words, class, group.rate, 2);
        document.pair(format!("({name}"), format!("{})", yen(group.base)));
        if untaxed(class).is_none() {
            let inside = words.get("paper.tax.inside");
            document.pair(format!("(  {inside}"), format!("{})", yen(group.tax)));
        }
    }
}

/// Goods without tax fit any basis; they are listed with the included ones.
fn of_mode(taxes: &[TaxGroup], mode: TaxMode) -> impl Iterator<Item = &TaxGroup> {
    ordered(taxes).into_iter().filter(move |group| {
        let shown_as =
            if untaxed(group.class.name()).is_some() { TaxMode::Included } else { group.mode };
        shown_as == mode
    })
}
