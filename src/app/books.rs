//! The shop folder as the app uses it: one writer behind a lock, readers beside it.
//!
//! Room: app. May touch: the store. Invariant: a reader never waits for the disk behind a writer.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::command::Pin;
use crate::domain::entry::{Draft, Entry};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::register::{Cart, Now};
use crate::store::appending::Import;
use crate::store::cart_log::CartLog;
use crate::store::codec;
use crate::store::fault::StoreError;
use crate::store::keys::Keys;
use crate::store::pins::PinPolicy;
use crate::store::reader::Reader;
use crate::store::second_copy::CopyState;
use crate::store::shop::Shop;
use crate::store::staging::{Stage, Stager};
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
    stopped: AtomicBool,
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
            stopped: AtomicBool::new(false),
        }
    }

    /// Begins an import of about so many rows.
    ///
    /// # Errors
    /// The refusal when the keys cannot be read.
    pub fn stage(&self, wanted: u64) -> Result<(Stager, Stage), Refusal> {
        self.with_shop(|shop| shop.stage(wanted))
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
        self.with_shop(|shop| self.note_stop(shop.append_import(import, now, watch)))
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
        let (entries, hash) = self.with_shop(|shop| {
            if self.stopped.swap(false, Ordering::AcqRel) {
                // The disk had refused; its cause may be gone by now, without a restart.
                self.note_stop(shop.retry_open())?;
            }
            let entries = self.note_stop(shop.append(drafts, now))?;
            Ok((entries, shop.journal().head().hash.to_string()))
        })?;
        let last = entries.len().saturating_sub(1);
        let placed = entries.into_iter().enumerate();
        Ok(placed
            .map(|(place, entry)| Placed { entry, hash: (place == last).then(|| hash.clone()) })
            .collect())
    }

    /// Remembers that the journal stopped, so that the next act tries the disk again first.
    fn note_stop<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.as_ref().is_err_and(StoreError::has_stopped) {
            self.stopped.store(true, Ordering::Release);
        }
        result
    }

    pub fn keep_cart(&self, cart: &Cart) -> Result<(), Refusal> {
        self.with_shop(|shop| shop.keep_cart(cart))
    }

    /// Makes the cart survive a power cut, too; off the key path.
    pub fn sync_cart(&self) {
        // A cart that cannot be synced is still in the file: only a power cut could take it.
        let _ = self.cart.sync();
    }

    /// Makes everything durable that could wait.
    pub fn settle(&self) {
        // What cannot be settled is in the journal, and is folded again at the next start.
        let _ = self.with_shop(Shop::idle);
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

    /// Every entry of the lane's journal with its hash, oldest first.
    ///
    /// # Errors
    /// The first record that cannot be read.
    pub fn entries(&self) -> Result<Vec<(Entry, String)>, StoreError> {
        let record = |record: Result<crate::store::reader::Record, _>| {
            let record = record.map_err(|error: crate::store::reader::ReadError| {
                StoreError::Journal(error.to_string())
            })?;
            Ok((codec::decode_entry(&record.body)?, record.hash.to_string()))
        };
        self.journal.iter_from(1).map(record).collect()
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
