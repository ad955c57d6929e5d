//! The thread that looks for scanners: it opens what comes, grabs what a rule names, hands it on.
//!
//! Room: devices. May touch: `/dev/input`. May not: read a scanner, or open a device twice that stayed
//! where it is.
//! Invariant: a thread of its own, because opening a device and letting it go waits for the kernel,
//! some tens of milliseconds each, and a scanner's queue of 64 events is full after twenty.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::Sender;
use evdev::KeyCode;
use evdev::raw_stream::RawDevice;
use inotify::{Inotify, WatchMask};
use rustix::event::{PollFd, PollFlags, poll};

use super::source::{event_nodes, identity, open_node, ring};
use super::{Identity, ScanDecoder, ScannerMatch};

/// What a look found.
pub(super) enum Found {
    /// A scanner, grabbed.
    Scanner(Box<Scanner>),
    /// A scanner that another program holds.
    Busy(Identity),
    /// How many nodes there are, and how many of them may be read; told when it changes.
    Nodes { readable: usize, nodes: usize },
}

/// One grabbed scanner.
pub(super) struct Scanner {
    pub identity: Identity,
    pub device: RawDevice,
    pub decoder: ScanDecoder,
}

/// What came of opening a node.
enum Opened {
    /// It is held, or no scanner: neither changes while it is plugged in.
    Settled,
    /// Another program holds it, and may let it go.
    Busy,
    /// It may not be read, or not yet: udev gives it to its group a moment after it appears.
    Refused,
}

pub(super) struct Finder {
    folder: PathBuf,
    rules: Vec<ScannerMatch>,
    found: Sender<Found>,
    /// Rung when something was found.
    wake: Arc<OwnedFd>,
    /// Nodes that need no second look, by inode: plugged in again, a device has another.
    settled: HashMap<PathBuf, u64>,
    told: Option<(usize, usize)>,
}

impl Finder {
    pub fn new(
        folder: PathBuf,
        rules: Vec<ScannerMatch>,
        found: Sender<Found>,
        wake: Arc<OwnedFd>,
    ) -> Self {
        Self { folder, rules, found, wake, settled: HashMap::new(), told: None }
    }

    /// Looks whenever the folder changes, until `bell` rings or nobody wants to know.
    pub fn run(mut self, bell: &OwnedFd) {
        // The watch stands before the first look: nothing plugged in between is missed.
        let watch = self.watch();
        let mut heard = self.look();
        let Some(mut watch) = watch else { return };
        while heard && changed(&watch, bell) {
            let mut buffer = [0; 4_096];
            drop(watch.read_events(&mut buffer)); // That something changed is enough.
            heard = self.look();
        }
    }

    fn watch(&self) -> Option<Inotify> {
        let inotify = Inotify::init().ok()?;
        // udev sets the permissions after the node appears: IN_ATTRIB is the second chance.
        let mask = WatchMask::CREATE | WatchMask::ATTRIB | WatchMask::DELETE;
        inotify.watches().add(&self.folder, mask).ok()?;
        Some(inotify)
    }

    /// Looks through the folder for what is new; false when nobody wants to know.
    fn look(&mut self) -> bool {
        let nodes = event_nodes(&self.folder);
        self.settled.retain(|path, _| nodes.contains(path));
        let mut readable = 0;
        for path in &nodes {
            let Ok(node) = std::fs::symlink_metadata(path) else { continue };
            if self.settled.get(path) == Some(&node.ino()) {
                readable += 1;
                continue;
            }
            self.settled.remove(path);
            match self.consider(path) {
                Ok(Opened::Refused) => {}
                Ok(Opened::Busy) => readable += 1,
                Ok(Opened::Settled) => {
                    readable += 1;
                    self.settled.insert(path.clone(), node.ino());
                }
                Err(()) => return false,
            }
        }
        let counted = (readable, nodes.len());
        let is_news = self.told.replace(counted) != Some(counted);
        !is_news || self.tell(Found::Nodes { readable, nodes: nodes.len() }).is_ok()
    }

    fn consider(&self, path: &Path) -> Result<Opened, ()> {
        let Ok(mut device) = open_node(path) else { return Ok(Opened::Refused) };
        let identity = identity(&device);
        let types = device.supported_keys().is_some_and(|keys| keys.contains(KeyCode::KEY_ENTER));
        let Some(rule) = self.rules.iter().find(|rule| types && rule.fits(&identity)) else {
            return Ok(Opened::Settled);
        };
        if device.grab().is_err() {
            return self.tell(Found::Busy(identity)).map(|()| Opened::Busy);
        }
        let decoder = ScanDecoder::new(rule.layout, rule.signs);
        self.tell(Found::Scanner(Box::new(Scanner { identity, device, decoder })))?;
        Ok(Opened::Settled)
    }

    fn tell(&self, found: Found) -> Result<(), ()> {
        self.found.send(found).map_err(drop)?;
        ring(&self.wake);
        Ok(())
    }
}

/// Waits for the folder to change; false when the bell rings.
fn changed(watch: &Inotify, bell: &OwnedFd) -> bool {
    let mut watched = [PollFd::new(bell, PollFlags::IN), PollFd::new(watch, PollFlags::IN)];
    while poll(&mut watched, None).is_err_and(|error| error == rustix::io::Errno::INTR) {}
    watched[0].revents().is_empty()
}
