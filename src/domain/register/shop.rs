//! What changes the shop itself: items, prices, PINs, settings.
//!
//! Room: domain. May touch: std. PINs go to the store by an effect, never into an entry.
//! Invariant: every change is an entry with a who and a when; a settings entry always fits.

use super::{Applied, Context, Effect, Now, Refused, Register};
use crate::domain::command::{Command, Pin};
use crate::domain::entry::Kind;
use crate::domain::item::Item;
use crate::domain::item_fields::{item_from_fields, kept_code};
use crate::domain::money::Money;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::settings::SettingsChange;
use crate::domain::text;

impl Register {
    /// Changes an item, or makes it when the code is new. Lines rung already keep what they have.
    ///
    /// # Errors
    /// `bad_argument` naming the field; a new item needs a name and a price.
    pub(super) fn edit_item(
        &self,
        code: &str,
        fields: &[(String, String)],
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        let pairs = fields.iter().map(|(field, value)| (field.as_str(), value.as_str()));
        let item = match self.item_on_file(code, context)? {
            Some(item) => {
                let kept = item.code.clone();
                let edited = item_from_fields(Some(item.clone()), pairs, &self.settings)?;
                if edited.code != kept {
                    return Err(Refusal::new(RefusalCode::BadArgument)
                        .saying("code_stays")
                        .with("code", kept));
                }
                if edited.price != item.price {
                    self.may_reprice(&item, context.now)?;
                }
                edited
            }
            None => {
                item_from_fields(None, [("code", code)].into_iter().chain(pairs), &self.settings)?
            }
        };
        self.check_case_code(&item, context)?;
        Ok(self.item_set(item, context))
    }

    /// # Errors
    /// `unknown_code`; `fixed_price` below the level above all limits.
    pub(super) fn set_price(
        &self,
        code: &str,
        amount: Money,
        context: &Context<'_>,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        let unknown = || Refusal::new(RefusalCode::UnknownCode).with("code", text::cleaned(code));
        let mut item = self.item_on_file(code, context)?.ok_or_else(unknown)?;
        self.may_reprice(&item, context.now)?;
        item.price = amount.into();
        Ok(self.item_set(item, context))
    }

    /// An item by its own code; a case's code names the case, not the item to change.
    fn item_on_file(&self, code: &str, context: &Context<'_>) -> Result<Option<Item>, Refusal> {
        match context.shop.item(&kept_code(code)?)? {
            Some(found) if found.pieces.is_some() => Err(case_code_used(code, &found.item)),
            found => Ok(found.map(|found| found.item)),
        }
    }

    /// Prices set by law or contract change only with a manager (`japan.md` 1.7, tobacco).
    fn may_reprice(&self, item: &Item, now: Now) -> Result<(), Refusal> {
        if item.flags.fixed_price && self.effective_level(now) < self.settings.limits.level {
            return Err(Refusal::new(RefusalCode::FixedPrice).with("name", &item.name));
        }
        Ok(())
    }

    /// A case's code must lead to one item only.
    fn check_case_code(&self, item: &Item, context: &Context<'_>) -> Result<(), Refusal> {
        if item.case_code.is_empty() {
            return Ok(());
        }
        match context.shop.item(&item.case_code)? {
            Some(found) if found.item.code != item.code => {
                Err(case_code_used(&item.case_code, &found.item))
            }
            _ => Ok(()),
        }
    }

    fn item_set(&self, item: Item, context: &Context<'_>) -> Applied {
        let mut applied = self.unchanged();
        applied.answer.item = Some(self.item_view(&item));
        applied.entries.push(self.draft(context.now, Kind::ItemSet(Box::new(item))));
        applied
    }

    /// Sets a PIN, or takes it away. The store refuses the worst ones when it is told.
    ///
    /// # Errors
    /// `confirm` before one is taken away: from then on the number alone signs in.
    pub(super) fn set_pin(
        &self,
        staff: u32,
        pin: Option<&Pin>,
        context: &Context<'_>,
    ) -> Result<Applied, Refused> {
        self.not_in_training()?;
        let unknown =
            || Refusal::new(RefusalCode::BadArgument).saying("unknown_staff").with("staff", staff);
        let listed = self.settings.staff(staff).ok_or_else(unknown)?;
        if pin.is_none() && !self.session.confirmed {
            let refusal = Refusal::new(RefusalCode::Confirm)
                .saying("confirm_no_pin")
                .with("staff", staff)
                .with("name", &listed.name);
            return Err(self.asking_again(refusal, Command::SetPin { staff, pin: None }));
        }
        let mut applied = self.unchanged();
        applied.answer.said = pin.is_none().then_some("pin_removed");
        applied.effects.push(Effect::StorePin { staff, pin: pin.cloned() });
        applied.entries.push(self.draft(context.now, Kind::PinChanged { staff }));
        Ok(applied)
    }

    /// Changes the shop's settings as a file says. PINs leave it before it becomes entries;
    /// who is removed loses theirs, so that a number given again begins without one.
    ///
    /// # Errors
    /// `bad_argument` with the first setting that does not fit; `open_sale` while goods are rung
    /// under the settings of before.
    pub fn settings_changed(
        &self,
        mut change: SettingsChange,
        now: Now,
    ) -> Result<Applied, Refusal> {
        self.not_in_training()?;
        let mut applied = self.no_open_sale()?;
        let pins = change.take_pins();
        change.apply(&mut (*self.settings).clone())?;
        let removed =
            change.settings.staff.iter().filter(|staff| staff.removed).map(|staff| staff.number);
        let pins = pins.into_iter().map(|(staff, pin)| (staff, Some(pin)));
        let pins: Vec<_> = pins.chain(removed.map(|staff| (staff, None))).collect();
        applied.entries.extend(change.into_kinds().into_iter().map(|kind| self.draft(now, kind)));
        for (staff, pin) in pins {
            applied.effects.push(Effect::StorePin { staff, pin });
            applied.entries.push(self.draft(now, Kind::PinChanged { staff }));
        }
        Ok(applied)
    }
}

fn case_code_used(code: &str, item: &Item) -> Refusal {
    Refusal::new(RefusalCode::Duplicate)
        .saying("case_code_used")
        .with("code", text::cleaned(code))
        .with("name", &item.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::register::test_shop::Shop;
    use crate::domain::settings::{
        ClassPatch, LimitsPatch, RankPatch, Settings, SettingsPatch, ShopPatch, StaffPatch,
    };

    #[test]
    fn an_item_is_made_then_changed_and_rung_lines_stay() {
        let mut shop = Shop::staffless();
        assert_eq!(shop.refuse("edit_item 555 name=梨").sentence, "field_needed");
        shop.give("edit_item 555 name=梨 price=150 department=1");
        shop.give("scan 555");
        shop.give("edit_item 555 price=180");
        assert_eq!(shop.view().unwrap().total, Money::new(150));
        shop.give("set_price 555 200");
        shop.give("void_sale");
        shop.give("scan 555");
        assert_eq!(shop.view().unwrap().total, Money::new(200));
        assert_eq!(shop.refuse("edit_item 555 code=556").sentence, "code_stays");
        assert_eq!(shop.refuse("set_price 4901234567890 1").code, RefusalCode::CheckDigit);
        assert_eq!(shop.refuse("set_price 999 1").code, RefusalCode::UnknownCode);
    }

    #[test]
    fn a_case_code_leads_to_one_item() {
        let mut shop = Shop::staffless();
        shop.give("edit_item 4901234567894 case_of=12 case_code=14901234567891");
        let refusal = shop.refuse("edit_item 1 case_of=6 case_code=14901234567891");
        assert_eq!(refusal.sentence, "case_code_used");
        assert_eq!(shop.refuse("set_price 14901234567891 1").sentence, "case_code_used");
    }

    #[test]
    fn a_fixed_price_needs_the_level_above_all_limits() {
        let mut shop = Shop::with_staff_of_every_level();
        shop.change(|settings| {
            settings.levels.insert("set_price".into(), 3);
        });
        shop.give(&format!("sign_in 3 {}", Shop::pin_of(3)));
        shop.give("set_price 1 120");
        assert_eq!(shop.refuse("set_price 4912345678904 500").code, RefusalCode::FixedPrice);
        shop.give(&format!("approve 7 {}", Shop::pin_of(7)));
        shop.give("set_price 4912345678904 500");
    }

    #[test]
    fn a_pin_never_reaches_the_journal() {
        let mut shop = Shop::new();
        shop.give("sign_in 1 111111");
        shop.give("set_pin 4 987654");
        assert_eq!(shop.refuse("set_pin 4").sentence, "missing_argument");
        assert_eq!(shop.refuse("sign_in 4").sentence, "pin_needed", "it is still set");
        assert_eq!(shop.refuse("set_pin 4 remove").sentence, "confirm_no_pin");
        assert_eq!(shop.refuse("sign_in 4 111111").code, RefusalCode::Pin, "nobody said yes");
        assert_eq!(shop.refuse("set_pin 4 remove").sentence, "confirm_no_pin");
        assert_eq!(shop.give("confirm").answer.said, Some("pin_removed"));
        assert!(!shop.memory.pins.contains_key(&4));
        shop.give("set_pin 4 987654");
        let patch = SettingsPatch {
            staff: vec![
                StaffPatch {
                    number: 5,
                    level: Some(5),
                    pin: crate::domain::settings::Secret(Some(Pin::new("135790"))),
                    ..StaffPatch::default()
                },
                StaffPatch { number: 3, removed: true, ..StaffPatch::default() },
            ],
            ..SettingsPatch::default()
        };
        let applied = shop.register.settings_changed(patch.into(), shop.now).unwrap();
        let stored: Vec<_> = applied.effects.iter().map(|effect| format!("{effect:?}")).collect();
        assert_eq!(
            stored,
            ["StorePin { staff: 5, pin: Some(***) }", "StorePin { staff: 3, pin: None }"]
        );
        shop.accept(applied);
        let written = format!("{:?}", shop.journal);
        assert!(!written.contains("987654") && !written.contains("135790"));
        shop.give("sign_in 5 135790");
        assert_eq!(shop.register.own_level(), 5);
        assert_eq!(shop.refuse("sign_in 3 333333").sentence, "unknown_staff");
    }

    #[test]
    fn settings_that_do_not_fit_change_nothing() {
        let shop = Shop::staffless();
        let patch = SettingsPatch {
            shop: ShopPatch { day_ends: Some("25:00".into()), ..ShopPatch::default() },
            ..SettingsPatch::default()
        };
        let refusal = shop.register.settings_changed(patch.into(), shop.now).unwrap_err();
        assert_eq!(refusal.sentence, "bad_setting");
    }

    #[test]
    fn a_tax_class_keeps_what_a_patch_does_not_say() {
        let mut settings = Settings::default();
        let class = |rate, mark: &str| ClassPatch {
            name: "reduced".to_owned(),
            rate,
            from: Some("2019-10-01".to_owned()),
            mark: Some(mark.to_owned()),
            removed: false,
        };
        let mut patch = SettingsPatch::default();
        patch.tax.class = vec![class(None, "軽")];
        patch.apply(&mut settings).unwrap();
        let date = "2026-11-22".parse().unwrap();
        let row = settings.tax_classes.on(&"reduced".parse().unwrap(), date).unwrap();
        assert_eq!((row.rate, row.mark.as_str()), (Some(8.into()), "軽"));
    }

    #[test]
    fn settings_that_nobody_could_work_with_are_refused() {
        let limits = |limits| SettingsPatch { limits, ..SettingsPatch::default() };
        let rank = RankPatch { name: "gold".into(), rate: "-1".parse().ok(), removed: false };
        for patch in [
            limits(LimitsPatch { level: Some(10), ..LimitsPatch::default() }),
            limits(LimitsPatch { refund: Some(-1), ..LimitsPatch::default() }),
            limits(LimitsPatch { discount_percent: Some(101.into()), ..LimitsPatch::default() }),
            SettingsPatch { rank: vec![rank], ..SettingsPatch::default() },
        ] {
            let refusal = patch.apply(&mut Settings::default()).unwrap_err();
            assert_eq!(refusal.sentence, "bad_setting", "{patch:?}");
        }
    }
}
