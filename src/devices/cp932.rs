//! The one way text leaves for a printer: Unicode to CP932, with nothing left to chance.
//!
//! Room: devices. May touch: std, encoding tables. May not: devices, layout.
//! Invariant: no byte below 0x20 and no 0x7F ever comes out; columns are CP932 bytes.

use std::sync::OnceLock;

use encoding_rs::{EncoderResult, SHIFT_JIS};
use serde::Deserialize;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::half_width::{composed, half_width};

/// Stands where a character could not be printed (japan.md TN-08).
pub const GETA: char = '〓';

/// Where a printer keeps the 388 IBM extension characters (髙, 﨑…), which have two codes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IbmExt {
    /// NEC-selected codes ED40–EEFC: what most receipt printers hold.
    #[default]
    #[serde(alias = "ed")]
    Ned,
    /// IBM codes FA40–FC4B, as Windows writes them.
    Fa,
    /// Nowhere: a plainer form of the character, or 〓, is printed.
    None,
}

/// What a printer's font can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repertoire {
    Kanji(IbmExt),
    /// Half-width katakana and ASCII.
    Kana,
}

/// Text a printer can print, character by character.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Printable {
    pub text: String,
    /// Characters that became 〓 (or `?` without kanji).
    pub replaced: usize,
}

/// Bytes for the printer, and how many characters were lost on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded {
    pub bytes: Vec<u8>,
    pub replaced: usize,
}

/// Returns `text` as the printer can print it: one line, no control or direction characters,
/// known variants in place of what the code lacks. Applying it twice changes nothing.
pub fn printable(text: &str, repertoire: Repertoire) -> Printable {
    let clean = without_controls(text);
    match repertoire {
        Repertoire::Kana => {
            let half = half_width(&clean);
            // 5C prints as the yen sign: a backslash, or what decomposes to one, becomes a slash.
            Printable { text: half.text.replace('\\', "/"), replaced: half.replaced }
        }
        Repertoire::Kanji(ibm) => {
            let mut out = Printable::default();
            for c in composed(&clean) {
                fold(c, ibm, &mut out);
            }
            out
        }
    }
}

/// Returns `text` as CP932 bytes (with `¥` at 5C: the printer must be set to Japan, `ESC R 8`).
pub fn encode(text: &str, repertoire: Repertoire) -> Encoded {
    let Printable { text, replaced } = printable(text, repertoire);
    let ibm = match repertoire {
        Repertoire::Kanji(ibm) => ibm,
        Repertoire::Kana => IbmExt::None,
    };
    let bytes = text.chars().flat_map(|c| code(c, ibm).unwrap_or(Code::GETA).bytes()).collect();
    Encoded { bytes, replaced }
}

/// Returns the columns `c` takes on paper: its CP932 byte count (japan.md TN-09).
pub fn columns(c: char) -> usize {
    match c {
        '\0'..='~' | '¥' | '‾' | '\u{ff61}'..='\u{ff9f}' => 1,
        _ => 2,
    }
}

/// Returns whether `c` prints from the kanji font, and so stands between `FS &` and `FS .`.
pub fn is_kanji(c: char) -> bool {
    columns(c) == 2
}

/// Command introducers show as `?`, so that a poisoned name is seen; line ends become spaces;
/// other controls, direction marks and invisible characters disappear.
fn without_controls(text: &str) -> String {
    text.chars().filter_map(visible).collect()
}

fn visible(c: char) -> Option<char> {
    match c {
        '\u{10}' | '\u{1b}' | '\u{1c}' | '\u{1d}' | '\u{9b}' => Some('?'),
        '\t' | '\n' | '\u{a0}' | '\u{2028}' | '\u{2029}' => Some(' '),
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' => None,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => None,
        '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => None,
        '\u{fff9}'..='\u{fffb}' | '\u{1f3fb}'..='\u{1f3ff}' => None,
        '\u{e0000}'..='\u{e01ef}' => None,
        other => Some(other),
    }
}

fn fold(c: char, ibm: IbmExt, out: &mut Printable) {
    if code(c, ibm).is_some() {
        out.text.push(c);
    } else if let Some(variant) = variant(c) {
        out.text.push_str(variant);
    } else if !push_compatible(c, ibm, &mut out.text) {
        out.text.push(GETA);
        out.replaced += 1;
    }
}

/// Takes `é`, `²` or `ﬁ` apart into letters the printer has; a mark alone is dropped.
fn push_compatible(c: char, ibm: IbmExt, out: &mut String) -> bool {
    let parts: Vec<char> =
        std::iter::once(c).nfkd().filter(|&part| !is_combining_mark(part)).collect();
    let all_known = parts.iter().all(|&part| code(part, ibm).is_some());
    if all_known {
        out.extend(parts);
    }
    all_known
}

/// Returns the usual Japanese stand-in for a character CP932 lacks.
///
/// Signs: the pairs on which Unicode's and Microsoft's tables disagree. Kanji: the forms of
/// JIS X 0208 for those JIS X 0213 added or changed.
fn variant(c: char) -> Option<&'static str> {
    let at = VARIANTS.iter().position(|(from, _)| *from == c)?;
    Some(VARIANTS[at].1)
}

const VARIANTS: [(char, &str); 68] = [
    ('\\', "＼"), // 5C prints as the yen sign: a backslash must not become an amount.
    ('〜', "～"),
    ('—', "―"),
    ('–', "-"),
    ('‑', "-"),
    ('⸺', "――"),
    ('‖', "∥"),
    ('¢', "￠"),
    ('£', "￡"),
    ('¬', "￢"),
    ('¦', "|"),
    ('•', "・"),
    ('‧', "・"),
    ('€', "EUR"),
    ('©', "(C)"),
    ('®', "(R)"),
    ('ß', "ss"),
    ('æ', "ae"),
    ('Æ', "AE"),
    ('ø', "o"),
    ('Ø', "O"),
    ('œ', "oe"),
    ('Œ', "OE"),
    ('đ', "d"),
    ('ł', "l"),
    ('Ł', "L"),
    ('ı', "i"),
    ('«', "《"),
    ('»', "》"),
    ('゠', "="),
    ('✕', "×"),
    ('✓', "レ"),
    ('➡', "→"),
    ('⭐', "★"),
    ('♥', "ハート"),
    ('𠮷', "吉"),
    ('𠮟', "叱"),
    ('𣘺', "橋"),
    ('𡈽', "土"),
    ('𡌛', "野"),
    ('鷗', "鴎"),
    ('俱', "倶"),
    ('剝', "剥"),
    ('吞', "呑"),
    ('噓', "嘘"),
    ('塡', "填"),
    ('屛', "屏"),
    ('幷', "并"),
    ('搔', "掻"),
    ('摑', "掴"),
    ('潑', "溌"),
    ('瀆', "涜"),
    ('焰', "焔"),
    ('瘦', "痩"),
    ('繫', "繋"),
    ('繡', "繍"),
    ('萊', "莱"),
    ('蔣', "蒋"),
    ('蟬', "蝉"),
    ('蠟', "蝋"),
    ('醬', "醤"),
    ('頰', "頬"),
    ('驒', "騨"),
    ('麴', "麹"),
    // Only met where the printer has no IBM extensions.
    ('髙', "高"),
    ('﨑', "崎"),
    ('德', "徳"),
    ('瀨', "瀬"),
];

/// One character's CP932 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    One(u8),
    Two(u8, u8),
}

impl Code {
    const GETA: Self = Self::Two(0x81, 0xac);

    fn bytes(self) -> impl Iterator<Item = u8> {
        let (first, second) = match self {
            Self::One(byte) => (byte, None),
            Self::Two(lead, trail) => (lead, Some(trail)),
        };
        std::iter::once(first).chain(second)
    }
}

/// Returns the code of `c`, or `None` where the printer has no such character.
fn code(c: char, ibm: IbmExt) -> Option<Code> {
    match c {
        '\\' | '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => None,
        ' '..='~' => Some(Code::One(c as u8)),
        '\u{e000}'..='\u{f8ff}' => None, // A shop's own characters are in no printer's font.
        _ => match windows_code(c)? {
            Code::Two(0xfa..=0xfc, _) => ibm_code(c, ibm),
            code => Some(code),
        },
    }
}

fn windows_code(c: char) -> Option<Code> {
    let (mut text, mut bytes) = ([0; 4], [0; 4]);
    let (result, _, written) = SHIFT_JIS.new_encoder().encode_from_utf8_without_replacement(
        c.encode_utf8(&mut text),
        &mut bytes,
        true,
    );
    match (result, written) {
        (EncoderResult::InputEmpty, 1) => Some(Code::One(bytes[0])),
        (EncoderResult::InputEmpty, 2) => Some(Code::Two(bytes[0], bytes[1])),
        _ => None,
    }
}

fn ibm_code(c: char, ibm: IbmExt) -> Option<Code> {
    match ibm {
        IbmExt::Fa => windows_code(c),
        IbmExt::None => None,
        IbmExt::Ned => {
            let table = nec_selected();
            let at = table.binary_search_by_key(&c, |(held, _)| *held).ok()?;
            Some(table[at].1)
        }
    }
}

/// Returns the NEC-selected copies (ED40–EEFC) of the IBM characters, by character: read back
/// from the decoder, which knows both places.
fn nec_selected() -> &'static [(char, Code)] {
    static TABLE: OnceLock<Vec<(char, Code)>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let trails = (0x40..=0x7e).chain(0x80..=0xfc);
        let mut table: Vec<(char, Code)> = trails
            .flat_map(|trail| [(0xed, trail), (0xee, trail)])
            .filter_map(|(lead, trail)| Some((decoded(lead, trail)?, Code::Two(lead, trail))))
            .collect();
        table.sort_by_key(|(c, _)| *c);
        table
    })
}

fn decoded(lead: u8, trail: u8) -> Option<char> {
    SHIFT_JIS
        .decode_without_bom_handling_and_without_replacement(&[lead, trail])
        .and_then(|text| text.chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NED: Repertoire = Repertoire::Kanji(IbmExt::Ned);

    #[test]
    fn printers_get_the_codes_the_acceptance_table_names() {
        for (text, ibm, want, replaced) in [
            ("領収書", IbmExt::Ned, &[0x97, 0xcc, 0x8e, 0xfb, 0x8f, 0x91][..], 0),
            ("髙", IbmExt::Ned, &[0xee, 0xe0], 0),
            ("﨑", IbmExt::Ned, &[0xed, 0x95], 0),
            ("髙", IbmExt::Fa, &[0xfb, 0xfc], 0),
            ("﨑", IbmExt::Fa, &[0xfa, 0xb1], 0),
            ("髙﨑", IbmExt::None, &[0x8d, 0x82, 0x8d, 0xe8], 0),
            ("①㈱", IbmExt::Ned, &[0x87, 0x40, 0x87, 0x8a], 0),
            ("〜", IbmExt::Ned, &[0x81, 0x60], 0),
            ("−", IbmExt::Ned, &[0x81, 0x7c], 0),
            ("鷗", IbmExt::Ned, &[0x89, 0xa8], 0),
            ("𠮷", IbmExt::Ned, &[0x8b, 0x67], 0),
            ("¥", IbmExt::Ned, &[0x5c], 0),
            ("\\", IbmExt::Ned, &[0x81, 0x5f], 0),
            ("表ソ", IbmExt::Ned, &[0x95, 0x5c, 0x83, 0x5c], 0),
            ("ｱ", IbmExt::Ned, &[0xb1], 0),
            ("カ\u{3099}", IbmExt::Ned, &[0x83, 0x4b], 0),
            ("é€", IbmExt::Ned, b"eEUR", 0),
            ("🍣𠀋", IbmExt::Ned, &[0x81, 0xac, 0x81, 0xac], 2),
        ] {
            let got = encode(text, Repertoire::Kanji(ibm));
            assert_eq!(got, Encoded { bytes: want.to_vec(), replaced }, "{text} {ibm:?}");
        }
    }

    #[test]
    fn nothing_becomes_a_yen_sign_by_way_of_a_backslash() {
        for text in ["\\", "﹨", "＼"] {
            assert_ne!(encode(text, Repertoire::Kana).bytes, b"\\", "{text}");
        }
    }

    #[test]
    fn a_poisoned_name_prints_as_harmless_text() {
        for (text, want) in [
            ("A\u{1b}p\u{0}\u{19}B", "A?pB"),
            ("\u{10}\u{14}\u{1}\u{0}\u{5}", "?"),
            ("\u{1d}V\u{0}", "?V"),
            ("¥\u{202e}001", "¥001"),
            ("A\nB\tC\rD", "A B CD"),
            ("\u{9b}2J", "?2J"),
            ("👍🏽\u{fe0f}", "〓"),
        ] {
            assert_eq!(printable(text, NED).text, want, "{text:?}");
        }
    }

    #[test]
    fn every_character_of_the_code_is_as_wide_as_its_bytes() {
        let mut known = 0;
        for c in (' '..='\u{ffff}').filter(|&c| code(c, IbmExt::Ned).is_some()) {
            let code: Vec<u8> = code(c, IbmExt::Ned).into_iter().flat_map(Code::bytes).collect();
            assert_eq!(code.len(), columns(c), "{c} U+{:04X}", c as u32);
            assert!(
                code.len() == 1 || matches!(code[0], 0x81..=0x9f | 0xe0..=0xef),
                "{c}: a lead byte that printers do not know"
            );
            known += 1;
        }
        assert!(known > 7_000, "{known}");
    }

    #[test]
    fn variants_are_printable_everywhere() {
        for (from, to) in VARIANTS {
            assert_eq!(printable(to, Repertoire::Kanji(IbmExt::None)).text, to, "{from}");
        }
    }

    proptest! {
        #[test]
        fn no_text_encodes_to_a_control_byte(text in "\\PC*|[\\x00-\\x{10ffff}]{0,40}") {
            for repertoire in [NED, Repertoire::Kanji(IbmExt::Fa), Repertoire::Kanji(IbmExt::None), Repertoire::Kana] {
                let once = printable(&text, repertoire);
                let out = encode(&text, repertoire);
                prop_assert!(out.bytes.iter().all(|&b| b >= 0x20 && b != 0x7f));
                prop_assert_eq!(out.bytes.len(), once.text.chars().map(columns).sum::<usize>());
                prop_assert_eq!(printable(&once.text, repertoire).text, once.text);
            }
        }
    }
}
