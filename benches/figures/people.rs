//! Members as a Japanese shop has them, from a seed: the same million on every machine.
//!
//! Room: benches. May touch: the file it is asked to write.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// SplitMix64: small, seeded, and the same everywhere.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from 0 up to but not with `sides`.
    pub fn below(&mut self, sides: u32) -> u32 {
        let product = u128::from(self.throw()) * u128::from(sides);
        u32::try_from(product >> 64).expect("less than its sides")
    }

    /// The smaller numbers come more often, as common names and well-sold goods do.
    pub fn below_skewed(&mut self, sides: u32) -> u32 {
        let first = self.below(sides.max(1));
        self.below(first + 1)
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(u32::try_from(from.len()).expect("a short list")) as usize]
    }

    fn pick_skewed<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below_skewed(u32::try_from(from.len()).expect("a short list")) as usize]
    }
}

/// Returns the 12 digits with their JAN check digit behind them.
pub fn with_check_digit(twelve: u64) -> String {
    let mut left = twelve;
    let mut sum = 0;
    for place in 0..12 {
        sum += left % 10 * if place % 2 == 0 { 3 } else { 1 };
        left /= 10;
    }
    format!("{twelve:012}{}", (10 - sum % 10) % 10)
}

/// Returns the card number of the nth member, in no order a b-tree would like.
pub fn card(member: u32) -> String {
    with_check_digit(290_000_000_000 + u64::from(member) * 7_919 % 999_999_937)
}

/// Family names with their kana, common ones first.
const FAMILY: &[(&str, &str)] = &[
    ("佐藤", "サトウ"),
    ("鈴木", "スズキ"),
    ("高橋", "タカハシ"),
    ("田中", "タナカ"),
    ("渡辺", "ワタナベ"),
    ("伊藤", "イトウ"),
    ("山本", "ヤマモト"),
    ("中村", "ナカムラ"),
    ("小林", "コバヤシ"),
    ("加藤", "カトウ"),
    ("吉田", "ヨシダ"),
    ("山田", "ヤマダ"),
    ("佐々木", "ササキ"),
    ("山口", "ヤマグチ"),
    ("松本", "マツモト"),
    ("井上", "イノウエ"),
    ("木村", "キムラ"),
    ("林", "ハヤシ"),
    ("斎藤", "サイトウ"),
    ("清水", "シミズ"),
    ("山崎", "ヤマザキ"),
    ("阿部", "アベ"),
    ("森", "モリ"),
    ("池田", "イケダ"),
    ("橋本", "ハシモト"),
    ("山下", "ヤマシタ"),
    ("石川", "イシカワ"),
    ("中島", "ナカジマ"),
    ("前田", "マエダ"),
    ("藤田", "フジタ"),
    ("後藤", "ゴトウ"),
    ("小川", "オガワ"),
    ("岡田", "オカダ"),
    ("長谷川", "ハセガワ"),
    ("村上", "ムラカミ"),
    ("近藤", "コンドウ"),
    ("石井", "イシイ"),
    ("坂本", "サカモト"),
    ("遠藤", "エンドウ"),
    ("青木", "アオキ"),
    ("藤井", "フジイ"),
    ("西村", "ニシムラ"),
    ("福田", "フクダ"),
    ("太田", "オオタ"),
    ("三浦", "ミウラ"),
    ("藤原", "フジワラ"),
    ("岡本", "オカモト"),
    ("松田", "マツダ"),
    ("中川", "ナカガワ"),
    ("中野", "ナカノ"),
    ("原田", "ハラダ"),
    ("小野", "オノ"),
    ("田村", "タムラ"),
    ("竹内", "タケウチ"),
    ("金子", "カネコ"),
    ("和田", "ワダ"),
    ("中山", "ナカヤマ"),
    ("石田", "イシダ"),
    ("上田", "ウエダ"),
    ("森田", "モリタ"),
    ("髙田", "タカダ"),
    ("五十嵐", "イガラシ"),
    ("渡邊", "ワタナベ"),
    ("東海林", "ショウジ"),
];

/// Given names with their kana, common ones first.
const GIVEN: &[(&str, &str)] = &[
    ("和子", "カズコ"),
    ("清", "キヨシ"),
    ("幸子", "サチコ"),
    ("茂", "シゲル"),
    ("洋子", "ヨウコ"),
    ("隆", "タカシ"),
    ("恵子", "ケイコ"),
    ("誠", "マコト"),
    ("由美子", "ユミコ"),
    ("健一", "ケンイチ"),
    ("明美", "アケミ"),
    ("浩", "ヒロシ"),
    ("久美子", "クミコ"),
    ("直樹", "ナオキ"),
    ("裕子", "ユウコ"),
    ("哲也", "テツヤ"),
    ("真由美", "マユミ"),
    ("大輔", "ダイスケ"),
    ("陽子", "ヨウコ"),
    ("拓也", "タクヤ"),
    ("智子", "トモコ"),
    ("健太", "ケンタ"),
    ("愛", "アイ"),
    ("翔太", "ショウタ"),
    ("美咲", "ミサキ"),
    ("亮", "リョウ"),
    ("彩", "アヤ"),
    ("大樹", "ダイキ"),
    ("さくら", "サクラ"),
    ("蓮", "レン"),
    ("陽菜", "ヒナ"),
    ("湊", "ミナト"),
    ("結衣", "ユイ"),
    ("悠真", "ユウマ"),
    ("葵", "アオイ"),
    ("蒼", "アオ"),
    ("凛", "リン"),
    ("樹", "イツキ"),
    ("千代子", "チヨコ"),
    ("正", "タダシ"),
];

const TOWNS: &[&str] = &[
    "北海道札幌市中央区",
    "宮城県仙台市青葉区",
    "東京都千代田区",
    "神奈川県横浜市港北区",
    "愛知県名古屋市中区",
    "京都府京都市左京区",
    "大阪府大阪市北区",
    "福岡県福岡市中央区",
];

const HEAD: &str =
    "code,name,kana,phone,mail,postcode,address,sex,birthday,rank,points,joined,note,tags";

/// Writes the members CSV (`DESIGN.md` 12).
pub fn write_members(path: &Path, count: u32) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut dice = Dice::new(0x4D45_4D42);
    writeln!(out, "{HEAD}")?;
    for member in 1..=count {
        let (family, family_kana) = dice.pick_skewed(FAMILY);
        let (given, given_kana) = dice.pick_skewed(GIVEN);
        let phone = format!("0{}0{:08}", 7 + dice.below(3), dice.below(100_000_000));
        let mail = match dice.below(3) {
            0 => format!("m{member}@example.jp"),
            _ => String::new(),
        };
        let town = dice.pick(TOWNS);
        let (block, house) = (1 + dice.below(9), 1 + dice.below(60));
        let sex = dice.pick(&["female", "female", "male"]);
        let born = 1940 + dice.below(66);
        let (month, day) = (1 + dice.below(12), 1 + dice.below(28));
        let (points, joined) = (dice.below_skewed(3_000), 2015 + dice.below(11));
        writeln!(
            out,
            "{},{family} {given},{family_kana} {given_kana},{phone},{mail},{:03}{:04},\
             {town}{block}-{house},{sex},{born}-{month:02}-{day:02},,{points},{joined}-04-01,,",
            card(member),
            dice.below(1_000),
            dice.below(10_000),
        )?;
    }
    out.flush()
}
