//! What screens, scripts and other programs see of a sale; field names are those of `regi run --json`
//! (`DESIGN.md` 5).
//!
//! Room: domain. May touch: serde.

use serde::{Serialize, Serializer};

use super::points_back::PointsBack;
use super::{Cart, Priced, Register};
use crate::domain::command::Discount;
use crate::domain::day::Tally;
use crate::domain::item::Item;
use crate::domain::member::Member;
use crate::domain::money::Money;
use crate::domain::points::{self, Expiry};
use crate::domain::quantity::{Quantity, Rate, UnitPrice};
use crate::domain::sale::{self, Sale, SaleLine, Tender, TenderKind, Totals};

/// A unit price: an integer, or a string when it has a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberView(pub UnitPrice);

impl Serialize for NumberView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.whole() {
            Some(whole) => serializer.serialize_i64(whole),
            None => serializer.collect_str(&self.0),
        }
    }
}

fn is_empty(text: &str) -> bool {
    text.is_empty()
}

const fn is_zero(points: &i64) -> bool {
    *points == 0
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineView {
    pub line: u32,
    pub code: String,
    pub name: String,
    pub quantity: Quantity,
    pub unit_price: NumberView,
    pub discount: Money,
    /// Why it is given, where the shop's rules gave it: `near_date`.
    #[serde(skip_serializing_if = "is_empty")]
    pub discount_reason: &'static str,
    pub amount: Money,
    pub tax_class: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_price: Option<NumberView>,
    /// The mark of the reduced rate, for screens.
    #[serde(skip)]
    pub mark: String,
    #[serde(skip_serializing_if = "is_empty")]
    pub returns: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaxView {
    pub class: String,
    pub rate: Rate,
    pub mode: &'static str,
    pub base: Money,
    pub tax: Money,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TenderView {
    pub kind: &'static str,
    pub amount: Money,
}

/// A member as lists and the sale show it. The name stays out of `sale`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MemberView {
    pub code: String,
    pub rank: String,
    pub points: i64,
    #[serde(skip_serializing_if = "is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "is_empty")]
    pub kana: String,
    #[serde(skip_serializing_if = "is_empty")]
    pub phone: String,
    #[serde(skip_serializing_if = "is_empty")]
    pub mail: String,
    #[serde(skip_serializing_if = "is_empty")]
    pub birthday: String,
    #[serde(skip_serializing_if = "is_empty")]
    pub note: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visits: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stamps: Option<i64>,
    /// `YYYY-MM-DD`, empty before the first visit.
    #[serde(skip_serializing_if = "is_empty")]
    pub last_visit: String,
}

impl MemberView {
    /// `on` is the civil date, for expiry; `expiry` the shop's.
    pub fn of(member: &Member, on: chrono::NaiveDate, expiry: Expiry) -> Self {
        let personal = &member.personal;
        Self {
            code: member.code.clone(),
            rank: member.rank.clone(),
            points: points::balance(&member.ledger, on, expiry),
            name: personal.name.clone(),
            kana: personal.kana.clone(),
            phone: personal.phone.clone(),
            mail: personal.mail.clone(),
            birthday: personal.birthday.clone(),
            note: personal.note.clone(),
            visits: Some(member.visits),
            stamps: Some(member.stamps),
            last_visit: member.last_visit.map(ymd).unwrap_or_default(),
        }
    }
}

/// Writes days from the common era as `YYYY-MM-DD`.
pub fn ymd(days: i32) -> String {
    chrono::NaiveDate::from_num_days_from_ce_opt(days)
        .map(|day| day.to_string())
        .unwrap_or_default()
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ItemView {
    pub code: String,
    pub name: String,
    pub kana: String,
    pub department: u16,
    pub price: NumberView,
    pub tax_class: String,
    pub unit: &'static str,
    pub flags: String,
}

impl ItemView {
    pub fn of(item: &Item, tax_class: &str) -> Self {
        Self {
            code: item.code.clone(),
            name: item.name.clone(),
            kana: item.kana.clone(),
            department: item.department,
            price: NumberView(item.price),
            tax_class: tax_class.to_owned(),
            unit: item.unit.word(),
            flags: item.flags.words(),
        }
    }
}

/// A sale, open or closed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SaleView {
    pub lines: Vec<LineView>,
    /// Goods taken along, for screens.
    #[serde(skip)]
    pub pieces: Quantity,
    pub subtotal: Money,
    pub discount: Money,
    pub total: Money,
    pub taxes: Vec<TaxView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberView>,
    pub points_used: i64,
    pub points_earned: i64,
    /// What the goods that come back had earned, and what had been used to pay for them.
    #[serde(skip_serializing_if = "is_zero")]
    pub points_taken_back: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub points_given_back: i64,
    pub tenders: Vec<TenderView>,
    /// How the receipt was paid whose goods come back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub was_paid: Vec<TenderView>,
    pub paid: Money,
    pub due: Money,
    pub change: Money,
    #[serde(skip_serializing_if = "is_empty")]
    pub note: String,
    #[serde(skip_serializing_if = "is_empty")]
    pub customer_kind: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub eat_in: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuspendedView {
    pub slip: String,
    #[serde(skip_serializing_if = "is_empty")]
    pub name: String,
    pub lines: usize,
    pub total: Money,
    pub at_ms: i64,
    pub staff: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StaffView {
    pub number: u32,
    pub name: String,
    pub level: u8,
}

/// The open day as anyone may see it: expected cash only from level 7 or once counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DayView {
    pub business_date: String,
    pub customers: i64,
    pub net: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_cash: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Money>,
}

fn line_view(place: usize, line: &SaleLine) -> LineView {
    let item = &line.item;
    LineView {
        line: place as u32 + 1,
        code: item.code.clone(),
        name: item.name.clone(),
        quantity: item.quantity,
        unit_price: NumberView(item.unit_price),
        discount: line.discount,
        discount_reason: match item.discount {
            Some(Discount::NearDate(_)) => "near_date",
            _ => "",
        },
        amount: line.amount,
        tax_class: item.class.clone(),
        list_price: item.list_price.map(NumberView),
        mark: line.mark.clone(),
        returns: item.origin.as_ref().map(|origin| origin.receipt.to_string()).unwrap_or_default(),
    }
}

fn taxes(totals: &Totals) -> Vec<TaxView> {
    let view = |group: &crate::domain::tax::TaxGroup| TaxView {
        class: group.class.to_string(),
        rate: group.rate.unwrap_or(Rate::ZERO),
        mode: group.mode.word(),
        base: group.base,
        tax: group.tax,
    };
    totals.taxes.iter().map(view).collect()
}

fn tenders(tenders: &[Tender]) -> Vec<TenderView> {
    let view = |tender: &Tender| TenderView { kind: tender.kind.word(), amount: tender.amount };
    tenders.iter().map(view).collect()
}

/// What was kept of each tender of the returned receipt, without its change.
fn was_paid(cart: &Cart) -> Vec<TenderView> {
    let kept = |tender: &Tender| TenderView { kind: tender.kind.word(), amount: tender.applied };
    cart.returning.iter().flat_map(|returning| returning.sale.tenders.iter().map(kept)).collect()
}

impl SaleView {
    /// Whether money goes back for goods that were not paid in cash.
    pub fn refunds_another_tender(&self) -> bool {
        let in_cash = |tender: &TenderView| tender.kind == TenderKind::Cash.word();
        self.due.is_negative() && !self.was_paid.is_empty() && !self.was_paid.iter().any(in_cash)
    }

    /// How all of the money came that goes back now, where it was one other tender than cash.
    pub fn paid_otherwise(&self) -> Option<&'static str> {
        match self.was_paid.as_slice() {
            [only] if self.refunds_another_tender() => Some(only.kind),
            _ => None,
        }
    }

    /// The open sale, priced, with the points that its returned goods move.
    pub(super) fn open(cart: &Cart, priced: &Priced, back: PointsBack) -> Self {
        let paid: Money = cart.tenders.iter().map(|tender| tender.applied).sum();
        let member = cart.member.as_ref().map(|member| MemberView {
            code: member.code.clone(),
            rank: member.rank.clone(),
            points: member.points - priced.points_used + priced.points_earned + back.moved(),
            ..MemberView::default()
        });
        Self {
            lines: priced.lines.iter().enumerate().map(|(n, line)| line_view(n, line)).collect(),
            pieces: sale::pieces(&priced.lines),
            subtotal: priced.totals.subtotal,
            discount: priced.totals.discount,
            total: priced.totals.total,
            taxes: taxes(&priced.totals),
            member,
            points_used: priced.points_used,
            points_earned: priced.points_earned,
            points_taken_back: back.taken_back - back.deducted,
            points_given_back: back.given_back,
            tenders: tenders(&cart.tenders),
            was_paid: was_paid(cart),
            paid,
            due: priced.totals.total - paid,
            change: Money::ZERO,
            note: cart.note.clone(),
            customer_kind: cart.customer_kind.clone(),
            eat_in: cart.eat_in,
        }
    }

    /// The sale as it was closed.
    pub fn closed(sale: &Sale) -> Self {
        let member = sale.member.as_ref().map(|member| MemberView {
            code: member.code.clone(),
            rank: member.rank.clone(),
            points: member.points_after,
            ..MemberView::default()
        });
        let back = sale.return_of.as_ref();
        Self {
            lines: sale.lines.iter().enumerate().map(|(n, line)| line_view(n, line)).collect(),
            pieces: sale.pieces(),
            subtotal: sale.totals.subtotal,
            discount: sale.totals.discount,
            total: sale.totals.total,
            taxes: taxes(&sale.totals),
            member,
            points_used: sale.points_used,
            points_earned: sale.points_earned,
            points_taken_back: back.map_or(0, |of| of.points_taken_back - of.points_deducted),
            points_given_back: back.map_or(0, |of| of.points_given_back),
            tenders: tenders(&sale.tenders),
            was_paid: Vec::new(),
            paid: sale.paid(),
            due: Money::ZERO,
            change: sale.change,
            note: sale.note.clone(),
            customer_kind: sale.customer_kind.clone(),
            eat_in: sale.eat_in,
        }
    }
}

impl Register {
    /// The open sale as it stands, or `None` between two customers.
    pub fn sale_view(&self, civil_date: i32) -> Option<SaleView> {
        if self.cart.lines.is_empty() && self.cart.member.is_none() {
            return None;
        }
        self.view_of(&self.cart, civil_date)
    }

    pub fn suspended_views(&self, civil_date: i32) -> Vec<SuspendedView> {
        let view = |parked: &crate::domain::lane::Suspended| SuspendedView {
            slip: parked.slip.to_string(),
            name: parked.name.clone(),
            lines: parked.cart.lines.len(),
            total: super::price(&parked.cart, &self.settings, civil_date)
                .map_or(Money::ZERO, |priced| priced.totals.total),
            at_ms: parked.at_ms,
            staff: parked.staff,
        };
        self.lane.suspended.values().map(view).collect()
    }

    /// How many sales are parked here, and what they come to.
    pub fn parked(&self, civil_date: i32) -> Tally {
        let parked = self.suspended_views(civil_date);
        let amount = parked.iter().map(|sale| sale.total).sum();
        Tally { count: parked.len() as i64, amount }
    }

    /// Whether nobody may sell now: staff must sign in first.
    pub fn is_locked(&self) -> bool {
        let unsigned = !self.settings.staff.is_empty() && self.session.staff.is_none();
        unsigned || self.session.locked
    }

    /// Whether who stands here may see the cash that must be in the drawer: from level 7, or once it
    /// is counted.
    pub fn may_see_cash(&self) -> bool {
        let counted = self.lane.day.as_ref().is_some_and(|day| day.count.is_some());
        counted || self.own_level() >= 7
    }

    pub fn staff_view(&self) -> Option<StaffView> {
        let number = self.session.staff?;
        let staff = self.settings.staff(number)?;
        Some(StaffView { number, name: staff.name.clone(), level: staff.level })
    }

    pub fn day_view(&self) -> Option<DayView> {
        let day = self.lane.day.as_ref()?;
        let counted = day.count.as_ref().and_then(crate::domain::day::Count::total);
        let expected = self.may_see_cash().then(|| day.expected_cash());
        Some(DayView {
            business_date: ymd(day.business_date),
            customers: day.customers,
            net: day.net,
            expected_cash: expected,
            counted,
            difference: counted.zip(expected).map(|(counted, expected)| counted - expected),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::item::{Item, Unit};
    use crate::domain::register::test_shop::{CARD, Shop};

    #[test]
    fn points_that_come_and_go_with_returned_goods_are_seen_before_they_do() {
        let mut shop = Shop::staffless();
        shop.member(CARD, 50);
        let card = format!("member {CARD}");
        let receipt = shop.sell(&[&card, "department 2 1050", "use_points 50"]);
        assert_eq!(shop.balance(CARD), 10);
        shop.give(&format!("return {receipt}"));
        let open = shop.view().unwrap();
        assert_eq!((open.points_taken_back, open.points_given_back), (10, 50));
        assert_eq!(open.member.unwrap().points, 50, "the balance that comes");
        shop.give("tender_cash");
        assert_eq!(shop.balance(CARD), 50);
        let day = shop.register.lane.day.clone().unwrap();
        let moved = (day.points_given, day.points_used);
        assert_eq!((moved, day.points_taken_back, day.points_given_back), ((10, 50), 10, 50));
    }

    #[test]
    fn the_screen_counts_the_pieces_that_the_receipt_counts() {
        let mut shop = Shop::staffless();
        let mut beef = Item::new("7", "牛肉", 298.into());
        beef.unit = Unit::Per100g;
        shop.memory.items.insert(beef.code.clone(), beef);
        for line in ["quantity 2", "scan 7", "quantity 3", "scan 1"] {
            shop.give(line);
        }
        assert_eq!(shop.view().unwrap().pieces, 4.into(), "200 g are one piece");
        shop.give("tender_cash");
        assert_eq!(shop.last_sale().pieces(), 4.into());
        let day = shop.register.lane.day.clone().unwrap();
        assert_eq!(day.pieces, 4.into());
        let number = shop.last_sale().number;
        shop.give(&format!("return {number} 1"));
        assert_eq!(shop.view().unwrap().pieces, 0.into(), "nothing is taken along");
    }
}
