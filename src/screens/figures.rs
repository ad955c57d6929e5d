//! The figures beside the lines: total, taxes, member, or the last sale while nobody is there.
//!
//! Room: screens. May touch: the canvas it is handed.
//! Invariant: each figure has its own row, so that nothing moves while a sale grows.

use std::fmt::Display;

use super::canvas::Canvas;
use super::screen::Look;
use super::{big, frame};
use crate::domain::money::Money;
use crate::domain::quantity::{Quantity, Rate};
use crate::domain::register::{MemberView, SaleView, TaxView};
use crate::domain::words::Words;

/// Rows of the taxes, one a rate; what is still due stands below them.
const TAXES: std::ops::Range<u16> = 6..9;

/// Draws the right side of the sale screen.
pub fn draw(canvas: &mut Canvas<'_>, look: &Look<'_>) {
    match (look.model.sale, look.model.last) {
        (Some(sale), last) if !sale.lines.is_empty() || last.is_none() => open(canvas, look, sale),
        (sale, Some(_)) => {
            closed(canvas, look);
            if let Some(member) = sale.and_then(|sale| sale.member.as_ref()) {
                draw_member(canvas, look, member);
            }
        }
        _ => total(canvas, look, "sale.total", Money::ZERO, 0, look.theme.total),
    }
}

fn total(
    canvas: &mut Canvas<'_>,
    look: &Look<'_>,
    label: &'static str,
    amount: Money,
    y: u16,
    style: ratatui::style::Style,
) {
    canvas.text(0, y, canvas.width(), look.word(label), look.theme.title);
    big::right(canvas, y + 1, &amount.grouped(), style);
}

fn open(canvas: &mut Canvas<'_>, look: &Look<'_>, sale: &SaleView) {
    total(canvas, look, "sale.total", sale.total, 0, look.theme.total);
    // Where goods only come back, nothing is taken along to be counted.
    if sale.pieces != Quantity::ZERO {
        let pieces = look.model.words.fill("sale.pieces", &[("count", &sale.pieces)]);
        canvas.right(0, 0, canvas.width(), &pieces, look.theme.text);
    }
    if !sale.discount.is_zero() {
        canvas.pair(4, look.word("sale.subtotal"), &sale.subtotal.grouped(), look.theme.text);
        canvas.pair(5, look.word("sale.discount"), &(-sale.discount).grouped(), look.theme.text);
    }
    draw_taxes(canvas, look, &sale.taxes);
    if !sale.tenders.is_empty() {
        canvas.pair(
            TAXES.end,
            look.word("sale.due"),
            &frame::money(look, sale.due),
            look.theme.total,
        );
    }
    if let Some(member) = &sale.member {
        draw_member(canvas, look, member);
        draw_points(canvas, look, sale);
    }
    draw_pending(canvas, look, sale);
}

/// Three rates have their rows; further ones share the third, as the sum. Goods without tax need none.
fn draw_taxes(canvas: &mut Canvas<'_>, look: &Look<'_>, taxes: &[TaxView]) {
    let taxed: Vec<_> = taxes.iter().filter(|tax| tax.rate != Rate::ZERO).collect();
    for (y, tax) in TAXES.zip(&taxed) {
        let mark = if tax.class == "reduced" { "*" } else { " " };
        let label = look.model.words.fill(
            "sale.tax",
            &[("rate", &tax.rate), ("mark", &mark), ("base", &tax.base.grouped())],
        );
        canvas.pair(y, &label, &tax.tax.grouped(), look.theme.dim);
    }
    if taxed.len() > TAXES.len() {
        let y = TAXES.end - 1;
        let rest: Money = taxed[TAXES.len() - 1..].iter().map(|tax| tax.tax).sum();
        canvas.part(0, y, canvas.width(), 1).clear(look.theme.text);
        canvas.pair(y, look.word("sale.other_tax"), &rest.grouped(), look.theme.dim);
    }
}

fn draw_member(canvas: &mut Canvas<'_>, look: &Look<'_>, member: &MemberView) {
    let name =
        if look.model.member_name.is_empty() { &member.code } else { look.model.member_name };
    canvas.pair(10, name, &member.rank, look.theme.member);
    let points = look.model.words.fill("sale.points", &[("points", &grouped(member.points))]);
    canvas.pair(11, look.word("sale.balance"), &points, look.theme.member);
}

fn draw_points(canvas: &mut Canvas<'_>, look: &Look<'_>, sale: &SaleView) {
    canvas.text(0, 12, canvas.width(), &points_moved(look.model.words, sale), look.theme.member);
}

/// What is used and earned; where goods come back, what is taken and given back, and of the others what is
/// not nothing.
fn points_moved(words: &Words, sale: &SaleView) -> String {
    let points = [
        ("used", sale.points_used),
        ("earned", sale.points_earned),
        ("taken", sale.points_taken_back),
        ("given", sale.points_given_back),
    ];
    let texts = points.map(|(name, points)| (name, grouped(points)));
    let filled: Vec<(&str, &dyn Display)> =
        texts.iter().map(|(name, text)| (*name, text as &dyn Display)).collect();
    if sale.points_taken_back == 0 && sale.points_given_back == 0 {
        return words.fill("sale.points_moved", &filled);
    }
    let parts =
        ["sale.points_used", "sale.points_earned", "sale.points_taken", "sale.points_given"];
    let moved = parts.into_iter().zip(points).filter(|(_, (_, points))| *points != 0);
    let shown: Vec<String> = moved.map(|(key, _)| words.fill(key, &filled)).collect();
    shown.join(" ")
}

fn grouped(points: i64) -> String {
    Money::new(points).grouped()
}

/// The one row for what waits: a quantity, a price, an age check, eating in, a note.
fn draw_pending(canvas: &mut Canvas<'_>, look: &Look<'_>, sale: &SaleView) {
    let words = look.model.words;
    let mut parts = Vec::new();
    if let Some(quantity) = look.model.pending {
        parts.push(words.fill("sale.pending", &[("quantity", &quantity)]));
    }
    for need in look.model.needs {
        parts.push(words.get(&format!("need.{need}")).to_owned());
    }
    if sale.eat_in {
        parts.push(words.get("sale.eat_in").to_owned());
    }
    if !sale.note.is_empty() {
        parts.push(sale.note.clone());
    }
    canvas.text(0, 13, canvas.width(), &parts.join(" "), look.theme.notice);
}

/// The three numbers of the last sale, the change large.
fn closed(canvas: &mut Canvas<'_>, look: &Look<'_>) {
    let Some(last) = look.model.last else { return };
    if last.total.is_negative() {
        total(canvas, look, "last.refund", last.total.abs(), 0, look.theme.change);
        return;
    }
    total(canvas, look, "last.change", last.change, 0, look.theme.change);
    canvas.pair(5, look.word("last.total"), &frame::money(look, last.total), look.theme.amount);
    canvas.pair(
        6,
        look.word("last.received"),
        &frame::money(look, last.received),
        look.theme.amount,
    );
}
