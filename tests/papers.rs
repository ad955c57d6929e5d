//! Every paper as it comes out of the printer, at 48 and at 32 columns, in both languages; on rolls of 42 and
//! 35 columns it must fit and keep its amounts.
//!
//! The sales are priced by the register's own rules; the lines are set by the printer's own layout.

#[path = "papers/fixtures.rs"]
mod fixtures;

use fixtures::{
    act, day, day_closing, exchange_sale, grocery_sale, grocery_shop, medicine_sale, medicine_shop,
    mixed_sale, open_return, print, return_of_detergent, training_sale, words,
};
use regi::domain::day::Tally;
use regi::domain::document::{Block, Document};
use regi::domain::money::Money;
use regi::domain::number::{DocKind, DocNo};
use regi::domain::settings::Settings;
use regi::reports::formal_receipt::{FormalReceipt, formal_receipt};
use regi::reports::letterhead::{Act, Letterhead};
use regi::reports::receipt::{BLOCKS, receipt};
use regi::reports::sale_paper;
use regi::reports::slips::{CashMove, SuspendSlip, cash_slip, suspend_slip};
use regi::reports::void_slip::void_slip;
use regi::reports::x_z::{CashShown, XReport, ZReport, x_report, z_report};

/// The paper in both languages and widths, one below the other.
fn four(settings: &Settings, make: impl Fn(&Letterhead<'_>) -> Document) -> String {
    let mut out = String::new();
    for (language, columns) in [("ja", 48), ("ja", 32), ("en", 48), ("en", 32)] {
        let words = words(language);
        let document = make(&Letterhead { settings, words: &words });
        out.push_str(&format!("[{language} {columns}]\n{}\n", print(&document, columns)));
        fits_every_roll(&document);
    }
    out
}

/// No row is wider than its roll (`print` sees to that), and no amount is cut, dropped or broken over two.
fn fits_every_roll(document: &Document) {
    let amounts = |text: &str| {
        let after: Vec<&str> = text.split('¥').skip(1).collect();
        let digits = |sign: char| !(sign.is_ascii_digit() || sign == ',');
        let mut amounts: Vec<String> =
            after.iter().filter_map(|rest| Some(rest.split(digits).next()?.to_owned())).collect();
        amounts.sort();
        amounts
    };
    let widest = amounts(&print(document, 48));
    for columns in [42, 35, 32] {
        let text = print(document, columns);
        assert_eq!(amounts(&text), widest, "{columns} columns:\n{text}");
    }
}

fn japanese(settings: &Settings, make: impl Fn(&Letterhead<'_>) -> Document) -> String {
    let words = words("ja");
    print(&make(&Letterhead { settings, words: &words }), 48)
}

#[test]
fn a_receipt_with_a_coupon_over_two_rates() {
    let shop = grocery_shop();
    let sale = grocery_sale(&shop);
    insta::assert_snapshot!(four(&shop, |head| receipt(head, &act("2026-11-22 10:23", 3), &sale)));
}

#[test]
fn a_receipt_with_added_tax_medicine_and_a_card() {
    let shop = medicine_shop();
    let sale = medicine_sale(&shop);
    insta::assert_snapshot!(four(&shop, |head| receipt(head, &act("2026-11-22 18:41", 2), &sale)));
}

#[test]
fn a_receipt_with_weight_discounts_an_override_vouchers_and_stamp_duty() {
    let shop = grocery_shop();
    let sale = mixed_sale(&shop);
    insta::assert_snapshot!(four(&shop, |head| receipt(head, &act("2026-11-22 12:00", 3), &sale)));
}

#[test]
fn a_training_receipt_cannot_be_taken_for_one() {
    let shop = grocery_shop();
    let sale = training_sale(&shop);
    let act = Act { training: true, ..act("2026-11-22 10:23", 3) };
    insta::assert_snapshot!(four(&shop, |head| receipt(head, &act, &sale)));
}

#[test]
fn a_return_slip_names_both_days_and_gives_the_share_back() {
    let shop = grocery_shop();
    let sale = return_of_detergent(&shop);
    insta::assert_snapshot!(four(&shop, |head| sale_paper(
        head,
        &act("2026-11-25 15:02", 3),
        &sale
    )));
}

#[test]
fn goods_changed_for_others_stand_on_one_receipt() {
    let shop = grocery_shop();
    let sale = exchange_sale(&shop);
    insta::assert_snapshot!(four(&shop, |head| sale_paper(
        head,
        &act("2026-11-25 15:02", 3),
        &sale
    )));
}

#[test]
fn a_void_slip_undoes_a_receipt() {
    let shop = grocery_shop();
    let sale = grocery_sale(&shop);
    let act = act("2026-11-22 10:31", 1);
    insta::assert_snapshot!(four(&shop, |head| void_slip(head, &act, &sale, "打ち間違い")));
}

#[test]
fn a_formal_receipt_is_made_out_to_a_name() {
    let shop = grocery_shop();
    let sale = mixed_sale(&shop);
    let number = DocNo { lane: 1, epoch: 0, kind: DocKind::Formal, number: 3 };
    let formal = FormalReceipt {
        number,
        sale: &sale,
        name: "株式会社みどり商事",
        amount: sale.totals.total,
        stamp_duty: sale.stamp_duty,
        purpose: None,
        sold_at_ms: act("2026-11-22 12:00", 3).at_ms,
    };
    let act = Act { copy: 1, ..act("2026-11-24 09:05", 1) };
    insta::assert_snapshot!(four(&shop, |head| formal_receipt(head, &act, &formal)));
}

#[test]
fn small_slips_say_what_happened_and_who_signs() {
    let shop = grocery_shop();
    let act = act("2026-11-22 10:23", 3);
    let slip = DocNo { lane: 1, epoch: 0, kind: DocKind::Slip, number: 7 };
    let parked =
        SuspendSlip { slip, name: "赤い帽子の方", lines: 3, total: Money::new(1_240) };
    let paid = CashMove::PaidOut { amount: Money::new(800), reason: "切手代" };
    let opened = CashMove::NoSale { reason: "両替" };
    insta::assert_snapshot!(
        [
            four(&shop, |head| suspend_slip(head, &act, &parked)),
            four(&shop, |head| cash_slip(head, &act, paid)),
            four(&shop, |head| cash_slip(head, &act, opened)),
        ]
        .join("\n")
    );
}

#[test]
fn a_z_has_every_block_of_the_day() {
    let shop = grocery_shop();
    let (day, closing) = day_closing();
    let report =
        ZReport { day: &day, closing: &closing, parked: Tally::default(), code: "REGI-Z1 …" };
    insta::assert_snapshot!(four(&shop, |head| z_report(
        head,
        &act("2026-11-22 20:07", 1),
        &report
    )));
}

#[test]
fn an_x_clears_nothing_and_hides_what_is_to_be_counted() {
    let shop = grocery_shop();
    let (day, _) = day_closing();
    let act = act("2026-11-22 13:00", 3);
    let of = |cash| XReport { day: &day, count: 2, cash, parked: Tally::default() };
    let hidden = japanese(&shop, |head| x_report(head, &act, &of(CashShown::Hidden)));
    let all = japanese(&shop, |head| x_report(head, &act, &of(CashShown::All)));
    for told in ["理論在高", "釣銭準備金", "140,720"] {
        assert!(!hidden.contains(told) && all.contains(told), "{told}");
    }
    for paper in [&hidden, &all] {
        assert!(paper.contains("点検レポート(X)") && paper.contains("点検回数 2"));
        assert!(!paper.contains("リセット") && !paper.contains("累計 GT"), "{paper}");
    }
}

#[test]
fn a_shop_without_a_number_prints_no_invoice_wording() {
    let mut shop = grocery_shop();
    shop.shop.registration_number = None;
    let (sale, back) = (grocery_sale(&shop), return_of_detergent(&shop));
    let at = act("2026-11-25 15:02", 3);
    for paper in [
        japanese(&shop, |head| receipt(head, &at, &sale)),
        japanese(&shop, |head| sale_paper(head, &at, &back)),
    ] {
        assert!(!paper.contains("登録番号") && !paper.contains("適格"), "{paper}");
        assert!(paper.contains("10%対象"), "the goods of each rate are still told");
    }
}

#[test]
fn the_shop_orders_its_blocks_but_cannot_lose_those_that_must_be_there() {
    let mut shop = grocery_shop();
    shop.receipt.blocks = ["footer", "title", "nonsense", "lines"].map(String::from).to_vec();
    let sale = grocery_sale(&shop);
    let paper = japanese(&shop, |head| receipt(head, &act("2026-11-22 10:23", 3), &sale));
    let place = |text: &str| paper.find(text).unwrap_or_else(|| panic!("{text} in {paper}"));
    assert!(place("返品は2週間以内") < place("領 収 書"));
    assert!(place("領 収 書") < place("牛乳 1L"));
    for needed in
        ["登録番号", "お釣り", "※印は", "No.01-008834", "内消費税等", "記録 0123456789abcdef"]
    {
        place(needed);
    }
    assert!(!paper.contains("会員番号"), "what may be left out is");
    shop.receipt.blocks = BLOCKS.map(String::from).to_vec();
    let named = japanese(&shop, |head| receipt(head, &act("2026-11-22 10:23", 3), &sale));
    shop.receipt.blocks.clear();
    let shipped = japanese(&shop, |head| receipt(head, &act("2026-11-22 10:23", 3), &sale));
    assert_eq!(named, shipped);
}

#[test]
fn a_reprint_says_so_and_keeps_number_and_date() {
    let shop = grocery_shop();
    let sale = grocery_sale(&shop);
    let first = act("2026-11-22 10:23", 3);
    let paper = japanese(&shop, |head| receipt(head, &Act { copy: 2, ..first }, &sale));
    for part in ["再発行 2", "No.01-008834", "2026年11月22日(日) 10:23", "記録 0123456789abcdef"]
    {
        assert!(paper.contains(part), "{part}");
    }
    assert!(!japanese(&shop, |head| receipt(head, &first, &sale)).contains("再発行"));
}

#[test]
fn a_return_without_a_receipt_says_so() {
    let shop = grocery_shop();
    let sale = open_return(&shop);
    let paper = japanese(&shop, |head| sale_paper(head, &act("2026-11-25 15:02", 3), &sale));
    assert!(paper.contains("元の取引 レシートなし") && paper.contains("現金返金"), "{paper}");
    assert!(!paper.contains("適格"), "without the day of the sale it is no adjustment invoice");
}

#[test]
fn the_receipt_can_be_scanned_and_the_member_is_not_named() {
    let shop = grocery_shop();
    let sale = grocery_sale(&shop);
    let words = words("ja");
    let head = Letterhead { settings: &shop, words: &words };
    let document = receipt(&head, &act("2026-11-22 10:23", 3), &sale);
    let number = "01-008834".to_owned();
    assert!(document.blocks.contains(&Block::Barcode(number.clone())));
    assert!(document.blocks.contains(&Block::Qr(number)));
    let text = print(&document, 48);
    assert!(text.contains("********1234") && !text.contains("290000000123"));
}

#[test]
fn a_z_sums_to_the_receipts_of_its_day() {
    let shop = grocery_shop();
    let sales = [grocery_sale(&shop), mixed_sale(&shop), return_of_detergent(&shop)];
    let day = day(&sales);
    let sum = |of: fn(&regi::domain::sale::Sale) -> Money| sales.iter().map(of).sum::<Money>();
    assert_eq!(day.net, sum(|sale| sale.totals.total));
    let off = day.amounts_off.amount + day.percents_off.amount + day.points_off.amount;
    assert_eq!(day.gross - off - day.returns.amount, day.net);
    let tenders: Money = day.tenders.values().map(|tally| tally.amount).sum();
    assert_eq!(tenders, day.net);
    let taxes: Money = day.taxes.values().map(|sum| sum.tax).sum();
    let printed =
        |sale: &regi::domain::sale::Sale| sale.totals.taxes.iter().map(|group| group.tax).sum();
    assert_eq!(taxes, sum(printed));
    let with_tax = |included: bool, sum: &regi::domain::day::TaxSum| {
        if included { sum.base } else { sum.base + sum.tax }
    };
    let bases: Money = day.taxes.iter().map(|(key, sum)| with_tax(key.included, sum)).sum();
    assert_eq!(bases, day.net, "the tax block adds up to the net sales");
}

#[test]
fn both_languages_have_every_word_of_a_paper() {
    let read = |text: &str| -> std::collections::BTreeMap<String, String> {
        toml::from_str(text).unwrap()
    };
    let ja = read(include_str!("../languages/papers.ja.toml"));
    let en = read(include_str!("../languages/papers.en.toml"));
    assert_eq!(ja.keys().collect::<Vec<_>>(), en.keys().collect::<Vec<_>>());
    let arguments = |text: &str| {
        let mut names: Vec<String> = text
            .split('{')
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('}')?.0.to_owned()))
            .collect();
        names.sort();
        names
    };
    for (key, text) in &ja {
        assert_eq!(arguments(text), arguments(&en[key]), "{key}");
    }
}
