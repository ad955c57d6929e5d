//! Every proof, in the order of the day.
//!
//! Room: tests. To add one: a file beside this one, and a row here.

use crate::run::Proof;
use crate::{
    crash_explorer, damage, fail_at_n, hostile, keeping, printer, real_kill, short_histories,
    tamper, time,
};

pub const ALL: &[Proof] = &[
    Proof {
        name: "crash_explorer",
        promise: "a power cut at any write, and another while standing up, loses and doubles nothing",
        prove: crash_explorer::days,
    },
    Proof {
        name: "short_histories",
        promise: "every history of up to three acts stands every cut of its last",
        prove: short_histories::histories,
    },
    Proof {
        name: "fail_at_n",
        promise: "whichever call the disk fails, it is said in words, nothing is lost, and work goes on",
        prove: fail_at_n::calls,
    },
    Proof {
        name: "full_disk",
        promise: "on a full disk the open sale ends and the Z is made; room that comes back is used",
        prove: fail_at_n::full_disk,
    },
    Proof {
        name: "lying_flush",
        promise: "flushes a disk only pretended are noticed, and the copy brings back what they lost",
        prove: damage::lying_flush,
    },
    Proof {
        name: "bitflip",
        promise: "a flipped bit or a block astray shows no wrong figure",
        prove: damage::bitflip,
    },
    Proof {
        name: "real_kill",
        promise: "a register killed at any moment loses, doubles and invents nothing",
        prove: real_kill::registers,
    },
    Proof {
        name: "import_kill",
        promise: "an import killed at any moment comes in whole or not at all",
        prove: real_kill::imports,
    },
    Proof {
        name: "hostile_matrix",
        promise: "hostile text is only text: no terminal, printer or spreadsheet obeys it",
        prove: hostile::hostile_matrix,
    },
    Proof {
        name: "print_exactly_once",
        promise: "whatever fails in a printer at whatever byte, one receipt at most is no copy",
        prove: printer::print_exactly_once,
    },
    Proof {
        name: "tamper",
        promise: "an edited, shortened or put back journal is found, given any one witness",
        prove: tamper::journals,
    },
    Proof {
        name: "time",
        promise: "whatever the clock does, no sale is dated before the last Z and each jump is told",
        prove: time::days,
    },
    Proof {
        name: "restore_cut",
        promise: "a restore cut off at any write leaves the old shop or the new one, whole",
        prove: keeping::restore_cut,
    },
    Proof {
        name: "restore_fault",
        promise: "a restore of which any call fails leaves the old shop or the new one, whole",
        prove: keeping::restore_fault,
    },
    Proof {
        name: "backup_cut",
        promise: "a backup to a stick that is full or pulled is never listed as good",
        prove: keeping::backup_cut,
    },
    Proof {
        name: "store_version_cut",
        promise: "a store of another version is made anew, whatever cuts it off",
        prove: keeping::store_version_cut,
    },
    Proof {
        name: "later_version",
        promise: "an entry of a later version is named, and nothing is sold behind it",
        prove: keeping::later_version,
    },
];
