//! The command line: arguments in, one exit code out.
//!
//! Room: cli. May touch: the terminal's streams, every room. May not: decide anything about selling.

mod arguments;
mod deeds;
mod devices;
mod display;
mod exit;
mod labels;
mod register;
mod said;
mod scan;
mod transfer;
mod upkeep;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arguments::{Arguments, Common, ConfigWhat, Deed};
use exit::Exit;
use said::{Said, hand_out, say};
use upkeep::CopyOf;

use crate::app::clock::{Chance, Time};
use crate::app::opening::{self, Options};
use crate::app::words::Language;
use crate::devices::printer::dialogue::Patience;
use crate::domain::text;
use crate::domain::words::Words;

/// Runs regi with the arguments of the process.
pub fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().collect();
    let words = language_of(&given).words();
    let exit = match arguments::read(&words, given) {
        Ok(arguments) => run(arguments, &words),
        Err(error) => not_understood(&error, &words),
    };
    exit.into()
}

/// The language before anything is read: `--lang`, else the shop's own, else the environment's.
fn language_of(given: &[OsString]) -> Language {
    let after = |option: &str| {
        let place = given.iter().position(|word| word == option)?;
        given.get(place + 1)?.to_str()
    };
    let joined = |option: &str| {
        given.iter().find_map(|word| word.to_str()?.strip_prefix(option)?.strip_prefix('='))
    };
    let asked = after("--lang").or_else(|| joined("--lang"));
    if let Some(language) = asked.and_then(Language::from_word) {
        return language;
    }
    let dir = after("--shop").or_else(|| joined("--shop")).map(PathBuf::from);
    let dir = dir.or_else(default_shop).unwrap_or_default();
    if dir.join("shop.toml").exists()
        && let Ok(config) = opening::read_config(&dir)
    {
        return Language::from_word(&config.language).unwrap_or_default();
    }
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(std::env::var_os);
    match locale.and_then(|locale| locale.into_string().ok()) {
        Some(locale) if locale.starts_with("en") => Language::English,
        _ => Language::Japanese,
    }
}

/// Help and version are answers; anything else is a sentence and exit code 2.
fn not_understood(error: &clap::Error, words: &Words) -> Exit {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print(); // Nobody reads on.
            Exit::Done
        }
        _ => {
            say(&usage(error, words));
            Exit::Usage
        }
    }
}

/// What is wrong with a command line; of a word that is one of a few, which they are.
fn usage(error: &clap::Error, words: &Words) -> String {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let of = |kind| error.get(kind).map(ToString::to_string);
    if let (Some(value), Some(ContextValue::Strings(known))) =
        (of(ContextKind::InvalidValue), error.get(ContextKind::ValidValue))
        && !known.is_empty()
    {
        let value = if value.is_empty() { of(ContextKind::InvalidArg) } else { Some(value) };
        let value = text::cleaned(&value.unwrap_or_default());
        let known = known.join(" ");
        return words.fill("file.unknown_word", &[("value", &value), ("words", &known)]);
    }
    let context = [
        ContextKind::InvalidArg,
        ContextKind::PriorArg,
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidValue,
    ];
    let named: Vec<String> = context.into_iter().filter_map(of).collect();
    let sentence = match error.kind() {
        ErrorKind::MissingRequiredArgument => "cli.usage_missing",
        _ => "cli.usage",
    };
    words.fill(sentence, &[("what", &text::cleaned(&named.join(" ")))])
}

/// `$XDG_DATA_HOME/regi`
fn default_shop() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    etcetera::choose_base_strategy().ok().map(|base| base.data_dir().join("regi"))
}

/// How the shop is opened, from the options every command takes.
fn options(common: &Common, words: &Words) -> Result<Options, Said> {
    let time = match &common.at {
        None => Time::System,
        Some(at) => Time::given(at)
            .ok_or_else(|| Said::usage(words.fill("cli.bad_time", &[("what", at)])))?,
    };
    let language = match &common.lang {
        None => None,
        Some(word) => Some(
            Language::from_word(word)
                .ok_or_else(|| Said::usage(words.fill("cli.usage", &[("what", word)])))?,
        ),
    };
    let dir = common.shop.clone().or_else(default_shop);
    Ok(Options {
        dir: dir.unwrap_or_else(|| Path::new(".").to_owned()),
        lane: common.lane,
        language,
        time,
        chance: common.seed.map_or(Chance::Kernel, Chance::Seeded),
        printer: None,
        patience: Patience::default(),
    })
}

fn run(arguments: Arguments, words: &Words) -> Exit {
    let done = options(&arguments.common, words)
        .and_then(|options| perform(arguments.deed, &arguments.common, &options, words));
    match done {
        Ok(exit) => exit,
        Err(said) => {
            say(&said.text);
            said.exit
        }
    }
}

fn perform(
    deed: Option<Deed>,
    common: &Common,
    options: &Options,
    words: &Words,
) -> Result<Exit, Said> {
    match deed {
        None => register::open(options, words),
        Some(Deed::Demo) => register::demo(options, words),
        Some(Deed::Init { demo, settings }) => {
            deeds::init(options, demo, settings.as_deref(), words)
        }
        Some(Deed::Run { json, keep_going, file }) => {
            deeds::run(options, &file, json, keep_going, words)
        }
        Some(Deed::Report { name, dates, format, options: given }) => {
            deeds::report(options, &name, &dates, format, &given, words)
        }
        Some(Deed::Import { what, file, apply, from }) => {
            transfer::import(options, what, &file, apply, &from, common.quiet, words)
        }
        Some(Deed::Export { what, dates, encoding }) => {
            transfer::export(options, what, &dates, encoding, words)
        }
        Some(Deed::Verify { receipt }) => upkeep::verify(options, receipt.as_deref(), words),
        Some(Deed::Backup { file }) => upkeep::backup(options, &file, words),
        Some(Deed::Restore { file, yes }) => upkeep::restore(options, &file, yes, words),
        Some(Deed::Rebuild { from_copy }) => {
            let of = |folder: Option<_>| folder.map_or(CopyOf::Settings, CopyOf::Folder);
            upkeep::rebuild(options, from_copy.map(of), words)
        }
        Some(Deed::Devices { test_print, scan }) => {
            devices::devices(options, test_print, scan, words)
        }
        Some(Deed::Display) => display::display(options, words),
        Some(Deed::Labels { what, codes, department, price, grams, copies }) => {
            let given = labels::Given { what, codes, department, price, grams, copies };
            labels::labels(options, given, words)
        }
        Some(Deed::Config { what: ConfigWhat::Check }) => deeds::config_check(options, words),
        Some(Deed::Completions { shell }) => {
            let mut page = Vec::new();
            clap_complete::generate(shell, &mut arguments::command(words), "regi", &mut page);
            hand_out(&page, words)?;
            Ok(Exit::Done)
        }
        Some(Deed::Man) => {
            let mut pages = Vec::new();
            arguments::manual(words, &mut pages).map_err(|error| Said::output(&error, words))?;
            hand_out(&pages, words)?;
            Ok(Exit::Done)
        }
    }
}
