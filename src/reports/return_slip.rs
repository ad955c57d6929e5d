//! The return slip: what came back, at what value, and what the customer got for it.
//!
//! Room: reports. May touch: std. Layout: `japan.md` 7.3; both dates and the rates make it an
//! adjustment invoice (適格返還請求書), named so only when the shop is registered (1.6).

use super::letterhead::{Act, Letterhead, yen};
use super::receipt::{mark_notes, place, points_back, tender_line};
use super::{goods, taxes, training};
use crate::domain::document::{Block, Document, Rule};
use crate::domain::sale::Sale;

/// Returns the slip of a sale that only took goods back.
pub fn return_slip(letterhead: &Letterhead<'_>, act: &Act<'_>, sale: &Sale) -> Document {
    let mut document = Document::default();
    head(letterhead, act, sale, &mut document);
    document.rule(Rule::Thin);
    for line in &sale.lines {
        goods::line(letterhead, &mut document, line);
    }
    document.rule(Rule::Thin);
    sums(letterhead, sale, &mut document);
    foot(letterhead, act, sale, &mut document);
    if act.training { training::marked(document, letterhead.words) } else { document }
}

fn head(letterhead: &Letterhead<'_>, act: &Act<'_>, sale: &Sale, document: &mut Document) {
    let words = letterhead.words;
    letterhead.shop(document);
    // Without its receipt the day of the sale is not known, and without that day it is no such invoice.
    let registered = letterhead.settings.shop.registration_number.is_some();
    let title = if registered && sale.return_of.is_some() {
        "paper.return.title_invoice"
    } else {
        "paper.return.title"
    };
    letterhead.title(document, title, act.copy);
    let date = letterhead.date_time(act.local());
    document
        .pair(words.fill("paper.return.date", &[("date", &date)]), format!("No.{}", sale.number));
    match &sale.return_of {
        Some(back) => {
            let date = letterhead.date(back.sold_on);
            let left = words.fill("paper.return.original", &[("date", &date)]);
            let number = back.receipt.to_string();
            document.pair(left, place(letterhead, back.receipt.lane, &number));
        }
        None => {
            document.text(words.get("paper.return.no_receipt"));
        }
    }
    letterhead.served_by(document, act);
}

fn sums(letterhead: &Letterhead<'_>, sale: &Sale, document: &mut Document) {
    let words = letterhead.words;
    taxes::excluded(letterhead, document, &sale.totals.taxes);
    document.pair(words.get("paper.return.total"), yen(sale.totals.total));
    taxes::included(letterhead, document, &sale.totals.taxes);
    for tender in &sale.tenders {
        tender_line(letterhead, document, tender);
    }
    if let Some(back) = &sale.return_of {
        for (name, points) in points_back(letterhead, back) {
            document.pair(name, points);
        }
    }
    mark_notes(letterhead, document, sale);
}

fn foot(letterhead: &Letterhead<'_>, act: &Act<'_>, sale: &Sale, document: &mut Document) {
    let words = letterhead.words;
    let reason = match sale.note.as_str() {
        "" => String::new(),
        note => words.fill("paper.reason", &[("reason", &note)]),
    };
    let approved: Vec<String> =
        sale.on_the_way.approved_by.iter().map(|staff| format!("{staff:04}")).collect();
    let approved = match approved.as_slice() {
        [] => String::new(),
        all => words.fill("paper.approved", &[("staff", &all.join(" "))]),
    };
    if !(reason.is_empty() && approved.is_empty()) {
        document.pair(reason, approved);
    }
    document.push(Block::Feed(1));
    document.text(words.get("paper.signature"));
    letterhead.chain_head(document, act);
    document.push(Block::Barcode(sale.number.to_string()));
    document.push(Block::Cut);
}
