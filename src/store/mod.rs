//! The journal (truth) and the redb store (quick), both in the shop folder.
//!
//! Room: store. May touch: the shop folder's files, through [`files::Files`]. May not: clock,
//! chance, terminal. Invariant: what was acknowledged is on disk, whole and in its chain.
//!
//! Reading order of the file layer: `files` (what a disk can do), `chain` (what follows what),
//! `record` and `segment` (how it lies on disk), `catalog` and `reader` (finding and checking),
//! `opening` and `journal` (finding the head, growing it), then what stands beside it.

pub mod files;

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

pub mod cart_log;
pub mod shop_lock;

pub mod journal_thread;
pub mod rebuild;
pub mod second_copy;
