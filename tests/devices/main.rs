//! The real register with devices on pseudo-terminals and sockets: right answers, and wrong ones.
//!
//! Room: tests. May touch: the binary, pseudo-terminals, a shop in a temporary folder.

#[path = "../contract/support.rs"]
#[allow(dead_code)] // The contract's own tests use the rest of it.
mod support;

#[path = "../pty/mod.rs"]
#[allow(dead_code)] // Other tests use the rest of it.
mod pty;

#[path = "../escpos_decoder/mod.rs"]
#[allow(dead_code)] // Other tests use the rest of it.
mod escpos_decoder;

mod displays;
mod drawer;
mod label_decoder;
mod labels;
mod peer;
mod printers;
mod scale;
mod scanner;
