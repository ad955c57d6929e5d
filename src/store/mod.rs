//! The journal (truth) and the redb store (quick), both in the shop folder.
//!
//! Room: store. May touch: the shop folder's files, through [`files::Files`]. May not: clock,
//! chance, terminal. Invariant: what was acknowledged is on disk, whole and in its chain.
//!
//! Reading order of the file layer: `files` (what a disk can do), `sums` (what its bytes are held
//! against), `chain` (what follows what),
//! `record` and `segment` (how it lies on disk), `catalog` and `reader` (finding and checking),
//! `opening` and `journal` (finding the head, growing it), then what stands beside it.
//!
//! Above it: `codec` and `keys` (what an entry's body is, what must not stand in it), `tables` (all of
//! redb), a file a projection, `folding` and `store_thread` (entry to tables), `store_reader` (the
//! register's questions), and `shop` (all of it, opened in the right order).

pub mod files;
pub mod sums;

pub mod chain;
pub mod record;
pub mod segment;

pub mod catalog;
pub mod reader;
pub mod verify;
pub mod walk;

pub mod journal;
pub mod opening;
pub mod reserve;
pub mod room;

pub mod cart_log;
pub mod shop_lock;

pub mod journal_thread;
pub mod rebuild;
pub mod second_copy;

pub mod codec;
pub mod fault;
mod key_file;
pub mod keys;
pub mod keys_copy;
pub mod pins;
pub mod sealing;

pub mod name_blocks;
pub mod postings;
pub mod tables;

pub mod days;
pub mod imports;
pub mod items;
pub mod jobs;
pub mod lanes;
pub mod ledger;
pub mod member_find;
pub mod members;
pub mod sales;
pub mod stock;
pub mod tax_free;
pub mod visits;

mod abreast;
pub mod ahead;
pub mod appending;
pub mod audit;
pub mod backup;
pub mod cart_keeper;
pub mod diagnosis;
pub mod drill;
pub mod folding;
pub mod full_check;
pub mod history;
pub mod journal_search;
pub mod mending;
pub mod progress;
pub mod projections;
pub mod readied;
pub mod repair;
pub mod restore;
pub mod rows_by_code;
pub mod shelf;
pub mod shop;
pub mod staging;
pub mod store_reader;
pub mod store_thread;
pub mod testimony;
pub mod z_signing;

#[cfg(test)]
mod safety_tests;
#[cfg(test)]
mod shop_tests;
#[cfg(test)]
pub mod test_shop;
