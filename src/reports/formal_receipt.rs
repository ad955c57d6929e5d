//! The formal receipt: 領収書 made out to a name, for a receipt or a part of it.
//!
//! Room: reports. May touch: std. Rules: `japan.md` 1.4 (name, rates, the lines or a reference to
//! them) and 1.8 (stamp duty).

use chrono::Datelike;

use super::letterhead::{Act, Letterhead, yen};
use super::receipt::{mark_notes, stamp_box};
use super::{taxes, training};
use crate::domain::document::{Align, Block, Document, Rule, Style};
use crate::domain::money::Money;
use crate::domain::number::DocNo;
use crate::domain::sale::{Sale, TenderKind};

/// What a formal receipt says; `amount` may be a part of the sale.
#[derive(Debug, Clone, Copy)]
pub struct FormalReceipt<'a> {
    pub number: DocNo,
    pub sale: &'a Sale,
    pub name: &'a str,
    pub amount: Money,
    pub stamp_duty: Money,
    /// What it is for in the shop's own words; absent, for goods.
    pub purpose: Option<&'a str>,
    /// When the goods were sold (UTC milliseconds): the date an invoice must name.
    pub sold_at_ms: i64,
}

/// Returns the formal receipt; `act.copy` above 0 marks it as issued again.
pub fn formal_receipt(
    letterhead: &Letterhead<'_>,
    act: &Act<'_>,
    formal: &FormalReceipt<'_>,
) -> Document {
    let words = letterhead.words;
    let mut document = Document::default();
    letterhead.title(&mut document, "paper.formal.title", act.copy);
    document.pair(letterhead.date_time(act.local()), format!("No.{}", formal.number));
    document.push(Block::Feed(1));
    let addressed = addressed(letterhead, formal.name);
    let named = Style { underline: true, tall: true, ..Style::BOLD };
    document.styled(addressed, Align::Left, named);
    document.push(Block::Feed(1));
    let amount = words.fill("paper.formal.amount", &[("amount", &yen(formal.amount))]);
    document.styled(amount, Align::Center, Style::BIG);
    document.text(match formal.purpose {
        Some(purpose) => words.fill("paper.formal.for_that", &[("purpose", &purpose)]),
        None => words.get("paper.formal.for").to_owned(),
    });
    document.text(words.get("paper.formal.received"));
    breakdown(letterhead, act, formal, &mut document);
    stamp_box(letterhead, &mut document, formal.stamp_duty);
    document.push(Block::Feed(1));
    letterhead.shop(&mut document);
    letterhead.served_by(&mut document, act);
    letterhead.chain_head(&mut document, act);
    document.push(Block::Cut);
    if act.training { training::marked(document, words) } else { document }
}

/// The name with its form of address, unless whoever keyed it gave one: `上様`, `…御中`.
fn addressed(letterhead: &Letterhead<'_>, name: &str) -> String {
    match HONORIFICS.iter().any(|honorific| name.trim_end().ends_with(honorific)) {
        true => letterhead.words.fill("paper.formal.to_addressed", &[("name", &name)]),
        false => letterhead.words.fill("paper.formal.to", &[("name", &name)]),
    }
}

/// What a Japanese addressee's name may end in already.
const HONORIFICS: [&str; 4] = ["様", "御中", "殿", "さま"];

/// The rates and taxes of the receipt it stands for, and where its lines are found. Of a part of a
/// receipt nobody can say which goods it was, so the whole receipt's sums are told with its total.
fn breakdown(
    letterhead: &Letterhead<'_>,
    act: &Act<'_>,
    formal: &FormalReceipt<'_>,
    document: &mut Document,
) {
    let (words, sale) = (letterhead.words, formal.sale);
    let sold = Act { at_ms: formal.sold_at_ms, ..*act }.local();
    let sold = letterhead.date(sold.date().num_days_from_ce());
    document.rule(Rule::Thin);
    document.pair(
        words.fill("paper.formal.receipt", &[("number", &sale.number)]),
        words.fill("paper.formal.sold", &[("date", &sold)]),
    );
    if formal.amount != sale.totals.total {
        document.pair(words.get("paper.formal.part"), yen(sale.totals.total));
    }
    taxes::excluded(letterhead, document, &sale.totals.taxes);
    taxes::included(letterhead, document, &sale.totals.taxes);
    mark_notes(letterhead, document, sale);
    if sale.tenders.iter().any(|tender| tender.kind == TenderKind::Credit) {
        document.text(words.get("paper.credit_used"));
    }
    document.rule(Rule::Thin);
}
