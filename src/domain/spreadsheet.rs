//! What a spreadsheet would do with a cell, and how to keep it from doing it.
//!
//! Room: domain. May touch: std. Both reports and exchange write CSV, and both guard it here.
//! Invariant: a guarded text is never a formula; taking the guard off gives the text back.

use std::borrow::Cow;

/// Returns a text that no spreadsheet runs: one that begins like a formula gets a leading `'`.
/// For texts only: a number a program typed (`-120`) stays a number.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if begins_formula(text) || begins_guarded(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Returns the text without the `'` that `guarded`, or another program before digits, has put there.
pub fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if begins_formula(rest) || begins_guarded(rest) || begins_number(rest) => rest,
        _ => text,
    }
}

/// Spreadsheets look past spaces, and Japanese input gives the full-width signs
/// (`reliability.md` C22).
fn begins_formula(text: &str) -> bool {
    if text.starts_with(['\t', '\r', '\n', '\0']) {
        return true;
    }
    let seen = text.trim_start_matches([' ', '\u{3000}', '\u{A0}', '\u{FEFF}']);
    seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '−', '＠', '\t', '\r', '\n', '\0'])
}

/// A text that already looks guarded is guarded once more, so that unguarding is exact.
fn begins_guarded(text: &str) -> bool {
    text.strip_prefix('\'')
        .is_some_and(|rest| begins_formula(rest) || begins_guarded(rest) || begins_number(rest))
}

fn begins_number(text: &str) -> bool {
    text.starts_with(|sign: char| sign.is_ascii_digit() || matches!(sign, '０'..='９'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_guarded_and_comes_back() {
        for (text, want) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\0=1", "'\0=1"),
            ("＝1", "'＝1"),
            ("＋81", "'＋81"),
            ("－1", "'－1"),
            ("＠SUM(A1)", "'＠SUM(A1)"),
            ("+81-90", "'+81-90"),
            ("-1", "'-1"),
            ("@ab", "'@ab"),
            ("  =1", "'  =1"),
            ("　=1", "'　=1"),
            ("'=1", "''=1"),
            ("'0123", "''0123"),
            ("牛乳 = 1L", "牛乳 = 1L"),
            ("'90s music", "''90s music"),
            ("it's", "it's"),
            ("'quoted'", "'quoted'"),
            ("4901234567894", "4901234567894"),
            ("", ""),
        ] {
            assert_eq!(guarded(text), want, "{text:?}");
            assert_eq!(unguarded(&guarded(text)), text, "{text:?}");
        }
    }

    #[test]
    fn a_quote_that_another_program_put_before_digits_is_taken_off() {
        assert_eq!(unguarded("'6123456789"), "6123456789");
        assert_eq!(unguarded("'０３"), "０３");
    }
}
