//! What checking costs a sale: the register beside one built without its checks.
//!
//! Room: benches. May touch: two scratch shops, a second build under `target/`.
//! Both play the same sales in turn. The other program's sums are constants (`store::sums`): whatever
//! is read or written is neither summed nor hashed, and all else is the same.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::big_shop;
use crate::figure::Figure;
use crate::goods;
use crate::people::Dice;
use crate::place::{Place, REGI};
use crate::playing::Playing;
use crate::timing::Times;

const SALES: u32 = 1_000;
const LINES: u32 = 5;
const GOODS: u32 = 2_000;
/// As the promise has it: at most a tenth.
const MOST: f64 = 1.1;

/// The times of one program.
#[derive(Default)]
struct Hands {
    scans: Times,
    tenders: Times,
    sales: Times,
}

pub fn measure(place: &Place) -> Result<Vec<Figure>, Failure> {
    let programs = [PathBuf::from(REGI), unchecked()?];
    let dir = place.scratch("checks")?;
    let mut registers = Vec::new();
    for (program, name) in programs.iter().zip(["checked", "unchecked"]) {
        let shop = dir.join(name);
        big_shop::make_demo(program, &shop, &dir, GOODS)?;
        without_paper(&shop)?;
        let mut register = Playing::start(program, &shop)?;
        register.give("sign_in 1 111111")?;
        registers.push(register);
    }
    let mut hands: [Hands; 2] = Default::default();
    let mut dice = Dice::new(5);
    for _ in 0..SALES {
        let items: Vec<String> = (0..LINES).map(|_| goods::jan(1 + dice.below(GOODS))).collect();
        for (register, hands) in registers.iter_mut().zip(&mut hands) {
            sell(register, hands, &items)?;
        }
    }
    registers.into_iter().try_for_each(Playing::end)?;
    Ok(figures(&hands))
}

/// The file of a paper is synced too, and its time would hide the rest.
fn without_paper(shop: &Path) -> Result<(), Failure> {
    let path = shop.join("shop.toml");
    let settings = std::fs::read_to_string(&path)?.replace("\"file:\"", "\"screen:\"");
    Ok(std::fs::write(path, settings)?)
}

fn sell(register: &mut Playing, hands: &mut Hands, items: &[String]) -> Result<(), Failure> {
    let Hands { scans, tenders, sales } = hands;
    sales.of(|| {
        for item in items {
            scans.of(|| register.give(&format!("scan {item}")))?;
        }
        tenders.of(|| register.give("tender_cash"))
    })
}

fn figures([checked, unchecked]: &[Hands; 2]) -> Vec<Figure> {
    let pairs = [
        ("a scan", &checked.scans, &unchecked.scans),
        ("a tender", &checked.tenders, &unchecked.tenders),
        ("a sale of 5 lines", &checked.sales, &unchecked.sales),
    ];
    let figure = |(what, with, without): (&str, &Times, &Times)| {
        let name = format!("{what}: checked / unchecked");
        let note = format!("{}; unchecked {}", with.words(), without.words());
        Figure::time(name, MOST, with.p50() / without.p50(), "x").note(note)
    };
    pairs.into_iter().map(figure).collect()
}

/// Builds the program that checks nothing, in a folder of its own; a minute or two the first time.
fn unchecked() -> Result<PathBuf, Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/unchecked");
    eprintln!("  building the unchecked program");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--bin", "regi", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&folder)
        .args(["--config", r#"build.rustflags = ["--cfg", "regi_unchecked"]"#]) // Beside the usual.
        .status()?;
    if built.success() {
        Ok(folder.join("release/regi"))
    } else {
        Err(format!("the unchecked program was not built: {built}").into())
    }
}
