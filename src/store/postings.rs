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

use std::ops::Bound::{Excluded, Unbounded};
use std::ops::ControlFlow;

use redb::{ReadableTable, Table};

use super::codec::{guard, guarded};
use super::fault::StoreError;
use super::tables::{Blob, PairKey};

/// Bytes of a row past which it is split, and how many the parts have.
const MOST_BYTES: usize = 1200;
const PART_BYTES: usize = 900;
/// Bytes of a text that count; no name is longer, and nobody types as much to find one.
const MOST_KEY: usize = 240;
/// What a pair takes beside the text's own bytes.
const PAIR_BYTES: usize = 6;

/// An index, open for writing.
pub type Open<'txn> = Table<'txn, PairKey, Blob>;

/// Returns the part of a text that the index holds.
fn bounded(text: &str) -> &[u8] {
    let mut end = text.len().min(MOST_KEY);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text.as_bytes()[..end]
}

/// The pairs of one row, one after the other.
struct Packed<'a> {
    rest: &'a [u8],
    text: Vec<u8>,
}

impl<'a> Packed<'a> {
    fn of(row: &'a [u8]) -> Result<Self, StoreError> {
        Ok(Self { rest: guarded(row)?, text: Vec::with_capacity(MOST_KEY) })
    }

    /// Steps to the next pair and returns its id; its text is then in `text`.
    fn step(&mut self) -> Option<u32> {
        let (&[shared, more], rest) = self.rest.split_first_chunk()?;
        let (more, rest) = rest.split_at_checked(more.into())?;
        let (id, rest) = rest.split_first_chunk()?;
        self.text.truncate(shared.into());
        self.text.extend_from_slice(more);
        self.rest = rest;
        Some(u32::from_le_bytes(*id))
    }
}

/// Pairs of text and id in one piece of memory.
#[derive(Debug, Default)]
struct Pairs {
    text: Vec<u8>,
    /// Offset and length of the text, and the id.
    pairs: Vec<(u32, u8, u32)>,
}

impl Pairs {
    fn push(&mut self, text: &[u8], id: u32) {
        self.pairs.push((self.text.len() as u32, text.len() as u8, id));
        self.text.extend_from_slice(text);
    }

    fn pair(&self, &(at, len, id): &(u32, u8, u32)) -> (&[u8], u32) {
        (&self.text[at as usize..][..usize::from(len)], id)
    }

    fn unpacked(row: &[u8]) -> Result<Self, StoreError> {
        let mut pairs = Self::default();
        let mut packed = Packed::of(row)?;
        while let Some(id) = packed.step() {
            pairs.push(&packed.text, id);
        }
        Ok(pairs)
    }

    fn sorted(mut self) -> Self {
        let mut pairs = std::mem::take(&mut self.pairs);
        pairs.sort_unstable_by(|a, b| self.pair(a).cmp(&self.pair(b)));
        pairs.dedup_by(|a, b| self.pair(a) == self.pair(b));
        self.pairs = pairs;
        self
    }
}

/// Merges two sorted runs; a pair that both have stands once.
fn merged<'a>(old: &'a Pairs, new: &'a Pairs, run: &[(u32, u8, u32)]) -> Vec<(&'a [u8], u32)> {
    let mut all = Vec::with_capacity(old.pairs.len() + run.len());
    let mut before = old.pairs.iter().map(|pair| old.pair(pair)).peekable();
    for pair in run.iter().map(|pair| new.pair(pair)) {
        while let Some(old) = before.next_if(|old| *old < pair) {
            all.push(old);
        }
        before.next_if_eq(&pair);
        all.push(pair);
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
    let shared = |place: usize| match place.checked_sub(1).map(|before| pairs[before].0) {
        Some(before) => before.iter().zip(pairs[place].0).take_while(|(a, b)| a == b).count(),
        None => 0,
    };
    let cost = |place: usize| PAIR_BYTES + pairs[place].0.len() - shared(place);
    let bytes: usize = (0..pairs.len()).map(cost).sum();
    let parts = if bytes > MOST_BYTES { bytes.div_ceil(PART_BYTES) } else { 1 };
    let part = bytes.div_ceil(parts);
    let mut row = Vec::with_capacity(MOST_BYTES);
    let mut first = 0;
    for (place, (text, id)) in pairs.iter().enumerate() {
        let shared = if place == first { 0 } else { shared(place) };
        row.extend([shared as u8, (text.len() - shared) as u8]);
        row.extend_from_slice(&text[shared..]);
        row.extend(id.to_le_bytes());
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
    let Some((first, first_id)) = row_for(table, gone)? else { return Ok(()) };
    let Some(row) = table.get((first.as_slice(), first_id))?.map(|row| row.value().to_vec()) else {
        return Ok(());
    };
    let pairs = Pairs::unpacked(&row)?;
    let kept: Vec<_> =
        pairs.pairs.iter().map(|pair| pairs.pair(pair)).filter(|pair| *pair != gone).collect();
    if kept.len() < pairs.pairs.len() {
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
        let mut packed = Packed::of(row.value())?;
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
    let mut packed = Packed::of(row.value())?;
    while let Some(id) = packed.step() {
        if packed.text.as_slice() >= text {
            return Ok((packed.text == text).then_some(id));
        }
    }
    Ok(None)
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
        for (text, _) in pairs.pairs.iter().rev().map(|pair| pairs.pair(pair)) {
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

/// Pairs to be put into one index in one go.
#[derive(Debug, Default)]
pub struct Batch(Pairs);

impl Batch {
    /// Remembers a pair; an empty text finds nobody, so it is left out.
    pub fn add(&mut self, text: &str, id: u32) {
        if !text.is_empty() {
            self.0.push(bounded(text), id);
        }
    }

    /// Writes everything in order, each row of the index that changes once.
    pub fn write(&mut self, table: &mut Open<'_>) -> Result<(), StoreError> {
        let new = std::mem::take(&mut self.0).sorted();
        let mut rest = new.pairs.as_slice();
        while let Some(next) = rest.first() {
            let (mut old, mut run) = (Pairs::default(), rest.len());
            if let Some((first, id)) = row_for(table, new.pair(next))? {
                let first = (first.as_slice(), id);
                if let Some((past, _)) =
                    table.range((Excluded(first), Unbounded))?.next().transpose()?
                {
                    run = rest.partition_point(|pair| new.pair(pair) < past.value());
                }
                if let Some(row) = table.remove(first)? {
                    old = Pairs::unpacked(row.value())?;
                }
            }
            put(table, &merged(&old, &new, &rest[..run]))?;
            rest = &rest[run..];
        }
        Ok(())
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
                let want = want.iter().filter(|(text, _)| text.starts_with(prefix.as_bytes()));
                assert!(all.iter().eq(want));
            });
        }
    }
}
