//! The receipt: a simplified invoice when the shop is registered, laid out in blocks the shop may order.
//!
//! Room: reports. May touch: std. Layout: `japan.md` 7.1 and 7.2; fields: 1.4.
//! Invariant: whatever order a shop chooses, the blocks that law or customer need are on the paper.

use std::collections::BTreeMap;

use super::goods;
use super::letterhead::{Act, Letterhead, grouped, masked, yen};
use super::{taxes, training};
use crate::domain::document::{Align, Block, Document, Rule, Style};
use crate::domain::money::Money;
use crate::domain::quantity::{Rate, Rounding};
use crate::domain::sale::{ReturnOf, Sale, SaleDiscount, SaleLine, Tender, TenderKind};
use crate::domain::tax::{TaxMode, tax_on};

/// The blocks of a receipt in the order shipped, for `[receipt] blocks`.
pub const BLOCKS: [&str; 15] = [
    "logo", "shop", "header", "title", "act", "lines", "totals", "tenders", "notes", "member",
    "stamp", "note", "footer", "chain", "codes",
];

/// Blocks a shop may place but not leave out.
const NEEDED: [&str; 9] =
    ["shop", "title", "act", "lines", "totals", "tenders", "notes", "stamp", "chain"];

struct Receipt<'a> {
    letterhead: &'a Letterhead<'a>,
    act: &'a Act<'a>,
    sale: &'a Sale,
}

/// Returns the receipt of a sale.
pub fn receipt(letterhead: &Letterhead<'_>, act: &Act<'_>, sale: &Sale) -> Document {
    let paper = Receipt { letterhead, act, sale };
    let mut document = Document::default();
    for block in order(&letterhead.settings.receipt.blocks) {
        paper.block(block, &mut document);
    }
    document.push(Block::Cut);
    if act.training { training::marked(document, letterhead.words) } else { document }
}

/// The shop's order, with what it may not leave out added behind.
fn order(chosen: &[String]) -> Vec<&str> {
    if chosen.is_empty() {
        return BLOCKS.to_vec();
    }
    let mut blocks: Vec<&str> = chosen.iter().map(String::as_str).collect();
    let missing: Vec<_> = NEEDED.into_iter().filter(|needed| !blocks.contains(needed)).collect();
    blocks.extend(missing);
    blocks
}

impl Receipt<'_> {
    fn block(&self, name: &str, document: &mut Document) {
        match name {
            "logo" if self.letterhead.settings.receipt.logo => {
                document.push(Block::Logo);
            }
            "shop" => self.letterhead.shop(document),
            "header" => centred(document, &self.letterhead.settings.receipt.header),
            "title" => self.letterhead.title(document, "paper.receipt.title", self.act.copy),
            "act" => self.act(document),
            "lines" => self.lines(document),
            "totals" => self.totals(document),
            "tenders" => self.tenders(document),
            "notes" => self.notes(document),
            "member" => self.member(document),
            "stamp" => stamp_box(self.letterhead, document, self.sale.stamp_duty),
            "note" if !self.sale.note.is_empty() => {
                document.text(&self.sale.note);
            }
            "footer" => lines_of(document, &self.letterhead.settings.receipt.footer),
            "chain" => self.letterhead.chain_head(document, self.act),
            "codes" => self.codes(document),
            _ => {}
        }
    }

    fn act(&self, document: &mut Document) {
        let number = place(self.letterhead, self.act.lane, &self.sale.number.to_string());
        document.pair(self.letterhead.date_time(self.act.local()), number);
        self.letterhead.served_by(document, self.act);
        if self.sale.eat_in {
            document.text(self.letterhead.words.get("paper.eat_in"));
        }
        if let Some(back) = &self.sale.return_of {
            let date = self.letterhead.date(back.sold_on);
            let left = self.letterhead.words.fill("paper.return.original", &[("date", &date)]);
            document.pair(left, format!("No.{}", back.receipt));
        }
    }

    fn lines(&self, document: &mut Document) {
        document.rule(Rule::Thin);
        for line in &self.sale.lines {
            goods::line(self.letterhead, document, line);
        }
        document.rule(Rule::Thin);
    }

    fn totals(&self, document: &mut Document) {
        let (words, totals) = (self.letterhead.words, &self.sale.totals);
        let added = totals.taxes.iter().any(|group| {
            group.mode == TaxMode::Excluded && taxes::untaxed(group.class.name()).is_none()
        });
        let key = if added { "paper.subtotal.excluded" } else { "paper.subtotal" };
        let pieces = goods::count(self.sale.pieces());
        // The shares that go back stand with the goods that come back, above this line.
        let back = self.sale.lines.iter().filter(|line| line.item.is_return());
        let back: Money = back.map(|line| line.sale_discount + line.points_share).sum();
        document.pair(words.fill(key, &[("pieces", &pieces)]), yen(totals.subtotal - back));
        self.discounts(document);
        taxes::excluded(self.letterhead, document, &totals.taxes);
        document.pair_styled(words.get("paper.total"), yen(totals.total), Style::BIG);
        taxes::included(self.letterhead, document, &totals.taxes);
    }

    /// Discounts on the whole sale, then how they fell on the rates (`japan.md` 1.6).
    fn discounts(&self, document: &mut Document) {
        for discount in &self.sale.discounts {
            document.pair(self.discount_name(discount), yen(-discount.amount));
        }
        self.split(document, |line| line.sale_discount);
        let points: Money = sold(self.sale).map(|line| line.points_share).sum();
        if !points.is_zero() {
            document.pair(self.letterhead.words.get("paper.tender.points"), yen(-points));
            self.split(document, |line| line.points_share);
        }
    }

    fn discount_name(&self, discount: &SaleDiscount) -> String {
        match self.letterhead.settings.coupon(&discount.coupon) {
            Some(coupon) => coupon.name.clone(),
            None if discount.coupon.is_empty() => {
                goods::discount_name(self.letterhead, Some(discount.given))
            }
            None => discount.coupon.clone(),
        }
    }

    /// One rate alone needs no split.
    fn split(&self, document: &mut Document, share: fn(&SaleLine) -> Money) {
        let parts = shares_by_rate(self.sale, share);
        if parts.len() < 2 {
            return;
        }
        let words = self.letterhead.words;
        let text = |(class, rate, amount): &Share<'_>| {
            format!("{} {}", taxes::short_name(words, class, *rate), (-*amount).grouped())
        };
        let parts: Vec<_> = parts.iter().map(text).collect();
        document.text(format!("  ({})", parts.join(" / ")));
    }

    fn tenders(&self, document: &mut Document) {
        document.rule(Rule::Thin);
        for tender in &self.sale.tenders {
            tender_line(self.letterhead, document, tender);
        }
        let cash = self.sale.tenders.iter().any(|tender| tender.kind == TenderKind::Cash);
        if cash && !self.sale.totals.total.is_negative() || !self.sale.change.is_zero() {
            document.pair(self.letterhead.words.get("paper.change"), yen(self.sale.change));
        }
        document.rule(Rule::Thin);
    }

    fn notes(&self, document: &mut Document) {
        mark_notes(self.letterhead, document, self.sale);
        self.self_medication(document);
        if self.sale.tenders.iter().any(|tender| tender.kind == TenderKind::Credit) {
            // Without these words a card receipt owes stamp duty (`japan.md` 1.8).
            document.text(self.letterhead.words.get("paper.credit_used"));
        }
    }

    /// What counts for the medicine deduction, with tax, as the customer declares it.
    fn self_medication(&self, document: &mut Document) {
        let lines: Vec<_> =
            sold(self.sale).filter(|line| line.item.flags.self_medication).collect();
        if lines.is_empty() {
            return;
        }
        let words = self.letterhead.words;
        document.text(words.get("paper.self_medication"));
        let rounding = self.letterhead.settings.tax.rounding;
        let total = with_tax(&lines, rounding);
        document.pair(words.get("paper.self_medication.total"), yen(total));
    }

    fn member(&self, document: &mut Document) {
        let Some(member) = &self.sale.member else { return };
        let words = self.letterhead.words;
        document.text(words.fill("paper.member", &[("code", &masked(&member.code))]));
        let points = |key, points: i64| words.fill(key, &[("points", &grouped(points))]);
        let before = points("paper.points.before", member.points_before);
        let earned = points("paper.points.earned", self.sale.points_earned);
        let after = points("paper.points.after", member.points_after);
        let moved = self.points_moved();
        if moved.is_empty() {
            document.pair(format!("{before}  {earned}"), after);
        } else {
            document.text(before);
            for (name, points) in moved {
                document.pair(format!("  {name}"), points);
            }
            document.pair(earned, after);
        }
    }

    /// Points used, taken back and given back.
    fn points_moved(&self) -> Vec<(&str, String)> {
        let words = self.letterhead.words;
        let used = (self.sale.points_used != 0).then(|| {
            let points = grouped(self.sale.points_used);
            (
                words.get("paper.points.used"),
                words.fill("paper.points.minus", &[("points", &points)]),
            )
        });
        let back = self.sale.return_of.iter().flat_map(|back| points_back(self.letterhead, back));
        used.into_iter().chain(back).collect()
    }

    fn codes(&self, document: &mut Document) {
        let number = self.sale.number.to_string();
        document.push(Block::Feed(1));
        document.push(Block::Barcode(number.clone()));
        document.push(Block::Qr(number));
    }
}

/// Writes what the marks behind the names mean, each once.
pub fn mark_notes(letterhead: &Letterhead<'_>, document: &mut Document, sale: &Sale) {
    let mut told: Vec<(&str, Rate)> = Vec::new();
    for line in sale.lines.iter().filter(|line| !line.mark.is_empty()) {
        let (mark, rate) = (line.mark.as_str(), line.rate.unwrap_or(Rate::ZERO));
        if !told.contains(&(mark, rate)) {
            told.push((mark, rate));
            document.text(
                letterhead.words.fill("paper.mark.note", &[("mark", &mark), ("rate", &rate)]),
            );
        }
    }
}

/// Writes what was handed over, or handed back, in one way.
pub fn tender_line(letterhead: &Letterhead<'_>, document: &mut Document, tender: &Tender) {
    let words = letterhead.words;
    if tender.amount.is_negative() {
        let name = words.get(tender_name(tender.kind));
        let left = words.fill("paper.tender.refund", &[("tender", &name)]);
        document.pair(left, yen(-tender.amount));
        return;
    }
    let key = match tender.kind {
        TenderKind::Cash => "paper.tender.cash_received",
        kind => tender_name(kind),
    };
    document.pair(words.get(key), yen(tender.amount));
    let kept = tender.amount - tender.applied;
    if tender.kind == TenderKind::Voucher && !kept.is_zero() {
        document.pair(format!("  {}", words.get("paper.tender.settled")), yen(tender.applied));
    }
}

/// Returns the key of a tender's name.
pub const fn tender_name(kind: TenderKind) -> &'static str {
    match kind {
        TenderKind::Cash => "paper.tender.cash",
        TenderKind::Credit => "paper.tender.credit",
        TenderKind::Debit => "paper.tender.debit",
        TenderKind::Emoney => "paper.tender.emoney",
        TenderKind::Code => "paper.tender.code",
        TenderKind::Voucher => "paper.tender.voucher",
        TenderKind::Points => "paper.tender.points",
    }
}

/// Writes the box for a revenue stamp, when the paper owes one.
pub fn stamp_box(letterhead: &Letterhead<'_>, document: &mut Document, duty: Money) {
    if duty <= Money::ZERO {
        return;
    }
    let caption = letterhead.words.fill("paper.stamp_duty", &[("duty", &duty.grouped())]);
    document.push(Block::Frame { caption, lines: 4 });
}

/// `レジ01 No.01-008834`.
pub fn place(letterhead: &Letterhead<'_>, lane: u8, number: &str) -> String {
    let lane = format!("{lane:02}");
    letterhead.words.fill("paper.place", &[("lane", &lane), ("number", &number)])
}

/// What a return moved on the member's account; points that the refund paid for did not move.
pub fn points_back<'a>(letterhead: &Letterhead<'a>, back: &ReturnOf) -> Vec<(&'a str, String)> {
    let words = letterhead.words;
    let taken = back.points_taken_back - back.points_deducted;
    [
        ("paper.points.taken_back", "paper.points.minus", taken),
        ("paper.points.given_back", "paper.points.plus", back.points_given_back),
    ]
    .into_iter()
    .filter(|(_, _, points)| *points != 0)
    .map(|(name, sign, points)| {
        (words.get(name), words.fill(sign, &[("points", &grouped(points))]))
    })
    .collect()
}

fn sold(sale: &Sale) -> impl Iterator<Item = &SaleLine> {
    sale.lines.iter().filter(|line| !line.item.is_return())
}

/// Class, rate, and what fell on their goods.
type Share<'a> = (&'a str, Option<Rate>, Money);

/// Shares on the goods sold, by class and rate, in the order of the paper.
fn shares_by_rate(sale: &Sale, share: fn(&SaleLine) -> Money) -> Vec<Share<'_>> {
    let mut parts: Vec<Share<'_>> = Vec::new();
    for line in sold(sale).filter(|line| !share(line).is_zero()) {
        let (class, rate) = (line.item.class.as_str(), line.rate);
        match parts.iter_mut().find(|known| (known.0, known.1) == (class, rate)) {
            Some(known) => known.2 += share(line),
            None => parts.push((class, rate, share(line))),
        }
    }
    parts.sort_by(|a, b| taxes::order((a.0, a.1), (b.0, b.1)));
    parts
}

/// The lines' net with tax; of lines without it, the tax of each rate's sum, rounded as receipts are.
fn with_tax(lines: &[&SaleLine], rounding: Rounding) -> Money {
    let mut sums: BTreeMap<Rate, Money> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.mode == TaxMode::Excluded) {
        *sums.entry(line.rate.unwrap_or(Rate::ZERO)).or_default() += line.net();
    }
    let tax = sums.into_iter().filter_map(|(rate, sum)| tax_on(sum, rate, rounding));
    lines.iter().map(|line| line.net()).sum::<Money>() + tax.sum()
}

fn centred(document: &mut Document, lines: &[String]) {
    for line in lines {
        document.styled(line, Align::Center, Style::PLAIN);
    }
}

fn lines_of(document: &mut Document, lines: &[String]) {
    for line in lines {
        document.text(line);
    }
}
