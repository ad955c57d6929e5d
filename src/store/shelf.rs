//! The store's database as its readers hold it: it may be made anew while the register runs.
//!
//! Room: store. May touch: std's lock. May not: disk.

use std::sync::{Arc, PoisonError, RwLock};

use redb::{Database, ReadTransaction, ReadableDatabase};

use super::fault::StoreError;

/// The one place where the database of today is found.
pub struct Shelf(RwLock<Arc<Database>>);

impl Shelf {
    pub fn new(db: Arc<Database>) -> Self {
        Self(RwLock::new(db))
    }

    /// Begins to read what is on the shelf now.
    pub fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        Ok(self.0.read().unwrap_or_else(PoisonError::into_inner).begin_read()?)
    }

    /// Returns the one of now.
    pub fn now(&self) -> Arc<Database> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another in its place.
    pub fn put(&self, db: Arc<Database>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = db;
    }
}
