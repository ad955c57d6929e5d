//! Any bytes in the second copy's place: the copy is followed, called different or kept as it is; and
//! a journal rebuilt from it is a true one.

use std::path::Path;
use std::sync::Arc;

use regi::store::files::faulty::FaultyFiles;
use regi::store::files::{Files, write_once};
use regi::store::opening::Known;
use regi::store::reader::Reader;
use regi::store::rebuild::{Unproved, rebuild_from_copy};
use regi::store::second_copy::{CopyPlace, CopyState, SecondCopy};
use regi::store::verify::Watch;

use crate::journal::{bodies, id, written};

const JOURNAL: &str = "/shop/journal";
const COPY: &str = "/stick/journal";

pub fn hold(bytes: &[u8]) {
    let Some((place, over)) = bytes.split_first_chunk::<3>() else { return };
    let (disk, stick) = (FaultyFiles::new(), FaultyFiles::new());
    let journal = written(&disk);
    let name = disk.list(Path::new(JOURNAL)).expect("its files").remove(0);
    if place[2] & 1 == 1 {
        copied(&journal.reader(), &stick);
        spoil(&stick, &name, *place, over);
    } else {
        stick.make_dir(Path::new(COPY)).expect("an honest stick");
        let file = stick.create(&Path::new(COPY).join(&name)).expect("an honest stick");
        write_once(&*file, 0, over).expect("an honest stick");
    }
    let state = copied(&journal.reader(), &stick);
    if state == CopyState::Following {
        let reader = Reader::open(copy(&stick).files, Path::new(COPY), &id(), Known::default());
        let read: Vec<_> = reader.expect("a good copy").0.iter_from(1).collect();
        let read: Vec<_> =
            read.into_iter().map(|record| record.expect("a good copy").body).collect();
        assert_eq!(read, bodies(), "it says that it follows");
    }
    rebuilt(&stick);
}

fn copy(stick: &FaultyFiles) -> CopyPlace {
    CopyPlace { files: Arc::new(stick.clone()), dir: COPY.into() }
}

fn copied(reader: &Reader, stick: &FaultyFiles) -> CopyState {
    SecondCopy::start(reader.clone(), None, copy(stick)).expect("a thread").finish().0
}

fn spoil(stick: &FaultyFiles, name: &str, place: [u8; 3], over: &[u8]) {
    let file = stick.open(&Path::new(COPY).join(name)).expect("the copy's segment");
    let length = file.len().expect("its length");
    let at = u64::from(u16::from_le_bytes([place[0], place[1]])) % (length + 1);
    if over.is_empty() {
        file.set_len(at).expect("an honest stick");
    } else {
        write_once(&*file, at, over).expect("an honest stick");
    }
}

/// A lost journal comes back from the copy as a front part of what was written, or not at all.
fn rebuilt(stick: &FaultyFiles) {
    let lost: Arc<dyn Files> = Arc::new(FaultyFiles::new());
    let dir = Path::new(JOURNAL);
    let (copy, watch) = (copy(stick), Watch::default());
    if rebuild_from_copy(&lost, dir, &id(), &copy, Unproved::Kept, &watch).is_err() {
        return;
    }
    let (reader, _) = Reader::open(lost, dir, &id(), Known::default()).expect("what was rebuilt");
    for (record, body) in reader.iter_from(1).zip(bodies()) {
        assert_eq!(record.expect("a rebuilt entry").body, body);
    }
}
