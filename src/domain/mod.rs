//! Selling itself: pure rules and the facts they produce.
//!
//! Room: domain. May touch: nothing. May not: clock, chance, file, terminal, float.

pub mod document;
pub mod money;
pub mod quantity;
