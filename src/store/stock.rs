//! What should be on the shelf: counts and imports less what was sold, plus what came back.
//!
//! Room: store. May touch: the stock table.
//! Invariant: counted quantities replace, sales add and take away; the sum follows the journal.

use std::collections::BTreeMap;

use redb::{ReadTransaction, ReadableTable, WriteTransaction};

use super::abreast::Work;
use super::codec::{pack, unpack};
use super::fault::StoreError;
use super::items::stored_code;
use super::rows_by_code::RowsByCode;
use super::sales::Turn;
use super::tables::STOCK;
use crate::domain::quantity::Quantity;
use crate::domain::sale::Sale;

/// The table, open for counts: one or a hundred thousand take the same way.
pub struct Counting<'txn>(RowsByCode<'txn>);

impl<'txn> Counting<'txn> {
    pub fn open(txn: &'txn WriteTransaction) -> Result<Self, StoreError> {
        Ok(Self(RowsByCode::new(txn.open_table(STOCK)?)))
    }

    /// Sets the quantity of an item by its stored code, as counted.
    pub fn counted(&mut self, code: &str, quantity: Quantity) -> Result<(), StoreError> {
        self.0.set(code, &pack(&quantity)?)
    }

    /// The writing of what still waits.
    pub fn work(&mut self) -> Work<'_> {
        self.0.work()
    }
}

/// Takes away what a sale sold and adds what it brought back; the reverse when it was voided.
pub fn moved(txn: &WriteTransaction, sale: &Sale, turn: Turn) -> Result<(), StoreError> {
    let mut moves: BTreeMap<String, Quantity> = BTreeMap::new();
    for line in sale.lines.iter().filter(|line| !line.item.code.is_empty()) {
        let sum = moves.entry(stored_code(&line.item.code)).or_default();
        *sum = match turn {
            Turn::Closed => *sum - line.item.quantity,
            Turn::Voided => *sum + line.item.quantity,
        };
    }
    let mut stock = txn.open_table(STOCK)?;
    for (code, quantity) in moves {
        let before = stock.get(code.as_str())?.map(|row| unpack(row.value())).transpose()?;
        let after = before.unwrap_or(Quantity::ZERO) + quantity;
        stock.insert(code.as_str(), pack(&after)?.as_slice())?;
    }
    Ok(())
}

/// Returns what should be there of an item; `None` when it was never counted, sold or returned.
pub fn of(txn: &ReadTransaction, code: &str) -> Result<Option<Quantity>, StoreError> {
    let row = txn.open_table(STOCK)?.get(stored_code(code).as_str())?;
    Ok(row.map(|row| unpack(row.value())).transpose()?)
}
