//! What stands where on a label, in dots.
//!
//! Room: devices. May touch: the label, the font. May not: a printer's language.
//! Invariant: nothing stands outside the label, and no line over another or over the code.

use super::gate::Safe;
use super::paper::LabelPaper;
use crate::devices::glyphs::{self, CELL};
use crate::devices::raster::Bitmap;
use crate::domain::document::Align;
use crate::domain::label::{Label, LabelCode, LabelLine, LabelSize};

/// One thing on the label, by its upper left corner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub x: usize,
    pub y: usize,
    pub what: Mark,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    Dots(Bitmap),
    /// Bars the printer draws, with their text beneath them.
    Bars {
        kind: Bars,
        text: Safe,
        /// Dots of the narrowest bar, and of the bars' height.
        module: usize,
        height: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bars {
    Jan13,
    Jan8,
    Code128,
}

/// Modules of a JAN with its quiet zones.
const JAN13_MODULES: usize = 95 + 18;
const JAN8_MODULES: usize = 67 + 14;
/// Widest narrow bar that is still read well by a hand scanner, in tenths of a millimetre.
const WIDEST_MODULE: usize = 4;
/// How often a label is tried again, each time a size smaller.
const SMALLER: usize = 4;

/// Returns everything on the label.
pub fn place(label: &Label, paper: &LabelPaper) -> Vec<Placed> {
    let margin = paper.dots(1);
    let code = label.code.as_ref().map(|code| place_code(code, paper)).unwrap_or_default();
    let floor = code.iter().map(|mark| mark.y).min().unwrap_or(paper.height()) - margin;
    let room = (paper.width() - 2 * margin, floor.saturating_sub(margin));
    let set = |step| set_lines(&label.lines, paper, step, room);
    let fitting = (0..SMALLER).map(set).find(|(_, left_out)| *left_out == 0);
    let (mut placed, _) = fitting.unwrap_or_else(|| set(SMALLER));
    for mark in &mut placed {
        (mark.x, mark.y) = (mark.x + margin, mark.y + margin);
    }
    placed.extend(code);
    placed
}

/// Sets the lines into `room`, each `step` sizes smaller than wished; returns how many had no room.
fn set_lines(
    lines: &[LabelLine],
    paper: &LabelPaper,
    step: usize,
    (width, height): (usize, usize),
) -> (Vec<Placed>, usize) {
    let mut placed = Vec::new();
    let (mut y, mut left_out) = (0, 0);
    for line in lines {
        let scale = scale(line.size, paper).saturating_sub(step).max(1);
        for text in glyphs::wrap(&line.text, width / scale) {
            let dots = glyphs::line(&text, scale);
            if y + CELL * scale > height || dots.width_dots() > width {
                left_out += 1;
                continue;
            }
            let free = width - dots.width_dots();
            let x = match line.align {
                Align::Left => 0,
                Align::Center => free / 2,
                Align::Right => free,
            };
            placed.push(Placed { x, y, what: Mark::Dots(dots) });
            y += CELL * scale + scale;
        }
    }
    (placed, left_out)
}

/// How many dots of the label a dot of the font becomes.
fn scale(size: LabelSize, paper: &LabelPaper) -> usize {
    let times = match size {
        LabelSize::Small => 1,
        LabelSize::Medium => 2,
        LabelSize::Large => 3,
    };
    (times * usize::from(paper.dots_per_mm)).div_ceil(8)
}

/// The code stands at the foot, as wide as the label allows; bars that find no room become a QR code,
/// a QR code that finds none its text.
fn place_code(code: &LabelCode, paper: &LabelPaper) -> Vec<Placed> {
    let bars = match code {
        LabelCode::Jan(text) if is_jan(text, 13) => Some((Bars::Jan13, JAN13_MODULES)),
        LabelCode::Jan(text) if is_jan(text, 8) => Some((Bars::Jan8, JAN8_MODULES)),
        LabelCode::Jan(_) => None, // Drawn as it stands: bars would say something else.
        LabelCode::Code128(text) => Some((Bars::Code128, 11 * (text.len() + 3) + 2 + 20)),
        LabelCode::Qr(_) => None,
    };
    let drawn = bars.zip(Safe::read(code.text())).and_then(|((kind, modules), text)| {
        let widest = (paper.dots(1) * WIDEST_MODULE / 10).max(1);
        let module = (paper.width() / modules).min(widest);
        let height = (paper.height() / 3).min(paper.dots(10));
        let beneath = paper.dots(4);
        let x = paper.width().saturating_sub(modules * module) / 2;
        let y = paper.height().checked_sub(height + beneath)?;
        let what = Mark::Bars { kind, text, module, height };
        (module > 0).then_some(Placed { x: x + quiet(kind) * module, y, what })
    });
    match drawn {
        Some(bars) => vec![bars],
        None => place_qr(code.text(), paper),
    }
}

fn is_jan(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// White modules left of the first bar.
fn quiet(kind: Bars) -> usize {
    match kind {
        Bars::Jan13 => 11,
        Bars::Jan8 => 7,
        Bars::Code128 => 10,
    }
}

fn place_qr(text: &str, paper: &LabelPaper) -> Vec<Placed> {
    let side = (paper.height() / 2).min(paper.width());
    let drawn = (2..=6).rev().filter_map(|cell| Bitmap::qr(text, cell));
    let dots = drawn.into_iter().find(|code| code.width_dots() <= side).unwrap_or_else(|| {
        let fits = glyphs::wrap(text, paper.width() - paper.dots(2));
        glyphs::line(fits.first().map_or("", String::as_str), 1)
    });
    let x = paper.width().saturating_sub(dots.width_dots()) / 2;
    let y = paper.height().saturating_sub(dots.height() + paper.dots(1));
    vec![Placed { x, y, what: Mark::Dots(dots) }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, code: &str) -> Label {
        let mut label = Label::default();
        label.line(LabelSize::Medium, Align::Left, name);
        label.line(LabelSize::Large, Align::Right, "¥1,234,567");
        label.line(LabelSize::Small, Align::Right, "(税抜 ¥1,143,118)");
        label.code = Some(LabelCode::of(code));
        label
    }

    #[test]
    fn what_is_no_jan_is_never_drawn_as_one() {
        for text in ["+81-3", "490123456789A", "1234567", ""] {
            let label = Label { code: Some(LabelCode::Jan(text.into())), ..Label::default() };
            let bars = |mark: &Placed| matches!(mark.what, Mark::Bars { .. });
            assert!(!place(&label, &LabelPaper::default()).iter().any(bars), "{text}");
        }
    }

    #[test]
    fn nothing_stands_outside_or_over_another_whatever_is_asked() {
        let long = "とても長い商品の名前ABCとても長い商品の名前".repeat(9);
        for (width_mm, height_mm) in [(15, 8), (30, 20), (40, 30), (60, 40), (120, 200)] {
            for dots_per_mm in [8, 12, 24] {
                for (name, code) in [
                    ("牛乳", "4901234567894"),
                    (long.as_str(), "49968712"),
                    (long.as_str(), "A37859+B"),
                    ("", &"長".repeat(300)),
                    ("\u{1b}\u{0}🍣", "\"^XZ~JA"),
                ] {
                    let paper = LabelPaper { width_mm, height_mm, gap_mm: 2, dots_per_mm };
                    let placed = place(&label(name, code), &paper);
                    assert!(!placed.is_empty(), "{paper:?} {name}");
                    let mut y = 0;
                    for mark in &placed {
                        let (width, height) = match &mark.what {
                            Mark::Dots(dots) => (dots.width_dots(), dots.height()),
                            Mark::Bars { height, .. } => (0, *height),
                        };
                        assert!(mark.y >= y, "{paper:?} {name}: over another");
                        y = mark.y + height;
                        assert!(y <= paper.height(), "{paper:?} {name}: below");
                        assert!(mark.x + width <= paper.width(), "{paper:?} {name}: beside");
                    }
                }
            }
        }
    }

    #[test]
    fn bars_are_as_wide_as_the_label_allows_and_never_wider_than_read() {
        for (width_mm, want) in [(15, 1), (30, 2), (40, 2), (100, 3)] {
            let paper = LabelPaper { width_mm, ..LabelPaper::default() };
            let placed = place(&label("牛乳", "4901234567894"), &paper);
            let Some(Mark::Bars { module, .. }) = placed.last().map(|mark| &mark.what) else {
                panic!("no bars on {width_mm} mm");
            };
            assert_eq!(*module, want, "{width_mm} mm");
        }
    }
}
