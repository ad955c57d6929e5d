//! From `exec` to the first key that is taken.
//!
//! Room: benches. May touch: scratch shops.
//! A start is over when a digit typed at the first screen is on it: hello, sample shop, big shop,
//! and the big shop after a SIGKILL, in turns. The first tender waits for the year's chain, which is
//! checked meanwhile: the sale closed says when that was done.

use std::path::Path;
use std::time::Instant;

use crate::Failure;
use crate::big_shop;
use crate::counter::{Counter, Hello};
use crate::figure::Figure;
use crate::place::{Place, REGI, copy_folder};
use crate::timing::Times;

pub fn measure(place: &Place) -> Result<Vec<Figure>, Failure> {
    let dir = place.scratch("start")?;
    let (demo_dir, big_dir) = (dir.join("demo"), dir.join("big"));
    big_shop::make_demo(Path::new(REGI), &demo_dir, &dir, 200)?;
    copy_folder(&big_shop::ready(place)?, &big_dir)?;

    let mut starts: [Times; 4] = Default::default();
    let mut sold = Times::default();
    for round in 0..place.scale.starts {
        let (mut hello, shown) = Hello::open()?;
        starts[0].add(shown.took + hello.digit()?.took);
        hello.0.kill()?;

        let (mut demo, shown) = Counter::open(&demo_dir)?;
        starts[1].add(shown.took + demo.digit()?.took);
        demo.0.end()?;

        let (mut big, shown) = Counter::open(&big_dir)?;
        starts[2].add(shown.took + big.digit()?.took);
        big.scan(1 + round)?;
        big.cash()?;
        big.scan(2 + round)?;
        big.0.kill()?; // In the middle of a sale, one closed and not folded durably.

        let began = Instant::now();
        let (mut cut, shown) = Counter::open(&big_dir)?;
        starts[3].add(shown.took + cut.digit()?.took);
        cut.scan(3 + round)?;
        cut.cash()?;
        sold.add(began.elapsed());
        cut.0.end()?;
    }
    let (chain, records) = big_shop::check_chain(&big_dir)?;
    let mut figures = figures(&starts);
    let sold_at =
        Figure::time("exec to a sale closed after SIGKILL, big shop", 3.0, sold.p50(), " s");
    figures.push(
        sold_at.note(format!("{}; {records} entries, by themselves {chain:.2} s", sold.words())),
    );
    Ok(figures)
}

fn figures([hello, demo, big, cut]: &[Times; 4]) -> Vec<Figure> {
    let ratio = |name, most, times: &Times| {
        let note = format!("{}; hello {}", times.words(), hello.words());
        Figure::time(name, most, times.p50() / hello.p50(), "x").note(note)
    };
    vec![
        ratio("first key, sample shop / hello", 3.0, demo),
        ratio("first key, big shop / hello", 10.0, big),
        ratio("first key, big shop after SIGKILL / hello", 10.0, cut),
    ]
}
