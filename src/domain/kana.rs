//! Keys by which a name is found: however it was typed, in whichever kana, or in romaji.
//!
//! Room: domain. May touch: unicode-normalization, wana_kana. May not: clock, file, terminal.
//! Invariant: the same person typed two ways has one exact key; near names share a loose key.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use wana_kana::{ConvertJapanese, Options};

/// Returns the exact search key: NFKC, no spaces or middle dots, hiragana, small Latin letters
/// (`japan.md` 6.5).
pub fn exact_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    exact_key_into(&mut key, name.chars());
    key
}

/// The same in the memory of a text that is no longer needed.
pub fn exact_key_into(key: &mut String, name: impl Iterator<Item = char> + Clone) {
    let kept = |sign: &char| !sign.is_whitespace() && *sign != '・';
    key.clear();
    if name.clone().all(is_settled) {
        key.extend(name.filter(kept).map(|sign| to_hiragana(sign).to_ascii_lowercase()));
    } else {
        key.extend(name.nfkc().filter(kept).map(to_hiragana).flat_map(char::to_lowercase));
    }
}

/// Returns whether normalising leaves a letter alone, and its neighbours too: kana, kanji, plain
/// Latin, and the wide space that no key keeps. Nearly every name is made of these, and Unicode's
/// tables cost ten times as much.
const fn is_settled(sign: char) -> bool {
    matches!(sign,
        ' '..='~' | '\u{3000}' | 'ぁ'..='ゖ' | 'ァ'..='ヶ' | 'ー' | '・' | '一'..='\u{9FFF}')
}

/// Returns the loose search key: without dakuten, small kana, long vowels; オオノ and オノ meet.
pub fn loose_key(name: &str) -> String {
    loose_of(&exact_key(name))
}

/// Returns the loose key of a name whose exact key is known.
pub fn loose_of(exact: &str) -> String {
    let mut key = String::with_capacity(exact.len());
    loose_into(&mut key, exact);
    key
}

/// The same in the memory of a text that is no longer needed.
pub fn loose_into(key: &mut String, exact: &str) {
    key.clear();
    if exact.chars().all(is_settled) {
        shortened(exact.chars().map(plain), key);
    } else {
        let bare = exact.nfd().filter(|sign| !matches!(sign, '\u{3099}' | '\u{309A}'));
        shortened(bare.nfc().map(enlarge), key);
    }
}

/// Leaves out what only lengthens the sound before it.
fn shortened(signs: impl Iterator<Item = char>, out: &mut String) {
    let mut last = None;
    for sign in signs {
        let lengthens = matches!(sign, 'う' | 'お') && last.is_some_and(is_o_or_u);
        if sign != 'ー' && !lengthens {
            out.push(modern(sign));
            last = Some(sign);
        }
    }
}

/// Returns a hiragana letter without its marks and in full size, anything else unchanged.
fn plain(sign: char) -> char {
    static PLAIN: LazyLock<Vec<char>> = LazyLock::new(|| {
        ('ぁ'..='ゖ').map(|sign| sign.nfd().next().map_or(sign, enlarge)).collect()
    });
    match sign {
        'ぁ'..='ゖ' => PLAIN[(sign as u32 - 'ぁ' as u32) as usize],
        _ => sign,
    }
}

/// Returns a katakana letter as hiragana, anything else unchanged.
fn to_hiragana(sign: char) -> char {
    match sign {
        'ァ'..='ヶ' | 'ヽ' | 'ヾ' => char::from_u32(sign as u32 - 0x60).unwrap_or(sign),
        _ => sign,
    }
}

fn enlarge(sign: char) -> char {
    const SMALL: &str = "ぁぃぅぇぉっゃゅょゎゕゖ";
    const LARGE: &str = "あいうえおつやゆよわかけ";
    match SMALL.chars().position(|small| small == sign) {
        Some(place) => LARGE.chars().nth(place).unwrap_or(sign),
        None => sign,
    }
}

fn is_o_or_u(sign: char) -> bool {
    "おこそとのほもよろをうくすつぬふむゆる".contains(sign)
}

fn modern(sign: char) -> char {
    match sign {
        'ゐ' => 'い',
        'ゑ' => 'え',
        'を' => 'お',
        _ => sign,
    }
}

/// Returns kana as romaji (Hepburn); what is no kana stays as it is.
pub fn romaji(text: &str) -> String {
    text.nfkc().collect::<String>().to_romaji()
}

/// Returns romaji as hiragana: Hepburn and Kunrei, `n'`, `nn`, `xtu`/`ltu`, `-` for ー.
///
/// `nn` before a vowel or y is ん and that sound (`onna` おんな), as names are written, not as an
/// input method types them; elsewhere it is ん alone. What is no romaji stays as it is.
pub fn romaji_to_hiragana(text: &str) -> String {
    let spelled = respell(&text.nfkc().flat_map(char::to_lowercase).collect::<String>());
    let options = Options { keep_prolonged_sound_mark: true, ..Options::default() };
    spelled.to_hiragana_with_opt(options)
}

/// Returns a query in the making as hiragana, without the consonant still waiting for its vowel:
/// `tanak` finds what begins with たな.
pub fn typed_kana(text: &str) -> String {
    let kana = romaji_to_hiragana(text);
    let settled = kana.trim_end_matches(|sign: char| sign.is_ascii_alphabetic());
    if settled.is_empty() { kana } else { settled.to_owned() }
}

/// Brings the spellings that the table does not know to those that it does: long vowels with a
/// bar, `ltu`, the m of `homma` and `shimbashi`, the double n that stands for ん alone.
fn respell(text: &str) -> String {
    let plain = text.replace('ō', "ou").replace('ū', "uu").replace("ltu", "xtu");
    let mut out = String::with_capacity(plain.len());
    let mut signs = plain.chars().peekable();
    while let Some(sign) = signs.next() {
        match (sign, signs.peek().copied()) {
            ('m', Some('b' | 'm' | 'p')) => out.push('n'),
            ('t', Some('c')) => out.push('c'), // matcha
            ('n', Some('n')) if !opens_a_sound(signs.clone().nth(1)) => {
                signs.next();
                out.push_str("n'");
            }
            _ => out.push(sign),
        }
    }
    out
}

fn opens_a_sound(sign: Option<char>) -> bool {
    sign.is_some_and(|sign| "aiueoy".contains(sign))
}

/// Returns a name's signs with kanji variants folded to the common form, for substring search only:
/// a stored name keeps the form that its owner uses.
pub fn common_forms(name: &str) -> impl Iterator<Item = char> + Clone {
    name.chars().map(|sign| variant_of(sign).unwrap_or(sign))
}

fn variant_of(sign: char) -> Option<char> {
    static FORMS: LazyLock<Forms> = LazyLock::new(Forms::new);
    if sign < '一' {
        return None; // Kana and Latin, of which most of a name's signs are.
    }
    FORMS.common(sign)
}

/// Each form and its common one.
struct Forms {
    /// By form.
    pairs: Vec<(char, char)>,
    /// A bit for each sign from 一 on that is one: most kanji are none.
    bits: Vec<u64>,
}

impl Forms {
    fn new() -> Self {
        let forms =
            |&(common, forms): &(char, &'static str)| forms.chars().map(move |f| (f, common));
        let mut pairs: Vec<_> = VARIANTS.iter().flat_map(forms).collect();
        pairs.sort_unstable();
        let last = pairs.last().map_or(0, |(form, _)| Self::bit(*form));
        let mut bits = vec![0; last / 64 + 1];
        for (form, _) in &pairs {
            bits[Self::bit(*form) / 64] |= 1 << (Self::bit(*form) % 64);
        }
        Self { pairs, bits }
    }

    const fn bit(sign: char) -> usize {
        sign as usize - '一' as usize
    }

    fn common(&self, sign: char) -> Option<char> {
        let bits = self.bits.get(Self::bit(sign) / 64)?;
        if bits & (1 << (Self::bit(sign) % 64)) == 0 {
            return None;
        }
        let place = self.pairs.binary_search_by_key(&sign, |(form, _)| *form).ok()?;
        Some(self.pairs[place].1)
    }
}

/// Common form, and the forms found in the family and place names of Japan.
const VARIANTS: &[(char, &str)] = &[
    ('高', "髙"),
    ('崎', "﨑嵜"),
    ('辺', "邊邉"),
    ('斉', "齋齊斎"),
    ('沢', "澤"),
    ('浜', "濱濵"),
    ('島', "嶋嶌"),
    ('桜', "櫻"),
    ('広', "廣"),
    ('国', "國"),
    ('真', "眞"),
    ('恵', "惠"),
    ('徳', "德"),
    ('瀬', "瀨"),
    ('条', "條"),
    ('竜', "龍"),
    ('栄', "榮"),
    ('豊', "豐"),
    ('円', "圓"),
    ('富', "冨"),
    ('浅', "淺"),
    ('蔵', "藏"),
    ('曽', "曾"),
    ('静', "靜"),
    ('寿', "壽"),
    ('実', "實"),
    ('万', "萬"),
    ('弥', "彌"),
    ('将', "將"),
    ('吉', "𠮷"),
    ('柳', "栁"),
    ('桑', "桒"),
    ('黒', "黑"),
    ('横', "橫"),
    ('塚', "\u{FA10}"),
    ('滝', "瀧"),
    ('関', "關"),
    ('薮', "藪籔"),
    ('桧', "檜"),
    ('鉄', "鐵"),
    ('与', "與"),
    ('来', "來"),
    ('総', "總"),
    ('礼', "禮"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_typed_four_ways_has_one_exact_key() {
        for name in ["ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダ　タロウ", "やまだ たろう", "ヤマダ・タロウ"]
        {
            assert_eq!(exact_key(name), "やまだたろう", "{name}");
        }
        assert_eq!(exact_key("Ｓｍｉｔｈ"), "smith");
    }

    #[test]
    fn near_names_meet_under_the_loose_key() {
        for (left, right, key) in [
            ("オオノ", "オノ", "おの"),
            ("ヤマダ", "やまた", "やまた"),
            ("ユウコ", "ユーコ", "ゆこ"),
            ("キョウコ", "きよこ", "きよこ"),
            ("サトウ", "さとー", "さと"),
            ("みづほ", "ミツホ", "みつほ"),
            ("ハットリ", "はつとり", "はつとり"),
            ("ゐのうえ", "いのうえ", "いのえ"),
            ("ヴィトン", "ういとん", "ういとん"),
        ] {
            assert_eq!(loose_key(left), key, "{left}");
            assert_eq!(loose_key(right), key, "{right}");
        }
    }

    #[test]
    fn names_of_usual_letters_take_a_shorter_way_to_the_same_keys() {
        use unicode_normalization::{IsNormalized, is_nfc_quick, is_nfkc_quick};
        for sign in ('\0'..='\u{FFFF}').filter(|sign| is_settled(*sign)) {
            let (one, two) = (std::iter::once(sign), std::iter::once(sign));
            assert!(sign == '\u{3000}' || is_nfkc_quick(one) == IsNormalized::Yes, "{sign}");
            assert_eq!(is_nfc_quick(two), IsNormalized::Yes, "{sign}");
            // A wide letter beside it, that the key makes small, sends the name the long way.
            let long = exact_key(&format!("{sign}Ｑ"));
            assert_eq!(format!("{}q", exact_key(&sign.to_string())), long, "{sign}");
            let long = loose_of(&format!("{}\u{E9}", exact_key(&sign.to_string())));
            assert_eq!(format!("{}\u{E9}", loose_key(&sign.to_string())), long, "{sign}");
        }
    }

    #[test]
    fn kana_is_read_aloud_in_romaji() {
        for (kana, want) in
            [("ギュウニュウ 1リットル", "gyuunyuu 1rittoru"), ("ｺｰﾋｰ", "koohii"), ("茶", "茶")]
        {
            assert_eq!(romaji(kana), want);
        }
    }

    #[test]
    fn romaji_of_both_schools_becomes_hiragana() {
        for (romaji, want) in [
            ("tanaka", "たなか"),
            ("satou", "さとう"),
            ("kyouko", "きょうこ"),
            ("kon'ya", "こんや"),
            ("matti", "まっち"),
            ("xtu", "っ"),
            ("ltu", "っ"),
            ("shinjuku", "しんじゅく"),
            ("sinzyuku", "しんじゅく"),
            ("tuda", "つだ"),
            ("tsuda", "つだ"),
            ("fujii", "ふじい"),
            ("huzii", "ふじい"),
            ("onna", "おんな"),
            ("ken'ichi", "けんいち"),
            ("kenn", "けん"),
            ("konnno", "こんの"),
            ("konno", "こんの"),
            ("nannkai", "なんかい"),
            ("matcha", "まっちゃ"),
            ("homma", "ほんま"),
            ("shimbashi", "しんばし"),
            ("ko-hi-", "こーひー"),
            ("TANAKA", "たなか"),
            ("Satō", "さとう"),
            ("ジュンko", "じゅんこ"),
            ("ra-men", "らーめん"),
            ("lya", "ゃ"),
            ("jya", "じゃ"),
        ] {
            assert_eq!(romaji_to_hiragana(romaji), want, "{romaji}");
        }
    }

    #[test]
    fn a_consonant_without_its_vowel_does_not_hide_the_name() {
        for (typed, want) in [("tanak", "たな"), ("ky", "ky"), ("sh", "sh"), ("yamadat", "やまだ")]
        {
            assert_eq!(typed_kana(typed), want);
        }
    }

    #[test]
    fn kanji_variants_fold_to_the_common_form() {
        for (name, want) in [
            ("髙橋", "高橋"),
            ("山﨑", "山崎"),
            ("渡邊", "渡辺"),
            ("渡邉", "渡辺"),
            ("齋藤", "斉藤"),
            ("斎藤", "斉藤"),
            ("澤田", "沢田"),
            ("濱口", "浜口"),
            ("田中", "田中"),
        ] {
            assert_eq!(common_forms(name).collect::<String>(), want);
        }
    }

    #[test]
    fn a_variant_is_listed_once_and_is_no_common_form() {
        for (common, forms) in VARIANTS {
            for form in forms.chars() {
                assert_ne!(form, *common);
                assert!(VARIANTS.iter().all(|(other, _)| *other != form), "{form}");
                let listed = VARIANTS.iter().filter(|(_, forms)| forms.contains(form)).count();
                assert_eq!(listed, 1, "{form}");
            }
        }
    }
}
