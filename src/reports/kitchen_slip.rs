//! The slip that tells a kitchen or a counter what to make: number, goods, how many.
//!
//! Room: reports. May touch: std.
//! Invariant: it holds no price and no customer.

use super::letterhead::{Act, Letterhead};
use crate::domain::document::{Align, Block, Document, Rule, Style};
use crate::domain::sale::Sale;

/// Returns the slip for the goods of these departments, or `None` where the sale has none of them.
pub fn kitchen_slip(
    letterhead: &Letterhead<'_>,
    act: &Act<'_>,
    sale: &Sale,
    place: &str,
    departments: &[u16],
) -> Option<Document> {
    let words = letterhead.words;
    let ours = |department| departments.is_empty() || departments.contains(&department);
    let lines = sale.lines.iter().filter(|line| !line.item.is_return());
    let lines: Vec<_> = lines.filter(|line| ours(line.item.department)).collect();
    if lines.is_empty() {
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
    for line in lines {
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
