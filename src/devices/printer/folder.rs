//! A folder as a printer: each job a file.
//!
//! Room: devices. May touch: the folder it is given. May not: overwrite half a file.
//! Invariant: `NAME.bin` is whole or absent, whatever happens to the power.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `bytes` as `NAME.bin` into `folder`, made if missing; returns its path once it is on
/// disk.
pub fn write_job(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}.bin", file_name(name)));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    File::open(folder)?.sync_all()?;
    Ok(path)
}

/// Keeps a name inside its folder.
fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.chars().map(|c| if plain(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_one_whole_file_in_its_folder() {
        let shop = tempfile::tempdir().expect("a temporary folder");
        let folder = shop.path().join("print");
        let path = write_job(&folder, "receipt-01-000123", b"abc").expect("it is written");
        assert_eq!(path, folder.join("receipt-01-000123.bin"));
        write_job(&folder, "receipt-01-000123", b"abcd").expect("it is replaced");
        assert_eq!(fs::read(&path).expect("it is there"), b"abcd");
        let outside = write_job(&folder, "../../etc/x", b"").expect("it is written inside");
        assert_eq!(outside, folder.join("______etc_x.bin"));
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 2);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        assert!(write_job(file.path(), "x", b"").is_err());
    }
}
