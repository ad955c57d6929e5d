//! The lines of a sale, newest in sight.
//!
//! Room: screens. May touch: the canvas it is handed.

use super::canvas::{Canvas, wrap};
use super::frame;
use super::screen::Look;
use crate::domain::register::{LineView, TenderView};

/// Cells behind the name: mark, quantity, price, amount.
const TAIL: u16 = 27;

/// Draws heading and lines; on an empty counter, what to do first.
pub fn draw(canvas: &mut Canvas<'_>, look: &Look<'_>) {
    heading(canvas, look);
    let Some(sale) = look.model.sale.filter(|sale| !sale.lines.is_empty()) else {
        let room = canvas.width() - 10;
        let key = if look.model.open_return { "sale.welcome_back" } else { "sale.welcome" };
        for (y, row) in (3..).zip(wrap(look.word(key), room)) {
            canvas.text(5, y, room, &row, look.theme.dim);
        }
        return;
    };
    let count = sale.lines.len();
    let chosen = look.model.selected.map_or(count, |line| (line as usize).min(count)).max(1);
    let room = usize::from(canvas.height() - 1);
    let first = first_in_sight(&sale.lines, chosen, room);
    let mut y = 1;
    for line in &sale.lines[first..] {
        if y >= canvas.height() {
            break;
        }
        let is_chosen = look.model.selected == Some(line.line);
        y += draw_line(canvas, look, y, line, is_chosen);
    }
    if first > 0 {
        let hidden = look.model.words.fill("sale.above", &[("count", &first)]);
        canvas.right(0, 0, canvas.width() - TAIL, &hidden, look.theme.dim);
    }
}

/// Returns the first line to draw so that the rows up to the chosen one fit, with as many of the
/// later ones as there is room for.
fn first_in_sight(lines: &[LineView], chosen: usize, room: usize) -> usize {
    let from_end = |end: usize| {
        let mut used = 0;
        let fits = |line: &&LineView| {
            used += rows_of(line);
            used <= room
        };
        end - lines[..end].iter().rev().take_while(fits).count()
    };
    from_end(lines.len()).min(chosen - 1)
}

fn rows_of(line: &LineView) -> usize {
    1 + usize::from(!line.discount.is_zero()) + usize::from(!line.returns.is_empty())
}

fn heading(canvas: &mut Canvas<'_>, look: &Look<'_>) {
    let style = look.theme.dim;
    let tail = canvas.width() - TAIL;
    canvas.text(0, 0, 3, "No", style);
    canvas.text(5, 0, tail - 5, look.word("sale.item"), style);
    canvas.right(tail + 1, 0, 6, look.word("sale.quantity"), style);
    canvas.right(tail + 9, 0, 8, look.word("sale.price"), style);
    canvas.right(tail + 17, 0, 10, look.word("sale.amount"), style);
}

fn draw_line(
    canvas: &mut Canvas<'_>,
    look: &Look<'_>,
    y: u16,
    line: &LineView,
    chosen: bool,
) -> u16 {
    let style = if chosen { look.theme.selected } else { look.theme.text };
    if chosen {
        canvas.bar(y, style);
    }
    let tail = canvas.width() - TAIL;
    let mark = if chosen { ">" } else { " " };
    canvas.text(0, y, 5, &format!("{mark}{:>3} ", line.line), style);
    canvas.text(5, y, tail - 6, &line.name, style);
    canvas.text(tail, y, 2, &line.mark, style);
    canvas.right(tail + 1, y, 6, &line.quantity.to_string(), style);
    canvas.text(tail + 8, y, 1, "x", style);
    canvas.right(tail + 9, y, 8, &price(line), style);
    canvas.right(tail + 17, y, 10, &(line.amount + line.discount).grouped(), style);
    let mut rows = 1;
    if !line.discount.is_zero() {
        let key = match line.discount_reason {
            "near_date" => "sale.near_date",
            _ => "sale.line_discount",
        };
        canvas.text(7, y + rows, tail, look.word(key), look.theme.dim);
        canvas.right(tail + 17, y + rows, 10, &(-line.discount).grouped(), look.theme.amount);
        rows += 1;
    }
    if !line.returns.is_empty() {
        let text = look.model.words.fill("sale.returns", &[("receipt", &line.returns)]);
        canvas.text(7, y + rows, tail, &text, look.theme.dim);
        rows += 1;
    }
    rows
}

/// The unit price; grouped when it is whole.
fn price(line: &LineView) -> String {
    match line.unit_price.0.whole() {
        Some(whole) => crate::domain::money::Money::new(whole).grouped(),
        None => line.unit_price.0.to_string(),
    }
}

/// Draws how much was tendered of each kind, a row each: the newest, where there is no room for all.
pub fn tenders(canvas: &mut Canvas<'_>, look: &Look<'_>, tenders: &[TenderView]) {
    let first = tenders.len().saturating_sub(usize::from(canvas.height()));
    for (y, tender) in (0..).zip(&tenders[first..]) {
        let word = look.model.words.get(&format!("tender.{}", tender.kind)).to_owned();
        canvas.pair(y, &word, &frame::money(look, tender.amount), look.theme.text);
    }
}
