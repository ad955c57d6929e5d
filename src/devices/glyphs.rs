//! Letters as dots, for printers whose own fonts hold no Japanese: 16 dots high, kanji 16 wide.
//!
//! Room: devices. May touch: the font compiled in (b16 of the /efont/ project, by way of U8g2).
//! Invariant: any text becomes a picture; a character the font lacks becomes 〓, never nothing.

use std::convert::Infallible;

use embedded_graphics_core::Pixel;
use embedded_graphics_core::draw_target::DrawTarget;
use embedded_graphics_core::geometry::{OriginDimensions, Point, Size};
use embedded_graphics_core::pixelcolor::BinaryColor;
use u8g2_fonts::types::{FontColor, VerticalPosition};
use u8g2_fonts::{FontRenderer, fonts};

use super::cp932::{IbmExt, Repertoire, columns, printable};
use super::raster::Bitmap;

/// Dots of a line's height, and of a kanji's width.
pub const CELL: usize = 16;
/// Where the letters stand in it.
const BASELINE: i32 = 13;
/// What a character looks like that the font lacks.
const GETA: char = '〓';

const FONT: FontRenderer = FontRenderer::new::<fonts::u8g2_font_b16_t_japanese3>();

/// Returns one line of `text`, each dot drawn as `scale` by `scale`.
pub fn line(text: &str, scale: usize) -> Bitmap {
    let text = shown(text);
    let width = text.chars().map(|c| columns(c) * CELL / 2).sum();
    let mut page = Page { width, dots: vec![false; width * CELL] };
    let mut x = 0;
    for c in text.chars() {
        page.draw(c, x);
        x += columns(c) * CELL / 2;
    }
    Bitmap::from_dots(width * scale, CELL * scale, |x, y| {
        page.dots[y / scale * page.width + x / scale]
    })
}

/// Breaks `text` into lines of at most `width` dots, unscaled; an empty text is one empty line.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for c in shown(text).chars() {
        let wide = columns(c) * CELL / 2;
        if used + wide > width && used > 0 {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            line.push(c);
        }
        used += wide;
    }
    lines
}

/// Text as paper shows it: no control, no sign that only a screen has.
fn shown(text: &str) -> String {
    printable(text, Repertoire::Kanji(IbmExt::Ned)).text
}

/// One line's dots while it is drawn.
struct Page {
    width: usize,
    dots: Vec<bool>,
}

impl Page {
    fn draw(&mut self, c: char, x: usize) {
        let at = Point::new(i32::try_from(x).unwrap_or(i32::MAX), BASELINE);
        let on = FontColor::Transparent(BinaryColor::On);
        let drawn = |c: char, page: &mut Self| {
            FONT.render(c, at, VerticalPosition::Baseline, on, page).is_ok()
        };
        if c != ' ' && !drawn(c, self) && !drawn(GETA, self) {
            self.fill(x, columns(c) * CELL / 2);
        }
    }

    fn fill(&mut self, x: usize, wide: usize) {
        for y in 2..CELL - 2 {
            for x in x + 1..x + wide - 1 {
                self.dots[y * self.width + x] = true;
            }
        }
    }
}

impl OriginDimensions for Page {
    fn size(&self) -> Size {
        Size::new(u32::try_from(self.width).unwrap_or(u32::MAX), CELL as u32)
    }
}

impl DrawTarget for Page {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            let (Ok(x), Ok(y)) = (usize::try_from(at.x), usize::try_from(at.y)) else { continue };
            if x < self.width && y < CELL {
                self.dots[y * self.width + x] = colour == BinaryColor::On;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn black(text: &str) -> usize {
        line(text, 1).rows().iter().flatten().map(|byte| byte.count_ones() as usize).sum()
    }

    #[test]
    fn letters_kana_and_kanji_are_drawn_in_their_columns() {
        for (text, width) in [("牛乳", 32), ("1L", 16), ("ｷﾞ", 16), ("あ1", 24), ("", 0)] {
            let drawn = line(text, 1);
            assert_eq!((drawn.width_dots(), drawn.height()), (width, CELL), "{text}");
        }
        for text in ["あ", "ア", "牛", "髙", "A", "1", "ｱ", "¥", "※", "🍣", "鬱"] {
            assert!(black(text) > 3, "{text} is seen");
        }
        assert_ne!(line("牛", 1), line("乳", 1));
        assert_eq!(black(" \u{7}"), black(" "), "a control is nothing");
    }

    #[test]
    fn usual_kanji_are_letters_and_not_the_sign_for_a_lack() {
        let geta = line("〓", 1);
        for c in
            "食品酒類医薬部外品惣菜冷凍豚牛鶏魚野菜果物弁当飲料洗剤紙電池会員様税込抜円引割".chars()
        {
            assert_ne!(line(&c.to_string(), 1), geta, "{c}");
        }
    }

    #[test]
    fn a_scale_makes_each_dot_larger() {
        let (small, large) = (line("牛", 1), line("牛", 3));
        assert_eq!(large.width_dots(), small.width_dots() * 3);
        let ones = |picture: &Bitmap| -> u32 {
            picture.rows().iter().flatten().map(|byte| byte.count_ones()).sum()
        };
        assert_eq!(ones(&large), ones(&small) * 9);
    }

    #[test]
    fn lines_break_before_the_edge() {
        assert_eq!(wrap("牛乳1L牛", 40), ["牛乳1", "L牛"]);
        assert_eq!(wrap("", 40), [""]);
        assert_eq!(wrap("牛", 8), ["牛"], "one that fits nowhere stands alone");
    }
}
