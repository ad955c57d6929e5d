//! The points CSV: balances that members bring from another register.
//!
//! Room: exchange. May touch: the reader it is handed.

use std::collections::BTreeSet;
use std::io::{Read, Seek};

use super::csv_in::{Import, Made, Opened, Row, Wanted};
use super::items::twice;
use super::mapping::{Mapping, OwnFields};
use super::members::row_points;
use crate::domain::member_fields::member_code;
use crate::domain::refusal::{Refusal, RefusalCode};

/// Columns of the file.
pub const COLUMNS: [&str; 2] = ["code", "points"];

/// Opens a points file: member codes and the balances they have from now on. `known` says whether a member has the code.
///
/// # Errors
/// A fault of the whole file.
pub fn points<R: Read + Seek, K: Fn(&str) -> bool>(
    reader: R,
    mapping: &Mapping,
    known: K,
) -> Opened<R, impl FnMut(&Row) -> Made<(String, i64)> + use<R, K>> {
    let wanted = Wanted { columns: &COLUMNS, needed: &COLUMNS, own: OwnFields::Unknown };
    let mut seen = BTreeSet::new();
    Import::open(reader, wanted, mapping, move |row| {
        let code = member_code(row.need("code")?).map_err(|refusal| row.fault("code", refusal))?;
        row.need("points")?;
        if !known(&code) {
            let refusal = Refusal::new(RefusalCode::NoMember).with("code", code);
            return Err(row.fault("code", refusal));
        }
        let points = row_points(row)?.unwrap_or(0);
        if seen.insert(code.clone()) { Ok((code, points)) } else { Err(twice(row, &code)) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn points_go_to_members_that_exist_and_only_once() {
        let file = "code,points\n2900000000018,120\n2900000000025,5\n2900000000018,1\n1,\n2,3\n";
        let known = |code: &str| code.starts_with("29");
        let mut import = points(Cursor::new(file), &Mapping::usual(), known).unwrap();
        let all: Vec<_> = import.by_ref().collect();
        assert_eq!(all, [("2900000000018".to_owned(), 120), ("2900000000025".to_owned(), 5)]);
        let sentences: Vec<_> =
            import.report().faults.iter().map(|fault| fault.refusal.sentence).collect();
        assert_eq!(sentences, ["import.twice", "field_needed", "no_member"]);
    }
}
