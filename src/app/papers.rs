//! Which paper follows from which entry.
//!
//! Room: app. May touch: what reports make of an entry. A paper is made from the entry itself, so that
//! it can be made again for ever.

use super::books::Placed;
use super::engine::Engine;
use super::kitchen::{Kitchen, Slip};
use crate::domain::day::DayTotals;
use crate::domain::document::Document;
use crate::domain::entry::{Draft, Entry, Header, Kind};
use crate::domain::number::{DocKind, DocNo};
use crate::domain::register::{Lookup, Paper, StoredSale};
use crate::domain::sale::Sale;
use crate::reports::formal_receipt::{FormalReceipt, formal_receipt};
use crate::reports::kitchen_slip::{self, kitchen_slip};
use crate::reports::letterhead::{Act, Letterhead};
use crate::reports::receipt::receipt;
use crate::reports::return_slip::return_slip;
use crate::reports::slips::{CashMove, SuspendSlip, cash_slip, suspend_slip};
use crate::reports::tax_free::{Refund, record_slip, refund_slip};
use crate::reports::void_slip::void_slip;
use crate::reports::x_z::{CashShown, XReport, ZReport, x_report, z_report};
use crate::store::jobs::slip_job;
use crate::store::z_signing;

/// Characters of the chain head on a paper.
const HEAD_CHARS: usize = 16;

/// The name of a paper's print job and file.
pub fn job_name(kind: &str, number: impl std::fmt::Display, copy: u32) -> String {
    if copy == 0 { format!("{kind}-{number}") } else { format!("{kind}-{number}-r{copy}") }
}

fn act<'a>(header: &Header, head: &'a str, copy: u32) -> Act<'a> {
    Act {
        at_ms: header.at_ms,
        offset_minutes: header.offset_minutes,
        lane: header.lane,
        staff: header.staff,
        training: header.training,
        head,
        copy,
    }
}

/// Makes the paper of an act whose entries were just written. `day` is the day as it stood before.
pub fn make(
    paper: &Paper,
    placed: &[Placed],
    day: Option<&DayTotals>,
    engine: &Engine,
) -> Option<(String, Document)> {
    let letterhead =
        Letterhead { settings: &engine.register.settings, words: engine.paper_words() };
    let last = placed.last()?;
    let head = last.hash_hex().get(..HEAD_CHARS)?;
    let now = act(&last.entry.header, head, 0);
    Some(match (paper, &last.entry.kind) {
        (Paper::Receipt { number, copy: 0 }, Kind::SaleClosed(sale)) => {
            let document = sale_paper(&letterhead, &now, sale);
            (job_name("receipt", number, 0), document)
        }
        (Paper::Receipt { number, copy }, _) => {
            let (stored, head) = stored(engine, *number)?;
            let document = stored_paper(&letterhead, &stored, &head, *copy);
            (job_name("receipt", number, *copy), document)
        }
        (Paper::VoidSlip { number }, Kind::ReceiptVoided { sale, reason, .. }) => {
            (job_name("void", number, 0), void_slip(&letterhead, &now, sale, reason))
        }
        (Paper::Formal { number, copy: 0 }, kind) => {
            (job_name("formal", number, 0), formal_paper(&letterhead, &now, kind, engine)?)
        }
        (Paper::Formal { number, copy }, _) => {
            let stored = engine.shop.reader().sale_of_formal(*number).ok()??;
            let (issued, hash) = engine.shop.entry(stored.formal_kept(*number)?.seq)?;
            let issued_as = act(&issued.header, hash.get(..HEAD_CHARS)?, *copy);
            let document = formal_paper(&letterhead, &issued_as, &issued.kind, engine)?;
            (job_name("formal", number, *copy), document)
        }
        (Paper::SuspendSlip { slip }, Kind::SaleSuspended { name, cart, .. }) => {
            let date = engine.now().civil_date();
            let total = engine.register.view_of(cart, date).map(|sale| sale.total);
            let parked = SuspendSlip {
                slip: *slip,
                name,
                lines: cart.lines.len(),
                total: total.unwrap_or_default(),
            };
            (job_name("slip", slip, 0), suspend_slip(&letterhead, &now, &parked))
        }
        (Paper::TaxFreeRecord { number }, Kind::TaxFreeRecorded(record)) => {
            let (stored, _) = stored(engine, record.receipt)?;
            let slip = record_slip(&letterhead, &now, record, &stored.sale);
            (job_name("tax-free", number, 0), slip)
        }
        (Paper::TaxFreeRefund { .. }, Kind::TaxFreeRefunded { number, receipt, by, taxes }) => {
            let refund = Refund { number: *number, receipt: *receipt, by: *by, taxes };
            (job_name("tax-refund", number, 0), refund_slip(&letterhead, &now, &refund))
        }
        (Paper::CashSlip, kind) => {
            let moved = match kind {
                Kind::PaidIn { amount, reason } => CashMove::PaidIn { amount: *amount, reason },
                Kind::PaidOut { amount, reason } => CashMove::PaidOut { amount: *amount, reason },
                Kind::Loaned { amount } => CashMove::Loan { amount: *amount },
                Kind::PickedUp { amount } => CashMove::Pickup { amount: *amount },
                Kind::DrawerOpened { reason } => CashMove::NoSale { reason },
                _ => return None,
            };
            let seq = format!("{:02}-{:06}", last.entry.header.lane, last.entry.header.seq);
            (job_name("cash", seq, 0), cash_slip(&letterhead, &now, moved))
        }
        (Paper::XReport, Kind::XReported { count }) => {
            let day = engine.register.lane.day.as_ref()?;
            let cash =
                if engine.register.may_see_cash() { CashShown::All } else { CashShown::Hidden };
            let parked = engine.register.parked(engine.now().civil_date());
            let report = XReport { day, count: *count, cash, parked };
            let name = format!("{}-{count}", engine.register.lane.next_number(DocKind::Z));
            (job_name("x", name, 0), x_report(&letterhead, &now, &report))
        }
        (Paper::ZReport { number }, Kind::ZClosed(closing)) => {
            let code = z_code(&last.entry, engine).unwrap_or_default();
            let day = day?;
            // First printed from its own act, later from the day that was kept.
            let told = placed.iter().find_map(|placed| match &placed.entry.kind {
                Kind::SalesLeftParked(parked) => Some(*parked),
                _ => None,
            });
            let parked = told.unwrap_or(day.parked);
            let report = ZReport { day, closing, parked, code: &code };
            (job_name("z", number, 0), z_report(&letterhead, &now, &report))
        }
        _ => return None,
    })
}

/// The code by which another PC checks the Z: signed over the hash that the Z follows.
fn z_code(z: &Entry, engine: &Engine) -> Option<String> {
    let before = engine.shop.journal().read(z.header.seq.checked_sub(1)?).ok()?;
    z_signing::code(z, before.hash)
}

/// Returns the slips that sales about to be written want made; practice is not cooked.
pub fn slip_orders(entries: &[Draft], kitchen: &Kitchen) -> Vec<Draft> {
    let mut orders = Vec::new();
    for draft in entries.iter().filter(|draft| !draft.training) {
        if let Kind::SaleClosed(sale) = &draft.kind {
            let order =
                |place: &str| Kind::SlipOrdered { receipt: sale.number, place: place.to_owned() };
            orders.extend(
                kitchen.places(sale).map(|place| Draft { kind: order(place), ..draft.clone() }),
            );
        }
    }
    orders
}

/// Tells the kitchens what the sale just closed ordered.
pub fn tell_kitchen(placed: &[Placed], engine: &mut Engine) {
    let Some(last) = placed.last() else { return };
    let Kind::SaleClosed(sale) = &last.entry.kind else { return };
    for order in placed {
        if let Kind::SlipOrdered { place, .. } = &order.entry.kind {
            let (seq, job) = (order.entry.header.seq, slip_job(place, sale.number));
            match slip(engine, place, &order.entry.header, sale) {
                Some(slip) => engine.kitchen.print(seq, &job, slip),
                None => engine.kitchen.lost(seq, &job),
            }
        }
    }
}

/// The slip of a place; `None` where the place is there no more, or has nothing to make.
fn slip(engine: &Engine, place: &str, header: &Header, sale: &Sale) -> Option<Slip> {
    let words = engine.paper_words();
    let letterhead = Letterhead { settings: &engine.register.settings, words };
    let departments = engine.kitchen.departments(place)?;
    let first = kitchen_slip(&letterhead, &act(header, "", 0), sale, place, departments)?;
    Some(Slip { again: kitchen_slip::again(words, &first), first })
}

/// Makes the slip of an order that is in the journal already.
pub fn slip_again(engine: &Engine, placed: &Placed) -> Option<Slip> {
    let Kind::SlipOrdered { receipt, place } = &placed.entry.kind else { return None };
    let (stored, _) = stored(engine, *receipt)?;
    slip(engine, place, &placed.entry.header, &stored.sale)
}

/// Makes the paper of an entry that is in the journal already.
pub fn again(engine: &Engine, placed: Placed) -> Option<(String, Document)> {
    let entry = &placed.entry;
    let paper = match &entry.kind {
        Kind::SaleClosed(sale) => Paper::Receipt { number: sale.number, copy: 0 },
        Kind::Reprinted { receipt, copy } if receipt.kind == DocKind::Formal => {
            Paper::Formal { number: *receipt, copy: *copy }
        }
        Kind::Reprinted { receipt, copy } => Paper::Receipt { number: *receipt, copy: *copy },
        Kind::ReceiptVoided { receipt, .. } => Paper::VoidSlip { number: *receipt },
        Kind::FormalReceiptIssued { number, .. } | Kind::FormalReceiptIssuedFor { number, .. } => {
            Paper::Formal { number: *number, copy: 0 }
        }
        Kind::TaxFreeRecorded(record) => Paper::TaxFreeRecord { number: record.number },
        Kind::TaxFreeRefunded { number, .. } => Paper::TaxFreeRefund { number: *number },
        Kind::SaleSuspended { slip, .. } => Paper::SuspendSlip { slip: *slip },
        Kind::ZClosed(closing) => Paper::ZReport { number: closing.number },
        _ => return None,
    };
    let date = entry.header.business_date;
    let day = match &entry.kind {
        Kind::ZClosed(closing) => engine
            .shop
            .reader()
            .days(date, date)
            .ok()?
            .into_iter()
            .find(|day| day.closing.number == closing.number)
            .map(|day| day.totals),
        _ => None,
    };
    make(&paper, &[placed], day.as_ref(), engine)
}

/// The formal receipt that an entry says was issued.
fn formal_paper(
    letterhead: &Letterhead<'_>,
    act: &Act<'_>,
    issued: &Kind,
    engine: &Engine,
) -> Option<Document> {
    let (number, receipt, name, amount, stamp_duty) = match issued {
        Kind::FormalReceiptIssued { number, receipt, name, amount, stamp_duty }
        | Kind::FormalReceiptIssuedFor { number, receipt, name, amount, stamp_duty, .. } => {
            (*number, *receipt, name, *amount, *stamp_duty)
        }
        _ => return None,
    };
    let purpose = match issued {
        Kind::FormalReceiptIssuedFor { purpose, .. } => Some(purpose.as_str()),
        _ => None,
    };
    let (stored, _) = stored(engine, receipt)?;
    let (sale, sold_at_ms) = (&stored.sale, stored.at_ms);
    let formal = FormalReceipt { number, sale, name, amount, stamp_duty, purpose, sold_at_ms };
    Some(formal_receipt(letterhead, act, &formal))
}

fn sale_paper(letterhead: &Letterhead<'_>, act: &Act<'_>, sale: &Sale) -> Document {
    let only_returns = sale.lines.iter().all(|line| line.item.is_return());
    if only_returns { return_slip(letterhead, act, sale) } else { receipt(letterhead, act, sale) }
}

/// A closed sale from the store, with the chain head its paper carries.
pub fn stored(engine: &Engine, number: DocNo) -> Option<(StoredSale, String)> {
    let stored = engine.shop.reader().sale(number).ok()??;
    let head = engine.shop.hash_of(stored.seq).unwrap_or_default();
    let head = head.get(..HEAD_CHARS).unwrap_or_default().to_owned();
    Some((stored, head))
}

/// The paper of a stored sale, as first printed or marked as issued again.
pub fn stored_paper(
    letterhead: &Letterhead<'_>,
    stored: &StoredSale,
    head: &str,
    copy: u32,
) -> Document {
    let act = Act {
        at_ms: stored.at_ms,
        offset_minutes: stored.offset_minutes,
        lane: stored.sale.number.lane,
        staff: stored.staff,
        training: stored.training,
        head,
        copy,
    };
    sale_paper(letterhead, &act, &stored.sale)
}
