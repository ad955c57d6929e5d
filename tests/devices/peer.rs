//! A device at the other end of a serial line, and the settings file that names it.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{PtyPair, native_pty_system};

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

/// A device that hears, and answers as it is told to. It stays plugged in to the test's end.
pub struct Device {
    pair: PtyPair,
    pen: Arc<Mutex<Box<dyn Write + Send>>>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Device {
    /// `answer` is handed everything heard since its last answer, and takes what it answers.
    pub fn new(mut answer: impl FnMut(&mut Vec<u8>) -> Vec<u8> + Send + 'static) -> Self {
        let pair = native_pty_system().openpty(Default::default()).expect("a pseudo-terminal");
        let pen = pair.master.take_writer().expect("the device's end");
        let pen = Arc::new(Mutex::new(pen));
        let mut ear = pair.master.try_clone_reader().expect("the device's end");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, own) = (heard.clone(), pen.clone());
        std::thread::spawn(move || {
            let (mut bytes, mut unanswered) = ([0; 1_024], Vec::new());
            while let Ok(count @ 1..) = ear.read(&mut bytes) {
                kept.lock().unwrap().extend_from_slice(&bytes[..count]);
                unanswered.extend_from_slice(&bytes[..count]);
                let said = answer(&mut unanswered);
                let _ = own.lock().unwrap().write_all(&said); // The test may be over.
            }
        });
        Self { pair, pen, heard }
    }

    pub fn path(&self) -> PathBuf {
        self.pair.master.tty_name().expect("it has a name")
    }

    pub fn says(&self, bytes: &[u8]) {
        self.pen.lock().unwrap().write_all(bytes).expect("it is sent");
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
