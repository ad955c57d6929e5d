//! What lies in the printer's tray: pieces of paper, read as a customer reads them.
//!
//! Room: tests. May touch: the decoder that shares no line with the encoder.

use super::machine::Piece;
use crate::escpos_decoder::decode;

/// One paper, or what came out of it.
#[derive(Debug)]
pub struct Slip {
    /// The receipt's number; empty when it did not come that far.
    pub number: String,
    /// 0: no copy; else the number it is marked with.
    pub copy: u32,
    /// From the shop's name to the cut.
    pub whole: bool,
    /// The printer printed it twice by itself.
    pub doubled: bool,
    pub text: String,
}

impl Slip {
    pub fn is(&self, number: &str, copy: u32) -> bool {
        self.number == number && self.copy == copy
    }

    pub fn is_whole_of(&self, number: &str, total: i64) -> bool {
        let (thousands, rest) = (total / 1000, total % 1000);
        let sum = format!("¥{thousands},{rest:03}");
        self.whole && self.number == number && self.text.contains(&sum)
    }
}

pub fn job_name(number: &str, copy: u32) -> String {
    match copy {
        0 => format!("receipt-{number}"),
        copy => format!("receipt-{number}-r{copy}"),
    }
}

pub fn copy_of_job(job: &str) -> u32 {
    job.rsplit_once("-r").and_then(|(_, copy)| copy.parse().ok()).unwrap_or(0)
}

/// Reads the tray. A piece that does not begin a paper goes on with the one before it: the cutter
/// had struck in between.
pub fn read(pieces: &[Piece]) -> Vec<Slip> {
    let mut papers: Vec<Piece> = Vec::new();
    for piece in pieces {
        match papers.last_mut() {
            Some(before) if !piece.bytes.starts_with(b"\x1b@") && !piece.doubled => {
                before.bytes.extend(&piece.bytes);
                before.cut = piece.cut;
            }
            _ => papers.push(piece.clone()),
        }
    }
    papers.iter().filter(|piece| piece.bytes != b"\x1b@").map(slip).collect()
}

fn slip(piece: &Piece) -> Slip {
    let (text, barcodes) = match decode(&piece.bytes) {
        Ok(paper) => (paper.text(), paper.barcodes.len()),
        Err(_) => (String::from_utf8_lossy(&piece.bytes).into_owned(), 0), // Noise after a power cut.
    };
    let number = after(&text, "No.").unwrap_or_default();
    let copy = after(&text, "再発行 ").and_then(|copy| copy.parse().ok()).unwrap_or(0);
    let begins = text.trim_start().starts_with("みどり商店");
    let record = after(&text, "記録 ").is_some_and(|head| head.len() == 16);
    let whole = begins && record && piece.cut && barcodes == 1;
    Slip { number, copy, whole, doubled: piece.doubled, text }
}

/// The word that stands behind a mark.
fn after(text: &str, mark: &str) -> Option<String> {
    let (_, rest) = text.split_once(mark)?;
    rest.split_whitespace().next().map(str::to_owned)
}
