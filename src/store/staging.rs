//! Rows of an import, sealed and encoded, waiting until their whole file has passed.
//!
//! Room: store. May touch: a scratch file without a name, keys. May not: clock.
//! Invariant: nothing here is anywhere else until it is appended: dropped, or killed, it leaves no
//! byte. What waits in the scratch files is sealed with keys that only this memory holds.
//!
//! A file is read once. Any number of threads make its entries ready, and its members' rows for the
//! tables, one collects them in order; for each million members the collector holds 60 MB of new keys
//! and the scratch files 600 MB.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use tempfile::SpooledTempFile;
use zeroize::Zeroizing;

use super::codec::{self, EncodedKind};
use super::fault::StoreError;
use super::imports;
use super::keys::Keys;
use super::readied::{Closed, Readied, Waiting};
use super::sealing::{self, KEY_BYTES, KeyRing, NONCE_BYTES, Secret};
use crate::domain::entry::{ImportedMember, Kind};
use crate::domain::member::Sealed;

/// Bytes that wait in memory before the scratch file is made.
const MOST_IN_MEMORY: usize = 4 << 20;

/// Makes entries ready; may be shared by threads.
pub struct Stager {
    keys: Arc<Keys>,
    /// The keys that members already have.
    ring: KeyRing,
    /// What closes rows while they wait.
    wrap: Arc<Secret>,
    /// From which balances hold.
    day: i32,
}

/// An entry of an import, ready to be appended.
pub struct Staged {
    kind: EncodedKind,
    rows: u64,
    keys: NewKeys,
    readied: Option<Closed>,
}

/// An import that is to be brought in.
#[derive(Debug, Clone, Copy)]
pub struct Coming {
    pub import: u128,
    /// The business date of the entries, as far as it is known.
    pub day: i32,
    /// About so many rows.
    pub wanted: u64,
}

/// Begins an import; its scratch files lie in `dir`.
pub(super) fn begin(
    keys: &Arc<Keys>,
    dir: &Path,
    coming: Coming,
) -> Result<(Stager, Stage), StoreError> {
    let mut wrap = Secret::default();
    keys.chance(&mut *wrap);
    let wrap = Arc::new(wrap);
    let readied = Waiting::new(dir, coming, keys.erasures(), wrap.clone());
    keys.settle()?; // Members who have a key keep it.
    let (ring, day) = (keys.ring(coming.wanted)?, coming.day);
    Ok((Stager { ring, keys: keys.clone(), wrap, day }, Stage::new(dir, readied)))
}

impl Stager {
    /// Seals and encodes the rows of one entry; a member without a key is given one, which the entry
    /// carries until it is appended.
    pub fn stage(&self, mut kind: Kind) -> Result<Staged, StoreError> {
        let (mut keys, mut readied) = (NewKeys::default(), None);
        let rows = match &mut kind {
            Kind::MembersImported { members, .. } => {
                let (new, rows) = self.seal(members)?;
                keys = new;
                readied = Some(rows);
                members.len()
            }
            Kind::ItemsImported { items, .. } => items.len(),
            Kind::PointsImported { points, .. } => points.len(),
            Kind::StockImported { stock, .. } => stock.len(),
            _ => 0,
        };
        Ok(Staged { kind: codec::encode_kind(&kind)?, rows: rows as u64, keys, readied })
    }

    /// Makes the members' rows ready and closes their personal data, each with its own key.
    fn seal(&self, members: &mut [ImportedMember]) -> Result<(NewKeys, Closed), StoreError> {
        // One call for the chance of all: a call for each would cost as much as the sealing.
        let all = members.len() * (KEY_BYTES + NONCE_BYTES) + NONCE_BYTES;
        let mut chance = Zeroizing::new(vec![0; all]);
        self.keys.chance(&mut chance);
        let (of_rows, chance) = chance.split_first_chunk().expect("it begins with a nonce");
        let mut keys = NewKeys::for_as_many(members.len());
        let mut rows = Readied::for_as_many(members.len());
        for (member, chance) in members.iter_mut().zip(chance.chunks(KEY_BYTES + NONCE_BYTES)) {
            let Sealed::Clear(personal) = &member.card.personal else { continue };
            rows.push(&imports::prepared(&member.card, Some(personal), member.points, self.day)?);
            let (new, nonce) = chance.split_at(KEY_BYTES);
            let nonce = nonce.try_into().expect("cut to this length");
            let code = &member.card.code;
            let key = match self.ring.key(code)? {
                Some(key) => key,
                None => keys.add(code, new.try_into().expect("cut to this length")),
            };
            member.card.personal = sealing::close(&key, nonce, code, personal)?;
        }
        Ok((keys, rows.close(&self.wrap, *of_rows)?))
    }
}

/// Keys made for the members of one entry.
#[derive(Default)]
struct NewKeys {
    codes: String,
    /// Where each code ends.
    ends: Vec<u32>,
    /// Never grown: a piece of memory given back would keep its keys.
    keys: Zeroizing<Vec<[u8; KEY_BYTES]>>,
}

impl NewKeys {
    fn for_as_many(members: usize) -> Self {
        let keys = Zeroizing::new(Vec::with_capacity(members));
        Self { codes: String::new(), ends: Vec::new(), keys }
    }

    fn add(&mut self, code: &str, key: [u8; KEY_BYTES]) -> Secret {
        self.codes.push_str(code);
        self.ends.push(self.codes.len() as u32);
        self.keys.push(key);
        Zeroizing::new(key)
    }

    fn code(&self, place: usize) -> &str {
        let from = place.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.codes[from..self.ends[place] as usize]
    }
}

/// An import's entries in order.
pub struct Stage {
    spool: SpooledTempFile,
    entries: u64,
    rows: u64,
    keys: Vec<NewKeys>,
    readied: Option<Waiting>,
}

impl Stage {
    /// Begins with nothing; the scratch file lies in `dir` and has no name there.
    fn new(dir: &Path, readied: Waiting) -> Self {
        let spool = tempfile::spooled_tempfile_in(MOST_IN_MEMORY, dir);
        Self { spool, entries: 0, rows: 0, keys: Vec::new(), readied: Some(readied) }
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Puts an entry behind the others.
    pub fn push(&mut self, staged: Staged) -> io::Result<()> {
        let bytes = staged.kind.bytes();
        self.spool.write_all(&(bytes.len() as u32).to_le_bytes())?;
        self.spool.write_all(bytes)?;
        self.entries += 1;
        self.rows += staged.rows;
        if !staged.keys.ends.is_empty() {
            self.keys.push(staged.keys);
        }
        match (staged.readied, &mut self.readied) {
            (Some(rows), Some(readied)) => readied.push(&rows),
            _ => Ok(()),
        }
    }

    /// Takes the rows that were made ready for the tables.
    pub(super) fn take_readied(&mut self) -> Option<Waiting> {
        self.readied.take().filter(|readied| !readied.is_empty())
    }

    /// Makes the new keys durable: before the first entry that needs one.
    pub(super) fn write_keys(&mut self, keys: &Keys) -> Result<(), StoreError> {
        let new = std::mem::take(&mut self.keys);
        let mut places: Vec<(u128, u32, u32)> = Vec::with_capacity(self.rows as usize);
        for (chunk, keys) in (0..).zip(&new) {
            let place = |place| (lead(keys.code(place as usize)), chunk, place);
            places.extend((0..keys.ends.len() as u32).map(place));
        }
        let code = |chunk: u32, place: u32| new[chunk as usize].code(place as usize);
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

/// The first bytes of a code as a number.
fn lead(code: &str) -> u128 {
    let mut lead = [0; 16];
    let len = code.len().min(lead.len());
    lead[..len].copy_from_slice(&code.as_bytes()[..len]);
    u128::from_be_bytes(lead)
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
