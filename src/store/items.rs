//! The item master as the journal left it, and the ways to find an item in it.
//!
//! Room: store. May touch: the item tables. May not: evaluate rules.
//! Invariant: an item stands once, under the one spelling of its code, and in every index by what it
//! says now.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::ops::{Bound, ControlFlow};

use redb::{ReadTransaction, ReadableTable, Table, WriteTransaction};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::abreast::{Work, abreast};
use super::codec::{pack_with, unpack};
use super::fault::StoreError;
use super::name_blocks::{self, Filling};
use super::postings::{self, Batch};
use super::rows_by_code::RowsByCode;
use super::stock;
use super::tables::{Blob, ITEM_CASES, ITEM_KANA, ITEM_LOOSE, ITEM_NAMES, ITEM_NUMBERS, ITEMS};
use crate::domain::code::item_code;
use crate::domain::hashed::Hashes;
use crate::domain::item::Item;
use crate::domain::kana::{
    common_forms, exact_key, exact_key_into, loose_into, loose_key, typed_kana,
};
use crate::domain::quantity::Quantity;
use crate::domain::register::ItemFound;
use crate::domain::text::halfwidth_digits;
use crate::domain::texts::Texts;

/// An item and its number in the indexes.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    number: u32,
    item: Item,
}

/// An item made ready to be written, lent by whoever holds it: what takes work needs no table, so another
/// thread may have done it.
#[derive(Debug, Clone, Copy)]
pub struct Lent<'a> {
    /// As it is stored.
    pub code: &'a str,
    /// The item, encoded, under that code.
    pub encoded: &'a [u8],
    /// See `Keys::texts`.
    pub keys: [&'a str; 4],
    pub stock: Option<Quantity>,
}

/// The texts by which an item is found; set again for the next, they seldom need memory.
#[derive(Debug, Default)]
pub struct Keys {
    kana: String,
    loose: String,
    name: String,
    /// The code of its case, as it is stored.
    case: String,
}

impl Keys {
    fn of(item: &Item) -> Self {
        let mut keys = Self::default();
        keys.set(item);
        keys
    }

    pub fn set(&mut self, item: &Item) {
        let kana = if item.kana.is_empty() { &item.name } else { &item.kana };
        exact_key_into(&mut self.kana, kana.chars());
        loose_into(&mut self.loose, &self.kana);
        exact_key_into(&mut self.name, common_forms(&item.name));
        self.case.clear();
        if !item.case_code.is_empty() {
            self.case.push_str(&stored_code(&item.case_code));
        }
    }

    /// Kana, loose kana, name, and the code of its case.
    pub fn texts(&self) -> [&str; 4] {
        [&self.kana, &self.loose, &self.name, &self.case]
    }
}

/// Returns the one spelling of a code, as the domain keeps it; what it would refuse stays as it is,
/// in half-width: an old master may hold it.
pub fn stored_code(code: &str) -> String {
    item_code(code).unwrap_or_else(|_| halfwidth_digits(code).trim().to_owned())
}

/// Returns what any part of a name is looked for in: `牛乳 1L` and `ぎゅうにゅう１ｌ` alike.
pub(super) fn folded_name(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    exact_key_into(&mut folded, common_forms(name));
    folded
}

/// The item tables, open for writing: one item or a hundred thousand take the same way.
pub struct Writer<'txn> {
    items: RowsByCode<'txn>,
    numbers: Table<'txn, u32, &'static str>,
    cases: Table<'txn, &'static str, &'static str>,
    stock: stock::Counting<'txn>,
    kana: postings::Open<'txn>,
    loose: postings::Open<'txn>,
    names: Filling<'txn>,
    waiting: Waiting,
    /// There was no item when this writer came: what it has not set itself is not there.
    was_empty: bool,
    /// Hashes of the codes that this writer has set; `None` when no two are about the same.
    set: Option<Hashes>,
    hashers: RandomState,
    next: u32,
}

/// What goes into the tables sorted, and all at once.
#[derive(Default)]
struct Waiting {
    /// Codes of new items, in the order of their numbers from the first.
    codes: Texts,
    first: u32,
    kana: Batch,
    loose: Batch,
}

impl<'txn> Writer<'txn> {
    pub fn open(txn: &'txn WriteTransaction) -> Result<Self, StoreError> {
        let numbers = txn.open_table(ITEM_NUMBERS)?;
        let next = numbers.last()?.map_or(0, |(number, _)| number.value() + 1);
        Ok(Self {
            items: RowsByCode::new(txn.open_table(ITEMS)?),
            numbers,
            cases: txn.open_table(ITEM_CASES)?,
            stock: stock::Counting::open(txn)?,
            kana: txn.open_table(ITEM_KANA)?,
            loose: txn.open_table(ITEM_LOOSE)?,
            names: Filling::new(txn.open_table(ITEM_NAMES)?),
            waiting: Waiting { first: next, ..Waiting::default() },
            was_empty: next == 0,
            set: Some(Hashes::default()),
            hashers: RandomState::new(),
            next,
        })
    }

    /// The same for items of which no two have one code: nothing is kept of what was set.
    pub fn of_different(self) -> Self {
        Self { set: None, ..self }
    }

    /// Sets an item as a whole. A stock that differs from the one the row had was counted anew.
    pub fn set(&mut self, new: Lent<'_>) -> Result<(), StoreError> {
        if let Some(stored) = self.known(new.code)? {
            return self.change(&stored, &new);
        }
        let number = self.next;
        self.next += 1;
        self.waiting.codes.push(new.code);
        self.items.set(new.code, &pack_with(&number, new.encoded)?)?;
        if let Some(quantity) = new.stock {
            self.stock.counted(new.code, quantity)?;
        }
        let [kana, loose, name, case] = new.keys;
        self.waiting.kana.add(kana, number);
        self.waiting.loose.add(loose, number);
        if !case.is_empty() {
            self.cases.insert(case, new.code)?;
        }
        self.names.set(number, name)
    }

    /// Sets an item that is there already. Only what differs is touched: a list that comes back from a
    /// spreadsheet differs in a few rows.
    fn change(&mut self, stored: &[u8], new: &Lent<'_>) -> Result<(), StoreError> {
        let Row { number, item } = unpack(stored)?;
        if let Some(quantity) = new.stock.filter(|stock| item.stock != Some(*stock)) {
            self.stock.counted(new.code, quantity)?;
        }
        let old = Keys::of(&item);
        let ([was_kana, was_loose, was_named, was_case], [kana, loose, named, case]) =
            (old.texts(), new.keys);
        if kana != was_kana {
            postings::remove(&mut self.kana, was_kana, number)?;
            self.waiting.kana.add(kana, number);
        }
        if loose != was_loose {
            postings::remove(&mut self.loose, was_loose, number)?;
            self.waiting.loose.add(loose, number);
        }
        if named != was_named {
            self.names.set(number, named)?;
        }
        if case != was_case {
            if !was_case.is_empty() {
                self.cases.remove(was_case)?;
            }
            if !case.is_empty() {
                self.cases.insert(case, new.code)?;
            }
        }
        let row = pack_with(&number, new.encoded)?;
        if row == stored { Ok(()) } else { self.items.set(new.code, &row) }
    }

    /// Sets what was counted of an item, whether or not there is one.
    pub fn counted(&mut self, code: &str, quantity: Quantity) -> Result<(), StoreError> {
        self.stock.counted(&stored_code(code), quantity)
    }

    /// Returns the row as it was. What this writer has set may still wait, so that is written first.
    fn known(&mut self, code: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let hashers = &self.hashers;
        let is_first = self.set.as_mut().is_none_or(|set| set.insert(hashers.hash_one(code)));
        if !is_first {
            self.write_waiting()?;
        } else if self.was_empty {
            return Ok(None);
        }
        Ok(self.items.table().get(code)?.map(|row| row.value().to_vec()))
    }

    fn write_waiting(&mut self) -> Result<(), StoreError> {
        let (codes, first) = (std::mem::take(&mut self.waiting.codes), self.waiting.first);
        self.waiting.first = self.next;
        abreast([
            self.items.work(),
            Work::new(codes.len(), || append(&mut self.numbers, first, &codes)),
            self.waiting.kana.work(&mut self.kana),
            self.waiting.loose.work(&mut self.loose),
            self.stock.work(),
        ])
    }

    /// Writes what still waits.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.write_waiting()?;
        self.names.close()
    }
}

/// Appends the codes of new numbers, which rise: twice as quick as inserting them.
fn append(
    numbers: &mut Table<'_, u32, &'static str>,
    first: u32,
    codes: &Texts,
) -> Result<(), StoreError> {
    if codes.is_empty() {
        return Ok(());
    }
    let mut end = numbers.upper_bound_mut(Bound::<u32>::Unbounded)?;
    for (number, code) in (first..).zip(codes.iter()) {
        end.insert_before(number, code)?;
    }
    Ok(end.close()?)
}

/// Finds an item by any form of its code, or by the code of its case.
pub fn by_code(txn: &ReadTransaction, code: &str) -> Result<Option<ItemFound>, StoreError> {
    let code = stored_code(code);
    let items = txn.open_table(ITEMS)?;
    if let Some(item) = item_at(&items, &code)? {
        return Ok(Some(ItemFound { item, pieces: None }));
    }
    let cases = txn.open_table(ITEM_CASES)?;
    let Some(inner) = cases.get(code.as_str())? else { return Ok(None) };
    let item = item_at(&items, inner.value())?;
    Ok(item.map(|item| ItemFound { pieces: item.case_of, item }))
}

fn item_at(
    items: &impl ReadableTable<&'static str, Blob>,
    code: &str,
) -> Result<Option<Item>, StoreError> {
    let Some(row) = items.get(code)? else { return Ok(None) };
    let row: Row = unpack(row.value())?;
    Ok(Some(row.item))
}

/// Finds items by the beginning of a code, of their kana (romaji too), or by a part of their name:
/// in this order, each item once, the first `limit`.
pub fn find(txn: &ReadTransaction, text: &str, limit: usize) -> Result<Vec<Item>, StoreError> {
    let text = text.trim();
    let mut found = Found { numbers: Vec::new(), limit };
    if text.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    by_code_prefix(txn, text, &mut found)?;
    let kana = txn.open_table(ITEM_KANA)?;
    let loose = txn.open_table(ITEM_LOOSE)?;
    for key in kana_queries(text) {
        postings::scan(&kana, &exact_key(&key), |_, number| found.add(number))?;
        postings::scan(&loose, &loose_key(&key), |_, number| found.add(number))?;
    }
    let names = txn.open_table(ITEM_NAMES)?;
    name_blocks::scan(&names, &folded_name(text), |number| found.add(number))?;

    let (numbers, items) = (txn.open_table(ITEM_NUMBERS)?, txn.open_table(ITEMS)?);
    let mut rows = Vec::with_capacity(found.numbers.len());
    for number in found.numbers {
        let Some(code) = numbers.get(number)? else { continue };
        rows.extend(item_at(&items, code.value())?);
    }
    Ok(rows)
}

/// Returns the kana a query may mean: as typed, and read as romaji when it is Latin.
pub(super) fn kana_queries(text: &str) -> Vec<String> {
    let mut keys = vec![text.to_owned()];
    let plain: String = text.nfkc().collect(); // Latin letters in full width, too.
    if plain.chars().any(|sign| sign.is_ascii_alphabetic()) {
        keys.push(typed_kana(&plain));
        keys.dedup();
    }
    keys
}

fn by_code_prefix(txn: &ReadTransaction, text: &str, found: &mut Found) -> Result<(), StoreError> {
    let prefix = halfwidth_digits(text);
    let items = txn.open_table(ITEMS)?;
    let whole = stored_code(text);
    for start in [&*whole, &*prefix] {
        for row in items.range(start..)? {
            let (code, row) = row?;
            if !code.value().starts_with(start) {
                break;
            }
            let row: Row = unpack(row.value())?;
            if found.add(row.number).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Numbers found so far, each once.
struct Found {
    numbers: Vec<u32>,
    limit: usize,
}

impl Found {
    fn add(&mut self, number: u32) -> ControlFlow<()> {
        if self.numbers.len() >= self.limit {
            return ControlFlow::Break(());
        }
        if !self.numbers.contains(&number) {
            self.numbers.push(number);
        }
        ControlFlow::Continue(())
    }
}

/// Calls `each` with every item, in the order of the codes.
pub fn each(
    txn: &ReadTransaction,
    mut each: impl FnMut(Item) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for row in txn.open_table(ITEMS)?.iter()? {
        let row: Row = unpack(row?.1.value())?;
        each(row.item)?;
    }
    Ok(())
}
