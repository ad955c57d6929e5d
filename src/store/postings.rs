//! An index from a text to the numbers of the rows that bear it, packed in rows of a kilobyte.
//!
//! Room: store. May touch: the table it is handed.
//! Invariant: all pairs of text and id stand once and in order, over all rows; a row is found by its
//! first pair and carries its own check. A million pairs are ten thousand inserts that way, and the
//! first fifty names under a letter lie side by side.
//!
//! ```text
//! u8 bytes shared with the text before, u8 bytes more, those bytes, u32 LE id     (pair by pair)
//! ```

use std::cmp::Ordering;
use std::ops::Bound::{Excluded, Unbounded};
use std::ops::ControlFlow;
use std::thread::{self, JoinHandle};

use redb::{ReadableTable, Table};

use super::abreast::Work;
use super::codec::{guard, guarded};
use super::fault::StoreError;
use super::tables::{Blob, PairKey};
use crate::domain::text;

/// Bytes of a row past which it is split, and how many the parts have.
const MOST_BYTES: usize = 1200;
const PART_BYTES: usize = 900;
/// Bytes of a text that count; no name is longer, and nobody types as much to find one.
const MOST_KEY: usize = 240;
/// What a pair takes beside the text's own bytes.
const PAIR_BYTES: usize = 6;
/// Pairs that wait in memory, about 12 MB, until they are sorted and packed to a third of it.
const RUN_PAIRS: usize = 1 << 18;
/// New pairs that are merged with the rows they belong to together.
const PUT_PAIRS: usize = 4096;

/// An index, open for writing.
pub type Open<'txn> = Table<'txn, PairKey, Blob>;

/// Returns the part of a text that the index holds.
fn bounded(text: &str) -> &[u8] {
    text::beginning(text, MOST_KEY).as_bytes()
}

/// The pairs of one row, one after the other.
struct Packed<'a> {
    rest: &'a [u8],
    text: Vec<u8>,
}

impl<'a> Packed<'a> {
    fn of(rest: &'a [u8]) -> Self {
        Self { rest, text: Vec::with_capacity(MOST_KEY) }
    }

    /// Steps to the next pair and returns its id; its text is then in `text`.
    fn step(&mut self) -> Option<u32> {
        let Stored { shared, more, id } = Stored::first(&mut self.rest)?;
        self.text.truncate(shared);
        self.text.extend_from_slice(more);
        Some(id)
    }
}

/// A pair as it stands in its row.
struct Stored<'a> {
    /// Bytes of the text before that its text begins with, and those that follow.
    shared: usize,
    more: &'a [u8],
    id: u32,
}

impl<'a> Stored<'a> {
    /// Takes the first pair off a row.
    fn first(rest: &mut &'a [u8]) -> Option<Self> {
        let (&[shared, more], row) = rest.split_first_chunk()?;
        let (more, row) = row.split_at_checked(more.into())?;
        let (id, row) = row.split_first_chunk()?;
        *rest = row;
        Some(Self { shared: shared.into(), more, id: u32::from_le_bytes(*id) })
    }
}

/// A pair in `Pairs`: the beginning of its text, where all of it lies, and the id.
#[derive(Debug, Clone, Copy)]
struct Pair {
    /// The first bytes of the text as a number: most pairs differ here, and nothing else is read.
    lead: Lead,
    at: u32,
    id: u32,
    len: u8,
}

/// The first bytes of a text: all of a code or of a phone number.
pub(super) type Lead = u128;
const LEAD_BYTES: usize = size_of::<Lead>();

pub(super) fn lead(text: &[u8]) -> Lead {
    let mut lead = [0; LEAD_BYTES];
    let len = text.len().min(LEAD_BYTES);
    lead[..len].copy_from_slice(&text[..len]);
    Lead::from_be_bytes(lead)
}

/// Pairs of text and id in one piece of memory.
#[derive(Debug, Default)]
struct Pairs {
    text: Vec<u8>,
    pairs: Vec<Pair>,
}

impl Pairs {
    fn push(&mut self, text: &[u8], id: u32) {
        let at = self.text.len() as u32;
        self.pairs.push(Pair { lead: lead(text), at, id, len: text.len() as u8 });
        self.text.extend_from_slice(text);
    }

    fn clear(&mut self) {
        self.pairs.clear();
        self.text.clear();
    }

    fn len(&self) -> usize {
        self.pairs.len()
    }

    fn pair(&self, pair: &Pair) -> (&[u8], u32) {
        (&self.text[pair.at as usize..][..usize::from(pair.len)], pair.id)
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], u32)> {
        self.pairs.iter().map(|pair| self.pair(pair))
    }

    fn unpacked(row: &[u8]) -> Result<Self, StoreError> {
        let mut pairs = Self::default();
        let mut packed = Packed::of(guarded(row)?);
        while let Some(id) = packed.step() {
            pairs.push(&packed.text, id);
        }
        Ok(pairs)
    }

    fn sort(&mut self) {
        let mut pairs = std::mem::take(&mut self.pairs);
        pairs.sort_unstable_by(|a, b| a.lead.cmp(&b.lead).then_with(|| self.order(a, b)));
        self.pairs = pairs;
    }

    /// Compares pairs that begin alike.
    fn order(&self, a: &Pair, b: &Pair) -> Ordering {
        if usize::from(a.len.max(b.len)) <= LEAD_BYTES {
            return (a.len, a.id).cmp(&(b.len, b.id));
        }
        self.pair(a).cmp(&self.pair(b))
    }
}

/// Writes a pair behind another of which it shares the beginning.
fn pack(packed: &mut Vec<u8>, shared: usize, text: &[u8], id: u32) {
    packed.extend([shared as u8, (text.len() - shared) as u8]);
    packed.extend_from_slice(&text[shared..]);
    packed.extend(id.to_le_bytes());
}

fn shared(before: &[u8], text: &[u8]) -> usize {
    before.iter().zip(text).take_while(|(a, b)| a == b).count()
}

/// Merges two sorted runs; a pair that both have stands once.
fn merged<'a>(old: &'a Pairs, new: &'a Pairs) -> Vec<(&'a [u8], u32)> {
    let mut all = Vec::with_capacity(old.len() + new.len());
    let mut before = old.iter().peekable();
    for pair in new.iter() {
        while let Some(old) = before.next_if(|old| *old < pair) {
            all.push(old);
        }
        before.next_if_eq(&pair);
        if all.last() != Some(&pair) {
            all.push(pair);
        }
    }
    all.extend(before);
    all
}

/// Where a row begins: its key, copied.
type First = (Vec<u8>, u32);

/// Returns the row in which a pair stands or would stand; `None` in an empty index.
fn row_for(
    table: &impl ReadableTable<PairKey, Blob>,
    pair: (&[u8], u32),
) -> Result<Option<First>, StoreError> {
    let at = match table.range(..=pair)?.next_back().transpose()? {
        Some((first, _)) => Some(first),
        None => table.first()?.map(|(first, _)| first),
    };
    Ok(at.map(|first| (first.value().0.to_vec(), first.value().1)))
}

/// Writes sorted pairs as rows: one, or as many of like size as it takes.
fn put(table: &mut Open<'_>, pairs: &[(&[u8], u32)]) -> Result<(), StoreError> {
    let first = pairs.iter().take(1).map(|_| 0);
    let sharing = pairs.windows(2).map(|two| shared(two[0].0, two[1].0));
    let shared: Vec<usize> = first.chain(sharing).collect();
    let cost = |(pair, shared): (&(&[u8], u32), &usize)| PAIR_BYTES + pair.0.len() - shared;
    let bytes: usize = pairs.iter().zip(&shared).map(cost).sum();
    let parts = if bytes > MOST_BYTES { bytes.div_ceil(PART_BYTES) } else { 1 };
    let part = bytes.div_ceil(parts);
    let mut row = Vec::with_capacity(MOST_BYTES);
    let mut first = 0;
    for (place, (text, id)) in pairs.iter().enumerate() {
        pack(&mut row, if place == first { 0 } else { shared[place] }, text, *id);
        if row.len() >= part || place + 1 == pairs.len() {
            table.insert(pairs[first], guard(std::mem::take(&mut row)).as_slice())?;
            first = place + 1;
        }
    }
    Ok(())
}

/// Takes an id away from a text; nothing happens when it is not there.
pub fn remove(table: &mut Open<'_>, text: &str, id: u32) -> Result<(), StoreError> {
    let gone = (bounded(text), id);
    if gone.0.is_empty() {
        return Ok(()); // It finds nobody, so it was never put in.
    }
    let Some((first, first_id)) = row_for(table, gone)? else { return Ok(()) };
    let Some(row) = table.get((first.as_slice(), first_id))?.map(|row| row.value().to_vec()) else {
        return Ok(());
    };
    let pairs = Pairs::unpacked(&row)?;
    let kept: Vec<_> = pairs.iter().filter(|pair| *pair != gone).collect();
    if kept.len() < pairs.len() {
        table.remove((first.as_slice(), first_id))?;
        put(table, &kept)?;
    }
    Ok(())
}

/// Calls `each` with the text and the id of every pair whose text begins with `prefix`, in order,
/// until it breaks.
pub fn scan(
    table: &impl ReadableTable<PairKey, Blob>,
    prefix: &str,
    mut each: impl FnMut(&[u8], u32) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let prefix = bounded(prefix);
    let Some((first, id)) = row_for(table, (prefix, 0))? else { return Ok(()) };
    for row in table.range((first.as_slice(), id)..)? {
        let (_, row) = row?;
        let mut packed = Packed::of(guarded(row.value())?);
        while let Some(id) = packed.step() {
            if !packed.text.starts_with(prefix) {
                if packed.text.as_slice() < prefix {
                    continue;
                }
                return Ok(());
            }
            if each(&packed.text, id).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Returns the id of a text that only one row bears, as a code: one look into the index.
pub fn one(
    table: &impl ReadableTable<PairKey, Blob>,
    text: &str,
) -> Result<Option<u32>, StoreError> {
    let text = bounded(text);
    let Some(row) = table.range(..=(text, u32::MAX))?.next_back() else { return Ok(None) };
    let (_, row) = row?;
    Ok(id_in(guarded(row.value())?, text))
}

/// Returns the id of a text in one row. A pair that shares more with the one before than that one has
/// of the text stands before it, too: no text is put together on the way.
fn id_in(mut rest: &[u8], text: &[u8]) -> Option<u32> {
    let mut reached = 0;
    while let Some(pair) = Stored::first(&mut rest) {
        match pair.shared.cmp(&reached) {
            Ordering::Greater => continue,
            Ordering::Less => return None,
            Ordering::Equal => {}
        }
        let wanted = &text[reached..];
        match pair.more.cmp(wanted) {
            Ordering::Less => reached += shared(pair.more, wanted),
            Ordering::Equal => return Some(pair.id),
            Ordering::Greater => return None,
        }
    }
    None
}

/// Returns what `pick` makes of the last text before `past` of which it makes anything, looking no
/// further back than `from`.
pub fn last_between<T>(
    table: &impl ReadableTable<PairKey, Blob>,
    from: &str,
    past: &str,
    mut pick: impl FnMut(&[u8]) -> Option<T>,
) -> Result<Option<T>, StoreError> {
    for row in table.range(..(bounded(past), 0))?.rev() {
        let pairs = Pairs::unpacked(row?.1.value())?;
        for (text, _) in pairs.iter().rev() {
            if text < bounded(from) {
                return Ok(None);
            }
            if text < bounded(past)
                && let Some(picked) = pick(text)
            {
                return Ok(Some(picked));
            }
        }
    }
    Ok(None)
}

/// Pairs to be put into one index in one go, however many: every so many are sorted and packed, on a
/// thread of their own, and all of them merged as they are written.
#[derive(Debug, Default)]
pub struct Batch {
    pairs: Pairs,
    runs: Vec<JoinHandle<Run>>,
}

/// Sorted pairs, packed like a row.
type Run = Vec<u8>;

fn run_of(mut pairs: Pairs) -> Run {
    pairs.sort();
    let mut run = Vec::with_capacity(pairs.len() * 12);
    let mut before: &[u8] = &[];
    for (text, id) in pairs.iter() {
        pack(&mut run, shared(before, text), text, id);
        before = text;
    }
    run
}

impl Batch {
    /// Remembers a pair; an empty text finds nobody, so it is left out.
    pub fn add(&mut self, text: &str, id: u32) {
        if !text.is_empty() {
            self.pairs.push(bounded(text), id);
            if self.pairs.len() >= RUN_PAIRS {
                let pairs = std::mem::take(&mut self.pairs);
                self.runs.push(thread::spawn(move || run_of(pairs)));
            }
        }
    }

    /// The writing of it, to be done beside other work.
    pub fn work<'a, 'txn: 'a>(&'a mut self, table: &'a mut Open<'txn>) -> Work<'a> {
        Work::new(self.len(), || self.write(table))
    }

    /// How many there are.
    fn len(&self) -> usize {
        self.runs.len() * RUN_PAIRS + self.pairs.len()
    }

    /// Writes everything in order, each row of the index that changes once.
    pub fn write(&mut self, table: &mut Open<'_>) -> Result<(), StoreError> {
        let mut runs = Vec::with_capacity(self.runs.len() + 1);
        for run in self.runs.drain(..) {
            runs.push(
                run.join().map_err(|_| StoreError::Journal("a thread that sorts".to_owned()))?,
            );
        }
        runs.push(run_of(std::mem::take(&mut self.pairs)));
        let mut rest = Merge::of(&runs);
        let mut new = Pairs::default();
        while let Some(next) = rest.first() {
            let mut old = Pairs::default();
            let mut past = None;
            if let Some((first, id)) = row_for(table, next)? {
                let first = (first.as_slice(), id);
                let behind = table.range((Excluded(first), Unbounded))?.next().transpose()?;
                past = behind.map(|(key, _)| (key.value().0.to_vec(), key.value().1));
                if let Some(row) = table.remove(first)? {
                    old = Pairs::unpacked(row.value())?;
                }
            }
            let past = past.as_ref().map(|(text, id)| (text.as_slice(), *id));
            rest.take(past, &mut new);
            put(table, &merged(&old, &new))?;
        }
        Ok(())
    }
}

/// One run being read, and the pair it stands at.
struct Cursor<'a> {
    packed: Packed<'a>,
    lead: Lead,
    id: u32,
}

impl<'a> Cursor<'a> {
    fn of(run: &'a Run) -> Option<Self> {
        let mut cursor = Self { packed: Packed::of(run), lead: 0, id: 0 };
        cursor.step().then_some(cursor)
    }

    /// Steps to the next pair; false at the end.
    fn step(&mut self) -> bool {
        let Some(id) = self.packed.step() else { return false };
        self.id = id;
        self.lead = lead(&self.packed.text);
        true
    }

    fn pair(&self) -> (&[u8], u32) {
        (&self.packed.text, self.id)
    }

    fn is_before(&self, other: &Self) -> bool {
        match self.lead.cmp(&other.lead) {
            Ordering::Equal => self.pair() < other.pair(),
            order => order.is_lt(),
        }
    }
}

/// The pairs of several sorted runs, in order. There are few: a million members make four runs.
struct Merge<'a>(Vec<Cursor<'a>>);

impl<'a> Merge<'a> {
    fn of(runs: &'a [Run]) -> Self {
        Self(runs.iter().filter_map(Cursor::of).collect())
    }

    fn least(&self) -> Option<usize> {
        let mut least = 0;
        for place in 1..self.0.len() {
            if self.0[place].is_before(&self.0[least]) {
                least = place;
            }
        }
        (!self.0.is_empty()).then_some(least)
    }

    fn first(&self) -> Option<(&[u8], u32)> {
        self.least().map(|place| self.0[place].pair())
    }

    /// Takes the next pairs that stand before `past`, so many as are written together, at least one.
    fn take(&mut self, past: Option<(&[u8], u32)>, taken: &mut Pairs) {
        taken.clear();
        while let Some(place) = self.least() {
            let (text, id) = self.0[place].pair();
            let is_past = past.is_some_and(|past| (text, id) >= past);
            if (is_past || taken.len() >= PUT_PAIRS) && taken.len() > 0 {
                break;
            }
            taken.push(text, id);
            if !self.0[place].step() {
                self.0.swap_remove(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use redb::backends::InMemoryBackend;
    use redb::{Builder, Database};

    use super::*;
    use crate::store::tables::MEMBER_KANA;

    fn empty() -> Database {
        Builder::new().create_with_backend(InMemoryBackend::new()).unwrap()
    }

    fn write(db: &Database, act: impl FnOnce(&mut Open<'_>)) {
        let txn = db.begin_write().unwrap();
        act(&mut txn.open_table(MEMBER_KANA).unwrap());
        txn.commit().unwrap();
    }

    fn put_all<'a>(table: &mut Open<'_>, pairs: impl IntoIterator<Item = (&'a str, u32)>) {
        let mut batch = Batch::default();
        pairs.into_iter().for_each(|(text, id)| batch.add(text, id));
        batch.write(table).unwrap();
    }

    fn found(table: &Open<'_>, prefix: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        scan(table, prefix, |_, id| {
            ids.push(id);
            ControlFlow::Continue(())
        })
        .unwrap();
        ids
    }

    #[test]
    fn ids_come_back_by_prefix_in_order_and_leave_without_a_trace() {
        let pairs =
            [("たなか", 70_000), ("たなか", 3), ("たに", 5), ("さとう", 9), ("たなか", 1), ("", 4)];
        write(&empty(), |table| {
            pairs.chunks(3).for_each(|some| put_all(table, some.iter().copied()));
            assert_eq!(found(table, "た"), [1, 3, 70_000, 5]);
            assert_eq!(found(table, "たなか"), [1, 3, 70_000]);
            assert!(found(table, "x").is_empty());
            assert_eq!(one(table, "さとう").unwrap(), Some(9));
            assert_eq!(one(table, "たに").unwrap(), Some(5));
            assert_eq!(one(table, "たな").unwrap(), None);
            assert_eq!(one(table, "").unwrap(), None);
            for (text, id) in pairs {
                remove(table, text, id).unwrap();
                remove(table, text, id).unwrap();
            }
            assert!(table.iter().unwrap().next().is_none());
        });
    }

    #[test]
    fn more_pairs_than_fit_memory_are_sorted_in_runs_and_merged_with_what_is_there() {
        write(&empty(), |table| {
            let code = |id: u32| format!("29{:08}", u64::from(id) * 7_919 % 99_999_989);
            let count = 2 * RUN_PAIRS as u32 + 500;
            put_all(table, [("2900000000", 0), (&code(7), 7), ("3", 1)]);
            let mut batch = Batch::default();
            (0..count).for_each(|id| batch.add(&code(id), id));
            (0..9).for_each(|id| batch.add(&code(id), id)); // Once more, in another run.
            batch.write(table).unwrap();
            let mut want: Vec<_> = (0..count).map(|id| (code(id).into_bytes(), id)).collect();
            want.push((b"3".to_vec(), 1));
            want.sort();
            let mut all = Vec::new();
            scan(table, "", |text, id| {
                all.push((text.to_vec(), id));
                ControlFlow::Continue(())
            })
            .unwrap();
            assert!(all == want);
        });
    }

    #[test]
    fn the_last_code_of_a_block_is_found_from_behind() {
        write(&empty(), |table| {
            let codes: Vec<String> = (0..500).map(|code| format!("29{code:04}")).collect();
            put_all(table, codes.iter().map(String::as_str).zip(0..));
            let last = |from, past| {
                last_between(table, from, past, |code| std::str::from_utf8(code).ok()?.parse().ok())
            };
            assert_eq!(last("2901", "2901:").unwrap(), Some(290_199));
            assert_eq!(last("29", "29:").unwrap(), Some(290_499));
            assert_eq!(last("3", "4").unwrap(), None::<u32>);
            for (id, code) in (0..).zip(&codes) {
                assert_eq!(one(table, code).unwrap(), Some(id), "{code}");
            }
            assert_eq!(one(table, "290").unwrap(), None);
            assert_eq!(one(table, "290500").unwrap(), None);
        });
    }

    #[test]
    fn a_flipped_bit_is_noticed_before_anyone_is_found() {
        write(&empty(), |table| {
            put_all(table, [("たなか", 3)]);
            let mut row = table.first().unwrap().unwrap().1.value().to_vec();
            row[4] ^= 1;
            table.insert(("たなか".as_bytes(), 3), row.as_slice()).unwrap();
            assert!(scan(table, "た", |_, _| ControlFlow::Continue(())).is_err());
        });
    }

    /// A few letters, so that texts share beginnings, and a few ids.
    fn pair() -> impl Strategy<Value = (String, u32)> {
        ("[あいa]{0,6}|[あ]{60,90}", 0..300_u32)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn an_index_is_the_sorted_set_of_its_pairs_however_it_was_filled(
            runs in proptest::collection::vec(
                (proptest::collection::vec(pair(), 0..400), any::<bool>()), 1..8),
            prefix in "[あいa]{0,3}",
        ) {
            let mut want = BTreeSet::new();
            write(&empty(), |table| {
                for (run, away) in &runs {
                    if *away {
                        for (text, id) in run.iter().take(40) {
                            remove(table, text, *id).unwrap();
                            want.remove(&(bounded(text).to_vec(), *id));
                        }
                    } else {
                        put_all(table, run.iter().map(|(text, id)| (text.as_str(), *id)));
                        let run = run.iter().filter(|(text, _)| !text.is_empty());
                        want.extend(run.map(|(text, id)| (bounded(text).to_vec(), *id)));
                    }
                }
                let mut all = Vec::new();
                scan(table, &prefix, |text, id| {
                    all.push((text.to_vec(), id));
                    ControlFlow::Continue(())
                })
                .unwrap();
                for text in ["", "あ", "い", "aa", "いあ", "あいa", &"あ".repeat(75), &prefix] {
                    let some = one(table, text).unwrap().map(|id| (text.as_bytes().to_vec(), id));
                    let is_there = want.iter().any(|(there, _)| there == text.as_bytes());
                    assert_eq!(some.is_some(), is_there, "{text}");
                    assert!(some.is_none_or(|some| want.contains(&some)));
                }
                let want = want.iter().filter(|(text, _)| text.starts_with(prefix.as_bytes()));
                assert!(all.iter().eq(want));
            });
        }
    }
}
