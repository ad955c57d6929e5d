//! Two text protocols that scales speak: what is asked, what a line of the answer says.
//!
//! Room: devices. May touch: std. May not: a line, a clock.
//! Invariant: a line is one answer or garbage; no digits are taken from a line that is not whole.

use serde::{Deserialize, Serialize};

use super::{Milligrams, Weight};

/// How the scale is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScaleProtocol {
    /// `Q` is answered `ST,+00001.250 kg`: A&D and many that follow it.
    #[default]
    And,
    /// `SI` is answered `S S 1.250 kg`: the Standard Interface Command Set of Mettler Toledo and
    /// others.
    Sics,
}

/// What one line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleLine {
    Stable(Weight),
    Moving,
    Overload,
    Underload,
}

/// What a scale says of its tare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleTare {
    /// Taken off already; nothing, when its key was not pressed.
    Taken(Milligrams),
    /// It knows no such question, so it has no tare.
    Unknown,
}

/// The longest line that is an answer.
pub const LONGEST_LINE: usize = 40;

impl ScaleProtocol {
    /// What asks for the weight now.
    pub fn ask(self) -> &'static [u8] {
        match self {
            Self::And => b"Q\r\n",
            Self::Sics => b"SI\r\n",
        }
    }

    /// Reads one line, without its end; `None` is garbage.
    pub fn read(self, line: &[u8]) -> Option<ScaleLine> {
        let text = short(line)?;
        match self {
            Self::And => and(text),
            Self::Sics => sics(text),
        }
    }

    /// What asks for the tare the scale takes off; `None` where the weight says whether it is net.
    pub fn ask_tare(self) -> Option<&'static [u8]> {
        match self {
            Self::And => None,
            Self::Sics => Some(b"TA\r\n"),
        }
    }

    /// Reads the answer to `ask_tare`; `None` is garbage.
    pub fn read_tare(self, line: &[u8]) -> Option<ScaleTare> {
        let text = short(line)?;
        if matches!(text, "ES" | "EL" | "TA L") {
            return Some(ScaleTare::Unknown);
        }
        weight_of(text.strip_prefix("TA A ")?).map(ScaleTare::Taken)
    }
}

fn short(line: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(line).ok().filter(|text| text.len() <= LONGEST_LINE)?;
    Some(text.trim())
}

/// `ST,+00001.250 kg`, with `NT` (tare taken off), `GS` or nothing behind the state; `TR` is the
/// container's own weight, and never the goods'.
fn and(text: &str) -> Option<ScaleLine> {
    let (state, rest) = text.split_once(',')?;
    match state {
        "ST" => {}
        "US" => return Some(ScaleLine::Moving),
        "OL" if rest.trim_start().starts_with('-') => return Some(ScaleLine::Underload),
        "OL" => return Some(ScaleLine::Overload),
        _ => return None,
    }
    let weight = match rest.strip_prefix("NT,") {
        Some(net) => Weight::Net(weight_of(net)?),
        None => Weight::Gross(weight_of(rest.strip_prefix("GS,").unwrap_or(rest))?),
    };
    Some(ScaleLine::Stable(weight))
}

/// `S S 1.250 kg`; the second letter is the state. Nothing says whether a tare is taken off: the
/// scale is asked for that apart.
fn sics(text: &str) -> Option<ScaleLine> {
    let rest = text.strip_prefix("S ")?;
    let (state, weight) = rest.split_once(' ').unwrap_or((rest, ""));
    match state {
        "S" => weight_of(weight).map(|weight| ScaleLine::Stable(Weight::Gross(weight))),
        "D" | "I" => Some(ScaleLine::Moving),
        "+" => Some(ScaleLine::Overload),
        "-" => Some(ScaleLine::Underload),
        _ => None,
    }
}

/// `+00001.250 kg`: a sign, digits, at most three decimals of a gram, a unit of mass.
fn weight_of(text: &str) -> Option<Milligrams> {
    let text = text.trim();
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let decimals = match unit.trim() {
        "kg" => 6,
        "g" => 3,
        _ => return None,
    };
    let number: String = number.chars().filter(|c| *c != ' ').collect();
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, number.strip_prefix('+').unwrap_or(&number)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || part.len() > decimals || !plain(whole) || !plain(part)
    {
        return None;
    }
    let scaled: i64 = format!("{whole}{part:0<decimals$}").parse().ok()?;
    Some(Milligrams(sign * scaled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_protocols_are_read_and_garbage_is_not() {
        use ScaleLine::{Moving, Overload, Stable, Underload};
        let mg = |mg| Some(Stable(Weight::Gross(Milligrams(mg))));
        let net = |mg| Some(Stable(Weight::Net(Milligrams(mg))));
        for (protocol, line, want) in [
            (ScaleProtocol::And, "ST,+00001.250 kg", mg(1_250_000)),
            (ScaleProtocol::And, "ST,NT,+00001.250 kg", net(1_250_000)),
            (ScaleProtocol::And, "ST,NT,-00000.050 kg", net(-50_000)),
            (ScaleProtocol::And, "ST,TR,+00000.050 kg", None),
            (ScaleProtocol::And, "ST,XX,+00001.250 kg", None),
            (ScaleProtocol::And, "ST,GS,+0000054.5  g", mg(54_500)),
            (ScaleProtocol::And, "ST,-00000.010 kg", mg(-10_000)),
            (ScaleProtocol::And, "ST,+  0.000kg", mg(0)),
            (ScaleProtocol::And, "US,+00001.250 kg", Some(Moving)),
            (ScaleProtocol::And, "OL,+9999999E+19", Some(Overload)),
            (ScaleProtocol::And, "OL,-9999999E+19", Some(Underload)),
            (ScaleProtocol::And, "ST,+00001.250 lb", None),
            (ScaleProtocol::And, "ST,+00001.250", None),
            (ScaleProtocol::And, "ST,+0000A.250 kg", None),
            (ScaleProtocol::And, "ST,+9999999999999999 kg", None),
            (ScaleProtocol::And, "ST,+1.2345678 g", None),
            (ScaleProtocol::And, "ST,+1.2.3 kg", None),
            (ScaleProtocol::And, "ST,+1.250 kgST,+1.250 kg", None),
            (ScaleProtocol::And, "", None),
            (ScaleProtocol::And, "S S 1.250 kg", None),
            (ScaleProtocol::Sics, "S S      1.250 kg", mg(1_250_000)),
            (ScaleProtocol::Sics, "S S     -0.010 kg", mg(-10_000)),
            (ScaleProtocol::Sics, "S S    100.00 g", mg(100_000)),
            (ScaleProtocol::Sics, "S D      1.250 kg", Some(Moving)),
            (ScaleProtocol::Sics, "S I", Some(Moving)),
            (ScaleProtocol::Sics, "S +", Some(Overload)),
            (ScaleProtocol::Sics, "S -", Some(Underload)),
            (ScaleProtocol::Sics, "ES", None),
            (ScaleProtocol::Sics, "S S", None),
        ] {
            assert_eq!(protocol.read(line.as_bytes()), want, "{protocol:?} {line:?}");
        }
    }

    #[test]
    fn a_tare_is_read_and_a_scale_without_one_is_known() {
        let taken = |mg| Some(ScaleTare::Taken(Milligrams(mg)));
        for (line, want) in [
            ("TA A      0.050 kg", taken(50_000)),
            ("TA A     0.00 g", taken(0)),
            ("ES", Some(ScaleTare::Unknown)),
            ("TA L", Some(ScaleTare::Unknown)),
            ("TA I", None),
            ("S S      1.250 kg", None),
            ("TA A      0.050 lb", None),
        ] {
            assert_eq!(ScaleProtocol::Sics.read_tare(line.as_bytes()), want, "{line:?}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic_or_weigh_beyond_reason() {
        const LETTERS: &[u8] = b"ST,US+-0123456789. kgOLE\xff\x00\x1b";
        let mut seed = 1_u32;
        for _ in 0..50_000 {
            let line: Vec<u8> = (0..seed % 60)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    LETTERS[(seed >> 16) as usize % LETTERS.len()]
                })
                .collect();
            seed = seed.wrapping_add(1);
            for protocol in [ScaleProtocol::And, ScaleProtocol::Sics] {
                let _ = protocol.read_tare(&line);
                if let Some(ScaleLine::Stable(weight)) = protocol.read(&line) {
                    let (Weight::Gross(weight) | Weight::Net(weight)) = weight;
                    assert!(weight.0.abs() < 1_000_000_000_000_000, "{line:?}");
                }
            }
        }
    }
}
