//! How much room the disk of the shop has left, told long before it is full.
//!
//! Room: app. May touch: the file system, to ask it.

use std::io;
use std::path::Path;

const GIB: u64 = 1 << 30;

/// Free room that a shop does not fill in years, in bytes.
const ENOUGH: u64 = 2 * GIB;
/// On a small disk a tenth of it is enough.
const PART: u64 = 10;

/// The room of a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskRoom {
    pub free: u64,
    pub size: u64,
}

impl DiskRoom {
    /// Asks the file system of `dir`.
    ///
    /// # Errors
    /// A folder that is not there, or may not be asked.
    pub fn of(dir: &Path) -> io::Result<Self> {
        let told = rustix::fs::statvfs(dir)?;
        let bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
        Ok(Self { free: bytes(told.f_bavail), size: bytes(told.f_blocks) })
    }

    /// Whether somebody should make room while there is time.
    pub fn is_low(self) -> bool {
        self.free < ENOUGH.min(self.size / PART)
    }

    pub fn free_mib(self) -> u64 {
        self.free >> 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_low_below_two_gib_or_a_tenth_of_a_small_disk() {
        let is_low = |free, size| DiskRoom { free, size }.is_low();
        assert!(is_low(2 * GIB - 1, 256 * GIB) && !is_low(2 * GIB, 256 * GIB));
        assert!(is_low(GIB / 2, 8 * GIB) && !is_low(GIB, 8 * GIB));
        assert!(is_low(0, GIB));
        assert_eq!(DiskRoom { free: 3 << 20, size: GIB }.free_mib(), 3);
    }

    #[test]
    fn a_file_system_is_asked() {
        let room = DiskRoom::of(Path::new("/")).unwrap();
        assert!(room.size >= room.free && room.size > 0);
        let nowhere = DiskRoom::of(Path::new("/nowhere/at/all"));
        assert_eq!(nowhere.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
