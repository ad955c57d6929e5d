//! Why a file that somebody edits is not taken: a refusal, to be said in their language.
//!
//! Room: domain. May touch: nothing.
//! Invariant: what a reader of a format says in its own words is said in ours where its meaning is known.

use super::refusal::{Refusal, RefusalCode};

/// Of what a reader says, in characters: it may quote a whole value.
const LONGEST: usize = 120;

/// Returns the refusal that `sentence` words.
pub fn misread(sentence: &'static str) -> Refusal {
    Refusal::new(RefusalCode::BadArgument).saying(sentence)
}

/// Words what serde and a TOML reader say: `unknown field `x`, expected …`.
pub fn by_reader(message: &str) -> Refusal {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let first = quoted.next().unwrap_or_default();
    let others = || quoted.collect::<Vec<_>>().join(" ");
    if message.starts_with("unknown field `") {
        misread("file.unknown_key").with("key", first)
    } else if message.starts_with("missing field `") {
        misread("file.missing_key").with("key", first)
    } else if message.starts_with("unknown variant `") {
        misread("file.unknown_word").with("value", first).with("words", others())
    } else {
        let is_value = message.starts_with("invalid type") || message.starts_with("invalid value");
        let sentence = if is_value { "file.wrong_value" } else { "file.unreadable" };
        let line = message.lines().next().unwrap_or_default();
        misread(sentence).with("reason", line.chars().take(LONGEST).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_says_is_said_in_our_words() {
        for (message, said) in [
            ("unknown field `keymapp`, expected one of `a`, `b`", "file.unknown_key key=keymapp"),
            ("missing field `address`", "file.missing_key key=address"),
            (
                "unknown variant `epl`, expected one of `escpos`, `tspl`, `zpl`",
                "file.unknown_word value=epl words=escpos tspl zpl",
            ),
            (
                "invalid type: string \"one\", expected u8",
                "file.wrong_value reason=invalid type: string \"one\", expected u8",
            ),
        ] {
            assert_eq!(by_reader(message).to_string(), said);
        }
    }
}
