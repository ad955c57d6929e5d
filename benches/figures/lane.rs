//! A lane without a screen or a printer: the register and the store behind it, and a given clock.
//!
//! Room: benches. May touch: one shop folder, through the library.
//! It does what the app does with a command, in the app's order, and nothing beside it.

use std::path::Path;
use std::sync::Arc;

use regi::domain::command;
use regi::domain::entry::{Clock, Draft, Entry, Kind, PrintEnd};
use regi::domain::register::{Applied, Context, Now, Register};
use regi::store::jobs::job_of;
use regi::store::shop::{Shop, ShopPlace};

use crate::Failure;
use crate::disk::{CountedFiles, Syncs};

/// Japan's offset from UTC.
const OFFSET_MINUTES: i16 = 540;

pub struct Lane {
    pub shop: Shop,
    pub files: CountedFiles,
    pub register: Register,
    ids: u128,
    /// Ends of print jobs, written with the next act as the app does.
    printed: Vec<Draft>,
}

/// Returns a moment at the counter: UTC milliseconds, as given on a command line.
pub fn moment(utc_ms: i64) -> Now {
    Now { utc_ms, offset_minutes: OFFSET_MINUTES, clock: Clock::Given }
}

impl Lane {
    /// Opens lane 1 of a shop.
    pub fn open(dir: &Path, syncs: Syncs) -> Result<Self, Failure> {
        let files = CountedFiles::new(syncs);
        let place = ShopPlace {
            files: Arc::new(files.clone()),
            dir: dir.to_owned(),
            lane: 1,
            chance: Arc::new(|bytes| getrandom::fill(bytes).expect("the kernel's chance")),
            pid: std::process::id(),
            copy: None,
            reserve_bytes: 0,
        };
        let opened = place.open(&mut |_, _| {})?;
        let register = Register::new(opened.settings, opened.lane, opened.cart);
        // Far from any id that another run of the benches gave.
        let ids = u128::from(opened.shop.journal().head().seq + 1) << 64;
        Ok(Self { shop: opened.shop, files, register, ids, printed: Vec::new() })
    }

    /// Works a command line out; nothing is written yet.
    pub fn begin(&mut self, line: &str, now: Now) -> Result<Applied, Failure> {
        let parsed = command::parse(line).map_err(|refusal| refused(line, &refusal))?;
        let command = parsed.ok_or("an empty line")?;
        let ids = &mut self.ids;
        let mut new_id = || {
            *ids += 1;
            *ids
        };
        let mut context = Context { now, shop: self.shop.reader(), new_id: &mut new_id };
        let applied = self.register.apply(&command, &mut context);
        applied.map_err(|refused_as| refused(line, &refused_as.refusal))
    }

    /// Carries a command line out: the cart is kept before it is shown, the entries are written
    /// before they are true.
    pub fn give(&mut self, line: &str, now: Now) -> Result<Vec<Entry>, Failure> {
        let applied = self.begin(line, now)?;
        self.write(applied, now)
    }

    fn write(&mut self, applied: Applied, now: Now) -> Result<Vec<Entry>, Failure> {
        if applied.cart != self.register.cart && !applied.cart.is_empty() {
            self.shop.keep_cart(&applied.cart)?;
        }
        let drafts = self.drafts(&applied);
        let entries = self.shop.append(&drafts, now)?;
        self.accept(applied, &entries)?;
        Ok(entries)
    }

    /// Returns what goes to the disk for an act: its entries, after the ends of earlier print jobs.
    pub fn drafts(&mut self, applied: &Applied) -> Vec<Draft> {
        if applied.entries.is_empty() {
            return Vec::new();
        }
        let mut drafts = std::mem::take(&mut self.printed);
        drafts.extend(applied.entries.iter().cloned());
        drafts
    }

    /// Makes an act true whose entries are on the disk; its paper is printed at once.
    pub fn accept(&mut self, applied: Applied, entries: &[Entry]) -> Result<(), Failure> {
        let was_open = !self.register.cart.is_empty();
        self.register.accept(applied, entries);
        if was_open && self.register.cart.is_empty() {
            self.shop.keep_cart(&self.register.cart)?;
        }
        for entry in entries {
            self.printed.extend(job_of(&entry.kind).map(|job| Draft {
                business_date: entry.header.business_date,
                staff: entry.header.staff,
                training: false,
                kind: Kind::PrintEnded { job, end: PrintEnd::Printed },
            }));
        }
        Ok(())
    }

    /// Leaves in order, as the app does: what was printed is written down, all is synced.
    pub fn close(mut self, now: Now) -> Result<(), Failure> {
        let printed = std::mem::take(&mut self.printed);
        self.shop.append(&printed, now)?;
        Ok(self.shop.close()?)
    }
}

fn refused(line: &str, refusal: &regi::domain::refusal::Refusal) -> Failure {
    format!("{line}: refused as {} {:?}", refusal.code.word(), refusal.args).into()
}
