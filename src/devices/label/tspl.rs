//! A placed label in TSPL (TSC and its kin).
//!
//! Room: devices. May touch: memory. May not: write a text that did not pass the gate.
//! Invariant: every line ends with CR LF; a picture is as long as its command says.

use super::paper::LabelPaper;
use super::place::{Bars, Mark, Placed};

/// Returns the commands that print `copies` of the label.
pub fn write(placed: &[Placed], paper: &LabelPaper, copies: u16) -> Vec<u8> {
    let mut out = Vec::new();
    // A job before it may have left half a line: an empty one ends it.
    line(&mut out, "");
    line(&mut out, &format!("SIZE {} mm,{} mm", paper.width_mm, paper.height_mm));
    line(&mut out, &format!("GAP {} mm,0 mm", paper.gap_mm));
    line(&mut out, "DIRECTION 1");
    line(&mut out, "CLS");
    for Placed { x, y, what } in placed {
        match what {
            Mark::Dots(dots) => {
                let (bytes, rows) = (dots.bytes_per_row(), dots.height());
                out.extend(format!("BITMAP {x},{y},{bytes},{rows},0,").bytes());
                // A set bit is white here.
                out.extend(dots.rows().iter().flatten().map(|byte| !byte));
                line(&mut out, "");
            }
            Mark::Bars { kind, text, module, height } => {
                let (kind, text) = (word(*kind), text.as_str());
                line(
                    &mut out,
                    &format!(
                        "BARCODE {x},{y},\"{kind}\",{height},1,0,{module},{module},\"{text}\""
                    ),
                );
            }
        }
    }
    line(&mut out, &format!("PRINT 1,{copies}"));
    out
}

fn word(kind: Bars) -> &'static str {
    match kind {
        Bars::Jan13 => "EAN13",
        Bars::Jan8 => "EAN8",
        Bars::Code128 => "128",
    }
}

fn line(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes());
    out.extend(b"\r\n");
}
