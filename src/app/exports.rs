//! Taking the shop's data out: the same columns that come in.
//!
//! Room: app. May touch: the store's reader, exchange, a file the asking program made. Changes nothing.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::Sender;
use serde::{Deserialize, Serialize};

use super::books::Books;
use super::engine::Engine;
use super::reply::Reply;
use crate::domain::member::Member;
use crate::domain::points;
use crate::domain::quantity::Rate;
use crate::domain::refusal::Refusal;
use crate::domain::register::Now;
use crate::domain::settings::Settings;
use crate::domain::words::Words;
use crate::exchange::bookkeeping::Slip;
use crate::exchange::bookkeeping::freee::freee_out;
use crate::exchange::bookkeeping::moneyforward::moneyforward_out;
use crate::exchange::bookkeeping::yayoi::yayoi_out;
use crate::exchange::csv_out::{OutEncoding, Written};
use crate::exchange::journal_out::journal_out;
use crate::exchange::masters_out::{items_out, members_out, points_out};
use crate::exchange::sales_out::{lines_out, rates, sales_out};
use crate::exchange::shop_text::shop_text;
use crate::store::fault::StoreError;
use crate::store::store_reader::StoreReader;

/// What may be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    Shop,
    Items,
    Members,
    Points,
    Sales,
    Lines,
    Journal,
    /// Slips of the closed days for an accounting program.
    Yayoi,
    Freee,
    MoneyForward,
}

impl What {
    /// What whoever reads the file expects.
    pub const fn usual_encoding(self) -> OutEncoding {
        match self {
            Self::Yayoi => OutEncoding::Cp932,
            Self::Freee | Self::MoneyForward => OutEncoding::Utf8Bom,
            _ => OutEncoding::Utf8,
        }
    }
}

/// One export: what, of which business dates (inclusive; they matter to sales, lines and slips), and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub what: What,
    pub from: i32,
    pub to: i32,
    pub encoding: OutEncoding,
}

/// An export asked of a running register, into a file that the asking program has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileOrder {
    pub order: Order,
    pub file: PathBuf,
}

/// What an export reads. The lane sells on meanwhile.
pub struct Source {
    shop: Arc<Books>,
    settings: Arc<Settings>,
    now: Now,
}

impl Source {
    pub fn of(engine: &Engine) -> Self {
        let settings = Arc::clone(&engine.register.settings);
        Self { shop: Arc::clone(&engine.shop), settings, now: engine.now() }
    }

    /// Writes an export beside the counter, on a thread of its own, and answers when it is done.
    pub fn write_aside(self, asked: FileOrder, words: Words, answer: Sender<Reply>) {
        let begun = std::thread::Builder::new().name("export".to_owned()).spawn(move || {
            let reply = match self.write_file(&asked) {
                Ok(written) => {
                    Reply { report: serde_json::to_value(written).ok(), ..Reply::done("export") }
                }
                Err(ExportError::Refused(refusal)) => {
                    Reply::refused("export", refusal.code.word(), words.refusal(&refusal))
                }
                Err(ExportError::Write(error)) => {
                    Reply::refused("export", "device", error.to_string())
                }
            };
            let _ = answer.send(reply); // A client that left wants none.
        });
        drop(begun); // Without a thread the answer's end is dropped, and the client told so.
    }

    fn write_file(&self, asked: &FileOrder) -> Result<Written, ExportError> {
        // Never made here: only what the asking program owns is written.
        let file = OpenOptions::new().write(true).truncate(true).open(&asked.file)?;
        let mut out = BufWriter::new(file);
        export(self, &asked.order, &mut out)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{0}")]
    Write(#[from] io::Error),
    #[error("{0}")]
    Refused(#[from] Refusal),
}

/// What is read row by row is written row by row: an answer of the writer comes back through the reader.
impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::File(error) => Self::Write(error),
            error => Self::Refused(error.into()),
        }
    }
}

/// Writes an export, to its last byte, with one row of it in memory.
///
/// # Errors
/// Those of the writer, or `damaged` when the store cannot be read.
pub fn export(source: &Source, order: &Order, mut out: impl Write) -> Result<Written, ExportError> {
    let Order { what, encoding, .. } = *order;
    let reader = source.shop.reader();
    let (today, expiry) = (source.now.day(), source.settings.points.expiry());
    let balance = |member: &Member| points::balance(&member.ledger, today, expiry);
    Ok(match what {
        What::Shop => {
            out.write_all(shop_text(&source.settings).as_bytes())?;
            out.flush()?;
            Written::default()
        }
        What::Items => items_out(out, encoding, |row| {
            reader.each_item(|mut item| {
                item.stock = reader.stock(&item.code)?.or(item.stock);
                Ok(row(item)?)
            })
        })?,
        What::Points => points_out(out, encoding, |row| {
            reader.each_member(|member| {
                let balance = balance(&member);
                Ok(row((member.code, balance))?)
            })
        })?,
        What::Members => {
            let own = own_fields(reader)?;
            members_out(out, encoding, &own, |row| {
                reader.each_member(|member| {
                    let balance = balance(&member);
                    Ok(row((member, balance))?)
                })
            })?
        }
        What::Sales => {
            let rates = printed_rates(reader, order)?;
            sales_out(out, encoding, &rates, |row| {
                reader.each_sale(order.from, order.to, |stored| Ok(row(stored)?))
            })?
        }
        What::Lines => lines_out(out, encoding, |row| {
            reader.each_sale(order.from, order.to, |stored| Ok(row(stored)?))
        })?,
        What::Journal => journal_out(out, encoding, |row| {
            source.shop.entries()?.try_for_each(|entry| Ok::<_, StoreError>(row(entry?)?))
        })?,
        What::Yayoi => yayoi_out(out, encoding, &slips(source, order)?)?,
        What::Freee => freee_out(out, encoding, &slips(source, order)?)?,
        What::MoneyForward => moneyforward_out(out, encoding, &slips(source, order)?)?,
    })
}

/// The fields of the shop's own that some member has.
fn own_fields(reader: &StoreReader) -> Result<BTreeSet<String>, StoreError> {
    let mut own = BTreeSet::new();
    reader.each_member(|member| {
        own.extend(member.personal.own.into_keys());
        Ok(())
    })?;
    Ok(own)
}

/// The rates that some sale of an order printed.
fn printed_rates(reader: &StoreReader, order: &Order) -> Result<BTreeSet<Rate>, StoreError> {
    let mut printed = BTreeSet::new();
    reader.each_sale(order.from, order.to, |stored| {
        printed.extend(rates(&stored.sale));
        Ok(())
    })?;
    Ok(printed)
}

fn slips(source: &Source, order: &Order) -> Result<Vec<Slip>, Refusal> {
    let days = source.shop.reader().days(order.from, order.to)?;
    let slips = days.iter().map(|day| Slip::of(&day.totals, &day.closing));
    slips.filter_map(Result::transpose).collect()
}
