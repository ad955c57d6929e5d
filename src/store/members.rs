//! Members as the journal left them: the card, and the points and visits that followed.
//!
//! Room: store. May touch: the member tables. May not: evaluate rules (expiry is the domain's).
//! Invariant: a code stands for one person for ever; an erased member keeps the code, the points and
//! the visits, and loses every row that names a person.

use std::collections::HashSet;

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

/// Pairs that wait in memory before they are sorted in: about 30 MB with all indexes.
const MOST_WAITING: usize = 200_000;

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

/// The card tables, open for writing: one member or a million take the same way.
pub struct Writer<'txn> {
    cards: Table<'txn, u32, Blob>,
    codes: Table<'txn, &'static str, u32>,
    indexes: [postings::Open<'txn>; 4],
    batches: [Batch; 4],
    names: Filling<'txn>,
    /// Who is in the batches and not yet in the indexes.
    waiting: HashSet<u32>,
    next: u32,
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
            batches: Default::default(),
            names: Filling::new(txn.open_table(MEMBER_NAMES)?),
            waiting: HashSet::new(),
            next,
        })
    }

    /// Sets a card as a whole and returns the member's id.
    pub fn set(&mut self, card: &OpenCard) -> Result<u32, StoreError> {
        let known = self.codes.get(card.code.as_str())?.map(|id| id.value());
        let id = match known {
            Some(id) => {
                self.forget(id)?;
                id
            }
            None => {
                self.codes.insert(card.code.as_str(), self.next)?;
                self.next += 1;
                self.next - 1
            }
        };
        self.cards.insert(id, pack(card)?.as_slice())?;
        match &card.personal {
            Some(personal) => self.index(id, &Keys::of(personal))?,
            None => self.names.set(id, "")?,
        }
        Ok(id)
    }

    fn index(&mut self, id: u32, keys: &Keys) -> Result<(), StoreError> {
        let texts = [&keys.kana, &keys.loose, &keys.phone, &keys.mail];
        for (batch, text) in self.batches.iter_mut().zip(texts) {
            batch.add(text, id);
        }
        self.names.set(id, &keys.name)?;
        self.waiting.insert(id);
        if self.waiting.len() >= MOST_WAITING { self.write_batches() } else { Ok(()) }
    }

    fn forget(&mut self, id: u32) -> Result<(), StoreError> {
        if self.waiting.contains(&id) {
            self.write_batches()?;
        }
        let card = self.cards.get(id)?.map(|row| unpack::<OpenCard>(row.value())).transpose()?;
        let Some(personal) = card.and_then(|card| card.personal) else { return Ok(()) };
        let keys = Keys::of(&personal);
        let texts = [&keys.kana, &keys.loose, &keys.phone, &keys.mail];
        for (index, text) in self.indexes.iter_mut().zip(texts) {
            postings::remove(index, text, id)?;
        }
        Ok(())
    }

    fn write_batches(&mut self) -> Result<(), StoreError> {
        for (batch, index) in self.batches.iter_mut().zip(&mut self.indexes) {
            batch.write(index)?;
        }
        self.waiting.clear();
        Ok(())
    }

    /// Writes what still waits.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.write_batches()?;
        self.names.close()
    }
}

/// Returns the id behind a code, while folding.
pub fn id_of(txn: &WriteTransaction, code: &str) -> Result<Option<u32>, StoreError> {
    Ok(txn.open_table(MEMBER_CODES)?.get(code)?.map(|id| id.value()))
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
    balances: &[(u32, i64)],
) -> Result<(), StoreError> {
    let mut table = txn.open_table(MEMBER_FACTS)?;
    for (id, points) in balances {
        let mut facts: Facts =
            table.get(id)?.map(|row| unpack(row.value())).transpose()?.unwrap_or_default();
        facts.ledger.reset(day, *points);
        table.insert(id, pack(&facts)?.as_slice())?;
    }
    Ok(())
}

/// Finds a member by code; an erased one is not found.
pub fn by_code(txn: &ReadTransaction, code: &str) -> Result<Option<Member>, StoreError> {
    match txn.open_table(MEMBER_CODES)?.get(code)? {
        Some(id) => by_id(txn, id.value()),
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
    Ok(txn.open_table(MEMBER_CODES)?.get(code)?.is_some())
}

/// Returns the next free running number of the codes that a lane makes: 29, the lane less one in two
/// digits, eight running digits, a check digit.
pub fn next_number(txn: &ReadTransaction, lane: u8) -> Result<u32, StoreError> {
    let block = format!("29{:02}", lane.saturating_sub(1));
    let past = format!("{block}:"); // A colon sorts behind every digit.
    let codes = txn.open_table(MEMBER_CODES)?;
    for row in codes.range(block.as_str()..past.as_str())?.rev() {
        let (code, _) = row?;
        let code = code.value();
        let made_here = code.len() == 13 && code.bytes().all(|byte| byte.is_ascii_digit());
        if made_here && let Ok(number) = code[4..12].parse::<u32>() {
            return Ok(number + 1);
        }
    }
    Ok(1)
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
