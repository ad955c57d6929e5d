//! Closed sales and their lines as CSV.
//!
//! Room: exchange. May touch: the writer it is handed. Columns: `DESIGN.md` 12.
//! Invariant: the rows sum to the Zs: returns are below zero, a voided receipt stands twice, once with
//! the other sign, and training stands nowhere.

use std::collections::BTreeSet;
use std::io::{self, Write};

use chrono::{DateTime, FixedOffset};

use super::csv_out::{CsvOut, OutEncoding, Row, Written};
use crate::domain::money::Money;
use crate::domain::quantity::{Quantity, Rate};
use crate::domain::register::{StoredSale, ymd};
use crate::domain::sale::{Sale, TenderKind};

/// Which way a sale counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    AsClosed,
    Undone,
}

impl Sign {
    fn money(self, amount: Money) -> Money {
        if self == Self::AsClosed { amount } else { -amount }
    }

    fn count(self, count: i64) -> i64 {
        if self == Self::AsClosed { count } else { -count }
    }

    fn quantity(self, quantity: Quantity) -> Quantity {
        if self == Self::AsClosed { quantity } else { -quantity }
    }
}

fn signs(sale: &StoredSale) -> impl Iterator<Item = Sign> + use<> {
    let closed = (!sale.training).then_some(Sign::AsClosed);
    let undone = (!sale.training && sale.voided).then_some(Sign::Undone);
    closed.into_iter().chain(undone)
}

/// Returns the rates that a sale printed: tax columns of the export it stands in.
pub fn rates(sale: &Sale) -> impl Iterator<Item = Rate> {
    sale.totals.taxes.iter().filter_map(|group| group.rate)
}

/// Columns of the sales, before those of taxes, points and tenders.
const SALE_COLUMNS: [&str; 9] =
    ["receipt", "lane", "at", "business_date", "staff", "member", "subtotal", "discount", "total"];

/// Writes one row a sale, with a tax column for each of `rates`.
///
/// # Errors
/// Those of the writer and of `feed`.
pub fn sales_out<E: From<io::Error>>(
    writer: impl Write,
    encoding: OutEncoding,
    rates: &BTreeSet<Rate>,
    feed: impl FnOnce(&mut Row<'_, StoredSale>) -> Result<(), E>,
) -> Result<Written, E> {
    let taxes: Vec<String> = rates.iter().map(|rate| format!("tax_{rate}")).collect();
    let mut columns: Vec<&str> = SALE_COLUMNS.to_vec();
    columns.extend(taxes.iter().map(String::as_str));
    columns.extend(["points_used", "points_earned"]);
    columns.extend(TenderKind::ALL.map(TenderKind::word));
    let mut out = CsvOut::new(writer, encoding, columns)?;
    feed(&mut |sale| signs(&sale).try_for_each(|sign| sale_row(&mut out, &sale, sign, rates)))?;
    Ok(out.finish()?)
}

fn sale_row(
    out: &mut CsvOut<impl Write>,
    stored: &StoredSale,
    sign: Sign,
    rates: &BTreeSet<Rate>,
) -> io::Result<()> {
    let (sale, totals) = (&stored.sale, &stored.sale.totals);
    out.plain(sale.number).plain(sale.number.lane);
    out.plain(local_time(stored.at_ms, stored.offset_minutes));
    out.plain(ymd(stored.business_date)).plain(stored.staff);
    out.text(sale.member.as_ref().map_or("", |member| member.code.as_str()));
    for amount in [totals.subtotal, totals.discount, totals.total] {
        out.plain(sign.money(amount).minor());
    }
    for rate in rates {
        let of_rate = totals.taxes.iter().filter(|group| group.rate == Some(*rate));
        out.plain(sign.money(of_rate.map(|group| group.tax).sum()).minor());
    }
    let back = sale.return_of.as_ref();
    let taken = back.map_or(0, |back| back.points_taken_back - back.points_deducted);
    let given = back.map_or(0, |back| back.points_given_back);
    out.plain(sign.count(sale.points_used - given));
    out.plain(sign.count(sale.points_earned - taken));
    for kind in TenderKind::ALL {
        let of_kind = sale.tenders.iter().filter(|tender| tender.kind == kind);
        // `applied` is net of change, so the columns sum to the total.
        out.plain(sign.money(of_kind.map(|tender| tender.applied).sum()).minor());
    }
    out.end_row()
}

/// Columns of the lines.
const LINE_COLUMNS: [&str; 9] = [
    "receipt",
    "line",
    "code",
    "name",
    "quantity",
    "unit_price",
    "discount",
    "amount",
    "tax_class",
];

/// Writes one row a line; `amount` is after the line's own discount, before shares of others.
///
/// # Errors
/// Those of the writer and of `feed`.
pub fn lines_out<E: From<io::Error>>(
    writer: impl Write,
    encoding: OutEncoding,
    feed: impl FnOnce(&mut Row<'_, StoredSale>) -> Result<(), E>,
) -> Result<Written, E> {
    let mut out = CsvOut::new(writer, encoding, LINE_COLUMNS)?;
    feed(&mut |stored| {
        for sign in signs(&stored) {
            for (place, line) in (1_u32..).zip(&stored.sale.lines) {
                out.plain(stored.sale.number).plain(place);
                out.text(&line.item.code).text(&line.item.name);
                out.plain(sign.quantity(line.item.quantity)).plain(line.item.unit_price);
                out.plain(sign.money(line.discount).minor());
                out.plain(sign.money(line.amount).minor());
                out.plain(&line.item.class).end_row()?;
            }
        }
        Ok(())
    })?;
    Ok(out.finish()?)
}

/// `2026-11-22T10:23:00+09:00`: the time at the counter, with what it was off Greenwich.
pub fn local_time(at_ms: i64, offset_minutes: i16) -> String {
    let offset = FixedOffset::east_opt(i32::from(offset_minutes) * 60);
    let at = DateTime::from_timestamp_millis(at_ms).unwrap_or_default();
    let zone = offset.unwrap_or_else(|| FixedOffset::east_opt(0).expect("Greenwich is a zone"));
    at.with_timezone(&zone).to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;
    use crate::domain::number::{DocKind, DocNo};
    use crate::domain::sale::{OnTheWay, ReturnOf, SaleId, SaleMember, Tender, Totals};
    use crate::domain::tax::{TaxClass, TaxGroup, TaxMode};

    fn stored(number: u32, total: i64, kind: DocKind) -> StoredSale {
        let tax = |class, rate: i64, base, tax| TaxGroup {
            class,
            rate: Some(rate.into()),
            mode: TaxMode::Included,
            base: yen(base),
            tax: yen(tax),
        };
        let taxes = vec![tax(TaxClass::Reduced, 8, total, total * 8 / 108)];
        let cash = Tender { kind: TenderKind::Cash, amount: yen(total + 20), applied: yen(total) };
        let sale = Sale {
            id: SaleId(number.into()),
            number: DocNo { lane: 1, epoch: 0, kind, number },
            lines: Vec::new(),
            discounts: Vec::new(),
            totals: Totals { subtotal: yen(total), discount: yen(0), total: yen(total), taxes },
            member: None,
            points_used: 0,
            points_earned: 0,
            tenders: vec![cash],
            change: yen(20),
            eat_in: false,
            customer_kind: String::new(),
            note: String::new(),
            return_of: None,
            returned: Money::ZERO,
            on_the_way: OnTheWay::default(),
            stamp_duty: Money::ZERO,
        };
        StoredSale {
            sale,
            at_ms: 1_795_310_580_000,
            offset_minutes: 540,
            business_date: 739_942,
            staff: 3,
            training: false,
            seq: 1,
            returned: [].into(),
            points_taken_back: 0,
            points_given_back: 0,
            voided: false,
            copies: 0,
            formal: Money::ZERO,
            formals: Vec::new(),
            late_member: None,
            late_points: 0,
        }
    }

    fn csv(sales: Vec<StoredSale>) -> Vec<String> {
        let rates = sales.iter().flat_map(|stored| rates(&stored.sale)).collect();
        let mut bytes = Vec::new();
        let mut sales = sales.into_iter();
        sales_out(&mut bytes, OutEncoding::Utf8, &rates, |row| sales.try_for_each(row)).unwrap();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_sale_is_a_row_with_cash_net_of_change_and_a_return_is_below_zero() {
        let mut sold = stored(123, 1080, DocKind::Receipt);
        sold.sale.points_earned = 10;
        sold.sale.member = Some(SaleMember {
            code: "2900000000018".to_owned(),
            rank: "regular".to_owned(),
            rank_rate: Rate::ONE,
            points_before: 0,
            points_after: 10,
        });
        let mut back = stored(12, -108, DocKind::Return);
        back.sale.return_of = Some(ReturnOf {
            receipt: sold.sale.number,
            sold_on: 739_942,
            points_taken_back: 3,
            points_deducted: 1,
            points_given_back: 0,
        });
        assert_eq!(
            csv(vec![sold, back]),
            [
                "receipt,lane,at,business_date,staff,member,subtotal,discount,total,tax_8,\
                 points_used,points_earned,cash,credit,debit,emoney,code,voucher,points",
                "01-000123,1,2026-11-22T10:23:00+09:00,2026-11-22,3,2900000000018,\
                 1080,0,1080,80,0,10,1080,0,0,0,0,0,0",
                "01-R000012,1,2026-11-22T10:23:00+09:00,2026-11-22,3,,\
                 -108,0,-108,-8,0,-2,-108,0,0,0,0,0,0",
            ]
        );
    }

    #[test]
    fn a_voided_receipt_sums_to_nothing_and_training_is_left_out() {
        let voided = StoredSale { voided: true, ..stored(1, 540, DocKind::Receipt) };
        let training = StoredSale { training: true, ..stored(1, 540, DocKind::Training) };
        let rows = csv(vec![voided, training]);
        assert_eq!(rows.len(), 3);
        assert!(rows[1].contains(",540,0,540,40,") && rows[2].contains(",-540,0,-540,-40,"));
    }
}
