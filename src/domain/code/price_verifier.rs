//! The price verifier digit: one digit that guards the price inside an in-store label.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Source: GS1 General Specifications 7.9; checked with labels from real shops (`japan.md` 3.2).

/// Weighted products by digit 0–9, as the specification names them.
const TWO_MINUS: [u32; 10] = [0, 2, 4, 6, 8, 9, 1, 3, 5, 7];
const THREE: [u32; 10] = [0, 3, 6, 9, 2, 5, 8, 1, 4, 7];
const FIVE_PLUS: [u32; 10] = [0, 5, 1, 6, 2, 7, 3, 8, 4, 9];
const FIVE_MINUS: [u32; 10] = [0, 5, 9, 4, 8, 3, 7, 2, 6, 1];

/// Returns the verifier of a price of four or five digits; other lengths have none.
pub fn price_verifier(price: &str) -> Option<char> {
    if !super::check::all_digits(price) {
        return None;
    }
    let digit = |place: usize| usize::from(price.as_bytes()[place] - b'0');
    let value = match price.len() {
        4 => {
            let sum = TWO_MINUS[digit(0)] + TWO_MINUS[digit(1)] + THREE[digit(2)];
            (sum + FIVE_MINUS[digit(3)]) * 3 % 10
        }
        5 => {
            let sum = FIVE_PLUS[digit(0)] + TWO_MINUS[digit(1)] + FIVE_MINUS[digit(2)];
            let sum = sum + FIVE_PLUS[digit(3)] + TWO_MINUS[digit(4)];
            whose_five_minus_is((10 - sum % 10) % 10)
        }
        _ => return None,
    };
    char::from_digit(value, 10)
}

fn whose_five_minus_is(weighted: u32) -> u32 {
    let place = FIVE_MINUS.iter().position(|&product| product == weighted);
    place.and_then(|place| u32::try_from(place).ok()).expect("the table holds each digit once")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_agrees_with_labels_from_real_shops() {
        for (price, want) in [
            ("0108", Some('4')),
            ("0162", Some('7')),
            ("0216", Some('2')),
            ("2875", Some('9')),
            ("14685", Some('6')),
            ("0000", Some('0')),
            ("00000", Some('0')),
            ("108", None),
            ("01x8", None),
        ] {
            assert_eq!(price_verifier(price), want, "{price}");
        }
    }

    #[test]
    fn one_misread_digit_is_always_noticed() {
        for price in (0..100_000).step_by(37) {
            for width in [4, 5] {
                let Some(right) = price_verifier(&format!("{price:0width$}")) else { continue };
                let text = format!("{price:0width$}");
                for place in 0..width {
                    let mut bytes = text.clone().into_bytes();
                    bytes[place] = b'0' + (bytes[place] - b'0' + 1) % 10;
                    let misread = String::from_utf8(bytes).unwrap();
                    assert_ne!(price_verifier(&misread), Some(right), "{text} {misread}");
                }
            }
        }
    }
}
