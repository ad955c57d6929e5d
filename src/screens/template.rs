//! A command with gaps: `paid_in {amount} {reason}` is what a key holds until the cashier fills it.
//!
//! Room: screens. May touch: std, the command table. May not: register, terminal.
//! Invariant: a filled template is one line of the command language, every gap quoted.

use crate::domain::command::{quote, spec};
use crate::domain::misread::misread;
use crate::domain::refusal::Refusal;

macro_rules! slots {
    ($($(#[$doc:meta])* $variant:ident = $word:literal $kind:ident $label:literal,)*) => {
        /// What a gap wants.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Slot { $($(#[$doc])* $variant,)* }

        impl Slot {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word between the braces.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// How it is answered.
            pub const fn kind(self) -> SlotKind {
                match self { $(Self::$variant => SlotKind::$kind,)* }
            }

            /// Key of the question in the language files.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }
        }
    };
}

/// How a gap is answered: by digits (first those already typed), by text, or from a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    Digits,
    /// Digits that are never shown.
    Secret,
    Text,
    Choice,
}

slots! {
    Number = "number" Digits "ask.number",
    Amount = "amount" Digits "ask.amount",
    Percent = "percent" Digits "ask.percent",
    Points = "points" Digits "ask.points",
    /// An item, member or coupon code.
    Code = "code" Text "ask.code",
    Slip = "slip" Text "ask.slip",
    Receipt = "receipt" Text "ask.receipt",
    Line = "line" Digits "ask.line",
    Staff = "staff" Digits "ask.staff",
    Pin = "pin" Secret "ask.pin",
    Text = "text" Text "ask.text",
    Name = "name" Text "ask.name",
    Reason = "reason" Choice "ask.reason",
    Department = "department" Choice "ask.department",
    Class = "class" Choice "ask.class",
    Kind = "kind" Choice "ask.kind",
    Customer = "customer" Choice "ask.customer",
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Fixed(String),
    Gap(Slot),
    /// `{buffer?}`: the digits typed, or nothing.
    Typed,
}

/// One command line with its gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

impl Template {
    /// Reads `name arguments {gap}…`.
    ///
    /// # Errors
    /// An unknown command, an unknown gap, or a brace without its partner.
    pub fn read(line: &str) -> Result<Self, Refusal> {
        let name = line.split_whitespace().next().unwrap_or_default();
        if spec(name).is_none() {
            return Err(misread("keymap.unknown_command").with("command", name));
        }
        let mut pieces = Vec::new();
        let mut rest = line;
        while let Some((before, from)) = rest.split_once('{') {
            let (word, after) = from.split_once('}').ok_or_else(|| misread("keymap.open_gap"))?;
            if !before.is_empty() {
                pieces.push(Piece::Fixed(before.to_owned()));
            }
            let unknown = || misread("keymap.unknown_gap").with("gap", format_args!("{{{word}}}"));
            pieces.push(gap(word).ok_or_else(unknown)?);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Fixed(rest.to_owned()));
        }
        Ok(Self { pieces })
    }

    /// Wraps a line that has no gaps, braces and all.
    pub fn fixed(line: impl Into<String>) -> Self {
        Self { pieces: vec![Piece::Fixed(line.into())] }
    }

    /// The gaps, left to right.
    pub fn gaps(&self) -> impl Iterator<Item = Slot> + '_ {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Gap(slot) => Some(*slot),
            _ => None,
        })
    }

    /// Returns the template with its first gap of `slot` filled.
    pub fn with(mut self, slot: Slot, value: &str) -> Self {
        if let Some(piece) = self.pieces.iter_mut().find(|piece| **piece == Piece::Gap(slot)) {
            *piece = Piece::Fixed(quote(value));
        }
        self
    }

    /// Fills `{buffer?}` and, when digits were typed, the first gap that takes digits. Returns
    /// whether the digits were used.
    pub fn take_typed(&mut self, typed: &str) -> bool {
        let mut used = typed.is_empty();
        for piece in &mut self.pieces {
            let takes = match piece {
                Piece::Typed => true,
                Piece::Gap(slot) => slot.kind() == SlotKind::Digits || *slot == Slot::Code,
                Piece::Fixed(_) => false,
            };
            if takes && !used {
                *piece = Piece::Fixed(typed.to_owned());
                used = true;
            }
        }
        used
    }

    /// Returns the line once no gap is left.
    pub fn line(&self) -> Option<String> {
        let mut line = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Fixed(text) => line.push_str(text),
                Piece::Typed => {}
                Piece::Gap(_) => return None,
            }
        }
        Some(line.trim_end().to_owned())
    }

    /// The command's name.
    pub fn name(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Fixed(text)) => text.split_whitespace().next().unwrap_or_default(),
            _ => "",
        }
    }
}

/// As a keymap writes it.
impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Fixed(text) => f.write_str(text),
            Piece::Gap(slot) => write!(f, "{{{}}}", slot.word()),
            Piece::Typed => f.write_str("{buffer?}"),
        })
    }
}

fn gap(word: &str) -> Option<Piece> {
    if word == "buffer?" {
        return Some(Piece::Typed);
    }
    Slot::ALL.iter().find(|slot| slot.word() == word).map(|slot| Piece::Gap(*slot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_digits_fill_what_takes_digits() {
        for (template, typed, want) in [
            ("quantity {number}", "3", Some("quantity 3")),
            ("tender_cash {buffer?}", "1000", Some("tender_cash 1000")),
            ("tender_cash {buffer?}", "", Some("tender_cash")),
            ("line_discount {percent}%", "10", Some("line_discount 10%")),
            ("quantity {number}", "", None),
            ("department {department} {amount}", "300", None),
            ("subtotal", "", Some("subtotal")),
        ] {
            let mut filled = Template::read(template).unwrap();
            assert_eq!(filled.to_string(), template);
            assert!(filled.take_typed(typed), "{template}");
            assert_eq!(filled.line().as_deref(), want, "{template}");
        }
        assert!(!Template::read("subtotal").unwrap().take_typed("3"), "digits nobody takes");
    }

    #[test]
    fn gaps_are_filled_left_to_right_and_quoted() {
        let template = Template::read("paid_out {amount} {reason}").unwrap();
        assert_eq!(template.gaps().collect::<Vec<_>>(), [Slot::Amount, Slot::Reason]);
        let filled = template.with(Slot::Amount, "500").with(Slot::Reason, "切手 代");
        assert_eq!(filled.line().unwrap(), "paid_out 500 \"切手 代\"");
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for line in ["sell {number}", "scan {barcode}", "scan {code"] {
            assert!(Template::read(line).is_err(), "{line}");
        }
    }
}
