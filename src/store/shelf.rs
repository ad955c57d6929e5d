//! The store's database as its readers hold it: it may be made anew while the register runs.
//!
//! Room: store. May touch: std's lock. May not: disk.
//! Invariant: once cleared it stays empty; redb writes to its file when the last hold on it ends, so the
//! shop is not given up before that.

use std::sync::{Arc, PoisonError, RwLock};

use redb::{Database, ReadTransaction, ReadableDatabase};

use super::fault::StoreError;

/// The one place where the database of today is found.
pub struct Shelf(RwLock<Option<Arc<Database>>>);

impl Shelf {
    pub fn new(db: Arc<Database>) -> Self {
        Self(RwLock::new(Some(db)))
    }

    /// Begins to read what is on the shelf now.
    pub fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        self.with(|db| Ok(db.begin_read()?))
    }

    /// Asks the one of now, which stays on the shelf meanwhile.
    pub fn with<T>(
        &self,
        ask: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let shelf = self.0.read().unwrap_or_else(PoisonError::into_inner);
        ask(shelf.as_ref().ok_or(StoreError::Left)?)
    }

    /// Puts another in its place.
    pub fn put(&self, db: Arc<Database>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(db);
    }

    /// Takes it off for good.
    pub fn clear(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
