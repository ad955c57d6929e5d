//! `regi run`: plays a file of commands without a screen.
//!
//! Room: app. May touch: the reader and writer it is handed.

use std::io::{self, BufRead, Write};

use super::reply::Reply;
use crate::domain::words::Words;

/// Who answers a line: a shop opened here, or the register that runs on it.
pub trait Answers {
    /// Answers one line; `None` for an empty line or a comment.
    ///
    /// # Errors
    /// When the other side went away.
    fn answer(&mut self, line: &str) -> io::Result<Option<Reply>>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRefusal {
    Stop,
    KeepGoing,
}

/// How a file of commands ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Played {
    pub refused: u32,
    /// A running register was asked to sell.
    pub busy: bool,
}

/// Plays every line, writing an answer for each.
///
/// # Errors
/// When the script cannot be read or the answer not be written.
pub fn play(
    script: impl BufRead,
    out: &mut impl Write,
    answers: &mut dyn Answers,
    form: Form,
    on_refusal: OnRefusal,
    words: &Words,
) -> io::Result<Played> {
    let mut played = Played::default();
    for (at, line) in script.split(b'\n').enumerate() {
        let line = line?;
        // A script saved by a Windows editor begins with a mark that nobody sees.
        let line =
            if at == 0 { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line) } else { &line };
        // What is not UTF-8 reaches the gate as what it is: unprintable, refused in words.
        let line = String::from_utf8_lossy(line);
        let Some(reply) = answers.answer(line.trim_end_matches('\r'))? else { continue };
        match form {
            Form::Json => writeln!(out, "{}", reply.json())?,
            Form::Text => write!(out, "{}", as_text(&reply, words))?,
        }
        out.flush()?;
        if let Some(error) = &reply.error {
            played.refused += 1;
            played.busy |= error.code == "busy";
            if on_refusal == OnRefusal::Stop {
                break;
            }
        }
    }
    Ok(played)
}

/// What a person reads: the refusal, or the paper, or the sums.
fn as_text(reply: &Reply, words: &Words) -> String {
    if let Some(error) = &reply.error {
        return format!("{}: {}\n", reply.command, error.message);
    }
    if !reply.document.is_empty() {
        return format!("{}\n", reply.document.trim_end());
    }
    let amount = |name: &str| {
        let value = reply.sale.as_ref().and_then(|sale| sale.get(name));
        value.and_then(serde_json::Value::as_i64).unwrap_or(0)
    };
    match (&reply.sale, reply.receipt.is_empty()) {
        (Some(_), false) => {
            words.fill(
                "run.closed",
                &[
                    ("receipt", &reply.receipt),
                    ("total", &amount("total")),
                    ("paid", &amount("paid")),
                    ("change", &amount("change")),
                ],
            ) + "\n"
        }
        (Some(_), true) => {
            words.fill(
                "run.open",
                &[
                    ("command", &reply.command),
                    ("total", &amount("total")),
                    ("due", &amount("due")),
                ],
            ) + "\n"
        }
        (None, _) => format!("{}\n", reply.command),
    }
}
