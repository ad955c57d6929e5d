//! Selling itself: pure rules and the facts they produce.
//!
//! Room: domain. May touch: nothing. May not: clock, chance, file, terminal, float.

pub mod misread;
pub mod money;
pub mod number;
pub mod quantity;

pub mod apportion;
pub mod code;
pub mod kana;
pub mod phone;
pub mod points;
pub mod registration;
pub mod stamp_duty;
pub mod tax;
pub mod tax_free;
pub mod text;
pub mod texts;

pub mod command;
pub mod document;
pub mod hashed;
pub mod hex_id;
pub mod refusal;
pub mod spreadsheet;
pub mod words;

pub mod day;
pub mod entry;
pub mod item;
pub mod item_fields;
pub mod label;
pub mod lane;
pub mod member;
pub mod member_fields;
pub mod register;
pub mod sale;
pub mod settings;
pub mod z_seal;
