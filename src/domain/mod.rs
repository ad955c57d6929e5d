//! Selling itself: pure rules and the facts they produce.
//!
//! Room: domain. May touch: nothing. May not: clock, chance, file, terminal, float.

pub mod document;
pub mod money;
pub mod quantity;

pub mod code;
pub mod kana;
pub mod phone;
pub mod registration;
pub mod text;

pub mod apportion;
pub mod points;
pub mod stamp_duty;
pub mod tax;
