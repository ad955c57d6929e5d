//! Why the store could not do what was asked.
//!
//! Room: store. May touch: std. May not: wording.
//! Invariant: one variant per different next step.

use std::io;

use super::codec::CodecError;
use super::journal_thread::HandOverError;
use crate::domain::refusal::{Refusal, RefusalCode};

/// What went wrong between a caller and the shop folder.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The projections cannot be read or written: rebuild them from the journal.
    #[error("the store: {0}")]
    Projections(#[source] Box<redb::Error>),
    /// A body or a value is not what was written.
    #[error("a record does not decode: {0}")]
    Codec(#[from] CodecError),
    /// The journal did not take an entry.
    #[error(transparent)]
    Append(#[from] HandOverError),
    /// The journal cannot be read, or the fold behind it has failed.
    #[error("the journal: {0}")]
    Journal(String),
    #[error(transparent)]
    File(#[from] io::Error),
    /// An entry came that does not follow the last one folded.
    #[error("lane {lane}: entry {found} given where {next} is next")]
    Gap { lane: u8, next: u64, found: u64 },
    /// An entry of the journal contradicts what was folded before it.
    #[error("entry {seq} does not fit: {what}")]
    Unfit { seq: u64, what: String },
    /// A member's data must be sealed, and the key is gone.
    #[error("the key of member {code} was destroyed")]
    Erased { code: String },
    /// Another register holds the shop.
    #[error("the shop is in use{}", holder.map(|pid| format!(" by process {pid}")).unwrap_or_default())]
    Busy { holder: Option<u32> },
    /// There is no shop in the folder, or there is one where none may be.
    #[error("{0}")]
    Folder(&'static str),
    /// A backup is not what was written.
    #[error("the backup: {0}")]
    Backup(&'static str),
    /// A refusal the caller words.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
}

/// redb answers with seven error types; to a caller they are one.
macro_rules! from_redb {
    ($($error:ty),*) => {
        $(impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Projections(Box::new(error.into()))
            }
        })*
    };
}

from_redb!(
    redb::Error,
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError,
    redb::SetDurabilityError
);

/// The register answers "damaged" and rebuilds; what was wrong is for the log.
impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refusal) => refusal,
            StoreError::Busy { .. } => Self::new(RefusalCode::Busy),
            other => Self::new(RefusalCode::Damaged).with("what", other),
        }
    }
}
