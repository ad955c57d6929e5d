//! What a sale costs the disk: syncs, bytes, and the time of its commit beside the floor and SQLite.
//!
//! Room: benches. May touch: a scratch shop, a scratch peer.

use std::path::Path;

use crate::Failure;
use crate::big_shop;
use crate::disk::Syncs;
use crate::figure::Figure;
use crate::floor::AppendFloor;
use crate::goods;
use crate::lane::{Lane, moment};
use crate::peer::{Peer, PeerSale};
use crate::people::Dice;
use crate::place::{Place, REGI, copy_folder};
use crate::playing::Playing;
use crate::timing::Times;

/// Sales that are counted and timed.
const SALES: u32 = 1_000;
const LINES: u32 = 5;

pub fn measure(place: &Place) -> Result<Vec<Figure>, Failure> {
    let dir = place.scratch("sale")?;
    let shop = dir.join("shop");
    copy_folder(&big_shop::ready(place)?, &shop)?;
    let mut figures = commits(place, &dir, &shop)?;
    figures.push(bytes_in_all(place, &shop)?);
    Ok(figures)
}

/// What one commit came to.
#[derive(Default)]
struct Commits {
    ours: Times,
    theirs: Times,
    most_syncs: u64,
    most_bytes: u64,
    bytes: u64,
}

fn commits(place: &Place, dir: &Path, shop: &Path) -> Result<Vec<Figure>, Failure> {
    let mut lane = Lane::open(shop, Syncs::Real)?;
    lane.shop.keep_room(); // As the counter does.
    let mut floor = AppendFloor::begin(dir)?;
    let mut peer = Peer::create(&dir.join("peer.db"))?;
    let mut dice = Dice::new(3);
    let items = place.scale.items;
    let year = i64::from(place.scale.sales);
    peer.fill((0..year).map(|id| peer_sale(&mut dice, id, items)))?;

    let mut commits = Commits::default();
    let now = moment(noon_today());
    let before = lane.files.counts();
    for sale in 0..SALES {
        floor.append()?;
        our_sale(&mut lane, &mut commits, &mut dice, items, now)?;
        let sale = peer_sale(&mut dice, year + i64::from(sale), items);
        commits.theirs.of(|| peer.sell(&sale))?;
    }
    let files = lane.files.clone();
    lane.close(now)?;
    commits.bytes = files.counts().since(before).bytes;
    Ok(figures(&commits, &floor.times))
}

/// Rings a sale up and times its tender from the decision to the entry on disk.
fn our_sale(
    lane: &mut Lane,
    commits: &mut Commits,
    dice: &mut Dice,
    items: u32,
    now: regi::domain::register::Now,
) -> Result<(), Failure> {
    for _ in 0..LINES {
        lane.give(&format!("scan {}", goods::jan(1 + dice.below(items))), now)?;
    }
    // A pause as a cashier makes it: what the last sale left to fold is folded.
    // And room that was made behind it stands: the journal's thread answers, with nothing to do.
    lane.shop.reader().wait_folded(lane.shop.journal().head().seq)?;
    lane.shop.retry_open()?;
    let applied = lane.begin("tender_cash", now)?;
    let drafts = lane.drafts(&applied);
    let (files, before) = (lane.files.clone(), lane.files.counts());
    let (tell, told) = std::sync::mpsc::channel();
    let written = commits.ours.of(|| {
        // Counted as the answer goes out: what the thread does after it holds nobody up.
        lane.shop.begin(&drafts, now, move |posted| {
            let _ = tell.send((posted, files.counts().since(before)));
        })?;
        Ok::<_, Failure>(told.recv()?)
    });
    let (posted, took) = written?;
    commits.most_syncs = commits.most_syncs.max(took.syncs);
    commits.most_bytes = commits.most_bytes.max(took.bytes);
    lane.accept(applied, &posted?.entries)
}

fn peer_sale(dice: &mut Dice, id: i64, items: u32) -> PeerSale {
    let line = |_| {
        let item = 1 + dice.below(items);
        (i64::from(item), i64::from(goods::price(item)))
    };
    let lines = (0..LINES).map(line).collect();
    PeerSale { id, at: 1_700_000_000 + id * 40, member: i64::from(dice.below(1_000_000)), lines }
}

/// The middle of today in Japan; the last Z was yesterday.
#[allow(clippy::disallowed_methods, reason = "the benches have no app to ask for the time")]
fn noon_today() -> i64 {
    let midnight = chrono::Utc::now().date_naive().and_time(chrono::NaiveTime::MIN);
    midnight.and_utc().timestamp_millis() + 3 * 3_600_000
}

fn figures(commits: &Commits, floor: &Times) -> Vec<Figure> {
    let Commits { ours, theirs, .. } = commits;
    let kilobytes = |bytes: u64| bytes as f64 / 1024.0;
    vec![
        Figure::count(
            "syncs between tender and answer, at most",
            1.0,
            commits.most_syncs as f64,
            "",
        ),
        Figure::count(
            "bytes between tender and answer, at most",
            8.0,
            kilobytes(commits.most_bytes),
            " KB",
        ),
        Figure::count(
            "bytes for a sale of 5 lines, store and cart included",
            40.0,
            kilobytes(commits.bytes) / f64::from(SALES),
            " KB",
        ),
        Figure::time("commit p50 / append p50", 1.3, ours.p50() / floor.p50(), "x").note(format!(
            "{}; append {}",
            ours.words(),
            floor.words()
        )),
        Figure::time("commit p99 / append p99", 2.0, ours.p99() / floor.p99(), "x"),
        Figure::time(
            "commit p50 / SQLite's (1.5 times ahead)",
            1.0 / 1.5,
            ours.p50() / theirs.p50(),
            "x",
        )
        .note(format!("SQLite {}", theirs.words())),
    ]
}

/// The whole program, its printing included: everything `regi run` hands to `write` for sales of 5
/// lines, less the answers it writes to us.
fn bytes_in_all(place: &Place, shop: &Path) -> Result<Figure, Failure> {
    let mut program = Playing::start(Path::new(REGI), shop)?;
    program.give(&format!("scan {}", goods::jan(1)))?;
    program.give("void_sale")?;
    let mut dice = Dice::new(4);
    let before = program.written()?;
    for _ in 0..SALES {
        for _ in 0..LINES {
            program.give(&format!("scan {}", goods::jan(1 + dice.below(place.scale.items))))?;
        }
        program.give("tender_cash")?;
    }
    let bytes = program.written()? - before;
    program.end()?;
    let kilobytes = bytes as f64 / 1024.0 / f64::from(SALES);
    Ok(Figure::count("bytes for a sale of 5 lines, printing included", 40.0, kilobytes, " KB"))
}
