//! The one way text gets into a label printer's command.
//!
//! Room: devices. May touch: nothing. May not: let a sign through that any label language obeys.
//! Invariant: what comes out holds no quote, caret, tilde, backslash, line end or control byte.

/// Signs beside letters and digits that are only ever data.
const SIGNS: &str = " $%+-./:=_";

/// Text that is data to every label printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Safe(String);

impl Safe {
    /// Returns `text` if all of it may pass; it is never changed, for a changed code is a wrong one.
    pub fn read(text: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || SIGNS.contains(c);
        (!text.is_empty() && text.chars().all(plain)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sign_of_a_command_passes() {
        for c in (0..=0xff).filter_map(char::from_u32).chain("あ漢\u{202e}".chars()) {
            let passes = Safe::read(&format!("49{c}01")).is_some();
            let dangerous = "\"^~\\>{}`".contains(c) || c.is_control() || !c.is_ascii();
            assert!(!(passes && dangerous), "{c:?}");
        }
        assert!(Safe::read("4901234567894").is_some());
        assert!(Safe::read("").is_none());
    }
}
