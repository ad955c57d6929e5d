//! What an import found, in words, for whoever asked for it.
//!
//! Room: app. May touch: the language files.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::imports::{Mode, What};
use crate::domain::words::Words;
use crate::exchange::fault::{Fault, Report};

/// Faults told one by one; the rest are counted.
const FAULTS_SHOWN: usize = 20;

/// An import's end as its program says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Complaints and notices.
    pub said: Vec<String>,
    /// What was asked for.
    pub out: Vec<String>,
    /// Whether every row was good.
    pub clean: bool,
}

/// The words for a file of this: a name is an item's there, or a person's.
pub fn words_for(what: What, words: &Words) -> Words {
    words.about(match what {
        What::Items | What::Stock => "item",
        What::Members | What::Points => "member",
    })
}

/// Says what an import found, worst first, and whether anything was brought in.
pub fn told(report: &Report, mode: Mode, words: &Words) -> Told {
    let mut told = Told { clean: report.is_clean(), ..Told::default() };
    let faults = report.faults.iter().take(FAULTS_SHOWN);
    told.said.extend(faults.map(|fault| fault_line(fault, "import.fault", words)));
    let more = report.fault_count - told.said.len() as u64;
    if more > 0 {
        told.said.push(words.fill("import.more", &[("count", &more)]));
    }
    let notices = report.notices.iter().take(FAULTS_SHOWN);
    told.said.extend(notices.map(|notice| fault_line(notice, "import.notice", words)));
    if !report.unknown_columns.is_empty() {
        let columns = report.unknown_columns.join(", ");
        told.said.push(words.fill("import.unknown_columns", &[("columns", &columns)]));
    }
    match mode {
        _ if !told.clean => {
            told.said.push(words.fill("import.not_applied", &[("faults", &report.fault_count)]));
        }
        Mode::Apply => told.out.push(words.fill("import.applied", &[("good", &report.good)])),
        Mode::DryRun => {
            let counts: [(&str, &dyn Display); 2] =
                [("rows", &report.rows), ("good", &report.good)];
            told.out.push(words.fill("import.summary", &counts));
            told.out.push(words.get("import.dry").to_owned());
        }
    }
    told
}

/// Says what is wrong and where; of a file as a whole there is no place to name.
pub fn fault_line(fault: &Fault, key: &str, words: &Words) -> String {
    let what = words.refusal(&fault.refusal);
    if fault.row == 0 {
        return what;
    }
    if fault.column.is_empty() {
        return words.fill("import.line_fault", &[("row", &fault.row), ("what", &what)]);
    }
    let column = crate::domain::text::cleaned(&fault.column);
    words.fill(key, &[("row", &fault.row), ("column", &column), ("what", &what)])
}
