//! Verify, backup, restore, rebuild: what proves a shop's data and brings it back.
//!
//! Room: cli. May touch: standard streams, app.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::deeds::open_here;
use super::exit::Exit;
use super::said::{Said, say};
use crate::app::lane_config::LaneConfig;
use crate::app::opening::{self, Options};
use crate::app::upkeep;
use crate::domain::words::Words;
use crate::domain::z_seal::hex;
use crate::store::audit::{Audit, Disagreement, PaperVerdict, paper_head};
use crate::store::backup::Manifest;
use crate::store::fault::StoreError;
use crate::store::testimony::CopySays;
use crate::store::z_signing::Unsealed;

fn config(options: &Options, words: &Words) -> Result<LaneConfig, Said> {
    let fault = |fault| Said::opening(fault, &options.dir, words);
    let mut config = opening::read_config(&options.dir).map_err(fault)?;
    config.lane = options.lane.unwrap_or(config.lane);
    Ok(config)
}

fn must_exist(options: &Options, words: &Words) -> Result<(), Said> {
    if options.dir.join("journal").is_dir() {
        return Ok(());
    }
    Err(Said::opening(opening::OpenFault::NoShop, &options.dir, words))
}

/// A bar on the terminal's last line while a long fold runs; silent in a pipe.
fn bar(done: u64, all: u64) {
    if all > 0 && io::stderr().is_terminal() {
        let tenths = (done.saturating_mul(20) / all) as usize;
        eprint!("\r[{:<20}] {done}/{all}", "#".repeat(tenths.min(20)));
        let _ = io::stderr().flush(); // Only a bar.
    }
}

fn entries(manifest: &Manifest) -> u64 {
    manifest.heads.iter().map(|head| head.seq).sum()
}

pub fn verify(options: &Options, receipt: Option<&[String]>, words: &Words) -> Result<Exit, Said> {
    must_exist(options, words)?;
    if let Some([number, head]) = receipt {
        return verify_paper(options, number, head, words);
    }
    let proved = upkeep::verify(options, &config(options, words)?, &mut bar);
    let proved = proved.map_err(|error| Said::store(error, words))?;
    if proved.found.is_empty() {
        agreed(&proved, words);
        return Ok(Exit::Done);
    }
    for found in &proved.found {
        let what = told(found, words);
        println!("{}", words.fill("cli.verify_fault", &[("what", &what)]));
    }
    Ok(Exit::Damaged)
}

fn agreed(proved: &Audit, words: &Words) {
    let head = proved.heads.last().map(|(_, _, head)| paper_head(head)).unwrap_or_default();
    let parts: [(&str, &dyn Display); 2] = [("entries", &proved.entries), ("head", &head)];
    println!("{}", words.fill("cli.verified", &parts));
    for signed in &proved.signed {
        let key = hex(&signed.key);
        let parts: [(&str, &dyn Display); 3] =
            [("count", &signed.count), ("since", &signed.since), ("key", &key)];
        println!("{}", words.fill("cli.verify_signed", &parts));
    }
    if proved.copy_heard {
        println!("{}", words.get("cli.verify_copy_heard"));
    }
}

fn told(found: &Disagreement, words: &Words) -> String {
    let entry = |key, lane: &u8, seq: &u64| words.fill(key, &[("lane", lane), ("seq", seq)]);
    match found {
        Disagreement::Record { lane, damage } => {
            let parts: [(&str, &dyn Display); 3] =
                [("lane", lane), ("seq", &damage.seq), ("what", damage)];
            words.fill("cli.verify_entry", &parts)
        }
        Disagreement::Entry { lane, seq, what } => {
            words.fill("cli.verify_entry", &[("lane", lane), ("seq", seq), ("what", what)])
        }
        Disagreement::Seal { lane, seq, why: Unsealed::Missing } => {
            entry("cli.verify_seal_missing", lane, seq)
        }
        Disagreement::Seal { lane, seq, why: Unsealed::Broken } => {
            entry("cli.verify_seal_broken", lane, seq)
        }
        Disagreement::Key { lane, since } => {
            words.fill("cli.verify_key", &[("lane", lane), ("since", since)])
        }
        Disagreement::Copy { lane, says } => told_by_copy(lane, says, words),
        Disagreement::Table { name } => words.fill("cli.verify_table", &[("name", name)]),
    }
}

fn told_by_copy(lane: &u8, says: &CopySays, words: &Words) -> String {
    match says {
        CopySays::Other { seq } => {
            words.fill("cli.verify_copy_other", &[("lane", lane), ("seq", seq)])
        }
        CopySays::More { from, entries } => {
            let parts: [(&str, &dyn Display); 3] =
                [("lane", lane), ("seq", from), ("entries", entries)];
            words.fill("cli.verify_copy_more", &parts)
        }
        CopySays::Damaged(what) => {
            words.fill("cli.verify_copy_damaged", &[("lane", lane), ("what", what)])
        }
        CopySays::Away | CopySays::Agrees => String::new(), // Nothing disagrees.
    }
}

fn verify_paper(options: &Options, number: &str, head: &str, words: &Words) -> Result<Exit, Said> {
    let receipt =
        number.parse().map_err(|_| Said::usage(words.fill("cli.usage", &[("what", &number)])))?;
    let engine = open_here(options, words)?;
    let verdict = upkeep::verify_paper(&engine.shop, receipt, head);
    engine.shop.close();
    let differs = |found: &str| {
        let parts: [(&str, &dyn Display); 2] = [("receipt", &receipt), ("found", &found)];
        println!("{}", words.fill("cli.receipt_differs", &parts));
        Exit::Damaged
    };
    Ok(match verdict.map_err(|error| Said::store(error, words))? {
        PaperVerdict::Agrees => {
            println!("{}", words.fill("cli.receipt_agrees", &[("receipt", &receipt)]));
            Exit::Done
        }
        PaperVerdict::Unknown => differs("-"),
        PaperVerdict::Differs { head } => differs(&head),
    })
}

pub fn backup(options: &Options, file: &Path, words: &Words) -> Result<Exit, Said> {
    let mut engine = open_here(options, words)?;
    engine.settle();
    let written = upkeep::back_up(&engine.shop, file);
    engine.shop.close();
    let manifest = written.map_err(|error| Said::store(error, words))?;
    let parts: [(&str, &dyn Display); 2] =
        [("file", &file.display()), ("entries", &entries(&manifest))];
    println!("{}", words.fill("cli.backed_up", &parts));
    Ok(Exit::Done)
}

pub fn restore(options: &Options, file: &Path, words: &Words) -> Result<Exit, Said> {
    let config = config(options, words)?;
    let restored = upkeep::restore(options, &config, file, options.time.now(), &mut bar);
    let manifest = restored.map_err(|error| match error {
        StoreError::Backup(what) => {
            let text =
                words.fill("cli.backup_fault", &[("file", &file.display()), ("what", &what)]);
            Said { text, exit: Exit::Refused }
        }
        StoreError::File(error) => Said::file(file.display(), &error, words),
        error => Said::store(error, words),
    })?;
    let parts: [(&str, &dyn Display); 2] =
        [("file", &file.display()), ("entries", &entries(&manifest))];
    println!("{}", words.fill("cli.restored", &parts));
    Ok(Exit::Done)
}

pub fn rebuild(options: &Options, from_copy: bool, words: &Words) -> Result<Exit, Said> {
    must_exist(options, words)?;
    let config = config(options, words)?;
    if from_copy && config.copy.folder.is_empty() {
        return Err(Said::usage(words.get("cli.no_copy").to_owned()));
    }
    let entries = upkeep::rebuild(options, &config, from_copy, &mut bar)
        .map_err(|error| Said::store(error, words))?;
    if from_copy {
        say(words.get("cli.copy_restored"));
    }
    println!("{}", words.fill("cli.rebuilt", &[("entries", &entries)]));
    Ok(Exit::Done)
}
