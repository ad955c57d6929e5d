//! A scanner on a serial line.
//!
//! Room: devices. May touch: one serial line. May not: know what a code means.
//! Invariant: bytes become scans between line ends; a line that drops is opened again.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use super::Identity;
use super::decoder::{ByteDecoder, NEW_SCAN_MS, Signs};
use super::source::{ScannerEvent, ScannerHandle};
use crate::devices::printer::link::{self, Link, Read};
use crate::devices::printer::{SerialLine, Trouble};

/// A silence that ends half a scan.
const GAP: Duration = Duration::from_millis(100);
/// Between two attempts to open a line that is not there.
const RETRY: Duration = Duration::from_secs(2);

/// Starts reading the scanner on `line`.
pub fn listen_serial(
    line: SerialLine,
    signs: Signs,
    mut tell: impl FnMut(ScannerEvent) + Send + 'static,
) -> io::Result<ScannerHandle> {
    let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let bell = Arc::clone(&wake);
    let thread = std::thread::Builder::new().name("serial scanner".into()).spawn(move || {
        let identity = identity(&line);
        let mut told = None;
        loop {
            match link::serial(&line) {
                Ok(link) => {
                    told = None;
                    tell(ScannerEvent::Plugged(identity.clone()));
                    if !read_until_lost(&link, &bell, signs, &mut tell) {
                        return;
                    }
                    tell(ScannerEvent::Unplugged(identity.clone()));
                }
                Err(why) if told.replace(why) != Some(why) => tell(missing(why, &identity)),
                Err(_) => {}
            }
            if rung(&bell, None, Some(RETRY)) {
                return;
            }
        }
    })?;
    Ok(ScannerHandle::new(wake, thread))
}

/// A line has no maker and no serial number: it is named by its path.
fn identity(line: &SerialLine) -> Identity {
    Identity { phys: line.path.display().to_string(), ..Identity::default() }
}

fn missing(why: Trouble, identity: &Identity) -> ScannerEvent {
    match why {
        Trouble::Busy => ScannerEvent::Busy(identity.clone()),
        Trouble::Denied => ScannerEvent::Nodes { readable: 0, nodes: 1 },
        _ => ScannerEvent::Unplugged(identity.clone()),
    }
}

/// Reads until the line drops (true) or the thread is to end (false).
fn read_until_lost(
    link: &Link,
    bell: &OwnedFd,
    signs: Signs,
    tell: &mut impl FnMut(ScannerEvent),
) -> bool {
    let mut decoder = ByteDecoder::new(signs);
    let mut wait = None;
    loop {
        if rung(bell, Some(link), wait) {
            return false;
        }
        let mut buffer = [0; 256];
        match link.read(&mut buffer) {
            Ok(Read::Bytes(count)) => {
                for scan in buffer[..count].iter().filter_map(|&byte| decoder.push(byte)) {
                    tell(scan.map_or_else(ScannerEvent::Rejected, ScannerEvent::Scan));
                }
                wait = decoder.under_way().then_some(GAP);
            }
            Ok(Read::Nothing | Read::Mute) if wait == Some(GAP) => {
                decoder.silence();
                wait = Some(Duration::from_millis(NEW_SCAN_MS));
            }
            Ok(Read::Nothing | Read::Mute) => {
                decoder.give_up().into_iter().for_each(|why| tell(ScannerEvent::Rejected(why)));
                wait = None;
            }
            Ok(Read::End) | Err(_) => return true,
        }
    }
}

/// Sleeps until the line has something, or the time is over; returns whether the bell rang.
fn rung(bell: &OwnedFd, link: Option<&Link>, time: Option<Duration>) -> bool {
    let mut watched = vec![PollFd::new(bell, PollFlags::IN)];
    watched.extend(link.map(|link| PollFd::new(link, PollFlags::IN)));
    let time = time.and_then(|time| Timespec::try_from(time).ok());
    let _ = poll(&mut watched, time.as_ref()); // Interrupted: the caller looks and sleeps again.
    watched[0].revents().contains(PollFlags::IN)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::devices::scanner::Reject;
    use crossbeam_channel::unbounded;

    #[test]
    fn a_serial_scanner_is_heard_and_half_a_code_is_not() {
        let pty = portable_pty::native_pty_system()
            .openpty(portable_pty::PtySize::default())
            .expect("a pseudo-terminal");
        let name = pty.master.tty_name().expect("it has a name");
        let line = name.display().to_string().parse().expect("it is a serial line");
        let (tell, told) = unbounded();
        let ear = listen_serial(line, Signs::Codes, move |event| drop(tell.send(event)))
            .expect("the thread starts");
        let mut scanner = pty.master.take_writer().expect("the scanner's end");
        let next = || told.recv_timeout(Duration::from_secs(10)).expect("it is told");
        assert!(matches!(next(), ScannerEvent::Plugged(_)), "the line is open, and flushed");
        scanner.write_all(b"4901234567894\r").expect("it is sent");
        assert_eq!(next(), ScannerEvent::Scan("4901234567894".into()));
        scanner.write_all(b"490123").expect("it is sent");
        std::thread::sleep(Duration::from_millis(400));
        scanner.write_all(b"4567894\r").expect("it is sent");
        assert_eq!(next(), ScannerEvent::Rejected(Reject::Gap));
        scanner.write_all(b"490123").expect("it is sent");
        assert_eq!(next(), ScannerEvent::Rejected(Reject::NoEnd), "no end was sent");
        scanner.write_all(b"\x1b[31;1mrm -rf /\r\xff\xfe\r4901234567894\r").expect("it is sent");
        assert_eq!(next(), ScannerEvent::Rejected(Reject::Key));
        assert_eq!(next(), ScannerEvent::Rejected(Reject::Key));
        assert_eq!(next(), ScannerEvent::Scan("4901234567894".into()));
        drop((scanner, pty)); // The cable is pulled.
        assert!(matches!(next(), ScannerEvent::Unplugged(_)));
        ear.stop();
    }

    #[test]
    fn a_line_that_is_not_there_is_told_once_and_found_when_it_comes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("ttyACM0");
        let line = path.display().to_string().parse().expect("it is a serial line");
        let (tell, told) = unbounded();
        let ear = listen_serial(line, Signs::Codes, move |event| drop(tell.send(event)))
            .expect("the thread starts");
        let next = || told.recv_timeout(Duration::from_secs(10)).expect("it is told");
        assert!(matches!(next(), ScannerEvent::Unplugged(_)));
        let pty = portable_pty::native_pty_system()
            .openpty(portable_pty::PtySize::default())
            .expect("a pseudo-terminal");
        let name = pty.master.tty_name().expect("it has a name");
        std::os::unix::fs::symlink(name, &path).expect("it is plugged in");
        assert!(matches!(next(), ScannerEvent::Plugged(_)));
        ear.stop();
    }
}
