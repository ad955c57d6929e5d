//! Bringing a whole shop over: a million members, a hundred thousand goods.
//!
//! Room: benches. May touch: scratch folders.
//! Ours is sealed, indexed, in the journal and synced when the command returns; the peer's rows are
//! plain, and indexed after they are in, which is its quickest way. Ours find any part of a name too;
//! the peer's do with its trigrams, built last.

use crate::figure::Figure;
use crate::peer::Peer;
use crate::place::Place;
use crate::timing::Times;
use crate::{Failure, big_shop};

pub fn measure(place: &Place) -> Result<Vec<Figure>, Failure> {
    let csv = big_shop::files(place)?;
    let (mut ours, mut theirs, mut parts) = (Times::default(), Times::default(), Times::default());
    for _ in 0..place.scale.imports {
        let dir = place.scratch("import")?;
        let eve = big_shop::yesterday();
        ours.of(|| big_shop::import(&dir.join("shop"), &dir, &csv, eve))?;
        let mut peer = Peer::create(&dir.join("peer.db"))?;
        theirs.of(|| peer.import(&csv.members, &csv.items))?;
        parts.of(|| peer.index_parts())?;
    }
    place.scratch("import")?; // Half a gigabyte that nobody needs any more.
    let (ours, theirs, parts) = (ours.p50(), theirs.p50(), parts.p50());
    let figure = |name, theirs: f64| {
        let note = format!("{ours:.1} s; SQLite {theirs:.1} s");
        Figure::time(name, 1.0, ours / theirs, "x").note(note)
    };
    Ok(vec![
        figure("import of members and items / SQLite import, then index (goal 0.6)", theirs),
        figure("the same, where SQLite finds parts of names, too (FTS5 trigrams)", theirs + parts),
    ])
}
