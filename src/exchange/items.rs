//! The items CSV: rows to rows of the master.
//!
//! Room: exchange. May touch: the reader it is handed. Columns: `DESIGN.md` 12.
//! Invariant: a row passes the gate that `edit_item` passes; no code comes twice in a file.

use std::borrow::Cow;
use std::io::{Read, Seek};

use super::csv_in::{Form, Import, Opened};
use super::fault::Fault;
use super::mapping::{Mapping, OwnFields};
use super::sheet::{Row, Wanted};
use crate::domain::item::Item;
use crate::domain::item_fields::{item_from_fields, kept_code};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::settings::Settings;
use crate::domain::text;

/// Columns of an item, in the order of the export.
pub const COLUMNS: [&str; 15] = [
    "code",
    "name",
    "kana",
    "receipt_name",
    "department",
    "price",
    "price_mode",
    "tax_class",
    "unit",
    "flags",
    "case_of",
    "case_code",
    "cost",
    "stock",
    "supplier",
];

/// Returns how an items file is read. Columns it lacks stay on an item that is `known`.
pub fn form<'s>(
    settings: &'s Settings,
    known: impl Fn(&str) -> Option<Item> + Send + Sync + 's,
) -> Form<'s, Item> {
    let wanted = Wanted { columns: &COLUMNS, needed: &["code"], own: OwnFields::Unknown };
    Form::new(wanted, |item| &item.code, move |row| item(row, settings, &known))
}

/// Opens an items file.
///
/// # Errors
/// A fault of the whole file.
pub fn items<'s, R: Read + Seek>(
    reader: R,
    settings: &'s Settings,
    mapping: &Mapping,
    known: impl Fn(&str) -> Option<Item> + Send + Sync + 's,
) -> Opened<'s, R, Item> {
    Import::open(reader, form(settings, known), mapping)
}

fn item(
    row: &Row<'_>,
    settings: &Settings,
    known: impl Fn(&str) -> Option<Item>,
) -> Result<Item, Fault> {
    let code = row.need("code")?;
    if is_scientific(code) {
        return Err(row.fault("code", scientific(code)));
    }
    let base = known(&kept_code(code).map_err(|refusal| row.fault("code", refusal))?);
    let fields = row.cells.iter().map(|(column, cell)| (*column, prepared(column, cell)));
    item_from_fields(base, fields, settings).map_err(|refusal| {
        let fault = row.refused(refusal);
        // A column that nobody wrote is missing once, in the header, and not in every row.
        let lacks = |column: &str| row.cells.iter().all(|(known, _)| *known != column);
        match fault.refusal.sentence == "field_needed" && lacks(&fault.column) {
            true => {
                Fault { row: 1, refusal: fault.refusal.saying("import.column_for_new"), ..fault }
            }
            false => fault,
        }
    })
}

/// Amounts as spreadsheets show them become plain digits.
fn prepared<'a>(column: &str, cell: &'a str) -> Cow<'a, str> {
    match column {
        "price" | "cost" | "stock" | "case_of" => plain_number(cell),
        _ => cell.into(),
    }
}

/// `¥1,200`, `1,200円`, full-width digits: as plain digits. What is no number stays, to be refused.
pub fn plain_number(cell: &str) -> Cow<'_, str> {
    if cell.bytes().all(|byte| byte.is_ascii_digit()) {
        return cell.into();
    }
    let half = text::halfwidth_digits(cell);
    let bare = half.trim().trim_start_matches(['\\', '¥', '￥']).trim_end_matches('円').trim();
    let whole = bare.split('.').next().unwrap_or(bare).trim_start_matches('-');
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or("");
    // Only a comma before every three digits is one of thousands.
    let thousands = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    if thousands { bare.replace(',', "").into() } else { bare.to_owned().into() }
}

/// `4.90123E+12`: a spreadsheet has eaten the digits of a code; it cannot be brought back.
pub fn is_scientific(code: &str) -> bool {
    let Some((mantissa, exponent)) = code.split_once(['E', 'e']) else { return false };
    let Some(exponent) = exponent.strip_prefix('+') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(exponent) && digits(&mantissa.replacen('.', "", 1))
}

/// The refusal for such a code.
pub fn scientific(code: &str) -> Refusal {
    Refusal::new(RefusalCode::BadArgument).saying("import.scientific").with("value", code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn read(file: &str, known: Option<&Item>) -> (Vec<Item>, super::super::fault::Report) {
        let settings = Settings::default();
        let known = |code: &str| known.filter(|item| item.code == code).cloned();
        let reader = Cursor::new(file.as_bytes().to_vec());
        let mut import = items(reader, &settings, &Mapping::usual(), known).unwrap();
        let all = import.by_ref().collect();
        (all, import.report().clone())
    }

    #[test]
    fn prices_are_read_as_spreadsheets_write_them() {
        for (cell, want) in [
            ("¥1,200", "1200"),
            ("￥１，２００", "1200"),
            ("\\98", "98"),
            ("1,234,567円", "1234567"),
            ("198.5", "198.5"),
            ("1,198.5", "1198.5"),
            ("-12", "-12"),
            ("1,20", "1,20"),
            ("12,34,567", "12,34,567"),
            ("abc", "abc"),
            ("", ""),
        ] {
            assert_eq!(plain_number(cell), want, "{cell}");
        }
    }

    #[test]
    fn a_row_becomes_an_item_and_a_bad_one_names_its_column() {
        let (items, report) = read(
            "code,name,price,flags,tax_class\n\
             4901234567894,牛乳 1L,\"¥1,248\",no_points age20,reduced\n\
             4901234567890,違う,100,,\n\
             1001,高い,1e3,,\n\
             1002,税,100,,luxury\n\
             4.90123E+12,指数,100,,\n\
             '0237009,'=刺身,０,,\n\
             ,無し,100,,\n\
             ４９０１２３４５６７８９４,二度,100,,\n\
             1003,\u{1B}[2J,100,,\n",
            None,
        );
        assert_eq!(items.len(), 2);
        assert_eq!((items[0].price, items[0].flags.age20), (1248.into(), true));
        assert_eq!((items[1].code.as_str(), items[1].name.as_str()), ("0237009", "=刺身"));
        let faults: Vec<_> = report
            .faults
            .iter()
            .map(|fault| (fault.row, fault.column.as_str(), fault.refusal.sentence))
            .collect();
        assert_eq!(
            faults,
            [
                (3, "code", "check_digit"),
                (4, "price", "bad_field"),
                (5, "tax_class", "bad_field"),
                (6, "code", "import.scientific"),
                (8, "code", "field_needed"),
                (9, "code", "import.twice"),
                (10, "name", "bad_field"),
            ]
        );
    }

    #[test]
    fn a_column_that_new_items_need_is_missed_once_where_it_belongs() {
        let (_, report) = read("code,name\n1001,豆腐\n1002,納豆\n1003,\n", None);
        let faults: Vec<_> = report
            .faults
            .iter()
            .map(|fault| (fault.row, fault.column.as_str(), fault.refusal.sentence))
            .collect();
        assert_eq!(faults, [(1, "price", "import.column_for_new"), (4, "name", "field_needed")]);
        assert_eq!((report.fault_count, report.good, report.is_clean()), (2, 0, false));
    }

    #[test]
    fn columns_that_a_file_lacks_stay_on_a_known_item() {
        let mut milk = Item::new("4901234567894", "牛乳 1L", 248.into());
        milk.kana = "ギュウニュウ".to_owned();
        let (items, report) =
            read("code,price\n4901234567894,258\n4912345678904,98\n", Some(&milk));
        assert_eq!(items, [Item { price: 258.into(), ..milk }]);
        assert_eq!(report.faults[0].refusal.args, [("field", "name".to_owned())]);
    }
}
