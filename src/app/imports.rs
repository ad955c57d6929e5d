//! Bringing files in: a dry run first, then entries of up to 500 rows that count once the last is in.
//!
//! Room: app. May touch: exchange, the engine. Invariant: a file with one bad row changes nothing.

use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::path::Path;

use super::books::ShopKind;
use super::engine::Engine;
use crate::domain::command::Pin;
use crate::domain::entry::{ImportedMember, Kind};
use crate::domain::refusal::Refusal;
use crate::domain::register::Lookup;
use crate::domain::settings::SettingsPatch;
use crate::exchange::csv_in::{Import, Row};
use crate::exchange::fault::{Fault, Report};
use crate::exchange::mapping::Mapping;
use crate::exchange::shop_file::read_shop;
use crate::exchange::{items, members, points, stock};
use crate::store::pins;

/// Rows an entry carries at most (`DESIGN.md` 3).
const ROWS_AN_ENTRY: usize = 500;
/// Entries written with one sync.
const ENTRIES_A_WRITE: usize = 8;

/// Whether the file is only looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    DryRun,
    Apply,
}

/// Why an import did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{0}")]
    File(#[from] io::Error),
    /// The file as a whole.
    #[error("{}", .0.refusal)]
    Fault(Box<Fault>),
    #[error("{0}")]
    Refused(#[from] Refusal),
}

impl From<Fault> for ImportError {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

fn opened(path: &Path) -> io::Result<BufReader<File>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(BufReader::with_capacity(256 * 1024, file))
}

/// What each kind of file needs: how to read it, and what its rows become.
struct Batch<T> {
    kind: fn(u128, Vec<T>) -> Kind,
    /// The code of a row that needs a key of its own.
    sealed_code: fn(T) -> Option<String>,
    progress: fn(u64),
}

impl<T> Batch<T> {
    /// Runs through the file once; in `Apply` a second time, writing.
    fn run<I, F>(
        &self,
        engine: &mut Engine,
        mode: Mode,
        open: impl Fn() -> Result<Import<I, F>, ImportError>,
    ) -> Result<Report, ImportError>
    where
        I: io::Read + Seek,
        F: FnMut(&Row) -> Result<T, Fault>,
        Import<I, F>: Iterator<Item = T>,
    {
        let mut rows = open()?;
        let codes: Vec<String> = rows.by_ref().filter_map(self.sealed_code).collect();
        let report = rows.dry_run();
        if mode == Mode::DryRun || !report.is_clean() {
            return Ok(report);
        }
        engine.shop.make_keys(codes)?;
        let import = engine.chance.id(engine.shop.journal().head().seq);
        let mut rows = open()?;
        let mut written = 0_u64;
        loop {
            let mut kinds = Vec::with_capacity(ENTRIES_A_WRITE);
            while kinds.len() < ENTRIES_A_WRITE {
                let batch: Vec<T> = rows.by_ref().take(ROWS_AN_ENTRY).collect();
                if batch.is_empty() {
                    break;
                }
                written += batch.len() as u64;
                kinds.push((self.kind)(import, batch));
            }
            if kinds.is_empty() {
                break;
            }
            engine.record(kinds)?;
            (self.progress)(written);
        }
        engine.record(vec![Kind::ImportClosed { import, rows: written }])?;
        engine.shop.settle();
        Ok(report)
    }
}

/// Imports items.
///
/// # Errors
/// A file that cannot be read, or a fault of the whole of it.
pub fn import_items(
    engine: &mut Engine,
    path: &Path,
    mapping: &Mapping,
    mode: Mode,
    progress: fn(u64),
) -> Result<Report, ImportError> {
    let kind = |import, items| Kind::ItemsImported { import, items };
    let (settings, reader) = (engine.register.settings.clone(), engine.shop.reader().clone());
    let known = |code: &str| reader.item(code).ok().flatten().map(|found| found.item);
    Batch { kind, sealed_code: |_| None, progress }
        .run(engine, mode, || Ok(items::items(opened(path)?, &settings, mapping, known)?))
}

/// Imports members.
///
/// # Errors
/// A file that cannot be read, or a fault of the whole of it.
pub fn import_members(
    engine: &mut Engine,
    path: &Path,
    mapping: &Mapping,
    mode: Mode,
    progress: fn(u64),
) -> Result<Report, ImportError> {
    let kind = |import, members| Kind::MembersImported { import, members };
    let settings = engine.register.settings.clone();
    let sealed_code = |member: ImportedMember| Some(member.card.code);
    Batch { kind, sealed_code, progress }
        .run(engine, mode, || Ok(members::members(opened(path)?, &settings, mapping)?))
}

/// Imports members' balances.
///
/// # Errors
/// A file that cannot be read, or a fault of the whole of it.
pub fn import_points(
    engine: &mut Engine,
    path: &Path,
    mapping: &Mapping,
    mode: Mode,
    progress: fn(u64),
) -> Result<Report, ImportError> {
    let kind = |import, points| Kind::PointsImported { import, points };
    let reader = engine.shop.reader().clone();
    let known = |code: &str| reader.member(code).ok().flatten().is_some();
    Batch { kind, sealed_code: |_| None, progress }
        .run(engine, mode, || Ok(points::points(opened(path)?, mapping, known)?))
}

/// Imports what is on the shelf.
///
/// # Errors
/// A file that cannot be read, or a fault of the whole of it.
pub fn import_stock(
    engine: &mut Engine,
    path: &Path,
    mapping: &Mapping,
    mode: Mode,
    progress: fn(u64),
) -> Result<Report, ImportError> {
    let kind = |import, stock| Kind::StockImported { import, stock };
    let reader = engine.shop.reader().clone();
    let known = |code: &str| reader.item(code).ok().flatten().is_some();
    Batch { kind, sealed_code: |_| None, progress }
        .run(engine, mode, || Ok(stock::stock(opened(path)?, mapping, known)?))
}

/// Changes the shop's settings by a file's text. Its PINs go where PINs live, before its entry.
///
/// # Errors
/// The first fault, with its line.
pub fn import_shop(engine: &mut Engine, text: &str, mode: Mode) -> Result<(), ImportError> {
    let patch = read_shop(text, &engine.register.settings)?;
    check_pins(&patch)?;
    if mode == Mode::Apply {
        change_settings(engine, patch)?;
    }
    Ok(())
}

fn check_pins(patch: &SettingsPatch) -> Result<(), Refusal> {
    let pins = patch.clone().take_pins();
    pins.iter().try_for_each(|(_, pin)| pins::allowed(pin, ShopKind::Real.pins()))
}

/// Applies a change of the settings: PINs first, then the entries that say so.
///
/// # Errors
/// The refusal when a value does not fit or nothing could be written.
pub fn change_settings(engine: &mut Engine, mut patch: SettingsPatch) -> Result<(), Refusal> {
    let pins: Vec<(u32, Pin)> = patch.take_pins();
    patch.apply(&mut (*engine.register.settings).clone())?;
    for (staff, pin) in &pins {
        engine.shop.set_pin(*staff, Some(pin), ShopKind::Real)?;
    }
    let mut kinds = vec![Kind::SettingsChanged(Box::new(patch))];
    kinds.extend(pins.iter().map(|(staff, _)| Kind::PinChanged { staff: *staff }));
    engine.record(kinds)?;
    Ok(())
}
