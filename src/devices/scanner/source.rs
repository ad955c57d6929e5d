//! The thread that owns the scanners: it hears them, and notices them come and go.
//!
//! Room: devices. May touch: the scanners that `finder` grabbed. May not: fall behind (the kernel
//! keeps 64 events a reader), so it opens nothing.
//! Invariant: one `poll`, without a time-out unless a scan is under way; a device that ends is let go
//! and found again.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::UNIX_EPOCH;

use crossbeam_channel::{Receiver, bounded};
use evdev::raw_stream::RawDevice;
use evdev::{EventSummary, InputEvent, SynchronizationCode};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::{Access, Mode, OFlags, access, open};
use rustix::io::Errno;

use super::decoder::{Input, NEW_SCAN_MS, Reject};
use super::finder::{Finder, Found, Scanner};
use super::{Identity, ScannerMatch};

/// What the finder may be ahead by; it waits when there is more.
pub(super) const FOUND_AHEAD: usize = 16;

/// What the scanners tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScannerEvent {
    Scan(String),
    Rejected(Reject),
    Plugged(Identity),
    Unplugged(Identity),
    /// Another program holds the scanner.
    Busy(Identity),
    /// Told at the start and whenever it changes: of `nodes` input devices `readable` could be
    /// looked at. None of several: this user may not read input devices.
    Nodes {
        readable: usize,
        nodes: usize,
    },
}

/// A running scanner thread. Dropping it ends the thread and frees the scanners.
pub struct ScannerHandle {
    wake: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl ScannerHandle {
    pub(super) fn new(wake: Arc<OwnedFd>, thread: JoinHandle<()>) -> Self {
        Self { wake, thread: Some(thread) }
    }

    /// Ends the thread and waits for it.
    pub fn stop(mut self) {
        self.ring();
        if let Some(thread) = self.thread.take() {
            drop(thread.join()); // A panic of the thread has been told by the panic hook.
        }
    }

    fn ring(&self) {
        ring(&self.wake);
    }
}

pub(super) fn ring(bell: &OwnedFd) {
    let _ = rustix::io::write(bell, &1_u64.to_ne_bytes()); // Full: it rings already.
}

impl Drop for ScannerHandle {
    fn drop(&mut self) {
        self.ring();
    }
}

/// Starts listening to the devices under `folder` (`/dev/input`) that a rule names. `tell` is
/// called on the thread and must not wait long.
pub fn listen(
    folder: &Path,
    rules: Vec<ScannerMatch>,
    tell: impl FnMut(ScannerEvent) + Send + 'static,
) -> io::Result<ScannerHandle> {
    let news = Arc::new(bell()?);
    let (found, finds) = bounded(FOUND_AHEAD);
    let finder = Finder::new(folder.to_owned(), rules, found, Arc::clone(&news));
    let ear = Ear { tell, scanners: Vec::new(), finds, news };
    start(move |end| finder.run(end), move |end| ear.run(end))
}

/// Starts a thread that finds and one that hears; both return when their bell rings.
pub(super) fn start(
    find: impl FnOnce(&OwnedFd) + Send + 'static,
    hear: impl FnOnce(&OwnedFd) + Send + 'static,
) -> io::Result<ScannerHandle> {
    // Nobody reads the bell: it rings for both threads, and for good.
    let wake = Arc::new(bell()?);
    let end = Arc::clone(&wake);
    let finder = named("scanner finder").spawn(move || find(&end))?;
    let end = Arc::clone(&wake);
    let spawned = named("scanner").spawn(move || {
        hear(&end);
        drop(finder.join()); // A panic of the thread has been told by the panic hook.
    });
    let thread = spawned.inspect_err(|_| ring(&wake))?;
    Ok(ScannerHandle::new(wake, thread))
}

pub(super) fn bell() -> io::Result<OwnedFd> {
    Ok(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)
}

fn named(name: &str) -> std::thread::Builder {
    std::thread::Builder::new().name(name.into())
}

/// Returns for each rule whether a device it fits is there and may be read.
pub fn connected(folder: &Path, rules: &[ScannerMatch]) -> Vec<bool> {
    let nodes = event_nodes(folder);
    let there: Vec<Identity> = nodes
        .iter()
        .filter_map(|node| open_node(node).ok())
        .map(|device| identity(&device))
        .collect();
    let is_there = |rule: &ScannerMatch| match rule.serial_line() {
        Some(line) => line.is_ok_and(|line| line.path.exists()),
        None => there.iter().any(|device| rule.fits(device)),
    };
    rules.iter().map(is_there).collect()
}

/// Returns how many input devices this account may not look at; none is opened.
pub fn unreadable(folder: &Path) -> usize {
    let denied = |node: &PathBuf| access(node, Access::READ_OK) == Err(Errno::ACCESS);
    event_nodes(folder).into_iter().filter(denied).count()
}

struct Ear<Tell> {
    tell: Tell,
    scanners: Vec<Scanner>,
    finds: Receiver<Found>,
    /// Rung when there are finds.
    news: Arc<OwnedFd>,
}

impl<Tell: FnMut(ScannerEvent)> Ear<Tell> {
    fn run(mut self, bell: &OwnedFd) {
        while let Some(ready) = self.wait(bell) {
            if ready.contains(&true) {
                // What is held is heard first: its queue is short.
                self.hear(&ready[1..]);
            } else {
                self.silence();
            }
            if ready.first() == Some(&true) {
                let mut rung = [0; 8];
                let _ = rustix::io::read(&*self.news, &mut rung); // That it rang is enough.
                self.take_finds();
            }
        }
    }

    fn take_finds(&mut self) {
        while let Ok(found) = self.finds.try_recv() {
            (self.tell)(match found {
                Found::Busy(identity) => ScannerEvent::Busy(identity),
                Found::Nodes { readable, nodes } => ScannerEvent::Nodes { readable, nodes },
                Found::Scanner(scanner) => {
                    let identity = scanner.identity.clone();
                    self.scanners.push(*scanner);
                    ScannerEvent::Plugged(identity)
                }
            });
        }
    }

    /// A scan that was begun did not end: its scanner no longer sends Enter, or was moved.
    fn silence(&mut self) {
        for scanner in &mut self.scanners {
            if let Some(why) = scanner.decoder.silence() {
                (self.tell)(ScannerEvent::Rejected(why));
            }
        }
    }

    /// Waits; returns whether there are finds, and which of the scanners have something, or `None`
    /// at the end.
    fn wait(&self, bell: &OwnedFd) -> Option<Vec<bool>> {
        let mut watched = vec![PollFd::new(bell, PollFlags::IN)];
        watched.push(PollFd::new(&*self.news, PollFlags::IN));
        watched.extend(
            self.scanners.iter().map(|scanner| PollFd::new(&scanner.device, PollFlags::IN)),
        );
        let under_way = self.scanners.iter().any(|scanner| scanner.decoder.under_way());
        let time = Timespec { tv_sec: NEW_SCAN_MS as i64 / 1_000, tv_nsec: 0 };
        let time = under_way.then_some(&time);
        while poll(&mut watched, time).is_err_and(|error| error == Errno::INTR) {}
        let ready: Vec<bool> = watched.iter().map(|fd| !fd.revents().is_empty()).collect();
        (!ready[0]).then(|| ready[1..].to_vec())
    }

    fn hear(&mut self, ready: &[bool]) {
        let mut gone = Vec::new();
        for (at, _) in ready.iter().enumerate().filter(|(_, ready)| **ready) {
            if let Some(scanner) = self.scanners.get_mut(at)
                && !scanner.read(&mut self.tell)
            {
                gone.push(at);
            }
        }
        for at in gone.into_iter().rev() {
            let scanner = self.scanners.swap_remove(at);
            (self.tell)(ScannerEvent::Unplugged(scanner.identity));
        }
    }
}

impl Scanner {
    /// Reads what is there; false when the device is gone.
    fn read(&mut self, tell: &mut impl FnMut(ScannerEvent)) -> bool {
        match self.device.fetch_events() {
            Ok(events) => {
                for scan in events.filter_map(input).filter_map(|input| self.decoder.push(input)) {
                    tell(scan.map_or_else(ScannerEvent::Rejected, ScannerEvent::Scan));
                }
                true
            }
            Err(error) => {
                matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
            }
        }
    }
}

/// Returns what a decoder wants to know of an event.
pub(super) fn input(event: InputEvent) -> Option<Input> {
    match event.destructure() {
        EventSummary::Key(_, code, value) => {
            let since = event.timestamp().duration_since(UNIX_EPOCH).unwrap_or_default();
            let at_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
            Some(Input::Key { code: code.0, value, at_ms })
        }
        EventSummary::Synchronization(_, SynchronizationCode::SYN_DROPPED, _) => {
            Some(Input::Dropped)
        }
        _ => None,
    }
}

pub(super) fn event_nodes(folder: &Path) -> Vec<PathBuf> {
    let is_event = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("event"))
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut nodes: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_event).collect();
    nodes.sort();
    nodes
}

pub(super) fn open_node(path: &Path) -> io::Result<RawDevice> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    RawDevice::from_fd(open(path, flags, Mode::empty())?)
}

/// Names come from the device: only what can be shown is kept, and not much of it.
pub(super) fn identity(device: &RawDevice) -> Identity {
    let clean = |text: Option<&str>| -> String {
        text.unwrap_or_default().chars().filter(|c| (' '..='~').contains(c)).take(64).collect()
    };
    let id = device.input_id();
    Identity {
        vendor: id.vendor(),
        product: id.product(),
        name: clean(device.name()),
        uniq: clean(device.unique_name()),
        phys: clean(device.physical_path()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::unbounded;
    use std::time::Duration;

    #[test]
    fn nodes_that_cannot_be_read_are_counted_when_they_appear() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("event0"), "no device").expect("it is written");
        std::fs::write(folder.path().join("mouse0"), "").expect("it is written");
        let (tell, told) = unbounded();
        let ear = listen(folder.path(), Vec::new(), move |event| drop(tell.send(event)))
            .expect("the thread starts");
        let next = || told.recv_timeout(Duration::from_secs(5)).expect("it is told");
        assert_eq!(next(), ScannerEvent::Nodes { readable: 0, nodes: 1 });
        std::fs::write(folder.path().join("event1"), "").expect("it is written");
        assert_eq!(next(), ScannerEvent::Nodes { readable: 0, nodes: 2 });
        ear.stop();
    }

    #[test]
    fn a_machine_without_input_devices_is_told_and_costs_nothing() {
        let (tell, told) = unbounded();
        let ear =
            listen(Path::new("/nonexistent"), Vec::new(), move |event| drop(tell.send(event)))
                .expect("the thread starts");
        let first = told.recv_timeout(Duration::from_secs(5)).expect("it is told");
        assert_eq!(first, ScannerEvent::Nodes { readable: 0, nodes: 0 });
        ear.stop();
    }

    #[test]
    fn kernel_events_keep_their_code_value_and_overruns() {
        let key = InputEvent::new(1, 28, 1);
        assert!(matches!(input(key), Some(Input::Key { code: 28, value: 1, .. })));
        assert_eq!(input(InputEvent::new(0, 3, 0)), Some(Input::Dropped));
        assert_eq!(input(InputEvent::new(0, 0, 0)), None);
        assert_eq!(input(InputEvent::new(4, 4, 7)), None);
    }
}
