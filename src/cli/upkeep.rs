//! Verify, backup, restore, rebuild: what proves a shop's data and brings it back.
//!
//! Room: cli. May touch: standard streams, app.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::deeds::{Here, language_here, open_or_reach, reach, through};
use super::exit::Exit;
use super::said::{Said, say, tell};
use crate::app::aside::Task;
use crate::app::control::Client;
use crate::app::lane_config::LaneConfig;
use crate::app::opening::{self, Options};
use crate::app::proof_words::proof_lines;
use crate::app::upkeep;
use crate::domain::misread::misread;
use crate::domain::number::DocNo;
use crate::domain::words::Words;
use crate::store::audit::PaperVerdict;
use crate::store::backup::Manifest;
use crate::store::fault::StoreError;
use crate::store::repair::{Missing, Source};
use crate::store::restore::OverNewer;

fn config(options: &Options, words: &Words) -> Result<LaneConfig, Said> {
    let fault = |fault| Said::opening(fault, &options.dir, words);
    let mut config = opening::read_config(&options.dir).map_err(fault)?;
    config.lane = options.lane.unwrap_or(config.lane);
    Ok(config)
}

fn must_exist(options: &Options, words: &Words) -> Result<(), Said> {
    let lane = config(options, words)?.lane;
    opening::is_here(&options.dir, lane).map_err(|fault| Said::opening(fault, &options.dir, words))
}

/// Which second copy a shop is made of.
pub enum CopyOf {
    Settings,
    Folder(String),
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
    let proved = match upkeep::verify(options, &config(options, words)?, &mut bar) {
        Err(StoreError::Busy { holder }) => {
            let client = reach(options, holder, words)?;
            return verify_through(client, options, words);
        }
        proved => proved.map_err(|error| Said::store(error, words))?,
    };
    for line in proof_lines(&proved, words) {
        tell(line);
    }
    Ok(if proved.found.is_empty() { Exit::Done } else { Exit::Damaged })
}

/// Asks the running register, which proves its data beside the counter.
fn verify_through(mut client: Client, options: &Options, words: &Words) -> Result<Exit, Said> {
    let language = language_here(options, words)?.word().to_owned();
    let reply = through(&mut client, Task::Verify { language }, words);
    match reply {
        // What does not agree is the answer, and no complaint.
        Err(said) if said.exit == Exit::Damaged => tell(said.text),
        Err(said) => return Err(said),
        Ok(reply) => {
            tell(reply.document);
            return Ok(Exit::Done);
        }
    }
    Ok(Exit::Damaged)
}

fn verify_paper(options: &Options, number: &str, head: &str, words: &Words) -> Result<Exit, Said> {
    let receipt: DocNo =
        number.parse().map_err(|_| Said::usage(words.fill("cli.usage", &[("what", &number)])))?;
    let verdict = match open_or_reach(options, words)? {
        Here::Opened(engine) => {
            let verdict = upkeep::verify_paper(&engine.shop, receipt, head);
            engine.shop.close();
            verdict.map_err(|error| Said::store(error, words))?
        }
        Here::Running(mut client) => {
            let task = Task::Paper { number: receipt.to_string(), head: head.to_owned() };
            let verdict = through(&mut client, task, words)?.report;
            let verdict = verdict.and_then(|verdict| serde_json::from_value(verdict).ok());
            verdict.unwrap_or(PaperVerdict::Unknown)
        }
    };
    let differs = |found: &str| {
        let parts: [(&str, &dyn Display); 2] = [("receipt", &receipt), ("found", &found)];
        tell(words.fill("cli.receipt_differs", &parts));
        Exit::Damaged
    };
    Ok(match verdict {
        PaperVerdict::Agrees => {
            tell(words.fill("cli.receipt_agrees", &[("receipt", &receipt)]));
            Exit::Done
        }
        PaperVerdict::Unknown => {
            tell(words.fill("cli.receipt_unknown", &[("receipt", &receipt)]));
            Exit::Damaged
        }
        PaperVerdict::Differs { head } => differs(&head),
    })
}

pub fn backup(options: &Options, file: &Path, words: &Words) -> Result<Exit, Said> {
    let entries = match open_or_reach(options, words)? {
        Here::Opened(mut engine) => {
            engine.settle();
            let written = upkeep::back_up(&engine.shop, file);
            engine.shop.close();
            entries(&written.map_err(|error| match error {
                StoreError::File(error) => Said::file(file.display(), &error, words),
                error => Said::store(error, words),
            })?)
        }
        Here::Running(mut client) => {
            let at_file = |error| Said::file(file.display(), &error, words);
            // The register has another working folder than this program.
            let task = Task::Backup { file: std::path::absolute(file).map_err(at_file)? };
            let report = through(&mut client, task, words)?.report.unwrap_or_default();
            report["entries"].as_u64().unwrap_or_default()
        }
    };
    let parts: [(&str, &dyn Display); 2] = [("file", &file.display()), ("entries", &entries)];
    tell(words.fill("cli.backed_up", &parts));
    Ok(Exit::Done)
}

/// Brings a backup back. Where a shop is already, `yes` must say that it may be replaced.
pub fn restore(options: &Options, file: &Path, yes: bool, words: &Words) -> Result<Exit, Said> {
    let config = config(options, words)?;
    let (now, newer) = (options.time.now(), OverNewer::Refuse);
    let fault = |error| match error {
        StoreError::Backup(what) => {
            let said = misread("cli.backup_fault").with("file", file.display()).with("what", what);
            Said { text: words.refusal(&said), exit: Exit::Refused }
        }
        StoreError::File(error) => Said::file(file.display(), &error, words),
        error => Said::store(error, words),
    };
    if !yes && opening::is_here(&options.dir, config.lane).is_ok() {
        let found = upkeep::look_before_restoring(options, &config, file).map_err(fault)?;
        let dir = options.dir.display();
        let parts: [(&str, &dyn Display); 2] = [("dir", &dir), ("entries", &entries(&found))];
        return Err(Said { text: words.fill("cli.restore_over", &parts), exit: Exit::Refused });
    }
    let restored = upkeep::restore(options, &config, file, now, newer, &mut bar);
    let manifest = restored.map_err(fault)?;
    let parts: [(&str, &dyn Display); 2] =
        [("file", &file.display()), ("entries", &entries(&manifest))];
    tell(words.fill("cli.restored", &parts));
    Ok(Exit::Done)
}

/// Makes a shop anew from its journal, or first the journal and the keys from their second copy: that of
/// the settings, or the one in a folder, on a new disk.
pub fn rebuild(options: &Options, copy: Option<CopyOf>, words: &Words) -> Result<Exit, Said> {
    let mut config = config(options, words)?;
    match &copy {
        None => must_exist(options, words)?,
        Some(CopyOf::Settings) if config.copy.folder.is_empty() => {
            return Err(Said::usage(words.get("cli.no_copy").to_owned()));
        }
        Some(CopyOf::Settings) => {}
        Some(CopyOf::Folder(folder)) => config.copy.folder.clone_from(folder),
    }
    let from_copy = copy.is_some();
    let source = if from_copy { Source::Copy } else { Source::Journal };
    let rebuilt = upkeep::rebuild(options, &config, source, &mut bar)
        .map_err(|error| Said::store(error, words))?;
    if from_copy {
        say(words.get("cli.copy_restored"));
    }
    if let Some(Missing { first, last }) = rebuilt.missing {
        say(&words.fill("cli.missing_given_up", &[("first", &first), ("last", &last)]));
    }
    tell(words.fill("cli.rebuilt", &[("entries", &rebuilt.entries)]));
    Ok(Exit::Done)
}
