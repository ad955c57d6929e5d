//! Language files: `"key" = "text with {name}"`, one file a language.
//!
//! Room: screens. May touch: the text it is handed. May not: files.
//! Invariant: one text a key; which files make a language is the app's to say.

use super::data_file::{DataFault, DataFile, Value};
use crate::domain::misread::misread;

/// Reads one language file into `(key, text)` pairs.
///
/// # Errors
/// What is not a flat table of texts, with its line.
pub fn read_words(file: &str, text: &str) -> Result<Vec<(String, String)>, DataFault> {
    // A thousand plain lines at every start: TOML's whole grammar is asked only for what is not plain.
    if let Some(pairs) = text.lines().map(plain_line).collect::<Option<Vec<_>>>() {
        return Ok(pairs.into_iter().flatten().collect());
    }
    whole_toml(file, text)
}

fn whole_toml(file: &str, text: &str) -> Result<Vec<(String, String)>, DataFault> {
    let data = DataFile::read(file, text)?;
    let pair = |field: &super::data_file::Field| match &field.value {
        Value::Text(sentence) => Ok((field.key.clone(), sentence.clone())),
        _ => Err(data.fault(field.line, misread("file.one_text").with("key", &field.key))),
    };
    data.fields.iter().map(pair).collect()
}

/// Reads `"key" = "text"`, a comment or an empty line; `None` for anything else.
fn plain_line(line: &str) -> Option<Option<(String, String)>> {
    if line.is_empty() || line.starts_with('#') {
        return Some(None);
    }
    let (key, text) = line.strip_prefix('"')?.strip_suffix('"')?.split_once("\" = \"")?;
    let is_plain = |part: &str| !part.bytes().any(|byte| byte == b'"' || byte < 0x20);
    if !is_plain(key) || key.contains('\\') {
        return None;
    }
    // A quote is the one sign that sentences need an escape for.
    let quoted = text.replace("\\\"", "\u{1}");
    if !is_plain(&quoted.replace('\u{1}', "")) || quoted.contains('\\') {
        return None;
    }
    Some(Some((key.to_owned(), quoted.replace('\u{1}', "\""))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: [&str; 6] = [
        include_str!("../../languages/en.toml"),
        include_str!("../../languages/ja.toml"),
        include_str!("../../languages/papers.en.toml"),
        include_str!("../../languages/papers.ja.toml"),
        include_str!("../../languages/cli.en.toml"),
        include_str!("../../languages/cli.ja.toml"),
    ];

    #[test]
    fn every_shipped_file_is_plain_and_reads_as_toml_does() {
        for text in SHIPPED {
            assert!(text.lines().all(|line| plain_line(line).is_some()));
            let sorted = |mut pairs: Vec<(String, String)>| {
                pairs.sort();
                pairs
            };
            assert_eq!(
                sorted(read_words("x", text).unwrap()),
                sorted(whole_toml("x", text).unwrap())
            );
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_toml() {
        let plain = |line| plain_line(line).flatten();
        let pair = |key: &str, text: &str| Some((key.to_owned(), text.to_owned()));
        assert_eq!(plain(r#""a" = "b \"c\"""#), pair("a", "b \"c\""));
        for line in [
            r#"a = "b""#,
            r#""a" = "b" # c"#,
            r#""a" = "b\n""#,
            r#""a" = "b\\""#,
            r#""a" = "b"c""#,
            r#""a" = 1"#,
            "[table]",
            "\"a\" = \"b\tc\"",
            r#" "a" = "b""#,
        ] {
            assert_eq!(plain_line(line), None, "{line}");
        }
        for wrong in ["\"a\" = 1", "\"a\" = \"b\"\n\"a\" = \"c\"\n[x]", "nonsense"] {
            assert!(read_words("x", wrong).is_err(), "{wrong}");
        }
    }
}
