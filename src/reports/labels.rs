//! Labels of goods and members: what stands on a shelf, a package, a card.
//!
//! Room: reports. May touch: settings and words it is handed. May not: clock.
//! Invariant: the price shown large contains the tax (総額表示).

use super::letterhead::Letterhead;
use crate::domain::document::Align;
use crate::domain::item::{Item, Unit};
use crate::domain::label::{Label, LabelCode, LabelSize};
use crate::domain::money::Money;

/// A price on a label, both ways; `excluded` is absent where the class knows no tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelPrice {
    pub included: Money,
    pub excluded: Option<Money>,
}

/// What an item's own label says beside its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weighed {
    pub grams: Option<u32>,
}

/// Returns the label for a shelf: name, price, code.
pub fn shelf_label(letterhead: &Letterhead<'_>, item: &Item, price: LabelPrice) -> Label {
    let mut label = Label::default();
    label.line(LabelSize::Medium, Align::Left, &item.name);
    priced(&mut label, letterhead, item.unit, price);
    label.code = Some(LabelCode::of(&item.code));
    label
}

/// Returns the label for a package, with the code that is scanned from it.
pub fn item_label(
    letterhead: &Letterhead<'_>,
    item: &Item,
    price: LabelPrice,
    weighed: Weighed,
    code: &str,
) -> Label {
    let mut label = Label::default();
    label.line(LabelSize::Medium, Align::Left, item.printed_name());
    if let Some(grams) = weighed.grams {
        label.line(LabelSize::Small, Align::Left, format!("{grams} g"));
    }
    let unit = if weighed.grams.is_some() { Unit::Each } else { item.unit };
    priced(&mut label, letterhead, unit, price);
    label.code = Some(LabelCode::of(code));
    label
}

fn priced(label: &mut Label, letterhead: &Letterhead<'_>, unit: Unit, price: LabelPrice) {
    let words = letterhead.words;
    let per = match unit {
        Unit::Each => String::new(),
        Unit::Per100g => words.get("label.per_100g").to_owned(),
        Unit::Kg => words.get("label.per_kg").to_owned(),
    };
    let amount = words.fill("label.price", &[("amount", &price.included.grouped()), ("per", &per)]);
    label.line(LabelSize::Large, Align::Right, amount);
    if let Some(excluded) = price.excluded {
        let amount = words.fill("label.excluded", &[("amount", &excluded.grouped())]);
        label.line(LabelSize::Small, Align::Right, amount);
    }
}

/// Returns a member's card: the shop, the name, the code.
pub fn member_card(letterhead: &Letterhead<'_>, code: &str, name: &str) -> Label {
    let mut label = Label::default();
    label.line(LabelSize::Small, Align::Center, &letterhead.settings.shop.name);
    label.line(LabelSize::Medium, Align::Center, letterhead.words.get("label.member"));
    if !name.is_empty() {
        let named = letterhead.words.fill("label.member_name", &[("name", &name)]);
        label.line(LabelSize::Medium, Align::Center, named);
    }
    label.code = Some(LabelCode::of(code));
    label
}
