//! Shops of every released format: they open, agree, say the same, and sell on, for ever.
//!
//! The folders and how they were made are in `tests/journals/`.

use std::path::{Path, PathBuf};

use crate::support::{Shop, copy_folder, text};

const LATER: &str = "2026-12-01T12:00:00+09:00";

fn released() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journals");
    let entries = std::fs::read_dir(root).expect("the released formats");
    let mut shops: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    shops.retain(|path| path.is_dir());
    shops.sort();
    assert!(!shops.is_empty(), "at least today's");
    shops
}

/// A shop of a released format in a folder of its own.
fn copied(released: &Path) -> Shop {
    let shop = Shop::nowhere();
    copy_folder(released, &shop.dir());
    shop
}

fn sales_then(released: &Path) -> String {
    let file = released.with_extension("sales.csv");
    std::fs::read_to_string(file).expect("the sales as they were told then")
}

#[test]
fn a_shop_of_each_released_format_agrees_and_says_what_it_said_then() {
    for released in released() {
        let shop = copied(&released);
        shop.verify();
        assert_eq!(
            shop.told(&["export", "sales"]),
            sales_then(&released),
            "{}",
            released.display()
        );
        let members = shop.export("members");
        let someone = members.iter().find(|member| member["code"] == "2900000009998");
        assert_eq!(someone.expect("a member")["name"], "試験花子", "sealed data opens");
    }
}

#[test]
fn a_shop_of_each_released_format_is_the_same_without_its_store() {
    for released in released() {
        let shop = copied(&released);
        std::fs::remove_file(shop.dir().join("store.redb")).expect("the store");
        assert_eq!(
            shop.told(&["export", "sales"]),
            sales_then(&released),
            "{}",
            released.display()
        );
        shop.verify();
    }
}

#[test]
fn a_shop_of_each_released_format_sells_on() {
    for released in released() {
        let shop = copied(&released);
        let before = sales_then(&released).lines().count();
        let sold = shop.sell_at(LATER, "sign_in 1 111111\ntender_cash 1000\nz_report\n");
        assert_eq!(sold["ok"], true, "the open cart of then is sold, and the day closed");
        assert_eq!(text(shop.told(&["export", "sales"]).as_bytes()).lines().count(), before + 1);
        shop.verify();
    }
}
