//! A change of the shop's settings: absent means unchanged, tables are matched by key, `removed`
//! removes. The names are those of the settings file (`DESIGN.md` 12).
//!
//! Room: domain. May touch: serde.
//! Invariant: a PIN in a patch never reaches a journal: `Secret` writes itself as nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::code::in_store::Layout;
use crate::domain::command::Pin;
use crate::domain::points::{PointRule, Returns, Scope, UseAs};
use crate::domain::quantity::{Rate, Rounding};
use crate::domain::tax::TaxMode;

/// A PIN on its way in. Reads from a file; writes itself as nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secret(pub Option<Pin>);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        Ok(Self(if digits.is_empty() { None } else { Some(Pin::new(digits)) }))
    }
}

macro_rules! patch {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
    };
}

patch!(ShopPatch {
    name: Option<String>,
    address: Option<String>,
    phone: Option<String>,
    /// Empty takes the number away.
    registration_number: Option<String>,
    /// `HH:MM`.
    day_ends: Option<String>,
    currency: Option<String>,
});

patch!(TaxPatch {
    rounding: Option<Rounding>,
    price_mode: Option<TaxMode>,
    price_rounding: Option<Rounding>,
    mixed_to: Option<TaxMode>,
    class: Vec<ClassPatch>,
});

patch!(ClassPatch {
    name: String,
    rate: Option<Rate>,
    /// `YYYY-MM-DD`.
    from: Option<String>,
    mark: Option<String>,
    removed: bool,
});

patch!(PointsPatch {
    unit_yen: Option<u32>,
    points: Option<u32>,
    basis: Option<TaxMode>,
    scope: Option<Scope>,
    rounding: Option<Rounding>,
    use_as: Option<UseAs>,
    on_used: Option<bool>,
    returns: Option<Returns>,
    expires_months: Option<u32>,
    minimum: Option<u32>,
    use_step: Option<u32>,
    /// Present: replaces all rules.
    rule: Option<Vec<PointRule>>,
});

patch!(RankPatch { name: String, rate: Option<Rate>, removed: bool, });

patch!(DepartmentPatch {
    number: u16,
    name: Option<String>,
    tax_class: Option<String>,
    /// Plausible prices, in yen; 0 takes a bound away.
    lowest: Option<i64>,
    highest: Option<i64>,
    removed: bool,
});

patch!(StaffPatch {
    number: u32,
    name: Option<String>,
    level: Option<u8>,
    pin: Secret,
    removed: bool,
});

patch!(InStorePatch {
    prefix: String,
    layout: Option<Layout>,
    price_mode: Option<TaxMode>,
    verify_pcd: Option<bool>,
    removed: bool,
});

patch!(TenderPatch { change: Option<bool>, stamp_liable: Option<bool>, });

patch!(CouponPatch {
    code: String,
    name: Option<String>,
    /// Yen off, or …
    amount: Option<i64>,
    /// … percent off.
    percent: Option<Rate>,
    minimum: Option<i64>,
    from: Option<String>,
    to: Option<String>,
    removed: bool,
});

patch!(LimitsPatch {
    override_percent: Option<Rate>,
    discount: Option<i64>,
    discount_percent: Option<Rate>,
    refund: Option<i64>,
    cash_over: Option<i64>,
    label_times: Option<u32>,
    level: Option<u8>,
});

patch!(ReceiptPatch {
    header: Option<Vec<String>>,
    footer: Option<Vec<String>>,
    logo: Option<bool>,
    blocks: Option<Vec<String>>,
});

patch!(
    /// A settings file, or a change of one field of it.
    SettingsPatch {
        shop: ShopPatch,
        tax: TaxPatch,
        points: PointsPatch,
        rank: Vec<RankPatch>,
        department: Vec<DepartmentPatch>,
        staff: Vec<StaffPatch>,
        in_store: Vec<InStorePatch>,
        tender: BTreeMap<String, TenderPatch>,
        coupon: Vec<CouponPatch>,
        limits: LimitsPatch,
        levels: BTreeMap<String, u8>,
        receipt: ReceiptPatch,
    }
);

impl SettingsPatch {
    /// Takes the PINs out, by staff number, so that they can go where PINs live.
    pub fn take_pins(&mut self) -> Vec<(u32, Pin)> {
        let staff = self.staff.iter_mut();
        staff.filter_map(|staff| Some((staff.number, staff.pin.0.take()?))).collect()
    }
}
