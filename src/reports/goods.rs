//! The goods of a paper: one line of a sale as a receipt, a return slip or an invoice prints it.
//!
//! Room: reports. May touch: std. Layout: `japan.md` 7.1 to 7.3.

use super::letterhead::{Letterhead, grouped, unit_price, yen};
use crate::domain::command::Discount;
use crate::domain::document::Document;
use crate::domain::item::Unit;
use crate::domain::quantity::Quantity;
use crate::domain::sale::SaleLine;
use crate::domain::tax::TaxMode;

/// Writes a line: name and marks with its amount before its own discount, quantity and unit price
/// when it is not one piece, and the discount.
pub fn line(letterhead: &Letterhead<'_>, document: &mut Document, line: &SaleLine) {
    let gross = line.amount + line.discount;
    document.pair(name(letterhead, line), yen(gross));
    if !line.item.is_return() && is_counted(line) {
        let detail = [line.item.code.as_str(), &times(letterhead, line)];
        let detail: Vec<_> = detail.into_iter().filter(|part| !part.is_empty()).collect();
        document.text(format!("  {}", detail.join("  ")));
    }
    if let Some(list_price) = line.item.list_price.filter(|list| *list != line.item.unit_price) {
        let text =
            letterhead.words.fill("paper.line.list_price", &[("price", &unit_price(list_price))]);
        document.text(format!("  {text}"));
    }
    if !line.discount.is_zero() {
        document.pair(
            format!("  {}", discount_name(letterhead, line.item.discount)),
            yen(-line.discount),
        );
    }
    if line.item.is_return() {
        shares_back(letterhead, document, line);
    }
}

/// What was shared onto the goods when they were sold goes back with them.
fn shares_back(letterhead: &Letterhead<'_>, document: &mut Document, line: &SaleLine) {
    for (key, share) in [
        ("paper.return.discount_share", line.sale_discount),
        ("paper.return.points_share", line.points_share),
    ] {
        if !share.is_zero() {
            document.pair(format!("  {}", letterhead.words.get(key)), yen(-share));
        }
    }
}

/// The name with its marks.
pub fn marked_name(letterhead: &Letterhead<'_>, line: &SaleLine) -> String {
    let mut name = String::new();
    if line.item.flags.self_medication {
        name.push_str(letterhead.words.get("paper.mark.self_medication"));
    }
    name.push_str(&line.item.printed);
    if !line.mark.is_empty() {
        name.push(' ');
        name.push_str(&line.mark);
    }
    name
}

fn name(letterhead: &Letterhead<'_>, line: &SaleLine) -> String {
    let mut name = marked_name(letterhead, line);
    if line.item.is_return() {
        let back = quantity(letterhead, -line.item.quantity, line.item.unit);
        let text = letterhead.words.fill("paper.line.returned", &[("quantity", &back)]);
        name.push_str("  ");
        name.push_str(&text);
    }
    name
}

/// One piece needs no second line.
fn is_counted(line: &SaleLine) -> bool {
    line.item.unit != Unit::Each || line.item.quantity != Quantity::ONE
}

fn times(letterhead: &Letterhead<'_>, line: &SaleLine) -> String {
    let price = unit_price(line.item.unit_price);
    let per = match line.item.unit {
        Unit::Each => String::new(),
        weighed => format!("/{}", weighed.word()),
    };
    let quantity = quantity(letterhead, line.item.quantity, line.item.unit);
    let times = letterhead
        .words
        .fill("paper.line.times", &[("quantity", &quantity), ("price", &price), ("per", &per)]);
    times + basis(letterhead, line)
}

/// The unit price's basis, where a receipt of both settles the line on the other one: without it
/// quantity times price would not be the amount beside it.
fn basis<'a>(letterhead: &Letterhead<'a>, line: &SaleLine) -> &'a str {
    match line.item.price_mode {
        mode if mode == line.mode || line.rate.is_none() => "",
        TaxMode::Excluded => letterhead.words.get("paper.line.before_tax"),
        TaxMode::Included => letterhead.words.get("paper.line.with_tax"),
    }
}

/// `2点`, or the weight: `1,250g`, `1.25kg`.
pub fn quantity(letterhead: &Letterhead<'_>, quantity: Quantity, unit: Unit) -> String {
    match unit {
        Unit::Each => letterhead.words.fill("paper.pieces", &[("count", &count(quantity))]),
        Unit::Per100g => {
            let grams = Quantity::new(quantity.decimal() * rust_decimal::Decimal::ONE_HUNDRED);
            format!("{}g", count(grams))
        }
        Unit::Kg => format!("{quantity}kg"),
    }
}

/// A number of things, its thousands apart when whole.
pub fn count(quantity: Quantity) -> String {
    quantity.whole().map_or_else(|| quantity.to_string(), grouped)
}

/// `値引`, `割引 10%`, or `期限間近 30%引`.
pub fn discount_name(letterhead: &Letterhead<'_>, discount: Option<Discount>) -> String {
    match discount {
        Some(Discount::Percent(rate)) => {
            letterhead.words.fill("paper.discount.percent", &[("rate", &rate)])
        }
        Some(Discount::NearDate(rate)) => {
            letterhead.words.fill("paper.discount.near_date", &[("rate", &rate)])
        }
        Some(Discount::Amount(_)) | None => {
            letterhead.words.get("paper.discount.amount").to_owned()
        }
    }
}
