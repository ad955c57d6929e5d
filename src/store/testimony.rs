//! What an entry says of itself, and what the second copy says of the journal.
//!
//! Room: store. May touch: the journal's files and the copy's, to read.
//! Invariant: hashes stand for everything before them, so the first entry that differs is found by
//! halving.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use super::audit::Disagreement;
use super::chain::Hash;
use super::fault::StoreError;
use super::history::{History, step_of};
use super::opening::Known;
use super::reader::{Reader, Record};
use super::second_copy::CopyPlace;
use super::verify::Watch as ChainWatch;
use super::z_signing::{self, Signed};
use crate::domain::entry::Entry;

/// What was read of a journal's entries.
#[derive(Debug, Default)]
pub struct Heard {
    pub signed: Vec<Signed>,
    /// The first entry that cannot be read, and every Z that is not signed as it must be.
    pub found: Vec<Disagreement>,
    /// One of them cannot be read: it ends what was heard.
    is_broken: bool,
}

/// Reads every entry of a journal whose chain is whole, with at most `threads` threads.
pub fn every_entry(reader: &Reader, threads: usize) -> Result<Heard, StoreError> {
    let (last, mut heard) = (reader.head().seq, Heard::default());
    let part = last.div_ceil(threads.max(1) as u64).max(1);
    let firsts = (1..=last).step_by(usize::try_from(part).unwrap_or(usize::MAX));
    let parts: Vec<_> = thread::scope(|scope| {
        let hear = |first| scope.spawn(move || entries_of(reader, first, part));
        let hearing: Vec<_> = firsts.map(hear).collect();
        hearing
            .into_iter()
            .map(|part| part.join().unwrap_or_else(|why| resume_unwind(why)))
            .collect()
    });
    for part in parts {
        let part = part?;
        let is_broken = part.is_broken;
        heard.go_on(part);
        if is_broken {
            break; // What stands behind an entry that cannot be read is not told.
        }
    }
    Ok(heard)
}

/// Reads so many entries from `first` on, or as many as can be read.
fn entries_of(reader: &Reader, first: u64, count: u64) -> Result<Heard, StoreError> {
    let (lane, mut heard) = (reader.id().lane(), Heard::default());
    for record in reader.iter_from(first).take(usize::try_from(count).unwrap_or(usize::MAX)) {
        let record = record?;
        match step_of(&record) {
            Ok(step) => heard.signature(lane, &record, &step.entry),
            Err(error) => {
                let (seq, what) = (record.seq, error.to_string());
                heard.found.push(Disagreement::Entry { lane, seq, what });
                heard.is_broken = true;
                break;
            }
        }
    }
    Ok(heard)
}

impl Heard {
    fn signature(&mut self, lane: u8, record: &Record, entry: &Entry) {
        match z_signing::check(entry, record.prev_hash, &record.body) {
            Ok(None) => {}
            Ok(Some((since, key))) => self.sign(Signed { lane, key, since, count: 1 }),
            Err(why) => self.found.push(Disagreement::Seal { lane, seq: record.seq, why }),
        }
    }

    fn sign(&mut self, more: Signed) {
        match self.signed.last_mut() {
            Some(last) if last.key == more.key => last.count += more.count,
            _ => self.signed.push(more),
        }
    }

    /// Takes over what was heard of the entries that follow.
    fn go_on(&mut self, next: Self) {
        next.signed.into_iter().for_each(|signed| self.sign(signed));
        self.found.extend(next.found);
    }
}

/// What the second copy says of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopySays {
    /// It is not there, or holds nothing of this journal yet.
    Away,
    /// What it holds is the journal's.
    Agrees,
    /// It knows another entry in this place, the first of which that is so.
    Other { seq: u64 },
    /// It knows so many entries more, from this one on.
    More { from: u64, entries: u64 },
    /// It is damaged itself.
    Damaged(String),
}

/// Holds a journal against its second copy.
pub fn copy_says(journal: &Reader, copy: &CopyPlace) -> Result<CopySays, StoreError> {
    let id = journal.id();
    let copied = History { files: Arc::clone(&copy.files), dir: copy.dir.clone() };
    if !copied.journals().is_ok_and(|there| there.contains(&(id.lane(), id.epoch()))) {
        return Ok(CopySays::Away);
    }
    let (reader, report) = copied.open(id.lane(), id.epoch(), Known::default())?;
    let chain = reader.verify(None, 2, &ChainWatch::default());
    let torn = |damage: &&super::catalog::Damage| !is_unfinished(&report, damage);
    if let Some(damage) = chain.damage.iter().chain(&report.damage).find(torn) {
        return Ok(CopySays::Damaged(damage.to_string()));
    }
    let (own, other) = (journal.head().seq, reader.head().seq);
    let common = own.min(other);
    if common > 0 && differ(journal, &reader, common)? {
        return Ok(CopySays::Other { seq: first_other(journal, &reader, common)? });
    }
    Ok(match other.checked_sub(own) {
        Some(entries @ 1..) => CopySays::More { from: own + 1, entries },
        _ => CopySays::Agrees,
    })
}

/// Holds the journal against the last entry of its second copy alone: what a start has time for.
pub fn copy_head_says(journal: &Reader, copy: &CopyPlace) -> Result<CopySays, StoreError> {
    let id = journal.id();
    let copied = History { files: Arc::clone(&copy.files), dir: copy.dir.clone() };
    if !copied.journals().is_ok_and(|there| there.contains(&(id.lane(), id.epoch()))) {
        return Ok(CopySays::Away);
    }
    // Where both are the same, the copy's newest records begin where the journal's do.
    let known = Known { checkpoint: journal.newest_mark(), witness: None };
    let (reader, _) = copied.open(id.lane(), id.epoch(), known)?;
    let (own, other) = (journal.head().seq, reader.head());
    if let Some(entries @ 1..) = other.seq.checked_sub(own) {
        return Ok(CopySays::More { from: own + 1, entries });
    }
    let same = other.seq == 0 || hash(journal, other.seq)? == Some(other.hash);
    Ok(if same { CopySays::Agrees } else { CopySays::Other { seq: other.seq } })
}

/// A step of the copy that a cut tore is made good when it next follows.
fn is_unfinished(report: &super::opening::OpenReport, damage: &super::catalog::Damage) -> bool {
    report.tail == super::opening::TailFound::Damaged(*damage)
        && matches!(damage.why, super::catalog::Why::Record(_))
}

fn differ(one: &Reader, other: &Reader, seq: u64) -> Result<bool, StoreError> {
    Ok(hash(one, seq)? != hash(other, seq)?)
}

fn hash(reader: &Reader, seq: u64) -> Result<Option<Hash>, StoreError> {
    match reader.read(seq) {
        Ok(record) => Ok(Some(record.hash)),
        // The journal's own damage is named elsewhere; here it is simply not the copy's entry.
        Err(super::reader::ReadError::Damaged(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns the first entry up to `last`, which differs, that differs.
fn first_other(one: &Reader, other: &Reader, last: u64) -> Result<u64, StoreError> {
    let (mut same, mut differs) = (0, last);
    while differs - same > 1 {
        let middle = same + (differs - same) / 2;
        match differ(one, other, middle)? {
            true => differs = middle,
            false => same = middle,
        }
    }
    Ok(differs)
}
