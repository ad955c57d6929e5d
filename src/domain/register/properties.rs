//! What must hold of every sale, whatever was rung: claims over random shops and baskets.
//!
//! Room: domain, tests only. `REGI_BASKETS` says how many baskets (20,000 when it does not): the sums of
//! a sale and its full return are held against each of them, the other claims against a part;
//! `REGI_SEED` where the seeds begin. A claim that fails prints its seed, and
//! `REGI_SEED=that REGI_BASKETS=1` plays it again.
//!
//! At night, some minutes of one processor:
//! `REGI_BASKETS=1000000 cargo test --release --lib register::properties`

mod baskets;
mod days;
mod returns;
mod sales;
mod soup;

use baskets::Dice;

/// Prints the seed of a claim that did not hold.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the claim fails with REGI_SEED={} REGI_BASKETS=1", self.0);
        }
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
        Err(_) => otherwise,
    }
}

/// Holds a claim against so many of the baskets, in percent; each seed once, on as many
/// threads as there are processors.
fn for_baskets(percent: u64, claim: impl Fn(&mut Dice) + Sync) {
    let baskets = (number("REGI_BASKETS", 20_000) * percent / 100).max(1);
    let first = number("REGI_SEED", 1);
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    std::thread::scope(|scope| {
        for lane in 0..threads.min(baskets) {
            let claim = &claim;
            scope.spawn(move || {
                for seed in (first + lane..first + baskets).step_by(threads as usize) {
                    let _told = Seed(seed);
                    claim(&mut Dice::new(seed));
                }
            });
        }
    });
}
