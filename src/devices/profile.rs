//! What a printer model can do: abilities as data, one file a model.
//!
//! Room: devices. May touch: the text of profile files. May not: disk (files are handed in).
//! Invariant: a profile with an unknown or impossible word is refused, with its file and line.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::cp932::{IbmExt, Repertoire};
use crate::domain::misread::{by_reader, misread};
use crate::domain::refusal::Refusal;

/// The profiles regi ships, by name; a file of the same name in the shop's folder replaces one.
const BUILT_IN: [(&str, &str); 28] = [
    ("generic-80", include_str!("../../printers/generic-80.toml")),
    ("generic-58", include_str!("../../printers/generic-58.toml")),
    ("epson-tm-t20", include_str!("../../printers/epson-tm-t20.toml")),
    ("epson-tm-t88", include_str!("../../printers/epson-tm-t88.toml")),
    ("epson-58", include_str!("../../printers/epson-58.toml")),
    ("star-mc", include_str!("../../printers/star-mc.toml")),
    ("star-mc2", include_str!("../../printers/star-mc2.toml")),
    ("citizen-ct-s", include_str!("../../printers/citizen-ct-s.toml")),
    ("sii-rp", include_str!("../../printers/sii-rp.toml")),
    ("epson-tm-m30", include_str!("../../printers/epson-tm-m30.toml")),
    ("epson-tm-t20-42", include_str!("../../printers/epson-tm-t20-42.toml")),
    ("epson-tm-p80", include_str!("../../printers/epson-tm-p80.toml")),
    ("epson-tm-p20", include_str!("../../printers/epson-tm-p20.toml")),
    ("epson-tm-l90", include_str!("../../printers/epson-tm-l90.toml")),
    ("epson-tm-u220", include_str!("../../printers/epson-tm-u220.toml")),
    ("sii-rp-58", include_str!("../../printers/sii-rp-58.toml")),
    ("star-tsp650", include_str!("../../printers/star-tsp650.toml")),
    ("generic-star", include_str!("../../printers/generic-star.toml")),
    ("star-mc-print3", include_str!("../../printers/star-mc-print3.toml")),
    ("star-mc-print2", include_str!("../../printers/star-mc-print2.toml")),
    ("star-tsp650ii", include_str!("../../printers/star-tsp650ii.toml")),
    ("star-tsp100iv", include_str!("../../printers/star-tsp100iv.toml")),
    ("star-mpop", include_str!("../../printers/star-mpop.toml")),
    ("fujitsu-fp", include_str!("../../printers/fujitsu-fp.toml")),
    ("sunmi-58", include_str!("../../printers/sunmi-58.toml")),
    ("zjiang-58", include_str!("../../printers/zjiang-58.toml")),
    ("file", include_str!("../../printers/file.toml")),
    ("screen", include_str!("../../printers/screen.toml")),
];

/// Abilities of one printer model. See `printers/generic-80.toml` for every key explained.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The model, as staff would call it.
    pub label: String,
    #[serde(default)]
    pub language: Language,
    pub columns: Columns,
    pub dots: Dots,
    pub kanji: Kanji,
    /// `FS C` takes 0/1/2 (most printers) rather than '0'/'1'/'2'.
    #[serde(default = "yes")]
    pub fsc_binary: bool,
    #[serde(default)]
    pub ibm_ext: IbmExt,
    pub cut: Cut,
    #[serde(default)]
    pub status: Status,
    /// Names the job when the printing before it is done (`GS ( H`; Star: `ESC GS ETX`). Without meaning for SII.
    #[serde(default)]
    pub process_id: bool,
    #[serde(default)]
    pub qr: bool,
    #[serde(default)]
    pub barcode: bool,
    #[serde(default)]
    pub raster: Raster,
    #[serde(default)]
    pub max_raster_rows: RasterRows,
    /// The model also obeys commands of its maker's own, and must be set to ESC/POS.
    #[serde(default)]
    pub set_to_escpos: bool,
    /// The model has other modes (ESC/POS, Star Graphic), and must be set to StarPRNT or Star Line mode.
    #[serde(default)]
    pub set_to_star: bool,
    /// Left out: no drawer hangs on this printer.
    pub drawer: Option<Drawer>,
}

fn yes() -> bool {
    true
}

/// The language a printer obeys: whole streams are in one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Epson's, and of most makers beside it.
    #[default]
    Escpos,
    /// Star's own: StarPRNT, and Star Line mode, which differs in pictures only.
    Star,
}

/// How kanji are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kanji {
    /// No kanji font: half-width katakana.
    None,
    Sjis,
    /// Shift_JIS-2004, on newer models; the IBM extension codes mean other characters there.
    Sjis2004,
    Utf8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cut {
    Full,
    Partial,
    /// Torn by hand: fed to the edge instead.
    None,
}

/// How the printer tells its state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Never answers: whatever is sent is "probably" printed.
    #[default]
    None,
    /// Answers `DLE EOT n` when asked.
    Dle,
    /// Sends its state by itself when it changes (`GS a`).
    Asb,
    /// Answers `ESC ACK SOH` when asked, as Star's printers do.
    Star,
    /// Sends its state by itself in a form of SII's, and answers `DC2 q`.
    Sii,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Raster {
    #[default]
    None,
    /// `GS v 0`, the oldest and widest known.
    Gsv0,
    /// `ESC GS S`, of StarPRNT.
    Star,
    /// `ESC k`, of Star Line mode: bands of 24 rows.
    Starline,
}

/// The drawer's pulse and its sensor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawer {
    pub pin: Pin,
    /// Length of the pulse, 2 to 510 ms.
    #[serde(default = "on_ms")]
    pub on_ms: PulseMs,
    /// Rest after the pulse, 2 to 510 ms.
    #[serde(default = "off_ms")]
    pub off_ms: PulseMs,
    /// What the sensor says when the drawer stands open; wired either way.
    #[serde(default)]
    pub open_level: Level,
}

fn on_ms() -> PulseMs {
    PulseMs(50)
}

fn off_ms() -> PulseMs {
    PulseMs(500)
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    #[default]
    High,
    Low,
}

/// Defines a number that some values of its file are wrong for.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident, $min:literal..=$max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(try_from = "u16")]
        pub struct $name(u16);

        impl $name {
            pub fn get(self) -> u16 {
                self.0
            }
        }

        impl TryFrom<u16> for $name {
            type Error = String;

            fn try_from(value: u16) -> Result<Self, String> {
                let allowed = $min..=$max;
                if allowed.contains(&value) {
                    Ok(Self(value))
                } else {
                    Err(format!("{value}: {}..={}", allowed.start(), allowed.end()))
                }
            }
        }
    };
}

bounded!(
    /// Half-width columns of the standard font.
    Columns,
    24..=64
);
bounded!(
    /// Printable dots across.
    Dots,
    192..=1024
);
bounded!(
    /// Rows of one block of a picture: at most `Language::most_raster_rows`.
    RasterRows,
    24..=2400
);
bounded!(
    /// Milliseconds of a drawer pulse.
    PulseMs,
    2..=510
);

impl Default for RasterRows {
    fn default() -> Self {
        Self(256)
    }
}

/// The connector pin of the drawer, 2 or 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub enum Pin {
    Two,
    Five,
}

impl TryFrom<u16> for Pin {
    type Error = String;

    fn try_from(value: u16) -> Result<Self, String> {
        match value {
            2 => Ok(Self::Two),
            5 => Ok(Self::Five),
            other => Err(format!("{other}: 2 | 5")),
        }
    }
}

/// Why a profile file is refused; the screen words it with these arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
pub struct ProfileError {
    pub file: String,
    /// From 1.
    pub line: usize,
    pub reason: Refusal,
}

/// Every profile the shop can choose from, by name.
#[derive(Debug, Clone)]
pub struct Profiles(BTreeMap<String, Profile>);

impl Profiles {
    /// Returns the built-in profiles with the shop's own `(file name, text)` over them.
    pub fn load(own: &[(String, String)]) -> Result<Self, ProfileError> {
        let shipped = BUILT_IN.iter().map(|(name, text)| (format!("{name}.toml"), *text));
        let own = own.iter().map(|(file, text)| (file.clone(), text.as_str()));
        let mut profiles = BTreeMap::new();
        for (file, text) in shipped.chain(own) {
            let profile = parse(&file, text)?;
            profiles.insert(file.trim_end_matches(".toml").to_owned(), profile);
        }
        Ok(Self(profiles))
    }

    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.0.get(name)
    }

    /// Names and profiles, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Profile)> {
        self.0.iter().map(|(name, profile)| (name.as_str(), profile))
    }
}

impl Language {
    /// Most rows in one block of a picture. More than 512 would put `10 04` or `10 05` into the
    /// header of `GS v 0`, which a printer obeys as a real-time command; Star takes 2,400
    /// (japan.md 4.3).
    pub fn most_raster_rows(self) -> u16 {
        match self {
            Self::Escpos => 512,
            Self::Star => 2_400,
        }
    }
}

/// A key of a profile, and why its value cannot be.
type Odd = (&'static str, Refusal);

impl Profile {
    /// Returns what does not belong to the printer's language.
    fn odd(&self) -> Option<Odd> {
        let word = |key, value: &str, words: &str| {
            (key, misread("file.unknown_word").with("value", value).with("words", words))
        };
        let rows = self.max_raster_rows.get();
        let most = self.language.most_raster_rows();
        if rows > most {
            return Some(("max_raster_rows", by_reader(&format!("{rows}: 24..={most}"))));
        }
        match self.language {
            Language::Escpos => match (self.status, self.raster) {
                (Status::Star, _) => Some(word("status", "star", "none dle asb sii")),
                (_, Raster::Star) => Some(word("raster", "star", "none gsv0")),
                (_, Raster::Starline) => Some(word("raster", "starline", "none gsv0")),
                _ if self.set_to_star => Some(word("set_to_star", "true", "false")),
                _ => None,
            },
            Language::Star => match (self.status, self.raster, self.kanji) {
                (Status::Dle, ..) => Some(word("status", "dle", "none star")),
                (Status::Asb, ..) => Some(word("status", "asb", "none star")),
                (Status::Sii, ..) => Some(word("status", "sii", "none star")),
                (_, Raster::Gsv0, _) => Some(word("raster", "gsv0", "none star starline")),
                (.., Kanji::Sjis2004) => Some(word("kanji", "sjis2004", "none sjis")),
                (.., Kanji::Utf8) => Some(word("kanji", "utf8", "none sjis")),
                _ if self.set_to_escpos => Some(word("set_to_escpos", "true", "false")),
                _ => None,
            },
        }
    }

    /// Returns the characters this printer's font holds.
    pub fn repertoire(&self) -> Repertoire {
        match self.kanji {
            Kanji::None => Repertoire::Kana,
            Kanji::Sjis => Repertoire::Kanji(self.ibm_ext),
            Kanji::Sjis2004 => Repertoire::Kanji(IbmExt::None),
            Kanji::Utf8 => Repertoire::Kanji(IbmExt::Fa),
        }
    }
}

fn parse(file: &str, text: &str) -> Result<Profile, ProfileError> {
    let refused = |line, reason| ProfileError { file: file.to_owned(), line, reason };
    let profile: Profile = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        refused(line_of(text, at), by_reader(error.message()))
    })?;
    match profile.odd() {
        Some((key, reason)) => Err(refused(line_with(text, key), reason)),
        None => Ok(profile),
    }
}

fn line_with(text: &str, key: &str) -> usize {
    let sets = |line: &str| line.split('=').next().is_some_and(|name| name.trim() == key);
    text.lines().position(sets).map_or(1, |at| at + 1)
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_profile_is_understood() {
        let profiles = Profiles::load(&[]).expect("shipped profiles are right");
        let columns: Vec<_> =
            profiles.iter().map(|(name, profile)| (name, profile.columns.get())).collect();
        assert_eq!(
            columns,
            [
                ("citizen-ct-s", 48),
                ("epson-58", 35),
                ("epson-tm-l90", 48),
                ("epson-tm-m30", 48),
                ("epson-tm-p20", 32),
                ("epson-tm-p80", 48),
                ("epson-tm-t20", 48),
                ("epson-tm-t20-42", 42),
                ("epson-tm-t88", 42),
                ("epson-tm-u220", 42),
                ("file", 48),
                ("fujitsu-fp", 48),
                ("generic-58", 32),
                ("generic-80", 48),
                ("generic-star", 48),
                ("screen", 48),
                ("sii-rp", 48),
                ("sii-rp-58", 36),
                ("star-mc", 48),
                ("star-mc-print2", 32),
                ("star-mc-print3", 48),
                ("star-mc2", 32),
                ("star-mpop", 32),
                ("star-tsp100iv", 48),
                ("star-tsp650", 48),
                ("star-tsp650ii", 48),
                ("sunmi-58", 32),
                ("zjiang-58", 32),
            ]
        );
    }

    #[test]
    fn a_column_is_as_wide_as_the_standard_font_of_its_printer() {
        for (name, profile) in Profiles::load(&[]).expect("shipped profiles are right").iter() {
            let dots = profile.dots.get() / profile.columns.get();
            // TM-U220 is an impact printer; the others have 12 dots at 203 and at 180 dpi, or 13 in a mode
            // of 42 columns.
            let right = if name == "epson-tm-u220" { 9..=9 } else { 12..=13 };
            assert!(right.contains(&dots), "{name}: {dots}");
        }
    }

    #[test]
    fn only_a_printer_that_answers_can_be_asked_for_a_process_id() {
        for (name, profile) in Profiles::load(&[]).expect("shipped profiles are right").iter() {
            assert!(!profile.process_id || profile.status != Status::None, "{name}");
        }
    }

    #[test]
    fn a_shops_own_file_replaces_the_shipped_one() {
        let own = BUILT_IN[0].1.replace("columns = 48", "columns = 44");
        let profiles = Profiles::load(&[("generic-80.toml".into(), own)]).expect("it is right");
        assert_eq!(profiles.get("generic-80").map(|p| p.columns.get()), Some(44));
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_line() {
        let text = |line: &str| {
            format!(
                "label = \"x\"\ncolumns = 48\ndots = 576\nkanji = \"sjis\"\ncut = \"full\"\n{line}\n"
            )
        };
        for (wrong, line) in [
            (text("colour = 1"), 6),
            (text("qr = \"maybe\""), 6),
            (text("max_raster_rows = 2000"), 6),
            (text("[drawer]\npin = 3"), 7),
            (text("").replace("48", "12"), 2),
            (text("").replace("sjis", "big5"), 4),
        ] {
            let error = Profiles::load(&[("own.toml".into(), wrong.clone())])
                .expect_err("the file is wrong");
            assert_eq!((error.file.as_str(), error.line), ("own.toml", line), "{wrong} {error}");
        }
    }

    #[test]
    fn what_another_language_has_is_refused_with_its_line() {
        let shipped = |name| BUILT_IN.iter().find(|(of, _)| *of == name).expect("it is shipped").1;
        for (name, right, wrong) in [
            ("generic-80", "status = \"none\"", "status = \"star\""),
            ("generic-80", "raster = \"gsv0\"", "raster = \"starline\""),
            ("generic-80", "max_raster_rows = 256", "max_raster_rows = 513"),
            ("generic-star", "status = \"none\"", "status = \"dle\""),
            ("generic-star", "raster = \"star\"", "raster = \"gsv0\""),
            ("generic-star", "kanji = \"sjis\"", "kanji = \"utf8\""),
            ("generic-star", "max_raster_rows = 2400", "max_raster_rows = 2401"),
            ("generic-star", "qr = true", "qr = true\nset_to_escpos = true"),
            ("generic-80", "qr = false", "qr = false\nset_to_star = true"),
        ] {
            let text = shipped(name).replace(right, wrong);
            let bad = wrong.lines().last().expect("one line");
            let line = text.lines().position(|line| line.starts_with(bad)).expect("it is set") + 1;
            let error = Profiles::load(&[("own.toml".into(), text)]).expect_err(bad);
            assert_eq!(error.line, line, "{bad} {error}");
        }
    }
}
