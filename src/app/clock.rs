//! The only place that reads the clock, and the only one that makes chance.
//!
//! Room: app. May touch: the system clock, the kernel's random source.

use chrono::{DateTime, FixedOffset, Offset};

use crate::domain::entry::Clock as ClockSource;
use crate::domain::register::Now;
use crate::domain::words::Words;

/// Where time comes from: the system, or a moment given on the command line.
#[derive(Debug, Clone, Copy)]
pub enum Time {
    /// In the zone of this machine, whose offset may change while the register runs.
    System,
    Given(Now),
}

impl Time {
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

    /// Milliseconds of UTC, without a look at the zone, which costs more than the clock.
    #[allow(clippy::disallowed_methods)] // The one room that may.
    pub fn utc_ms(self) -> i64 {
        match self {
            Self::Given(now) => now.utc_ms,
            Self::System => chrono::Utc::now().timestamp_millis(),
        }
    }

    #[allow(clippy::disallowed_methods)] // As above.
    pub fn now(self) -> Now {
        match self {
            Self::Given(now) => now,
            Self::System => {
                let here = chrono::Local::now();
                let offset_minutes = here.offset().fix().local_minus_utc() / 60;
                Now {
                    utc_ms: here.timestamp_millis(),
                    offset_minutes: i16::try_from(offset_minutes).unwrap_or(540),
                    clock: ClockSource::System,
                }
            }
        }
    }
}

/// The least that counts as a jump; less is a clock being kept right.
const JUMP_MS: i64 = 60_000;

/// A clock that moved by a minute or more against the time that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// What the clock should have said, UTC ms.
    pub from_ms: i64,
    /// What it says.
    pub to_ms: i64,
}

impl Jump {
    fn between(from_ms: i64, to_ms: i64) -> Option<Self> {
        (to_ms.saturating_sub(from_ms).saturating_abs() >= JUMP_MS)
            .then_some(Self { from_ms, to_ms })
    }

    /// Says what happened, in times of the counter.
    pub fn told(self, words: &Words, now: Now) -> String {
        let told = |utc_ms| {
            let at = Now { utc_ms, ..now };
            let (hour, minute) = at.clock_time();
            format!("{} {hour:02}:{minute:02}", at.day().format("%Y-%m-%d"))
        };
        let (from, to) = (told(self.from_ms), told(self.to_ms));
        words.fill("notice.clock_jumped", &[("from", &from), ("to", &to)])
    }

    /// Returns the jump of a clock that stands before the last entry that it wrote itself. How long a
    /// register was closed nobody knows, so that a start sees jumps back only.
    pub fn since((last_ms, clock): (i64, ClockSource), now: Now) -> Option<Self> {
        let both_own = clock == ClockSource::System && now.clock == ClockSource::System;
        Self::between(last_ms, now.utc_ms).filter(|jump| both_own && jump.to_ms < jump.from_ms)
    }
}

/// Holds the clock against the time since the machine started, which nobody sets. What many small
/// steps add up to is a jump, too.
#[derive(Debug, Clone, Copy)]
pub struct ClockWatch {
    wall_ms: i64,
    up_ms: u64,
}

impl ClockWatch {
    pub const fn begin(wall_ms: i64, up_ms: u64) -> Self {
        Self { wall_ms, up_ms }
    }

    /// Returns the jump since the last one, and goes on from where the clock stands now.
    pub fn look(&mut self, wall_ms: i64, up_ms: u64) -> Option<Jump> {
        let passed = i64::try_from(up_ms.saturating_sub(self.up_ms)).unwrap_or(i64::MAX);
        let jump = Jump::between(self.wall_ms.saturating_add(passed), wall_ms)?;
        *self = Self::begin(wall_ms, up_ms);
        Some(jump)
    }
}

/// Milliseconds since the machine started, those it slept included.
pub fn uptime_ms() -> u64 {
    let up = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(up.tv_sec * 1000 + up.tv_nsec / 1_000_000).unwrap_or(0)
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

    fn at(utc_ms: i64) -> Now {
        Now { utc_ms, offset_minutes: 540, clock: ClockSource::System }
    }

    #[test]
    fn a_clock_that_goes_with_the_time_does_not_jump_and_small_steps_add_up() {
        let mut watch = ClockWatch::begin(1_000_000, 500);
        for (wall, up, jump) in [
            (1_000_900, 1_400, None),
            (1_060_900, 1_500, None),                         // 59.9 s ahead
            (1_061_100, 1_600, Some((1_001_100, 1_061_100))), // exactly a minute
            (1_061_200, 1_700, None),
            (0, 1_800, Some((1_061_300, 0))), // 1970
            (4_600_000, 4_601_800, None),     // an hour and more asleep, both went on
        ] {
            let want = jump.map(|(from_ms, to_ms)| Jump { from_ms, to_ms });
            assert_eq!(watch.look(wall, up), want, "{wall}");
        }
    }

    #[test]
    fn a_start_sees_a_clock_before_the_last_entry() {
        let last = (10_000_000, ClockSource::System);
        assert_eq!(Jump::since(last, at(9_950_000)), None);
        let jump = Jump { from_ms: 10_000_000, to_ms: 9_940_000 };
        assert_eq!(Jump::since(last, at(9_940_000)), Some(jump));
        assert_eq!(Jump::since(last, at(99_999_999)), None, "closed over the night");
        assert_eq!(Jump::since((10_000_000, ClockSource::Given), at(0)), None);
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
