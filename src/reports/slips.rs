//! Small slips: a suspended sale's number to come back with, and the drawer opened without a sale.
//!
//! Room: reports. May touch: std.

use super::letterhead::{Act, Letterhead, yen};
use super::training;
use crate::domain::document::{Align, Block, Document, Rule, Style};
use crate::domain::entry::Kind;
use crate::domain::money::Money;
use crate::domain::number::DocNo;

/// A parked sale as its slip names it.
#[derive(Debug, Clone, Copy)]
pub struct SuspendSlip<'a> {
    pub slip: DocNo,
    /// What staff called it, or empty.
    pub name: &'a str,
    pub lines: usize,
    pub total: Money,
}

/// Returns the slip that a scan resumes.
pub fn suspend_slip(
    letterhead: &Letterhead<'_>,
    act: &Act<'_>,
    parked: &SuspendSlip<'_>,
) -> Document {
    let words = letterhead.words;
    let mut document = Document::default();
    letterhead.title(&mut document, "paper.suspend.title", act.copy);
    let number = parked.slip.to_string();
    document.styled(&number, Align::Center, Style::BIG);
    if !parked.name.is_empty() {
        document.styled(parked.name, Align::Center, Style::BOLD);
    }
    document.text(letterhead.date_time(act.local()));
    letterhead.served_by(&mut document, act);
    document.rule(Rule::Thin);
    let lines = words.fill("paper.suspend.lines", &[("lines", &parked.lines)]);
    document.pair(lines, yen(parked.total));
    document.text(words.get("paper.suspend.note"));
    document.push(Block::Barcode(number)).push(Block::Cut);
    if act.training { training::marked(document, words) } else { document }
}

/// The drawer opened without a sale, and the cash that went in or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CashMove<'a> {
    PaidIn { amount: Money, reason: &'a str },
    PaidOut { amount: Money, reason: &'a str },
    Loan { amount: Money },
    Pickup { amount: Money },
    NoSale { reason: &'a str },
}

impl<'a> CashMove<'a> {
    /// Reads the movement from its entry; `None` for any other entry.
    pub fn of(kind: &'a Kind) -> Option<Self> {
        Some(match kind {
            Kind::PaidIn { amount, reason } => Self::PaidIn { amount: *amount, reason },
            Kind::PaidOut { amount, reason } => Self::PaidOut { amount: *amount, reason },
            Kind::Loaned { amount } => Self::Loan { amount: *amount },
            Kind::PickedUp { amount } => Self::Pickup { amount: *amount },
            Kind::DrawerOpened { reason } => Self::NoSale { reason },
            _ => return None,
        })
    }

    /// Title, amount when cash moved, and reason.
    const fn parts(self) -> (&'static str, Option<Money>, &'a str) {
        match self {
            Self::PaidIn { amount, reason } => ("paper.cash.paid_in", Some(amount), reason),
            Self::PaidOut { amount, reason } => ("paper.cash.paid_out", Some(amount), reason),
            Self::Loan { amount } => ("paper.cash.loan", Some(amount), ""),
            Self::Pickup { amount } => ("paper.cash.pickup", Some(amount), ""),
            Self::NoSale { reason } => ("paper.cash.no_sale", None, reason),
        }
    }
}

/// Returns the slip to sign and put into the drawer.
pub fn cash_slip(letterhead: &Letterhead<'_>, act: &Act<'_>, cash: CashMove<'_>) -> Document {
    let words = letterhead.words;
    let (title, amount, reason) = cash.parts();
    let mut document = Document::default();
    letterhead.title(&mut document, title, act.copy);
    let lane = words.fill("paper.lane", &[("lane", &format_args!("{:02}", act.lane))]);
    document.pair(letterhead.date_time(act.local()), lane);
    letterhead.served_by(&mut document, act);
    document.rule(Rule::Thin);
    if let Some(amount) = amount {
        document.pair_styled(words.get("paper.cash.amount"), yen(amount), Style::BIG);
    }
    if !reason.is_empty() {
        document.text(words.fill("paper.reason", &[("reason", &reason)]));
    }
    document.push(Block::Feed(1));
    document.text(words.get("paper.signature"));
    letterhead.chain_head(&mut document, act);
    document.push(Block::Cut);
    if act.training { training::marked(document, words) } else { document }
}
