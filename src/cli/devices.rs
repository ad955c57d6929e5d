//! `regi devices`: what is connected, a test page, and what a scan says.
//!
//! Room: cli. May touch: standard streams, `shop.toml` (a learned scanner's rule), app.

use std::collections::BTreeSet;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, unbounded};
use serde_json::Value;

use super::deeds::{Here, open_or_reach, through};
use super::exit::Exit;
use super::said::{Said, say, tell};
use crate::app::answers;
use crate::app::aside::Task;
use crate::app::control::Client;
use crate::app::engine::Engine;
use crate::app::lane_config::LaneConfig;
use crate::app::opening::{self, Options, SHOP_TOML};
use crate::app::picture::test_words;
use crate::app::reply::Reply;
use crate::app::reports;
use crate::devices::profile::Profiles;
use crate::devices::scanner::{Identity, Learned, Places, ScannerMatch, learn, test_label};
use crate::domain::command::quote;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::text;
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
        Here::Running(client) => return devices_through(client, test_print, scan, words),
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
        scan_now(&mut engine, words)?;
    }
    engine.shop.close();
    Ok(exit)
}

/// Says which printers must be set to ESC/POS: before the page, which they would print as they please.
pub fn tell_modes(config: &LaneConfig, profiles: &Profiles, words: &Words) {
    let mut told = BTreeSet::new();
    for profile in config.printers().filter_map(|(_, name)| profiles.get(name)) {
        if profile.set_to_escpos && told.insert(&profile.label) {
            tell(words.fill("cli.set_to_escpos", &[("printer", &profile.label)]));
        }
    }
}

fn tell_device(words: &Words, [kind, address, model, state]: [&str; 4]) {
    tell(format_args!("{:<12} {address:<32} {model:<16} {}", words.get(kind), words.get(state)));
}

/// The devices of the running register, as it sees them.
fn devices_through(
    mut client: Client,
    test_print: bool,
    scan: bool,
    words: &Words,
) -> Result<Exit, Said> {
    let task = if test_print { Task::TestPrint } else { Task::Devices };
    let mut reply = through(&mut client, task, words)?;
    let begun = Instant::now();
    while waiting(&reply) > 0 && begun.elapsed() < PRINT_PATIENCE {
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
        explain_through(&mut client, words)?;
    }
    Ok(exit)
}

/// Papers that the running register has not printed yet.
fn waiting(reply: &Reply) -> u64 {
    reply.report.as_ref().and_then(|report| report["waiting"].as_u64()).unwrap_or(0)
}

/// Explains what is typed; scanners are the running register's own.
fn explain_through(client: &mut Client, words: &Words) -> Result<(), Said> {
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let reply = client.ask(&format!("inquire {}", quote(&line)));
        let reply = reply.map_err(|error| Said::file("control.sock", &error, words))?;
        if let Some(error) = reply.error {
            tell(error.message);
        }
        let parts = reply.explained.as_ref().and_then(Value::as_object).into_iter().flatten();
        for (name, value) in parts {
            tell(format_args!(
                "{}: {}",
                words.get(&format!("explain.{name}")),
                value.as_str().unwrap_or("")
            ));
        }
    }
    Ok(())
}

enum Heard {
    Line(String),
    Learned(Box<Learned>),
    End,
}

/// Explains what is scanned or typed, until the input ends, and learns the scanners that have no rule.
fn scan_now(engine: &mut Engine, words: &Words) -> Result<(), Said> {
    if io::stdin().is_terminal() {
        tell(words.get("cli.scan_now"));
    }
    let (tell, heard) = unbounded(); // Bounded by what a hand can scan before Ctrl-D.
    let learned = tell.clone();
    let places =
        Places { input: "/dev/input".into(), dev: "/dev".into(), taken: taken(&engine.config) };
    // Without a thread to listen, what is typed is explained all the same.
    let _ear = learn(places, move |device| drop(learned.send(Heard::Learned(Box::new(device)))));
    std::thread::spawn(move || read_lines(&tell));
    let mut last = String::new();
    for heard in heard {
        match heard {
            Heard::End => break,
            // A scanner that is nobody's own types into the terminal as well.
            Heard::Line(line) if line == last => last.clear(),
            Heard::Line(line) => explain(engine, &line, words),
            Heard::Learned(learned) => {
                let Learned { rule, identity, text } = *learned;
                explain(engine, &text, words);
                remember(engine, &rule, &identity, words)?;
                last = text;
            }
        }
        let _ = io::stdout().flush(); // Nobody reads any more: the next line ends the program.
    }
    Ok(())
}

fn read_lines(tell: &Sender<Heard>) {
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        if tell.send(Heard::Line(line)).is_err() {
            return;
        }
    }
    let _ = tell.send(Heard::End); // Nobody waits for it any more.
}

fn explain(engine: &Engine, line: &str, words: &Words) {
    if let Some(verdict) = test_label::judge(line) {
        return tell(text::cleaned(&test_words(&verdict, words)));
    }
    for (name, value) in answers::explained(engine, line) {
        tell(format_args!("{}: {value}", words.get(&format!("explain.{name}"))));
    }
}

/// Writes the rule of a scanner that has none.
fn remember(
    engine: &mut Engine,
    rule: &ScannerMatch,
    identity: &Identity,
    words: &Words,
) -> Result<(), Said> {
    let shown = rule.shown();
    if engine.config.scanner.iter().any(|known| is_same(known, rule, identity)) {
        say(&words.fill("cli.scanner_known", &[("rule", &shown)]));
        return Ok(());
    }
    let path = engine.dir.join(SHOP_TOML);
    let at_file = |error: &io::Error| Said::file(path.display(), error, words);
    let text = std::fs::read_to_string(&path).map_err(|error| at_file(&error))?;
    let text = LaneConfig::with_scanner(&text, rule)
        .map_err(|fault| Said::misread(SHOP_TOML, fault.line, &fault.what, words))?;
    replace(&path, &text).map_err(|error| at_file(&error))?;
    engine.config.scanner.push(rule.clone());
    say(&words.fill("cli.scanner_learned", &[("rule", &shown)]));
    Ok(())
}

/// Whether a rule of the shop is about the device just heard.
fn is_same(known: &ScannerMatch, heard: &ScannerMatch, identity: &Identity) -> bool {
    let stands = |rule: &ScannerMatch| Path::new(rule.serial.as_ref()?).canonicalize().ok();
    match (&known.serial, &heard.serial) {
        (Some(_), Some(_)) => stands(known) == stands(heard),
        (None, None) => known.fits(identity),
        _ => false,
    }
}

/// A file that is half written would keep the register from opening.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("toml.new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(beside, path)
}

/// Serial lines that have another use.
fn taken(config: &LaneConfig) -> Vec<PathBuf> {
    use crate::devices::printer::Address;
    let second = config.printer.fallback.as_ref().map(|second| &second.address);
    let kitchens = config.kitchen.iter().map(|kitchen| &kitchen.address);
    let label = config.label.as_ref().map(|label| &label.address);
    let addresses = [&config.printer.address, &config.display.address];
    let addresses = addresses.into_iter().chain(second).chain(kitchens).chain(label);
    let scale = config.scale.as_ref().map(|scale| PathBuf::from(&scale.serial));
    let lines = addresses.filter_map(|address| match address.parse() {
        Ok(Address::Serial(line)) => Some(line.path),
        _ => None,
    });
    lines.chain(scale).collect()
}
