//! Proving a shop: the chain of every journal, every entry, every projection, a paper receipt.
//!
//! Room: store. May touch: the shop folder, to read; one scratch store beside it.
//! Invariant: says yes only when everything was read and agreed; otherwise names what does not, the
//! first entry first.

use std::path::Path;
use std::sync::Arc;

use redb::Database;

use super::chain::Head;
use super::fault::StoreError;
use super::history::{History, each_batch};
use super::keys::Keys;
use super::opening::Known;
use super::projections::{self, Watch};
use super::sales;
use super::store_reader::StoreReader;
use super::tables::first_difference;
use super::verify::Watch as ChainWatch;
use crate::domain::number::DocNo;

/// Characters of the hash that a paper shows.
pub const PAPER_HEAD: usize = 16;

/// Entries decoded together.
const AT_ONCE: usize = 512;

/// The first thing that does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disagreement {
    /// A record is not what was written.
    Record { lane: u8, seq: u64, what: String },
    /// A record is whole, and its entry cannot be read or does not fit what came before.
    Entry { lane: u8, seq: u64, what: String },
    /// The journal is whole, and this table of the store is not what follows from it.
    Table { name: String },
}

/// What was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    pub entries: u64,
    /// Lane, epoch's place, and head of each journal.
    pub heads: Vec<(u8, u8, Head)>,
    pub disagreement: Option<Disagreement>,
}

/// Recomputes everything. `store` must be settled and stand still meanwhile; `scratch` is made and
/// removed.
pub fn audit(
    history: &History,
    keys: &Arc<Keys>,
    store: Option<&Database>,
    scratch: &Path,
    watch: Watch<'_>,
) -> Result<Audit, StoreError> {
    let mut audit = Audit { entries: 0, heads: Vec::new(), disagreement: None };
    for (lane, epoch) in history.journals()? {
        let (reader, report) = history.open(lane, epoch, Known::default())?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let chain = reader.verify(None, threads, &ChainWatch::default());
        audit.entries += chain.records;
        audit.heads.push((lane, epoch.place(), chain.head));
        let damage = chain.damage.iter().chain(&report.damage).min_by_key(|damage| damage.seq);
        let damage = damage.map(|damage| Disagreement::Record {
            lane,
            seq: damage.seq,
            what: damage.to_string(),
        });
        audit.disagreement = match damage {
            None => first_unreadable(&reader, lane)?,
            found => found,
        };
        if audit.disagreement.is_some() {
            return Ok(audit);
        }
    }
    audit.disagreement = projected(history, keys, store, scratch, watch)?;
    Ok(audit)
}

fn first_unreadable(
    reader: &super::reader::Reader,
    lane: u8,
) -> Result<Option<Disagreement>, StoreError> {
    let mut next = 1;
    let read = each_batch(reader, 1, AT_ONCE, |steps| {
        next += steps.len() as u64;
        Ok(())
    });
    match read {
        Ok(()) => Ok(None),
        Err(StoreError::File(error)) => Err(error.into()),
        // A batch is given whole or not at all: find the entry within it.
        Err(_) => {
            while each_one(reader, next).is_ok() {
                next += 1;
            }
            let what = each_one(reader, next).err().map_or_else(String::new, |e| e.to_string());
            Ok(Some(Disagreement::Entry { lane, seq: next, what }))
        }
    }
}

fn each_one(reader: &super::reader::Reader, seq: u64) -> Result<(), StoreError> {
    let record = reader.read(seq).map_err(|error| StoreError::Journal(error.to_string()))?;
    super::history::step_of(&record).map(|_| ())
}

/// Folds the journals into a scratch store and compares table by table.
fn projected(
    history: &History,
    keys: &Arc<Keys>,
    store: Option<&Database>,
    scratch: &Path,
    watch: Watch<'_>,
) -> Result<Option<Disagreement>, StoreError> {
    let fresh = Arc::new(projections::create(&*history.files, scratch)?);
    let folded = projections::catch_up(&fresh, keys, history, watch);
    let found = match folded {
        Ok(folder) => {
            drop(folder);
            let table = store.map(|store| first_difference(store, &fresh)).transpose()?.flatten();
            table.map(|name| Disagreement::Table { name })
        }
        Err(StoreError::Gap { lane, next, found }) => {
            let what = format!("entry {found} where {next} is next");
            Some(Disagreement::Entry { lane, seq: found, what })
        }
        Err(StoreError::Unfit { seq, what }) => Some(Disagreement::Entry { lane: 0, seq, what }),
        Err(error) => return Err(error),
    };
    drop(fresh);
    history.files.remove(scratch)?;
    Ok(found)
}

/// How a paper receipt compares with the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaperVerdict {
    Agrees,
    /// The journal knows no such receipt.
    Unknown,
    /// The journal's entry has another hash; these are its first characters.
    Differs {
        head: String,
    },
}

/// Returns the characters that a receipt's paper shows of its entry's hash.
pub fn paper_head(head: &Head) -> String {
    head.hash.to_string()[..PAPER_HEAD].to_owned()
}

/// Holds the journal against the 16 characters on a paper receipt.
pub fn check_paper(
    history: &History,
    store: &StoreReader,
    receipt: DocNo,
    head: &str,
) -> Result<PaperVerdict, StoreError> {
    use redb::ReadableDatabase;
    let txn = store.db.begin_read()?;
    let Some(sale) = sales::by_number(&txn, receipt)? else { return Ok(PaperVerdict::Unknown) };
    let epoch = u8::try_from(receipt.epoch).ok().and_then(super::chain::Epoch::new);
    let Some(epoch) = epoch else { return Ok(PaperVerdict::Unknown) };
    let record = history.reader(receipt.lane, epoch)?.read(sale.seq);
    let record = record.map_err(|error| StoreError::Journal(error.to_string()))?;
    let own = paper_head(&record.head());
    let same = own == head.trim().to_ascii_lowercase();
    Ok(if same { PaperVerdict::Agrees } else { PaperVerdict::Differs { head: own } })
}
