//! Where a printer is: the words of `shop.toml` and what they mean.
//!
//! Room: devices. May touch: std. May not: open anything.
//! Invariant: an address written out reads back as itself.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::domain::misread::misread;
use crate::domain::refusal::Refusal;

/// A printer's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A folder that takes each job as `NAME.bin`; empty: the shop's `print/`.
    File(PathBuf),
    /// A printer device such as `/dev/usb/lp0`.
    Dev(PathBuf),
    /// The USB printer with this serial number, whatever `/dev/usb/lp` it is today.
    Usb(String),
    Serial(SerialLine),
    Tcp {
        host: String,
        port: u16,
    },
    /// A pane on the screen; nothing is sent.
    Screen,
}

/// A serial port and how it is set: always 8 bits, no parity, one stop bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialLine {
    pub path: PathBuf,
    pub baud: u32,
    pub flow: Flow,
}

/// Who holds back the sender on a serial line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Flow {
    #[default]
    None,
    /// RTS/CTS (`hard`).
    Hardware,
    /// XON/XOFF (`soft`).
    Software,
}

/// What is wrong with an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("unknown kind {0}")]
    Kind(String),
    #[error("no path")]
    Path,
    #[error("host {0}")]
    Host(String),
    #[error("port {0}")]
    Port(String),
    #[error("setting {0}")]
    Setting(String),
    #[error("serial number {0}")]
    Serial(String),
}

impl AddressError {
    /// What to say to whoever wrote it.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Kind(kind) => misread("address.kind").with("kind", kind),
            Self::Path => misread("address.path"),
            Self::Host(host) => misread("address.host").with("host", host),
            Self::Port(port) => misread("address.port").with("port", port),
            Self::Setting(setting) => misread("address.setting").with("setting", setting),
            Self::Serial(serial) => misread("address.usb").with("serial", serial),
        }
    }
}

/// Raw printing on the network (AppSocket, JetDirect).
const RAW_PORT: u16 = 9100;
const USUAL_BAUD: u32 = 9600;
/// Speeds that printers and scanners are sold with.
const BAUDS: [u32; 9] = [1200, 2400, 4800, 9600, 19200, 38400, 57600, 115_200, 230_400];

impl Address {
    /// Returns the address with an empty or relative `file:` folder placed in the shop's folder.
    pub fn within(self, shop: &Path) -> Self {
        match self {
            Self::File(folder) if folder.as_os_str().is_empty() => Self::File(shop.join("print")),
            Self::File(folder) => Self::File(shop.join(folder)),
            other => other,
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (kind, rest) =
            text.split_once(':').ok_or_else(|| AddressError::Kind(text.to_owned()))?;
        match kind {
            "file" => Ok(Self::File(rest.into())),
            "screen" if rest.is_empty() => Ok(Self::Screen),
            "dev" => Ok(Self::Dev(path(rest)?)),
            "usb" => usb(rest),
            "serial" => rest.parse().map(Self::Serial),
            "tcp" => tcp(rest),
            _ => Err(AddressError::Kind(kind.to_owned())),
        }
    }
}

impl FromStr for SerialLine {
    type Err = AddressError;

    /// Reads `/dev/ttyS0?baud=9600&flow=none|hard|soft`.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (device, settings) = text.split_once('?').unwrap_or((text, ""));
        let mut line = Self { path: path(device)?, baud: USUAL_BAUD, flow: Flow::None };
        for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
            let wrong = || AddressError::Setting(setting.to_owned());
            match setting.split_once('=').ok_or_else(wrong)? {
                ("baud", baud) => line.baud = usual_baud(baud).ok_or_else(wrong)?,
                ("flow", "none") => line.flow = Flow::None,
                ("flow", "hard") => line.flow = Flow::Hardware,
                ("flow", "soft") => line.flow = Flow::Software,
                _ => return Err(wrong()),
            }
        }
        Ok(line)
    }
}

fn usual_baud(text: &str) -> Option<u32> {
    text.parse().ok().filter(|baud| BAUDS.contains(baud))
}

fn path(text: &str) -> Result<PathBuf, AddressError> {
    if text.starts_with('/') { Ok(text.into()) } else { Err(AddressError::Path) }
}

/// A serial number as `regi devices` shows it: one word of signs.
fn usb(rest: &str) -> Result<Address, AddressError> {
    if rest.is_empty() || !rest.chars().all(|c| c.is_ascii_graphic()) {
        return Err(AddressError::Serial(rest.to_owned()));
    }
    Ok(Address::Usb(rest.to_owned()))
}

fn tcp(rest: &str) -> Result<Address, AddressError> {
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, port.parse().map_err(|_| AddressError::Port(port.to_owned()))?)
        }
        _ => (rest, RAW_PORT),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    if host.is_empty() || !host.chars().all(plain) {
        return Err(AddressError::Host(host.to_owned()));
    }
    Ok(Address::Tcp { host: host.to_owned(), port })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(folder) => write!(f, "file:{}", folder.display()),
            Self::Dev(path) => write!(f, "dev:{}", path.display()),
            Self::Usb(serial) => write!(f, "usb:{serial}"),
            Self::Serial(line) => write!(f, "serial:{line}"),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp:[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
            Self::Screen => f.write_str("screen:"),
        }
    }
}

impl fmt::Display for SerialLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flow = match self.flow {
            Flow::None => "none",
            Flow::Hardware => "hard",
            Flow::Software => "soft",
        };
        write!(f, "{}?baud={}&flow={flow}", self.path.display(), self.baud)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_written() {
        for (text, want) in [
            ("file:", "file:"),
            ("file:/srv/print", "file:/srv/print"),
            ("dev:/dev/usb/lp0", "dev:/dev/usb/lp0"),
            ("usb:J0001", "usb:J0001"),
            ("serial:/dev/ttyS0", "serial:/dev/ttyS0?baud=9600&flow=none"),
            ("serial:/dev/ttyS0?baud=19200&flow=hard", "serial:/dev/ttyS0?baud=19200&flow=hard"),
            ("tcp:192.0.2.7:9100", "tcp:192.0.2.7:9100"),
            ("tcp:kitchen", "tcp:kitchen:9100"),
            ("tcp:[2001:db8::7]:9101", "tcp:[2001:db8::7]:9101"),
            ("tcp:2001:db8::7", "tcp:[2001:db8::7]:9100"),
            ("screen:", "screen:"),
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(address.to_string(), want);
            assert_eq!(want.parse(), Ok(address));
        }
    }

    #[test]
    fn a_wrong_address_is_refused_with_the_part_that_is_wrong() {
        for (text, why) in [
            ("lp0", AddressError::Kind("lp0".into())),
            ("lan:1", AddressError::Kind("lan".into())),
            ("usb:", AddressError::Serial(String::new())),
            ("usb:J 1", AddressError::Serial("J 1".into())),
            ("dev:", AddressError::Path),
            ("dev:lp0", AddressError::Path),
            ("tcp:", AddressError::Host(String::new())),
            ("tcp:a b", AddressError::Host("a b".into())),
            ("tcp:a:99999", AddressError::Port("99999".into())),
            ("serial:/dev/ttyS0?baud=9601", AddressError::Setting("baud=9601".into())),
            ("serial:/dev/ttyS0?parity=odd", AddressError::Setting("parity=odd".into())),
        ] {
            assert_eq!(text.parse::<Address>(), Err(why), "{text}");
        }
    }

    #[test]
    fn a_new_shops_printer_is_its_print_folder() {
        let shop = Path::new("/shop");
        for (text, want) in [("file:", "/shop/print"), ("file:out", "/shop/out"), ("file:/x", "/x")]
        {
            let address: Address = text.parse().expect(text);
            assert_eq!(address.within(shop), Address::File(want.into()));
        }
    }
}
