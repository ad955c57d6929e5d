//! Payment slips of utilities: 44 digits that a small register recognises in order to say no.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.

use super::CodeFault;
use super::check::{all_digits, mod10w3_holds};
use super::gs1_date::AiDate;
use crate::domain::money::Money;

/// What the slip says (`japan.md` 3.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// Six digits of the company.
    pub company: String,
    pub amount: Money,
    /// Last day of payment; `None` when the slip sets none.
    pub due: Option<AiDate>,
    /// Whether the store copy needs a revenue stamp.
    pub stamp: bool,
    pub reissued: bool,
    /// Whether the last digit holds. Its rule is not published, so it is told, not enforced.
    pub check_holds: bool,
}

impl Bill {
    /// Returns whether these digits are a payment slip.
    pub fn matches(code: &str) -> bool {
        code.len() == 44 && all_digits(code) && code.starts_with("91")
    }

    /// Reads `91`, company 6, free 21, reissue 1, due date 6, stamp 1, amount 6, check digit 1.
    pub fn parse(code: &str) -> Result<Self, CodeFault> {
        if !Self::matches(code) {
            return Err(CodeFault::Shape);
        }
        let yen: i64 = code[37..43].parse().map_err(|_| CodeFault::Shape)?;
        let due = match &code[30..36] {
            "999999" | "000000" => None,
            date => Some(AiDate::parse(date).ok_or(CodeFault::Shape)?),
        };
        Ok(Self {
            company: code[2..8].to_owned(),
            amount: Money::new(yen),
            due,
            stamp: &code[36..37] == "1",
            reissued: &code[29..30] != "0",
            check_holds: mod10w3_holds(code),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::yen;

    #[test]
    fn a_slip_says_amount_due_date_and_stamp() {
        for (code, amount, stamp) in [
            ("91912345123456789012345678900026123100123458", 12_345, false),
            ("91912345123456789012345678900026123110543215", 54_321, true),
        ] {
            let bill = Bill::parse(code).unwrap();
            assert_eq!((bill.amount, bill.stamp), (yen(amount), stamp));
            assert_eq!(bill.company, "912345");
            assert_eq!(bill.due, AiDate::parse("261231"));
            assert!(bill.check_holds && !bill.reissued);
        }
    }

    #[test]
    fn a_slip_without_due_date_is_read_and_a_month_13_is_not() {
        let open = Bill::parse("91912345123456789012345678900099999900123458").unwrap();
        assert_eq!(open.due, None);
        let wrong = Bill::parse("91912345123456789012345678900026133100123458");
        assert_eq!(wrong, Err(CodeFault::Shape));
    }
}
