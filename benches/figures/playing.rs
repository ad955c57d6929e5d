//! The register without a screen, played line by line.
//!
//! Room: benches. May touch: one program at a time.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Failure;

/// A `regi run` that is given one line after another.
pub struct Playing {
    program: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    answered: usize,
}

impl Playing {
    pub fn start(program: &Path, shop: &Path) -> Result<Self, Failure> {
        let mut program = Command::new(program)
            .arg("--shop")
            .arg(shop)
            .args(["run", "--json", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = program.stdin.take().ok_or("no way in")?;
        let answers = BufReader::new(program.stdout.take().ok_or("no way out")?);
        Ok(Self { program, orders, answers, answered: 0 })
    }

    /// Gives a line and waits for its answer, which must be a yes.
    pub fn give(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.orders, "{line}")?;
        let mut answer = String::new();
        self.answered += self.answers.read_line(&mut answer)?;
        if answer.contains("\"ok\":true") {
            Ok(())
        } else {
            Err(format!("{line}: {answer}").into())
        }
    }

    /// Bytes the program has handed to `write` so far, but for its answers.
    pub fn written(&self) -> Result<usize, Failure> {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.program.id()))?;
        let line = io.lines().find_map(|line| line.strip_prefix("wchar:"));
        let all: usize = line.ok_or("no wchar")?.trim().parse()?;
        Ok(all - self.answered)
    }

    pub fn end(mut self) -> Result<(), Failure> {
        drop(self.orders);
        self.program.wait()?;
        Ok(())
    }
}
