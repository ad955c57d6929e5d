//! What a register writes to its terminal, read as strictly as can be.
//!
//! Room: tests. May touch: std.
//! Invariant: only text that can be seen and the few sequences a screen needs pass; anything else is
//! named with its place.

/// Reads a stream; returns how many signs it shows.
pub fn shown(stream: &[u8]) -> Result<usize, String> {
    let text = std::str::from_utf8(stream).map_err(|error| format!("no UTF-8: {error}"))?;
    let mut rest = text;
    let mut signs = 0;
    while let Some(sign) = rest.chars().next() {
        let taken = match sign {
            '\u{1B}' => sequence(&rest[1..]).ok_or_else(|| told(rest))? + 1,
            _ if is_harmful(sign) => return Err(told(rest)),
            _ => {
                signs += 1;
                sign.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    Ok(signs)
}

fn told(rest: &str) -> String {
    format!("{:?}", rest.chars().take(12).collect::<String>())
}

/// Controls of both sets, direction marks, what cannot be seen; written out here once more, so that
/// the gate is not held against itself.
pub fn is_harmful(sign: char) -> bool {
    sign.is_control()
        || matches!(sign,
            '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}'
            | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}' | '\u{FFF9}'..='\u{FFFB}')
}

/// The length of a sequence behind its `ESC`: cursor, pen, erasing, the synchronised update, and the input
/// method.
fn sequence(rest: &str) -> Option<usize> {
    let parameters = rest.strip_prefix('[')?;
    let end = parameters.find(|sign: char| !sign.is_ascii_digit() && !";?:".contains(sign))?;
    let (given, last) = (&parameters[..end], parameters[end..].chars().next()?);
    let known = match given.strip_prefix('?') {
        Some(mode) => matches!(last, 'h' | 'l') && ["25", "2026", "737769"].contains(&mode),
        None => matches!(last, 'H' | 'm' | 'J' | 'K' | 'X' | 'A' | 'B' | 'C' | 'D' | 'G'),
    };
    known.then_some(end + 2)
}
