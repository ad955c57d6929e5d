//! Scanners: who hears them, and how a lane learns one more.
//!
//! Room: app. May touch: `shop.toml`, the threads of the scanners.
//! Invariant: `shop.toml` is replaced whole, and stays its owner's with the rights it had: whoever
//! teaches a scanner may be another than the account that the register runs under.

use std::fs::{Permissions, metadata, read_to_string};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use super::event::Event;
use super::inbox::EventSender;
use super::lane_config::{ConfigFault, LaneConfig};
use super::opening::SHOP_TOML;
use crate::devices::scanner::{self, ScannerHandle, ScannerMatch};

/// Where the system shows its input devices.
pub const INPUT: &str = "/dev/input";

/// The scanners that are listened to. Dropping it lets them go.
pub struct Scanners {
    events: EventSender,
    handles: Vec<ScannerHandle>,
    /// How many rules are followed, from the first.
    followed: usize,
}

impl Scanners {
    pub fn new(events: EventSender) -> Self {
        Self { events, handles: Vec::new(), followed: 0 }
    }

    /// Listens for the rules that came since. Scanners are heard only where a rule names one; elsewhere a
    /// wedge types into the terminal. One that cannot be listened to leaves the others and the keyboard.
    pub fn follow(&mut self, rules: &[ScannerMatch]) {
        let new = rules.get(self.followed..).unwrap_or_default();
        self.followed = rules.len();
        let (lines, keyboards): (Vec<_>, Vec<_>) =
            new.iter().partition(|rule| rule.serial.is_some());
        for rule in lines {
            if let Some(Ok(line)) = rule.serial_line() {
                self.handles.extend(scanner::listen_serial(line, rule.signs, self.tell()).ok());
            }
        }
        if !keyboards.is_empty() {
            let rules = keyboards.into_iter().cloned().collect();
            self.handles.extend(scanner::listen(Path::new(INPUT), rules, self.tell()).ok());
        }
    }

    fn tell(&self) -> impl FnMut(scanner::ScannerEvent) + Send + 'static {
        let events = self.events.clone();
        move |event| drop(events.send(Event::Scanner(event)))
    }
}

/// Why a rule was not written.
#[derive(Debug)]
pub enum LearnFault {
    File(io::Error),
    Misread(ConfigFault),
}

/// Writes the rule of a scanner into the lane's settings, behind everything that stands there.
///
/// # Errors
/// What keeps the file from being read or written, or the rule from being added.
pub fn write_rule(dir: &Path, rule: &ScannerMatch) -> Result<(), LearnFault> {
    let path = dir.join(SHOP_TOML);
    let text = read_to_string(&path).map_err(LearnFault::File)?;
    let text = LaneConfig::with_scanner(&text, rule).map_err(LearnFault::Misread)?;
    replace(&path, &text).map_err(LearnFault::File)
}

/// A file that is half written would keep the register from opening, and so would one that its account
/// may not read.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let before = metadata(path)?;
    let mut beside = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    beside.write_all(text.as_bytes())?;
    let own = beside.as_file().metadata()?;
    if (own.uid(), own.gid()) != (before.uid(), before.gid()) {
        fchown(beside.as_file(), Some(before.uid()), Some(before.gid()))?;
    }
    beside.as_file().set_permissions(Permissions::from_mode(before.mode() & 0o777))?;
    beside.as_file().sync_all()?;
    beside.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_keep_their_owner_and_rights_when_a_rule_is_added() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(SHOP_TOML);
        let rule =
            |vendor: &str| ScannerMatch { vendor: Some(vendor.into()), ..ScannerMatch::default() };
        std::fs::write(&path, "# ours\nlane = 2\n").expect("it is written");
        let is_root = metadata(&path).expect("it is there").uid() == 0;
        for (mode, owner) in [(0o600, 4_242), (0o640, 4_243), (0o644, 4_244)] {
            let file = std::fs::File::open(&path).expect("it opens");
            file.set_permissions(Permissions::from_mode(mode)).expect("its rights");
            if is_root {
                fchown(&file, Some(owner), Some(owner)).expect("its owner");
            }
            let before = file.metadata().expect("it is there");
            write_rule(folder.path(), &rule(&format!("{owner}"))).expect("it is written");
            let after = metadata(&path).expect("it is there");
            assert_eq!((after.mode(), after.uid(), after.gid()), {
                (before.mode(), before.uid(), before.gid())
            });
        }
        let config = LaneConfig::read(&read_to_string(&path).expect("it reads")).expect("it fits");
        assert_eq!((config.lane, config.scanner.len()), (2, 3));
        let left = std::fs::read_dir(folder.path()).expect("the folder").count();
        assert_eq!(left, 1, "nothing lies beside it");
    }

    #[test]
    fn settings_that_cannot_be_written_stay_as_they_are() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let rule = ScannerMatch::default();
        assert!(matches!(write_rule(folder.path(), &rule), Err(LearnFault::File(_))));
        let path = folder.path().join(SHOP_TOML);
        std::fs::write(&path, "nonsense = 1\n").expect("it is written");
        assert!(matches!(write_rule(folder.path(), &rule), Err(LearnFault::Misread(_))));
        assert_eq!(read_to_string(&path).expect("it reads"), "nonsense = 1\n");
    }
}
