//! Any bytes in a journal's place: records are believed only when they are what was written; what is
//! not, is named or was never acknowledged.

use std::path::Path;
use std::sync::Arc;

use regi::store::chain::{Epoch, JournalId};
use regi::store::codec::{decode_entry, encode_entry};
use regi::store::files::faulty::FaultyFiles;
use regi::store::files::{Files, write_once};
use regi::store::journal::Journal;
use regi::store::opening::{Known, TailFound};
use regi::store::record;
use regi::store::segment::{Header, Month, SegmentName};
use regi::store::verify::Watch;

const DIR: &str = "/shop/journal";

pub fn hold(bytes: &[u8]) {
    body(bytes);
    records(bytes);
    if let Some(header) = Header::decode(bytes) {
        assert_eq!(Header::decode(&header.encode()), Some(header));
    }
    if let Some(name) = SegmentName::parse(&String::from_utf8_lossy(bytes)) {
        assert_eq!(SegmentName::parse(&name.to_string()), Some(name));
    }
    opened_over(bytes);
}

/// A body that decodes is the one that was encoded.
fn body(bytes: &[u8]) {
    for version in [None, Some(1)] {
        let body: Vec<u8> = version.into_iter().chain(bytes.iter().copied()).collect();
        let Ok(entry) = decode_entry(&body) else { continue };
        let Ok(written) = encode_entry(&entry) else { continue }; // Personal data in the clear.
        assert_eq!(decode_entry(&written).as_ref(), Ok(&entry));
    }
}

fn records(bytes: &[u8]) {
    let genesis = id().genesis();
    if let Ok((frame, head)) = record::follow(genesis, bytes) {
        let mut again = Vec::new();
        assert_eq!(
            record::put(&mut again, genesis, frame.writing, frame.rest, frame.body(bytes)),
            head
        );
        assert_eq!(again, bytes[..frame.len()]);
    }
    if !bytes.is_empty() {
        record::judge_tail(genesis, 512, bytes);
    }
    record::is_one_write(bytes);
}

pub fn id() -> JournalId {
    JournalId::new("midori", 1, Epoch::FIRST).expect("an identity")
}

pub fn month() -> Month {
    Month::from_number(202_611).expect("a month")
}

pub fn bodies() -> Vec<Vec<u8>> {
    (1..=4_u8).map(|seq| (0..60 + seq).map(|at| at.wrapping_mul(seq) | 1).collect()).collect()
}

pub fn written(disk: &FaultyFiles) -> Journal {
    let (mut journal, _) =
        Journal::open(Arc::new(disk.clone()), Path::new(DIR), &id(), Known::default(), 0)
            .expect("an empty disk");
    for body in bodies() {
        journal.append(month(), &body).expect("an honest disk");
    }
    journal
}

/// The first three bytes say where the rest stands over a good journal, or behind it.
fn opened_over(bytes: &[u8]) {
    let Some((place, over)) = bytes.split_first_chunk::<3>() else { return };
    if over.is_empty() {
        return;
    }
    let disk = FaultyFiles::new();
    let head = written(&disk).head();
    let name = disk.list(Path::new(DIR)).expect("its files").remove(0);
    let file = disk.open(&Path::new(DIR).join(&name)).expect("its segment");
    let length = file.len().expect("its length");
    let at = u64::from(u16::from_le_bytes([place[0], place[1]])) % (length + 1);
    write_once(&*file, at, over).expect("an honest disk");
    if place[2] & 1 == 1 {
        file.set_len((at + over.len() as u64).min(length)).expect("an honest disk");
    }
    let opened = Journal::open(Arc::new(disk), Path::new(DIR), &id(), Known::default(), 0);
    let Ok((journal, report)) = opened else { return };
    let read: Vec<_> = journal.reader().iter_from(1).map_while(Result::ok).collect();
    let checked = journal.reader().verify(None, 1, &Watch::default());
    let all = bodies();
    // A journal of the same identity made by someone else is theirs to sign for, not to link.
    let front = read.iter().zip(&all).take_while(|(record, body)| record.body == **body).count();
    assert_eq!(front, read.len().min(all.len()), "an entry that was never written");
    let said = report.tail != TailFound::Nothing
        || !report.damage.is_empty()
        || !report.void.is_empty()
        || !checked.damage.is_empty();
    assert!(said || journal.head() == head || journal.head().seq < head.seq, "in silence");
}
