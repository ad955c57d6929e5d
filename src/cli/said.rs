//! A sentence for the person at the terminal, and the exit code that goes with it.
//!
//! Room: cli. May touch: standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use super::exit::Exit;
use crate::app::opening::OpenFault;
use crate::app::reply::ErrorReply;
use crate::app::words::{file_fault, misread_at};
use crate::domain::misread::misread;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::text;
use crate::domain::words::Words;
use crate::store::fault::StoreError;
use crate::store::repair::Missing;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub struct Said {
    pub text: String,
    pub exit: Exit,
}

/// Writes one sentence to standard error; its lines are ours, and nothing else in it is obeyed.
pub fn say(sentence: &str) {
    for line in sentence.lines() {
        eprintln!("{}", text::cleaned(line));
    }
}

/// Writes a line to standard output. A reader that has gone has seen enough.
pub fn tell(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Writes a whole answer to standard output. A reader that has gone has seen enough.
///
/// # Errors
/// What else keeps it from being written.
pub fn hand_out(answer: &[u8], words: &Words) -> Result<(), Said> {
    let mut out = io::stdout().lock();
    let written = out.write_all(answer).and_then(|()| out.flush());
    enough(written).map_err(|error| Said::output(&error, words))
}

/// What came of writing to standard output. A reader that has gone has seen enough.
///
/// # Errors
/// What else kept it from being written.
pub fn enough<T: Default>(written: io::Result<T>) -> io::Result<T> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(T::default()),
        written => written,
    }
}

impl Said {
    pub fn usage(text: String) -> Self {
        Self { text, exit: Exit::Usage }
    }

    /// Standard output that cannot be written.
    pub fn output(error: &io::Error, words: &Words) -> Self {
        Self::file(words.get("cli.output"), error, words)
    }

    /// A file that cannot be read or written.
    pub fn file(file: impl Display, error: &io::Error, words: &Words) -> Self {
        Self { text: file_fault(file, error, words), exit: Exit::Refused }
    }

    pub fn refusal(refusal: &Refusal, words: &Words) -> Self {
        let exit = match refusal.code {
            RefusalCode::Damaged => Exit::Damaged,
            RefusalCode::Busy => Exit::Busy,
            RefusalCode::Device => Exit::Device,
            _ => Exit::Refused,
        };
        Self { text: words.refusal(refusal), exit }
    }

    pub fn store(error: StoreError, words: &Words) -> Self {
        match error {
            StoreError::Refused(refusal) => Self::refusal(&refusal, words),
            StoreError::Busy { holder } => {
                let pid = holder.map_or_else(|| "?".to_owned(), |pid| pid.to_string());
                Self { text: words.fill("cli.busy", &[("pid", &pid)]), exit: Exit::Busy }
            }
            StoreError::Missing(Missing { first, last }) => {
                let text = words.fill("cli.missing", &[("first", &first), ("last", &last)]);
                Self { text, exit: Exit::Damaged }
            }
            error @ StoreError::WouldShorten { .. } => Self::refusal(&error.into(), words),
            error @ (StoreError::Damaged(_) | StoreError::CopyDamaged(_)) => {
                let what = words.refusal(&error.into());
                Self { text: words.fill("cli.damaged", &[("what", &what)]), exit: Exit::Damaged }
            }
            // Nothing is wrong with the data: neither a rebuild nor a backup would help.
            StoreError::File(error) if error.kind() == ErrorKind::PermissionDenied => {
                Self::file(words.get("cli.data"), &error, words)
            }
            error if error.is_full() => Self::refusal(&error.into(), words),
            StoreError::NoCopy => {
                Self { text: words.get("cli.no_copy_there").to_owned(), exit: Exit::Refused }
            }
            error => {
                let said = misread("cli.damaged").with("what", error.reason());
                Self { text: words.refusal(&said), exit: Exit::Damaged }
            }
        }
    }

    /// What a running register refused.
    pub fn reply(error: ErrorReply) -> Self {
        let exit = match error.code.as_str() {
            "busy" => Exit::Busy,
            "damaged" => Exit::Damaged,
            "device" => Exit::Device,
            _ => Exit::Refused,
        };
        Self { text: error.message, exit }
    }

    /// What in a file that people write does not fit, and where.
    pub fn misread(file: impl Display, line: usize, what: &Refusal, words: &Words) -> Self {
        Self { text: misread_at(file, line, what, words), exit: Exit::Refused }
    }

    /// Why a lane did not open.
    pub fn opening(fault: OpenFault, dir: &std::path::Path, words: &Words) -> Self {
        let dir = text::cleaned(&dir.display().to_string());
        let refused = |text| Self { text, exit: Exit::Refused };
        match fault {
            OpenFault::Data { file, line, what } => Self::misread(file, line, &what, words),
            OpenFault::Printer(error) => Self {
                text: words
                    .fill("cli.printer_fault", &[("what", &words.refusal(&error.refusal()))]),
                exit: if error.is_misread() { Exit::Refused } else { Exit::Device },
            },
            OpenFault::Store(error) => Self::store(error, words),
            OpenFault::File(error) => Self::file(dir, &error, words),
            OpenFault::Text { path, error } => Self::file(path.display(), &error, words),
            OpenFault::NoShop => refused(words.fill("cli.no_shop", &[("dir", &dir)])),
            OpenFault::OtherLane { lane, there } => {
                let there: Vec<String> = there.iter().map(u8::to_string).collect();
                let there = there.join(", ");
                refused(
                    words.fill(
                        "cli.other_lane",
                        &[("dir", &dir), ("lane", &lane), ("there", &there)],
                    ),
                )
            }
            OpenFault::Exists => refused(words.fill("cli.shop_exists", &[("dir", &dir)])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::words::Language;

    #[test]
    fn a_folder_that_may_not_be_read_is_no_damage() {
        for (kind, exit) in [
            (ErrorKind::PermissionDenied, Exit::Refused),
            (ErrorKind::StorageFull, Exit::Refused),
            (ErrorKind::UnexpectedEof, Exit::Damaged),
        ] {
            for language in [Language::Japanese, Language::English] {
                let said = Said::store(StoreError::File(kind.into()), &language.words());
                assert_eq!(said.exit, exit, "{kind}: {}", said.text);
                let helps = said.text.contains("regi restore");
                assert_eq!(helps, exit == Exit::Damaged, "{}", said.text);
            }
        }
    }
}
