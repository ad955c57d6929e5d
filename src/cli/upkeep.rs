//! Verify, backup, restore, rebuild: what proves a shop's data and brings it back.
//!
//! Room: cli. May touch: standard streams, app.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::deeds::open_here;
use super::exit::Exit;
use super::said::{Said, say};
use crate::app::lane_config::LaneConfig;
use crate::app::opening::{self, Options};
use crate::app::upkeep;
use crate::domain::words::Words;
use crate::store::audit::{Disagreement, PaperVerdict};
use crate::store::backup::Manifest;
use crate::store::fault::StoreError;

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
    match &proved.disagreement {
        None => {
            let head = proved.heads.last().map(|(_, _, head)| head.hash.to_string());
            let head: String = head.unwrap_or_default().chars().take(16).collect();
            println!(
                "{}",
                words.fill("cli.verified", &[("entries", &proved.entries), ("head", &head)])
            );
            Ok(Exit::Done)
        }
        Some(found) => {
            let what = told(found, words);
            println!("{}", words.fill("cli.verify_fault", &[("what", &what)]));
            Ok(Exit::Damaged)
        }
    }
}

fn told(found: &Disagreement, words: &Words) -> String {
    match found {
        Disagreement::Record { lane, seq, what } | Disagreement::Entry { lane, seq, what } => {
            words.fill("cli.verify_entry", &[("lane", lane), ("seq", seq), ("what", what)])
        }
        Disagreement::Table { name } => words.fill("cli.verify_table", &[("name", name)]),
    }
}

fn verify_paper(options: &Options, number: &str, head: &str, words: &Words) -> Result<Exit, Said> {
    let receipt =
        number.parse().map_err(|_| Said::usage(words.fill("cli.usage", &[("what", &number)])))?;
    let engine = open_here(options, words)?;
    let verdict = upkeep::verify_paper(&engine.shop, receipt, head);
    engine.shop.close();
    let differs = |found: &str| {
        let parts: [(&str, &dyn std::fmt::Display); 2] = [("receipt", &receipt), ("found", &found)];
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
    let parts: [(&str, &dyn std::fmt::Display); 2] =
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
    let parts: [(&str, &dyn std::fmt::Display); 2] =
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
