//! What staff may do next, as a command of the register.
//!
//! Room: tests. May touch: nothing.
//! Invariant: a step fits the books it was drawn for: it is answered, never refused for what it asks.

use super::books::Books;
use crate::run::Chance;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// So many of what is scanned next.
    Times(u8),
    Scan(String),
    VoidLine,
    Member(String),
    UsePoints(i64),
    Cash,
    Credit,
    Park,
    TakeBack(u32),
    GiveUp,
    VoidReceipt(usize),
    Return {
        sale: usize,
        line: usize,
        quantity: u8,
    },
    Reprint(usize),
    NoSale,
    PaidIn(i64),
    PaidOut(i64),
    /// X.
    Look,
    /// Z.
    Close,
    Price {
        code: String,
        yen: i64,
    },
    Enrol {
        phone: String,
    },
    Phone(String),
    ClearMember,
    /// Rows of an import, and the entry that makes them count.
    BringIn(Vec<(String, i64)>),
    EndImport,
    CountStock {
        code: String,
        pieces: i64,
    },
    /// The cart's tenth of a second is over.
    SyncCart,
    /// No key for a while: everything that could wait is made durable.
    Idle,
    /// The register is ended and started again.
    Restart,
    /// A backup is written, and restored into another folder.
    Backup,
    RestoreDrill,
    /// The cart's file is written anew.
    Compact,
}

impl Step {
    /// A step that fits the books, mostly what a cashier does most.
    pub fn any(books: &Books, chance: &mut Chance) -> Self {
        match chance.below(30) {
            0 => return Self::SyncCart,
            1 => return Self::Idle,
            2 if chance.below(4) == 0 => return Self::Restart,
            3 => return price(books, chance),
            4 => return import(books, chance),
            5 => return count(books, chance),
            6 if !books.sales.is_empty() => return Self::Reprint(pick(books.sales.len(), chance)),
            _ => {}
        }
        if books.cart.times > 0 {
            return scan(books, chance);
        }
        if books.cart.returns().is_some() {
            return Self::Cash; // A return is paid out, or given up before.
        }
        if let Some(fewer) = Self::fewer_points(books) {
            return fewer;
        }
        if books.cart.lines.is_empty() { between(books, chance) } else { rung(books, chance) }
    }

    /// A receipt was voided while the sale lay suspended: its member has fewer points than it uses, and
    /// no tender is taken before it uses less; with none left the sale is begun again.
    pub fn fewer_points(books: &Books) -> Option<Self> {
        let (balance, _) = books.members.get(books.cart.member.as_ref()?)?;
        let fewer = if *balance > 0 { Self::UsePoints(*balance) } else { Self::GiveUp };
        (books.cart.used > *balance).then_some(fewer)
    }

    /// The line staff would give; what the register has no line for is done through it otherwise.
    pub fn line(&self, books: &Books) -> Option<String> {
        Some(match self {
            Self::Times(pieces) => format!("times {pieces}"),
            Self::Scan(code) => format!("scan {code}"),
            Self::VoidLine => "void_line".to_owned(),
            Self::Member(code) => format!("member {code}"),
            Self::UsePoints(points) => format!("use_points {points}"),
            Self::Cash if books.cart.total() > 0 => {
                format!("tender_cash {}", books.cart.total() + 7)
            }
            Self::Cash => "tender_cash".to_owned(),
            Self::Credit => "tender_credit".to_owned(),
            Self::Park => "suspend".to_owned(),
            Self::TakeBack(slip) => format!("resume 01-S{slip:04}"),
            Self::GiveUp => "void_sale".to_owned(),
            Self::VoidReceipt(sale) => format!("void_receipt {} 打ち間違い", books.number(*sale)),
            Self::Return { sale, line, quantity } => {
                format!("return {} {}:{quantity}", books.number(*sale), line + 1)
            }
            Self::Reprint(sale) => format!("reprint {}", books.number(*sale)),
            Self::NoSale => "no_sale 両替".to_owned(),
            Self::PaidIn(amount) => format!("paid_in {amount} 両替"),
            Self::PaidOut(amount) => format!("paid_out {amount} 仕入"),
            Self::Look => "x_report".to_owned(),
            Self::Close => "z_report".to_owned(),
            Self::Price { code, yen } => format!("set_price {code} {yen}"),
            Self::Enrol { phone } => format!("new_member name=山田 phone={phone}"),
            Self::Phone(phone) => format!("edit_member phone={phone}"),
            Self::ClearMember => "clear_member".to_owned(),
            _ => return None,
        })
    }

    /// Whether the open sale ends with it, or begins from a record: its cart is then as durable as
    /// its entry.
    pub fn moves_the_cart(&self) -> bool {
        matches!(self, Self::Cash | Self::Credit | Self::Park | Self::TakeBack(_) | Self::GiveUp)
    }
}

/// Codes of the shop's items; their number is in their names.
pub const CODES: [&str; 6] = ["101", "102", "103", "104", "105", "106"];

fn pick(most: usize, chance: &mut Chance) -> usize {
    chance.below(most as u64) as usize
}

fn some_yen(chance: &mut Chance) -> i64 {
    i64::try_from(50 + chance.below(3000)).expect("a small amount")
}

fn some_phone(chance: &mut Chance) -> String {
    format!("090{:08}", chance.below(100_000_000))
}

fn price(books: &Books, chance: &mut Chance) -> Step {
    let code = CODES[pick(CODES.len(), chance)].to_owned();
    // Twice the same price is refused by nobody, and shows nothing.
    let yen = some_yen(chance).max(1) + i64::from(books.prices[&code] % 2 == 0);
    Step::Price { code, yen }
}

fn import(books: &Books, chance: &mut Chance) -> Step {
    if !books.coming.is_empty() {
        return Step::EndImport;
    }
    let rows = CODES.iter().filter(|_| chance.below(2) == 0).take(4);
    let mut rows: Vec<_> = rows.map(|code| ((*code).to_owned(), 0)).collect();
    rows.push(("201".to_owned(), 0));
    rows.iter_mut().for_each(|row| row.1 = some_yen(chance));
    Step::BringIn(rows)
}

fn count(_: &Books, chance: &mut Chance) -> Step {
    let code = CODES[pick(CODES.len(), chance)].to_owned();
    Step::CountStock { code, pieces: i64::try_from(chance.below(60)).expect("small") }
}

/// Between two customers.
fn between(books: &Books, chance: &mut Chance) -> Step {
    let open = books.cash.is_some();
    match chance.below(24) {
        0 => Step::PaidIn(some_yen(chance)),
        1 if books.cash.is_some_and(|cash| cash > 500) => Step::PaidOut(500),
        2 => Step::NoSale,
        3 if open => Step::Look,
        4 if open && books.cart.member.is_none() => Step::Close,
        5 | 6 => returned(books, chance).unwrap_or(Step::NoSale),
        7 => undone(books, chance).unwrap_or(Step::NoSale),
        8 | 9 if !books.parked.is_empty() && books.cart.member.is_none() => {
            let slips: Vec<u32> = books.parked.keys().copied().collect();
            Step::TakeBack(slips[pick(slips.len(), chance)])
        }
        _ => scan(books, chance),
    }
}

/// While goods are on the counter.
fn rung(books: &Books, chance: &mut Chance) -> Step {
    let cart = &books.cart;
    match chance.below(20) {
        0 if books.parked.len() < 3 => Step::Park,
        1 => Step::GiveUp,
        2 if cart.lines.len() > 1 && cart.used == 0 => Step::VoidLine,
        3 | 4 if cart.member.is_none() => Step::Enrol { phone: some_phone(chance) },
        5..8 if cart.member.is_none() && !books.members.is_empty() => {
            let codes: Vec<_> = books.members.keys().collect();
            Step::Member(codes[pick(codes.len(), chance)].clone())
        }
        8 if cart.member.is_some() => Step::Phone(some_phone(chance)),
        9 if cart.used == 0 => points(books).unwrap_or(Step::Cash),
        10..12 => Step::Credit,
        12..16 => Step::Cash,
        _ if cart.lines.len() > 5 || cart.used > 0 => Step::Cash,
        _ => scan(books, chance),
    }
}

fn points(books: &Books) -> Option<Step> {
    let (balance, _) = books.members.get(books.cart.member.as_ref()?)?;
    let most = (*balance).min(books.cart.total() - 1);
    (most > 0).then_some(Step::UsePoints(most))
}

/// Never the same twice running: that would raise the line.
fn scan(books: &Books, chance: &mut Chance) -> Step {
    let free: Vec<_> = CODES
        .iter()
        .filter(|code| books.cart.lines.iter().all(|line| line.code != **code))
        .collect();
    match free.len() {
        0 => Step::Cash,
        _ if books.cart.times == 0 && chance.below(3) == 0 => Step::Times(3),
        many => Step::Scan((*free[pick(many, chance)]).to_owned()),
    }
}

/// A sale of which a line may come back: paid in cash, without points on it.
fn returned(books: &Books, chance: &mut Chance) -> Option<Step> {
    if books.cart.member.is_some() {
        return None;
    }
    let fits = |sold: &super::books::Sold| {
        !sold.is_return() && !sold.voided && sold.in_cash && sold.basket.used == 0
    };
    let mut lines = Vec::new();
    for (sale, sold) in books.sales.iter().enumerate().filter(|(_, sold)| fits(sold)) {
        for (line, rung) in sold.basket.lines.iter().enumerate() {
            if rung.quantity > sold.back[line] {
                lines.push((sale, line));
            }
        }
    }
    let (sale, line) = *lines.get(pick(lines.len().max(1), chance))?;
    Some(Step::Return { sale, line, quantity: 1 })
}

fn undone(books: &Books, chance: &mut Chance) -> Option<Step> {
    let fits = |sale: &usize| {
        let sold = &books.sales[*sale];
        !sold.is_return() && !sold.voided && sold.back.iter().all(|pieces| *pieces == 0)
    };
    let sales: Vec<usize> = (books.day_from..books.sales.len()).filter(fits).collect();
    sales.get(pick(sales.len().max(1), chance)).copied().map(Step::VoidReceipt)
}
