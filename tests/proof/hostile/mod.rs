//! Hostile text is only text: every input through every door to every sink.
//!
//! Room: tests. May touch: the library's register and its loop, a shop in a temporary folder.
//! Invariant: a sink is read by something that shares no line with what writes it. Beside the doors,
//! texts also lie in the journal already, as an older or another program may have left them.

mod inputs;
mod wire;

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::bounded;
use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent};
use regi::app::books::ShopKind;
use regi::app::clock::{Chance as Ids, Time};
use regi::app::control::{Asked, Request};
use regi::app::counter::Counter;
use regi::app::engine::Engine;
use regi::app::event::{Ending, Event};
use regi::app::exports::{self, Order, Source};
use regi::app::imports::{self, Mode};
use regi::app::inbox::{EventSender, Inbox};
use regi::app::lane_config::{LaneConfig, SoundBy};
use regi::app::opening::{self, Options};
use regi::app::picture::Picture;
use regi::app::showcase::Showcase;
use regi::app::words::Language;
use regi::devices::label::{self, LabelLanguage, LabelPaper};
use regi::devices::line_display::{Row, Rows, show};
use regi::devices::printer::dialogue::Patience;
use regi::devices::scanner::ScannerEvent;
use regi::domain::command::quote;
use regi::domain::document::Align;
use regi::domain::entry::Kind;
use regi::domain::item::Item;
use regi::domain::label::{Label, LabelCode, LabelLine, LabelSize};
use regi::domain::quantity::UnitPrice;
use regi::domain::settings::Settings;
use regi::exchange::csv_out::OutEncoding;
use regi::exchange::mapping::Mapping;
use regi::exchange::shop_file::read_shop;
use regi::screens::{Display, Screens, Theme};
use serde_json::Value;
use tempfile::TempDir;

use crate::escpos_decoder;
use crate::run::{Figures, Run};
use crate::support::{AT, SHOP};
use inputs::{TEXTS, card_number, mutated};
use wire::{is_harmful, shown};

/// Texts of one case: one shop, one register.
const A_CASE: u64 = 22;

/// Cells of the matrix that were looked at: a text at a sink.
static CELLS: AtomicU64 = AtomicU64::new(0);

fn cell() {
    CELLS.fetch_add(1, Ordering::Relaxed);
}

pub fn hostile_matrix(run: &Run) -> Figures {
    CELLS.store(0, Ordering::Relaxed);
    let cases = run.of(1, 24, 2_000);
    run.side_by_side(cases, 2, |case| prove(run, case));
    Figures::default()
        .and(run.walked(cases) * A_CASE, "texts")
        .and(CELLS.load(Ordering::Relaxed), "times at a sink")
        .and(0, "obeyed")
}

/// The first two cases are the texts as they stand; the others are mutations.
fn texts_of(run: &Run, case: u64) -> Vec<String> {
    let mut chance = run.chance(case);
    let first = (case * A_CASE) as usize;
    match TEXTS.get(first..first + A_CASE as usize) {
        Some(texts) => texts.iter().map(|text| (*text).to_owned()).collect(),
        None => (0..A_CASE).map(|_| mutated(&mut chance)).collect(),
    }
}

fn prove(run: &Run, case: u64) {
    let texts = texts_of(run, case);
    texts.iter().for_each(|text| run.tell(format_args!("{text:?}")));
    let mut doors = Shop::new(case);
    doors.through_the_doors(&texts);
    doors.no_payment_card(&mut run.chance(case));
    let mut stored = Shop::new(case);
    stored.lie_in_the_journal(&texts);
    stored.sells_all(texts.len());
    for shop in [doors, stored] {
        let shop = shop.at_the_counter(&texts);
        shop.on_paper();
        shop.in_files();
    }
    texts.iter().for_each(|text| on_labels_and_displays(text));
}

struct Shop {
    folder: TempDir,
    engine: Option<Engine>,
    case: u64,
}

impl Shop {
    fn new(case: u64) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let mut config = LaneConfig::default();
        config.sound.by = SoundBy::Off; // A bell would be a control byte.
        let settings = read_shop(SHOP, &Settings::default()).expect("the settings fit");
        let engine = opening::found(&options(&folder, case), &config, settings, ShopKind::Real);
        Self { folder, engine: Some(engine.expect("a new shop")), case }
    }

    fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("a register")
    }

    /// Gives a line as a program does, and reads the answer as a program does.
    fn does(&mut self, line: &str) -> bool {
        let engine = self.engine();
        engine.stamp_spool();
        let Some(outcome) = engine.perform(line) else { return false };
        let refused = outcome.refusal.is_some();
        let reply = regi::app::answers::reply(engine, outcome);
        let json: Value = serde_json::from_str(&reply.json()).expect("JSON");
        clean_value(&json, line);
        cell();
        !refused
    }

    fn through_the_doors(&mut self, texts: &[String]) {
        for (at, text) in texts.iter().enumerate() {
            let word = quote(text);
            for line in [
                format!("edit_item {} price=100 name={word} kana={word} supplier={word}", at + 1),
                format!("new_member name={word} kana={word} note={word} x_size={word} mail={word}"),
                format!("scan {word}"),
                format!("scan {text}"),
                "department 2 100".to_owned(),
                format!("note {word}"),
                format!("suspend {word}"),
                format!("resume {word}"),
                "resume".to_owned(),
                format!("customer_kind {word}"),
                format!("coupon {word}"),
                format!("tender_gift {word}"),
                "tender_cash".to_owned(),
                format!("formal_receipt {word}"),
                format!("paid_in 1 {word}"),
                format!("no_sale {word}"),
                format!("reprint {word}"),
                format!("print_outcome {word} lost"),
                format!("find_item {word}"),
                format!("find_member {word}"),
                format!("inquire {word}"),
                format!("journal {word}"),
                format!("report {word}"),
                format!("help {word}"),
                format!("sign_in {word} {word}"),
                text.clone(),
            ] {
                self.does(&line);
            }
            self.as_files(text);
        }
        // What is open is sold: its text comes on paper.
        self.does("department 2 100");
        self.does("tender_cash");
        self.journal_is_clean();
    }

    /// The same text as a cell of a file, in both encodings, and as settings.
    fn as_files(&mut self, text: &str) {
        let cell_of = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let rows = format!("code,name,price\n900,{0},100\n", cell_of(text));
        let people = format!("code,name,note,x_a\n2900000000018,{0},{0},{0}\n", cell_of(text));
        let header = format!("code,name,price,{0}\n901,x,1,{0}\n", cell_of(text));
        for (what, file) in [
            (imports::What::Items, rows.as_str()),
            (imports::What::Items, header.as_str()),
            (imports::What::Members, people.as_str()),
        ] {
            for bytes in [file.as_bytes().to_vec(), encoding_rs::SHIFT_JIS.encode(file).0.into()] {
                self.import(what, &bytes);
            }
        }
        let toml = toml_text(text);
        for settings in [
            format!("[shop]\nname = {toml}\naddress = {toml}\n"),
            format!("[receipt]\nheader = [{toml}]\nfooter = [{toml}]\n"),
            format!("[[department]]\nnumber = 2\nname = {toml}\n"),
            format!("[[staff]]\nnumber = 9\nname = {toml}\nlevel = 1\nremoved = true\n"),
            format!("[{toml}]\n{toml} = {toml}\n"),
            text.to_owned(),
        ] {
            if let Err(error) = imports::import_shop(self.engine(), &settings, Mode::Apply) {
                self.refused(&error);
            }
            cell();
        }
        lane_file_refused(&format!("{toml} = {toml}\n"));
    }

    fn import(&mut self, what: imports::What, bytes: &[u8]) {
        let path = self.folder.path().join("in.csv");
        std::fs::write(&path, bytes).expect("a file");
        let mapping = Mapping::usual();
        let order = imports::Order { what, path: &path, mapping: &mapping, mode: Mode::Apply };
        let desk = imports::Desk::of(self.engine(), imports::Room::All);
        match imports::import(&desk, order, &mut |_, _, _| {}) {
            Ok(report) => {
                for fault in report.faults.iter().chain(&report.notices) {
                    let words = &self.engine.as_ref().expect("a register").words;
                    clean(&words.refusal(&fault.refusal), "a fault of a file");
                    clean(&fault.column, "the name of a column");
                }
                report.unknown_columns.iter().for_each(|name| clean(name, "a column's name"));
            }
            Err(error) => self.refused(&error),
        }
        cell();
    }

    fn refused(&self, error: &imports::ImportError) {
        let words = &self.engine.as_ref().expect("a register").words;
        match error {
            imports::ImportError::Fault(fault) => {
                clean(&words.refusal(&fault.refusal), "a refused file");
            }
            imports::ImportError::Refused(refusal) => {
                clean(&words.refusal(refusal), "a refused file");
            }
            imports::ImportError::File(_) => {}
        }
    }

    fn journal_is_clean(&mut self) {
        for entry in self.engine().shop.entries().expect("the journal") {
            let (entry, _) = entry.expect("the journal");
            let value = serde_json::to_value(&entry).expect("an entry");
            clean_value(&value, &format!("the journal: {:?}", entry.kind));
            cell();
        }
    }

    /// Card numbers go nowhere: not by a scan, not in a text.
    fn no_payment_card(&mut self, chance: &mut crate::run::Chance) {
        for _ in 0..A_CASE {
            let number = card_number(chance);
            let word = quote(&number);
            self.does("department 2 100");
            for line in [
                format!("scan {word}"),
                format!("note {word}"),
                format!("note {}", quote(&format!("カード {number} です"))),
                format!("new_member name={word}"),
                format!("new_member name=x note={word}"),
                format!("edit_item 77 price=1 name={word}"),
                format!("suspend {word}"),
                format!("paid_out 1 {word}"),
                format!("no_sale {word}"),
                format!("formal_receipt {word}"),
            ] {
                assert!(!self.does(&line), "taken: {line}");
            }
            self.does("tender_cash");
            let digits: String = regi::domain::text::halfwidth_digits(&number)
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            let entries: Result<Vec<_>, _> =
                self.engine().shop.entries().expect("the journal").collect();
            let entries = entries.expect("the journal");
            let journal = format!("{entries:?}");
            assert!(!journal.contains(&digits) && !journal.contains(&number), "kept: {number}");
            cell();
        }
    }

    /// Puts the texts where only a gate could have kept them out.
    fn lie_in_the_journal(&mut self, texts: &[String]) {
        let items = texts.iter().enumerate().map(|(at, text)| Item {
            kana: text.clone(),
            receipt_name: if at % 2 == 0 { text.clone() } else { String::new() },
            supplier: text.clone(),
            ..Item::new((at + 1).to_string(), text, UnitPrice::from(100))
        });
        let kinds = items.map(|item| Kind::ItemSet(Box::new(item))).collect();
        self.engine().record(kinds).expect("an honest disk");
    }

    fn sells_all(&mut self, count: usize) {
        for at in 1..=count {
            let engine = self.engine();
            engine.stamp_spool();
            let outcome = engine.perform(&format!("scan {at}")).expect("a command");
            assert_eq!(outcome.refusal, None, "item {at}");
        }
        let outcome = self.engine().perform("tender_cash").expect("a command");
        assert_eq!(outcome.refusal, None);
    }

    /// The real loop, with everything that may come in, and its screen read byte by byte.
    fn at_the_counter(mut self, texts: &[String]) -> Self {
        self.engine().spool.drain(Duration::from_secs(10));
        let engine = self.engine.take().expect("a register");
        let shop = Arc::clone(&engine.shop);
        let screen = Screen::default();
        let (events, mut inbox) = Inbox::new().expect("a pipe");
        let screens = Screens::new(engine.keymap.clone(), Theme::usual());
        let display = Display::new(screen.clone(), 100, 30);
        let show = Arc::<Showcase>::default();
        let picture = Picture::default();
        let counter = Counter::new(engine, screens, picture, display, show, events.clone());
        let counter = counter.expect("a counter");
        let work = std::thread::spawn(move || counter.run(&mut inbox).expect("it runs"));
        let counter = Sent(events);
        for (at, text) in texts.iter().enumerate() {
            counter.look(at + 1, text);
            cell();
        }
        counter.send(Event::End(Ending::Asked));
        work.join().expect("the loop lives");
        shop.close();
        drop(shop);
        let stream = screen.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match shown(&stream) {
            Ok(signs) => assert!(signs > 1_000, "{signs} signs on the screen"),
            Err(what) => panic!("the terminal would obey {what}; texts {texts:?}"),
        }
        let opened = opening::open(&options(&self.folder, self.case), || {});
        self.engine = Some(opened.expect("the shop opens again"));
        self
    }

    /// Every paper, read as a printer reads it.
    fn on_paper(&self) {
        let folder = self.folder.path().join("shop/print");
        let mut papers = 0;
        for file in std::fs::read_dir(folder).expect("papers").flatten() {
            let bytes = std::fs::read(file.path()).expect("a paper");
            let paper = escpos_decoder::decode(&bytes)
                .unwrap_or_else(|unknown| panic!("{}: {unknown:02x?}", file.path().display()));
            assert_eq!((paper.pulses, paper.cuts.len()), (0, 1), "{}", file.path().display());
            assert_eq!(escpos_decoder::hits(&bytes), 0);
            clean_lines(&paper.text(), "a paper");
            papers += 1;
            cell();
        }
        assert!(papers > 0, "nothing was printed");
    }

    /// Every export, in both encodings.
    fn in_files(&self) {
        use exports::What;
        let source = Source::of(self.engine.as_ref().expect("a register"));
        for what in
            [What::Shop, What::Items, What::Members, What::Sales, What::Lines, What::Journal]
        {
            for encoding in [OutEncoding::Utf8, OutEncoding::Cp932] {
                let order = Order { what, from: i32::MIN, to: i32::MAX, encoding };
                let mut file = Vec::new();
                exports::export(&source, &order, &mut file).expect("memory takes it");
                let text = match (encoding, what) {
                    (OutEncoding::Cp932, What::Shop) | (OutEncoding::Utf8, _) => {
                        String::from_utf8(file).expect("UTF-8, as settings always are")
                    }
                    _ => encoding_rs::SHIFT_JIS.decode(&file).0.into_owned(),
                };
                clean_lines(&text, &format!("{what:?}"));
                if !matches!(what, What::Shop | What::Journal) {
                    no_formula(&text, what);
                }
                cell();
            }
        }
    }
}

/// No cell that a spreadsheet would run; a number is a number.
fn no_formula(csv: &str, what: exports::What) {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv.as_bytes());
    for row in reader.records() {
        for cell in row.expect("a row").iter() {
            let bare = cell.trim_start_matches([' ', '\u{3000}']);
            let runs = bare.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t']);
            assert!(!runs || cell.parse::<f64>().is_ok(), "{what:?}: {cell}");
        }
    }
}

/// The sending end of a running counter.
struct Sent(EventSender);

impl Sent {
    fn send(&self, event: Event) {
        self.0.send(event).expect("the loop lives");
    }

    fn key(&self, code: KeyCode) {
        self.send(Event::Terminal(vec![TerminalEvent::Key(KeyEvent::from(code))]));
    }

    fn paste(&self, text: &str) {
        self.send(Event::Terminal(vec![TerminalEvent::Paste(text.to_owned())]));
    }

    /// Asks as another program does; its answer comes when all before it was done.
    fn asks(&self, line: String) {
        let (answer, answered) = bounded(1);
        let request = Request { line, task: None, display: false };
        self.send(Event::Control(Asked { request, answer }));
        let reply = answered.recv_timeout(Duration::from_secs(30)).expect("an answer");
        clean_value(&serde_json::from_str(&reply.json()).expect("JSON"), "the control socket");
    }

    /// Shows an item and a text on every screen that takes or lists any.
    fn look(&self, item: usize, text: &str) {
        self.send(Event::Scanner(ScannerEvent::Scan(item.to_string())));
        self.send(Event::Scanner(ScannerEvent::Scan(text.to_owned())));
        self.paste(text);
        self.key(KeyCode::Enter);
        self.key(KeyCode::Esc);
        for screen in [2, 3, 8, 9, 10, 12] {
            self.key(KeyCode::F(screen));
            self.paste(text);
            self.asks("help help".to_owned());
            self.key(KeyCode::Enter);
            self.asks("help help".to_owned());
            self.key(KeyCode::Esc);
            self.key(KeyCode::Esc);
        }
        self.key(KeyCode::F(12));
        self.paste(&format!("note {}", quote(text)));
        self.key(KeyCode::Enter);
        self.asks(format!("find_item {}", quote(text)));
        self.asks(format!("inquire {item}"));
        self.asks(text.to_owned());
        self.send(Event::WorkerDied(text.to_owned()));
        // Everything once more from nothing.
        let size = TerminalEvent::Resize(80 + (item as u16 % 2), 24);
        self.send(Event::Terminal(vec![size]));
    }
}

/// What the loop writes to its terminal.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn options(folder: &TempDir, seed: u64) -> Options {
    Options {
        dir: folder.path().join("shop"),
        lane: None,
        language: Some(Language::English),
        time: Time::given(AT).expect("a moment"),
        chance: Ids::Seeded(seed),
        printer: None,
        patience: Patience::default(),
    }
}

fn toml_text(text: &str) -> String {
    let escaped = text.chars().map(|sign| match sign {
        '"' | '\\' => format!("\\{sign}"),
        sign if sign.is_control() => format!("\\u{:04x}", sign as u32),
        sign => sign.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// A lane's file that does not fit is refused in words that a terminal may show.
fn lane_file_refused(file: &str) {
    if let Err(fault) = LaneConfig::read(file) {
        let words = Language::English.words();
        let what = words.refusal(&fault.what);
        let parts: &[(&str, &dyn std::fmt::Display)] =
            &[("file", &"shop.toml"), ("line", &fault.line), ("what", &what)];
        clean_lines(&words.fill("cli.config_fault", parts), "a lane's file");
    }
    cell();
}

/// Label printers and customer displays get nothing but letters, and commands of our own.
fn on_labels_and_displays(text: &str) {
    let rows = Rows { top: Row::new(text, "¥100"), bottom: Row::new("合計", text) };
    let bytes = show(&rows);
    let expected = show(&Rows { top: Row::new("", ""), bottom: Row::new("", "") });
    let controls = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte < 0x20).count();
    assert_eq!(controls(&bytes), controls(&expected), "on a display: {text:?}");
    cell();
    let line = LabelLine { text: text.to_owned(), size: LabelSize::Small, align: Align::Left };
    for code in
        [LabelCode::Jan(text.into()), LabelCode::Code128(text.into()), LabelCode::Qr(text.into())]
    {
        let label = Label { lines: vec![line.clone()], code: Some(code) };
        for language in [LabelLanguage::Tspl, LabelLanguage::Zpl] {
            let bytes = label::render(&label, &LabelPaper::default(), language, 1);
            let bytes = bytes.expect("a label printer");
            let data_only =
                text.chars().all(|c| c.is_ascii_alphanumeric() || " $%+-./:=_".contains(c));
            let there = holds(&without_pictures(&bytes), text);
            let bare = Label { lines: Vec::new(), code: None };
            let bare = label::render(&bare, &LabelPaper::default(), language, 1);
            // An end of a line of our own (`PRINT 1`) is no text that came through.
            let is_ours = holds(&bare.expect("a label printer"), text);
            assert!(data_only || is_ours || !there, "on a label: {text:?}");
            cell();
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len().max(1)).any(|part| part == text.as_bytes())
}

/// What stands between TSPL's pictures: their dots may be any byte, and are as many as they say.
fn without_pictures(bytes: &[u8]) -> Vec<u8> {
    const PICTURE: &[u8] = b"BITMAP ";
    let (mut kept, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.windows(PICTURE.len()).position(|part| part == PICTURE) {
        kept.extend_from_slice(&rest[..at]);
        // x, y, bytes in a row, rows, mode; the dots follow the fifth comma.
        let fields: Vec<&[u8]> =
            rest[at + PICTURE.len()..].splitn(6, |&byte| byte == b',').collect();
        let number = |field: &[u8]| str::from_utf8(field).ok().and_then(|text| text.parse().ok());
        let dots: Option<usize> = Option::zip(number(fields[2]), number(fields[3]))
            .map(|(in_row, rows): (usize, usize)| in_row * rows);
        rest = &fields[5][dots.expect("a picture says how large it is")..];
    }
    kept.extend_from_slice(rest);
    kept
}

#[track_caller]
fn clean(text: &str, place: &str) {
    let bad = text.chars().find(|sign| is_harmful(*sign));
    assert_eq!(bad, None, "{place}: {text:?}");
}

#[track_caller]
fn clean_lines(text: &str, place: &str) {
    text.split(['\n', '\r']).for_each(|line| clean(line, place));
}

/// Lines may end in what is a paper or a table; nothing else is obeyed anywhere.
#[track_caller]
fn clean_value(value: &Value, place: &str) {
    match value {
        Value::String(text) => clean_lines(text, place),
        Value::Array(values) => values.iter().for_each(|value| clean_value(value, place)),
        Value::Object(fields) => {
            for (name, value) in fields {
                clean(name, place);
                clean_value(value, place);
            }
        }
        _ => {}
    }
}
