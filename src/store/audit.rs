//! Proving a shop: the chain of every journal, every entry, every Z's signature, every projection, a
//! paper receipt; each held against whoever else knows the journal.
//!
//! Room: store. May touch: the shop folder, to read; one scratch store beside it.
//! Invariant: says yes only when everything was read and agreed; otherwise names what does not, the
//! first entry first.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadTransaction, ReadableDatabase};
use serde::{Deserialize, Serialize};

use super::catalog::{Damage, Why};
use super::chain::{Epoch, Head};
use super::fault::StoreError;
use super::history::History;
use super::keys::Keys;
use super::lanes::{self, Folded};
use super::opening::Known;
use super::projections::{self, Watch};
use super::reader::Reader;
use super::sales;
use super::second_copy::CopyPlace;
use super::shop::{KEYS_NAME, ShopPlace};
use super::store_reader::StoreReader;
use super::tables::first_difference;
use super::testimony::{CopySays, copy_says, every_entry};
use super::verify::Watch as ChainWatch;
use super::z_signing::{Signed, Unsealed};
use crate::domain::entry::Kind;
use crate::domain::number::DocNo;

/// The store that is folded anew to hold the shop's own against.
const SCRATCH_NAME: &str = "verify.redb";

/// Characters of the hash that a paper shows.
pub const PAPER_HEAD: usize = 16;

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disagreement {
    /// A record is not what was written, or not what a witness of the head knows.
    Record { lane: u8, damage: Damage },
    /// A record is whole, and its entry cannot be read or does not fit what came before.
    Entry { lane: u8, seq: u64, what: String },
    /// A Z's signature is not there, or not that of this Z.
    Seal { lane: u8, seq: u64, why: Unsealed },
    /// The last Zs bear the signature of another key than this register's.
    Key { lane: u8, since: DocNo },
    /// The second copy knows this entry otherwise, or knows more.
    Copy { lane: u8, says: CopySays },
    /// The journal is whole, and this table of the store is not what follows from it.
    Table { name: String },
}

impl Disagreement {
    /// Whether the chain and its entries are whole all the same, so that tables can be held against it.
    fn leaves_the_chain_whole(&self) -> bool {
        match self {
            Self::Record { damage, .. } => damage.why == Why::Witness,
            Self::Entry { .. } => false,
            _ => true,
        }
    }

    /// The first entry concerned; tables come last.
    pub fn place(&self) -> u64 {
        match self {
            Self::Record { damage, .. } => damage.seq,
            Self::Entry { seq, .. } | Self::Seal { seq, .. } => *seq,
            Self::Copy {
                says: CopySays::Other { seq } | CopySays::More { from: seq, .. }, ..
            } => *seq,
            Self::Key { .. } | Self::Table { .. } | Self::Copy { .. } => u64::MAX,
        }
    }
}

/// What was proved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    pub entries: u64,
    /// Lane, epoch's place, and head of each journal.
    pub heads: Vec<(u8, u8, Head)>,
    /// Who signed the Zs, in the order of the journals.
    pub signed: Vec<Signed>,
    /// Whether there was a second copy to hold the journal against.
    pub copy_heard: bool,
    /// Empty when everything agrees; otherwise the first entry concerned stands first.
    pub found: Vec<Disagreement>,
}

/// Who else knows something of the journals.
pub struct Witnesses<'a> {
    pub keys: &'a Arc<Keys>,
    /// The lane whose Zs `keys` signs.
    pub lane: u8,
    pub store: Option<Snapshot>,
    /// The journal that a running register goes on writing, as far as it has proved it.
    pub running: Option<&'a Reader>,
    pub copy: Option<&'a CopyPlace>,
    /// What the opening of the lane's journal found.
    pub opening: Vec<Damage>,
}

/// The projections as they stood at one moment, and how far they had followed the journals.
pub struct Snapshot {
    txn: ReadTransaction,
    folded: BTreeMap<u8, Folded>,
}

impl Snapshot {
    /// # Errors
    /// A store that cannot be read.
    pub fn of(store: &Database) -> Result<Self, StoreError> {
        let txn = store.begin_read()?;
        let folded = lanes::folded(&txn)?;
        Ok(Self { txn, folded })
    }
}

/// Recomputes everything of a shop while a register goes on selling in it: the journal as far as it
/// is written now, the projections as far as they follow it.
///
/// # Errors
/// What could not be read at all.
pub fn prove_beside(
    place: &ShopPlace,
    keys: &Arc<Keys>,
    store: &StoreReader,
    running: &Reader,
    watch: Watch<'_>,
) -> Result<Audit, StoreError> {
    let history = History::new(place.files.clone(), &place.dir);
    store.wait_folded(running.head().seq)?;
    let witnesses = Witnesses {
        keys,
        lane: place.lane,
        store: Some(store.db.with(Snapshot::of)?),
        running: Some(running),
        copy: place.copy.as_ref(),
        opening: Vec::new(),
    };
    audit(&history, &witnesses, &place.dir.join(SCRATCH_NAME), watch)
}

/// Opens a shop that no register has open, and recomputes everything it holds.
///
/// # Errors
/// `Busy` when a register holds it, or why it could not be read at all.
pub fn prove(place: &ShopPlace, watch: Watch<'_>) -> Result<Audit, StoreError> {
    let history = History::new(place.files.clone(), &place.dir);
    // Opening brings the store up to the journal; what does not open is named by the audit.
    let opened = match (ShopPlace { copy: None, ..place.clone() }).open(watch) {
        Ok(opened) => {
            let opening = opened.report.damage.clone();
            opened.shop.close().map(|()| opening)
        }
        Err(StoreError::Busy { holder }) => return Err(StoreError::Busy { holder }),
        Err(error) => Err(error),
    };
    let keys =
        Keys::open_existing(place.files.clone(), &place.dir.join(KEYS_NAME), place.chance.clone())?;
    let keys = Arc::new(keys);
    let store = projections::open(&*place.files, &place.dir.join(projections::STORE_NAME));
    let witnesses = Witnesses {
        keys: &keys,
        lane: place.lane,
        store: store.as_ref().filter(|_| opened.is_ok()).map(Snapshot::of).transpose()?,
        running: None,
        copy: place.copy.as_ref(),
        opening: opened.as_ref().map(Clone::clone).unwrap_or_default(),
    };
    let proved = audit(&history, &witnesses, &place.dir.join(SCRATCH_NAME), watch)?;
    match opened {
        Err(error) if proved.found.is_empty() => Err(error),
        _ => Ok(proved),
    }
}

/// Recomputes everything. `scratch` is made and removed.
pub fn audit(
    history: &History,
    witnesses: &Witnesses<'_>,
    scratch: &Path,
    watch: Watch<'_>,
) -> Result<Audit, StoreError> {
    let mut audit = Audit::default();
    for (lane, epoch) in history.journals()? {
        hear_journal(history, witnesses, (lane, epoch), &mut audit)?;
    }
    if audit.found.iter().all(Disagreement::leaves_the_chain_whole) {
        audit.found.extend(projected(history, witnesses, scratch, watch)?);
    }
    audit.found.sort_by_key(Disagreement::place);
    Ok(audit)
}

/// Recomputes one journal and holds it against its witnesses, the store left out.
pub fn hear_journal(
    history: &History,
    witnesses: &Witnesses<'_>,
    (lane, epoch): (u8, Epoch),
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let is_own = lane == witnesses.lane && newest(history, lane)? == Some(epoch);
    let (reader, at_end) = match witnesses.running.filter(|_| is_own) {
        // What is being written at its end is no damage.
        Some(running) => (running.clone(), Vec::new()),
        None => {
            let (reader, report) = history.open(lane, epoch, Known::default())?;
            (reader, report.damage)
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let chain = reader.verify(None, threads, &ChainWatch::default());
    audit.entries += chain.records;
    audit.heads.push((lane, epoch.place(), chain.head));
    let told = if is_own { witnesses.opening.as_slice() } else { &[] };
    let mut damage: Vec<_> = chain.damage.iter().chain(&at_end).chain(told).collect();
    damage.sort_by_key(|damage| damage.seq);
    damage.dedup();
    let record = |damage: &&Damage| Disagreement::Record { lane, damage: **damage };
    audit.found.extend(damage.iter().map(record));
    if let Some(says) = witnesses.copy.map(|copy| copy_says(&reader, copy)).transpose()? {
        audit.copy_heard |= says != CopySays::Away;
        if !matches!(says, CopySays::Away | CopySays::Agrees) {
            audit.found.push(Disagreement::Copy { lane, says });
        }
    }
    if chain.damage.is_empty() {
        hear_entries(&reader, threads, (witnesses.keys, is_own), audit)?;
    }
    Ok(())
}

fn newest(history: &History, lane: u8) -> Result<Option<Epoch>, StoreError> {
    let journals = history.journals()?.into_iter();
    Ok(journals.filter(|(other, _)| *other == lane).map(|(_, epoch)| epoch).max())
}

/// Reads every entry, and asks the keys whether the last Zs are theirs.
fn hear_entries(
    reader: &Reader,
    threads: usize,
    (keys, is_own): (&Keys, bool),
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let heard = every_entry(reader, threads)?;
    audit.found.extend(heard.found);
    if let Some(last) = heard.signed.last().filter(|_| is_own)
        && keys.public_key()?.is_some_and(|own| own != last.key)
    {
        audit.found.push(Disagreement::Key { lane: last.lane, since: last.since });
    }
    audit.signed.extend(heard.signed);
    Ok(())
}

/// Folds the journals into a scratch store and compares table by table.
fn projected(
    history: &History,
    witnesses: &Witnesses<'_>,
    scratch: &Path,
    watch: Watch<'_>,
) -> Result<Option<Disagreement>, StoreError> {
    let fresh = Arc::new(projections::create(&*history.files, scratch)?);
    let until = witnesses.store.as_ref().map(|store| &store.folded);
    let folded = projections::fold_until(&fresh, witnesses.keys, history, until, watch);
    let found = match folded {
        Ok(folder) => {
            drop(folder);
            let fresh = fresh.begin_read()?;
            let store = witnesses.store.as_ref();
            let table = store.map(|store| first_difference(&store.txn, &fresh));
            table.transpose()?.flatten().map(|name| Disagreement::Table { name })
        }
        Err(StoreError::Gap { lane, next, found }) => {
            let what = format!("entry {found} where {next} is next");
            Some(Disagreement::Entry { lane, seq: found, what })
        }
        Err(StoreError::Unfit { seq, what }) => Some(Disagreement::Entry { lane: 0, seq, what }),
        Err(error) => return Err(error),
    };
    drop(fresh);
    super::files::checked::remove(&*history.files, scratch)?;
    Ok(found)
}

/// How a paper compares with the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaperVerdict {
    Agrees,
    /// The journal knows no such paper.
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

/// Holds the journal against the number and the 16 characters on a paper.
pub fn check_paper(
    history: &History,
    store: &StoreReader,
    paper: DocNo,
    head: &str,
) -> Result<PaperVerdict, StoreError> {
    let epoch = u8::try_from(paper.epoch).ok().and_then(Epoch::new);
    let there = epoch.filter(|epoch| {
        history.journals().is_ok_and(|journals| journals.contains(&(paper.lane, *epoch)))
    });
    let Some(epoch) = there else { return Ok(PaperVerdict::Unknown) };
    let reader = history.reader(paper.lane, epoch)?;
    let sale = sales::by_number(&store.db.begin_read()?, paper)?;
    let same = |own: &str| own == head.trim().to_ascii_lowercase();
    if let Some(sale) = sale {
        let record = reader.read(sale.seq);
        let record = record?;
        if same(&paper_head(&record.head())) {
            return Ok(PaperVerdict::Agrees);
        }
    }
    paper_in_journal(&reader, paper, head) // Perhaps a Z, a formal receipt, a slip of its void.
}

/// Looks through a whole journal for the paper.
pub fn paper_in_journal(
    reader: &Reader,
    paper: DocNo,
    head: &str,
) -> Result<PaperVerdict, StoreError> {
    let same = |own: &str| own == head.trim().to_ascii_lowercase();
    let own = papers_of(reader, paper)?;
    Ok(match own.iter().find(|own| same(own)).or(own.first()) {
        None => PaperVerdict::Unknown,
        Some(own) if same(own) => PaperVerdict::Agrees,
        Some(own) => PaperVerdict::Differs { head: own.clone() },
    })
}

/// Returns what every paper of that number shows, oldest first.
fn papers_of(reader: &Reader, paper: DocNo) -> Result<Vec<String>, StoreError> {
    let mut own = Vec::new();
    for record in reader.iter_from(1) {
        let record = record?;
        if number_on_paper(&super::codec::decode_entry(&record.body)?.kind) == Some(paper) {
            own.push(paper_head(&record.head()));
        }
    }
    Ok(own)
}

fn number_on_paper(kind: &Kind) -> Option<DocNo> {
    match kind {
        Kind::SaleClosed(sale) => Some(sale.number),
        Kind::ReceiptVoided { receipt, .. } => Some(*receipt),
        Kind::FormalReceiptIssued { number, .. } | Kind::FormalReceiptIssuedFor { number, .. } => {
            Some(*number)
        }
        Kind::TaxFreeRecorded(record) => Some(record.number),
        Kind::TaxFreeRefunded { number, .. } => Some(*number),
        Kind::SaleSuspended { slip, .. } => Some(*slip),
        Kind::ZClosed(closing) => Some(closing.number),
        _ => None,
    }
}
