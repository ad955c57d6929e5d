//! Dots: the logo and codes a printer cannot draw itself, as bands of a picture.
//!
//! Room: devices. May touch: the QR code maker. May not: printers' transports, files.
//! Invariant: no band holds bytes that a printer would obey in the middle of a picture.

use qrcode::{Color, EcLevel, QrCode};

/// A black and white picture, eight dots a byte, the leftmost dot highest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    bytes_per_row: usize,
    rows: Vec<Vec<u8>>,
}

/// Why a logo file cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    #[error("not a portable bitmap (P4)")]
    Format,
    #[error("wider or longer than a receipt")]
    Size,
    #[error("shorter than its header says")]
    Truncated,
}

/// The largest logo taken: the width of an 80 mm head, and a hand's length.
const LARGEST_LOGO: (usize, usize) = (1024, 2048);
/// White modules around a QR code (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

impl Bitmap {
    /// Reads a binary portable bitmap (`P4`), which every paint program can write.
    pub fn from_pbm(file: &[u8]) -> Result<Self, LogoError> {
        let mut rest = file.strip_prefix(b"P4").ok_or(LogoError::Format)?;
        let width = header_number(&mut rest)?;
        let height = header_number(&mut rest)?;
        if width == 0 || height == 0 || width > LARGEST_LOGO.0 || height > LARGEST_LOGO.1 {
            return Err(LogoError::Size);
        }
        let dots = rest.get(1..).ok_or(LogoError::Truncated)?; // One white space ends the header.
        let bytes_per_row = width.div_ceil(8);
        let rows: Vec<Vec<u8>> =
            dots.chunks_exact(bytes_per_row).take(height).map(<[u8]>::to_vec).collect();
        if rows.len() < height {
            Err(LogoError::Truncated)
        } else {
            Ok(Self { bytes_per_row, rows })
        }
    }

    /// Draws `text` as a QR code, level M, `cell` dots a module. `None`: too long for any code.
    pub fn qr(text: &str, cell: usize) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let modules = code.to_colors();
        let across = code.width() + 2 * QUIET_ZONE;
        let dark = |x: usize, y: usize| {
            let (x, y) = (x.checked_sub(QUIET_ZONE)?, y.checked_sub(QUIET_ZONE)?);
            (x < code.width() && y < code.width()).then(|| modules[y * code.width() + x])
        };
        let size = across * cell;
        Some(Self::from_dots(size, size, |x, y| dark(x / cell, y / cell) == Some(Color::Dark)))
    }

    /// Draws `width` by `height` dots, each black where `dot` says so.
    pub fn from_dots(width: usize, height: usize, dot: impl Fn(usize, usize) -> bool) -> Self {
        let bytes_per_row = width.div_ceil(8);
        let row = |y| {
            let mut row = vec![0; bytes_per_row];
            for x in (0..width).filter(|&x| dot(x, y)) {
                row[x / 8] |= 0x80 >> (x % 8);
            }
            row
        };
        Self { bytes_per_row, rows: (0..height).map(row).collect() }
    }

    /// Rows from the top, eight dots a byte, the leftmost dot highest.
    pub fn rows(&self) -> &[Vec<u8>] {
        &self.rows
    }

    pub fn bytes_per_row(&self) -> usize {
        self.bytes_per_row
    }

    pub fn height(&self) -> usize {
        self.rows.len()
    }

    pub fn width_dots(&self) -> usize {
        self.bytes_per_row * 8
    }

    /// Returns the picture as `GS v 0` bands of at most `max_rows` rows.
    pub fn bands(&self, max_rows: u16) -> Vec<Vec<u8>> {
        self.rows.chunks(usize::from(max_rows.max(1))).map(|rows| self.band(rows)).collect()
    }

    fn band(&self, rows: &[Vec<u8>]) -> Vec<u8> {
        let [wide_low, wide_high] = (self.bytes_per_row as u16).to_le_bytes();
        let [tall_low, tall_high] = (rows.len() as u16).to_le_bytes();
        let mut band = vec![0x1d, b'v', b'0', 0, wide_low, wide_high, tall_low, tall_high];
        let header = band.len();
        band.extend(rows.iter().flatten());
        thicken_real_time_commands(&mut band[header..]);
        band
    }
}

/// Adds a dot to every pair of bytes that reads as a real-time command (`DLE EOT`, `DLE ENQ`,
/// `DLE DC4`): printers obey those even inside a picture, and one opens the drawer
/// (reliability.md P7). One dot more is not seen on paper.
fn thicken_real_time_commands(dots: &mut [u8]) {
    for at in 1..dots.len() {
        if is_real_time(dots[at - 1], dots[at]) {
            dots[at] |= 0b10;
        }
    }
}

/// Returns how many real-time commands a stream holds, wanted or not.
pub fn real_time_commands(stream: &[u8]) -> usize {
    stream.windows(2).filter(|pair| is_real_time(pair[0], pair[1])).count()
}

fn is_real_time(first: u8, second: u8) -> bool {
    first == 0x10 && matches!(second, 0x04 | 0x05 | 0x14)
}

/// Takes the next number of a PBM header, over white space and `#` comments.
fn header_number(rest: &mut &[u8]) -> Result<usize, LogoError> {
    loop {
        match rest.first().ok_or(LogoError::Truncated)? {
            b'#' => {
                let end = rest.iter().position(|&b| b == b'\n').ok_or(LogoError::Truncated)?;
                *rest = &rest[end..];
            }
            byte if byte.is_ascii_whitespace() => *rest = &rest[1..],
            _ => break,
        }
    }
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(&rest[..digits]).ok().and_then(|text| text.parse().ok());
    *rest = &rest[digits..];
    number.ok_or(LogoError::Format)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pbm(width: usize, height: usize, dots: &[u8]) -> Vec<u8> {
        [format!("P4\n# made by hand\n{width} {height}\n").as_bytes(), dots].concat()
    }

    #[test]
    fn a_logo_is_read_or_refused_in_words() {
        let logo = Bitmap::from_pbm(&pbm(10, 2, &[1, 2, 3, 4])).expect("it is a bitmap");
        assert_eq!(logo.rows, [[1, 2], [3, 4]]);
        for (file, why) in [
            (b"GIF89a".to_vec(), LogoError::Format),
            (pbm(10, 2, &[1, 2, 3]), LogoError::Truncated),
            (pbm(9999, 2, &[]), LogoError::Size),
            (pbm(0, 2, &[]), LogoError::Size),
            (b"P4\n8".to_vec(), LogoError::Truncated),
            (b"P4\n#".to_vec(), LogoError::Truncated),
            (b"P4 99999999999999999999 1 ".to_vec(), LogoError::Format),
        ] {
            assert_eq!(Bitmap::from_pbm(&file), Err(why), "{file:?}");
        }
    }

    #[test]
    fn a_long_picture_is_sent_in_bands() {
        let logo = Bitmap::from_pbm(&pbm(8, 5, &[9; 5])).expect("it is a bitmap");
        assert_eq!(
            logo.bands(3),
            [
                vec![0x1d, b'v', b'0', 0, 1, 0, 3, 0, 9, 9, 9],
                vec![0x1d, b'v', b'0', 0, 1, 0, 2, 0, 9, 9]
            ]
        );
    }

    #[test]
    fn a_logo_cannot_pulse_the_drawer_or_clear_the_printer() {
        let dots = [0x10, 0x14, 0x01, 0x00, 0x05, 0x10, 0x05, 0x02];
        let band =
            Bitmap::from_pbm(&pbm(64, 1, &dots)).expect("it is a bitmap").bands(256).concat();
        assert_eq!(real_time_commands(&dots), 2);
        assert_eq!(real_time_commands(&band), 0);
        assert_eq!(band[8..], [0x10, 0x16, 0x01, 0x00, 0x05, 0x10, 0x07, 0x02]);
    }

    proptest! {
        #[test]
        fn no_logo_holds_a_real_time_command(
            dots in prop::collection::vec(prop::sample::select(vec![0x10u8, 4, 5, 0x14, 0, 0xff]), 512)
        ) {
            let logo = Bitmap::from_pbm(&pbm(64, 64, &dots)).expect("it is a bitmap");
            prop_assert_eq!(real_time_commands(&logo.bands(24).concat()), 0);
        }
    }

    #[test]
    fn a_qr_code_has_its_finder_and_quiet_zone() {
        let code = Bitmap::qr("https://example.jp/r/1", 3).expect("it fits");
        let black = |x: usize, y: usize| code.rows[y][x / 8] & (0x80 >> (x % 8)) != 0;
        let edge = QUIET_ZONE * 3;
        assert!((0..code.rows.len()).all(|at| !black(at, edge - 1) && !black(edge - 1, at)));
        assert!((edge..edge + 21).all(|at| black(at, edge) && black(edge, at)));
        assert!(Bitmap::qr(&"x".repeat(4_000), 3).is_none());
    }
}
