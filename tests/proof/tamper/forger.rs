//! Whoever edits a shop's journal: clumsily, or recomputing every hash behind the edit.
//!
//! Room: tests. May touch: bytes and entries in memory.
//! Invariant: a forged journal is one that the chain alone cannot tell from a true one.

use std::path::Path;

use ed25519_dalek::SigningKey;
use regi::domain::entry::{Entry, Kind};
use regi::domain::money::Money;
use regi::store::chain::{Hash, Head, JournalId};
use regi::store::codec;
use regi::store::files::Files;
use regi::store::files::faulty::FaultyFiles;
use regi::store::reader::Reader;
use regi::store::record::{self, Rest, Writing};
use regi::store::segment::{Begun, Former, Header, SegmentName};
use regi::store::z_signing;

use crate::run::Chance;

/// An entry as it lies on the disk.
#[derive(Clone)]
pub struct Lying {
    pub entry: Entry,
    pub body: Vec<u8>,
    pub segment: SegmentName,
}

/// Reads a true journal.
pub fn true_journal(reader: &Reader) -> Vec<Lying> {
    let read = reader.iter_from(1).map(|record| {
        let record = record.expect("a sound journal");
        let entry = codec::decode_entry(&record.body).expect("an entry");
        Lying { entry, body: record.body, segment: record.segment }
    });
    read.collect()
}

/// What is done to the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Edit,
    Insert,
    Delete,
    Swap,
    CutTail,
    /// The journal as it was after yesterday's Z.
    Yesterday,
}

pub const DEEDS: [Deed; 6] =
    [Deed::Edit, Deed::Insert, Deed::Delete, Deed::Swap, Deed::CutTail, Deed::Yesterday];

/// How a forger treats the signatures of the Zs behind the edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
    Left,
    Taken,
    Own,
}

/// Does a deed somewhere; `yesterday` entries make the journal of the day before.
pub fn tamper(journal: &mut Vec<Lying>, deed: Deed, yesterday: usize, chance: &mut Chance) {
    let any = |chance: &mut Chance, from: usize, to: usize| {
        from + usize::try_from(chance.below((to - from) as u64)).expect("a place")
    };
    let len = journal.len();
    match deed {
        Deed::Edit => edit(&mut journal[any(chance, 0, len)].entry),
        Deed::Insert => {
            // The last entry twice is one added behind it: as a sale that nobody has witnessed yet.
            let (from, at) = (any(chance, 2, len), any(chance, 2, len - 1));
            let again = Lying { segment: journal[at].segment, ..journal[from].clone() };
            journal.insert(at, again);
        }
        Deed::Delete => drop(journal.remove(any(chance, 2, len - 1))),
        Deed::Swap => {
            let at = any(chance, 2, len - 1);
            let (one, other) = (journal[at].segment, journal[at + 1].segment);
            journal.swap(at, at + 1);
            (journal[at].segment, journal[at + 1].segment) = (one, other);
        }
        Deed::CutTail => journal.truncate(any(chance, len / 2, len)),
        Deed::Yesterday => journal.truncate(yesterday),
    }
}

/// Changes what is worth changing: an amount of money, or who did it.
fn edit(entry: &mut Entry) {
    match &mut entry.kind {
        Kind::SaleClosed(sale) => {
            sale.totals.total -= Money::new(100);
            for tender in &mut sale.tenders {
                tender.applied -= Money::new(100);
            }
        }
        Kind::PaidOut { amount, .. } | Kind::PaidIn { amount, .. } => {
            *amount -= Money::new(1);
        }
        Kind::ZClosed(closing) => closing.grand_total -= Money::new(1),
        _ => entry.header.staff += 1,
    }
}

/// Writes entries as a journal whose every hash is right, numbers included.
pub fn forge(
    disk: &FaultyFiles,
    dir: &Path,
    id: &JournalId,
    journal: &mut [Lying],
    signatures: Signatures,
) {
    let own = SigningKey::from_bytes(&[0x66; 32]);
    let (mut head, mut changed) = (id.genesis(), false);
    for (lying, seq) in journal.iter_mut().zip(1..) {
        lying.entry.header.seq = seq;
        changed |= codec::encode_entry(&lying.entry).expect("an entry") != lying.body;
        if changed {
            reseal(&mut lying.entry, head, signatures, &own);
            lying.body = codec::encode_entry(&lying.entry).expect("an entry");
        }
        head = head.after(&lying.body);
    }
    write(disk, dir, id, journal, |_, bytes| bytes);
}

fn reseal(entry: &mut Entry, head: Head, signatures: Signatures, own: &SigningKey) {
    let Kind::ZClosed(closing) = &mut entry.kind else { return };
    match signatures {
        Signatures::Left => {}
        Signatures::Taken => closing.seal = None,
        Signatures::Own => z_signing::sign(entry, head.hash, own).expect("signed"),
    }
}

/// Writes entries with the hashes that `truth` has for them or in their place, checksums right.
pub fn splice(
    disk: &FaultyFiles,
    dir: &Path,
    id: &JournalId,
    journal: &mut [Lying],
    truth: &[(Vec<u8>, Hash)],
) {
    let hashes: Vec<Hash> = journal
        .iter()
        .enumerate()
        .map(|(place, lying)| {
            let same = truth.iter().find(|(body, _)| *body == lying.body);
            same.or(truth.get(place)).or(truth.last()).expect("a true journal").1
        })
        .collect();
    for lying in journal.iter_mut() {
        lying.body = codec::encode_entry(&lying.entry).expect("an entry");
    }
    write(disk, dir, id, journal, |place, mut record| {
        let end = record.len() - Hash::LEN;
        record[end..].copy_from_slice(hashes[place].as_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&record[..4]), &record[8..]);
        record[4..8].copy_from_slice(&crc.to_le_bytes());
        record
    });
}

/// Lays records out in their segments; `mend` may change each record's bytes.
fn write(
    disk: &FaultyFiles,
    dir: &Path,
    id: &JournalId,
    journal: &[Lying],
    mend: impl Fn(usize, Vec<u8>) -> Vec<u8>,
) {
    disk.make_dir(dir).expect("a folder");
    let (mut head, mut former) = (id.genesis(), None);
    let mut at = 0;
    while at < journal.len() {
        let name = journal[at].segment;
        let header = Header {
            id: id.clone(),
            place: name.place,
            begun: Begun::InOrder,
            after: head,
            former,
        };
        let mut bytes = header.encode().to_vec();
        while at < journal.len() && journal[at].segment == name {
            let mut record = Vec::new();
            let next =
                record::put(&mut record, head, Writing::First, Rest::Nothing, &journal[at].body);
            let record = mend(at, record);
            head = Head { seq: next.seq, hash: hash_of(&record) };
            bytes.extend_from_slice(&record);
            at += 1;
        }
        former = Some(Former { place: name.place, end: bytes.len() as u64 });
        let file = disk.create(&dir.join(name.to_string())).expect("a segment");
        file.write_at(0, &bytes).expect("its bytes");
    }
}

fn hash_of(record: &[u8]) -> Hash {
    Hash::read(&record[record.len() - Hash::LEN..]).expect("a hash")
}
