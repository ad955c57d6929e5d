//! The scale: asked for a weight, and believed only when it says the same twice.
//!
//! Room: devices. May touch: one serial line, by its thread. May not: know what is weighed.
//! Invariant: a weight is stable, above nothing, below what the scale can bear, and was said twice
//! running; a container is taken off once, by the scale or here; anything else is a sentence for
//! staff.

pub mod protocol;
pub mod thread;

pub use protocol::{ScaleLine, ScaleProtocol, ScaleTare};
pub use thread::{ScaleHandle, ScaleSettings, start};

use super::printer::Trouble;

/// A weight in milligrams: scales tell grams with up to three decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Milligrams(pub i64);

/// What lies on the scale, as far as the scale says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Goods and container, or a scale that does not say.
    Gross(Milligrams),
    /// The goods alone: the scale has taken its tare off.
    Net(Milligrams),
}

/// Why there is no weight; each has another next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleFault {
    /// It moves, or something leans on it.
    Unstable,
    Overload,
    /// Below nothing: something was taken off, or the tare is not in place.
    Negative,
    /// Nothing lies on it.
    Empty,
    /// It answers, but nothing that makes sense.
    Garbled,
    NoAnswer,
    /// The line is not there.
    Line(Trouble),
}
