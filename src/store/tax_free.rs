//! Purchase records of tax-free sales, each with what became of it.
//!
//! Room: store. May touch: the tables of records.
//! Invariant: a record's body is what its entry says; only its status moves.

use redb::{ReadTransaction, ReadableTable, WriteTransaction};

use super::codec::{pack, unpack};
use super::fault::StoreError;
use super::sales::paper_key;
use super::tables::{TAX_FREE, TAX_FREE_OF};
use crate::domain::entry::{Entry, Kind};
use crate::domain::number::DocNo;
use crate::domain::tax_free::{Kept, Status};

/// Folds what an entry says of a record.
pub fn fold(txn: &WriteTransaction, entry: &Entry) -> Result<(), StoreError> {
    match &entry.kind {
        Kind::TaxFreeRecorded(record) => {
            let (number, receipt) = (paper_key(record.number), paper_key(record.receipt));
            let kept = Kept { record: (**record).clone(), status: Status::Sold };
            txn.open_table(TAX_FREE)?.insert(number, pack(&kept)?.as_slice())?;
            txn.open_table(TAX_FREE_OF)?.insert((receipt, number), ())?;
            Ok(())
        }
        Kind::TaxFreeToldOf { number, status, .. } => told(txn, *number, *status),
        Kind::TaxFreeRefunded { number, .. } => told(txn, *number, Status::Refunded),
        _ => Ok(()),
    }
}

fn told(txn: &WriteTransaction, number: DocNo, status: Status) -> Result<(), StoreError> {
    let mut records = txn.open_table(TAX_FREE)?;
    let key = paper_key(number);
    let kept = records.get(key)?.map(|row| unpack::<Kept>(row.value())).transpose()?;
    if let Some(kept) = kept {
        records.insert(key, pack(&Kept { status, ..kept })?.as_slice())?;
    }
    Ok(())
}

/// Finds a record by the number on its slip.
pub fn by_number(txn: &ReadTransaction, number: DocNo) -> Result<Option<Kept>, StoreError> {
    let row = txn.open_table(TAX_FREE)?.get(paper_key(number))?;
    Ok(row.map(|row| unpack(row.value())).transpose()?)
}

/// Returns the records of a receipt, oldest first.
pub fn of_receipt(txn: &ReadTransaction, receipt: DocNo) -> Result<Vec<Kept>, StoreError> {
    let receipt = paper_key(receipt);
    let records = txn.open_table(TAX_FREE)?;
    let mut of_it = Vec::new();
    let (first, last) =
        ((receipt, (0, 0, 0, 0)), (receipt, (u8::MAX, u16::MAX, u8::MAX, u32::MAX)));
    for row in txn.open_table(TAX_FREE_OF)?.range(first..=last)? {
        if let Some(row) = records.get(row?.0.value().1)? {
            of_it.push(unpack(row.value())?);
        }
    }
    Ok(of_it)
}

/// Returns every record, oldest first within its lane.
pub fn all(txn: &ReadTransaction) -> Result<Vec<Kept>, StoreError> {
    txn.open_table(TAX_FREE)?.iter()?.map(|row| Ok(unpack(row?.1.value())?)).collect()
}
