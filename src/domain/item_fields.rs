//! An item from FIELD=VALUE pairs: one gate for commands, forms and files.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: what passes can be sold: it has a code, a name, a price, a tax class that exists.

use super::code::{CodeFault, item_code};
use super::item::{Item, ItemFlags, Unit};
use super::member_fields::{bad_field, unknown_field};
use super::money::Money;
use super::quantity::{Quantity, UnitPrice};
use super::refusal::{Refusal, RefusalCode};
use super::settings::Settings;
use super::tax::TaxMode;
use super::text;

const LONGEST_NAME: usize = 80;
const LARGEST_CASE: u32 = 10_000;

/// Returns `base` with the fields set, named as in the items CSV (`DESIGN.md` 12). Without a base
/// the item is new and needs `code`, `name` and `price`. An empty value clears a field.
///
/// # Errors
/// `bad_argument` naming the field, `check_digit` for a code that does not hold.
pub fn item_from_fields<'a, Value: AsRef<str>>(
    base: Option<Item>,
    fields: impl IntoIterator<Item = (&'a str, Value)>,
    settings: &Settings,
) -> Result<Item, Refusal> {
    let mut priced = base.is_some();
    let mut item = base.unwrap_or_else(|| Item::new("", "", UnitPrice::ZERO));
    for (field, value) in fields {
        priced |= field == "price";
        set_field(&mut item, field, text::trimmed(value.as_ref()), settings)?;
    }
    for (missing, field) in
        [(item.code.is_empty(), "code"), (item.name.is_empty(), "name"), (!priced, "price")]
    {
        if missing {
            return Err(field_needed(field));
        }
    }
    Ok(item)
}

fn set_field(
    item: &mut Item,
    field: &str,
    value: &str,
    settings: &Settings,
) -> Result<(), Refusal> {
    if field == "code" {
        item.code = kept_code(value)?;
        return Ok(());
    }
    set_value(item, field, value, settings).ok_or_else(|| unknown_field(field))?.ok_or_else(|| {
        match value.is_empty() {
            true => field_needed(field),
            false => bad_field(field, value),
        }
    })
}

fn field_needed(field: &str) -> Refusal {
    Refusal::new(RefusalCode::BadArgument).saying("field_needed").with("field", field)
}

/// The outer `None` is an unknown field, the inner one a value that does not fit.
fn set_value(item: &mut Item, field: &str, value: &str, settings: &Settings) -> Option<Option<()>> {
    Some(match field {
        "name" => put(&mut item.name, name(value).filter(|name| !name.is_empty())),
        "kana" => put(&mut item.kana, name(value)),
        "receipt_name" => put(&mut item.receipt_name, name(value)),
        "supplier" => put(&mut item.supplier, name(value)),
        "department" => put(&mut item.department, department(value, settings)),
        "price" => put(&mut item.price, price(value)),
        "cost" => put(&mut item.cost, optional(value, price)),
        "price_mode" => put(&mut item.price_mode, optional(value, price_mode)),
        "tax_class" => {
            let known = |class: &str| settings.tax_classes.has(class).then(|| class.to_owned());
            put(&mut item.tax_class, optional(value, known))
        }
        "unit" => put(&mut item.unit, unit(value)),
        "flags" => put(&mut item.flags, ItemFlags::from_words(value).ok()),
        "case_of" => put(&mut item.case_of, optional(value, case_of)),
        "case_code" => put(&mut item.case_code, case_code(value)),
        "stock" => put(&mut item.stock, optional(value, stock)),
        _ => return None,
    })
}

fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    value.map(|value| *place = value)
}

/// An empty value clears; anything else must be read.
fn optional<T>(value: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if value.is_empty() { Some(None) } else { read(value).map(Some) }
}

/// Reads an item's code as it is kept.
///
/// # Errors
/// `check_digit` with the digit that would hold, `bad_argument` for no code at all.
pub fn kept_code(value: &str) -> Result<String, Refusal> {
    item_code(value).map_err(|fault| match fault {
        CodeFault::CheckDigit { expected } => Refusal::new(RefusalCode::CheckDigit)
            .with("code", text::cleaned(value))
            .with("expected", expected),
        _ => bad_field("code", value),
    })
}

fn name(value: &str) -> Option<String> {
    text::clean_free(value, LONGEST_NAME).ok()
}

fn department(value: &str, settings: &Settings) -> Option<u16> {
    if value.is_empty() {
        return Some(0);
    }
    let number: u16 = text::halfwidth_digits(value).parse().ok()?;
    (number == 0 || settings.department(number).is_some()).then_some(number)
}

/// Yen for one unit, with at most four decimals.
fn price(value: &str) -> Option<UnitPrice> {
    let price: UnitPrice = text::halfwidth_digits(value).parse().ok()?;
    let fits = price >= UnitPrice::ZERO
        && price <= UnitPrice::from(Money::MAX_KEYED)
        && price.decimal().scale() <= 4;
    fits.then_some(price)
}

fn price_mode(value: &str) -> Option<TaxMode> {
    [TaxMode::Included, TaxMode::Excluded].into_iter().find(|mode| mode.word() == value)
}

fn unit(value: &str) -> Option<Unit> {
    if value.is_empty() { Some(Unit::Each) } else { Unit::from_word(value) }
}

fn case_of(value: &str) -> Option<u32> {
    let pieces: u32 = text::halfwidth_digits(value).parse().ok()?;
    (2..=LARGEST_CASE).contains(&pieces).then_some(pieces)
}

fn case_code(value: &str) -> Option<String> {
    if value.is_empty() { Some(String::new()) } else { item_code(value).ok() }
}

fn stock(value: &str) -> Option<Quantity> {
    let stock: Quantity = text::halfwidth_digits(value).parse().ok()?;
    (stock.decimal().scale() <= 4).then_some(stock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings::Department;

    fn settings() -> Settings {
        let mut settings = Settings::default();
        settings.departments.push(Department::new(1, "食品", "reduced"));
        settings
    }

    fn made(fields: &[(&str, &str)]) -> Result<Item, Refusal> {
        item_from_fields(None, fields.iter().copied(), &settings())
    }

    const MILK: [(&str, &str); 3] =
        [("code", "4901234567894"), ("name", "牛乳 1L"), ("price", "248")];

    #[test]
    fn a_new_item_needs_code_name_and_price() {
        assert_eq!(made(&MILK).unwrap().price, 248.into());
        for (place, (field, _)) in MILK.iter().enumerate() {
            let mut fields = MILK.to_vec();
            fields.remove(place);
            let refusal = made(&fields).unwrap_err();
            assert_eq!(refusal.sentence, "field_needed");
            assert_eq!(refusal.args, [("field", (*field).to_owned())]);
        }
    }

    #[test]
    fn every_field_is_checked_by_itself() {
        for (field, value, fits) in [
            ("code", "4901234567890", false),
            ("name", "", false),
            ("name", "a\u{1B}[2J", false),
            ("kana", "ぎゅうにゅう", true),
            ("price", "198.5", true),
            ("price", "-1", false),
            ("price", "1,000", false),
            ("price", "100000000", false),
            ("price", "１９８", true),
            ("price_mode", "excluded", true),
            ("price_mode", "", true),
            ("price_mode", "net", false),
            ("tax_class", "reduced", true),
            ("tax_class", "luxury", false),
            ("department", "1", true),
            ("department", "7", false),
            ("unit", "100g", true),
            ("unit", "lb", false),
            ("flags", "age20 no_points", true),
            ("flags", "age18", false),
            ("case_of", "24", true),
            ("case_of", "1", false),
            ("case_code", "14901234567891", true),
            ("case_code", "14901234567890", false),
            ("cost", "150.25", true),
            ("stock", "-3", true),
            ("stock", "many", false),
            ("colour", "red", false),
        ] {
            let mut fields = MILK.to_vec();
            fields.push((field, value));
            assert_eq!(made(&fields).is_ok(), fits, "{field}={value}");
        }
    }

    #[test]
    fn fields_not_named_stay_as_they_are() {
        let mut before = made(&MILK).unwrap();
        before.cost = Some(150.into());
        let fields = [("price", "258"), ("cost", "")];
        let after = item_from_fields(Some(before), fields, &settings()).unwrap();
        assert_eq!((after.price, after.cost, after.name.as_str()), (258.into(), None, "牛乳 1L"));
    }
}
