//! The tables of the store: every name and type in one place.
//!
//! Room: store. May touch: redb. May not: decide what goes in (each projection's file does).
//! Invariant: nothing here is irreplaceable; another `SCHEMA` means a rebuild from the journal.

use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};

use super::fault::StoreError;

/// Version of the tables together. Raise it when any of them changes its meaning.
pub const SCHEMA: u32 = 13;

/// Bytes redb may keep in memory (`stack.md` 3.3: this and 4 MiB more is what a process takes). The kernel
/// keeps what is often read, too; more here answers no sooner, and a PIN's hash needs the room.
pub const CACHE_BYTES: usize = 2 << 20;

/// A value is what `codec::pack` made of it.
pub type Blob = &'static [u8];

/// The first pair of text and id in a row of an index: see `postings`.
pub type PairKey = (&'static [u8], u32);
pub type Postings = TableDefinition<'static, PairKey, Blob>;

/// Names packed for a byte scan: see `name_blocks`.
pub type NameBlocks = TableDefinition<'static, u32, Blob>;

/// business date, UTC ms, lane, epoch, seq: sales in the order they happened.
pub type SaleKey = (i32, i64, u8, u16, u64);

/// lane, epoch, place of the kind in `DocKind::ALL`, number.
pub type PaperKey = (u8, u16, u8, u32);

pub const META: TableDefinition<&str, Blob> = TableDefinition::new("meta");

/// By lane: the last entry folded, and the lane's memory.
pub const FOLDED: TableDefinition<u8, Blob> = TableDefinition::new("folded");
pub const LANES: TableDefinition<u8, Blob> = TableDefinition::new("lanes");

pub const ITEMS: TableDefinition<&str, Blob> = TableDefinition::new("items");
pub const ITEM_NUMBERS: TableDefinition<u32, &str> = TableDefinition::new("item_numbers");
pub const ITEM_CASES: TableDefinition<&str, &str> = TableDefinition::new("item_cases");
pub const ITEM_KANA: Postings = TableDefinition::new("item_kana");
pub const ITEM_LOOSE: Postings = TableDefinition::new("item_loose");
pub const ITEM_NAMES: NameBlocks = TableDefinition::new("item_names");
pub const STOCK: TableDefinition<&str, Blob> = TableDefinition::new("stock");

pub const MEMBERS: TableDefinition<u32, Blob> = TableDefinition::new("members");
pub const MEMBER_CODES: Postings = TableDefinition::new("member_codes");
pub const MEMBER_KANA: Postings = TableDefinition::new("member_kana");
pub const MEMBER_LOOSE: Postings = TableDefinition::new("member_loose");
pub const MEMBER_PHONES: Postings = TableDefinition::new("member_phones");
pub const MEMBER_MAILS: Postings = TableDefinition::new("member_mails");
pub const MEMBER_NAMES: NameBlocks = TableDefinition::new("member_names");
/// Last visits of 512 members a row, four bytes each.
pub const MEMBER_DAYS: TableDefinition<u32, Blob> = TableDefinition::new("member_days");
pub const VISITS: TableDefinition<(u32, SaleKey), Blob> = TableDefinition::new("visits");

pub const SALES: TableDefinition<SaleKey, Blob> = TableDefinition::new("sales");
pub const SALE_BODIES: TableDefinition<SaleKey, Blob> = TableDefinition::new("sale_bodies");
/// The sale that a receipt's number stands for, or a formal receipt's.
pub const PAPERS: TableDefinition<PaperKey, SaleKey> = TableDefinition::new("papers");

/// Purchase records of tax-free sales by their number, and those of each receipt.
pub const TAX_FREE: TableDefinition<PaperKey, Blob> = TableDefinition::new("tax_free");
pub const TAX_FREE_OF: TableDefinition<(PaperKey, PaperKey), ()> =
    TableDefinition::new("tax_free_of");

/// business date, lane, epoch, number of the Z.
pub const DAYS: TableDefinition<(i32, u8, u16, u32), Blob> = TableDefinition::new("days");

/// By import: lane, epoch and seq of its first entry, while it is open.
pub const IMPORTS: TableDefinition<u128, (u8, u16, u64)> = TableDefinition::new("imports");

/// Papers asked for and not yet known to be printed, by the job's name.
pub const JOBS: TableDefinition<&str, Blob> = TableDefinition::new("jobs");

/// Holds 0 while pages of the file may still show a member that was erased, or one of an import that did
/// not come in, and 1 while rows are ahead of the journal. No projection: two stores may differ in it.
pub const ERASED: TableDefinition<u8, ()> = TableDefinition::new("erased");

/// Says something of each table, in the order of this file.
macro_rules! each_table {
    ($do:ident) => {
        $do!(
            META,
            FOLDED,
            LANES,
            ITEMS,
            ITEM_NUMBERS,
            ITEM_CASES,
            ITEM_KANA,
            ITEM_LOOSE,
            ITEM_NAMES,
            STOCK,
            MEMBERS,
            MEMBER_CODES,
            MEMBER_KANA,
            MEMBER_LOOSE,
            MEMBER_PHONES,
            MEMBER_MAILS,
            MEMBER_NAMES,
            MEMBER_DAYS,
            VISITS,
            SALES,
            SALE_BODIES,
            PAPERS,
            TAX_FREE,
            TAX_FREE_OF,
            DAYS,
            IMPORTS,
            JOBS
        )
    };
}

/// Creates the tables: a read transaction does not know a table nobody wrote to.
pub fn create_all(txn: &WriteTransaction) -> Result<(), StoreError> {
    macro_rules! open {
        ($($table:ident),*) => { $(txn.open_table($table)?;)* };
    }
    each_table!(open);
    txn.open_table(ERASED)?;
    Ok(())
}

/// Copies every row of every projection into an empty store.
pub fn copy_all(from: &Database, to: &WriteTransaction) -> Result<(), StoreError> {
    let from = from.begin_read()?;
    macro_rules! copy {
        ($($table:ident),*) => {
            $({
                let mut target = to.open_table($table)?;
                for row in from.open_table($table)?.iter()? {
                    let (key, value) = row?;
                    target.insert(key.value(), value.value())?;
                }
            })*
        };
    }
    each_table!(copy);
    Ok(())
}

/// Returns the name of the first table in which two stores differ, key by key and value by value.
pub fn first_difference(
    left: &ReadTransaction,
    right: &ReadTransaction,
) -> Result<Option<String>, StoreError> {
    use redb::TableHandle;
    macro_rules! compare {
        ($($table:ident),*) => {
            $(
                let (a, b) = (left.open_table($table)?, right.open_table($table)?);
                let mut rows = b.iter()?;
                for row in a.iter()? {
                    let row = row?;
                    let same = match rows.next().transpose()? {
                        Some(other) => {
                            row.0.value() == other.0.value() && row.1.value() == other.1.value()
                        }
                        None => false,
                    };
                    if !same {
                        return Ok(Some($table.name().to_owned()));
                    }
                }
                if rows.next().is_some() {
                    return Ok(Some($table.name().to_owned()));
                }
            )*
        };
    }
    each_table!(compare);
    Ok(None)
}
