//! What the customer sees: on a line display at a serial line, and on a second terminal.

use std::time::{Duration, Instant};

use rustix::termios::Action;

use crate::peer::{Device, SOON, plug, settings, takes_at_most};
use crate::pty::{Kanji, Terminal};
use crate::support::Shop;

const ITEMS: &str = "\
code,name,kana,price,tax_class
101,牛乳 1L,ギュウニュウ,248,reduced
102,Battery,,550,standard
";

fn shop(more: &str) -> Shop {
    let shop = Shop::new("").with_items(ITEMS);
    settings(&shop, &format!("[display]\ntext = \"Points x2 today\"\n{more}"));
    shop
}

/// The rows a DM-D display that was just switched on shows after these bytes, half-width kana as Unicode;
/// any command but the few it knows is refused.
fn shown(bytes: &[u8]) -> [String; 2] {
    let mut rows = [vec![' '; 20], vec![' '; 20]];
    let (mut katakana, mut japan) = (false, false);
    let (mut x, mut y, mut at) = (0, 0, 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest {
            [0x1b, b'@', ..] => {
                (katakana, japan) = (false, false);
                2
            }
            [0x1b, b't', 1, ..] => {
                katakana = true;
                3
            }
            [0x1b, b'R', 8, ..] => {
                japan = true;
                3
            }
            [0x1f, b'C', 0, ..] => 3,
            [0x1f, 1, ..] => 2,
            [0x0c, ..] => {
                rows = [vec![' '; 20], vec![' '; 20]];
                1
            }
            [0x1f, b'$', column, row, ..] => {
                (x, y) = (usize::from(*column) - 1, usize::from(*row) - 1);
                4
            }
            [byte, ..] => {
                let sign = match byte {
                    0x5c if japan => '¥',
                    0x20..=0x7e => char::from(*byte),
                    0xa1..=0xdf if !katakana => 'é', // Or what else its first page has there.
                    0xa1..=0xdf => char::from_u32(0xff61 + u32::from(*byte) - 0xa1).unwrap(),
                    other => panic!("{other:02x} is no sign of a line display"),
                };
                rows[y][x] = sign;
                x += 1;
                1
            }
            [] => unreachable!("there is a byte"),
        };
        at += length;
    }
    rows.map(|row| row.into_iter().collect())
}

#[track_caller]
fn becomes(device: &Device, want: [&str; 2]) {
    let begun = std::time::Instant::now();
    loop {
        let rows = shown(&device.heard());
        if rows == want {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "{rows:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_line_display_follows_the_sale_and_comes_back() {
    let folder = Shop::nowhere();
    std::fs::create_dir_all(folder.dir()).unwrap();
    let port = folder.dir().join("ttyUSB0");
    let shop = shop(&format!("address = \"serial:{}?baud=9600\"", port.display()));
    let first = Device::new(|_| Vec::new());
    plug(&first.path(), &port);
    let terminal = Terminal::open(&shop, &["--lang", "ja"]);
    becomes(&first, ["ｲﾗｯｼｬｲﾏｾ            ", "Points x2 today     "]);
    terminal.types("101\r");
    becomes(&first, ["ｷﾞｭｳﾆｭｳ         ¥248", "ｺﾞｳｹｲ           ¥248"]);
    // A display that says something is not listened to.
    first.says(b"\x1b[2J4901234567894\r\n\xff\xff");
    terminal.types("102\r");
    becomes(&first, ["Battery         ¥550", "ｺﾞｳｹｲ           ¥798"]);
    terminal.types("\r");
    std::thread::sleep(Duration::from_millis(200));
    terminal.types("1000\r");
    becomes(&first, ["ｵｱｽﾞｶﾘ        ¥1,000", "ｵﾂﾘ             ¥202"]);
    terminal.shows(&["202"]);

    // Another display is plugged into the same port.
    std::fs::remove_file(&port).unwrap();
    drop(terminal);
    let terminal = Terminal::open(&shop, &["--lang", "ja"]);
    terminal.shows(&["お客様表示器の応答がありません"]);
    terminal.types("101\r");
    terminal.shows(&["牛乳 1L"]);
    let second = Device::new(|_| Vec::new());
    plug(&second.path(), &port);
    becomes(&second, ["ｷﾞｭｳﾆｭｳ         ¥248", "ｺﾞｳｹｲ           ¥248"]);
}

#[test]
fn a_line_display_is_unplugged_and_plugged_in_while_the_register_runs() {
    let folder = Shop::nowhere();
    std::fs::create_dir_all(folder.dir()).unwrap();
    let port = folder.dir().join("ttyUSB0");
    let shop = shop(&format!("address = \"serial:{}?baud=9600\"", port.display()));
    let mut device = Device::new(|_| Vec::new());
    plug(&device.path(), &port);
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.types("101\r");
    becomes(&device, ["ｷﾞｭｳﾆｭｳ         ¥248", "TOTAL           ¥248"]);
    takes_at_most(SOON, || {
        std::fs::remove_file(&port).unwrap();
        let other = Device::new(|_| Vec::new());
        drop(std::mem::replace(&mut device, other)); // The cable is pulled, and nothing is sold.
        terminal.shows(&["The line display does not answer"]);
        plug(&device.path(), &port);
        let begun = Instant::now();
        becomes(&device, ["ｷﾞｭｳﾆｭｳ         ¥248", "TOTAL           ¥248"]);
        begun.elapsed()
    });
    // Switched off and on, it has forgotten what a line that stands cannot tell.
    device.takes();
    terminal.types("102\r");
    becomes(&device, ["Battery         ¥550", "TOTAL           ¥798"]);
    device.takes();
    terminal.types("101\r");
    becomes(&device, ["ｷﾞｭｳﾆｭｳ         ¥248", "TOTAL         ¥1,046"]);
}

#[test]
fn a_display_that_takes_nothing_holds_up_nobody() {
    let stalled = Device::new(|_| Vec::new());
    stalled.holds(Action::OOff);
    let line = format!("serial:{}", stalled.path().display());
    for address in ["tcp:127.0.0.1:9", &line] {
        let shop = shop(&format!("address = \"{address}\""));
        let terminal = Terminal::open(&shop, &["--lang", "en"]);
        terminal.types("101\r");
        terminal.shows(&["248"]);
        terminal.types("102\r");
        terminal.shows(&["550", "2 pcs"]);
        terminal.types("\r");
        std::thread::sleep(Duration::from_millis(200));
        terminal.types("1000\r");
        terminal.shows(&["202"]);
        if address == line {
            assert_eq!(stalled.heard(), b"", "it took something");
            stalled.holds(Action::OOn);
            becomes(&stalled, ["RECEIVED      ¥1,000", "CHANGE          ¥202"]);
        }
    }
}

#[test]
fn a_customers_terminal_without_kanji_shows_the_sale_in_plain_signs() {
    let shop = shop("");
    let plain = |language| Terminal::drawing(Kanji::One, &shop, &["--lang", language, "display"]);
    let (ja, en) = (plain("ja"), plain("en"));
    let is_plain = |display: &Terminal, word: &str| {
        display.becomes(word, |screen| screen.contains(word) && screen.is_ascii());
    };
    is_plain(&ja, "Shoushou omachi kudasai");
    is_plain(&en, "One moment");
    let terminal = Terminal::open(&shop, &["--lang", "ja"]);
    is_plain(&ja, "Irasshaimase");
    is_plain(&ja, "Points x2 today");
    terminal.types("101\r");
    is_plain(&ja, "gyuunyuu");
    is_plain(&ja, "Goukei 1 ten");
    is_plain(&en, "gyuunyuu");
    assert!(!ja.contents().contains('?'), "{}", ja.contents());
    terminal.types("\r");
    std::thread::sleep(Duration::from_millis(200));
    terminal.types("1000\r");
    is_plain(&ja, "Arigatou gozaimashita");
    is_plain(&ja, "Otsuri");
    // One that does not say is believed to draw kanji.
    let mute = Terminal::drawing(Kanji::Unsaid, &shop, &["--lang", "ja", "display"]);
    mute.shows(&["ありがとうございました", "みどり商店"]);
    ja.send(b"\x11"); // Ctrl-Q.
    let mut ja = ja;
    assert_eq!(ja.ends(), 0);
    ja.is_clean();
}

#[test]
fn a_second_terminal_shows_the_customer_the_sale_through_a_restart() {
    let shop = shop("");
    let display = Terminal::open(&shop, &["--lang", "en", "display"]);
    display.shows(&["One moment"]);
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    display.shows(&["Welcome", "みどり商店", "Points x2 today"]);
    terminal.types("101\r");
    display.shows(&["牛乳 1L", "248", "Total 1 pcs"]);
    terminal.types("102\r");
    display.shows(&["Battery", "550"]);
    terminal.types("999999\r"); // Refused: the customer need not know.
    terminal.shows(&["not known"]);
    assert!(!display.contents().contains("not known"));
    terminal.types("\r");
    std::thread::sleep(Duration::from_millis(200));
    terminal.types("1000\r");
    terminal.shows(&["202"]);
    display.shows(&["Thank you", "Received", "Change"]);
    drop(terminal); // Killed.
    display.shows(&["One moment"]);
    let again = Terminal::open(&shop, &["--lang", "en"]);
    display.shows(&["Welcome"]);
    let second = Terminal::open(&shop, &["--lang", "ja", "display"]);
    second.shows(&["いらっしゃいませ"]);
    again.types("101\r");
    display.shows(&["牛乳 1L"]);
    second.shows(&["牛乳 1L", "合計 1点"]);
    display.resize(60, 20);
    display.shows(&["牛乳 1L"]);
    second.send(b"\x11"); // Ctrl-Q.
    let mut second = second;
    assert_eq!(second.ends(), 0);
    second.is_clean();
}
