//! The only place that reads the clock, and the only one that makes chance.
//!
//! Room: app. May touch: the system clock, the kernel's random source.

use chrono::{DateTime, FixedOffset, Offset};

use crate::domain::entry::Clock as ClockSource;
use crate::domain::register::Now;

/// Where time comes from: the system, or a moment given on the command line.
#[derive(Debug, Clone, Copy)]
pub enum Time {
    System { offset_minutes: i16 },
    Given(Now),
}

impl Time {
    /// The system's clock, in the zone of this machine.
    #[allow(clippy::disallowed_methods)] // The one room that may.
    pub fn system() -> Self {
        let here = chrono::Local::now();
        let offset_minutes = here.offset().fix().local_minus_utc() / 60;
        Self::System { offset_minutes: i16::try_from(offset_minutes).unwrap_or(540) }
    }

    /// Reads `2026-11-22T10:23:00+09:00`.
    pub fn given(text: &str) -> Option<Self> {
        let at: DateTime<FixedOffset> = DateTime::parse_from_rfc3339(text).ok()?;
        let offset_minutes = i16::try_from(at.offset().local_minus_utc() / 60).ok()?;
        Some(Self::Given(Now {
            utc_ms: at.timestamp_millis(),
            offset_minutes,
            clock: ClockSource::Given,
        }))
    }

    #[allow(clippy::disallowed_methods)] // The one room that may.
    pub fn now(self) -> Now {
        match self {
            Self::Given(now) => now,
            Self::System { offset_minutes } => Now {
                utc_ms: chrono::Utc::now().timestamp_millis(),
                offset_minutes,
                clock: ClockSource::System,
            },
        }
    }
}

/// Ids for sales and imports: from the kernel, or repeatable from a seed.
#[derive(Debug, Clone, Copy)]
pub enum Chance {
    Kernel,
    /// SplitMix64 from a seed (`--seed`).
    Seeded(u64),
}

impl Chance {
    /// Returns 128 bits that were never returned before; `head` is the last entry of the journal. A
    /// seed given to two runs of a shop repeats no id, or the open sale of the second would pass
    /// for the closed one of the first.
    pub fn id(&mut self, head: u64) -> u128 {
        match self {
            Self::Kernel => {
                let mut bytes = [0; 16];
                getrandom::fill(&mut bytes).expect("the kernel's random source");
                u128::from_le_bytes(bytes)
            }
            Self::Seeded(state) => {
                let mut own = split_mix(state) ^ head;
                (u128::from(split_mix(&mut own)) << 64) | u128::from(split_mix(&mut own))
            }
        }
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_time_is_read_with_its_offset() {
        let Some(Time::Given(now)) = Time::given("2026-11-22T10:23:00+09:00") else {
            panic!("a given time");
        };
        assert_eq!((now.utc_ms, now.offset_minutes), (1_795_310_580_000, 540));
        assert!(Time::given("2026-11-22").is_none());
    }

    #[test]
    fn a_seed_repeats_only_where_the_journal_stands_the_same() {
        let ids = |head| {
            let mut chance = Chance::Seeded(7);
            [chance.id(head), chance.id(head), chance.id(head)]
        };
        assert_eq!(ids(5), ids(5));
        assert!(ids(5).iter().all(|id| !ids(6).contains(id)));
        assert_ne!(ids(5)[0], ids(5)[1]);
        assert_ne!(Chance::Kernel.id(5), Chance::Kernel.id(5));
    }
}
