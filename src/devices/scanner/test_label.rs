//! The label that shows whether a scanner is still set as it was: scanned at the start of a day.
//!
//! Room: devices. May touch: nothing. May not: change a scanner's settings.
//! Invariant: whatever a scanner was set to, the label is known by letters that every keyboard
//! types alike; it is never taken for goods.

use super::keys::Layout;

/// What the label holds. The two signs at its end lie on other keys of a US and a JIS keyboard.
pub const TEXT: &str = "REGI-TEST+:";
const MARK: &str = "REGI-TEST";
const SIGNS: &str = "+:";

/// What a scanned test label says of its scanner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestVerdict {
    Right,
    /// Capitals came as small letters: Caps Lock, or a case setting.
    Case,
    /// The scanner types on this keyboard; its rule says the other.
    Layout(Layout),
    /// Something stands before each code.
    Prefix(String),
    /// Something stands behind each code.
    Suffix(String),
    /// The letters came, the signs are of no keyboard known.
    Signs,
}

/// Returns whether `text` is the label, however its scanner spoils it.
pub fn holds(text: &str) -> bool {
    text.to_ascii_uppercase().contains(MARK)
}

/// Returns what is wrong with the scanner first, or `None` where `text` is no test label.
pub fn judge(text: &str) -> Option<TestVerdict> {
    let at = text.to_ascii_uppercase().find(MARK)?;
    let (before, rest) = text.split_at(at);
    let (mark, behind) = rest.split_at(MARK.len());
    let after = behind.strip_prefix(SIGNS);
    Some(match after {
        _ if behind.starts_with("~+") => TestVerdict::Layout(Layout::Us),
        _ if behind.starts_with(":'") => TestVerdict::Layout(Layout::Jis),
        None => TestVerdict::Signs,
        Some(_) if mark != MARK => TestVerdict::Case,
        Some(_) if !before.is_empty() => TestVerdict::Prefix(before.to_owned()),
        Some(after) if !after.is_empty() => TestVerdict::Suffix(after.to_owned()),
        Some(_) => TestVerdict::Right,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::scanner::decoder::{Input, ScanDecoder, Signs, key_for};
    use crate::devices::scanner::keys::{ENTER, LEFT_SHIFT};

    /// Scans `text` with a scanner set to one keyboard and a rule that names another.
    fn scanned(
        text: &str,
        scanner: Layout,
        rule: Layout,
    ) -> Option<Result<String, super::super::Reject>> {
        let mut decoder = ScanDecoder::new(rule, Signs::Codes);
        let at_ms = 1_000;
        for c in text.chars() {
            let (code, shifted) = key_for(scanner, c).expect("a key types it");
            decoder.push(Input::Key { code: LEFT_SHIFT, value: i32::from(shifted), at_ms });
            decoder.push(Input::Key { code, value: 1, at_ms });
            decoder.push(Input::Key { code: LEFT_SHIFT, value: 0, at_ms });
        }
        decoder.push(Input::Key { code: ENTER, value: 1, at_ms })
    }

    #[test]
    fn a_scanner_set_to_another_keyboard_is_found_out() {
        for (scanner, rule, want) in [
            (Layout::Us, Layout::Us, TestVerdict::Right),
            (Layout::Jis, Layout::Jis, TestVerdict::Right),
            (Layout::Us, Layout::Jis, TestVerdict::Layout(Layout::Us)),
            (Layout::Jis, Layout::Us, TestVerdict::Layout(Layout::Jis)),
        ] {
            let text = scanned(TEXT, scanner, rule).expect("it ends").expect("it comes through");
            assert_eq!(judge(&text), Some(want), "{text}");
        }
    }

    #[test]
    fn a_changed_prefix_suffix_or_case_is_found_out() {
        for (text, want) in [
            ("REGI-TEST+:", Some(TestVerdict::Right)),
            ("]C0REGI-TEST+:", Some(TestVerdict::Prefix("]C0".into()))),
            ("REGI-TEST+:%", Some(TestVerdict::Suffix("%".into()))),
            ("regi-test+:", Some(TestVerdict::Case)),
            ("REGI-TEST", Some(TestVerdict::Signs)),
            ("REGI-TEST??", Some(TestVerdict::Signs)),
            ("4901234567894", None),
            ("", None),
        ] {
            assert_eq!(judge(text), want, "{text}");
        }
        let odd = scanned("]C0REGI-TEST+:", Layout::Us, Layout::Us).expect("it ends");
        assert_eq!(odd, Ok("]C0REGI-TEST+:".to_owned()), "a sign no code holds does not hide it");
    }
}
