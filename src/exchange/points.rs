//! The points CSV: balances that members bring from another register.
//!
//! Room: exchange. May touch: the reader it is handed.

use super::csv_in::Form;
use super::mapping::OwnFields;
use super::members::row_points;
use super::sheet::Wanted;
use crate::domain::member_fields::member_code;
use crate::domain::refusal::{Refusal, RefusalCode};

/// Columns of the file.
pub const COLUMNS: [&str; 2] = ["code", "points"];

/// Returns how a points file is read; a member that is not `known` is a fault.
pub fn form<'s>(known: impl Fn(&str) -> bool + Send + Sync + 's) -> Form<'s, (String, i64)> {
    let wanted = Wanted { columns: &COLUMNS, needed: &COLUMNS, own: OwnFields::Unknown };
    Form::new(
        wanted,
        |(code, _)| code,
        move |row| {
            let code =
                member_code(row.need("code")?).map_err(|refusal| row.fault("code", refusal))?;
            row.need("points")?;
            if !known(&code) {
                let refusal = Refusal::new(RefusalCode::NoMember).with("code", code);
                return Err(row.fault("code", refusal));
            }
            Ok((code, row_points(row)?.unwrap_or(0)))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::csv_in::Import;
    use super::super::mapping::Mapping;
    use super::*;
    use std::io::Cursor;

    #[test]
    fn points_go_to_members_that_exist_and_only_once() {
        let file = "code,points\n2900000000018,120\n2900000000025,5\n2900000000018,1\n1,\n2,3\n";
        let known = |code: &str| code.starts_with("29");
        let mut import = Import::open(Cursor::new(file), form(known), &Mapping::usual()).unwrap();
        let all: Vec<_> = import.by_ref().collect();
        assert_eq!(all, [("2900000000018".to_owned(), 120), ("2900000000025".to_owned(), 5)]);
        let sentences: Vec<_> =
            import.report().faults.iter().map(|fault| fault.refusal.sentence).collect();
        assert_eq!(sentences, ["import.twice", "field_needed", "no_member"]);
    }
}
