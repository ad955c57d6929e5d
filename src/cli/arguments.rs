//! The command line's shape (`DESIGN.md` 6).
//!
//! Room: cli. May touch: clap, the writer it is handed. The help texts come from the language files,
//! by `cli.NAME` keys.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::domain::words::Words;
use crate::reports::page::Form;

#[derive(Debug, Parser)]
#[command(name = "regi", version, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub deed: Option<Deed>,
}

/// Options every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    #[arg(long, global = true, value_name = "DIR")]
    pub shop: Option<PathBuf>,
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=99))]
    pub lane: Option<u8>,
    #[arg(long, global = true, value_name = "ja|en")]
    pub lang: Option<String>,
    #[arg(long, global = true)]
    pub quiet: bool,
    /// The time of the run.
    #[arg(long, global = true, value_name = "TIME")]
    pub at: Option<String>,
    /// Chance of the run.
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub enum Deed {
    Init {
        #[arg(long, conflicts_with = "settings")]
        demo: bool,
        #[arg(long, value_name = "FILE")]
        settings: Option<PathBuf>,
    },
    Demo,
    Run {
        #[arg(long)]
        json: bool,
        #[arg(long)]
        keep_going: bool,
        #[arg(value_name = "FILE|-")]
        file: PathBuf,
    },
    Import {
        what: ImportWhat,
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[arg(long)]
        apply: bool,
        #[arg(long, value_name = "regi", default_value = "regi")]
        from: String,
    },
    Export {
        what: ExportWhat,
        #[command(flatten)]
        dates: Dates,
        #[arg(long, value_name = "utf8|cp932")]
        encoding: Option<EncodingWord>,
    },
    Report {
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        dates: Dates,
        #[arg(long, value_name = "text|csv|json|html|svg")]
        format: Option<FormatWord>,
        #[arg(value_name = "KEY=VALUE")]
        options: Vec<String>,
    },
    Verify {
        #[arg(long, num_args = 2, value_names = ["NO", "HEAD"])]
        receipt: Option<Vec<String>>,
    },
    Backup {
        file: PathBuf,
    },
    Restore {
        file: PathBuf,
        #[arg(long)]
        yes: bool,
    },
    Rebuild {
        #[arg(long, num_args = 0..=1, require_equals = true, value_name = "FOLDER")]
        from_copy: Option<Option<String>>,
    },
    Devices {
        #[arg(long)]
        test_print: bool,
        #[arg(long)]
        scan: bool,
    },
    Display,
    Labels {
        what: LabelsWhat,
        #[arg(value_name = "CODE")]
        codes: Vec<String>,
        #[arg(long, value_name = "N")]
        department: Option<u16>,
        #[arg(long, value_name = "YEN")]
        price: Option<u32>,
        #[arg(long, value_name = "G", conflicts_with = "price")]
        grams: Option<u32>,
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
        copies: u16,
    },
    Config {
        what: ConfigWhat,
    },
    Completions {
        shell: clap_complete::Shell,
    },
    Man,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImportWhat {
    Shop,
    Items,
    Members,
    Stock,
    Points,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportWhat {
    Shop,
    Items,
    Members,
    Sales,
    Lines,
    Journal,
    Points,
    Yayoi,
    Freee,
    Moneyforward,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EncodingWord {
    Utf8,
    Cp932,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatWord {
    Text,
    Csv,
    Json,
    Html,
    Svg,
}

impl FormatWord {
    pub const fn form(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Csv => Form::Csv,
            Self::Json => Form::Json,
            Self::Html => Form::Html,
            Self::Svg => Form::Svg,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LabelsWhat {
    Shelf,
    Items,
    Members,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConfigWhat {
    Check,
}

#[derive(Debug, Clone, Default, Args)]
pub struct Dates {
    /// First business date, `YYYY-MM-DD`.
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// Last business date, `YYYY-MM-DD`.
    #[arg(long, value_name = "DATE")]
    pub to: Option<String>,
}

/// Returns the command with its help in the shop's language.
pub fn command(words: &Words) -> clap::Command {
    let mut command = Arguments::command();
    command.build(); // Only a built command has its help and version options, to be worded too.
    localised(command, "cli", words)
}

fn localised(mut command: clap::Command, key: &str, words: &Words) -> clap::Command {
    if words.has(key) {
        command = command.about(words.get(key).to_owned());
    }
    command = command.mut_args(|argument| {
        let own = format!("{key}.{}", argument.get_id());
        let common = format!("cli.option.{}", argument.get_id());
        match [own, common].iter().find(|key| words.has(key)) {
            Some(key) => argument.help(words.get(key).to_owned()),
            None => argument,
        }
    });
    command.mut_subcommands(|sub| {
        let key = format!("{key}.{}", sub.get_name());
        localised(sub, &key, words)
    })
}

/// Writes the manual: a page for regi and one for each of its commands, one after the other.
///
/// # Errors
/// A writer that cannot be written to.
pub fn manual(words: &Words, out: &mut impl Write) -> io::Result<()> {
    let command = command(words);
    let parts = command.get_subcommands().filter(|part| !part.is_hide_set()).cloned();
    for page in std::iter::once(command.clone()).chain(parts) {
        clap_mangen::Man::new(page).render(out)?;
    }
    Ok(())
}

/// Reads the command line.
///
/// # Errors
/// clap's error: help and version too, which are answers.
pub fn read(words: &Words, given: Vec<std::ffi::OsString>) -> Result<Arguments, clap::Error> {
    let matches = command(words).try_get_matches_from(given)?;
    Arguments::from_arg_matches(&matches)
}
