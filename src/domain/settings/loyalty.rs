//! How points are counted, as far as it came later than the journal's form of a settings change.
//!
//! Room: domain. May touch: serde. Names: those of the table `[points]`.
//! Invariant: every value fits; what a shop never said stays as it was before there was a choice.

use serde::{Deserialize, Serialize};

use super::Settings;
use crate::domain::points::{ExpiresFrom, Multiply};

/// A change of how points are counted: absent means unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoyaltyPatch {
    pub expires_from: Option<ExpiresFrom>,
    pub on_discounts: Option<bool>,
    pub multiply: Option<Multiply>,
}

impl LoyaltyPatch {
    /// The keys of `[points]` that are its own.
    pub const KEYS: [&str; 3] = ["expires_from", "on_discounts", "multiply"];

    pub(super) fn apply(&self, settings: &mut Settings) {
        let points = &mut settings.points;
        points.expires_from = self.expires_from.unwrap_or(points.expires_from);
        points.on_discounts = self.on_discounts.unwrap_or(points.on_discounts);
        points.multiply = self.multiply.unwrap_or(points.multiply);
    }
}
