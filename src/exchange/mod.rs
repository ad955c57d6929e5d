//! Files in and out: CSV of other registers and of regi, and the shop's settings.
//!
//! Room: exchange. May touch: the reader or writer it is handed. May not: files, store, clock.
//! Invariant: what comes in passes the same gates as what is keyed; nothing is held in memory whole.
//!
//! In: `text_in` finds the encoding, `records` cuts bytes into bounded records, `sheet` maps columns
//! by name, `csv_in` reads them a chunk at a time, and `items`, `members`, `points`, `stock` make rows. Out: `csv_out` writes cells that no
//! spreadsheet runs; the `*_out` files know the columns.

pub mod csv_in;
pub mod fault;
pub mod mapping;
pub mod records;
pub mod sheet;
pub mod text_in;

pub mod items;
pub mod members;
pub mod points;
pub mod stock;

pub mod bookkeeping;
pub mod csv_out;
pub mod journal_out;
pub mod masters_out;
pub mod sales_out;

pub mod shop_file;
pub mod shop_text;
