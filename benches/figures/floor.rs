//! The floor under every commit: one append of 1.5 KB made durable.
//!
//! Room: benches. May touch: one file it creates and removes.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::timing::Times;

/// As long as the entry of a sale.
const RECORD: [u8; 1536] = [0x5A; 1536];

/// A file that grows by one record a call, each synced.
pub struct AppendFloor {
    file: File,
    path: PathBuf,
    /// What each append took.
    pub times: Times,
}

impl AppendFloor {
    /// Begins in a folder, which must lie on the disk that is compared.
    pub fn begin(dir: &Path) -> io::Result<Self> {
        let path = dir.join("floor.log");
        let file = File::create(&path)?;
        file.sync_all()?;
        Ok(Self { file, path, times: Times::default() })
    }

    pub fn append(&mut self) -> io::Result<()> {
        let Self { file, times, .. } = self;
        times.of(|| file.write_all(&RECORD).and_then(|()| file.sync_data()))
    }
}

impl Drop for AppendFloor {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
