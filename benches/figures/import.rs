//! Bringing a whole shop over: a million members, a hundred thousand goods.
//!
//! Room: benches. May touch: scratch folders, the `sqlite3` that is installed.
//! Ours is sealed, indexed, in the journal and synced when the command returns; the peer's rows are
//! plain, and indexed after they are in, which is its quickest way. The peer is SQLite's own program, as
//! `performance.md` measured it (`perf/sql`), and, sterner, a program of its own that hands SQLite each
//! row through a prepared statement. Ours find any part of a name too; the peer's do with its trigrams,
//! built last.

use crate::figure::Figure;
use crate::peer::Peer;
use crate::place::Place;
use crate::timing::Times;
use crate::{Failure, big_shop};

pub fn measure(place: &Place) -> Result<Vec<Figure>, Failure> {
    let csv = big_shop::files(place)?;
    let [mut members, mut items, mut typed_members, mut typed_items] = <[Times; 4]>::default();
    let [mut theirs, mut parts] = <[Times; 2]>::default();
    for _ in 0..place.scale.imports {
        let dir = place.scratch("import")?;
        let (shop, eve) = (dir.join("shop"), big_shop::yesterday());
        big_shop::begin(&shop, &dir, eve)?;
        let typed =
            |master, csv| Peer::import_typed(&dir.join(format!("{master}.db")), master, csv);
        items.of(|| big_shop::bring(&shop, "items", &csv.items, eve))?;
        typed_items.of(|| typed("items", &csv.items))?;
        members.of(|| big_shop::bring(&shop, "members", &csv.members, eve))?;
        typed_members.of(|| typed("members", &csv.members))?;
        let mut peer = Peer::create(&dir.join("peer.db"))?;
        theirs.of(|| peer.import(&csv.members, &csv.items))?;
        parts.of(|| peer.index_parts())?;
    }
    place.scratch("import")?; // Half a gigabyte that nobody needs any more.
    let figure = |name, ours: f64, theirs: f64| {
        let note = format!("{ours:.2} s; SQLite {theirs:.2} s");
        Figure::time(name, 1.0, ours / theirs, "x").note(note)
    };
    let (both, theirs) = (members.p50() + items.p50(), theirs.p50());
    Ok(vec![
        figure(
            "members / SQLite .import, then index (goal 0.6)",
            members.p50(),
            typed_members.p50(),
        ),
        figure("items / SQLite .import, then index (goal 0.6)", items.p50(), typed_items.p50()),
        figure("both, where a program hands SQLite its rows", both, theirs),
        figure("and SQLite finds parts of names, too (FTS5)", both, theirs + parts.p50()),
    ])
}
