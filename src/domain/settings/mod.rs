//! What belongs to the whole shop: name, tax, points, departments, staff, levels, limits.
//!
//! Room: domain. May touch: std. May not: TOML (exchange reads and writes it).
//! Invariant: changed only by a patch that stands in the journal, so that every change has a who and a when.

mod applying;
mod change;
mod codes;
mod goods;
mod loyalty;
mod patch;

pub use change::{SettingsChange, changes_settings, fold_settings};
pub use codes::{CodesPatch, NearDate, near_date_percent};
pub use goods::GoodsPatch;
pub use loyalty::LoyaltyPatch;
pub use patch::{
    ClassPatch, CouponPatch, DepartmentPatch, InStorePatch, LimitsPatch, PointsPatch, RankPatch,
    ReceiptPatch, Secret, SettingsPatch, ShopPatch, StaffPatch, TaxPatch, TenderPatch,
};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::code::{CardPattern, InStoreRule};
use super::command::{CommandSpec, Discount};
use super::item::ItemFlags;
use super::money::Money;
use super::points::PointRules;
use super::quantity::Rate;
use super::sale::TenderKind;
use super::tax::{TaxSettings, TaxTable};

/// The shop as a paper names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopInfo {
    pub name: String,
    pub address: String,
    pub phone: String,
    /// `T` and 13 digits; absent: no invoice wording anywhere.
    pub registration_number: Option<String>,
    /// Minutes after midnight at which the civil day still belongs to the day before.
    pub day_ends_minutes: u16,
    pub currency: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rank {
    pub name: String,
    /// Multiplier of points.
    pub rate: Rate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Department {
    pub number: u16,
    pub name: String,
    pub tax_class: String,
    /// The prices its goods plausibly have: what is keyed beyond is asked again, what a label says
    /// beyond needs the manager.
    pub lowest: Option<Money>,
    pub highest: Option<Money>,
    /// Those of goods that are rung by it.
    pub flags: ItemFlags,
}

impl Department {
    /// Returns a department without bounds of its prices.
    pub fn new(number: u16, name: impl Into<String>, tax_class: impl Into<String>) -> Self {
        Self {
            number,
            name: name.into(),
            tax_class: tax_class.into(),
            lowest: None,
            highest: None,
            flags: ItemFlags::default(),
        }
    }

    pub fn has_bounds(&self) -> bool {
        self.lowest.is_some() || self.highest.is_some()
    }

    /// Whether a price is one its goods may have.
    pub fn expects(&self, price: Money) -> bool {
        self.lowest.is_none_or(|lowest| price >= lowest)
            && self.highest.is_none_or(|highest| price <= highest)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    pub number: u32,
    pub name: String,
    /// 1 … 9.
    pub level: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderSettings {
    /// Whether more than the due may be handed over and change given.
    pub change: bool,
    /// Whether the amount counts for stamp duty (`japan.md` 1.8).
    pub stamp_liable: bool,
}

/// A coupon anyone may use at the counter by its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coupon {
    pub code: String,
    pub name: String,
    pub off: Discount,
    /// The least subtotal it may be used on.
    pub minimum: Money,
    /// First and last civil day, days from the common era.
    pub from: Option<i32>,
    pub to: Option<i32>,
}

/// Bounds past which a higher level must approve (`reliability.md` L7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Largest cut of a price override, percent.
    pub override_percent: Rate,
    /// Largest discount by hand.
    pub discount: Money,
    /// Largest percentage by hand.
    pub discount_percent: Rate,
    /// Largest refund.
    pub refund: Money,
    /// Cash above the due by more than this is asked again.
    pub cash_over: Money,
    /// The price on an in-store label may be so many times the item's own, or its so-many-th part;
    /// 0: any. A department's own bounds come before it.
    pub label_times: u32,
    /// The level above all of these.
    pub level: u8,
}

/// What the shop adds to its papers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptTexts {
    pub header: Vec<String>,
    pub footer: Vec<String>,
    pub logo: bool,
    /// Order of the blocks of a receipt; empty: as shipped.
    pub blocks: Vec<String>,
}

/// Everything the whole shop shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub shop: ShopInfo,
    pub tax: TaxSettings,
    pub tax_classes: TaxTable,
    pub points: PointRules,
    pub ranks: Vec<Rank>,
    pub departments: Vec<Department>,
    pub staff: Vec<Staff>,
    pub in_store: Vec<InStoreRule>,
    /// How members' cards look.
    pub cards: Vec<CardPattern>,
    pub near_dates: Vec<NearDate>,
    pub tenders: BTreeMap<TenderKind, TenderSettings>,
    pub coupons: Vec<Coupon>,
    pub limits: Limits,
    /// Levels of commands that differ from those shipped.
    pub levels: BTreeMap<String, u8>,
    pub receipt: ReceiptTexts,
}

impl Default for Settings {
    fn default() -> Self {
        let tenders = TenderKind::ALL.into_iter().map(|kind| {
            let change = kind == TenderKind::Cash;
            let stamp_liable =
                matches!(kind, TenderKind::Cash | TenderKind::Debit | TenderKind::Voucher);
            (kind, TenderSettings { change, stamp_liable })
        });
        Self {
            shop: ShopInfo {
                name: String::new(),
                address: String::new(),
                phone: String::new(),
                registration_number: None,
                day_ends_minutes: 5 * 60,
                currency: "JPY".to_owned(),
            },
            tax: TaxSettings::default(),
            tax_classes: TaxTable::default(),
            points: PointRules::default(),
            ranks: Vec::new(),
            departments: Vec::new(),
            staff: Vec::new(),
            in_store: Vec::new(),
            cards: vec![CardPattern::default()],
            near_dates: Vec::new(),
            tenders: tenders.collect(),
            coupons: Vec::new(),
            limits: Limits {
                override_percent: 20.into(),
                discount: Money::new(1000),
                discount_percent: 50.into(),
                refund: Money::new(5000),
                cash_over: Money::new(100_000),
                label_times: 20,
                level: 7,
            },
            levels: BTreeMap::new(),
            receipt: ReceiptTexts::default(),
        }
    }
}

impl Settings {
    pub fn department(&self, number: u16) -> Option<&Department> {
        self.departments.iter().find(|department| department.number == number)
    }

    pub fn staff(&self, number: u32) -> Option<&Staff> {
        self.staff.iter().find(|staff| staff.number == number)
    }

    /// Returns a rank's multiplier; an unknown rank multiplies by one.
    pub fn rank_rate(&self, name: &str) -> Rate {
        self.ranks.iter().find(|rank| rank.name == name).map_or(Rate::ONE, |rank| rank.rate)
    }

    pub fn tender(&self, kind: TenderKind) -> TenderSettings {
        self.tenders
            .get(&kind)
            .copied()
            .unwrap_or(TenderSettings { change: false, stamp_liable: false })
    }

    pub fn coupon(&self, code: &str) -> Option<&Coupon> {
        self.coupons.iter().find(|coupon| coupon.code == code)
    }

    /// Returns the lowest level that may give a command here.
    pub fn level_of(&self, command: &CommandSpec) -> u8 {
        self.levels.get(command.name).copied().unwrap_or(command.level)
    }
}
