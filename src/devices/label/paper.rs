//! The label and its printer, as `shop.toml` describes them.
//!
//! Room: devices. May touch: std. May not: open anything.
//! Invariant: a label is at least as large as one line and at most as large as a hand.

use serde::{Deserialize, Serialize};

/// What the printer speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelLanguage {
    /// TSC, and most cheap ones.
    Tspl,
    /// Zebra, and many that imitate it.
    Zpl,
    /// A receipt printer.
    #[default]
    Escpos,
}

/// Size of a label and fineness of its printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelPaper {
    pub width_mm: u16,
    pub height_mm: u16,
    pub gap_mm: u16,
    /// 8 for 203 dpi, 12 for 300 dpi.
    pub dots_per_mm: u16,
}

impl Default for LabelPaper {
    fn default() -> Self {
        Self { width_mm: 40, height_mm: 30, gap_mm: 2, dots_per_mm: 8 }
    }
}

impl LabelPaper {
    /// Returns the name of the first measure that no label has.
    pub fn fault(&self) -> Option<&'static str> {
        let measures = [
            ("width_mm", (15..=120).contains(&self.width_mm)),
            ("height_mm", (8..=200).contains(&self.height_mm)),
            ("gap_mm", self.gap_mm <= 10),
            ("dots_per_mm", matches!(self.dots_per_mm, 8 | 12 | 24)),
        ];
        measures.into_iter().find(|(_, fits)| !fits).map(|(name, _)| name)
    }

    pub fn width(&self) -> usize {
        usize::from(self.width_mm * self.dots_per_mm)
    }

    pub fn height(&self) -> usize {
        usize::from(self.height_mm * self.dots_per_mm)
    }

    /// Dots of `mm` millimetres.
    pub fn dots(&self, mm: usize) -> usize {
        mm * usize::from(self.dots_per_mm)
    }
}
