//! Reads TSPL and ZPL back, knowing every command it lets pass: written from the makers' manuals, and
//! not from the encoder.

/// A label as its printer would make it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Width and height in dots; TSPL's millimetres at 8 a millimetre.
    pub size: (usize, usize),
    /// Kind, text with its check digit, and where the bars stand: x, y, height.
    pub bars: Vec<(String, String, [usize; 3])>,
    /// Where each picture stands, and its black dots, row by row.
    pub pictures: Vec<(usize, usize, Vec<Vec<bool>>)>,
    pub copies: usize,
}

fn numbers(text: &str) -> Vec<usize> {
    text.split(',').map(|number| number.trim().parse().expect("a number")).collect()
}

fn dots(bytes: &[u8], per_row: usize, black: bool) -> Vec<Vec<bool>> {
    let bit = |byte: &u8| (0..8).rev().map(|at| (byte >> at & 1 == 1) == black).collect::<Vec<_>>();
    bytes.chunks(per_row).map(|row| row.iter().flat_map(bit).collect()).collect()
}

/// Reads one TSPL job.
pub fn tspl(mut rest: &[u8]) -> Read {
    let mut read = Read::default();
    while !rest.is_empty() {
        if let Some(picture) = rest.strip_prefix(b"BITMAP ") {
            let comma = picture.iter().enumerate().filter(|(_, byte)| **byte == b',');
            let head = comma.map(|(at, _)| at).nth(4).expect("five numbers");
            let given = numbers(std::str::from_utf8(&picture[..head]).expect("ASCII"));
            let [x, y, per_row, rows, 0] = given[..] else { panic!("BITMAP {given:?}") };
            let length = per_row * rows;
            let bytes = &picture[head + 1..head + 1 + length];
            read.pictures.push((x, y, dots(bytes, per_row, false)));
            rest = picture[head + 1 + length..].strip_prefix(b"\r\n").expect("the picture's end");
            continue;
        }
        let end = rest.windows(2).position(|pair| pair == b"\r\n").expect("CR LF");
        let line = std::str::from_utf8(&rest[..end]).expect("ASCII");
        rest = &rest[end + 2..];
        let (word, given) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "SIZE" => {
                let mm = numbers(&given.replace(" mm", ""));
                read.size = (mm[0] * 8, mm[1] * 8);
            }
            "GAP" | "DIRECTION" | "" => {}
            "CLS" => (read.bars, read.pictures) = Default::default(),
            "BARCODE" => {
                let parts: Vec<&str> = given.split('"').collect();
                let [place, kind, numbers_between, text, ""] = parts[..] else { panic!("{line}") };
                assert_eq!(numbers_between.matches(',').count(), 6, "{line}");
                let place = numbers(place.trim_end_matches(','));
                let height = numbers(numbers_between.trim_matches(','))[0];
                read.bars.push((kind.into(), text.into(), [place[0], place[1], height]));
            }
            "PRINT" => read.copies = numbers(given)[1],
            _ => panic!("unknown command {line}"),
        }
    }
    read
}

/// Reads one ZPL job.
pub fn zpl(bytes: &[u8]) -> Read {
    let text = std::str::from_utf8(bytes).expect("ASCII").trim_end();
    assert!(text.chars().all(|c| (' '..='~').contains(&c)), "printable ASCII only");
    let inside = text.strip_prefix("^XA").and_then(|text| text.strip_suffix("^XZ"));
    let mut read = Read::default();
    let (mut place, mut bars) = (vec![0, 0], None);
    for command in inside.expect("^XA … ^XZ").split('^').skip(1) {
        let (word, given) = command.split_at(2);
        match word {
            "LH" => assert_eq!(given, "0,0"),
            "PW" => read.size.0 = given.parse().expect("a width"),
            "LL" => read.size.1 = given.parse().expect("a height"),
            "FO" => place = numbers(given),
            "BY" => assert!((1..=10).contains(&given.parse::<usize>().expect("a width"))),
            "GF" => {
                let parts: Vec<&str> = given.splitn(5, ',').collect();
                let ["A", length, total, per_row, digits] = parts[..] else { panic!("{command}") };
                assert_eq!((length, digits.len()), (total, total.parse::<usize>().unwrap() * 2));
                let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
                let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
                let rows = dots(&bytes, per_row.parse().expect("a width"), true);
                read.pictures.push((place[0], place[1], rows));
            }
            "BE" | "B8" | "BC" => {
                let height = given.split(',').nth(1).expect("a height").parse().expect("a number");
                bars = Some((word, height));
            }
            "FD" => {
                let (kind, height) = bars.take().expect("bars before their data");
                let (kind, text) = match kind {
                    "BE" => ("EAN13", with_check(given, 12)),
                    "B8" => ("EAN8", with_check(given, 7)),
                    _ => ("128", given.to_owned()),
                };
                read.bars.push((kind.into(), text, [place[0], place[1], height]));
            }
            "FS" => assert_eq!(given, ""),
            "PQ" => read.copies = given.parse().expect("a number"),
            _ => panic!("unknown command ^{command}"),
        }
    }
    read
}

/// The printer works the last digit out.
fn with_check(data: &str, length: usize) -> String {
    assert!(data.len() == length && data.bytes().all(|byte| byte.is_ascii_digit()), "{data}");
    let weighed = data.bytes().rev().zip([3, 1].into_iter().cycle());
    let sum: u32 = weighed.map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{data}{}", (10 - sum % 10) % 10)
}
