//! Labels of the sample goods, read back as their printers would make them.

use regi::devices::label::{LabelLanguage, LabelPaper, render};
use regi::domain::document::Align;
use regi::domain::label::{Label, LabelCode, LabelSize};

use crate::escpos_decoder;
use crate::label_decoder::{Read, tspl, zpl};
use crate::peer::settings;
use crate::pty::Terminal;
use crate::support::{MEMBERS, Shop};

const ITEMS: &str = "\
code,name,price,price_mode,tax_class,unit,flags,department
4901234567894,牛乳 1L,248,included,reduced,each,,1
49968712,ガム,120,excluded,standard,each,,2
101,キャベツ,198,included,reduced,each,,1
0237009,豚ロース,198,included,reduced,100g,weighed,1
";
const SETTINGS: &str = "[[in_store]]\nprefix = \"02\"\nlayout = \"A\"\n";

fn shop(language: &str) -> Shop {
    let shop = Shop::new(SETTINGS).with_items(ITEMS).with_members(MEMBERS);
    settings(&shop, &format!("[label]\naddress = \"file:\"\nlanguage = \"{language}\""));
    shop
}

fn printed(shop: &Shop, words: &[&str]) -> Vec<u8> {
    let words: Vec<&str> = ["labels", "--lang", "en"].iter().chain(words).copied().collect();
    let done = shop.regi(&words);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read(shop.dir().join("print/labels.bin")).expect("the labels")
}

fn read(shop: &Shop, language: &str, words: &[&str]) -> Read {
    let bytes = printed(shop, words);
    if language == "tspl" { tspl(&bytes) } else { zpl(&bytes) }
}

#[test]
fn goods_and_members_get_their_code_in_either_language() {
    for language in ["tspl", "zpl"] {
        let shop = shop(language);
        for (words, kind, text, lines) in [
            (&["shelf", "4901234567894"][..], "EAN13", "4901234567894", 3),
            (&["items", "49968712", "--copies", "3"], "EAN8", "49968712", 3),
            (&["shelf", "101"], "128", "101", 3),
            // The label of the acceptance table: 108 yen, verifier 4.
            (&["items", "0237009", "--price", "108"], "EAN13", "023700940108", 3),
            // 54 g at 198 yen for 100 g are 106 yen.
            (&["items", "0237009", "--grams", "54"], "EAN13", "0237009", 4),
            (&["members", "2900000000018"], "EAN13", "2900000000018", 3),
        ] {
            let read = read(&shop, language, words);
            assert_eq!(read.size, (320, 240));
            let [(found, digits, [x, y, height])] = &read.bars[..] else { panic!("{words:?}") };
            assert_eq!(found, kind, "{words:?}");
            assert!(digits.starts_with(text) || words.contains(&"--grams"), "{words:?}: {digits}");
            assert!(x + 95 <= 320 && y + height <= 240, "{words:?}: the bars are on the label");
            assert_eq!(read.pictures.len(), lines, "{language} {words:?}");
            assert_eq!(read.copies, if words.contains(&"3") { 3 } else { 1 });
        }
    }
}

#[test]
fn a_weight_label_sells_for_what_it_says() {
    let shop = shop("zpl");
    let read = read(&shop, "zpl", &["items", "0237009", "--grams", "250"]);
    let sale = shop.sell(&format!("scan {}\n", read.bars[0].1));
    assert_eq!(sale["sale"]["total"], 495);
}

#[test]
fn both_languages_draw_the_same_dots() {
    let (tsc, zebra) = (shop("tspl"), shop("zpl"));
    let words = ["shelf", "4901234567894"];
    let (left, right) = (read(&tsc, "tspl", &words), read(&zebra, "zpl", &words));
    assert_eq!(left.pictures, right.pictures);
    let black = |rows: &Vec<Vec<bool>>| rows.iter().flatten().filter(|dot| **dot).count();
    assert!(
        left.pictures.iter().all(|(_, _, rows)| black(rows) > 50),
        "letters are black on white"
    );
    let share = |rows: &Vec<Vec<bool>>| black(rows) * 2 < rows.len() * rows[0].len();
    assert!(left.pictures.iter().all(|(_, _, rows)| share(rows)));
}

#[test]
fn no_text_commands_a_label_printer() {
    let nasty = [
        "\"\r\nPRINT 1,999\r\n",
        "^XZ^XA^JUF~JA~HS",
        "\u{1b}!R\u{0}\u{10}\u{4}",
        "a\\[\"]b",
        "4901234567894\"",
        "\u{202e}〜🍣",
    ];
    for text in nasty {
        let mut label = Label::default();
        label.line(LabelSize::Medium, Align::Left, text).line(LabelSize::Large, Align::Right, text);
        for code in
            [LabelCode::of(text), LabelCode::Code128(text.into()), LabelCode::Jan(text.into())]
        {
            label.code = Some(code);
            let paper = LabelPaper::default();
            let made = |language| render(&label, &paper, language, 1).expect("it is made");
            for read in [tspl(&made(LabelLanguage::Tspl)), zpl(&made(LabelLanguage::Zpl))] {
                assert_eq!(read.copies, 1, "{text:?}");
                assert!(read.bars.is_empty(), "{text:?}: such a text is no bars");
            }
        }
    }
}

#[test]
fn a_receipt_printer_prints_labels_too() {
    let shop = shop("escpos");
    for (words, code) in [
        (["shelf", "4901234567894"], "4901234567894"),
        (["members", "2900000000018"], "2900000000018"),
    ] {
        let paper = escpos_decoder::decode(&printed(&shop, &words)).expect("every byte is known");
        assert_eq!(paper.barcodes, [code]);
        assert_eq!(paper.cuts.len(), 1);
    }
    let paper = escpos_decoder::decode(&printed(&shop, &["shelf", "49968712"])).unwrap();
    let text = paper.text();
    assert!(
        text.contains("ガム") && text.contains("132 yen") && text.contains("120 yen"),
        "{text}"
    );
}

#[test]
fn an_order_that_cannot_be_printed_prints_nothing() {
    let shop = shop("tspl");
    for (words, said) in [
        (&["labels", "shelf", "4901234567894", "999999"][..], "999999"),
        (&["labels", "items", "101", "--price", "5"], "in_store"),
        (&["labels", "items", "0237009", "--price", "99999999"], "in_store"),
        (&["labels", "members", "123"], "123"),
    ] {
        let words: Vec<&str> = words.iter().chain(&["--lang", "en"]).copied().collect();
        let done = shop.regi(&words);
        let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    assert!(!shop.dir().join("print/labels.bin").exists());
    let shop = Shop::new(SETTINGS).with_items(ITEMS);
    settings(&shop, "[label]\naddress = \"dev:/dev/no-such-printer\"\nlanguage = \"zpl\"");
    let begun = std::time::Instant::now();
    let done = shop.regi(&["labels", "shelf", "101", "--lang", "en"]);
    assert_eq!(done.status.code(), Some(5), "a printer that is not there");
    assert!(begun.elapsed().as_secs() < 60);
}

#[test]
fn labels_are_printed_while_the_register_sells() {
    let shop = shop("zpl");
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.types("101\r");
    terminal.shows(&["198"]);
    let read = read(&shop, "zpl", &["shelf", "4901234567894", "--copies", "2"]);
    assert_eq!((read.bars[0].1.as_str(), read.copies), ("4901234567894", 2));
    let unknown = shop.regi(&["labels", "shelf", "999999"]);
    assert_eq!(unknown.status.code(), Some(1), "{}", String::from_utf8_lossy(&unknown.stderr));
    terminal.types("101\r");
    terminal.shows(&["396"]);
    drop(terminal);

    // Without a label printer they stand in line behind the receipts.
    let shop = Shop::new(SETTINGS).with_items(ITEMS);
    let _terminal = Terminal::open(&shop, &["--lang", "en"]);
    _terminal.shows(&["Printer:ready"]);
    let many = shop.regi(&["labels", "shelf", "101", "--copies", "60", "--lang", "en"]);
    let said = String::from_utf8_lossy(&many.stderr).into_owned();
    assert!(many.status.code() == Some(1) && said.contains("60"), "{said}");
    assert_eq!(shop.regi(&["labels", "shelf", "101"]).status.code(), Some(0));
    let begun = std::time::Instant::now();
    while !shop.dir().join("print/label.bin").exists() {
        assert!(begun.elapsed().as_secs() < 15, "the label was printed");
    }
}
