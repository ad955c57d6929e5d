//! The customer's screen: what is bought, what it comes to, what is given back.
//!
//! Room: screens. May touch: the canvas it is handed. May not: keys, the register.
//! Invariant: nothing of the shop's own is shown: no staff, no refusal, no other customer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use super::big;
use super::canvas::Canvas;
use super::plain_signs;
use super::theme::Theme;
use crate::domain::kana;
use crate::domain::money::Money;
use crate::domain::words::Words;

/// What the customer sees; whole, so that a display that comes late shows the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerView {
    pub shop: String,
    /// The shop's own text.
    pub text: String,
    pub training: bool,
    pub member: String,
    pub lines: Vec<CustomerLine>,
    pub stage: CustomerStage,
}

impl CustomerView {
    /// Returns the view for a terminal that draws no kanji: goods by their reading, and of the shop's own
    /// words those that can be read then.
    pub fn plainly(mut self) -> Self {
        for line in self.lines.iter_mut().filter(|line| line.kana != line.name) {
            line.name = kana::romaji(&line.kana);
        }
        for text in [&mut self.shop, &mut self.text] {
            if !plain_signs::can_say(text) {
                text.clear();
            }
        }
        self
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerLine {
    pub name: String,
    /// For a display without kanji.
    pub kana: String,
    pub quantity: String,
    pub amount: Money,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerStage {
    /// Nobody is being served.
    #[default]
    Welcome,
    Selling {
        total: Money,
        pieces: String,
    },
    Paying {
        total: Money,
        paid: Money,
        due: Money,
    },
    Done {
        total: Money,
        received: Money,
        change: Money,
    },
}

/// Rows of the figures at the foot: a label and a large number each.
const FIGURE_ROWS: u16 = big::ROWS + 1;

/// Narrower than this there are no columns and no large figures.
const NARROW: u16 = 36;

/// Draws the view; `None` while no register is there to show.
pub fn draw(cells: &mut Buffer, view: Option<&CustomerView>, words: &Words, theme: &Theme) {
    let area = Rect::new(0, 0, cells.area.width, cells.area.height);
    let mut canvas = Canvas::new(cells, area);
    canvas.clear(theme.text);
    let middle = canvas.height() / 2;
    let Some(view) = view else {
        return canvas.center(middle, words.get("customer.closed"), theme.title);
    };
    canvas.bar(0, theme.status);
    canvas.center(0, &view.shop, theme.status);
    if view.training {
        canvas.text(0, 0, 12, words.get("status.training"), theme.training);
    }
    match &view.stage {
        CustomerStage::Welcome => {
            canvas.center(middle.saturating_sub(2), words.get("customer.welcome"), theme.title);
            canvas.center(middle, &view.text, theme.text);
        }
        CustomerStage::Selling { total, pieces } => {
            list(&mut canvas, view, theme, FIGURE_ROWS + 1);
            let pieces = words.fill("sale.pieces", &[("count", pieces)]);
            let label = format!("{} {pieces}", words.get("customer.total"));
            figure(&mut canvas, 1, &label, *total, theme.total, theme);
        }
        CustomerStage::Paying { total, paid, due } => {
            list(&mut canvas, view, theme, 2 * FIGURE_ROWS + 2);
            canvas.pair(1, words.get("customer.total"), &total.grouped(), theme.amount);
            figure(&mut canvas, 2, words.get("customer.paid"), *paid, theme.amount, theme);
            figure(&mut canvas, 1, words.get("customer.due"), *due, theme.total, theme);
        }
        CustomerStage::Done { total, received, change } => {
            canvas.center(2, words.get("customer.thanks"), theme.title);
            canvas.center(4, &view.text, theme.text);
            figure(&mut canvas, 3, words.get("customer.total"), *total, theme.amount, theme);
            figure(&mut canvas, 2, words.get("customer.paid"), *received, theme.amount, theme);
            figure(&mut canvas, 1, words.get("customer.change"), *change, theme.change, theme);
        }
    }
}

/// The newest lines, with room for the figures beneath.
fn list(canvas: &mut Canvas<'_>, view: &CustomerView, theme: &Theme, beneath: u16) {
    let width = canvas.width();
    let mut first = 2;
    if !view.member.is_empty() {
        canvas.text(1, first, width.saturating_sub(2), &view.member, theme.member);
        first += 1;
    }
    let room = usize::from(canvas.height().saturating_sub(first + beneath));
    let skip = view.lines.len().saturating_sub(room);
    for (y, line) in (first..).zip(view.lines.iter().skip(skip)) {
        if width < NARROW {
            canvas.text(0, y, width, &line.name, theme.text);
            continue;
        }
        canvas.text(1, y, width - 28, &line.name, theme.text);
        canvas.right(width - 26, y, 10, &line.quantity, theme.dim);
        canvas.right(width - 14, y, 12, &line.amount.grouped(), theme.amount);
    }
}

/// A label and its number, in the `place`th band from the foot.
fn figure(
    canvas: &mut Canvas<'_>,
    place: u16,
    label: &str,
    amount: Money,
    style: ratatui::style::Style,
    theme: &Theme,
) {
    let Some(y) = canvas.height().checked_sub(place * FIGURE_ROWS) else { return };
    let width = canvas.width();
    if width < NARROW {
        canvas.text(0, y, width, &format!("{label} {}", amount.grouped()), style);
        return;
    }
    canvas.text(1, y + 1, width / 2, label, theme.title);
    let mut part = canvas.part(width / 3, y, width - width / 3 - 2, big::ROWS);
    big::right(&mut part, 0, &amount.grouped(), style);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;

    fn seen(view: Option<&CustomerView>, width: u16, height: u16) -> String {
        let words = Words::new([("customer.closed".to_owned(), "closed".to_owned())]);
        let mut cells = Buffer::empty(Rect::new(0, 0, width, height));
        draw(&mut cells, view, &words, &Theme::usual());
        let row = |y| (0..width).map(|x| cells[(x, y)].symbol().to_owned()).collect::<String>();
        (0..height).map(row).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_stage_fits_every_size_and_shows_the_newest_lines() {
        let line = |at: i64| CustomerLine {
            name: format!("goods {at}"),
            amount: yen(at),
            ..CustomerLine::default()
        };
        let (total, paid) = (yen(123_456_789), yen(5_000));
        for stage in [
            CustomerStage::Welcome,
            CustomerStage::Selling { total, pieces: "3".into() },
            CustomerStage::Paying { total, paid, due: total },
            CustomerStage::Done { total, received: paid, change: paid },
        ] {
            let view = CustomerView {
                lines: (1..=200).map(line).collect(),
                stage: stage.clone(),
                ..CustomerView::default()
            };
            for (width, height) in [(80, 24), (40, 12), (132, 50), (20, 6), (8, 3)] {
                seen(Some(&view), width, height);
            }
            let screen = seen(Some(&view), 80, 24);
            let selling = !matches!(stage, CustomerStage::Welcome | CustomerStage::Done { .. });
            assert_eq!(screen.contains("goods 200"), selling, "{stage:?}\n{screen}");
        }
        assert!(seen(None, 80, 24).contains("closed"));
    }
}
