//! A device at the other end of a serial line, and the settings file that names it.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{PtyPair, native_pty_system};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Action, tcflow};

use crate::pty::PATIENCE;
use crate::support::Shop;

/// The other end of a line.
pub struct Peer {
    pair: PtyPair,
    pen: Box<dyn Write + Send>,
}

impl Peer {
    /// A device that only speaks; dropping it pulls its cable.
    pub fn speaker() -> Self {
        let pair = native_pty_system().openpty(Default::default()).expect("a pseudo-terminal");
        let pen = pair.master.take_writer().expect("the device's end");
        Self { pair, pen }
    }

    pub fn path(&self) -> PathBuf {
        self.pair.master.tty_name().expect("it has a name")
    }

    pub fn says(&mut self, bytes: &[u8]) {
        self.pen.write_all(bytes).and_then(|()| self.pen.flush()).expect("it is sent");
    }
}

/// A device that hears, and answers as it is told to; dropping it pulls its cable.
pub struct Device {
    line: Arc<OwnedFd>,
    /// Kept open, so that a register that closes its end hangs up nothing.
    far_end: OwnedFd,
    path: PathBuf,
    heard: Arc<Mutex<Vec<u8>>>,
    ear: Option<JoinHandle<()>>,
    unplugged: Arc<AtomicBool>,
}

impl Device {
    /// `answer` is handed everything heard since its last answer, and takes what it answers.
    pub fn new(mut answer: impl FnMut(&mut Vec<u8>) -> Vec<u8> + Send + 'static) -> Self {
        let line = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&line).and_then(|()| unlockpt(&line)).expect("it can be opened");
        let name = ptsname(&line, Vec::new()).expect("it has a name");
        let path = PathBuf::from(name.to_str().expect("a path"));
        let far_end = open(&path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its end");
        let (line, heard) = (Arc::new(line), Arc::new(Mutex::new(Vec::new())));
        let unplugged = Arc::new(AtomicBool::new(false));
        let (kept, own, end) = (heard.clone(), line.clone(), unplugged.clone());
        let ear = std::thread::spawn(move || {
            let (mut bytes, mut unanswered) = ([0; 1_024], Vec::new());
            let look = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
            while !end.load(Ordering::Relaxed) {
                let mut watched = [PollFd::new(&own, PollFlags::IN)];
                if !poll(&mut watched, Some(&look)).is_ok_and(|ready| ready > 0) {
                    continue;
                }
                let Ok(count @ 1..) = rustix::io::read(&own, &mut bytes) else { return };
                kept.lock().unwrap().extend_from_slice(&bytes[..count]);
                unanswered.extend_from_slice(&bytes[..count]);
                say(&own, &answer(&mut unanswered));
            }
        });
        Self { line, far_end, path, heard, ear: Some(ear), unplugged }
    }

    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    pub fn says(&self, bytes: &[u8]) {
        say(&self.line, bytes);
    }

    /// It takes no byte any more, or takes them again.
    pub fn holds(&self, what: Action) {
        tcflow(&self.far_end, what).expect("a line that can be held");
    }

    /// Everything heard so far.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }

    /// Takes what was heard so far.
    pub fn takes(&self) -> Vec<u8> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }

    /// Waits until what was heard holds `part`.
    #[track_caller]
    pub fn hears(&self, part: &[u8]) -> Vec<u8> {
        let begun = Instant::now();
        loop {
            let heard = self.heard.lock().unwrap().clone();
            if heard.windows(part.len()).any(|window| window == part) {
                return heard;
            }
            let text = String::from_utf8_lossy(&heard).into_owned();
            assert!(begun.elapsed() < PATIENCE, "never heard {part:02x?}: {text:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.unplugged.store(true, Ordering::Relaxed);
        let _ = self.ear.take().map(JoinHandle::join); // What it heard was looked at by the test.
    }
}

fn say(line: &OwnedFd, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let said = rustix::io::write(line, bytes).expect("it is sent");
        bytes = &bytes[said..];
    }
}

/// How soon something that is plugged in again is usable, in words of the project's promise.
pub const SOON: Duration = Duration::from_secs(3);

/// Does something that takes time up to five times, and says whether it once took at most so long: a
/// machine that is busy otherwise makes it longer, nothing makes it shorter.
#[track_caller]
pub fn takes_at_most(most: Duration, mut deed: impl FnMut() -> Duration) {
    let times: Vec<_> = std::iter::repeat_with(&mut deed)
        .take(5)
        .scan(false, |done, took| (!std::mem::replace(done, took <= most)).then_some(took))
        .collect();
    assert!(times.iter().any(|took| *took <= most), "{times:?}");
}

/// Makes `name = value` of the file's head, before every table.
pub fn key(shop: &Shop, name: &str, value: &str) {
    let path = shop.dir().join("shop.toml");
    let text = std::fs::read_to_string(&path).expect("a shop has one");
    let kept = text.lines().filter(|line| !line.starts_with(&format!("{name} =")));
    let kept: String = kept.flat_map(|line| [line, "\n"]).collect();
    std::fs::write(&path, format!("{name} = {value}\n{kept}")).expect("it is written");
}

/// Puts another printer into `shop.toml`.
pub fn printer(shop: &Shop, address: &str, profile: &str) {
    let path = shop.dir().join("shop.toml");
    let text = std::fs::read_to_string(&path).expect("a shop has one");
    let changed: String = text
        .lines()
        .map(|line| match line.split_once(" = ").map(|(key, _)| key) {
            Some("address") => format!("address = \"{address}\"\n"),
            Some("profile") => format!("profile = \"{profile}\"\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    std::fs::write(&path, changed).expect("it is written");
}

/// Puts `more` behind the shop's `shop.toml`.
pub fn settings(shop: &Shop, more: &str) {
    let path = shop.dir().join("shop.toml");
    let text = std::fs::read_to_string(&path).expect("a shop has one");
    std::fs::write(&path, format!("{text}\n{more}\n")).expect("it is written");
}

/// Makes a device known under another path, as udev does.
pub fn plug(device: &Path, socket: &Path) {
    std::os::unix::fs::symlink(device, socket).expect("it is plugged in");
}
