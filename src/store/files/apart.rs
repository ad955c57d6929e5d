//! A file that is read as it is and written apart, in memory: who works on it leaves no trace.
//!
//! Room: store. May touch: the file, to read. May not: change it.
//! Invariant: what was written here is read back here, and nowhere else.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{DiskFile, read_full};

const PAGE: usize = 4096;

/// The file, and what would have been written to it. Takes the memory of the pages that are written:
/// redb, opening and closing a file of keys, writes a few.
#[derive(Debug)]
pub struct Apart {
    file: Arc<dyn DiskFile>,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    len: u64,
    /// The shortest it has been: behind that the file shows nothing.
    shown: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
}

impl Apart {
    pub fn of(file: Arc<dyn DiskFile>) -> io::Result<Self> {
        let len = file.len()?;
        let written = Mutex::new(Written { len, shown: len, pages: BTreeMap::new() });
        Ok(Self { file, written })
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what the file itself shows, zeros behind it.
    fn read_shown(&self, shown: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = shown.saturating_sub(offset).min(out.len() as u64);
        let (there, beyond) = out.split_at_mut(usize::try_from(there).expect("it fits the buffer"));
        beyond.fill(0);
        read_full(&*self.file, offset, there)
    }
}

/// The parts of a span that each lie in one page: the page, where in it, and where in the span.
fn parts(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let within = usize::try_from(at % PAGE as u64).expect("less than a page");
        let step = (PAGE - within).min(len - done);
        let span = done..done + step;
        done = span.end;
        (step > 0).then_some((at / PAGE as u64, within, span))
    })
}

impl DiskFile for Apart {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().len)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let written = self.written();
        let wanted = written.len.saturating_sub(offset).min(out.len() as u64);
        let wanted = usize::try_from(wanted).expect("it fits the buffer");
        for (page, within, span) in parts(offset, wanted) {
            let (from, out) = (offset + span.start as u64, &mut out[span]);
            match written.pages.get(&page) {
                Some(bytes) => out.copy_from_slice(&bytes[within..within + out.len()]),
                None => self.read_shown(written.shown, from, out)?,
            }
        }
        Ok(wanted)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.written();
        let end = offset.checked_add(bytes.len() as u64).ok_or(ErrorKind::FileTooLarge)?;
        written.len = written.len.max(end);
        for (page, within, span) in parts(offset, bytes.len()) {
            let bytes = &bytes[span];
            let mut whole = match written.pages.remove(&page) {
                Some(known) => known,
                None => {
                    let mut whole = Box::new([0; PAGE]);
                    // A page of which nothing stays need not be one that can be read.
                    if bytes.len() < PAGE {
                        self.read_shown(written.shown, page * PAGE as u64, &mut *whole)?;
                    }
                    whole
                }
            };
            whole[within..within + bytes.len()].copy_from_slice(bytes);
            written.pages.insert(page, whole);
        }
        Ok(bytes.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written = self.written();
        written.len = len;
        written.shown = written.shown.min(len);
        drop(written.pages.split_off(&len.div_ceil(PAGE as u64)));
        let within = usize::try_from(len % PAGE as u64).expect("less than a page");
        if let Some(last) = written.pages.get_mut(&(len / PAGE as u64)) {
            last[within..].fill(0);
        }
        Ok(())
    }

    fn allocate(&self, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::store::files::faulty::FaultyFiles;
    use crate::store::files::{read_whole, write_fresh};

    fn read(file: &dyn DiskFile) -> Vec<u8> {
        let mut bytes = vec![9; usize::try_from(file.len().unwrap()).unwrap()];
        read_full(file, 0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_written_apart_is_read_there_and_the_file_stays_as_it_is() {
        let (disk, path) = (FaultyFiles::new(), Path::new("/file"));
        let mut want: Vec<u8> = (0..3 * PAGE + 77).map(|at| at as u8 ^ 0x5a).collect();
        let original = want.clone();
        let apart = Apart::of(write_fresh(&disk, path, &want).unwrap()).unwrap();
        let (changes, short) = (disk.counts().changes, 2 * PAGE - 5);
        for (at, len) in [(10, 20), (PAGE - 3, 9), (PAGE, PAGE), (3 * PAGE + 70, 50)] {
            want.resize(want.len().max(at + len), 0);
            want[at..at + len].fill(7);
            assert_eq!(apart.write_at(at as u64, &vec![7; len]).unwrap(), len);
            assert!(read(&apart) == want, "{at} {len}");
        }
        want.truncate(short);
        apart.set_len(short as u64).unwrap();
        want.resize(4 * PAGE, 0);
        apart.set_len(4 * PAGE as u64).unwrap();
        assert!(read(&apart) == want, "zeros where it was cut");
        assert_eq!(apart.read_at(4 * PAGE as u64, &mut [0; 4]).unwrap(), 0);
        assert_eq!(disk.counts().changes, changes);
        assert!(read_whole(&disk, path).unwrap() == original);
    }
}
