//! A shop's own cards: `[[card]]` of the settings file, from the file to the member at the counter
//! (`japan.md` 3.6).

use crate::support::{HANAKO, MEMBERS, SHOP, Shop, text};

/// Cards of NW-7 with a check sign, and contactless ones.
const CARDS: &str = "
[[card]]
length = 8
charset = \"nw7\"
check = \"mod16\"
strip = \"start_stop\"
[[card]]
length = 16
charset = \"hex\"
";

const HOLDERS: &str = "code,name,points\n37859+,古川 一,7\n012E4C5D6F708192,新田 二,9\n";

fn with_cards(more: &str) -> Shop {
    Shop::new(more).with_members(MEMBERS).with_members(HOLDERS)
}

/// What a scan attaches, and what `inquire` says of the same code.
#[track_caller]
fn attaches(shop: &Shop, scan: &str, member: &str) {
    let sold = shop.sell(&format!("department 1 100\nscan {scan}"));
    assert_eq!(sold["sale"]["member"]["code"], member, "{scan}");
    let asked = shop.sell(&format!("void_sale\ninquire {scan}"));
    assert_eq!(asked["member"]["code"], member, "inquire {scan}");
}

#[track_caller]
fn all_cards(shop: &Shop) {
    for (scan, member) in [
        ("A37859+B", "37859+"),
        ("a37859+b", "37859+"),
        ("012e4c5d6f708192", "012E4C5D6F708192"),
        (HANAKO, HANAKO), // Known by its code, whatever the patterns.
    ] {
        attaches(shop, scan, member);
    }
    assert_eq!(shop.refuse("scan A37858+B"), "check_digit");
    shop.verify();
}

#[test]
fn cards_of_a_settings_file_are_cards_now_and_after_everything() {
    let shop = with_cards(CARDS);
    all_cards(&shop);
    shop.told(&["rebuild"]);
    all_cards(&shop);
    std::fs::remove_file(shop.dir().join("store.redb")).expect("a store");
    all_cards(&shop);
    let backup = shop.file("shop.regi", b"");
    std::fs::remove_file(&backup).expect("room for the backup");
    shop.told(&["backup", backup.to_str().unwrap()]);
    let elsewhere = Shop::nowhere();
    elsewhere.told(&["restore", backup.to_str().unwrap()]);
    all_cards(&elsewhere);
}

#[test]
fn cards_come_in_later_are_replaced_and_go_out_again() {
    let shop = with_cards("");
    assert_eq!(shop.refuse("scan A37859+B"), "unknown_code");
    shop.imported("shop", CARDS.as_bytes());
    all_cards(&shop);
    let file = shop.told(&["export", "shop"]);
    let again = Shop::of(&file).with_members(MEMBERS).with_members(HOLDERS);
    all_cards(&again);
    assert_eq!(again.told(&["export", "shop"]), file);
    // A file without the table leaves what there is; one with it replaces all.
    shop.imported("shop", b"[shop]\nphone = \"03-0000-0001\"\n");
    all_cards(&shop);
    shop.imported("shop", b"[[card]]\nprefix = \"29\"\nlength = 13\ncheck = \"mod10w3\"\n");
    assert_eq!(shop.refuse("scan A37859+B"), "unknown_code");
    shop.imported("shop", b"card = []\n");
    attaches(&shop, HANAKO, HANAKO);
    let kinds: Vec<String> = shop.export("journal").iter().map(|row| row["kind"].clone()).collect();
    let changes = kinds.iter().filter(|kind| kind.ends_with("_changed"));
    let want =
        ["settings", "codes", "settings", "codes", "codes"].map(|part| format!("{part}_changed"));
    assert_eq!(changes.collect::<Vec<_>>(), want.iter().collect::<Vec<_>>());
}

#[test]
fn a_pattern_that_would_take_other_codes_is_refused_with_all_of_its_file() {
    let shop = with_cards("[[in_store]]\nprefix = \"22\"\nlayout = \"A\"\n");
    let before = shop.told(&["export", "shop"]);
    let entries = shop.export("journal").len();
    for (cards, line, said) in [
        ("[[card]]\nlength = 13\n", 3, ["need a prefix", "先頭"]),
        ("[[card]]\nprefix = \"49\"\nlength = 13\n", 3, ["would take goods", "商品"]),
        ("[[card]]\nprefix = \"22\"\nlength = 13\n", 3, ["in-store labels", "自店ラベル"]),
        (
            "[[card]]\nlength = 9\n\n[[card]]\nlength = 9\ncharset = \"hex\"\n",
            6,
            ["cannot be told", "見分けられません"],
        ),
        ("[[card]]\nlength = 9\ncheck = \"mod16\"\n", 3, ["card.check", "card.check"]),
        ("[[card]]\nlength = 9\nregex = \".*\"\n", 5, ["regex", "regex"]),
        ("[[near_date]]\ndays = 1\npercent = 101\n", 3, ["near_date.percent", "near_date.percent"]),
    ] {
        let file = format!("[shop]\nname = \"別の店\"\n{cards}");
        for (language, said) in ["en", "ja"].into_iter().zip(said) {
            for apply in [&["--lang", language][..], &["--lang", language, "--apply"]] {
                let done = shop.import("shop", file.as_bytes(), apply);
                let told = text(&done.stderr) + &text(&done.stdout);
                assert_eq!(done.status.code(), Some(1), "{told}");
                assert!(told.contains(said) && told.contains(&line.to_string()), "{line} {told}");
            }
        }
        let path = shop.file("settings.toml", format!("{SHOP}{cards}").as_bytes());
        let nowhere = Shop::nowhere();
        if !cards.contains("\"22\"") {
            let made = nowhere.regi(&["init", "--settings", path.to_str().unwrap()]);
            assert_eq!(made.status.code(), Some(1), "{}", text(&made.stdout));
            assert!(!nowhere.dir().join("journal").exists());
        }
    }
    assert_eq!(shop.told(&["export", "shop"]), before);
    assert_eq!(shop.export("journal").len(), entries);
    // A label that would hide the shop's own cards is refused, too.
    shop.imported("shop", b"[[card]]\nprefix = \"28\"\nlength = 13\n");
    let label = b"[[in_store]]\nprefix = \"28\"\nlayout = \"A\"\n";
    let done = shop.import("shop", label, &["--apply"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("in-store labels"), "{}", text(&done.stderr));
}
