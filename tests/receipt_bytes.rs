//! What leaves for a printer, read back by a decoder that knows nothing of how it was made.

mod escpos_decoder;
mod star_decoder;

use escpos_decoder::{Paper, Unknown};
use regi::devices::profile::{Cut, Kanji, Language, Profile, Profiles, Raster};
use regi::devices::raster::Bitmap;
use regi::devices::render::{Pulse, drawer_pulse, render};
use regi::devices::text_render::render_text;
use regi::domain::document::{Align, Block, Cell, Document, Rule, Style};

/// Every shipped profile, and one for each way of writing kanji that no shipped one uses.
fn profiles() -> Vec<(String, Profile)> {
    let shipped = Profiles::load(&[]).expect("shipped profiles are right");
    let base = shipped.get("epson-tm-t20").expect("it is shipped").clone();
    let own = [Kanji::None, Kanji::Sjis2004, Kanji::Utf8]
        .map(|kanji| (format!("{kanji:?}"), Profile { kanji, ..base.clone() }));
    let digits = ("'0'".to_owned(), Profile { fsc_binary: false, ..base.clone() });
    let star = shipped.get("generic-star").expect("it is shipped").clone();
    let stars = [
        ("star kana", Profile { kanji: Kanji::None, ..star.clone() }),
        ("star line dots", Profile { qr: false, raster: Raster::Starline, ..star.clone() }),
        ("star dots", Profile { qr: false, barcode: false, cut: Cut::Full, ..star }),
    ];
    let stars = stars.map(|(name, profile)| (name.to_owned(), profile));
    let shipped = shipped.iter().map(|(name, profile)| (name.to_owned(), profile.clone()));
    shipped.chain(own).chain([digits]).chain(stars).collect()
}

/// Reads a stream in the printer's own language.
fn decode(bytes: &[u8], language: Language) -> Result<Paper, Unknown> {
    match language {
        Language::Escpos => escpos_decoder::decode(bytes),
        Language::Star => star_decoder::decode(bytes),
    }
}

/// Counts what a printer would obey in the middle of other data.
fn hits(bytes: &[u8], language: Language) -> usize {
    match language {
        Language::Escpos => escpos_decoder::hits(bytes),
        Language::Star => star_decoder::hits(bytes),
    }
}

fn print(document: &Document, profile: &Profile) -> Paper {
    let bytes = render(document, profile, None).bytes;
    assert_eq!(hits(&bytes, profile.language), 0, "a real-time command in {bytes:02x?}");
    decode(&bytes, profile.language)
        .unwrap_or_else(|unknown| panic!("{unknown:02x?} in {bytes:02x?}"))
}

/// The receipt of a sale with two tax rates, a coupon, cash and points.
fn receipt() -> Document {
    let mut receipt = Document::default();
    receipt
        .center("みどり商店 本店")
        .center("東京都千代田区丸の内0-0-0")
        .center("TEL 03-0000-0000");
    receipt.center("登録番号 T7123456789012").text("").center("領 収 書");
    receipt.pair("2026年11月22日(日) 10:23", "レジ01 No.008834").text("担当:0003 佐藤");
    receipt.rule(Rule::Thin).pair("牛乳 1L ※", "¥496").text("  4912345678904  2点 × @248");
    receipt.pair("食パン 6枚 ※", "¥178").pair("豚ロース ※", "¥432").pair("洗剤 詰替", "¥398");
    receipt.pair("単3電池 4本", "¥548").pair("レジ袋 中", "¥5").rule(Rule::Thin);
    receipt.pair("小計  7点", "¥2,057").pair("100円引クーポン", "-¥100");
    receipt.text("  (8%対象 -54 / 10%対象 -46)").pair("合計", "¥1,957");
    receipt.pair("( 8%対象", "¥1,052)").pair("(  内消費税等", "¥77)");
    receipt.pair("(10%対象", "¥905)").pair("(  内消費税等", "¥82)").rule(Rule::Thin);
    receipt.pair("現金お預り", "¥2,007").pair("お釣り", "¥50").rule(Rule::Thin);
    receipt.text("※印は軽減税率(8%)対象商品です。").text("会員番号 ********1234");
    receipt.pair("前回 128P  今回 +19P", "累計 147P");
    receipt.text("返品は2週間以内にこのレシートをお持ちください。").push(Block::Cut);
    receipt
}

/// japan.md 7.1, after its first line end.
const RECEIPT_48: &str = "
                みどり商店 本店
           東京都千代田区丸の内0-0-0
                TEL 03-0000-0000
            登録番号 T7123456789012

                    領 収 書
2026年11月22日(日) 10:23        レジ01 No.008834
担当:0003 佐藤
------------------------------------------------
牛乳 1L ※                                  ¥496
  4912345678904  2点 × @248
食パン 6枚 ※                               ¥178
豚ロース ※                                 ¥432
洗剤 詰替                                   ¥398
単3電池 4本                                 ¥548
レジ袋 中                                     ¥5
------------------------------------------------
小計  7点                                 ¥2,057
100円引クーポン                            -¥100
  (8%対象 -54 / 10%対象 -46)
合計                                      ¥1,957
( 8%対象                                 ¥1,052)
(  内消費税等                               ¥77)
(10%対象                                   ¥905)
(  内消費税等                               ¥82)
------------------------------------------------
現金お預り                                ¥2,007
お釣り                                       ¥50
------------------------------------------------
※印は軽減税率(8%)対象商品です。
会員番号 ********1234
前回 128P  今回 +19P                   累計 147P
返品は2週間以内にこのレシートをお持ちください。
";

#[test]
fn an_80_mm_receipt_prints_as_the_page_of_rules_shows_it() {
    let shipped = Profiles::load(&[]).expect("shipped profiles are right");
    for name in [
        "generic-80",
        "epson-tm-t20",
        "star-mc",
        "citizen-ct-s",
        "sii-rp",
        "file",
        "generic-star",
        "star-mc-print3",
        "star-tsp650ii",
        "star-tsp100iv",
    ] {
        let paper = print(&receipt(), shipped.get(name).expect("it is shipped"));
        assert_eq!(paper.text(), RECEIPT_48.trim_start_matches('\n'), "{name}");
        assert_eq!(paper.cuts, [paper.lines.len()], "{name}");
    }
}

#[test]
fn amounts_stand_in_the_last_column_on_every_printer() {
    for (name, profile) in profiles() {
        let columns = usize::from(profile.columns.get());
        let paper = print(&receipt(), &profile);
        for amount in ["¥496", "¥178", "¥2,057", "¥1,957", "-¥100", "¥50"] {
            let line = paper.lines.iter().find(|line| line.text().ends_with(amount));
            let line = line.unwrap_or_else(|| panic!("{name}: {amount} in {}", paper.text()));
            assert_eq!(line.columns(), columns, "{name}: {}", line.text());
        }
        assert!(paper.lines.iter().all(|line| line.columns() <= columns), "{name}");
        assert_eq!(paper.cuts.len(), usize::from(profile.cut != Cut::None), "{name}");
        assert_eq!(paper.pulses, 0, "{name}");
    }
}

#[test]
fn the_same_receipt_as_text_differs_only_in_the_reduced_rate_mark() {
    let text = render_text(&receipt(), 48);
    let amounts = |text: &str| -> Vec<String> {
        text.lines()
            .filter_map(|line| line.rsplit_once('¥'))
            .map(|(_, amount)| amount.into())
            .collect()
    };
    assert_eq!(amounts(&text), amounts(RECEIPT_48));
    assert!(!text.contains('※'));
    assert!(text.contains("\n牛乳 1L *                                   ¥496\n"), "{text}");
}

#[test]
fn styles_sizes_and_codes_reach_the_paper() {
    let mut document = Document::default();
    document.styled("合計AB", Align::Right, Style::BIG).styled("重要", Align::Left, Style::BOLD);
    let marked = Style { underline: true, reverse: true, ..Style::PLAIN };
    document.styled("注ｱ", Align::Left, marked).push(Block::Qr("https://e.jp/r/1?n=領".into()));
    document.push(Block::Barcode("01-000123".into())).push(Block::Barcode("a{b".into()));
    for (name, profile) in profiles().into_iter().filter(|(_, p)| p.kanji != Kanji::None) {
        let paper = print(&document, &profile);
        let looks: Vec<_> =
            paper.lines.iter().flat_map(|line| &line.letters).filter(|l| l.c != ' ').collect();
        for letter in &looks[..4] {
            assert_eq!((letter.size, letter.bold), ((2, 2), false), "{name}");
        }
        assert!(looks[4].bold && looks[4].size == (1, 1), "{name}");
        assert!(
            looks[6..8].iter().all(|l| l.underline && l.reverse && !l.bold),
            "{name}: {looks:?}"
        );
        assert_eq!(paper.lines[0].columns() + usize::from(profile.columns.get()) % 2, {
            usize::from(profile.columns.get()) + usize::from(profile.columns.get()) % 2
        });
        match (profile.qr, profile.raster) {
            (true, _) => assert_eq!(paper.qr_codes, ["https://e.jp/r/1?n=領"], "{name}"),
            (false, Raster::None) => {
                assert!(paper.text().contains("https://e.jp/r/1?n=領"), "{name}");
            }
            (false, _) => assert!(!paper.pictures.is_empty(), "{name}"),
        }
        match profile.barcode {
            true => assert_eq!(paper.barcodes, ["01-000123", "a{b"], "{name}"),
            false => assert!(paper.text().contains("01-000123"), "{name}"),
        }
    }
}

#[test]
fn a_drawer_pulse_is_one_pulse_and_nothing_else() {
    for (name, profile) in profiles() {
        let Some(Pulse { bytes, real_time }) = drawer_pulse(&profile) else { continue };
        for bytes in [bytes].into_iter().chain(real_time) {
            let paper = decode(&bytes, profile.language).expect("it is a command");
            assert_eq!((paper.pulses, paper.lines.len()), (1, 0), "{name}");
        }
    }
}

/// Everything a text can be put into.
fn full_of(text: &str) -> Document {
    let cell = |percent, align| Cell { text: text.into(), percent, align };
    let mut document = Document::default();
    document.center(text).pair(text, "¥1").pair("品", text).styled(text, Align::Right, Style::BIG);
    document.push(Block::Row {
        cells: vec![cell(50, Align::Left), cell(20, Align::Center), cell(30, Align::Right)],
        style: Style::BOLD,
    });
    document.push(Block::Qr(text.into())).push(Block::Barcode(text.into()));
    document.push(Block::Frame { caption: text.into(), lines: 2 });
    document
}

fn harmless(text: &str, document: &Document, name: &str, profile: &Profile) -> Paper {
    let paper = print(document, profile);
    let columns = usize::from(profile.columns.get());
    let widest = paper.lines.iter().map(escpos_decoder::Line::columns).max().unwrap_or(0);
    assert!(widest <= columns, "{name}: {widest} columns from {text:?}");
    assert_eq!((paper.pulses, paper.cuts.len(), paper.process_ids.len()), (0, 0, 0), "{text:?}");
    paper
}

#[test]
fn hostile_texts_print_as_text_on_every_printer() {
    let hostile = [
        "A\u{1b}p\u{0}\u{19}\u{fa}B",
        "\u{10}\u{14}\u{1}\u{0}\u{5}",
        "\u{1d}V\u{0}",
        "\u{1b}=\u{0}",
        "\u{1c}q\u{1}\u{1}\u{0}\u{1}\u{0}",
        "表ソ\\",
        "¥\u{202e}001",
        "\u{1b}]52;c;QUF\u{7}",
        "\u{9b}2J",
        "\u{1b}]0;PWN\u{7}\n.csv",
        "\u{10}\u{4}\u{1}",
        "\u{1b}@\u{18}",
        "\u{1d}(D\u{3}\u{0}\u{14}\u{1}\u{0}",
        "\u{0}\u{7f}\u{80}\u{ad}\u{feff}\u{fffd}",
        "🍣👨\u{200d}👩\u{200d}👧\u{fe0f}",
        "e\u{301}\u{301}\u{301}か\u{3099}",
        "\u{f8ff}\u{e000}\u{10ffff}",
    ];
    for text in hostile {
        for (name, profile) in profiles() {
            harmless(text, &full_of(text), &name, &profile);
        }
    }
    let file = Profiles::load(&[]).expect("shipped profiles are right");
    let paper = harmless(
        hostile[0],
        &full_of(hostile[0]),
        "file",
        file.get("file").expect("it is shipped"),
    );
    assert_eq!(paper.lines[0].text().trim(), "A?puB");
}

#[test]
fn a_hostile_logo_is_only_dots() {
    let dots = [0x10, 0x14, 0x01, 0x00, 0x05, 0x10, 0x05, 0x02].repeat(200);
    let file = [&b"P4 64 200\n"[..], &dots].concat();
    let logo = Bitmap::from_pbm(&file).expect("it is a bitmap");
    let mut document = Document::default();
    document.push(Block::Logo).push(Block::Cut);
    for (name, profile) in profiles() {
        let bytes = render(&document, &profile, Some(&logo)).bytes;
        assert_eq!(hits(&bytes, profile.language), 0, "{name}");
        let paper = decode(&bytes, profile.language)
            .unwrap_or_else(|unknown| panic!("{name}: {unknown:02x?}"));
        let rows: usize = paper.pictures.iter().map(|(_, rows)| rows).sum();
        let drawn = match profile.raster {
            Raster::None => 0,
            Raster::Starline => 216, // Bands of 24 rows, the last one filled up.
            Raster::Gsv0 | Raster::Star => 200,
        };
        assert_eq!((rows, paper.pulses), (drawn, 0), "{name}");
    }
}

/// A small generator with a printed seed: the same strings every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn any(&mut self) -> char {
        let high = [0x80, 0x100, 0x3100, 0xa000, 0x10000, 0x110000][self.below(6) as usize];
        char::from_u32(self.below(high) as u32).unwrap_or('\u{1b}')
    }

    fn plain(&mut self) -> char {
        const PLAIN: &str = "abcXYZ0123456789 ¥-+.,()あいうカキク牛乳食品税込①㈱髙﨑※★×→ｱｲｶﾞ表ソ能";
        let plain: Vec<char> = PLAIN.chars().collect();
        plain[self.below(plain.len() as u64) as usize]
    }

    fn text(&mut self, one: fn(&mut Self) -> char) -> String {
        let length = self.below(60);
        (0..length).map(|_| one(self)).collect()
    }
}

#[test]
fn twenty_thousand_random_texts_print_as_text() {
    let profiles = profiles();
    let mut chance = Chance(0x5eed_0001);
    for round in 0..20_000 {
        let text = chance.text(Chance::any);
        let mut blocks = full_of(&text).blocks;
        let block = blocks.swap_remove(chance.below(blocks.len() as u64) as usize);
        let (name, profile) = &profiles[round % profiles.len()];
        harmless(&text, &Document { blocks: vec![block] }, name, profile);
    }
}

#[test]
fn text_the_printer_knows_arrives_unchanged() {
    let profiles: Vec<_> = profiles()
        .into_iter()
        .filter(|(_, profile)| matches!(profile.kanji, Kanji::Sjis | Kanji::Utf8))
        .collect();
    let mut chance = Chance(0x5eed_0002);
    for round in 0..2_000 {
        let text = chance.text(Chance::plain);
        let (name, profile) = &profiles[round % profiles.len()];
        let mut document = Document::default();
        document.text(text.clone());
        // Where a line ends its spaces end, too; nothing else is lost, and nothing comes from elsewhere.
        let blank = [' ', '\u{3000}'];
        let mut rest = text.as_str();
        for line in &print(&document, profile).lines {
            let line = line.text();
            rest = rest
                .strip_prefix(line.as_str())
                .or_else(|| rest.trim_start_matches(blank).strip_prefix(line.as_str()))
                .unwrap_or_else(|| panic!("{name}: {line:?} of {rest:?}, {text:?}"));
        }
        assert_eq!(rest.trim_start_matches(blank), "", "{name}: {text:?}");
    }
}
