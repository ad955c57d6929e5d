//! The first start: the shop's questions on the screen, and the shop their answers make.
//!
//! Room: app. May touch: the terminal through screens, the store.

use std::io;

use super::books::ShopKind;
use super::engine::Engine;
use super::lane_config::LaneConfig;
use super::opening::{self, OpenFault, Options};
use super::picture::Picture;
use super::words::Language;
use crate::domain::settings::{DepartmentPatch, SettingsPatch, ShopPatch, StaffPatch, TaxPatch};
use crate::domain::tax::TaxMode;
use crate::domain::words::Words;
use crate::screens::{Action, Display, FirstShop, Keymap, Screens, TerminalGuard, Theme};

/// What a shop can ring up by key from its first customer on; it changes them as it likes.
const DEPARTMENTS: [(&str, &str); 3] = [
    ("first.department.food", "reduced"),
    ("first.department.goods", "standard"),
    ("first.department.untaxed", "exempt"),
];

/// Asks; `None` when the owner left without founding a shop.
///
/// # Errors
/// A terminal that cannot be used.
pub fn ask(options: &Options, words: &Words) -> io::Result<Option<FirstShop>> {
    let _guard = TerminalGuard::enter()?;
    let (width, height) = crossterm::terminal::size()?;
    let language = options.language.unwrap_or_default().word();
    let mut screens = Screens::first_run(Keymap::usual(), Theme::usual(), language);
    let mut display = Display::new(io::stdout(), width, height);
    let mut picture = Picture::of_no_shop(options.lane.unwrap_or(1));
    loop {
        let model = picture.model(words);
        display.draw(|cells| screens.draw(cells, &model))?;
        let action = match crossterm::event::read()? {
            crossterm::event::Event::Key(key) => screens.on_key(key, &model),
            crossterm::event::Event::Paste(text) => screens.on_paste(&text, &model),
            crossterm::event::Event::Resize(width, height) => {
                display.resize(width, height);
                Action::Stay
            }
            _ => Action::Stay,
        };
        match action {
            Action::Found(first) => return Ok(Some(*first)),
            Action::Quit => return Ok(None),
            Action::Say(key) => picture.say(key, words),
            _ => picture.quiet(),
        }
    }
}

/// Makes the shop that the answers describe.
///
/// # Errors
/// Why it cannot be made: a number that is none, a PIN anyone would guess.
pub fn found(options: &Options, first: &FirstShop) -> Result<Engine, OpenFault> {
    let mut config = LaneConfig {
        lane: options.lane.unwrap_or(1),
        language: first.language.clone(),
        keymap: first.keymap.clone(),
        theme: first.theme.clone(),
        ..LaneConfig::default()
    };
    if !first.printer.is_empty() {
        config.printer.address.clone_from(&first.printer);
    }
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut settings = SettingsPatch {
        shop: ShopPatch {
            name: text(&first.name),
            address: text(&first.address),
            phone: text(&first.phone),
            registration_number: text(&first.registration_number),
            ..ShopPatch::default()
        },
        tax: TaxPatch {
            price_mode: match first.price_mode.as_str() {
                "excluded" => Some(TaxMode::Excluded),
                _ => Some(TaxMode::Included),
            },
            ..TaxPatch::default()
        },
        ..SettingsPatch::default()
    };
    let words = Language::from_word(&first.language).unwrap_or_default().words();
    settings.department.extend(DEPARTMENTS.iter().zip(1..).map(|((name, class), number)| {
        DepartmentPatch {
            number,
            name: Some(words.get(name).to_owned()),
            tax_class: Some((*class).to_owned()),
            ..DepartmentPatch::default()
        }
    }));
    if !first.manager.is_empty() {
        let mut manager = StaffPatch {
            number: 1,
            name: Some(first.manager.clone()),
            level: Some(9),
            ..StaffPatch::default()
        };
        if !first.pin.is_empty() {
            manager.pin.0 = Some(crate::domain::command::Pin::new(first.pin.clone()));
        }
        settings.staff.push(manager);
    }
    opening::found(options, &config, settings.into(), ShopKind::Real)
}
