//! A printed paper before any printer knows of it: blocks of styled lines, codes and marks.
//!
//! Room: domain. May touch: std. May not: printer models, bytes, columns of a printer.
//! Reports make documents; devices turn them into bytes for a printer, or text for a screen.

use serde::{Deserialize, Serialize};

/// One paper, top to bottom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub blocks: Vec<Block>,
}

/// One piece of a paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Block {
    /// One line of text, placed as a whole.
    Text { text: String, align: Align, style: Style },
    /// Left and right parts on one line; when they do not fit, the left part wraps and the right
    /// part stands on the last line.
    Pair { left: String, right: String, style: Style },
    /// Cells in columns: each cell has a share of the width in percent, and its own alignment.
    Row { cells: Vec<Cell>, style: Style },
    /// A line across the paper.
    Rule(Rule),
    /// Empty lines.
    Feed(u8),
    /// The shop's logo, by name; a printer without one prints nothing.
    Logo,
    /// A QR code of the text.
    Qr(String),
    /// A one-dimensional code (a JAN as such, else Code 128) of the text, printed under it.
    Barcode(String),
    /// A box of this many lines with a caption (the stamp duty box).
    Frame { caption: String, lines: u8 },
    /// Feed and cut.
    Cut,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    pub text: String,
    pub percent: u8,
    pub align: Align,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Align {
    #[default]
    Left,
    Center,
    Right,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    #[default]
    Thin,
    Double,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Style {
    pub bold: bool,
    pub wide: bool,
    pub tall: bool,
    pub underline: bool,
    pub reverse: bool,
}

impl Style {
    pub const PLAIN: Self =
        Self { bold: false, wide: false, tall: false, underline: false, reverse: false };
    pub const BOLD: Self = Self { bold: true, ..Self::PLAIN };
    pub const BIG: Self = Self { wide: true, tall: true, ..Self::PLAIN };
}

impl Document {
    pub fn text(&mut self, text: impl Into<String>) -> &mut Self {
        self.styled(text, Align::Left, Style::PLAIN)
    }

    pub fn center(&mut self, text: impl Into<String>) -> &mut Self {
        self.styled(text, Align::Center, Style::PLAIN)
    }

    pub fn styled(&mut self, text: impl Into<String>, align: Align, style: Style) -> &mut Self {
        self.blocks.push(Block::Text { text: text.into(), align, style });
        self
    }

    pub fn pair(&mut self, left: impl Into<String>, right: impl Into<String>) -> &mut Self {
        self.pair_styled(left, right, Style::PLAIN)
    }

    pub fn pair_styled(
        &mut self,
        left: impl Into<String>,
        right: impl Into<String>,
        style: Style,
    ) -> &mut Self {
        self.blocks.push(Block::Pair { left: left.into(), right: right.into(), style });
        self
    }

    pub fn rule(&mut self, rule: Rule) -> &mut Self {
        self.blocks.push(Block::Rule(rule));
        self
    }

    pub fn push(&mut self, block: Block) -> &mut Self {
        self.blocks.push(block);
        self
    }
}
