//! Labels for label printers (TSPL, ZPL) and receipt printers: a label becomes dots and bars, those
//! become commands.
//!
//! Room: devices. May touch: the label, memory. May not: a printer (the bytes are sent by `printer`).
//! Invariant: text reaches a label printer only as dots, or through `gate`.

mod gate;
mod paper;
mod place;
mod tspl;
mod zpl;

pub use paper::{LabelLanguage, LabelPaper};

use crate::domain::document::{Align, Block, Document, Style};
use crate::domain::label::{Label, LabelSize};

/// Most copies of one label in one go; a slip of the finger must not empty the roll.
pub const MOST_COPIES: u16 = 500;

/// Returns `label` as the commands of a label printer, `copies` times; `None` for `escpos`, whose
/// labels are documents.
pub fn render(
    label: &Label,
    paper: &LabelPaper,
    language: LabelLanguage,
    copies: u16,
) -> Option<Vec<u8>> {
    let copies = copies.clamp(1, MOST_COPIES);
    let placed = place::place(label, paper);
    match language {
        LabelLanguage::Tspl => Some(tspl::write(&placed, paper, copies)),
        LabelLanguage::Zpl => Some(zpl::write(&placed, paper, copies)),
        LabelLanguage::Escpos => None,
    }
}

/// Returns `label` as a paper of a receipt printer, cut off behind it.
pub fn document(label: &Label) -> Document {
    use crate::domain::label::LabelCode;
    let mut document = Document::default();
    for line in &label.lines {
        let style = match line.size {
            LabelSize::Small => Style::PLAIN,
            LabelSize::Medium => Style::BOLD,
            LabelSize::Large => Style::BIG,
        };
        document.styled(&line.text, line.align, style);
    }
    match &label.code {
        None => {}
        Some(LabelCode::Qr(text)) => drop(document.push(Block::Qr(text.clone()))),
        Some(LabelCode::Jan(text) | LabelCode::Code128(text)) => {
            document.push(Block::Barcode(text.clone()));
        }
    }
    if let Some(LabelCode::Qr(text)) = &label.code {
        document.styled(text, Align::Center, Style::PLAIN);
    }
    document.push(Block::Cut);
    document
}
