//! Items, members and points as CSV, in the columns that the import reads.
//!
//! Room: exchange. May touch: the writer it is handed.
//! Invariant: what is written here comes in again as it was.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::csv_out::{CsvOut, OutEncoding, Row, Written};
use super::{items, members, points};
use crate::domain::item::Item;
use crate::domain::member::Member;
use crate::domain::register::ymd;

/// Writes the master; `stock` is what is there today. `feed` hands the items on, one by one.
///
/// # Errors
/// Those of the writer and of `feed`.
pub fn items_out<E: From<io::Error>>(
    writer: impl Write,
    encoding: OutEncoding,
    feed: impl FnOnce(&mut Row<'_, Item>) -> Result<(), E>,
) -> Result<Written, E> {
    let mut out = CsvOut::new(writer, encoding, items::COLUMNS)?;
    feed(&mut |item| {
        out.text(&item.code).text(&item.name).text(&item.kana).text(&item.receipt_name);
        out.plain(item.department).plain(item.price);
        out.plain(item.price_mode.map_or("", |mode| mode.word()));
        out.plain(item.tax_class.as_deref().unwrap_or_default());
        out.plain(item.unit.word()).plain(item.flags.words());
        out.plain(item.case_of.map_or_else(String::new, |pieces| pieces.to_string()));
        out.text(&item.case_code);
        out.plain(item.cost.map_or_else(String::new, |cost| cost.to_string()));
        out.plain(item.stock.map_or_else(String::new, |stock| stock.to_string()));
        out.text(&item.supplier).end_row()
    })?;
    Ok(out.finish()?)
}

/// Writes members with their balances of today, and `own` as columns of the shop's own fields.
///
/// # Errors
/// Those of the writer and of `feed`.
pub fn members_out<E: From<io::Error>>(
    writer: impl Write,
    encoding: OutEncoding,
    own: &BTreeSet<String>,
    feed: impl FnOnce(&mut Row<'_, (Member, i64)>) -> Result<(), E>,
) -> Result<Written, E> {
    let own_columns: Vec<String> = own.iter().map(|name| format!("x_{name}")).collect();
    let mut columns: Vec<&str> = members::COLUMNS.to_vec();
    columns.extend(own_columns.iter().map(String::as_str));
    let mut out = CsvOut::new(writer, encoding, columns)?;
    feed(&mut |(member, balance)| {
        let personal = &member.personal;
        out.text(&member.code).text(&personal.name).text(&personal.kana).plain(&personal.phone);
        out.text(&personal.mail).text(&personal.postcode).text(&personal.address);
        out.plain(&personal.sex).plain(&personal.birthday).text(&member.rank).plain(balance);
        out.plain(member.joined.map(ymd).unwrap_or_default());
        out.text(&personal.note).text(&personal.tags);
        for name in own {
            out.text(personal.own.get(name).map_or("", String::as_str));
        }
        out.end_row()
    })?;
    Ok(out.finish()?)
}

/// Writes member codes with their balances.
///
/// # Errors
/// Those of the writer and of `feed`.
pub fn points_out<E: From<io::Error>>(
    writer: impl Write,
    encoding: OutEncoding,
    feed: impl FnOnce(&mut Row<'_, (String, i64)>) -> Result<(), E>,
) -> Result<Written, E> {
    let mut out = CsvOut::new(writer, encoding, points::COLUMNS)?;
    feed(&mut |(code, balance)| out.text(&code).plain(balance).end_row())?;
    Ok(out.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::item::{ItemFlags, Unit};
    use crate::domain::member::{Personal, Sealed};
    use crate::domain::settings::Settings;
    use crate::domain::tax::TaxMode;
    use crate::exchange::mapping::Mapping;
    use std::io::Cursor;

    fn milk() -> Item {
        Item {
            kana: "ギュウニュウ".into(),
            receipt_name: "=牛乳".into(),
            price_mode: Some(TaxMode::Excluded),
            tax_class: Some("reduced".into()),
            unit: Unit::Per100g,
            flags: ItemFlags::from_words("no_points weighed").unwrap(),
            case_of: Some(24),
            case_code: "14901234567891".into(),
            cost: Some("180.5".parse().unwrap()),
            stock: Some("-3".parse().unwrap()),
            supplier: "丸の内, 乳業\"本店\"".into(),
            ..Item::new("0237009", "'90s 牛乳", "198.5".parse().unwrap())
        }
    }

    #[test]
    fn an_item_comes_back_as_it_went_out_in_every_encoding() {
        for encoding in [OutEncoding::Utf8, OutEncoding::Utf8Bom, OutEncoding::Cp932] {
            let mut bytes = Vec::new();
            let items = [milk(), Item::new("1", "茶", 98.into())];
            items_out(&mut bytes, encoding, |row| items.into_iter().try_for_each(row)).unwrap();
            let settings = Settings::default();
            let mut import =
                items::items(Cursor::new(bytes), &settings, &Mapping::usual(), |_| None).unwrap();
            let back: Vec<Item> = import.by_ref().collect();
            assert_eq!(import.report().faults, []);
            assert_eq!(back, [milk(), Item::new("1", "茶", 98.into())], "{encoding:?}");
        }
    }

    #[test]
    fn a_member_comes_back_with_own_fields_and_balance() {
        let personal = Personal {
            name: "髙橋　﨑".into(),
            kana: "タカハシ".into(),
            phone: "09012345678".into(),
            mail: "t@example.jp".into(),
            birthday: "--12-31".into(),
            note: "@家族".into(),
            own: [("犬".to_owned(), "+ポチ".to_owned())].into(),
            ..Personal::default()
        };
        let member = Member {
            code: "2900000000018".into(),
            rank: "regular".into(),
            joined: Some(738_000),
            personal: personal.clone(),
            ..Member::default()
        };
        let mut bytes = Vec::new();
        let own = BTreeSet::from(["犬".to_owned()]);
        members_out(&mut bytes, OutEncoding::Cp932, &own, |row| row((member, -20))).unwrap();
        let settings = Settings::default();
        let mut import =
            members::members(Cursor::new(bytes), &settings, &Mapping::usual()).unwrap();
        let back = import.next().unwrap();
        assert_eq!(back.points, Some(-20));
        assert_eq!(back.card.joined, Some(738_000));
        assert_eq!(back.card.personal, Sealed::Clear(Box::new(personal)));
    }
}
