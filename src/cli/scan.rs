//! `regi devices --scan`: what a scan says, and whose scanner it came from.
//!
//! Room: cli. May touch: standard streams, the rules of udev (as root), app.
//! Invariant: beside a running register no device is read that is the register's.

use std::fs::{OpenOptions, metadata, read_to_string};
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crossbeam_channel::{Sender, unbounded};
use serde_json::Value;

use super::deeds::through;
use super::said::{Said, say, tell};
use crate::app::answers;
use crate::app::aside::Task;
use crate::app::control::Client;
use crate::app::engine::Engine;
use crate::app::lane_config::LaneConfig;
use crate::app::learned::{INPUT, LearnFault, write_rule};
use crate::app::opening::SHOP_TOML;
use crate::app::picture::test_words;
use crate::app::words::Language;
use crate::devices::scanner::access::{Owner, line_wanted};
use crate::devices::scanner::{
    Identity, Learned, Places, ScannerHandle, ScannerMatch, learn, test_label, unreadable,
};
use crate::domain::command::quote;
use crate::domain::text;
use crate::domain::words::Words;

/// The rules of udev that a machine adds to what its packages bring.
const RULES: &str = "/etc/udev/rules.d";
/// Behind the package's own, whose name it must not have: it would stand in their place.
const OUR_RULES: &str = "/etc/udev/rules.d/61-regi.rules";

/// Who knows the shop's codes and keeps its rules.
pub enum Desk<'a> {
    /// This program.
    Own(&'a mut Engine),
    /// A running register: it hears a scanner as soon as it is told of it. It lets a silent client go, and
    /// a scan may be minutes away: it is reached anew for each.
    Running { shop: PathBuf, config: Box<LaneConfig>, language: Language },
}

enum Heard {
    Line(String),
    Learned(Box<Learned>),
    End,
}

/// Explains what is scanned or typed, until the input ends, and learns the scanners that have no rule.
pub fn scan_now(mut desk: Desk<'_>, dir: &Path, words: &Words) -> Result<(), Said> {
    if io::stdin().is_terminal() {
        tell(words.get("cli.scan_now"));
    }
    let closed = unreadable(Path::new(INPUT));
    if closed > 0 {
        say(&words.fill("cli.scan_denied", &[("count", &closed)]));
    }
    let (tell, heard) = unbounded(); // Bounded by what a hand can scan before Ctrl-D.
    let mut places = Places { input: INPUT.into(), dev: "/dev".into(), taken: desk.taken() };
    let mut ear = listen(&places, &tell);
    let lines = tell.clone();
    std::thread::spawn(move || read_lines(&lines));
    let mut last = String::new();
    for heard in heard {
        match heard {
            Heard::End => break,
            // A scanner that is nobody's own types into the terminal as well.
            Heard::Line(line) if line == last => last.clear(),
            Heard::Line(line) => desk.explain(&line, words)?,
            Heard::Learned(learned) => {
                desk.explain(&learned.text, words)?;
                desk.remember(&learned, dir, words)?;
                if learned.rule.serial.is_some() && matches!(desk, Desk::Running { .. }) {
                    // What is read here, the register does not hear: the line is let go.
                    places.taken.push(learned.node.clone());
                    if let Some(ear) = ear.take() {
                        ear.stop();
                    }
                    ear = listen(&places, &tell);
                }
                last = learned.text;
            }
        }
        let _ = io::stdout().flush(); // Nobody reads any more: the next line ends the program.
    }
    Ok(())
}

/// Without a thread to listen, what is typed is explained all the same.
fn listen(places: &Places, tell: &Sender<Heard>) -> Option<ScannerHandle> {
    let learned = tell.clone();
    learn(places.clone(), move |device| drop(learned.send(Heard::Learned(Box::new(device))))).ok()
}

fn read_lines(tell: &Sender<Heard>) {
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        if tell.send(Heard::Line(line)).is_err() {
            return;
        }
    }
    let _ = tell.send(Heard::End); // Nobody waits for it any more.
}

impl Desk<'_> {
    fn config(&self) -> &LaneConfig {
        match self {
            Self::Own(engine) => &engine.config,
            Self::Running { config, .. } => config,
        }
    }

    fn explain(&mut self, line: &str, words: &Words) -> Result<(), Said> {
        if let Some(verdict) = test_label::judge(line) {
            tell(text::cleaned(&test_words(&verdict, words)));
            return Ok(());
        }
        let part = |name: &str, value: &str| {
            tell(format_args!("{}: {value}", words.get(&format!("explain.{name}"))));
        };
        match self {
            Self::Own(engine) => {
                answers::explained(engine, line).iter().for_each(|(name, value)| part(name, value));
            }
            Self::Running { shop, .. } => {
                let mut client = reached(shop, words)?;
                let reply = client.ask(&format!("inquire {}", quote(line)));
                let reply = reply.map_err(|error| Said::file("control.sock", &error, words))?;
                if let Some(error) = reply.error {
                    tell(error.message);
                }
                let parts = reply.explained.as_ref().and_then(Value::as_object);
                for (name, value) in parts.into_iter().flatten() {
                    part(name, value.as_str().unwrap_or_default());
                }
            }
        }
        Ok(())
    }

    /// Writes the rule of a scanner that has none, and lets the shop's account open it.
    fn remember(&mut self, learned: &Learned, dir: &Path, words: &Words) -> Result<(), Said> {
        let Learned { rule, identity, .. } = learned;
        let shown = rule.shown();
        if self.config().scanner.iter().any(|known| is_same(known, rule, identity)) {
            say(&words.fill("cli.scanner_known", &[("rule", &shown)]));
        } else {
            self.write(rule, dir, words)?;
            let key = match self {
                Self::Own(_) => "cli.scanner_learned",
                Self::Running { .. } => "cli.scanner_heard",
            };
            say(&words.fill(key, &[("rule", &shown)]));
        }
        if rule.serial.is_none() {
            open_to_the_shop(learned, dir, words)
                .map_err(|error| Said::file(RULES, &error, words))?;
        }
        Ok(())
    }

    fn write(&mut self, rule: &ScannerMatch, dir: &Path, words: &Words) -> Result<(), Said> {
        let config = match self {
            Self::Own(engine) => {
                write_rule(dir, rule).map_err(|fault| match fault {
                    LearnFault::File(error) => {
                        Said::file(dir.join(SHOP_TOML).display(), &error, words)
                    }
                    LearnFault::Misread(fault) => {
                        Said::misread(SHOP_TOML, fault.line, &fault.what, words)
                    }
                })?;
                &mut engine.config
            }
            Self::Running { shop, config, language } => {
                let task =
                    Task::Learn { rule: Box::new(rule.clone()), language: language.word().into() };
                through(&mut reached(shop, words)?, task, words)?;
                config
            }
        };
        config.scanner.push(rule.clone());
        Ok(())
    }

    /// Serial lines that have another use; beside a running register, its scanners' too.
    fn taken(&self) -> Vec<PathBuf> {
        use crate::devices::printer::Address;
        let config = self.config();
        let addresses = config.printers().map(|(address, _)| address);
        let addresses = addresses.chain([config.display.address.as_str()]);
        let lines = addresses.filter_map(|address| match address.parse() {
            Ok(Address::Serial(line)) => Some(line.path),
            _ => None,
        });
        let scale = config.scale.as_ref().map(|scale| PathBuf::from(&scale.serial));
        let scanners = config.scanner.iter().filter_map(|rule| rule.serial.as_ref());
        let scanners = scanners.filter(|_| matches!(self, Self::Running { .. })).map(PathBuf::from);
        lines.chain(scale).chain(scanners).collect()
    }
}

fn reached(shop: &Path, words: &Words) -> Result<Client, Said> {
    Client::connect(shop).map_err(|error| Said::file("control.sock", &error, words))
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

/// The package names the usual makers to udev; for another scanner a line is added, or said.
fn open_to_the_shop(learned: &Learned, dir: &Path, words: &Words) -> io::Result<()> {
    let shop = Owner::from(&metadata(dir.join(SHOP_TOML))?);
    let Some(line) = line_wanted(shop, &learned.node, &learned.identity)? else { return Ok(()) };
    let is_root = rustix::process::geteuid().is_root();
    if is_root && Path::new(RULES).is_dir() {
        add_line(Path::new(OUR_RULES), &line)?;
        if let (true, true) =
            (udevadm(&["control", "--reload"]), udevadm(&["trigger", "--subsystem-match=input"]))
        {
            say(&words.fill("cli.udev_written", &[("file", &OUR_RULES)]));
            return Ok(());
        }
    }
    say(&words.fill("cli.udev_wanted", &[("file", &OUR_RULES)]));
    tell(line);
    Ok(())
}

fn add_line(file: &Path, line: &str) -> io::Result<()> {
    let before = match read_to_string(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        text => text.unwrap_or_default(),
    };
    if before.lines().any(|known| known == line) {
        return Ok(());
    }
    let begin = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    let mut file = OpenOptions::new().append(true).create(true).open(file)?;
    file.write_all(format!("{begin}{line}\n").as_bytes())?;
    file.sync_all()
}

/// Returns whether udev did as it was told; a machine may have none.
fn udevadm(words: &[&str]) -> bool {
    let mut udevadm = Command::new("udevadm");
    udevadm.args(words).stdout(Stdio::null()).stderr(Stdio::null());
    udevadm.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_added_once_and_behind_what_stands_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (before, after) in [
            (None, "LINE\n"),
            (Some("# mine\nOTHER"), "# mine\nOTHER\nLINE\n"),
            (Some("OTHER\n"), "OTHER\nLINE\n"),
        ] {
            let file = folder.path().join("61-regi.rules");
            match before {
                Some(text) => std::fs::write(&file, text).expect("it is written"),
                None => assert!(!file.exists()),
            }
            for _ in 0..2 {
                add_line(&file, "LINE").expect("it is added");
                assert_eq!(read_to_string(&file).expect("it reads"), after);
            }
        }
    }
}
