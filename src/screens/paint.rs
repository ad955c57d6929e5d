//! What differs between two frames, in as few bytes as a terminal understands.
//!
//! Room: screens. May touch: the cells and the bytes it is handed. May not: terminal.
//! Invariant: after the bytes the terminal shows the new cells, whatever it showed of the old; only
//! sequences that every terminal since the VT220 knows are used.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// Blank cells in a row from which erasing them is shorter than writing them.
const ERASED_FROM: usize = 8;
/// Unchanged cells that are written once more rather than passed over.
const REWRITTEN: u16 = 3;

/// Writes what turns the `shown` cells into the `drawn` ones, and puts in `at` where the cursor stands
/// then; nothing when they are the same.
pub fn paint(out: &mut Vec<u8>, shown: &Buffer, drawn: &Buffer) -> usize {
    let mut painter = Painter { out, at: None, pen: Pen::PLAIN };
    let width = usize::from(drawn.area.width);
    let mut changed = Vec::new();
    let mut count = 0;
    for (y, (old, new)) in
        (0..).zip(shown.content.chunks(width.max(1)).zip(drawn.content.chunks(width.max(1))))
    {
        if !old.iter().zip(new).all(|(old, new)| same(old, new)) {
            changes(old, new, &mut changed);
            count += changed.len();
            painter.row(y, new, &changed);
        }
    }
    painter.wear(Pen::PLAIN);
    count
}

/// Finds the cells of a row that must be written; what a wide sign covers is not one of them.
fn changes(old: &[Cell], new: &[Cell], changed: &mut Vec<u16>) {
    changed.clear();
    let (mut covered, mut torn) = (0, 0);
    for (x, (old, new)) in (0..).zip(old.iter().zip(new)) {
        let (was, is) = (cells_of(old), cells_of(new));
        if covered == 0 && (torn > 0 || !same(old, new)) {
            changed.push(x);
        }
        covered = if covered == 0 { is - 1 } else { covered - 1 };
        // Half of a wide sign that goes takes its other half along.
        torn = torn.max(was.max(is)) - 1;
    }
}

/// Whether two cells look the same. Asked of every cell at every key.
#[inline]
fn same(old: &Cell, new: &Cell) -> bool {
    let (was, is) = (old.symbol().as_bytes(), new.symbol().as_bytes());
    was.len() == is.len()
        && was.first() == is.first()
        && (was.len() < 2 || was == is)
        && (old.fg, old.bg, old.modifier) == (new.fg, new.bg, new.modifier)
}

fn cells_of(cell: &Cell) -> u16 {
    let symbol = cell.symbol();
    if symbol.len() <= 1 { 1 } else { u16::try_from(symbol.width()).unwrap_or(1).max(1) }
}

/// How the cells are being written: what the terminal was told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }
}

/// Whether a cell looks as the terminal's own empty cell does.
fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && cell.bg == Color::Reset && cell.modifier.is_empty()
}

struct Painter<'a> {
    out: &'a mut Vec<u8>,
    /// Where the terminal's cursor is, when that is known.
    at: Option<(u16, u16)>,
    pen: Pen,
}

impl Painter<'_> {
    fn row(&mut self, y: u16, cells: &[Cell], changed: &[u16]) {
        let blank_from = cells.len() - cells.iter().rev().take_while(|cell| is_blank(cell)).count();
        let mut rest = changed;
        while let Some(&x) = rest.first() {
            let place = usize::from(x);
            if place >= blank_from && rest.len() > 3 {
                self.go(x, y, cells);
                self.wear(Pen::PLAIN);
                self.out.extend_from_slice(b"\x1b[K");
                return;
            }
            let (run, erased) = blanks(cells, rest);
            if erased >= ERASED_FROM {
                self.go(x, y, cells);
                self.wear(Pen::PLAIN);
                self.sequence(&[erased], b'X');
                rest = &rest[run..];
                continue;
            }
            self.go(x, y, cells);
            self.write(&cells[place]);
            rest = &rest[1..];
        }
    }

    /// Brings the cursor to a cell: over unchanged neighbours by writing them again, where that is
    /// shorter.
    fn go(&mut self, x: u16, y: u16, cells: &[Cell]) {
        match self.at {
            Some(at) if at == (x, y) => {}
            Some((from, row)) if row == y && from < x => {
                let between = &cells[usize::from(from)..usize::from(x)];
                let same = |cell: &Cell| Pen::of(cell) == self.pen && cell.symbol().len() == 1;
                if x - from <= REWRITTEN && between.iter().all(same) {
                    between.iter().for_each(|cell| self.write(cell));
                } else {
                    self.sequence(&[usize::from(x - from)], b'C');
                }
            }
            _ => self.sequence(&[usize::from(y) + 1, usize::from(x) + 1], b'H'),
        }
        self.at = Some((x, y));
    }

    fn write(&mut self, cell: &Cell) {
        let pen = Pen::of(cell);
        // No one sees the colour of a sign that is not there.
        let is_fit = is_blank(cell) && Pen { fg: pen.fg, ..self.pen } == pen;
        match (is_fit, is_blank(cell)) {
            (true, _) => {}
            (false, true) => self.wear(Pen::PLAIN),
            (false, false) => self.wear(pen),
        }
        self.out.extend_from_slice(cell.symbol().as_bytes());
        self.at = self.at.map(|(x, y)| (x + cells_of(cell), y));
    }

    /// Changes how the next cells are written, in one sequence.
    fn wear(&mut self, pen: Pen) {
        let mut from = self.pen;
        if from == pen {
            return;
        }
        let mut codes = Vec::with_capacity(8);
        // Only what is taken away needs a reset, and then the rest once more.
        if pen == Pen::PLAIN || !pen.modifier.contains(from.modifier) {
            codes.push(0);
            from = Pen::PLAIN;
        }
        for (modifier, code) in [
            (Modifier::BOLD, 1),
            (Modifier::DIM, 2),
            (Modifier::UNDERLINED, 4),
            (Modifier::REVERSED, 7),
        ] {
            if pen.modifier.difference(from.modifier).contains(modifier) {
                codes.push(code);
            }
        }
        if from.fg != pen.fg {
            colour(&mut codes, pen.fg, 30);
        }
        if from.bg != pen.bg {
            colour(&mut codes, pen.bg, 40);
        }
        if codes == [0] {
            codes.clear();
        }
        self.sequence(&codes, b'm');
        self.pen = pen;
    }

    fn sequence(&mut self, numbers: &[usize], end: u8) {
        self.out.extend_from_slice(b"\x1b[");
        for (place, number) in numbers.iter().enumerate() {
            if place > 0 {
                self.out.push(b';');
            }
            digits(self.out, *number);
        }
        self.out.push(end);
    }
}

/// Returns how many of the changed cells, from the first on, stand in one run of blanks, and how many
/// cells there are to the last of them.
fn blanks(cells: &[Cell], changed: &[u16]) -> (usize, usize) {
    let first = changed.first().map_or(0, |x| usize::from(*x));
    let run = cells[first..].iter().take_while(|cell| is_blank(cell)).count();
    let count = changed.iter().take_while(|x| usize::from(**x) < first + run).count();
    match count.checked_sub(1) {
        Some(last) => (count, usize::from(changed[last]) + 1 - first),
        None => (0, 0),
    }
}

fn digits(out: &mut Vec<u8>, number: usize) {
    if number >= 10 {
        digits(out, number / 10);
    }
    out.push(b'0' + (number % 10) as u8);
}

/// The codes of a colour; `base` is 30 for signs, 40 for the ground.
fn colour(codes: &mut Vec<usize>, colour: Color, base: usize) {
    let dark = |place: usize| vec![base + place];
    let light = |place: usize| vec![base + 60 + place];
    codes.extend(match colour {
        Color::Reset => vec![base + 9],
        Color::Black => dark(0),
        Color::Red => dark(1),
        Color::Green => dark(2),
        Color::Yellow => dark(3),
        Color::Blue => dark(4),
        Color::Magenta => dark(5),
        Color::Cyan => dark(6),
        Color::Gray => dark(7),
        Color::DarkGray => light(0),
        Color::LightRed => light(1),
        Color::LightGreen => light(2),
        Color::LightYellow => light(3),
        Color::LightBlue => light(4),
        Color::LightMagenta => light(5),
        Color::LightCyan => light(6),
        Color::White => light(7),
        Color::Indexed(place) => vec![base + 8, 5, usize::from(place)],
        Color::Rgb(r, g, b) => vec![base + 8, 2, usize::from(r), usize::from(g), usize::from(b)],
    });
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    const WIDTH: u16 = 24;
    const HEIGHT: u16 = 3;

    /// A row of texts, each at a place and in a style.
    type Frame = Vec<(u16, u16, String, usize)>;

    fn styles() -> [Style; 6] {
        [
            Style::new(),
            Style::new().fg(Color::DarkGray),
            Style::new().fg(Color::LightCyan).add_modifier(Modifier::BOLD),
            Style::new().fg(Color::Black).bg(Color::Gray),
            Style::new().add_modifier(Modifier::REVERSED | Modifier::UNDERLINED),
            Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Indexed(99)),
        ]
    }

    fn drawn(frame: &Frame) -> Buffer {
        let mut cells = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
        for (x, y, text, style) in frame {
            let room = usize::from(WIDTH - x);
            cells.set_stringn(*x, *y, text, room, styles()[*style]);
        }
        cells
    }

    fn terminal() -> vt100::Parser {
        let cells = |count| NonZero::new(count).unwrap();
        vt100::Parser::new(cells(HEIGHT), cells(WIDTH), 0)
    }

    /// A cell as one can see it.
    fn seen(screen: &vt100::Screen, x: u16, y: u16) -> (String, String) {
        let cell = screen.cell(y, x).unwrap();
        let sign = if cell.contents().is_empty() { " " } else { cell.contents() };
        let sign_is_seen = sign != " " || cell.inverse() || cell.underline();
        let fg = if sign_is_seen { format!("{:?}", cell.fgcolor()) } else { String::new() };
        let how = (cell.bgcolor(), cell.bold() && sign_is_seen, cell.underline(), cell.inverse());
        (sign.to_owned(), format!("{fg} {how:?}"))
    }

    fn frame() -> impl Strategy<Value = Frame> {
        let text = "[ a-c牛乳]{0,14}";
        prop::collection::vec((0..WIDTH, 0..HEIGHT, text, 0..styles().len()), 0..8)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_terminal_shows_each_frame_as_if_it_were_the_first(frames in prop::collection::vec(frame(), 1..5)) {
            let mut painted = terminal();
            let mut shown = drawn(&Vec::new());
            for frame in &frames {
                let next = drawn(frame);
                let mut bytes = Vec::new();
                let count = paint(&mut bytes, &shown, &next);
                prop_assert_eq!(count == 0, bytes.is_empty());
                painted.process(&bytes);
                shown = next;
                let mut fresh = terminal();
                for y in 0..HEIGHT {
                    // Every cell by itself, at its place, in its style.
                    let mut x = 0;
                    while x < WIDTH {
                        let cell = &shown[(x, y)];
                        let mut alone = Vec::new();
                        let mut painter = Painter { out: &mut alone, at: None, pen: Pen::PLAIN };
                        painter.sequence(&[usize::from(y) + 1, usize::from(x) + 1], b'H');
                        painter.write(cell);
                        painter.wear(Pen::PLAIN);
                        fresh.process(&alone);
                        x += cells_of(cell);
                    }
                }
                for y in 0..HEIGHT {
                    for x in 0..WIDTH {
                        let (got, want) = (seen(painted.screen(), x, y), seen(fresh.screen(), x, y));
                        prop_assert_eq!(got, want, "{},{} after {:?}", x, y, &frames);
                    }
                }
            }
        }
    }

    #[test]
    fn what_goes_is_erased_and_what_stays_is_passed_over() {
        let texts = |texts: &[(u16, &str)]| {
            drawn(&texts.iter().map(|(x, text)| (*x, 0, (*text).to_owned(), 0)).collect())
        };
        for (before, after, want) in [
            (vec![(0, "abc")], vec![(0, "abc")], ""),
            (vec![(0, "total 1980")], vec![(0, "total")], "\x1b[1;7H\x1b[K"),
            (vec![(0, "total 1980"), (20, "x")], vec![(20, "x")], "\x1b[1;1H\x1b[10X"),
            (vec![(0, "a")], vec![(0, "b"), (20, "c")], "\x1b[1;1Hb\x1b[19Cc"),
            (vec![(0, "a.a")], vec![(0, "b.b")], "\x1b[1;1Hb.b"),
            (vec![(0, "牛")], vec![(0, "a")], "\x1b[1;1Ha "),
        ] {
            let mut bytes = Vec::new();
            paint(&mut bytes, &texts(&before), &texts(&after));
            assert_eq!(String::from_utf8(bytes).unwrap(), want, "{before:?} {after:?}");
        }
    }
}
