//! Work asked of a running register that is no command: it is done beside the counter.
//!
//! Room: app. May touch: one thread a piece of work, the store to read.
//! Invariant: the loop hands the work over and sells on; whoever asked waits for the answer.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Sender;
use serde::{Deserialize, Serialize};

use super::answers::device_rows;
use super::books::Books;
use super::engine::{Engine, Outcome, rests_on_chain};
use super::exports::{FileOrder, Source};
use super::import_words::{fault_line, told, words_for};
use super::imports::{self, Desk, Doing, ImportError, Mode, Order, Room, What};
use super::labels::{self, LabelOrder};
use super::learned::{self, LearnFault};
use super::opening::{SHOP_TOML, lane_place};
use super::proof_words::proof_lines;
use super::reply::Reply;
use super::reports::test_page;
use super::upkeep;
use super::words::{Language, file_fault, misread_at};
use crate::devices::scanner::ScannerMatch;
use crate::domain::command::Command;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::register::{Context, Session};
use crate::domain::words::Words;
use crate::exchange::mapping::Mapping;
use crate::store::fault::StoreError;
use crate::store::shop::ShopPlace;

/// What a running register does for another program besides answering looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Data of the shop, into a file that the asking program has made.
    Export(FileOrder),
    /// Everything recomputed, told in the asking program's language.
    Verify {
        language: String,
    },
    /// The journal held against a paper.
    Paper {
        number: String,
        head: String,
    },
    Backup {
        file: PathBuf,
    },
    /// The shop's settings, as below; between two sales.
    Settings {
        mode: Mode,
        file: PathBuf,
        language: String,
    },
    /// A file of ours, copied into the shop's folder, brought in or only looked at.
    Import {
        what: What,
        mode: Mode,
        file: PathBuf,
        language: String,
    },
    /// How far an import is.
    HowFar,
    Devices,
    TestPrint,
    /// A scanner that has no rule yet: it is the register's from now on.
    Learn {
        rule: Box<ScannerMatch>,
        language: String,
    },
    Labels(LabelOrder),
}

impl Task {
    /// Whether its answer may take as long as a journal of ten years is long.
    pub fn is_long(&self) -> bool {
        matches!(
            self,
            Self::Export(_)
                | Self::Import { .. }
                | Self::Verify { .. }
                | Self::Backup { .. }
                | Self::Labels(_)
        )
    }
}

/// Begins a piece of work; its answer goes to whoever asked.
pub fn begin(engine: &mut Engine, task: Task, answer: Sender<Reply>) {
    match task {
        Task::Export(order) => Source::of(engine).write_aside(order, engine.words.clone(), answer),
        Task::HowFar => {
            let report = importing().and_then(|how_far| serde_json::to_value(how_far).ok());
            give(&answer, Reply { report, ..Reply::done("import") });
        }
        Task::Devices => give(&answer, devices(engine)),
        Task::TestPrint => {
            let page = test_page(&engine.words, engine.spool.profile());
            engine.spool.print_loose("test", &page);
            give(&answer, devices(engine));
        }
        Task::Learn { rule, language } => {
            let words = Language::from_word(&language).unwrap_or_default().words();
            give(&answer, learn(engine, *rule, &words));
        }
        Task::Labels(order) => labels(engine, &order, answer),
        Task::Verify { language } => {
            let language = Language::from_word(&language).unwrap_or_default();
            let (books, place) =
                (Arc::clone(&engine.shop), lane_place(&engine.dir, &engine.config));
            beside(answer, move || verify(&books, &place, &language.words()));
        }
        Task::Settings { mode, file, language } => {
            let words = Language::from_word(&language).unwrap_or_default().words();
            let reply = match settings(engine, mode, &file) {
                Ok(()) => Reply::done("import"),
                Err(error) => not_brought_in(error, &words),
            };
            give(&answer, reply);
        }
        Task::Import { what, mode, file, language } => {
            let desk = Desk::of(engine, Room::Beside);
            let words = Language::from_word(&language).unwrap_or_default().words();
            beside(answer, move || bring_in_alone(&desk, what, mode, &file, &words));
        }
        Task::Paper { number, head } => {
            let (books, words) = (Arc::clone(&engine.shop), engine.words.clone());
            beside(answer, move || paper(&books, &number, &head, &words));
        }
        Task::Backup { file } => {
            let (books, words) = (Arc::clone(&engine.shop), engine.words.clone());
            beside(answer, move || backup(&books, &file, &words));
        }
    }
}

/// Looks for another program. The socket is the shop's own account's, as its files are: nobody need stand
/// at the counter for it, and what staff were asked there stays asked.
pub fn look(engine: &mut Engine, command: &Command, line: &str) -> Outcome {
    let mut looking = engine.register.clone();
    Arc::make_mut(&mut looking.settings).staff.clear();
    looking.session = Session::default();
    let (shop, now) = (Arc::clone(&engine.shop), engine.now());
    let mut no_id = || 0; // No look begins a sale.
    let mut context = Context { now, shop: shop.reader(), new_id: &mut no_id };
    let outcome = Outcome { command: line.to_owned(), ..Outcome::default() };
    if let Some(damage) = engine.damage.clone().filter(|_| rests_on_chain(command)) {
        return Outcome { refusal: Some(damage), ..outcome };
    }
    match looking.apply(command, &mut context) {
        Ok(applied) => Outcome { answer: applied.answer, ..outcome },
        Err(refused) => Outcome { refusal: Some(refused.refusal), ..outcome },
    }
}

fn give(answer: &Sender<Reply>, reply: Reply) {
    let _ = answer.send(reply); // A client that left wants none.
}

/// Without a thread the answer's end is dropped, and the client told so.
fn beside(answer: Sender<Reply>, work: impl FnOnce() -> Reply + Send + 'static) {
    drop(std::thread::Builder::new().name("aside".to_owned()).spawn(move || {
        yield_to_the_counter();
        give(&answer, work());
    }));
}

/// A scan comes first: this thread gives way to every other one.
pub(super) fn yield_to_the_counter() {
    // Where the system will not have it, the counter is slower for a while and never wrong.
    let _ = rustix::process::nice(19);
}

/// Made here, for the store is read; the label printer is waited for beside the counter.
fn labels(engine: &mut Engine, order: &LabelOrder, answer: Sender<Reply>) {
    let words = engine.words.clone();
    let told = move |sent: Result<String, Refusal>| match sent {
        Ok(document) => Reply { document, ..Reply::done("labels") },
        Err(refusal) => Reply::refused("labels", refusal.code.word(), words.refusal(&refusal)),
    };
    match labels::prepare(engine, order) {
        Ok((said, Some(batch))) => beside(answer, move || told(batch.send().map(|()| said))),
        Ok((said, None)) => give(&answer, told(Ok(said))),
        Err(refusal) => give(&answer, told(Err(refusal))),
    }
}

fn learn(engine: &mut Engine, rule: ScannerMatch, words: &Words) -> Reply {
    if engine.config.scanner.contains(&rule) {
        return Reply::done("learn");
    }
    match learned::write_rule(&engine.dir, &rule) {
        Ok(()) => {
            engine.config.scanner.push(rule);
            Reply::done("learn")
        }
        Err(LearnFault::File(error)) => {
            Reply::refused("learn", "file", file_fault(SHOP_TOML, &error, words))
        }
        Err(LearnFault::Misread(fault)) => {
            let said = misread_at(SHOP_TOML, fault.line, &fault.what, words);
            Reply::refused("learn", RefusalCode::BadArgument.word(), said)
        }
    }
}

fn devices(engine: &Engine) -> Reply {
    let rows = device_rows(engine).into_iter().map(|row| {
        serde_json::json!({
            "kind": row.kind, "address": row.address, "model": row.model,
            "state": row.state, "alert": row.alert,
        })
    });
    let waiting = engine.spool.waiting();
    let rows = Some(serde_json::Value::Array(rows.collect()));
    Reply {
        rows,
        report: Some(serde_json::json!({ "waiting": waiting })),
        ..Reply::done("devices")
    }
}

fn verify(books: &Books, place: &ShopPlace, words: &Words) -> Reply {
    static RUNNING: AtomicBool = AtomicBool::new(false);
    if RUNNING.swap(true, Ordering::AcqRel) {
        let busy = Refusal::new(RefusalCode::Busy).saying("verify_runs");
        return Reply::refused("verify", busy.code.word(), words.refusal(&busy));
    }
    let proved = upkeep::verify_beside(books, place);
    RUNNING.store(false, Ordering::Release);
    match proved {
        Err(error) => refused("verify", error, words),
        Ok(proved) => {
            let document = proof_lines(&proved, words).join("\n");
            match proved.found.is_empty() {
                true => Reply { document, ..Reply::done("verify") },
                false => Reply::refused("verify", RefusalCode::Damaged.word(), document),
            }
        }
    }
}

/// How far the one import beside the counter is; absent while there is none.
static IMPORTING: Mutex<Option<HowFar>> = Mutex::new(None);

/// What an import beside the counter is doing: what is done, and of how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HowFar {
    pub doing: Doing,
    pub done: u64,
    pub all: u64,
}

fn importing() -> MutexGuard<'static, Option<HowFar>> {
    IMPORTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One at a time: two would share the figures that say how far they are.
fn bring_in_alone(desk: &Desk, what: What, mode: Mode, path: &Path, words: &Words) -> Reply {
    let begun = HowFar { doing: Doing::Reading, done: 0, all: 0 };
    let other = importing().replace(begun);
    if other.is_some() {
        *importing() = other;
        let busy = Refusal::new(RefusalCode::Busy).saying("import_runs");
        return Reply::refused("import", busy.code.word(), words.refusal(&busy));
    }
    let reply = bring_in(desk, what, mode, path, words);
    *importing() = None;
    reply
}

fn bring_in(desk: &Desk, what: What, mode: Mode, path: &Path, words: &Words) -> Reply {
    let mapping = Mapping::usual();
    let order = Order { what, path, mapping: &mapping, mode };
    let words = &words_for(what, words);
    let mut watch = |doing, done, all| *importing() = Some(HowFar { doing, done, all });
    match imports::import(desk, order, &mut watch) {
        Ok(report) => {
            let report = serde_json::to_value(told(&report, mode, words)).ok();
            Reply { report, ..Reply::done("import") }
        }
        Err(error) => not_brought_in(error, words),
    }
}

/// A file of a few lines, and one entry: done at once.
fn settings(engine: &mut Engine, mode: Mode, path: &Path) -> Result<(), ImportError> {
    let text = std::fs::read_to_string(path)?;
    imports::import_shop_beside(engine, &text, mode)
}

fn not_brought_in(error: ImportError, words: &Words) -> Reply {
    let said = |refusal: &Refusal, text| Reply::refused("import", refusal.code.word(), text);
    match error {
        ImportError::Fault(fault) => {
            said(&fault.refusal, fault_line(&fault, "import.fault", words))
        }
        ImportError::Refused(refusal) => said(&refusal, words.refusal(&refusal)),
        ImportError::File(error) => refused("import", StoreError::File(error), words),
    }
}

fn paper(books: &Books, number: &str, head: &str, words: &Words) -> Reply {
    let Ok(number) = number.parse() else {
        let refusal = Refusal::new(RefusalCode::Receipt).with("receipt", number);
        return Reply::refused("verify", refusal.code.word(), words.refusal(&refusal));
    };
    match upkeep::verify_paper(books, number, head) {
        Ok(verdict) => {
            Reply { report: serde_json::to_value(verdict).ok(), ..Reply::done("verify") }
        }
        Err(error) => refused("verify", error, words),
    }
}

fn backup(books: &Books, file: &std::path::Path, words: &Words) -> Reply {
    match upkeep::back_up(books, file) {
        Ok(manifest) => {
            let entries: u64 = manifest.heads.iter().map(|head| head.seq).sum();
            let report = Some(serde_json::json!({ "entries": entries }));
            Reply { report, ..Reply::done("backup") }
        }
        Err(StoreError::File(error)) => {
            Reply::refused("backup", "file", file_fault(file.display(), &error, words))
        }
        Err(error) => refused("backup", error, words),
    }
}

fn refused(command: &str, error: StoreError, words: &Words) -> Reply {
    let refusal = Refusal::from(error);
    Reply::refused(command, refusal.code.word(), words.refusal(&refusal))
}
