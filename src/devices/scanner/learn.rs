//! Which device is the scanner: the one that types a code faster than any hand.
//!
//! Room: devices. May touch: `/dev/input`, serial lines nobody else was given. May not: grab anything,
//! or write a rule (the caller does).
//! Invariant: a device is named only after a whole code of `SHORTEST` characters came out of it with
//! no gap longer than `SLOWEST_MS` between two keys. The thread that hears opens nothing: letting go of
//! a device takes the kernel longer than a scanner needs for the 64 events that it keeps.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use evdev::KeyCode;
use evdev::raw_stream::RawDevice;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::decoder::{ByteDecoder, Input, ScanDecoder, Signs};
use super::source::{
    FOUND_AHEAD, ScannerHandle, bell, event_nodes, identity, input, open_node, ring, start,
};
use super::wedge::BURST_MS;
use super::{Identity, Layout, ScannerMatch};
use crate::devices::printer::link::{self, Link, Read};

/// A device that was heard to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    pub rule: ScannerMatch,
    /// What an input device says of itself; empty for a serial line.
    pub identity: Identity,
    /// What it scanned.
    pub text: String,
    /// Where it was heard.
    pub node: PathBuf,
}

/// The shortest text that tells a scanner from a hand.
const SHORTEST: usize = 6;
/// The longest time between two keys of a scanner.
const SLOWEST_MS: u64 = BURST_MS;
/// Between two looks for devices that were plugged in meanwhile: staff are waiting for it.
const LOOK_AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };
/// Names of serial lines that USB scanners appear as.
const LINES: [&str; 2] = ["ttyACM", "ttyUSB"];

/// Where to look.
#[derive(Debug, Clone)]
pub struct Places {
    /// Usually `/dev/input`.
    pub input: PathBuf,
    /// Usually `/dev`.
    pub dev: PathBuf,
    /// Serial lines that are something else: a display, a scale, a printer.
    pub taken: Vec<PathBuf>,
}

/// Starts listening to everything that may be a scanner; `tell` hears of each code one scans.
///
/// # Errors
/// When no thread can be started.
pub fn learn(
    places: Places,
    tell: impl FnMut(Learned) + Send + 'static,
) -> io::Result<ScannerHandle> {
    search(places, keyboard, tell)
}

fn search(
    places: Places,
    open: impl FnMut(&Path) -> Opened + Send + 'static,
    tell: impl FnMut(Learned) + Send + 'static,
) -> io::Result<ScannerHandle> {
    let news = Arc::new(bell()?);
    let (found, finds) = bounded(FOUND_AHEAD);
    let search = Search { places, open, found, news: Arc::clone(&news), settled: HashMap::new() };
    let ear = Ear { tell, heard: Vec::new(), finds, news };
    start(move |end| search.run(end), move |end| ear.run(end))
}

/// What came of opening something.
enum Opened {
    Source(Source),
    /// It has no Enter, and so ends no code.
    Useless,
    /// It may not be read, or not yet: udev gives it to its group a moment after it appears.
    Refused,
}

fn keyboard(path: &Path) -> Opened {
    let Ok(device) = open_node(path) else { return Opened::Refused };
    if !device.supported_keys().is_some_and(|keys| keys.contains(KeyCode::KEY_ENTER)) {
        return Opened::Useless;
    }
    let identity = identity(&device);
    let decoder = ScanDecoder::new(Layout::Us, Signs::Codes);
    let device = Box::new(device);
    Opened::Source(Source::Keys { device, identity, decoder, pace: Pace::default() })
}

fn line(path: &Path) -> Opened {
    let line = path.display().to_string().parse();
    match line.ok().and_then(|line| link::serial(&line).ok()) {
        Some(link) => {
            Opened::Source(Source::Line { link, decoder: ByteDecoder::new(Signs::Codes) })
        }
        None => Opened::Refused,
    }
}

/// One device that is listened to.
struct Heard {
    path: PathBuf,
    source: Source,
}

enum Source {
    Keys { device: Box<RawDevice>, identity: Identity, decoder: ScanDecoder, pace: Pace },
    Line { link: Link, decoder: ByteDecoder },
}

impl AsFd for Heard {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.source {
            Source::Keys { device, .. } => device.as_fd(),
            Source::Line { link, .. } => link.as_fd(),
        }
    }
}

/// How fast a device types.
#[derive(Debug, Default)]
struct Pace {
    last_ms: Option<u64>,
    slowest: u64,
}

impl Pace {
    fn press(&mut self, at_ms: u64) {
        let gap = self.last_ms.replace(at_ms).map_or(0, |last| at_ms.saturating_sub(last));
        self.slowest = self.slowest.max(gap);
    }

    /// Ends a code; returns whether no hand typed it.
    fn end(&mut self) -> bool {
        let fast = self.slowest <= SLOWEST_MS;
        *self = Self::default();
        fast
    }
}

/// The thread that opens what may be a scanner.
struct Search<Open> {
    places: Places,
    open: Open,
    found: Sender<Heard>,
    /// Rung when something was found.
    news: Arc<OwnedFd>,
    /// Nodes that need no second look, by inode: plugged in again, a device has another.
    settled: HashMap<PathBuf, u64>,
}

impl<Open: FnMut(&Path) -> Opened> Search<Open> {
    /// Looks again and again, until `bell` rings or nobody wants to know.
    fn run(mut self, bell: &OwnedFd) {
        while self.look().is_ok() {
            let mut watched = [PollFd::new(bell, PollFlags::IN)];
            let _ = poll(&mut watched, Some(&LOOK_AGAIN)); // Interrupted: looked at again.
            if !watched[0].revents().is_empty() {
                return;
            }
        }
    }

    fn look(&mut self) -> Result<(), ()> {
        let nodes = event_nodes(&self.places.input);
        let lines = lines(&self.places.dev);
        self.settled.retain(|path, _| nodes.contains(path) || lines.contains(path));
        for path in nodes {
            self.consider(path, |search, path| (search.open)(path))?;
        }
        for path in lines {
            if !self.is_taken(&path) {
                self.consider(path, |_, path| line(path))?;
            }
        }
        Ok(())
    }

    fn consider(
        &mut self,
        path: PathBuf,
        open: impl FnOnce(&mut Self, &Path) -> Opened,
    ) -> Result<(), ()> {
        let Ok(node) = std::fs::metadata(&path) else { return Ok(()) };
        if self.settled.get(&path) == Some(&node.ino()) {
            return Ok(());
        }
        let opened = open(self, &path);
        if !matches!(opened, Opened::Refused) {
            self.settled.insert(path.clone(), node.ino());
        }
        if let Opened::Source(source) = opened {
            self.found.send(Heard { path, source }).map_err(drop)?;
            ring(&self.news);
        }
        Ok(())
    }

    /// One line has several names.
    fn is_taken(&self, path: &Path) -> bool {
        let at = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.places.taken.iter().any(|taken| at(taken) == at(path))
    }
}

/// The thread that hears.
struct Ear<Tell> {
    tell: Tell,
    heard: Vec<Heard>,
    finds: Receiver<Heard>,
    /// Rung when there are finds.
    news: Arc<OwnedFd>,
}

impl<Tell: FnMut(Learned)> Ear<Tell> {
    fn run(mut self, bell: &OwnedFd) {
        loop {
            let mut watched = vec![PollFd::new(bell, PollFlags::IN)];
            watched.push(PollFd::new(&*self.news, PollFlags::IN));
            watched.extend(self.heard.iter().map(|heard| PollFd::new(heard, PollFlags::IN)));
            let _ = poll(&mut watched, None); // Interrupted: nothing is ready.
            let ready: Vec<bool> = watched.iter().map(|fd| !fd.revents().is_empty()).collect();
            if ready[0] {
                return;
            }
            self.hear(&ready[2..]);
            if ready[1] {
                let mut rung = [0; 8];
                let _ = rustix::io::read(&*self.news, &mut rung); // That it rang is enough.
                self.heard.extend(self.finds.try_iter());
            }
        }
    }

    fn hear(&mut self, ready: &[bool]) {
        let tell = &mut self.tell;
        let mut at = 0;
        self.heard.retain_mut(|heard| {
            let has_news = ready.get(at).copied().unwrap_or(false);
            at += 1;
            !has_news || heard.read(tell)
        });
    }
}

impl Heard {
    /// Reads what is there; false when the device is gone.
    fn read(&mut self, tell: &mut impl FnMut(Learned)) -> bool {
        match &mut self.source {
            Source::Keys { device, identity, decoder, pace } => {
                let events: Vec<Input> = match device.fetch_events() {
                    Ok(events) => events.filter_map(input).collect(),
                    Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
                };
                for event in events {
                    if let Input::Key { value: 1, at_ms, .. } = event {
                        pace.press(at_ms);
                    }
                    let Some(ended) = decoder.push(event) else { continue };
                    if let (true, Ok(text)) = (pace.end(), ended)
                        && text.len() >= SHORTEST
                    {
                        let rule = ScannerMatch::pairing(identity);
                        let node = self.path.clone();
                        tell(Learned { rule, identity: identity.clone(), text, node });
                    }
                }
                true
            }
            Source::Line { link, decoder } => {
                let mut buffer = [0; 256];
                match link.read(&mut buffer) {
                    Ok(Read::Bytes(count)) => {
                        for scan in buffer[..count].iter().filter_map(|&byte| decoder.push(byte)) {
                            let Ok(text) = scan else { continue };
                            if text.len() >= SHORTEST {
                                let serial = Some(self.path.display().to_string());
                                let rule = ScannerMatch { serial, ..ScannerMatch::default() };
                                let (identity, node) = (Identity::default(), self.path.clone());
                                tell(Learned { rule, identity, text, node });
                            }
                        }
                        true
                    }
                    Ok(Read::Nothing | Read::Mute) => true,
                    Ok(Read::End) | Err(_) => false,
                }
            }
        }
    }
}

/// Serial lines of USB devices, by the name that stays when another port is used.
fn lines(dev: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let read = std::fs::read_dir(folder).into_iter().flatten().flatten();
        read.map(|entry| entry.path()).collect()
    };
    let lasting = entries(&dev.join("serial/by-id"));
    let is_line = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        LINES.iter().any(|start| name.starts_with(start))
    };
    let mut found: Vec<PathBuf> = entries(dev)
        .into_iter()
        .filter(is_line)
        .map(|path| {
            let same = |link: &&PathBuf| {
                link.canonicalize().is_ok_and(|at| path.canonicalize().is_ok_and(|own| own == at))
            };
            lasting.iter().find(same).cloned().unwrap_or(path)
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;
    use crossbeam_channel::{RecvTimeoutError, unbounded};
    use portable_pty::{PtyPair, native_pty_system};

    /// A serial line: what keeps it there, its name, the scanner's end.
    fn open() -> (PtyPair, PathBuf, Box<dyn Write + Send>) {
        let pty = native_pty_system().openpty(Default::default()).expect("a pseudo-terminal");
        let name = pty.master.tty_name().expect("it has a name");
        let writer = pty.master.take_writer().expect("the scanner's end");
        (pty, name, writer)
    }

    /// Scans until it is heard: the line may not be listened to yet.
    fn heard(scanner: &mut impl Write, told: &Receiver<Learned>) -> Option<Learned> {
        (0..100).find_map(|_| {
            scanner.write_all(b"123\r4901234567894\r").expect("it is sent");
            told.recv_timeout(Duration::from_millis(200)).ok()
        })
    }

    /// A power key, a loudspeaker: tens of milliseconds to open and let go, beside a code of twelve.
    #[test]
    fn a_code_is_heard_while_another_device_is_opened_and_that_is_opened_once() {
        let dev = tempfile::tempdir().expect("a temporary folder");
        let input = dev.path().join("input");
        std::fs::create_dir(&input).expect("it is made");
        let places = Places { input: input.clone(), dev: dev.path().to_owned(), taken: Vec::new() };
        let (_pty, name, mut scanner) = open();
        std::os::unix::fs::symlink(name, dev.path().join("ttyACM0")).expect("a scanner");
        let ((tell, told), (opening, opened), (let_go, go)) =
            (unbounded(), unbounded(), bounded::<()>(0));
        let slow = move |path: &Path| {
            opening.send(path.to_owned()).expect("the test is there");
            let _ = go.recv(); // At the end of the test it goes by itself.
            Opened::Useless
        };
        let ear = search(places, slow, move |learned| drop(tell.send(learned)));
        let ear = ear.expect("it starts");
        assert!(heard(&mut scanner, &told).is_some(), "the line is listened to");
        std::fs::write(input.join("event0"), "").expect("it is plugged in");
        let patience = Duration::from_secs(10);
        assert_eq!(opened.recv_timeout(patience), Ok(input.join("event0")));
        while told.try_recv().is_ok() {}
        assert!(heard(&mut scanner, &told).is_some(), "heard while another is being opened");
        drop(let_go);
        let looks = Duration::from_millis(1_200);
        assert_eq!(opened.recv_timeout(looks), Err(RecvTimeoutError::Timeout), "once");
        ear.stop();
    }

    #[test]
    fn a_serial_scanner_plugged_in_meanwhile_is_learned_by_its_lasting_name() {
        let dev = tempfile::tempdir().expect("a temporary folder");
        let (tell, told) = unbounded();
        let places = Places {
            input: dev.path().join("input"),
            dev: dev.path().to_owned(),
            taken: vec![dev.path().join("ttyUSB0")],
        };
        let ear = learn(places, move |learned| drop(tell.send(learned))).expect("it starts");
        let (_scale, scale_name, mut scale) = open();
        std::os::unix::fs::symlink(scale_name, dev.path().join("ttyUSB0")).expect("a scale");
        let (_pty, name, mut scanner) = open();
        std::fs::create_dir_all(dev.path().join("serial/by-id")).expect("it is made");
        let lasting = dev.path().join("serial/by-id/usb-Maker_Scanner-if00");
        std::os::unix::fs::symlink(&name, &lasting).expect("udev's name");
        std::os::unix::fs::symlink(name, dev.path().join("ttyACM0")).expect("it is plugged in");
        scale.write_all(b"ST,+00001.250 kg\r\n").expect("it is sent");
        let learned = heard(&mut scanner, &told);
        let serial = Some(lasting.display().to_string());
        let rule = ScannerMatch { serial, ..ScannerMatch::default() };
        let identity = Identity::default();
        let text = "4901234567894".into();
        assert_eq!(learned, Some(Learned { rule, identity, text, node: lasting }));
        ear.stop();
    }

    #[test]
    fn a_hand_is_never_taken_for_a_scanner() {
        for (step, fast) in [(8, true), (50, true), (51, false), (140, false)] {
            let mut pace = Pace::default();
            (0..13).for_each(|at| pace.press(1_000 + at * step));
            assert_eq!(pace.end(), fast, "a key every {step} ms");
        }
    }
}
