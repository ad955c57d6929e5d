//! Columns of a receipt font: what lines up on paper and in the text pane.
//!
//! Room: reports. May touch: std. May not: printers (they set the whole line; this is inside a part).

/// Returns how many columns a text takes: kanji, kana and full-width signs two, the rest one. A sign
/// counts as many columns as it has bytes in CP932, whatever Unicode says of its width.
pub fn columns(text: &str) -> usize {
    text.chars().map(sign_columns).sum()
}

fn sign_columns(sign: char) -> usize {
    match sign {
        '\0'..='~' | '¥' | '‾' | '\u{FF61}'..='\u{FF9F}' => 1,
        _ => 2,
    }
}

/// Returns the text with spaces before it, up to `width` columns.
pub fn right(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(columns(text))))
}

/// Returns the text as `right` does, with one space before it at least: what stands before it must
/// not touch it however large it grows.
pub fn apart(text: &str, width: usize) -> String {
    right(text, width.max(columns(text) + 1))
}

/// Returns the text with spaces behind it, up to `width` columns.
pub fn left(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_as_wide_as_its_cp932_bytes() {
        for (text, want) in [("牛乳 1L ※", 10), ("¥1,052", 6), ("ｶﾞﾑ", 3), ("★×", 4), ("", 0)]
        {
            assert_eq!(columns(text), want, "{text}");
        }
    }

    #[test]
    fn padding_fills_and_never_cuts() {
        assert_eq!(right("52件", 6), "  52件");
        assert_eq!(apart("¥12,345", 9), "  ¥12,345");
        assert_eq!(apart("¥12,345", 7), " ¥12,345");
        assert_eq!(left("値引計", 8), "値引計  ");
        assert_eq!(right("純売上", 2), "純売上");
    }
}
