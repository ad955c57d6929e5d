//! 弥生会計's import form: 25 columns without a header, a slip of several lines.
//!
//! Room: exchange. May touch: the writer it is handed.

use std::io::{self, Write};

use super::{Line, Side, Slip, Taxed, slashed};
use crate::exchange::csv_out::{CsvOut, OutEncoding, Written};

/// A slip of one line; the first, those between and the last of several.
const ONLY: &str = "2111";
const FIRST: &str = "2110";
const BETWEEN: &str = "2100";
const LAST: &str = "2101";
/// タイプ: 振替伝票
const TRANSFER_SLIP: u8 = 3;

/// Writes slips in the order handed in.
///
/// # Errors
/// Those of the writer.
pub fn yayoi_out(writer: impl Write, encoding: OutEncoding, slips: &[Slip]) -> io::Result<Written> {
    let mut out = CsvOut::bare(writer, encoding)?;
    for slip in slips {
        let lines = slip.lines();
        let last = lines.len() - 1;
        for (place, line) in lines.iter().enumerate() {
            let flag = match place {
                0 if last == 0 => ONLY,
                0 => FIRST,
                place if place == last => LAST,
                _ => BETWEEN,
            };
            write_line(&mut out, flag, slip, line)?;
        }
    }
    out.finish()
}

fn write_line<W: Write>(
    out: &mut CsvOut<W>,
    flag: &str,
    slip: &Slip,
    line: &Line<'_>,
) -> io::Result<()> {
    // Six digits: the lane and its Z.
    let number = u32::from(slip.z.lane) * 10_000 + slip.z.number % 10_000;
    out.plain(flag).plain(number).empty().plain(slashed(slip.business_date));
    side(out, line.debit);
    side(out, line.credit);
    out.text(&line.about).empty().empty().plain(TRANSFER_SLIP).empty().empty();
    out.plain(0).plain(0).plain("no").end_row()
}

/// A side that is not there has the amount 0: the column must not be empty.
fn side<W: Write>(out: &mut CsvOut<W>, side: Option<&Side>) {
    match side {
        None => out.empty().empty().empty().empty().plain(0).empty(),
        Some(side) => {
            out.plain(side.account).plain(side.part).empty().plain(label(&side.taxed));
            out.plain(side.amount.minor()).plain(side.tax.minor())
        }
    };
}

fn label(taxed: &Taxed) -> String {
    taxed.label(|rate| {
        let reduced = if Taxed::is_reduced(rate) { "軽減" } else { "" };
        format!("課税売上込{reduced}{rate}%")
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
        let written = yayoi_out(&mut bytes, OutEncoding::Cp932, &[slip]).unwrap();
        assert_eq!((written.rows, written.lost_count), (8, 0));
        let (text, _, faults) = encoding_rs::SHIFT_JIS.decode(&bytes);
        assert!(!faults && text.ends_with("\r\n"));
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(
            rows[0],
            "2110,10412,,2026/11/22,現金,,,対象外,1510,0,売掛金,コード決済,,対象外,100,0,\
             01-Z0412,,,3,,,0,0,no"
        );
        assert_eq!(
            rows[2],
            "2100,10412,,2026/11/22,商品券,,,対象外,300,0,売上高,,,課税売上込軽減8%,1080,80,\
             01-Z0412,,,3,,,0,0,no"
        );
        assert_eq!(
            rows[7],
            "2101,10412,,2026/11/22,現金過不足,,,対象外,56,0,,,,,0,,01-Z0412,,,3,,,0,0,no"
        );
        assert!(rows.iter().all(|row| row.matches(',').count() == 24));
        for column in [8, 14] {
            let amount = |row: &&str| row.split(',').nth(column).unwrap().parse::<i64>().unwrap();
            assert_eq!(rows.iter().map(amount).sum::<i64>(), 8_986);
        }
    }
}
