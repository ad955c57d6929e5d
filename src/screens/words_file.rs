//! Language files: `"key" = "text with {name}"`, one file a language.
//!
//! Room: screens. May touch: the text it is handed. May not: files.
//! Invariant: English fills what another language leaves out, so no key is ever shown bare.

use super::data_file::{DataFault, DataFile, Value};
use crate::domain::words::Words;

const JA: &str = include_str!("../../languages/ja.toml");
const EN: &str = include_str!("../../languages/en.toml");

/// Reads one language file into `(key, text)` pairs.
///
/// # Errors
/// What is not a flat table of texts, with its line.
pub fn read_words(file: &str, text: &str) -> Result<Vec<(String, String)>, DataFault> {
    let data = DataFile::read(file, text)?;
    let pair = |field: &super::data_file::Field| match &field.value {
        Value::Text(sentence) => Ok((field.key.clone(), sentence.clone())),
        _ => Err(data.fault(field.line, format!("`{}` must be one text", field.key))),
    };
    data.fields.iter().map(pair).collect()
}

/// Returns the texts of a built-in language over English; an unknown language is English.
/// `shop_file` is the text of the shop's own file of that language, which wins.
///
/// # Errors
/// A shop file that cannot be read, with its line.
pub fn words(language: &str, shop_file: Option<(&str, &str)>) -> Result<Words, DataFault> {
    let mut pairs = read_words("en.toml", EN)?;
    if language == "ja" {
        pairs.extend(read_words("ja.toml", JA)?);
    }
    if let Some((name, text)) = shop_file {
        pairs.extend(read_words(name, text)?);
    }
    Ok(Words::new(pairs))
}
