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
    } else if let Some((found, wanted)) = wrong_value(message) {
        misread("file.wrong_value").with("found", shortened(found)).with("wanted", wanted)
    } else if let Some((found, least, most)) = out_of_range(message) {
        let refusal = misread("file.out_of_range").with("found", found);
        refusal.with("least", least).with("most", most)
    } else {
        let line = message.lines().next().unwrap_or_default();
        misread("file.unreadable").with("reason", shortened(line))
    }
}

/// Words what a reader says of the place `at` in a text, in bytes: a value that does not fit is shown with its key.
pub fn by_reader_at(message: &str, text: &str, at: usize) -> Refusal {
    let wanted = wrong_value(message).map(|(_, wanted)| wanted);
    let Some(wanted) = wanted.or_else(|| own_saying(message)) else { return by_reader(message) };
    misread("file.wrong_value").with("found", line_at(text, at)).with("wanted", wanted)
}

fn line_at(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    shortened(line.trim())
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// What was found and the word for what belongs there: `invalid type: string "one", expected u8`.
fn wrong_value(message: &str) -> Option<(&str, &str)> {
    let said = message.lines().next()?;
    let said =
        said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "))?;
    let (found, wanted) = said.rsplit_once(", expected ")?;
    let quoted = [('`', '`'), ('"', '"')].into_iter().find_map(|(from, to)| {
        let (from, to) = (found.find(from)? + 1, found.rfind(to)?);
        found.get(from..to)
    });
    Some((quoted.unwrap_or(found), kind(wanted)))
}

/// The word of a kind of value that a reader names in its own way; what it does not know stays as it is said.
fn kind(wanted: &str) -> &str {
    match wanted {
        "u8" => "up_to_255",
        "u16" => "up_to_65535",
        "u32" | "u64" | "usize" => "not_negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "whole",
        "a nonzero u8" | "a nonzero u16" | "a nonzero u32" => "positive",
        "a string" => "text",
        "a boolean" => "yes_or_no",
        "a sequence" => "list",
        "a map" => "table",
        "a percentage" => "decimal",
        _ if wanted.starts_with("struct ") => "table",
        _ => wanted,
    }
}

/// What a number with bounds of its own says: `12: 24..=64`.
fn out_of_range(message: &str) -> Option<(i64, i64, i64)> {
    let (found, bounds) = message.lines().next()?.split_once(": ")?;
    let (least, most) = bounds.split_once("..=")?;
    Some((found.parse().ok()?, least.parse().ok()?, most.parse().ok()?))
}

/// What values of our own say when they cannot be read.
fn own_saying(message: &str) -> Option<&'static str> {
    match message.lines().next()? {
        "not a decimal number" => Some("decimal"),
        "not a date like 2019-10-01" => Some("date"),
        _ => None,
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
                "file.wrong_value found=one wanted=up_to_255",
            ),
            (
                "invalid value: integer `70000`, expected u16",
                "file.wrong_value found=70000 wanted=up_to_65535",
            ),
            ("invalid type: map, expected a string", "file.wrong_value found=map wanted=text"),
            (
                "invalid type: sequence, expected 7 up",
                "file.wrong_value found=sequence wanted=7 up",
            ),
            ("12: 24..=64", "file.out_of_range found=12 least=24 most=64"),
            ("unclosed table", "file.unreadable reason=unclosed table"),
        ] {
            assert_eq!(by_reader(message).to_string(), said);
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_shown_with_its_key() {
        let text = "lane = 1\nname = \"一\"\n  width_mm = \"abc\"\nrate = \"x\"\n";
        let at = |part: &str| text.find(part).unwrap();
        for (message, place, said) in [
            (
                "invalid type: string \"abc\", expected u16",
                at("\"abc"),
                "file.wrong_value found=width_mm = \"abc\" wanted=up_to_65535",
            ),
            (
                "not a decimal number",
                at("\"x"),
                "file.wrong_value found=rate = \"x\" wanted=decimal",
            ),
            ("unknown field `lan`, expected", 0, "file.unknown_key key=lan"),
            ("invalid type: map, expected u8", 999, "file.wrong_value found= wanted=up_to_255"),
        ] {
            assert_eq!(by_reader_at(message, text, place).to_string(), said);
        }
    }
}
