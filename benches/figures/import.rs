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
    let [mut ours, mut typed, mut theirs, mut parts] = <[Times; 4]>::default();
    for _ in 0..place.scale.imports {
        let dir = place.scratch("import")?;
        let eve = big_shop::yesterday();
        ours.of(|| big_shop::import(&dir.join("shop"), &dir, &csv, eve))?;
        typed.of(|| Peer::import_typed(&dir.join("typed.db"), &csv.members, &csv.items))?;
        let mut peer = Peer::create(&dir.join("peer.db"))?;
        theirs.of(|| peer.import(&csv.members, &csv.items))?;
        parts.of(|| peer.index_parts())?;
    }
    place.scratch("import")?; // Half a gigabyte that nobody needs any more.
    let [ours, typed, theirs, parts] = [ours, typed, theirs, parts].map(|times| times.p50());
    let figure = |name, theirs: f64| {
        let note = format!("{ours:.1} s; SQLite {theirs:.1} s");
        Figure::time(name, 1.0, ours / theirs, "x").note(note)
    };
    Ok(vec![
        figure("import of members and items / SQLite .import, then index (goal 0.6)", typed),
        figure("the same, where a program hands SQLite its rows", theirs),
        figure("that, where SQLite finds parts of names, too (FTS5 trigrams)", theirs + parts),
    ])
}
