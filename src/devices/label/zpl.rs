//! A placed label in ZPL (Zebra and what imitates it).
//!
//! Room: devices. May touch: memory. May not: write a text that did not pass the gate.
//! Invariant: all of it is printable ASCII; a picture's digits are as many as its command says.

use std::fmt::Write;

use super::paper::LabelPaper;
use super::place::{Bars, Mark, Placed};

/// Returns the commands that print `copies` of the label.
pub fn write(placed: &[Placed], paper: &LabelPaper, copies: u16) -> Vec<u8> {
    let mut out = format!("^XA^LH0,0^PW{}^LL{}", paper.width(), paper.height());
    for Placed { x, y, what } in placed {
        match what {
            Mark::Dots(dots) => {
                let bytes = dots.bytes_per_row() * dots.height();
                let digits = dots.rows().iter().flatten().fold(String::new(), |mut out, byte| {
                    let _ = write!(out, "{byte:02X}"); // Memory takes it.
                    out
                });
                out +=
                    &format!("^FO{x},{y}^GFA,{bytes},{bytes},{},{digits}^FS", dots.bytes_per_row());
            }
            Mark::Bars { kind, text, module, height } => {
                let text = text.as_str();
                // A JAN's last digit is worked out by the printer.
                let (command, data) = match kind {
                    Bars::Jan13 => ("^BEN", &text[..12]),
                    Bars::Jan8 => ("^B8N", &text[..7]),
                    Bars::Code128 => ("^BCN", text),
                };
                out += &format!("^FO{x},{y}^BY{module}{command},{height},Y,N^FD{data}^FS");
            }
        }
    }
    out += &format!("^PQ{copies}^XZ\n");
    out.into_bytes()
}
