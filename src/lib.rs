//! regi: a register a shop buys once and keeps for ten years.
//!
//! A shop is a journal: every fact is one immutable entry, everything else is folded from it.
//! A register is a command language: keys, scanners, scripts and tests all speak it.
//!
//! The rooms, in reading order. An arrow reads "may use"; rooms in braces never use one another,
//! and `tests/rooms.rs` proves it:
//!
//! ```text
//! main -> cli -> app -> { screens  devices  store  reports  exchange } -> domain
//! ```

#![forbid(unsafe_code)]

pub mod domain;

pub mod devices;
pub mod exchange;
pub mod reports;
pub mod screens;
pub mod store;

pub mod app;
pub mod cli;
