//! One open line to a device: bytes out and in, never waiting.
//!
//! Room: devices. May touch: a device file, a serial line, one TCP connection. May not: know
//! what the bytes mean.
//! Invariant: no call blocks longer than `CONNECT_TIME`; a write says how far it got.

use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, QueueSelector, SpecialCodeIndex, ioctl_tiocexcl,
    tcflush, tcgetattr, tcsetattr,
};

use super::address::{Address, Flow, SerialLine};
use super::{Trouble, usb};

/// Longest wait for a network printer to pick up.
const CONNECT_TIME: Duration = Duration::from_secs(2);

/// An open device.
#[derive(Debug)]
pub struct Link {
    fd: OwnedFd,
    /// A reader that gets nothing has lost the other end (a socket, not a device file).
    silence_is_end: bool,
}

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    Bytes(usize),
    /// Nothing for now.
    Nothing,
    /// A device that never has anything to say.
    Mute,
    /// The other end is gone.
    End,
}

impl Link {
    /// Opens what `address` names; `file:` and `screen:` are no links.
    pub fn open(address: &Address) -> Result<Self, Trouble> {
        match address {
            Address::Dev(path) => device(path),
            Address::Usb(serial) => device(&usb::find(serial).ok_or(Trouble::Absent)?),
            Address::Serial(line) => serial(line),
            Address::Tcp { host, port } => tcp(host, *port),
            Address::File(_) | Address::Screen => Err(Trouble::Absent),
        }
    }

    /// Sends what the device takes now; 0: nothing for the moment.
    pub fn write(&self, bytes: &[u8]) -> Result<usize, Trouble> {
        match rustix::io::write(&self.fd, bytes) {
            Ok(count) => Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(error) => Err(trouble(error)),
        }
    }

    /// Reads what is there.
    pub fn read(&self, buffer: &mut [u8]) -> Result<Read, Trouble> {
        match rustix::io::read(&self.fd, buffer) {
            Ok(0) if self.silence_is_end => Ok(Read::End),
            Ok(0) => Ok(Read::Mute),
            Ok(count) => Ok(Read::Bytes(count)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Read::Nothing),
            Err(error) => Err(trouble(error)),
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Sorts what the operating system says by what the cashier can do about it.
fn trouble(error: Errno) -> Trouble {
    match error {
        Errno::BUSY => Trouble::Busy,
        Errno::ACCESS | Errno::PERM => Trouble::Denied,
        Errno::CONNREFUSED | Errno::HOSTUNREACH | Errno::NETUNREACH | Errno::TIMEDOUT => {
            Trouble::Unreachable
        }
        _ => Trouble::Absent,
    }
}

fn device(path: &Path) -> Result<Link, Trouble> {
    let flags = OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let fd = open(path, OFlags::RDWR | flags, Mode::empty())
        .or_else(|error| match error {
            Errno::BUSY => Err(error),
            _ => open(path, OFlags::WRONLY | flags, Mode::empty()), // A printer that only listens.
        })
        .map_err(trouble)?;
    Ok(Link { fd, silence_is_end: false })
}

/// Opens a serial line raw and for itself alone.
pub(in crate::devices) fn serial(line: &SerialLine) -> Result<Link, Trouble> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let fd = open(&line.path, flags, Mode::empty()).map_err(trouble)?;
    let mut settings = tcgetattr(&fd).map_err(trouble)?;
    settings.make_raw();
    settings.set_speed(line.baud).map_err(trouble)?;
    settings.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
    settings.control_modes.set(ControlModes::CRTSCTS, line.flow == Flow::Hardware);
    settings.input_modes.set(InputModes::IXON | InputModes::IXOFF, line.flow == Flow::Software);
    settings.special_codes[SpecialCodeIndex::VMIN] = 1; // Else "nothing yet" reads as the end.
    tcsetattr(&fd, OptionalActions::Now, &settings).map_err(trouble)?;
    ioctl_tiocexcl(&fd).map_err(trouble)?;
    tcflush(&fd, QueueSelector::IOFlush).map_err(trouble)?;
    Ok(Link { fd, silence_is_end: true })
}

fn tcp(host: &str, port: u16) -> Result<Link, Trouble> {
    let unreachable = |_| Trouble::Unreachable;
    let addresses = (host, port).to_socket_addrs().map_err(unreachable)?;
    let stream = addresses
        .take(2) // One of each family.
        .find_map(|address| TcpStream::connect_timeout(&address, CONNECT_TIME).ok())
        .ok_or(Trouble::Unreachable)?;
    stream.set_nonblocking(true).map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    Ok(Link { fd: stream.into(), silence_is_end: true })
}
