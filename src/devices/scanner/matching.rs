//! Which input device is a scanner: what the shop said when it paired them.
//!
//! Room: devices. May touch: nothing. May not: devices.
//! Invariant: without a rule nothing is grabbed; a keyboard never disappears by chance.

use serde::{Deserialize, Serialize};

use super::{Layout, Signs};
use crate::devices::printer::{AddressError, SerialLine};

/// What a device says of itself. Every text is the device's word, and not to be trusted further.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    pub vendor: u16,
    pub product: u16,
    pub name: String,
    /// Its serial number, where it has one.
    pub uniq: String,
    /// The port it is plugged into.
    pub phys: String,
}

/// A rule of `shop.toml`; what is left out matches everything, but one of them must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScannerMatch {
    /// Four hexadecimal digits each, as `lsusb` shows them: `"0c2e"`.
    pub vendor: Option<String>,
    pub product: Option<String>,
    pub name: Option<String>,
    pub uniq: Option<String>,
    pub phys: Option<String>,
    /// A scanner on a serial line (`/dev/ttyACM0`) in place of all of the above.
    pub serial: Option<String>,
    pub baud: Option<u32>,
    pub layout: Layout,
    pub signs: Signs,
}

impl ScannerMatch {
    /// Returns whether the rule is about this device.
    pub fn fits(&self, device: &Identity) -> bool {
        let number = |rule: &Option<String>, value: u16| {
            rule.as_ref().is_none_or(|rule| u16::from_str_radix(rule, 16) == Ok(value))
        };
        let text =
            |rule: &Option<String>, value: &str| rule.as_ref().is_none_or(|rule| rule == value);
        self.says_something()
            && number(&self.vendor, device.vendor)
            && number(&self.product, device.product)
            && text(&self.name, &device.name)
            && text(&self.uniq, &device.uniq)
            && text(&self.phys, &device.phys)
    }

    /// Returns the serial line the rule names, if it is a rule of that kind.
    ///
    /// # Errors
    /// What is wrong with the line; also a rule that names a keyboard as well.
    pub fn serial_line(&self) -> Option<Result<SerialLine, AddressError>> {
        let Some(device) = &self.serial else {
            let baud = self.baud?;
            return Some(Err(AddressError::Setting(format!("baud={baud}"))));
        };
        if self.says_something() {
            return Some(Err(AddressError::Setting(format!("serial={device}"))));
        }
        let line = match self.baud {
            Some(baud) => format!("{device}?baud={baud}"),
            None => device.clone(),
        };
        Some(line.parse())
    }

    /// Returns the device the rule names, in words.
    pub fn shown(&self) -> String {
        let named = [&self.serial, &self.vendor, &self.product, &self.uniq, &self.name, &self.phys];
        named.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ")
    }

    fn says_something(&self) -> bool {
        [&self.vendor, &self.product, &self.name, &self.uniq, &self.phys]
            .iter()
            .any(|rule| rule.is_some())
    }

    /// Returns the rule that a pairing screen writes for a device.
    pub fn pairing(device: &Identity) -> Self {
        Self {
            vendor: Some(format!("{:04x}", device.vendor)),
            product: Some(format!("{:04x}", device.product)),
            uniq: (!device.uniq.is_empty()).then(|| device.uniq.clone()),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanner() -> Identity {
        Identity {
            vendor: 0x0c2e,
            product: 0x0b61,
            name: "Honeywell Scanner".into(),
            uniq: "S123".into(),
            phys: "usb-0000:00:14.0-2/input0".into(),
        }
    }

    #[test]
    fn a_rule_matches_by_everything_it_names() {
        for (rule, fits) in [
            ("", false),
            ("vendor = \"0c2e\"", true),
            ("vendor = \"0C2E\"\nproduct = \"0b61\"", true),
            ("vendor = \"0c2e\"\nproduct = \"0b62\"", false),
            ("vendor = \"zz\"", false),
            ("name = \"Honeywell Scanner\"", true),
            ("name = \"Honeywell\"", false),
            ("uniq = \"S124\"", false),
            ("phys = \"usb-0000:00:14.0-2/input0\"\nlayout = \"jis\"\nsigns = \"any\"", true),
        ] {
            let parsed: ScannerMatch = toml::from_str(rule).expect(rule);
            assert_eq!(parsed.fits(&scanner()), fits, "{rule}");
        }
    }

    #[test]
    fn a_serial_rule_names_a_line_and_no_keyboard() {
        for (rule, want) in [
            ("serial = \"/dev/ttyACM0\"", Some("/dev/ttyACM0?baud=9600&flow=none")),
            (
                "serial = \"/dev/ttyUSB1\"\nbaud = 115200",
                Some("/dev/ttyUSB1?baud=115200&flow=none"),
            ),
            ("serial = \"ttyACM0\"", None),
            ("serial = \"/dev/ttyACM0\"\nbaud = 9601", None),
            ("serial = \"/dev/ttyACM0\"\nvendor = \"0c2e\"", None),
            ("vendor = \"0c2e\"\nbaud = 9600", None),
        ] {
            let parsed: ScannerMatch = toml::from_str(rule).expect(rule);
            let line = parsed.serial_line().expect("it is about a line");
            assert_eq!(line.ok().map(|line| line.to_string()).as_deref(), want, "{rule}");
            if want.is_some() {
                assert!(!parsed.fits(&scanner()), "a serial rule grabs no keyboard");
            }
        }
        assert_eq!(ScannerMatch::pairing(&scanner()).serial_line(), None);
    }

    #[test]
    fn a_pairing_names_the_very_device() {
        let rule = ScannerMatch::pairing(&scanner());
        assert!(rule.fits(&scanner()));
        assert!(!rule.fits(&Identity { uniq: "S999".into(), ..scanner() }));
    }
}
