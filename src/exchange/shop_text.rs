//! The shop's settings as a TOML file, out: the same that the import reads.
//!
//! Room: exchange. May touch: std.
//! Invariant: reading the file into an empty shop gives the same settings; PINs are not in it.

use chrono::NaiveDate;
use toml::{Table, Value};

use crate::domain::command::Discount;
use crate::domain::money::Money;
use crate::domain::points::PointRules;
use crate::domain::register::ymd;
use crate::domain::settings::{
    ClassPatch, CodesPatch, Coupon, CouponPatch, DepartmentPatch, InStorePatch, Limits,
    LimitsPatch, LoyaltyPatch, PointsPatch, RankPatch, ReceiptPatch, ReceiptTexts, Settings,
    SettingsPatch, ShopPatch, StaffPatch, TaxPatch, TenderPatch,
};
use crate::domain::tax::{RateFrom, TaxClass};

/// Returns the settings as a file.
pub fn shop_text(settings: &Settings) -> String {
    let mut table = pruned(table_of(patch_of(settings)));
    table.extend(table_of(codes_of(settings)));
    if let Some(Value::Table(points)) = table.get_mut("points") {
        points.extend(table_of(loyalty_of(&settings.points)));
    }
    if let Some(Value::Array(departments)) = table.get_mut("department") {
        for (row, department) in departments.iter_mut().zip(&settings.departments) {
            let words = department.flags.words();
            if let (Value::Table(row), false) = (row, words.is_empty()) {
                row.insert("flags".to_owned(), Value::String(words));
            }
        }
    }
    let sections = SECTIONS.into_iter().filter_map(|name| {
        let section = Table::from_iter([(name.to_owned(), table.remove(name)?)]);
        Some(toml::to_string(&section).expect("a table of TOML values"))
    });
    let mut sections: Vec<String> = sections.collect();
    sections.sort_by_key(|section| section.starts_with('[')); // A bare key belongs to no section.
    assert!(table.is_empty(), "a section without its place: {table:?}");
    sections.join("\n")
}

/// Sections in the order a shop thinks of them.
const SECTIONS: [&str; 14] = [
    "shop",
    "tax",
    "points",
    "rank",
    "department",
    "staff",
    "in_store",
    "card",
    "near_date",
    "tender",
    "coupon",
    "limits",
    "levels",
    "receipt",
];

fn table_of(patch: impl serde::Serialize) -> Table {
    Table::try_from(patch).expect("settings hold what TOML can hold")
}

/// What an empty shop's codes are not. Cards as shipped are left out: labels may go before them that
/// no cards of the shop's own could stand beside.
fn codes_of(settings: &Settings) -> CodesPatch {
    let usual = Settings::default();
    CodesPatch {
        card: (settings.cards != usual.cards).then(|| settings.cards.clone()),
        near_date: (settings.near_dates != usual.near_dates).then(|| settings.near_dates.clone()),
    }
}

fn loyalty_of(rules: &PointRules) -> LoyaltyPatch {
    LoyaltyPatch {
        expires_from: Some(rules.expires_from),
        on_discounts: Some(rules.on_discounts),
        multiply: Some(rules.multiply),
    }
}

/// The change that makes an empty shop this one.
pub fn patch_of(settings: &Settings) -> SettingsPatch {
    SettingsPatch {
        shop: shop(settings),
        tax: tax(settings),
        points: points(&settings.points),
        rank: ranks(settings),
        department: departments(settings),
        staff: staff(settings),
        in_store: in_store(settings),
        tender: tenders(settings),
        coupon: settings.coupons.iter().map(coupon).collect(),
        limits: limits(&settings.limits),
        levels: settings.levels.clone(),
        receipt: receipt(&settings.receipt),
    }
}

/// Takes out what says nothing: PINs (they are written as nothing), `removed = false`, empty tables.
fn pruned(table: Table) -> Table {
    let kept = table.into_iter().filter_map(|(key, value)| {
        let value = match value {
            Value::Table(table) => Value::Table(pruned(table)),
            Value::Array(values) => Value::Array(values.into_iter().map(pruned_value).collect()),
            other => other,
        };
        let says_nothing = match &value {
            Value::Table(table) => table.is_empty(),
            Value::Array(values) => values.is_empty(),
            Value::Boolean(removed) => key == "removed" && !removed,
            Value::String(_) => key == "pin",
            _ => false,
        };
        (!says_nothing).then_some((key, value))
    });
    kept.collect()
}

fn pruned_value(value: Value) -> Value {
    if let Value::Table(table) = value { Value::Table(pruned(table)) } else { value }
}

fn shop(settings: &Settings) -> ShopPatch {
    let shop = &settings.shop;
    let minutes = shop.day_ends_minutes;
    ShopPatch {
        name: Some(shop.name.clone()),
        address: Some(shop.address.clone()),
        phone: Some(shop.phone.clone()),
        registration_number: shop.registration_number.clone(),
        day_ends: Some(format!("{:02}:{:02}", minutes / 60, minutes % 60)),
        currency: Some(shop.currency.clone()),
    }
}

fn tax(settings: &Settings) -> TaxPatch {
    let tax = &settings.tax;
    TaxPatch {
        rounding: Some(tax.rounding),
        price_mode: Some(tax.price_mode),
        price_rounding: Some(tax.price_rounding),
        mixed_to: Some(tax.mixed_to),
        class: settings.tax_classes.rows().map(class).collect(),
    }
}

fn class((class, row): (&TaxClass, &RateFrom)) -> ClassPatch {
    let date: NaiveDate = row.from;
    ClassPatch {
        name: class.name().to_owned(),
        rate: row.rate,
        from: Some(date.to_string()),
        mark: (!row.mark.is_empty()).then(|| row.mark.clone()),
        removed: false,
    }
}

fn points(rules: &PointRules) -> PointsPatch {
    PointsPatch {
        unit_yen: Some(rules.unit_yen),
        points: Some(rules.points),
        basis: Some(rules.basis),
        scope: Some(rules.scope),
        rounding: Some(rules.rounding),
        use_as: Some(rules.use_as),
        on_used: Some(rules.on_used),
        returns: Some(rules.returns),
        expires_months: rules.expires_months,
        minimum: Some(rules.minimum),
        use_step: Some(rules.use_step),
        rule: (!rules.rules.is_empty()).then(|| rules.rules.clone()),
    }
}

fn ranks(settings: &Settings) -> Vec<RankPatch> {
    let row = |rank: &crate::domain::settings::Rank| RankPatch {
        name: rank.name.clone(),
        rate: Some(rank.rate),
        removed: false,
    };
    settings.ranks.iter().map(row).collect()
}

fn departments(settings: &Settings) -> Vec<DepartmentPatch> {
    let row = |department: &crate::domain::settings::Department| DepartmentPatch {
        number: department.number,
        name: Some(department.name.clone()),
        tax_class: Some(department.tax_class.clone()),
        lowest: department.lowest.map(Money::minor),
        highest: department.highest.map(Money::minor),
        removed: false,
    };
    settings.departments.iter().map(row).collect()
}

fn staff(settings: &Settings) -> Vec<StaffPatch> {
    let row = |staff: &crate::domain::settings::Staff| StaffPatch {
        number: staff.number,
        name: Some(staff.name.clone()),
        level: Some(staff.level),
        ..StaffPatch::default()
    };
    settings.staff.iter().map(row).collect()
}

fn in_store(settings: &Settings) -> Vec<InStorePatch> {
    let row = |rule: &crate::domain::code::InStoreRule| InStorePatch {
        prefix: rule.prefix.clone(),
        layout: Some(rule.layout),
        price_mode: rule.price_mode,
        verify_pcd: Some(rule.verify_pcd),
        removed: false,
    };
    settings.in_store.iter().map(row).collect()
}

fn tenders(settings: &Settings) -> std::collections::BTreeMap<String, TenderPatch> {
    let rows = settings.tenders.iter().map(|(kind, tender)| {
        let patch =
            TenderPatch { change: Some(tender.change), stamp_liable: Some(tender.stamp_liable) };
        (kind.word().to_owned(), patch)
    });
    rows.collect()
}

fn coupon(coupon: &Coupon) -> CouponPatch {
    let (amount, percent) = match coupon.off {
        Discount::Amount(amount) => (Some(amount.minor()), None),
        Discount::Percent(percent) | Discount::NearDate(percent) => (None, Some(percent)),
    };
    CouponPatch {
        code: coupon.code.clone(),
        name: Some(coupon.name.clone()),
        amount,
        percent,
        minimum: Some(coupon.minimum.minor()),
        from: coupon.from.map(ymd),
        to: coupon.to.map(ymd),
        removed: false,
    }
}

fn limits(limits: &Limits) -> LimitsPatch {
    LimitsPatch {
        override_percent: Some(limits.override_percent),
        discount: Some(limits.discount.minor()),
        discount_percent: Some(limits.discount_percent),
        refund: Some(limits.refund.minor()),
        cash_over: Some(limits.cash_over.minor()),
        label_times: Some(limits.label_times),
        level: Some(limits.level),
    }
}

fn receipt(receipt: &ReceiptTexts) -> ReceiptPatch {
    let some = |lines: &Vec<String>| (!lines.is_empty()).then(|| lines.clone());
    ReceiptPatch {
        header: some(&receipt.header),
        footer: some(&receipt.footer),
        logo: Some(receipt.logo),
        blocks: some(&receipt.blocks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::shop_file::read_shop;

    const FILE: &str = r#"
[shop]
name = "みどり商店"
registration_number = "T7123456789012"
day_ends = "04:30"
[tax]
rounding = "half_up"
[[tax.class]]
name = "reduced"
rate = "0"
from = "2027-04-01"
mark = "※"
[points]
unit_yen = 200
expires_months = 12
expires_from = "used"
on_discounts = true
multiply = "amount"
[[points.rule]]
weekday = "sun"
rate = "2"
[[rank]]
name = "gold"
rate = "1.5"
[[department]]
number = 1
name = "食品"
tax_class = "reduced"
[[staff]]
number = 1
name = "店長"
level = 9
pin = "314159"
[[in_store]]
prefix = "02"
layout = "A"
price_mode = "included"
[[in_store]]
prefix = "2"
layout = { own = { length = 8, price = 3, times = 10 } }
[[card]]
prefix = "29"
length = 13
check = "mod10w3"
[[card]]
length = 8
charset = "nw7"
check = "mod16"
strip = "start_stop"
[[near_date]]
days = 0
percent = "50"
[[near_date]]
days = 2
percent = 20
[tender.emoney]
stamp_liable = true
[[coupon]]
code = "CP2026"
name = "100円引クーポン"
amount = 100
to = "2026-12-31"
[levels]
no_sale = 7
[receipt]
footer = ["またのお越しを"]
"#;

    #[test]
    fn what_is_exported_makes_the_same_shop_again_and_holds_no_pin() {
        let mut settings = Settings::default();
        read_shop(FILE, &settings).unwrap().apply(&mut settings).unwrap();
        let text = shop_text(&settings);
        assert!(!text.contains("pin") && !text.contains("314159"), "{text}");
        assert!(text.starts_with("[shop]\n"), "{text}");
        let mut again = Settings::default();
        read_shop(&text, &again).unwrap().apply(&mut again).unwrap();
        assert_eq!(again, settings, "{text}");
    }

    #[test]
    fn a_shop_whose_cards_are_none_or_as_shipped_comes_back_as_it_is() {
        for (file, want) in [
            ("card = []\n[shop]\nname = \"a\"", Some("card = []\n")),
            ("[[card]]\nprefix = \"29\"\nlength = 13\ncheck = \"mod10w3\"", None),
            ("[[card]]\nprefix = \"29\"\nlength = 13", Some("[[card]]")),
            ("near_date = []", None),
        ] {
            let mut settings = Settings::default();
            read_shop(file, &settings).unwrap().apply(&mut settings).unwrap();
            let text = shop_text(&settings);
            assert_eq!(text.contains("card"), want.is_some(), "{text}");
            assert!(text.contains(want.unwrap_or_default()), "{text}");
            let mut again = Settings::default();
            read_shop(&text, &again).unwrap().apply(&mut again).unwrap();
            assert_eq!(again, settings, "{text}");
        }
    }
}
