//! Any text given as a keymap, a theme, a printer, a lane or a shop's settings: taken, or refused with
//! its line; what is taken reads back as it was.

use regi::app::lane_config::LaneConfig;
use regi::devices::profile::Profiles;
use regi::devices::raster::Bitmap;
use regi::domain::refusal::Refusal;
use regi::domain::settings::Settings;
use regi::exchange::shop_file::read_shop;
use regi::exchange::shop_text::shop_text;
use regi::screens::{Keymap, Theme};

use crate::says_so;

pub fn hold(bytes: &[u8]) {
    logo(bytes);
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().count().max(1);
    if let Err(fault) = Keymap::read("keymaps/own.toml", &text) {
        has_place(&fault.fault, fault.line, lines);
    }
    if let Err(fault) = Theme::read("themes/own.toml", &text) {
        has_place(&fault.fault, fault.line, lines);
    }
    if let Err(fault) = Profiles::load(&[("own.toml".to_owned(), text.clone().into_owned())]) {
        has_place(&fault.reason, fault.line, lines);
    }
    match LaneConfig::read(&text) {
        Ok(config) => assert_eq!(LaneConfig::read(&config.write()), Ok(config)),
        Err(fault) => has_place(&fault.what, fault.line, lines),
    }
    settings(&text);
}

fn has_place(refusal: &Refusal, line: usize, lines: usize) {
    assert!((1..=lines + 1).contains(&line), "{refusal} on line {line} of {lines}");
    says_so(refusal);
}

fn settings(text: &str) {
    match read_shop(text, &Settings::default()) {
        Ok(patch) => {
            let mut settings = Settings::default();
            patch.apply(&mut settings).expect("it was held against these settings");
            let written = shop_text(&settings);
            let again = read_shop(&written, &Settings::default());
            let again = again.unwrap_or_else(|fault| panic!("{fault:?} in {written}"));
            let mut twice = Settings::default();
            again.apply(&mut twice).expect("it was held against these settings");
            assert_eq!(shop_text(&twice), written);
        }
        Err(fault) => says_so(&fault.refusal),
    }
}

/// Dots that a printer would obey in the middle of a picture are not sent.
fn logo(bytes: &[u8]) {
    if let Ok(logo) = Bitmap::from_pbm(bytes) {
        for band in logo.bands(256) {
            let obeyed = band.windows(2).filter(|pair| matches!(pair, [0x10, 4 | 5 | 0x14]));
            assert_eq!(obeyed.count(), 0);
        }
    }
}
