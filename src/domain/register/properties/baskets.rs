//! Chance from a printed seed, and what it makes: shops of every setting, baskets of every kind.
//!
//! Room: domain, tests only. The same seed is the same shop and the same basket for ever.

use crate::domain::code::in_store::Layout;
use crate::domain::code::{InStoreRule, check::mod10w3};
use crate::domain::item::{Item, ItemFlags, Unit};
use crate::domain::points::{PointRule, Returns, Scope, UseAs, Weekday};
use crate::domain::quantity::{Rate, Rounding};
use crate::domain::register::code_rules;
use crate::domain::register::test_shop::{CARD, OTHER_CARD, Shop};
use crate::domain::sale::TenderKind;
use crate::domain::settings::{Department, NearDate, Settings};
use crate::domain::tax::{TaxClassRow, TaxMode};

/// A small generator (SplitMix64): good enough to shuffle baskets, short enough to read.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from `least` to `most`, both included.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let span = (most - least + 1).unsigned_abs();
        least + i64::try_from(self.next() % span).expect("a span that fits")
    }

    /// Returns true once in `times`.
    pub fn once_in(&mut self, times: i64) -> bool {
        self.between(1, times) == 1
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.next() as usize % from.len()].clone()
    }

    /// Small sums are where a yen goes missing; large ones are where a share does.
    pub fn yen(&mut self) -> i64 {
        let most = self.pick(&[9, 99, 500, 3_000, 60_000]);
        self.between(1, most)
    }

    pub fn card(&mut self) -> &'static str {
        self.pick(&[CARD, OTHER_CARD])
    }
}

/// A shop without staff, of any settings, with goods of every class, mode and unit, and two members.
/// Points that are gone already are taken below zero, so that every act has its exact inverse.
pub fn any_shop(dice: &mut Dice) -> Shop {
    let mut shop = Shop::staffless();
    shop.change(|settings| any_settings(settings, dice));
    shop.register.codes = std::sync::Arc::new(code_rules(&shop.register.settings));
    for item in goods(dice) {
        shop.memory.items.insert(item.code.clone(), item);
    }
    for card in [CARD, OTHER_CARD] {
        let points = dice.pick(&[0, 7, 300, 5_000]);
        shop.member(card, points);
        let rank = dice.pick(&["regular", "silver", "gold"]);
        shop.memory.members.get_mut(card).expect("on file").rank = rank.to_owned();
    }
    shop
}

/// The rules of tax and points, which a shop may change on any evening.
pub fn any_rules(settings: &mut Settings, dice: &mut Dice) {
    let roundings = [Rounding::Floor, Rounding::HalfUp, Rounding::Ceil];
    let modes = [TaxMode::Included, TaxMode::Excluded];
    settings.tax.rounding = dice.pick(&roundings);
    settings.tax.price_rounding = dice.pick(&roundings);
    settings.tax.price_mode = dice.pick(&modes);
    settings.tax.mixed_to = dice.pick(&modes);
    let points = &mut settings.points;
    points.unit_yen = dice.pick(&[1, 10, 100, 200]);
    points.points = dice.pick(&[1, 2, 5]);
    points.basis = dice.pick(&modes);
    points.scope = dice.pick(&[Scope::Receipt, Scope::Line]);
    points.rounding = dice.pick(&roundings);
    points.use_as = dice.pick(&[UseAs::Discount, UseAs::Tender]);
    points.on_used = dice.once_in(2);
    points.returns = Returns::Negative;
    points.rules = any_point_rules(dice);
}

fn any_settings(settings: &mut Settings, dice: &mut Dice) {
    any_rules(settings, dice);
    for kind in [TenderKind::Voucher, TenderKind::Emoney] {
        settings.tenders.get_mut(&kind).expect("a tender").change = dice.once_in(3);
    }
    settings.tax_classes.put(TaxClassRow {
        name: "deli".parse().expect("a class"),
        rate: Some("5.5".parse().expect("a rate")),
        from: chrono::NaiveDate::MIN,
        mark: "d".to_owned(),
    });
    for days in 0..dice.pick(&[0, 1, 3]) {
        let percent = dice.pick(&["10", "33.3", "50", "100"]).parse().expect("a percentage");
        settings.near_dates.push(NearDate { days, percent });
    }
    for (number, class) in [(3, "exempt"), (4, "zero"), (5, "deli")] {
        let tax_class = class.to_owned();
        settings.departments.push(Department::new(number, class, tax_class));
    }
    for (prefix, layout) in [("02", Layout::A), ("21", Layout::E)] {
        let price_mode = dice.pick(&[None, Some(TaxMode::Included), Some(TaxMode::Excluded)]);
        let prefix = prefix.to_owned();
        settings.in_store.push(InStoreRule { prefix, layout, price_mode, verify_pcd: true });
    }
}

fn any_point_rules(dice: &mut Dice) -> Vec<PointRule> {
    let mut rules = Vec::new();
    for _ in 0..dice.pick(&[0, 0, 1, 2]) {
        let rate: Rate = dice.pick(&["2", "3", "1.5", "0.5"]).parse().expect("a rate");
        let plain =
            PointRule { weekday: None, day: None, item: None, department: None, rank: None, rate };
        rules.push(match dice.between(0, 3) {
            0 => PointRule { weekday: Some(Weekday::Sun), ..plain },
            1 => PointRule { item: Some("11".to_owned()), ..plain },
            2 => PointRule { department: Some(1), ..plain },
            _ => PointRule { rank: Some("gold".to_owned()), ..plain },
        });
    }
    rules
}

/// Codes 11 to 22: every class and mode, by piece and by weight, with and without discounts and
/// points; beside what the test shop sells already.
fn goods(dice: &mut Dice) -> Vec<Item> {
    let modes = [None, Some(TaxMode::Included), Some(TaxMode::Excluded)];
    let classes = ["standard", "reduced", "zero", "exempt", "untaxed", "deli"];
    let flags = ["", "", "", "no_discount", "no_points", "no_discount no_points"];
    let mut all = Vec::new();
    for number in 11..=22 {
        let unit = if number < 19 { Unit::Each } else { dice.pick(&[Unit::Per100g, Unit::Kg]) };
        let mut item = Item::new(number.to_string(), format!("品{number}"), dice.yen().into());
        if unit != Unit::Each && dice.once_in(2) {
            item.price = "198.5".parse().expect("a price");
        }
        item.unit = unit;
        item.price_mode = dice.pick(&modes);
        item.tax_class = Some(dice.pick(&classes).to_owned());
        item.flags = ItemFlags::from_words(dice.pick(&flags)).expect("flags");
        item.department = dice.pick(&[1, 2, 3]);
        all.push(item);
    }
    all.push(Item::new("0237009", "刺身", 0.into()));
    let mut meat = Item::new("2112345", "肉", 0.into());
    meat.price = "198".parse().expect("a price");
    meat.unit = Unit::Per100g;
    all.push(meat);
    all
}

/// A weight label of the meat counter.
fn weight_label(dice: &mut Dice) -> String {
    let data = format!("2112345{:05}", dice.between(1, 3_000));
    format!("{data}{}", mod10w3(&data).expect("twelve digits"))
}

/// A label of milk or tobacco that ends within the week; the test shop's day is 2026-11-22.
fn dated_label(dice: &mut Dice) -> String {
    let code = dice.pick(&["4901234567894", "4912345678904"]);
    format!("010{code}{}2611{}", dice.pick(&["15", "17"]), dice.between(22, 28))
}

/// Lines that ring up one piece of a basket.
fn any_line(dice: &mut Dice) -> Vec<String> {
    let mut lines = Vec::new();
    match dice.between(0, 10) {
        0..=3 => {
            if dice.once_in(2) {
                lines.push(format!("times {}", dice.between(1, 9)));
            }
            lines.push(format!("scan {}", dice.between(11, 18)));
        }
        4 => {
            let (whole, part) = (dice.between(0, 9), dice.between(1, 99));
            lines.push(format!("times {whole}.{part:02}"));
            lines.push(format!("scan {}", dice.between(19, 22)));
        }
        5 => lines.push(format!("scan {}", weight_label(dice))),
        6 => {
            lines.push(format!("scan {}", dice.pick(&["0237009401082", "0237009202160"])));
        }
        7 => lines.push("scan 4912345678904".to_owned()),
        8 => lines.push(format!("scan {}", dated_label(dice))),
        _ => lines.push(format!("department {} {}", dice.between(1, 5), dice.yen())),
    }
    if dice.once_in(4) {
        lines.push(any_correction(dice));
    }
    lines
}

/// What is done to the line just rung.
fn any_correction(dice: &mut Dice) -> String {
    match dice.between(0, 6) {
        0 => format!("line_discount {}", dice.yen()),
        1 => format!("line_discount {}%", dice.pick(&["5", "33.3", "50", "100"])),
        2 => format!("price_override {}", dice.between(0, 2_000)),
        3 => "repeat".to_owned(),
        4 => format!("line_tax {}", dice.pick(&["standard", "reduced", "exempt"])),
        5 => format!("quantity {}", dice.between(1, 12)),
        _ => "void_line".to_owned(),
    }
}

/// What is done to the sale as a whole; some of it is refused, which is as good a sale as any.
fn any_on_the_sale(dice: &mut Dice) -> String {
    match dice.between(0, 8) {
        0 | 1 => format!("sale_discount {}", dice.yen()),
        2 => format!("sale_discount {}%", dice.pick(&["3", "10", "12.5", "100"])),
        3 => "coupon WELCOME".to_owned(),
        4 => format!("use_points {}", dice.between(1, 600)),
        5 => "use_points all".to_owned(),
        6 => dice.pick(&["eat_in", "take_out"]).to_owned(),
        _ => any_correction(dice),
    }
}

/// The lines of a whole basket before its tender, never empty of goods.
pub fn any_basket(dice: &mut Dice) -> Vec<String> {
    let mut lines = Vec::new();
    if dice.once_in(2) {
        lines.push(format!("member {}", dice.card()));
    }
    for _ in 0..dice.between(1, 5) {
        lines.extend(any_line(dice));
    }
    for _ in 0..dice.between(0, 4) {
        lines.push(any_on_the_sale(dice));
    }
    if dice.once_in(4) {
        lines.extend(any_line(dice));
    }
    lines.push(format!("department {} {}", dice.between(1, 5), dice.yen()));
    lines
}

/// Rings a basket up; what the shop refuses is left out.
pub fn ring(shop: &mut Shop, lines: &[String]) {
    for line in lines {
        let _ = shop.try_give(line);
    }
    if shop.register.cart.needs_age_check() {
        shop.give("age_checked");
    }
}

/// Settles the open sale with any tenders, or pays it out; the last is always cash.
pub fn settle(shop: &mut Shop, dice: &mut Dice) {
    if shop.register.cart.needs_age_check() {
        shop.give("age_checked");
    }
    for _ in 0..dice.pick(&[0, 0, 1, 2]) {
        if !shop.register.cart.has_sale() {
            return;
        }
        let kind = dice.pick(&["cash", "credit", "debit", "emoney", "code", "voucher"]);
        let line = format!("tender_{kind} {}", dice.yen());
        if shop.try_give(&line).is_err() && dice.once_in(3) {
            let _ = shop.try_give("confirm");
        }
        if dice.once_in(6) {
            let _ = shop.try_give("void_tender");
        }
    }
    if shop.register.cart.has_sale() {
        shop.give("tender_cash");
    }
}
