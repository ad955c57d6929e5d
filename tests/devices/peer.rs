//! A device at the other end of a serial line, and the settings file that names it.

use std::io::Write;
use std::path::{Path, PathBuf};

use portable_pty::{PtyPair, native_pty_system};

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
