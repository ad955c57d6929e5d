//! Devices: from a document to bytes and back, and what the outside says when it answers.
//!
//! Room: devices. May touch: one device a file. May not: store, screens, reports, the clock on the
//! wall (waiting is measured, never dated).
//! Invariant: only the encoder in `cp932` lets text out, and it never lets out a control byte.

pub mod cp932;
pub mod glyphs;
pub mod half_width;
pub mod profile;

pub mod escpos_render;
pub mod label;
pub mod layout;
pub mod raster;
pub mod render;
mod star_render;
pub mod text_render;

pub mod line_display;
pub mod printer;
pub mod scale;
pub mod scanner;
pub mod sound;
