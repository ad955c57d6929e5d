//! Looking: what a question finds, as a screen's page or a program's JSON.
//!
//! Room: app. May touch: the store's reader, reports. Changes nothing.

use std::path::Path;

use crossbeam_channel::Sender;
use serde_json::{Value, json};

use super::engine::{Engine, Outcome};
use super::holding::{FOLDER, Holding};
use super::papers;
use super::reply::Reply;
use super::reports::{self, Wanted};
use crate::devices::scanner;
use crate::domain::code::{explain, recognise};
use crate::domain::command::{COMMANDS, Group, spec};
use crate::domain::number::{DocKind, DocNo};
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::domain::register::{ItemView, Look, Lookup, MemberView, SaleView, left_of, ymd};
use crate::domain::words::Words;
use crate::reports::letterhead::{Letterhead, at_counter};
use crate::screens::{
    Answer, DeviceAct, DeviceRow, JournalRow, PAGE, Page, Question, ReceiptLine, ReceiptView,
    ScreenName,
};
use crate::store::journal_search::Query;
use crate::store::sales::SaleRow;

/// Rows the `journal` command answers with at once.
const JOURNAL_ROWS: usize = 100;

/// Cells a report may take on the screens, where it can be moved sideways.
const REPORT_CELLS: usize = 200;

/// One page of a member's visits, newest first.
fn visits(engine: &Engine, code: &str, offset: usize) -> Result<Page<JournalRow>, Refusal> {
    let reader = engine.shop.reader();
    let visits = reader.visits(code, offset + PAGE + 1)?;
    let rows = visits.iter().filter_map(|visit| {
        let stored = reader.sale(visit.receipt).ok()??;
        Some(JournalRow {
            lane: visit.receipt.lane,
            seq: stored.seq,
            at: local(stored.at_ms, stored.offset_minutes),
            kind: "entry.sale",
            number: visit.receipt.to_string(),
            amount: Some(stored.sale.totals.total),
            staff: stored.staff,
            detail: stored
                .sale
                .lines
                .first()
                .map(|line| line.item.name.clone())
                .unwrap_or_default(),
        })
    });
    Ok(page(rows.collect(), offset))
}

/// Answers a screen's question.
///
/// # Errors
/// `damaged` when the store cannot be read, `bad_argument` for a query that means nothing.
pub fn answer(engine: &Engine, question: Question) -> Result<Answer, Refusal> {
    let reader = engine.shop.reader();
    Ok(match question {
        Question::FindItems { text, offset } => {
            let found = reader.find_items(&text, offset + PAGE + 1)?;
            let rows = found.iter().map(|item| engine.register.item_view(item)).collect();
            Answer::Items { text, page: page(rows, offset) }
        }
        Question::FindMembers { text, offset } => {
            let (total, members) = reader.search_members(&text, offset, PAGE)?;
            let rows: Vec<MemberView> = members.iter().map(|member| view(engine, member)).collect();
            let more = offset + rows.len() < total;
            Answer::Members { text, page: Page { offset, rows, more } }
        }
        Question::MemberCard { code } => {
            let member = reader.member(&code)?;
            let member = member.ok_or_else(|| unknown_member(&code))?;
            Answer::MemberCard(Box::new(view(engine, &member)), visits(engine, &code, 0)?)
        }
        Question::Visits { code, offset } => {
            let page = visits(engine, &code, offset)?;
            Answer::Visits { code, page }
        }
        Question::Journal { query, offset } => {
            let found = reader.search(&read_query(engine, &query)?, offset, PAGE)?;
            let rows = found.rows.iter().map(journal_row).collect();
            Answer::Journal { query, page: Page { offset, rows, more: found.more } }
        }
        Question::Receipt { number } => Answer::Receipt(Box::new(receipt(engine, &number)?)),
        Question::Devices => Answer::Devices(device_rows(engine)),
    })
}

/// Cuts a list that was fetched from its start down to one page.
fn page<T>(rows: Vec<T>, offset: usize) -> Page<T> {
    let more = rows.len() > offset + PAGE;
    Page { offset, rows: rows.into_iter().skip(offset).take(PAGE).collect(), more }
}

fn view(engine: &Engine, member: &crate::domain::member::Member) -> MemberView {
    MemberView::of(member, engine.now().day(), engine.register.settings.points.expiry())
}

fn unknown_member(code: &str) -> Refusal {
    Refusal::new(RefusalCode::NoMember).saying("unknown_member").with("code", code)
}

fn read_query(engine: &Engine, words: &[String]) -> Result<Query, Refusal> {
    let mut query = Query::parse(words, engine.now().day()).map_err(|wrong| {
        Refusal::new(RefusalCode::BadArgument).saying(wrong.sentence()).with("argument", wrong)
    })?;
    // What is nobody's code is a part of a name.
    if let Some(said) = query.item.take() {
        let known = engine.shop.reader().item(&said)?.is_some();
        *(if known { &mut query.item } else { &mut query.item_named }) = Some(said);
    }
    if let Some(said) = query.member.take() {
        query.member = Some(the_member(engine, said)?);
    }
    Ok(query)
}

/// The code of the one member whom a card, a telephone number or a name finds.
fn the_member(engine: &Engine, said: String) -> Result<String, Refusal> {
    let reader = engine.shop.reader();
    if reader.member(&said)?.is_some() {
        return Ok(said);
    }
    let mut found = reader.find_members(&said, 2)?;
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one.code),
        (None, _) => Err(unknown_member(&said)),
        (Some(_), false) => {
            Err(Refusal::new(RefusalCode::NoMember).saying("several_members").with("text", said))
        }
    }
}

/// Date and time at the counter, `11-22 10:23`.
fn local(at_ms: i64, offset_minutes: i16) -> String {
    at_counter(at_ms, offset_minutes).format("%m-%d %H:%M").to_string()
}

fn journal_row(row: &SaleRow) -> JournalRow {
    JournalRow {
        lane: row.number.lane,
        seq: row.seq,
        at: local(row.at_ms, row.offset_minutes),
        kind: match (row.voided, row.number.kind) {
            (true, _) => "entry.voided",
            (false, DocKind::Return) => "entry.return",
            (false, _) => "entry.sale",
        },
        number: row.number.to_string(),
        amount: Some(row.total),
        staff: row.staff,
        detail: row.points_member().unwrap_or_default().to_owned(),
    }
}

fn receipt(engine: &Engine, number: &str) -> Result<ReceiptView, Refusal> {
    let unknown = || Refusal::new(RefusalCode::Receipt).with("receipt", number);
    let number: DocNo = number.parse().map_err(|_| unknown())?;
    let (stored, head) = papers::stored(engine, number).ok_or_else(unknown)?;
    let letterhead =
        Letterhead { settings: &engine.register.settings, words: engine.paper_words() };
    let document = papers::stored_paper(&letterhead, &stored, &head, 0);
    let left = left_of(&stored.sale, &stored.returned);
    let lines = SaleView::closed(&stored.sale).lines.into_iter().map(|line| {
        let left = left.get(&line.line).copied().unwrap_or_default();
        ReceiptLine { line, left }
    });
    Ok(ReceiptView {
        number: number.to_string(),
        paper: engine.spool.text_of(&document).lines().map(str::to_owned).collect(),
        lines: lines.collect(),
        voided: stored.voided,
        copies: stored.copies,
        formals: stored.formals.iter().map(|formal| formal.number.to_string()).collect(),
    })
}

/// The lane's devices and their states.
pub fn device_rows(engine: &Engine) -> Vec<DeviceRow> {
    let config = &engine.config;
    let trouble = engine.spool.trouble();
    let printer = DeviceRow {
        device: "printer".to_owned(),
        kind: "device.printer",
        address: config.printer.address.clone(),
        model: config.printer.profile.clone(),
        state: trouble.map_or("state.ready", super::picture::trouble_word),
        alert: trouble.is_some(),
    };
    let drawer = DeviceRow {
        device: "drawer".to_owned(),
        kind: "device.drawer",
        address: config.printer.address.clone(),
        state: match engine.spool.drawer_open() {
            _ if !config.drawer => "state.none",
            Some(true) => "state.open",
            Some(false) => "state.closed",
            None => "state.ready",
        },
        ..DeviceRow::default()
    };
    let second = config.printer.fallback.as_ref().map(|second| DeviceRow {
        device: "second_printer".to_owned(),
        kind: "device.second_printer",
        address: second.address.clone(),
        model: second.profile.clone(),
        state: "state.unasked",
        ..DeviceRow::default()
    });
    let kitchens = engine.kitchen.states().map(|(kitchen, trouble)| DeviceRow {
        device: "kitchen".to_owned(),
        kind: "device.kitchen",
        address: format!("{} {}", kitchen.name, kitchen.address),
        model: kitchen.profile.clone(),
        state: trouble.as_ref().map_or("state.unasked", super::picture::trouble_word),
        alert: trouble.is_some(),
    });
    let display = (!config.display.address.is_empty()).then(|| DeviceRow {
        device: "display".to_owned(),
        kind: "device.display",
        address: config.display.address.clone(),
        // It says nothing: that it is lost shows when it takes no more bytes.
        state: "state.unasked",
        ..DeviceRow::default()
    });
    let scale = config.scale.as_ref().map(|scale| {
        let there = Path::new(&scale.serial).exists();
        DeviceRow {
            device: "scale".to_owned(),
            kind: "device.scale",
            address: format!("{}?baud={}", scale.serial, scale.baud),
            state: if there { "state.unasked" } else { "state.lost" },
            alert: !there,
            ..DeviceRow::default()
        }
    });
    let labels = config.label.as_ref().map(|label| DeviceRow {
        device: "label".to_owned(),
        kind: "device.label",
        address: label.address.clone(),
        model: format!("{}x{} mm", label.width_mm, label.height_mm),
        // It is opened only while labels are printed.
        state: "state.unasked",
        ..DeviceRow::default()
    });
    let there = scanner::connected(Path::new("/dev/input"), &config.scanner);
    let scanners = config.scanner.iter().zip(there).map(|(rule, there)| DeviceRow {
        device: "scanner".to_owned(),
        kind: "device.scanner",
        address: rule.shown(),
        state: if there { "state.ready" } else { "state.lost" },
        alert: !there,
        ..DeviceRow::default()
    });
    [printer, drawer]
        .into_iter()
        .chain(second)
        .chain(kitchens)
        .chain(display)
        .chain(scale)
        .chain(labels)
        .chain(scanners)
        .collect()
}

/// Does what the devices screen asks for, and returns the key of what it says.
///
/// # Errors
/// `device` for an address that is none, and for what is not set on this screen.
pub fn device_act(engine: &mut Engine, act: DeviceAct) -> Result<&'static str, Refusal> {
    let wrong = |sentence| Err(Refusal::new(RefusalCode::Device).saying(sentence));
    match act {
        DeviceAct::TestPrint(device) if device == "printer" => {
            let document = reports::test_page(engine.paper_words(), engine.spool.profile());
            engine.spool.print_loose("test", &document);
            Ok("notice.test_print")
        }
        DeviceAct::TestPrint(_) => wrong("choose_printer"),
        DeviceAct::Address { device, address } if device == "printer" => {
            match engine.set_printer(&address) {
                Ok(()) => Ok("notice.printer_set"),
                Err(_) => wrong("bad_printer_address"),
            }
        }
        DeviceAct::Address { .. } => wrong("device_in_file"),
    }
}

/// What a carried out command shows on the screens besides the sale.
pub fn of_outcome(engine: &mut Engine, outcome: &Outcome) -> Vec<Result<Answer, Refusal>> {
    let given = &outcome.answer;
    let mut answers = Vec::new();
    let text = outcome.command.split_once(' ').map(|(_, text)| text.to_owned()).unwrap_or_default();
    if let Some(rows) = &given.items {
        let page = Page { offset: 0, rows: rows.clone(), more: rows.len() >= PAGE };
        answers.push(Ok(Answer::Items { text: text.clone(), page }));
    }
    if let Some(rows) = &given.members {
        let page = Page { offset: 0, rows: rows.clone(), more: rows.len() >= PAGE };
        answers.push(Ok(Answer::Members { text, page }));
    }
    if given.suspended.is_some() {
        answers.push(Ok(Answer::Open(ScreenName::Suspended, String::new())));
    }
    if !given.explained.is_empty() {
        let mut rows = given.explained.clone();
        if let Some(item) = &given.item {
            rows.extend(item_rows(item));
        }
        answers.push(Ok(Answer::Explained(rows)));
    }
    let name = outcome.command.split_whitespace().next().unwrap_or_default();
    if let ("x_report" | "z_report", Some(paper)) = (name, outcome.documents.first()) {
        answers.push(Ok(Answer::Text {
            title: engine.words.get(&format!("entry.{name}")).to_owned(),
            rows: engine.spool.text_of(paper).lines().map(str::to_owned).collect(),
        }));
    }
    if !outcome.holding.is_empty() {
        let mut rows = holding_lines(&outcome.holding, &engine.words);
        answers.push(Ok(Answer::Text { title: rows.remove(0), rows }));
    }
    match &given.look {
        None => {}
        Some(Look::Help(Some(name))) => {
            answers.push(known(name).map(|()| Answer::HelpOn(name.clone())));
        }
        Some(Look::Help(None) | Look::Keys) => {
            answers.push(Ok(Answer::Open(ScreenName::Help, String::new())))
        }
        Some(Look::Journal(words)) => {
            answers.push(Ok(Answer::Open(ScreenName::Journal, words.join(" "))));
        }
        Some(Look::Report { name, options }) => {
            answers.push(report(engine, name, options).map(|table| Answer::Text {
                title: table.title.clone(),
                // The title stands above already; what is wider than the screen moves sideways.
                rows: table.to_text(REPORT_CELLS).lines().skip(1).map(str::to_owned).collect(),
            }));
        }
    }
    answers
}

/// Backups that can still show an erased member, for whoever has to delete them.
fn holding_lines(holding: &[Holding], words: &Words) -> Vec<String> {
    let told = |held: &Holding| format!("{}  {FOLDER}/{}", held.date, held.backup);
    let told = holding.iter().map(told);
    let said = |key| std::iter::once(words.get(key).to_owned());
    said("holding.title").chain(told).chain(said("holding.elsewhere")).collect()
}

fn item_rows(item: &ItemView) -> [(String, String); 3] {
    [
        ("name".to_owned(), item.name.clone()),
        ("price".to_owned(), item.price.0.to_string()),
        ("department".to_owned(), item.department.to_string()),
    ]
}

fn report(
    engine: &mut Engine,
    name: &str,
    options: &[(String, String)],
) -> Result<crate::reports::table::Table, Refusal> {
    reports::Source::of(engine).make(&Wanted::read(name, options)?)
}

/// Answers another program. A report is made beside the counter, so that no scan waits for it.
pub fn give(engine: &mut Engine, mut outcome: Outcome, answer: Sender<Reply>) {
    let look = outcome.answer.look.take();
    let (Some(Look::Report { name, options }), None) = (&look, &outcome.refusal) else {
        outcome.answer.look = look;
        let _ = answer.send(reply(engine, outcome)); // A client that left wants none.
        return;
    };
    let (name, options) = (name.clone(), options.clone());
    let (source, reply) = (reports::Source::of(engine), Reply::of(outcome, engine));
    let begun = std::thread::Builder::new().name("report".to_owned()).spawn(move || {
        let made = Wanted::read(&name, &options).and_then(|wanted| source.write(&wanted));
        let reply = match made {
            Ok((table, document)) => Reply { report: Some(table.to_json()), document, ..reply },
            Err(refusal) => {
                let said = source.words.refusal(&refusal);
                Reply::refused(&reply.command, refusal.code.word(), said)
            }
        };
        let _ = answer.send(reply);
    });
    drop(begun); // Without a thread the answer's end is dropped, and the client told so.
}

/// The answer of a command for a program, with what a look found.
pub fn reply(engine: &mut Engine, mut outcome: Outcome) -> Reply {
    let look = outcome.answer.look.take();
    let command = outcome.command.clone();
    let holding = std::mem::take(&mut outcome.holding);
    let mut reply = Reply::of(outcome, engine);
    if !holding.is_empty() {
        reply.document = holding_lines(&holding, engine.paper_words()).join("\n");
        reply.rows = serde_json::to_value(holding).ok();
    }
    let Some(look) = look.filter(|_| reply.ok) else { return reply };
    let found = match look {
        Look::Journal(words) => journal(engine, &words, &mut reply),
        Look::Report { name, options } => {
            let wanted = Wanted::read(&name, &options);
            wanted.and_then(|wanted| reports::Source::of(engine).write(&wanted)).map(
                |(table, document)| {
                    reply.report = Some(table.to_json());
                    reply.document = document;
                },
            )
        }
        Look::Help(name) => help(engine, name.as_deref(), &mut reply),
        Look::Keys => {
            reply.rows = Some(keys(engine));
            Ok(())
        }
    };
    match found {
        Ok(()) => reply,
        Err(refusal) => {
            Reply::refused(&command, refusal.code.word(), engine.paper_words().refusal(&refusal))
        }
    }
}

fn journal(engine: &Engine, words: &[String], reply: &mut Reply) -> Result<(), Refusal> {
    let query = read_query(engine, words)?;
    if let Some(number) = query.receipt
        && words.len() == 1
    {
        let shown = receipt(engine, &number.to_string())?;
        reply.document = shown.paper.join("\n");
        reply.receipt = shown.number;
    }
    let found = engine.shop.reader().search(&query, 0, JOURNAL_ROWS)?;
    let rows = found.rows.iter().map(|row| {
        let mut shown = json!({
            "receipt": row.number.to_string(),
            "lane": row.number.lane,
            "seq": row.seq,
            "at": local_iso(row.at_ms, row.offset_minutes),
            "business_date": ymd(row.business_date),
            "staff": row.staff,
            "total": row.total,
            "lines": row.lines,
            "voided": row.voided,
            "training": row.training,
        });
        if let Some(member) = row.points_member() {
            shown["member"] = member.into();
        }
        shown
    });
    reply.rows = Some(Value::Array(rows.collect()));
    Ok(())
}

/// `2026-11-22T10:23:00+09:00`
pub fn local_iso(at_ms: i64, offset_minutes: i16) -> String {
    let offset = chrono::FixedOffset::east_opt(i32::from(offset_minutes) * 60);
    let utc = chrono::DateTime::from_timestamp_millis(at_ms).unwrap_or_default();
    match offset {
        Some(offset) => utc.with_timezone(&offset).to_rfc3339(),
        None => utc.to_rfc3339(),
    }
}

/// Refuses the name of no command.
fn known(name: &str) -> Result<(), Refusal> {
    let unknown = || Refusal::new(RefusalCode::UnknownCommand).with("name", name);
    spec(name).map(drop).ok_or_else(unknown)
}

fn help(engine: &Engine, name: Option<&str>, reply: &mut Reply) -> Result<(), Refusal> {
    let words = engine.paper_words();
    name.map_or(Ok(()), known)?;
    let rows =
        COMMANDS.iter().filter(|spec| name.is_none_or(|name| name == spec.name)).map(|spec| {
            json!({
                "name": spec.name,
                "arguments": spec.arguments,
                "group": words.get(group_key(spec.group)),
                "level": engine.register.settings.level_of(spec),
                "help": words.get(&format!("help.{}", spec.name)),
            })
        });
    reply.rows = Some(Value::Array(rows.collect()));
    Ok(())
}

const fn group_key(group: Group) -> &'static str {
    group.key()
}

fn keys(engine: &Engine) -> Value {
    let keymap = &engine.keymap;
    let rows = ScreenName::ALL.iter().flat_map(|screen| {
        keymap
            .of(*screen)
            .iter()
            .map(|binding| json!({ "screen": screen.word(), "key": binding.key.shown(), "does": binding.does() }))
            .collect::<Vec<_>>()
    });
    Value::Array(rows.collect())
}

/// What a code is, part by part, for `regi devices --scan`.
pub fn explained(engine: &Engine, code: &str) -> Vec<(&'static str, String)> {
    recognise(code, &engine.register.codes)
        .map(|scanned| explain::explain(&scanned))
        .unwrap_or_default()
}
