//! The members CSV: rows to cards with the balance they start with.
//!
//! Room: exchange. May touch: the reader it is handed. Columns: `DESIGN.md` 12.
//! Invariant: personal data leaves here in the clear and in memory only; whoever writes it seals it.

use std::borrow::Cow;
use std::io::{Read, Seek};

use chrono::Datelike;

use super::csv_in::{Form, Import, Opened};
use super::fault::Fault;
use super::items::{is_scientific, plain_number, scientific};
use super::mapping::{Mapping, OwnFields};
use super::sheet::{Row, Wanted};
use crate::domain::entry::ImportedMember;
use crate::domain::member::{MemberCard, Personal, Sealed};
use crate::domain::member_fields::{bad_field, member_code, plain_date, set_field};
use crate::domain::settings::Settings;
use crate::domain::text;

/// Columns of a member, in the order of the export; the shop's own (`x_NAME`) follow.
pub const COLUMNS: [&str; 14] = [
    "code", "name", "kana", "phone", "mail", "postcode", "address", "sex", "birthday", "rank",
    "points", "joined", "note", "tags",
];

/// The rank of who has none; it needs no row in the settings.
const PLAIN_RANK: &str = "regular";
/// A balance beyond this is a slipped column, not a customer.
const MOST_POINTS: i64 = 100_000_000;

/// Returns how a members file is read.
pub fn form(settings: &Settings) -> Form<'_, ImportedMember> {
    let wanted = Wanted { columns: &COLUMNS, needed: &["code"], own: OwnFields::Taken };
    Form::new(wanted, |member| &member.card.code, move |row| member(row, settings))
}

/// Opens a members file.
///
/// # Errors
/// A fault of the whole file.
pub fn members<'s, R: Read + Seek>(
    reader: R,
    settings: &'s Settings,
    mapping: &Mapping,
) -> Opened<'s, R, ImportedMember> {
    Import::open(reader, form(settings), mapping)
}

fn member(row: &Row<'_>, settings: &Settings) -> Result<ImportedMember, Fault> {
    let code = row.need("code")?;
    if is_scientific(code) {
        return Err(row.fault("code", scientific(code)));
    }
    let code = member_code(code).map_err(|refusal| row.fault("code", refusal))?;
    let mut personal = Personal::default();
    for (column, cell) in &row.cells {
        let is_left_out = cell.is_empty() && !column.starts_with("x_");
        if !is_left_out && !["code", "rank", "points", "joined"].contains(column) {
            let value = prepared(column, cell);
            set_field(&mut personal, column, &value)
                .map_err(|refusal| row.fault(column, refusal))?;
        }
    }
    let card = MemberCard {
        code,
        rank: rank(row, settings)?,
        joined: joined(row)?,
        personal: Sealed::Clear(Box::new(personal)),
    };
    Ok(ImportedMember { card, points: row_points(row)? })
}

fn prepared<'c>(column: &str, cell: &'c str) -> Cow<'c, str> {
    match column {
        "birthday" => iso_date(cell),
        "sex" => sex(cell).into(),
        _ => cell.into(),
    }
}

/// Words other registers use; anything else is left to be refused.
fn sex(cell: &str) -> &str {
    match cell {
        "女" | "女性" | "F" => "female",
        "男" | "男性" | "M" => "male",
        "その他" => "other",
        word => word,
    }
}

/// `1990/2/8` and `1990.2.8`, as spreadsheets rewrite dates, become `1990-02-08`.
fn iso_date(cell: &str) -> Cow<'_, str> {
    if plain_date(cell).is_some() {
        return cell.into();
    }
    let half = text::halfwidth_digits(cell);
    let parts: Vec<&str> = half.trim().split(['/', '.', '-']).collect();
    match parts.as_slice() {
        [year, month, day] if year.len() == 4 => format!("{year}-{month:0>2}-{day:0>2}").into(),
        _ => half.trim().to_owned().into(),
    }
}

fn rank(row: &Row<'_>, settings: &Settings) -> Result<String, Fault> {
    let rank = row.get("rank").unwrap_or("");
    if rank.is_empty() {
        return Ok(PLAIN_RANK.to_owned());
    }
    let known = rank == PLAIN_RANK || settings.ranks.iter().any(|known| known.name == rank);
    if known { Ok(rank.to_owned()) } else { Err(row.fault("rank", bad_field("rank", rank))) }
}

fn joined(row: &Row<'_>) -> Result<Option<i32>, Fault> {
    let Some(cell) = row.get("joined").filter(|cell| !cell.is_empty()) else { return Ok(None) };
    match plain_date(&iso_date(cell)).filter(|date| (1900..2200).contains(&date.year())) {
        Some(date) => Ok(Some(date.num_days_from_ce())),
        None => Err(row.fault("joined", bad_field("joined", cell))),
    }
}

/// Returns the row's points: whole, within reason, absent when the cell is empty.
///
/// # Errors
/// A fault of the `points` column.
pub fn row_points(row: &Row<'_>) -> Result<Option<i64>, Fault> {
    let Some(cell) = row.get("points").filter(|cell| !cell.is_empty()) else { return Ok(None) };
    match plain_number(cell).parse::<i64>() {
        Ok(points) if (-MOST_POINTS..=MOST_POINTS).contains(&points) => Ok(Some(points)),
        _ => Err(row.fault("points", bad_field("points", cell))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings::Rank;
    use chrono::NaiveDate;
    use std::io::Cursor;

    fn read(file: &str) -> (Vec<ImportedMember>, super::super::fault::Report) {
        let mut settings = Settings::default();
        settings.ranks.push(Rank { name: "gold".to_owned(), rate: 2.into() });
        let reader = Cursor::new(file.as_bytes().to_vec());
        let mut import = members(reader, &settings, &Mapping::usual()).unwrap();
        let all = import.by_ref().collect();
        (all, import.report().clone())
    }

    fn personal(member: &ImportedMember) -> &Personal {
        match &member.card.personal {
            Sealed::Clear(personal) => personal,
            sealed => panic!("in the clear, not {sealed:?}"),
        }
    }

    #[test]
    fn a_row_becomes_a_card_with_its_own_fields() {
        let (members, report) = read(
            "会員番号,氏名,電話番号,生年月日,性別,ランク,ポイント,入会日,x_犬\n\
             2900000000018,山田 花子,０９０−１２３４−５６７８,1990/2/8,女,gold,\"1,200\",2024/4/1,ポチ\n\
             2900000000025,,,--12,,,,,\n",
        );
        assert_eq!(report.faults, []);
        let hanako = personal(&members[0]);
        assert_eq!(
            (hanako.phone.as_str(), hanako.birthday.as_str()),
            ("09012345678", "1990-02-08")
        );
        assert_eq!((hanako.sex.as_str(), hanako.own["犬"].as_str()), ("female", "ポチ"));
        assert_eq!((members[0].card.rank.as_str(), members[0].points), ("gold", Some(1200)));
        let joined = NaiveDate::from_ymd_opt(2024, 4, 1).unwrap().num_days_from_ce();
        assert_eq!(members[0].card.joined, Some(joined));
        assert_eq!((members[1].card.rank.as_str(), members[1].points), (PLAIN_RANK, None));
        assert_eq!(personal(&members[1]).birthday, "--12");
    }

    #[test]
    fn a_bad_row_names_its_column() {
        let (members, report) = read(
            "code,name,phone,rank,points,joined,note\n\
             2900000000019,,,,,,\n\
             1,A\u{1B}p\u{0},,,,,\n\
             2,,123,,,,\n\
             3,,,platinum,,,\n\
             4,,,,1.5,,\n\
             5,,,,,昨日,\n\
             6,,,,,,4111 1111 1111 1111\n\
             7,,,,,,\n\
             7,,,,,,\n",
        );
        let columns: Vec<_> =
            report.faults.iter().map(|fault| (fault.row, fault.column.as_str())).collect();
        assert_eq!(
            columns,
            [
                (2, "code"),
                (3, "name"),
                (4, "phone"),
                (5, "rank"),
                (6, "points"),
                (7, "joined"),
                (8, "note"),
                (10, "code"),
            ]
        );
        assert_eq!(members.len(), 1);
    }
}
