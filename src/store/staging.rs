//! Rows of an import, sealed and encoded, waiting until their whole file has passed.
//!
//! Room: store. May touch: a scratch file without a name, keys. May not: clock.
//! Invariant: nothing here is in the journal until it is appended: dropped, or killed, it leaves no
//! byte there.
//!
//! A file is read once. Any number of threads make its entries ready, and its rows for the tables; one
//! collects them in order and sends the rows on to where they are sorted in. For each million members
//! the collector holds 60 MB of new keys and the scratch file 200 MB.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use tempfile::SpooledTempFile;
use zeroize::Zeroizing;

use super::ahead::{Arriving, Sending};
use super::codec::{self, EncodedKind};
use super::fault::StoreError;
use super::imports::{Ready, card_of, start};
use super::keys::Keys;
use super::postings::{Lead, lead};
use super::readied;
use super::sealing::{self, KEY_BYTES, KeyRing, NONCE_BYTES, Secret, TAG_BYTES};
use crate::domain::entry::{ImportedMember, Kind};
use crate::domain::member::Sealed;
use crate::domain::texts::Texts;

/// Bytes that wait in memory before the scratch file is made.
const MOST_IN_MEMORY: usize = 4 << 20;

/// Bytes of a row in its entry, so that they are seldom moved.
const USUAL_ROW_BYTES: usize = 256;

/// Makes entries ready; may be shared by threads.
pub struct Stager {
    keys: Arc<Keys>,
    /// The keys that members already have.
    ring: KeyRing,
    /// From which balances hold.
    day: i32,
    sorting: Sorting,
}

/// An entry of an import, ready to be appended.
pub struct Staged {
    kind: EncodedKind,
    rows: u64,
    keys: NewKeys,
    ready: Option<Ready>,
}

/// When an import's rows are sorted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sorting {
    /// As they are read: nobody else writes, and the store has none of their kind yet. A file that is given
    /// up, or a power cut, has the store made anew, which is then soon done.
    Ahead,
    /// Once they are closed, read again from the journal: nothing is lost with a bad file, and nobody keeps
    /// the store's one transaction from the counter.
    Behind,
}

/// An import that is to be brought in.
#[derive(Debug, Clone, Copy)]
pub struct Coming {
    pub import: u128,
    /// The business date of the entries, as far as it is known.
    pub day: i32,
    /// About so many rows.
    pub wanted: u64,
    pub sorting: Sorting,
}

/// Begins an import; its scratch file lies in `dir`. What arrives is to be sorted in meanwhile.
pub(super) fn begin(
    keys: &Arc<Keys>,
    dir: &Path,
    coming: Coming,
) -> Result<(Stager, Stage, Option<Arriving>), StoreError> {
    let Coming { import, day, wanted, sorting } = coming;
    let (rows, arriving) = match sorting {
        Sorting::Ahead => Some(Arriving::new(import, day, keys.erasures())).unzip(),
        Sorting::Behind => (None, None),
    };
    keys.settle()?; // Members who have a key keep it.
    let stager = Stager { ring: keys.ring(wanted)?, keys: keys.clone(), day, sorting };
    Ok((stager, Stage::new(dir, rows), arriving))
}

impl Stager {
    /// Begins an entry of at most so many rows.
    pub fn begin(&self, rows: usize) -> Batch<'_> {
        Batch { stager: self, most: rows, people: None }
    }
}

/// One entry being made ready.
pub struct Batch<'a> {
    stager: &'a Stager,
    /// The most rows it has.
    most: usize,
    /// What its members need, made for the first of them.
    people: Option<People>,
}

/// Keys and nonces for the members of one entry: the kernel's chance, stretched by ChaCha20. Asked for
/// each, the kernel would take as long as the sealing.
struct Chance {
    bytes: Zeroizing<Vec<u8>>,
    drawn: usize,
}

impl Chance {
    const EACH: usize = KEY_BYTES + NONCE_BYTES;

    fn for_as_many(members: usize, keys: &Keys) -> Self {
        let mut seed = Secret::default();
        keys.chance(&mut *seed);
        let mut bytes = Zeroizing::new(vec![0; members * Self::EACH]);
        ChaCha20::new((&*seed).into(), &Default::default()).apply_keystream(&mut bytes);
        Self { bytes, drawn: 0 }
    }

    fn draw(&mut self) -> ([u8; KEY_BYTES], [u8; NONCE_BYTES]) {
        let drawn = &self.bytes[self.drawn..][..Self::EACH];
        self.drawn += Self::EACH;
        let (key, nonce) = drawn.split_at(KEY_BYTES);
        let cut = "cut to this length";
        (key.try_into().expect(cut), nonce.try_into().expect(cut))
    }
}

/// Members of one entry, sealed one after the other.
struct People {
    chance: Chance,
    keys: NewKeys,
    /// Their rows for the tables, where they are wanted.
    rows: Option<readied::Members>,
}

impl People {
    fn new(stager: &Stager, most: usize) -> Self {
        Self {
            chance: Chance::for_as_many(most, &stager.keys),
            keys: NewKeys::for_as_many(most),
            rows: (stager.sorting == Sorting::Ahead).then(|| readied::Members::for_as_many(most)),
        }
    }
}

impl Batch<'_> {
    /// Makes a member's row ready where it is wanted, and closes the personal data with the member's own
    /// key; one without a key is given one, which the entry carries until it is appended.
    pub fn seal(&mut self, member: &mut ImportedMember) -> Result<(), StoreError> {
        let Self { stager, most, people } = self;
        let Sealed::Clear(personal) = &member.card.personal else { return Ok(()) };
        let people = people.get_or_insert_with(|| People::new(stager, *most));
        let packed = match &mut people.rows {
            Some(rows) => {
                let start = start(member.points, stager.day);
                rows.push(card_of(&member.card, Some(personal)), start)?;
                rows.last_personal().packed(TAG_BYTES)
            }
            None => codec::pack(personal)?,
        };
        let code = &member.card.code;
        let (new, nonce) = people.chance.draw();
        let key = match stager.ring.key(code)? {
            Some(key) => key,
            None => people.keys.add(code, new),
        };
        member.card.personal = sealing::close_packed(&key, nonce, code, packed)?;
        Ok(())
    }

    /// Encodes the entry of the rows that went through here.
    pub fn end(self, kind: Kind) -> Result<Staged, StoreError> {
        let rows = rows_of(&kind);
        let (keys, members) = match self.people {
            Some(people) => (people.keys, people.rows),
            None => (NewKeys::default(), None),
        };
        let is_ahead = self.stager.sorting == Sorting::Ahead;
        let items = match &kind {
            Kind::ItemsImported { items, .. } if is_ahead => Some(readied::Items::of(items)?),
            _ => None,
        };
        let encoded = match (&kind, items.as_ref().and_then(readied::Items::as_given)) {
            (Kind::ItemsImported { import, .. }, Some(given)) => {
                codec::encode_items(*import, rows, given)?
            }
            _ => codec::encode_kind(&kind, rows as usize * USUAL_ROW_BYTES)?,
        };
        let ready = match (members, items) {
            (Some(rows), _) => Some(Ready::Members(Box::new(rows))),
            (None, Some(rows)) => Some(Ready::Items(Box::new(rows))),
            (None, None) if is_ahead => Ready::of(kind)?,
            (None, None) => None,
        };
        Ok(Staged { kind: encoded, rows, keys, ready })
    }
}

fn rows_of(kind: &Kind) -> u64 {
    let rows = match kind {
        Kind::MembersImported { members, .. } => members.len(),
        Kind::ItemsImported { items, .. } => items.len(),
        Kind::PointsImported { points, .. } => points.len(),
        Kind::StockImported { stock, .. } => stock.len(),
        _ => 0,
    };
    rows as u64
}

/// Keys made for the members of one entry.
#[derive(Default)]
struct NewKeys {
    codes: Texts,
    /// Never grown: a piece of memory given back would keep its keys.
    keys: Zeroizing<Vec<[u8; KEY_BYTES]>>,
}

impl NewKeys {
    fn for_as_many(members: usize) -> Self {
        let keys = Zeroizing::new(Vec::with_capacity(members));
        Self { codes: Texts::for_as_many(members), keys }
    }

    fn add(&mut self, code: &str, key: [u8; KEY_BYTES]) -> Secret {
        self.codes.push(code);
        self.keys.push(key);
        Zeroizing::new(key)
    }
}

/// An import's entries in order.
pub struct Stage {
    spool: SpooledTempFile,
    entries: u64,
    rows: u64,
    keys: Vec<NewKeys>,
    /// Where the rows are sorted in meanwhile.
    sending: Option<Sending>,
}

impl Stage {
    /// Begins with nothing; the scratch file lies in `dir` and has no name there.
    fn new(dir: &Path, sending: Option<Sending>) -> Self {
        let spool = tempfile::spooled_tempfile_in(MOST_IN_MEMORY, dir);
        Self { spool, entries: 0, rows: 0, keys: Vec::new(), sending }
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Puts an entry behind the others. No two rows of them are about the same code.
    pub fn push(&mut self, staged: Staged) -> io::Result<()> {
        let bytes = staged.kind.bytes();
        self.spool.write_all(&(bytes.len() as u32).to_le_bytes())?;
        self.spool.write_all(bytes)?;
        self.entries += 1;
        self.rows += staged.rows;
        if !staged.keys.codes.is_empty() {
            self.keys.push(staged.keys);
        }
        if let (Some(rows), Some(sending)) = (staged.ready, &self.sending) {
            sending.send(rows);
        }
        Ok(())
    }

    /// Says that the file has passed without a fault: what waits for its last row may go on.
    pub fn end(&mut self) {
        if let Some(sending) = self.sending.take() {
            sending.end();
        }
    }

    /// Makes the new keys durable: before the first entry that needs one.
    pub(super) fn write_keys(&mut self, keys: &Keys) -> Result<(), StoreError> {
        let new = std::mem::take(&mut self.keys);
        let mut places: Vec<(Lead, u32, u32)> = Vec::with_capacity(self.rows as usize);
        for (chunk, keys) in (0..).zip(&new) {
            let place = |place| (lead(keys.codes.at(place as usize).as_bytes()), chunk, place);
            places.extend((0..keys.codes.len() as u32).map(place));
        }
        let code = |chunk: u32, place: u32| new[chunk as usize].codes.at(place as usize);
        let key = |chunk: u32, place: u32| new[chunk as usize].keys[place as usize];
        // Most codes differ in what can be compared without looking them up.
        places.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| code(a.1, a.2).cmp(code(b.1, b.2)))
        });
        if places.is_empty() {
            return Ok(());
        }
        keys.add_members(
            places.into_iter().map(|(_, at, n)| (code(at, n), Zeroizing::new(key(at, n)))),
        )
    }

    /// Returns the entries' encoded kinds, in order.
    pub(super) fn into_kinds(mut self) -> io::Result<Kinds> {
        self.spool.seek(SeekFrom::Start(0))?;
        let spool = io::BufReader::with_capacity(1 << 20, self.spool);
        Ok(Kinds { spool, left: self.entries })
    }
}

/// What waits in the scratch file, read back.
pub struct Kinds {
    spool: io::BufReader<SpooledTempFile>,
    left: u64,
}

impl Iterator for Kinds {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let mut read = || {
            let mut len = [0; 4];
            self.spool.read_exact(&mut len)?;
            let mut kind = vec![0; u32::from_le_bytes(len) as usize];
            self.spool.read_exact(&mut kind)?;
            Ok(kind)
        };
        Some(read())
    }
}
