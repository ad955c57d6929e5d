//! Papers that the last run left unprinted, looked up beside the first keys.
//!
//! Room: app. May touch: the books, to read.
//! Invariant: as many papers as may wait for a printer, the newest, are read, in one walk of the
//! journal; a start with thousands of them costs no more.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::books::{Books, Placed};
use super::spool::MOST_WAITING;
use crate::domain::refusal::Refusal;
use crate::store::codec;
use crate::store::fault::StoreError;
use crate::store::jobs::{JobState, slip_of};
use crate::store::reader::Reader;

/// A paper without an end, and what becomes of it.
#[derive(Debug)]
pub struct Unprinted {
    pub name: String,
    pub seq: u64,
    pub fate: Fate,
}

#[derive(Debug)]
pub enum Fate {
    /// Its printing was begun: staff must look and say.
    Begun(Option<Box<Placed>>),
    /// It is printed now.
    Print(Box<Placed>),
    /// Too many wait behind it: it counts as lost, and can be printed again from the journal.
    Lost,
}

/// The last run, as far as this one must know it.
#[derive(Debug, Clone)]
pub struct LastRun {
    pub lane: u8,
    /// Its last entry: what comes behind is printed by this run.
    pub head: u64,
    /// Entries whose papers the printer had been sent the first byte of.
    pub begun: BTreeSet<u64>,
}

/// Finds them, in the order they were asked for.
///
/// # Errors
/// A store or a journal that cannot be read.
pub fn find(books: &Books, last: &LastRun) -> Result<Vec<Unprinted>, Refusal> {
    let epoch = u16::from(books.journal().id().epoch().place());
    let jobs = books.reader().waiting_jobs()?.into_iter().filter(|job| {
        (job.lane, job.epoch, job.state) == (last.lane, epoch, JobState::Queued)
            && job.seq <= last.head
    });
    let mut left: Vec<Unprinted> = jobs
        .map(|job| {
            let fate = if last.begun.contains(&job.seq) { Fate::Begun(None) } else { Fate::Lost };
            Unprinted { name: job.name, seq: job.seq, fate }
        })
        .collect();
    // Papers and slips of kitchens come from printers of their own: neither crowds the other out.
    let mut room = [MOST_WAITING; 2];
    let mut newest: Vec<&mut Unprinted> = left
        .iter_mut()
        .rev()
        .filter(|paper| {
            let room = &mut room[usize::from(slip_of(&paper.name).is_some())];
            let fits = *room > 0;
            *room = room.saturating_sub(1);
            fits
        })
        .collect();
    newest.reverse();
    read_entries(books.journal(), newest)?;
    Ok(left)
}

/// Reads the entries of those that are to be printed.
fn read_entries(journal: &Reader, left: Vec<&mut Unprinted>) -> Result<(), StoreError> {
    let Some(first) = left.first().map(|paper| paper.seq) else { return Ok(()) };
    let mut papers = left.into_iter().peekable();
    for record in journal.iter_from(first) {
        let record = record?;
        while let Some(paper) = papers.next_if(|paper| paper.seq == record.seq) {
            let entry = codec::decode_entry(&record.body)?;
            let placed = Box::new(Placed::new(entry, record.hash.to_string()));
            paper.fate = match paper.fate {
                Fate::Begun(_) => Fate::Begun(Some(placed)),
                Fate::Print(_) | Fate::Lost => Fate::Print(placed),
            };
        }
        if papers.peek().is_none() {
            break;
        }
    }
    Ok(())
}

/// Finds them on a thread of its own; `done` hears of it there.
///
/// # Errors
/// When there is no thread to be had; then `done` is never called.
pub fn find_beside(
    books: &Arc<Books>,
    last: LastRun,
    done: impl FnOnce(Result<Vec<Unprinted>, Refusal>) + Send + 'static,
) -> std::io::Result<()> {
    let books = Arc::clone(books);
    let work = move || done(find(&books, &last));
    std::thread::Builder::new().name("unprinted".to_owned()).spawn(work).map(drop)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::entry::Kind;
    use crate::store::files::faulty::FaultyFiles;
    use crate::store::test_shop::{create, line, receipt, sale, say};

    #[test]
    fn the_newest_papers_are_printed_and_older_ones_wait_for_no_printer() {
        let files = FaultyFiles::new();
        let mut shop = create(&files);
        let mut seqs = Vec::new();
        for number in 1..=60 {
            let rung = sale(receipt(number), vec![line("4901234567894", "牛乳", 1, 248)]);
            seqs.push(
                say(&mut shop, i64::from(number), vec![Kind::SaleClosed(Box::new(rung))])[0]
                    .header
                    .seq,
            );
        }
        let (begun, head) = (BTreeSet::from([seqs[3], seqs[57]]), seqs[58]);
        let books = Books::new(shop, Path::new("/shop"));
        let found = find(&books, &LastRun { lane: 1, head, begun }).unwrap();
        let fates: Vec<char> = found
            .iter()
            .map(|paper| match &paper.fate {
                Fate::Begun(_) => 'b',
                Fate::Lost => '-',
                Fate::Print(placed) => {
                    assert_eq!(placed.entry.header.seq, paper.seq);
                    'p'
                }
            })
            .collect();
        // Nine give way to the fifty behind them; the sixtieth sale is this run's own.
        let want = format!("---b-----{}bp", "p".repeat(48));
        assert_eq!(fates.iter().collect::<String>(), want);
    }
}
