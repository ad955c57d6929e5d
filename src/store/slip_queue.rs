//! Slips of kitchens that are not known to be printed: one small file each.
//!
//! Room: store. May touch: the folder `slips` of the shop. May not: clock.
//! Invariant: a slip's file is there before it is sent, says so before its first byte leaves, and goes
//! once it is printed: a cut leaves "not sent" apart from "perhaps".

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{Files, read_whole, write_once};

const WAITS: &str = "slip";
const BEGUN: &str = "begun";

/// A slip that the last run left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftSlip {
    pub id: u64,
    pub place: String,
    pub receipt: String,
    /// What its printer was to be sent.
    pub bytes: Vec<u8>,
    /// Something of it may be on paper.
    pub begun: bool,
}

/// The files of the slips; its clones speak of the same folder.
#[derive(Clone)]
pub struct SlipQueue {
    files: Arc<dyn Files>,
    folder: PathBuf,
}

impl fmt::Debug for SlipQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SlipQueue").field(&self.folder).finish()
    }
}

impl SlipQueue {
    pub fn new(files: Arc<dyn Files>, shop: &Path) -> Self {
        Self { files, folder: shop.join("slips") }
    }

    fn path(&self, id: u64, state: &str) -> PathBuf {
        self.folder.join(format!("{id:012}.{state}"))
    }

    /// Returns the slips left behind, oldest first. A file that says nothing is dropped: the cut came
    /// before its slip was whole, so before it was sent.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn left(&self) -> io::Result<Vec<LeftSlip>> {
        let mut left = Vec::new();
        for name in self.files.list(&self.folder)? {
            let Some((id, state)) = name.split_once('.') else { continue };
            let (Ok(id), WAITS | BEGUN) = (id.parse(), state) else { continue };
            let path = self.folder.join(&name);
            match parse(id, state == BEGUN, &read_whole(&*self.files, &path)?) {
                Some(slip) => left.push(slip),
                None => self.files.remove(&path)?,
            }
        }
        left.sort_by_key(|slip| slip.id);
        Ok(left)
    }

    /// Keeps a slip that is about to be sent.
    ///
    /// # Errors
    /// What the disk says; the slip can be sent all the same.
    pub fn keep(&self, id: u64, place: &str, receipt: &str, bytes: &[u8]) -> io::Result<()> {
        self.files.make_dir(&self.folder)?;
        let file = self.files.create(&self.path(id, WAITS))?;
        let mut text = format!("{place}\n{receipt}\n{}\n", bytes.len()).into_bytes();
        text.extend_from_slice(bytes);
        write_once(&*file, 0, &text)
    }

    /// Makes the slips that wait durable, since their printer lets them wait.
    ///
    /// # Errors
    /// What the disk says.
    pub fn sync(&self) -> io::Result<()> {
        for name in self.files.list(&self.folder)? {
            match self.files.open(&self.folder.join(name)) {
                Ok(file) => file.sync_data()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {} // Printed meanwhile.
                Err(error) => return Err(error),
            }
        }
        self.files.sync_dir(&self.folder)
    }

    /// Says that the first byte leaves now.
    ///
    /// # Errors
    /// What the disk says.
    pub fn begin(&self, id: u64) -> io::Result<()> {
        self.files.rename(&self.path(id, WAITS), &self.path(id, BEGUN))?;
        self.files.sync_dir(&self.folder)
    }

    /// Forgets a slip that was printed, or told to staff.
    pub fn end(&self, id: u64) {
        // What is not there was not kept.
        let _ = self.files.remove(&self.path(id, BEGUN));
        let _ = self.files.remove(&self.path(id, WAITS));
    }
}

/// `place`, `receipt`, length and bytes; nothing where it is not whole.
fn parse(id: u64, begun: bool, file: &[u8]) -> Option<LeftSlip> {
    let mut parts = file.splitn(4, |&byte| byte == b'\n');
    let mut word = || std::str::from_utf8(parts.next()?).ok().map(str::to_owned);
    let (place, receipt, length) = (word()?, word()?, word()?);
    let bytes = parts.next()?.to_vec();
    (length.parse() == Ok(bytes.len())).then_some(LeftSlip { id, place, receipt, bytes, begun })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::files::faulty::FaultyFiles;

    #[test]
    fn a_cut_leaves_not_sent_apart_from_perhaps() {
        let queue = SlipQueue::new(Arc::new(FaultyFiles::new()), Path::new("/shop"));
        assert_eq!(queue.left().unwrap(), []);
        for id in 1..=3 {
            queue.keep(id, "台所", "01-000001", b"\x1b@a\nb\x00").unwrap();
        }
        queue.begin(2).unwrap();
        queue.end(3);
        queue.sync().unwrap();
        let slip = |id, begun| LeftSlip {
            id,
            place: "台所".into(),
            receipt: "01-000001".into(),
            bytes: b"\x1b@a\nb\x00".to_vec(),
            begun,
        };
        assert_eq!(queue.left().unwrap(), [slip(1, false), slip(2, true)]);
        queue.end(1);
        queue.end(2);
        assert_eq!(queue.left().unwrap(), []);
    }

    #[test]
    fn half_a_slip_was_never_sent() {
        for (file, whole) in [
            ("", false),
            ("台所\n01-000001\n3\nab", false),
            ("台所\n01-000001\n3\nabc", true),
            ("台所\n01-000001\n3", false),
            ("台所\n01-000001\n-\nabc", false),
        ] {
            assert_eq!(parse(1, false, file.as_bytes()).is_some(), whole, "{file:?}");
        }
    }
}
