//! What the cashier feels: a digit, a scan, the cash key, through a pty.
//!
//! Room: benches. May touch: scratch shops.
//! One round presses the same keys at the hello screen, at the sample shop and at the big shop, and
//! appends to the floor, so that all of them meet the same neighbours.

use std::path::Path;
use std::time::Duration;

use crate::Failure;
use crate::big_shop;
use crate::counter::{APART, Counter, Hello, Staff};
use crate::figure::Figure;
use crate::floor::AppendFloor;
use crate::people;
use crate::place::{Place, REGI, copy_folder, regi};
use crate::terminal::Shown;
use crate::timing::Times;

/// As many goods as every shop of the run has.
const GOODS: u32 = 200;
/// Members of the sample shop: the first of the big shop's.
const MEMBERS: u32 = 1_000;
const IDLE: Duration = Duration::from_secs(3);
/// Who sells in the big shop.
const BOSS: Staff = Staff("1", "840217");

/// Times of one step, and the most bytes one of them wrote.
#[derive(Default)]
struct Step {
    times: Times,
    most_bytes: usize,
}

impl Step {
    fn add(&mut self, shown: Shown) {
        self.times.add(shown.took);
        self.most_bytes = self.most_bytes.max(shown.bytes);
    }

    fn p50(&self) -> f64 {
        self.times.p50()
    }
}

/// The steps of one program.
#[derive(Default)]
struct Hands {
    digit: Step,
    /// The first line of a sale, which takes the last sale's change off the screen's side.
    scan: Step,
    /// A line added to others.
    line: Step,
    cash: Step,
    /// The cash key and the next customer's first scan in one breath.
    breath: Step,
    /// A member's card, to the member on the screen.
    card: Step,
}

pub fn measure(place: &Place) -> Result<Vec<Figure>, Failure> {
    let dir = place.scratch("keys")?;
    let (demo_dir, big_dir) = (dir.join("demo"), dir.join("big"));
    big_shop::make_demo(Path::new(REGI), &demo_dir, &dir, GOODS)?;
    let members = dir.join("members.csv");
    people::write_members(&members, MEMBERS)?;
    regi(&demo_dir, &["import", "members", big_shop::utf8(&members)?, "--apply"])?;
    copy_folder(&big_shop::ready(place)?, &big_dir)?;

    let (mut hello, _) = Hello::open()?;
    let (mut demo, _) = Counter::open(&demo_dir)?;
    demo.sign_in(Staff("1", "111111"))?;
    hire(&big_dir, &dir)?;
    let (mut big, _) = Counter::open(&big_dir)?;
    big.sign_in(BOSS)?;
    let mut floor = AppendFloor::begin(&dir)?;
    let mut hands: [Hands; 3] = Default::default();

    for round in 0..place.scale.rounds {
        let [at_hello, at_demo, at_big] = &mut hands;
        let item = 1 + round % GOODS;
        at_hello.digit.add(hello.digit()?);
        at_hello.scan.add(hello.scan(item)?);
        one_sale(&mut demo, at_demo, item)?;
        one_sale(&mut big, at_big, item)?;
        // A disk that has just worked answers in half the time: here it rests as before the cash key.
        std::thread::sleep(APART);
        floor.append()?;
    }
    let idle = [&mut demo, &mut big].map(quietest);
    big.find_member("佐藤")?;
    big.find_member("東海林")?;
    for round in 0..place.scale.rounds {
        let member = 1 + round % MEMBERS;
        hands[1].card.add(demo.member(member)?);
        hands[2].card.add(big.member(member)?);
    }
    big.approve(BOSS)?;
    let peak = big.0.peak_mb()?;
    demo.0.end()?;
    big.0.end()?;

    let mut figures = latencies(&hands, &floor.times);
    figures.extend(counts(&hands));
    for (idle, shop) in idle.into_iter().zip(["sample", "big"]) {
        figures.push(Figure::count(
            format!("idle for 3 s, {shop} shop, writes"),
            0.0,
            idle? as f64,
            " B",
        ));
    }
    figures.push(Figure::count("memory at its most, big shop, PINs hashed", 32.0, peak, " MB"));
    Ok(figures)
}

fn one_sale(counter: &mut Counter, hands: &mut Hands, item: u32) -> Result<(), Failure> {
    hands.digit.add(counter.digit()?);
    hands.scan.add(counter.scan(item)?);
    hands.line.add(counter.scan(1 + item % GOODS)?);
    hands.breath.add(counter.cash_and_scan(item)?);
    hands.cash.add(counter.cash()?);
    Ok(())
}

/// What is written in three seconds without a key. The clock may move in one of two windows.
fn quietest(counter: &mut Counter) -> Result<usize, Failure> {
    counter.0.listen(Duration::from_millis(500))?; // What still follows the last sale.
    let first = counter.0.listen(IDLE)?;
    Ok(first.min(counter.0.listen(IDLE)?))
}

/// Gives the shop staff, so that a PIN is hashed.
fn hire(shop: &Path, scratch: &Path) -> Result<(), Failure> {
    let settings = scratch.join("staff.toml");
    let Staff(number, pin) = BOSS;
    let staff =
        format!("[[staff]]\nnumber = {number}\nname = \"店長\"\nlevel = 9\npin = \"{pin}\"\n");
    std::fs::write(&settings, staff)?;
    regi(shop, &["import", "shop", big_shop::utf8(&settings)?, "--apply"]).map(drop)
}

fn latencies([hello, demo, big]: &[Hands; 3], floor: &Times) -> Vec<Figure> {
    let (h_digit, h_scan) = (hello.digit.p50(), hello.scan.p50());
    let paid = floor.p50() + h_scan;
    let mut figures = Vec::new();
    for (shop, hands) in [("sample", demo), ("big", big)] {
        for (what, most, step, least) in [
            ("digit to frame / hello", 1.3, &hands.digit, h_digit),
            ("scan to priced line / hello", 1.5, &hands.scan, h_scan),
            ("cash key to closed / (append + hello)", 1.3, &hands.cash, paid),
            ("cash key to closed and next line / (append + hello)", 1.3, &hands.breath, paid),
        ] {
            let name = format!("{what}, {shop} shop");
            let note = format!("{}; floor {:.3} ms", step.times.words(), least * 1e3);
            figures.push(Figure::time(name, most, step.p50() / least, "x").note(note));
        }
    }
    for (what, big, demo) in [
        ("digit", &big.digit, &demo.digit),
        ("scan", &big.scan, &demo.scan),
        ("cash key", &big.cash, &demo.cash),
        ("cash key and next line", &big.breath, &demo.breath),
        ("member's card, of 1,000,000 and of 1,000", &big.card, &demo.card),
    ] {
        let name = format!("{what}: big shop / sample shop");
        figures.push(Figure::time(name, 1.1, big.p50() / demo.p50(), "x"));
    }
    figures
}

fn counts([_, demo, big]: &[Hands; 3]) -> Vec<Figure> {
    let most = |step: fn(&Hands) -> &Step| step(demo).most_bytes.max(step(big).most_bytes) as f64;
    vec![
        Figure::count("bytes to the terminal for a digit", 300.0, most(|hands| &hands.digit), " B"),
        Figure::count("bytes to the terminal for a line", 300.0, most(|hands| &hands.line), " B"),
        Figure::count(
            "bytes to the terminal for a sale's first line",
            300.0,
            most(|hands| &hands.scan),
            " B",
        ),
    ]
}
