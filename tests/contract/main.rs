//! The contract, told to the real binary: what other programs rely on (`DESIGN.md` 5, 6, 12), the worked
//! cases of Japanese tax and codes (`japan.md` 9) and hostile input (`reliability.md` 8).
//!
//! Room: tests. May touch: the `regi` binary, a shop in a temporary folder. May not: the library.
//! Invariant: a test knows only what a shop or another program may know.

mod paper;
mod support;

mod apportion;
mod cards;
mod cash;
mod codes;
mod commands;
mod config;
mod day;
mod documents;
mod exchange;
mod hostile;
mod journals;
mod keeping;
mod members;
mod near_date;
mod points;
mod refusals;
mod returns;
mod staff;
mod stamp;
mod suspended;
mod tax;
mod tenders;
