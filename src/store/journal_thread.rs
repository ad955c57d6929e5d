//! The thread that owns the journal: others hand it entries and hear when they are on disk.
//!
//! Room: store. May touch: its journal. May not: clock, screen; wait for a subscriber.
//! Invariant: entries reach the disk and the subscribers in the order they were handed in, and
//! no subscriber sees one that is not synced.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::chain::Hash;
use super::journal::{AppendError, Appended, Journal};
use super::reader::{ReadError, Reader, Record};
use super::record::MAX_WRITE;
use super::segment::{Month, SegmentName};

/// Requests that may wait; a register has one or two out, an import a few.
const REQUESTS: usize = 64;
/// Records a subscriber may be behind in memory; what is older it reads from the journal.
const SUBSCRIBED: usize = 256;

/// An entry to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The place the entry was made for: it stands in its body too.
    pub seq: u64,
    /// The month of its business date.
    pub month: Month,
    pub body: Vec<u8>,
}

/// What became of the entries of an act.
#[derive(Debug)]
pub struct Written {
    /// Those that are on disk, in order: all of them, unless something failed.
    pub appended: Vec<Appended>,
    pub failed: Option<AppendError>,
}

impl Written {
    fn refused(error: AppendError) -> Self {
        Self { appended: Vec::new(), failed: Some(error) }
    }
}

/// Why there is no answer: the journal thread has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandOverError {
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error("the journal thread has ended")]
    Gone,
}

type Reply = Box<dyn FnOnce(Written) + Send>;
type Said = Box<dyn FnOnce(Result<(), AppendError>) + Send>;

enum Request {
    Append(Vec<Draft>, Reply),
    Flush(Said),
    RetryOpen(Said),
    RestoreReserve(Box<dyn FnOnce(io::Result<()>) + Send>),
    ReleaseReserve(Box<dyn FnOnce(bool) + Send>),
    KeepRoom,
    RefillRoom(Box<dyn FnOnce(()) + Send>),
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
        let owner = Owner { journal, subscribers: Vec::new() };
        let join =
            thread::Builder::new().name("journal".into()).spawn(move || owner.run(&inbox))?;
        Ok(Self { handle: JournalHandle { requests, reader }, join })
    }

    pub fn handle(&self) -> JournalHandle {
        self.handle.clone()
    }

    /// Writes what was handed over and ends the thread. Handles still out then say `Gone`. `None`
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

    /// Hands over the entries of an act, which share one write and one sync as far as they fit one;
    /// `reply` is called on the journal thread, so it only sends on. When the thread has ended the
    /// drafts are dropped and `Gone` returned.
    pub fn append(
        &self,
        drafts: Vec<Draft>,
        reply: impl FnOnce(Written) + Send + 'static,
    ) -> Result<(), HandOverError> {
        self.send(Request::Append(drafts, Box::new(reply)))
    }

    /// Hands an entry over and waits until it is on disk, or refused.
    pub fn append_and_wait(&self, draft: Draft) -> Result<Appended, HandOverError> {
        let written = self.wait(|reply| Request::Append(vec![draft], reply))?;
        match (written.failed, written.appended.first()) {
            (None, Some(appended)) => Ok(*appended),
            (failed, _) => Err(failed.map_or(HandOverError::Gone, HandOverError::from)),
        }
    }

    /// Waits until everything handed over before has been answered, and says whether the journal
    /// takes more.
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

    /// Gives the disk reserve for what must be written now; returns whether there was any.
    pub fn release_reserve(&self) -> bool {
        self.wait(Request::ReleaseReserve).unwrap_or(false)
    }

    /// Has room kept for the entries to come, made while nobody waits for it.
    pub fn keep_room(&self) {
        let _ = self.send(Request::KeepRoom); // Without it every append takes its own space.
    }

    /// Fills up the room for the entries to come, where it is kept.
    pub fn refill_room(&self) {
        let _ = self.wait(Request::RefillRoom);
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
    subscribers: Vec<Sender<Arc<Record>>>,
}

impl Owner {
    fn run(mut self, inbox: &Receiver<Request>) -> Journal {
        for request in inbox {
            match request {
                Request::Append(drafts, reply) => {
                    self.act(drafts, reply);
                    if inbox.is_empty() {
                        self.journal.spare_room();
                    }
                }
                Request::Flush(said) => said(self.journal.refusal().map_or(Ok(()), Err)),
                Request::RetryOpen(said) => said(self.journal.retry_open()),
                Request::RestoreReserve(said) => said(self.journal.restore_reserve()),
                Request::ReleaseReserve(said) => said(self.journal.release_reserve()),
                Request::KeepRoom => self.journal.keep_room(),
                Request::RefillRoom(said) => {
                    self.journal.refill_room();
                    said(());
                }
                Request::Subscribe(sender) => self.subscribers.push(sender),
                Request::End => break,
            }
        }
        self.journal.cut_room();
        self.journal
    }

    /// Writes the entries of an act and answers, before anyone else hears of them.
    fn act(&mut self, drafts: Vec<Draft>, reply: Reply) {
        let before = self.journal.head();
        for (draft, next) in drafts.iter().zip(before.seq + 1..) {
            if draft.seq != next {
                let error = AppendError::OutOfOrder { given: draft.seq, next };
                return reply(Written::refused(error));
            }
        }
        let written = self.write(&drafts);
        let appended = written.appended.clone();
        reply(written);
        self.tell_all(before.hash, drafts, &appended);
    }

    /// One write and one sync, or as many as it takes; what fails ends it.
    fn write(&mut self, drafts: &[Draft]) -> Written {
        // An act over a month's end lies in the later month: it is of one business day.
        let month = drafts.iter().map(|draft| draft.month).max();
        let mut written = Written { appended: Vec::with_capacity(drafts.len()), failed: None };
        let mut rest = drafts;
        while let (Some(month), false) = (month, rest.is_empty()) {
            let (now, later) = rest.split_at(fitting(rest));
            let bodies: Vec<&[u8]> = now.iter().map(|draft| draft.body.as_slice()).collect();
            match self.journal.append_all(month, &bodies) {
                Ok(appended) => written.appended.extend(appended),
                Err(error) => {
                    written.failed = Some(error);
                    break;
                }
            }
            rest = later;
        }
        written
    }

    fn tell_all(&mut self, mut prev_hash: Hash, drafts: Vec<Draft>, appended: &[Appended]) {
        if self.subscribers.is_empty() {
            return;
        }
        let id = self.journal.reader().id().clone();
        for (draft, appended) in drafts.into_iter().zip(appended) {
            let place = appended.place;
            let record = Record {
                seq: appended.head.seq,
                prev_hash,
                hash: appended.head.hash,
                body: draft.body,
                segment: SegmentName { lane: id.lane(), epoch: id.epoch(), place },
                offset: appended.offset,
                end: appended.end,
            };
            prev_hash = record.hash;
            self.tell(&Arc::new(record));
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
fn fitting(drafts: &[Draft]) -> usize {
    let mut bytes = 0;
    let fit = drafts.iter().take_while(|draft| {
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
    use crate::store::record::MAX_BODY;

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
    fn the_entries_of_an_act_share_a_write_and_a_sync() {
        let disk = FaultyFiles::new();
        let thread = start(&disk);
        let handle = thread.handle();
        handle.append_and_wait(draft(1)).unwrap();
        disk.reset_counts();
        let (sender, heard) = bounded(1);
        handle.append(vec![draft(2), draft(3)], move |said| sender.send(said).unwrap()).unwrap();
        let written = heard.recv().unwrap();
        let seqs: Vec<_> = written.appended.iter().map(|appended| appended.head.seq).collect();
        assert_eq!((seqs, written.failed), (vec![2, 3], None));
        assert_eq!((disk.counts().writes, disk.counts().syncs), (1, 1));
        handle.flush().unwrap();
    }

    #[test]
    fn an_act_too_long_for_one_write_says_how_far_it_came() {
        let disk = FaultyFiles::new();
        let thread = start(&disk);
        let handle = thread.handle();
        handle.append_and_wait(draft(1)).unwrap();
        let long = |seq| Draft { body: vec![7; MAX_BODY], ..draft(seq) };
        disk.reset_counts();
        disk.fail_at(3, FaultKind::Eio, Lasting::Sticky); // The second write, and all that follows.
        let (sender, heard) = bounded(1);
        handle.append(vec![long(2), long(3)], move |said| sender.send(said).unwrap()).unwrap();
        let written = heard.recv().unwrap();
        assert_eq!(written.appended.len(), 1);
        assert_eq!(written.failed, Some(AppendError::Stopped(DiskFault::Failed(Some(5)))));
        assert_eq!(handle.reader().head().seq, 2);
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
