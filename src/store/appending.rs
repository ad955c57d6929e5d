//! From draft to entry: place, clock, seal, disk, fold.
//!
//! Room: store. May touch: the journal thread, the keys. May not: clock (it is handed in).
//! Invariant: keys are durable before the entry that needs them; an entry is given to the fold only
//! once it is synced; a number is used once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{Datelike, NaiveDate};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::ahead::Arriving;
use super::chain::Head;
use super::codec;
use super::fault::StoreError;
use super::folding::Step;
use super::journal::Appended;
use super::journal_thread::{Draft as Record, HandOverError, JournalHandle, Written};
use super::keys::Keys;
use super::lanes::Folded;
use super::progress::Progress;
use super::record::MAX_WRITE;
use super::second_copy::Poker;
use super::segment::Month;
use super::staging::{Kinds, Stage};
use super::store_thread::FoldSender;
use super::z_signing;
use crate::domain::entry::{Draft, Entry, Header, Kind};
use crate::domain::member::{MemberCard, Sealed};
use crate::domain::register::Now;

/// The one who gives entries their place. One a shop.
#[derive(Debug)]
pub struct Appender {
    journal: JournalHandle,
    keys: Arc<Keys>,
    progress: Arc<Progress>,
    fold: FoldSender,
    copy: Option<Poker>,
    shop: u64,
    lane: u8,
    epoch: u16,
    next_seq: u64,
    /// The highest stamp given or seen.
    stamp: u64,
    /// Acts handed over and not answered.
    in_flight: Arc<AtomicUsize>,
}

/// Where the entries go and whose they are.
#[derive(Debug)]
pub struct AppenderParts {
    pub journal: JournalHandle,
    pub keys: Arc<Keys>,
    pub progress: Arc<Progress>,
    pub fold: FoldSender,
    /// Hears of every act that is on disk.
    pub copy: Option<Poker>,
    pub shop: u64,
    pub lane: u8,
    pub epoch: u16,
    pub last_stamp: u64,
}

/// An import, ready to be appended.
pub struct Import {
    pub stage: Stage,
    /// Who brings it and when; its kind is that of the import's entries, without rows.
    pub draft: Draft,
    /// What closes it.
    pub close: Kind,
}

/// Entries of an import on their way to the journal thread together.
#[derive(Default)]
struct Batch {
    entries: Vec<Entry>,
    records: Vec<Record>,
    bytes: usize,
}

impl Batch {
    /// Bytes from which a batch goes off: one more entry still fits its write.
    const FULL: usize = MAX_WRITE / 4 * 3;

    fn push(&mut self, entry: Entry, record: Record) {
        self.bytes += record.body.len();
        self.entries.push(entry);
        self.records.push(record);
    }
}

/// Batches of an import that may be on their way at once.
const BATCHES: usize = 8;

/// An import on its way to the journal, batch by batch. It means nothing before it is over.
pub struct Feed {
    kinds: Kinds,
    draft: Draft,
    /// Handed over last.
    close: Option<Kind>,
    tell: Sender<Result<(), StoreError>>,
    told: Receiver<Result<(), StoreError>>,
    /// Batches on their way.
    out: usize,
    placed: Vec<Entry>,
}

impl Feed {
    fn of(stage: Stage, draft: Draft, close: Kind) -> Result<Self, StoreError> {
        let (tell, told) = unbounded(); // One answer a batch.
        let (close, kinds) = (Some(close), stage.into_kinds()?);
        Ok(Self { kinds, draft, close, tell, told, out: 0, placed: Vec::new() })
    }

    /// Begins an import that other acts come between: its members' keys are made durable, and its rows are
    /// read from the journal once it is closed.
    ///
    /// # Errors
    /// Keys that cannot be written.
    pub fn beside(import: Import, keys: &Keys) -> Result<Self, StoreError> {
        let Import { mut stage, draft, close } = import;
        stage.write_keys(keys)?;
        Self::of(stage, draft, close)
    }

    /// Whether everything has been handed over.
    pub fn is_over(&self) -> bool {
        self.close.is_none()
    }

    /// How many entries have been handed over.
    pub fn entries(&self) -> u64 {
        self.placed.len() as u64
    }

    /// The last entry handed over, or 0.
    pub fn last(&self) -> u64 {
        self.placed.last().map_or(0, |entry| entry.header.seq)
    }

    /// Waits until no more than `most` batches are on their way.
    ///
    /// # Errors
    /// Why one of them is not on the disk.
    pub fn settle(&mut self, most: usize) -> Result<(), StoreError> {
        while self.out > most {
            self.out -= 1;
            answered(&self.told)?;
        }
        Ok(())
    }
}

/// An act whose entries are on disk.
#[derive(Debug)]
pub struct Posted {
    /// As they stand in the journal; personal data in them is sealed.
    pub entries: Vec<Entry>,
    /// The journal's head behind the last of them.
    pub head: Head,
}

/// The answer to an act; it is given once, even when the journal thread dies over it.
struct Answer<F: FnOnce(Result<Posted, StoreError>)> {
    done: Option<F>,
    in_flight: Arc<AtomicUsize>,
}

impl<F: FnOnce(Result<Posted, StoreError>)> Answer<F> {
    fn new(in_flight: Arc<AtomicUsize>, done: F) -> Self {
        in_flight.fetch_add(1, Ordering::AcqRel);
        Self { done: Some(done), in_flight }
    }

    fn give(mut self, posted: Result<Posted, StoreError>) {
        self.said(posted);
    }

    fn said(&mut self, posted: Result<Posted, StoreError>) {
        if let Some(done) = self.done.take() {
            self.in_flight.fetch_sub(1, Ordering::AcqRel);
            done(posted);
        }
    }
}

impl<F: FnOnce(Result<Posted, StoreError>)> Drop for Answer<F> {
    fn drop(&mut self) {
        self.said(Err(HandOverError::Gone.into()));
    }
}

impl Appender {
    pub fn new(parts: AppenderParts) -> Self {
        Self {
            next_seq: parts.journal.reader().head().seq + 1,
            journal: parts.journal,
            keys: parts.keys,
            progress: parts.progress,
            fold: parts.fold,
            copy: parts.copy,
            shop: parts.shop,
            lane: parts.lane,
            epoch: parts.epoch,
            stamp: parts.last_stamp,
            in_flight: Arc::default(),
        }
    }

    /// Appends the entries of one act in one write and one sync, and waits for it.
    pub fn append(&mut self, drafts: &[Draft], now: Now) -> Result<Vec<Entry>, StoreError> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let (tell, told) = bounded(1);
        self.begin(drafts, now, move |posted| {
            let _ = tell.send(posted); // Who waited has gone: the process ends.
        })?;
        let posted = told.recv().unwrap_or_else(|_| Err(HandOverError::Gone.into()))?;
        Ok(posted.entries)
    }

    /// Hands the entries of one act over. `done` is called on the journal thread once they are on
    /// disk, or with the reason why not; so it only sends on. The fold hears of them after it.
    ///
    /// # Errors
    /// Why they cannot be made; then `done` is never called.
    pub fn begin(
        &mut self,
        drafts: &[Draft],
        now: Now,
        done: impl FnOnce(Result<Posted, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        self.number_from_head();
        let (entries, records) = self.entries(drafts, now)?;
        let answer = Answer::new(self.in_flight.clone(), done);
        // A thread that is gone drops the answer, which then says so by itself.
        let _ = self.journal.append(records, self.when_written(entries, answer));
        Ok(())
    }

    /// Has the rows of an import sorted in as they arrive; its entries come next.
    pub fn sort_in_ahead(&self, arriving: Arriving) {
        self.fold.sort_in_ahead(arriving);
    }

    /// Appends the entries of an import and the one that closes it, and returns them without their
    /// rows. Their writes follow each other while the next are read; they mean nothing before the
    /// closing one, which is handed over last and so is on disk only when all are. `watch` hears how
    /// many entries have been made.
    pub fn append_import(
        &mut self,
        import: Import,
        now: Now,
        watch: &mut dyn FnMut(u64),
    ) -> Result<Vec<Entry>, StoreError> {
        let appended = self.append_batches(import, now, watch);
        if appended.is_err() {
            // What is on its way ends before others are numbered; why it failed is known already.
            let _ = self.flush();
            self.fold.let_go();
        }
        appended
    }

    fn append_batches(
        &mut self,
        import: Import,
        now: Now,
        watch: &mut dyn FnMut(u64),
    ) -> Result<Vec<Entry>, StoreError> {
        let Import { mut stage, draft, close } = import;
        stage.end();
        stage.write_keys(&self.keys)?;
        let mut feed = Feed::of(stage, draft, close)?;
        while !feed.is_over() {
            self.feed(&mut feed, now)?;
            feed.settle(BATCHES)?;
            watch(feed.entries());
        }
        feed.settle(0)?;
        Ok(feed.placed)
    }

    /// Hands the next batch of an import over, in one write and one sync; with the last rows goes the entry
    /// that closes it. Other acts may come between two batches.
    ///
    /// # Errors
    /// Rows that cannot be read back; then nothing of the batch is handed over.
    pub fn feed(&mut self, feed: &mut Feed, now: Now) -> Result<(), StoreError> {
        self.number_from_head();
        let before = self.next_seq;
        let batch = self.next_batch(feed, now).inspect_err(|_| self.next_seq = before)?;
        self.hand_over(batch, &feed.tell);
        feed.out += 1;
        Ok(())
    }

    fn next_batch(&mut self, feed: &mut Feed, now: Now) -> Result<Batch, StoreError> {
        let mut batch = Batch::default();
        while batch.bytes < Batch::FULL {
            let Some(kind) = feed.kinds.next() else {
                if let Some(close) = feed.close.take() {
                    let last = self.placed(&feed.draft, close, now);
                    feed.placed.push(last.clone());
                    batch.push(last.clone(), record(&last)?);
                }
                break;
            };
            let entry = self.placed(&feed.draft, feed.draft.kind.clone(), now);
            // What the entry means waits in the journal: the fold is told of it without its rows.
            let body = codec::body_of(&entry.header, &kind?)?;
            let month = month_of(&entry.header)?;
            let record = Record { seq: entry.header.seq, month, body };
            feed.placed.push(entry.clone());
            batch.push(entry, record);
        }
        Ok(batch)
    }

    fn hand_over(&self, batch: Batch, tell: &Sender<Result<(), StoreError>>) {
        let tell = tell.clone();
        let answer = Answer::new(self.in_flight.clone(), move |posted: Result<Posted, _>| {
            let _ = tell.send(posted.map(drop)); // Who waited has gone: the process ends.
        });
        // A thread that is gone drops the answer, which then says so by itself.
        let _ = self.journal.append(batch.records, self.when_written(batch.entries, answer));
    }

    /// Numbers what comes next from the head: an act before may have failed.
    fn number_from_head(&mut self) {
        if self.in_flight.load(Ordering::Acquire) == 0 {
            self.next_seq = self.journal.reader().head().seq + 1;
        }
    }

    /// Whether an act waits for nothing but its own sync: no key has to be on the disk before it.
    pub fn is_prompt(drafts: &[Draft]) -> bool {
        let waits = |kind: &Kind| matches!(kind, Kind::ZClosed(_)) || !clear_codes(kind).is_empty();
        !drafts.iter().any(|draft| waits(&draft.kind))
    }

    /// Returns once every act handed over before is answered.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        Ok(self.journal.flush()?)
    }

    pub fn journal(&self) -> &JournalHandle {
        &self.journal
    }

    /// What happens on the journal thread once the entries are on disk: who reads from here on waits
    /// for their fold, keys are destroyed, the act is answered, and they go on to the fold.
    fn when_written(
        &self,
        entries: Vec<Entry>,
        answer: Answer<impl FnOnce(Result<Posted, StoreError>) + Send + 'static>,
    ) -> impl FnOnce(Written) + Send + 'static {
        let (fold, progress, keys) = (self.fold.clone(), self.progress.clone(), self.keys.clone());
        let (epoch, copy) = (self.epoch, self.copy.clone());
        move |written| {
            let Written { appended, failed } = written;
            for entry in &entries[..appended.len()] {
                progress.appended(entry.header.seq, &entry.kind);
            }
            let steps = steps(epoch, &entries, &appended);
            answer.give(match (failed, appended.last()) {
                (Some(error), _) => Err(StoreError::Append(error.into())),
                (None, None) => Err(HandOverError::Gone.into()),
                (None, Some(last)) => {
                    let head = last.head;
                    destroy_keys(&keys, &entries).map(|()| Posted { entries, head })
                }
            });
            // Who waits for the answer goes first: on a small machine the fold would take its processor.
            std::thread::yield_now();
            steps.into_iter().for_each(|step| fold.fold(step));
            if let Some(copy) = copy {
                copy.poke();
            }
        }
    }

    /// Makes entries and their records; when one cannot be made, no number is used.
    fn entries(
        &mut self,
        drafts: &[Draft],
        now: Now,
    ) -> Result<(Vec<Entry>, Vec<Record>), StoreError> {
        if drafts.iter().any(|draft| matches!(draft.kind, Kind::ZClosed(_))) {
            self.flush()?;
        }
        self.keys.create_members(drafts.iter().flat_map(|draft| clear_codes(&draft.kind)))?;
        let kinds: Result<Vec<Kind>, StoreError> =
            drafts.iter().map(|draft| self.sealed(&draft.kind)).collect();
        let before = self.next_seq;
        let placed = drafts.iter().zip(kinds?).map(|(draft, kind)| self.placed(draft, kind, now));
        let mut entries: Vec<Entry> = placed.collect();
        let records = match entries.iter().any(|entry| matches!(entry.kind, Kind::ZClosed(_))) {
            true => self.signed_records(&mut entries),
            false => entries.iter().map(record).collect(),
        };
        if records.is_err() {
            self.next_seq = before;
        }
        Ok((entries, records?))
    }

    /// Makes the records of entries among which there is a Z: its signature covers the hash that it
    /// follows, so everything before it is written first.
    fn signed_records(&self, entries: &mut [Entry]) -> Result<Vec<Record>, StoreError> {
        let key = match self.keys.signing_key() {
            // A shop's first Z makes the key: a day may always be closed, that is what the reserve is for.
            Err(error) if error.is_full() && self.journal.release_reserve() => {
                self.keys.signing_key()
            }
            key => key,
        }?;
        let mut head = self.journal.reader().head();
        let made = entries.iter_mut().map(|entry| {
            z_signing::sign(entry, head.hash, &key)?;
            let record = record(entry)?;
            head = head.after(&record.body);
            Ok(record)
        });
        made.collect()
    }

    fn placed(&mut self, draft: &Draft, kind: Kind, now: Now) -> Entry {
        // A hybrid logical clock: time where it goes forward, a counter where it does not.
        let wall = u64::try_from(now.utc_ms).unwrap_or(0) << 16;
        self.stamp = wall.max(self.stamp + 1);
        let header = Header {
            shop: self.shop,
            lane: self.lane,
            epoch: self.epoch,
            seq: self.next_seq,
            stamp: self.stamp,
            at_ms: now.utc_ms,
            offset_minutes: now.offset_minutes,
            clock: now.clock,
            business_date: draft.business_date,
            staff: draft.staff,
            training: draft.training,
        };
        self.next_seq += 1;
        Entry { header, kind }
    }

    fn sealed(&self, kind: &Kind) -> Result<Kind, StoreError> {
        let mut kind = kind.clone();
        match &mut kind {
            Kind::MemberSet(card) => self.seal(card)?,
            Kind::MembersImported { members, .. } => {
                members.iter_mut().try_for_each(|member| self.seal(&mut member.card))?;
            }
            _ => {}
        }
        Ok(kind)
    }

    fn seal(&self, card: &mut MemberCard) -> Result<(), StoreError> {
        if let Sealed::Clear(personal) = &card.personal {
            card.personal = self.keys.seal(&card.code, personal)?;
        }
        Ok(())
    }
}

/// What the fold gets of the entries that are on disk.
fn steps(epoch: u16, entries: &[Entry], appended: &[Appended]) -> Vec<Step> {
    let step = |(entry, appended): (&Entry, &Appended)| Step {
        entry: entry.clone(),
        place: Folded::at(epoch, &appended.checkpoint()),
    };
    entries.iter().zip(appended).map(step).collect()
}

/// An erasure stands in the journal first; then the key goes.
fn destroy_keys(keys: &Keys, entries: &[Entry]) -> Result<(), StoreError> {
    for entry in entries {
        if let Kind::MemberSet(card) = &entry.kind
            && card.personal == Sealed::Erased
        {
            keys.erase_member(&card.code)?;
        }
    }
    Ok(())
}

fn record(entry: &Entry) -> Result<Record, StoreError> {
    let month = month_of(&entry.header)?;
    Ok(Record { seq: entry.header.seq, month, body: codec::encode_entry(entry)? })
}

/// Waits for the next answer.
fn answered(told: &Receiver<Result<(), StoreError>>) -> Result<(), StoreError> {
    told.recv().unwrap_or_else(|_| Err(HandOverError::Gone.into()))
}

/// Returns the month in whose segment an entry lies.
fn month_of(header: &Header) -> Result<Month, StoreError> {
    let month = NaiveDate::from_num_days_from_ce_opt(header.business_date)
        .and_then(|date| Month::new(u16::try_from(date.year()).ok()?, date.month() as u8));
    let unfit = || StoreError::Unfit { seq: header.seq, what: "business date".to_owned() };
    month.ok_or_else(unfit)
}

/// Codes whose personal data is still to be sealed.
fn clear_codes(kind: &Kind) -> Vec<&str> {
    let clear = |card: &MemberCard| matches!(card.personal, Sealed::Clear(_));
    match kind {
        Kind::MemberSet(card) if clear(card) => vec![card.code.as_str()],
        Kind::MembersImported { members, .. } => {
            let cards = members.iter().map(|member| &member.card);
            cards.filter(|card| clear(card)).map(|card| card.code.as_str()).collect()
        }
        _ => Vec::new(),
    }
}
