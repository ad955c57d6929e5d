//! Kitchen printers: a slip at each place that has something to make, when the sale closes.
//!
//! Room: app. May touch: the printers' handles, the slips' own files.
//! Invariant: a slip is sent at most once; one that is not known to be printed is named to staff. One
//! that was not begun when the register ended is sent by the next.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};

use super::lane_config::KitchenConfig;
use super::spool::SpoolError;
use crate::devices::escpos_render;
use crate::devices::printer::dialogue::{Manner, Patience};
use crate::devices::printer::{
    self, Address, Job, JobKind, PrinterEvent, PrinterHandle, Submitted, Trouble,
};
use crate::devices::profile::{Profile, Profiles};
use crate::domain::sale::Sale;
use crate::reports::kitchen_slip::kitchen_slip;
use crate::reports::letterhead::{Act, Letterhead};
use crate::store::files::plain::PlainFiles;
use crate::store::slip_queue::{LeftSlip, SlipQueue};

/// What staff should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KitchenNews {
    /// Its printer cannot print; slips wait.
    Trouble { place: String, trouble: Trouble },
    /// Nobody knows whether this slip was printed, or it was not: tell the kitchen.
    Untold { place: String, receipt: String },
}

/// All kitchen printers of the lane.
#[derive(Default)]
pub struct Kitchen {
    stations: Vec<Station>,
    queue: Option<SlipQueue>,
    next: u64,
    said: Vec<KitchenNews>,
}

struct Station {
    config: KitchenConfig,
    profile: Profile,
    handle: PrinterHandle,
    events: Receiver<PrinterEvent>,
    queue: SlipQueue,
    /// Slips on their way, by their job's number.
    waiting: Vec<(u64, String)>,
    trouble: Option<Trouble>,
}

impl Kitchen {
    /// Starts a thread for each place.
    ///
    /// # Errors
    /// An address or a profile that is none.
    pub fn start(
        configs: &[KitchenConfig],
        profiles: &Profiles,
        shop: &Path,
        patience: Patience,
        woken: &Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Self, SpoolError> {
        let queue = SlipQueue::new(Arc::new(PlainFiles), shop);
        let start = |config: &KitchenConfig| {
            let address: Address = config.address.parse()?;
            let name = &config.profile;
            let profile = profiles.get(name).ok_or_else(|| SpoolError::Profile(name.clone()))?;
            let (tell, events) = unbounded(); // Bounded by the jobs that cause them.
            let woken = Arc::clone(woken);
            let notes = queue.clone();
            let told = move |event| {
                note(&notes, &event);
                if tell.send(event).is_ok() {
                    woken();
                }
            };
            let handle =
                printer::start(address.within(shop), Manner::from(profile), patience, told)?;
            let (config, profile) = (config.clone(), profile.clone());
            let (queue, waiting, trouble) = (queue.clone(), Vec::new(), None);
            Ok(Station { config, profile, handle, events, queue, waiting, trouble })
        };
        let stations: Result<Vec<_>, SpoolError> = configs.iter().map(start).collect();
        let stations = stations?;
        // The numbers go on behind those that were left; a folder that cannot be read holds none.
        let last = queue.left().ok().and_then(|left| left.last().map(|slip| slip.id));
        Ok(Self { stations, queue: Some(queue), next: last.unwrap_or(0), said: Vec::new() })
    }

    /// Prints what the last run left unsent; what it had begun is for staff to tell.
    pub fn print_left(&mut self) {
        let Some(queue) = &self.queue else { return };
        for slip in queue.left().unwrap_or_default() {
            let LeftSlip { id, place, receipt, bytes, begun } = slip;
            let station = self.stations.iter_mut().find(|station| station.config.name == place);
            match station.filter(|_| !begun) {
                Some(station) => station.submit(id, receipt, bytes),
                None => {
                    queue.end(id);
                    self.said.push(KitchenNews::Untold { place, receipt });
                }
            }
        }
    }

    /// Sends each place its slip of a closed sale.
    pub fn print(&mut self, letterhead: &Letterhead<'_>, act: &Act<'_>, sale: &Sale) {
        for station in &mut self.stations {
            let KitchenConfig { name, departments, .. } = &station.config;
            let slip = kitchen_slip(letterhead, act, sale, name, departments);
            let Some(slip) = slip else { continue };
            self.next += 1;
            let bytes = escpos_render::render(&slip, &station.profile, None).bytes;
            let receipt = sale.number.to_string();
            // A disk that keeps it not holds up no slip; it is only not sent again.
            let _ = station.queue.keep(self.next, name, &receipt, &bytes);
            station.submit(self.next, receipt, bytes);
        }
    }

    /// Takes what the printers said.
    pub fn news(&mut self) -> Vec<KitchenNews> {
        let mut news = std::mem::take(&mut self.said);
        news.extend(self.stations.iter_mut().flat_map(Station::news));
        news
    }

    /// Slips on their way.
    pub fn waiting(&self) -> usize {
        self.stations.iter().map(|station| station.waiting.len()).sum()
    }

    /// Place, address, profile and trouble of each printer.
    pub fn states(&self) -> impl Iterator<Item = (&KitchenConfig, Option<Trouble>)> {
        self.stations.iter().map(|station| (&station.config, station.trouble))
    }

    /// Waits until no slip waits, or nothing moved for `patience`.
    pub fn drain(&mut self, patience: Duration) {
        for station in &mut self.stations {
            while !station.waiting.is_empty() {
                let Ok(event) = station.events.recv_timeout(patience) else { break };
                station.heard(event);
            }
        }
    }

    /// Ends the threads; what has not begun stays unsent.
    pub fn stop(&mut self) {
        self.stations.drain(..).for_each(|station| station.handle.stop());
    }
}

/// Notes in a slip's file what its printer is about to do, on the printer's thread.
fn note(queue: &SlipQueue, event: &PrinterEvent) {
    // A disk that refuses the note holds up no slip; only a cut right now would print it again.
    let _ = match event {
        PrinterEvent::FirstByte { job } => queue.begin(*job),
        PrinterEvent::Trouble(_) => queue.sync(),
        _ => Ok(()),
    };
}

impl Station {
    fn submit(&mut self, id: u64, receipt: String, bytes: Vec<u8>) {
        let name = format!("kitchen-{}-{receipt}", self.config.name);
        self.waiting.push((id, receipt));
        if self.handle.submit(Job { id, name, bytes, kind: JobKind::Paper }) != Submitted::Taken {
            self.trouble = Some(Trouble::Stalled);
        }
    }

    fn news(&mut self) -> Vec<KitchenNews> {
        let events: Vec<_> = self.events.try_iter().collect();
        events.into_iter().filter_map(|event| self.heard(event)).collect()
    }

    fn heard(&mut self, event: PrinterEvent) -> Option<KitchenNews> {
        let place = self.config.name.clone();
        match event {
            PrinterEvent::Ready => {
                self.trouble = None;
                None
            }
            PrinterEvent::Trouble(trouble) => {
                let new = self.trouble.replace(trouble) != Some(trouble);
                (new && !self.waiting.is_empty()).then_some(KitchenNews::Trouble { place, trouble })
            }
            PrinterEvent::Done { job, .. } => {
                self.take(job);
                None
            }
            PrinterEvent::NotSent { job, .. } | PrinterEvent::Uncertain { job, .. } => {
                self.take(job).map(|receipt| KitchenNews::Untold { place, receipt })
            }
            PrinterEvent::FirstByte { .. }
            | PrinterEvent::Saved { .. }
            | PrinterEvent::DrawerSensor { .. } => None,
        }
    }

    fn take(&mut self, job: u64) -> Option<String> {
        let at = self.waiting.iter().position(|(id, _)| *id == job)?;
        self.queue.end(job);
        Some(self.waiting.remove(at).1)
    }
}
