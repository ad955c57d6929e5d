//! The goods on the shelves, from a seed.
//!
//! Room: benches. May touch: the file it is asked to write.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::people::{Dice, with_check_digit};

/// Kinds of goods: name, kana, tax class, department.
const KINDS: &[(&str, &str, &str, u32)] = &[
    ("緑茶", "リョクチャ", "reduced", 1),
    ("牛乳", "ギュウニュウ", "reduced", 1),
    ("食パン", "ショクパン", "reduced", 1),
    ("醤油", "ショウユ", "reduced", 1),
    ("味噌", "ミソ", "reduced", 1),
    ("煎餅", "センベイ", "reduced", 1),
    ("卵", "タマゴ", "reduced", 1),
    ("洗剤", "センザイ", "standard", 2),
    ("電池", "デンチ", "standard", 2),
    ("手帳", "テチョウ", "standard", 2),
    ("靴下", "クツシタ", "standard", 2),
    ("歯ブラシ", "ハブラシ", "standard", 2),
];

const HEAD: &str = "code,name,kana,receipt_name,department,price,tax_class,unit,flags,cost,stock";

/// Returns the JAN of the nth item.
pub fn jan(item: u32) -> String {
    with_check_digit(490_000_000_000 + u64::from(item) * 7)
}

/// Returns the name of the nth item, which no other has.
pub fn name(item: u32) -> String {
    let (name, ..) = kind(item);
    format!("{name}{item:06}")
}

/// Returns the price of the nth item, in yen.
pub fn price(item: u32) -> u32 {
    98 + item % 37 * 25
}

fn kind(item: u32) -> &'static (&'static str, &'static str, &'static str, u32) {
    &KINDS[item as usize % KINDS.len()]
}

/// Writes the items CSV (`DESIGN.md` 12).
pub fn write_items(path: &Path, count: u32) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut dice = Dice::new(0x4954_454D);
    writeln!(out, "{HEAD}")?;
    for item in 1..=count {
        let (_, kana, class, department) = kind(item);
        let price = price(item);
        let (name, stock) = (name(item), dice.below(500));
        let (jan, cost) = (jan(item), price * 7 / 10);
        writeln!(
            out,
            "{jan},{name},{kana}{item:06},{name},{department},{price},{class},each,,{cost},{stock}"
        )?;
    }
    out.flush()
}
