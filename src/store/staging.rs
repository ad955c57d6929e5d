//! Rows of an import, sealed and encoded, waiting until their whole file has passed.
//!
//! Room: store. May touch: a scratch file without a name, keys. May not: clock.
//! Invariant: nothing here is anywhere else until it is appended: dropped, or killed, it leaves no
//! byte. What waits in the scratch file is sealed with keys that only this memory holds.
//!
//! A file is read once. Any number of threads make its entries ready, one collects them in order; for
//! each million members the collector holds 60 MB of new keys and the scratch file 250 MB.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use tempfile::SpooledTempFile;
use zeroize::Zeroizing;

use super::codec::{self, EncodedKind};
use super::fault::StoreError;
use super::keys::Keys;
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
}

/// An entry of an import, ready to be appended.
pub struct Staged {
    kind: EncodedKind,
    rows: u64,
    keys: NewKeys,
}

impl Stager {
    /// For about `wanted` rows.
    pub(super) fn new(keys: Arc<Keys>, wanted: u64) -> Result<Self, StoreError> {
        Ok(Self { ring: keys.ring(wanted)?, keys })
    }

    /// Seals and encodes the rows of one entry; a member without a key is given one, which the entry
    /// carries until it is appended.
    pub fn stage(&self, mut kind: Kind) -> Result<Staged, StoreError> {
        let mut keys = NewKeys::default();
        let rows = match &mut kind {
            Kind::MembersImported { members, .. } => {
                keys = self.seal(members)?;
                members.len()
            }
            Kind::ItemsImported { items, .. } => items.len(),
            Kind::PointsImported { points, .. } => points.len(),
            Kind::StockImported { stock, .. } => stock.len(),
            _ => 0,
        };
        Ok(Staged { kind: codec::encode_kind(&kind)?, rows: rows as u64, keys })
    }

    fn seal(&self, members: &mut [ImportedMember]) -> Result<NewKeys, StoreError> {
        // One call for the chance of all: a call for each would cost as much as the sealing.
        let mut chance = Zeroizing::new(vec![0; members.len() * (KEY_BYTES + NONCE_BYTES)]);
        self.keys.chance(&mut chance);
        let mut keys = NewKeys::for_as_many(members.len());
        for (member, chance) in members.iter_mut().zip(chance.chunks(KEY_BYTES + NONCE_BYTES)) {
            let card = &mut member.card;
            let Sealed::Clear(personal) = &card.personal else { continue };
            let (new, nonce) = chance.split_at(KEY_BYTES);
            let nonce = nonce.try_into().expect("cut to this length");
            let key = match self.ring.key(&card.code)? {
                Some(key) => key,
                None => keys.add(&card.code, new.try_into().expect("cut to this length")),
            };
            card.personal = sealing::close(&key, nonce, &card.code, personal)?;
        }
        Ok(keys)
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
}

impl Stage {
    /// Begins with nothing; the scratch file lies in `dir` and has no name there.
    pub(super) fn new(dir: &Path) -> Self {
        let spool = tempfile::spooled_tempfile_in(MOST_IN_MEMORY, dir);
        Self { spool, entries: 0, rows: 0, keys: Vec::new() }
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
        Ok(())
    }

    /// Makes the new keys durable: before the first entry that needs one.
    pub(super) fn write_keys(&mut self, keys: &Keys) -> Result<(), StoreError> {
        let new = std::mem::take(&mut self.keys);
        let mut places: Vec<(u32, u32)> = Vec::with_capacity(self.rows as usize);
        for (chunk, keys) in (0..).zip(&new) {
            places.extend((0..).zip(&keys.ends).map(|(place, _)| (chunk, place)));
        }
        let code = |(chunk, place): (u32, u32)| new[chunk as usize].code(place as usize);
        places.sort_unstable_by_key(|place| code(*place));
        let key = |(chunk, place): (u32, u32)| new[chunk as usize].keys[place as usize];
        if places.is_empty() {
            return Ok(());
        }
        keys.add_members(places.into_iter().map(|at| (code(at), Zeroizing::new(key(at)))))
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
