//! What may not be done with goods rung by their department, or must be: no master says it of them.
//!
//! Room: domain. May touch: serde. Names: `flags` of a `[[department]]`, in the words of the items CSV.
//! Invariant: a department never flagged is as it was before there were flags.

use serde::{Deserialize, Serialize};

use super::Settings;
use super::applying::bad;
use crate::domain::item::ItemFlags;
use crate::domain::refusal::Refusal;

/// A change of departments' flags, which came later than the journal's form of a settings change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoodsPatch {
    /// Number and words; no words take the flags away.
    pub departments: Vec<(u16, String)>,
}

impl GoodsPatch {
    /// Applies to `settings`, whose departments are there by now.
    pub(super) fn apply(&self, settings: &mut Settings) -> Result<(), Refusal> {
        for (number, words) in &self.departments {
            let flags = flags(words).ok_or_else(|| bad("department.flags", words))?;
            let departments = &mut settings.departments;
            let department = departments.iter_mut().find(|department| department.number == *number);
            department.ok_or_else(|| bad("department.flags", words))?.flags = flags;
        }
        Ok(())
    }
}

/// Reads what can be said of goods that have a price and no more.
fn flags(words: &str) -> Option<ItemFlags> {
    let flags = ItemFlags::from_words(words).ok()?;
    (!flags.weighed && !flags.deposit && !flags.not_for_sale).then_some(flags)
}
