//! The sample shop, founded: its files come in as any shop's do.
//!
//! Room: app. May touch: the sample's files, the folder it is founded in, exchange, the engine.

use std::fs;
use std::io::Cursor;

use super::books::ShopKind;
use super::engine::Engine;
use super::lane_config::LaneConfig;
use super::opening::{OWN_KEYS, OpenFault, Options, found as found_shop, keymap};
use super::sample::{ITEMS, KEYS, MEMBERS, SHOP};
use crate::domain::entry::Kind;
use crate::domain::settings::Settings;
use crate::exchange::mapping::Mapping;
use crate::exchange::shop_file::read_shop;
use crate::exchange::{items, members};
use crate::store::fault::StoreError;

/// Makes the sample shop in an empty folder.
///
/// # Errors
/// Why it cannot be made.
pub fn found(options: &Options, config: &LaneConfig) -> Result<Engine, OpenFault> {
    let patch = read_shop(SHOP, &Settings::default()).expect("the sample's settings fit");
    let mut engine = found_shop(options, config, patch, ShopKind::Sample)?;
    let keymaps = options.dir.join("keymaps");
    fs::create_dir_all(&keymaps)?;
    fs::write(keymaps.join(OWN_KEYS), KEYS)?;
    engine.keymap = keymap(&options.dir, &config.keymap)?;
    let settings = engine.register.settings.clone();
    let mapping = Mapping::usual();
    let rows = items::items(Cursor::new(ITEMS), &settings, &mapping, |_| None);
    let items: Vec<_> = rows.expect("the sample's items read").collect();
    let rows = members::members(Cursor::new(MEMBERS), &settings, &mapping);
    let members: Vec<_> = rows.expect("the sample's members read").collect();
    let head = engine.shop.journal().head().seq;
    let (first, second) = (engine.chance.id(head), engine.chance.id(head));
    let counts = (items.len() as u64, members.len() as u64);
    let kinds = vec![
        Kind::ItemsImported { import: first, items },
        Kind::ImportClosed { import: first, rows: counts.0 },
        Kind::MembersImported { import: second, members },
        Kind::ImportClosed { import: second, rows: counts.1 },
    ];
    engine.record(kinds).map_err(StoreError::from)?;
    Ok(engine)
}
