//! Which input device is a scanner: what the shop said when it paired them.
//!
//! Room: devices. May touch: nothing. May not: devices.
//! Invariant: without a rule nothing is grabbed; a keyboard never disappears by chance.

use serde::{Deserialize, Serialize};

use super::{Layout, Signs};

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
    fn a_pairing_names_the_very_device() {
        let rule = ScannerMatch::pairing(&scanner());
        assert!(rule.fits(&scanner()));
        assert!(!rule.fits(&Identity { uniq: "S999".into(), ..scanner() }));
    }
}
