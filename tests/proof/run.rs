//! How much a proof is asked for, from where chance starts, and what it comes to.
//!
//! Room: tests. May touch: nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A promise and how it is proved.
pub struct Proof {
    pub name: &'static str,
    /// What it says to the shop, in one line.
    pub promise: &'static str,
    /// Counts what it looked at; a broken promise panics with what was found.
    pub prove: fn(&Run) -> Figures,
}

impl Proof {
    /// No words mean every proof; a word means those whose name holds it, as in any test run.
    pub fn is_meant_by(&self, words: &[String]) -> bool {
        words.is_empty() || words.iter().any(|word| self.name.contains(word.as_str()))
    }
}

/// How far a proof goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// A few seconds, unoptimised: what `cargo test` runs.
    Short,
    /// What every change must pass.
    Ci,
    /// The whole figure, at night.
    Full,
}

impl Extent {
    /// The word that asks for it, with the blank before it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Short => "",
            Self::Ci => " --ci",
            Self::Full => " --full",
        }
    }
}

/// What one run is asked for.
#[derive(Debug)]
pub struct Run {
    pub extent: Extent,
    pub seed: u64,
    /// Only this case, told step by step.
    pub case: Option<u64>,
    /// Only these cases: a figure of several nights, walked a night at a time.
    part: Option<Range<u64>>,
    /// The case that was begun last, for the words of a failure.
    at: AtomicU64,
}

impl Run {
    const SEED: u64 = 2026;

    /// Reads the words after `--`; flags of the usual test runner are passed over.
    pub fn from_words(words: impl Iterator<Item = String>) -> Result<(Self, Vec<String>), String> {
        let mut run = Self {
            extent: Extent::Short,
            seed: Self::SEED,
            case: None,
            part: None,
            at: AtomicU64::new(0),
        };
        let mut names = Vec::new();
        let mut words = words;
        while let Some(word) = words.next() {
            match word.as_str() {
                "--ci" => run.extent = Extent::Ci,
                "--full" => run.extent = Extent::Full,
                "--seed" => run.seed = number(&word, words.next())?,
                "--case" => run.case = Some(number(&word, words.next())?),
                "--cases" => run.part = Some(range(&word, words.next())?),
                flag if flag.starts_with("--") => {}
                _ => names.push(word),
            }
        }
        Ok((run, names))
    }

    /// Picks the figure of this run's extent.
    pub fn of(&self, short: u64, ci: u64, full: u64) -> u64 {
        match self.extent {
            Extent::Short => short,
            Extent::Ci => ci,
            Extent::Full => full,
        }
    }

    /// Returns the cases to walk: all of `0..count`, or those of them that are asked for.
    pub fn cases(&self, count: u64) -> impl Iterator<Item = u64> {
        self.asked(count).inspect(|case| self.at.store(*case, Ordering::Relaxed))
    }

    /// Returns how many cases of `count` are walked.
    pub fn walked(&self, count: u64) -> u64 {
        let asked = self.asked(count);
        asked.end - asked.start
    }

    /// Whether no case is left out.
    pub fn is_whole(&self) -> bool {
        self.case.is_none() && self.part.is_none()
    }

    fn asked(&self, count: u64) -> Range<u64> {
        match (self.case, &self.part) {
            (Some(case), _) => case..case + 1,
            (None, Some(part)) => part.start.min(count)..part.end.min(count),
            (None, None) => 0..count,
        }
    }

    /// Walks the cases with several at work at once; one that fails is the one that is named.
    pub fn side_by_side(&self, count: u64, workers: usize, prove: impl Fn(u64) + Sync) {
        let Range { start, end } = self.asked(count);
        let next = AtomicU64::new(start);
        let work = || {
            loop {
                let case = next.fetch_add(1, Ordering::Relaxed);
                if case >= end {
                    return;
                }
                if let Err(broken) = catch_unwind(AssertUnwindSafe(|| prove(case))) {
                    next.store(end, Ordering::Relaxed); // The others finish theirs and stop.
                    println!("  case {case} does not hold");
                    self.at.store(case, Ordering::Relaxed);
                    resume_unwind(broken);
                }
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                worker.join().unwrap_or_else(|broken| resume_unwind(broken));
            }
        });
    }

    /// Whether seconds, unoptimised, must do.
    pub fn is_short(&self) -> bool {
        self.extent == Extent::Short
    }

    /// Walks the cases on all cores, counting what they look at.
    pub fn in_parallel(&self, count: u64, prove: impl Fn(u64, &Tally) + Sync) -> Tally {
        let tally = Tally::default();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.side_by_side(count, cores, |case| prove(case, &tally));
        tally
    }

    /// Returns the case that was begun last.
    pub fn at(&self) -> u64 {
        self.at.load(Ordering::Relaxed)
    }

    /// Says a step of the one case that is replayed.
    pub fn tell(&self, step: impl fmt::Display) {
        if self.case.is_some() {
            println!("    {step}");
        }
    }

    /// Returns the chance of one case, the same for the same seed.
    pub fn chance(&self, case: u64) -> Chance {
        Chance::new(self.seed ^ case.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

fn number(flag: &str, word: Option<String>) -> Result<u64, String> {
    word.and_then(|word| word.parse().ok()).ok_or_else(|| format!("{flag} takes a whole number"))
}

fn range(flag: &str, word: Option<String>) -> Result<Range<u64>, String> {
    let read = word.as_deref().and_then(|word| {
        let (from, to) = word.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    read.filter(|part| part.start < part.end).ok_or_else(|| format!("{flag} takes FROM..TO"))
}

/// A small generator (xorshift64*), so that a printed seed repeats the case.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Returns a number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 33) % bound
    }
}

/// What several threads count together.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn add(&self, of_what: &'static str, count: u64) {
        *self.counts().entry(of_what).or_default() += count;
    }

    /// Keeps the largest.
    pub fn most(&self, of_what: &'static str, value: u64) {
        let mut counts = self.counts();
        let known = counts.entry(of_what).or_default();
        *known = value.max(*known);
    }

    /// Returns these counts in this order; what was never counted is 0.
    pub fn figures(&self, names: &[&'static str]) -> Figures {
        let counts = self.counts();
        names.iter().fold(Figures::default(), |figures, name| {
            figures.and(counts.get(name).copied().unwrap_or(0), name)
        })
    }
}

/// What was counted, in the order it is read.
#[derive(Debug, Clone, Default)]
pub struct Figures(Vec<(u64, &'static str)>);

impl Figures {
    #[must_use]
    pub fn and(mut self, count: u64, of_what: &'static str) -> Self {
        self.0.push((count, of_what));
        self
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (count, of_what)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{count} {of_what}")?;
        }
        Ok(())
    }
}
