//! The line between a register and a software printer: TCP, or a pseudo-terminal.
//!
//! Room: tests. May touch: loopback, a pseudo-terminal, threads.
//! Invariant: what the machine does not take stays in the line, and presses back on the register.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::machine::{Machine, Taking};

/// How often a waiting line looks whether it is to end.
const LOOK: Duration = Duration::from_millis(20);

/// A printer at the end of a line.
pub struct Printer {
    shared: Arc<Shared>,
    address: String,
    serving: Option<JoinHandle<()>>,
}

struct Shared {
    machine: Mutex<Machine>,
    changed: Condvar,
    line: Mutex<Option<Line>>,
    /// The line is to drop, though no byte comes.
    drops: AtomicBool,
    ends: AtomicBool,
    /// A piece is being taken that is no longer in the line.
    takes: AtomicBool,
}

/// The printer's end of an open line.
enum Line {
    Tcp(TcpStream),
    Pty(OwnedFd),
}

impl Line {
    fn say(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => {
                let mut stream = stream;
                stream.write_all(bytes)
            }
            // A line that nobody reads holds a few kilobytes; what is more is lost as on a cable.
            Self::Pty(master) => rustix::io::write(master, bytes).map(drop).map_err(Into::into),
        }
    }
}

impl Printer {
    /// A network printer on loopback, at an address of its own.
    pub fn on_network(machine: Machine) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let [_, _, process, own] = std::process::id().to_be_bytes();
        // Port 9100 lies below those that are given out by chance: nobody else takes it meanwhile.
        let number = (NEXT.fetch_add(1, Ordering::Relaxed) % 254) as u8 + 1;
        let host = Ipv4Addr::new(127, 1 + (process & 0x7e), own, number);
        let place = SocketAddr::new(IpAddr::V4(host), 9100);
        Self::serve(machine, format!("tcp:{place}"), move |shared| serve_network(shared, place))
    }

    /// A printer on a serial line, which stands in `folder` under a name that stays.
    pub fn on_serial_line(machine: Machine, folder: &Path) -> Self {
        let name = folder.join("printer");
        let address = format!("serial:{}?baud=115200", name.display());
        Self::serve(machine, address, move |shared| serve_line(shared, &name))
    }

    fn serve(
        machine: Machine,
        address: String,
        serve: impl FnOnce(&Shared) + Send + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            machine: Mutex::new(machine),
            changed: Condvar::new(),
            line: Mutex::new(None),
            drops: AtomicBool::new(false),
            ends: AtomicBool::new(false),
            takes: AtomicBool::new(false),
        });
        let served = Arc::clone(&shared);
        let serving = Some(thread::spawn(move || serve(&served)));
        Self { shared, address, serving }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Looks at the machine, or does something to it; what it then says goes out.
    pub fn with<T>(&self, act: impl FnOnce(&mut Machine) -> T) -> T {
        let done = act(&mut self.shared.machine());
        self.shared.changed.notify_all();
        self.shared.speak();
        done
    }

    /// Whether everything that was sent has been taken. A line just opened looks quiet: ask again.
    pub fn is_quiet(&self) -> bool {
        let left = match &*self.shared.line() {
            Some(Line::Tcp(stream)) => rustix::io::ioctl_fionread(stream).unwrap_or(0),
            _ => 0,
        };
        left == 0 && !self.shared.takes.load(Ordering::SeqCst)
    }

    /// The armed fault strikes now, while nothing is sent.
    pub fn strike(&self) {
        if self.with(Machine::strike) {
            self.shared.drops.store(true, Ordering::SeqCst);
            self.shared.shut();
        }
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        self.shared.changed.notify_all();
        self.shared.shut();
        if let Some(place) = self.address.strip_prefix("tcp:") {
            drop(TcpStream::connect(place)); // Wakes who waits for a caller.
        }
        if let Some(serving) = self.serving.take()
            && serving.join().is_err()
            && !thread::panicking()
        {
            panic!("the printer's line broke");
        }
    }
}

impl Shared {
    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self) -> MutexGuard<'_, Option<Line>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ended(&self) -> bool {
        self.ends.load(Ordering::SeqCst)
    }

    fn is_over(&self) -> bool {
        self.has_ended() || self.drops.load(Ordering::SeqCst)
    }

    /// Sends what the machine has to say; without a line it speaks into the void.
    fn speak(&self) {
        let line = self.line();
        let said = self.machine().says();
        if let Some(line) = line.as_ref().filter(|_| !said.is_empty()) {
            let _ = line.say(&said); // The register has hung up.
        }
    }

    /// The line is gone, and with it what was still to be said.
    fn hang_up(&self) {
        let mut line = self.line();
        *line = None;
        self.machine().says();
    }

    fn shut(&self) {
        if let Some(Line::Tcp(stream)) = &*self.line() {
            let _ = stream.shutdown(Shutdown::Both); // It may be gone already.
        }
    }

    /// Offers bytes to the machine, waiting while it takes none; false when the line drops.
    fn take(&self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            let mut machine = self.machine();
            loop {
                match machine.offer(byte) {
                    Taking::Taken => break,
                    Taking::Drops => return false,
                    Taking::NotNow if self.is_over() => return false,
                    Taking::NotNow => {
                        drop(machine);
                        self.speak();
                        machine = self.machine();
                        let waited = self.changed.wait_timeout(machine, LOOK);
                        machine = waited.unwrap_or_else(PoisonError::into_inner).0;
                    }
                }
            }
        }
        self.speak();
        true
    }

    fn wait_while_away(&self) {
        while !self.has_ended() && self.machine().is_away() {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn serve_network(shared: &Shared, place: SocketAddr) {
    while !shared.has_ended() {
        shared.wait_while_away();
        let listener = bind(place);
        while !shared.has_ended() && !shared.machine().is_away() {
            let Ok((stream, _)) = listener.accept() else { return };
            if !shared.has_ended() && !shared.machine().is_away() {
                serve_caller(shared, stream);
            }
        }
    }
}

/// The port was this printer's a moment ago, or nobody's.
fn bind(place: SocketAddr) -> TcpListener {
    for _ in 0..500 {
        if let Ok(listener) = TcpListener::bind(place) {
            return listener;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{place} is taken");
}

fn serve_caller(shared: &Shared, mut stream: TcpStream) {
    let own = stream.try_clone().expect("the line once more");
    own.set_nodelay(true).expect("a line without delay");
    *shared.line() = Some(Line::Tcp(own));
    shared.drops.store(false, Ordering::SeqCst);
    let mut bytes = [0; 1024];
    while let Ok(1..) = stream.peek(&mut bytes) {
        shared.takes.store(true, Ordering::SeqCst);
        let taken = stream.read(&mut bytes).is_ok_and(|count| shared.take(&bytes[..count]));
        shared.takes.store(false, Ordering::SeqCst);
        if !taken {
            break;
        }
    }
    shared.hang_up();
    let _ = stream.shutdown(Shutdown::Both); // The other side may have been quicker.
}

fn serve_line(shared: &Shared, name: &Path) {
    while !shared.has_ended() {
        shared.wait_while_away();
        let master = open_line(name);
        let reader = rustix::io::dup(&master).expect("the line once more");
        *shared.line() = Some(Line::Pty(master));
        shared.drops.store(false, Ordering::SeqCst);
        while !shared.is_over() && hear(shared, &reader) {}
        shared.hang_up();
        let _ = std::fs::remove_file(name); // Its other end is gone with the cable.
    }
}

/// A new pseudo-terminal, and its other end under the usual name.
fn open_line(name: &Path) -> OwnedFd {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("its other end");
    rustix::io::ioctl_fionbio(&master, true).expect("a line that does not wait");
    let path = ptsname(&master, Vec::new()).expect("its name");
    let path = PathBuf::from(path.into_string().expect("a plain name"));
    let fresh = name.with_extension("new");
    std::os::unix::fs::symlink(path, &fresh).and_then(|()| std::fs::rename(fresh, name)).unwrap();
    master
}

/// Hears a piece, or nothing for a moment; false when the line drops.
fn hear(shared: &Shared, master: &OwnedFd) -> bool {
    let wait = Timespec::try_from(LOOK).expect("a short time");
    let mut watched = [PollFd::new(master, PollFlags::IN)];
    if !poll(&mut watched, Some(&wait)).is_ok_and(|ready| ready > 0) {
        return true;
    }
    let mut bytes = [0; 1024];
    match rustix::io::read(master, &mut bytes) {
        Ok(count) => shared.take(&bytes[..count]),
        Err(_) => {
            thread::sleep(Duration::from_millis(2)); // Nobody has it open.
            true
        }
    }
}
