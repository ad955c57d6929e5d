//! Why a shop does not open, and who could bring it back.
//!
//! Room: store. May touch: the shop folder and the second copy, to read.
//! Invariant: changes nothing, and never dies of what it finds.

use std::path::PathBuf;
use std::sync::Arc;

use super::catalog::{Damage, Why};
use super::fault::StoreError;
use super::history::History;
use super::keys::Keys;
use super::keys_copy;
use super::opening::{Known, TailFound};
use super::second_copy::CopyPlace;
use super::shop::{KEYS_NAME, ShopPlace};
use super::verify::Watch as ChainWatch;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// Why the keys cannot be read.
    pub keys: Option<String>,
    /// Damage of the journals, first entry first, with their lanes.
    pub journal: Vec<(u8, Damage)>,
    /// Why the journal's folder cannot be read at all.
    pub unreadable: Option<String>,
    /// Only the journal's end is in doubt: what stands before it can be gone on from.
    pub end_only: bool,
    /// The second copy is there and whole.
    pub copy: bool,
    /// The second copy has the keys, too.
    pub keys_copy: bool,
    /// Backups, newest first.
    pub backups: Vec<PathBuf>,
}

/// Looks at a shop that no register has open. `opening` is what its last opening found, if it got so
/// far.
pub fn diagnose(place: &ShopPlace, opening: &[Damage]) -> Diagnosis {
    let history = History::new(place.files.clone(), &place.dir);
    let mut found = Diagnosis {
        keys: keys_fault(place),
        copy: place.copy.as_ref().is_some_and(|copy| is_whole(copy, place.lane)),
        keys_copy: place.copy.as_ref().is_some_and(has_keys),
        backups: backups(place),
        ..Diagnosis::default()
    };
    match journals(&history) {
        Ok(damage) => found.journal = damage,
        Err(error) => found.unreadable = Some(error.to_string()),
    }
    let told = opening.iter().map(|damage| (place.lane, *damage));
    found.journal.extend(told);
    found.journal.sort_by_key(|(lane, damage)| (*lane, damage.seq));
    found.journal.dedup();
    found.end_only = found.unreadable.is_none()
        && !found.journal.is_empty()
        && found.journal.iter().all(|(lane, damage)| is_end(&history, *lane, damage));
    found
}

fn keys_fault(place: &ShopPlace) -> Option<String> {
    let path = place.dir.join(KEYS_NAME);
    Keys::open_existing(place.files.clone(), &path, place.chance.clone())
        .err()
        .map(|error| error.to_string())
}

fn journals(history: &History) -> Result<Vec<(u8, Damage)>, StoreError> {
    let mut found = Vec::new();
    let journals = history.journals()?;
    if journals.is_empty() {
        return Err(StoreError::Folder("no journal"));
    }
    for (lane, epoch) in journals {
        let (reader, report) = history.open(lane, epoch, Known::default())?;
        let chain = reader.verify(None, 2, &ChainWatch::default());
        let damage = chain.damage.into_iter().chain(report.damage);
        found.extend(damage.map(|damage| (lane, damage)));
    }
    Ok(found)
}

/// Whether damage stands behind the last entry of the lane's newest journal that can be read.
fn is_end(history: &History, lane: u8, damage: &Damage) -> bool {
    let newest = history.journals().ok().and_then(|journals| {
        journals.into_iter().filter(|(other, _)| *other == lane).map(|(_, epoch)| epoch).max()
    });
    let opened = newest.and_then(|epoch| history.open(lane, epoch, Known::default()).ok());
    opened.is_some_and(|(reader, report)| {
        damage.why == Why::Witness
            || (report.tail == TailFound::Damaged(*damage)
                && match damage.why {
                    Why::Record(_) => damage.seq == reader.head().seq + 1,
                    // The newest month's: what it held cannot be told.
                    Why::Header => true,
                    _ => false,
                })
    })
}

fn has_keys(copy: &CopyPlace) -> bool {
    keys_copy::read(copy).is_ok_and(|copied| copied.is_some())
}

fn is_whole(copy: &CopyPlace, lane: u8) -> bool {
    let copied = History { files: Arc::clone(&copy.files), dir: copy.dir.clone() };
    let journals = copied.journals().unwrap_or_default();
    let own: Vec<_> = journals.into_iter().filter(|(other, _)| *other == lane).collect();
    let whole = |(lane, epoch)| {
        let opened = copied.open(lane, epoch, Known::default());
        opened.is_ok_and(|(reader, report)| {
            let chain = reader.verify(None, 2, &ChainWatch::default());
            chain.damage.is_empty() && report.damage.is_empty()
        })
    };
    !own.is_empty() && own.into_iter().all(whole)
}

/// The backups beside the shop; their names carry the Z, so the newest sorts last.
fn backups(place: &ShopPlace) -> Vec<PathBuf> {
    let folder = place.dir.join("backup");
    let mut names = place.files.list(&folder).unwrap_or_default();
    names.retain(|name| name.ends_with(".regi"));
    names.sort();
    names.into_iter().rev().map(|name| folder.join(name)).collect()
}
