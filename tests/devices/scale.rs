//! A scale on a serial line: right, late, wrong, doubled, huge, garbled, gone.

use std::sync::{Arc, Mutex};

use crate::peer::{Device, plug, settings};
use crate::pty::Terminal;
use crate::support::Shop;

const ITEMS: &str = "\
code,name,price,tax_class,unit,flags
101,Carrots,39,reduced,100g,weighed
102,Rice,800,reduced,kg,weighed
103,Onigiri,150,reduced,each,
";

/// A scale that answers each asking with the next of `says`, and the last one for ever.
fn scale(says: &[&'static str]) -> (Device, Arc<Mutex<Vec<&'static str>>>) {
    let says = Arc::new(Mutex::new(says.to_vec()));
    let kept = says.clone();
    let device = Device::new(move |heard| {
        let asked = heard.ends_with(b"Q\r\n") || heard.ends_with(b"SI\r\n");
        if !asked {
            return Vec::new();
        }
        heard.clear();
        let mut says = kept.lock().unwrap();
        let now = says[0];
        if says.len() > 1 {
            says.remove(0);
        }
        now.as_bytes().to_vec()
    });
    (device, says)
}

fn open(device: &Device, more: &str) -> (Shop, Terminal) {
    let shop = Shop::new("").with_items(ITEMS);
    settings(&shop, &format!("[scale]\nserial = \"{}\"\n{more}", device.path().display()));
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    (shop, terminal)
}

const OWN_CONTAINERS: &str = "tare_g = 50\n[scale.containers]\n101 = 70\n102 = 70";

#[test]
fn goods_by_weight_are_weighed_when_they_are_scanned() {
    for (more, stable) in [
        ("", "ST,+00001.250 kg\r\n"),
        ("protocol = \"sics\"", "S S      1.250 kg\r\n"),
        ("tare_g = 50", "ST,+0001300.0  g\r\n"),
        ("tare_g = 50", "ST,GS,+0001300.0  g\r\n"),
        // The scale has taken its tare off: it is not taken off again.
        ("tare_g = 50", "ST,NT,+0001250.0  g\r\n"),
        (OWN_CONTAINERS, "ST,GS,+0001320.0  g\r\n"),
        (OWN_CONTAINERS, "ST,NT,+0001250.0  g\r\n"),
    ] {
        let (device, _) = scale(&[stable]);
        let (_shop, terminal) = open(&device, more);
        terminal.types("101\r");
        // 1,250 g at 39 yen for 100 g.
        terminal.shows(&["Carrots", "12.5 x", "487"]);
        terminal.types("102\r");
        terminal.shows(&["Rice", "1.25 x", "1,000"]);
        terminal.types("103\r");
        terminal.shows(&["Onigiri", "150"]);
        // By hand it stays possible, and nothing is asked.
        device.takes();
        terminal.types(":");
        terminal.types("times 3\r");
        terminal.types("101\r");
        terminal.shows(&["117"]);
        assert!(device.takes().is_empty(), "a weight keyed by hand asks no scale");
    }
}

#[test]
fn faults_of_the_scale_are_said_and_sell_nothing() {
    let (device, says) = scale(&["US,+00001.250 kg\r\n"]);
    let (shop, terminal) = open(&device, "");
    for (answer, said) in [
        ("US,+00001.250 kg\r\n", "does not come to rest"),
        ("OL,+9999999E+19\r\n", "too heavy"),
        ("OL,-9999999E+19\r\n", "less than nothing"),
        ("ST,-00000.010 kg\r\n", "less than nothing"),
        ("ST,+00000.000 kg\r\n", "Nothing lies"),
        ("ST,+00099.000 kg\r\n", "nothing that can be read"),
        ("ST,TR,+00000.050 kg\r\n", "nothing that can be read"), // The container's own weight.
        ("ST,+0000A.250 kg\r\n", "nothing that can be read"),
        ("ST,+00001.250 lb\r\n", "nothing that can be read"),
        ("\x1b[2J\x07\u{7f}ST,+1.250 kg no\r\n", "nothing that can be read"),
        ("", "does not answer"),
    ] {
        *says.lock().unwrap() = vec![answer];
        terminal.types("101\r");
        terminal.shows(&[said]);
        assert!(!terminal.contents().contains("Carrots"), "{answer:?}");
    }
    // A flood, then a scale that tells all the time.
    *says.lock().unwrap() = vec![Box::leak("9".repeat(100_000).into_boxed_str())];
    terminal.types("101\r");
    terminal.shows(&["nothing that can be read"]);
    *says.lock().unwrap() = vec!["ST,+00000.100 kg\r\n"];
    terminal.types("101\r");
    terminal.shows(&["Carrots", "1 x", "39"]);
    drop(terminal);
    shop.verify();
}

#[test]
fn a_container_is_taken_off_once_where_the_weight_does_not_say_whether_it_is_net() {
    for (tare, weight) in [
        ("TA A      0.000 kg\r\n", "S S      1.300 kg\r\n"),
        ("TA A      0.050 kg\r\n", "S S      1.250 kg\r\n"),
        ("ES\r\n", "S S      1.300 kg\r\n"), // It knows no such question, so it has no tare.
        ("", "S S      1.300 kg\r\n"),
    ] {
        let device = Device::new(move |heard| {
            let said = match heard.as_slice() {
                b"SI\r\n" => weight,
                b"TA\r\n" => tare,
                _ => return Vec::new(),
            };
            heard.clear();
            said.as_bytes().to_vec()
        });
        let (_shop, terminal) = open(&device, "protocol = \"sics\"\ntare_g = 50");
        terminal.types("101\r");
        // 1,250 g at 39 yen for 100 g.
        terminal.shows(&["Carrots", "12.5 x", "487"]);
    }
}

#[test]
fn a_late_or_doubled_answer_is_never_the_weight() {
    // The first asking is answered with what was weighed before, and twice at that.
    let (device, _) = scale(&[
        "ST,+00009.900 kg\r\nST,+00009.900 kg\r\n",
        "US,+00000.300 kg\r\n",
        "ST,+00000.200 kg\r\n",
    ]);
    let (_shop, terminal) = open(&device, "");
    device.says(b"ST,+00007.700 kg\r\n");
    terminal.types("101\r");
    terminal.shows(&["Carrots", "2 x", "78"]);
}

#[test]
fn a_scale_that_is_plugged_in_again_weighs_the_next_goods() {
    let shop = Shop::new("").with_items(ITEMS);
    let port = shop.dir().join("ttyScale");
    let (mut device, _) = scale(&["ST,+00000.100 kg\r\n"]);
    plug(&device.path(), &port);
    settings(&shop, &format!("[scale]\nserial = \"{}\"", port.display()));
    let terminal = Terminal::open(&shop, &["--lang", "en"]);
    terminal.types("101\r");
    terminal.shows(&["Carrots", "1 x"]);
    for sold in 2..4 {
        std::fs::remove_file(&port).unwrap();
        let (other, _) = scale(&["ST,+00000.100 kg\r\n"]);
        drop(std::mem::replace(&mut device, other)); // Its cable is pulled.
        if sold == 3 {
            terminal.types("101\r");
            terminal.shows(&["The scale does not answer"]);
        }
        plug(&device.path(), &port);
        terminal.types("101\r"); // The first goods after it: no asking is lost.
        terminal.shows(&[&(sold * 39).to_string()]);
    }
}

#[test]
fn what_staff_do_meanwhile_ends_the_asking() {
    let (device, says) = scale(&["US,+00000.300 kg\r\n"]);
    let (_shop, terminal) = open(&device, "");
    terminal.types("101\r");
    terminal.shows(&["Weighing"]);
    terminal.types("103\r");
    terminal.shows(&["Onigiri"]);
    *says.lock().unwrap() = vec!["ST,+00000.200 kg\r\n"];
    std::thread::sleep(std::time::Duration::from_millis(800));
    assert!(!terminal.contents().contains("Carrots"), "{}", terminal.contents());
}
