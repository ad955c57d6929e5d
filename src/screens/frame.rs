//! What every screen shares: the status row, the message, the three numbers, the key line.
//!
//! Room: screens. May touch: the canvas. May not: screens' states.
//! Invariant: the same thing stands in the same place on every screen, at every size.

use crossterm::event::KeyEvent;

use super::act::ScreenName;
use super::canvas::{Canvas, fit, shown, width, wrap};
use super::model::Health;
use super::sale::FIGURES;
use super::screen::Look;
use crate::domain::money::Money;

/// The least a register needs.
pub const LEAST: (u16, u16) = (80, 24);
/// Rows below the body: the three numbers, two of message, two of keys.
const FOOT: u16 = 5;
/// Where the printed pane has room beside everything else.
const PANE_FROM: u16 = 120;

/// Cells of a receipt of 48 columns with its margins.
pub const PAPER: u16 = 50;

/// The parts of a screen, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// Width of everything but the printed pane.
    pub width: u16,
    pub body_height: u16,
    pub height: u16,
    /// Width of the printed pane at the right; 0 shows none.
    pub pane: u16,
}

/// Divides the terminal. `pane` asks for the printed pane, where there is room beside the rest.
pub fn parts(width: u16, height: u16, pane: bool) -> Parts {
    let pane = if pane && has_pane_room(width) { (width - 78).min(PAPER + 1) } else { 0 };
    Parts { width: width - pane, body_height: height.saturating_sub(FOOT + 1), height, pane }
}

/// Whether the printed pane has room beside everything else.
pub const fn has_pane_room(width: u16) -> bool {
    width >= PANE_FROM
}

/// Returns the columns of paper that the pane beside the rest shows whole; `None` where there is no
/// room beside.
pub fn paper_columns(width: u16) -> Option<u16> {
    let pane = parts(width, LEAST.1, true).pane;
    (pane > 0).then(|| pane - 3)
}

/// Draws all that surrounds the body.
pub fn draw(canvas: &mut Canvas<'_>, look: &Look<'_>, screen: ScreenName, parts: Parts) {
    status(&mut canvas.part(0, 0, parts.width, 1), look);
    let foot = parts.height - FOOT;
    if screen != ScreenName::Tender {
        last_sale(&mut canvas.part(0, foot, parts.width, 1), look);
    }
    message(&mut canvas.part(0, foot + 1, parts.width, 2), look);
    key_line(&mut canvas.part(0, foot + 3, parts.width, 2), look, screen);
    if parts.pane > 0 {
        let x = parts.width + 1;
        paper(&mut canvas.part(x, 0, parts.pane - 1, parts.height), look);
    }
}

fn status(canvas: &mut Canvas<'_>, look: &Look<'_>) {
    let model = look.model;
    let style = match (model.training, model.open_return) {
        (true, _) => look.theme.training,
        (_, true) => look.theme.alert,
        _ => look.theme.status,
    };
    canvas.bar(0, style);
    let mut left =
        format!(" {}  {}", model.shop, model.words.fill("status.lane", &[("lane", &model.lane)]));
    match model.staff {
        Some(staff) if model.locked => {
            left.push_str(&format!("  {} [{}]", staff.name, look.word("status.lock")));
        }
        Some(staff) => left.push_str(&format!("  {}", staff.name)),
        None if model.locked => left.push_str(&format!("  [{}]", look.word("status.locked"))),
        None => {}
    }
    if model.training {
        left.push_str(&format!("  [{}]", look.word("status.training")));
    }
    if model.open_return {
        left.push_str(&format!("  [{}]", look.word("status.open_return")));
    }
    let right = format!("{} ", model.clock);
    let mut x = canvas.width().saturating_sub(width(&right));
    canvas.text(x, 0, width(&right), &right, style);
    for (name, health) in [
        ("status.disk", model.disk),
        ("status.copy", model.copy),
        ("status.scanner", model.scanner),
        ("status.printer", model.printer),
    ] {
        let text = health_text(look, name, health);
        if text.is_empty() {
            continue;
        }
        x = x.saturating_sub(width(&text) + 2);
        canvas.text(x, 0, width(&text), &text, if health.alert { look.theme.alert } else { style });
    }
    canvas.text(0, 0, x.saturating_sub(1), &left, style);
}

fn health_text(look: &Look<'_>, name: &str, health: &Health) -> String {
    if health.word.is_empty() {
        return String::new();
    }
    let mark = if health.alert { "!" } else { "" };
    let behind = if health.behind > 0 { format!("({})", health.behind) } else { String::new() };
    let (name, word) = (look.model.words.get(name), look.model.words.get(health.word));
    shown(&format!("{mark}{name}:{word}{behind}"))
}

/// The three numbers said aloud, the change bright until the next sale begins. They stay beside it, for
/// whoever scans before the change is given and for the customer who comes back with it.
fn last_sale(canvas: &mut Canvas<'_>, look: &Look<'_>) {
    let Some(last) = look.model.last else { return };
    let text = look.theme.text;
    let change = if look.model.has_sale() { text } else { look.theme.change };
    let mut x = canvas.text(
        0,
        0,
        24,
        &format!(" {} {} ", look.word("last.sale"), last.receipt),
        look.theme.dim,
    );
    let said = [
        ("last.total", last.total, text),
        ("last.received", last.received, text),
        ("last.change", last.change, change),
    ];
    let refunded = [("last.refund", last.total.abs(), change)];
    let numbers = if last.total.is_negative() { &refunded[..] } else { &said[..] };
    for &(key, amount, style) in numbers {
        x += 1 + canvas.text(x, 0, 30, &format!(" {} ", look.word(key)), look.theme.dim);
        x += canvas.text(x, 0, 20, &money(look, amount), style);
    }
}

/// Returns an amount with its currency as the language writes it.
pub fn money(look: &Look<'_>, amount: Money) -> String {
    look.model.words.fill("money", &[("amount", &amount.grouped())])
}

fn message(canvas: &mut Canvas<'_>, look: &Look<'_>) {
    let Some(message) = look.model.message else { return };
    let (mark, style) =
        if message.refusal { ("!! ", look.theme.refusal) } else { ("-- ", look.theme.notice) };
    let rows = wrap(&shown(&format!("{mark}{}", message.text)), canvas.width().saturating_sub(2));
    for (y, row) in (0u16..2).zip(&rows) {
        canvas.bar(y, style);
        let row = if y == 1 && rows.len() > 2 {
            fit(&rows[1..].concat(), canvas.width() - 2)
        } else {
            row.clone()
        };
        canvas.text(1, y, canvas.width() - 1, &row, style);
    }
}

/// A key and what it does, as the key line shows them.
fn labelled_keys(look: &Look<'_>, screen: ScreenName) -> Vec<(String, String)> {
    let keys = look.keymap.shown(screen);
    keys.map(|(binding, label)| (binding.key.shown(), shown(look.word(label)))).collect()
}

/// Where each key stands on rows of `cells`, with `gap` cells between a key and its word.
fn key_places(keys: &[(String, String)], cells: u16, gap: u16) -> Vec<(u16, u16)> {
    let (mut x, mut y) = (0, 0);
    let mut places = Vec::with_capacity(keys.len());
    for (key, label) in keys {
        let used = width(key) + gap_before(label, gap) + width(label);
        if x + used > cells {
            (x, y) = (0, y + 1);
        }
        places.push((x, y));
        x += used + 1 + gap;
    }
    places
}

/// A key and a word that begins with a digit always stand apart: `F91000` would be read as one.
fn gap_before(label: &str, gap: u16) -> u16 {
    if label.starts_with(|sign: char| sign.is_ascii_digit()) { 1 } else { gap }
}

fn rows_of(places: &[(u16, u16)]) -> u16 {
    places.last().map_or(0, |(_, y)| y + 1)
}

/// The gap between a key and its word, and where each key stands: spaced where two rows have the room.
fn laid_out(keys: &[(String, String)], cells: u16) -> (u16, Vec<(u16, u16)>) {
    let gap = u16::from(rows_of(&key_places(keys, cells, 1)) <= 2);
    (gap, key_places(keys, cells, gap))
}

/// What the keys do now, in the order of the keymap's file.
fn key_line(canvas: &mut Canvas<'_>, look: &Look<'_>, screen: ScreenName) {
    let keys = labelled_keys(look, screen);
    let (gap, places) = laid_out(&keys, canvas.width());
    for ((key, label), (x, y)) in keys.iter().zip(places) {
        let used = canvas.text(x, y, 8, key, look.theme.key);
        canvas.text(x + used + gap_before(label, gap), y, canvas.width(), label, look.theme.label);
    }
}

/// Returns the key of the key line that a finger or a mouse points at.
pub fn key_at(
    look: &Look<'_>,
    screen: ScreenName,
    parts: Parts,
    point: (u16, u16),
) -> Option<KeyEvent> {
    let row = point.1.checked_sub(parts.height - FOOT + 3)?;
    let keys = labelled_keys(look, screen);
    let (gap, places) = laid_out(&keys, parts.width);
    let is_there = |((key, label), (x, y)): (&(String, String), &(u16, u16))| {
        *y == row
            && (*x..=x + width(key) + gap_before(label, gap) + width(label)).contains(&point.0)
    };
    let at = keys.iter().zip(&places).position(is_there)?;
    look.keymap.shown(screen).nth(at).map(|(binding, _)| binding.key.event())
}

/// Returns whether every labelled key of a screen fits the key line at the least width.
pub fn keys_fit(look: &Look<'_>, screen: ScreenName) -> bool {
    rows_of(&key_places(&labelled_keys(look, screen), LEAST.0, 0)) <= 2
}

/// The paper of a `screen:` printer, its newest row lowest.
pub fn paper(canvas: &mut Canvas<'_>, look: &Look<'_>) {
    canvas.clear(look.theme.paper);
    let paper = look.model.paper;
    let rows = &paper[paper.len().saturating_sub(usize::from(canvas.height()))..];
    for (y, row) in (0u16..).zip(rows) {
        canvas.text(1, y, canvas.width().saturating_sub(2), row, look.theme.paper);
    }
}

/// Draws the heading of a screen on its first row.
pub fn title(canvas: &mut Canvas<'_>, look: &Look<'_>, text: &str) {
    canvas.text(1, 0, canvas.width() - 2, text, look.theme.title);
}

/// Draws a window, its edge in plain signs, and returns its inside. It stands in the middle of what
/// is left of the figures: the total asked for stays in sight.
pub fn window<'c>(
    canvas: &'c mut Canvas<'_>,
    look: &Look<'_>,
    cells: u16,
    rows: u16,
) -> Canvas<'c> {
    let room = canvas.width().saturating_sub(FIGURES + 2);
    let cells = cells.min(room);
    let rows = rows.min(canvas.height());
    let (x, y) = ((room - cells) / 2, (canvas.height() - rows) / 2);
    if x > 0 {
        canvas.part(x - 1, y, 1, rows).clear_wide(0);
    }
    let mut edge = canvas.part(x, y, cells, rows);
    edge.clear(look.theme.popup);
    let across = format!("+{}+", "-".repeat(usize::from(cells.saturating_sub(2))));
    for y in [0, rows - 1] {
        edge.text(0, y, cells, &across, look.theme.popup);
    }
    for y in 1..rows - 1 {
        edge.text(0, y, 1, "|", look.theme.popup);
        edge.text(cells - 1, y, 1, "|", look.theme.popup);
    }
    canvas.part(x + 2, y + 1, cells.saturating_sub(4), rows.saturating_sub(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pane_shows_a_whole_receipt_or_says_how_much_it_shows() {
        for (width, want) in
            [(80, None), (119, None), (120, Some(39)), (129, Some(48)), (200, Some(48))]
        {
            assert_eq!(paper_columns(width), want, "{width}");
        }
    }
}
