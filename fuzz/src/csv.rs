//! Any file given as items, members, stock or points: rows that come out as they went in, or faults
//! with their place. Names that came in cleanly print cleanly.

use std::collections::BTreeSet;
use std::io::{Cursor, Read, Seek};

use regi::devices::profile::Profiles;
use regi::devices::render::render;
use regi::domain::document::Document;
use regi::domain::item::Item;
use regi::domain::member::{Member, Sealed};
use regi::domain::settings::Settings;
use regi::exchange::csv_in::Import;
use regi::exchange::csv_out::OutEncoding;
use regi::exchange::fault::Report;
use regi::exchange::mapping::Mapping;
use regi::exchange::masters_out::{items_out, members_out};
use regi::exchange::{items, members, points, stock};

use crate::{is_clean, says_so};

pub fn hold(bytes: &[u8]) {
    // With and without a header that fits, so that rows are reached at once.
    hold_file(bytes);
    for header in ["code,name,price\n", "code,name,phone,points,x_size\n", "code,stock\n"] {
        hold_file(&[header.as_bytes(), bytes].concat());
    }
}

fn hold_file(file: &[u8]) {
    let (settings, mapping) = (Settings::default(), Mapping::usual());
    match items::items(Cursor::new(file), &settings, &mapping, |_| None) {
        Ok(import) => {
            let read = drain(import);
            comes_back_items(&read);
            read.iter().for_each(|item| prints_clean(&[&item.name, &item.kana, &item.supplier]));
        }
        Err(fault) => says_so(&fault.refusal),
    }
    match members::members(Cursor::new(file), &settings, &mapping) {
        Ok(import) => comes_back_members(drain(import)),
        Err(fault) => says_so(&fault.refusal),
    }
    match Import::open(Cursor::new(file), stock::form(|_| true), &mapping) {
        Ok(import) => drop(drain(import)),
        Err(fault) => says_so(&fault.refusal),
    }
    match Import::open(Cursor::new(file), points::form(|_| true), &mapping) {
        Ok(import) => drop(drain(import)),
        Err(fault) => says_so(&fault.refusal),
    }
}

fn drain<R: Read + Seek, T>(mut import: Import<'_, R, T>) -> Vec<T> {
    let rows: Vec<T> = import.by_ref().collect();
    let report: &Report = import.report();
    assert_eq!(report.good, rows.len() as u64);
    report.faults.iter().chain(&report.notices).for_each(|fault| says_so(&fault.refusal));
    rows
}

/// Written out and read in again, every item is the same.
fn comes_back_items(read: &[Item]) {
    let mut file = Vec::new();
    let mut items = read.iter().cloned();
    items_out(&mut file, OutEncoding::Utf8, |row| items.try_for_each(row))
        .expect("memory takes it");
    no_formula(&file);
    let (settings, mapping) = (Settings::default(), Mapping::usual());
    let again = items::items(Cursor::new(&file[..]), &settings, &mapping, |_| None);
    let again: Vec<Item> = again.unwrap_or_else(|fault| panic!("{fault:?}")).collect();
    assert_eq!(again, read, "{}", String::from_utf8_lossy(&file));
}

fn comes_back_members(read: Vec<regi::domain::entry::ImportedMember>) {
    let mut own = BTreeSet::new();
    let mut out = Vec::new();
    for row in &read {
        let Sealed::Clear(personal) = &row.card.personal else { panic!("sealed on the way in") };
        prints_clean(&[&personal.name, &personal.kana, &personal.note, &personal.address]);
        own.extend(personal.own.keys().cloned());
        let member = Member {
            code: row.card.code.clone(),
            rank: row.card.rank.clone(),
            joined: row.card.joined,
            personal: (**personal).clone(),
            ..Member::default()
        };
        out.push((member, row.points.unwrap_or(0)));
    }
    let mut file = Vec::new();
    let mut members = out.iter().cloned();
    members_out(&mut file, OutEncoding::Utf8, &own, |row| members.try_for_each(row))
        .expect("memory takes it");
    no_formula(&file);
    let (settings, mapping) = (Settings::default(), Mapping::usual());
    let again = members::members(Cursor::new(&file[..]), &settings, &mapping);
    let again = again.unwrap_or_else(|fault| panic!("{fault:?}"));
    let cards: Vec<_> = again.map(|row| row.card).collect();
    let before: Vec<_> = read.into_iter().map(|row| row.card).collect();
    assert_eq!(cards, before, "{}", String::from_utf8_lossy(&file));
}

/// No cell that a spreadsheet would run, a number excepted. A comma inside quotes begins no cell.
fn no_formula(file: &[u8]) {
    let text = str::from_utf8(file).expect("what is written is UTF-8");
    text.split("\r\n").for_each(is_clean);
    for record in csv::ReaderBuilder::new().has_headers(false).from_reader(file).records() {
        for cell in &record.expect("its rows are of one length") {
            let bare = cell.trim_start_matches('"').trim_start();
            let number = bare.trim_end_matches('"').parse::<f64>().is_ok();
            assert!(
                number || !bare.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']),
                "{cell}"
            );
        }
    }
}

/// On paper nothing of a text is a command, in any of the ways printers take Japanese.
fn prints_clean(texts: &[&String]) {
    static PROFILES: std::sync::OnceLock<Profiles> = std::sync::OnceLock::new();
    let profiles = PROFILES.get_or_init(|| Profiles::load(&[]).expect("the profiles we ship"));
    let mut document = Document::default();
    for text in texts {
        is_clean(text);
        document.text(text.as_str());
    }
    let mut empty = Document::default();
    for _ in texts {
        empty.text("");
    }
    for name in ["generic-80", "generic-58", "star-mc"] {
        let profile = profiles.get(name).expect("a profile we ship");
        let real_time = |document| {
            let bytes = render(document, profile, None).bytes;
            let escapes = bytes.iter().filter(|&&byte| byte == 0x1b || byte == 0x1d).count();
            (escapes, bytes.windows(2).filter(|pair| matches!(pair, [0x10, 4 | 5 | 0x14])).count())
        };
        assert_eq!(real_time(&document), real_time(&empty), "{texts:?}");
    }
}
