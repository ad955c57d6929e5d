//! A second printer where the first cannot, and slips where things are made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use crate::drawer::receipt_printer;
use crate::escpos_decoder::decode;
use crate::peer::{Device, key, plug, printer, settings, takes_at_most};
use crate::pty::{PATIENCE, Terminal};
use crate::support::Shop;

const ITEMS: &str = "\
code,name,price,tax_class,department
101,Curry,780,reduced,1
102,Coffee,300,reduced,2
103,Bag,5,standard,3
";

fn sells(terminal: &Terminal, change: &str) {
    terminal.types("101\r");
    terminal.shows(&["Curry"]);
    terminal.types("\r");
    std::thread::sleep(Duration::from_millis(250));
    terminal.types("1000\r");
    terminal.shows(&[change]);
}

#[track_caller]
fn waits_for(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < PATIENCE, "it never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn papers_move_to_the_second_printer_and_come_back_each_once() {
    let shop = Shop::new("").with_items(ITEMS);
    let out = Arc::new(AtomicBool::new(false));
    let device = receipt_printer(Arc::default(), out.clone());
    printer(&shop, &format!("serial:{}", device.path().display()), "epson-tm-t88");
    settings(&shop, "[printer.fallback]\naddress = \"file:second\"\nprofile = \"generic-58\"");
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["Printer:ready"]);
    let second = |number: u32| shop.dir().join(format!("second/receipt-01-{number:06}.bin"));

    sells(&terminal, "220");
    device.hears(b"01-000001");
    // Its paper is out, and nobody knows before the next receipt.
    out.store(true, Ordering::Relaxed);
    sells(&terminal, "220");
    waits_for(|| second(2).exists());
    terminal.shows(&["Papers come from the second printer", "Printer:no paper"]);
    sells(&terminal, "220");
    waits_for(|| second(3).exists());
    // New paper: it says so by itself.
    out.store(false, Ordering::Relaxed);
    device.says(&[0x10, 0, 0, 0]);
    terminal.shows(&["first printer again", "Printer:ready"]);
    sells(&terminal, "220");
    let heard = device.hears(b"01-000004");
    for (number, times) in [("01-000001", 1), ("01-000002", 0), ("01-000003", 0)] {
        let found = heard.windows(9).filter(|part| *part == number.as_bytes()).count();
        assert!(if times == 0 { found == 0 } else { found >= 1 }, "{number}: {found}");
    }
    assert!(!second(1).exists() && !second(4).exists());
    decode(&std::fs::read(second(2)).unwrap()).expect("every byte is known");
    terminal.send(b"\x11"); // Ctrl-Q.
    let mut terminal = terminal;
    std::thread::sleep(Duration::from_millis(300));
    terminal.signal(rustix::process::Signal::TERM);
    terminal.ends();
    let journal = String::from_utf8(shop.regi(&["export", "journal"]).stdout).unwrap();
    assert_eq!(journal.matches("print_ended").count(), 4, "{journal}");
    assert!(!journal.contains("Lost"), "{journal}");
    shop.verify();
}

/// A printer that says how it is when it is asked, and never by itself.
fn asked_printer(state: Arc<AtomicU8>) -> Device {
    Device::new(move |heard| {
        let state = state.load(Ordering::Relaxed);
        let mut said = Vec::new();
        let asks = |part: &[u8]| part[..2] == [0x10, 4] || part[..2] == [0x1d, b'r'];
        while let Some(at) = heard.windows(3).position(asks) {
            said.push(match (heard[at], heard[at + 2], state) {
                (0x1d, ..) => 0, // Everything before it is printed.
                (_, 2, OUT) => 0x12 | 0x20,
                (_, 4, OUT) => 0x12 | 0x60,
                (_, 2, OPEN) => 0x12 | 0x04,
                (_, 1, OUT | OPEN) => 0x12 | 0x08,
                _ => 0x12,
            });
            heard.drain(..at + 3);
        }
        said
    })
}

const WELL: u8 = 0;
const OUT: u8 = 1;
const OPEN: u8 = 2;

#[test]
fn what_ails_a_star_between_two_sales_is_in_words_within_half_a_second() {
    let shop = Shop::new("").with_items(ITEMS);
    let (socket, state) = (shop.dir().join("ttyStar"), Arc::new(AtomicU8::new(WELL)));
    let mut device = Some(asked_printer(state.clone()));
    plug(&device.as_ref().unwrap().path(), &socket);
    printer(&shop, &format!("serial:{}", socket.display()), "star-mc");
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["Printer:ready"]);
    sells(&terminal, "220"); // A receipt passes between the askings.
    let star = device.as_ref().unwrap();
    star.hears(b"01-000001");
    terminal.shows(&["Printer:ready"]);

    // Nothing new: it is asked, and the screen is left in peace, once the receipt has ended.
    let is_quiet = || {
        let before = *terminal.written.lock().unwrap();
        star.takes();
        waits_for(|| star.heard().windows(3).filter(|part| *part == [0x10, 4, 4]).count() >= 4);
        *terminal.written.lock().unwrap() == before
    };
    waits_for(is_quiet);

    for (ails, word) in [(OUT, "Printer:no paper"), (OPEN, "Printer:cover open")] {
        takes_at_most(Duration::from_millis(500), || {
            star.takes();
            star.hears(&[0x10, 4, 4]); // It has just been asked, and was well.
            std::thread::sleep(Duration::from_millis(20));
            let begun = Instant::now();
            state.store(ails, Ordering::Relaxed);
            terminal.shows(&[word]);
            let took = begun.elapsed();
            state.store(WELL, Ordering::Relaxed);
            terminal.shows(&["Printer:ready"]);
            took
        });
    }
    takes_at_most(Duration::from_millis(500), || {
        let begun = Instant::now();
        device = None; // The cable is pulled.
        std::fs::remove_file(&socket).unwrap();
        terminal.shows(&["Printer:lost"]);
        let took = begun.elapsed();
        let again = asked_printer(state.clone());
        plug(&again.path(), &socket);
        device = Some(again);
        terminal.shows(&["Printer:ready"]);
        took
    });
    sells(&terminal, "220");
    device.as_ref().unwrap().hears(b"01-000002");
}

#[test]
fn a_second_and_a_kitchen_printer_say_what_ails_them_before_they_are_needed() {
    let shop = Shop::new("").with_items(ITEMS);
    let (second, kitchen) = (Arc::new(AtomicU8::new(WELL)), Arc::new(AtomicU8::new(WELL)));
    let devices = [asked_printer(second.clone()), asked_printer(kitchen.clone())];
    let [a, b] = [0, 1].map(|at| format!("serial:{}", devices[at].path().display()));
    settings(
        &shop,
        &format!(
            "[printer.fallback]\naddress = \"{a}\"\nprofile = \"star-mc\"\n\
             [[kitchen]]\nname = \"Bar\"\naddress = \"{b}\"\nprofile = \"star-mc\"\ndepartments = [2]"
        ),
    );
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["Printer:ready"]);
    devices.iter().for_each(|device| drop(device.hears(&[0x10, 4, 4])));
    second.store(OUT, Ordering::Relaxed);
    terminal.shows(&["The second printer is no paper"]);
    kitchen.store(OPEN, Ordering::Relaxed);
    terminal.shows(&["Bar: the printer is cover open. Look"]);
    // A slip for it waits, which is said again.
    terminal.types("102\r");
    terminal.shows(&["Coffee"]);
    terminal.types("\r");
    std::thread::sleep(Duration::from_millis(250));
    terminal.types("1000\r");
    terminal.shows(&["Bar: the printer is cover open. Slips wait"]);
    kitchen.store(WELL, Ordering::Relaxed);
    devices[1].hears(b"01-000001");
}

#[test]
fn each_place_gets_the_slip_of_its_departments_when_the_sale_closes() {
    let shop = Shop::new("").with_items(ITEMS);
    settings(
        &shop,
        "[[kitchen]]\nname = \"Kitchen\"\naddress = \"file:kitchen\"\ndepartments = [1]\n\
         [[kitchen]]\nname = \"Bar\"\naddress = \"file:bar\"\nprofile = \"generic-58\"\ndepartments = [2]",
    );
    shop.sell("times 2\nscan 101\nscan 102\nscan 103\neat_in\nnote \"no onions\"\ntender_cash\n");
    let slip = |name: &str| {
        let bytes = std::fs::read(shop.dir().join(name)).expect(name);
        decode(&bytes).expect("every byte is known").text()
    };
    let kitchen = slip("kitchen/kitchen-Kitchen-01-000001.bin");
    for part in ["Kitchen", "001", "01-000001", "Curry", "x 2", "no onions"] {
        assert!(kitchen.contains(part), "{part}: {kitchen}");
    }
    assert!(!kitchen.contains("Coffee") && !kitchen.contains("780"), "{kitchen}");
    let bar = slip("bar/kitchen-Bar-01-000001.bin");
    assert!(bar.contains("Coffee") && !bar.contains("Curry"), "{bar}");
    // Nothing to make, nothing sold yet, goods that come back: no slip.
    shop.sell("scan 103\ntender_cash\n");
    shop.sell("return 01-000001 2\ntender_cash\n");
    let slips = |folder: &str| std::fs::read_dir(shop.dir().join(folder)).unwrap().count();
    assert_eq!((slips("kitchen"), slips("bar")), (1, 1));
}

#[test]
fn a_slip_that_waits_when_the_register_dies_is_printed_once_by_the_next() {
    let shop = Shop::new("").with_items(ITEMS);
    let socket = shop.dir().join("ttyKitchen");
    let address = format!("serial:{}", socket.display());
    settings(&shop, &format!("[[kitchen]]\nname = \"Kitchen\"\naddress = \"{address}\""));
    let mut terminal = Terminal::open(&shop, &["--lang", "en"]);
    sells(&terminal, "220");
    terminal.shows(&["Kitchen: the printer is lost"]);
    terminal.signal(rustix::process::Signal::KILL);
    terminal.ends();
    let kitchen = Device::new(|_| Vec::new());
    plug(&kitchen.path(), &socket);
    for _ in 0..2 {
        let mut terminal = Terminal::open(&shop, &["--lang", "en"]);
        terminal.shows(&["Printer:ready"]);
        kitchen.hears(b"01-000001");
        terminal.signal(rustix::process::Signal::TERM);
        terminal.ends();
    }
    let times =
        |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).filter(|at| *at == part).count();
    assert_eq!(times(&kitchen.heard(), b"01-000001"), 1);
    assert_eq!(times(&kitchen.heard(), b"PERHAPS"), 0);
    shop.verify();
}

#[test]
fn a_slip_that_may_be_out_when_the_register_dies_comes_again_marked() {
    let shop = Shop::new("").with_items(ITEMS);
    // It takes every byte, and never says that it printed.
    let kitchen = Device::new(|heard| {
        let asked = heard.windows(2).filter(|part| *part == [0x10, 4]).count();
        heard.clear();
        vec![0x12; asked]
    });
    let address = format!("serial:{}", kitchen.path().display());
    settings(
        &shop,
        &format!(
            "[[kitchen]]\nname = \"Kitchen\"\naddress = \"{address}\"\nprofile = \"epson-tm-t88\""
        ),
    );
    let mut terminal = Terminal::open(&shop, &["--lang", "en"]);
    sells(&terminal, "220");
    kitchen.hears(b"01-000001");
    terminal.signal(rustix::process::Signal::KILL);
    terminal.ends();
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["Kitchen: the slip of 01-000001 is printed again"]);
    kitchen.hears(b"PERHAPS A SECOND SLIP");
}

#[test]
fn a_kitchen_without_its_printer_is_said_and_holds_up_no_sale() {
    let shop = Shop::new("").with_items(ITEMS);
    settings(&shop, "[[kitchen]]\nname = \"Kitchen\"\naddress = \"dev:/dev/no-such-printer\"");
    key(&shop, "language", "\"en\"");
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    sells(&terminal, "220");
    terminal.shows(&["Kitchen: the printer is lost"]);
    sells(&terminal, "220");
    let checked = shop.regi(&["config", "check"]);
    assert_eq!(checked.status.code(), Some(0));
}

#[test]
fn a_test_page_shows_ruler_traps_and_codes_and_says_what_must_be_set() {
    for (profile, ruler, own_mode) in
        [("star-mc", 48, true), ("star-mc2", 32, true), ("epson-58", 35, false)]
    {
        let shop = Shop::new("");
        printer(&shop, "file:", profile);
        key(&shop, "language", "\"ja\"");
        let ja = shop.told(&["--lang", "ja", "devices", "--test-print"]);
        let en = shop.told(&["--lang", "en", "config", "check"]);
        assert_eq!(ja.contains("ESC/POS に設定してください"), own_mode, "{profile}: {ja}");
        assert_eq!(en.contains("Set it to ESC/POS"), own_mode, "{profile}: {en}");
        let page =
            decode(&std::fs::read(shop.dir().join("print/test.bin")).expect("it is printed"));
        let page = page.expect("every byte is known");
        let text = page.text().replace('\n', "");
        let digits: String = (1..=ruler).map(|column| (column % 10).to_string()).collect();
        let told = ["髙", "表ソ能予申十", "ｱｲｳｴｵ", "columns", "kanji", "barcode", "cut", &digits];
        for part in told {
            assert!(text.contains(part), "{profile}, {part}: {text}");
        }
        assert_eq!(text.contains("ESC/POS に設定されています"), own_mode, "{profile}: {text}");
        assert_eq!((page.qr_codes.as_slice(), page.cuts.len()), (&["regi".to_owned()][..], 1));
        for code in ["01-000123", "4901234567894"] {
            assert!(page.barcodes.contains(&code.to_owned()), "{code}: {:?}", page.barcodes);
        }
        // The JAN is drawn as such, as labels have it, and not as Code 128.
        let bytes = std::fs::read(shop.dir().join("print/test.bin")).expect("it is printed");
        let jan = [&[0x1d, b'k', 67, 13], &b"4901234567894"[..]].concat();
        assert!(bytes.windows(jan.len()).any(|part| part == jan), "{profile}");
    }
}
