//! Backups that can still show a member who was erased: whoever erased one has to delete them.
//!
//! Room: app. May touch: `backup/` of the shop's folder, to read.

use std::fs;
use std::io;
use std::path::Path;

use chrono::{DateTime, Local};
use serde::{Deserialize, Serialize};

use crate::domain::entry::{Draft, Kind};
use crate::domain::member::Sealed;
use crate::store::backup::holds_key;
use crate::store::files::plain::PlainFiles;

/// Backups lie there, one a Z.
pub const FOLDER: &str = "backup";
/// How the names of backups end: whole, set aside by their trial, or cut off while they were written.
const ENDINGS: [&str; 3] = ["regi", "failed", "partial"];

/// A backup that holds a member's key, or cannot be read to see whether it does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Holding {
    /// Name of the file.
    pub backup: String,
    /// When it was written, `YYYY-MM-DD` here.
    pub date: String,
}

/// Returns whom these entries erase.
pub fn erased(drafts: &[Draft]) -> impl Iterator<Item = &str> {
    drafts.iter().filter_map(|draft| match &draft.kind {
        Kind::MemberSet(card) if card.personal == Sealed::Erased => Some(card.code.as_str()),
        _ => None,
    })
}

/// Returns the backups of a shop that hold a member's key, by name. Reads the keys of each: a second
/// or more where there are a million.
///
/// # Errors
/// A folder that cannot be read.
pub fn holding(shop: &Path, member: &str) -> io::Result<Vec<Holding>> {
    let mut held = Vec::new();
    let entries = match fs::read_dir(shop.join(FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(held),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let is_backup = path.extension().is_some_and(|end| ENDINGS.iter().any(|own| end == *own));
        // What cannot be read proves nothing.
        if is_backup && holds_key(&PlainFiles, &path, member).unwrap_or(true) {
            let written: DateTime<Local> = fs::metadata(&path)?.modified()?.into();
            let backup = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            held.push(Holding { backup, date: written.date_naive().to_string() });
        }
    }
    held.sort();
    Ok(held)
}
