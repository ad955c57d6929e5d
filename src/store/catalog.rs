//! What is known of a journal in memory: its segments, their ends, and where to look for a seq.
//!
//! Room: store. May touch: its own state. May not: file.
//! Invariant: an end never lies beyond what was synced; one mark for every 256 records, so ten
//! years take about a megabyte.

use std::collections::BTreeMap;
use std::fmt;

use super::chain::Head;
use super::record::Unfit;
use super::segment::{HEADER_LEN, Header, SegmentName};
use super::walk::Step;

/// Records between two marks.
pub const MARK_EVERY: u64 = 256;

/// Where a segment, or a record in it, is not what it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Damage {
    /// `None` when the journal has no segment left.
    pub segment: Option<SegmentName>,
    /// The first entry concerned.
    pub seq: u64,
    /// Where in the segment, in bytes.
    pub offset: u64,
    pub why: Why,
}

/// What kind of damage; the screen words it, by variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// A record is edited, torn, swapped or rotten.
    Record(Unfit),
    /// The header is not what was written, or of another journal or place.
    Header,
    /// A segment that another one continues is not there.
    Missing,
    /// A segment does not end with the entry that the next one continues after.
    Ending,
    /// Bytes, or a whole segment, that no fault explains.
    Surplus,
    /// The disk gave an error.
    Unreadable,
    /// A witness (store, cart log, copy) knows this entry, or another in its place.
    Witness,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(segment) = self.segment {
            write!(f, "{segment} offset {} ", self.offset)?;
        }
        write!(f, "entry {}: {:?}", self.seq, self.why)
    }
}

/// A place in a segment: where the record after `head` begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub offset: u64,
    pub head: Head,
}

/// One segment.
#[derive(Debug, Clone)]
pub struct Segment {
    pub header: Header,
    /// Offset behind its last true record, in bytes.
    pub end: u64,
    /// The chain at its end, where that is known.
    pub last: Option<Head>,
    /// By the seq of `head`; always one at the start.
    marks: BTreeMap<u64, Mark>,
}

impl Segment {
    pub fn new(header: Header, end: u64, last: Option<Head>) -> Self {
        let start = Mark { offset: HEADER_LEN as u64, head: header.after };
        Self { end, last, marks: BTreeMap::from([(start.head.seq, start)]), header }
    }

    pub fn name(&self) -> SegmentName {
        self.header.name()
    }

    /// Remembers the place behind `step`, if it is one of every 256.
    pub fn note(&mut self, step: &Step) {
        if step.head.seq.is_multiple_of(MARK_EVERY) {
            self.mark(Mark { offset: step.end(), head: step.head });
        }
    }

    pub fn mark(&mut self, mark: Mark) {
        self.marks.insert(mark.head.seq, mark);
    }

    /// Ends at an earlier place: what stands behind it never happened.
    pub fn take_back_to(&mut self, mark: Mark) {
        self.end = mark.offset;
        self.last = Some(mark.head);
        self.marks.retain(|seq, _| *seq <= mark.head.seq);
    }

    /// Returns the nearest known place at or before the record `seq`.
    pub fn mark_before(&self, seq: u64) -> Mark {
        let start = Mark { offset: HEADER_LEN as u64, head: self.header.after };
        self.marks.range(..seq).next_back().map_or(start, |(_, mark)| *mark)
    }

    /// Returns damage in this segment.
    pub fn damage(&self, seq: u64, offset: u64, why: Why) -> Damage {
        Damage { segment: Some(self.name()), seq, offset, why }
    }
}

/// All segments of one journal, in order, and its head.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub segments: Vec<Segment>,
    pub head: Head,
}

impl Catalog {
    /// Returns the place in `segments` of the one that should hold `seq`.
    pub fn find(&self, seq: u64) -> Option<usize> {
        self.segments.partition_point(|segment| segment.header.after.seq < seq).checked_sub(1)
    }

    pub fn segment_mut(&mut self, name: SegmentName) -> Option<&mut Segment> {
        let place = self.segments.binary_search_by_key(&name, Segment::name).ok()?;
        self.segments.get_mut(place)
    }
}
