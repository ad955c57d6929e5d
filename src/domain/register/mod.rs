//! Selling: a pure state machine from command to facts and effects.
//!
//! Room: domain. May touch: std. May not: clock, disk, chance (all arrive in the `Context`).
//! Invariant: `apply` changes nothing. What it answers becomes true only by `accept`, after its
//! entries are on the disk; a power cut or a failed write between the two leaves the sale as it was.

mod after;
mod cart;
mod corrections;
mod drawer;
mod kept;
mod lookup;
mod loyalty;
mod members;
mod points_back;
mod pricing;
#[cfg(test)]
mod properties;
mod returns;
mod ringing;
mod sale;
mod scanning;
mod shop;
mod staff;
mod tax_free;
mod tender;
#[cfg(test)]
pub(crate) mod test_shop;
mod view;

pub use cart::{Approval, Cart, CartDiscount, CartMember, CartReturn, Pending, Session, Waiting};
pub use kept::{Kept, kept_of, left_after, left_of};
pub use lookup::{Context, FormalKept, ItemFound, Lookup, Now, PinVerdict, StoredSale};
pub use pricing::{Priced, price};
pub use view::ymd;
pub use view::{
    DayView, ItemView, LineView, MemberView, NumberView, SaleView, StaffView, SuspendedView,
    TaxView, TenderView,
};

use std::sync::Arc;

use super::code::CodeRules;
use super::command::{Command, Pin, spec};
use super::entry::{Draft, Entry, Kind};
use super::lane::LaneState;
use super::number::DocNo;
use super::quantity::Quantity;
use super::refusal::{Refusal, RefusalCode};
use super::settings::{Settings, changes_settings, fold_settings};

/// Why the drawer opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DrawerCause {
    Sale,
    Refund,
    NoSale,
    CashIn,
    CashOut,
    Count,
}

/// A paper to print, named by the entry it is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paper {
    /// `copy` 0 is the first and only unmarked one.
    Receipt {
        number: DocNo,
        copy: u32,
    },
    VoidSlip {
        number: DocNo,
    },
    /// `copy` 0 is the original; there is no second one.
    Formal {
        number: DocNo,
        copy: u32,
    },
    SuspendSlip {
        slip: DocNo,
    },
    TaxFreeRecord {
        number: DocNo,
    },
    TaxFreeRefund {
        number: DocNo,
    },
    CashSlip,
    XReport,
    ZReport {
        number: DocNo,
    },
}

/// What the app must do after the entries are on the disk, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    OpenDrawer(DrawerCause),
    Print(Paper),
    /// Write a PIN verifier (or remove it) before the entry that says so.
    StorePin {
        staff: u32,
        pin: Option<Pin>,
    },
    /// A print job's outcome was told by staff.
    EndJob {
        job: String,
        printed: bool,
    },
    /// A Z has closed: write the backup and read it back.
    Backup,
}

/// What a command answers besides the sale itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The sale just closed, shown once.
    pub closed: Option<SaleView>,
    pub receipt: Option<DocNo>,
    pub item: Option<ItemView>,
    /// What a code is, part by part, for `inquire`.
    pub explained: Vec<(String, String)>,
    pub items: Option<Vec<ItemView>>,
    pub members: Option<Vec<MemberView>>,
    pub member: Option<MemberView>,
    pub suspended: Option<Vec<SuspendedView>>,
    /// What must be given before the sale can close (`age_check`, `price`), and what should be known.
    pub needs: Vec<&'static str>,
    /// Key of what is said when it is done, where the command's own words would not do.
    pub said: Option<&'static str>,
    /// A look that another room answers: the journal, a report, help, keys.
    pub look: Option<Look>,
}

/// A question the domain hands on: reports and screens answer it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    Journal(Vec<String>),
    Report { name: String, options: Vec<(String, String)> },
    Help(Option<String>),
    Keys,
}

/// The outcome of a command, not yet true.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    pub cart: Cart,
    pub session: Session,
    pub entries: Vec<Draft>,
    pub effects: Vec<Effect>,
    pub answer: Answer,
}

/// A refusal, and the entry to write when it is one that matters.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    pub refusal: Refusal,
    pub record: Option<Box<Draft>>,
    pub ask: Option<Box<Waiting>>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, record: None, ask: None }
    }
}

/// One lane's register.
#[derive(Debug, Clone)]
pub struct Register {
    pub settings: Arc<Settings>,
    pub codes: Arc<CodeRules>,
    pub lane: LaneState,
    pub cart: Cart,
    pub session: Session,
}

/// 2000-01-01, days from the common era: no register is older, whatever its clock says.
/// Reports on people: members by name, and what staff have done.
const OF_PEOPLE: [&str; 2] = ["members", "acts"];
const FIRST_DATE: i32 = 730_120;

impl Register {
    pub fn new(settings: Settings, lane: LaneState, cart: Cart) -> Self {
        let codes = Arc::new(code_rules(&settings));
        Self { settings: Arc::new(settings), codes, lane, cart, session: Session::default() }
    }

    /// Works out what a command would do. Nothing changes until `accept`.
    ///
    /// # Errors
    /// The refusal, with the entry that records it when it is one of those that matter.
    pub fn apply(&self, command: &Command, context: &mut Context<'_>) -> Result<Applied, Refused> {
        if !matches!(command, Command::TrainingOff)
            && let Some((after, ended)) = self.out_of_training(context.now)
        {
            let mut applied = after.apply(command, context)?;
            applied.entries.insert(0, ended);
            return Ok(applied);
        }
        let asking = self.session.asking.is_some();
        let name = match command {
            Command::PriceOverride(_) if asking => "scan", // Its answer is part of ringing goods up.
            _ => command_name(command),
        };
        self.allowed(command, name, context)
            .and_then(|()| match asking && aims_at_what_was_asked(command) {
                true => Ok(self.unchanged()),
                false => self.perform(command, context),
            })
            .map_err(|refused| match (&refused.record, &refused.ask) {
                (None, None) => self.recorded(refused.refusal, name, context),
                _ => refused,
            })
            .map(|mut applied| {
                if !matches!(command, Command::Approve { .. }) && lifts(command) {
                    applied.session.approval = None;
                }
                if !matches!(command, Command::Confirm) {
                    applied.session.asked = None;
                }
                self.drop_question(command, &mut applied);
                applied
            })
    }

    /// Whatever does not answer the question for a price ends it, and says so: no price keyed later
    /// may go to goods that nobody thinks of any more.
    fn drop_question(&self, command: &Command, applied: &mut Applied) {
        let given = match (command, self.session.asked.as_deref()) {
            (Command::Confirm, Some(Waiting::Yes(asked))) => asked,
            _ => command,
        };
        let Some(asked) = self.session.asking.as_ref().filter(|_| !keeps_question(given)) else {
            return;
        };
        if !applied.answer.needs.contains(&"price") {
            applied.session.asking = None;
        }
        // The second row of a book brings the price that its first row had not.
        let rung = applied.answer.item.as_ref().is_some_and(|item| item.code == asked.item.code);
        if applied.session.asking.as_ref() != Some(asked) && !rung {
            applied.answer.needs.push("price_dropped");
        }
    }

    /// Makes an applied command true: its entries are in the journal.
    pub fn accept<'e>(&mut self, applied: Applied, entries: impl IntoIterator<Item = &'e Entry>) {
        self.cart = applied.cart;
        self.session = applied.session;
        for entry in entries {
            self.fold(entry);
        }
    }

    /// Keeps the command that waits after its refusal; the record, when there is one, is in the journal.
    pub fn refused(&mut self, refused: &Refused, record: Option<&Entry>) {
        self.session.asked = refused.ask.clone();
        if let Some(entry) = record {
            self.fold(entry);
        }
    }

    /// Folds an entry that came from this lane's journal.
    pub fn fold(&mut self, entry: &Entry) {
        if changes_settings(&entry.kind) {
            // It was applied once before it was written; a journal holds only patches that fit.
            let fits = fold_settings(Arc::make_mut(&mut self.settings), &entry.kind);
            assert!(fits.is_ok(), "a settings entry that does not fit: {fits:?}");
            self.codes = Arc::new(code_rules(&self.settings));
        }
        self.lane.fold(entry);
    }

    fn recorded(&self, refusal: Refusal, command: &'static str, context: &Context<'_>) -> Refused {
        let matters = matches!(
            refusal.code,
            RefusalCode::Level | RefusalCode::Limit | RefusalCode::FixedPrice
        );
        let record = matters.then(|| {
            let code = refusal.code.word().to_owned();
            Box::new(self.draft(context.now, Kind::Refused { code, command: command.to_owned() }))
        });
        Refused { refusal, record, ask: None }
    }

    /// An entry of the open day (or of today, while no day is open) by the staff signed in.
    fn draft(&self, now: Now, kind: Kind) -> Draft {
        Draft {
            business_date: self.entry_date(now),
            staff: self.session.staff.unwrap_or(0),
            training: self.lane.training,
            kind,
        }
    }

    /// The day that an entry belongs to: the open one, or today.
    pub fn entry_date(&self, now: Now) -> i32 {
        self.lane.day.as_ref().map_or_else(|| self.business_date(now), |day| day.business_date)
    }

    /// The civil date less the hour at which the shop's day ends, in days from the common era. A clock
    /// that was set back leads to no day before the last that was closed.
    pub fn business_date(&self, now: Now) -> i32 {
        let today = now.civil_date_shifted(self.settings.shop.day_ends_minutes);
        today.max(self.lane.last_z_date.unwrap_or(FIRST_DATE))
    }

    /// The outcome that changes nothing by itself; commands fill in what they do.
    fn unchanged(&self) -> Applied {
        Applied {
            cart: self.cart.clone(),
            session: self.session.clone(),
            entries: Vec::new(),
            effects: Vec::new(),
            answer: Answer::default(),
        }
    }

    fn perform(&self, command: &Command, context: &mut Context<'_>) -> Result<Applied, Refused> {
        use Command as C;
        let applied = match command {
            C::SignIn { staff, pin } => return self.sign_in(*staff, pin.as_ref(), context),
            C::Approve { staff, pin } => return self.approve(*staff, pin, context),
            C::SignOut => self.sign_out(context),
            C::Lock => Ok(self.lock()),
            C::Scan { code } => {
                let waiting = |refused| waiting_for_weight(refused, command);
                return self.scan(code, context).map_err(waiting);
            }
            C::Department { number, amount } => {
                return self.department(*number, *amount, context);
            }
            C::Quantity(quantity) => match self.session.asked.as_deref() {
                Some(Waiting::Weight(scan)) => return self.weighed(scan, *quantity, context),
                _ => self.quantity(*quantity, context),
            },
            C::Times(quantity) => self.times(*quantity),
            C::Repeat => self.repeat(context),
            C::PriceOverride(amount) => match &self.session.asking {
                Some(rung) => return self.price_answered(rung, *amount, context),
                None => self.price_override(*amount, context),
            },
            C::LineDiscount(discount) => self.line_discount(*discount, context),
            C::LineTax { class } => self.line_tax(class, context),
            C::VoidLine(line) => self.void_line(*line, context),
            C::SelectLine(line) => self.select_line(*line),
            C::Inquire { code } => self.inquire(code, context),
            C::FindItem { text } => self.find_item(text, context),
            C::AgeChecked => self.age_checked(),
            C::Subtotal => self.subtotal(),
            C::SaleDiscount(discount) => self.sale_discount(*discount, context),
            C::EatIn => self.eat_in(true, context),
            C::TakeOut => self.eat_in(false, context),
            C::Note { text } => self.note(text),
            C::Suspend { name } => self.suspend(name.as_deref(), context),
            C::Resume { slip } => self.resume(slip.as_deref(), context),
            C::VoidSale => self.void_sale(context),
            C::CustomerKind { key } => self.customer_kind(key),
            C::Member { code } => self.member(code, context),
            C::FindMember { text } => self.find_member(text, context),
            C::NewMember(fields) => self.new_member(fields, context),
            C::EditMember(fields) => self.edit_member(fields, context),
            C::ClearMember => self.clear_member(context),
            C::EraseMember { code } => return self.erase_member(code, context),
            C::UsePoints(asked) => self.use_points(*asked, context),
            C::Coupon { code } => self.coupon(code, context),
            C::RemoveCoupon { code } => self.remove_coupon(code, context),
            C::Stamp(count) => self.stamp(*count, context),
            C::LatePoints { receipt, code } => self.late_points(receipt, code, context),
            C::Tender { kind, handed } => return self.tender(*kind, handed, context),
            C::VoidTender => self.void_tender(),
            C::Reprint { receipt } => self.reprint(receipt.as_deref(), context),
            C::FormalReceipt(asked) => self.formal_receipt(asked, context),
            C::VoidReceipt { receipt, reason } => {
                return self.void_receipt(receipt, reason, context);
            }
            C::CorrectTender { receipt, kind } => self.correct_tender(receipt, *kind, context),
            C::Return { receipt, lines } => return self.return_goods(receipt, lines, context),
            C::ReturnOpen => self.return_open(),
            C::Exchange { receipt, line } => return self.exchange(receipt, *line, context),
            C::TaxFree { receipt, lines, with } => self.tax_free(receipt, lines, with, context),
            C::TaxFreeStatus { record, status } => self.tax_free_status(record, *status, context),
            C::TaxFreeRefund { record, by } => self.tax_free_refund(record, *by, context),
            C::PrintOutcome { job, printed } => self.print_outcome(job, *printed),
            C::NoSale { reason } => self.no_sale(reason, context),
            C::PaidIn { amount, reason } => self.paid_in(*amount, reason, context),
            C::PaidOut { amount, reason } => return self.paid_out(*amount, reason, context),
            C::Loan(amount) => self.loan(*amount, context),
            C::Pickup(amount) => return self.pickup(*amount, context),
            C::OpenDay { float } => self.open_day(*float, context),
            C::XReport => self.x_report(context),
            C::Count(pieces) => self.count(pieces, context),
            C::ZReport { counted, float_left } => {
                return self.z_report(*counted, *float_left, context);
            }
            C::TrainingOn => self.training_on(context),
            C::TrainingOff => self.training_off(context),
            C::EditItem { code, fields } => self.edit_item(code, fields, context),
            C::SetPrice { code, amount } => self.set_price(code, *amount, context),
            C::SetPin { staff, pin } => return self.set_pin(*staff, pin.as_ref(), context),
            C::Confirm => return self.confirm(context),
            C::Journal { query } => Ok(self.looking(Look::Journal(query.clone()))),
            C::Report { name, options } => {
                if OF_PEOPLE.contains(&name.as_str()) {
                    self.need_level(self.settings.limits.level, "report", context.now)?;
                }
                Ok(self.looking(Look::Report { name: name.clone(), options: options.clone() }))
            }
            C::Help { name } => Ok(self.looking(Look::Help(name.clone()))),
            C::Keys => Ok(self.looking(Look::Keys)),
        };
        Ok(applied?)
    }

    /// Writes on the sale whose approval let this pass.
    fn note_approval(&self, applied: &mut Applied) {
        if let Some(approval) = self.session.approval {
            applied.cart.on_the_way.approved_by.push(approval.by);
        }
    }

    fn looking(&self, look: Look) -> Applied {
        let mut applied = self.unchanged();
        applied.answer.look = Some(look);
        applied
    }

    /// Rings goods up that waited for their weight.
    fn weighed(
        &self,
        scan: &Command,
        weight: Quantity,
        context: &mut Context<'_>,
    ) -> Result<Applied, Refused> {
        let mut weighed = self.clone();
        weighed.session.asked = None;
        weighed.cart.pending = Some(Pending { quantity: weight });
        weighed.perform(scan, context)
    }

    /// Does what was asked again: the command waits in the session until then.
    fn confirm(&self, context: &mut Context<'_>) -> Result<Applied, Refused> {
        let Some(Waiting::Yes(command)) = self.session.asked.as_deref() else {
            return Err(Refusal::new(RefusalCode::Confirm).saying("nothing_to_confirm").into());
        };
        let mut confirmed = self.clone();
        confirmed.session.asked = None;
        confirmed.session.confirmed = true;
        let mut applied = confirmed.perform(command, context)?;
        applied.session.confirmed = false;
        Ok(applied)
    }
}

/// Goods by weight that were scanned without one wait: the next quantity is their weight.
fn waiting_for_weight(refused: Refused, scan: &Command) -> Refused {
    match refused.refusal.sentence {
        "weight_needed" => {
            Refused { ask: Some(Box::new(Waiting::Weight(scan.clone()))), ..refused }
        }
        _ => refused,
    }
}

fn code_rules(settings: &Settings) -> CodeRules {
    let (in_store, cards) = (settings.in_store.clone(), settings.cards.clone());
    CodeRules { in_store, cards, ..CodeRules::default() }
}

/// Commands that an approval is kept for: looking around does not use it up.
fn lifts(command: &Command) -> bool {
    use Command as C;
    !matches!(
        command,
        C::Journal { .. }
            | C::Report { .. }
            | C::Help { .. }
            | C::Keys
            | C::Inquire { .. }
            | C::FindItem { .. }
            | C::FindMember { .. }
            | C::SelectLine(_)
            | C::Subtotal
    )
}

/// Commands beside which the question for a price stands: those that look around, and how many of
/// the goods there are. A price answers it.
fn keeps_question(command: &Command) -> bool {
    use Command as C;
    let looks = !lifts(command) && !matches!(command, C::SelectLine(_) | C::Subtotal);
    let looks = looks || matches!(command, C::Approve { .. });
    looks || matches!(command, C::Quantity(_) | C::Times(_) | C::PriceOverride(_))
}

/// Commands that mean the goods rung last: while a price is asked these are no line yet, and the
/// line above them is another's.
fn aims_at_what_was_asked(command: &Command) -> bool {
    use Command as C;
    matches!(command, C::VoidLine(None) | C::LineDiscount(_) | C::LineTax { .. } | C::Repeat)
}

/// Returns a command's name in the language.
pub fn command_name(command: &Command) -> &'static str {
    use Command as C;
    let name = match command {
        C::SignIn { .. } => "sign_in",
        C::SignOut => "sign_out",
        C::Approve { .. } => "approve",
        C::Scan { .. } => "scan",
        C::Department { .. } => "department",
        C::Quantity(_) => "quantity",
        C::Times(_) => "times",
        C::Repeat => "repeat",
        C::PriceOverride(_) => "price_override",
        C::LineDiscount(_) => "line_discount",
        C::LineTax { .. } => "line_tax",
        C::VoidLine(_) => "void_line",
        C::SelectLine(_) => "select_line",
        C::Inquire { .. } => "inquire",
        C::FindItem { .. } => "find_item",
        C::AgeChecked => "age_checked",
        C::Subtotal => "subtotal",
        C::SaleDiscount(_) => "sale_discount",
        C::EatIn => "eat_in",
        C::TakeOut => "take_out",
        C::Note { .. } => "note",
        C::Suspend { .. } => "suspend",
        C::Resume { .. } => "resume",
        C::VoidSale => "void_sale",
        C::CustomerKind { .. } => "customer_kind",
        C::Member { .. } => "member",
        C::FindMember { .. } => "find_member",
        C::NewMember(_) => "new_member",
        C::EditMember(_) => "edit_member",
        C::ClearMember => "clear_member",
        C::EraseMember { .. } => "erase_member",
        C::UsePoints(_) => "use_points",
        C::Coupon { .. } | C::RemoveCoupon { .. } => "coupon",
        C::Stamp(_) => "stamp",
        C::LatePoints { .. } => "late_points",
        C::Tender { kind, .. } => tender_name(*kind),
        C::VoidTender => "void_tender",
        C::Reprint { .. } => "reprint",
        C::FormalReceipt(_) => "formal_receipt",
        C::VoidReceipt { .. } => "void_receipt",
        C::CorrectTender { .. } => "correct_tender",
        C::Return { .. } => "return",
        C::ReturnOpen => "return_open",
        C::Exchange { .. } => "exchange",
        C::TaxFree { .. } => "tax_free",
        C::TaxFreeStatus { .. } => "tax_free_status",
        C::TaxFreeRefund { .. } => "tax_free_refund",
        C::PrintOutcome { .. } => "print_outcome",
        C::NoSale { .. } => "no_sale",
        C::PaidIn { .. } => "paid_in",
        C::PaidOut { .. } => "paid_out",
        C::Loan(_) => "loan",
        C::Pickup(_) => "pickup",
        C::OpenDay { .. } => "open_day",
        C::XReport => "x_report",
        C::Count(_) => "count",
        C::ZReport { .. } => "z_report",
        C::TrainingOn => "training_on",
        C::TrainingOff => "training_off",
        C::EditItem { .. } => "edit_item",
        C::SetPrice { .. } => "set_price",
        C::SetPin { .. } => "set_pin",
        C::Confirm => "confirm",
        C::Journal { .. } => "journal",
        C::Report { .. } => "report",
        C::Help { .. } => "help",
        C::Keys => "keys",
        C::Lock => "lock",
    };
    assert!(spec(name).is_some(), "{name} is in the table");
    name
}

fn tender_name(kind: super::sale::TenderKind) -> &'static str {
    use super::sale::TenderKind as T;
    match kind {
        T::Cash => "tender_cash",
        T::Credit => "tender_credit",
        T::Debit => "tender_debit",
        T::Emoney => "tender_emoney",
        T::Code => "tender_code",
        T::Voucher => "tender_voucher",
        T::Points => "use_points",
    }
}
