//! freee's 振替伝票 as other programs hand it over: a title row, rows of detail.
//!
//! Room: exchange. May touch: the writer it is handed.
//! The columns of the tax are left out: chosen at the import, freee reckons it from amounts with tax.

use std::io::{self, Write};

use super::{Side, Slip, Taxed, slashed};
use crate::exchange::csv_out::{CsvOut, OutEncoding, Written};

const COLUMNS: [&str; 31] = [
    "[表題行]",
    "日付",
    "伝票番号",
    "決算整理仕訳",
    "借方勘定科目",
    "借方科目コード",
    "借方補助科目",
    "借方取引先",
    "借方取引先コード",
    "借方部門",
    "借方品目",
    "借方メモタグ",
    "借方セグメント1",
    "借方セグメント2",
    "借方セグメント3",
    "借方金額",
    "借方税区分",
    "貸方勘定科目",
    "貸方科目コード",
    "貸方補助科目",
    "貸方取引先",
    "貸方取引先コード",
    "貸方部門",
    "貸方品目",
    "貸方メモタグ",
    "貸方セグメント1",
    "貸方セグメント2",
    "貸方セグメント3",
    "貸方金額",
    "貸方税区分",
    "摘要",
];
/// Columns between a side's 補助科目 and its amount.
const UNUSED: usize = 8;

/// Writes slips in the order handed in.
///
/// # Errors
/// Those of the writer.
pub fn freee_out(writer: impl Write, encoding: OutEncoding, slips: &[Slip]) -> io::Result<Written> {
    let mut out = CsvOut::new(writer, encoding, COLUMNS)?;
    for (number, slip) in (1u32..).zip(slips) {
        for line in slip.lines() {
            out.plain("[明細行]").plain(slashed(slip.business_date)).plain(number).empty();
            side(&mut out, line.debit);
            side(&mut out, line.credit);
            out.text(&line.about).end_row()?;
        }
    }
    out.finish()
}

fn side<W: Write>(out: &mut CsvOut<W>, side: Option<&Side>) {
    out.plain(side.map_or("", |side| side.account)).empty();
    out.plain(side.map_or("", |side| side.part));
    for _ in 0..UNUSED {
        out.empty();
    }
    match side {
        None => out.empty().empty(),
        Some(side) => out.plain(side.amount.minor()).plain(label(&side.taxed)),
    };
}

fn label(taxed: &Taxed) -> String {
    taxed.label(|rate| {
        let reduced = if Taxed::is_reduced(rate) { "（軽）" } else { "" };
        format!("課税売上{rate}%{reduced}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::bookkeeping::tests::worked;

    #[test]
    fn a_worked_day_is_a_slip_of_its_form() {
        let (day, closing) = worked();
        let slip = Slip::of(&day, &closing).unwrap().unwrap();
        let mut bytes = Vec::new();
        freee_out(&mut bytes, OutEncoding::Utf8Bom, &[slip.clone(), slip]).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let rows: Vec<&str> = text.lines().collect();
        assert!(rows[0].starts_with("\u{FEFF}[表題行],日付,伝票番号,"), "{}", rows[0]);
        assert_eq!(
            rows[3],
            "[明細行],2026/11/22,1,,商品券,,,,,,,,,,,300,対象外,\
             売上高,,,,,,,,,,,1080,課税売上8%（軽）,01-Z0412"
        );
        assert_eq!(
            rows[16],
            "[明細行],2026/11/22,2,,現金過不足,,,,,,,,,,,56,対象外,,,,,,,,,,,,,,01-Z0412"
        );
        assert!(rows.iter().all(|row| row.matches(',').count() == COLUMNS.len() - 1));
    }
}
