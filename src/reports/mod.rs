//! Papers and analyses: from sales, totals and rows to documents and tables.
//!
//! Room: reports. May touch: what it is handed. May not: store, printers, clock, files.
//! Invariant: amounts are printed as they were stored; nothing here prices or taxes anything again.
//!
//! A paper is a `domain::document::Document`, free of any width; a printer or a screen lays it out.
//! An analysis is a `Table`, written as text, CSV or JSON. Words come from the language files.

mod columns;
mod goods;
mod letterhead;
mod taxes;
mod training;

mod formal_receipt;
mod receipt;
mod return_slip;
mod slips;
mod void_slip;
mod x_z;
mod x_z_blocks;

mod day_table;
mod items_sold;
mod members_list;
mod sales_by_day;
mod table;

pub use day_table::day_table;
pub use formal_receipt::{FormalReceipt, formal_receipt};
pub use items_sold::{SoldItem, items_sold};
pub use letterhead::{Act, Letterhead};
pub use members_list::{MemberRow, members_list};
pub use receipt::{BLOCKS, receipt};
pub use return_slip::return_slip;
pub use sales_by_day::sales_by_day;
pub use slips::{CashMove, SuspendSlip, cash_slip, suspend_slip};
pub use table::{Cell, Column, Kind, Table};
pub use void_slip::void_slip;
pub use x_z::{CashShown, XReport, ZReport, x_report, z_report};

use crate::domain::document::Document;
use crate::domain::number::DocKind;
use crate::domain::sale::Sale;

/// Returns the paper of a closed sale: a receipt, or a return slip when nothing was sold on it.
pub fn sale_paper(letterhead: &Letterhead<'_>, act: &Act<'_>, sale: &Sale) -> Document {
    let only_returns = sale.number.kind == DocKind::Return
        || (!sale.lines.is_empty() && sale.lines.iter().all(|line| line.item.is_return()));
    if only_returns {
        return_slip(letterhead, act, sale)
    } else {
        receipt(letterhead, act, sale)
    }
}

#[cfg(test)]
mod test_shop;
