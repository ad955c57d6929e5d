//! What the shop's own codes are, and what a date on a label takes off: card patterns, near dates.
//!
//! Room: domain. May touch: serde.
//! Invariant: a card is never taken for goods, nor for a label or another card; of two rules for a date
//! the one with fewer days holds.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::Settings;
use super::applying::bad;
use crate::domain::code::card::CardPart;
use crate::domain::code::{CardPattern, InStoreRule};
use crate::domain::quantity::Rate;
use crate::domain::refusal::{Refusal, RefusalCode};

/// The most kinds of cards a shop has.
const MOST_CARDS: usize = 50;
/// The most rules for a date.
const MOST_NEAR_DATES: usize = 20;
/// The most days ahead a date is near.
const MOST_DAYS: u16 = 365;

/// Goods with so many days left, or fewer, cost less. Stands in journals as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearDate {
    /// Days from today to the last day on the label; 0 is that day.
    pub days: u16,
    #[serde(deserialize_with = "percent")]
    pub percent: Rate,
}

/// Returns what comes off goods with so many days left, by the tightest of the rules that hold.
pub fn near_date_percent(rules: &[NearDate], days_left: i64) -> Option<Rate> {
    let holds = |rule: &&NearDate| (0..=i64::from(rule.days)).contains(&days_left);
    rules.iter().filter(holds).min_by_key(|rule| rule.days).map(|rule| rule.percent)
}

/// Reads `30` as well as `"30"` from a file; a journal holds the text.
fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rate, D::Error> {
    struct Percent;

    impl de::Visitor<'_> for Percent {
        type Value = Rate;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a percentage")
        }

        fn visit_i64<E: de::Error>(self, whole: i64) -> Result<Rate, E> {
            Ok(whole.into())
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Rate, E> {
            text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }

    match deserializer.is_human_readable() {
        true => deserializer.deserialize_any(Percent),
        false => Rate::deserialize(deserializer),
    }
}

/// A change of what the shop's codes are: absent means unchanged, present replaces all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodesPatch {
    pub card: Option<Vec<CardPattern>>,
    pub near_date: Option<Vec<NearDate>>,
}

impl CodesPatch {
    /// Applies to `settings`, or names the first pattern or rule that does not fit and changes nothing.
    ///
    /// # Errors
    /// `bad_argument` with the setting, the value and the table's place in the file, from 1.
    pub fn apply(&self, settings: &mut Settings) -> Result<(), Refusal> {
        let cards = self.card.as_deref().map(|cards| fitting_cards(cards, &settings.in_store));
        let cards = cards.transpose()?;
        let dates = self.near_date.as_deref().map(fitting_dates).transpose()?;
        settings.cards = cards.unwrap_or_else(|| std::mem::take(&mut settings.cards));
        settings.near_dates = dates.unwrap_or_else(|| std::mem::take(&mut settings.near_dates));
        Ok(())
    }
}

/// Holds the cards that the shop has set against the labels it has now.
///
/// # Errors
/// `bad_argument` with the label that would be read in a card's place.
pub(super) fn cards_beside_labels(settings: &Settings) -> Result<(), Refusal> {
    if settings.cards == [CardPattern::default()] {
        return Ok(()); // As shipped, not the shop's word: its labels go before.
    }
    let hidden = |card: &&CardPattern| settings.in_store.iter().any(|rule| card.is_label(rule));
    match settings.cards.iter().find(hidden) {
        Some(card) => Err(card_refusal("card_is_label", card, "in_store.prefix", &card.prefix)),
        None => Ok(()),
    }
}

fn fitting_cards(
    given: &[CardPattern],
    labels: &[InStoreRule],
) -> Result<Vec<CardPattern>, Refusal> {
    if given.len() > MOST_CARDS {
        return Err(bad("card", given.len()).with("place", MOST_CARDS + 1));
    }
    let mut cards: Vec<CardPattern> = Vec::with_capacity(given.len());
    for (place, card) in (1..).zip(given) {
        let refused = fitting_card(card, &cards, labels);
        refused.map_err(|refusal| refusal.with("place", place))?;
        cards.push(CardPattern { prefix: card.prefix.to_ascii_uppercase(), ..card.clone() });
    }
    Ok(cards)
}

fn fitting_card(
    card: &CardPattern,
    others: &[CardPattern],
    labels: &[InStoreRule],
) -> Result<(), Refusal> {
    if let Some(part) = card.impossible() {
        return Err(match part {
            CardPart::Length => bad("card.length", card.length),
            CardPart::Prefix => bad("card.prefix", &card.prefix),
            CardPart::Check => bad("card.check", card.check.word()),
            CardPart::Strip => bad("card.strip", card.strip.word()),
        });
    }
    let refused = |sentence| card_refusal(sentence, card, "card.prefix", &card.prefix);
    if card.swallows_goods() && card.prefix.is_empty() {
        Err(refused("card_needs_prefix"))
    } else if card.swallows_goods() {
        Err(refused("card_swallows_goods"))
    } else if others.iter().any(|other| card.collides(other)) {
        Err(refused("card_twice"))
    } else if labels.iter().any(|rule| card.is_label(rule)) {
        Err(refused("card_is_label"))
    } else {
        Ok(())
    }
}

fn card_refusal(
    sentence: &'static str,
    card: &CardPattern,
    setting: &'static str,
    value: &str,
) -> Refusal {
    Refusal::new(RefusalCode::BadArgument)
        .saying(sentence)
        .with("setting", setting)
        .with("value", value)
        .with("length", card.length)
}

fn fitting_dates(given: &[NearDate]) -> Result<Vec<NearDate>, Refusal> {
    if given.len() > MOST_NEAR_DATES {
        return Err(bad("near_date", given.len()).with("place", MOST_NEAR_DATES + 1));
    }
    let mut rules: Vec<NearDate> = Vec::with_capacity(given.len());
    for (place, rule) in (1..).zip(given) {
        let is_second = rules.iter().any(|other| other.days == rule.days);
        if rule.days > MOST_DAYS || is_second {
            return Err(bad("near_date.days", rule.days).with("place", place));
        }
        if rule.percent <= Rate::ZERO || rule.percent > 100.into() {
            return Err(bad("near_date.percent", rule.percent).with("place", place));
        }
        rules.push(*rule);
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::card::{CardCheck, Charset, Strip};
    use crate::domain::code::in_store::Layout;

    fn rule(days: u16, percent: i64) -> NearDate {
        NearDate { days, percent: percent.into() }
    }

    #[test]
    fn the_tightest_rule_that_holds_wins() {
        let rules = [rule(3, 10), rule(0, 50), rule(1, 30)];
        for (left, want) in
            [(-1, None), (0, Some(50)), (1, Some(30)), (2, Some(10)), (3, Some(10)), (4, None)]
        {
            assert_eq!(near_date_percent(&rules, left), want.map(Rate::from), "{left}");
        }
        assert_eq!(near_date_percent(&[], 0), None);
    }

    fn card(prefix: &str, length: usize) -> CardPattern {
        CardPattern { prefix: prefix.into(), length, check: CardCheck::None, ..<_>::default() }
    }

    fn told(patch: &CodesPatch, settings: &mut Settings) -> String {
        let before = settings.clone();
        match patch.apply(settings) {
            Ok(()) => "fits".to_owned(),
            Err(refusal) => {
                assert_eq!(*settings, before, "a patch that does not fit changes nothing");
                let said = |name| {
                    let argument = refusal.args.iter().find(|(known, _)| *known == name);
                    argument.map_or("", |(_, value)| value.as_str())
                };
                let told = [refusal.sentence, said("setting"), said("value"), said("place")];
                told.join(" ").trim().to_owned()
            }
        }
    }

    #[test]
    fn cards_that_nothing_else_is_replace_those_before() {
        let label = |prefix: &str| InStoreRule {
            prefix: prefix.into(),
            layout: Layout::E,
            price_mode: None,
            verify_pcd: true,
        };
        let nw7 = CardPattern {
            prefix: "a".into(),
            length: 8,
            charset: Charset::Nw7,
            check: CardCheck::Mod16,
            strip: Strip::StartStop,
        };
        for (cards, want) in [
            (vec![], "fits"),
            (vec![card("29", 13), nw7.clone(), card("77", 8)], "fits"),
            (vec![nw7.clone(), card("", 13)], "card_needs_prefix card.prefix  2"),
            (vec![card("49", 8)], "card_swallows_goods card.prefix 49 1"),
            (vec![card("77", 8), nw7, card("77", 8)], "card_twice card.prefix 77 3"),
            (vec![card("22", 13)], "card_is_label card.prefix 22 1"),
            (vec![card("2212", 13)], "fits"),
            (vec![card("29", 2)], "bad_setting card.length 2 1"),
            (vec![card("X9", 13)], "bad_setting card.prefix X9 1"),
            (
                vec![CardPattern { check: CardCheck::Mod16, ..card("29", 13) }],
                "bad_setting card.check mod16 1",
            ),
            (
                vec![CardPattern { strip: Strip::StartStop, ..card("29", 13) }],
                "bad_setting card.strip start_stop 1",
            ),
            (vec![card("77", 8); 51], "bad_setting card 51 51"),
        ] {
            let mut settings = Settings { in_store: vec![label("22")], ..Settings::default() };
            let patch = CodesPatch { card: Some(cards.clone()), near_date: None };
            assert_eq!(told(&patch, &mut settings), want, "{cards:?}");
            let kept = if want == "fits" { cards.len() } else { 1 };
            assert_eq!(settings.cards.len(), kept);
            assert!(settings.cards.iter().all(|card| card.prefix != "a"), "{:?}", settings.cards);
        }
    }

    #[test]
    fn cards_as_shipped_stand_beside_any_label() {
        let label = InStoreRule {
            prefix: "29".into(),
            layout: Layout::E,
            price_mode: None,
            verify_pcd: true,
        };
        let mut settings = Settings { in_store: vec![label], ..Settings::default() };
        assert_eq!(cards_beside_labels(&settings), Ok(()));
        settings.cards = vec![card("29", 13)];
        assert_eq!(cards_beside_labels(&settings).unwrap_err().sentence, "card_is_label");
    }

    #[test]
    fn a_date_has_one_rule() {
        for (rules, want) in [
            (vec![rule(0, 50), rule(1, 30), rule(365, 1)], "fits"),
            (vec![], "fits"),
            (vec![rule(1, 30), rule(1, 50)], "bad_setting near_date.days 1 2"),
            (vec![rule(366, 30)], "bad_setting near_date.days 366 1"),
            (vec![rule(1, 0)], "bad_setting near_date.percent 0 1"),
            (vec![rule(1, 100)], "fits"),
            (vec![rule(0, 1), rule(1, 101)], "bad_setting near_date.percent 101 2"),
        ] {
            let patch = CodesPatch { card: None, near_date: Some(rules) };
            assert_eq!(told(&patch, &mut Settings::default()), want);
        }
    }
}
