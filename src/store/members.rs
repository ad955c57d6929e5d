//! Members as the journal left them: the card, and the points and visits that followed.
//!
//! Room: store. May touch: the member tables. May not: evaluate rules (expiry is the domain's).
//! Invariant: a code stands for one person for ever; an erased member keeps the code, the points and
//! the visits, and loses every row that names a person.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::ops::Bound;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::abreast::abreast;
use super::codec::{Encoded, pack, pack_around, unpack};
use super::fault::StoreError;
use super::name_blocks::Filling;
use super::postings::{self, Batch};
use super::tables::{
    Blob, ERASED, MEMBER_CODES, MEMBER_KANA, MEMBER_LOOSE, MEMBER_MAILS, MEMBER_NAMES,
    MEMBER_PHONES, MEMBERS,
};
use crate::domain::hashed::Hashes;
use crate::domain::kana::{common_forms, exact_key_into, loose_into};
use crate::domain::member::{Member, Personal};
use crate::domain::money::Money;

/// Bytes of new rows that wait in memory before they are appended.
const MOST_ROW_BYTES: usize = 1 << 20;

/// A member's card with its personal data open; `None` once erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCard {
    pub code: String,
    pub rank: String,
    /// Days from the common era.
    pub joined: Option<i32>,
    pub personal: Option<Personal>,
}

/// A member's row: who it is, and what happened since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    card: OpenCard,
    facts: Facts,
}

/// What happened to a member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub ledger: super::ledger::Ledger,
    pub stamps: i64,
    pub visits: u32,
    /// Days from the common era.
    pub last_visit: Option<i32>,
    pub spent: Money,
}

/// The texts by which a person is found; set again for the next, they seldom need memory.
#[derive(Debug, Default)]
pub struct Keys {
    kana: String,
    loose: String,
    /// Digits from the last to the first, so that the end of a number is a prefix.
    phone: String,
    mail: String,
    name: String,
}

impl Keys {
    fn of(personal: &Personal) -> Self {
        let mut keys = Self::default();
        keys.set(personal);
        keys
    }

    pub fn set(&mut self, personal: &Personal) {
        let kana = if personal.kana.is_empty() { &personal.name } else { &personal.kana };
        exact_key_into(&mut self.kana, kana.chars());
        loose_into(&mut self.loose, &self.kana);
        self.phone.clear();
        self.phone.extend(personal.phone.chars().filter(char::is_ascii_digit).rev());
        self.mail.clear();
        match personal.mail.is_ascii() {
            true => self.mail.extend(personal.mail.chars().map(|sign| sign.to_ascii_lowercase())),
            false => self.mail.push_str(&personal.mail.to_lowercase()),
        }
        exact_key_into(&mut self.name, common_forms(&personal.name));
    }

    /// Kana, loose kana, phone, mail and name: the writer's indexes in their order, and the names.
    pub fn texts(&self) -> [&str; 5] {
        [&self.kana, &self.loose, &self.phone, &self.mail, &self.name]
    }
}

/// Returns the digits of a phone number from the last to the first.
pub(super) fn reversed(phone: &str) -> String {
    let mut digits = String::with_capacity(phone.len());
    digits.extend(phone.chars().filter(char::is_ascii_digit).rev());
    digits
}

/// A balance that an import brought, and the day from which it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    pub day: i32,
    pub points: i64,
}

/// A card made ready to be written, lent by whoever holds it: what takes work needs no table, so another
/// thread may have done it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lent<'a> {
    pub code: &'a str,
    /// The row of somebody new.
    pub packed: &'a [u8],
    /// Kana, loose kana, phone, mail and name by which the person is found; `None` once erased.
    pub keys: Option<[&'a str; 5]>,
    pub start: Option<Start>,
}

/// A card and what it starts with, as its row is written.
#[derive(Clone, Copy)]
pub struct CardOf<'a> {
    pub code: &'a str,
    pub rank: &'a str,
    pub joined: Option<i32>,
    pub personal: Option<&'a Personal>,
}

/// Puts the row of somebody new behind others, as `Row` is read field by field. `personal` is the card's,
/// encoded.
pub(super) fn packed_row(
    bytes: &mut Vec<u8>,
    card: CardOf<'_>,
    personal: Option<&Encoded>,
    start: Option<Start>,
) -> Result<(), StoreError> {
    let mut facts = Facts::default();
    facts.start(start);
    let CardOf { code, rank, joined, .. } = card;
    Ok(pack_around(bytes, &(code, rank, joined), personal, &facts)?)
}

impl Facts {
    fn start(&mut self, start: Option<Start>) {
        if let Some(Start { day, points }) = start {
            self.ledger.reset(day, points);
        }
    }
}

/// The card tables, open for writing: one member or a million take the same way.
pub struct Writer<'txn> {
    members: Table<'txn, u32, Blob>,
    codes: postings::Open<'txn>,
    indexes: [postings::Open<'txn>; 4],
    names: Filling<'txn>,
    erased: Table<'txn, u8, ()>,
    waiting: Waiting,
    /// Nobody was there when this writer came: whom it has not set itself has no card.
    was_empty: bool,
    /// Hashes of the codes that this writer has set; `None` when no two are about the same.
    set: Option<Hashes>,
    hashers: RandomState,
    next: u32,
}

/// What goes into the tables sorted, and so many rows at once.
#[derive(Default)]
struct Waiting {
    rows: NewRows,
    codes: Batch,
    indexes: [Batch; 4],
}

/// Rows of new members, by rising id, in one piece of memory.
#[derive(Default)]
struct NewRows {
    bytes: Vec<u8>,
    /// Each id, and where its row ends.
    ends: Vec<(u32, usize)>,
}

impl NewRows {
    fn push(&mut self, id: u32, row: &[u8]) {
        self.bytes.extend_from_slice(row);
        self.ends.push((id, self.bytes.len()));
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= MOST_ROW_BYTES
    }

    fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let begins = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        begins.zip(&self.ends).map(|(begin, (id, end))| (*id, &self.bytes[begin..*end]))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

impl<'txn> Writer<'txn> {
    pub fn open(txn: &'txn WriteTransaction) -> Result<Self, StoreError> {
        let members = txn.open_table(MEMBERS)?;
        let next = members.last()?.map_or(0, |(id, _)| id.value() + 1);
        Ok(Self {
            members,
            codes: txn.open_table(MEMBER_CODES)?,
            indexes: [
                txn.open_table(MEMBER_KANA)?,
                txn.open_table(MEMBER_LOOSE)?,
                txn.open_table(MEMBER_PHONES)?,
                txn.open_table(MEMBER_MAILS)?,
            ],
            names: Filling::new(txn.open_table(MEMBER_NAMES)?),
            erased: txn.open_table(ERASED)?,
            waiting: Waiting::default(),
            was_empty: next == 0,
            set: Some(Hashes::default()),
            hashers: RandomState::new(),
            next,
        })
    }

    /// The same for cards of which no two have one code: nothing is kept of what was set.
    pub fn of_different(self) -> Self {
        Self { set: None, ..self }
    }

    /// Sets a card as a whole; what happened to the member stays, but for a balance it starts with.
    pub fn set(&mut self, new: Lent<'_>) -> Result<(), StoreError> {
        if let Some(id) = self.known(new.code)? {
            return self.change(id, &new);
        }
        let id = self.next;
        self.next += 1;
        self.waiting.codes.add(new.code, id);
        self.waiting.rows.push(id, new.packed);
        let [texts @ .., name] = new.keys.unwrap_or_default();
        self.names.set(id, name)?;
        for (batch, text) in self.waiting.indexes.iter_mut().zip(texts) {
            batch.add(text, id);
        }
        if self.waiting.rows.is_full() { self.write_rows() } else { Ok(()) }
    }

    /// Sets a card that is there already. Only what differs is touched: a list that comes back from a
    /// spreadsheet differs in a few rows.
    fn change(&mut self, id: u32, new: &Lent<'_>) -> Result<(), StoreError> {
        let stored = match self.members.get(id)? {
            Some(row) => row.value().to_vec(),
            None => return Err(StoreError::Journal(format!("no row of member {id}"))),
        };
        let before: Row = unpack(&stored)?;
        if new.keys.is_none() && before.card.personal.is_some() {
            self.erased.insert(0, ())?;
        }
        let old = before.card.personal.as_ref().map(Keys::of).unwrap_or_default();
        let ([was @ .., was_named], [is @ .., named]) = (old.texts(), new.keys.unwrap_or_default());
        let indexes = self.indexes.iter_mut().zip(&mut self.waiting.indexes);
        for ((index, waiting), (was, is)) in indexes.zip(was.into_iter().zip(is)) {
            if was != is {
                postings::remove(index, was, id)?;
                waiting.add(is, id);
            }
        }
        if was_named != named {
            self.names.set(id, named)?;
        }
        let mut row = Row { facts: before.facts, ..unpack(new.packed)? };
        row.facts.start(new.start);
        let packed = pack(&row)?;
        if packed != stored {
            self.members.insert(id, packed.as_slice())?;
        }
        Ok(())
    }

    /// Returns who bears a code. Whoever this writer has set may still wait, so that is written first.
    fn known(&mut self, code: &str) -> Result<Option<u32>, StoreError> {
        let hashers = &self.hashers;
        let is_first = self.set.as_mut().is_none_or(|set| set.insert(hashers.hash_one(code)));
        if !is_first {
            self.write_waiting()?;
        } else if self.was_empty {
            return Ok(None);
        }
        postings::one(&self.codes, code)
    }

    /// Appends new rows behind all that there are: twice as quick as inserting them.
    fn write_rows(&mut self) -> Result<(), StoreError> {
        let mut end = self.members.upper_bound_mut(Bound::<u32>::Unbounded)?;
        for (id, row) in self.waiting.rows.iter() {
            end.insert_before(id, row)?;
        }
        end.close()?;
        self.waiting.rows.clear();
        Ok(())
    }

    fn write_waiting(&mut self) -> Result<(), StoreError> {
        self.write_rows()?;
        let codes = std::iter::once((&mut self.waiting.codes, &mut self.codes));
        let indexes = self.waiting.indexes.iter_mut().zip(&mut self.indexes);
        abreast(codes.chain(indexes).map(|(new, index)| new.work(index)))
    }

    /// Writes what still waits.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.write_waiting()?;
        self.names.close()
    }
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
    let mut table = txn.open_table(MEMBERS)?;
    let row: Option<Row> = table.get(id)?.map(|row| unpack(row.value())).transpose()?;
    let Some(mut row) = row else { return Ok(None) };
    change(&mut row.facts);
    table.insert(id, pack(&row)?.as_slice())?;
    Ok(Some(id))
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

/// The table a member is read from, opened once for a page of them.
pub struct Rows(ReadOnlyTable<u32, Blob>);

impl Rows {
    pub fn open(txn: &ReadTransaction) -> Result<Self, StoreError> {
        Ok(Self(txn.open_table(MEMBERS)?))
    }

    /// Reads a member; `None` when erased.
    pub fn member(&self, id: u32) -> Result<Option<Member>, StoreError> {
        self.0.get(id)?.map_or(Ok(None), |row| member(row.value()))
    }
}

fn member(row: &[u8]) -> Result<Option<Member>, StoreError> {
    let Row { card, facts } = unpack(row)?;
    Ok(card.personal.map(|personal| Member {
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
    for row in txn.open_table(MEMBERS)?.iter()? {
        if let Some(member) = member(row?.1.value())? {
            each(member)?;
        }
    }
    Ok(())
}
