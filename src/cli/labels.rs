//! `regi labels`: shelf labels, item labels, member cards.
//!
//! Room: cli. May touch: app.

use super::arguments::LabelsWhat;
use super::deeds::{Here, open_or_reach, through};
use super::exit::Exit;
use super::said::{Said, say};
use crate::app::aside::Task;
use crate::app::labels::{LabelOrder, LabelValue, LabelWhat, make, print, sent_words};
use crate::app::opening::Options;
use crate::domain::money::Money;
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
    let said = match open_or_reach(options, words)? {
        Here::Opened(mut engine) => {
            let printed = make(&engine, &order).and_then(|labels| {
                print(&mut engine, &labels, order.copies)?;
                Ok(sent_words(labels.len(), order.copies, words))
            });
            engine.shop.close();
            printed.map_err(|refusal| Said::refusal(&refusal, words))?
        }
        Here::Running(mut client) => through(&mut client, Task::Labels(order), words)?.document,
    };
    say(&said);
    Ok(Exit::Done)
}
