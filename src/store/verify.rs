//! Recomputing the chain, segments in parallel.
//!
//! Room: store. May touch: the journal's files, to read; threads it joins. May not: write.
//! Invariant: what passes was read from disk in this run, headers included, and hangs together
//! from the first entry to the head.

use std::io::{self, ErrorKind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use super::catalog::{Catalog, Damage, Segment, Why};
use super::chain::Head;
use super::files::{DiskFile, read_full};
use super::opening::{beyond, gap_before};
use super::reader::{Reader, ending, stumble};
use super::record::{is_one_write, is_room};
use super::segment::{Begun, HEADER_LEN, Header, Month};
use super::walk::Walk;

/// What the screen may read and say while a check runs.
#[derive(Debug, Default)]
pub struct Watch {
    /// Bytes proved so far.
    pub checked: AtomicU64,
    /// Set it to end the check early.
    pub stop: AtomicBool,
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub records: u64,
    pub bytes: u64,
    /// The head the check reached up to.
    pub head: Head,
    /// What is wrong, first entry first; empty when all is well.
    pub damage: Vec<Damage>,
    /// Whether it was told to stop before the end.
    pub stopped: bool,
}

/// What one segment gave.
#[derive(Debug, Default)]
struct Tally {
    records: u64,
    bytes: u64,
    damage: Vec<Damage>,
}

impl Reader {
    /// Recomputes the chain from the segments of month `from` on (all of them for `None`) to what
    /// is the head now, with at most `threads` threads.
    pub fn verify(&self, from: Option<Month>, threads: usize, watch: &Watch) -> Verified {
        let catalog = self.catalog().clone();
        let begin = |segment: &Segment| from.is_some_and(|from| segment.header.place.month < from);
        let first = catalog.segments.partition_point(begin);
        let next = AtomicUsize::new(first);
        let tally = Mutex::new(Tally { damage: self.gaps(&catalog, first), ..Tally::default() });
        let work = || {
            while let Some(place) = take(&next, catalog.segments.len()) {
                let found = self.verify_segment(&catalog, place, watch);
                let mut all = tally.lock().unwrap_or_else(PoisonError::into_inner);
                all.records += found.records;
                all.bytes += found.bytes;
                all.damage.extend(found.damage);
            }
        };
        thread::scope(|scope| {
            for _ in 1..threads.clamp(1, (catalog.segments.len() - first).max(1)) {
                scope.spawn(work);
            }
            work();
        });
        let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        tally.damage.sort_by_key(|damage| (damage.seq, damage.segment, damage.offset));
        Verified {
            records: tally.records,
            bytes: tally.bytes,
            head: catalog.head,
            damage: tally.damage,
            stopped: watch.stop.load(Ordering::Relaxed),
        }
    }

    /// Finds the segments that others continue and that are not there.
    fn gaps(&self, catalog: &Catalog, first: usize) -> Vec<Damage> {
        let mut damage = Vec::new();
        for (place, segment) in catalog.segments.iter().enumerate().skip(first) {
            let header = &segment.header;
            let before = place.checked_sub(1).and_then(|place| catalog.segments.get(place));
            match (before, header.former) {
                (Some(before), Some(former)) if before.header.place == former.place => {}
                (None, None) if header.after == self.id().genesis() => {}
                (before, _) => {
                    let missing = before.map_or(1, |before| before.header.after.seq + 1);
                    damage.push(gap_before(header, missing));
                }
            }
        }
        damage
    }

    fn verify_segment(&self, catalog: &Catalog, place: usize, watch: &Watch) -> Tally {
        let segment = &catalog.segments[place];
        let mut tally = Tally::default();
        let next = catalog.segments.get(place + 1).map(|next| &next.header);
        match self.files().open(&self.path(segment.name())) {
            Ok(file) => {
                if read_header(&*file).ok().flatten().as_ref() != Some(&segment.header) {
                    tally.damage.push(segment.damage(segment.header.after.seq + 1, 0, Why::Header));
                }
                let walk =
                    Walk::new(file.clone(), HEADER_LEN as u64, segment.header.after, segment.end);
                self.walk_all(segment, walk, &mut tally, watch);
                tally.damage.extend(surplus(&*file, segment, next));
            }
            Err(_) => {
                let seq = segment.header.after.seq + 1;
                tally.damage.push(segment.damage(seq, 0, Why::Unreadable));
            }
        }
        tally
    }

    fn walk_all(&self, segment: &Segment, mut walk: Walk, tally: &mut Tally, watch: &Watch) {
        while !watch.stop.load(Ordering::Relaxed) {
            match walk.step() {
                Ok(Some(step)) => {
                    let len = step.frame.len() as u64;
                    tally.records += 1;
                    tally.bytes += len;
                    watch.checked.fetch_add(len, Ordering::Relaxed);
                    self.note(segment.name(), &step);
                }
                Ok(None) => {
                    tally.damage.extend(ending(segment, &walk).err());
                    return;
                }
                Err(e) => {
                    tally.damage.push(stumble(segment, &walk, &e));
                    return;
                }
            }
        }
    }
}

/// Returns the next segment's place to check, if one is left.
fn take(next: &AtomicUsize, len: usize) -> Option<usize> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    (place < len).then_some(place)
}

fn read_header(file: &dyn DiskFile) -> io::Result<Option<Header>> {
    let mut bytes = [0; HEADER_LEN];
    read_full(file, 0, &mut bytes)?;
    Ok(Header::decode(&bytes))
}

/// Finds bytes beyond a closed segment's end that no failed write explains. The last segment may
/// be growing, so nothing is said of it.
fn surplus(file: &dyn DiskFile, segment: &Segment, next: Option<&Header>) -> Option<Damage> {
    let next = next.filter(|next| next.former.is_some_and(|f| f.place == segment.header.place))?;
    let found = Some(segment.damage(next.after.seq + 1, segment.end, Why::Surplus));
    match beyond(file, segment.end) {
        // Room that nobody came to cut when the month was over.
        Ok(region) if is_room(&region) => None,
        Ok(region) if next.begun == Begun::AfterFault && is_one_write(&region) => None,
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => None, // The walk has named it.
        _ => found,
    }
}
