//! Any line: a command, nothing, or one sentence; and a text goes through quotes unharmed.

use regi::domain::command::{COMMANDS, Command, parse, quote};

use crate::says_so;

pub fn hold(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.split('\n').take(8) {
        match parse(line) {
            Ok(_) => {}
            Err(refusal) => says_so(&refusal),
        }
    }
    survives_quotes(&text);
    every_command_takes(&text);
}

/// A text in quotes is the same text on the other side, wherever the screens put it.
fn survives_quotes(text: &str) {
    if text.is_empty() || text.contains(['\n', '\r']) {
        return;
    }
    if let Ok(Some(Command::FindItem { text: read })) = parse(&format!("find_item {}", quote(text)))
    {
        assert_eq!(read, text);
    }
}

/// The same argument to every command there is.
fn every_command_takes(text: &str) {
    let word = quote(text);
    for spec in COMMANDS {
        for line in [format!("{} {word}", spec.name), format!("{} {text}", spec.name)] {
            if let Err(refusal) = parse(&line) {
                says_so(&refusal);
            }
        }
    }
}
