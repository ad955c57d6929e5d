//! What a printer model can do: abilities as data, one file a model.
//!
//! Room: devices. May touch: the text of profile files. May not: disk (files are handed in).
//! Invariant: a profile with an unknown or impossible word is refused, with its file and line.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::cp932::{IbmExt, Repertoire};
use crate::domain::misread::by_reader;
use crate::domain::refusal::Refusal;

/// The profiles regi ships, by name; a file of the same name in the shop's folder replaces one.
const BUILT_IN: [(&str, &str); 22] = [
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
    /// Answers `GS ( H` when the printing before it is done.
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
    /// Left out: no drawer hangs on this printer.
    pub drawer: Option<Drawer>,
}

fn yes() -> bool {
    true
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
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Raster {
    #[default]
    None,
    /// `GS v 0`, the oldest and widest known.
    Gsv0,
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
    /// Rows of one `GS v 0` block. More than 512 would put `10 04` or `10 05` into its header,
    /// which a printer obeys as a real-time command.
    RasterRows,
    24..=512
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

impl Profile {
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
    toml::from_str(text).map_err(|error| ProfileError {
        file: file.to_owned(),
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        reason: by_reader(error.message()),
    })
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
                ("screen", 48),
                ("sii-rp", 48),
                ("sii-rp-58", 36),
                ("star-mc", 48),
                ("star-mc2", 32),
                ("star-tsp650", 48),
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
}
