//! What other programs may do on a shop while its register runs: they look, prove, save and take data
//! out; selling is done at the counter.
//!
//! Room: tests. May touch: the binary, a pseudo-terminal, a shop in a temporary folder.

#[path = "contract/support.rs"]
#[allow(dead_code)] // The contract's own tests use the rest of it.
mod support;

#[path = "pty/mod.rs"]
#[allow(dead_code)] // Other tests use the rest of it.
mod pty;

use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};

use pty::Terminal;
use support::{MEMBERS, Shop, text};

const ITEMS: &str = "\
code,name,kana,price,tax_class
101,牛乳 1L,ギュウニュウ,248,reduced
102,Battery AA,,550,standard
";

/// A shop that has sold a little, and nobody stands at it.
fn shop() -> Shop {
    let shop = Shop::new("").with_items(ITEMS).with_members(MEMBERS);
    shop.sell("open_day 10000\nscan 101\nmember 2900000000018\ntender_cash 1000");
    shop.sell("scan 102\ntender_credit\nz_report 10248");
    shop
}

fn open(shop: &Shop) -> Terminal {
    let terminal = Terminal::open(shop, &["--lang", "en"]);
    terminal.shows(&["みどり商店"]);
    terminal
}

fn told(done: &Output) -> (Option<i32>, String) {
    (done.status.code(), text(&done.stdout) + &text(&done.stderr))
}

#[test]
fn what_is_asked_beside_the_register_is_answered_as_without_it() {
    let shop = shop();
    let asked: &[&[&str]] = &[
        &["verify"],
        &["verify", "--receipt", "01-000001", "0123456789abcdef"],
        &["verify", "--receipt", "01-000099", "0123456789abcdef"],
        &["config", "check"],
        &["devices"],
        &["report", "x"],
        &["report", "sales"],
        &["report", "items", "--format", "csv"],
        &["report", "members", "--format", "json"],
        &["report", "z"],
        &["report", "sales", "--format", "html"],
        &["report", "sales", "--format", "svg"],
        &["report", "sales", "format=csv"],
        &["report", "weather"],
        &["export", "shop"],
        &["export", "items"],
        &["export", "members"],
        &["export", "points"],
        &["export", "sales", "--encoding", "cp932"],
        &["export", "lines"],
        &["export", "journal"],
        &["export", "yayoi"],
        &["export", "freee"],
        &["export", "moneyforward"],
    ];
    let alone: Vec<_> = asked.iter().map(|words| told(&shop.regi(words))).collect();
    let looks = "inquire 101\nfind_item gyuu\nfind_member yama\njournal 248\nhelp scan\nkeys\n\
                 report items\ninquire 999\njournal colour=red";
    let looked_alone = shop.play(looks);

    let mut terminal = open(&shop);
    for (words, alone) in asked.iter().zip(alone) {
        assert_eq!(told(&shop.regi(words)), alone, "{words:?}");
    }
    let looked = shop.play(looks);
    for (beside, alone) in looked.answers.iter().zip(&looked_alone.answers) {
        assert_eq!(beside, alone);
    }
    assert_eq!(looked.answers.len(), looked_alone.answers.len());
    assert!(terminal.is_running());
}

/// New goods and members come in while the counter sells, whole or not at all.
#[test]
fn files_come_in_beside_the_register() {
    let shop = shop();
    let items = shop.file("more.csv", b"code,name,price,tax_class\n103,Tea,150,reduced\n");
    let wrong = shop.file("wrong.csv", b"code,name,price\n104,Soap,300\n105,,x\n");
    let members = shop.file("people.csv", "code,name\n2900000000056,新井 守\n".as_bytes());
    let many: String = (0..5_001).map(|code| format!("{},品,100\n", 10_000 + code)).collect();
    let many = shop.file("many.csv", format!("code,name,price\n{many}").as_bytes());
    let import = |what: &str, file: &std::path::Path, more: &[&str]| {
        told(&shop.regi(&[&["import", what, file.to_str().unwrap()], more].concat()))
    };
    let looked_alone = import("items", &items, &[]);
    let wrong_alone = import("items", &wrong, &["--apply"]);
    let mut terminal = open(&shop);
    terminal.types("101\r");
    terminal.shows(&["牛乳 1L"]);
    assert_eq!(import("items", &items, &[]), looked_alone);
    let known = |code: &str| !shop.play(&format!("inquire {code}")).last()["item"].is_null();
    assert!(known("101") && !known("103"), "it was only looked at");
    assert_eq!(import("items", &wrong, &["--apply"]), wrong_alone);
    assert!(!known("104"), "all rows or none");
    assert_eq!(import("items", &items, &["--apply"]).0, Some(0));
    assert_eq!(import("members", &members, &["--apply"]).0, Some(0));
    assert_eq!(import("items", &many, &["--apply"]).0, Some(0));
    terminal.types("103\r");
    terminal.shows(&["Tea", "398"]);
    let found = shop.play("find_member 2900000000056").last()["members"].clone();
    assert_eq!(found[0]["name"], "新井 守");
    assert!(known("10001"));
    let left = std::fs::read_dir(shop.dir()).unwrap().filter_map(Result::ok);
    let left: Vec<_> = left.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| !name.starts_with(".tmp")), "{left:?}");
    assert!(terminal.is_running());
    drop(terminal);
    shop.verify();
}

fn goods(rows: usize, price: u32) -> String {
    let rows = (0..rows).map(|row| format!("{},品 {row},{price}\n", 100_000 + row));
    std::iter::once("code,name,price\n".to_owned()).chain(rows).collect()
}

/// A file of any size comes in between the counter's acts.
#[test]
fn a_large_file_comes_in_while_the_counter_sells() {
    let shop = shop();
    let file = shop.file("many.csv", goods(20_001, 100).as_bytes());
    let terminal = open(&shop);
    let mut sales = 2;
    let words = ["import", "items", file.to_str().unwrap(), "--apply"];
    std::thread::scope(|scope| {
        let import = scope.spawn(|| told(&shop.regi(&words)));
        while !import.is_finished() || sales < 4 {
            terminal.types("101\r");
            terminal.shows(&["1 pc"]);
            std::thread::sleep(pty::HAND);
            terminal.types("\r");
            std::thread::sleep(pty::HAND);
            terminal.types("\r");
            sales += 1;
            terminal.shows(&[&format!("01-{sales:06}")]);
        }
        let (exit, said) = import.join().expect("it ended");
        assert_eq!(exit, Some(0), "{said}");
    });
    let found = shop.play("inquire 100000\ninquire 120000\nfind_item 品");
    assert_eq!(found.codes(), ["", "", ""]);
    drop(terminal);
    assert_eq!(shop.export("sales").len(), sales);
    assert_eq!(shop.export("items").len(), 20_003);
    shop.verify();
}

/// Whatever moment the register dies in, its import is there whole or not at all.
#[test]
fn a_register_killed_over_an_import_has_all_of_it_or_nothing() {
    const ROWS: usize = 5_000;
    let shop = shop();
    let (mut prices, mut finished) = (Vec::new(), 0);
    for (price, ms) in (101..).zip([20, 80, 150, 250, 400, 600, 900, 1_500]) {
        let file = shop.file("many.csv", goods(ROWS, price).as_bytes());
        let mut terminal = open(&shop);
        let words = ["import", "items", file.to_str().unwrap(), "--apply"];
        std::thread::scope(|scope| {
            let import = scope.spawn(|| told(&shop.regi(&words)));
            std::thread::sleep(std::time::Duration::from_millis(ms));
            terminal.signal(rustix::process::Signal::KILL);
            terminal.ends();
            let (exit, said) = import.join().expect("it ended");
            assert!(exit == Some(0) || !said.trim().is_empty(), "{said}");
            finished += usize::from(exit == Some(0));
        });
        let items = shop.export("items");
        let brought: Vec<_> = items.iter().filter(|item| item["code"].len() == 6).collect();
        assert!([0, ROWS].contains(&brought.len()), "half an import: {}", brought.len());
        let now: std::collections::BTreeSet<_> =
            brought.iter().map(|item| item["price"].clone()).collect();
        assert!(now.len() <= 1, "prices of two imports: {now:?}");
        prices.push(now);
        shop.verify();
    }
    assert!(finished < 8, "some were cut off: {prices:?}");
}

/// A new department, a new rate: the counter goes by it from the next sale on, whole or not at all.
#[test]
fn settings_come_in_between_two_sales() {
    let shop = shop();
    let new = b"[shop]\nname = \"New Name\"\n[[department]]\nnumber = 7\nname = \"Flowers\"\ntax_class = \"standard\"\n";
    let new = shop.file("new.toml", new);
    let wrong = shop.file("wrong.toml", b"[shop]\nname = \"Wrong\"\nmotto = \"x\"\n");
    let pin = b"[[staff]]\nnumber = 1\nname = \"A\"\nlevel = 9\npin = \"482913\"\n";
    let pin = shop.file("pin.toml", pin);
    let import = |file: &std::path::Path, more: &[&str]| {
        told(&shop.regi(&[&["import", "shop", file.to_str().unwrap()], more].concat()))
    };
    let alone = [import(&new, &[]), import(&wrong, &["--apply"])];
    let mut terminal = open(&shop);
    assert_eq!([import(&new, &[]), import(&wrong, &["--apply"])], alone);
    assert_eq!(import(&pin, &["--apply"]).0, Some(4));
    terminal.types("101\r");
    terminal.shows(&["1 pc"]);
    let (exit, said) = import(&new, &["--apply"]);
    assert_eq!(exit, Some(1), "{said}");
    assert!(said.contains("A sale is open"), "{said}");
    assert!(!shop.told(&["export", "shop"]).contains("New Name"));
    for key in ["\r", "\r"] {
        std::thread::sleep(pty::HAND);
        terminal.types(key);
    }
    terminal.shows(&["01-000003"]);
    assert_eq!(import(&new, &["--apply"]).0, Some(0));
    terminal.shows(&["New Name"]);
    let settings = shop.told(&["export", "shop"]);
    assert!(settings.contains("New Name") && settings.contains("Flowers"), "{settings}");
    assert!(!settings.contains("[[staff]]"), "{settings}");
    assert!(terminal.is_running());
    drop(terminal);
    assert_eq!(shop.sell("department 7 500\ntender_cash")["sale"]["total"], 500);
    shop.verify();
}

/// Whoever owns the account may look, also while nobody is signed in; what the counter was asked stays.
#[test]
fn a_look_needs_nobody_at_the_counter_and_takes_nothing_from_it() {
    let staff = "[[staff]]\nnumber = 1\nname = \"A\"\nlevel = 9\npin = \"482913\"\n";
    let shop = Shop::new(staff).with_items(ITEMS);
    let terminal = open(&shop);
    assert_eq!(shop.play("inquire 101").codes(), [""], "nobody has signed in");
    terminal.types("1\r");
    terminal.shows(&["PIN"]);
    std::thread::sleep(pty::HAND);
    terminal.types("482913\r");
    terminal.shows(&["TOTAL"]);
    terminal.types("101\r");
    terminal.shows(&["1 pc"]);
    std::thread::sleep(pty::HAND);
    terminal.types("\r");
    std::thread::sleep(pty::HAND);
    terminal.types("999999\r");
    terminal.shows(&["Press Enter if that is right"]);
    assert_eq!(shop.play("find_item gyuu\njournal\nreport sales").codes(), ["", "", ""]);
    terminal.types("\r");
    terminal.shows(&["01-000001", "999,999"]);
}

#[test]
fn selling_beside_the_register_is_refused_as_busy() {
    let shop = shop();
    let terminal = open(&shop);
    for line in ["scan 101", "tender_cash", "z_report", "set_price 101 1", "no_sale x"] {
        let played = shop.play(line);
        assert_eq!((played.codes(), played.exit), (vec!["busy"], 4), "{line}");
        let message = played.last()["error"]["message"].as_str().unwrap();
        assert!(!message.is_empty(), "in words: {line}");
    }
    let file = shop.file("beside.regi", b"");
    let file = file.to_str().unwrap();
    assert_eq!(told(&shop.regi(&["backup", file])).0, Some(0));
    for words in [&["rebuild"][..], &["restore", file]] {
        let (exit, said) = told(&shop.regi(words));
        assert_eq!(exit, Some(4), "{words:?}: {said}");
        assert!(!said.trim().is_empty());
    }
    drop(terminal);
    shop.verify();
    assert_eq!(shop.export("sales").len(), 2, "nothing came in");
}

#[test]
fn a_backup_taken_beside_the_register_restores_the_shop() {
    let shop = shop();
    let mut terminal = open(&shop);
    terminal.types("101\r");
    terminal.shows(&["牛乳 1L"]);
    let file = shop.file("beside.regi", b"");
    let (exit, said) = told(&shop.regi(&["backup", file.to_str().unwrap()]));
    assert_eq!(exit, Some(0), "{said}");
    let nowhere = shop.regi(&["backup", "/nowhere/at/all.regi"]);
    assert_eq!(nowhere.status.code(), Some(1), "{:?}", told(&nowhere));
    assert!(terminal.is_running());

    let elsewhere = Shop::nowhere();
    elsewhere.told(&["restore", file.to_str().unwrap()]);
    assert_eq!(elsewhere.export("sales").len(), 2);
    elsewhere.verify();
}

/// The proof takes its figures at one moment: sales of the next one are no disagreement.
#[test]
fn a_shop_is_proved_again_and_again_while_it_sells() {
    let shop = shop();
    let terminal = open(&shop);
    let sold_enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let prover = scope.spawn(|| {
            let mut proofs = 0;
            while !sold_enough.load(Ordering::Acquire) || proofs < 3 {
                let (exit, said) = told(&shop.regi(&["verify"]));
                assert_eq!(exit, Some(0), "{said}");
                proofs += 1;
            }
            proofs
        });
        for sale in 3..13 {
            terminal.types("101\r");
            terminal.shows(&["1 pc"]);
            std::thread::sleep(pty::HAND);
            terminal.types("\r");
            std::thread::sleep(pty::HAND);
            terminal.types("\r");
            terminal.shows(&[&format!("01-{sale:06}")]);
        }
        sold_enough.store(true, Ordering::Release);
        assert!(prover.join().expect("every proof holds") >= 3);
    });
    assert!(!shop.dir().join("verify.redb").exists(), "nothing is left behind");
}

#[test]
fn damage_is_found_beside_the_register_too() {
    let shop = shop();
    let paper =
        shop.sell("scan 101\ntender_cash")["entry"]["hash"].as_str().unwrap()[..16].to_owned();
    let mut terminal = open(&shop);
    let agrees = shop.regi(&["verify", "--receipt", "01-000003", &paper]);
    assert_eq!(agrees.status.code(), Some(0), "{:?}", told(&agrees));
    // The register has checked this year's chain by now, and has it open.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let segment = shop.segments().pop().unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    // Behind the entries there is room for more, where a flip does no harm.
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[written / 3] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let (exit, said) = told(&shop.regi(&["verify"]));
    assert_eq!(exit, Some(3), "{said}");
    assert!(terminal.is_running());
}
