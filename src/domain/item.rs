//! What the shop sells, as its master says.
//!
//! Room: domain. May touch: std. A line of a sale copies what it needs: later edits change no receipt.

use serde::{Deserialize, Serialize};

use super::quantity::{Quantity, UnitPrice};
use super::tax::TaxMode;

/// What one of the item is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    #[default]
    Each,
    Per100g,
    Kg,
}

impl Unit {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Each => "each",
            Self::Per100g => "100g",
            Self::Kg => "kg",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Each, Self::Per100g, Self::Kg].into_iter().find(|unit| unit.word() == word)
    }

    /// Pieces that a quantity counts for: what is weighed is one, and comes back as one.
    pub fn pieces(self, quantity: Quantity) -> Quantity {
        match self {
            Self::Each => quantity,
            _ if quantity < Quantity::ZERO => -Quantity::ONE,
            _ => Quantity::ONE,
        }
    }

    /// Grams in one unit of a weighed item.
    pub const fn grams(self) -> Option<u32> {
        match self {
            Self::Each => None,
            Self::Per100g => Some(100),
            Self::Kg => Some(1000),
        }
    }
}

/// What may not be done with an item, or must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ItemFlags {
    pub no_discount: bool,
    pub no_points: bool,
    /// The seller must see that the customer is 20 (alcohol, tobacco).
    pub age20: bool,
    pub self_medication: bool,
    /// The price is set by law or contract (tobacco, books): no override, no discount.
    pub fixed_price: bool,
    /// Sold by weight: a quantity is needed before it is a line.
    pub weighed: bool,
    pub deposit: bool,
    pub tax_free_ok: bool,
    /// In the master, but not to be sold.
    pub not_for_sale: bool,
}

impl ItemFlags {
    fn slots(&mut self) -> [(&'static str, &mut bool); 9] {
        [
            ("no_discount", &mut self.no_discount),
            ("no_points", &mut self.no_points),
            ("age20", &mut self.age20),
            ("self_medication", &mut self.self_medication),
            ("fixed_price", &mut self.fixed_price),
            ("weighed", &mut self.weighed),
            ("deposit", &mut self.deposit),
            ("tax_free_ok", &mut self.tax_free_ok),
            ("not_for_sale", &mut self.not_for_sale),
        ]
    }

    /// Whether anything may come off the price unasked: a share of a discount, a coupon or points, a
    /// date that is near. A fixed price is none when it is not kept (`japan.md` 1.7).
    pub const fn takes_discounts(self) -> bool {
        !self.no_discount && !self.fixed_price
    }

    /// Reads words with spaces between, as in the items CSV; `Err` names the unknown word.
    pub fn from_words(words: &str) -> Result<Self, String> {
        let mut flags = Self::default();
        for word in words.split_whitespace() {
            let mut slots = flags.slots();
            let slot = slots.iter_mut().find(|(name, _)| *name == word);
            *slot.ok_or_else(|| word.to_owned())?.1 = true;
        }
        Ok(flags)
    }

    pub fn words(mut self) -> String {
        let set: Vec<_> =
            self.slots().into_iter().filter(|(_, on)| **on).map(|(name, _)| name).collect();
        set.join(" ")
    }
}

/// One row of the item master.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// A JAN, a PLU, an own code, or prefix and item digits of an in-store label (`0237009`).
    pub code: String,
    pub name: String,
    pub kana: String,
    /// Empty: the name itself is printed.
    pub receipt_name: String,
    pub department: u16,
    pub price: UnitPrice,
    /// Absent: the shop's default.
    pub price_mode: Option<TaxMode>,
    /// Absent: the department's, else standard.
    pub tax_class: Option<String>,
    pub unit: Unit,
    pub flags: ItemFlags,
    /// Pieces in a case, sold by `case_code`.
    pub case_of: Option<u32>,
    pub case_code: String,
    pub cost: Option<UnitPrice>,
    /// What the import said was on the shelf; the stock of today is folded from it.
    pub stock: Option<Quantity>,
    pub supplier: String,
}

impl Item {
    /// Returns an item with a code, a name and a price, everything else as the shop's default.
    pub fn new(code: impl Into<String>, name: impl Into<String>, price: UnitPrice) -> Self {
        Self {
            code: code.into(),
            name: name.into(),
            kana: String::new(),
            receipt_name: String::new(),
            department: 0,
            price,
            price_mode: None,
            tax_class: None,
            unit: Unit::Each,
            flags: ItemFlags::default(),
            case_of: None,
            case_code: String::new(),
            cost: None,
            stock: None,
            supplier: String::new(),
        }
    }

    /// The name a receipt prints.
    pub fn printed_name(&self) -> &str {
        if self.receipt_name.is_empty() { &self.name } else { &self.receipt_name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_read_back_from_their_words() {
        let words = "no_discount age20 fixed_price";
        assert_eq!(ItemFlags::from_words(words).unwrap().words(), words);
        assert_eq!(ItemFlags::from_words("age18"), Err("age18".to_owned()));
    }
}
