//! `regi labels`: shelf labels, item labels, member cards.
//!
//! Room: cli. May touch: app.

use super::arguments::LabelsWhat;
use super::deeds::open_here;
use super::exit::Exit;
use super::said::{Said, say};
use crate::app::labels::{LabelOrder, LabelValue, LabelWhat, make, print};
use crate::app::opening::Options;
use crate::domain::money::Money;
use crate::domain::refusal::RefusalCode;
use crate::domain::words::Words;

/// What the command line gave.
pub struct Given {
    pub what: LabelsWhat,
    pub codes: Vec<String>,
    pub department: Option<u16>,
    pub price: Option<u32>,
    pub grams: Option<u32>,
    pub copies: u16,
}

pub fn labels(options: &Options, given: Given, words: &Words) -> Result<Exit, Said> {
    let value = match (given.price, given.grams) {
        (Some(price), _) => LabelValue::Price(Money::new(price.into())),
        (None, Some(grams)) => LabelValue::Grams(grams),
        (None, None) => LabelValue::OfFile,
    };
    let what = match given.what {
        LabelsWhat::Shelf => LabelWhat::Shelf,
        LabelsWhat::Items => LabelWhat::Items(value),
        LabelsWhat::Members => LabelWhat::Members,
    };
    if given.codes.is_empty() && given.department.is_none() {
        return Err(Said::usage(words.fill("cli.usage", &[("what", &"CODE")])));
    }
    let order =
        LabelOrder { what, codes: given.codes, department: given.department, copies: given.copies };
    let mut engine = open_here(options, words)?;
    let printed = make(&engine, &order)
        .and_then(|labels| print(&mut engine, &labels, order.copies).map(|()| labels.len()));
    engine.shop.close();
    match printed {
        Ok(count) => {
            say(&words.fill("cli.labels_sent", &[("count", &count), ("copies", &order.copies)]));
            Ok(Exit::Done)
        }
        Err(refusal) if refusal.code == RefusalCode::Device => {
            Err(Said { text: words.refusal(&refusal), exit: Exit::Device })
        }
        Err(refusal) => Err(Said::refusal(&refusal, words)),
    }
}
