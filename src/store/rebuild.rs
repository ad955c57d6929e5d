//! The journal back from its second copy, all of it or none.
//!
//! Room: store. May touch: a closed journal's files and the copy's, those only to read. May not:
//! shorten the journal.
//! Invariant: what the journal proves beyond the copy stays; before the first rename nothing has
//! changed, and each rename puts a whole, proved segment in place.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::catalog::{Damage, Segment, Why};
use super::chain::{Head, JournalId};
use super::files::{Files, beside, read_whole, write_fresh};
use super::opening::{Known, OpenReport, TailFound, look};
use super::reader::Reader;
use super::record::{self, Tail, is_room, judge_tail};
use super::second_copy::CopyPlace;
use super::segment::{Begun, SegmentName};
use super::verify::Watch;

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Segments written anew; empty when the journal was whole as it is.
    pub segments: Vec<SegmentName>,
    /// The head after it.
    pub head: Head,
}

/// Why nothing was put back.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The copy is damaged itself.
    #[error("the copy is damaged: {0}")]
    CopyDamaged(Damage),
    /// The journal holds entries beyond the copy that this would lose: so many are known.
    #[error("the journal knows entry {journal}, the copy only {copy}")]
    WouldShorten { journal: u64, copy: u64 },
    #[error("rebuilding the journal: {0}")]
    Io(#[from] io::Error),
}

/// What becomes of entries of the journal that neither the copy holds nor the chain proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproved {
    /// They stay, and nothing is put back.
    Kept,
    /// Staff go on without them.
    GivenUp,
}

/// Restores damaged and missing segments of the closed journal in `dir` from `copy`. The bytes a
/// segment held before are kept beside it, as `….log.damaged`.
pub fn rebuild_from_copy(
    files: &Arc<dyn Files>,
    dir: &Path,
    id: &JournalId,
    copy: &CopyPlace,
    unproved: Unproved,
    watch: &Watch,
) -> Result<Rebuilt, RebuildError> {
    let (reader, report) = Reader::open(copy.files.clone(), &copy.dir, id, Known::default())?;
    let checked = reader.verify(None, 2, watch);
    if let Some(damage) = report.damage.into_iter().chain(checked.damage).next() {
        return Err(RebuildError::CopyDamaged(damage));
    }
    let segments = reader.catalog().segments.clone();
    let stand = match (stand(&**files, dir, id, &segments, checked.head)?, unproved) {
        (Ok(stand), _) => stand,
        // What the journal itself proves is given up for no copy that knows less.
        (Err(short), Unproved::GivenUp) if short.stand.head.seq <= short.own.seq => {
            return Ok(Rebuilt { segments: Vec::new(), head: short.own });
        }
        (Err(short), Unproved::GivenUp) => short.stand,
        (Err(short), Unproved::Kept) => {
            let (journal, copy) = (short.known, checked.head.seq);
            return Err(RebuildError::WouldShorten { journal, copy });
        }
    };
    let mut ready = Vec::new();
    for (place, segment) in segments.iter().enumerate() {
        let behind = match segments.get(place + 1) {
            None => Behind::Own(stand.end),
            Some(next) if next.header.begun == Begun::AfterFault => Behind::Void,
            Some(_) => Behind::Nothing,
        };
        if let Some(scratch) = prepare(&**files, dir, copy, segment, behind)? {
            ready.push((segment.name(), scratch));
        }
    }
    files.make_dir(dir)?;
    files.sync_dir(dir)?;
    for (name, scratch) in &ready {
        files.rename(scratch, &dir.join(name.to_string()))?;
    }
    if let Some(last) = segments.last().filter(|_| stand.later == Later::SetAside) {
        set_aside_behind(&**files, dir, last.name())?;
    }
    files.sync_dir(dir)?;
    let segments = ready.into_iter().map(|(name, _)| name).collect();
    Ok(Rebuilt { segments, head: stand.head })
}

/// What the journal keeps of its own.
struct Stand {
    head: Head,
    /// Where its own true records end in the last segment that the copy has, in bytes.
    end: usize,
    later: Later,
}

/// What becomes of segments that the copy does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Later {
    Kept,
    SetAside,
}

/// Entries are known that would be lost.
struct Short {
    /// The last of them that is known of.
    known: u64,
    /// Where the journal's own records end that can be read.
    own: Head,
    /// What stands without them.
    stand: Stand,
}

/// Returns what will stand: short when the journal proves entries that neither the copy nor a whole end of
/// the journal itself would keep.
fn stand(
    files: &dyn Files,
    dir: &Path,
    id: &JournalId,
    copied: &[Segment],
    copy_head: Head,
) -> io::Result<Result<Stand, Short>> {
    let own = look(files, dir, id, Known::default())?;
    let head = own.report.head;
    let Some(last) = copied.last() else {
        let stand = Stand { head: copy_head, end: 0, later: Later::Kept };
        let short = Short { known: head.seq, own: head, stand };
        return Ok(if head.seq > 0 { Err(short) } else { Ok(short.stand) });
    };
    let bytes = read_or_empty(files, &dir.join(last.name().to_string()))?;
    let proved = continuation(&bytes, last.end, copy_head);
    let without = |known| {
        let stand = Stand { head: proved.head, end: proved.end, later: Later::SetAside };
        Ok(Err(Short { known, own: head, stand }))
    };
    if let Some(unread) = headless_behind(&own.report, last.name()) {
        return without(unread.max(head.seq + 1));
    }
    let after = own.catalog.segments.iter().find(|s| s.header.place > last.header.place);
    let Some(after) = after else {
        let stand = Stand { head: proved.head, end: proved.end, later: Later::Kept };
        return proved.unread.map_or(Ok(Ok(stand)), without);
    };
    // The journal has begun segments that the copy does not know: they must still be reached.
    let former = after.header.former.filter(|former| former.place == last.header.place);
    let reach = former.map_or(0, |former| usize::try_from(former.end).unwrap_or(usize::MAX));
    let own_end = &bytes[..reach.min(bytes.len())];
    let reached = continuation(own_end, last.end, copy_head);
    let is_reached = (reached.head, reached.end) == (after.header.after, reach);
    let nothing_to_lose = own_end.len() as u64 <= last.end && former.is_some();
    if (is_reached && reached.unread.is_none()) || nothing_to_lose {
        return Ok(Ok(Stand { head, end: own_end.len(), later: Later::Kept }));
    }
    without(head.seq)
}

/// A segment behind those of the copy whose header is lost: returns the first entry it may have held.
fn headless_behind(own: &OpenReport, last: SegmentName) -> Option<u64> {
    match own.tail {
        TailFound::Damaged(found) if found.why == Why::Header => {
            found.segment.is_some_and(|segment| segment > last).then_some(found.seq)
        }
        _ => None,
    }
}

/// How far records follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Proved {
    head: Head,
    /// In bytes.
    end: usize,
    /// The entry that stands there and cannot be read.
    unread: Option<u64>,
}

/// Follows the journal's own records behind what the copy holds.
fn continuation(bytes: &[u8], from: u64, head: Head) -> Proved {
    let end = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
    let mut proved = Proved { head, end, unread: None };
    if (end as u64) < from {
        return proved;
    }
    while proved.end < bytes.len() {
        let rest = &bytes[proved.end..];
        match record::follow(proved.head, rest) {
            Ok((frame, next)) => {
                proved.end += frame.len();
                proved.head = next;
            }
            Err(_) => {
                match judge_tail(proved.head, proved.end as u64, rest) {
                    Tail::Blank | Tail::Torn => {}
                    Tail::Grown => unreachable!("it was tried on these bytes"),
                    Tail::Damaged(_) => proved.unread = Some(proved.head.seq + 1),
                }
                break;
            }
        }
    }
    proved
}

/// Takes the segments behind `last` out of the journal; they are kept beside it. The caller syncs the folder.
pub fn set_aside_behind(files: &dyn Files, dir: &Path, last: SegmentName) -> io::Result<()> {
    let names = files.list(dir)?;
    let behind = |name: &SegmentName| {
        (name.lane, name.epoch) == (last.lane, last.epoch) && name.place > last.place
    };
    for name in names.iter().filter_map(|name| SegmentName::parse(name)).filter(behind) {
        let path = dir.join(name.to_string());
        files.rename(&path, &beside(&path, ".damaged"))?;
    }
    Ok(())
}

/// What may stand in the journal behind the bytes that the copy has of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    /// A failed write that the next segment declares void.
    Void,
    /// True records up to this offset.
    Own(usize),
}

/// Writes what a segment must hold beside it, if it does not hold that already.
fn prepare(
    files: &dyn Files,
    dir: &Path,
    copy: &CopyPlace,
    segment: &Segment,
    behind: Behind,
) -> Result<Option<PathBuf>, RebuildError> {
    let name = segment.name().to_string();
    let path = dir.join(&name);
    let own = read_or_empty(files, &path)?;
    let mut want = read_whole(&*copy.files, &copy.dir.join(&name))?;
    want.truncate(usize::try_from(segment.end).unwrap_or(usize::MAX));
    let surplus = own.strip_prefix(want.as_slice());
    if surplus.is_some_and(|more| behind != Behind::Nothing || is_room(more)) {
        return Ok(None);
    }
    if let Behind::Own(end) = behind {
        want.extend_from_slice(own.get(want.len()..end).unwrap_or_default());
    }
    if !own.is_empty() {
        write_fresh(files, &beside(&path, ".damaged"), &own)?;
    }
    let scratch = beside(&path, ".rebuilt");
    write_fresh(files, &scratch, &want)?;
    Ok(Some(scratch))
}

fn read_or_empty(files: &dyn Files, path: &Path) -> io::Result<Vec<u8>> {
    match read_whole(files, path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        bytes => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::chain::Epoch;
    use crate::store::files::faulty::{FaultyFiles, Keep};
    use crate::store::journal::Journal;
    use crate::store::second_copy::SecondCopy;
    use crate::store::segment::Month;

    const DIR: &str = "/journal";
    const FIRST: &str = "/journal/01-202611.log";
    const SECOND: &str = "/journal/01-202612.log";
    const THIRD: &str = "/journal/01-202701.log";

    fn id() -> JournalId {
        JournalId::new("midori", 1, Epoch::FIRST).unwrap()
    }

    fn open(disk: &FaultyFiles) -> Journal {
        let files = Arc::new(disk.clone());
        Journal::open(files, Path::new(DIR), &id(), Known::default(), 0).unwrap().0
    }

    fn sell(journal: &mut Journal, month: u32, count: u64) {
        for _ in 0..count {
            let seq = journal.head().seq + 1;
            let body: Vec<u8> = (0..500).map(|i| (seq as u8).wrapping_mul(i as u8) | 1).collect();
            journal.append(Month::from_number(month).unwrap(), &body).unwrap();
        }
    }

    /// Ten entries in each of two months, copied; then `more` of the third that the copy lacks.
    fn shop(more: u64) -> (FaultyFiles, FaultyFiles, Head) {
        let (disk, other) = (FaultyFiles::new(), FaultyFiles::new());
        let mut journal = open(&disk);
        sell(&mut journal, 202_611, 10);
        sell(&mut journal, 202_612, 10);
        SecondCopy::start(journal.reader(), None, place(&other)).unwrap().finish();
        sell(&mut journal, 202_612, more / 2);
        sell(&mut journal, 202_701, more - more / 2);
        (disk, other, journal.head())
    }

    fn place(disk: &FaultyFiles) -> CopyPlace {
        CopyPlace { files: Arc::new(disk.clone()), dir: "/copy".into() }
    }

    fn rebuild(disk: &FaultyFiles, copy: &FaultyFiles) -> Result<Rebuilt, RebuildError> {
        let files: Arc<dyn Files> = Arc::new(disk.clone());
        let watch = Watch::default();
        rebuild_from_copy(&files, Path::new(DIR), &id(), &place(copy), Unproved::Kept, &watch)
    }

    fn assert_whole(disk: &FaultyFiles, head: Head, case: &str) {
        let journal = open(disk);
        let checked = journal.reader().verify(None, 2, &Watch::default());
        assert_eq!((checked.head, checked.damage), (head, vec![]), "{case}");
        assert_eq!(journal.refusal(), None, "{case}");
    }

    fn damage(disk: &FaultyFiles, how: &str) {
        match how {
            "flipped" => disk.flip(Path::new(FIRST), 900, 2),
            "header" => disk.flip(Path::new(SECOND), 30, 2),
            "missing" => disk.remove(Path::new(FIRST)).unwrap(),
            "lengthened" => {
                let file = disk.open(Path::new(FIRST)).unwrap();
                file.write_at(file.len().unwrap(), b"surplus").unwrap();
            }
            "cut" => disk.open(Path::new(SECOND)).unwrap().set_len(1000).unwrap(),
            "all gone" => {
                for path in [FIRST, SECOND] {
                    disk.remove(Path::new(path)).unwrap();
                }
            }
            _ => {}
        }
    }

    #[test]
    fn damaged_and_missing_segments_come_back_byte_for_byte() {
        for (how, segments) in [
            ("flipped", 1),
            ("lengthened", 1),
            ("header", 1),
            ("missing", 1),
            ("cut", 1),
            ("all gone", 2),
            ("", 0),
        ] {
            let (disk, copy, head) = shop(0);
            let before = [FIRST, SECOND].map(|path| read_whole(&disk, Path::new(path)).unwrap());
            damage(&disk, how);
            let rebuilt = rebuild(&disk, &copy).unwrap();
            assert_eq!((rebuilt.segments.len(), rebuilt.head), (segments, head), "{how}");
            let after = [FIRST, SECOND].map(|path| read_whole(&disk, Path::new(path)).unwrap());
            assert!(before == after, "{how}");
            assert_whole(&disk, head, how);
        }
    }

    #[test]
    fn entries_beyond_the_copy_stay() {
        for how in ["flipped", "missing", "header"] {
            for more in [1, 6] {
                let (disk, copy, head) = shop(more);
                damage(&disk, how);
                match rebuild(&disk, &copy) {
                    Ok(rebuilt) => assert_eq!(rebuilt.head, head, "{how} {more}"),
                    Err(e) => panic!("{how} {more}: {e}"),
                }
                assert_whole(&disk, head, how);
            }
        }
    }

    #[test]
    fn a_longer_journal_is_never_made_shorter() {
        let (disk, copy, _) = shop(6);
        disk.remove(Path::new(THIRD)).unwrap();
        let len = disk.open(Path::new(SECOND)).unwrap().len().unwrap();
        disk.flip(Path::new(SECOND), len - 700, 1); // Entry 22 of 23, both beyond the copy.
        disk.flip(Path::new(FIRST), 900, 1);
        let before = disk.used();
        let refused = rebuild(&disk, &copy);
        assert!(matches!(refused, Err(RebuildError::WouldShorten { .. })), "{refused:?}");
        assert_eq!(disk.used(), before);
    }

    #[test]
    fn entries_between_the_copy_and_a_later_segment_are_not_given_up() {
        let (disk, copy, _) = shop(6);
        let len = disk.open(Path::new(SECOND)).unwrap().len().unwrap();
        disk.flip(Path::new(SECOND), len - 700, 1);
        disk.flip(Path::new(SECOND), 900, 1);
        let refused = rebuild(&disk, &copy);
        assert!(matches!(refused, Err(RebuildError::WouldShorten { .. })), "{refused:?}");
    }

    #[test]
    fn a_damaged_copy_repairs_nothing() {
        let (disk, copy, _) = shop(0);
        damage(&disk, "flipped");
        copy.flip(Path::new("/copy/01-202612.log"), 2000, 1);
        assert!(matches!(rebuild(&disk, &copy), Err(RebuildError::CopyDamaged(_))));
    }

    #[test]
    fn a_cut_at_any_point_leaves_a_rebuild_that_can_be_done_again() {
        for n in 1..30 {
            for keep in Keep::ALL {
                let (disk, copy, head) = shop(0);
                damage(&disk, "flipped");
                damage(&disk, "cut");
                disk.reset_counts();
                disk.cut_at(n);
                let _ = rebuild(&disk, &copy);
                disk.power_cut(keep, n);
                rebuild(&disk, &copy).unwrap();
                assert_whole(&disk, head, &format!("{n} {keep:?}"));
            }
        }
    }
}
