//! Finding an item, a member, a name: beside SQLite on the same million.
//!
//! Room: benches. May touch: the kept shop, to read; the kept peer database.
//! Both are warm, both copy whole rows out, and each question goes to one right after the other.

use regi::domain::register::Lookup;
use regi::store::store_reader::StoreReader;

use crate::disk::Syncs;
use crate::figure::Figure;
use crate::goods;
use crate::lane::Lane;
use crate::peer::{Peer, Question};
use crate::people::{self, Dice};
use crate::place::{Place, copy_folder};
use crate::timing::Times;
use crate::{Failure, big_shop};

/// As many rows as a page of a list shows at most.
const PAGE: usize = 50;
/// How often each of the few names is looked for.
const TURNS: usize = 10;

pub fn measure(place: &Place) -> Result<Vec<Figure>, Failure> {
    let peer = big_shop::peer(place)?;
    let dir = place.scratch("lookup")?.join("shop");
    copy_folder(&big_shop::ready(place)?, &dir)?;
    let lane = Lane::open(&dir, Syncs::Real)?;
    let ours = lane.shop.reader();
    let mut figures = vec![item_by_code(ours, place)?];
    figures.extend(beside_the_peer(ours, &peer, place)?);
    figures.extend(parts_of_names(ours)?);
    Ok(figures)
}

fn item_by_code(ours: &StoreReader, place: &Place) -> Result<Figure, Failure> {
    let mut dice = Dice::new(1);
    let mut times = Times::default();
    for turn in 0..place.scale.rounds * 20 {
        let code = goods::jan(1 + dice.below(place.scale.items));
        let found = if turn < place.scale.rounds {
            ours.item(&code) // The first ones warm the cache.
        } else {
            times.of(|| ours.item(&code))
        };
        found.map_err(refused)?.ok_or("an item that was imported")?;
    }
    Ok(Figure::time("item by code", 20.0, times.p50() * 1e6, " us").note(times.words()))
}

/// As the peer asks with the index that it has, of the last four.
const ENDS: &str = "select * from members where substr(phone, -4) = substr(?1, -4)
                    and phone like '%' || ?1 limit 50";

/// The last digits of some member's phone number.
fn end_of_a_phone(dice: &mut Dice, place: &Place, ours: &StoreReader, digits: usize) -> String {
    let card = people::card(1 + dice.below(place.scale.members));
    let member = ours.member(&card).ok().flatten().expect("a member that was imported");
    let phone = member.personal.phone;
    phone[phone.len() - digits..].to_owned()
}

/// A kind of question: how the peer asks it, and what is asked in turn n.
struct Kind {
    name: &'static str,
    most: f64,
    sql: &'static str,
    limit: usize,
    text: fn(&mut Dice, &Place, &StoreReader) -> String,
}

const KINDS: [Kind; 8] = [
    Kind {
        name: "member by card / SQLite",
        most: 1.0,
        sql: "select * from members where code = ?1",
        limit: 1,
        text: |dice, place, _| people::card(1 + dice.below(place.scale.members)),
    },
    Kind {
        name: "member by last 4 digits of the phone, first 50 / SQLite",
        most: 2.0,
        sql: "select * from members where substr(phone, -4) = ?1 limit 50",
        limit: PAGE,
        text: |dice, _, _| format!("{:04}", dice.below(10_000)),
    },
    Kind {
        name: "member by last 6 digits of the phone / SQLite",
        most: 2.0,
        sql: ENDS,
        limit: PAGE,
        text: |dice, place, ours| end_of_a_phone(dice, place, ours, 6),
    },
    Kind {
        name: "member by last 8 digits of the phone / SQLite",
        most: 2.0,
        sql: ENDS,
        limit: PAGE,
        text: |dice, place, ours| end_of_a_phone(dice, place, ours, 8),
    },
    Kind {
        name: "digits that end nobody's phone, looked for in all / SQLite",
        most: 1.0,
        sql: "select * from members where phone like '%' || ?1 || '%' limit 50",
        limit: PAGE,
        text: |dice, _, _| format!("1{:07}", dice.below(10_000_000)),
    },
    Kind {
        name: "member by 1 kana, first 50 / SQLite",
        most: 2.0,
        sql: "select * from members where kana >= ?1 and kana < ?1 || char(0x10ffff)
              order by kana limit 50",
        limit: PAGE,
        text: |dice, _, _| (*dice.pick(&["サ", "ス", "タ", "ワ", "コ", "ヤ"])).to_owned(),
    },
    Kind {
        name: "member by 2 kana, first 50 / SQLite",
        most: 2.0,
        sql: "select * from members where kana >= ?1 and kana < ?1 || char(0x10ffff)
              order by kana limit 50",
        limit: PAGE,
        text: |dice, _, _| {
            (*dice.pick(&["サト", "スズ", "タナ", "ワタ", "コバ", "ヤマ"])).to_owned()
        },
    },
    Kind {
        name: "member by family name and 1 kana, first 50 / SQLite",
        most: 2.0,
        sql: "select * from members where kana >= ?1 and kana < ?1 || char(0x10ffff)
              order by kana limit 50",
        limit: PAGE,
        text: |dice, _, _| {
            let family = dice.pick(&["サトウ", "モリ", "タカハシ", "イガラシ", "キムラ"]);
            format!("{family} {}", dice.pick(&["カ", "ケ", "ア", "ユ"]))
        },
    },
];

fn beside_the_peer(ours: &StoreReader, peer: &Peer, place: &Place) -> Result<Vec<Figure>, Failure> {
    KINDS.iter().map(|kind| one_kind(kind, ours, &mut peer.question(kind.sql)?, place)).collect()
}

fn one_kind(
    kind: &Kind,
    ours: &StoreReader,
    theirs: &mut Question<'_>,
    place: &Place,
) -> Result<Figure, Failure> {
    let mut dice = Dice::new(2);
    let (mut our_times, mut their_times) = (Times::default(), Times::default());
    let (mut our_rows, mut their_rows) = (0, 0);
    for _ in 0..place.scale.rounds {
        let text = (kind.text)(&mut dice, place, ours);
        // Once to warm the pages, once to be timed.
        find(ours, &text, kind.limit)?;
        our_rows += our_times.of(|| find(ours, &text, kind.limit))?;
        theirs.ask(&text)?;
        their_rows += their_times.of(|| theirs.ask(&text))?;
    }
    let note = format!(
        "{}, {our_rows} rows; SQLite {}, {their_rows} rows",
        our_times.words(),
        their_times.words()
    );
    Ok(Figure::time(kind.name, kind.most, our_times.p50() / their_times.p50(), "x").note(note))
}

fn find(ours: &StoreReader, text: &str, limit: usize) -> Result<usize, Failure> {
    if limit == 1 {
        return Ok(usize::from(ours.member(text).map_err(refused)?.is_some()));
    }
    Ok(ours.find_members(text, limit).map_err(refused)?.len())
}

/// Every hit is counted and ranked, and the first page read.
fn parts_of_names(ours: &StoreReader) -> Result<Vec<Figure>, Failure> {
    let parts = [
        ("a rare kanji", "嵐"),
        ("a common kanji", "田"),
        ("2 kanji, a family name", "佐藤"),
        ("2 kanji, few hits", "東海"),
        ("2 kanji across the name", "林和"),
    ];
    parts.into_iter().map(|(what, part)| part_of_name(ours, what, part)).collect()
}

fn part_of_name(ours: &StoreReader, what: &str, part: &str) -> Result<Figure, Failure> {
    let mut times = Times::default();
    let mut total = 0;
    for _ in 0..TURNS {
        (total, _) = times.of(|| ours.search_members(part, 0, PAGE))?;
    }
    let name = format!("member by part of the name: {what}");
    let note = format!("{}; {total} hits", times.words());
    Ok(Figure::time(name, 20.0, times.p50() * 1e3, " ms").note(note))
}

fn refused(refusal: regi::domain::refusal::Refusal) -> Failure {
    format!("refused: {}", refusal.code.word()).into()
}
