//! Serial scanners: heard, told apart from what they are not, lost and found.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::peer::{Peer, SOON, plug, printer, settings, takes_at_most};
use crate::pty::{PATIENCE, Terminal};
use crate::support::Shop;

const ITEMS: &str = "\
code,name,price,tax_class
4901234567894,Onigiri,150,reduced
4902222222221,Green tea,130,reduced
";

fn shop() -> Shop {
    Shop::new("").with_items(ITEMS)
}

#[test]
fn two_serial_scanners_sell_and_their_faults_are_said() {
    let shop = shop();
    let (mut left, mut right) = (Peer::speaker(), Peer::speaker());
    let (a, b) = (shop.dir().join("ttyACM0"), shop.dir().join("ttyACM1"));
    plug(&left.path(), &a);
    settings(
        &shop,
        &format!(
            "[[scanner]]\nserial = \"{}\"\n[[scanner]]\nserial = \"{}\"\nbaud = 115200\n[sound]\nby = \"bell\"",
            a.display(),
            b.display()
        ),
    );
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["Scanner:lost"]);
    plug(&right.path(), &b);
    terminal.shows(&["Scanner:ready"]);
    left.says(b"4901234567894\r\n");
    terminal.shows(&["Onigiri"]);
    right.says(b"4902222222221\r\n");
    terminal.shows(&["Green tea", "2 pcs"]);

    left.says(b"4903333333332\r");
    terminal.rings(2); // Unknown.
    right.says(b"4901234567890\r");
    terminal.shows(&["check digit"]);
    terminal.rings(2 + 3);
    right.says(b"\x1b[2J\x07hidden\r");
    terminal.shows(&["The scan broke off"]);
    terminal.rings(5 + 3);
    left.says(b"REGI-TEST+:\r");
    terminal.shows(&["The scanner is set right"]);
    left.says(b"]C0REGI-TEST+:\r");
    terminal.shows(&["types ]C0 before each code"]);
    terminal.rings(8 + 3);
    right.says(b"490222222");
    terminal.shows(&["without its end"]);
    right.says(b"4902222222221\r");
    terminal.shows(&["3 pcs"]);

    drop(left); // Its cable is pulled.
    terminal.shows(&["Scanner:lost", "Plug it in again"]);
    right.says(b"4902222222221\r");
    terminal.shows(&["4 pcs"]);
}

#[test]
fn a_serial_scanner_that_is_plugged_in_again_sells_without_a_restart() {
    let shop = shop();
    let port = shop.dir().join("ttyACM0");
    let mut scanner = Peer::speaker();
    plug(&scanner.path(), &port);
    settings(&shop, &format!("[[scanner]]\nserial = \"{}\"", port.display()));
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["Scanner:ready"]);
    let mut sold = 0;
    takes_at_most(SOON, || {
        std::fs::remove_file(&port).unwrap();
        drop(std::mem::replace(&mut scanner, Peer::speaker())); // Its cable is pulled.
        terminal.shows(&["Scanner:lost"]);
        plug(&scanner.path(), &port);
        let begun = Instant::now();
        terminal.shows(&["Scanner:ready"]);
        let took = begun.elapsed();
        scanner.says(b"4901234567894\r\n");
        sold += 150;
        terminal.shows(&["Onigiri", &sold.to_string()]);
        took
    });
}

#[test]
fn a_running_register_learns_a_scanner_and_hears_it_at_once() {
    let shop = shop();
    let mut scanner = Peer::speaker();
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["TOTAL"]);
    let learn = |rule: &str| {
        let mut socket = reach(&shop);
        let task = format!("{{\"learn\":{{\"rule\":{rule},\"language\":\"en\"}}}}");
        writeln!(socket, "{{\"line\":\"\",\"task\":{task}}}").expect("it is asked");
        let mut answer = String::new();
        BufReader::new(socket).read_line(&mut answer).expect("it answers");
        answer
    };
    let refused = learn("{\"serial\":\"ttyACM0\"}");
    assert!(refused.contains("a device is written"), "{refused}");
    let rule = format!("{{\"serial\":\"{}\"}}", scanner.path().display());
    for _ in 0..2 {
        let learned = learn(&rule);
        assert!(learned.contains("\"ok\":true"), "{learned}");
    }
    terminal.shows(&["Scanner:ready"]); // What is scanned while its line is opened is thrown away.
    scanner.says(b"4901234567894\r");
    terminal.shows(&["Onigiri", "1 pcs"]);
    let settings = std::fs::read_to_string(shop.dir().join("shop.toml")).expect("it reads");
    let line = format!("serial = \"{}\"", scanner.path().display());
    assert_eq!(settings.matches(&line).count(), 1, "{settings}");
    // What a code is, it says for the command line, too.
    let label = shop.file("scans", b"REGI-TEST+:\n4902222222221\n");
    let mut devices: Command = shop.command(&["devices", "--scan", "--lang", "en"]);
    let told = devices.stdin(std::fs::File::open(label).unwrap()).output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("set right") && told.contains("4902222222221"), "{told}");
    drop(terminal);

    // After the next start it still is.
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["Scanner:ready"]);
}

/// Between two scans somebody walks through the shop; the register lets a client go that is silent for ten seconds.
#[test]
fn scans_are_explained_beside_a_register_whose_papers_wait_however_far_apart_they_are() {
    let shop = shop();
    printer(&shop, &format!("serial:{}", shop.dir().join("nothing").display()), "epson-tm-t88");
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["Printer:lost"]);
    terminal.types("4901234567894\r");
    terminal.shows(&["Onigiri"]);
    terminal.types("\r");
    std::thread::sleep(Duration::from_millis(250));
    terminal.types("1000\r");
    terminal.shows(&["850"]);
    reach(&shop);
    let begun = Instant::now();
    let mut devices: Command = shop.command(&["devices", "--scan", "--lang", "en"]);
    let mut devices = devices.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut typed = devices.stdin.take().unwrap();
    let mut told = BufReader::new(devices.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut explains = |code: &str| {
        writeln!(typed, "{code}").expect("it listens");
        told.any(|line| line.contains(code))
    };
    assert!(explains("4902222222221"), "explained");
    assert!(begun.elapsed() < SOON, "it waits for no paper");
    std::thread::sleep(Duration::from_secs(11));
    assert!(explains("4901234567894"), "explained after a while, too");
    drop(typed);
    assert!(devices.wait().unwrap().success());
}

fn reach(shop: &Shop) -> UnixStream {
    let begun = Instant::now();
    loop {
        match UnixStream::connect(shop.dir().join("control.sock")) {
            Ok(socket) => return socket,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_scanner_is_shown_and_checked_in_the_settings() {
    let shop = shop();
    let scanner = Peer::speaker();
    settings(&shop, &format!("[[scanner]]\nserial = \"{}\"", scanner.path().display()));
    let shown = shop.told(&["devices", "--lang", "en"]);
    assert!(shown.contains(&format!("{}", scanner.path().display())), "{shown}");
    assert!(shown.contains("ready"), "{shown}");
    settings(&shop, "[[scanner]]\nserial = \"ttyACM0\"");
    let checked = shop.regi(&["config", "check"]);
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert_eq!(checked.status.code(), Some(1), "{said}");
    assert!(said.contains("shop.toml, line ") && said.contains("a device is written"), "{said}");
}

#[test]
fn the_test_label_is_explained_on_the_command_line() {
    let shop = shop();
    let mut devices: Command = shop.command(&["devices", "--scan", "--lang", "en"]);
    let label = shop.file("scans", b"regi-test+:\n4901234567894\n");
    let told = devices.stdin(std::fs::File::open(label).unwrap()).output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("changes capitals"), "{told}");
    assert!(told.contains("4901234567894"), "{told}");
}
