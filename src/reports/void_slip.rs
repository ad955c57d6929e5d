//! The void slip: a receipt of the same day undone, and the money handed back.
//!
//! Room: reports. May touch: std.

use super::letterhead::{Act, Letterhead, yen};
use super::receipt::{mark_notes, place, tender_name};
use super::{goods, taxes, training};
use crate::domain::document::{Block, Document, Rule, Style};
use crate::domain::sale::Sale;
use crate::domain::tax::TaxGroup;

/// Returns the slip that undoes `sale`; all its amounts stand with the other sign.
pub fn void_slip(
    letterhead: &Letterhead<'_>,
    act: &Act<'_>,
    sale: &Sale,
    reason: &str,
) -> Document {
    let words = letterhead.words;
    let mut document = Document::default();
    letterhead.shop(&mut document);
    letterhead.title(&mut document, "paper.void.title", act.copy);
    document.pair(
        letterhead.date_time(act.local()),
        place(letterhead, act.lane, &sale.number.to_string()),
    );
    letterhead.served_by(&mut document, act);
    document.rule(Rule::Thin);
    for line in &sale.lines {
        let pieces = goods::quantity(letterhead, line.item.quantity, line.item.unit);
        let name = goods::marked_name(letterhead, line);
        document.pair(format!("{name}  {pieces}"), yen(-line.amount));
    }
    document.rule(Rule::Thin);
    let taxes = undone(&sale.totals.taxes);
    taxes::excluded(letterhead, &mut document, &taxes);
    document.pair_styled(words.get("paper.void.total"), yen(-sale.totals.total), Style::BIG);
    taxes::included(letterhead, &mut document, &taxes);
    for tender in &sale.tenders {
        let name = words.get(tender_name(tender.kind));
        let left = words.fill("paper.tender.refund", &[("tender", &name)]);
        document.pair(left, yen(tender.applied));
    }
    mark_notes(letterhead, &mut document, sale);
    document.text(words.fill("paper.reason", &[("reason", &reason)]));
    document.push(Block::Feed(1));
    document.text(words.get("paper.signature"));
    letterhead.chain_head(&mut document, act);
    document.push(Block::Cut);
    if act.training { training::marked(document, letterhead.words) } else { document }
}

fn undone(taxes: &[TaxGroup]) -> Vec<TaxGroup> {
    let negated =
        |group: &TaxGroup| TaxGroup { base: -group.base, tax: -group.tax, ..group.clone() };
    taxes.iter().map(negated).collect()
}
