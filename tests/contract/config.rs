//! Files that somebody edits and gets wrong: the sentence names the file and the line, in their language.
//!
//! Room: tests. May touch: the binary, shop folders of its own.

use crate::support::{Shop, text};

/// What `config check` says to this file of the shop's folder, in Japanese and in English.
fn said(name: &str, content: &str) -> [String; 2] {
    let shop = Shop::new("");
    let path = shop.dir().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, content).expect("written");
    ["ja", "en"].map(|language| {
        let output = shop.regi(&["--lang", language, "config", "check"]);
        assert_eq!(output.status.code(), Some(1), "{name}: {content}");
        text(&output.stderr).trim_end().to_owned()
    })
}

#[test]
fn a_file_that_does_not_fit_is_named_with_its_line_in_both_languages() {
    for (name, content, ja, en) in [
        (
            "shop.toml",
            "lane = 1\nkeymapp = \"x\"\n",
            "shop.toml の2行目: 「keymapp」という項目はありません",
            "shop.toml, line 2: there is no setting \"keymapp\"",
        ),
        (
            "shop.toml",
            "lane = 1\n\n[printer]\naddress = \"lp0\"\n",
            "shop.toml の3行目: 「lp0」は使えません。file: dev: usb: serial: tcp: screen: のどれかで始めてください",
            "shop.toml, line 3: \"lp0\" is no kind of address; begin with file: dev: usb: serial: tcp: or screen:",
        ),
        (
            "shop.toml",
            "keymap = \"tenkeyx\"\n",
            "shop.toml の1行目: keymap の「tenkeyx」はありません。regi に付いているものか、keymaps/tenkeyx.toml を置いてください",
            "shop.toml, line 1: there is no keymap \"tenkeyx\": take one that comes with regi, or put keymaps/tenkeyx.toml there",
        ),
        (
            "shop.toml",
            "[sound]\nby = \"horn\"\n",
            "shop.toml の2行目: 「horn」は使えません。使えるのは auto bell wav off です",
            "shop.toml, line 2: \"horn\" cannot be used here; one of auto bell wav off can",
        ),
        (
            "shop.toml",
            "lane = 1\n[label]\naddress = \"file:\"\nwidth_mm = \"wide\"\n",
            "shop.toml の4行目: 「width_mm = \"wide\"」は使えません。書けるのは 0 から 65535 までの整数 です",
            "shop.toml, line 4: width_mm = \"wide\" does not fit: it has to be a whole number from 0 to 65535",
        ),
        (
            "shop.toml",
            "lane = 1\n[printer]\naddress = \"file:\"\nprofile = \"mine\"\n",
            "shop.toml の4行目: 「mine」という機種のファイルがありません。printers/ にあるか、regi devices で確かめてください",
            "shop.toml, line 4: there is no printer file \"mine\"; look in printers/, or at regi devices",
        ),
        (
            "keymaps/tenkey.toml",
            "[sale]\nf1 = \"sell\"\n",
            "keymaps/tenkey.toml の2行目: 「sell」というコマンドはありません",
            "keymaps/tenkey.toml, line 2: there is no command \"sell\"",
        ),
        (
            "themes/dark.toml",
            "[style]\ntext = \"shiny\"\n",
            "themes/dark.toml の2行目: 「shiny」という色や書き方はありません",
            "themes/dark.toml, line 2: there is no colour or word \"shiny\"",
        ),
        (
            "printers/generic-80.toml",
            "columns = 48\nroll = 80\n",
            "printers/generic-80.toml の2行目: 「roll」という項目はありません",
            "printers/generic-80.toml, line 2: there is no setting \"roll\"",
        ),
    ] {
        assert_eq!(said(name, content), [ja, en], "{content}");
    }
}

/// What stands in the way of a shop is said before there is one.
#[test]
fn a_shop_is_not_made_beside_settings_that_do_not_fit() {
    for (name, content, en) in [
        ("shop.toml", "keymap = \"dvorak\"\n", "no keymap \"dvorak\""),
        ("shop.toml", "theme = \"mud\"\n", "no theme \"mud\""),
        (
            "shop.toml",
            "[printer]\naddress = \"file:\"\nprofile = \"typewriter\"\n",
            "\"typewriter\"",
        ),
        ("keymaps/tenkey.toml", "[sale]\nf1 = \"sell\"\n", "no command \"sell\""),
        ("logo.pbm", "GIF89a", "logo.pbm"),
    ] {
        for made in [&["init"][..], &["init", "--demo"]] {
            let shop = Shop::nowhere();
            let path = shop.dir().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(&path, content).expect("written");
            let output = shop.regi(made);
            let told = text(&output.stderr);
            assert_eq!(
                (output.status.code(), told.lines().count()),
                (Some(1), 1),
                "{name}: {told}"
            );
            assert!(told.contains(en), "{name}: {told}");
            assert!(!shop.dir().join("journal").exists(), "{name}: nothing half made");
            let checked = shop.regi(&["config", "check"]);
            assert_eq!(text(&checked.stderr), told, "{name}");
        }
    }
}
