//! Stamp duty on receipts for cash: the cases SD-* of `japan.md` 9.

use crate::paper::read;
use crate::support::Shop;

/// Whether the receipt of one sale asks for a stamp, by the box printed for it.
fn asks_for_a_stamp(settings: &str, script: &str) -> bool {
    let shop = Shop::new(settings);
    let played = shop.play_with(&["--lang", "ja"], format!("{script}\n").as_bytes());
    let sold = played.last();
    assert_eq!(sold["ok"], true, "{sold}");
    let paper = shop.paper(&sold["printed"][0]);
    read(&paper).text().contains("収入印紙")
}

#[test]
fn a_stamp_is_asked_for_from_50000_yen_in_cash_without_tax() {
    for (id, settings, script, want) in [
        ("SD-01", "", "department 2 49999\ntender_cash", false),
        ("SD-03", "", "department 2 54000\ntender_cash", false),
        ("SD-06", "", "department 2 54999\ntender_cash", true),
        ("SD-06, a yen less", "", "department 2 54998\ntender_cash", false),
        ("SD-08", "", "department 2 80000\ntender_credit", false),
        (
            "SD-09",
            "[tender.credit]\nstamp_liable = true\n",
            "department 2 80000\ntender_credit",
            true,
        ),
        ("SD-11", "", "department 2 66000\ntender_debit", true),
        ("SD-13", "", "department 1 27000\ndepartment 2 28000\ntender_cash", true),
        ("part by card", "", "department 2 110000\ntender_credit 60000\ntender_cash", false),
    ] {
        assert_eq!(asks_for_a_stamp(settings, script), want, "{id}");
    }
}

#[test]
fn a_formal_receipt_is_stamped_by_its_own_amount() {
    for (amount, want) in [("", true), (" 40000", false)] {
        let script =
            format!("department 2 80000\ntender_cash\nformal_receipt 株式会社みどり{amount}");
        assert_eq!(asks_for_a_stamp("", &script), want, "{amount}");
    }
}
