//! A scanner on a serial line.
//!
//! Room: devices. May touch: one serial line. May not: know what a code means.
//! Invariant: bytes become scans between line ends; a line that drops is opened again.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use super::decoder::{ByteDecoder, Signs};
use super::source::{ScannerEvent, ScannerHandle};
use crate::devices::printer::SerialLine;
use crate::devices::printer::link::{self, Link, Read};

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
        loop {
            match link::serial(&line) {
                Ok(link) if !read_until_lost(&link, &bell, signs, &mut tell) => return,
                Ok(_) | Err(_) => {}
            }
            if rung(&bell, None, Some(RETRY)) {
                return;
            }
        }
    })?;
    Ok(ScannerHandle::new(wake, thread))
}

/// Reads until the line drops (true) or the thread is to end (false).
fn read_until_lost(
    link: &Link,
    bell: &OwnedFd,
    signs: Signs,
    tell: &mut impl FnMut(ScannerEvent),
) -> bool {
    let mut decoder = ByteDecoder::new(signs);
    let mut half = false;
    loop {
        if rung(bell, Some(link), half.then_some(GAP)) {
            return false;
        }
        let mut buffer = [0; 256];
        match link.read(&mut buffer) {
            Ok(Read::Bytes(count)) => {
                for scan in buffer[..count].iter().filter_map(|&byte| decoder.push(byte)) {
                    tell(scan.map_or_else(ScannerEvent::Rejected, ScannerEvent::Scan));
                }
                half = true;
            }
            Ok(Read::Nothing | Read::Mute) => {
                decoder.silence();
                half = false;
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
        std::thread::sleep(Duration::from_millis(200)); // The line flushes what came before it.
        let next = || told.recv_timeout(Duration::from_secs(10)).expect("it is told");
        scanner.write_all(b"4901234567894\r").expect("it is sent");
        assert_eq!(next(), ScannerEvent::Scan("4901234567894".into()));
        scanner.write_all(b"490123").expect("it is sent");
        std::thread::sleep(Duration::from_millis(400));
        scanner.write_all(b"4567894\r").expect("it is sent");
        assert_eq!(next(), ScannerEvent::Rejected(Reject::Gap));
        ear.stop();
    }
}
