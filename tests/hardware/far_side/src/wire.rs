//! The far end of a printer's cable, whatever cable it is.
//!
//! Room: tests, in the guest. May touch: a gadget, a serial line, one port.
//! Invariant: nothing waits; a caller that hangs up, and a cable that is out, are waited for.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use rustix::ioctl::{IntegerSetter, ioctl};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

pub enum Wire {
    /// `None` while its cable is out.
    Device { place: String, device: Option<File> },
    Tcp { door: TcpListener, caller: Option<TcpStream> },
}

impl Wire {
    /// Opens `tcp:PORT` or a device.
    pub fn open(place: &str) -> io::Result<Self> {
        if let Some(port) = place.strip_prefix("tcp:") {
            let port = port.parse().expect("a port");
            let door = TcpListener::bind(("127.0.0.1", port))?;
            door.set_nonblocking(true)?;
            return Ok(Self::Tcp { door, caller: None });
        }
        Ok(Self::Device { place: place.to_owned(), device: Some(device(place)?) })
    }

    /// Reads what is there; 0: nothing now, or nobody there.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self {
            Self::Device { place, device: file } => {
                if file.is_none() {
                    *file = device(place).ok();
                }
                let Some(open) = file else { return Ok(0) };
                let read = open.read(buffer);
                if read.as_ref().is_err_and(|error| error.kind() != ErrorKind::WouldBlock) {
                    *file = None;
                    return Ok(0);
                }
                read
            }
            Self::Tcp { door, caller } => {
                if caller.is_none()
                    && let Ok((stream, _)) = door.accept()
                {
                    stream.set_nonblocking(true)?;
                    *caller = Some(stream);
                }
                let Some(stream) = caller else { return Ok(0) };
                let read = stream.read(buffer);
                if matches!(read, Ok(0)) {
                    *caller = None;
                }
                read
            }
        };
        match read {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            other => other,
        }
    }

    /// Sends what it takes of an answer and returns how much; what finds nobody is lost, as on a cable.
    pub fn answer(&mut self, bytes: &[u8]) -> usize {
        let written = match self {
            Self::Device { device: Some(device), .. } => device.write(bytes),
            Self::Tcp { caller: Some(stream), .. } => stream.write(bytes),
            Self::Device { .. } | Self::Tcp { .. } => return bytes.len(),
        };
        match written {
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            other => other.unwrap_or(bytes.len()),
        }
    }

    /// Sets what a USB printer answers to GET_PORT_STATUS.
    pub fn set_port_status(&mut self, status: u8) {
        /// `GADGET_SET_PRINTER_STATUS`: `_IOWR('g', 0x22, unsigned char)`.
        const SET: rustix::ioctl::Opcode = 0xc001_6722;
        if let Self::Device { device: Some(device), .. } = self {
            // SAFETY: the driver takes the value itself, not a pointer; other devices refuse it.
            let _ = unsafe { ioctl(&*device, IntegerSetter::<SET>::new_usize(status.into())) };
        }
    }
}

/// Opens a device; a serial line raw.
fn device(place: &str) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let device = OpenOptions::new().read(true).write(true).custom_flags(flags).open(place)?;
    if let Ok(mut settings) = tcgetattr(&device) {
        settings.make_raw();
        tcsetattr(&device, OptionalActions::Now, &settings)?;
    }
    Ok(device)
}
