//! Papers of a training register: nobody may take one for a receipt.
//!
//! Room: reports. May touch: std.

use crate::domain::document::{Align, Block, Document, Style};
use crate::domain::words::Words;

/// Printed lines between two marks.
const LINES_BETWEEN: usize = 6;

/// Returns the paper with the word in double width on top, and again after every sixth line, so that
/// no part torn off looks real. Its codes are left out: a training number must not scan.
pub fn marked(document: Document, words: &Words) -> Document {
    let mark = Block::Text {
        text: words.get("paper.training").to_owned(),
        align: Align::Center,
        style: Style::BIG,
    };
    let mut blocks = vec![mark.clone()];
    let mut lines = 0;
    for block in document.blocks.into_iter().filter(|block| !is_code(block)) {
        lines += usize::from(is_line(&block));
        let last = matches!(block, Block::Cut);
        blocks.push(block);
        if lines == LINES_BETWEEN && !last {
            blocks.push(mark.clone());
            lines = 0;
        }
    }
    Document { blocks }
}

fn is_line(block: &Block) -> bool {
    matches!(block, Block::Text { .. } | Block::Pair { .. } | Block::Row { .. } | Block::Rule(_))
}

fn is_code(block: &Block) -> bool {
    matches!(block, Block::Qr(_) | Block::Barcode(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::test_shop::words;

    #[test]
    fn no_seven_lines_stand_without_the_mark() {
        let mut plain = Document::default();
        for line in 0..40 {
            plain.pair(line.to_string(), "¥1");
        }
        plain.push(Block::Barcode("01-T000001".to_owned()));
        let marked = marked(plain, &words("ja"));
        let is_mark = |block: &Block| matches!(block, Block::Text { style, .. } if style.wide);
        assert!(is_mark(&marked.blocks[0]));
        assert!(marked.blocks.windows(7).all(|seven| seven.iter().any(is_mark)));
        assert!(!marked.blocks.iter().any(is_code));
    }
}
