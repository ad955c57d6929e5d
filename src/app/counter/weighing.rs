//! Goods by weight: the scale is asked when they are scanned, and what it says is keyed as `times`.
//!
//! Room: app. May touch: the scale's handle, the lines that wait. Decides nothing about selling.
//! Invariant: a weight belongs to the code that asked for it, and to no later one; whatever staff do
//! meanwhile ends the asking.

use std::io::Write;

use rust_decimal::Decimal;

use super::Counter;
use super::lines::{From, Line};
use crate::app::event::Event;
use crate::app::inbox::EventSender;
use crate::app::lane_config::ScaleConfig;
use crate::devices::scale::{self, Milligrams, ScaleFault, ScaleHandle};
use crate::devices::sound::Signal;
use crate::domain::item::Item;
use crate::domain::quantity::Quantity;
use crate::domain::refusal::Refusal;
use crate::domain::register::Lookup;

/// The scale, and the code it is asked for.
#[derive(Default)]
pub(super) struct Weighing {
    scale: Option<ScaleHandle>,
    op: u64,
    /// The line that waits for its weight.
    line: Option<String>,
}

impl Weighing {
    pub(super) fn start(config: Option<&ScaleConfig>, events: &EventSender) -> Self {
        let settings = config.and_then(|config| config.settings().ok());
        let events = events.clone();
        let tell = move |op, weight| drop(events.send(Event::Weighed(op, weight)));
        let scale = settings.and_then(|settings| scale::start(settings, tell).ok());
        Self { scale, ..Self::default() }
    }
}

impl<W: Write> Counter<W> {
    /// Asks the scale where goods by weight were scanned without one; returns whether it did.
    pub(super) fn weigh_instead(&mut self, line: &str, refusal: Option<&Refusal>) -> bool {
        self.weighing.line = None; // Another act: a weight on its way is for something else.
        let wanted = refusal.is_some_and(|refusal| refusal.sentence == "weight_needed");
        let Some(scale) = self.weighing.scale.as_ref().filter(|_| wanted) else { return false };
        let container = self.container_of(line);
        self.weighing.op += 1;
        scale.ask(self.weighing.op, container);
        self.weighing.line = Some(line.to_owned());
        self.picture.say("notice.weighing", &self.engine.words);
        true
    }

    fn container_of(&self, line: &str) -> Milligrams {
        let code = self.item_of(line).map(|item| item.code).unwrap_or_default();
        let scale = self.engine.config.scale.as_ref();
        scale.map(|scale| scale.container(&code)).unwrap_or_default()
    }

    fn item_of(&self, line: &str) -> Option<Item> {
        let code = line.strip_prefix("scan ").unwrap_or_default().trim().trim_matches('"');
        let found = self.engine.shop.reader().item(code).ok().flatten();
        found.map(|found| found.item)
    }

    pub(super) fn weighed(&mut self, op: u64, weight: Result<Milligrams, ScaleFault>) {
        if op != self.weighing.op {
            return;
        }
        let Some(line) = self.weighing.line.take() else { return };
        match weight {
            Ok(weight) => self.ring_weight(&line, weight),
            Err(fault) => {
                self.picture.say_refusal(fault_key(fault), &self.engine.words);
                self.sound.play(Signal::Refused);
            }
        }
    }

    /// Keys the weight in the goods' own unit, and the code again.
    fn ring_weight(&mut self, line: &str, weight: Milligrams) {
        let Some(grams) = self.item_of(line).and_then(|item| item.unit.grams()) else {
            return self.picture.say_refusal("scale.garbled", &self.engine.words);
        };
        let unit = Decimal::from(grams) * Decimal::ONE_THOUSAND;
        let quantity = Quantity::new(Decimal::from(weight.0) / unit);
        for text in [format!("times {quantity}"), line.to_owned()] {
            self.lines.push_back(Line { text, from: From::Screens });
        }
        self.work();
    }
}

fn fault_key(fault: ScaleFault) -> &'static str {
    match fault {
        ScaleFault::Unstable => "scale.unstable",
        ScaleFault::Overload => "scale.overload",
        ScaleFault::Negative => "scale.negative",
        ScaleFault::Empty => "scale.empty",
        ScaleFault::Garbled => "scale.garbled",
        ScaleFault::NoAnswer | ScaleFault::Line(_) => "scale.no_answer",
    }
}
