//! The device end of a USB keyboard or scanner: reports of eight bytes, as fast as the bus takes them.
//!
//! Room: tests, in the guest. May touch: one `/dev/hidg*`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::thread::sleep;
use std::time::Duration;

use crate::clock::now_us;
use crate::number;

const SHIFT: u8 = 0x02;
const ENTER: u8 = 0x28;
/// First usage of the modifiers, which are bits of a report's first byte.
const MODIFIERS: u8 = 0xe0;

/// Types each line and Enter. Prints when it began and ended, and the longest time one key took.
pub fn type_lines(device: &str, words: &[&str]) -> io::Result<()> {
    let mut device = open(device)?;
    let (mut gap, mut pause, mut repeat) = (Duration::ZERO, Duration::ZERO, 1);
    let mut lines = Vec::new();
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        let mut value = || number(words.next().expect("a value"));
        match word {
            "--gap-us" => gap = Duration::from_micros(value()),
            "--pause-ms" => pause = Duration::from_millis(value()),
            "--repeat" => repeat = value(),
            line => lines.push(line),
        }
    }
    let began = now_us();
    let (mut last, mut longest) = (began, 0);
    for _ in 0..repeat {
        for line in &lines {
            for (modifiers, usage) in line.chars().map(key).chain([(0, ENTER)]) {
                press(&mut device, modifiers, &[usage])?;
                longest = longest.max(now_us() - last);
                last = now_us();
                sleep(gap);
            }
            sleep(pause);
        }
    }
    let ended = now_us();
    println!("from {began} until {ended} longest {longest}");
    Ok(())
}

/// Types a text that has no end.
pub fn type_part(device: &str, text: &str) -> io::Result<()> {
    let mut device = open(device)?;
    text.chars().map(key).try_for_each(|(modifiers, usage)| press(&mut device, modifiers, &[usage]))
}

/// Holds one key; the kernel repeats it.
pub fn hold(device: &str, key_name: &str, ms: u64) -> io::Result<()> {
    let mut device = open(device)?;
    let (modifiers, usage) = key(key_name.chars().next().expect("a key"));
    report(&mut device, modifiers, &[usage])?;
    sleep(Duration::from_millis(ms));
    report(&mut device, 0, &[])
}

/// Presses keys together, such as `e0+e2+3b` for Ctrl+Alt+F2.
pub fn press_chords(device: &str, chords: &[&str]) -> io::Result<()> {
    let mut device = open(device)?;
    for chord in chords {
        let (mut modifiers, mut usages) = (0, Vec::new());
        for word in chord.split('+') {
            match u8::from_str_radix(word, 16).expect("a HID usage") {
                usage @ MODIFIERS..=0xe7 => modifiers |= 1 << (usage - MODIFIERS),
                usage => usages.push(usage),
            }
        }
        press(&mut device, modifiers, &usages)?;
        sleep(Duration::from_millis(30));
    }
    Ok(())
}

fn open(device: &str) -> io::Result<File> {
    OpenOptions::new().write(true).open(device)
}

fn press(device: &mut File, modifiers: u8, usages: &[u8]) -> io::Result<()> {
    report(device, modifiers, usages)?;
    report(device, 0, &[])
}

/// Each write waits until the host has polled the one before.
fn report(device: &mut File, modifiers: u8, usages: &[u8]) -> io::Result<()> {
    let mut bytes = [0; 8];
    bytes[0] = modifiers;
    bytes[2..2 + usages.len()].copy_from_slice(usages);
    device.write_all(&bytes)
}

/// Returns the modifiers and the usage that type `c` on a US keyboard.
fn key(c: char) -> (u8, u8) {
    let shift = if c.is_ascii_uppercase() { SHIFT } else { 0 };
    let usage = match c.to_ascii_lowercase() {
        letter @ 'a'..='z' => 0x04 + (letter as u8 - b'a'),
        digit @ '1'..='9' => 0x1e + (digit as u8 - b'1'),
        '0' => 0x27,
        '\n' => ENTER,
        '\x1b' => 0x29,
        '\x08' => 0x2a,
        ' ' => 0x2c,
        '-' => 0x2d,
        '_' => return (SHIFT, 0x2d),
        ':' => return (SHIFT, 0x33),
        '.' => 0x37,
        '/' => 0x38,
        '*' => 0x55, // On the number pad.
        '+' => return (SHIFT, 0x2e),
        other => panic!("no key for {other:?}"),
    };
    (shift, usage)
}
