//! A month's report, the shop taken out, and what they cost the cashier.
//!
//! Room: benches. May touch: a scratch shop.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Failure;
use crate::big_shop::{self, Month};
use crate::counter::Counter;
use crate::figure::Figure;
use crate::place::{Place, copy_folder, regi};
use crate::timing::Times;

const RUNS: u32 = 15;
/// What selling may take, and as much again.
const MOST_MB: f64 = 64.0;

pub fn measure(place: &Place) -> Result<Vec<Figure>, Failure> {
    let shop = place.scratch("report")?.join("shop");
    copy_folder(&big_shop::ready(place)?, &shop)?;
    let month = big_shop::busy_month(place)?;

    let mut alone = Times::default();
    for _ in 0..RUNS {
        alone.of(|| report(&shop, &month))?;
    }
    let (quiet, beside) = scans(&shop, &month, place.scale.rounds / 4)?;
    let peak = peak_beside_exports(&shop)?;
    Ok(vec![
        Figure::time("report sales of a month", 50.0, alone.p50() * 1e3, " ms").note(alone.words()),
        Figure::time("scan while reports run / scan", 3.0, beside.p50() / quiet.p50(), "x")
            .note(format!("{}; alone {}", beside.words(), quiet.words())),
        Figure::count(
            "memory at its most, all of the shop taken out beside it",
            MOST_MB,
            peak,
            " MB",
        ),
    ])
}

/// Returns the most memory that a register held while everything there is was taken out beside it.
fn peak_beside_exports(shop: &Path) -> Result<f64, Failure> {
    let (counter, _) = Counter::open(shop)?;
    for what in ["items", "members", "points", "sales", "lines", "journal"] {
        regi(shop, &["export", what])?;
    }
    let peak = counter.0.peak_mb()?;
    counter.0.end()?;
    Ok(peak)
}

fn report(shop: &Path, month: &Month) -> Result<String, Failure> {
    regi(shop, &["report", "sales", "--from", &month.first, "--to", &month.last])
}

/// Times scans at the counter, first alone, then while another program asks for one report after
/// another.
fn scans(shop: &Path, month: &Month, rounds: u32) -> Result<(Times, Times), Failure> {
    let (mut counter, _) = Counter::open(shop)?;
    let mut quiet = Times::default();
    for round in 0..rounds {
        quiet.add(counter.scan(1 + round)?.took);
    }
    let mut beside = Times::default();
    let over = AtomicBool::new(false);
    let asked = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                report(shop, month)?;
            }
            Ok::<(), Failure>(())
        });
        let scanned = (0..rounds).try_for_each(|round| {
            let shown = counter.scan(1 + rounds + round)?;
            beside.add(shown.took);
            Ok::<(), Failure>(())
        });
        over.store(true, Ordering::Relaxed);
        scanned.and(asking.join().expect("asking for reports does not panic"))
    });
    asked?;
    counter.0.end()?;
    Ok((quiet, beside))
}
