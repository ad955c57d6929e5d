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

use super::codec::{pack, unpack};
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
    common_forms, exact_key, exact_key_into, loose_key, loose_of, typed_kana,
};
use crate::domain::quantity::Quantity;
use crate::domain::register::ItemFound;
use crate::domain::text::halfwidth_digits;
use crate::domain::texts::Texts;

/// An item and its number in the indexes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    number: u32,
    item: Item,
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

fn kana_of(item: &Item) -> &str {
    if item.kana.is_empty() { &item.name } else { &item.kana }
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
    /// Hashes of the codes that this writer has set.
    set: Hashes<u64>,
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
            set: Hashes::default(),
            hashers: RandomState::new(),
            next,
        })
    }

    /// Sets an item as a whole. A stock that differs from the one the row had was counted anew.
    pub fn set(&mut self, item: &Item) -> Result<(), StoreError> {
        let code = stored_code(&item.code);
        let before = self.known(&code)?;
        let number = before.as_ref().map_or(self.next, |row| row.number);
        let item = Item { code: code.clone(), ..item.clone() };
        let was = before.as_ref().map(|row| &row.item);
        let counted = item.stock.filter(|stock| was.is_none_or(|was| was.stock != Some(*stock)));
        if let Some(quantity) = counted {
            self.stock.counted(&code, quantity)?;
        }
        self.index(number, was, &item)?;
        if was.is_none() {
            self.waiting.codes.push(&code);
            self.next += 1;
        }
        if was != Some(&item) { self.items.set(code, pack(&Row { number, item })?) } else { Ok(()) }
    }

    /// Brings the indexes to what the item says now. Only what differs is touched.
    fn index(&mut self, number: u32, was: Option<&Item>, item: &Item) -> Result<(), StoreError> {
        let keys = |item: &Item| {
            let kana = exact_key(kana_of(item));
            (loose_of(&kana), kana, folded_name(&item.name))
        };
        let (loose, kana, name) = keys(item);
        let (was_loose, was_kana, was_name) = was.map(keys).unwrap_or_default();
        if kana != was_kana {
            postings::remove(&mut self.kana, &was_kana, number)?;
            self.waiting.kana.add(&kana, number);
        }
        if loose != was_loose {
            postings::remove(&mut self.loose, &was_loose, number)?;
            self.waiting.loose.add(&loose, number);
        }
        if was.is_none() || name != was_name {
            self.names.set(number, &name)?;
        }
        let was_case = was.map_or("", |was| &was.case_code);
        if item.case_code != was_case {
            if !was_case.is_empty() {
                self.cases.remove(stored_code(was_case).as_str())?;
            }
            if !item.case_code.is_empty() {
                self.cases.insert(stored_code(&item.case_code).as_str(), item.code.as_str())?;
            }
        }
        Ok(())
    }

    /// Sets what was counted of an item, whether or not there is one.
    pub fn counted(&mut self, code: &str, quantity: Quantity) -> Result<(), StoreError> {
        self.stock.counted(&stored_code(code), quantity)
    }

    /// Returns the item as it was. What this writer has set may still wait, so that is written first.
    fn known(&mut self, code: &str) -> Result<Option<Row>, StoreError> {
        let hash = self.hashers.hash_one(code);
        if !self.set.insert(hash) {
            self.write_waiting()?;
        } else if self.was_empty {
            return Ok(None);
        }
        self.items.table().get(code)?.map(|row| Ok(unpack(row.value())?)).transpose()
    }

    fn write_waiting(&mut self) -> Result<(), StoreError> {
        self.items.write()?;
        self.write_numbers()?;
        self.waiting.kana.write(&mut self.kana)?;
        self.waiting.loose.write(&mut self.loose)
    }

    /// Appends new numbers, which rise: twice as quick as inserting them.
    fn write_numbers(&mut self) -> Result<(), StoreError> {
        if self.waiting.codes.is_empty() {
            return Ok(());
        }
        let mut end = self.numbers.upper_bound_mut(Bound::<u32>::Unbounded)?;
        for (number, code) in (self.waiting.first..).zip(self.waiting.codes.iter()) {
            end.insert_before(number, code)?;
        }
        self.waiting.codes = Texts::default();
        self.waiting.first = self.next;
        Ok(end.close()?)
    }

    /// Writes what still waits.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.write_waiting()?;
        self.stock.close()?;
        self.names.close()
    }
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
    if text.chars().any(|sign| sign.is_ascii_alphabetic()) {
        keys.push(typed_kana(text));
        keys.dedup();
    }
    keys
}

fn by_code_prefix(txn: &ReadTransaction, text: &str, found: &mut Found) -> Result<(), StoreError> {
    let prefix = halfwidth_digits(text);
    let items = txn.open_table(ITEMS)?;
    let whole = stored_code(text);
    for start in [whole.as_str(), prefix.as_str()] {
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
