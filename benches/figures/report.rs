//! A month's report, and what it costs the cashier.
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

pub fn measure(place: &Place) -> Result<Vec<Figure>, Failure> {
    let shop = place.scratch("report")?.join("shop");
    copy_folder(&big_shop::ready(place)?, &shop)?;
    let month = big_shop::busy_month(place)?;

    let mut alone = Times::default();
    for _ in 0..RUNS {
        alone.of(|| report(&shop, &month))?;
    }
    let (quiet, beside) = scans(&shop, &month, place.scale.rounds / 4)?;
    Ok(vec![
        Figure::time("report sales of a month", 50.0, alone.p50() * 1e3, " ms").note(alone.words()),
        Figure::time("scan while reports run / scan", 3.0, beside.p50() / quiet.p50(), "x")
            .note(format!("{}; alone {}", beside.words(), quiet.words())),
    ])
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
