//! Why the store could not do what was asked.
//!
//! Room: store. May touch: std. May not: wording.
//! Invariant: one variant per different next step.

use std::io;

use super::catalog::{Damage, Why};
use super::codec::CodecError;
use super::journal::{AppendError, DiskFault};
use super::journal_thread::HandOverError;
use super::reader::ReadError;
use super::rebuild::RebuildError;
use super::repair::Missing;
use crate::domain::refusal::{Refusal, RefusalCode};

/// What went wrong between a caller and the shop folder.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The projections cannot be read or written: rebuild them from the journal.
    #[error("the store: {0}")]
    Projections(#[source] Box<redb::Error>),
    /// The keys cannot be read: bring them back from a backup.
    #[error("keys.redb: {0}")]
    Keys(String),
    /// A body or a value is not what was written.
    #[error("a record does not decode: {0}")]
    Codec(#[from] CodecError),
    /// The journal did not take an entry.
    #[error(transparent)]
    Append(#[from] HandOverError),
    /// The journal cannot be read.
    #[error("the journal: {0}")]
    Journal(String),
    /// The journal is not what was written.
    #[error("the journal: {0}")]
    Damaged(Damage),
    /// So is its second copy.
    #[error("the copy: {0}")]
    CopyDamaged(Damage),
    /// The journal holds an entry behind the copy's last, and nobody can prove it.
    #[error("the journal knows entry {journal}, the copy only {copy}")]
    WouldShorten { journal: u64, copy: u64 },
    /// The fold behind the journal has failed: what is looked up would be of before.
    #[error("the store: {0}")]
    Folding(String),
    /// What was done since an import cannot be looked up before it is sorted in.
    #[error("an import is being sorted in")]
    SortingIn,
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
    /// The journal was brought back, or its new epoch begun in vain: `ShopPlace::begin_epoch` first.
    #[error("a restore was not finished: open the register once")]
    EpochDue,
    /// The journal lacks entries that the store or the cart's file knows of.
    #[error("entries {} to {} are missing", .0.first, .0.last)]
    Missing(Missing),
    /// Another register holds the shop.
    #[error("the shop is in use{}", holder.map(|pid| format!(" by process {pid}")).unwrap_or_default())]
    Busy { holder: Option<u32> },
    /// The register has closed the shop; who still asks comes too late.
    #[error("the shop is closed")]
    Left,
    /// There is no shop in the folder, or there is one where none may be. What is worded as `what.…`.
    #[error("{0}")]
    Folder(&'static str),
    /// Where the second copy should lie, there is none of this lane.
    #[error("no second copy")]
    NoCopy,
    /// A backup is not what was written; worded as `what.…`.
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
    redb::CursorError,
    redb::SetDurabilityError
);

impl StoreError {
    /// What there is to say of it within a sentence.
    pub fn reason(&self) -> String {
        match self {
            // Without the name of its kind: so it is found among the words.
            Self::Folder(what) | Self::Backup(what) => (*what).to_owned(),
            other => other.to_string(),
        }
    }

    /// Whether the disk is full: selling goes on by itself once there is room.
    pub fn is_full(&self) -> bool {
        match self {
            Self::File(error) => super::files::is_full(error),
            Self::Projections(error) => match &**error {
                redb::Error::Io(error) => super::files::is_full(error),
                _ => false,
            },
            Self::Append(HandOverError::Append(AppendError::Stopped(fault))) => {
                *fault == DiskFault::Full
            }
            _ => false,
        }
    }

    /// Whether it is the store that failed, which is made anew from the journal.
    pub fn is_of_projections(&self) -> bool {
        matches!(self, Self::Projections(_) | Self::Codec(_) | Self::Folding(_))
    }

    /// Whether the journal stopped and wants `retry_open` before the next entry.
    pub fn has_stopped(&self) -> bool {
        matches!(self, Self::Append(HandOverError::Append(AppendError::Stopped(_))))
    }
}

/// A disk that is full or refuses is said so, and was not written; anything else is "damaged".
impl From<ReadError> for StoreError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged(damage) => Self::Damaged(damage),
            beyond => Self::Journal(beyond.to_string()),
        }
    }
}

impl From<RebuildError> for StoreError {
    fn from(error: RebuildError) -> Self {
        match error {
            RebuildError::CopyDamaged(damage) => Self::CopyDamaged(damage),
            RebuildError::WouldShorten { journal, copy } => Self::WouldShorten { journal, copy },
            RebuildError::Io(error) => Self::File(error),
        }
    }
}

/// Where the journal is not what was written, to be said to staff.
impl From<Damage> for Refusal {
    fn from(damage: Damage) -> Self {
        let Damage { segment, seq, offset, why } = damage;
        let sentence = match why {
            Why::Record(_) => "damage.record",
            Why::Header => "damage.header",
            Why::Missing => "damage.missing",
            Why::Ending => "damage.ending",
            Why::Surplus => "damage.surplus",
            Why::Unreadable => "damage.unreadable",
            Why::Witness => "damage.witness",
        };
        let segment = segment.map(|name| name.to_string()).unwrap_or_default();
        let refusal = Self::new(RefusalCode::Damaged).saying(sentence);
        refusal.with("segment", segment).with("seq", seq).with("offset", offset)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if error.is_full() {
            return Self::new(RefusalCode::Full).saying("disk_full");
        }
        match error {
            StoreError::Refused(refusal) => refusal,
            StoreError::Busy { .. } => Self::new(RefusalCode::Busy),
            StoreError::SortingIn => Self::new(RefusalCode::Busy).saying("sorting_in"),
            StoreError::Append(HandOverError::Gone) => {
                Self::new(RefusalCode::Damaged).saying("writer_died")
            }
            error if error.has_stopped() => {
                Self::new(RefusalCode::Damaged).saying("disk_failed").with("what", error)
            }
            StoreError::Damaged(damage) => damage.into(),
            StoreError::CopyDamaged(damage) => Self::from(damage).saying("damage.copy"),
            StoreError::WouldShorten { journal, copy } => {
                let refusal = Self::new(RefusalCode::Damaged).saying("damage.would_shorten");
                refusal.with("journal", journal).with("copy", copy)
            }
            StoreError::NoCopy => Self::new(RefusalCode::Damaged).saying("cli.no_copy_there"),
            other => Self::new(RefusalCode::Damaged).with("what", other.reason()),
        }
    }
}
