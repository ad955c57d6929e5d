//! Proving, saving and bringing back a shop's data, for the command line and for the Z.
//!
//! Room: app. May touch: the store; one thread a backup or check.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use super::books::Books;
use super::lane_config::LaneConfig;
use super::opening::{Options, place};
use super::words::must_be_file;
use super::z_backup::clear_trials;
use crate::domain::number::DocNo;
use crate::domain::register::Now;
use crate::store::audit::{Audit, PaperVerdict, check_paper, prove, prove_beside};
use crate::store::backup::{self, Manifest};
use crate::store::catalog::{Damage, Why};
use crate::store::fault::StoreError;
use crate::store::files::Files;
use crate::store::files::plain::PlainFiles;
use crate::store::history::History;
use crate::store::keys::Keys;
use crate::store::keys_copy;
use crate::store::opening::Known;
use crate::store::projections::Watch;
use crate::store::reader::Reader;
use crate::store::repair::{Missing, Source};
use crate::store::restore::{OverNewer, Restore};
use crate::store::second_copy::CopyPlace;
use crate::store::segment::Month;
use crate::store::shop::ShopPlace;
use crate::store::shop_lock::ShopLock;
use crate::store::testimony::{CopySays, copy_head_says};
use crate::store::verify::Watch as ChainWatch;

/// Recomputes everything the shop holds. The shop must not be open.
///
/// # Errors
/// `Busy` when a register holds it, or why it could not be read at all.
pub fn verify(
    options: &Options,
    config: &LaneConfig,
    watch: Watch<'_>,
) -> Result<Audit, StoreError> {
    prove(&place(options, config), watch)
}

/// Recomputes everything the shop holds while its register sells on.
///
/// # Errors
/// Why it could not be read at all.
pub fn verify_beside(books: &Books, place: &ShopPlace) -> Result<Audit, StoreError> {
    prove_beside(place, books.keys(), books.reader(), books.journal(), &mut |_, _| {})
}

/// Holds the journal against the number and the 16 characters of a paper.
///
/// # Errors
/// When the journal cannot be read.
pub fn verify_paper(books: &Books, receipt: DocNo, head: &str) -> Result<PaperVerdict, StoreError> {
    let files: Arc<dyn Files> = Arc::new(PlainFiles);
    check_paper(&History::new(files, books.dir()), books.reader(), receipt, head)
}

/// Writes a backup of an open shop and reads it back.
///
/// # Errors
/// When it cannot be written, or reads back otherwise; a folder or a device is left as it is.
pub fn back_up(books: &Books, path: &Path) -> Result<Manifest, StoreError> {
    match must_be_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let files: Arc<dyn Files> = Arc::new(PlainFiles);
    backup::write(&files, books.dir(), books.keys(), path)
}

/// Reads a backup and changes nothing.
///
/// # Errors
/// `Busy` while a register has the folder, or a backup that is damaged.
pub fn look_before_restoring(
    options: &Options,
    config: &LaneConfig,
    path: &Path,
) -> Result<Manifest, StoreError> {
    let place = place(options, config);
    let manifest = backup::check(&*place.files, path)?;
    let _lock = ShopLock::take(&*place.files, &options.dir, place.pid)?;
    Ok(manifest)
}

/// Brings a backup back and begins a new epoch, since nothing proves that it holds the head.
///
/// # Errors
/// `Busy`, or a backup that is damaged or older than the journal; then nothing changed.
pub fn restore(
    options: &Options,
    config: &LaneConfig,
    path: &Path,
    now: Now,
    over_newer: OverNewer,
    watch: Watch<'_>,
) -> Result<Manifest, StoreError> {
    let place = place(options, config);
    let restore = Restore {
        files: &place.files,
        backup: path,
        shop_dir: &options.dir,
        chance: place.chance.clone(),
        over_newer,
        pid: place.pid,
    };
    let manifest = restore.run()?;
    place.begin_epoch("restore", now, watch)?.shop.close()?;
    Ok(manifest)
}

/// What a rebuild came to.
pub struct Rebuilt {
    /// Entries of all journals there are, every epoch's.
    pub entries: u64,
    /// What is known of and nowhere to be found.
    pub missing: Option<Missing>,
}

/// Makes the store anew from the journal; first the journal from its copy, when asked.
///
/// # Errors
/// `Busy`, a copy that is damaged, a journal that cannot be folded, or one that lacks what is known of.
pub fn rebuild(
    options: &Options,
    config: &LaneConfig,
    source: Source,
    watch: Watch<'_>,
) -> Result<Rebuilt, StoreError> {
    let (opened, missing) = place(options, config).rebuild(source, options.time.now(), watch)?;
    opened.shop.close()?;
    let history = History::new(Arc::new(PlainFiles), &options.dir);
    let of_journal = |(lane, epoch)| Ok(history.reader(lane, epoch)?.head().seq);
    let counts: Result<Vec<u64>, StoreError> =
        history.journals()?.into_iter().map(of_journal).collect();
    Ok(Rebuilt { entries: counts?.iter().sum(), missing })
}

/// The check of the current year's chain that runs beside the first keys.
pub struct StartCheck {
    verdict: Receiver<Option<String>>,
}

impl StartCheck {
    /// Begins; `woken` is called at its end. The year is the journal's: a clock set wrong must not make
    /// the check an empty one.
    pub fn begin(
        books: &Books,
        copy: Option<CopyPlace>,
        woken: impl FnOnce() + Send + 'static,
    ) -> Self {
        let (tell, verdict) = bounded(1);
        clear_trials(books.dir());
        let (reader, keys) = (books.journal().clone(), books.keys().clone());
        let dir = books.dir().to_owned();
        // Without a thread the receiver hears nothing and the check counts as failed: words, no panic.
        let _ = std::thread::Builder::new().name("check".to_owned()).spawn(move || {
            let damage = first_damage(&dir, &reader, copy.as_ref());
            let found = damage.or_else(|| newer_keys(&keys, copy.as_ref()));
            let _ = tell.send(found); // Whoever asked has left.
            woken();
        });
        Self { verdict }
    }

    /// The verdict, when there is one.
    pub fn ended(&self) -> Option<Result<(), String>> {
        match self.verdict.try_recv() {
            Ok(damage) => Some(judged(damage)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err("check".to_owned())),
        }
    }

    /// Waits for the verdict.
    pub fn wait(&self) -> Result<(), String> {
        match self.verdict.recv() {
            Ok(damage) => judged(damage),
            Err(_) => Err("check".to_owned()),
        }
    }
}

fn judged(found: Option<String>) -> Result<(), String> {
    found.map_or(Ok(()), Err)
}

/// Says so when the second copy has keys that a disk lost after it had said that they were on it, or when
/// these cannot say whether it did.
fn newer_keys(keys: &Keys, copy: Option<&CopyPlace>) -> Option<String> {
    match keys_copy::is_ahead(keys, copy?) {
        Ok(is_ahead) => is_ahead.then(|| "keys.redb: the second copy knows more".to_owned()),
        Err(damaged @ StoreError::Keys(_)) => Some(damaged.to_string()),
        Err(_) => None, // As above: a copy that cannot be read is its own trouble.
    }
}

/// Returns the first damage of this year in any journal of the folder: those of the epochs before a
/// restore hold the year's sales, too.
fn first_damage(dir: &Path, running: &Reader, copy: Option<&CopyPlace>) -> Option<String> {
    let from = running.newest_month().and_then(|newest| Month::new(newest.year(), 1));
    let history = History::new(Arc::new(PlainFiles), dir);
    let journals = match history.journals_since(from.unwrap_or(Month::FIRST)) {
        Ok(journals) => journals,
        Err(error) => return Some(error.to_string()),
    };
    let own = (running.id().lane(), running.id().epoch());
    let former =
        journals.into_iter().filter(|journal| *journal != own).find_map(|(lane, epoch)| {
            match history.open(lane, epoch, Known::default()) {
                Ok((reader, report)) => {
                    damage_of(&reader, from).or(report.damage.into_iter().next())
                }
                Err(error) => return Some(error.to_string()),
            }
            .map(|damage| damage.to_string())
        });
    let found = former.or_else(|| damage_of(running, from).map(|damage| damage.to_string()));
    // A copy that cannot be read is its own trouble: its state is on the screen.
    let says = copy.and_then(|copy| copy_head_says(running, copy).ok());
    found.or(match says {
        Some(CopySays::More { from: seq, .. } | CopySays::Other { seq }) => {
            Some(Damage { segment: None, seq, offset: 0, why: Why::Witness }.to_string())
        }
        _ => None,
    })
}

fn damage_of(reader: &Reader, from: Option<Month>) -> Option<Damage> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    reader.verify(from, threads, &ChainWatch::default()).damage.into_iter().next()
}
