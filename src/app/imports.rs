//! Bringing files in: read once, by all processors, then written as entries of up to 500 rows that
//! count once the last is in.
//!
//! Room: app. May touch: exchange, the books, threads it joins. Invariant: a file with one bad row
//! changes nothing; a chunk or two a thread is all of the file that is in memory.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use serde::{Deserialize, Serialize};

use super::books::{Books, ShopKind};
use super::clock::Time;
use super::engine::Engine;
use super::words::must_be_file;
use crate::domain::command::Pin;
use crate::domain::entry::{Draft, Kind};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::register::Lookup;
use crate::domain::settings::{Settings, SettingsChange};
use crate::exchange::csv_in::{Chunk, Form, Tally};
use crate::exchange::fault::{Fault, Report};
use crate::exchange::mapping::Mapping;
use crate::exchange::records::Record;
use crate::exchange::sheet::{Layout, Sheet};
use crate::exchange::shop_file::read_shop;
use crate::exchange::{items, members, points, stock};
use crate::store::appending::Import;
use crate::store::fault::StoreError;
use crate::store::pins;
use crate::store::staging::{Batch, Coming, Sorting, Stage, Staged, Stager};

/// Bytes of a short row: how many rows a file may have.
const ROW_BYTES: u64 = 64;
/// The most threads that read a file.
const MOST_THREADS: usize = 4;
/// Chunks a thread that may wait to be read, and how many may be under way before they are taken in order:
/// some 300 KB each. Threads that share a processor then seldom wait for each other.
const WAITING: usize = 2;
const UNDER_WAY: usize = 6;

/// Which master a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Items,
    Members,
    /// Members' balances.
    Points,
    /// What is on the shelf.
    Stock,
}

/// Whether the file is only looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    DryRun,
    Apply,
}

/// What an import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// What an import needs of the register, taken out of it: any thread may do it.
pub struct Desk {
    books: Arc<Books>,
    settings: Arc<Settings>,
    import: u128,
    time: Time,
    business_date: i32,
    staff: u32,
    room: Room,
}

/// Who else writes meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Nobody.
    All,
    /// The counter: its acts come between the rows.
    Beside,
}

impl Desk {
    pub fn of(engine: &mut Engine, room: Room) -> Self {
        let now = engine.now();
        Self {
            import: engine.chance.id(engine.shop.journal().head().seq),
            books: Arc::clone(&engine.shop),
            settings: Arc::clone(&engine.register.settings),
            time: engine.time,
            business_date: engine.register.business_date(now),
            staff: engine.register.session.staff.unwrap_or(0),
            room,
        }
    }

    /// Writes an import and waits until it is sorted in. `kind` is that of its entries, without rows;
    /// `before` is how many rows had been sorted in before it.
    ///
    /// # Errors
    /// The refusal when it could not be written; then nothing of it counts.
    fn record(
        &self,
        stage: Stage,
        kind: Kind,
        before: u64,
        watch: Watch<'_>,
    ) -> Result<(), Refusal> {
        let (entries, rows) = (stage.entries(), stage.rows());
        let (business_date, staff) = (self.business_date, self.staff);
        let draft = Draft { business_date, staff, training: false, kind };
        let close = Kind::ImportClosed { import: self.import, rows };
        let import = Import { stage, draft, close };
        let reader = self.books.reader();
        let mut written = |written| watch(Doing::Writing, written, entries);
        let last = match self.room {
            Room::All => {
                let placed = self.books.append_import(import, self.time.now(), &mut written)?;
                placed.last().map_or(0, |entry| entry.header.seq)
            }
            Room::Beside => self.books.feed_import(import, &|| self.time.now(), &mut written)?,
        };
        reader.wait_sorted_in(last, &mut |sorted| {
            watch(Doing::SortingIn, sorted.saturating_sub(before), rows);
        })?;
        Ok(())
    }
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
pub fn import(desk: &Desk, order: Order<'_>, watch: Watch<'_>) -> Result<Report, ImportError> {
    let (settings, reader) = (Arc::clone(&desk.settings), desk.books.reader().clone());
    let is_empty = !reader.has_items()?;
    let item = |code: &str| match is_empty {
        true => None,
        false => reader.item(code).ok().flatten().map(|found| found.item),
    };
    match order.what {
        What::Items => {
            let kind = |import, items| Kind::ItemsImported { import, items };
            let entries = Entries { are_first: is_empty, ..Entries::open(kind) };
            order.carry_out(desk, watch, &items::form(&settings, item), entries)
        }
        What::Members => {
            let kind = |import, members| Kind::MembersImported { import, members };
            let are_first = reader.count_members()? == 0;
            let entries = Entries { kind, seal: |batch, member| batch.seal(member), are_first };
            order.carry_out(desk, watch, &members::form(&settings), entries)
        }
        What::Points => {
            let known = |code: &str| reader.member(code).ok().flatten().is_some();
            let entries = Entries::open(|import, points| Kind::PointsImported { import, points });
            order.carry_out(desk, watch, &points::form(known), entries)
        }
        What::Stock => {
            let known = |code: &str| item(code).is_some();
            let entries = Entries::open(|import, stock| Kind::StockImported { import, stock });
            order.carry_out(desk, watch, &stock::form(known), entries)
        }
    }
}

/// What entries rows become.
struct Entries<T> {
    kind: fn(u128, Vec<T>) -> Kind,
    /// Seals a row as soon as it is read.
    seal: fn(&mut Batch<'_>, &mut T) -> Result<(), StoreError>,
    /// The store has none of their kind yet.
    are_first: bool,
}

impl<T> Entries<T> {
    /// Of rows in which nothing is sealed.
    fn open(kind: fn(u128, Vec<T>) -> Kind) -> Self {
        Self { kind, seal: |_, _| Ok(()), are_first: false }
    }
}

impl Order<'_> {
    fn carry_out<T: Send>(
        &self,
        desk: &Desk,
        watch: Watch<'_>,
        form: &Form<'_, T>,
        entries: Entries<T>,
    ) -> Result<Report, ImportError> {
        must_be_file(self.path)?;
        let file = File::open(self.path)?;
        let about = file.metadata()?;
        let mut sheet = Sheet::open(file, form.wanted, self.mapping)?;
        let import = desk.import;
        let (stager, mut stage) = match self.mode {
            Mode::DryRun => (None, None),
            Mode::Apply => {
                let (day, wanted) = (desk.business_date, about.len() / ROW_BYTES);
                let sorting = match desk.room {
                    Room::All if entries.are_first => Sorting::Ahead,
                    _ => Sorting::Behind,
                };
                let coming = Coming { import, day, wanted, sorting };
                let (stager, stage) = desk.books.stage(coming)?;
                (Some(stager), Some(stage))
            }
        };
        let before = desk.books.reader().rows_sorted_in();
        let mut tally = Tally::new(sheet.unknown_columns());
        let reading = Reading {
            layout: sheet.layout().clone(),
            form,
            stager: stager.as_ref(),
            import,
            entries: &entries,
        };
        reading.each(&mut sheet, |mut read, bytes| {
            tally.take(&mut read.chunk);
            watch(Doing::Reading, bytes, about.len());
            let staged = read.staged?;
            if !tally.report().is_clean() {
                stage = None; // Who sorts its rows in need not wait for the file's end.
            }
            match stage.as_mut().zip(staged) {
                Some((stage, staged)) => stage.push(staged),
                None => Ok(()),
            }
            .map_err(|error| StoreError::File(error).into())
        })?;
        let report = tally.end(sheet.broken());
        drop(stager); // Its keys are no longer needed, and a sorting-in needs room.
        match stage {
            Some(stage) if report.is_clean() => {
                desk.record(stage, (entries.kind)(import, Vec::new()), before, watch)?;
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
    import: u128,
    entries: &'a Entries<T>,
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
        let (jobs, work) = bounded::<Job<T>>(WAITING * threads);
        let (order, in_order) = bounded::<InOrder<T>>(UNDER_WAY * threads);
        let (spent, used) = bounded(UNDER_WAY * threads);
        thread::scope(|scope| {
            scope.spawn(move || cut(sheet, &jobs, &order, &used));
            for _ in 0..threads {
                let (work, spent) = (work.clone(), spent.clone());
                scope.spawn(move || {
                    for (records, waiting) in work {
                        let _ = waiting.send(self.made(&records)); // Who waited may have given up.
                        let _ = spent.try_send(records); // Enough of them are there.
                    }
                });
            }
            drop((work, spent));
            in_order.into_iter().try_for_each(|(chunk, bytes)| match chunk.recv() {
                Ok(made) => each(made, bytes),
                Err(_) => Err(StoreError::Journal("a thread that reads".to_owned()).into()),
            })
        })
    }

    fn made(&self, records: &[Record]) -> Made<T> {
        let mut batch = self.stager.map(|stager| stager.begin(records.len()));
        let mut sealed = Ok(());
        let mut chunk = self.form.read(&self.layout, records, |row| {
            if let (Some(batch), Ok(())) = (&mut batch, &sealed) {
                sealed = (self.entries.seal)(batch, row);
            }
        });
        let staged = sealed.and_then(|()| {
            let end = |(batch, rows): (Batch<'_>, Vec<T>)| {
                batch.end((self.entries.kind)(self.import, rows))
            };
            batch.zip(chunk.take_good()).map(end).transpose()
        });
        Made { chunk, staged }
    }
}

/// Cuts a file into chunks, until its end or until nobody reads them.
fn cut<R: Read + Seek, T>(
    sheet: &mut Sheet<R>,
    jobs: &Sender<Job<T>>,
    order: &Sender<InOrder<T>>,
    used: &Receiver<Vec<Record>>,
) {
    loop {
        let records = sheet.next_chunk(used.try_recv().unwrap_or_default());
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
    let change = read_shop(text, &engine.register.settings)?;
    check_pins(&change)?;
    if mode == Mode::Apply {
        change_settings(engine, change)?;
    }
    Ok(())
}

/// Changes the shop's settings while its register runs, between two sales: one that is open was priced by
/// those it began with.
///
/// # Errors
/// The first fault, with its line; `open_sale`; `busy` for PINs, whose writing would hold up the counter.
pub fn import_shop_beside(engine: &mut Engine, text: &str, mode: Mode) -> Result<(), ImportError> {
    if mode == Mode::Apply {
        if let Some(damage) = &engine.damage {
            return Err(damage.clone().into());
        }
        if engine.register.cart.has_sale() {
            return Err(Refusal::from(RefusalCode::OpenSale).into());
        }
        let mut change = read_shop(text, &engine.register.settings)?;
        if !change.take_pins().is_empty() {
            return Err(Refusal::new(RefusalCode::Busy).saying("pins_beside").into());
        }
    }
    import_shop(engine, text, mode)
}

fn check_pins(change: &SettingsChange) -> Result<(), Refusal> {
    let pins = change.clone().take_pins();
    pins.iter().try_for_each(|(_, pin)| pins::allowed(pin, ShopKind::Real.pins()))
}

/// Applies a change of the settings: PINs first, then the entries that say so.
///
/// # Errors
/// The refusal when a value does not fit or nothing could be written.
pub fn change_settings(engine: &mut Engine, mut change: SettingsChange) -> Result<(), Refusal> {
    let pins: Vec<(u32, Pin)> = change.take_pins();
    change.apply(&mut (*engine.register.settings).clone())?;
    for (staff, pin) in &pins {
        engine.shop.set_pin(*staff, Some(pin), ShopKind::Real)?;
    }
    let mut kinds = change.into_kinds();
    kinds.extend(pins.iter().map(|(staff, _)| Kind::PinChanged { staff: *staff }));
    engine.record(kinds)?;
    Ok(())
}
