//! The thread that owns the journal: others hand it entries and hear when they are on disk.
//!
//! Room: store. May touch: its journal. May not: clock, screen; wait for a subscriber.
//! Invariant: entries reach the disk and the subscribers in the order they were handed in, and
//! no subscriber sees one that is not synced.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::journal::{AppendError, Appended, Journal};
use super::reader::{ReadError, Reader, Record};
use super::record::MAX_WRITE;
use super::segment::Month;

/// Requests that may wait; a register has one or two out, an import a few.
const REQUESTS: usize = 64;
/// Records a subscriber may be behind in memory; what is older it reads from the journal.
const SUBSCRIBED: usize = 256;
/// Entries kept back by [`JournalHandle::append_later`] before they are written anyway.
const MAX_LATER: usize = 32;

/// An entry to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The place the entry was made for: it stands in its body too.
    pub seq: u64,
    /// The month of its business date.
    pub month: Month,
    pub body: Vec<u8>,
}

/// What became of a draft. `Gone`: the journal thread has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandOverError {
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error("the journal thread has ended")]
    Gone,
}

type Reply = Box<dyn FnOnce(Result<Appended, AppendError>) + Send>;
type Said = Box<dyn FnOnce(Result<(), AppendError>) + Send>;

enum Request {
    Append(Draft, Reply),
    Later(Draft, Reply),
    Flush(Said),
    RetryOpen(Said),
    RestoreReserve(Box<dyn FnOnce(io::Result<()>) + Send>),
    Subscribe(Sender<Arc<Record>>),
    End,
}

/// Hands entries to the journal thread. Clones hand to the same thread, in the order of calls.
#[derive(Debug, Clone)]
pub struct JournalHandle {
    requests: Sender<Request>,
    reader: Reader,
}

/// The thread itself: end it to have the journal back.
#[derive(Debug)]
pub struct JournalThread {
    handle: JournalHandle,
    join: JoinHandle<Journal>,
}

impl JournalThread {
    /// Starts the thread that owns `journal` from here on.
    pub fn start(journal: Journal) -> io::Result<Self> {
        let (requests, inbox) = bounded(REQUESTS);
        let reader = journal.reader();
        let owner = Owner { journal, later: Vec::new(), subscribers: Vec::new() };
        let join =
            thread::Builder::new().name("journal".into()).spawn(move || owner.run(&inbox))?;
        Ok(Self { handle: JournalHandle { requests, reader }, join })
    }

    pub fn handle(&self) -> JournalHandle {
        self.handle.clone()
    }

    /// Writes what was kept back and ends the thread. Handles still out then say `Gone`. `None`
    /// when the thread had panicked.
    pub fn end(self) -> Option<Journal> {
        let _ = self.handle.requests.send(Request::End);
        drop(self.handle);
        self.join.join().ok()
    }
}

impl JournalHandle {
    /// Returns a view on the journal.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Hands an entry over; `reply` is called on the journal thread, so it only sends on. When the
    /// thread has ended the draft is dropped and `Gone` returned.
    pub fn append(
        &self,
        draft: Draft,
        reply: impl FnOnce(Result<Appended, AppendError>) + Send + 'static,
    ) -> Result<(), HandOverError> {
        self.send(Request::Append(draft, Box::new(reply)))
    }

    /// Hands an entry over and waits until it is on disk, or refused.
    pub fn append_and_wait(&self, draft: Draft) -> Result<Appended, HandOverError> {
        Ok(self.wait(|reply| Request::Append(draft, reply))??)
    }

    /// Hands over an entry nobody waits for (a print job's end): it is written with the next one,
    /// in the same write, or at [`Self::flush`].
    pub fn append_later(
        &self,
        draft: Draft,
        reply: impl FnOnce(Result<Appended, AppendError>) + Send + 'static,
    ) -> Result<(), HandOverError> {
        self.send(Request::Later(draft, Box::new(reply)))
    }

    /// Writes what was kept back, and waits for it: at idle, before Z.
    pub fn flush(&self) -> Result<(), HandOverError> {
        Ok(self.wait(Request::Flush)??)
    }

    /// Tries to go on after the disk had stopped the journal.
    pub fn retry_open(&self) -> Result<(), HandOverError> {
        Ok(self.wait(Request::RetryOpen)??)
    }

    /// Takes the disk reserve again, once there is room.
    pub fn restore_reserve(&self) -> Result<io::Result<()>, HandOverError> {
        self.wait(Request::RestoreReserve)
    }

    /// Returns a subscription that begins with entry `from`, read from disk as far as it must be.
    pub fn subscribe(&self, from: u64) -> Result<Subscription, HandOverError> {
        let (sender, records) = bounded(SUBSCRIBED);
        self.send(Request::Subscribe(sender))?;
        Ok(Subscription { records, reader: self.reader.clone(), next: from.max(1) })
    }

    fn send(&self, request: Request) -> Result<(), HandOverError> {
        self.requests.send(request).map_err(|_| HandOverError::Gone)
    }

    /// Sends a request made with a reply that brings the answer back here.
    fn wait<T: Send + 'static>(
        &self,
        request: impl FnOnce(Box<dyn FnOnce(T) + Send>) -> Request,
    ) -> Result<T, HandOverError> {
        let (sender, answer) = bounded(1);
        self.send(request(Box::new(move |said| {
            let _ = sender.send(said);
        })))?;
        answer.recv().map_err(|_| HandOverError::Gone)
    }
}

/// Synced entries in order, without a gap, however far behind the reader of them is.
#[derive(Debug)]
pub struct Subscription {
    records: Receiver<Arc<Record>>,
    reader: Reader,
    next: u64,
}

impl Subscription {
    /// Returns the next entry, waiting for it; `None` when the journal thread has ended and all
    /// its entries were given.
    pub fn next_record(&mut self) -> Option<Result<Arc<Record>, ReadError>> {
        loop {
            if let Some(record) = self.ready() {
                return Some(record);
            }
            // Nothing is missing up to the head, so what comes now is the next or older.
            let record = self.records.recv().ok()?;
            if record.seq == self.next {
                return Some(Ok(self.give(record)));
            }
        }
    }

    /// Returns the next entry if there is one already.
    pub fn try_next(&mut self) -> Option<Result<Arc<Record>, ReadError>> {
        self.ready()
    }

    /// Returns a channel to wait on together with others; then call [`Self::try_next`].
    pub fn wake(&self) -> &Receiver<Arc<Record>> {
        &self.records
    }

    /// Returns how many synced entries are still to be given.
    pub fn lag(&self) -> u64 {
        (self.reader.head().seq + 1).saturating_sub(self.next)
    }

    fn ready(&mut self) -> Option<Result<Arc<Record>, ReadError>> {
        if self.lag() == 0 {
            return None;
        }
        while let Ok(record) = self.records.try_recv() {
            if record.seq == self.next {
                return Some(Ok(self.give(record)));
            }
            if record.seq > self.next {
                break; // The channel was full in between, or the subscription began earlier.
            }
        }
        let read = self.reader.read(self.next).map(Arc::new);
        Some(read.map(|record| self.give(record)))
    }

    fn give(&mut self, record: Arc<Record>) -> Arc<Record> {
        self.next = record.seq + 1;
        record
    }
}

/// The journal on its thread.
struct Owner {
    journal: Journal,
    later: Vec<(Draft, Reply)>,
    subscribers: Vec<Sender<Arc<Record>>>,
}

impl Owner {
    fn run(mut self, inbox: &Receiver<Request>) -> Journal {
        for request in inbox {
            match request {
                Request::Append(draft, reply) => self.write_with(Some((draft, reply))),
                Request::Later(draft, reply) => self.keep_back(draft, reply),
                Request::Flush(said) => {
                    self.write_with(None);
                    said(self.journal.refusal().map_or(Ok(()), Err));
                }
                Request::RetryOpen(said) => said(self.journal.retry_open()),
                Request::RestoreReserve(said) => said(self.journal.restore_reserve()),
                Request::Subscribe(sender) => self.subscribers.push(sender),
                Request::End => break,
            }
        }
        self.write_with(None);
        self.journal
    }

    fn keep_back(&mut self, draft: Draft, reply: Reply) {
        let kept: usize = self.later.iter().map(|(draft, _)| draft.body.len()).sum();
        let full = self.later.len() + 1 >= MAX_LATER || kept + draft.body.len() > MAX_WRITE / 2;
        self.later.push((draft, reply));
        if full {
            self.write_with(None);
        }
    }

    /// Writes everything kept back and the last one, in one write and one sync if it fits.
    fn write_with(&mut self, last: Option<(Draft, Reply)>) {
        let mut batch = std::mem::take(&mut self.later);
        batch.extend(last);
        let mut next = self.journal.head().seq + 1;
        let mut due = Vec::with_capacity(batch.len());
        for (draft, reply) in batch {
            if draft.seq == next {
                next += 1;
                due.push((draft, reply));
            } else {
                reply(Err(AppendError::OutOfOrder { given: draft.seq, next }));
            }
        }
        while !due.is_empty() {
            let rest = due.split_off(fitting(&due));
            self.write(std::mem::replace(&mut due, rest));
        }
    }

    fn write(&mut self, batch: Vec<(Draft, Reply)>) {
        // A batch over a month's end lies in the later month: the same business day's acts.
        let Some(month) = batch.iter().map(|(draft, _)| draft.month).max() else { return };
        let bodies: Vec<&[u8]> = batch.iter().map(|(draft, _)| draft.body.as_slice()).collect();
        let before = self.journal.head();
        match self.journal.append_all(month, &bodies) {
            Err(e) => batch.into_iter().for_each(|(_, reply)| reply(Err(e))),
            Ok(appended) => {
                let mut prev_hash = before.hash;
                for ((draft, reply), appended) in batch.into_iter().zip(appended) {
                    reply(Ok(appended));
                    let segment = super::segment::SegmentName {
                        lane: self.journal.reader().id().lane(),
                        epoch: self.journal.reader().id().epoch(),
                        place: appended.place,
                    };
                    let record = Record {
                        seq: appended.head.seq,
                        prev_hash,
                        hash: appended.head.hash,
                        body: draft.body,
                        segment,
                        offset: appended.offset,
                        end: appended.end,
                    };
                    prev_hash = record.hash;
                    self.tell(&Arc::new(record));
                }
            }
        }
    }

    /// Tells the subscribers; one whose channel is full reads the entry from disk later.
    fn tell(&mut self, record: &Arc<Record>) {
        self.subscribers.retain(|subscriber| {
            !matches!(subscriber.try_send(record.clone()), Err(TrySendError::Disconnected(_)))
        });
    }
}

/// Returns how many of the drafts fit one write, at least one.
fn fitting(batch: &[(Draft, Reply)]) -> usize {
    let mut bytes = 0;
    let fit = batch.iter().take_while(|(draft, _)| {
        bytes += draft.body.len() + super::record::FRAME;
        bytes <= MAX_WRITE
    });
    fit.count().max(1)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::store::chain::{Epoch, JournalId};
    use crate::store::files::faulty::{FaultKind, FaultyFiles, Lasting};
    use crate::store::journal::DiskFault;
    use crate::store::opening::Known;

    fn start(disk: &FaultyFiles) -> JournalThread {
        let id = JournalId::new("midori", 1, Epoch::FIRST).unwrap();
        let files = Arc::new(disk.clone());
        let dir = Path::new("/journal");
        let (journal, _) = Journal::open(files, dir, &id, Known::default(), 0).unwrap();
        JournalThread::start(journal).unwrap()
    }

    fn draft(seq: u64) -> Draft {
        let month = Month::from_number(202_611).unwrap();
        Draft { seq, month, body: format!("entry {seq}").into_bytes() }
    }

    #[test]
    fn subscribers_get_every_entry_in_order_however_slow_or_late_they_are() {
        let thread = start(&FaultyFiles::new());
        let handle = thread.handle();
        let mut early = handle.subscribe(1).unwrap();
        let count = SUBSCRIBED as u64 * 3;
        for seq in 1..=count {
            assert_eq!(handle.append_and_wait(draft(seq)).unwrap().head.seq, seq);
        }
        let mut late = handle.subscribe(5).unwrap();
        assert_eq!((early.lag(), late.lag()), (count, count - 4));
        assert_eq!(thread.end().unwrap().head().seq, count);
        for (subscription, from) in [(&mut early, 1), (&mut late, 5)] {
            for seq in from..=count {
                let record = subscription.next_record().unwrap().unwrap();
                assert_eq!((record.seq, &record.body), (seq, &draft(seq).body));
            }
            assert!(subscription.next_record().is_none());
        }
    }

    #[test]
    fn what_nobody_waits_for_shares_the_next_entrys_sync() {
        let disk = FaultyFiles::new();
        let thread = start(&disk);
        let handle = thread.handle();
        handle.append_and_wait(draft(1)).unwrap();
        disk.reset_counts();
        let (sender, heard) = bounded(2);
        let later = sender.clone();
        handle.append_later(draft(2), move |said| later.send(said).unwrap()).unwrap();
        handle.append(draft(3), move |said| sender.send(said).unwrap()).unwrap();
        let seqs = [(); 2].map(|()| heard.recv().unwrap().unwrap().head.seq);
        assert_eq!(seqs, [2, 3]);
        assert_eq!((disk.counts().writes, disk.counts().syncs), (1, 1));
        handle.append_later(draft(4), |_| {}).unwrap();
        handle.flush().unwrap();
        assert_eq!(handle.reader().head().seq, 4);
    }

    #[test]
    fn an_entry_made_for_another_place_is_refused() {
        let thread = start(&FaultyFiles::new());
        let refused = thread.handle().append_and_wait(draft(2)).unwrap_err();
        assert_eq!(refused, AppendError::OutOfOrder { given: 2, next: 1 }.into());
    }

    #[test]
    fn a_stopped_disk_answers_and_goes_on_when_asked_again() {
        let disk = FaultyFiles::new();
        let thread = start(&disk);
        let handle = thread.handle();
        handle.append_and_wait(draft(1)).unwrap();
        disk.fail_at(1, FaultKind::Eio, Lasting::Sticky);
        let stopped = HandOverError::Append(AppendError::Stopped(DiskFault::Failed(Some(5))));
        assert_eq!(handle.append_and_wait(draft(2)), Err(stopped));
        assert_eq!(handle.retry_open(), Err(stopped));
        disk.heal();
        handle.retry_open().unwrap();
        assert_eq!(handle.append_and_wait(draft(2)).unwrap().head.seq, 2);
        thread.end().unwrap();
        assert_eq!(handle.append_and_wait(draft(3)), Err(HandOverError::Gone));
    }
}
