//! The screens as a cashier sees them: drawn on cells, read back as text.

mod bytes;
mod looks;
mod shop;
mod use_cases;
mod words;
