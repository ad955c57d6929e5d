//! The peer: SQLite as a careful till would use it, on the same data and the same disk.
//!
//! Room: benches. May touch: one database file.
//! WAL and `synchronous=FULL`, prepared statements, integer keys, the indexes a till needs; an
//! import goes in first and is indexed after, which is SQLite's quickest way.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::{Connection, Statement, TransactionBehavior, params};

use crate::Failure;

/// A sale as the peer keeps it: lines are item, amount.
#[derive(Debug, Clone)]
pub struct PeerSale {
    pub id: i64,
    pub at: i64,
    pub member: i64,
    pub lines: Vec<(i64, i64)>,
}

impl PeerSale {
    fn total(&self) -> i64 {
        self.lines.iter().map(|(_, amount)| amount).sum()
    }

    /// What its journal row keeps of it: about as much as one entry of ours.
    fn body(&self) -> String {
        let line = |(item, amount): &(i64, i64)| {
            format!("{{\"item\":{item},\"amount\":{amount},\"name\":\"{LINE_NAME}\",\"tax\":8}}")
        };
        let lines: Vec<String> = self.lines.iter().map(line).collect();
        let Self { id, at, member, .. } = self;
        format!("{{\"id\":{id},\"at\":{at},\"member\":{member},\"lines\":[{}]}}", lines.join(","))
    }
}

const LINE_NAME: &str = "緑茶 500ml 北海道限定";

const SALES_SCHEMA: &str = "
create table receipts(id integer primary key, at int not null, lane int not null,
  staff int not null, member int, total int not null, state int not null);
create index receipts_at on receipts(at);
create index receipts_member on receipts(member, at);
create table lines(receipt int not null, line int not null, item int not null, qty int not null,
  price int not null, amount int not null, tax int not null, name text not null, at int not null,
  primary key(receipt, line));
create index lines_item on lines(item, at);
create table payments(receipt int not null, n int not null, kind int not null,
  amount int not null, tendered int not null, primary key(receipt, n));
create table points(receipt integer primary key, member int not null, at int not null,
  delta int not null);
create index points_member on points(member, at);
create table journal(id integer primary key, at int not null, body text not null);
";

const MEMBERS_SCHEMA: &str = "
create table members(id integer primary key, code text not null, name text not null,
  kana text not null, phone text, mail text, postcode text, address text, sex text, birthday text,
  rank text, points int, joined text, note text, tags text);
create table items(id integer primary key, code text not null, name text not null,
  kana text not null, receipt_name text, department int, price int not null, tax_class text,
  unit text, flags text, cost int, stock int);
";

const MEMBERS_INDEXES: &str = "
create unique index members_code on members(code);
create index members_phone4 on members(substr(phone, -4));
create index members_kana on members(kana);
create index members_mail on members(mail);
create unique index items_code on items(code);
create index items_kana on items(kana);
";

const PARTS_INDEX: &str = "
create virtual table members_parts using fts5(name, kana, content='members', content_rowid='id',
  tokenize='trigram');
insert into members_parts(members_parts) values('rebuild');
";

pub struct Peer {
    db: Connection,
}

impl Peer {
    pub fn create(path: &Path) -> Result<Self, Failure> {
        for suffix in ["", "-wal", "-shm"] {
            remove(&PathBuf::from(format!("{}{suffix}", path.display())))?;
        }
        let peer = Self::open(path)?;
        peer.db.execute_batch(SALES_SCHEMA)?;
        peer.db.execute_batch(MEMBERS_SCHEMA)?;
        Ok(peer)
    }

    pub fn open(path: &Path) -> Result<Self, Failure> {
        let db = Connection::open(path)?;
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "synchronous", "full")?;
        db.set_prepared_statement_cache_capacity(32);
        Ok(Self { db })
    }

    /// Makes one sale durable.
    pub fn sell(&mut self, sale: &PeerSale) -> Result<(), Failure> {
        let txn = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert(&txn, sale)?;
        Ok(txn.commit()?)
    }

    /// Puts sales in without the figures looking: those of the year so far.
    pub fn fill(&mut self, sales: impl Iterator<Item = PeerSale>) -> Result<(), Failure> {
        let txn = self.db.transaction()?;
        for sale in sales {
            insert(&txn, &sale)?;
        }
        txn.commit()?;
        self.checkpoint()
    }

    /// Imports members and items, then indexes them, then makes all of it durable.
    pub fn import(&mut self, members: &Path, items: &Path) -> Result<(), Failure> {
        let txn = self.db.transaction()?;
        rows(&mut txn.prepare(&inserting("members", 14))?, members, 14)?;
        rows(&mut txn.prepare(&inserting("items", 11))?, items, 11)?;
        txn.commit()?;
        self.db.execute_batch(MEMBERS_INDEXES)?;
        self.checkpoint()
    }

    /// The same for one master by SQLite's own program as it is installed, which is what a shop's helper would
    /// type, and how the figures that regi is held to were measured: `.import`, then the indexes.
    pub fn import_typed(path: &Path, master: &str, csv: &Path) -> Result<(), Failure> {
        let of_it = |sql: &str| -> String {
            let (named, indexed) = (format!("table {master}("), format!(" on {master}("));
            let statements = sql.split_inclusive(';');
            let own = statements.filter(|text| text.contains(&named) || text.contains(&indexed));
            own.collect::<String>().replace("id integer primary key, ", "")
        };
        let script = format!(
            "pragma journal_mode=wal;\npragma synchronous=full;\n{}\n\
             .import --csv --skip 1 \"{}\" {master}\n{}\npragma wal_checkpoint(truncate);\n",
            of_it(MEMBERS_SCHEMA),
            csv.display(),
            of_it(MEMBERS_INDEXES),
        );
        let mut sqlite = Command::new("sqlite3");
        sqlite.arg(path).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut typed = sqlite.spawn().map_err(|error| format!("the peer `sqlite3`: {error}"))?;
        typed.stdin.take().ok_or("no way in")?.write_all(script.as_bytes())?;
        match typed.wait()?.success() {
            true => Ok(()),
            false => Err("sqlite3 did not import".into()),
        }
    }

    /// Indexes the parts of members' names, as regi's import does on its way.
    pub fn index_parts(&self) -> Result<(), Failure> {
        self.db.execute_batch(PARTS_INDEX)?;
        self.checkpoint()
    }

    fn checkpoint(&self) -> Result<(), Failure> {
        Ok(self.db.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?)
    }

    /// A question, prepared once: by one text, answered with whole rows of a table.
    pub fn question(&self, sql: &str) -> Result<Question<'_>, Failure> {
        let statement = self.db.prepare(sql)?;
        let columns = statement.column_count();
        Ok(Question { statement, columns })
    }
}

pub struct Question<'db> {
    statement: Statement<'db>,
    columns: usize,
}

impl Question<'_> {
    /// Asks, copies every column of every row out as a program would, and returns how many rows.
    pub fn ask(&mut self, text: &str) -> Result<usize, Failure> {
        let mut rows = self.statement.query([text])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            for column in 0..self.columns {
                std::hint::black_box(row.get::<_, rusqlite::types::Value>(column)?);
            }
            count += 1;
        }
        Ok(count)
    }
}

fn insert(db: &Connection, sale: &PeerSale) -> Result<(), Failure> {
    let PeerSale { id, at, member, .. } = *sale;
    let total = sale.total();
    let put = |sql: &str| db.prepare_cached(sql);
    put("insert into receipts values(?,?,1,3,?,?,0)")?.execute(params![id, at, member, total])?;
    for (line, (item, amount)) in (1_i64..).zip(&sale.lines) {
        put("insert into lines values(?,?,?,1,?,?,8,?,?)")?
            .execute(params![id, line, item, amount, amount, LINE_NAME, at])?;
    }
    put("insert into payments values(?,0,1,?,?)")?.execute(params![id, total, total])?;
    put("insert into points values(?,?,?,?)")?.execute(params![id, member, at, total / 100])?;
    put("insert into journal values(?,?,?)")?.execute(params![id, at, sale.body()])?;
    Ok(())
}

/// `insert` with a place for each CSV column, the row's own number left to SQLite.
fn inserting(table: &str, columns: usize) -> String {
    format!("insert into {table} values(null{})", ",?".repeat(columns))
}

fn rows(statement: &mut Statement<'_>, path: &Path, columns: usize) -> Result<(), Failure> {
    let mut reader =
        csv::ReaderBuilder::new().buffer_capacity(1 << 20).from_reader(File::open(path)?);
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row)? {
        for column in 0..columns {
            statement.raw_bind_parameter(column + 1, &row[column])?;
        }
        statement.raw_execute()?;
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
