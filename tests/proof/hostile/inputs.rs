//! Texts that try to be more than text (`reliability.md` 8 and their kin), and mutations of them.
//!
//! Room: tests. May touch: nothing.

use crate::run::Chance;

/// Control bytes for printers and terminals, direction marks, spreadsheets' formulas, what breaks
/// quotes, rows and columns, and signs that are hard to draw.
pub const TEXTS: [&str; 44] = [
    "A\u{1B}p\0\u{19}úB",              // 1: a drawer pulse
    "\u{10}\u{14}\u{1}\0\u{5}",        // 2: the same in real time
    "\u{10}\u{5}\u{2}",                // 3: buffers cleared
    "thanks\u{1D}V\0",                 // 4: a cut
    "\u{1B}=\0",                       // 6: the printer deselected
    "\u{1C}q\u{1}\u{1}\0\u{1}\0ÿÿ",    // 7: its memory written
    "\u{1B}@\u{1D}(H\u{6}\u{0}00    ", // an id of its own
    "\u{1D}(D\u{3}\0\u{14}\u{1}\u{1}", // real-time commands switched
    "¥\u{202E}001",                    // 11: turned around
    "\u{2066}abc\u{2069}\u{200F}",
    "\u{1B}]52;c;QUFB\u{7}", // 13: the clipboard written
    "\u{9B}2J",              // 14: the screen cleared with eight bits
    "\u{1B}[2J\u{1B}[H\u{1B}[31m",
    "\u{1B}]0;PWN\u{7}\n.csv", // 16: a title, a second row
    "\u{1B}Pq\u{1B}\\",
    "\u{90}1;2\u{9C}\u{9D}0;x\u{9C}",
    "\u{1B}[6n\u{1B}[c\u{5}",                 // questions to the terminal
    "\u{E}\u{F}\u{1A}\u{1C}\u{13}\u{3}\u{4}", // 18: keys that end, freeze and suspend
    "\r\n1,x,1\r\n",
    "tab\there\u{B}\u{C}",
    "\u{2028}two\u{2029}lines\u{85}",
    "zero\u{200B}width\u{FEFF}\u{AD}",
    "tag\u{E0041}\u{E007F}s",
    "\u{FFFE}\u{FFFF}\u{FDD0}",
    "=cmd|' /C calc'!A0", // 35
    "\t=1",
    "＝1",
    "＠SUM(1)",
    "+81-3",
    "-1+1",
    "'=1",
    "\"; void_sale; \"",
    "a\"b\\c#d{name}{0}",
    "^XA^FD1^XZ~JR", // a label printer's commands
    "\"\r\nCLS\r\nPRINT 9",
    "表ソ能\\", // 9: trail bytes that look like a backslash
    "髙﨑𠮷鷗〜—€é",
    "ｶﾞｷﾞﾊﾟﾟﾞ",
    "👨‍👩‍👧‍👦🇯🇵",
    "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30A}",
    "\u{1F1EF}\u{20DD}\u{1F3FF}",
    "%s%n%x{}{:?}$(reboot)`id`;--",
    "../../../../etc/passwd\0.csv",
    "<script>alert(1)</script>&lt;",
];

/// Pieces that a mutation puts anywhere.
const PIECES: [&str; 16] = [
    "\u{1B}",
    "\u{10}\u{14}",
    "\u{1D}V",
    "\u{9B}",
    "\u{202E}",
    "\u{7}",
    "\n",
    "\r",
    "\0",
    "\u{7F}",
    "\u{200D}",
    "\u{1C}.",
    "\"",
    "\\",
    "=",
    "漢",
];

/// Another text of the same kind.
pub fn mutated(chance: &mut Chance) -> String {
    let pick = |chance: &mut Chance| TEXTS[chance.below(TEXTS.len() as u64) as usize];
    let mut signs: Vec<char> = pick(chance).chars().collect();
    for _ in 0..1 + chance.below(4) {
        let at = chance.below(signs.len() as u64 + 1) as usize;
        match chance.below(5) {
            0 => {
                let piece = PIECES[chance.below(PIECES.len() as u64) as usize];
                signs.splice(at..at, piece.chars());
            }
            1 => {
                let other = pick(chance);
                signs.splice(at..at, other.chars());
            }
            2 if at < signs.len() => drop(signs.remove(at)),
            3 => {
                let sign = char::from_u32(chance.below(0x11_0000) as u32).unwrap_or('\u{FFFD}');
                signs.insert(at, sign);
            }
            _ => {
                let count = chance.below(200) as usize;
                signs.splice(at..at, std::iter::repeat_n('長', count));
            }
        }
    }
    signs.truncate(300);
    signs.into_iter().collect()
}

/// A number as a payment card has it, grouped as people write it.
pub fn card_number(chance: &mut Chance) -> String {
    let (prefix, length) =
        [("4", 16), ("51", 16), ("2221", 16), ("37", 15), ("3530", 16), ("36", 14)]
            [chance.below(6) as usize];
    let mut digits = prefix.to_owned();
    while digits.len() < length - 1 {
        digits.push(char::from(b'0' + chance.below(10) as u8));
    }
    let check = ('0'..='9').find(|check| luhn(&format!("{digits}{check}"))).expect("a digit");
    digits.push(check);
    match chance.below(4) {
        0 => digits,
        1 => grouped(&digits, " "),
        2 => grouped(&digits, "-"),
        _ => digits.chars().map(|d| char::from_u32(d as u32 + 0xFEE0).expect("a digit")).collect(),
    }
}

fn grouped(digits: &str, between: &str) -> String {
    let groups: Vec<&str> = digits
        .as_bytes()
        .chunks(4)
        .map(|group| std::str::from_utf8(group).expect("digits"))
        .collect();
    groups.join(between)
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            let twice = if place % 2 == 0 { digit } else { digit * 2 };
            twice / 10 + twice % 10
        })
        .sum();
    sum.is_multiple_of(10)
}
