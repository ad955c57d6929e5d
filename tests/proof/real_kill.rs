//! The register is killed at random moments of a working day and must lose, double and invent nothing.
//!
//! Room: tests. May touch: the binary, a shop in a temporary folder.
//! Invariant: after every kill the register stands either just before or just after the command in
//! flight; whatever was answered is true. A case is a day with 20 kills and its audit.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::run::{Chance, Figures, Run};
use crate::support::Shop;

/// Rows of the import that is killed: several entries of 500.
const ITEMS: usize = 2500;

/// What the shop must be, by everything that was answered.
#[derive(Debug, Clone, Default, PartialEq)]
struct Books {
    /// Amounts of the open sale's lines.
    cart: Vec<i64>,
    /// Carts put aside, oldest first.
    parked: Vec<Vec<i64>>,
    /// The closed sales, in order.
    sold: Vec<Sold>,
    /// The sale of which the cart's goods come back.
    returning: Option<usize>,
    members: usize,
    /// Members whose enrolling was cut off: nothing that is shown tells.
    perhaps: usize,
    /// Cash that should be in the drawer; `None` before the day opens.
    cash: Option<i64>,
    closes: u32,
    moved: u32,
}

/// A closed sale.
#[derive(Debug, Clone, PartialEq)]
struct Sold {
    total: i64,
    first_line: i64,
    /// Its first line came back, or it is a return itself.
    is_done: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Ring(i64),
    /// The first line of a sale comes back.
    Return(usize),
    Enrol(i64),
    VoidLine,
    Pay,
    Park,
    TakeBack,
    PaidIn(i64),
    Close,
}

impl Books {
    /// The newest sale of which nothing came back yet.
    fn returnable(&self) -> Option<usize> {
        self.sold.iter().rposition(|sold| !sold.is_done)
    }
}

impl Step {
    /// A step that fits the books, mostly what a cashier does most.
    fn any(books: &Books, chance: &mut Chance) -> Self {
        let fresh = i64::try_from(100 + chance.below(90_000)).expect("a small amount");
        match (books.cart.len(), chance.below(20)) {
            (0, 0) if books.cash.is_some() => Self::Close,
            (0, 1) => Self::PaidIn(fresh),
            (0, 2) if books.returnable().is_some() => {
                Self::Return(books.returnable().expect("just seen"))
            }
            _ if books.returning.is_some() => Self::Pay,
            (1.., 19) => Self::Enrol(fresh),
            (0, 2..6) if books.parked.len() == 1 => Self::TakeBack,
            (0, _) => Self::Ring(fresh),
            (_, 0) if books.parked.is_empty() => Self::Park,
            (2.., 1) => Self::VoidLine,
            (4.., _) | (_, 2..9) => Self::Pay,
            _ => Self::Ring(fresh),
        }
    }

    fn line(&self, books: &Books) -> String {
        match self {
            Self::Ring(amount) => format!("department 2 {amount}"),
            Self::Return(sale) => {
                let number = books.sold[..=*sale].iter().filter(|sold| sold.total > 0).count();
                format!("return 01-{number:06} 1")
            }
            Self::Enrol(fresh) => format!("new_member name=山田 phone=090{fresh:08}"),
            Self::VoidLine => "void_line".to_owned(),
            Self::Pay if books.returning.is_some() => "tender_cash".to_owned(),
            Self::Pay => format!("tender_cash {}", books.cart.iter().sum::<i64>() + 13),
            Self::Park => "suspend".to_owned(),
            Self::TakeBack => "resume".to_owned(),
            Self::PaidIn(amount) => format!("paid_in {amount} 両替"),
            Self::Close => "z_report".to_owned(),
        }
    }

    fn happens(&self, books: &mut Books) {
        match self {
            Self::Ring(amount) => books.cart.push(*amount),
            Self::Return(sale) => {
                books.cart.push(-books.sold[*sale].first_line);
                books.returning = Some(*sale);
            }
            Self::Enrol(_) => books.members += 1,
            Self::VoidLine => {
                books.cart.pop();
            }
            Self::Pay => {
                let lines = std::mem::take(&mut books.cart);
                let total: i64 = lines.iter().sum();
                let back = books.returning.take();
                if let Some(sale) = back {
                    books.sold[sale].is_done = true;
                }
                books.sold.push(Sold { total, first_line: lines[0], is_done: back.is_some() });
                books.cash = Some(books.cash.unwrap_or(0) + total);
            }
            Self::Park => books.parked.push(std::mem::take(&mut books.cart)),
            Self::TakeBack => books.cart = books.parked.remove(0),
            Self::PaidIn(amount) => {
                books.moved += 1;
                books.cash = Some(books.cash.unwrap_or(0) + amount);
            }
            Self::Close => {
                books.closes += 1;
                books.cash = None;
            }
        }
    }
}

/// What one answer shows of the books.
fn seen(answer: &Value) -> (Vec<i64>, Option<i64>) {
    let lines = answer["sale"]["lines"].as_array().into_iter().flatten();
    let cart = lines.map(|line| line["amount"].as_i64().expect("an amount")).collect();
    (cart, answer["day"]["expected_cash"].as_i64())
}

/// The register at work, fed line by line.
struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(shop: &Shop, seed: u64) -> Self {
        let mut command = shop.command(&["--seed", &seed.to_string(), "run", "--json", "-"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the register starts");
        let stdin = child.stdin.take().expect("its script");
        let stdout = BufReader::new(child.stdout.take().expect("its answers"));
        Self { child, stdin, stdout }
    }

    fn say(&mut self, line: &str) {
        // A register already dead does not hear it; what it answered before tells.
        let _ = writeln!(self.stdin, "{line}").and_then(|()| self.stdin.flush());
    }

    /// The next whole answer; `None` when the register has died.
    fn answer(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a pipe");
        line.ends_with('\n').then(|| serde_json::from_str(&line).expect("JSON"))
    }

    fn kill(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("its end");
    }
}

/// Starts again and finds out whether the step in flight happened.
fn stand_up(shop: &Shop, seed: u64, books: &mut Books, in_flight: Option<Step>) -> Running {
    let mut running = Running::start(shop, seed);
    running.say("help help");
    let answer = running.answer().expect("the register starts after a kill");
    assert_eq!(answer["ok"], true, "{answer}");
    let found = seen(&answer);
    if found == (books.cart.clone(), books.cash) {
        books.perhaps += usize::from(matches!(in_flight, Some(Step::Enrol(_))));
        return running;
    }
    let mut after = books.clone();
    in_flight.clone().expect("nothing was in flight, and yet the books differ").happens(&mut after);
    assert_eq!(found, (after.cart.clone(), after.cash), "{in_flight:?} on {books:?}");
    *books = after;
    running
}

/// Works until the kill strikes, which is at the given step after a short wait.
fn work(running: &mut Running, books: &mut Books, chance: &mut Chance) -> Option<Step> {
    for _ in 0..chance.below(8) {
        let step = Step::any(books, chance);
        running.say(&step.line(books));
        let answer = running.answer().expect("an answer");
        assert_eq!(answer["ok"], true, "{step:?}: {answer}");
        step.happens(books);
    }
    let step = Step::any(books, chance);
    running.say(&step.line(books));
    std::thread::sleep(Duration::from_micros(chance.below(4000)));
    running.kill();
    match running.answer() {
        // It was answered before it died: it is true.
        Some(answer) => {
            assert_eq!(answer["ok"], true, "{step:?}: {answer}");
            step.happens(books);
            None
        }
        None => Some(step),
    }
}

/// Holds what the shop tells against the books.
fn audit(shop: &Shop, books: &Books) {
    shop.verify();
    let sales = shop.export("sales");
    let totals: Vec<i64> = sales.iter().map(|sale| sale["total"].parse().unwrap()).collect();
    let want: Vec<i64> = books.sold.iter().map(|sold| sold.total).collect();
    assert_eq!(totals, want, "no sale lost, none doubled, in order");
    let mut last = [0, 0];
    for sale in &sales {
        let is_return = sale["total"].starts_with('-');
        last[usize::from(is_return)] += 1;
        let number = last[usize::from(is_return)];
        let want = if is_return { format!("01-R{number:06}") } else { format!("01-{number:06}") };
        assert_eq!(sale["receipt"], want, "no number skipped, none used twice");
    }
    let members = shop.export("members").len();
    let most = books.members + books.perhaps;
    assert!((books.members..=most).contains(&members), "{members} members of {books:?}");
}

const KILLS_A_DAY: u64 = 20;

/// Kills the register at random moments of working days.
pub fn registers(run: &Run) -> Figures {
    let days = run.of(2, 25, 500);
    run.cases(days).for_each(|day| killed_day(run, &mut run.chance(day)));
    Figures::default()
        .and(run.walked(days) * KILLS_A_DAY, "kills")
        .and(0, "sales lost")
        .and(0, "doubled")
}

fn killed_day(run: &Run, chance: &mut Chance) {
    let mut books = Books::default();
    let shop = Shop::new("");
    let mut in_flight = None;
    for kill in 1..=KILLS_A_DAY {
        // Now and then it dies while it starts.
        if chance.below(6) == 0 {
            let mut starting = Running::start(&shop, chance.next());
            std::thread::sleep(Duration::from_micros(chance.below(30_000)));
            starting.kill();
        }
        let mut running = stand_up(&shop, chance.next(), &mut books, in_flight.take());
        in_flight = work(&mut running, &mut books, chance);
        run.tell(format_args!("kill {kill}: {} sold, in flight {in_flight:?}", books.sold.len()));
    }
    let mut running = stand_up(&shop, chance.next(), &mut books, in_flight);
    if !books.cart.is_empty() {
        running.say(&Step::Pay.line(&books));
        let answer = running.answer().expect("an answer");
        assert_eq!(answer["ok"], true, "{answer}");
        Step::Pay.happens(&mut books);
    }
    drop(running.stdin);
    assert!(running.child.wait().expect("its end").success());
    audit(&shop, &books);
}

/// The one price that all items have, or 0 without items.
fn one_price(shop: &Shop) -> u64 {
    let items = shop.export("items");
    assert!([0, ITEMS].contains(&items.len()), "half an import: {} items", items.len());
    let prices: BTreeSet<_> = items.iter().map(|item| item["price"].clone()).collect();
    assert!(prices.len() <= 1, "prices of two imports: {prices:?}");
    prices.first().map_or(0, |price| price.parse().expect("a price"))
}

/// Kills imports at random moments: each comes in whole or not at all.
pub fn imports(run: &Run) -> Figures {
    let rounds = 8;
    let shops = run.of(1, 2, 40);
    run.cases(shops).for_each(|shop| killed_imports(&mut run.chance(shop), rounds));
    Figures::default().and(run.walked(shops) * rounds, "imports killed").and(0, "half there")
}

fn killed_imports(chance: &mut Chance, rounds: u64) {
    let shop = Shop::new("");
    let mut price = 0;
    for round in 1..=rounds {
        let rows = (1..=ITEMS).map(|code| format!("{code},item {code},{round}\n"));
        let csv = format!("code,name,price\n{}", rows.collect::<String>());
        let file = shop.file("items.csv", csv.as_bytes());
        let mut import = shop
            .command(&["--quiet", "import", "items", file.to_str().unwrap(), "--apply"])
            .stdout(Stdio::null())
            .spawn()
            .expect("the import starts");
        std::thread::sleep(Duration::from_millis(chance.below(500)));
        let finished = import.try_wait().expect("its state").is_some();
        let _ = import.kill(); // It may have finished.
        import.wait().expect("its end");
        let found = one_price(&shop);
        assert!(
            found == round || (!finished && found == price),
            "{found} after {price} and {round}"
        );
        price = found;
        shop.verify();
    }
}
