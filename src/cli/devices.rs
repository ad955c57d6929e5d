//! `regi devices`: what is connected, a test page, and what a scan says.
//!
//! Room: cli. May touch: standard streams, app.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::deeds::{Here, language_here, open_or_reach, through};
use super::exit::Exit;
use super::said::{Said, say, tell};
use super::scan::{Desk, scan_now};
use crate::app::answers;
use crate::app::aside::Task;
use crate::app::control::Client;
use crate::app::lane_config::LaneConfig;
use crate::app::opening::{self, Options};
use crate::app::reply::Reply;
use crate::app::reports;
use crate::devices::profile::Profiles;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::words::Words;

/// How long a printer may be silent before its test page is given up.
const PRINT_PATIENCE: Duration = Duration::from_secs(10);

pub fn devices(
    options: &Options,
    test_print: bool,
    scan: bool,
    words: &Words,
) -> Result<Exit, Said> {
    if test_print {
        let fault = |fault| Said::opening(fault, &options.dir, words);
        let config = opening::read_config(&options.dir).map_err(fault)?;
        tell_modes(&config, &opening::profiles(&options.dir).map_err(fault)?, words);
    }
    let mut engine = match open_or_reach(options, words)? {
        Here::Opened(engine) => engine,
        Here::Running(client) => return devices_through(options, client, test_print, scan, words),
    };
    for row in &answers::device_rows(&engine) {
        tell_device(words, [row.kind, &row.address, &row.model, row.state]);
    }
    let mut exit = Exit::Done;
    if test_print {
        let page = reports::test_page(words, engine.spool.profile());
        engine.spool.print_loose("test", &page);
        engine.spool.drain(PRINT_PATIENCE);
        if engine.spool.waiting() > 0 || engine.spool.trouble().is_some() {
            say(&words.refusal(&Refusal::new(RefusalCode::Device)));
            exit = Exit::Device;
        }
    }
    if scan {
        scan_now(Desk::Own(&mut engine), &options.dir, words)?;
    }
    engine.shop.close();
    Ok(exit)
}

/// Says which printers must be set to the language that regi speaks with them: before the page, which they would
/// print as they please.
pub fn tell_modes(config: &LaneConfig, profiles: &Profiles, words: &Words) {
    let mut told = BTreeSet::new();
    for profile in config.printers().filter_map(|(_, name)| profiles.get(name)) {
        let sentence = match (profile.set_to_escpos, profile.set_to_star) {
            (true, _) => "cli.set_to_escpos",
            (_, true) => "cli.set_to_star",
            (false, false) => continue,
        };
        if told.insert(&profile.label) {
            tell(words.fill(sentence, &[("printer", &profile.label)]));
        }
    }
}

fn tell_device(words: &Words, [kind, address, model, state]: [&str; 4]) {
    tell(format_args!("{:<12} {address:<32} {model:<16} {}", words.get(kind), words.get(state)));
}

/// The devices of the running register, as it sees them.
fn devices_through(
    options: &Options,
    mut client: Client,
    test_print: bool,
    scan: bool,
    words: &Words,
) -> Result<Exit, Said> {
    let task = if test_print { Task::TestPrint } else { Task::Devices };
    let mut reply = through(&mut client, task, words)?;
    let begun = Instant::now();
    while test_print && waiting(&reply) > 0 && begun.elapsed() < PRINT_PATIENCE {
        std::thread::sleep(Duration::from_millis(200));
        reply = through(&mut client, Task::Devices, words)?;
    }
    let rows = reply.rows.as_ref().and_then(Value::as_array).into_iter().flatten();
    let mut exit = Exit::Done;
    for row in rows {
        tell_device(
            words,
            ["kind", "address", "model", "state"].map(|part| row[part].as_str().unwrap_or("")),
        );
        if test_print && row["alert"] == true && row["kind"] == "device.printer" {
            exit = Exit::Device;
        }
    }
    if exit == Exit::Device || (test_print && waiting(&reply) > 0) {
        say(&words.refusal(&Refusal::new(RefusalCode::Device)));
        exit = Exit::Device;
    }
    if scan {
        let config = opening::read_config(&options.dir);
        let config = config.map_err(|fault| Said::opening(fault, &options.dir, words))?;
        let config = Box::new(config);
        let language = language_here(options, words)?;
        let shop = options.dir.clone();
        scan_now(Desk::Running { shop, config, language }, &options.dir, words)?;
    }
    Ok(exit)
}

/// Papers that the running register has not printed yet.
fn waiting(reply: &Reply) -> u64 {
    reply.report.as_ref().and_then(|report| report["waiting"].as_u64()).unwrap_or(0)
}
