//! `regi import` and `regi export`.
//!
//! Room: cli. May touch: standard streams, app.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::arguments::{Dates, EncodingWord, ExportWhat, ImportWhat};
use super::deeds::{Here, open_here, open_or_reach, through};
use super::exit::Exit;
use super::said::{Said, say};
use crate::app::aside::Task;
use crate::app::control::Client;
use crate::app::engine::Engine;
use crate::app::exports::{self, ExportError, FileOrder, Source, export as write_out};
use crate::app::imports::{self, Doing, ImportError, Mode, Order, What};
use crate::app::opening::Options;
use crate::app::reports::read_day;
use crate::domain::words::Words;
use crate::exchange::csv_out::{OutEncoding, Written};
use crate::exchange::fault::{Fault, Report};
use crate::exchange::mapping::Mapping;

/// Faults printed one by one; the rest are counted.
const FAULTS_SHOWN: usize = 20;

pub fn import(
    options: &Options,
    what: ImportWhat,
    file: &Path,
    apply: bool,
    from: &str,
    quiet: bool,
    words: &Words,
) -> Result<Exit, Said> {
    if from != "regi" {
        return Err(Said::usage(words.fill("cli.from_unknown", &[("what", &from)])));
    }
    let mode = if apply { Mode::Apply } else { Mode::DryRun };
    let mut engine = open_here(options, words)?;
    let mapping = Mapping::usual();
    let mut bar = Bar::new(quiet, words);
    let bring = |engine: &mut Engine, what, bar: &mut Bar<'_>| {
        let order = Order { what, path: file, mapping: &mapping, mode };
        imports::import(engine, order, &mut |doing, done, all| bar.show(doing, done, all)).map(Some)
    };
    let report = match what {
        ImportWhat::Shop => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Said::file(file.display(), &error, words))?;
            imports::import_shop(&mut engine, &text, mode).map(|()| None)
        }
        ImportWhat::Items => bring(&mut engine, What::Items, &mut bar),
        ImportWhat::Members => bring(&mut engine, What::Members, &mut bar),
        ImportWhat::Points => bring(&mut engine, What::Points, &mut bar),
        ImportWhat::Stock => bring(&mut engine, What::Stock, &mut bar),
    };
    bar.clear();
    engine.shop.close();
    match report.map_err(|error| import_error(error, file, words))? {
        None => {
            say(words.get(if apply { "import.settings_applied" } else { "import.settings_ok" }));
            Ok(Exit::Done)
        }
        Some(report) => Ok(tell(&report, mode, words)),
    }
}

/// Cells of a full bar.
const BAR: u64 = 40;

/// A bar on the terminal's last line while a file comes in; silent in a pipe.
struct Bar<'a> {
    words: Option<&'a Words>,
    shown: Option<(Doing, u64)>,
}

impl<'a> Bar<'a> {
    fn new(quiet: bool, words: &'a Words) -> Self {
        let seen = !quiet && io::stderr().is_terminal();
        Self { words: seen.then_some(words), shown: None }
    }

    /// Draws again when it would look otherwise.
    fn show(&mut self, doing: Doing, done: u64, all: u64) {
        let Some(words) = self.words else { return };
        let percent = (done.min(all) * 100).checked_div(all).unwrap_or(100);
        if self.shown.replace((doing, percent)) == Some((doing, percent)) {
            return;
        }
        let what = words.get(match doing {
            Doing::Reading => "import.reading",
            Doing::Writing => "import.writing",
            Doing::SortingIn => "import.sorting_in",
        });
        let full = (percent * BAR / 100) as usize;
        let bar = "#".repeat(full) + &"-".repeat(BAR as usize - full);
        eprint!("\r\x1b[K[{bar}] {percent:>3} % {what}");
        let _ = io::stderr().flush(); // Only a bar.
    }

    fn clear(&mut self) {
        if self.shown.take().is_some() {
            eprint!("\r\x1b[K");
        }
    }
}

fn import_error(error: ImportError, file: &Path, words: &Words) -> Said {
    match error {
        ImportError::File(error) => Said::file(file.display(), &error, words),
        ImportError::Fault(fault) => {
            Said { text: fault_line(&fault, "import.fault", words), exit: Exit::Refused }
        }
        ImportError::Refused(refusal) => Said::refusal(&refusal, words),
    }
}

fn fault_line(fault: &Fault, key: &str, words: &Words) -> String {
    let column = crate::domain::text::cleaned(&fault.column);
    let what = words.refusal(&fault.refusal);
    words.fill(key, &[("row", &fault.row), ("column", &column), ("what", &what)])
}

/// Says what an import found, worst first, and whether anything was brought in.
fn tell(report: &Report, mode: Mode, words: &Words) -> Exit {
    for fault in report.faults.iter().take(FAULTS_SHOWN) {
        say(&fault_line(fault, "import.fault", words));
    }
    let shown = report.faults.len().min(FAULTS_SHOWN) as u64;
    if report.fault_count > shown {
        say(&words.fill("import.more", &[("count", &(report.fault_count - shown))]));
    }
    for notice in report.notices.iter().take(FAULTS_SHOWN) {
        say(&fault_line(notice, "import.notice", words));
    }
    if !report.unknown_columns.is_empty() {
        let columns = report.unknown_columns.join(", ");
        say(&words.fill("import.unknown_columns", &[("columns", &columns)]));
    }
    if !report.is_clean() {
        say(&words.fill("import.not_applied", &[("faults", &report.fault_count)]));
        return Exit::Refused;
    }
    match mode {
        Mode::Apply => println!("{}", words.fill("import.applied", &[("good", &report.good)])),
        Mode::DryRun => {
            let counts: [(&str, &dyn std::fmt::Display); 2] =
                [("rows", &report.rows), ("good", &report.good)];
            println!("{}", words.fill("import.summary", &counts));
            println!("{}", words.get("import.dry"));
        }
    }
    Exit::Done
}

pub fn export(
    options: &Options,
    what: ExportWhat,
    dates: &Dates,
    encoding: EncodingWord,
    words: &Words,
) -> Result<Exit, Said> {
    let day = |text: &Option<String>, open: i32| match text {
        None => Ok(open),
        Some(text) => {
            read_day(text).ok_or_else(|| Said::usage(words.fill("cli.bad_date", &[("what", text)])))
        }
    };
    let between = (day(&dates.from, i32::MIN)?, day(&dates.to, i32::MAX - 1)?);
    let what = match what {
        ExportWhat::Shop => exports::What::Shop,
        ExportWhat::Items => exports::What::Items,
        ExportWhat::Members => exports::What::Members,
        ExportWhat::Sales => exports::What::Sales,
        ExportWhat::Lines => exports::What::Lines,
        ExportWhat::Journal => exports::What::Journal,
        ExportWhat::Points => exports::What::Points,
    };
    let encoding = match encoding {
        EncodingWord::Utf8 => OutEncoding::Utf8,
        EncodingWord::Cp932 => OutEncoding::Cp932,
    };
    let order = exports::Order { what, from: between.0, to: between.1, encoding };
    let written = match open_or_reach(options, words)? {
        Here::Opened(engine) => {
            let out = io::BufWriter::new(io::stdout().lock());
            let written = write_out(&Source::of(&engine), &order, out);
            engine.shop.close();
            written.map_err(|error| match error {
                ExportError::Write(error) => Said::file("-", &error, words),
                ExportError::Refused(refusal) => Said::refusal(&refusal, words),
            })?
        }
        Here::Running(client) => export_through(client, order, &options.dir, words)?,
    };
    if let Some(lost) = written.lost.first() {
        let sign = lost.sign.to_string();
        say(&words.fill(
            "cli.export_lost",
            &[("count", &written.lost_count), ("row", &lost.row), ("sign", &sign)],
        ));
    }
    Ok(Exit::Done)
}

/// Asks the running register, which writes into a file of ours. It lies in the shop's folder: a register
/// that is a service has a `/tmp` of its own.
fn export_through(
    mut client: Client,
    order: exports::Order,
    shop: &Path,
    words: &Words,
) -> Result<Written, Said> {
    let spoken = |error: io::Error| Said::file("temporary file", &error, words);
    let mut file = tempfile::NamedTempFile::new_in(shop).map_err(spoken)?;
    let asked = FileOrder { order, file: file.path().to_owned() };
    let reply = through(&mut client, Task::Export(asked), words)?;
    io::copy(&mut file, &mut io::stdout().lock())
        .map_err(|error| Said::file("-", &error, words))?;
    let written = reply.report.and_then(|report| serde_json::from_value(report).ok());
    Ok(written.unwrap_or_default())
}
