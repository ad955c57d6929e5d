//! From one typed line to one command, or one clear refusal.
//!
//! Room: domain. May touch: std. Words are split at spaces, `"quotes"` hold spaces, `#` begins a comment.

use super::table::spec;
use super::{Command, Discount, FormalAsked, Handed, Pin, PointsAsked, ReturnLine};
use crate::domain::money::Money;
use crate::domain::quantity::Quantity;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::sale::TenderKind;
use crate::domain::tax_free::{RefundBy, Status};

/// The largest quantity keyed.
pub const MOST_PIECES: i64 = 99_999;
/// The longest line taken; a scan is at most 80 characters, a note at most 200.
const LONGEST_LINE: usize = 4096;

/// Reads one line. `Ok(None)` is an empty line or a comment.
///
/// # Errors
/// `unknown_command` for an unknown name, `bad_argument` naming the argument that does not fit.
pub fn parse(line: &str) -> Result<Option<Command>, Refusal> {
    if line.len() > LONGEST_LINE {
        let refusal = Refusal::new(RefusalCode::BadArgument).saying("line_too_long");
        return Err(refusal.with("most", LONGEST_LINE).with("bytes", line.len()));
    }
    let words = split(line)?;
    let Some((name, arguments)) = words.split_first() else {
        return Ok(None);
    };
    if spec(name).is_none() {
        return Err(Refusal::new(RefusalCode::UnknownCommand).with("name", name));
    }
    let mut arguments = Arguments { words: arguments.iter().map(String::as_str), name };
    let command = build(name, &mut arguments)?;
    match arguments.next() {
        Some(extra) => Err(arguments.bad(extra)),
        None => Ok(Some(command)),
    }
}

/// Whether a command's line may hold a PIN.
pub fn takes_pin(name: &str) -> bool {
    matches!(name, "sign_in" | "approve" | "set_pin")
}

/// Returns `text` as one word of the language, in quotes when it needs them.
pub fn quote(text: &str) -> String {
    let plain = !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || "\"#\\".contains(c));
    if plain {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

fn bad(what: &str) -> Refusal {
    Refusal::new(RefusalCode::BadArgument).with("argument", what)
}

fn split(line: &str) -> Result<Vec<String>, Refusal> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if quoted => {
                let escaped = chars.next().ok_or_else(|| bad("\\"))?;
                word.get_or_insert_default().push(escaped);
            }
            '#' if !quoted && word.is_none() => break,
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    if quoted {
        return Err(bad("\"").saying("open_quote"));
    }
    words.extend(word);
    Ok(words)
}

/// The words after the name, taken one by one.
struct Arguments<'a, I> {
    words: I,
    name: &'a str,
}

impl<'a, I: Iterator<Item = &'a str>> Arguments<'a, I> {
    fn next(&mut self) -> Option<&'a str> {
        self.words.next()
    }

    fn bad(&self, what: &str) -> Refusal {
        if takes_pin(self.name) {
            return self.missing(); // What does not fit may be the PIN.
        }
        let usage = spec(self.name).map_or("", |spec| spec.arguments);
        let refusal = bad(what).with("name", self.name).with("usage", usage);
        let digits = what.bytes().all(|byte| byte.is_ascii_digit());
        match self.name {
            "quantity" | "times" if what.parse::<Quantity>().is_ok() || digits => {
                refusal.saying("quantity_range").with("most", Money::new(MOST_PIECES).grouped())
            }
            _ if usage.contains("AMOUNT") && digits && what.len() > 8 => {
                refusal.saying("amount_range").with("most", Money::MAX_KEYED.grouped())
            }
            _ => refusal,
        }
    }

    fn missing(&self) -> Refusal {
        let usage = spec(self.name).map_or("", |spec| spec.arguments);
        Refusal::new(RefusalCode::BadArgument)
            .saying("missing_argument")
            .with("name", self.name)
            .with("usage", usage)
    }

    fn text(&mut self) -> Result<String, Refusal> {
        match self.next() {
            Some("") | None => Err(self.missing()),
            Some(text) => Ok(text.to_owned()),
        }
    }

    /// The rest of the line as one text, so that a name or a reason needs no quotes.
    fn rest(&mut self) -> Result<String, Refusal> {
        let rest = self.words.by_ref().collect::<Vec<_>>().join(" ");
        if rest.is_empty() { Err(self.missing()) } else { Ok(rest) }
    }

    fn parsed<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Result<T, Refusal> {
        let word = self.next().ok_or_else(|| self.missing())?;
        read(word).ok_or_else(|| self.bad(word))
    }

    fn optional<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Refusal> {
        let Some(word) = self.next() else { return Ok(None) };
        read(word).map(Some).ok_or_else(|| self.bad(word))
    }

    fn fields(&mut self) -> Result<Vec<(String, String)>, Refusal> {
        let mut fields = Vec::new();
        while let Some(word) = self.next() {
            let (name, value) = word.split_once('=').ok_or_else(|| self.bad(word))?;
            fields.push((name.to_owned(), value.to_owned()));
        }
        Ok(fields)
    }

    fn some_fields(&mut self) -> Result<Vec<(String, String)>, Refusal> {
        let fields = self.fields()?;
        if fields.is_empty() { Err(self.missing()) } else { Ok(fields) }
    }
}

/// Plain digits, at most eight, so that no keyed amount can overflow a sum.
fn amount(word: &str) -> Option<Money> {
    let plain = !word.is_empty() && word.len() <= 8 && word.bytes().all(|b| b.is_ascii_digit());
    if plain { word.parse().ok().map(Money::new) } else { None }
}

fn positive_amount(word: &str) -> Option<Money> {
    amount(word).filter(|amount| !amount.is_zero())
}

fn quantity(word: &str) -> Option<Quantity> {
    let quantity: Quantity = word.parse().ok()?;
    let in_range = quantity > Quantity::ZERO && quantity <= Quantity::from(MOST_PIECES);
    if in_range && quantity.decimal().scale() <= 4 { Some(quantity) } else { None }
}

/// A discount, or 0 to take off what was given.
fn discount(word: &str) -> Option<Option<Discount>> {
    if matches!(word, "0" | "0%") {
        return Some(None);
    }
    let given = match word.strip_suffix('%') {
        Some(percent) => {
            let rate: crate::domain::quantity::Rate = percent.parse().ok()?;
            let in_range = rate > rate_of(0) && rate <= rate_of(100);
            in_range.then_some(Discount::Percent(rate))
        }
        None => positive_amount(word).map(Discount::Amount),
    };
    given.map(Some)
}

fn rate_of(percent: i64) -> crate::domain::quantity::Rate {
    percent.into()
}

fn points(word: &str) -> Option<PointsAsked> {
    if word == "all" {
        return Some(PointsAsked::All);
    }
    positive_amount(word).map(|count| PointsAsked::Count(count.minor()))
}

fn small(word: &str) -> Option<u32> {
    let plain = word.len() <= 6 && word.bytes().all(|b| b.is_ascii_digit());
    if plain { word.parse().ok() } else { None }
}

fn pin(word: &str) -> Option<Pin> {
    let plain = (4..=12).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| Pin::new(word))
}

/// A PIN to set, or the word that takes it away: that is never done by saying too little.
fn new_pin(word: &str) -> Option<Option<Pin>> {
    if word == "remove" { Some(None) } else { pin(word).map(Some) }
}

fn denomination(word: &str) -> Option<(Money, u32)> {
    let (face, pieces) = word.split_once('x')?;
    Some((positive_amount(face)?, small(pieces)?))
}

/// An amount, or pieces: `100x25 1x21`.
fn cash<'a, I: Iterator<Item = &'a str>>(given: &mut Arguments<'a, I>) -> Result<Handed, Refusal> {
    let first = given.optional(|word| match positive_amount(word) {
        Some(amount) => Some(Handed::Amount(amount)),
        None => denomination(word).map(|pile| Handed::Pieces(vec![pile])),
    })?;
    let Some(Handed::Pieces(mut pieces)) = first else { return Ok(first.unwrap_or(Handed::Exact)) };
    while let Some(more) = given.optional(denomination)? {
        pieces.push(more);
    }
    Ok(Handed::Pieces(pieces))
}

fn return_line(word: &str) -> Option<ReturnLine> {
    let (line, rest) = match word.split_once(':') {
        Some((line, rest)) => (line, Some(rest)),
        None => (word, None),
    };
    let quantity = match rest {
        Some(rest) => Some(quantity(rest)?),
        None => None,
    };
    Some(ReturnLine { line: small(line).filter(|line| *line > 0)?, quantity })
}

/// A receipt, lines of it, and the customer's other receipts: `01-000123 1 3 with=01-000120`.
fn tax_free<'a, I: Iterator<Item = &'a str>>(
    given: &mut Arguments<'a, I>,
) -> Result<Command, Refusal> {
    let receipt = given.text()?;
    let (mut lines, mut with) = (Vec::new(), Vec::new());
    while let Some(word) = given.next() {
        match word.strip_prefix("with=").filter(|other| !other.is_empty()) {
            Some(other) => with.push(other.to_owned()),
            None => {
                let line = small(word).filter(|line| *line > 0);
                lines.push(line.ok_or_else(|| given.bad(word))?);
            }
        }
    }
    Ok(Command::TaxFree { receipt, lines, with })
}

/// To whom, how much, of which receipt and what for: `山吹 2000 receipt=01-000123 for=お弁当代`.
fn formal_receipt<'a, I: Iterator<Item = &'a str>>(
    given: &mut Arguments<'a, I>,
) -> Result<Command, Refusal> {
    let mut asked = FormalAsked { name: given.text()?, amount: None, receipt: None, purpose: None };
    while let Some(word) = given.next() {
        let once = match word.split_once('=') {
            Some(("receipt", of)) => {
                asked.receipt.replace(of.to_owned()).is_none() && !of.is_empty()
            }
            Some(("for", what)) => asked.purpose.replace(what.to_owned()).is_none(),
            _ => {
                let amount = positive_amount(word).ok_or_else(|| given.bad(word))?;
                asked.amount.replace(amount).is_none()
            }
        };
        if !once {
            return Err(given.bad(word));
        }
    }
    Ok(Command::FormalReceipt(asked))
}

fn printed(word: &str) -> Option<bool> {
    match word {
        "printed" => Some(true),
        "lost" => Some(false),
        _ => None,
    }
}

fn any(word: &str) -> Option<String> {
    if word.is_empty() { None } else { Some(word.to_owned()) }
}

fn build<'a, I: Iterator<Item = &'a str>>(
    name: &str,
    given: &mut Arguments<'a, I>,
) -> Result<Command, Refusal> {
    if let Some(kind) = name.strip_prefix("tender_").and_then(TenderKind::from_word) {
        let handed = match kind {
            TenderKind::Voucher => Handed::Amount(given.parsed(positive_amount)?),
            TenderKind::Cash => cash(given)?,
            _ => given.optional(positive_amount)?.map_or(Handed::Exact, Handed::Amount),
        };
        return Ok(Command::Tender { kind, handed });
    }
    Ok(match name {
        "sign_in" => {
            // A wrong PIN must be counted as one, whatever it looks like.
            let staff = given.parsed(small)?;
            Command::SignIn { staff, pin: given.optional(|word| Some(Pin::new(word)))? }
        }
        "sign_out" => Command::SignOut,
        "approve" => Command::Approve {
            staff: given.parsed(small)?,
            pin: given.parsed(|word| Some(Pin::new(word)))?,
        },
        "scan" => Command::Scan { code: given.rest()? },
        "department" => Command::Department {
            number: given.parsed(|word| small(word)?.try_into().ok())?,
            amount: given.parsed(amount)?,
        },
        "quantity" => Command::Quantity(given.parsed(quantity)?),
        "times" => Command::Times(given.parsed(quantity)?),
        "repeat" => Command::Repeat,
        "price_override" => Command::PriceOverride(given.parsed(amount)?),
        "line_discount" => Command::LineDiscount(given.parsed(discount)?),
        "line_tax" => Command::LineTax { class: given.text()? },
        "void_line" => Command::VoidLine(given.optional(small)?),
        "select_line" => Command::SelectLine(given.parsed(small)?),
        "inquire" => Command::Inquire { code: given.rest()? },
        "find_item" => Command::FindItem { text: given.rest()? },
        "age_checked" => Command::AgeChecked,
        "subtotal" => Command::Subtotal,
        "sale_discount" => Command::SaleDiscount(given.parsed(discount)?),
        "eat_in" => Command::EatIn,
        "take_out" => Command::TakeOut,
        "note" => Command::Note { text: given.rest()? },
        "suspend" => Command::Suspend { name: given.rest().ok() },
        "resume" => Command::Resume { slip: given.optional(any)? },
        "void_sale" => Command::VoidSale,
        "customer_kind" => Command::CustomerKind { key: given.text()? },
        "member" => Command::Member { code: given.rest()? },
        "find_member" => Command::FindMember { text: given.rest()? },
        "new_member" => Command::NewMember(given.some_fields()?),
        "edit_member" => Command::EditMember(given.some_fields()?),
        "clear_member" => Command::ClearMember,
        "erase_member" => Command::EraseMember { code: given.rest()? },
        "use_points" => Command::UsePoints(given.parsed(points)?),
        "coupon" => {
            let code = given.text()?;
            match given.optional(|word| (word == "remove").then_some(()))? {
                Some(()) => Command::RemoveCoupon { code },
                None => Command::Coupon { code },
            }
        }
        "stamp" => Command::Stamp(given.parsed(small)?.into()),
        "late_points" => Command::LatePoints { receipt: given.text()?, code: given.text()? },
        "void_tender" => Command::VoidTender,
        "reprint" => Command::Reprint { receipt: given.optional(any)? },
        "formal_receipt" => formal_receipt(given)?,
        "void_receipt" => Command::VoidReceipt { receipt: given.text()?, reason: given.rest()? },
        "correct_tender" => Command::CorrectTender {
            receipt: given.text()?,
            kind: given.parsed(TenderKind::from_word)?,
        },
        "return" => {
            let receipt = given.text()?;
            let mut lines = Vec::new();
            while let Some(line) = given.optional(return_line)? {
                lines.push(line);
            }
            Command::Return { receipt, lines }
        }
        "return_open" => Command::ReturnOpen,
        "exchange" => Command::Exchange { receipt: given.text()?, line: given.parsed(small)? },
        "tax_free" => tax_free(given)?,
        "tax_free_status" => Command::TaxFreeStatus {
            record: given.text()?,
            status: given.parsed(Status::from_word)?,
        },
        "tax_free_refund" => {
            Command::TaxFreeRefund { record: given.text()?, by: given.parsed(RefundBy::from_word)? }
        }
        "print_outcome" => {
            Command::PrintOutcome { job: given.text()?, printed: given.parsed(printed)? }
        }
        "no_sale" => Command::NoSale { reason: given.rest()? },
        "paid_in" => {
            Command::PaidIn { amount: given.parsed(positive_amount)?, reason: given.rest()? }
        }
        "paid_out" => {
            Command::PaidOut { amount: given.parsed(positive_amount)?, reason: given.rest()? }
        }
        "loan" => Command::Loan(given.parsed(positive_amount)?),
        "pickup" => Command::Pickup(given.parsed(positive_amount)?),
        "open_day" => Command::OpenDay { float: given.optional(amount)? },
        "x_report" => Command::XReport,
        "count" => {
            let mut pieces = vec![given.parsed(denomination)?];
            while let Some(more) = given.optional(denomination)? {
                pieces.push(more);
            }
            Command::Count(pieces)
        }
        "z_report" => Command::ZReport {
            counted: given.optional(amount)?,
            float_left: given.optional(amount)?,
        },
        "training_on" => Command::TrainingOn,
        "training_off" => Command::TrainingOff,
        "edit_item" => Command::EditItem { code: given.text()?, fields: given.some_fields()? },
        "set_price" => Command::SetPrice { code: given.text()?, amount: given.parsed(amount)? },
        "set_pin" => {
            let staff = given.parsed(small)?;
            let word = given.next().ok_or_else(|| given.missing())?;
            let shape = || Refusal::new(RefusalCode::BadArgument).saying("pin_shape");
            Command::SetPin { staff, pin: new_pin(word).ok_or_else(shape)? }
        }
        "confirm" => Command::Confirm,
        "journal" => Command::Journal { query: given.words.by_ref().map(str::to_owned).collect() },
        "report" => Command::Report { name: given.text()?, options: given.fields()? },
        "help" => Command::Help { name: given.optional(any)? },
        "keys" => Command::Keys,
        "lock" => Command::Lock,
        _ => return Err(Refusal::new(RefusalCode::UnknownCommand).with("name", name)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::COMMANDS;
    use crate::domain::money::yen;

    fn one(line: &str) -> Command {
        parse(line).unwrap().unwrap()
    }

    #[test]
    fn a_line_is_a_command() {
        assert_eq!(one("scan 4901234567894"), Command::Scan { code: "4901234567894".into() });
        assert_eq!(one("  quantity 3 # three"), Command::Quantity(3.into()));
        assert_eq!(
            one("line_discount 10%"),
            Command::LineDiscount(Some(Discount::Percent(10.into())))
        );
        assert_eq!(
            one("formal_receipt \"株式会社 みどり\" 1000"),
            Command::FormalReceipt(FormalAsked {
                name: "株式会社 みどり".into(),
                amount: Some(yen(1000)),
                receipt: None,
                purpose: None,
            })
        );
        assert_eq!(
            one("formal_receipt 山吹 receipt=01-000001 for=\"お弁当 代\""),
            Command::FormalReceipt(FormalAsked {
                name: "山吹".into(),
                amount: None,
                receipt: Some("01-000001".into()),
                purpose: Some("お弁当 代".into()),
            })
        );
        assert_eq!(
            one("count 10000x3 500x0"),
            Command::Count(vec![(yen(10000), 3), (yen(500), 0)])
        );
        assert_eq!(
            one("return 01-000123 1 2:1.5"),
            Command::Return {
                receipt: "01-000123".into(),
                lines: vec![
                    ReturnLine { line: 1, quantity: None },
                    ReturnLine { line: 2, quantity: Some("1.5".parse().unwrap()) }
                ]
            }
        );
        assert_eq!(parse("   # only a comment"), Ok(None));
    }

    #[test]
    fn what_is_too_large_is_refused_with_how_large_it_may_be() {
        for (line, sentence, most) in [
            ("quantity 1000000", "quantity_range", "99,999"),
            ("times 0", "quantity_range", "99,999"),
            ("quantity 1.23456", "quantity_range", "99,999"),
            ("tender_cash 100000000", "amount_range", "99,999,999"),
            ("department 1 999999999", "amount_range", "99,999,999"),
        ] {
            let refusal = parse(line).unwrap_err();
            assert_eq!((refusal.code, refusal.sentence), (RefusalCode::BadArgument, sentence));
            assert!(refusal.args.contains(&("most", most.to_owned())), "{refusal}");
        }
        for line in ["quantity two", "tender_cash 12a"] {
            assert_eq!(parse(line).unwrap_err().sentence, "bad_argument", "{line}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (line, code) in [
            ("sell 3", RefusalCode::UnknownCommand),
            ("quantity", RefusalCode::BadArgument),
            ("quantity -1", RefusalCode::BadArgument),
            ("quantity 0", RefusalCode::BadArgument),
            ("tender_cash 1,000", RefusalCode::BadArgument),
            ("tender_cash 9223372036854775808", RefusalCode::BadArgument),
            ("tender_voucher", RefusalCode::BadArgument),
            ("line_discount 101%", RefusalCode::BadArgument),
            ("subtotal now", RefusalCode::BadArgument),
            ("note \"open", RefusalCode::BadArgument),
            ("edit_item 1 name", RefusalCode::BadArgument),
            ("formal_receipt 山吹 100 200", RefusalCode::BadArgument),
            ("set_pin 3", RefusalCode::BadArgument),
            ("set_pin 3 none", RefusalCode::BadArgument),
            ("formal_receipt 山吹 receipt=", RefusalCode::BadArgument),
            ("formal_receipt 山吹 of=1", RefusalCode::BadArgument),
        ] {
            assert_eq!(parse(line).unwrap_err().code, code, "{line}");
        }
    }

    #[test]
    fn a_quotation_mark_left_open_is_said_to_be_open() {
        for line in ["note \"open", "scan \"", "note a \"b c"] {
            assert_eq!(parse(line).unwrap_err().sentence, "open_quote", "{line}");
        }
    }

    #[test]
    fn quoting_survives_the_parser() {
        for text in ["", "a b", "say \"hi\"", "back\\slash", "# not a comment", "plain"] {
            let line = format!("note {}", quote(text));
            if text.is_empty() {
                assert!(parse(&line).is_err());
            } else {
                assert_eq!(one(&line), Command::Note { text: text.into() });
            }
        }
    }

    #[test]
    fn every_listed_command_has_a_parser() {
        for spec in COMMANDS {
            let refused = parse(spec.name).err().map(|refusal| refusal.code);
            assert_ne!(refused, Some(RefusalCode::UnknownCommand), "{}", spec.name);
        }
    }

    #[test]
    fn a_refused_pin_is_not_named_but_told_its_shape() {
        for (line, sentence) in [
            ("set_pin 3 abcdef", "pin_shape"),
            ("set_pin 3 12", "pin_shape"),
            ("set_pin 4 87 12", "pin_shape"),
            ("set_pin 4 871234 12", "missing_argument"),
            ("set_pin 4871234", "missing_argument"),
            ("sign_in 4 803146 9", "missing_argument"),
            ("approve 1803146", "missing_argument"),
        ] {
            let refusal = parse(line).unwrap_err();
            assert_eq!((refusal.code, refusal.sentence), (RefusalCode::BadArgument, sentence));
            assert!(refusal.args.iter().all(|(name, _)| *name != "argument"), "{refusal}");
        }
    }

    #[test]
    fn a_pin_is_never_shown() {
        let shown = format!("{:?}", one("sign_in 1 111111"));
        assert!(!shown.contains("1111"), "{shown}");
    }
}
