//! A member's fields from FIELD=VALUE pairs: one gate for commands, forms and files.
//!
//! Room: domain. May touch: std, chrono::NaiveDate. May not: clock, file, terminal, float.
//! Invariant: what passes is clean text in the one form the shop keeps; an empty value clears a field.

use chrono::NaiveDate;

use super::code::card::LONGEST_MEMBER_CODE;
use super::member::Personal;
use super::phone::Phone;
use super::refusal::{Refusal, RefusalCode};
use super::text;

/// Longest values, in characters.
const LONGEST_NAME: usize = 60;
const LONGEST_TEXT: usize = 200;
const LONGEST_MAIL: usize = 254;
const LONGEST_OWN_NAME: usize = 40;
/// The most fields of the shop's own a member has.
const MOST_OWN: usize = 50;

/// Sets one personal field, named as in the members CSV (`DESIGN.md` 12).
///
/// # Errors
/// `bad_argument` naming the field: unknown, or its value does not fit.
pub fn set_field(personal: &mut Personal, field: &str, value: &str) -> Result<(), Refusal> {
    if let Some(own) = field.strip_prefix("x_") {
        return set_own(personal, own, value);
    }
    let (place, read): (_, fn(&str) -> Option<String>) = match field {
        "name" => (&mut personal.name, name),
        "kana" => (&mut personal.kana, name),
        "phone" => (&mut personal.phone, phone),
        "mail" => (&mut personal.mail, mail),
        "postcode" => (&mut personal.postcode, postcode),
        "address" => (&mut personal.address, long_text),
        "sex" => (&mut personal.sex, sex),
        "birthday" => (&mut personal.birthday, birthday),
        "note" => (&mut personal.note, long_text),
        "tags" => (&mut personal.tags, long_text),
        _ => return Err(unknown_field(field)),
    };
    *place = if value.chars().all(char::is_whitespace) {
        String::new()
    } else {
        read(value).ok_or_else(|| bad_field(field, value))?
    };
    Ok(())
}

fn set_own(personal: &mut Personal, own: &str, value: &str) -> Result<(), Refusal> {
    let named = text::clean(own, LONGEST_OWN_NAME).ok().filter(|own| !own.is_empty());
    let own = named.ok_or_else(|| unknown_field(&format!("x_{own}")))?;
    let value = long_text(value).ok_or_else(|| bad_field(&own, value))?;
    if value.is_empty() {
        personal.own.remove(&own);
    } else {
        personal.own.insert(own, value);
    }
    match personal.own.len() {
        0..=MOST_OWN => Ok(()),
        _ => Err(Refusal::new(RefusalCode::Full).saying("too_many_fields").with("count", MOST_OWN)),
    }
}

/// Reads a member code of the shop's choosing, as its card gives it: letters, digits, and the signs of
/// NW-7; 13 digits must hold their check digit, or the card
/// could never be scanned.
///
/// # Errors
/// `bad_argument`, or `check_digit`.
pub fn member_code(value: &str) -> Result<String, Refusal> {
    let code = text::halfwidth_digits(value.trim());
    let plain = |sign: u8| sign.is_ascii_alphanumeric() || b"-$:/.+".contains(&sign);
    if !(1..=LONGEST_MEMBER_CODE).contains(&code.len()) || !code.bytes().all(plain) {
        return Err(bad_field("code", value));
    }
    let digits = code.bytes().all(|sign| sign.is_ascii_digit());
    if code.len() == 13 && digits && !super::code::check::mod10w3_holds(&code) {
        let expected = super::code::check::mod10w3(&code[..12]).map(String::from);
        return Err(Refusal::new(RefusalCode::CheckDigit)
            .with("expected", expected.unwrap_or_default())
            .with("code", code));
    }
    Ok(code.into_owned())
}

/// A field that no member or item has.
pub fn unknown_field(field: &str) -> Refusal {
    let shown: String = text::cleaned(field).chars().take(LONGEST_OWN_NAME).collect();
    Refusal::new(RefusalCode::BadArgument).saying("unknown_field").with("field", shown)
}

/// A value that does not fit its field.
pub fn bad_field(field: &str, value: &str) -> Refusal {
    // A payment card's number is not even repeated.
    let shown: String = match text::holds_card_number(value) {
        true => "***".to_owned(),
        false => text::cleaned(value).chars().take(LONGEST_OWN_NAME).collect(),
    };
    Refusal::new(RefusalCode::BadArgument)
        .saying("bad_field")
        .with("field", field)
        .with("value", shown)
}

fn name(value: &str) -> Option<String> {
    text::clean_free(value, LONGEST_NAME).ok()
}

fn long_text(value: &str) -> Option<String> {
    text::clean_free(value, LONGEST_TEXT).ok()
}

fn phone(value: &str) -> Option<String> {
    value.parse::<Phone>().ok().map(Phone::into_digits)
}

fn mail(value: &str) -> Option<String> {
    let mail = text::halfwidth_digits(value.trim());
    let (user, host) = mail.split_once('@')?;
    let plain = mail.len() <= LONGEST_MAIL && mail.bytes().all(|byte| byte.is_ascii_graphic());
    let whole = !user.is_empty() && host.contains('.') && !host.contains('@');
    (plain && whole).then(|| mail.into_owned())
}

/// Seven digits, with or without 〒 and hyphen, kept as `100-0005`.
fn postcode(value: &str) -> Option<String> {
    let plain =
        |digits: &str| digits.len() == 7 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let kept = |digits: &str| [&digits[..3], "-", &digits[3..]].concat();
    if plain(value) {
        return Some(kept(value));
    }
    let folded = text::halfwidth_digits(value);
    let digits: String = folded.chars().filter(|sign| !"〒- ".contains(*sign)).collect();
    plain(&digits).then(|| kept(&digits))
}

fn sex(value: &str) -> Option<String> {
    ["female", "male", "other"].contains(&value).then(|| value.to_owned())
}

/// `YYYY-MM-DD`, or without the year: `--MM` or `--MM-DD`.
fn birthday(value: &str) -> Option<String> {
    let text = text::halfwidth_digits(value.trim());
    let whole = match text.strip_prefix("--") {
        // Any leap year will do: 29 February is a birthday.
        Some(month) if month.len() == 2 => &format!("2000-{month}-01"),
        Some(rest) => &format!("2000-{rest}"),
        None => &*text,
    };
    let date = plain_date(whole)?;
    let lived = date >= NaiveDate::from_ymd_opt(1880, 1, 1)?;
    lived.then(|| text.into_owned())
}

/// Reads `YYYY-MM-DD`, and no other spelling.
pub fn plain_date(text: &str) -> Option<NaiveDate> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shape {
        return None;
    }
    let year = text[..4].parse().ok()?;
    NaiveDate::from_ymd_opt(year, text[5..7].parse().ok()?, text[8..].parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_in_one_form_or_refused() {
        for (field, value, want) in [
            ("name", " 山田　花子 ", Some("山田　花子")),
            ("name", "a\u{1B}b", None),
            ("note", "4111 1111 1111 1111", None),
            ("phone", "０９０－１２３４－５６７８", Some("09012345678")),
            ("phone", "12345", None),
            ("mail", "hanako@example.jp", Some("hanako@example.jp")),
            ("mail", "hanako", None),
            ("mail", "a@b@c.jp", None),
            ("postcode", "〒100-0005", Some("100-0005")),
            ("postcode", "10000", None),
            ("sex", "female", Some("female")),
            ("sex", "女", None),
            ("birthday", "1990-02-28", Some("1990-02-28")),
            ("birthday", "1990-02-29", None),
            ("birthday", "--02-29", Some("--02-29")),
            ("birthday", "--12", Some("--12")),
            ("birthday", "--13", None),
            ("birthday", "1990-2-8", None),
            ("birthday", "0001-01-01", None),
            ("phone", "", Some("")),
        ] {
            let mut personal = Personal::default();
            let set = set_field(&mut personal, field, value).ok();
            let kept = match field {
                "name" => personal.name,
                "note" => personal.note,
                "phone" => personal.phone,
                "mail" => personal.mail,
                "postcode" => personal.postcode,
                "sex" => personal.sex,
                _ => personal.birthday,
            };
            assert_eq!(set.map(|()| kept.as_str()), want, "{field}={value}");
        }
    }

    #[test]
    fn the_shops_own_fields_come_and_go() {
        let mut personal = Personal::default();
        set_field(&mut personal, "x_犬の名前", "ポチ").unwrap();
        assert_eq!(personal.own["犬の名前"], "ポチ");
        set_field(&mut personal, "x_犬の名前", "").unwrap();
        assert!(personal.own.is_empty());
        assert_eq!(set_field(&mut personal, "x_", "1").unwrap_err().sentence, "unknown_field");
        assert_eq!(set_field(&mut personal, "points", "1").unwrap_err().sentence, "unknown_field");
    }

    #[test]
    fn a_card_that_could_not_be_scanned_is_no_code() {
        assert_eq!(member_code("２９00000000018").unwrap(), "2900000000018");
        assert_eq!(member_code("2900000000017").unwrap_err().code, RefusalCode::CheckDigit);
        for bad in ["", "a b", "123456789012345678901", "会員1"] {
            assert_eq!(member_code(bad).unwrap_err().code, RefusalCode::BadArgument, "{bad}");
        }
    }
}
