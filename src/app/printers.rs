//! The lane's receipt printer, and a second one that prints what the first cannot.
//!
//! Room: app. May touch: the printers' thread handles.
//! Invariant: papers come from the second only while it is well and the first is not.

use std::path::Path;
use std::sync::Arc;

use super::spool::SpoolError;
use crate::devices::printer::dialogue::{Manner, Patience};
use crate::devices::printer::{self, Address, PrinterEvent, PrinterHandle, Submitted, Trouble};
use crate::devices::profile::{Profile, Profiles, Status};
use crate::devices::raster::Bitmap;
use crate::devices::render::render;
use crate::domain::document::Document;

/// Between two askings of the first printer: paper and cover are in words within half a second.
const WATCH_MS: u64 = 300;
/// Between two askings of a printer beside it.
const CALM_MS: u64 = 2_000;

/// Which printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Main,
    Second,
}

/// A printer as `shop.toml` names it.
pub struct Named<'a> {
    address: Address,
    profile: &'a Profile,
}

impl<'a> Named<'a> {
    /// # Errors
    /// An address or a profile that is none.
    pub fn find(
        address: &str,
        profile: &str,
        profiles: &'a Profiles,
        shop: &Path,
    ) -> Result<Self, SpoolError> {
        let address = address.parse::<Address>()?.within(shop);
        let found = profiles.get(profile);
        let profile = found.ok_or_else(|| SpoolError::Profile(profile.to_owned()))?;
        Ok(Self { address, profile })
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Whether what it prints leaves this machine.
    pub fn is_on_paper(&self) -> bool {
        !matches!(self.address, Address::File(_) | Address::Screen)
    }

    /// Starts its thread, on which `tell` is called for each event.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(
        self,
        patience: Patience,
        tell: impl FnMut(PrinterEvent) + Send + 'static,
    ) -> Result<Printer, SpoolError> {
        let manner = Manner::from(self.profile);
        let is_own = !matches!(self.address, Address::Tcp { .. });
        let handle = printer::start(self.address, manner, patience, tell)?;
        let profile = Arc::new(self.profile.clone());
        Ok(Printer { handle: Some(handle), profile, is_own, trouble: None })
    }
}

/// A printer at work.
pub struct Printer {
    /// Gone once it was stopped.
    handle: Option<PrinterHandle>,
    profile: Arc<Profile>,
    /// It hangs on this machine; one on the network may serve others.
    is_own: bool,
    /// What ails it.
    pub trouble: Option<Trouble>,
}

impl Printer {
    /// Ends the thread and waits for it.
    pub fn stop(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.stop();
        }
    }

    /// Hears how it is while nothing is printed: from a printer that tells by itself at once, from one
    /// that must be asked every `every_ms`.
    pub fn watch(&self, every_ms: u64) {
        let every = match self.profile.status {
            Status::Asb | Status::Sii => None,
            Status::Dle | Status::Star => Some(every_ms),
            Status::None => return,
        };
        if let Some(handle) = &self.handle {
            handle.watch(every);
        }
    }

    /// The same for a printer beside the first, unless others print there, too: the line to it is held.
    pub fn watch_calmly(&self) {
        if self.is_own {
            self.watch(CALM_MS);
        }
    }

    /// Asks how it is now, once.
    pub fn look(&self) {
        if let Some(handle) = &self.handle {
            handle.look();
        }
    }

    /// Sends a paper, which is drawn on the printer's thread; returns whether it was taken.
    pub fn send(
        &self,
        name: &str,
        document: &Document,
        id: u64,
        logo: Option<&Arc<Bitmap>>,
    ) -> bool {
        let draw = self.drawing(document.clone(), logo.cloned());
        let sent = self.handle.as_ref().map(|handle| handle.submit_undrawn(id, name, draw));
        sent == Some(Submitted::Taken)
    }

    /// Says that it may wait for the rest of a paper of an earlier run.
    pub fn begun_before(&self, document: Document, logo: Option<&Arc<Bitmap>>) {
        if let Some(handle) = &self.handle {
            handle.begun_before(self.drawing(document, logo.cloned())().len());
        }
    }

    /// Returns what draws the paper, on whichever thread.
    fn drawing(
        &self,
        document: Document,
        logo: Option<Arc<Bitmap>>,
    ) -> impl FnOnce() -> Vec<u8> + Send + use<> {
        let profile = Arc::clone(&self.profile);
        move || render(&document, &profile, logo.as_deref()).bytes
    }
}

/// The one printer, or both.
pub struct Printers {
    main: Printer,
    second: Option<Printer>,
    /// The shop's logo, for printers that draw.
    logo: Option<Arc<Bitmap>>,
}

impl Printers {
    pub fn new(main: Printer, second: Option<Printer>, logo: Option<Bitmap>) -> Self {
        Self { main, second, logo: logo.map(Arc::new) }
    }

    /// What the first printer can do: screens and papers are laid out for it.
    pub fn profile(&self) -> &Profile {
        &self.main.profile
    }

    /// What ails the first printer.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.main.trouble.as_ref()
    }

    /// Notes how a printer is.
    pub fn is(&mut self, place: Place, trouble: Option<Trouble>) {
        match (place, &mut self.second) {
            (Place::Main, _) => self.main.trouble = trouble,
            (Place::Second, Some(second)) => second.trouble = trouble,
            (Place::Second, None) => {}
        }
    }

    /// Where the next paper comes from.
    pub fn place(&self) -> Place {
        let second_is_well = self.second.as_ref().is_some_and(|second| second.trouble.is_none());
        if self.main.trouble.is_some() && second_is_well { Place::Second } else { Place::Main }
    }

    /// Hears how the printers are while nothing is printed.
    pub fn watch(&self) {
        self.main.watch(WATCH_MS);
        self.second.iter().for_each(Printer::watch_calmly);
    }

    fn at(&self, place: Place) -> Option<&Printer> {
        match place {
            Place::Main => Some(&self.main),
            Place::Second => self.second.as_ref(),
        }
    }

    /// The thread of a printer, until it was stopped.
    pub fn handle(&self, place: Place) -> Option<&PrinterHandle> {
        self.at(place)?.handle.as_ref()
    }

    /// Sends a paper, which is drawn on the printer's thread; returns whether it was taken.
    pub fn send(&self, place: Place, name: &str, document: &Document, id: u64) -> bool {
        self.at(place).is_some_and(|printer| printer.send(name, document, id, self.logo.as_ref()))
    }

    /// Says that the first printer may wait for the rest of a paper of an earlier run.
    pub fn begun_before(&self, document: &Document) {
        self.main.begun_before(document.clone(), self.logo.as_ref());
    }

    /// Ends the threads and waits for them.
    pub fn stop(&mut self) {
        self.main.stop();
        if let Some(mut second) = self.second.take() {
            second.stop();
        }
    }
}
