//! Who stands at the register and what they may do: sign-in, PIN locks, levels, approvals.
//!
//! Room: domain. May touch: std. PINs are compared by the store (`Lookup::pin`); none is kept here.
//! Invariant: what outlives the process is in entries (PIN locks); sign-in and approval are not.

use super::{Applied, Approval, Context, Now, PinVerdict, Refused, Register, Session};
use crate::domain::command::{Command, Pin, spec};
use crate::domain::entry::{Draft, Kind};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::settings::Staff;

/// The level of a shop that keeps no staff list.
const STAFFLESS_LEVEL: u8 = 9;
/// Wrong PINs in a row before the number must wait (`reliability.md` C3).
const TRIES_A_CYCLE: u32 = 5;
/// How long it waits after the first, the second and every later cycle, in seconds.
const WAITS_S: [i64; 3] = [60, 5 * 60, 30 * 60];
/// How long an approval lasts (`reliability.md` C7).
const APPROVAL_MS: i64 = 30_000;
/// How long training lasts before it ends by itself (`reliability.md` L8).
const TRAINING_MS: i64 = 30 * 60_000;

impl Register {
    /// Whether whoever stands here may give this command now.
    ///
    /// # Errors
    /// `locked` before sign-in, `level` when neither the person nor an approval reaches.
    pub(super) fn allowed(
        &self,
        command: &Command,
        name: &'static str,
        context: &Context<'_>,
    ) -> Result<(), Refused> {
        let spec = spec(name).expect("every command is in the table");
        // A shop may free a command for everyone; a locked screen frees only what ships free.
        let free = if self.session.locked { spec.level } else { self.settings.level_of(spec) } == 0;
        if self.settings.staff.is_empty() || free {
            return Ok(());
        }
        if self.signed_in().is_none() || self.session.locked {
            return Err(Refusal::new(RefusalCode::Locked).saying("sign_in_first").into());
        }
        let needed = self.settings.level_of(spec);
        // What was asked again was allowed when it was first given.
        if matches!(command, Command::Confirm) || self.effective_level(context.now) >= needed {
            return Ok(());
        }
        Err(level_refusal(needed, name).into())
    }

    /// The staff signed in, while the shop still lists them.
    fn signed_in(&self) -> Option<&Staff> {
        self.settings.staff(self.session.staff?)
    }

    /// The level of who stands here, without any approval.
    pub fn own_level(&self) -> u8 {
        if self.settings.staff.is_empty() {
            return STAFFLESS_LEVEL;
        }
        if self.session.locked { 0 } else { self.signed_in().map_or(0, |staff| staff.level) }
    }

    /// The level for the next command: one's own, or that of who approved it within 30 s.
    pub fn effective_level(&self, now: Now) -> u8 {
        let own = self.own_level();
        match self.session.approval {
            Some(approval) if approval.until_ms >= now.utc_ms => own.max(approval.level),
            _ => own,
        }
    }

    /// Returns whether a second person of the level above all limits has approved the next command.
    pub(super) fn approved_past_limits(&self, now: Now) -> bool {
        self.session.approval.is_some_and(|approval| {
            approval.until_ms >= now.utc_ms && approval.level >= self.settings.limits.level
        })
    }

    /// Refuses what only a higher level may do inside a command that is allowed as such.
    pub(super) fn need_level(
        &self,
        needed: u8,
        name: &'static str,
        now: Now,
    ) -> Result<(), Refusal> {
        if self.effective_level(now) >= needed { Ok(()) } else { Err(level_refusal(needed, name)) }
    }

    /// Takes the place of whoever stood here. An open sale stays.
    pub(super) fn sign_in(
        &self,
        staff: u32,
        pin: Option<&Pin>,
        context: &Context<'_>,
    ) -> Result<Applied, Refused> {
        let now = context.now;
        self.listed(staff)?;
        self.not_waiting(staff, now)?;
        match (context.shop.pin(staff, pin)?, pin) {
            (PinVerdict::Right | PinVerdict::NotSet, _) => {}
            (PinVerdict::Wrong, None) => return Err(pin_refusal("pin_needed", staff).into()),
            (PinVerdict::Wrong, Some(_)) => return Err(self.wrong_pin(staff, now)),
        }
        let mut applied = self.unchanged();
        if let Some(before) = self.session.staff.filter(|before| *before != staff) {
            applied.entries.push(self.draft(now, Kind::StaffSignedOut { staff: before }));
        }
        let mut signed_in = self.draft(now, Kind::StaffSignedIn { staff });
        signed_in.staff = staff;
        applied.entries.push(signed_in);
        applied.session = Session { staff: Some(staff), ..Session::default() };
        Ok(applied)
    }

    /// Leaves the register to the next; an open sale waits for them.
    pub(super) fn sign_out(&self, context: &Context<'_>) -> Result<Applied, Refusal> {
        let mut applied = self.unchanged();
        if let Some(staff) = self.session.staff {
            applied.entries.push(self.draft(context.now, Kind::StaffSignedOut { staff }));
            applied.session = Session::default();
        }
        Ok(applied)
    }

    /// Covers the register until a sign-in. Without staff there is nothing to lock.
    pub(super) fn lock(&self) -> Applied {
        let mut applied = self.unchanged();
        applied.session.locked = self.session.staff.is_some();
        applied.session.approval = None;
        applied
    }

    /// Lifts the next `level`, `limit` or `fixed_price`, once, by a second person.
    ///
    /// # Errors
    /// `level` by oneself, or by someone no higher who may not pass the limits either; `pin` also for a number without a PIN, since a
    /// number alone proves nobody.
    pub(super) fn approve(
        &self,
        staff: u32,
        pin: &Pin,
        context: &Context<'_>,
    ) -> Result<Applied, Refused> {
        let now = context.now;
        if self.own_level() == 0 {
            return Err(Refusal::new(RefusalCode::Locked).saying("sign_in_first").into());
        }
        let level = self.listed(staff)?.level;
        if self.session.staff == Some(staff) {
            return Err(Refusal::new(RefusalCode::Level).saying("approve_self").into());
        }
        // Nobody stands above a manager: for what no one changes alone a second one is enough.
        let enough = (self.own_level() + 1).min(self.settings.limits.level);
        if level < enough {
            return Err(level_refusal(enough, "approve").into());
        }
        self.not_waiting(staff, now)?;
        match context.shop.pin(staff, Some(pin))? {
            PinVerdict::Right => {}
            PinVerdict::NotSet => return Err(pin_refusal("pin_not_set", staff).into()),
            PinVerdict::Wrong => return Err(self.wrong_pin(staff, now)),
        }
        let mut applied = self.unchanged();
        let until_ms = now.utc_ms + APPROVAL_MS;
        applied.session.approval = Some(Approval { by: staff, level, until_ms });
        applied.entries.push(self.draft(now, Kind::Approved { by: staff }));
        Ok(applied)
    }

    fn listed(&self, staff: u32) -> Result<&Staff, Refusal> {
        self.settings.staff(staff).ok_or_else(|| pin_refusal("unknown_staff", staff))
    }

    fn not_waiting(&self, staff: u32, now: Now) -> Result<(), Refusal> {
        let Some(lock) = self.lane.pin_locks.get(&staff) else { return Ok(()) };
        let left_ms = lock.until_ms - now.utc_ms;
        // No wait is longer than the longest; more means that the clock was put back.
        if left_ms <= 0 || left_ms > WAITS_S[2] * 1000 {
            return Ok(());
        }
        let seconds = (left_ms + 999) / 1000;
        Err(Refusal::new(RefusalCode::Locked)
            .saying("pin_locked")
            .with("staff", staff)
            .with("seconds", seconds))
    }

    fn wrong_pin(&self, staff: u32, now: Now) -> Refused {
        let tries = self.lane.pin_locks.get(&staff).map_or(0, |lock| lock.tries).saturating_add(1);
        let wait_s = wait_after(tries);
        let locked_until_ms = if wait_s > 0 { now.utc_ms + wait_s * 1000 } else { 0 };
        let left = (TRIES_A_CYCLE - tries % TRIES_A_CYCLE) % TRIES_A_CYCLE;
        let refusal = match wait_s {
            0 => pin_refusal("pin", staff).with("left", left),
            _ => pin_refusal("pin_now_locked", staff).with("left", 0).with("seconds", wait_s),
        };
        let record = self.draft(now, Kind::PinRefused { staff, tries, locked_until_ms });
        Refused { refusal, record: Some(Box::new(record)), ask: None }
    }

    /// Whether training has lasted its time; a clock put back ends it, too.
    pub fn training_over(&self, now: Now) -> bool {
        let since = now.utc_ms - self.lane.training_since_ms;
        self.lane.training && !(0..TRAINING_MS).contains(&since)
    }

    /// The register as it goes on once training is over, and the entry that says so. A sale begun
    /// in training ends in it.
    pub(super) fn out_of_training(&self, now: Now) -> Option<(Self, Draft)> {
        if !self.training_over(now) || self.cart.has_sale() {
            return None;
        }
        let ended = self.draft(now, Kind::TrainingEnded);
        let mut after = self.clone();
        after.lane.training = false;
        Some((after, ended))
    }
}

/// Seconds to wait after this many wrong PINs in a row; 0 while tries are left in the cycle.
fn wait_after(tries: u32) -> i64 {
    if tries == 0 || !tries.is_multiple_of(TRIES_A_CYCLE) {
        return 0;
    }
    let cycle = (tries / TRIES_A_CYCLE - 1) as usize;
    WAITS_S[cycle.min(WAITS_S.len() - 1)]
}

fn pin_refusal(sentence: &'static str, staff: u32) -> Refusal {
    Refusal::new(RefusalCode::Pin).saying(sentence).with("staff", staff)
}

fn level_refusal(needed: u8, name: &str) -> Refusal {
    Refusal::new(RefusalCode::Level).with("level", needed).with("command", name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::COMMANDS;
    use crate::domain::register::test_shop::Shop;

    #[test]
    fn waits_grow_with_every_cycle_of_wrong_pins() {
        for (tries, want) in [
            (0, 0),
            (1, 0),
            (4, 0),
            (5, 60),
            (6, 0),
            (10, 300),
            (15, 1800),
            (20, 1800),
            (100, 1800),
        ] {
            assert_eq!(wait_after(tries), want, "{tries} tries");
        }
    }

    /// `reliability.md` C6: every command at every level, through the front door.
    #[test]
    fn rights_matrix() {
        let fresh = Shop::with_staff_of_every_level();
        for spec in COMMANDS.iter().filter(|spec| spec.name != "approve") {
            let line = SAMPLES.iter().find(|line| line.split(' ').next() == Some(spec.name));
            let line = line.unwrap_or_else(|| panic!("no sample of {}", spec.name));
            for level in 0..=9u8 {
                let mut shop = fresh.clone();
                if level > 0 {
                    shop.give(&format!("sign_in {level} {}", Shop::pin_of(level.into())));
                }
                let code = shop.try_give(line).err().map(|refusal| refusal.code);
                let code = code.filter(|c| [RefusalCode::Level, RefusalCode::Locked].contains(c));
                let want = match level {
                    _ if level >= spec.level => None,
                    0 => Some(RefusalCode::Locked),
                    _ => Some(RefusalCode::Level),
                };
                assert_eq!(code, want, "{line} at level {level}");
            }
        }
    }

    const SAMPLES: &[&str] = &[
        "sign_in 1 111111",
        "sign_out",
        "scan 1",
        "department 1 100",
        "quantity 2",
        "times 2",
        "repeat",
        "price_override 90",
        "line_discount 10",
        "line_tax standard",
        "void_line",
        "select_line 1",
        "inquire 1",
        "find_item milk",
        "age_checked",
        "subtotal",
        "sale_discount 10",
        "eat_in",
        "take_out",
        "note x",
        "suspend",
        "resume",
        "void_sale",
        "customer_kind F30",
        "member 2900000000018",
        "find_member x",
        "new_member name=x",
        "edit_member name=x",
        "clear_member",
        "erase_member 2900000000018",
        "use_points all",
        "coupon WELCOME",
        "stamp 1",
        "late_points 1 2900000000018",
        "tender_cash",
        "tender_credit",
        "tender_debit",
        "tender_emoney",
        "tender_code",
        "tender_voucher 100",
        "void_tender",
        "reprint",
        "formal_receipt x",
        "void_receipt 1 x",
        "correct_tender 1 credit",
        "return 1",
        "return_open",
        "exchange 1 1",
        "tax_free 1",
        "tax_free_status 1 sent",
        "tax_free_refund 1 cash",
        "print_outcome 1 lost",
        "no_sale x",
        "paid_in 1 x",
        "paid_out 1 x",
        "loan 1",
        "pickup 1",
        "open_day",
        "x_report",
        "count 1x1",
        "z_report",
        "training_on",
        "training_off",
        "edit_item 1 name=x",
        "set_price 1 100",
        "set_pin 1 135790",
        "confirm",
        "journal",
        "report x",
        "help",
        "keys",
        "lock",
    ];

    #[test]
    fn a_shop_without_staff_sells_as_nobody_with_every_right() {
        let mut shop = Shop::staffless();
        shop.give("lock");
        shop.give("scan 1");
        assert_eq!(shop.register.own_level(), 9);
        shop.give("tender_cash");
        assert_eq!(shop.journal.last().unwrap().header.staff, 0);
    }

    #[test]
    fn five_wrong_pins_lock_the_number_and_a_restart_keeps_the_lock() {
        let mut shop = Shop::new();
        for left in [4, 3, 2, 1] {
            let refusal = shop.refuse("sign_in 3 000000");
            assert_eq!(refusal.code, RefusalCode::Pin);
            assert!(refusal.args.contains(&("left", left.to_string())), "{refusal}");
        }
        assert_eq!(shop.refuse("sign_in 3 000000").sentence, "pin_now_locked");
        shop.restart();
        let refusal = shop.refuse("sign_in 3 333333");
        assert_eq!(refusal.code, RefusalCode::Locked);
        assert!(refusal.args.contains(&("seconds", "60".to_owned())), "{refusal}");
        shop.wait_s(60);
        shop.give("sign_in 3 333333");
        assert!(shop.register.lane.pin_locks.is_empty());
    }

    #[test]
    fn a_clock_put_back_locks_nobody_out() {
        let mut shop = Shop::new();
        for _ in 0..5 {
            shop.refuse("sign_in 3 000000");
        }
        shop.wait_s(-86_400);
        shop.give("sign_in 3 333333");
    }

    #[test]
    fn a_pin_is_only_asked_of_those_who_have_one() {
        let mut shop = Shop::new();
        shop.forget_pin(4);
        shop.give("sign_in 4");
        assert_eq!(shop.refuse("sign_in 3").sentence, "pin_needed");
        assert!(shop.register.lane.pin_locks.is_empty(), "asking is not guessing");
        assert_eq!(shop.refuse("sign_in 8 1").sentence, "unknown_staff");
    }

    #[test]
    fn the_next_cashier_finds_the_open_sale() {
        let mut shop = Shop::new();
        shop.give("sign_in 4 444444");
        shop.give("scan 1");
        shop.give("sign_out");
        assert_eq!(shop.refuse("tender_cash").code, RefusalCode::Locked);
        shop.give("sign_in 3 333333");
        shop.give("lock");
        assert_eq!(shop.refuse("tender_cash").code, RefusalCode::Locked);
        shop.give("sign_in 3 333333");
        shop.give("tender_cash");
        assert_eq!(shop.journal.last().unwrap().header.staff, 3);
    }

    #[test]
    fn an_approval_lifts_one_command_of_another_for_thirty_seconds() {
        let mut shop = Shop::new();
        shop.give("sign_in 4 444444");
        assert_eq!(shop.refuse("no_sale 両替").code, RefusalCode::Level);
        assert_eq!(shop.refuse("approve 4 444444").sentence, "approve_self");
        assert_eq!(shop.refuse("approve 2 000000").code, RefusalCode::Pin);
        shop.give("approve 2 222222");
        shop.give("help");
        shop.give("no_sale 両替");
        assert_eq!(shop.refuse("no_sale 両替").code, RefusalCode::Level);
        shop.give("approve 2 222222");
        shop.wait_s(31);
        assert_eq!(shop.refuse("no_sale 両替").code, RefusalCode::Level);
    }

    /// `reliability.md` L8.
    #[test]
    fn training_ends_after_thirty_minutes_between_two_sales() {
        let mut shop = Shop::new();
        shop.give("sign_in 2 222222");
        shop.give("training_on");
        shop.give("scan 1");
        shop.wait_s(1800);
        shop.give("tender_cash");
        assert!(shop.register.lane.training, "a sale begun in training ends in it");
        shop.give("scan 1");
        assert!(!shop.register.lane.training);
        shop.give("tender_cash");
        assert_eq!(shop.last_sale().number.to_string(), "01-000001");
    }
}
