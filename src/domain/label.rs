//! A label before any printer knows of it: a few lines, and the code a scanner reads.
//!
//! Room: domain. May touch: std. May not: printers, dots.
//! Invariant: a JAN on a label has the right check digit.

use super::code::check::{all_digits, mod10w3_holds};
use super::document::Align;

/// One label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Label {
    /// From the top; what finds no room is set smaller, then left out from the end.
    pub lines: Vec<LabelLine>,
    pub code: Option<LabelCode>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelLine {
    pub text: String,
    pub size: LabelSize,
    pub align: Align,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LabelSize {
    Small,
    Medium,
    Large,
}

/// What a scanner reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelCode {
    /// JAN-13 or JAN-8.
    Jan(String),
    /// Anything that bars can hold.
    Code128(String),
    /// Anything else.
    Qr(String),
}

/// Signs that bars hold and no label printer takes for a command of its own.
const BAR_SIGNS: &str = " $%+-./:=_";
/// Longest text of bars on a label of usual width.
const LONGEST_BARS: usize = 16;

impl LabelCode {
    /// Returns the code that holds `text`, the most readable first.
    pub fn of(text: &str) -> Self {
        let jan = matches!(text.len(), 8 | 13) && all_digits(text) && mod10w3_holds(text);
        let plain = |c: char| c.is_ascii_alphanumeric() || BAR_SIGNS.contains(c);
        if jan {
            Self::Jan(text.to_owned())
        } else if !text.is_empty() && text.len() <= LONGEST_BARS && text.chars().all(plain) {
            Self::Code128(text.to_owned())
        } else {
            Self::Qr(text.to_owned())
        }
    }

    pub fn text(&self) -> &str {
        match self {
            Self::Jan(text) | Self::Code128(text) | Self::Qr(text) => text,
        }
    }
}

impl Label {
    pub fn line(&mut self, size: LabelSize, align: Align, text: impl Into<String>) -> &mut Self {
        self.lines.push(LabelLine { text: text.into(), size, align });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_as_readable_as_its_text_allows() {
        for (text, want) in [
            ("4901234567894", LabelCode::Jan("4901234567894".into())),
            ("49968712", LabelCode::Jan("49968712".into())),
            ("4901234567890", LabelCode::Code128("4901234567890".into())),
            ("101", LabelCode::Code128("101".into())),
            ("A37859+B", LabelCode::Code128("A37859+B".into())),
            ("a^b", LabelCode::Qr("a^b".into())),
            ("会員1", LabelCode::Qr("会員1".into())),
            ("12345678901234567", LabelCode::Qr("12345678901234567".into())),
        ] {
            assert_eq!(LabelCode::of(text), want, "{text}");
        }
    }
}
