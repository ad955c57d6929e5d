//! Bringing files in: read once, by all processors, then written as entries of up to 500 rows that
//! count once the last is in.
//!
//! Room: app. May touch: exchange, the engine, threads it joins. Invariant: a file with one bad row
//! changes nothing; a chunk or two a thread is all of the file that is in memory.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::books::ShopKind;
use super::engine::Engine;
use crate::domain::command::Pin;
use crate::domain::entry::Kind;
use crate::domain::refusal::Refusal;
use crate::domain::register::Lookup;
use crate::domain::settings::SettingsPatch;
use crate::exchange::csv_in::{Chunk, Form, Tally};
use crate::exchange::fault::{Fault, Report};
use crate::exchange::mapping::Mapping;
use crate::exchange::records::Record;
use crate::exchange::sheet::{Layout, Sheet};
use crate::exchange::shop_file::read_shop;
use crate::exchange::{items, members, points, stock};
use crate::store::fault::StoreError;
use crate::store::pins;
use crate::store::staging::{Coming, Staged, Stager};

/// Bytes of a short row: how many rows a file may have.
const ROW_BYTES: u64 = 64;
/// The most threads that read a file.
const MOST_THREADS: usize = 4;

/// Which master a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Items,
    Members,
    /// Members' balances.
    Points,
    /// What is on the shelf.
    Stock,
}

/// Whether the file is only looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    DryRun,
    Apply,
}

/// What an import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    Reading,
    Writing,
    SortingIn,
}

/// Hears how far an import has come: what is done, and of how much.
pub type Watch<'a> = &'a mut dyn FnMut(Doing, u64, u64);

/// A file to be brought in.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    pub what: What,
    pub path: &'a Path,
    pub mapping: &'a Mapping,
    pub mode: Mode,
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

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// Imports a file, or says what is wrong with it.
///
/// # Errors
/// A file that cannot be read, a fault of the whole of it, or why it could not be written.
pub fn import(
    engine: &mut Engine,
    order: Order<'_>,
    watch: Watch<'_>,
) -> Result<Report, ImportError> {
    let (settings, reader) = (engine.register.settings.clone(), engine.shop.reader().clone());
    let is_empty = !reader.has_items()?;
    let item = |code: &str| match is_empty {
        true => None,
        false => reader.item(code).ok().flatten().map(|found| found.item),
    };
    match order.what {
        What::Items => {
            order.carry_out(engine, watch, &items::form(&settings, item), |import, items| {
                Kind::ItemsImported { import, items }
            })
        }
        What::Members => {
            order.carry_out(engine, watch, &members::form(&settings), |import, members| {
                Kind::MembersImported { import, members }
            })
        }
        What::Points => {
            let known = |code: &str| reader.member(code).ok().flatten().is_some();
            order.carry_out(engine, watch, &points::form(known), |import, points| {
                Kind::PointsImported { import, points }
            })
        }
        What::Stock => {
            let known = |code: &str| item(code).is_some();
            order.carry_out(engine, watch, &stock::form(known), |import, stock| {
                Kind::StockImported { import, stock }
            })
        }
    }
}

impl Order<'_> {
    fn carry_out<T: Send>(
        &self,
        engine: &mut Engine,
        watch: Watch<'_>,
        form: &Form<'_, T>,
        kind: fn(u128, Vec<T>) -> Kind,
    ) -> Result<Report, ImportError> {
        let file = File::open(self.path)?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::from(io::ErrorKind::InvalidInput).into());
        }
        let mut sheet = Sheet::open(file, form.wanted, self.mapping)?;
        let import = engine.chance.id(engine.shop.journal().head().seq);
        let (stager, mut stage) = match self.mode {
            Mode::DryRun => (None, None),
            Mode::Apply => {
                let day = engine.register.business_date(engine.now());
                let coming = Coming { import, day, wanted: about.len() / ROW_BYTES };
                let (stager, stage) = engine.shop.stage(coming)?;
                (Some(stager), Some(stage))
            }
        };
        let mut tally = Tally::new(sheet.unknown_columns());
        let reading = Reading {
            layout: sheet.layout().clone(),
            form,
            stager: stager.as_ref(),
            kind: &|rows| kind(import, rows),
        };
        reading.each(&mut sheet, |mut read, bytes| {
            tally.take(&mut read.chunk);
            watch(Doing::Reading, bytes, about.len());
            match (&mut stage, read.staged?) {
                (Some(stage), Some(staged)) if tally.report().is_clean() => stage.push(staged),
                _ => Ok(()),
            }
            .map_err(|error| StoreError::File(error).into())
        })?;
        let report = tally.end(sheet.broken());
        drop(stager); // Its keys are no longer needed, and a sorting-in needs room.
        match stage {
            Some(stage) if report.is_clean() => {
                let close = Kind::ImportClosed { import, rows: stage.rows() };
                engine.record_import(stage, kind(import, Vec::new()), close, watch)?;
            }
            _ => {}
        }
        Ok(report)
    }
}

/// Reading a file by several threads.
struct Reading<'a, T> {
    layout: Layout,
    form: &'a Form<'a, T>,
    /// Absent when the file is only looked at.
    stager: Option<&'a Stager>,
    kind: &'a (dyn Fn(Vec<T>) -> Kind + Sync),
}

/// What a thread made of a chunk: its rows' entry, when all of them were good.
struct Made<T> {
    chunk: Chunk<T>,
    staged: Result<Option<Staged>, StoreError>,
}

/// A chunk to be read, and who waits for it.
type Job<T> = (Vec<Record>, Sender<Made<T>>);
/// Where the chunks come back, in the order of the file, and how far the file was read with them.
type InOrder<T> = (Receiver<Made<T>>, u64);

impl<T: Send> Reading<'_, T> {
    /// Calls `each` with what became of each chunk, in order, and the bytes read so far.
    fn each<R: Read + Seek + Send>(
        &self,
        sheet: &mut Sheet<R>,
        mut each: impl FnMut(Made<T>, u64) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let (jobs, work) = bounded::<Job<T>>(threads);
        let (order, in_order) = bounded::<InOrder<T>>(2 * threads);
        thread::scope(|scope| {
            scope.spawn(move || cut(sheet, &jobs, &order));
            for _ in 0..threads {
                let work = work.clone();
                scope.spawn(move || {
                    for (records, waiting) in work {
                        let _ = waiting.send(self.made(&records)); // Who waited may have given up.
                    }
                });
            }
            drop(work);
            in_order.into_iter().try_for_each(|(chunk, bytes)| match chunk.recv() {
                Ok(made) => each(made, bytes),
                Err(_) => Err(StoreError::Journal("a thread that reads".to_owned()).into()),
            })
        })
    }

    fn made(&self, records: &[Record]) -> Made<T> {
        let mut chunk = self.form.read(&self.layout, records);
        let staged = match self.stager {
            Some(stager) => {
                chunk.take_good().map(|rows| stager.stage((self.kind)(rows))).transpose()
            }
            None => Ok(None),
        };
        Made { chunk, staged }
    }
}

/// Cuts a file into chunks, until its end or until nobody reads them.
fn cut<R: Read + Seek, T>(sheet: &mut Sheet<R>, jobs: &Sender<Job<T>>, order: &Sender<InOrder<T>>) {
    loop {
        let records = sheet.next_chunk();
        let (made, waiting) = bounded(1);
        let is_last = records.is_empty();
        if is_last || order.send((waiting, sheet.bytes_read())).is_err() {
            return;
        }
        if jobs.send((records, made)).is_err() {
            return;
        }
    }
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
