//! The far side of every cable: what a scanner, a keyboard or a printer does, and what a screen shows.
//!
//! Room: tests, in the guest. May touch: gadget devices, serial lines, a port, the console's cells.
//! Invariant: it knows nothing of regi; it does what the hardware would.

mod clock;
mod keys;
mod paper;
mod printer;
mod screen;
mod touch;
mod wire;

use std::io;

const USAGE: &str = "\
far_side type HIDG [--gap-us N] [--pause-ms N] [--repeat N] TEXT...   a line and Enter for each TEXT
far_side part HIDG TEXT                                              a text without its Enter
far_side hold HIDG KEY MS                                            one key, held down
far_side chord HIDG USAGE[+USAGE...]...                              HID usages in hex, together
far_side touch HIDG X Y                                              a tap; thousandths of the glass
far_side printer PLACE PAPER CONTROL                                 PLACE: a device, or tcp:PORT
far_side screen VCSU COLUMNS                                         the console's cells, as text";

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["type", device, ref rest @ ..] => keys::type_lines(device, rest),
        ["part", device, text] => keys::type_part(device, text),
        ["hold", device, key, ms] => keys::hold(device, key, number(ms)),
        ["chord", device, ref chords @ ..] => keys::press_chords(device, chords),
        ["touch", device, x, y] => touch::tap(device, number(x), number(y)),
        ["printer", place, paper, control] => printer::serve(place, paper, control),
        ["screen", cells, columns] => screen::print(cells, number(columns) as usize),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, USAGE)),
    }
}

fn number(word: &str) -> u64 {
    word.parse().unwrap_or_else(|_| panic!("{word} is no number\n{USAGE}"))
}
