//! The shop's settings as a TOML file, in.
//!
//! Room: exchange. May touch: the text it is handed. Names: `DESIGN.md` 12.
//! Invariant: an unknown key or a wrong value refuses the whole file, with its line.

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::domain::settings::{
    CodesPatch, GoodsPatch, LoyaltyPatch, Settings, SettingsChange, SettingsPatch,
};
use crate::domain::text::is_unprintable;

use super::fault::Fault;
use crate::domain::misread::{by_reader_at, misread};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::registration::CheckDiffers;

/// Reads a settings file, and holds it against the settings it would change.
///
/// # Errors
/// The first fault, with its line where it has one.
pub fn read_shop(file: &str, settings: &Settings) -> Result<SettingsChange, Fault> {
    let text = file.strip_prefix('\u{FEFF}').unwrap_or(file);
    if let Some(at) = unprintable_at(text) {
        return Err(Fault::new(line_of(text, at), "", RefusalCode::Text.into()));
    }
    let change = change_of(text).map_err(|error| {
        let at = error.span().map(|span| span.start);
        let row = at.map_or(0, |at| line_of(text, at));
        let said = by_reader_at(error.message(), text, at.unwrap_or(text.len()));
        Fault::new(row, "", unread(said))
    })?;
    let fits = change.apply(&mut settings.clone());
    fits.map_err(|refusal| Fault::new(line_of_refused(text, &refusal), "", refusal))?;
    Ok(change)
}

/// Returns what is odd about the registration number that a file sets, whatever shop it is for.
pub fn doubtful_number(file: &str) -> Option<CheckDiffers> {
    change_of(file.strip_prefix('\u{FEFF}').unwrap_or(file)).ok()?.doubtful_number()
}

/// Flags of a department in a file.
#[derive(Deserialize)]
struct Flagged {
    number: u16,
    flags: String,
}

/// Reads the tables of the codes, departments' flags, and some of how points are counted, by themselves: they
/// came later than the form in which a journal keeps the others.
fn change_of(text: &str) -> Result<SettingsChange, toml::de::Error> {
    let mut whole = DeTable::parse(text)?;
    let codes = taken(whole.get_mut(), &["card", "near_date"]);
    let loyalty = match whole.get_mut().get_mut("points").map(Spanned::get_mut) {
        Some(DeValue::Table(points)) => taken(points, &LoyaltyPatch::KEYS),
        _ => DeTable::new(), // Whatever else it is, the others' form refuses it.
    };
    let span = whole.span();
    let part = |table| toml::Deserializer::from(Spanned::new(span.clone(), table));
    let mut goods = GoodsPatch::default();
    for table in departments_flagged(whole.get_mut()) {
        let Flagged { number, flags } = Flagged::deserialize(part(table))?;
        goods.departments.push((number, flags));
    }
    Ok(SettingsChange {
        goods,
        codes: CodesPatch::deserialize(part(codes))?,
        loyalty: LoyaltyPatch::deserialize(part(loyalty))?,
        settings: SettingsPatch::deserialize(toml::Deserializer::from(whole))?,
    })
}

/// Takes the flags out of the departments, each with its number.
fn departments_flagged<'i>(whole: &mut DeTable<'i>) -> Vec<DeTable<'i>> {
    let Some(DeValue::Array(departments)) = whole.get_mut("department").map(Spanned::get_mut)
    else {
        return Vec::new(); // Whatever else it is, the others' form refuses it.
    };
    let tables = departments.iter_mut().filter_map(|department| match department.get_mut() {
        DeValue::Table(department) => Some(department),
        _ => None,
    });
    let flagged = tables.filter_map(|department| {
        let flags = department.remove_entry("flags")?;
        let number = department.get_key_value("number");
        let number = number.map(|(key, value)| (key.clone(), value.clone()));
        Some(number.into_iter().chain([flags]).collect())
    });
    flagged.collect()
}

/// Takes what stands under some names out of a table.
fn taken<'i>(table: &mut DeTable<'i>, names: &[&str]) -> DeTable<'i> {
    names.iter().filter_map(|name| table.remove_entry(*name)).collect()
}

/// Words what a reader says. `[seal]` is a name of the design that nothing answers to yet: whoever
/// relies on it must hear that nothing is encrypted.
fn unread(refusal: Refusal) -> Refusal {
    let is_seal = refusal.args.iter().any(|(name, key)| *name == "key" && key == "seal");
    if is_seal { misread("file.seal") } else { refusal }
}

/// Where the first text stands that no screen or paper may show: it would lie in the journal for ever.
fn unprintable_at(text: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?; // What is no TOML is refused as such.
    in_table(table.get_ref())
}

fn in_table(table: &DeTable<'_>) -> Option<usize> {
    let of_field = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
        let bad_key = key.get_ref().chars().any(is_unprintable);
        bad_key.then(|| key.span().start).or_else(|| in_value(value))
    };
    table.iter().filter_map(of_field).min()
}

fn in_value(value: &Spanned<DeValue<'_>>) -> Option<usize> {
    match value.get_ref() {
        DeValue::String(text) => text.chars().any(is_unprintable).then(|| value.span().start),
        DeValue::Array(items) => items.iter().find_map(in_value),
        DeValue::Table(table) => in_table(table),
        _ => None,
    }
}

fn line_of(text: &str, at: usize) -> u64 {
    let before = &text.as_bytes()[..at.min(text.len())];
    1 + before.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn argument<'a>(refusal: &'a Refusal, name: &str) -> Option<&'a str> {
    let found = refusal.args.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value.as_str())
}

fn line_of_refused(text: &str, refusal: &Refusal) -> u64 {
    line_of_table(text, refusal).unwrap_or_else(|| line_of_value(text, refusal))
}

/// A table told by its place among those of its name stands on a line of its own.
fn line_of_table(text: &str, refusal: &Refusal) -> Option<u64> {
    let place: usize = argument(refusal, "place")?.parse().ok()?;
    let name = argument(refusal, "setting")?.split('.').next()?;
    let whole = DeTable::parse(text).ok()?;
    let DeValue::Array(tables) = whole.get_ref().get(name)?.get_ref() else { return None };
    Some(line_of(text, tables.get(place.checked_sub(1)?)?.span().start))
}

/// A value that reads but does not fit is found again by its text; 0 when it stands nowhere alone.
fn line_of_value(text: &str, refusal: &Refusal) -> u64 {
    let Some(value) = argument(refusal, "value").filter(|value| !value.is_empty()) else {
        return 0;
    };
    let key = argument(refusal, "setting").and_then(|setting| setting.rsplit('.').next());
    let named = |line: &&str| key.is_some_and(|key| line.trim_start().starts_with(key));
    let lines = || text.lines().zip(1..).filter(|(line, _)| line.contains(value));
    let (by_key, any) = (lines().find(|(line, _)| named(line)), lines().next());
    by_key.or(any).map_or(0, |(_, row)| row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::item::ItemFlags;

    fn fault(file: &str) -> (u64, &'static str) {
        let fault = read_shop(file, &Settings::default()).unwrap_err();
        (fault.row, fault.refusal.sentence)
    }

    #[test]
    fn a_wrong_file_names_its_line() {
        for (file, want) in [
            ("[shop]\nname = \"a\"\nnam = \"b\"\n", (3, "file.unknown_key")),
            ("[shop]\nname = \"a\"\n[seal]\npassphrase = true\n", (3, "file.seal")),
            ("[shop\n", (1, "file.unreadable")),
            ("[tax]\nrounding = \"up\"\n", (2, "file.unknown_word")),
            ("\n[shop]\nday_ends = \"25:00\"\n", (3, "bad_setting")),
            (
                "[[staff]]\nnumber = 1\nlevel = 9\n[[staff]]\nnumber = 5\nlevel = 11\n",
                (6, "bad_level"),
            ),
            ("[[staff]]\nnumber = 0\nlevel = 1\n", (2, "bad_setting")),
            ("[levels]\nno_sale = 12\n", (2, "bad_level")),
            ("[levels]\nopen_sesame = 1\n", (2, "keymap.unknown_command")),
            ("[[tax.class]]\nname = \"reduced\"\nrate = \"abc\"\n", (3, "file.wrong_value")),
            ("[shop]\nregistration_number = \"T12\"\n", (2, "bad_setting")),
            ("[[department]]\nnumber = 1\ntax_class = \"luxury\"\n", (3, "bad_setting")),
            ("[shop]\nname = \"a\"\naddress = \"\\u001bp\"\n", (3, "text")),
            ("[receipt]\nfooter = [\"thanks\", \"\u{202e}\"]\n", (2, "text")),
            ("[shop]\n\"na\\u0007me\" = 1\n", (2, "text")),
            (
                "[shop]\nname = \"a\"\n[[card]]\nlength = 8\nchecks = \"none\"\n",
                (5, "file.unknown_key"),
            ),
            ("[[card]]\nlength = 16\n[[card]]\nprefix = \"29\"\n", (3, "file.missing_key")),
            ("[[card]]\nlength = 16\n\n[[card]]\nlength = 13\n", (4, "card_needs_prefix")),
            ("card = [{ length = 16 },\n{ length = 16 }]\n", (2, "card_twice")),
            (
                "[[card]]\nprefix = \"02\"\nlength = 13\n[[in_store]]\nprefix = \"02\"\nlayout = \"A\"\n",
                (1, "card_is_label"),
            ),
            ("[[card]]\nlength = 8\ncheck = \"mod11\"\n", (3, "file.unknown_word")),
            ("[points]\nunit_yen = 100\nexpires_from = \"birth\"\n", (3, "file.unknown_word")),
            ("[points]\nunit_yen = 100\nexpires = 3\n", (3, "file.unknown_key")),
            ("points = 3\n", (1, "file.wrong_value")),
            (
                "[[in_store]]\nprefix = \"2\"\nlayout = { own = { length = 9, price = 3 } }\n",
                (2, "bad_setting"),
            ),
            (
                "[[in_store]]\nprefix = \"2\"\nlayout = { own = { length = 8, price = 7 } }\n",
                (2, "bad_setting"),
            ),
            ("[[near_date]]\ndays = 1\npercent = 30.5\n", (3, "file.wrong_value")),
            (
                "[[near_date]]\ndays = 1\npercent = 30\n[[near_date]]\ndays = 1\npercent = 50\n",
                (4, "bad_setting"),
            ),
        ] {
            assert_eq!(fault(file), want, "{file}");
        }
    }

    #[test]
    fn a_file_is_read_whatever_its_line_ends_and_mark() {
        let file = "\u{FEFF}[shop]\r\nname = \"みどり商店\"\r\n[tender.credit]\r\nstamp_liable = false\r\n";
        let patch = read_shop(file, &Settings::default()).unwrap().settings;
        assert_eq!(patch.shop.name.as_deref(), Some("みどり商店"));
        assert_eq!(patch.tender["credit"].stamp_liable, Some(false));
    }

    #[test]
    fn departments_flags_come_in_go_out_and_are_taken_away() {
        let department = |more: &str| format!("[[department]]\nnumber = 5\n{more}\n");
        let mut settings = Settings::default();
        let mut bring = |file: &str| {
            read_shop(file, &settings).unwrap().apply(&mut settings).unwrap();
            settings.clone()
        };
        let flagged = bring(&department("flags = \"age20 fixed_price\""));
        let flags = flagged.departments[0].flags;
        assert!(flags.age20 && flags.fixed_price && !flags.no_points);
        let text = crate::exchange::shop_text::shop_text(&flagged);
        let mut again = Settings::default();
        read_shop(&text, &again).unwrap().apply(&mut again).unwrap();
        assert_eq!(again.departments, flagged.departments);
        let renamed = bring(&department("name = \"たばこ\""));
        assert_eq!(renamed.departments[0].flags, flags, "what a file leaves out stays");
        let plain = bring(&department("flags = \"\""));
        assert_eq!(plain.departments[0].flags, ItemFlags::default());
        for bad in ["flags = \"cheap\"", "flags = \"weighed\""] {
            assert_eq!(fault(&department(bad)), (3, "bad_setting"), "{bad}");
        }
        assert_eq!(fault("[[department]]\nflags = \"age20\"\n").0, 1, "a number is needed");
    }
}
