//! What regi promises about a shop's money, proved by machine: each promise is a command with a seed.
//!
//! Room: tests. May touch: the library, the binary, folders of its own under the temporary folder.
//! Invariant: a proof prints its seed and its figures, and one failed case is replayed from both.
//!
//! ```text
//! cargo test --test proof                                     the short form of each, in seconds
//! cargo test --release --test proof -- --ci                   the figures .ci/run asks for
//! cargo test --release --test proof -- --full                 the nightly figures
//! cargo test --release --test proof -- NAME --seed 7          some of them, from another seed
//! cargo test --release --test proof -- NAME --full --cases 0..100  a part of a figure of several nights
//! cargo test --release --test proof -- NAME --seed 7 --case 4711   one case alone, told step by step
//! ```

#[path = "../contract/support.rs"]
#[allow(dead_code)] // The contract's own tests use the rest of it.
mod support;

#[path = "../escpos_decoder/mod.rs"]
#[allow(dead_code)] // Other tests look at more of a paper.
mod escpos_decoder;

mod crash_explorer;
mod damage;
mod fail_at_n;
mod hostile;
mod keeping;
mod printer;
mod proofs;
mod real_kill;
mod run;
mod shop;
mod short_histories;
mod tamper;
mod time;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use run::{Proof, Run};

fn main() -> ExitCode {
    let (run, words) = match Run::from_words(std::env::args().skip(1)) {
        Ok(parsed) => parsed,
        Err(wrong) => {
            eprintln!("{wrong}");
            return ExitCode::from(2);
        }
    };
    let chosen = proofs::ALL.iter().filter(|proof| proof.is_meant_by(&words));
    let (mut passed, mut failed) = (0, 0);
    for proof in chosen {
        if prove(proof, &run) {
            passed += 1;
        } else {
            failed += 1;
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn prove(proof: &Proof, run: &Run) -> bool {
    println!("{}: {} (seed {})", proof.name, proof.promise, run.seed);
    let started = Instant::now();
    // A broken promise is a failed assertion; its words are printed where it fails.
    let proved = catch_unwind(AssertUnwindSafe(|| (proof.prove)(run)));
    let took = started.elapsed().as_secs_f32();
    match &proved {
        Ok(figures) => println!("  holds: {figures} ({took:.1} s)"),
        Err(_) => {
            let (name, seed, case) = (proof.name, run.seed, run.at());
            println!("  DOES NOT HOLD at case {case} ({took:.1} s); again:");
            let extent = run.extent.word(); // A longer run walks longer days.
            println!(
                "  cargo test --release --test proof -- {name}{extent} --seed {seed} --case {case}"
            );
        }
    }
    proved.is_ok()
}
