//! Papers and analyses: from sales, totals and rows to documents and tables.
//!
//! Room: reports. May touch: what it is handed. May not: store, printers, clock, files.
//! Invariant: amounts are printed as they were stored; nothing here prices or taxes anything again.
//!
//! A paper is a `domain::document::Document`, free of any width; a printer or a screen lays it out.
//! An analysis is a `Table`, written as text, CSV, JSON, a page or a picture. Words come from the language files.

pub mod acts;
pub mod letterhead;

pub mod formal_receipt;
pub mod kitchen_slip;
pub mod labels;
pub mod receipt;
pub mod return_slip;
pub mod slips;
pub mod void_slip;
pub mod x_z;

pub mod page;
pub mod table;

pub mod day_table;
pub mod items_sold;
pub mod members_list;
pub mod period;
pub mod sales_by_day;

mod columns;
mod goods;
pub mod tax_free;
mod taxes;
mod training;
mod x_z_blocks;

use letterhead::{Act, Letterhead};

use crate::domain::document::Document;
use crate::domain::number::DocKind;
use crate::domain::sale::Sale;

/// Returns the paper of a closed sale: a receipt, or a return slip when nothing was sold on it.
pub fn sale_paper(letterhead: &Letterhead<'_>, act: &Act<'_>, sale: &Sale) -> Document {
    let only_returns = sale.number.kind == DocKind::Return
        || (!sale.lines.is_empty() && sale.lines.iter().all(|line| line.item.is_return()));
    if only_returns {
        return_slip::return_slip(letterhead, act, sale)
    } else {
        receipt::receipt(letterhead, act, sale)
    }
}

#[cfg(test)]
mod test_shop;
