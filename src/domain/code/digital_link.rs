//! GS1 Digital Link: a web address in a QR code that says what an element string says.
//!
//! Room: domain. May touch: std. May not: clock, file, terminal, float.
//! Invariant: the address is read, never visited.

use super::CodeFault;
use super::gs1::{Element, named_element};

/// Returns whether a scan is a web address.
pub fn is_address(text: &str) -> bool {
    let head = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    head.starts_with("http://") || head.starts_with("https://")
}

/// Reads `https://host/…/01/04912345678904/10/ABC?17=261231`: identifiers and values in turn from
/// the first 01 on, then those in the query; other queries are the maker's own affair.
pub fn parse(text: &str) -> Result<Vec<Element>, CodeFault> {
    let (_, address) = text.split_once("://").ok_or(CodeFault::Shape)?;
    let address = address.split('#').next().unwrap_or(address);
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let mut parts = path.split('/').skip(1).skip_while(|part| identifier(part) != "01").peekable();
    if parts.peek().is_none() {
        return Err(CodeFault::Shape);
    }
    let mut elements = Vec::new();
    while let Some(name) = parts.next().filter(|name| !name.is_empty()) {
        let value = parts.next().ok_or(CodeFault::Shape)?;
        elements.push(link_element(name, value)?);
    }
    for pair in query.split(['&', ';']) {
        let Some((name, value)) = pair.split_once('=') else { continue };
        if super::check::all_digits(name) {
            elements.push(link_element(name, value)?);
        }
    }
    Ok(elements)
}

/// Early links spelled the identifiers as words.
fn identifier(part: &str) -> &str {
    match part {
        "gtin" => "01",
        "lot" => "10",
        "ser" => "21",
        "cpv" => "22",
        _ => part,
    }
}

fn link_element(name: &str, value: &str) -> Result<Element, CodeFault> {
    let name = identifier(name);
    let value = percent_decoded(value).ok_or(CodeFault::Shape)?;
    // A link may leave out the zeros before a short GTIN.
    let value = if name == "01" { format!("{value:0>14}") } else { value };
    named_element(name, &value)
}

/// Returns the value with `%2F` and the like undone; `None` when a byte is broken or not ASCII.
fn percent_decoded(value: &str) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let mut signs = value.chars();
    while let Some(sign) = signs.next() {
        if sign != '%' {
            out.push(sign);
            continue;
        }
        let high = signs.next()?.to_digit(16)?;
        let low = signs.next()?.to_digit(16)?;
        out.push(char::from_u32(high * 16 + low).filter(char::is_ascii)?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::gs1::parse_bracketed;

    #[test]
    fn a_link_says_what_the_element_string_says() {
        for (link, want) in [
            (
                "https://id.gs1.org/01/04912345678904/10/ABC?17=261231",
                "(01)04912345678904(10)ABC(17)261231",
            ),
            ("HTTPS://example.jp/a/b/gtin/4912345678904/lot/A%2F1", "(01)04912345678904(10)A/1"),
            (
                "http://example.jp/01/45123450?utm=x&3103=001250#top",
                "(01)00000045123450(3103)001250",
            ),
            ("https://example.jp/01/04912345678904/", "(01)04912345678904"),
        ] {
            assert!(is_address(link));
            assert_eq!(parse(link), parse_bracketed(want), "{link}");
        }
    }

    #[test]
    fn an_address_without_a_gtin_is_no_code() {
        for link in [
            "https://example.jp/",
            "https://example.jp/campaign?01=04912345678904",
            "https://example.jp/01",
            "https://example.jp/01/04912345678904/10",
            "https://example.jp/01/0491234567890%",
            "https://example.jp/01/04912345678904/10/%E3",
        ] {
            assert_eq!(parse(link), Err(CodeFault::Shape), "{link}");
        }
    }
}
