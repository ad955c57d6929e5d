//! The GS1 application identifiers that goods at a counter may carry: a flat table.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Source: GS1 General Specifications 3; an identifier that is not listed ends the reading.

/// How one identifier and its value are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ai {
    /// The leading digits; a decimal-point digit may follow (`310n`).
    pub prefix: &'static str,
    /// Digits of the whole identifier: 2, 3 or 4.
    pub len: usize,
    pub min: usize,
    pub max: usize,
    pub numeric: bool,
    /// Whether the value has a length known beforehand, so that no FNC1 need follow it.
    pub predefined: bool,
}

/// Returns the identifier at the head of `text`.
pub fn ai_at(text: &str) -> Option<Ai> {
    let found = TABLE.iter().find(|row| text.starts_with(row.prefix))?;
    let digits = text.get(..found.len)?;
    super::check::all_digits(digits).then_some(*found)
}

const fn fixed(prefix: &'static str, len: usize, width: usize) -> Ai {
    Ai { prefix, len, min: width, max: width, numeric: true, predefined: true }
}

/// Fixed in width, yet not on the list of predefined lengths: FNC1 ends it unless it is last.
const fn digits(prefix: &'static str, len: usize, min: usize, max: usize) -> Ai {
    Ai { prefix, len, min, max, numeric: true, predefined: false }
}

const fn text(prefix: &'static str, len: usize, min: usize, max: usize) -> Ai {
    Ai { prefix, len, min, max, numeric: false, predefined: false }
}

const TABLE: &[Ai] = &[
    fixed("00", 2, 18),       // SSCC
    fixed("01", 2, 14),       // GTIN
    fixed("02", 2, 14),       // GTIN of what is inside
    text("10", 2, 1, 20),     // lot
    fixed("11", 2, 6),        // produced
    fixed("12", 2, 6),        // payment due
    fixed("13", 2, 6),        // packed
    fixed("15", 2, 6),        // best before
    fixed("16", 2, 6),        // sell by
    fixed("17", 2, 6),        // expires
    fixed("20", 2, 2),        // variant
    text("21", 2, 1, 20),     // serial
    text("22", 2, 1, 20),     // consumer variant
    text("235", 3, 1, 28),    // third-party serial
    text("240", 3, 1, 30),    // additional id
    text("241", 3, 1, 30),    // customer part number
    digits("242", 3, 1, 6),   // made to order
    text("243", 3, 1, 20),    // packaging component
    text("250", 3, 1, 30),    // secondary serial
    text("251", 3, 1, 30),    // source entity
    text("253", 3, 13, 30),   // document
    text("254", 3, 1, 20),    // location extension
    digits("255", 3, 13, 25), // coupon
    digits("30", 2, 1, 8),    // count, variable measure
    fixed("31", 4, 6),        // net weight and measures, n decimals
    fixed("32", 4, 6),
    fixed("33", 4, 6),
    fixed("34", 4, 6),
    fixed("35", 4, 6),
    fixed("36", 4, 6),
    digits("37", 2, 1, 8),   // count of what is inside
    digits("390", 4, 1, 15), // amount payable
    digits("391", 4, 4, 18), // amount payable with currency
    digits("392", 4, 1, 15), // price, variable measure
    digits("393", 4, 4, 18), // price with currency
    digits("394", 4, 4, 4),  // percentage off
    digits("395", 4, 6, 6),  // price per unit
    text("400", 3, 1, 30),   // order
    text("401", 3, 1, 30),   // consignment
    digits("402", 3, 17, 17),
    text("403", 3, 1, 30),   // route
    fixed("41", 3, 13),      // locations
    text("420", 3, 1, 20),   // post code
    text("421", 3, 4, 12),   // post code with country
    digits("422", 3, 3, 3),  // origin
    digits("423", 3, 3, 15), // origin of processing
    digits("424", 3, 3, 3),
    digits("425", 3, 3, 15),
    digits("426", 3, 3, 3),
    text("427", 3, 1, 3),
    digits("7001", 4, 13, 13),
    text("7002", 4, 1, 30),    // meat cut
    digits("7003", 4, 10, 10), // expires with time
    digits("7004", 4, 1, 4),   // potency
    text("7005", 4, 1, 12),    // catch area
    digits("7006", 4, 6, 6),   // first frozen
    digits("7007", 4, 6, 12),  // harvested
    digits("8001", 4, 14, 14),
    text("8002", 4, 1, 20),
    text("8003", 4, 14, 30),
    text("8004", 4, 1, 30),
    digits("8005", 4, 6, 6), // price for the unit of measure
    digits("8006", 4, 18, 18),
    text("8007", 4, 1, 34),
    digits("8008", 4, 8, 12), // produced with time
    digits("8017", 4, 18, 18),
    digits("8018", 4, 18, 18),
    text("8020", 4, 1, 25), // payment slip
    text("8110", 4, 1, 70), // coupon of North America
    digits("8111", 4, 4, 4),
    text("8112", 4, 1, 70),
    text("8200", 4, 1, 70), // extended packaging
    text("90", 2, 1, 30),   // as agreed between partners
    text("91", 2, 1, 90),
    text("92", 2, 1, 90),
    text("93", 2, 1, 90),
    text("94", 2, 1, 90),
    text("95", 2, 1, 90),
    text("96", 2, 1, 90),
    text("97", 2, 1, 90),
    text("98", 2, 1, 90),
    text("99", 2, 1, 90),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_identifier_hides_another() {
        for (place, row) in TABLE.iter().enumerate() {
            for earlier in &TABLE[..place] {
                assert!(!row.prefix.starts_with(earlier.prefix), "{}", row.prefix);
            }
            assert!(row.prefix.len() <= row.len && row.min <= row.max);
        }
    }

    #[test]
    fn identifiers_have_their_own_length() {
        for (code, len) in [("01", Some(2)), ("3103", Some(4)), ("240x", Some(3)), ("310", None)] {
            assert_eq!(ai_at(code).map(|ai| ai.len), len, "{code}");
        }
        assert_eq!(ai_at("99"), Some(text("99", 2, 1, 90)));
        assert_eq!(ai_at("05"), None);
    }
}
