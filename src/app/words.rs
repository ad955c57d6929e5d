//! The shop's language: which files make it, and what is said in it of files.
//!
//! Room: app. May touch: the language files compiled in; what the system says of a file.

use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::OnceLock;

use crate::domain::refusal::Refusal;
use crate::domain::text::cleaned;
use crate::domain::words::Words;

/// Says why the system did not read or write a file.
pub fn file_fault(file: impl Display, error: &io::Error, words: &Words) -> String {
    let file = cleaned(&file.to_string());
    let sentence = match error.kind() {
        ErrorKind::NotFound => "cli.file.missing",
        ErrorKind::PermissionDenied => "cli.file.denied",
        ErrorKind::IsADirectory => "cli.file.folder",
        ErrorKind::NotADirectory => "cli.file.no_folder",
        ErrorKind::StorageFull => "cli.file.full",
        ErrorKind::InvalidInput => "cli.file.no_file",
        ErrorKind::InvalidData => "cli.file.no_text",
        _ => "cli.file",
    };
    words.fill(sentence, &[("file", &file), ("what", error)])
}

/// What is wrong with a path that an ordinary file is wanted at: a folder, a device, a pipe. Opening one
/// might wait for ever, writing one in its place would destroy it.
///
/// # Errors
/// `IsADirectory`, `InvalidInput`, or why nobody can say.
pub fn must_be_file(path: &Path) -> io::Result<()> {
    let about = fs::metadata(path)?;
    match about.is_dir() {
        true => Err(ErrorKind::IsADirectory.into()),
        false if about.is_file() => Ok(()),
        false => Err(ErrorKind::InvalidInput.into()),
    }
}

/// Says what in a file that people write does not fit, and where.
pub fn misread_at(file: impl Display, line: impl Display, what: &Refusal, words: &Words) -> String {
    let (file, what) = (cleaned(&file.to_string()), words.refusal(what));
    words.fill("cli.config_fault", &[("file", &file), ("line", &line), ("what", &what)])
}

/// A language regi speaks. To add one, add its files and a line here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    Japanese,
    English,
}

impl Language {
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "ja" => Some(Self::Japanese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Japanese => "ja",
            Self::English => "en",
        }
    }

    const fn files(self) -> [&'static str; 3] {
        match self {
            Self::Japanese => [
                include_str!("../../languages/ja.toml"),
                include_str!("../../languages/papers.ja.toml"),
                include_str!("../../languages/cli.ja.toml"),
            ],
            Self::English => [
                include_str!("../../languages/en.toml"),
                include_str!("../../languages/papers.en.toml"),
                include_str!("../../languages/cli.en.toml"),
            ],
        }
    }

    /// Returns the sentences for a terminal that draws no kanji: romaji, and English where a sentence
    /// is long.
    pub fn plain_words(self) -> Words {
        let romaji = match self {
            Self::Japanese => include_str!("../../languages/romaji.toml"),
            Self::English => "",
        };
        let files = Self::English.files().into_iter().chain([romaji]);
        let pairs = files.flat_map(|file| {
            let read = crate::screens::read_words("language", file);
            read.expect("a language file that is compiled in reads")
        });
        Words::new(pairs)
    }

    /// Returns all sentences of the language; they are read once.
    pub fn words(self) -> Words {
        static READ: [OnceLock<Words>; 2] = [const { OnceLock::new() }; 2];
        READ[self as usize].get_or_init(|| self.read()).clone()
    }

    fn read(self) -> Words {
        let pairs = self.files().into_iter().flat_map(|file| {
            let read = crate::screens::read_words("language", file);
            read.expect("a language file that is compiled in reads")
        });
        Words::new(pairs)
    }
}
