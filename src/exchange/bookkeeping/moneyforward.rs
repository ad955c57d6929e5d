//! マネーフォワード クラウド会計's 仕訳帳: a header and 23 columns.
//!
//! Room: exchange. May touch: the writer it is handed.

use std::io::{self, Write};

use super::{Side, Slip, Taxed, slashed};
use crate::exchange::csv_out::{CsvOut, OutEncoding, Written};

const COLUMNS: [&str; 23] = [
    "取引No",
    "取引日",
    "借方勘定科目",
    "借方補助科目",
    "借方部門",
    "借方取引先",
    "借方税区分",
    "借方インボイス",
    "借方金額(円)",
    "借方税額",
    "貸方勘定科目",
    "貸方補助科目",
    "貸方部門",
    "貸方取引先",
    "貸方税区分",
    "貸方インボイス",
    "貸方金額(円)",
    "貸方税額",
    "摘要",
    "仕訳メモ",
    "タグ",
    "MF仕訳タイプ",
    "決算整理仕訳",
];

/// Columns of a side.
const SIDE: usize = 8;

/// Writes slips in the order handed in, each an entry of several lines.
///
/// # Errors
/// Those of the writer.
pub fn moneyforward_out(
    writer: impl Write,
    encoding: OutEncoding,
    slips: &[Slip],
) -> io::Result<Written> {
    let mut out = CsvOut::new(writer, encoding, COLUMNS)?;
    for (number, slip) in (1u32..).zip(slips) {
        for line in slip.lines() {
            out.plain(number).plain(slashed(slip.business_date));
            side(&mut out, line.debit);
            side(&mut out, line.credit);
            out.text(&line.about).empty().empty().empty().empty().end_row()?;
        }
    }
    out.finish()
}

fn side<W: Write>(out: &mut CsvOut<W>, side: Option<&Side>) {
    match side {
        None => {
            for _ in 0..SIDE {
                out.empty();
            }
        }
        Some(side) => {
            out.plain(side.account).plain(side.part).empty().empty().plain(label(&side.taxed));
            out.empty().plain(side.amount.minor()).plain(side.tax.minor());
        }
    }
}

fn label(taxed: &Taxed) -> String {
    match taxed {
        Taxed::Export => "輸出売上 0%".to_owned(),
        taxed => taxed.label(|rate| {
            let reduced = if Taxed::is_reduced(rate) { "(軽)" } else { "" };
            format!("課税売上 {reduced}{rate}%")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::bookkeeping::tests::worked;

    #[test]
    fn a_worked_day_is_an_entry_of_its_form() {
        let (day, closing) = worked();
        let slip = Slip::of(&day, &closing).unwrap().unwrap();
        let mut bytes = Vec::new();
        moneyforward_out(&mut bytes, OutEncoding::Utf8Bom, &[slip.clone(), slip]).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let rows: Vec<&str> = text.lines().collect();
        assert!(rows[0].starts_with("\u{FEFF}取引No,取引日,"), "{}", rows[0]);
        assert_eq!(
            rows[2],
            "1,2026/11/22,売掛金,クレジットカード,,,対象外,,1200,0,\
             売上高,,,,課税売上 10%,,1650,150,01-Z0412,,,,"
        );
        assert_eq!(
            rows[3],
            "1,2026/11/22,商品券,,,,対象外,,300,0,売上高,,,,課税売上 (軽)8%,,1080,80,01-Z0412,,,,"
        );
        assert_eq!(rows[16], "2,2026/11/22,現金過不足,,,,対象外,,56,0,,,,,,,,,01-Z0412,,,,");
        assert!(rows.iter().all(|row| row.matches(',').count() == COLUMNS.len() - 1));
    }
}
