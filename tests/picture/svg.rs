//! A terminal's screen as an SVG: every run of like cells at its own place, in its own colours.
//!
//! Room: tests. May touch: the screen it is handed.
//! Invariant: the same screen gives the same text, byte for byte.

use std::fmt::Write;

use vt100::{Cell, Color, Screen};

/// Pixels of a half-width cell, and where its letters stand.
const CELL: (u16, u16) = (9, 19);
const BASELINE: u16 = 14;
const MARGIN: u16 = 14;

const GROUND: &str = "#16181d";
const LETTERS: &str = "#d8dce4";
/// The sixteen colours of a terminal, in their order.
const COLOURS: [&str; 16] = [
    "#16181d", "#c4504f", "#6ba55a", "#c9a24b", "#4c7cc4", "#a565b5", "#4ca3ad", "#c3c8d1",
    "#7b828f", "#e8716f", "#8fd07c", "#f0cf6b", "#7aa5ef", "#cc8fdc", "#72cfd9", "#f4f6fa",
];

#[derive(Clone, PartialEq, Eq)]
struct Look {
    letters: String,
    ground: String,
    bold: bool,
    underlined: bool,
    wide: bool,
}

/// Cells that stand together and look alike.
struct Run {
    column: u16,
    cells: u16,
    text: String,
    look: Look,
}

/// Returns the picture of a screen.
pub fn picture(screen: &Screen) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let (width, height) = (columns * CELL.0 + 2 * MARGIN, rows * CELL.1 + 2 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-size=\"15\" font-family=\"'Noto Sans Mono CJK JP', \
         'DejaVu Sans Mono', 'MS Gothic', Menlo, monospace\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{GROUND}\"/>\n"
    );
    for row in 0..rows {
        for run in runs(screen, row, columns) {
            draw(&mut svg, row, &run);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The runs of a row, left to right; a blank ends a run, so that every word stands in its column.
fn runs(screen: &Screen, row: u16, columns: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation())
        else {
            continue;
        };
        let sign = if cell.has_contents() { cell.contents() } else { " " };
        let cells = if cell.is_wide() { 2 } else { 1 };
        let look = look(cell);
        let joins = |run: &&mut Run| {
            run.look == look
                && run.column + run.cells == column
                && run.text.ends_with(' ') == (sign == " ")
        };
        match runs.last_mut().filter(joins) {
            Some(run) => {
                run.text.push_str(sign);
                run.cells += cells;
            }
            None => runs.push(Run { column, cells, text: sign.to_owned(), look }),
        }
    }
    runs
}

fn look(cell: &Cell) -> Look {
    let (mut letters, mut ground) =
        (colour(cell.fgcolor(), LETTERS), colour(cell.bgcolor(), GROUND));
    if cell.inverse() {
        (letters, ground) = (ground, letters);
    }
    Look { letters, ground, bold: cell.bold(), underlined: cell.underline(), wide: cell.is_wide() }
}

fn colour(colour: Color, usual: &str) -> String {
    match colour {
        Color::Default => usual.to_owned(),
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        Color::Idx(number) => indexed(number),
    }
}

/// The 256 colours of a terminal: sixteen named, a cube of 6 a side, 24 greys.
fn indexed(number: u8) -> String {
    match number {
        0..16 => COLOURS[usize::from(number)].to_owned(),
        16..232 => {
            let step = |place: u8| match (number - 16) / place % 6 {
                0 => 0,
                level => 55 + 40 * level,
            };
            format!("#{:02x}{:02x}{:02x}", step(36), step(6), step(1))
        }
        232.. => {
            let grey = 8 + 10 * (number - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

fn draw(svg: &mut String, row: u16, run: &Run) {
    let (x, y) = (MARGIN + run.column * CELL.0, MARGIN + row * CELL.1);
    let width = run.cells * CELL.0;
    if run.look.ground != GROUND {
        let ground = &run.look.ground;
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"{ground}\"/>",
            CELL.1
        );
    }
    if run.text.trim().is_empty() {
        return;
    }
    let bold = if run.look.bold { " font-weight=\"bold\"" } else { "" };
    let line = if run.look.underlined { " text-decoration=\"underline\"" } else { "" };
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{}\" textLength=\"{width}\" fill=\"{}\"{bold}{line}>{}</text>",
        y + BASELINE,
        run.look.letters,
        escaped(&run.text)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
