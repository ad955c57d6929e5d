//! The stock CSV: what was counted on the shelves.
//!
//! Room: exchange. May touch: the reader it is handed.

use super::csv_in::Form;
use super::fault::Fault;
use super::items::{is_scientific, plain_number, scientific};
use super::mapping::OwnFields;
use super::sheet::{Row, Wanted};
use crate::domain::item_fields::kept_code;
use crate::domain::member_fields::bad_field;
use crate::domain::quantity::Quantity;
use crate::domain::refusal::{Refusal, RefusalCode};

/// Columns of the file.
pub const COLUMNS: [&str; 2] = ["code", "stock"];
/// More of one item than any shop holds.
const MOST: i64 = 10_000_000;

/// Returns how a stock file is read; an item that is not `known` is a fault.
pub fn form<'s>(known: impl Fn(&str) -> bool + Send + Sync + 's) -> Form<'s, (String, Quantity)> {
    let wanted = Wanted { columns: &COLUMNS, needed: &COLUMNS, own: OwnFields::Unknown };
    Form::new(
        wanted,
        |(code, _)| code,
        move |row| {
            let code = row.need("code")?;
            if is_scientific(code) {
                return Err(row.fault("code", scientific(code)));
            }
            let code = kept_code(code).map_err(|refusal| row.fault("code", refusal))?;
            if !known(&code) {
                let refusal = Refusal::new(RefusalCode::UnknownCode).with("code", code);
                return Err(row.fault("code", refusal));
            }
            Ok((code, quantity(row)?))
        },
    )
}

fn quantity(row: &Row<'_>) -> Result<Quantity, Fault> {
    let cell = row.need("stock")?;
    let quantity: Option<Quantity> = plain_number(cell).parse().ok();
    let most = Quantity::from(MOST);
    quantity
        .filter(|quantity| (-most..=most).contains(quantity) && quantity.decimal().scale() <= 4)
        .ok_or_else(|| row.fault("stock", bad_field("stock", cell)))
}

#[cfg(test)]
mod tests {
    use super::super::csv_in::Import;
    use super::super::mapping::Mapping;
    use super::*;
    use std::io::Cursor;

    #[test]
    fn counts_are_read_and_bad_ones_named() {
        let file = "code,在庫数\n4901234567894,\"1,200\"\n1001,12.5\n1002,many\n9,1\n";
        let known = |code: &str| code != "9";
        let mut import = Import::open(Cursor::new(file), form(known), &Mapping::usual()).unwrap();
        let all: Vec<_> = import.by_ref().map(|(_, count)| count.to_string()).collect();
        assert_eq!(all, ["1200", "12.5"]);
        let faults = &import.report().faults;
        assert_eq!((faults[0].row, faults[0].column.as_str()), (4, "stock"));
        assert_eq!((faults[1].row, faults[1].refusal.sentence), (5, "unknown_code"));
    }
}
