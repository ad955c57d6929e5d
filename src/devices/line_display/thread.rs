//! The thread that owns one customer display: the newest rows win.
//!
//! Room: devices. May touch: one display's link. May not: queue what is no longer true.
//! Invariant: at most one picture waits; a display that is gone costs one attempt in `RETRY`, and one
//! that comes back shows what stands within it.

use std::io;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{MANNER, Rows, show, wake};
use crate::devices::printer::link::Link;
use crate::devices::printer::{Address, Trouble};

/// Between two attempts to reach a display that is not there, and between two looks whether it is.
const RETRY: Duration = Duration::from_secs(2);
/// Longest wait for a display to take its bytes: forty-odd of them at 1200 baud.
const PATIENCE: Duration = Duration::from_secs(1);

/// A running display thread. Dropping it ends the thread.
pub struct DisplayHandle {
    newest: Sender<Rows>,
    waiting: Receiver<Rows>,
}

impl DisplayHandle {
    /// Shows `rows` as soon as the display takes them; rows not yet shown are dropped.
    pub fn show(&self, rows: Rows) {
        drop(self.waiting.try_recv());
        drop(self.newest.try_send(rows)); // Full only if another caller was newer still.
    }
}

/// Starts the thread of one display; `tell` hears when it is lost and when it is back.
pub fn start(
    address: Address,
    mut tell: impl FnMut(Result<(), Trouble>) + Send + 'static,
) -> io::Result<DisplayHandle> {
    let (newest, inbox) = bounded(1);
    let (end, ended) = (inbox.clone(), inbox);
    std::thread::Builder::new().name("display".into()).spawn(move || {
        let mut screen = Display { address, link: None, tried: None };
        let mut told = None;
        let mut rows = Rows::default();
        loop {
            match ended.recv_timeout(screen.rest(told)) {
                Ok(newest) => rows = newest,
                Err(RecvTimeoutError::Timeout) if screen.is_there() => continue,
                // One that is lost is tried again by itself, and gets what stands now.
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let outcome = screen.show(&rows);
            if told.replace(outcome) != Some(outcome) {
                tell(outcome);
            }
        }
    })?;
    Ok(DisplayHandle { newest, waiting: end })
}

struct Display {
    address: Address,
    link: Option<Link>,
    tried: Option<Instant>,
}

impl Display {
    /// Returns how long to wait for rows before it is looked whether the display is there.
    fn rest(&self, told: Option<Result<(), Trouble>>) -> Duration {
        match (told, self.tried) {
            (None, _) => Duration::MAX, // Nothing was to be shown yet.
            (Some(Err(_)), Some(tried)) => RETRY.saturating_sub(tried.elapsed()),
            (Some(_), _) => RETRY,
        }
    }

    /// Whether its line stands: a cable that is pulled is seen though nothing is shown.
    fn is_there(&self) -> bool {
        let gone = PollFlags::HUP | PollFlags::RDHUP | PollFlags::ERR | PollFlags::NVAL;
        self.link.as_ref().is_some_and(|link| {
            let mut watched = [PollFd::new(link, PollFlags::RDHUP)];
            poll(&mut watched, Some(&Timespec::default())).is_ok()
                && !watched[0].revents().intersects(gone)
        })
    }

    fn show(&mut self, rows: &Rows) -> Result<(), Trouble> {
        if !self.is_there() {
            self.link = None; // It may have been plugged in again.
        }
        let mut bytes = MANNER.to_vec();
        if self.link.is_none() {
            if self.tried.is_some_and(|tried| tried.elapsed() < RETRY) {
                return Err(Trouble::Absent);
            }
            self.tried = Some(Instant::now());
            self.link = Some(Link::open(&self.address)?);
            bytes = wake();
        }
        bytes.extend(show(rows));
        let sent = self.link.as_ref().map_or(Err(Trouble::Absent), |link| send(link, &bytes));
        if sent.is_err() {
            self.link = None;
        }
        sent
    }
}

fn send(link: &Link, mut bytes: &[u8]) -> Result<(), Trouble> {
    while !bytes.is_empty() {
        let mut watched = [PollFd::new(link, PollFlags::OUT)];
        let patience = Timespec::try_from(PATIENCE).ok();
        if poll(&mut watched, patience.as_ref()) == Ok(0) {
            return Err(Trouble::Stalled);
        }
        bytes = &bytes[link.write(bytes)?..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;
    use crate::devices::line_display::Row;
    use crossbeam_channel::unbounded;

    #[test]
    fn a_display_is_woken_once_and_shows_the_newest_rows() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("tcp:{}", listener.local_addr().expect("it is bound"));
        let (tell, told) = unbounded();
        let display = start(address.parse().expect("it is right"), move |outcome| {
            tell.send(outcome).expect("the test listens");
        })
        .expect("the thread starts");
        let rows = |price: &str| Rows {
            top: Row::new("ギュウニュウ", price),
            bottom: Row::default(),
        };
        display.show(rows("¥248"));
        let (mut peer, _) = listener.accept().expect("it calls");
        let want = [wake(), show(&rows("¥248"))].concat();
        let mut got = vec![0; want.len()];
        peer.read_exact(&mut got).expect("it sends");
        assert_eq!(got, want);
        assert_eq!(told.recv_timeout(Duration::from_secs(5)), Ok(Ok(())));
        display.show(rows("¥0"));
        let want = [&MANNER[..], &show(&rows("¥0"))].concat();
        let mut got = vec![0; want.len()];
        peer.read_exact(&mut got).expect("it sends");
        assert_eq!(got, want, "not emptied, but told again how it is to show");
    }

    #[test]
    fn a_display_that_is_not_there_is_told_once() {
        let (tell, told) = unbounded();
        let address = "dev:/dev/nothing-here".parse().expect("it is right");
        let display = start(address, move |outcome| tell.send(outcome).expect("the test listens"))
            .expect("it starts");
        display.show(Rows::default());
        assert_eq!(told.recv_timeout(Duration::from_secs(5)), Ok(Err(Trouble::Absent)));
        display.show(Rows::default());
        assert!(told.recv_timeout(Duration::from_millis(100)).is_err());
    }
}
