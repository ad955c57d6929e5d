//! Labels: goods and members found, their labels made and sent to the label printer.
//!
//! Room: app. May touch: the store's reader, the printers.
//! Invariant: every code is found before the first label is printed; what is sent is sent once.

use std::time::Duration;

use crossbeam_channel::unbounded;
use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::lane_config::LabelConfig;
use super::opening::profiles;
use super::spool::MOST_WAITING;
use crate::devices::label::{self, LabelLanguage};
use crate::devices::printer::dialogue::{Manner, Patience};
use crate::devices::printer::{self, Address, Job, JobKind, PrinterEvent, Submitted};
use crate::devices::profile::{Profile, Status};
use crate::devices::render;
use crate::domain::code::in_store::{Holds, quantity_of};
use crate::domain::item::Item;
use crate::domain::label::Label;
use crate::domain::money::Money;
use crate::domain::quantity::{Quantity, UnitPrice, extend_price};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::register::Lookup;
use crate::domain::tax::{TaxClass, TaxMode, convert};
use crate::domain::text;
use crate::domain::words::Words;
use crate::reports::labels::{LabelPrice, Weighed, item_label, member_card, shelf_label};
use crate::reports::letterhead::Letterhead;

/// How long a label printer may be silent before the labels are given up.
const PATIENCE: Duration = Duration::from_secs(15);
/// Most labels in one go.
const MOST_LABELS: usize = 2_000;

/// Which labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelOrder {
    pub what: LabelWhat,
    pub codes: Vec<String>,
    /// All goods of a department, beside the codes.
    pub department: Option<u16>,
    pub copies: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LabelWhat {
    Shelf,
    Items(LabelValue),
    Members,
}

/// What an in-store label holds beside its item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LabelValue {
    #[default]
    OfFile,
    Price(Money),
    Grams(u32),
}

/// Makes the labels of an order.
///
/// # Errors
/// The first code that has no label, and why.
pub fn make(engine: &Engine, order: &LabelOrder) -> Result<Vec<Label>, Refusal> {
    let letterhead =
        Letterhead { settings: &engine.register.settings, words: engine.paper_words() };
    let reader = engine.shop.reader();
    if order.what == LabelWhat::Members {
        let members = order.codes.iter().map(|code| {
            let member = reader.member(code)?.ok_or_else(|| {
                Refusal::new(RefusalCode::NoMember)
                    .saying("unknown_member")
                    .with("code", text::cleaned(code))
            })?;
            Ok(member_card(&letterhead, &member.code, &member.personal.name))
        });
        return members.collect();
    }
    let found = order.codes.iter().map(|code| {
        let found = reader.item(code)?;
        let unknown = || Refusal::new(RefusalCode::UnknownCode).with("code", text::cleaned(code));
        Ok(found.ok_or_else(unknown)?.item)
    });
    let mut items: Vec<Item> = found.collect::<Result<_, Refusal>>()?;
    if let Some(department) = order.department {
        reader.each_item(|item| {
            if item.department == department {
                items.push(item);
            }
            Ok(())
        })?;
    }
    if let (Some(department), true) = (order.department, items.is_empty()) {
        let refusal = Refusal::new(RefusalCode::UnknownCode).saying("no_goods_there");
        return Err(refusal.with("department", department));
    }
    if items.len() > MOST_LABELS {
        return Err(Refusal::new(RefusalCode::Over)
            .saying("too_many_labels")
            .with("count", items.len())
            .with("most", MOST_LABELS));
    }
    items.iter().map(|item| label_of(engine, &letterhead, order.what, item)).collect()
}

fn label_of(
    engine: &Engine,
    letterhead: &Letterhead<'_>,
    what: LabelWhat,
    item: &Item,
) -> Result<Label, Refusal> {
    let of_file = || price(engine, item, rounded(engine, item.price, Quantity::ONE)?);
    let value = match what {
        LabelWhat::Shelf | LabelWhat::Members => {
            return Ok(shelf_label(letterhead, item, of_file()?));
        }
        LabelWhat::Items(value) => value,
    };
    let (amount, weighed) = match value {
        LabelValue::OfFile => {
            let weighed = Weighed::default();
            return Ok(item_label(letterhead, item, of_file()?, weighed, &item.code));
        }
        LabelValue::Price(amount) => (amount, Weighed::default()),
        LabelValue::Grams(grams) => {
            let unit = item.unit.grams().ok_or_else(|| no_layout(item))?;
            let quantity = quantity_of(grams, unit).ok_or_else(|| no_layout(item))?;
            (rounded(engine, item.price, quantity)?, Weighed { grams: Some(grams) })
        }
    };
    let code = in_store(engine, item, amount, weighed).ok_or_else(|| no_layout(item))?;
    Ok(item_label(letterhead, item, price(engine, item, amount)?, weighed, &code))
}

fn no_layout(item: &Item) -> Refusal {
    Refusal::new(RefusalCode::BadArgument)
        .saying("no_label_layout")
        .with("name", &item.name)
        .with("code", &item.code)
}

/// The digits of a price or weight label, by the shop's own layouts.
fn in_store(engine: &Engine, item: &Item, amount: Money, weighed: Weighed) -> Option<String> {
    let rules = engine.register.settings.in_store.iter();
    rules.filter(|rule| item.code.starts_with(&rule.prefix)).find_map(|rule| {
        let value = match rule.layout.holds() {
            Holds::Weight => weighed.grams?,
            Holds::Nothing => return None,
            Holds::Price => u32::try_from(amount.minor()).ok()?,
        };
        rule.build(item.code.get(rule.prefix.len()..)?, value)
    })
}

fn rounded(engine: &Engine, price: UnitPrice, quantity: Quantity) -> Result<Money, Refusal> {
    let rounding = engine.register.settings.tax.price_rounding;
    extend_price(quantity, price, rounding).ok_or_else(|| RefusalCode::Over.into())
}

/// A price with its tax, and without where it has one.
fn price(engine: &Engine, item: &Item, amount: Money) -> Result<LabelPrice, Refusal> {
    let settings = &engine.register.settings;
    let class: Option<TaxClass> = engine.register.class_of(item).parse().ok();
    let row = class.and_then(|class| settings.tax_classes.on(&class, engine.now().day()).cloned());
    let rate = row.and_then(|row| row.rate);
    let Some(rate) = rate else { return Ok(LabelPrice { included: amount, excluded: None }) };
    let mode = item.price_mode.unwrap_or(settings.tax.price_mode);
    let to = |wanted| {
        convert(amount, rate, mode, wanted, settings.tax.price_rounding)
            .ok_or_else(|| Refusal::from(RefusalCode::Over))
    };
    Ok(LabelPrice { included: to(TaxMode::Included)?, excluded: Some(to(TaxMode::Excluded)?) })
}

/// Labels made, for a printer of their own.
pub struct Batch {
    address: Address,
    profile: Profile,
    bytes: Vec<u8>,
}

/// Makes the label printer's job; `None` where the lane has none, and the receipt printer prints them.
fn batch(engine: &Engine, labels: &[Label], copies: u16) -> Result<Option<Batch>, Refusal> {
    let Some(config) = &engine.config.label else { return Ok(None) };
    let profile = profile(engine, config)?;
    let paper = config.paper();
    let bytes =
        labels.iter().flat_map(|one| match label::render(one, &paper, config.language, copies) {
            Some(bytes) => bytes,
            None => {
                let paper = render::render(&label::document(one), &profile, None).bytes;
                paper.repeat(usize::from(copies))
            }
        });
    let bytes = bytes.collect();
    let address: Address =
        config.address.parse().map_err(|_| Refusal::from(RefusalCode::Device))?;
    Ok(Some(Batch { address: address.within(&engine.dir), profile, bytes }))
}

/// Sends labels to the lane's label printer, or to its receipt printer where it has none, and waits
/// until they have left.
///
/// # Errors
/// `device` when the printer does not take them.
pub fn print(engine: &mut Engine, labels: &[Label], copies: u16) -> Result<(), Refusal> {
    let copies = copies.clamp(1, label::MOST_COPIES);
    if let Some(batch) = batch(engine, labels, copies)? {
        return batch.send();
    }
    let documents: Vec<_> = labels.iter().map(label::document).collect();
    for document in documents.iter().flat_map(|one| vec![one; usize::from(copies)]) {
        engine.spool.print_loose("label", document);
        engine.spool.drain(PATIENCE);
    }
    let stuck = engine.spool.waiting() > 0 || engine.spool.trouble().is_some();
    if stuck { Err(RefusalCode::Device.into()) } else { Ok(()) }
}

/// Makes the labels another program orders while staff sell: what is said once they are sent, and the
/// batch for a printer of their own. Without one they stand in line behind the receipts already.
///
/// # Errors
/// The first code that has no label, and why; more labels than the receipt printer takes at once.
pub fn prepare(
    engine: &mut Engine,
    order: &LabelOrder,
) -> Result<(String, Option<Batch>), Refusal> {
    let copies = order.copies.clamp(1, label::MOST_COPIES);
    let labels = make(engine, order)?;
    let batch = batch(engine, &labels, copies)?;
    if batch.is_none() {
        in_line(engine, &labels, copies)?;
    }
    Ok((sent_words(labels.len(), copies, &engine.words), batch))
}

/// Puts labels in line behind the receipts, where there is room for them.
fn in_line(engine: &mut Engine, labels: &[Label], copies: u16) -> Result<(), Refusal> {
    let count = labels.len() * usize::from(copies);
    let room = MOST_WAITING.saturating_sub(engine.spool.waiting());
    if count > room {
        return Err(Refusal::new(RefusalCode::Over)
            .saying("too_many_labels")
            .with("count", count)
            .with("most", room));
    }
    for document in labels.iter().map(label::document) {
        (0..copies).for_each(|_| engine.spool.print_loose("label", &document));
    }
    Ok(())
}

/// What is said once labels are sent.
pub fn sent_words(count: usize, copies: u16, words: &Words) -> String {
    words.fill("cli.labels_sent", &[("count", &count), ("copies", &copies)])
}

fn profile(engine: &Engine, config: &LabelConfig) -> Result<Profile, Refusal> {
    let device = || Refusal::from(RefusalCode::Device);
    let profiles = profiles(&engine.dir).map_err(|_| device())?;
    let profile = profiles.get(&config.profile).cloned().ok_or_else(device)?;
    // Label languages have answers of their own, which are not asked for.
    let silent = config.language != LabelLanguage::Escpos;
    Ok(if silent {
        Profile { status: Status::None, process_id: false, ..profile }
    } else {
        profile
    })
}

impl Batch {
    /// Sends it, and waits until it has left.
    ///
    /// # Errors
    /// `device` when the printer does not take it.
    pub fn send(self) -> Result<(), Refusal> {
        let device = || Refusal::from(RefusalCode::Device);
        let (tell, told) = unbounded(); // Bounded by the one job.
        let tell = move |event| drop(tell.send(event));
        let manner = Manner::from(&self.profile);
        let printer = printer::start(self.address, manner, Patience::default(), tell)
            .map_err(|_| device())?;
        let (name, bytes) = ("labels".to_owned(), self.bytes);
        if printer.submit(Job { id: 1, name, bytes, kind: JobKind::Paper }) != Submitted::Taken {
            return Err(device());
        }
        loop {
            match told.recv_timeout(PATIENCE) {
                Ok(PrinterEvent::Done { .. }) => return Ok(()),
                Ok(PrinterEvent::NotSent { .. } | PrinterEvent::Uncertain { .. }) | Err(_) => {
                    return Err(device());
                }
                Ok(_) => {}
            }
        }
    }
}
