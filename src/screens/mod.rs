//! What the cashier sees and touches: one file a screen, each with its state, its keys, its drawing.
//!
//! Room: screens. May touch: its own state, the cells it draws on, the terminal in one file.
//! May not: register, store, devices, clock.
//! Invariant: a screen sees a `Model` and answers an `Action`; it changes nothing but itself.
//!
//! The app's loop: a terminal event goes to `Screens::on_key`, `on_scan` or `on_paste`; the `Action`
//! is performed; `done` or `refused` tells each command's outcome; `answer` brings what was asked
//! for; then `Display::draw` with `Screens::draw` writes what changed.

mod act;
mod action;
mod canvas;
mod data_file;
mod digits;
mod keymap;
mod model;
mod screen;
mod stack;
mod template;
mod theme;
mod words_file;

mod paint;
pub mod plain_signs;
pub mod terminal;

mod big;
mod figures;
mod finder;
mod form;
mod frame;
mod kana_line;
mod lines;
mod paged;

mod command_line;
mod count;
pub mod customer;
mod devices;
mod first_run;
mod help;
mod item_finder;
mod journal;
mod member_card;
mod member_finder;
mod member_form;
mod menu;
mod prompt;
mod receipt;
mod recovery;
mod report_view;
mod return_lines;
mod sale;
mod sign_in;
mod suspended;
mod tender;

pub use act::ScreenName;
pub use action::{
    Action, Answer, DeviceAct, DeviceRow, JournalRow, PAGE, Page, Question, ReceiptLine,
    ReceiptView,
};
pub use canvas::wrap;
pub use customer::{CustomerLine, CustomerStage, CustomerView};
pub use data_file::DataFault;
pub use first_run::FirstShop;
pub use frame::paper_columns;
pub use keymap::{BUILT_IN as KEYMAPS, Keymap};
pub use model::{Choice, Choices, Health, LastSale, Message, Model};
pub use recovery::{Offer, Remedy, Trouble};
pub use stack::Screens;
pub use terminal::{Display, TerminalGuard};
pub use theme::{BUILT_IN as THEMES, Theme};
pub use words_file::read_words;
