//! The blocks that X and Z share, each in the columns of `japan.md` 7.4.
//!
//! Room: reports. May touch: std.

use chrono::NaiveDate;
use rust_decimal::{Decimal, RoundingStrategy};

use super::columns::{apart, left, right};
use super::goods::count;
use super::letterhead::{Letterhead, grouped, yen};
use super::receipt::tender_name;
use super::taxes as tax_names;
use super::x_z::{CashShown, ZReport};
use crate::domain::day::{Count, DayTotals, Tally, TaxKey, TaxSum};
use crate::domain::document::{Block, Document, Rule};
use crate::domain::entry::ZClosing;
use crate::domain::money::Money;
use crate::domain::quantity::{Quantity, Rate};
use crate::domain::sale::TenderKind;
use crate::domain::words::Words;

/// Faces a drawer of Japan is counted by; a count lists them all, with those that are missing.
const FACES: [i64; 10] = [10_000, 5_000, 2_000, 1_000, 500, 100, 50, 10, 5, 1];

/// Gross to net, and what a customer brought.
pub fn sales(letterhead: &Letterhead<'_>, day: &DayTotals, document: &mut Document) {
    let words = letterhead.words;
    let pieces = words.fill("paper.pieces", &[("count", &count(day.pieces))]);
    document.pair(format!("{}  {pieces}", words.get("report.gross")), yen(day.gross));
    for (key, tally) in [
        ("report.amounts_off", day.amounts_off),
        ("report.percents_off", day.percents_off),
        ("report.points_off", day.points_off),
        ("report.returns", day.returns),
    ] {
        if key != "report.points_off" || tally.count != 0 {
            document.pair(counted(words, key, tally.count), yen(-tally.amount));
        }
    }
    let customers = words.fill("report.customers", &[("count", &grouped(day.customers))]);
    let net = format!("{}{}", left(words.get("report.net"), 10), right(&customers, 6));
    document.pair(net, yen(day.net));
    if day.customers > 0 {
        let each = Money::new(day.net.minor().div_euclid(day.customers));
        document.pair(words.get("report.per_customer"), yen(each));
        document.pair(words.get("report.pieces_per_customer"), per_customer(day));
    }
    document.rule(Rule::Thin);
}

/// Pieces a customer takes, to one decimal.
fn per_customer(day: &DayTotals) -> String {
    let each = day.pieces.decimal() / Decimal::from(day.customers);
    let rounded = each.round_dp_with_strategy(1, RoundingStrategy::MidpointAwayFromZero);
    format!("{rounded:.1}")
}

fn counted(words: &Words, key: &str, count: i64) -> String {
    let times = words.fill("report.times", &[("count", &grouped(count))]);
    format!("{}{}", left(words.get(key), 10), apart(&times, 6))
}

/// Per class and rate: what the goods cost with tax, and the sum of the printed taxes.
pub fn taxes(letterhead: &Letterhead<'_>, day: &DayTotals, document: &mut Document) {
    let words = letterhead.words;
    let columns = right(words.get("report.tax.sum"), 16);
    document
        .pair(words.get("report.tax.title"), format!("{}{columns}", words.get("report.tax.base")));
    for (key, sum) in tax_rows(day) {
        // One column with tax, whichever way the goods were priced: it adds up to the net sales.
        let base = if key.included { sum.base } else { sum.base + sum.tax };
        let right = format!("{}{}", yen(base), apart(&yen(sum.tax), 16));
        document.pair(tax_label(letterhead, day, &key), right);
    }
    for (key, tally) in [
        ("report.tax.refunds_cash", day.tax_refunds_cash),
        ("report.tax.refunds_transfer", day.tax_refunds_transfer),
    ] {
        if tally.count != 0 {
            // The rows above have lost what went back; with it they add up to the net sales again.
            let amounts = format!("{}{}", yen(tally.amount), right(&yen(Money::ZERO), 16));
            document.pair(counted(words, key, tally.count), amounts);
        }
    }
    document.rule(Rule::Thin);
}

/// Lower rates first; goods without tax always have their row, so that "none" is said, and one only,
/// whichever way they were priced.
fn tax_rows(day: &DayTotals) -> Vec<(TaxKey, TaxSum)> {
    let mut rows: Vec<(TaxKey, TaxSum)> = Vec::new();
    for (key, sum) in &day.taxes {
        let included = key.included || tax_names::untaxed(&key.class).is_some();
        let key = TaxKey { included, ..key.clone() };
        match rows.iter_mut().find(|(there, _)| *there == key) {
            Some((_, there)) => {
                there.base += sum.base;
                there.tax += sum.tax;
            }
            None => rows.push((key, *sum)),
        }
    }
    for class in ["exempt", "untaxed"] {
        if !rows.iter().any(|(key, _)| key.class == class) {
            let key = TaxKey { class: class.to_owned(), rate: String::new(), included: true };
            rows.push((key, TaxSum::default()));
        }
    }
    rows.sort_by(|(a, _), (b, _)| {
        tax_names::order((&a.class, rate(a)), (&b.class, rate(b))).then(b.included.cmp(&a.included))
    });
    rows
}

fn rate(key: &TaxKey) -> Option<Rate> {
    key.rate.parse().ok()
}

fn tax_label(letterhead: &Letterhead<'_>, day: &DayTotals, key: &TaxKey) -> String {
    let words = letterhead.words;
    let mut label = tax_names::name(words, &key.class, rate(key), 2);
    if let Some(mark) = mark(letterhead, day, key) {
        label = format!("{label}({mark})");
    }
    if !key.included && tax_names::untaxed(&key.class).is_none() {
        label.push_str(words.get("report.tax.excluded"));
    }
    label
}

/// The mark the class's goods had on that day, when they have one.
fn mark<'a>(letterhead: &Letterhead<'a>, day: &DayTotals, key: &TaxKey) -> Option<&'a str> {
    let date = NaiveDate::from_num_days_from_ce_opt(day.business_date)?;
    let row = letterhead.settings.tax_classes.on(&key.class.parse().ok()?, date)?;
    (!row.mark.is_empty()).then_some(row.mark.as_str())
}

/// What each way of paying settled; they sum to the net sales.
pub fn tenders(letterhead: &Letterhead<'_>, day: &DayTotals, document: &mut Document) {
    let words = letterhead.words;
    document.text(words.get("report.tenders"));
    for kind in TenderKind::ALL {
        if let Some(tally) = day.tenders.get(&kind) {
            let name =
                if kind == TenderKind::Points { "report.points_tender" } else { tender_name(kind) };
            document.pair(words.get(name), times_and_amount(words, *tally));
        }
    }
    let sum = day.tenders.values().map(|tally| tally.amount).sum();
    document.pair(words.get("report.tenders.sum"), yen(sum));
    document.rule(Rule::Thin);
}

fn times_and_amount(words: &Words, tally: Tally) -> String {
    let times = words.fill("report.times", &[("count", &grouped(tally.count))]);
    format!("{times}{}", apart(&yen(tally.amount), 11))
}

/// The drawer of an open day; what must be in it only where that may be known.
pub fn open_drawer(
    letterhead: &Letterhead<'_>,
    day: &DayTotals,
    cash: CashShown,
    document: &mut Document,
) {
    let words = letterhead.words;
    document.text(words.get("report.cash"));
    match cash {
        CashShown::Hidden => {
            // Every movement that would let the sum be worked out stays out, too.
            document.text(words.get("report.cash.hidden"));
        }
        CashShown::All => {
            movements(words, day, document);
            document.pair(words.get("report.cash.expected"), yen(day.expected_cash()));
            if let Some(counted) = day.count.as_ref().and_then(Count::total) {
                document.pair(words.get("report.cash.counted"), yen(counted));
                let difference = counted - day.expected_cash();
                document.pair(words.get("report.cash.difference"), yen(difference));
            }
        }
    }
    document.rule(Rule::Thin);
}

/// The drawer of a closed day: expected, counted, difference, and where the cash goes.
pub fn closed_drawer(
    letterhead: &Letterhead<'_>,
    day: &DayTotals,
    closing: &ZClosing,
    document: &mut Document,
) {
    let words = letterhead.words;
    document.text(words.get("report.cash"));
    movements(words, day, document);
    document.pair(words.get("report.cash.expected"), yen(closing.expected));
    match closing.counted {
        Some(counted) => {
            document.pair(words.get("report.cash.counted"), yen(counted));
            document.pair(words.get("report.cash.difference"), yen(closing.difference));
        }
        None => {
            document.text(words.get("report.cash.not_counted"));
        }
    }
    document.pair(words.get("report.cash.float_left"), yen(closing.float_left));
    let in_drawer = closing.counted.unwrap_or(closing.expected);
    document.pair(words.get("report.cash.bank_bag"), yen(in_drawer - closing.float_left));
    if let Some(count) = &closing.count {
        faces(words, count, document);
    }
    document.rule(Rule::Thin);
}

fn movements(words: &Words, day: &DayTotals, document: &mut Document) {
    document.pair(words.get("report.cash.float"), yen(day.float));
    let sales = day.tenders.get(&TenderKind::Cash).map_or(Money::ZERO, |tally| tally.amount);
    document.pair(words.get("report.cash.sales"), yen(sales));
    for (key, tally, always) in [
        ("report.cash.paid_in", day.paid_in, true),
        ("report.cash.paid_out", negative(day.paid_out), true),
        ("report.cash.loans", day.loans, false),
        ("report.cash.pickups", negative(day.pickups), false),
        ("report.cash.tax_refunds", negative(day.tax_refunds_cash), false),
    ] {
        if always || tally.count != 0 {
            let times = words.fill("report.times", &[("count", &grouped(tally.count))]);
            document.pair(format!("{}{}", words.get(key), apart(&times, 6)), yen(tally.amount));
        }
    }
    for (reasons, sign) in [(&day.paid_in_by_reason, 1), (&day.paid_out_by_reason, -1)] {
        for (reason, amount) in reasons {
            document.pair(format!("  {reason}"), yen(Money::new(sign * amount.minor())));
        }
    }
}

fn negative(tally: Tally) -> Tally {
    Tally { amount: -tally.amount, ..tally }
}

fn faces(words: &Words, counted: &Count, document: &mut Document) {
    document.text(words.get("report.faces"));
    let mut faces: Vec<Money> = FACES.into_iter().map(Money::new).collect();
    faces.extend(counted.pieces.keys().filter(|face| !FACES.contains(&face.minor())));
    for face in faces {
        let pieces = counted.pieces.get(&face).copied().unwrap_or(0);
        let amount = Money::new(face.minor().saturating_mul(i64::from(pieces)));
        let (face, pieces) = (right(&face.grouped(), 6), right(&pieces.to_string(), 4));
        let left = words.fill("report.face", &[("face", &face), ("pieces", &pieces)]);
        document.pair(left, yen(amount));
    }
}

/// Goods that were rung and are neither sold nor given up: in no other figure here.
pub fn parked(letterhead: &Letterhead<'_>, parked: Tally, document: &mut Document) {
    if parked.count == 0 {
        return;
    }
    let words = letterhead.words;
    let often = words.fill("report.times", &[("count", &grouped(parked.count))]);
    document.pair(words.get("report.parked"), format!("{often}  {}", yen(parked.amount)));
    document.rule(Rule::Thin);
}

/// What a manager asks about: voids, overrides, drawer openings, papers issued again.
pub fn operations(letterhead: &Letterhead<'_>, day: &DayTotals, document: &mut Document) {
    let words = letterhead.words;
    document.text(words.get("report.operations"));
    for (key, tally, always) in [
        ("report.op.voided_lines", day.voided_lines, true),
        ("report.op.voided_sales", day.voided_sales, true),
        ("report.op.voided_receipts", day.voided_receipts, false),
    ] {
        if always || tally.count != 0 {
            let often = often(words, tally.count);
            document.pair(words.get(key), format!("{often}  {}", yen(tally.amount)));
        }
    }
    for (key, count) in [
        ("report.op.overrides", i64::from(day.overrides)),
        ("report.op.returns", day.returns.count),
        ("report.op.no_sales", i64::from(day.no_sales)),
    ] {
        document.pair(words.get(key), often(words, count));
    }
    let (formal, copies) = (i64::from(day.formal_receipts), i64::from(day.formal_copies));
    let both = format!("{} / {}", often(words, formal), often(words, copies));
    document.pair(words.get("report.op.formal_receipts"), both);
    for (key, count, always) in [
        ("report.op.reprints", i64::from(day.reprints), true),
        ("report.op.age_checks", i64::from(day.age_checks), true),
        ("report.op.x_reports", i64::from(day.x_reports), true),
        ("report.op.tender_corrections", i64::from(day.tender_corrections), false),
        ("report.op.approvals", i64::from(day.approvals), false),
        ("report.op.refusals", i64::from(day.refusals), false),
        ("report.op.training", i64::from(day.training_sales), false),
    ] {
        if always || count != 0 {
            document.pair(words.get(key), often(words, count));
        }
    }
    document.rule(Rule::Thin);
}

fn often(words: &Words, count: i64) -> String {
    words.fill("report.often", &[("count", &grouped(count))])
}

/// Pieces and net sales of each department.
pub fn departments(letterhead: &Letterhead<'_>, day: &DayTotals, document: &mut Document) {
    if day.departments.is_empty() {
        return;
    }
    let words = letterhead.words;
    document.text(words.get("report.departments"));
    for (number, sum) in &day.departments_with_tax() {
        let name = letterhead.settings.department(*number).map_or("", |known| known.name.as_str());
        document.pair(
            format!("{number:02} {name}"),
            pieces_and_amount(words, sum.quantity, sum.amount),
        );
    }
    document.rule(Rule::Thin);
}

fn pieces_and_amount(words: &Words, quantity: Quantity, amount: Money) -> String {
    let pieces = words.fill("paper.pieces", &[("count", &count(quantity))]);
    format!("{pieces}{}", apart(&yen(amount), 11))
}

/// Customers and sales of each hour.
pub fn hours(letterhead: &Letterhead<'_>, day: &DayTotals, document: &mut Document) {
    if day.hours.is_empty() {
        return;
    }
    let words = letterhead.words;
    document.text(words.get("report.hours"));
    for (hour, tally) in &day.hours {
        let hour = words.fill("report.hour", &[("hour", &format_args!("{hour:02}"))]);
        document.pair(hour, customers_and_amount(words, *tally));
    }
    document.rule(Rule::Thin);
}

/// Customers and sales of each who sold; one alone is the day itself.
pub fn staff(letterhead: &Letterhead<'_>, day: &DayTotals, document: &mut Document) {
    if day.staff.len() < 2 {
        return;
    }
    let words = letterhead.words;
    document.text(words.get("report.by_staff"));
    for (number, tally) in &day.staff {
        let name = letterhead.staff(*number);
        let name = if name.is_empty() { format!("{number:04}") } else { name };
        document.pair(name, customers_and_amount(words, *tally));
    }
    document.rule(Rule::Thin);
}

fn customers_and_amount(words: &Words, tally: Tally) -> String {
    let customers = words.fill("report.customers", &[("count", &grouped(tally.count))]);
    format!("{customers}{}", apart(&yen(tally.amount), 10))
}

/// Points given, used and taken back; those given back only where there are any.
pub fn points(letterhead: &Letterhead<'_>, day: &DayTotals, document: &mut Document) {
    let counts = [day.points_given, day.points_used, day.points_taken_back].map(grouped);
    let words = letterhead.words;
    document.pair(words.get("report.points"), counts.join(" / "));
    if day.points_given_back != 0 {
        document.pair(words.get("report.points_given_back"), grouped(day.points_given_back));
    }
}

/// Net sales over all Zs, before and after this one.
pub fn grand_total(letterhead: &Letterhead<'_>, closing: &ZClosing, document: &mut Document) {
    let words = letterhead.words;
    document.pair(words.get("report.grand_total_before"), yen(closing.grand_total_before));
    document.pair(words.get("report.grand_total"), yen(closing.grand_total));
}

/// Who signed the Z, and the code by which another PC checks it.
pub fn seal(letterhead: &Letterhead<'_>, report: &ZReport<'_>, document: &mut Document) {
    let Some(seal) = &report.closing.seal else { return };
    let parts: [(&str, &dyn std::fmt::Display); 2] =
        [("signature", &seal.signature_shown()), ("key", &seal.key_shown())];
    document.center(letterhead.words.fill("report.z.signature", &parts[..1]));
    document.center(letterhead.words.fill("report.z.key", &parts[1..]));
    if !report.code.is_empty() {
        document.push(Block::Qr(report.code.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;
    use crate::reports::test_shop::{day_of, sale_of};

    #[test]
    fn goods_without_tax_have_one_row_whichever_way_they_were_priced() {
        let mut day = day_of("2026-11-22", &[sale_of(1, &[("reduced", 1_080), ("exempt", 300)])]);
        let before_tax = |class: &str, rate: &str| TaxKey {
            class: class.to_owned(),
            rate: rate.to_owned(),
            included: false,
        };
        let sum = TaxSum { base: yen(700), tax: yen(0) };
        day.taxes.insert(before_tax("exempt", ""), sum);
        day.taxes.insert(before_tax("reduced", "8"), TaxSum { tax: yen(56), ..sum });
        let rows = tax_rows(&day);
        let seen: Vec<_> =
            rows.iter().map(|(key, sum)| (&*key.class, key.included, sum.base)).collect();
        let want = [
            ("reduced", true, yen(1_080)),
            ("reduced", false, yen(700)),
            ("exempt", true, yen(1_000)),
            ("untaxed", true, yen(0)),
        ];
        assert_eq!(seen, want);
    }
}
