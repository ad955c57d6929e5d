//! What stands on a virtual console, read from the kernel's own cells.
//!
//! Room: tests, in the guest. May touch: one `/dev/vcsu*`.

use std::io::{self, Write};

/// Prints the rows as text. A wide character is followed by a space of its own in the kernel's
/// cells; it goes, so that the text reads as on a terminal.
pub fn print(cells: &str, columns: usize) -> io::Result<()> {
    let bytes = std::fs::read(cells)?;
    let characters: Vec<char> = bytes
        .chunks_exact(4)
        .map(|cell| u32::from_ne_bytes(cell.try_into().expect("four bytes")))
        .map(|code| char::from_u32(code).unwrap_or('\u{fffd}'))
        .collect();
    let mut shown = String::new();
    for row in characters.chunks(columns) {
        let begun = shown.len();
        let mut row = row.iter().peekable();
        while let Some(&character) = row.next() {
            shown.push(character);
            if character >= '\u{1100}' {
                row.next_if_eq(&&' ');
            }
        }
        shown.truncate(begun + shown[begun..].trim_end().len());
        shown.push('\n');
    }
    let _ = io::stdout().write_all(shown.as_bytes()); // A reader that has seen enough is gone.
    Ok(())
}
