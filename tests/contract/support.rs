//! A shop in a temporary folder, worked through the real binary.
//!
//! Room: tests. May touch: the binary, the temporary folder. May not: the library.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A Sunday morning, the time of every run that names no other.
pub const AT: &str = "2026-11-22T10:23:00+09:00";

/// A shop with an invoice number, food in department 1, other goods in 2, no staff list.
pub const SHOP: &str = include_str!("shop.toml");

/// Members of the tests, with codes of the shop's own block.
pub const MEMBERS: &str = "\
code,name,kana,phone,mail,birthday,rank,points,joined,note
2900000000018,山田 花子,ヤマダ ハナコ,090-1234-5678,hanako@example.jp,1990-02-28,,120,2024-04-01,
2900000000025,大野 太郎,オオノ タロウ,０８０－２２２２－３３３３,,,,0,2025-01-10,
2900000000032,小野 次郎,オノ ジロウ,+81-70-4444-5555,,,,3,2025-01-11,
2900000000049,髙﨑 京子,タカサキ キョウコ,03-5555-0001,kyoko@example.jp,,,1000,2026-10-01,
";

/// The member most tests sell to.
pub const HANAKO: &str = "2900000000018";

/// The running register's answers to one script, and how it ended.
pub struct Played {
    pub answers: Vec<Value>,
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Played {
    /// The refusal codes in order; empty for what was done.
    pub fn codes(&self) -> Vec<&str> {
        self.answers.iter().map(|answer| answer["error"]["code"].as_str().unwrap_or("")).collect()
    }

    pub fn last(&self) -> &Value {
        self.answers.last().unwrap_or_else(|| panic!("no answer: {}", self.stderr))
    }
}

pub struct Shop {
    folder: TempDir,
}

impl Shop {
    /// A new shop with these settings after those of `SHOP`.
    pub fn new(more_settings: &str) -> Self {
        Self::of(&format!("{SHOP}{more_settings}"))
    }

    /// A new shop with exactly these settings.
    pub fn of(settings: &str) -> Self {
        let shop = Self { folder: TempDir::new().expect("a temporary folder") };
        let file = shop.file("settings.toml", settings.as_bytes());
        let made = shop.regi(&["init", "--settings", file.to_str().unwrap()]);
        assert_eq!(made.status.code(), Some(0), "init: {}", text(&made.stderr));
        shop
    }

    /// The sample shop.
    pub fn demo() -> Self {
        let shop = Self { folder: TempDir::new().expect("a temporary folder") };
        let made = shop.regi(&["init", "--demo"]);
        assert_eq!(made.status.code(), Some(0), "init --demo: {}", text(&made.stderr));
        shop
    }

    /// A folder where no shop is yet.
    pub fn nowhere() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    pub fn with_items(self, csv: &str) -> Self {
        self.imported("items", csv.as_bytes());
        self
    }

    pub fn with_members(self, csv: &str) -> Self {
        self.imported("members", csv.as_bytes());
        self
    }

    /// Imports and must succeed.
    pub fn imported(&self, what: &str, bytes: &[u8]) {
        let done = self.import(what, bytes, &["--apply"]);
        assert_eq!(done.status.code(), Some(0), "import {what}: {}", text(&done.stderr));
    }

    pub fn import(&self, what: &str, bytes: &[u8], more: &[&str]) -> Output {
        let name = if what == "shop" { "change.toml".to_owned() } else { format!("{what}.csv") };
        let file = self.file(&name, bytes);
        let mut words = vec!["import", what, file.to_str().unwrap()];
        words.extend(more);
        self.regi(&words)
    }

    /// The shop folder.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    /// Writes a file beside the shop folder.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file beside the shop");
        path
    }

    /// The binary on this shop, in English, at the time of the tests.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regi"));
        command.arg("--shop").arg(self.dir());
        // A word of its own wins over these.
        for (option, value) in [("--lang", "en"), ("--at", AT), ("--seed", "1")] {
            if !words.contains(&option) {
                command.args([option, value]);
            }
        }
        command.args(words).env("TZ", "Asia/Tokyo").env("TERM", "xterm-256color");
        command
    }

    /// Runs one command line to its end.
    pub fn regi(&self, words: &[&str]) -> Output {
        self.command(words).stdin(Stdio::null()).output().expect("the binary runs")
    }

    /// Runs one command line, which must exit 0, and returns what it wrote.
    pub fn told(&self, words: &[&str]) -> String {
        let done = self.regi(words);
        assert_eq!(done.status.code(), Some(0), "{words:?}: {}", text(&done.stderr));
        text(&done.stdout)
    }

    /// Plays a script with these options before `run`'s own.
    pub fn play_with(&self, options: &[&str], script: &[u8]) -> Played {
        let mut words = options.to_vec();
        words.extend(["run", "--json", "--keep-going", "-"]);
        let mut command = self.command(&words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut stdin = child.stdin.take().expect("a script's pipe");
        // A binary that refuses to start closes the pipe: its exit code tells, not this write.
        let _ = stdin.write_all(script);
        drop(stdin);
        let output = child.wait_with_output().expect("an answer");
        let stdout = text(&output.stdout);
        let read = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}"))
        };
        Played {
            answers: stdout.lines().map(read).collect(),
            exit: output.status.code().unwrap_or(-1),
            stdout,
            stderr: text(&output.stderr),
        }
    }

    /// Plays a script to its end, refusals and all.
    pub fn play(&self, script: &str) -> Played {
        self.play_with(&[], script.as_bytes())
    }

    pub fn play_at(&self, at: &str, script: &str) -> Played {
        self.play_with(&["--at", at], script.as_bytes())
    }

    /// Plays a script of which nothing may be refused; returns the last answer.
    #[track_caller]
    pub fn sell(&self, script: &str) -> Value {
        all_done(self.play(script))
    }

    #[track_caller]
    pub fn sell_at(&self, at: &str, script: &str) -> Value {
        all_done(self.play_at(at, script))
    }

    /// Plays a script of which only the last line is refused; returns its code.
    #[track_caller]
    pub fn refuse(&self, script: &str) -> String {
        only_the_last_refused(&self.play(script))
    }

    #[track_caller]
    pub fn refuse_at(&self, at: &str, script: &str) -> String {
        only_the_last_refused(&self.play_at(at, script))
    }

    /// Asserts that chain and projections agree.
    #[track_caller]
    pub fn verify(&self) {
        let done = self.regi(&["verify"]);
        let said = text(&done.stdout) + &text(&done.stderr);
        assert_eq!(done.status.code(), Some(0), "verify: {said}");
    }

    /// The rows of an export, by column name.
    pub fn export(&self, what: &str) -> Vec<std::collections::BTreeMap<String, String>> {
        rows(&self.told(&["export", what]))
    }

    /// Files of the shop folder's `journal/`, oldest first.
    pub fn segments(&self) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.dir().join("journal")).expect("a journal");
        let mut files: Vec<_> = folder.map(|file| file.expect("a file").path()).collect();
        files.retain(|file| file.extension().is_some_and(|end| end == "log"));
        files.sort();
        files
    }

    /// The bytes a `file:` printer got, by the name `printed` gave.
    #[track_caller]
    pub fn paper(&self, printed: &Value) -> Vec<u8> {
        let name = printed.as_str().and_then(|name| name.strip_prefix("file:"));
        let name = name.unwrap_or_else(|| panic!("no file: job but {printed}"));
        let path = self.dir().join("print").join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

#[track_caller]
fn all_done(mut played: Played) -> Value {
    for answer in &played.answers {
        assert_eq!(answer["ok"], true, "{answer}");
    }
    assert_eq!(played.exit, 0, "{}", played.stderr);
    played.answers.pop().unwrap_or_else(|| panic!("no answer: {}", played.stderr))
}

#[track_caller]
fn only_the_last_refused(played: &Played) -> String {
    let (last, before) = played.answers.split_last().unwrap_or_else(|| panic!("{}", played.stderr));
    for answer in before {
        assert_eq!(answer["ok"], true, "{answer}");
    }
    assert_eq!(last["ok"], false, "{last}");
    let message = last["error"]["message"].as_str().unwrap_or("");
    assert!(!message.trim().is_empty() && !message.contains('\n'), "one sentence: {last}");
    assert_eq!(played.exit, 1, "{}", played.stderr);
    last["error"]["code"].as_str().expect("a code").to_owned()
}

/// The rows of a CSV, by column name.
pub fn rows(csv: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let csv = csv.strip_prefix('\u{FEFF}').unwrap_or(csv);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// `(class, base, tax)` of each rate, by class.
pub fn taxes(answer: &Value) -> Vec<(&str, i64, i64)> {
    let taxes = answer["sale"]["taxes"].as_array().into_iter().flatten();
    let amount = |tax: &Value, name: &str| tax[name].as_i64().expect("an amount");
    let mut taxes: Vec<_> = taxes
        .map(|tax| (tax["class"].as_str().unwrap(), amount(tax, "base"), amount(tax, "tax")))
        .collect();
    taxes.sort_unstable();
    taxes
}

/// One field of every line of the sale.
pub fn lines<'a>(answer: &'a Value, field: &str) -> Vec<&'a Value> {
    answer["sale"]["lines"].as_array().into_iter().flatten().map(|line| &line[field]).collect()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn cp932(text: &str) -> Vec<u8> {
    encoding_rs::SHIFT_JIS.encode(text).0.into_owned()
}

/// Whether `part` stands anywhere in `whole`.
pub fn holds(whole: &[u8], part: &[u8]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

/// Appends the modulus 10 weight 3 check digit (`japan.md` 3.1).
pub fn checked(digits: &str) -> String {
    let weighed = digits.bytes().rev().enumerate();
    let sum: u32 = weighed
        .map(|(place, digit)| u32::from(digit - b'0') * if place % 2 == 0 { 3 } else { 1 })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// Copies a folder of files, without following anything out of it.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder to copy") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
        }
    }
}
