//! Exit codes other programs depend on (`DESIGN.md` 6).
//!
//! Room: cli. May touch: std.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Refused = 1,
    Usage = 2,
    Damaged = 3,
    Busy = 4,
    Device = 5,
    /// Ended by SIGHUP, SIGINT or SIGTERM: 128 and the signal's number.
    Hangup = 129,
    Interrupt = 130,
    Terminated = 143,
}

impl Exit {
    /// The exit of a program that a signal ended.
    pub const fn of_signal(signal: i32) -> Self {
        match signal {
            signal_hook::consts::SIGHUP => Self::Hangup,
            signal_hook::consts::SIGINT => Self::Interrupt,
            _ => Self::Terminated,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
