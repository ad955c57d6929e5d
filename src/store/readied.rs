//! Rows of an import made ready for the tables while its file was read, so that the fold need not
//! read its entries again: prove, decode and open each.
//!
//! Room: store. May touch: a scratch file without a name. May not: clock, chance.
//! Invariant: a row here is what its entry in the journal would be made into; whoever has lost the one
//! takes the other. On the disk it is sealed with a key that only this memory holds.
//!
//! ```text
//! chunk    24 bytes nonce · u32 rows · u32 length · sealed rows
//! row      u8 what follows · [i64 points] · u32 length · packed row · code and five keys, each u16
//!          length · text
//! ```

use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::Sender;
use tempfile::SpooledTempFile;

use super::ahead::Ticket;
use super::fault::StoreError;
use super::imports::{Ready, sent};
use super::members::{Lent, Prepared, Start};
use super::sealing::{self, NONCE_BYTES, Secret};
use super::staging::Coming;

/// Bytes that wait in memory before the scratch file is made.
const MOST_IN_MEMORY: usize = 4 << 20;

/// Bytes of a row, so that they are seldom moved.
const USUAL_ROW_BYTES: usize = 400;

const HAS_POINTS: u8 = 1;
const HAS_KEYS: u8 = 2;

/// The rows of one entry, one behind the other.
#[derive(Debug)]
pub struct Readied {
    bytes: Vec<u8>,
    rows: u64,
}

impl Readied {
    /// Begins with room for so many rows as they usually are.
    pub fn for_as_many(rows: usize) -> Self {
        Self { bytes: Vec::with_capacity(rows * USUAL_ROW_BYTES), rows: 0 }
    }

    pub fn push(&mut self, member: &Prepared) {
        let Lent { code, packed, keys, start } = member.lent();
        let has = |flag, is| if is { flag } else { 0 };
        self.bytes.push(has(HAS_POINTS, start.is_some()) | has(HAS_KEYS, keys.is_some()));
        self.bytes.extend(start.iter().flat_map(|start| start.points.to_le_bytes()));
        self.bytes.extend((packed.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(packed);
        for text in std::iter::once(code).chain(keys.into_iter().flatten()) {
            let len = u16::try_from(text.len()).expect("a field of a file is shorter");
            self.bytes.extend(len.to_le_bytes());
            self.bytes.extend_from_slice(text.as_bytes());
        }
        self.rows += 1;
    }

    pub fn len(&self) -> u64 {
        self.rows
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Calls `each` with the rows in order; balances hold from `day` on.
    pub fn each(
        &self,
        day: i32,
        mut each: impl FnMut(Lent<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut rest = self.bytes.as_slice();
        for _ in 0..self.rows {
            let row = lent(&mut rest, day);
            each(row.ok_or_else(|| StoreError::Journal("a row made ready".to_owned()))?)?;
        }
        Ok(())
    }

    /// Closes the rows for the scratch file.
    pub fn close(self, key: &Secret, nonce: [u8; NONCE_BYTES]) -> Result<Closed, StoreError> {
        Ok(Closed { nonce, bytes: sealing::close_bytes(key, nonce, self.bytes)?, rows: self.rows })
    }
}

fn lent<'a>(rest: &mut &'a [u8], day: i32) -> Option<Lent<'a>> {
    let has = take(rest, 1)?[0];
    let points = match has & HAS_POINTS {
        0 => None,
        _ => Some(i64::from_le_bytes(*take(rest, 8)?.first_chunk()?)),
    };
    let len = u32::from_le_bytes(*take(rest, 4)?.first_chunk()?);
    let packed = take(rest, len as usize)?;
    let code = text(rest)?;
    let keys = match has & HAS_KEYS {
        0 => None,
        _ => Some([text(rest)?, text(rest)?, text(rest)?, text(rest)?, text(rest)?]),
    };
    Some(Lent { code, packed, keys, start: points.map(|points| Start { day, points }) })
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let len = u16::from_le_bytes(*take(rest, 2)?.first_chunk()?);
    std::str::from_utf8(take(rest, len.into())?).ok()
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(taken)
}

/// The rows of one entry as the scratch file holds them.
#[derive(Debug)]
pub struct Closed {
    nonce: [u8; NONCE_BYTES],
    bytes: Vec<u8>,
    rows: u64,
}

/// The rows of a whole import, in order.
#[derive(Debug)]
pub struct Waiting {
    coming: Coming,
    /// Members erased before.
    erasures: u64,
    key: Arc<Secret>,
    spool: SpooledTempFile,
    rows: u64,
}

impl Waiting {
    /// Begins with nothing; the scratch file lies in `dir` and has no name there.
    pub fn new(dir: &Path, coming: Coming, erasures: u64, key: Arc<Secret>) -> Self {
        let spool = tempfile::spooled_tempfile_in(MOST_IN_MEMORY, dir);
        Self { coming, erasures, key, spool, rows: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub fn push(&mut self, closed: &Closed) -> io::Result<()> {
        self.spool.write_all(&closed.nonce)?;
        self.spool.write_all(&(closed.rows as u32).to_le_bytes())?;
        self.spool.write_all(&(closed.bytes.len() as u32).to_le_bytes())?;
        self.spool.write_all(&closed.bytes)?;
        self.rows += closed.rows;
        Ok(())
    }

    /// Returns whose rows these are.
    pub fn ticket(&self) -> Ticket {
        let Coming { import, day, .. } = self.coming;
        Ticket { import, day, rows: self.rows, erasures: self.erasures }
    }

    /// Sends the rows on, entry by entry, until all are sent or nobody takes them.
    pub(super) fn send(mut self, ready: &Sender<Ready>) -> Result<(), StoreError> {
        self.spool.seek(SeekFrom::Start(0))?;
        let mut spool = BufReader::with_capacity(1 << 20, self.spool);
        let mut left = self.rows;
        while left > 0 {
            let (mut nonce, mut rows, mut len) = ([0; NONCE_BYTES], [0; 4], [0; 4]);
            spool.read_exact(&mut nonce)?;
            spool.read_exact(&mut rows)?;
            spool.read_exact(&mut len)?;
            let mut closed = vec![0; u32::from_le_bytes(len) as usize];
            spool.read_exact(&mut closed)?;
            let bytes = sealing::open_bytes(&self.key, nonce, closed)?;
            let rows = u32::from_le_bytes(rows).into();
            left = left.saturating_sub(rows);
            sent(ready, Ready::Readied(Readied { bytes, rows }))?;
        }
        Ok(())
    }
}
