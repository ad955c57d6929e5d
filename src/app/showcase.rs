//! What customers are shown, and who shows it: the line display, and displays on the control socket.
//!
//! Room: app. May touch: the register's views, the display's thread.
//! Invariant: it is made only while somebody shows it; a slow display holds up nobody.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::engine::Engine;
use crate::devices::line_display::{Row, Rows};
use crate::domain::money::Money;
use crate::domain::register::{LineView, Lookup};
use crate::domain::words::Words;
use crate::screens::{CustomerLine, CustomerStage, CustomerView, LastSale};

/// Lines a display may need; a long sale shows its newest.
const MOST_LINES: usize = 60;

/// Makes what the customer sees now. `last` is the sale just closed, until the next begins.
pub fn view(engine: &Engine, last: Option<&LastSale>) -> CustomerView {
    let register = &engine.register;
    let sale = register.sale_view(engine.now().civil_date()).filter(|_| !register.is_locked());
    let mut view = CustomerView {
        shop: register.settings.shop.name.clone(),
        text: engine.config.display.text.clone(),
        training: register.lane.training,
        ..CustomerView::default()
    };
    let Some(sale) = sale.filter(|sale| !sale.lines.is_empty()) else {
        if let Some(last) = last.filter(|_| !register.is_locked()) {
            let LastSale { total, received, change, .. } = *last;
            view.stage = CustomerStage::Done { total, received, change };
        }
        return view;
    };
    view.stage = if sale.paid == Money::ZERO {
        CustomerStage::Selling { total: sale.total, pieces: sale.pieces.to_string() }
    } else {
        CustomerStage::Paying { total: sale.total, paid: sale.paid, due: sale.due }
    };
    let skip = sale.lines.len().saturating_sub(MOST_LINES);
    view.lines = sale.lines.iter().skip(skip).map(|line| customer_line(engine, line)).collect();
    view
}

fn customer_line(engine: &Engine, line: &LineView) -> CustomerLine {
    let found = engine.shop.reader().item(&line.code).ok().flatten();
    let kana = found.map(|found| found.item.kana).filter(|kana| !kana.is_empty());
    CustomerLine {
        name: line.name.clone(),
        kana: kana.unwrap_or_else(|| line.name.clone()),
        quantity: line.quantity.to_string(),
        amount: line.amount,
    }
}

/// The view on two rows of twenty.
pub fn rows(view: &CustomerView, words: &Words) -> Rows {
    let yen = |amount: Money| format!("¥{}", amount.grouped());
    let row = |key: &str, amount: Money| Row::new(words.get(key), yen(amount));
    match &view.stage {
        CustomerStage::Welcome => Rows {
            top: Row::new(words.get("line_display.welcome"), ""),
            bottom: Row::new(view.text.as_str(), ""),
        },
        CustomerStage::Selling { total, .. } => {
            let last = view.lines.last().cloned().unwrap_or_default();
            let name = if last.quantity == "1" {
                last.kana
            } else {
                format!("{}x{}", last.quantity, last.kana)
            };
            Rows {
                top: Row::new(name, yen(last.amount)),
                bottom: row("line_display.total", *total),
            }
        }
        CustomerStage::Paying { paid, due, .. } => {
            Rows { top: row("line_display.paid", *paid), bottom: row("line_display.due", *due) }
        }
        CustomerStage::Done { received, change, .. } => Rows {
            top: row("line_display.paid", *received),
            bottom: row("line_display.change", *change),
        },
    }
}

/// The newest view, for everybody who waits for one.
#[derive(Debug, Default)]
pub struct Showcase {
    shown: Mutex<(u64, CustomerView)>,
    changed: Condvar,
    watchers: AtomicUsize,
}

/// Somebody looks; dropping it ends that.
#[derive(Debug)]
pub struct Watcher<'a> {
    showcase: &'a Showcase,
    seen: Option<u64>,
}

impl Showcase {
    pub fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }

    /// Shows `view`, where it differs.
    pub fn show(&self, view: &CustomerView) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.1 != *view {
            *shown = (shown.0 + 1, view.clone());
            self.changed.notify_all();
        }
    }

    pub fn watch(&self) -> Watcher<'_> {
        self.watchers.fetch_add(1, Ordering::Relaxed);
        Watcher { showcase: self, seen: None }
    }
}

impl Watcher<'_> {
    /// Waits for a view not yet seen; after `patience` the last one comes again, so that whoever
    /// shows it knows that the register is there.
    pub fn next(&mut self, patience: Duration) -> CustomerView {
        let Showcase { shown, changed, .. } = self.showcase;
        let guard = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let unseen = |shown: &mut (u64, CustomerView)| Some(shown.0) == self.seen;
        let (guard, _) = changed
            .wait_timeout_while(guard, patience, unseen)
            .unwrap_or_else(PoisonError::into_inner);
        self.seen = Some(guard.0);
        guard.1.clone()
    }
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        self.showcase.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watcher_sees_the_newest_view_and_a_quiet_register_again() {
        let showcase = Showcase::default();
        assert!(!showcase.is_watched());
        let mut watcher = showcase.watch();
        assert!(showcase.is_watched());
        let soon = Duration::from_millis(20);
        assert_eq!(watcher.next(soon), CustomerView::default());
        let named = |shop: &str| CustomerView { shop: shop.to_owned(), ..CustomerView::default() };
        for shop in ["a", "b"] {
            showcase.show(&named(shop));
        }
        assert_eq!(watcher.next(soon), named("b"));
        assert_eq!(watcher.next(soon), named("b"), "nothing new");
        drop(watcher);
        assert!(!showcase.is_watched());
    }
}
