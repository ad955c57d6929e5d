//! A small shop for the store's tests: a faulty disk, a clock that counts, sales made by hand.
//!
//! Room: store, tests only.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fault::StoreError;
use super::files::faulty::FaultyFiles;
use super::keys::Keys;
use super::keys::tests::counting_chance;
use super::shop::{Opened, Shop, ShopPlace};
use crate::domain::entry::{Clock, Draft, Entry, ImportedMember, Kind};
use crate::domain::item::{Item, ItemFlags, Unit};
use crate::domain::member::{MemberCard, Personal, Sealed};
use crate::domain::money::{Money, yen};
use crate::domain::number::{DocKind, DocNo};
use crate::domain::quantity::{Quantity, Rate, UnitPrice};
use crate::domain::register::Now;
use crate::domain::sale::{
    LineItem, OnTheWay, Origin, ReturnOf, Sale, SaleId, SaleLine, SaleMember, Tender, TenderKind,
    Totals,
};
use crate::domain::settings::SettingsChange;
use crate::domain::tax::TaxMode;

/// 2026-11-22, days from the common era.
pub const DAY: i32 = 739_942;

pub fn now(ms: i64) -> Now {
    Now { utc_ms: 1_795_300_000_000 + ms, offset_minutes: 540, clock: Clock::Given }
}

pub fn place(files: &FaultyFiles) -> ShopPlace {
    ShopPlace {
        files: Arc::new(files.clone()),
        dir: PathBuf::from("/shop"),
        lane: 1,
        chance: counting_chance(),
        pid: 7,
        copy: None,
        reserve_bytes: 0,
    }
}

pub fn create(files: &FaultyFiles) -> Shop {
    let settings = SettingsChange::default();
    place(files).create(7, "みどり商店", settings, now(0), &mut |_, _| {}).unwrap().shop
}

pub fn open(files: &FaultyFiles) -> Opened {
    match place(files).open(&mut |_, _| {}) {
        // As the app does after a restore.
        Err(StoreError::EpochDue) => {
            place(files).begin_epoch("restore", now(9_000), &mut |_, _| {})
        }
        opened => opened,
    }
    .unwrap()
}

/// The keys of a shop that nobody has open.
pub fn keys(files: &FaultyFiles) -> Arc<Keys> {
    let path = Path::new("/shop/keys.redb");
    Arc::new(Keys::open(Arc::new(files.clone()), path, counting_chance()).unwrap())
}

pub fn journal_dir() -> &'static Path {
    Path::new("/shop/journal")
}

pub fn draft(kind: Kind) -> Draft {
    Draft { business_date: DAY, staff: 3, training: false, kind }
}

pub fn say(shop: &mut Shop, ms: i64, kinds: Vec<Kind>) -> Vec<Entry> {
    let drafts: Vec<_> = kinds.into_iter().map(draft).collect();
    shop.append(&drafts, now(ms)).unwrap()
}

pub fn receipt(number: u32) -> DocNo {
    DocNo { lane: 1, epoch: 0, kind: DocKind::Receipt, number }
}

pub fn return_slip(number: u32) -> DocNo {
    DocNo { kind: DocKind::Return, ..receipt(number) }
}

pub fn item(code: &str, name: &str, kana: &str, price: i64) -> Item {
    let kana = kana.to_owned();
    Item { kana, ..Item::new(code, name, UnitPrice::from(price)) }
}

pub fn line(code: &str, name: &str, quantity: i64, price: i64) -> SaleLine {
    let item = LineItem {
        code: code.to_owned(),
        name: name.to_owned(),
        printed: name.to_owned(),
        department: 1,
        quantity: Quantity::from(quantity),
        unit: Unit::Each,
        unit_price: UnitPrice::from(price),
        list_price: None,
        price_mode: TaxMode::Included,
        class: "reduced".to_owned(),
        own_class: None,
        flags: ItemFlags::default(),
        discount: None,
        cost: None,
        origin: None,
    };
    SaleLine {
        item,
        mode: TaxMode::Included,
        rate: Some(Rate::from(8)),
        mark: "※".to_owned(),
        discount: Money::ZERO,
        amount: yen(quantity * price),
        sale_discount: Money::ZERO,
        points_share: Money::ZERO,
    }
}

pub fn sale(number: DocNo, lines: Vec<SaleLine>) -> Sale {
    let total: Money = lines.iter().map(|line| line.amount).sum();
    Sale {
        id: SaleId(u128::from(number.number) << 8 | number.kind as u128),
        number,
        lines,
        discounts: Vec::new(),
        totals: Totals { subtotal: total, total, ..Totals::default() },
        member: None,
        points_used: 0,
        points_earned: 0,
        tenders: vec![Tender { kind: TenderKind::Cash, amount: total, applied: total }],
        change: Money::ZERO,
        eat_in: false,
        customer_kind: String::new(),
        note: String::new(),
        return_of: None,
        returned: Money::ZERO,
        on_the_way: OnTheWay::default(),
        stamp_duty: Money::ZERO,
    }
}

/// The same sale with a member whose balance went from `before` to `after`, earning `earned`.
pub fn with_member(sale: Sale, code: &str, before: i64, after: i64, earned: i64) -> Sale {
    let member = SaleMember {
        code: code.to_owned(),
        rank: String::new(),
        rank_rate: Rate::ONE,
        points_before: before,
        points_after: after,
    };
    Sale { member: Some(member), points_earned: earned, ..sale }
}

/// Goods of a line of an earlier receipt that come back.
pub fn goods_back(number: DocNo, of: DocNo, line_number: u32, mut back: SaleLine) -> Sale {
    back.item.origin = Some(Origin { receipt: of, line: line_number });
    let return_of = ReturnOf {
        receipt: of,
        sold_on: DAY,
        points_taken_back: 2,
        points_given_back: 1,
        points_deducted: Default::default(),
    };
    Sale { return_of: Some(return_of), returned: -back.amount, ..sale(number, vec![back]) }
}

pub fn card(code: &str, name: &str, kana: &str, phone: &str) -> MemberCard {
    let personal = Personal {
        name: name.to_owned(),
        kana: kana.to_owned(),
        phone: phone.to_owned(),
        mail: format!("{code}@Example.jp"),
        ..Personal::default()
    };
    MemberCard {
        code: code.to_owned(),
        rank: String::new(),
        joined: Some(DAY),
        personal: Sealed::Clear(Box::new(personal)),
    }
}

pub fn imported(code: &str, name: &str, kana: &str, phone: &str, points: i64) -> ImportedMember {
    ImportedMember { card: card(code, name, kana, phone), points: Some(points) }
}
