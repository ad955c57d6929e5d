//! Taking the shop's data out: the same columns that come in.
//!
//! Room: app. May touch: the store's reader, exchange. Changes nothing.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::engine::Engine;
use crate::domain::points;
use crate::domain::refusal::Refusal;
use crate::domain::register::StoredSale;
use crate::exchange::csv_out::{OutEncoding, Written};
use crate::exchange::journal_out::journal_out;
use crate::exchange::masters_out::{items_out, members_out, points_out};
use crate::exchange::sales_out::{lines_out, rates, sales_out};
use crate::exchange::shop_text::shop_text;

/// What may be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Shop,
    Items,
    Members,
    Points,
    Sales,
    Lines,
    Journal,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{0}")]
    Write(#[from] io::Error),
    #[error("{0}")]
    Refused(#[from] Refusal),
}

/// Writes an export; the dates are business dates, inclusive, and matter to sales and lines.
///
/// # Errors
/// Those of the writer, or `damaged` when the store cannot be read.
pub fn export(
    engine: &Engine,
    what: What,
    (from, to): (i32, i32),
    encoding: OutEncoding,
    mut out: impl Write,
) -> Result<Written, ExportError> {
    let reader = engine.shop.reader();
    Ok(match what {
        What::Shop => {
            out.write_all(shop_text(&engine.register.settings).as_bytes())?;
            Written::default()
        }
        What::Items => {
            let mut items = Vec::new();
            reader
                .each_item(|mut item| {
                    item.stock = reader.stock(&item.code)?.or(item.stock);
                    items.push(item);
                    Ok(())
                })
                .map_err(Refusal::from)?;
            items_out(out, encoding, items)?
        }
        What::Members | What::Points => {
            let today = engine.now().day();
            let months = engine.register.settings.points.expires_months;
            let mut members = Vec::new();
            reader
                .each_member(|member| {
                    let balance = points::balance(&member.ledger, today, months);
                    members.push((member, balance));
                    Ok(())
                })
                .map_err(Refusal::from)?;
            if what == What::Points {
                let balances = members.into_iter().map(|(member, balance)| (member.code, balance));
                points_out(out, encoding, balances)?
            } else {
                let own: BTreeSet<String> = members
                    .iter()
                    .flat_map(|(member, _)| member.personal.own.keys().cloned())
                    .collect();
                members_out(out, encoding, &own, members)?
            }
        }
        What::Sales => {
            let sales = sales(engine, from, to)?;
            let rates = rates(sales.iter().map(|stored| &stored.sale));
            sales_out(out, encoding, &rates, sales)?
        }
        What::Lines => lines_out(out, encoding, sales(engine, from, to)?)?,
        What::Journal => journal_out(out, encoding, engine.shop.entries().map_err(Refusal::from)?)?,
    })
}

fn sales(engine: &Engine, from: i32, to: i32) -> Result<Vec<StoredSale>, Refusal> {
    let mut sales = Vec::new();
    engine.shop.reader().each_sale(from, to, |stored| {
        sales.push(stored);
        Ok(())
    })?;
    Ok(sales)
}
