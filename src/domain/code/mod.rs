//! What a scan or a typed code says: goods, a label with its price, a book row, a member, a bill.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: a code whose check digit does not hold is never goods; it is refused with the digit
//! that would hold, so a misread never becomes "not found, sell by hand".

pub mod bill;
pub mod book;
pub mod card;
pub mod check;
pub mod digital_link;
pub mod document_number;
pub mod explain;
pub mod gs1;
pub mod gs1_ai;
pub mod gs1_date;
pub mod gtin;
pub mod in_store;
mod json_card;
pub mod magazine;
pub mod pairing;
pub mod price_verifier;
pub mod recognise;

use serde::Deserialize;

pub use bill::Bill;
pub use book::BookRow2;
pub use card::CardPattern;
pub use gs1::Gs1Scan;
pub use gtin::Gtin;
pub use in_store::{InStoreRule, InStoreScan, InStoreValue};
pub use magazine::Magazine;
pub use recognise::recognise;

/// The longest scan a register looks at, in characters; a flood is dropped before it is read.
pub const MAX_SCAN_CHARS: usize = 80;

/// What a shop has decided about its codes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodeRules {
    /// Meanings of the prefixes 02 and 20–29; a prefix without one is a plain JAN.
    pub in_store: Vec<InStoreRule>,
    /// How member cards look; empty when the shop has no members.
    pub cards: Vec<CardPattern>,
    /// JAN prefixes that are coupons.
    pub coupon_prefixes: Vec<String>,
}

impl Default for CodeRules {
    fn default() -> Self {
        Self {
            in_store: Vec::new(),
            cards: vec![CardPattern::default()],
            coupon_prefixes: vec!["99".into()],
        }
    }
}

/// What was scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// Goods by GTIN. `or` is a second reading to look up when the first is unknown: 8 digits
    /// that hold both as JAN-8 and as UPC-E.
    Item {
        gtin: Gtin,
        kind: ItemKind,
        or: Option<Gtin>,
    },
    /// A label of this shop with a price or a weight in it.
    InStore(InStoreScan),
    /// The ISBN row of a book.
    BookRow1 {
        isbn: Gtin,
    },
    /// The price row of a book; never goods on its own.
    BookRow2(BookRow2),
    Magazine(Magazine),
    /// Goods with dates, lot, weight or price beside the GTIN.
    Gs1(Box<Gs1Scan>),
    /// A case: never sold as one piece. Looked up by `gtin`, else by `inner` and the case size.
    Case {
        gtin: Gtin,
        indicator: u8,
        inner: Gtin,
    },
    Member {
        code: String,
    },
    Coupon {
        code: String,
    },
    /// A suspended sale.
    Slip {
        number: String,
    },
    /// A receipt, return slip, formal or training receipt.
    Receipt {
        number: String,
    },
    /// A payment slip of a utility; recognised so that the register can say no in words.
    Bill(Bill),
    /// A short number typed by hand.
    Plu {
        typed: String,
    },
    /// A code of the shop's own making; the item file decides.
    Sku {
        code: String,
    },
}

/// Which symbol goods were read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    Jan13,
    Jan8,
    UpcA,
    UpcE,
    /// 14 digits that begin with 0: a piece, written long.
    Gtin14,
}

/// Why a code is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeFault {
    #[error("wrong check digit, {expected} would hold")]
    CheckDigit { expected: char },
    /// The price inside an in-store label was misread.
    #[error("wrong price check digit, {expected} would hold")]
    PriceCheckDigit { expected: char },
    #[error("not a code of any known shape")]
    Shape,
    #[error("longer than {MAX_SCAN_CHARS} characters")]
    TooLong,
    #[error("control characters in the code")]
    Control,
    /// Payment cards go to the card terminal; their numbers are not kept here.
    #[error("looks like a payment card number")]
    PaymentCard,
}

/// Returns an item's code as it is kept: a GTIN in its one form (a UPC-A with 13 digits, a JAN-8
/// with 8), anything else as it stands. For item files; a wrong check digit is told there too.
pub fn item_code(text: &str) -> Result<String, CodeFault> {
    let folded = crate::domain::text::halfwidth_digits(text);
    let code = folded.trim();
    if code.len() > MAX_SCAN_CHARS {
        return Err(CodeFault::TooLong);
    }
    if check::all_digits(code) && matches!(code.len(), 8 | 12 | 13 | 14) {
        let gtin = Gtin::parse(code).or_else(|fault| Gtin::from_upc_e(code).map_err(|_| fault));
        return match gtin {
            Err(CodeFault::CheckDigit { .. }) if is_shops_own_eight(code) => Ok(code.to_owned()),
            gtin => gtin.map(|gtin| gtin.spelled(code)),
        };
    }
    let plain = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_graphic());
    if plain { Ok(code.to_owned()) } else { Err(CodeFault::Shape) }
}

/// Returns whether eight digits may be a shop's own without a check digit: the prefix and item of a
/// label of layout D (`japan.md` 3.2).
pub(crate) fn is_shops_own_eight(code: &str) -> bool {
    code.len() == 8 && check::all_digits(code) && code.starts_with('2')
}

impl Scanned {
    /// Returns the item codes under which goods may be on file, the likeliest first; empty for
    /// what is not looked up among items.
    pub fn lookups(&self) -> Vec<String> {
        let mut codes = match self {
            Self::Item { gtin, or, .. } => {
                let mut codes = vec![gtin.to_string()];
                codes.extend(or.map(|gtin| gtin.to_string()));
                codes
            }
            Self::InStore(scan) => vec![scan.master.clone(), scan.zeroed.clone()],
            Self::BookRow1 { isbn } => vec![isbn.to_string()],
            Self::Magazine(magazine) => vec![magazine.code.clone(), magazine.series.clone()],
            Self::Gs1(scan) => scan.lookups(),
            Self::Case { gtin, inner, .. } => vec![gtin.to_string(), inner.to_string()],
            Self::Plu { typed } => vec![typed.clone(), typed.trim_start_matches('0').to_owned()],
            Self::Sku { code } => vec![code.clone()],
            _ => Vec::new(),
        };
        codes.retain(|code| !code.is_empty());
        codes.dedup();
        codes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tax::TaxMode;

    #[test]
    fn rules_are_read_from_settings() {
        let text = "[[in_store]]\nprefix = \"02\"\nlayout = \"A\"\nprice_mode = \"excluded\"\n\
            [[cards]]\nlength = 8\ncharset = \"nw7\"\ncheck = \"mod16\"\nstrip = \"start_stop\"\n";
        let rules: CodeRules = toml::from_str(text).unwrap();
        assert_eq!(rules.in_store[0].price_mode, Some(TaxMode::Excluded));
        assert!(rules.in_store[0].verify_pcd);
        let member = Scanned::Member { code: "37859+".into() };
        assert_eq!(recognise("A37859+B", &rules), Ok(member));
        for bad in ["[[in_store]]\nprefix = \"02\"\nlayout = \"Z\"", "prefixes = []"] {
            assert!(toml::from_str::<CodeRules>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_item_is_kept_under_the_code_that_its_scans_look_up() {
        for (text, want) in [
            ("012345000065", Ok("0012345000065")),
            ("00000045123450", Ok("45123450")),
            ("04252614", Ok("0042100005264")),
            ("４９０１２３４５６７８９４", Ok("4901234567894")),
            ("0237009", Ok("0237009")),
            ("23123456", Ok("23123456")),
            ("ABC-1", Ok("ABC-1")),
            ("4901234567890", Err(CodeFault::CheckDigit { expected: '4' })),
            ("", Err(CodeFault::Shape)),
            ("牛乳", Err(CodeFault::Shape)),
        ] {
            let kept = item_code(text);
            assert_eq!(kept.as_deref().map_err(|&fault| fault), want, "{text}");
            if let Ok(code) = kept {
                let scanned = recognise(text, &CodeRules::default()).unwrap();
                assert!(scanned.lookups().contains(&code), "{text}");
            }
        }
    }
}
