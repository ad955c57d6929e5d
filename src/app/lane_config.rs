//! `shop.toml`: what this lane's machine has and likes.
//!
//! Room: app. May touch: the text it is handed. What belongs to the whole shop is in the journal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::devices::label::{LabelLanguage, LabelPaper};
use crate::devices::printer::{Address, AddressError};
use crate::devices::scale::{Milligrams, ScaleProtocol, ScaleSettings};
use crate::devices::scanner::ScannerMatch;
use crate::domain::misread::{by_reader_at, misread};
use crate::domain::refusal::Refusal;

/// A printer as the lane knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrinterConfig {
    /// `file:`, `usb:SERIAL`, `dev:/dev/usb/lp0`, `serial:/dev/ttyS0?baud=…`, `tcp:host:9100`, `screen:`.
    pub address: String,
    /// Name of a file in `printers/`.
    #[serde(default = "generic")]
    pub profile: String,
    /// Prints what the other cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<FallbackConfig>,
}

/// The second printer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FallbackConfig {
    pub address: String,
    #[serde(default = "generic")]
    pub profile: String,
}

/// A printer where something is made: a kitchen, a counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KitchenConfig {
    /// What staff call it.
    pub name: String,
    pub address: String,
    #[serde(default = "generic")]
    pub profile: String,
    /// Whose goods are made there; none named: all.
    #[serde(default)]
    pub departments: Vec<u16>,
}

fn generic() -> String {
    "generic-80".to_owned()
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CopyConfig {
    /// A folder on another disk or stick.
    pub folder: String,
}

/// A label printer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelConfig {
    /// As a printer's.
    pub address: String,
    #[serde(default)]
    pub language: LabelLanguage,
    #[serde(default = "LabelConfig::width_mm")]
    pub width_mm: u16,
    #[serde(default = "LabelConfig::height_mm")]
    pub height_mm: u16,
    #[serde(default = "LabelConfig::gap_mm")]
    pub gap_mm: u16,
    #[serde(default = "LabelConfig::dots_per_mm")]
    pub dots_per_mm: u16,
    /// For `escpos`: name of a file in `printers/`.
    #[serde(default = "generic")]
    pub profile: String,
}

impl LabelConfig {
    fn width_mm() -> u16 {
        LabelPaper::default().width_mm
    }

    fn height_mm() -> u16 {
        LabelPaper::default().height_mm
    }

    fn gap_mm() -> u16 {
        LabelPaper::default().gap_mm
    }

    fn dots_per_mm() -> u16 {
        LabelPaper::default().dots_per_mm
    }

    pub fn paper(&self) -> LabelPaper {
        let Self { width_mm, height_mm, gap_mm, dots_per_mm, .. } = *self;
        LabelPaper { width_mm, height_mm, gap_mm, dots_per_mm }
    }

    /// What does not fit.
    fn fault(&self) -> Option<Refusal> {
        let measure = || Some(misread("config.measure").with("key", self.paper().fault()?));
        misplaced(&self.address).or_else(measure)
    }
}

/// What customers see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DisplayConfig {
    /// A line display of two rows of twenty; as a printer's, empty for none.
    pub address: String,
    /// The shop's own text, shown while nobody is served and with the change.
    pub text: String,
}

impl DisplayConfig {
    /// Where the line display is, if there is one.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn line(&self) -> Result<Option<Address>, AddressError> {
        if self.address.is_empty() { Ok(None) } else { self.address.parse().map(Some) }
    }
}

/// A scale on a serial line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleConfig {
    /// `/dev/ttyUSB0`
    pub serial: String,
    #[serde(default = "ScaleConfig::baud")]
    pub baud: u32,
    #[serde(default)]
    pub protocol: ScaleProtocol,
    /// The usual container, in grams: taken off every weight that the scale has taken no tare off.
    #[serde(default)]
    pub tare_g: u32,
    /// What the scale can bear, in kilograms; more is a fault of the line.
    #[serde(default = "ScaleConfig::max_kg")]
    pub max_kg: u32,
    /// Goods by code that have a container of their own, in grams: instead of the usual one.
    #[serde(default)]
    pub containers: BTreeMap<String, u32>,
}

impl ScaleConfig {
    fn baud() -> u32 {
        2_400
    }

    fn max_kg() -> u32 {
        30
    }

    /// # Errors
    /// What is wrong with the line.
    pub fn settings(&self) -> Result<ScaleSettings, AddressError> {
        Ok(ScaleSettings {
            line: format!("{}?baud={}", self.serial, self.baud).parse()?,
            protocol: self.protocol,
            most: Milligrams(i64::from(self.max_kg) * 1_000_000),
        })
    }

    /// Returns what the container of these goods weighs.
    pub fn container(&self, code: &str) -> Milligrams {
        Milligrams(i64::from(*self.containers.get(code).unwrap_or(&self.tare_g)) * 1_000)
    }
}

/// What answers a scan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SoundBy {
    /// Tones where the machine has a sound card and `aplay`, else the bell.
    #[default]
    Auto,
    /// The terminal's bell: once, twice, three times.
    Bell,
    /// Tones through ALSA's `aplay`; the bell where there is none.
    Wav,
    Off,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SoundConfig {
    pub by: SoundBy,
    /// Whether a code that was taken is heard too; most scanners beep by themselves.
    pub accepted: bool,
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LaneConfig {
    pub lane: u8,
    pub language: String,
    pub keymap: String,
    pub theme: String,
    /// Whether the drawer hangs on the printer.
    pub drawer: bool,
    /// Whether the drawer's sensor is wired to the printer and read.
    pub drawer_sensor: bool,
    /// The drawer standing open is said after so many seconds.
    pub drawer_open_seconds: u16,
    pub printer: PrinterConfig,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kitchen: Vec<KitchenConfig>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scanner: Vec<ScannerMatch>,
    // What a shop has not set is not written: it adds the table itself.
    #[serde(skip_serializing_if = "is_usual")]
    pub sound: SoundConfig,
    #[serde(skip_serializing_if = "is_usual")]
    pub display: DisplayConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<LabelConfig>,
    pub copy: CopyConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleConfig>,
}

fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Default for LaneConfig {
    fn default() -> Self {
        Self {
            lane: 1,
            language: "ja".to_owned(),
            keymap: "tenkey".to_owned(),
            theme: "dark".to_owned(),
            printer: PrinterConfig {
                address: "file:".to_owned(),
                profile: generic(),
                fallback: None,
            },
            kitchen: Vec::new(),
            scanner: Vec::new(),
            sound: SoundConfig::default(),
            display: DisplayConfig::default(),
            label: None,
            copy: CopyConfig::default(),
            drawer: true,
            drawer_sensor: false,
            drawer_open_seconds: 60,
            scale: None,
        }
    }
}

/// What does not fit in the file, and on which line (from 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ConfigFault {
    pub line: usize,
    pub what: Refusal,
}

impl LaneConfig {
    /// # Errors
    /// The first thing that does not fit, with its line.
    pub fn read(text: &str) -> Result<Self, ConfigFault> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
            ConfigFault { line, what: by_reader_at(error.message(), text, start) }
        })?;
        let fault = |(begin, at, what): Misfit| {
            Some(ConfigFault { line: line_of(text, begin, at), what: what? })
        };
        config.misfits().into_iter().find_map(fault).map_or(Ok(config), Err)
    }

    /// What reads and may not fit, in the order it is looked at.
    fn misfits(&self) -> Vec<Misfit> {
        let lane = (!(1..=99).contains(&self.lane)).then(|| misread("config.lane"));
        let language = match super::words::Language::from_word(&self.language) {
            Some(_) => None,
            None => Some(misread("config.language").with("found", &self.language)),
        };
        let mut all = vec![("lane", 0, lane), ("language", 0, language)];
        for (at, rule) in self.scanner.iter().enumerate() {
            all.push(("[[scanner]]", at, rule.serial_line().and_then(refused)));
        }
        all.push(("[printer]", 0, misplaced(&self.printer.address)));
        if let Some(second) = &self.printer.fallback {
            all.push(("[printer.fallback]", 0, misplaced(&second.address)));
        }
        for (at, kitchen) in self.kitchen.iter().enumerate() {
            all.push(("[[kitchen]]", at, misplaced(&kitchen.address)));
            // A slip names its place: two of one name would get each other's.
            let twice = self.kitchen[..at].iter().any(|other| other.name == kitchen.name);
            let twice = twice.then(|| misread("config.kitchen").with("name", &kitchen.name));
            all.push(("[[kitchen]]", at, twice));
        }
        all.push(("[display]", 0, refused(self.display.line())));
        let scale = self.scale.as_ref().map(ScaleConfig::settings);
        all.push(("[scale]", 0, scale.and_then(refused)));
        all.push(("[label]", 0, self.label.as_ref().and_then(LabelConfig::fault)));
        all
    }

    /// Address and profile of every printer, the one of labels included.
    pub fn printers(&self) -> impl Iterator<Item = (&str, &str)> {
        let main = (&self.printer.address, &self.printer.profile);
        let second = self.printer.fallback.iter().map(|second| (&second.address, &second.profile));
        let kitchens = self.kitchen.iter().map(|place| (&place.address, &place.profile));
        let label = self.label.iter().map(|label| (&label.address, &label.profile));
        let all = std::iter::once(main).chain(second).chain(kitchens).chain(label);
        all.map(|(address, profile)| (address.as_str(), profile.as_str()))
    }

    /// Returns `text` with a scanner's rule behind everything that stands there, comments and all.
    ///
    /// # Errors
    /// A file that does not fit before or after.
    pub fn with_scanner(text: &str, rule: &ScannerMatch) -> Result<String, ConfigFault> {
        let mut wanted = Self::read(text)?;
        wanted.scanner.push(rule.clone());
        let kept = text.lines().filter(|line| line.trim() != "scanner = []");
        let mut out: String = kept.flat_map(|line| [line, "\n"]).collect();
        out.push_str("\n[[scanner]]\n");
        out.push_str(&toml::to_string(rule).expect("a rule is plain data"));
        match Self::read(&out)? {
            config if config == wanted => Ok(out),
            _ => Err(ConfigFault { line: 1, what: misread("config.scanner") }),
        }
    }

    pub fn write(&self) -> String {
        toml::to_string_pretty(self).expect("a lane's settings are plain data")
    }
}

/// What a line begins with, the how manyth of those lines it is (from 0), and why it does not fit.
type Misfit = (&'static str, usize, Option<Refusal>);

fn misplaced(address: &str) -> Option<Refusal> {
    refused(address.parse::<Address>())
}

fn refused<T>(read: Result<T, AddressError>) -> Option<Refusal> {
    read.err().map(|error| error.refusal())
}

/// The line, from 1, that begins so and has `at` others like it before; 1 when there is none.
pub fn line_of(text: &str, begin: &str, at: usize) -> usize {
    let lines = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with(begin));
    lines.map(|(line, _)| line + 1).nth(at).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_reads_back() {
        let config = LaneConfig { lane: 3, ..LaneConfig::default() };
        assert_eq!(LaneConfig::read(&config.write()), Ok(config));
        assert_eq!(LaneConfig::read(""), Ok(LaneConfig::default()));
    }

    #[test]
    fn a_learned_scanner_is_written_behind_what_stands_there() {
        let rule =
            ScannerMatch { serial: Some("/dev/ttyACM0".to_owned()), ..ScannerMatch::default() };
        for before in [
            String::new(),
            LaneConfig::default().write(),
            "# our lane\nlane = 2 # by the door\nscanner = []\n[copy]\nfolder = \"/x\"".to_owned(),
            "[[scanner]]\nvendor = \"0c2e\"\n".to_owned(),
        ] {
            let after = LaneConfig::with_scanner(&before, &rule).expect("it fits");
            let comments = |text: &str| text.matches('#').count();
            assert_eq!(comments(&after), comments(&before), "comments stay");
            let read = LaneConfig::read(&after).expect("it reads back");
            assert_eq!(read.scanner.last(), Some(&rule));
        }
        assert!(LaneConfig::with_scanner("scanner = [{ vendor = \"0c2e\" }]", &rule).is_err());
    }

    #[test]
    fn a_fault_names_its_line() {
        for (text, line) in [
            ("lane = 1\nkeymapp = \"x\"\n", 2),
            ("lane = \"one\"\n", 1),
            ("language = \"ja\"\nlane = 0\n", 2),
            ("\n\nlanguage = \"fr\"\n", 3),
            ("[printer]\nprofile = \"generic-80\"\n", 1),
            ("lane = 1\n[printer]\naddress = \"lp0\"\n", 2),
            ("[[scanner]]\nserial = \"/dev/a\"\n\n[[scanner]]\nserial = \"ttyACM0\"\n", 4),
            ("[[kitchen]]\nname = \"a\"\naddress = \"lp\"\n", 1),
            (
                "[[kitchen]]\nname = \"a\"\naddress = \"file:\"\n[[kitchen]]\nname = \"a\"\naddress = \"file:\"\n",
                4,
            ),
            ("[printer]\naddress = \"file:\"\n[printer.fallback]\naddress = \"lp\"\n", 3),
            ("[display]\naddress = \"ttyUSB0\"\n", 1),
            ("[scale]\nserial = \"/dev/ttyUSB0\"\nbaud = 2401\n", 1),
            ("[scale]\nserial = \"/dev/ttyUSB0\"\nprotocol = \"x\"\n", 3),
            ("\n[label]\naddress = \"lp1\"\n", 2),
            ("[label]\naddress = \"file:\"\nwidth_mm = 900\n", 1),
            ("[label]\naddress = \"file:\"\nlanguage = \"epl\"\n", 3),
            ("[sound]\nby = \"horn\"\n", 2),
        ] {
            assert_eq!(LaneConfig::read(text).unwrap_err().line, line, "{text:?}");
        }
    }
}
