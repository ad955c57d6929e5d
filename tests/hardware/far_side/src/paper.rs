//! What a printer makes of its bytes: commands, their lengths, and which of them want an answer.
//!
//! Room: tests, in the guest.
//! Invariant: bytes of a picture or a code are never read as commands.

/// Something the host wants to know.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    /// `DLE EOT n`
    RealTime(u8),
    /// `GS a`: tell every change from now on.
    EveryChange,
    /// `GS r`
    Done,
    /// `GS ( H`
    ProcessId([u8; 4]),
    /// `ESC p` or `DLE DC4`
    Pulse,
}

/// Reads a stream piece by piece.
#[derive(Default)]
pub struct Reader {
    /// A command whose end has not come.
    begun: Vec<u8>,
    /// Bytes of a picture or a code still to come.
    payload: usize,
}

impl Reader {
    pub fn push(&mut self, byte: u8) -> Option<Wanted> {
        if self.payload > 0 {
            self.payload -= 1;
            return None;
        }
        self.begun.push(byte);
        let (wanted, whole) = match self.begun[..] {
            [0x10 | 0x1b | 0x1d | 0x1c] | [0x1d, b'(' | b'v' | b'k'] => (None, false),
            [0x10, 4] | [0x1d, b'a' | b'r'] | [0x1b, b'p', ..] if self.begun.len() < 3 => {
                (None, false)
            }
            [0x10, 4, n] => (Some(Wanted::RealTime(n)), true),
            [0x10, 0x14, ..] => (Some(Wanted::Pulse), self.begun.len() == 5),
            [0x1b, b'p', ..] => (Some(Wanted::Pulse), self.begun.len() == 5),
            [0x1d, b'a', _] => (Some(Wanted::EveryChange), true),
            [0x1d, b'r', _] => (Some(Wanted::Done), true),
            [0x1d, b'(', _, low, high] if self.begun[2] != b'H' => {
                self.payload = usize::from(low) + 256 * usize::from(high);
                (None, true)
            }
            [0x1d, b'(', b'H', 6, 0, 0x30, 0x30, a, b, c, d] => {
                (Some(Wanted::ProcessId([a, b, c, d])), true)
            }
            [0x1d, b'(', ..] => (None, self.begun.len() > 10),
            [0x1d, b'v', b'0', _, wide, wider, high, higher] => {
                let row = usize::from(wide) + 256 * usize::from(wider);
                self.payload = row * (usize::from(high) + 256 * usize::from(higher));
                (None, true)
            }
            [0x1d, b'v', ..] => (None, false),
            [0x1d, b'k', kind] if kind < 65 => (None, true),
            [0x1d, b'k', _, count] => {
                self.payload = count.into();
                (None, true)
            }
            [0x1d, b'k', ..] => (None, false),
            _ => (None, true),
        };
        if whole {
            self.begun.clear();
        }
        wanted.filter(|_| whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_found_and_pictures_passed_over() {
        let mut reader = Reader::default();
        let mut stream = vec![0x1b, b'@', 0x10, 4, 2];
        stream.extend([0x1d, b'v', b'0', 0, 3, 0, 1, 0, 0x10, 4, 1]);
        stream.extend([0x1d, b'k', 73, 3, 0x1d, b'r', 1]);
        stream.extend([0x1d, b'(', b'k', 3, 0, 0x10, 4, 1]);
        stream.extend([0x1b, b'p', 0, 25, 250, b'A', 0x1d, b'a', 0xff, 0x1d, b'r', 1]);
        stream.extend(b"\x1d(H\x06\x00\x30\x30abcd");
        let wanted: Vec<Wanted> = stream.iter().filter_map(|&byte| reader.push(byte)).collect();
        assert_eq!(
            wanted,
            [
                Wanted::RealTime(2),
                Wanted::Pulse,
                Wanted::EveryChange,
                Wanted::Done,
                Wanted::ProcessId(*b"abcd")
            ]
        );
    }
}
