//! `regi import` and `regi export`.
//!
//! Room: cli. May touch: standard streams, app.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use tempfile::NamedTempFile;

use super::arguments::{Dates, EncodingWord, ExportWhat, ImportWhat};
use super::deeds::{Here, language_here, open_or_reach, through, warn_of_number};
use super::exit::Exit;
use super::said::{Said, enough, say, tell};
use crate::app::aside::{HowFar, Task};
use crate::app::control::Client;
use crate::app::exports::{self, ExportError, FileOrder, Source, export as write_out};
use crate::app::import_words::{Told, fault_line, told, words_for};
use crate::app::imports::{self, Desk, Doing, ImportError, Mode, Order, Room, What};
use crate::app::opening::Options;
use crate::app::reports::read_day;
use crate::app::words::must_be_file;
use crate::domain::words::Words;
use crate::exchange::csv_out::{Lost, OutEncoding, Written};
use crate::exchange::mapping::Mapping;
use crate::exchange::shop_file::doubtful_number;

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
    let what = match what {
        ImportWhat::Shop => return import_settings(options, file, mode, words),
        ImportWhat::Items => What::Items,
        ImportWhat::Members => What::Members,
        ImportWhat::Points => What::Points,
        ImportWhat::Stock => What::Stock,
    };
    let told = match open_or_reach(options, words)? {
        Here::Opened(mut engine) => {
            let words = &words_for(what, words);
            let mapping = Mapping::usual();
            let mut bar = Bar::new(quiet, words);
            let order = Order { what, path: file, mapping: &mapping, mode };
            let desk = Desk::of(&mut engine, Room::All);
            let report =
                imports::import(&desk, order, &mut |doing, done, all| bar.show(doing, done, all));
            bar.clear();
            engine.shop.close();
            let report = report.map_err(|error| import_error(error, file, words))?;
            told(&report, mode, words)
        }
        Here::Running(client) => {
            let bar = Bar::new(quiet, words);
            import_through(client, (what, mode), file, options, bar, words)?
        }
    };
    told.said.iter().for_each(|line| say(line));
    told.out.iter().for_each(tell);
    Ok(if told.clean { Exit::Done } else { Exit::Refused })
}

/// Settings change what the counter goes by: beside a register they come in between two sales.
fn import_settings(
    options: &Options,
    file: &Path,
    mode: Mode,
    words: &Words,
) -> Result<Exit, Said> {
    let read = must_be_file(file).and_then(|()| std::fs::read_to_string(file));
    let text = read.map_err(|error| Said::file(file.display(), &error, words))?;
    match open_or_reach(options, words)? {
        Here::Opened(mut engine) => {
            let done = imports::import_shop(&mut engine, &text, mode);
            engine.shop.close();
            done.map_err(|error| import_error(error, file, words))?;
        }
        Here::Running(mut client) => {
            let (copy, language) = lent(file, options, words)?;
            let file = copy.path().to_owned();
            through(&mut client, Task::Settings { mode, file, language }, words)?;
        }
    }
    warn_of_number(doubtful_number(&text), words);
    let applied = mode == Mode::Apply;
    say(words.get(if applied { "import.settings_applied" } else { "import.settings_ok" }));
    Ok(Exit::Done)
}

/// Asks the running register, and shows meanwhile how far it is.
fn import_through(
    mut client: Client,
    (what, mode): (What, Mode),
    file: &Path,
    options: &Options,
    mut bar: Bar<'_>,
    words: &Words,
) -> Result<Told, Said> {
    let (copy, language) = lent(file, options, words)?;
    let file = copy.path().to_owned();
    let (end, ended) = bounded::<()>(0);
    let reply = std::thread::scope(|scope| {
        if bar.words.is_some() {
            scope.spawn(move || {
                watch_beside(&options.dir, &ended, &mut bar);
                bar.clear();
            });
        }
        let reply = through(&mut client, Task::Import { what, mode, file, language }, words);
        drop(end);
        reply
    })?;
    let told = reply.report.and_then(|report| serde_json::from_value(report).ok());
    Ok(told.unwrap_or_default())
}

/// Between two looks at how far a register is.
const LOOK: Duration = Duration::from_millis(200);

/// Draws how far a register's import is, until it has ended.
fn watch_beside(shop: &Path, ended: &Receiver<()>, bar: &mut Bar<'_>) {
    let Ok(mut client) = Client::connect(shop) else { return };
    while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        let Ok(reply) = client.give(Task::HowFar) else { return };
        let how_far = reply.report.and_then(|report| serde_json::from_value(report).ok());
        if let Some(HowFar { doing, done, all }) = how_far {
            bar.show(doing, done, all);
        }
    }
}

/// What a running register reads, a copy in the shop's folder (as a service it may not read ours), and the
/// language it is to answer in.
fn lent(file: &Path, options: &Options, words: &Words) -> Result<(NamedTempFile, String), Said> {
    let spoken = |error: io::Error| Said::file(file.display(), &error, words);
    must_be_file(file).map_err(spoken)?;
    let mut ours = std::fs::File::open(file).map_err(spoken)?;
    let mut copy = NamedTempFile::new_in(&options.dir).map_err(spoken)?;
    io::copy(&mut ours, &mut copy).map_err(spoken)?;
    Ok((copy, language_here(options, words)?.word().to_owned()))
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

pub fn export(
    options: &Options,
    what: ExportWhat,
    dates: &Dates,
    encoding: Option<EncodingWord>,
    words: &Words,
) -> Result<Exit, Said> {
    let day = |text: &Option<String>, open: i32| match text {
        None => Ok(open),
        Some(text) => {
            read_day(text).ok_or_else(|| Said::usage(words.fill("cli.bad_date", &[("what", text)])))
        }
    };
    let between = (day(&dates.from, i32::MIN)?, day(&dates.to, i32::MAX - 1)?);
    if between.0 > between.1 {
        return Err(Said::usage(words.get("dates_reversed").to_owned()));
    }
    let what = match what {
        ExportWhat::Shop => exports::What::Shop,
        ExportWhat::Items => exports::What::Items,
        ExportWhat::Members => exports::What::Members,
        ExportWhat::Sales => exports::What::Sales,
        ExportWhat::Lines => exports::What::Lines,
        ExportWhat::Journal => exports::What::Journal,
        ExportWhat::Points => exports::What::Points,
        ExportWhat::Yayoi => exports::What::Yayoi,
        ExportWhat::Freee => exports::What::Freee,
        ExportWhat::Moneyforward => exports::What::MoneyForward,
    };
    let encoding = match encoding {
        None => what.usual_encoding(),
        Some(EncodingWord::Utf8) => OutEncoding::Utf8,
        Some(EncodingWord::Cp932) => OutEncoding::Cp932,
    };
    let order = exports::Order { what, from: between.0, to: between.1, encoding };
    let written = match open_or_reach(options, words)? {
        Here::Opened(engine) => {
            let out = io::BufWriter::new(io::stdout().lock());
            let written = match write_out(&Source::of(&engine), &order, out) {
                Ok(written) => Ok(written),
                Err(ExportError::Write(error)) => {
                    enough(Err(error)).map_err(|error| Said::output(&error, words))
                }
                Err(ExportError::Refused(refusal)) => Err(Said::refusal(&refusal, words)),
            };
            engine.shop.close();
            written?
        }
        Here::Running(client) => export_through(client, order, &options.dir, words)?,
    };
    if !written.lost.is_empty() {
        let places = lost_places(&written, words);
        say(&words.fill("cli.export_lost", &[("count", &written.lost_count), ("places", &places)]));
    }
    Ok(Exit::Done)
}

/// Where signs were lost: each place, as far as they were kept.
fn lost_places(written: &Written, words: &Words) -> String {
    let place = |lost: &Lost| {
        let parts: [(&str, &dyn Display); 2] = [("row", &lost.row), ("sign", &lost.sign)];
        words.fill("cli.export_lost_place", &parts)
    };
    let mut places: Vec<_> = written.lost.iter().map(place).collect();
    if written.lost_count > places.len() as u64 {
        places.push("…".to_owned());
    }
    places.join(", ")
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
    let mut file = NamedTempFile::new_in(shop).map_err(spoken)?;
    let asked = FileOrder { order, file: file.path().to_owned() };
    let reply = through(&mut client, Task::Export(asked), words)?;
    let copied = io::copy(&mut file, &mut io::stdout().lock());
    enough(copied).map_err(|error| Said::output(&error, words))?;
    let written = reply.report.and_then(|report| serde_json::from_value(report).ok());
    Ok(written.unwrap_or_default())
}
