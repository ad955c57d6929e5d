//! What a scan sounds like, through the sound card: small tones made here, played by ALSA's `aplay`.
//!
//! Room: devices. May touch: one player process at a time, the list of sound cards. May not: hold up a scan.
//! Invariant: at most one tone waits; a player that is missing, fails or hangs is told once, and the
//! caller rings the terminal's bell instead.

use std::f64::consts::TAU;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

/// What is to be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The code was taken.
    Accepted,
    /// The shop does not know the code.
    Unknown,
    /// It is known, and not sold like this.
    Refused,
}

impl Signal {
    /// Returns how often a bell rings for it: what is told apart without looking.
    pub fn rings(self) -> u8 {
        match self {
            Self::Accepted => 1,
            Self::Unknown => 2,
            Self::Refused => 3,
        }
    }

    /// Pitches in hertz, one after the other; 0 is a rest.
    fn tones(self) -> &'static [u32] {
        match self {
            Self::Accepted => &[1_760],
            Self::Unknown => &[880, 0, 880],
            Self::Refused => &[440, 0, 330, 0, 262],
        }
    }
}

/// Samples a second, 8 bits, one channel.
const RATE: u32 = 8_000;
/// Milliseconds of one tone or rest.
const TONE_MS: u32 = 90;
/// A player that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(3);

/// Returns the tones of `signal` as a WAV file.
pub fn wav(signal: Signal) -> Vec<u8> {
    let samples: Vec<u8> = signal.tones().iter().flat_map(|&pitch| tone(pitch)).collect();
    let length = u32::try_from(samples.len()).unwrap_or(0);
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(1_u16.to_le_bytes()); // Plain samples,
    file.extend(1_u16.to_le_bytes()); // one channel.
    file.extend(RATE.to_le_bytes());
    file.extend(RATE.to_le_bytes()); // Bytes a second.
    file.extend(1_u16.to_le_bytes()); // Bytes a sample.
    file.extend(8_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(samples);
    file
}

/// One tone, faded in and out so that it does not click.
fn tone(pitch: u32) -> impl Iterator<Item = u8> {
    let count = RATE * TONE_MS / 1_000;
    let fade = f64::from(count / 8);
    (0..count).map(move |at| {
        let edge = f64::from(at.min(count - at)) / fade;
        let wave = (TAU * f64::from(pitch) * f64::from(at) / f64::from(RATE)).sin();
        (128.0 + 100.0 * wave * edge.min(1.0)) as u8
    })
}

/// A running speaker thread. Dropping it ends the thread after the tone being played.
pub struct Speaker {
    newest: Sender<Signal>,
    waiting: Receiver<Signal>,
}

impl Speaker {
    /// Starts the thread that plays with `program` (`aplay`). `failed` is told, once, with the signal
    /// that was not heard.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(program: &str, failed: impl FnOnce(Signal) + Send + 'static) -> io::Result<Self> {
        let (newest, inbox) = bounded(1);
        let waiting = inbox.clone();
        let program = program.to_owned();
        std::thread::Builder::new().name("sound".into()).spawn(move || {
            for signal in inbox {
                if play(&program, signal).is_err() {
                    return failed(signal);
                }
            }
        })?;
        Ok(Self { newest, waiting })
    }

    /// Plays `signal` next; one that still waits is no longer true.
    pub fn play(&self, signal: Signal) {
        let _ = self.waiting.try_recv();
        let _ = self.newest.try_send(signal); // Full only if another caller was newer still.
    }
}

/// Returns whether there is a card that plays under `cards` (`/dev/snd`), and `program` on the path.
pub fn can_play(cards: &Path, program: &str) -> bool {
    let plays = |name: &OsStr| {
        let name = name.to_string_lossy();
        name.starts_with("pcmC") && name.ends_with('p')
    };
    let mut nodes = std::fs::read_dir(cards).into_iter().flatten().flatten();
    let path = std::env::var_os("PATH").unwrap_or_default();
    nodes.any(|node| plays(&node.file_name()))
        && std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn play(program: &str, signal: Signal) -> io::Result<()> {
    let mut player = Command::new(program)
        .args(["-q", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let given = player.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(&wav(signal)));
    let ended = wait(&mut player);
    given.and(ended)
}

fn wait(player: &mut Child) -> io::Result<()> {
    let since = Instant::now();
    loop {
        match player.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(_) => return Err(io::ErrorKind::Other.into()),
            None if since.elapsed() > PATIENCE => {
                player.kill()?;
                player.wait()?;
                return Err(io::ErrorKind::TimedOut.into());
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crossbeam_channel::unbounded;

    fn player(folder: &std::path::Path, script: &str) -> String {
        let path = folder.join("player");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("it is written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it runs");
        path.display().to_string()
    }

    #[test]
    fn a_tone_is_a_wav_file_of_its_length_and_each_signal_has_its_own() {
        for (signal, tones) in [(Signal::Accepted, 1), (Signal::Unknown, 3), (Signal::Refused, 5)] {
            let file = wav(signal);
            let samples = (RATE * TONE_MS / 1_000 * tones) as usize;
            assert_eq!(file.len(), 44 + samples);
            assert_eq!((&file[..4], &file[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
            assert_eq!(file[40..44], (samples as u32).to_le_bytes());
            assert!(file[44..].iter().any(|&sample| sample > 200), "it is heard");
        }
    }

    #[test]
    fn tones_need_a_card_that_plays_and_a_player() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (node, program, can) in [
            ("", "sh", false),
            ("controlC0", "sh", false),
            ("pcmC0D0c", "sh", false), // It only records.
            ("pcmC0D3p", "no-such-player", false),
            ("pcmC0D3p", "sh", true),
        ] {
            if !node.is_empty() {
                std::fs::write(folder.path().join(node), "").expect("it is written");
            }
            assert_eq!(can_play(folder.path(), program), can, "{node} {program}");
        }
        assert!(!can_play(&folder.path().join("none"), "sh"));
    }

    #[test]
    fn the_player_gets_the_whole_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let heard = folder.path().join("heard");
        let script = format!("cat > {0}.part && mv {0}.part {0}", heard.display());
        let speaker = Speaker::start(&player(folder.path(), &script), |_| ()).expect("it starts");
        speaker.play(Signal::Unknown);
        let since = Instant::now();
        while !heard.exists() && since.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(std::fs::read(&heard).expect("it played"), wav(Signal::Unknown));
    }

    #[test]
    fn a_player_that_is_missing_fails_or_hangs_is_told_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let broken = player(folder.path(), "exit 1");
        for program in ["/nonexistent/aplay".to_owned(), broken] {
            let (tell, told) = unbounded();
            let failed = move |signal| tell.send(signal).expect("the test listens");
            let speaker = Speaker::start(&program, failed).expect("it starts");
            speaker.play(Signal::Refused);
            assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(Signal::Refused));
            speaker.play(Signal::Accepted);
            assert!(told.recv_timeout(Duration::from_millis(50)).is_err());
        }
    }
}
