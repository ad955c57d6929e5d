//! The real register in a pseudo-terminal of 80 by 24, worked by keys and read as a cashier reads it.
//!
//! Room: tests. May touch: the binary, a pseudo-terminal, a shop in a temporary folder.

#[path = "contract/support.rs"]
#[allow(dead_code)] // The contract's own tests use the rest of it.
mod support;

#[path = "terminal/recovery.rs"]
mod recovery;

#[path = "terminal/panics.rs"]
mod panics;

#[path = "pty/mod.rs"]
#[allow(dead_code)] // Other tests use the rest of it.
mod pty;

use std::time::{Duration, Instant};

use pty::{HAND, Kanji, Terminal};
use rustix::process::Signal;
use support::Shop;

const ITEMS: &str = "\
code,name,kana,price,tax_class,flags
101,牛乳 1L,ギュウニュウ,248,reduced,
102,Battery AA,,550,standard,
4901234567894,おにぎり,オニギリ,150,reduced,
";

fn shop() -> Shop {
    Shop::new("").with_items(ITEMS)
}

#[test]
fn a_sale_is_rung_tendered_and_read_in_either_language() {
    // The total itself stands in large digits, which are drawn and not written.
    for (language, words) in [
        ("ja", ["みどり商店", "合計", "釣", "2点"]),
        ("en", ["みどり商店", "TOTAL", "Change", "2 pcs"]),
    ] {
        let shop = shop();
        let mut terminal = Terminal::open(&shop, &["--lang", language]);
        terminal.shows(&words[..1]);
        terminal.types("101\r");
        terminal.shows(&["牛乳 1L", "248", words[1]]);
        terminal.types("102\r");
        terminal.shows(&["Battery AA", "550", words[3]]);
        terminal.types("\r");
        std::thread::sleep(HAND);
        terminal.types("1000\r");
        terminal.shows(&["1,000", "202", words[2]]);
        // The three numbers said aloud stay until the next customer.
        std::thread::sleep(Duration::from_millis(300));
        terminal.shows(&["798", "1,000", "202"]);
        assert!(terminal.is_running());
        terminal.signal(Signal::TERM);
        terminal.ends();
        let sales = shop.export("sales");
        assert_eq!(sales.len(), 1, "{language}");
        assert_eq!((sales[0]["total"].as_str(), sales[0]["cash"].as_str()), ("798", "798"));
        assert!(shop.dir().join("print/receipt-01-000001.bin").exists(), "its paper");
        shop.verify();
    }
}

#[test]
fn a_scan_in_one_breath_with_the_cash_key_hides_no_change_and_both_sales_have_their_papers() {
    let shop = shop();
    let mut terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["みどり商店"]);
    terminal.types("102\r");
    terminal.shows(&["Battery AA"]);
    terminal.types("\r");
    std::thread::sleep(HAND);
    terminal.types("1000");
    std::thread::sleep(HAND);
    terminal.send(b"\r4901234567894\r");
    terminal.shows(&["おにぎり", "01-000001", "Change  450"]);
    std::thread::sleep(HAND);
    terminal.types("\r");
    terminal.becomes("the tender's own numbers alone", |screen| !screen.contains("01-000001"));
    std::thread::sleep(HAND);
    terminal.types("200\r");
    terminal.shows(&["01-000002", "Change  50"]);
    terminal.signal(Signal::TERM);
    terminal.ends();
    for receipt in ["receipt-01-000001.bin", "receipt-01-000002.bin"] {
        assert!(shop.dir().join("print").join(receipt).exists(), "{receipt}");
    }
    shop.verify();
}

#[test]
fn the_sample_shop_opens_with_one_word() {
    let items = Shop::demo().export("items");
    let plain = |row: &&std::collections::BTreeMap<String, String>| {
        row["flags"].is_empty() && row["unit"] == "each" && row["code"].len() < 7
    };
    let item = items.iter().find(plain).or_else(|| {
        items.iter().find(|row| row["flags"].is_empty() && row["code"].starts_with('4'))
    });
    let item = item.expect("something to sell");
    let nowhere = Shop::nowhere();
    let mut terminal = Terminal::open(&nowhere, &["--lang", "en", "demo"]);
    terminal.becomes("a first screen", |contents| contents.trim().len() > 40);
    terminal.types("1\r");
    std::thread::sleep(Duration::from_millis(200));
    terminal.types("111111\r");
    std::thread::sleep(Duration::from_millis(500));
    terminal.types(&format!("{}\r", item["code"]));
    terminal.shows(&["1 pc"]);
    terminal.types("\r");
    std::thread::sleep(HAND);
    terminal.types("\r");
    terminal.shows(&["Received", "Change"]);
    assert!(terminal.is_running());
    terminal.signal(Signal::TERM);
    terminal.ends();
    terminal.is_clean();
    assert!(!nowhere.dir().exists(), "the demo leaves nothing behind");
}

#[test]
fn a_resize_moves_no_line_out_of_sight() {
    let shop = shop();
    let mut terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["みどり商店"]);
    terminal.types("101\r");
    terminal.shows(&["牛乳 1L", "248"]);
    for (cols, rows) in [(100, 30), (80, 24), (132, 50), (60, 15), (80, 24)] {
        terminal.resize(cols, rows);
        std::thread::sleep(Duration::from_millis(200));
        assert!(terminal.is_running(), "{cols}x{rows}");
    }
    terminal.shows(&["みどり商店", "牛乳 1L", "248"]);
}

/// A cashier who starts to type before the screen is up has typed; a scanner may end its codes with a line feed.
#[test]
fn what_is_typed_before_the_screen_is_up_counts() {
    let shop = shop();
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.types("101\r");
    terminal.shows(&["牛乳 1L", "248"]);
    terminal.types("101\n");
    terminal.shows(&["496"]);
}

#[test]
fn a_terminal_that_grows_while_the_register_starts_is_filled() {
    let shop = shop();
    let terminal = Terminal::drawing(Kanji::Unsaid, &shop, &["--lang", "en"]);
    let is_entered = || terminal.screen.lock().unwrap().screen().alternate_screen();
    terminal.becomes("a screen of its own", |_| is_entered());
    std::thread::sleep(Duration::from_millis(60)); // Its size is read, its keys are not yet.
    terminal.resize(100, 30);
    terminal.becomes("as wide as it is", |screen| {
        screen.lines().next().is_some_and(|first| first.chars().count() > 85)
    });
}

#[test]
fn after_a_kill_the_sale_is_back_and_the_last_line_wants_a_look() {
    let shop = shop();
    let mut terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["みどり商店"]);
    terminal.types("101\r");
    terminal.shows(&["牛乳 1L", "248"]);
    terminal.signal(Signal::KILL);
    terminal.ends();
    let again = Terminal::open(&shop, &["--lang", "en"]);
    again.shows(&["牛乳 1L", "248", "not paid yet", "Check the last line"]);
    again.types("101\r");
    again.becomes("no notice any more", |screen| !screen.contains("Check the last line"));
}

/// The power failed between the sale and its receipt: the customer still waits for the change.
#[test]
fn after_a_kill_behind_a_sale_its_change_is_shown_again() {
    let shop = shop();
    let mut terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["みどり商店"]);
    terminal.types("101\r");
    terminal.shows(&["牛乳 1L", "248"]);
    terminal.types("\r500\r");
    terminal.shows(&["Change", "252"]);
    terminal.signal(Signal::KILL);
    terminal.ends();
    let again = Terminal::open(&shop, &["--lang", "en"]);
    again.shows(&["01-000001", "248", "500", "252", "is paid and stands"]);
    again.types("101\r");
    again.shows(&["TOTAL", "1 pcs", "Change  252 yen"]);
    again.becomes("no notice any more", |screen| !screen.contains("is paid and stands"));
}

#[test]
fn signals_leave_a_clean_terminal_and_a_safe_sale() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let shop = shop();
        let mut terminal = Terminal::open(&shop, &["--lang", "en"]);
        terminal.shows(&["みどり商店"]);
        terminal.types("101\r");
        terminal.shows(&["牛乳 1L", "248"]);
        terminal.signal(signal);
        terminal.ends();
        terminal.is_clean();

        let again = Terminal::open(&shop, &["--lang", "en"]);
        again.shows(&["牛乳 1L", "248"]);
        drop(again); // Killed: the sale is safe once more.
        let answer = shop.sell("subtotal");
        assert_eq!(answer["sale"]["total"], 248, "{signal:?}");
        shop.verify();
    }
}

#[test]
fn keys_that_end_other_programs_do_nothing_here() {
    let shop = shop();
    let mut terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["みどり商店"]);
    terminal.types("101\r");
    terminal.shows(&["牛乳 1L"]);
    for key in [0x1A, 0x1C, 0x13, 0x03, 0x04, 0x11] {
        terminal.send(&[key]);
        std::thread::sleep(HAND);
        assert!(terminal.is_running(), "{key:#x}");
    }
    terminal.types("\u{1b}");
    std::thread::sleep(Duration::from_millis(200));
    terminal.types("102\r");
    terminal.shows(&["牛乳 1L", "Battery AA", "550", "2 pcs"]);
}

#[test]
fn a_flood_of_pasted_digits_is_refused() {
    let shop = shop();
    let mut terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["みどり商店"]);
    terminal.types("101\r");
    terminal.shows(&["牛乳 1L"]);
    let mut flood = b"\x1b[200~".to_vec();
    flood.extend(vec![b'9'; 1 << 20]);
    flood.extend(b"\x1b[201~");
    terminal.send(&flood);
    std::thread::sleep(Duration::from_millis(500));
    assert!(terminal.is_running());
    terminal.types("102\r");
    terminal.shows(&["牛乳 1L", "Battery AA", "550", "2 pcs"]);
}

#[test]
fn of_keys_that_come_by_the_thousand_none_waits_for_another() {
    let shop = shop();
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["みどり商店"]);
    let mut keys = b"\x1b[A\x1b[B".repeat(500);
    keys.extend(b"\x1bOQ"); // The finder.
    terminal.send(&keys);
    terminal.becomes("the finder of items", |screen| screen.contains("Find an item"));
    std::thread::sleep(Duration::from_millis(300));
    let before = ticks(&terminal);
    std::thread::sleep(Duration::from_secs(1));
    let spent = ticks(&terminal) - before;
    assert!(spent < 30, "{spent} hundredths of a second of work with nothing to do");
}

/// What the register has worked so far, in hundredths of a second.
fn ticks(terminal: &Terminal) -> u64 {
    let pid = terminal.child.process_id().expect("a process");
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("its figures");
    let (_, behind_name) = stat.rsplit_once(')').expect("its name");
    let figures = behind_name.split_whitespace().skip(11).take(2);
    figures.map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

#[test]
fn half_a_key_keeps_nobody_waiting() {
    let shop = shop();
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["みどり商店"]);
    terminal.types("101\r");
    terminal.shows(&["牛乳 1L"]);
    terminal.send(b"\x1b["); // As Alt and a bracket send it: the beginning of an arrow.
    std::thread::sleep(HAND);
    let rows = shop.export("items"); // The register answers.
    assert_eq!(rows.len(), 3);
    terminal.send(b"A");
    terminal.types("102\r");
    terminal.shows(&["Battery AA", "2 pcs"]);
}

#[test]
fn a_fast_burst_of_digits_is_a_scan_on_any_screen() {
    let shop = shop();
    let terminal = Terminal::open(&shop, &["--lang", "ja"]);
    terminal.shows(&["みどり商店"]);
    terminal.send(b"4901234567894\r");
    terminal.shows(&["おにぎり", "150"]);
    terminal.types("\r");
    std::thread::sleep(Duration::from_millis(200));
    terminal.send(b"4901234567894\r");
    terminal.shows(&["おにぎり", "300"]);
}

#[test]
fn what_a_code_is_stands_in_words_on_the_screen() {
    for (language, words) in
        [("ja", ["種類", "会員", "価格", "150"]), ("en", ["Kind", "member card", "Price", "150"])]
    {
        let shop = shop();
        let terminal = Terminal::open(&shop, &["--lang", language]);
        terminal.shows(&["みどり商店"]);
        commands(&terminal, "inquire 2900000000018");
        terminal.shows(&words[..2]);
        commands(&terminal, "inquire 4901234567894");
        terminal.shows(&["おにぎり", words[0], words[2], words[3]]);
        terminal.becomes("words", |screen| !screen.contains("explain."));
    }
}

#[test]
fn a_return_without_a_receipt_is_told_as_long_as_it_lasts() {
    let shop = shop();
    let terminal = Terminal::open(&shop, &["--lang", "ja"]);
    terminal.shows(&["みどり商店"]);
    commands(&terminal, "return_open");
    terminal.shows(&["[レシートなし返品中]", "返品する商品をスキャン"]);
    terminal.send(b"4901234567894\r");
    terminal.shows(&["[レシートなし返品中]", "おにぎり", "-150"]);
    commands(&terminal, "tender_cash");
    terminal.becomes("the next sale", |screen| !screen.contains("返品中"));
}

#[test]
fn a_voided_receipt_is_to_be_paid_back_whether_or_not_a_question_came_first() {
    for (formal, asked) in [("", ""), ("formal_receipt 山吹", "01-F000001")] {
        let shop = shop();
        let terminal = Terminal::open(&shop, &["--lang", "ja"]);
        terminal.shows(&["みどり商店"]);
        terminal.send(b"4901234567894\r");
        terminal.shows(&["おにぎり"]);
        commands(&terminal, "tender_cash");
        terminal.shows(&["01-000001"]);
        if !formal.is_empty() {
            commands(&terminal, formal);
            terminal.shows(&["領収書を発行しました"]);
        }
        commands(&terminal, "void_receipt 01-000001 打ち間違い");
        if !formal.is_empty() {
            terminal.shows(&["回収しましたか", asked]);
            terminal.types("\r");
        }
        terminal.shows(&["返金と紙の回収をしてください"]);
    }
}

/// Gives a command on its line.
fn commands(terminal: &Terminal, line: &str) {
    terminal.send(b"\x1b[24~");
    std::thread::sleep(HAND);
    terminal.types(&format!("{line}\r"));
}

#[test]
fn a_sale_is_made_by_touching_the_key_line() {
    for (language, [times, pay, cash, count, change]) in [
        ("ja", ["数量", "預り", "現金", "3点", "釣"]),
        ("en", ["Qty", "Pay", "Cash", "3 pcs", "Change"]),
    ] {
        let shop = shop();
        let mut terminal = Terminal::open(&shop, &["--lang", language]);
        terminal.shows(&["みどり商店", pay]);
        terminal.touches("みどり商店"); // No key: nothing happens.
        terminal.send(b"4901234567894\r");
        terminal.shows(&["おにぎり"]);
        terminal.types("3");
        terminal.touches(times);
        terminal.shows(&["450", count]);
        terminal.touches(pay);
        terminal.shows(&[cash]);
        terminal.touches(cash);
        terminal.shows(&[change, pay]);
        terminal.signal(Signal::TERM);
        terminal.ends();
        let sales = shop.export("sales");
        assert_eq!((sales.len(), sales[0]["cash"].as_str()), (1, "450"), "{language}");
    }
}

#[test]
fn a_terminal_that_draws_no_kanji_sells_in_romaji() {
    let shop = shop();
    let mut terminal = Terminal::drawing(Kanji::One, &shop, &["--lang", "ja"]);
    terminal.becomes("ASCII", |screen| screen.contains("plain signs") && screen.is_ascii());
    terminal.types("101\r");
    terminal.becomes("romaji", |screen| screen.contains("gyuunyuu") && screen.is_ascii());
    terminal.types("\r");
    std::thread::sleep(HAND);
    terminal.types("1000\r");
    terminal.becomes("the change", |screen| screen.contains("752") && screen.is_ascii());
    terminal.signal(Signal::TERM);
    terminal.ends();
    assert_eq!(shop.export("sales")[0]["total"], "248");
}

#[test]
fn keys_behind_a_late_answer_of_the_terminal_wait_for_no_other_key() {
    let shop = shop();
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["Printer:ready"]);
    std::thread::sleep(Duration::from_millis(500)); // Its own question is answered.
    terminal.send(b"\x1b[1;3R4901234567894\r");
    terminal.shows(&["おにぎり", "150"]);
}

#[test]
fn a_second_register_is_refused_at_once_with_the_reason() {
    let shop = shop();
    let mut first = Terminal::open(&shop, &["--lang", "en"]);
    first.shows(&["みどり商店"]);
    first.types("101\r");
    first.shows(&["牛乳 1L", "248"]);

    let begun = Instant::now();
    let mut second = Terminal::open(&shop, &["--lang", "en"]);
    assert_eq!(second.ends(), 4);
    assert!(begun.elapsed() < Duration::from_secs(5), "at once");
    let said = second.contents();
    assert!(said.split_whitespace().count() > 3, "with the reason: {said:?}");
    second.is_clean();

    // Looking is served through the register; selling is done at the counter.
    let looked = shop.play("find_item 牛乳");
    assert_eq!(looked.exit, 0, "{}{}", looked.stdout, looked.stderr);
    assert_eq!(looked.last()["items"][0]["price"], 248);
    let sold = shop.play("department 1 100");
    assert_eq!(sold.exit, 4, "{}{}", sold.stdout, sold.stderr);
    let exports = || ["items", "shop", "journal", "sales"].map(|what| shop.told(&["export", what]));
    let through_it = exports();
    assert!(first.is_running());
    first.shows(&["牛乳 1L", "248"]);
    first.signal(Signal::TERM);
    first.ends();
    assert_eq!(exports(), through_it, "the same answers");
}

#[test]
fn idle_writes_nothing_and_wakes_for_nothing_but_the_clock() {
    let shop = shop();
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["みどり商店"]);
    let sign = |terminal: &Terminal| (*terminal.written.lock().unwrap(), wakes(terminal));
    std::thread::sleep(Duration::from_millis(2_500)); // What a start leaves to do.
    // The minute may turn in one of two windows.
    let quietest = [(); 2].map(|()| {
        let (bytes, wakes) = sign(&terminal);
        std::thread::sleep(Duration::from_millis(1_500));
        let (bytes_after, wakes_after) = sign(&terminal);
        (bytes_after - bytes, wakes_after - wakes)
    });
    assert!(quietest.contains(&(0, 0)), "bytes and wakes while nobody touched it: {quietest:?}");
}

/// How often a thread of the register has gone back to sleep so far.
fn wakes(terminal: &Terminal) -> u64 {
    let pid = terminal.child.process_id().expect("a process");
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads");
    let statuses = threads.map(|thread| {
        std::fs::read_to_string(thread.expect("a thread").path().join("status")).unwrap_or_default()
    });
    let slept = statuses.map(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.map_or(0, |count| count.trim().parse::<u64>().expect("a number"))
    });
    slept.sum()
}

/// Keys in kana would turn a scan into nonsense; a name is written in kanji.
#[test]
fn the_terminals_input_method_is_on_only_where_words_are_typed() {
    let shop = shop();
    let mut terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.shows(&["みどり商店"]);
    terminal.has_input_method(false);
    let (find, escape) = ("\x1bOQ", "\x1b");
    for _ in 0..2 {
        terminal.send(find.as_bytes());
        terminal.has_input_method(true);
        std::thread::sleep(HAND);
        terminal.send(escape.as_bytes());
        terminal.has_input_method(false);
        std::thread::sleep(HAND);
    }
    terminal.signal(Signal::TERM);
    terminal.ends();
    terminal.is_clean();
}

#[test]
fn a_bag_takes_one_key_in_the_sample_shop_whichever_keymap_is_chosen() {
    for keymap in ["tenkey", "laptop", "function"] {
        let shop = Shop::demo();
        let settings = shop.dir().join("shop.toml");
        let text = std::fs::read_to_string(&settings).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.starts_with("keymap"));
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        std::fs::write(&settings, format!("keymap = \"{keymap}\"\n{text}")).unwrap();
        let mut terminal = Terminal::open(&shop, &["--lang", "ja"]);
        terminal.shows(&["担当"]);
        for keys in ["1\r", "111111\r"] {
            terminal.types(keys);
            std::thread::sleep(HAND);
        }
        terminal.shows(&["Bレジ袋"]);
        terminal.types("bB"); // The key line shows a capital, and Caps Lock may be on.
        terminal.shows(&["レジ袋 中", "2点", "10"]);
        terminal.signal(Signal::TERM);
        terminal.ends();
    }
}

#[test]
fn an_import_in_a_terminal_draws_how_far_it_is_and_takes_the_bar_away() {
    let shop = shop();
    let rows = (1..=20_000).map(|item| format!("{item},Item {item},{}\n", item % 900 + 1));
    let file =
        shop.file("items.csv", format!("code,name,price\n{}", rows.collect::<String>()).as_bytes());
    let words = ["--lang", "en", "import", "items", file.to_str().unwrap(), "--apply"];
    let mut terminal = Terminal::open(&shop, &words);
    let bar = terminal.becomes("a bar", |screen| screen.contains("#-") && screen.contains(" % "));
    let row = bar.lines().find(|row| row.contains(" % ")).unwrap();
    let full = row.matches('#').count();
    assert_eq!(full + row.matches('-').count(), 40, "{row}");
    let percent: usize = row.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
    assert_eq!(full, percent * 40 / 100, "{row}");
    let left = terminal.shows(&["20000 rows were brought in"]);
    assert!(!left.contains(" % "), "{left}");
    assert_eq!(terminal.ends(), 0);
}

/// A Z whose backup cannot be written is a day that only one disk holds: said while somebody is there, on
/// the way out, and when they come back.
#[test]
fn a_z_without_its_backup_is_said_at_once_on_leaving_and_at_the_next_start() {
    let shop = shop();
    let at = |hour: u32| format!("2026-11-22T{hour}:00:00+09:00");
    let open = |hour| Terminal::open(&shop, &["--at", &at(hour), "--lang", "en"]);
    let sale = "scan 4901234567894\ntender_cash\n";
    shop.sell_at(&at(10), sale);
    std::fs::write(shop.dir().join("backup"), "in the way").unwrap();
    let mut terminal = open(11);
    terminal.shows(&["みどり商店"]);
    commands(&terminal, "z_report");
    terminal.shows(&["The backup of the Z could not be written"]);
    terminal.signal(Signal::TERM);
    terminal.ends();
    shop.sell_at(&at(12), sale);
    let mut terminal = open(13);
    terminal.shows(&["みどり商店", "The last Z has no backup"]);
    commands(&terminal, "z_report");
    terminal.shows(&["The day is closed"]);
    terminal.signal(Signal::TERM);
    terminal.ends();
    let left = terminal.contents();
    assert!(left.contains("The backup of the Z could not be written"), "{left}");
    std::fs::remove_file(shop.dir().join("backup")).unwrap();
    shop.sell_at(&at(14), &format!("{sale}z_report\n"));
    let screen = open(15).shows(&["みどり商店"]);
    assert!(!screen.contains("has no backup"), "{screen}");
}
