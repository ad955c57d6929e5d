//! One lane at work: commands in, facts on the disk, effects out.
//!
//! Room: app. May touch: the store's handles, the print spool, the clock.
//! Invariant: nothing is acknowledged (answer, drawer, paper) before its entries are synced; when they
//! cannot be, the register stands where it stood and says so.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::books::{Act, Booked, Books, Placed};
use super::clock::{Chance, ClockWatch, Jump, Time};
use super::holding::Holding;
use super::kitchen::{Kitchen, SlipEnd};
use super::lane_config::LaneConfig;
use super::papers;
use super::pin_check::{Compared, Knowing};
use super::spool::Spool;
use super::unprinted::{self, Fate, LastRun, Unprinted};
use super::upkeep::StartCheck;
use super::words::Language;
use super::z_backup::{Trial, ZBackup};
use crate::domain::command::{self, Command, Pin};
use crate::domain::day::DayTotals;
use crate::domain::document::Document;
use crate::domain::entry::{Clock, Draft, Kind, PrintEnd};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::register::{
    Answer, Applied, Context, DrawerCause, Effect, Now, Paper, Refused, Register,
};
use crate::domain::words::Words;
use crate::screens::Keymap;
use crate::store::catalog::Damage;
use crate::store::jobs::slip_of;

/// What one command came to.
#[derive(Debug, Default)]
pub struct Outcome {
    pub command: String,
    pub refusal: Option<Refusal>,
    pub answer: Answer,
    /// Entries written, with their places.
    pub placed: Vec<Placed>,
    /// Names of the print jobs that follow.
    pub jobs: Vec<String>,
    pub drawer: Option<DrawerCause>,
    /// The papers, for programs and for the screen.
    pub documents: Vec<Document>,
    /// Backups that can still show the member who was erased.
    pub holding: Vec<Holding>,
    /// What it still brings about, once its answer is given.
    pub behind: Vec<Effect>,
}

/// What became of a command that was begun.
pub enum Step {
    /// It is over.
    Done(Box<Outcome>),
    /// The act must be written first: hand it to the books, then call `finish`.
    Write(Act, Box<Pending>),
}

/// A command between `begin` and `finish`.
pub struct Pending {
    /// How many of the entries are ends of print jobs.
    ends: usize,
    /// A sale comes back from its slip.
    takes_back: bool,
    outcome: Outcome,
    after: After,
}

enum After {
    Accept(Box<Applied>),
    Refuse(Refused),
}

/// Whether a sale comes back from its slip with these entries.
fn takes_back(entries: &[Draft]) -> bool {
    entries.iter().any(|draft| matches!(draft.kind, Kind::SaleResumed { .. }))
}

/// The lane: register, store and spool together.
pub struct Engine {
    pub register: Register,
    pub shop: Arc<Books>,
    /// What screens and refusals say.
    pub words: Words,
    /// What papers and files say, where the terminal cannot show it.
    pub(super) paper_words: Option<Words>,
    pub time: Time,
    pub clock: ClockWatch,
    /// A jump that is not in the journal yet.
    pub jump: Option<Jump>,
    pub chance: Chance,
    pub spool: Spool,
    pub kitchen: Kitchen,
    pub config: LaneConfig,
    pub keymap: Keymap,
    pub dir: PathBuf,
    /// The last run did not end by itself: the last line wants a look.
    pub unclean: bool,
    /// Entries whose papers were begun when the last run ended.
    pub printing: BTreeSet<u64>,
    /// The chain's check; gone once it is passed.
    pub check: Option<StartCheck>,
    pub backup: Option<ZBackup>,
    /// The last backup, being brought back on trial.
    pub trial: Option<Trial>,
    /// Why nothing that rests on the chain is done: what the opening or the check found.
    pub damage: Option<Refusal>,
    /// What the opening found in the journal that lets nothing be written.
    pub broken: Vec<Damage>,
}

/// How far the chain's check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    Running,
    Passed,
}

impl Engine {
    /// Returns the words of papers, files and answers to other programs: the shop's own language.
    pub fn paper_words(&self) -> &Words {
        self.paper_words.as_ref().unwrap_or(&self.words)
    }

    /// The screen speaks in plain signs from here on; papers go on as they were.
    pub fn speak_plainly(&mut self) {
        let language = Language::from_word(&self.config.language).unwrap_or_default();
        let words = std::mem::replace(&mut self.words, language.plain_words());
        self.paper_words.get_or_insert(words);
    }

    pub fn now(&self) -> Now {
        self.time.now()
    }

    /// Writes down a jump of the clock, and returns it to be shown. `up_ms` is the time since the machine
    /// started.
    pub fn watch_clock(&mut self, up_ms: u64) -> Option<Jump> {
        let utc_ms = match self.time {
            Time::Given(now) if now.clock == Clock::Given => return None,
            time => time.utc_ms(),
        };
        let jump = self.jump.take().or_else(|| self.clock.look(utc_ms, up_ms))?;
        let Jump { from_ms, to_ms } = jump;
        if self.record(vec![Kind::ClockJumped { from_ms, to_ms }]).is_err() {
            self.jump = Some(jump); // The disk takes nothing now: written with the next look.
            return None;
        }
        Some(jump)
    }

    /// Carries out one line and waits for the disk. `None` is an empty line.
    pub fn perform(&mut self, line: &str) -> Option<Outcome> {
        match command::parse(line) {
            Ok(None) => None,
            Ok(Some(command)) => Some(self.perform_command(&command, line)),
            Err(refusal) => Some(Outcome::refused(line, refusal)),
        }
    }

    pub fn perform_command(&mut self, command: &Command, line: &str) -> Outcome {
        match self.begin(command, line, None) {
            Step::Done(mut outcome) => {
                self.carry_out(&mut outcome);
                *outcome
            }
            Step::Write(act, pending) => {
                let written = self.shop.write(&act);
                let mut outcome = self.finish(*pending, written);
                self.carry_out(&mut outcome);
                outcome
            }
        }
    }

    /// Works a command out. What must be on the disk first is handed back. A PIN that was compared
    /// on another thread is not compared again.
    pub fn begin(&mut self, command: &Command, line: &str, compared: Option<Compared>) -> Step {
        let now = self.now();
        let outcome = Outcome { command: line.to_owned(), ..Outcome::default() };
        if let Err(refusal) = self.chain_must_hold(command) {
            return Step::Done(Box::new(Outcome { refusal: Some(refusal), ..outcome }));
        }
        let (chance, head) = (&mut self.chance, self.shop.journal().head().seq);
        let mut new_id = || chance.id(head);
        let shop = Arc::clone(&self.shop);
        let looks = Knowing { reader: shop.reader(), compared };
        let mut context = Context { now, shop: &looks, new_id: &mut new_id };
        match self.register.apply(command, &mut context) {
            Ok(applied) => self.begun(applied, outcome, now),
            Err(refused) => match &refused.record {
                Some(record) => {
                    let act = Act { drafts: vec![(**record).clone()], pins: Vec::new(), now };
                    let after = After::Refuse(refused);
                    let pending = Pending { ends: 0, takes_back: false, outcome, after };
                    Step::Write(act, Box::new(pending))
                }
                None => {
                    self.register.refused(&refused, None);
                    Step::Done(Box::new(Outcome { refusal: Some(refused.refusal), ..outcome }))
                }
            },
        }
    }

    fn begun(&mut self, mut applied: Applied, outcome: Outcome, now: Now) -> Step {
        if let Err(refusal) = self.before_writing(&applied) {
            return Step::Done(Box::new(Outcome { refusal: Some(refusal), ..outcome }));
        }
        if applied.entries.is_empty() {
            let after = After::Accept(Box::new(applied));
            let pending = Pending { ends: 0, takes_back: false, outcome, after };
            return Step::Done(Box::new(self.finish(pending, Ok(Booked::default()))));
        }
        // A print job's end costs no sync of its own: it is written with the next act.
        self.take_slip_ends();
        let mut drafts = self.spool.ends();
        let ends = drafts.len();
        drafts.extend(papers::slip_orders(&applied.entries, &self.kitchen));
        let takes_back = takes_back(&applied.entries);
        drafts.append(&mut applied.entries);
        let act = Act { drafts, pins: pins_of(&applied.effects), now };
        let after = After::Accept(Box::new(applied));
        Step::Write(act, Box::new(Pending { ends, takes_back, outcome, after }))
    }

    /// What must be on the disk before the entries: a cart that only changes, as it will be shown; a
    /// sale taken back from its slip, durably, since its slip goes. A cart that follows from its
    /// entries (a member just enrolled) must not be there before them.
    fn before_writing(&self, applied: &Applied) -> Result<(), Refusal> {
        let resumed = takes_back(&applied.entries);
        if applied.cart != self.register.cart && (resumed || applied.entries.is_empty()) {
            self.shop.keep_cart(&applied.cart)?;
        }
        if resumed { self.shop.sync_resumed() } else { Ok(()) }
    }

    /// Makes a begun command true, or leaves everything as it was when its entries were not written.
    pub fn finish(&mut self, pending: Pending, written: Result<Booked, Refusal>) -> Outcome {
        let mut outcome = pending.outcome;
        let Booked { placed, holding } = match written {
            Ok(booked) => booked,
            Err(refusal) => return Outcome { refusal: Some(refusal), ..outcome },
        };
        self.spool.ends_written(pending.ends);
        let mut entries = placed.iter().map(|placed| &placed.entry);
        match pending.after {
            After::Refuse(refused) => {
                self.register.refused(&refused, entries.next());
                outcome.refusal = Some(refused.refusal);
            }
            After::Accept(mut applied) => {
                outcome.answer = std::mem::take(&mut applied.answer);
                let effects = std::mem::take(&mut applied.effects);
                // The day's totals as a Z prints them are those before it clears them.
                let closes = effects.iter().any(closes_day);
                let day = if closes { self.register.lane.day.clone() } else { None };
                let moves_cart = !placed.is_empty() && applied.cart != self.register.cart;
                self.register.accept(*applied, entries);
                if moves_cart && !pending.takes_back {
                    // Should this fail, the next start sees that the sale has ended, and empties it;
                    // an open one is whole again with its next change.
                    let _ = self.shop.keep_cart(&self.register.cart);
                }
                papers::tell_kitchen(&placed, self);
                for effect in effects {
                    match waits_behind(&effect) {
                        true => outcome.behind.push(effect),
                        false => self.perform_effect(&effect, &placed, day.as_ref(), &mut outcome),
                    }
                }
            }
        }
        Outcome { placed, holding, ..outcome }
    }

    /// Opens the drawer, makes the papers and sends them: behind the answer, which waits for none of it.
    pub fn carry_out(&mut self, outcome: &mut Outcome) {
        let effects = std::mem::take(&mut outcome.behind);
        let placed = std::mem::take(&mut outcome.placed);
        for effect in &effects {
            self.perform_effect(effect, &placed, None, outcome);
        }
        outcome.placed = placed;
        self.spool.send_queued();
    }

    fn perform_effect(
        &mut self,
        effect: &Effect,
        placed: &[Placed],
        day: Option<&DayTotals>,
        outcome: &mut Outcome,
    ) {
        match effect {
            Effect::OpenDrawer(cause) => {
                outcome.drawer = Some(*cause);
                self.spool.open_drawer();
            }
            Effect::Print(paper) => {
                let made = papers::make(paper, placed, day, self);
                if let Some((name, document)) = made {
                    let seq = placed.last().map_or(0, |placed| placed.entry.header.seq);
                    self.spool.queue(&name, &document, seq);
                    outcome.documents.push(document);
                    outcome.jobs.push(name);
                }
            }
            Effect::EndJob { job, printed } => {
                let end = if *printed { PrintEnd::Printed } else { PrintEnd::Lost };
                self.spool.told(job, end);
            }
            Effect::StorePin { .. } => {} // Done before its entry was written.
            Effect::Backup => self.back_up(),
        }
    }

    /// Begins the backup of the Z that has just closed.
    fn back_up(&mut self) {
        if let Some(number) = self.register.lane.last_z {
            let (lane, at) = (self.register.lane.clone(), self.shop.journal().head());
            self.backup = ZBackup::begin(&self.shop, &number.to_string(), lane, at);
        }
    }

    /// Takes the backup's end when there is one; `wait` waits for it.
    ///
    /// # Errors
    /// Why the Z has no backup, for the counter to say.
    pub fn end_backup(&mut self, wait: bool) -> Result<(), Refusal> {
        let Some(backup) = self.backup.take_if(|backup| wait || backup.is_written()) else {
            return Ok(());
        };
        let failed = |what: String| {
            Refusal::new(RefusalCode::Damaged).saying("backup_failed").with("what", what)
        };
        let (manifest, trial) = backup.end().map_err(|error| failed(error.reason()))?;
        self.trial = Some(trial);
        let lane = self.register.lane.lane;
        let head = manifest.heads.iter().rev().find(|head| head.lane == lane);
        if let Some(head) = head {
            self.record(vec![Kind::BackedUp { seq: head.seq, hash: head.hash }])?;
        }
        Ok(())
    }

    /// Takes the end of the backup's trial when there is one; `wait` waits for it. Returns the name of a
    /// backup that came back whole.
    ///
    /// # Errors
    /// Why it did not.
    pub fn end_trial(&mut self, wait: bool) -> Result<Option<String>, Refusal> {
        let Some(trial) = self.trial.take_if(|trial| wait || trial.is_ended()) else {
            return Ok(None);
        };
        let name = trial.name.clone();
        match trial.end() {
            Ok(_) => Ok(Some(name)),
            Err(error) => {
                let refusal = Refusal::new(RefusalCode::Damaged).saying("backup_untried");
                Err(refusal.with("name", name).with("what", error.reason()))
            }
        }
    }

    /// What this run must know of the one before it; asked once, before the first act.
    pub fn last_run(&mut self) -> LastRun {
        LastRun {
            lane: self.register.lane.lane,
            head: self.shop.journal().head().seq,
            begun: std::mem::take(&mut self.printing),
        }
    }

    /// Looks for what the last run left unprinted, and prints it.
    ///
    /// # Errors
    /// A store or an entry that cannot be read.
    pub fn resume_prints(&mut self) -> Result<(), Refusal> {
        let last = self.last_run();
        let left = unprinted::find(&self.shop, &last)?;
        self.print_left(left);
        Ok(())
    }

    /// Prints what the last run left unprinted; what it had begun is for staff to tell.
    pub fn print_left(&mut self, left: Vec<Unprinted>) {
        for Unprinted { name, seq, fate } in left {
            if slip_of(&name).is_some() {
                self.print_left_slip(seq, &name, fate);
                continue;
            }
            match fate {
                Fate::Begun(placed) => {
                    let paper = placed.and_then(|placed| papers::again(self, *placed));
                    let document = paper.as_ref().map(|(_, document)| document);
                    self.spool.perhaps_printed(&name, document, seq);
                }
                Fate::Lost => self.spool.lost(&name),
                Fate::Print(placed) => {
                    if let Some((name, document)) = papers::again(self, *placed) {
                        self.spool.print(&name, &document, seq);
                    }
                }
            }
        }
    }

    /// A place that waits for its goods is worse off than one that is told twice: a slip that may be
    /// there already comes again, marked.
    fn print_left_slip(&mut self, seq: u64, job: &str, fate: Fate) {
        let (placed, begun) = match fate {
            Fate::Begun(placed) => (placed, true),
            Fate::Print(placed) => (Some(placed), false),
            Fate::Lost => (None, false),
        };
        match placed.and_then(|placed| papers::slip_again(self, &placed)) {
            Some(slip) if begun => self.kitchen.print_again(seq, job, &slip),
            Some(slip) => self.kitchen.print(seq, job, slip),
            None => self.kitchen.lost(seq, job),
        }
    }

    fn take_slip_ends(&mut self) {
        for SlipEnd { seq, job, end } in self.kitchen.ended() {
            self.spool.ended_as(job, end, Some(seq));
        }
    }

    /// What the chain's check says so far; once it has passed it is forgotten.
    pub fn checked(&mut self) -> Checked {
        let Some(check) = &self.check else { return Checked::Passed };
        match check.ended() {
            None => Checked::Running,
            Some(verdict) => self.judged(verdict),
        }
    }

    fn judged(&mut self, verdict: Result<(), String>) -> Checked {
        match verdict {
            Ok(()) => {
                self.check = None;
                Checked::Passed
            }
            Err(what) => {
                self.damage = Some(chain_damaged(what));
                self.check = None;
                Checked::Passed
            }
        }
    }

    /// The first act that rests on the chain waits for its check; a damaged one stops it in words.
    fn chain_must_hold(&mut self, command: &Command) -> Result<(), Refusal> {
        if !rests_on_chain(command) {
            return Ok(());
        }
        if let Some(check) = self.check.take() {
            self.judged(check.wait());
        }
        self.damage.clone().map_or(Ok(()), Err)
    }

    /// Says under which day and staff the ends of print jobs are written.
    pub fn stamp_spool(&mut self) {
        let date = self.register.entry_date(self.now());
        self.spool.stamp(date, self.register.session.staff.unwrap_or(0));
    }

    /// Writes what waits for no act of its own: ends of print jobs.
    pub fn settle(&mut self) {
        self.take_slip_ends();
        loop {
            let drafts = self.spool.ends();
            if drafts.is_empty() {
                break;
            }
            let Ok(placed) = self.shop.append(&drafts, self.now()) else { break };
            self.spool.ends_written(drafts.len());
            for placed in &placed {
                self.register.fold(&placed.entry);
            }
        }
        self.shop.settle();
    }

    /// Sets the printer in `shop.toml`; it is used from the next start on.
    ///
    /// # Errors
    /// An address that is none, or a file that cannot be written.
    pub fn set_printer(&mut self, address: &str) -> std::io::Result<()> {
        let mut config = self.config.clone();
        config.printer.address = if address.is_empty() { "file:" } else { address }.to_owned();
        let read: Result<crate::devices::printer::Address, _> = config.printer.address.parse();
        read.map_err(std::io::Error::other)?;
        std::fs::write(self.dir.join("shop.toml"), config.write())?;
        self.config = config;
        Ok(())
    }

    /// Writes an entry that no command made: an import's rows, a settings file.
    ///
    /// # Errors
    /// The refusal when it could not be written.
    pub fn record(&mut self, kinds: Vec<Kind>) -> Result<Vec<Placed>, Refusal> {
        let now = self.now();
        let drafts: Vec<Draft> = kinds
            .into_iter()
            .map(|kind| Draft {
                business_date: self.register.entry_date(now),
                staff: self.register.session.staff.unwrap_or(0),
                training: false,
                kind,
            })
            .collect();
        let placed = self.shop.append(&drafts, now)?;
        for placed in &placed {
            self.register.fold(&placed.entry);
        }
        Ok(placed)
    }
}

/// What is said to every act that rests on a chain in which `what` was found.
pub(super) fn chain_damaged(what: String) -> Refusal {
    Refusal::new(RefusalCode::Damaged).saying("chain_damaged").with("what", what)
}

/// Whether an act takes or gives money, or puts figures of the journal on paper: with a chain that is not
/// known to hold, none of these is true.
pub(super) const fn rests_on_chain(command: &Command) -> bool {
    use Command as C;
    matches!(
        command,
        C::Tender { .. }
            | C::FormalReceipt { .. }
            | C::VoidReceipt { .. }
            | C::CorrectTender { .. }
            | C::LatePoints { .. }
            | C::TaxFree { .. }
            | C::TaxFreeRefund { .. }
            | C::PaidIn { .. }
            | C::PaidOut { .. }
            | C::Loan(_)
            | C::Pickup(_)
            | C::XReport
            | C::ZReport { .. }
            | C::Report { .. }
    )
}

/// Whether an effect may follow the answer. X and Z are read on the screen first, and a backup is of the
/// moment of its Z.
const fn waits_behind(effect: &Effect) -> bool {
    match effect {
        Effect::Print(paper) => !matches!(paper, Paper::XReport | Paper::ZReport { .. }),
        Effect::OpenDrawer(_) => true,
        Effect::Backup | Effect::StorePin { .. } | Effect::EndJob { .. } => false,
    }
}

const fn closes_day(effect: &Effect) -> bool {
    matches!(effect, Effect::Print(Paper::ZReport { .. }))
}

/// PINs that must be on file before the entry that says so.
fn pins_of(effects: &[Effect]) -> Vec<(u32, Option<Pin>)> {
    let pin = |effect: &Effect| match effect {
        Effect::StorePin { staff, pin } => Some((*staff, pin.clone())),
        _ => None,
    };
    effects.iter().filter_map(pin).collect()
}

impl Outcome {
    pub fn refused(line: &str, refusal: Refusal) -> Self {
        Self { command: line.to_owned(), refusal: Some(refusal), ..Self::default() }
    }
}
