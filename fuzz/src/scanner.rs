//! Any events of a scanner, any bytes of a serial one, any keys of a hand: scans of printable signs that
//! are no longer than a scan may be, or a rejection.

use regi::devices::scanner::decoder::{ByteDecoder, Input, Reject, ScanDecoder, Signs};
use regi::devices::scanner::keys::Layout;
use regi::devices::scanner::wedge::{Wedge, WedgeKey, WedgeReader};
use regi::domain::code::recognise::recognise;
use regi::domain::code::{CodeRules, MAX_SCAN_CHARS};

pub fn hold(bytes: &[u8]) {
    let Some((&how, bytes)) = bytes.split_first() else { return };
    let signs = if how & 1 == 0 { Signs::Codes } else { Signs::Any };
    let layout = if how & 2 == 0 { Layout::Us } else { Layout::Jis };
    events(bytes, ScanDecoder::new(layout, signs));
    serial(bytes, ByteDecoder::new(signs));
    typed(bytes);
}

fn judge(scan: &Result<String, Reject>) {
    if let Ok(text) = scan {
        assert!(!text.is_empty() && text.len() <= MAX_SCAN_CHARS, "{text:?}");
        assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text:?}");
        let _ = recognise(text, &CodeRules::default()); // Any answer will do.
    }
}

fn events(bytes: &[u8], mut decoder: ScanDecoder) {
    let mut at_ms = 0;
    for event in bytes.chunks_exact(3) {
        at_ms += u64::from(event[2]);
        let input = match event[1] {
            255 => Input::Dropped,
            value => Input::Key { code: u16::from(event[0]), value: i32::from(value % 4), at_ms },
        };
        decoder.push(input).iter().for_each(judge);
        if event[2] == 255 {
            decoder.silence();
            assert!(!decoder.under_way());
        }
    }
}

fn serial(bytes: &[u8], mut decoder: ByteDecoder) {
    for &byte in bytes {
        decoder.push(byte).iter().for_each(judge);
    }
    decoder.give_up();
    assert!(!decoder.under_way());
}

/// Keys of a hand come out in order, or are part of a scan: none is lost, none made up.
fn typed(bytes: &[u8]) {
    let mut wedge = WedgeReader::default();
    let (mut pressed, mut came) = (0, 0);
    let mut now = 0;
    let mut count = |meant: Vec<Wedge>| {
        for one in meant {
            match one {
                Wedge::Key(_) => came += 1,
                Wedge::Scan { text, take_back } => {
                    judge(&Ok(text.clone()));
                    came += text.chars().count() - take_back + 1;
                }
                Wedge::Rejected { .. } => return false,
            }
        }
        true
    };
    for pair in bytes.chunks_exact(2) {
        now += u64::from(pair[1]);
        let key = match pair[0] {
            b'\r' => WedgeKey::Enter,
            b'\t' => WedgeKey::Tab,
            letter => WedgeKey::Char(char::from(letter)),
        };
        pressed += 1;
        let meant = wedge.press(key, now);
        if !count(meant) {
            return;
        }
    }
    if count(wedge.flush()) {
        assert_eq!(came, pressed, "keys lost or made up");
    }
}
