//! Why a command was not carried out: a word other programs may rely on, and what the sentence needs.
//!
//! Room: domain. May touch: std. May not: wording (the language files have it).
//! Invariant: a refused command changed nothing.

use std::fmt;

macro_rules! refusal_codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// Short words that never change their meaning (`DESIGN.md` 12).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum RefusalCode { $($(#[$doc])* $variant,)* }

        impl RefusalCode {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

refusal_codes! {
    UnknownCommand = "unknown_command",
    BadArgument = "bad_argument",
    UnknownCode = "unknown_code",
    CheckDigit = "check_digit",
    Expired = "expired",
    NotForSale = "not_for_sale",
    AgeCheck = "age_check",
    Level = "level",
    Pin = "pin",
    Locked = "locked",
    /// The tender does not reach the due.
    Short = "short",
    /// More than may be taken: a card above the due, an amount out of range.
    Over = "over",
    /// The command needs an open sale.
    NoSale = "no_sale",
    NoMember = "no_member",
    Points = "points",
    /// The line or tender takes no part in this.
    Excluded = "excluded",
    FixedPrice = "fixed_price",
    Limit = "limit",
    Receipt = "receipt",
    Returned = "returned",
    ClosedDay = "closed_day",
    Training = "training",
    Device = "device",
    Damaged = "damaged",
    /// The command needs the open sale to be finished first.
    OpenSale = "open_sale",
    /// A tender is in; only tenders or `void_tender` may follow.
    Tendered = "tendered",
    /// No such line in the sale.
    Line = "line",
    Slip = "slip",
    Coupon = "coupon",
    Reason = "reason",
    /// A paper of this kind (a public bill) is not taken here.
    Bill = "bill",
    /// The price must be keyed.
    PriceNeeded = "price_needed",
    /// Asked again: give `confirm` to go on.
    Confirm = "confirm",
    Duplicate = "duplicate",
    Text = "text",
    Unavailable = "unavailable",
    Full = "full",
    Busy = "busy",
}

/// A refusal: the code, the sentence's key in the language files, and what stands in the sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: RefusalCode,
    /// Key of the sentence; by default the code's own word.
    pub sentence: &'static str,
    pub args: Vec<(&'static str, String)>,
}

impl Refusal {
    pub fn new(code: RefusalCode) -> Self {
        Self { code, sentence: code.word(), args: Vec::new() }
    }

    /// Chooses a more telling sentence than the code's own.
    pub fn saying(mut self, sentence: &'static str) -> Self {
        self.sentence = sentence;
        self
    }

    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.args.push((name, value.to_string()));
        self
    }
}

impl From<RefusalCode> for Refusal {
    fn from(code: RefusalCode) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence)?;
        for (name, value) in &self.args {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
