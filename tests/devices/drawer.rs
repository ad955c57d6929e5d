//! The drawer's sensor on a printer at a serial line: ordered, unordered, left open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::peer::{Device, key, printer};
use crate::pty::Terminal;
use crate::support::Shop;

const ITEMS: &str = "code,name,price,tax_class\n101,Milk,248,reduced\n";

/// A printer that tells its state by itself, prints whatever it gets, and has a drawer whose sensor is
/// high while it stands open.
pub fn receipt_printer(open: Arc<AtomicBool>, out: Arc<AtomicBool>) -> Device {
    Device::new(move |heard| {
        let is_out = out.load(Ordering::Relaxed);
        let mut said = Vec::new();
        let mut at = 0;
        while at < heard.len() {
            let rest = &heard[at..];
            let (length, answer): (_, Vec<u8>) = match rest {
                [0x10, 4, n, ..] => {
                    let sensor = if *n == 1 && open.load(Ordering::Relaxed) { 4 } else { 0 };
                    let paper = match n {
                        2 if is_out => 0x20,
                        4 if is_out => 0x60,
                        _ => 0,
                    };
                    (3, vec![0x12 | sensor | paper])
                }
                [0x1d, b'(', b'H', 6, 0, 0x30, 0x30, a, b, c, d, ..] => {
                    let done = vec![0x37, 0x22, *a, *b, *c, *d, 0];
                    (11, if is_out { Vec::new() } else { done })
                }
                [0x1d, b'(', b'H', ..] | [0x10] | [0x10, 4] if rest.len() < 11 => break,
                [0x1d] | [0x1d, b'('] => break,
                [0x1d, b'r', _, ..] => (3, if is_out { Vec::new() } else { vec![0] }),
                [0x1d, b'r'] => break,
                [0x1b, b'p', _, _, _, ..] => {
                    open.store(true, Ordering::Relaxed);
                    (5, vec![0x14, 0, 0, 0])
                }
                [0x1b] => break,
                [0x1b, b'p', ..] => break,
                _ => (1, Vec::new()),
            };
            said.extend(answer);
            at += length;
        }
        heard.drain(..at);
        said
    })
}

#[test]
fn an_opening_nobody_ordered_is_said_heard_and_kept() {
    let shop = Shop::new("").with_items(ITEMS);
    let open = Arc::new(AtomicBool::new(false));
    let device = receipt_printer(open.clone(), Arc::default());
    printer(&shop, &format!("serial:{}", device.path().display()), "epson-tm-t88");
    key(&shop, "drawer_sensor", "true");
    key(&shop, "drawer_open_seconds", "2");
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["Printer:ready"]);
    device.hears(&[0x1d, b'a', 0xff]); // It was asked to tell by itself, though nothing is printed.

    terminal.types("101\r");
    terminal.shows(&["Milk"]);
    terminal.types("\r");
    std::thread::sleep(std::time::Duration::from_millis(200));
    terminal.types("1000\r");
    device.hears(&[0x1b, b'p', 0]);
    terminal.shows(&["752"]);
    terminal.shows(&["The drawer stands open. Close it"]);
    assert!(!terminal.contents().contains("did not order"));
    open.store(false, Ordering::Relaxed);
    device.says(&[0x10, 0, 0, 0]);
    std::thread::sleep(std::time::Duration::from_millis(2_200));

    // A pulse from elsewhere on the network.
    open.store(true, Ordering::Relaxed);
    device.says(&[0x14, 0, 0, 0]);
    terminal.shows(&["the register did not order it"]);
    terminal.rings(6);
    // Out of paper is in words at once, though nothing is printed.
    device.says(&[0x1c, 0, 0x0c, 0]);
    terminal.shows(&["Printer:no paper"]);
    drop(terminal); // Killed: the alarm is on the disk already.
    let journal = String::from_utf8(shop.regi(&["export", "journal"]).stdout).unwrap();
    assert_eq!(journal.matches("drawer_opened_unasked").count(), 1, "{journal}");
    shop.verify();
}

#[test]
fn wrong_and_huge_answers_open_no_alarm_and_end_nothing() {
    let shop = Shop::new("").with_items(ITEMS);
    let device = receipt_printer(Arc::default(), Arc::default());
    printer(&shop, &format!("serial:{}", device.path().display()), "epson-tm-t88");
    key(&shop, "drawer_sensor", "true");
    let mut terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["Printer:ready"]);
    for noise in [
        &[0xff; 64][..],
        b"\x37\x22never\0",
        &[0x37; 300],
        &[0x14, 0x9f],
        b"\x1b[2J<html>HTTP/1.1 400 Bad Request\r\n\r\n",
    ] {
        device.says(noise);
    }
    device.says(&[0x10, 0, 0, 0]);
    terminal.types("101\r");
    terminal.shows(&["Milk"]);
    assert!(terminal.is_running());
    terminal.types("\r");
    std::thread::sleep(std::time::Duration::from_millis(200));
    terminal.types("\r");
    device.hears(&[0x1b, b'p', 0]);
    assert!(!terminal.contents().contains("Nobody knows"), "{}", terminal.contents());
}
