//! What must hold for any bytes at all, one promise a file.
//!
//! Room: fuzz, a workspace of its own. May touch: the library. A target is `hold(bytes)`: it panics
//! when a promise is broken, and the fuzzer keeps the bytes that broke it.

pub mod codes;
pub mod commands;
pub mod csv;
pub mod data_files;
pub mod journal;
pub mod printer;
pub mod scanner;
pub mod second_copy;

use std::sync::OnceLock;

use regi::app::words::Language;
use regi::domain::refusal::Refusal;
use regi::domain::text::is_unprintable;
use regi::domain::words::Words;

/// A refusal becomes one sentence that may stand on a screen and in a log.
#[track_caller]
pub fn says_so(refusal: &Refusal) {
    static WORDS: OnceLock<[Words; 2]> = OnceLock::new();
    let words = || [Language::Japanese.words(), Language::English.words()];
    for words in WORDS.get_or_init(words) {
        let sentence = words.refusal(refusal);
        assert!(!sentence.trim().is_empty(), "{refusal:?}");
        is_clean(&sentence);
    }
}

/// Nothing that a terminal or a printer would obey, and nothing that cannot be seen.
#[track_caller]
pub fn is_clean(text: &str) {
    let bad = text.chars().find(|sign| is_unprintable(*sign));
    assert_eq!(bad, None, "{text:?}");
}
