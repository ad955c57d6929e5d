//! The device end of a USB touchscreen: one finger.
//!
//! Room: tests, in the guest. May touch: one `/dev/hidg*` made by `gadget touch`.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::thread::sleep;
use std::time::Duration;

/// Largest coordinate of the glass, as its descriptor says.
const LARGEST: u64 = 4095;

/// Puts a finger down and lifts it.
pub fn tap(device: &str, x: u64, y: u64) -> io::Result<()> {
    let mut device = OpenOptions::new().write(true).open(device)?;
    let [x, y] = [x, y].map(|at| ((at * LARGEST / 1000) as u16).to_le_bytes());
    for tip in [1, 0] {
        // Tip, contact number, place, how many fingers.
        device.write_all(&[tip, 0, x[0], x[1], y[0], y[1], 1])?;
        sleep(Duration::from_millis(120));
    }
    Ok(())
}
