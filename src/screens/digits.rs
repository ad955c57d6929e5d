//! The digits typed so far: one buffer, shown large, taken by the next key.
//!
//! Room: screens. May touch: its own state.

use crate::domain::code::check::all_digits;
use crate::domain::code::document_number::is_surely_code;

/// The most digits kept: a magazine code with its add-on is 18.
const MOST: usize = 24;

/// Whether keys that came as fast as a scanner's may be a number all the same.
pub fn may_be_number(burst: &str) -> bool {
    all_digits(burst) && !is_surely_code(burst)
}

/// Digits, and a point for weights.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digits {
    typed: String,
}

impl Digits {
    /// Takes a digit or one point; returns whether it was one.
    pub fn push(&mut self, letter: char) -> bool {
        let fits = letter.is_ascii_digit() || (letter == '.' && !self.typed.contains('.'));
        if fits && self.typed.len() < MOST {
            self.typed.push(letter);
        }
        fits
    }

    pub fn as_str(&self) -> &str {
        &self.typed
    }

    pub fn is_empty(&self) -> bool {
        self.typed.is_empty()
    }

    /// Returns the digits and begins anew.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.typed)
    }

    pub fn erase(&mut self) {
        self.typed.pop();
    }

    pub fn clear(&mut self) {
        self.typed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_and_one_point_are_taken() {
        let mut digits = Digits::default();
        for (letter, taken) in [('1', true), ('.', true), ('.', false), ('5', true), ('x', false)] {
            assert_eq!(digits.push(letter), taken);
        }
        assert_eq!(digits.take(), "1.5");
        assert!(digits.is_empty());
    }
}
