//! A whole shop in memory for tests: lines of the command language in, entries and views out.
//!
//! Room: domain, tests only. The lookup is folded from accepted entries, as the real store is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    Applied, Cart, Context, Effect, FormalKept, ItemFound, Lookup, Now, PinVerdict, Register,
    SaleView, StoredSale,
};
use crate::domain::command::{Command, Discount, Pin, parse};
use crate::domain::entry::{Clock, Draft, Entry, Header, Kind};
use crate::domain::item::Item;
use crate::domain::lane::LaneState;
use crate::domain::member::{Member, Sealed};
use crate::domain::money::Money;
use crate::domain::number::{DocKind, DocNo};
use crate::domain::points::{Expiry, PointMove, balance};
use crate::domain::refusal::Refusal;
use crate::domain::sale::{Sale, TenderKind};
use crate::domain::settings::{Coupon, Department, Rank, Settings, Staff};
use crate::domain::tax_free::{Kept, Status};

/// Two cards with check digits that hold.
pub const CARD: &str = "2900000000018";
pub const OTHER_CARD: &str = "2900000000025";

/// A shop, its clock and its journal.
#[derive(Debug, Clone)]
pub struct Shop {
    pub register: Register,
    pub memory: Memory,
    pub now: Now,
    pub journal: Vec<Entry>,
    /// Lines taken off since the last Z, as they were asked for.
    pub taken_off: i64,
    ids: u128,
}

/// What the store would know.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    pub items: BTreeMap<String, Item>,
    pub members: BTreeMap<String, Member>,
    pub sales: BTreeMap<DocNo, StoredSale>,
    pub pins: BTreeMap<u32, String>,
    pub erased: BTreeSet<String>,
    pub tax_free: BTreeMap<DocNo, Kept>,
}

impl Shop {
    /// The sample shop: staff 1 to 4 with levels 9, 7, 3, 1 and PINs of six equal digits.
    pub fn new() -> Self {
        Self::with_staff(&[(1, 9), (2, 7), (3, 3), (4, 1)])
    }

    pub fn staffless() -> Self {
        Self::with_staff(&[])
    }

    /// Staff numbers are their levels.
    pub fn with_staff_of_every_level() -> Self {
        let staff: Vec<_> = (1..=9).map(|level| (u32::from(level), level)).collect();
        Self::with_staff(&staff)
    }

    pub fn pin_of(staff: u32) -> String {
        staff.to_string().repeat(6)
    }

    fn with_staff(staff: &[(u32, u8)]) -> Self {
        let mut settings = settings();
        let row = |(number, level): &(u32, u8)| Staff {
            number: *number,
            name: format!("係{number}"),
            level: *level,
        };
        settings.staff = staff.iter().map(row).collect();
        let pins = staff.iter().map(|(number, _)| (*number, Self::pin_of(*number))).collect();
        let mut shop = Self {
            register: Register::new(settings, LaneState::new(1), Cart::default()),
            memory: Memory { items: items(), pins, ..Memory::default() },
            now: Now { utc_ms: 0, offset_minutes: 540, clock: Clock::System },
            journal: Vec::new(),
            taken_off: 0,
            ids: 0,
        };
        shop.set_clock("2026-11-22T10:00");
        shop
    }

    /// Sets the clock to `YYYY-MM-DDTHH:MM` in Japan.
    pub fn set_clock(&mut self, local: &str) {
        let time = chrono::NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M").unwrap();
        self.now.utc_ms = time.and_utc().timestamp_millis() - 540 * 60_000;
    }

    pub fn wait_s(&mut self, seconds: i64) {
        self.now.utc_ms += seconds * 1000;
    }

    /// Changes the settings as if the shop had always had them.
    pub fn change(&mut self, change: impl FnOnce(&mut Settings)) {
        change(Arc::make_mut(&mut self.register.settings));
    }

    pub fn forget_pin(&mut self, staff: u32) {
        self.memory.pins.remove(&staff);
    }

    /// Puts a member with a balance on file.
    pub fn member(&mut self, code: &str, points: i64) {
        let date = self.now.day();
        let ledger = if points == 0 { Vec::new() } else { vec![PointMove { date, points }] };
        let rank = "regular".to_owned();
        let member = Member { code: code.to_owned(), rank, ledger, ..Member::default() };
        self.memory.members.insert(code.to_owned(), member);
    }

    pub fn balance(&self, code: &str) -> i64 {
        balance(&self.memory.members[code].ledger, self.now.day(), Expiry::default())
    }

    /// Gives a command that must be carried out.
    #[track_caller]
    pub fn give(&mut self, line: &str) -> Applied {
        self.try_give(line).unwrap_or_else(|refusal| panic!("{line}: {refusal}"))
    }

    /// Gives a command that must be refused.
    #[track_caller]
    pub fn refuse(&mut self, line: &str) -> Refusal {
        match self.try_give(line) {
            Ok(_) => panic!("{line} was not refused"),
            Err(refusal) => refusal,
        }
    }

    /// Gives a command: its entries reach the journal and are folded, or its refusal's record is.
    pub fn try_give(&mut self, line: &str) -> Result<Applied, Refusal> {
        let command = parse(line)?.expect("a command");
        let ids = &mut self.ids;
        let mut new_id = || {
            *ids += 1;
            *ids
        };
        let mut context = Context { now: self.now, shop: &self.memory, new_id: &mut new_id };
        match self.register.apply(&command, &mut context) {
            Ok(applied) => {
                self.accept(applied.clone());
                match command {
                    Command::VoidLine(_) if !self.register.lane.training => self.taken_off += 1,
                    Command::ZReport { .. } => self.taken_off = 0,
                    _ => {}
                }
                Ok(applied)
            }
            Err(refused) => {
                let record = refused.record.clone().map(|draft| self.write(*draft));
                self.register.refused(&refused, record.as_ref());
                Err(refused.refusal)
            }
        }
    }

    /// Rings lines up, takes the exact sum in cash, and returns the receipt's number.
    #[track_caller]
    pub fn sell(&mut self, lines: &[&str]) -> String {
        for line in lines {
            self.give(line);
        }
        self.give("tender_cash");
        self.last_sale().number.to_string()
    }

    /// Cash that the last sale took, or paid out when below zero.
    pub fn last_cash(&self) -> Money {
        let tenders = self.last_sale().tenders.iter();
        let cash = tenders.filter(|tender| tender.kind == TenderKind::Cash);
        cash.map(|tender| tender.applied).sum()
    }

    /// Makes an applied command true, as the app does.
    pub fn accept(&mut self, applied: Applied) {
        for effect in &applied.effects {
            if let Effect::StorePin { staff, pin } = effect {
                match pin {
                    Some(pin) => self.memory.pins.insert(*staff, pin.reveal().to_owned()),
                    None => self.memory.pins.remove(staff),
                };
            }
        }
        let entries: Vec<_> =
            applied.entries.iter().cloned().map(|draft| self.write(draft)).collect();
        self.register.accept(applied, &entries);
    }

    fn write(&mut self, draft: Draft) -> Entry {
        let seq = self.journal.len() as u64 + 1;
        let header = Header {
            shop: 1,
            lane: 1,
            epoch: 0,
            seq,
            stamp: seq,
            at_ms: self.now.utc_ms,
            offset_minutes: self.now.offset_minutes,
            clock: self.now.clock,
            business_date: draft.business_date,
            staff: draft.staff,
            training: draft.training,
        };
        let entry = Entry { header, kind: draft.kind };
        self.memory.fold(&entry);
        self.journal.push(entry.clone());
        entry
    }

    /// Ends the process and begins another: what is left is the journal and the cart.
    pub fn restart(&mut self) {
        let mut lane = LaneState::new(1);
        self.journal.iter().for_each(|entry| lane.fold(entry));
        assert_eq!(lane, self.register.lane, "the lane's memory is a fold of its journal");
        let settings = (*self.register.settings).clone();
        self.register = Register::new(settings, lane, self.register.cart.clone());
    }

    /// The open sale as screens see it.
    pub fn view(&self) -> Option<SaleView> {
        self.register.sale_view(self.now.civil_date())
    }

    /// The sale or return closed last.
    #[track_caller]
    pub fn last_sale(&self) -> &Sale {
        let closed = self.journal.iter().rev().find_map(|entry| match &entry.kind {
            Kind::SaleClosed(sale) => Some(&**sale),
            _ => None,
        });
        closed.expect("a closed sale")
    }
}

fn settings() -> Settings {
    let rank = |name: &str, rate: &str| Rank { name: name.to_owned(), rate: rate.parse().unwrap() };
    let day = |text: &str| {
        use chrono::Datelike;
        Some(text.parse::<chrono::NaiveDate>().unwrap().num_days_from_ce())
    };
    let coupon = |code: &str, from, to| Coupon {
        code: code.to_owned(),
        name: code.to_owned(),
        off: Discount::Amount(Money::new(100)),
        minimum: Money::new(1000),
        from,
        to,
    };
    Settings {
        departments: vec![
            Department::new(1, "食品", "reduced"),
            Department::new(2, "日用品", "standard"),
        ],
        ranks: vec![rank("silver", "1.5"), rank("gold", "2")],
        coupons: vec![
            coupon("WELCOME", day("2026-11-22"), day("2026-11-22")),
            coupon("OLD", None, day("2026-11-21")),
            coupon("SOON", day("2026-11-23"), None),
        ],
        ..Settings::default()
    }
}

fn items() -> BTreeMap<String, Item> {
    let mut milk = Item::new("4901234567894", "牛乳 1L", 248.into());
    milk.department = 1;
    let mut apple = Item::new("1", "りんご", 100.into());
    apple.department = 1;
    let mut tobacco = Item::new("4912345678904", "たばこ", 600.into());
    tobacco.department = 2;
    let flags = "no_discount no_points age20 fixed_price";
    tobacco.flags = crate::domain::item::ItemFlags::from_words(flags).unwrap();
    [milk, apple, tobacco].into_iter().map(|item| (item.code.clone(), item)).collect()
}

impl Memory {
    fn fold(&mut self, entry: &Entry) {
        match &entry.kind {
            Kind::SaleClosed(sale) => self.closed(sale, entry),
            Kind::ReceiptVoided { receipt, sale, .. } => {
                self.with_sale(*receipt, |stored| stored.voided = true);
                self.came_back(sale, -1);
                self.moved(sale, entry, -1);
            }
            Kind::TenderCorrected { receipt, from, to, amount } => {
                self.with_sale(*receipt, |stored| stored.sale.correct_tender(*from, *to, *amount));
            }
            Kind::TaxFreeRecorded(record) => {
                let kept = Kept { record: (**record).clone(), status: Status::Sold };
                self.tax_free.insert(record.number, kept);
            }
            Kind::TaxFreeToldOf { number, status, .. } => {
                self.tax_free.get_mut(number).expect("a record").status = *status;
            }
            Kind::TaxFreeRefunded { number, .. } => {
                self.tax_free.get_mut(number).expect("a record").status = Status::Refunded;
            }
            Kind::Reprinted { receipt, copy } if receipt.kind == DocKind::Formal => {
                let formals = self.sales.values_mut().flat_map(|stored| &mut stored.formals);
                let formal = formals.into_iter().find(|formal| formal.number == *receipt);
                formal.expect("a formal receipt").copies = *copy;
            }
            Kind::Reprinted { receipt, copy } => {
                self.with_sale(*receipt, |stored| stored.copies = *copy);
            }
            Kind::FormalReceiptIssued { number, receipt, amount, .. }
            | Kind::FormalReceiptIssuedFor { number, receipt, amount, .. } => {
                self.with_sale(*receipt, |stored| {
                    stored.formal += *amount;
                    stored.formals.push(FormalKept::new(*number, entry.header.seq));
                });
            }
            Kind::LatePoints { receipt, member, earned, .. } => {
                self.with_sale(*receipt, |stored| {
                    stored.late_member = Some(member.clone());
                    stored.late_points += earned;
                });
                self.points(member, entry, *earned);
            }
            Kind::Stamped { member, count } => {
                self.members.get_mut(member).expect("a member").stamps += count;
            }
            Kind::ItemSet(item) => {
                self.items.insert(item.code.clone(), (**item).clone());
            }
            Kind::MemberSet(card) => {
                if card.personal == Sealed::Erased {
                    self.members.remove(&card.code);
                    self.erased.insert(card.code.clone());
                    return;
                }
                let member = self.members.entry(card.code.clone()).or_default();
                member.code = card.code.clone();
                member.rank = card.rank.clone();
                member.joined = card.joined;
                member.personal = match &card.personal {
                    Sealed::Clear(personal) => (**personal).clone(),
                    sealed => panic!("a card in the clear: {sealed:?}"),
                };
            }
            _ => {}
        }
    }

    fn closed(&mut self, sale: &Sale, entry: &Entry) {
        let header = &entry.header;
        let stored = StoredSale {
            sale: sale.clone(),
            at_ms: header.at_ms,
            offset_minutes: header.offset_minutes,
            business_date: header.business_date,
            staff: header.staff,
            training: header.training,
            seq: header.seq,
            returned: BTreeMap::new(),
            points_taken_back: 0,
            points_given_back: 0,
            voided: false,
            copies: 0,
            formal: Money::ZERO,
            formals: Vec::new(),
            late_member: None,
            late_points: 0,
        };
        self.sales.insert(sale.number, stored);
        if !header.training {
            self.came_back(sale, 1);
            self.moved(sale, entry, 1);
        }
    }

    /// Notes on the original receipts what came back; `sign` −1 when that was undone.
    fn came_back(&mut self, sale: &Sale, sign: i64) {
        for line in &sale.lines {
            let Some(origin) = &line.item.origin else { continue };
            let back = if sign > 0 { -line.item.quantity } else { line.item.quantity };
            self.with_sale(origin.receipt, |stored| {
                let sum = stored.returned.entry(origin.line).or_default();
                *sum = *sum + back;
                stored.returned.retain(|_, quantity| *quantity != 0.into());
            });
        }
        if let Some(of) = &sale.return_of {
            self.with_sale(of.receipt, |stored| {
                stored.points_taken_back += sign * of.points_taken_back;
                stored.points_given_back += sign * of.points_given_back;
            });
        }
    }

    fn moved(&mut self, sale: &Sale, entry: &Entry, sign: i64) {
        if let Some(member) = &sale.member {
            let moved = member.points_after - member.points_before;
            self.points(&member.code, entry, sign * moved);
        }
    }

    fn points(&mut self, member: &str, entry: &Entry, points: i64) {
        let at = Now {
            utc_ms: entry.header.at_ms,
            offset_minutes: entry.header.offset_minutes,
            clock: entry.header.clock,
        };
        if self.erased.contains(member) {
            return;
        }
        let member = self.members.get_mut(member).expect("a member on file");
        member.ledger.push(PointMove { date: at.day(), points });
    }

    fn with_sale(&mut self, receipt: DocNo, change: impl FnOnce(&mut StoredSale)) {
        change(self.sales.get_mut(&receipt).expect("a receipt on file"));
    }
}

impl Lookup for Memory {
    fn item(&self, code: &str) -> Result<Option<ItemFound>, Refusal> {
        if let Some(item) = self.items.get(code) {
            return Ok(Some(ItemFound { item: item.clone(), pieces: None }));
        }
        let case = self.items.values().find(|item| item.case_code == code);
        Ok(case.map(|item| ItemFound { item: item.clone(), pieces: item.case_of }))
    }

    fn find_items(&self, text: &str, limit: usize) -> Result<Vec<Item>, Refusal> {
        let found = self.items.values().filter(|item| item.name.contains(text));
        Ok(found.take(limit).cloned().collect())
    }

    fn member(&self, code: &str) -> Result<Option<Member>, Refusal> {
        Ok(self.members.get(code).cloned())
    }

    fn find_members(&self, text: &str, limit: usize) -> Result<Vec<Member>, Refusal> {
        let found = self.members.values().filter(|member| {
            member.personal.name.contains(text) || member.personal.phone.ends_with(text)
        });
        Ok(found.take(limit).cloned().collect())
    }

    fn member_code_used(&self, code: &str) -> Result<bool, Refusal> {
        Ok(self.members.contains_key(code) || self.erased.contains(code))
    }

    fn next_member_number(&self, lane: u8) -> Result<u32, Refusal> {
        let block = format!("29{:02}", lane - 1);
        let made = self.members.keys().filter(|code| code.starts_with(&block));
        Ok(made.filter_map(|code| code.get(4..12)?.parse::<u32>().ok()).max().unwrap_or(0) + 1)
    }

    fn sale(&self, receipt: DocNo) -> Result<Option<StoredSale>, Refusal> {
        Ok(self.sales.get(&receipt).cloned())
    }

    fn sale_of_formal(&self, number: DocNo) -> Result<Option<StoredSale>, Refusal> {
        Ok(self.sales.values().find(|stored| stored.formal_kept(number).is_some()).cloned())
    }

    fn tax_free_record(&self, number: DocNo) -> Result<Option<Kept>, Refusal> {
        Ok(self.tax_free.get(&number).cloned())
    }

    fn tax_free_of(&self, receipt: DocNo) -> Result<Vec<Kept>, Refusal> {
        let of_it = self.tax_free.values().filter(|kept| kept.record.receipt == receipt);
        Ok(of_it.cloned().collect())
    }

    fn pin(&self, staff: u32, pin: Option<&Pin>) -> Result<PinVerdict, Refusal> {
        Ok(match (self.pins.get(&staff), pin) {
            (None, _) => PinVerdict::NotSet,
            (Some(on_file), Some(pin)) if on_file == pin.reveal() => PinVerdict::Right,
            _ => PinVerdict::Wrong,
        })
    }
}
