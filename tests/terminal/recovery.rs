//! Shops that do not open: the screen that says so, and what each remedy comes to.

use std::fs;
use std::path::PathBuf;

use super::*;

const TITLE: &str = "The shop's data does not open";
const DAY: &str = "2026-11-22T10:00:00+09:00";
const LATER: &str = "2026-11-22T15:00:00+09:00";

/// A shop of two sales, a Z with its backup between them, and a second copy where it is wanted.
fn shop(copy: bool) -> Shop {
    let shop = Shop::new("").with_items(ITEMS);
    if copy {
        let copy = shop.dir().with_file_name("copy");
        let path = shop.dir().join("shop.toml");
        let text = fs::read_to_string(&path).unwrap();
        let folder = format!("folder = \"{}\"", copy.display());
        fs::write(path, text.replace("folder = \"\"", &folder)).unwrap();
    }
    shop.sell_at(DAY, "scan 101\ntender_cash 1000\nz_report\n");
    shop.sell_at(LATER, "scan 102\ntender_cash 1000\n");
    shop
}

fn segment(shop: &Shop) -> PathBuf {
    shop.segments().pop().expect("a segment")
}

/// Flips a bit in the last record, so that the journal's end is not what was written.
fn damage_the_end(shop: &Shop) {
    let path = segment(shop);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 60;
    bytes[at] ^= 4;
    fs::write(path, bytes).unwrap();
}

fn open_at(shop: &Shop, language: &str) -> Terminal {
    Terminal::open(shop, &["--at", LATER, "--lang", language])
}

/// Chooses a remedy by its number and says yes.
fn choose(terminal: &Terminal, number: &str) {
    terminal.types(number);
    terminal.types("\r");
    terminal.shows(&["Enter once more"]);
    terminal.types("\r");
}

fn quits(mut terminal: Terminal) {
    terminal.send(b"\x1b[21~"); // F10
    assert_eq!(terminal.ends(), 3);
}

#[test]
fn a_damaged_journal_comes_back_from_its_second_copy() {
    let shop = shop(true);
    let whole = fs::read(segment(&shop)).unwrap();
    damage_the_end(&shop);
    let mut terminal = open_at(&shop, "en");
    terminal.shows(&[
        TITLE,
        "1  Bring the journal back from the second copy",
        "Look at what is wrong",
    ]);
    choose(&terminal, "1");
    terminal.shows(&["TOTAL"]);
    terminal.types("101\r");
    terminal.shows(&["248"]);
    terminal.signal(Signal::TERM);
    terminal.ends();
    assert!(fs::read(segment(&shop)).unwrap().starts_with(&whole));
    assert_eq!(shop.export("sales").len(), 2);
    assert!(shop.dir().join("damaged-1/journal").is_dir(), "nothing was thrown away");
}

/// The stick was out when the disk lost what it had said it wrote.
#[test]
fn what_is_in_no_copy_is_named_and_the_numbers_go_on_in_a_new_series() {
    let shop = shop(true);
    let (settings, told) = (shop.dir().join("shop.toml"), fs::read(segment(&shop)).unwrap());
    let with_stick = fs::read_to_string(&settings).unwrap();
    let copy = shop.dir().with_file_name("copy");
    let without = with_stick.replace(&format!("\"{}\"", copy.display()), "\"\"");
    assert_ne!(without, with_stick);
    fs::write(&settings, without).unwrap();
    shop.sell_at(LATER, "scan 101\ntender_cash 1000\n");
    fs::write(&settings, with_stick).unwrap();
    fs::write(segment(&shop), told).unwrap();
    let refused = shop.regi(&["rebuild"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(
        crate::support::text(&refused.stderr)
            .contains("are known of, but the journal does not hold them")
    );

    let mut terminal = open_at(&shop, "en");
    terminal.shows(&[TITLE, "1  Bring the journal back from the second copy"]);
    choose(&terminal, "1");
    terminal.shows(&["TOTAL", "are known of and in no copy"]);
    terminal.types("101\r");
    terminal.shows(&["248"]);
    terminal.types("\r");
    terminal.types("1000\r");
    terminal.shows(&["01b-000001"]);
    terminal.signal(Signal::TERM);
    terminal.ends();
    assert_eq!(shop.export("sales").len(), 3, "two of before, one since");
    shop.verify();
}

#[test]
fn without_a_copy_the_shop_goes_on_in_a_new_series_or_back_to_its_backup() {
    for (number, sales, next) in [("1", 2, "01b-000001"), ("2", 1, "01b-000001")] {
        let shop = shop(false);
        damage_the_end(&shop);
        let mut terminal = open_at(&shop, "en");
        terminal.shows(&[
            TITLE,
            "1  Go on from what can be read",
            "2  Go back to the backup 01-Z0001",
        ]);
        choose(&terminal, number);
        terminal.shows(&["TOTAL"]);
        terminal.signal(Signal::TERM);
        terminal.ends();
        assert_eq!(shop.export("sales").len(), sales, "{number}");
        let sold = shop.sell_at(LATER, "scan 101\ntender_cash\n");
        assert_eq!(sold["receipt"], next);
        shop.verify();
    }
}

#[test]
fn keys_that_cannot_be_read_come_back_from_the_backup() {
    for bytes in [&b""[..], b"redb\x1a\x0a\xa9\x0d\x0a", &[0x5a; 8192]] {
        let shop = shop(false);
        fs::write(shop.dir().join("keys.redb"), bytes).unwrap();
        let mut terminal = open_at(&shop, "en");
        terminal.shows(&[TITLE, "keys.redb", "1  Bring PINs and members' keys back"]);
        choose(&terminal, "1");
        terminal.shows(&["TOTAL"]);
        terminal.signal(Signal::TERM);
        terminal.ends();
        shop.verify();
    }
}

#[test]
fn a_damaged_store_costs_a_moment_and_no_screen() {
    for bytes in [&b""[..], b"redb\x1a\x0a\xa9\x0d\x0a", &[0x5a; 8192]] {
        let shop = shop(false);
        fs::write(shop.dir().join("store.redb"), bytes).unwrap();
        let mut terminal = open_at(&shop, "en");
        terminal.shows(&["TOTAL"]);
        terminal.signal(Signal::TERM);
        terminal.ends();
        assert_eq!(shop.export("sales").len(), 2);
        shop.verify();
    }
}

#[test]
fn yesterdays_journal_and_one_that_cannot_be_read_are_said_and_left_as_they_are() {
    let shop = shop(false);
    let path = segment(&shop);
    let today = fs::read(&path).unwrap();
    let z = shop.dir().join("backup/01-Z0001.regi");
    assert!(z.is_file());
    fs::write(&path, &today[..today.len() - 900]).unwrap(); // Before the last sale, somewhere.
    let terminal = open_at(&shop, "ja");
    terminal.shows(&["お店のデータを開けません", "どこが壊れているかを見る"]);
    quits(terminal);
    fs::write(&path, b"").unwrap();
    let terminal = open_at(&shop, "en");
    terminal.shows(&[TITLE, "Go back to the backup 01-Z0001"]);
    quits(terminal);
    let journal = shop.dir().join("journal");
    fs::rename(&journal, shop.dir().join("elsewhere")).unwrap();
    fs::write(&journal, b"a file where the folder was").unwrap();
    let terminal = open_at(&shop, "en");
    terminal.shows(&[TITLE, "the folder of the journal is not there"]);
    quits(terminal);
}

/// Whoever chose keys or colours that are not there is told why the screen has others.
#[test]
fn keys_that_nobody_knows_are_said_where_others_stand_in_for_them() {
    let shop = shop(false);
    fs::rename(shop.dir().join("journal"), shop.dir().join("elsewhere")).unwrap();
    let path = shop.dir().join("shop.toml");
    let settings = fs::read_to_string(&path).unwrap();
    for (usual, own, en, ja) in [
        (
            "keymap = \"tenkey\"",
            "keymap = \"dvorak\"",
            "no keymap \"dvorak\"",
            "keymap の「dvorak」",
        ),
        ("theme = \"dark\"", "theme = \"mud\"", "no theme \"mud\"", "theme の「mud」"),
    ] {
        let other = settings.replace(usual, own);
        assert_ne!(other, settings);
        fs::write(&path, other).unwrap();
        for (language, told) in [("en", en), ("ja", ja)] {
            let terminal = open_at(&shop, language);
            terminal.shows(&[told]);
            quits(terminal);
        }
    }
}

#[test]
fn what_is_wrong_can_be_looked_at_and_changes_nothing() {
    let shop = shop(false);
    damage_the_end(&shop);
    let before = fs::read(segment(&shop)).unwrap();
    let terminal = open_at(&shop, "en");
    terminal.shows(&[TITLE, "3  Look at what is wrong"]);
    terminal.types("3\r");
    terminal.shows(&[
        "Look at what is wrong",
        "is not as it was written",
        "Check with regi verify, then regi rebuild or regi",
        " restore.",
    ]);
    terminal.send(b"\x1b");
    terminal.shows(&["1  Go on"]);
    quits(terminal);
    assert_eq!(fs::read(segment(&shop)).unwrap(), before);
    assert!(!shop.dir().join("damaged-1").exists());
    let script = shop.play_at(LATER, "scan 101\ntender_cash\n");
    assert_ne!(script.exit, 0, "a script is refused in words: {}", script.stdout);
}
