//! The keys in the second copy: a file of rows that grows as the key file changes, and is made anew when
//! one is destroyed.
//!
//! Room: store. May touch: the copy's folder; the key file through its module.
//! Invariant: of the copy's keys and the copy's journal the keys are never the older; a destroyed key
//! leaves no byte in the file. A copy that knows more than the key file is left as it is.
//!
//! ```text
//! "regi-key" · u64 LE the key file's number · u64 LE its changes · u64 LE where the rows of those end ·
//! u32 LE CRC32C of these · rows, one behind the other; behind that end each row is one more change
//! row    u32 LE length · u32 LE CRC32C · packed row
//! ```

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::backup::remove_if_there;
use super::codec;
use super::fault::StoreError;
use super::files::{DiskFile, Files, beside, read_full, read_whole, write_once};
use super::keys::{KeyRow, Keys, Stand};
use super::second_copy::CopyPlace;
use super::sums;

/// The file's name in the copy's folder.
pub const KEYS_COPY: &str = "keys.copy";

const MAGIC: &[u8; 8] = b"regi-key";
const HEADER: usize = 8 + 8 + 8 + 8 + 4;
const ROW_HEAD: usize = 8;
/// No row is longer: a PIN's verifier or a member's code.
const LONGEST_ROW: usize = 4096;
/// Bytes written at a time.
const CHUNK: usize = 256 * 1024;

/// How far the copy's keys are, and where their file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    stand: Stand,
    end: u64,
}

/// How the copy's keys came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brought {
    Up(Reached),
    /// The copy knows changes that the key file does not: bring them back from it.
    Ahead,
}

/// Brings the copy's keys up to the key file. `reached` is what the last call came to; `None` looks.
///
/// # Errors
/// A disk that fails, or a key file that cannot be read.
pub fn bring_up(
    keys: &Keys,
    place: &CopyPlace,
    reached: Option<Reached>,
) -> Result<Brought, StoreError> {
    let own = keys.stand()?;
    if let Some(reached) = reached.filter(|reached| reached.stand == own) {
        return Ok(Brought::Up(reached));
    }
    let path = place.dir.join(KEYS_COPY);
    let found = match reached {
        Some(reached) => Some(reached),
        None => look(&*place.files, &path)?,
    };
    let same = found.filter(|found| found.stand.file == own.file);
    if same.is_none_or(|same| same.stand.changes < own.changes) {
        keys.settle()?; // The copy of what a cut may take would know more than the key file.
    }
    if let Some(found) = same {
        if found.stand.changes > own.changes {
            return Ok(Brought::Ahead);
        }
        if let Some(rows) = keys.rows_since(found.stand.changes, own.changes) {
            return Ok(Brought::Up(append(&*place.files, &path, found, own, &rows)?));
        }
    }
    let before = beside(&path, ".before");
    match same {
        // Another key file has come in its place: what the copy knew may be all there is.
        None if found.is_some() => place.files.rename(&path, &before)?,
        _ => remove_if_there(&*place.files, &before)?,
    }
    Ok(Brought::Up(write_anew(keys, place, &path)?))
}

/// Whether the copy knows changes of this key file that the file itself does not.
///
/// # Errors
/// `Keys` when the key file cannot say how far it goes; any other is the copy's.
pub fn is_ahead(keys: &Keys, place: &CopyPlace) -> Result<bool, StoreError> {
    let own = keys.stand().map_err(|error| match error {
        StoreError::Projections(_) | StoreError::File(_) => StoreError::Keys(error.reason()),
        other => other,
    })?;
    let found = look(&*place.files, &place.dir.join(KEYS_COPY))?;
    let same = found.filter(|found| found.stand.file == own.file);
    Ok(same.is_some_and(|found| found.stand.changes > own.changes))
}

/// Reads how far a copy's keys go, without those it began with; `None` where there is no such file.
fn look(files: &dyn Files, path: &Path) -> Result<Option<Reached>, StoreError> {
    let file = match files.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut header = [0; HEADER];
    if file.len()? < HEADER as u64 || read_full(&*file, 0, &mut header).is_err() {
        return Ok(None);
    }
    let Some((stand, snapshot_end)) = read_header(&header) else { return Ok(None) };
    let mut reached = Reached { stand, end: snapshot_end };
    let later = file.len()?.checked_sub(snapshot_end).map(|len| vec![0; len as usize]);
    let Some(mut later) = later else { return Ok(None) };
    read_full(&*file, snapshot_end, &mut later)?;
    let mut rest = later.as_slice();
    while let Some((_, len)) = row_at(rest) {
        rest = &rest[len..];
        reached.end += len as u64;
        reached.stand.changes += 1;
    }
    Ok(Some(reached))
}

fn header(stand: Stand, end: u64) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..16].copy_from_slice(&stand.file.to_le_bytes());
    bytes[16..24].copy_from_slice(&stand.changes.to_le_bytes());
    bytes[24..32].copy_from_slice(&end.to_le_bytes());
    let crc = sums::crc(&bytes[..32]);
    bytes[32..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn read_header(bytes: &[u8; HEADER]) -> Option<(Stand, u64)> {
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let stand = Stand { file: word(8), changes: word(16) };
    (*bytes == header(stand, word(24))).then_some((stand, word(24)))
}

fn put_row(out: &mut Vec<u8>, row: &KeyRow) -> Result<(), StoreError> {
    let row = codec::pack(row)?;
    out.extend_from_slice(&(row.len() as u32).to_le_bytes());
    out.extend_from_slice(&sums::crc(&row).to_le_bytes());
    out.extend_from_slice(&row);
    Ok(())
}

/// Returns the row that `bytes` begin with, and its length with its head; `None` when there is no whole one.
fn row_at(bytes: &[u8]) -> Option<(KeyRow, usize)> {
    let word = |at: usize| {
        let four = bytes.get(at..at + 4)?;
        Some(u32::from_le_bytes(four.try_into().expect("four bytes")))
    };
    let len = usize::try_from(word(0)?).ok().filter(|len| *len <= LONGEST_ROW)?;
    let row = bytes.get(ROW_HEAD..ROW_HEAD + len)?;
    let row = (sums::crc(row) == word(4)?).then(|| codec::unpack(row).ok())??;
    Some((row, ROW_HEAD + len))
}

fn append(
    files: &dyn Files,
    path: &Path,
    found: Reached,
    own: Stand,
    rows: &[KeyRow],
) -> Result<Reached, StoreError> {
    let mut bytes = Vec::new();
    rows.iter().try_for_each(|row| put_row(&mut bytes, row))?;
    let file = files.open(path)?;
    if file.len()? > found.end {
        file.set_len(found.end)?; // Half a row that a cut left.
    }
    write_once(&*file, found.end, &bytes)?;
    file.sync_data()?;
    Ok(Reached { stand: own, end: found.end + bytes.len() as u64 })
}

fn write_anew(keys: &Keys, place: &CopyPlace, path: &Path) -> Result<Reached, StoreError> {
    let (files, fresh) = (&*place.files, beside(path, ".new"));
    files.make_dir(&place.dir)?;
    remove_if_there(files, &fresh)?;
    let mut out = Rows { file: files.create(&fresh)?, end: HEADER as u64, buffer: Vec::new() };
    let stand = keys.rows(|row| out.put(&row))?;
    out.flush()?;
    write_once(&*out.file, 0, &header(stand, out.end))?;
    out.file.sync_data()?;
    files.rename(&fresh, path)?;
    files.sync_dir(&place.dir)?;
    Ok(Reached { stand, end: out.end })
}

/// Rows on their way to a new file.
struct Rows {
    file: Arc<dyn DiskFile>,
    end: u64,
    buffer: Vec<u8>,
}

impl Rows {
    fn put(&mut self, row: &KeyRow) -> Result<(), StoreError> {
        put_row(&mut self.buffer, row)?;
        if self.buffer.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        write_once(&*self.file, self.end, &self.buffer)?;
        self.end += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// What a copy holds of the keys.
pub struct Copied {
    pub stand: Stand,
    pub rows: Vec<KeyRow>,
}

/// Reads a copy's keys, to bring them back; `None` where there are none.
///
/// # Errors
/// `Keys` when a row is not what was written: half of the keys would pass for all of them.
pub fn read(place: &CopyPlace) -> Result<Option<Copied>, StoreError> {
    let path = place.dir.join(KEYS_COPY);
    let bytes = match read_whole(&*place.files, &path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes?,
    };
    let damaged = || StoreError::Keys("the second copy's keys are damaged".to_owned());
    let begun = bytes.first_chunk::<HEADER>().and_then(read_header);
    let (mut stand, snapshot_end) = begun.ok_or_else(damaged)?;
    let (mut at, mut rows) = (HEADER, Vec::new());
    while let Some((row, len)) = row_at(&bytes[at..]) {
        at += len;
        stand.changes += u64::from(at as u64 > snapshot_end);
        rows.push(row);
    }
    // Behind the snapshot a cut may have left half a row; inside it nothing may be missing.
    if (at as u64) < snapshot_end { Err(damaged()) } else { Ok(Some(Copied { stand, rows })) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::Pin;
    use crate::store::files::faulty::{FaultKind, FaultyFiles, Keep, Lasting};
    use crate::store::keys::tests::counting_chance;
    use crate::store::pins::PinPolicy;

    const KEYS: &str = "/shop/keys.redb";

    fn keys(disk: &FaultyFiles) -> Keys {
        Keys::open(Arc::new(disk.clone()), Path::new(KEYS), counting_chance()).unwrap()
    }

    fn place(stick: &FaultyFiles) -> CopyPlace {
        CopyPlace { files: Arc::new(stick.clone()), dir: "/copy".into() }
    }

    /// The rows as a key file has them that was made of these: later ones in the place of earlier.
    fn settled(rows: Vec<KeyRow>) -> Vec<KeyRow> {
        let disk = FaultyFiles::new();
        let made = keys(&disk);
        made.restore_rows(|put| rows.into_iter().try_for_each(put)).unwrap();
        rows_of(&made)
    }

    fn rows_of(keys: &Keys) -> Vec<KeyRow> {
        let mut rows = Vec::new();
        keys.rows(|row| {
            rows.push(row);
            Ok(())
        })
        .unwrap();
        rows
    }

    fn assert_same(keys: &Keys, stick: &FaultyFiles, what: &str) {
        let copied = read(&place(stick)).unwrap().expect(what);
        assert_eq!(copied.stand, keys.stand().unwrap(), "{what}");
        assert_eq!(settled(copied.rows), rows_of(keys), "{what}");
    }

    fn bytes(stick: &FaultyFiles) -> Vec<u8> {
        read_whole(stick, &Path::new("/copy").join(KEYS_COPY)).unwrap()
    }

    fn codes(range: std::ops::Range<u32>) -> Vec<String> {
        range.map(|number| format!("29{number:05}")).collect()
    }

    fn create(keys: &Keys, range: std::ops::Range<u32>) {
        keys.create_members(codes(range).iter().map(String::as_str)).unwrap();
    }

    #[test]
    fn each_change_reaches_the_copy_and_few_of_them_only_lengthen_it() {
        let (disk, stick) = (FaultyFiles::new(), FaultyFiles::new());
        let keys = keys(&disk);
        let mut reached = None;
        let mut follow = |what: &str| {
            let Brought::Up(now) = bring_up(&keys, &place(&stick), reached).unwrap() else {
                panic!("{what}")
            };
            reached = Some(now);
            assert_same(&keys, &stick, what);
            bytes(&stick)
        };
        let empty = follow("nothing yet");
        create(&keys, 0..3);
        let three = follow("three members");
        assert!(three.starts_with(&empty), "only lengthened");
        let pin = Pin::new("482915");
        keys.set_pin(3, Some(&pin), PinPolicy::Guarded).unwrap();
        keys.signing_key().unwrap();
        assert!(follow("a PIN and the key of the Zs").starts_with(&three));
        create(&keys, 10..2_000);
        follow("an import");
        keys.set_pin(3, None, PinPolicy::Guarded).unwrap();
        follow("a PIN taken away");
    }

    #[test]
    fn a_destroyed_key_leaves_no_byte_in_the_copy() {
        let (disk, stick) = (FaultyFiles::new(), FaultyFiles::new());
        let keys = keys(&disk);
        create(&keys, 0..5);
        bring_up(&keys, &place(&stick), None).unwrap();
        let KeyRow::Member { code, key } = rows_of(&keys).swap_remove(2) else { panic!() };
        let holds = |stick: &FaultyFiles| bytes(stick).windows(32).any(|part| part == key);
        assert!(holds(&stick));
        keys.erase_member(&code).unwrap();
        bring_up(&keys, &place(&stick), None).unwrap();
        assert!(!holds(&stick));
        assert_same(&keys, &stick, "the others are there");
    }

    #[test]
    fn a_copy_that_knows_more_is_left_and_another_files_keys_are_kept_beside() {
        let (disk, stick) = (FaultyFiles::new(), FaultyFiles::new());
        let made = keys(&disk);
        create(&made, 0..2);
        let lost = disk.fork();
        create(&made, 2..4);
        bring_up(&made, &place(&stick), None).unwrap();
        let known = bytes(&stick);
        assert_eq!(bring_up(&keys(&lost), &place(&stick), None).unwrap(), Brought::Ahead);
        assert!(bytes(&stick) == known);

        let other = FaultyFiles::new();
        // Any other chance names another file.
        let chance = counting_chance();
        chance(&mut [0; 8]);
        let another = Keys::open(Arc::new(other), Path::new(KEYS), chance).unwrap();
        bring_up(&another, &place(&stick), None).unwrap();
        let beside = beside(&Path::new("/copy").join(KEYS_COPY), ".before");
        assert!(read_whole(&stick, &beside).unwrap() == known);
    }

    #[test]
    fn a_key_file_that_cannot_say_how_far_it_goes_is_no_trouble_of_the_copy() {
        let (disk, stick) = (FaultyFiles::new(), FaultyFiles::new());
        let keys = keys(&disk);
        create(&keys, 0..3);
        bring_up(&keys, &place(&stick), None).unwrap();
        stick.fail_at(1, FaultKind::Eio, Lasting::Sticky);
        assert!(matches!(is_ahead(&keys, &place(&stick)), Err(StoreError::File(_))));
        stick.heal();
        disk.fail_at(1, FaultKind::Eio, Lasting::Sticky);
        assert!(keys.create_members(["29"]).is_err());
        assert!(matches!(is_ahead(&keys, &place(&stick)), Err(StoreError::Keys(_))));
    }

    #[test]
    fn whatever_cuts_a_change_off_the_copy_comes_after_it() {
        for at in 1..20 {
            for keep in Keep::ALL {
                let (disk, stick) = (FaultyFiles::new(), FaultyFiles::new());
                let keys = keys(&disk);
                create(&keys, 0..3);
                bring_up(&keys, &place(&stick), None).unwrap();
                stick.reset_counts();
                stick.cut_at(at);
                create(&keys, 3..5);
                let first = bring_up(&keys, &place(&stick), None);
                let then = first.and_then(|_| {
                    keys.erase_member("2900001")?;
                    bring_up(&keys, &place(&stick), None)
                });
                stick.power_cut(keep, at);
                let copied = read(&place(&stick)).unwrap().expect("the old one or the new one");
                assert!(copied.stand.changes <= keys.stand().unwrap().changes);
                bring_up(&keys, &place(&stick), None).unwrap();
                assert_same(&keys, &stick, &format!("{at} {keep:?} {}", then.is_ok()));
            }
        }
    }

    #[test]
    fn a_flipped_bit_is_no_key() {
        let (disk, stick) = (FaultyFiles::new(), FaultyFiles::new());
        let keys = keys(&disk);
        create(&keys, 0..4);
        bring_up(&keys, &place(&stick), None).unwrap();
        let path = Path::new("/copy").join(KEYS_COPY);
        for offset in 0..bytes(&stick).len() as u64 {
            stick.flip(&path, offset, 5);
            assert!(matches!(read(&place(&stick)), Err(StoreError::Keys(_))), "byte {offset}");
            stick.flip(&path, offset, 5);
        }
    }
}
