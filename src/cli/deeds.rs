//! Commands that work on a shop without its screen: make it, play it, report, look at its devices.
//!
//! Room: cli. May touch: standard streams, app.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use super::arguments::{Dates, FormatWord};
use super::devices::tell_modes;
use super::exit::Exit;
use super::said::{Said, hand_out, say, tell};
use crate::app::answers;
use crate::app::aside::Task;
use crate::app::clock::uptime_ms;
use crate::app::control::Client;
use crate::app::demo;
use crate::app::engine::Engine;
use crate::app::opening::{self, Options};
use crate::app::reply::Reply;
use crate::app::reports::{self, Wanted};
use crate::app::run::{Answers, Form, OnRefusal, play};
use crate::app::spool::MOST_WAITING;
use crate::app::upkeep::StartCheck;
use crate::app::words::{Language, must_be_file};
use crate::domain::registration::CheckDiffers;
use crate::domain::settings::{Settings, SettingsChange};
use crate::domain::words::Words;
use crate::exchange::shop_file::read_shop;
use crate::store::fault::StoreError;

/// How long a printer may be silent before a run gives up waiting for its papers.
const PRINT_PATIENCE: Duration = Duration::from_secs(10);

/// Opens the lane, or reaches the register that holds it.
pub fn open_or_reach(options: &Options, words: &Words) -> Result<Here, Said> {
    match opening::open(options, || {}) {
        Ok(engine) => Ok(Here::Opened(Box::new(engine))),
        Err(opening::OpenFault::Store(StoreError::Busy { holder })) => {
            reach(options, holder, words).map(Here::Running)
        }
        Err(fault) => Err(Said::opening(fault, &options.dir, words)),
    }
}

/// Looks at the lane, or reaches the register that holds it. A lane that cannot be looked at is opened.
fn look_or_reach(options: &Options, words: &Words) -> Result<Here, Said> {
    match opening::look(options) {
        Ok(engine) => Ok(Here::Opened(Box::new(engine))),
        Err(_) => open_or_reach(options, words),
    }
}

/// Reaches the register that holds the shop.
pub fn reach(options: &Options, holder: Option<u32>, words: &Words) -> Result<Client, Said> {
    Client::connect(&options.dir).map_err(|_| Said::store(StoreError::Busy { holder }, words))
}

/// Gives the running register a piece of work and waits for its end.
pub fn through(client: &mut Client, task: Task, words: &Words) -> Result<Reply, Said> {
    let reply = client.give(task);
    let mut reply = reply.map_err(|error| Said::file("control.sock", &error, words))?;
    match reply.error.take() {
        Some(error) => Err(Said::reply(error)),
        None => Ok(reply),
    }
}

/// The language this program speaks here.
pub fn language_here(options: &Options, words: &Words) -> Result<Language, Said> {
    let config = opening::read_config(&options.dir);
    let config = config.map_err(|fault| Said::opening(fault, &options.dir, words))?;
    Ok(opening::language(options, &config))
}

/// Where a command is answered.
pub enum Here {
    Opened(Box<Engine>),
    Running(Client),
}

pub fn init(
    options: &Options,
    demo: bool,
    settings: Option<&Path>,
    words: &Words,
) -> Result<Exit, Said> {
    let fault = |fault| Said::opening(fault, &options.dir, words);
    let mut config = opening::read_config(&options.dir).map_err(fault)?;
    if let Some(lane) = options.lane {
        config.lane = lane;
    }
    if let Some(language) = options.language {
        config.language = language.word().to_owned();
    }
    let mut engine = if demo {
        demo::found(options, &config).map_err(fault)?
    } else {
        let change = match settings {
            Some(path) => read_settings(path, words)?,
            None => SettingsChange::default(),
        };
        warn_of_number(change.doubtful_number(), words);
        opening::found(options, &config, change, crate::app::books::ShopKind::Real)
            .map_err(fault)?
    };
    engine.settle();
    let name = engine.register.settings.shop.name.clone();
    engine.shop.close();
    say(&words.fill("cli.founded", &[("name", &name), ("dir", &options.dir.display())]));
    Ok(Exit::Done)
}

fn read_settings(path: &Path, words: &Words) -> Result<SettingsChange, Said> {
    let read = must_be_file(path).and_then(|()| std::fs::read_to_string(path));
    let text = read.map_err(|error| Said::file(path.display(), &error, words))?;
    read_shop(&text, &Settings::default()).map_err(|fault| {
        let line = usize::try_from(fault.row).unwrap_or(usize::MAX);
        Said::misread(path.display(), line, &fault.refusal, words)
    })
}

/// A registration number that no company can have is told, and taken: sole traders' may be so.
pub fn warn_of_number(doubt: Option<CheckDiffers>, words: &Words) {
    if let Some(CheckDiffers { given, expected }) = doubt {
        let args: [(&str, &dyn std::fmt::Display); 2] =
            [("given", &given), ("expected", &expected)];
        say(&words.fill("cli.doubtful_number", &args));
    }
}

/// A lane opened here, answering scripts.
struct Opened<'a>(&'a mut Engine);

impl Answers for Opened<'_> {
    fn answer(&mut self, line: &str) -> io::Result<Option<Reply>> {
        let engine = &mut *self.0;
        engine.stamp_spool();
        if let Some(jump) = engine.watch_clock(uptime_ms()) {
            say(&jump.told(&engine.words, engine.now()));
        }
        let Some(outcome) = engine.perform(line) else { return Ok(None) };
        let jobs = outcome.jobs.clone();
        let mut reply = answers::reply(engine, outcome);
        if engine.config.printer.address.starts_with("file:") {
            // A file is there in a moment; a printer that is away must not hold up a script.
            engine.spool.drain(PRINT_PATIENCE);
            reply.printed = jobs.iter().map(|job| format!("file:{job}.bin")).collect();
        } else {
            engine.spool.news();
            if engine.spool.waiting() * 2 > MOST_WAITING {
                engine.spool.drain(PRINT_PATIENCE);
            }
            reply.printed = jobs;
        }
        Ok(Some(reply))
    }
}

/// The register that runs on the shop, answering scripts as far as it may.
struct Reached(Client);

impl Answers for Reached {
    fn answer(&mut self, line: &str) -> io::Result<Option<Reply>> {
        let plain = line.trim();
        if plain.is_empty() || plain.starts_with('#') {
            return Ok(None);
        }
        self.0.ask(line).map(Some)
    }
}

pub fn run(
    options: &Options,
    file: &Path,
    json: bool,
    keep_going: bool,
    words: &Words,
) -> Result<Exit, Said> {
    let script: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let opened = File::open(file).map_err(|error| Said::file(file.display(), &error, words))?;
        Box::new(BufReader::new(opened))
    };
    let form = if json { Form::Json } else { Form::Text };
    let on_refusal = if keep_going { OnRefusal::KeepGoing } else { OnRefusal::Stop };
    let mut out = io::stdout().lock();
    let mut here = open_or_reach(options, words)?;
    let played = match &mut here {
        Here::Opened(engine) => {
            engine.check =
                Some(StartCheck::begin(&engine.shop, opening::copy_place(&engine.config), || {}));
            engine.shop.sync_cart();
            engine.resume_prints().map_err(|refusal| Said::refusal(&refusal, words))?;
            let played = play(script, &mut out, &mut Opened(engine), form, on_refusal, words);
            engine.spool.drain(PRINT_PATIENCE);
            engine.kitchen.drain(PRINT_PATIENCE);
            engine.stamp_spool();
            let backed_up = engine.end_backup(true).and_then(|()| engine.end_trial(true));
            if let Err(refusal) = backed_up {
                say(&words.refusal(&refusal));
            }
            engine.settle();
            engine.shop.close();
            played
        }
        Here::Running(_) => {
            let Here::Running(client) = here else { unreachable!("matched above") };
            play(script, &mut out, &mut Reached(client), form, on_refusal, words)
        }
    };
    let played = played.map_err(|error| Said::file(file.display(), &error, words))?;
    Ok(match played {
        played if played.busy => Exit::Busy,
        played if played.refused > 0 => Exit::Refused,
        _ => Exit::Done,
    })
}

/// Reads `--from`, `--to` and the report's own options.
pub fn report_options(
    dates: &Dates,
    given: &[String],
    words: &Words,
) -> Result<Vec<(String, String)>, Said> {
    let mut options = Vec::new();
    for (key, value) in [("from", &dates.from), ("to", &dates.to)] {
        if let Some(value) = value {
            options.push((key.to_owned(), value.clone()));
        }
    }
    for word in given {
        let pair = word.split_once('=');
        let (key, value) =
            pair.ok_or_else(|| Said::usage(words.fill("cli.usage", &[("what", word)])))?;
        options.push((key.to_owned(), value.to_owned()));
    }
    Ok(options)
}

pub fn report(
    options: &Options,
    name: &str,
    dates: &Dates,
    format: Option<FormatWord>,
    given: &[String],
    words: &Words,
) -> Result<Exit, Said> {
    let mut given = report_options(dates, given, words)?;
    if let Some(format) = format {
        given.push(("format".to_owned(), format.form().word().to_owned()));
    }
    let wanted = Wanted::read(name, &given).map_err(|refusal| Said::refusal(&refusal, words))?;
    let text = match look_or_reach(options, words)? {
        Here::Opened(engine) => {
            let written = reports::Source::alone(&engine).write(&wanted);
            engine.shop.close();
            written.map_err(|refusal| Said::refusal(&refusal, words))?.1
        }
        Here::Running(mut client) => {
            let line = given.iter().fold(format!("report {name}"), |line, (key, value)| {
                format!("{line} {}", crate::domain::command::quote(&format!("{key}={value}")))
            });
            let reply =
                client.ask(&line).map_err(|error| Said::file("control.sock", &error, words))?;
            match reply.error {
                Some(error) => return Err(Said::reply(error)),
                None => reply.document,
            }
        }
    };
    hand_out(text.as_bytes(), words)?;
    Ok(Exit::Done)
}

pub fn config_check(options: &Options, words: &Words) -> Result<Exit, Said> {
    let fault = |fault| Said::opening(fault, &options.dir, words);
    if !options.dir.exists() {
        return Err(fault(opening::OpenFault::NoShop));
    }
    let config = opening::read_config(&options.dir).map_err(fault)?;
    opening::fits(&options.dir, &config).map_err(fault)?;
    tell(words.get("cli.config_ok"));
    tell_modes(&config, &opening::profiles(&options.dir).map_err(fault)?, words);
    Ok(Exit::Done)
}
