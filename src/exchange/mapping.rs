//! Which header means which column.
//!
//! Room: exchange. May touch: TOML text it is handed.
//! Invariant: columns are found by name, never by place; other programs add columns every year.

use std::collections::BTreeMap;

use crate::domain::spreadsheet::unguarded;
use crate::domain::text;

/// Headers, folded, and the columns they mean. Beside these every column answers to its own name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    aliases: BTreeMap<String, String>,
}

/// Headers seen in files of Japanese registers and spreadsheets. A column is only taken where the
/// import knows it, so a name may stand for an item's column and a member's.
const USUAL: [(&str, &str); 48] = [
    ("商品コード", "code"),
    ("janコード", "code"),
    ("jan", "code"),
    ("バーコード", "code"),
    ("gtin", "code"),
    ("会員コード", "code"),
    ("会員番号", "code"),
    ("商品名", "name"),
    ("品名", "name"),
    ("氏名", "name"),
    ("名前", "name"),
    ("商品カナ", "kana"),
    ("商品名カナ", "kana"),
    ("カナ", "kana"),
    ("フリガナ", "kana"),
    ("ふりがな", "kana"),
    ("レシート印字商品名", "receipt_name"),
    ("部門id", "department"),
    ("部門コード", "department"),
    ("部門", "department"),
    ("商品単価", "price"),
    ("単価", "price"),
    ("価格", "price"),
    ("売価", "price"),
    ("販売価格", "price"),
    ("原価", "cost"),
    ("仕入原価", "cost"),
    ("税区分", "tax_class"),
    ("単位", "unit"),
    ("入数", "case_of"),
    ("itf", "case_code"),
    ("在庫", "stock"),
    ("在庫数", "stock"),
    ("仕入先", "supplier"),
    ("電話番号", "phone"),
    ("電話", "phone"),
    ("メールアドレス", "mail"),
    ("メール", "mail"),
    ("郵便番号", "postcode"),
    ("住所", "address"),
    ("性別", "sex"),
    ("生年月日", "birthday"),
    ("誕生日", "birthday"),
    ("ランク", "rank"),
    ("ポイント", "points"),
    ("ポイント残高", "points"),
    ("入会日", "joined"),
    ("備考", "note"),
];

impl Mapping {
    /// The headers that Japanese files usually have.
    pub fn usual() -> Self {
        let aliases = USUAL.iter().map(|(header, column)| (folded(header), (*column).to_owned()));
        Self { aliases: aliases.collect() }
    }

    /// Adds a shop's own table, `"its header" = "our column"`, which comes before the usual ones.
    ///
    /// # Errors
    /// The line of the first thing that is no such pair.
    pub fn with_toml(mut self, table: &str) -> Result<Self, usize> {
        let pairs: BTreeMap<String, String> = toml::from_str(table).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start.min(table.len()));
            1 + table.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count()
        })?;
        self.aliases.extend(pairs.into_iter().map(|(header, column)| (folded(&header), column)));
        Ok(self)
    }

    /// Returns the column of a header, if it is one of `known` or begins with `x_` where the shop's
    /// own fields are taken.
    pub fn column(&self, header: &str, known: &[&str], own: OwnFields) -> Option<String> {
        let header = folded(header);
        let column = self.aliases.get(&header).unwrap_or(&header);
        let is_own = own == OwnFields::Taken && column.len() > 2 && column.starts_with("x_");
        (known.contains(&column.as_str()) || is_own).then(|| column.clone())
    }
}

/// Whether columns `x_NAME` are the shop's own fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnFields {
    Taken,
    Unknown,
}

/// Spaces, width and case do not matter in a header.
fn folded(header: &str) -> String {
    let shown = text::screen_text(&text::cleaned(unguarded(header)));
    text::halfwidth_digits(&shown).trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_however_it_is_written() {
        let mapping = Mapping::usual().with_toml("\"品番\" = \"code\"\n").unwrap();
        for (header, want) in [
            ("code", Some("code")),
            (" Code ", Some("code")),
            ("ＣＯＤＥ", Some("code")),
            ("商品コード", Some("code")),
            ("ＪＡＮコード", Some("code")),
            ("品番", Some("code")),
            ("x_犬の名前", Some("x_犬の名前")),
            ("x_", None),
            ("フリガナ", None),
            ("免税区分", None),
        ] {
            let column = mapping.column(header, &["code", "name"], OwnFields::Taken);
            assert_eq!(column.as_deref(), want, "{header}");
        }
        assert_eq!(mapping.column("x_a", &[], OwnFields::Unknown), None);
    }

    #[test]
    fn a_wrong_table_names_its_line() {
        assert_eq!(Mapping::usual().with_toml("\"a\" = \"code\"\n\"b\" = 3\n"), Err(2));
    }

    #[test]
    fn no_usual_header_is_listed_twice() {
        assert_eq!(Mapping::usual().aliases.len(), USUAL.len());
    }
}
