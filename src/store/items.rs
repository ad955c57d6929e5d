//! The item master as the journal left it, and the ways to find an item in it.
//!
//! Room: store. May touch: the item tables. May not: evaluate rules.
//! Invariant: an item stands once, under the one spelling of its code, and in every index by what it
//! says now.

use std::ops::ControlFlow;

use redb::{ReadTransaction, ReadableTable, Table, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::codec::{pack, unpack};
use super::fault::StoreError;
use super::name_blocks::{self, Filling};
use super::postings::{self, Batch};
use super::stock;
use super::tables::{Blob, ITEM_CASES, ITEM_KANA, ITEM_LOOSE, ITEM_NAMES, ITEM_NUMBERS, ITEMS};
use crate::domain::code::item_code;
use crate::domain::item::Item;
use crate::domain::kana::{exact_key, fold_variants, loose_key, typed_kana};
use crate::domain::register::ItemFound;
use crate::domain::text::halfwidth_digits;

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
    exact_key(&fold_variants(name))
}

fn kana_of(item: &Item) -> &str {
    if item.kana.is_empty() { &item.name } else { &item.kana }
}

/// The item tables, open for writing: one item or a hundred thousand take the same way.
pub struct Writer<'txn> {
    txn: &'txn WriteTransaction,
    items: Table<'txn, &'static str, Blob>,
    numbers: Table<'txn, u32, &'static str>,
    cases: Table<'txn, &'static str, &'static str>,
    kana: postings::Open<'txn>,
    loose: postings::Open<'txn>,
    names: Filling<'txn>,
    kana_batch: Batch,
    loose_batch: Batch,
    /// The first number given out here; rows from it on may still wait in the batches.
    first_new: u32,
    next: u32,
}

impl<'txn> Writer<'txn> {
    pub fn open(txn: &'txn WriteTransaction) -> Result<Self, StoreError> {
        let numbers = txn.open_table(ITEM_NUMBERS)?;
        let next = numbers.last()?.map_or(0, |(number, _)| number.value() + 1);
        Ok(Self {
            txn,
            items: txn.open_table(ITEMS)?,
            numbers,
            cases: txn.open_table(ITEM_CASES)?,
            kana: txn.open_table(ITEM_KANA)?,
            loose: txn.open_table(ITEM_LOOSE)?,
            names: Filling::new(txn.open_table(ITEM_NAMES)?),
            kana_batch: Batch::default(),
            loose_batch: Batch::default(),
            first_new: next,
            next,
        })
    }

    /// Sets an item as a whole. A stock that differs from the one the row had was counted anew.
    pub fn set(&mut self, item: &Item) -> Result<(), StoreError> {
        let code = stored_code(&item.code);
        let before: Option<Row> =
            self.items.get(code.as_str())?.map(|row| unpack(row.value())).transpose()?;
        let number = match &before {
            Some(row) => {
                self.forget(row)?;
                row.number
            }
            None => self.number(&code)?,
        };
        let row = Row { number, item: Item { code: code.clone(), ..item.clone() } };
        self.items.insert(code.as_str(), pack(&row)?.as_slice())?;
        if !item.case_code.is_empty() {
            self.cases.insert(stored_code(&item.case_code).as_str(), code.as_str())?;
        }
        self.kana_batch.add(&exact_key(kana_of(item)), number);
        self.loose_batch.add(&loose_key(kana_of(item)), number);
        self.names.set(number, &folded_name(&item.name))?;
        let counted = item
            .stock
            .filter(|stock| before.as_ref().is_none_or(|row| row.item.stock != Some(*stock)));
        match counted {
            Some(quantity) => stock::counted(self.txn, &code, quantity),
            None => Ok(()),
        }
    }

    fn number(&mut self, code: &str) -> Result<u32, StoreError> {
        let number = self.next;
        self.next += 1;
        self.numbers.insert(number, code)?;
        Ok(number)
    }

    fn forget(&mut self, row: &Row) -> Result<(), StoreError> {
        if row.number >= self.first_new {
            self.write_batches()?;
        }
        postings::remove(&mut self.kana, &exact_key(kana_of(&row.item)), row.number)?;
        postings::remove(&mut self.loose, &loose_key(kana_of(&row.item)), row.number)?;
        if !row.item.case_code.is_empty() {
            self.cases.remove(stored_code(&row.item.case_code).as_str())?;
        }
        Ok(())
    }

    fn write_batches(&mut self) -> Result<(), StoreError> {
        self.kana_batch.write(&mut self.kana)?;
        self.loose_batch.write(&mut self.loose)
    }

    /// Writes what still waits.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.write_batches()?;
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
