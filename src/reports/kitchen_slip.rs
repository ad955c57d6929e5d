//! The slip that tells a kitchen or a counter what to make: number, goods, how many.
//!
//! Room: reports. May touch: std.
//! Invariant: it holds no price and no customer.

use super::letterhead::{Act, Letterhead};
use crate::domain::document::{Align, Block, Document, Rule, Style};
use crate::domain::sale::{Sale, SaleLine};
use crate::domain::words::Words;

/// Returns the slip for the goods of these departments, or `None` where the sale has none of them.
pub fn kitchen_slip(
    letterhead: &Letterhead<'_>,
    act: &Act<'_>,
    sale: &Sale,
    place: &str,
    departments: &[u16],
) -> Option<Document> {
    let words = letterhead.words;
    if !has_work(sale, departments) {
        return None;
    }
    let mut document = Document::default();
    document.center(words.fill("kitchen.title", &[("place", &place)]));
    // The running number, as it is called out.
    document.styled(format!("{:03}", sale.number.number % 1_000), Align::Center, Style::BIG);
    document.pair(sale.number.to_string(), letterhead.date_time(act.local()));
    if sale.eat_in {
        document.styled(words.get("kitchen.eat_in"), Align::Center, Style::BOLD);
    }
    document.rule(Rule::Double);
    for line in work(sale, departments) {
        let tall = Style { tall: true, bold: true, ..Style::PLAIN };
        document.pair_styled(&line.item.name, format!("x {}", line.item.quantity), tall);
    }
    document.rule(Rule::Thin);
    if !sale.note.is_empty() {
        document.styled(&sale.note, Align::Left, Style::BOLD);
    }
    document.push(Block::Cut);
    Some(document)
}

/// Whether the sale has goods of these departments, or any where none are named.
pub fn has_work(sale: &Sale, departments: &[u16]) -> bool {
    work(sale, departments).next().is_some()
}

fn work<'a>(sale: &'a Sale, departments: &'a [u16]) -> impl Iterator<Item = &'a SaleLine> {
    let ours = |department| departments.is_empty() || departments.contains(&department);
    let sold = sale.lines.iter().filter(|line| !line.item.is_return());
    sold.filter(move |line| ours(line.item.department))
}

/// Returns the slip as it is printed where it may be there already.
pub fn again(words: &Words, slip: &Document) -> Document {
    let style = Style { reverse: true, ..Style::BOLD };
    let mut marked = Document::default();
    marked.styled(words.get("kitchen.again"), Align::Center, style);
    marked.blocks.extend(slip.blocks.iter().cloned());
    marked
}
