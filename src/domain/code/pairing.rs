//! Bringing the two rows of a book together, in whichever order they were scanned.
//!
//! Room: domain. May touch: nothing. May not: clock, file, terminal, float.
//! Invariant: each row joins at most one pair; a price row waits, and is never sold.

use super::book::BookRow2;
use super::gtin::Gtin;

/// How long a row waits for its partner, in milliseconds.
pub const PAIR_WINDOW_MS: u64 = 5_000;

/// The row that waits, if any, and since when. Times are milliseconds of one steady clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookPairing {
    waiting: Option<(Row, u64)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Row {
    Isbn(Gtin),
    Price(BookRow2),
}

/// What a row led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paired {
    /// A book without its price yet: sell it from the item file, or wait for the price row.
    Isbn(Gtin),
    /// A price row without its book: say that the ISBN row is wanted; sell nothing.
    PriceWaits(BookRow2),
    /// Both. `isbn_was_first` means that `Isbn` was answered before: that line gets the price.
    Both { isbn: Gtin, row: BookRow2, isbn_was_first: bool },
}

impl BookPairing {
    /// Takes an ISBN row.
    pub fn isbn(&mut self, isbn: Gtin, now_ms: u64) -> Paired {
        match self.take_fresh(now_ms) {
            Some(Row::Price(row)) => Paired::Both { isbn, row, isbn_was_first: false },
            _ => {
                self.waiting = Some((Row::Isbn(isbn), now_ms));
                Paired::Isbn(isbn)
            }
        }
    }

    /// Takes a price row.
    pub fn price(&mut self, row: BookRow2, now_ms: u64) -> Paired {
        match self.take_fresh(now_ms) {
            Some(Row::Isbn(isbn)) => Paired::Both { isbn, row, isbn_was_first: true },
            _ => {
                self.waiting = Some((Row::Price(row.clone()), now_ms));
                Paired::PriceWaits(row)
            }
        }
    }

    /// Forgets the waiting row: something else was scanned or keyed in between.
    pub fn interrupt(&mut self) {
        self.waiting = None;
    }

    /// Returns whether a row still waits.
    pub fn is_waiting(&self, now_ms: u64) -> bool {
        self.waiting.as_ref().is_some_and(|(_, since)| is_fresh(*since, now_ms))
    }

    fn take_fresh(&mut self, now_ms: u64) -> Option<Row> {
        let (row, since) = self.waiting.take()?;
        is_fresh(since, now_ms).then_some(row)
    }
}

fn is_fresh(since_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(since_ms) <= PAIR_WINDOW_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn isbn() -> Gtin {
        Gtin::parse("9784344405042").unwrap()
    }

    fn row() -> BookRow2 {
        BookRow2::parse("1920193005714").unwrap()
    }

    #[test]
    fn rows_pair_in_either_order_within_five_seconds() {
        let mut pairing = BookPairing::default();
        assert_eq!(pairing.isbn(isbn(), 1_000), Paired::Isbn(isbn()));
        let both = |isbn_was_first| Paired::Both { isbn: isbn(), row: row(), isbn_was_first };
        assert_eq!(pairing.price(row(), 6_000), both(true));
        assert_eq!(pairing.price(row(), 6_100), Paired::PriceWaits(row()));
        assert_eq!(pairing.isbn(isbn(), 6_200), both(false));
        assert!(!pairing.is_waiting(6_200));
    }

    #[test]
    fn a_late_or_interrupted_row_pairs_with_nothing() {
        let mut pairing = BookPairing::default();
        pairing.isbn(isbn(), 0);
        assert_eq!(pairing.price(row(), 5_001), Paired::PriceWaits(row()));
        pairing.interrupt();
        assert_eq!(pairing.isbn(isbn(), 5_002), Paired::Isbn(isbn()));
    }

    #[test]
    fn the_same_row_twice_never_pairs_with_itself() {
        let mut pairing = BookPairing::default();
        assert_eq!(pairing.price(row(), 0), Paired::PriceWaits(row()));
        assert_eq!(pairing.price(row(), 1), Paired::PriceWaits(row()));
        assert!(pairing.is_waiting(1));
    }
}
