//! Where the figures are measured, and how large.
//!
//! Room: benches. May touch: folders under `target/`, the environment.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;

/// The program under measure, built with the benches.
pub const REGI: &str = env!("CARGO_BIN_EXE_regi");

/// How large the big shop is, and how often a thing is done before its median is believed.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    pub name: &'static str,
    pub items: u32,
    pub members: u32,
    /// This year's sales.
    pub sales: u32,
    /// The sales of five years, in a shop of fewer goods and members.
    pub five_years: u32,
    pub rounds: u32,
    pub starts: u32,
    /// Imports take half a minute each.
    pub imports: u32,
}

const BIG: Scale = Scale {
    name: "big",
    items: 100_000,
    members: 1_000_000,
    sales: 110_000,
    five_years: 540_000,
    rounds: 200,
    starts: 15,
    imports: 3,
};

const SMALL: Scale = Scale {
    name: "small",
    items: 2_000,
    members: 20_000,
    sales: 3_000,
    five_years: 9_000,
    rounds: 30,
    starts: 5,
    imports: 3,
};

/// The folder of this run. Shops that take long to make stay in `root` between runs.
#[derive(Debug)]
pub struct Place {
    pub scale: Scale,
    root: PathBuf,
}

impl Place {
    pub fn find() -> io::Result<Self> {
        let is_small = std::env::var_os("REGI_BENCH").is_some_and(|word| word == "small");
        let scale = if is_small { SMALL } else { BIG };
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("figures").join(scale.name);
        std::fs::create_dir_all(&root)?;
        Ok(Self { scale, root })
    }

    /// A path that stays between runs.
    pub fn kept(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// An empty folder for one group; what an earlier run left in it is gone.
    pub fn scratch(&self, name: &str) -> io::Result<PathBuf> {
        let dir = self.root.join(name);
        match std::fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => std::fs::create_dir_all(&dir)?,
        }
        Ok(dir)
    }
}

/// Copies a folder of files and folders.
pub fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()? {
            kind if kind.is_dir() => copy_folder(&entry.path(), &target)?,
            kind if kind.is_file() => std::fs::copy(entry.path(), &target).map(drop)?,
            _ => {} // A socket of a register that is gone.
        }
    }
    Ok(())
}

/// Runs one command of regi on a shop and returns what it printed.
pub fn regi(shop: &Path, args: &[&str]) -> Result<String, Failure> {
    run(Path::new(REGI), shop, args)
}

/// The same with another build of it.
pub fn run(program: &Path, shop: &Path, args: &[&str]) -> Result<String, Failure> {
    let output =
        Command::new(program).arg("--shop").arg(shop).args(["--lang", "en"]).args(args).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("regi {}: {}: {}", args.join(" "), output.status, said.trim()).into())
}
