//! From draft to entry: place, clock, seal, disk, fold.
//!
//! Room: store. May touch: the journal thread, the keys. May not: clock (it is handed in).
//! Invariant: keys are durable before the entry that needs them; an entry is given to the fold only
//! once it is synced; a number is used once.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use crossbeam_channel::{Receiver, Sender, unbounded};

use super::codec;
use super::fault::StoreError;
use super::folding::Step;
use super::journal::{AppendError, Appended};
use super::journal_thread::{Draft as Record, JournalHandle};
use super::keys::Keys;
use super::lanes::Folded;
use super::progress::Progress;
use super::segment::Month;
use super::staging::Stage;
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
    shop: u64,
    lane: u8,
    epoch: u16,
    next_seq: u64,
    /// The highest stamp given or seen.
    stamp: u64,
}

/// Where the entries go and whose they are.
#[derive(Debug)]
pub struct AppenderParts {
    pub journal: JournalHandle,
    pub keys: Arc<Keys>,
    pub progress: Arc<Progress>,
    pub fold: FoldSender,
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

type Replies = Receiver<Result<Appended, AppendError>>;

impl Appender {
    pub fn new(parts: AppenderParts) -> Self {
        Self {
            next_seq: parts.journal.reader().head().seq + 1,
            journal: parts.journal,
            keys: parts.keys,
            progress: parts.progress,
            fold: parts.fold,
            shop: parts.shop,
            lane: parts.lane,
            epoch: parts.epoch,
            stamp: parts.last_stamp,
        }
    }

    /// Appends the entries of one act in one write and one sync, and returns them as they stand in
    /// the journal; personal data in them is sealed.
    pub fn append(&mut self, drafts: &[Draft], now: Now) -> Result<Vec<Entry>, StoreError> {
        let Some(last) = drafts.len().checked_sub(1) else { return Ok(Vec::new()) };
        let (entries, records) = self.entries(drafts, now)?;
        let (reply, replies) = unbounded(); // One answer an entry.
        for (place, (entry, record)) in entries.iter().zip(records).enumerate() {
            let reply = reply.clone();
            let taken = self.when_synced(entry);
            let answer = move |result: Result<Appended, AppendError>| {
                if let Ok(appended) = &result {
                    taken(appended);
                }
                let _ = reply.send(result); // Who waited has gone: the process ends.
            };
            let handed = if place == last {
                self.journal.append(record, answer)
            } else {
                self.journal.append_later(record, answer)
            };
            if let Err(error) = handed {
                self.next_seq = self.journal.reader().head().seq + 1;
                return Err(error.into());
            }
        }
        drop(reply);
        self.answered(&replies)?;
        self.destroy_keys(&entries)?;
        Ok(entries)
    }

    /// Appends entries that nobody waits for: with the next act, or at `flush`.
    pub fn append_later(&mut self, drafts: &[Draft], now: Now) -> Result<(), StoreError> {
        let (entries, records) = self.entries(drafts, now)?;
        for (entry, record) in entries.iter().zip(records) {
            let taken = self.when_synced(entry);
            self.journal.append_later(record, move |result| {
                if let Ok(appended) = result {
                    taken(&appended);
                }
            })?;
        }
        Ok(())
    }

    /// Appends the entries of an import and the one that closes it, and returns them without their
    /// rows. Their writes follow each other while the next are read; they mean nothing before the
    /// closing one, which is handed over last and so is on disk only when all are. `draft` places a
    /// kind; `watch` hears how many entries have been handed over.
    pub fn append_import(
        &mut self,
        import: Import,
        now: Now,
        watch: &mut dyn FnMut(u64),
    ) -> Result<Vec<Entry>, StoreError> {
        let Import { mut stage, draft, close } = import;
        stage.write_keys(&self.keys)?;
        let (reply, replies) = unbounded(); // One answer an entry.
        let mut placed = Vec::new();
        for kind in stage.into_kinds()? {
            let entry = self.placed(&draft, draft.kind.clone(), now);
            let body = codec::body_of(&entry.header, &kind?)?;
            self.hand_over(&entry, body, &reply)?;
            placed.push(entry);
            watch(placed.len() as u64);
        }
        let last = self.placed(&draft, close, now);
        self.hand_over(&last, codec::encode_entry(&last)?, &reply)?;
        placed.push(last);
        drop(reply);
        let flushed = self.journal.flush();
        self.answered(&replies)?;
        flushed?;
        Ok(placed)
    }

    /// Hands one entry of an import over; what it means waits in the journal, so the fold is told
    /// of the entry without its rows.
    fn hand_over(
        &mut self,
        entry: &Entry,
        body: Vec<u8>,
        reply: &Sender<Result<Appended, AppendError>>,
    ) -> Result<(), StoreError> {
        let record = Record { seq: entry.header.seq, month: month_of(&entry.header)?, body };
        let (taken, reply) = (self.when_synced(entry), reply.clone());
        let handed = self.journal.append_later(record, move |result| {
            if let Ok(appended) = &result {
                taken(appended);
            }
            let _ = reply.send(result); // Who waited has gone: the process ends.
        });
        if handed.is_err() {
            self.next_seq = self.journal.reader().head().seq + 1;
        }
        Ok(handed?)
    }

    /// Writes what `append_later` kept back.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        let flushed = self.journal.flush();
        self.next_seq = self.journal.reader().head().seq + 1;
        Ok(flushed?)
    }

    pub fn journal(&self) -> &JournalHandle {
        &self.journal
    }

    /// What happens on the journal thread once the entry is on disk: it goes on to the fold.
    fn when_synced(&self, entry: &Entry) -> impl FnOnce(&Appended) + Send + 'static {
        let (fold, progress) = (self.fold.clone(), self.progress.clone());
        let (entry, epoch) = (entry.clone(), self.epoch);
        move |appended| {
            progress.appended(entry.header.seq, &entry.kind);
            let place = Folded::at(epoch, &appended.checkpoint());
            fold.fold(Step { entry, place });
        }
    }

    fn answered(&mut self, replies: &Replies) -> Result<(), StoreError> {
        let mut failed = None;
        for reply in replies {
            failed = failed.or(reply.err());
        }
        match failed {
            None => Ok(()),
            Some(error) => {
                self.next_seq = self.journal.reader().head().seq + 1;
                Err(StoreError::Append(error.into()))
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
        let key = self.keys.signing_key()?;
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

    /// An erasure stands in the journal first; then the key goes.
    fn destroy_keys(&self, entries: &[Entry]) -> Result<(), StoreError> {
        for entry in entries {
            if let Kind::MemberSet(card) = &entry.kind
                && card.personal == Sealed::Erased
            {
                self.keys.erase_member(&card.code)?;
            }
        }
        Ok(())
    }
}

fn record(entry: &Entry) -> Result<Record, StoreError> {
    let month = month_of(&entry.header)?;
    Ok(Record { seq: entry.header.seq, month, body: codec::encode_entry(entry)? })
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
