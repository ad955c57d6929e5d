//! Language files: `"key" = "text with {name}"`, one file a language.
//!
//! Room: screens. May touch: the text it is handed. May not: files.
//! Invariant: one text a key; which files make a language is the app's to say.

use super::data_file::{DataFault, DataFile, Value};

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
