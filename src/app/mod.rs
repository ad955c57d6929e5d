//! The loop that ties the rooms together; the only room that knows the clock.
//!
//! Room: app. May touch: clock, threads, every room below. May not: decide anything about selling.

pub mod answers;
pub mod aside;
pub mod books;
pub mod cart_sync;
pub mod clock;
pub mod control;
pub mod counter;
pub mod demo;
pub mod disk_room;
pub mod drawer_watch;
pub mod engine;
pub mod event;
pub mod exports;
pub mod first_run;
pub mod holding;
pub mod import_words;
pub mod imports;
pub mod inbox;
pub mod kitchen;
pub mod labels;
pub mod lane_config;
pub mod learned;
pub mod opening;
pub mod papers;
pub mod picture;
pub mod pin_check;
pub mod printers;
pub mod proof_words;
pub mod recovery;
pub mod reply;
pub mod reports;
pub mod run;
pub mod sample;
pub mod scan_sound;
pub mod showcase;
pub mod spool;
pub mod unprinted;
pub mod upkeep;
pub mod words;
pub mod z_backup;
