//! Finding a journal's segments and its head, changing nothing.
//!
//! Room: store. May touch: the journal's files, to read. May not: write.
//! Invariant: reads every header (few) and only the last segment's records, from a checkpoint
//! where there is one: a start takes milliseconds after any number of years.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::catalog::{Catalog, Damage, Mark, Segment, Why};
use super::chain::{Hash, Head, JournalId};
use super::files::{DiskFile, Files, read_full};
use super::record::{MAX_WRITE, Rest, Tail, Unfit, Writing, is_room, judge_tail, written_len};
use super::segment::{Begun, HEADER_LEN, Header, Place, SegmentName};
use super::walk::{Walk, WalkError};

/// A place the caller has durably noted: `offset` lies behind the record of `head`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    pub place: Place,
    pub offset: u64,
    pub head: Head,
}

/// What others know of the head.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known {
    /// Where the scan may begin (from the store).
    pub checkpoint: Option<Checkpoint>,
    /// The highest head that the store, the cart log or the copy has witnessed.
    pub witness: Option<Head>,
}

impl Known {
    /// A checkpoint is a witness too: it was noted of a record that was there.
    fn with_highest_witness(mut self) -> Self {
        let heads = [self.witness, self.checkpoint.map(|point| point.head)];
        self.witness = heads.into_iter().flatten().max_by_key(|head| head.seq);
        self
    }
}

/// What stood behind the last whole record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TailFound {
    Nothing,
    /// So many bytes of a write that a cut tore; nobody was told of it.
    Torn(u64),
    /// The head is not known: nothing may be appended before a repair.
    Damaged(Damage),
}

/// What was found at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReport {
    pub head: Head,
    pub tail: TailFound,
    /// Segments begun in vain (a cut or a fault came before their first record).
    pub void: Vec<SegmentName>,
    /// Damage seen on the way, `tail` included. Only `verify` sees all.
    pub damage: Vec<Damage>,
    /// Records read to find the head.
    pub scanned: u64,
}

/// A journal as it lies on disk.
#[derive(Debug)]
pub struct Found {
    pub catalog: Catalog,
    pub report: OpenReport,
    /// The highest name in use, void ones included.
    pub last_place: Option<Place>,
    /// Where the last write to the last segment began, unless a checkpoint proves it durable.
    pub last_write: Option<u64>,
    /// Up to where the last segment holds zeros behind its end, in bytes.
    pub room: u64,
    /// Somebody witnessed the head, which is only told of once it is synced.
    pub is_durable: bool,
}

/// Looks at the journal of `id` in `dir`.
pub fn look(files: &dyn Files, dir: &Path, id: &JournalId, known: Known) -> io::Result<Found> {
    let Survey { segments, void, mut damage, last_place, headless } = Survey::of(files, dir, id)?;
    let known = known.with_highest_witness();
    let mut catalog = Catalog { segments, head: id.genesis() };
    let (mut tail, mut scanned, mut last_write, mut room) = (TailFound::Nothing, 0, None, 0);
    if let Some(segment) = catalog.segments.last_mut() {
        let file = files.open(&dir.join(segment.name().to_string()))?;
        let scan = Scan::of(file, segment, known)?;
        (catalog.head, tail, scanned) = (scan.head, scan.tail, scan.records);
        (last_write, room) = (scan.last_write, scan.room);
    }
    if let Some(found) = headless {
        tail = TailFound::Damaged(found);
    } else if !matches!(tail, TailFound::Damaged(_))
        && known.witness.is_some_and(|witness| witness.seq > catalog.head.seq)
    {
        tail = TailFound::Damaged(behind_witness(&catalog));
    }
    if let TailFound::Damaged(found) = tail
        && !damage.contains(&found)
    {
        damage.push(found);
    }
    let is_durable = tail == TailFound::Nothing && known.witness == Some(catalog.head);
    let report = OpenReport { head: catalog.head, tail, void, damage, scanned };
    Ok(Found { catalog, report, last_place, last_write, room, is_durable })
}

/// Says that a witness knows more than the journal holds.
fn behind_witness(catalog: &Catalog) -> Damage {
    let last = catalog.segments.last();
    Damage {
        segment: last.map(Segment::name),
        seq: catalog.head.seq + 1,
        offset: last.map_or(0, |segment| segment.end),
        why: Why::Witness,
    }
}

/// The segments as their headers tell.
struct Survey {
    segments: Vec<Segment>,
    void: Vec<SegmentName>,
    damage: Vec<Damage>,
    last_place: Option<Place>,
    /// The newest file's header is lost, and the head with it.
    headless: Option<Damage>,
}

impl Survey {
    fn of(files: &dyn Files, dir: &Path, id: &JournalId) -> io::Result<Self> {
        let mut names: Vec<_> =
            files.list(dir)?.iter().filter_map(|n| SegmentName::parse(n)).collect();
        names.retain(|name| name.is_of(id));
        names.sort();
        let mut survey = Self {
            segments: Vec::new(),
            void: Vec::new(),
            damage: Vec::new(),
            last_place: names.last().map(|name| name.place),
            headless: None,
        };
        let mut found = Vec::new();
        for name in names {
            survey.headless = survey.read_header(files, dir, id, name, &mut found)?;
        }
        survey.link(files, dir, id, found)?;
        Ok(survey)
    }

    /// Reads one header into `found`; returns the damage when there should be one and is not.
    fn read_header(
        &mut self,
        files: &dyn Files,
        dir: &Path,
        id: &JournalId,
        name: SegmentName,
        found: &mut Vec<(Header, u64)>,
    ) -> io::Result<Option<Damage>> {
        let file = files.open(&dir.join(name.to_string()))?;
        let len = file.len()?;
        let mut bytes = [0; HEADER_LEN];
        let there = usize::try_from(len).unwrap_or(HEADER_LEN).min(HEADER_LEN);
        read_full(&*file, 0, &mut bytes[..there])?;
        match Header::decode(&bytes) {
            Some(header) if header.id == *id && header.name() == name => {
                found.push((header, len));
                Ok(None)
            }
            // A header is synced before the first record is written: this never held one.
            None if len <= HEADER_LEN as u64 || is_blank(&*file)? => {
                self.void.push(name);
                Ok(self.headless)
            }
            _ => {
                let after = found.last().map_or(0, |(header, _)| header.after.seq);
                let damage =
                    Damage { segment: Some(name), seq: after + 1, offset: 0, why: Why::Header };
                self.damage.push(damage);
                Ok(Some(damage))
            }
        }
    }

    /// Follows the headers back from the newest: each names the segment it continues.
    fn link(
        &mut self,
        files: &dyn Files,
        dir: &Path,
        id: &JournalId,
        mut found: Vec<(Header, u64)>,
    ) -> io::Result<()> {
        let mut next: Option<Header> = None;
        while let Some((header, len)) = found.pop() {
            let former = next.as_ref().map(|next| next.former);
            match former {
                Some(former) if former.is_none_or(|former| former.place < header.place) => {
                    self.skip(&header, len);
                    continue;
                }
                _ => {}
            }
            let segment = self.ending(header, len, next.as_ref());
            if next.as_ref().is_some_and(|next| next.begun == Begun::InOrder)
                && len > segment.end
                && !is_blank_behind(files, dir, &segment)?
            {
                let after = segment.last.map_or(0, |last| last.seq);
                self.damage.push(segment.damage(after + 1, segment.end, Why::Surplus));
            }
            next = Some(segment.header.clone());
            self.segments.push(segment);
        }
        if let Some(first) = next
            && (first.former.is_some() || first.after != id.genesis())
        {
            self.damage.push(gap_before(&first, 1));
        }
        self.segments.reverse();
        self.damage.sort_by_key(|damage| (damage.segment, damage.offset));
        Ok(())
    }

    /// Leaves out a segment that no other continues: begun in vain, or not ours.
    fn skip(&mut self, header: &Header, len: u64) {
        if len == HEADER_LEN as u64 {
            self.void.push(header.name());
        } else {
            self.damage.push(damage(header, header.after.seq + 1, HEADER_LEN as u64, Why::Surplus));
        }
    }

    /// Makes a segment whose end the `next` one tells, where it does.
    fn ending(&mut self, header: Header, len: u64, next: Option<&Header>) -> Segment {
        let Some(next) = next else { return Segment::new(header, len, None) };
        let Some(former) = next.former.filter(|former| former.place == header.place) else {
            self.damage.push(gap_before(next, header.after.seq + 1));
            return Segment::new(header, len, None);
        };
        let seq = next.after.seq;
        if len < former.end {
            self.damage.push(damage(&header, seq, len, Why::Record(Unfit::Short)));
        }
        if seq < header.after.seq {
            self.damage.push(damage(&header, seq, former.end, Why::Ending));
        }
        Segment::new(header, former.end, Some(next.after))
    }
}

/// Whether a file holds nothing but zeros, which are written ahead.
pub(super) fn is_blank(file: &dyn DiskFile) -> io::Result<bool> {
    let len = file.len()?;
    let mut piece = [0; HEADER_LEN];
    for at in (0..len).step_by(HEADER_LEN) {
        let there = usize::try_from(len - at).unwrap_or(HEADER_LEN).min(HEADER_LEN);
        read_full(file, at, &mut piece[..there])?;
        if written_len(&piece[..there]) > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether only room stands behind a segment's end: nobody came to cut it when the month was over.
fn is_blank_behind(files: &dyn Files, dir: &Path, segment: &Segment) -> io::Result<bool> {
    let file = files.open(&dir.join(segment.name().to_string()))?;
    Ok(is_room(&beyond(&*file, segment.end)?))
}

/// Reads what stands beyond `end`: at most a byte more than one write.
pub(super) fn beyond(file: &dyn DiskFile, end: u64) -> io::Result<Vec<u8>> {
    let len = file.len()?.saturating_sub(end).min(MAX_WRITE as u64 + 1);
    let mut region = vec![0; usize::try_from(len).expect("bounded above")];
    read_full(file, end, &mut region)?;
    Ok(region)
}

fn damage(header: &Header, seq: u64, offset: u64, why: Why) -> Damage {
    Damage { segment: Some(header.name()), seq, offset, why }
}

/// Says that the segment `header` continues is not there.
pub(super) fn gap_before(header: &Header, first_missing: u64) -> Damage {
    let mut segment = header.name();
    if let Some(former) = header.former {
        segment.place = former.place;
    }
    Damage { segment: Some(segment), seq: first_missing, offset: 0, why: Why::Missing }
}

/// What the last segment holds.
struct Scan {
    head: Head,
    tail: TailFound,
    records: u64,
    last_write: Option<u64>,
    room: u64,
}

impl Scan {
    /// Walks `segment` to its last whole record and sets its end there.
    fn of(file: Arc<dyn DiskFile>, segment: &mut Segment, known: Known) -> io::Result<Self> {
        let len = segment.end;
        let mut start = segment.mark_before(0);
        if let Some(mark) = checkpoint_mark(&*file, segment, known.checkpoint)? {
            segment.mark(mark);
            start = mark;
        }
        let mut walk = Walk::new(file.clone(), start.offset, start.head, len);
        let mut records = 0;
        let mut last_write = (start.offset == HEADER_LEN as u64).then_some(0);
        // Where the write began whose last record has not been met yet.
        let mut half_an_act: Option<Mark> = None;
        let mut contradicted = known.witness.is_some_and(|witness| differs(start.head, witness));
        // What stands behind the last whole record.
        let mut tail = loop {
            match walk.step() {
                Ok(Some(step)) => {
                    records += 1;
                    if step.frame.writing == Writing::First {
                        last_write = Some(step.offset);
                    }
                    let begun = Mark { offset: step.offset, head: step.before };
                    half_an_act = match step.frame.rest {
                        Rest::Nothing => None,
                        Rest::Follows => Some(half_an_act.unwrap_or(begun)),
                    };
                    segment.note(&step);
                    contradicted |=
                        known.witness.is_some_and(|witness| differs(step.head, witness));
                }
                Ok(None) => break TailFound::Nothing,
                Err(WalkError::Unfit(why)) => {
                    (segment.end, segment.last) = (walk.offset(), Some(walk.head()));
                    match judge(&*file, segment, walk.head(), len, why)? {
                        Some(tail) => break tail,
                        None => walk.look_again(),
                    }
                }
                Err(WalkError::Io(e)) => return Err(e),
            }
        };
        let (mut head, end) = (walk.head(), walk.offset());
        segment.end = end;
        segment.last = Some(head);
        let room = if tail == TailFound::Nothing { len } else { end };
        // An act that was torn between its entries did not happen: nobody was told of any of them.
        if let Some(begun) = half_an_act
            && !matches!(tail, TailFound::Damaged(_))
        {
            head = begun.head;
            segment.take_back_to(begun);
            last_write = None;
            let behind = if let TailFound::Torn(bytes) = tail { bytes } else { 0 };
            tail = TailFound::Torn(end - begun.offset + behind);
        }
        if contradicted && let Some(witness) = known.witness {
            tail = TailFound::Damaged(segment.damage(witness.seq, segment.end, Why::Witness));
        }
        Ok(Self { head, tail, records, last_write, room })
    }
}

fn differs(head: Head, witness: Head) -> bool {
    head.seq == witness.seq && head.hash != witness.hash
}

/// Returns the checkpoint as a mark if it lies in this segment and the record before it bears
/// the hash it names; otherwise the whole segment is walked, which costs a month's records.
fn checkpoint_mark(
    file: &dyn DiskFile,
    segment: &Segment,
    checkpoint: Option<Checkpoint>,
) -> io::Result<Option<Mark>> {
    let Some(point) = checkpoint.filter(|point| point.place == segment.header.place) else {
        return Ok(None);
    };
    let first = (HEADER_LEN + Hash::LEN) as u64;
    if point.offset < first || point.offset > segment.end {
        return Ok(None);
    }
    let mut hash = [0; Hash::LEN];
    read_full(file, point.offset - Hash::LEN as u64, &mut hash)?;
    let holds = Hash::from_bytes(hash) == point.head.hash;
    Ok(holds.then_some(Mark { offset: point.offset, head: point.head }))
}

/// Judges what stands behind the last whole record of the last segment; `None` when that is the next
/// record by now.
fn judge(
    file: &dyn DiskFile,
    segment: &Segment,
    head: Head,
    len: u64,
    why: Unfit,
) -> io::Result<Option<TailFound>> {
    let surplus = len - segment.end;
    let damaged =
        |why| TailFound::Damaged(segment.damage(head.seq + 1, segment.end, Why::Record(why)));
    if surplus > MAX_WRITE as u64 {
        return Ok(Some(damaged(why)));
    }
    let mut tail = vec![0; usize::try_from(surplus).expect("bounded above")];
    read_full(file, segment.end, &mut tail)?;
    Ok(Some(match judge_tail(head, segment.end, &tail) {
        Tail::Grown => return Ok(None),
        Tail::Blank => TailFound::Nothing,
        Tail::Torn => TailFound::Torn(written_len(&tail) as u64),
        Tail::Damaged(why) => damaged(why),
    }))
}
