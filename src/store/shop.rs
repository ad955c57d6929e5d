//! A shop, opened: lock, journal, store, keys and cart, in the order that makes each of them safe.
//!
//! Room: store. May touch: the shop folder. May not: clock, chance (both are handed in).
//! Invariant: the journal is opened before the store is believed, and what it holds beyond the store
//! is folded before anyone asks; nothing damaged stands between a cashier and the first key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::Database;

use super::appending::{Appender, AppenderParts, Feed, Import, Posted};
use super::cart_keeper::CartKeeper;
use super::cart_log::CartLog;
use super::chain::{Epoch, Head, JournalId};
use super::codec;
use super::fault::StoreError;
use super::files::Files;
use super::folding::Folder;
use super::history::History;
use super::journal::{Journal, RESERVE_NAME};
use super::journal_thread::JournalThread;
use super::keys::{Chance, Keys};
use super::lanes::Folded;
use super::mending::{Mending, agrees};
use super::opening::{Known, OpenReport, TailFound};
use super::progress::Progress;
use super::projections::{self, STORE_NAME, Watch};
use super::reader::Reader;
use super::reserve;
use super::restore::{due_of, finish_interrupted};
use super::second_copy::{CopyPlace, SecondCopy};
use super::segment::SegmentName;
use super::shelf::Shelf;
use super::shop_lock::{LockError, ShopLock};
use super::staging::{self, Coming, Stage, Stager};
use super::store_reader::StoreReader;
use super::store_thread::StoreThread;
use crate::domain::entry::{Clock, Draft, Entry, Header, Kind};
use crate::domain::lane::LaneState;
use crate::domain::register::{Cart, Lookup, Now};
use crate::domain::settings::{Settings, SettingsChange};

/// The names of the files beside `journal/` and `store.redb`.
pub const KEYS_NAME: &str = "keys.redb";
pub const CART_NAME: &str = "cart.log";

/// Entries at the end of the journal in which the open cart may already stand.
const CART_LOOK_BACK: u64 = 64;

/// Where a shop lies and what it needs from outside.
#[derive(Clone)]
pub struct ShopPlace {
    pub files: Arc<dyn Files>,
    pub dir: PathBuf,
    pub lane: u8,
    pub chance: Chance,
    /// Left in the lock for whoever comes second.
    pub pid: u32,
    pub copy: Option<CopyPlace>,
    /// Disk space kept back, in bytes.
    pub reserve_bytes: u64,
}

/// An open shop: the one writer of its folder.
pub struct Shop {
    appender: Appender,
    reader: StoreReader,
    cart: CartKeeper,
    keys: Arc<Keys>,
    store: StoreThread,
    copy: Option<SecondCopy>,
    journal: JournalThread,
    files: Arc<dyn Files>,
    dir: PathBuf,
    /// Last: everything above has ended when the folder is given up.
    _hold: Hold,
}

/// The shop's folder is ours. However the shop ends, and whoever still has a way to ask it (a backup
/// on its way, a report), both databases are closed before another register may open them.
struct Hold {
    keys: Arc<Keys>,
    shelf: Arc<Shelf>,
    _lock: ShopLock,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.shelf.clear();
        // Whatever its disk fails here, it is read as it was synced.
        let _ = self.keys.close();
    }
}

/// What was found, for the register to begin with.
pub struct Opened {
    pub shop: Shop,
    pub settings: Settings,
    pub lane: LaneState,
    /// Empty when its sale is already in the journal.
    pub cart: Cart,
    /// The last register did not leave in order: check the last line.
    pub unclean: bool,
    /// The store was made anew.
    pub rebuilt: bool,
    /// Entries whose papers were begun and not ended: perhaps printed.
    pub printing: std::collections::BTreeSet<u64>,
    /// When and by which clock the last entry was written.
    pub last: Option<(i64, Clock)>,
    pub report: OpenReport,
}

impl ShopPlace {
    pub(super) fn history(&self) -> History {
        History::new(self.files.clone(), &self.dir)
    }

    /// Returns whether there is a journal of this lane.
    pub fn exists(&self) -> Result<bool, StoreError> {
        Ok(self.history().journals()?.iter().any(|(lane, _)| *lane == self.lane))
    }

    /// Makes a shop with its first entries: the founding, and the settings it begins with.
    ///
    /// # Errors
    /// `Folder` when the lane has a journal already.
    pub fn create(
        &self,
        shop_id: u64,
        name: &str,
        settings: SettingsChange,
        now: Now,
        watch: Watch<'_>,
    ) -> Result<Opened, StoreError> {
        if self.exists()? {
            return Err(StoreError::Folder("there is a shop already"));
        }
        let id = JournalId::new(&format!("{shop_id:016x}"), self.lane, Epoch::FIRST);
        let id = id.ok_or(StoreError::Folder("no such lane"))?;
        let mut opened = self.open_journal(self.lock()?, &id, watch)?;
        let business_date = now.civil_date();
        let draft = |kind| Draft { business_date, staff: 0, training: false, kind };
        let mut founding = vec![draft(Kind::ShopFounded { name: name.to_owned() })];
        founding.extend(settings.into_kinds().into_iter().map(draft));
        let entries = opened.shop.append(&founding, now)?;
        let last = entries.last().map_or(0, |entry| entry.header.seq);
        opened.shop.reader.wait_folded(last)?;
        opened.settings = opened.shop.reader.settings()?;
        let lane = opened.shop.reader.lane(self.lane)?;
        opened.lane = lane.unwrap_or_else(|| LaneState::new(self.lane));
        Ok(opened)
    }

    /// Opens the shop. `watch` hears of a long fold.
    ///
    /// # Errors
    /// `Busy` when another register holds it, `Folder` when there is none, `EpochDue` when numbers that
    /// were perhaps used already must not be used again.
    pub fn open(&self, watch: Watch<'_>) -> Result<Opened, StoreError> {
        match self.open_once(&mut *watch) {
            // A disk that filled up while the shop was closed: its day must be closed all the same.
            Err(error) if error.is_full() && self.reserve_bytes > 0 && self.gave_reserve() => {
                Self { reserve_bytes: 0, ..self.clone() }.open_once(watch)
            }
            opened => opened,
        }
    }

    /// Gives the reserve of a shop that is not open; returns whether there was any.
    fn gave_reserve(&self) -> bool {
        reserve::give_back(&*self.files, &self.dir.join("journal").join(RESERVE_NAME))
    }

    fn open_once(&self, watch: Watch<'_>) -> Result<Opened, StoreError> {
        if self.files.list(&self.dir.join("journal"))?.is_empty() {
            return Err(StoreError::Folder("no shop"));
        }
        let lock = self.lock()?;
        finish_interrupted(&*self.files, &self.dir)?;
        let due = due_of(&*self.files, &self.dir, self.lane)?;
        if due.is_some_and(|due| self.epochs().is_ok_and(|all| all.last() <= Some(&due.epoch))) {
            return Err(StoreError::EpochDue);
        }
        let opened = self.open_newest(lock, watch)?;
        if is_begun_in_vain(opened.shop.journal()) {
            opened.shop.close()?;
            return Err(StoreError::EpochDue);
        }
        Ok(opened)
    }

    /// Takes the folder, or says who has it. Nothing of a shop is replaced without it.
    pub(super) fn lock(&self) -> Result<ShopLock, StoreError> {
        Ok(ShopLock::take(&*self.files, &self.dir, self.pid)?)
    }

    pub(super) fn open_newest(
        &self,
        lock: ShopLock,
        watch: Watch<'_>,
    ) -> Result<Opened, StoreError> {
        let history = self.history();
        let epoch = self.epochs()?.pop().ok_or(StoreError::Folder("no shop"))?;
        let id = history.id(self.lane, epoch)?.ok_or(StoreError::Folder("no readable journal"))?;
        self.open_journal(lock, &id, watch)
    }

    /// The lane's epochs, oldest first.
    pub(super) fn epochs(&self) -> Result<Vec<Epoch>, StoreError> {
        let journals = self.history().journals()?.into_iter();
        Ok(journals.filter(|(lane, _)| *lane == self.lane).map(|(_, epoch)| epoch).collect())
    }

    /// Opens the keys; only a shop without an entry may have none.
    fn keys(&self, journal: &Path) -> Result<Keys, StoreError> {
        let path = self.dir.join(KEYS_NAME);
        let names = self.files.list(journal)?;
        let has_entries = names.iter().any(|name| SegmentName::parse(name).is_some());
        match has_entries {
            true => Keys::open_existing(self.files.clone(), &path, self.chance.clone()),
            false => self.fresh_keys(&path),
        }
    }

    pub(super) fn fresh_keys(&self, path: &Path) -> Result<Keys, StoreError> {
        Keys::open(self.files.clone(), path, self.chance.clone())
    }

    pub(super) fn open_journal(
        &self,
        lock: ShopLock,
        id: &JournalId,
        watch: Watch<'_>,
    ) -> Result<Opened, StoreError> {
        let dir = self.dir.join("journal");
        let keys = Arc::new(self.keys(&dir)?);
        let (cart_log, found) = CartLog::open(self.files.clone(), &self.dir.join(CART_NAME))?;

        let store_path = self.dir.join(STORE_NAME);
        let stored = projections::open(&*self.files, &store_path);
        let epoch = u16::from(id.epoch().place());
        let witnessed = stored.as_ref().and_then(|db| projections::witnessed(db, self.lane));
        let known = known(witnessed.filter(|last| last.epoch == epoch), found.witness);
        let (journal, report) =
            Journal::open(self.files.clone(), &dir, id, known, self.reserve_bytes)?;
        let journal_reader = journal.reader();
        // A journal that a witness contradicts is no ground to throw the witness away.
        let accused = matches!(report.tail, TailFound::Damaged(_));
        let believed = stored.filter(|_| accused || agrees(&journal_reader, witnessed, epoch));
        let rebuilt = believed.is_none();
        let db = match believed {
            Some(db) => db,
            None => projections::create(&*self.files, &store_path)?,
        };
        let caught_up = match self.caught_up(db, &keys, watch) {
            // Damaged where it had not been read yet.
            Err(error) if error.is_of_projections() && !rebuilt => {
                self.caught_up(projections::create(&*self.files, &store_path)?, &keys, watch)
            }
            caught_up => caught_up,
        };
        let (db, folder) = caught_up?;

        let (mut cart, came_back) = CartKeeper::new(cart_log, &found.changes);
        let (settings, lane) = (folder.settings().clone(), folder.lane(self.lane));
        let began_after = found.witness.map_or(0, |head| head.seq);
        let open_cart = if has_ended(&came_back, began_after, &journal_reader, &lane)? {
            cart.keep(&Cart::default(), journal_reader.head())?; // Not asked again next time.
            Cart::default()
        } else {
            came_back
        };
        let newest = last_header(&journal_reader)?;
        let last = newest.as_ref().map(|header| (header.at_ms, header.clock));
        let stamp = newest.map_or(0, |header| header.stamp);
        let shop = self.start(id, lock, keys, journal, folder, db, cart, stamp)?;
        let (unclean, printing) = (found.unclean, found.printing);
        let cart = with_known_member(open_cart, &shop.reader)?;
        Ok(Opened { shop, settings, lane, cart, unclean, rebuilt, printing, last, report })
    }

    /// Folds what the store lacks, and takes out what a register that was killed had still to.
    fn caught_up(
        &self,
        db: Database,
        keys: &Arc<Keys>,
        watch: Watch<'_>,
    ) -> Result<(Arc<Database>, Folder), StoreError> {
        let (db, history) = (Arc::new(db), self.history());
        let folder = projections::catch_up(&db, keys, &history, watch)?;
        match projections::without_erased(&*self.files, &self.dir.join(STORE_NAME), &db)? {
            None => Ok((db, folder)),
            Some(fresh) => {
                let fresh = Arc::new(fresh);
                let folder = projections::catch_up(&fresh, keys, &history, watch)?;
                Ok((fresh, folder))
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a shop, each used once, here")]
    fn start(
        &self,
        id: &JournalId,
        lock: ShopLock,
        keys: Arc<Keys>,
        journal: Journal,
        folder: Folder,
        db: Arc<Database>,
        cart: CartKeeper,
        last_stamp: u64,
    ) -> Result<Shop, StoreError> {
        let reader = journal.reader();
        let progress = Arc::new(Progress::new(reader.head().seq));
        let copy = self
            .copy
            .clone()
            .map(|place| SecondCopy::start(reader.clone(), Some(keys.clone()), place));
        let copy = copy.transpose()?;
        let journal = JournalThread::start(journal)?;
        let shelf = Arc::new(Shelf::new(db));
        let mending = Mending {
            history: self.history(),
            path: self.dir.join(STORE_NAME),
            lane: self.lane,
            epoch: u16::from(id.epoch().place()),
            keys: keys.clone(),
            journal: journal.handle(),
            shelf: shelf.clone(),
        };
        let store = StoreThread::start(folder, mending, progress.clone())?;
        let shop_id = u64::from_str_radix(id.shop(), 16);
        let appender = Appender::new(AppenderParts {
            journal: journal.handle(),
            keys: keys.clone(),
            progress: progress.clone(),
            fold: store.sender(),
            copy: copy.as_ref().and_then(SecondCopy::poker),
            shop: shop_id.map_err(|_| StoreError::Folder("a journal of another program"))?,
            lane: self.lane,
            epoch: u16::from(id.epoch().place()),
            last_stamp,
        });
        let hold = Hold { keys: keys.clone(), shelf: shelf.clone(), _lock: lock };
        let reader = StoreReader { db: shelf, keys: keys.clone(), progress, store: store.sender() };
        let (files, dir) = (self.files.clone(), self.dir.clone());
        Ok(Shop { appender, reader, cart, keys, store, copy, journal, files, dir, _hold: hold })
    }
}

/// Whether a later epoch has no entry yet: its first one says why it began.
pub(super) fn is_begun_in_vain(journal: &Reader) -> bool {
    journal.id().epoch() != Epoch::FIRST && journal.head().seq == 0
}

/// What is known of the journal's head before it is opened.
pub(super) fn known(stored: Option<Folded>, cart: Option<Head>) -> Known {
    let stored_head = stored.map(|last| last.head());
    let witness = [stored_head, cart].into_iter().flatten().max_by_key(|head| head.seq);
    Known { checkpoint: stored.and_then(|last| last.checkpoint()), witness }
}

/// Returns whether a cart that came back is of a sale that the journal has the end of. Without a line
/// it bears no id yet (a member, a quantity keyed ahead): then any end since it began was its own.
fn has_ended(
    cart: &Cart,
    began_after: u64,
    reader: &Reader,
    lane: &LaneState,
) -> Result<bool, StoreError> {
    let parked = |id| lane.suspended.values().any(|slip| slip.cart.id == id);
    if cart.is_empty() || (cart.has_sale() && parked(cart.id)) {
        return Ok(!cart.is_empty());
    }
    let look_back = reader.head().seq.saturating_sub(CART_LOOK_BACK);
    let from = if cart.has_sale() { look_back } else { look_back.max(began_after) };
    for record in reader.iter_from(from + 1) {
        let record = record?;
        let ended = match codec::decode_entry(&record.body)?.kind {
            Kind::SaleClosed(sale) => Some(sale.id),
            Kind::SaleVoided { id, .. } => Some(id),
            // Its last line was taken off; what was keyed ahead for the next sale stays.
            Kind::NoSaleCame { id, .. } if cart.has_sale() => Some(id),
            // No end of a cart with lines: what was taken back from its slip is open again.
            Kind::SaleSuspended { cart: parked, .. } if !cart.has_sale() => Some(parked.id),
            _ => None,
        };
        if ended.is_some_and(|id| id == cart.id || !cart.has_sale()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A disk that lost a member's entry after it had said that it was written leaves the cart with a card
/// that nobody has. A return keeps its member: who was erased since is known to it all the same.
fn with_known_member(mut cart: Cart, reader: &StoreReader) -> Result<Cart, StoreError> {
    let is_return = cart.lines.iter().any(|line| line.origin.is_some());
    if let Some(member) = cart.member.as_ref().filter(|_| !is_return)
        && reader.member(&member.code)?.is_none()
    {
        cart.member = None;
        cart.points_used = 0;
    }
    Ok(cart)
}

fn last_header(reader: &Reader) -> Result<Option<Header>, StoreError> {
    match reader.head().seq {
        0 => Ok(None),
        seq => {
            let record = reader.read(seq);
            let record = record?;
            Ok(Some(codec::decode_entry(&record.body)?.header))
        }
    }
}

impl Shop {
    /// Appends the entries of one act and waits: one write, one sync, then the fold follows.
    pub fn append(&mut self, drafts: &[Draft], now: Now) -> Result<Vec<Entry>, StoreError> {
        self.appender.append(drafts, now)
    }

    /// Hands the entries of one act to the journal thread, which calls `done` at their end.
    ///
    /// # Errors
    /// What keeps them from being handed over; then `done` is never called.
    pub fn begin(
        &mut self,
        drafts: &[Draft],
        now: Now,
        done: impl FnOnce(Result<Posted, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        self.appender.begin(drafts, now, done)
    }

    /// Begins an import: what makes its entries ready, and where they wait.
    pub fn stage(&self, coming: Coming) -> Result<(Stager, Stage), StoreError> {
        let (stager, stage, arriving) = staging::begin(&self.keys, &self.dir, coming)?;
        if let Some(arriving) = arriving {
            self.appender.sort_in_ahead(arriving);
        }
        Ok((stager, stage))
    }

    /// Appends an import: all of it counts once its last entry is on disk.
    pub fn append_import(
        &mut self,
        import: Import,
        now: Now,
        watch: &mut dyn FnMut(u64),
    ) -> Result<Vec<Entry>, StoreError> {
        self.appender.append_import(import, now, watch)
    }

    /// Appends the next batch of an import that other acts may come between.
    pub fn feed(&mut self, feed: &mut Feed, now: Now) -> Result<(), StoreError> {
        self.appender.feed(feed, now)
    }

    /// Keeps the open cart, before it is shown.
    pub fn keep_cart(&mut self, cart: &Cart) -> Result<(), StoreError> {
        let head = self.appender.journal().reader().head();
        match self.cart.keep(cart, head) {
            // The open sale may always finish: that is what the reserve is for.
            Err(error) if error.is_full() && self.appender.journal().release_reserve() => {
                self.cart.keep(cart, head)
            }
            kept => kept,
        }
    }

    /// The cart's file: to sync off the key path, and to note print jobs.
    pub fn cart_log(&self) -> &CartLog {
        self.cart.log()
    }

    /// Makes everything durable that could wait: call it when no key has come for a while.
    pub fn idle(&mut self) -> Result<(), StoreError> {
        self.appender.flush()?;
        if self.cart.log().is_long() {
            self.cart.log().compact()?;
        }
        // There may be room again; without it the shop sells all the same.
        let _ = self.appender.journal().restore_reserve();
        self.appender.journal().refill_room();
        Ok(())
    }

    /// Has the journal keep room ahead: for a register that sells all day.
    pub fn keep_room(&self) {
        self.appender.journal().keep_room();
    }

    pub fn reader(&self) -> &StoreReader {
        &self.reader
    }

    pub fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    /// The journal as it lies on disk.
    pub fn journal(&self) -> &Reader {
        self.appender.journal().reader()
    }

    pub fn copy(&self) -> Option<&SecondCopy> {
        self.copy.as_ref()
    }

    /// Tries to go on after the disk had stopped the journal.
    pub fn retry_open(&self) -> Result<(), StoreError> {
        Ok(self.appender.journal().retry_open()?)
    }

    /// Leaves in order: everything synced, folded, settled and copied, and no byte left of whom was
    /// erased.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.appender.flush()?;
        self.cart.log().close(self.appender.journal().reader().head())?;
        self.store.settle()?;
        drop(self.appender);
        let path = self.dir.join(STORE_NAME);
        self.reader.db.with(|db| projections::without_erased(&*self.files, &path, db))?;
        self.journal.end();
        if let Some(copy) = self.copy {
            copy.finish();
        }
        Ok(())
    }
}

impl From<LockError> for StoreError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { pid } => Self::Busy { holder: pid },
            LockError::Io(error) => Self::File(error),
        }
    }
}
