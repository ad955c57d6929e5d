//! A change of the settings as one file brings it: all of it stands in the journal, or nothing.
//!
//! Room: domain. May touch: std.
//! Invariant: its entries belong to one act, in an order in which each of them fits.

use super::codes::cards_beside_labels;
use super::{CodesPatch, GoodsPatch, LoyaltyPatch, Settings, SettingsPatch};
use crate::domain::command::Pin;
use crate::domain::entry::Kind;
use crate::domain::refusal::Refusal;
use crate::domain::registration::{CheckDiffers, RegistrationNumber};

/// What a settings file says. The codes, departments' flags, and some of how points are counted, came later
/// than the journal's format: their patches are entries of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsChange {
    pub settings: SettingsPatch,
    pub codes: CodesPatch,
    pub loyalty: LoyaltyPatch,
    pub goods: GoodsPatch,
}

impl From<SettingsPatch> for SettingsChange {
    fn from(settings: SettingsPatch) -> Self {
        Self { settings, ..Self::default() }
    }
}

impl SettingsChange {
    /// Applies to `settings`, or names the first value that does not fit and changes nothing.
    ///
    /// # Errors
    /// `bad_argument` with the setting and the value.
    pub fn apply(&self, settings: &mut Settings) -> Result<(), Refusal> {
        let mut next = settings.clone();
        self.settings.apply(&mut next)?;
        self.codes.apply(&mut next)?;
        self.loyalty.apply(&mut next);
        self.goods.apply(&mut next)?;
        cards_beside_labels(&next)?;
        *settings = next;
        Ok(())
    }

    /// Returns what is odd about the registration number that it sets: every invoice of the shop will show
    /// it, and its customers deduct tax by it.
    pub fn doubtful_number(&self) -> Option<CheckDiffers> {
        let number = self.settings.shop.registration_number.as_ref()?;
        number.parse::<RegistrationNumber>().ok()?.check().err()
    }

    /// Takes the PINs out, by staff number, so that they can go where PINs live.
    pub fn take_pins(&mut self) -> Vec<(u32, Pin)> {
        self.settings.take_pins()
    }

    /// Returns the entries that say so, for one act. A file that says nothing is noted, too.
    pub fn into_kinds(self) -> Vec<Kind> {
        let Self { settings, codes, loyalty, goods } = self;
        let codes = said(codes).map(|codes| Kind::CodesChanged(Box::new(codes)));
        let loyalty = said(loyalty).map(|loyalty| Kind::LoyaltyChanged(Box::new(loyalty)));
        let goods = said(goods).map(|goods| Kind::GoodsChanged(Box::new(goods)));
        let says_more = codes.is_some() || loyalty.is_some() || goods.is_some();
        let settings = if says_more { said(settings) } else { Some(settings) };
        let settings = settings.map(|settings| Kind::SettingsChanged(Box::new(settings)));
        settings.into_iter().chain(codes).chain(loyalty).chain(goods).collect()
    }
}

/// Returns a patch that says something.
fn said<T: Default + PartialEq>(patch: T) -> Option<T> {
    (patch != T::default()).then_some(patch)
}

/// Returns whether an entry changes the settings.
pub const fn changes_settings(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::SettingsChanged(_)
            | Kind::CodesChanged(_)
            | Kind::LoyaltyChanged(_)
            | Kind::GoodsChanged(_)
    )
}

/// Folds what an entry says of the settings; most say nothing.
///
/// # Errors
/// That of a patch which never fitted: no register wrote it.
pub fn fold_settings(settings: &mut Settings, kind: &Kind) -> Result<(), Refusal> {
    match kind {
        Kind::SettingsChanged(patch) => patch.apply(settings),
        Kind::CodesChanged(patch) => patch.apply(settings),
        Kind::LoyaltyChanged(patch) => {
            patch.apply(settings);
            Ok(())
        }
        Kind::GoodsChanged(patch) => patch.apply(settings),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::in_store::Layout;
    use crate::domain::code::{CardPattern, InStoreRule};
    use crate::domain::points::ExpiresFrom;
    use crate::domain::settings::{InStorePatch, ShopPatch};

    fn label(removed: bool) -> SettingsPatch {
        let label = InStorePatch {
            prefix: "22".into(),
            layout: Some(Layout::E),
            removed,
            ..InStorePatch::default()
        };
        SettingsPatch { in_store: vec![label], ..SettingsPatch::default() }
    }

    fn cards(prefix: &str) -> CodesPatch {
        let card = CardPattern { prefix: prefix.into(), ..CardPattern::default() };
        CodesPatch { card: Some(vec![card]), near_date: None }
    }

    #[test]
    fn a_change_is_as_many_entries_as_it_has_parts() {
        let shop = ShopPatch { name: Some("店".into()), ..ShopPatch::default() };
        let shop = SettingsPatch { shop, ..SettingsPatch::default() };
        let used = LoyaltyPatch { expires_from: Some(ExpiresFrom::Used), ..<_>::default() };
        let flags = GoodsPatch { departments: vec![(1, "age20".into())] };
        for (settings, codes, loyalty, goods, want) in [
            (<_>::default(), <_>::default(), <_>::default(), <_>::default(), "settings"),
            (shop.clone(), <_>::default(), <_>::default(), <_>::default(), "settings"),
            (<_>::default(), cards("28"), <_>::default(), <_>::default(), "codes"),
            (<_>::default(), <_>::default(), used.clone(), <_>::default(), "loyalty"),
            (<_>::default(), <_>::default(), <_>::default(), flags.clone(), "goods"),
            (shop, cards("28"), used, flags, "settings codes loyalty goods"),
        ] {
            let kinds = SettingsChange { settings, codes, loyalty, goods }.into_kinds();
            let word = |kind: &Kind| match kind {
                Kind::CodesChanged(_) => "codes",
                Kind::LoyaltyChanged(_) => "loyalty",
                Kind::GoodsChanged(_) => "goods",
                _ => "settings",
            };
            let words: Vec<_> = kinds.iter().map(word).collect();
            assert_eq!(words.join(" "), want);
        }
    }

    #[test]
    fn a_label_that_would_hide_the_shop_s_cards_comes_in_by_no_file() {
        let mut settings = Settings::default();
        SettingsChange { codes: cards("22"), ..<_>::default() }.apply(&mut settings).unwrap();
        let before = settings.clone();
        let refused = SettingsChange::from(label(false)).apply(&mut settings).unwrap_err();
        assert_eq!((refused.sentence, &settings), ("card_is_label", &before));
        let both = SettingsChange { settings: label(false), codes: cards("28"), ..<_>::default() };
        both.apply(&mut settings).unwrap();
        assert_eq!(settings.in_store[0].prefix, "22");
        let rule: &InStoreRule = &settings.in_store[0];
        assert!(!settings.cards[0].is_label(rule));
        let back = SettingsChange { settings: label(true), codes: cards("22"), ..<_>::default() };
        back.apply(&mut settings).unwrap();
    }
}
