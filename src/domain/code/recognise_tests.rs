//! What each code is taken for, and what is refused.

use proptest::prelude::*;

use super::*;
use crate::domain::code::card::{CardCheck, Charset, Strip};
use crate::domain::code::explain::explain;
use crate::domain::code::in_store::{InStoreValue, OwnLayout};
use crate::domain::money::yen;

fn rules() -> CodeRules {
    let label = |prefix: &str, layout| InStoreRule {
        prefix: prefix.into(),
        layout,
        price_mode: None,
        verify_pcd: true,
    };
    CodeRules { in_store: vec![label("02", Layout::A), label("27", Layout::F)], ..<_>::default() }
}

/// Returns the kind and the first code that is looked up.
fn kind_of(raw: &str) -> String {
    match recognise(raw, &rules()) {
        Ok(scanned) => {
            let codes = scanned.lookups();
            let kind = explain(&scanned)[0].1.clone();
            codes.first().map_or(kind.clone(), |code| format!("{kind} {code}"))
        }
        Err(fault) => format!("{fault:?}"),
    }
}

#[test]
fn each_shape_is_taken_for_what_it_is() {
    for (raw, want) in [
        ("4912345678904", "jan13 4912345678904"),
        ("４９１２３４５６７８９０４", "jan13 4912345678904"),
        (" 4901234567894\r\n", "jan13 4901234567894"),
        ("04901234567894", "gtin14 4901234567894"),
        ("012345000065", "upc_a 0012345000065"),
        ("0012345000065", "jan13 0012345000065"),
        ("45123450", "jan8 45123450"),
        ("0000045123450", "jan8 45123450"),
        ("00000045123450", "jan8 45123450"),
        ("01234565", "jan8 01234565"),
        ("04252614", "upc_e 0042100005264"),
        ("14912345678901", "case 14912345678901"),
        ("2112345678900", "jan13 2112345678900"),
        ("0237009401082", "in_store 0237009"),
        ("237009401082", "in_store 0237009"),
        ("00237009401082", "in_store 0237009"),
        ("9784344405042", "book 9784344405042"),
        ("978-4-344-40504-2", "book 9784344405042"),
        ("978434440504200571", "book 9784344405042"),
        ("4167105713", "book 9784167105716"),
        ("1920193005714", "book_price"),
        ("4910099710741", "magazine 4910099710741"),
        ("491009971074100952", "magazine 4910099710741"),
        ("4910099710741 00952", "magazine 4910099710741"),
        ("2900000000018", "member"),
        (r#"{"id":"2900000000018","t":1764200000}"#, "member"),
        (r#"{"shop":7,"no":2900000000018}"#, "member"),
        (r#"{"member_code":"A0012","name":"x"}"#, "member"),
        (r#"{"v":1,"url":"x"}"#, r#"sku {"v":1,"url":"x"}"#),
        ("01149123456789011726123110ABC", "gs1 14912345678901"),
        ("]C101149123456789011726123110ABC", "gs1 14912345678901"),
        ("(01)14912345678901(17)261231", "gs1 14912345678901"),
        ("https://id.gs1.org/01/04912345678904/10/ABC", "gs1 4912345678904"),
        ("https://id.gs1.org/01/04912345678904", "gtin14 4912345678904"),
        ("]e00104912345678904", "gtin14 4912345678904"),
        ("]E04912345678904", "jan13 4912345678904"),
        ("]E445123450", "jan8 45123450"),
        ("]d210AB\u{1D}0104912345678904", "gs1 4912345678904"),
        ("]C12551234567890123", "coupon"),
        ("91912345123456789012345678900026123100123458", "bill"),
        ("]C191912345123456789012345678900026123100123458", "bill"),
        ("01-000123", "receipt"),
        ("01b-R000012", "receipt"),
        ("01-S0001", "slip"),
        ("CP01-0001", "coupon"),
        ("9912345678909", "coupon"),
        ("7", "plu 7"),
        ("000123", "plu 000123"),
        ("0237009", "sku 0237009"),
        ("ABC-1", "sku ABC-1"),
    ] {
        assert_eq!(kind_of(raw), want, "{raw:?}");
    }
}

#[test]
fn a_short_label_is_read_by_the_shop_s_own_layout_before_it_is_goods() {
    let own = OwnLayout { length: 8, price: 3, grams: 0, verifier: false, times: 10 };
    let layout = Layout::Own(own);
    let label = InStoreRule { prefix: "2".into(), layout, price_mode: None, verify_pcd: true };
    let rules = CodeRules { in_store: vec![label], ..CodeRules::default() };
    for code in ["21231285", "]E421231285"] {
        let Ok(Scanned::InStore(scan)) = recognise(code, &rules) else { panic!("{code}") };
        let price = InStoreValue::Price { amount: yen(1_280), mode: None };
        assert_eq!((scan.master.as_str(), scan.value), ("2123", price));
    }
    let wrong = recognise("21231280", &rules);
    assert_eq!(wrong, Err(CodeFault::CheckDigit { expected: '5' }));
    assert!(matches!(recognise("49123456", &rules), Ok(Scanned::Item { .. })));
    assert!(matches!(recognise("21231285", &CodeRules::default()), Ok(Scanned::Item { .. })));
}

#[test]
fn a_misread_or_hostile_scan_is_refused() {
    for (raw, want) in [
        ("4901234567890", CodeFault::CheckDigit { expected: '4' }),
        ("49123450", CodeFault::CheckDigit { expected: '6' }),
        ("012345000060", CodeFault::CheckDigit { expected: '5' }),
        ("1920193005710", CodeFault::CheckDigit { expected: '4' }),
        ("2900000000010", CodeFault::CheckDigit { expected: '8' }),
        ("0104912345678900", CodeFault::CheckDigit { expected: '4' }),
        ("0237009501089", CodeFault::PriceCheckDigit { expected: '4' }),
        ("]C105123", CodeFault::Shape),
        ("https://example.jp/shop", CodeFault::Shape),
        (r#"{"id":"2900000000010"}"#, CodeFault::CheckDigit { expected: '8' }),
        (r#"{"id":"4111111111111111"}"#, CodeFault::PaymentCard),
        ("4111111111111111", CodeFault::PaymentCard),
        ("4111111111111111,2", CodeFault::PaymentCard),
        ("%B4111111111111111^SHOP", CodeFault::PaymentCard),
        ("", CodeFault::Shape),
        ("\u{3}4901234567894", CodeFault::Control),
        ("49012345\u{1B}67894", CodeFault::Control),
        ("49012345\u{202E}67894", CodeFault::Shape),
        ("牛乳", CodeFault::Shape),
    ] {
        assert_eq!(recognise(raw, &rules()), Err(want), "{raw:?}");
    }
    assert_eq!(recognise(&"9".repeat(81), &rules()), Err(CodeFault::TooLong));
    assert_eq!(recognise(&"9".repeat(4_096), &rules()), Err(CodeFault::TooLong));
    assert_eq!(recognise(&"\u{FF}".repeat(2_953), &rules()), Err(CodeFault::TooLong));
}

#[test]
fn an_in_store_prefix_means_something_only_by_a_rule() {
    let none = CodeRules { in_store: vec![], cards: vec![], ..rules() };
    for raw in ["0237009401082", "2900000000018", "2712345678902"] {
        let item = recognise(raw, &none).unwrap();
        assert!(matches!(item, Scanned::Item { kind: ItemKind::Jan13, .. }), "{raw}");
    }
    let ours = recognise("2712345678902", &rules());
    assert_eq!(ours, Ok(Scanned::Member { code: "2712345678902".into() }));
}

#[test]
fn the_longer_prefix_decides_between_a_label_and_a_card() {
    let weighed =
        InStoreRule { prefix: "29".into(), layout: Layout::E, price_mode: None, verify_pcd: true };
    let mut rules = CodeRules { in_store: vec![weighed], ..CodeRules::default() };
    let Ok(Scanned::InStore(label)) = recognise("2900001012508", &rules) else { panic!("a label") };
    assert_eq!(label.value, InStoreValue::Weight { grams: 1250 });
    rules.cards[0].prefix = "29000000".into();
    let card = recognise("2900000000018", &rules);
    assert_eq!(card, Ok(Scanned::Member { code: "2900000000018".into() }));
}

#[test]
fn a_card_without_a_prefix_is_what_nothing_else_is() {
    let hex = CardPattern {
        prefix: String::new(),
        length: 16,
        charset: Charset::Hex,
        check: CardCheck::None,
        strip: Strip::Nothing,
    };
    let own = CardPattern { prefix: "411111".into(), charset: Charset::Digits, ..hex.clone() };
    let rules = |card: &CardPattern| CodeRules { cards: vec![card.clone()], ..rules() };
    let member = |code: &str| Ok(Scanned::Member { code: code.into() });
    assert_eq!(recognise("012e4c5d6f708192", &rules(&hex)), member("012E4C5D6F708192"));
    assert_eq!(recognise("4111111111111111", &rules(&hex)), Err(CodeFault::PaymentCard));
    assert_eq!(recognise("4111111111111111", &rules(&own)), member("4111111111111111"));
    let goods = recognise("0104912345678904", &rules(&hex)).unwrap();
    assert_eq!(goods.lookups(), ["4912345678904"]);
}

#[test]
fn both_readings_of_eight_digits_are_handed_on() {
    let scanned = recognise("01234565", &rules()).unwrap();
    assert_eq!(scanned.lookups(), ["01234565", "0012345000065"]);
}

#[test]
fn a_case_is_looked_up_as_itself_then_by_what_is_inside() {
    let scanned = recognise("14912345678901", &rules()).unwrap();
    assert_eq!(scanned.lookups(), ["14912345678901", "4912345678904"]);
}

#[test]
fn a_magazine_brings_its_price() {
    let Ok(Scanned::Magazine(magazine)) = recognise("4910099710741+00952", &rules()) else {
        panic!("a magazine")
    };
    assert_eq!(magazine.price, Some(yen(952)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn any_text_gets_an_answer(raw in "\\PC{0,90}|[0-9]{0,50}|[\\]A-Z0-9()\\x1d-]{0,60}") {
        if let Ok(scanned) = recognise(&raw, &rules()) {
            prop_assert!(!explain(&scanned).is_empty());
        }
    }

    #[test]
    fn one_wrong_digit_in_a_jan_never_sells(data in "4[59][0-9]{10}", place in 3_usize..13, by in 1_u8..10) {
        let good = Gtin::complete(&data).unwrap();
        let mut bytes = format!("{data}{}", good.to_string().pop().unwrap()).into_bytes();
        bytes[place] = b'0' + (bytes[place] - b'0' + by) % 10;
        let misread = String::from_utf8(bytes).unwrap();
        let refused = recognise(&misread, &rules());
        prop_assert!(matches!(refused, Err(CodeFault::CheckDigit { .. })), "{misread}");
    }
}
