//! The journals that lie in a shop's folder, and their entries in order.
//!
//! Room: store. May touch: the journal's files, to read.
//! Invariant: an entry is decoded only from a record that was proved; whatever is not, is named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use crossbeam_channel::bounded;

use super::chain::{Epoch, JournalId};
use super::codec;
use super::fault::StoreError;
use super::files::{Files, read_full};
use super::folding::Step;
use super::imports::{Past, Span};
use super::lanes::Folded;
use super::opening::{Checkpoint, Known, OpenReport, is_blank};
use super::reader::{ReadError, Reader, Record};
use super::segment::{HEADER_LEN, Header, Month, SegmentName};
use crate::domain::entry::Entry;

/// A folder of journals, to be read.
#[derive(Debug, Clone)]
pub struct History {
    pub files: Arc<dyn Files>,
    /// The `journal` folder.
    pub dir: PathBuf,
}

impl History {
    pub fn new(files: Arc<dyn Files>, shop_dir: &Path) -> Self {
        Self { files, dir: shop_dir.join("journal") }
    }

    /// Returns the lanes and epochs of which there are segments, in order. A later epoch of which a cut
    /// left only a name, or half a header, never began.
    pub fn journals(&self) -> Result<Vec<(u8, Epoch)>, StoreError> {
        let names = self.files.list(&self.dir)?;
        let mut found = BTreeSet::new();
        for name in names.iter().filter_map(|name| SegmentName::parse(name)) {
            let journal = (name.lane, name.epoch);
            if !found.contains(&journal) && (name.epoch == Epoch::FIRST || self.holds(name)?) {
                found.insert(journal);
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Returns those of the journals that have a segment of month `from` or later.
    pub fn journals_since(&self, from: Month) -> Result<Vec<(u8, Epoch)>, StoreError> {
        let names = self.files.list(&self.dir)?;
        let recent: BTreeSet<_> = names
            .iter()
            .filter_map(|name| SegmentName::parse(name))
            .filter(|name| name.place.month >= from)
            .map(|name| (name.lane, name.epoch))
            .collect();
        let mut journals = self.journals()?;
        journals.retain(|journal| recent.contains(journal));
        Ok(journals)
    }

    /// Whether a segment holds more than a header that a cut tore.
    fn holds(&self, name: SegmentName) -> Result<bool, StoreError> {
        let file = self.files.open(&self.dir.join(name.to_string()))?;
        let mut header = [0; HEADER_LEN];
        let whole = read_full(&*file, 0, &mut header).is_ok() && Header::decode(&header).is_some();
        Ok(whole || (file.len()? > HEADER_LEN as u64 && !is_blank(&*file)?))
    }

    /// Returns the identity of a journal, as its first readable header says.
    pub fn id(&self, lane: u8, epoch: Epoch) -> Result<Option<JournalId>, StoreError> {
        for name in self.files.list(&self.dir)? {
            let Some(segment) = SegmentName::parse(&name) else { continue };
            if (segment.lane, segment.epoch) != (lane, epoch) {
                continue;
            }
            let mut header = [0; HEADER_LEN];
            let file = self.files.open(&self.dir.join(&name))?;
            if read_full(&*file, 0, &mut header).is_ok()
                && let Some(header) = Header::decode(&header)
            {
                return Ok(Some(header.id));
            }
        }
        Ok(None)
    }

    /// Opens one journal to read, and says what is wrong at its end. Its last segment is walked from
    /// what is `known`: from its beginning when nothing is.
    pub fn open(
        &self,
        lane: u8,
        epoch: Epoch,
        known: Known,
    ) -> Result<(Reader, OpenReport), StoreError> {
        let id = self.id(lane, epoch)?.ok_or(StoreError::Folder("no journal"))?;
        Ok(Reader::open(self.files.clone(), &self.dir, &id, known)?)
    }

    /// Opens one journal to read as far as it is whole.
    pub fn reader(&self, lane: u8, epoch: Epoch) -> Result<Reader, StoreError> {
        Ok(self.open(lane, epoch, Known::default())?.0)
    }
}

/// Reads a record as the step that folds it.
pub fn step_of(record: &Record) -> Result<Step, StoreError> {
    let entry = codec::decode_entry(&record.body)?;
    let checkpoint =
        Checkpoint { place: record.segment.place, offset: record.end, head: record.head() };
    let header = &entry.header;
    if (header.seq, header.lane) != (record.seq, record.segment.lane) {
        let what = format!("it stands as entry {} of lane {}", record.seq, record.segment.lane);
        return Err(StoreError::Unfit { seq: header.seq, what });
    }
    let place = Folded::at(header.epoch, &checkpoint);
    Ok(Step { entry, place })
}

/// Batches of steps that are read before the first of them is done with.
const READ_AHEAD: usize = 2;
/// Bytes of records in one batch: of an import's entries a few make it up.
const MOST_BYTES: usize = 1 << 20;

/// Calls `each` with the steps of a journal from `seq` on, up to `at_once` of them together, or 1 MB of
/// records; the next are read, proved and decoded meanwhile.
pub fn each_batch(
    reader: &Reader,
    seq: u64,
    at_once: usize,
    mut each: impl FnMut(&[Step]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if seq > reader.head().seq {
        return Ok(());
    }
    thread::scope(|scope| {
        let (hand, batches) = bounded(READ_AHEAD);
        scope.spawn(move || {
            let mut records = reader.iter_from(seq);
            loop {
                let batch = batch(&mut records, at_once);
                if batch.as_ref().is_ok_and(Vec::is_empty) {
                    return;
                }
                let is_broken = batch.is_err();
                if hand.send(batch).is_err() || is_broken {
                    return; // Whoever folds them has stopped.
                }
            }
        });
        batches.into_iter().try_for_each(|batch| each(&batch?))
    })
}

fn batch(
    records: &mut impl Iterator<Item = Result<Record, ReadError>>,
    at_once: usize,
) -> Result<Vec<Step>, StoreError> {
    let (mut steps, mut bytes) = (Vec::new(), 0);
    while steps.len() < at_once && bytes < MOST_BYTES {
        let Some(record) = records.next().transpose()? else { break };
        bytes += record.body.len();
        steps.push(step_of(&record)?);
    }
    Ok(steps)
}

/// An import's rows are read from the journal of the lane that brought them.
impl Past for History {
    fn each(
        &self,
        span: &Span,
        each: &mut dyn FnMut(Entry) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let epoch = u8::try_from(span.epoch).ok().and_then(Epoch::new);
        let epoch = epoch.ok_or(StoreError::Folder("no such epoch"))?;
        let known = Known { checkpoint: span.known, witness: None };
        let (reader, _) = self.open(span.lane, epoch, known)?;
        let count = (span.to + 1).saturating_sub(span.from);
        for record in reader.iter_from(span.from).take(count as usize) {
            let record = record?;
            each(codec::decode_entry(&record.body)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::files::faulty::FaultyFiles;
    use crate::store::segment::Place;

    #[test]
    fn journals_that_ended_before_a_month_are_left_out() {
        let disk = FaultyFiles::new();
        let history = History::new(Arc::new(disk.clone()), Path::new("/shop"));
        let month = |year, month| Month::new(year, month).unwrap();
        for (lane, months) in
            [(1, vec![month(2025, 12)]), (2, vec![month(2025, 3), month(2026, 1)])]
        {
            for month in months {
                let place = Place { month, part: 1 };
                let name = SegmentName { lane, epoch: Epoch::FIRST, place };
                disk.create(&history.dir.join(name.to_string())).unwrap();
            }
        }
        let lanes = |from| {
            let journals = history.journals_since(from).unwrap().into_iter();
            journals.map(|(lane, _)| lane).collect::<Vec<_>>()
        };
        assert_eq!(lanes(Month::FIRST), [1, 2]);
        assert_eq!(lanes(month(2025, 12)), [1, 2]);
        assert_eq!(lanes(month(2026, 1)), [2]);
        assert!(lanes(month(2026, 2)).is_empty());
    }
}
