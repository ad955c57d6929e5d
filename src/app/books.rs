//! The shop folder as the app uses it: one writer behind a lock, readers beside it.
//!
//! Room: app. May touch: the store. Invariant: a reader never waits for the disk behind a writer.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::holding::{self, Holding};
use crate::domain::command::Pin;
use crate::domain::entry::{Draft, Entry};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::register::{Cart, Now};
use crate::store::appending::{Appender, Feed, Import, Posted};
use crate::store::cart_log::CartLog;
use crate::store::chain::{Epoch, Head};
use crate::store::codec;
use crate::store::fault::StoreError;
use crate::store::files::plain::PlainFiles;
use crate::store::history::History;
use crate::store::keys::Keys;
use crate::store::pins::PinPolicy;
use crate::store::reader::Reader;
use crate::store::second_copy::CopyState;
use crate::store::segment::Month;
use crate::store::shop::Shop;
use crate::store::staging::{Coming, Stage, Stager};
use crate::store::store_reader::StoreReader;

/// An entry in its place. The hash is known of the last one of a write.
#[derive(Debug, Clone)]
pub struct Placed {
    pub entry: Entry,
    hash: Option<String>,
}

impl Placed {
    pub fn new(entry: Entry, hash: String) -> Self {
        Self { entry, hash: Some(hash) }
    }

    /// The chain head after it, in hex; empty for one that another was written behind.
    pub fn hash_hex(&self) -> &str {
        self.hash.as_deref().unwrap_or_default()
    }
}

fn placed(entries: Vec<Entry>, head: Head) -> Vec<Placed> {
    let last = entries.len().saturating_sub(1);
    let hash = |place| (place == last).then(|| head.hash.to_string());
    let places = entries.into_iter().enumerate();
    places.map(|(place, entry)| Placed { entry, hash: hash(place) }).collect()
}

/// Remembers that the journal stopped, so that the next act tries the disk again first.
fn note_stop<T>(stopped: &AtomicBool, result: Result<T, StoreError>) -> Result<T, StoreError> {
    if result.as_ref().is_err_and(StoreError::has_stopped) {
        stopped.store(true, Ordering::Release);
    }
    result
}

/// What one command wrote.
#[derive(Debug, Clone, Default)]
pub struct Booked {
    pub placed: Vec<Placed>,
    /// Backups that can still show the member whom it erased.
    pub holding: Vec<Holding>,
}

/// What one command writes.
#[derive(Debug, Clone)]
pub struct Act {
    pub drafts: Vec<Draft>,
    /// Put on file (or taken away) before the entries that say so.
    pub pins: Vec<(u32, Option<Pin>)>,
    pub now: Now,
}

/// How far the second copy is behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopyLag {
    pub entries: u64,
    pub broken: bool,
}

/// Whose PINs may be as weak as those of the sample shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopKind {
    Real,
    Sample,
}

impl ShopKind {
    pub const fn pins(self) -> PinPolicy {
        match self {
            Self::Real => PinPolicy::Guarded,
            Self::Sample => PinPolicy::Sample,
        }
    }
}

pub struct Books {
    shop: Mutex<Option<Shop>>,
    reader: StoreReader,
    journal: Reader,
    cart: CartLog,
    keys: Arc<Keys>,
    dir: PathBuf,
    stopped: Arc<AtomicBool>,
}

impl Books {
    pub fn new(shop: Shop, dir: &Path) -> Self {
        Self {
            reader: shop.reader().clone(),
            journal: shop.journal().clone(),
            cart: shop.cart_log().clone(),
            keys: Arc::clone(shop.keys()),
            shop: Mutex::new(Some(shop)),
            dir: dir.to_owned(),
            stopped: Arc::default(),
        }
    }

    /// Begins an import.
    ///
    /// # Errors
    /// The refusal when the keys cannot be read.
    pub fn stage(&self, coming: Coming) -> Result<(Stager, Stage), Refusal> {
        self.with_shop(|shop| shop.stage(coming))
    }

    /// Writes an import: all of it counts, or nothing.
    ///
    /// # Errors
    /// Why its last entry is not on the disk; then nothing of it happened.
    pub fn append_import(
        &self,
        import: Import,
        now: Now,
        watch: &mut dyn FnMut(u64),
    ) -> Result<Vec<Entry>, Refusal> {
        self.with_shop(|shop| note_stop(&self.stopped, shop.append_import(import, now, watch)))
    }

    /// Writes an import batch by batch; the counter's acts come between. Returns its last entry.
    ///
    /// # Errors
    /// Why its last entry is not on the disk; then nothing of it happened.
    pub fn feed_import(
        &self,
        import: Import,
        now: &dyn Fn() -> Now,
        watch: &mut dyn FnMut(u64),
    ) -> Result<u64, Refusal> {
        let mut feed = Feed::beside(import, &self.keys)?;
        while !feed.is_over() {
            self.with_shop(|shop| note_stop(&self.stopped, shop.feed(&mut feed, now())))?;
            // One at a time: an act at the counter waits behind no more than it.
            note_stop(&self.stopped, feed.settle(0))?;
            watch(feed.entries());
        }
        Ok(feed.last())
    }

    pub fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    pub fn cart_log(&self) -> &CartLog {
        &self.cart
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A panic elsewhere leaves the shop as the journal has it: there is nothing half done to fear.
    fn shop(&self) -> MutexGuard<'_, Option<Shop>> {
        self.shop.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_shop<T>(
        &self,
        act: impl FnOnce(&mut Shop) -> Result<T, StoreError>,
    ) -> Result<T, Refusal> {
        match self.shop().as_mut() {
            Some(shop) => act(shop).map_err(Refusal::from),
            None => Err(RefusalCode::Damaged.into()),
        }
    }

    /// Writes the entries of one act: one write, one sync.
    ///
    /// # Errors
    /// Why it is not on the disk; then nothing of it happened.
    pub fn append(&self, drafts: &[Draft], now: Now) -> Result<Vec<Placed>, Refusal> {
        let (entries, head) = self.with_shop(|shop| {
            if self.stopped.swap(false, Ordering::AcqRel) {
                // The disk had refused; its cause may be gone by now, without a restart.
                note_stop(&self.stopped, shop.retry_open())?;
            }
            let entries = note_stop(&self.stopped, shop.append(drafts, now))?;
            Ok((entries, shop.journal().head()))
        })?;
        Ok(placed(entries, head))
    }

    /// Hands an act to the disk; `done` hears of its end, on another thread. An act that has to wait
    /// for more than its own sync (a PIN, a member's key, a look through the backups, a disk that had
    /// stopped) waits there.
    ///
    /// # Errors
    /// Why it could not be handed over; then `done` is never called.
    pub fn begin(
        self: &Arc<Self>,
        act: Act,
        done: impl FnOnce(Result<Booked, Refusal>) + Send + 'static,
    ) -> Result<(), Refusal> {
        let stopped = self.stopped.load(Ordering::Acquire);
        let erases = holding::erased(&act.drafts).next().is_some();
        if stopped || erases || !act.pins.is_empty() || !Appender::is_prompt(&act.drafts) {
            let books = Arc::clone(self);
            let write = move || done(books.write(&act));
            let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(write);
            return thread.map(drop).map_err(|error| StoreError::from(error).into());
        }
        let stopped = Arc::clone(&self.stopped);
        let done = move |posted: Result<Posted, StoreError>| {
            let posted = note_stop(&stopped, posted).map_err(Refusal::from);
            let placed = posted.map(|posted| placed(posted.entries, posted.head));
            done(placed.map(|placed| Booked { placed, holding: Vec::new() }));
        };
        self.with_shop(|shop| shop.begin(&act.drafts, act.now, done))
    }

    /// Writes an act and waits for it: PINs first, so that the journal never says what is not so.
    ///
    /// # Errors
    /// Why it is not on the disk.
    pub fn write(&self, act: &Act) -> Result<Booked, Refusal> {
        for (staff, pin) in &act.pins {
            self.set_pin(*staff, pin.as_ref(), ShopKind::Real)?;
        }
        let placed = self.append(&act.drafts, act.now)?;
        let held = holding::erased(&act.drafts).map(|member| holding::holding(&self.dir, member));
        // The member is erased, whatever the folder of the backups says.
        let holding = held.flat_map(Result::unwrap_or_default).collect();
        Ok(Booked { placed, holding })
    }

    pub fn keep_cart(&self, cart: &Cart) -> Result<(), Refusal> {
        self.with_shop(|shop| shop.keep_cart(cart))
    }

    /// Makes the cart survive a power cut, too, and notes that a register works here; off the key
    /// path.
    pub fn sync_cart(&self) {
        // A cart that cannot be synced is still in the file: only a power cut could take it.
        let _ = self.cart.opened();
    }

    /// Makes a sale taken back from its slip durable before the slip is gone: a power cut between the
    /// two would lose a whole sale.
    ///
    /// # Errors
    /// The refusal when the disk did not take it; the slip then stays.
    pub fn sync_resumed(&self) -> Result<(), Refusal> {
        self.cart.sync().map_err(|error| StoreError::from(error).into())
    }

    /// Makes everything durable that could wait.
    pub fn settle(&self) {
        // What cannot be settled is in the journal, and is folded again at the next start.
        let _ = self.with_shop(Shop::idle);
    }

    /// Has the disk made ready for the sales of the day.
    pub fn keep_room(&self) {
        if let Some(shop) = self.shop().as_ref() {
            shop.keep_room();
        }
    }

    pub fn reader(&self) -> &StoreReader {
        &self.reader
    }

    pub fn journal(&self) -> &Reader {
        &self.journal
    }

    /// The hash of an entry, in hex.
    pub fn hash_of(&self, seq: u64) -> Option<String> {
        self.journal.read(seq).ok().map(|record| record.hash.to_string())
    }

    /// An entry of the lane's journal with its hash.
    pub fn entry(&self, seq: u64) -> Option<(Entry, String)> {
        let record = self.journal.read(seq).ok()?;
        Some((codec::decode_entry(&record.body).ok()?, record.hash.to_string()))
    }

    /// Returns every entry of the lane's journals with its hash, oldest first, each read when it is asked
    /// for; the first record that cannot be read is the last.
    ///
    /// # Errors
    /// When the journal of an epoch before a restore cannot be opened.
    pub fn entries(
        &self,
    ) -> Result<impl Iterator<Item = Result<(Entry, String), StoreError>>, StoreError> {
        let records = self.journals()?.into_iter().flat_map(|journal| journal.iter_from(1));
        Ok(records.map(|record| {
            let record = record?;
            Ok((codec::decode_entry(&record.body)?, record.hash.to_string()))
        }))
    }

    /// Returns the entries of the lane's journals from a month of business dates on, each read when it is
    /// asked for.
    ///
    /// # Errors
    /// As those of `entries`.
    pub fn entries_from(
        &self,
        month: Month,
    ) -> Result<impl Iterator<Item = Result<Entry, StoreError>>, StoreError> {
        let journals = self.journals()?.into_iter();
        let records = journals.flat_map(move |journal| journal.iter_from_month(month));
        Ok(records.map(|record| Ok(codec::decode_entry(&record?.body)?)))
    }

    /// The lane's journals: of the epochs before a restore or a repair, and the one that grows.
    fn journals(&self) -> Result<Vec<Reader>, StoreError> {
        let history = History::new(Arc::new(PlainFiles), &self.dir);
        let own = self.journal.id();
        let former = |(lane, epoch): &(u8, Epoch)| *lane == own.lane() && *epoch < own.epoch();
        let former = history.journals()?.into_iter().filter(former);
        let mut journals = former
            .map(|(lane, epoch)| history.reader(lane, epoch))
            .collect::<Result<Vec<_>, _>>()?;
        journals.push(self.journal.clone());
        Ok(journals)
    }

    /// Puts a PIN on file, or takes it away.
    ///
    /// # Errors
    /// A PIN that anyone would guess, or a file that cannot be written.
    pub fn set_pin(&self, staff: u32, pin: Option<&Pin>, kind: ShopKind) -> Result<(), Refusal> {
        self.keys.set_pin(staff, pin, kind.pins()).map_err(Refusal::from)
    }

    /// How far the second copy is behind; absent without one. Never waits for a writer.
    pub fn copy_lag(&self) -> Option<CopyLag> {
        let shop = self.shop.try_lock().ok()?;
        let copy = shop.as_ref()?.copy()?;
        let broken = !matches!(copy.state(), CopyState::Starting | CopyState::Following);
        Some(CopyLag { entries: copy.lag().entries, broken })
    }

    /// Leaves in order: everything synced, folded, settled and copied.
    pub fn close(&self) {
        if let Some(shop) = self.shop().take() {
            // The journal has everything that was acknowledged, whatever fails here.
            let _ = shop.close();
        }
    }
}
