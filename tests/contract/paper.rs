//! A paper as the customer reads it: a printer's bytes through a decoder that is not regi's own.
//!
//! Room: tests. May touch: bytes.

#[path = "../escpos_decoder/mod.rs"]
#[allow(dead_code)] // The encoder's own test uses the rest of it.
mod escpos_decoder;

pub use escpos_decoder::Paper;

/// Reads a whole stream, of which every byte must mean something.
#[track_caller]
pub fn read(bytes: &[u8]) -> Paper {
    escpos_decoder::decode(bytes).unwrap_or_else(|unknown| panic!("no command: {unknown:?}"))
}

/// Asserts that all of these stand on the paper.
#[track_caller]
pub fn prints(bytes: &[u8], words: &[&str]) {
    let text = read(bytes).text();
    for word in words {
        assert!(text.contains(word), "{word} is not on the paper:\n{text}");
    }
}
