//! The sample shop: settings, items and members of a made-up grocer, for `regi demo` and tests.
//!
//! Room: app. May touch: its own files, compiled in.
//! Invariant: it comes in through the same imports as any shop's files, and nothing is refused.

/// `regi import shop`; its PINs are the staff number six times, which no other shop may use.
pub const SHOP: &str = include_str!("shop.toml");
/// `keymaps/own.toml`: a bag takes one key.
pub const KEYS: &str = include_str!("keys.toml");
/// `regi import items`.
pub const ITEMS: &str = include_str!("items.csv");
/// `regi import members`, with the points they start with.
pub const MEMBERS: &str = include_str!("members.csv");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::check::mod10w3_holds;
    use crate::domain::code::{CodeRules, Scanned, recognise};
    use crate::domain::entry::ImportedMember;
    use crate::domain::item::{Item, Unit};
    use crate::domain::member::Sealed;
    use crate::domain::settings::Settings;
    use crate::exchange::items::items;
    use crate::exchange::mapping::Mapping;
    use crate::exchange::members::members;
    use crate::exchange::shop_file::read_shop;
    use std::collections::BTreeSet;
    use std::io::Cursor;

    fn shop() -> Settings {
        let mut settings = Settings::default();
        read_shop(SHOP, &settings).unwrap().apply(&mut settings).unwrap();
        settings
    }

    fn goods() -> Vec<Item> {
        let settings = shop();
        let mut import = items(Cursor::new(ITEMS), &settings, &Mapping::usual(), |_| None).unwrap();
        let all = import.by_ref().collect();
        assert_eq!(import.report().faults, []);
        assert!(import.report().unknown_columns.is_empty() && import.report().notices.is_empty());
        all
    }

    fn people() -> Vec<ImportedMember> {
        let settings = shop();
        let mut import = members(Cursor::new(MEMBERS), &settings, &Mapping::usual()).unwrap();
        let all = import.by_ref().collect();
        assert_eq!(import.report().faults, []);
        all
    }

    #[test]
    fn the_shop_has_four_staff_of_falling_level_with_their_known_pins() {
        let mut patch = read_shop(SHOP, &Settings::default()).unwrap();
        let pins = patch.take_pins();
        let pins: Vec<_> = pins.iter().map(|(staff, pin)| (*staff, pin.reveal())).collect();
        assert_eq!(pins, [(1, "111111"), (2, "222222"), (3, "333333"), (4, "444444")]);
        let levels: Vec<u8> = shop().staff.iter().map(|staff| staff.level).collect();
        assert_eq!(levels, [9, 7, 3, 1]);
    }

    #[test]
    fn every_barcode_scans_as_the_item_it_is_on() {
        let rules = CodeRules { in_store: shop().in_store, ..CodeRules::default() };
        let goods = goods();
        assert!(goods.len() >= 300);
        for item in &goods {
            if matches!(item.code.len(), 8 | 13) {
                assert!(mod10w3_holds(&item.code), "{}", item.code);
                let scanned = recognise(&item.code, &rules).unwrap();
                assert!(scanned.lookups().contains(&item.code), "{} {scanned:?}", item.code);
            }
            if !item.case_code.is_empty() {
                let scanned = recognise(&item.case_code, &rules).unwrap();
                let holds = matches!(&scanned, Scanned::Case { inner, .. } if inner.to_string() == item.code);
                assert!(holds && item.case_of.is_some(), "{}", item.case_code);
            }
        }
    }

    #[test]
    fn labels_with_price_and_weight_lead_to_their_items() {
        let rules = CodeRules { in_store: shop().in_store, ..CodeRules::default() };
        let codes: BTreeSet<String> = goods().into_iter().map(|item| item.code).collect();
        for rule in &shop().in_store {
            let labelled =
                codes.iter().filter(|code| code.len() == 7 && code.starts_with(&rule.prefix));
            let labelled: Vec<_> = labelled.collect();
            assert!(!labelled.is_empty(), "{}", rule.prefix);
            for code in labelled {
                let label = rule.build(&code[2..], 1250).unwrap();
                assert!(recognise(&label, &rules).unwrap().lookups().contains(code), "{label}");
            }
        }
        assert!(codes.contains("0237009") && codes.contains("4901234567894"));
    }

    #[test]
    fn every_kind_of_goods_is_there_with_its_rules() {
        let (goods, settings) = (goods(), shop());
        let class = |item: &Item| {
            let department =
                settings.department(item.department).map(|known| known.tax_class.clone());
            item.tax_class.clone().or(department).unwrap_or_default()
        };
        for wanted in ["reduced", "standard", "exempt", "untaxed"] {
            assert!(goods.iter().any(|item| class(item) == wanted), "{wanted}");
        }
        let tobacco: Vec<_> = goods.iter().filter(|item| item.department == 5).collect();
        assert!(!tobacco.is_empty());
        for item in tobacco {
            let flags = item.flags;
            assert!(flags.age20 && flags.fixed_price && flags.no_discount && flags.no_points);
        }
        assert!(goods.iter().filter(|item| item.department == 4).all(|item| item.flags.age20));
        assert!(goods.iter().any(|item| item.flags.self_medication));
        for unit in [Unit::Per100g, Unit::Kg] {
            assert!(goods.iter().any(|item| item.unit == unit && item.flags.weighed), "{unit:?}");
        }
        let milk = goods.iter().find(|item| item.code == "4901234567894").unwrap();
        assert_eq!(
            (milk.name.as_str(), milk.price, class(milk)),
            ("牛乳 1L", 248.into(), "reduced".into())
        );
    }

    #[test]
    fn forty_members_have_cards_that_scan_phones_of_their_own_and_known_ranks() {
        let people = people();
        assert_eq!(people.len(), 40);
        assert_eq!(people[0].card.code, "2900000000018");
        let mut phones = BTreeSet::new();
        let mut ranks = BTreeSet::new();
        for member in &people {
            let scanned = recognise(&member.card.code, &CodeRules::default()).unwrap();
            assert_eq!(scanned, Scanned::Member { code: member.card.code.clone() });
            let Sealed::Clear(personal) = &member.card.personal else { panic!("in the clear") };
            assert!(!personal.kana.is_empty() && phones.insert(personal.phone.clone()));
            assert!(member.points.is_some() && member.card.joined.is_some());
            ranks.insert(member.card.rank.clone());
        }
        assert_eq!(ranks, ["gold", "regular", "silver"].map(String::from).into());
    }
}
