//! The bytes of one file of the faulty layer, copied only where they are changed.
//!
//! Room: store. May touch: its own memory.
//! Invariant: a clone is a snapshot; a write to one is never seen by the other.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

const CHUNK: usize = 4096;

type Chunk = Arc<[u8; CHUNK]>;

/// Where a file was made longer and nothing was written: zeros that take no room, as file systems keep them.
static HOLE: LazyLock<Chunk> = LazyLock::new(|| Arc::new([0; CHUNK]));

/// A file's content in chunks that clones share: a picture of the disk at every write is cheap.
#[derive(Debug, Clone, Default)]
pub(super) struct Bytes {
    len: usize,
    chunks: Vec<Chunk>,
}

impl Bytes {
    pub fn len(&self) -> usize {
        self.len
    }

    /// Cuts, or grows with zeros.
    pub fn set_len(&mut self, len: usize) {
        if len < self.len && !len.is_multiple_of(CHUNK) {
            Arc::make_mut(&mut self.chunks[len / CHUNK])[len % CHUNK..].fill(0);
        }
        let count = len.div_ceil(CHUNK);
        if count > self.chunks.len() {
            self.chunks.resize(count, Arc::clone(&HOLE));
        }
        self.chunks.truncate(count);
        self.len = len;
    }

    /// Gives every hole its room.
    pub fn fill_holes(&mut self) {
        let zeros: Chunk = Arc::new([0; CHUNK]);
        for chunk in self.chunks.iter_mut().filter(|chunk| is_hole(chunk)) {
            *chunk = Arc::clone(&zeros);
        }
    }

    /// Returns the bytes that the file takes on a disk.
    pub fn room(&self) -> u64 {
        to_bytes(self.chunks.iter().filter(|chunk| !is_hole(chunk)).count())
    }

    /// Returns how many bytes more a write over `span` would take.
    pub fn more_room(&self, span: Range<usize>) -> u64 {
        let span = span.start / CHUNK..span.end.div_ceil(CHUNK);
        to_bytes(span.filter(|at| self.chunks.get(*at).is_none_or(is_hole)).count())
    }

    /// Fills `out` from `offset`; all of it must be there.
    pub fn read(&self, offset: usize, out: &mut [u8]) {
        let mut done = 0;
        while done < out.len() {
            let at = offset + done;
            let chunk = &self.chunks[at / CHUNK][at % CHUNK..];
            let step = chunk.len().min(out.len() - done);
            out[done..done + step].copy_from_slice(&chunk[..step]);
            done += step;
        }
    }

    /// Writes, growing with zeros where it must.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        if self.len < offset + bytes.len() {
            self.set_len(offset + bytes.len());
        }
        let mut done = 0;
        while done < bytes.len() {
            let at = offset + done;
            let chunk = &mut Arc::make_mut(&mut self.chunks[at / CHUNK])[at % CHUNK..];
            let step = chunk.len().min(bytes.len() - done);
            chunk[..step].copy_from_slice(&bytes[done..done + step]);
            done += step;
        }
    }

    /// Changes one byte, if it is there.
    pub fn change(&mut self, offset: usize, how: impl FnOnce(&mut u8)) {
        if offset < self.len {
            how(&mut Arc::make_mut(&mut self.chunks[offset / CHUNK])[offset % CHUNK]);
        }
    }

    /// Returns the sectors of this file in which the other differs, or that it does not have.
    pub fn differing(&self, other: &Self, sector: usize) -> BTreeSet<usize> {
        let per_chunk = CHUNK / sector;
        let mut found = BTreeSet::new();
        for (place, chunk) in self.chunks.iter().enumerate() {
            let before = other.chunks.get(place);
            if before.is_some_and(|before| Arc::ptr_eq(before, chunk)) && self.len == other.len {
                continue;
            }
            for part in 0..per_chunk {
                let span = part * sector..(part + 1) * sector;
                let start = place * CHUNK + span.start;
                let beyond = start + sector > other.len;
                if start < self.len
                    && (beyond || before.is_none_or(|b| b[span.clone()] != chunk[span]))
                {
                    found.insert(place * per_chunk + part);
                }
            }
        }
        found
    }
}

fn is_hole(chunk: &Chunk) -> bool {
    Arc::ptr_eq(chunk, &HOLE)
}

fn to_bytes(chunks: usize) -> u64 {
    (chunks * CHUNK) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_written_takes_no_room_until_it_is_given() {
        let mut bytes = Bytes::default();
        bytes.set_len(10 * CHUNK);
        assert_eq!(bytes.room(), 0);
        assert_eq!(bytes.more_room(CHUNK - 1..CHUNK + 1), to_bytes(2));
        assert_eq!(bytes.more_room(9 * CHUNK..11 * CHUNK), to_bytes(2), "and beyond the end");
        bytes.write(CHUNK - 1, b"ab");
        assert_eq!(bytes.room(), to_bytes(2));
        assert_eq!(bytes.more_room(0..2 * CHUNK), 0);
        bytes.fill_holes();
        assert_eq!(bytes.room(), to_bytes(10));
    }

    #[test]
    fn a_clone_keeps_what_it_saw_and_cut_bytes_come_back_as_zeros() {
        let mut bytes = Bytes::default();
        bytes.write(4090, b"over a chunk");
        let seen = bytes.clone();
        bytes.write(4094, b"XX");
        bytes.set_len(4100);
        bytes.set_len(9000);
        let mut out = [9; 12];
        bytes.read(4090, &mut out);
        assert_eq!(&out, b"overXX chu\0\0");
        seen.read(4090, &mut out);
        assert_eq!(&out, b"over a chunk");
        assert_eq!(bytes.differing(&seen, 512), BTreeSet::from_iter(7..=17));
    }
}
