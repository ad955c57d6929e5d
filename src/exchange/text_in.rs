//! Which encoding a file is in, and its bytes as text.
//!
//! Room: exchange. May touch: the reader it is handed, encoding tables.
//! Invariant: a broken sign becomes 〓 and is told; it never swallows the sign behind it.

use std::borrow::Cow;
use std::io::{self, Read, Seek, SeekFrom};

use encoding_rs::SHIFT_JIS;
use simdutf8::compat::from_utf8;

use super::records::{MOST_FILE_BYTES, MOST_LINE_BYTES};

/// Stands where bytes were no character (`japan.md` TN-08).
pub const GETA: char = '〓';

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Cp932,
}

/// Bytes looked at in one go.
const LOOK_BYTES: usize = 128 * 1024;

/// What the first look at a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sniffed {
    Text(Encoding),
    /// A zipped spreadsheet (xlsx, ods): to be saved as CSV first.
    Zip,
    /// "Unicode text" of old spreadsheets.
    Utf16,
}

/// Looks through the file for its encoding and leaves the reader at the first character: behind a
/// BOM, else at the start. All valid UTF-8 is UTF-8, anything else CP932 (`japan.md` 6.1).
///
/// Gives up, and judges by what it has seen, where the record reader would stop too.
///
/// # Errors
/// Those of the reader.
pub fn sniff(reader: &mut (impl Read + Seek)) -> io::Result<Sniffed> {
    let mut look = Look::default();
    let mut chunk = vec![0; LOOK_BYTES];
    let mut first = true;
    loop {
        let length = read_full(reader, &mut chunk)?;
        let bytes = &chunk[..length];
        if std::mem::take(&mut first)
            && let Some((sniffed, skip)) = by_mark(bytes)
        {
            reader.seek(SeekFrom::Start(skip))?;
            return Ok(sniffed);
        }
        if length == 0 || !look.take(bytes) {
            break;
        }
    }
    reader.seek(SeekFrom::Start(0))?;
    Ok(Sniffed::Text(look.encoding()))
}

fn by_mark(bytes: &[u8]) -> Option<(Sniffed, u64)> {
    const MARKS: [(&[u8], Sniffed, u64); 4] = [
        (b"\xEF\xBB\xBF", Sniffed::Text(Encoding::Utf8), 3),
        (b"\xFF\xFE", Sniffed::Utf16, 0),
        (b"\xFE\xFF", Sniffed::Utf16, 0),
        (b"PK\x03\x04", Sniffed::Zip, 0),
    ];
    let found = MARKS.iter().find(|(mark, _, _)| bytes.starts_with(mark))?;
    Some((found.1, found.2))
}

fn read_full(reader: &mut impl Read, chunk: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < chunk.len() {
        match reader.read(&mut chunk[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// Whether all bytes so far were UTF-8.
#[derive(Default)]
struct Look {
    /// The beginning of a character whose end is in the next chunk.
    begun: Vec<u8>,
    not_utf8: bool,
    seen: u64,
    line: usize,
}

impl Look {
    /// Returns whether to look on.
    fn take(&mut self, bytes: &[u8]) -> bool {
        // The end of what was begun is at most three bytes long.
        let mut rest = bytes;
        while let Some((&byte, behind)) = rest.split_first().filter(|_| !self.begun.is_empty()) {
            self.begun.push(byte);
            rest = behind;
            match from_utf8(&self.begun) {
                Ok(_) => self.begun.clear(),
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    self.not_utf8 = true;
                    break;
                }
            }
        }
        match from_utf8(rest) {
            Ok(_) => {}
            Err(error) if error.error_len().is_none() => {
                self.begun.extend_from_slice(&rest[error.valid_up_to()..]);
            }
            Err(_) => self.not_utf8 = true,
        }
        self.seen += bytes.len() as u64;
        self.line = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => bytes.len() - at - 1,
            None => self.line + bytes.len(),
        };
        !self.not_utf8 && self.line <= MOST_LINE_BYTES && self.seen <= MOST_FILE_BYTES
    }

    /// A character cut off by the end of the file is broken UTF-8; nothing else could be a half one.
    fn encoding(&self) -> Encoding {
        let cut = !self.begun.is_empty() && self.line <= MOST_LINE_BYTES;
        if self.not_utf8 || cut { Encoding::Cp932 } else { Encoding::Utf8 }
    }
}

/// A field as text, and whether any byte of it was no character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    pub text: Cow<'a, str>,
    pub broken: bool,
}

/// Returns the bytes of one field as text.
pub fn decode(bytes: &[u8], encoding: Encoding) -> Decoded<'_> {
    let (text, broken) = match encoding {
        Encoding::Utf8 => match from_utf8(bytes) {
            Ok(text) => (text.into(), false),
            Err(_) => (String::from_utf8_lossy(bytes), true),
        },
        Encoding::Cp932 => SHIFT_JIS.decode_without_bom_handling(bytes),
    };
    if broken {
        let text = text.replace(char::REPLACEMENT_CHARACTER, &GETA.to_string());
        Decoded { text: text.into(), broken }
    } else {
        Decoded { text, broken }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn the_encoding_is_told_by_mark_or_by_the_whole_file() {
        let long = format!("{}\n", "a".repeat(60)).repeat(1000);
        let late = [long.as_bytes(), b"\x95\x5C\x83\x5C"].concat();
        let late_utf8 = format!("{long}表ソ").into_bytes();
        for (bytes, want, at) in [
            (b"\xEF\xBB\xBFcode".to_vec(), Sniffed::Text(Encoding::Utf8), 3),
            (b"code".to_vec(), Sniffed::Text(Encoding::Utf8), 0),
            ("牛乳".into(), Sniffed::Text(Encoding::Utf8), 0),
            (b"\x8B\x8D\x93\xFB".to_vec(), Sniffed::Text(Encoding::Cp932), 0),
            (late, Sniffed::Text(Encoding::Cp932), 0),
            (late_utf8, Sniffed::Text(Encoding::Utf8), 0),
            ("牛".as_bytes()[..2].to_vec(), Sniffed::Text(Encoding::Cp932), 0),
            (b"\xFF\xFEc\0".to_vec(), Sniffed::Utf16, 0),
            (b"PK\x03\x04rest".to_vec(), Sniffed::Zip, 0),
            (Vec::new(), Sniffed::Text(Encoding::Utf8), 0),
        ] {
            let mut reader = Cursor::new(bytes);
            assert_eq!(sniff(&mut reader).unwrap(), want);
            assert_eq!(reader.position(), at);
        }
    }

    #[test]
    fn a_backslash_byte_inside_a_kanji_is_no_backslash() {
        let decoded = decode(b"\x95\x5C\x83\x5C", Encoding::Cp932);
        assert_eq!(decoded, Decoded { text: "表ソ".into(), broken: false });
    }

    #[test]
    fn a_lone_lead_byte_is_told_and_takes_nothing_with_it() {
        for (bytes, want) in [
            (b"\x8B\x8D\x83".as_slice(), "牛〓"),
            (b"\x83,A".as_slice(), "〓,A"),
            (b"\x83\x0AA".as_slice(), "〓\nA"),
        ] {
            assert_eq!(decode(bytes, Encoding::Cp932), Decoded { text: want.into(), broken: true });
        }
        let utf8 = decode(b"a\xFFb", Encoding::Utf8);
        assert_eq!(utf8, Decoded { text: "a〓b".into(), broken: true });
    }
}
