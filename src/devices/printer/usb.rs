//! Which `/dev/usb/lp` a USB printer is today: the kernel numbers them as they are plugged in.
//!
//! Room: devices. May touch: the kernel's list of USB printers. May not: open a printer.
//! Invariant: two printers never change places; one that is away is not there.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the kernel lists its USB printers.
const LIST: &str = "/sys/class/usbmisc";
/// More of a serial number is not kept.
const LONGEST: usize = 126;

/// A USB printer that is plugged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugged {
    pub path: PathBuf,
    /// Empty where the printer has none.
    pub serial: String,
    pub model: String,
}

/// Returns the printers that are plugged in, by their device's name.
pub fn plugged() -> Vec<Plugged> {
    listed(Path::new(LIST))
}

/// Returns the device of the printer with this serial number.
pub fn find(serial: &str) -> Option<PathBuf> {
    plugged().into_iter().find(|printer| printer.serial == serial).map(|printer| printer.path)
}

fn listed(list: &Path) -> Vec<Plugged> {
    let entries = fs::read_dir(list).into_iter().flatten().flatten();
    let mut found: Vec<Plugged> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("lp"))
        .filter_map(|entry| {
            // The entry names the interface; its parent is the printer.
            let interface = fs::canonicalize(entry.path().join("device")).ok()?;
            let printer = interface.parent()?;
            Some(Plugged {
                path: Path::new("/dev/usb").join(entry.file_name()),
                serial: said(&printer.join("serial")),
                model: said(&printer.join("product")),
            })
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The printer's own words: only what can be shown, and not much of it.
fn said(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.trim().chars().filter(|c| (' '..='~').contains(c)).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_printer_is_found_by_its_serial_number_under_whatever_name() {
        let sys = tempfile::tempdir().expect("a temporary folder");
        let list = sys.path().join("class");
        for (name, port, serial) in
            [("lp1", "1-1", "J0001\n"), ("lp0", "1-2", "K\u{7}0002\n"), ("hiddev0", "1-3", "H\n")]
        {
            let interface = sys.path().join(format!("devices/{port}/{port}:1.0"));
            fs::create_dir_all(&interface).expect("a folder");
            fs::write(sys.path().join(format!("devices/{port}/serial")), serial).expect("a file");
            fs::create_dir_all(list.join(name)).expect("a folder");
            symlink(&interface, list.join(name).join("device")).expect("a link");
        }
        let found: Vec<_> =
            listed(&list).into_iter().map(|printer| (printer.path, printer.serial)).collect();
        assert_eq!(
            found,
            [("/dev/usb/lp0".into(), "K0002".to_owned()), ("/dev/usb/lp1".into(), "J0001".into())]
        );
        assert_eq!(listed(&sys.path().join("nowhere")), []);
    }
}
