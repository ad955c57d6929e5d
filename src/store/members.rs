//! Members as the journal left them: the card, and the points and visits that followed.
//!
//! Room: store. May touch: the member tables. May not: evaluate rules (expiry is the domain's).
//! Invariant: a code stands for one person for ever; an erased member keeps the code, the points and
//! the visits, and loses every row that names a person.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::codec::{pack, unpack};
use super::fault::StoreError;
use super::items::folded_name;
use super::name_blocks::Filling;
use super::postings::{self, Batch};
use super::tables::{
    Blob, MEMBER_CODES, MEMBER_FACTS, MEMBER_KANA, MEMBER_LOOSE, MEMBER_MAILS, MEMBER_NAMES,
    MEMBER_PHONES, MEMBERS,
};
use crate::domain::kana::{exact_key, loose_key};
use crate::domain::member::{Member, Personal};
use crate::domain::money::Money;

/// Members whose index pairs wait in memory before they are sorted in: about 30 MB.
const MOST_WAITING: usize = 200_000;
/// New rows that wait in memory before they are appended: about 1 MB.
const MOST_CARDS: usize = 4096;

/// A member's card with its personal data open; `None` once erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCard {
    pub code: String,
    pub rank: String,
    /// Days from the common era.
    pub joined: Option<i32>,
    pub personal: Option<Personal>,
}

/// What happened to a member; absent while nothing has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub ledger: super::ledger::Ledger,
    pub stamps: i64,
    pub visits: u32,
    /// Days from the common era.
    pub last_visit: Option<i32>,
    pub spent: Money,
}

/// The texts by which a person is found.
struct Keys {
    kana: String,
    loose: String,
    /// Digits from the last to the first, so that the end of a number is a prefix.
    phone: String,
    mail: String,
    name: String,
}

impl Keys {
    /// In the order of the writer's indexes.
    fn texts(&self) -> [&str; 4] {
        [&self.kana, &self.loose, &self.phone, &self.mail]
    }

    fn of(personal: &Personal) -> Self {
        let kana = if personal.kana.is_empty() { &personal.name } else { &personal.kana };
        Self {
            kana: exact_key(kana),
            loose: loose_key(kana),
            phone: reversed(&personal.phone),
            mail: personal.mail.to_lowercase(),
            name: folded_name(&personal.name),
        }
    }
}

/// Returns the digits of a phone number from the last to the first.
pub(super) fn reversed(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).rev().collect()
}

/// A card made ready to be written: what takes work needs no table, so another thread may do it.
pub struct Prepared {
    pub code: String,
    card: Vec<u8>,
    keys: Option<Keys>,
}

impl Prepared {
    pub fn of(card: OpenCard) -> Result<Self, StoreError> {
        let keys = card.personal.as_ref().map(Keys::of);
        Ok(Self { card: pack(&card)?, keys, code: card.code })
    }
}

/// The card tables, open for writing: one member or a million take the same way.
pub struct Writer<'txn> {
    cards: Table<'txn, u32, Blob>,
    codes: postings::Open<'txn>,
    indexes: [postings::Open<'txn>; 4],
    names: Filling<'txn>,
    waiting: Waiting,
    /// Nobody was there when this writer came: whom it has not set itself has no card.
    was_empty: bool,
    /// Hashes of the codes that this writer has set.
    set: HashSet<u64>,
    next: u32,
}

/// What goes into the tables sorted, and so many rows at once.
#[derive(Default)]
struct Waiting {
    /// New cards, by rising id.
    cards: Vec<(u32, Vec<u8>)>,
    codes: Batch,
    indexes: [Batch; 4],
    members: usize,
}

impl<'txn> Writer<'txn> {
    pub fn open(txn: &'txn WriteTransaction) -> Result<Self, StoreError> {
        let cards = txn.open_table(MEMBERS)?;
        let next = cards.last()?.map_or(0, |(id, _)| id.value() + 1);
        Ok(Self {
            cards,
            codes: txn.open_table(MEMBER_CODES)?,
            indexes: [
                txn.open_table(MEMBER_KANA)?,
                txn.open_table(MEMBER_LOOSE)?,
                txn.open_table(MEMBER_PHONES)?,
                txn.open_table(MEMBER_MAILS)?,
            ],
            names: Filling::new(txn.open_table(MEMBER_NAMES)?),
            waiting: Waiting::default(),
            was_empty: next == 0,
            set: HashSet::new(),
            next,
        })
    }

    /// Sets a card as a whole and returns the member's id.
    pub fn set(&mut self, card: Prepared) -> Result<u32, StoreError> {
        let Prepared { code, card, keys } = card;
        let id = match self.known(&code)? {
            Some(id) => {
                self.forget(id)?;
                self.cards.insert(id, card.as_slice())?;
                id
            }
            None => {
                self.waiting.codes.add(&code, self.next);
                self.waiting.cards.push((self.next, card));
                self.next += 1;
                self.next - 1
            }
        };
        self.names.set(id, keys.as_ref().map_or("", |keys| &keys.name))?;
        for (batch, text) in self.waiting.indexes.iter_mut().zip(keys.iter().flat_map(Keys::texts))
        {
            batch.add(text, id);
        }
        self.waiting.members += 1;
        if self.waiting.cards.len() >= MOST_CARDS {
            self.write_cards()?;
        }
        if self.waiting.members >= MOST_WAITING {
            self.write_waiting()?;
        }
        Ok(id)
    }

    /// Returns who bears a code. Whoever this writer has set may still wait, so that is written first.
    fn known(&mut self, code: &str) -> Result<Option<u32>, StoreError> {
        let mut hasher = DefaultHasher::new();
        code.hash(&mut hasher);
        if !self.set.insert(hasher.finish()) {
            self.write_waiting()?;
        } else if self.was_empty {
            return Ok(None);
        }
        postings::one(&self.codes, code)
    }

    fn forget(&mut self, id: u32) -> Result<(), StoreError> {
        let card = self.cards.get(id)?.map(|row| unpack::<OpenCard>(row.value())).transpose()?;
        let Some(personal) = card.and_then(|card| card.personal) else { return Ok(()) };
        let keys = Keys::of(&personal);
        for (index, text) in self.indexes.iter_mut().zip(keys.texts()) {
            postings::remove(index, text, id)?;
        }
        Ok(())
    }

    fn write_cards(&mut self) -> Result<(), StoreError> {
        append(&mut self.cards, &mut self.waiting.cards)
    }

    fn write_waiting(&mut self) -> Result<(), StoreError> {
        self.write_cards()?;
        self.waiting.codes.write(&mut self.codes)?;
        for (batch, index) in self.waiting.indexes.iter_mut().zip(&mut self.indexes) {
            batch.write(index)?;
        }
        self.waiting.members = 0;
        Ok(())
    }

    /// Writes what still waits.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.write_waiting()?;
        self.names.close()
    }
}

/// Appends rows by rising id behind all that a table has: twice as quick as inserting them.
fn append(
    table: &mut Table<'_, u32, Blob>,
    rows: &mut Vec<(u32, Vec<u8>)>,
) -> Result<(), StoreError> {
    let mut end = table.upper_bound_mut(Bound::<u32>::Unbounded)?;
    for (id, row) in rows.drain(..) {
        end.insert_before(id, row.as_slice())?;
    }
    Ok(end.close()?)
}

/// Returns the id behind a code, while folding.
pub fn id_of(txn: &WriteTransaction, code: &str) -> Result<Option<u32>, StoreError> {
    postings::one(&txn.open_table(MEMBER_CODES)?, code)
}

/// Changes what happened to a member; a code nobody bears is left.
pub fn change_facts(
    txn: &WriteTransaction,
    code: &str,
    change: impl FnOnce(&mut Facts),
) -> Result<Option<u32>, StoreError> {
    let Some(id) = id_of(txn, code)? else { return Ok(None) };
    let mut table = txn.open_table(MEMBER_FACTS)?;
    let mut facts: Facts =
        table.get(id)?.map(|row| unpack(row.value())).transpose()?.unwrap_or_default();
    change(&mut facts);
    table.insert(id, pack(&facts)?.as_slice())?;
    Ok(Some(id))
}

/// Sets the balances that an import brought: each is what the member has from that day on.
pub fn start_balances(
    txn: &WriteTransaction,
    day: i32,
    balances: &BTreeMap<u32, i64>,
) -> Result<(), StoreError> {
    let mut table = txn.open_table(MEMBER_FACTS)?;
    let past = table.last()?.map_or(0, |(id, _)| id.value() + 1);
    for (id, points) in balances.range(..past) {
        let row = table.get(id)?.map(|row| unpack(row.value())).transpose()?;
        let mut facts: Facts = row.unwrap_or_default();
        facts.ledger.reset(day, *points);
        table.insert(id, pack(&facts)?.as_slice())?;
    }
    let mut end = table.upper_bound_mut(Bound::<u32>::Unbounded)?;
    for (id, points) in balances.range(past..) {
        let mut facts = Facts::default();
        facts.ledger.reset(day, *points);
        end.insert_before(id, pack(&facts)?.as_slice())?;
    }
    Ok(end.close()?)
}

/// Finds a member by code; an erased one is not found.
pub fn by_code(txn: &ReadTransaction, code: &str) -> Result<Option<Member>, StoreError> {
    match postings::one(&txn.open_table(MEMBER_CODES)?, code)? {
        Some(id) => by_id(txn, id),
        None => Ok(None),
    }
}

/// Reads a member; `None` when erased.
pub fn by_id(txn: &ReadTransaction, id: u32) -> Result<Option<Member>, StoreError> {
    Rows::open(txn)?.member(id)
}

/// The tables a member is read from, opened once for a page of them.
pub struct Rows {
    cards: ReadOnlyTable<u32, Blob>,
    facts: ReadOnlyTable<u32, Blob>,
}

impl Rows {
    pub fn open(txn: &ReadTransaction) -> Result<Self, StoreError> {
        Ok(Self { cards: txn.open_table(MEMBERS)?, facts: txn.open_table(MEMBER_FACTS)? })
    }

    /// Reads a member; `None` when erased.
    pub fn member(&self, id: u32) -> Result<Option<Member>, StoreError> {
        let Some(row) = self.cards.get(id)? else { return Ok(None) };
        let card: OpenCard = unpack(row.value())?;
        let Some(personal) = card.personal else { return Ok(None) };
        let facts = self.facts.get(id)?;
        let facts: Facts = facts.map(|row| unpack(row.value())).transpose()?.unwrap_or_default();
        Ok(Some(Member {
            code: card.code,
            rank: card.rank,
            joined: card.joined,
            personal,
            ledger: facts.ledger.moves(),
            stamps: facts.stamps,
            visits: facts.visits,
            last_visit: facts.last_visit,
            spent: facts.spent,
        }))
    }
}

/// Returns whether a code was ever given to somebody, an erased member included.
pub fn code_used(txn: &ReadTransaction, code: &str) -> Result<bool, StoreError> {
    Ok(postings::one(&txn.open_table(MEMBER_CODES)?, code)?.is_some())
}

/// Returns the next free running number of the codes that a lane makes: 29, the lane less one in two
/// digits, eight running digits, a check digit.
pub fn next_number(txn: &ReadTransaction, lane: u8) -> Result<u32, StoreError> {
    let block = format!("29{:02}", lane.saturating_sub(1));
    let past = format!("{block}:"); // A colon sorts behind every digit.
    let made_here = |code: &[u8]| {
        let made_here = code.len() == 13 && code.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(&code[4..12]).ok().filter(|_| made_here)?.parse::<u32>().ok()
    };
    let codes = txn.open_table(MEMBER_CODES)?;
    let last = postings::last_between(&codes, &block, &past, made_here)?;
    Ok(last.map_or(1, |last| last + 1))
}

/// Calls `each` with every member, in the order they joined the store.
pub fn each(
    txn: &ReadTransaction,
    mut each: impl FnMut(Member) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let rows = Rows::open(txn)?;
    for row in rows.cards.iter()? {
        if let Some(member) = rows.member(row?.0.value())? {
            each(member)?;
        }
    }
    Ok(())
}
