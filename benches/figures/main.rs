//! `cargo bench`: every figure regi promises, measured on the machine it runs on.
//!
//! Room: benches. May touch: the binary as its users do, the library as `app` does, folders under
//! `target/`. May not: a figure without its floor or its peer in the same run, unless it is a count.
//!
//! ```text
//! cargo bench                        all groups
//! cargo bench -- keys start          some of them
//! REGI_BENCH=small cargo bench       2,000 items, 20,000 members, 3,000 sales: a minute, for CI
//! REGI_BENCH_STRICT=1 cargo bench    a time that misses fails the run, too: for a quiet machine at night
//! cargo bench -- shop                measures nothing: makes the big shop, once, and prints its folder
//! ```
//!
//! Machines are noisy, so what is compared is interleaved and medians are held against medians.
//! Times that miss are shown; counts that miss (syncs, bytes, keys lost) fail the run, since no
//! neighbour can change a count.

mod big_shop;
mod counter;
mod disk;
mod figure;
mod floor;
mod goods;
mod hello;
mod lane;
mod peer;
mod people;
mod place;
mod playing;
mod terminal;
mod timing;

mod checks;
mod import;
mod keys;
mod lookup;
mod report;
mod sale;
mod start;
mod years;

use std::error::Error;
use std::process::ExitCode;

use figure::Figure;
use place::Place;

/// Why a group could not be measured at all.
type Failure = Box<dyn Error + Send + Sync>;

/// A group of figures: what selects it, and how it is measured.
struct Group {
    name: &'static str,
    measure: fn(&Place) -> Result<Vec<Figure>, Failure>,
}

/// What only makes the shop, for who wants to play with it.
const SHOP: &str = "shop";

/// In an order that leaves the page cache to the shop: the import, which sweeps it, comes last.
const GROUPS: [Group; 8] = [
    Group { name: "start", measure: start::measure },
    Group { name: "keys", measure: keys::measure },
    Group { name: "sale", measure: sale::measure },
    Group { name: "checks", measure: checks::measure },
    Group { name: "lookup", measure: lookup::measure },
    Group { name: "report", measure: report::measure },
    Group { name: "years", measure: years::measure },
    Group { name: "import", measure: import::measure },
];

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == hello::ARGUMENT) {
        return hello::run();
    }
    words.retain(|word| !word.starts_with("--")); // What `cargo bench` itself passes on.
    if words == [SHOP] {
        return make_the_shop();
    }
    if let Some(word) = words.iter().find(|word| GROUPS.iter().all(|group| group.name != **word)) {
        let names = GROUPS.map(|group| group.name).join(" ");
        eprintln!("no group {word}; there are: {names}");
        return ExitCode::from(2);
    }
    let place = match Place::find() {
        Ok(place) => place,
        Err(error) => {
            eprintln!("no place to measure in: {error}");
            return ExitCode::from(2);
        }
    };
    let chosen = GROUPS
        .iter()
        .filter(|group| words.is_empty() || words.iter().any(|word| word == group.name));
    let mut figures = Vec::new();
    let mut unmeasured = false;
    for group in chosen {
        eprintln!("measuring: {}", group.name);
        match (group.measure)(&place) {
            Ok(measured) => {
                print!("{}", figure::table(group.name, &measured));
                figures.extend(measured);
            }
            Err(error) => {
                println!("{}: could not be measured: {error}", group.name);
                unmeasured = true;
            }
        }
    }
    println!("{}", figure::summary(&figures));
    let times_too = std::env::var_os("REGI_BENCH_STRICT").is_some();
    let missed = figures.iter().any(|figure| figure.fails_the_run(times_too));
    if missed || unmeasured { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn make_the_shop() -> ExitCode {
    let made = Place::find().map_err(Failure::from).and_then(|place| big_shop::ready(&place));
    match made {
        Ok(shop) => println!("{}", shop.display()),
        Err(error) => {
            eprintln!("no big shop: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
