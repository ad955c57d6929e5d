//! A list that is longer than the screen and longer than memory: a window that asks for pages.
//!
//! Room: screens. May touch: its own state.
//! Invariant: at most `MOST_KEPT` rows are held, whatever the shop holds; none is out of reach.

use super::action::{PAGE, Page};

/// Rows held at once.
const MOST_KEPT: usize = 6 * PAGE;

/// A window on a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Paged<T> {
    offset: usize,
    rows: Vec<T>,
    more: bool,
    /// Place in the whole list.
    chosen: usize,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self { offset: 0, rows: Vec::new(), more: false, chosen: 0 }
    }
}

impl<T> Paged<T> {
    /// Takes a page that was asked for: joins it, or begins anew when it does not adjoin.
    pub fn fill(&mut self, page: Page<T>) {
        let end = self.offset + self.rows.len();
        if page.offset > 0 && page.offset == end {
            self.rows.extend(page.rows);
            self.more = page.more;
        } else if !self.rows.is_empty() && page.offset + page.rows.len() == self.offset {
            self.offset = page.offset;
            self.rows.splice(0..0, page.rows);
        } else {
            *self =
                Self { offset: page.offset, rows: page.rows, more: page.more, chosen: page.offset };
        }
        self.trim();
    }

    /// Forgets the rows furthest from the chosen one.
    fn trim(&mut self) {
        // Whole pages go, so that what is asked for again adjoins.
        let surplus = self.rows.len().saturating_sub(MOST_KEPT).div_ceil(PAGE) * PAGE;
        if surplus == 0 {
            return;
        }
        if self.chosen - self.offset > self.rows.len() / 2 {
            self.rows.drain(..surplus);
            self.offset += surplus;
        } else {
            self.rows.truncate(MOST_KEPT);
            self.more = true;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn chosen(&self) -> Option<&T> {
        self.rows.get(self.chosen.checked_sub(self.offset)?)
    }

    /// Moves the choice, and returns the offset of the page to ask for when the window ends here.
    pub fn step(&mut self, by: isize) -> Option<usize> {
        let last = (self.offset + self.rows.len()).saturating_sub(1);
        self.chosen =
            self.chosen.saturating_add_signed(by).clamp(self.offset, last.max(self.offset));
        if by < 0 && self.chosen == self.offset && self.offset > 0 {
            return Some(self.offset.saturating_sub(PAGE));
        }
        (by > 0 && self.chosen == last && self.more).then_some(last + 1)
    }

    /// The rows in sight on `height` rows, each with whether it is chosen.
    pub fn in_sight(&self, height: u16) -> impl Iterator<Item = (&T, bool)> {
        let height = usize::from(height).max(1);
        let place = self.chosen.saturating_sub(self.offset);
        let first = (place / height) * height;
        let rows = self.rows.iter().enumerate().skip(first).take(height);
        rows.map(move |(at, row)| (row, at == place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(offset: usize, total: usize) -> Page<usize> {
        let rows: Vec<_> = (offset..total.min(offset + PAGE)).collect();
        Page { more: offset + rows.len() < total, offset, rows }
    }

    #[test]
    fn every_row_of_a_long_list_is_reached_and_few_are_held() {
        let total = 1234;
        let mut list = Paged::default();
        list.fill(page(0, total));
        for want in 1..total {
            if let Some(offset) = list.step(1) {
                list.fill(page(offset, total));
            }
            assert_eq!(list.chosen(), Some(&want));
            assert!(list.rows.len() <= MOST_KEPT);
        }
        for want in (0..total - 1).rev() {
            if let Some(offset) = list.step(-1) {
                list.fill(page(offset, total));
            }
            assert_eq!(list.chosen(), Some(&want));
        }
    }

    #[test]
    fn an_answer_that_does_not_adjoin_begins_anew() {
        let mut list = Paged::default();
        list.fill(page(0, 10));
        list.step(5);
        list.fill(page(0, 3));
        assert_eq!(list.chosen(), Some(&0));
    }
}
