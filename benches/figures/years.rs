//! A shop after five years: its start after a cut with nothing in memory, its proof, and its journal
//! brought back from the second copy after one.
//!
//! Room: benches. May touch: folders under `target/`; the shops are made once and kept.

use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::Days;
use rustix::fs::{Advice, fadvise};

use crate::Failure;
use crate::big_shop::{self, Files, Trade};
use crate::counter::Counter;
use crate::figure::Figure;
use crate::goods;
use crate::people;
use crate::place::{Place, copy_folder, regi};
use crate::timing::Times;

const DAYS: u64 = 5 * 365;
const ITEMS: u32 = 2_000;
const MEMBERS: u32 = 20_000;
const STARTS: u32 = 5;

pub fn measure(place: &Place) -> Result<Vec<Figure>, Failure> {
    let dir = place.scratch("years")?;
    let five = dir.join("five");
    copy_folder(&kept(place, "five-years", DAYS, place.scale.five_years)?, &five)?;
    let sales = place.scale.five_years;
    let mut starts = Times::default();
    for round in 0..STARTS {
        let (mut cut, _) = Counter::open(&five)?;
        cut.scan(1 + round)?;
        cut.0.kill()?; // In the middle of a sale.
        forget(&five)?;
        let (mut counter, shown) = Counter::open(&five)?;
        starts.add(shown.took + counter.digit()?.took);
        counter.scan(2 + round)?;
        counter.cash()?;
        counter.0.end()?;
    }
    let began = Instant::now();
    let proved = regi(&five, &["verify"])?;
    let verified = began.elapsed().as_secs_f64();
    let first_key = starts.p50();
    Ok(vec![
        Figure::time("first key after a cut, five years, nothing cached", 2.0, first_key, " s")
            .note(format!("{sales} sales; {}", starts.words())),
        Figure::time("regi verify, five years", 30.0, verified, " s")
            .note(proved.lines().next().unwrap_or_default().to_owned()),
        from_copy(place, &dir)?,
    ])
}

/// Loses a year's journal and store, and makes them anew from the second copy.
fn from_copy(place: &Place, dir: &Path) -> Result<Figure, Failure> {
    let (shop, copy) = (dir.join("one"), dir.join("copy"));
    let sales = place.scale.sales;
    copy_folder(&kept(place, "one-year", 365, sales)?, &shop)?;
    copy_folder(&shop.join("journal"), &copy)?;
    for lost in ["journal", "store.redb"] {
        let path = shop.join(lost);
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }?;
    }
    forget(&copy)?;
    let began = Instant::now();
    let copy = copy.to_str().ok_or("a folder's name in UTF-8")?;
    regi(&shop, &["rebuild", &format!("--from-copy={copy}")])?;
    let seconds = began.elapsed().as_secs_f64();
    let what = "journal and store made anew from the second copy";
    Ok(Figure::time(what, 30.0, seconds, " s").note(format!("{sales} sales")))
}

/// Returns a shop that has sold for so many days, made now when it is not there.
fn kept(place: &Place, name: &str, days: u64, sales: u32) -> Result<PathBuf, Failure> {
    let shop = place.kept(name);
    if shop.is_dir() {
        return Ok(shop);
    }
    let (making, scratch) = (place.scratch("making-years")?, place.scratch("settings")?);
    let files = Files { members: scratch.join("members.csv"), items: scratch.join("items.csv") };
    people::write_members(&files.members, MEMBERS)?;
    goods::write_items(&files.items, ITEMS)?;
    let last = big_shop::yesterday();
    big_shop::import(&making, &scratch, &files, last - Days::new(days))?;
    big_shop::sell(&making, Trade { days, sales, items: ITEMS, members: MEMBERS }, last)?;
    std::fs::rename(&making, &shop)?;
    Ok(shop)
}

/// Gives up what the system keeps in memory of a folder's files, as after a cut.
fn forget(dir: &Path) -> Result<(), Failure> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            forget(&path)?;
        } else if let Ok(file) = std::fs::File::open(&path) {
            file.sync_all()?; // Only what is on the disk can be given up.
            fadvise(&file, 0, None, Advice::DontNeed)?;
        }
    }
    Ok(())
}
